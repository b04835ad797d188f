/** Steps that give a new user namespace its ids: /proc/PID/uid_map, gid_map and setgroups. user_namespaces(7) */
import * as call from "../sys/calls.ts";
import { AT_FDCWD } from "../sys/calls.ts";
import { O } from "../sys/flags.ts";
import { type CallStep, step } from "../sys/step.ts";
import type { Text } from "../sys/call.ts";

/** One line of a map: `count` ids from `inside` on are those from `outside` on in the parent namespace. */
export interface IdMap {
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** The lines as the kernel reads them; it takes one write of less than a page, and only one. */
export function formatIdMap(map: readonly IdMap[]): string {
  return map.map(({ inside, outside, count }) => `${inside} ${outside} ${count}\n`).join("");
}

/** In the new namespace itself: one line each, of the caller's own id. Takes no rights. */
export function writeOwnMaps(uid: IdMap, gid: IdMap): CallStep[] {
  return [
    // Before gid_map: without it a process could drop a group that a file denies access to (CVE-2014-8989).
    ...writeProc("deny setgroups", "/proc/self/setgroups", "deny"),
    ...writeProc("map the user id", "/proc/self/uid_map", formatIdMap([uid])),
    ...writeProc("map the group id", "/proc/self/gid_map", formatIdMap([gid])),
  ];
}

/** From outside, with CAP_SETUID and CAP_SETGID there: any lines. `box` is the id of the step that made the process. */
export function writeMapsOf(box: string, uid: readonly IdMap[], gid: readonly IdMap[]): CallStep[] {
  const file = (name: string): Text => ({ text: ["/proc/", { result: box }, `/${name}`] });
  return [
    ...writeProc("map the user ids", file("uid_map"), formatIdMap(uid)),
    ...writeProc("map the group ids", file("gid_map"), formatIdMap(gid)),
  ];
}

/** Arguments of newuidmap or newgidmap, which write what /etc/subuid and /etc/subgid grant. newuidmap(1) */
export function mapperArguments(program: string, box: string, map: readonly IdMap[]): Text[] {
  const ids = map.flatMap(({ inside, outside, count }) => [inside, outside, count].map(String));
  return [program, { text: [{ result: box }] }, ...ids];
}

/** Opens, writes and leaves the descriptor to close_range: one syscall less. */
function writeProc(label: string, file: Text, data: string): CallStep[] {
  const id = `fd of ${typeof file === "string" ? file : label}`;
  return [
    step(`${label}: open`, call.openat(AT_FDCWD, file, O.WRONLY | O.CLOEXEC), { id }),
    step(label, call.write({ result: id }, data)),
  ];
}
