/** Memory for the arguments of a call that runs now: one block, used over and over, that never moves. */
import { addressOf, pin } from "../../ffi/syscall.ts";
import { type Memory, putNumber } from "./encode.ts";
import type { Arch } from "./numbers.ts";

/** Enough for a page of every argument; what is larger gets a block of its own until the next call. */
const blockSize = 32768;

interface Block {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  readonly address: number;
}

/** The memory of this thread. Calls are synchronous, so one is enough. */
export class Scratch implements Memory {
  readonly arch: Arch = process.arch as Arch;
  readonly reportAddress = 0;
  readonly #main: Block = block(blockSize);
  #used = 0;
  #more: Block[] = [];

  /** Forgets the last call. */
  reset(): void {
    this.#used = 0;
    if (this.#more.length > 0) this.#more = [];
  }
  allocate(bytes: number): number {
    const at = this.#used;
    // Never up to the end, so that even an empty part lies within. By division, for bitwise operators would make a negative number of what is close to 2^31.
    const end = at + 8 * Math.ceil(bytes / 8);
    if (end >= blockSize) {
      const larger = block(bytes);
      this.#more.push(larger);
      return larger.address;
    }
    this.#used = end;
    this.#main.bytes.fill(0, at, end);
    return this.#main.address + at;
  }
  reserve(bytes: number): number {
    // What the kernel leaves alone reads as zero, and not as an earlier call's.
    return this.allocate(bytes);
  }
  put(address: number, bytes: Uint8Array): void {
    const { bytes: all, address: start } = this.#blockOf(address);
    all.set(bytes, address - start);
  }
  putNumber(address: number, bytes: number, value: number | bigint): void {
    const { view, address: start } = this.#blockOf(address);
    putNumber(view, address - start, bytes, value);
  }
  /** What the kernel wrote there, valid until the next call. */
  at(address: number, bytes: number): Uint8Array<ArrayBuffer> {
    const { bytes: all, address: start } = this.#blockOf(address);
    return all.subarray(address - start, address - start + bytes);
  }
  /** A NUL-terminated string. */
  text(value: string): number {
    const at = this.#used;
    // A UTF-16 unit takes at most three bytes.
    const most = 3 * value.length + 1;
    if (at + most + 7 >= blockSize) return this.#putLongText(value);
    const { written } = encoder.encodeInto(value, this.#main.bytes.subarray(at, at + most));
    this.#main.bytes[at + written] = 0;
    this.#used = at + ((written + 8) & ~7);
    return this.#main.address + at;
  }
  #putLongText(value: string): number {
    const bytes = encoder.encode(value);
    const address = this.allocate(bytes.length + 1);
    this.put(address, bytes);
    return address;
  }
  shared(_: string, make: () => number): number {
    return make();
  }
  /** For a buffer inside of other memory; whoever makes the call holds it until the call is over. */
  buffer(bytes: Uint8Array): number {
    return bytes.length === 0 ? 0 : addressOf(bytes);
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
  #blockOf(address: number): Block {
    const isMain = address >= this.#main.address && address < this.#main.address + blockSize;
    const found = isMain
      ? this.#main
      : this.#more.find(({ address: start, bytes }) => address >= start && address < start + bytes.length);
    if (found === undefined) throw new RangeError("an address outside of the call's memory");
    return found;
  }
}

const encoder = new TextEncoder();

function block(size: number): Block {
  const bytes = pin(size);
  return { bytes, view: new DataView(bytes.buffer), address: addressOf(bytes) };
}
