/** What may stand in a call: whatever else a caller hands over is refused before it becomes a word for the kernel. */
import type { Arg, Call, Fields, Text } from "./call.ts";
import { flagSets } from "./flag-sets.ts";
import { numbers } from "./numbers.ts";
import { OptionsError } from "./options-error.ts";
import { type Field, type Struct, structs } from "./structs.ts";

/**
 * The call itself, when every argument is one that a word can be made of without loss.
 * @throws {OptionsError} for NaN, fractions, numbers beyond the argument's width, NUL in strings, missing arguments, wrong types.
 */
export function checkCall(call: Call): Call {
  const { args } = call;
  if (!Object.hasOwn(numbers, call.name))
    throw new OptionsError("syscall", call.name, "expected the name of a syscall");
  if (args.length > 6) throw new OptionsError(`${call.name}()`, args.length, "expected at most 6 arguments");
  args.forEach((arg, i) => checkArgument(call.name, i, arg));
  return call;
}

/**
 * Refuses one argument of a call, by its index, as {@link checkCall} does.
 * @throws {OptionsError}
 */
export function checkArgument(name: string, index: number, arg: Arg): void {
  const wrong = checkArg(arg);
  if (wrong) throw new OptionsError(`${name}(), argument ${index + 1}`, wrong.value, `expected ${wrong.expected}`);
}

/** What was given, and what belongs there. */
export interface Wrong {
  readonly value: unknown;
  /** Completes "expected ...". */
  readonly expected: string;
}

const isWithin = (value: unknown, min: number, max: number): boolean =>
  Number.isInteger(value) && (value as number) >= min && (value as number) <= max;

/** A signed or unsigned number of that many bytes. No double beyond 2^53 says which integer was meant: there, a bigint has to. */
function isWord(value: unknown, bytes: number): boolean {
  if (bytes < 8) return isWithin(value, -(2 ** (8 * bytes - 1)), 2 ** (8 * bytes) - 1);
  return typeof value === "bigint" ? value >= -(2n ** 63n) && value < 2n ** 64n : Number.isSafeInteger(value);
}

const word = (value: unknown, bytes: number): Wrong | undefined =>
  isWord(value, bytes) ? undefined : { value, expected: `an integer of ${8 * bytes} bits` };

function checkArg(arg: Arg): Wrong | undefined {
  if (typeof arg === "number") return word(arg, 4);
  if (typeof arg === "string") return checkText(arg);
  if (typeof arg !== "object") return { value: arg, expected: "an argument as the docs of the call name it" };
  if (arg === null || arg instanceof Uint8Array) return undefined;
  if ("expected" in arg) return arg as Wrong;
  if ("fd" in arg) {
    const isFd = isWithin(arg.fd, -0x80000000, 0x7fffffff);
    return isFd ? undefined : { value: arg.fd, expected: "a file descriptor: an Fd, its number, or AT_FDCWD" };
  }
  if ("flags" in arg) return checkFlags(arg.flags, arg.value, 4);
  if ("long" in arg) return word(arg.long, 8);
  if ("octal" in arg)
    return isWithin(arg.octal, 0, 0o177777) ? undefined : { value: arg.octal, expected: "a mode, from 0 to 0o177777" };
  if ("text" in arg) return checkText(arg);
  if ("struct" in arg) return checkStruct(arg.struct, arg.fields);
  if ("structs" in arg) return firstWrong(arg.list, (fields) => checkStruct(arg.structs, fields), "a list of structs");
  if ("into" in arg)
    return arg.into instanceof Uint8Array ? undefined : { value: arg.into, expected: "a Uint8Array to write to" };
  if ("out" in arg) {
    const isSize = typeof arg.out === "string" ? Object.hasOwn(structs, arg.out) : isWithin(arg.out, 0, 0x7fffffff);
    return isSize
      ? undefined
      : { value: arg.out, expected: "a number of bytes to reserve, or a Uint8Array to write to" };
  }
  if ("strings" in arg) return firstWrong(arg.strings, checkText, "a list of strings");
  if ("words" in arg) return firstWrong(arg.words, (value) => word(value, 4), "a list of integers of 32 bits");
  if ("signals" in arg)
    return arg.signals === "all"
      ? undefined
      : firstWrong(arg.signals, (value) => (isWithin(value, 1, 64) ? undefined : { value, expected: signal }), signal);
  if ("data" in arg)
    return typeof arg.data === "string" ? undefined : { value: arg.data, expected: "a string or a Uint8Array" };
  if ("result" in arg)
    return typeof arg.result === "string" ? undefined : { value: arg.result, expected: "the id of an earlier step" };
  if ("report" in arg)
    return isWithin(arg.size, 0, 0x7fffffff) ? undefined : { value: arg.size, expected: "a number of bytes" };
  if ("reportPage" in arg) return word(arg.reportPage, 4);
  return { value: arg, expected: "an argument as the docs of the call name it" };
}

const signal = "signals by number, from 1 to 64";

function checkText(text: Text): Wrong | undefined {
  if (typeof text === "string") {
    return text.includes("\0")
      ? { value: text, expected: "a string without NUL, which would end it for the kernel" }
      : undefined;
  }
  const isText = typeof text === "object" && text !== null && Array.isArray(text.text);
  if (!isText) return { value: text, expected: "a string" };
  return firstWrong(
    text.text,
    (part) => (typeof part === "object" && typeof part?.result === "string" ? undefined : checkText(part as string)),
    "a string",
  );
}

function checkFlags(set: string, value: unknown, bytes: number): Wrong | undefined {
  if (!Object.hasOwn(flagSets, set)) return { value: set, expected: "the name of a set of flags" };
  return isWord(value, bytes) ? undefined : { value, expected: `flags ${set}.*, an integer of ${8 * bytes} bits` };
}

function checkStruct(name: string, values: Fields): Wrong | undefined {
  if (!Object.hasOwn(structs, name)) return { value: name, expected: "the name of a struct" };
  const { fields }: Struct = structs[name as keyof typeof structs];
  for (const key in values) {
    const field = fields[key];
    if (field === undefined) return { value: key, expected: `a field of struct ${name}` };
    const wrong = checkField(values[key] as Arg, field);
    if (wrong) return { value: wrong.value, expected: `${wrong.expected} for ${key}` };
  }
  return undefined;
}

function checkField(value: Arg, field: Field): Wrong | undefined {
  if (typeof value === "object" && value !== null && "expected" in value) return value as unknown as Wrong;
  if (field.text || field.raw) {
    const length =
      value instanceof Uint8Array ? value.length : typeof value === "string" ? utf8Length(value) : undefined;
    if (length !== undefined && length + (field.text ? 1 : 0) <= field.bytes) return checkArg(value);
    return {
      value,
      expected: field.raw ? `at most ${field.bytes} bytes` : `a string of less than ${field.bytes} bytes`,
    };
  }
  if (typeof value === "number" || typeof value === "bigint")
    return field.as === "limit" && value === Infinity ? undefined : word(value, field.bytes);
  // Flags of 64 bits stand in structs only.
  if (typeof value === "object" && value !== null && "flags" in value)
    return checkFlags(value.flags, value.value, field.bytes);
  const wrong = checkArg(value);
  if (wrong !== undefined || value === null) return wrong;
  if (typeof value === "object") {
    if ("octal" in value) return word(value.octal, field.bytes);
    if ("long" in value) return word(value.long, field.bytes);
    if ("fd" in value || "signals" in value || ("result" in value && field.bytes >= 4)) return undefined;
  }
  // All else is an address.
  return field.as === "pointer" ? undefined : { value, expected: `an integer of ${8 * field.bytes} bits` };
}

const utf8Length = (text: string): number => new TextEncoder().encode(text).length;

function firstWrong<T>(list: readonly T[], check: (item: T) => Wrong | undefined, expected: string): Wrong | undefined {
  if (!Array.isArray(list)) return { value: list, expected };
  for (const item of list as readonly T[]) {
    const wrong = check(item);
    if (wrong) return wrong;
  }
  return undefined;
}
