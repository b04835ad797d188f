/** The end of a group: its processes killed, its directories removed. cgroups(7), admin-guide/cgroup-v2 (cgroup.kill) */
import { fstatSync, lstatSync } from "node:fs";
import { ifThere } from "../proc/read.ts";
import type { SyscallError } from "../sys/error.ts";
import { OptionsError } from "../sys/options-error.ts";
import { sys } from "../sys/vocabulary.ts";
import { explained, isErrno, namesBelow, openAbove, quietly, removeBelow, writeIn } from "./directory.ts";
import type { Freezer } from "./freezing.ts";
import { v2Place } from "./location.ts";
import { holdsSelf, idsBelow, idsIn } from "./members.ts";
import { lastReading } from "./observers.ts";
import { childNames, closePlaces, openChild, type Parts, type Place } from "./place.ts";

/** The signal that nothing outlives. */
export const SIGKILL = 9;

/**
 * A signal to every process in the group and below, but for this one.
 * @throws {OptionsError} at the top of a hierarchy
 * @throws {SyscallError} EPERM
 */
export function killAll({ places }: Parts, freezer: Freezer, signal: number): void {
  if (!Number.isInteger(signal) || signal < 1 || signal > 64)
    throw new OptionsError("signal", signal, "expected the number of a signal from 1 to 64");
  // On a hybrid host a process mostly is at the top of some hierarchies: with its group, all of the machine would end.
  mustNotBeTop(places, "killed");
  const isIn = holdsSelf(places);
  const v2 = v2Place(places);
  if (signal === SIGKILL && !isIn && v2) {
    const isDone = quietly(() => writeIn(v2, "cgroup.kill", "1"));
    // What is in v1 directories alone is not reached by it.
    if (isDone && (places.length === 1 || idsBelow(places).length === 0)) return;
  }
  // Who has stopped it before wants it to stay so; only SIGKILL, on v1, waits for the thaw.
  const isStill = isIn || !freezer.isThere || (signal !== SIGKILL && freezer.isFrozen);
  using _thaw = isStill ? undefined : freezer.freeze();
  const signalled = new Set([process.pid]);
  // Where the group could not be stopped, they may fork meanwhile.
  for (let round = 0; round < 100; round++) {
    const fresh = idsBelow(places).filter((pid) => !signalled.has(pid));
    if (fresh.length === 0) return;
    for (const pid of fresh) {
      signalled.add(pid);
      sendSignal(places, pid, signal);
    }
  }
}

function sendSignal(places: readonly Place[], pid: number, signal: number): void {
  try {
    using pidfd = sys.pidfdOpen(pid);
    // From here on the number is this process', or it has ended. Whose it was before, only the list can tell.
    if (idsBelow(places).includes(pid)) sys.pidfdSendSignal(pidfd, signal);
  } catch (error) {
    if (!isErrno(error, "ESRCH")) throw error;
  }
}

/** How a group is removed. */
export interface RemoveOptions {
  /** The groups below as well. */
  readonly recursive?: boolean;
  /** How long to wait until it is empty, per group. */
  readonly timeoutMs?: number;
}

/** Removes the directories once they are empty. @throws {SyscallError} EBUSY, with what is in it as the hint */
export async function removePlaces(places: readonly Place[], options: RemoveOptions): Promise<void> {
  const { recursive = false, timeoutMs = 5000 } = options;
  mustNotBeTop(places, "removed");
  for (const name of recursive ? childNames(places) : []) {
    const child = openChild(places, name) ?? [];
    try {
      await removePlaces(child, options);
    } finally {
      closePlaces(child);
    }
  }
  const until = performance.now() + timeoutMs;
  for (const place of places) {
    for (let wait = 1; ; wait = Math.min(2 * wait, 50)) {
      const busy = tryRemove(place);
      if (!busy) break;
      // Groups below do not go away by waiting.
      if (performance.now() >= until || namesBelow(place).length > 0) throw withInside(busy, place);
      await Bun.sleep(wait);
    }
  }
}

function mustNotBeTop(places: readonly Place[], what: string): void {
  const top = places.find(({ isTop }) => isTop);
  if (top) throw new OptionsError("group", top.path, `the top of a hierarchy cannot be ${what}`);
}

/** @returns EBUSY when that may pass; gone by somebody else's hand is as good */
function tryRemove(place: Place): SyscallError | undefined {
  lastReading([place.path]);
  try {
    using fd = openAbove(place);
    // Removed, and perhaps made anew by another: not ours.
    if (!isSame(place, `/proc/self/fd/${fd.number}/${place.name}`)) return undefined;
    removeBelow({ fd, path: place.parentPath }, place.name);
  } catch (error) {
    if (isErrno(error, "EBUSY")) return error;
    if (!isErrno(error, "ENOENT")) throw error;
  }
  return undefined;
}

function isSame({ fd }: Place, path: string): boolean {
  const own = fstatSync(fd.number, { bigint: true });
  const there = ifThere(() => lstatSync(path, { bigint: true }));
  return there?.ino === own.ino && there.dev === own.dev;
}

function withInside(busy: SyscallError, place: Place): SyscallError {
  const inside: string[] = [];
  const add = (what: string, all: readonly unknown[]): void => {
    if (all.length > 0) inside.push(`the ${what} ${all.slice(0, 5).join(", ")}`);
  };
  add("groups", namesBelow(place));
  add("processes", idsIn([place]));
  const hint = inside.length > 0 ? `In it are ${inside.join(" and ")}` : undefined;
  return explained(busy, place.path, undefined, hint);
}
