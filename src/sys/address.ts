/** Addresses of sockets: what bind and connect take, and what getsockname gives back. socket(7) Pure. */
import type { Arg } from "./call.ts";
import { AF } from "./flags.ts";
import { int, one, refused } from "./primitive.ts";

/** An address, by its family: unix(7), ip(7), ipv6(7), netlink(7). */
export type Address =
  /** A path; `"\0name"` in the abstract name space, which belongs to the network namespace; `""` for none: bind then picks a name. */
  | { readonly unix: string }
  /** `"127.0.0.1"`. */
  | { readonly ipv4: string; readonly port: number }
  /** `"::1"`; `scope` is the index of the interface that a link-local address is of. */
  | { readonly ipv6: string; readonly port: number; readonly scope?: number; readonly flow?: number }
  /** Pid 0 is the kernel, or lets bind pick a number; a bit of `groups` for each multicast group. */
  | { readonly netlink: { readonly pid: number; readonly groups: number } };

/** A struct sockaddr and its length, as two arguments of a call. What is no address stands there until the call is checked. */
export function addressArgs(address: Address): readonly [sockaddr: Arg, length: number | Arg] {
  if (typeof address !== "object" || address === null) return [refused(address, anAddress), 0];
  if ("unix" in address) return unixArgs(address.unix);
  if ("ipv4" in address) {
    const fields = { sin_family: one("AF", AF.INET), sin_port: htons(address.port), sin_addr: ipv4Arg(address.ipv4) };
    return [{ struct: "sockaddr_in", fields }, 16];
  }
  if ("ipv6" in address) return [{ struct: "sockaddr_in6", fields: ipv6Fields(address) }, 28];
  if ("netlink" in address && typeof address.netlink === "object" && address.netlink !== null) {
    const { pid, groups } = address.netlink;
    return [
      { struct: "sockaddr_nl", fields: { nl_family: one("AF", AF.NETLINK), nl_pid: int(pid), nl_groups: int(groups) } },
      12,
    ];
  }
  return [refused(address, anAddress), 0];
}

const anAddress = 'an address: { unix: "/run/x" }, { ipv4: "127.0.0.1", port: 80 }, { netlink: { pid: 0, groups: 0 } }';

function unixArgs(path: string): readonly [Arg, number] {
  const family = one("AF", AF.UNIX);
  if (path === "") return [{ struct: "sockaddr_un", fields: { sun_family: family } }, 2];
  if (typeof path !== "string") return [refused(path, "a path, or a name after NUL"), 0];
  const bytes = new TextEncoder().encode(path);
  // A name in the abstract name space is not terminated: its length is told, and NULs in it count.
  if (path.startsWith("\0"))
    return [{ struct: "sockaddr_un", fields: { sun_family: family, sun_path: bytes } }, 2 + bytes.length];
  return [{ struct: "sockaddr_un", fields: { sun_family: family, sun_path: path } }, 2 + bytes.length + 1];
}

function ipv4Arg(text: string): Arg {
  const bytes = parseIpv4(text);
  return bytes === undefined ? refused(text, 'an IPv4 address such as "127.0.0.1"') : wordOf(bytes);
}

function ipv6Fields({ ipv6, port, scope = 0, flow = 0 }: Extract<Address, { ipv6: string }>): Record<string, Arg> {
  return {
    sin6_family: one("AF", AF.INET6),
    sin6_port: htons(port),
    sin6_flowinfo: htonl(flow),
    sin6_addr: parseIpv6(ipv6) ?? refused(ipv6, 'an IPv6 address such as "::1"'),
    sin6_scope_id: int(scope),
  };
}

/** `htons(3)`. What is no port stands as it is, and is refused for its width. */
function htons(port: number): Arg {
  const isPort = Number.isInteger(port) && port >= 0 && port <= 0xffff;
  return isPort ? ((port & 0xff) << 8) | (port >> 8) : refused(port, "a port, from 0 to 65535");
}

/** `htonl(flow)`, refused likewise. */
const htonl = (flow: number): Arg =>
  Number.isInteger(flow) && flow === flow >>> 0
    ? wordOf([flow >>> 24, flow >>> 16, flow >>> 8, flow])
    : refused(flow, "an integer of 32 bits");

/** Four bytes in memory as the number that a little-endian word holds. */
const wordOf = (bytes: ArrayLike<number>): number =>
  ((bytes[0]! & 255) | ((bytes[1]! & 255) << 8) | ((bytes[2]! & 255) << 16) | (bytes[3]! << 24)) >>> 0;

/**
 * The address in a struct sockaddr that the kernel wrote: of getsockname, or a buffer of recvfrom. Undefined for a family that
 * {@link Address} lacks. Of an abstract name, NULs at its end are lost, for the struct does not say its length.
 */
export function parseAddress(
  sockaddr: Uint8Array | { readonly sa_family: number; readonly sa_data: Uint8Array },
): Address | undefined {
  const isBytes = sockaddr instanceof Uint8Array;
  const family = isBytes ? (sockaddr[0] ?? 0) | ((sockaddr[1] ?? 0) << 8) : sockaddr.sa_family;
  const data = isBytes ? sockaddr.subarray(2) : sockaddr.sa_data;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  switch (family) {
    case AF.UNIX:
      return { unix: unixPath(data) };
    case AF.INET:
      return { ipv4: data.subarray(2, 6).join("."), port: view.getUint16(0) };
    case AF.INET6: {
      const [flow, scope] = [view.getUint32(2), view.getUint32(22, true)];
      return {
        ipv6: formatIpv6(data.subarray(6, 22)),
        port: view.getUint16(0),
        ...(scope === 0 ? {} : { scope }),
        ...(flow === 0 ? {} : { flow }),
      };
    }
    case AF.NETLINK:
      return { netlink: { pid: view.getUint32(2, true), groups: view.getUint32(6, true) } };
    default:
      return undefined;
  }
}

function unixPath(data: Uint8Array): string {
  const utf8 = new TextDecoder();
  if (data[0] !== 0) return utf8.decode(data.subarray(0, (data.indexOf(0) + data.length + 1) % (data.length + 1)));
  return utf8.decode(data).replace(/\0+$/, "");
}

function parseIpv4(text: string): readonly number[] | undefined {
  // Without zeros in front, which some take for octal.
  const bytes = /^(?:(?:0|[1-9]\d{0,2})(?:\.(?!$)|$)){4}$/.test(text) ? text.split(".").map(Number) : [256];
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const [head = "", tail, more] = String(text).split("::");
  const [left, right] = [groupsOf(head, tail === undefined), groupsOf(tail ?? "", true)];
  const missing = 8 - left.length - right.length;
  const isWhole = tail === undefined ? missing === 0 : missing > 0;
  const groups = isWhole ? [...left, ...Array<number>(missing).fill(0), ...right] : [NaN];
  if (more !== undefined || groups.some(Number.isNaN)) return undefined;
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

/** Groups of 16 bits; the last two of an address may be written as an IPv4 address. NaN for what is none. */
function groupsOf(text: string, isEnd: boolean): number[] {
  return (text === "" ? [] : text.split(":")).flatMap((group, i, all) => {
    const [a = NaN, b = NaN, c = NaN, d = NaN] = isEnd && i === all.length - 1 ? (parseIpv4(group) ?? []) : [];
    if (!Number.isNaN(a)) return [(a << 8) | b, (c << 8) | d];
    return [/^[0-9a-f]{1,4}$/i.test(group) ? Number.parseInt(group, 16) : NaN];
  });
}

/** As inet_ntop(3): the first longest run of zeros is left out, and an IPv4 address behind zeros stays one. */
function formatIpv6(bytes: Uint8Array): string {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0));
  let [start, length] = [-1, 1];
  for (let at = 0; at < 8; at++) {
    const end = groups.findIndex((group, i) => i >= at && group !== 0);
    const run = (end < 0 ? 8 : end) - at;
    if (run > length) [start, length] = [at, run];
  }
  const isMapped = start === 0 && (length === 6 || (length === 5 && groups[5] === 0xffff));
  const texts = groups.map((group) => group.toString(16));
  if (isMapped) texts.splice(6, 2, bytes.subarray(12, 16).join("."));
  if (start < 0) return texts.join(":");
  return `${texts.slice(0, start).join(":")}::${texts.slice(start + length).join(":")}`;
}

/** How strace(1) prints fields of addresses: their bytes are in network order, where a number shows nothing. */
export const addressTexts = {
  port: (value: Arg) => (typeof value === "number" ? `htons(${((value & 0xff) << 8) | (value >> 8)})` : undefined),
  flow: (value: Arg) =>
    typeof value === "number" ? `htonl(${new DataView(fourBytes(value)).getUint32(0)})` : undefined,
  ipv4: (value: Arg) =>
    typeof value === "number" ? `inet_addr("${new Uint8Array(fourBytes(value)).join(".")}")` : undefined,
  ipv6: (value: Arg) =>
    value instanceof Uint8Array ? `inet_pton(AF_INET6, "${formatIpv6(value)}", &sin6_addr)` : undefined,
  groups: (value: Arg) => (typeof value === "number" ? value.toString(16).padStart(8, "0") : undefined),
} as const;

function fourBytes(word: number): ArrayBuffer {
  const buffer = new ArrayBuffer(4);
  new DataView(buffer).setUint32(0, word, true);
  return buffer;
}
