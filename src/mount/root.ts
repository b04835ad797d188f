/** Steps that build the root of a box: the host's own below overlays, a directory, or layers. overlayfs, pivot_root(2) */
import type { Text } from "../sys/call.ts";
import * as call from "../sys/calls.ts";
import { AT_FDCWD } from "../sys/calls.ts";
import { AT, MNT, MOUNT_ATTR, MOVE_MOUNT, MS, O, OPEN_TREE, S } from "../sys/flags.ts";
import { type CallStep, step } from "../sys/step.ts";
import { openTree } from "./bind.ts";
import { openRoot } from "./place.ts";

/** What stands at a path of the host, as far as showing it in a box is concerned. */
export type HostEntry =
  | { readonly kind: "directory"; readonly path: string; readonly mode: number; readonly isEmpty: boolean }
  /** A directory with mounts somewhere below: what is in it is shown one by one. */
  | { readonly kind: "branch"; readonly path: string; readonly mode: number; readonly entries: readonly HostEntry[] }
  | { readonly kind: "mount"; readonly path: string; readonly mode: number; readonly isDirectory: boolean }
  | { readonly kind: "link"; readonly path: string; readonly target: string }
  | { readonly kind: "file"; readonly path: string };

/** The root of a box. */
export type RootSpec =
  | { readonly kind: "host"; readonly entries: readonly HostEntry[] }
  | { readonly kind: "directory"; readonly dir: string; readonly isWritable: boolean }
  | {
      readonly kind: "layers";
      /** Lowest first. */
      readonly layers: readonly string[];
      /** Undefined, like `work`: a tmpfs takes the changes. */
      readonly upper: string | undefined;
      readonly work: string | undefined;
    };

/** What building a root depends on beside the root itself. */
export interface RootOptions {
  /** A directory of the host on which the new root is put together; what it holds is hidden meanwhile, not lost. */
  readonly base: string;
  /** In a user namespace overlayfs keeps its marks in user.* attributes, and only there it may. */
  readonly isUserxattr: boolean;
  /** Set-user-ID files of the root work. */
  readonly isSuid: boolean;
}

/** Two steps each in the monitor: a persistent upper and its work directory are made, and the work directory is removed. */
export function prepareUpper(root: RootSpec): { host: CallStep[]; undo: CallStep[] } {
  if (root.kind !== "layers" || root.upper === undefined || root.work === undefined) return { host: [], undo: [] };
  const { upper, work } = root;
  return {
    host: [
      step(`make ${upper}`, call.mkdirat(AT_FDCWD, upper, 0o755), { tolerate: ["EEXIST"] }),
      step(`make ${work}`, call.mkdirat(AT_FDCWD, work, 0o700), { id: "work", tolerate: ["EEXIST"] }),
    ],
    undo: [
      // overlayfs leaves an empty directory of its own in it. One that was there before is not ours to remove.
      step(`empty ${work}`, call.unlinkat(AT_FDCWD, `${work}/work`, AT.REMOVEDIR), {
        needs: "work",
        tolerate: ["ENOENT"],
      }),
      step(`remove ${work}`, call.unlinkat(AT_FDCWD, work, AT.REMOVEDIR), { needs: "work", tolerate: ["ENOENT"] }),
    ],
  };
}

/** Cuts the mount namespace off from its copy's original: nothing mounted from here on reaches the host. */
export function makePrivate(): CallStep {
  return step("make all mounts private", call.mount(null, "/", null, MS.REC | MS.PRIVATE, null));
}

/** Takes hold of directories while the host's root is in place. */
export function openLayers(root: RootSpec): CallStep[] {
  if (root.kind === "host")
    return overlaysOf(root.entries)
      .filter(({ path }) => needsDescriptor(path))
      .map(({ path }) => openPath(path));
  if (root.kind === "layers")
    return [...root.layers, root.upper, root.work].filter((path) => path !== undefined).map(openPath);
  return [
    step(`open ${root.dir}`, call.openTree(AT_FDCWD, root.dir, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.RECURSIVE), {
      id: "root tree",
    }),
  ];
}

const openPath = (path: string): CallStep =>
  step(`open ${path}`, call.openat(AT_FDCWD, path, O.PATH | O.DIRECTORY | O.CLOEXEC), { id: `layer ${path}` });

/** Builds the root and makes it the working directory. */
export function buildRoot(root: RootSpec, options: RootOptions): CallStep[] {
  const steps = { host: hostRoot, directory: directoryRoot, layers: layersRoot }[root.kind] as (
    root: RootSpec,
    options: RootOptions,
  ) => CallStep[];
  return [...steps(root, options), openRoot()];
}

/** Makes the working directory the root, and the old one disappear. */
export function enterRoot(): CallStep[] {
  return [
    // The old root is stacked on the new one, where "." finds it: no directory for it is needed.
    step("enter the new root", call.pivotRoot(".", ".")),
    step("detach the old root", call.umount2(".", MNT.DETACH)),
    step("go to /", call.chdir("/")),
  ];
}

/**
 * A tmpfs with `root`, made a mount point of its own so that it can become the root without the directories beside it, which hold
 * what the box writes.
 */
function scratch(base: string): CallStep[] {
  return [
    step(`mount tmpfs on ${base}`, call.mount("tmpfs", base, "tmpfs", MS.NOSUID | MS.NODEV, "mode=0755")),
    step(`go to ${base}`, call.chdir(base)),
    step("make the new root", call.mkdirat(AT_FDCWD, "root", 0o755)),
  ];
}

function hostRoot(root: Extract<RootSpec, { kind: "host" }>, options: RootOptions): CallStep[] {
  return [
    ...scratch(options.base),
    step("make the new root a mount point", call.mount("root", "root", null, MS.BIND, null)),
    ...root.entries.flatMap((entry) => showEntry(entry, options)),
    step("go to the new root", call.chdir("root")),
  ];
}

function showEntry(entry: HostEntry, options: RootOptions): CallStep[] {
  const { path } = entry;
  const target = `root${path}`;
  switch (entry.kind) {
    case "link":
      return [step(`link ${path} to ${entry.target}`, call.symlinkat(entry.target, AT_FDCWD, target))];
    case "file":
      return [
        step(`make ${path}`, call.mknodat(AT_FDCWD, target, S.IFREG | 0o644, 0)),
        step(`bind ${path}`, call.mount(path, target, null, MS.BIND, null), {
          id: path,
          tolerate: ["EACCES"],
          downgrade: `${path} is not shown`,
        }),
        step(
          `restrict ${path} to reading`,
          call.mountSetattr(AT_FDCWD, target, 0, MOUNT_ATTR.RDONLY + MOUNT_ATTR.NOSUID + MOUNT_ATTR.NODEV),
          { needs: path },
        ),
      ];
    case "branch":
      return [
        step(`make ${path}`, call.mkdirat(AT_FDCWD, target, entry.mode)),
        ...entry.entries.flatMap((inner) => showEntry(inner, options)),
      ];
    case "mount": {
      const id = `tree ${path}`;
      return [
        entry.isDirectory
          ? step(`make ${path}`, call.mkdirat(AT_FDCWD, target, entry.mode))
          : step(`make ${path}`, call.mknodat(AT_FDCWD, target, S.IFREG | 0o644, 0)),
        ...openTree(path, id, true, { tolerate: ["EACCES", "ENOENT"], downgrade: `${path} is not shown` }),
        step(`bind ${path}`, call.moveMount({ result: id }, "", AT_FDCWD, target, MOVE_MOUNT.F_EMPTY_PATH), {
          needs: id,
        }),
      ];
    }
    case "directory": {
      const make = step(`make ${path}`, call.mkdirat(AT_FDCWD, target, entry.mode));
      if (entry.isEmpty) return [make];
      const name = path
        .slice(1)
        .replaceAll("/", "-")
        .replaceAll(/[:,\\]/g, "_");
      return [
        make,
        // The upper directory lends its mode to the merged one.
        step(`make the upper of ${path}`, call.mkdirat(AT_FDCWD, `upper-${name}`, entry.mode)),
        step(`make the work of ${path}`, call.mkdirat(AT_FDCWD, `work-${name}`, 0o700)),
        mountOverlay(path, target, [lower(path)], `upper-${name}`, `work-${name}`, options),
      ];
    }
  }
}

function directoryRoot(root: Extract<RootSpec, { kind: "directory" }>, { base, isSuid }: RootOptions): CallStep[] {
  const attributes = MOUNT_ATTR.NODEV + (isSuid ? 0 : MOUNT_ATTR.NOSUID) + (root.isWritable ? 0 : MOUNT_ATTR.RDONLY);
  return [
    step(
      `restrict ${root.dir}${root.isWritable ? "" : " to reading"}`,
      call.mountSetattr({ result: "root tree" }, "", AT.EMPTY_PATH | AT.RECURSIVE, attributes),
    ),
    step(
      `bind ${root.dir} to ${base}`,
      call.moveMount({ result: "root tree" }, "", AT_FDCWD, base, MOVE_MOUNT.F_EMPTY_PATH),
    ),
    step(`go to ${base}`, call.chdir(base)),
  ];
}

function layersRoot(root: Extract<RootSpec, { kind: "layers" }>, options: RootOptions): CallStep[] {
  const { base } = options;
  // Topmost first, as overlayfs wants them. By descriptor: no name can be cut, or read as several (":" "," "\").
  const lowers = root.layers.toReversed().map(byDescriptor);
  if (root.upper !== undefined && root.work !== undefined)
    return [
      mountOverlay("/", base, lowers, byDescriptor(root.upper), byDescriptor(root.work), options),
      step(`go to ${base}`, call.chdir(base)),
    ];
  return [
    ...scratch(base),
    step("make the upper", call.mkdirat(AT_FDCWD, "upper", 0o755)),
    step("make the work", call.mkdirat(AT_FDCWD, "work", 0o700)),
    mountOverlay("/", "root", lowers, "upper", "work", options),
    step("go to the new root", call.chdir("root")),
  ];
}

const needsDescriptor = (path: string): boolean => /[:,\\]/.test(path);
const byDescriptor = (path: string): Text => ({ text: ["/proc/self/fd/", { result: `layer ${path}` }] });
const lower = (path: string): Text => (needsDescriptor(path) ? byDescriptor(path) : path);

function mountOverlay(
  path: string,
  target: string,
  lowers: readonly Text[],
  upper: Text,
  work: Text,
  { isUserxattr, isSuid }: RootOptions,
): CallStep {
  const data = join(
    "lowerdir=",
    ...lowers.flatMap((layer, i) => (i === 0 ? [layer] : [":", layer])),
    ",upperdir=",
    upper,
    ",workdir=",
    work,
    isUserxattr ? ",userxattr" : "",
  );
  return step(
    `mount overlay on ${path}`,
    call.mount("overlay", target, "overlay", (isSuid ? 0 : MS.NOSUID) | MS.NODEV, data),
  );
}

/** One text of several. */
function join(...texts: readonly Text[]): Text {
  const parts = texts.flatMap((text) => (typeof text === "string" ? [text] : text.text));
  return parts.every((part) => typeof part === "string") ? parts.join("") : { text: parts };
}

function overlaysOf(entries: readonly HostEntry[]): Extract<HostEntry, { kind: "directory" }>[] {
  return entries.flatMap((entry) =>
    entry.kind === "branch" ? overlaysOf(entry.entries) : entry.kind === "directory" && !entry.isEmpty ? [entry] : [],
  );
}
