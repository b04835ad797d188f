/** The kernel said no: which call, on what, with which errno, and in which step. */
import type { Call } from "./call.ts";
import { errnoName, type ErrnoName, errnoText } from "./errno.ts";
import { formatCall } from "./format.ts";

/** The step of a box that failed. */
export interface FailedStep {
  /** Its number in `explain()`, from 1. */
  readonly index: number;
  readonly label: string;
  /** host, box, undo, ... */
  readonly section: string;
}

/** What a SyscallError can say beyond call and errno. */
export interface SyscallErrorDetails {
  readonly step?: FailedStep;
  /** One sentence on the likely cause and the cure. */
  readonly hint?: string;
  /** What the kernel wrote about it, where it writes (the log of an fs context). */
  readonly kernelLog?: string;
  readonly cause?: unknown;
}

/**
 * A syscall failed. `code`, `errno` (negative), `syscall` and `path` are those of Node's system errors.
 *
 * `step 7: mount overlay on /etc: EINVAL (Invalid argument)`, or without a step `mount("/a", ...): EINVAL (Invalid argument)`.
 */
export class SyscallError extends Error {
  override readonly name = "SyscallError";
  readonly code: ErrnoName | `E${number}`;
  readonly errno: number;
  readonly syscall: string;
  readonly call: Call;
  readonly path: string | undefined;
  readonly step: FailedStep | undefined;
  readonly hint: string | undefined;
  readonly kernelLog: string | undefined;

  constructor(call: Call, errno: number, details: SyscallErrorDetails = {}) {
    const code = errnoName(errno);
    const what = details.step ? `step ${details.step.index}: ${details.step.label}` : formatCall(call);
    const why = code ? `${code} (${errnoText(code)})` : `errno ${errno}`;
    const hint = details.hint ? `. ${details.hint}` : "";
    super(`${what}: ${why}${hint}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code ?? `E${errno}`;
    this.errno = -errno;
    this.syscall = call.name;
    this.call = call;
    this.path = call.args.find((arg) => typeof arg === "string");
    this.step = details.step;
    this.hint = details.hint;
    this.kernelLog = details.kernelLog;
  }
}
