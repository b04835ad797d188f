/** The first kernels with what a box is made of: one list for doctor and for hints. */
import type { Call } from "../sys/call.ts";

export interface Floor {
  readonly what: string;
  readonly since: readonly [major: number, minor: number];
  /** Calls that fail with ENOSYS on older kernels. */
  readonly calls?: readonly Call["name"][];
  /** What becomes of a box without it; undefined: there is none. */
  readonly without?: string;
}

/** From the manual pages, and the kernel's own documentation where they are silent. */
export const floors: readonly Floor[] = [
  { what: "the new mount calls", since: [5, 2], calls: ["open_tree", "move_mount", "fsopen", "fsconfig", "fsmount"] },
  { what: "clone3", since: [5, 3], calls: ["clone3"] },
  { what: "time namespaces", since: [5, 6] },
  { what: "openat2", since: [5, 6], calls: ["openat2"] },
  { what: "CLONE_INTO_CGROUP", since: [5, 7], without: "no group of cgroup v2 can be entered" },
  { what: "close_range", since: [5, 9], calls: ["close_range"] },
  { what: "overlayfs in user namespaces", since: [5, 11] },
  { what: "CLOSE_RANGE_CLOEXEC", since: [5, 11] },
  { what: "mount_setattr", since: [5, 12], calls: ["mount_setattr"] },
  { what: "cgroup.kill", since: [5, 14], without: "without a pid namespace, processes are killed one by one" },
  { what: "CLONE_NEWTIME in clone3", since: [6, 3], without: "a time namespace takes one process more" },
  {
    what: "user.* attributes on tmpfs",
    since: [6, 6],
    without: "in a user namespace, a directory of a layer that is not empty cannot be removed",
  },
];

/** Whether a kernel is as new as that one. */
export const isSince = (kernel: readonly [number, number], since: readonly [number, number]): boolean =>
  kernel[0] > since[0] || (kernel[0] === since[0] && kernel[1] >= since[1]);
