/** Interface files of control groups: one table in the words of cgroup v2, and what v1 has for each. admin-guide/cgroup-v2 */

/** Who reads and writes a file: `cgroup` stands for those that every group has. */
export type Controller =
  | "cgroup"
  | "cpu"
  | "cpuacct"
  | "cpuset"
  | "devices"
  | "freezer"
  | "hugetlb"
  | "io"
  | "memory"
  | "misc"
  | "net_cls"
  | "net_prio"
  | "perf_event"
  | "pids"
  | "rdma";

/** Time in which tasks waited: PSI, a line of a `pressure` file. `total` in microseconds, averages in percent. */
export interface PressureLine {
  /** Percent of the last 10 seconds. */
  readonly avg10: number;
  /** Percent of the last minute. */
  readonly avg60: number;
  /** Percent of the last five minutes. */
  readonly avg300: number;
  /** Microseconds since the group was made. */
  readonly total: number;
}

/** What a file holds by its kind, as {@link parseValue} reads it. */
export interface KindValues {
  /** Bytes, or no limit. */
  bytes: number | "max";
  /** Bytes in use. */
  byteCount: number;
  /** A limit that counts, or none. */
  count: number | "max";
  /** A number, which a double holds. */
  number: number;
  /** A counter that uses all 64 bits: nanoseconds. */
  bigint: bigint;
  /** `0` or `1`. */
  bool: boolean;
  /** One line as it is. */
  text: string;
  /** Words of one line: names of controllers. */
  words: readonly string[];
  /** CPUs or memory nodes: `0-3,8`. */
  list: string;
  /** Ids of processes or threads, a line each. */
  pids: readonly number[];
  /** Lines of `key value`. */
  flatKeyed: Readonly<Record<string, number>>;
  /** Lines of `key value`, where a value may be `max`. */
  keyedLimits: Readonly<Record<string, number | "max">>;
  /** Lines of `key name=value ...`: by device, node or resource. */
  nestedKeyed: Readonly<Record<string, Readonly<Record<string, number | "max">>>>;
  /** Lines of `key name=value ...`, where some values are words: `ctrl=auto`. */
  nestedText: Readonly<Record<string, Readonly<Record<string, number | string>>>>;
  /** One line of `name=value ...`: `total=0 N0=0`. */
  assignments: Readonly<Record<string, number>>;
  /** Lines of `device operation value`, as v1 has them: `8:0 Read 512`. */
  deviceOps: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Lines as they are. */
  lines: readonly string[];
  /** Counters of 64 bits, one a CPU. */
  bigints: readonly bigint[];
  /** Of PSI. */
  pressure: { readonly some?: PressureLine; readonly full?: PressureLine };
  /** Microseconds. */
  cpuMax: { readonly quota: number | "max"; readonly period: number };
  /** Percent with two digits, or `max`. */
  percent: number | "max";
  /** A weight for all devices and those of single ones by `major:minor`. */
  deviceWeights: { readonly default?: number; readonly devices: Readonly<Record<string, number>> };
}
/** Names of the kinds. */
export type Kind = keyof KindValues;

/** What is written to a file by its kind. Text has to be as the kernel takes it. */
export interface KindWrites {
  /** Bytes, with a binary unit or without: `"100M"`, or `"max"`. */
  bytes: number | bigint | string;
  /** As `bytes`. */
  byteCount: number | bigint | string;
  /** A number, or `"max"`. */
  count: number | string;
  /** A number within the range of the file. */
  number: number | string;
  /** A number. */
  bigint: number | bigint | string;
  /** Whether. */
  bool: boolean | 0 | 1 | "0" | "1";
  /** One line. */
  text: string;
  /** Words, or the line of them. */
  words: string | readonly string[];
  /** One CPU or node, or a list: `"0-3,8"`. */
  list: number | string;
  /** One pid at a time. */
  pids: number;
  /** By key, or the text. */
  flatKeyed: Readonly<Record<string, number>> | number | string;
  /** The text. */
  assignments: string;
  /** The text. */
  deviceOps: string;
  /** Lines, each a write. */
  lines: string | readonly string[];
  /** A number. */
  bigints: bigint | number | string;
  /** By key, or the text. */
  keyedLimits: Readonly<Record<string, number | "max">> | string;
  /** By device or resource: `{ "8:0": { rbps: 1048576 } }`, or the text. */
  nestedKeyed: Readonly<Record<string, Readonly<Record<string, number | string>>>> | string;
  /** The same with words. */
  nestedText: Readonly<Record<string, Readonly<Record<string, number | string>>>> | string;
  /** A trigger. */
  pressure: string;
  /** Microseconds: both, the quota alone, or the text. */
  cpuMax: { readonly quota: number | "max"; readonly period?: number } | number | string;
  /** Percent, or `"max"`. */
  percent: number | string;
  /** The default alone, with those of devices, or the text. */
  deviceWeights: number | { readonly default?: number; readonly devices?: Readonly<Record<string, number>> } | string;
}

/** One interface file. */
export interface FileEntry {
  readonly controller: Controller;
  readonly kind: Kind;
  /** What `read()` and `write()` can do. A trigger of pressure and a reset of a peak hold as long as their own descriptor: not `write()`. */
  readonly access: "r" | "w" | "rw";
  /** Least and greatest number that the kernel takes. */
  readonly range?: readonly [min: number, max: number];
  /** Each line is a write(2) of its own. */
  readonly perLine?: true;
  /** First kernel that has it on v2, where that is younger than 4.5. */
  readonly since?: string;
  /** v2: every group has it, whether or not the controller is enabled. */
  readonly everywhere?: true;
  /** The file is one of v1 only; the text names what v2 has instead, or is empty. */
  readonly v1Only?: string;
  /** What v1 has for it: absent where there is nothing. */
  readonly v1?: V1Files;
}

/** Writes of v1 that come to the same as a write of v2. */
export interface V1Write {
  /** Name of the v1 file. */
  readonly file: string;
  /** The text. */
  readonly value: string;
  /** What to tell somebody who asked for something else. */
  readonly note?: string;
}

/** What a translation to v1 may have to know. */
export interface V1Context {
  /** The v2 name. */
  readonly file: string;
  /** Names of the files in the group, or in one above it; empty where that is not known. */
  readonly present: readonly string[];
  /** Other files that are written at the same time, by v2 name. */
  readonly values: ReadonlyMap<string, string>;
  /** Throws the error of the value. */
  readonly reject: (sentence: string) => never;
}

/** Texts by file name; those that are not there are undefined. */
export type V1Texts = Readonly<Record<string, string | undefined>>;

/** v1 files that mean what a v2 file means. */
export interface V1Files {
  /** The names; the first word of each is its controller. */
  readonly files: readonly string[];
  /** Texts of those files, by name, as the text of the v2 file. Absent: it is the text of the first. */
  readonly read?: (texts: V1Texts) => string | undefined;
  /** Text of the v2 file as writes. Absent: it is the same for the first. */
  readonly write?: (text: string, context: V1Context) => readonly V1Write[];
  /** Whether reading and writing mean the same. */
  readonly exact: boolean;
  /** Where it is not exact, what differs. */
  readonly note?: string;
}

// Translations, before the table that uses them. "<size>" is put in by fileEntry().

const same = (file: string): V1Files => ({ files: [file], exact: true });

/** `max` is not known to all v1 files; read, no limit is the greatest number of whole pages. */
const limitV1 = (file: string): V1Files => ({
  files: [file],
  read: (texts) => bytesOf(Object.values(texts)[0]),
  write: (text, { file: from }) => [{ file: sizedLike(file, from), value: unlimitedV1(text) }],
  exact: true,
});

const failuresV1 = (file: string): V1Files => ({
  files: [file],
  read: (texts) => prefixed("max", Object.values(texts)[0]),
  exact: true,
});

const swapMaxV1: V1Files = {
  files: ["memory.memsw.limit_in_bytes", "memory.limit_in_bytes"],
  read: (texts) => {
    const [sum, memory] = [bytesOf(texts["memory.memsw.limit_in_bytes"]), bytesOf(texts["memory.limit_in_bytes"])];
    if (sum === undefined || memory === undefined) return undefined;
    return sum === "max" || memory === "max" ? "max" : difference(sum, memory);
  },
  write: (text, { present, values, reject }) => {
    if (present.length > 0 && !present.includes("memory.memsw.limit_in_bytes")) {
      return reject("this kernel does not count swap on cgroup v1: boot it with swapaccount=1");
    }
    const memory = values.get("memory.max");
    if (memory === undefined)
      return reject("on cgroup v1, the limit is on memory and swap together: give memory.max as well");
    if (memory === "max" && text !== "max")
      return reject('on cgroup v1, swap has no limit of its own while memory.max is "max"');
    const value = text === "max" ? "-1" : (BigInt(memory) + BigInt(text)).toString();
    return [{ file: "memory.memsw.limit_in_bytes", value, note: "memory.max and memory.swap.max together" }];
  },
  exact: false,
  note: "v1 limits the sum of memory and swap: what memory leaves free, swap may take",
};

const swapCurrentV1: V1Files = {
  files: ["memory.memsw.usage_in_bytes", "memory.usage_in_bytes"],
  read: (texts) => {
    const [sum, memory] = [texts["memory.memsw.usage_in_bytes"], texts["memory.usage_in_bytes"]];
    return sum === undefined || memory === undefined ? undefined : difference(sum.trim(), memory.trim());
  },
  exact: false,
  note: "the difference of two readings, which do not stand still together",
};

// v1 counts kills in memory.oom_control since 4.13.
const memoryEventsV1: V1Files = {
  files: ["memory.failcnt", "memory.oom_control"],
  read: (texts) =>
    joined(
      prefixed("max", texts["memory.failcnt"]),
      texts["memory.oom_control"]?.split("\n").find((line) => line.startsWith("oom_kill ")),
    ),
  exact: false,
  note: "v1 counts max and oom_kill alone, of the group itself and not of those below",
};

/** v2 name, and what v1 calls the same of the group and those below. */
export const memoryStat = {
  anon: "total_rss",
  file: "total_cache",
  shmem: "total_shmem",
  file_mapped: "total_mapped_file",
  file_dirty: "total_dirty",
  file_writeback: "total_writeback",
  swapcached: "total_swapcached",
  anon_thp: "total_rss_huge",
  inactive_anon: "total_inactive_anon",
  active_anon: "total_active_anon",
  inactive_file: "total_inactive_file",
  active_file: "total_active_file",
  unevictable: "total_unevictable",
  workingset_refault_anon: "total_workingset_refault_anon",
  workingset_refault_file: "total_workingset_refault_file",
  pgfault: "total_pgfault",
  pgmajfault: "total_pgmajfault",
};
const memoryStatV1: V1Files = {
  files: ["memory.stat"],
  read: ({ "memory.stat": text }) => {
    if (text === undefined) return undefined;
    const values = new Map(text.split("\n").map((line) => line.split(" ") as [string, string]));
    return joined(
      ...Object.entries(memoryStat).map(([key, v1]) => {
        const value = values.get(v1);
        return value === undefined ? undefined : `${key} ${value}`;
      }),
    );
  },
  exact: false,
  note: "v1 has fewer counters",
};

const cpuMaxV1: V1Files = {
  files: ["cpu.cfs_quota_us", "cpu.cfs_period_us"],
  read: (texts) => {
    const [quota, period] = [texts["cpu.cfs_quota_us"]?.trim(), texts["cpu.cfs_period_us"]?.trim()];
    return quota === undefined || period === undefined ? undefined : `${quota === "-1" ? "max" : quota} ${period}`;
  },
  write: (text) => {
    const [quota = "", period = ""] = text.split(" ");
    return [
      { file: "cpu.cfs_period_us", value: period },
      { file: "cpu.cfs_quota_us", value: unlimitedV1(quota) },
    ];
  },
  exact: true,
};

/**
 * `cpu.weight` as `cpu.shares`. Both set the same number in the scheduler, where shares of 1024 and a weight of 100 are
 * the default, so that this is the kernel's own scale, but rounded. (runc's formula goes the other way and is another.)
 */
export function cpuShares(weight: number): number {
  return Math.max(2, Math.round((weight * 1024) / 100));
}

/** `cpu.shares` as the nearest `cpu.weight`: 256 is 25, as the kernel itself would show it. */
export function cpuWeight(shares: number): number {
  return Math.min(10_000, Math.max(1, Math.round((shares * 100) / 1024)));
}

const cpuWeightV1: V1Files = {
  files: ["cpu.shares"],
  read: (texts) => numbered(texts["cpu.shares"], cpuWeight),
  write: (text) => [
    {
      file: "cpu.shares",
      value: String(cpuShares(Number(text))),
      note: `cpu.weight ${text} on the scale of cpu.shares (100 is 1024), rounded`,
    },
  ],
  exact: false,
  note: "the same scale (100 is 1024), rounded",
};

/** The kernel's sched_prio_to_weight, from nice -20 to 19: each step is a quarter more or less. */
const niceWeights = [
  88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904, 3906, 3121, 2501, 1991,
  1586, 1277, 1024, 820, 655, 526, 423, 335, 272, 215, 172, 137, 110, 87, 70, 56, 45, 36, 29, 23, 18, 15,
];
const cpuNiceV1: V1Files = {
  files: ["cpu.shares"],
  read: (texts) =>
    numbered(texts["cpu.shares"], (shares) => {
      const distance = niceWeights.map((weight) => Math.abs(weight - shares));
      return distance.indexOf(Math.min(...distance)) - 20;
    }),
  write: (text) => [{ file: "cpu.shares", value: String(niceWeights[Number(text) + 20]) }],
  exact: false,
  note: "cpu.shares of the same weight; read, the nearest nice",
};

// On v1 the two may be mounted apart.
const cpuStatV1: V1Files = {
  files: ["cpu.stat", "cpuacct.usage", "cpuacct.usage_user", "cpuacct.usage_sys"],
  read: (texts) =>
    joined(
      prefixed("usage_usec", microseconds(texts["cpuacct.usage"])),
      prefixed("user_usec", microseconds(texts["cpuacct.usage_user"])),
      prefixed("system_usec", microseconds(texts["cpuacct.usage_sys"])),
      ...(texts["cpu.stat"] ?? "").split("\n").map((line) => {
        const [key = "", value] = line.split(" ");
        if (key === "throttled_time") return prefixed("throttled_usec", microseconds(value));
        if (key === "burst_time") return prefixed("burst_usec", microseconds(value));
        return key.startsWith("nr_") ? line : undefined;
      }),
    ),
  exact: false,
  note: "nanoseconds of cpu.stat and cpuacct.usage*, rounded down; user and system are sampled",
};
const cpuStatLocalV1: V1Files = {
  files: ["cpu.stat.local"],
  read: (texts) => prefixed("throttled_usec", microseconds(texts["cpu.stat.local"]?.trim().split(" ")[1])),
  exact: true,
};

/** Names within io.max, and the v1 file of each. */
const throttles = {
  rbps: "blkio.throttle.read_bps_device",
  wbps: "blkio.throttle.write_bps_device",
  riops: "blkio.throttle.read_iops_device",
  wiops: "blkio.throttle.write_iops_device",
};
const ioMaxV1: V1Files = {
  files: Object.values(throttles),
  read: (texts) => {
    if (Object.values(texts).every((text) => text === undefined)) return undefined;
    const devices: Record<string, Record<string, string>> = {};
    for (const [key, file] of Object.entries(throttles)) {
      for (const line of (texts[file] ?? "").split("\n")) {
        const [device, value] = line.split(" ");
        if (device && value) (devices[device] ??= {})[key] = value;
      }
    }
    return joined(
      "",
      ...Object.entries(devices).map(
        ([device, limits]) =>
          `${device} ${Object.keys(throttles)
            .map((key) => `${key}=${limits[key] ?? "max"}`)
            .join(" ")}`,
      ),
    );
  },
  write: (text, { reject }) =>
    text.split("\n").flatMap((line) => {
      const [device = "", ...limits] = line.split(" ");
      return limits.map((limit) => {
        const [key = "", value = ""] = limit.split("=");
        if (!Object.hasOwn(throttles, key)) return reject(`v1 has no "${key}": there are rbps, wbps, riops, wiops`);
        return { file: throttles[key as keyof typeof throttles], value: `${device} ${value === "max" ? "0" : value}` };
      });
    }),
  exact: false,
  note: "v1 throttles direct I/O and reads; buffered writes are not the group's",
};

const ioStatV1: V1Files = {
  files: ["blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_serviced_recursive"],
  read: (texts) => {
    const [bytes, ios] = [
      texts["blkio.throttle.io_service_bytes_recursive"],
      texts["blkio.throttle.io_serviced_recursive"],
    ];
    if (bytes === undefined || ios === undefined) return undefined;
    const devices: Record<string, string[]> = {};
    const names: Readonly<Record<string, string>> = { Read: "r", Write: "w", Discard: "d" };
    for (const [text, unit] of [
      [bytes, "bytes"],
      [ios, "ios"],
    ] as const) {
      for (const line of text.split("\n")) {
        const [device = "", operation = "", value] = line.split(" ");
        const name = names[operation];
        if (name && value) (devices[device] ??= []).push(`${name}${unit}=${value}`);
      }
    }
    return joined("", ...Object.entries(devices).map(([device, values]) => `${device} ${values.join(" ")}`));
  },
  exact: false,
  note: "v1 counts what passes blk-throttle, and of buffered writes nothing",
};

const ioWeightV1: V1Files = {
  files: ["blkio.bfq.weight", "blkio.weight"],
  read: (texts) =>
    prefixed("default", texts["blkio.bfq.weight"]?.trim()) ??
    prefixed(
      "default",
      numbered(texts["blkio.weight"], (weight) => Math.max(1, Math.round(weight / 5))),
    ),
  // CFQ (up to 4.20) has 500 as its default, BFQ has 100 as v2 does; both end at 1000, where v2 goes on to 10000.
  write: (text, { present, reject }) => {
    const [, weight] = /^(?:default )?(\d+)$/.exec(text) ?? [];
    if (weight === undefined) return reject("on v1 only the default weight is translated: see blkio.bfq.weight_device");
    const note = `io.weight ${weight} on the scale of v1, approximately`;
    if (present.includes("blkio.weight")) {
      return [{ file: "blkio.weight", value: String(Math.min(1000, Math.max(10, Number(weight) * 5))), note }];
    }
    // The top of the hierarchy has no blkio.bfq.weight, but other files of BFQ.
    if (present.length === 0 || present.some((name) => name.startsWith("blkio.bfq."))) {
      return [{ file: "blkio.bfq.weight", value: String(Math.min(1000, Number(weight))), note }];
    }
    return reject("no I/O scheduler of this kernel has weights: there is neither blkio.weight nor blkio.bfq.weight");
  },
  exact: false,
  note: "BFQ ends at 1000; CFQ has 500 as its default",
};
const bfqWeightV1: V1Files = {
  files: ["blkio.bfq.weight"],
  read: (texts) => prefixed("default", texts["blkio.bfq.weight"]?.trim()),
  write: (text, { reject }) => {
    const [, value] = /^(?:default )?(\d+)$/.exec(text) ?? [];
    if (value === undefined) return reject("on v1 only the default weight is translated: see blkio.bfq.weight_device");
    return [{ file: "blkio.bfq.weight", value }];
  },
  exact: true,
};

const freezeV1: V1Files = {
  files: ["freezer.state"],
  read: (texts) =>
    numbered(texts["freezer.state"] && (texts["freezer.state"].startsWith("THAWED") ? "0" : "1"), Number),
  write: (text) => [{ file: "freezer.state", value: text === "1" ? "FROZEN" : "THAWED" }],
  exact: true,
};

function unlimitedV1(text: string): string {
  return text === "max" ? "-1" : text;
}
/** The v1 file with the size that the v2 name holds. */
function sizedLike(file: string, from: string): string {
  return file.replace("<size>", from.split(".")[1] ?? "");
}
/** Bytes, or `max` for what no machine has: v1 shows the greatest number of whole pages. */
function bytesOf(text: string | undefined): string | undefined {
  const trimmed = text?.trim();
  return trimmed !== undefined && trimmed.length >= 19 && BigInt(trimmed) >= noLimit ? "max" : trimmed;
}
/** 2^63 less a page of the largest size: what v1 shows where there is no limit. */
export const noLimit = 2n ** 63n - 65536n;

const difference = (a: string, b: string): string => {
  const bytes = BigInt(a) - BigInt(b);
  return (bytes > 0n ? bytes : 0n).toString();
};
const prefixed = (key: string, value: string | undefined): string | undefined =>
  value === undefined ? undefined : `${key} ${value.trim()}`;
const microseconds = (nanoseconds: string | undefined): string | undefined =>
  nanoseconds === undefined ? undefined : (BigInt(nanoseconds) / 1000n).toString();
const numbered = (text: string | undefined, convert: (value: number) => number): string | undefined =>
  text === undefined ? undefined : String(convert(Number(text)));
/** Lines that are there; nothing when none is. */
const joined = (...lines: readonly (string | undefined)[]): string | undefined => {
  const there = lines.filter((line) => line !== undefined);
  return there.length === 0 ? undefined : there.filter((line) => line !== "").join("\n");
};

// In the order in which the kernel takes writes.
const table = {
  // cpuset first: on v1 no task can enter a group whose cpus and mems are empty.
  "cpuset.cpus": { controller: "cpuset", kind: "list", access: "rw", since: "5.0", v1: same("cpuset.cpus") },
  "cpuset.mems": { controller: "cpuset", kind: "list", access: "rw", since: "5.0", v1: same("cpuset.mems") },
  "cpuset.cpus.effective": {
    controller: "cpuset",
    kind: "list",
    access: "r",
    since: "5.0",
    v1: same("cpuset.effective_cpus"),
  },
  "cpuset.mems.effective": {
    controller: "cpuset",
    kind: "list",
    access: "r",
    since: "5.0",
    v1: same("cpuset.effective_mems"),
  },
  "cpuset.cpus.exclusive": { controller: "cpuset", kind: "list", access: "rw", since: "6.7" },
  "cpuset.cpus.exclusive.effective": { controller: "cpuset", kind: "list", access: "r", since: "6.7" },
  /** In the root only. */
  "cpuset.cpus.isolated": { controller: "cpuset", kind: "list", access: "r", since: "6.7" },
  /** `member`, `root` or `isolated`; `root invalid (why)` when read. */
  "cpuset.cpus.partition": { controller: "cpuset", kind: "text", access: "rw", since: "5.0" },
  // Memory before the sum with swap.
  "memory.min": { controller: "memory", kind: "bytes", access: "rw", since: "4.18" },
  "memory.low": { controller: "memory", kind: "bytes", access: "rw" },
  "memory.high": { controller: "memory", kind: "bytes", access: "rw" },
  "memory.max": { controller: "memory", kind: "bytes", access: "rw", v1: limitV1("memory.limit_in_bytes") },
  "memory.swap.high": { controller: "memory", kind: "bytes", access: "rw", since: "5.8" },
  "memory.swap.max": { controller: "memory", kind: "bytes", access: "rw", v1: swapMaxV1 },
  "memory.zswap.max": { controller: "memory", kind: "bytes", access: "rw", since: "5.19" },
  "memory.zswap.writeback": { controller: "memory", kind: "bool", access: "rw", since: "6.8" },
  "memory.oom.group": { controller: "memory", kind: "bool", access: "rw", since: "4.19" },
  /** Bytes to give back now: `64M`, `64M swappiness=0`. EAGAIN when less could be had. */
  "memory.reclaim": { controller: "memory", kind: "text", access: "w", since: "5.19" },
  "memory.current": { controller: "memory", kind: "byteCount", access: "r", v1: same("memory.usage_in_bytes") },
  "memory.peak": {
    controller: "memory",
    kind: "byteCount",
    access: "r",
    since: "5.19",
    v1: same("memory.max_usage_in_bytes"),
  },
  "memory.swap.current": { controller: "memory", kind: "byteCount", access: "r", v1: swapCurrentV1 },
  "memory.swap.peak": { controller: "memory", kind: "byteCount", access: "r", since: "6.5" },
  "memory.zswap.current": { controller: "memory", kind: "byteCount", access: "r", since: "5.19" },
  "memory.events": { controller: "memory", kind: "flatKeyed", access: "r", v1: memoryEventsV1 },
  "memory.events.local": { controller: "memory", kind: "flatKeyed", access: "r", since: "5.2", v1: memoryEventsV1 },
  "memory.swap.events": { controller: "memory", kind: "flatKeyed", access: "r", since: "4.18" },
  "memory.stat": { controller: "memory", kind: "flatKeyed", access: "r", v1: memoryStatV1 },
  "memory.numa_stat": { controller: "memory", kind: "nestedKeyed", access: "r", since: "5.10" },
  "memory.pressure": { controller: "memory", kind: "pressure", access: "r", since: "4.20", everywhere: true },
  "pids.max": { controller: "pids", kind: "count", access: "rw", range: [0, 4_194_304], v1: same("pids.max") },
  "pids.current": { controller: "pids", kind: "number", access: "r", v1: same("pids.current") },
  "pids.peak": { controller: "pids", kind: "number", access: "r", since: "6.1", v1: same("pids.peak") },
  "pids.events": { controller: "pids", kind: "flatKeyed", access: "r", since: "4.8", v1: same("pids.events") },
  "pids.events.local": { controller: "pids", kind: "flatKeyed", access: "r", since: "6.11" },
  // The period before the quota, and both before what may be saved up of them.
  "cpu.max": { controller: "cpu", kind: "cpuMax", access: "rw", since: "4.15", v1: cpuMaxV1 },
  /** Microseconds. */
  "cpu.max.burst": {
    controller: "cpu",
    kind: "number",
    access: "rw",
    since: "5.14",
    range: [0, 2 ** 44 - 1],
    v1: same("cpu.cfs_burst_us"),
  },
  "cpu.weight": { controller: "cpu", kind: "number", access: "rw", since: "4.15", range: [1, 10_000], v1: cpuWeightV1 },
  "cpu.weight.nice": {
    controller: "cpu",
    kind: "number",
    access: "rw",
    since: "4.15",
    range: [-20, 19],
    v1: cpuNiceV1,
  },
  "cpu.idle": { controller: "cpu", kind: "bool", access: "rw", since: "5.15", v1: same("cpu.idle") },
  "cpu.uclamp.min": { controller: "cpu", kind: "percent", access: "rw", since: "5.4", v1: same("cpu.uclamp.min") },
  "cpu.uclamp.max": { controller: "cpu", kind: "percent", access: "rw", since: "5.4", v1: same("cpu.uclamp.max") },
  "cpu.stat": { controller: "cpu", kind: "flatKeyed", access: "r", since: "4.15", everywhere: true, v1: cpuStatV1 },
  "cpu.stat.local": {
    controller: "cpu",
    kind: "flatKeyed",
    access: "r",
    since: "6.7",
    everywhere: true,
    v1: cpuStatLocalV1,
  },
  "cpu.pressure": { controller: "cpu", kind: "pressure", access: "r", since: "4.20", everywhere: true },
  "irq.pressure": { controller: "cgroup", kind: "pressure", access: "r", since: "6.1", everywhere: true },
  "io.max": { controller: "io", kind: "nestedKeyed", access: "rw", perLine: true, v1: ioMaxV1 },
  "io.weight": {
    controller: "io",
    kind: "deviceWeights",
    access: "rw",
    range: [1, 10_000],
    perLine: true,
    v1: ioWeightV1,
  },
  "io.bfq.weight": {
    controller: "io",
    kind: "deviceWeights",
    access: "rw",
    since: "5.0",
    range: [1, 1000],
    perLine: true,
    v1: bfqWeightV1,
  },
  /** `target` in microseconds. */
  "io.latency": { controller: "io", kind: "nestedKeyed", access: "rw", since: "4.19", perLine: true },
  "io.prio.class": { controller: "io", kind: "text", access: "rw", since: "5.14", v1: same("blkio.prio.class") },
  /** In the root only. */
  "io.cost.qos": { controller: "io", kind: "nestedText", access: "rw", since: "5.4", perLine: true },
  /** In the root only. */
  "io.cost.model": { controller: "io", kind: "nestedText", access: "rw", since: "5.4", perLine: true },
  "io.stat": { controller: "io", kind: "nestedKeyed", access: "r", v1: ioStatV1 },
  "io.pressure": { controller: "io", kind: "pressure", access: "r", since: "4.20", everywhere: true },
  "hugetlb.<size>.max": {
    controller: "hugetlb",
    kind: "bytes",
    access: "rw",
    since: "5.6",
    v1: limitV1("hugetlb.<size>.limit_in_bytes"),
  },
  "hugetlb.<size>.rsvd.max": {
    controller: "hugetlb",
    kind: "bytes",
    access: "rw",
    since: "5.7",
    v1: limitV1("hugetlb.<size>.rsvd.limit_in_bytes"),
  },
  "hugetlb.<size>.current": {
    controller: "hugetlb",
    kind: "byteCount",
    access: "r",
    since: "5.6",
    v1: same("hugetlb.<size>.usage_in_bytes"),
  },
  "hugetlb.<size>.rsvd.current": {
    controller: "hugetlb",
    kind: "byteCount",
    access: "r",
    since: "5.7",
    v1: same("hugetlb.<size>.rsvd.usage_in_bytes"),
  },
  "hugetlb.<size>.events": {
    controller: "hugetlb",
    kind: "flatKeyed",
    access: "r",
    since: "5.6",
    v1: failuresV1("hugetlb.<size>.failcnt"),
  },
  "hugetlb.<size>.events.local": {
    controller: "hugetlb",
    kind: "flatKeyed",
    access: "r",
    since: "5.6",
    v1: failuresV1("hugetlb.<size>.failcnt"),
  },
  "hugetlb.<size>.numa_stat": {
    controller: "hugetlb",
    kind: "assignments",
    access: "r",
    since: "5.17",
    v1: same("hugetlb.<size>.numa_stat"),
  },
  "rdma.max": {
    controller: "rdma",
    kind: "nestedKeyed",
    access: "rw",
    since: "4.11",
    perLine: true,
    v1: same("rdma.max"),
  },
  "rdma.current": { controller: "rdma", kind: "nestedKeyed", access: "r", since: "4.11", v1: same("rdma.current") },
  "misc.max": {
    controller: "misc",
    kind: "keyedLimits",
    access: "rw",
    since: "5.13",
    perLine: true,
    v1: same("misc.max"),
  },
  "misc.current": { controller: "misc", kind: "flatKeyed", access: "r", since: "5.13", v1: same("misc.current") },
  "misc.peak": { controller: "misc", kind: "flatKeyed", access: "r", since: "6.11", v1: same("misc.peak") },
  /** In the root only. */
  "misc.capacity": { controller: "misc", kind: "flatKeyed", access: "r", since: "5.13", v1: same("misc.capacity") },
  "misc.events": { controller: "misc", kind: "flatKeyed", access: "r", since: "5.16", v1: same("misc.events") },
  "misc.events.local": {
    controller: "misc",
    kind: "flatKeyed",
    access: "r",
    since: "6.11",
    v1: same("misc.events.local"),
  },
  // What every group has; how many groups there may be comes before what is in them.
  /** `domain`, `threaded`, ...; only `threaded` can be written. */
  "cgroup.type": { controller: "cgroup", kind: "text", access: "rw", since: "4.14" },
  "cgroup.controllers": { controller: "cgroup", kind: "words", access: "r" },
  /** `["+memory", "-io"]`. */
  "cgroup.subtree_control": { controller: "cgroup", kind: "words", access: "rw" },
  "cgroup.max.depth": { controller: "cgroup", kind: "count", access: "rw", since: "4.14", range: [0, 2 ** 31 - 1] },
  "cgroup.max.descendants": {
    controller: "cgroup",
    kind: "count",
    access: "rw",
    since: "4.14",
    range: [0, 2 ** 31 - 1],
  },
  "cgroup.stat": { controller: "cgroup", kind: "flatKeyed", access: "r", since: "4.14" },
  "cgroup.stat.local": { controller: "cgroup", kind: "flatKeyed", access: "r", since: "6.17" },
  "cgroup.events": { controller: "cgroup", kind: "flatKeyed", access: "r" },
  "cgroup.pressure": { controller: "cgroup", kind: "bool", access: "rw", since: "6.1" },
  "cgroup.procs": { controller: "cgroup", kind: "pids", access: "rw", v1: same("cgroup.procs") },
  "cgroup.threads": { controller: "cgroup", kind: "pids", access: "rw", since: "4.14", v1: same("tasks") },
  "cgroup.freeze": { controller: "cgroup", kind: "bool", access: "rw", since: "5.2", v1: freezeV1 },
  /** `true` kills; there is nothing else to write. */
  "cgroup.kill": { controller: "cgroup", kind: "bool", access: "w", since: "5.14" },
  // Files of v1 by their own names. The sum with swap comes after memory, and the real-time period before its budget.
  "memory.limit_in_bytes": { controller: "memory", kind: "bytes", access: "rw", v1Only: "memory.max" },
  "memory.memsw.limit_in_bytes": { controller: "memory", kind: "bytes", access: "rw", v1Only: "memory.swap.max" },
  "memory.soft_limit_in_bytes": { controller: "memory", kind: "bytes", access: "rw", v1Only: "memory.low" },
  "memory.kmem.limit_in_bytes": { controller: "memory", kind: "bytes", access: "rw", v1Only: "memory.max" },
  "memory.kmem.tcp.limit_in_bytes": { controller: "memory", kind: "bytes", access: "rw", v1Only: "memory.max" },
  "memory.swappiness": {
    controller: "memory",
    kind: "number",
    access: "rw",
    range: [0, 200],
    v1Only: "memory.swap.max",
  },
  /** `1` written: tasks wait for memory and are not killed. */
  "memory.oom_control": { controller: "memory", kind: "flatKeyed", access: "rw", v1Only: "memory.events" },
  "memory.use_hierarchy": { controller: "memory", kind: "bool", access: "rw", v1Only: "" },
  "memory.move_charge_at_immigrate": { controller: "memory", kind: "number", access: "rw", range: [0, 3], v1Only: "" },
  "memory.force_empty": { controller: "memory", kind: "number", access: "w", range: [0, 0], v1Only: "memory.reclaim" },
  "memory.usage_in_bytes": { controller: "memory", kind: "byteCount", access: "r", v1Only: "memory.current" },
  "memory.max_usage_in_bytes": { controller: "memory", kind: "byteCount", access: "r", v1Only: "memory.peak" },
  "memory.memsw.usage_in_bytes": {
    controller: "memory",
    kind: "byteCount",
    access: "r",
    v1Only: "memory.swap.current",
  },
  "memory.memsw.max_usage_in_bytes": {
    controller: "memory",
    kind: "byteCount",
    access: "r",
    v1Only: "memory.swap.peak",
  },
  "memory.kmem.usage_in_bytes": { controller: "memory", kind: "byteCount", access: "r", v1Only: "memory.stat" },
  "memory.kmem.max_usage_in_bytes": { controller: "memory", kind: "byteCount", access: "r", v1Only: "memory.stat" },
  "memory.kmem.tcp.usage_in_bytes": { controller: "memory", kind: "byteCount", access: "r", v1Only: "memory.stat" },
  "memory.kmem.tcp.max_usage_in_bytes": { controller: "memory", kind: "byteCount", access: "r", v1Only: "memory.stat" },
  "memory.failcnt": { controller: "memory", kind: "number", access: "rw", range: [0, 0], v1Only: "memory.events" },
  "memory.memsw.failcnt": {
    controller: "memory",
    kind: "number",
    access: "rw",
    range: [0, 0],
    v1Only: "memory.events",
  },
  "memory.kmem.failcnt": { controller: "memory", kind: "number", access: "rw", range: [0, 0], v1Only: "memory.events" },
  "memory.kmem.tcp.failcnt": {
    controller: "memory",
    kind: "number",
    access: "rw",
    range: [0, 0],
    v1Only: "memory.events",
  },
  "cpu.shares": { controller: "cpu", kind: "number", access: "rw", range: [2, 262_144], v1Only: "cpu.weight" },
  "cpu.cfs_period_us": { controller: "cpu", kind: "number", access: "rw", range: [1000, 1_000_000], v1Only: "cpu.max" },
  "cpu.cfs_quota_us": { controller: "cpu", kind: "number", access: "rw", range: [-1, 2 ** 44 - 1], v1Only: "cpu.max" },
  "cpu.cfs_burst_us": {
    controller: "cpu",
    kind: "number",
    access: "rw",
    range: [0, 2 ** 44 - 1],
    v1Only: "cpu.max.burst",
  },
  "cpu.rt_period_us": { controller: "cpu", kind: "number", access: "rw", range: [1, 2 ** 31 - 1], v1Only: "" },
  "cpu.rt_runtime_us": { controller: "cpu", kind: "number", access: "rw", range: [-1, 2 ** 31 - 1], v1Only: "" },
  /** Nanoseconds. */
  "cpuacct.usage": { controller: "cpuacct", kind: "bigint", access: "r", v1Only: "cpu.stat" },
  "cpuacct.usage_user": { controller: "cpuacct", kind: "bigint", access: "r", v1Only: "cpu.stat" },
  "cpuacct.usage_sys": { controller: "cpuacct", kind: "bigint", access: "r", v1Only: "cpu.stat" },
  "cpuacct.usage_percpu": { controller: "cpuacct", kind: "bigints", access: "r", v1Only: "cpu.stat" },
  "cpuacct.usage_percpu_user": { controller: "cpuacct", kind: "bigints", access: "r", v1Only: "cpu.stat" },
  "cpuacct.usage_percpu_sys": { controller: "cpuacct", kind: "bigints", access: "r", v1Only: "cpu.stat" },
  "cpuacct.usage_all": { controller: "cpuacct", kind: "lines", access: "r", v1Only: "cpu.stat" },
  /** Ticks of 1/100 s. */
  "cpuacct.stat": { controller: "cpuacct", kind: "flatKeyed", access: "r", v1Only: "cpu.stat" },
  "cpuset.cpu_exclusive": { controller: "cpuset", kind: "bool", access: "rw", v1Only: "cpuset.cpus.partition" },
  "cpuset.mem_exclusive": { controller: "cpuset", kind: "bool", access: "rw", v1Only: "" },
  "cpuset.mem_hardwall": { controller: "cpuset", kind: "bool", access: "rw", v1Only: "" },
  "cpuset.memory_migrate": { controller: "cpuset", kind: "bool", access: "rw", v1Only: "" },
  "cpuset.memory_pressure_enabled": { controller: "cpuset", kind: "bool", access: "rw", v1Only: "" },
  "cpuset.memory_spread_page": { controller: "cpuset", kind: "bool", access: "rw", v1Only: "" },
  "cpuset.memory_spread_slab": { controller: "cpuset", kind: "bool", access: "rw", v1Only: "" },
  "cpuset.sched_load_balance": { controller: "cpuset", kind: "bool", access: "rw", v1Only: "cpuset.cpus.partition" },
  "cpuset.sched_relax_domain_level": { controller: "cpuset", kind: "number", access: "rw", range: [-1, 6], v1Only: "" },
  "cpuset.memory_pressure": { controller: "cpuset", kind: "number", access: "r", v1Only: "memory.pressure" },
  "cpuset.effective_cpus": { controller: "cpuset", kind: "list", access: "r", v1Only: "cpuset.cpus.effective" },
  "cpuset.effective_mems": { controller: "cpuset", kind: "list", access: "r", v1Only: "cpuset.mems.effective" },
  "blkio.weight": { controller: "io", kind: "number", access: "rw", range: [10, 1000], v1Only: "io.weight" },
  "blkio.weight_device": { controller: "io", kind: "keyedLimits", access: "rw", perLine: true, v1Only: "io.weight" },
  "blkio.bfq.weight": { controller: "io", kind: "number", access: "rw", range: [1, 1000], v1Only: "io.weight" },
  "blkio.bfq.weight_device": {
    controller: "io",
    kind: "deviceWeights",
    access: "rw",
    range: [1, 1000],
    perLine: true,
    v1Only: "io.weight",
  },
  "blkio.throttle.read_bps_device": {
    controller: "io",
    kind: "keyedLimits",
    access: "rw",
    perLine: true,
    v1Only: "io.max",
  },
  "blkio.throttle.read_iops_device": {
    controller: "io",
    kind: "keyedLimits",
    access: "rw",
    perLine: true,
    v1Only: "io.max",
  },
  "blkio.throttle.write_bps_device": {
    controller: "io",
    kind: "keyedLimits",
    access: "rw",
    perLine: true,
    v1Only: "io.max",
  },
  "blkio.throttle.write_iops_device": {
    controller: "io",
    kind: "keyedLimits",
    access: "rw",
    perLine: true,
    v1Only: "io.max",
  },
  "blkio.throttle.io_service_bytes": { controller: "io", kind: "deviceOps", access: "r", v1Only: "io.stat" },
  "blkio.throttle.io_service_bytes_recursive": { controller: "io", kind: "deviceOps", access: "r", v1Only: "io.stat" },
  "blkio.throttle.io_serviced": { controller: "io", kind: "deviceOps", access: "r", v1Only: "io.stat" },
  "blkio.throttle.io_serviced_recursive": { controller: "io", kind: "deviceOps", access: "r", v1Only: "io.stat" },
  "blkio.bfq.io_service_bytes": { controller: "io", kind: "deviceOps", access: "r", v1Only: "io.stat" },
  "blkio.bfq.io_service_bytes_recursive": { controller: "io", kind: "deviceOps", access: "r", v1Only: "io.stat" },
  "blkio.bfq.io_serviced": { controller: "io", kind: "deviceOps", access: "r", v1Only: "io.stat" },
  "blkio.bfq.io_serviced_recursive": { controller: "io", kind: "deviceOps", access: "r", v1Only: "io.stat" },
  "blkio.reset_stats": { controller: "io", kind: "number", access: "w", range: [0, 2 ** 31 - 1], v1Only: "" },
  "blkio.prio.class": { controller: "io", kind: "text", access: "rw", v1Only: "io.prio.class" },
  "hugetlb.<size>.limit_in_bytes": { controller: "hugetlb", kind: "bytes", access: "rw", v1Only: "hugetlb.<size>.max" },
  "hugetlb.<size>.rsvd.limit_in_bytes": {
    controller: "hugetlb",
    kind: "bytes",
    access: "rw",
    v1Only: "hugetlb.<size>.rsvd.max",
  },
  "hugetlb.<size>.usage_in_bytes": {
    controller: "hugetlb",
    kind: "byteCount",
    access: "r",
    v1Only: "hugetlb.<size>.current",
  },
  "hugetlb.<size>.rsvd.usage_in_bytes": {
    controller: "hugetlb",
    kind: "byteCount",
    access: "r",
    v1Only: "hugetlb.<size>.rsvd.current",
  },
  "hugetlb.<size>.max_usage_in_bytes": {
    controller: "hugetlb",
    kind: "byteCount",
    access: "r",
    v1Only: "hugetlb.<size>.current",
  },
  "hugetlb.<size>.rsvd.max_usage_in_bytes": {
    controller: "hugetlb",
    kind: "byteCount",
    access: "r",
    v1Only: "hugetlb.<size>.rsvd.current",
  },
  "hugetlb.<size>.failcnt": { controller: "hugetlb", kind: "number", access: "r", v1Only: "hugetlb.<size>.events" },
  "hugetlb.<size>.rsvd.failcnt": {
    controller: "hugetlb",
    kind: "number",
    access: "r",
    v1Only: "hugetlb.<size>.events",
  },
  /** `c 1:3 rwm`; on v2 a BPF program: Cgroup.setDevices. */
  "devices.allow": { controller: "devices", kind: "lines", access: "w", perLine: true, v1Only: "" },
  "devices.deny": { controller: "devices", kind: "lines", access: "w", perLine: true, v1Only: "" },
  "devices.list": { controller: "devices", kind: "lines", access: "r", v1Only: "" },
  /** `FROZEN`, `THAWED`; `FREEZING` when read. */
  "freezer.state": { controller: "freezer", kind: "text", access: "rw", v1Only: "cgroup.freeze" },
  "freezer.self_freezing": { controller: "freezer", kind: "bool", access: "r", v1Only: "cgroup.freeze" },
  "freezer.parent_freezing": { controller: "freezer", kind: "bool", access: "r", v1Only: "cgroup.events" },
  /** 0xAAAABBBB, major and minor of a class of tc(8). */
  "net_cls.classid": { controller: "net_cls", kind: "number", access: "rw", range: [0, 2 ** 32 - 1], v1Only: "" },
  "net_prio.prioidx": { controller: "net_prio", kind: "number", access: "r", v1Only: "" },
  /** Priority by interface. */
  "net_prio.ifpriomap": { controller: "net_prio", kind: "flatKeyed", access: "rw", perLine: true, v1Only: "" },
  tasks: { controller: "cgroup", kind: "pids", access: "rw", v1Only: "cgroup.threads" },
  notify_on_release: { controller: "cgroup", kind: "bool", access: "rw", v1Only: "cgroup.events" },
  /** In the root only. */
  release_agent: { controller: "cgroup", kind: "text", access: "rw", v1Only: "cgroup.events" },
  "cgroup.clone_children": { controller: "cgroup", kind: "bool", access: "rw", v1Only: "" },
  "cgroup.sane_behavior": { controller: "cgroup", kind: "bool", access: "r", v1Only: "" },
} as const satisfies Record<string, FileEntry>;

/** Name of a file as it stands in the table: `hugetlb.<size>.max` for `hugetlb.2MB.max`. */
export type TableName = keyof typeof table;
type Sized<F> = F extends `hugetlb.<size>.${infer Rest}` ? `hugetlb.${string}.${Rest}` : F;

/** What each file reads as: `FileValues["memory.max"]` is `number | "max"`. */
export type FileValues = { readonly [F in TableName as Sized<F>]: KindValues[(typeof table)[F]["kind"]] };
type Taken<F extends TableName> = (typeof table)[F]["access"] extends "r" ? never : F;
/** What each file takes. */
export type FileWrites = {
  readonly [F in TableName as Sized<Taken<F>>]?: KindWrites[(typeof table)[F]["kind"]] | undefined;
};
/** Name of a file of a group. */
export type FileName = keyof FileValues;

/** All files, in the order in which the kernel takes writes. Those of huge pages hold `<size>`: see {@link fileEntry}. */
export const files: Readonly<Record<TableName, FileEntry>> = table;
/** The names of the table. */
export const fileNames = Object.keys(table) as readonly TableName[];

/** The entry of a file, and for `hugetlb.2MB.max` that of its kind with the size put in; undefined for what the table lacks. */
export function fileEntry(file: string): FileEntry | undefined {
  if (Object.hasOwn(files, file)) return file.includes("<") ? undefined : files[file as TableName];
  const [, size, rest] = /^hugetlb\.(\d+[KMG]B)\.(.+)$/.exec(file) ?? [];
  const name = `hugetlb.<size>.${rest}`;
  if (size === undefined || !Object.hasOwn(files, name)) return undefined;
  const entry = files[name as TableName];
  const sized = (text: string): string => text.replace("<size>", size);
  return {
    ...entry,
    ...(entry.v1Only === undefined ? {} : { v1Only: sized(entry.v1Only) }),
    ...(entry.v1 === undefined ? {} : { v1: { ...entry.v1, files: entry.v1.files.map(sized) } }),
  };
}

/** Place in the table: the order of writes. */
export function fileOrder(file: string): number {
  return fileNames.indexOf(file.replace(/^hugetlb\.\d+[KMG]B\./, "hugetlb.<size>.") as TableName);
}

/** What v1 calls a controller. */
export function v1Controller(controller: string): string {
  return controller === "io" ? "blkio" : controller;
}

/** The v1 controller that a v1 file belongs to; undefined for those that every v1 group has. */
export function v1ControllerOf(file: string): string | undefined {
  const [first = ""] = file.split(".");
  return first === "cgroup" || first === "tasks" || first === "notify_on_release" || first === "release_agent"
    ? undefined
    : first;
}

/** What a v2 host has in the files of every group, without a controller to enable: cpuacct in cpu.stat, freezer in cgroup.freeze. */
export const withoutEnabling: readonly string[] = ["cgroup", "cpuacct", "devices", "freezer", "perf_event"];
