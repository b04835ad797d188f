/** The raw system call, syscall(2), the one call that cannot be made so, clone3, and addresses of buffers. The only importer of bun:ffi. */
import { dlopen, FFIType, linkSymbols, type Pointer, ptr } from "bun:ffi";
import { type Arch, builtClone, builtSyscall } from "./built.ts";

/**
 * One argument of a system call, a 64-bit word: an integer (a negative one as its two's complement), or the address of a
 * buffer, taken when the call is made and good until it returns. `null` is the null pointer.
 * A fraction is cut off and NaN is garbage: who makes words out of a user's values has to look at them first.
 */
export type Word = number | bigint | null | ArrayBuffer | ArrayBufferView;

/**
 * `syscall(nr, a, b, c, d, e, f)`: ask the kernel, with the number that this architecture has for the call. syscall(2)
 *
 * Returns what the kernel returned, -errno where it failed. A result beyond 2^53 is rounded; no call has one in practice.
 * The calling thread, and with it the event loop, waits as long as the call does.
 *
 * For memory that the kernel reaches by an address inside of other memory (iovecs, argv, a struct's pointers) see
 * {@link addressOf}.
 */
export function syscall(
  nr: number,
  a: Word = 0,
  b: Word = 0,
  c: Word = 0,
  d: Word = 0,
  e: Word = 0,
  f: Word = 0,
): number {
  const result = (enter ??= link())(nr, a, b, c, d, e, f);
  return typeof result === "number" ? result : Number(result);
}

/**
 * Address of a buffer's first byte, for storing it in other memory. It holds as long as the buffer is referenced: a view or
 * its ArrayBuffer has to be used after the call that needs the address, or the garbage collector may free it before.
 */
export function addressOf(buffer: Uint8Array): number {
  if (buffer.byteLength === 0)
    throw new TypeError("addressOf: an empty buffer has no address; pass null or a length of 0");
  // The engine keeps a small view's bytes inside its own heap, and moves them out when .buffer is first touched or a function
  // that holds the view is compiled. Through .buffer the address is that of the bytes' last place.
  return ptr(buffer.buffer, buffer.byteOffset);
}

/** A zeroed buffer over an ArrayBuffer of its own: its bytes never move, whichever way their address is taken. */
export function pin(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(bytes));
}

type Enter = (nr: number, a: Word, b: Word, c: Word, d: Word, e: Word, f: Word) => number | bigint;
let enter: Enter | undefined;

// Of all types "ptr" is the one that takes numbers, bigints and views alike, whole 64 bits of them, and it is the fastest:
// 9 ns for seven, where "i64" has 17 and "i64_fast" 23. i64_fast gives a number where "i64" would make a bigint.
const word = "ptr";

function link(): Enter {
  const symbols = linkSymbols({
    syscall: {
      ptr: executable(builtSyscall(thisArch())),
      args: [word, word, word, word, word, word, word],
      returns: FFIType.i64_fast,
    },
  }).symbols;
  return symbols.syscall as unknown as Enter;
}

/**
 * `clone3(args, size)`, and in the child `execveat(dirfd, path, argv, envp, flags)`; returns the child's pid, or -errno of clone3. ffi/clone.S
 *
 * The flags in `args` have to have CLONE_VM and CLONE_VFORK: this thread waits until the child has executed the program, or ended.
 * @param start `struct start` of ffi/clone.S; its word 5 holds -errno of execveat afterwards, where that failed.
 */
export function cloneExec(args: Word, size: number, start: Word): number {
  return Number((enterClone ??= linkClone())(args, size, start));
}

type EnterClone = (args: Word, size: number, start: Word) => number | bigint;
let enterClone: EnterClone | undefined;

function linkClone(): EnterClone {
  const symbols = linkSymbols({
    clone: { ptr: executable(builtClone(thisArch())), args: [word, word, word], returns: FFIType.i64_fast },
  }).symbols;
  return symbols.clone as unknown as EnterClone;
}

function thisArch(): Arch {
  const { arch } = process;
  if (process.platform !== "linux" || (arch !== "x64" && arch !== "arm64")) {
    throw new Error(`bunshare needs Linux on x64 or arm64, this is ${process.platform} on ${arch}`);
  }
  return arch;
}

const PAGE = 4096;
const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE_ANONYMOUS = 0x22;

/** Puts code into a page of its own, which stays until the process ends. */
function executable(code: Uint8Array<ArrayBuffer>): Pointer {
  // musl's loader knows this name as its own, so one name does for both libraries.
  const libc = dlopen("libc.so.6", {
    mmap: { args: ["ptr", "u64", "i32", "i32", "i32", "i64"], returns: "ptr" },
    memcpy: { args: ["ptr", "buffer", "u64"], returns: "ptr" },
    mprotect: { args: ["ptr", "u64", "i32"], returns: "i32" },
  });
  const { mmap, memcpy, mprotect } = libc.symbols;
  const page = mmap(null, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  // MAP_FAILED is all ones, and comes as a bigint.
  if (typeof page !== "number") throw new Error("no memory for the page of machine code (mmap failed)");
  memcpy(page, code, code.length);
  // Never writable and executable at once. No cache to flush on arm64: the kernel does that when it first makes a page executable.
  if (mprotect(page, PAGE, PROT_READ | PROT_EXEC) !== 0) {
    throw new Error(
      "this process may not make memory executable (mprotect failed: SELinux execmem or systemd's MemoryDenyWriteExecute?)",
    );
  }
  libc.close();
  return page;
}
