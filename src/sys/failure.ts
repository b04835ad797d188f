/** From -errno to the error: with the file, the kernel's own words and a hint, where they can be had. */
import { pin, syscall } from "../../ffi/syscall.ts";
import type { Call } from "./call.ts";
import { decodeText } from "./decode.ts";
import { errnoName, type ErrnoName } from "./errno.ts";
import type { SyscallError } from "./error.ts";
import { AT_FDCWD } from "./flags.ts";
import { syscallError } from "./message.ts";
import { type Arch, numberOf } from "./numbers.ts";

const arch = process.arch as Arch;

/** The error of a call that has just failed. What is known about it is asked for at once: soon descriptors and messages may be others. */
export function failure(call: Call, errno: number): SyscallError {
  const [first] = call.args;
  const fd = typeof first === "object" && first !== null && "fd" in first && first.fd >= 0 ? first.fd : undefined;
  const file = fd === undefined ? undefined : fileOf(fd);
  const path = file?.startsWith("/") ? file : undefined;
  // Of anything else read(2) would take what is not ours, and wait for it.
  const kernelLog = fd !== undefined && file === "anon_inode:[fscontext]" ? readLog(fd) : "";
  // The kernel's own words are worth more than what the errno means in general.
  const hint = kernelLog === "" ? hintFor(call, errnoName(errno)) : undefined;
  return syscallError(Object.freeze(call), errno, { path, kernelLog: kernelLog || undefined, hint });
}

/** `readlink("/proc/self/fd/N")`: a path, or what it is else: `anon_inode:[fscontext]`. */
function fileOf(fd: number): string | undefined {
  const bytes = pin(4096);
  const link = new TextEncoder().encode(`/proc/self/fd/${fd}\0`);
  const length = syscall(numberOf("readlinkat", arch), AT_FDCWD, link, bytes, bytes.length);
  return length > 0 ? decodeText(bytes, 0, length) : undefined;
}

/** The messages of an fs context: each read(2) takes one, and is ENODATA when there is none left. fsopen(2) */
function readLog(fd: number): string {
  const lines: string[] = [];
  const bytes = pin(1024);
  for (;;) {
    const length = syscall(numberOf("read", arch), fd, bytes, bytes.length);
    if (length <= 0) return lines.join("\n");
    lines.push(decodeText(bytes, 0, length).trimEnd());
  }
}

/** Loaded at the first failure: it is larger than all of the rest. */
function hintFor(call: Call, errno: ErrnoName | undefined): string | undefined {
  try {
    return (require("./hints.ts") as typeof import("./hints.ts")).hintFor(call, errno);
  } catch {
    // No descriptor is left to read it by: EMFILE says so itself.
    return undefined;
  }
}
