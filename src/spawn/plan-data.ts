/** What a plan is: sections of steps, plain data that survives `JSON.stringify`. */
import type { Step } from "../sys/step.ts";
import type { Arch } from "../sys/numbers.ts";

/**
 * The sections of a plan, in the order in which they are printed and numbered.
 * - `host`: in the monitor, with the caller's rights, up to the clone, and what a waiting child needs done from outside
 * - `mapUids`, `mapGids`: newuidmap and newgidmap, run by the monitor
 * - `box`: in the child, up to the execve
 * - `inner`: in a child of the box, where a namespace takes in only children
 * - `program`: in the child of a process that stays as PID 1
 * - `undo`: in the monitor, after the box has ended or a host step has failed
 */
export const sectionNames = ["host", "mapUids", "mapGids", "box", "inner", "program", "undo"] as const;
/** The part of a plan that a step belongs to: who runs it, and when. */
export type SectionName = (typeof sectionNames)[number];

/** A program of syscalls that sets up a box, runs a command in it and cleans up. `encode` makes an executable of it. */
export interface Plan {
  /** The format: changes when an older reader would misread it. */
  readonly version: 1;
  readonly arch: Arch;
  /** As it was given: the program first. */
  readonly command: readonly string[];
  readonly sections: Readonly<Partial<Record<SectionName, readonly Step[]>>>;
  /** Descriptors of this process that the stage is given as 5, 6, ...: namespaces to join. */
  readonly passed: readonly { readonly what: string; readonly fd: number }[];
  /** What `status()` says about the group: how to name it, and which blocks of the report hold which file. */
  readonly cgroup?: PlannedCgroup;
  /** For the set-up. */
  readonly deadlineMs: number;
  /** A terminal has to be given to each launch. */
  readonly hasTerminal: boolean;
  /** Those of Bun.spawn's options that are data. */
  readonly io: PlannedIo;
}

/** Bun.spawn's options as far as they survive JSON. */
export interface PlannedIo {
  readonly stdin?: PlannedStdio;
  readonly stdout?: PlannedStdio;
  readonly stderr?: PlannedStdio;
  /** Milliseconds. */
  readonly timeout?: number;
  /** What `timeout`, `signal` and `maxBuffer` send. */
  readonly killSignal?: NodeJS.Signals | number;
  /** Bytes of output after which `killSignal` is sent. */
  readonly maxBuffer?: number;
}
type PlannedStdio = "pipe" | "inherit" | "ignore" | number | null;

/** The group of a box, as far as what is told of it afterwards is concerned. */
export interface PlannedCgroup {
  /** Directories of the group, one a hierarchy; `{monitor}` stands for the pid of the monitor. */
  readonly directories: readonly string[];
  /** Files read at the end, under their v2 name or their own. */
  readonly reads: readonly string[];
}

/** A step with its place: `number` counts from 1 over all sections, as `explain` prints it. */
export interface PlacedStep {
  readonly step: Step;
  readonly section: SectionName;
  readonly number: number;
}

const listed = new WeakMap<Plan["sections"], readonly PlacedStep[]>();

/** All steps in printed order; the index is the step's place in the report. Made once for each plan. */
export function allSteps({ sections }: Pick<Plan, "sections">): readonly PlacedStep[] {
  const known = listed.get(sections) ?? list(sections);
  listed.set(sections, known);
  return known;
}

function list(sections: Plan["sections"]): PlacedStep[] {
  const placed: PlacedStep[] = [];
  for (const section of sectionNames)
    for (const step of sections[section] ?? []) placed.push({ step, section, number: placed.length + 1 });
  return placed;
}
