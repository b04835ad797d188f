/** What a command says when it fails: a line on standard error, and the exit code that a shell would know. */
import { styleText } from "node:util";
import { formatCallBriefly } from "../../src/sys/format.ts";
import { ParseError } from "../../src/proc/parse-error.ts";
import { SyscallError } from "../../src/sys/error.ts";
import { OptionsError } from "../../src/sys/options-error.ts";
import { UsageError } from "./command.ts";
import { optionsThatSet } from "./options.ts";

/** The codes that are not the program's own. */
export const exitCodes = { usage: 2, setUp: 125, notExecutable: 126, notFound: 127 } as const;

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage;
  if (!isOfProgram(error)) return exitCodes.setUp;
  return error.code === "ENOENT" ? exitCodes.notFound : exitCodes.notExecutable;
}

/** The execve of the program itself: newuidmap is executed too, but in another section. */
function isOfProgram(error: unknown): error is SyscallError {
  return (
    error instanceof SyscallError &&
    error.syscall === "execve" &&
    ["box", "inner", "program"].includes(error.step?.section ?? "")
  );
}

/**
 * `bunshare: step 7: mount overlay on /etc: EINVAL (Invalid argument)`, and the hint on a line of its own.
 * @param given The command line's options, to name those that are to blame
 */
export function failureText(error: unknown, given: readonly string[] = []): string {
  const { message, hint } = parts(error, given);
  const name = styleText(["red", "bold"], "bunshare:", { stream: process.stderr });
  return [
    `${name} ${message}`,
    ...(hint === undefined ? [] : [`  ${styleText("dim", hint, { stream: process.stderr })}`]),
  ]
    .map((line) => `${line}\n`)
    .join("");
}

function parts(error: unknown, given: readonly string[]): { message: string; hint?: string } {
  if (error instanceof UsageError) return { message: error.message };
  if (error instanceof SyscallError) {
    if (error.hint === undefined) return { message: error.message };
    return { message: error.message.replace(`. ${error.hint}`, ""), hint: error.hint };
  }
  if (error instanceof OptionsError) {
    const option = /^(?:options\.)?(\w+)/.exec(error.where)?.[1] ?? "";
    const names = optionsThatSet(option).filter((name) => given.includes(name));
    return { message: names.length > 0 ? `${names.join(" and ")}: ${error.message}` : error.message };
  }
  // The kernel's answers to Bun itself, such as EMFILE, have a code; anything else is a mistake of ours.
  const isKnown = error instanceof ParseError || (error instanceof Error && "code" in error);
  if (error instanceof Error) return { message: isKnown ? error.message : String(error.stack) };
  return { message: String(error) };
}

/** The same as an object, for `--json`. */
export function failureJson(error: unknown): object {
  if (error instanceof SyscallError) {
    const { name, message, code, syscall, call, step, hint } = error;
    return { error: { name, message, code, syscall, call: formatCallBriefly(call), step, hint } };
  }
  if (error instanceof OptionsError) {
    const { name, message, where } = error;
    return { error: { name, message, where } };
  }
  const { name, message } = error instanceof Error ? error : { name: "Error", message: String(error) };
  return { error: { name, message } };
}
