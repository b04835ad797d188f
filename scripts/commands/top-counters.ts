/** What groups have used until now, as `top` shows it: counters of every group, whichever hierarchy and version has them. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import type { CgroupHierarchy, CgroupLayout } from "../../src/cgroup/layout.ts";
import { directoryOf } from "./group-paths.ts";
import { ifThere, readIfThere } from "../../src/proc/read.ts";

/** Of one group and all below it. What its hierarchies do not count is absent. */
export interface Counters {
  /** CPU time, microseconds. */
  cpuUsec?: number;
  memoryBytes?: number;
  /** Processes and their threads. */
  tasks?: number;
  /** Read from and written to disks, bytes. */
  inputBytes?: number;
  outputBytes?: number;
}

/** Counters by path as in /proc/PID/cgroup, and when they were read. */
export interface Reading {
  /** Of performance.now(). */
  readonly atMs: number;
  readonly groups: ReadonlyMap<string, Counters>;
}

/** Which groups. */
export interface Range {
  /** Levels below the top, or below each of `paths`: 0 is that group alone. */
  readonly depth: number;
  /** Only these and what is below them, as in /proc/PID/cgroup. Default: all. */
  readonly paths: readonly string[];
}

/** A file that counts, and what its text says. */
interface Source {
  readonly file: string;
  readonly read: (text: string) => Counters;
}

/** cgroup v2. Every group has cpu.stat, the others where their controllers are enabled. */
const v2: readonly Source[] = [
  { file: "cpu.stat", read: (text) => some("cpuUsec", /^usage_usec (\d+)$/m.exec(text)?.[1]) },
  { file: "memory.current", read: (text) => some("memoryBytes", text) },
  { file: "pids.current", read: (text) => some("tasks", text) },
  {
    file: "io.stat",
    read: (text) => ({ inputBytes: sum(text, /\brbytes=(\d+)/g), outputBytes: sum(text, /\bwbytes=(\d+)/g) }),
  },
];

/** cgroup v1, by controller. */
const v1: Readonly<Record<string, readonly Source[]>> = {
  cpuacct: [{ file: "cpuacct.usage", read: (text) => some("cpuUsec", text, 1000) }],
  memory: [{ file: "memory.usage_in_bytes", read: (text) => some("memoryBytes", text) }],
  pids: [{ file: "pids.current", read: (text) => some("tasks", text) }],
  blkio: [
    {
      file: "blkio.throttle.io_service_bytes_recursive",
      read: (text) => ({
        inputBytes: sum(text, /^\d+:\d+ Read (\d+)$/gm),
        outputBytes: sum(text, /^\d+:\d+ Write (\d+)$/gm),
      }),
    },
  ],
};

const some = (name: keyof Counters, text: string | undefined, divisor = 1): Counters =>
  text !== undefined && /^\d+\n?$/.test(text) ? { [name]: Math.floor(Number(text) / divisor) } : {};

const sum = (text: string, pattern: RegExp): number =>
  [...text.matchAll(pattern)].reduce((total, [, digits]) => total + Number(digits), 0);

/** Files of a hierarchy that count something. */
export const sourcesOf = ({
  version,
  controllers,
}: Pick<CgroupHierarchy, "version" | "controllers">): readonly Source[] =>
  version === 2 ? v2 : controllers.flatMap((name) => v1[name] ?? []);

/** Reads all counters now. A group that goes meanwhile is left out. */
export function readCounters({ hierarchies }: CgroupLayout, { depth, paths }: Range): Reading {
  const groups = new Map<string, Counters>();
  // v1 first, as the layout has them: on a hybrid host its controllers are the ones that count, and v2's cpu.stat fills in.
  for (const hierarchy of hierarchies) {
    const sources = sourcesOf(hierarchy);
    if (sources.length === 0) continue;
    for (const top of paths.length > 0 ? paths : [hierarchy.mountRoot]) {
      const directory = directoryOf(top, hierarchy);
      if (directory === undefined) continue;
      walk(directory, top, depth, (at, path) => {
        const known = groups.get(path) ?? {};
        for (const { file, read } of sources) {
          // A v1 group can go between two of its files, and answers ENODEV then.
          const text = ifThere(
            () => readFileSync(`${at}/${file}`, "latin1"),
            ["ENOENT", "ENODEV", "EACCES", "EOPNOTSUPP"],
          );
          if (text === undefined) continue;
          const found = read(text);
          for (const name of Object.keys(found) as (keyof Counters)[]) known[name] ??= found[name] as number;
        }
        groups.set(path, known);
      });
    }
  }
  const root = groups.get("/");
  if (root) addMachine(root, hierarchies);
  return { atMs: performance.now(), groups };
}

/** Whether there is such a group in any hierarchy. */
export function isGroup({ hierarchies }: CgroupLayout, path: string): boolean {
  return hierarchies.some((hierarchy) => {
    const directory = directoryOf(path, hierarchy);
    return directory !== undefined && ifThere(() => statSync(directory), ["ENOENT"]) !== undefined;
  });
}

function walk(directory: string, path: string, depth: number, visit: (directory: string, path: string) => void): void {
  // A directory has a link for itself, one for its name, and one for each below: a leaf need not be listed.
  const links = ifThere(() => statSync(directory).nlink, ["ENOENT", "ENODEV", "EACCES"]);
  if (links === undefined) return;
  visit(directory, path);
  if (depth <= 0 || links === 2) return;
  const entries = ifThere(() => readdirSync(directory, { withFileTypes: true }), ["ENOENT", "ENODEV", "EACCES"]) ?? [];
  for (const entry of entries)
    if (entry.isDirectory())
      walk(`${directory}/${entry.name}`, path === "/" ? `/${entry.name}` : `${path}/${entry.name}`, depth - 1, visit);
}

/** The root of v2 has no memory.current and no pids.current: it is the machine. As systemd-cgtop has it. */
function addMachine(root: Counters, hierarchies: readonly CgroupHierarchy[]): void {
  const has = (controller: string): boolean =>
    hierarchies.some(
      ({ version, mountRoot, controllers }) => version === 2 && mountRoot === "/" && controllers.includes(controller),
    );
  if (has("memory") && root.memoryBytes === undefined) {
    const text = readIfThere("/proc/meminfo") ?? "";
    const kib = (name: string): number => Number(new RegExp(`^${name}: *(\\d+) kB$`, "m").exec(text)?.[1]);
    const used = (kib("MemTotal") - kib("MemAvailable")) * 1024;
    if (used >= 0) root.memoryBytes = used;
  }
  if (has("pids") && root.tasks === undefined) {
    const tasks = Number(/^\S+ \S+ \S+ \d+\/(\d+) /.exec(readIfThere("/proc/loadavg") ?? "")?.[1]);
    if (tasks > 0) root.tasks = tasks;
  }
}
