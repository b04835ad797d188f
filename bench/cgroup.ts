/**
 * What control groups cost: writing a limit, getting a process into a group, sampling a thousand groups; beside the same in C, by
 * node:fs and in a shell.
 *
 *     bun bench/cgroup.ts [--rounds N] [--groups N] [--programs DIR] [--json]
 *
 * In every round each row runs once, in an order that changes. What was written is read back, and what was sampled adds up as in C.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type CgroupHierarchy, hierarchyOf, readCgroupLayout } from "../src/cgroup/layout.ts";
import { sampler } from "../src/cgroup/sampler.ts";
import { cloneProgram } from "../src/sys/clone.ts";
import type { Fd } from "../src/sys/fd.ts";
import { AT_FDCWD, CLONE, O } from "../src/sys/flags.ts";
import { sys } from "../src/sys/vocabulary.ts";
import { compile, type Group, helper, interleave, print, ratios, removed, type Row } from "./harness.ts";

const help = `usage: bun bench/cgroup.ts [--rounds N] [--groups N] [--programs DIR] [--json]

  --rounds N      how often each row is measured (default 100), after a tenth as many to warm up
  --groups N      how many groups to sample (default 1000)
  --programs DIR  take the C programs from there, or compile them into it where they are missing; for a machine without gcc
  --json          one JSON document instead of tables

Takes root. With BUNSHARE_VM=1 the processes are measured again with favordynmods, a mount option of the whole v2 tree.
`;

const limit = "64\n";
const batch = 1000;
const asked = { pwrite: 1, open: 2, sample: 3, clone: 4, cloneInto: 5, move: 6 } as const;
const bytes = new TextEncoder().encode(limit);

/** What to sample: the key, and where C finds the same. Limits are the group's own number, so that no two sums are alike. */
const keys: Readonly<
  Record<1 | 2, readonly (readonly [key: string, controller: string, file: string, line: string])[]>
> = {
  1: [
    ["memory.current", "memory", "memory.usage_in_bytes", ""],
    ["memory.peak", "memory", "memory.max_usage_in_bytes", ""],
    ["memory.limit_in_bytes", "memory", "memory.limit_in_bytes", ""],
    ["memory.stat anon", "memory", "memory.stat", "total_rss "],
    ["memory.stat pgfault", "memory", "memory.stat", "total_pgfault "],
    ["memory.failcnt", "memory", "memory.failcnt", ""],
    ["pids.current", "pids", "pids.current", ""],
    ["pids.max", "pids", "pids.max", ""],
  ],
  2: [
    ["memory.current", "memory", "memory.current", ""],
    ["memory.max", "memory", "memory.max", ""],
    ["memory.stat anon", "memory", "memory.stat", "anon "],
    ["memory.stat pgfault", "memory", "memory.stat", "pgfault "],
    ["memory.events oom_kill", "memory", "memory.events", "oom_kill "],
    ["cpu.stat usage_usec", "pids", "cpu.stat", "usage_usec "],
    ["pids.current", "pids", "pids.current", ""],
    ["pids.max", "pids", "pids.max", ""],
  ],
};

interface Place {
  readonly version: 1 | 2;
  readonly mountPoint: string;
  readonly path: string;
  readonly fd: Fd;
}

function makeGroup(owned: DisposableStack, hierarchies: readonly CgroupHierarchy[], name: string): Place[] {
  return hierarchies.map(({ version, mountPoint }) => {
    const path = join(mountPoint, name);
    mkdirSync(path);
    owned.defer(() => rmdirSync(path));
    return { version, mountPoint, path, fd: owned.use(sys.openat(AT_FDCWD, path, O.PATH | O.DIRECTORY | O.CLOEXEC)) };
  });
}

function program(dir: string, source: string): string {
  const binary = join(dir, source.replace(/\..*/, ""));
  if (!existsSync(binary)) compile(join(import.meta.dir, source), binary, ["-fno-tree-loop-distribute-patterns"]);
  return binary;
}

/** A row that does the same a number of times; each has to return `expected`. */
function loop(name: string, times: number, expected: number, once: () => number): Row {
  return {
    name,
    async measure() {
      let sum = 0;
      const start = Bun.nanoseconds();
      for (let i = 0; i < times; i++) sum += once();
      const us = (Bun.nanoseconds() - start) / 1000;
      if (sum !== expected * times) throw new Error(`${name}: ${sum} in all instead of ${expected * times}`);
      return us / times;
    },
  };
}

async function measure(rounds: number, groupCount: number, programs: string | undefined): Promise<Group[]> {
  using owned = new DisposableStack();
  const layout = readCgroupLayout();
  const [memory, pids] = [hierarchyOf(layout, "memory"), hierarchyOf(layout, "pids")];
  const v2 = layout.hierarchies.find(({ version }) => version === 2);
  if (!memory || !pids || !v2) throw new Error("there is no memory or pids controller, or no v2 tree");
  const { version } = memory;
  if (version === 2) writeFileSync(join(v2.mountPoint, "cgroup.subtree_control"), "+memory +pids");
  const all = [...new Set([memory, pids])];
  const name = `bunshare-test-bench-${process.pid}`;
  const dir = mkdtempSync("/var/tmp/bunshare-bench-");
  owned.use(removed(dir));
  if (programs) mkdirSync(programs, { recursive: true });
  const [binary, end] = [program(programs ?? dir, "cgroup.c"), program(programs ?? dir, "true.S")];

  const groups = Array.from({ length: groupCount }, (_, i) => ({ places: makeGroup(owned, all, `${name}-${i}`) }));
  const where = (places: readonly Place[], controller: string): string =>
    places.find(({ mountPoint }) => mountPoint === hierarchyOf(layout, controller)?.mountPoint)?.path ?? "";
  for (const [i, { places }] of groups.entries()) {
    writeFileSync(join(where(places, "pids"), "pids.max"), `${i + 1}`);
    writeFileSync(
      join(where(places, "memory"), version === 2 ? "memory.max" : "memory.limit_in_bytes"),
      `${(i + 1) * 4096}`,
    );
  }
  const table = groups.flatMap(({ places }) =>
    keys[version].map(([, c, file, line]) => [join(where(places, c), file), line]),
  );
  writeFileSync(join(dir, "table"), table.map((entry) => `${entry.join("\0")}\0`).join(""));

  const first = groups[0]?.places ?? [];
  const limitPath = join(where(first, "pids"), "pids.max");
  // Of the same hierarchy, for moves to and fro: v1's pids, or v2.
  const [a, b] = [makeGroup(owned, [pids], `${name}-a`), makeGroup(owned, [pids], `${name}-b`)].map(
    ([place]) => place?.path ?? "",
  );
  const [into] = makeGroup(owned, [v2], `${name}-into`);
  if (a === undefined || b === undefined || into === undefined) throw new Error("no group was made");
  const c = owned.use(
    helper([binary, limitPath, join(a, "cgroup.procs"), join(b, "cgroup.procs"), join(dir, "table"), end, into.path]),
  );
  const askC = async (which: number, count: number): Promise<[us: number, sum: number]> => {
    const answer = await c.ask(new Uint8Array(new BigUint64Array([BigInt(which), BigInt(count)]).buffer));
    return [Number(answer.getBigUint64(0, true)) / 1000, Number(answer.getBigInt64(8, true))];
  };
  const inC = (label: string, which: number, times: number, sum: () => number, argument = times): Row => ({
    name: label,
    async measure() {
      const [us, found] = await askC(which, argument);
      if (found !== sum()) throw new Error(`${label}: ${found} instead of ${sum()}`);
      return us / times;
    },
  });

  const kept = owned.use(sys.openat(AT_FDCWD, limitPath, O.WRONLY | O.CLOEXEC));
  const limits: Row[] = [
    inC("kept descriptor: C", asked.pwrite, batch, () => batch * limit.length),
    loop("kept descriptor: sys.pwrite64(fd, bytes, 0)", batch, limit.length, () => sys.pwrite64(kept, bytes, 0)),
    inC("open, write, close: C", asked.open, batch, () => batch * limit.length),
    loop("open, write, close: sys", batch, limit.length, () => {
      using file = sys.openat(AT_FDCWD, limitPath, O.WRONLY | O.CLOEXEC);
      return sys.write(file, bytes);
    }),
    loop("fs.writeFileSync", batch, 1, () => (writeFileSync(limitPath, limit), 1)),
    loop("echo in sh", 1, 0, () => Bun.spawnSync(["sh", "-c", `echo 64 > ${limitPath}`]).exitCode),
  ];
  const summaries = async (rows: readonly Row[], some = rounds) => [
    ...(await interleave(rows, { rounds: some, warmUp: Math.ceil(some / 10) })).values(),
  ];
  const limitRows = await summaries(limits);
  if (readFileSync(limitPath, "utf8") !== limit) throw new Error(`${limitPath} does not hold what was written last`);

  using samples = sampler(
    groups,
    keys[version].map(([key]) => key),
  );
  const add = (values: ArrayLike<number>): number => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[i] ?? Number.NaN;
    return sum;
  };
  samples.sample();
  const wanted = add(samples.values);
  const bySplit = (): Float64Array => {
    const values = new Float64Array(table.length);
    let last = "";
    let lines: string[] = [];
    for (const [i, [path = "", line = ""]] of table.entries()) {
      if (path !== last) lines = readFileSync(path, "utf8").split("\n");
      last = path;
      values[i] = Number(line === "" ? lines[0] : (lines.find((one) => one.startsWith(line)) ?? "").split(" ")[1]);
    }
    return values;
  };
  const tick = (label: string, read: () => Float64Array): Row => ({
    name: label,
    async measure() {
      const start = Bun.nanoseconds();
      const values = read();
      const us = (Bun.nanoseconds() - start) / 1000;
      if (add(values) !== wanted) throw new Error(`${label}: ${add(values)} in all instead of ${wanted}`);
      return us;
    },
  });
  const sampleRows = await summaries([
    inC("sample: C", asked.sample, 1, () => wanted),
    tick("sample: sampler()", () => (samples.sample(), samples.values)),
    tick("sample: readFileSync and split", bySplit),
  ]);

  const groupOf = (pid: number): string => readFileSync(`/proc/${pid}/cgroup`, "utf8");
  const sleeper = Bun.spawn(["sleep", "100000"]);
  owned.defer(() => sleeper.kill("SIGKILL"));
  const mover = (label: string, file: string): Row => {
    const fds = [a, b].map((path) => owned.use(sys.openat(AT_FDCWD, join(path, file), O.WRONLY | O.CLOEXEC)));
    let turn = 0;
    return {
      name: label,
      async measure() {
        // Where it is done now and then, and not in a row: the lock is cold.
        await Bun.sleep(30);
        const target = turn++ % 2;
        const start = Bun.nanoseconds();
        sys.pwrite64(fds[target] as Fd, `${sleeper.pid}`, 0);
        const us = (Bun.nanoseconds() - start) / 1000;
        if (!groupOf(sleeper.pid).includes(`${name}-${"ab"[target]}`)) throw new Error(`${label}: it has not moved`);
        return us;
      },
    };
  };
  const clone = (label: string, options: Parameters<typeof cloneProgram>[2]): Row => ({
    name: label,
    async measure() {
      await Bun.sleep(30);
      const start = Bun.nanoseconds();
      using child = cloneProgram(end, [end], { env: [], ...options });
      const { si_status } = child.wait();
      const us = (Bun.nanoseconds() - start) / 1000;
      if (si_status !== 0) throw new Error(`${label}: ended with ${si_status}`);
      return us;
    },
  });
  const cold = (row: Row): Row => ({ name: row.name, measure: async () => (await Bun.sleep(30), await row.measure()) });
  const flags = CLONE.INTO_CGROUP;
  const moves: Row[] = [
    cold(inC("pid to cgroup.procs: C", asked.move, 1, () => 1, sleeper.pid)),
    mover("pid to cgroup.procs: sys", "cgroup.procs"),
    mover(version === 1 ? "pid to tasks: sys" : "tid to cgroup.threads: sys", version === 1 ? "tasks" : "cgroup.procs"),
    cold(inC("a process: C", asked.clone, 1, () => 0)),
    clone("a process: cloneProgram()", {}),
    cold(inC("a process, CLONE_INTO_CGROUP: C", asked.cloneInto, 1, () => 0)),
    clone("a process, CLONE_INTO_CGROUP: cloneProgram()", { flags, cgroup: into.fd }),
  ].filter(({ name: label }) => !label.startsWith("tid"));
  // That the group is the child's: it says so itself.
  const out = join(dir, "where");
  using shell = cloneProgram("/bin/sh", ["sh", "-c", `cat /proc/self/cgroup > ${out}`], { flags, cgroup: into.fd });
  shell.wait();
  if (!readFileSync(out, "utf8").includes(`${name}-into`)) throw new Error("CLONE_INTO_CGROUP: the child is elsewhere");
  const moveRows = await summaries(moves);
  const dynamic: Group[] = [];
  if (process.env["BUNSHARE_VM"] === "1" && version === 2) {
    const remount = (option: string): void => {
      const { exitCode, stderr } = Bun.spawnSync(["mount", "-o", `remount,${option}`, v2.mountPoint], {
        stderr: "pipe",
      });
      if (exitCode !== 0) throw new Error(`mount -o remount,${option}: ${stderr}`);
    };
    const before = readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .find((line) => line.includes(" - cgroup2 "));
    const options = (before?.split(" ").at(-1) ?? "rw").replace(/^r[wo],?/, "");
    remount([options, "favordynmods"].filter(Boolean).join(","));
    // Left out is off; the option that says so is of Linux 6.7.
    owned.defer(() => remount(options || "rw"));
    if (!readFileSync("/proc/self/mountinfo", "utf8").includes("favordynmods"))
      throw new Error("favordynmods is not in effect");
    dynamic.push({ title: "the same with favordynmods", rows: await summaries(moves), ratios: {}, notes: [] });
  }
  sleeper.kill("SIGKILL");
  await sleeper.exited;

  const note = `${rounds} rounds, cgroup ${layout.version}`;
  return [
    {
      title: "writing pids.max",
      rows: limitRows,
      ratios: ratios(limitRows, [
        ["kept descriptor: sys.pwrite64(fd, bytes, 0)", "kept descriptor: C"],
        ["open, write, close: sys", "open, write, close: C"],
        ["fs.writeFileSync", "kept descriptor: sys.pwrite64(fd, bytes, 0)"],
        ["echo in sh", "kept descriptor: sys.pwrite64(fd, bytes, 0)"],
      ]),
      notes: [`${note}, ${batch} writes each`],
    },
    {
      title: `a sample of ${groupCount} groups x ${keys[version].length} keys`,
      rows: sampleRows,
      ratios: ratios(sampleRows, [
        ["sample: sampler()", "sample: C"],
        ["sample: readFileSync and split", "sample: sampler()"],
      ]),
      notes: [`${note}; the sums are alike: ${wanted}`, `keys: ${keys[version].map(([key]) => key).join(", ")}`],
    },
    {
      title: "a process into a group, now and then",
      rows: moveRows,
      ratios: ratios(moveRows, [
        ["pid to cgroup.procs: sys", "pid to cgroup.procs: C"],
        ["a process, CLONE_INTO_CGROUP: cloneProgram()", "a process, CLONE_INTO_CGROUP: C"],
        ["a process, CLONE_INTO_CGROUP: cloneProgram()", "a process: cloneProgram()"],
      ]),
      notes: [note, "each 30 ms after the one before"],
    },
    ...dynamic,
  ];
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "100" },
      groups: { type: "string", default: "1000" },
      programs: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const [rounds, groups] = [Number(values.rounds), Number(values.groups)];
  const isBad = ![rounds, groups].every((count) => Number.isInteger(count) && count > 0);
  if (values.help || isBad) {
    (isBad ? console.error : console.log)(help);
    return isBad ? 2 : 0;
  }
  const result = await measure(rounds, groups, values.programs);
  if (values.json) console.log(JSON.stringify({ bun: Bun.version, groups: result }, null, 2));
  else for (const group of result) print(group, group.title.startsWith("writing") ? "ns" : "us");
  return 0;
}

process.exitCode = await main();
