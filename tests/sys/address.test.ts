/** Addresses of sockets and descriptors in control messages, as bytes and as text. */
import { expect, test } from "bun:test";
import { type Address, parseAddress } from "../../src/sys/address.ts";
import * as call from "../../src/sys/calls.ts";
import { formatCall } from "../../src/sys/format.ts";
import { OptionsError } from "../../src/sys/options-error.ts";
import { parseRights, rightsSpace } from "../../src/sys/rights.ts";

/** As strace 6.1 prints them. */
const printed: [Address, string][] = [
  [{ unix: "/run/x" }, '{sa_family=AF_UNIX, sun_path="/run/x"}, 9'],
  [{ unix: "\0a\0b" }, '{sa_family=AF_UNIX, sun_path=@"a\\0b"}, 6'],
  [{ unix: "" }, "{sa_family=AF_UNIX}, 2"],
  [{ ipv4: "127.0.0.1", port: 80 }, '{sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16'],
  [
    { ipv4: "255.255.255.255", port: 65535 },
    '{sa_family=AF_INET, sin_port=htons(65535), sin_addr=inet_addr("255.255.255.255")}, 16',
  ],
  [{ netlink: { pid: 0, groups: 0x11 } }, "{sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000011}, 12"],
  ...(
    [
      ["::1", "::1"],
      ["::", "::"],
      ["1::", "1::"],
      ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
      ["1:0:3:4:5:6:7:8", "1:0:3:4:5:6:7:8"],
      ["::ffff:1.2.3.4", "::ffff:1.2.3.4"],
      ["::102:304", "::1.2.3.4"],
    ] as const
  ).map(([ipv6, text]): [Address, string] => [
    { ipv6, port: 1, flow: 5, scope: 2 },
    `{sa_family=AF_INET6, sin6_port=htons(1), sin6_flowinfo=htonl(5), inet_pton(AF_INET6, "${text}", &sin6_addr), sin6_scope_id=2}, 28`,
  ]),
];

for (const [address, text] of printed)
  test(`${JSON.stringify(address)} prints as ${text}`, () => {
    expect(formatCall(call.bind(3, address))).toBe(`bind(3, ${text})`);
  });

test.each([
  [{ ipv4: "1.2.3", port: 1 }, "an IPv4 address"],
  [{ ipv4: "1.2.3.256", port: 1 }, "an IPv4 address"],
  [{ ipv4: "1.2.3.4", port: 65536 }, "a port"],
  [{ ipv4: "1.2.3.4" }, "a port"],
  [{ ipv6: "1:2:3", port: 1 }, "an IPv6 address"],
  [{ ipv6: "1::2::3", port: 1 }, "an IPv6 address"],
  [{ ipv6: "1:2:3:4:5:6:7:8::", port: 1 }, "an IPv6 address"],
  [{ ipv6: "g::", port: 1 }, "an IPv6 address"],
  [{ ipv6: undefined, port: 1 }, "an IPv6 address"],
  [{ unix: "/".repeat(108) }, "less than 108 bytes"],
  [{ unix: "/a\0b" }, "without NUL"],
  [{ unix: 5 }, "a path"],
  [{ netlink: { pid: "1", groups: 0 } }, ""],
  [{ netlink: 0 }, "an address"],
  [{}, "an address"],
  ["/run/x", "an address"],
  [undefined, "an address"],
])("%j is refused", (address, expected) => {
  expect(() => call.bind(3, address as Address)).toThrow(OptionsError);
  expect(() => call.connect(3, address as Address)).toThrow(expected);
});

test("parseAddress() reads what the kernel writes", () => {
  const bytes = (...values: number[]) => Uint8Array.from([...values, ...Array<number>(128 - values.length).fill(0)]);
  expect(parseAddress(bytes(1, 0, 47, 97, 0, 98))).toEqual({ unix: "/a" });
  expect(parseAddress(bytes(1, 0, 0, 97, 0, 98))).toEqual({ unix: "\0a\0b" });
  expect(parseAddress(bytes(1, 0))).toEqual({ unix: "" });
  expect(parseAddress(bytes(2, 0, 1, 2, 10, 0, 0, 1))).toEqual({ ipv4: "10.0.0.1", port: 258 });
  expect(parseAddress({ sa_family: 40, sa_data: bytes() })).toBeUndefined();
  // A path that fills it all has no NUL behind it.
  expect(parseAddress(Uint8Array.from([1, 0, 47, 97]))).toEqual({ unix: "/a" });
});

test("parseRights() finds the descriptors among control messages, and none where there are none", () => {
  const message = (type: number, ...words: number[]) => {
    const view = new DataView(new ArrayBuffer(rightsSpace(words.length)));
    view.setUint32(0, 16 + 4 * words.length, true);
    view.setInt32(8, 1, true);
    view.setInt32(12, type, true);
    words.forEach((word, i) => view.setInt32(16 + 4 * i, word, true));
    return [...new Uint8Array(view.buffer)];
  };
  expect(parseRights(Uint8Array.from([...message(2, 1, 2, 3), ...message(1, 7, 8)]))).toEqual([7, 8]);
  expect(parseRights(new Uint8Array(64))).toEqual([]);
  expect(parseRights(new Uint8Array(0))).toEqual([]);
  // Cut by the kernel in the middle of a descriptor.
  expect(parseRights(Uint8Array.from(message(1, 7, 8)).subarray(0, 22))).toEqual([7]);
});

test("what is no descriptor, no message, no handle is refused before the call", () => {
  const given = (value: unknown) => value as never;
  expect(() => call.sendmsg(3, "x", given(undefined), 0)).toThrow(OptionsError);
  expect(() => call.sendmsg(3, "x", [given("7")], 0)).toThrow(OptionsError);
  expect(() => call.recvmsg(3, given("x"), null, 0)).toThrow(OptionsError);
  expect(() => call.accept4(3, 0, given("peer"))).toThrow(OptionsError);
  expect(() => call.openByHandleAt(3, given(null), 0)).toThrow(OptionsError);
  expect(() => call.openByHandleAt(3, given({ ns_id: 1 }), 0)).toThrow(OptionsError);
  expect(() => call.listns({}, given("ids"))).toThrow(OptionsError);
  expect(() => call.siocsifflags(3, "a name that is too long", 1)).toThrow(OptionsError);
  expect(() => call.setsockopt(3, 1, 1, given(null))).toThrow(OptionsError);
});
