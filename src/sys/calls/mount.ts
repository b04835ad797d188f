/** Mounts: mount(2) and the calls that work on descriptors of mounts. */
import type { Text } from "../call.ts";
import { FSCONFIG } from "../flags.ts";
import { bits, define, fd, type FdArg, one, text, textOrNull } from "../primitive.ts";

/** `mount(source, target, filesystemtype, mountflags, data)`; the data is cut at 4095 bytes. mount(2) */
export const mount = define(
  "mount",
  "none",
  (source: Text | null, target: Text, type: string | null, flags: number, data: Text | null) => [
    textOrNull(source),
    text(target),
    textOrNull(type),
    bits("MS", flags),
    textOrNull(data),
  ],
);
/** `umount2(target, flags)`. umount(2) */
export const umount2 = define("umount2", "none", (target: Text, flags: number) => [text(target), bits("MNT", flags)]);
/**
 * `pivot_root(new_root, put_old)`: make another mount the root. pivot_root(2)
 * @throws {SyscallError} EINVAL when `newRoot` is not a mount point, or its parent mount is shared.
 */
export const pivotRoot = define("pivot_root", "none", (newRoot: Text, putOld: Text) => [text(newRoot), text(putOld)]);
/** `open_tree(dirfd, filename, flags)`: with OPEN_TREE_CLONE a detached copy of a mount, or with AT_RECURSIVE of all below. open_tree(2), Linux 5.2 */
export const openTree = define("open_tree", "fd", (dirfd: FdArg, path: Text, flags: number) => [
  fd(dirfd),
  text(path),
  bits("OPEN_TREE", flags),
]);
/** `move_mount(from_dirfd, from_pathname, to_dirfd, to_pathname, flags)`: attach a detached mount. move_mount(2), Linux 5.2 */
export const moveMount = define(
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
/** `mount_setattr(dirfd, pathname, flags, attr, size)`: attributes of a mount, and with AT_RECURSIVE of all below. mount_setattr(2), Linux 5.12 */
export const mountSetattr = define(
  "mount_setattr",
  "none",
  (dirfd: FdArg, path: Text, flags: number, set: number, clear: number = 0) => [
    fd(dirfd),
    text(path),
    bits("AT", flags),
    {
      struct: "mount_attr",
      fields: {
        attr_set: bits("MOUNT_ATTR", set),
        attr_clr: bits("MOUNT_ATTR", clear),
        propagation: bits("MS", 0),
        userns_fd: 0,
      },
    },
    32,
  ],
);
/** `fsopen(fsname, flags)`: a context to configure a new file system in; its descriptor also reads the kernel's messages. fsopen(2), Linux 5.2 */
export const fsopen = define("fsopen", "fd", (type: string, flags: number) => [text(type), bits("FSOPEN", flags)]);
/** `fsconfig(fd, FSCONFIG_SET_STRING, key, value, 0)`: an option; at most 255 bytes. fsconfig(2), Linux 5.2 */
export const fsconfigString = define("fsconfig", "none", (context: FdArg, key: string, value: Text) => [
  fd(context),
  one("FSCONFIG", FSCONFIG.SET_STRING),
  text(key),
  text(value),
  0,
]);
/** `fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0)`: make the file system. fsconfig(2), Linux 5.2 */
export const fsconfigCreate = define("fsconfig", "none", (context: FdArg) => [
  fd(context),
  one("FSCONFIG", FSCONFIG.CMD_CREATE),
  null,
  null,
  0,
]);
/** `fsmount(fsfd, flags, attr_flags)`: a detached mount of it. fsmount(2), Linux 5.2 */
export const fsmount = define("fsmount", "fd", (context: FdArg, flags: number, attributes: number) => [
  fd(context),
  bits("FSMOUNT", flags),
  bits("MOUNT_ATTR", attributes),
]);
