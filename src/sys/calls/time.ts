/** Clocks: reading, waiting, descriptors that tell the time. */
import type { Arg } from "../call.ts";
import { bits, define, fd, type FdArg, one, type Out, out } from "../primitive.ts";

/** Seconds and nanoseconds, the latter below 1e9. timespec(3type) */
export interface Timespec {
  readonly tv_sec: number;
  readonly tv_nsec: number;
}

/** `clock_gettime(clockid, tp)`: seconds and nanoseconds of a clock, in the caller's time namespace. clock_gettime(2) */
export const clockGettime = /* @__PURE__ */ define(
  "clock_gettime",
  "timespec",
  (clock: number, time: Out = "timespec") => [one("CLOCK", clock), out(time, "timespec")],
);
/** `clock_getres(clockid, res)`: seconds and nanoseconds that a clock can tell apart. clock_getres(2) */
export const clockGetres = /* @__PURE__ */ define(
  "clock_getres",
  "timespec",
  (clock: number, resolution: Out = "timespec") => [one("CLOCK", clock), out(resolution, "timespec")],
);
/**
 * `clock_settime(clockid, tp)`: set the clock of all: no namespace has a CLOCK_REALTIME of its own. clock_settime(2)
 * @throws {SyscallError} EPERM without CAP_SYS_TIME in the first user namespace, EINVAL for a clock that is not set.
 */
export const clockSettime = /* @__PURE__ */ define("clock_settime", "none", (clock: number, time: Timespec) => [
  one("CLOCK", clock),
  timespec(time),
]);
/**
 * `clock_nanosleep(clockid, flags, t, remain)`: wait for that long, or with TIMER_ABSTIME until then; blocks this thread.
 * clock_nanosleep(2)
 * @throws {SyscallError} EINTR when a signal came, and then what is left is in `remain`.
 */
export const clockNanosleep = /* @__PURE__ */ define(
  "clock_nanosleep",
  "none",
  (clock: number, flags: number, time: Timespec, remain: Out | null = null) => [
    one("CLOCK", clock),
    bits("TIMER", flags),
    timespec(time),
    remain === null ? null : out(remain, "timespec"),
  ],
);
/** `timerfd_create(clockid, flags)`: a timer; once it has expired, how often so is read as a word of 64 bits. timerfd_create(2) */
export const timerfdCreate = /* @__PURE__ */ define("timerfd_create", "fd", (clock: number, flags: number) => [
  one("CLOCK", clock),
  bits("TFD", flags),
]);
/**
 * `timerfd_settime(fd, flags, new_value, old_value)`: when it expires, zero for never, and in which intervals then; returns what was
 * left and the interval of before. timerfd_create(2)
 */
export const timerfdSettime = /* @__PURE__ */ define(
  "timerfd_settime",
  "itimerspec",
  (
    timer: FdArg,
    flags: number,
    value: Timespec,
    interval: Timespec = { tv_sec: 0, tv_nsec: 0 },
    old: Out = "itimerspec",
  ) => [
    fd(timer),
    bits("TFD", flags),
    {
      struct: "itimerspec",
      fields: {
        "it_interval.tv_sec": interval.tv_sec,
        "it_interval.tv_nsec": interval.tv_nsec,
        "it_value.tv_sec": value.tv_sec,
        "it_value.tv_nsec": value.tv_nsec,
      },
    },
    out(old, "itimerspec"),
  ],
);
/** `timerfd_gettime(fd, curr_value)`: what is left until it expires, and the interval. timerfd_create(2) */
export const timerfdGettime = /* @__PURE__ */ define(
  "timerfd_gettime",
  "itimerspec",
  (timer: FdArg, value: Out = "itimerspec") => [fd(timer), out(value, "itimerspec")],
);

function timespec({ tv_sec, tv_nsec }: Timespec): Arg {
  return { struct: "timespec", fields: { tv_sec, tv_nsec } };
}
