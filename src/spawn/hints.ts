/** What the field knows about why a syscall fails, and the cure: by call and errno, the first row that fits. */
import type { Call } from "../sys/call.ts";
import type { ErrnoName } from "../sys/errno.ts";
import { formatCall } from "../sys/format.ts";
import { floors } from "./floors.ts";

interface Row {
  readonly call: Call["name"] | readonly Call["name"][];
  readonly errno: ErrnoName | readonly ErrnoName[];
  /** A part of the call as formatCall prints it. */
  readonly has?: string;
  /** What the label of the step begins with: for calls that say little themselves, such as write. */
  readonly label?: string;
  /** One sentence or two, without the last full stop. */
  readonly hint: string;
}

const delegate = "start from inside of a delegated group, such as with systemd-run --user --scope -p Delegate=yes";
const powerless =
  "The user namespace was made, but has no capabilities: AppArmor takes them away (kernel.apparmor_restrict_unprivileged_userns=1)";
const noClone =
  "User namespaces are forbidden here: by kernel.unprivileged_userns_clone=0, a container's seccomp filter, or because the caller is in a chroot or its id has no mapping in its own user namespace. `bunshare doctor` tells which";

const rows: readonly Row[] = [
  // Namespaces: clone(2), unshare(2), namespaces(7)
  {
    call: ["clone3", "unshare"],
    errno: "ENOSPC",
    hint: "A limit on namespaces is reached: user.max_*_namespaces of the caller's or an outer user namespace, or 32 levels of user or pid namespaces",
  },
  { call: ["clone3", "unshare"], errno: "EPERM", has: "CLONE_NEWUSER", hint: noClone },
  {
    call: ["clone3", "unshare"],
    errno: "EPERM",
    hint: "CAP_SYS_ADMIN is missing, or a container's seccomp filter forbids it. `bunshare doctor` tells which",
  },
  {
    call: "clone3",
    errno: "EACCES",
    has: "CLONE_INTO_CGROUP",
    hint: `Moving a process takes the right to write cgroup.procs of the common ancestor of both groups: ${delegate}`,
  },
  {
    call: ["clone3", "unshare"],
    errno: "EACCES",
    has: "CLONE_NEWUSER",
    hint: "A security module forbids user namespaces: AppArmor (kernel.apparmor_restrict_unprivileged_userns=1), or SELinux (user_namespace { create }). `bunshare doctor` tells which",
  },
  {
    call: ["clone3", "unshare"],
    errno: "EINVAL",
    has: "CLONE_NEW",
    hint: "The kernel was built without one of these namespaces (CONFIG_USER_NS, CONFIG_PID_NS, CONFIG_NET_NS, CONFIG_IPC_NS, CONFIG_UTS_NS, CONFIG_TIME_NS)",
  },
  {
    call: "clone3",
    errno: "ENOMEM",
    hint: "The PID 1 of the pid namespace that was joined has ended, or there is no memory",
  },
  {
    call: "clone3",
    errno: "ENOSYS",
    hint: "clone3 takes Linux 5.3. On a later kernel a seccomp filter hides it, as Docker's does from containers without CAP_SYS_ADMIN: --security-opt seccomp=unconfined",
  },
  {
    call: "clone3",
    errno: "EAGAIN",
    hint: "The limit on processes is reached: RLIMIT_NPROC, pids.max of a cgroup, kernel.threads-max or kernel.pid_max",
  },
  // Groups: cgroups(7), admin-guide/cgroup-v2
  { call: "clone3", errno: "E2BIG", has: "CLONE_INTO_CGROUP", hint: "CLONE_INTO_CGROUP takes Linux 5.7" },
  {
    call: "clone3",
    errno: "EBUSY",
    has: "CLONE_INTO_CGROUP",
    hint: "The cgroup has controllers enabled for the groups below it, and may hold no process (no internal process rule)",
  },
  {
    call: "clone3",
    errno: "EOPNOTSUPP",
    has: "CLONE_INTO_CGROUP",
    hint: "The cgroup is of type threaded or domain invalid, because one above it is threaded: see cgroup.type",
  },
  { call: "clone3", errno: "ENODEV", has: "CLONE_INTO_CGROUP", hint: "The cgroup was removed meanwhile" },
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
  { call: "setgroups", errno: "EPERM", hint: "This user namespace denies setgroups; see /proc/self/setgroups" },
  {
    call: ["setresuid", "setresgid", "setgroups"],
    errno: "EINVAL",
    hint: "The id is not in the map of the user namespace",
  },
  {
    call: "prlimit64",
    errno: "EPERM",
    hint: "Raising a hard limit takes CAP_SYS_RESOURCE in the first user namespace; nofile ends at fs.nr_open",
  },
  { call: "ioctl", errno: "EPERM", label: "bring lo up", hint: powerless },
  // Mounts: mount(2), mount_setattr(2), overlayfs
  {
    call: "mount",
    errno: "EINVAL",
    has: '"overlay"',
    hint: "The kernel's log (dmesg) has the reason. A layer may lie on a file system that overlayfs does not take, be itself an overlay on an overlay, or have mounts below it that belong to another user namespace",
  },
  {
    call: "mount",
    errno: ["ELOOP", "EBUSY"],
    has: '"overlay"',
    hint: "A layer, the upper or the work directory lies in another of them, or is in use by another overlay",
  },
  { call: "mount", errno: "ESTALE", has: '"overlay"', hint: "The upper was used with other layers before" },
  { call: "mount", errno: "EPERM", has: '"overlay"', hint: "overlayfs in a user namespace takes Linux 5.11" },
  { call: "mount", errno: "ENODEV", has: '"overlay"', hint: "The kernel has no overlayfs: modprobe overlay" },
  {
    call: ["mount", "fsopen", "fsconfig", "fsmount"],
    errno: "EPERM",
    hint: "A file system of this kind may be mounted only by who owns the namespace that it shows, and in a user namespace proc and sysfs only while one is in sight on which nothing is masked (Docker: --security-opt systempaths=unconfined)",
  },
  {
    call: "move_mount",
    errno: "EINVAL",
    hint: "A file can be bound only on a file, a directory only on a directory",
  },
  {
    call: ["mount", "move_mount", "umount2", "pivot_root"],
    errno: "EACCES",
    hint: "A security module forbids it (the kernel's log names the profile; Docker: --security-opt apparmor=unconfined), or a directory on the way may not be searched",
  },
  {
    call: ["mount", "fsopen"],
    errno: "ENODEV",
    hint: "The kernel has no such file system, or its module is not loaded; see /proc/filesystems",
  },
  {
    call: ["mount", "move_mount"],
    errno: "ENOSPC",
    hint: "There are as many mounts as fs.mount-max allows",
  },
  {
    call: "mount",
    errno: "EINVAL",
    has: "MS_BIND",
    hint: "What is bound has mounts below it that are locked together (bind it recursively), or is unbindable",
  },
  {
    call: "open_tree",
    errno: "EINVAL",
    hint: "The mount is unbindable, or lies in another mount namespace",
  },
  {
    call: "mount_setattr",
    errno: "EPERM",
    hint: "Attributes that an outer user namespace has set on a mount are locked",
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
    call: "openat2",
    errno: "EAGAIN",
    hint: "Something was renamed or mounted while the path was looked up: try again",
  },
  {
    call: "pivot_root",
    errno: "EINVAL",
    hint: "The root of the caller is the initial ramfs or a chroot, which cannot be pivoted away from",
  },
  // Joining: setns(2)
  {
    call: "setns",
    errno: "EINVAL",
    hint: "The descriptor is of a namespace of another kind, of the user namespace that the caller is in already, or of a pid namespace that is not the caller's own or below it",
  },
  {
    call: "setns",
    errno: "EPERM",
    hint: "Entering takes CAP_SYS_ADMIN in the user namespace that owns the target: join that one too, or be root",
  },
  // The program: execve(2)
  {
    call: "execve",
    errno: "ENOENT",
    hint: "There is no such program in the box, or the interpreter in its first line or ELF header is not there",
  },
  {
    call: "execve",
    errno: "EACCES",
    hint: "The file may not be executed: no x permission, a directory on the way that may not be searched, not a regular file, or a mount with noexec",
  },
  {
    call: "execve",
    errno: "E2BIG",
    hint: "Arguments and environment together are too large: at most a quarter of RLIMIT_STACK, and 128 KiB each",
  },
  {
    call: "execve",
    errno: "ENOEXEC",
    hint: "The file is neither ELF nor begins with #!, or is for another architecture",
  },
  { call: "execve", errno: "ETXTBSY", hint: "Somebody has the file open for writing" },
  { call: "execve", errno: "EAGAIN", hint: "The user has more processes than RLIMIT_NPROC allows" },
  { call: "execve", errno: "ELOOP", hint: "Symbolic links or interpreters lead to each other" },
  // Kernels without a call, and filters that act like one.
  ...floors.flatMap(({ calls = [], since: [major, minor] }) =>
    calls.map((call): Row => ({
      call,
      errno: "ENOSYS",
      hint: `${call} takes Linux ${major}.${minor}. On a later kernel a seccomp filter hides it`,
    })),
  ),
  {
    call: "close_range",
    errno: "EINVAL",
    has: "CLOSE_RANGE_CLOEXEC",
    hint: "CLOSE_RANGE_CLOEXEC takes Linux 5.11",
  },
];

const includes = <T>(one: T | readonly T[], value: T): boolean =>
  Array.isArray(one) ? one.includes(value) : one === value;

/** One sentence or two, or undefined where nothing is known. */
export function hintFor(call: Call, errno: ErrnoName | undefined, label = ""): string | undefined {
  if (errno === undefined) return undefined;
  const text = formatCall(call);
  return rows.find(
    (row) =>
      includes(row.call, call.name) &&
      includes(row.errno, errno) &&
      (row.has === undefined || text.includes(row.has)) &&
      (row.label === undefined || label.startsWith(row.label)),
  )?.hint;
}
