/** Control groups of a process: /proc/PID/cgroup, cgroups(7). */
import { ParseError } from "./parse-error.ts";
import { readProcess } from "./read.ts";

/** The group of a process in one hierarchy. */
export interface CgroupEntry {
  /** 0 for the v2 hierarchy. */
  readonly hierarchyId: number;
  /** v1 controllers; empty for v2 and for a hierarchy that only has a name. */
  readonly controllers: readonly string[];
  /** Of a named v1 hierarchy: `systemd` for `name=systemd`. */
  readonly name?: string;
  /** Relative to the root of the reader's cgroup namespace; begins with `/..` when the group lies outside. */
  readonly path: string;
  /** v2: the group has been removed while the process, a zombie by then, was in it. */
  readonly deleted?: true;
}

/**
 * `/proc/PID/cgroup`. Without a pid: of this process.
 * @returns undefined when that process has ended
 */
export function cgroup(): CgroupEntry[];
export function cgroup(pid: number | undefined): CgroupEntry[] | undefined;
export function cgroup(pid?: number): CgroupEntry[] | undefined {
  const text = readProcess(pid, "cgroup");
  return text === undefined ? undefined : parseCgroup(text, `/proc/${pid ?? "self"}/cgroup`);
}

/**
 * The text of `/proc/PID/cgroup`: an entry a line, in the order of the file. cgroups(7)
 * @param file Named in the error.
 * @throws {ParseError} with the line that cannot be read
 */
export function parseCgroup(text: string, file = "/proc/self/cgroup"): CgroupEntry[] {
  const entries: CgroupEntry[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "") continue;
    // The path may hold colons itself. It cannot hold a newline: the kernel refuses such a name.
    const match = /^(\d+):([^:]*):(\/.*)$/s.exec(line);
    if (!match) throw new ParseError(file, index + 1, line, "hierarchy:controllers:/path");
    const [, id = "", list = "", path = ""] = match;
    const isV2 = id === "0";
    const words = list.split(",").filter((word) => word !== "");
    const name = words.find((word) => word.startsWith("name="))?.slice("name=".length);
    // Only the v2 hierarchy marks removed groups; on v1 such an ending is part of the name.
    const deleted = isV2 && path.endsWith(" (deleted)");
    entries.push({
      hierarchyId: Number(id),
      controllers: words.filter((word) => !word.startsWith("name=")),
      ...(name === undefined ? {} : { name }),
      path: deleted ? path.slice(0, -" (deleted)".length) : path,
      ...(deleted ? { deleted } : {}),
    });
  }
  return entries;
}
