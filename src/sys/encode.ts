/** From arguments to machine words: one encoder for calls that run now and for images that run later. */
import type { Arg, Call, Fields, Text } from "./call.ts";
import { checkCall } from "./check.ts";
import { flagWord } from "./flag-sets.ts";
import type { Arch } from "./numbers.ts";
import { type Struct, type StructName, structs } from "./structs.ts";

/** Where an encoder puts what arguments point to. */
export interface Memory {
  readonly arch: Arch;
  /** Room for that many zero bytes, aligned to eight; returns its address. */
  allocate(bytes: number): number;
  /** Room for the kernel to write to, which holds nothing before. */
  reserve(bytes: number): number;
  /** Puts bytes at an address that `allocate` returned, plus an offset. */
  put(address: number, bytes: Uint8Array): void;
  /** Puts a number of 1, 2, 4 or 8 bytes, little-endian, negative ones in two's complement. */
  putNumber(address: number, bytes: number, value: number | bigint): void;
  /** The number of the step with that id; a TypeError where there are no steps. */
  stepOf(id: string): number;
  /** The address of what never changes: made by `make` the first time, and found again under the same key. */
  shared(key: string, make: () => number): number;
  /** Before the call: the step's result as a word of 64 or 32 bits, or in decimal ending before `address`. */
  patch(kind: Patch, address: number, step: number): void;
  /** A block of the report. */
  reportBlock(name: string, size: number): number;
  /** The report itself. */
  readonly reportAddress: number;
  /** A caller's buffer, for a call that runs now. */
  buffer(bytes: Uint8Array): number;
}

/** How a step's result gets into memory. */
export type Patch = "word" | "half" | "decimal";

/** Words for the six registers; bit i of `refs` says that word i is a step whose result is meant. */
export interface Words {
  /** As many as the call has arguments. */
  readonly words: readonly number[];
  readonly refs: number;
}

/** Digits that a result takes in a text: as many as a pid or descriptor can have. */
export const decimalWidth = 10;

const utf8 = new TextEncoder();

/** Lays out a call's arguments in memory. */
export function encodeCall(call: Call, memory: Memory): Words {
  let refs = 0;
  const words = checkCall(call).args.map((arg, i) => {
    if (typeof arg === "object" && arg !== null && "result" in arg) {
      refs |= 1 << i;
      return memory.stepOf(arg.result);
    }
    return Number(encodeArg(arg, memory));
  });
  return { words, refs };
}

/** The word of one argument of a call that was checked; what it points to is laid out in memory. */
export function encodeArg(arg: Arg, memory: Memory): number | bigint {
  if (typeof arg === "number") return arg;
  if (arg === null) return 0;
  if (typeof arg === "string" || "text" in arg) return encodeText(arg, memory);
  if (arg instanceof Uint8Array) return memory.buffer(arg);
  if ("long" in arg) return arg.long;
  if ("flags" in arg) return flagWord(arg.flags, arg.value, memory.arch);
  if ("octal" in arg) return arg.octal;
  if ("fd" in arg) return arg.fd;
  if ("data" in arg) return putBytes(utf8.encode(arg.data), memory);
  if ("struct" in arg) return encodeStruct(arg.struct, arg.fields, memory);
  if ("structs" in arg) return encodeStructs(arg.structs, arg.list, memory);
  if ("into" in arg) return memory.buffer(arg.into);
  if ("out" in arg) return memory.reserve(typeof arg.out === "string" ? structs[arg.out].size : arg.out);
  if ("report" in arg) return memory.reportBlock(arg.report, arg.size);
  if ("reportPage" in arg) return memory.reportAddress + arg.reportPage;
  if ("strings" in arg) return encodeStrings(arg.strings, memory);
  if ("words" in arg) {
    const at = memory.allocate(arg.words.length * 4);
    arg.words.forEach((word, i) => memory.putNumber(at + 4 * i, 4, word));
    return at;
  }
  if ("signals" in arg) {
    const at = memory.allocate(8);
    putSignals(at, arg.signals, memory);
    return at;
  }
  throw new TypeError(
    `the result of step "${arg.result}" can stand only for a whole argument, a struct field or in a text`,
  );
}

function putSignals(at: number, set: readonly number[] | "all", memory: Memory): void {
  if (set === "all") memory.putNumber(at, 8, -1);
  else for (const half of [0, 1]) memory.putNumber(at + 4 * half, 4, signalBits(set, half));
}

function signalBits(signals: readonly number[], half: number): number {
  return signals.reduce((set, signal) => ((signal - 1) >> 5 === half ? set | (1 << ((signal - 1) & 31)) : set), 0);
}

function encodeStruct(name: StructName, values: Fields, memory: Memory): number {
  const at = memory.allocate(structs[name].size);
  putStruct(at, name, values, memory);
  return at;
}

function encodeStructs(name: StructName, list: readonly Fields[], memory: Memory): number {
  const { size } = structs[name];
  const at = memory.allocate(size * list.length);
  list.forEach((values, i) => putStruct(at + size * i, name, values, memory));
  return at;
}

function putStruct(at: number, name: StructName, values: Fields, memory: Memory): void {
  const { fields }: Struct = structs[name];
  for (const key in values) {
    const [field, value] = [fields[key], values[key] as Arg];
    if (field === undefined) throw new TypeError(`struct ${name} has no field ${key}`);
    if (typeof value === "object" && value !== null && "result" in value)
      memory.patch(field.bytes === 8 ? "word" : "half", at + field.at, memory.stepOf(value.result));
    // In a struct the set itself stands, not its address.
    else if (typeof value === "object" && value !== null && "signals" in value)
      putSignals(at + field.at, value.signals, memory);
    else if (field.text || field.raw)
      memory.put(at + field.at, value instanceof Uint8Array ? value : utf8.encode(String(value)));
    // All bits set: no limit.
    else if (value === Infinity) memory.putNumber(at + field.at, field.bytes, -1);
    else memory.putNumber(at + field.at, field.bytes, encodeArg(value, memory));
  }
}

function encodeStrings(strings: readonly Text[], memory: Memory): number {
  const isConstant = strings.every((string) => typeof string === "string");
  return isConstant
    ? memory.shared(`array\0${strings.join("\0")}`, () => putStrings(strings, memory))
    : putStrings(strings, memory);
}

function putStrings(strings: readonly Text[], memory: Memory): number {
  const at = memory.allocate(8 * (strings.length + 1));
  strings.forEach((string, i) => memory.putNumber(at + 8 * i, 8, encodeText(string, memory)));
  return at;
}

function encodeText(text: Text, memory: Memory): number {
  if (typeof text === "string") return memory.shared(text, () => putBytes(utf8.encode(`${text}\0`), memory));
  // A field of slashes inside a path, of zeros inside a name: the stage writes digits from its end and leaves the rest.
  const holes: [end: number, step: number][] = [];
  let filled = "";
  for (const part of text.text) {
    if (typeof part === "string") filled += part;
    else {
      filled += (filled.endsWith("/") ? "/" : "0").repeat(decimalWidth);
      holes.push([utf8.encode(filled).length, memory.stepOf(part.result)]);
    }
  }
  const at = putBytes(utf8.encode(filled + "\0"), memory);
  for (const [end, step] of holes) memory.patch("decimal", at + end, step);
  return at;
}

function putBytes(bytes: Uint8Array, memory: Memory): number {
  const at = memory.allocate(bytes.length);
  memory.put(at, bytes);
  return at;
}

/** A little-endian number of 1, 2, 4 or 8 bytes; negative ones in two's complement. */
export function putNumber(view: DataView, at: number, bytes: number, value: number | bigint): void {
  if (typeof value === "bigint") view.setBigUint64(at, BigInt.asUintN(64, value), true);
  else if (bytes === 8) {
    // Two halves: a third of the time that a bigint takes.
    view.setInt32(at, value, true);
    view.setInt32(at + 4, Math.floor(value / 0x100000000), true);
  } else if (bytes === 4) view.setInt32(at, value, true);
  else if (bytes === 2) view.setInt16(at, value, true);
  else view.setInt8(at, value);
}
