/** Files below the kept directory of a group: nothing outside of it is ever reached. openat2(2) */
import { type ErrnoName, errnoText } from "../sys/errno.ts";
import { SyscallError } from "../sys/error.ts";
import type { Fd } from "../sys/fd.ts";
import { AT, AT_FDCWD, O, RESOLVE } from "../sys/flags.ts";
import { OptionsError } from "../sys/options-error.ts";
import { sys } from "../sys/vocabulary.ts";

/** A directory: its descriptor, and its path for those who read an error. */
export interface Directory {
  readonly fd: Fd;
  readonly path: string;
}

const inside = RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS;

/** Opens a directory by its path, for reading. @throws {SyscallError} ENOENT when it is not there, with its path. */
export function openDirectory(path: string): Fd {
  return withPath(path, undefined, () => sys.openat(AT_FDCWD, path, O.RDONLY | O.DIRECTORY | O.CLOEXEC));
}

/** A directory in another one. @throws {SyscallError} ENOENT when it is not there, with its path. */
export function openBelow(parent: Directory, name: string): Fd {
  return openIn(parent, name, O.RDONLY | O.DIRECTORY);
}

/** The directory above, however that is called by now. Not for the top of a mount. @throws {SyscallError} */
export function openAbove({ fd, path }: Directory): Fd {
  return withPath(`${path}/..`, undefined, () => sys.openat(fd, "..", O.RDONLY | O.DIRECTORY | O.CLOEXEC));
}

/** A file of the directory by its name. @throws {SyscallError} with the path of the file. */
export function openIn(dir: Directory, name: string, flags: number): Fd {
  return withPath(`${dir.path}/${name}`, undefined, () => open(dir, name, flags | O.CLOEXEC));
}

let hasOpenat2 = true;

function open(dir: Directory, name: string, flags: number): Fd {
  if (hasOpenat2) {
    try {
      return sys.openat2(dir.fd, name, flags, inside);
    } catch (error) {
      // Seccomp filters of older container runtimes do not know the call. A name without a slash stays inside all the same.
      if (!isErrno(error, "ENOSYS")) throw error;
      hasOpenat2 = false;
    }
  }
  return sys.openat(dir.fd, name, flags | O.NOFOLLOW);
}

/** `mkdirat`: a group below. @throws {SyscallError} EEXIST when there is one, EACCES, with its path. */
export function makeBelow(parent: Directory, name: string): void {
  withPath(`${parent.path}/${name}`, undefined, () => sys.mkdirat(parent.fd, name, 0o755));
}

/** `unlinkat` of a group below. @throws {SyscallError} EBUSY when there are processes or groups in it, with its path. */
export function removeBelow(parent: Directory, name: string): void {
  withPath(`${parent.path}/${name}`, undefined, () => sys.unlinkat(parent.fd, name, AT.REMOVEDIR));
}

let buffer: Uint8Array<ArrayBuffer> | undefined;
const decoder = new TextDecoder();

/**
 * The text of a file; undefined where it is not there, or cannot be read in this group (EOPNOTSUPP, ENODEV).
 * @throws {SyscallError} with the path of the file
 */
export function readIn(dir: Directory, name: string): string | undefined {
  try {
    using file = openIn(dir, name, O.RDONLY);
    return withPath(`${dir.path}/${name}`, undefined, () => readAll(file));
  } catch (error) {
    if (isErrno(error, "ENOENT", "EOPNOTSUPP", "ENODEV")) return undefined;
    throw error;
  }
}

/** From where the descriptor stands to the end. */
export function readAll(file: Fd): string {
  buffer ??= new Uint8Array(65536);
  const length = sys.read(file, buffer);
  if (length === 0) return "";
  const parts = [decoder.decode(buffer.subarray(0, length))];
  // A file of one line ends with the first read but for the asking; lists of processes go on.
  for (;;) {
    const more = sys.read(file, buffer);
    if (more === 0) return parts.join("");
    parts.push(decoder.decode(buffer.subarray(0, more)));
  }
}

/** Writes a text to a file, in one write(2). @throws {SyscallError} with the path of the file, and in its message the text. */
export function writeIn(dir: Directory, name: string, text: string): void {
  withPath(`${dir.path}/${name}`, text, () => {
    using file = open(dir, name, O.WRONLY | O.CLOEXEC);
    sys.write(file, text);
  });
}

/** Groups in this one, by name; none in one that has been removed. */
export function namesBelow(dir: Directory): string[] {
  try {
    return listBelow(dir);
  } catch (error) {
    if (isErrno(error, "ENOENT", "ENODEV")) return [];
    throw error;
  }
}

function listBelow(dir: Directory): string[] {
  // A descriptor of its own, so that two who list at the same time do not share a position.
  using list = openIn(dir, ".", O.RDONLY | O.DIRECTORY);
  const names: string[] = [];
  for (;;) {
    const entries = withPath(dir.path, undefined, () => sys.getdents64(list));
    if (entries.length === 0) return names.sort();
    const view = new DataView(entries.buffer, entries.byteOffset, entries.length);
    for (let at = 0; at < entries.length; at += view.getUint16(at + 16, true)) {
      if (entries[at + 18] !== directoryType) continue;
      const end = entries.indexOf(0, at + 19);
      const name = decoder.decode(entries.subarray(at + 19, end));
      if (name !== "." && name !== "..") names.push(name);
    }
  }
}

/** DT_DIR. readdir(3) */
const directoryType = 4;

/**
 * A name for a group: one part of a path that is no file of the kernel's.
 * @throws {OptionsError}
 */
export function checkName(name: unknown): string {
  const wrong =
    typeof name !== "string"
      ? "a string"
      : name === "" || name === "." || name === ".."
        ? "a name"
        : /[/\n\0]/.test(name)
          ? 'a name without "/", newline and NUL'
          : name.startsWith("cgroup.")
            ? 'a name that does not begin with "cgroup.", as the kernel\'s own files do'
            : new TextEncoder().encode(name).length > 255
              ? "at most 255 bytes"
              : undefined;
  if (wrong !== undefined) throw new OptionsError("name of the group", name, `expected ${wrong}`);
  return name as string;
}

/** Whether it is a SyscallError with one of these codes. */
export function isErrno(error: unknown, ...codes: readonly string[]): error is SyscallError {
  return error instanceof SyscallError && codes.includes(error.code);
}

/** Runs it; a failure names the file by its whole path, and the value that was to go there. */
function withPath<T>(path: string, value: string | undefined, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw explained(error, path, value);
  }
}

/** The same error, with the path and the value in fields and message. */
export function explained(
  error: SyscallError,
  path: string,
  value?: string,
  hint = hintFor(error, path),
): SyscallError {
  const { code, errno, call } = error;
  const what = value === undefined ? error.syscall : `write ${JSON.stringify(value)}`;
  const text = errnoText(code as ErrnoName);
  const message = `${path}: ${what}: ${code}${text ? ` (${text})` : ""}${hint === undefined ? "" : `. ${hint}`}`;
  return new SyscallError(message, { code, errno, call, path, ...(hint === undefined ? {} : { hint }) });
}

/** What is likely behind an errno of a group's file. */
function hintFor({ code, hint, syscall }: SyscallError, path: string): string | undefined {
  const file = path.slice(path.lastIndexOf("/") + 1);
  const own = /^(cgroup\.procs|cgroup\.threads|tasks)$/.test(file);
  if (code === "ENOENT" && syscall.startsWith("openat") && file.includes("."))
    return "This kernel has no such file, or the controller is not enabled for the group";
  if (code === "ENOSPC" && own) return "The cpuset of the group has no CPUs or no memory nodes";
  if (code === "EBUSY" && syscall === "unlinkat") return "There are processes or groups in it";
  if (code === "EBUSY" && own) return "Controllers are enabled for its children: only they can hold processes";
  if (code === "EBUSY" && file === "cgroup.subtree_control")
    return "Processes are in the group itself: move them into a child first";
  if (code === "EBUSY" && /limit_in_bytes$/.test(file))
    return "More is in use than that, and none of it could be freed";
  if (code === "EOPNOTSUPP" && own) return "The group is threaded, or has become invalid: see its cgroup.type";
  if (code === "EINVAL" && /memsw|limit_in_bytes/.test(file))
    return "Memory and swap together cannot be limited to less than memory alone";
  if (code === "ENODEV" && /^(io|blkio)\./.test(file))
    return "There is no such block device, or it has no such control";
  if ((code === "EACCES" || code === "EPERM") && own)
    return "Besides the group, the cgroup.procs of the nearest group above both must be writable";
  return hint;
}

/** Does what is worth trying: whether it was done. */
export function quietly(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof SyscallError) return false;
    throw error;
  }
}
