/** The image: a plan as a static ELF executable of a few KB, the stage with the plan's tables behind it. elf(5) */
import { errnoNumber } from "../sys/errno.ts";
import { builtStage, stageAddress } from "../../ffi/built.ts";
import { encodeCall, type Memory, type Patch, putNumber } from "../sys/encode.ts";
import { type Arch, numberOf, type SyscallName } from "../sys/numbers.ts";
import type { ActStep, CallStep, Step } from "../sys/step.ts";
import { allSteps, type Plan, sectionNames } from "./plan-data.ts";
import { reportLayout } from "./report.ts";

/** Addresses of the executable: the stage at a fixed one, so that the tables can hold pointers and nothing is relocated. */
const codeStart = 0x400000;
/** As `PLAN` in ffi/stage.c: the tables start on a page of their own, in the file and in memory. */
const dataOffset = 0x1000;
const dataStart = 0x500000 + dataOffset;
/**
 * Memory that is not in the file: what the kernel writes to, stacks, and the report. All of it near the code: one page table serves
 * them all, and each that is missing costs a fault.
 */
const scratchStart = 0x410000;
const reportStart = 0x420000;
/** Pages of 64 KiB are the largest that arm64 has. */
const maxPage = 0x10000;

/** `struct op` of ffi/stage.c. */
const op = {
  kind: 0,
  refs: 1,
  step: 2,
  nr: 4,
  flags: 6,
  retry: 7,
  tolerate: 8,
  retryMs: 12,
  needs: 14,
  args: 16,
  size: 64,
};
const kinds = { call: 0, decimal: 1, word: 2, check: 3, watch: 4, finish: 5, reap: 6, half: 7 } as const;
const flags = { fork: 1, box: 2, log: 4 } as const;
/** Calls whose first argument is an fs context, which says why they failed. fsopen(2) */
const logged: readonly SyscallName[] = ["fsconfig", "fsmount"];
const planHeaderSize = 32;

/** One row of the table that the stage interprets. */
interface Row {
  readonly kind: keyof typeof kinds;
  readonly step: number;
  readonly args: readonly number[];
  readonly refs?: number;
  readonly call?: CallStep;
  readonly needs?: string | undefined;
}

/** Pure: a plan as the bytes of an executable for its architecture. */
export function encode(plan: Plan): Uint8Array<ArrayBuffer> {
  const places = allSteps(plan);
  // The order that the stage runs in: the monitor's sections first, for undo is what follows a failure.
  const order = ["host", "undo", ...sectionNames.filter((name) => name !== "host" && name !== "undo")] as const;
  const image = new Image(plan);

  const starts = new Map<string, number>();
  const rows: Row[] = [];
  for (const section of order) {
    starts.set(section, rows.length);
    places.forEach((place, index) => {
      if (place.section === section) rows.push(...stepRows(place.step, index, image));
    });
  }
  return image.finish(rows, starts);
}

function stepRows(step: Step, index: number, image: Image): Row[] {
  if (!("call" in step))
    return [{ kind: step.act, step: index, args: actArgs(step, image), refs: step.pid ? 1 : 0, needs: step.needs }];
  const patches: Row[] = [];
  image.onPatch = (kind, address, source) =>
    patches.push({ kind, step: index, args: [address, source], needs: step.needs });
  const { words, refs } = encodeCall(step.call, image);
  const rows: Row[] = [...patches, { kind: "call", step: index, args: words, refs, call: step, needs: step.needs }];
  if (step.expect) {
    const { arg, offset, mask, equals, errno } = step.expect;
    const address = (words[arg] ?? 0) + offset;
    rows.push({ kind: "check", step: index, args: [address, mask, equals, errnoNumber(errno)], needs: step.needs });
  }
  return rows;
}

const actArgs = (step: ActStep, image: Image): number[] =>
  step.act === "watch"
    ? [image.stepOf(step.pid ?? ""), step.deadlineMs ?? 0, step.hangUp ?? 0, step.isPid1 ? 1 : 0]
    : [];

/** The data segment while it grows. */
class Image implements Memory {
  readonly arch: Arch;
  readonly reportAddress = reportStart;
  onPatch: (kind: Patch, address: number, step: number) => void = () => {};
  readonly #ids = new Map<string, number>();
  readonly #shared = new Map<string, number>();
  readonly #layout;
  readonly #stepCount: number;
  readonly #results: number;
  #bytes = new Uint8Array(16384);
  #view = new DataView(this.#bytes.buffer);
  #used = planHeaderSize;
  #scratch = scratchStart;

  constructor(plan: Plan) {
    this.arch = plan.arch;
    const places = allSteps(plan);
    places.forEach(({ step }, i) => {
      if ("id" in step && step.id !== undefined) this.#ids.set(step.id, i);
    });
    this.#stepCount = places.length;
    this.#layout = reportLayout(plan);
    this.#results = this.allocate(8 * places.length);
    if (reportStart + this.#layout.size > dataStart)
      throw new RangeError("the plan has more steps than a report can hold");
  }
  allocate(bytes: number): number {
    const at = this.#used;
    this.#used += (bytes + 7) & ~7;
    if (this.#used > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#used);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return dataStart + at;
  }
  reserve(bytes: number): number {
    const at = this.#scratch;
    // A stack is aligned so, and nothing minds.
    this.#scratch += (bytes + 15) & ~15;
    if (this.#scratch > reportStart) throw new RangeError("the plan reserves more memory than there is");
    return at;
  }
  put(address: number, bytes: Uint8Array): void {
    this.#bytes.set(bytes, address - dataStart);
  }
  putNumber(address: number, bytes: number, value: number | bigint): void {
    putNumber(this.#view, address - dataStart, bytes, value);
  }
  shared(key: string, make: () => number): number {
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const address = make();
    this.#shared.set(key, address);
    return address;
  }
  stepOf(id: string): number {
    const index = this.#ids.get(id);
    if (index === undefined) throw new TypeError(`no step has the id "${id}"`);
    return index;
  }
  patch(kind: Patch, address: number, step: number): void {
    this.onPatch(kind, address, step);
  }
  reportBlock(name: string): number {
    return this.reportAddress + (this.#layout.blocks.get(name)?.at ?? 0);
  }
  buffer(): never {
    throw new TypeError("a step cannot hold a buffer: what it writes goes to { out } or { report }");
  }

  #putRow(at: number, row: Row, rowOf: (section: string) => number): void {
    const { call } = row;
    this.putNumber(at + op.kind, 1, kinds[row.kind]);
    this.putNumber(at + op.refs, 1, row.refs ?? 0);
    this.putNumber(at + op.step, 2, row.step);
    this.putNumber(at + op.needs, 2, row.needs === undefined ? 0 : 1 + this.stepOf(row.needs));
    row.args.forEach((arg, i) => this.putNumber(at + op.args + 8 * i, 8, arg));
    if (call === undefined) return;
    this.putNumber(at + op.nr, 2, numberOf(call.call.name, this.arch));
    if (logged.includes(call.call.name)) this.putNumber(at + op.flags, 1, flags.log);
    call.tolerate?.forEach((name, i) => this.putNumber(at + op.tolerate + i, 1, errnoNumber(name)));
    if (call.retry) {
      this.putNumber(at + op.retry, 1, errnoNumber(call.retry.errno));
      this.putNumber(at + op.retryMs, 2, call.retry.ms);
    }
    if (call.fork !== undefined) {
      this.putNumber(at + op.flags, 1, flags.fork + (call.fork === "box" ? flags.box : 0));
      this.putNumber(at + op.args + 40, 8, rowOf(call.fork));
    }
  }

  /** Header, stage and data as one file. */
  finish(rows: readonly Row[], starts: ReadonlyMap<string, number>): Uint8Array<ArrayBuffer> {
    const rowOf = (section: string): number => {
      const row = starts.get(section);
      if (row === undefined) throw new TypeError(`no section "${section}"`);
      return row;
    };
    const ops = this.allocate(op.size * rows.length);
    rows.forEach((row, i) => this.#putRow(ops + op.size * i, row, rowOf));
    this.putNumber(dataStart, 8, this.reportAddress);
    this.putNumber(dataStart + 8, 8, this.#results);
    this.putNumber(dataStart + 16, 8, ops);
    this.putNumber(dataStart + 24, 8, ops + op.size * rowOf("undo"));
    for (let i = 0; i < this.#stepCount; i++) this.putNumber(this.#results + 8 * i, 8, -1);

    const code = builtStage(this.arch);
    // One page holds headers and code: one page fault less at each start.
    if (stageAddress - codeStart + code.length > dataOffset) throw new RangeError("the stage has outgrown its page");
    const file = new Uint8Array(dataOffset + this.#used);
    file.set(elfHeader(this.arch, stageAddress - codeStart + code.length, this.#used, this.#layout.size));
    file.set(code, stageAddress - codeStart);
    file.set(this.#bytes.subarray(0, this.#used), dataOffset);
    return file;
  }
}

const elfHeaderSize = 64;
const programHeaderSize = 56;

/** ELF header and program headers: code read-only, data never executable, the report empty until the stage maps the real one there. */
function elfHeader(arch: Arch, codeEnd: number, dataSize: number, reportSize: number): Uint8Array {
  const [R, W, X] = [4, 2, 1];
  const segments: [type: number, flags: number, offset: number, address: number, fileSize: number, size: number][] = [
    [1, R + X, 0, codeStart, codeEnd, codeEnd],
    [1, R + W, 0, scratchStart, 0, reportStart - scratchStart + reportSize],
    [1, R + W, dataOffset, dataStart, dataSize, dataSize],
    [0x6474e551, R + W, 0, 0, 0, 0], // PT_GNU_STACK: a stack that is not executable
  ];
  const bytes = new Uint8Array(elfHeaderSize + programHeaderSize * segments.length);
  const view = new DataView(bytes.buffer);
  const put = (at: number, size: number, value: number) => putNumber(view, at, size, value);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // ELF, 64 bits, little-endian, version 1
  put(16, 2, 2); // ET_EXEC
  put(18, 2, arch === "x64" ? 62 : 183); // EM_X86_64, EM_AARCH64
  put(20, 4, 1);
  put(24, 8, stageAddress);
  put(32, 8, elfHeaderSize);
  put(52, 2, elfHeaderSize);
  put(54, 2, programHeaderSize);
  put(56, 2, segments.length);
  segments.forEach(([type, flags, offset, address, fileSize, size], i) => {
    const at = elfHeaderSize + programHeaderSize * i;
    put(at, 4, type);
    put(at + 4, 4, flags);
    put(at + 8, 8, offset);
    put(at + 16, 8, address);
    put(at + 24, 8, address);
    put(at + 32, 8, fileSize);
    put(at + 40, 8, size);
    put(at + 48, 8, type === 1 ? maxPage : 16);
  });
  return bytes;
}
