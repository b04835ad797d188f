/** Signals: sending, blocking, waiting. */
import { define, int, one, type PidArg } from "../primitive.ts";

/** `kill(pid, sig)`: a signal to a process, or with 0 only the question whether it is there. kill(2) */
export const kill = define("kill", "none", (pid: PidArg, signal: number) => [int(pid), one("SIG", signal)]);
/** `rt_sigprocmask(how, set, NULL, 8)`: block and unblock signals; bit n-1 of the set is signal n. sigprocmask(2) */
export const rtSigprocmask = define("rt_sigprocmask", "none", (how: number, set: readonly number[] | "all") => [
  one("SIG_HOW", how),
  { signals: set },
  null,
  8,
]);
/** `rt_sigaction(signum, act, NULL, 8)` with SIG_DFL (0) or SIG_IGN (1) as the handler. sigaction(2) */
export const rtSigaction = define("rt_sigaction", "none", (signal: number, handler: 0 | 1) => [
  one("SIG", signal),
  {
    struct: "sigaction",
    fields: { sa_handler: one("SIG_HANDLER", handler), sa_mask: { signals: [] }, sa_flags: 0 },
  },
  null,
  8,
]);
/** `rt_sigtimedwait(set, NULL, NULL, 8)`: take one of these blocked signals, waiting for it; returns its number. sigwaitinfo(2) */
export const rtSigtimedwait = define("rt_sigtimedwait", "number", (set: readonly number[]) => [
  { signals: set },
  null,
  null,
  8,
]);
