#!/usr/bin/env bun
/**
 * Writes src/sys/{errno,numbers,flags}.ts from the kernel's headers; `--check` compares instead.
 *
 * A table below names what is wanted, gcc says what it is worth, on x86-64 and on aarch64 (`gcc-aarch64-linux-gnu`,
 * which brings the headers of `linux-libc-dev-arm64-cross`). Ends with 1 when `--check` finds a difference, and with 2
 * when this machine lacks a compiler or has the headers of another kernel.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dir, "..");

/** The headers that the committed files are made from: Debian 12's. */
const series = "6.1";

const compilers = { x64: "x86_64-linux-gnu-gcc", arm64: "aarch64-linux-gnu-gcc" } as const;
type Arch = keyof typeof compilers;

/** What is newer than the headers: the name in C, its value in C, and the kernel that brought it. */
const newer: Record<string, string> = {
  __NR_cachestat: "451", // 6.5
  __NR_fchmodat2: "452", // 6.6
  __NR_map_shadow_stack: "453", // 6.6
  __NR_futex_wake: "454", // 6.7
  __NR_futex_wait: "455", // 6.7
  __NR_futex_requeue: "456", // 6.7
  __NR_statmount: "457", // 6.8
  __NR_listmount: "458", // 6.8
  __NR_lsm_get_self_attr: "459", // 6.8
  __NR_lsm_set_self_attr: "460", // 6.8
  __NR_lsm_list_modules: "461", // 6.8
  __NR_mseal: "462", // 6.10
  __NR_setxattrat: "463", // 6.13
  __NR_getxattrat: "464", // 6.13
  __NR_listxattrat: "465", // 6.13
  __NR_removexattrat: "466", // 6.13
  __NR_open_tree_attr: "467", // 6.15
  __NR_file_getattr: "468", // 6.17
  __NR_file_setattr: "469", // 6.17
  __NR_listns: "470", // 6.19
  MOVE_MOUNT_BENEATH: "0x200", // 6.5
  FSCONFIG_CMD_CREATE_EXCL: "8", // 6.6
  STATMOUNT_SB_BASIC: "0x1", // 6.8, as the next five
  STATMOUNT_MNT_BASIC: "0x2",
  STATMOUNT_PROPAGATE_FROM: "0x4",
  STATMOUNT_MNT_ROOT: "0x8",
  STATMOUNT_MNT_POINT: "0x10",
  STATMOUNT_FS_TYPE: "0x20",
  STATMOUNT_MNT_NS_ID: "0x40", // 6.11
  STATMOUNT_MNT_OPTS: "0x80", // 6.11
  STATMOUNT_FS_SUBTYPE: "0x100", // 6.13
  STATMOUNT_SB_SOURCE: "0x200", // 6.13
  STATMOUNT_OPT_ARRAY: "0x400", // 6.13
  STATMOUNT_OPT_SEC_ARRAY: "0x800", // 6.13
  STATMOUNT_SUPPORTED_MASK: "0x1000", // 6.15
  STATMOUNT_MNT_UIDMAP: "0x2000", // 6.15
  STATMOUNT_MNT_GIDMAP: "0x4000", // 6.15
  STATX_MNT_ID_UNIQUE: "0x4000", // 6.8
  STATX_SUBVOL: "0x8000", // 6.10
  STATX_WRITE_ATOMIC: "0x10000", // 6.11
  STATX_DIO_READ_ALIGN: "0x20000", // 6.14
  STATX_ATTR_WRITE_ATOMIC: "0x400000", // 6.11
  ST_VALID: "0x20", // 2.6.36, in the kernel's own include/linux/statfs.h
  ST_NOSYMFOLLOW: "0x2000", // 5.10, as above
  MFD_NOEXEC_SEAL: "0x8", // 6.3
  MFD_EXEC: "0x10", // 6.3
  F_SEAL_EXEC: "0x20", // 6.3
  F_DUPFD_QUERY: "1027", // 6.10
  F_CREATED_QUERY: "1028", // 6.12
  PIDFD_THREAD: "O_EXCL", // 6.9
  PR_SET_MDWE: "65", // 6.3
  PR_GET_MDWE: "66", // 6.3
  PR_SET_MEMORY_MERGE: "67", // 6.4
  PR_GET_MEMORY_MERGE: "68", // 6.4
  PR_GET_AUXV: "0x41555856", // 6.4
  PR_GET_SHADOW_STACK_STATUS: "74", // 6.13
  PR_SET_SHADOW_STACK_STATUS: "75", // 6.13
  PR_LOCK_SHADOW_STACK_STATUS: "76", // 6.13
  PR_TIMER_CREATE_RESTORE_IDS: "77", // 6.15
  PR_FUTEX_HASH: "78", // 6.16
  NS_GET_MNTNS_ID: "_IOR(NSIO, 5, __u64)", // 6.11
  NS_GET_PID_FROM_PIDNS: "_IOR(NSIO, 6, int)", // 6.11
  NS_GET_TGID_FROM_PIDNS: "_IOR(NSIO, 7, int)", // 6.11
  NS_GET_PID_IN_PIDNS: "_IOR(NSIO, 8, int)", // 6.11
  NS_GET_TGID_IN_PIDNS: "_IOR(NSIO, 9, int)", // 6.11
  NS_GET_ID: "_IOR(NSIO, 13, __u64)", // 6.18
  PIDFD_GET_CGROUP_NAMESPACE: "_IO(0xFF, 1)", // 6.11, as the next nine
  PIDFD_GET_IPC_NAMESPACE: "_IO(0xFF, 2)",
  PIDFD_GET_MNT_NAMESPACE: "_IO(0xFF, 3)",
  PIDFD_GET_NET_NAMESPACE: "_IO(0xFF, 4)",
  PIDFD_GET_PID_NAMESPACE: "_IO(0xFF, 5)",
  PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE: "_IO(0xFF, 6)",
  PIDFD_GET_TIME_NAMESPACE: "_IO(0xFF, 7)",
  PIDFD_GET_TIME_FOR_CHILDREN_NAMESPACE: "_IO(0xFF, 8)",
  PIDFD_GET_USER_NAMESPACE: "_IO(0xFF, 9)",
  PIDFD_GET_UTS_NAMESPACE: "_IO(0xFF, 10)",
  SCHED_EXT: "7", // 6.12
  SUID_DUMP_DISABLE: "0", // include/linux/sched/coredump.h, not for programs
  SUID_DUMP_USER: "1",
  PID_FS_MAGIC: "0x50494446", // 6.9
  LANDLOCK_ACCESS_FS_TRUNCATE: "0x4000", // 6.2
  LANDLOCK_ACCESS_FS_IOCTL_DEV: "0x8000", // 6.10
  LANDLOCK_ACCESS_NET_BIND_TCP: "0x1", // 6.7
  LANDLOCK_ACCESS_NET_CONNECT_TCP: "0x2", // 6.7
  LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET: "0x1", // 6.12
  LANDLOCK_SCOPE_SIGNAL: "0x2", // 6.12
  LANDLOCK_RULE_NET_PORT: "2", // 6.7
  LANDLOCK_CREATE_RULESET_ERRATA: "0x2", // 6.15
  LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF: "0x1", // 6.15
  LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON: "0x2", // 6.15
  LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF: "0x4", // 6.15
};

/** As `newer`, for what only x86-64 has. */
const newerOnX64: Record<string, string> = {
  __NR_uretprobe: "335", // 6.11
  __NR_uprobe: "336", // 6.18
};

interface SetSource {
  /** The calls and the manual page. */
  readonly doc: string;
  /** `kernelHeaders` when absent: those of libc, and what includes them, have to stay apart. */
  readonly headers?: string;
  readonly prefix: string;
  readonly kind: "bits" | "enum";
  /** Names without the prefix, in the order in which strace prints them; or whole names to look for, put in order. */
  readonly names: string | RegExp;
  /** Names that are whole in C, and so stay whole here. */
  readonly whole?: string;
  /** What `FlagSet` says of them. `choice` is C. */
  readonly zero?: string;
  readonly choice?: string;
  readonly base?: 8 | 16;
}

const kernelHeaders =
  "asm/fcntl.h asm/ioctls.h asm/mman.h asm/poll.h asm/resource.h asm/siginfo.h asm/signal.h linux/capability.h " +
  "linux/close_range.h linux/fcntl.h linux/fs.h linux/keyctl.h linux/landlock.h linux/magic.h linux/memfd.h " +
  "linux/mman.h linux/mount.h linux/nsfs.h linux/openat2.h linux/pidfd.h linux/prctl.h linux/sched.h linux/seccomp.h " +
  "linux/securebits.h linux/sockios.h linux/stat.h linux/time.h linux/types.h linux/wait.h";

const sets: Record<string, SetSource> = {
  CLONE: {
    doc: "Flags of clone, clone3, unshare and setns. clone(2)",
    prefix: "CLONE_",
    kind: "bits",
    names:
      "VM FS FILES SIGHAND PIDFD PTRACE VFORK PARENT THREAD NEWNS SYSVSEM SETTLS PARENT_SETTID CHILD_CLEARTID " +
      "UNTRACED CHILD_SETTID NEWCGROUP NEWUTS NEWIPC NEWUSER NEWPID NEWNET IO NEWTIME CLEAR_SIGHAND INTO_CGROUP",
  },
  MS: {
    doc: "Flags of mount, and the propagation of mount_setattr. mount(2)",
    prefix: "MS_",
    kind: "bits",
    names:
      "RDONLY NOSUID NODEV NOEXEC SYNCHRONOUS REMOUNT MANDLOCK DIRSYNC NOSYMFOLLOW NOATIME NODIRATIME BIND MOVE REC " +
      "SILENT POSIXACL UNBINDABLE PRIVATE SLAVE SHARED RELATIME I_VERSION STRICTATIME LAZYTIME",
  },
  MNT: {
    doc: "Flags of umount2. umount2(2)",
    headers: "sys/mount.h",
    prefix: "MNT_",
    kind: "bits",
    names: "FORCE DETACH EXPIRE",
    whole: "UMOUNT_NOFOLLOW",
  },
  O: {
    doc: "Flags of open, openat, openat2, pipe2 and dup3. Several differ by architecture: see `flagWord`. open(2)",
    prefix: "O_",
    kind: "bits",
    names:
      "RDONLY WRONLY RDWR CREAT EXCL NOCTTY TRUNC APPEND NONBLOCK SYNC DSYNC DIRECT LARGEFILE NOFOLLOW NOATIME CLOEXEC " +
      "PATH TMPFILE DIRECTORY",
    whole: "FASYNC",
    zero: "O_RDONLY",
    choice: "O_ACCMODE",
    base: 8,
  },
  AT: {
    doc: "Flags of calls that take a directory's descriptor and a path: openat's kin, statx, mount_setattr. openat(2)",
    prefix: "AT_",
    kind: "bits",
    names:
      "SYMLINK_NOFOLLOW REMOVEDIR SYMLINK_FOLLOW NO_AUTOMOUNT EMPTY_PATH STATX_FORCE_SYNC STATX_DONT_SYNC RECURSIVE",
  },
  RESOLVE: {
    doc: "How openat2 walks the path. openat2(2)",
    prefix: "RESOLVE_",
    kind: "bits",
    names: "NO_XDEV NO_MAGICLINKS NO_SYMLINKS BENEATH IN_ROOT CACHED",
  },
  RENAME: {
    doc: "Flags of renameat2. rename(2)",
    prefix: "RENAME_",
    kind: "bits",
    names: "NOREPLACE EXCHANGE WHITEOUT",
  },
  OPEN_TREE: {
    doc: "Flags of open_tree, which shares its word with some of `AT`. open_tree(2)",
    prefix: "OPEN_TREE_",
    kind: "bits",
    names: "CLONE CLOEXEC",
    whole: "AT_SYMLINK_NOFOLLOW AT_NO_AUTOMOUNT AT_EMPTY_PATH AT_RECURSIVE",
  },
  MOVE_MOUNT: {
    doc: "Flags of move_mount. move_mount(2)",
    prefix: "MOVE_MOUNT_",
    kind: "bits",
    names: "F_SYMLINKS F_AUTOMOUNTS F_EMPTY_PATH T_SYMLINKS T_AUTOMOUNTS T_EMPTY_PATH SET_GROUP BENEATH",
  },
  FSOPEN: {
    doc: "Flags of fsopen. fsopen(2)",
    prefix: "FSOPEN_",
    kind: "bits",
    names: "CLOEXEC",
  },
  FSMOUNT: {
    doc: "Flags of fsmount. fsmount(2)",
    prefix: "FSMOUNT_",
    kind: "bits",
    names: "CLOEXEC",
  },
  FSPICK: {
    doc: "Flags of fspick. fspick(2)",
    prefix: "FSPICK_",
    kind: "bits",
    names: "CLOEXEC SYMLINK_NOFOLLOW NO_AUTOMOUNT EMPTY_PATH",
  },
  FSCONFIG: {
    doc: "Commands of fsconfig. fsconfig(2)",
    prefix: "FSCONFIG_",
    kind: "enum",
    names: "SET_FLAG SET_STRING SET_BINARY SET_PATH SET_PATH_EMPTY SET_FD CMD_CREATE CMD_RECONFIGURE CMD_CREATE_EXCL",
  },
  MOUNT_ATTR: {
    doc: "Attributes of a mount, in fsmount, mount_setattr and statmount. mount_setattr(2)",
    prefix: "MOUNT_ATTR_",
    kind: "bits",
    names: "RDONLY NOSUID NODEV NOEXEC RELATIME NOATIME STRICTATIME NODIRATIME IDMAP NOSYMFOLLOW",
  },
  STATMOUNT: {
    doc: "What statmount is asked for. statmount(2)",
    prefix: "STATMOUNT_",
    kind: "bits",
    names:
      "SB_BASIC MNT_BASIC PROPAGATE_FROM MNT_ROOT MNT_POINT FS_TYPE MNT_NS_ID MNT_OPTS FS_SUBTYPE SB_SOURCE OPT_ARRAY " +
      "OPT_SEC_ARRAY SUPPORTED_MASK MNT_UIDMAP MNT_GIDMAP",
  },
  STATX: {
    doc: "What statx is asked for. statx(2)",
    prefix: "STATX_",
    kind: "bits",
    names:
      "ALL BASIC_STATS TYPE MODE NLINK UID GID ATIME MTIME CTIME INO SIZE BLOCKS BTIME MNT_ID DIOALIGN MNT_ID_UNIQUE " +
      "SUBVOL WRITE_ATOMIC DIO_READ_ALIGN",
  },
  STATX_ATTR: {
    doc: "Attributes that statx finds. statx(2)",
    prefix: "STATX_ATTR_",
    kind: "bits",
    names: "COMPRESSED IMMUTABLE APPEND NODUMP ENCRYPTED AUTOMOUNT MOUNT_ROOT VERITY DAX WRITE_ATOMIC",
  },
  ST: {
    doc: "Flags of a mount that statfs finds. statfs(2)",
    headers: "sys/statvfs.h",
    prefix: "ST_",
    kind: "bits",
    names: "VALID RDONLY NOSUID NODEV NOEXEC SYNCHRONOUS MANDLOCK NOATIME NODIRATIME RELATIME NOSYMFOLLOW",
  },
  MAGIC: {
    doc: "Types of file systems that statfs finds. statfs(2)",
    prefix: "",
    kind: "enum",
    names:
      "PROC_SUPER_MAGIC SYSFS_MAGIC CGROUP_SUPER_MAGIC CGROUP2_SUPER_MAGIC NSFS_MAGIC PID_FS_MAGIC TMPFS_MAGIC " +
      "RAMFS_MAGIC HUGETLBFS_MAGIC OVERLAYFS_SUPER_MAGIC FUSE_SUPER_MAGIC DEVPTS_SUPER_MAGIC BPF_FS_MAGIC " +
      "SECURITYFS_MAGIC DEBUGFS_MAGIC TRACEFS_MAGIC BINFMTFS_MAGIC PIPEFS_MAGIC SOCKFS_MAGIC ANON_INODE_FS_MAGIC " +
      "AUTOFS_SUPER_MAGIC EXT4_SUPER_MAGIC XFS_SUPER_MAGIC BTRFS_SUPER_MAGIC F2FS_SUPER_MAGIC EROFS_SUPER_MAGIC_V1 " +
      "SQUASHFS_MAGIC ISOFS_SUPER_MAGIC MSDOS_SUPER_MAGIC EXFAT_SUPER_MAGIC NFS_SUPER_MAGIC SMB2_SUPER_MAGIC " +
      "CIFS_SUPER_MAGIC CEPH_SUPER_MAGIC V9FS_MAGIC ECRYPTFS_SUPER_MAGIC RDTGROUP_SUPER_MAGIC",
    base: 16,
  },
  P: {
    doc: "Whom waitid waits for. waitid(2)",
    prefix: "P_",
    kind: "enum",
    names: "ALL PID PGID PIDFD",
  },
  W: {
    doc: "Options of wait4 and waitid. wait4(2)",
    prefix: "W",
    kind: "bits",
    names: "NOHANG EXITED STOPPED UNTRACED CONTINUED NOWAIT",
    whole: "__WCLONE __WALL __WNOTHREAD",
  },
  CLD: {
    doc: "Why SIGCHLD was sent, and what waitid found: si_code. sigaction(2)",
    prefix: "CLD_",
    kind: "enum",
    names: "EXITED KILLED DUMPED TRAPPED STOPPED CONTINUED",
  },
  SIG: {
    doc: "Signals. signal(7)",
    prefix: "SIG",
    kind: "enum",
    names:
      "HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG " +
      "XCPU XFSZ VTALRM PROF WINCH IO PWR SYS",
  },
  SIG_HOW: {
    doc: "How rt_sigprocmask changes the mask. sigprocmask(2)",
    prefix: "SIG_",
    kind: "enum",
    names: "BLOCK UNBLOCK SETMASK",
  },
  SIG_HANDLER: {
    doc: "Handlers that are no functions. sigaction(2)",
    prefix: "SIG_",
    kind: "enum",
    names: "DFL IGN",
  },
  SA: {
    doc: "Flags of rt_sigaction. sigaction(2)",
    prefix: "SA_",
    kind: "bits",
    names: "RESTORER ONSTACK RESTART NODEFER RESETHAND SIGINFO NOCLDSTOP NOCLDWAIT",
  },
  SIGEV: {
    doc: "How a timer tells that it expired: sigev_notify of timer_create. sigevent(3type)",
    prefix: "SIGEV_",
    kind: "enum",
    names: "SIGNAL NONE THREAD THREAD_ID",
  },
  PR: {
    doc: "Operations of prctl. prctl(2)",
    prefix: "PR_",
    kind: "enum",
    names:
      "SET_PDEATHSIG GET_PDEATHSIG GET_DUMPABLE SET_DUMPABLE GET_KEEPCAPS SET_KEEPCAPS SET_NAME GET_NAME GET_SECCOMP " +
      "SET_SECCOMP CAPBSET_READ CAPBSET_DROP GET_TSC SET_TSC GET_SECUREBITS SET_SECUREBITS SET_TIMERSLACK GET_TIMERSLACK " +
      "TASK_PERF_EVENTS_DISABLE TASK_PERF_EVENTS_ENABLE MCE_KILL MCE_KILL_GET SET_MM SET_CHILD_SUBREAPER " +
      "GET_CHILD_SUBREAPER SET_NO_NEW_PRIVS GET_NO_NEW_PRIVS GET_TID_ADDRESS SET_THP_DISABLE GET_THP_DISABLE CAP_AMBIENT " +
      "SVE_SET_VL SVE_GET_VL GET_SPECULATION_CTRL SET_SPECULATION_CTRL PAC_RESET_KEYS SET_TAGGED_ADDR_CTRL " +
      "GET_TAGGED_ADDR_CTRL SET_IO_FLUSHER GET_IO_FLUSHER SET_SYSCALL_USER_DISPATCH PAC_SET_ENABLED_KEYS " +
      "PAC_GET_ENABLED_KEYS SCHED_CORE SME_SET_VL SME_GET_VL SET_MDWE GET_MDWE SET_MEMORY_MERGE GET_MEMORY_MERGE " +
      "GET_SHADOW_STACK_STATUS SET_SHADOW_STACK_STATUS LOCK_SHADOW_STACK_STATUS TIMER_CREATE_RESTORE_IDS FUTEX_HASH " +
      "GET_AUXV SET_VMA SET_PTRACER",
  },
  SUID_DUMP: {
    doc: "Whether a process dumps core and may be looked into: PR_SET_DUMPABLE. PR_SET_DUMPABLE(2const)",
    prefix: "SUID_DUMP_",
    kind: "enum",
    names: "DISABLE USER",
  },
  PR_CAP_AMBIENT: {
    doc: "What prctl(PR_CAP_AMBIENT) does. PR_CAP_AMBIENT(2const)",
    prefix: "PR_CAP_AMBIENT_",
    kind: "enum",
    names: "IS_SET RAISE LOWER CLEAR_ALL",
  },
  CAP: {
    doc: "Capabilities, by number. capabilities(7)",
    prefix: "CAP_",
    kind: "enum",
    names: /^CAP_(?!LAST_CAP$)[A-Z_]+$/,
  },
  SECBIT: {
    doc: "The securebits of prctl(PR_SET_SECUREBITS). capabilities(7)",
    prefix: "SECBIT_",
    kind: "bits",
    names:
      "NOROOT NOROOT_LOCKED NO_SETUID_FIXUP NO_SETUID_FIXUP_LOCKED KEEP_CAPS KEEP_CAPS_LOCKED NO_CAP_AMBIENT_RAISE " +
      "NO_CAP_AMBIENT_RAISE_LOCKED",
  },
  RLIMIT: {
    doc: "Resources of prlimit64. getrlimit(2)",
    prefix: "RLIMIT_",
    kind: "enum",
    names: /^RLIMIT_[A-Z]+$/,
  },
  CLOSE_RANGE: {
    doc: "Flags of close_range. close_range(2)",
    prefix: "CLOSE_RANGE_",
    kind: "bits",
    names: "UNSHARE CLOEXEC",
  },
  MFD: {
    doc: "Flags of memfd_create. memfd_create(2)",
    prefix: "MFD_",
    kind: "bits",
    names: "CLOEXEC ALLOW_SEALING HUGETLB NOEXEC_SEAL EXEC",
  },
  F: {
    doc: "Commands of fcntl. fcntl(2)",
    prefix: "F_",
    kind: "enum",
    names:
      "DUPFD GETFD SETFD GETFL SETFL GETLK SETLK SETLKW SETOWN GETOWN SETSIG GETSIG SETOWN_EX GETOWN_EX GETOWNER_UIDS " +
      "OFD_GETLK OFD_SETLK OFD_SETLKW SETLEASE GETLEASE NOTIFY DUPFD_QUERY CREATED_QUERY CANCELLK DUPFD_CLOEXEC " +
      "SETPIPE_SZ GETPIPE_SZ ADD_SEALS GET_SEALS GET_RW_HINT SET_RW_HINT GET_FILE_RW_HINT SET_FILE_RW_HINT",
  },
  F_SEAL: {
    doc: "Seals of fcntl(F_ADD_SEALS). F_GET_SEALS(2const)",
    prefix: "F_SEAL_",
    kind: "bits",
    names: "SEAL SHRINK GROW WRITE FUTURE_WRITE EXEC",
  },
  FD: {
    doc: "Flags of fcntl(F_SETFD). F_GETFD(2const)",
    prefix: "FD_",
    kind: "bits",
    names: "CLOEXEC",
  },
  PIDFD: {
    doc: "Flags of pidfd_open. pidfd_open(2)",
    prefix: "PIDFD_",
    kind: "bits",
    names: "NONBLOCK THREAD",
  },
  POLL: {
    doc: "Events of poll and ppoll. poll(2)",
    prefix: "POLL",
    kind: "bits",
    names: "IN PRI OUT ERR HUP NVAL RDNORM RDBAND WRNORM WRBAND MSG REMOVE RDHUP",
  },
  PROT: {
    doc: "Protection of mmap and mprotect. mmap(2)",
    prefix: "PROT_",
    kind: "bits",
    names: "NONE READ WRITE EXEC",
    zero: "PROT_NONE",
  },
  MAP: {
    doc: "Flags of mmap. mmap(2)",
    prefix: "MAP_",
    kind: "bits",
    names:
      "SHARED PRIVATE SHARED_VALIDATE FIXED ANONYMOUS NORESERVE POPULATE NONBLOCK GROWSDOWN DENYWRITE EXECUTABLE " +
      "LOCKED STACK HUGETLB SYNC FIXED_NOREPLACE",
    zero: "MAP_FILE",
    choice: "MAP_TYPE",
  },
  CLOCK: {
    doc: "Clocks. clock_gettime(2)",
    prefix: "CLOCK_",
    kind: "enum",
    names:
      "REALTIME MONOTONIC PROCESS_CPUTIME_ID THREAD_CPUTIME_ID MONOTONIC_RAW REALTIME_COARSE MONOTONIC_COARSE BOOTTIME " +
      "REALTIME_ALARM BOOTTIME_ALARM TAI",
  },
  TIMER: {
    doc: "Flags of timer_settime and clock_nanosleep. timer_settime(2)",
    prefix: "TIMER_",
    kind: "bits",
    names: "ABSTIME",
  },
  AF: {
    doc: "Address families of socket. address_families(7)",
    headers: "sys/socket.h",
    prefix: "AF_",
    kind: "enum",
    names: /^AF_(?!MAX$|LOCAL$|FILE$|ROUTE$)\w+$/,
  },
  SOCK: {
    doc: "Types of sockets, and flags beside them. socket(2)",
    headers: "sys/socket.h",
    prefix: "SOCK_",
    kind: "bits",
    names: "STREAM DGRAM RAW RDM SEQPACKET DCCP PACKET CLOEXEC NONBLOCK",
    choice: "0xf",
  },
  IOCTL: {
    doc: "Requests of ioctl: terminals, interfaces, namespaces, pidfds, seccomp. ioctl(2)",
    prefix: "",
    kind: "enum",
    names:
      "TIOCSCTTY TIOCNOTTY TIOCGWINSZ TIOCSWINSZ TIOCGPGRP TIOCSPGRP TIOCGPTN TIOCSPTLCK TIOCGPTPEER SIOCGIFNAME " +
      "SIOCGIFFLAGS SIOCSIFFLAGS SIOCGIFINDEX SIOCSIFNAME SIOCGIFADDR SIOCSIFADDR SIOCGIFNETMASK SIOCSIFNETMASK " +
      "NS_GET_USERNS NS_GET_PARENT NS_GET_NSTYPE NS_GET_OWNER_UID NS_GET_MNTNS_ID NS_GET_PID_FROM_PIDNS " +
      "NS_GET_TGID_FROM_PIDNS NS_GET_PID_IN_PIDNS NS_GET_TGID_IN_PIDNS NS_GET_ID PIDFD_GET_CGROUP_NAMESPACE " +
      "PIDFD_GET_IPC_NAMESPACE PIDFD_GET_MNT_NAMESPACE PIDFD_GET_NET_NAMESPACE PIDFD_GET_PID_NAMESPACE " +
      "PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE PIDFD_GET_TIME_NAMESPACE PIDFD_GET_TIME_FOR_CHILDREN_NAMESPACE " +
      "PIDFD_GET_USER_NAMESPACE PIDFD_GET_UTS_NAMESPACE SECCOMP_IOCTL_NOTIF_RECV SECCOMP_IOCTL_NOTIF_SEND " +
      "SECCOMP_IOCTL_NOTIF_ID_VALID SECCOMP_IOCTL_NOTIF_ADDFD",
    base: 16,
  },
  IFF: {
    doc: "Flags of a network interface: SIOCSIFFLAGS. netdevice(7)",
    headers: "linux/if.h",
    prefix: "IFF_",
    kind: "bits",
    names:
      "UP BROADCAST DEBUG LOOPBACK POINTOPOINT NOTRAILERS RUNNING NOARP PROMISC ALLMULTI MASTER SLAVE MULTICAST PORTSEL " +
      "AUTOMEDIA DYNAMIC LOWER_UP DORMANT ECHO",
  },
  S: {
    doc: "Type of a file in its mode, `mode & S.IFMT`, and the bits that are not permissions. inode(7)",
    prefix: "S_",
    kind: "bits",
    names: "IFMT IFSOCK IFLNK IFREG IFBLK IFDIR IFCHR IFIFO ISUID ISGID ISVTX",
    choice: "S_IFMT",
    base: 8,
  },
  SECCOMP: {
    doc: "Operations of seccomp. seccomp(2)",
    prefix: "SECCOMP_",
    kind: "enum",
    names: "SET_MODE_STRICT SET_MODE_FILTER GET_ACTION_AVAIL GET_NOTIF_SIZES",
  },
  SECCOMP_FILTER_FLAG: {
    doc: "Flags of seccomp(SECCOMP_SET_MODE_FILTER). seccomp(2)",
    prefix: "SECCOMP_FILTER_FLAG_",
    kind: "bits",
    names: "TSYNC LOG SPEC_ALLOW NEW_LISTENER TSYNC_ESRCH WAIT_KILLABLE_RECV",
  },
  SECCOMP_RET: {
    doc: "What a seccomp filter returns, beside 16 bits of data. seccomp(2)",
    prefix: "SECCOMP_RET_",
    kind: "enum",
    names: "KILL_PROCESS KILL_THREAD TRAP ERRNO USER_NOTIF TRACE LOG ALLOW",
    base: 16,
  },
  SCHED: {
    doc: "Scheduling policies. sched_setscheduler(2)",
    prefix: "SCHED_",
    kind: "enum",
    // The kernel says SCHED_NORMAL; POSIX, libc and strace say SCHED_OTHER.
    names: "OTHER=SCHED_NORMAL FIFO RR BATCH IDLE DEADLINE EXT",
  },
  KEYCTL: {
    doc: "Operations of keyctl. keyctl(2)",
    prefix: "KEYCTL_",
    kind: "enum",
    names:
      "GET_KEYRING_ID JOIN_SESSION_KEYRING UPDATE REVOKE CHOWN SETPERM DESCRIBE CLEAR LINK UNLINK SEARCH READ " +
      "INSTANTIATE NEGATE SET_REQKEY_KEYRING SET_TIMEOUT ASSUME_AUTHORITY GET_SECURITY SESSION_TO_PARENT REJECT " +
      "INSTANTIATE_IOV INVALIDATE GET_PERSISTENT DH_COMPUTE PKEY_QUERY PKEY_ENCRYPT PKEY_DECRYPT PKEY_SIGN PKEY_VERIFY " +
      "RESTRICT_KEYRING MOVE CAPABILITIES WATCH_KEY",
  },
  LANDLOCK_ACCESS_FS: {
    doc: "What Landlock can forbid on files. landlock(7)",
    prefix: "LANDLOCK_ACCESS_FS_",
    kind: "bits",
    names:
      "EXECUTE WRITE_FILE READ_FILE READ_DIR REMOVE_DIR REMOVE_FILE MAKE_CHAR MAKE_DIR MAKE_REG MAKE_SOCK MAKE_FIFO " +
      "MAKE_BLOCK MAKE_SYM REFER TRUNCATE IOCTL_DEV",
  },
  LANDLOCK_ACCESS_NET: {
    doc: "What Landlock can forbid on ports. landlock(7)",
    prefix: "LANDLOCK_ACCESS_NET_",
    kind: "bits",
    names: "BIND_TCP CONNECT_TCP",
  },
  LANDLOCK_SCOPE: {
    doc: "What Landlock keeps inside the domain. landlock(7)",
    prefix: "LANDLOCK_SCOPE_",
    kind: "bits",
    names: "ABSTRACT_UNIX_SOCKET SIGNAL",
  },
  LANDLOCK_RULE: {
    doc: "Kinds of rules of landlock_add_rule. landlock_add_rule(2)",
    prefix: "LANDLOCK_RULE_",
    kind: "enum",
    names: "PATH_BENEATH NET_PORT",
  },
  LANDLOCK_CREATE_RULESET: {
    doc: "Flags of landlock_create_ruleset. landlock_create_ruleset(2)",
    prefix: "LANDLOCK_CREATE_RULESET_",
    kind: "bits",
    names: "VERSION ERRATA",
  },
  LANDLOCK_RESTRICT_SELF: {
    doc: "Flags of landlock_restrict_self. landlock_restrict_self(2)",
    prefix: "LANDLOCK_RESTRICT_SELF_",
    kind: "bits",
    names: "LOG_SAME_EXEC_OFF LOG_NEW_EXEC_ON LOG_SUBDOMAINS_OFF",
  },
};

const outputs: Record<string, () => string> = {
  "src/sys/errno.ts": errnoFile,
  "src/sys/numbers.ts": numbersFile,
  "src/sys/flags.ts": flagsFile,
};

const check = process.argv.includes("--check");
for (const arch of Object.keys(compilers) as Arch[]) requireHeaders(arch);
for (const [path, text] of Object.entries(outputs)) {
  const wanted = format(path, generatedBy() + text());
  const file = Bun.file(join(root, path));
  if (!check) {
    await Bun.write(file, wanted);
  } else if (!(await file.exists()) || (await file.text()) !== wanted) {
    console.error(`${path} is not what scripts/generate-sys.ts makes of the headers`);
    process.exitCode = 1;
  }
}

// The files.

function generatedBy(): string {
  return `// Generated by "bun scripts/generate-sys.ts" from linux-libc-dev ${series}. Do not edit.\n`;
}

function errnoFile(): string {
  const names = macros("x64", "asm/errno.h").filter((name) => /^E[A-Z0-9]+$/.test(name));
  const [x64, arm64] = evaluateBoth("asm/errno.h", names);
  // An alias is defined as another errno: EWOULDBLOCK as EAGAIN, EDEADLOCK as EDEADLK.
  const aliases = new Set(["EWOULDBLOCK", "EDEADLOCK"]);
  const canonical = names.filter((name) => !aliases.has(name)).sort((a, b) => x64[a]! - x64[b]!);
  for (const name of names) if (x64[name] !== arm64[name]) fail(`${name} differs by architecture`);
  const texts = strerrors(canonical.map((name) => x64[name]!));
  return `/** Errors of the kernel, by name. errno(3) */

/** Number and text of each errno, the text as strerror(3) says it. The numbers are those of both architectures. */
export const errnos = {
${canonical.map((name, i) => `  ${name}: [${x64[name]}, ${JSON.stringify(texts[i])}],`).join("\n")}
} as const;

export type ErrnoName = keyof typeof errnos;

/** Name of an errno as strace(1) prints it (EAGAIN, not EWOULDBLOCK; EOPNOTSUPP, not ENOTSUP). */
export function errnoName(errno: number): ErrnoName | undefined {
  return names.get(errno);
}

/** \`strerror(3)\`: "Operation not permitted" for EPERM. */
export function errnoText(name: ErrnoName): string {
  return errnos[name][1];
}

/** The number of an errno. */
export function errnoNumber(name: ErrnoName): number {
  return errnos[name][0];
}

const names = new Map<number, ErrnoName>();
for (const [name, [errno]] of Object.entries(errnos)) names.set(errno, name as ErrnoName);
`;
}

function numbersFile(): string {
  const [x64, arm64] = [numbersOf("x64"), numbersOf("arm64")];
  const names = [...new Set([...Object.keys(x64), ...Object.keys(arm64)])];
  const order = (name: string) => x64[name] ?? 1000 + arm64[name]!;
  names.sort((a, b) => order(a) - order(b));
  return `/** Numbers of the syscalls. syscalls(2) */

/** Word of \`process.arch\` for each machine that we know. */
export type Arch = "x64" | "arm64";

/** Number of each syscall on x86-64 and on aarch64, -1 where the machine lacks it. */
export const numbers = {
${names.map((name) => `  ${name}: [${x64[name] ?? -1}, ${arm64[name] ?? -1}],`).join("\n")}
} as const;

export type SyscallName = keyof typeof numbers;

/**
 * Number of a syscall on \`arch\`.
 * @throws {RangeError} when that architecture lacks the call, as arm64 lacks \`open\`.
 */
export function numberOf(name: SyscallName, arch: Arch): number {
  const number = numbers[name][arch === "arm64" ? 1 : 0];
  if (number === -1) throw new RangeError(\`\${arch} has no syscall \${name}\`);
  return number;
}
`;
}

function numbersOf(arch: Arch): Record<string, number> {
  const wanted = new Set([...macros(arch, "asm/unistd.h"), ...Object.keys(newerOn(arch))]);
  const names = [...wanted].filter((name) => /^__NR_(?!arch_specific_syscall$|syscalls$)[a-z0-9_]+$/.test(name));
  const values = evaluate(arch, "asm/unistd.h", names);
  return Object.fromEntries(names.map((name) => [name.slice("__NR_".length), values[name]!]));
}

function flagsFile(): string {
  const differing: string[] = [];
  const consts: string[] = [];
  const table: string[] = [];
  const values = setValues();
  for (const [set, source] of Object.entries(sets)) {
    const [x64, arm64] = values(source);
    const names = namesOf(source);
    const entries = [...names].map(([name, c]) => ({ name, values: [x64[c]!, arm64[c]!] as const }));
    if (source.names instanceof RegExp) entries.sort((a, b) => a.values[0] - b.values[0]);

    const literal = (value: number) => literalOf(value, source.base ?? (source.kind === "bits" ? 16 : 10));
    const differs = entries.filter(({ values }) => values[0] !== values[1]);
    if (differs.length > 0) {
      const pairs = differs.map(({ name, values }) => `${name}: [${values.map(literal).join(", ")}]`);
      differing.push(`${set}: { ${pairs.join(", ")} }`);
    }
    const members = entries.map(({ name, values }) =>
      values[0] === values[1] ? `${key(name)}: ${literal(values[0])}` : `${name}: differing.${set}.${name}[here]`,
    );
    consts.push(`/** ${source.doc} */\nexport const ${set} = { ${members.join(", ")} } as const;\n`);

    const more = [
      source.zero === undefined ? "" : `, zero: ${JSON.stringify(source.zero)}`,
      source.choice === undefined ? "" : `, choice: ${literal(x64[source.choice]!)}`,
      source.whole === undefined ? "" : `, whole: ${JSON.stringify(source.whole.split(" "))}`,
    ];
    table.push(`  ${set}: { prefix: "${source.prefix}", kind: "${source.kind}", values: ${set}${more.join("")} },`);
  }
  return `/** Flags and enumerations of the syscalls: the kernel's names without their prefix, and one table of all. */
import type { Arch } from "./numbers.ts";

const here = process.arch === "arm64" ? 1 : 0;

/** What is one thing on x86-64 and another on aarch64, in this order. */
const differing = { ${differing.join(", ")} } as const;

${consts.join("\n")}
/** The working directory, where a call takes a directory's descriptor. openat(2) */
export const AT_FDCWD = ${evaluate("x64", "linux/fcntl.h", ["AT_FDCWD"]).AT_FDCWD};

/**
 * How to print a word of a set as strace(1) does.
 *
 * An enum is the name of its value. Bits are the names in the order of \`values\`, joined with "|": a name is taken when
 * all its bits are left and then takes them away, so that a name of several bits (\`O.SYNC\`) stands before names of its
 * parts; names worth 0 are never taken; what is left at last is printed in hexadecimal. JavaScript's own \`|\` and \`&\`
 * see only 32 bits, with a sign, and \`CLONE.INTO_CGROUP\` is beyond them: print with BigInt, and add that flag with \`+\`.
 */
export interface FlagSet {
  readonly prefix: string;
  readonly kind: "bits" | "enum";
  readonly values: Readonly<Record<string, number>>;
  /** Full name of the word 0, or of a \`choice\` that is 0: "O_RDONLY". Without it, 0 prints as 0. */
  readonly zero?: string;
  /** Bits that hold one value of several rather than flags, printed first: the access mode in \`O\`. */
  readonly choice?: number;
  /** Names that are printed as they stand, without the prefix: \`MNT.UMOUNT_NOFOLLOW\`. */
  readonly whole?: readonly string[];
}

/** All sets by name. */
export const flagSets = {
${table.join("\n")}
} as const satisfies Readonly<Record<string, FlagSet>>;

export type FlagSetName = keyof typeof flagSets;

/** A word of flags as \`arch\` has it, from the word as \`from\` has it: only \`O\` differs between the two. */
export function flagWord(set: FlagSetName, word: number, arch: Arch, from: Arch = here === 1 ? "arm64" : "x64"): number {
  if (!(set in differing) || arch === from) return word;
  const pairs = Object.values(differing[set as keyof typeof differing]);
  let [kept, moved] = [word, 0];
  for (const pair of pairs) {
    const [mine, its] = arch === "arm64" ? pair : [pair[1], pair[0]];
    if ((word & mine) !== mine) continue;
    kept &= ~mine;
    moved |= its;
  }
  return kept | moved;
}
`;
}

/** Values of all sets, one compilation for all that take the same headers. */
function setValues(): (source: SetSource) => ReturnType<typeof evaluateBoth> {
  const wanted = new Map<string, string[]>();
  for (const source of Object.values(sets)) {
    const headers = source.headers ?? kernelHeaders;
    const expressions = [...namesOf(source).values(), ...(source.choice === undefined ? [] : [source.choice])];
    wanted.set(headers, [...(wanted.get(headers) ?? []), ...expressions]);
  }
  const found = new Map([...wanted].map(([headers, c]) => [headers, evaluateBoth(headers, [...new Set(c)])]));
  return ({ headers = kernelHeaders }) => found.get(headers)!;
}

/** Name here to expression in C. */
function namesOf({ names, prefix, headers = kernelHeaders, whole }: SetSource): Map<string, string> {
  if (names instanceof RegExp) {
    const found = [...new Set([...macros("x64", headers), ...Object.keys(newer)])].filter((name) => names.test(name));
    return new Map(found.map((name) => [name.slice(prefix.length), name]));
  }
  const pairs = names.split(" ").map((word) => {
    const [name = "", c = prefix + name] = word.split("=");
    return [name, c] as const;
  });
  return new Map([...pairs, ...(whole?.split(" ") ?? []).map((name) => [name, name] as const)]);
}

function literalOf(value: number, base: 8 | 10 | 16): string {
  if (value === 0 || base === 10) return String(value);
  return (base === 8 ? "0o" : "0x") + value.toString(base);
}

function key(name: string): string {
  return /^[A-Za-z_]/.test(name) ? name : JSON.stringify(name);
}

// The compilers.

function requireHeaders(arch: Arch): void {
  if (Bun.which(compilers[arch]) === null) fail(`${compilers[arch]} is not installed`, 2);
  const { stdout } = gcc(arch, ["-E", "-dM"], include("linux/version.h"));
  const version = Number(/LINUX_VERSION_CODE (\d+)/.exec(stdout)?.[1] ?? 0);
  const found = `${version >> 16}.${(version >> 8) & 255}`;
  if (found !== series) fail(`the headers for ${arch} are of Linux ${found}, not ${series}`, 2);
}

function newerOn(arch: Arch): Record<string, string> {
  return arch === "x64" ? { ...newer, ...newerOnX64 } : newer;
}

/** Names of all macros without parameters that the headers define. */
function macros(arch: Arch, headers: string): string[] {
  const lines = compile(arch, ["-E", "-dM"], include(headers)).split("\n");
  return lines.flatMap((line) => /^#define (\w+)(?: |$)/.exec(line)?.[1] ?? []);
}

/** Values of C expressions. They are read from the assembly text, so that nothing of another machine has to run. */
function evaluate(arch: Arch, headers: string, expressions: readonly string[]): Record<string, number> {
  const source = [include(headers)];
  for (const [name, value] of Object.entries(newerOn(arch)))
    source.push(`#ifndef ${name}\n#define ${name} ${value}\n#endif`);
  for (const [i, c] of expressions.entries()) source.push(`const long long value_${i} = (long long)(${c});`);
  const assembly = compile(arch, ["-S"], source.join("\n"));
  const values: Record<string, number> = {};
  for (const [, i, directive, value] of assembly.matchAll(/^value_(\d+):\n\s+\.(quad|xword|zero)\s+(-?\d+)/gm)) {
    values[expressions[Number(i)]!] = directive === "zero" ? 0 : Number(value);
  }
  for (const c of expressions) if (!Number.isSafeInteger(values[c])) fail(`${arch}: no value for ${c}`);
  return values;
}

function evaluateBoth(headers: string, expressions: readonly string[]) {
  return [evaluate("x64", headers, expressions), evaluate("arm64", headers, expressions)] as const;
}

/** Texts of strerror(3), from the C library of this machine. */
function strerrors(numbers: readonly number[]): string[] {
  const calls = numbers.map((number) => `puts(strerror(${number}));`);
  const source = `#include <stdio.h>\n#include <string.h>\nint main(void) { ${calls.join(" ")} }`;
  const folder = mkdtempSync(join(tmpdir(), "strerror-"));
  try {
    const program = join(folder, "strerror");
    const { exitCode, stderr } = gcc("x64", ["-o", program], source);
    if (exitCode !== 0) fail(`strerror does not compile\n${stderr}`);
    return Bun.spawnSync([program], { env: { LC_ALL: "C" } })
      .stdout.toString()
      .trimEnd()
      .split("\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function include(headers: string): string {
  return headers.replaceAll(/\S+/g, "#include <$&>\n");
}

function compile(arch: Arch, options: readonly string[], source: string): string {
  const { exitCode, stdout, stderr } = gcc(arch, [...options, "-o", "-"], source);
  if (exitCode !== 0) fail(`${compilers[arch]}:\n${stderr}`);
  return stdout;
}

function gcc(arch: Arch, options: readonly string[], source: string) {
  const command = [compilers[arch], "-D_GNU_SOURCE", "-w", "-x", "c", ...options, "-"];
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { stdin: Buffer.from(source) });
  return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() };
}

function format(path: string, text: string): string {
  const command = [process.execPath, "fmt", "--no-script", `--stdin-filepath=${path}`];
  const { exitCode, stdout, stderr } = Bun.spawnSync(command, { cwd: root, stdin: Buffer.from(text) });
  if (exitCode !== 0) fail(`bun fmt ${path}\n${stderr}`);
  return stdout.toString();
}

function fail(message: string, exitCode = 1): never {
  console.error(message);
  process.exit(exitCode);
}
