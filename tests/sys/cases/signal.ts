/** Signals, for real: sent to this process and to children, blocked, taken. */
import { readFileSync } from "node:fs";
import { decodeStruct } from "../../../src/sys/decode.ts";
import { SA, SFD, SIG, SIG_HOW } from "../../../src/sys/flags.ts";
import type { Family } from "./case.ts";

/** No process has such a pid: it is above what kernel.pid_max can be. */
const nobody = 1 << 30;
/** A signal that the engine has no use for. */
const free = 40;
const none = { tv_sec: 0, tv_nsec: 1e6 };
const bit = (signal: number) => 1n << BigInt(signal - 1);

/** A set of signals in /proc/thread-self/status. */
const setOf = (name: string): bigint =>
  BigInt(`0x${new RegExp(`^${name}:\t(\\w+)$`, "m").exec(readFileSync("/proc/thread-self/status", "utf8"))?.[1]}`);

export const family: Family = {
  cases: [
    {
      name: "kill sends to a child, and with 0 only asks",
      async run(traced) {
        const child = Bun.spawn(["sleep", "100"]);
        traced.call("kill", child.pid, 0);
        traced.call("kill", child.pid, SIG.TERM);
        await child.exited;
        traced.expect("SIGTERM ended it", child.signalCode === "SIGTERM");
        const error = traced.fails("ESRCH", "kill", child.pid, 0);
        traced.expect("the message says whom", error?.message.startsWith(`kill(${child.pid}, 0): ESRCH`) ?? false);
      },
    },
    {
      name: "signals that do not exist are EINVAL, processes that do not ESRCH",
      run(traced) {
        traced.fails("EINVAL", "kill", process.pid, 65);
        traced.fails("EINVAL", "kill", process.pid, -1);
        traced.fails("ESRCH", "kill", nobody, SIG.TERM);
        traced.fails("ESRCH", "kill", -nobody, SIG.TERM);
        traced.fails("ESRCH", "kill", nobody, 34);
      },
    },
    {
      name: "another user's process takes no signal",
      as: "user",
      run: (traced) => void traced.fails("EPERM", "kill", 1, 0),
    },
    {
      name: "tgkill reaches a thread of the process that it names",
      run(traced) {
        traced.call("tgkill", process.pid, process.pid, 0);
        traced.fails("ESRCH", "tgkill", process.pid, process.ppid, 0);
        traced.fails("ESRCH", "tgkill", process.pid, nobody, 0);
        traced.fails("EINVAL", "tgkill", process.pid, 0, 0);
        traced.fails("EINVAL", "tgkill", process.pid, process.pid, 65);
      },
    },
    {
      name: "a blocked signal waits until it is taken",
      alone: true,
      run(traced) {
        const before = traced.call("rtSigprocmaskGet");
        traced.expect("the mask is that in /proc", before === setOf("SigBlk"));
        traced.call("rtSigprocmask", SIG_HOW.BLOCK, [free, SIG.USR2]);
        traced.expect("both are blocked", traced.call("rtSigprocmaskGet") === (before | bit(free) | bit(SIG.USR2)));
        traced.expect("/proc says so", setOf("SigBlk") === (before | bit(free) | bit(SIG.USR2)));
        traced.fails("EAGAIN", "rtSigtimedwait", [free], none);
        traced.call("tgkill", process.pid, process.pid, free);
        traced.expect("it is pending", (setOf("SigPnd") & bit(free)) !== 0n);
        const info = new Uint8Array(128);
        traced.expect("it is taken", traced.call("rtSigtimedwait", [free, SIG.USR2], none, info) === free);
        const { si_signo, si_pid } = decodeStruct("siginfo", info);
        traced.expect("from this process", si_signo === free && si_pid === process.pid);
        traced.expect("it is pending no more", (setOf("SigPnd") & bit(free)) === 0n);
        traced.call("tgkill", process.pid, process.pid, SIG.USR2);
        traced.expect("without a timeout it is taken at once", traced.call("rtSigtimedwait", [SIG.USR2]) === SIG.USR2);
        traced.call("rtSigprocmask", SIG_HOW.UNBLOCK, [free, SIG.USR2]);
        traced.expect("the mask is as before", traced.call("rtSigprocmaskGet") === before);
        traced.fails("EINVAL", "rtSigprocmask", 99, []);
        traced.fails("EINVAL", "rtSigtimedwait", [free], { tv_sec: 0, tv_nsec: 1e9 });
      },
    },
    {
      name: "all signals can be blocked but SIGKILL and SIGSTOP",
      alone: true,
      run(traced) {
        const others = Array.from({ length: 64 }, (_, i) => i + 1).filter((signal) => signal !== SIG.USR2);
        traced.call("rtSigprocmask", SIG_HOW.SETMASK, "all");
        const all = traced.call("rtSigprocmaskGet");
        traced.expect("these two are not", all === (~(bit(SIG.KILL) | bit(SIG.STOP)) & 0xffffffffffffffffn));
        traced.call("rtSigprocmask", SIG_HOW.SETMASK, others);
        traced.expect("SIGUSR2 is not", traced.call("rtSigprocmaskGet") === (all & ~bit(SIG.USR2)));
        traced.call("rtSigprocmask", SIG_HOW.SETMASK, []);
        traced.expect("none is", setOf("SigBlk") === 0n);
      },
    },
    {
      name: "a signal is ignored, and is heeded again",
      alone: true,
      run(traced) {
        traced.expect("it is not ignored", (setOf("SigIgn") & bit(free)) === 0n);
        traced.call("rtSigaction", free, 1);
        traced.expect("it is ignored", (setOf("SigIgn") & bit(free)) !== 0n);
        traced.expect("SIG_IGN is 1", traced.call("rtSigactionGet", free).sa_handler === 1);
        traced.call("kill", process.pid, free);
        traced.call("rtSigaction", free, 0);
        traced.expect("SIG_DFL is 0", traced.call("rtSigactionGet", free).sa_handler === 0);
        traced.call("rtSigaction", SIG.CHLD, 0, SA.NOCLDWAIT | SA.NOCLDSTOP);
        const { sa_flags } = traced.call("rtSigactionGet", SIG.CHLD);
        traced.expect(
          "its flags are kept",
          (sa_flags & (SA.NOCLDWAIT | SA.NOCLDSTOP)) === (SA.NOCLDWAIT | SA.NOCLDSTOP),
        );
        const error = traced.fails("EINVAL", "rtSigaction", SIG.KILL, 1);
        traced.expect("the message names the signal", error?.message.includes("SIGKILL") ?? false);
        traced.fails("EINVAL", "rtSigaction", SIG.STOP, 1);
        traced.fails("EINVAL", "rtSigaction", 65, 0);
        traced.fails("EINVAL", "rtSigactionGet", 65);
      },
    },
    {
      name: "a signalfd is read, and is told what to read",
      alone: true,
      run(traced) {
        traced.call("rtSigprocmask", SIG_HOW.BLOCK, [free, free + 1]);
        using signals = traced.call("signalfd4", [free], SFD.CLOEXEC | SFD.NONBLOCK);
        const bytes = new Uint8Array(128);
        traced.fails("EAGAIN", "read", signals, bytes);
        traced.call("tgkill", process.pid, process.pid, free);
        traced.expect("a siginfo is read", traced.call("read", signals, bytes) === 128);
        const { ssi_signo, ssi_pid, ssi_uid } = decodeStruct("signalfd_siginfo", bytes);
        traced.expect("it says which", ssi_signo === free);
        traced.expect("and who", ssi_pid === process.pid && ssi_uid === process.getuid?.());
        traced.call("tgkill", process.pid, process.pid, free + 1);
        traced.fails("EAGAIN", "read", signals, bytes);
        traced.call("signalfd4Set", signals, [free + 1]);
        const mask = /^sigmask:\t(\w+)$/m.exec(readFileSync(`/proc/self/fdinfo/${signals.number}`, "utf8"))?.[1];
        traced.expect("/proc says so", BigInt(`0x${mask}`) === bit(free + 1));
        traced.expect("the other is read", traced.call("read", signals, bytes) === 128);
        traced.fails("EINVAL", "signalfd4", [free], 7);
        traced.fails("EBADF", "signalfd4Set", 9999, [free]);
        using directory = traced.call("openat", -100, "/", 0);
        traced.fails("EINVAL", "signalfd4Set", directory, [free]);
      },
    },
  ],
};
