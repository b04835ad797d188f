import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { cpuShares, cpuWeight, fileEntry, fileNames, fileOrder, files } from "../../src/cgroup/files.ts";
import { readCgroupLayout } from "../../src/cgroup/layout.ts";

test("what v1 has for a file is in the table itself, or is called the same", () => {
  const unknown = fileNames.flatMap((name) =>
    (files[name].v1?.files ?? []).filter((file) => !Object.hasOwn(files, file)).map((file) => `${name}: ${file}`),
  );
  expect(unknown).toEqual([]);
});

test("what v2 has instead of a v1 file is in the table", () => {
  const wrong = fileNames.filter((name) => {
    const { v1Only } = files[name];
    return v1Only !== undefined && v1Only !== "" && files[v1Only as "memory.max"]?.v1Only !== undefined;
  });
  expect(wrong).toEqual([]);
});

test("a translation that is not exact says in which way", () => {
  expect(fileNames.filter((name) => files[name].v1?.exact === false && !files[name].v1?.note)).toEqual([]);
});

test("what can be written on v2 and is called otherwise on v1 says how it is written there", () => {
  const silent = fileNames.filter((name) => {
    const { v1, access } = files[name];
    return v1 && access !== "r" && v1.read && !v1.write;
  });
  expect(silent).toEqual([]);
});

test("fileEntry() puts the size of huge pages in, and knows no other names", () => {
  expect(fileEntry("hugetlb.2MB.max")?.v1?.files).toEqual(["hugetlb.2MB.limit_in_bytes"]);
  expect(fileEntry("hugetlb.1GB.rsvd.limit_in_bytes")?.v1Only).toBe("hugetlb.1GB.rsvd.max");
  for (const name of ["hugetlb.<size>.max", "hugetlb.2XB.max", "memory", "constructor", "", "../memory.max"])
    expect(fileEntry(name)).toBeUndefined();
});

test("files are written in the order that the kernel takes", () => {
  const order = (...names: string[]) => expect(names.toSorted((a, b) => fileOrder(a) - fileOrder(b))).toEqual(names);
  order("cpuset.mems", "memory.max", "memory.swap.max", "pids.max", "cpu.max", "cpu.max.burst", "cgroup.procs");
  order("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "cpu.cfs_period_us", "cpu.cfs_quota_us");
});

test("cpu.shares 256 is the weight 25, and 1024 is 100", () => {
  expect([2, 256, 1024, 262144].map(cpuWeight)).toEqual([1, 25, 100, 10000]);
  for (const weight of [1, 25, 100, 9999, 10000]) expect(cpuWeight(cpuShares(weight))).toBe(weight);
});

const layout = readCgroupLayout();
const isRoot = process.getuid?.() === 0;

for (const { mountPoint, controllers, version } of layout.hierarchies) {
  if (version === 1 && controllers.length === 0) continue;
  test.skipIf(!isRoot)(
    `the table has every file of ${mountPoint} on this kernel, and of a group below (needs root)`,
    () => {
      const group = `${mountPoint}/bunshare-test-files-${process.pid}`;
      mkdirSync(group);
      try {
        const names = [mountPoint, group].flatMap((path) =>
          readdirSync(path, { withFileTypes: true }).flatMap((file) => (file.isFile() ? file.name : [])),
        );
        const unknown = [...new Set(names)].filter((name) => !fileEntry(name) && !ignored.test(name));
        expect(unknown).toEqual([]);
      } finally {
        rmdirSync(group);
      }
    },
  );
}

/** For the eyes of kernel developers, for event descriptors, or this host's own. */
const ignored =
  /^(memory\.(kmem\.slabinfo|shown_ram_in_bytes|pressure_level)|cgroup\.event_control|.*\.(debug|__DEBUG__).*)$/;
