/** Structs that syscalls take and return: where each field lies, and how strace(1) prints it. */
import type { FlagSetName } from "./flag-sets.ts";

/** Parts of addresses, of which numbers are in network order: inet_addr("127.0.0.1"). */
export type AddressPart = "path" | "port" | "ipv4" | "ipv6" | "flow" | "groups";

/** How a struct is laid out in memory. */
export interface Struct {
  /** Bytes, the padding at the end included. */
  readonly size: number;
  /** By C member designator, as offsetof(3) takes it: `ru_utime.tv_sec`. Reserved fields are left out. */
  readonly fields: Readonly<Record<string, Field>>;
  /** The call takes the address of one word: `[SECCOMP_RET_LOG]`. */
  readonly isWord?: true;
  /** The member of a union that it is, where strace names it: `{query={...}}`. */
  readonly within?: string;
}

/** One field of a struct. */
export interface Field {
  /** Offset in bytes. */
  readonly at: number;
  /** 1, 2, 4 or 8, little-endian; any number of a text, which is padded with NUL, and of raw bytes. */
  readonly bytes: number;
  /**
   * How it is printed; absent, in decimal. A descriptor that is -100 prints as AT_FDCWD, a pointer 0 as NULL.
   * A limit with all bits set is none: Infinity, printed RLIM64_INFINITY. An errno is negative: -EPERM; a kernel is a version.
   */
  readonly as?:
    | FlagSetName
    | AddressPart
    | "bytes"
    | "list"
    | "octal"
    | "hex"
    | "pointer"
    | "fd"
    | "signal"
    | "limit"
    | "errno"
    | "kernel";
  /** What strace calls it, where it does not by its name in C; with "" what it prints stands alone. */
  readonly named?: string;
  /** A number that can be negative, in two's complement. */
  readonly signed?: true;
  /** All 64 bits are used, as in ids that count up forever: a bigint. */
  readonly wide?: true;
  /** Bytes up to the first NUL are text. */
  readonly text?: true;
  /** Bytes that are no text: a Uint8Array. */
  readonly raw?: true;
}

/**
 * Structs that are laid out alike on x86-64 and aarch64. Two are not: `stat`, for which there is statx, and
 * `epoll_event`, whose `data` follows `events` at once on x86-64, and after 4 bytes on aarch64.
 */
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
  /** setxattrat, getxattrat. setxattr(2), Linux 6.13 */
  xattr_args: {
    size: 16,
    fields: {
      value: { at: 0, bytes: 8, as: "pointer" },
      size: { at: 8, bytes: 4 },
      flags: { at: 12, bytes: 4, as: "XATTR" },
    },
  },
  /** name_to_handle_at, open_by_handle_at: with the most bytes that a handle has, 128. open_by_handle_at(2) */
  file_handle: {
    size: 136,
    fields: {
      handle_bytes: { at: 0, bytes: 4 },
      handle_type: { at: 4, bytes: 4, signed: true },
      f_handle: { at: 8, bytes: 128, as: "bytes", raw: true },
    },
  },
  /** fcntl(F_SETLK), fcntl(F_OFD_SETLK). F_GETLK(2const) */
  flock: {
    size: 32,
    fields: {
      l_type: { at: 0, bytes: 2, as: "F_LOCK", signed: true },
      l_whence: { at: 2, bytes: 2, as: "SEEK", signed: true },
      l_start: { at: 8, bytes: 8, signed: true },
      l_len: { at: 16, bytes: 8, signed: true },
      l_pid: { at: 24, bytes: 4, signed: true },
    },
  },
  /** copy_file_range, sendfile: a file's position, by its address; the call moves it on. copy_file_range(2) */
  loff_t: {
    size: 8,
    isWord: true,
    fields: {
      offset: { at: 0, bytes: 8, signed: true },
    },
  },
  /** ioctl(FS_IOC_SETFLAGS): a file's flags, by their address. FS_IOC_SETFLAGS(2const) */
  fs_flags: {
    size: 4,
    isWord: true,
    fields: {
      flags: { at: 0, bytes: 4, as: "FS" },
    },
  },
  /** read from inotify: the part before the name, which is `len` bytes long. inotify(7) */
  inotify_event: {
    size: 16,
    fields: {
      wd: { at: 0, bytes: 4, signed: true },
      mask: { at: 4, bytes: 4, as: "IN" },
      cookie: { at: 8, bytes: 4, as: "hex" },
      len: { at: 12, bytes: 4 },
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
      sa_mask: { at: 24, bytes: 8, as: "hex", wide: true },
    },
  },
  /** read from a signalfd. signalfd(2) */
  signalfd_siginfo: {
    size: 128,
    fields: {
      ssi_signo: { at: 0, bytes: 4, as: "signal" },
      ssi_errno: { at: 4, bytes: 4, signed: true },
      ssi_code: { at: 8, bytes: 4, signed: true },
      ssi_pid: { at: 12, bytes: 4 },
      ssi_uid: { at: 16, bytes: 4 },
      ssi_fd: { at: 20, bytes: 4, as: "fd", signed: true },
      ssi_tid: { at: 24, bytes: 4 },
      ssi_band: { at: 28, bytes: 4, as: "hex" },
      ssi_overrun: { at: 32, bytes: 4 },
      ssi_trapno: { at: 36, bytes: 4 },
      ssi_status: { at: 40, bytes: 4, signed: true },
      ssi_int: { at: 44, bytes: 4, signed: true },
      ssi_ptr: { at: 48, bytes: 8, as: "hex", wide: true },
      ssi_utime: { at: 56, bytes: 8 },
      ssi_stime: { at: 64, bytes: 8 },
      ssi_addr: { at: 72, bytes: 8, as: "hex", wide: true },
      ssi_addr_lsb: { at: 80, bytes: 2 },
      ssi_syscall: { at: 84, bytes: 4, signed: true },
      ssi_call_addr: { at: 88, bytes: 8, as: "hex", wide: true },
      ssi_arch: { at: 96, bytes: 4, as: "AUDIT_ARCH" },
    },
  },
  /** prlimit64; all bits set is no limit. getrlimit(2) */
  rlimit64: {
    size: 16,
    fields: {
      rlim_cur: { at: 0, bytes: 8, as: "limit" },
      rlim_max: { at: 8, bytes: 8, as: "limit" },
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
  /** sched_setscheduler, sched_setparam. sched_setscheduler(2) */
  sched_param: {
    size: 4,
    fields: {
      sched_priority: { at: 0, bytes: 4, signed: true },
    },
  },
  /** sched_setattr, sched_getattr; times in nanoseconds. sched_setattr(2), Linux 3.14; `sched_util_min` 5.3 */
  sched_attr: {
    size: 56,
    fields: {
      size: { at: 0, bytes: 4 },
      sched_policy: { at: 4, bytes: 4, as: "SCHED" },
      sched_flags: { at: 8, bytes: 8, as: "SCHED_FLAG" },
      sched_nice: { at: 16, bytes: 4, signed: true },
      sched_priority: { at: 20, bytes: 4 },
      sched_runtime: { at: 24, bytes: 8 },
      sched_deadline: { at: 32, bytes: 8 },
      sched_period: { at: 40, bytes: 8 },
      sched_util_min: { at: 48, bytes: 4 },
      sched_util_max: { at: 52, bytes: 4 },
    },
  },
  /** uname. uname(2) */
  utsname: {
    size: 390,
    fields: {
      sysname: { at: 0, bytes: 65, text: true },
      nodename: { at: 65, bytes: 65, text: true },
      release: { at: 130, bytes: 65, text: true },
      version: { at: 195, bytes: 65, text: true },
      machine: { at: 260, bytes: 65, text: true },
      domainname: { at: 325, bytes: 65, text: true },
    },
  },
  /** sysinfo: memory in units of `mem_unit` bytes, loads in 1/65536. sysinfo(2) */
  sysinfo: {
    size: 112,
    fields: {
      uptime: { at: 0, bytes: 8, signed: true },
      "loads[0]": { at: 8, bytes: 8 },
      "loads[1]": { at: 16, bytes: 8 },
      "loads[2]": { at: 24, bytes: 8 },
      totalram: { at: 32, bytes: 8 },
      freeram: { at: 40, bytes: 8 },
      sharedram: { at: 48, bytes: 8 },
      bufferram: { at: 56, bytes: 8 },
      totalswap: { at: 64, bytes: 8 },
      freeswap: { at: 72, bytes: 8 },
      procs: { at: 80, bytes: 2 },
      totalhigh: { at: 88, bytes: 8 },
      freehigh: { at: 96, bytes: 8 },
      mem_unit: { at: 104, bytes: 4 },
    },
  },
  /** poll, ppoll. poll(2) */
  pollfd: {
    size: 8,
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
  /**
   * ioctl(PIDFD_GET_INFO); `mask` says what is filled in. PIDFD_GET_INFO(2const), Linux 6.13; `exit_code` 6.15,
   * `coredump_mask` 6.16, `coredump_signal` 6.19, `supported_mask` 6.19, but at 80 from Linux 7.1 on
   */
  pidfd_info: {
    size: 80,
    fields: {
      mask: { at: 0, bytes: 8, as: "PIDFD_INFO" },
      cgroupid: { at: 8, bytes: 8, wide: true },
      pid: { at: 16, bytes: 4 },
      tgid: { at: 20, bytes: 4 },
      ppid: { at: 24, bytes: 4 },
      ruid: { at: 28, bytes: 4 },
      rgid: { at: 32, bytes: 4 },
      euid: { at: 36, bytes: 4 },
      egid: { at: 40, bytes: 4 },
      suid: { at: 44, bytes: 4 },
      sgid: { at: 48, bytes: 4 },
      fsuid: { at: 52, bytes: 4 },
      fsgid: { at: 56, bytes: 4 },
      exit_code: { at: 60, bytes: 4, signed: true },
      coredump_mask: { at: 64, bytes: 4, as: "PIDFD_COREDUMP" },
      coredump_signal: { at: 68, bytes: 4, as: "signal" },
      supported_mask: { at: 72, bytes: 8, as: "PIDFD_INFO" },
    },
  },
  /** ioctl(NS_MNT_GET_INFO), ioctl(NS_MNT_GET_NEXT). ioctl_nsfs(2), Linux 6.12 */
  mnt_ns_info: {
    size: 16,
    fields: {
      size: { at: 0, bytes: 4 },
      nr_mounts: { at: 4, bytes: 4 },
      mnt_ns_id: { at: 8, bytes: 8, as: "hex", wide: true },
    },
  },
  /** name_to_handle_at of a namespace: `f_handle` of file_handle. open_by_handle_at(2), Linux 6.18 */
  nsfs_file_handle: {
    size: 16,
    fields: {
      ns_id: { at: 0, bytes: 8, as: "hex", wide: true },
      ns_type: { at: 8, bytes: 4, as: "CLONE" },
      ns_inum: { at: 12, bytes: 4 },
    },
  },
  /** listns. listns(2), Linux 6.19 */
  ns_id_req: {
    size: 32,
    fields: {
      size: { at: 0, bytes: 4 },
      ns_id: { at: 8, bytes: 8, as: "hex", wide: true },
      ns_type: { at: 16, bytes: 4, as: "CLONE" },
      user_ns_id: { at: 24, bytes: 8, as: "hex", wide: true },
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
  /** ioctl(TCGETS), ioctl(TCSETS), as the kernel has it, which is not libc's. TCSETS(2const) */
  termios: {
    size: 36,
    fields: {
      c_iflag: { at: 0, bytes: 4, as: "IFLAG" },
      c_oflag: { at: 4, bytes: 4, as: "OFLAG" },
      c_cflag: { at: 8, bytes: 4, as: "CFLAG" },
      c_lflag: { at: 12, bytes: 4, as: "LFLAG" },
      c_line: { at: 16, bytes: 1 },
      c_cc: { at: 17, bytes: 19, raw: true },
    },
  },
  /** ioctl(SIOCSIFFLAGS), ioctl(TUNSETIFF): the form with flags. netdevice(7) */
  ifreq: {
    size: 40,
    fields: {
      ifr_name: { at: 0, bytes: 16, text: true },
      ifr_flags: { at: 16, bytes: 2, as: "IFF" },
    },
  },
  /** ioctl(SIOCGIFINDEX), ioctl(SIOCBRADDIF): ifreq with an index. netdevice(7) */
  ifreq_ifindex: {
    size: 40,
    fields: {
      ifr_name: { at: 0, bytes: 16, text: true },
      ifr_ifindex: { at: 16, bytes: 4, signed: true },
    },
  },
  /** ioctl(SIOCGIFMTU), ioctl(SIOCSIFMTU): ifreq with an MTU in bytes. netdevice(7) */
  ifreq_mtu: {
    size: 40,
    fields: {
      ifr_name: { at: 0, bytes: 16, text: true },
      ifr_mtu: { at: 16, bytes: 4, signed: true },
    },
  },
  /** ioctl(SIOCSIFNAME): ifreq with a name. netdevice(7) */
  ifreq_newname: {
    size: 40,
    fields: {
      ifr_name: { at: 0, bytes: 16, text: true },
      ifr_newname: { at: 16, bytes: 16, text: true },
    },
  },
  /** ioctl(SIOCGIFADDR), ioctl(SIOCSIFADDR): ifreq with an IPv4 address, in network order. netdevice(7) */
  ifreq_addr: {
    size: 40,
    fields: {
      ifr_name: { at: 0, bytes: 16, text: true },
      "ifr_addr.sin_family": { at: 16, bytes: 2, as: "AF", named: "ifr_addr.sa_family" },
      "ifr_addr.sin_port": { at: 18, bytes: 2, as: "port" },
      "ifr_addr.sin_addr": { at: 20, bytes: 4, as: "ipv4" },
    },
  },
  /** ioctl(SIOCGIFNETMASK), ioctl(SIOCSIFNETMASK): ifreq with an IPv4 net mask, in network order. netdevice(7) */
  ifreq_netmask: {
    size: 40,
    fields: {
      ifr_name: { at: 0, bytes: 16, text: true },
      "ifr_netmask.sin_family": { at: 16, bytes: 2, as: "AF", named: "ifr_netmask.sa_family" },
      "ifr_netmask.sin_port": { at: 18, bytes: 2, as: "port" },
      "ifr_netmask.sin_addr": { at: 20, bytes: 4, as: "ipv4" },
    },
  },
  /**
   * ioctl(SIOCGIFHWADDR): ifreq with a hardware address; of `sa_data` six bytes are used, `sa_family` is 1 for
   * Ethernet. netdevice(7)
   */
  ifreq_hwaddr: {
    size: 40,
    fields: {
      ifr_name: { at: 0, bytes: 16, text: true },
      "ifr_hwaddr.sa_family": { at: 16, bytes: 2 },
      "ifr_hwaddr.sa_data": { at: 18, bytes: 14, raw: true },
    },
  },
  /** getsockname, getpeername: room for an address of any family. sockaddr(3type) */
  sockaddr: {
    size: 128,
    fields: {
      sa_family: { at: 0, bytes: 2, as: "AF" },
      sa_data: { at: 2, bytes: 126, raw: true },
    },
  },
  /** bind, connect: a path, or a name in the abstract name space after a NUL. unix(7) */
  sockaddr_un: {
    size: 110,
    fields: {
      sun_family: { at: 0, bytes: 2, as: "AF", named: "sa_family" },
      sun_path: { at: 2, bytes: 108, as: "path", text: true },
    },
  },
  /** bind, connect; port and address in network order. ip(7) */
  sockaddr_in: {
    size: 16,
    fields: {
      sin_family: { at: 0, bytes: 2, as: "AF", named: "sa_family" },
      sin_port: { at: 2, bytes: 2, as: "port" },
      sin_addr: { at: 4, bytes: 4, as: "ipv4" },
    },
  },
  /** bind, connect; port, flow and address in network order. ipv6(7) */
  sockaddr_in6: {
    size: 28,
    fields: {
      sin6_family: { at: 0, bytes: 2, as: "AF", named: "sa_family" },
      sin6_port: { at: 2, bytes: 2, as: "port" },
      sin6_flowinfo: { at: 4, bytes: 4, as: "flow" },
      sin6_addr: { at: 8, bytes: 16, as: "ipv6", named: "", raw: true },
      sin6_scope_id: { at: 24, bytes: 4 },
    },
  },
  /** bind, sendto: the kernel is pid 0. netlink(7) */
  sockaddr_nl: {
    size: 12,
    fields: {
      nl_family: { at: 0, bytes: 2, as: "AF", named: "sa_family" },
      nl_pid: { at: 4, bytes: 4 },
      nl_groups: { at: 8, bytes: 4, as: "groups" },
    },
  },
  /** sendmsg, recvmsg. sendmsg(2) */
  msghdr: {
    size: 56,
    fields: {
      msg_name: { at: 0, bytes: 8, as: "pointer" },
      msg_namelen: { at: 8, bytes: 4 },
      msg_iov: { at: 16, bytes: 8, as: "pointer" },
      msg_iovlen: { at: 24, bytes: 8 },
      msg_control: { at: 32, bytes: 8, as: "pointer" },
      msg_controllen: { at: 40, bytes: 8 },
      msg_flags: { at: 48, bytes: 4, as: "MSG" },
    },
  },
  /** sendmsg, recvmsg: the head of a control message, counted in `cmsg_len`. cmsg(3) */
  cmsghdr: {
    size: 16,
    fields: {
      cmsg_len: { at: 0, bytes: 8 },
      cmsg_level: { at: 8, bytes: 4, as: "SOL", signed: true },
      cmsg_type: { at: 12, bytes: 4, as: "SCM", signed: true },
    },
  },
  /** sendmsg: a control message with one descriptor, SCM_RIGHTS; the next begins where it ends. unix(7), cmsg(3) */
  cmsg_rights: {
    size: 24,
    fields: {
      cmsg_len: { at: 0, bytes: 8 },
      cmsg_level: { at: 8, bytes: 4, as: "SOL", signed: true },
      cmsg_type: { at: 12, bytes: 4, as: "SCM", signed: true },
      cmsg_data: { at: 16, bytes: 4, as: "list", signed: true },
    },
  },
  /** getsockopt(SO_PEERCRED), SCM_CREDENTIALS. unix(7) */
  ucred: {
    size: 12,
    fields: {
      pid: { at: 0, bytes: 4, signed: true },
      uid: { at: 4, bytes: 4 },
      gid: { at: 8, bytes: 4 },
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
  /** What a seccomp filter sees. seccomp(2) */
  seccomp_data: {
    size: 64,
    fields: {
      nr: { at: 0, bytes: 4, signed: true },
      arch: { at: 4, bytes: 4, as: "AUDIT_ARCH" },
      instruction_pointer: { at: 8, bytes: 8, as: "hex", wide: true },
      "args[0]": { at: 16, bytes: 8, as: "hex", wide: true },
      "args[1]": { at: 24, bytes: 8, as: "hex", wide: true },
      "args[2]": { at: 32, bytes: 8, as: "hex", wide: true },
      "args[3]": { at: 40, bytes: 8, as: "hex", wide: true },
      "args[4]": { at: 48, bytes: 8, as: "hex", wide: true },
      "args[5]": { at: 56, bytes: 8, as: "hex", wide: true },
    },
  },
  /** seccomp(SECCOMP_GET_NOTIF_SIZES). seccomp(2), Linux 5.0 */
  seccomp_notif_sizes: {
    size: 6,
    fields: {
      seccomp_notif: { at: 0, bytes: 2 },
      seccomp_notif_resp: { at: 2, bytes: 2 },
      seccomp_data: { at: 4, bytes: 2 },
    },
  },
  /** ioctl(SECCOMP_IOCTL_NOTIF_RECV). seccomp_unotify(2), Linux 5.0 */
  seccomp_notif: {
    size: 80,
    fields: {
      id: { at: 0, bytes: 8, as: "hex", wide: true },
      pid: { at: 8, bytes: 4 },
      flags: { at: 12, bytes: 4, as: "hex" },
      "data.nr": { at: 16, bytes: 4, signed: true },
      "data.arch": { at: 20, bytes: 4, as: "AUDIT_ARCH" },
      "data.instruction_pointer": { at: 24, bytes: 8, as: "hex", wide: true },
      "data.args[0]": { at: 32, bytes: 8, as: "hex", wide: true },
      "data.args[1]": { at: 40, bytes: 8, as: "hex", wide: true },
      "data.args[2]": { at: 48, bytes: 8, as: "hex", wide: true },
      "data.args[3]": { at: 56, bytes: 8, as: "hex", wide: true },
      "data.args[4]": { at: 64, bytes: 8, as: "hex", wide: true },
      "data.args[5]": { at: 72, bytes: 8, as: "hex", wide: true },
    },
  },
  /** ioctl(SECCOMP_IOCTL_NOTIF_SEND); `error` is negative. seccomp_unotify(2), Linux 5.0 */
  seccomp_notif_resp: {
    size: 24,
    fields: {
      id: { at: 0, bytes: 8, as: "hex", wide: true },
      val: { at: 8, bytes: 8, signed: true },
      error: { at: 16, bytes: 4, as: "errno", signed: true },
      flags: { at: 20, bytes: 4, as: "SECCOMP_USER_NOTIF_FLAG" },
    },
  },
  /** ioctl(SECCOMP_IOCTL_NOTIF_ID_VALID): an id, by its address. seccomp_unotify(2), Linux 5.0 */
  seccomp_notif_id: {
    size: 8,
    isWord: true,
    fields: {
      id: { at: 0, bytes: 8, as: "hex", wide: true },
    },
  },
  /** seccomp(SECCOMP_GET_ACTION_AVAIL): an action, by its address. seccomp(2), Linux 4.14 */
  seccomp_action: {
    size: 4,
    isWord: true,
    fields: {
      action: { at: 0, bytes: 4, as: "SECCOMP_RET" },
    },
  },
  /** ioctl(SECCOMP_IOCTL_NOTIF_ADDFD). seccomp_unotify(2), Linux 5.9 */
  seccomp_notif_addfd: {
    size: 24,
    fields: {
      id: { at: 0, bytes: 8, as: "hex", wide: true },
      flags: { at: 8, bytes: 4, as: "SECCOMP_ADDFD_FLAG" },
      srcfd: { at: 12, bytes: 4, as: "fd" },
      newfd: { at: 16, bytes: 4, as: "fd" },
      newfd_flags: { at: 20, bytes: 4, as: "O" },
    },
  },
  /** One instruction of a BPF program; in `regs` the destination's register is the lower half, the source's the upper. bpf(2) */
  bpf_insn: {
    size: 8,
    fields: {
      code: { at: 0, bytes: 1, as: "hex" },
      regs: { at: 1, bytes: 1, as: "hex" },
      off: { at: 2, bytes: 2, signed: true },
      imm: { at: 4, bytes: 4, signed: true },
    },
  },
  /**
   * bpf(BPF_PROG_LOAD): bpf_attr. bpf(2), Linux 3.18; `log_true_size` 6.4, `prog_token_fd` 6.9, `fd_array_cnt` 6.14,
   * `signature` 6.18
   */
  bpf_prog_load_attr: {
    size: 168,
    fields: {
      prog_type: { at: 0, bytes: 4, as: "BPF_PROG_TYPE" },
      insn_cnt: { at: 4, bytes: 4 },
      insns: { at: 8, bytes: 8, as: "pointer" },
      license: { at: 16, bytes: 8, as: "pointer" },
      log_level: { at: 24, bytes: 4 },
      log_size: { at: 28, bytes: 4 },
      log_buf: { at: 32, bytes: 8, as: "pointer" },
      kern_version: { at: 40, bytes: 4, as: "kernel" },
      prog_flags: { at: 44, bytes: 4, as: "hex" },
      prog_name: { at: 48, bytes: 16, text: true },
      prog_ifindex: { at: 64, bytes: 4 },
      expected_attach_type: { at: 68, bytes: 4, as: "BPF_ATTACH_TYPE" },
      prog_btf_fd: { at: 72, bytes: 4, as: "fd" },
      func_info_rec_size: { at: 76, bytes: 4 },
      func_info: { at: 80, bytes: 8, as: "pointer" },
      func_info_cnt: { at: 88, bytes: 4 },
      line_info_rec_size: { at: 92, bytes: 4 },
      line_info: { at: 96, bytes: 8, as: "pointer" },
      line_info_cnt: { at: 104, bytes: 4 },
      attach_btf_id: { at: 108, bytes: 4 },
      attach_prog_fd: { at: 112, bytes: 4, as: "fd" },
      core_relo_cnt: { at: 116, bytes: 4 },
      fd_array: { at: 120, bytes: 8, as: "pointer" },
      core_relos: { at: 128, bytes: 8, as: "pointer" },
      core_relo_rec_size: { at: 136, bytes: 4 },
      log_true_size: { at: 140, bytes: 4 },
      prog_token_fd: { at: 144, bytes: 4, as: "fd", signed: true },
      fd_array_cnt: { at: 148, bytes: 4 },
      signature: { at: 152, bytes: 8, as: "pointer" },
      signature_size: { at: 160, bytes: 4 },
      keyring_id: { at: 164, bytes: 4, as: "KEY_SPEC", signed: true },
    },
  },
  /** bpf(BPF_PROG_ATTACH), bpf(BPF_PROG_DETACH): bpf_attr. bpf(2), Linux 4.10; `relative_fd` 6.6 */
  bpf_prog_attach_attr: {
    size: 32,
    fields: {
      target_fd: { at: 0, bytes: 4, as: "fd" },
      attach_bpf_fd: { at: 4, bytes: 4, as: "fd" },
      attach_type: { at: 8, bytes: 4, as: "BPF_ATTACH_TYPE" },
      attach_flags: { at: 12, bytes: 4, as: "BPF_F" },
      replace_bpf_fd: { at: 16, bytes: 4, as: "fd" },
      relative_fd: { at: 20, bytes: 4, as: "fd" },
      expected_revision: { at: 24, bytes: 8, wide: true },
    },
  },
  /** bpf(BPF_PROG_QUERY): `query` of bpf_attr. bpf(2), Linux 4.15; `prog_attach_flags` 6.1, `link_ids` 6.6 */
  bpf_prog_query_attr: {
    size: 64,
    within: "query",
    fields: {
      target_fd: { at: 0, bytes: 4, as: "fd" },
      attach_type: { at: 4, bytes: 4, as: "BPF_ATTACH_TYPE" },
      query_flags: { at: 8, bytes: 4, as: "BPF_F_QUERY" },
      attach_flags: { at: 12, bytes: 4, as: "BPF_F" },
      prog_ids: { at: 16, bytes: 8, as: "pointer" },
      prog_cnt: { at: 24, bytes: 4 },
      prog_attach_flags: { at: 32, bytes: 8, as: "pointer" },
      link_ids: { at: 40, bytes: 8, as: "pointer" },
      link_attach_flags: { at: 48, bytes: 8, as: "pointer" },
      revision: { at: 56, bytes: 8, wide: true },
    },
  },
  /** bpf(BPF_LINK_CREATE): the part of `link_create` of bpf_attr that all links have. bpf(2), Linux 5.7 */
  bpf_link_create_attr: {
    size: 16,
    within: "link_create",
    fields: {
      prog_fd: { at: 0, bytes: 4, as: "fd" },
      target_fd: { at: 4, bytes: 4, as: "fd" },
      attach_type: { at: 8, bytes: 4, as: "BPF_ATTACH_TYPE" },
      flags: { at: 12, bytes: 4, as: "BPF_F" },
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
  /**
   * statx. statx(2), Linux 4.11; `stx_mnt_id` 5.8, `stx_dio_mem_align` 6.1, `stx_subvol` 6.10,
   * `stx_atomic_write_unit_min` 6.11, `stx_dio_read_offset_align` 6.14, `stx_atomic_write_unit_max_opt` 6.16
   */
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
      stx_ino: { at: 32, bytes: 8, wide: true },
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
      stx_mnt_id: { at: 144, bytes: 8, wide: true },
      stx_dio_mem_align: { at: 152, bytes: 4 },
      stx_dio_offset_align: { at: 156, bytes: 4 },
      stx_subvol: { at: 160, bytes: 8, wide: true },
      stx_atomic_write_unit_min: { at: 168, bytes: 4 },
      stx_atomic_write_unit_max: { at: 172, bytes: 4 },
      stx_atomic_write_segments_max: { at: 176, bytes: 4 },
      stx_dio_read_offset_align: { at: 180, bytes: 4 },
      stx_atomic_write_unit_max_opt: { at: 184, bytes: 4 },
    },
  },
  /** capget, capset; the version is 0x20080522. capget(2) */
  cap_user_header: {
    size: 8,
    fields: {
      version: { at: 0, bytes: 4, as: "LINUX_CAPABILITY_VERSION" },
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
  /** landlock_add_rule(LANDLOCK_RULE_NET_PORT). landlock_add_rule(2), Linux 6.7 */
  landlock_net_port_attr: {
    size: 16,
    fields: {
      allowed_access: { at: 0, bytes: 8, as: "LANDLOCK_ACCESS_NET" },
      port: { at: 8, bytes: 8 },
    },
  },
  /** statmount, listmount. statmount(2), Linux 6.8; `mnt_ns_id` 6.11, `mnt_ns_fd` 6.18 */
  mnt_id_req: {
    size: 32,
    fields: {
      size: { at: 0, bytes: 4 },
      mnt_ns_fd: { at: 4, bytes: 4, as: "fd" },
      mnt_id: { at: 8, bytes: 8, as: "hex", wide: true },
      param: { at: 16, bytes: 8, as: "hex", wide: true },
      mnt_ns_id: { at: 24, bytes: 8, as: "hex", wide: true },
    },
  },
  /**
   * statmount: the part before the strings, whose offsets it holds. statmount(2), Linux 6.8; `mnt_opts` and `mnt_ns_id`
   * 6.11, `fs_subtype` to `opt_sec_array` 6.13, `supported_mask` and what follows 6.15
   */
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
      mnt_id: { at: 40, bytes: 8, as: "hex", wide: true },
      mnt_parent_id: { at: 48, bytes: 8, as: "hex", wide: true },
      mnt_id_old: { at: 56, bytes: 4 },
      mnt_parent_id_old: { at: 60, bytes: 4 },
      mnt_attr: { at: 64, bytes: 8, as: "MOUNT_ATTR" },
      mnt_propagation: { at: 72, bytes: 8, as: "MS" },
      mnt_peer_group: { at: 80, bytes: 8 },
      mnt_master: { at: 88, bytes: 8 },
      propagate_from: { at: 96, bytes: 8 },
      mnt_root: { at: 104, bytes: 4 },
      mnt_point: { at: 108, bytes: 4 },
      mnt_ns_id: { at: 112, bytes: 8, as: "hex", wide: true },
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

/** A struct by its name in C, without `struct`. */
export type StructName = keyof typeof structs;
