/** Limits of a group: the vocabulary of cgroup v2, what v1 makes of it, and which files get which text. cgroups(7) */
import { OptionsError } from "../sys/options-error.ts";
import { type CgroupHierarchy, type CgroupLayout, chooseParent } from "./layout.ts";

/** Bytes as a number, as text with a binary unit (`"100M"` is 104857600), or `"max"`: no limit. */
export type Bytes = number | string;

/** CPU time per period, in microseconds. */
export interface CpuMax {
  /** At least 1000. */
  readonly quota: number | "max";
  /** 1000 to 1000000; 100000 unless given. */
  readonly period?: number;
}

/**
 * Files of cgroup v2, named as in the kernel's admin-guide/cgroup-v2. Where a controller is mounted as v1, the v1 files
 * that mean the same are written; where there are none, the limit is refused. Names of v1 files are taken as well, on
 * hosts that have them.
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
    const controllers = [...new Set(here.map(({ rule }) => controllerOn(hierarchy, rule)))];
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
      if (other) throw new OptionsError(limit.where, limit.value, `${other} sets ${write.file} too: give one of them`);
      setBy.set(path, limit.where);
      writes.push(write);
    }
  }
  return { groups, writes: [...groups.flatMap((group) => fillCpuset(group, layout, writes)), ...writes] };
}

/**
 * Bytes as the kernel's memparse() reads them: binary K, M, G, T, P, E in either case. `"max"` stays `"max"`.
 * memparse would take `010` as octal; here a number begins with 0 only when it is 0.
 * @throws {OptionsError} for anything else, for a negative number, and for what a double does not hold exactly
 */
export function parseBytes(value: unknown, where = "bytes"): number | "max" {
  if (value === "max") return "max";
  const match = typeof value === "string" ? /^(0|[1-9]\d{0,18})([kmgtpe]?)$/i.exec(value) : undefined;
  const units = ["", "k", "m", "g", "t", "p", "e"];
  const bytes = match
    ? BigInt(match[1] ?? "") << BigInt(10 * units.indexOf((match[2] ?? "").toLowerCase()))
    : typeof value === "number" && Number.isInteger(value) && value >= 0
      ? BigInt(value)
      : undefined;
  if (bytes === undefined || bytes >= 1n << 63n || BigInt(Number(bytes)) !== bytes) {
    throw new OptionsError(where, value, 'expected bytes such as 104857600, "100M" or "max"');
  }
  return Number(bytes);
}

/**
 * `cpu.max` in one form, whichever way it was given: microseconds, the period filled in.
 * @throws {OptionsError} for a quota below 1000 or a period outside of 1000 to 1000000, and for anything else
 */
export function parseCpuMax(value: unknown, where = "cpu.max"): Required<CpuMax> {
  const [quota, period] = cpuMaxWords(value);
  const periodUs = period === undefined ? 100_000 : integerOf(period, 1000, 1_000_000);
  // The kernel's own upper bound is 2^44 - 1.
  const quotaUs = quota === "max" ? quota : integerOf(quota, 1000, 2 ** 44 - 1);
  if (quotaUs === undefined || periodUs === undefined) {
    throw new OptionsError(
      where,
      value,
      'expected microseconds such as { quota: 50000, period: 100000 }, "50000 100000" or "max", with a quota of at least 1000 and a period of 1000 to 1000000',
    );
  }
  return { quota: quotaUs, period: periodUs };
}

function cpuMaxWords(value: unknown): readonly unknown[] {
  if (typeof value === "string") {
    const words = value.split(" ");
    return words.length > 2 ? [] : words;
  }
  if (typeof value !== "object" || value === null) return [value];
  const { quota, period, ...others } = value as Record<string, unknown>;
  return Object.keys(others).length > 0 ? [] : [quota, period];
}

/**
 * `cpu.weight` as `cpu.shares`. Both set the same number in the scheduler, where shares of 1024 and a weight of 100 are
 * the default, so that this is the kernel's own scale, but rounded. (runc's formula goes the other way and is another.)
 */
export function cpuShares(weight: number): number {
  return Math.max(2, Math.round((weight * 1024) / 100));
}

/** How a value is checked and written, and what v1 makes of it. */
interface Rule {
  readonly controller: string;
  /** The same controller on v1, where its name differs. */
  readonly v1Controller?: string;
  /** The text that v2 takes, or v1 where the file is one of v1. @throws {OptionsError} */
  readonly text: (value: unknown, where: string) => string;
  /** Files of v1 and their text. Absent for limits that v1 lacks, `"same"` where nothing changes. */
  readonly v1?: "same" | ((text: string, context: V1Context) => readonly V1Write[]);
  /** The file is one of v1 only; what v2 has instead. */
  readonly v1Only?: string;
}

interface V1Write {
  readonly file: string;
  readonly value: string;
  readonly note?: string;
}

interface V1Context {
  readonly file: string;
  readonly hierarchy: CgroupHierarchy;
  readonly values: ReadonlyMap<string, string>;
  readonly reject: (sentence: string) => never;
}

const bytes = (value: unknown, where: string): string => {
  const parsed = parseBytes(value, where);
  return parsed === "max" ? "max" : BigInt(parsed).toString();
};
const bytesV1 = (value: unknown, where: string): string =>
  value === -1 || value === "-1" ? "-1" : unlimitedV1(bytes(value, where));
const unlimitedV1 = (text: string): string => (text === "max" ? "-1" : text); // "max" is not known to all v1 files.

// In the order in which they are written: cpus and mems first, memory before the sum with swap, period before quota.
const rules: Readonly<Record<string, Rule>> = {
  "cpuset.cpus": { controller: "cpuset", text: list("CPUs"), v1: "same" },
  "cpuset.mems": { controller: "cpuset", text: list("memory nodes"), v1: "same" },
  "memory.min": { controller: "memory", text: bytes },
  "memory.low": { controller: "memory", text: bytes },
  "memory.high": { controller: "memory", text: bytes },
  "memory.max": {
    controller: "memory",
    text: bytes,
    v1: (text) => [{ file: "memory.limit_in_bytes", value: unlimitedV1(text) }],
  },
  "memory.swap.max": { controller: "memory", text: bytes, v1: swapV1 },
  "memory.oom.group": { controller: "memory", text: oneOrZero },
  "memory.limit_in_bytes": { controller: "memory", text: bytesV1, v1: "same", v1Only: "memory.max" },
  "memory.memsw.limit_in_bytes": { controller: "memory", text: bytesV1, v1: "same", v1Only: "memory.swap.max" },
  "memory.soft_limit_in_bytes": { controller: "memory", text: bytesV1, v1: "same", v1Only: "memory.low" },
  "memory.kmem.limit_in_bytes": { controller: "memory", text: bytesV1, v1: "same", v1Only: "memory.max" },
  "memory.kmem.tcp.limit_in_bytes": { controller: "memory", text: bytesV1, v1: "same", v1Only: "memory.max" },
  "memory.swappiness": { controller: "memory", text: integer(0, 100), v1: "same", v1Only: "memory.swap.max" },
  "pids.max": { controller: "pids", text: integer(0, 4_194_304, "max"), v1: "same" },
  "cpu.max": {
    controller: "cpu",
    text: (value, where) => {
      const { quota, period } = parseCpuMax(value, where);
      return `${quota} ${period}`;
    },
    v1: (text) => {
      const [quota = "", period = ""] = text.split(" ");
      return [
        { file: "cpu.cfs_period_us", value: period },
        { file: "cpu.cfs_quota_us", value: unlimitedV1(quota) },
      ];
    },
  },
  "cpu.weight": {
    controller: "cpu",
    text: integer(1, 10_000),
    v1: (text) => [
      {
        file: "cpu.shares",
        value: String(cpuShares(Number(text))),
        note: `cpu.weight ${text} on the scale of cpu.shares (100 is 1024), rounded`,
      },
    ],
  },
  "cpu.cfs_period_us": { controller: "cpu", text: integer(1000, 1_000_000), v1: "same", v1Only: "cpu.max" },
  "cpu.cfs_quota_us": { controller: "cpu", text: integer(1000, 2 ** 44 - 1, "-1"), v1: "same", v1Only: "cpu.max" },
  "cpu.shares": { controller: "cpu", text: integer(2, 262_144), v1: "same", v1Only: "cpu.weight" },
  "io.weight": { controller: "io", v1Controller: "blkio", text: integer(1, 10_000), v1: ioWeightV1 },
  "blkio.weight": { controller: "io", v1Controller: "blkio", text: integer(10, 1000), v1: "same", v1Only: "io.weight" },
  "blkio.bfq.weight": {
    controller: "io",
    v1Controller: "blkio",
    text: integer(1, 1000),
    v1: "same",
    v1Only: "io.weight",
  },
};

// As many as there are sizes of huge pages: hugetlb.2MB.max.
const hugetlb: Rule = {
  controller: "hugetlb",
  text: bytes,
  v1: (text, { file }) => [{ file: file.replace(/max$/, "limit_in_bytes"), value: unlimitedV1(text) }],
};
const hugetlbV1: Rule = { controller: "hugetlb", text: bytesV1, v1: "same", v1Only: "hugetlb.<size>.max" };

function ruleOf(file: string): Rule | undefined {
  if (Object.hasOwn(rules, file)) return rules[file];
  const [, name] = /^hugetlb\.\d+[KMG]B\.(max|limit_in_bytes)$/.exec(file) ?? [];
  return name === undefined ? undefined : name === "max" ? hugetlb : hugetlbV1;
}

function swapV1(text: string, { hierarchy, values, reject }: V1Context): readonly V1Write[] {
  const files = hierarchy.ancestors.flatMap((directory) => directory.files);
  if (files.length > 0 && !files.includes("memory.memsw.limit_in_bytes")) {
    return reject("this kernel does not count swap on cgroup v1: boot it with swapaccount=1");
  }
  const memory = values.get("memory.max");
  if (memory === undefined)
    return reject("on cgroup v1, the limit is on memory and swap together: give memory.max as well");
  if (memory === "max" && text !== "max")
    return reject('on cgroup v1, swap has no limit of its own while memory.max is "max"');
  const sum = text === "max" ? "-1" : (BigInt(memory) + BigInt(text)).toString();
  return [{ file: "memory.memsw.limit_in_bytes", value: sum, note: "memory.max and memory.swap.max together" }];
}

function ioWeightV1(text: string, { hierarchy, reject }: V1Context): readonly V1Write[] {
  const files = hierarchy.ancestors.flatMap((directory) => directory.files);
  const note = `io.weight ${text} on the scale of v1, approximately`;
  // CFQ (up to 4.20) has 500 as its default, BFQ has 100 as v2 does; both end at 1000, where v2 goes on to 10000.
  if (files.includes("blkio.weight")) {
    return [{ file: "blkio.weight", value: String(Math.min(1000, Math.max(10, Number(text) * 5))), note }];
  }
  // The top of the hierarchy has no blkio.bfq.weight, but other files of BFQ.
  if (files.some((file) => file.startsWith("blkio.bfq."))) {
    return [{ file: "blkio.bfq.weight", value: String(Math.min(1000, Number(text))), note }];
  }
  return reject(
    `no I/O scheduler of this kernel has weights: ${hierarchy.mountPoint} has neither blkio.weight nor blkio.bfq.weight`,
  );
}

function integer(min: number, max: number, word?: string): Rule["text"] {
  return (value, where) => {
    if (word !== undefined && String(value) === word) return word;
    const number = integerOf(value, min, max);
    if (number !== undefined) return String(number);
    const or = word === undefined ? "" : ` or ${word === "max" ? '"max"' : word}`;
    throw new OptionsError(where, value, `expected an integer from ${min} to ${max}${or}`);
  };
}

function integerOf(value: unknown, min: number, max: number): number | undefined {
  const number = typeof value === "string" && /^(0|[1-9]\d{0,15})$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isInteger(number) && number >= min && number <= max ? number : undefined;
}

function list(what: string): Rule["text"] {
  return (value, where) => {
    const text = typeof value === "number" ? String(value) : value;
    const ranges =
      typeof text === "string" ? text.split(",").map((range) => /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(range)) : [];
    const good = ranges.every((range) => range && Number(range[1]) <= Number(range[2] ?? range[1]));
    if (typeof text !== "string" || !good)
      throw new OptionsError(where, value, `expected ${what} as a list such as "0-3,8"`);
    return text;
  };
}

function oneOrZero(value: unknown, where: string): string {
  const text = typeof value === "boolean" ? String(Number(value)) : String(value);
  if (text !== "0" && text !== "1") throw new OptionsError(where, value, "expected true or false");
  return text;
}

/** A limit that was asked for, checked. */
interface Asked {
  readonly file: string;
  /** In error messages: `cgroup["memory.max"]`. */
  readonly where: string;
  readonly value: unknown;
  readonly text: string;
  readonly rule: Rule;
}

function readLimits(limits: unknown): Asked[] {
  if (typeof limits !== "object" || limits === null || Array.isArray(limits)) {
    throw new OptionsError("cgroup", limits, 'expected limits such as { "memory.max": "100M" }');
  }
  const asked: Asked[] = [];
  for (const [file, value] of Object.entries(limits)) {
    if (value === undefined) continue;
    const where = `cgroup[${JSON.stringify(file)}]`;
    const rule = ruleOf(file);
    if (!rule) throw new OptionsError(where, value, `no such limit; there are ${namesLike(file)}`);
    asked.push({ file, where, value, text: rule.text(value, where), rule });
  }
  const order = [...Object.keys(rules), ...asked.map(({ file }) => file)];
  return asked.sort((a, b) => order.indexOf(a.file) - order.indexOf(b.file));
}

/** Those of the same controller, or else all of v2. */
function namesLike(file: string): string {
  const names = [...Object.keys(rules), "hugetlb.<size>.max"].filter((name) => !rules[name]?.v1Only);
  const prefix = `${file.split(".")[0]}.`;
  const alike = names.filter((name) => name.startsWith(prefix));
  return (alike.length > 0 ? alike : names).join(", ");
}

function controllerOn(hierarchy: CgroupHierarchy, rule: Rule): string {
  return hierarchy.version === 1 ? (rule.v1Controller ?? rule.controller) : rule.controller;
}

function placeOf({ file, where, value, rule }: Asked, layout: CgroupLayout): CgroupHierarchy {
  const hierarchy = layout.hierarchies.find((each) => each.controllers.includes(controllerOn(each, rule)));
  if (!hierarchy) throw new OptionsError(where, value, `no ${rule.controller} controller here: ${whatIsThere(layout)}`);
  const { version, mountPoint } = hierarchy;
  if (version === 2 && rule.v1Only) {
    const instead = rule.v1Only.replace("<size>", file.split(".")[1] ?? "");
    throw new OptionsError(where, value, `${file} is a file of cgroup v1, and ${mountPoint} is v2: see ${instead}`);
  }
  if (version === 1 && !rule.v1) {
    throw new OptionsError(
      where,
      value,
      `needs cgroup v2, and the ${rule.controller} controller is on v1 here, at ${mountPoint}`,
    );
  }
  return hierarchy;
}

function whatIsThere({ hierarchies }: CgroupLayout): string {
  const found = hierarchies.flatMap(({ version, mountPoint, controllers }) =>
    version === 2 || controllers.length > 0 ? `${controllers.join(" ") || "none"} (v${version}, ${mountPoint})` : [],
  );
  return found.length === 0 ? "no cgroup hierarchy is mounted" : `there are ${found.join(", ")}`;
}

function writesOf(limit: Asked, hierarchy: CgroupHierarchy, values: ReadonlyMap<string, string>): LimitWrite[] {
  const { file, where, value, text, rule } = limit;
  const to = { hierarchy: hierarchy.mountPoint, controller: controllerOn(hierarchy, rule) };
  if (hierarchy.version === 2 || typeof rule.v1 !== "function") return [{ ...to, file, value: text }];
  const reject = (sentence: string): never => {
    throw new OptionsError(where, value, sentence);
  };
  return rule.v1(text, { file, hierarchy, values, reject }).map((write) => ({ ...to, ...write }));
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
