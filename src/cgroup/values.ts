/** Texts of interface files as values, and values as texts. Pure. admin-guide/cgroup-v2 */
import { ParseError } from "../proc/parse-error.ts";
import { OptionsError } from "../sys/options-error.ts";
import {
  fileEntry,
  type FileEntry,
  type FileName,
  type FileValues,
  type FileWrites,
  type Kind,
  type KindValues,
  noLimit,
  type PressureLine,
} from "./files.ts";

/** CPU time per period, in microseconds. */
export interface CpuMax {
  /** At least 1000. */
  readonly quota: number | "max";
  /** 1000 to 1000000; 100000 unless given. */
  readonly period?: number;
}

/**
 * The text of an interface file as its value: `parseValue("cpu.max", "max 100000\n")` is `{ quota: "max", period: 100000 }`.
 * @throws {ParseError} with the line that cannot be read
 * @throws {OptionsError} for a file that is not in the table
 */
export function parseValue<F extends FileName>(file: F, text: string): FileValues[F] {
  const entry = fileEntry(file);
  if (!entry) throw new OptionsError("file", file, "no such interface file");
  return parseKind(entry.kind, text, file) as FileValues[F];
}

/**
 * The text of a file by its kind, for files that the table lacks.
 * @throws {ParseError} with the line that cannot be read
 */
export function parseKind<K extends Kind>(kind: K, text: string, file: string): KindValues[K] {
  return parsers[kind](text, file);
}

/**
 * A value as the text that is written, without a newline at the end. Of a file that is written by lines, each line is a write.
 * @param where In the error: `cgroup["memory.max"]`.
 * @throws {OptionsError} for what the kernel would refuse, and for a file that is not written
 */
export function formatValue<F extends keyof FileWrites>(file: F, value: FileWrites[F], where: string = file): string {
  const entry = fileEntry(file);
  if (!entry) throw new OptionsError(where, value, "no such interface file");
  if (entry.access === "r") throw new OptionsError(where, value, "the file is only read");
  return formatters[entry.kind](value, where, entry);
}

/**
 * Bytes as the kernel's memparse() reads them: binary K, M, G, T, P, E in either case. `"max"` stays `"max"`.
 * memparse would take `010` as octal; here a number begins with 0 only when it is 0.
 * @throws {OptionsError} for anything else, for a negative number, and for what a double does not hold exactly
 */
export function parseBytes(value: unknown, where = "bytes"): number | "max" {
  if (value === "max") return "max";
  const match = typeof value === "string" ? /^(0|[1-9]\d{0,18})([kmgtpe]?)$/i.exec(value) : undefined;
  const units = ["", "k", "m", "g", "t", "p", "e"];
  const bytes = match
    ? BigInt(match[1] ?? "") << BigInt(10 * units.indexOf((match[2] ?? "").toLowerCase()))
    : typeof value === "number" && Number.isInteger(value) && value >= 0
      ? BigInt(value)
      : undefined;
  if (bytes === undefined || bytes >= 1n << 63n || BigInt(Number(bytes)) !== bytes) {
    throw new OptionsError(where, value, 'expected bytes such as 104857600, "100M" or "max"');
  }
  return Number(bytes);
}

/**
 * `cpu.max` in one form, whichever way it was given: microseconds, the period filled in.
 * @throws {OptionsError} for a quota below 1000 or a period outside of 1000 to 1000000, and for anything else
 */
export function parseCpuMax(value: unknown, where = "cpu.max"): Required<CpuMax> {
  const [quota, period] = cpuMaxWords(value);
  const periodUs = period === undefined ? 100_000 : integerOf(period, 1000, 1_000_000);
  // The kernel's own upper bound is 2^44 - 1.
  const quotaUs = quota === "max" ? quota : integerOf(quota, 1000, 2 ** 44 - 1);
  if (quotaUs === undefined || periodUs === undefined) {
    throw new OptionsError(
      where,
      value,
      'expected microseconds such as { quota: 50000, period: 100000 }, "50000 100000" or "max", with a quota of at least 1000 and a period of 1000 to 1000000',
    );
  }
  return { quota: quotaUs, period: periodUs };
}

/**
 * CPUs or memory nodes of a list: `"0-2,8"` is `[0, 1, 2, 8]`. cpuset(7)
 * @throws {ParseError} for what is not a list
 */
export function parseList(text: string, file = "cpuset.cpus"): number[] {
  const line = text.trim();
  if (line === "") return [];
  return line.split(",").flatMap((range) => {
    const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
    if (first === undefined) throw new ParseError(file, 1, line, "a list such as 0-3,8");
    return Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => Number(first) + i);
  });
}

// Reading

type Parsers = { readonly [K in Kind]: (text: string, file: string) => KindValues[K] };

const parsers: Parsers = {
  bytes: (text, file) => (isMax(text) ? "max" : limitOf(text, file)),
  byteCount: numberIn,
  count: (text, file) => (isMax(text) ? "max" : numberIn(text, file)),
  number: numberIn,
  bigint: (text, file) => bigintOf(only(text), text, file),
  bigints: (text, file) => wordsOf(text).map((word) => bigintOf(word, text, file)),
  bool: (text, file) => {
    const word = only(text);
    if (word !== "0" && word !== "1") throw new ParseError(file, 1, firstLine(text), "0 or 1");
    return word === "1";
  },
  text: only,
  words: wordsOf,
  lines: linesOf,
  list: only,
  pids: (text, file) => linesOf(text).map((line, index) => numberOf(line, file, index, line)),
  flatKeyed: (text, file) =>
    keyed(text, file, (line, index) => {
      const [, key, value] = /^(\S+) (\d{1,20}(?:\.\d+)?)$/.exec(line) ?? [];
      if (key === undefined) throw new ParseError(file, index + 1, line, "a key and a number");
      return [key, Number(value)];
    }),
  keyedLimits: (text, file) =>
    keyed(text, file, (line, index) => {
      const [key = "", value = "", more] = line.split(" ");
      if (more !== undefined) throw new ParseError(file, index + 1, line, 'a key and a number or "max"');
      return [key, value === "max" ? "max" : numberOf(value, file, index, line)];
    }),
  nestedKeyed: (text, file) =>
    keyed(text, file, (line, index) => {
      const [key = "", ...words] = line.trimEnd().split(" ");
      return [key, assignments(words, (value) => (value === "max" ? "max" : numberOf(value, file, index, line)))];
    }),
  nestedText: (text, file) =>
    keyed(text, file, (line) => {
      const [key = "", ...words] = line.trimEnd().split(" ");
      return [key, assignments(words, (value) => (/^\d+(\.\d+)?$/.test(value) ? Number(value) : value))];
    }),
  assignments: (text, file) =>
    assignments(wordsOf(text), (value) => numberOf(value, file, 0, firstLine(text))) as Record<string, number>,
  deviceOps: (text, file) => {
    const devices = new Map<string, Record<string, number>>();
    for (const [index, line] of linesOf(text).entries()) {
      const [device = "", operation, value] = line.split(" ");
      // The last line is the sum over all devices: "Total 0".
      if (value === undefined && device === "Total") continue;
      if (operation === undefined || value === undefined)
        throw new ParseError(file, index + 1, line, "a device, an operation and a number");
      const operations = devices.get(device) ?? {};
      operations[operation] = numberOf(value, file, index, line);
      devices.set(device, operations);
    }
    return Object.fromEntries(devices);
  },
  pressure: (text, file) =>
    keyed(text, file, (line, index) => {
      const [, kind, avg10, avg60, avg300, total] =
        /^(some|full) avg10=([\d.]+) avg60=([\d.]+) avg300=([\d.]+) total=(\d+)$/.exec(line) ?? [];
      if (kind === undefined) throw new ParseError(file, index + 1, line, "some or full, three averages and a total");
      return [
        kind,
        { avg10: Number(avg10), avg60: Number(avg60), avg300: Number(avg300), total: Number(total) },
      ] as const satisfies [string, PressureLine];
    }),
  cpuMax: (text, file) => {
    const [quota = "", period = "", more] = wordsOf(text);
    if (more !== undefined) throw new ParseError(file, 1, firstLine(text), "a quota and a period");
    const line = firstLine(text);
    return {
      quota: quota === "max" ? "max" : numberOf(quota, file, 0, line),
      period: numberOf(period, file, 0, line),
    };
  },
  percent: (text, file) => (isMax(text) ? "max" : numberIn(text, file)),
  deviceWeights: (text, file) => {
    // An older BFQ shows the default alone.
    const lines = linesOf(text).map((line) => (/^\d+$/.test(line) ? `default ${line}` : line));
    const { default: fallback, ...devices } = keyed(lines.join("\n"), file, (line, index) => {
      const [key = "", value = ""] = line.split(" ");
      return [key, numberOf(value, file, index, line)];
    });
    return { ...(fallback === undefined ? {} : { default: fallback }), devices };
  },
};

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";
function only(text: string): string {
  return text.endsWith("\n") ? text.slice(0, -1) : text;
}
const isMax = (text: string): boolean => text === "max\n" || text === "max";
function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "");
}

function numberIn(text: string, file: string): number {
  return numberOf(only(text), file, 0, firstLine(text));
}
function numberOf(word: string, file: string, index: number, line: string): number {
  if (!/^-?\d{1,20}(\.\d+)?$/.test(word)) throw new ParseError(file, index + 1, line, "a number");
  return Number(word);
}
function bigintOf(word: string, text: string, file: string): bigint {
  if (!/^\d{1,20}$/.test(word)) throw new ParseError(file, 1, firstLine(text), "a number");
  return BigInt(word);
}
/** v1 has no word for no limit: it is the greatest number of whole pages. */
function limitOf(text: string, file: string): number | "max" {
  const word = only(text);
  if (/^\d{19,20}$/.test(word) && BigInt(word) >= noLimit) return "max";
  return numberIn(text, file);
}

function keyed<T>(text: string, file: string, entry: (line: string, index: number) => readonly [string, T]) {
  const found: (readonly [string, T])[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "") continue;
    const pair = entry(line, index);
    if (pair[0] === "") throw new ParseError(file, index + 1, line, "a key");
    found.push(pair);
  }
  return Object.fromEntries(found) as Record<string, T>;
}

function assignments<T>(words: readonly string[], value: (word: string) => T): Record<string, T> {
  return Object.fromEntries(
    words.flatMap((word) => {
      const at = word.indexOf("=");
      // Words without a value are skipped: "8:0 (none)".
      return at < 0 ? [] : [[word.slice(0, at), value(word.slice(at + 1))]];
    }),
  );
}

// Writing

type Formatter = (value: unknown, where: string, entry: FileEntry) => string;

const bytes: Formatter = (value, where, { v1Only }) => {
  if (v1Only !== undefined && (value === -1 || value === "-1" || value === "max")) return "-1";
  const parsed = parseBytes(typeof value === "bigint" ? value.toString() : value, where);
  return parsed === "max" ? "max" : BigInt(parsed).toString();
};

const number: Formatter = (value, where, { range: [min, max] = [0, Number.MAX_SAFE_INTEGER] }) => {
  const found = integerOf(value, min, max);
  // Of v1 quotas: -1 is none, and what lies between is nothing.
  if (found !== undefined) return String(found);
  throw new OptionsError(where, value, `expected an integer from ${min} to ${max}`);
};

const line: Formatter = (value, where) => {
  if (typeof value !== "string" || value === "" || value.length > 4000 || !isPlain(value))
    throw new OptionsError(where, value, "expected a line of text");
  return value;
};

const lines: Formatter = (value, where, entry) => {
  const all = Array.isArray(value) ? value : typeof value === "string" ? value.split("\n") : [value];
  if (all.length === 0) throw new OptionsError(where, value, "expected at least one line");
  return all.map((each) => line(each, where, entry)).join("\n");
};

/** `{ "8:0": { rbps: 1048576 } }` as `8:0 rbps=1048576`. */
const nested: Formatter = (value, where, entry) => {
  if (!isRecord(value)) return lines(value, where, entry);
  const all = Object.entries(value).map(([key, fields]) => {
    if (!isRecord(fields)) throw new OptionsError(where, value, 'expected fields by key: { "8:0": { rbps: 1048576 } }');
    return [key, ...Object.entries(fields).map(([name, field]) => `${name}=${field}`)].join(" ");
  });
  return lines(all, where, entry);
};

/** `{ eth0: 5 }` as `eth0 5`. */
const flat: Formatter = (value, where, entry) =>
  isRecord(value)
    ? lines(
        Object.entries(value).map((pair) => pair.join(" ")),
        where,
        entry,
      )
    : lines(typeof value === "number" ? String(value) : value, where, entry);

const bool: Formatter = (value, where) => {
  const text = typeof value === "boolean" ? String(Number(value)) : String(value);
  if (text !== "0" && text !== "1") throw new OptionsError(where, value, "expected true or false");
  return text;
};

const formatters: { readonly [K in Kind]: Formatter } = {
  bytes,
  byteCount: bytes,
  count: (value, where, { range: [min, max] = [0, Number.MAX_SAFE_INTEGER] }) => {
    const found = value === "max" ? value : integerOf(value, min, max);
    if (found === undefined) throw new OptionsError(where, value, `expected an integer from ${min} to ${max} or "max"`);
    return String(found);
  },
  number,
  bigint: number,
  bigints: number,
  bool,
  text: line,
  words: (value, where, entry) => line(Array.isArray(value) ? value.join(" ") : value, where, entry),
  lines,
  list: (value, where) => {
    const what = where.includes("mems") ? "memory nodes" : "CPUs";
    const text = typeof value === "number" ? String(value) : value;
    const ranges =
      typeof text === "string" ? text.split(",").map((range) => /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(range)) : [];
    const good = ranges.every((range) => range && Number(range[1]) <= Number(range[2] ?? range[1]));
    if (typeof text !== "string" || !good)
      throw new OptionsError(where, value, `expected ${what} as a list such as "0-3,8"`);
    return text;
  },
  pids: (value, where) => {
    const pid = integerOf(value, 1, 4_194_304);
    if (pid === undefined) throw new OptionsError(where, value, "expected a pid");
    return String(pid);
  },
  flatKeyed: flat,
  keyedLimits: flat,
  nestedKeyed: nested,
  nestedText: nested,
  assignments: line,
  deviceOps: line,
  pressure: line,
  cpuMax: (value, where) => {
    const { quota, period } = parseCpuMax(value, where);
    return `${quota} ${period}`;
  },
  percent: (value, where) => {
    const text = String(value);
    if (text !== "max" && !(/^\d{1,3}(\.\d{1,2})?$/.test(text) && Number(text) <= 100))
      throw new OptionsError(where, value, 'expected a percentage from 0 to 100 or "max"');
    return text;
  },
  deviceWeights: (value, where, entry) => {
    const { range: [min, max] = [1, 10_000] } = entry;
    if (!isRecord(value)) {
      if (typeof value === "string" && /^(default|\d+:\d+) /.test(value)) return lines(value, where, entry);
      return number(value, where, entry);
    }
    const { default: fallback, devices = {} } = value;
    if (!isRecord(devices)) throw new OptionsError(where, value, 'expected { default: 100, devices: { "8:0": 200 } }');
    const all = Object.entries({ ...(fallback === undefined ? {} : { default: fallback }), ...devices }).map(
      ([key, weight]) => {
        const found = integerOf(weight, min, max);
        if (found === undefined || !/^(default|\d+:\d+)$/.test(key))
          throw new OptionsError(where, value, `expected weights from ${min} to ${max} by device: { "8:0": 200 }`);
        return `${key} ${found}`;
      },
    );
    return lines(all, where, entry);
  },
};

function cpuMaxWords(value: unknown): readonly unknown[] {
  if (typeof value === "string") {
    const words = value.split(" ");
    return words.length > 2 ? [] : words;
  }
  if (typeof value !== "object" || value === null) return [value];
  const { quota, period, ...others } = value as Record<string, unknown>;
  return Object.keys(others).length > 0 ? [] : [quota, period];
}

function integerOf(value: unknown, min: number, max: number): number | undefined {
  const found = typeof value === "string" && /^(0|-?[1-9]\d{0,15})$/.test(value) ? Number(value) : value;
  return typeof found === "number" && Number.isInteger(found) && found >= min && found <= max ? found : undefined;
}

// A newline would begin another write, and the kernel reads no further than a NUL.
const isPlain = (text: string): boolean => !/[\n\0]/.test(text);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
