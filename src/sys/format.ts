/** A call in strace(1) notation: the one spelling for plans, errors, timelines and tests. */
import type { Arg, Call, Fields, Text } from "./call.ts";
import { AT_FDCWD, type FlagSet, type FlagSetName, flagSets, S } from "./flags.ts";
import { type Field, type Struct, type StructName, structs } from "./structs.ts";

/**
 * `mount(NULL, "/dst", NULL, MS_RDONLY|MS_REMOUNT|MS_BIND, NULL)`. strace(1)
 * In full, as `strace -v -s 65536`; results of earlier steps stand as `{child}`, output buffers as `{out}`.
 */
export function formatCall(call: Call): string {
  return `${call.name}(${call.args.map(formatArg).join(", ")})`;
}

/** The same as strace without `-v`: what is in an environment is often secret, and fills screens, so it is only counted. */
export function formatCallBriefly(call: Call): string {
  const [path = null, argv = null, env] = call.args;
  if (call.name !== "execve" || typeof env !== "object" || env === null || !("strings" in env)) return formatCall(call);
  return `execve(${formatArg(path)}, ${formatArg(argv)}, [/* ${env.strings.length} vars */])`;
}

/** One argument as formatCall prints it. */
export function formatArg(arg: Arg): string {
  if (arg === null) return "NULL";
  if (typeof arg === "number") return String(arg);
  if (typeof arg === "string" || "text" in arg) return quote(arg);
  if (arg instanceof Uint8Array) return formatBytes(arg);
  if ("flags" in arg) return formatFlags(arg.flags, arg.value);
  if ("long" in arg) return String(arg.long);
  if ("octal" in arg) return formatMode(arg.octal);
  if ("fd" in arg) return arg.fd === AT_FDCWD ? "AT_FDCWD" : String(arg.fd);
  if ("result" in arg) return `{${arg.result}}`;
  if ("data" in arg) return quote(arg.data);
  if ("struct" in arg) return formatStruct(arg.struct, arg.fields);
  if ("structs" in arg) return `[${arg.list.map((fields) => formatStruct(arg.structs, fields)).join(", ")}]`;
  if ("out" in arg || "into" in arg) return "{out}";
  if ("report" in arg) return `{report ${arg.report}}`;
  if ("reportPage" in arg) return "{report}";
  if ("strings" in arg) return `[${arg.strings.map(quote).join(", ")}]`;
  if ("words" in arg) return `[${arg.words.join(", ")}]`;
  return formatSignals(arg.signals);
}

/** A word by the names of a flag set, as strace spells it: `MNT_DETACH`, `O_WRONLY|O_CLOEXEC`, `0` for none; what has no name in hexadecimal. */
export function formatFlags(name: FlagSetName, value: number): string {
  const set: FlagSet = flagSets[name];
  const spell = (flag: string) => (set.whole?.includes(flag) ? flag : set.prefix + flag);
  // BigInt, for flags live above bit 31 too.
  const entries = Object.entries(set.values).map(([flag, word]) => [flag, BigInt(word)] as const);
  let rest = BigInt(value);
  if (set.kind === "enum") {
    const known = entries.find(([, word]) => word === rest);
    if (known) return spell(known[0]);
    return value > 0 && name !== "SIG" ? `0x${value.toString(16)}` : String(value);
  }
  const names: string[] = [];
  const choice = BigInt(set.choice ?? 0);
  const picked = rest & choice;
  const chosen = picked === 0n ? undefined : entries.find(([, word]) => word === picked);
  if (chosen) {
    names.push(spell(chosen[0]));
    rest &= ~choice;
  } else if (set.zero !== undefined && (choice === 0n ? rest === 0n : picked === 0n)) {
    names.push(set.zero);
  }
  for (const [flag, word] of entries) {
    if ((word & choice) !== 0n || word === 0n || (rest & word) !== word) continue;
    names.push(spell(flag));
    rest &= ~word;
  }
  if (rest !== 0n) names.push(`0x${rest.toString(16)}`);
  return names.length > 0 ? names.join("|") : "0";
}

function formatSignals(signals: readonly number[] | "all"): string {
  if (signals === "all") return "~[]";
  return `[${signals.map((signal) => formatFlags("SIG", signal).replace(/^SIG/, "")).join(" ")}]`;
}

/** `S_IFREG|0644`, `022`, `000`: at least three digits, and the type of file by name. */
function formatMode(mode: number): string {
  const type = mode & S.IFMT;
  const permissions = `0${(mode - type).toString(8)}`.padStart(3, "0");
  return type === 0 ? permissions : `${formatFlags("S", type)}|${permissions}`;
}

function formatStruct(name: StructName, values: Fields): string {
  const { fields }: Struct = structs[name];
  const shown = Object.entries(values).map(([key, value]) => `${key}=${formatField(value, fields[key]?.as)}`);
  return `{${shown.join(", ")}}`;
}

function formatField(value: Arg, as: Field["as"]): string {
  if (as === "limit" && (value === -1 || value === Infinity)) return "RLIM64_INFINITY";
  if (as === "hex" && typeof value === "number" && value !== 0) return `0x${value.toString(16)}`;
  return formatArg(value);
}

/** Byte by byte, as strace: what is not ASCII in octal. */
function formatBytes(bytes: Uint8Array): string {
  const text = new TextDecoder("latin1").decode(bytes);
  return `"${text.replace(/["\\]|[^ -~]/g, (c, at: number) => escapes[c] ?? octalByte(c.charCodeAt(0), text[at + 1] ?? ""))}"`;
}

const escapes: Record<string, string> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\t": "\\t",
  "\r": "\\r",
  "\v": "\\v",
  "\f": "\\f",
};

// Letters beyond ASCII stay readable, where strace prints their bytes. What could move a terminal's cursor does not.
function quote(text: Text): string {
  if (typeof text !== "string")
    return `"${text.text.map((part) => (typeof part === "string" ? quote(part).slice(1, -1) : `{${part.result}}`)).join("")}"`;
  return `"${text.replace(/["\\]|\p{Cc}|\p{Cf}/gu, (c, at: number) => escapes[c] ?? octal(c, text[at + c.length] ?? ""))}"`;
}

/** `\33`, or `\033` before a digit, for each byte. */
function octal(character: string, next: string): string {
  const bytes = [...new TextEncoder().encode(character)];
  return bytes.map((byte, i) => octalByte(byte, i === bytes.length - 1 ? next : "")).join("");
}

const octalByte = (byte: number, next: string): string =>
  `\\${byte.toString(8).padStart(/[0-7]/.test(next) ? 3 : 0, "0")}`;
