/** Which devices a group may use: rules, as v1 files and as a BPF program of v2. Pure. admin-guide/cgroup-v1/devices */
import type { BpfInsn } from "../sys/bpf.ts";
import { OptionsError } from "../sys/options-error.ts";

/** One rule; of those that match, the last decides. What no rule matches stays allowed, as far as the groups above allow it. */
export interface DeviceRule {
  /** Character or block device, or both. */
  readonly type: "c" | "b" | "a";
  /** Default: all. */
  readonly major?: number | "*";
  /** Default: all. */
  readonly minor?: number | "*";
  /** Of `r`, `w` and `m` (mknod). Default: all three. */
  readonly access?: string;
  readonly allow: boolean;
}

/** A rule with nothing left out. */
interface Rule {
  readonly type: "c" | "b" | "a";
  readonly major: number | undefined;
  readonly minor: number | undefined;
  /** Bits of BPF_DEVCG_ACC_*. */
  readonly access: number;
  readonly allow: boolean;
}

/** linux/bpf.h: BPF_DEVCG_ACC_*. */
const accessBits = { m: 1, r: 2, w: 4 } as const;
const everything = 7;
/** linux/bpf.h: BPF_DEVCG_DEV_*. */
const typeNumbers = { b: 1, c: 2 } as const;

/** A write to a file of the v1 controller. */
export interface DeviceWrite {
  readonly file: "devices.allow" | "devices.deny";
  /** `c 1:3 rwm`. */
  readonly value: string;
}

/**
 * Rules as lines for `devices.allow` and `devices.deny`. v1 keeps one answer and exceptions from it: after the last rule
 * for all devices, every rule has to be an exception from it, or take one back as a whole.
 * @throws {OptionsError} for rules that v1 cannot express
 */
export function deviceWritesV1(rules: readonly DeviceRule[]): DeviceWrite[] {
  const all = rules.map(checkRule);
  const last = all.findLastIndex(isForAll);
  const answer = last < 0 ? true : (all[last] as Rule).allow;
  const exceptions: Rule[] = [];
  const writes: DeviceWrite[] = [fileFor(answer, "a *:* rwm")];
  for (const [offset, rule] of all.slice(last + 1).entries()) {
    if (rule.allow === answer && exceptions.some((other) => overlap(other, rule) && !covers(rule, other))) {
      const where = `devices[${last + 1 + offset}]`;
      throw new OptionsError(
        where,
        rules[last + 1 + offset],
        "on cgroup v1 an exception is taken back as a whole: there is an earlier rule for only some of these devices or more of them",
      );
    }
    if (rule.allow !== answer) exceptions.push(rule);
    // "a" with anything else than all is read as all by v1.
    const types = rule.type === "a" ? (["c", "b"] as const) : [rule.type];
    for (const type of types) writes.push(fileFor(rule.allow, lineOf({ ...rule, type })));
  }
  return writes;
}

const fileFor = (allow: boolean, value: string): DeviceWrite => ({
  file: allow ? "devices.allow" : "devices.deny",
  value,
});
const isForAll = ({ type, major, minor, access }: Rule): boolean =>
  type === "a" && major === undefined && minor === undefined && access === everything;
const lineOf = ({ type, major, minor, access }: Rule): string =>
  `${type} ${major ?? "*"}:${minor ?? "*"} ${[..."rwm"].filter((letter) => access & accessBits[letter as "r"]).join("")}`;
const overlap = (a: Rule, b: Rule): boolean =>
  (a.type === "a" || b.type === "a" || a.type === b.type) &&
  (a.major === undefined || b.major === undefined || a.major === b.major) &&
  (a.minor === undefined || b.minor === undefined || a.minor === b.minor) &&
  (a.access & b.access) !== 0;
/** v1 takes back exceptions for the very same devices only. */
const covers = (rule: Rule, other: Rule): boolean =>
  (rule.type === "a" || rule.type === other.type) && rule.major === other.major && rule.minor === other.minor;

const BPF_LDX_W = 0x61;
const BPF_ALU_MOV_X = 0xbc;
const BPF_ALU_MOV_K = 0xb4;
const BPF_ALU_AND_K = 0x54;
const BPF_ALU_RSH_K = 0x74;
const BPF_JMP_JNE_K = 0x55;
const BPF_JMP_JSET_K = 0x45;
const BPF_JMP_JA = 0x05;
const BPF_EXIT = 0x95;

/** Registers: what is asked for. */
const type = 2;
/** What has not been allowed yet of the access. */
const open = 3;
const major = 4;
const minor = 5;

/**
 * Rules as a program for BPF_PROG_TYPE_CGROUP_DEVICE. It goes from the last rule to the first: each bit of the access is decided
 * by the last rule that names it; a rule that denies any of them ends it. Attach it with BPF_F_ALLOW_MULTI.
 * @throws {OptionsError} for what is no rule, and for more than fit
 */
export function deviceProgram(rules: readonly DeviceRule[]): BpfInsn[] {
  const program: BpfInsn[] = [
    // struct bpf_cgroup_dev_ctx: access << 16 | type, major, minor.
    { code: BPF_LDX_W, dst_reg: type, src_reg: 1, off: 0 },
    { code: BPF_ALU_MOV_X, dst_reg: open, src_reg: type },
    { code: BPF_ALU_AND_K, dst_reg: type, imm: 0xffff },
    { code: BPF_ALU_RSH_K, dst_reg: open, imm: 16 },
    { code: BPF_LDX_W, dst_reg: major, src_reg: 1, off: 4 },
    { code: BPF_LDX_W, dst_reg: minor, src_reg: 1, off: 8 },
  ];
  for (const rule of rules.map(checkRule).toReversed()) program.push(...ruleProgram(rule));
  program.push(...answer(true));
  if (program.length > 4096) throw new OptionsError("devices", rules.length, "more rules than fit into a BPF program");
  return program;
}

const answer = (allow: boolean): BpfInsn[] => [
  { code: BPF_ALU_MOV_K, dst_reg: 0, imm: Number(allow) },
  { code: BPF_EXIT },
];

function ruleProgram(rule: Rule): BpfInsn[] {
  const decide: BpfInsn[] = rule.allow
    ? [
        { code: BPF_ALU_AND_K, dst_reg: open, imm: everything & ~rule.access },
        // Something is left for earlier rules to decide: leave out the answer.
        { code: BPF_JMP_JNE_K, dst_reg: open, off: 2, imm: 0 },
        ...answer(true),
      ]
    : [
        { code: BPF_JMP_JSET_K, dst_reg: open, off: 1, imm: rule.access },
        { code: BPF_JMP_JA, off: 2 },
        ...answer(false),
      ];
  const conditions = [
    ...(rule.type === "a" ? [] : [[type, typeNumbers[rule.type]] as const]),
    ...(rule.major === undefined ? [] : [[major, rule.major] as const]),
    ...(rule.minor === undefined ? [] : [[minor, rule.minor] as const]),
  ];
  return [
    ...conditions.map(([register, imm], i) => ({
      code: BPF_JMP_JNE_K,
      dst_reg: register,
      off: conditions.length - 1 - i + decide.length,
      imm,
    })),
    ...decide,
  ];
}

function checkRule(rule: DeviceRule, index: number): Rule {
  const where = `devices[${index}]`;
  if (typeof rule !== "object" || rule === null) throw new OptionsError(where, rule, "expected a rule");
  const { access = "rwm", allow } = rule;
  if (rule.type !== "a" && rule.type !== "b" && rule.type !== "c")
    throw new OptionsError(`${where}.type`, rule.type, 'expected "a", "b" or "c"');
  if (typeof access !== "string" || !/^[rwm]{1,3}$/.test(access))
    throw new OptionsError(`${where}.access`, access, 'expected letters of "rwm"');
  if (typeof allow !== "boolean") throw new OptionsError(`${where}.allow`, allow, "expected true or false");
  const number = (name: "major" | "minor", max: number): number | undefined => {
    const value = rule[name];
    if (value === undefined || value === "*") return undefined;
    if (!Number.isInteger(value) || value < 0 || value > max)
      throw new OptionsError(`${where}.${name}`, value, `expected an integer from 0 to ${max} or "*"`);
    return value;
  };
  let bits = 0;
  for (const letter of access) bits |= accessBits[letter as "r"];
  return { type: rule.type, major: number("major", 0xfff), minor: number("minor", 0xfffff), access: bits, allow };
}
