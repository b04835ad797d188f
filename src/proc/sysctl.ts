/** Kernel parameters: /proc/sys, sysctl(8). */
import { ifThere, readIfThere } from "./read.ts";

/**
 * `/proc/sys/...` without the final newline, or undefined when this kernel has no such parameter.
 * `readSysctl("user.max_user_namespaces")`; a name with a slash is taken as a path, for parts with dots in them:
 * `readSysctl("net/ipv4/conf/eth0.1/forwarding")`.
 */
export function readSysctl(name: string): string | undefined {
  const parts = name.split(name.includes("/") ? "/" : ".");
  if (parts.some((part) => part === "" || part === "." || part === ".." || part.includes("\0"))) return undefined;
  // ENOTDIR: a parameter was taken for a directory. EISDIR: the other way round.
  const text = ifThere(() => readIfThere(`/proc/sys/${parts.join("/")}`), ["ENOTDIR", "EISDIR"]);
  return text?.replace(/\n$/, "");
}
