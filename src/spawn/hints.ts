/** What is known about why a step of a box fails: by call, errno and label. What holds for a call by itself is in sys/hints.ts. Pure. */
import type { Call } from "../sys/call.ts";
import type { ErrnoName } from "../sys/errno.ts";
import { firstFit, type Hint, hintFor as generalHintFor } from "../sys/hints.ts";

/** A hint for a step. */
interface Row extends Hint {
  /** What the label of the step begins with: for calls that say little themselves, such as write. */
  readonly label?: string;
}

const delegate = "start from inside of a delegated group, such as with systemd-run --user --scope -p Delegate=yes";
const powerless =
  "The user namespace was made, but has no capabilities: AppArmor takes them away (kernel.apparmor_restrict_unprivileged_userns=1)";

const rows: readonly Row[] = [
  // Groups: cgroups(7), admin-guide/cgroup-v2
  {
    call: "mkdirat",
    errno: ["EACCES", "EPERM"],
    label: "make a cgroup",
    hint: `This user may make no group there: ${delegate}`,
  },
  {
    call: "mkdirat",
    errno: "EROFS",
    label: "make a cgroup",
    hint: "cgroups are mounted read-only here, as in most containers (Docker 28: --security-opt writable-cgroups=true)",
  },
  {
    call: "mkdirat",
    errno: "EAGAIN",
    label: "make a cgroup",
    hint: "cgroup.max.descendants or cgroup.max.depth of a group above is reached",
  },
  {
    call: "mkdirat",
    errno: "ENOSPC",
    label: "make a cgroup",
    hint: "The kernel has no number left for another group: 65535 at most with the memory controller, removed ones included that still hold memory",
  },
  {
    call: "write",
    errno: "EBUSY",
    label: "enable ",
    hint: "The group holds processes itself, and so may not enable controllers for those below it: move them into a child first (no internal process rule)",
  },
  {
    call: "write",
    errno: "ENOENT",
    label: "enable ",
    hint: "The controller is not in cgroup.controllers of this group: one above does not pass it on",
  },
  {
    call: "write",
    errno: "ENOSPC",
    label: "enter the cgroup",
    hint: "cpuset.cpus or cpuset.mems of the group is empty, and no process may enter before both are filled",
  },
  {
    call: "write",
    errno: ["EACCES", "EPERM"],
    label: "enter the cgroup",
    hint: `This user may not move a process there: ${delegate}`,
  },
  {
    call: "write",
    errno: "EINVAL",
    label: "set the clocks",
    hint: "The kernel does not take such an offset; see time_namespaces(7)",
  },
  {
    call: "write",
    errno: "ERANGE",
    label: "set the clocks",
    hint: "With this offset the clock would be negative, or beyond 146 years",
  },
  {
    call: "write",
    errno: ["EINVAL", "ERANGE", "EBUSY"],
    label: "set ",
    hint: "The kernel does not take this value here; see cgroups(7) and the kernel's admin-guide on this controller",
  },
  {
    call: "unlinkat",
    errno: "EBUSY",
    label: "remove the cgroup",
    hint: "There are processes in it, or groups below it",
  },
  // Ids: user_namespaces(7)
  { call: ["openat", "write"], errno: "EACCES", label: "map the", hint: powerless },
  {
    call: "write",
    errno: "EPERM",
    label: "map the user id",
    hint: `An id map may name only ids of the caller's, unless it has CAP_SETUID there (and CAP_SETFCAP to map 0), and every id has to be mapped in the caller's own user namespace. Or else: ${powerless}`,
  },
  {
    call: "write",
    errno: "EPERM",
    label: "map the group id",
    hint: "A group map may name only the caller's own, after setgroups was denied, unless it has CAP_SETGID there",
  },
  {
    call: "write",
    errno: "EPERM",
    label: "deny setgroups",
    hint: powerless,
  },
  {
    call: "write",
    errno: "EINVAL",
    label: "map the",
    hint: "The ranges overlap, are empty, or there are more than 340 lines",
  },
  {
    call: "wait4",
    errno: "EPERM",
    hint: "The program wrote its reason to standard error; /etc/subuid and /etc/subgid say what it may map, and it has to be setuid root or have file capabilities, which no_new_privs and nosuid mounts turn off",
  },
  { call: "ioctl", errno: "EPERM", label: "bring lo up", hint: powerless },
  // Mounts, where a plan has seen to the rest of what may be wrong
  {
    call: "move_mount",
    errno: "EINVAL",
    hint: "A file can be bound only on a file, a directory only on a directory",
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
  { call: "openat2", errno: "EXDEV", hint: "The path leads out of the box" },
  {
    call: "pivot_root",
    errno: "EINVAL",
    hint: "The root of the caller is the initial ramfs or a chroot, which cannot be pivoted away from",
  },
  {
    call: "setns",
    errno: "EINVAL",
    hint: "The descriptor is of a namespace of another kind, of the user namespace that the caller is in already, or of a pid namespace that is not the caller's own or below it",
  },
  {
    call: "execve",
    errno: "ENOENT",
    hint: "There is no such program in the box, or the interpreter in its first line or ELF header is not there",
  },
];

/** One sentence or two on a step with that label, without the last full stop; undefined where nothing is known. */
export function hintFor(call: Call, errno: ErrnoName | undefined, label = ""): string | undefined {
  if (errno === undefined) return undefined;
  const ofStep = rows.filter((row) => row.label === undefined || label.startsWith(row.label));
  return firstFit(ofStep, call, errno)?.hint ?? generalHintFor(call, errno);
}
