/** Namespaces: making, entering, asking about them. namespaces(7) */
import type { Arg } from "../call.ts";
import { AT_HANDLE, IOCTL, PIDFD_INFO } from "../flags.ts";
import {
  bits,
  define,
  fd,
  type FdArg,
  int,
  lengthOf,
  long,
  type LongArg,
  one,
  type Out,
  out,
  type PidArg,
  refused,
  roomForIds,
  text,
} from "../primitive.ts";

/**
 * `unshare(flags)`: move the calling thread into new namespaces. unshare(2)
 * pid and time: for its children, and time also at its next execve (Linux 6.2). From then on the process can make no threads (EINVAL),
 * and Bun aborts when it needs one: leave at once by setns, or let a step do it.
 * @throws {SyscallError} EPERM without CAP_SYS_ADMIN, but for CLONE_NEWUSER; EINVAL for CLONE_NEWUSER in a process with threads, as Bun is.
 */
export const unshare = /* @__PURE__ */ define("unshare", "none", (flags: number) => [bits("CLONE", flags)]);
/**
 * `setns(fd, nstype)`: enter the namespace behind a descriptor, of kind `nstype` or, with 0, of any; or with a pidfd all those
 * namespaces of a process that `nstype` names, at once or not at all (Linux 5.8). setns(2)
 * @throws {SyscallError} EINVAL when it is of another kind than `nstype`; EPERM without CAP_SYS_ADMIN there; ESRCH when the process has ended.
 */
export const setns = /* @__PURE__ */ define("setns", "none", (ns: FdArg, nstype: number) => [
  fd(ns),
  bits("CLONE", nstype),
]);
/**
 * `sethostname(name, len)`: of the caller's uts namespace; at most 64 bytes. sethostname(2)
 * @throws {SyscallError} EPERM without CAP_SYS_ADMIN in the user namespace that owns it; EINVAL when it is longer.
 */
export const sethostname = /* @__PURE__ */ define("sethostname", "none", (name: string) => [
  { data: name },
  lengthOf(name),
]);
/** `setdomainname(name, len)`: of the caller's uts namespace, the NIS domain; at most 64 bytes. setdomainname(2) */
export const setdomainname = /* @__PURE__ */ define("setdomainname", "none", (name: string) => [
  { data: name },
  lengthOf(name),
]);

// Descriptors of namespaces

/**
 * `ioctl(fd, NS_GET_USERNS)`: the user namespace that owns a namespace. NS_GET_USERNS(2const), Linux 4.9
 * @throws {SyscallError} EPERM when that is out of the caller's sight: not its own nor below.
 */
export const nsGetUserns = /* @__PURE__ */ define("ioctl", "fd", (ns: FdArg) => [
  fd(ns),
  one("IOCTL", IOCTL.NS_GET_USERNS),
]);
/**
 * `ioctl(fd, NS_GET_PARENT)`: the parent of a pid or user namespace. NS_GET_PARENT(2const), Linux 4.9
 * @throws {SyscallError} EPERM when that is out of the caller's sight; EINVAL for other kinds, which have none.
 */
export const nsGetParent = /* @__PURE__ */ define("ioctl", "fd", (ns: FdArg) => [
  fd(ns),
  one("IOCTL", IOCTL.NS_GET_PARENT),
]);
/**
 * `ioctl(fd, NS_GET_NSTYPE)`: its kind, as a CLONE_NEW* flag. NS_GET_NSTYPE(2const), Linux 4.11
 * @throws {SyscallError} ENOTTY for what is no namespace.
 */
export const nsGetNstype = /* @__PURE__ */ define("ioctl", "number", (ns: FdArg) => [
  fd(ns),
  one("IOCTL", IOCTL.NS_GET_NSTYPE),
]);
/**
 * `ioctl(fd, NS_GET_OWNER_UID, uid)`: the user who made a user namespace, as the caller counts uids. NS_GET_OWNER_UID(2const), Linux 4.11
 * @throws {SyscallError} EINVAL for other kinds.
 */
export const nsGetOwnerUid = /* @__PURE__ */ define("ioctl", "u32", (ns: FdArg, uid: Out = 4) => [
  fd(ns),
  one("IOCTL", IOCTL.NS_GET_OWNER_UID),
  out(uid, 4),
]);
/**
 * `ioctl(fd, NS_GET_PID_FROM_PIDNS, pid)`: a thread that is `pid` in that pid namespace, as the caller counts. ioctl_nsfs(2), Linux 6.11
 * @throws {SyscallError} ESRCH when there is none; EINVAL when the namespace is of another kind.
 */
export const nsGetPidFromPidns = /* @__PURE__ */ define("ioctl", "number", (pidns: FdArg, pid: PidArg) => [
  fd(pidns),
  one("IOCTL", IOCTL.NS_GET_PID_FROM_PIDNS),
  int(pid),
]);
/** `ioctl(fd, NS_GET_TGID_FROM_PIDNS, pid)`: the process of a thread that is `pid` in that pid namespace, as the caller counts. ioctl_nsfs(2), Linux 6.11 */
export const nsGetTgidFromPidns = /* @__PURE__ */ define("ioctl", "number", (pidns: FdArg, pid: PidArg) => [
  fd(pidns),
  one("IOCTL", IOCTL.NS_GET_TGID_FROM_PIDNS),
  int(pid),
]);
/**
 * `ioctl(fd, NS_GET_PID_IN_PIDNS, pid)`: a thread that is `pid` for the caller, as that pid namespace counts. ioctl_nsfs(2), Linux 6.11
 * @throws {SyscallError} ESRCH when there is none, or it is not in that namespace.
 */
export const nsGetPidInPidns = /* @__PURE__ */ define("ioctl", "number", (pidns: FdArg, pid: PidArg) => [
  fd(pidns),
  one("IOCTL", IOCTL.NS_GET_PID_IN_PIDNS),
  int(pid),
]);
/** `ioctl(fd, NS_GET_TGID_IN_PIDNS, pid)`: the process of a thread that is `pid` for the caller, as that pid namespace counts. ioctl_nsfs(2), Linux 6.11 */
export const nsGetTgidInPidns = /* @__PURE__ */ define("ioctl", "number", (pidns: FdArg, pid: PidArg) => [
  fd(pidns),
  one("IOCTL", IOCTL.NS_GET_TGID_IN_PIDNS),
  int(pid),
]);
/**
 * `ioctl(fd, NS_GET_MNTNS_ID, id)`: the id of a mount namespace, as statmount takes it, never used again. ioctl_nsfs(2), Linux 6.11
 * @throws {SyscallError} EINVAL for other kinds.
 */
export const nsGetMntnsId = /* @__PURE__ */ define("ioctl", "u64", (mntns: FdArg, id: Out = 8) => [
  fd(mntns),
  one("IOCTL", IOCTL.NS_GET_MNTNS_ID),
  out(id, 8),
]);
/** `ioctl(fd, NS_GET_ID, id)`: the id of a namespace of any kind, never used again, unlike its inode. ioctl_nsfs(2), Linux 6.18 */
export const nsGetId = /* @__PURE__ */ define("ioctl", "u64", (ns: FdArg, id: Out = 8) => [
  fd(ns),
  one("IOCTL", IOCTL.NS_GET_ID),
  out(id, 8),
]);
/**
 * `ioctl(fd, NS_MNT_GET_INFO, info)`: how many mounts a mount namespace has, and its id. ioctl_nsfs(2), Linux 6.12
 * @throws {SyscallError} EINVAL for other kinds.
 */
export const nsMntGetInfo = /* @__PURE__ */ define(
  "ioctl",
  "mnt_ns_info",
  (mntns: FdArg, info: Out = "mnt_ns_info") => [
    fd(mntns),
    one("IOCTL", IOCTL.NS_MNT_GET_INFO),
    out(info, "mnt_ns_info"),
  ],
);
/**
 * `ioctl(fd, NS_MNT_GET_NEXT, info)`: the mount namespace with the next higher id, of those that the caller has CAP_SYS_ADMIN over. ioctl_nsfs(2), Linux 6.12
 * @param info 16 bytes, for the struct of NS_MNT_GET_INFO about it.
 * @throws {SyscallError} ENOENT when it was the last; EPERM where newer kernels tell it only who rules over the first namespaces.
 */
export const nsMntGetNext = /* @__PURE__ */ define("ioctl", "fd", (mntns: FdArg, info: Uint8Array | null = null) => [
  fd(mntns),
  one("IOCTL", IOCTL.NS_MNT_GET_NEXT),
  info === null ? null : out(info, "mnt_ns_info"),
]);
/** `ioctl(fd, NS_MNT_GET_PREV, info)`: as NS_MNT_GET_NEXT, the one with the next lower id. ioctl_nsfs(2), Linux 6.12 */
export const nsMntGetPrev = /* @__PURE__ */ define("ioctl", "fd", (mntns: FdArg, info: Uint8Array | null = null) => [
  fd(mntns),
  one("IOCTL", IOCTL.NS_MNT_GET_PREV),
  info === null ? null : out(info, "mnt_ns_info"),
]);
/**
 * `ioctl(fd, SIOCGSKNS, NULL)`: the network namespace of a socket. netdevice(7), Linux 4.10
 * @throws {SyscallError} EPERM without CAP_NET_ADMIN there; ENOTTY for what is no socket.
 */
export const siocgskns = /* @__PURE__ */ define("ioctl", "fd", (socket: FdArg) => [
  fd(socket),
  one("IOCTL", IOCTL.SIOCGSKNS),
  null,
]);

// Namespaces and more of a process, by a descriptor of it

const namespaceOf = (request: number) => define("ioctl", "fd", (pidfd: FdArg) => [fd(pidfd), one("IOCTL", request), 0]);

/**
 * `ioctl(pidfd, PIDFD_GET_CGROUP_NAMESPACE, 0)`: the cgroup namespace of a process. ioctl_pidfd(2), Linux 6.11
 * @throws {SyscallError} EACCES without the right to look into the process, as ptrace(2) has it; ESRCH when it has ended.
 */
export const pidfdGetCgroupNamespace = namespaceOf(IOCTL.PIDFD_GET_CGROUP_NAMESPACE);
/** `ioctl(pidfd, PIDFD_GET_IPC_NAMESPACE, 0)`: the ipc namespace of a process. ioctl_pidfd(2), Linux 6.11 */
export const pidfdGetIpcNamespace = namespaceOf(IOCTL.PIDFD_GET_IPC_NAMESPACE);
/** `ioctl(pidfd, PIDFD_GET_MNT_NAMESPACE, 0)`: the mount namespace of a process. ioctl_pidfd(2), Linux 6.11 */
export const pidfdGetMntNamespace = namespaceOf(IOCTL.PIDFD_GET_MNT_NAMESPACE);
/** `ioctl(pidfd, PIDFD_GET_NET_NAMESPACE, 0)`: the network namespace of a process. ioctl_pidfd(2), Linux 6.11 */
export const pidfdGetNetNamespace = namespaceOf(IOCTL.PIDFD_GET_NET_NAMESPACE);
/** `ioctl(pidfd, PIDFD_GET_PID_NAMESPACE, 0)`: the pid namespace that a process is in. ioctl_pidfd(2), Linux 6.11 */
export const pidfdGetPidNamespace = namespaceOf(IOCTL.PIDFD_GET_PID_NAMESPACE);
/** `ioctl(pidfd, PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE, 0)`: the pid namespace of its children to come. ioctl_pidfd(2), Linux 6.11 */
export const pidfdGetPidForChildrenNamespace = namespaceOf(IOCTL.PIDFD_GET_PID_FOR_CHILDREN_NAMESPACE);
/** `ioctl(pidfd, PIDFD_GET_TIME_NAMESPACE, 0)`: the time namespace that a process is in. ioctl_pidfd(2), Linux 6.11 */
export const pidfdGetTimeNamespace = namespaceOf(IOCTL.PIDFD_GET_TIME_NAMESPACE);
/** `ioctl(pidfd, PIDFD_GET_TIME_FOR_CHILDREN_NAMESPACE, 0)`: the time namespace of its children to come. ioctl_pidfd(2), Linux 6.11 */
export const pidfdGetTimeForChildrenNamespace = namespaceOf(IOCTL.PIDFD_GET_TIME_FOR_CHILDREN_NAMESPACE);
/** `ioctl(pidfd, PIDFD_GET_USER_NAMESPACE, 0)`: the user namespace of a process. ioctl_pidfd(2), Linux 6.11 */
export const pidfdGetUserNamespace = namespaceOf(IOCTL.PIDFD_GET_USER_NAMESPACE);
/** `ioctl(pidfd, PIDFD_GET_UTS_NAMESPACE, 0)`: the uts namespace of a process. ioctl_pidfd(2), Linux 6.11 */
export const pidfdGetUtsNamespace = namespaceOf(IOCTL.PIDFD_GET_UTS_NAMESPACE);
/**
 * `ioctl(pidfd, PIDFD_GET_INFO, info)`: what is known of a process; `mask` of the result says which fields hold. Pids and uids as
 * the caller's namespaces count. PIDFD_GET_INFO(2const), Linux 6.13
 * @param mask What to ask for: PIDFD_INFO_CGROUPID, PIDFD_INFO_EXIT, ...; pids and credentials come in any case. PIDFD_INFO_EXIT
 * tells how a process ended, as wait(2) encodes it, when somebody has reaped it (Linux 6.15).
 * @throws {SyscallError} ESRCH when it has ended, or is not in sight of the caller's pid namespace.
 */
export const pidfdGetInfo = /* @__PURE__ */ define(
  "ioctl",
  "pidfd_info",
  (pidfd: FdArg, mask: number = PIDFD_INFO.PID | PIDFD_INFO.CREDS | PIDFD_INFO.CGROUPID) => [
    fd(pidfd),
    one("IOCTL", IOCTL.PIDFD_GET_INFO),
    { struct: "pidfd_info", fields: { mask: bits("PIDFD_INFO", mask) }, out: true },
  ],
);

// Handles: files and namespaces by a name that is not a path

/** What name_to_handle_at gives: of `f_handle` the first `handle_bytes` are used. */
export interface FileHandle {
  /** Bytes of `f_handle` that are used, at most 128. */
  readonly handle_bytes: number;
  /** What the file system calls the form of the handle. */
  readonly handle_type: number;
  readonly f_handle: Uint8Array;
}

/** A namespace by its id, and by kind (CLONE_NEW*) and inode, or zeros for both of these (Linux 6.19). */
export interface NamespaceHandle {
  /** As NS_GET_ID gives it. */
  readonly ns_id: bigint;
  readonly ns_type?: number;
  /** The inode in /proc/PID/ns. */
  readonly ns_inum?: number;
}

/**
 * `name_to_handle_at(dirfd, path, handle, mount_id, flags)`: a handle of a file, or of a namespace (Linux 6.18) or pidfd (Linux 6.14). open_by_handle_at(2)
 * @param mountId Room for the id of its mount: 4 bytes as in mountinfo, 8 with AT_HANDLE_MNT_ID_UNIQUE.
 * @throws {SyscallError} EOPNOTSUPP when the file system gives none.
 */
export const nameToHandleAt = /* @__PURE__ */ define(
  "name_to_handle_at",
  "file_handle",
  (dirfd: FdArg, path: string, flags: number, mountId: Out = 8) => [
    fd(dirfd),
    text(path),
    { struct: "file_handle", fields: { handle_bytes: 128 }, out: true },
    out(mountId, flags & AT_HANDLE.MNT_ID_UNIQUE ? 8 : 4),
    bits("AT_HANDLE", flags),
  ],
);
/**
 * `open_by_handle_at(mount_fd, handle, flags)`: the file of a handle, in the file system that `mount` lies in: a descriptor, AT_FDCWD,
 * FD_PIDFS_ROOT, FD_NSFS_ROOT. open_by_handle_at(2)
 * @throws {SyscallError} EPERM without CAP_DAC_READ_SEARCH in the first user namespace, but for namespaces that the caller is in,
 * or has CAP_SYS_ADMIN over; ESTALE when there is no such file, or none in sight.
 */
export const openByHandleAt = /* @__PURE__ */ define(
  "open_by_handle_at",
  "fd",
  (mount: FdArg, handle: FileHandle | NamespaceHandle, flags: number) => [
    fd(mount),
    handleArg(handle),
    bits("O", flags),
  ],
);

function handleArg(handle: FileHandle | NamespaceHandle): Arg {
  const isObject = typeof handle === "object" && handle !== null;
  if (isObject && "ns_id" in handle && typeof handle.ns_id === "bigint") return namespaceHandle(handle);
  if (isObject && "f_handle" in handle && handle.f_handle instanceof Uint8Array) return fileHandle(handle);
  return refused(handle, "a handle, as name_to_handle_at gives it, or { ns_id: 1n } of a namespace");
}

const fileHandle = ({ handle_bytes, handle_type, f_handle }: FileHandle): Arg => ({
  struct: "file_handle",
  fields: {
    handle_bytes: int(handle_bytes),
    handle_type: int(handle_type),
    f_handle: f_handle.subarray(0, handle_bytes),
  },
});

function namespaceHandle({ ns_id, ns_type = 0, ns_inum = 0 }: NamespaceHandle): Arg {
  if (ns_id !== BigInt.asUintN(64, ns_id)) return refused(ns_id, "the id of a namespace, of 64 bits");
  for (const word of [ns_type, ns_inum])
    if (!Number.isInteger(word) || word !== word >>> 0) return refused(word, "an integer of 32 bits");
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, ns_id, true);
  view.setUint32(8, ns_type, true);
  view.setUint32(12, ns_inum, true);
  return fileHandle({ handle_bytes: 16, handle_type: FILEID_NSFS, f_handle: bytes });
}

/** The kernel's include/linux/exportfs.h */
const FILEID_NSFS = 0xf1;

/** Which namespaces listns lists; all that is left out is no limit. */
export interface NamespaceQuery {
  /** Those after the one with this id: the last of the list before. */
  readonly after?: LongArg;
  /** Of these kinds: CLONE_NEW*, or 0 for all. */
  readonly types?: number;
  /** Those that this user namespace owns, by its id, or LISTNS_CURRENT_USER. */
  readonly owner?: LongArg;
}

/**
 * `listns(req, ns_ids, nr_ns_ids, flags)`: ids of the namespaces that are in use, from low to high, as many as there is room for. listns(2), Linux 6.19
 * @param ids Room for the ids, of 8 bytes each: 512 of them, where nothing else is said.
 */
export const listns = /* @__PURE__ */ define("listns", "ids", (query: NamespaceQuery = {}, ids: Out = 4096) => [
  {
    struct: "ns_id_req",
    fields: {
      size: 32,
      ns_id: long(query.after ?? 0),
      ns_type: bits("CLONE", query.types ?? 0),
      user_ns_id: long(query.owner ?? 0),
    },
  },
  out(ids),
  roomForIds(ids),
  0,
]);
