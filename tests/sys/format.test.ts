import { expect, test } from "bun:test";
import type { Call } from "../../src/sys/call.ts";
import * as call from "../../src/sys/calls.ts";
import { CLONE, MNT, MS, O, PR, RLIMIT, SIG, SIG_HOW } from "../../src/sys/flags.ts";
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
    call.clone3(CLONE.NEWPID + CLONE.INTO_CGROUP, SIG.CHLD, { result: "group" }),
    "clone3({flags=CLONE_NEWPID|CLONE_INTO_CGROUP, exit_signal=SIGCHLD, cgroup={group}}, 88)",
  ],
  [call.prctl(PR.SET_PDEATHSIG, { flags: "SIG", value: SIG.KILL }), "prctl(PR_SET_PDEATHSIG, SIGKILL)"],
  [call.rtSigprocmask(SIG_HOW.SETMASK, "all"), "rt_sigprocmask(SIG_SETMASK, ~[], NULL, 8)"],
  [call.rtSigprocmask(SIG_HOW.SETMASK, []), "rt_sigprocmask(SIG_SETMASK, [], NULL, 8)"],
  [
    call.prlimit64(0, RLIMIT.NOFILE, 1024, -1),
    "prlimit64(0, RLIMIT_NOFILE, {rlim_cur=1024, rlim_max=RLIM64_INFINITY}, NULL)",
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
  [call.umask(0o22), "umask(022)"],
];

for (const [made, text] of printed)
  test(`formatCall() prints ${text}`, () => {
    expect(formatCall(made)).toBe(text);
  });

test("a call is frozen", () => {
  expect(Object.isFrozen(call.chdir("/"))).toBe(true);
});
