/** A step: a syscall that a box runs later, with the words that name it in plans, errors and timelines. */
import type { Call } from "./call.ts";
import type { ErrnoName } from "./errno.ts";

interface StepBase {
  /** A short imperative phrase that reads well after "step 3:". */
  readonly label: string;
  /** The id of an earlier step that must have succeeded; otherwise this one is passed over. Undo steps name what they undo. */
  readonly needs?: string;
}

/** A syscall to be made by the stage. */
export interface CallStep extends StepBase {
  readonly call: Call;
  /** The name under which later steps use the result. */
  readonly id?: string;
  /** Errnos that are recorded and passed over: at most four. */
  readonly tolerate?: readonly ErrnoName[];
  /** What is lost where one was tolerated, in one sentence; without it the errno means that nothing was to be done. */
  readonly downgrade?: string;
  /** An errno that is worth another try, for at most that long (65,535 ms). */
  readonly retry?: { readonly errno: ErrnoName; readonly ms: number };
  /** Fail with `errno` unless `word & mask == equals`, for the 32-bit word at `offset` of what the argument points to. */
  readonly expect?: {
    readonly arg: number;
    readonly offset: number;
    readonly mask: number;
    readonly equals: number;
    readonly errno: ErrnoName;
  };
  /** The section that the child of this clone3 goes on with. */
  readonly fork?: string;
}

/** Something the stage does that takes more than one syscall. */
export interface ActStep extends StepBase {
  /**
   * - `watch`: wait for the process whose pid the step `pid` returned, and pass on signals to it; kill it when the deadline passes
   *   before it has reached its execve.
   * - `reap`: kill and reap all descendants.
   * - `finish`: end as the program ended.
   */
  readonly act: "watch" | "reap" | "finish";
  readonly pid?: string;
  /** 0: none. */
  readonly deadlineMs?: number;
  /** Descriptor of a pipe that hangs up at the execve. */
  readonly hangUp?: number;
  /** The process is PID 1 of its namespace: a signal that the kernel would drop there ends it, as it would any other process. */
  readonly isPid1?: boolean;
}

/** One step of a box. */
export type Step = CallStep | ActStep;

/** A step that makes a call; `more` holds what is not usual. */
export function step(label: string, call: Call, more: Omit<CallStep, "label" | "call"> = {}): CallStep {
  // A name in it may hold what would move a terminal's cursor.
  const printable = label.replaceAll(/\p{Cc}/gu, (c) => JSON.stringify(c).slice(1, -1));
  return { label: printable, call, ...more };
}
