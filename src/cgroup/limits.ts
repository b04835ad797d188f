/** Limits of a group: the vocabulary of cgroup v2, what v1 makes of it, and which files get which text. cgroups(7) */
import { OptionsError } from "../sys/options-error.ts";
import {
  type FileEntry,
  fileEntry,
  fileNames,
  fileOrder,
  files,
  type V1Context,
  v1Controller,
  type V1Write,
} from "./files.ts";
import { type CgroupHierarchy, type CgroupLayout, chooseParent } from "./layout.ts";
import { type CpuMax, formatValue } from "./values.ts";

export { cpuShares } from "./files.ts";
export { type CpuMax, parseBytes, parseCpuMax } from "./values.ts";

/** Bytes as a number, as text with a binary unit (`"100M"` is 104857600), or `"max"`: no limit. */
export type Bytes = number | string;

/**
 * Files of cgroup v2, named as in the kernel's admin-guide/cgroup-v2. Where a controller is mounted as v1, the v1 files
 * that mean the same are written; where there are none, the limit is refused. Names of v1 files are taken as well, on
 * hosts that have them. What stands here is checked by the type; every file of src/cgroup/files.ts that can be written
 * and belongs to a controller is taken.
 */
export interface CgroupLimits extends RawV1Limits {
  /** Hard limit. v1: `memory.limit_in_bytes`. */
  readonly "memory.max"?: Bytes;
  /** Swap alone. v1: `memory.memsw.limit_in_bytes`, which is the sum of both, so that `memory.max` has to be given too. */
  readonly "memory.swap.max"?: Bytes;
  /** v2 only: above it, the group is slowed down and reclaimed from. */
  readonly "memory.high"?: Bytes;
  /** v2 only: protected as long as others have something to give. */
  readonly "memory.low"?: Bytes;
  /** v2 only: protected always. */
  readonly "memory.min"?: Bytes;
  /** v2 only: out of memory, kill the whole group. */
  readonly "memory.oom.group"?: boolean | 0 | 1;
  /** Tasks, threads counted: 0 to 4194304. */
  readonly "pids.max"?: number | string;
  /** `{ quota, period }`, a quota, or the kernel's text: `"max"`, `"50000 100000"`. v1: `cpu.cfs_quota_us`, `cpu.cfs_period_us`. */
  readonly "cpu.max"?: CpuMax | number | string;
  /** Share of CPU time among siblings: 1 to 10000, 100 by default. v1: `cpu.shares`, rounded. */
  readonly "cpu.weight"?: number | string;
  /** CPUs as a number or a list: `"0-3,8"`. */
  readonly "cpuset.cpus"?: number | string;
  /** Memory nodes, likewise. */
  readonly "cpuset.mems"?: number | string;
  /** 1 to 10000, 100 by default. v1: `blkio.weight` or `blkio.bfq.weight`, approximately. */
  readonly "io.weight"?: number | string;
  /** Huge pages by size: `"hugetlb.2MB.max"`. v1: `hugetlb.2MB.limit_in_bytes`. */
  readonly [hugetlb: `hugetlb.${string}.max`]: Bytes;
}

/** Files of v1, written as they are. Bytes take units; -1 is no limit. */
export interface RawV1Limits {
  readonly "memory.limit_in_bytes"?: Bytes;
  readonly "memory.memsw.limit_in_bytes"?: Bytes;
  readonly "memory.soft_limit_in_bytes"?: Bytes;
  readonly "memory.kmem.limit_in_bytes"?: Bytes;
  readonly "memory.kmem.tcp.limit_in_bytes"?: Bytes;
  /** 0 to 100. */
  readonly "memory.swappiness"?: number | string;
  readonly "cpu.shares"?: number | string;
  readonly "cpu.cfs_period_us"?: number | string;
  readonly "cpu.cfs_quota_us"?: number | string;
  readonly "blkio.weight"?: number | string;
  readonly "blkio.bfq.weight"?: number | string;
  readonly [hugetlb: `hugetlb.${string}.limit_in_bytes`]: Bytes;
}

/** One write to a file of the new group. */
export interface LimitWrite {
  /** Mount point of the hierarchy. */
  readonly hierarchy: string;
  /** As that hierarchy calls it: `io` is `blkio` on v1. */
  readonly controller: string;
  readonly file: string;
  /** The text as it is written, without a newline. */
  readonly value: string;
  /** What to tell somebody who asked for something else. */
  readonly note?: string;
}

/** One hierarchy in which the group has to exist. */
export interface GroupPlace {
  /** Mount point of the hierarchy. */
  readonly hierarchy: string;
  readonly version: 1 | 2;
  /** Controllers that are limited in it. */
  readonly controllers: readonly string[];
  /** Directory to make the group in. */
  readonly parent: string;
  /** v2: to write to the parent's `cgroup.subtree_control` before the group is made: `memory`, ... without the plus. */
  readonly enable: readonly string[];
  /** Why there: part of a sentence. */
  readonly reason: string;
}

/** Where a group has to be made, and what to write there: all of it before the first process enters. */
export interface LimitWrites {
  readonly groups: readonly GroupPlace[];
  /** In the order in which the kernel takes them. */
  readonly writes: readonly LimitWrite[];
}

/**
 * Limits as writes. Where there is a v2 hierarchy, the group is made there too, even if no limit needs it: `cgroup.kill`,
 * `cgroup.freeze` and `cgroup.events` are there.
 * @throws {OptionsError} for a value that the kernel would refuse, and for a limit that this host cannot set
 */
export function limitWrites(limits: CgroupLimits, layout: CgroupLayout): LimitWrites {
  const asked = readLimits(limits).map((limit) => ({ ...limit, hierarchy: placeOf(limit, layout) }));
  const groups: GroupPlace[] = [];
  for (const hierarchy of layout.hierarchies) {
    const here = asked.filter((limit) => limit.hierarchy === hierarchy);
    if (here.length === 0 && hierarchy.version === 1) continue;
    const controllers = [...new Set(here.map(({ entry }) => controllerOn(hierarchy, entry)))];
    const choice = chooseParent(hierarchy, controllers);
    if (choice.path !== undefined) {
      const { mountPoint, version } = hierarchy;
      const { path: parent, enable, reason } = choice;
      groups.push({ hierarchy: mountPoint, version, controllers, parent, enable, reason });
    } else if (here[0]) {
      throw new OptionsError(here[0].where, here[0].value, `no group can be limited: ${choice.reason}`);
    }
  }
  const values = new Map(asked.map(({ file, text }) => [file, text]));
  const writes: LimitWrite[] = [];
  const setBy = new Map<string, string>();
  for (const limit of asked) {
    for (const write of writesOf(limit, limit.hierarchy, values)) {
      const path = `${write.hierarchy} ${write.file}`;
      const other = setBy.get(path);
      if (other !== undefined && other !== limit.where)
        throw new OptionsError(limit.where, limit.value, `${other} sets ${write.file} too: give one of them`);
      setBy.set(path, limit.where);
      writes.push(write);
    }
  }
  return { groups, writes: [...groups.flatMap((group) => fillCpuset(group, layout, writes)), ...writes] };
}

/** A limit that was asked for, checked. */
interface Asked {
  readonly file: string;
  /** In error messages: `cgroup["memory.max"]`. */
  readonly where: string;
  readonly value: unknown;
  readonly text: string;
  readonly entry: FileEntry;
}

function readLimits(limits: unknown): Asked[] {
  if (typeof limits !== "object" || limits === null || Array.isArray(limits)) {
    throw new OptionsError("cgroup", limits, 'expected limits such as { "memory.max": "100M" }');
  }
  const asked: Asked[] = [];
  for (const [file, value] of Object.entries(limits)) {
    if (value === undefined) continue;
    const where = `cgroup[${JSON.stringify(file)}]`;
    const entry = fileEntry(file);
    if (!entry || !isLimit(entry)) throw new OptionsError(where, value, `no such limit; there are ${namesLike(file)}`);
    asked.push({ file, where, value, text: formatValue(file as "memory.max", value, where), entry });
  }
  return asked.sort((a, b) => fileOrder(a.file) - fileOrder(b.file));
}

/** A box is limited before anything is in it: what acts on processes, or on groups below, is not for it. */
function isLimit({ controller, access }: FileEntry): boolean {
  return access === "rw" && controller !== "cgroup" && controller !== "freezer";
}

/** Those of the same controller, or else all of v2. */
function namesLike(file: string): string {
  const names = fileNames.filter((name) => isLimit(files[name]) && files[name].v1Only === undefined);
  const prefix = `${file.split(".")[0]}.`;
  const alike = names.filter((name) => name.startsWith(prefix));
  return (alike.length > 0 ? alike : names).join(", ");
}

function controllerOn(hierarchy: CgroupHierarchy, { controller }: FileEntry): string {
  return hierarchy.version === 1 ? v1Controller(controller) : controller;
}

function placeOf({ file, where, value, entry }: Asked, layout: CgroupLayout): CgroupHierarchy {
  const hierarchy = layout.hierarchies.find((each) => each.controllers.includes(controllerOn(each, entry)));
  if (!hierarchy)
    throw new OptionsError(where, value, `no ${entry.controller} controller here: ${whatIsThere(layout)}`);
  const why = whyNotOn(hierarchy, file, entry);
  if (why !== undefined) throw new OptionsError(where, value, why);
  return hierarchy;
}

/** Why a file cannot be written in a hierarchy of that version; undefined where it can. */
export function whyNotOn(
  { version, mountPoint }: Pick<CgroupHierarchy, "version" | "mountPoint">,
  file: string,
  { controller, v1Only, v1 }: FileEntry,
): string | undefined {
  if (version === 2 && v1Only !== undefined) {
    const see = v1Only === "" ? "" : `: see ${v1Only}`;
    return `${file} is a file of cgroup v1, and ${mountPoint} is v2${see}`;
  }
  if (version === 1 && v1Only === undefined && !v1) {
    return controller === "cgroup"
      ? `needs cgroup v2, and ${mountPoint} is v1`
      : `needs cgroup v2, and the ${controller} controller is on v1 here, at ${mountPoint}`;
  }
  return undefined;
}

/** What a write of a v2 file is on v1, and a write of a v1 file as it is. */
export function v1Writes(
  file: string,
  text: string,
  entry: FileEntry,
  context: Omit<V1Context, "file">,
): readonly V1Write[] {
  const { v1 } = entry;
  if (!v1) return [{ file, value: text }];
  // The context may cost readings of files, which most do not ask for.
  if (v1.write) return v1.write(text, { ...context, file });
  return v1.files.slice(0, 1).map((name) => ({ file: name, value: text }));
}

function whatIsThere({ hierarchies }: CgroupLayout): string {
  const found = hierarchies.flatMap(({ version, mountPoint, controllers }) =>
    version === 2 || controllers.length > 0 ? `${controllers.join(" ") || "none"} (v${version}, ${mountPoint})` : [],
  );
  return found.length === 0 ? "no cgroup hierarchy is mounted" : `there are ${found.join(", ")}`;
}

function writesOf(limit: Asked, hierarchy: CgroupHierarchy, values: ReadonlyMap<string, string>): LimitWrite[] {
  const { file, where, value, text, entry } = limit;
  const to = { hierarchy: hierarchy.mountPoint, controller: controllerOn(hierarchy, entry) };
  const reject = (sentence: string): never => {
    throw new OptionsError(where, value, sentence);
  };
  const present = hierarchy.ancestors.flatMap((directory) => directory.files);
  const writes =
    hierarchy.version === 2 ? [{ file, value: text }] : v1Writes(file, text, entry, { present, values, reject });
  // One write(2) for each line, where the kernel takes no more.
  return writes.flatMap((write) =>
    (entry.perLine ? write.value.split("\n") : [write.value]).map((line) => ({ ...to, ...write, value: line })),
  );
}

/**
 * A new v1 group has no CPUs and no memory nodes, and a task cannot enter (ENOSPC) before both are filled. That holds
 * too where nobody asked for a cpuset, but cpuset is mounted together with a controller that is limited.
 */
function fillCpuset(
  { hierarchy, parent }: GroupPlace,
  layout: CgroupLayout,
  writes: readonly LimitWrite[],
): LimitWrite[] {
  const found = layout.hierarchies.find(({ mountPoint }) => mountPoint === hierarchy);
  if (found?.version !== 1 || !found.controllers.includes("cpuset")) return [];
  const inherited = found.ancestors.find(({ path }) => path === parent)?.cpuset;
  return (["cpus", "mems"] as const).flatMap((key) => {
    const file = `cpuset.${key}`;
    if (writes.some((write) => write.hierarchy === hierarchy && write.file === file)) return [];
    const value = inherited?.[key];
    if (!value)
      throw new OptionsError("cgroup", file, `${parent}/${file} is empty, so that no task can enter a group below it`);
    return [{ hierarchy, controller: "cpuset", file, value, note: "copied from the parent: a new v1 group has none" }];
  });
}
