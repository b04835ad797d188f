/** The message of an error: what was tried, on what, the kernel's answer, and what is known beyond. */
import type { Call } from "./call.ts";
import { errnoName, errnoText } from "./errno.ts";
import { SyscallError, type SyscallErrorFields } from "./error.ts";
import { formatCallBriefly } from "./format.ts";
import type { SyscallName } from "./numbers.ts";

/** What an error can say beyond call and errno; the path where the call names none. */
export type SyscallErrorDetails = Pick<SyscallErrorFields, "path" | "step" | "hint" | "kernelLog" | "cause">;

/**
 * The error of a call that failed, with its message.
 * @param errno Positive: 1 is EPERM.
 */
export function syscallError(call: Call, errno: number, details: SyscallErrorDetails = {}): SyscallError {
  const { step, kernelLog, hint } = details;
  const code = errnoName(errno);
  const parts = [
    step ? `step ${step.index}: ${step.label}` : formatCallBriefly(call),
    code ? `${code} (${errnoText(code)})` : `errno ${errno}`,
    // Without the letter that says how bad it is.
    ...(kernelLog === undefined ? [] : [kernelLog.replaceAll(/^[a-z] /gm, "").replaceAll("\n", "; ")]),
  ];
  const message = parts.join(": ") + (hint === undefined ? "" : `. ${hint}`);
  const path = pathOf(call) ?? details.path;
  return new SyscallError(message, { ...details, path, code: code ?? `E${errno}`, errno: -errno, call });
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
  // The name of an interface.
  ioctl: -1,
};

function pathOf({ name, args }: Call): string | undefined {
  const index = pathIndex[name];
  const path = index === undefined ? args.find((arg) => typeof arg === "string") : args[index];
  // An empty path means the descriptor before it.
  return typeof path === "string" && path !== "" ? path : undefined;
}
