/** Clocks, for real. */
import { CLOCK } from "../../../src/sys/flags.ts";
import type { Family } from "./case.ts";

export const family: Family = {
  cases: [
    {
      name: "CLOCK_MONOTONIC is read, and goes on",
      run(traced) {
        const before = traced.call("clockGettime", CLOCK.MONOTONIC);
        const after = traced.call("clockGettime", CLOCK.MONOTONIC);
        const nanoseconds = (time: typeof before) => time.tv_sec * 1e9 + time.tv_nsec;
        traced.expect("time goes on", nanoseconds(after) > nanoseconds(before));
      },
    },
    { name: "an unknown clock is EINVAL", run: (traced) => void traced.fails("EINVAL", "clockGettime", 99) },
  ],
};
