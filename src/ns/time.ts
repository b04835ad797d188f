/** Steps for a new time namespace: clocks that are ahead or behind. time_namespaces(7) */
import * as call from "../sys/calls.ts";
import { AT_FDCWD } from "../sys/calls.ts";
import { CLONE, O } from "../sys/flags.ts";
import { type CallStep, step } from "../sys/step.ts";

/** Seconds that the clocks of the box are ahead of the host's; fractions and negative ones too. */
export interface TimeOffsets {
  /** Of CLOCK_MONOTONIC. */
  readonly monotonic?: number | undefined;
  /** Of CLOCK_BOOTTIME, which uptime(1) shows. */
  readonly boottime?: number | undefined;
}

/** `monotonic 10 500000000`: whole seconds, rounded down, and nanoseconds. */
export function formatTimeOffsets(offsets: TimeOffsets): string {
  return Object.entries({ monotonic: offsets.monotonic ?? 0, boottime: offsets.boottime ?? 0 })
    .map(([clock, offset]) => {
      const seconds = Math.floor(offset);
      const nanoseconds = Math.min(Math.round((offset - seconds) * 1e9), 999_999_999);
      return `${clock} ${seconds} ${nanoseconds}\n`;
    })
    .join("");
}

/** Make the namespace and set its clocks, while nobody is in it: the caller enters at its execve (Linux 6.2), a child at once. */
export function makeTimeNamespace(offsets: TimeOffsets | undefined): CallStep[] {
  const make = step("make a time namespace", call.unshare(CLONE.NEWTIME));
  if (offsets === undefined) return [make];
  return [
    make,
    step("set the clocks: open", call.openat(AT_FDCWD, "/proc/self/timens_offsets", O.WRONLY | O.CLOEXEC), {
      id: "timens_offsets",
    }),
    step("set the clocks", call.write({ result: "timens_offsets" }, formatTimeOffsets(offsets))),
  ];
}
