/** Text of files under /proc: reading is not parsing, and a process may end between the two. */
import { readFileSync } from "node:fs";

/** A file as text, or undefined when it is not there or the process that it describes has ended (ENOENT, ESRCH). */
export function readIfThere(path: string): string | undefined {
  return ifThere(() => decode(readFileSync(path)));
}

/**
 * `/proc/PID/FILE` as text. Undefined when that process has ended; without a pid the caller's own file, and then its
 * absence (no /proc, or one of another pid namespace) is thrown as it comes.
 */
export function readProcess(pid: number | undefined, file: string): string | undefined {
  return pid === undefined ? decode(readFileSync(`/proc/self/${file}`)) : readIfThere(`/proc/${pid}/${file}`);
}

/** What `read` returns, or undefined when it fails with ENOENT, ESRCH or another code that means "not there". */
export function ifThere<T>(read: () => T, codes: readonly string[] = ["ENOENT", "ESRCH"]): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Error && "code" in error && codes.includes(String(error.code))) return undefined;
    throw error;
  }
}

/**
 * UTF-8, and a line that is not valid UTF-8 as Latin-1: file names are bytes to the kernel, and one odd mount point
 * must not spoil the other lines. Such a name can be read and compared, but does not lead back to the file.
 */
export function decode(bytes: Uint8Array): string {
  const text = utf8(bytes);
  if (text !== undefined) return text;
  const lines: string[] = [];
  for (let start = 0; start <= bytes.length;) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    const line = bytes.subarray(start, end);
    lines.push(utf8(line) ?? latin1(line));
    start = end + 1;
  }
  return lines.join("\n");
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

// TextDecoder("latin1") is windows-1252, which maps 0x80 to 0x9f elsewhere.
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
