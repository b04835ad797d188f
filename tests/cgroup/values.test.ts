import { expect, test } from "bun:test";
import fc from "fast-check";
import { fileEntry, type FileName, fileNames, files, type FileWrites } from "../../src/cgroup/files.ts";
import { formatValue, parseList, parseValue } from "../../src/cgroup/values.ts";
import { ParseError } from "../../src/proc/parse-error.ts";
import { OptionsError } from "../../src/sys/options-error.ts";

const readings: [file: FileName, text: string, value: unknown][] = [
  ["memory.max", "max\n", "max"],
  ["memory.max", "104857600\n", 104857600],
  ["memory.limit_in_bytes", "9223372036854771712\n", "max"],
  ["memory.current", "0\n", 0],
  ["pids.max", "max\n", "max"],
  ["pids.max", "64\n", 64],
  ["cpu.max", "max 100000\n", { quota: "max", period: 100000 }],
  ["cpu.max", "50000 200000\n", { quota: 50000, period: 200000 }],
  ["cpu.weight", "100\n", 100],
  ["cpu.weight.nice", "-5\n", -5],
  ["cpu.cfs_quota_us", "-1\n", -1],
  ["cpu.idle", "1\n", true],
  ["cpu.uclamp.max", "max\n", "max"],
  ["cpu.uclamp.min", "12.50\n", 12.5],
  ["cpu.stat", "usage_usec 5\nnr_throttled 2\n", { usage_usec: 5, nr_throttled: 2 }],
  ["cpuacct.usage", "18446744073709551615\n", 18446744073709551615n],
  ["cpuacct.usage_percpu", "9007199254740993 0 \n", [9007199254740993n, 0n]],
  ["cgroup.procs", "1\n22\n", [1, 22]],
  ["cgroup.procs", "", []],
  ["cgroup.controllers", "cpu memory\n", ["cpu", "memory"]],
  ["cgroup.controllers", "\n", []],
  ["cgroup.type", "domain threaded\n", "domain threaded"],
  ["cgroup.freeze", "0\n", false],
  ["cpuset.cpus", "0-3,8\n", "0-3,8"],
  ["cpuset.cpus", "\n", ""],
  ["memory.events", "low 0\noom_kill 3\n", { low: 0, oom_kill: 3 }],
  ["io.stat", "8:0 rbytes=1 wios=2\n8:16 \n", { "8:0": { rbytes: 1, wios: 2 }, "8:16": {} }],
  ["io.stat", "8:0 cost.vrate=100.50\n", { "8:0": { "cost.vrate": 100.5 } }],
  ["io.max", "8:0 rbps=max wiops=120\n", { "8:0": { rbps: "max", wiops: 120 } }],
  ["io.weight", "default 100\n8:0 50\n", { default: 100, devices: { "8:0": 50 } }],
  ["io.weight", "100\n", { default: 100, devices: {} }],
  ["io.cost.qos", "8:0 enable=1 ctrl=auto rpct=95.00\n", { "8:0": { enable: 1, ctrl: "auto", rpct: 95 } }],
  ["rdma.max", "mlx4_0 hca_handle=2 hca_object=max\n", { mlx4_0: { hca_handle: 2, hca_object: "max" } }],
  ["misc.max", "res_a max\nres_b 4\n", { res_a: "max", res_b: 4 }],
  ["memory.numa_stat", "anon N0=4096 N1=0\n", { anon: { N0: 4096, N1: 0 } }],
  ["hugetlb.2MB.numa_stat", "total=0 N0=0\n", { total: 0, N0: 0 }],
  ["hugetlb.1GB.max", "max\n", "max"],
  ["hugetlb.2MB.rsvd.max", "2097152\n", 2097152],
  ["hugetlb.2MB.events", "max 7\n", { max: 7 }],
  ["devices.list", "a *:* rwm\nc 1:3 rw\n", ["a *:* rwm", "c 1:3 rw"]],
  ["blkio.throttle.io_serviced", "8:0 Read 3\n8:0 Write 1\nTotal 4\n", { "8:0": { Read: 3, Write: 1 } }],
  [
    "memory.pressure",
    "some avg10=0.12 avg60=1.00 avg300=0.00 total=12345\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=9\n",
    {
      some: { avg10: 0.12, avg60: 1, avg300: 0, total: 12345 },
      full: { avg10: 0, avg60: 0, avg300: 0, total: 9 },
    },
  ],
];
for (const [file, text, value] of readings) {
  test(`parseValue("${file}", ${JSON.stringify(text)}) reads it`, () =>
    expect(parseValue(file, text)).toEqual(value as never));
}

const unreadable: [file: FileName, text: string, line: number][] = [
  ["memory.max", "lots\n", 1],
  ["cpu.max", "max\n", 1],
  ["cpu.max", "1 2 3\n", 1],
  ["cgroup.procs", "1\nx\n", 2],
  ["memory.events", "low 0\noom\n", 2],
  ["memory.pressure", "some avg10=0\n", 1],
  ["io.stat", "8:0 rbytes=x\n", 1],
  ["cgroup.freeze", "2\n", 1],
  ["cpuacct.usage", "-1\n", 1],
];
for (const [file, text, line] of unreadable) {
  test(`parseValue("${file}", ${JSON.stringify(text)}) names line ${line}`, () => {
    expect(() => parseValue(file, text)).toThrow(ParseError);
    expect(() => parseValue(file, text)).toThrow(`${file} line ${line}`);
  });
}

const writings: { [F in keyof FileWrites]?: [value: FileWrites[F], text: string][] } = {
  "memory.max": [
    ["100M", "104857600"],
    ["max", "max"],
    [4096n, "4096"],
  ],
  "memory.limit_in_bytes": [
    [-1, "-1"],
    ["max", "-1"],
    ["1k", "1024"],
  ],
  "cpu.max": [
    [20000, "20000 100000"],
    [{ quota: "max" }, "max 100000"],
    ["1000 2000", "1000 2000"],
  ],
  "cpu.weight.nice": [[-20, "-20"]],
  "cpu.idle": [
    [true, "1"],
    [0, "0"],
  ],
  "cpu.uclamp.min": [
    [12.5, "12.5"],
    ["max", "max"],
  ],
  "cgroup.subtree_control": [[["+cpu", "-io"], "+cpu -io"]],
  "io.max": [
    [{ "8:0": { rbps: 1024, wiops: "max" }, "8:16": { riops: 5 } }, "8:0 rbps=1024 wiops=max\n8:16 riops=5"],
    ["8:0 rbps=1024", "8:0 rbps=1024"],
  ],
  "io.weight": [
    [100, "100"],
    [{ default: 50, devices: { "8:0": 200 } }, "default 50\n8:0 200"],
  ],
  "misc.max": [[{ res_a: 4 }, "res_a 4"]],
  "net_prio.ifpriomap": [[{ lo: 3 }, "lo 3"]],
  "devices.allow": [[["c 1:3 rwm", "c 1:5 r"], "c 1:3 rwm\nc 1:5 r"]],
  "hugetlb.2MB.max": [["4M", "4194304"]],
  "cgroup.procs": [[17, "17"]],
};
for (const [file, cases] of Object.entries(writings)) {
  for (const [value, text] of cases ?? []) {
    const shown = JSON.stringify(value, (_, each) => (typeof each === "bigint" ? `${each}n` : each));
    test(`formatValue("${file}", ${shown}) is ${JSON.stringify(text)}`, () =>
      expect(formatValue(file as "memory.max", value as never)).toBe(text));
  }
}

const refused: [file: string, value: unknown][] = [
  ["memory.max", "lots"],
  ["memory.max", -1],
  ["memory.current", 1],
  ["cgroup.events", 1],
  ["cpu.weight", 0],
  ["cpu.weight", 10001],
  ["cpu.uclamp.max", 101],
  ["cgroup.type", "threaded\nx"],
  ["cgroup.type", ""],
  ["cgroup.subtree_control", []],
  ["cgroup.procs", 0],
  ["io.max", { "8:0": 5 }],
  ["io.max", { "8:0\n8:16": { rbps: 1 } }],
  ["io.max", "8:0 rbps=1\0"],
  ["io.weight", { devices: { sda: 1 } }],
  ["net_cls.classid", 2 ** 32],
  ["constructor", 1],
  ["hugetlb.<size>.max", 1],
  ["hugetlb.2MB/../x.max", 1],
];
for (const [file, value] of refused) {
  test(`formatValue(${JSON.stringify(file)}, ${JSON.stringify(value)}) is refused by name`, () => {
    expect(() => formatValue(file as "memory.max", value as never)).toThrow(OptionsError);
    expect(() => formatValue(file as "memory.max", value as never)).toThrow(file);
  });
}

test("parseList() is the CPUs of a list", () => {
  expect(parseList("0-2,8\n")).toEqual([0, 1, 2, 8]);
  expect(parseList("\n")).toEqual([]);
  expect(() => parseList("0-")).toThrow(ParseError);
});

test("parseValue() throws nothing but ParseError, whatever the text", () => {
  const names = fileNames.map((name) => name.replace("<size>", "2MB"));
  const texts = fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9:=. \nmax-]*$/));
  fc.assert(
    fc.property(fc.constantFrom(...names), texts, (name, text) => {
      try {
        parseValue(name as FileName, text);
      } catch (error) {
        if (!(error instanceof ParseError)) throw error;
      }
    }),
    { numRuns: 3000 },
  );
});

test("formatValue() throws nothing but OptionsError, and writes no empty line and no NUL", () => {
  const names = fileNames.filter((name) => files[name].access !== "r").map((name) => name.replace("<size>", "2MB"));
  fc.assert(
    fc.property(fc.constantFrom(...names), fc.oneof(fc.anything(), fc.string(), fc.integer()), (name, value) => {
      try {
        const text = formatValue(name as "memory.max", value as never);
        expect(text).not.toBe("");
        expect(text.includes("\0")).toBe(false);
        if (!fileEntry(name)?.perLine && fileEntry(name)?.kind !== "flatKeyed")
          expect(text.split("\n").every(Boolean)).toBe(true);
      } catch (error) {
        if (!(error instanceof OptionsError)) throw error;
      }
    }),
    { numRuns: 3000 },
  );
});
