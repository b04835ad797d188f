/** Namespaces: making, entering, asking about them. */
import { bits, define, fd, type FdArg, lengthOf } from "../primitive.ts";

/**
 * `unshare(flags)`: move the caller into new namespaces. unshare(2)
 * pid and time: for its children, and time also at its next execve (Linux 6.2).
 */
export const unshare = define("unshare", "none", (flags: number) => [bits("CLONE", flags)]);
/** `setns(fd, nstype)`: enter the namespace behind a descriptor; EINVAL when it is of another kind than `nstype`. setns(2) */
export const setns = define("setns", "none", (ns: FdArg, nstype: number) => [fd(ns), bits("CLONE", nstype)]);
/** `sethostname(name, len)`: of the caller's uts namespace. sethostname(2) */
export const sethostname = define("sethostname", "none", (name: string) => [{ data: name }, lengthOf(name)]);
/** `setdomainname(name, len)`: of the caller's uts namespace. setdomainname(2) */
export const setdomainname = define("setdomainname", "none", (name: string) => [{ data: name }, lengthOf(name)]);
