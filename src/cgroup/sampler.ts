/** Numbers of many groups, read over and over: kept descriptors, one buffer, digits read where they stand. */
import type { Fd } from "../sys/fd.ts";
import { O, RESOLVE } from "../sys/flags.ts";
import { ifThere } from "../proc/read.ts";
import { OptionsError } from "../sys/options-error.ts";
import { type Reader, reader } from "../sys/reader.ts";
import { sys } from "../sys/vocabulary.ts";
import { fileEntry, memoryStat } from "./files.ts";

/** What is sampled: a `Cgroup`, or its directories. */
export interface SampleGroup {
  /** A directory in each hierarchy. */
  readonly places: readonly { readonly version: 1 | 2; readonly fd: Fd }[];
}

/** How to sample. */
export interface SamplerOptions {
  /** All 64 bits of each number, as bigints, where a double would round above 2^53. Fractions are cut off. */
  readonly exact?: boolean;
}

/** The numbers of a tick: doubles, or integers where they have to be exact. */
export type Samples = Float64Array | BigInt64Array;

/**
 * Opens the files of `keys` in each group; {@link Sampler.sample} reads them.
 *
 * | key | is |
 * | --- | --- |
 * | `memory.current` | the number that the file holds; `max` is Infinity |
 * | `cpu.stat usage_usec` | the one behind that word |
 * | `memory.pressure some total`, `io.stat 8:0 rbytes` | the one of that name in the line of that word |
 * | `io.stat * rbytes` | the sum of all lines |
 *
 * Names are those of v2; on v1 they stand for what is the same there (`cpuacct.usage` in microseconds, `total_rss` for
 * `memory.stat anon`, ...), and v1's own names are taken too. A file or word that a group lacks is NaN.
 *
 * ```ts
 * using all = sampler(groups, ["memory.current", "cpu.stat usage_usec"]);
 * for (const group of all.sample()) console.log("removed", group);
 * all.at(0, 1);
 * ```
 * @throws {OptionsError} for a key of another form.
 * @throws {SyscallError} EMFILE where RLIMIT_NOFILE is less than groups x files; nothing stays open.
 */
export function sampler<G extends SampleGroup>(
  groups: readonly G[],
  keys: readonly string[],
  options: SamplerOptions & { readonly exact: true },
): Sampler<G, BigInt64Array>;
/** With doubles. */
export function sampler<G extends SampleGroup>(
  groups: readonly G[],
  keys: readonly string[],
  options?: SamplerOptions,
): Sampler<G, Float64Array>;
export function sampler<G extends SampleGroup>(
  groups: readonly G[],
  keys: readonly string[],
  { exact = false }: SamplerOptions = {},
): Sampler<G, Samples> {
  const values = new ArrayBuffer(8 * groups.length * keys.length);
  return new Sampler(groups, keys, exact ? new BigInt64Array(values) : new Float64Array(values));
}

/** Where a number stands in a file, and in a row. */
interface Field {
  readonly column: number;
  /** The first word of the line and the space behind it; empty: any line. */
  readonly line: Uint8Array;
  /** `name=` of the number in that line; empty: it stands behind the word. */
  readonly name: Uint8Array;
  /** All lines are added up. */
  readonly isSum: boolean;
  /** v1 counts nanoseconds where v2 has microseconds. */
  readonly divisor: number;
}

/** A file of one group, kept open. */
interface Source {
  readonly group: number;
  readonly fd: Fd;
  readonly fields: readonly Field[];
  /** Where the line of each field began the last time. */
  readonly hints: Int32Array;
}

/** See {@link sampler}. */
export class Sampler<G extends SampleGroup, V extends Samples> implements Disposable {
  /** Those of `sampler()`, in its order: rows. */
  readonly groups: readonly G[];
  /** Those of `sampler()`, in its order: columns. */
  readonly keys: readonly string[];
  /** The last tick: the columns of the first group, then those of the second. What is not there is NaN, or -1n where exact. */
  readonly values: V;
  #closed = false;
  readonly #sources: Source[] = [];
  readonly #reader: Reader = reader(65536);
  readonly #gone: boolean[];
  readonly #halves = new WeakMap<Samples, Int32Array>();

  /** Use {@link sampler}. */
  constructor(groups: readonly G[], keys: readonly string[], values: V) {
    this.groups = groups;
    this.keys = keys;
    this.values = values;
    this.#gone = groups.map(() => false);
    using undo = new DisposableStack();
    undo.defer(() => this[Symbol.dispose]());
    const wanted = keys.map(parseKey);
    const plans = new Map<string, readonly Field[]>();
    groups.forEach((group, row) => this.#openFiles(group, row, wanted, plans));
    undo.move();
    this.#clear(values);
  }

  /** The number of a group by its key, both by index. */
  at(group: number, key: number): V[number] {
    return this.values[group * this.keys.length + key] as V[number];
  }

  /**
   * Reads all files, and returns the groups that have been removed since the last tick: their rows are not there from now on, and
   * their files are closed. Nothing is allocated but that list, where it is not empty.
   * @param into Instead of `values`, for who keeps two ticks to compare: as long as `values`.
   * @throws {TypeError} when it is closed, or `into` is too short.
   */
  sample(into: V = this.values): readonly G[] {
    if (this.#closed) throw new TypeError("this sampler is closed");
    if (into.length < this.values.length)
      throw new TypeError(`expected room for ${this.values.length} numbers, got ${into.length}`);
    this.#clear(into);
    const [sources, gone, columns] = [this.#sources, this.#gone, this.keys.length];
    const { bytes, read } = this.#reader;
    const halves = into instanceof Float64Array ? undefined : this.#halvesOf(into);
    const doubles = into instanceof Float64Array ? into : noDoubles;
    let removed: G[] | undefined;
    for (let i = 0; i < sources.length; i++) {
      const source = sources[i] as Source;
      if (gone[source.group]) continue;
      const length = read(source.fd.number);
      if (length >= 0) readFields(bytes, length, source, source.group * columns, doubles, halves);
      else if (length === -ENODEV) {
        gone[source.group] = true;
        (removed ??= []).push(this.groups[source.group] as G);
      }
    }
    if (removed !== undefined) this.#closeRemoved(into);
    return removed ?? none;
  }

  /** Closes all files. */
  [Symbol.dispose](): void {
    this.#closed = true;
    for (const { fd } of this.#sources.splice(0)) fd.close();
  }

  #openFiles(group: G, row: number, wanted: readonly Key[], plans: Map<string, readonly Field[]>): void {
    const files = new Map<string, { fd: Fd; fields: [key: Key, column: number][] }>();
    for (const [column, key] of wanted.entries()) {
      for (const [index, { version, fd: directory }] of group.places.entries()) {
        const here = version === 1 ? inV1(key) : key;
        const id = `${index} ${here.file}`;
        const fd = files.get(id)?.fd ?? ifThere(() => sys.openat2(directory, here.file, readOnly, beneath));
        if (fd === undefined) continue;
        if (!files.has(id)) {
          const fields: [Key, number][] = [];
          files.set(id, { fd, fields });
          // Owned from here on: what comes next may fail.
          this.#sources.push({ group: row, fd, fields: [], hints: new Int32Array(0) });
        }
        files.get(id)?.fields.push([here, column]);
        break;
      }
    }
    this.#sources.splice(this.#sources.length - files.size);
    for (const { fd, fields } of files.values()) {
      // Of many groups that are alike there is one plan.
      const name = fields
        .map(([{ line, name, divisor }, column]) => [column, line, name, divisor].join(" "))
        .join("\n");
      const plan = plans.get(name) ?? fields.map(([key, column]) => fieldOf(key, column));
      plans.set(name, plan);
      this.#sources.push({ group: row, fd, fields: plan, hints: new Int32Array(plan.length) });
    }
  }

  #clear(values: Samples): void {
    if (values instanceof Float64Array) values.fill(Number.NaN);
    else this.#halvesOf(values).fill(-1);
  }

  #halvesOf(values: BigInt64Array): Int32Array {
    const found = this.#halves.get(values);
    if (found !== undefined) return found;
    const made = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
    this.#halves.set(values, made);
    return made;
  }

  /** A group goes as a whole, with what was read of it in this tick. */
  #closeRemoved(values: Samples): void {
    const columns = this.keys.length;
    for (const [row, isGone] of this.#gone.entries()) {
      const part = [row * columns, (row + 1) * columns] as const;
      if (isGone && values instanceof Float64Array) values.fill(Number.NaN, ...part);
      else if (isGone) (values as BigInt64Array).fill(-1n, ...part);
    }
    for (const { fd, group } of this.#sources) if (this.#gone[group]) fd.close();
    const left = this.#sources.filter(({ group }) => !this.#gone[group]);
    this.#sources.splice(0, this.#sources.length, ...left);
  }
}

const ENODEV = 19;
const none: readonly never[] = Object.freeze([]);
const noDoubles = new Float64Array(0);
const readOnly = O.RDONLY | O.CLOEXEC;
const beneath = RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS;

/** A key by its words. */
interface Key {
  readonly file: string;
  readonly line?: string;
  readonly name?: string;
  readonly divisor?: number;
}

function parseKey(key: string, index: number): Key {
  const [file, line, name, ...more] = typeof key === "string" ? key.split(" ") : [];
  const isKey = file && line !== "" && name !== "" && more.length === 0 && !(line === "*" && name === undefined);
  if (!isKey || /[\0\n]/.test(key))
    throw new OptionsError(
      `keys[${index}]`,
      key,
      'expected "memory.current", "cpu.stat usage_usec" or "io.stat * rbytes"',
    );
  return { file, ...(line === undefined ? {} : { line }), ...(name === undefined ? {} : { name }) };
}

/** What is spread over files of one number each, and in nanoseconds. */
const cpuStatV1: Readonly<Record<string, Key>> = {
  usage_usec: { file: "cpuacct.usage", divisor: 1000 },
  user_usec: { file: "cpuacct.usage_user", divisor: 1000 },
  system_usec: { file: "cpuacct.usage_sys", divisor: 1000 },
  throttled_usec: { file: "cpu.stat", line: "throttled_time", divisor: 1000 },
  burst_usec: { file: "cpu.stat", line: "burst_time", divisor: 1000 },
};
const memoryEventsV1: Readonly<Record<string, Key>> = {
  oom_kill: { file: "memory.oom_control", line: "oom_kill" },
  max: { file: "memory.failcnt" },
};

/** What v1 has for a key, as a number in one place; the key itself where it has the same, or nothing. */
function inV1(key: Key): Key {
  const { file, line } = key;
  if (line === undefined) {
    const v1 = fileEntry(file)?.v1;
    const [only] = v1?.files ?? [];
    return only !== undefined && v1?.files.length === 1 && v1.read === undefined ? { file: only } : key;
  }
  if (file === "cpu.stat") return cpuStatV1[line] ?? key;
  if (file === "memory.events") return memoryEventsV1[line] ?? key;
  if (file === "memory.stat" && Object.hasOwn(memoryStat, line))
    return { file, line: memoryStat[line as keyof typeof memoryStat] };
  return key;
}

const utf8 = new TextEncoder();

function fieldOf({ line, name, divisor = 1 }: Key, column: number): Field {
  return {
    column,
    line: utf8.encode(line === undefined || line === "*" ? "" : `${line} `),
    name: utf8.encode(name === undefined ? "" : `${name}=`),
    isSum: line === "*",
    divisor,
  };
}

// From here on nothing may be allocated: numbers and bytes, no slices, no strings.

const newline = 10;
const space = 32;

function readFields(
  bytes: Uint8Array,
  length: number,
  { fields, hints }: Source,
  row: number,
  doubles: Float64Array,
  halves: Int32Array | undefined,
): void {
  let next = 0;
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i] as Field;
    const index = row + field.column;
    if (field.isSum) {
      sumLines(bytes, length, field, index, doubles, halves);
      continue;
    }
    let at = 0;
    if (field.line.length > 0) {
      // Where it was the last time; else behind the line before it, as the kernel writes them in one order; else anywhere.
      at = hints[i] as number;
      if (!isLine(bytes, length, field.line, at)) at = findLine(bytes, next, length, field.line);
      if (at < 0) at = findLine(bytes, 0, length, field.line);
      if (at < 0) continue;
      hints[i] = at;
      at += field.line.length;
      next = at;
    }
    if (field.name.length > 0) at = findName(bytes, at, length, field.name);
    if (at < 0) continue;
    if (halves !== undefined) putExact(bytes, at, length, field.divisor, halves, 2 * index);
    else {
      const value = readNumber(bytes, at, length);
      // Digit by digit a double would be rounded more than once.
      const isLarge = value > Number.MAX_SAFE_INTEGER && splitNumber(bytes, at, length, field.divisor);
      if (isLarge) doubles[index] = high * 0x100000000 + low;
      else doubles[index] = field.divisor === 1 ? value : Math.floor(value / field.divisor);
    }
  }
}

/** No line is none to add: 0. */
function sumLines(
  bytes: Uint8Array,
  length: number,
  field: Field,
  index: number,
  doubles: Float64Array,
  halves: Int32Array | undefined,
): void {
  let sum = 0;
  if (halves !== undefined) halves[2 * index] = halves[2 * index + 1] = 0;
  for (let at = 0; at < length; at = endOfLine(bytes, at, length) + 1) {
    const number = findName(bytes, at, length, field.name);
    if (number < 0) continue;
    if (halves === undefined) sum += readNumber(bytes, number, length);
    else addExact(bytes, number, length, halves, 2 * index);
  }
  if (halves === undefined) doubles[index] = sum;
}

function endOfLine(bytes: Uint8Array, at: number, length: number): number {
  while (at < length && bytes[at] !== newline) at++;
  return at;
}

/** Whether a line begins there, and with these bytes. */
function isLine(bytes: Uint8Array, length: number, line: Uint8Array, at: number): boolean {
  return (at === 0 || bytes[at - 1] === newline) && isAt(bytes, length, line, at);
}

function isAt(bytes: Uint8Array, length: number, wanted: Uint8Array, at: number): boolean {
  if (at + wanted.length > length) return false;
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

function findLine(bytes: Uint8Array, from: number, length: number, line: Uint8Array): number {
  for (let at = from; at < length; at = endOfLine(bytes, at, length) + 1)
    if (isLine(bytes, length, line, at)) return at;
  return -1;
}

/** What is behind `name=` in the rest of a line. */
function findName(bytes: Uint8Array, from: number, length: number, name: Uint8Array): number {
  for (let at = from; at < length && bytes[at] !== newline; at++)
    if ((at === 0 || bytes[at - 1] === space) && isAt(bytes, length, name, at)) return at + name.length;
  return -1;
}

/** A decimal number, with a sign or a fraction where it has one; `max` is Infinity; NaN is none. */
function readNumber(bytes: Uint8Array, at: number, length: number): number {
  if (bytes[at] === 0x6d && bytes[at + 1] === 0x61 && bytes[at + 2] === 0x78) return Number.POSITIVE_INFINITY;
  const isNegative = bytes[at] === 0x2d;
  if (isNegative) at++;
  let digit = at < length ? (bytes[at] as number) - 48 : -1;
  if (digit < 0 || digit > 9) return Number.NaN;
  let value = 0;
  while (digit >= 0 && digit <= 9) {
    value = value * 10 + digit;
    digit = ++at < length ? (bytes[at] as number) - 48 : -1;
  }
  if (digit === -2) {
    let unit = 1;
    for (at++; at < length; at++) {
      digit = (bytes[at] as number) - 48;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
      unit *= 10;
    }
    value /= unit;
  }
  return isNegative ? -value : value;
}

/** The two halves of the last `splitNumber`. */
let low = 0;
let high = 0;

/** Up to 20 digits as 64 bits, in two numbers that a double holds: the first 15 digits, and those behind. */
function splitNumber(bytes: Uint8Array, at: number, length: number, divisor: number): boolean {
  let first = 0;
  let rest = 0;
  let unit = 1;
  const start = at;
  for (; at < length; at++) {
    const digit = (bytes[at] as number) - 48;
    if (digit < 0 || digit > 9) break;
    if (at - start < 15) first = first * 10 + digit;
    else {
      rest = rest * 10 + digit;
      unit *= 10;
    }
  }
  if (at === start) return false;
  if (divisor !== 1) {
    // Of thousands: three digits less are as good as a division.
    const kept = Math.floor(first / divisor);
    rest = Math.floor(((first - kept * divisor) * unit + rest) / divisor);
    first = kept;
  }
  const firstHigh = Math.floor(first / 0x100000000);
  const sum = (first - firstHigh * 0x100000000) * unit + rest;
  const carry = Math.floor(sum / 0x100000000);
  low = sum - carry * 0x100000000;
  high = firstHigh * unit + carry;
  return true;
}

function putExact(
  bytes: Uint8Array,
  at: number,
  length: number,
  divisor: number,
  halves: Int32Array,
  to: number,
): void {
  if (splitNumber(bytes, at, length, divisor)) {
    halves[to] = low;
    halves[to + 1] = high;
  } else if (readNumber(bytes, at, length) === Number.POSITIVE_INFINITY) {
    // No limit: the greatest number.
    halves[to] = -1;
    halves[to + 1] = 0x7fffffff;
  }
}

function addExact(bytes: Uint8Array, at: number, length: number, halves: Int32Array, to: number): void {
  if (!splitNumber(bytes, at, length, 1)) return;
  const sum = ((halves[to] as number) >>> 0) + low;
  const carry = sum >= 0x100000000 ? 1 : 0;
  halves[to] = sum;
  halves[to + 1] = (halves[to + 1] as number) + high + carry;
}
