/** What a group has used and run into, read once more before it is removed: cgroups(7). */
import { ParseError } from "../proc/parse-error.ts";
import type { CgroupHierarchy, CgroupLayout } from "./layout.ts";

/** A small file of the group to read at its end. It may be missing: older kernels lack some. */
export interface EndRead {
  /** Mount point of the hierarchy. */
  readonly hierarchy: string;
  readonly file: string;
  /** The name under which `usage()` looks for its text. */
  readonly as: string;
}

/** In the words of cgroup v2, whichever version it came from. What the kernel did not tell is absent. */
export interface CgroupUsage {
  /** The kernel has killed a task of the group, or on v2 of one below it, for want of memory. The box may have survived that. */
  readonly oomKilled: boolean;
  /** From v1: `oom_kill`, and `max`, how often the limit was hit. */
  readonly "memory.events"?: Readonly<Record<string, number>>;
  /** `max`: how often a fork was refused. */
  readonly "pids.events"?: Readonly<Record<string, number>>;
  /** v2 only: `usage_usec`, `user_usec`, `system_usec`, `nr_throttled`, ... */
  readonly "cpu.stat"?: Readonly<Record<string, number>>;
  /** `memory.peak`, Linux 5.19; v1: `memory.max_usage_in_bytes`. */
  readonly memoryPeakBytes?: number;
  /** Most tasks at one time, threads counted: `pids.peak`, which older kernels lack. */
  readonly pidsPeak?: number;
  /** CPU time in microseconds: `usage_usec` of `cpu.stat`; v1: `cpuacct.usage`, rounded down. */
  readonly cpuUsageUs?: number;
}

// v2 has cpu.stat in every group, with or without the cpu controller.
const filesV2: Readonly<Record<string, readonly string[]>> = {
  "": ["cpu.stat"],
  memory: ["memory.events", "memory.peak"],
  pids: ["pids.events", "pids.peak"],
};

const filesV1: Readonly<Record<string, readonly string[]>> = {
  memory: ["memory.oom_control", "memory.failcnt", "memory.max_usage_in_bytes"],
  pids: ["pids.events", "pids.peak"],
  cpuacct: ["cpuacct.usage"],
};

/** The files that tell how it went with a group which exists in the v2 hierarchy and in those v1 ones that hold a used controller. */
export function endReads(layout: CgroupLayout, controllersUsed: readonly string[]): EndRead[] {
  return layout.hierarchies.flatMap((hierarchy) =>
    filesIn(hierarchy, controllersUsed).map((file) => ({ hierarchy: hierarchy.mountPoint, file, as: file })),
  );
}

function filesIn({ version, controllers }: CgroupHierarchy, used: readonly string[]): string[] {
  if (version === 2)
    return ["", ...controllers.filter((name) => used.includes(name))].flatMap((name) => filesV2[name] ?? []);
  // A group in one v1 hierarchy has all of its controllers: cpuacct.usage is there with cpu where the two are mounted together.
  return controllers.some((name) => used.includes(name)) ? controllers.flatMap((name) => filesV1[name] ?? []) : [];
}

/**
 * Texts of the files of `endReads`, by name; those that could not be read are absent.
 * @throws {ParseError} with the line that cannot be read
 */
export function usage(texts: Readonly<Record<string, string | undefined>>): CgroupUsage {
  const keyed = (file: string): Record<string, number> | undefined =>
    ifText(texts[file], (text) => parseFlatKeyed(text, file));
  const count = (file: string): number | undefined => ifText(texts[file], (text) => parseCount(text, file));

  const memoryEvents = keyed("memory.events") ?? memoryEventsV1(keyed("memory.oom_control"), count("memory.failcnt"));
  const pidsEvents = keyed("pids.events");
  const cpuStat = keyed("cpu.stat");
  const memoryPeakBytes = count("memory.peak") ?? count("memory.max_usage_in_bytes");
  const pidsPeak = count("pids.peak");
  const cpuUsageNs = count("cpuacct.usage");
  const cpuUsageUs = cpuUsageNs === undefined ? cpuStat?.usage_usec : Math.floor(cpuUsageNs / 1000);
  return {
    oomKilled: (memoryEvents?.oom_kill ?? 0) > 0,
    ...(memoryEvents ? { "memory.events": memoryEvents } : {}),
    ...(pidsEvents ? { "pids.events": pidsEvents } : {}),
    ...(cpuStat ? { "cpu.stat": cpuStat } : {}),
    ...(memoryPeakBytes === undefined ? {} : { memoryPeakBytes }),
    ...(pidsPeak === undefined ? {} : { pidsPeak }),
    ...(cpuUsageUs === undefined ? {} : { cpuUsageUs }),
  };
}

// v1 counts kills in memory.oom_control since 4.13.
function memoryEventsV1(
  oomControl: Record<string, number> | undefined,
  failcnt: number | undefined,
): Record<string, number> | undefined {
  const oomKill = oomControl?.oom_kill;
  if (oomKill === undefined && failcnt === undefined) return undefined;
  return {
    ...(failcnt === undefined ? {} : { max: failcnt }),
    ...(oomKill === undefined ? {} : { oom_kill: oomKill }),
  };
}

/**
 * Lines of `key value`: memory.events, cpu.stat, cgroup.events, ...
 * @throws {ParseError} with the line that cannot be read
 */
export function parseFlatKeyed(text: string, file = "memory.events"): Record<string, number> {
  const found: [string, number][] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "") continue;
    const [, key, value] = /^(\S+) (\d{1,20})$/.exec(line) ?? [];
    if (key === undefined) throw new ParseError(file, index + 1, line, "a key and a number");
    found.push([key, Number(value)]);
  }
  return Object.fromEntries(found);
}

function parseCount(text: string, file: string): number {
  if (!/^\d{1,20}\n?$/.test(text)) throw new ParseError(file, 1, text.split("\n")[0] ?? "", "a number");
  return Number.parseInt(text, 10);
}

function ifText<T>(text: string | undefined, parse: (text: string) => T): T | undefined {
  return text === undefined || text === "" ? undefined : parse(text);
}
