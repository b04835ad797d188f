/** New directories for a group: in which hierarchies, below which parent, with which controllers enabled; all or nothing. */
import type { Fd } from "../sys/fd.ts";
import { OptionsError } from "../sys/options-error.ts";
import {
  type Directory,
  makeBelow,
  openBelow,
  openDirectory,
  quietly,
  readIn,
  removeBelow,
  writeIn,
} from "./directory.ts";
import { enableAlong } from "./enabling.ts";
import { v1ControllerOf, withoutEnabling } from "./files.ts";
import { type CgroupHierarchy, type CgroupLayout, chooseParent } from "./layout.ts";
import { hierarchyWith, v2Controller, v2Place } from "./location.ts";
import { Place } from "./place.ts";
import type { Asked } from "./writing.ts";

/** The controllers that a group needs for these files, and those that are wanted besides. */
export function controllersFor(asked: readonly Asked[], besides: readonly string[] = []): string[] {
  const wanted = new Set<string>(besides);
  for (const { file, entry } of asked) {
    if (entry.controller !== "cgroup")
      wanted.add(entry.v1Only === undefined ? entry.controller : (v1ControllerOf(file) ?? "cgroup"));
  }
  return [...wanted];
}

/**
 * Makes the directories and opens them.
 * @param parent The directories to make them in; without it each hierarchy's own choice, opened for as long as `parents` lasts.
 * @param undo Takes all of it back; it needs the parents.
 */
export function makePlaces(
  name: string,
  wanted: readonly string[],
  layout: CgroupLayout,
  parent: readonly Place[] | undefined,
  parents: DisposableStack,
  undo: DisposableStack,
): Place[] {
  return hierarchiesFor(wanted, layout, parent).map((hierarchy) => {
    const enable = hierarchy.version === 2 ? wanted.filter((each) => hierarchy.controllers.includes(each)) : [];
    const below = parentIn(hierarchy, enable, parent, parents);
    if (enable.length > 0) undo.defer(enableAlong(hierarchy, below.path, enable));
    makeBelow(below, name);
    undo.defer(() => quietly(() => removeBelow(below, name)));
    const place = new Place(hierarchy, `${below.path}/${name}`, undo.use(openBelow(below, name)));
    if (hierarchy.version === 1 && hierarchy.controllers.includes("cpuset")) fillCpuset(place, below);
    return place;
  });
}

/** The hierarchies in which a new group gets a directory. */
function hierarchiesFor(
  wanted: readonly string[],
  layout: CgroupLayout,
  parent: readonly Place[] | undefined,
): CgroupHierarchy[] {
  const { hierarchies } = layout;
  const v2 = hierarchies.find(({ version }) => version === 2);
  const found = new Set<CgroupHierarchy>();
  for (const controller of wanted) {
    const hierarchy = hierarchyWith(controller, layout) ?? (withoutEnabling.includes(controller) ? v2 : undefined);
    if (!hierarchy) {
      const there = hierarchies.flatMap(({ controllers }) => controllers.map(v2Controller)).join(", ") || "none";
      throw new OptionsError("controllers", controller, `no ${controller} controller here: there are ${there}`);
    }
    found.add(hierarchy);
  }
  if (v2 && (!parent || v2Place(parent))) found.add(v2);
  for (const { mountPoint, isTop } of parent ?? []) {
    const same = hierarchies.find((hierarchy) => hierarchy.mountPoint === mountPoint);
    if (same && !isTop) found.add(same);
  }
  // Without v2, the freezer is what kill() stops a group with.
  const freezer = v2 ? undefined : hierarchyWith("freezer", layout);
  const isBelow = !parent || parent.some(({ mountPoint }) => mountPoint === freezer?.mountPoint);
  if (freezer && found.size > 0 && isBelow) found.add(freezer);
  if (found.size === 0) for (const hierarchy of hierarchies) if (hierarchy.controllers.length > 0) found.add(hierarchy);
  if (found.size === 0) throw new OptionsError("cgroup", wanted, "no cgroup hierarchy is mounted");
  return hierarchies.filter((hierarchy) => found.has(hierarchy));
}

/** The directory to make the new one in. */
function parentIn(
  hierarchy: CgroupHierarchy,
  controllers: readonly string[],
  parent: readonly Place[] | undefined,
  owned: DisposableStack,
): { readonly fd: Fd; readonly path: string } {
  if (parent) {
    const place = parent.find(({ mountPoint }) => mountPoint === hierarchy.mountPoint);
    if (place) return place;
    const why = `the parent has no directory in ${hierarchy.mountPoint}, where ${hierarchy.controllers.join(" ")} is`;
    throw new OptionsError("parent", parent[0]?.path, why);
  }
  const { path, reason } = chooseParent(hierarchy, controllers);
  if (path === undefined) throw new OptionsError("cgroup", controllers, `no group can be made: ${reason}`);
  return { fd: owned.use(openDirectory(path)), path };
}

/** A new v1 group has no CPUs and no memory nodes, and a task cannot enter (ENOSPC) before both are filled. */
function fillCpuset(place: Place, parent: Directory): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    const value = readIn(parent, file)?.trim();
    // Where clone_children is on, the kernel has done it.
    if (value && readIn(place, file)?.trim() === "") writeIn(place, file, value);
  }
}
