/** Paths of control groups: as in /proc/PID/cgroup, and as directories. Pure. */
import type { CgroupHierarchy, CgroupLayout } from "../../src/cgroup/layout.ts";

type Mounted = Pick<CgroupHierarchy, "mountPoint" | "mountRoot">;

/** `/sys/fs/cgroup/memory/build` as `/build`. */
export function procPath(directory: string, { mountPoint, mountRoot }: Mounted): string {
  const rest = directory.slice(mountPoint.length);
  return mountRoot === "/" ? rest || "/" : mountRoot + rest;
}

/** `/build` as `/sys/fs/cgroup/memory/build`; undefined outside of what is in sight. */
export function directoryOf(path: string, { mountPoint, mountRoot }: Mounted): string | undefined {
  if (path === mountRoot) return mountPoint;
  const prefix = mountRoot === "/" ? "/" : `${mountRoot}/`;
  return path.startsWith(prefix) ? `${mountPoint}/${path.slice(prefix.length)}` : undefined;
}

/** Where a group that is called by its name alone may be: below the own group, then below those above it; the nearest first. */
export function pathsOf(name: string, { hierarchies }: CgroupLayout): string[] {
  const paths = hierarchies
    .toReversed()
    .flatMap((hierarchy) =>
      hierarchy.ancestors.map(({ path }) => `${procPath(path, hierarchy)}/${name}`.replace("//", "/")),
    );
  return [...new Set(paths)].toSorted((a, b) => b.split("/").length - a.split("/").length);
}
