/** A plan in words: each step, and the syscall it makes, as strace will show it. Pure. */
import { formatCall, formatCallBriefly } from "../sys/format.ts";
import type { Step } from "../sys/step.ts";
import { allSteps, type Plan, type SectionName } from "./plan-data.ts";

/** What each section is, for its headline. */
const headlines: Record<SectionName, string> = {
  host: "host: in the monitor, with the caller's rights",
  mapUids: "mapUids: in a child of the monitor",
  mapGids: "mapGids: in a child of the monitor",
  box: "box: in the new process",
  inner: "inner: in its child",
  program: "program: in the child of the one that stays",
  undo: "undo: in the monitor, when the box has ended",
};

/** The plan as text: a line a step, its number, its label and its call. */
export function explain(plan: Plan): string {
  const steps = allSteps(plan);
  const width = String(steps.length).length;
  let section: SectionName | undefined;
  const lines: string[] = [];
  for (const { step, section: here, number } of steps) {
    if (here !== section) lines.push(...(section === undefined ? [] : [""]), headlines[here]);
    section = here;
    lines.push(`${String(number).padStart(width + 2)}  ${step.label}`, `${" ".repeat(width + 6)}${describe(step)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** The same as data: for tools, and for `--json`. */
export function explainJson(plan: Plan): object[] {
  return allSteps(plan).map(({ step, section, number }) => ({
    step: number,
    section,
    label: step.label,
    ...("call" in step ? { call: formatCall(step.call) } : { act: step.act }),
    ...("tolerate" in step && step.tolerate ? { tolerate: step.tolerate } : {}),
  }));
}

function describe(step: Step): string {
  if (!("call" in step)) return `(${acts[step.act]})`;
  const passed = step.tolerate ? `  # or ${step.tolerate.join(", ")}` : "";
  return `${formatCallBriefly(step.call)}${passed}`;
}

const acts = {
  watch: "rt_sigtimedwait and wait4, signals passed on with kill",
  reap: "kill and wait4 for each child, until there is none",
  finish: "exit_group with the program's code, or kill itself with its signal",
} as const;
