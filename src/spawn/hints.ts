/** What the field knows about why a syscall fails, and the cure: by call and errno, the first row that fits. */
import type { Call } from "../sys/call.ts";
import type { ErrnoName } from "../sys/errno.ts";
import { formatCall } from "../sys/format.ts";

interface Row {
  readonly call: Call["name"] | readonly Call["name"][];
  readonly errno: ErrnoName | readonly ErrnoName[];
  /** A part of the call as formatCall prints it. */
  readonly has?: string;
  readonly hint: string;
}

const rows: readonly Row[] = [
  {
    call: ["clone3", "unshare"],
    errno: "ENOSPC",
    hint: "A limit on namespaces is reached: see /proc/sys/user/max_*_namespaces, and how deep they are nested (32 levels at most)",
  },
  {
    call: ["clone3", "unshare"],
    errno: "EPERM",
    has: "CLONE_NEWUSER",
    hint: "User namespaces are forbidden here: by kernel.unprivileged_userns_clone=0, AppArmor (kernel.apparmor_restrict_unprivileged_userns=1), a container's seccomp filter, or because the caller is in a chroot. `bunshare doctor` tells which",
  },
  {
    call: ["clone3", "unshare"],
    errno: "EPERM",
    hint: "A container's seccomp filter may forbid it, or CAP_SYS_ADMIN is missing. `bunshare doctor` tells which",
  },
  {
    call: "clone3",
    errno: "ENOSYS",
    hint: "clone3 takes Linux 5.3, and a seccomp filter that knows it (Docker 20.10.10)",
  },
  {
    call: "clone3",
    errno: "EAGAIN",
    hint: "The limit on processes is reached: RLIMIT_NPROC, pids.max of a cgroup, or kernel.pid_max",
  },
  {
    call: "clone3",
    errno: "EBUSY",
    has: "CLONE_INTO_CGROUP",
    hint: "The cgroup has groups below it with controllers enabled, and may hold no process (no internal process rule)",
  },
  {
    call: "clone3",
    errno: "EACCES",
    has: "CLONE_INTO_CGROUP",
    hint: "Moving a process takes the right to write cgroup.procs of the common ancestor of both groups: start from inside of a delegated group, such as with systemd-run --user --scope -p Delegate=yes",
  },
  {
    call: "write",
    errno: "EPERM",
    has: "",
    hint: "An id map may name only ids of the caller's, unless it has CAP_SETUID; see user_namespaces(7)",
  },
  {
    call: "mount",
    errno: "EINVAL",
    has: '"overlay"',
    hint: "The kernel's log (dmesg) has the reason. A layer may lie on a file system that overlayfs does not take, or have mounts below it that belong to another user namespace",
  },
  { call: "mount", errno: "EPERM", has: '"overlay"', hint: "overlayfs in a user namespace takes Linux 5.11" },
  { call: "mount", errno: "ENODEV", has: '"overlay"', hint: "The kernel has no overlayfs: modprobe overlay" },
  {
    call: ["mount", "fsmount"],
    errno: "EPERM",
    hint: "A mount of this kind may be made only in a namespace that owns it, and proc and sysfs only while an unmasked one is in sight: in a container, unmask /proc (Docker: --security-opt systempaths=unconfined)",
  },
  {
    call: "openat2",
    errno: "ELOOP",
    hint: "A symbolic link stands there, and what is mounted behind it would land elsewhere",
  },
  {
    call: "openat2",
    errno: "ENOENT",
    hint: "A read-only root must have the directories and files to mount on. Make it there, or use layers",
  },
  { call: "openat2", errno: "ENOTDIR", hint: "Something stands there that is not a directory" },
  {
    call: "pivot_root",
    errno: "EINVAL",
    hint: "The root of the caller is the initial ramfs or a chroot, which cannot be pivoted away from",
  },
  { call: "setns", errno: "EINVAL", hint: "The descriptor is of a namespace of another kind" },
  {
    call: "setns",
    errno: "EPERM",
    hint: "Entering takes CAP_SYS_ADMIN in the user namespace that owns the target: join that one too, or be root",
  },
  {
    call: "execve",
    errno: "ENOENT",
    hint: "There is no such program in the box, or the interpreter in its first line or ELF header is not there",
  },
  { call: "execve", errno: "EACCES", hint: "The file may not be executed: no x permission, or a mount with noexec" },
  { call: "execve", errno: "E2BIG", hint: "Arguments and environment together are too large" },
  {
    call: "execve",
    errno: "ENOEXEC",
    hint: "The file is neither ELF nor begins with #!, or is for another architecture",
  },
  {
    call: "wait4",
    errno: "EPERM",
    hint: "The program wrote its reason to standard error; /etc/subuid and /etc/subgid say what it may map",
  },
];

const includes = <T>(one: T | readonly T[], value: T): boolean =>
  Array.isArray(one) ? one.includes(value) : one === value;

/** One sentence, or undefined where nothing is known. */
export function hintFor(call: Call, errno: ErrnoName | undefined, label = ""): string | undefined {
  if (errno === undefined) return undefined;
  const text = formatCall(call);
  return rows.find((row) => {
    if (!includes(row.call, call.name) || !includes(row.errno, errno)) return false;
    if (row.call === "write") return label.startsWith("map the");
    return row.has === undefined || text.includes(row.has);
  })?.hint;
}
