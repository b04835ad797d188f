/** One directory of a group, in one hierarchy; the directories of a group are opened all together or not at all. cgroups(7) */
import type { CgroupEntry } from "../proc/cgroup.ts";
import { ifThere } from "../proc/read.ts";
import type { SyscallError } from "../sys/error.ts";
import type { Fd } from "../sys/fd.ts";
import { OptionsError } from "../sys/options-error.ts";
import { isErrno, namesBelow, openAbove, openBelow, openDirectory } from "./directory.ts";
import type { CgroupHierarchy, CgroupLayout } from "./layout.ts";

/** One directory of a group. */
export interface CgroupPlace {
  /** Of the hierarchy. */
  readonly mountPoint: string;
  /** Of the hierarchy. */
  readonly version: 1 | 2;
  /** Of the hierarchy; v2: what is there at the top, of which the group may lack some. */
  readonly controllers: readonly string[];
  /** The directory. */
  readonly path: string;
  /** Open on it, for reading. */
  readonly fd: Fd;
}

/** What a group consists of. */
export interface Parts {
  /** Of the host. */
  readonly layout: CgroupLayout;
  /** Its directories: v1 first, v2 last. */
  readonly places: readonly Place[];
}

/** A directory that is going to be opened. */
export interface Unopened {
  /** In which it is. */
  readonly hierarchy: CgroupHierarchy;
  /** Of the directory. */
  readonly path: string;
}

/** A directory that is kept open. */
export class Place implements CgroupPlace {
  /** In which it is. */
  readonly hierarchy: CgroupHierarchy;
  /** Of the directory. */
  readonly path: string;
  /** Open on it, for reading. */
  readonly fd: Fd;

  /** Takes the descriptor over. */
  constructor(hierarchy: CgroupHierarchy, path: string, fd: Fd) {
    this.hierarchy = hierarchy;
    this.path = path;
    this.fd = fd;
  }

  /** Of the hierarchy. */
  get mountPoint(): string {
    return this.hierarchy.mountPoint;
  }

  /** Of the hierarchy. */
  get version(): 1 | 2 {
    return this.hierarchy.version;
  }

  /** Of the hierarchy. */
  get controllers(): readonly string[] {
    return this.hierarchy.controllers;
  }

  /** Whether it is the top of what is mounted. */
  get isTop(): boolean {
    return this.path === this.mountPoint;
  }

  /** Last part of the path. */
  get name(): string {
    return this.path.slice(this.path.lastIndexOf("/") + 1);
  }

  /** Of the directory above. */
  get parentPath(): string {
    return this.path.slice(0, this.path.lastIndexOf("/")) || "/";
  }
}

/**
 * Opens those that are there.
 * @throws {SyscallError} ENOENT when none is
 */
export function openPlaces(wanted: readonly Unopened[], what: string): Place[] {
  if (wanted.length === 0) throw new OptionsError("path of the group", what, "it is not in sight from here");
  return openEach(wanted, ({ hierarchy, path }) => new Place(hierarchy, path, openDirectory(path)));
}

/** The directories above, but for those at the top. */
export function openParents(places: readonly Place[]): Place[] {
  const below = places.filter(({ isTop }) => !isTop);
  return openEach(below, (place) => new Place(place.hierarchy, place.parentPath, openAbove(place)));
}

/** The group of that name below, in all hierarchies that have it; undefined when it is gone by now. */
export function openChild(places: readonly Place[], name: string): Place[] | undefined {
  const open = (place: Place): Place =>
    new Place(place.hierarchy, join(place.path, `/${name}`), openBelow(place, name));
  return ifThere(() => openEach(places, open));
}

/** All or nothing, save those that are not there. @throws {SyscallError} ENOENT when none is there. */
function openEach<T>(from: readonly T[], open: (one: T) => Place): Place[] {
  using owned = new DisposableStack();
  const places: Place[] = [];
  let missing: SyscallError | undefined;
  for (const one of from) {
    try {
      const place = open(one);
      owned.use(place.fd);
      places.push(place);
    } catch (error) {
      if (!isErrno(error, "ENOENT")) throw error;
      missing ??= error;
    }
  }
  if (places.length === 0 && missing) throw missing;
  owned.move();
  return places;
}

/** Names of the groups right below, sorted. */
export function childNames(places: readonly Place[]): string[] {
  return [...new Set(places.flatMap((place) => namesBelow(place)))].sort();
}

/** Closes their descriptors. */
export function closePlaces(places: readonly Place[]): void {
  for (const { fd } of places) fd.close();
}

/** The hierarchies in which a group has a directory when nobody asks for a special one: named v1 ones have no controllers. */
export function usualHierarchies({ hierarchies }: CgroupLayout): CgroupHierarchy[] {
  return hierarchies.filter(({ controllers, version }) => version === 2 || controllers.length > 0);
}

/** The directory of a process in a hierarchy; undefined when it lies outside of what is mounted. */
export function directoryOf(entries: readonly CgroupEntry[], hierarchy: CgroupHierarchy): string | undefined {
  const { version, controllers, name } = hierarchy;
  const entry = entries.find((each) =>
    version === 2
      ? each.hierarchyId === 0
      : each.hierarchyId !== 0 && each.name === name && each.controllers.join() === controllers.join(),
  );
  return entry && !entry.deleted ? pathIn(hierarchy, entry.path) : undefined;
}

/** The directory of a path as in /proc/PID/cgroup; undefined when it lies outside of what is mounted. */
export function pathIn({ mountPoint, mountRoot }: CgroupHierarchy, path: string): string | undefined {
  if (path === mountRoot) return mountPoint;
  const prefix = mountRoot === "/" ? "" : mountRoot;
  // "/../x" as seen from a cgroup namespace: outside of it.
  if (!path.startsWith(`${prefix}/`) || path.split("/").includes("..")) return undefined;
  return join(mountPoint, path.slice(prefix.length));
}

/** Where a path given by a user is: below a mount point in that hierarchy, else, as in /proc/PID/cgroup, in all. @throws {OptionsError} */
export function placesAt(path: unknown, layout: CgroupLayout): Unopened[] {
  const parts =
    typeof path === "string" && path.startsWith("/") ? path.split("/").filter((part) => part !== "") : undefined;
  if (!parts || parts.some((part) => part === "." || part === ".." || part.includes("\0")))
    throw new OptionsError("path of the group", path, 'expected an absolute path without ".."');
  if (layout.hierarchies.length === 0)
    throw new OptionsError("path of the group", path, "no cgroup hierarchy is mounted");
  const clean = `/${parts.join("/")}`;
  // Of mounts within each other, the innermost: /sys/fs/cgroup/unified below /sys/fs/cgroup.
  const inside = layout.hierarchies
    .filter(({ mountPoint }) => clean === mountPoint || clean.startsWith(`${mountPoint}/`))
    .toSorted((a, b) => b.mountPoint.length - a.mountPoint.length)[0];
  if (inside) return [{ hierarchy: inside, path: clean }];
  return usualHierarchies(layout).flatMap((hierarchy) => {
    const at = pathIn(hierarchy, clean);
    return at === undefined ? [] : [{ hierarchy, path: at }];
  });
}

const join = (directory: string, rest: string): string => (directory === "/" ? rest : directory + rest);
