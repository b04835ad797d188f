/** The first kernel with each call and feature: one table for hints, for `supports()` and for what a box needs. Pure. */
import type { SyscallName } from "./numbers.ts";

/** As uname(2) counts: 6.18 is later than 6.2. */
export type KernelVersion = readonly [major: number, minor: number];

/** Calls that some kernel in use lacks: all of the vocabulary since Linux 4.0, and older ones that containers are made of. From the manual pages. */
export const callsSince = {
  // Processes
  prlimit64: "2.6.36",
  kcmp: "3.5",
  sched_setattr: "3.14",
  sched_getattr: "3.14",
  execveat: "3.19",
  pidfd_send_signal: "5.1",
  clone3: "5.3",
  pidfd_open: "5.3",
  pidfd_getfd: "5.6",
  close_range: "5.9",
  process_madvise: "5.10",
  process_mrelease: "5.15",
  // Mounts and paths
  renameat2: "3.15",
  statx: "4.11",
  open_tree: "5.2",
  move_mount: "5.2",
  fsopen: "5.2",
  fsconfig: "5.2",
  fsmount: "5.2",
  fspick: "5.2",
  openat2: "5.6",
  faccessat2: "5.8",
  mount_setattr: "5.12",
  quotactl_fd: "5.14",
  fchmodat2: "6.6",
  statmount: "6.8",
  listmount: "6.8",
  setxattrat: "6.13",
  getxattrat: "6.13",
  listxattrat: "6.13",
  removexattrat: "6.13",
  open_tree_attr: "6.15",
  file_getattr: "6.17",
  file_setattr: "6.17",
  // Namespaces
  name_to_handle_at: "2.6.39",
  open_by_handle_at: "2.6.39",
  setns: "3.0",
  listns: "6.19",
  // Security
  seccomp: "3.17",
  bpf: "3.18",
  userfaultfd: "4.3",
  landlock_create_ruleset: "5.13",
  landlock_add_rule: "5.13",
  landlock_restrict_self: "5.13",
  lsm_get_self_attr: "6.8",
  lsm_set_self_attr: "6.8",
  lsm_list_modules: "6.8",
  mseal: "6.10",
  // Files and memory
  getrandom: "3.17",
  memfd_create: "3.17",
  membarrier: "4.3",
  mlock2: "4.4",
  copy_file_range: "4.5",
  preadv2: "4.6",
  pwritev2: "4.6",
  io_uring_setup: "5.1",
  epoll_pwait2: "5.11",
  memfd_secret: "5.14",
  futex_waitv: "5.16",
  cachestat: "6.5",
} as const satisfies Partial<Record<SyscallName, string>>;

/** Flags, requests and files that came later than the call that takes them, in the kernel's own words. */
export const featuresSince = {
  // Processes
  CLONE_NEWCGROUP: "4.6",
  P_PIDFD: "5.4",
  CLONE_CLEAR_SIGHAND: "5.5",
  "clone_args.set_tid": "5.5",
  CLONE_NEWTIME: "5.6",
  CLONE_INTO_CGROUP: "5.7",
  PIDFD_NONBLOCK: "5.10",
  CLOSE_RANGE_CLOEXEC: "5.11",
  "CLONE_NEWTIME in clone3": "6.3",
  PIDFD_THREAD: "6.9",
  PIDFD_SIGNAL_PROCESS_GROUP: "6.9",
  PIDFD_GET_INFO: "6.13",
  AT_EXECVE_CHECK: "6.14",
  PIDFD_INFO_EXIT: "6.15",
  PIDFD_INFO_COREDUMP: "6.16",
  // Namespaces
  NS_GET_USERNS: "4.9",
  NS_GET_PARENT: "4.9",
  NS_GET_NSTYPE: "4.11",
  NS_GET_OWNER_UID: "4.11",
  "setns of a pidfd": "5.8",
  NS_GET_MNTNS_ID: "6.11",
  NS_GET_PID_FROM_PIDNS: "6.11",
  NS_GET_TGID_FROM_PIDNS: "6.11",
  NS_GET_PID_IN_PIDNS: "6.11",
  NS_GET_TGID_IN_PIDNS: "6.11",
  PIDFD_GET_CGROUP_NAMESPACE: "6.11",
  PIDFD_GET_IPC_NAMESPACE: "6.11",
  PIDFD_GET_MNT_NAMESPACE: "6.11",
  PIDFD_GET_NET_NAMESPACE: "6.11",
  PIDFD_GET_PID_NAMESPACE: "6.11",
  PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE: "6.11",
  PIDFD_GET_TIME_NAMESPACE: "6.11",
  PIDFD_GET_TIME_FOR_CHILDREN_NAMESPACE: "6.11",
  PIDFD_GET_USER_NAMESPACE: "6.11",
  PIDFD_GET_UTS_NAMESPACE: "6.11",
  NS_MNT_GET_INFO: "6.12",
  NS_MNT_GET_NEXT: "6.12",
  NS_MNT_GET_PREV: "6.12",
  "file handles of pidfds": "6.14",
  "file handles of namespaces": "6.18",
  NS_GET_ID: "6.18",
  // Mounts and paths
  STATX_MNT_ID: "5.8",
  MS_NOSYMFOLLOW: "5.10",
  "overlayfs in user namespaces": "5.11",
  MOUNT_ATTR_IDMAP: "5.12",
  RESOLVE_CACHED: "5.12",
  MOUNT_ATTR_NOSYMFOLLOW: "5.14",
  MOVE_MOUNT_SET_GROUP: "5.15",
  MOVE_MOUNT_BENEATH: "6.5",
  AT_HANDLE_FID: "6.5",
  FSCONFIG_CMD_CREATE_EXCL: "6.6",
  "user.* attributes on tmpfs": "6.6",
  "overlay lowerdir+": "6.7",
  STATX_MNT_ID_UNIQUE: "6.8",
  "mnt_id_req.mnt_ns_id": "6.11",
  LISTMOUNT_REVERSE: "6.11",
  AT_HANDLE_MNT_ID_UNIQUE: "6.12",
  "overlay layers by descriptor": "6.13",
  // Cgroups
  "cgroup.kill": "5.14",
  // Security
  PR_CAP_AMBIENT: "4.3",
  SECCOMP_GET_ACTION_AVAIL: "4.14",
  SECCOMP_FILTER_FLAG_LOG: "4.14",
  SECCOMP_RET_KILL_PROCESS: "4.14",
  SECCOMP_FILTER_FLAG_SPEC_ALLOW: "4.17",
  SECCOMP_GET_NOTIF_SIZES: "5.0",
  SECCOMP_RET_USER_NOTIF: "5.0",
  SECCOMP_FILTER_FLAG_NEW_LISTENER: "5.0",
  KEYCTL_CAPABILITIES: "5.3",
  SECCOMP_FILTER_FLAG_TSYNC_ESRCH: "5.7",
  SECCOMP_IOCTL_NOTIF_ADDFD: "5.9",
  SECCOMP_ADDFD_FLAG_SEND: "5.14",
  LANDLOCK_ACCESS_FS_REFER: "5.19",
  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV: "5.19",
  LANDLOCK_ACCESS_FS_TRUNCATE: "6.2",
  PR_SET_MDWE: "6.3",
  SECCOMP_IOCTL_NOTIF_SET_FLAGS: "6.6",
  LANDLOCK_ACCESS_NET: "6.7",
  LANDLOCK_ACCESS_FS_IOCTL_DEV: "6.10",
  LANDLOCK_SCOPE: "6.12",
  LANDLOCK_RESTRICT_SELF_LOG: "6.15",
  LANDLOCK_CREATE_RULESET_ERRATA: "6.15",
  // Files
  MFD_EXEC: "6.3",
  MFD_NOEXEC_SEAL: "6.3",
  F_DUPFD_QUERY: "6.10",
  F_CREATED_QUERY: "6.12",
} as const satisfies Readonly<Record<string, string>>;

/** Version by call and by feature: `since.mount_setattr` is "5.12". */
export const since = { ...callsSince, ...featuresSince } as const;

/** What the table knows: a call, or a flag, request or file by the kernel's name. */
export type Feature = keyof typeof since;

/** `isSince([6, 1], "5.12")`: whether a kernel is as new as that version. Distributions bring features to older kernels; `supports()` asks. */
export function isSince(kernel: KernelVersion, version: string): boolean {
  const [major, minor] = parseVersion(version);
  return kernel[0] > major || (kernel[0] === major && kernel[1] >= minor);
}

/** Major and minor number of a release: `6.1.0-18-cloud-amd64` is [6, 1]; what is not one is [0, 0]. */
export function parseVersion(release: string): KernelVersion {
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return [Number(major), Number(minor)];
}
