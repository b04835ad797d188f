/** The report: a page that the stage and its launcher share, in which every step leaves its result and the time it began. */
import { readSync } from "node:fs";
import { decodeText } from "../sys/decode.ts";
import { allSteps, type Plan } from "./plan-data.ts";

/** `struct report` of ffi/stage.c; the entries follow, 16 bytes each, then the named blocks. */
const header = {
  failed: 0,
  failedErrno: 4,
  undoFailed: 8,
  undoErrno: 12,
  ended: 16,
  status: 20,
  late: 24,
  log: 32,
  size: 288,
};
const entrySize = 16;

/** Where everything stands in the report of a plan. */
export interface ReportLayout {
  /** Bytes, whole pages. */
  readonly size: number;
  /** By name: what a step reads into the report, offset and size in bytes. */
  readonly blocks: ReadonlyMap<string, { readonly at: number; readonly size: number }>;
}

/** A launch asks several times, and the answer never changes. */
const layouts = new WeakMap<Plan["sections"], ReportLayout>();

/** Pure: sizes follow from the plan's steps. */
export function reportLayout({ sections }: Pick<Plan, "sections">): ReportLayout {
  const known = layouts.get(sections) ?? measure({ sections });
  layouts.set(sections, known);
  return known;
}

function measure(plan: Pick<Plan, "sections">): ReportLayout {
  const steps = allSteps(plan);
  let size = header.size + entrySize * steps.length;
  const blocks = new Map<string, { at: number; size: number }>();
  for (const { step } of steps) {
    if (!("call" in step)) continue;
    for (const arg of step.call.args) {
      if (typeof arg !== "object" || arg === null || !("report" in arg) || blocks.has(arg.report)) continue;
      blocks.set(arg.report, { at: size, size: arg.size });
      size += (arg.size + 7) & ~7;
    }
  }
  return { size: Math.ceil(size / 4096) * 4096, blocks };
}

/** What the stage wrote. */
export interface Report {
  /** The step that ended the set-up, by its place in `allSteps`. */
  readonly failed: { readonly index: number; readonly errno: number } | undefined;
  /** The first undo step that failed: something may be left. */
  readonly undoFailed: { readonly index: number; readonly errno: number } | undefined;
  /** What the kernel wrote about the failure, where it does: a line for each message. fsopen(2) */
  readonly kernelLog: string | undefined;
  /** Whether the deadline passed before the program was executed. */
  readonly isLate: boolean;
  /** The program's wait status, once it has ended. wait(2) */
  readonly waitStatus: number | undefined;
  /** What the step at that place returned, -errno where it failed; 0 for one that has not returned. */
  result(index: number): number;
  /** The CPU's clock when that step began; 0n for one that never did. */
  ticks(index: number): bigint;
  /** The text in a block that a step read from a file, or undefined where it read nothing. */
  text(block: string): string | undefined;
  /** Nanoseconds in a block that clock_gettime wrote, or undefined. */
  nanoseconds(block: string): bigint | undefined;
}

/** Pure: reads the bytes of a report. */
export function parseReport(bytes: Uint8Array, plan: Plan): Report {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (at: number) => view.getUint32(at, true);
  const failure = (at: number) => (word(at) === 0 ? undefined : { index: word(at) - 1, errno: word(at + 4) });
  const layout = reportLayout(plan);
  const block = (name: string) => {
    const place = layout.blocks.get(name);
    return place && bytes.subarray(place.at, place.at + place.size);
  };
  return {
    failed: failure(header.failed),
    undoFailed: failure(header.undoFailed),
    kernelLog: bytes[header.log] === 0 ? undefined : decodeText(bytes, header.log, header.size).trimEnd(),
    isLate: word(header.late) !== 0,
    waitStatus: word(header.ended) === 0 ? undefined : view.getInt32(header.status, true),
    result: (index) => Number(view.getBigInt64(header.size + entrySize * index, true)),
    ticks: (index) => view.getBigUint64(header.size + entrySize * index + 8, true),
    text(name) {
      const found = block(name);
      return found === undefined || found[0] === 0 ? undefined : decodeText(found);
    },
    nanoseconds(name) {
      const place = layout.blocks.get(name);
      if (place === undefined) return undefined;
      const value = view.getBigInt64(place.at, true) * 1_000_000_000n + view.getBigInt64(place.at + 8, true);
      return value === 0n ? undefined : value;
    },
  };
}

/** Reads the report through its descriptor; the stage may still be writing. */
export function readReport(fd: number, plan: Plan): Report {
  const bytes = new Uint8Array(reportLayout(plan).size);
  readSync(fd, bytes, 0, bytes.length, 0);
  return parseReport(bytes, plan);
}
