/** A case: a stretch of real calls of the vocabulary, made in a process under strace(1), and what was expected of each. */
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { syscall } from "../../../ffi/syscall.ts";
import type { ErrnoName } from "../../../src/sys/errno.ts";
import { SyscallError } from "../../../src/sys/error.ts";
import { formatCall } from "../../../src/sys/format.ts";
import { type Sys, sys } from "../../../src/sys/invoke.ts";
import { call, numberOf } from "../../../src/sys/mod.ts";

/** A call of the vocabulary, by its name there. */
export type CallName = keyof Sys;

export interface Case {
  /** What it shows, as a fact. */
  readonly name: string;
  /** Who can do it. Default: both. */
  readonly as?: "root" | "user";
  /** It changes the process that it runs in, and so gets one of its own. */
  readonly alone?: true;
  readonly run: (traced: Traced) => void | Promise<void>;
}

/** The cases of a family of calls, and which of its calls no case makes, with the reason. */
export interface Family {
  readonly cases: readonly Case[];
  readonly notRun?: Partial<Record<CallName, string>>;
}

/** One call that was made between two marks in strace's log. */
export interface Made {
  readonly mark: string;
  readonly call: CallName;
  readonly text: string;
  readonly isRoot: boolean;
  /** What was wrong with how it ended, compared with what the case expects. */
  readonly wrong?: string;
  /** The message of the error that was expected. */
  readonly message?: string;
  readonly hint?: string;
}

/** What a case makes calls with: each is marked for strace, made, and recorded. */
export class Traced {
  readonly #log: string;
  readonly #name: string;
  readonly #dirs: string[] = [];
  #count = 0;

  constructor(log: string, name: string) {
    this.#log = log;
    this.#name = name;
  }
  /** Makes a call that has to succeed, and returns its result. */
  call<N extends CallName>(name: N, ...args: Parameters<Sys[N]>): ReturnType<Sys[N]> {
    const made = this.#begin(name, args);
    try {
      const result = (sys[name] as (...given: unknown[]) => unknown)(...args);
      this.#end(made);
      return result as ReturnType<Sys[N]>;
    } catch (error) {
      this.#end({ ...made, wrong: String(error) });
      throw error;
    }
  }
  /** Makes a call that has to fail with this errno. */
  fails<N extends CallName>(errno: ErrnoName, name: N, ...args: Parameters<Sys[N]>): SyscallError | undefined {
    const made = this.#begin(name, args);
    try {
      const result = (sys[name] as (...given: unknown[]) => unknown)(...args);
      this.#end({ ...made, wrong: `it should fail with ${errno}, and returned ${Bun.inspect(result)}` });
    } catch (error) {
      if (!(error instanceof SyscallError)) throw error;
      const wrong = error.code === errno ? {} : { wrong: `it should fail with ${errno}: ${error.message}` };
      this.#end({ ...made, ...wrong, message: error.message, ...(error.hint ? { hint: error.hint } : {}) });
      return error;
    }
    return undefined;
  }
  /** Records what else has to hold. */
  expect(fact: string, holds: boolean): void {
    if (!holds)
      this.#record({
        mark: `${this.#name}#${this.#count}`,
        call: "getpid",
        text: "",
        isRoot,
        wrong: `not so: ${fact}`,
      });
  }
  /** A new empty directory, removed after the case. */
  dir(): string {
    const dir = mkdtempSync(join(tmpdir(), "bunshare-case-"));
    this.#dirs.push(dir);
    return dir;
  }
  cleanUp(): void {
    for (const dir of this.#dirs) rmSync(dir, { recursive: true, force: true });
  }
  #begin(name: CallName, args: readonly unknown[]): Made {
    const text = formatCall((call[name] as (...given: unknown[]) => ReturnType<typeof call.getpid>)(...args));
    const made = { mark: `${this.#name}#${++this.#count}`, call: name, text, isRoot };
    mark(`begin ${made.mark}`);
    return made;
  }
  #end(made: Made): void {
    mark(`end ${made.mark}`);
    this.#record(made);
  }
  #record(made: Made): void {
    appendFileSync(this.#log, `${JSON.stringify(made)}\n`);
  }
}

const isRoot = process.getuid?.() === 0;

/** A call that changes nothing and shows in strace's log: write(2) to no descriptor. */
function mark(text: string): void {
  const bytes = new TextEncoder().encode(text);
  syscall(numberOf("write", process.arch as "x64"), -1, bytes, bytes.length);
}
