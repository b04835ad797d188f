/** Processes: making, naming, limiting, asking about them, becoming another program. */
import type { Arg, Text } from "../call.ts";
import { KCMP, P, PR, PR_CAP_AMBIENT, SCHED_FLAG } from "../flags.ts";
import {
  bits,
  define,
  fd,
  type FdArg,
  int,
  long,
  type LongArg,
  named,
  octal,
  one,
  type Out,
  out,
  type PidArg,
  refused,
  room,
  text,
} from "../primitive.ts";
import type { StructName } from "../structs.ts";

// Making, waiting, ending

/** What clone3 takes beyond flags and signal. clone(2) */
export interface CloneArgs {
  /** Directory descriptor of a v2 group, with CLONE_INTO_CGROUP. Linux 5.7 */
  readonly cgroup?: FdArg;
  /** A stack of its own, with CLONE_VM. */
  readonly stackBytes?: number;
  /** Where the descriptor of the child goes, four bytes, with CLONE_PIDFD. */
  readonly pidfd?: Out;
  /** Where the child's pid goes in its own memory, four bytes, with CLONE_CHILD_SETTID or CLONE_CHILD_CLEARTID. */
  readonly childTid?: Out;
  /** Where the child's pid goes, four bytes, with CLONE_PARENT_SETTID. */
  readonly parentTid?: Out;
  /** The child's pid in its pid namespace, then in the one above, ...: as many levels as there are pids. Linux 5.5 */
  readonly setTid?: readonly number[];
}

/**
 * `clone3(cl_args, size)`: a child process; returns its pid, and 0 in the child. clone(2), Linux 5.3
 * As a step only: the child goes on with the section that the step names.
 * @param flags CLONE_NEW* and the like, added up (CLONE_INTO_CGROUP is above 32 bits, where `|` does not reach).
 * @throws {SyscallError} EEXIST when a pid of `setTid` is another's, EBUSY when the cgroup may hold no process.
 */
export const clone3 = /* @__PURE__ */ define(
  "clone3",
  "number",
  (flags: number, exitSignal: number, args: CloneArgs = {}) => {
    const more = named(args);
    return [
      {
        struct: "clone_args",
        fields: {
          flags: bits("CLONE", flags),
          ...(more.pidfd === undefined ? {} : { pidfd: out(more.pidfd, 4) }),
          ...(more.childTid === undefined ? {} : { child_tid: out(more.childTid, 4) }),
          ...(more.parentTid === undefined ? {} : { parent_tid: out(more.parentTid, 4) }),
          exit_signal: one("SIG", exitSignal),
          stack: more.stackBytes === undefined ? null : { out: more.stackBytes },
          stack_size: more.stackBytes ?? 0,
          ...(more.setTid === undefined ? {} : { set_tid: { words: more.setTid }, set_tid_size: more.setTid.length }),
          ...(more.cgroup === undefined ? {} : { cgroup: fd(more.cgroup) }),
        },
      },
      88,
    ];
  },
);
/**
 * `execve(pathname, argv, envp)`: become another program; returns only when it fails. execve(2)
 * @throws {SyscallError} ENOENT also when the interpreter of a script or the loader of a program is missing.
 */
export const execve = /* @__PURE__ */ define(
  "execve",
  "none",
  (path: Text, argv: readonly Text[], env: readonly string[]) => [text(path), { strings: argv }, { strings: env }],
);
/**
 * `execveat(dirfd, pathname, argv, envp, flags)`: execve by descriptor: with AT_EMPTY_PATH and an empty path, of the program itself.
 * With AT_EXECVE_CHECK (Linux 6.14) only the question whether it may be executed. execveat(2), Linux 3.19
 */
export const execveat = /* @__PURE__ */ define(
  "execveat",
  "none",
  (dirfd: FdArg, path: Text, argv: readonly Text[], env: readonly string[], flags: number) => [
    fd(dirfd),
    text(path),
    { strings: argv },
    { strings: env },
    bits("AT", flags),
  ],
);
/** `exit_group(status)`: the end of all threads; the lower eight bits are the exit code. exit_group(2) */
export const exitGroup = /* @__PURE__ */ define("exit_group", "none", (status: number) => [int(status)]);
/**
 * `wait4(pid, wstatus, options, rusage)`: reap a child; returns its pid, or 0 when WNOHANG found none. The wait status is written to
 * four bytes: `status & 0x7f` is the signal that ended it, `status >> 8` else the exit code. wait4(2)
 * @param pid -1: any child.
 * @throws {SyscallError} ECHILD when there is no such child, or it was reaped.
 */
export const wait4 = /* @__PURE__ */ define(
  "wait4",
  "number",
  (pid: PidArg, status: Out | null, options: number, usage: Out | null = null) => [
    int(pid),
    outOrNull(status, 4),
    bits("W", options),
    outOrNull(usage, "rusage"),
  ],
);
/**
 * `waitid(idtype, id, infop, options, rusage)`: wait for a child, and with WNOWAIT leave it to be reaped. `si_code` is CLD_EXITED with
 * the exit code in `si_status`, or another CLD_* with a signal; `si_pid` is 0 when WNOHANG found none. waitid(2)
 * @param id A pid, a process group, or a pidfd (Linux 5.4), as `idtype` says.
 * @param options At least one of WEXITED, WSTOPPED and WCONTINUED.
 * @throws {SyscallError} ECHILD when there is no such child, or it was reaped.
 */
export const waitid = /* @__PURE__ */ define(
  "waitid",
  "siginfo",
  (idtype: number, id: FdArg, options: number, info: Out = "siginfo", usage: Out | null = null) => [
    one("P", idtype),
    idtype === P.PIDFD ? fd(id) : int(id as PidArg),
    out(info, "siginfo"),
    bits("W", options),
    outOrNull(usage, "rusage"),
  ],
);
/** `mmap(addr, length, prot, flags, fd, offset)` at a fixed address: how the stage sees the report. mmap(2) */
export const mmap = /* @__PURE__ */ define(
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

// Descriptors of processes

/**
 * `pidfd_open(pid, flags)`: a descriptor that stays this process', even when its pid is another's. pidfd_open(2), Linux 5.3
 * @param flags PIDFD_NONBLOCK (Linux 5.10); PIDFD_THREAD for a thread that leads no group (Linux 6.9).
 * @throws {SyscallError} ESRCH when there is none, EINVAL (on newer kernels ENOENT) for a thread without PIDFD_THREAD.
 */
export const pidfdOpen = /* @__PURE__ */ define("pidfd_open", "fd", (pid: PidArg, flags: number = 0) => [
  int(pid),
  bits("PIDFD", flags),
]);
/**
 * `pidfd_send_signal(pidfd, sig, NULL, flags)`: kill(2) that cannot hit another. pidfd_send_signal(2), Linux 5.1
 * @param flags PIDFD_SIGNAL_* say whom it reaches: thread, process, or process group. Linux 6.9
 * @throws {SyscallError} ESRCH when the process has ended and was reaped.
 */
export const pidfdSendSignal = /* @__PURE__ */ define(
  "pidfd_send_signal",
  "none",
  (pidfd: FdArg, signal: number, flags: number = 0) => [
    fd(pidfd),
    one("SIG", signal),
    null,
    bits("PIDFD_SIGNAL", flags),
  ],
);
/**
 * `pidfd_getfd(pidfd, targetfd, 0)`: a duplicate of another process' descriptor, close-on-exec. pidfd_getfd(2), Linux 5.6
 * @throws {SyscallError} EPERM without the right to trace the process, EBADF when it has no such descriptor.
 */
export const pidfdGetfd = /* @__PURE__ */ define("pidfd_getfd", "fd", (pidfd: FdArg, target: number) => [
  fd(pidfd),
  int(target),
  0,
]);
/**
 * `process_mrelease(pidfd, 0)`: free the memory of a process that was killed, at the caller's cost. process_mrelease(2), Linux 5.15
 * @throws {SyscallError} EINVAL when the process is not dying, ESRCH when its memory is gone.
 */
export const processMrelease = /* @__PURE__ */ define("process_mrelease", "none", (pidfd: FdArg) => [fd(pidfd), 0]);
/**
 * `kcmp(pid1, pid2, type, idx1, idx2)`: whether two processes share a resource: 0 if so, 1 and 2 for an order among those that do not,
 * 3 for none. kcmp(2), Linux 3.5
 * @param type KCMP_FILE compares the descriptors `idx1` and `idx2`; for all but KCMP_EPOLL_TFD, which is not made here.
 */
export const kcmp = /* @__PURE__ */ define(
  "kcmp",
  "number",
  (pid1: PidArg, pid2: PidArg, type: number, idx1: number = 0, idx2: number = 0) => [
    int(pid1),
    int(pid2),
    one("KCMP", type),
    ...(type >= KCMP.VM && type <= KCMP.SYSVSEM ? [] : [int(idx1), int(idx2)]),
  ],
);

// Ids

/** `getpid()`. getpid(2) */
export const getpid = /* @__PURE__ */ define("getpid", "number", () => []);
/** `getppid()`: 0 when the parent is not in the caller's pid namespace. getppid(2) */
export const getppid = /* @__PURE__ */ define("getppid", "number", () => []);
/** `gettid()`: of the calling thread. gettid(2) */
export const gettid = /* @__PURE__ */ define("gettid", "number", () => []);
/** `getpgid(pid)`: the process group; pid 0 is the caller. getpgid(2) */
export const getpgid = /* @__PURE__ */ define("getpgid", "number", (pid: PidArg) => [int(pid)]);
/**
 * `setpgid(pid, pgid)`: move the caller (0) or a child to a process group; 0: one of its own. setpgid(2)
 * @throws {SyscallError} EACCES for a child after its execve, EPERM for the leader of a session or a group of another session.
 */
export const setpgid = /* @__PURE__ */ define("setpgid", "none", (pid: PidArg, pgid: PidArg) => [int(pid), int(pgid)]);
/** `getsid(pid)`: the session; pid 0 is the caller. getsid(2) */
export const getsid = /* @__PURE__ */ define("getsid", "number", (pid: PidArg) => [int(pid)]);
/**
 * `setsid()`: a session of its own, without a controlling terminal; returns its id. setsid(2)
 * @throws {SyscallError} EPERM for the leader of a process group.
 */
export const setsid = /* @__PURE__ */ define("setsid", "number", () => []);

// Where it is, and what its files get

/** `chdir(path)`: the working directory. chdir(2) */
export const chdir = /* @__PURE__ */ define("chdir", "none", (path: Text) => [text(path)]);
/** `fchdir(fd)`: the working directory, by descriptor. chdir(2) */
export const fchdir = /* @__PURE__ */ define("fchdir", "none", (dir: FdArg) => [fd(dir)]);
/** `umask(mask)`: the bits that new files do not get; returns those of before. umask(2) */
export const umask = /* @__PURE__ */ define("umask", "number", (mask: number) => [octal(mask)]);
/** `personality(persona)`: ADDR_NO_RANDOMIZE and the like; 0xffffffff only asks. Returns that of before. personality(2) */
export const personality = /* @__PURE__ */ define("personality", "number", (persona: number) => [bits("PER", persona)]);

// Limits and usage

/**
 * `prlimit64(pid, resource, new_limit, NULL)`: pid 0 is the caller; `Infinity` is RLIM64_INFINITY. prlimit(2)
 * @throws {SyscallError} EPERM for a higher hard limit without CAP_SYS_RESOURCE, EINVAL for a soft one above it.
 */
export const prlimit64 = /* @__PURE__ */ define(
  "prlimit64",
  "none",
  (pid: PidArg, resource: number, soft: number, hard: number) => [
    int(pid),
    one("RLIMIT", resource),
    { struct: "rlimit64", fields: { rlim_cur: soft, rlim_max: hard } },
    null,
  ],
);
/** `prlimit64(pid, resource, NULL, old_limit)`: the soft and the hard limit, `Infinity` where there is none. prlimit(2) */
export const prlimit64Get = /* @__PURE__ */ define(
  "prlimit64",
  "rlimit64",
  (pid: PidArg, resource: number, limits: Out = "rlimit64") => [
    int(pid),
    one("RLIMIT", resource),
    null,
    out(limits, "rlimit64"),
  ],
);
/** `getrusage(who, usage)`: what the caller, its thread, or its reaped children have used. getrusage(2) */
export const getrusage = /* @__PURE__ */ define("getrusage", "rusage", (who: number, usage: Out = "rusage") => [
  one("RUSAGE", who),
  out(usage, "rusage"),
]);
/** `sysinfo(info)`: memory, load and uptime; the uptime is of the caller's time namespace. sysinfo(2) */
export const sysinfo = /* @__PURE__ */ define("sysinfo", "sysinfo", (info: Out = "sysinfo") => [out(info, "sysinfo")]);
/** `uname(buf)`: the kernel, and the names of the caller's uts namespace. uname(2) */
export const uname = /* @__PURE__ */ define("uname", "utsname", (names: Out = "utsname") => [out(names, "utsname")]);

// Scheduling

/**
 * `sched_setaffinity(pid, cpusetsize, mask)`: the CPUs, by number, on which a thread may run; pid 0 is the caller.
 * sched_setaffinity(2)
 * @throws {SyscallError} EINVAL when none of them is online and in the thread's cpuset.
 */
export const schedSetaffinity = /* @__PURE__ */ define(
  "sched_setaffinity",
  "none",
  (pid: PidArg, cpus: readonly number[]) => {
    const mask = cpuMask(cpus);
    return [
      int(pid),
      long(4 * (mask?.length ?? 0)),
      mask === undefined ? refused(cpus, "numbers of CPUs, from 0") : { words: mask },
    ];
  },
);
/**
 * `sched_getaffinity(pid, cpusetsize, mask)`: the CPUs on which a thread may run, by number. sched_setaffinity(2)
 * @throws {SyscallError} EINVAL when the mask is too small for the machine.
 */
export const schedGetaffinity = /* @__PURE__ */ define("sched_getaffinity", "cpus", (pid: PidArg, mask: Out = 1024) => [
  int(pid),
  room(mask),
  out(mask),
]);
/**
 * `sched_setscheduler(pid, policy, param)`: policy and real-time priority, 0 for all but SCHED_FIFO and SCHED_RR. sched_setscheduler(2)
 * @throws {SyscallError} EPERM without CAP_SYS_NICE or an RLIMIT_RTPRIO that allows it, or in a v1 cgroup without real-time budget.
 */
export const schedSetscheduler = /* @__PURE__ */ define(
  "sched_setscheduler",
  "none",
  (pid: PidArg, policy: number, priority: number = 0) => [int(pid), one("SCHED", policy), { words: [priority] }],
);
/** `sched_getscheduler(pid)`: the policy, SCHED_*, of a thread. sched_setscheduler(2) */
export const schedGetscheduler = /* @__PURE__ */ define("sched_getscheduler", "number", (pid: PidArg) => [int(pid)]);

/** What sched_setattr takes, in the kernel's words; times in nanoseconds. Absent ones are 0. sched_setattr(2) */
export interface SchedAttr {
  readonly sched_policy: number;
  readonly sched_flags?: number;
  readonly sched_nice?: number;
  readonly sched_priority?: number;
  readonly sched_runtime?: number;
  readonly sched_deadline?: number;
  readonly sched_period?: number;
  readonly sched_util_min?: number;
  readonly sched_util_max?: number;
}

/**
 * `sched_setattr(pid, attr, 0)`: policy, nice value, priority, or the budget of SCHED_DEADLINE. sched_setattr(2), Linux 3.14
 * @throws {SyscallError} EBUSY when the deadlines could not be met, E2BIG for what the kernel does not know yet.
 */
export const schedSetattr = /* @__PURE__ */ define("sched_setattr", "none", (pid: PidArg, attr: SchedAttr) => {
  const flags = attr.sched_flags ?? 0;
  const isClamp = (flags & (SCHED_FLAG.UTIL_CLAMP_MIN | SCHED_FLAG.UTIL_CLAMP_MAX)) !== 0;
  return [
    int(pid),
    {
      struct: "sched_attr",
      fields: {
        // As long as every kernel takes it, where that is enough.
        size: isClamp ? 56 : 48,
        sched_policy: one("SCHED", attr.sched_policy),
        sched_flags: bits("SCHED_FLAG", flags),
        sched_nice: attr.sched_nice ?? 0,
        sched_priority: attr.sched_priority ?? 0,
        sched_runtime: attr.sched_runtime ?? 0,
        sched_deadline: attr.sched_deadline ?? 0,
        sched_period: attr.sched_period ?? 0,
        ...(isClamp ? { sched_util_min: attr.sched_util_min ?? 0, sched_util_max: attr.sched_util_max ?? 0 } : {}),
      },
    },
    0,
  ];
});
/** `sched_getattr(pid, attr, size, 0)`: policy and all that belongs to it. sched_setattr(2), Linux 3.14 */
export const schedGetattr = /* @__PURE__ */ define(
  "sched_getattr",
  "sched_attr",
  (pid: PidArg, attr: Out = "sched_attr") => [int(pid), out(attr), room(attr), 0],
);
/** `getpriority(which, who)`: the highest priority among them, as 20 minus the nice value: 1 to 40. getpriority(2) */
export const getpriority = /* @__PURE__ */ define("getpriority", "number", (which: number, who: PidArg) => [
  one("PRIO", which),
  int(who),
]);
/**
 * `setpriority(which, who, prio)`: the nice value, from -20 to 19, of a process, a group, or all of a user; who 0 is the caller's.
 * getpriority(2)
 * @throws {SyscallError} EACCES for a lower one without CAP_SYS_NICE or an RLIMIT_NICE that allows it, EPERM for another user's.
 */
export const setpriority = /* @__PURE__ */ define("setpriority", "none", (which: number, who: PidArg, nice: number) => [
  one("PRIO", which),
  int(who),
  int(nice),
]);
/** `ioprio_get(which, who)`: `class << 13 | level`; who 0 is the caller's. ioprio_set(2) */
export const ioprioGet = /* @__PURE__ */ define("ioprio_get", "number", (which: number, who: PidArg) => [
  one("IOPRIO_WHO", which),
  int(who),
]);
/**
 * `ioprio_set(which, who, ioprio)`: the order in which disks serve it: `IOPRIO_CLASS.BE << 13 | level`, from 0 (first) to 7. ioprio_set(2)
 * @throws {SyscallError} EPERM for IOPRIO_CLASS_RT without CAP_SYS_NICE or CAP_SYS_ADMIN.
 */
export const ioprioSet = /* @__PURE__ */ define("ioprio_set", "none", (which: number, who: PidArg, ioprio: number) => [
  one("IOPRIO_WHO", which),
  int(who),
  one("IOPRIO_CLASS", ioprio),
]);

// prctl: what a process is told about itself

/** `prctl(option, arg2, ...)`: an operation that has no function of its own here. prctl(2) */
export const prctl = /* @__PURE__ */ define("prctl", "number", (option: number, ...args: readonly Arg[]) => [
  one("PR", option),
  ...args.slice(0, args.findLastIndex((arg) => arg !== undefined) + 1),
]);
/**
 * `prctl(PR_SET_PDEATHSIG, sig)`: the signal at the end of the thread that made the caller; 0: none. Cleared by a change of ids and by
 * an execve that gains rights. PR_SET_PDEATHSIG(2const)
 */
export const setPdeathsig = /* @__PURE__ */ define("prctl", "none", (signal: number) => [
  one("PR", PR.SET_PDEATHSIG),
  one("SIG", signal),
]);
/** `prctl(PR_GET_PDEATHSIG, sig)`: the signal at the end of the parent; 0: none. PR_SET_PDEATHSIG(2const) */
export const getPdeathsig = /* @__PURE__ */ define("prctl", "u32", (signal: Out = 4) => [
  one("PR", PR.GET_PDEATHSIG),
  out(signal, 4),
]);
/**
 * `prctl(PR_SET_DUMPABLE, dumpable)`: whether it dumps core and its user may trace it; with SUID_DUMP_DISABLE its files in /proc are
 * root's. PR_SET_DUMPABLE(2const)
 */
export const setDumpable = /* @__PURE__ */ define("prctl", "none", (dumpable: number) => [
  one("PR", PR.SET_DUMPABLE),
  one("SUID_DUMP", dumpable),
]);
/** `prctl(PR_GET_DUMPABLE)`: SUID_DUMP_*, of which SUID_DUMP_ROOT only fs.suid_dumpable gives. PR_SET_DUMPABLE(2const) */
export const getDumpable = /* @__PURE__ */ define("prctl", "number", () => [one("PR", PR.GET_DUMPABLE)]);
/** `prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)`: no execve gains rights any more, for good. PR_SET_NO_NEW_PRIVS(2const) */
export const setNoNewPrivs = /* @__PURE__ */ define("prctl", "none", () => [
  one("PR", PR.SET_NO_NEW_PRIVS),
  1,
  0,
  0,
  0,
]);
/** `prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)`: 1 when no execve gains rights. PR_SET_NO_NEW_PRIVS(2const) */
export const getNoNewPrivs = /* @__PURE__ */ define("prctl", "number", () => [
  one("PR", PR.GET_NO_NEW_PRIVS),
  0,
  0,
  0,
  0,
]);
/** `prctl(PR_SET_CHILD_SUBREAPER, set)`: whether orphans among its descendants become its children. PR_SET_CHILD_SUBREAPER(2const) */
export const setChildSubreaper = /* @__PURE__ */ define("prctl", "none", (set: 0 | 1) => [
  one("PR", PR.SET_CHILD_SUBREAPER),
  int(set),
]);
/** `prctl(PR_GET_CHILD_SUBREAPER, isset)`: whether orphans become its children, 1 or 0. PR_SET_CHILD_SUBREAPER(2const) */
export const getChildSubreaper = /* @__PURE__ */ define("prctl", "u32", (isSet: Out = 4) => [
  one("PR", PR.GET_CHILD_SUBREAPER),
  out(isSet, 4),
]);
/** `prctl(PR_SET_NAME, name)`: of the calling thread, in /proc/PID/comm; cut at 15 bytes. PR_SET_NAME(2const) */
export const setName = /* @__PURE__ */ define("prctl", "none", (name: Text) => [one("PR", PR.SET_NAME), text(name)]);
/** `prctl(PR_GET_NAME, name)`: of the calling thread. PR_SET_NAME(2const) */
export const getName = /* @__PURE__ */ define("prctl", "string", (name: Out = 16) => [
  one("PR", PR.GET_NAME),
  out(name, 16),
]);
/** `prctl(PR_SET_TIMERSLACK, slack)`: nanoseconds by which timers may be late; 0: as the parent's. PR_SET_TIMERSLACK(2const) */
export const setTimerslack = /* @__PURE__ */ define("prctl", "none", (slack: LongArg) => [
  one("PR", PR.SET_TIMERSLACK),
  long(slack),
]);
/** `prctl(PR_GET_TIMERSLACK)`: nanoseconds; 0 for real-time policies. PR_SET_TIMERSLACK(2const) */
export const getTimerslack = /* @__PURE__ */ define("prctl", "number", () => [one("PR", PR.GET_TIMERSLACK)]);
/** `prctl(PR_SET_THP_DISABLE, set, 0, 0, 0)`: whether it goes without transparent huge pages. PR_SET_THP_DISABLE(2const) */
export const setThpDisable = /* @__PURE__ */ define("prctl", "none", (set: 0 | 1) => [
  one("PR", PR.SET_THP_DISABLE),
  int(set),
  0,
  0,
  0,
]);
/** `prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0)`: 1 when it goes without transparent huge pages. PR_SET_THP_DISABLE(2const) */
export const getThpDisable = /* @__PURE__ */ define("prctl", "number", () => [
  one("PR", PR.GET_THP_DISABLE),
  0,
  0,
  0,
  0,
]);
/**
 * `prctl(PR_SET_MDWE, mask, 0, 0, 0)`: no memory becomes executable any more, nor is made writable and executable. For good.
 * PR_SET_MDWE(2const), Linux 6.3
 */
export const setMdwe = /* @__PURE__ */ define("prctl", "none", (mask: number) => [
  one("PR", PR.SET_MDWE),
  bits("PR_MDWE", mask),
  0,
  0,
  0,
]);
/** `prctl(PR_GET_MDWE, 0, 0, 0, 0)`: the flags PR_MDWE_* that were set. PR_SET_MDWE(2const), Linux 6.3 */
export const getMdwe = /* @__PURE__ */ define("prctl", "number", () => [one("PR", PR.GET_MDWE), 0, 0, 0, 0]);
/**
 * `prctl(PR_SET_PTRACER, pid)`: who but its ancestors may trace it, where Yama restricts tracing; 0: nobody. PR_SET_PTRACER(2const)
 * @throws {SyscallError} EINVAL when there is no such process, or no Yama.
 */
export const setPtracer = /* @__PURE__ */ define("prctl", "none", (pid: PidArg) => [
  one("PR", PR.SET_PTRACER),
  int(pid),
]);
/**
 * `prctl(PR_GET_SPECULATION_CTRL, misfeature, 0, 0, 0)`: PR_SPEC_* of the calling thread; 0 for a CPU that is not affected.
 * PR_GET_SPECULATION_CTRL(2const)
 * @throws {SyscallError} ENODEV when the kernel does not know the misfeature.
 */
export const getSpeculationCtrl = /* @__PURE__ */ define("prctl", "number", (misfeature: number) => [
  one("PR", PR.GET_SPECULATION_CTRL),
  one("PR_SPEC", misfeature),
]);
/**
 * `prctl(PR_SET_SPECULATION_CTRL, misfeature, val, 0, 0)`: mitigate it, or do not. PR_SET_SPECULATION_CTRL(2const)
 * @throws {SyscallError} ENXIO when that is not the thread's to decide, EPERM after PR_SPEC_FORCE_DISABLE.
 */
export const setSpeculationCtrl = /* @__PURE__ */ define("prctl", "none", (misfeature: number, control: number) => [
  one("PR", PR.SET_SPECULATION_CTRL),
  one("PR_SPEC", misfeature),
  bits("PR_SPEC_CTRL", control),
]);
/**
 * `prctl(PR_SCHED_CORE, command, pid, scope, NULL)`: only threads of the same cookie run on the siblings of a core at a time.
 * PR_SCHED_CORE_CREATE makes a cookie; the others share one. prctl(2), Linux 5.14
 * @throws {SyscallError} ENODEV on a machine without SMT, EINVAL on a kernel without CONFIG_SCHED_CORE.
 */
export const schedCore = /* @__PURE__ */ define("prctl", "none", (command: number, pid: PidArg, scope: number) => [
  one("PR", PR.SCHED_CORE),
  one("PR_SCHED_CORE", command),
  int(pid),
  one("PR_SCHED_CORE_SCOPE", scope),
  null,
]);

// prctl: capabilities

/** `prctl(PR_CAPBSET_READ, cap)`: 1 when a capability is in the bounding set. PR_CAPBSET_READ(2const) */
export const capbsetRead = /* @__PURE__ */ define("prctl", "number", (capability: number) => [
  one("PR", PR.CAPBSET_READ),
  one("CAP", capability),
]);
/**
 * `prctl(PR_CAPBSET_DROP, cap)`: no execve gains it any more, for good. PR_CAPBSET_DROP(2const)
 * @throws {SyscallError} EPERM without CAP_SETPCAP, EINVAL when the kernel has no such capability.
 */
export const capbsetDrop = /* @__PURE__ */ define("prctl", "none", (capability: number) => [
  one("PR", PR.CAPBSET_DROP),
  one("CAP", capability),
]);
/** `prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0)`: 1 when an execve keeps it. PR_CAP_AMBIENT(2const) */
export const capAmbientIsSet = /* @__PURE__ */ define("prctl", "number", (capability: number) =>
  ambient(PR_CAP_AMBIENT.IS_SET, one("CAP", capability)),
);
/**
 * `prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0)`: an execve of a program without capabilities keeps it.
 * PR_CAP_AMBIENT(2const)
 * @throws {SyscallError} EPERM unless it is permitted and inheritable.
 */
export const capAmbientRaise = /* @__PURE__ */ define("prctl", "none", (capability: number) =>
  ambient(PR_CAP_AMBIENT.RAISE, one("CAP", capability)),
);
/** `prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, cap, 0, 0)`: an execve keeps it no more. PR_CAP_AMBIENT(2const) */
export const capAmbientLower = /* @__PURE__ */ define("prctl", "none", (capability: number) =>
  ambient(PR_CAP_AMBIENT.LOWER, one("CAP", capability)),
);
/** `prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)`: an execve keeps none. PR_CAP_AMBIENT(2const) */
export const capAmbientClearAll = /* @__PURE__ */ define("prctl", "none", () => ambient(PR_CAP_AMBIENT.CLEAR_ALL, 0));
/**
 * `prctl(PR_SET_SECUREBITS, bits)`: SECBIT_*: how user id 0 and capabilities hang together. PR_SET_SECUREBITS(2const)
 * @throws {SyscallError} EPERM without CAP_SETPCAP, or when it would undo a locked bit.
 */
export const setSecurebits = /* @__PURE__ */ define("prctl", "none", (securebits: number) => [
  one("PR", PR.SET_SECUREBITS),
  bits("SECBIT", securebits),
]);
/** `prctl(PR_GET_SECUREBITS)`: SECBIT_* of the calling thread. PR_SET_SECUREBITS(2const) */
export const getSecurebits = /* @__PURE__ */ define("prctl", "number", () => [one("PR", PR.GET_SECUREBITS)]);
/**
 * `prctl(PR_SET_KEEPCAPS, state)`: whether permitted capabilities outlast the change from user id 0 to another, until the next execve.
 * PR_SET_KEEPCAPS(2const)
 */
export const setKeepcaps = /* @__PURE__ */ define("prctl", "none", (state: 0 | 1) => [
  one("PR", PR.SET_KEEPCAPS),
  int(state),
]);
/** `prctl(PR_GET_KEEPCAPS)`: 1 when permitted capabilities outlast a change of user. PR_SET_KEEPCAPS(2const) */
export const getKeepcaps = /* @__PURE__ */ define("prctl", "number", () => [one("PR", PR.GET_KEEPCAPS)]);

function ambient(operation: number, capability: Arg): readonly Arg[] {
  return [one("PR", PR.CAP_AMBIENT), one("PR_CAP_AMBIENT", operation), capability, 0, 0];
}

function outOrNull(value: Out | null, least: number | StructName): Arg {
  return value === null ? null : out(value, least);
}

/** Words of 32 bits, an even number of them: the kernel counts in longs. Undefined for what is no list of CPUs. */
function cpuMask(cpus: readonly number[]): readonly number[] | undefined {
  if (!Array.isArray(cpus) || !cpus.every((cpu) => Number.isInteger(cpu) && cpu >= 0 && cpu < mostCpus))
    return undefined;
  const mask = Array.from({ length: 2 * (1 + (Math.max(0, ...cpus) >> 6)) }, () => 0);
  for (const cpu of cpus as readonly number[]) mask[cpu >> 5] = ((mask[cpu >> 5] ?? 0) | (1 << (cpu & 31))) >>> 0;
  return mask;
}

/** More than any kernel is built for (CONFIG_NR_CPUS). */
const mostCpus = 65536;
