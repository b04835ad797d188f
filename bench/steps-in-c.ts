/** A plan's clone and box section as C source: the same syscalls with the same arguments, for a program to compare with. Pure. */
import { errnoNumber } from "../src/sys/errno.ts";
import type { Call } from "../src/sys/call.ts";
import { CLONE } from "../src/sys/flags.ts";
import { allSteps, type PlacedStep, type Plan } from "../src/spawn/plan-data.ts";
import { encodeCall, type Memory, type Patch, putNumber, type Words } from "../src/sys/encode.ts";
import { type Arch, numberOf } from "../src/sys/numbers.ts";
import type { CallStep } from "../src/sys/step.ts";

/** What bench/startup.c includes, and what to give the linker with it. */
export interface StepsInC {
  readonly header: string;
  readonly linkerFlags: readonly string[];
}

/** @throws {TypeError} for a plan whose box is more than one process, or needs what only the monitor does. */
export function stepsInC(plans: Readonly<Record<string, Plan>>): StepsInC {
  const names = Object.keys(plans);
  const boxes = Object.entries(plans).map(([name, plan], i) => boxInC(plan, name, 0x20000000 + 0x1000000 * i));
  const rows = boxes.map(({ row }) => `\t${row},\n`).join("");
  return {
    header: `${boxes.map(({ source }) => source).join("\n")}\nstatic const struct box boxes[] = {\n${rows}\t{ 0 },\n};\n`,
    linkerFlags: names.map((name, i) => `-Wl,--section-start=.${name}=0x${boxes[i]?.base.toString(16)}`),
  };
}

function boxInC(plan: Plan, name: string, base: number): { base: number; row: string; source: string } {
  const sections = Object.keys(plan.sections).filter((section) => !["host", "box", "undo"].includes(section));
  if (sections.length > 0) throw new TypeError(`${name}: sections ${sections.join(", ")} are not written in C`);
  const steps = allSteps(plan);
  const memory = new Data(plan.arch, base, steps);
  const clone = steps.find(({ step }) => "call" in step && step.fork === "box");
  if (clone === undefined) throw new TypeError(`${name}: no clone`);
  const cloneArgs = encodeCall(asVfork((clone.step as CallStep).call), memory).words[0] ?? 0;
  if (memory.takePatches().length > 0) throw new TypeError(`${name}: the clone takes a result of the monitor`);

  const box = steps.filter(({ section }) => section === "box");
  const body = box.map((place) => stepInC(place, memory)).join("");
  const results = box.map(({ number }) => `r${number} = -1`).join(", ");
  const source = `
static u8 ${name}_data[] __attribute__((section(".${name}"), used)) = { ${memory.bytes().join(",")} };

static void ${name}_steps(void)
{
	i64 ${results};

${body}}
`;
  return { base, row: `{ "${name}", ${word(cloneArgs)}, ${clone.number}, ${name}_steps }`, source };
}

/** Where our box begins in the monitor's memory on a stack of its own, C does as vfork(2): it has nothing else to do meanwhile. */
function asVfork(clone: Call): Call {
  const [args, size] = clone.args;
  if (typeof args !== "object" || args === null || !("struct" in args) || !("stack" in args.fields)) return clone;
  const { stack: _, stack_size: __, flags, ...rest } = args.fields;
  const value = (typeof flags === "object" && flags !== null && "flags" in flags ? flags.value : 0) + CLONE.VFORK;
  return { name: clone.name, args: [{ ...args, fields: { ...rest, flags: { flags: "CLONE", value } } }, size ?? 88] };
}

function stepInC({ step, number }: PlacedStep, memory: Data): string {
  if (!("call" in step) || step.fork !== undefined || step.retry !== undefined)
    throw new TypeError(`step ${number}, ${step.label}, is not written in C`);
  const { words, refs }: Words = encodeCall(step.call, memory);
  const args = [0, 1, 2, 3, 4, 5].map((i) => ((refs >> i) & 1 ? `r${(words[i] ?? 0) + 1}` : word(words[i] ?? 0)));
  const passed = (step.tolerate ?? []).map((errno) => ` && r${number} != -${errnoNumber(errno)}`).join("");
  const lines = [
    `/* ${step.label} */`,
    ...memory.takePatches(),
    `r${number} = call(${numberOf(step.call.name, memory.arch)}, ${args.join(", ")});`,
    `if (r${number} < 0${passed})`,
    `\tfail(${number}, r${number});`,
  ];
  if (step.expect) {
    const { arg, offset, mask, equals, errno } = step.expect;
    const at = word((words[arg] ?? 0) + offset);
    lines.push(
      `if ((*(unsigned *)${at} & ${word(mask)}) != ${word(equals)})`,
      `\tfail(${number}, -${errnoNumber(errno)});`,
    );
  }
  const needed = step.needs === undefined ? undefined : memory.stepOf(step.needs) + 1;
  const block = needed === undefined ? lines : [`if (r${needed} >= 0) {`, ...lines.map((line) => `\t${line}`), "}"];
  return block.map((line) => `\t${line}\n`).join("");
}

const word = (value: number): string => `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}ul`;

/** What the arguments point to: an array that the linker puts at a fixed address. */
class Data implements Memory {
  readonly arch: Arch;
  readonly reportAddress = 0;
  readonly #base: number;
  readonly #ids = new Map<string, number>();
  readonly #view = new DataView(new ArrayBuffer(1 << 20));
  #used = 0;
  #patches: string[] = [];

  constructor(arch: Arch, base: number, steps: readonly PlacedStep[]) {
    this.arch = arch;
    this.#base = base;
    steps.forEach(({ step }, i) => {
      if ("id" in step && step.id !== undefined) this.#ids.set(step.id, i);
    });
  }
  allocate(bytes: number): number {
    const at = this.#base + this.#used;
    this.#used += (bytes + 7) & ~7;
    return at;
  }
  reserve(bytes: number): number {
    return this.allocate(bytes);
  }
  put(address: number, bytes: Uint8Array): void {
    new Uint8Array(this.#view.buffer).set(bytes, address - this.#base);
  }
  putNumber(address: number, bytes: number, value: number | bigint): void {
    putNumber(this.#view, address - this.#base, bytes, value);
  }
  shared(_: string, make: () => number): number {
    return make();
  }
  stepOf(id: string): number {
    const index = this.#ids.get(id);
    if (index === undefined) throw new TypeError(`no step has the id "${id}"`);
    return index;
  }
  patch(kind: Patch, address: number, step: number): void {
    const result = `r${step + 1}`;
    this.#patches.push(
      kind !== "decimal"
        ? `*(${kind === "word" ? "i64" : "int"} *)${word(address)} = ${result};`
        : `decimal((char *)${word(address)}, ${result});`,
    );
  }
  takePatches(): string[] {
    return this.#patches.splice(0);
  }
  reportBlock(name: string): never {
    throw new TypeError(`the report, here "${name}", is the monitor's`);
  }
  buffer(): never {
    throw new TypeError("a step cannot hold a buffer");
  }
  /** With a page more: mount(2) copies a page of data wherever the text in it ends, and would fault beyond. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#view.buffer, 0, this.#used + 4096);
  }
}
