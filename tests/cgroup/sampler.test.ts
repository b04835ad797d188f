import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readCgroupLayout } from "../../src/cgroup/layout.ts";
import { type SampleGroup, sampler } from "../../src/cgroup/sampler.ts";
import { AT_FDCWD, O } from "../../src/sys/flags.ts";
import { sys } from "../../src/sys/vocabulary.ts";
import { isRoot } from "../helpers.ts";

const openFiles = () => readdirSync("/proc/self/fd").length;

/** A directory with these files, taken for a group. */
function fakeGroup(
  files: Readonly<Record<string, string>>,
  version: 1 | 2 = 2,
): SampleGroup & Disposable & { path: string } {
  const path = mkdtempSync("/dev/shm/bunshare-test-sampler-");
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  const fd = sys.openat(AT_FDCWD, path, O.PATH | O.DIRECTORY | O.CLOEXEC);
  return {
    path,
    places: [{ version, fd }],
    [Symbol.dispose]: () => (fd.close(), rmSync(path, { recursive: true })),
  };
}

const files = {
  "memory.current": "104857600\n",
  "memory.max": "max\n",
  "cpu.stat": "usage_usec 9007199254740993\nuser_usec 17\nsystem_usec 0\nuser_usec_more 5\n",
  "io.stat": "8:0 rbytes=100 wbytes=7 rios=1\n8:16 rbytes=23 wbytes=0 rios=2\n259:0 \n",
  "memory.pressure":
    "some avg10=1.25 avg60=0.00 avg300=100.00 total=12345\nfull avg10=0.07 avg60=0.00 avg300=0.00 total=99\n",
  empty: "",
  odd: "-1\n",
  huge: "18446744073709551615\n",
};

const read: [key: string, double: number, exact: bigint][] = [
  ["memory.current", 104857600, 104857600n],
  ["memory.max", Infinity, 2n ** 63n - 1n],
  ["cpu.stat usage_usec", 9007199254740992, 9007199254740993n],
  ["cpu.stat user_usec", 17, 17n],
  ["cpu.stat system_usec", 0, 0n],
  ["cpu.stat user", NaN, -1n],
  ["io.stat 8:0 wbytes", 7, 7n],
  ["io.stat 8:16 bytes", NaN, -1n],
  ["io.stat 259:0 rbytes", NaN, -1n],
  ["io.stat * rbytes", 123, 123n],
  ["io.stat * none", 0, 0n],
  ["memory.pressure some avg10", 1.25, 1n],
  ["memory.pressure full avg10", 0.07, 0n],
  ["memory.pressure full total", 99, 99n],
  ["memory.pressure some total", 12345, 12345n],
  ["empty", NaN, -1n],
  ["odd", -1, -1n],
  ["huge", 18446744073709551615, -1n],
  ["not.there", NaN, -1n],
  ["not.there key", NaN, -1n],
];

for (const [key, double, exact] of read) {
  test(`"${key}" reads as ${double}, or exactly ${exact}`, () => {
    using group = fakeGroup(files);
    using doubles = sampler([group], [key]);
    using integers = sampler([group], [key], { exact: true });
    for (let tick = 0; tick < 3; tick++) {
      expect(doubles.sample()).toEqual([]);
      integers.sample();
      expect(doubles.at(0, 0)).toBe(double);
      expect(integers.at(0, 0)).toBe(exact);
    }
  });
}

test("keys in any order, and lines that move, are found", () => {
  using group = fakeGroup(files);
  const keys = read.map(([key]) => key).toReversed();
  using all = sampler([group, group], keys);
  all.sample();
  const wanted = read.map(([, double]) => double).toReversed();
  expect([...all.values]).toEqual([...wanted, ...wanted]);
  writeFileSync(join(group.path, "cpu.stat"), "new 1\nsystem_usec 12\nusage_usec 1234\nuser_usec 123456\n");
  all.sample();
  expect(["usage_usec", "user_usec", "system_usec"].map((key) => all.at(1, keys.indexOf(`cpu.stat ${key}`)))).toEqual([
    1234, 123456, 12,
  ]);
  writeFileSync(join(group.path, "cpu.stat"), "user_usec 7\n");
  all.sample();
  expect(["usage_usec", "user_usec"].map((key) => all.at(0, keys.indexOf(`cpu.stat ${key}`)))).toEqual([NaN, 7]);
});

test("all 64 bits of random numbers are read exactly", () => {
  using group = fakeGroup({ number: "" });
  using all = sampler([group], ["number"], { exact: true });
  for (let i = 0; i < 300; i++) {
    const number = crypto.getRandomValues(new BigUint64Array(1))[0]! >> BigInt(1 + (i % 63));
    writeFileSync(join(group.path, "number"), `${number}\n`);
    all.sample();
    expect(all.at(0, 0)).toBe(number);
  }
});

test("v2 names stand for what v1 has, in the units of v2", () => {
  using group = fakeGroup(
    {
      "memory.usage_in_bytes": "4096\n",
      "cpuacct.usage": "1234567890123456789\n",
      "memory.stat": "cache 1\nrss 2\ntotal_cache 30\ntotal_rss 40\n",
      "memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n",
      "cpu.stat": "nr_periods 5\nnr_throttled 2\nthrottled_time 7999\n",
      "pids.current": "9\n",
    },
    1,
  );
  const keys = {
    "memory.current": 4096n,
    "cpu.stat usage_usec": 1234567890123456n,
    "memory.stat anon": 40n,
    "memory.stat file": 30n,
    "memory.stat rss": 2n,
    "memory.events oom_kill": 3n,
    "cpu.stat throttled_usec": 7n,
    "cpu.stat nr_throttled": 2n,
    "pids.current": 9n,
    "memory.usage_in_bytes": 4096n,
  };
  using exact = sampler([group], Object.keys(keys), { exact: true });
  using doubles = sampler([group], Object.keys(keys));
  exact.sample();
  doubles.sample();
  expect([...exact.values]).toEqual(Object.values(keys));
  expect([...doubles.values]).toEqual(Object.values(keys).map(Number));
});

for (const key of ["", " ", "a ", " a", "a  b", "a b c d", "a *", "a\nb", 5 as never, undefined as never]) {
  test(`${JSON.stringify(key)} is no key`, () => {
    expect(() => sampler([], [key])).toThrow('keys[0]: expected "memory.current"');
  });
}

test("a key cannot lead out of the group", () => {
  using group = fakeGroup({});
  expect(() => sampler([group], ["../../etc/hostname"])).toThrow("EXDEV");
});

test("two ticks can be kept apart, and a place that is too small is refused", () => {
  using group = fakeGroup({ count: "1\n" });
  using all = sampler([group], ["count"]);
  const other = new Float64Array(1);
  all.sample();
  writeFileSync(join(group.path, "count"), "5\n");
  all.sample(other);
  expect([all.at(0, 0), other[0]]).toEqual([1, 5]);
  expect(() => all.sample(new Float64Array(0))).toThrow("expected room for 1 numbers");
});

test("descriptors are kept one for each file, closed at the end, and none is left by a failure", () => {
  using group = fakeGroup(files);
  const before = openFiles();
  const all = sampler([group, group], ["memory.current", "cpu.stat user_usec", "cpu.stat usage_usec", "not.there"]);
  expect(openFiles()).toBe(before + 4);
  all[Symbol.dispose]();
  all[Symbol.dispose]();
  expect(openFiles()).toBe(before);
  expect(() => all.sample()).toThrow("this sampler is closed");
  expect(() => sampler([group], ["memory.current", "../x"])).toThrow("EXDEV");
  expect(openFiles()).toBe(before);
});

test("a tick makes no objects", () => {
  using group = fakeGroup(files);
  const groups = Array.from({ length: 50 }, () => group);
  using doubles = sampler(
    groups,
    read.map(([key]) => key),
  );
  using integers = sampler(
    groups,
    read.map(([key]) => key),
    { exact: true },
  );
  const tick = () => {
    doubles.sample();
    integers.sample();
  };
  for (let i = 0; i < 200; i++) tick();
  const { heapStats } = require("bun:jsc") as typeof import("bun:jsc");
  const measure = (work: () => void): number => {
    Bun.gc(true);
    const before = heapStats().heapSize;
    work();
    return heapStats().heapSize - before;
  };
  // The same without ticks: what the measuring takes.
  const idle = measure(() => {});
  const used = measure(() => {
    for (let i = 0; i < 100; i++) tick();
  });
  // 100 ticks x 50 groups x 40 numbers: one object of 16 bytes for each would be 3,200,000.
  expect(used - idle).toBeLessThan(100_000);
});

const layout = readCgroupLayout();
const memory = layout.hierarchies.find(({ controllers }) => controllers.includes("memory"));

test.skipIf(!isRoot || !memory)("groups that vanish are reported once, read as NaN, and are closed", () => {
  const { mountPoint = "", version = 2 } = memory ?? {};
  if (version === 2) writeFileSync(join(mountPoint, "cgroup.subtree_control"), "+memory +pids");
  using owned = new DisposableStack();
  const groups = Array.from({ length: 3 }, (_, i) => {
    const path = join(mountPoint, `bunshare-test-sampler-${process.pid}-${i}`);
    mkdirSync(path);
    owned.defer(() => i === 1 || rmdirSync(path));
    return { path, places: [{ version, fd: owned.use(sys.openat(AT_FDCWD, path, O.PATH | O.CLOEXEC)) }] };
  });
  using all = sampler(groups, ["memory.current", "memory.stat anon"]);
  using exact = sampler(groups, ["memory.current", "memory.stat anon"], { exact: true });
  expect(all.sample()).toEqual([]);
  expect([...all.values]).toEqual([0, 0, 0, 0, 0, 0]);
  const before = openFiles();
  rmdirSync(groups[1]?.path ?? "");
  expect(all.sample()).toEqual([groups[1]!]);
  expect(openFiles()).toBe(before - 2);
  expect([...all.values]).toEqual([0, 0, NaN, NaN, 0, 0]);
  expect(all.sample()).toEqual([]);
  expect([...all.values]).toEqual([0, 0, NaN, NaN, 0, 0]);
  exact.sample();
  expect([...exact.values]).toEqual([0n, 0n, -1n, -1n, 0n, 0n]);
});

test.skipIf(!memory)("what is sampled is what the file says", () => {
  const { ancestors = [], version = 2, ownPath = "" } = memory ?? {};
  const path = ancestors[0]?.path ?? ownPath;
  using fd = sys.openat(AT_FDCWD, path, O.PATH | O.CLOEXEC);
  const text = readFileSync(join(path, "memory.stat"), "utf8");
  const keys = text
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[0] ?? "");
  // Of v1 the names that v2 has too would be translated.
  const own = keys.filter((key) => /^total_|^hierarchical|^nr_|^slab/.test(key));
  using all = sampler(
    [{ places: [{ version, fd }] }],
    own.map((key) => `memory.stat ${key}`),
  );
  all.sample();
  expect(own.length).toBeGreaterThan(0);
  expect([...all.values].every((value) => Number.isInteger(value))).toBe(true);
  const limits = own.filter((key) => key.startsWith("hierarchical"));
  for (const key of limits)
    expect(all.at(0, own.indexOf(key))).toBe(Number(new RegExp(`^${key} (\\d+)`, "m").exec(text)?.[1]));
});
