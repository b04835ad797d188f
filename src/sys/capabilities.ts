/** Sets of capabilities: bit N of a mask stands for capability N. capabilities(7) */
import type { DecodedStruct } from "./decode.ts";
import { CAP } from "./flags.ts";

/** Masks of a thread: what is in force, `effective`; what may be, `permitted`; what goes on to a program with it, `inheritable`. capget(2) */
export interface CapabilitySets {
  readonly effective: number | bigint;
  readonly permitted: number | bigint;
  readonly inheritable: number | bigint;
}

/** `capabilityMask(CAP.CHOWN, CAP.BPF)` is `0x8000000001n`. */
export const capabilityMask = (...capabilities: readonly number[]): bigint =>
  capabilities.reduce((mask, capability) => mask | (1n << BigInt(capability)), 0n);

/** The capabilities in a mask: `["CAP_CHOWN", "CAP_BPF"]`; one that is newer than the table by number, `"41"`. */
export function capabilityNames(mask: number | bigint): readonly string[] {
  const bits = BigInt.asUintN(64, BigInt(mask));
  const numbers = Array.from({ length: 64 }, (_, i) => i).filter((i) => (bits >> BigInt(i)) & 1n);
  return numbers.map((number) => names.get(number) ?? String(number));
}

const names = new Map(Object.entries(CAP).map(([name, number]): [number, string] => [number, `CAP_${name}`]));

/** What `capget` wrote, as masks. capget(2) */
export function capabilitySets(data: DecodedStruct<"cap_user_data">): { readonly [S in keyof CapabilitySets]: bigint } {
  const mask = (set: keyof CapabilitySets): bigint =>
    BigInt(data[`data[0].${set}`]) | (BigInt(data[`data[1].${set}`]) << 32n);
  return { effective: mask("effective"), permitted: mask("permitted"), inheritable: mask("inheritable") };
}
