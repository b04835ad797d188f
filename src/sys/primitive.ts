/** A primitive: one syscall as a function that returns it as data, and knows what comes back when it is run. */
import type { Arg, Call, Text } from "./call.ts";
import { checkCall, type Wrong } from "./check.ts";
import type { DecodedStruct } from "./decode.ts";
import type { Fd } from "./fd.ts";
import type { FlagSetName } from "./flag-sets.ts";
import type { SyscallName } from "./numbers.ts";
import { OptionsError } from "./options-error.ts";
import type { Statmount } from "./statmount.ts";
import { type StructName, structs } from "./structs.ts";

/** What a call gives back: these, or the struct of that name, which the kernel has filled. */
export interface Results {
  /** Nothing: it succeeded or threw. */
  none: void;
  /** A count, a pid, a word. */
  number: number;
  /** A descriptor, owned by who called. */
  fd: Fd;
  /** Two descriptors: the ends of a pipe, a pair of sockets. */
  fds: readonly [Fd, Fd];
  /** A descriptor whose number the kernel wrote to memory. */
  writtenFd: Fd;
  /** The bytes that were written, as many as the call returned. */
  bytes: Uint8Array<ArrayBuffer>;
  /** The same as UTF-8. */
  text: string;
  /** What was written up to a NUL, as UTF-8. */
  string: string;
  /** The CPUs whose bits are set in the bytes that were written. */
  cpus: readonly number[];
  /** What the kernel wrote to a word of 32 bits. */
  u32: number;
  /** What the kernel wrote to a word of 64 bits. */
  u64: bigint;
  /** The same for several arguments of 32 bits, in their order. */
  u32s: readonly number[];
  /** As many words of 32 bits as the call returned. */
  words: readonly number[];
  /** As many ids of 64 bits as the call returned. */
  ids: readonly bigint[];
  /** The struct of that name with the strings that stand behind it. */
  statmount: Statmount;
}

/** The kind of a result, by name: `"pollfd[]"` is the list of structs that was handed over, as the kernel left it. */
export type Kind = keyof Results | StructName | `${StructName}[]`;
/** The type of a result, by its kind. */
export type ResultOf<K extends Kind> = K extends keyof Results
  ? Results[K]
  : K extends StructName
    ? DecodedStruct<K>
    : K extends `${infer N extends StructName}[]`
      ? readonly DecodedStruct<N>[]
      : never;

/** Called, it gives the call as data: {@link Call}. */
export interface Primitive<A extends readonly unknown[], K extends Kind> {
  (...args: A): Call;
  readonly syscall: SyscallName;
  readonly returns: K;
  /** Its arguments as they stand in the call, not checked yet. */
  readonly build: (...args: A) => readonly Arg[];
}

/**
 * Defines a primitive by its syscall, the kind of its result and its arguments. For calls that the vocabulary lacks: what is made
 * here runs with `run` and prints with `formatCall` as well.
 */
export function define<A extends readonly unknown[], K extends Kind>(
  name: SyscallName,
  returns: K,
  build: (...given: A) => readonly Arg[],
): Primitive<A, K> {
  const make = (...args: A): Call => checkCall(Object.freeze({ name, args: build(...args) }));
  // Property by property: Object.assign would double the time that importing the vocabulary takes.
  const primitive = make as { -readonly [P in keyof Primitive<A, K>]?: Primitive<A, K>[P] };
  primitive.syscall = name;
  primitive.returns = returns;
  primitive.build = build;
  return make as Primitive<A, K>;
}

// What arguments are given as, and the forms that they take in a call. Whatever is of another type passes into a form that
// `checkCall` refuses: nothing is converted.

/** A descriptor: an Fd or its number, `AT_FDCWD`, or what an earlier step returned. */
export type FdArg = number | { readonly number: number } | { readonly result: string };
/** A process: its pid, or what an earlier step returned. */
export type PidArg = number | { readonly result: string };
/** A 64-bit word: a size, an offset, an id. */
export type LongArg = number | bigint;
/** Where a call writes: a caller's buffer, that many bytes, room for a struct, or a named block of the report (in a step). */
export type Out =
  | Uint8Array
  | number
  | StructName
  | { readonly out: number | StructName }
  | { readonly report: string; readonly size: number };

/** The arguments that are given by name. @throws {OptionsError} for what is no object, which would be ignored in silence. */
export function named<T extends object>(value: T): T {
  if (typeof value === "object" && value !== null) return value;
  throw new OptionsError("the last argument", value, "expected an object");
}

/** What is no argument at all stands in its place until `checkCall` says so, with the name of the call. */
export const refused = (value: unknown, expected: string): Arg => ({ value, expected }) satisfies Wrong as never;

/** A descriptor. @throws {TypeError} for an Fd that is closed or was given up. */
export function fd(value: FdArg): Arg {
  if (typeof value === "number") return { fd: value };
  if (typeof value === "object" && value !== null) return "result" in value ? value : { fd: value.number };
  return { fd: value };
}

/** A 32-bit word. */
export const int = (value: number | { readonly result: string }): Arg =>
  typeof value === "number" || isResult(value) ? value : refused(value, "an integer of 32 bits");

const isResult = (value: unknown): value is { readonly result: string } =>
  typeof value === "object" && value !== null && "result" in value;

/** A 64-bit word; one that 32 bits hold is a plain number, as cheap as that. */
export const long = (value: LongArg): Arg =>
  typeof value === "number" && (value | 0) === value ? value : { long: value };

/** A word of a set of flags. What `|` made negative is the same word. */
export const bits = (flags: FlagSetName, value: number): Arg => ({
  flags,
  value: value < 0 && value >= -0x80000000 ? value + 0x100000000 : value,
});

/** One value of an enumeration, which may be negative. */
export const one = (flags: FlagSetName, value: number): Arg => ({ flags, value });

/** A mode, as umask and open take it. */
export const octal = (value: number): Arg => ({ octal: value });

/** A path or another string. */
export const text = (value: Text): Arg =>
  typeof value === "string" || (typeof value === "object" && value !== null && "text" in value)
    ? value
    : refused(value, "a string");

/** A string, or NULL. */
export const textOrNull = (value: Text | null): Arg => (value === null ? null : text(value));

/** Text or bytes without a NUL behind them, whose length is another argument: see {@link lengthOf}. */
export const data = (value: string | Uint8Array): Arg => (value instanceof Uint8Array ? value : { data: value });

/** Bytes of text or of a buffer. */
export const lengthOf = (value: string | Uint8Array): Arg =>
  long(typeof value === "string" ? utf8.encode(value).length : (value?.length ?? 0));

const utf8 = new TextEncoder();

/**
 * Where the kernel writes.
 * @param least Bytes, or the struct, that it writes without being told how much room there is: less would be somebody else's memory.
 */
export function out(value: Out, least: number | StructName = 0): Arg {
  const [bytes, needed] = [bytesOf(value), sizeOf(least)];
  if (bytes < needed) return refused(bytes, `room for ${needed} bytes`);
  if (value instanceof Uint8Array) return { into: value };
  return typeof value === "object" && value !== null ? value : { out: value };
}

/** Bytes that there is room for. */
export const room = (value: Out): Arg => long(bytesOf(value));

/** Ids of 64 bits that there is room for. */
export const roomForIds = (value: Out): Arg => long(Math.floor(bytesOf(value) / 8));

function bytesOf(value: Out): number {
  if (value instanceof Uint8Array) return value.length;
  if (typeof value !== "object" || value === null) return sizeOf(value);
  return "out" in value ? sizeOf(value.out) : value.size;
}

const sizeOf = (value: number | StructName): number =>
  typeof value === "string" && Object.hasOwn(structs, value) ? structs[value].size : (value as number);
