/** What tests of groups share: groups of their own, programs in them, and whether groups can be made here at all. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Cgroup, type CreateOptions, type Limits } from "../../src/cgroup/cgroup.ts";
import { readCgroupLayout } from "../../src/cgroup/layout.ts";

export const layout = readCgroupLayout();
export const isRoot = process.getuid?.() === 0;

/** Why no group can be made here, or undefined. */
export const noGroups = whyNoGroups();

function whyNoGroups(): string | undefined {
  try {
    const group = Cgroup.create(`bunshare-test-probe-${process.pid}`);
    void group.remove();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

let count = 0;
export const freshName = (): string => `bunshare-test-${process.pid}-${++count}`;

/** A group that no other test has. */
export const make = (limits?: Limits, options?: CreateOptions): Cgroup => Cgroup.create(freshName(), limits, options);

/** Directories that this process has left in any hierarchy. */
export function leftOver(): string[] {
  return layout.hierarchies.flatMap(({ mountPoint }) =>
    [mountPoint, `${mountPoint}/delegated`]
      .filter((path) => existsSync(path))
      .flatMap((path) => readdirSync(path).map((name) => `${path}/${name}`))
      .filter((path) => path.includes(`/bunshare-test-${process.pid}-`)),
  );
}

/** A shell that waits until it is in the group before it begins. */
export async function startIn(group: Cgroup, script: string) {
  const shell = Bun.spawn(["sh", "-c", `read go; ${script}`], { stdin: "pipe", stdout: "pipe", stderr: "pipe" });
  group.add(shell.pid);
  await shell.stdin.write("go\n");
  await shell.stdin.end();
  return shell;
}

/** Runs it to its end, and ends all of the group after so long: what the shell started would keep its output open. */
export async function runIn(group: Cgroup, script: string, timeoutMs = 10_000) {
  const shell = await startIn(group, script);
  const timer = setTimeout(() => group.kill(), timeoutMs);
  const [stdout, stderr] = await Promise.all([shell.stdout.text(), shell.stderr.text(), shell.exited]);
  clearTimeout(timer);
  return { stdout, stderr, exitCode: shell.exitCode, signalCode: shell.signalCode };
}

/** Waits until it holds. */
export async function until(condition: () => boolean, timeoutMs = 5000): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > end) return false;
    await Bun.sleep(5);
  }
  return true;
}

/** CPU time of a process in ticks: fields utime and stime. proc_pid_stat(5) */
export function ticks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
