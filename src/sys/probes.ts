/** How the kernel is asked for what it knows: every probe is a call that fails, or changes nothing. */
import type { Arg, Call } from "./call.ts";
import type { ErrnoName } from "./errno.ts";
import { SyscallError } from "./error.ts";
import {
  AT,
  AT_FDCWD,
  AT_HANDLE,
  CLONE,
  CLOSE_RANGE,
  F,
  FSCONFIG,
  FSOPEN,
  IOCTL,
  LANDLOCK_CREATE_RULESET,
  LISTMOUNT,
  MFD,
  MOUNT_ATTR,
  MOVE_MOUNT,
  O,
  P,
  PIDFD,
  PIDFD_SIGNAL,
  PR,
  PR_CAP_AMBIENT,
  RESOLVE,
  SECCOMP,
  SECCOMP_FILTER_FLAG,
  SECCOMP_RET,
  SIG,
  STATX,
  W,
} from "./flags.ts";
import { invoke } from "./invoke.ts";
import type { callsSince, Feature } from "./since.ts";

/** How the kernel is asked, and how it says no. */
export interface Probe {
  /** The call, and where it is about an open file, with the descriptors of `on`. */
  readonly ask: Call | ((...fds: readonly number[]) => Call);
  /** Calls that open what is asked about; closed again. Where one fails the version decides. */
  readonly on?: readonly Call[];
  /** Errnos that mean "not there", besides ENOSYS. Any other, and success, mean that it is. */
  readonly absent?: readonly ErrnoName[];
  /** Errnos that say nothing, as EPERM from a call that looks at the caller first: the version decides. */
  readonly vague?: readonly ErrnoName[];
  /** A question before: where it fails in that way the version decides. */
  readonly unless?: { readonly ask: (...fds: readonly number[]) => Call; readonly errno: ErrnoName };
  /** What the call returns at least. */
  readonly atLeast?: number;
  /** A bit that the call sets in the first word of its buffer. */
  readonly sets?: { readonly buffer: Uint8Array; readonly bit: number };
}

const call = (name: Call["name"], ...args: readonly Arg[]): Call => ({ name, args });

/** No descriptor: AT_FDCWD and the numbers that Linux gives a meaning to are other ones. */
const noFd: Arg = -1;
/** A descriptor and a pid that cannot be: fs.nr_open and pid_max end below. */
const never: Arg = 0x7fffffff;

const self = (): Call => call("pidfd_open", process.pid, 0);
const openFile = (path: string): Call => call("openat", AT_FDCWD, path, O.RDONLY | O.CLOEXEC);
const namespace = (kind: string): Call => openFile(`/proc/self/ns/${kind}`);
const exists = (path: string): Probe => ({ ask: call("faccessat", AT_FDCWD, path, 0), absent: ["ENOENT"] });

/** A request to the caller's own namespace, with an argument that it cannot take. */
const ofNamespace = (kind: string, request: number, arg: Arg = null): Probe => ({
  on: [namespace(kind)],
  ask: (fd) => call("ioctl", fd as number, request, arg),
  absent: ["ENOTTY"],
});
/** The argument has to be 0: with another the kernel opens nothing. */
const ofPidfd = (request: number, arg: Arg = 1): Probe => ({
  on: [self()],
  ask: (pidfd) => call("ioctl", pidfd as number, request, arg),
  absent: ["ENOTTY"],
});
const ofFile = (command: number): Probe => ({
  on: [openFile("/")],
  ask: (fd) => call("fcntl", fd as number, command, fd as number),
  absent: ["EINVAL"],
});

/** Flags are looked at first, and then the filter, which is not there: EFAULT, as seccomp(2) advises. */
const filterFlag = (flags: number): Probe => ({
  ask: call("seccomp", SECCOMP.SET_MODE_FILTER, flags, null),
  absent: ["EINVAL"],
});
const filterAction = (action: number): Probe => ({
  ask: call("seccomp", SECCOMP.GET_ACTION_AVAIL, 0, { words: [action] }),
  absent: ["EOPNOTSUPP", "EINVAL"],
});

/** Returns the version of Landlock's interface. */
export const askAbi = call("landlock_create_ruleset", null, 0, LANDLOCK_CREATE_RULESET.VERSION);
const landlock = (abi: number): Probe => ({ ask: askAbi, absent: ["EOPNOTSUPP"], atLeast: abi });

/** Rights come first in these: a caller who has none learns nothing. */
const vague = ["EPERM"] as const;
const moveMount = (flags: number): Probe => ({
  ask: call("move_mount", noFd, "", noFd, "", flags),
  absent: ["EINVAL"],
  vague,
});
// EBADF for the userns_fd of an attribute that is known, EINVAL for one that is not.
const mountAttribute = (attribute: number): Probe => ({
  ask: call(
    "mount_setattr",
    noFd,
    "",
    0,
    { struct: "mount_attr", fields: { attr_set: attribute, userns_fd: never } },
    32,
  ),
  absent: ["EINVAL"],
  vague,
});
const statxBit = (bit: number): Probe => {
  const buffer = new Uint8Array(256);
  return { ask: call("statx", AT_FDCWD, "/", 0, bit, buffer), absent: ["EINVAL"], sets: { buffer, bit } };
};
const handleFlag = (flag: number): Probe => ({
  ask: call("name_to_handle_at", noFd, "", null, null, flag),
  absent: ["EINVAL"],
});
/** With no room for the handle: EOVERFLOW where there is one. */
const handleOf = (file: Call): Probe => ({
  on: [file],
  ask: (fd) => call("name_to_handle_at", fd as number, "", { words: [0, 0] }, { out: 8 }, AT.EMPTY_PATH),
  absent: ["EOPNOTSUPP"],
});

/** The calls: whatever they say but ENOSYS, they are there. */
const calls = {
  prlimit64: { ask: call("prlimit64", 0, -1, null, null) },
  kcmp: { ask: call("kcmp", never, never, 0, 0, 0) },
  sched_setattr: { ask: call("sched_setattr", -1, null, 0) },
  sched_getattr: { ask: call("sched_getattr", -1, null, 0, 0) },
  // Nothing that could be executed by mistake: no descriptor, no path, and flags that are none.
  execveat: { ask: call("execveat", noFd, null, null, null, -1) },
  pidfd_send_signal: { ask: call("pidfd_send_signal", noFd, 0, null, 0) },
  clone3: { ask: call("clone3", null, 0) },
  pidfd_open: { ask: call("pidfd_open", -1, 0) },
  pidfd_getfd: { ask: call("pidfd_getfd", noFd, noFd, 0) },
  close_range: { ask: call("close_range", 1, 0, 0) },
  process_madvise: { ask: call("process_madvise", noFd, null, 0, 0, 0) },
  process_mrelease: { ask: call("process_mrelease", noFd, 0) },
  renameat2: { ask: call("renameat2", noFd, "", noFd, "", -1) },
  statx: { ask: call("statx", noFd, null, 0, 0, null) },
  open_tree: { ask: call("open_tree", noFd, null, -1) },
  move_mount: { ask: call("move_mount", noFd, null, noFd, null, 0) },
  fsopen: { ask: call("fsopen", null, 0) },
  fsconfig: { ask: call("fsconfig", noFd, 0, null, null, 0) },
  fsmount: { ask: call("fsmount", noFd, 0, 0) },
  fspick: { ask: call("fspick", noFd, null, -1) },
  openat2: { ask: call("openat2", noFd, null, null, 0) },
  faccessat2: { ask: call("faccessat2", noFd, null, 0, 0) },
  mount_setattr: { ask: call("mount_setattr", noFd, null, 0, null, 0) },
  quotactl_fd: { ask: call("quotactl_fd", noFd, 0, 0, null) },
  fchmodat2: { ask: call("fchmodat2", noFd, null, 0, 0) },
  statmount: { ask: call("statmount", null, null, 0, 0) },
  listmount: { ask: call("listmount", null, null, 0, 0) },
  setxattrat: { ask: call("setxattrat", noFd, null, 0, null, null, 0) },
  getxattrat: { ask: call("getxattrat", noFd, null, 0, null, null, 0) },
  listxattrat: { ask: call("listxattrat", noFd, null, 0, null, 0) },
  removexattrat: { ask: call("removexattrat", noFd, null, 0, null) },
  open_tree_attr: { ask: call("open_tree_attr", noFd, null, 0, null, 1) },
  file_getattr: { ask: call("file_getattr", noFd, null, null, 0, 0) },
  file_setattr: { ask: call("file_setattr", noFd, null, null, 0, 0) },
  name_to_handle_at: { ask: call("name_to_handle_at", noFd, "", null, null, 0) },
  open_by_handle_at: { ask: call("open_by_handle_at", noFd, null, 0) },
  setns: { ask: call("setns", noFd, 0) },
  listns: { ask: call("listns", null, null, 0, 0) },
  seccomp: { ask: call("seccomp", -1, 0, null) },
  bpf: { ask: call("bpf", -1, null, 0) },
  userfaultfd: { ask: call("userfaultfd", -1) },
  // Built in and not switched on at boot is as good as not there.
  landlock_create_ruleset: { ask: askAbi, absent: ["EOPNOTSUPP"] },
  landlock_add_rule: { ask: call("landlock_add_rule", noFd, 0, null, 0), absent: ["EOPNOTSUPP"] },
  landlock_restrict_self: { ask: call("landlock_restrict_self", noFd, 0), absent: ["EOPNOTSUPP"] },
  lsm_get_self_attr: { ask: call("lsm_get_self_attr", 0, null, null, -1) },
  lsm_set_self_attr: { ask: call("lsm_set_self_attr", 0, null, 0, -1) },
  lsm_list_modules: { ask: call("lsm_list_modules", null, null, -1) },
  mseal: { ask: call("mseal", 0, 0, -1) },
  getrandom: { ask: call("getrandom", null, 0, -1) },
  memfd_create: { ask: call("memfd_create", null, -1) },
  membarrier: { ask: call("membarrier", -1, 0, 0) },
  mlock2: { ask: call("mlock2", 0, 0, -1) },
  copy_file_range: { ask: call("copy_file_range", noFd, null, noFd, null, 0, 0) },
  preadv2: { ask: call("preadv2", noFd, null, 0, 0, 0, 0) },
  pwritev2: { ask: call("pwritev2", noFd, null, 0, 0, 0, 0) },
  io_uring_setup: { ask: call("io_uring_setup", 0, null) },
  epoll_pwait2: { ask: call("epoll_pwait2", noFd, null, 0, null, null, 0) },
  memfd_secret: { ask: call("memfd_secret", -1) },
  futex_waitv: { ask: call("futex_waitv", null, 0, 0, null, 0) },
  cachestat: { ask: call("cachestat", noFd, null, null, 0) },
} as const satisfies Record<keyof typeof callsSince, Probe>;

/** Flags and requests: a flag that is not known fails before what else is wrong with the call. */
const features = {
  CLONE_NEWCGROUP: exists("/proc/self/ns/cgroup"),
  CLONE_NEWTIME: exists("/proc/self/ns/time"),
  // The fields are copied before anything is judged, so that an address in them that is none ends the call. And where something
  // else than Linux looks at the flags first, these exclude each other: there is never a child.
  "clone_args.set_tid": clone3(CLONE.THREAD, {}, 80),
  CLONE_INTO_CGROUP: clone3(CLONE.THREAD + CLONE.INTO_CGROUP, { cgroup: never }, 88),
  P_PIDFD: { ask: call("waitid", P.PIDFD, never, null, W.EXITED | W.NOHANG, null), absent: ["EINVAL"] },
  PIDFD_NONBLOCK: { ask: call("pidfd_open", never, PIDFD.NONBLOCK), absent: ["EINVAL"] },
  PIDFD_THREAD: { ask: call("pidfd_open", never, PIDFD.THREAD), absent: ["EINVAL"] },
  PIDFD_SIGNAL_PROCESS_GROUP: {
    ask: call("pidfd_send_signal", noFd, 0, null, PIDFD_SIGNAL.PROCESS_GROUP),
    absent: ["EINVAL"],
  },
  PIDFD_GET_INFO: ofPidfd(IOCTL.PIDFD_GET_INFO, null),
  // A descriptor of this number cannot be open: the one call that succeeds, on nothing.
  CLOSE_RANGE_CLOEXEC: {
    ask: call("close_range", 0xffffffff, 0xffffffff, CLOSE_RANGE.CLOEXEC),
    absent: ["EINVAL"],
  },
  AT_EXECVE_CHECK: {
    ask: call("execveat", noFd, "none", { strings: ["none"] }, { strings: [] }, AT.EXECVE_CHECK),
    absent: ["EINVAL"],
  },
  // A uts namespace has no parent, and the request nothing to open.
  NS_GET_USERNS: ofNamespace("uts", IOCTL.NS_GET_PARENT),
  NS_GET_PARENT: ofNamespace("uts", IOCTL.NS_GET_PARENT),
  NS_GET_NSTYPE: ofNamespace("uts", IOCTL.NS_GET_NSTYPE),
  NS_GET_OWNER_UID: ofNamespace("uts", IOCTL.NS_GET_OWNER_UID),
  NS_GET_MNTNS_ID: ofNamespace("mnt", IOCTL.NS_GET_MNTNS_ID),
  NS_GET_PID_FROM_PIDNS: ofNamespace("pid", IOCTL.NS_GET_PID_FROM_PIDNS, never),
  NS_GET_TGID_FROM_PIDNS: ofNamespace("pid", IOCTL.NS_GET_TGID_FROM_PIDNS, never),
  NS_GET_PID_IN_PIDNS: ofNamespace("pid", IOCTL.NS_GET_PID_IN_PIDNS, never),
  NS_GET_TGID_IN_PIDNS: ofNamespace("pid", IOCTL.NS_GET_TGID_IN_PIDNS, never),
  NS_MNT_GET_INFO: ofNamespace("mnt", IOCTL.NS_MNT_GET_INFO),
  NS_GET_ID: ofNamespace("mnt", IOCTL.NS_GET_ID),
  PIDFD_GET_CGROUP_NAMESPACE: ofPidfd(IOCTL.PIDFD_GET_CGROUP_NAMESPACE),
  PIDFD_GET_IPC_NAMESPACE: ofPidfd(IOCTL.PIDFD_GET_IPC_NAMESPACE),
  PIDFD_GET_MNT_NAMESPACE: ofPidfd(IOCTL.PIDFD_GET_MNT_NAMESPACE),
  PIDFD_GET_NET_NAMESPACE: ofPidfd(IOCTL.PIDFD_GET_NET_NAMESPACE),
  PIDFD_GET_PID_NAMESPACE: ofPidfd(IOCTL.PIDFD_GET_PID_NAMESPACE),
  PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE: ofPidfd(IOCTL.PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE),
  PIDFD_GET_TIME_NAMESPACE: ofPidfd(IOCTL.PIDFD_GET_TIME_NAMESPACE),
  PIDFD_GET_TIME_FOR_CHILDREN_NAMESPACE: ofPidfd(IOCTL.PIDFD_GET_TIME_FOR_CHILDREN_NAMESPACE),
  PIDFD_GET_USER_NAMESPACE: ofPidfd(IOCTL.PIDFD_GET_USER_NAMESPACE),
  PIDFD_GET_UTS_NAMESPACE: ofPidfd(IOCTL.PIDFD_GET_UTS_NAMESPACE),
  "file handles of pidfds": handleOf(self()),
  "file handles of namespaces": handleOf(namespace("uts")),
  STATX_MNT_ID: statxBit(STATX.MNT_ID),
  STATX_MNT_ID_UNIQUE: statxBit(STATX.MNT_ID_UNIQUE),
  MOUNT_ATTR_IDMAP: mountAttribute(MOUNT_ATTR.IDMAP),
  MOUNT_ATTR_NOSYMFOLLOW: mountAttribute(MOUNT_ATTR.NOSYMFOLLOW),
  RESOLVE_CACHED: {
    ask: call("openat2", noFd, "", { struct: "open_how", fields: { resolve: RESOLVE.CACHED } }, 24),
    absent: ["EINVAL"],
  },
  MOVE_MOUNT_SET_GROUP: moveMount(MOVE_MOUNT.SET_GROUP),
  MOVE_MOUNT_BENEATH: moveMount(MOVE_MOUNT.BENEATH),
  AT_HANDLE_FID: handleFlag(AT_HANDLE.FID),
  AT_HANDLE_MNT_ID_UNIQUE: handleFlag(AT_HANDLE.MNT_ID_UNIQUE),
  FSCONFIG_CMD_CREATE_EXCL: {
    ask: call("fsconfig", never, FSCONFIG.CMD_CREATE_EXCL, null, null, 0),
    absent: ["EOPNOTSUPP"],
  },
  LISTMOUNT_REVERSE: { ask: call("listmount", null, null, 0, LISTMOUNT.REVERSE), absent: ["EINVAL"] },
  // A memfd lies on a tmpfs. The attribute goes with it.
  "user.* attributes on tmpfs": {
    on: [call("memfd_create", "bunshare-supports", MFD.CLOEXEC)],
    ask: (fd) => call("fsetxattr", fd as number, "user.bunshare", "1", 1, 0),
    absent: ["EOPNOTSUPP"],
    vague,
  },
  // Looked at before fsopen, which would load the module.
  "overlay lowerdir+": {
    on: [openFile("/sys/module/overlay"), call("fsopen", "overlay", FSOPEN.CLOEXEC)],
    // Before Linux 6.5 overlayfs takes any string here, and looks at it when it is mounted.
    unless: {
      ask: (_, context) => call("fsconfig", context as number, FSCONFIG.SET_FD, "lowerdir+", null, never),
      errno: "EOPNOTSUPP",
    },
    ask: (_, context) => call("fsconfig", context as number, FSCONFIG.SET_STRING, "lowerdir+", "/", 0),
    absent: ["EINVAL"],
  },
  "overlay layers by descriptor": {
    on: [openFile("/sys/module/overlay"), call("fsopen", "overlay", FSOPEN.CLOEXEC), openFile("/")],
    ask: (_, context, root) => call("fsconfig", context as number, FSCONFIG.SET_FD, "lowerdir+", null, root as number),
    absent: ["EINVAL", "EOPNOTSUPP"],
  },
  PR_CAP_AMBIENT: { ask: call("prctl", PR.CAP_AMBIENT, PR_CAP_AMBIENT.IS_SET, 0, 0, 0), absent: ["EINVAL"] },
  PR_SET_MDWE: { ask: call("prctl", PR.GET_MDWE, 0, 0, 0, 0), absent: ["EINVAL"] },
  SECCOMP_GET_ACTION_AVAIL: filterAction(SECCOMP_RET.ALLOW),
  SECCOMP_GET_NOTIF_SIZES: { ask: call("seccomp", SECCOMP.GET_NOTIF_SIZES, 0, null), absent: ["EINVAL"] },
  SECCOMP_RET_KILL_PROCESS: filterAction(SECCOMP_RET.KILL_PROCESS),
  SECCOMP_RET_USER_NOTIF: filterAction(SECCOMP_RET.USER_NOTIF),
  SECCOMP_FILTER_FLAG_LOG: filterFlag(SECCOMP_FILTER_FLAG.LOG),
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: filterFlag(SECCOMP_FILTER_FLAG.SPEC_ALLOW),
  SECCOMP_FILTER_FLAG_NEW_LISTENER: filterFlag(SECCOMP_FILTER_FLAG.NEW_LISTENER),
  SECCOMP_FILTER_FLAG_TSYNC_ESRCH: filterFlag(SECCOMP_FILTER_FLAG.TSYNC_ESRCH),
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: filterFlag(
    SECCOMP_FILTER_FLAG.NEW_LISTENER | SECCOMP_FILTER_FLAG.WAIT_KILLABLE_RECV,
  ),
  LANDLOCK_ACCESS_FS_REFER: landlock(2),
  LANDLOCK_ACCESS_FS_TRUNCATE: landlock(3),
  LANDLOCK_ACCESS_NET: landlock(4),
  LANDLOCK_ACCESS_FS_IOCTL_DEV: landlock(5),
  LANDLOCK_SCOPE: landlock(6),
  LANDLOCK_RESTRICT_SELF_LOG: landlock(7),
  // The name is not there: EFAULT comes after the flags.
  MFD_EXEC: { ask: call("memfd_create", null, MFD.EXEC), absent: ["EINVAL"] },
  MFD_NOEXEC_SEAL: { ask: call("memfd_create", null, MFD.NOEXEC_SEAL), absent: ["EINVAL"] },
  F_DUPFD_QUERY: ofFile(F.DUPFD_QUERY),
  F_CREATED_QUERY: ofFile(F.CREATED_QUERY),
} as const satisfies Partial<Record<Feature, Probe>>;

/** A struct of that size with fields that older kernels do not know: E2BIG from them, and EFAULT for the address in it. */
function clone3(flags: number, fields: Readonly<Record<string, Arg>>, size: number): Probe {
  const impossible = { flags, exit_signal: SIG.CHLD, set_tid: 1, set_tid_size: 1 };
  return {
    ask: call("clone3", { struct: "clone_args", fields: { ...impossible, ...fields } }, size),
    absent: ["E2BIG", "EINVAL"],
  };
}

/** What the kernel can be asked for without doing it. The rest of {@link Feature} is known by version only. */
export type AskableFeature = keyof typeof calls | keyof typeof features;

/** By feature. */
export const probes: Readonly<Record<AskableFeature, Probe>> = { ...calls, ...features };

/** Whether it is there; undefined: the kernel does not say. */
export function ask({ ask, on = [], absent = [], vague = [], unless, atLeast = 0, sets }: Probe): boolean | undefined {
  const fds: number[] = [];
  try {
    for (const open of on) {
      const fd = attempt(open);
      if (typeof fd !== "number") return undefined;
      fds.push(fd);
    }
    if (unless !== undefined && attempt(unless.ask(...fds)) === unless.errno) return undefined;
    const answer = attempt(typeof ask === "function" ? ask(...fds) : ask);
    if (typeof answer === "number") return answer >= atLeast && (sets === undefined || hasBit(sets));
    return vague.includes(answer) ? undefined : answer !== "ENOSYS" && !absent.includes(answer);
  } finally {
    for (const fd of fds) attempt(call("close", { fd }));
  }
}

const hasBit = ({ buffer, bit }: NonNullable<Probe["sets"]>): boolean =>
  (new DataView(buffer.buffer).getUint32(0, true) & bit) !== 0;

/** What a call returns, or why it does not. */
export function attempt(call: Call): number | ErrnoName {
  try {
    return invoke(call);
  } catch (error) {
    if (error instanceof SyscallError) return error.code as ErrnoName;
    throw error;
  }
}
