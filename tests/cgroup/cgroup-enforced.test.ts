/** Every controller here: set, read back, and seen to bite. The table is printed at the end. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { Cgroup, type Limits } from "../../src/cgroup/cgroup.ts";
import { type Controller, fileEntry, type FileName } from "../../src/cgroup/files.ts";
import { deviceProgram, type DeviceRule, deviceWritesV1 } from "../../src/cgroup/devices.ts";
import { OptionsError } from "../../src/sys/options-error.ts";
import { sys } from "../../src/sys/vocabulary.ts";
import { isRoot, layout, leftOver, make, noGroups, runIn, startIn, ticks, until } from "./groups.ts";

type Bitten = true | string;

/** How a limit shows: true when it was seen to bite, or why that cannot be had here. */
interface Row {
  readonly file: FileName;
  readonly limits: Limits;
  /** What it reads as afterwards. */
  readonly reads: unknown;
  readonly controllers?: readonly Controller[];
  readonly bites: (group: Cgroup) => Promise<Bitten>;
}

const never =
  (why: string): Row["bites"] =>
  async () =>
    why;
const hasSwap = readFileSync("/proc/swaps", "utf8").trim().split("\n").length > 1;
/** Without swap of its own, so that the limit is reached. */
const eats = (mebibytes: number): string => `head -c ${mebibytes}m /dev/zero | tail > /dev/null`;
/** What can be read past the cache: a file on a disk, or else the disk. */
const disk = [import.meta.path, "/dev/vda", "/dev/sda", "/dev/nvme0n1"].find(
  (path) => existsSync(path) && !deviceOf(path).startsWith("0:"),
);
const diskNumber = disk === undefined ? undefined : deviceOf(disk);

/** Of the device that a file is on, or is. A partition is limited with its disk: there are none here. */
function deviceOf(path: string): string {
  const { rdev, dev } = statSync(path);
  return numberOf(rdev === 0 ? dev : rdev);
}

/** `major:minor` of a device number. makedev(3) */
function numberOf(rdev: number): string {
  return `${(rdev >> 8) & 0xfff}:${(rdev & 0xff) | ((rdev >> 12) & 0xfff00)}`;
}

const rows: Row[] = [
  {
    file: "memory.max",
    limits: { "memory.max": "24M" },
    reads: 25165824,
    async bites(group) {
      if (hasSwap && group.read("memory.swap.max") !== undefined) group.write({ "memory.swap.max": 0 });
      await runIn(group, eats(200));
      return (group.read("memory.events")?.oom_kill ?? 0) > 0;
    },
  } as Row,
  {
    file: "memory.high",
    limits: { "memory.high": "16M" },
    reads: 16777216,
    async bites(group) {
      await startIn(group, eats(64));
      return until(() => (group.read("memory.events")?.high ?? 0) > 0, 20_000);
    },
  } as Row,
  {
    file: "memory.swap.max",
    limits: { "memory.max": "24M", "memory.swap.max": 0 },
    reads: 0,
    bites: never(hasSwap ? "not tried: it would fill this machine's swap" : "no swap on this machine"),
  },
  {
    file: "memory.oom.group",
    limits: { "memory.max": "24M", "memory.oom.group": true },
    reads: true,
    async bites(group) {
      const other = await startIn(group, "exec sleep 100");
      await runIn(group, eats(200));
      await other.exited;
      return other.signalCode === "SIGKILL";
    },
  } as Row,
  {
    file: "memory.low",
    limits: { "memory.low": "8M" },
    reads: 8388608,
    bites: never("protects only while the whole machine is short of memory"),
  },
  {
    file: "memory.min",
    limits: { "memory.min": "8M" },
    reads: 8388608,
    bites: never("protects only while the whole machine is short of memory"),
  },
  {
    file: "memory.zswap.max",
    limits: { "memory.zswap.max": 0 },
    reads: 0,
    bites: never("no swap on this machine"),
  },
  {
    file: "pids.max",
    limits: { "pids.max": 2 },
    reads: 2,
    async bites(group) {
      const { stderr } = await runIn(group, "sleep 0.2 & sleep 0.2 & sleep 0.2 & wait");
      return /fork/i.test(stderr) && (group.read("pids.events")?.max ?? 0) > 0;
    },
  } as Row,
  {
    file: "cpu.max",
    limits: { "cpu.max": { quota: 10_000, period: 100_000 } },
    reads: { quota: 10_000, period: 100_000 },
    async bites(group) {
      await runIn(group, "while :; do :; done", 700);
      const { nr_throttled = 0, usage_usec = 0 } = group.read("cpu.stat") ?? {};
      return nr_throttled > 0 && usage_usec < 400_000;
    },
  } as Row,
  {
    file: "cpu.max.burst",
    limits: { "cpu.max": 20_000, "cpu.max.burst": 10_000 },
    reads: 10_000,
    bites: never("shows only in bursts after idle periods: cpu.stat nr_bursts"),
  },
  {
    file: "cpu.weight",
    limits: { "cpu.weight": 1 },
    reads: 1,
    async bites(light) {
      await using heavy = make({ "cpu.weight": 5000 });
      const cpu = readFileSync("/proc/self/status", "utf8").match(/Cpus_allowed_list:\s*(\d+)/)?.[1] ?? "0";
      const shells = await Promise.all(
        [light, heavy].map((group) => startIn(group, `exec taskset -c ${cpu} sh -c 'while :; do :; done'`)),
      );
      await Bun.sleep(300);
      const pids = shells.map(({ pid }) => pid);
      const before = pids.map(ticks);
      await Bun.sleep(1200);
      const [few = 0, many = 0] = pids.map((pid, i) => ticks(pid) - (before[i] ?? 0));
      // The light one has hardly the time to die while the other runs.
      heavy.kill();
      await shells[1]?.exited;
      return many > 5 * Math.max(1, few);
    },
  } as Row,
  {
    file: "cpu.idle",
    limits: { "cpu.idle": true },
    reads: true,
    bites: never("a matter of scheduling latency; its weight is the least there is"),
  },
  {
    file: "cpu.weight.nice",
    limits: { "cpu.weight.nice": 10 },
    reads: 10,
    bites: never("cpu.weight by another name"),
  },
  {
    file: "cpu.uclamp.max",
    limits: { "cpu.uclamp.max": 50 },
    reads: 50,
    bites: never("asks for a CPU whose frequency the kernel chooses"),
  },
  {
    file: "cpuset.cpus",
    limits: { "cpuset.cpus": 0 },
    reads: "0",
    async bites(group) {
      const shell = await startIn(group, "exec sleep 100");
      return sys.schedGetaffinity(shell.pid).join() === "0";
    },
  } as Row,
  {
    file: "cpuset.mems",
    limits: { "cpuset.mems": 0 },
    reads: "0",
    async bites(group) {
      const shell = await startIn(group, "exec sleep 100");
      return /^Mems_allowed_list:\s*0$/m.test(readFileSync(`/proc/${shell.pid}/status`, "utf8"));
    },
  } as Row,
  {
    file: "io.max",
    limits: { "io.max": { [diskNumber ?? "0:0"]: { rbps: 1 << 20 } } },
    reads: { [diskNumber ?? "0:0"]: { rbps: 1 << 20, wbps: "max", riops: "max", wiops: "max" } },
    async bites(group) {
      const isFile = !disk?.startsWith("/dev/");
      const file = isFile ? `${import.meta.dir}/../../.io-max-${process.pid}` : disk;
      try {
        if (isFile) await Bun.write(file as string, new Uint8Array(2 << 20));
        await Bun.$`sync`.quiet();
        const start = performance.now();
        const { stderr } = await runIn(group, `dd if=${file} of=/dev/null bs=64k count=32 iflag=direct`);
        if (!stderr.includes("2097152 bytes"))
          return `the disk cannot be read directly: ${stderr.trim().split("\n")[0]}`;
        const rbytes = Number(group.read("io.stat")?.[diskNumber as string]?.rbytes ?? 0);
        return performance.now() - start > 900 && rbytes >= 2 << 20;
      } finally {
        if (isFile) await Bun.file(file as string).delete();
      }
    },
  } as Row,
  {
    file: "io.weight",
    limits: { "io.weight": 50 },
    reads: { default: 50, devices: {} },
    bites: never("asks for BFQ or io.cost on a busy disk"),
  },
  {
    file: "io.bfq.weight",
    limits: { "io.bfq.weight": 50 },
    reads: { default: 50, devices: {} },
    bites: never("asks for BFQ on a busy disk"),
  },
  {
    file: "io.latency",
    limits: { "io.latency": { [diskNumber ?? "0:0"]: { target: 5000 } } },
    reads: { [diskNumber ?? "0:0"]: { target: 5000 } },
    bites: never("shows only beside others on a busy disk"),
  },
  {
    file: "hugetlb.2MB.max",
    limits: { "hugetlb.2MB.max": "2M" },
    reads: 2097152,
    async bites(group) {
      if (!readFileSync("/proc/filesystems", "utf8").includes("hugetlbfs")) return "no hugetlbfs in this kernel";
      const pages = "/proc/sys/vm/nr_hugepages";
      const before = readFileSync(pages, "utf8");
      try {
        writeFileSync(pages, "4");
        if (Number(readFileSync(pages, "utf8")) < 2) return "no huge pages can be reserved";
        const fill = "mount -t hugetlbfs none /tmp && fallocate -l 2m /tmp/a && ! fallocate -l 4m /tmp/b";
        const { exitCode } = await runIn(group, `unshare -m sh -c '${fill}'`);
        return exitCode === 0 && (group.read("hugetlb.2MB.events")?.max ?? 0) > 0;
      } finally {
        writeFileSync(pages, before);
      }
    },
  } as Row,
  {
    file: "cgroup.freeze",
    limits: {},
    reads: false,
    controllers: ["freezer"],
    async bites(group) {
      const busy = await startIn(group, "while :; do :; done");
      await until(() => ticks(busy.pid) > 0);
      using _scope = group.freeze();
      const before = ticks(busy.pid);
      await Bun.sleep(150);
      return group.isFrozen() && ticks(busy.pid) === before;
    },
  } as Row,
  {
    file: "cgroup.max.descendants",
    limits: { "cgroup.max.descendants": 0 },
    reads: 0,
    async bites(group) {
      try {
        Cgroup.create("below", {}, { parent: group }).close();
        return false;
      } catch (error) {
        return (error as { code?: string }).code === "EAGAIN";
      }
    },
  } as Row,
  {
    file: "cgroup.max.depth",
    limits: { "cgroup.max.depth": 0 },
    reads: 0,
    async bites(group) {
      try {
        Cgroup.create("below", {}, { parent: group }).close();
        return false;
      } catch (error) {
        return (error as { code?: string }).code === "EAGAIN";
      }
    },
  } as Row,
  { file: "rdma.max", limits: {}, reads: {}, controllers: ["rdma"], bites: never("no RDMA device on this machine") },
  { file: "misc.max", limits: {}, reads: {}, controllers: ["misc"], bites: never("no such resource on this machine") },
];

const table: string[][] = [["controller", "file", "layout", "set", "read", "enforced"]];
const controllerOf = (file: string): string => fileEntry(file)?.controller ?? "";

describe.skipIf(noGroups !== undefined)(noGroups === undefined ? "limits" : `limits (skipped: ${noGroups})`, () => {
  for (const { file, limits, reads, controllers = [], bites } of rows) {
    const controller = controllerOf(file);
    const tell = (where: string, set: string, read: string, enforced: string) =>
      table.push([controller, file, where, set, read, enforced]);
    test(`${file} is set, read and enforced, or it is said why not`, async () => {
      if (file.startsWith("io.") && file !== "io.weight" && file !== "io.bfq.weight" && diskNumber === undefined)
        return void tell("-", "-", "-", "no disk on this machine");
      let group: Cgroup;
      try {
        group = make(limits, { controllers });
      } catch (error) {
        // Not here: which is a typed error that says why, and never a crash.
        const { name, message, code, hint } = error as Error & { code?: string; hint?: string };
        expect(["OptionsError", "SyscallError"]).toContain(name);
        if (name === "SyscallError") expect(["ENOENT", "EOPNOTSUPP", "EACCES"]).toContain(code as string);
        return void tell(
          "-",
          "no",
          "no",
          hint ? `${code}. ${hint}` : message.replace(/^(cgroup\[[^\]]*\]|controllers): /, "").slice(0, 110),
        );
      }
      await using owned = group;
      const { place } = owned.locate(file) ?? {};
      const where = place === undefined ? "-" : `v${place.version}`;
      const value = owned.read(file);
      if (Object.keys(limits).length > 0 || value !== undefined) expect(value).toEqual(reads as never);
      const enforced = await bites(owned);
      tell(
        where,
        Object.keys(limits).length > 0 ? "yes" : "-",
        value === undefined ? "no" : "yes",
        enforced === true ? "yes" : String(enforced),
      );
      expect(enforced).not.toBe(false);
    });
  }

  const noNull: DeviceRule[] = [{ type: "c", major: 1, minor: 3, access: "rw", allow: false }];
  test.skipIf(!isRoot)(
    "devices: what a rule denies cannot be opened, the rest can; a second set of rules replaces the first (needs root)",
    async () => {
      await using group = make({}, { controllers: ["devices"] });
      const { place } = {
        place: group.places.find(({ version, controllers }) => version === 2 || controllers.includes("devices")),
      };
      const probe = "for d in null zero full; do (: < /dev/$d) 2>&- && echo $d; done";
      const opens = async (): Promise<string[]> => (await runIn(group, probe)).stdout.trim().split("\n");
      group.setDevices(noNull);
      expect(await opens()).toEqual(["zero", "full"]);
      group.setDevices([
        { type: "a", allow: false },
        { type: "c", major: 1, minor: 3, allow: true },
        { type: "c", major: 1, minor: 5, access: "r", allow: true },
      ]);
      expect(await opens()).toEqual(["null", "zero"]);
      const write = await runIn(group, "(: > /dev/zero) 2>&1");
      expect(write.stdout).toMatch(/not permitted/);
      group.setDevices([]);
      expect(await opens()).toEqual(["null", "zero", "full"]);
      const v1 = layout.hierarchies.some(
        ({ version, controllers }) => version === 1 && controllers.includes("devices"),
      );
      table.push([
        "devices",
        v1 ? "devices.allow, .deny" : "BPF program",
        v1 ? "v1" : "v2",
        "yes",
        v1 ? "yes" : "no",
        "yes",
      ]);
      expect(place).toBeDefined();
    },
  );

  test.skipIf(!isRoot)(
    "net_cls, net_prio and perf_event: where they are not mounted, they are set and read in a mount of their own (needs root)",
    async () => {
      const script = `
      const { Cgroup } = await import("./mod.ts");
      const { mkdirSync } = await import("node:fs");
      mkdirSync("/tmp/net"); mkdirSync("/tmp/perf");
      for (const [type, dir] of [["net_cls,net_prio", "/tmp/net"], ["perf_event", "/tmp/perf"]])
        if (Bun.spawnSync(["mount", "-t", "cgroup", "-o", type, "none", dir]).exitCode !== 0) { console.log("no " + type); process.exit(0); }
      {
        await using group = Cgroup.create("bunshare-test-net-" + process.pid, { "net_cls.classid": 0x100001, "net_prio.ifpriomap": { lo: 5 } }, { controllers: ["perf_event"] });
        group.add(process.pid);
        console.log(JSON.stringify([group.read("net_cls.classid"), group.read("net_prio.ifpriomap").lo, Object.keys(group.paths).filter((path) => path.startsWith("/tmp")).sort()]));
      }
      Bun.spawnSync(["umount", "/tmp/net", "/tmp/perf"]);
    `;
      const command = `mount -t tmpfs none /tmp && exec ${process.execPath} -e "$SCRIPT"`;
      const child = Bun.spawn(["unshare", "-m", "sh", "-c", command], {
        env: { ...process.env, SCRIPT: script },
        stdout: "pipe",
        stderr: "pipe",
      });
      const [output, complaint] = [await child.stdout.text(), await child.stderr.text()];
      if (output.startsWith("no ")) {
        for (const name of ["net_cls", "net_prio", "perf_event"])
          table.push([name, "-", "v1", "no", "no", `this kernel will not mount it: ${output.trim()}`]);
        return;
      }
      expect(complaint).toBe("");
      expect(JSON.parse(output)).toEqual([0x100001, 5, ["/tmp/net", "/tmp/perf"]]);
      table.push([
        "net_cls",
        "net_cls.classid",
        "v1",
        "yes",
        "yes",
        "asks for a filter of tc(8): the mark is on each socket",
      ]);
      table.push([
        "net_prio",
        "net_prio.ifpriomap",
        "v1",
        "yes",
        "yes",
        "asks for a queueing discipline that looks at priorities",
      ]);
      table.push([
        "perf_event",
        "(membership)",
        "v1",
        "yes",
        "yes",
        "has no limits: perf_event_open(2) counts for the group",
      ]);
    },
  );

  afterAll(async () => {
    const widths = (table[0] as string[]).map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
    const text = table
      .map((row) => row.map((cell, i) => cell.padEnd(i === 5 ? 0 : (widths[i] ?? 0))).join("  "))
      .join("\n");
    console.log(`\n${layout.version}, ${isRoot ? "root" : "an ordinary user"}\n${text}\n`);
    const out = process.env.BUNSHARE_VM_OUT;
    if (out) await Bun.write(`${out}/cgroup-table.txt`, `${text}\n`);
    expect(leftOver()).toEqual([]);
  });
});

const inexpressible: DeviceRule[] = [
  { type: "c", major: 1, allow: false },
  { type: "c", major: 1, minor: 3, allow: true },
];
test("deviceWritesV1() refuses what v1 cannot express, which deviceProgram() can", () => {
  expect(() => deviceWritesV1(inexpressible)).toThrow(OptionsError);
  expect(() => deviceWritesV1(inexpressible)).toThrow("devices[1]: on cgroup v1 an exception is taken back as a whole");
  expect(deviceProgram(inexpressible).length).toBeGreaterThan(10);
});

test("deviceWritesV1() begins with the last rule for all devices, and writes both types for the rest", () => {
  const rules: DeviceRule[] = [
    { type: "c", major: 1, allow: true },
    { type: "a", allow: false },
    { type: "a", major: 7, access: "rm", allow: true },
  ];
  expect(deviceWritesV1(rules).map(({ file, value }) => `${file} ${value}`)).toEqual([
    "devices.deny a *:* rwm",
    "devices.allow c 7:* rm",
    "devices.allow b 7:* rm",
  ]);
});

for (const rule of [
  { type: "x", allow: true },
  { type: "c", allow: 1 },
  { type: "c", major: -1, allow: true },
  { type: "c", minor: 1.5, allow: true },
  { type: "c", access: "", allow: true },
  { type: "c", access: "rwx", allow: true },
  null,
]) {
  test(`deviceProgram() refuses ${JSON.stringify(rule)}`, () => {
    expect(() => deviceProgram([rule as DeviceRule])).toThrow(OptionsError);
    expect(() => deviceWritesV1([rule as DeviceRule])).toThrow(OptionsError);
  });
}
