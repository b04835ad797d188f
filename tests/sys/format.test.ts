import { expect, test } from "bun:test";
import type { Call } from "../../src/sys/call.ts";
import * as call from "../../src/sys/calls.ts";
import { AT, CLONE, MNT, MOUNT_ATTR, MS, O, PR, RESOLVE, RLIMIT, S, SIG, SIG_HOW } from "../../src/sys/flags.ts";
import { formatCall } from "../../src/sys/format.ts";

/** As strace 6.1 prints them. */
const printed: [Call, string][] = [
  [
    call.mount(null, "/dst", null, MS.REMOUNT | MS.BIND | MS.RDONLY, null),
    'mount(NULL, "/dst", NULL, MS_RDONLY|MS_REMOUNT|MS_BIND, NULL)',
  ],
  [call.mount("tmpfs", "/tmp", "tmpfs", 0, "mode=0755"), 'mount("tmpfs", "/tmp", "tmpfs", 0, "mode=0755")'],
  [call.umount2(".", MNT.DETACH), 'umount2(".", MNT_DETACH)'],
  [
    call.openat(call.AT_FDCWD, "/etc/passwd", O.RDONLY | O.CLOEXEC),
    'openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC)',
  ],
  [call.unshare(CLONE.NEWNS | CLONE.NEWUSER), "unshare(CLONE_NEWNS|CLONE_NEWUSER)"],
  [
    call.clone3(CLONE.NEWPID + CLONE.INTO_CGROUP, SIG.CHLD, { cgroup: { result: "group" } }),
    "clone3({flags=CLONE_NEWPID|CLONE_INTO_CGROUP, exit_signal=SIGCHLD, stack=NULL, stack_size=0, cgroup={group}}, 88)",
  ],
  [call.prctl(PR.SET_PDEATHSIG, { flags: "SIG", value: SIG.KILL }), "prctl(PR_SET_PDEATHSIG, SIGKILL)"],
  [call.rtSigprocmask(SIG_HOW.SETMASK, "all"), "rt_sigprocmask(SIG_SETMASK, ~[], NULL, 8)"],
  [call.rtSigprocmask(SIG_HOW.SETMASK, []), "rt_sigprocmask(SIG_SETMASK, [], NULL, 8)"],
  [
    call.prlimit64(0, RLIMIT.NOFILE, 1024, -1),
    "prlimit64(0, RLIMIT_NOFILE, {rlim_cur=1024, rlim_max=RLIM64_INFINITY}, NULL)",
  ],
  [
    call.prlimit64(0, RLIMIT.NOFILE, 20000, 524288),
    "prlimit64(0, RLIMIT_NOFILE, {rlim_cur=20000, rlim_max=512*1024}, NULL)",
  ],
  [call.schedSetaffinity(0, [65, 0, 31]), "sched_setaffinity(0, 16, [0 31 65])"],
  [call.ioprioSet(1, 0, (2 << 13) | 4), "ioprio_set(IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 4))"],
  [call.personality(0x40000), "personality(PER_LINUX|ADDR_NO_RANDOMIZE)"],
  [call.personality(0xffffffff), "personality(0xffffffff)"],
  [call.kill(1, 34), "kill(1, SIGRT_2)"],
  [call.rtSigtimedwait([34, SIG.HUP, 32]), "rt_sigtimedwait([HUP RTMIN RT_2], NULL, NULL, 8)"],
  [call.rtSigprocmask(SIG_HOW.BLOCK, [...Array(65).keys()].slice(2)), "rt_sigprocmask(SIG_BLOCK, ~[HUP], NULL, 8)"],
  [
    call.timerfdSettime(3, 1, { tv_sec: 1, tv_nsec: 2 }),
    "timerfd_settime(3, TFD_TIMER_ABSTIME, {it_interval={tv_sec=0, tv_nsec=0}, it_value={tv_sec=1, tv_nsec=2}}, {out})",
  ],
  [
    call.clone3(CLONE.PIDFD, SIG.CHLD, { setTid: [1, 77], pidfd: { report: "pidfd", size: 4 } }),
    "clone3({flags=CLONE_PIDFD, pidfd={report pidfd}, exit_signal=SIGCHLD, stack=NULL, stack_size=0, set_tid=[1, 77], set_tid_size=2}, 88)",
  ],
  [call.write({ result: "file" }, "0 0 1\n"), 'write({file}, "0 0 1\\n", 6)'],
  [
    call.execve("/bin/sh", ["sh", "-c", 'echo "\\"'], ["A=1"]),
    'execve("/bin/sh", ["sh", "-c", "echo \\"\\\\\\""], ["A=1"])',
  ],
  [
    call.openat(call.AT_FDCWD, { text: ["/proc/", { result: "box" }, "/uid_map"] }, O.WRONLY),
    'openat(AT_FDCWD, "/proc/{box}/uid_map", O_WRONLY)',
  ],
  [call.chdir("/tab\there"), 'chdir("/tab\\there")'],
  [call.chdir("/\x1b[2J\x1b1\x7f"), 'chdir("/\\33[2J\\0331\\177")'],
  [call.umask(0o22), "umask(022)"],
  [call.umask(0), "umask(000)"],
  [call.mknodat(call.AT_FDCWD, "null", S.IFREG | 0o666), 'mknodat(AT_FDCWD, "null", S_IFREG|0666)'],
  [call.rtSigaction(SIG.PIPE, 0), "rt_sigaction(SIGPIPE, {sa_handler=SIG_DFL, sa_mask=[], sa_flags=0}, NULL, 8)"],
  [call.pollNow(3, 0), "ppoll([{fd=3, events=0}], 1, {tv_sec=0, tv_nsec=0}, NULL, 8)"],
  [
    call.openat2({ result: "root" }, "proc", O.PATH | O.CLOEXEC, RESOLVE.BENEATH),
    'openat2({root}, "proc", {flags=O_RDONLY|O_CLOEXEC|O_PATH, resolve=RESOLVE_BENEATH}, 24)',
  ],
  [
    call.mountSetattr(call.AT_FDCWD, "sys", AT.RECURSIVE, MOUNT_ATTR.RDONLY),
    'mount_setattr(AT_FDCWD, "sys", AT_RECURSIVE, {attr_set=MOUNT_ATTR_RDONLY, attr_clr=0, propagation=0, userns_fd=0}, 32)',
  ],
];

for (const [made, text] of printed)
  test(`formatCall() prints ${text}`, () => {
    expect(formatCall(made)).toBe(text);
  });

test("a call is frozen", () => {
  expect(Object.isFrozen(call.chdir("/"))).toBe(true);
});
