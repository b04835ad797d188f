/** Signals: sending, blocking, waiting. */
import { bits, define, fd, type FdArg, int, one, type Out, out, type PidArg, refused } from "../primitive.ts";
import type { Timespec } from "./time.ts";

/**
 * `kill(pid, sig)`: a signal to a process, or with 0 only the question whether it is there. kill(2)
 * @param pid 0: the caller's process group; -1: all that the caller may reach; less: the group of that number.
 * @throws {SyscallError} ESRCH when there is none, EPERM for another user's.
 */
export const kill = /* @__PURE__ */ define("kill", "none", (pid: PidArg, signal: number) => [
  int(pid),
  one("SIG", signal),
]);
/** `tgkill(tgid, tid, sig)`: a signal to one thread of a process. tkill(2) */
export const tgkill = /* @__PURE__ */ define("tgkill", "none", (tgid: PidArg, tid: PidArg, signal: number) => [
  int(tgid),
  int(tid),
  one("SIG", signal),
]);
/** `rt_sigprocmask(how, set, NULL, 8)`: block and unblock signals; bit n-1 of the set is signal n. sigprocmask(2) */
export const rtSigprocmask = /* @__PURE__ */ define(
  "rt_sigprocmask",
  "none",
  (how: number, set: readonly number[] | "all") => [one("SIG_HOW", how), { signals: set }, null, 8],
);
/** `rt_sigprocmask(SIG_BLOCK, NULL, oldset, 8)`: what the calling thread blocks; bit n-1 is signal n. sigprocmask(2) */
export const rtSigprocmaskGet = /* @__PURE__ */ define("rt_sigprocmask", "u64", (set: Out = 8) => [
  one("SIG_HOW", 0),
  null,
  out(set, 8),
  8,
]);
/**
 * `rt_sigaction(signum, act, NULL, 8)` with SIG_DFL (0) or SIG_IGN (1) as the handler. sigaction(2)
 * @param flags SA_*: with SA_NOCLDWAIT for SIGCHLD, children leave no zombies.
 * @throws {SyscallError} EINVAL for SIGKILL and SIGSTOP.
 */
export const rtSigaction = /* @__PURE__ */ define(
  "rt_sigaction",
  "none",
  (signal: number, handler: 0 | 1, flags: number = 0) => [
    one("SIG", signal),
    {
      struct: "sigaction",
      fields: {
        sa_handler:
          handler === 0 || handler === 1 ? one("SIG_HANDLER", handler) : refused(handler, "SIG_DFL (0) or SIG_IGN (1)"),
        sa_mask: { signals: [] },
        sa_flags: flags === 0 ? 0 : bits("SA", flags),
      },
    },
    null,
    8,
  ],
);
/** `rt_sigaction(signum, NULL, oldact, 8)`: what becomes of a signal: `sa_handler` 0 is SIG_DFL, 1 is SIG_IGN. sigaction(2) */
export const rtSigactionGet = /* @__PURE__ */ define(
  "rt_sigaction",
  "sigaction",
  (signal: number, action: Out = "sigaction") => [one("SIG", signal), null, out(action, "sigaction"), 8],
);
/**
 * `rt_sigtimedwait(set, info, timeout, 8)`: take one of these blocked signals, waiting for it; returns its number. sigwaitinfo(2)
 * @param timeout Null: for ever.
 * @throws {SyscallError} EAGAIN when the time is up, EINTR for another signal.
 */
export const rtSigtimedwait = /* @__PURE__ */ define(
  "rt_sigtimedwait",
  "number",
  (set: readonly number[], timeout: Timespec | null = null, info: Out | null = null) => [
    { signals: set },
    info === null ? null : out(info, "siginfo"),
    timeout === null ? null : { struct: "timespec", fields: { tv_sec: timeout.tv_sec, tv_nsec: timeout.tv_nsec } },
    8,
  ],
);
/** `signalfd4(-1, mask, 8, flags)`: a descriptor that blocked signals are read from, as signalfd_siginfo. signalfd(2) */
export const signalfd4 = /* @__PURE__ */ define("signalfd4", "fd", (set: readonly number[] | "all", flags: number) => [
  fd(-1),
  { signals: set },
  8,
  bits("SFD", flags),
]);
/** `signalfd4(fd, mask, 8, 0)`: which signals are read from such a descriptor. signalfd(2) */
export const signalfd4Set = /* @__PURE__ */ define(
  "signalfd4",
  "none",
  (target: FdArg, set: readonly number[] | "all") => [fd(target), { signals: set }, 8, 0],
);
