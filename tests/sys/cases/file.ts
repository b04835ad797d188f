/** Descriptors and files, for real. Failing calls follow the kernel's own selftests (openat2, close_range, fchmodat2, memfd) and the manual. */
import {
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { major, makedev, minor } from "../../../src/sys/device.ts";
import { SyscallError } from "../../../src/sys/error.ts";
import type { Fd } from "../../../src/sys/fd.ts";
import {
  ACCESS,
  AT,
  AT_ACCESS,
  AT_FDCWD,
  CC,
  CLOSE_RANGE,
  EFD,
  F_LOCK,
  F_SEAL,
  FALLOC,
  FD,
  FS,
  IN,
  IN_INIT,
  IOCTL,
  LFLAG,
  LOCK,
  MFD,
  O,
  POLL,
  RENAME,
  RESOLVE,
  S,
  SEEK,
  UTIME,
  XATTR,
} from "../../../src/sys/flags.ts";
import { parseInotifyEvents } from "../../../src/sys/inotify.ts";
import { invoke } from "../../../src/sys/invoke.ts";
import { sys } from "../../../src/sys/vocabulary.ts";
import { type Feature, isSince, parseVersion, since } from "../../../src/sys/since.ts";
import type { Case, Family, Traced } from "./case.ts";

const kernel = parseVersion(readFileSync("/proc/sys/kernel/osrelease", "utf8"));
const has = (feature: Feature): boolean => isSince(kernel, since[feature]);
const isRoot = process.getuid?.() === 0;

/** A new file with that text, open. */
function file(traced: Traced, text = "", flags: number = O.RDWR): Fd {
  const path = join(traced.dir(), "file");
  writeFileSync(path, text);
  return sys.openat(AT_FDCWD, path, flags | O.CLOEXEC);
}

/** The errno of a call that strace shows otherwise than we do. */
function codeOf(call: () => unknown): string | undefined {
  try {
    call();
  } catch (error) {
    if (error instanceof SyscallError) return error.code;
    throw error;
  }
  return undefined;
}

/** `flags` of /proc/self/fdinfo/N: access mode, status flags and O_CLOEXEC. proc_pid_fdinfo(5) */
const flagsOf = ({ number }: Fd): number =>
  Number.parseInt(/flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${number}`, "latin1"))?.[1] ?? "", 8);
const targetOf = (number: number): string => readlinkSync(`/proc/self/fd/${number}`);
const contentOf = ({ number }: Fd): string => readFileSync(`/proc/self/fd/${number}`, "utf8");
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const says = (error: SyscallError | undefined, hint: string): boolean => error?.hint?.includes(hint) ?? false;
const free = 1000;

const opening: Case[] = [
  {
    name: "openat opens, makes files with a mode, and without a name",
    run(traced) {
      const dir = traced.dir();
      process.umask(0o22);
      using made = traced.call("openat", AT_FDCWD, join(dir, "a"), O.RDWR | O.CREAT | O.EXCL | O.CLOEXEC, 0o640);
      traced.expect("it has the mode", statSync(join(dir, "a")).mode === 0o100640);
      traced.expect("it is closed on exec", (flagsOf(made) & O.CLOEXEC) !== 0);
      using unnamed = traced.call("openat", AT_FDCWD, dir, O.WRONLY | O.TMPFILE | O.CLOEXEC, 0o600);
      const stat = fstatSync(unnamed.number);
      traced.expect("nothing names it, and it has the mode", stat.nlink === 0 && stat.mode === 0o100600);
      traced.expect("the directory has one entry", readdirSync(dir).length === 1);
      using place = traced.call("openat", AT_FDCWD, dir, O.PATH | O.DIRECTORY | O.CLOEXEC);
      using again = traced.call("openat", place, "a", O.RDONLY | O.CLOEXEC);
      traced.expect("both are the file", fstatSync(again.number).ino === fstatSync(made.number).ino);
    },
  },
  {
    name: "openat says why it does not open",
    run(traced) {
      const dir = traced.dir();
      writeFileSync(join(dir, "a"), "");
      symlinkSync("a", join(dir, "link"));
      using place = traced.call("openat", AT_FDCWD, dir, O.PATH | O.CLOEXEC);
      const error = traced.fails("ENOENT", "openat", place, "none", O.RDONLY);
      traced.expect("the error names the path", error?.path === "none" && error.code === "ENOENT");
      traced.fails("EEXIST", "openat", place, "a", O.WRONLY | O.CREAT | O.EXCL, 0o600);
      traced.fails("ENOTDIR", "openat", place, "a", O.RDONLY | O.DIRECTORY);
      traced.fails("EISDIR", "openat", AT_FDCWD, dir, O.RDWR);
      traced.fails("EBADF", "openat", free, "a", O.RDONLY);
      const loop = traced.fails("ELOOP", "openat", place, "link", O.RDONLY | O.NOFOLLOW);
      traced.expect("a hint names O_NOFOLLOW", says(loop, "O_NOFOLLOW"));
    },
  },
  {
    name: "openat refuses a user what is root's",
    as: "user",
    run(traced) {
      traced.fails("EACCES", "openat", AT_FDCWD, "/etc/shadow", O.RDONLY);
      traced.expect(
        "and a hint says who may",
        says(traced.fails("EPERM", "openat", AT_FDCWD, "/etc/passwd", O.RDONLY | O.NOATIME), "CAP_FOWNER"),
      );
    },
  },
  {
    name: "openat2 resolves under rules",
    run(traced) {
      const dir = traced.dir();
      mkdirSync(join(dir, "root/etc"), { recursive: true });
      writeFileSync(join(dir, "root/etc/passwd"), "inside");
      symlinkSync("/etc/passwd", join(dir, "root/absolute"));
      symlinkSync("etc/passwd", join(dir, "root/relative"));
      symlinkSync("../../outside", join(dir, "root/out"));
      using root = sys.openat(AT_FDCWD, join(dir, "root"), O.PATH | O.DIRECTORY | O.CLOEXEC);
      const flags = O.RDONLY | O.CLOEXEC;
      using inside = traced.call("openat2", root, "absolute", flags, RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS);
      traced.expect("an absolute link ends inside", contentOf(inside) === "inside");
      using below = traced.call("openat2", root, "../../etc/passwd", flags, RESOLVE.IN_ROOT);
      traced.expect("above the root is the root", contentOf(below) === "inside");
      using beneath = traced.call("openat2", root, "relative", flags, RESOLVE.BENEATH);
      traced.expect("a link that stays inside is followed", contentOf(beneath) === "inside");
      using plain = traced.callOr(
        "EAGAIN",
        "openat2",
        root,
        "etc/passwd",
        flags,
        RESOLVE.NO_SYMLINKS | RESOLVE.NO_XDEV | RESOLVE.CACHED,
      );
      traced.expect("a plain path passes all rules", plain === undefined || contentOf(plain) === "inside");
      using made = traced.call("openat2", root, "made", O.WRONLY | O.CREAT | O.CLOEXEC, RESOLVE.BENEATH, 0o600);
      traced.expect("it has the mode", fstatSync(made.number).mode === 0o100600);
      using unnamed = traced.call("openat2", root, ".", O.RDWR | O.TMPFILE | O.CLOEXEC, 0, 0o600);
      traced.expect("nothing names it", fstatSync(unnamed.number).nlink === 0);
      using zero = traced.call("openat2", root, "relative", flags, 0);
      traced.expect("without rules it is openat", contentOf(zero) === "inside");
    },
  },
  {
    name: "openat2 refuses what its rules forbid",
    run(traced) {
      const dir = traced.dir();
      mkdirSync(join(dir, "root"));
      writeFileSync(join(dir, "root/a"), "");
      symlinkSync("a", join(dir, "root/link"));
      symlinkSync("/etc", join(dir, "root/absolute"));
      symlinkSync("../..", join(dir, "root/out"));
      using root = sys.openat(AT_FDCWD, join(dir, "root"), O.PATH | O.DIRECTORY | O.CLOEXEC);
      const fails = (errno: "EXDEV" | "ELOOP", path: string, resolve: number) =>
        traced.fails(errno, "openat2", root, path, O.PATH | O.CLOEXEC, resolve);
      for (const path of ["/etc/passwd", "..", "absolute", "out", "out/x"])
        traced.expect("a hint says that it leads out", says(fails("EXDEV", path, RESOLVE.BENEATH), "leads out"));
      traced.expect("a hint names the rule", says(fails("EXDEV", "/proc", RESOLVE.NO_XDEV), "RESOLVE_NO_XDEV"));
      fails("EXDEV", "/proc/self/status", RESOLVE.NO_XDEV);
      traced.expect("a hint names the rule", says(fails("ELOOP", "link", RESOLVE.NO_SYMLINKS), "RESOLVE_NO_SYMLINKS"));
      fails("ELOOP", "absolute/passwd", RESOLVE.NO_SYMLINKS);
      fails("ELOOP", "/proc/self/exe", RESOLVE.NO_SYMLINKS);
      const magic = fails("ELOOP", "/proc/self/exe", RESOLVE.NO_MAGICLINKS);
      traced.expect("a hint names the rule", says(magic, "RESOLVE_NO_MAGICLINKS"));
      fails("ELOOP", "/proc/self/cwd/x", RESOLVE.NO_MAGICLINKS);
    },
  },
  {
    name: "openat2 refuses what it does not know",
    run(traced) {
      const dir = traced.dir();
      using root = sys.openat(AT_FDCWD, dir, O.PATH | O.DIRECTORY | O.CLOEXEC);
      const how = (flags: number, resolve: number, mode?: number) =>
        traced.fails("EINVAL", "openat2", root, "a", flags, resolve, mode);
      traced.expect("a hint says what is refused", says(how(O.RDONLY, 0x40), "flags that it does not know"));
      how(O.RDONLY, RESOLVE.BENEATH | RESOLVE.IN_ROOT);
      how(O.RDONLY + 2 ** 40, 0);
      how(O.RDONLY, 0, 0o600);
      how(O.RDWR | O.CREAT, 0, 0o10000);
      how(O.PATH | O.RDWR, 0);
      how(O.PATH | O.CREAT, 0, 0o600);
      how(O.RDONLY | O.TMPFILE, 0, 0o600);
      const created = traced.fails("EAGAIN", "openat2", root, "a", O.WRONLY | O.CREAT, RESOLVE.CACHED, 0o600);
      traced.expect("a hint says how to go on", says(created, "without RESOLVE_CACHED"));
      // A later kernel's struct: a field behind those that this one knows is set, or it is not whole.
      const bytes = new Uint8Array(32);
      const args = [{ fd: root.number }, "a", bytes] as const;
      const asked = (size: number) => codeOf(() => invoke({ name: "openat2", args: [...args, size] }));
      traced.expect("zeros behind the struct ask for nothing", asked(32) === "ENOENT");
      traced.expect("a part of it is too little", asked(23) === "EINVAL");
      bytes[24] = 1;
      traced.expect("what this kernel does not know is too much", asked(32) === "E2BIG" && asked(1 << 20) === "E2BIG");
    },
  },
  {
    name: "close closes, once",
    run(traced) {
      const opened = sys.openat(AT_FDCWD, "/", O.PATH | O.CLOEXEC);
      const { number } = opened;
      traced.call("close", opened);
      traced.expect("the Fd knows", opened.closed);
      traced.expect("the number is free", !existsSync(`/proc/self/fd/${number}`));
      traced.fails("EBADF", "close", free);
      traced.fails("EBADF", "close", -1);
    },
  },
  {
    name: "close_range closes a range, or marks it",
    alone: true,
    run(traced) {
      for (let i = free; i < free + 4; i++) sys.dup3(sys.openat(AT_FDCWD, "/", O.PATH).release(), i, 0);
      const open = () => [0, 1, 2, 3].filter((i) => existsSync(`/proc/self/fd/${free + i}`)).join("");
      traced.call("closeRange", free + 1, free + 2, 0);
      traced.expect("the two are closed", open() === "03");
      traced.call("closeRange", free, 0xffffffff, CLOSE_RANGE.CLOEXEC);
      traced.expect("the rest is open and marked", open() === "03" && sys.getFd(free) === FD.CLOEXEC);
      traced.call("closeRange", free + 1, free + 2, 0);
      traced.call("closeRange", free, free, CLOSE_RANGE.UNSHARE);
      traced.call("closeRange", free, 0xffffffff, 0);
      traced.expect("all are closed", open() === "" || !existsSync(`/proc/thread-self/fd/${free}`));
    },
  },
  {
    name: "close_range refuses ranges and flags that make no sense",
    run(traced) {
      traced.expect("a hint says why", says(traced.fails("EINVAL", "closeRange", free + 1, free, 0), "above the last"));
      traced.fails("EINVAL", "closeRange", free, free, 0x10);
      traced.fails("EINVAL", "closeRange", free, free, 0x1);
    },
  },
  {
    name: "descriptors are doubled",
    run(traced) {
      using one = file(traced, "a");
      traced.expect("dup3 returns the number", traced.call("dup3", one, free, O.CLOEXEC) === free);
      traced.expect("which is the file", targetOf(free) === targetOf(one.number));
      traced.call("dup3", one, free, 0);
      traced.expect("now it stays at exec", sys.getFd(free) === 0);
      using two = traced.call("dupfdCloexec", one);
      using three = traced.call("dupfdCloexec", one, free);
      traced.expect(
        "the first free one from there on",
        three.number === free + 1 && targetOf(two.number) === targetOf(free),
      );
      if (has("F_DUPFD_QUERY")) {
        using other = sys.openat(AT_FDCWD, targetOf(one.number), O.RDONLY | O.CLOEXEC);
        traced.expect("they are of one open file", traced.call("dupfdQuery", one, two) === 1);
        traced.expect("another opening is another", traced.call("dupfdQuery", one, other) === 0);
        traced.fails("EBADF", "dupfdQuery", one, free + 500);
      } else traced.fails("EINVAL", "dupfdQuery", one, two);
      traced.call("close", free);
      traced.fails("EINVAL", "dup3", one, one, 0);
      traced.fails("EINVAL", "dup3", one, free, O.NONBLOCK);
      traced.fails("EBADF", "dup3", free, free + 1, 0);
      traced.fails("EBADF", "dupfdCloexec", free);
      traced.fails("EINVAL", "dupfdCloexec", one, 0x7fffffff);
    },
  },
  {
    name: "flags of descriptors and of open files are read and set",
    run(traced) {
      using one = file(traced, "", O.RDWR);
      traced.expect("it is marked", traced.call("getFd", one) === FD.CLOEXEC);
      traced.call("setFd", one, 0);
      traced.expect("the mark is gone", traced.call("getFd", one) === 0 && (flagsOf(one) & O.CLOEXEC) === 0);
      traced.call("setFd", one, FD.CLOEXEC);
      traced.expect("and back", (flagsOf(one) & O.CLOEXEC) !== 0);
      traced.call("setFl", one, O.APPEND | O.NONBLOCK);
      const flags = traced.call("getFl", one);
      traced.expect("those are set", (flags & (O.APPEND | O.NONBLOCK)) === (O.APPEND | O.NONBLOCK));
      traced.expect("fdinfo says so", (flags | O.CLOEXEC) === flagsOf(one));
      traced.call("setFl", one, 0);
      traced.expect("the access mode stays", (traced.call("getFl", one) & 3) === O.RDWR);
      traced.fails("EBADF", "getFd", free);
      traced.fails("EBADF", "setFd", free, FD.CLOEXEC);
      traced.fails("EBADF", "getFl", free);
      const [reading, writing] = sys.pipe2(O.CLOEXEC);
      using path = sys.openat(AT_FDCWD, "/", O.PATH | O.CLOEXEC);
      traced.fails("EBADF", "setFl", path, O.NONBLOCK);
      traced.call("setFl", reading, O.NONBLOCK);
      reading.close();
      writing.close();
    },
  },
];

const contents: Case[] = [
  {
    name: "bytes are read and written",
    run(traced) {
      using one = file(traced);
      traced.expect("all are written", traced.call("write", one, "hello world\n") === 12);
      traced.expect("bytes too", traced.call("write", one, new Uint8Array([0, 1, 0x39, 255])) === 4);
      traced.expect(
        "none as well",
        traced.call("write", one, "") === 0 && traced.call("write", one, new Uint8Array(0)) === 0,
      );
      traced.call("pwrite64", one, "HELLO", 0);
      traced.expect("node:fs reads them", latin1(readFileSync(targetOf(one.number))) === "HELLO world\n\0\x019\xff");
      const buffer = new Uint8Array(5);
      traced.expect(
        "pread64 reads from there",
        traced.call("pread64", one, buffer, 11) === 5 && latin1(buffer) === "\n\0\x019\xff",
      );
      traced.expect("at the end there is nothing", traced.call("read", one, buffer) === 0);
      traced.expect("lseek says where", traced.call("lseek", one, 0, SEEK.SET) === 0);
      traced.expect("read moves on", traced.call("read", one, buffer) === 5 && latin1(buffer) === "HELLO");
      traced.expect("to there", traced.call("lseek", one, 0, SEEK.CUR) === 5);
      traced.expect("backwards too", traced.call("lseek", one, -1, SEEK.END) === 15);
      traced.expect(
        "without a buffer of the caller's the bytes are lost, and counted",
        traced.call("read", one, 64) === 1,
      );
      // Printed as letters, where strace prints bytes.
      traced.expect("text is UTF-8", sys.pwrite64(one, "größer", 0) === 8 && contentOf(one).startsWith("größerrld"));
    },
  },
  {
    name: "reading and writing fail where there is nothing to read and write",
    run(traced) {
      using one = file(traced, "text", O.RDONLY);
      const error = traced.fails("EBADF", "write", one, "text");
      traced.expect("the error names the file", error?.path === targetOf(one.number));
      traced.fails("EBADF", "pwrite64", one, new Uint8Array([1]), 0);
      traced.fails("EBADF", "read", free, new Uint8Array(1));
      using dir = sys.openat(AT_FDCWD, "/", O.RDONLY | O.CLOEXEC);
      traced.fails("EISDIR", "read", dir, 16);
      traced.fails("EINVAL", "pread64", one, 16, -1);
      const [reading, writing] = sys.pipe2(O.CLOEXEC | O.NONBLOCK);
      traced.fails("EAGAIN", "read", reading, 16);
      traced.fails("ESPIPE", "pread64", reading, 16, 0);
      traced.fails("ESPIPE", "lseek", reading, 0, SEEK.CUR);
      reading.close();
      traced.fails("EPIPE", "write", writing, "x");
      writing.close();
      traced.fails("EINVAL", "lseek", one, -1, SEEK.SET);
      traced.fails("EINVAL", "lseek", one, 0, 9);
      traced.fails("ENXIO", "lseek", one, 4, SEEK.DATA);
    },
  },
  {
    name: "bytes are copied in the kernel",
    run(traced) {
      using from = file(traced, "0123456789");
      using to = file(traced);
      traced.expect("from the positions", traced.call("copyFileRange", from, null, to, null, 4) === 4);
      traced.expect("which move on", sys.lseek(from, 0, SEEK.CUR) === 4 && contentOf(to) === "0123");
      traced.expect("from others", traced.call("copyFileRange", from, 8, to, 1, 100) === 2);
      traced.expect("which do not", sys.lseek(to, 0, SEEK.CUR) === 4 && contentOf(to) === "0893");
      traced.expect("sendfile too", traced.call("sendfile", to, from, null, 2) === 2 && contentOf(to) === "089345");
      traced.expect("from an offset", traced.call("sendfile", to, from, 0, 3) === 3 && contentOf(to) === "089345012");
      const [reading, writing] = sys.pipe2(O.CLOEXEC);
      traced.call("sendfile", writing, from, 5, 5);
      const buffer = new Uint8Array(9);
      traced.expect("to a pipe", sys.read(reading, buffer) === 5 && latin1(buffer).startsWith("56789"));
      traced.fails("EINVAL", "copyFileRange", from, 0, to, 0, 1, 1);
      traced.fails("EINVAL", "copyFileRange", from, 0, from, 1, 4);
      traced.fails("EINVAL", "copyFileRange", from, null, writing, null, 1);
      traced.fails("EINVAL", "sendfile", to, reading, null, 1);
      traced.fails("EBADF", "sendfile", free, from, null, 1);
      traced.fails("EBADF", "copyFileRange", from, null, free, null, 1);
      reading.close();
      writing.close();
    },
  },
  {
    name: "a file's size, room and holes are set",
    run(traced) {
      using one = file(traced, "x".repeat(8192));
      traced.call("ftruncate", one, 2 ** 33);
      traced.expect("it has that size", fstatSync(one.number).size === 2 ** 33);
      traced.call("ftruncate", one, 65536n);
      traced.expect("a hole follows the data", traced.call("lseek", one, 0, SEEK.HOLE) === 8192);
      traced.call("fallocate", one, FALLOC.KEEP_SIZE | FALLOC.PUNCH_HOLE, 0, 4096);
      traced.expect("the data begins behind the hole", traced.call("lseek", one, 0, SEEK.DATA) === 4096);
      traced.expect("which reads as zeros", readFileSync(targetOf(one.number))[0] === 0);
      traced.call("fallocate", one, 0, 65536, 4096);
      traced.expect("it has grown", fstatSync(one.number).size === 69632);
      traced.call("fsync", one);
      traced.fails("EINVAL", "ftruncate", one, -1);
      traced.fails("EINVAL", "fallocate", one, 0, 0, 0);
      traced.fails("EOPNOTSUPP", "fallocate", one, FALLOC.PUNCH_HOLE, 0, 4096);
      traced.fails("EOPNOTSUPP", "fallocate", one, 0x1000, 0, 4096);
      using reading = sys.openat(AT_FDCWD, targetOf(one.number), O.RDONLY | O.CLOEXEC);
      traced.fails("EINVAL", "ftruncate", reading, 0);
      traced.fails("EBADF", "fallocate", reading, 0, 0, 1);
      const [end, other] = sys.pipe2(O.CLOEXEC);
      traced.fails("EINVAL", "fsync", end);
      traced.fails("ESPIPE", "fallocate", other, 0, 0, 1);
      end.close();
      other.close();
    },
  },
  {
    name: "files are locked, and whoever comes late is told",
    run(traced) {
      using one = file(traced);
      using two = sys.openat(AT_FDCWD, targetOf(one.number), O.RDWR | O.CLOEXEC);
      const { ino } = fstatSync(one.number);
      const locks = () =>
        readFileSync("/proc/locks", "latin1")
          .split("\n")
          .filter((line) => line.includes(`:${ino} `));
      traced.call("flock", one, LOCK.EX);
      traced.expect(
        "/proc/locks knows",
        locks().some((line) => line.includes("FLOCK") && line.includes("WRITE")),
      );
      traced.fails("EAGAIN", "flock", two, LOCK.SH | LOCK.NB);
      traced.call("flock", one, LOCK.UN);
      traced.call("flock", two, LOCK.SH | LOCK.NB);
      traced.call("flock", two, LOCK.UN);
      traced.fails("EINVAL", "flock", one, 0);
      traced.fails("EBADF", "flock", free, LOCK.SH);

      traced.call("ofdSetlk", one, F_LOCK.WRLCK, SEEK.SET, 10, 5);
      traced.expect(
        "/proc/locks knows the range",
        locks().some((line) => /OFDLCK .* 10 14$/.test(line)),
      );
      // Asked for the same lock, so that strace shows what it showed before.
      const { l_pid } = traced.call("ofdGetlk", two, F_LOCK.WRLCK, SEEK.SET, 10, 5);
      traced.expect("it stands in the way, and is of no process", l_pid === -1);
      const found = sys.ofdGetlk(two, F_LOCK.RDLCK, SEEK.SET, 0, 0);
      traced.expect("it is told where", found.l_type === F_LOCK.WRLCK && found.l_start === 10 && found.l_len === 5);
      const error = traced.fails("EAGAIN", "ofdSetlk", two, F_LOCK.RDLCK, SEEK.SET, 12, 1);
      traced.expect("a hint names /proc/locks", says(error, "/proc/locks"));
      traced.call("ofdSetlkw", two, F_LOCK.RDLCK, SEEK.SET, 15, 1);
      traced.call("ofdSetlk", one, F_LOCK.UNLCK, SEEK.SET, 0, 0);
      traced.expect("nothing does", sys.ofdGetlk(two, F_LOCK.RDLCK, SEEK.SET, 0, 0).l_type === F_LOCK.UNLCK);
      traced.fails("EINVAL", "ofdSetlk", one, F_LOCK.RDLCK, SEEK.SET, -1, 1);
      traced.fails("EBADF", "ofdSetlkw", free, F_LOCK.RDLCK, SEEK.SET, 0, 0);
      traced.fails("EINVAL", "ofdGetlk", one, F_LOCK.RDLCK, 9, 0, 0);
    },
  },
];

const names: Case[] = [
  {
    name: "files of all types are made, named, renamed and removed",
    run(traced) {
      process.umask(0o22);
      const dir = traced.dir();
      using place = sys.openat(AT_FDCWD, dir, O.PATH | O.DIRECTORY | O.CLOEXEC);
      const mode = (name: string) => lstatSync(join(dir, name)).mode;
      traced.call("mkdirat", place, "dir", 0o750);
      traced.call("mkdirat", place, "sticky", 0o1777);
      traced.call("mknodat", place, "file", S.IFREG | 0o644);
      traced.call("mknodat", place, "fifo", S.IFIFO | 0o600);
      traced.call("mknodat", place, "socket", S.IFSOCK | 0o600);
      const modes = ["dir", "sticky", "file", "fifo", "socket"].map((name) => mode(name).toString(8)).join(" ");
      traced.expect("they are what was asked for", modes === "40750 41755 100644 10600 140600");
      traced.call("symlinkat", "some/where", place, "link");
      traced.expect("it leads there", readlinkSync(join(dir, "link")) === "some/where");
      traced.expect("readlinkat says so", traced.call("readlinkat", place, "link") === "some/where");
      traced.expect("or as much as fits", traced.call("readlinkat", place, "link", 4) === "some");
      using link = sys.openat(place, "link", O.PATH | O.NOFOLLOW | O.CLOEXEC);
      traced.expect("by descriptor too", traced.call("readlinkat", link, "") === "some/where");
      traced.call("linkat", place, "file", place, "again");
      traced.expect("it has two names", lstatSync(join(dir, "file")).nlink === 2);
      using unnamed = sys.openat(place, ".", O.RDWR | O.TMPFILE | O.CLOEXEC, 0o600);
      traced.call("linkat", AT_FDCWD, `/proc/self/fd/${unnamed.number}`, place, "named", AT.SYMLINK_FOLLOW);
      traced.expect("it got a name", fstatSync(unnamed.number).ino === lstatSync(join(dir, "named")).ino);
      traced.call("unlinkat", place, "again", 0);
      traced.call("unlinkat", place, "dir", AT.REMOVEDIR);
      traced.expect("both are gone", !existsSync(join(dir, "again")) && !existsSync(join(dir, "dir")));
    },
  },
  {
    name: "names are refused with a reason",
    run(traced) {
      const dir = traced.dir();
      using place = sys.openat(AT_FDCWD, dir, O.PATH | O.DIRECTORY | O.CLOEXEC);
      traced.call("mkdirat", place, "dir", 0o755);
      traced.call("mknodat", place, "dir/file", S.IFREG | 0o644);
      traced.fails("EEXIST", "mkdirat", place, "dir", 0o755);
      traced.fails("ENOENT", "mkdirat", place, "none/dir", 0o755);
      traced.fails("ENAMETOOLONG", "mkdirat", place, "n".repeat(256), 0o755);
      traced.fails("EEXIST", "mknodat", place, "dir", S.IFREG | 0o644);
      traced.fails("EPERM", "mknodat", place, "never", S.IFDIR | 0o644);
      traced.fails("EINVAL", "mknodat", place, "never", S.IFLNK | 0o644);
      const error = traced.fails("EEXIST", "symlinkat", "target", place, "dir");
      traced.expect("the error is about the link", error?.path === "dir");
      traced.fails("EINVAL", "readlinkat", place, "dir");
      traced.fails("EINVAL", "readlinkat", place, "dir", 0);
      traced.fails("ENOENT", "readlinkat", place, "none");
      traced.fails("EEXIST", "linkat", place, "dir/file", place, "dir");
      traced.fails("EPERM", "linkat", place, "dir", place, "other");
      traced.fails("EXDEV", "linkat", AT_FDCWD, "/proc/self/status", place, "status");
      traced.fails("EINVAL", "linkat", place, "dir/file", place, "other", AT.REMOVEDIR);
      traced.fails("EISDIR", "unlinkat", place, "dir", 0);
      traced.fails("ENOTEMPTY", "unlinkat", place, "dir", AT.REMOVEDIR);
      traced.fails("ENOTDIR", "unlinkat", place, "dir/file", AT.REMOVEDIR);
      traced.fails("EINVAL", "unlinkat", place, "dir", AT.EMPTY_PATH);
    },
  },
  {
    name: "device nodes are made by number",
    as: "root",
    run(traced) {
      const dir = traced.dir();
      const device = makedev(0xabc, 0xabcde);
      traced.expect("its halves are read again", major(device) === 0xabc && minor(device) === 0xabcde);
      traced.call("mknodat", AT_FDCWD, join(dir, "null"), S.IFCHR | 0o600, makedev(1, 3));
      traced.expect("it is as /dev/null", lstatSync(join(dir, "null")).rdev === statSync("/dev/null").rdev);
      traced.call("mknodat", AT_FDCWD, join(dir, "large"), S.IFBLK | 0o600, device);
      const { rdev, mode } = lstatSync(join(dir, "large"), { bigint: true });
      // glibc's makedev, as stat has it: the upper halves lie above.
      traced.expect(
        "node:fs reads the numbers",
        rdev === glibcMakedev(0xabcn, 0xabcden) && Number(mode) === (S.IFBLK | 0o600),
      );
      traced.call("mknodat", AT_FDCWD, join(dir, "whiteout"), S.IFCHR, 0);
      traced.expect("0:0 is none", lstatSync(join(dir, "whiteout")).rdev === 0);
    },
  },
  {
    name: "device nodes are not for users",
    as: "user",
    run(traced) {
      const error = traced.fails(
        "EPERM",
        "mknodat",
        AT_FDCWD,
        join(traced.dir(), "null"),
        S.IFCHR | 0o600,
        makedev(1, 3),
      );
      traced.expect("a hint says what it takes", says(error, "CAP_MKNOD"));
    },
  },
  {
    name: "renameat2 replaces, exchanges and leaves whiteouts",
    run(traced) {
      const dir = traced.dir();
      const at = (name: string) => join(dir, name);
      writeFileSync(at("a"), "a");
      writeFileSync(at("b"), "b");
      using place = sys.openat(AT_FDCWD, dir, O.PATH | O.DIRECTORY | O.CLOEXEC);
      traced.call("renameat2", place, "a", place, "b", RENAME.EXCHANGE);
      traced.expect("they changed places", readFileSync(at("a"), "utf8") + readFileSync(at("b"), "utf8") === "ba");
      traced.call("renameat2", place, "a", place, "b");
      traced.expect("one replaced the other", readdirSync(dir).join() === "b" && readFileSync(at("b"), "utf8") === "b");
      traced.call("renameat2", place, "b", place, "c", RENAME.NOREPLACE);
      traced.expect("it is called so", readdirSync(dir).join() === "c");
      traced.call("renameat2", place, "c", place, "d", RENAME.WHITEOUT);
      const { mode, rdev } = lstatSync(at("c"));
      traced.expect("a device 0:0 stayed behind", (mode & S.IFMT) === S.IFCHR && rdev === 0);
      writeFileSync(at("e"), "");
      traced.fails("EEXIST", "renameat2", place, "d", place, "e", RENAME.NOREPLACE);
      traced.fails("EINVAL", "renameat2", place, "d", place, "e", RENAME.NOREPLACE | RENAME.EXCHANGE);
      traced.fails("EINVAL", "renameat2", place, "d", place, "e", RENAME.WHITEOUT | RENAME.EXCHANGE);
      traced.fails("EINVAL", "renameat2", place, "d", place, "e", 0x8);
      traced.fails("ENOENT", "renameat2", place, "d", place, "none", RENAME.EXCHANGE);
      traced.fails("ENOENT", "renameat2", place, "none", place, "e");
      const error = traced.fails("EXDEV", "renameat2", place, "d", AT_FDCWD, "/proc/self/d");
      traced.expect("a hint says what to do", says(error, "copy instead"));
    },
  },
  {
    name: "getdents64 lists a directory",
    run(traced) {
      const dir = traced.dir();
      for (const name of ["one", "two", "three"]) writeFileSync(join(dir, name), "");
      using place = sys.openat(AT_FDCWD, dir, O.RDONLY | O.DIRECTORY | O.CLOEXEC);
      const bytes = traced.call("getdents64", place);
      const found: string[] = [];
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let at = 0; at < bytes.length; at += view.getUint16(at + 16, true))
        found.push(latin1(bytes.subarray(at + 19, bytes.indexOf(0, at + 19))));
      traced.expect("node:fs finds the same", found.sort().join() === [".", "..", ...readdirSync(dir)].sort().join());
      traced.expect("then it is at the end", traced.call("getdents64", place).length === 0);
      sys.lseek(place, 0, SEEK.SET);
      traced.fails("EINVAL", "getdents64", place, 8);
      using one = file(traced);
      const error = traced.fails("ENOTDIR", "getdents64", one);
      traced.expect("the error names the file", error?.path === targetOf(one.number));
    },
  },
];

/** As stat(2) has device numbers in 64 bits. makedev(3) */
const glibcMakedev = (major: bigint, minor: bigint): bigint =>
  (minor & 0xffn) | ((major & 0xfffn) << 8n) | ((minor & ~0xffn) << 12n) | ((major & ~0xfffn) << 32n);

const attributes: Case[] = [
  {
    name: "modes are changed",
    run(traced) {
      using one = file(traced);
      const path = targetOf(one.number);
      traced.call("fchmodat", AT_FDCWD, path, 0o2751);
      // Users' set-group-id bit goes where they are not in the group.
      traced.expect("it has the mode", (statSync(path).mode & 0o777) === 0o751);
      traced.fails("ENOENT", "fchmodat", AT_FDCWD, `${path}-none`, 0o600);
      traced.fails("ENOTDIR", "fchmodat", one, "none", 0o600);
      const link = `${path}-link`;
      symlinkSync("file", link);
      if (!has("fchmodat2")) {
        const error = traced.fails("ENOSYS", "fchmodat2", AT_FDCWD, path, 0o600, 0);
        traced.expect("a hint names the kernel", says(error, "6.6"));
        return;
      }
      traced.call("fchmodat2", AT_FDCWD, path, 0o640, AT.SYMLINK_NOFOLLOW);
      traced.expect("it has the mode", (statSync(path).mode & 0o7777) === 0o640);
      traced.call("fchmodat2", one, "", 0o600, AT.EMPTY_PATH);
      traced.expect("by descriptor too", (statSync(path).mode & 0o7777) === 0o600);
      traced.call("fchmodat2", AT_FDCWD, link, 0o644, 0);
      traced.expect("a link is followed", (statSync(path).mode & 0o7777) === 0o644);
      traced.fails("EOPNOTSUPP", "fchmodat2", AT_FDCWD, link, 0o600, AT.SYMLINK_NOFOLLOW);
      traced.expect("its target is as it was", (statSync(path).mode & 0o7777) === 0o644);
      traced.fails("EINVAL", "fchmodat2", AT_FDCWD, path, 0o600, 0xff);
      traced.fails("ENOENT", "fchmodat2", AT_FDCWD, "", 0o600, 0);
    },
  },
  {
    name: "owners are changed by root",
    as: "root",
    run(traced) {
      using one = file(traced);
      const path = targetOf(one.number);
      const owner = (name: string) => [lstatSync(name).uid, lstatSync(name).gid].join();
      traced.call("fchownat", AT_FDCWD, path, 1234, 4321);
      traced.expect("it has the owner", owner(path) === "1234,4321");
      traced.call("fchownat", one, "", -1, 0, AT.EMPTY_PATH);
      traced.expect("one stayed", owner(path) === "1234,0");
      symlinkSync("file", `${path}-link`);
      traced.call("fchownat", AT_FDCWD, `${path}-link`, 7, 8, AT.SYMLINK_NOFOLLOW);
      traced.expect("the link has another", owner(`${path}-link`) === "7,8" && owner(path) === "1234,0");
      traced.fails("EINVAL", "fchownat", AT_FDCWD, path, 0, 0, AT.REMOVEDIR);
      traced.fails("ENOENT", "fchownat", AT_FDCWD, "", 0, 0);
    },
  },
  {
    name: "owners are not changed by users",
    as: "user",
    run(traced) {
      using one = file(traced);
      traced.call("fchownat", one, "", -1, -1, AT.EMPTY_PATH);
      traced.fails("EPERM", "fchownat", one, "", 0, -1, AT.EMPTY_PATH);
      traced.fails("EPERM", "fchownat", AT_FDCWD, "/etc/passwd", -1, process.getgid?.() ?? 0);
      traced.fails("EPERM", "fchmodat", AT_FDCWD, "/etc/passwd", 0o666);
      traced.fails("EPERM", "utimensat", AT_FDCWD, "/etc/passwd", [now, omit]);
    },
  },
  {
    name: "times are set",
    run(traced) {
      using one = file(traced);
      const path = targetOf(one.number);
      const times = () => {
        const { atimeNs, mtimeNs } = statSync(path, { bigint: true });
        return [atimeNs, mtimeNs] as const;
      };
      traced.call("utimensat", AT_FDCWD, path, [
        { tv_sec: 1_000_000_000, tv_nsec: 123_456_789 },
        { tv_sec: 2_000_000_000, tv_nsec: 7 },
      ]);
      traced.expect("to the nanosecond", times().join() === "1000000000123456789,2000000000000000007");
      traced.call("utimensat", AT_FDCWD, path, [now, omit], AT.SYMLINK_NOFOLLOW);
      const [access, modification] = times();
      traced.expect("one is now", Math.abs(Number(access / 1_000_000n) - Date.now()) < 60_000);
      traced.expect("the other stayed", modification === 2_000_000_000_000_000_007n);
      traced.call("utimensat", one, null, null);
      traced.expect("now both are", Math.abs(Number(times()[1] / 1_000_000n) - Date.now()) < 60_000);
      traced.fails("EINVAL", "utimensat", AT_FDCWD, path, [{ tv_sec: 0, tv_nsec: 1_000_000_000 }, now]);
      traced.fails("EINVAL", "utimensat", AT_FDCWD, path, null, AT.REMOVEDIR);
      traced.fails("ENOENT", "utimensat", AT_FDCWD, `${path}-none`, null);
    },
  },
  {
    name: "faccessat2 says who may what",
    run(traced) {
      using one = file(traced);
      const path = targetOf(one.number);
      sys.fchmodat(AT_FDCWD, path, 0o600);
      traced.call("faccessat2", AT_FDCWD, path, ACCESS.F_OK);
      traced.call(
        "faccessat2",
        AT_FDCWD,
        path,
        ACCESS.R_OK | ACCESS.W_OK,
        AT_ACCESS.EACCESS | AT_ACCESS.SYMLINK_NOFOLLOW,
      );
      traced.call("faccessat2", one, "", ACCESS.R_OK, AT_ACCESS.EMPTY_PATH);
      // Not even root executes what nobody may.
      traced.fails("EACCES", "faccessat2", AT_FDCWD, path, ACCESS.X_OK);
      traced.fails("ENOENT", "faccessat2", AT_FDCWD, `${path}-none`, ACCESS.F_OK);
      traced.fails("EINVAL", "faccessat2", AT_FDCWD, path, 8);
      traced.fails("EINVAL", "faccessat2", AT_FDCWD, path, ACCESS.R_OK, 0x1);
      if (!isRoot) traced.fails("EACCES", "faccessat2", AT_FDCWD, "/etc/passwd", ACCESS.W_OK, AT_ACCESS.EACCESS);
    },
  },
];

const now = { tv_sec: 0, tv_nsec: UTIME.NOW };
const omit = { tv_sec: 0, tv_nsec: UTIME.OMIT };

/** Whether the directory's file system takes user.* attributes: tmpfs does since Linux 6.6. */
function takesUserAttributes(path: string): boolean {
  try {
    sys.setxattr(path, "user.bunshare", "");
    sys.removexattr(path, "user.bunshare");
    return true;
  } catch {
    return false;
  }
}

const extended: Case[] = [
  {
    name: "extended attributes are set, read, listed and removed",
    run(traced) {
      using one = file(traced);
      const path = targetOf(one.number);
      const link = `${path}-link`;
      symlinkSync("file", link);
      if (!takesUserAttributes(path)) {
        traced.expect("a hint says why", says(traced.fails("EOPNOTSUPP", "setxattr", path, "user.a", "1"), "tmpfs"));
        return;
      }
      traced.call("setxattr", path, "user.a", "text", XATTR.CREATE);
      traced.call("lsetxattr", path, "user.b", new Uint8Array([0, 1, 255]));
      traced.call("fsetxattr", one, "user.c", "");
      traced.call("setxattr", link, "user.a", "other", XATTR.REPLACE);
      traced.call("fsetxattr", one, "user.d", new Uint8Array(0));
      traced.expect("the value is there", latin1(traced.call("getxattr", link, "user.a")) === "other");
      traced.expect("in bytes", traced.call("lgetxattr", path, "user.b").join() === "0,1,255");
      traced.expect("or none", traced.call("fgetxattr", one, "user.c").length === 0);
      traced.expect(
        "in the caller's buffer too",
        latin1(traced.call("getxattr", path, "user.a", new Uint8Array(5))) === "other",
      );
      traced.expect("its size is known before", traced.call("getxattrSize", path, "user.a") === 5);
      const listed = (bytes: Uint8Array) =>
        latin1(bytes)
          .split("\0")
          .filter((name) => name.startsWith("user."))
          .sort()
          .join();
      traced.expect("all are listed", listed(traced.call("listxattr", link)) === "user.a,user.b,user.c,user.d");
      traced.expect("of a file", listed(traced.call("llistxattr", path)) === "user.a,user.b,user.c,user.d");
      traced.expect("by descriptor", listed(traced.call("flistxattr", one)) === "user.a,user.b,user.c,user.d");
      traced.expect("the link has none", listed(traced.call("llistxattr", link)) === "");
      traced.expect(
        "their size is known before",
        traced.call("listxattrSize", path) >= "user.a,user.b,user.c,user.d,".length,
      );
      const python = Bun.which("python3");
      if (python) {
        const script = "import os,sys; print(os.getxattr(sys.argv[1], 'user.b'))";
        const { stdout } = Bun.spawnSync([python, "-c", script, path]);
        traced.expect("others read the same", stdout.toString().trim() === String.raw`b'\x00\x01\xff'`);
      }
      traced.call("removexattr", link, "user.a");
      traced.call("lremovexattr", path, "user.b");
      traced.call("fremovexattr", one, "user.c");
      traced.expect("one is left", listed(sys.listxattr(path)) === "user.d");
    },
  },
  {
    name: "extended attributes are refused with a reason",
    run(traced) {
      using one = file(traced);
      const path = targetOf(one.number);
      if (takesUserAttributes(path)) {
        sys.setxattr(path, "user.a", "text");
        traced.fails("EEXIST", "setxattr", path, "user.a", "1", XATTR.CREATE);
        traced.fails("ENODATA", "setxattr", path, "user.none", "1", XATTR.REPLACE);
        const missing = traced.fails("ENODATA", "getxattr", path, "user.none");
        traced.expect(
          "the error is about the file",
          missing?.path === path && says(missing, "no attribute of that name"),
        );
        const short = traced.fails("ERANGE", "getxattr", path, "user.a", 3);
        traced.expect("a hint says how large", says(short, "size of 0"));
        traced.fails("ERANGE", "listxattr", path, 3);
        traced.fails("ERANGE", "flistxattr", one, 3);
        traced.fails("ERANGE", "llistxattr", path, 3);
        traced.fails("ENODATA", "removexattr", path, "user.none");
        const byFd = traced.fails("ENODATA", "fremovexattr", one, "user.none");
        traced.expect("the error is about the file", byFd?.path === path);
        traced.fails("ENODATA", "lremovexattr", path, "user.none");
        traced.fails("ENODATA", "fgetxattr", one, "user.none");
        traced.fails("ENODATA", "lgetxattr", path, "user.none");
        traced.fails("ENODATA", "getxattrSize", path, "user.none");
        const large = codeOf(() => sys.setxattr(path, "user.large", new Uint8Array(65537)));
        traced.expect("a value has at most 64 KiB", large === "E2BIG");
        symlinkSync("file", `${path}-link`);
        traced.fails("EPERM", "lsetxattr", `${path}-link`, "user.a", "1");
      }
      traced.fails("EINVAL", "setxattr", path, "user.a", "1", 0x10);
      traced.fails("ERANGE", "setxattr", path, `user.${"n".repeat(255)}`, "1");
      traced.expect(
        "a hint says which",
        says(traced.fails("EOPNOTSUPP", "setxattr", path, "nobodys.a", "1"), "begins with none"),
      );
      traced.fails("EOPNOTSUPP", "fsetxattr", one, "nobodys.a", "1");
      traced.fails("EOPNOTSUPP", "getxattr", path, "nobodys.a");
      traced.fails("ENOENT", "listxattrSize", `${path}-none`);
      traced.fails("EBADF", "flistxattr", free);
    },
  },
  {
    name: "trusted attributes are root's",
    run(traced) {
      using one = file(traced);
      const path = targetOf(one.number);
      if (isRoot) {
        traced.call("setxattr", path, "trusted.overlay.opaque", "y");
        traced.expect("it is there", latin1(traced.call("getxattr", path, "trusted.overlay.opaque")) === "y");
        symlinkSync("file", `${path}-link`);
        traced.call("lsetxattr", `${path}-link`, "trusted.a", "of the link");
        traced.expect(
          "the link has its own",
          latin1(traced.call("lgetxattr", `${path}-link`, "trusted.a")) === "of the link",
        );
        traced.expect("the file has not", !latin1(traced.call("listxattr", `${path}-link`)).includes("trusted.a"));
        traced.call("lremovexattr", `${path}-link`, "trusted.a");
      } else {
        const error = traced.fails("EPERM", "setxattr", path, "trusted.overlay.opaque", "y");
        traced.expect("a hint says what it takes", says(error, "CAP_SYS_ADMIN"));
        traced.fails("ENODATA", "getxattr", path, "trusted.overlay.opaque");
      }
    },
  },
  {
    name: "the xattrat calls take a directory's descriptor",
    run(traced) {
      using one = file(traced);
      const path = targetOf(one.number);
      if (!has("setxattrat")) {
        traced.expect(
          "a hint names the kernel",
          says(traced.fails("ENOSYS", "setxattrat", one, "", AT.EMPTY_PATH, "user.a", "1"), "6.13"),
        );
        traced.fails("ENOSYS", "getxattrat", one, "", AT.EMPTY_PATH, "user.a", new Uint8Array(1));
        traced.fails("ENOSYS", "listxattrat", one, "", AT.EMPTY_PATH);
        traced.fails("ENOSYS", "removexattrat", one, "", AT.EMPTY_PATH, "user.a");
        return;
      }
      if (!takesUserAttributes(path)) {
        traced.fails("EOPNOTSUPP", "setxattrat", one, "", AT.EMPTY_PATH, "user.a", "1");
        return;
      }
      using dir = sys.openat(AT_FDCWD, join(path, ".."), O.PATH | O.CLOEXEC);
      traced.call("setxattrat", dir, "file", 0, "user.a", "text", XATTR.CREATE);
      traced.call("setxattrat", one, "", AT.EMPTY_PATH, "user.b", new Uint8Array([1, 2]));
      traced.expect(
        "both are there",
        latin1(sys.getxattr(path, "user.a")) === "text" && sys.getxattr(path, "user.b").join() === "1,2",
      );
      const buffer = new Uint8Array(16);
      traced.expect(
        "the value is read",
        traced.call("getxattrat", dir, "file", AT.SYMLINK_NOFOLLOW, "user.a", buffer) === 4,
      );
      traced.expect("to the buffer", latin1(buffer).startsWith("text\0"));
      traced.expect(
        "an empty one asks",
        traced.call("getxattrat", one, "", AT.EMPTY_PATH, "user.a", new Uint8Array(0)) === 4,
      );
      const names = latin1(traced.call("listxattrat", dir, "file", 0));
      traced.expect("both are listed", names.includes("user.a\0") && names.includes("user.b\0"));
      traced.call("removexattrat", one, "", AT.EMPTY_PATH, "user.a");
      traced.expect("it is gone", !latin1(sys.listxattr(path)).includes("user.a"));
      traced.fails("EEXIST", "setxattrat", dir, "file", 0, "user.b", "1", XATTR.CREATE);
      traced.fails("EINVAL", "setxattrat", dir, "file", AT.REMOVEDIR, "user.b", "1");
      traced.fails("ENODATA", "getxattrat", dir, "file", 0, "user.a", buffer);
      traced.fails("ERANGE", "getxattrat", dir, "file", 0, "user.b", new Uint8Array(1));
      traced.fails("ERANGE", "listxattrat", dir, "file", 0, 1);
      const error = traced.fails("ENODATA", "removexattrat", one, "", AT.EMPTY_PATH, "user.a");
      traced.expect("the error is about the file", error?.path === path);
    },
  },
];

const nameless: Case[] = [
  {
    name: "pipes are made, with their size",
    run(traced) {
      const [reading, writing] = traced.call("pipe2", O.CLOEXEC | O.NONBLOCK | O.DIRECT);
      traced.expect(
        "it is a pipe",
        targetOf(reading.number) === targetOf(writing.number) && targetOf(reading.number).startsWith("pipe:"),
      );
      traced.expect(
        "with its flags",
        (flagsOf(writing) & (O.CLOEXEC | O.NONBLOCK | O.DIRECT)) === (O.CLOEXEC | O.NONBLOCK | O.DIRECT),
      );
      traced.expect("it takes that much", traced.call("setPipeSz", writing, 5000) === 8192);
      traced.expect("and says so", traced.call("getPipeSz", reading) === 8192);
      sys.setFl(writing, O.NONBLOCK);
      sys.write(writing, "x".repeat(8192));
      const busy = traced.fails("EBUSY", "setPipeSz", writing, 4096);
      traced.expect("a hint says why", says(busy, "more in the pipe"));
      traced.fails("EINVAL", "setPipeSz", writing, 0x80000001);
      if (!isRoot)
        traced.expect(
          "a hint says how much",
          says(traced.fails("EPERM", "setPipeSz", writing, 1 << 30), "fs.pipe-max-size"),
        );
      using one = file(traced);
      traced.fails("EBADF", "getPipeSz", one);
      traced.fails("EBADF", "setPipeSz", one, 4096);
      traced.fails("EINVAL", "pipe2", 0x40000000);
      reading.close();
      writing.close();
      const ends = traced.call("pipe2", 0);
      traced.expect(
        "they are closed at exec, asked for or not",
        ends.every((end) => (flagsOf(end) & O.CLOEXEC) !== 0),
      );
      for (const end of ends) end.close();
    },
  },
  {
    name: "memfds are made and sealed",
    run(traced) {
      using memfd = traced.call("memfdCreate", "bunshare", MFD.CLOEXEC | MFD.ALLOW_SEALING);
      traced.expect("it is one", targetOf(memfd.number) === "/memfd:bunshare (deleted)");
      sys.ftruncate(memfd, 4096);
      traced.expect("nothing is sealed", (traced.call("getSeals", memfd) & ~F_SEAL.EXEC) === 0);
      traced.call("addSeals", memfd, F_SEAL.SHRINK);
      const error = traced.fails("EPERM", "ftruncate", memfd, 0);
      traced.expect("the error names it", error?.path === "/memfd:bunshare (deleted)");
      sys.ftruncate(memfd, 8192);
      traced.call("addSeals", memfd, F_SEAL.GROW);
      traced.fails("EPERM", "ftruncate", memfd, 16384);
      traced.fails("EPERM", "fallocate", memfd, 0, 8192, 4096);
      traced.expect("both are told", (traced.call("getSeals", memfd) & 0xf) === (F_SEAL.SHRINK | F_SEAL.GROW));

      // Mapped for writing by Bun, as the kernel's memfd_test does with mmap.
      const mapped = Bun.mmap(`/proc/self/fd/${memfd.number}`, { shared: true });
      mapped[0] = 42;
      const busy = traced.fails("EBUSY", "addSeals", memfd, F_SEAL.WRITE);
      traced.expect("a hint says what else there is", says(busy, "F_SEAL_FUTURE_WRITE"));
      traced.call("addSeals", memfd, F_SEAL.FUTURE_WRITE);
      traced.fails("EPERM", "write", memfd, "text");
      mapped[1] = 43;
      traced.expect("the mapping still writes", contentOf(memfd).startsWith("*+"));

      traced.call("addSeals", memfd, F_SEAL.SEAL);
      const sealed = traced.fails("EPERM", "addSeals", memfd, F_SEAL.SHRINK);
      traced.expect("a hint says why", says(sealed, "sealed against seals"));
      using plain = traced.call("memfdCreate", "", 0);
      traced.fails("EPERM", "addSeals", plain, F_SEAL.WRITE);
      traced.expect("it is sealed from the start", (traced.call("getSeals", plain) & F_SEAL.SEAL) === F_SEAL.SEAL);
      using reading = sys.openat(AT_FDCWD, `/proc/self/fd/${plain.number}`, O.RDONLY | O.CLOEXEC);
      traced.fails("EPERM", "addSeals", reading, F_SEAL.WRITE);
      using one = file(traced);
      if (!isTmpfs(one)) {
        traced.expect(
          "a hint says what has seals",
          says(traced.fails("EINVAL", "addSeals", one, F_SEAL.WRITE), "Only memfds"),
        );
        traced.fails("EINVAL", "getSeals", one);
      }
      using other = sys.memfdCreate("other", MFD.ALLOW_SEALING);
      traced.fails("EINVAL", "addSeals", other, 0x1000);
      traced.call("addSeals", other, F_SEAL.WRITE);
      traced.fails("EPERM", "pwrite64", other, "text", 0);
      traced.fails("EPERM", "fallocate", other, FALLOC.KEEP_SIZE | FALLOC.PUNCH_HOLE, 0, 4096);
    },
  },
  {
    name: "memfd_create takes flags and names that it knows",
    run(traced) {
      if (has("MFD_EXEC")) {
        using file = traced.call("memfdCreate", "data", MFD.CLOEXEC | MFD.NOEXEC_SEAL);
        traced.expect("nobody can execute it", (fstatSync(file.number).mode & 0o111) === 0);
        traced.expect("nor change that", (traced.call("getSeals", file) & F_SEAL.EXEC) === F_SEAL.EXEC);
        traced.fails("EPERM", "fchmodat", AT_FDCWD, `/proc/self/fd/${file.number}`, 0o777);
        using program = traced.call("memfdCreate", "program", MFD.CLOEXEC | MFD.EXEC);
        traced.expect("this one can be executed", (fstatSync(program.number).mode & 0o111) === 0o111);
      }
      const both = traced.fails("EINVAL", "memfdCreate", "both", MFD.EXEC | MFD.NOEXEC_SEAL);
      traced.expect("a hint says which kernel", says(both, "6.3"));
      traced.fails("EINVAL", "memfdCreate", "flag", 0x100);
      traced.expect("a hint says how long", says(traced.fails("EINVAL", "memfdCreate", "n".repeat(250), 0), "249"));
    },
  },
  {
    name: "an eventfd counts",
    run(traced) {
      using counter = traced.call("eventfd2", 3, EFD.CLOEXEC | EFD.NONBLOCK);
      const word = new BigUint64Array(1);
      const bytes = new Uint8Array(word.buffer);
      traced.call("write", counter, new Uint8Array(new BigUint64Array([39n]).buffer));
      traced.expect("it is the sum", traced.call("read", counter, bytes) === 8 && word[0] === 42n);
      traced.fails("EAGAIN", "read", counter, bytes);
      traced.fails("EINVAL", "read", counter, new Uint8Array(4));
      using semaphore = traced.call("eventfd2", 2, EFD.SEMAPHORE);
      sys.read(semaphore, bytes);
      traced.expect("a semaphore gives one", word[0] === 1n);
      traced.fails("EINVAL", "eventfd2", 0, 0x10);
    },
  },
];

const isTmpfs = ({ number }: Fd): boolean => {
  const id = /mnt_id:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${number}`, "latin1"))?.[1];
  return new RegExp(`^${id} .* - tmpfs `, "m").test(readFileSync("/proc/self/mountinfo", "latin1"));
};

const waiting: Case[] = [
  {
    name: "ppoll says what is up",
    run(traced) {
      const [reading, writing] = sys.pipe2(O.CLOEXEC);
      using ready = sys.eventfd2(1, EFD.CLOEXEC);
      traced.expect(
        "one is ready",
        traced
          .call(
            "ppoll",
            [
              { fd: reading, events: POLL.IN },
              { fd: ready, events: POLL.IN | POLL.OUT },
            ],
            0,
          )
          .map((one) => one.revents)
          .join() === [0, POLL.IN | POLL.OUT].join(),
      );
      const before = performance.now();
      traced.expect("none is", traced.call("ppoll", [{ fd: reading, events: POLL.IN }], 20.5)[0]?.revents === 0);
      traced.expect("it has waited", performance.now() - before >= 20);
      traced.expect("none of none", traced.call("ppoll", [], 1).length === 0);
      const list = [
        { fd: reading, events: POLL.IN },
        { fd: writing, events: POLL.OUT },
        { fd: -1, events: POLL.IN },
        { fd: free, events: POLL.IN },
      ];
      const revents = (timeoutMs: number | null) => sys.ppoll(list, timeoutMs).map((one) => one.revents);
      traced.expect("two are ready", revents(null).join() === [0, POLL.OUT, 0, POLL.NVAL].join());
      sys.write(writing, "x");
      traced.expect("one more", revents(0)[0] === POLL.IN);
      traced.expect("nothing is wrong with it", traced.call("pollNow", writing, 0) === 0);
      reading.close();
      traced.expect("nobody reads it any more", traced.call("pollNow", writing, 0) === 1);
      writing.close();
      traced.fails("EINVAL", "ppoll", [], -1);
      const many = Array.from({ length: 3 }, () => ({ fd: -1, events: 0 }));
      traced.expect(
        "descriptors that are none are skipped",
        sys.ppoll(many, 0).every(({ revents }) => revents === 0),
      );
      traced.expect("a closed one is none", traced.call("pollNow", free, POLL.IN) === 1);
    },
  },
  {
    name: "inotify tells what happens in a directory",
    run(traced) {
      const dir = traced.dir();
      using inotify = traced.call("inotifyInit1", IN_INIT.NONBLOCK | IN_INIT.CLOEXEC);
      const watch = traced.call(
        "inotifyAddWatch",
        inotify,
        dir,
        IN.CREATE | IN.DELETE | IN.MOVED_FROM | IN.MOVED_TO | IN.CLOSE_WRITE | IN.ONLYDIR,
      );
      writeFileSync(join(dir, "größe"), "x");
      sys.renameat2(AT_FDCWD, join(dir, "größe"), AT_FDCWD, join(dir, "b"));
      mkdirSync(join(dir, "c"));
      const buffer = new Uint8Array(4096);
      const events = parseInotifyEvents(buffer.subarray(0, traced.call("read", inotify, buffer)));
      const told = events.map(({ mask, name }) => `${name}:${mask.toString(16)}`).join();
      const expected = [
        ["größe", IN.CREATE],
        ["größe", IN.CLOSE_WRITE],
        ["größe", IN.MOVED_FROM],
        ["b", IN.MOVED_TO],
        ["c", IN.CREATE | IN.ISDIR],
      ] as const;
      traced.expect(
        "all in their order",
        told === expected.map(([name, mask]) => `${name}:${mask.toString(16)}`).join(),
      );
      traced.expect(
        "the halves of the renaming belong together",
        events[2]?.cookie !== 0 && events[2]?.cookie === events[3]?.cookie,
      );
      traced.expect(
        "they are of this watch",
        events.every(({ wd }) => wd === watch),
      );
      traced.call("inotifyRmWatch", inotify, watch);
      const [last] = parseInotifyEvents(buffer.subarray(0, sys.read(inotify, buffer)));
      traced.expect("the end is told too", last?.mask === IN.IGNORED && last.name === "");
      traced.call("inotifyAddWatch", inotify, dir, IN.ATTRIB | IN.ONESHOT);
      traced.fails("EAGAIN", "read", inotify, 4096);
      traced.fails("EINVAL", "inotifyRmWatch", inotify, 99);
      traced.fails("EINVAL", "inotifyAddWatch", inotify, dir, 0);
      traced.fails("ENOENT", "inotifyAddWatch", inotify, join(dir, "none"), IN.MODIFY);
      traced.fails("ENOTDIR", "inotifyAddWatch", inotify, join(dir, "b"), IN.MODIFY | IN.ONLYDIR);
      traced.fails("EINVAL", "inotifyInit1", 0x1);
      using one = file(traced);
      traced.fails("EINVAL", "inotifyAddWatch", one, dir, IN.MODIFY);
    },
  },
];

const requests: Case[] = [
  {
    name: "a terminal is opened, measured and set",
    run(traced) {
      using main = sys.openat(AT_FDCWD, "/dev/ptmx", O.RDWR | O.NOCTTY | O.CLOEXEC);
      traced.fails("EIO", "tiocgptpeer", main, O.RDWR | O.NOCTTY);
      traced.call("tiocsptlck", main, 0);
      const number = traced.call("tiocgptn", main);
      using other = traced.call("tiocgptpeer", main, O.RDWR | O.NOCTTY | O.CLOEXEC);
      traced.expect("it is that one", targetOf(other.number) === `/dev/pts/${number}`);
      traced.call("tiocswinsz", main, 24, 80);
      const { ws_row, ws_col } = traced.call("tiocgwinsz", other);
      traced.expect("the other side sees it", ws_row === 24 && ws_col === 80);
      traced.call("tiocswinsz", main, 30, 100, 800, 600);
      traced.expect("stty too", stty(other, "size") === "30 100");

      const modes = traced.call("tcgets", other);
      traced.expect("it echoes", (modes.c_lflag & LFLAG.ECHO) !== 0 && modes.c_cc[CC.INTR] === 3);
      traced.call("tcsets", other, { ...modes, c_lflag: modes.c_lflag & ~LFLAG.ECHO });
      traced.expect(
        "now it does not",
        stty(other, "-a").includes("-echo ") && (sys.tcgets(other).c_lflag & LFLAG.ECHO) === 0,
      );
      traced.call("tcsetsw", other, { ...modes, c_lflag: modes.c_lflag & ~LFLAG.ICANON });
      traced.expect("now by characters", stty(other, "-a").includes("-icanon "));
      traced.call("tcsetsf", other, modes);
      traced.expect("as before", stty(other, "-a").includes(" icanon ") && stty(other, "-a").includes(" echo "));

      const error = traced.fails("EPERM", "tiocsctty", other, 0);
      traced.expect("a hint says who may", says(error, "setsid"));
      traced.fails("ENOTTY", "tiocnotty", other);
      using one = file(traced);
      const none = traced.fails("ENOTTY", "tiocgwinsz", one);
      traced.expect("a hint says why", says(none, "not of a terminal") && none?.path === targetOf(one.number));
      traced.fails("ENOTTY", "tiocswinsz", one, 1, 1);
      traced.fails("ENOTTY", "tcgets", one);
      traced.fails("ENOTTY", "tcsets", one, modes);
      traced.fails("ENOTTY", "tcsetsw", one, modes);
      traced.fails("ENOTTY", "tcsetsf", one, modes);
      traced.fails("ENOTTY", "tiocgptn", other);
      traced.fails("ENOTTY", "tiocsptlck", other, 1);
      traced.fails("ENOTTY", "ioctl", one, IOCTL.TIOCSPGRP, null);
      traced.fails("EBADF", "ioctl", free, IOCTL.TIOCSCTTY, 0);
    },
  },
  {
    name: "a session takes a terminal, and gives it up",
    in: ["setsid", "--wait"],
    run(traced) {
      using main = sys.openat(AT_FDCWD, "/dev/ptmx", O.RDWR | O.NOCTTY | O.CLOEXEC);
      sys.tiocsptlck(main, 0);
      using other = sys.tiocgptpeer(main, O.RDWR | O.NOCTTY | O.CLOEXEC);
      const terminal = () => readFileSync("/proc/self/stat", "latin1").replace(/.*\) /, "").split(" ")[4];
      traced.expect("there is none", terminal() === "0");
      traced.call("tiocsctty", other);
      traced.expect("/proc knows it", terminal() === String(fstatSync(other.number).rdev));
      // The session's leader gets SIGHUP when it gives its terminal up.
      process.on("SIGHUP", () => undefined);
      traced.call("tiocnotty", other);
      traced.expect("it is gone", terminal() === "0");
      traced.expect("and comes back", traced.call("ioctl", other, IOCTL.TIOCSCTTY, 0) === 0);
      sys.tiocnotty(other);
    },
  },
  {
    name: "files share blocks only where the file system can",
    run(traced) {
      using from = file(traced, "text");
      using to = file(traced);
      const device = ({ number }: Fd) => fstatSync(number).dev;
      traced.expect("both are on one", device(from) === device(to));
      if (canShare(from)) traced.call("ficlone", to, from);
      else traced.fails("EOPNOTSUPP", "ficlone", to, from);
      const [end, other] = sys.pipe2(O.CLOEXEC);
      traced.fails("EXDEV", "ficlone", to, end);
      traced.fails("EBADF", "ficlone", to, free);
      end.close();
      other.close();
    },
  },
  {
    name: "a file's flags are read and set",
    run(traced) {
      using one = file(traced);
      const path = targetOf(one.number);
      const [end, other] = sys.pipe2(O.CLOEXEC);
      traced.fails("ENOTTY", "fsIocGetflags", end);
      traced.fails("ENOTTY", "fsIocSetflags", end, FS.NODUMP_FL);
      end.close();
      other.close();
      const flags = traced.callOr(["ENOTTY", "EOPNOTSUPP"], "fsIocGetflags", one);
      if (flags === undefined) return;
      // A tmpfs does not know all of them.
      traced.callOr("EOPNOTSUPP", "fsIocSetflags", one, flags | FS.NODUMP_FL | FS.SYNC_FL);
      if (traced.call("fsIocGetflags", one) === flags) return;
      const lsattr = Bun.which("lsattr");
      if (lsattr) {
        const [shown = ""] = Bun.spawnSync([lsattr, path]).stdout.toString().split(" ");
        traced.expect("lsattr shows them", shown.includes("d") && shown.includes("S"));
      }
      traced.expect("they are set", traced.call("fsIocGetflags", one) === (flags | FS.NODUMP_FL | FS.SYNC_FL));
      if (isRoot) {
        traced.call("fsIocSetflags", one, flags | FS.IMMUTABLE_FL);
        traced.fails("EPERM", "openat", AT_FDCWD, path, O.WRONLY);
        traced.fails("EPERM", "unlinkat", AT_FDCWD, path, 0);
      } else traced.fails("EPERM", "fsIocSetflags", one, flags | FS.IMMUTABLE_FL);
      traced.call("fsIocSetflags", one, flags);
    },
  },
];

/** What stty(1) says of a terminal. */
function stty({ number }: Fd, what: string): string {
  const { stdout } = Bun.spawnSync(["stty", what], { stdin: number });
  return stdout.toString().replaceAll(/[\n;]/g, " ").trim();
}

/** Whether it lies on a file system with reflinks, as far as cases meet them. */
const canShare = ({ number }: Fd): boolean => {
  const id = /mnt_id:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${number}`, "latin1"))?.[1];
  return new RegExp(`^${id} .* - (?:btrfs|xfs|bcachefs) `, "m").test(readFileSync("/proc/self/mountinfo", "latin1"));
};

export const family: Family = {
  cases: [...opening, ...contents, ...names, ...attributes, ...extended, ...nameless, ...waiting, ...requests],
};
