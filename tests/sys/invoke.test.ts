/** Calls that run now: no memory but what was given is written to, no word but what was meant is passed. */
import { expect, test } from "bun:test";
import * as calls from "../../src/sys/calls.ts";
import { OptionsError } from "../../src/sys/options-error.ts";
import { AT_FDCWD, MFD, O, PR, SEEK, SIG, STATX } from "../../src/sys/flags.ts";
import { run } from "../../src/sys/invoke.ts";
import type { Primitive } from "../../src/sys/primitive.ts";
import { parseRights } from "../../src/sys/rights.ts";
import { SyscallError } from "../../src/sys/error.ts";
import { call, sys } from "../../src/sys/vocabulary.ts";

/** Calls that write without being told how much room there is, with a buffer that is one byte too small. */
const tight: Readonly<Record<string, (room: (bytes: number) => Uint8Array) => unknown>> = {
  capget: (room) => sys.capget(0, room(23)),
  clockGetres: (room) => sys.clockGetres(0, room(15)),
  clockGettime: (room) => sys.clockGettime(0, room(15)),
  clockNanosleep: (room) => sys.clockNanosleep(0, 0, { tv_sec: 0, tv_nsec: 0 }, room(15)),
  fsIocGetflags: (room) => sys.fsIocGetflags(0, room(3)),
  fstatfs: (room) => sys.fstatfs(0, room(119)),
  getChildSubreaper: (room) => sys.getChildSubreaper(room(3)),
  getName: (room) => sys.getName(room(15)),
  getPdeathsig: (room) => sys.getPdeathsig(room(3)),
  getresgid: (room) => sys.getresgid(4, 4, room(3)),
  getresuid: (room) => sys.getresuid(4, room(3)),
  getrusage: (room) => sys.getrusage(0, room(143)),
  nameToHandleAt: (room) => sys.nameToHandleAt(AT_FDCWD, "/", 0, room(3)),
  nsGetId: (room) => sys.nsGetId(0, room(7)),
  nsGetMntnsId: (room) => sys.nsGetMntnsId(0, room(7)),
  nsGetOwnerUid: (room) => sys.nsGetOwnerUid(0, room(3)),
  nsMntGetInfo: (room) => sys.nsMntGetInfo(0, room(15)),
  nsMntGetNext: (room) => sys.nsMntGetNext(0, room(15)),
  nsMntGetPrev: (room) => sys.nsMntGetPrev(0, room(15)),
  pipe2: (room) => sys.pipe2(O.CLOEXEC, room(7)),
  prlimit64Get: (room) => sys.prlimit64Get(0, 0, room(15)),
  rtSigactionGet: (room) => sys.rtSigactionGet(SIG.TERM, room(31)),
  rtSigprocmaskGet: (room) => sys.rtSigprocmaskGet(room(7)),
  rtSigtimedwait: (room) => sys.rtSigtimedwait([], { tv_sec: 0, tv_nsec: 0 }, room(127)),
  seccompGetNotifSizes: (room) => sys.seccompGetNotifSizes(room(5)),
  seccompNotifRecv: (room) => sys.seccompNotifRecv(0, room(79)),
  socketpair: (room) => sys.socketpair(1, 1, 0, room(7)),
  soPeercred: (room) => sys.soPeercred(0, room(11)),
  soPeerpidfd: (room) => sys.soPeerpidfd(0, room(3)),
  statfs: (room) => sys.statfs("/", room(119)),
  statx: (room) => sys.statx(AT_FDCWD, "/", 0, STATX.BASIC_STATS, room(255)),
  sysinfo: (room) => sys.sysinfo(room(111)),
  tcgets: (room) => sys.tcgets(0, room(35)),
  timerfdGettime: (room) => sys.timerfdGettime(0, room(31)),
  timerfdSettime: (room) => sys.timerfdSettime(0, 0, { tv_sec: 0, tv_nsec: 0 }, undefined, room(31)),
  tiocgptn: (room) => sys.tiocgptn(0, room(3)),
  tiocgwinsz: (room) => sys.tiocgwinsz(0, room(7)),
  uname: (room) => sys.uname(room(389)),
  wait4: (room) => sys.wait4(-1, room(3), 1),
  waitid: (room) => sys.waitid(0, 0, 5, room(127)),
  "waitid, usage": (room) => sys.waitid(0, 0, 5, undefined, room(143)),
};

for (const [name, make] of Object.entries(tight))
  test(`${name} refuses a buffer that is too small, and nothing is written`, () => {
    const memory = new Uint8Array(1024);
    expect(() => make((bytes) => memory.subarray(0, bytes))).toThrow(OptionsError);
    expect(memory.every((byte) => byte === 0)).toBe(true);
  });

test("every call with a result that the kernel writes without a size is in the table", () => {
  // A size is an argument of the call, or stands in a word or a struct beside the address.
  const sized =
    /^(accept4|bpf.*|fgetxattr|flistxattr|getdents64|getgroups|getpeername|getsockname|getsockopt|getxattr.*|keyctl.*|lgetxattr|listmount|listns|listxattr.*|llistxattr|pread64|read|readlinkat|recvfrom|recvmsg|schedGetaffinity|schedGetattr|statmount|clone3)$/;
  const names = Object.entries(calls as Record<string, unknown>).flatMap(([name, one]) =>
    typeof one === "function" && /\b(out|outOrNull)\(/.test(String((one as Primitive<never, "none">).build))
      ? [name]
      : [],
  );
  expect(names.filter((name) => !sized.test(name) && tight[name] === undefined)).toEqual([]);
});

test("a room of almost 2 GiB is a block of its own, not the memory behind ours", () => {
  using file = sys.memfdCreate("large", MFD.CLOEXEC);
  sys.ftruncate(file, 1 << 20);
  sys.write(file, new Uint8Array(1 << 20).fill(0x41));
  sys.lseek(file, 0, SEEK.SET);
  expect(sys.read(file, 0x7fffffff)).toBe(1 << 20);
  const after = Array.from({ length: 1000 }, () => new Uint8Array(1000));
  expect(after.some((bytes) => bytes.includes(0x41))).toBe(false);
});

test("arguments that fill the memory to its last byte leave a place for an empty one", () => {
  for (let size = 32_700; size < 32_800; size++)
    expect(() => sys.setxattr(`/${"x".repeat(size)}`, "user.x", "")).toThrow(SyscallError);
});

test("a getter that makes a call of its own does not change the words of the one that it is an argument of", () => {
  const program = new Proxy(["program"], {
    get(list, key) {
      if (key === "0") sys.getpgid(0);
      return Reflect.get(list, key);
    },
  });
  expect(() => sys.execveat(AT_FDCWD, "/nonexistent/program", program, [], 0)).toThrow(TypeError);
});

test("an Fd that close gets by run() is closed, and so is not closed again", () => {
  const fd = sys.openat(AT_FDCWD, "/", O.PATH | O.CLOEXEC);
  run(calls.close, fd);
  expect(fd.closed).toBe(true);
  const { number } = { number: sys.openat(AT_FDCWD, "/", O.PATH | O.CLOEXEC).release() };
  sys.close({ number });
  expect(() => sys.close(number)).toThrow("EBADF");
});

test("fsconfig of what is no fs context is an error, and reads nothing from it", () => {
  const [read, write] = sys.pipe2(O.CLOEXEC);
  using _ = read;
  using __ = write;
  sys.write(write, "mine");
  expect(() => sys.fsconfigFlag(read, "ro")).toThrow("EINVAL");
  expect(sys.read(read, new Uint8Array(10))).toBe(4);
});

test("an error shows 32 bytes of the data that was to be written", () => {
  const data = new Uint8Array(1 << 20).fill(0x41);
  for (const bytes of [data, "A".repeat(1 << 20)])
    expect(() => sys.write(0x7ffffff0, bytes)).toThrow(`write(2147483632, "${"A".repeat(32)}"..., 1048576): EBADF`);
});

for (const [what, make] of Object.entries({
  "a time for access and none for modification": () => call.utimensat(0, null, [{ tv_sec: 1, tv_nsec: 2 }] as never),
  "a hole between arguments of prctl": () => call.prctl(PR.SET_NAME, undefined as never, 5),
  "the address of a handler": () => call.rtSigaction(SIG.USR1, 12345 as never),
  "capabilities beyond 63": () => call.capset(0, { effective: 1n << 64n, permitted: 0n, inheritable: 0n }),
  "a namespace's id below 0": () => call.openByHandleAt(0, { ns_id: -1n }, 0),
  "a namespace's kind that is a fraction": () => call.openByHandleAt(0, { ns_id: 1n, ns_type: 1.5 }, 0),
  "a flow that is a fraction": () => call.bind(0, { ipv6: "::1", port: 1, flow: 1.5 }),
  "an IPv4 address with octal zeros": () => call.bind(0, { ipv4: "010.0.0.1", port: 1 }),
  "an IPv4 address that begins an IPv6 one": () => call.bind(0, { ipv6: "1.2.3.4::", port: 1 }),
}))
  test(`${what} is refused`, () => {
    expect(make).toThrow(OptionsError);
  });

test("parseRights() ends, whatever length a message has", () => {
  for (const length of [0x80000000, 0xfffffff9, 0xffffffff]) {
    const control = new Uint8Array(64);
    new DataView(control.buffer).setUint32(0, length, true);
    expect(parseRights(control)).toEqual([]);
  }
});
