/** Mounts, for real: each case in a mount namespace of its own, below a tmpfs that goes with it. */
import {
  closeSync,
  existsSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  statfsSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { parseMountinfo } from "../../../src/proc/mountinfo.ts";
import type { SyscallError } from "../../../src/sys/error.ts";
import type { Fd } from "../../../src/sys/fd.ts";
import {
  AT,
  AT_FDCWD,
  AT_STATX,
  CLONE,
  FSMOUNT,
  FSOPEN,
  FSPICK,
  LISTMOUNT,
  LSMT_ROOT,
  MAGIC,
  MNT,
  MOUNT_ATTR,
  MOVE_MOUNT,
  MS,
  O,
  OPEN_TREE,
  ST,
  STATMOUNT,
  STATX,
  STATX_ATTR,
} from "../../../src/sys/flags.ts";
import { sys } from "../../../src/sys/vocabulary.ts";
import { type Feature, isSince, parseVersion, since } from "../../../src/sys/since.ts";
import { parseStatmount } from "../../../src/sys/statmount.ts";
import type { Family, Traced } from "./case.ts";

const kernel = parseVersion(release());
const has = (feature: Feature): boolean => isSince(kernel, since[feature]);
/** What a call answers that this kernel may lack. */
const orNosys = (feature: Feature, errno: "EINVAL" | "ENOENT" | "EBADF" | "EPERM" | "EOVERFLOW") =>
  has(feature) ? errno : "ENOSYS";

/** Runs a case in a mount namespace of its own, in an empty tmpfs. */
function inside(run: (traced: Traced, dir: string) => void) {
  return (traced: Traced): void => {
    sys.unshare(CLONE.NEWNS);
    sys.mount(null, "/", null, MS.REC | MS.PRIVATE, null);
    const dir = traced.dir();
    sys.mount("case", dir, "tmpfs", 0, null);
    try {
      run(traced, dir);
    } finally {
      sys.umount2(dir, MNT.DETACH);
    }
  };
}

/** This thread's mounts: the namespace is that of one thread. */
const mounts = () => parseMountinfo(readFileSync("/proc/thread-self/mountinfo", "utf8"));
/** The topmost mount on a path. */
const mountOn = (path: string) => mounts().findLast(({ mountPoint }) => mountPoint === path);

function makeDir(...path: string[]): string {
  const dir = join(...path);
  mkdirSync(dir, { recursive: true });
  return dir;
}

/** A directory with an empty tmpfs on it. */
function tmpfsOn(...path: string[]): string {
  const dir = makeDir(...path);
  sys.mount("case", dir, "tmpfs", 0, null);
  return dir;
}

function use<T>(fd: Fd, then: (fd: Fd) => T): T {
  try {
    return then(fd);
  } finally {
    fd.close();
  }
}

/** A descriptor of a user namespace of a child that is gone again, in which id 0 is `first` of here. */
function userns(first: number): Fd {
  const child = Bun.spawn(["unshare", "--user", "sleep", "60"], { stdin: "ignore" });
  try {
    for (let i = 0; i < 500 && readNs(child.pid) === readNs("self"); i++) Bun.sleepSync(10);
    writeFileSync(`/proc/${child.pid}/uid_map`, `0 ${first} 65536`);
    writeFileSync(`/proc/${child.pid}/gid_map`, `0 ${first} 65536`);
    return sys.openat(AT_FDCWD, `/proc/${child.pid}/ns/user`, O.RDONLY | O.CLOEXEC);
  } finally {
    child.kill("SIGKILL");
  }
}
const readNs = (pid: number | "self"): number => statSync(`/proc/${pid}/ns/user`).ino;

const { CLOEXEC } = FSOPEN;
const overlayTells = isSince(kernel, "6.5");
const tmpfs = () => sys.fsopen("tmpfs", CLOEXEC);

/** A detached mount of a new tmpfs. */
const detached = () =>
  use(tmpfs(), (context) => {
    sys.fsconfigCreate(context);
    return sys.fsmount(context, FSMOUNT.CLOEXEC, 0);
  });

const attach = (tree: Fd, target: string): void => sys.moveMount(tree, "", AT_FDCWD, target, MOVE_MOUNT.F_EMPTY_PATH);
const clone = (path: string, more = 0): Fd => sys.openTree(AT_FDCWD, path, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | more);

/** The kernel's message came with the error, and stands in its own message. */
function told(traced: Traced, error: SyscallError | undefined, ...parts: readonly string[]): void {
  const log = error?.kernelLog ?? "";
  traced.expect(
    `the kernel's message has ${parts.join(", ")}: ${log}`,
    parts.every((part) => log.includes(part)),
  );
  const [, said = "?"] = /^[ewi] (.*)/.exec(log) ?? [];
  traced.expect(`it stands in the error: ${error?.message}`, error?.message.includes(said) === true);
}

const hinted = (traced: Traced, error: SyscallError | undefined, part: string): void =>
  traced.expect(`a hint with "${part}": ${error?.hint}`, error?.hint?.includes(part) === true);

const idOf = (path: string, mask: number = STATX.MNT_ID_UNIQUE): bigint =>
  sys.statx(AT_FDCWD, path, 0, mask).stx_mnt_id;

/** What can be had of a mount as text. */
const allText =
  STATMOUNT.SB_BASIC |
  STATMOUNT.MNT_BASIC |
  STATMOUNT.PROPAGATE_FROM |
  STATMOUNT.MNT_ROOT |
  STATMOUNT.MNT_POINT |
  STATMOUNT.FS_TYPE |
  STATMOUNT.MNT_NS_ID |
  STATMOUNT.MNT_OPTS |
  STATMOUNT.FS_SUBTYPE |
  STATMOUNT.SB_SOURCE |
  STATMOUNT.OPT_ARRAY |
  STATMOUNT.SUPPORTED_MASK;

export const family: Family = {
  cases: [
    {
      name: "a tmpfs is mounted with its options, told about and unmounted",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        const target = makeDir(dir, "target");
        traced.call("mount", "some words", target, "tmpfs", MS.NOSUID | MS.NODEV | MS.NOEXEC, "size=64k,mode=700");
        const mounted = mountOn(target);
        traced.expect("its type and source", mounted?.fsType === "tmpfs" && mounted.source === "some words");
        traced.expect(
          "its flags",
          ["nosuid", "nodev", "noexec"].every((flag) => mounted?.options.includes(flag)),
        );
        traced.expect("its options", mounted?.superOptions.includes("size=64k") === true);
        traced.expect("its mode", (statSync(target).mode & 0o777) === 0o700);
        const found = traced.call("statfs", target);
        traced.expect("statfs: its type", found.f_type === MAGIC.TMPFS_MAGIC);
        traced.expect("statfs: its size", found.f_blocks * found.f_bsize === 65536);
        traced.expect(
          "statfs: its flags",
          (found.f_flags & (ST.NOSUID | ST.NODEV | ST.NOEXEC)) === (ST.NOSUID | ST.NODEV | ST.NOEXEC),
        );
        const node = statfsSync(target);
        traced.expect("statfs as node has it", node.blocks === found.f_blocks && node.bfree === found.f_bfree);
        use(sys.openat(AT_FDCWD, target, O.PATH | O.CLOEXEC), (fd) => {
          const again = traced.call("fstatfs", fd);
          traced.expect("fstatfs says the same", Bun.deepEquals(again, found));
        });
        traced.call("mount", null, target, null, MS.REMOUNT | MS.BIND | MS.RDONLY, null);
        traced.expect("it is read-only", mountOn(target)?.options.includes("ro") === true);
        traced.call("mount", null, target, null, MS.REMOUNT, "size=128k");
        traced.expect("it is larger", mountOn(target)?.superOptions.includes("size=128k") === true);
        const other = makeDir(dir, "other");
        traced.call("mount", target, other, null, MS.BIND | MS.REC, null);
        traced.expect("the same file system", statSync(other).dev === statSync(target).dev);
        traced.call("umount2", other, 0);
        const moved = makeDir(dir, "moved");
        traced.call("mount", target, moved, null, MS.MOVE, null);
        traced.expect("it is there now", mountOn(moved) !== undefined && mountOn(target) === undefined);
        traced.call("umount2", moved, MNT.UMOUNT_NOFOLLOW);
        traced.expect("it is gone", mountOn(moved) === undefined);
      }),
    },
    {
      name: "a mount that cannot be says why",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        const [target, file] = [makeDir(dir, "target"), join(dir, "file")];
        writeFileSync(file, "");
        const unknown = traced.fails("ENODEV", "mount", "none", target, "no such type", 0, null);
        hinted(traced, unknown, "/proc/filesystems");
        traced.expect("the path is the target", unknown?.path === target);
        traced.fails("ENOENT", "mount", "none", join(dir, "missing"), "tmpfs", 0, null);
        traced.fails("ENOENT", "mount", join(dir, "missing"), target, null, MS.BIND, null);
        traced.fails("ENOTDIR", "mount", "none", join(file, "below"), "tmpfs", 0, null);
        traced.fails("ENOTDIR", "mount", "none", file, "tmpfs", 0, null);
        traced.fails("EINVAL", "mount", "none", target, "tmpfs", 0, "nonsense=1");
        hinted(traced, traced.fails("ENOTBLK", "mount", file, target, "ext4", 0, null), "loop device");
        hinted(traced, traced.fails("EINVAL", "mount", null, target, null, MS.REMOUNT, null), "not a mount point");
        traced.fails("EINVAL", "mount", null, target, null, MS.SHARED, null);
        traced.fails("EINVAL", "mount", null, dir, null, MS.SHARED | MS.PRIVATE, null);
        hinted(traced, traced.fails("EINVAL", "mount", target, dir, null, MS.MOVE, null), "not a mount point");
        const inner = tmpfsOn(dir, "inner");
        makeDir(inner, "deeper");
        traced.fails("ELOOP", "mount", inner, join(inner, "deeper"), null, MS.MOVE, null);
        const open = openSync(join(inner, "open"), "w");
        hinted(traced, traced.fails("EBUSY", "mount", null, inner, null, MS.REMOUNT | MS.RDONLY, null), "open");
        closeSync(open);
      }),
    },
    {
      name: "umount2 knows what is in use",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        const target = tmpfsOn(dir, "target");
        hinted(traced, traced.fails("EINVAL", "umount2", makeDir(dir, "other"), 0), "not a mount point");
        traced.fails("ENOENT", "umount2", join(dir, "missing"), 0);
        traced.fails("EINVAL", "umount2", target, 0x40000000);
        traced.fails("EINVAL", "umount2", target, MNT.EXPIRE | MNT.DETACH);
        symlinkSync(target, join(dir, "link"));
        traced.fails("EINVAL", "umount2", join(dir, "link"), MNT.UMOUNT_NOFOLLOW);
        const open = openSync(join(target, "open"), "w");
        const busy = traced.fails("EBUSY", "umount2", target, 0);
        hinted(traced, busy, "MNT_DETACH");
        traced.fails("EBUSY", "umount2", target, MNT.EXPIRE);
        closeSync(open);
        hinted(traced, traced.fails("EAGAIN", "umount2", target, MNT.EXPIRE), "once more");
        traced.call("umount2", target, MNT.EXPIRE);
        traced.expect("it has expired", mountOn(target) === undefined);
        tmpfsOn(dir, "target");
        const held = openSync(join(target, "held"), "w+");
        traced.call("umount2", join(dir, "link"), MNT.DETACH);
        traced.expect("it is out of sight", mountOn(target) === undefined && !existsSync(join(target, "held")));
        writeFileSync(held, "still here");
        traced.expect("what is open stays", fstatSync(held).size === 10);
        closeSync(held);
      }),
    },
    {
      name: "propagation is set by mount, and works",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        const [peer, copy] = [tmpfsOn(dir, "peer"), makeDir(dir, "copy")];
        makeDir(peer, "sub");
        traced.call("mount", null, peer, null, MS.SHARED, null);
        const group = mountOn(peer)?.propagation.shared;
        traced.expect("it is shared", group !== undefined);
        sys.mount(peer, copy, null, MS.BIND, null);
        traced.expect("the copy is a peer", mountOn(copy)?.propagation.shared === group);
        traced.call("mount", null, copy, null, MS.SLAVE, null);
        traced.expect("it is a slave now", mountOn(copy)?.propagation.master === group);
        sys.mount("case", join(peer, "sub"), "tmpfs", 0, null);
        traced.expect("it receives mounts", mountOn(join(copy, "sub")) !== undefined);
        sys.umount2(join(copy, "sub"), 0);
        traced.expect("it sends none", mountOn(join(peer, "sub")) !== undefined);
        traced.call("mount", null, copy, null, MS.UNBINDABLE, null);
        traced.expect("it is unbindable", mountOn(copy)?.propagation.unbindable === true);
        hinted(traced, traced.fails("EINVAL", "mount", copy, makeDir(dir, "third"), null, MS.BIND, null), "unbindable");
        traced.call("mount", null, dir, null, MS.REC | MS.PRIVATE, null);
        traced.expect("all are private", Object.keys(mountOn(peer)?.propagation ?? { no: 1 }).length === 0);
      }),
    },
    {
      name: "pivot_root makes another mount the root, and back",
      as: "root",
      alone: true,
      run(traced) {
        const putOld = traced.dir();
        inside((_, dir) => {
          // The same files as of the root, so that this process finds its way; the mount is another.
          const root = makeDir(dir, "root");
          sys.mount("/", root, null, MS.BIND | MS.REC, null);
          const [before, next] = [idOf("/", STATX.MNT_ID), idOf(root, STATX.MNT_ID)];
          traced.call("pivotRoot", root, join(root, putOld));
          traced.expect("the root is the other mount", idOf("/", STATX.MNT_ID) === next);
          traced.expect("the old one lies below", idOf(putOld, STATX.MNT_ID) === before);
          traced.call("pivotRoot", putOld, join(putOld, root));
          traced.expect("and back", idOf("/", STATX.MNT_ID) === before);
        })(traced);
      },
    },
    {
      name: "pivot_root and chroot refuse what is no root",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        const [plain, file, root] = [makeDir(dir, "plain"), join(dir, "file"), tmpfsOn(dir, "root")];
        writeFileSync(file, "");
        const put = makeDir(root, "put");
        hinted(traced, traced.fails("EINVAL", "pivotRoot", plain, plain), "not a mount point");
        hinted(traced, traced.fails("EBUSY", "pivotRoot", "/", "/"), "bind");
        traced.fails("ENOENT", "pivotRoot", join(dir, "missing"), plain);
        traced.fails("ENOTDIR", "pivotRoot", file, plain);
        traced.fails("EINVAL", "pivotRoot", root, plain);
        sys.mount(null, dir, null, MS.SHARED, null);
        hinted(traced, traced.fails("EINVAL", "pivotRoot", root, put), "shared");
        traced.fails("ENOENT", "chroot", join(dir, "missing"));
        traced.fails("ENOTDIR", "chroot", file);
      }),
    },
    {
      name: "chroot is left by a descriptor of the old root",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        const root = makeDir(dir, "root");
        sys.mount("/", root, null, MS.BIND | MS.REC, null);
        const [before, next] = [idOf("/", STATX.MNT_ID), idOf(root, STATX.MNT_ID)];
        use(sys.openat(AT_FDCWD, "/", O.PATH | O.DIRECTORY | O.CLOEXEC), (old) => {
          traced.call("chroot", root);
          traced.expect("the root is the other mount", idOf("/", STATX.MNT_ID) === next);
          sys.fchdir(old);
          traced.call("chroot", ".");
          traced.expect("and back", idOf("/", STATX.MNT_ID) === before);
        });
      }),
    },
    {
      name: "a tmpfs is configured option by option",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        const target = makeDir(dir, "target");
        const context = traced.call("fsopen", "tmpfs", FSOPEN.CLOEXEC);
        traced.call("fsconfigString", context, "source", "some words");
        traced.call("fsconfigString", context, "size", "64k");
        traced.call("fsconfigString", context, "mode", "0711");
        traced.call("fsconfigFlag", context, "ro");
        traced.call("fsconfigCreate", context);
        const tree = traced.call(
          "fsmount",
          context,
          FSMOUNT.CLOEXEC,
          MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC | MOUNT_ATTR.NOATIME,
        );
        traced.expect("nobody sees it yet", mountOn(target) === undefined);
        traced.call("moveMount", tree, "", AT_FDCWD, target, MOVE_MOUNT.F_EMPTY_PATH);
        const mounted = mountOn(target);
        traced.expect("its source and type", mounted?.source === "some words" && mounted.fsType === "tmpfs");
        traced.expect(
          "its flags",
          ["nosuid", "nodev", "noexec", "noatime"].every((flag) => mounted?.options.includes(flag)),
        );
        traced.expect(
          "its options",
          ["ro", "size=64k", "mode=711"].every((one) => mounted?.superOptions.includes(one)),
        );
        traced.fails("EBUSY", "fsmount", context, FSMOUNT.CLOEXEC, 0);
        for (const fd of [context, tree]) fd.close();
        const picked = traced.call("fspick", AT_FDCWD, target, FSPICK.CLOEXEC | FSPICK.NO_AUTOMOUNT);
        traced.call("fsconfigFlag", picked, "rw");
        traced.call("fsconfigString", picked, "size", "128k");
        traced.call("fsconfigReconfigure", picked);
        traced.expect("it is larger", mountOn(target)?.superOptions.includes("size=128k") === true);
        traced.expect("it can be written to", mountOn(target)?.superOptions.includes("rw") === true);
        picked.close();
      }),
    },
    {
      name: "an option that a file system does not take is told about by the kernel",
      as: "root",
      run(traced) {
        use(tmpfs(), (context) => {
          const unknown = traced.fails("EINVAL", "fsconfigString", context, "nonsense", "1");
          told(traced, unknown, "e tmpfs: ", "nonsense");
          traced.expect("the log is no path", unknown?.path === undefined);
          told(traced, traced.fails("EINVAL", "fsconfigFlag", context, "nonsense"), "e tmpfs: ", "nonsense");
          told(traced, traced.fails("EINVAL", "fsconfigString", context, "size", "many"), "e tmpfs: ", "size");
          told(traced, traced.fails("EINVAL", "fsconfigFlag", context, "size"), "e tmpfs: ", "size");
          told(traced, traced.fails("EINVAL", "fsconfigBinary", context, "mode", new Uint8Array([1, 200])), "mode");
          told(traced, traced.fails("EINVAL", "fsconfigPath", context, "mode", "/"), "mode");
          told(traced, traced.fails("EINVAL", "fsconfigPathEmpty", context, "mode", "/", AT_FDCWD), "mode");
          use(sys.openat(AT_FDCWD, "/", O.RDONLY | O.CLOEXEC), (dir) => {
            told(traced, traced.fails("EINVAL", "fsconfigFd", context, "mode", dir), "mode");
          });
          traced.fails("EBADF", "fsconfigFd", context, "mode", 9999);
          // 255 bytes are the most.
          traced.fails("EINVAL", "fsconfigString", context, "source", "x".repeat(256));
          traced.call("fsconfigString", context, "source", "x".repeat(255));
          hinted(traced, traced.fails("EINVAL", "fsmount", context, 0, 0), "FSCONFIG_CMD_CREATE");
          traced.fails("EBUSY", "fsconfigReconfigure", context);
          traced.call("fsconfigCreate", context);
          hinted(traced, traced.fails("EBUSY", "fsconfigCreate", context), "once");
          traced.fails("EBUSY", "fsconfigString", context, "size", "64k");
          traced.fails("EINVAL", "fsmount", context, FSMOUNT.CLOEXEC, 0x40000000);
          traced.fails("EINVAL", "fsmount", context, 0x8000, 0);
        });
        // Before Linux 6.5 overlayfs was mounted in the old way, and took every word until it was made.
        use(sys.fsopen("overlay", CLOEXEC), (context) => {
          if (!overlayTells) return;
          const unknown = traced.fails("EINVAL", "fsconfigString", context, "nonsense", "on");
          told(traced, unknown, "e overlay: ", "nonsense");
          traced.expect(
            `the call and the kernel's words: ${unknown?.message}`,
            unknown?.kernelLog === "e overlay: Unknown parameter 'nonsense'" &&
              unknown.message.startsWith(
                `fsconfig(${context.number}, FSCONFIG_SET_STRING, "nonsense", "on", 0): EINVAL (Invalid argument): `,
              ),
          );
          told(traced, traced.fails("EINVAL", "fsconfigString", context, "index", "maybe"), "e overlay: ", "index");
        });
        traced.fails("ENODEV", "fsopen", "no such type", FSOPEN.CLOEXEC);
        traced.fails("EINVAL", "fsopen", "tmpfs", 0x8000);
        traced.fails("EBADF", "fsconfigCreate", 9999);
        traced.fails("EBADF", "fsmount", 9999, 0, 0);
        traced.fails("EINVAL", "fsconfigFlag", 0, "ro");
        traced.fails("EINVAL", "fsmount", 0, 0, 0);
      },
    },
    {
      name: "options are bytes, files by path and files by descriptor",
      as: "root",
      run(traced) {
        use(tmpfs(), (context) => {
          // Flags of every file system are known by their name alone, whatever comes with it.
          traced.call("fsconfigBinary", context, "sync", new Uint8Array([0, 1, 127, 200]));
          traced.call("fsconfigBinary", context, "sync", "text");
          traced.call("fsconfigPath", context, "dirsync", "/proc/self");
        });
        const device = lookForDevice();
        if (device === undefined || !readFileSync("/proc/filesystems", "utf8").includes("\text4\n")) return;
        use(sys.fsopen("ext4", CLOEXEC), (context) => {
          traced.call("fsconfigPath", context, "journal_path", device);
          use(sys.openat(AT_FDCWD, device, O.PATH | O.CLOEXEC), (file) => {
            traced.call("fsconfigPathEmpty", context, "journal_path", "", file);
          });
          use(sys.openat(AT_FDCWD, "/dev", O.PATH | O.CLOEXEC), (dir) => {
            traced.call("fsconfigPath", context, "journal_path", device.slice("/dev/".length), dir);
            told(traced, traced.fails("EINVAL", "fsconfigPath", context, "journal_path", "missing", dir), "missing");
          });
          traced.fails("ENOENT", "fsconfigPath", context, "journal_path", "", AT_FDCWD);
          told(traced, traced.fails("EINVAL", "fsconfigPath", context, "journal_path", "/dev"), "Non-blockdev");
        });
      },
    },
    {
      name: "a file system is made only if there is none",
      as: "root",
      run(traced) {
        use(tmpfs(), (context) => {
          if (has("FSCONFIG_CMD_CREATE_EXCL")) traced.call("fsconfigCreateExcl", context);
          else traced.fails("EOPNOTSUPP", "fsconfigCreateExcl", context);
        });
        if (!has("FSCONFIG_CMD_CREATE_EXCL")) return;
        use(sys.fsopen("sysfs", CLOEXEC), (context) => {
          told(traced, traced.fails("EBUSY", "fsconfigCreateExcl", context), "sysfs", "reusing existing filesystem");
        });
      },
    },
    {
      name: "an overlay is put together layer by layer",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        const [lower1, lower2, upper] = ["lower1", "lower2", "upper"].map((name) => makeDir(dir, name)) as [
          string,
          string,
          string,
        ];
        const [work, target] = [makeDir(dir, "work"), makeDir(dir, "target")];
        for (const layer of [lower1, lower2, upper]) writeFileSync(join(layer, layer.slice(dir.length + 1)), layer);
        const context = traced.call("fsopen", "overlay", CLOEXEC);
        if (has("overlay lowerdir+")) {
          traced.call("fsconfigString", context, "lowerdir+", lower1);
          traced.call("fsconfigString", context, "lowerdir+", lower2);
        } else {
          if (overlayTells) traced.fails("EINVAL", "fsconfigString", context, "lowerdir+", lower1);
          traced.call("fsconfigString", context, "lowerdir", `${lower1}:${lower2}`);
        }
        traced.call("fsconfigString", context, "upperdir", upper);
        traced.call("fsconfigString", context, "workdir", work);
        traced.call("fsconfigFlag", context, "userxattr");
        traced.call("fsconfigCreate", context);
        use(traced.call("fsmount", context, FSMOUNT.CLOEXEC, 0), (tree) => attach(tree, target));
        context.close();
        traced.expect(
          "all layers show",
          ["lower1", "lower2", "upper"].every((name) => existsSync(join(target, name))),
        );
        writeFileSync(join(target, "lower1"), "changed");
        traced.expect("the upper takes changes", readFileSync(join(upper, "lower1"), "utf8") === "changed");
        traced.expect("the lower keeps", readFileSync(join(lower1, "lower1"), "utf8") === lower1);
        traced.expect("its type", traced.call("statfs", target).f_type === MAGIC.OVERLAYFS_SUPER_MAGIC);
      }),
    },
    {
      name: "layers of an overlay are given by descriptor",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        const [lower, upper] = [makeDir(dir, "lower"), makeDir(dir, "upper")];
        const [work, target] = [makeDir(dir, "work"), makeDir(dir, "target")];
        writeFileSync(join(lower, "file"), "text");
        const open = (path: string): Fd => sys.openat(AT_FDCWD, path, O.RDONLY | O.DIRECTORY | O.CLOEXEC);
        const layers = [open(lower), open(upper), open(work)] as const;
        const context = sys.fsopen("overlay", CLOEXEC);
        if (has("overlay layers by descriptor")) {
          traced.call("fsconfigFd", context, "lowerdir+", layers[0]);
          traced.call("fsconfigFd", context, "upperdir", layers[1]);
          traced.call("fsconfigFd", context, "workdir", layers[2]);
          told(traced, traced.fails("EINVAL", "fsconfigFd", context, "lowerdir", layers[0]), "e overlay: ", "lowerdir");
          traced.call("fsconfigCreate", context);
          use(sys.fsmount(context, FSMOUNT.CLOEXEC, 0), (tree) => attach(tree, target));
          traced.expect("the layer shows", readFileSync(join(target, "file"), "utf8") === "text");
          traced.expect("its path is known", mountOn(target)?.superOptions.includes(`upperdir=${upper}`) === true);
        } else traced.fails(["EINVAL", "EOPNOTSUPP"], "fsconfigFd", context, "lowerdir+", layers[0]);
        for (const fd of [context, ...layers]) fd.close();
      }),
    },
    {
      name: "an overlay that cannot be made is refused",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        use(sys.fsopen("overlay", CLOEXEC), (context) => {
          traced.fails("EINVAL", "fsconfigCreate", context);
        });
        use(sys.fsopen("overlay", CLOEXEC), (context) => {
          sys.fsconfigString(context, "lowerdir", makeDir(dir, "lower"));
          sys.fsconfigString(context, "upperdir", makeDir(dir, "upper"));
          // No work directory.
          traced.fails("EINVAL", "fsconfigCreate", context);
          traced.fails("EBUSY", "fsconfigCreate", context);
        });
        if (!has("overlay lowerdir+")) return;
        use(sys.fsopen("overlay", CLOEXEC), (context) => {
          traced.fails("ENOENT", "fsconfigString", context, "lowerdir+", join(dir, "missing"));
          traced.fails("EINVAL", "fsconfigString", context, "lowerdir+", "");
        });
      }),
    },
    {
      name: "trees are cloned, attached and moved",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        const source = tmpfsOn(dir, "source");
        const sub = tmpfsOn(source, "sub");
        writeFileSync(join(sub, "file"), "text");
        const [flat, deep] = [makeDir(dir, "flat"), makeDir(dir, "deep")];
        use(traced.call("openTree", AT_FDCWD, source, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC), (tree) =>
          traced.call("moveMount", tree, "", AT_FDCWD, flat, MOVE_MOUNT.F_EMPTY_PATH),
        );
        traced.expect("one mount", mountOn(flat) !== undefined && !existsSync(join(flat, "sub/file")));
        const flags = OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | OPEN_TREE.AT_RECURSIVE | OPEN_TREE.AT_SYMLINK_NOFOLLOW;
        use(traced.call("openTree", AT_FDCWD, source, flags), (tree) =>
          use(sys.openat(AT_FDCWD, deep, O.PATH | O.CLOEXEC), (place) =>
            traced.call("moveMount", tree, "", place, "", MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_EMPTY_PATH),
          ),
        );
        traced.expect("all below", readFileSync(join(deep, "sub/file"), "utf8") === "text");
        use(traced.call("openTree", AT_FDCWD, deep, OPEN_TREE.CLOEXEC), (place) =>
          use(traced.call("openTree", place, "", OPEN_TREE.CLONE | OPEN_TREE.AT_EMPTY_PATH), () => undefined),
        );
        const moved = makeDir(dir, "moved");
        traced.call("moveMount", AT_FDCWD, deep, AT_FDCWD, moved, 0);
        traced.expect("it has moved", existsSync(join(moved, "sub/file")) && !existsSync(join(deep, "sub/file")));

        traced.fails("ENOENT", "openTree", AT_FDCWD, join(dir, "missing"), OPEN_TREE.CLONE);
        traced.fails("EBADF", "openTree", 9999, "", OPEN_TREE.CLONE | OPEN_TREE.AT_EMPTY_PATH);
        hinted(traced, traced.fails("EINVAL", "openTree", AT_FDCWD, dir, OPEN_TREE.AT_RECURSIVE), "OPEN_TREE_CLONE");
        traced.fails("EINVAL", "openTree", AT_FDCWD, dir, 0x40);
        sys.mount(null, flat, null, MS.UNBINDABLE, null);
        hinted(traced, traced.fails("EINVAL", "openTree", AT_FDCWD, flat, OPEN_TREE.CLONE), "unbindable");

        traced.fails("ENOENT", "moveMount", AT_FDCWD, moved, AT_FDCWD, join(dir, "missing"), 0);
        traced.fails("EINVAL", "moveMount", AT_FDCWD, makeDir(dir, "plain"), AT_FDCWD, deep, 0);
        traced.fails("EINVAL", "moveMount", AT_FDCWD, moved, AT_FDCWD, deep, 0x8000);
        traced.fails("ELOOP", "moveMount", AT_FDCWD, moved, AT_FDCWD, join(moved, "sub"), 0);
        writeFileSync(join(dir, "file"), "");
        const file = traced.fails("EINVAL", "moveMount", AT_FDCWD, moved, AT_FDCWD, join(dir, "file"), 0);
        hinted(traced, file, "a directory only on a directory");
        traced.expect("the path is that which was to be moved", file?.path === moved);
        sys.mount(null, dir, null, MS.SHARED, null);
        hinted(traced, traced.fails("EINVAL", "moveMount", AT_FDCWD, moved, AT_FDCWD, deep, 0), "shared");
      }),
    },
    {
      name: "a mount goes beneath another",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        const target = tmpfsOn(dir, "target");
        writeFileSync(join(target, "top"), "");
        use(detached(), (tree) => {
          sys.mknodat(tree, "beneath", 0o100644);
          const flags = MOVE_MOUNT.BENEATH | MOVE_MOUNT.F_EMPTY_PATH;
          if (!has("MOVE_MOUNT_BENEATH")) {
            hinted(traced, traced.fails("EINVAL", "moveMount", tree, "", AT_FDCWD, target, flags), "6.5");
            return;
          }
          const plain = traced.fails("EINVAL", "moveMount", tree, "", AT_FDCWD, makeDir(dir, "plain"), flags);
          hinted(traced, plain, "a target that is a mount");
          traced.fails("EINVAL", "moveMount", tree, "", AT_FDCWD, "/", flags);
          traced.fails("EINVAL", "moveMount", tree, "", AT_FDCWD, target, flags | MOVE_MOUNT.SET_GROUP);
          traced.call("moveMount", tree, "", AT_FDCWD, target, flags);
        });
        if (!has("MOVE_MOUNT_BENEATH")) return;
        traced.expect("the top is in sight", existsSync(join(target, "top")));
        sys.umount2(target, 0);
        traced.expect("and then what was beneath", existsSync(join(target, "beneath")));
      }),
    },
    {
      name: "propagation is copied from one mount to another",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        const [from, to, other] = [tmpfsOn(dir, "from"), makeDir(dir, "to"), tmpfsOn(dir, "other")];
        sys.mount(from, to, null, MS.BIND, null);
        const { SET_GROUP } = MOVE_MOUNT;
        if (!has("MOVE_MOUNT_SET_GROUP")) {
          traced.fails("EINVAL", "moveMount", AT_FDCWD, from, AT_FDCWD, to, SET_GROUP);
          return;
        }
        // From a private mount there is nothing to copy.
        hinted(traced, traced.fails("EINVAL", "moveMount", AT_FDCWD, from, AT_FDCWD, to, SET_GROUP), "private");
        sys.mount(null, from, null, MS.SHARED, null);
        traced.fails("EINVAL", "moveMount", AT_FDCWD, from, AT_FDCWD, other, SET_GROUP);
        traced.fails("EINVAL", "moveMount", AT_FDCWD, makeDir(from, "below"), AT_FDCWD, to, SET_GROUP);
        use(sys.openat(AT_FDCWD, to, O.RDONLY | O.CLOEXEC), (place) =>
          traced.call("moveMount", AT_FDCWD, from, place, "", SET_GROUP | MOVE_MOUNT.T_EMPTY_PATH),
        );
        const group = mountOn(from)?.propagation.shared;
        traced.expect("both are peers", group !== undefined && mountOn(to)?.propagation.shared === group);
        traced.fails("EINVAL", "moveMount", AT_FDCWD, from, AT_FDCWD, to, SET_GROUP);
      }),
    },
    {
      name: "attributes of a mount are set and cleared, alone and with all below",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        const [top, sub] = [tmpfsOn(dir, "top"), tmpfsOn(dir, "top/sub")];
        const options = (path: string): string => mountOn(path)?.options.join() ?? "";
        const { RDONLY, NOSUID, NODEV, NOEXEC, NOATIME, _ATIME, NODIRATIME, STRICTATIME, NOSYMFOLLOW } = MOUNT_ATTR;
        traced.call("mountSetattr", AT_FDCWD, top, 0, RDONLY | NOSUID | NODEV | NOEXEC);
        traced.expect("it is restricted", options(top) === "ro,nosuid,nodev,noexec,relatime");
        traced.expect("what is below is not", options(sub) === "rw,relatime");
        traced.call("mountSetattr", AT_FDCWD, top, AT.RECURSIVE, NOATIME | NODIRATIME, RDONLY | NOEXEC | _ATIME);
        traced.expect("all has changed", options(top) === "rw,nosuid,nodev,noatime,nodiratime");
        traced.expect("below as well", options(sub) === "rw,noatime,nodiratime");
        traced.call("mountSetattr", AT_FDCWD, top, AT.SYMLINK_NOFOLLOW, STRICTATIME, _ATIME | NODIRATIME);
        traced.expect("access times are strict", options(top) === "rw,nosuid,nodev");
        if (has("MOUNT_ATTR_NOSYMFOLLOW")) {
          traced.call("mountSetattr", AT_FDCWD, top, 0, NOSYMFOLLOW);
          traced.expect("links are not followed", (traced.call("statfs", top).f_flags & ST.NOSYMFOLLOW) !== 0);
        } else traced.fails("EINVAL", "mountSetattr", AT_FDCWD, top, 0, NOSYMFOLLOW);
        traced.call("mountSetattr", AT_FDCWD, top, AT.RECURSIVE, 0, 0, { propagation: MS.SHARED });
        const groups = [top, sub].map((path) => mountOn(path)?.propagation.shared);
        traced.expect(
          "all are shared",
          groups.every((group) => group !== undefined),
        );
        traced.call("mountSetattr", AT_FDCWD, top, 0, 0, 0, { propagation: MS.SLAVE });
        traced.call("mountSetattr", AT_FDCWD, top, 0, 0, 0, { propagation: MS.PRIVATE });
        traced.call("mountSetattr", AT_FDCWD, top, 0, 0, 0, { propagation: MS.UNBINDABLE });
        traced.expect("it is unbindable", mountOn(top)?.propagation.unbindable === true);
        traced.call("mountSetattr", AT_FDCWD, top, 0, 0, 0);
      }),
    },
    {
      name: "mount_setattr refuses as the kernel's own tests have it",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        const [top, sub] = [tmpfsOn(dir, "top"), tmpfsOn(dir, "top/sub")];
        const { RDONLY, NOATIME, NODIRATIME, STRICTATIME, _ATIME } = MOUNT_ATTR;
        const setting = (errno: "EINVAL", set: number, clear = 0, propagation = 0) =>
          traced.fails(errno, "mountSetattr", AT_FDCWD, top, AT.RECURSIVE, set, clear, { propagation });
        // invalid_attributes
        setting("EINVAL", 0x80000000);
        setting("EINVAL", 0, 0x80000000);
        setting("EINVAL", 0, 0, 0x80000000);
        setting("EINVAL", 0x80000000, 0x80000000, 0x80000000);
        setting("EINVAL", 0, 0, MS.SHARED | MS.PRIVATE);
        setting("EINVAL", 0, 0, MS.RDONLY);
        traced.fails("EINVAL", "mountSetattr", AT_FDCWD, top, 0x200, RDONLY);
        traced.fails("ENOENT", "mountSetattr", AT_FDCWD, join(dir, "missing"), 0, RDONLY);
        traced.fails("EBADF", "mountSetattr", 9999, "", AT.EMPTY_PATH, RDONLY);
        hinted(
          traced,
          traced.fails("EINVAL", "mountSetattr", AT_FDCWD, makeDir(dir, "plain"), 0, RDONLY),
          "mount point",
        );
        // time_changes
        hinted(traced, setting("EINVAL", NODIRATIME | NOATIME), "MOUNT_ATTR__ATIME");
        setting("EINVAL", STRICTATIME);
        setting("EINVAL", STRICTATIME | NOATIME);
        setting("EINVAL", STRICTATIME | NOATIME, _ATIME);
        setting("EINVAL", 0, STRICTATIME);
        setting("EINVAL", 0, NOATIME);
        // mount_has_writers
        const writer = openSync(join(sub, "file"), "w");
        const more = { propagation: MS.SHARED };
        const busy = traced.fails("EBUSY", "mountSetattr", AT_FDCWD, top, AT.RECURSIVE, RDONLY, 0, more);
        hinted(traced, busy, "open for writing");
        traced.expect("none has changed", mountOn(top)?.options.includes("rw") === true);
        traced.expect("none is shared", mountOn(top)?.propagation.shared === undefined);
        closeSync(writer);
        traced.call("mountSetattr", AT_FDCWD, top, AT.RECURSIVE, RDONLY, 0, more);
        // wrong_mount_namespace
        use(sys.openat(AT_FDCWD, top, O.PATH | O.CLOEXEC), (there) => {
          sys.unshare(CLONE.NEWNS);
          traced.fails("EINVAL", "mountSetattr", there, "", AT.EMPTY_PATH | AT.RECURSIVE, 0, RDONLY);
        });
      }),
    },
    {
      name: "ids of a mount are mapped by a user namespace",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        const [source, target] = [tmpfsOn(dir, "source"), makeDir(dir, "target")];
        writeFileSync(join(source, "file"), "");
        const { IDMAP } = MOUNT_ATTR;
        using ns = userns(100_000);
        const more = { usernsFd: ns };
        using tree = clone(source);
        // tmpfs takes maps since Linux 6.3.
        if (!isSince(kernel, "6.3")) {
          traced.fails("EINVAL", "mountSetattr", tree, "", AT.EMPTY_PATH, IDMAP, 0, more);
          return;
        }
        hinted(traced, traced.fails("EINVAL", "mountSetattr", AT_FDCWD, source, 0, IDMAP, 0, more), "OPEN_TREE_CLONE");
        traced.fails("EBADF", "mountSetattr", tree, "", AT.EMPTY_PATH, IDMAP, 0, { usernsFd: 9999 });
        using file = sys.openat(AT_FDCWD, "/", O.RDONLY | O.CLOEXEC);
        traced.fails("EINVAL", "mountSetattr", tree, "", AT.EMPTY_PATH, IDMAP, 0, { usernsFd: file });
        using first = sys.openat(AT_FDCWD, "/proc/self/ns/user", O.RDONLY | O.CLOEXEC);
        const own = traced.fails("EPERM", "mountSetattr", tree, "", AT.EMPTY_PATH, IDMAP, 0, { usernsFd: first });
        hinted(traced, own, "another user namespace");
        traced.fails("EINVAL", "mountSetattr", tree, "", AT.EMPTY_PATH, 0, IDMAP, more);
        traced.call("mountSetattr", tree, "", AT.EMPTY_PATH, IDMAP, 0, more);
        attach(tree, target);
        traced.expect("root's file is the box's", statSync(join(target, "file")).uid === 100_000);
        traced.expect("and root's here", statSync(join(source, "file")).uid === 0);
        traced.expect("mountinfo says so", mountOn(target)?.options.includes("idmapped") === true);
        const uid = traced.call("statx", AT_FDCWD, join(target, "file"), 0, STATX.UID).stx_uid;
        traced.expect("statx says so", uid === 100_000);
        using again = clone(target);
        traced.fails("EPERM", "mountSetattr", again, "", AT.EMPTY_PATH, IDMAP, 0, more);
        if (has("statmount")) {
          const bytes = new Uint8Array(4096);
          const mask = STATMOUNT.MNT_UIDMAP | STATMOUNT.MNT_GIDMAP;
          traced.call("statmount", idOf(target), mask, 0, bytes);
          const { mask: got, mnt_uidmap, mnt_gidmap } = parseStatmount(bytes);
          // Since Linux 6.15.
          if (got === mask)
            traced.expect(
              `the maps: ${mnt_uidmap}; ${mnt_gidmap}`,
              mnt_uidmap?.join() === "0 100000 65536" && mnt_gidmap?.join() === "0 100000 65536",
            );
        }
      }),
    },
    {
      name: "a tree is cloned with other attributes",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        const [source, target] = [tmpfsOn(dir, "source"), makeDir(dir, "target")];
        tmpfsOn(source, "sub");
        const { RDONLY, NOSUID, IDMAP } = MOUNT_ATTR;
        const { CLONE: COPY, CLOEXEC: CLOSE, AT_RECURSIVE, AT_EMPTY_PATH } = OPEN_TREE;
        if (!has("open_tree_attr")) {
          traced.fails("ENOSYS", "openTreeAttr", AT_FDCWD, source, COPY | CLOSE, RDONLY);
          return;
        }
        const all = COPY | CLOSE | AT_RECURSIVE;
        const more = { propagation: MS.SHARED };
        use(traced.call("openTreeAttr", AT_FDCWD, source, all, RDONLY | NOSUID, 0, more), (tree) =>
          attach(tree, target),
        );
        for (const path of [target, join(target, "sub")]) {
          traced.expect("it is read-only", mountOn(path)?.options.join() === "ro,nosuid,relatime");
          traced.expect("it is shared", mountOn(path)?.propagation.shared !== undefined);
        }
        traced.expect("the source is not", mountOn(source)?.options.join() === "rw,relatime");
        using ns = userns(100_000);
        using other = userns(200_000);
        using mapped = traced.call("openTreeAttr", AT_FDCWD, source, COPY | CLOSE, IDMAP, 0, { usernsFd: ns });
        traced.expect("it is mapped", traced.call("statx", mapped, "", AT.EMPTY_PATH, STATX.UID).stx_uid === 100_000);
        const again = COPY | CLOSE | AT_EMPTY_PATH;
        using twice = traced.call("openTreeAttr", mapped, "", again, IDMAP, 0, { usernsFd: other });
        traced.expect("and again", traced.call("statx", twice, "", AT.EMPTY_PATH, STATX.UID).stx_uid === 200_000);
        traced.fails("ENOENT", "openTreeAttr", AT_FDCWD, join(dir, "missing"), COPY, RDONLY);
        traced.fails("EINVAL", "openTreeAttr", AT_FDCWD, source, COPY, 0x80000000);
        traced.fails("EINVAL", "openTreeAttr", AT_FDCWD, source, COPY, MOUNT_ATTR.NOATIME);
        traced.fails("EINVAL", "openTreeAttr", AT_FDCWD, source, AT_RECURSIVE, RDONLY);
        traced.fails("EBADF", "openTreeAttr", AT_FDCWD, source, COPY, IDMAP, 0, { usernsFd: 9999 });
      }),
    },
    {
      name: "fspick refuses what is no root of a mount",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        hinted(traced, traced.fails("EINVAL", "fspick", AT_FDCWD, makeDir(dir, "plain"), FSPICK.CLOEXEC), "root");
        traced.fails("ENOENT", "fspick", AT_FDCWD, join(dir, "missing"), FSPICK.SYMLINK_NOFOLLOW);
        traced.fails("EBADF", "fspick", 9999, "", FSPICK.EMPTY_PATH);
        traced.fails("EINVAL", "fspick", AT_FDCWD, dir, 0x8000);
        use(traced.call("fspick", AT_FDCWD, dir, FSPICK.CLOEXEC), (context) => {
          told(traced, traced.fails("EINVAL", "fsconfigString", context, "nonsense", "1"), "e tmpfs: ", "nonsense");
          traced.fails("EBUSY", "fsconfigCreate", context);
        });
        // What a file system does not change any more.
        use(sys.fspick(AT_FDCWD, dir, FSPICK.CLOEXEC), (context) => {
          writeFileSync(join(dir, "large"), new Uint8Array(65536));
          sys.fsconfigString(context, "size", "4k");
          told(traced, traced.fails("EINVAL", "fsconfigReconfigure", context), "e tmpfs: ", "Too small a size");
        });
      }),
    },
    {
      name: "statmount tells what mountinfo tells",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        if (!has("statmount")) {
          traced.fails("ENOSYS", "statmount", 1, STATMOUNT.MNT_BASIC);
          traced.fails("ENOSYS", "listmount", LSMT_ROOT);
          return;
        }
        const [source, target] = [makeDir(dir, "source"), makeDir(dir, "target")];
        sys.mount(source, target, null, MS.BIND, null);
        sys.mountSetattr(AT_FDCWD, target, 0, MOUNT_ATTR.RDONLY | MOUNT_ATTR.NODEV);
        sys.mount(null, target, null, MS.SHARED, null);
        const id = traced.call("statx", AT_FDCWD, target, 0, STATX.MNT_ID_UNIQUE).stx_mnt_id;
        const line = mountOn(target);
        const basic = traced.call("statmount", id, STATMOUNT.MNT_BASIC | STATMOUNT.SB_BASIC);
        traced.expect("what was asked for", basic.mask === (STATMOUNT.MNT_BASIC | STATMOUNT.SB_BASIC));
        traced.expect("its id", basic.mnt_id === id && basic.mnt_id_old === line?.mountId);
        traced.expect("its parent", basic.mnt_parent_id_old === line?.parentId && basic.mnt_parent_id === idOf(dir));
        traced.expect("its attributes", basic.mnt_attr === (MOUNT_ATTR.RDONLY | MOUNT_ATTR.NODEV));
        traced.expect("its propagation", basic.mnt_propagation === MS.SHARED);
        traced.expect("its group", basic.mnt_peer_group === line?.propagation.shared);
        traced.expect("its device", basic.sb_dev_minor === line?.device.minor);
        traced.expect("its type", basic.sb_magic === MAGIC.TMPFS_MAGIC);
        const none = traced.call("statmount", id, 0);
        traced.expect("nothing was asked for", none.mask === 0 && none.size === 512);

        const bytes = new Uint8Array(8192);
        traced.call("statmount", id, allText, 0, bytes);
        const all = parseStatmount(bytes);
        traced.expect(`its place: ${all.mnt_point}`, all.mnt_point === target && all.mnt_root === "/source");
        traced.expect(`its type: ${all.fs_type}`, all.fs_type === "tmpfs");
        traced.expect("what was not asked for is absent", !("mnt_uidmap" in all) && !("opt_sec_array" in all));
        traced.expect("no subtype", all.fs_subtype === undefined);
        const options = line?.superOptions.filter((option) => option !== "rw").join() ?? "";
        if (all.mask & STATMOUNT.MNT_OPTS) traced.expect(`its options: ${all.mnt_opts}`, all.mnt_opts === options);
        if (all.mask & STATMOUNT.OPT_ARRAY)
          traced.expect(`its options one by one: ${all.opt_array}`, all.opt_array?.join() === options);
        if (isSince(kernel, "6.13"))
          traced.expect(`its source: ${all.sb_source}`, all.sb_source === "case" && line?.source === "case");
        traced.expect("the size is that of all", all.size > 512 && all.size <= bytes.length);
        // test_statmount_string: the exact size does, one byte less does not.
        traced.call("statmount", id, STATMOUNT.MNT_POINT, 0, bytes);
        const { size } = parseStatmount(bytes);
        traced.call("statmount", id, STATMOUNT.MNT_POINT, 0, new Uint8Array(size));
        const short = traced.fails("EOVERFLOW", "statmount", id, STATMOUNT.MNT_POINT, 0, new Uint8Array(size - 1));
        hinted(traced, short, "larger");
        traced.fails("EOVERFLOW", "statmount", id, STATMOUNT.MNT_POINT, 0, "statmount");

        // Every mount of the table, by both.
        const ids = traced.call("listmount", LSMT_ROOT);
        const table = mounts();
        const olds = ids.map((one) => sys.statmount(one, STATMOUNT.MNT_BASIC).mnt_id_old);
        const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b).join();
        const seen = table.map(({ mountId }) => mountId);
        traced.expect(`all mounts are listed: ${sorted(olds)}; ${sorted(seen)}`, sorted(olds) === sorted(seen));
        for (const one of ids) {
          sys.statmount(
            one,
            STATMOUNT.MNT_BASIC | STATMOUNT.MNT_POINT | STATMOUNT.MNT_ROOT | STATMOUNT.FS_TYPE,
            0,
            bytes,
          );
          const said = parseStatmount(bytes);
          const its = table.find(({ mountId }) => mountId === said.mnt_id_old);
          traced.expect(
            `${said.mnt_point} of both`,
            said.mnt_point === its?.mountPoint &&
              said.mnt_root === its?.root &&
              its?.fsType.split(".")[0] === said.fs_type,
          );
        }
      }),
    },
    {
      name: "listmount goes on after the last, and backwards",
      as: "root",
      alone: true,
      run: inside((traced, dir) => {
        if (!has("listmount")) return;
        for (const name of "abcdefg") tmpfsOn(dir, name);
        const below = traced.call("listmount", idOf(dir));
        traced.expect("seven mounts below", below.length === 7);
        traced.expect(
          "in the order in which they were made",
          below[0] === idOf(join(dir, "a")) && below[6] === idOf(join(dir, "g")),
        );
        const buffer = new Uint8Array(3 * 8);
        const pages: bigint[][] = [];
        do pages.push([...traced.call("listmount", idOf(dir), pages.at(-1)?.at(-1) ?? 0, 0, 0, buffer)]);
        while (pages.at(-1)?.length === 3);
        traced.expect("three by three", pages.map(({ length }) => length).join() === "3,3,1");
        traced.expect("the same", pages.flat().join() === below.join());
        traced.expect("none below a leaf", traced.call("listmount", idOf(join(dir, "a"))).length === 0);
        if (has("LISTMOUNT_REVERSE")) {
          const back = traced.call("listmount", idOf(dir), 0, LISTMOUNT.REVERSE);
          traced.expect("backwards", back.toReversed().join() === below.join());
          const bytes = new Uint8Array(512);
          const { mnt_ns_id } = traced.call("statmount", idOf(dir), STATMOUNT.MNT_NS_ID, 0, bytes);
          const same = traced.call("listmount", idOf(dir), 0, 0, mnt_ns_id);
          traced.expect("in a namespace by its id", same.join() === below.join());
          traced.expect(
            "statmount too",
            traced.call("statmount", idOf(dir), STATMOUNT.MNT_BASIC, mnt_ns_id).mnt_id === idOf(dir),
          );
          traced.fails("ENOENT", "listmount", LSMT_ROOT, 0, 0, 1n);
          traced.fails("ENOENT", "statmount", idOf(dir), STATMOUNT.MNT_BASIC, 0xffff_ffffn);
        }
      }),
    },
    {
      name: "statmount and listmount know no mount of a wrong id",
      run(traced) {
        const missing = traced.fails(
          orNosys("statmount", "ENOENT"),
          "statmount",
          0xffff_ffff_ffffn,
          STATMOUNT.MNT_BASIC,
        );
        if (has("statmount")) hinted(traced, missing, "STATX_MNT_ID_UNIQUE");
        traced.fails(orNosys("listmount", "ENOENT"), "listmount", 0xffff_ffff_ffffn);
        traced.fails(orNosys("listmount", "EINVAL"), "listmount", LSMT_ROOT, 0, 0x8000);
        if (!has("statmount")) return;
        // An id of mountinfo: those of statmount begin beyond 31 bits, which older kernels did not look at.
        if (isSince(kernel, "6.18")) traced.fails("EINVAL", "statmount", 1, STATMOUNT.MNT_BASIC);
        const ids = traced.call("listmount", LSMT_ROOT);
        const root = traced.call("statx", AT_FDCWD, "/", 0, STATX.MNT_ID_UNIQUE).stx_mnt_id;
        traced.expect("anybody can list mounts", ids.length > 1 || ids.includes(root));
        traced.expect("and ask", traced.call("statmount", root, STATMOUNT.MNT_BASIC).mnt_id === root);
      },
    },
    {
      name: "statx tells what stat tells, and the mount",
      run(traced) {
        const dir = traced.dir();
        const [file, link] = [join(dir, "file"), join(dir, "link")];
        writeFileSync(file, "twelve bytes", { mode: 0o640 });
        symlinkSync("file", link);
        const basic = STATX.BASIC_STATS | STATX.BTIME | STATX.MNT_ID;
        const found = traced.call("statx", AT_FDCWD, file, 0, basic);
        const node = statSync(file, { bigint: true });
        traced.expect("size and mode", found.stx_size === 12 && found.stx_mode === Number(node.mode));
        traced.expect("inode and links", found.stx_ino === node.ino && found.stx_nlink === Number(node.nlink));
        traced.expect("owner", found.stx_uid === process.getuid?.() && found.stx_gid === Number(node.gid));
        traced.expect(
          "time of change",
          BigInt(found["stx_mtime.tv_sec"]) * 1_000_000_000n + BigInt(found["stx_mtime.tv_nsec"]) === node.mtimeNs,
        );
        traced.expect("blocks", found.stx_blocks === Number(node.blocks));
        traced.expect("what was asked for", (found.stx_mask & STATX.BASIC_STATS) === STATX.BASIC_STATS);
        use(sys.openat(AT_FDCWD, file, O.RDONLY | O.CLOEXEC), (fd) => {
          const again = traced.call("statx", fd, "", AT_STATX.EMPTY_PATH | AT_STATX.STATX_DONT_SYNC, basic);
          traced.expect("by descriptor", again.stx_ino === found.stx_ino);
          const [, id] = /^mnt_id:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd.number}`, "utf8")) ?? [];
          if (has("STATX_MNT_ID")) traced.expect("the mount", String(again.stx_mnt_id) === id);
        });
        const itself = traced.call(
          "statx",
          AT_FDCWD,
          link,
          AT_STATX.SYMLINK_NOFOLLOW | AT_STATX.NO_AUTOMOUNT | AT_STATX.STATX_FORCE_SYNC,
          STATX.ALL,
        );
        traced.expect("the link itself", itself.stx_ino === lstatSync(link, { bigint: true }).ino);
        const root = traced.call("statx", AT_FDCWD, "/", 0, STATX.BASIC_STATS);
        if (root.stx_attributes_mask & STATX_ATTR.MOUNT_ROOT)
          traced.expect("a mount's root", (root.stx_attributes & STATX_ATTR.MOUNT_ROOT) !== 0);
        const unique = traced.call("statx", AT_FDCWD, "/proc", 0, STATX.MNT_ID_UNIQUE | STATX.MNT_ID).stx_mnt_id;
        if (has("STATX_MNT_ID_UNIQUE")) traced.expect("ids that are never used again are large", unique > 0x7fffffffn);

        const missing = traced.fails("ENOENT", "statx", AT_FDCWD, join(dir, "missing"), 0, basic);
        traced.expect("the path", missing?.path === join(dir, "missing"));
        traced.fails("ENOTDIR", "statx", AT_FDCWD, join(file, "below"), 0, basic);
        traced.fails("ENOENT", "statx", AT_FDCWD, "", 0, basic);
        traced.fails("EBADF", "statx", 9999, "", AT_STATX.EMPTY_PATH, basic);
        traced.fails("EINVAL", "statx", AT_FDCWD, file, 0x10, basic);
        traced.fails("EINVAL", "statx", AT_FDCWD, file, 0, 0x80000000);
      },
    },
    {
      name: "statfs tells types of file systems",
      run(traced) {
        const dir = traced.dir();
        writeFileSync(join(dir, "file"), "");
        traced.expect("proc", traced.call("statfs", "/proc").f_type === MAGIC.PROC_SUPER_MAGIC);
        const here = traced.call("statfs", dir);
        const node = statfsSync(dir);
        traced.expect(
          "as node has it",
          here.f_type === node.type && here.f_blocks === node.blocks && here.f_files === node.files,
        );
        use(sys.openat(AT_FDCWD, "/proc/self/ns/mnt", O.RDONLY | O.CLOEXEC), (fd) => {
          traced.expect("a namespace", traced.call("fstatfs", fd).f_type === MAGIC.NSFS_MAGIC);
        });
        traced.fails("ENOENT", "statfs", join(dir, "missing"));
        traced.fails("ENOTDIR", "statfs", join(dir, "file/below"));
        traced.fails("EBADF", "fstatfs", 9999);
      },
    },
    {
      name: "without privileges there are no mounts",
      as: "user",
      run(traced) {
        const dir = traced.dir();
        const owner = "CAP_SYS_ADMIN in the user namespace that owns the mount namespace";
        traced.fails("EPERM", "mount", "case", dir, "tmpfs", 0, null);
        hinted(traced, traced.fails("EPERM", "mount", dir, dir, null, MS.BIND, null), owner);
        hinted(traced, traced.fails("EPERM", "mount", null, "/", null, MS.REC | MS.PRIVATE, null), owner);
        hinted(traced, traced.fails("EPERM", "umount2", "/proc", MNT.DETACH), owner);
        hinted(traced, traced.fails("EPERM", "pivotRoot", dir, dir), owner);
        hinted(traced, traced.fails("EPERM", "chroot", dir), "CAP_SYS_CHROOT");
        hinted(traced, traced.fails("EPERM", "openTree", AT_FDCWD, dir, OPEN_TREE.CLONE), owner);
        use(traced.call("openTree", AT_FDCWD, dir, OPEN_TREE.CLOEXEC), (place) => {
          hinted(traced, traced.fails("EPERM", "moveMount", place, "", AT_FDCWD, dir, MOVE_MOUNT.F_EMPTY_PATH), owner);
          traced.expect(
            "a path is known",
            traced.fails("EPERM", "mountSetattr", place, "", AT.EMPTY_PATH, 1)?.path === dir,
          );
        });
        traced.fails(
          orNosys("open_tree_attr", "EPERM"),
          "openTreeAttr",
          AT_FDCWD,
          dir,
          OPEN_TREE.CLONE,
          MOUNT_ATTR.RDONLY,
        );
        hinted(traced, traced.fails("EPERM", "fspick", AT_FDCWD, "/", FSPICK.CLOEXEC), owner);
        traced.fails("EPERM", "fsopen", "tmpfs", FSOPEN.CLOEXEC);
        traced.fails("EPERM", "fsmount", 0, 0, 0);
        traced.fails("EINVAL", "fsconfigCreate", 0);
      },
    },
    {
      name: "in a user namespace of its own a user mounts, and what came from outside is locked",
      as: "user",
      in: ["unshare", "--user", "--map-root-user", "--mount"],
      run(traced) {
        const dir = traced.dir();
        sys.mount("case", dir, "tmpfs", 0, null);
        try {
          const target = makeDir(dir, "target");
          for (const name of ["lower", "upper", "work"]) makeDir(dir, name);
          use(traced.call("fsopen", "tmpfs", CLOEXEC), (context) => {
            traced.call("fsconfigCreate", context);
            use(traced.call("fsmount", context, FSMOUNT.CLOEXEC, MOUNT_ATTR.RDONLY), (tree) => attach(tree, target));
          });
          traced.expect("it is mounted", mountOn(target)?.options.includes("ro") === true);
          traced.call("mountSetattr", AT_FDCWD, target, 0, 0, MOUNT_ATTR.RDONLY);
          if (has("overlayfs in user namespaces")) {
            use(sys.fsopen("overlay", CLOEXEC), (context) => {
              for (const name of ["lower", "upper", "work"]) sys.fsconfigString(context, `${name}dir`, join(dir, name));
              traced.call("fsconfigFlag", context, "userxattr");
              traced.call("fsconfigCreate", context);
            });
          }
          // Mounts of the outer namespace cannot be taken away one by one, nor can file systems be made that need its rights.
          traced.fails("EINVAL", "umount2", "/proc", 0);
          use(sys.fsopen("cgroup2", CLOEXEC), (context) => traced.fails("EPERM", "fsconfigCreate", context));
          use(traced.call("fspick", AT_FDCWD, "/proc", FSPICK.CLOEXEC), (context) => {
            traced.fails("EPERM", "fsconfigReconfigure", context);
          });
          traced.fails("EINVAL", "openTree", AT_FDCWD, "/", OPEN_TREE.CLONE);
        } finally {
          sys.umount2(dir, MNT.DETACH);
        }
      },
    },
  ],
};

/** Some block device: nothing is read from it. */
function lookForDevice(): string | undefined {
  return ["/dev/loop0", "/dev/vda", "/dev/sda", "/dev/nvme0n1"].find(
    (path) => existsSync(path) && statSync(path).isBlockDevice(),
  );
}
