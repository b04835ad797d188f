import { expect, test } from "bun:test";
import type { CgroupLayout } from "../../src/cgroup/layout.ts";
import { endReads, parseFlatKeyed, usage } from "../../src/cgroup/usage.ts";

const hierarchy = (version: 1 | 2, mountPoint: string, ...controllers: string[]) => ({
  version,
  mountPoint,
  mountRoot: "/",
  controllers,
  ancestors: [],
});

const pureV2: CgroupLayout = { version: "v2", hierarchies: [hierarchy(2, "/cg", "cpu", "memory", "pids")] };
const hybrid: CgroupLayout = {
  version: "hybrid",
  hierarchies: [
    hierarchy(1, "/cg/memory", "memory"),
    hierarchy(1, "/cg/cpu,cpuacct", "cpu", "cpuacct"),
    hierarchy(1, "/cg/pids", "pids"),
    hierarchy(2, "/cg/unified"),
  ],
};

const reads: [layout: CgroupLayout, used: string[], files: string[]][] = [
  [
    pureV2,
    ["memory", "pids"],
    ["/cg cpu.stat", "/cg memory.events", "/cg memory.peak", "/cg pids.events", "/cg pids.peak"],
  ],
  [pureV2, [], ["/cg cpu.stat"]],
  [
    hybrid,
    ["memory"],
    [
      "/cg/memory memory.oom_control",
      "/cg/memory memory.failcnt",
      "/cg/memory memory.max_usage_in_bytes",
      "/cg/unified cpu.stat",
    ],
  ],
  [hybrid, ["cpu"], ["/cg/cpu,cpuacct cpuacct.usage", "/cg/unified cpu.stat"]],
];
for (const [layout, used, files] of reads) {
  test(`endReads() on ${layout.version} with [${used}] reads ${files.length} files`, () => {
    expect(endReads(layout, used).map((read) => `${read.hierarchy} ${read.file}`)).toEqual(files);
  });
}

test("endReads() gives every file a name of its own", () => {
  const names = endReads(hybrid, ["memory", "cpu", "pids"]).map((read) => read.as);
  expect(new Set(names).size).toBe(names.length);
});

test("usage() of v2", () => {
  const texts = {
    "memory.events": "low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\noom_group_kill 0\n",
    "memory.peak": "104857600\n",
    "pids.events": "max 3\n",
    "pids.peak": "9\n",
    "cpu.stat": "usage_usec 5000\nuser_usec 4000\nsystem_usec 1000\n",
  };
  expect(usage(texts)).toEqual({
    oomKilled: true,
    "memory.events": { low: 0, high: 0, max: 12, oom: 1, oom_kill: 1, oom_group_kill: 0 },
    "pids.events": { max: 3 },
    "cpu.stat": { usage_usec: 5000, user_usec: 4000, system_usec: 1000 },
    memoryPeakBytes: 104857600,
    pidsPeak: 9,
    cpuUsageUs: 5000,
  });
});

test("usage() of v1 speaks v2", () => {
  const texts = {
    "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    "memory.failcnt": "7\n",
    "memory.max_usage_in_bytes": "4096\n",
    "cpuacct.usage": "1234567\n",
  };
  expect(usage(texts)).toEqual({
    oomKilled: true,
    "memory.events": { max: 7, oom_kill: 2 },
    memoryPeakBytes: 4096,
    cpuUsageUs: 1234,
  });
});

test("usage() of nothing, and of empty texts, is that nothing was killed", () => {
  expect(usage({})).toEqual({ oomKilled: false });
  expect(usage({ "memory.peak": "", "memory.events": undefined })).toEqual({ oomKilled: false });
});

test("parseFlatKeyed() complains with the line", () => {
  expect(parseFlatKeyed("a 1\nb 2\n")).toEqual({ a: 1, b: 2 });
  expect(() => parseFlatKeyed("a 1\nb\n", "cpu.stat")).toThrow('cpu.stat line 2: expected a key and a number: "b"');
});
