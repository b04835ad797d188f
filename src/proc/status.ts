/** State, credentials and memory of a process: /proc/PID/status, proc_pid_status(5). */
import { ParseError } from "./parse-error.ts";
import { readProcess } from "./read.ts";

/** The fields under the names that the kernel gives them. Those that an older kernel lacks are undefined. */
export interface Status {
  /** At most 15 bytes, chosen by the process; may hold any character. */
  readonly Name: string;
  readonly Umask?: number;
  /** One letter: R, S, D, T, t, Z, X, I. */
  readonly State: string;
  readonly Tgid: number;
  readonly Pid: number;
  /** 0 when the parent is outside the reader's pid namespace. */
  readonly PPid: number;
  /** 0 when nobody traces it. */
  readonly TracerPid?: number;
  readonly Uid: Ids;
  readonly Gid: Ids;
  readonly FDSize?: number;
  readonly Groups?: readonly number[];
  /** From the reader's pid namespace inwards to its own. */
  readonly NStgid?: readonly number[];
  readonly NSpid?: readonly number[];
  readonly NSpgid?: readonly number[];
  readonly NSsid?: readonly number[];
  /** Sizes in bytes (the file says kB, and means KiB). Kernel threads and zombies have none. */
  readonly VmPeak?: number;
  readonly VmSize?: number;
  readonly VmLck?: number;
  readonly VmPin?: number;
  readonly VmHWM?: number;
  readonly VmRSS?: number;
  readonly RssAnon?: number;
  readonly RssFile?: number;
  readonly RssShmem?: number;
  readonly VmData?: number;
  readonly VmStk?: number;
  readonly VmExe?: number;
  readonly VmLib?: number;
  readonly VmPTE?: number;
  readonly VmSwap?: number;
  readonly Threads?: number;
  /** Signals queued for the real user, and how many may be; Infinity where there is no limit. */
  readonly SigQ?: { readonly queued: number; readonly limit: number };
  /** Sets of signals: bit N-1 stands for signal N. */
  readonly SigPnd?: bigint;
  readonly ShdPnd?: bigint;
  readonly SigBlk?: bigint;
  readonly SigIgn?: bigint;
  readonly SigCgt?: bigint;
  /** Sets of capabilities: bit N stands for capability N. */
  readonly CapInh?: bigint;
  readonly CapPrm?: bigint;
  readonly CapEff?: bigint;
  readonly CapBnd?: bigint;
  readonly CapAmb?: bigint;
  readonly NoNewPrivs?: boolean;
  /** 0 off, 1 strict, 2 filter. */
  readonly Seccomp?: number;
  readonly Seccomp_filters?: number;
  /** As in `0-3,8`. */
  readonly Cpus_allowed_list?: string;
  readonly Mems_allowed_list?: string;
  readonly voluntary_ctxt_switches?: number;
  readonly nonvoluntary_ctxt_switches?: number;
}

/** The four user (or group) IDs of a process, credentials(7). */
export interface Ids {
  /** Whose process it is. */
  readonly real: number;
  /** What permissions are checked with. */
  readonly effective: number;
  /** What the effective one may go back to. */
  readonly saved: number;
  /** What access to files is checked with; follows the effective one. setfsuid(2) */
  readonly fs: number;
}

/**
 * `/proc/PID/status`. Without a pid: of this process.
 * @returns undefined when that process has ended
 */
export function status(): Status;
export function status(pid: number | undefined): Status | undefined;
export function status(pid?: number): Status | undefined {
  const text = readProcess(pid, "status");
  return text === undefined ? undefined : parseStatus(text, `/proc/${pid ?? "self"}/status`);
}

/**
 * The text of `/proc/PID/status`; lines with other names are skipped. proc_pid_status(5)
 * @param file Named in the error.
 * @throws {ParseError} with the line that cannot be read, or when a field is missing that every kernel has
 */
export function parseStatus(text: string, file = "/proc/self/status"): Status {
  const found: Record<string, unknown> = {};
  const lines = text.split("\n");
  for (const [index, line] of lines.entries()) {
    const colon = line.indexOf(":");
    const key = line.slice(0, colon);
    if (colon < 0 || !Object.hasOwn(fields, key)) continue;
    const field = fields[key as keyof Status];
    const value = field.read(key === "Name" ? line.slice(colon + 2) : line.slice(colon + 1).trim());
    if (value === undefined) throw new ParseError(file, index + 1, line, `${key}: ${field.expected}`);
    found[key] = value;
  }
  for (const key of ["Name", "State", "Tgid", "Pid", "PPid", "Uid", "Gid"] as const) {
    if (found[key] === undefined)
      throw new ParseError(file, lines.length, "", `a line ${key}: ${fields[key].expected}`);
  }
  return found as unknown as Status;
}

/** How a field is read; undefined where it cannot be. */
interface Field<T> {
  readonly expected: string;
  readonly read: (text: string) => T | undefined;
}

const integer: Field<number> = {
  expected: "a number",
  read: (text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined),
};
const octal: Field<number> = {
  expected: "an octal number",
  read: (text) => (/^[0-7]{1,6}$/.test(text) ? Number.parseInt(text, 8) : undefined),
};
const kibibytes: Field<number> = {
  expected: "a size in kB",
  read: (text) => (/^\d{1,12} kB$/.test(text) ? Number.parseInt(text, 10) * 1024 : undefined),
};
const mask: Field<bigint> = {
  expected: "a hexadecimal mask",
  read: (text) => (/^[0-9a-f]{1,16}$/i.test(text) ? BigInt(`0x${text}`) : undefined),
};
const flag: Field<boolean> = {
  expected: "0 or 1",
  read: (text) => (text === "0" || text === "1" ? text === "1" : undefined),
};
const words: Field<string> = { expected: "a text", read: (text) => text };
const numbers: Field<number[]> = {
  expected: "numbers",
  read: (text) => (/^[\d\s]*$/.test(text) ? text.split(/\s+/).filter(Boolean).map(Number) : undefined),
};
const ids: Field<Ids> = {
  expected: "four IDs: real, effective, saved, file system",
  read: (text) => {
    const [, real, effective, saved, fs] = /^(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})$/.exec(text) ?? [];
    if (fs === undefined) return undefined;
    return { real: Number(real), effective: Number(effective), saved: Number(saved), fs: Number(fs) };
  },
};
const queue: Field<{ queued: number; limit: number }> = {
  expected: "queued/limit",
  read: (text) => {
    const [, queued, limit] = /^(\d{1,15})\/(\d{1,20})$/.exec(text) ?? [];
    if (limit === undefined) return undefined;
    return { queued: Number(queued), limit: limit === "18446744073709551615" ? Infinity : Number(limit) };
  },
};
// Here, unlike in /proc/PID/stat, the kernel escapes newline and backslash.
const name: Field<string> = {
  expected: "a name",
  read: (text) => text.replace(/\\([n\\])/g, (_, letter) => (letter === "n" ? "\n" : "\\")),
};
const state: Field<string> = { expected: "a letter", read: (text) => /^[A-Za-z](?= |$)/.exec(text)?.[0] };

const fields: { readonly [K in keyof Status]-?: Field<NonNullable<Status[K]>> } = {
  Name: name,
  Umask: octal,
  State: state,
  Tgid: integer,
  Pid: integer,
  PPid: integer,
  TracerPid: integer,
  Uid: ids,
  Gid: ids,
  FDSize: integer,
  Groups: numbers,
  NStgid: numbers,
  NSpid: numbers,
  NSpgid: numbers,
  NSsid: numbers,
  VmPeak: kibibytes,
  VmSize: kibibytes,
  VmLck: kibibytes,
  VmPin: kibibytes,
  VmHWM: kibibytes,
  VmRSS: kibibytes,
  RssAnon: kibibytes,
  RssFile: kibibytes,
  RssShmem: kibibytes,
  VmData: kibibytes,
  VmStk: kibibytes,
  VmExe: kibibytes,
  VmLib: kibibytes,
  VmPTE: kibibytes,
  VmSwap: kibibytes,
  Threads: integer,
  SigQ: queue,
  SigPnd: mask,
  ShdPnd: mask,
  SigBlk: mask,
  SigIgn: mask,
  SigCgt: mask,
  CapInh: mask,
  CapPrm: mask,
  CapEff: mask,
  CapBnd: mask,
  CapAmb: mask,
  NoNewPrivs: flag,
  Seccomp: integer,
  Seccomp_filters: integer,
  Cpus_allowed_list: words,
  Mems_allowed_list: words,
  voluntary_ctxt_switches: integer,
  nonvoluntary_ctxt_switches: integer,
};
