/** What Bun cannot know of an ended box. Pure. */
import { type CgroupUsage, usage } from "../cgroup/usage.ts";
import { decimalWidth } from "../sys/encode.ts";
import { errnoName } from "../sys/errno.ts";
import { formatCallBriefly } from "../sys/format.ts";
import { allSteps, type Plan, type SectionName } from "./plan-data.ts";
import type { Report } from "./report.ts";

/** How a box ended, and what it took. */
export interface BoxStatus {
  /** Null where a signal ended the program. */
  readonly exitCode: number | null;
  readonly signalCode: NodeJS.Signals | null;
  /** A process of the box was killed for want of memory. */
  readonly oomKilled: boolean;
  /** From the start of the set-up to the end of the undoing, in milliseconds. */
  readonly durationMs: number;
  /** What the groups counted, and where they were. */
  readonly cgroup: (CgroupUsage & { readonly directories: readonly string[] }) | undefined;
  /** Steps that the kernel refused and that the plan allows to go without: what is missing in the box. */
  readonly downgrades: readonly {
    readonly step: number;
    readonly label: string;
    readonly code: string;
    readonly lost: string;
  }[];
  /** The first undo step that failed: something may be left. */
  readonly leftBehind: { readonly step: number; readonly label: string; readonly code: string } | undefined;
  /** In the order in which they began. */
  readonly timeline: readonly TimelineEntry[];
}

/** One step that was begun. */
export interface TimelineEntry {
  /** Its number, as `explain` prints it. */
  readonly step: number;
  readonly section: SectionName;
  readonly label: string;
  /** In strace(1)'s notation, shortened; undefined for an act of the stage that is no call. */
  readonly call: string | undefined;
  /** Microseconds from the start of the monitor. */
  readonly startUs: number;
  /** Microseconds until the same process began its next step; undefined for the last. */
  readonly durationUs: number | undefined;
  /** What the kernel returned; -errno for what was tolerated. */
  readonly result: number;
}

/** What a plan and its report tell of a box that has ended. Pure. */
export function boxStatus(
  plan: Plan,
  report: Report,
  end: { exitCode: number | null; signalCode: NodeJS.Signals | null; monitor: number },
): BoxStatus {
  const steps = allSteps(plan);
  const start = report.nanoseconds("start") ?? 0n;
  const durationMs = Number((report.nanoseconds("end") ?? start) - start) / 1e6;
  const counted = plan.cgroup && usage(Object.fromEntries(plan.cgroup.reads.map((file) => [file, report.text(file)])));
  const directories = groupDirectories(plan, end.monitor);
  const left = report.undoFailed && steps[report.undoFailed.index];
  const code = (errno: number): string => errnoName(errno) ?? `E${errno}`;
  return {
    exitCode: end.exitCode,
    signalCode: end.signalCode,
    oomKilled: counted?.oomKilled ?? false,
    durationMs,
    cgroup: counted && { ...counted, directories },
    downgrades: steps.flatMap(({ step, number }, i) => {
      const result = report.result(i);
      return "call" in step && step.downgrade !== undefined && result < 0
        ? [{ step: number, label: step.label, code: code(-result), lost: step.downgrade }]
        : [];
    }),
    leftBehind:
      left && report.undoFailed
        ? { step: left.number, label: left.step.label, code: code(report.undoFailed.errno) }
        : undefined,
    timeline: timeline(plan, report),
  };
}

/** The box's groups, by the pid of its monitor. */
export function groupDirectories({ cgroup }: Plan, monitor: number): string[] {
  const digits = String(monitor).padStart(decimalWidth, "0");
  return (cgroup?.directories ?? []).map((path) => path.replace("{monitor}", digits));
}

/** The steps in the order in which they began. Ticks become time by the two clock readings that the plan makes itself. */
export function timeline(plan: Plan, report: Report): TimelineEntry[] {
  const steps = allSteps(plan).map((place, i) => ({ ...place, ticks: report.ticks(i), result: report.result(i) }));
  const reading = (block: string) =>
    steps.find(
      ({ step }) =>
        "call" in step &&
        step.call.args.some(
          (arg) => typeof arg === "object" && arg !== null && "report" in arg && arg.report === block,
        ),
    );
  const [start, end] = [reading("start"), reading("end")];
  const nanoseconds = Number((report.nanoseconds("end") ?? 0n) - (report.nanoseconds("start") ?? 0n));
  const ticks = Number((end?.ticks ?? 0n) - (start?.ticks ?? 0n));
  const usPerTick = ticks > 0 && nanoseconds > 0 ? nanoseconds / ticks / 1000 : Number.NaN;
  const begun = steps.filter((one) => one.ticks !== 0n).toSorted((a, b) => Number(a.ticks - b.ticks));
  const origin = begun[0]?.ticks ?? 0n;
  const process = (section: SectionName): string => (section === "undo" ? "host" : section);
  return begun.map((one, i) => {
    const next = begun.slice(i + 1).find((other) => process(other.section) === process(one.section));
    return {
      step: one.number,
      section: one.section,
      label: one.step.label,
      call: "call" in one.step ? formatCallBriefly(one.step.call) : undefined,
      startUs: Number(one.ticks - origin) * usPerTick,
      durationUs: next && Number(next.ticks - one.ticks) * usPerTick,
      result: one.result,
    };
  });
}
