/** A program in its box: Bun.Subprocess, seen through the monitor, and what Bun cannot know. */
import { constants } from "node:os";
import type { Fd } from "../sys/fd.ts";
import type { SpawnOptions } from "./options.ts";
import { allSteps, type Plan } from "./plan-data.ts";
import { type Report, readReport } from "./report.ts";
import { type BoxStatus, boxStatus } from "./status.ts";
import type { PipeWriter, Stdio } from "./stdio.ts";

/** The order to take the box down, in the place of SIGKILL: the monitor must live to undo. See ffi/stage.c. */
const takeDown = constants.signals.SIGSTKFLT ?? 16;

/** What to send the monitor, so that the program gets this signal. */
export function monitorSignal(signal: NodeJS.Signals | number | undefined): NodeJS.Signals | number | undefined {
  return signal === 9 || signal === "SIGKILL" ? takeDown : signal;
}

/**
 * A running box. Names and meanings are Bun.Subprocess's; `status()` is ours.
 * `await using` ends it: the program is killed, and everything undone, when the block is left.
 */
export class IsolatedProcess implements AsyncDisposable {
  /** Writes to the program, with `stdin: "pipe"`. */
  readonly stdin: PipeWriter | undefined;
  /** What the program writes, with `stdout: "pipe"`, the default. */
  readonly stdout: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** With `stderr: "pipe"`. */
  readonly stderr: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** With `terminal`. */
  readonly terminal: Bun.Terminal | undefined;
  /** The box's first process, as the host counts; without `init`, the program. */
  readonly pid: number;
  /** The process that watches over the box and cleans up after it; what signals are sent to. */
  readonly monitorPid: number;
  /** The exit code, 128 + n where signal n ended it; once everything has been undone. */
  readonly exited: Promise<number>;
  readonly #child: Bun.Subprocess;
  readonly #stdio: Stdio;
  readonly #plan: Plan;
  #report: Report | undefined;

  /** Made by `launch`. */
  constructor(plan: Plan, child: Bun.Subprocess, report: Fd, stdio: Stdio, onExit: SpawnOptions["onExit"]) {
    this.#plan = plan;
    this.#child = child;
    this.#stdio = stdio;
    this.stdin = stdio.stdin;
    // As with Bun, whoever asked for "pipe" may read; the type does not follow the option.
    this.stdout = stdio.stdout as ReadableStream<Uint8Array<ArrayBuffer>>;
    this.stderr = stdio.stderr as ReadableStream<Uint8Array<ArrayBuffer>>;
    this.terminal = child.terminal;
    this.monitorPid = child.pid;
    this.pid = firstPid(plan, readReport(report.number, plan)) ?? child.pid;
    this.exited = child.exited.then((code) => {
      this.#report = readReport(report.number, plan);
      report.close();
      // Nobody is there to read any more.
      this.stdin?.close();
      // In a turn of its own: an error in it is the caller's, not the box's.
      if (onExit) queueMicrotask(() => onExit(this, this.exitCode, this.signalCode));
      return code;
    });
  }

  /** Null while it runs, and when a signal ended it. */
  get exitCode(): number | null {
    return this.#child.exitCode;
  }
  /** Null while it runs, and when the program ended by itself. */
  get signalCode(): NodeJS.Signals | null {
    return this.#child.signalCode as NodeJS.Signals | null;
  }
  /** Whether it has ended, or been sent a signal that it ended by. */
  get killed(): boolean {
    return this.#child.killed;
  }

  /**
   * Sends the program a signal; SIGTERM by default. SIGKILL takes the whole box down. A signal that would end any process ends also a
   * program that is PID 1 and does not handle it, where the kernel alone would drop it.
   */
  kill(signal?: NodeJS.Signals | number): void {
    if (signal === "SIGSTOP" || signal === constants.signals.SIGSTOP) {
      // The monitor itself must go on: it could not end the box any more.
      if (this.exitCode === null && this.signalCode === null) process.kill(this.pid, "SIGSTOP");
      return;
    }
    this.#child.kill(monitorSignal(signal));
    if (monitorSignal(signal) === takeDown) this.#child.kill("SIGCONT");
  }
  /** Keeps the event loop alive until the end; so it is at first. */
  ref(): void {
    this.#child.ref();
  }
  /** Lets the event loop end. The box then ends with this process: it never outlives it. */
  unref(): void {
    this.#child.unref();
  }
  /** Of the whole box, monitor included, once it has ended. getrusage(2) */
  resourceUsage(): Bun.ResourceUsage | undefined {
    return this.#child.resourceUsage();
  }

  /** How it ended and what it took; waits for the end. */
  async status(): Promise<BoxStatus> {
    await this.exited;
    const end = { exitCode: this.exitCode, signalCode: this.signalCode, monitor: this.monitorPid };
    return boxStatus(this.#plan, this.#report as Report, end);
  }

  /** Kills what still runs, and waits until everything has been undone. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.exitCode === null && this.signalCode === null) this.kill("SIGKILL");
    await this.exited;
    this.#stdio.closeOwn();
  }
}

/** What the last clone of a process in sight returned: that of the box, or of the one inside it. */
function firstPid(plan: Plan, report: Report): number | undefined {
  const clones = allSteps(plan).flatMap(({ step }, i) =>
    "call" in step && (step.fork === "box" || step.fork === "inner") ? [report.result(i)] : [],
  );
  return clones.findLast((pid) => pid > 0);
}
