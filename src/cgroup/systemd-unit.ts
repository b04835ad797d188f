/** Units of systemd as data: their resource properties in the kernel's words and in systemd's, for D-Bus and for unit files. systemd.resource-control(5) */
import { OptionsError } from "../sys/options-error.ts";
import { type Bytes, type CpuMax, parseBytes, parseCpuMax } from "./limits.ts";

/**
 * Properties of a scope or slice. Where a file of cgroup v2 means the same, its name is taken as well, with its values; nothing
 * may be given under both names. A limit that systemd has no word for is set in the group itself: of a unit with `Delegate` its
 * groups below are the caller's, while systemd may write the files of the unit's own directory anew at any time.
 */
export interface UnitProperties {
  readonly "memory.min"?: Bytes;
  readonly "memory.low"?: Bytes;
  readonly "memory.high"?: Bytes;
  readonly "memory.max"?: Bytes;
  readonly "memory.swap.max"?: Bytes;
  /** systemd 253. */
  readonly "memory.zswap.max"?: Bytes;
  readonly "pids.max"?: number | "max";
  readonly "cpu.weight"?: number;
  /** Becomes CPUQuotaPerSecUSec, and CPUQuotaPeriodUSec unless the period is 100000. */
  readonly "cpu.max"?: CpuMax | number | string;
  readonly "cpuset.cpus"?: string;
  readonly "cpuset.mems"?: string;
  /** The weight for all devices. */
  readonly "io.weight"?: number;

  readonly MemoryMin?: Bytes;
  readonly MemoryLow?: Bytes;
  readonly MemoryHigh?: Bytes;
  readonly MemoryMax?: Bytes;
  readonly MemorySwapMax?: Bytes;
  /** systemd 253. */
  readonly MemoryZSwapMax?: Bytes;
  readonly TasksMax?: number | "max";
  /** 1 to 10000; `"idle"` is `cpu.idle`, systemd 252. */
  readonly CPUWeight?: number | "idle";
  /** Microseconds of CPU time in each second: 500000 is half a CPU. */
  readonly CPUQuotaPerSecUSec?: number | "max";
  /** Microseconds, 1000 to 1000000. */
  readonly CPUQuotaPeriodUSec?: number;
  /** Such as `"0-3,8"`. */
  readonly AllowedCPUs?: string;
  readonly AllowedMemoryNodes?: string;
  /** 1 to 10000. */
  readonly IOWeight?: number;
  /** Of a scope: its subtree is the caller's, with all controllers there are, or with these. */
  readonly Delegate?: boolean | readonly string[];
  readonly Description?: string;
  /** Of a scope: how long `StopUnit` waits between SIGTERM and SIGKILL, in microseconds. */
  readonly TimeoutStopUSec?: number | "max";
}

type Property = Exclude<keyof UnitProperties, `${string}.${string}`>;

/** A property for D-Bus: its name, and its value in the notation of busctl(1), a word each. */
export interface BusProperty {
  /** Of systemd's own: `MemoryMax`. */
  readonly name: string;
  /** The type of the value: `t`, `ay`, `as`. */
  readonly signature: string;
  /** The value; an array begins with its length. */
  readonly words: readonly string[];
}

interface Rule {
  /** The file of cgroup v2 that means the same. */
  readonly file?: string;
  /** Only a scope has it. */
  readonly scopeOnly?: true;
  readonly bus: (value: unknown, where: string) => Omit<BusProperty, "name"> & { readonly name?: string };
  /** A line of a unit file. */
  readonly line: (value: unknown, where: string) => string;
}

/** What systemd takes for "no limit" in every 64-bit property. */
const infinity = "18446744073709551615";

const rules: Readonly<Record<Property, Rule>> = {
  Description: {
    bus: (value, where) => ({ signature: "s", words: [oneLine(value, where)] }),
    line: (value, where) => `Description=${oneLine(value, where).replaceAll("%", "%%")}`,
  },
  MemoryMin: bytes("MemoryMin", "memory.min"),
  MemoryLow: bytes("MemoryLow", "memory.low"),
  MemoryHigh: bytes("MemoryHigh", "memory.high"),
  MemoryMax: bytes("MemoryMax", "memory.max"),
  MemorySwapMax: bytes("MemorySwapMax", "memory.swap.max"),
  MemoryZSwapMax: bytes("MemoryZSwapMax", "memory.zswap.max"),
  TasksMax: count("TasksMax", { file: "pids.max", min: 1, max: 4_194_304, words: { max: infinity } }),
  CPUWeight: count("CPUWeight", { file: "cpu.weight", min: 1, max: 10_000, words: { idle: "0" } }),
  CPUQuotaPerSecUSec: {
    ...count("CPUQuota", { min: 1, max: 2 ** 44, words: { max: infinity } }),
    line: (value, where) => `CPUQuota=${value === "max" ? "" : `${percent(value, where)}%`}`,
  },
  CPUQuotaPeriodUSec: count("CPUQuotaPeriodSec", { min: 1000, max: 1_000_000, unit: "us" }),
  AllowedCPUs: list("AllowedCPUs", "cpuset.cpus"),
  AllowedMemoryNodes: list("AllowedMemoryNodes", "cpuset.mems"),
  IOWeight: count("IOWeight", { file: "io.weight", min: 1, max: 10_000 }),
  Delegate: {
    scopeOnly: true,
    bus: (value, where) =>
      typeof value === "boolean"
        ? { signature: "b", words: [String(value)] }
        : { name: "DelegateControllers", signature: "as", words: counted(controllerNames(value, where)) },
    line: (value, where) =>
      `Delegate=${typeof value === "boolean" ? (value ? "yes" : "no") : controllerNames(value, where).join(" ")}`,
  },
  TimeoutStopUSec: {
    ...count("TimeoutStopSec", { min: 0, max: 2 ** 52, unit: "us", words: { max: infinity } }),
    scopeOnly: true,
  },
};

/** Property by the file that means the same. `cpu.max` is two. */
const propertyOf: ReadonlyMap<string, Property> = new Map(
  Object.entries(rules).flatMap(([name, { file }]) => (file === undefined ? [] : [[file, name as Property]])),
);

/**
 * Pure. Properties as StartTransientUnit and SetUnitProperties take them, in the order of the table.
 * @throws {OptionsError} for what no unit of that kind has, a value that systemd would refuse, and one thing under two names.
 */
export function busProperties(kind: UnitKind, properties: UnitProperties): BusProperty[] {
  return asked(kind, properties).map(({ property, value, where }) => ({
    name: property,
    ...rules[property].bus(value, where),
  }));
}

/** Ending of a unit's name. */
export type UnitKind = "scope" | "slice";

interface Asked {
  readonly property: Property;
  readonly value: unknown;
  /** As the caller wrote it. */
  readonly where: string;
}

function asked(kind: UnitKind, properties: UnitProperties): Asked[] {
  const found = Object.entries(properties).flatMap(([key, value]): Asked[] => {
    if (value === undefined) return [];
    const where = /\W/.test(key) ? `properties["${key}"]` : `properties.${key}`;
    if (key === "cpu.max") return cpuMax(value, where);
    const property = propertyOf.get(key) ?? (Object.hasOwn(rules, key) ? (key as Property) : undefined);
    if (property === undefined)
      throw new OptionsError(
        where,
        value,
        `no unit has that: there are ${[...propertyOf.keys(), "cpu.max", ...Object.keys(rules)].join(", ")}`,
      );
    if (rules[property].scopeOnly && kind !== "scope")
      throw new OptionsError(where, value, `a ${kind} has no ${property}`);
    return [{ property, value, where }];
  });
  return (Object.keys(rules) as Property[]).flatMap((property) => {
    const [first, second] = found.filter((each) => each.property === property);
    if (first && second) throw new OptionsError(second.where, second.value, `is the same as ${first.where}: give one`);
    return first ?? [];
  });
}

function cpuMax(value: unknown, where: string): Asked[] {
  const { quota, period } = parseCpuMax(value, where);
  // Rounded up: systemd rounds down on the way back, and so arrives at the same quota.
  const perSecond = quota === "max" ? "max" : Math.ceil((quota * 1_000_000) / period);
  return [
    { property: "CPUQuotaPerSecUSec", value: perSecond, where },
    ...(period === 100_000 ? [] : [{ property: "CPUQuotaPeriodUSec" as const, value: period, where }]),
  ];
}

function bytes(name: string, file: string): Rule {
  const text = (value: unknown, where: string, max: string): string => {
    const parsed = parseBytes(value, where);
    return parsed === "max" ? max : BigInt(parsed).toString();
  };
  return {
    file,
    bus: (value, where) => ({ signature: "t", words: [text(value, where, infinity)] }),
    line: (value, where) => `${name}=${text(value, where, "infinity")}`,
  };
}

interface Count {
  readonly file?: string;
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
  /** Words that are values too, and what D-Bus has for them. */
  readonly words?: Readonly<Record<string, string>>;
}

function count(name: string, { file, min, max, unit = "", words = {} }: Count): Rule {
  const check = (value: unknown, where: string): string => {
    if (typeof value === "string" && Object.hasOwn(words, value)) return value;
    if (typeof value === "number" && Number.isInteger(value) && value >= min && value <= max) return String(value);
    const others = Object.keys(words).map((word) => ` or "${word}"`);
    throw new OptionsError(where, value, `expected a whole number from ${min} to ${max}${others.join("")}`);
  };
  return {
    ...(file === undefined ? {} : { file }),
    bus: (value, where) => {
      const text = check(value, where);
      return { signature: "t", words: [words[text] ?? text] };
    },
    line: (value, where) => {
      const text = check(value, where);
      return `${name}=${text === "max" ? "infinity" : text in words ? text : text + unit}`;
    },
  };
}

/** A unit file takes hundredths of a percent since systemd 248. */
function percent(value: unknown, where: string): number {
  const hundredths = Number(value) / 100;
  if (!Number.isInteger(hundredths) || hundredths < 1)
    throw new OptionsError(
      where,
      value,
      "a unit file holds hundredths of a percent: expected a multiple of 100 µs a second",
    );
  return hundredths / 100;
}

function list(name: string, file: string): Rule {
  return {
    file,
    bus: (value, where) => ({ signature: "ay", words: counted(bitMask(value, where).map(String)) }),
    line: (value, where) => {
      bitMask(value, where);
      return `${name}=${value}`;
    },
  };
}

/** `"0-3,8"` as bytes, the lowest bit of the first byte for 0; the empty list stands for all. */
function bitMask(value: unknown, where: string): number[] {
  const ranges =
    typeof value !== "string"
      ? [null]
      : value === ""
        ? []
        : value.split(",").map((range) => /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(range));
  const mask: number[] = [];
  for (const range of ranges) {
    const [first, last] = [Number(range?.[1]), Number(range?.[2] ?? range?.[1])];
    if (!range || first > last || last > 8191) throw new OptionsError(where, value, 'expected a list such as "0-3,8"');
    while (mask.length <= last >> 3) mask.push(0);
    for (let n = first; n <= last; n++) mask[n >> 3] = (mask[n >> 3] ?? 0) | (1 << (n & 7));
  }
  return mask;
}

/** An array for busctl begins with its length. */
function counted(words: readonly string[]): string[] {
  return [String(words.length), ...words];
}

function controllerNames(value: unknown, where: string): string[] {
  if (
    !Array.isArray(value) ||
    value.length === 0 ||
    !value.every((name) => typeof name === "string" && /^[a-z][a-z0-9_-]*$/.test(name))
  )
    throw new OptionsError(where, value, 'expected controllers such as ["cpu", "memory"]');
  return value;
}

function oneLine(value: unknown, where: string): string {
  // A backslash at the end of a line would join it with the next one.
  if (typeof value !== "string" || value === "" || /[\0-\x1f\x7f]|\\$/.test(value))
    throw new OptionsError(where, value, "expected a line of text");
  return value;
}

/**
 * Pure. The name of a unit with its ending, which is added where there is none. systemd.unit(5)
 * @throws {OptionsError} for what systemd would not take as a name.
 */
export function unitName(kind: UnitKind, name: unknown, where = "name"): string {
  const full = typeof name === "string" && !name.endsWith(`.${kind}`) ? `${name}.${kind}` : name;
  const stem = typeof full === "string" ? full.slice(0, -kind.length - 1) : "";
  const isWell = /^[\w:.\\@-]+$/.test(stem) && String(full).length <= 255 && !stem.startsWith(".");
  // "a-b.slice" lies in "a.slice": an empty name on the way has no meaning.
  const isWellNested =
    kind !== "slice" || (stem !== "-" && stem.split("-").every((part) => part !== "") && !stem.includes("@"));
  if (!isWell || !isWellNested)
    throw new OptionsError(
      where,
      name,
      `expected the name of a ${kind}, such as "build.${kind}": letters, digits and : - _ . \\`,
    );
  return String(full);
}

/** Pure. The path of a unit on D-Bus: letters and digits stand for themselves, the rest is `_` and its code. org.freedesktop.systemd1(5) */
export function unitObject(name: string): string {
  const escaped = name.replaceAll(
    /[^A-Za-z0-9]|^\d/g,
    (char) => `_${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return `/org/freedesktop/systemd1/unit/${escaped}`;
}

/** A file for `install`: what it holds, and where below the folder of units it goes. */
export interface UnitFile {
  /** `build.slice`, `user@.service.d/delegate.conf`. */
  readonly path: string;
  /** All of it. */
  readonly text: string;
}

/**
 * Pure. The unit file of a slice: it lasts, and units that name it (`Slice=build.slice`) share its limits. systemd.slice(5)
 * ```ts
 * sliceFile("build", { "memory.max": "2G", "cpu.weight": 50 }).text;
 * ```
 * @throws {OptionsError} as `busProperties`, and for a CPU quota that a unit file cannot hold exactly.
 */
export function sliceFile(name: string, properties: UnitProperties = {}): UnitFile {
  const path = unitName("slice", name);
  const lines = (of: (property: Property) => boolean): string[] =>
    asked("slice", properties)
      .filter(({ property }) => of(property))
      .map(({ property, value, where }) => rules[property].line(value, where));
  const unit = lines((property) => property === "Description");
  const slice = lines((property) => property !== "Description");
  return {
    path,
    text: `[Unit]\n${(unit.length > 0 ? unit : [`Description=${path}`]).join("\n")}\n\n[Slice]\n${slice.map((line) => `${line}\n`).join("")}`,
  };
}

/** All that a user's containers can need. By default systemd passes on memory and pids, since version 252 cpu too. */
export const delegatedControllers: readonly string[] = ["cpu", "cpuset", "io", "memory", "pids"];

/**
 * Pure. The drop-in with which every user gets these controllers in their own subtree: /etc/systemd/system/user@.service.d/delegate.conf.
 * @throws {OptionsError} for something that is no list of controllers.
 */
export function delegateDropIn(controllers: readonly string[] = delegatedControllers): UnitFile {
  return {
    path: "user@.service.d/delegate.conf",
    text: `[Service]\n${rules.Delegate.line(controllers, "controllers")}\n`,
  };
}
