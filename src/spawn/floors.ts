/** What a box is made of that older kernels lack: for `doctor`. The versions are those of sys/since.ts. */
import { type Feature, since } from "../sys/since.ts";

/** One thing that a kernel brings to a box. */
export interface Floor {
  /** As it is told. */
  readonly what: string;
  /** Since which Linux: "5.12". */
  readonly since: string;
  /** Rows of the table of versions that are meant: calls among them fail with ENOSYS on older kernels. */
  readonly features: readonly Feature[];
  /** What becomes of a box without it; undefined: there is none. */
  readonly without?: string;
}

const floor = (features: readonly [Feature, ...Feature[]], more: { what?: string; without?: string } = {}): Floor => ({
  what: features[0],
  since: since[features[0]],
  features,
  ...more,
});

/** By version. */
export const floors: readonly Floor[] = [
  floor(["open_tree", "move_mount", "fsopen", "fsconfig", "fsmount"], { what: "the new mount calls" }),
  floor(["clone3"]),
  floor(["CLONE_NEWTIME"], { what: "time namespaces" }),
  floor(["openat2"]),
  floor(["CLONE_INTO_CGROUP"], { without: "no group of cgroup v2 can be entered" }),
  floor(["close_range"]),
  floor(["overlayfs in user namespaces"]),
  floor(["CLOSE_RANGE_CLOEXEC"]),
  floor(["mount_setattr"]),
  floor(["cgroup.kill"], { without: "without a pid namespace, processes are killed one by one" }),
  floor(["CLONE_NEWTIME in clone3"], { without: "a time namespace takes one process more" }),
  floor(["user.* attributes on tmpfs"], {
    without: "in a user namespace, a directory of a layer that is not empty cannot be removed",
  }),
];
