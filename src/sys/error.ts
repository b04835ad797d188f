/** The kernel said no: which call, on what, with which errno, and in which step. */
import type { Call } from "./call.ts";
import type { ErrnoName } from "./errno.ts";

/** The step of a box that failed. */
export interface FailedStep {
  /** Its number in `explain()`, from 1. */
  readonly index: number;
  readonly label: string;
  /** host, box, undo, ... */
  readonly section: string;
}

/** What a SyscallError says, beside its message. */
export type SyscallErrorFields = Pick<SyscallError, "code" | "errno" | "call"> &
  Partial<Pick<SyscallError, "path" | "step" | "hint" | "kernelLog" | "cause">>;

/**
 * A syscall failed. `code`, `errno` (negative), `syscall` and `path` are those of Node's system errors.
 *
 * `step 7: mount overlay on /etc: EINVAL (Invalid argument)`, or without a step `mount("/a", ...): EINVAL (Invalid argument)`.
 */
export class SyscallError extends Error {
  override readonly name = "SyscallError";
  /** `EPERM`; `E` and the number for an errno without a name. errno(3) */
  readonly code: ErrnoName | `E${number}`;
  /** The errno, negative as in Node's system errors. */
  readonly errno: number;
  /** The kernel's name of the call: `mount_setattr`. */
  readonly syscall: string;
  /** What was asked for, as data. */
  readonly call: Call;
  /** The file that the call was about: the path that it was given, or that of the file behind its descriptor. */
  readonly path: string | undefined;
  /** The step of a box that failed; undefined for a call that was run by itself. */
  readonly step: FailedStep | undefined;
  /** One sentence or two on the likely cause and the cure, where the field knows one. */
  readonly hint: string | undefined;
  /** What the kernel wrote about it to the fs context, a line each: `e overlay: ...` for errors, `w` for warnings, `i` for the rest. fsopen(2) */
  readonly kernelLog: string | undefined;

  /** Made by `syscallError`, which writes the message. */
  constructor(message: string, fields: SyscallErrorFields) {
    super(message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.errno = fields.errno;
    this.syscall = fields.call.name;
    this.call = fields.call;
    this.path = fields.path;
    this.step = fields.step;
    this.hint = fields.hint;
    this.kernelLog = fields.kernelLog;
  }
}
