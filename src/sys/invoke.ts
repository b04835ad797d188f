/** Calls that run now, in this process: `run(mount, ...)`, `invoke(call)`. */
import { syscall, type Word } from "../../ffi/syscall.ts";
import type { Arg, Call } from "./call.ts";
import { checkArgument, checkCall } from "./check.ts";
import { closeOnExec } from "./cloexec.ts";
import { decodeStruct, decodeStructs, decodeText } from "./decode.ts";
import { encodeArg } from "./encode.ts";
import { failure } from "./failure.ts";
import { Fd } from "./fd.ts";
import { type Arch, numberOf, type SyscallName } from "./numbers.ts";
import { OptionsError } from "./options-error.ts";
import type { Kind, Primitive, ResultOf } from "./primitive.ts";
import { Scratch } from "./scratch.ts";
import { parseStatmount } from "./statmount.ts";
import { type StructName, structs } from "./structs.ts";

const arch = process.arch as Arch;
let memory: Scratch | undefined;

/**
 * Runs a call, whoever made it, and returns what the kernel returned: a count, a pid, a descriptor that nobody owns yet.
 * Blocks this thread for as long as the call does; EINTR is not tried again.
 * @throws {SyscallError} with what was tried and the kernel's answer.
 * @throws {OptionsError} for an argument that is no word for the kernel, before anything happened.
 */
export function invoke(call: Call): number {
  return enter(call.name, numberOf(checkCall(call).name, arch), call.args);
}

/**
 * Runs a primitive and returns its result by kind: `run(openat, AT_FDCWD, "/etc", O.PATH)` is an Fd. As `sys.openat(...)`, but
 * only what is named is loaded. Descriptors that are made are close-on-exec: `setFd(fd, 0)` makes one that a program inherits.
 * @throws {SyscallError} @throws {OptionsError} as {@link invoke}.
 */
export function run<A extends readonly unknown[], K extends Kind>(primitive: Primitive<A, K>, ...args: A): ResultOf<K> {
  return runner(primitive)(...args);
}

/** A primitive as a function that runs it, for those who run it often. An Fd that `close` is given is closed as by its own `close()`. */
export function runner<A extends readonly unknown[], K extends Kind>(
  primitive: Primitive<A, K>,
): (...args: A) => ResultOf<K> {
  const { syscall: name, returns } = primitive;
  const build = primitive.build as unknown as (...given: unknown[]) => readonly Arg[];
  const makesFds = returns === "fd" || returns === "fds";
  let nr = -1;
  // Six parameters and not a rest array, which would cost as much as a cheap syscall.
  const call = (a?: unknown, b?: unknown, c?: unknown, d?: unknown, e?: unknown, f?: unknown): unknown => {
    if (nr < 0) nr = numberOf(name, arch);
    const given = build(a, b, c, d, e, f);
    const args = makesFds ? closeOnExec(name, given) : given;
    const result = enter(name, nr, args);
    if (returns === "none") return undefined;
    return returns === "number" ? result : decode(returns, result, args);
  };
  // A close behind an Fd's back would be followed by its own, of another file then.
  const close = (target: unknown): unknown => (target instanceof Fd ? target.close() : call(target));
  return (name === "close" ? close : call) as unknown as (...args: A) => ResultOf<K>;
}

/** The words of a call, used over and over as its memory is. */
const words: Word[] = [0, 0, 0, 0, 0, 0];
/** Counts calls. */
let turn = 0;

function enter(name: SyscallName, nr: number, args: readonly Arg[]): number {
  const scratch = (memory ??= new Scratch());
  scratch.reset();
  const mine = ++turn;
  if (args.length > 6) throw new OptionsError(`${name}()`, args.length, "expected at most 6 arguments");
  for (let i = 0; i < 6; i++) {
    if (i >= args.length) words[i] = 0;
    else words[i] = quickWord(args[i] as Arg) ?? checkedWord(name, i, args[i] as Arg, scratch);
  }
  // An argument's getter has run a call itself, and used the same memory.
  if (mine !== turn) throw new TypeError(`${name}(): another call was made while its arguments were read`);
  const result = syscall(nr, words[0], words[1], words[2], words[3], words[4], words[5]);
  if (result < 0) throw failure({ name, args }, -result);
  return result;
}

/** The word of an argument that is right at first sight: of most, where time counts most. */
function quickWord(arg: Arg): Word | undefined {
  if (typeof arg === "number") return (arg | 0) === arg || arg >>> 0 === arg ? arg : undefined;
  if (typeof arg !== "object" || arg === null) return undefined;
  // A buffer goes as it is: its address is taken when the call is made.
  if (arg instanceof Uint8Array) return arg.length === 0 ? 0 : arg;
  if ("fd" in arg) return (arg.fd | 0) === arg.fd ? arg.fd : undefined;
  if ("long" in arg) return Number.isSafeInteger(arg.long) ? arg.long : undefined;
  return undefined;
}

function checkedWord(name: SyscallName, index: number, arg: Arg, scratch: Scratch): Word {
  checkArgument(name, index, arg);
  if (typeof arg === "string") return scratch.text(arg);
  if (typeof arg === "object" && arg !== null) {
    if ("into" in arg) return arg.into.length === 0 ? 0 : arg.into;
    if ("result" in arg) return scratch.stepOf(arg.result);
  }
  return encodeArg(arg, scratch);
}

type Output = Extract<Arg, { out?: unknown } | { into: unknown }>;

const isOutput = (arg: object): arg is Output => "into" in arg || ("out" in arg && arg.out !== undefined);

function decode(returns: Kind, result: number, args: readonly Arg[]): unknown {
  if (returns === "fd") return new Fd(result);
  const written = args.flatMap((arg, i) =>
    typeof arg === "object" && arg !== null && isOutput(arg) ? [writtenBytes(words[i], arg)] : [],
  );
  const [bytes = new Uint8Array(0)] = written;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (returns) {
    case "bytes":
      return bytes.slice(0, fitting(result, bytes));
    case "text":
      return decodeText(bytes, 0, fitting(result, bytes));
    case "string":
      return decodeText(bytes);
    case "cpus":
      return setBits(bytes.subarray(0, result));
    case "fds":
      return [new Fd(view.getInt32(0, true)), new Fd(view.getInt32(4, true))];
    case "writtenFd":
      return new Fd(view.getInt32(0, true));
    case "u32":
      return view.getUint32(0, true);
    case "u64":
      return view.getBigUint64(0, true);
    case "u32s":
      return written.map((one) => new DataView(one.buffer, one.byteOffset).getUint32(0, true));
    case "words":
      return Array.from({ length: result }, (_, i) => view.getUint32(4 * i, true));
    case "ids":
      return Array.from({ length: result }, (_, i) => view.getBigUint64(8 * i, true));
    case "statmount":
      return parseStatmount(bytes);
    default:
      return returns.endsWith("[]")
        ? decodeStructs(returns.slice(0, -2) as StructName, bytes)
        : decodeStruct(returns as StructName, bytes);
  }
}

/** Some calls return how much there is, and not how much they wrote. @throws {RangeError} rather than half of it. */
function fitting(size: number, { length }: Uint8Array): number {
  if (size > length) throw new RangeError(`there are ${size} bytes, and there was room for ${length}`);
  return size;
}

const setBits = (bytes: Uint8Array): number[] =>
  Array.from({ length: 8 * bytes.length }, (_, i) => i).filter((i) => ((bytes[i >> 3] ?? 0) >> (i & 7)) & 1);

/** What the kernel wrote, to the caller's memory or to ours. */
function writtenBytes(word: Word | undefined, output: Output): Uint8Array {
  if (word instanceof Uint8Array) return word;
  return memory === undefined || !word ? new Uint8Array(0) : memory.at(Number(word), outputSize(output));
}

function outputSize(output: Output): number {
  if ("struct" in output) return structs[output.struct].size;
  if ("structs" in output) return structs[output.structs].size * output.list.length;
  if ("into" in output) return output.into.length;
  return typeof output.out === "string" ? structs[output.out satisfies StructName].size : output.out;
}
