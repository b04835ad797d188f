/** From a report to the error: which step ended the set-up, and why. Pure. */
import { errnoName, type ErrnoName, errnoNumber } from "../sys/errno.ts";
import type { SyscallError } from "../sys/error.ts";
import { syscallError } from "../sys/message.ts";
import type { CallStep } from "../sys/step.ts";
import { usage } from "../cgroup/usage.ts";
import { allSteps, type PlacedStep, type Plan, type SectionName } from "./plan-data.ts";
import type { Report } from "./report.ts";

/** The step that the set-up ended at. */
export interface Failure {
  readonly place: PlacedStep;
  readonly errno: number;
  /** Instead of a hint from the table. */
  readonly reason?: string;
}

/** Undefined: the program has been executed. To be asked when the status pipe has hung up. */
export function failureOf(plan: Plan, report: Report): Failure | undefined {
  const steps = allSteps(plan);
  const at = (index: number): PlacedStep => steps[index] as PlacedStep;
  if (report.failed) return preferAccess(steps, report, { place: at(report.failed.index), errno: report.failed.errno });
  const last = lastBegun(steps, report);
  if (last === undefined) {
    const reason = "The stage ended before its first step: it could not be executed, or was killed";
    return { place: at(0), errno: errnoNumber("ECHILD"), reason };
  }
  if (report.isLate)
    return {
      place: last,
      errno: errnoNumber("ETIMEDOUT"),
      reason: `The set-up did not end within ${plan.deadlineMs} ms`,
    };
  // The box wrote down each step before it made it: beyond the execve nobody writes any more.
  if ("call" in last.step && last.step.call.name === "execve") return undefined;
  return { place: last, errno: errnoNumber("EINTR"), reason: "The box was killed during the set-up" };
}

/** As in execvp(3): if one candidate in the PATH is there but may not be executed, that is the answer. */
function preferAccess(steps: readonly PlacedStep[], report: Report, failure: Failure): Failure {
  if (
    !("call" in failure.place.step) ||
    failure.place.step.call.name !== "execve" ||
    errnoName(failure.errno) !== "ENOENT"
  )
    return failure;
  const index = steps.findIndex(
    ({ step }, i) => "call" in step && step.call.name === "execve" && report.result(i) === -errnoNumber("EACCES"),
  );
  const place = steps[index];
  return place ? { place, errno: errnoNumber("EACCES") } : failure;
}

/** The step that the box began last; where it never began, the monitor's. */
function lastBegun(steps: readonly PlacedStep[], report: Report): PlacedStep | undefined {
  const begun = (sections: readonly SectionName[]): PlacedStep | undefined =>
    steps.findLast(({ step, section }, i) => "call" in step && sections.includes(section) && report.ticks(i) !== 0n);
  return begun(["box", "inner", "program"]) ?? begun(["host"]);
}

/**
 * The failure as the error that `launch` rejects with: the step, its call, the errno, and a hint where one is known.
 * @param end The report when the monitor has ended: with what undoing it said, and what the group counted.
 */
export function errorOf({ place, errno, reason }: Failure, plan: Plan, end: Report): SyscallError {
  const { step, section, number } = place;
  const call = (step as CallStep).call;
  const isOom = usage(Object.fromEntries((plan.cgroup?.reads ?? []).map((file) => [file, end.text(file)]))).oomKilled;
  const killed = isOom && errnoName(errno) === "EINTR";
  const cure = killed
    ? "The box ran out of memory during the set-up: memory.max is too small"
    : (reason ?? (end.kernelLog === undefined ? hint(call, errnoName(errno), step.label) : undefined));
  const left = end.undoFailed && allSteps(plan)[end.undoFailed.index];
  const leftOver =
    left && end.undoFailed
      ? `Undoing failed too, at step ${left.number}: ${left.step.label}: ${name(end.undoFailed.errno)}`
      : undefined;
  const hints = [cure, leftOver].filter((text) => text !== undefined);
  return syscallError(call, killed ? errnoNumber("ENOMEM") : errno, {
    step: { index: number, label: step.label, section },
    hint: hints.length > 0 ? hints.join(". ") : undefined,
    kernelLog: end.kernelLog,
  });
}

const name = (errno: number): ErrnoName | string => errnoName(errno) ?? String(errno);

/** Loaded when something has failed: most programs never see it. */
const hint: typeof import("./hints.ts").hintFor = (...args) =>
  (require("./hints.ts") as typeof import("./hints.ts")).hintFor(...args);
