/** Sockets and network interfaces: unix(7), netlink(7), netdevice(7). */
import { type Address, addressArgs } from "../address.ts";
import type { Arg } from "../call.ts";
import { AF, IOCTL, SCM, SO, SOL } from "../flags.ts";
import {
  bits,
  data,
  define,
  fd,
  type FdArg,
  int,
  lengthOf,
  one,
  type Out,
  out,
  refused,
  room,
  text,
} from "../primitive.ts";

// Sockets

const protocolArg = (domain: number, protocol: number): Arg => {
  if (domain === AF.NETLINK) return one("NETLINK", protocol);
  return domain === AF.INET || domain === AF.INET6 ? one("IPPROTO", protocol) : int(protocol);
};

/**
 * `socket(domain, type, protocol)`: of the caller's network namespace, for good. socket(2)
 * @throws {SyscallError} EPERM for SOCK_RAW and AF_PACKET without CAP_NET_RAW.
 */
export const socket = /* @__PURE__ */ define("socket", "fd", (domain: number, type: number, protocol: number) => [
  one("AF", domain),
  bits("SOCK", type),
  protocolArg(domain, protocol),
]);
/** `socketpair(domain, type, protocol, sv)`: two connected sockets, without a name. In a step the two numbers are written to eight bytes of `ends`. socketpair(2) */
export const socketpair = /* @__PURE__ */ define(
  "socketpair",
  "fds",
  (domain: number, type: number, protocol: number, ends: Out = 8) => [
    one("AF", domain),
    bits("SOCK", type),
    protocolArg(domain, protocol),
    out(ends, 8),
  ],
);
/**
 * `bind(sockfd, addr, addrlen)`: gives a socket its address; a unix path becomes a file. bind(2)
 * @throws {SyscallError} EADDRINUSE when the address is taken, or a socket's file was left behind.
 */
export const bind = /* @__PURE__ */ define("bind", "none", (target: FdArg, address: Address) => [
  fd(target),
  ...addressArgs(address),
]);
/**
 * `connect(sockfd, addr, addrlen)`: to a listener, or for datagrams where they go. connect(2)
 * @throws {SyscallError} ECONNREFUSED when nobody listens there.
 */
export const connect = /* @__PURE__ */ define("connect", "none", (target: FdArg, address: Address) => [
  fd(target),
  ...addressArgs(address),
]);
/** `listen(sockfd, backlog)`: takes connections, of which that many may wait for accept. listen(2) */
export const listen = /* @__PURE__ */ define("listen", "none", (target: FdArg, backlog: number) => [
  fd(target),
  int(backlog),
]);
/**
 * `accept4(sockfd, addr, addrlen, flags)`: the next connection; waits for it unless the listener is SOCK_NONBLOCK. accept(2)
 * @param flags SOCK_CLOEXEC and SOCK_NONBLOCK, of the new socket.
 * @param peer 128 bytes for the address of the other end, for `parseAddress`.
 */
export const accept4 = /* @__PURE__ */ define(
  "accept4",
  "fd",
  (listener: FdArg, flags: number, peer: Uint8Array | null = null) => [
    fd(listener),
    ...spaceFor(peer),
    bits("SOCK", flags),
  ],
);
/** `shutdown(sockfd, how)`: ends one direction, or both, for all who hold the socket. shutdown(2) */
export const shutdown = /* @__PURE__ */ define("shutdown", "none", (target: FdArg, how: number) => [
  fd(target),
  one("SHUT", how),
]);
/** `getsockname(sockfd, addr, addrlen)`: its own address, as a struct for `parseAddress`. getsockname(2) */
export const getsockname = /* @__PURE__ */ define(
  "getsockname",
  "sockaddr",
  (target: FdArg, address: Out = "sockaddr") => [fd(target), out(address), { words: [sizeOf(address)] }],
);
/**
 * `getpeername(sockfd, addr, addrlen)`: the address of the other end, as a struct for `parseAddress`. getpeername(2)
 * @throws {SyscallError} ENOTCONN when there is no other end.
 */
export const getpeername = /* @__PURE__ */ define(
  "getpeername",
  "sockaddr",
  (target: FdArg, address: Out = "sockaddr") => [fd(target), out(address), { words: [sizeOf(address)] }],
);

/** A buffer for an address and the word that says its size, or NULL and NULL. */
const spaceFor = (address: Uint8Array | null): readonly [Arg, Arg] =>
  address === null ? [null, null] : [out(address), { words: [sizeOf(address)] }];

/** Bytes that there is room for, as a plain number. What is no size is refused where the room itself is. */
function sizeOf(value: Out): number {
  const bytes = room(value);
  return typeof bytes === "number" ? bytes : 0;
}

// Options

/** Options go by names of their level. */
const optionArg = (level: number, option: number): Arg => {
  if (level === SOL.SOCKET) return one("SO", option);
  return level === SOL.NETLINK ? one("NETLINK_OPT", option) : int(option);
};

/**
 * `getsockopt(sockfd, level, optname, optval, optlen)`: an option that is a number. getsockopt(2)
 * @throws {SyscallError} ENOPROTOOPT when the socket has no such option.
 */
export const getsockopt = /* @__PURE__ */ define(
  "getsockopt",
  "u32",
  (target: FdArg, level: number, option: number, value: Out = 4) => [
    fd(target),
    one("SOL", level),
    optionArg(level, option),
    out(value),
    { words: [sizeOf(value)] },
  ],
);
/**
 * `setsockopt(sockfd, level, optname, optval, optlen)`: a number, or the text or bytes of an option that takes a name or a struct. getsockopt(2)
 * @throws {SyscallError} EPERM for SO_SNDBUFFORCE, SO_MARK and their like without CAP_NET_ADMIN.
 */
export const setsockopt = /* @__PURE__ */ define(
  "setsockopt",
  "none",
  (target: FdArg, level: number, option: number, value: number | string | Uint8Array) => [
    fd(target),
    one("SOL", level),
    optionArg(level, option),
    ...(typeof value === "number" ? ([{ words: [value] }, 4] as const) : ([data(value), lengthOf(value)] as const)),
  ],
);
/** `getsockopt(sockfd, SOL_SOCKET, SO_PEERCRED, optval, optlen)`: who connected, or listened: pid, uid and gid as the caller's namespaces count. unix(7) */
export const soPeercred = /* @__PURE__ */ define("getsockopt", "ucred", (target: FdArg, credentials: Out = "ucred") => [
  fd(target),
  one("SOL", SOL.SOCKET),
  one("SO", SO.PEERCRED),
  out(credentials, "ucred"),
  { words: [12] },
]);
/**
 * `getsockopt(sockfd, SOL_SOCKET, SO_PEERPIDFD, optval, optlen)`: a pidfd of who connected, or listened, which no other process can
 * come to be. unix(7), Linux 6.5
 * @throws {SyscallError} ENODATA when the socket has no peer; ESRCH when it has ended (before Linux 6.16).
 */
export const soPeerpidfd = /* @__PURE__ */ define("getsockopt", "writtenFd", (target: FdArg, pidfd: Out = 4) => [
  fd(target),
  one("SOL", SOL.SOCKET),
  one("SO", SO.PEERPIDFD),
  out(pidfd, 4),
  { words: [4] },
]);

// Messages

/**
 * `sendto(sockfd, buf, size, flags, dest_addr, addrlen)`: returns how many bytes were taken; to the other end without an address. send(2)
 * @throws {SyscallError} EPIPE, and SIGPIPE without MSG_NOSIGNAL, when the other end is closed.
 */
export const sendto = /* @__PURE__ */ define(
  "sendto",
  "number",
  (target: FdArg, bytes: string | Uint8Array, flags: number, address: Address | null = null) => [
    fd(target),
    data(bytes),
    lengthOf(bytes),
    bits("MSG", flags),
    ...(address === null ? ([null, 0] as const) : addressArgs(address)),
  ],
);
/**
 * `recvfrom(sockfd, buf, size, flags, src_addr, addrlen)`: into a buffer; returns how many bytes, 0 at the end. recv(2)
 * @param source 128 bytes for the address that it came from, for `parseAddress`.
 * @throws {SyscallError} EAGAIN when there is nothing and the socket, or MSG_DONTWAIT, does not wait.
 */
export const recvfrom = /* @__PURE__ */ define(
  "recvfrom",
  "number",
  (from: FdArg, buffer: Out, flags: number, source: Uint8Array | null = null) => [
    fd(from),
    out(buffer),
    room(buffer),
    bits("MSG", flags),
    ...spaceFor(source),
  ],
);
/**
 * `sendmsg(sockfd, msg, flags)`: bytes, at least one, and descriptors (SCM_RIGHTS) to the other end of a unix socket, which gets
 * descriptors of its own of the same files; returns how many bytes were taken. sendmsg(2), unix(7)
 * @throws {SyscallError} EBADF when one of the descriptors is not open; ETOOMANYREFS when too many are on their way.
 */
export const sendmsg = /* @__PURE__ */ define(
  "sendmsg",
  "number",
  (target: FdArg, bytes: string | Uint8Array, fds: readonly FdArg[], flags: number) => [
    fd(target),
    {
      struct: "msghdr",
      fields: {
        msg_name: null,
        msg_namelen: 0,
        msg_iov: { structs: "iovec", list: [{ iov_base: data(bytes), iov_len: lengthOf(bytes) }] },
        msg_iovlen: 1,
        ...controlOf(fds),
        msg_flags: 0,
      },
    },
    bits("MSG", flags),
  ],
);

function controlOf(fds: readonly FdArg[]): Readonly<Record<string, Arg>> {
  if (!Array.isArray(fds)) return { msg_control: refused(fds, "a list of descriptors") };
  if (fds.length === 0) return { msg_controllen: 0 };
  return { msg_control: { structs: "cmsg_rights", list: fds.map(rights) }, msg_controllen: 24 * fds.length };
}

// One message for each: the kernel adds them up, and a list has room for none that is longer than another.
const rights = (passed: FdArg): Readonly<Record<string, Arg>> => ({
  cmsg_len: 20,
  cmsg_level: one("SOL", SOL.SOCKET),
  cmsg_type: one("SCM", SCM.RIGHTS),
  cmsg_data: fd(passed),
});

/**
 * `recvmsg(sockfd, msg, flags)`: bytes into a buffer, and control messages into another; returns how many bytes, 0 at the end. recvmsg(2), unix(7)
 * @param control All zeros, `rightsSpace(n)` bytes for n descriptors, for `parseRights`; null to have none.
 * @param flags With MSG_CMSG_CLOEXEC the descriptors stay out of children.
 */
export const recvmsg = /* @__PURE__ */ define(
  "recvmsg",
  "number",
  (from: FdArg, buffer: Uint8Array, control: Uint8Array | null, flags: number) => [
    fd(from),
    {
      struct: "msghdr",
      fields: {
        msg_name: null,
        msg_namelen: 0,
        msg_iov: { structs: "iovec", list: [{ iov_base: out(buffer), iov_len: room(buffer) }] },
        msg_iovlen: 1,
        ...(control === null ? {} : { msg_control: out(control) }),
        msg_controllen: control === null ? 0 : room(control),
        msg_flags: 0,
      },
      out: true,
    },
    bits("MSG", flags),
  ],
);

// Interfaces, through any socket of their network namespace

/** `ioctl(fd, SIOCGIFNAME, ifr)`: in `ifr_name` the name of the interface with this index. netdevice(7) */
export const siocgifname = /* @__PURE__ */ define("ioctl", "ifreq_ifindex", (through: FdArg, index: number) => [
  fd(through),
  one("IOCTL", IOCTL.SIOCGIFNAME),
  { struct: "ifreq_ifindex", fields: { ifr_ifindex: int(index) }, out: true },
]);
/**
 * `ioctl(fd, SIOCGIFINDEX, ifr)`: in `ifr_ifindex` the index of an interface. netdevice(7)
 * @throws {SyscallError} ENODEV when there is none of that name.
 */
export const siocgifindex = /* @__PURE__ */ define("ioctl", "ifreq_ifindex", (through: FdArg, name: string) => [
  fd(through),
  one("IOCTL", IOCTL.SIOCGIFINDEX),
  { struct: "ifreq_ifindex", fields: { ifr_name: text(name) }, out: true },
]);
/** `ioctl(fd, SIOCGIFFLAGS, ifr)`: in `ifr_flags` IFF_UP and the like. netdevice(7) */
export const siocgifflags = /* @__PURE__ */ define("ioctl", "ifreq", (through: FdArg, name: string) => [
  fd(through),
  one("IOCTL", IOCTL.SIOCGIFFLAGS),
  { struct: "ifreq", fields: { ifr_name: text(name) }, out: true },
]);
/**
 * `ioctl(fd, SIOCSIFFLAGS, ifr)`: IFF_UP brings an interface up, 0 down. netdevice(7)
 * @throws {SyscallError} EPERM without CAP_NET_ADMIN in the user namespace that owns the network namespace.
 */
export const siocsifflags = /* @__PURE__ */ define("ioctl", "none", (through: FdArg, name: string, flags: number) => [
  fd(through),
  one("IOCTL", IOCTL.SIOCSIFFLAGS),
  { struct: "ifreq", fields: { ifr_name: text(name), ifr_flags: bits("IFF", flags) } },
]);
/** `ioctl(fd, SIOCGIFMTU, ifr)`: in `ifr_mtu` the most bytes of a packet. netdevice(7) */
export const siocgifmtu = /* @__PURE__ */ define("ioctl", "ifreq_mtu", (through: FdArg, name: string) => [
  fd(through),
  one("IOCTL", IOCTL.SIOCGIFMTU),
  { struct: "ifreq_mtu", fields: { ifr_name: text(name) }, out: true },
]);
/** `ioctl(fd, SIOCSIFMTU, ifr)`: the most bytes of a packet. netdevice(7) */
export const siocsifmtu = /* @__PURE__ */ define("ioctl", "none", (through: FdArg, name: string, bytes: number) => [
  fd(through),
  one("IOCTL", IOCTL.SIOCSIFMTU),
  { struct: "ifreq_mtu", fields: { ifr_name: text(name), ifr_mtu: int(bytes) } },
]);
/** `ioctl(fd, SIOCGIFHWADDR, ifr)`: in the first six bytes of `ifr_hwaddr.sa_data` the hardware address. netdevice(7) */
export const siocgifhwaddr = /* @__PURE__ */ define("ioctl", "ifreq_hwaddr", (through: FdArg, name: string) => [
  fd(through),
  one("IOCTL", IOCTL.SIOCGIFHWADDR),
  { struct: "ifreq_hwaddr", fields: { ifr_name: text(name) }, out: true },
]);
/**
 * `ioctl(fd, SIOCSIFNAME, ifr)`: another name for an interface. netdevice(7)
 * @throws {SyscallError} EEXIST when there is one of that name; EBUSY when it is up (before Linux 6.3, and some still).
 */
export const siocsifname = /* @__PURE__ */ define("ioctl", "none", (through: FdArg, name: string, newName: string) => [
  fd(through),
  one("IOCTL", IOCTL.SIOCSIFNAME),
  { struct: "ifreq_newname", fields: { ifr_name: text(name), ifr_newname: text(newName) } },
]);

/** An ifreq with an IPv4 address in one of its members. */
const withAddress = (member: "addr" | "netmask", name: string, ipv4: string): Arg => {
  const [sockaddr] = addressArgs({ ipv4, port: 0 });
  if (typeof sockaddr !== "object" || sockaddr === null || !("struct" in sockaddr)) return sockaddr;
  const members = Object.entries(sockaddr.fields).map(([key, value]) => [`ifr_${member}.${key}`, value] as const);
  return { struct: `ifreq_${member}`, fields: { ifr_name: text(name), ...Object.fromEntries(members) } };
};

/**
 * `ioctl(fd, SIOCGIFADDR, ifr)`: in the four bytes of `ifr_addr.sin_addr` the IPv4 address of an interface; through a socket of AF_INET. netdevice(7)
 * @throws {SyscallError} EADDRNOTAVAIL when it has none.
 */
export const siocgifaddr = /* @__PURE__ */ define("ioctl", "ifreq_addr", (through: FdArg, name: string) => [
  fd(through),
  one("IOCTL", IOCTL.SIOCGIFADDR),
  { struct: "ifreq_addr", fields: { ifr_name: text(name) }, out: true },
]);
/** `ioctl(fd, SIOCSIFADDR, ifr)`: the IPv4 address of an interface, with the net mask of its class until SIOCSIFNETMASK; through a socket of AF_INET. netdevice(7) */
export const siocsifaddr = /* @__PURE__ */ define("ioctl", "none", (through: FdArg, name: string, ipv4: string) => [
  fd(through),
  one("IOCTL", IOCTL.SIOCSIFADDR),
  withAddress("addr", name, ipv4),
]);
/** `ioctl(fd, SIOCGIFNETMASK, ifr)`: as SIOCGIFADDR, in `ifr_netmask.sin_addr` the net mask. netdevice(7) */
export const siocgifnetmask = /* @__PURE__ */ define("ioctl", "ifreq_netmask", (through: FdArg, name: string) => [
  fd(through),
  one("IOCTL", IOCTL.SIOCGIFNETMASK),
  { struct: "ifreq_netmask", fields: { ifr_name: text(name) }, out: true },
]);
/** `ioctl(fd, SIOCSIFNETMASK, ifr)`: as SIOCSIFADDR, the net mask: "255.255.255.0". netdevice(7) */
export const siocsifnetmask = /* @__PURE__ */ define("ioctl", "none", (through: FdArg, name: string, mask: string) => [
  fd(through),
  one("IOCTL", IOCTL.SIOCSIFNETMASK),
  withAddress("netmask", name, mask),
]);
/**
 * `ioctl(fd, SIOCBRADDBR, name)`: makes a bridge. netdevice(7)
 * @throws {SyscallError} EPERM without CAP_NET_ADMIN; EEXIST when there is an interface of that name; ENOPKG without bridges in the kernel.
 */
export const siocbraddbr = /* @__PURE__ */ define("ioctl", "none", (through: FdArg, name: string) => [
  fd(through),
  one("IOCTL", IOCTL.SIOCBRADDBR),
  text(name),
]);
/** `ioctl(fd, SIOCBRDELBR, name)`: removes a bridge, which has to be down. netdevice(7) */
export const siocbrdelbr = /* @__PURE__ */ define("ioctl", "none", (through: FdArg, name: string) => [
  fd(through),
  one("IOCTL", IOCTL.SIOCBRDELBR),
  text(name),
]);
/** `ioctl(fd, SIOCBRADDIF, ifr)`: plugs the interface with this index into a bridge. netdevice(7) */
export const siocbraddif = /* @__PURE__ */ define("ioctl", "none", (through: FdArg, bridge: string, index: number) => [
  fd(through),
  one("IOCTL", IOCTL.SIOCBRADDIF),
  { struct: "ifreq_ifindex", fields: { ifr_name: text(bridge), ifr_ifindex: int(index) } },
]);
/** `ioctl(fd, SIOCBRDELIF, ifr)`: unplugs it. netdevice(7) */
export const siocbrdelif = /* @__PURE__ */ define("ioctl", "none", (through: FdArg, bridge: string, index: number) => [
  fd(through),
  one("IOCTL", IOCTL.SIOCBRDELIF),
  { struct: "ifreq_ifindex", fields: { ifr_name: text(bridge), ifr_ifindex: int(index) } },
]);
/**
 * `ioctl(fd, TUNSETIFF, ifr)`: a network interface whose packets are read from and written to this descriptor of /dev/net/tun; in
 * `ifr_name` the name that it got, for one with `%d`. netdevice(7)
 * @param flags IFF_TAP (Ethernet) or IFF_TUN (IP), and IFF_NO_PI.
 * @throws {SyscallError} EPERM without CAP_NET_ADMIN in the user namespace that owns the network namespace.
 */
export const tunsetiff = /* @__PURE__ */ define("ioctl", "ifreq", (tun: FdArg, name: string, flags: number) => [
  fd(tun),
  one("IOCTL", IOCTL.TUNSETIFF),
  { struct: "ifreq", fields: { ifr_name: text(name), ifr_flags: bits("TUN", flags) }, out: true },
]);
