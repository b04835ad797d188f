/** Clocks and timers, for real. The host's clock is never set. */
import { readFileSync } from "node:fs";
import { CLOCK, TFD, TIMER } from "../../../src/sys/flags.ts";
import type { Family, Traced } from "./case.ts";

const nanoseconds = (time: { readonly tv_sec: number; readonly tv_nsec: number }) => time.tv_sec * 1e9 + time.tv_nsec;
const never = { tv_sec: 0, tv_nsec: 0 };
const milliseconds = (ms: number) => ({ tv_sec: 0, tv_nsec: ms * 1e6 });
const unknownClock = 99;

/** Longer than any uptime, so that an offset shows by itself: 31 years and 63. */
const offsets = ["--monotonic", "1000000000", "--boottime", "2000000000"];

function seesOffsets(traced: Traced): void {
  traced.expect(
    "the namespace has these offsets",
    /^monotonic +1000000000 +0\nboottime +2000000000 +0\n$/.test(readFileSync("/proc/self/timens_offsets", "utf8")),
  );
  const monotonic = traced.call("clockGettime", CLOCK.MONOTONIC);
  traced.expect("CLOCK_MONOTONIC is ahead by its offset", monotonic.tv_sec > 1e9 && monotonic.tv_sec < 2e9);
  const boot = traced.call("clockGettime", CLOCK.BOOTTIME);
  traced.expect("CLOCK_BOOTTIME is ahead by its offset", boot.tv_sec > 2e9 && boot.tv_sec < 3e9);
  const uptime = Number.parseFloat(readFileSync("/proc/uptime", "utf8"));
  traced.expect("/proc/uptime says the same", Math.abs(uptime - boot.tv_sec) < 5);
  const { tv_sec } = traced.call("clockGettime", CLOCK.REALTIME);
  traced.expect("CLOCK_REALTIME has no offset", Math.abs(tv_sec - Date.now() / 1000) < 5);
  // What is said in the namespace is meant there: it is in the past, and not in 31 years.
  const start = Bun.nanoseconds();
  traced.call("clockNanosleep", CLOCK.MONOTONIC, TIMER.ABSTIME, monotonic);
  traced.expect("an absolute time is one of the namespace", Bun.nanoseconds() - start < 5e9);
}

export const family: Family = {
  cases: [
    {
      name: "CLOCK_MONOTONIC is read, and goes on",
      run(traced) {
        const before = traced.call("clockGettime", CLOCK.MONOTONIC);
        const after = traced.call("clockGettime", CLOCK.MONOTONIC);
        traced.expect("time goes on", nanoseconds(after) > nanoseconds(before));
        const { tv_sec } = traced.call("clockGettime", CLOCK.REALTIME);
        traced.expect("CLOCK_REALTIME is Date.now()", Math.abs(tv_sec - Date.now() / 1000) < 2);
      },
    },
    {
      name: "an unknown clock is EINVAL",
      run(traced) {
        traced.fails("EINVAL", "clockGettime", unknownClock);
        traced.fails("EINVAL", "clockGetres", unknownClock);
        traced.fails("EINVAL", "clockNanosleep", unknownClock, 0, never);
        traced.fails("EINVAL", "timerfdCreate", unknownClock, 0);
        traced.fails("EINVAL", "clockSettime", unknownClock, never);
      },
    },
    {
      name: "clocks of high resolution tell nanoseconds apart, coarse ones ticks",
      run(traced) {
        const fine = traced.call("clockGetres", CLOCK.MONOTONIC);
        const coarse = traced.call("clockGetres", CLOCK.MONOTONIC_COARSE);
        traced.expect("fine is finer than coarse", nanoseconds(fine) >= 1 && nanoseconds(fine) < nanoseconds(coarse));
        traced.expect("a tick is at most 10 ms", nanoseconds(coarse) <= 1e7);
      },
    },
    {
      name: "clock_nanosleep waits that long, and not at all until a time that is past",
      run(traced) {
        let start = Bun.nanoseconds();
        traced.call("clockNanosleep", CLOCK.MONOTONIC, 0, milliseconds(20));
        traced.expect("20 ms are over", Bun.nanoseconds() - start >= 20e6);
        start = Bun.nanoseconds();
        traced.call("clockNanosleep", CLOCK.MONOTONIC, TIMER.ABSTIME, { tv_sec: 1, tv_nsec: 0 });
        traced.expect("the past is over", Bun.nanoseconds() - start < 5e9);
        traced.fails("EINVAL", "clockNanosleep", CLOCK.MONOTONIC, 0, { tv_sec: 0, tv_nsec: 1e9 });
        traced.fails("EINVAL", "clockNanosleep", CLOCK.MONOTONIC, 0, { tv_sec: -1, tv_nsec: 0 });
        // A thread that waits uses no CPU time.
        traced.fails("EOPNOTSUPP", "clockNanosleep", CLOCK.THREAD_CPUTIME_ID, 0, milliseconds(1));
      },
    },
    {
      name: "a signal ends clock_nanosleep with EINTR and what is left",
      alone: true,
      async run(traced) {
        process.on("SIGUSR2", () => undefined);
        // Again and again: one may come too early, or to another thread.
        const killer = Bun.spawn(["sh", "-c", `while sleep 0.1; do kill -USR2 ${process.pid}; done`]);
        const left = new Uint8Array(16);
        traced.fails("EINTR", "clockNanosleep", CLOCK.MONOTONIC, 0, { tv_sec: 100, tv_nsec: 0 }, left);
        const seconds = new DataView(left.buffer).getBigInt64(0, true);
        traced.expect(`most of it is left: ${seconds} s`, seconds > 50n && seconds < 100n);
        killer.kill();
        await killer.exited;
      },
    },
    {
      name: "a timerfd expires, and tells what is left",
      run(traced) {
        using timer = traced.call("timerfdCreate", CLOCK.MONOTONIC, TFD.CLOEXEC | TFD.NONBLOCK);
        const count = new Uint8Array(8);
        const idle = traced.call("timerfdGettime", timer);
        traced.expect("a new one is not armed", idle["it_value.tv_sec"] === 0 && idle["it_value.tv_nsec"] === 0);
        traced.fails("EAGAIN", "read", timer, count);
        const first = traced.call("timerfdSettime", timer, 0, { tv_sec: 100, tv_nsec: 5 }, { tv_sec: 7, tv_nsec: 8 });
        traced.expect("before, it was not armed", first["it_value.tv_sec"] === 0);
        const left = traced.call("timerfdGettime", timer);
        traced.expect("some of 100 s is left", left["it_value.tv_sec"] > 90 && left["it_value.tv_sec"] <= 100);
        const interval = [left["it_interval.tv_sec"], left["it_interval.tv_nsec"]].join();
        traced.expect(`the interval is what was set: ${interval}`, interval === "7,8");
        traced.expect(
          "/proc says the same",
          /^it_interval: \(7, 8\)$/m.test(readFileSync(`/proc/self/fdinfo/${timer.number}`, "utf8")),
        );
        const old = traced.call("timerfdSettime", timer, 0, milliseconds(1), milliseconds(1));
        traced.expect("the setting of before is returned", old["it_interval.tv_nsec"] === 8);
        traced.call("clockNanosleep", CLOCK.MONOTONIC, 0, milliseconds(20));
        traced.expect("eight bytes are read", traced.call("read", timer, count) === 8);
        traced.expect("it expired several times", new DataView(count.buffer).getBigUint64(0, true) > 10n);
        traced.call("timerfdSettime", timer, TFD.TIMER_ABSTIME, { tv_sec: 1, tv_nsec: 0 });
        traced.expect("what is past is expired at once", traced.call("read", timer, count) === 8);
        traced.call("timerfdSettime", timer, 0, never);
        traced.fails("EINVAL", "timerfdSettime", timer, 0, { tv_sec: 0, tv_nsec: 1e9 });
        traced.fails("EINVAL", "timerfdSettime", timer, 0x10, never);
      },
    },
    {
      name: "only a timerfd is set",
      run(traced) {
        using file = traced.call("openat", -100, "/", 0);
        traced.fails("EINVAL", "timerfdSettime", file, 0, never);
        traced.fails("EINVAL", "timerfdGettime", file);
        traced.fails("EBADF", "timerfdSettime", 9999, 0, never);
        traced.fails("EBADF", "timerfdGettime", 9999);
        traced.fails("EINVAL", "timerfdCreate", CLOCK.MONOTONIC, 7);
        traced.fails("EINVAL", "timerfdCreate", CLOCK.THREAD_CPUTIME_ID, 0);
      },
    },
    {
      name: "waking the machine takes CAP_WAKE_ALARM",
      as: "user",
      run(traced) {
        // EINVAL: a machine without a real-time clock.
        using timer = traced.callOr(["EPERM", "EINVAL"], "timerfdCreate", CLOCK.REALTIME_ALARM, 0);
        traced.expect("it was refused", timer === undefined);
      },
    },
    {
      name: "clocks that count from the start are not set, nor is any to what is no time",
      run(traced) {
        traced.fails("EINVAL", "clockSettime", CLOCK.MONOTONIC, { tv_sec: 1, tv_nsec: 0 });
        traced.fails("EINVAL", "clockSettime", CLOCK.BOOTTIME, { tv_sec: 1, tv_nsec: 0 });
        traced.fails("EINVAL", "clockSettime", CLOCK.REALTIME, { tv_sec: 1, tv_nsec: 1e9 });
        traced.fails("EINVAL", "clockSettime", CLOCK.REALTIME, { tv_sec: -1, tv_nsec: 0 });
      },
    },
    {
      name: "setting the clock takes CAP_SYS_TIME",
      as: "user",
      run(traced) {
        const isUnable = /^CapEff:\t0+$/m.test(readFileSync("/proc/self/status", "utf8"));
        traced.expect("this process has no capability", isUnable);
        if (!isUnable) return;
        const tv_sec = Math.floor(Date.now() / 1000);
        const error = traced.fails("EPERM", "clockSettime", CLOCK.REALTIME, { tv_sec, tv_nsec: 0 });
        traced.expect(
          "the message names the call",
          error?.message.startsWith("clock_settime(CLOCK_REALTIME, ") ?? false,
        );
      },
    },
    {
      name: "root of a user namespace may not set the clock",
      as: "user",
      in: ["unshare", "--user", "--map-root-user"],
      run(traced) {
        // The clock is everybody's: CAP_SYS_TIME counts in the first user namespace only.
        const tv_sec = Math.floor(Date.now() / 1000);
        traced.fails("EPERM", "clockSettime", CLOCK.REALTIME, { tv_sec, tv_nsec: 0 });
      },
    },
    {
      name: "a time namespace has its own CLOCK_MONOTONIC and CLOCK_BOOTTIME",
      as: "root",
      in: ["unshare", "--time", "--fork", ...offsets],
      run: seesOffsets,
    },
    {
      name: "so has a user's time namespace",
      as: "user",
      in: ["unshare", "--user", "--map-root-user", "--time", "--fork", ...offsets],
      run: seesOffsets,
    },
  ],
};
