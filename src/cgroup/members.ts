/** Processes and threads of a group: who is in it, and how they get there. cgroups(7) */
import { readFileSync } from "node:fs";
import { cgroup as groupsOf } from "../proc/cgroup.ts";
import { ifThere } from "../proc/read.ts";
import { Fd } from "../sys/fd.ts";
import { OptionsError } from "../sys/options-error.ts";
import { sys } from "../sys/vocabulary.ts";
import { openDirectory, quietly, readIn, writeIn } from "./directory.ts";
import type { CgroupLayout } from "./layout.ts";
import {
  childNames,
  closePlaces,
  directoryOf,
  openChild,
  type Place,
  type Unopened,
  usualHierarchies,
} from "./place.ts";
import { parseKind } from "./values.ts";

/** A process by its pid, by a pidfd, or by what has a pid. A pidfd cannot be another process by the time it is used. */
export type ProcessLike = number | Fd | { readonly pid: number };

/** Where a process was, by mount point. */
export type Origin = ReadonlyMap<string, string>;

/** Where a process is. @throws {SyscallError} ESRCH */
export function placesOf(pid: number | undefined, layout: CgroupLayout): Unopened[] {
  const entries = groupsOf(pid === undefined ? undefined : checkPid(pid));
  if (entries === undefined) {
    sys.kill(pid as number, 0);
    throw new OptionsError("pid", pid, "the process has ended");
  }
  return usualHierarchies(layout).flatMap((hierarchy) => {
    const path = directoryOf(entries, hierarchy);
    return path === undefined ? [] : [{ hierarchy, path }];
  });
}

/**
 * Moves it into all of the directories, or into none.
 * @returns the process, and where it was
 */
export function moveInto(
  places: readonly Place[],
  target: ProcessLike,
  thread: boolean,
): { pid: number; origin: Origin } {
  const pid = pidOf(target);
  const before = groupsOf(pid) ?? [];
  const origin = new Map<string, string>();
  for (const { hierarchy } of places) {
    const path = directoryOf(before, hierarchy);
    if (path !== undefined) origin.set(hierarchy.mountPoint, path);
  }
  // Fails with ESRCH when it has ended: then the number may be another's.
  const mustLive = (): void => void (target instanceof Fd && sys.pidfdSendSignal(target, 0));
  mustLive();
  const moved: Place[] = [];
  try {
    for (const place of places) {
      writeIn(place, listOf(place, thread), String(pid));
      moved.push(place);
    }
    mustLive();
  } catch (error) {
    for (const place of moved.toReversed()) quietly(() => moveBack(place, origin, pid, thread));
    throw error;
  }
  return { pid, origin };
}

/** Moves all processes of one group into another, again until none is left, for they may fork meanwhile; all or, where it can, nothing. */
export function moveAll(from: readonly Place[], to: readonly Place[]): void {
  using undo = new DisposableStack();
  // At the top of a v1 hierarchy there are all who are in no group of it: they stay.
  const left = from.filter((place) => to.some(({ mountPoint }) => mountPoint === place.mountPoint));
  for (let round = 0; round < 100; round++) {
    const ids = idsIn(left);
    if (ids.length === 0) break;
    for (const pid of ids) {
      if (ifThere(() => moveInto(to, pid, false), ["ESRCH"]))
        undo.defer(() => quietly(() => moveInto(left, pid, false)));
    }
  }
  undo.move();
}

/** Moves it to where it was in the hierarchy of this directory. */
export function moveBack({ mountPoint, version }: Place, origin: Origin, pid: number, thread = false): void {
  const path = origin.get(mountPoint);
  if (path === undefined) return;
  using fd = openDirectory(path);
  writeIn({ fd, path }, listOf({ version }, thread), String(pid));
}

function listOf({ version }: Pick<Place, "version">, thread: boolean): string {
  if (!thread) return "cgroup.procs";
  return version === 2 ? "cgroup.threads" : "tasks";
}

/** Processes, or threads, in the directories themselves, each once. */
export function idsIn(places: readonly Place[], thread = false): number[] {
  const ids = new Set<number>();
  for (const place of places) {
    const file = listOf(place, thread);
    // 0: a process of another pid namespace, which has no number here.
    for (const id of parseKind("pids", readIn(place, file) ?? "", file)) if (id > 0) ids.add(id);
  }
  return [...ids].sort((a, b) => a - b);
}

/** Processes in the directories and in those below, each once. */
export function idsBelow(places: readonly Place[]): number[] {
  const ids = new Set(idsIn(places));
  for (const name of childNames(places)) {
    const child = openChild(places, name) ?? [];
    try {
      for (const id of idsBelow(child)) ids.add(id);
    } finally {
      closePlaces(child);
    }
  }
  return [...ids];
}

/** Whether this process is in one of the directories or below. */
export function holdsSelf(places: readonly Place[]): boolean {
  const entries = groupsOf() ?? [];
  return places.some(({ hierarchy, path, isTop }) => {
    const own = directoryOf(entries, hierarchy);
    return own !== undefined && (isTop || own === path || own.startsWith(`${path}/`));
  });
}

function checkPid(pid: unknown): number {
  if (typeof pid !== "number" || !Number.isInteger(pid) || pid < 1 || pid > 4_194_304)
    throw new OptionsError("pid", pid, "expected a pid");
  return pid;
}

function pidOf(target: ProcessLike): number {
  if (typeof target === "number") return checkPid(target);
  if (!(target instanceof Fd)) return checkPid(target?.pid);
  const info = readFileSync(`/proc/self/fdinfo/${target.number}`, "utf8");
  const [, pid] = /^Pid:\s*(-?\d+)$/m.exec(info) ?? [];
  if (pid === undefined) throw new OptionsError("process", target.toString(), "expected a pidfd");
  // Fails with ESRCH when it has ended: its pid reads -1 then.
  sys.pidfdSendSignal(target, 0);
  return checkPid(Number(pid));
}
