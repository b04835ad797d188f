/** Where each file of a group is, and what it is called there: decisions only, on the layout and the directories. */
import { OptionsError } from "../sys/options-error.ts";
import { fileEntry, type FileEntry, fileNames, files, v1Controller, v1ControllerOf, withoutEnabling } from "./files.ts";
import type { CgroupHierarchy, CgroupLayout } from "./layout.ts";
import { whyNotOn } from "./limits.ts";
import type { Parts, Place } from "./place.ts";

/** What a file of the vocabulary is in a group. */
export interface Located {
  /** The directory. */
  readonly place: Place;
  /** Absent for a file that the table does not know. */
  readonly entry: FileEntry | undefined;
  /** On v1, and called otherwise there. */
  readonly translated: boolean;
}

/** The v2 place, or else the one deepest down: it has the name. */
export function mainPlace(places: readonly Place[]): Place {
  const sorted = places.toSorted((a, b) => b.version - a.version || b.path.length - a.path.length);
  return (sorted.find(({ isTop }) => !isTop) ?? sorted[0]) as Place;
}

/** The directory in the v2 hierarchy. */
export function v2Place(places: readonly Place[]): Place | undefined {
  return places.find(({ version }) => version === 2);
}

/** The directory of a v1 file by its controller; of what every v1 group has, the first. */
export function v1Place(places: readonly Place[], file: string): Place | undefined {
  const owner = v1ControllerOf(file);
  return places.find(
    ({ version, controllers }) => version === 1 && (owner === undefined || controllers.includes(owner)),
  );
}

/** The directory that has a controller. */
export function placeOf({ layout, places }: Parts, controller: string): Place | undefined {
  const hierarchy = hierarchyWith(controller, layout);
  if (hierarchy) return places.find(({ mountPoint }) => mountPoint === hierarchy.mountPoint);
  return withoutEnabling.includes(controller) ? v2Place(places) : undefined;
}

/** Why {@link placeOf} finds nothing. */
export function whyNoPlace({ layout }: Parts, controller: string): string {
  const hierarchy = hierarchyWith(controller, layout);
  if (hierarchy)
    return `the group has no directory in ${hierarchy.mountPoint}, where ${controller} is: create it with that controller`;
  if (controller === "net_cls" || controller === "net_prio")
    return `${controller} is a controller of v1 only, and not mounted here`;
  return `no ${controller} controller here`;
}

/** Where a file is; or why nowhere. */
export function locate(group: Parts, file: string): Located | string {
  const { layout, places } = group;
  const entry = fileEntry(file);
  if (!entry) {
    // A file that the table does not know yet: by its controller.
    const place = file.includes(".") ? v1Place(places, file) : undefined;
    return { place: place ?? mainPlace(places), entry, translated: false };
  }
  const { controller, v1Only, everywhere } = entry;
  const v2 = v2Place(places);
  if (v1Only !== undefined) {
    const place = v1Place(places, file);
    if (place) return { place, entry, translated: false };
    const owner = v1ControllerOf(file);
    const isOnV1 = owner !== undefined && hierarchyWith(owner, layout)?.version === 1;
    return (v2 && !isOnV1 && whyNotOn(v2, file, entry)) || whyNoPlace(group, owner ?? controller);
  }
  const own =
    file === "cgroup.freeze"
      ? (v2 ?? placeOf(group, "freezer"))
      : controller === "cgroup"
        ? (v2 ?? places[0])
        : placeOf(group, controller);
  const isLacking = !own || (own.version === 1 && !entry.v1);
  const place = isLacking && everywhere && v2 ? v2 : own;
  if (!place) return whyNoPlace(group, controller);
  return whyNotOn(place, file, entry) ?? { place, entry, translated: place.version === 1 };
}

/** v2's name of a controller. */
export const v2Controller = (controller: string): string => (controller === "blkio" ? "io" : controller);

/** The hierarchy that has a controller as v1, or v2 where it is one of those that can be enabled. */
export function hierarchyWith(controller: string, { hierarchies }: CgroupLayout): CgroupHierarchy | undefined {
  return (
    hierarchies.find(({ version, controllers }) => version === 1 && controllers.includes(v1Controller(controller))) ??
    hierarchies.find(({ version, controllers }) => version === 2 && controllers.includes(v2Controller(controller)))
  );
}

/** A name of one part. @throws {OptionsError} */
export function checkFileName(file: unknown): string {
  if (typeof file !== "string" || !/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$/.test(file))
    throw new OptionsError("file", file, 'expected the name of a file of the group, such as "memory.max"');
  return file;
}

/** Says that there is no such file, and which there are of the same controller, or else of all. */
export function noSuchFile(file: string): string {
  const names = fileNames.filter((name) => files[name].v1Only === undefined);
  const same = names.filter((name) => name.startsWith(`${file.split(".")[0]}.`));
  return `no such file; there are ${(same.length > 0 ? same : names).join(", ")}`;
}
