/** A case: a stretch of real calls of the vocabulary, made in a process under strace(1), and what was expected of each. */
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { syscall } from "../../../ffi/syscall.ts";
import type { Call } from "../../../src/sys/call.ts";
import { closeOnExec } from "../../../src/sys/cloexec.ts";
import type { ErrnoName } from "../../../src/sys/errno.ts";
import { SyscallError } from "../../../src/sys/error.ts";
import { formatCall } from "../../../src/sys/format.ts";
import { Fd } from "../../../src/sys/fd.ts";
import { invoke } from "../../../src/sys/invoke.ts";
import { numberOf } from "../../../src/sys/numbers.ts";
import type { Kind } from "../../../src/sys/primitive.ts";
import { call, type Sys, sys } from "../../../src/sys/vocabulary.ts";

/** A call of the vocabulary, by its name there. */
export type CallName = keyof Sys;

export interface Case {
  /** What it shows, as a fact. */
  readonly name: string;
  /** Who can do it. Default: both. */
  readonly as?: "root" | "user";
  /** It changes the process that it runs in, and so gets one of its own. */
  readonly alone?: true;
  /** A command that its process is started with, as `["unshare", "-Ur"]`: alone. */
  readonly in?: readonly string[];
  /** The exit code of its process, which a call ends or turns into another program. Default: 0. */
  readonly exitCode?: number;
  readonly run: (traced: Traced) => void | Promise<void>;
}

/** The cases of a family of calls, and which of its calls no case makes, with the reason. */
export interface Family {
  readonly cases: readonly Case[];
  readonly notRun?: Partial<Record<keyof typeof call, string>>;
}

/** One call that was made between two marks in strace's log. */
export interface Made {
  readonly mark: string;
  readonly call: keyof typeof call;
  readonly text: string;
  readonly isRoot: boolean;
  /** Which of its arguments are structs that the kernel also writes to: by the end of the call strace sees more in them. */
  readonly outputs?: readonly number[];
  /** What was wrong with how it ended, compared with what the case expects. */
  readonly wrong?: string;
  /** The message of the error that was expected. */
  readonly message?: string;
  readonly hint?: string;
  /** Its arguments, at the first time in a case: see {@link fromSample}. */
  readonly sample?: unknown;
}

/** How a call ended. */
type Outcome = { readonly result: unknown } | { readonly error: SyscallError };

/** What a case makes calls with: each is marked for strace, made, and recorded. */
export class Traced {
  readonly #log: string;
  readonly #name: string;
  readonly #dirs: string[] = [];
  readonly #sampled = new Set<string>();
  #count = 0;

  constructor(log: string, name: string) {
    this.#log = log;
    this.#name = name;
  }
  /** Makes a call that has to succeed, and returns its result. */
  call<N extends CallName>(name: N, ...args: Parameters<Sys[N]>): ReturnType<Sys[N]> {
    const outcome = this.#make(name, args, (end) => ("error" in end ? end.error.message : undefined));
    if ("error" in outcome) throw outcome.error;
    return outcome.result as ReturnType<Sys[N]>;
  }
  /** Makes a call that some kernels and machines refuse with one of these, and returns its result or nothing. */
  callOr<N extends CallName>(
    errnos: ErrnoName | readonly ErrnoName[],
    name: N,
    ...args: Parameters<Sys[N]>
  ): ReturnType<Sys[N]> | undefined {
    const outcome = this.#make(name, args, (end) =>
      "error" in end && ![errnos].flat().includes(end.error.code as ErrnoName) ? end.error.message : undefined,
    );
    return "error" in outcome ? undefined : (outcome.result as ReturnType<Sys[N]>);
  }
  /** Makes a call that has to fail with this errno, or with one of these where kernels differ. */
  fails<N extends CallName>(
    errno: ErrnoName | readonly ErrnoName[],
    name: N,
    ...args: Parameters<Sys[N]>
  ): SyscallError | undefined {
    const outcome = this.#make(name, args, failure(errno));
    return "error" in outcome ? outcome.error : undefined;
  }
  /** Makes a call that the vocabulary makes in another form, and that has to fail with this errno. */
  failsAs(errno: ErrnoName, name: Made["call"], given: Call): SyscallError | undefined {
    const outcome = this.#run(this.#begin(name, given), () => invoke(given), failure(errno));
    return "error" in outcome ? outcome.error : undefined;
  }
  /** Makes a call after which this process is no more, or is another program: see {@link Case.exitCode}. */
  ends<N extends CallName>(name: N, ...args: Parameters<Sys[N]>): void {
    const made = this.#begin(name, dataOf(name, args), args);
    this.#record(made);
    (sys[name] as (...given: unknown[]) => unknown)(...args);
    this.#record({ ...made, wrong: "it should not return" });
  }
  /** Records what else has to hold. */
  expect(fact: string, holds: boolean): void {
    const mark = `${this.#name}#${this.#count}`;
    if (!holds) this.#record({ mark, call: "getpid", text: "", isRoot, wrong: `not so: ${fact}` });
  }
  /** A new empty directory, removed after the case. */
  dir(): string {
    const dir = mkdtempSync(join(tmpdir(), "bunshare-case-"));
    this.#dirs.push(dir);
    return dir;
  }
  /** Removes the directories. */
  cleanUp(): void {
    for (const dir of this.#dirs) rmSync(dir, { recursive: true, force: true });
  }
  #make(name: CallName, args: readonly unknown[], wrong: (end: Outcome) => string | undefined): Outcome {
    const made = this.#begin(name, dataOf(name, args), args);
    return this.#run(made, () => (sys[name] as (...given: unknown[]) => unknown)(...args), wrong);
  }
  #run(made: Made, run: () => unknown, wrong: (end: Outcome) => string | undefined): Outcome {
    const outcome = attempt(run);
    mark(`end ${made.mark}`);
    const { message, hint } = "error" in outcome ? outcome.error : {};
    const problem = wrong(outcome);
    this.#record({
      ...made,
      ...(problem === undefined ? {} : { wrong: problem }),
      ...(message === undefined ? {} : { message }),
      ...(hint === undefined ? {} : { hint }),
    });
    return outcome;
  }
  #begin(name: Made["call"], given: Call, args?: readonly unknown[]): Made {
    const outputs = given.args.flatMap((arg, i) =>
      typeof arg === "object" && arg !== null && "fields" in arg && arg.out ? [i] : [],
    );
    const sample = args === undefined || this.#sampled.has(name) ? undefined : toSample(args);
    this.#sampled.add(name);
    const made = {
      mark: `${this.#name}#${++this.#count}`,
      call: name,
      text: formatCall(given),
      isRoot,
      outputs,
      ...(sample === undefined ? {} : { sample }),
    };
    mark(`begin ${made.mark}`);
    return made;
  }
  #record(made: Made): void {
    appendFileSync(this.#log, `${JSON.stringify(made)}\n`);
  }
}

const failure =
  (errno: ErrnoName | readonly ErrnoName[]) =>
  (end: Outcome): string | undefined => {
    const wanted = [errno].flat().join(" or ");
    if (!("error" in end)) return `it should fail with ${wanted}, and returned ${Bun.inspect(end.result)}`;
    const isWanted = [errno].flat().includes(end.error.code as ErrnoName);
    return isWanted ? undefined : `it should fail with ${wanted}: ${end.error.message}`;
  };

function attempt(run: () => unknown): Outcome {
  try {
    return { result: run() };
  } catch (error) {
    if (error instanceof SyscallError) return { error };
    throw error;
  }
}

/** The call as `sys` makes it: its descriptors close-on-exec. */
function dataOf(name: CallName, args: readonly unknown[]): Call {
  const primitive = call[name] as ((...given: unknown[]) => Call) & { readonly returns: Kind };
  const given = primitive(...args);
  return /^fds?$/.test(primitive.returns) ? { ...given, args: closeOnExec(given.name, given.args) } : given;
}

const isRoot = process.getuid?.() === 0;

/** A call that changes nothing and shows in strace's log: write(2) to no descriptor. */
function mark(text: string): void {
  const bytes = new TextEncoder().encode(text);
  syscall(numberOf("write", process.arch as "x64"), -1, bytes, bytes.length);
}

/** Arguments as JSON: what the form of a call's arguments is. */
function toSample(value: unknown): unknown {
  if (typeof value === "bigint") return { $bigint: String(value) };
  if (value instanceof Uint8Array) return { $bytes: value.length };
  if (value instanceof Fd) return 0;
  if (Array.isArray(value)) return value.map(toSample);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, toSample(part)]));
}

/** Arguments of that form again. */
export function fromSample(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromSample);
  if (typeof value !== "object" || value === null) return value;
  if ("$bigint" in value) return BigInt(String(value.$bigint));
  if ("$bytes" in value) return new Uint8Array(Number(value.$bytes));
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, fromSample(part)]));
}
