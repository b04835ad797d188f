/** The kernel said no: which call, on what, with which errno, and in which step. */
import type { Call } from "./call.ts";
import { errnoName, type ErrnoName, errnoText } from "./errno.ts";
import { formatCallBriefly } from "./format.ts";
import type { SyscallName } from "./numbers.ts";

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
  /** The file behind the call's descriptor, where the call names none. */
  readonly path?: string;
  readonly cause?: unknown;
}

/** Calls whose path is not their first string: the index of the argument that is, or none. */
const pathIndex: Partial<Record<SyscallName, number>> = {
  mount: 1,
  symlinkat: 2,
  fsopen: -1,
  fsconfig: -1,
  memfd_create: -1,
  fsetxattr: -1,
  fgetxattr: -1,
  fremovexattr: -1,
  add_key: -1,
  request_key: -1,
  keyctl: -1,
};

function pathOf({ name, args }: Call): string | undefined {
  const index = pathIndex[name];
  const path = index === undefined ? args.find((arg) => typeof arg === "string") : args[index];
  // An empty path means the descriptor before it.
  return typeof path === "string" && path !== "" ? path : undefined;
}

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

  /** @param errno Positive: 1 is EPERM. */
  constructor(call: Call, errno: number, details: SyscallErrorDetails = {}) {
    const code = errnoName(errno);
    const what = details.step ? `step ${details.step.index}: ${details.step.label}` : formatCallBriefly(call);
    const why = code ? `${code} (${errnoText(code)})` : `errno ${errno}`;
    const log = details.kernelLog ? `: ${details.kernelLog.replaceAll(/^[a-z] /gm, "").replaceAll("\n", "; ")}` : "";
    const hint = details.hint ? `. ${details.hint}` : "";
    super(`${what}: ${why}${log}${hint}`, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code ?? `E${errno}`;
    this.errno = -errno;
    this.syscall = call.name;
    this.call = call;
    this.path = pathOf(call) ?? details.path;
    this.step = details.step;
    this.hint = details.hint;
    this.kernelLog = details.kernelLog;
  }
}
