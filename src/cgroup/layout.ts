/** Which cgroup hierarchies a host has, where this process sits in them, and where a new group may be made: cgroups(7). */
import { accessSync, constants, readdirSync } from "node:fs";
import { cgroup, type CgroupEntry } from "../proc/cgroup.ts";
import { type MountInfo, mountinfo } from "../proc/mountinfo.ts";
import { ifThere, readIfThere } from "../proc/read.ts";

/** What is mounted: v1 hierarchies with controllers, one v2 hierarchy, or both (hybrid). */
export interface CgroupLayout {
  readonly version: "v1" | "v2" | "hybrid" | "none";
  /** v1 first, in the kernel's order; v2 last. Those without a mount in sight are left out. */
  readonly hierarchies: readonly CgroupHierarchy[];
}

/** One tree of groups, as this process sees it. Its mount point is what it is called by elsewhere. */
export interface CgroupHierarchy {
  readonly version: 1 | 2;
  /** Where it is mounted: `/sys/fs/cgroup` on a pure v2 host. */
  readonly mountPoint: string;
  /** The group that is the top of the mount, in the notation of /proc/PID/cgroup. */
  readonly mountRoot: string;
  /** Of a named v1 hierarchy: `systemd`. */
  readonly name?: string;
  /** v1: all of them; v2: those of `cgroup.controllers` at the top of the mount, which groups further down may lack. */
  readonly controllers: readonly string[];
  /** The directory of the own group, absent when the group lies outside of what is mounted. */
  readonly ownPath?: string;
  /** The own group, its parent, and so on up to the mount point; only those that are there. */
  readonly ancestors: readonly CgroupDirectory[];
}

/** Facts about the directory of one group, as far as a decision needs them. */
export interface CgroupDirectory {
  readonly path: string;
  /** The caller may make groups in it. */
  readonly writable: boolean;
  /** The caller may move processes into it: `cgroup.procs` can be written. */
  readonly procsWritable: boolean;
  /** Names of the files in it; read for v2, memory and blkio only. */
  readonly files: readonly string[];
  /** v2: whether controllers can be enabled for groups below. */
  readonly subtreeControlWritable?: boolean;
  /** v2: `cgroup.type`, undefined in the root of the whole hierarchy. */
  readonly type?: string;
  /** v2: `cgroup.controllers`. */
  readonly controllers?: readonly string[];
  /** v2: `cgroup.subtree_control`. */
  readonly subtreeControl?: readonly string[];
  /** v2: there are processes in it, not counting groups below. */
  readonly hasProcesses?: boolean;
  /** v2: the root of the whole hierarchy, not only of what is in sight. */
  readonly isRoot?: boolean;
  /** v1 cpuset: what a new group has to be filled with. */
  readonly cpuset?: { readonly cpus: string; readonly mems: string };
}

/** Below which group to make a new one. */
export type ParentChoice =
  | {
      readonly path: string;
      /** v2: what has to be written to its `cgroup.subtree_control` first: `+memory`, ... without the plus. */
      readonly enable: readonly string[];
      readonly reason: string;
    }
  | {
      readonly path?: undefined;
      /** The group that comes closest. */
      readonly blockedBy?: string;
      readonly reason: string;
    };

/** Reads /proc/self/mountinfo, /proc/self/cgroup and the directories from the own groups upwards. */
export function readCgroupLayout(): CgroupLayout {
  const mounts = mountinfo();
  const own = cgroup();
  const directories: Record<string, CgroupDirectory> = {};
  for (const hierarchy of cgroupLayout(mounts, own, {}).hierarchies) {
    for (const path of pathsUp(hierarchy)) {
      const directory = readDirectory(path, hierarchy);
      if (directory) directories[path] = directory;
    }
  }
  return cgroupLayout(mounts, own, directories);
}

/** `directories` by path: facts about each hierarchy's own group and those above it. What is not in there does not exist. */
export function cgroupLayout(
  mounts: readonly MountInfo[],
  own: readonly CgroupEntry[],
  directories: Readonly<Record<string, CgroupDirectory>>,
): CgroupLayout {
  const visible = mounts.filter((mount) => mount.fsType.startsWith("cgroup") && isVisible(mount, mounts));
  const hierarchies: CgroupHierarchy[] = [];
  for (const entry of own.toSorted((a, b) => Number(isV2(a)) - Number(isV2(b)))) {
    const hierarchy = locate(entry, visible);
    if (hierarchy) hierarchies.push(describe(hierarchy, directories));
  }
  const hasV1 = hierarchies.some((hierarchy) => hierarchy.version === 1 && hierarchy.controllers.length > 0);
  const hasV2 = hierarchies.some((hierarchy) => hierarchy.version === 2);
  return { version: hasV1 && hasV2 ? "hybrid" : hasV1 ? "v1" : hasV2 ? "v2" : "none", hierarchies };
}

/** The hierarchy with that controller. A controller belongs to at most one. */
export function hierarchyOf(layout: CgroupLayout, controller: string): CgroupHierarchy | undefined {
  return layout.hierarchies.find((hierarchy) => hierarchy.controllers.includes(controller));
}

/**
 * Where a new group with these controllers may be made.
 *
 * v1: at the top, as runc, docker and libcgroup do, so that a limit on the own group does not add to the box's; else
 * below the nearest group that may be written. v2: below the nearest group, from the own one upwards, that passes the
 * controllers on to its children, or can be told to.
 */
export function chooseParent(hierarchy: CgroupHierarchy, controllers: readonly string[] = []): ParentChoice {
  return hierarchy.version === 1 ? chooseV1(hierarchy) : chooseV2(hierarchy, controllers);
}

function chooseV1(hierarchy: CgroupHierarchy): ParentChoice {
  const top = hierarchy.ancestors.find((directory) => directory.path === hierarchy.mountPoint);
  if (top && mayHold(top)) return { path: top.path, enable: [], reason: "the top of the v1 hierarchy may be written" };
  const nearest = hierarchy.ancestors.find(mayHold);
  if (nearest) return { path: nearest.path, enable: [], reason: "the nearest group that may be written" };
  return {
    blockedBy: hierarchy.mountPoint,
    reason: `no group from ${hierarchy.ownPath ?? hierarchy.mountPoint} up to ${hierarchy.mountPoint} may be written`,
  };
}

function chooseV2(hierarchy: CgroupHierarchy, controllers: readonly string[]): ParentChoice {
  const blocks: { directory: CgroupDirectory; why: string }[] = [];
  for (const directory of hierarchy.ancestors) {
    const why = whyNot(directory, controllers);
    if (why !== undefined) {
      blocks.push({ directory, why });
      continue;
    }
    const enable = missing(controllers, directory.subtreeControl);
    const reason = `the nearest group that may be written and ${
      controllers.length === 0
        ? "hold processes"
        : enable.length === 0
          ? `passes on ${controllers.join(" ")}`
          : `can enable ${enable.join(" ")}`
    }`;
    return { path: directory.path, enable, reason };
  }
  // The one to show is the one that its owner could put right: a group that may be written, or else the own one.
  const block = blocks.find(({ directory }) => mayHold(directory)) ?? blocks[0];
  if (!block) return { reason: `no group is in sight at ${hierarchy.mountPoint}` };
  return { blockedBy: block.directory.path, reason: `${block.directory.path} ${block.why}` };
}

function whyNot(directory: CgroupDirectory, controllers: readonly string[]): string | undefined {
  if (!directory.writable) return "may not be written: no group can be made in it";
  // Moving a process, and CLONE_INTO_CGROUP too, asks for write access to the cgroup.procs of the nearest common
  // ancestor of the old and the new group. The chosen parent is that ancestor, for the own group is it or lies below.
  if (!directory.procsWritable) return "has a cgroup.procs that may not be written: no process can be moved below it";
  // A child would be of type "domain invalid", and could not hold processes.
  if (directory.type !== undefined && directory.type !== "domain") return `is of type "${directory.type}"`;
  const absent = missing(controllers, directory.controllers);
  if (absent.length > 0) return `has no ${absent.join(" ")} in its cgroup.controllers`;
  const enable = missing(controllers, directory.subtreeControl);
  if (enable.length === 0) return undefined;
  if (!directory.subtreeControlWritable)
    return `may not enable ${enable.join(" ")}: its cgroup.subtree_control is not writable`;
  if (directory.hasProcesses && !directory.isRoot) {
    return `holds processes itself, so it cannot enable ${enable.join(" ")} for its children: move them into a child first`;
  }
  return undefined;
}

function mayHold(directory: CgroupDirectory): boolean {
  return directory.writable && directory.procsWritable;
}

function missing(wanted: readonly string[], there: readonly string[] = []): string[] {
  return wanted.filter((name) => !there.includes(name));
}

function isV2(entry: CgroupEntry): boolean {
  return entry.hierarchyId === 0;
}

/** Not mounted over: all mounts that cover its mount point are those it stands on. */
function isVisible(mount: MountInfo, mounts: readonly MountInfo[]): boolean {
  const below = new Set<MountInfo>();
  for (let at: MountInfo | undefined = mount; at && !below.has(at);) {
    below.add(at);
    const { parentId }: MountInfo = at;
    at = mounts.find((other) => other.mountId === parentId);
  }
  return mounts.every((other) => below.has(other) || pathWithin(mount.mountPoint, other.mountPoint) === undefined);
}

/** A hierarchy before its directories have been looked at. */
type Place = Omit<CgroupHierarchy, "ancestors">;

function locate(entry: CgroupEntry, mounts: readonly MountInfo[]): Place | undefined {
  const marks = entry.name === undefined ? entry.controllers : [...entry.controllers, `name=${entry.name}`];
  let best: Place | undefined;
  for (const mount of mounts) {
    const matches = isV2(entry)
      ? mount.fsType === "cgroup2"
      : mount.fsType === "cgroup" && marks.length > 0 && marks.every((mark) => mount.superOptions.includes(mark));
    if (!matches) continue;
    const inside = pathWithin(entry.path, mount.root);
    const place: Place = {
      version: isV2(entry) ? 2 : 1,
      mountPoint: mount.mountPoint,
      mountRoot: mount.root,
      controllers: entry.controllers,
      ...(entry.name === undefined ? {} : { name: entry.name }),
      ...(inside === undefined ? {} : { ownPath: append(mount.mountPoint, inside) }),
    };
    // Of several mounts, the one that shows the own group, and most above it.
    if (!best || rank(place) > rank(best)) best = place;
  }
  return best;
}

function rank(place: Place): number {
  return place.ownPath === undefined ? 0 : 1 + 1 / place.mountRoot.length;
}

function describe(place: Place, directories: Readonly<Record<string, CgroupDirectory>>): CgroupHierarchy {
  const ancestors = pathsUp(place).flatMap((path) => directories[path] ?? []);
  const controllers = place.version === 1 ? place.controllers : (directories[place.mountPoint]?.controllers ?? []);
  return { ...place, controllers, ancestors };
}

function pathsUp({ mountPoint, ownPath = mountPoint }: Pick<CgroupHierarchy, "mountPoint" | "ownPath">): string[] {
  const paths = [ownPath];
  for (let path = ownPath; path.length > mountPoint.length;) {
    path = path.slice(0, path.lastIndexOf("/")) || "/";
    paths.push(path);
  }
  return paths;
}

/** What follows `top` in `path`: "" or "/a/b"; undefined when it leads elsewhere. */
function pathWithin(path: string, top: string): string | undefined {
  const prefix = top === "/" ? "" : top;
  if (path === top) return "";
  if (!path.startsWith(`${prefix}/`)) return undefined;
  const rest = path.slice(prefix.length);
  // "/../x" as seen from a cgroup namespace: outside of it.
  return rest.split("/").includes("..") ? undefined : rest;
}

function append(directory: string, rest: string): string {
  return directory === "/" && rest !== "" ? rest : directory + rest;
}

function readDirectory(path: string, { version, controllers }: CgroupHierarchy): CgroupDirectory | undefined {
  const isCpuset = controllers.includes("cpuset");
  const wantsFiles = version === 2 || controllers.some((name) => name === "blkio" || name === "memory");
  const files = ifThere(() => (wantsFiles ? readdirSync(path) : (accessSync(path), [])));
  if (!files) return undefined;
  const facts = { path, writable: mayWrite(path), procsWritable: mayWrite(`${path}/cgroup.procs`), files };
  if (version === 2) return { ...facts, ...readV2(path, files) };
  if (!isCpuset) return facts;
  const text = (file: string): string => readIfThere(`${path}/${file}`)?.trim() ?? "";
  return { ...facts, cpuset: { cpus: text("cpuset.cpus"), mems: text("cpuset.mems") } };
}

function readV2(path: string, files: readonly string[]): Partial<CgroupDirectory> {
  const words = (file: string): string[] => (readIfThere(`${path}/${file}`) ?? "").split(/\s+/).filter(Boolean);
  const type = readIfThere(`${path}/cgroup.type`)?.trim();
  return {
    ...(type === undefined ? {} : { type }),
    subtreeControlWritable: mayWrite(`${path}/cgroup.subtree_control`),
    controllers: words("cgroup.controllers"),
    subtreeControl: words("cgroup.subtree_control"),
    // A threaded group answers EOPNOTSUPP; its type says enough.
    hasProcesses: ifThere(() => words("cgroup.procs").length > 0, ["EOPNOTSUPP", "ENOTSUP"]) ?? false,
    // The kernel has no cgroup.events in the root of the hierarchy. The root of a cgroup namespace has one.
    isRoot: !files.includes("cgroup.events"),
  };
}

function mayWrite(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
