/** Steps that make, limit, enter, read and remove the groups of a box. cgroups(7) */
import type { Text } from "../sys/call.ts";
import * as call from "../sys/calls.ts";
import { AT_FDCWD } from "../sys/calls.ts";
import { AT, O } from "../sys/flags.ts";
import { type CallStep, step } from "../sys/step.ts";
import type { CgroupLayout } from "./layout.ts";
import type { GroupPlace, LimitWrites } from "./limits.ts";
import { endReads } from "./usage.ts";

/** Bytes of a file that are read at the end: all that usage() looks at stands well before. */
const readSize = 1024;
/** How long the kernel may take to let go of a group whose last process has just ended. */
const removeMs = 5000;

/** What is done about the groups of a box, by when and by whom. */
export interface CgroupSteps {
  /** In the monitor, before the clone. */
  readonly make: readonly CallStep[];
  /** The id of the descriptor for CLONE_INTO_CGROUP, where there is a v2 group. */
  readonly cloneInto: string | undefined;
  /** In the box, first of all: v1 has no CLONE_INTO_CGROUP. */
  readonly enter: readonly CallStep[];
  /** In the monitor, when the box has ended. */
  readonly undo: readonly CallStep[];
  /** The group in each hierarchy, with `{monitor}` for the pid in its name. */
  readonly directories: readonly string[];
  /** Names of the files that `undo` reads, each a block of the report of that name; `usage()` takes their texts. */
  readonly reads: readonly string[];
}

/**
 * Pure. `monitor` is the id of the step that returned the monitor's pid, which makes the name unique, and `token` tells
 * pids of different pid namespaces apart.
 * @param killsRest Whether undo has to kill: a new pid namespace has taken everything with it already.
 */
export function cgroupSteps(
  limits: LimitWrites,
  layout: CgroupLayout,
  { monitor, token, killsRest }: { monitor: string; token: string; killsRest: boolean },
): CgroupSteps {
  const groups = limits.groups.map((place, i) => ({ ...place, id: `group ${i + 1}` }));
  const path = (place: GroupPlace): Text => ({ text: [`${place.parent}/bunshare-${token}-`, { result: monitor }] });
  const dir = (place: { id: string }) => ({ result: `${place.id} dir` });

  const make = groups.flatMap((group): CallStep[] => [
    ...enable(group),
    step(`make a cgroup in ${group.parent}`, call.mkdirat(AT_FDCWD, path(group), 0o755), { id: group.id }),
    step(`open the cgroup in ${group.parent}`, call.openat(AT_FDCWD, path(group), O.DIRECTORY | O.CLOEXEC), {
      id: `${group.id} dir`,
    }),
    ...limits.writes
      .filter((write) => write.hierarchy === group.hierarchy)
      .flatMap((write) => writeFile(`set ${write.file} to ${write.value}`, dir(group), write.file, write.value)),
    ...(group.version === 1
      ? [
          // Opened with the caller's rights, written by the box: the kernel looks at who opened it.
          step("open the cgroup's tasks", call.openat(dir(group), "tasks", O.WRONLY | O.CLOEXEC), {
            id: `${group.id} tasks`,
          }),
        ]
      : []),
  ]);

  const enter = groups
    .filter(({ version }) => version === 1)
    // One thread, and `tasks`: cgroup.procs would wait for an RCU grace period.
    .map((group) => step(`enter the cgroup in ${group.parent}`, call.write({ result: `${group.id} tasks` }, "0")));

  const controllers = groups.flatMap((group) => group.controllers);
  const reads = endReads(layout, controllers).flatMap((read) =>
    groups.filter((group) => group.hierarchy === read.hierarchy).map((group) => ({ ...read, group })),
  );
  const undo = [
    ...(killsRest ? groups.filter(({ version }) => version === 2).flatMap((group) => kill(group.id)) : []),
    // What is counted is gone with the group, so it is read before.
    ...reads.flatMap(({ group, file, as }) => readFile(group.id, file, as)),
    ...groups.toReversed().map((group) =>
      step(`remove the cgroup in ${group.parent}`, call.unlinkat(AT_FDCWD, path(group), AT.REMOVEDIR), {
        needs: group.id,
        retry: { errno: "EBUSY", ms: removeMs },
      }),
    ),
  ];
  const v2 = groups.find(({ version }) => version === 2);
  return {
    make,
    cloneInto: v2 && `${v2.id} dir`,
    enter,
    undo,
    directories: groups.map(({ parent }) => `${parent}/bunshare-${token}-{monitor}`),
    reads: reads.map(({ as }) => as),
  };
}

function enable(group: GroupPlace & { id: string }): CallStep[] {
  if (group.enable.length === 0) return [];
  const value = group.enable.map((controller) => `+${controller}`).join(" ");
  const id = `${group.id} subtree_control`;
  return [
    step(
      `enable ${value} in ${group.parent}: open`,
      call.openat(AT_FDCWD, `${group.parent}/cgroup.subtree_control`, O.WRONLY | O.CLOEXEC),
      { id },
    ),
    step(`enable ${value} in ${group.parent}`, call.write({ result: id }, value)),
    step(`enable ${value} in ${group.parent}: close`, call.close({ result: id })),
  ];
}

function writeFile(label: string, dir: { result: string }, file: string, value: string): CallStep[] {
  const id = `${dir.result} ${file} ${value}`;
  return [
    step(`${label}: open`, call.openat(dir, file, O.WRONLY | O.CLOEXEC), { id }),
    step(label, call.write({ result: id }, value)),
    step(`${label}: close`, call.close({ result: id })),
  ];
}

function readFile(group: string, file: string, block: string): CallStep[] {
  const id = `${group} end ${file}`;
  // Files come and go with kernel versions: one that is not there is not reported, and nothing else.
  return [
    step(`read ${file}: open`, call.openat({ result: `${group} dir` }, file, O.RDONLY | O.CLOEXEC), {
      id,
      needs: `${group} dir`,
      tolerate: ["ENOENT"],
    }),
    step(`read ${file}`, call.read({ result: id }, { report: block, size: readSize }), {
      needs: id,
      tolerate: ["EOPNOTSUPP", "ENODEV"],
    }),
    step(`read ${file}: close`, call.close({ result: id }), { needs: id }),
  ];
}

function kill(group: string): CallStep[] {
  const id = `${group} kill`;
  return [
    step("kill what is left: open", call.openat({ result: `${group} dir` }, "cgroup.kill", O.WRONLY | O.CLOEXEC), {
      id,
      needs: `${group} dir`,
      tolerate: ["ENOENT"],
    }),
    step("kill what is left", call.write({ result: id }, "1"), { needs: id }),
  ];
}
