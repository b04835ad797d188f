/** A namespace as a handle: an open descriptor, which keeps the namespace alive. namespaces(7) */
import { fstatSync } from "node:fs";
import { SyscallError } from "../sys/error.ts";
import type { Fd } from "../sys/fd.ts";
import { AT_FDCWD, O } from "../sys/flags.ts";
import { sys } from "../sys/vocabulary.ts";
import { OptionsError } from "../sys/options-error.ts";
import { kinds, type NamespaceKind, namespaceKinds } from "./kinds.ts";

/** An open namespace. Two handles of one namespace are equal; disposal closes the handle, not what others keep alive. */
export class Namespace implements Disposable {
  /** Called as in /proc/PID/ns. */
  readonly kind: NamespaceKind;
  readonly #fd: Fd;

  private constructor(kind: NamespaceKind, fd: Fd) {
    this.kind = kind;
    this.#fd = fd;
  }

  /**
   * `open("/proc/PID/ns/KIND", O_RDONLY | O_CLOEXEC)`: of this process, of another one, or at a path such as /run/netns/blue.
   * @throws {SyscallError} ENOENT when the process has ended; EACCES without the right to look into it.
   * @throws {OptionsError} when the path is no namespace of that kind.
   */
  static open(kind: NamespaceKind, from: "self" | number | string = "self"): Namespace {
    if (!Object.hasOwn(kinds, kind))
      throw new OptionsError("kind", kind, `expected one of ${namespaceKinds.join(", ")}`);
    if (typeof from === "number" && (!Number.isInteger(from) || from < 1))
      throw new OptionsError("pid", from, "expected a pid");
    const path = typeof from === "number" || from === "self" ? `/proc/${from}/ns/${kind}` : from;
    const fd = sys.openat(AT_FDCWD, path, O.RDONLY | O.NONBLOCK | O.CLOEXEC);
    const type = typeOf(fd);
    if (type === kinds[kind].flag) return new Namespace(kind, fd);
    fd.close();
    const other = namespaceKinds.find((name) => kinds[name].flag === type);
    throw new OptionsError(
      "path",
      path,
      other ? `is a ${other} namespace, not a ${kind} namespace` : "is not a namespace",
    );
  }

  /** The descriptor, for setns(2) or `join`. */
  get fd(): number {
    return this.#fd.number;
  }
  /** What identifies it on this machine: device and inode. */
  id(): { readonly device: number; readonly inode: number } {
    const { dev, ino } = fstatSync(this.fd);
    return { device: dev, inode: ino };
  }
  /** Whether both are handles of one namespace: device and inode agree. namespaces(7) */
  equals(other: Namespace): boolean {
    const [a, b] = [this.id(), other.id()];
    return a.device === b.device && a.inode === b.inode;
  }
  /** Closes the descriptor; the namespace lives on while a process, a mount or another descriptor holds it. Twice does no harm. */
  close(): void {
    this.#fd.close();
  }
  /** Closes it, at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }
  /** As readlink(2) shows it in /proc/PID/ns: `net:[4026531840]`. */
  toString(): string {
    return `${this.kind}:[${this.id().inode}]`;
  }
}

/** `ioctl(fd, NS_GET_NSTYPE)`: the CLONE_NEW* flag, or undefined for what is no namespace. NS_GET_NSTYPE(2const), Linux 4.11 */
function typeOf(fd: Fd): number | undefined {
  try {
    return sys.nsGetNstype(fd);
  } catch (error) {
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}
