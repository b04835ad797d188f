/** Structs that strace(1) does not print field by field: capabilities, and the instructions of filters and programs. */
import type { Arg, Fields } from "./call.ts";
import {
  BPF_ALU_OP,
  BPF_CLASS,
  BPF_JMP_OP,
  BPF_MISCOP,
  BPF_MODE,
  BPF_RVAL,
  BPF_SIZE,
  BPF_SRC,
  CAP,
  SECCOMP_RET,
} from "./flags.ts";
import type { StructName } from "./structs.ts";

/** How each of them is printed, from its fields. */
export const structTexts: { readonly [N in StructName]?: (values: Fields) => string } = {
  cap_user_data: (values) =>
    `{${["effective", "permitted", "inheritable"].map((set) => `${set}=${capabilities(values, set)}`).join(", ")}}`,
  sock_filter: (values) => {
    const [code, jt, jf, k] = [word(values["code"]), word(values["jt"]), word(values["jf"]), word(values["k"])];
    if (jt !== 0 || jf !== 0) return `BPF_JUMP(${codeOf(code, classic)}, ${hex(k)}, ${hex(jt)}, ${hex(jf)})`;
    return `BPF_STMT(${codeOf(code, classic)}, ${(code & 7) === BPF_CLASS.RET ? action(k) : hex(k)})`;
  },
  bpf_insn: (values) => {
    const [code, regs, imm] = [word(values["code"]), word(values["regs"]), word(values["imm"])];
    const registers = `dst_reg=BPF_REG_${regs & 15}, src_reg=BPF_REG_${regs >> 4}`;
    return `{code=${codeOf(code, extended)}, ${registers}, off=${(word(values["off"]) << 16) >> 16}, imm=${hex(imm)}}`;
  },
};

/** `1<<CAP_CHOWN|1<<CAP_BPF`; what has no name in hexadecimal, counted from capability 32 on. */
function capabilities(values: Fields, set: string): string {
  const [low, high] = [word(values[`data[0].${set}`]), word(values[`data[1].${set}`])];
  const has = (number: number): boolean => (((number < 32 ? low : high) >>> (number & 31)) & 1) === 1;
  const names = Object.entries(CAP).flatMap(([name, number]) => (has(number) ? [`1<<CAP_${name}`] : []));
  const unnamed = Object.values(CAP).reduce(
    (rest, number) => (number < 32 ? rest : rest & ~(1 << (number & 31))),
    high,
  );
  return [...names, ...leftover(unnamed)].join("|") || "0";
}

/** `SECCOMP_RET_ERRNO|0x1`. */
function action(k: number): string {
  const [what, data] = [(k & 0xffff0000) >>> 0, k & 0xffff];
  return [nameOf(SECCOMP_RET, what, "SECCOMP_RET_"), ...leftover(data)].join("|");
}

/** Names of the classes, by number: two mean other things in a filter than in a program. */
const classic = ["LD", "LDX", "ST", "STX", "ALU", "JMP", "RET", "MISC"] as const;
const extended = ["LD", "LDX", "ST", "STX", "ALU", "JMP", "JMP32", "ALU64"] as const;

/** `BPF_JMP|BPF_K|BPF_JEQ`. */
function codeOf(code: number, classes: typeof classic | typeof extended): string {
  const name = classes[code & 7] as (typeof classic | typeof extended)[number];
  return [`BPF_${name}`, ...operands(name, code, classes === extended)].join("|");
}

function operands(name: (typeof classic | typeof extended)[number], code: number, isExtended: boolean): string[] {
  switch (name) {
    case "ST":
    case "STX":
      return isExtended ? operands("LD", code, true) : leftover(code & ~7);
    case "LD":
    case "LDX":
      return [nameOf(BPF_SIZE, code & 0x18), nameOf(BPF_MODE, code & 0xe0)];
    case "ALU":
    case "ALU64":
      return [nameOf(BPF_SRC, code & 8), nameOf(BPF_ALU_OP, code & 0xf0)];
    case "JMP":
    case "JMP32":
      return [nameOf(BPF_SRC, code & 8), nameOf(BPF_JMP_OP, code & 0xf0)];
    case "RET":
      return [nameOf(BPF_RVAL, code & 0x18), ...leftover(code & ~0x1f)];
    case "MISC":
      return [nameOf(BPF_MISCOP, code & 0xf8), ...leftover(code & ~0xff)];
  }
}

function nameOf(values: Readonly<Record<string, number>>, value: number, prefix = "BPF_"): string {
  const found = Object.keys(values).find((name) => values[name] === value);
  return found === undefined ? hex(value) : prefix + found;
}

const hex = (value: number): string => (value === 0 ? "0" : `0x${(value >>> 0).toString(16)}`);

const leftover = (bits: number): string[] => (bits === 0 ? [] : [hex(bits)]);

const word = (value: Arg | undefined): number => (typeof value === "number" ? value : 0);
