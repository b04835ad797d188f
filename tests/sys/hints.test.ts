import { expect, test } from "bun:test";
import type { Arg, Call } from "../../src/sys/call.ts";
import type { ErrnoName } from "../../src/sys/errno.ts";
import { type FlagSet, type FlagSetName, flagSets } from "../../src/sys/flag-sets.ts";
import { type Hint, hintFor, hints } from "../../src/sys/hints.ts";
import { numbers, type SyscallName } from "../../src/sys/numbers.ts";
import { callsSince } from "../../src/sys/since.ts";
import { structs } from "../../src/sys/structs.ts";

const call = (name: SyscallName, ...args: Arg[]): Call => ({ name, args });
/** `flag("CLONE", "NEWUSER")` as an argument of a call. */
const flag = (set: FlagSetName, name: string): Arg => {
  const value = (flagSets[set] as FlagSet).values[name];
  if (value === undefined) throw new Error(`${set} has no ${name}`);
  return { flags: set, value };
};
const clone3 = (name: string, more: Record<string, Arg> = {}): Call =>
  call("clone3", { struct: "clone_args", fields: { flags: flag("CLONE", name), ...more } }, 88);
const openat2 = (resolve: string): Call =>
  call("openat2", 3, "x", { struct: "open_how", fields: { resolve: flag("RESOLVE", resolve) } }, 24);
const mountFlag = (name: string): Call => call("mount", null, "/x", null, flag("MS", name), null);
const ioctl = (name: string): Call => call("ioctl", 3, flag("IOCTL", name), null);
const prctl = (name: string): Call => call("prctl", flag("PR", name), 0, 0, 0, 0);

const table: [call: Call, errno: ErrnoName, hint: string | undefined][] = [
  [clone3("NEWUSER"), "EPERM", "kernel.unprivileged_userns_clone=0"],
  [clone3("NEWUSER"), "EACCES", "AppArmor"],
  [clone3("NEWNET"), "ENOSPC", "user.max_*_namespaces"],
  [clone3("NEWNET"), "EPERM", "CAP_SYS_ADMIN is missing"],
  [clone3("NEWTIME"), "EINVAL", "CLONE_NEWTIME in clone3 takes Linux 6.3"],
  [clone3("NEWNET"), "EINVAL", "CONFIG_NET_NS"],
  [clone3("INTO_CGROUP"), "EBUSY", "no internal process rule"],
  [clone3("INTO_CGROUP"), "EACCES", "Delegate=yes"],
  [clone3("INTO_CGROUP"), "E2BIG", "CLONE_INTO_CGROUP takes Linux 5.7"],
  [clone3("PIDFD", { set_tid: 1 }), "E2BIG", "takes Linux 5.5"],
  [clone3("PIDFD", { set_tid: 1 }), "EEXIST", "of that pid"],
  [clone3("PIDFD", { set_tid: 1 }), "EPERM", "CAP_CHECKPOINT_RESTORE"],
  [clone3("PIDFD"), "EBUSY", undefined],
  [call("unshare", flag("CLONE", "NEWUSER")), "EINVAL", "several threads"],
  [call("setns", 3, flag("CLONE", "NEWUSER")), "EINVAL", "several threads"],
  [call("setns", 3, flag("CLONE", "NEWNS")), "EINVAL", "unshare(CLONE_FS)"],
  [call("setns", 3, flag("CLONE", "NEWTIME")), "EUSERS", "one thread"],
  [call("setns", 3, flag("CLONE", "NEWNET")), "EPERM", "owns the target"],
  [ioctl("NS_GET_ID"), "ENOTTY", "NS_GET_ID takes Linux 6.18"],
  [ioctl("NS_GET_MNTNS_ID"), "ENOTTY", "NS_GET_MNTNS_ID takes Linux 6.11"],
  [ioctl("PIDFD_GET_PID_NAMESPACE"), "ENOTTY", "Linux 6.11, and a descriptor of a process"],
  [ioctl("PIDFD_GET_MNT_NAMESPACE"), "EACCES", "kernel.yama.ptrace_scope"],
  [ioctl("NS_GET_PARENT"), "EPERM", "in sight"],
  [ioctl("TIOCSCTTY"), "EPERM", "setsid"],
  [ioctl("TIOCGWINSZ"), "ENOTTY", "terminal"],
  [ioctl("SIOCSIFFLAGS"), "EPERM", "CAP_NET_ADMIN"],
  [call("capset", null, null), "EPERM", "not gained"],
  [prctl("CAPBSET_DROP"), "EPERM", "CAP_SETPCAP"],
  [prctl("SET_SECCOMP"), "EACCES", "no_new_privs"],
  [prctl("SET_MDWE"), "EINVAL", "Linux 6.3"],
  [prctl("SET_NAME"), "EINVAL", "does not know the operation"],
  [call("prlimit64", 0, 0, null, null), "EPERM", "fs.nr_open"],
  [call("sched_setaffinity", 0, 8, null), "EINVAL", "cpuset.cpus"],
  [call("pidfd_open", 1, flag("PIDFD", "THREAD")), "EINVAL", "PIDFD_THREAD takes Linux 6.9"],
  [call("pidfd_open", 1, flag("PIDFD", "NONBLOCK")), "EINVAL", "PIDFD_NONBLOCK takes Linux 5.10"],
  [call("pidfd_open", 1, 0), "ESRCH", "no such process"],
  [call("pidfd_getfd", 3, 1, 0), "EPERM", "CAP_SYS_PTRACE"],
  [call("wait4", 1, null, 0, null), "ECHILD", "SIGCHLD is ignored"],
  [call("close_range", 3, 1, 0), "EINVAL", "above the last"],
  [call("close_range", 3, 9, flag("CLOSE_RANGE", "CLOEXEC")), "EINVAL", "Linux 5.11"],
  [call("execve", "/x", null, null), "ENOENT", "interpreter"],
  [call("execve", "/x", null, null), "EACCES", "noexec"],
  [call("execve", "/x", null, null), "E2BIG", "RLIMIT_STACK"],
  [call("execveat", 3, "x", null, null, 0), "ETXTBSY", "open for writing"],
  [mountFlag("PRIVATE"), "EINVAL", "not a mount point"],
  [mountFlag("REMOUNT"), "EPERM", "locked"],
  [mountFlag("REMOUNT"), "EBUSY", "open for writing"],
  [mountFlag("MOVE"), "EINVAL", "private first"],
  [mountFlag("BIND"), "EPERM", "unshare both"],
  [call("mount", "proc", "/proc", "proc", 0, null), "EPERM", "systempaths=unconfined"],
  [call("umount2", "/x", 0), "EINVAL", "not a mount point"],
  [call("umount2", "/x", 0), "EBUSY", "MNT_DETACH"],
  [call("pivot_root", "/x", "/x"), "EINVAL", "bind it on itself"],
  [call("move_mount", 3, "", 4, "", flag("MOVE_MOUNT", "BENEATH")), "EINVAL", "Linux 6.5"],
  [call("move_mount", 3, "", 4, "", 0), "EINVAL", "shared mount"],
  [call("mount_setattr", 3, "", 0, null, 32), "EINVAL", "not a mount point"],
  [call("fsconfig", 3, 1, "x", "y", 0), "EINVAL", "reading the descriptor"],
  [call("fsconfig", 3, 1, "lowerdir+", "y", 0), "EINVAL", "Linux 6.7"],
  [call("fsmount", 3, 0, 0), "EINVAL", "FSCONFIG_CMD_CREATE comes first"],
  [call("fsmount", 3, 0, 0), "EBUSY", "mounted already"],
  [call("statmount", null, null, 0, 0), "EOVERFLOW", "larger one"],
  [call("statmount", null, null, 0, 0), "ENOENT", "STATX_MNT_ID_UNIQUE"],
  [openat2("NO_SYMLINKS"), "ELOOP", "symbolic link"],
  [openat2("NO_XDEV"), "EXDEV", "mount point"],
  [openat2("BENEATH"), "EXDEV", "leads out"],
  [openat2("CACHED"), "EAGAIN", "without RESOLVE_CACHED"],
  [openat2("BENEATH"), "EAGAIN", "try again"],
  [openat2("BENEATH"), "E2BIG", "does not know yet"],
  [openat2("BENEATH"), "ENOSYS", "openat2 takes Linux 5.6"],
  [call("openat", 3, "x", flag("O", "CREAT")), "EACCES", "fs.protected_regular"],
  [call("open_by_handle_at", 3, null, 0), "EPERM", "CAP_DAC_READ_SEARCH"],
  [call("open_by_handle_at", 3, null, 0), "ESTALE", "gone"],
  [call("name_to_handle_at", 3, "", null, null, 0), "EOVERFLOW", "too small"],
  [call("fsetxattr", 3, "user.x", "y", 1, 0), "EOPNOTSUPP", "tmpfs since Linux 6.6"],
  [call("fsetxattr", 3, "trusted.x", "y", 1, 0), "EPERM", "userxattr"],
  [call("fsetxattr", 3, "user.x", "y", 1, 0), "ENOSPC", "no room"],
  [call("fcntl", 3, flag("F", "ADD_SEALS"), 1), "EPERM", "MFD_ALLOW_SEALING"],
  [call("fcntl", 3, flag("F", "ADD_SEALS"), 1), "EBUSY", "F_SEAL_FUTURE_WRITE"],
  [call("fcntl", 3, flag("F", "SETLK"), null), "EAGAIN", "/proc/locks"],
  [call("fcntl", 3, flag("F", "DUPFD_QUERY"), 1), "EINVAL", "Linux 6.10"],
  [call("memfd_create", "x", 0), "EACCES", "vm.memfd_noexec=2"],
  [call("memfd_create", "x", flag("MFD", "EXEC")), "EINVAL", "Linux 6.3"],
  [call("inotify_add_watch", 3, "x", 0), "ENOSPC", "fs.inotify.max_user_watches"],
  [call("inotify_init1", 0), "EMFILE", "fs.inotify.max_user_instances"],
  [call("seccomp", flag("SECCOMP", "SET_MODE_FILTER"), 0, null), "EACCES", "no_new_privs"],
  [call("seccomp", flag("SECCOMP", "SET_MODE_FILTER"), 0, null), "EINVAL", "4096"],
  [call("landlock_create_ruleset", null, 0, 0), "EOPNOTSUPP", "lsm="],
  [call("landlock_create_ruleset", null, 0, 0), "E2BIG", "landlockAbi()"],
  [call("landlock_add_rule", 3, 1, null, 0), "ENOMSG", "No right"],
  [call("landlock_restrict_self", 3, 0), "ENOSYS", "Linux 5.13"],
  [call("bpf", 0, null, 0), "EPERM", "CAP_BPF"],
  [call("keyctl", 0, null), "ENOKEY", "/proc/keys"],
  [call("keyctl", 0, null), "EDQUOT", "kernel.keys.maxkeys"],
  [call("socket", 1, 1, 0), "EAFNOSUPPORT", "RestrictAddressFamilies"],
  [call("listns", null, null, 0, 0), "ENOSYS", "listns takes Linux 6.19"],
  [call("openat", 3, "x", 0), "EMFILE", "RLIMIT_NOFILE"],
  [call("getpid"), "EPERM", undefined],
];

for (const [made, errno, hint] of table) {
  test(`${errno} of ${made.name} has ${hint === undefined ? "no hint" : `the hint "${hint}"`}`, () => {
    if (hint === undefined) expect(hintFor(made, errno)).toBeUndefined();
    else expect(hintFor(made, errno)).toContain(hint);
  });
}

test("an errno without a name has no hint", () => {
  expect(hintFor(call("clone3"), undefined)).toBeUndefined();
});

test("ENOSYS of every call of the table of versions names its kernel", () => {
  for (const name of Object.keys(callsSince) as (keyof typeof callsSince)[])
    expect(hintFor(call(name), "ENOSYS"), name).toContain(callsSince[name]);
});

test("a hint is one or two sentences, without the last full stop", () => {
  for (const { hint } of hints) {
    expect(hint).not.toMatch(/\.$/);
    expect(hint).toMatch(/^\w/);
    expect(hint.split(/[.?] (?=[A-Z])/).length, hint).toBeLessThanOrEqual(3);
  }
});

const list = <T>(one: T | readonly T[] | undefined): readonly T[] =>
  one === undefined ? [] : Array.isArray(one) ? (one as readonly T[]) : [one as T];

test("no row is hidden by an earlier one, for none of its calls and errnos", () => {
  const hidden: string[] = [];
  const taken = new Set<string>();
  for (const row of hints as readonly Hint[]) {
    const keys = (list(row.call).length === 0 ? [""] : list(row.call)).flatMap((name) =>
      list(row.errno).map((errno) => `${errno} of ${name}`),
    );
    for (const key of keys) {
      if (taken.has(key)) hidden.push(`${key}: ${row.hint}`);
      if (row.has === undefined) taken.add(key);
    }
  }
  // Derived rows give way to what is said by hand.
  expect(hidden.filter((text) => !text.includes("On a later kernel a seccomp filter hides it, or"))).toEqual([]);
});

test("what a row looks for in a call is a flag, a field or a string that formatCall prints", () => {
  const names = Object.values(flagSets as Readonly<Record<string, FlagSet>>).flatMap(({ prefix, values, whole }) =>
    Object.keys(values).map((name) => (whole?.includes(name) ? name : prefix + name)),
  );
  const fields = Object.values(structs).flatMap(({ fields }) => Object.keys(fields).map((name) => `${name}=`));
  for (const part of hints.flatMap(({ has }) => list(has)))
    expect(
      part.startsWith('"') || part === "lowerdir+" || [...names, ...fields].some((name) => name.includes(part)),
      part,
    ).toBe(true);
});

test("every call of a row is one", () => {
  for (const name of hints.flatMap((row) => list(row.call))) expect(numbers[name], name).toBeDefined();
});
