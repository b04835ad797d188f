import { expect, test } from "bun:test";
import { hintFor } from "../../src/spawn/hints.ts";
import * as call from "../../src/sys/calls.ts";
import type { Call } from "../../src/sys/call.ts";
import type { ErrnoName } from "../../src/sys/errno.ts";
import { AT, CLONE, CLOSE_RANGE, IOCTL, MS, SIG } from "../../src/sys/flags.ts";

const clone = (flags: number): Call => call.clone3(flags, SIG.CHLD);
const cloneInto = call.clone3(CLONE.INTO_CGROUP, SIG.CHLD, { cgroup: 7 });
const write = call.write(7, "x");
const overlay = call.mount("overlay", "root", "overlay", 0, "lowerdir=/a");
const proc = call.mount("proc", "proc", "proc", 0, null);

// The call, its errno, the label of the step, a part of the hint.
const table: [call: Call, errno: ErrnoName, label: string, hint: string | undefined][] = [
  [clone(CLONE.NEWNET), "ENOSPC", "", "user.max_*_namespaces"],
  [clone(CLONE.NEWUSER + CLONE.NEWNET), "EPERM", "", "kernel.unprivileged_userns_clone=0"],
  [clone(CLONE.NEWNET), "EPERM", "", "CAP_SYS_ADMIN is missing"],
  [clone(CLONE.NEWUSER), "EACCES", "", "AppArmor"],
  [clone(CLONE.NEWUSER), "EINVAL", "", "CONFIG_USER_NS"],
  [clone(0), "ENOMEM", "", "The PID 1 of the pid namespace"],
  [clone(0), "ENOSYS", "", "Linux 5.3. On a later kernel a seccomp filter hides it"],
  [clone(0), "EAGAIN", "", "pids.max"],
  [clone(0), "EBUSY", "", undefined],
  [cloneInto, "EBUSY", "", "no internal process rule"],
  [cloneInto, "EACCES", "", "common ancestor"],
  [cloneInto, "EOPNOTSUPP", "", "threaded"],
  [cloneInto, "E2BIG", "", "Linux 5.7"],
  [call.mkdirat(-100, "x", 0o755), "EROFS", "make a cgroup in /sys/fs/cgroup", "writable-cgroups=true"],
  [call.mkdirat(-100, "x", 0o755), "EACCES", "make a cgroup in /sys/fs/cgroup", "Delegate=yes"],
  [call.mkdirat(-100, "x", 0o755), "EROFS", "make /tmp", undefined],
  [write, "EBUSY", "enable +memory in /sys/fs/cgroup/x", "no internal process rule"],
  [write, "ENOENT", "enable +memory in /sys/fs/cgroup/x", "does not pass it on"],
  [write, "ENOSPC", "enter the cgroup in /sys/fs/cgroup/cpuset", "cpuset.cpus"],
  [write, "EPERM", "map the user id", "CAP_SETUID"],
  [write, "EPERM", "map the group ids", "CAP_SETGID"],
  [write, "EACCES", "map the user id", "AppArmor"],
  [call.openat(-100, "/proc/self/uid_map", 1), "EACCES", "map the user id: open", "AppArmor"],
  [write, "ERANGE", "set the clocks", "negative"],
  [write, "EINVAL", "set memory.max to 1", "does not take this value"],
  [write, "EPERM", "write something", undefined],
  [call.wait4(7, { out: 4 }, 0), "EPERM", "run newuidmap", "setuid root"],
  [call.setgroups([1]), "EPERM", "", "denies setgroups"],
  [call.setresuid(5, 5, 5), "EINVAL", "", "not in the map"],
  [call.prlimit64(0, 7, 1, 1), "EPERM", "", "CAP_SYS_RESOURCE"],
  [call.ioctl(7, IOCTL.SIOCSIFFLAGS, null), "EPERM", "bring lo up", "AppArmor"],
  [overlay, "EINVAL", "", "dmesg"],
  [overlay, "ELOOP", "", "lies in another"],
  [overlay, "EPERM", "", "Linux 5.11"],
  [overlay, "ENODEV", "", "modprobe overlay"],
  [overlay, "EACCES", "", "security module"],
  [proc, "EPERM", "", "systempaths=unconfined"],
  [proc, "ENODEV", "", "/proc/filesystems"],
  [call.fsmount(7, 0, 0), "EPERM", "mount the proc", "systempaths=unconfined"],
  [call.mount("/a", "/b", null, MS.BIND, null), "EINVAL", "", "bind it recursively"],
  [call.mount("/a", "/b", null, MS.BIND, null), "ENOSPC", "", "fs.mount-max"],
  [call.mountSetattr(7, "", AT.EMPTY_PATH, 1), "ENOSYS", "", "mount_setattr takes Linux 5.12"],
  [call.mountSetattr(7, "", AT.EMPTY_PATH, 1), "EPERM", "", "locked"],
  [call.openat2(7, "x", 0, 0), "ENOSYS", "", "openat2 takes Linux 5.6"],
  [call.openat2(7, "x", 0, 0), "ELOOP", "", "symbolic link"],
  [call.openat2(7, "x", 0, 0), "EXDEV", "", "out of the box"],
  [call.closeRange(3, 9, 0), "ENOSYS", "", "close_range takes Linux 5.9"],
  [call.closeRange(3, 9, CLOSE_RANGE.CLOEXEC), "EINVAL", "", "Linux 5.11"],
  [call.pivotRoot(".", "."), "EINVAL", "", "initial ramfs"],
  [call.setns(7, CLONE.NEWNET), "EPERM", "", "owns the target"],
  [call.setns(7, CLONE.NEWNET), "EINVAL", "", "another kind"],
  [call.execve("/x", [], []), "ENOENT", "", "no such program"],
  [call.execve("/x", [], []), "EACCES", "", "noexec"],
  [call.execve("/x", [], []), "ENOEXEC", "", "another architecture"],
  [call.execve("/x", [], []), "ETXTBSY", "", "open for writing"],
  [call.getpid(), "EPERM", "", undefined],
];

for (const [made, errno, label, hint] of table)
  test(`${errno} of ${made.name}${label === "" ? "" : ` to ${label}`} ${hint === undefined ? "has no hint" : `has the hint "${hint}"`}`, () => {
    const found = hintFor(made, errno, label);
    if (hint === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(hint);
  });

test("hints end without a full stop: what follows in a message brings its own", () => {
  for (const [made, errno, label] of table) expect(hintFor(made, errno, label) ?? "").not.toEndWith(".");
});

test("an errno without a name has no hint", () => {
  expect(hintFor(clone(0), undefined)).toBeUndefined();
});
