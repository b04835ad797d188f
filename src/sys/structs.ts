/** Structs that syscalls take and return: where each field lies, and how strace(1) prints it. */
import type { FlagSetName } from "./flags.ts";

export interface Struct {
  /** Bytes, the padding at the end included. */
  readonly size: number;
  /** By C member designator, as offsetof(3) takes it: `ru_utime.tv_sec`. Reserved fields are left out. */
  readonly fields: Readonly<Record<string, Field>>;
  /** The call takes an array of them, of which this is the only one. */
  readonly isArray?: true;
}

export interface Field {
  /** Offset in bytes. */
  readonly at: number;
  /** 1, 2, 4 or 8, little-endian; of a text any number, padded with NUL. */
  readonly bytes: number;
  /** How it is printed; absent, in decimal. A descriptor that is -100 prints as AT_FDCWD, a pointer 0 as NULL. */
  readonly as?: FlagSetName | "octal" | "hex" | "pointer" | "fd" | "signal";
  /** A number that can be negative, in two's complement. */
  readonly signed?: true;
  readonly text?: true;
}

/** Structs that are laid out alike on x86-64 and aarch64, which `stat` is not: use statx. */
export const structs = {
  /** clone3. clone(2), Linux 5.3; `cgroup` 5.7 */
  clone_args: {
    size: 88,
    fields: {
      flags: { at: 0, bytes: 8, as: "CLONE" },
      pidfd: { at: 8, bytes: 8, as: "pointer" },
      child_tid: { at: 16, bytes: 8, as: "pointer" },
      parent_tid: { at: 24, bytes: 8, as: "pointer" },
      exit_signal: { at: 32, bytes: 8, as: "signal" },
      stack: { at: 40, bytes: 8, as: "pointer" },
      stack_size: { at: 48, bytes: 8, as: "hex" },
      tls: { at: 56, bytes: 8, as: "pointer" },
      set_tid: { at: 64, bytes: 8, as: "pointer" },
      set_tid_size: { at: 72, bytes: 8 },
      cgroup: { at: 80, bytes: 8, as: "fd" },
    },
  },
  /** mount_setattr, open_tree_attr. mount_setattr(2), Linux 5.12 */
  mount_attr: {
    size: 32,
    fields: {
      attr_set: { at: 0, bytes: 8, as: "MOUNT_ATTR" },
      attr_clr: { at: 8, bytes: 8, as: "MOUNT_ATTR" },
      propagation: { at: 16, bytes: 8, as: "MS" },
      userns_fd: { at: 24, bytes: 8, as: "fd" },
    },
  },
  /** openat2. open_how(2type), Linux 5.6 */
  open_how: {
    size: 24,
    fields: {
      flags: { at: 0, bytes: 8, as: "O" },
      mode: { at: 8, bytes: 8, as: "octal" },
      resolve: { at: 16, bytes: 8, as: "RESOLVE" },
    },
  },
  /** ppoll, clock_nanosleep, ...: seconds and nanoseconds. timespec(3type) */
  timespec: {
    size: 16,
    fields: {
      tv_sec: { at: 0, bytes: 8, signed: true },
      tv_nsec: { at: 8, bytes: 8, signed: true },
    },
  },
  /** Seconds and microseconds. timeval(3type) */
  timeval: {
    size: 16,
    fields: {
      tv_sec: { at: 0, bytes: 8, signed: true },
      tv_usec: { at: 8, bytes: 8, signed: true },
    },
  },
  /** timer_settime, timerfd_settime. itimerspec(3type) */
  itimerspec: {
    size: 32,
    fields: {
      "it_interval.tv_sec": { at: 0, bytes: 8, signed: true },
      "it_interval.tv_nsec": { at: 8, bytes: 8, signed: true },
      "it_value.tv_sec": { at: 16, bytes: 8, signed: true },
      "it_value.tv_nsec": { at: 24, bytes: 8, signed: true },
    },
  },
  /** timer_create. sigevent(3type) */
  sigevent: {
    size: 64,
    fields: {
      sigev_value: { at: 0, bytes: 8, as: "hex" },
      sigev_signo: { at: 8, bytes: 4, as: "signal" },
      sigev_notify: { at: 12, bytes: 4, as: "SIGEV" },
      sigev_notify_thread_id: { at: 16, bytes: 4, signed: true },
    },
  },
  /** rt_sigaction, as the kernel has it, which is not libc's. sigaction(2) */
  sigaction: {
    size: 32,
    fields: {
      sa_handler: { at: 0, bytes: 8, as: "pointer" },
      sa_flags: { at: 8, bytes: 8, as: "SA" },
      sa_restorer: { at: 16, bytes: 8, as: "pointer" },
      sa_mask: { at: 24, bytes: 8, as: "hex" },
    },
  },
  /** prlimit64; all bits set is no limit. getrlimit(2) */
  rlimit64: {
    size: 16,
    fields: {
      rlim_cur: { at: 0, bytes: 8 },
      rlim_max: { at: 8, bytes: 8 },
    },
  },
  /** wait4, waitid, getrusage; `ru_maxrss` in KiB. getrusage(2) */
  rusage: {
    size: 144,
    fields: {
      "ru_utime.tv_sec": { at: 0, bytes: 8, signed: true },
      "ru_utime.tv_usec": { at: 8, bytes: 8, signed: true },
      "ru_stime.tv_sec": { at: 16, bytes: 8, signed: true },
      "ru_stime.tv_usec": { at: 24, bytes: 8, signed: true },
      ru_maxrss: { at: 32, bytes: 8, signed: true },
      ru_ixrss: { at: 40, bytes: 8, signed: true },
      ru_idrss: { at: 48, bytes: 8, signed: true },
      ru_isrss: { at: 56, bytes: 8, signed: true },
      ru_minflt: { at: 64, bytes: 8, signed: true },
      ru_majflt: { at: 72, bytes: 8, signed: true },
      ru_nswap: { at: 80, bytes: 8, signed: true },
      ru_inblock: { at: 88, bytes: 8, signed: true },
      ru_oublock: { at: 96, bytes: 8, signed: true },
      ru_msgsnd: { at: 104, bytes: 8, signed: true },
      ru_msgrcv: { at: 112, bytes: 8, signed: true },
      ru_nsignals: { at: 120, bytes: 8, signed: true },
      ru_nvcsw: { at: 128, bytes: 8, signed: true },
      ru_nivcsw: { at: 136, bytes: 8, signed: true },
    },
  },
  /** poll, ppoll. poll(2) */
  pollfd: {
    size: 8,
    isArray: true,
    fields: {
      fd: { at: 0, bytes: 4, as: "fd", signed: true },
      events: { at: 4, bytes: 2, as: "POLL" },
      revents: { at: 6, bytes: 2, as: "POLL" },
    },
  },
  /** readv, writev, process_vm_readv. iovec(3type) */
  iovec: {
    size: 16,
    fields: {
      iov_base: { at: 0, bytes: 8, as: "pointer" },
      iov_len: { at: 8, bytes: 8 },
    },
  },
  /** waitid, signalfd's kin: what SIGCHLD says. sigaction(2) */
  siginfo: {
    size: 128,
    fields: {
      si_signo: { at: 0, bytes: 4, as: "signal" },
      si_errno: { at: 4, bytes: 4, signed: true },
      si_code: { at: 8, bytes: 4, as: "CLD", signed: true },
      si_pid: { at: 16, bytes: 4, signed: true },
      si_uid: { at: 20, bytes: 4 },
      si_status: { at: 24, bytes: 4, signed: true },
    },
  },
  /** ioctl(TIOCGWINSZ), ioctl(TIOCSWINSZ). TIOCSWINSZ(2const) */
  winsize: {
    size: 8,
    fields: {
      ws_row: { at: 0, bytes: 2 },
      ws_col: { at: 2, bytes: 2 },
      ws_xpixel: { at: 4, bytes: 2 },
      ws_ypixel: { at: 6, bytes: 2 },
    },
  },
  /** ioctl(SIOCSIFFLAGS) and its kin, in the form with flags. netdevice(7) */
  ifreq: {
    size: 40,
    fields: {
      ifr_name: { at: 0, bytes: 16, text: true },
      ifr_flags: { at: 16, bytes: 2, as: "IFF" },
    },
  },
  /** bind, connect. unix(7) */
  sockaddr_un: {
    size: 110,
    fields: {
      sun_family: { at: 0, bytes: 2, as: "AF" },
      sun_path: { at: 2, bytes: 108, text: true },
    },
  },
  /** One instruction of a seccomp filter. seccomp(2) */
  sock_filter: {
    size: 8,
    fields: {
      code: { at: 0, bytes: 2, as: "hex" },
      jt: { at: 2, bytes: 1 },
      jf: { at: 3, bytes: 1 },
      k: { at: 4, bytes: 4, as: "hex" },
    },
  },
  /** seccomp(SECCOMP_SET_MODE_FILTER). seccomp(2) */
  sock_fprog: {
    size: 16,
    fields: {
      len: { at: 0, bytes: 2 },
      filter: { at: 8, bytes: 8, as: "pointer" },
    },
  },
  /** statfs, fstatfs. statfs(2) */
  statfs: {
    size: 120,
    fields: {
      f_type: { at: 0, bytes: 8, as: "MAGIC" },
      f_bsize: { at: 8, bytes: 8, signed: true },
      f_blocks: { at: 16, bytes: 8 },
      f_bfree: { at: 24, bytes: 8 },
      f_bavail: { at: 32, bytes: 8 },
      f_files: { at: 40, bytes: 8 },
      f_ffree: { at: 48, bytes: 8 },
      "f_fsid.val[0]": { at: 56, bytes: 4, as: "hex" },
      "f_fsid.val[1]": { at: 60, bytes: 4, as: "hex" },
      f_namelen: { at: 64, bytes: 8, signed: true },
      f_frsize: { at: 72, bytes: 8, signed: true },
      f_flags: { at: 80, bytes: 8, as: "ST" },
    },
  },
  /** statx. statx(2), Linux 4.11; `stx_mnt_id` 5.8 */
  statx: {
    size: 256,
    fields: {
      stx_mask: { at: 0, bytes: 4, as: "STATX" },
      stx_blksize: { at: 4, bytes: 4 },
      stx_attributes: { at: 8, bytes: 8, as: "STATX_ATTR" },
      stx_nlink: { at: 16, bytes: 4 },
      stx_uid: { at: 20, bytes: 4 },
      stx_gid: { at: 24, bytes: 4 },
      stx_mode: { at: 28, bytes: 2, as: "octal" },
      stx_ino: { at: 32, bytes: 8 },
      stx_size: { at: 40, bytes: 8 },
      stx_blocks: { at: 48, bytes: 8 },
      stx_attributes_mask: { at: 56, bytes: 8, as: "STATX_ATTR" },
      "stx_atime.tv_sec": { at: 64, bytes: 8, signed: true },
      "stx_atime.tv_nsec": { at: 72, bytes: 4 },
      "stx_btime.tv_sec": { at: 80, bytes: 8, signed: true },
      "stx_btime.tv_nsec": { at: 88, bytes: 4 },
      "stx_ctime.tv_sec": { at: 96, bytes: 8, signed: true },
      "stx_ctime.tv_nsec": { at: 104, bytes: 4 },
      "stx_mtime.tv_sec": { at: 112, bytes: 8, signed: true },
      "stx_mtime.tv_nsec": { at: 120, bytes: 4 },
      stx_rdev_major: { at: 128, bytes: 4 },
      stx_rdev_minor: { at: 132, bytes: 4 },
      stx_dev_major: { at: 136, bytes: 4 },
      stx_dev_minor: { at: 140, bytes: 4 },
      stx_mnt_id: { at: 144, bytes: 8 },
      stx_dio_mem_align: { at: 152, bytes: 4 },
      stx_dio_offset_align: { at: 156, bytes: 4 },
    },
  },
  /** capget, capset; the version is 0x20080522. capget(2) */
  cap_user_header: {
    size: 8,
    fields: {
      version: { at: 0, bytes: 4, as: "hex" },
      pid: { at: 4, bytes: 4, signed: true },
    },
  },
  /** capget, capset: capabilities 0 to 31, then 32 to 63. capget(2) */
  cap_user_data: {
    size: 24,
    fields: {
      "data[0].effective": { at: 0, bytes: 4, as: "hex" },
      "data[0].permitted": { at: 4, bytes: 4, as: "hex" },
      "data[0].inheritable": { at: 8, bytes: 4, as: "hex" },
      "data[1].effective": { at: 12, bytes: 4, as: "hex" },
      "data[1].permitted": { at: 16, bytes: 4, as: "hex" },
      "data[1].inheritable": { at: 20, bytes: 4, as: "hex" },
    },
  },
  /** landlock_create_ruleset. landlock_create_ruleset(2), Linux 5.13; `handled_access_net` 6.7, `scoped` 6.12 */
  landlock_ruleset_attr: {
    size: 24,
    fields: {
      handled_access_fs: { at: 0, bytes: 8, as: "LANDLOCK_ACCESS_FS" },
      handled_access_net: { at: 8, bytes: 8, as: "LANDLOCK_ACCESS_NET" },
      scoped: { at: 16, bytes: 8, as: "LANDLOCK_SCOPE" },
    },
  },
  /** landlock_add_rule(LANDLOCK_RULE_PATH_BENEATH); packed. landlock_add_rule(2) */
  landlock_path_beneath_attr: {
    size: 12,
    fields: {
      allowed_access: { at: 0, bytes: 8, as: "LANDLOCK_ACCESS_FS" },
      parent_fd: { at: 8, bytes: 4, as: "fd", signed: true },
    },
  },
  /** statmount, listmount. statmount(2), Linux 6.8; `mnt_ns_id` 6.11 */
  mnt_id_req: {
    size: 32,
    fields: {
      size: { at: 0, bytes: 4 },
      mnt_ns_fd: { at: 4, bytes: 4, as: "fd" },
      mnt_id: { at: 8, bytes: 8, as: "hex" },
      param: { at: 16, bytes: 8, as: "hex" },
      mnt_ns_id: { at: 24, bytes: 8, as: "hex" },
    },
  },
  /** statmount: the part before the strings, whose offsets it holds. statmount(2), Linux 6.8 */
  statmount: {
    size: 512,
    fields: {
      size: { at: 0, bytes: 4 },
      mnt_opts: { at: 4, bytes: 4 },
      mask: { at: 8, bytes: 8, as: "STATMOUNT" },
      sb_dev_major: { at: 16, bytes: 4 },
      sb_dev_minor: { at: 20, bytes: 4 },
      sb_magic: { at: 24, bytes: 8, as: "MAGIC" },
      sb_flags: { at: 32, bytes: 4, as: "MS" },
      fs_type: { at: 36, bytes: 4 },
      mnt_id: { at: 40, bytes: 8, as: "hex" },
      mnt_parent_id: { at: 48, bytes: 8, as: "hex" },
      mnt_id_old: { at: 56, bytes: 4 },
      mnt_parent_id_old: { at: 60, bytes: 4 },
      mnt_attr: { at: 64, bytes: 8, as: "MOUNT_ATTR" },
      mnt_propagation: { at: 72, bytes: 8, as: "MS" },
      mnt_peer_group: { at: 80, bytes: 8 },
      mnt_master: { at: 88, bytes: 8 },
      propagate_from: { at: 96, bytes: 8 },
      mnt_root: { at: 104, bytes: 4 },
      mnt_point: { at: 108, bytes: 4 },
      mnt_ns_id: { at: 112, bytes: 8, as: "hex" },
      fs_subtype: { at: 120, bytes: 4 },
      sb_source: { at: 124, bytes: 4 },
      opt_num: { at: 128, bytes: 4 },
      opt_array: { at: 132, bytes: 4 },
      opt_sec_num: { at: 136, bytes: 4 },
      opt_sec_array: { at: 140, bytes: 4 },
      supported_mask: { at: 144, bytes: 8, as: "STATMOUNT" },
      mnt_uidmap_num: { at: 152, bytes: 4 },
      mnt_uidmap: { at: 156, bytes: 4 },
      mnt_gidmap_num: { at: 160, bytes: 4 },
      mnt_gidmap: { at: 164, bytes: 4 },
    },
  },
} as const satisfies Readonly<Record<string, Struct>>;

export type StructName = keyof typeof structs;
