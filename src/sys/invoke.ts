/** Calls that run now, in this process: `invoke(call)` and, for every call of the vocabulary, `sys.mount(...)`. */
import { addressOf, pin, syscall } from "../../ffi/syscall.ts";
import type { Call } from "./call.ts";
import * as calls from "./calls.ts";
import { encodeCall, type Memory } from "./encode.ts";
import { SyscallError } from "./error.ts";
import { type Arch, numberOf } from "./numbers.ts";

const arch = process.arch as Arch;

/**
 * Runs a call and returns its result, a non-negative number: a descriptor, a pid, a count of bytes.
 * Blocks this thread for as long as the call does.
 * @throws {SyscallError} with what was tried and the kernel's answer.
 */
export function invoke(call: Call): number {
  const memory = new Scratch(sizeOf(call));
  const { words } = encodeCall(call, memory);
  const result = syscall(numberOf(call.name, arch), ...words);
  memory.copyBack();
  if (result < 0) throw new SyscallError(call, -result);
  return result;
}

/** Enough room: a string takes at most three bytes for each UTF-16 unit, a struct at most a few hundred. */
function sizeOf(call: Call): number {
  const buffers = call.args.reduce<number>((sum, arg) => sum + (arg instanceof Uint8Array ? arg.length + 8 : 0), 0);
  const plain = call.args.filter((arg) => !(arg instanceof Uint8Array));
  return 1024 + buffers + 4 * JSON.stringify(plain).length + plain.reduce<number>(outSize, 0);
}

const outSize = (sum: number, arg: Call["args"][number]): number =>
  sum + (typeof arg === "object" && arg !== null && "out" in arg ? arg.out + 8 : 0);

/** Memory for the arguments of one call, which never moves while the kernel looks at it. */
class Scratch implements Memory {
  readonly arch = arch;
  readonly reportAddress = 0;
  #bytes: Uint8Array;
  #view: DataView;
  #base: number;
  #used = 0;
  #buffers: { readonly bytes: Uint8Array; readonly at: number }[] = [];

  constructor(size: number) {
    this.#bytes = pin(size);
    this.#view = new DataView(this.#bytes.buffer);
    this.#base = addressOf(this.#bytes);
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
    this.#bytes.set(bytes, address - this.#base);
  }
  putNumber(address: number, bytes: number, value: number): void {
    putNumber(this.#view, address - this.#base, bytes, value);
  }
  shared(_: string, make: () => number): number {
    return make();
  }
  buffer(bytes: Uint8Array): number {
    const at = this.allocate(bytes.length);
    this.put(at, bytes);
    this.#buffers.push({ bytes, at });
    return at;
  }
  /** What the kernel wrote, into the callers' buffers. */
  copyBack(): void {
    for (const { bytes, at } of this.#buffers) {
      const start = at - this.#base;
      bytes.set(this.#bytes.subarray(start, start + bytes.length));
    }
  }
  stepOf(id: string): never {
    throw new TypeError(`a call that runs now has no step "${id}" to take a result from`);
  }
  patch(): never {
    throw new TypeError("a call that runs now has no steps");
  }
  reportBlock(name: string): never {
    throw new TypeError(`a call that runs now has no report for "${name}"`);
  }
}

/** A little-endian number of 1, 2, 4 or 8 bytes; negative ones in two's complement. */
export function putNumber(view: DataView, at: number, bytes: number, value: number): void {
  if (bytes === 8) view.setBigInt64(at, BigInt.asIntN(64, BigInt(value)), true);
  else if (bytes === 4) view.setInt32(at, value, true);
  else if (bytes === 2) view.setInt16(at, value, true);
  else view.setInt8(at, value);
}

type Sys = { readonly [K in keyof Vocabulary]: (...args: Parameters<Vocabulary[K]>) => number };
type Vocabulary = Omit<typeof calls, "AT_FDCWD">;

/** Every call of the vocabulary, run now: `sys.sethostname("box")`. Same arguments as `call.*`; see {@link invoke}. */
export const sys: Sys = Object.fromEntries(
  Object.entries(calls)
    .filter(([, build]) => typeof build === "function")
    .map(([name, build]) => [name, (...args: never[]) => invoke((build as (...args: never[]) => Call)(...args))]),
) as never;
