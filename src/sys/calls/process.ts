/** Processes: making, naming, limiting, becoming another program. */
import type { Arg, Text } from "../call.ts";
import { bits, define, fd, type FdArg, int, long, octal, one, type Out, out, type PidArg, text } from "../primitive.ts";

/**
 * `clone3(cl_args, size)`: a child process; returns its pid, and 0 in the child. clone(2), Linux 5.3
 * As a step only: the child goes on with the section that the step names.
 * @param flags CLONE_NEW* and the like, added up (CLONE_INTO_CGROUP is above 32 bits, where `|` does not reach).
 * @param more.cgroup Directory descriptor of a v2 group, with CLONE_INTO_CGROUP. Linux 5.7
 * @param more.stackBytes A stack of its own, with CLONE_VM.
 */
export const clone3 = define(
  "clone3",
  "number",
  (flags: number, exitSignal: number, more: { cgroup?: FdArg; stackBytes?: number } = {}) => [
    {
      struct: "clone_args",
      fields: {
        flags: bits("CLONE", flags),
        exit_signal: one("SIG", exitSignal),
        stack: more.stackBytes === undefined ? null : { out: more.stackBytes },
        stack_size: more.stackBytes ?? 0,
        ...(more.cgroup === undefined ? {} : { cgroup: fd(more.cgroup) }),
      },
    },
    88,
  ],
);
/** `prctl(option, arg2, ...)`: attributes of the calling process. prctl(2) */
export const prctl = define("prctl", "number", (option: number, ...args: readonly Arg[]) => [
  one("PR", option),
  ...args.filter((arg) => arg !== undefined),
]);
/** `getpid()`. getpid(2) */
export const getpid = define("getpid", "number", () => []);
/** `wait4(pid, wstatus, options, rusage)`: reap a child; the wait status is written to four bytes. wait4(2) */
export const wait4 = define("wait4", "number", (pid: PidArg, status: Out, options: number) => [
  int(pid),
  out(status),
  bits("W", options),
  null,
]);
/** `setsid()`: a session of its own, without a controlling terminal. setsid(2) */
export const setsid = define("setsid", "number", () => []);
/** `umask(mask)`: the bits that new files do not get; returns those of before. umask(2) */
export const umask = define("umask", "number", (mask: number) => [octal(mask)]);
/** `prlimit64(pid, resource, new_limit, old_limit)`: pid 0 is the caller; `Infinity` is RLIM64_INFINITY. prlimit(2) */
export const prlimit64 = define("prlimit64", "none", (pid: PidArg, resource: number, soft: number, hard: number) => [
  int(pid),
  one("RLIMIT", resource),
  { struct: "rlimit64", fields: { rlim_cur: soft, rlim_max: hard } },
  null,
]);
/** `execve(pathname, argv, envp)`: become another program; returns only when it fails. execve(2) */
export const execve = define("execve", "none", (path: Text, argv: readonly Text[], env: readonly string[]) => [
  text(path),
  { strings: argv },
  { strings: env },
]);
/** `chdir(path)`: the working directory. chdir(2) */
export const chdir = define("chdir", "none", (path: Text) => [text(path)]);
/** `fchdir(fd)`: the working directory, by descriptor. chdir(2) */
export const fchdir = define("fchdir", "none", (dir: FdArg) => [fd(dir)]);
/** `mmap(addr, length, prot, flags, fd, offset)` at a fixed address: how the stage sees the report. mmap(2) */
export const mmap = define(
  "mmap",
  "number",
  (address: Arg, length: number, prot: number, flags: number, source: FdArg) => [
    address,
    long(length),
    bits("PROT", prot),
    bits("MAP", flags),
    fd(source),
    0,
  ],
);
