/** Processes, for real: this one as /proc shows it, children, orphans that become children, and what it becomes. */
import { chmodSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { hostname, release, totalmem } from "node:os";
import { basename, join } from "node:path";
import { decodeStruct } from "../../../src/sys/decode.ts";
import {
  AT,
  AT_FDCWD,
  CAP,
  CLD,
  CLONE,
  IOPRIO_CLASS,
  IOPRIO_WHO,
  KCMP,
  MAP,
  O,
  P,
  PER,
  PIDFD,
  PIDFD_SELF_THREAD,
  PIDFD_SIGNAL,
  PR,
  PR_MDWE,
  PR_SCHED_CORE,
  PR_SCHED_CORE_SCOPE,
  PR_SPEC,
  PR_SPEC_CTRL,
  PRIO,
  PROT,
  RLIMIT,
  RUSAGE,
  SCHED,
  SCHED_FLAG,
  SECBIT,
  SIG,
  SUID_DUMP,
  W,
} from "../../../src/sys/flags.ts";
import { call, OptionsError, sys } from "../../../src/sys/mod.ts";
import { isSince, parseVersion, since } from "../../../src/sys/since.ts";
import type { Family, Traced } from "./case.ts";

const kernel = parseVersion(release());
const me = process.pid;
/** No process has such a pid: it is above what kernel.pid_max can be. */
const nobody = 1 << 30;
/** No CPU, capability, clock or option has this number. */
const unknown = 99;
const closed = 9999;

/** A line of /proc/thread-self/status. */
const status = (name: string): string | undefined =>
  new RegExp(`^${name}:\\s+(.*)$`, "m").exec(readFileSync("/proc/thread-self/status", "utf8"))?.[1];
const hasBit = (name: string, bit: number): boolean => ((BigInt(`0x${status(name)}`) >> BigInt(bit)) & 1n) === 1n;

/** Fields of /proc/PID/stat by the numbers of proc_pid_stat(5), from the third on. */
const stat = (pid: number | "self", field: number): string | undefined =>
  readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ")[field - 3];

/** An orphan of a child: it becomes a child of this process, which the engine knows nothing of. */
function orphan(traced: Traced, script: string): number {
  traced.call("setChildSubreaper", 1);
  traced.expect("orphans come here", traced.call("getChildSubreaper") === 1);
  const { stdout } = Bun.spawnSync(["sh", "-c", `(${script}) </dev/null >/dev/null 2>&1 & echo $!`]);
  const pid = Number(stdout.toString());
  traced.expect("it is a child of this process", stat(pid, 4) === String(me));
  return pid;
}

const exists = (pid: number): boolean => statSync(`/proc/${pid}`, { throwIfNoEntry: false }) !== undefined;

/** What `run` is given a child for lives no longer than that. */
async function withChild(run: (child: Bun.Subprocess) => void | Promise<void>): Promise<void> {
  const child = Bun.spawn(["sleep", "100"], { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  try {
    await run(child);
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

function isRefused(run: () => void): boolean {
  try {
    run();
    return false;
  } catch (error) {
    return error instanceof OptionsError;
  }
}

/** `0-2,5` as the kernel writes lists. */
const listed = (text: string): number[] =>
  text.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });

export const family: Family = {
  cases: [
    // Making and ending
    {
      name: "clone3 refuses what is no process, before there is one",
      run(traced) {
        traced.failsAs("EINVAL", "clone3", call.clone3(0, 256));
        traced.failsAs("EINVAL", "clone3", call.clone3(CLONE.SIGHAND, SIG.CHLD));
        traced.failsAs("EINVAL", "clone3", call.clone3(CLONE.NEWUSER | CLONE.FS, SIG.CHLD));
        traced.failsAs("EINVAL", "clone3", call.clone3(CLONE.PIDFD, 256, { pidfd: 4 }));
        traced.failsAs("EINVAL", "clone3", call.clone3(CLONE.CHILD_SETTID, 256, { childTid: 4 }));
        traced.failsAs("EINVAL", "clone3", call.clone3(CLONE.PARENT_SETTID, 256, { parentTid: 4 }));
        traced.failsAs("EINVAL", "clone3", call.clone3(CLONE.VM, 256, { stackBytes: 4096 }));
        // As the kernel's clone3 selftest: too short for any version of it, too long for a page, unknown fields that are set.
        traced.failsAs("EINVAL", "clone3", { name: "clone3", args: [{ out: 88 }, 0] });
        traced.failsAs("EINVAL", "clone3", { name: "clone3", args: [{ out: 88 }, 63] });
        traced.failsAs("E2BIG", "clone3", { name: "clone3", args: [{ out: 88 }, 1 << 20] });
        const unknownFields = new Uint8Array(200).fill(255);
        traced.failsAs("E2BIG", "clone3", { name: "clone3", args: [{ into: unknownFields }, 200] });
      },
    },
    {
      name: "clone3 with CLONE_INTO_CGROUP takes a cgroup",
      run(traced) {
        const flags = CLONE.INTO_CGROUP;
        traced.failsAs("EBADF", "clone3", call.clone3(flags, SIG.CHLD, { cgroup: closed }));
        using directory = traced.call("openat", AT_FDCWD, "/", O.DIRECTORY);
        traced.failsAs("EBADF", "clone3", call.clone3(flags, SIG.CHLD, { cgroup: directory }));
      },
    },
    {
      name: "clone3 gives nobody a pid that is taken",
      as: "root",
      run(traced) {
        traced.failsAs("EINVAL", "clone3", call.clone3(0, SIG.CHLD, { setTid: [0] }));
        const error = traced.failsAs("EEXIST", "clone3", call.clone3(0, SIG.CHLD, { setTid: [me] }));
        traced.expect("the hint says so", error?.hint?.includes("is there already") ?? false);
      },
    },
    {
      name: "clone3 lets only who may choose a pid",
      as: "user",
      run(traced) {
        const error = traced.failsAs("EPERM", "clone3", call.clone3(0, SIG.CHLD, { setTid: [me] }));
        traced.expect("the hint names the capability", error?.hint?.includes("CAP_CHECKPOINT_RESTORE") ?? false);
      },
    },
    {
      name: "execve makes another program of this process",
      exitCode: 42,
      run: (traced) => traced.ends("execve", "/bin/sh", ["sh", "-c", 'exit "$CODE"'], ["CODE=42"]),
    },
    {
      name: "execveat makes the program behind a descriptor of it",
      exitCode: 43,
      run(traced) {
        const program = traced.call("openat", AT_FDCWD, "/bin/sh", O.PATH);
        traced.ends("execveat", program, "", ["sh", "-c", 'exit "$CODE"'], ["CODE=43"], AT.EMPTY_PATH);
      },
    },
    {
      name: "exit_group ends it",
      exitCode: 44,
      run: (traced) => traced.ends("exitGroup", 44),
    },
    {
      name: "what is no program is not executed",
      run(traced) {
        const dir = traced.dir();
        const [plain, script, link] = [join(dir, "plain"), join(dir, "script"), join(dir, "link")];
        writeFileSync(plain, "text");
        writeFileSync(script, "exit 0\n");
        chmodSync(script, 0o755);
        symlinkSync("/bin/true", link);
        const error = traced.fails("ENOENT", "execve", join(dir, "none"), ["none"], []);
        traced.expect("the error has the path", error?.path === join(dir, "none"));
        traced.fails("EACCES", "execve", plain, ["plain"], []);
        traced.fails("EACCES", "execve", dir, ["dir"], ["A=1"]);
        traced.fails("ENOTDIR", "execve", join(plain, "none"), ["none"], []);
        // A shell would read it; the kernel wants to be told the interpreter.
        traced.fails("ENOEXEC", "execve", script, ["script"], []);
        traced.fails("ENOENT", "execveat", AT_FDCWD, join(dir, "none"), ["none"], ["A=1"], 0);
        traced.fails("ENOENT", "execveat", AT_FDCWD, "", ["none"], [], 0);
        traced.fails("EBADF", "execveat", closed, "none", ["none"], [], 0);
        traced.fails("ELOOP", "execveat", AT_FDCWD, link, ["link"], [], AT.SYMLINK_NOFOLLOW);
        traced.fails("EINVAL", "execveat", AT_FDCWD, link, ["link"], [], AT.REMOVEDIR);
      },
    },
    {
      name: "execveat with AT_EXECVE_CHECK only asks",
      run(traced) {
        const args = ["true"];
        if (!isSince(kernel, since.AT_EXECVE_CHECK))
          return void traced.fails("EINVAL", "execveat", AT_FDCWD, "/bin/true", args, [], AT.EXECVE_CHECK);
        traced.call("execveat", AT_FDCWD, "/bin/true", args, [], AT.EXECVE_CHECK);
        traced.fails("EACCES", "execveat", AT_FDCWD, "/etc/passwd", args, [], AT.EXECVE_CHECK);
      },
    },
    // Waiting
    {
      name: "wait4 reaps a child and counts what it used",
      alone: true,
      run(traced) {
        const pid = orphan(traced, "sleep 1; exit 3");
        const [state, usage] = [new Uint8Array(4), new Uint8Array(144)];
        traced.expect("it is this child", traced.call("wait4", pid, state, 0, usage) === pid);
        traced.expect("its exit code is 3", new DataView(state.buffer).getInt32(0, true) >> 8 === 3);
        traced.expect("it used memory", decodeStruct("rusage", usage).ru_maxrss > 0);
        traced.expect("it is gone", !exists(pid));
        traced.fails("ECHILD", "wait4", pid, state, 0);
        traced.fails("ECHILD", "wait4", -1, null, W.__WALL);
        traced.fails("EINVAL", "wait4", -1, null, W.EXITED);
        traced.fails("ESRCH", "wait4", -0x80000000, null, 0);
      },
    },
    {
      name: "wait4 and waitid with WNOHANG find nothing at a child that runs",
      alone: true,
      run(traced) {
        const pid = orphan(traced, "exec sleep 100");
        traced.expect("wait4 says 0", traced.call("wait4", -1, null, W.NOHANG) === 0);
        traced.expect("waitid says 0", traced.call("waitid", P.ALL, 0, W.EXITED | W.NOHANG).si_pid === 0);
        traced.call("kill", pid, SIG.STOP);
        const stopped = traced.call("waitid", P.PID, pid, W.STOPPED);
        traced.expect("it has stopped", stopped.si_code === CLD.STOPPED && stopped.si_status === SIG.STOP);
        traced.expect("/proc says so", /^[tT]$/.test(stat(pid, 3) ?? ""));
        traced.call("kill", pid, SIG.CONT);
        traced.expect("it goes on", traced.call("waitid", P.PID, pid, W.CONTINUED).si_code === CLD.CONTINUED);
        using pidfd = traced.call("pidfdOpen", pid);
        traced.call("pidfdSendSignal", pidfd, SIG.KILL);
        const usage = new Uint8Array(144);
        const seen = traced.call("waitid", P.PID, pid, W.EXITED | W.NOWAIT, "siginfo", usage);
        traced.expect("SIGKILL ended it", seen.si_code === CLD.KILLED && seen.si_status === SIG.KILL);
        traced.expect("it is this child's", seen.si_pid === pid && seen.si_uid === process.getuid?.());
        traced.expect("it used memory", decodeStruct("rusage", usage).ru_maxrss > 0);
        traced.expect("with WNOWAIT it is a zombie", stat(pid, 3) === "Z");
        if (isSince(kernel, since.P_PIDFD))
          traced.expect("its pidfd finds it", traced.call("waitid", P.PIDFD, pidfd, W.EXITED).si_pid === pid);
        traced.expect("it is gone", !exists(pid));
        traced.fails("ESRCH", "pidfdSendSignal", pidfd, 0);
        traced.fails("ECHILD", "waitid", P.ALL, 0, W.EXITED);
      },
    },
    {
      name: "waitid takes kinds of ids and states that there are",
      run(traced) {
        traced.fails("EINVAL", "waitid", P.ALL, 0, 0);
        traced.fails("EINVAL", "waitid", P.ALL, 0, 0x100 | W.EXITED);
        traced.fails("EINVAL", "waitid", unknown, 0, W.EXITED);
        traced.fails("EINVAL", "waitid", P.PID, 0, W.EXITED);
        traced.fails("ECHILD", "waitid", P.PID, nobody, W.EXITED);
        traced.fails("ECHILD", "waitid", P.PGID, nobody, W.EXITED);
        traced.fails("EBADF", "waitid", P.PIDFD, closed, W.EXITED);
      },
    },
    {
      name: "who waits by a PIDFD_NONBLOCK descriptor does not wait",
      run: (traced) =>
        withChild(({ pid }) => {
          using pidfd = traced.call("pidfdOpen", pid, PIDFD.NONBLOCK);
          traced.fails("EAGAIN", "waitid", P.PIDFD, pidfd, W.EXITED);
        }),
    },
    // Descriptors of processes
    {
      name: "a pidfd names a process, and sends signals to it",
      run: (traced) =>
        withChild(async (child) => {
          using pidfd = traced.call("pidfdOpen", child.pid);
          const info = readFileSync(`/proc/self/fdinfo/${pidfd.number}`, "utf8");
          traced.expect("/proc says which", new RegExp(`^Pid:\t${child.pid}$`, "m").test(info));
          traced.expect("it is close-on-exec", /^flags:\t02000002$/m.test(info));
          traced.call("pidfdSendSignal", pidfd, 0);
          traced.fails("EINVAL", "pidfdSendSignal", pidfd, 65);
          traced.fails("EINVAL", "pidfdSendSignal", pidfd, 0, 0x80);
          traced.call("pidfdSendSignal", pidfd, SIG.TERM);
          await child.exited;
          traced.expect("SIGTERM ended it", child.signalCode === "SIGTERM");
          const error = traced.fails("ESRCH", "pidfdSendSignal", pidfd, 0);
          traced.expect("the hint says why", error?.hint?.includes("has ended") ?? false);
        }),
    },
    {
      name: "pidfd_open takes a process that there is",
      run(traced) {
        traced.fails("EINVAL", "pidfdOpen", -1);
        traced.fails("EINVAL", "pidfdOpen", 0);
        traced.fails("EINVAL", "pidfdOpen", me, 0x4);
        const error = traced.fails("ESRCH", "pidfdOpen", nobody);
        traced.expect(
          "the message says of whom",
          error?.message.startsWith(`pidfd_open(${nobody}, 0): ESRCH`) ?? false,
        );
      },
    },
    {
      name: "PIDFD_THREAD takes a thread too",
      run(traced) {
        const thread = Number(readdirSync("/proc/self/task").find((tid) => tid !== String(me)));
        if (!isSince(kernel, since.PIDFD_THREAD)) return void traced.fails("EINVAL", "pidfdOpen", thread, PIDFD.THREAD);
        using pidfd = traced.call("pidfdOpen", thread, PIDFD.THREAD);
        const info = readFileSync(`/proc/self/fdinfo/${pidfd.number}`, "utf8");
        traced.expect("/proc says which", new RegExp(`^Pid:\t${thread}$`, "m").test(info));
        traced.call("pidfdSendSignal", pidfd, 0, PIDFD_SIGNAL.THREAD);
        traced.call("pidfdSendSignal", pidfd, 0, PIDFD_SIGNAL.THREAD_GROUP);
        traced.callOr(["EINVAL", "ENOENT"], "pidfdOpen", thread)?.close();
      },
    },
    {
      name: "signals go to a process group by the pidfd of its leader",
      alone: true,
      run(traced) {
        using pidfd = traced.call("pidfdOpen", me);
        if (!isSince(kernel, since.PIDFD_SIGNAL_PROCESS_GROUP))
          return void traced.fails("EINVAL", "pidfdSendSignal", pidfd, 0, PIDFD_SIGNAL.PROCESS_GROUP);
        traced.fails("ESRCH", "pidfdSendSignal", pidfd, 0, PIDFD_SIGNAL.PROCESS_GROUP);
        traced.call("setpgid", 0, 0);
        traced.call("pidfdSendSignal", pidfd, 0, PIDFD_SIGNAL.PROCESS_GROUP);
      },
    },
    {
      name: "PIDFD_SELF is this thread",
      run(traced) {
        if (isSince(kernel, "6.15")) traced.call("pidfdSendSignal", PIDFD_SELF_THREAD, 0);
        else traced.fails("EBADF", "pidfdSendSignal", PIDFD_SELF_THREAD, 0);
      },
    },
    {
      name: "what is no pidfd is EBADF",
      run(traced) {
        using directory = traced.call("openat", AT_FDCWD, "/", O.DIRECTORY);
        const error = traced.fails("EBADF", "pidfdSendSignal", directory, 0);
        traced.expect("the error says what it is", error?.path === "/");
        traced.fails("EBADF", "pidfdSendSignal", closed, 0);
        traced.fails("EBADF", "pidfdGetfd", directory, 0);
        traced.fails("EBADF", "processMrelease", directory);
        traced.fails("EBADF", "processMrelease", closed);
      },
    },
    {
      name: "pidfd_getfd brings a descriptor over from another process",
      async run(traced) {
        const file = join(traced.dir(), "file");
        const child = Bun.spawn(["sleep", "100"], { stdin: "ignore", stdout: Bun.file(file), stderr: "ignore" });
        try {
          using pidfd = traced.call("pidfdOpen", child.pid);
          using stdout = traced.call("pidfdGetfd", pidfd, 1);
          traced.expect("it is that file", readlinkSync(`/proc/self/fd/${stdout.number}`) === file);
          traced.fails("EBADF", "pidfdGetfd", pidfd, closed);
        } finally {
          child.kill("SIGKILL");
          await child.exited;
        }
      },
    },
    {
      name: "pidfd_getfd takes the right to trace",
      as: "user",
      run(traced) {
        using pidfd = traced.call("pidfdOpen", 1);
        const error = traced.fails("EPERM", "pidfdGetfd", pidfd, 0);
        traced.expect("the hint names the capability", error?.hint?.includes("CAP_SYS_PTRACE") ?? false);
        traced.fails("EPERM", "pidfdSendSignal", pidfd, 0);
        traced.fails("EPERM", "kcmp", me, 1, KCMP.VM);
        traced.fails("EPERM", "prlimit64Get", 1, RLIMIT.NOFILE);
      },
    },
    {
      name: "process_mrelease frees the memory of what is being killed, and of nothing else",
      run: (traced) =>
        withChild(({ pid }) => {
          using pidfd = traced.call("pidfdOpen", pid);
          traced.fails("EINVAL", "processMrelease", pidfd);
          traced.call("pidfdSendSignal", pidfd, SIG.KILL);
          // ESRCH: the kernel was faster.
          traced.callOr("ESRCH", "processMrelease", pidfd);
        }),
    },
    {
      name: "kcmp tells what two processes share",
      run: (traced) =>
        withChild(({ pid }) => {
          using a = traced.call("openat", AT_FDCWD, "/", O.DIRECTORY);
          using b = traced.call("openat", AT_FDCWD, "/", O.DIRECTORY);
          traced.expect("a file is itself", traced.call("kcmp", me, me, KCMP.FILE, a.number, a.number) === 0);
          traced.expect("two openings are two", traced.call("kcmp", me, me, KCMP.FILE, a.number, b.number) !== 0);
          traced.expect("a process shares its memory with itself", traced.call("kcmp", me, me, KCMP.VM) === 0);
          for (const type of [KCMP.VM, KCMP.FILES, KCMP.FS, KCMP.SIGHAND])
            traced.expect("a child shares nothing", traced.call("kcmp", me, pid, type) !== 0);
          traced.fails("EBADF", "kcmp", me, me, KCMP.FILE, a.number, closed);
          traced.fails("ESRCH", "kcmp", me, nobody, KCMP.VM);
          traced.fails("EINVAL", "kcmp", me, me, unknown, 1, 2);
        }),
    },
    // Ids
    {
      name: "ids are those of /proc",
      run(traced) {
        traced.expect("getpid", traced.call("getpid") === Number(basename(readlinkSync("/proc/self"))));
        traced.expect("gettid", traced.call("gettid") === Number(basename(readlinkSync("/proc/thread-self"))));
        traced.expect("getppid", traced.call("getppid") === Number(stat("self", 4)));
        traced.expect("getpgid", traced.call("getpgid", 0) === Number(stat("self", 5)));
        traced.expect("getsid", traced.call("getsid", me) === Number(stat("self", 6)));
        traced.fails("ESRCH", "getpgid", nobody);
        traced.fails("ESRCH", "getsid", nobody);
      },
    },
    {
      name: "process groups and sessions are made, and not left by who leads them",
      alone: true,
      run(traced) {
        const before = traced.call("getpgid", 0);
        traced.call("setpgid", 0, 0);
        traced.expect("it leads a group", stat("self", 5) === String(me));
        const error = traced.fails("EPERM", "setsid");
        traced.expect("the hint says why", error?.hint?.includes("group") ?? false);
        traced.call("setpgid", 0, before);
        traced.expect("setsid returns its id", traced.call("setsid") === me);
        traced.expect("it leads a session", stat("self", 6) === String(me));
        traced.expect("without a terminal", stat("self", 7) === "0");
        traced.fails("EPERM", "setpgid", 0, 0);
        traced.fails("EINVAL", "setpgid", 0, -1);
        traced.fails("ESRCH", "setpgid", nobody, 0);
      },
    },
    {
      name: "a child that has executed a program stays in its group",
      run: (traced) => withChild(({ pid }) => void traced.fails("EACCES", "setpgid", pid, 0)),
    },
    // Where it is
    {
      name: "chdir and fchdir go where they are told",
      alone: true,
      run(traced) {
        const dir = traced.dir();
        const file = join(dir, "file");
        writeFileSync(file, "");
        traced.call("chdir", dir);
        traced.expect("it is there", readlinkSync("/proc/self/cwd") === dir);
        using root = traced.call("openat", AT_FDCWD, "/", O.PATH | O.DIRECTORY);
        traced.call("fchdir", root);
        traced.expect("it is back", readlinkSync("/proc/self/cwd") === "/");
        const error = traced.fails("ENOENT", "chdir", join(dir, "none"));
        traced.expect("the error has the path", error?.path === join(dir, "none"));
        traced.fails("ENOTDIR", "chdir", file);
        traced.fails("ENAMETOOLONG", "chdir", "n".repeat(256));
        using plain = traced.call("openat", AT_FDCWD, file, O.RDONLY);
        traced.expect("the error has its path", traced.fails("ENOTDIR", "fchdir", plain)?.path === file);
        traced.fails("EBADF", "fchdir", closed);
      },
    },
    {
      name: "a directory that may not be searched is not entered",
      as: "user",
      run(traced) {
        const dir = traced.dir();
        chmodSync(dir, 0o600);
        traced.fails("EACCES", "chdir", dir);
        chmodSync(dir, 0o700);
      },
    },
    {
      name: "umask returns the mask of before",
      alone: true,
      run(traced) {
        const before = Number.parseInt(status("Umask") ?? "", 8);
        traced.expect("it is the one in /proc", traced.call("umask", 0o27) === before);
        traced.expect("the new one is too", status("Umask") === "0027");
        // Only the nine bits count.
        traced.call("umask", 0o7777);
        traced.expect("more bits are cut off", traced.call("umask", before) === 0o777);
      },
    },
    {
      name: "personality changes, and is asked for",
      alone: true,
      run(traced) {
        const read = () => Number.parseInt(readFileSync("/proc/self/personality", "utf8"), 16);
        const before = read();
        traced.expect("it returns that of before", traced.call("personality", PER.ADDR_NO_RANDOMIZE) === before);
        traced.expect("it has changed", read() === PER.ADDR_NO_RANDOMIZE);
        traced.expect("0xffffffff asks", traced.call("personality", 0xffffffff) === PER.ADDR_NO_RANDOMIZE);
        traced.expect("and changes nothing", read() === PER.ADDR_NO_RANDOMIZE);
        traced.call("personality", before);
      },
    },
    // Limits and usage
    {
      name: "limits are those of /proc, for this process and a child",
      alone: true,
      run: (traced) =>
        withChild(({ pid }) => {
          const line = (of: number | "self") =>
            /^Max open files +(\w+) +(\w+)/m
              .exec(readFileSync(`/proc/${of}/limits`, "utf8"))
              ?.slice(1)
              .join();
          const { rlim_cur, rlim_max } = traced.call("prlimit64Get", 0, RLIMIT.NOFILE);
          traced.expect("both are those of before", line("self") === `${rlim_cur},${rlim_max}`);
          traced.call("prlimit64", 0, RLIMIT.NOFILE, 512, 4096);
          traced.expect("this one has new ones", line("self") === "512,4096");
          traced.call("prlimit64", pid, RLIMIT.NOFILE, 100, 1000);
          traced.expect("the child too", line(pid) === "100,1000");
          traced.expect("they are read", traced.call("prlimit64Get", pid, RLIMIT.NOFILE).rlim_max === 1000);
          traced.call("prlimit64", 0, RLIMIT.CORE, 0, traced.call("prlimit64Get", 0, RLIMIT.CORE).rlim_max);
          traced.expect("none is Infinity", traced.call("prlimit64Get", 0, RLIMIT.CPU).rlim_max === Infinity);
          traced.fails("EINVAL", "prlimit64", 0, RLIMIT.NOFILE, 4096, 512);
          traced.fails("EINVAL", "prlimit64", 0, unknown, 0, 0);
          traced.fails("EINVAL", "prlimit64Get", 0, unknown);
          traced.fails("ESRCH", "prlimit64", nobody, RLIMIT.NOFILE, 1, 1);
          traced.fails("ESRCH", "prlimit64Get", nobody, RLIMIT.NOFILE);
          // Nobody may have more than fs.nr_open.
          const error = traced.fails("EPERM", "prlimit64", 0, RLIMIT.NOFILE, 512, Infinity);
          traced.expect("the hint names the sysctl", error?.hint?.includes("fs.nr_open") ?? false);
        }),
    },
    {
      name: "a lowered limit stays",
      as: "user",
      alone: true,
      run(traced) {
        traced.call("prlimit64", 0, RLIMIT.CORE, 0, 0);
        traced.fails("EPERM", "prlimit64", 0, RLIMIT.CORE, 0, 1024 * 1024);
      },
    },
    {
      name: "usage is counted",
      run(traced) {
        const { maxRSS } = process.resourceUsage();
        const { ru_maxrss } = traced.call("getrusage", RUSAGE.SELF);
        traced.expect("the peak is the one that Bun knows", Math.abs(ru_maxrss - maxRSS) < 65536 && ru_maxrss > 1024);
        const thread = traced.call("getrusage", RUSAGE.THREAD);
        traced.expect("the thread was busy", thread["ru_utime.tv_sec"] * 1e6 + thread["ru_utime.tv_usec"] > 0);
        Bun.spawnSync(["true"]);
        traced.expect("children had memory", traced.call("getrusage", RUSAGE.CHILDREN).ru_maxrss > 0);
        traced.fails("EINVAL", "getrusage", unknown);
      },
    },
    {
      name: "uname and sysinfo are what node:os says",
      run(traced) {
        const names = traced.call("uname");
        traced.expect(
          "names",
          names.sysname === "Linux" && names.release === release() && names.nodename === hostname(),
        );
        const info = traced.call("sysinfo");
        traced.expect("memory", info.totalram * info.mem_unit === totalmem());
        const uptime = Number.parseFloat(readFileSync("/proc/uptime", "utf8"));
        traced.expect("uptime", Math.abs(info.uptime - uptime) < 5);
      },
    },
    // Scheduling
    {
      name: "a thread runs on the CPUs that it is given",
      alone: true,
      run(traced) {
        const before = traced.call("schedGetaffinity", 0);
        traced.expect("they are those in /proc", before.join() === listed(status("Cpus_allowed_list") ?? "").join());
        const [last = 0] = before.slice(-1);
        traced.call("schedSetaffinity", 0, [last]);
        traced.expect("it has one", status("Cpus_allowed_list") === String(last));
        traced.expect("it is read", traced.call("schedGetaffinity", 0).join() === String(last));
        traced.call("schedSetaffinity", 0, before);
        traced.expect("it has all again", traced.call("schedGetaffinity", me, 1024).join() === before.join());
        const error = traced.fails("EINVAL", "schedSetaffinity", 0, []);
        traced.expect("the hint says why", error?.hint?.includes("CPU") ?? false);
        traced.fails("EINVAL", "schedSetaffinity", 0, [1023, 1000]);
        traced.fails("ESRCH", "schedSetaffinity", nobody, [0]);
        for (const cpus of [[-1], [0.5], [Number.NaN], [1e9]])
          traced.expect(
            `no CPU is ${cpus}`,
            isRefused(() => sys.schedSetaffinity(0, cpus)),
          );
        traced.fails("EINVAL", "schedGetaffinity", 0, 1);
        traced.fails("ESRCH", "schedGetaffinity", nobody);
      },
    },
    {
      name: "another user's threads run where they do",
      as: "user",
      run: (traced) => void traced.fails("EPERM", "schedSetaffinity", 1, [0]),
    },
    {
      name: "a scheduling policy is set and read",
      alone: true,
      run(traced) {
        traced.expect("it starts with SCHED_OTHER", traced.call("schedGetscheduler", 0) === SCHED.OTHER);
        traced.call("schedSetscheduler", 0, SCHED.BATCH);
        traced.expect("SCHED_BATCH is read", traced.call("schedGetscheduler", 0) === SCHED.BATCH);
        traced.expect("/proc says so", stat("self", 41) === String(SCHED.BATCH));
        traced.call("schedSetattr", 0, { sched_policy: SCHED.OTHER, sched_nice: 5 });
        const attr = traced.call("schedGetattr", 0);
        traced.expect("its nice value is read", attr.sched_nice === 5 && attr.sched_policy === SCHED.OTHER);
        traced.expect("/proc says so too", stat("self", 19) === "5");
        traced.callOr("EOPNOTSUPP", "schedSetattr", 0, {
          sched_policy: SCHED.OTHER,
          sched_flags: SCHED_FLAG.UTIL_CLAMP_MIN,
          sched_nice: 5,
          sched_util_min: 10,
        });
        traced.fails("EINVAL", "schedSetscheduler", 0, unknown);
        traced.fails("EINVAL", "schedSetscheduler", 0, SCHED.FIFO, 0);
        traced.fails("EINVAL", "schedSetscheduler", 0, SCHED.OTHER, 1);
        traced.fails("ESRCH", "schedSetscheduler", nobody, SCHED.OTHER);
        traced.fails("ESRCH", "schedGetscheduler", nobody);
        traced.fails("EINVAL", "schedGetscheduler", -1);
        traced.fails("EINVAL", "schedSetattr", 0, { sched_policy: unknown });
        traced.fails("EINVAL", "schedSetattr", 0, {
          sched_policy: SCHED.DEADLINE,
          sched_runtime: 10,
          sched_deadline: 5,
        });
        traced.fails("EINVAL", "schedSetattr", 0, { sched_policy: SCHED.OTHER, sched_flags: 0x1000 });
        traced.fails("ESRCH", "schedSetattr", nobody, { sched_policy: SCHED.OTHER });
        traced.fails("ESRCH", "schedGetattr", nobody);
        traced.fails("EINVAL", "schedGetattr", 0, 8);
        traced.call("schedSetscheduler", 0, SCHED.IDLE);
      },
    },
    {
      name: "higher priorities take CAP_SYS_NICE",
      as: "user",
      alone: true,
      run(traced) {
        const error = traced.fails("EPERM", "schedSetscheduler", 0, SCHED.FIFO, 1);
        traced.expect("the hint names the capability", error?.hint?.includes("CAP_SYS_NICE") ?? false);
        const deadline = { sched_runtime: 1e6, sched_deadline: 1e7, sched_period: 1e7 };
        traced.fails("EPERM", "schedSetattr", 0, { sched_policy: SCHED.DEADLINE, ...deadline });
        traced.fails("EACCES", "setpriority", PRIO.PROCESS, 0, -5);
        traced.fails("EPERM", "setpriority", PRIO.PROCESS, 1, 19);
        traced.fails("EPERM", "ioprioSet", IOPRIO_WHO.PROCESS, 0, IOPRIO_CLASS.RT << 13);
        traced.fails("EPERM", "ioprioSet", IOPRIO_WHO.PROCESS, 1, IOPRIO_CLASS.IDLE << 13);
      },
    },
    {
      name: "nice values are set, and read as 20 minus it",
      alone: true,
      run(traced) {
        const before = Number(stat("self", 19));
        traced.expect("the one of before", traced.call("getpriority", PRIO.PROCESS, 0) === 20 - before);
        traced.call("setpriority", PRIO.PROCESS, 0, before + 7);
        traced.expect("the new one", traced.call("getpriority", PRIO.PROCESS, me) === 20 - before - 7);
        traced.expect("/proc says so", stat("self", 19) === String(before + 7));
        traced.call("setpriority", PRIO.PROCESS, 0, 1000);
        traced.expect("more than 19 is 19", stat("self", 19) === "19");
        traced.fails("EINVAL", "setpriority", unknown, 0, 0);
        traced.fails("EINVAL", "getpriority", unknown, 0);
        traced.fails("ESRCH", "setpriority", PRIO.PROCESS, nobody, 0);
        traced.fails("ESRCH", "getpriority", PRIO.PGRP, nobody);
      },
    },
    {
      name: "priorities of input and output are set and read",
      alone: true,
      run(traced) {
        const priority = (IOPRIO_CLASS.BE << 13) | 6;
        traced.call("ioprioSet", IOPRIO_WHO.PROCESS, 0, priority);
        traced.expect("the new one is read", traced.call("ioprioGet", IOPRIO_WHO.PROCESS, 0) === priority);
        // util-linux asks the kernel itself; a thread that leads a process is the process.
        const said = Bun.spawnSync(["ionice", "-p", String(me)]).stdout.toString();
        traced.expect(`ionice says so: ${said}`, said === "best-effort: prio 6\n");
        traced.call("ioprioSet", IOPRIO_WHO.PROCESS, 0, IOPRIO_CLASS.IDLE << 13);
        traced.fails("EINVAL", "ioprioSet", unknown, 0, priority);
        traced.fails("EINVAL", "ioprioSet", IOPRIO_WHO.PROCESS, 0, (7 << 13) | 1);
        traced.fails("EINVAL", "ioprioGet", unknown, 0);
        traced.fails("ESRCH", "ioprioSet", IOPRIO_WHO.PROCESS, nobody, priority);
        traced.fails("ESRCH", "ioprioGet", IOPRIO_WHO.PROCESS, nobody);
      },
    },
    // prctl
    {
      name: "what happens at the parent's end is set and read",
      alone: true,
      run(traced) {
        traced.call("setPdeathsig", SIG.STKFLT);
        traced.expect("the signal is read", traced.call("getPdeathsig") === SIG.STKFLT);
        traced.call("setPdeathsig", 0);
        traced.expect("none is read", traced.call("getPdeathsig") === 0);
        traced.fails("EINVAL", "setPdeathsig", 65);
      },
    },
    {
      name: "who is not dumpable hides from its user",
      alone: true,
      as: "user",
      run(traced) {
        const owner = () => statSync("/proc/self/environ").uid;
        traced.expect("it starts dumpable", traced.call("getDumpable") === SUID_DUMP.USER);
        traced.call("setDumpable", SUID_DUMP.DISABLE);
        // Its memory is hidden now, from strace too: these go without marks.
        const [hidden, owned] = [sys.getDumpable(), owner()];
        sys.setDumpable(SUID_DUMP.USER);
        traced.expect("it was not", hidden === SUID_DUMP.DISABLE);
        traced.expect("its files in /proc were root's", owned === 0);
        traced.expect("its files are its user's", owner() === process.getuid?.());
        traced.fails("EINVAL", "setDumpable", SUID_DUMP.ROOT);
        traced.fails("EINVAL", "setDumpable", 7);
      },
    },
    {
      name: "no_new_privs is set for good",
      alone: true,
      run(traced) {
        traced.expect("it is not set", traced.call("getNoNewPrivs") === 0);
        traced.call("setNoNewPrivs");
        traced.expect("it is set", traced.call("getNoNewPrivs") === 1);
        traced.expect("/proc says so", status("NoNewPrivs") === "1");
        traced.fails("EINVAL", "prctl", PR.SET_NO_NEW_PRIVS, 0, 0, 0, 0);
      },
    },
    {
      name: "orphans go elsewhere again",
      alone: true,
      run(traced) {
        traced.call("setChildSubreaper", 1);
        traced.call("setChildSubreaper", 0);
        traced.expect("it is no subreaper", traced.call("getChildSubreaper") === 0);
      },
    },
    {
      name: "a thread has a name of 15 bytes",
      alone: true,
      run(traced) {
        traced.call("setName", "bunshare");
        traced.expect("the name is read", traced.call("getName") === "bunshare");
        traced.expect("/proc says so", readFileSync("/proc/thread-self/comm", "utf8") === "bunshare\n");
        traced.call("setName", "fifteen bytes!!");
        traced.expect("15 bytes are kept", traced.call("getName") === "fifteen bytes!!");
      },
    },
    {
      name: "timers have slack, memory small pages",
      alone: true,
      run(traced) {
        traced.call("setTimerslack", 77_000);
        traced.expect("the slack is read", traced.call("getTimerslack") === 77_000);
        traced.expect("/proc says so", readFileSync(`/proc/${me}/timerslack_ns`, "utf8") === "77000\n");
        traced.call("setThpDisable", 1);
        traced.expect("huge pages are off", traced.call("getThpDisable") === 1);
        traced.expect("/proc says so too", status("THP_enabled") === "0");
        traced.call("setThpDisable", 0);
        traced.expect("huge pages are on", traced.call("getThpDisable") === 0);
        traced.fails("EINVAL", "prctl", PR.SET_THP_DISABLE, 1, 0, 0, 1);
        traced.fails("EINVAL", "prctl", closed, 0, 0, 0, 0);
      },
    },
    {
      name: "memory stays writable or executable",
      alone: true,
      run(traced) {
        if (!isSince(kernel, since.PR_SET_MDWE)) {
          traced.fails("EINVAL", "setMdwe", PR_MDWE.REFUSE_EXEC_GAIN);
          return void traced.fails("EINVAL", "getMdwe");
        }
        traced.expect("nothing is refused", traced.call("getMdwe") === 0);
        traced.fails("EINVAL", "setMdwe", 0x10);
        traced.call("setMdwe", PR_MDWE.REFUSE_EXEC_GAIN);
        traced.expect("what is refused is read", traced.call("getMdwe") === PR_MDWE.REFUSE_EXEC_GAIN);
        const both = PROT.WRITE | PROT.EXEC;
        traced.fails("EACCES", "mmap", null, 4096, both, MAP.PRIVATE | MAP.ANONYMOUS, -1);
        traced.fails("EPERM", "setMdwe", 0);
      },
    },
    {
      name: "Yama is told who may trace",
      run(traced) {
        traced.callOr("EINVAL", "setPtracer", process.ppid);
        traced.callOr("EINVAL", "setPtracer", 0);
        const error = traced.fails("EINVAL", "setPtracer", nobody);
        traced.expect("the hint names Yama", error?.hint?.includes("Yama") ?? false);
      },
    },
    {
      name: "a misfeature of the CPU is asked about",
      alone: true,
      run(traced) {
        const state = traced.callOr("ENODEV", "getSpeculationCtrl", PR_SPEC.STORE_BYPASS);
        const said = status("Speculation_Store_Bypass") ?? "unknown";
        if (state === PR_SPEC_CTRL.NOT_AFFECTED) traced.expect(`/proc says so: ${said}`, said === "not vulnerable");
        if (state === PR_SPEC_CTRL.ENABLE) traced.expect(`/proc says so: ${said}`, said === "vulnerable");
        traced.callOr(["ENXIO", "ENODEV", "EPERM"], "setSpeculationCtrl", PR_SPEC.STORE_BYPASS, PR_SPEC_CTRL.DISABLE);
        traced.fails("ENODEV", "getSpeculationCtrl", unknown);
        traced.fails("ENODEV", "setSpeculationCtrl", unknown, PR_SPEC_CTRL.DISABLE);
      },
    },
    {
      name: "a core is shared with nobody, where the machine has siblings",
      alone: true,
      run(traced) {
        const { CREATE, SHARE_TO } = PR_SCHED_CORE;
        traced.callOr(["EINVAL", "ENODEV"], "schedCore", CREATE, 0, PR_SCHED_CORE_SCOPE.THREAD_GROUP);
        traced.callOr(["EINVAL", "ENODEV"], "schedCore", SHARE_TO, me, PR_SCHED_CORE_SCOPE.THREAD);
        traced.fails("EINVAL", "schedCore", CREATE, 0, unknown);
      },
    },
    // Capabilities
    {
      name: "the bounding set is read",
      run(traced) {
        for (const capability of [CAP.CHOWN, CAP.SYS_ADMIN, CAP.SYS_RESOURCE, CAP.CHECKPOINT_RESTORE])
          traced.expect(
            "it is the one in /proc",
            traced.call("capbsetRead", capability) === Number(hasBit("CapBnd", capability)),
          );
        const error = traced.fails("EINVAL", "capbsetRead", unknown);
        traced.expect("the hint says what there is", error?.hint?.includes("cap_last_cap") ?? false);
      },
    },
    {
      name: "capabilities are dropped from the bounding set",
      as: "root",
      alone: true,
      run(traced) {
        traced.call("capbsetDrop", CAP.SYS_BOOT);
        traced.expect("it is not there", traced.call("capbsetRead", CAP.SYS_BOOT) === 0);
        traced.expect("/proc says so", !hasBit("CapBnd", CAP.SYS_BOOT));
        traced.fails("EINVAL", "capbsetDrop", unknown);
      },
    },
    {
      name: "securebits are set, and stay where they are locked",
      as: "root",
      alone: true,
      run(traced) {
        const before = traced.call("getSecurebits");
        traced.call("setKeepcaps", 1);
        traced.expect("capabilities are kept", traced.call("getKeepcaps") === 1);
        traced.expect("that is a securebit", traced.call("getSecurebits") === (before | SECBIT.KEEP_CAPS));
        traced.call("setKeepcaps", 0);
        const locked = SECBIT.NOROOT | SECBIT.NOROOT_LOCKED | SECBIT.KEEP_CAPS_LOCKED | SECBIT.NO_CAP_AMBIENT_RAISE;
        traced.call("setSecurebits", locked);
        traced.expect("they are read", traced.call("getSecurebits") === locked);
        const error = traced.fails("EPERM", "setSecurebits", 0);
        traced.expect("the hint says why", error?.hint?.includes("locked") ?? false);
        traced.fails("EPERM", "setKeepcaps", 1);
        traced.fails("EPERM", "capAmbientRaise", CAP.CHOWN);
      },
    },
    {
      name: "ambient capabilities are raised and lowered",
      as: "root",
      in: ["setpriv", "--inh-caps", "+chown,+kill"],
      run(traced) {
        traced.expect("it is not ambient", traced.call("capAmbientIsSet", CAP.CHOWN) === 0);
        traced.call("capAmbientRaise", CAP.CHOWN);
        traced.call("capAmbientRaise", CAP.KILL);
        traced.expect("it is ambient", traced.call("capAmbientIsSet", CAP.CHOWN) === 1);
        traced.expect("/proc says so", hasBit("CapAmb", CAP.CHOWN));
        traced.call("capAmbientLower", CAP.CHOWN);
        traced.expect("it is so no more", !hasBit("CapAmb", CAP.CHOWN) && hasBit("CapAmb", CAP.KILL));
        traced.call("capAmbientClearAll");
        traced.expect("none is", status("CapAmb") === "0".repeat(16));
      },
    },
    {
      name: "what is not permitted and inheritable is not made ambient",
      run(traced) {
        const error = traced.fails("EPERM", "capAmbientRaise", CAP.SYS_ADMIN);
        traced.expect("the hint says why", error?.hint?.includes("inheritable") ?? false);
        traced.fails("EINVAL", "capAmbientRaise", unknown);
        traced.fails("EINVAL", "capAmbientLower", unknown);
        traced.fails("EINVAL", "capAmbientIsSet", unknown);
        traced.fails("EINVAL", "prctl", PR.CAP_AMBIENT, { flags: "PR_CAP_AMBIENT", value: 4 }, 1, 0, 0);
      },
    },
    {
      name: "capabilities and securebits take CAP_SETPCAP",
      as: "user",
      run(traced) {
        const error = traced.fails("EPERM", "capbsetDrop", CAP.SYS_BOOT);
        traced.expect("the hint names it", error?.hint?.includes("CAP_SETPCAP") ?? false);
        traced.fails("EPERM", "setSecurebits", SECBIT.NOROOT);
        traced.expect("none is set", traced.call("getSecurebits") === 0 && traced.call("getKeepcaps") === 0);
      },
    },
    // Memory
    {
      name: "mmap gives memory at an address",
      alone: true,
      run(traced) {
        const flags = MAP.PRIVATE | MAP.ANONYMOUS;
        const address = traced.call("mmap", null, 1 << 20, PROT.READ, flags, -1);
        const maps = readFileSync("/proc/self/maps", "utf8");
        const holds = maps.split("\n").some((line) => {
          const [from = 0, to = 0] = (line.split(" ")[0] ?? "").split("-").map((word) => Number.parseInt(word, 16));
          return from <= address && address + (1 << 20) <= to && line.includes(" r--p ");
        });
        traced.expect("it is in /proc", holds);
        traced.fails("EINVAL", "mmap", null, 0, PROT.READ, flags, -1);
        traced.fails("EBADF", "mmap", null, 4096, PROT.READ, MAP.PRIVATE, closed);
        using directory = traced.call("openat", AT_FDCWD, "/", O.DIRECTORY);
        traced.fails("ENODEV", "mmap", null, 4096, PROT.READ, MAP.PRIVATE, directory);
      },
    },
  ],
};
