/** A call in strace(1) notation: the one spelling for plans, errors, timelines and tests. */
import type { Arg, Call, Fields, Text } from "./call.ts";
import { errnoName } from "./errno.ts";
import { major, minor } from "./device.ts";
import { type FlagSet, type FlagSetName, flagSets } from "./flag-sets.ts";
import { AT_FDCWD, S, UTIME } from "./flags.ts";
import { addressTexts } from "./address.ts";
import { structTexts } from "./format-structs.ts";
import { type Field, type Struct, type StructName, structs } from "./structs.ts";

/**
 * `mount(NULL, "/dst", NULL, MS_RDONLY|MS_REMOUNT|MS_BIND, NULL)`. strace(1)
 * In full, as `strace -v -s 65536`; results of earlier steps stand as `{child}`, output buffers as `{out}`.
 */
export function formatCall(call: Call): string {
  return `${call.name}(${call.args.map(formatOf(call)).join(", ")})`;
}

/** How arguments of a call are printed: in two of them a word alone does not say what it is. */
function formatOf({ name }: Call, most = Infinity): (arg: Arg, i: number) => string {
  if (name === "sched_setaffinity") return formatCpus;
  return name === "mknodat"
    ? (arg, i) => (i === 2 ? formatMode(arg) : i === 3 ? formatDevice(arg) : formatArg(arg))
    : (arg) => formatArg(arg, most);
}

/** `makedev(0x1, 0x3)`: a device's number. */
function formatDevice(arg: Arg): string {
  if (typeof arg !== "number") return formatArg(arg);
  return `makedev(${[major(arg), minor(arg)].map((half) => (half === 0 ? "0" : `0x${half.toString(16)}`)).join(", ")})`;
}

/** `[0 1]`: the CPUs in a mask. */
function formatCpus(arg: Arg): string {
  if (typeof arg !== "object" || arg === null || !("words" in arg)) return formatArg(arg);
  const cpus = arg.words.flatMap((word, i) =>
    [...Array(32).keys()].filter((bit) => (word >>> bit) & 1).map((bit) => 32 * i + bit),
  );
  return `[${cpus.join(" ")}]`;
}

/**
 * The same as strace without `-v`: what is in an environment is often secret, and fills screens, so it is only counted; of data, which
 * may be megabytes, 32 bytes are shown.
 */
export function formatCallBriefly(call: Call): string {
  const environment = call.name === "execve" ? 2 : call.name === "execveat" ? 3 : -1;
  const brief = (arg: Arg, i: number): string =>
    i === environment && typeof arg === "object" && arg !== null && "strings" in arg
      ? `[/* ${arg.strings.length} vars */]`
      : formatOf(call, 32)(arg, i);
  return `${call.name}(${call.args.map(brief).join(", ")})`;
}

/** One argument as formatCall prints it. @param most Bytes of data that are shown. */
export function formatArg(arg: Arg, most = Infinity): string {
  if (arg === null) return "NULL";
  if (typeof arg === "number") return String(arg);
  if (typeof arg === "string" || "text" in arg) return quote(arg);
  // Without a byte there is nothing to point at.
  if (arg instanceof Uint8Array) return arg.length === 0 ? "NULL" : formatBytes(arg, most);
  if ("flags" in arg) return formatFlags(arg.flags, arg.value);
  if ("long" in arg) return String(arg.long);
  if ("octal" in arg) return formatOctal(arg.octal);
  if ("fd" in arg) return arg.fd === AT_FDCWD ? "AT_FDCWD" : String(arg.fd);
  if ("result" in arg) return `{${arg.result}}`;
  if ("data" in arg) return arg.data.length > most ? `${quote(arg.data.slice(0, most))}...` : quote(arg.data);
  if ("struct" in arg) return formatStruct(arg.struct, arg.fields, most);
  if ("structs" in arg) return `[${arg.list.map((fields) => formatStruct(arg.structs, fields, most)).join(", ")}]`;
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
  if (name === "IOPRIO_CLASS" && value >> 13 !== 0)
    return `IOPRIO_PRIO_VALUE(${formatFlags(name, value >> 13)}, ${value & 0x1fff})`;
  // Not a personality, but the question for it.
  if (name === "PER" && value === 0xffffffff) return "0xffffffff";
  // BigInt, for flags live above bit 31 too.
  const entries = Object.entries(set.values).map(([flag, word]) => [flag, BigInt(word)] as const);
  let rest = BigInt(value);
  if (set.kind === "enum") {
    const known = entries.find(([, word]) => word === rest);
    if (known) return spell(known[0]);
    if (name === "SIG" && value >= 32 && value <= 64) return value === 32 ? "SIGRTMIN" : `SIGRT_${value - 32}`;
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
  const names = (wanted: (signal: number) => boolean) =>
    [...Array(65).keys()]
      .slice(1)
      .filter(wanted)
      .map((signal) => formatFlags("SIG", signal).replace(/^SIG/, ""));
  const set = names((signal) => signals.includes(signal));
  // From two thirds on, those that are not in it are told.
  return set.length < 42 ? `[${set.join(" ")}]` : `~[${names((signal) => !signals.includes(signal)).join(" ")}]`;
}

/** `022`, `000`: at least three digits. */
const formatOctal = (mode: number): string => `0${mode.toString(8)}`.padStart(3, "0");

/** `S_IFREG|0644`: the type of file by name. */
function formatMode(arg: Arg): string {
  if (typeof arg !== "object" || arg === null || !("octal" in arg)) return formatArg(arg);
  const type = arg.octal & S.IFMT;
  return type === 0 ? formatOctal(arg.octal) : `${formatFlags("S", type)}|${formatOctal(arg.octal - type)}`;
}

function formatStruct(name: StructName, values: Fields, most: number): string {
  const { fields, isWord, within }: Struct = structs[name];
  const own = structTexts[name];
  if (own) return own(values);
  // utimensat: no time, but what to do instead.
  const { tv_nsec } = values;
  if (name === "timespec" && (tv_nsec === UTIME.NOW || tv_nsec === UTIME.OMIT)) return formatFlags("UTIME", tv_nsec);
  const shown = Object.entries(values).map(
    ([key, value]) => [(fields[key]?.named ?? key).split("."), formatField(value, fields[key]?.as, most)] as const,
  );
  if (isWord) return `[${shown.map(([, text]) => text).join()}]`;
  return within === undefined ? formatMembers(shown) : `{${within}=${formatMembers(shown)}}`;
}

/** `{it_value={tv_sec=1, tv_nsec=0}}`: members of members in braces of their own. */
function formatMembers(shown: readonly (readonly [path: readonly string[], text: string])[]): string {
  const groups = Map.groupBy(shown, ([[first = ""]]) => first);
  const members = [...groups].map(([name, inner]) => {
    const [[path, text] = [[], ""]] = inner;
    const label = name === "" ? "" : `${name}=`;
    return `${label}${path.length <= 1 ? text : formatMembers(inner.map(([[, ...rest], value]) => [rest, value]))}`;
  });
  return `{${members.join(", ")}}`;
}

function formatField(value: Arg, as: Field["as"], most: number): string {
  if (as === "limit" && (value === -1 || value === Infinity)) return "RLIM64_INFINITY";
  if (as === "limit" && typeof value === "number" && value > 1024 && value % 1024 === 0) return `${value / 1024}*1024`;
  if (as === "errno" && typeof value === "number" && value < 0) return `-${errnoName(-value) ?? -value}`;
  if (as === "kernel" && typeof value === "number")
    return `KERNEL_VERSION(${value >>> 16}, ${(value >>> 8) & 255}, ${value & 255})`;
  if (as !== undefined && Object.hasOwn(fieldTexts, as)) return fieldTexts[as]?.(value) ?? formatArg(value);
  const word = typeof value === "object" && value !== null && "long" in value ? value.long : value;
  if (as === "hex" && (typeof word === "number" || typeof word === "bigint") && BigInt(word) !== 0n)
    return `0x${word.toString(16)}`;
  return formatArg(value, most);
}

/** Fields of which a number or a string would say too little; undefined for a value of another form. */
const fieldTexts: { readonly [A in string]?: (value: Arg) => string | undefined } = {
  ...addressTexts,
  // A name in the abstract name space of unix(7).
  path: (value) => (value instanceof Uint8Array ? `@${formatBytes(value.subarray(1))}` : undefined),
  bytes: (value) => (value instanceof Uint8Array ? `"${[...value].map(hexByte).join("")}"` : undefined),
  list: (value) => `[${formatArg(value)}]`,
};

const hexByte = (byte: number): string => `\\x${byte.toString(16).padStart(2, "0")}`;

/** Byte by byte, as strace: what is not ASCII in octal. */
function formatBytes(bytes: Uint8Array, most = Infinity): string {
  if (bytes.length > most) return `${formatBytes(bytes.subarray(0, most))}...`;
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
