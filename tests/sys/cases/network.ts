/** Sockets and network interfaces, for real: unix sockets where the process is, all else in fresh network namespaces. */
import { existsSync, fstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { parseAddress } from "../../../src/sys/address.ts";
import { Fd } from "../../../src/sys/fd.ts";
import { AF, IFF, IPPROTO, MSG, NETLINK, NETLINK_OPT, O, SHUT, SO, SOCK, SOL, TUN } from "../../../src/sys/flags.ts";
import { sys } from "../../../src/sys/vocabulary.ts";
import { AT_FDCWD } from "../../../src/sys/mod.ts";
import { parseRights, rightsSpace } from "../../../src/sys/rights.ts";
import type { Case, Family, Traced } from "./case.ts";
import { kernel } from "./namespace.ts";

/** A fresh network namespace that the process may change, as root and as anybody. */
const fresh = ["unshare", "-rn"];

const text = (bytes: Uint8Array, length: number): string => new TextDecoder().decode(bytes.subarray(0, length));
const same = (a: unknown, b: unknown): boolean => Bun.deepEquals(a, b);
/** What ip(8) says, in the network namespace of this process; undefined where it is not installed. */
function ip(...args: string[]): Record<string, unknown>[] | undefined {
  if (Bun.which("ip") === null) return undefined;
  return Bun.spawnSync(["ip", "-j", ...args], { stderr: "ignore" }).stdout.toString() === ""
    ? []
    : JSON.parse(Bun.spawnSync(["ip", "-j", ...args]).stdout.toString());
}
const linkOf = (name: string) => ip("link")?.find(({ ifname }) => ifname === name);

const unixSockets: Case[] = [
  {
    name: "a unix socket listens at a path, and who connects is known by credentials and by pidfd",
    run(traced) {
      const path = join(traced.dir(), "socket");
      using listener = traced.call("socket", AF.UNIX, SOCK.STREAM | SOCK.CLOEXEC, 0);
      traced.call("bind", listener, { unix: path });
      traced.expect("the path is a socket", statSync(path).isSocket());
      traced.expect(
        "its address is the path",
        same(parseAddress(traced.call("getsockname", listener)), { unix: path }),
      );
      traced.expect("it does not listen", traced.call("getsockopt", listener, SOL.SOCKET, SO.ACCEPTCONN) === 0);
      using early = traced.call("socket", AF.UNIX, SOCK.STREAM | SOCK.CLOEXEC, 0);
      traced.fails("ECONNREFUSED", "connect", early, { unix: path });
      traced.call("listen", listener, 5);
      traced.expect("it listens", traced.call("getsockopt", listener, SOL.SOCKET, SO.ACCEPTCONN) === 1);
      using client = traced.call("socket", AF.UNIX, SOCK.STREAM | SOCK.CLOEXEC, 0);
      traced.call("connect", client, { unix: path });
      traced.expect("its peer is the path", same(parseAddress(traced.call("getpeername", client)), { unix: path }));
      const peer = new Uint8Array(128);
      using accepted = traced.call("accept4", listener, SOCK.CLOEXEC, peer);
      traced.expect("the client has no name", same(parseAddress(peer), { unix: "" }));
      const { pid, uid, gid } = traced.call("soPeercred", accepted);
      traced.expect(
        "it is this process",
        pid === process.pid && uid === process.getuid?.() && gid === process.getgid?.(),
      );
      using pidfd = kernel("6.5")
        ? traced.call("soPeerpidfd", accepted)
        : traced.fails("ENOPROTOOPT", "soPeerpidfd", accepted) && undefined;
      if (pidfd !== undefined) {
        const info = readFileSync(`/proc/self/fdinfo/${pidfd.number}`, "utf8");
        traced.expect("the pidfd is of this process", info.includes(`Pid:\t${process.pid}\n`));
      }
      const [sent, buffer] = ["hello", new Uint8Array(16)];
      traced.expect("five bytes are taken", traced.call("sendto", client, sent, MSG.NOSIGNAL) === 5);
      const length = traced.call("recvfrom", accepted, buffer, 0);
      traced.expect("and come", text(buffer, length) === sent);
      traced.fails("EAGAIN", "recvfrom", accepted, buffer, MSG.DONTWAIT);
      traced.call("shutdown", client, SHUT.WR);
      traced.expect("then it ends", traced.call("recvfrom", accepted, buffer, 0) === 0);
      traced.fails("EPIPE", "sendto", client, sent, MSG.NOSIGNAL);
    },
  },
  {
    name: "Bun connects to a socket of ours",
    async run(traced) {
      const path = join(traced.dir(), "socket");
      using listener = traced.call("socket", AF.UNIX, SOCK.STREAM | SOCK.CLOEXEC | SOCK.NONBLOCK, 0);
      traced.call("bind", listener, { unix: path });
      traced.call("listen", listener, 1);
      traced.fails("EAGAIN", "accept4", listener, 0);
      const socket = await Bun.connect({ unix: path, socket: { data() {} } });
      using accepted = traced.call("accept4", listener, SOCK.CLOEXEC | SOCK.NONBLOCK);
      socket.write("from Bun");
      socket.flush();
      const buffer = new Uint8Array(16);
      traced.expect("it writes", text(buffer, traced.call("recvfrom", accepted, buffer, 0)) === "from Bun");
      socket.end();
    },
  },
  {
    name: "names in the abstract name space, given and picked",
    run(traced) {
      const name = `\0bunshare-${process.pid}`;
      using named = traced.call("socket", AF.UNIX, SOCK.DGRAM | SOCK.CLOEXEC, 0);
      traced.call("bind", named, { unix: name });
      traced.expect("it has the name", same(parseAddress(traced.call("getsockname", named)), { unix: name }));
      traced.expect("/proc/net/unix knows it", readFileSync("/proc/net/unix", "utf8").includes(`@${name.slice(1)}\n`));
      using other = traced.call("socket", AF.UNIX, SOCK.DGRAM | SOCK.CLOEXEC, 0);
      traced.fails("EADDRINUSE", "bind", other, { unix: name });
      traced.call("bind", other, { unix: "" });
      const own = parseAddress(traced.call("getsockname", other));
      traced.expect(
        "the kernel picks five digits",
        own !== undefined && "unix" in own && /^\0[0-9a-f]{5}$/.test(own.unix),
      );
      traced.call("sendto", other, new Uint8Array([1, 2, 255]), 0, { unix: name });
      const [buffer, source] = [new Uint8Array(8), new Uint8Array(128)];
      const length = traced.call("recvfrom", named, buffer, 0, source);
      traced.expect("three bytes came", same([...buffer.subarray(0, length)], [1, 2, 255]));
      traced.expect("from the other", same(parseAddress(source), own));
    },
  },
  {
    name: "descriptors go through a pair of sockets",
    run(traced) {
      const [here, there] = traced.call("socketpair", AF.UNIX, SOCK.SEQPACKET | SOCK.CLOEXEC, 0);
      const files = ["/proc/self/status", "/etc/passwd"];
      const opened = files.map((path) => sys.openat(AT_FDCWD, path, O.RDONLY | O.CLOEXEC));
      traced.expect("two bytes are taken", traced.call("sendmsg", here, "ab", opened, MSG.NOSIGNAL) === 2);
      const [buffer, control] = [new Uint8Array(8), new Uint8Array(rightsSpace(2))];
      const length = traced.call("recvmsg", there, buffer, control, MSG.CMSG_CLOEXEC);
      traced.expect("two bytes came", text(buffer, length) === "ab");
      const passed = parseRights(control).map((number) => new Fd(number));
      const inodes = (fds: readonly Fd[]) => fds.map(({ number }) => fstatSync(number).ino);
      traced.expect("two descriptors came", passed.length === 2);
      traced.expect("of the same files", same(inodes(passed), inodes(opened)));
      traced.expect(
        "not the same descriptors",
        passed.every(({ number }, i) => number !== opened[i]?.number),
      );
      // One more than there is room for is closed by the kernel.
      traced.call("sendmsg", here, "c", opened, 0);
      const narrow = new Uint8Array(rightsSpace(1) - 4);
      const before = readdirSync("/proc/self/fd").length;
      traced.call("recvmsg", there, buffer, narrow, MSG.CMSG_CLOEXEC);
      const one = parseRights(narrow).map((number) => new Fd(number));
      traced.expect("one came", one.length === 1 && readdirSync("/proc/self/fd").length === before + 1);
      traced.call("sendmsg", here, "plain", [], 0);
      control.fill(0);
      traced.expect("bytes alone", traced.call("recvmsg", there, buffer, control, 0) === 5);
      traced.expect("without descriptors", parseRights(control).length === 0);
      traced.call("sendmsg", here, "x", [], 0);
      traced.call("recvmsg", there, buffer, null, 0);
      traced.fails("EBADF", "sendmsg", here, "x", [12345], 0);
      traced.fails("EAGAIN", "recvmsg", there, buffer, control, MSG.DONTWAIT);
      for (const fd of [here, there, ...opened, ...passed, ...one]) fd.close();
    },
  },
  {
    name: "options of sockets",
    run(traced) {
      using socket = traced.call("socket", AF.UNIX, SOCK.STREAM | SOCK.CLOEXEC, 0);
      traced.expect("its type", traced.call("getsockopt", socket, SOL.SOCKET, SO.TYPE) === SOCK.STREAM);
      traced.expect("its family", traced.call("getsockopt", socket, SOL.SOCKET, SO.DOMAIN) === AF.UNIX);
      traced.call("setsockopt", socket, SOL.SOCKET, SO.PASSCRED, 1);
      traced.expect("it was set", traced.call("getsockopt", socket, SOL.SOCKET, SO.PASSCRED) === 1);
      traced.call("setsockopt", socket, SOL.SOCKET, SO.RCVBUF, 8192);
      traced.expect("twice as much", traced.call("getsockopt", socket, SOL.SOCKET, SO.RCVBUF) === 16384);
      traced.fails("ENOPROTOOPT", "getsockopt", socket, SOL.SOCKET, 9999);
      traced.fails("ENOPROTOOPT", "setsockopt", socket, SOL.SOCKET, 9999, 1);
      traced.fails("EINVAL", "setsockopt", socket, SOL.SOCKET, SO.PASSCRED, new Uint8Array(1));
      // Nobody is connected.
      traced.expect("no peer", traced.call("soPeercred", socket).pid === 0);
      if (kernel("6.5")) traced.fails("ENODATA", "soPeerpidfd", socket);
    },
  },
  {
    name: "what is no socket, no family, no listener",
    run(traced) {
      using file = sys.openat(AT_FDCWD, "/proc/self/status", O.RDONLY | O.CLOEXEC);
      using socket = traced.call("socket", AF.UNIX, SOCK.STREAM | SOCK.CLOEXEC, 0);
      traced.fails("EAFNOSUPPORT", "socket", 99, SOCK.STREAM, 0);
      traced.fails("EPROTONOSUPPORT", "socket", AF.UNIX, SOCK.STREAM, 99);
      traced.fails("EOPNOTSUPP", "socketpair", AF.INET, SOCK.DGRAM, 0);
      const error = traced.fails("ENOTSOCK", "bind", file, { unix: "/tmp/x" });
      traced.expect("the error knows the file", /^\/proc\/\d+\/status$/.test(error?.path ?? ""));
      traced.fails("ENOTSOCK", "listen", file, 1);
      traced.fails("ENOTSOCK", "accept4", file, 0);
      traced.fails("ENOTSOCK", "shutdown", file, SHUT.RDWR);
      traced.fails("ENOTSOCK", "getsockname", file);
      traced.fails("ENOTSOCK", "soPeercred", file);
      traced.fails("EBADF", "soPeerpidfd", -1);
      traced.fails("EBADF", "sendmsg", -1, "x", [], 0);
      traced.fails("EINVAL", "listen", socket, 1);
      traced.fails("ENOTCONN", "getpeername", socket);
      using internet = traced.call("socket", AF.INET, SOCK.STREAM | SOCK.CLOEXEC, 0);
      traced.fails("ENOTCONN", "shutdown", internet, SHUT.RDWR);
      traced.fails("EINVAL", "shutdown", socket, 9);
      traced.fails("ENOENT", "connect", socket, { unix: "/does/not/exist" });
      traced.fails("EINVAL", "accept4", socket, 0x1000);
      const [bad, missing] = [{ unix: "/does/not/exist" }, { ipv4: "127.0.0.1", port: 0 }] as const;
      traced.fails("ENOENT", "bind", socket, bad);
      traced.fails("EINVAL", "bind", socket, missing);
    },
  },
  {
    name: "raw and packet sockets take CAP_NET_RAW",
    as: "user",
    run(traced) {
      traced.fails("EPERM", "socket", AF.INET, SOCK.RAW, IPPROTO.ICMP);
      traced.fails("EPERM", "socket", AF.INET6, SOCK.RAW, IPPROTO.UDP);
      using socket = traced.call("socket", AF.INET, SOCK.STREAM | SOCK.CLOEXEC, 0);
      traced.fails("EPERM", "setsockopt", socket, SOL.SOCKET, SO.MARK, 1);
    },
  },
];

const internet: Case[] = [
  {
    name: "TCP and UDP over lo of a fresh network namespace, IPv4 and IPv6",
    in: fresh,
    run(traced) {
      up(traced);
      for (const [domain, address] of [
        [AF.INET, { ipv4: "127.0.0.1", port: 0 }],
        [AF.INET6, { ipv6: "::1", port: 0 }],
      ] as const) {
        using listener = traced.call("socket", domain, SOCK.STREAM | SOCK.CLOEXEC, IPPROTO.TCP);
        traced.call("setsockopt", listener, SOL.SOCKET, SO.REUSEADDR, 1);
        traced.call("bind", listener, address);
        traced.call("listen", listener, 1);
        const own = parseAddress(traced.call("getsockname", listener));
        traced.expect(
          "it has a port",
          own !== undefined && "port" in own && own.port > 0 && same({ ...own, port: 0 }, address),
        );
        using client = traced.call("socket", domain, SOCK.STREAM | SOCK.CLOEXEC, 0);
        if (own === undefined) return;
        traced.call("connect", client, own);
        const peer = new Uint8Array(128);
        using accepted = traced.call("accept4", listener, SOCK.CLOEXEC, peer);
        const name = parseAddress(traced.call("getsockname", client));
        traced.expect("the peer is the client", name !== undefined && same(parseAddress(peer), name));
        traced.call("sendto", accepted, "x".repeat(3), 0);
        const buffer = new Uint8Array(8);
        traced.expect("three bytes", text(buffer, traced.call("recvfrom", client, buffer, 0)) === "xxx");
        using datagrams = traced.call("socket", domain, SOCK.DGRAM | SOCK.CLOEXEC, IPPROTO.UDP);
        traced.call("bind", datagrams, address);
        const to = parseAddress(traced.call("getsockname", datagrams));
        if (to === undefined) return;
        traced.call("sendto", datagrams, "ping", 0, to);
        const source = new Uint8Array(128);
        traced.expect("a datagram", text(buffer, traced.call("recvfrom", datagrams, buffer, 0, source)) === "ping");
        traced.expect("from itself", same(parseAddress(source), to));
      }
      using socket = traced.call("socket", AF.INET, SOCK.DGRAM | SOCK.CLOEXEC, 0);
      traced.fails("EADDRNOTAVAIL", "bind", socket, { ipv4: "192.0.2.1", port: 5000 });
      traced.fails("ENETUNREACH", "connect", socket, { ipv4: "192.0.2.1", port: 5000 });
      using six = traced.call("socket", AF.INET6, SOCK.DGRAM | SOCK.CLOEXEC, 0);
      traced.fails("EADDRNOTAVAIL", "bind", six, { ipv6: "2001:db8::192.0.2.33", port: 65535, flow: 0x12345 });
      traced.fails("EADDRNOTAVAIL", "bind", six, { ipv6: "fd00:0:0:1:0:0:0:1", port: 1 });
      traced.fails("EADDRNOTAVAIL", "bind", six, { ipv6: "::ffff:192.0.2.33", port: 80 });
      traced.fails("ENODEV", "bind", six, { ipv6: "fe80::1", port: 1, scope: 4711 });
    },
  },
  {
    name: "interfaces have flags, an index, an MTU, names and addresses",
    in: fresh,
    run(traced) {
      using socket = traced.call("socket", AF.UNIX, SOCK.DGRAM | SOCK.CLOEXEC, 0);
      const before = traced.call("siocgifflags", socket, "lo");
      traced.expect(
        "lo is down",
        (before.ifr_flags & (IFF.UP | IFF.LOOPBACK)) === IFF.LOOPBACK && before.ifr_name === "lo",
      );
      traced.call("siocsifflags", socket, "lo", IFF.UP);
      const after = traced.call("siocgifflags", socket, "lo").ifr_flags;
      traced.expect("lo is up", (after & IFF.UP) !== 0);
      traced.expect(
        "and has 127.0.0.1",
        networkInterfaces()["lo"]?.some(({ address }) => address === "127.0.0.1") ?? false,
      );
      const flags = linkOf("lo")?.["flags"];
      traced.expect("as ip(8) says", flags === undefined || same(flags, ["LOOPBACK", "UP", "LOWER_UP"]));
      const { ifr_ifindex } = traced.call("siocgifindex", socket, "lo");
      traced.expect("its index", ifr_ifindex === 1 && (linkOf("lo")?.["ifindex"] ?? 1) === 1);
      traced.expect("its name", traced.call("siocgifname", socket, ifr_ifindex).ifr_name === "lo");
      traced.call("siocsifmtu", socket, "lo", 1400);
      traced.expect("its MTU", traced.call("siocgifmtu", socket, "lo").ifr_mtu === 1400);
      traced.expect("as ip(8) says", linkOf("lo") === undefined || linkOf("lo")?.["mtu"] === 1400);
      const hardware = traced.call("siocgifhwaddr", socket, "lo");
      traced.expect("ARPHRD_LOOPBACK, and zeros", hardware["ifr_hwaddr.sa_family"] === 772);
      using inet = traced.call("socket", AF.INET, SOCK.DGRAM | SOCK.CLOEXEC, 0);
      traced.call("siocsifaddr", inet, "lo", "10.1.2.3");
      traced.call("siocsifnetmask", inet, "lo", "255.255.255.0");
      const address = traced.call("siocgifaddr", inet, "lo");
      traced.expect(
        "10.1.2.3",
        address["ifr_addr.sin_addr"] === 0x0302010a && address["ifr_addr.sin_family"] === AF.INET,
      );
      traced.expect("/24", traced.call("siocgifnetmask", inet, "lo")["ifr_netmask.sin_addr"] === 0x00ffffff);
      const own = networkInterfaces()["lo"]?.find(({ family }) => family === "IPv4");
      traced.expect("as Node says", own?.cidr === "10.1.2.3/24");
      traced.fails("ENODEV", "siocgifflags", socket, "none0");
      traced.fails("ENODEV", "siocgifindex", socket, "none0");
      traced.fails("ENODEV", "siocgifname", socket, 4711);
      traced.fails("ENODEV", "siocgifmtu", socket, "none0");
      traced.fails("ENODEV", "siocgifhwaddr", socket, "none0");
      traced.fails("ENODEV", "siocsifflags", socket, "none0", 0);
      traced.fails("ENODEV", "siocsifmtu", socket, "none0", 1500);
      traced.fails("EINVAL", "siocsifmtu", socket, "lo", -1);
      traced.fails("ENODEV", "siocsifname", socket, "none0", "none1");
      traced.fails("ENODEV", "siocgifaddr", inet, "none0");
      traced.fails("ENODEV", "siocgifnetmask", inet, "none0");
      traced.fails("ENODEV", "siocsifaddr", inet, "none0", "10.0.0.1");
      traced.fails("EINVAL", "siocsifnetmask", inet, "lo", "255.0.255.0");
    },
  },
  {
    name: "a bridge is made, renamed, plugged and removed",
    in: fresh,
    run(traced) {
      using socket = traced.call("socket", AF.UNIX, SOCK.DGRAM | SOCK.CLOEXEC, 0);
      // A kernel may lack bridges.
      traced.callOr(["ENOPKG"], "siocbraddbr", socket, "br0");
      if (!existsSync("/proc/self/net/dev") || !readFileSync("/proc/self/net/dev", "utf8").includes("br0:")) return;
      traced.expect("ip(8) sees it", linkOf("br0") === undefined || linkOf("br0")?.["link_type"] === "ether");
      const error = traced.fails("EEXIST", "siocbraddbr", socket, "br0");
      traced.expect("the name of a bridge is no path", error !== undefined && error.path === undefined);
      traced.call("siocsifname", socket, "br0", "blue");
      traced.fails("EEXIST", "siocsifname", socket, "blue", "lo");
      traced.fails("ENODEV", "siocgifindex", socket, "br0");
      const { ifr_ifindex } = traced.call("siocgifindex", socket, "blue");
      const mac = traced.call("siocgifhwaddr", socket, "blue");
      const node = [...mac["ifr_hwaddr.sa_data"].subarray(0, 6)].map((byte) => byte.toString(16).padStart(2, "0"));
      traced.expect("its address", linkOf("blue") === undefined || linkOf("blue")?.["address"] === node.join(":"));
      if (Bun.which("ip") !== null && Bun.spawnSync(["ip", "link", "add", "d0", "type", "dummy"]).exitCode === 0) {
        const dummy = traced.call("siocgifindex", socket, "d0").ifr_ifindex;
        traced.call("siocbraddif", socket, "blue", dummy);
        traced.expect("it is plugged in", linkOf("d0")?.["master"] === "blue");
        traced.fails("EBUSY", "siocbraddif", socket, "blue", dummy);
        traced.call("siocbrdelif", socket, "blue", dummy);
        traced.expect("it is unplugged", linkOf("d0")?.["master"] === undefined);
      }
      const lo = traced.call("siocgifindex", socket, "lo").ifr_ifindex;
      traced.fails("EINVAL", "siocbraddif", socket, "blue", lo);
      traced.fails("EINVAL", "siocbrdelif", socket, "blue", lo);
      traced.fails(["ELOOP", "EINVAL"], "siocbraddif", socket, "blue", ifr_ifindex);
      traced.call("siocsifflags", socket, "blue", IFF.UP);
      traced.fails("EBUSY", "siocbrdelbr", socket, "blue");
      traced.call("siocsifflags", socket, "blue", 0);
      traced.call("siocbrdelbr", socket, "blue");
      traced.fails("ENXIO", "siocbrdelbr", socket, "blue");
      traced.fails("EPERM", "siocbrdelbr", socket, "lo");
    },
  },
  {
    name: "a tunnel is an interface whose packets a descriptor carries",
    as: "root",
    alone: true,
    run(traced) {
      if (!existsSync("/dev/net/tun")) return;
      sys.unshare(0x40000000);
      using tun = sys.openat(AT_FDCWD, "/dev/net/tun", O.RDWR | O.CLOEXEC);
      const { ifr_name } = traced.call("tunsetiff", tun, "tap%d", TUN.TAP | TUN.NO_PI);
      traced.expect("it got a number", ifr_name === "tap0");
      traced.expect("there is such an interface", readFileSync("/proc/net/dev", "utf8").includes("tap0:"));
      traced.fails("EEXIST", "tunsetiff", tun, "tap1", TUN.TAP);
      using other = sys.openat(AT_FDCWD, "/dev/net/tun", O.RDWR | O.CLOEXEC);
      traced.fails("EBUSY", "tunsetiff", other, "tap0", TUN.TAP | TUN.NO_PI);
      traced.fails("EINVAL", "tunsetiff", other, "x", TUN.NO_PI);
    },
  },
  {
    name: "rtnetlink answers through a socket: RTM_GETLINK of lo",
    in: fresh,
    run(traced) {
      using socket = traced.call("socket", AF.NETLINK, SOCK.RAW | SOCK.CLOEXEC, NETLINK.ROUTE);
      traced.call("bind", socket, { netlink: { pid: 0, groups: 0 } });
      const own = parseAddress(traced.call("getsockname", socket));
      traced.expect("its pid is the process's", same(own, { netlink: { pid: process.pid, groups: 0 } }));
      traced.call("setsockopt", socket, SOL.NETLINK, NETLINK_OPT.EXT_ACK, 1);
      traced.expect("it was set", traced.call("getsockopt", socket, SOL.NETLINK, NETLINK_OPT.EXT_ACK) === 1);
      const [requested, type] = [linkRequest(18, 1), 16];
      const kernelAddress = { netlink: { pid: 0, groups: 0 } };
      traced.expect("32 bytes", traced.call("sendto", socket, requested, 0, kernelAddress) === 32);
      const [buffer, source] = [new Uint8Array(8192), new Uint8Array(128)];
      const length = traced.call("recvfrom", socket, buffer, 0, source);
      traced.expect("from the kernel", same(parseAddress(source), kernelAddress));
      const view = new DataView(buffer.buffer);
      traced.expect("RTM_NEWLINK", view.getUint16(4, true) === type && view.getUint32(0, true) === length);
      traced.expect("of index 1", view.getInt32(20, true) === 1);
      traced.expect("named lo", text(buffer, length).includes("lo\0"));
      traced.call("sendto", socket, linkRequest(18, 4711), 0, kernelAddress);
      traced.call("recvfrom", socket, buffer, 0);
      // NLMSG_ERROR, ENODEV
      traced.expect("no such device", view.getUint16(4, true) === 2 && view.getInt32(16, true) === -19);
      using second = traced.call("socket", AF.NETLINK, SOCK.RAW | SOCK.CLOEXEC, NETLINK.ROUTE);
      traced.fails("EADDRINUSE", "bind", second, { netlink: { pid: process.pid, groups: 0 } });
      // Groups: RTMGRP_LINK.
      traced.call("bind", second, { netlink: { pid: 0, groups: 1 } });
      up(traced);
      const event = traced.call("recvfrom", second, buffer, 0);
      traced.expect(
        "lo came up",
        event > 32 && view.getUint16(4, true) === type && (view.getUint32(24, true) & IFF.UP) !== 0,
      );
      traced.fails("EPROTONOSUPPORT", "socket", AF.NETLINK, SOCK.RAW, 77);
    },
  },
  {
    name: "interfaces of the host are out of a user's hands",
    as: "user",
    run(traced) {
      using socket = traced.call("socket", AF.UNIX, SOCK.DGRAM | SOCK.CLOEXEC, 0);
      using inet = traced.call("socket", AF.INET, SOCK.DGRAM | SOCK.CLOEXEC, 0);
      traced.fails("EPERM", "siocsifflags", socket, "lo", IFF.UP);
      traced.fails("EPERM", "siocsifmtu", socket, "lo", 1400);
      traced.fails("EPERM", "siocsifname", socket, "lo", "lo1");
      traced.fails("EPERM", "siocsifaddr", inet, "lo", "10.0.0.1");
      traced.fails("EPERM", "siocbraddbr", socket, "br0");
      traced.fails("EPERM", "siocbrdelbr", socket, "br0");
    },
  },
];

/** Brings lo up. */
function up(traced: Traced): void {
  using socket = traced.call("socket", AF.UNIX, SOCK.DGRAM | SOCK.CLOEXEC, 0);
  traced.call("siocsifflags", socket, "lo", IFF.UP);
}

/** A struct nlmsghdr and a struct ifinfomsg. rtnetlink(7) */
function linkRequest(type: number, index: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(32));
  view.setUint32(0, 32, true);
  view.setUint16(4, type, true);
  view.setUint16(6, 1, true);
  view.setUint32(8, 1, true);
  view.setInt32(20, index, true);
  return new Uint8Array(view.buffer);
}

export const family: Family = { cases: [...unixSockets, ...internet] };
