/** An owned file descriptor: closed once, and not used after. */
import type { Arch } from "./numbers.ts";

/**
 * Owns a descriptor until it is closed, disposed of or given up.
 *
 * Keep the Fd as long as its number is in use somewhere: one that is garbage-collected open is closed, with a warning.
 */
export class Fd implements Disposable {
  #number: number;

  /** Takes over a descriptor that is open. @throws {TypeError} for what cannot be one, such as -errno. */
  constructor(number: number) {
    // A forgotten check of a result would otherwise show up far from here.
    if (!Number.isInteger(number) || number < 0 || number > 0x7fffffff) {
      throw new TypeError(
        `not a file descriptor: ${number}${number < 0 ? " (the -errno of a call that failed?)" : ""}`,
      );
    }
    this.#number = number;
    (forgotten ??= makeForgotten()).register(this, number, this);
  }

  /** Its number. @throws {TypeError} once it is closed or given up: by then the number may be another file's. */
  get number(): number {
    if (this.#number < 0) throw new TypeError("this file descriptor is closed, or was given up");
    return this.#number;
  }

  /** Whether it is closed or given up. */
  get closed(): boolean {
    return this.#number < 0;
  }

  /**
   * `close(fd)`. close(2). Nothing happens the second time.
   * @throws {SyscallError} EBADF when somebody else has closed the descriptor: a bug of theirs, which may close another file the next time.
   */
  close(): void {
    if (!this.closed) close(this.release());
  }

  /** Gives the descriptor up to the caller, who has to close it. */
  release(): number {
    const { number } = this;
    this.#number = -1;
    forgotten?.unregister(this);
    return number;
  }

  /** Closes it, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** `fd 7`, or `fd (closed)`. */
  toString(): string {
    return this.closed ? "fd (closed)" : `fd ${this.#number}`;
  }

  /** What console.log() shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

let closeNow: ((number: number) => number) | undefined;

// Not tried again when it fails: Linux has freed the number even then.
function close(number: number): void {
  const result = (closeNow ??= makeClose())(number);
  if (result >= 0) return;
  const { failure } = require("./failure.ts") as typeof import("./failure.ts");
  throw failure({ name: "close", args: [{ fd: number }] }, -result);
}

// What this file needs is loaded with the first Fd that is closed: the class alone costs nothing.
function makeClose(): (number: number) => number {
  const { syscall } = require("../../ffi/syscall.ts") as typeof import("../../ffi/syscall.ts");
  const { numberOf } = require("./numbers.ts") as typeof import("./numbers.ts");
  const nr = numberOf("close", process.arch as Arch);
  return (number) => syscall(nr, number);
}

let forgotten: FinalizationRegistry<number> | undefined;

const makeForgotten = (): FinalizationRegistry<number> =>
  new FinalizationRegistry((number) => {
    // Named after what it is open on: that is the trace that leads back to its maker.
    const file = attempt(() => ` of ${readlink(`/proc/self/fd/${number}`)}`) ?? "";
    attempt(() => close(number));
    process.emitWarning(`fd ${number}${file} was garbage-collected open: use "using", or call close()`, "UnclosedFd");
  });

/** For the collector's errands: an error there would end the process, and has no caller to go to. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

/** node:fs is asked for late: importing it takes longer than all of this folder. */
const readlink = (path: string): string => process.getBuiltinModule("node:fs").readlinkSync(path);
