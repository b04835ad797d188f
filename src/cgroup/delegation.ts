/** A group given to a user: its directory and the files to move processes with, and which controllers came along. cgroups(7) */
import { readdirSync } from "node:fs";
import { readIfThere } from "../proc/read.ts";
import { SyscallError } from "../sys/error.ts";
import { OptionsError } from "../sys/options-error.ts";
import { sys } from "../sys/vocabulary.ts";
import { explained, isErrno, readIn } from "./directory.ts";
import { enableAlong } from "./enabling.ts";
import { withoutEnabling } from "./files.ts";
import { placeOf, v2Controller, whyNoPlace } from "./location.ts";
import type { Parts, Place } from "./place.ts";

/** What came of a delegation. */
export interface Delegated {
  /** Controllers that the user can now set for groups below. */
  readonly delegated: readonly string[];
  /** Those that were asked for besides, and why not. */
  readonly notDelegated: readonly { readonly controller: string; readonly why: string }[];
}

/** To whom, and what. */
export interface DelegateOptions {
  /** The new owner. */
  readonly uid: number;
  /** The new owner's group. */
  readonly gid: number;
  /** To have in it; default: all that can be had. */
  readonly controllers?: readonly string[] | undefined;
  /** The limits of the group too. */
  readonly tunables: boolean;
}

/** Enables the controllers above and gives the group away. @throws {SyscallError} EPERM */
export function delegateGroup(group: Parts, { uid, gid, controllers, tunables }: DelegateOptions): Delegated {
  for (const [where, id] of Object.entries({ uid, gid })) {
    if (!Number.isInteger(id) || id < 0 || id > 0xfffffffe)
      throw new OptionsError(where, id, "expected an integer from 0 to 4294967294");
  }
  const delegated: string[] = [];
  const notDelegated: { controller: string; why: string }[] = [];
  const all = group.layout.hierarchies.flatMap((hierarchy) => hierarchy.controllers.map(v2Controller));
  for (const controller of new Set(controllers ?? all)) {
    const why = whyNotDelegated(group, controller);
    if (why === undefined) delegated.push(controller);
    else notDelegated.push({ controller, why });
  }
  // On a hybrid host a group of a process may be at the top of other hierarchies, which are not to be given away with it.
  const below = group.places.filter(({ isTop }) => !isTop);
  for (const place of below.length > 0 ? below : group.places) {
    // The directory last: what its new owner does in it is not followed.
    for (const file of [...filesToGive(place, tunables), "."]) give(place, file, uid, gid);
  }
  return { delegated, notDelegated };
}

function whyNotDelegated(group: Parts, controller: string): string | undefined {
  const place = placeOf(group, controller);
  if (!place) return whyNoPlace(group, controller);
  if (place.isTop && group.places.some(({ isTop }) => !isTop)) return `the group is the top of ${place.path}`;
  if (place.version === 1 || withoutEnabling.includes(controller)) return undefined;
  if ((readIn(place, "cgroup.controllers") ?? "").trim().split(" ").includes(controller)) return undefined;
  if (place.isTop) return `${place.path} has no ${controller} in its cgroup.controllers`;
  try {
    enableAlong(place.hierarchy, place.parentPath, [controller]);
    return undefined;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return `${error.path ?? place.parentPath}: ${error.code}. ${error.hint ?? error.message}`;
  }
}

/** Files to give away beside the directory. */
function filesToGive(place: Place, tunables: boolean): string[] {
  if (tunables)
    return readdirSync(`/proc/self/fd/${place.fd.number}`, { withFileTypes: true })
      .filter((file) => file.isFile())
      .map(({ name }) => name);
  if (place.version === 1) return ["cgroup.procs", "tasks"];
  const named = readIfThere("/sys/kernel/cgroup/delegate")?.split("\n").filter(Boolean);
  return named ?? ["cgroup.procs", "cgroup.threads", "cgroup.subtree_control"];
}

function give(place: Place, file: string, uid: number, gid: number): void {
  try {
    sys.fchownat(place.fd, file, uid, gid);
  } catch (error) {
    // The kernel names files of controllers that this group lacks.
    if (isErrno(error, "ENOENT")) return;
    if (error instanceof SyscallError) throw explained(error, file === "." ? place.path : `${place.path}/${file}`);
    throw error;
  }
}
