/** What the field knows about why a syscall fails, and the cure: by call and errno, the first row that fits. Pure. */
import type { Call } from "./call.ts";
import type { ErrnoName } from "./errno.ts";
import { formatCall } from "./format.ts";
import { callsSince, since } from "./since.ts";

/** One thing that is known. Plain data, in the order in which it is asked. */
export interface Hint {
  /** Undefined: any call. */
  readonly call?: Call["name"] | readonly Call["name"][];
  readonly errno: ErrnoName | readonly ErrnoName[];
  /** A part of the call as formatCall prints it, or several of which one is there. */
  readonly has?: string | readonly string[];
  /** One sentence or two, without the last full stop. */
  readonly hint: string;
}

const noUserNamespace =
  "User namespaces are forbidden here: by kernel.unprivileged_userns_clone=0, a container's seccomp filter, or because the caller is in a chroot or its id has no mapping in its own user namespace. `bunshare doctor` tells which";
const takes = (feature: keyof typeof since): string => `${feature} takes Linux ${since[feature]}`;
const traced =
  "Looking into another process takes its user's ids and that it is dumpable, or CAP_SYS_PTRACE in its user namespace; and Yama may forbid it (kernel.yama.ptrace_scope)";
const ended = "The process has ended and was waited for";
const realtime =
  "Higher priorities take CAP_SYS_NICE, or RLIMIT_RTPRIO or RLIMIT_NICE that allow them; other users' processes always CAP_SYS_NICE";
const setXattr = ["setxattr", "lsetxattr", "fsetxattr", "setxattrat"] as const;
const getXattr = ["getxattr", "lgetxattr", "fgetxattr", "getxattrat"] as const;
const anyXattr = [...setXattr, ...getXattr, "removexattr", "lremovexattr", "fremovexattr", "removexattrat"] as const;
const landlock = ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self"] as const;
const mounting = ["mount", "fsopen", "fsconfig", "fsmount"] as const;
const keys = ["keyctl", "add_key", "request_key"] as const;
const execs = ["execve", "execveat"] as const;
const propagation = ["MS_PRIVATE", "MS_SLAVE", "MS_SHARED", "MS_UNBINDABLE"] as const;
const opens = ["open", "openat", "openat2"] as const;

/** By subject; within a call what is special comes before what is general. */
export const hints: readonly Hint[] = [
  // Namespaces: clone(2), unshare(2), namespaces(7)
  {
    call: ["clone3", "clone", "unshare"],
    errno: "ENOSPC",
    hint: "A limit on namespaces is reached: user.max_*_namespaces of the caller's or an outer user namespace, or 32 levels of user or pid namespaces",
  },
  { call: ["clone3", "clone", "unshare"], errno: "EPERM", has: "CLONE_NEWUSER", hint: noUserNamespace },
  {
    call: "clone3",
    errno: "EPERM",
    has: "set_tid=",
    hint: "Choosing a pid takes CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN in the user namespaces that own the pid namespaces",
  },
  {
    call: ["clone3", "clone", "unshare"],
    errno: "EPERM",
    hint: "CAP_SYS_ADMIN is missing, or a container's seccomp filter forbids it. `bunshare doctor` tells which",
  },
  {
    call: "clone3",
    errno: "EACCES",
    has: "CLONE_INTO_CGROUP",
    hint: "Moving a process takes the right to write cgroup.procs of the common ancestor of both groups: start from inside of a delegated group, such as with systemd-run --user --scope -p Delegate=yes",
  },
  {
    call: ["clone3", "clone", "unshare"],
    errno: "EACCES",
    has: "CLONE_NEWUSER",
    hint: "A security module forbids user namespaces: AppArmor (kernel.apparmor_restrict_unprivileged_userns=1), or SELinux (user_namespace { create }). `bunshare doctor` tells which",
  },
  {
    call: "unshare",
    errno: "EINVAL",
    has: "CLONE_NEWUSER",
    hint: "A process with several threads, as Bun is, cannot make a user namespace for itself: a new process can. Or the kernel was built without them (CONFIG_USER_NS)",
  },
  {
    call: "clone3",
    errno: "EINVAL",
    has: "CLONE_NEWTIME",
    hint: `${takes("CLONE_NEWTIME in clone3")}, and a kernel with CONFIG_TIME_NS; before, unshare makes a time namespace for the caller's children`,
  },
  {
    call: ["clone3", "clone", "unshare"],
    errno: "EINVAL",
    has: "CLONE_NEW",
    hint: "The kernel was built without one of these namespaces (CONFIG_USER_NS, CONFIG_PID_NS, CONFIG_NET_NS, CONFIG_IPC_NS, CONFIG_UTS_NS, CONFIG_TIME_NS)",
  },
  {
    call: ["clone3", "clone"],
    errno: "ENOMEM",
    hint: "The PID 1 of the pid namespace that was joined has ended, or there is no memory",
  },
  {
    call: "clone3",
    errno: "ENOSYS",
    hint: `${takes("clone3")}. On a later kernel a seccomp filter hides it, as Docker's does from containers without CAP_SYS_ADMIN: --security-opt seccomp=unconfined`,
  },
  {
    call: ["clone3", "clone", "fork", "vfork"],
    errno: "EAGAIN",
    hint: "The limit on processes is reached: RLIMIT_NPROC, pids.max of a cgroup, kernel.threads-max or kernel.pid_max",
  },
  { call: "clone3", errno: "E2BIG", has: "CLONE_INTO_CGROUP", hint: takes("CLONE_INTO_CGROUP") },
  { call: "clone3", errno: "E2BIG", has: "set_tid=", hint: takes("clone_args.set_tid") },
  { call: "clone3", errno: "E2BIG", hint: "A field of clone_args is set that this kernel does not know yet" },
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
  { call: "clone3", errno: "EEXIST", has: "set_tid=", hint: "A process or thread of that pid is there already" },
  // Joining: setns(2)
  {
    call: "setns",
    errno: "EUSERS",
    hint: "A time namespace can be entered only by a process with one thread: Bun has several, a new process has one",
  },
  {
    call: "setns",
    errno: "EINVAL",
    has: "CLONE_NEWUSER",
    hint: "The descriptor is of a namespace of another kind, or of the user namespace that the caller is in already; or the caller has several threads, as Bun has, and so may not enter one",
  },
  {
    call: "setns",
    errno: "EINVAL",
    has: "CLONE_NEWNS",
    hint: "The descriptor is of a namespace of another kind; or the caller shares its root and working directory with other threads: unshare(CLONE_FS) comes first",
  },
  {
    call: "setns",
    errno: "EINVAL",
    hint: `The descriptor is of a namespace of another kind, of the user namespace that the caller is in already, or of a pid namespace that is not the caller's own or below it; a pidfd takes Linux ${since["setns of a pidfd"]}`,
  },
  {
    call: "setns",
    errno: "EPERM",
    hint: "Entering takes CAP_SYS_ADMIN in the user namespace that owns the target: join that one too, or be root",
  },
  { call: "setns", errno: "ESRCH", hint: ended },
  {
    call: "ioctl",
    errno: "EPERM",
    has: ["NS_GET_USERNS", "NS_GET_PARENT"],
    hint: "There is none in sight: the namespace is the first, or the one asked for lies outside of the caller's own",
  },
  { call: "ioctl", errno: "EINVAL", has: "NS_GET_PARENT", hint: "Only user and pid namespaces have a parent" },
  { call: "ioctl", errno: "EINVAL", has: "NS_GET_OWNER_UID", hint: "Only a user namespace has an owner" },
  { call: "ioctl", errno: "EINVAL", has: "NS_GET_MNTNS_ID", hint: "The descriptor is not of a mount namespace" },
  { call: "ioctl", errno: "EACCES", has: "PIDFD_GET_", hint: traced },
  ...(Object.keys(since) as (keyof typeof since)[])
    .filter((name) => /^(PIDFD_GET_|NS_(MNT_)?GET_)/.test(name))
    .map((name): Hint => ({
      call: "ioctl",
      errno: "ENOTTY",
      has: name,
      hint: `${takes(name)}, and a descriptor of ${name.startsWith("PIDFD") ? "a process" : "a namespace"}`,
    })),
  {
    call: ["listns", "statmount", "listmount"],
    errno: "EPERM",
    hint: "What is asked about is not in sight of the caller's root, or in a namespace over which the caller lacks CAP_SYS_ADMIN",
  },
  // Ids and rights: user_namespaces(7), capabilities(7)
  {
    call: "setgroups",
    errno: "EPERM",
    hint: "CAP_SETGID is missing, or this user namespace denies setgroups; see /proc/self/setgroups",
  },
  {
    call: ["setresuid", "setresgid", "setuid", "setgid", "setreuid", "setregid", "setgroups"],
    errno: "EINVAL",
    hint: "The id is not in the map of the user namespace",
  },
  {
    call: ["setresuid", "setuid", "setreuid"],
    errno: "EPERM",
    hint: "Without CAP_SETUID in the user namespace, an id may only be set to the real, effective or saved one",
  },
  {
    call: ["setresgid", "setgid", "setregid"],
    errno: "EPERM",
    hint: "Without CAP_SETGID in the user namespace, an id may only be set to the real, effective or saved one",
  },
  {
    call: "capset",
    errno: "EPERM",
    hint: "Capabilities can be given up but not gained: effective ones have to be permitted, permitted ones to be so already, and inheritable ones to be in the bounding set (and permitted, without CAP_SETPCAP)",
  },
  { call: "prctl", errno: "EPERM", has: "PR_CAPBSET_DROP", hint: "Dropping from the bounding set takes CAP_SETPCAP" },
  {
    call: "prctl",
    errno: "EINVAL",
    has: ["PR_CAPBSET_DROP", "PR_CAPBSET_READ"],
    hint: "This kernel has no such capability: /proc/sys/kernel/cap_last_cap is the last",
  },
  {
    call: "prctl",
    errno: "EPERM",
    has: "PR_CAP_AMBIENT",
    hint: "A capability can be ambient only while it is both permitted and inheritable, and SECBIT_NO_CAP_AMBIENT_RAISE is not set",
  },
  {
    call: "prctl",
    errno: "EPERM",
    has: "PR_SET_SECUREBITS",
    hint: "Securebits take CAP_SETPCAP, and locked ones stay",
  },
  { call: "prctl", errno: "EPERM", has: "PR_SET_KEEPCAPS", hint: "SECBIT_KEEP_CAPS_LOCKED is set" },
  {
    call: "prctl",
    errno: "EPERM",
    has: "PR_SET_MDWE",
    hint: "What was once denied with PR_SET_MDWE cannot be allowed again",
  },
  { call: "prctl", errno: "EINVAL", has: "PR_SET_MDWE", hint: takes("PR_SET_MDWE") },
  {
    call: "prctl",
    errno: "EINVAL",
    has: "PR_SET_PTRACER",
    hint: "There is no process of that pid, or the kernel has no Yama, whose request this is",
  },
  {
    call: "prctl",
    errno: "EACCES",
    has: "PR_SET_SECCOMP",
    hint: "A filter takes no_new_privs first, PR_SET_NO_NEW_PRIVS, or CAP_SYS_ADMIN in the user namespace",
  },
  {
    call: "prctl",
    errno: "EINVAL",
    hint: "This kernel does not know the operation, or an argument that it does not use is not 0",
  },
  {
    call: "prlimit64",
    errno: "EPERM",
    hint: "Raising a hard limit takes CAP_SYS_RESOURCE in the first user namespace; nofile ends at fs.nr_open",
  },
  { call: "prlimit64", errno: "EINVAL", hint: "The soft limit is above the hard one, or there is no such resource" },
  {
    call: "sched_setaffinity",
    errno: "EINVAL",
    hint: "None of these CPUs is online and in cpuset.cpus of the process's group",
  },
  { call: "sched_setaffinity", errno: "EPERM", hint: "CPUs of other users' processes take CAP_SYS_NICE" },
  { call: ["sched_setattr", "sched_setscheduler", "sched_setparam"], errno: "EPERM", hint: realtime },
  { call: "setpriority", errno: ["EACCES", "EPERM"], hint: realtime },
  { call: "kill", errno: "EPERM", hint: "Signals go to processes of the same user, or take CAP_KILL in theirs" },
  {
    call: "setsid",
    errno: "EPERM",
    hint: "The caller leads a process group already: a child of it does not",
  },
  {
    call: ["sethostname", "setdomainname"],
    errno: "EPERM",
    hint: "A name takes CAP_SYS_ADMIN in the user namespace that owns the uts namespace: unshare both",
  },
  {
    call: ["clock_settime", "settimeofday", "clock_adjtime", "adjtimex"],
    errno: "EPERM",
    hint: "Setting a clock takes CAP_SYS_TIME in the first user namespace; a time namespace shifts the monotonic and boottime clocks only",
  },
  { call: "chroot", errno: "EPERM", hint: "CAP_SYS_CHROOT in the user namespace is missing" },
  // Processes: pidfd_open(2) and the like
  { call: "pidfd_open", errno: "EINVAL", has: "PIDFD_THREAD", hint: takes("PIDFD_THREAD") },
  { call: "pidfd_open", errno: "EINVAL", has: "PIDFD_NONBLOCK", hint: takes("PIDFD_NONBLOCK") },
  {
    call: "pidfd_open",
    errno: ["EINVAL", "ENOENT"],
    hint: `The pid is not one, or is of a thread that leads no process: with PIDFD_THREAD since Linux ${since.PIDFD_THREAD}`,
  },
  {
    call: ["pidfd_open", "pidfd_send_signal", "pidfd_getfd", "kill"],
    errno: "ESRCH",
    hint: "There is no such process in this pid namespace, or it has ended and was waited for",
  },
  { call: ["pidfd_getfd", "kcmp", "ptrace", "process_vm_readv", "process_vm_writev"], errno: "EPERM", hint: traced },
  { call: "pidfd_getfd", errno: "EBADF", hint: "The process has no such descriptor open, or the first is no pidfd" },
  {
    call: "pidfd_send_signal",
    errno: "EPERM",
    hint: "Signals go to processes of the same user, or take CAP_KILL in theirs",
  },
  {
    call: "pidfd_send_signal",
    errno: "EINVAL",
    hint: `The process is not in sight of the caller's pid namespace, the signal is none, or the flags are not known (Linux ${since.PIDFD_SIGNAL_PROCESS_GROUP})`,
  },
  {
    call: ["wait4", "waitid"],
    errno: "ECHILD",
    hint: "There is no such child: somebody else has waited for it, or SIGCHLD is ignored and the kernel has",
  },
  { call: "waitid", errno: "EINVAL", has: "P_PIDFD", hint: takes("P_PIDFD") },
  { call: "close_range", errno: "EINVAL", has: "CLOSE_RANGE_CLOEXEC", hint: takes("CLOSE_RANGE_CLOEXEC") },
  { call: "close_range", errno: "EINVAL", hint: "The first descriptor is above the last, or the flags are not known" },
  // The program: execve(2)
  {
    call: execs,
    errno: "ENOENT",
    hint: "There is no such program, or the interpreter in its first line or ELF header is not there",
  },
  {
    call: execs,
    errno: "EACCES",
    hint: "The file may not be executed: no x permission, a directory on the way that may not be searched, not a regular file, or a mount with noexec",
  },
  {
    call: execs,
    errno: "E2BIG",
    hint: "Arguments and environment together are too large: at most a quarter of RLIMIT_STACK, and 128 KiB each",
  },
  {
    call: execs,
    errno: "ENOEXEC",
    hint: "The file is neither ELF nor begins with #!, or is for another architecture",
  },
  { call: execs, errno: "ETXTBSY", hint: "Somebody has the file open for writing" },
  { call: execs, errno: "EAGAIN", hint: "The user has more processes than RLIMIT_NPROC allows" },
  { call: execs, errno: "ELOOP", hint: "Symbolic links or interpreters lead to each other" },
  { call: execs, errno: "ELIBBAD", hint: "The interpreter in the ELF header is not one for this machine" },
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
  {
    call: "mount",
    errno: "EPERM",
    has: '"overlay"',
    hint: `overlayfs in a user namespace takes Linux ${since["overlayfs in user namespaces"]}`,
  },
  {
    call: ["mount", "fsopen"],
    errno: "ENODEV",
    has: '"overlay"',
    hint: "The kernel has no overlayfs: modprobe overlay",
  },
  {
    call: "mount",
    errno: "EPERM",
    has: "MS_REMOUNT",
    hint: "Flags that an outer user namespace has set on a mount are locked: pass the same of nosuid, nodev, noexec, read-only and the access times along",
  },
  {
    call: "mount",
    errno: "EPERM",
    has: ["MS_BIND", "MS_MOVE", ...propagation],
    hint: "Mounts take CAP_SYS_ADMIN in the user namespace that owns the mount namespace: unshare both",
  },
  {
    call: mounting,
    errno: "EPERM",
    hint: "A file system of this kind may be mounted only by who owns the namespace that it shows, and in a user namespace proc and sysfs only while one is in sight on which nothing is masked (Docker: --security-opt systempaths=unconfined)",
  },
  {
    call: ["mount_setattr", "open_tree_attr"],
    errno: "EINVAL",
    has: "MOUNT_ATTR_IDMAP",
    hint: "Ids can be mapped on a detached mount only (OPEN_TREE_CLONE), whose file system allows it and was not mounted in a user namespace; and userns_fd has to be of a user namespace",
  },
  {
    call: ["mount_setattr", "open_tree_attr"],
    errno: "EPERM",
    has: "MOUNT_ATTR_IDMAP",
    hint: "Mapping ids takes CAP_SYS_ADMIN in the user namespace that the file system was mounted in, a mount that is not mapped yet, and another user namespace than that one",
  },
  {
    call: ["open_tree", "move_mount", "fspick", "umount2", "pivot_root", "open_tree_attr"],
    errno: "EPERM",
    hint: "Mounts take CAP_SYS_ADMIN in the user namespace that owns the mount namespace: unshare both",
  },
  {
    call: [...mounting, "move_mount", "umount2", "pivot_root"],
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
    errno: "ENOTBLK",
    hint: "This file system lies on a block device, and the source is none: a file takes a loop device first",
  },
  {
    call: "mount",
    errno: "EINVAL",
    has: "MS_REMOUNT",
    hint: "The target is not a mount point, or an option is not known",
  },
  {
    call: "mount",
    errno: "EBUSY",
    has: "MS_REMOUNT",
    hint: "A file is open for writing there: a mount cannot become read-only before it is closed",
  },
  {
    call: "mount",
    errno: "EINVAL",
    has: "MS_MOVE",
    hint: "The source is not a mount point or lies below a shared mount: make that one private first",
  },
  {
    call: "mount",
    errno: "EINVAL",
    has: "MS_BIND",
    hint: "What is bound has mounts below it that are locked together (bind it recursively), or is unbindable",
  },
  {
    call: "mount",
    errno: "EINVAL",
    has: propagation,
    hint: "The target is not a mount point: bind it on itself first",
  },
  { call: "mount", errno: "ENOTDIR", hint: "A file can be mounted only on a file, a directory only on a directory" },
  {
    call: "mount",
    errno: "EBUSY",
    hint: "The same is mounted there already, or the device is in use",
  },
  {
    call: "move_mount",
    errno: "EINVAL",
    has: "MOVE_MOUNT_BENEATH",
    hint: `${takes("MOVE_MOUNT_BENEATH")}, and a target that is a mount, not the caller's root nor locked, below one that is not shared`,
  },
  {
    call: "move_mount",
    errno: "EINVAL",
    has: "MOVE_MOUNT_SET_GROUP",
    hint: `${takes("MOVE_MOUNT_SET_GROUP")}, and two mounts of one file system of which the target is private`,
  },
  {
    call: "move_mount",
    errno: "EINVAL",
    hint: "A file can be bound only on a file, a directory only on a directory; and what is attached cannot be moved from below a shared mount: make that one private first",
  },
  { call: ["move_mount", "mount"], errno: "ELOOP", hint: "A mount cannot be moved below itself" },
  {
    call: "umount2",
    errno: "EINVAL",
    hint: "The target is not a mount point, or locked because an outer user namespace has mounted it: umount the whole tree that came with it, with MNT_DETACH",
  },
  {
    call: "umount2",
    errno: "EBUSY",
    hint: "A file is open there, a process has its root or working directory there, or a mount lies below: MNT_DETACH takes it out of sight at once",
  },
  {
    call: "umount2",
    errno: "EAGAIN",
    hint: "MNT_EXPIRE has marked it: the same call once more detaches it, if nobody has used it since",
  },
  {
    call: "pivot_root",
    errno: "EINVAL",
    hint: "The new root is not a mount point (bind it on itself), it or the mount above it or above the current root is shared (make all private), put_old is not below it, or the current root is the initial ramfs or a chroot",
  },
  {
    call: "pivot_root",
    errno: "EBUSY",
    hint: "The new root or put_old is on the current root: bind the new one on itself first",
  },
  {
    call: "open_tree",
    errno: "EINVAL",
    has: "OPEN_TREE_CLONE",
    hint: "The mount is unbindable, lies in another mount namespace, or has mounts below it that are locked to it (AT_RECURSIVE)",
  },
  {
    call: ["open_tree", "open_tree_attr"],
    errno: "EINVAL",
    hint: "A flag that goes only with OPEN_TREE_CLONE, or is not known",
  },
  {
    call: "mount_setattr",
    errno: "EPERM",
    hint: "Attributes that an outer user namespace has set on a mount are locked",
  },
  { call: "mount_setattr", errno: "EBUSY", hint: "A file is open for writing there: close it first" },
  {
    call: "mount_setattr",
    errno: "EINVAL",
    hint: `The path is not a mount point, a time attribute comes without MOUNT_ATTR__ATIME to clear, or an attribute is not known (MOUNT_ATTR_NOSYMFOLLOW: Linux ${since.MOUNT_ATTR_NOSYMFOLLOW})`,
  },
  {
    call: ["mount_setattr", "open_tree_attr", "openat2", "sched_setattr", "listns"],
    errno: "E2BIG",
    hint: "A field is set that this kernel does not know yet",
  },
  {
    call: "fsconfig",
    errno: "EOPNOTSUPP",
    has: "FSCONFIG_CMD_CREATE_EXCL",
    hint: `${takes("FSCONFIG_CMD_CREATE_EXCL")}, and a file system that has changed to the new mount calls`,
  },
  {
    call: "fsconfig",
    errno: "EOPNOTSUPP",
    hint: "This file system does not take a value of this kind: FSCONFIG_SET_STRING is taken by all",
  },
  {
    call: "fsconfig",
    errno: "EINVAL",
    has: "lowerdir+",
    hint: `Layers one by one take Linux ${since["overlay lowerdir+"]}, as descriptors ${since["overlay layers by descriptor"]}; an older overlayfs takes one lowerdir with ":" between`,
  },
  {
    call: "fsconfig",
    errno: "EINVAL",
    hint: "An option is not known or has a bad value: reading the descriptor of the context tells which",
  },
  {
    call: "fsconfig",
    errno: "EBUSY",
    has: "FSCONFIG_CMD_CREATE_EXCL",
    hint: "The file system is mounted already, and would have been shared",
  },
  {
    call: "fsconfig",
    errno: "EBUSY",
    hint: "The file system was made already, or the device is in use: options come before FSCONFIG_CMD_CREATE, which comes once",
  },
  { call: "fsmount", errno: "EINVAL", hint: "The file system was not made yet: FSCONFIG_CMD_CREATE comes first" },
  { call: "fsmount", errno: "EBUSY", hint: "The context has been mounted already: it can be once" },
  { call: "fspick", errno: "EINVAL", hint: "The path is not the root of a mount" },
  {
    call: "statmount",
    errno: "EOVERFLOW",
    hint: "The buffer is too small for the strings: try again with a larger one",
  },
  {
    call: ["statmount", "listmount"],
    errno: "ENOENT",
    hint: `No mount of this id is in sight: these calls take the id of STATX_MNT_ID_UNIQUE, which is not that of mountinfo, and other namespaces by mnt_ns_id since Linux ${since["mnt_id_req.mnt_ns_id"]}`,
  },
  // Paths and files: openat2(2), open(2)
  {
    call: "openat2",
    errno: "ELOOP",
    has: "RESOLVE_NO_SYMLINKS",
    hint: "A symbolic link is on the way, which RESOLVE_NO_SYMLINKS forbids",
  },
  {
    call: "openat2",
    errno: "ELOOP",
    has: "RESOLVE_NO_MAGICLINKS",
    hint: "A link such as those of /proc/PID/fd is on the way, which RESOLVE_NO_MAGICLINKS forbids, or too many links",
  },
  {
    call: "openat2",
    errno: "EXDEV",
    has: "RESOLVE_NO_XDEV",
    hint: "A mount point is on the way, which RESOLVE_NO_XDEV forbids",
  },
  {
    call: "openat2",
    errno: "EXDEV",
    hint: "The path leads out of the directory that it was to stay in: by .., an absolute path or a link",
  },
  {
    call: "openat2",
    errno: "EAGAIN",
    has: "RESOLVE_CACHED",
    hint: "The path is not in the kernel's cache: try again without RESOLVE_CACHED",
  },
  {
    call: "openat2",
    errno: "EAGAIN",
    hint: "Something was renamed or mounted while the path was looked up: try again",
  },
  { call: "openat2", errno: "EINVAL", has: "RESOLVE_CACHED", hint: takes("RESOLVE_CACHED") },
  {
    call: "openat2",
    errno: "EINVAL",
    hint: "Unlike openat, openat2 refuses flags that it does not know, and a mode without O_CREAT or O_TMPFILE",
  },
  {
    call: opens,
    errno: "ELOOP",
    has: "O_NOFOLLOW",
    hint: "A symbolic link stands there, and O_NOFOLLOW does not follow it: O_PATH opens the link",
  },
  {
    call: opens,
    errno: "EACCES",
    has: "O_CREAT",
    hint: "A directory may not be searched or written, or the file not opened: fs.protected_regular and fs.protected_fifos forbid O_CREAT on others' files in sticky directories such as /tmp",
  },
  {
    call: opens,
    errno: "ENXIO",
    hint: "Nobody reads the fifo, the device has no driver, or it is a socket, as /dev/stdout may be: a socket cannot be opened by path",
  },
  { call: opens, errno: "EPERM", has: "O_NOATIME", hint: "O_NOATIME takes the file's owner, or CAP_FOWNER" },
  {
    call: opens,
    errno: "EOPNOTSUPP",
    has: "O_TMPFILE",
    hint: "This file system has no files without a name: make one with a name and unlink it",
  },
  {
    call: [...opens, "truncate"],
    errno: "ETXTBSY",
    hint: "The file is being executed, and cannot be written: replace it by another with rename",
  },
  {
    call: "mknodat",
    errno: "EPERM",
    hint: "A device node takes CAP_MKNOD in the first user namespace, which no box with its own has: bind the host's instead",
  },
  {
    call: "linkat",
    errno: "EPERM",
    hint: "fs.protected_hardlinks forbids links to files that the caller neither owns nor may write, and directories have none",
  },
  {
    call: ["linkat", "renameat2", "rename", "renameat"],
    errno: "EXDEV",
    hint: "The two are on different mounts, if even of one file system, or a directory of an overlay's lower layer was to be renamed (redirect_dir=on): copy instead",
  },
  { call: "unlinkat", errno: "EBUSY", hint: "It is a mount point, or in use by the system" },
  {
    call: "copy_file_range",
    errno: ["EXDEV", "EOPNOTSUPP"],
    hint: "The kernel cannot copy between these two file systems: read and write instead",
  },
  { call: "write", errno: "EFBIG", hint: "The file would grow beyond RLIMIT_FSIZE or what its file system takes" },
  {
    call: "open_by_handle_at",
    errno: "EPERM",
    hint: "Opening by handle takes CAP_DAC_READ_SEARCH in the first user namespace, or since Linux 6.11 in the one that owns the mount namespace",
  },
  {
    call: "open_by_handle_at",
    errno: "ESTALE",
    hint: "What the handle was of is gone, or the mount is of another file system",
  },
  { call: "name_to_handle_at", errno: "EOVERFLOW", hint: "handle_bytes is too small, and says now how many it takes" },
  {
    call: "name_to_handle_at",
    errno: "EOPNOTSUPP",
    hint: `The file system gives no handles, as some do not (pidfds: Linux ${since["file handles of pidfds"]}, namespaces: ${since["file handles of namespaces"]}); AT_HANDLE_FID, of Linux ${since.AT_HANDLE_FID}, may still name the file`,
  },
  {
    call: "name_to_handle_at",
    errno: "EINVAL",
    hint: `A flag is not known (AT_HANDLE_FID: Linux ${since.AT_HANDLE_FID}, AT_HANDLE_MNT_ID_UNIQUE: ${since.AT_HANDLE_MNT_ID_UNIQUE}), or handle_bytes is above 128`,
  },
  // Attributes: xattr(7)
  {
    call: setXattr,
    errno: "EOPNOTSUPP",
    has: '"user.',
    hint: `The file system takes no user.* attributes; tmpfs since Linux ${since["user.* attributes on tmpfs"]}`,
  },
  {
    call: anyXattr,
    errno: "EOPNOTSUPP",
    hint: "The file system has no such attributes, or the name begins with none of user., trusted., security. and system",
  },
  {
    call: setXattr,
    errno: "EPERM",
    has: '"user.',
    hint: "user.* attributes are for regular files and directories, in sticky ones for the owner, and not for what is immutable",
  },
  {
    call: setXattr,
    errno: "EPERM",
    has: '"trusted.',
    hint: "trusted.* takes CAP_SYS_ADMIN in the first user namespace: in a box overlayfs uses user.* (userxattr)",
  },
  {
    call: setXattr,
    errno: "EPERM",
    has: '"security.capability"',
    hint: "Capabilities of a file take CAP_SETFCAP in the user namespace that its file system was mounted in",
  },
  {
    call: setXattr,
    errno: ["ENOSPC", "EDQUOT"],
    hint: "There is no room for attributes: ext4 without ea_inode has one block for those of a file",
  },
  { call: setXattr, errno: ["E2BIG", "ERANGE"], hint: "A value has at most 64 KiB, a name 255 bytes" },
  {
    call: [...getXattr, "listxattr", "llistxattr", "flistxattr", "listxattrat"],
    errno: "ERANGE",
    hint: "The buffer is too small: a size of 0 asks how large it has to be",
  },
  {
    call: anyXattr,
    errno: "ENODATA",
    hint: "The file has no attribute of that name, or the caller may not see it (trusted.*)",
  },
  // Descriptors: fcntl(2), memfd_create(2)
  {
    call: "fcntl",
    errno: "EPERM",
    has: "F_ADD_SEALS",
    hint: "The file is sealed against seals (MFD_ALLOW_SEALING was not given), or not open for writing",
  },
  {
    call: "fcntl",
    errno: "EBUSY",
    has: "F_ADD_SEALS",
    hint: "F_SEAL_WRITE takes that nobody has the file mapped for writing: F_SEAL_FUTURE_WRITE leaves mappings alone",
  },
  {
    call: "fcntl",
    errno: "EINVAL",
    has: "F_ADD_SEALS",
    hint: `Only memfds and files on tmpfs and hugetlbfs have seals; F_SEAL_EXEC takes Linux ${since.MFD_EXEC}`,
  },
  { call: "fcntl", errno: "EINVAL", has: "F_DUPFD_QUERY", hint: takes("F_DUPFD_QUERY") },
  { call: "fcntl", errno: "EINVAL", has: "F_CREATED_QUERY", hint: takes("F_CREATED_QUERY") },
  {
    call: "fcntl",
    errno: "EPERM",
    has: "F_SETPIPE_SZ",
    hint: "Pipes end at fs.pipe-max-size, and all of a user's at fs.pipe-user-pages-soft and -hard",
  },
  { call: "fcntl", errno: "EBUSY", has: "F_SETPIPE_SZ", hint: "There is more in the pipe than would fit" },
  {
    call: "fcntl",
    errno: ["EAGAIN", "EACCES"],
    has: ["SETLK", "SETLEASE"],
    hint: "Another process holds a lock, or has the file open: see /proc/locks",
  },
  {
    call: "memfd_create",
    errno: "EACCES",
    hint: "vm.memfd_noexec=2 allows no memfd that can be executed: pass MFD_NOEXEC_SEAL, or let an administrator set it to 1",
  },
  {
    call: "memfd_create",
    errno: "EINVAL",
    has: ["MFD_EXEC", "MFD_NOEXEC_SEAL"],
    hint: `MFD_EXEC and MFD_NOEXEC_SEAL take Linux ${since.MFD_EXEC}, and not both`,
  },
  { call: "memfd_create", errno: "EINVAL", hint: "The name has more than 249 bytes, or a flag is not known" },
  {
    call: "memfd_create",
    errno: "EPERM",
    has: "MFD_HUGETLB",
    hint: "Huge pages take CAP_IPC_LOCK or the group of vm.hugetlb_shm_group",
  },
  { call: "epoll_ctl", errno: "EPERM", hint: "Regular files and directories cannot be polled: they are always ready" },
  { call: "epoll_ctl", errno: "ENOSPC", hint: "fs.epoll.max_user_watches is reached" },
  {
    call: ["inotify_init1", "inotify_init"],
    errno: "EMFILE",
    hint: "The user has as many instances as fs.inotify.max_user_instances allows, or the process as many descriptors as RLIMIT_NOFILE",
  },
  {
    call: "inotify_add_watch",
    errno: "ENOSPC",
    hint: "The user has as many watches as fs.inotify.max_user_watches allows",
  },
  {
    call: "fanotify_init",
    errno: "EPERM",
    hint: "CAP_SYS_ADMIN in the first user namespace is missing; without it, FAN_CLASS_NOTIF with FAN_REPORT_FID works since Linux 5.13",
  },
  { call: "fanotify_init", errno: "EMFILE", hint: "fs.fanotify.max_user_groups or RLIMIT_NOFILE is reached" },
  { call: "fanotify_mark", errno: "ENOSPC", hint: "fs.fanotify.max_user_marks is reached" },
  {
    call: "fanotify_mark",
    errno: ["ENODEV", "EOPNOTSUPP", "EXDEV"],
    hint: "With FAN_REPORT_FID only file systems that have ids and file handles can be watched",
  },
  // Terminals and interfaces: ioctl(2)
  {
    call: "ioctl",
    errno: "EPERM",
    has: "TIOCSCTTY",
    hint: "Only the leader of a session without a terminal (setsid) may take one, and only one that no other session has",
  },
  {
    call: "ioctl",
    errno: "EPERM",
    has: "SIOCS",
    hint: "Changing an interface takes CAP_NET_ADMIN in the user namespace that owns the network namespace",
  },
  { call: "ioctl", errno: "ENODEV", has: "SIOC", hint: "There is no interface of that name in this network namespace" },
  {
    call: "ioctl",
    errno: "ENOENT",
    has: "SECCOMP_IOCTL_NOTIF",
    hint: "The process of that notification was killed, or its call interrupted",
  },
  {
    call: "ioctl",
    errno: "EINPROGRESS",
    has: "SECCOMP_IOCTL_NOTIF_SEND",
    hint: "The notification was answered already",
  },
  { call: "ioctl", errno: "ENOTTY", has: "TIOC", hint: "The descriptor is not of a terminal" },
  // Seccomp, Landlock, bpf, keys
  {
    call: "seccomp",
    errno: "EACCES",
    hint: "A filter takes no_new_privs first, prctl(PR_SET_NO_NEW_PRIVS), or CAP_SYS_ADMIN in the user namespace",
  },
  {
    call: "seccomp",
    errno: "EINVAL",
    has: "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
    hint: `${takes("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")}, together with SECCOMP_FILTER_FLAG_NEW_LISTENER`,
  },
  {
    call: "seccomp",
    errno: "EINVAL",
    has: "SECCOMP_FILTER_FLAG_NEW_LISTENER",
    hint: `${takes("SECCOMP_FILTER_FLAG_NEW_LISTENER")}, and with SECCOMP_FILTER_FLAG_TSYNC also _TSYNC_ESRCH; or the program is not valid`,
  },
  {
    call: "seccomp",
    errno: "EINVAL",
    has: "SECCOMP_SET_MODE_FILTER",
    hint: "The program is not valid: 1 to 4096 instructions, jumps forward and inside, loads of aligned words of seccomp_data, and a return at the end; or a flag is not known",
  },
  { call: "seccomp", errno: "EINVAL", hint: "This kernel does not know the operation, or strict mode is on" },
  {
    call: "seccomp",
    errno: "EFAULT",
    hint: "The program is not at that address: sock_fprog holds a length and a pointer",
  },
  { call: "seccomp", errno: "EBUSY", hint: "The process has a listener already, and may have one" },
  {
    call: "seccomp",
    errno: "ENOMEM",
    hint: "All filters of a thread have at most 32768 instructions, and 4 more each",
  },
  {
    call: "seccomp",
    errno: "ESRCH",
    hint: "Another thread has a filter of its own and cannot be brought in line (SECCOMP_FILTER_FLAG_TSYNC)",
  },
  { call: "seccomp", errno: "EOPNOTSUPP", hint: "This kernel does not know the action" },
  {
    call: landlock,
    errno: "EOPNOTSUPP",
    hint: "Landlock is built in and off: add landlock to lsm= on the kernel's command line",
  },
  {
    call: landlock,
    errno: "ENOSYS",
    hint: `Landlock takes Linux ${since.landlock_create_ruleset} with CONFIG_SECURITY_LANDLOCK. A container's seccomp filter may hide it`,
  },
  {
    call: "landlock_create_ruleset",
    errno: ["EINVAL", "E2BIG"],
    hint: "The ruleset has a right or a field that this kernel does not know: landlockAbi() says which version it has",
  },
  { call: ["landlock_create_ruleset", "landlock_add_rule"], errno: "ENOMSG", hint: "No right is named" },
  {
    call: "landlock_add_rule",
    errno: "EINVAL",
    hint: "The rule has a right that the ruleset does not handle, or one for directories on a file",
  },
  {
    call: "landlock_add_rule",
    errno: "EBADFD",
    hint: "One descriptor has to be of a ruleset, the other of a file or directory on a real file system, opened with O_PATH",
  },
  { call: "landlock_add_rule", errno: "EAFNOSUPPORT", hint: "The kernel has no TCP (CONFIG_INET)" },
  {
    call: "landlock_restrict_self",
    errno: "EPERM",
    hint: "Landlock takes no_new_privs first, prctl(PR_SET_NO_NEW_PRIVS), or CAP_SYS_ADMIN in the user namespace",
  },
  { call: "landlock_restrict_self", errno: "E2BIG", hint: "At most 16 rulesets lie on top of each other" },
  {
    call: "bpf",
    errno: "EPERM",
    hint: "bpf takes CAP_BPF in the first user namespace, for many programs CAP_NET_ADMIN or CAP_PERFMON too (before Linux 5.8 CAP_SYS_ADMIN; kernel.unprivileged_bpf_disabled). Attaching also fails where a group above does not allow several programs",
  },
  {
    call: "bpf",
    errno: "EACCES",
    hint: "The verifier refused the program: log_level, log_buf and log_size get its reasons",
  },
  {
    call: "bpf",
    errno: "E2BIG",
    hint: "The program is too long, or a field is set that this kernel does not know yet",
  },
  {
    call: "perf_event_open",
    errno: ["EACCES", "EPERM"],
    hint: "kernel.perf_event_paranoid forbids it without CAP_PERFMON",
  },
  {
    call: "userfaultfd",
    errno: "EPERM",
    hint: "vm.unprivileged_userfaultfd=0 forbids it without CAP_SYS_PTRACE, but for UFFD_USER_MODE_ONLY",
  },
  {
    call: "io_uring_setup",
    errno: "EPERM",
    hint: "kernel.io_uring_disabled forbids it, or a container's seccomp filter, as Docker's does",
  },
  { call: "syslog", errno: "EPERM", hint: "kernel.dmesg_restrict=1 forbids it without CAP_SYSLOG" },
  {
    call: keys,
    errno: "EPERM",
    hint: "A container's seccomp filter forbids keyrings, as Docker's does, or the key is another user's",
  },
  {
    call: keys,
    errno: "ENOSYS",
    hint: "The kernel was built without keyrings (CONFIG_KEYS), or a seccomp filter hides them",
  },
  { call: keys, errno: "ENOKEY", hint: "There is no such key or keyring: see /proc/keys for those in sight" },
  {
    call: keys,
    errno: "EDQUOT",
    hint: "The user has as many keys as kernel.keys.maxkeys or kernel.keys.maxbytes allows: see /proc/key-users",
  },
  { call: keys, errno: "EACCES", hint: "The key does not grant this to the caller: see its permissions in /proc/keys" },
  {
    call: keys,
    errno: ["EKEYREVOKED", "EKEYEXPIRED", "EKEYREJECTED"],
    hint: "The key is there, and no longer good: add it again",
  },
  // Sockets and memory
  {
    call: "socket",
    errno: "EAFNOSUPPORT",
    hint: "The kernel has no such family, or the service may not use it (systemd: RestrictAddressFamilies=)",
  },
  {
    call: "socket",
    errno: ["EPERM", "EACCES"],
    hint: "Raw and packet sockets take CAP_NET_RAW in the user namespace that owns the network namespace",
  },
  {
    call: "bind",
    errno: "EACCES",
    hint: "Ports below net.ipv4.ip_unprivileged_port_start take CAP_NET_BIND_SERVICE in the user namespace that owns the network namespace",
  },
  { call: "bind", errno: "EADDRINUSE", hint: "Somebody listens there, or a socket file of an earlier run was left" },
  {
    call: "bind",
    errno: "EADDRNOTAVAIL",
    hint: "No interface of this network namespace has that address, or it is not up",
  },
  {
    call: "connect",
    errno: "ENETUNREACH",
    hint: "This network namespace has no route there: a new one has lo only, and that is down",
  },
  {
    call: "mmap",
    errno: "EPERM",
    hint: "The address is below vm.mmap_min_addr, the file is on a mount with noexec, or a seal forbids writing",
  },
  {
    call: ["mmap", "mremap", "mprotect"],
    errno: "ENOMEM",
    hint: "There is no memory, or RLIMIT_AS, RLIMIT_DATA or vm.max_map_count is reached",
  },
  {
    call: ["mmap", "mprotect"],
    errno: "EACCES",
    hint: "The file is not open for that, or a security module allows no memory that is written and executed",
  },
  {
    call: ["mlock", "mlock2", "mlockall"],
    errno: ["ENOMEM", "EPERM", "EAGAIN"],
    hint: "More than RLIMIT_MEMLOCK, without CAP_IPC_LOCK",
  },
  {
    call: "memfd_secret",
    errno: "ENOSYS",
    hint: `${takes("memfd_secret")} with CONFIG_SECRETMEM and, before 6.5, secretmem.enable=1 on the kernel's command line`,
  },
  { call: "shmget", errno: "ENOSPC", hint: "kernel.shmmni or kernel.shmall of this ipc namespace is reached" },
  { call: "shmget", errno: "EINVAL", hint: "The segment is larger than kernel.shmmax, or than the one that is there" },
  { call: "msgget", errno: "ENOSPC", hint: "kernel.msgmni of this ipc namespace is reached" },
  { call: "semget", errno: "ENOSPC", hint: "kernel.sem of this ipc namespace is reached" },
  {
    call: "mq_open",
    errno: ["ENOSPC", "EMFILE"],
    hint: "fs.mqueue.queues_max of this ipc namespace, RLIMIT_MSGQUEUE or RLIMIT_NOFILE is reached",
  },
  {
    call: "mq_open",
    errno: "EINVAL",
    hint: "A name begins with one slash, and sizes end at fs.mqueue.msg_max and fs.mqueue.msgsize_max",
  },
  // Kernels without a call, and filters that act like one.
  ...(Object.keys(callsSince) as (keyof typeof callsSince)[]).map((call): Hint => ({
    call,
    errno: "ENOSYS",
    hint: `${takes(call)}. On a later kernel a seccomp filter hides it, or it was left out when the kernel was built`,
  })),
  // Whatever the call
  { errno: "EMFILE", hint: "The process has as many descriptors as RLIMIT_NOFILE allows" },
  { errno: "ENFILE", hint: "The system has as many files open as fs.file-max allows" },
];

let byCall: ReadonlyMap<string, readonly Hint[]> | undefined;

/** Rows by call, in their order; those for any call under "". */
function indexed(): ReadonlyMap<string, readonly Hint[]> {
  const index = new Map<string, Hint[]>();
  for (const row of hints)
    for (const name of typeof row.call === "object" ? row.call : [row.call ?? ""]) {
      const rows = index.get(name);
      if (rows) rows.push(row);
      else index.set(name, [row]);
    }
  return index;
}

/** Why a call may have failed and what to do about it, one sentence or two without the last full stop; undefined where nothing is known. */
export function hintFor(call: Call, errno: ErrnoName | undefined): string | undefined {
  if (errno === undefined) return undefined;
  byCall ??= indexed();
  return (firstFit(byCall.get(call.name), call, errno) ?? firstFit(byCall.get(""), call, errno))?.hint;
}

/** The first row of a table that fits; the calls of its rows count too. */
export function firstFit<T extends Hint>(rows: readonly T[] = [], call: Call, errno: ErrnoName): T | undefined {
  // Printed for a row that asks, and no sooner: most failures of a busy program are of a kind that nobody has a hint for.
  let text: string | undefined;
  return rows.find(
    (row) =>
      includes(row.errno, errno) &&
      (row.call === undefined || includes(row.call, call.name)) &&
      (row.has === undefined || parts(row.has).some((part) => (text ??= formatCall(call)).includes(part))),
  );
}

const includes = <T extends string>(one: T | readonly T[], value: T): boolean =>
  typeof one === "object" ? one.includes(value) : one === value;
const parts = (has: string | readonly string[]): readonly string[] => (typeof has === "string" ? [has] : has);
