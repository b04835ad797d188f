#!/usr/bin/env bun
/**
 * Writes src/sys/{errno,numbers,flags,flag-sets}.ts from the kernel's headers; `--check` compares instead.
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
  LSMT_ROOT: "0xffffffffffffffffULL", // 6.8
  LISTMOUNT_REVERSE: "0x1", // 6.11
  LISTNS_CURRENT_USER: "0xffffffffffffffffULL", // 6.19
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
  F_GETDELEG: "1039", // 6.19
  F_SETDELEG: "1040", // 6.19
  AT_EXECVE_CHECK: "0x10000", // 6.14
  AT_HANDLE_FID: "0x200", // 6.5
  AT_HANDLE_MNT_ID_UNIQUE: "0x1", // 6.12
  AT_HANDLE_CONNECTABLE: "0x2", // 6.13
  PIDFD_SELF_THREAD: "-10000", // 6.15
  PIDFD_SELF_THREAD_GROUP: "-10001", // 6.17; -20000 before
  FD_PIDFS_ROOT: "-10002", // 6.17
  FD_NSFS_ROOT: "-10003", // 6.18
  FALLOC_FL_WRITE_ZEROES: "0x80", // 6.17
  PIDFD_THREAD: "O_EXCL", // 6.9
  PIDFD_SIGNAL_THREAD: "0x1", // 6.9, as the next two
  PIDFD_SIGNAL_THREAD_GROUP: "0x2",
  PIDFD_SIGNAL_PROCESS_GROUP: "0x4",
  PIDFD_INFO_PID: "0x1", // 6.13
  PIDFD_INFO_CREDS: "0x2", // 6.13
  PIDFD_INFO_CGROUPID: "0x4", // 6.13
  PIDFD_INFO_EXIT: "0x8", // 6.15
  PIDFD_INFO_COREDUMP: "0x10", // 6.16
  PIDFD_INFO_SUPPORTED_MASK: "0x20", // 6.19
  PIDFD_INFO_COREDUMP_SIGNAL: "0x40", // 6.19
  PIDFD_COREDUMPED: "0x1", // 6.16, as the next three
  PIDFD_COREDUMP_SKIP: "0x2",
  PIDFD_COREDUMP_USER: "0x4",
  PIDFD_COREDUMP_ROOT: "0x8",
  PR_MDWE_REFUSE_EXEC_GAIN: "0x1", // 6.3
  PR_MDWE_NO_INHERIT: "0x2", // 6.7
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
  NS_MNT_GET_INFO: "_IOC(_IOC_READ, NSIO, 10, 16)", // 6.12, with the size of struct mnt_ns_info, as the next two
  NS_MNT_GET_NEXT: "_IOC(_IOC_READ, NSIO, 11, 16)",
  NS_MNT_GET_PREV: "_IOC(_IOC_READ, NSIO, 12, 16)",
  NS_GET_ID: "_IOR(NSIO, 13, __u64)", // 6.18
  IPC_NS_INIT_INO: "0xEFFFFFFFU", // 6.17 for programs, as the next seven; most are as old as 3.8
  UTS_NS_INIT_INO: "0xEFFFFFFEU",
  USER_NS_INIT_INO: "0xEFFFFFFDU",
  PID_NS_INIT_INO: "0xEFFFFFFCU",
  CGROUP_NS_INIT_INO: "0xEFFFFFFBU",
  TIME_NS_INIT_INO: "0xEFFFFFFAU",
  NET_NS_INIT_INO: "0xEFFFFFF9U",
  MNT_NS_INIT_INO: "0xEFFFFFF8U",
  IPC_NS_INIT_ID: "1", // 6.19, as the next seven
  UTS_NS_INIT_ID: "2",
  USER_NS_INIT_ID: "3",
  PID_NS_INIT_ID: "4",
  CGROUP_NS_INIT_ID: "5",
  TIME_NS_INIT_ID: "6",
  NET_NS_INIT_ID: "7",
  MNT_NS_INIT_ID: "8",
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
  PIDFD_GET_INFO: "_IOC(_IOC_READ | _IOC_WRITE, 0xFF, 11, 80)", // 6.13, with the size of struct pidfd_info of 6.19
  SECCOMP_IOCTL_NOTIF_SET_FLAGS: "SECCOMP_IOW(4, __u64)", // 6.6
  SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP: "0x1", // 6.6
  SECBIT_EXEC_RESTRICT_FILE: "0x100", // 6.14, as the next three
  SECBIT_EXEC_RESTRICT_FILE_LOCKED: "0x200",
  SECBIT_EXEC_DENY_INTERACTIVE: "0x400",
  SECBIT_EXEC_DENY_INTERACTIVE_LOCKED: "0x800",
  SO_PASSPIDFD: "76", // 6.5
  SO_PEERPIDFD: "77", // 6.5
  SO_PASSRIGHTS: "83", // 6.16
  SCM_SECURITY: "3", // 2.6.18, in the kernel's own include/linux/socket.h
  SCM_PIDFD: "4", // 6.5, as above
  BPF_TOKEN_CREATE: "36", // 6.9
  BPF_CGROUP_UNIX_CONNECT: "49", // 6.7, as the next four
  BPF_CGROUP_UNIX_SENDMSG: "50",
  BPF_CGROUP_UNIX_RECVMSG: "51",
  BPF_CGROUP_UNIX_GETPEERNAME: "52",
  BPF_CGROUP_UNIX_GETSOCKNAME: "53",
  BPF_F_BEFORE: "0x8", // 6.6, as the next two
  BPF_F_AFTER: "0x10",
  BPF_F_ID: "0x20",
  BPF_F_PREORDER: "0x40", // 6.15
  BPF_F_LINK: "0x2000", // 6.4
  SCHED_EXT: "7", // 6.12
  SUID_DUMP_DISABLE: "0", // include/linux/sched/coredump.h, not for programs
  SUID_DUMP_USER: "1",
  SUID_DUMP_ROOT: "2",
  PID_FS_MAGIC: "0x50494446", // 6.9
  // include/linux/key.h, not for programs.
  KEY_POS_VIEW: "0x01000000",
  KEY_POS_READ: "0x02000000",
  KEY_POS_WRITE: "0x04000000",
  KEY_POS_SEARCH: "0x08000000",
  KEY_POS_LINK: "0x10000000",
  KEY_POS_SETATTR: "0x20000000",
  KEY_USR_VIEW: "0x00010000",
  KEY_USR_READ: "0x00020000",
  KEY_USR_WRITE: "0x00040000",
  KEY_USR_SEARCH: "0x00080000",
  KEY_USR_LINK: "0x00100000",
  KEY_USR_SETATTR: "0x00200000",
  KEY_GRP_VIEW: "0x00000100",
  KEY_GRP_READ: "0x00000200",
  KEY_GRP_WRITE: "0x00000400",
  KEY_GRP_SEARCH: "0x00000800",
  KEY_GRP_LINK: "0x00001000",
  KEY_GRP_SETATTR: "0x00002000",
  KEY_OTH_VIEW: "0x00000001",
  KEY_OTH_READ: "0x00000002",
  KEY_OTH_WRITE: "0x00000004",
  KEY_OTH_SEARCH: "0x00000008",
  KEY_OTH_LINK: "0x00000010",
  KEY_OTH_SETATTR: "0x00000020",
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
  "asm/fcntl.h asm/ioctls.h asm/mman.h asm/poll.h asm/resource.h asm/siginfo.h asm/signal.h asm/socket.h " +
  "linux/audit.h linux/bpf.h linux/capability.h linux/close_range.h linux/eventpoll.h linux/falloc.h linux/fcntl.h " +
  "linux/filter.h linux/fs.h linux/if_tun.h linux/inotify.h linux/ioprio.h linux/kcmp.h linux/keyctl.h " +
  "linux/landlock.h linux/magic.h linux/memfd.h linux/mman.h linux/mount.h linux/netlink.h linux/nsfs.h " +
  "linux/openat2.h linux/personality.h linux/pidfd.h linux/prctl.h linux/resource.h linux/sched.h linux/seccomp.h " +
  "linux/securebits.h linux/signalfd.h linux/sockios.h linux/stat.h linux/time.h linux/timerfd.h linux/types.h " +
  "linux/wait.h linux/xattr.h";

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
  O_FD: {
    doc: "Flags of pipe2 and dup3: of `O`, where there is no access mode. pipe(2)",
    prefix: "O_",
    kind: "bits",
    names: "NONBLOCK DIRECT CLOEXEC",
    base: 8,
  },
  UTIME: {
    doc: "Instead of nanoseconds: the time of now, the time that the file has. utimensat(2)",
    headers: "sys/stat.h",
    prefix: "UTIME_",
    kind: "enum",
    names: "NOW OMIT",
    base: 16,
  },
  AT: {
    doc: "Flags of calls that take a directory's descriptor and a path: openat's kin, statx, mount_setattr. openat(2)",
    prefix: "AT_",
    kind: "bits",
    names:
      "SYMLINK_NOFOLLOW REMOVEDIR SYMLINK_FOLLOW NO_AUTOMOUNT EMPTY_PATH STATX_FORCE_SYNC STATX_DONT_SYNC RECURSIVE " +
      "EXECVE_CHECK",
  },
  AT_STATX: {
    doc: "Flags of statx: as stat(2) does, or with one of two ways to ask a network file system. statx(2)",
    prefix: "AT_",
    kind: "bits",
    names: "SYMLINK_NOFOLLOW NO_AUTOMOUNT EMPTY_PATH STATX_FORCE_SYNC STATX_DONT_SYNC",
    zero: "AT_STATX_SYNC_AS_STAT",
    choice: "AT_STATX_SYNC_TYPE",
  },
  AT_ACCESS: {
    doc: "Flags of faccessat2, of which one shares its bit with AT_REMOVEDIR. access(2)",
    prefix: "AT_",
    kind: "bits",
    names: "SYMLINK_NOFOLLOW EACCESS EMPTY_PATH",
  },
  AT_HANDLE: {
    doc: "Flags of name_to_handle_at. open_by_handle_at(2)",
    prefix: "AT_HANDLE_",
    kind: "bits",
    names: "MNT_ID_UNIQUE CONNECTABLE FID",
    whole: "AT_SYMLINK_FOLLOW AT_EMPTY_PATH",
  },
  ACCESS: {
    doc: "What faccessat2 asks for. access(2)",
    headers: "unistd.h",
    prefix: "",
    kind: "bits",
    names: "F_OK R_OK W_OK X_OK",
    zero: "F_OK",
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
    names: "RDONLY NOSUID NODEV NOEXEC _ATIME RELATIME NOATIME STRICTATIME NODIRATIME IDMAP NOSYMFOLLOW",
  },
  STATMOUNT: {
    doc: "What statmount is asked for. statmount(2)",
    prefix: "STATMOUNT_",
    kind: "bits",
    names:
      "SB_BASIC MNT_BASIC PROPAGATE_FROM MNT_ROOT MNT_POINT FS_TYPE MNT_NS_ID MNT_OPTS FS_SUBTYPE SB_SOURCE OPT_ARRAY " +
      "OPT_SEC_ARRAY SUPPORTED_MASK MNT_UIDMAP MNT_GIDMAP",
  },
  LISTMOUNT: {
    doc: "Flags of listmount. listmount(2)",
    prefix: "LISTMOUNT_",
    kind: "bits",
    names: "REVERSE",
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
  XATTR: {
    doc: "Flags of setxattr and setxattrat. setxattr(2)",
    prefix: "XATTR_",
    kind: "bits",
    names: "CREATE REPLACE",
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
  INIT_NS_INO: {
    doc: "Inodes of the namespaces that the system started with. namespaces(7)",
    prefix: "",
    kind: "enum",
    names:
      "IPC_NS_INIT_INO UTS_NS_INIT_INO USER_NS_INIT_INO PID_NS_INIT_INO CGROUP_NS_INIT_INO TIME_NS_INIT_INO " +
      "NET_NS_INIT_INO MNT_NS_INIT_INO",
    base: 16,
  },
  INIT_NS_ID: {
    doc: "Ids of the namespaces that the system started with: NS_GET_ID. namespaces(7)",
    prefix: "",
    kind: "enum",
    names:
      "IPC_NS_INIT_ID UTS_NS_INIT_ID USER_NS_INIT_ID PID_NS_INIT_ID CGROUP_NS_INIT_ID TIME_NS_INIT_ID NET_NS_INIT_ID " +
      "MNT_NS_INIT_ID",
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
    names: "DISABLE USER ROOT",
  },
  PR_CAP_AMBIENT: {
    doc: "What prctl(PR_CAP_AMBIENT) does. PR_CAP_AMBIENT(2const)",
    prefix: "PR_CAP_AMBIENT_",
    kind: "enum",
    names: "IS_SET RAISE LOWER CLEAR_ALL",
  },
  PR_MDWE: {
    doc: "Flags of prctl(PR_SET_MDWE). PR_SET_MDWE(2const)",
    prefix: "PR_MDWE_",
    kind: "bits",
    names: "REFUSE_EXEC_GAIN NO_INHERIT",
  },
  PR_SPEC: {
    doc: "Misfeatures of CPUs: prctl(PR_SET_SPECULATION_CTRL). PR_SET_SPECULATION_CTRL(2const)",
    prefix: "PR_SPEC_",
    kind: "enum",
    names: "STORE_BYPASS INDIRECT_BRANCH L1D_FLUSH",
  },
  PR_SPEC_CTRL: {
    doc: "What becomes of one: prctl(PR_SET_SPECULATION_CTRL). PR_SET_SPECULATION_CTRL(2const)",
    prefix: "PR_SPEC_",
    kind: "bits",
    names: "NOT_AFFECTED PRCTL ENABLE DISABLE FORCE_DISABLE DISABLE_NOEXEC",
  },
  PR_SCHED_CORE: {
    doc: "What prctl(PR_SCHED_CORE) does. prctl(2)",
    prefix: "PR_SCHED_CORE_",
    kind: "enum",
    names: "GET CREATE SHARE_TO SHARE_FROM",
  },
  PR_SCHED_CORE_SCOPE: {
    doc: "Whom prctl(PR_SCHED_CORE) means. prctl(2)",
    prefix: "PR_SCHED_CORE_SCOPE_",
    kind: "enum",
    names: "THREAD THREAD_GROUP PROCESS_GROUP",
  },
  CAP: {
    doc: "Capabilities, by number. capabilities(7)",
    prefix: "CAP_",
    kind: "enum",
    names: /^CAP_(?!LAST_CAP$)[A-Z_]+$/,
  },
  LINUX_CAPABILITY_VERSION: {
    doc: "Versions of what capget and capset take. capget(2)",
    prefix: "_LINUX_CAPABILITY_VERSION_",
    kind: "enum",
    names: "1 2 3",
    base: 16,
  },
  SECBIT: {
    doc: "The securebits of prctl(PR_SET_SECUREBITS). capabilities(7)",
    prefix: "SECBIT_",
    kind: "bits",
    names:
      "NOROOT NOROOT_LOCKED NO_SETUID_FIXUP NO_SETUID_FIXUP_LOCKED KEEP_CAPS KEEP_CAPS_LOCKED NO_CAP_AMBIENT_RAISE " +
      "NO_CAP_AMBIENT_RAISE_LOCKED EXEC_RESTRICT_FILE EXEC_RESTRICT_FILE_LOCKED EXEC_DENY_INTERACTIVE " +
      "EXEC_DENY_INTERACTIVE_LOCKED",
  },
  RLIMIT: {
    doc: "Resources of prlimit64. getrlimit(2)",
    prefix: "RLIMIT_",
    kind: "enum",
    names: /^RLIMIT_[A-Z]+$/,
  },
  RUSAGE: {
    doc: "Whose usage getrusage counts. getrusage(2)",
    prefix: "RUSAGE_",
    kind: "enum",
    names: "SELF CHILDREN THREAD",
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
      "SETPIPE_SZ GETPIPE_SZ ADD_SEALS GET_SEALS GET_RW_HINT SET_RW_HINT GET_FILE_RW_HINT SET_FILE_RW_HINT " +
      "GETDELEG SETDELEG",
  },
  F_SEAL: {
    doc: "Seals of fcntl(F_ADD_SEALS). F_GET_SEALS(2const)",
    prefix: "F_SEAL_",
    kind: "bits",
    names: "SEAL SHRINK GROW WRITE FUTURE_WRITE EXEC",
  },
  F_LOCK: {
    doc: "Types of record locks: fcntl(F_SETLK). F_GETLK(2const)",
    prefix: "F_",
    kind: "enum",
    names: "RDLCK WRLCK UNLCK",
  },
  LOCK: {
    doc: "Operations of flock. flock(2)",
    prefix: "LOCK_",
    kind: "bits",
    names: "SH EX NB UN",
  },
  SEEK: {
    doc: "Whence of lseek. lseek(2)",
    prefix: "SEEK_",
    kind: "enum",
    names: "SET CUR END DATA HOLE",
  },
  FALLOC: {
    doc: "Modes of fallocate. fallocate(2)",
    prefix: "FALLOC_FL_",
    kind: "bits",
    names: "KEEP_SIZE PUNCH_HOLE NO_HIDE_STALE COLLAPSE_RANGE ZERO_RANGE INSERT_RANGE UNSHARE_RANGE WRITE_ZEROES",
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
  PIDFD_SIGNAL: {
    doc: "Flags of pidfd_send_signal. pidfd_send_signal(2)",
    prefix: "PIDFD_SIGNAL_",
    kind: "bits",
    names: "THREAD THREAD_GROUP PROCESS_GROUP",
  },
  PIDFD_INFO: {
    doc: "What ioctl(PIDFD_GET_INFO) is asked for. PIDFD_GET_INFO(2const)",
    prefix: "PIDFD_INFO_",
    kind: "bits",
    names: "PID CREDS CGROUPID EXIT COREDUMP SUPPORTED_MASK COREDUMP_SIGNAL",
  },
  PIDFD_COREDUMP: {
    doc: "How a process dumped core: ioctl(PIDFD_GET_INFO). PIDFD_GET_INFO(2const)",
    prefix: "PIDFD_COREDUMP_",
    kind: "bits",
    names: "SKIP USER ROOT",
    whole: "PIDFD_COREDUMPED",
  },
  KCMP: {
    doc: "What kcmp compares. kcmp(2)",
    prefix: "KCMP_",
    kind: "enum",
    names: "FILE VM FILES FS SIGHAND IO SYSVSEM EPOLL_TFD",
  },
  POLL: {
    doc: "Events of poll and ppoll. poll(2)",
    prefix: "POLL",
    kind: "bits",
    names: "IN PRI OUT ERR HUP NVAL RDNORM RDBAND WRNORM WRBAND MSG REMOVE RDHUP",
  },
  EPOLL: {
    doc: "Events of epoll_ctl and epoll_wait. epoll_ctl(2)",
    prefix: "EPOLL",
    kind: "bits",
    names: "IN PRI OUT ERR HUP NVAL RDNORM RDBAND WRNORM WRBAND MSG RDHUP EXCLUSIVE WAKEUP ONESHOT ET",
  },
  EPOLL_CTL: {
    doc: "Operations of epoll_ctl. epoll_ctl(2)",
    prefix: "EPOLL_CTL_",
    kind: "enum",
    names: "ADD DEL MOD",
  },
  EPOLL_CREATE: {
    doc: "Flags of epoll_create1. epoll_create(2)",
    prefix: "EPOLL_",
    kind: "bits",
    names: "CLOEXEC",
  },
  EFD: {
    doc: "Flags of eventfd2. eventfd(2)",
    headers: "sys/eventfd.h",
    prefix: "EFD_",
    kind: "bits",
    names: "SEMAPHORE CLOEXEC NONBLOCK",
  },
  SFD: {
    doc: "Flags of signalfd4. signalfd(2)",
    prefix: "SFD_",
    kind: "bits",
    names: "CLOEXEC NONBLOCK",
  },
  IN: {
    doc: "What inotify_add_watch watches, and what happened. inotify(7)",
    prefix: "IN_",
    kind: "bits",
    names:
      "ACCESS MODIFY ATTRIB CLOSE_WRITE CLOSE_NOWRITE OPEN MOVED_FROM MOVED_TO CREATE DELETE DELETE_SELF MOVE_SELF " +
      "UNMOUNT Q_OVERFLOW IGNORED ONLYDIR DONT_FOLLOW EXCL_UNLINK MASK_CREATE MASK_ADD ISDIR ONESHOT",
  },
  IN_INIT: {
    doc: "Flags of inotify_init1, of which one shares its bit with IN_MOVE_SELF. inotify_init(2)",
    prefix: "IN_",
    kind: "bits",
    names: "NONBLOCK CLOEXEC",
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
  TFD: {
    doc: "Flags of timerfd_create and timerfd_settime. timerfd_create(2)",
    prefix: "TFD_",
    kind: "bits",
    names: "TIMER_ABSTIME TIMER_CANCEL_ON_SET CLOEXEC NONBLOCK",
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
  SOL: {
    doc: "Levels of socket options and of control messages. getsockopt(2)",
    headers: "sys/socket.h netinet/in.h netinet/tcp.h netinet/udp.h",
    prefix: "SOL_",
    kind: "enum",
    names: "IP SOCKET TCP UDP IPV6 RAW PACKET NETLINK",
  },
  IPPROTO: {
    doc: "Protocols of AF_INET and AF_INET6; 0 is the one of the type. ip(7)",
    headers: "netinet/in.h",
    prefix: "IPPROTO_",
    kind: "enum",
    names: "IP ICMP TCP UDP IPV6 ICMPV6 SCTP UDPLITE RAW MPTCP",
  },
  SO: {
    doc: "Options of sockets, at SOL_SOCKET. socket(7)",
    prefix: "SO_",
    kind: "enum",
    // strace says SO_RCVTIMEO_OLD and SO_SNDTIMEO_OLD; programs leave out the end.
    names:
      "REUSEADDR TYPE ERROR BROADCAST SNDBUF RCVBUF KEEPALIVE PRIORITY LINGER REUSEPORT PASSCRED PEERCRED RCVLOWAT " +
      "RCVTIMEO SNDTIMEO BINDTODEVICE ATTACH_FILTER DETACH_FILTER ACCEPTCONN PEERSEC SNDBUFFORCE RCVBUFFORCE PASSSEC " +
      "MARK PROTOCOL DOMAIN LOCK_FILTER ATTACH_BPF COOKIE PEERGROUPS BINDTOIFINDEX NETNS_COOKIE PASSPIDFD PEERPIDFD " +
      "PASSRIGHTS",
  },
  MSG: {
    doc: "Flags of sendmsg, recvmsg and their kin. recv(2)",
    headers: "sys/socket.h",
    prefix: "MSG_",
    kind: "bits",
    names:
      "OOB PEEK DONTROUTE CTRUNC TRUNC DONTWAIT EOR WAITALL CONFIRM ERRQUEUE NOSIGNAL MORE WAITFORONE ZEROCOPY FASTOPEN " +
      "CMSG_CLOEXEC",
  },
  SCM: {
    doc: "Types of control messages, at SOL_SOCKET. unix(7)",
    headers: "sys/socket.h",
    prefix: "SCM_",
    kind: "enum",
    names: "RIGHTS CREDENTIALS SECURITY PIDFD",
  },
  SHUT: {
    doc: "How shutdown shuts. shutdown(2)",
    headers: "sys/socket.h",
    prefix: "SHUT_",
    kind: "enum",
    names: "RD WR RDWR",
  },
  NETLINK: {
    doc: "Protocols of AF_NETLINK. netlink(7)",
    prefix: "NETLINK_",
    kind: "enum",
    names: "ROUTE USERSOCK SOCK_DIAG NFLOG XFRM SELINUX AUDIT CONNECTOR NETFILTER KOBJECT_UEVENT GENERIC",
  },
  NETLINK_OPT: {
    doc: "Options of sockets, at SOL_NETLINK. netlink(7)",
    prefix: "NETLINK_",
    kind: "enum",
    names: "ADD_MEMBERSHIP DROP_MEMBERSHIP LISTEN_ALL_NSID CAP_ACK EXT_ACK GET_STRICT_CHK",
  },
  IOCTL: {
    doc: "Requests of ioctl: terminals, files, interfaces, tunnels, namespaces, pidfds, seccomp. ioctl(2)",
    prefix: "",
    kind: "enum",
    names:
      "TCGETS TCSETS TCSETSW TCSETSF TIOCSCTTY TIOCNOTTY TIOCGWINSZ TIOCSWINSZ TIOCGPGRP TIOCSPGRP TIOCSTI TIOCLINUX " +
      "TIOCGPTN TIOCSPTLCK TIOCGPTPEER FICLONE FIFREEZE FITHAW FS_IOC_GETFLAGS FS_IOC_SETFLAGS SIOCGIFNAME SIOCGIFFLAGS " +
      "SIOCSIFFLAGS SIOCGIFINDEX SIOCSIFNAME SIOCGIFADDR SIOCSIFADDR SIOCGIFNETMASK SIOCSIFNETMASK SIOCGIFMTU " +
      "SIOCSIFMTU SIOCGIFHWADDR SIOCSIFHWADDR SIOCBRADDBR SIOCBRDELBR SIOCBRADDIF SIOCBRDELIF SIOCGSKNS TUNSETIFF " +
      "TUNSETPERSIST TUNSETOWNER TUNSETGROUP NS_GET_USERNS NS_GET_PARENT NS_GET_NSTYPE NS_GET_OWNER_UID NS_GET_MNTNS_ID " +
      "NS_GET_PID_FROM_PIDNS NS_GET_TGID_FROM_PIDNS NS_GET_PID_IN_PIDNS NS_GET_TGID_IN_PIDNS NS_MNT_GET_INFO " +
      "NS_MNT_GET_NEXT NS_MNT_GET_PREV NS_GET_ID PIDFD_GET_CGROUP_NAMESPACE PIDFD_GET_IPC_NAMESPACE " +
      "PIDFD_GET_MNT_NAMESPACE PIDFD_GET_NET_NAMESPACE PIDFD_GET_PID_NAMESPACE PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE " +
      "PIDFD_GET_TIME_NAMESPACE PIDFD_GET_TIME_FOR_CHILDREN_NAMESPACE PIDFD_GET_USER_NAMESPACE PIDFD_GET_UTS_NAMESPACE " +
      "PIDFD_GET_INFO SECCOMP_IOCTL_NOTIF_RECV SECCOMP_IOCTL_NOTIF_SEND SECCOMP_IOCTL_NOTIF_ID_VALID " +
      "SECCOMP_IOCTL_NOTIF_ADDFD SECCOMP_IOCTL_NOTIF_SET_FLAGS",
    base: 16,
  },
  FS: {
    doc: "Flags of a file, as lsattr(1) shows them: ioctl(FS_IOC_SETFLAGS). FS_IOC_SETFLAGS(2const)",
    prefix: "FS_",
    kind: "bits",
    names:
      "SECRM_FL UNRM_FL COMPR_FL SYNC_FL IMMUTABLE_FL APPEND_FL NODUMP_FL NOATIME_FL DIRTY_FL COMPRBLK_FL NOCOMP_FL " +
      "ENCRYPT_FL INDEX_FL IMAGIC_FL JOURNAL_DATA_FL NOTAIL_FL DIRSYNC_FL TOPDIR_FL HUGE_FILE_FL EXTENT_FL VERITY_FL " +
      "EA_INODE_FL EOFBLOCKS_FL NOCOW_FL DAX_FL INLINE_DATA_FL PROJINHERIT_FL CASEFOLD_FL",
  },
  IFLAG: {
    doc: "Modes of a terminal's input: c_iflag of ioctl(TCSETS). termios(3)",
    headers: "asm/termbits.h",
    prefix: "",
    kind: "bits",
    names: "IGNBRK BRKINT IGNPAR PARMRK INPCK ISTRIP INLCR IGNCR ICRNL IUCLC IXON IXANY IXOFF IMAXBEL IUTF8",
    base: 8,
  },
  OFLAG: {
    doc: "Modes of a terminal's output: c_oflag of ioctl(TCSETS). termios(3)",
    headers: "asm/termbits.h",
    prefix: "",
    kind: "bits",
    names: "OPOST OLCUC ONLCR OCRNL ONOCR ONLRET OFILL OFDEL",
    base: 8,
  },
  CFLAG: {
    doc: "Control modes of a terminal: c_cflag of ioctl(TCSETS). termios(3)",
    headers: "asm/termbits.h",
    prefix: "",
    kind: "bits",
    names: "B0 B9600 B19200 B38400 B57600 B115200 CS8 CS7 CS6 CSTOPB CREAD PARENB PARODD HUPCL CLOCAL CMSPAR CRTSCTS",
    zero: "B0",
    choice: "CBAUD",
    base: 8,
  },
  LFLAG: {
    doc: "Local modes of a terminal: c_lflag of ioctl(TCSETS). termios(3)",
    headers: "asm/termbits.h",
    prefix: "",
    kind: "bits",
    names:
      "ISIG ICANON XCASE ECHO ECHOE ECHOK ECHONL NOFLSH IEXTEN ECHOCTL ECHOPRT ECHOKE FLUSHO PENDIN TOSTOP EXTPROC",
    base: 8,
  },
  CC: {
    doc: "Places in c_cc, a terminal's special characters: ioctl(TCSETS). termios(3)",
    headers: "asm/termbits.h",
    prefix: "V",
    kind: "enum",
    names: "INTR QUIT ERASE KILL EOF TIME MIN SWTC START STOP SUSP EOL REPRINT DISCARD WERASE LNEXT EOL2",
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
  TUN: {
    doc: "Flags of a tunnel: ioctl(TUNSETIFF). netdevice(7)",
    prefix: "IFF_",
    kind: "bits",
    names: "TUN TAP NO_PI VNET_HDR TUN_EXCL MULTI_QUEUE",
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
  SECCOMP_MODE: {
    doc: "Modes of prctl(PR_SET_SECCOMP). PR_SET_SECCOMP(2const)",
    prefix: "SECCOMP_MODE_",
    kind: "enum",
    names: "DISABLED STRICT FILTER",
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
  SECCOMP_USER_NOTIF: {
    doc: "Flags of a listener: ioctl(SECCOMP_IOCTL_NOTIF_SET_FLAGS). seccomp_unotify(2)",
    prefix: "SECCOMP_USER_NOTIF_",
    kind: "bits",
    names: "FD_SYNC_WAKE_UP",
  },
  SECCOMP_USER_NOTIF_FLAG: {
    doc: "Flags of an answer: ioctl(SECCOMP_IOCTL_NOTIF_SEND). seccomp_unotify(2)",
    prefix: "SECCOMP_USER_NOTIF_FLAG_",
    kind: "bits",
    names: "CONTINUE",
  },
  SECCOMP_ADDFD_FLAG: {
    doc: "Flags of ioctl(SECCOMP_IOCTL_NOTIF_ADDFD). seccomp_unotify(2)",
    prefix: "SECCOMP_ADDFD_FLAG_",
    kind: "bits",
    names: "SETFD SEND",
  },
  AUDIT_ARCH: {
    doc: "Calling conventions that a seccomp filter sees. seccomp(2)",
    prefix: "AUDIT_ARCH_",
    kind: "enum",
    names: "X86_64 AARCH64 I386 ARM",
    base: 16,
  },
  BPF_CLASS: {
    doc: "Classes of instructions, `code & 7`; the last two in eBPF, instead of RET and MISC. bpf(2)",
    prefix: "BPF_",
    kind: "enum",
    names: "LD LDX ST STX ALU JMP RET MISC JMP32 ALU64",
    base: 16,
  },
  BPF_SIZE: {
    doc: "What a load or a store moves, `code & 0x18`; DW in eBPF. bpf(2)",
    prefix: "BPF_",
    kind: "enum",
    names: "W H B DW",
    base: 16,
  },
  BPF_MODE: {
    doc: "Where a load or a store finds it, `code & 0xe0`; XADD in eBPF. bpf(2)",
    prefix: "BPF_",
    kind: "enum",
    names: "IMM ABS IND MEM LEN MSH XADD",
    base: 16,
  },
  BPF_ALU_OP: {
    doc: "What BPF_ALU computes, `code & 0xf0`; from MOV on in eBPF. bpf(2)",
    prefix: "BPF_",
    kind: "enum",
    names: "ADD SUB MUL DIV OR AND LSH RSH NEG MOD XOR MOV ARSH END",
    base: 16,
  },
  BPF_JMP_OP: {
    doc: "When BPF_JMP jumps, `code & 0xf0`; from JNE on in eBPF. bpf(2)",
    prefix: "BPF_",
    kind: "enum",
    names: "JA JEQ JGT JGE JSET JNE JSGT JSGE CALL EXIT JLT JLE JSLT JSLE",
    base: 16,
  },
  BPF_SRC: {
    doc: "The operand of BPF_ALU and BPF_JMP, `code & 8`: the constant or the register. bpf(2)",
    prefix: "BPF_",
    kind: "enum",
    names: "K X",
    base: 16,
  },
  BPF_RVAL: {
    doc: "What BPF_RET returns, `code & 0x18`. bpf(2)",
    prefix: "BPF_",
    kind: "enum",
    names: "K X A",
    base: 16,
  },
  BPF_MISCOP: {
    doc: "Which way BPF_MISC copies, `code & 0xf8`. bpf(2)",
    prefix: "BPF_",
    kind: "enum",
    names: "TAX TXA",
    base: 16,
  },
  BPF: {
    doc: "Commands of bpf. bpf(2)",
    prefix: "BPF_",
    kind: "enum",
    names:
      "MAP_CREATE MAP_LOOKUP_ELEM MAP_UPDATE_ELEM MAP_DELETE_ELEM PROG_LOAD OBJ_PIN OBJ_GET PROG_ATTACH PROG_DETACH " +
      "PROG_GET_NEXT_ID PROG_GET_FD_BY_ID OBJ_GET_INFO_BY_FD PROG_QUERY LINK_CREATE LINK_UPDATE LINK_GET_FD_BY_ID " +
      "LINK_DETACH TOKEN_CREATE",
  },
  BPF_PROG_TYPE: {
    doc: "Types of programs: bpf(BPF_PROG_LOAD). bpf(2)",
    prefix: "BPF_PROG_TYPE_",
    kind: "enum",
    names:
      "UNSPEC SOCKET_FILTER XDP CGROUP_SKB CGROUP_SOCK SOCK_OPS CGROUP_DEVICE CGROUP_SOCK_ADDR CGROUP_SYSCTL " +
      "CGROUP_SOCKOPT LSM",
  },
  BPF_ATTACH_TYPE: {
    doc: "Where programs are attached, those of cgroups: bpf(BPF_PROG_ATTACH). bpf(2)",
    prefix: "BPF_",
    kind: "enum",
    names:
      "CGROUP_INET_INGRESS CGROUP_INET_EGRESS CGROUP_INET_SOCK_CREATE CGROUP_SOCK_OPS CGROUP_DEVICE CGROUP_INET4_BIND " +
      "CGROUP_INET6_BIND CGROUP_INET4_CONNECT CGROUP_INET6_CONNECT CGROUP_INET4_POST_BIND CGROUP_INET6_POST_BIND " +
      "CGROUP_UDP4_SENDMSG CGROUP_UDP6_SENDMSG CGROUP_SYSCTL CGROUP_UDP4_RECVMSG CGROUP_UDP6_RECVMSG CGROUP_GETSOCKOPT " +
      "CGROUP_SETSOCKOPT CGROUP_INET4_GETPEERNAME CGROUP_INET6_GETPEERNAME CGROUP_INET4_GETSOCKNAME " +
      "CGROUP_INET6_GETSOCKNAME CGROUP_INET_SOCK_RELEASE LSM_CGROUP CGROUP_UNIX_CONNECT CGROUP_UNIX_SENDMSG " +
      "CGROUP_UNIX_RECVMSG CGROUP_UNIX_GETPEERNAME CGROUP_UNIX_GETSOCKNAME",
  },
  BPF_F: {
    doc: "Flags of bpf(BPF_PROG_ATTACH). bpf(2)",
    prefix: "BPF_F_",
    kind: "bits",
    names: "ALLOW_OVERRIDE ALLOW_MULTI REPLACE BEFORE AFTER ID PREORDER LINK",
  },
  BPF_F_QUERY: {
    doc: "Flags of bpf(BPF_PROG_QUERY). bpf(2)",
    prefix: "BPF_F_QUERY_",
    kind: "bits",
    names: "EFFECTIVE",
  },
  BPF_DEVCG_ACC: {
    doc: "Accesses that a device program judges, the upper 16 bits of access_type. bpf(2)",
    prefix: "BPF_DEVCG_ACC_",
    kind: "bits",
    names: "MKNOD READ WRITE",
  },
  BPF_DEVCG_DEV: {
    doc: "Devices that a device program judges, the lower 16 bits of access_type. bpf(2)",
    prefix: "BPF_DEVCG_DEV_",
    kind: "enum",
    names: "BLOCK CHAR",
  },
  SCHED: {
    doc: "Scheduling policies. sched_setscheduler(2)",
    prefix: "SCHED_",
    kind: "enum",
    // The kernel says SCHED_NORMAL; POSIX, libc and strace say SCHED_OTHER.
    names: "OTHER=SCHED_NORMAL FIFO RR BATCH IDLE DEADLINE EXT",
  },
  SCHED_FLAG: {
    doc: "Flags of sched_setattr. sched_setattr(2)",
    prefix: "SCHED_FLAG_",
    kind: "bits",
    names: "RESET_ON_FORK RECLAIM DL_OVERRUN KEEP_POLICY KEEP_PARAMS UTIL_CLAMP_MIN UTIL_CLAMP_MAX",
  },
  PRIO: {
    doc: "Whose nice value setpriority sets. getpriority(2)",
    prefix: "PRIO_",
    kind: "enum",
    names: "PROCESS PGRP USER",
  },
  IOPRIO_WHO: {
    doc: "Whose priority ioprio_set sets. ioprio_set(2)",
    prefix: "IOPRIO_WHO_",
    kind: "enum",
    names: "PROCESS PGRP USER",
  },
  IOPRIO_CLASS: {
    doc: "Classes of ioprio_set, above 13 bits of priority. ioprio_set(2)",
    prefix: "IOPRIO_CLASS_",
    kind: "enum",
    names: "NONE RT BE IDLE",
  },
  PER: {
    doc: "Execution domains and their flags. personality(2)",
    prefix: "PER_",
    kind: "bits",
    names: "LINUX LINUX32",
    whole:
      "UNAME26 ADDR_NO_RANDOMIZE MMAP_PAGE_ZERO ADDR_COMPAT_LAYOUT READ_IMPLIES_EXEC ADDR_LIMIT_32BIT SHORT_INODE " +
      "WHOLE_SECONDS STICKY_TIMEOUTS ADDR_LIMIT_3GB",
    zero: "PER_LINUX",
    choice: "PER_MASK",
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
  KEY_SPEC: {
    doc: "Keyrings by what they are of: keyctl, add_key. keyctl(2)",
    prefix: "KEY_SPEC_",
    kind: "enum",
    names:
      "THREAD_KEYRING PROCESS_KEYRING SESSION_KEYRING USER_KEYRING USER_SESSION_KEYRING GROUP_KEYRING REQKEY_AUTH_KEY " +
      "REQUESTOR_KEYRING",
  },
  KEY: {
    doc: "Permissions of a key, of who possesses it, its owner, its group and others: keyctl(KEYCTL_SETPERM). keyrings(7)",
    prefix: "KEY_",
    kind: "bits",
    names:
      "POS_VIEW POS_READ POS_WRITE POS_SEARCH POS_LINK POS_SETATTR USR_VIEW USR_READ USR_WRITE USR_SEARCH USR_LINK " +
      "USR_SETATTR GRP_VIEW GRP_READ GRP_WRITE GRP_SEARCH GRP_LINK GRP_SETATTR OTH_VIEW OTH_READ OTH_WRITE OTH_SEARCH " +
      "OTH_LINK OTH_SETATTR",
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

/** Numbers that stand alone, in fcntl.h or newer than the headers. */
const constants: Record<string, string> = {
  AT_FDCWD: "The working directory, where a call takes a directory's descriptor. openat(2)",
  PIDFD_SELF_THREAD: "The caller's thread, where a call takes a pidfd; also PIDFD_SELF. pidfd_open(2), Linux 6.15",
  PIDFD_SELF_THREAD_GROUP: "The caller's process, where a call takes a pidfd. pidfd_open(2), Linux 6.17",
  FD_PIDFS_ROOT: "The file system of pidfds, where open_by_handle_at takes a mount. open_by_handle_at(2), Linux 6.17",
  FD_NSFS_ROOT:
    "The file system of namespaces, where open_by_handle_at takes a mount. open_by_handle_at(2), Linux 6.18",
};

/** As `constants`, for what needs 64 bits. */
const wideConstants: Record<string, string> = {
  LSMT_ROOT: "The root, where listmount takes a mount's id. listmount(2), Linux 6.8",
  LISTNS_CURRENT_USER: "The caller's user namespace, where listns takes an id. listns(2), Linux 6.19",
};

/** Two files are made of the sets. */
let measured: ReturnType<typeof measureSets> | undefined;

const outputs: Record<string, () => string> = {
  "src/sys/errno.ts": errnoFile,
  "src/sys/numbers.ts": numbersFile,
  "src/sys/flags.ts": flagsFile,
  "src/sys/flag-sets.ts": flagSetsFile,
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

/** EPERM and its kin. */
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

/** A syscall by the kernel's name, on any architecture. */
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

/** What the sets come to: members as x86-64 and aarch64 have them. */
function measureSets() {
  const values = setValues();
  return Object.entries(sets).map(([set, source]) => {
    const [x64, arm64] = values(source);
    const members = [...namesOf(source)].map(([name, c]) => ({ name, values: [x64[c]!, arm64[c]!] as const }));
    if (source.names instanceof RegExp) members.sort((a, b) => a.values[0] - b.values[0]);
    const literal = (value: number) => literalOf(value, source.base ?? (source.kind === "bits" ? 16 : 10));
    return { set, source, members, literal, choice: source.choice === undefined ? undefined : x64[source.choice]! };
  });
}
function allSets() {
  return (measured ??= measureSets());
}

function flagsFile(): string {
  const consts = allSets().map(({ set, source, members, literal }) => {
    const pairs = members.map(({ name, values: [x64, arm64] }) =>
      x64 === arm64 ? `${key(name)}: ${literal(x64)}` : `${key(name)}: isArm64 ? ${literal(arm64)} : ${literal(x64)}`,
    );
    return `/** ${source.doc} */\nexport const ${set} = { ${pairs.join(", ")} } as const;\n`;
  });
  return `/** Flags and enumerations of the syscalls: the kernel's names without their prefix. How they are printed is in flag-sets.ts. */

const isArm64 = process.arch === "arm64";

${consts.join("\n")}
${constantsOf(constants, String)}
${constantsOf(wideConstants, (value) => `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}n`)}`;
}

function flagSetsFile(): string {
  const rows = allSets().map(({ set, source, literal, choice }) => {
    const more = [
      source.zero === undefined ? "" : `, zero: ${JSON.stringify(source.zero)}`,
      choice === undefined ? "" : `, choice: ${literal(choice)}`,
      source.whole === undefined ? "" : `, whole: ${JSON.stringify(source.whole.split(" "))}`,
    ];
    return `  ${set}: { prefix: "${source.prefix}", kind: "${source.kind}", values: flags.${set}${more.join("")} },`;
  });
  const differing = allSets().flatMap(({ set, members, literal }) => {
    const pairs = members
      .filter(({ values }) => values[0] !== values[1])
      .map(({ name, values }) => `${key(name)}: [${values.map(literal).join(", ")}]`);
    return pairs.length === 0 ? [] : [`${set}: { ${pairs.join(", ")} }`];
  });
  return `/** The sets of flags by name: how a word of each is printed, and what it is on another architecture. */
import * as flags from "./flags.ts";
import type { Arch } from "./numbers.ts";

/**
 * How to print a word of a set as strace(1) does.
 *
 * An enum is the name of its value. Bits are the names in the order of \`values\`, joined with "|": a name is taken when
 * all its bits are left and then takes them away, so that a name of several bits (\`O.SYNC\`) stands before names of its
 * parts; names worth 0 are never taken; what is left at last is printed in hexadecimal. JavaScript's own \`|\` and \`&\`
 * see only 32 bits, with a sign, and \`CLONE.INTO_CGROUP\` is beyond them: print with BigInt, and add that flag with \`+\`.
 */
export interface FlagSet {
  /** What all names begin with in C: "MS_". */
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
${rows.join("\n")}
} as const satisfies Readonly<Record<string, FlagSet>>;

/** The name of a set, as flags.ts exports it. */
export type FlagSetName = keyof typeof flagSets;

/** What is one thing on x86-64 and another on aarch64, in this order. */
const differing = { ${differing.join(", ")} } as const;

/** A word of flags as \`arch\` has it, from the word as \`from\` has it: few differ between the two. */
export function flagWord(set: FlagSetName, word: number, arch: Arch, from: Arch = process.arch as Arch): number {
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

/** Exported constants, one by one, with their documentation. */
function constantsOf(docs: Record<string, string>, literal: (value: number) => string): string {
  const values = evaluate("x64", "linux/fcntl.h", Object.keys(docs));
  const lines = Object.entries(docs).map(
    ([name, doc]) => `/** ${doc} */\nexport const ${name} = ${literal(values[name]!)};\n`,
  );
  return lines.join("\n");
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
