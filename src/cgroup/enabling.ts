/** Controllers passed on to groups below: `cgroup.subtree_control` along the path, and who blocks them and why. cgroups(7) */
import { SyscallError } from "../sys/error.ts";
import { type Directory, explained, openDirectory, quietly, readIn, writeIn } from "./directory.ts";
import type { CgroupHierarchy } from "./layout.ts";

/**
 * Enables controllers in every `cgroup.subtree_control` from the top of the mount down to `path`, where they are not yet; all or nothing.
 * @returns what puts it back
 * @throws {SyscallError} with the path of the ancestor that blocks, and in the hint why
 */
export function enableAlong({ mountPoint }: CgroupHierarchy, path: string, controllers: readonly string[]): () => void {
  using undo = new DisposableStack();
  for (const at of pathsDown(mountPoint, path)) {
    const fresh = enableAt(at, controllers);
    if (fresh.length > 0) undo.defer(() => quietly(() => disableAt(at, fresh)));
  }
  const done = undo.move();
  return () => done.dispose();
}

/** @returns those that were not enabled there before */
function enableAt(path: string, controllers: readonly string[]): string[] {
  using fd = openDirectory(path);
  const dir = { fd, path };
  const enabled = words(dir, "cgroup.subtree_control");
  const fresh = controllers.filter((controller) => !enabled.includes(controller));
  if (fresh.length === 0) return [];
  const there = words(dir, "cgroup.controllers");
  try {
    writeIn(dir, "cgroup.subtree_control", signed("+", fresh));
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    const why = whyBlocked(error, path, fresh, there);
    throw explained(error, `${path}/cgroup.subtree_control`, signed("+", fresh), why);
  }
  return fresh;
}

function disableAt(path: string, controllers: readonly string[]): void {
  using fd = openDirectory(path);
  writeIn({ fd, path }, "cgroup.subtree_control", signed("-", controllers));
}

/** `/a`, `/a/b`, `/a/b/c` for the top `/a` and the path `/a/b/c`. */
function pathsDown(top: string, path: string): string[] {
  const paths = [top];
  for (let at = top.length; at < path.length; paths.push(path.slice(0, at))) {
    const next = path.indexOf("/", at + 1);
    at = next < 0 ? path.length : next;
  }
  return paths;
}

const signed = (sign: string, controllers: readonly string[]): string =>
  controllers.map((controller) => sign + controller).join(" ");

const words = (dir: Directory, file: string): string[] => (readIn(dir, file) ?? "").split(/\s+/).filter(Boolean);

function whyBlocked(
  { code, hint }: SyscallError,
  path: string,
  fresh: readonly string[],
  there: readonly string[],
): string | undefined {
  const absent = fresh.filter((name) => !there.includes(name));
  if (absent.length > 0)
    return `${path} has no ${absent.join(" ")} in its cgroup.controllers: there are ${there.join(" ") || "none"}`;
  if (code === "EBUSY")
    return `${path} holds processes itself, and a group that passes controllers on may not: move them into a group below first, as leaf() does`;
  if (code === "EOPNOTSUPP")
    return `${path} is threaded or has threaded groups below: only threaded controllers can be enabled`;
  if (code === "EACCES" || code === "EPERM")
    return `${path} belongs to another user: its cgroup.subtree_control may not be written`;
  if (code === "EROFS") return `${path} is mounted read-only`;
  return hint;
}
