/** Descriptors and files: opening, reading, writing, locking, naming, attributes, waiting for them, terminals. */
import type { Arg, Fields, Text } from "../call.ts";
import { F, IOCTL, O, S } from "../flags.ts";
import {
  bits,
  data,
  define,
  fd,
  type FdArg,
  int,
  lengthOf,
  long,
  type LongArg,
  octal,
  one,
  type Out,
  out,
  refused,
  room,
  text,
  textOrNull,
} from "../primitive.ts";

// Opening and closing

/** Whether open makes a file, and so takes a mode. O_TMPFILE is two bits, of which one is O_DIRECTORY. */
const creates = (flags: number): boolean => (flags & (O.CREAT | (O.TMPFILE & ~O.DIRECTORY))) !== 0;

/** `openat(dirfd, pathname, flags, mode)`: the mode counts with O_CREAT and O_TMPFILE only. openat(2) */
export const openat = /* @__PURE__ */ define(
  "openat",
  "fd",
  (dirfd: FdArg, path: Text, flags: number, mode: number = 0) => [
    fd(dirfd),
    text(path),
    bits("O", flags),
    ...(creates(flags) ? [octal(mode)] : []),
  ],
);
/**
 * `openat2(dirfd, pathname, how, size)`: resolution under the rules of RESOLVE_*. openat2(2), Linux 5.6
 * @throws {SyscallError} EXDEV when the path leaves what it was to stay in, ELOOP for a link that is ruled out, EAGAIN when something was renamed meanwhile.
 */
export const openat2 = /* @__PURE__ */ define(
  "openat2",
  "fd",
  (dirfd: FdArg, path: Text, flags: number, resolve: number, mode: number = 0) => [
    fd(dirfd),
    text(path),
    {
      struct: "open_how",
      fields: {
        flags: bits("O", flags),
        ...(creates(flags) || mode !== 0 ? { mode: octal(mode) } : {}),
        resolve: bits("RESOLVE", resolve),
      },
    },
    24,
  ],
);
/** `close(fd)`. close(2) */
export const close = /* @__PURE__ */ define("close", "none", (target: FdArg) => [fd(target)]);
/**
 * `close_range(first, last, flags)`: close, or mark close-on-exec, all descriptors from first to last. close_range(2), Linux 5.9
 * @throws {SyscallError} EINVAL when the first is above the last; before Linux 5.11 for CLOSE_RANGE_CLOEXEC.
 */
export const closeRange = /* @__PURE__ */ define(
  "close_range",
  "none",
  (first: number, last: number, flags: number) => [int(first), int(last), bits("CLOSE_RANGE", flags)],
);
/**
 * `dup3(oldfd, newfd, flags)`: lets a number stand for another file, closing what it stood for; returns that number, which nobody owns
 * who did not own it before. dup(2)
 * @throws {SyscallError} EINVAL when both are the same.
 */
export const dup3 = /* @__PURE__ */ define("dup3", "number", (old: FdArg, target: FdArg, flags: number) => [
  fd(old),
  fd(target),
  bits("O_FD", flags),
]);
/** `fcntl(fd, F_DUPFD_CLOEXEC, from)`: a second descriptor of the same open file, the first free one from a number on. F_DUPFD(2const) */
export const dupfdCloexec = /* @__PURE__ */ define("fcntl", "fd", (source: FdArg, from: number = 0) => [
  fd(source),
  one("F", F.DUPFD_CLOEXEC),
  int(from),
]);
/** `fcntl(fd, F_DUPFD_QUERY, other)`: 1 when both are of the same open file, otherwise 0. F_DUPFD_QUERY(2const), Linux 6.10 */
export const dupfdQuery = /* @__PURE__ */ define("fcntl", "number", (source: FdArg, other: FdArg) => [
  fd(source),
  one("F", F.DUPFD_QUERY),
  fd(other),
]);
/** `fcntl(fd, F_GETFD)`: flags of the descriptor, `FD.CLOEXEC` or 0. F_GETFD(2const) */
export const getFd = /* @__PURE__ */ define("fcntl", "number", (target: FdArg) => [fd(target), one("F", F.GETFD)]);
/** `fcntl(fd, F_SETFD, flags)`: flags of the descriptor, `FD.CLOEXEC` or 0. F_SETFD(2const) */
export const setFd = /* @__PURE__ */ define("fcntl", "none", (target: FdArg, flags: number) => [
  fd(target),
  one("F", F.SETFD),
  bits("FD", flags),
]);
/** `fcntl(fd, F_GETFL)`: access mode and status flags of the open file, of `O`. F_GETFL(2const) */
export const getFl = /* @__PURE__ */ define("fcntl", "number", (target: FdArg) => [fd(target), one("F", F.GETFL)]);
/** `fcntl(fd, F_SETFL, flags)`: O_APPEND, O_ASYNC, O_DIRECT, O_NOATIME and O_NONBLOCK of the open file, for all who share it. F_SETFL(2const) */
export const setFl = /* @__PURE__ */ define("fcntl", "none", (target: FdArg, flags: number) => [
  fd(target),
  one("F", F.SETFL),
  bits("O", flags),
]);

// Contents

/** `read(fd, buf, count)`: into a buffer; returns how many bytes. read(2) */
export const read = /* @__PURE__ */ define("read", "number", (source: FdArg, buffer: Out) => [
  fd(source),
  out(buffer),
  room(buffer),
]);
/** `pread64(fd, buf, count, offset)`: into a buffer, without moving the file's position; returns how many bytes. pread(2) */
export const pread64 = /* @__PURE__ */ define("pread64", "number", (source: FdArg, buffer: Out, offset: LongArg) => [
  fd(source),
  out(buffer),
  room(buffer),
  long(offset),
]);
/** `write(fd, buf, count)`: returns how many bytes were taken. write(2) */
export const write = /* @__PURE__ */ define("write", "number", (target: FdArg, bytes: string | Uint8Array) => [
  fd(target),
  data(bytes),
  lengthOf(bytes),
]);
/** `pwrite64(fd, buf, count, offset)`: without moving the file's position; returns how many bytes were taken. pwrite(2) */
export const pwrite64 = /* @__PURE__ */ define(
  "pwrite64",
  "number",
  (target: FdArg, bytes: string | Uint8Array, offset: LongArg) => [
    fd(target),
    data(bytes),
    lengthOf(bytes),
    long(offset),
  ],
);
/**
 * `lseek(fd, offset, whence)`: moves the file's position, or finds data and holes; returns it in bytes. lseek(2)
 * @throws {SyscallError} ESPIPE for pipes and sockets, ENXIO for SEEK_DATA behind the last data.
 */
export const lseek = /* @__PURE__ */ define("lseek", "number", (target: FdArg, offset: LongArg, whence: number) => [
  fd(target),
  long(offset),
  one("SEEK", whence),
]);

/** A position to start from instead of the file's own, which then stays. */
const position = (offset: LongArg | null): Arg =>
  offset === null ? null : { struct: "loff_t", fields: { offset: long(offset) } };

/**
 * `copy_file_range(fd_in, off_in, fd_out, off_out, size, flags)`: bytes from file to file, in the kernel; returns how many. An offset of
 * null is the file's position, which moves on. copy_file_range(2)
 * @throws {SyscallError} EXDEV between file systems that cannot, EINVAL for ranges that overlap and for what is no regular file.
 */
export const copyFileRange = /* @__PURE__ */ define(
  "copy_file_range",
  "number",
  (
    from: FdArg,
    fromOffset: LongArg | null,
    to: FdArg,
    toOffset: LongArg | null,
    length: LongArg,
    flags: number = 0,
  ) => [fd(from), position(fromOffset), fd(to), position(toOffset), long(length), int(flags)],
);
/** `sendfile(out_fd, in_fd, offset, count)`: bytes of a file to any descriptor; returns how many. An offset of null is the file's position. sendfile(2) */
export const sendfile = /* @__PURE__ */ define(
  "sendfile",
  "number",
  (to: FdArg, from: FdArg, offset: LongArg | null, count: LongArg) => [fd(to), fd(from), position(offset), long(count)],
);
/** `ftruncate(fd, length)`: a file's size in bytes. truncate(2) */
export const ftruncate = /* @__PURE__ */ define("ftruncate", "none", (target: FdArg, length: LongArg) => [
  fd(target),
  long(length),
]);
/**
 * `fallocate(fd, mode, offset, size)`: room in a file, or with a mode holes and zeros in it. fallocate(2)
 * @throws {SyscallError} EOPNOTSUPP when the file system lacks that mode.
 */
export const fallocate = /* @__PURE__ */ define(
  "fallocate",
  "none",
  (target: FdArg, mode: number, offset: LongArg, length: LongArg) => [
    fd(target),
    bits("FALLOC", mode),
    long(offset),
    long(length),
  ],
);
/** `fsync(fd)`: waits until a file is on the disk. fsync(2) */
export const fsync = /* @__PURE__ */ define("fsync", "none", (target: FdArg) => [fd(target)]);

// Locks

/**
 * `flock(fd, op)`: a lock on the whole file, of all descriptors of this open file. Waits without LOCK_NB. flock(2)
 * @throws {SyscallError} EAGAIN with LOCK_NB when another holds it.
 */
export const flock = /* @__PURE__ */ define("flock", "none", (target: FdArg, operation: number) => [
  fd(target),
  bits("LOCK", operation),
]);

const lock = (type: number, whence: number, start: LongArg, length: LongArg): Fields => ({
  l_type: one("F_LOCK", type),
  l_whence: one("SEEK", whence),
  l_start: long(start),
  l_len: long(length),
});
const setLock =
  (command: number) =>
  (target: FdArg, type: number, whence: number, start: LongArg, length: LongArg): readonly Arg[] => [
    fd(target),
    one("F", command),
    { struct: "flock", fields: lock(type, whence, start, length) },
  ];

/**
 * `fcntl(fd, F_OFD_SETLK, lock)`: locks or unlocks a range of a file for this open file; a length of 0 is up to its end. F_OFD_SETLK(2const)
 * @throws {SyscallError} EAGAIN when another holds a lock on it.
 */
export const ofdSetlk = /* @__PURE__ */ define("fcntl", "none", setLock(F.OFD_SETLK));
/** `fcntl(fd, F_OFD_SETLKW, lock)`: as `ofdSetlk`, but this thread waits for the lock. F_OFD_SETLKW(2const) */
export const ofdSetlkw = /* @__PURE__ */ define("fcntl", "none", setLock(F.OFD_SETLKW));
/** `fcntl(fd, F_OFD_GETLK, lock)`: a lock that stands in the way of this one, or `l_type` F_UNLCK when none does. F_OFD_GETLK(2const) */
export const ofdGetlk = /* @__PURE__ */ define(
  "fcntl",
  "flock",
  (target: FdArg, type: number, whence: number, start: LongArg, length: LongArg) => [
    fd(target),
    one("F", F.OFD_GETLK),
    { struct: "flock", fields: lock(type, whence, start, length), out: true },
  ],
);

// Names

/** `mkdirat(dirfd, pathname, mode)`. mkdir(2) */
export const mkdirat = /* @__PURE__ */ define("mkdirat", "none", (dirfd: FdArg, path: Text, mode: number) => [
  fd(dirfd),
  text(path),
  octal(mode),
]);
/**
 * `mknodat(dirfd, pathname, mode, dev)`: with S_IFREG an empty file; the device, of `makedev`, counts for device nodes only. mknod(2)
 * @throws {SyscallError} EPERM for a device node without CAP_MKNOD in the first user namespace.
 */
export const mknodat = /* @__PURE__ */ define(
  "mknodat",
  "none",
  (dirfd: FdArg, path: Text, mode: number, dev: number = 0) => [
    fd(dirfd),
    text(path),
    octal(mode),
    ...((mode & S.IFMT) === S.IFCHR || (mode & S.IFMT) === S.IFBLK ? [int(dev)] : []),
  ],
);
/** `symlinkat(target, newdirfd, linkpath)`. symlink(2) */
export const symlinkat = /* @__PURE__ */ define("symlinkat", "none", (target: string, dirfd: FdArg, path: Text) => [
  text(target),
  fd(dirfd),
  text(path),
]);
/**
 * `linkat(olddirfd, oldpath, newdirfd, newpath, flags)`: another name for a file; with AT_EMPTY_PATH or AT_SYMLINK_FOLLOW of
 * /proc/self/fd/N the first name of one made with O_TMPFILE. link(2)
 * @throws {SyscallError} EXDEV when the two are not on one mount.
 */
export const linkat = /* @__PURE__ */ define(
  "linkat",
  "none",
  (from: FdArg, fromPath: Text, to: FdArg, toPath: Text, flags: number = 0) => [
    fd(from),
    text(fromPath),
    fd(to),
    text(toPath),
    bits("AT", flags),
  ],
);
/** `readlinkat(dirfd, pathname, buf, bufsiz)`: where a link leads; with an empty path the link that was opened with O_PATH. readlink(2) */
export const readlinkat = /* @__PURE__ */ define(
  "readlinkat",
  "text",
  (dirfd: FdArg, path: Text, target: Out = 4096) => [fd(dirfd), text(path), out(target), room(target)],
);
/**
 * `renameat2(olddirfd, oldpath, newdirfd, newpath, flags)`: with RENAME_EXCHANGE the two change places, with RENAME_WHITEOUT a device 0:0
 * stays behind. rename(2)
 * @throws {SyscallError} EEXIST with RENAME_NOREPLACE, EXDEV when the two are not on one mount, EINVAL for a flag that the file system lacks.
 */
export const renameat2 = /* @__PURE__ */ define(
  "renameat2",
  "none",
  (from: FdArg, fromPath: Text, to: FdArg, toPath: Text, flags: number = 0) => [
    fd(from),
    text(fromPath),
    fd(to),
    text(toPath),
    bits("RENAME", flags),
  ],
);
/** `unlinkat(dirfd, pathname, flags)`: rmdir(2) with AT_REMOVEDIR. unlink(2) */
export const unlinkat = /* @__PURE__ */ define("unlinkat", "none", (dirfd: FdArg, path: Text, flags: number) => [
  fd(dirfd),
  text(path),
  bits("AT", flags),
]);
/** `getdents64(fd, dirp, count)`: the next entries of a directory as the kernel packs them, none at its end. getdents(2) */
export const getdents64 = /* @__PURE__ */ define("getdents64", "bytes", (dir: FdArg, entries: Out = 32768) => [
  fd(dir),
  out(entries),
  room(entries),
]);

// Modes, owners, times

/** `fchmodat(dirfd, pathname, mode)`: the kernel's, without flags; follows links. chmod(2) */
export const fchmodat = /* @__PURE__ */ define("fchmodat", "none", (dirfd: FdArg, path: Text, mode: number) => [
  fd(dirfd),
  text(path),
  octal(mode),
]);
/**
 * `fchmodat2(dirfd, pathname, mode, flags)`: fchmodat with AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH. chmod(2), Linux 6.6
 * @throws {SyscallError} EOPNOTSUPP for a symbolic link, which has no mode.
 */
export const fchmodat2 = /* @__PURE__ */ define(
  "fchmodat2",
  "none",
  (dirfd: FdArg, path: Text, mode: number, flags: number) => [fd(dirfd), text(path), octal(mode), bits("AT", flags)],
);
/** `fchownat(dirfd, pathname, owner, group, flags)`; -1 leaves one as it is. chown(2) */
export const fchownat = /* @__PURE__ */ define(
  "fchownat",
  "none",
  (dirfd: FdArg, path: Text, uid: number, gid: number, flags: number = 0) => [
    fd(dirfd),
    text(path),
    int(uid),
    int(gid),
    bits("AT", flags),
  ],
);

/** A file's time: seconds and nanoseconds, or `UTIME.NOW` or `UTIME.OMIT` for the nanoseconds. */
interface FileTime {
  readonly tv_sec: number;
  readonly tv_nsec: number;
}

/** Two of them, whatever is handed over: the kernel reads as many. */
const fileTimes = (times: readonly FileTime[]): Arg =>
  times.length === 2
    ? { structs: "timespec", list: times.map(({ tv_sec, tv_nsec }) => ({ tv_sec, tv_nsec })) }
    : refused(times, "two times, of access and of modification");

/** `utimensat(dirfd, pathname, times, flags)`: times of access and change, null for now; a path of null is the descriptor's own file. utimensat(2) */
export const utimensat = /* @__PURE__ */ define(
  "utimensat",
  "none",
  (
    dirfd: FdArg,
    path: Text | null,
    times: readonly [access: FileTime, modification: FileTime] | null,
    flags: number = 0,
  ) => [fd(dirfd), textOrNull(path), times === null ? null : fileTimes(times), bits("AT", flags)],
);
/**
 * `faccessat2(dirfd, pathname, mode, flags)`: asks with the real ids, or the effective ones with AT_EACCESS; returns when all is allowed.
 * access(2), Linux 5.8
 * @throws {SyscallError} EACCES when it is not.
 */
export const faccessat2 = /* @__PURE__ */ define(
  "faccessat2",
  "none",
  (dirfd: FdArg, path: Text, mode: number, flags: number = 0) => [
    fd(dirfd),
    text(path),
    bits("ACCESS", mode),
    bits("AT_ACCESS", flags),
  ],
);

// Extended attributes. The room for results is the most that the kernel has: 64 KiB for a value, and for a list.

const xattrRoom = 65536;
const setPathXattr = (path: Text, name: string, value: string | Uint8Array, flags: number = 0): readonly Arg[] => [
  text(path),
  text(name),
  data(value),
  lengthOf(value),
  bits("XATTR", flags),
];
const getPathXattr = (path: Text, name: string, value: Out = xattrRoom): readonly Arg[] => [
  text(path),
  text(name),
  out(value),
  room(value),
];
const listPathXattr = (path: Text, names: Out = xattrRoom): readonly Arg[] => [text(path), out(names), room(names)];

/**
 * `setxattr(path, name, value, size, flags)`: an extended attribute. setxattr(2)
 * @throws {SyscallError} EEXIST with XATTR_CREATE, ENODATA with XATTR_REPLACE, EOPNOTSUPP, EPERM for trusted.* without CAP_SYS_ADMIN.
 */
export const setxattr = /* @__PURE__ */ define("setxattr", "none", setPathXattr);
/** `lsetxattr(path, name, value, size, flags)`: of a link itself. setxattr(2) */
export const lsetxattr = /* @__PURE__ */ define("lsetxattr", "none", setPathXattr);
/** `fsetxattr(fd, name, value, size, flags)`: by descriptor. setxattr(2) */
export const fsetxattr = /* @__PURE__ */ define(
  "fsetxattr",
  "none",
  (target: FdArg, name: string, value: string | Uint8Array, flags: number = 0) => [
    fd(target),
    text(name),
    data(value),
    lengthOf(value),
    bits("XATTR", flags),
  ],
);
/**
 * `setxattrat(dirfd, path, at_flags, name, args, size)`: with AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH. setxattr(2), Linux 6.13
 * @throws {SyscallError} as `setxattr`.
 */
export const setxattrat = /* @__PURE__ */ define(
  "setxattrat",
  "none",
  (dirfd: FdArg, path: Text, atFlags: number, name: string, value: string | Uint8Array, flags: number = 0) => [
    fd(dirfd),
    text(path),
    bits("AT", atFlags),
    text(name),
    {
      struct: "xattr_args",
      fields: { value: data(value), size: lengthOf(value), flags: bits("XATTR", flags) },
    },
    16,
  ],
);
/**
 * `getxattr(path, name, value, size)`: the value of an extended attribute. getxattr(2)
 * @throws {SyscallError} ENODATA when there is none, ERANGE when the buffer is too small for it.
 */
export const getxattr = /* @__PURE__ */ define("getxattr", "bytes", getPathXattr);
/** `lgetxattr(path, name, value, size)`: of a link itself. getxattr(2) */
export const lgetxattr = /* @__PURE__ */ define("lgetxattr", "bytes", getPathXattr);
/** `fgetxattr(fd, name, value, size)`: by descriptor. getxattr(2) */
export const fgetxattr = /* @__PURE__ */ define(
  "fgetxattr",
  "bytes",
  (source: FdArg, name: string, value: Out = xattrRoom) => [fd(source), text(name), out(value), room(value)],
);
/** `getxattr(path, name, NULL, 0)`: how many bytes the value has. getxattr(2) */
export const getxattrSize = /* @__PURE__ */ define("getxattr", "number", (path: Text, name: string) => [
  text(path),
  text(name),
  null,
  0,
]);
/** `getxattrat(dirfd, path, at_flags, name, args, size)`: into a buffer; returns how many bytes, and how many it takes for an empty one. getxattr(2), Linux 6.13 */
export const getxattrat = /* @__PURE__ */ define(
  "getxattrat",
  "number",
  (dirfd: FdArg, path: Text, atFlags: number, name: string, buffer: Uint8Array) => [
    fd(dirfd),
    text(path),
    bits("AT", atFlags),
    text(name),
    { struct: "xattr_args", fields: { value: out(buffer), size: room(buffer), flags: 0 } },
    16,
  ],
);
/** `listxattr(path, list, size)`: the names of the extended attributes that the caller may see, each ended by NUL. listxattr(2) */
export const listxattr = /* @__PURE__ */ define("listxattr", "bytes", listPathXattr);
/** `llistxattr(path, list, size)`: of a link itself. listxattr(2) */
export const llistxattr = /* @__PURE__ */ define("llistxattr", "bytes", listPathXattr);
/** `flistxattr(fd, list, size)`: by descriptor. listxattr(2) */
export const flistxattr = /* @__PURE__ */ define("flistxattr", "bytes", (source: FdArg, names: Out = xattrRoom) => [
  fd(source),
  out(names),
  room(names),
]);
/** `listxattr(path, NULL, 0)`: how many bytes the names have. listxattr(2) */
export const listxattrSize = /* @__PURE__ */ define("listxattr", "number", (path: Text) => [text(path), null, 0]);
/** `listxattrat(dirfd, path, at_flags, list, size)`: with AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH. listxattr(2), Linux 6.13 */
export const listxattrat = /* @__PURE__ */ define(
  "listxattrat",
  "bytes",
  (dirfd: FdArg, path: Text, atFlags: number, names: Out = xattrRoom) => [
    fd(dirfd),
    text(path),
    bits("AT", atFlags),
    out(names),
    room(names),
  ],
);
/**
 * `removexattr(path, name)`. removexattr(2)
 * @throws {SyscallError} ENODATA when there is none of that name.
 */
export const removexattr = /* @__PURE__ */ define("removexattr", "none", (path: Text, name: string) => [
  text(path),
  text(name),
]);
/** `lremovexattr(path, name)`: of a link itself. removexattr(2) */
export const lremovexattr = /* @__PURE__ */ define("lremovexattr", "none", (path: Text, name: string) => [
  text(path),
  text(name),
]);
/** `fremovexattr(fd, name)`: by descriptor. removexattr(2) */
export const fremovexattr = /* @__PURE__ */ define("fremovexattr", "none", (target: FdArg, name: string) => [
  fd(target),
  text(name),
]);
/** `removexattrat(dirfd, path, at_flags, name)`: with AT_SYMLINK_NOFOLLOW and AT_EMPTY_PATH. removexattr(2), Linux 6.13 */
export const removexattrat = /* @__PURE__ */ define(
  "removexattrat",
  "none",
  (dirfd: FdArg, path: Text, atFlags: number, name: string) => [fd(dirfd), text(path), bits("AT", atFlags), text(name)],
);

// What has no name in the file system

/** `pipe2(pipefd, flags)`: a reading and a writing end. In a step the two numbers are written to eight bytes of `ends`. pipe(2) */
export const pipe2 = /* @__PURE__ */ define("pipe2", "fds", (flags: number, ends: Out = 8) => [
  out(ends, 8),
  bits("O_FD", flags),
]);
/**
 * `fcntl(fd, F_SETPIPE_SZ, size)`: how many bytes a pipe takes, rounded up to pages; returns that size. F_SETPIPE_SZ(2const)
 * @throws {SyscallError} EPERM above fs.pipe-max-size, EBUSY when there is more in the pipe.
 */
export const setPipeSz = /* @__PURE__ */ define("fcntl", "number", (pipe: FdArg, bytes: number) => [
  fd(pipe),
  one("F", F.SETPIPE_SZ),
  int(bytes),
]);
/** `fcntl(fd, F_GETPIPE_SZ)`: how many bytes a pipe takes. F_GETPIPE_SZ(2const) */
export const getPipeSz = /* @__PURE__ */ define("fcntl", "number", (pipe: FdArg) => [fd(pipe), one("F", F.GETPIPE_SZ)]);
/** `memfd_create(name, flags)`: an anonymous file in memory. memfd_create(2), Linux 3.17 */
export const memfdCreate = /* @__PURE__ */ define("memfd_create", "fd", (name: string, flags: number) => [
  text(name),
  bits("MFD", flags),
]);
/**
 * `fcntl(fd, F_ADD_SEALS, seals)`: what nobody may do to a memfd any more. F_ADD_SEALS(2const)
 * @throws {SyscallError} EPERM when it is sealed against seals, EBUSY for F_SEAL_WRITE while it is mapped for writing, EINVAL for other files.
 */
export const addSeals = /* @__PURE__ */ define("fcntl", "none", (target: FdArg, seals: number) => [
  fd(target),
  one("F", F.ADD_SEALS),
  bits("F_SEAL", seals),
]);
/** `fcntl(fd, F_GET_SEALS)`: the seals of a memfd, of `F_SEAL`. F_GET_SEALS(2const) */
export const getSeals = /* @__PURE__ */ define("fcntl", "number", (target: FdArg) => [
  fd(target),
  one("F", F.GET_SEALS),
]);
/** `eventfd2(initval, flags)`: a counter of 64 bits, which write adds to and read takes. eventfd(2) */
export const eventfd2 = /* @__PURE__ */ define("eventfd2", "fd", (initial: number, flags: number) => [
  int(initial),
  bits("EFD", flags),
]);

// Waiting

/** `ppoll(fds, 1, {0, 0}, NULL, 8)`: what is up with one descriptor, at once. poll(2) */
export const pollNow = /* @__PURE__ */ define("ppoll", "number", (target: FdArg, events: number) => [
  { structs: "pollfd", list: [{ fd: fd(target), events: bits("POLL", events) }], out: true },
  1,
  { struct: "timespec", fields: { tv_sec: 0, tv_nsec: 0 } },
  null,
  8,
]);
/** A descriptor, and what of `POLL.*` to wait for; `POLL.ERR` and `POLL.HUP` always are. Negative descriptors are skipped. poll(2) */
export interface PollFd {
  readonly fd: FdArg;
  /** `POLL.IN | POLL.OUT`: what to wait for. */
  readonly events: number;
}

/**
 * `ppoll(fds, nfds, timeout, NULL, 8)`: waits, for so many milliseconds or without an end (null), until something is up with one of
 * several descriptors; returns them in their order with `revents`, 0 for nothing. poll(2)
 * @throws {SyscallError} EINTR for a signal, EINVAL for a negative timeout.
 */
export const ppoll = /* @__PURE__ */ define("ppoll", "pollfd[]", (fds: readonly PollFd[], timeoutMs: number | null) => [
  {
    structs: "pollfd",
    list: fds.map((one) => ({ fd: fd(one.fd), events: bits("POLL", one.events) })),
    out: true,
  },
  fds.length,
  timeoutMs === null ? null : timespec(timeoutMs),
  null,
  8,
]);

function timespec(ms: number): Arg {
  if (!Number.isFinite(ms)) return refused(ms, "a number of milliseconds, or null");
  const seconds = Math.floor(ms / 1000);
  return { struct: "timespec", fields: { tv_sec: seconds, tv_nsec: Math.floor((ms - 1000 * seconds) * 1e6) } };
}

/** `inotify_init1(flags)`: a descriptor that reads events, see `parseInotifyEvents`. inotify_init(2) */
export const inotifyInit1 = /* @__PURE__ */ define("inotify_init1", "fd", (flags: number) => [bits("IN_INIT", flags)]);
/**
 * `inotify_add_watch(fd, pathname, mask)`: watches a file, or a directory and what is in it; returns the watch's number. inotify_add_watch(2)
 * @throws {SyscallError} ENOSPC at fs.inotify.max_user_watches.
 */
export const inotifyAddWatch = /* @__PURE__ */ define(
  "inotify_add_watch",
  "number",
  (inotify: FdArg, path: Text, mask: number) => [fd(inotify), text(path), bits("IN", mask)],
);
/** `inotify_rm_watch(fd, wd)`: an IN_IGNORED event follows. inotify_rm_watch(2) */
export const inotifyRmWatch = /* @__PURE__ */ define("inotify_rm_watch", "none", (inotify: FdArg, watch: number) => [
  fd(inotify),
  int(watch),
]);

// Requests

/** `ioctl(fd, request, arg)`: a request that has no function of its own here. ioctl(2) */
export const ioctl = /* @__PURE__ */ define("ioctl", "number", (target: FdArg, request: number, arg: Arg) => [
  fd(target),
  one("IOCTL", request),
  arg,
]);
/**
 * `ioctl(fd, FICLONE, src_fd)`: the file shares all blocks of another until one of them is written. FICLONE(2const)
 * @throws {SyscallError} EOPNOTSUPP where the file system cannot: Btrfs, XFS and bcachefs can.
 */
export const ficlone = /* @__PURE__ */ define("ioctl", "none", (target: FdArg, source: FdArg) => [
  fd(target),
  one("IOCTL", IOCTL.FICLONE),
  fd(source),
]);
/**
 * `ioctl(fd, FS_IOC_GETFLAGS, attr)`: what lsattr(1) shows, of `FS`. FS_IOC_GETFLAGS(2const)
 * @throws {SyscallError} ENOTTY where the file system has none.
 */
export const fsIocGetflags = /* @__PURE__ */ define("ioctl", "u32", (target: FdArg, flags: Out = 4) => [
  fd(target),
  one("IOCTL", IOCTL.FS_IOC_GETFLAGS),
  out(flags, 4),
]);
/**
 * `ioctl(fd, FS_IOC_SETFLAGS, attr)`: all flags of a file anew, of `FS`. FS_IOC_SETFLAGS(2const)
 * @throws {SyscallError} EPERM for FS_IMMUTABLE_FL and FS_APPEND_FL without CAP_LINUX_IMMUTABLE.
 */
export const fsIocSetflags = /* @__PURE__ */ define("ioctl", "none", (target: FdArg, flags: number) => [
  fd(target),
  one("IOCTL", IOCTL.FS_IOC_SETFLAGS),
  { struct: "fs_flags", fields: { flags: bits("FS", flags) } },
]);

// Terminals

/** `ioctl(fd, TIOCSPTLCK, locked)`: 0 lets the other side of /dev/ptmx be opened. TIOCSPTLCK(2const) */
export const tiocsptlck = /* @__PURE__ */ define("ioctl", "none", (terminal: FdArg, locked: 0 | 1) => [
  fd(terminal),
  one("IOCTL", IOCTL.TIOCSPTLCK),
  { words: [locked] },
]);
/** `ioctl(fd, TIOCGPTN, number)`: N of /dev/pts/N, of its other side. TIOCGPTN(2const) */
export const tiocgptn = /* @__PURE__ */ define("ioctl", "u32", (terminal: FdArg, number: Out = 4) => [
  fd(terminal),
  one("IOCTL", IOCTL.TIOCGPTN),
  out(number, 4),
]);
/**
 * `ioctl(fd, TIOCGPTPEER, flags)`: the other side of a terminal, opened without a path that could lead elsewhere. TIOCGPTPEER(2const)
 * @throws {SyscallError} EIO while it is locked.
 */
export const tiocgptpeer = /* @__PURE__ */ define("ioctl", "fd", (terminal: FdArg, flags: number) => [
  fd(terminal),
  one("IOCTL", IOCTL.TIOCGPTPEER),
  bits("O", flags),
]);
/** `ioctl(fd, TIOCGWINSZ, size)`: rows and columns of a terminal. TIOCGWINSZ(2const) */
export const tiocgwinsz = /* @__PURE__ */ define("ioctl", "winsize", (terminal: FdArg, size: Out = "winsize") => [
  fd(terminal),
  one("IOCTL", IOCTL.TIOCGWINSZ),
  out(size, "winsize"),
]);
/** `ioctl(fd, TIOCSWINSZ, size)`: rows and columns of a terminal, whose programs get SIGWINCH. TIOCSWINSZ(2const) */
export const tiocswinsz = /* @__PURE__ */ define(
  "ioctl",
  "none",
  (terminal: FdArg, rows: number, columns: number, xPixels: number = 0, yPixels: number = 0) => [
    fd(terminal),
    one("IOCTL", IOCTL.TIOCSWINSZ),
    { struct: "winsize", fields: { ws_row: rows, ws_col: columns, ws_xpixel: xPixels, ws_ypixel: yPixels } },
  ],
);
/**
 * `ioctl(fd, TIOCSCTTY, steal)`: the controlling terminal of the caller's session; 1 takes it from another session. TIOCSCTTY(2const)
 * @throws {SyscallError} EPERM when the caller leads no session, has a terminal, or another session has this one.
 */
export const tiocsctty = /* @__PURE__ */ define("ioctl", "none", (terminal: FdArg, steal: 0 | 1 = 0) => [
  fd(terminal),
  one("IOCTL", IOCTL.TIOCSCTTY),
  int(steal),
]);
/**
 * `ioctl(fd, TIOCNOTTY)`: the caller gives up its controlling terminal. TIOCNOTTY(2const)
 * @throws {SyscallError} ENOTTY when it is another one.
 */
export const tiocnotty = /* @__PURE__ */ define("ioctl", "none", (terminal: FdArg) => [
  fd(terminal),
  one("IOCTL", IOCTL.TIOCNOTTY),
]);

/** Modes of a terminal, as `tcgets` returns them. */
interface Termios {
  readonly c_iflag: number;
  readonly c_oflag: number;
  readonly c_cflag: number;
  readonly c_lflag: number;
  readonly c_line: number;
  readonly c_cc: Uint8Array;
}

const setTermios =
  (request: number) =>
  (terminal: FdArg, modes: Termios): readonly Arg[] => [
    fd(terminal),
    one("IOCTL", request),
    {
      struct: "termios",
      fields: {
        c_iflag: bits("IFLAG", modes.c_iflag),
        c_oflag: bits("OFLAG", modes.c_oflag),
        c_cflag: bits("CFLAG", modes.c_cflag),
        c_lflag: bits("LFLAG", modes.c_lflag),
        c_line: modes.c_line,
        c_cc: modes.c_cc,
      },
    },
  ];

/** `ioctl(fd, TCGETS, argp)`: modes of a terminal, of `IFLAG`, `OFLAG`, `CFLAG`, `LFLAG` and `CC`. TCSETS(2const) */
export const tcgets = /* @__PURE__ */ define("ioctl", "termios", (terminal: FdArg, modes: Out = "termios") => [
  fd(terminal),
  one("IOCTL", IOCTL.TCGETS),
  out(modes, "termios"),
]);
/**
 * `ioctl(fd, TCSETS, argp)`: modes of a terminal, at once. TCSETS(2const)
 * `const modes = sys.tcgets(0); sys.tcsets(0, { ...modes, c_lflag: modes.c_lflag & ~LFLAG.ECHO });`
 */
export const tcsets = /* @__PURE__ */ define("ioctl", "none", setTermios(IOCTL.TCSETS));
/** `ioctl(fd, TCSETSW, argp)`: as `tcsets`, after what was written has been sent. TCSETS(2const) */
export const tcsetsw = /* @__PURE__ */ define("ioctl", "none", setTermios(IOCTL.TCSETSW));
/** `ioctl(fd, TCSETSF, argp)`: as `tcsetsw`, and what was typed and not read yet is dropped. TCSETS(2const) */
export const tcsetsf = /* @__PURE__ */ define("ioctl", "none", setTermios(IOCTL.TCSETSF));
