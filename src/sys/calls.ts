/** The vocabulary: every syscall as a function that returns it as data. Import as `call`: `call.mount(...)`. */
import type { Arg, Call, Text } from "./call.ts";
import { AT_FDCWD, F, KEYCTL, type FlagSetName, FSCONFIG, O } from "./flags.ts";
import type { SyscallName } from "./numbers.ts";

/** A descriptor: its number, `AT_FDCWD`, or what an earlier step returned. */
export type FdArg = number | { readonly result: string };
/** A process: its pid, or what an earlier step returned. */
export type PidArg = number | { readonly result: string };
/** Where a call writes: a caller's buffer (now), that many scratch bytes, or a named block of the report (later). */
export type Out = Uint8Array | { readonly out: number } | { readonly report: string; readonly size: number };

const make = (name: SyscallName, args: Arg[]): Call => Object.freeze({ name, args });
const fd = (value: FdArg): Arg => (typeof value === "number" ? { fd: value } : value);
const bits = (flags: FlagSetName, value: number): Arg => ({ flags, value });
const struct = (name: Extract<Arg, { struct: unknown }>["struct"], fields: Record<string, Arg>): Arg => ({
  struct: name,
  fields,
});
const byteLength = (text: string): number => new TextEncoder().encode(text).length;
const sizeOf = (out: Out): number => (out instanceof Uint8Array ? out.length : "out" in out ? out.out : out.size);

// Process

/**
 * `clone3(cl_args, size)`: a child process; returns its pid, and 0 in the child. clone(2), Linux 5.3
 * As a step only: the child goes on with the section that the step names.
 * @param flags CLONE_NEW* and the like, added up (CLONE_INTO_CGROUP is above 32 bits, where `|` does not reach).
 * @param more.cgroup Directory descriptor of a v2 group, with CLONE_INTO_CGROUP. Linux 5.7
 * @param more.stackBytes A stack of its own, with CLONE_VM.
 */
export const clone3 = (flags: number, exitSignal: number, more: { cgroup?: FdArg; stackBytes?: number } = {}): Call =>
  make("clone3", [
    struct("clone_args", {
      flags: bits("CLONE", flags),
      exit_signal: bits("SIG", exitSignal),
      stack: more.stackBytes === undefined ? null : { out: more.stackBytes },
      stack_size: more.stackBytes ?? 0,
      ...(more.cgroup === undefined ? {} : { cgroup: fd(more.cgroup) }),
    }),
    88,
  ]);
/**
 * `unshare(flags)`: move the caller into new namespaces. unshare(2)
 * pid and time: for its children, and time also at its next execve (Linux 6.2).
 */
export const unshare = (flags: number): Call => make("unshare", [bits("CLONE", flags)]);
/** `setns(fd, nstype)`: enter the namespace behind a descriptor; EINVAL when it is of another kind than `nstype`. setns(2) */
export const setns = (ns: FdArg, nstype: number): Call => make("setns", [fd(ns), bits("CLONE", nstype)]);
/** `prctl(option, arg2, ...)`: attributes of the calling process. prctl(2) */
export const prctl = (option: number, ...args: Arg[]): Call => make("prctl", [bits("PR", option), ...args]);
/** `getpid()`. getpid(2) */
export const getpid = (): Call => make("getpid", []);
/** `kill(pid, sig)`. kill(2) */
export const kill = (pid: PidArg, signal: number): Call => make("kill", [pid, bits("SIG", signal)]);
/** `wait4(pid, wstatus, options, rusage)`: reap a child; the wait status is written to four bytes. wait4(2) */
export const wait4 = (pid: PidArg, status: Out, options: number): Call =>
  make("wait4", [pid, status, bits("W", options), null]);
/** `setsid()`: a session of its own, without a controlling terminal. setsid(2) */
export const setsid = (): Call => make("setsid", []);
/** `setresuid(ruid, euid, suid)`. Clears PR_SET_PDEATHSIG and the dumpable flag. setresuid(2) */
export const setresuid = (ruid: number, euid: number, suid: number): Call => make("setresuid", [ruid, euid, suid]);
/** `setresgid(rgid, egid, sgid)`. setresgid(2) */
export const setresgid = (rgid: number, egid: number, sgid: number): Call => make("setresgid", [rgid, egid, sgid]);
/** `setgroups(size, list)`: the supplementary groups. EPERM where a user namespace denies it. setgroups(2) */
export const setgroups = (groups: readonly number[]): Call =>
  make("setgroups", [groups.length, groups.length === 0 ? null : { words: groups }]);
/** `umask(mask)`. umask(2) */
export const umask = (mask: number): Call => make("umask", [{ octal: mask }]);
/** `prlimit64(pid, resource, new_limit, old_limit)`: pid 0 is the caller; `Infinity` is RLIM64_INFINITY. prlimit(2) */
export const prlimit64 = (pid: number, resource: number, soft: number, hard: number): Call =>
  make("prlimit64", [pid, bits("RLIMIT", resource), struct("rlimit64", { rlim_cur: soft, rlim_max: hard }), null]);
/** `execve(pathname, argv, envp)`: become another program; returns only when it fails. execve(2) */
export const execve = (path: Text, argv: readonly Text[], env: readonly string[]): Call =>
  make("execve", [path, { strings: argv }, { strings: env }]);
/** `rt_sigprocmask(how, set, NULL, 8)`: block and unblock signals; bit n-1 of the set is signal n. sigprocmask(2) */
export const rtSigprocmask = (how: number, set: readonly number[] | "all"): Call =>
  make("rt_sigprocmask", [bits("SIG_HOW", how), { signals: set }, null, 8]);
/** `rt_sigaction(signum, act, NULL, 8)` with SIG_DFL (0) or SIG_IGN (1) as the handler. sigaction(2) */
export const rtSigaction = (signal: number, handler: 0 | 1): Call =>
  make("rt_sigaction", [
    bits("SIG", signal),
    struct("sigaction", { sa_handler: bits("SIG_HANDLER", handler), sa_mask: { signals: [] }, sa_flags: 0 }),
    null,
    8,
  ]);

/** `rt_sigtimedwait(set, NULL, NULL, 8)`: take one of these blocked signals, waiting for it. sigwaitinfo(2) */
export const rtSigtimedwait = (set: readonly number[]): Call =>
  make("rt_sigtimedwait", [{ signals: set }, null, null, 8]);

// Descriptors and files

/** `openat(dirfd, pathname, flags, mode)`: the mode counts with O_CREAT only. openat(2) */
export const openat = (dirfd: FdArg, path: Text, flags: number, mode = 0): Call =>
  make("openat", [fd(dirfd), path, bits("O", flags), ...(flags & O.CREAT ? [{ octal: mode }] : [])]);
/** `openat2(dirfd, pathname, how, size)`: resolution under the rules of RESOLVE_*. openat2(2), Linux 5.6 */
export const openat2 = (dirfd: FdArg, path: Text, flags: number, resolve: number, mode = 0): Call =>
  make("openat2", [
    fd(dirfd),
    path,
    struct("open_how", {
      flags: bits("O", flags),
      ...(flags & O.CREAT ? { mode: { octal: mode } } : {}),
      resolve: bits("RESOLVE", resolve),
    }),
    24,
  ]);
/** `close(fd)`. close(2) */
export const close = (target: FdArg): Call => make("close", [fd(target)]);
/** `close_range(first, last, flags)`: close, or mark close-on-exec, all descriptors from first to last. close_range(2), Linux 5.9 */
export const closeRange = (first: number, last: number, flags: number): Call =>
  make("close_range", [first, last, bits("CLOSE_RANGE", flags)]);
/** `read(fd, buf, count)`. read(2) */
export const read = (source: FdArg, out: Out): Call => make("read", [fd(source), out, sizeOf(out)]);
/** `pread64(fd, buf, count, offset)`. pread(2) */
export const pread64 = (source: FdArg, out: Out, offset: number): Call =>
  make("pread64", [fd(source), out, sizeOf(out), offset]);
/** `write(fd, buf, count)`. write(2) */
export const write = (target: FdArg, data: string | Uint8Array): Call =>
  make("write", [
    fd(target),
    typeof data === "string" ? { data } : data,
    typeof data === "string" ? byteLength(data) : data.length,
  ]);
/** `mkdirat(dirfd, pathname, mode)`. mkdir(2) */
export const mkdirat = (dirfd: FdArg, path: Text, mode: number): Call =>
  make("mkdirat", [fd(dirfd), path, { octal: mode }]);
/** `mknodat(dirfd, pathname, mode, dev)`: with S_IFREG an empty file; the device counts for device nodes only. mknod(2) */
export const mknodat = (dirfd: FdArg, path: Text, mode: number, dev = 0): Call =>
  make("mknodat", [fd(dirfd), path, { octal: mode }, ...(dev === 0 ? [] : [dev])]);
/** `symlinkat(target, newdirfd, linkpath)`. symlink(2) */
export const symlinkat = (target: string, dirfd: FdArg, path: Text): Call =>
  make("symlinkat", [target, fd(dirfd), path]);
/** `unlinkat(dirfd, pathname, flags)`: rmdir(2) with AT_REMOVEDIR. unlink(2) */
export const unlinkat = (dirfd: FdArg, path: Text, flags: number): Call =>
  make("unlinkat", [fd(dirfd), path, bits("AT", flags)]);
/** `chdir(path)`. chdir(2) */
export const chdir = (path: Text): Call => make("chdir", [path]);
/** `fchdir(fd)`. chdir(2) */
export const fchdir = (dir: FdArg): Call => make("fchdir", [fd(dir)]);
/** `pipe2(pipefd, flags)`: the two descriptors are written to eight bytes. pipe(2) */
export const pipe2 = (out: Out, flags: number): Call => make("pipe2", [out, bits("O", flags)]);
/** `ppoll(fds, 1, {0, 0}, NULL, 8)`: what is up with one descriptor, at once. poll(2) */
export const pollNow = (target: number, events: number): Call =>
  make("ppoll", [
    struct("pollfd", { fd: { fd: target }, events: bits("POLL", events) }),
    1,
    struct("timespec", { tv_sec: 0, tv_nsec: 0 }),
    null,
    8,
  ]);
/** `ioctl(fd, request, arg)`. ioctl(2) */
export const ioctl = (target: FdArg, request: number, arg: Arg): Call =>
  make("ioctl", [fd(target), bits("IOCTL", request), arg]);
/** `memfd_create(name, flags)`: an anonymous file in memory. memfd_create(2) */
export const memfdCreate = (name: string, flags: number): Call => make("memfd_create", [name, bits("MFD", flags)]);
/** `ftruncate(fd, length)`. truncate(2) */
export const ftruncate = (target: FdArg, length: number): Call => make("ftruncate", [fd(target), length]);
/** `fcntl(fd, F_ADD_SEALS, seals)`: what nobody may do to a memfd any more. fcntl(2) */
export const addSeals = (target: FdArg, seals: number): Call =>
  make("fcntl", [fd(target), bits("F", F.ADD_SEALS), bits("F_SEAL", seals)]);
/** `mmap(addr, length, prot, flags, fd, offset)` at a fixed address: how the stage sees the report. mmap(2) */
export const mmap = (address: Arg, length: number, prot: number, flags: number, source: FdArg): Call =>
  make("mmap", [address, length, bits("PROT", prot), bits("MAP", flags), fd(source), 0]);

// Mounts

/** `mount(source, target, filesystemtype, mountflags, data)`; the data is cut at 4095 bytes. mount(2) */
export const mount = (source: Text | null, target: Text, type: string | null, flags: number, data: Text | null): Call =>
  make("mount", [source, target, type, bits("MS", flags), data]);
/** `umount2(target, flags)`. umount(2) */
export const umount2 = (target: Text, flags: number): Call => make("umount2", [target, bits("MNT", flags)]);
/**
 * `pivot_root(new_root, put_old)`: make another mount the root. pivot_root(2)
 * @throws {SyscallError} EINVAL when `newRoot` is not a mount point, or its parent mount is shared.
 */
export const pivotRoot = (newRoot: Text, putOld: Text): Call => make("pivot_root", [newRoot, putOld]);
/** `open_tree(dirfd, filename, flags)`: with OPEN_TREE_CLONE a detached copy of a mount, or with AT_RECURSIVE of all below. open_tree(2), Linux 5.2 */
export const openTree = (dirfd: FdArg, path: Text, flags: number): Call =>
  make("open_tree", [fd(dirfd), path, bits("OPEN_TREE", flags)]);
/** `move_mount(from_dirfd, from_pathname, to_dirfd, to_pathname, flags)`: attach a detached mount. move_mount(2), Linux 5.2 */
export const moveMount = (from: FdArg, fromPath: Text, to: FdArg, toPath: Text, flags: number): Call =>
  make("move_mount", [fd(from), fromPath, fd(to), toPath, bits("MOVE_MOUNT", flags)]);
/** `mount_setattr(dirfd, pathname, flags, attr, size)`: attributes of a mount, and with AT_RECURSIVE of all below. mount_setattr(2), Linux 5.12 */
export const mountSetattr = (dirfd: FdArg, path: Text, flags: number, set: number, clear = 0): Call =>
  make("mount_setattr", [
    fd(dirfd),
    path,
    bits("AT", flags),
    struct("mount_attr", {
      attr_set: bits("MOUNT_ATTR", set),
      attr_clr: bits("MOUNT_ATTR", clear),
      propagation: bits("MS", 0),
      userns_fd: 0,
    }),
    32,
  ]);

// Names, time, network

/** `sethostname(name, len)`. sethostname(2) */
export const sethostname = (name: string): Call => make("sethostname", [{ data: name }, byteLength(name)]);
/** `setdomainname(name, len)`. setdomainname(2) */
export const setdomainname = (name: string): Call => make("setdomainname", [{ data: name }, byteLength(name)]);
/** `clock_gettime(clockid, tp)`: seconds and nanoseconds, two words. clock_gettime(2) */
export const clockGettime = (clock: number, out: Out): Call => make("clock_gettime", [bits("CLOCK", clock), out]);
/** `socket(domain, type, protocol)`. socket(2) */
export const socket = (domain: number, type: number, protocol: number): Call =>
  make("socket", [bits("AF", domain), bits("SOCK", type), protocol]);

export { AT_FDCWD };

// Keys

/** `keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL)`: an empty session keyring instead of the caller's. keyctl_join_session_keyring(3) */
export const joinSessionKeyring = (): Call => make("keyctl", [bits("KEYCTL", KEYCTL.JOIN_SESSION_KEYRING), null]);

// New mount API

/** `fsopen(fsname, flags)`: a context to configure a new file system in; its descriptor also reads the kernel's messages. fsopen(2), Linux 5.2 */
export const fsopen = (type: string, flags: number): Call => make("fsopen", [type, bits("FSOPEN", flags)]);
/** `fsconfig(fd, FSCONFIG_SET_STRING, key, value, 0)`: an option; at most 255 bytes. fsconfig(2), Linux 5.2 */
export const fsconfigString = (context: FdArg, key: string, value: Text): Call =>
  make("fsconfig", [fd(context), bits("FSCONFIG", FSCONFIG.SET_STRING), key, value, 0]);
/** `fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0)`: make the file system. fsconfig(2), Linux 5.2 */
export const fsconfigCreate = (context: FdArg): Call =>
  make("fsconfig", [fd(context), bits("FSCONFIG", FSCONFIG.CMD_CREATE), null, null, 0]);
/** `fsmount(fsfd, flags, attr_flags)`: a detached mount of it. fsmount(2), Linux 5.2 */
export const fsmount = (context: FdArg, flags: number, attributes: number): Call =>
  make("fsmount", [fd(context), bits("FSMOUNT", flags), bits("MOUNT_ATTR", attributes)]);
