/** User and group ID mappings of a user namespace: /proc/PID/uid_map and gid_map, user_namespaces(7). */
import { ParseError } from "./parse-error.ts";
import { readProcess } from "./read.ts";

/** `count` IDs from `inside` on, seen by the reader as those from `outside` on. */
export interface IdMapping {
  readonly inside: number;
  /** In the parent user namespace, or in the reader's when the two differ. */
  readonly outside: number;
  readonly count: number;
}

/** `/proc/PID/uid_map`: no lines while nothing is mapped, undefined when that process has ended. */
export function uidMap(): IdMapping[];
export function uidMap(pid: number | undefined): IdMapping[] | undefined;
export function uidMap(pid?: number): IdMapping[] | undefined {
  return idMap(pid, "uid_map");
}

/** `/proc/PID/gid_map`: no lines while nothing is mapped, undefined when that process has ended. */
export function gidMap(): IdMapping[];
export function gidMap(pid: number | undefined): IdMapping[] | undefined;
export function gidMap(pid?: number): IdMapping[] | undefined {
  return idMap(pid, "gid_map");
}

function idMap(pid: number | undefined, file: string): IdMapping[] | undefined {
  const text = readProcess(pid, file);
  return text === undefined ? undefined : parseIdMap(text, `/proc/${pid ?? "self"}/${file}`);
}

/**
 * The text of `/proc/PID/uid_map` or `gid_map`; empty where nothing is mapped. user_namespaces(7)
 * @param file Named in the error.
 * @throws {ParseError} with the line that cannot be read
 */
export function parseIdMap(text: string, file = "/proc/self/uid_map"): IdMapping[] {
  const mappings: IdMapping[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "") continue;
    const [, inside, outside, count] = /^ *(\d{1,10}) +(\d{1,10}) +(\d{1,10}) *$/.exec(line) ?? [];
    if (count === undefined) throw new ParseError(file, index + 1, line, "three numbers: inside, outside, count");
    mappings.push({ inside: Number(inside), outside: Number(outside), count: Number(count) });
  }
  return mappings;
}
