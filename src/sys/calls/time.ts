/** Clocks. */
import { define, one, type Out, out } from "../primitive.ts";

/** `clock_gettime(clockid, tp)`: seconds and nanoseconds of a clock. clock_gettime(2) */
export const clockGettime = define("clock_gettime", "timespec", (clock: number, time: Out = "timespec") => [
  one("CLOCK", clock),
  out(time),
]);
