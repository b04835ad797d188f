/** Descriptors and files: opening, reading, writing, waiting for them. */
import type { Arg, Text } from "../call.ts";
import { F, O } from "../flags.ts";
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
  room,
  text,
} from "../primitive.ts";

/** `openat(dirfd, pathname, flags, mode)`: the mode counts with O_CREAT and O_TMPFILE only. openat(2) */
export const openat = define("openat", "fd", (dirfd: FdArg, path: Text, flags: number, mode: number = 0) => [
  fd(dirfd),
  text(path),
  bits("O", flags),
  ...(flags & O.CREAT ? [octal(mode)] : []),
]);
/** `openat2(dirfd, pathname, how, size)`: resolution under the rules of RESOLVE_*. openat2(2), Linux 5.6 */
export const openat2 = define(
  "openat2",
  "fd",
  (dirfd: FdArg, path: Text, flags: number, resolve: number, mode: number = 0) => [
    fd(dirfd),
    text(path),
    {
      struct: "open_how",
      fields: {
        flags: bits("O", flags),
        ...(flags & O.CREAT ? { mode: octal(mode) } : {}),
        resolve: bits("RESOLVE", resolve),
      },
    },
    24,
  ],
);
/** `close(fd)`. close(2) */
export const close = define("close", "none", (target: FdArg) => [fd(target)]);
/** `close_range(first, last, flags)`: close, or mark close-on-exec, all descriptors from first to last. close_range(2), Linux 5.9 */
export const closeRange = define("close_range", "none", (first: number, last: number, flags: number) => [
  int(first),
  int(last),
  bits("CLOSE_RANGE", flags),
]);
/** `read(fd, buf, count)`: into a buffer; returns how many bytes. read(2) */
export const read = define("read", "number", (source: FdArg, buffer: Out) => [fd(source), out(buffer), room(buffer)]);
/** `pread64(fd, buf, count, offset)`: into a buffer, without moving the file's position; returns how many bytes. pread(2) */
export const pread64 = define("pread64", "number", (source: FdArg, buffer: Out, offset: LongArg) => [
  fd(source),
  out(buffer),
  room(buffer),
  long(offset),
]);
/** `write(fd, buf, count)`: returns how many bytes were taken. write(2) */
export const write = define("write", "number", (target: FdArg, bytes: string | Uint8Array) => [
  fd(target),
  data(bytes),
  lengthOf(bytes),
]);
/** `pwrite64(fd, buf, count, offset)`: without moving the file's position; returns how many bytes were taken. pwrite(2) */
export const pwrite64 = define("pwrite64", "number", (target: FdArg, bytes: string | Uint8Array, offset: LongArg) => [
  fd(target),
  data(bytes),
  lengthOf(bytes),
  long(offset),
]);
/** `mkdirat(dirfd, pathname, mode)`. mkdir(2) */
export const mkdirat = define("mkdirat", "none", (dirfd: FdArg, path: Text, mode: number) => [
  fd(dirfd),
  text(path),
  octal(mode),
]);
/** `mknodat(dirfd, pathname, mode, dev)`: with S_IFREG an empty file; the device counts for device nodes only. mknod(2) */
export const mknodat = define("mknodat", "none", (dirfd: FdArg, path: Text, mode: number, dev: number = 0) => [
  fd(dirfd),
  text(path),
  octal(mode),
  ...(dev === 0 ? [] : [int(dev)]),
]);
/** `symlinkat(target, newdirfd, linkpath)`. symlink(2) */
export const symlinkat = define("symlinkat", "none", (target: string, dirfd: FdArg, path: Text) => [
  text(target),
  fd(dirfd),
  text(path),
]);
/** `unlinkat(dirfd, pathname, flags)`: rmdir(2) with AT_REMOVEDIR. unlink(2) */
export const unlinkat = define("unlinkat", "none", (dirfd: FdArg, path: Text, flags: number) => [
  fd(dirfd),
  text(path),
  bits("AT", flags),
]);
/** `pipe2(pipefd, flags)`: a reading and a writing end. In a step the two numbers are written to eight bytes of `ends`. pipe(2) */
export const pipe2 = define("pipe2", "fds", (flags: number, ends: Out = 8) => [out(ends), bits("O", flags)]);
/** `ppoll(fds, 1, {0, 0}, NULL, 8)`: what is up with one descriptor, at once. poll(2) */
export const pollNow = define("ppoll", "number", (target: FdArg, events: number) => [
  { structs: "pollfd", list: [{ fd: fd(target), events: bits("POLL", events) }], out: true },
  1,
  { struct: "timespec", fields: { tv_sec: 0, tv_nsec: 0 } },
  null,
  8,
]);
/** `ioctl(fd, request, arg)`: a request that has no function of its own here. ioctl(2) */
export const ioctl = define("ioctl", "number", (target: FdArg, request: number, arg: Arg) => [
  fd(target),
  one("IOCTL", request),
  arg,
]);
/** `memfd_create(name, flags)`: an anonymous file in memory. memfd_create(2), Linux 3.17 */
export const memfdCreate = define("memfd_create", "fd", (name: string, flags: number) => [
  text(name),
  bits("MFD", flags),
]);
/** `ftruncate(fd, length)`: a file's size in bytes. truncate(2) */
export const ftruncate = define("ftruncate", "none", (target: FdArg, length: LongArg) => [fd(target), long(length)]);
/** `fcntl(fd, F_ADD_SEALS, seals)`: what nobody may do to a memfd any more. F_ADD_SEALS(2const) */
export const addSeals = define("fcntl", "none", (target: FdArg, seals: number) => [
  fd(target),
  one("F", F.ADD_SEALS),
  bits("F_SEAL", seals),
]);
