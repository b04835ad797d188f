/** Mounts: mount(2), the calls that work on descriptors of mounts, and what tells about mounts and their file systems. */
import type { Arg, Text } from "../call.ts";
import { AT_FDCWD, FSCONFIG } from "../flags.ts";
import {
  bits,
  data,
  define,
  fd,
  type FdArg,
  lengthOf,
  long,
  type LongArg,
  named,
  one,
  type Out,
  out,
  refused,
  room,
  roomForIds,
  text,
  textOrNull,
} from "../primitive.ts";

/**
 * `mount(source, target, filesystemtype, mountflags, data)`, with at most 4095 bytes of data. mount(2)
 * @throws {SyscallError} EINVAL also for an option that the file system does not know; only dmesg says which. `fsconfig*` say it themselves.
 */
export const mount = /* @__PURE__ */ define(
  "mount",
  "none",
  (source: Text | null, target: Text, type: string | null, flags: number, data: Text | null) => [
    textOrNull(source),
    text(target),
    textOrNull(type),
    bits("MS", flags),
    // The kernel would cut it in silence.
    typeof data === "string" && data.length > mostData
      ? refused(data, `at most ${mostData} bytes of data`)
      : textOrNull(data),
  ],
);

/** A page with its NUL. */
const mostData = 4095;

/**
 * `umount2(target, flags)`: with MNT_DETACH out of sight at once, and gone when nobody uses it any more. umount(2)
 * @throws {SyscallError} EBUSY when it is in use. @throws {SyscallError} EINVAL when it is not a mount point.
 */
export const umount2 = /* @__PURE__ */ define("umount2", "none", (target: Text, flags: number) => [
  text(target),
  bits("MNT", flags),
]);
/**
 * `pivot_root(new_root, put_old)`: make another mount the root. pivot_root(2)
 * @throws {SyscallError} EINVAL when `newRoot` is not a mount point, or its parent mount is shared.
 */
export const pivotRoot = /* @__PURE__ */ define("pivot_root", "none", (newRoot: Text, putOld: Text) => [
  text(newRoot),
  text(putOld),
]);
/**
 * `chroot(path)`: the root directory of the caller; the working directory stays where it is, and is a way out. chroot(2)
 * @throws {SyscallError} EPERM without CAP_SYS_CHROOT.
 */
export const chroot = /* @__PURE__ */ define("chroot", "none", (path: Text) => [text(path)]);

// Trees of mounts

/**
 * `open_tree(dirfd, filename, flags)`: with OPEN_TREE_CLONE a detached copy of a mount, or with AT_RECURSIVE of all below. open_tree(2), Linux 5.2
 * @throws {SyscallError} EINVAL when a mount to be copied is unbindable, or locked to another.
 */
export const openTree = /* @__PURE__ */ define("open_tree", "fd", (dirfd: FdArg, path: Text, flags: number) => [
  fd(dirfd),
  text(path),
  bits("OPEN_TREE", flags),
]);
/**
 * `open_tree_attr(dirfd, filename, flags, attr, size)`: open_tree and mount_setattr in one. open_tree_attr(2), Linux 6.15
 * @param more As of {@link mountSetattr}; here a mount that is mapped already can be copied with another mapping.
 */
export const openTreeAttr = /* @__PURE__ */ define(
  "open_tree_attr",
  "fd",
  (dirfd: FdArg, path: Text, flags: number, set: number, clear: number = 0, more: MountAttributes = {}) => [
    fd(dirfd),
    text(path),
    bits("OPEN_TREE", flags),
    mountAttr(set, clear, named(more)),
    32,
  ],
);
/**
 * `move_mount(from_dirfd, from_pathname, to_dirfd, to_pathname, flags)`: attach a detached mount, or move one. move_mount(2), Linux 5.2
 * MOVE_MOUNT_BENEATH puts it under what is mounted there (Linux 6.5), MOVE_MOUNT_SET_GROUP only copies its propagation (Linux 5.15).
 * @throws {SyscallError} EINVAL when an attached mount lies below a shared one. @throws {SyscallError} ELOOP when it would be below itself.
 */
export const moveMount = /* @__PURE__ */ define(
  "move_mount",
  "none",
  (from: FdArg, fromPath: Text, to: FdArg, toPath: Text, flags: number) => [
    fd(from),
    text(fromPath),
    fd(to),
    text(toPath),
    bits("MOVE_MOUNT", flags),
  ],
);

/** What mount_setattr takes beside attributes to set and to clear. mount_setattr(2) */
export interface MountAttributes {
  /** One of MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE; 0 leaves it as it is. */
  readonly propagation?: number;
  /** With MOUNT_ATTR_IDMAP, the user namespace whose maps say who owns the files. */
  readonly usernsFd?: FdArg;
}

const mountAttr = (set: number, clear: number, more: MountAttributes): Arg => ({
  struct: "mount_attr",
  fields: {
    attr_set: bits("MOUNT_ATTR", set),
    attr_clr: bits("MOUNT_ATTR", clear),
    propagation: bits("MS", more.propagation ?? 0),
    userns_fd: fd(more.usernsFd ?? 0),
  },
});

/**
 * `mount_setattr(dirfd, pathname, flags, attr, size)`: attributes of a mount, and with AT_RECURSIVE of all below. mount_setattr(2), Linux 5.12
 * Of the times of access one is set, with MOUNT_ATTR__ATIME to clear. With AT_RECURSIVE all change or none.
 * @param more.usernsFd With MOUNT_ATTR_IDMAP, on a detached mount that was not mapped yet.
 * @throws {SyscallError} EBUSY when a file is open for writing there. @throws {SyscallError} EPERM when an outer user namespace has locked it.
 */
export const mountSetattr = /* @__PURE__ */ define(
  "mount_setattr",
  "none",
  (dirfd: FdArg, path: Text, flags: number, set: number, clear: number = 0, more: MountAttributes = {}) => [
    fd(dirfd),
    text(path),
    bits("AT", flags),
    mountAttr(set, clear, named(more)),
    32,
  ],
);

// File systems

/**
 * `fsopen(fsname, flags)`: a context to configure a new file system in; its descriptor also reads the kernel's messages. fsopen(2), Linux 5.2
 * @throws {SyscallError} ENODEV when the kernel has no such file system.
 */
export const fsopen = /* @__PURE__ */ define("fsopen", "fd", (type: string, flags: number) => [
  text(type),
  bits("FSOPEN", flags),
]);
/** `fspick(dirfd, path, flags)`: a context to configure the file system of a mount anew: `path` is its root. fspick(2), Linux 5.2 */
export const fspick = /* @__PURE__ */ define("fspick", "fd", (dirfd: FdArg, path: Text, flags: number) => [
  fd(dirfd),
  text(path),
  bits("FSPICK", flags),
]);
/** `fsconfig(fd, FSCONFIG_SET_FLAG, key, NULL, 0)`: an option without a value. fsconfig(2), Linux 5.2 */
export const fsconfigFlag = /* @__PURE__ */ define("fsconfig", "none", (context: FdArg, key: string) => [
  fd(context),
  one("FSCONFIG", FSCONFIG.SET_FLAG),
  text(key),
  null,
  0,
]);
/**
 * `fsconfig(fd, FSCONFIG_SET_STRING, key, value, 0)`: an option; at most 255 bytes. fsconfig(2), Linux 5.2
 * @throws {SyscallError} EINVAL with what the kernel says about it in `kernelLog`.
 */
export const fsconfigString = /* @__PURE__ */ define("fsconfig", "none", (context: FdArg, key: string, value: Text) => [
  fd(context),
  one("FSCONFIG", FSCONFIG.SET_STRING),
  text(key),
  text(value),
  0,
]);
/** `fsconfig(fd, FSCONFIG_SET_BINARY, key, value, size)`: bytes; up to 1 MiB, and no file system of the kernel's own takes any. fsconfig(2), Linux 5.2 */
export const fsconfigBinary = /* @__PURE__ */ define(
  "fsconfig",
  "none",
  (context: FdArg, key: string, value: string | Uint8Array) => [
    fd(context),
    one("FSCONFIG", FSCONFIG.SET_BINARY),
    text(key),
    data(value),
    lengthOf(value),
  ],
);
/** `fsconfig(fd, FSCONFIG_SET_PATH, key, path, dirfd)`: a file by its path, as journal_path of ext4. fsconfig(2), Linux 5.2 */
export const fsconfigPath = /* @__PURE__ */ define(
  "fsconfig",
  "none",
  (context: FdArg, key: string, path: Text, dirfd: FdArg = AT_FDCWD) => [
    fd(context),
    one("FSCONFIG", FSCONFIG.SET_PATH),
    text(key),
    text(path),
    fd(dirfd),
  ],
);
/** `fsconfig(fd, FSCONFIG_SET_PATH_EMPTY, key, path, dirfd)`: a file by its path, or with an empty one by its descriptor. fsconfig(2), Linux 5.2 */
export const fsconfigPathEmpty = /* @__PURE__ */ define(
  "fsconfig",
  "none",
  (context: FdArg, key: string, path: Text, dirfd: FdArg) => [
    fd(context),
    one("FSCONFIG", FSCONFIG.SET_PATH_EMPTY),
    text(key),
    text(path),
    fd(dirfd),
  ],
);
/** `fsconfig(fd, FSCONFIG_SET_FD, key, NULL, fd)`: a descriptor, as of a layer of an overlay (Linux 6.13). fsconfig(2), Linux 5.2 */
export const fsconfigFd = /* @__PURE__ */ define("fsconfig", "none", (context: FdArg, key: string, value: FdArg) => [
  fd(context),
  one("FSCONFIG", FSCONFIG.SET_FD),
  text(key),
  null,
  fd(value),
]);
/** `fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0)`: make the file system, or share the one that is mounted already. fsconfig(2), Linux 5.2 */
export const fsconfigCreate = /* @__PURE__ */ define("fsconfig", "none", (context: FdArg) => [
  fd(context),
  one("FSCONFIG", FSCONFIG.CMD_CREATE),
  null,
  null,
  0,
]);
/**
 * `fsconfig(fd, FSCONFIG_CMD_CREATE_EXCL, NULL, NULL, 0)`: make a file system that is not mounted yet. fsconfig(2), Linux 5.2, this command Linux 6.6
 * @throws {SyscallError} EBUSY when it is.
 */
export const fsconfigCreateExcl = /* @__PURE__ */ define("fsconfig", "none", (context: FdArg) => [
  fd(context),
  one("FSCONFIG", FSCONFIG.CMD_CREATE_EXCL),
  null,
  null,
  0,
]);
/** `fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0)`: apply the options to a file system that fspick has opened. fsconfig(2), Linux 5.2 */
export const fsconfigReconfigure = /* @__PURE__ */ define("fsconfig", "none", (context: FdArg) => [
  fd(context),
  one("FSCONFIG", FSCONFIG.CMD_RECONFIGURE),
  null,
  null,
  0,
]);
/** `fsmount(fsfd, flags, attr_flags)`: a detached mount of it. fsmount(2), Linux 5.2 */
export const fsmount = /* @__PURE__ */ define("fsmount", "fd", (context: FdArg, flags: number, attributes: number) => [
  fd(context),
  bits("FSMOUNT", flags),
  bits("MOUNT_ATTR", attributes),
]);

// Asking

/**
 * `statmount(req, buf, bufsize, flags)`: what STATMOUNT_* of `mask` asks for about the mount with an id of STATX_MNT_ID_UNIQUE.
 * What is text stands behind the struct, and is read out of there: `mnt_point` is "/proc". statmount(2), Linux 6.8
 * @param nsId Of another mount namespace, as NS_GET_MNTNS_ID has it. Linux 6.11
 * @throws {SyscallError} EOVERFLOW when the buffer is too small for the text. @throws {SyscallError} ENOENT when no mount of that id is in sight.
 */
export const statmount = /* @__PURE__ */ define(
  "statmount",
  "statmount",
  (id: LongArg, mask: number, nsId: LongArg = 0, result: Out = 8192) => [
    {
      struct: "mnt_id_req",
      fields: { size: 32, mnt_id: long(id), param: bits("STATMOUNT", mask), mnt_ns_id: long(nsId) },
    },
    out(result),
    room(result),
    0,
  ],
);
/**
 * `listmount(req, mnt_ids, nr_mnt_ids, flags)`: ids of the mounts below one, or with LSMT_ROOT of all, in the order in which they were made.
 * As many as there is room for in bytes of `ids`, eight each: those that follow `lastId` are next. listmount(2), Linux 6.8
 * @param flags LISTMOUNT_REVERSE: from the latest on. Linux 6.11
 * @param nsId Of another mount namespace, as NS_GET_MNTNS_ID has it. Linux 6.11
 */
export const listmount = /* @__PURE__ */ define(
  "listmount",
  "ids",
  (id: LongArg, lastId: LongArg = 0, flags: number = 0, nsId: LongArg = 0, ids: Out = 8192) => [
    { struct: "mnt_id_req", fields: { size: 32, mnt_id: long(id), param: long(lastId), mnt_ns_id: long(nsId) } },
    out(ids),
    roomForIds(ids),
    bits("LISTMOUNT", flags),
  ],
);

/** `statfs(path, buf)`: type, size and state of the file system of a file, in blocks of `f_frsize` bytes. statfs(2) */
export const statfs = /* @__PURE__ */ define("statfs", "statfs", (path: Text, result: Out = "statfs") => [
  text(path),
  out(result, "statfs"),
]);
/** `fstatfs(fd, buf)`: as statfs, by descriptor. statfs(2) */
export const fstatfs = /* @__PURE__ */ define("fstatfs", "statfs", (file: FdArg, result: Out = "statfs") => [
  fd(file),
  out(result, "statfs"),
]);
/**
 * `statx(dirfd, pathname, flags, mask, statxbuf)`: what STATX_* of `mask` asks for about a file; `stx_mask` says what there is. statx(2), Linux 4.11
 * `stx_mnt_id` is that of mountinfo with STATX_MNT_ID (Linux 5.8), and that of statmount with STATX_MNT_ID_UNIQUE (Linux 6.8).
 */
export const statx = /* @__PURE__ */ define(
  "statx",
  "statx",
  (dirfd: FdArg, path: Text, flags: number, mask: number, result: Out = "statx") => [
    fd(dirfd),
    text(path),
    bits("AT_STATX", flags),
    bits("STATX", mask),
    out(result, "statx"),
  ],
);
