/** The eight kinds of namespace, called as in /proc/PID/ns. namespaces(7) */
import { CLONE } from "../sys/flags.ts";

/** By kind: the flag of clone3, unshare and setns, and the manual page. */
export const kinds = {
  user: { flag: CLONE.NEWUSER, manual: "user_namespaces(7)" },
  mnt: { flag: CLONE.NEWNS, manual: "mount_namespaces(7)" },
  pid: { flag: CLONE.NEWPID, manual: "pid_namespaces(7)" },
  net: { flag: CLONE.NEWNET, manual: "network_namespaces(7)" },
  ipc: { flag: CLONE.NEWIPC, manual: "ipc_namespaces(7)" },
  uts: { flag: CLONE.NEWUTS, manual: "uts_namespaces(7)" },
  cgroup: { flag: CLONE.NEWCGROUP, manual: "cgroup_namespaces(7)" },
  time: { flag: CLONE.NEWTIME, manual: "time_namespaces(7)" },
} as const;

/** A kind of namespace, called as in /proc/PID/ns: `mnt` for the mount namespace. */
export type NamespaceKind = keyof typeof kinds;

/** All kinds, `user` first: it gives the rights that making and entering the others takes. */
export const namespaceKinds = Object.keys(kinds) as NamespaceKind[];
