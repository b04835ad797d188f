/** Namespaces of a process: /proc/PID/ns/, namespaces(7). */
import { readdirSync, statSync } from "node:fs";
import { ParseError } from "./parse-error.ts";
import { ifThere } from "./read.ts";

/** Which namespace: two are the same one when device and inode agree. */
export interface NamespaceId {
  /** `mnt`, `net`, `pid`, ...; that of `pid_for_children` is `pid`. */
  readonly kind: string;
  /** `st_dev` of the nsfs that all namespaces are files of. */
  readonly device: number;
  /** `st_ino`: the number in `net:[4026531840]`; used again after the namespace has gone. */
  readonly inode: number;
}

/**
 * `stat(/proc/PID/ns/...)`, by the names in that directory, `pid_for_children` and `time_for_children` included.
 * A kind that this kernel lacks is absent. Without a pid: of this process.
 * @returns undefined when that process has ended
 * @throws EACCES when the caller may not trace it (ptrace(2), PTRACE_MODE_READ_FSCREDS)
 */
export function namespaces(): Record<string, NamespaceId>;
export function namespaces(pid: number | undefined): Record<string, NamespaceId> | undefined;
export function namespaces(pid?: number): Record<string, NamespaceId> | undefined {
  const directory = `/proc/${pid ?? "self"}/ns`;
  const names = pid === undefined ? readdirSync(directory) : ifThere(() => readdirSync(directory));
  const found: Record<string, NamespaceId> = {};
  for (const name of names ?? []) {
    // Absent one by one: pid_for_children leads nowhere before the first child, and a process may end midway.
    const stat = ifThere(() => statSync(`${directory}/${name}`));
    if (stat) found[name] = { kind: name.replace(/_for_children$/, ""), device: stat.dev, inode: stat.ino };
  }
  return Object.keys(found).length === 0 ? undefined : found;
}

/**
 * `readlink(/proc/PID/ns/net)`: `net:[4026531840]`.
 * @throws {ParseError} for anything else
 */
export function parseNamespaceLink(text: string, file = "/proc/self/ns"): { kind: string; inode: number } {
  const [, kind, inode] = /^([a-z]+):\[(\d{1,15})\]$/.exec(text) ?? [];
  if (kind === undefined) throw new ParseError(file, 1, text, "a namespace such as net:[4026531840]");
  return { kind, inode: Number(inode) };
}
