import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { type CgroupDirectory, type CgroupLayout, readCgroupLayout } from "../../src/cgroup/layout.ts";
import { type CgroupLimits, cpuShares, limitWrites, parseBytes, parseCpuMax } from "../../src/cgroup/limits.ts";
import { OptionsError } from "../../src/sys/options-error.ts";

function directory(path: string, facts: Partial<CgroupDirectory> = {}): CgroupDirectory {
  return { path, writable: true, procsWritable: true, files: [], ...facts };
}

function v1(controllers: string[], facts: Partial<CgroupDirectory> = {}) {
  const mountPoint = `/cg/${controllers.join(",")}`;
  return { version: 1, mountPoint, mountRoot: "/", controllers, ancestors: [directory(mountPoint, facts)] } as const;
}

function v2(mountPoint: string, controllers: string[]) {
  const root = directory(mountPoint, { controllers, subtreeControl: [], subtreeControlWritable: true, isRoot: true });
  return { version: 2, mountPoint, mountRoot: "/", controllers, ancestors: [root] } as const;
}

const pureV2: CgroupLayout = {
  version: "v2",
  hierarchies: [v2("/cg", ["cpu", "cpuset", "io", "memory", "pids", "hugetlb"])],
};
const pureV1: CgroupLayout = {
  version: "v1",
  hierarchies: [
    v1(["cpu", "cpuacct"]),
    v1(["cpuset"], { cpuset: { cpus: "0-3", mems: "0" } }),
    v1(["memory"], { files: ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"] }),
    v1(["pids"]),
    v1(["blkio"], { files: ["blkio.bfq.io_serviced"] }),
    v1(["hugetlb"]),
  ],
};
const hybrid: CgroupLayout = {
  version: "hybrid",
  hierarchies: [v1(["memory"]), v1(["pids"]), v2("/cg/unified", ["hugetlb"])],
};
const none: CgroupLayout = { version: "none", hierarchies: [] };

const bytes: [value: number | string, read: number | "max"][] = [
  ["100M", 104857600],
  ["1k", 1024],
  ["2G", 2147483648],
  ["1T", 1024 ** 4],
  ["3p", 3 * 1024 ** 5],
  ["1E", 1024 ** 6],
  ["0", 0],
  ["max", "max"],
  [4096, 4096],
];
for (const [value, read] of bytes) {
  test(`parseBytes() reads ${JSON.stringify(value)} as ${read}`, () => expect(parseBytes(value)).toBe(read));
}

const notBytes = [
  "lots",
  "",
  "1.5G",
  "-1",
  " 1",
  "1 M",
  "010",
  "0x10",
  "1MB",
  "8E",
  "9007199254740993",
  "1M\n",
  "1\0",
  -1,
  0.5,
  NaN,
  Infinity,
  2 ** 63,
  null,
  undefined,
  true,
  {},
  [],
  1n,
];
for (const value of notBytes) {
  test(`parseBytes() refuses ${typeof value === "bigint" ? "a bigint" : (JSON.stringify(value) ?? "undefined")}`, () => {
    expect(() => parseBytes(value)).toThrow(OptionsError);
  });
}

test("parseBytes() reads what it prints, for any whole number", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (n) => expect(parseBytes(String(n))).toBe(n)));
});

/** [limits, writes on v2 as "file value", writes on v1] */
const translations: [limits: CgroupLimits, v2: string[], v1: string[] | "refused"][] = [
  [{ "memory.max": "100M" }, ["memory.max 104857600"], ["memory.limit_in_bytes 104857600"]],
  [{ "memory.max": "max" }, ["memory.max max"], ["memory.limit_in_bytes -1"]],
  [
    { "memory.swap.max": "1M", "memory.max": "2M" },
    ["memory.max 2097152", "memory.swap.max 1048576"],
    ["memory.limit_in_bytes 2097152", "memory.memsw.limit_in_bytes 3145728"],
  ],
  [
    { "memory.swap.max": "max", "memory.max": 4096 },
    ["memory.max 4096", "memory.swap.max max"],
    ["memory.limit_in_bytes 4096", "memory.memsw.limit_in_bytes -1"],
  ],
  [{ "memory.swap.max": 0 }, ["memory.swap.max 0"], "refused"],
  [{ "memory.swap.max": 0, "memory.max": "max" }, ["memory.max max", "memory.swap.max 0"], "refused"],
  [{ "memory.high": "1M" }, ["memory.high 1048576"], "refused"],
  [{ "memory.low": 0 }, ["memory.low 0"], "refused"],
  [{ "memory.min": 0 }, ["memory.min 0"], "refused"],
  [{ "memory.oom.group": true }, ["memory.oom.group 1"], "refused"],
  [{ "pids.max": 64 }, ["pids.max 64"], ["pids.max 64"]],
  [{ "pids.max": "max" }, ["pids.max max"], ["pids.max max"]],
  [
    { "cpu.max": { quota: 50_000, period: 100_000 } },
    ["cpu.max 50000 100000"],
    ["cpu.cfs_period_us 100000", "cpu.cfs_quota_us 50000"],
  ],
  [{ "cpu.max": 20_000 }, ["cpu.max 20000 100000"], ["cpu.cfs_period_us 100000", "cpu.cfs_quota_us 20000"]],
  [{ "cpu.max": "max" }, ["cpu.max max 100000"], ["cpu.cfs_period_us 100000", "cpu.cfs_quota_us -1"]],
  [{ "cpu.weight": 100 }, ["cpu.weight 100"], ["cpu.shares 1024"]],
  [{ "cpuset.cpus": "0-1,3" }, ["cpuset.cpus 0-1,3"], ["cpuset.mems 0", "cpuset.cpus 0-1,3"]],
  [{ "cpuset.mems": 0 }, ["cpuset.mems 0"], ["cpuset.cpus 0-3", "cpuset.mems 0"]],
  [{ "io.weight": 200 }, ["io.weight 200"], ["blkio.bfq.weight 200"]],
  [{ "hugetlb.2MB.max": "4M" }, ["hugetlb.2MB.max 4194304"], ["hugetlb.2MB.limit_in_bytes 4194304"]],
  [{}, [], []],
];
for (const [limits, onV2, onV1] of translations) {
  const writes = (layout: CgroupLayout) =>
    limitWrites(limits, layout).writes.map(({ file, value }) => `${file} ${value}`);
  test(`limitWrites(${JSON.stringify(limits)}) on v2 and on v1`, () => {
    expect(writes(pureV2)).toEqual(onV2);
    if (onV1 === "refused") expect(() => writes(pureV1)).toThrow(OptionsError);
    else expect(writes(pureV1)).toEqual(onV1);
  });
}

test("limitWrites() takes names of v1 where there is v1", () => {
  const limits: CgroupLimits = { "memory.memsw.limit_in_bytes": "2M", "memory.limit_in_bytes": "1M", "cpu.shares": 2 };
  expect(limitWrites(limits, pureV1).writes.map(({ file, value }) => `${file} ${value}`)).toEqual([
    "memory.limit_in_bytes 1048576",
    "memory.memsw.limit_in_bytes 2097152",
    "cpu.shares 2",
  ]);
  expect(() => limitWrites({ "memory.limit_in_bytes": 1 }, pureV2)).toThrow(
    'cgroup["memory.limit_in_bytes"]: memory.limit_in_bytes is a file of cgroup v1, and /cg is v2: see memory.max',
  );
});

test("limitWrites() names the hierarchies in which the group has to exist, the v2 one always", () => {
  expect(limitWrites({ "memory.max": 1, "hugetlb.2MB.max": 0 }, hybrid).groups).toMatchObject([
    { hierarchy: "/cg/memory", version: 1, controllers: ["memory"], parent: "/cg/memory", enable: [] },
    { hierarchy: "/cg/unified", version: 2, controllers: ["hugetlb"], parent: "/cg/unified", enable: ["hugetlb"] },
  ]);
  expect(limitWrites({}, hybrid).groups.map(({ hierarchy }) => hierarchy)).toEqual(["/cg/unified"]);
});

test("limitWrites() fills a cpuset that is mounted together with a limited controller", () => {
  const together = {
    version: "v1",
    hierarchies: [v1(["cpuset", "pids"], { cpuset: { cpus: "0", mems: "0" } })],
  } as const;
  expect(limitWrites({ "pids.max": 1 }, together).writes.map(({ file }) => file)).toEqual([
    "cpuset.cpus",
    "cpuset.mems",
    "pids.max",
  ]);
  const empty = { version: "v1", hierarchies: [v1(["cpuset"], { cpuset: { cpus: "0", mems: "" } })] } as const;
  expect(() => limitWrites({ "cpuset.cpus": 0 }, empty)).toThrow("/cg/cpuset/cpuset.mems is empty");
});

const refusals: [limits: unknown, layout: CgroupLayout, message: string][] = [
  [
    { "memory.max": "lots" },
    pureV2,
    'cgroup["memory.max"]: expected bytes such as 104857600, "100M" or "max", got "lots"',
  ],
  [
    { "pids.max": 4_194_305 },
    pureV2,
    'cgroup["pids.max"]: expected an integer from 0 to 4194304 or "max", got 4194305',
  ],
  [{ "cpu.weight": 0 }, pureV2, 'cgroup["cpu.weight"]: expected an integer from 1 to 10000, got 0'],
  [{ "memory.oom.group": "yes" }, pureV2, 'cgroup["memory.oom.group"]: expected true or false, got "yes"'],
  [{ "cpuset.cpus": "0\n1" }, pureV2, 'cgroup["cpuset.cpus"]: expected CPUs as a list such as "0-3,8", got "0\\n1"'],
  [{ "memory.max": 1 }, none, 'cgroup["memory.max"]: no memory controller here: no cgroup hierarchy is mounted'],
  [
    { "cpu.weight": 1 },
    hybrid,
    'cgroup["cpu.weight"]: no cpu controller here: there are memory (v1, /cg/memory), pids (v1, /cg/pids), hugetlb (v2, /cg/unified)',
  ],
  [
    { "memory.high": 1 },
    hybrid,
    'cgroup["memory.high"]: needs cgroup v2, and the memory controller is on v1 here, at /cg/memory',
  ],
  [{ "pids.limit": 1 }, pureV2, 'cgroup["pids.limit"]: no such limit; there are pids.max'],
  [{ "../memory.max": 1 }, pureV2, 'cgroup["../memory.max"]: no such limit'],
  [{ "hugetlb.2MB/../x.max": 1 }, pureV2, "no such limit"],
  [{ constructor: 1 }, pureV2, 'cgroup["constructor"]: no such limit'],
  [
    { "memory.max": 1, "memory.limit_in_bytes": 1 },
    pureV1,
    'cgroup["memory.limit_in_bytes"]: cgroup["memory.max"] sets memory.limit_in_bytes too: give one of them',
  ],
  [["memory.max"], pureV2, 'cgroup: expected limits such as { "memory.max": "100M" }, got ["memory.max"]'],
];
for (const [limits, layout, message] of refusals) {
  test(`limitWrites() refuses ${JSON.stringify(limits)} on ${layout.version}`, () => {
    expect(() => limitWrites(limits as CgroupLimits, layout)).toThrow(message);
  });
}

test("limitWrites() says why no parent will do", () => {
  const root = directory("/cg", {
    controllers: ["memory"],
    subtreeControl: [],
    subtreeControlWritable: true,
    hasProcesses: true,
  });
  const inner: CgroupLayout = { version: "v2", hierarchies: [{ ...v2("/cg", ["memory"]), ancestors: [root] }] };
  expect(() => limitWrites({ "memory.max": 1 }, inner)).toThrow(
    'cgroup["memory.max"]: no group can be limited: /cg holds processes itself, so it cannot enable memory',
  );
});

test("limitWrites() leaves out what is undefined", () => {
  expect(limitWrites({ "memory.max": undefined } as unknown as CgroupLimits, pureV1)).toEqual({
    groups: [],
    writes: [],
  });
});

const cpuMax: [value: unknown, read: ReturnType<typeof parseCpuMax> | "refused"][] = [
  ["max 200000", { quota: "max", period: 200_000 }],
  ["50000", { quota: 50_000, period: 100_000 }],
  [{ quota: "max" }, { quota: "max", period: 100_000 }],
  [{ quota: 999 }, "refused"],
  [{ quota: 1000, period: 999 }, "refused"],
  [{ quota: 1000, period: 1_000_001 }, "refused"],
  [{ quota: 1000, periodMs: 1 }, "refused"],
  [{}, "refused"],
  ["1000 1000 1000", "refused"],
  ["max max", "refused"],
  ["", "refused"],
  [null, "refused"],
  [2 ** 44, "refused"],
];
for (const [value, read] of cpuMax) {
  test(`parseCpuMax() reads ${JSON.stringify(value)} as ${JSON.stringify(read)}`, () => {
    if (read === "refused") expect(() => parseCpuMax(value)).toThrow(OptionsError);
    else expect(parseCpuMax(value)).toEqual(read);
  });
}

test("cpuShares() grows with the weight and stays within what v1 takes", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9999 }), (weight) => {
      expect(cpuShares(weight)).toBeGreaterThanOrEqual(2);
      expect(cpuShares(weight + 1)).toBeGreaterThan(cpuShares(weight));
      expect(cpuShares(weight + 1)).toBeLessThanOrEqual(262_144);
    }),
  );
});

test("limitWrites() throws nothing but OptionsError, and never writes a line break or outside of the group", () => {
  const files = fc.constantFrom(
    "memory.max",
    "memory.swap.max",
    "pids.max",
    "cpu.max",
    "cpuset.cpus",
    "io.weight",
    "hugetlb.2MB.max",
  );
  const values = fc.oneof(fc.string(), fc.anything(), fc.integer(), fc.stringMatching(/^[0-9,KM-]*$/));
  fc.assert(
    fc.property(
      fc.dictionary(fc.oneof(files, fc.string()), values),
      fc.constantFrom(pureV1, pureV2, hybrid, none),
      (limits, layout) => {
        try {
          for (const { file, value } of limitWrites(limits as CgroupLimits, layout).writes) {
            expect(file).toMatch(/^[a-z]+\.[a-zA-Z0-9._]+$/);
            expect(value).toMatch(/^[a-z0-9,: -]+$/);
          }
        } catch (error) {
          if (!(error instanceof OptionsError)) throw error;
        }
      },
    ),
    { numRuns: 2000 },
  );
});

const layout = readCgroupLayout();
const isRoot = process.getuid?.() === 0;
const wanted: CgroupLimits = {
  "memory.max": "64M",
  "memory.swap.max": 0,
  "pids.max": 32,
  "cpu.max": "50000 100000",
  "cpu.weight": 50,
  "cpuset.cpus": 0,
};

test.skipIf(!isRoot || layout.version === "none")(
  "the kernel takes the writes, and reads them back (needs root and cgroups)",
  () => {
    const { groups, writes } = limitWrites(wanted, layout);
    const group = new Map(groups.map(({ hierarchy, parent }) => [hierarchy, `${parent}/bunshare-test-${process.pid}`]));
    const made: string[] = [];
    try {
      for (const { parent, enable } of groups) {
        for (const name of enable) writeFileSync(`${parent}/cgroup.subtree_control`, `+${name}`);
      }
      for (const path of group.values()) {
        mkdirSync(path);
        made.push(path);
      }
      for (const { hierarchy, file, value } of writes) {
        const path = `${group.get(hierarchy)}/${file}`;
        // memory.swap.max is absent on a kernel that does not count swap.
        if (!existsSync(path) && file.includes("swap")) continue;
        writeFileSync(path, value);
        expect(readFileSync(path, "utf8").trim()).toBe(value);
      }
    } finally {
      for (const path of made) rmdirSync(path);
    }
  },
);
