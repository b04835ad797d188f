/** What tests of real boxes share: roots to run in, and what a box may leave behind. */
import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { mountinfo } from "../../src/proc/mod.ts";
import type { Plan } from "../../src/spawn/plan-data.ts";
import { PR } from "../../src/sys/flags.ts";
import { sys } from "../../src/sys/vocabulary.ts";
import { asUser, isRoot, projectDir, user } from "../helpers.ts";

export const who = isRoot ? "root" : "an ordinary user";

/** A test that takes root; otherwise it is skipped, and its name says why. */
export const rootTest = (fact: string, body: () => void | Promise<unknown>, timeout?: number): void =>
  test.skipIf(!isRoot)(isRoot ? fact : `${fact} (skipped: takes root)`, body as () => void, timeout);

/** As root, a last test that runs the whole file again as an ordinary user. Boxes are made in the test's own process. */
export function againAsUser(file: string): void {
  if (!isRoot) return;
  const skip = user.skip === undefined ? "" : ` (skipped: ${user.skip})`;
  test.skipIf(skip !== "")(
    `as an ordinary user: the tests of ${basename(file)}${skip}`,
    async () => {
      const { code, stderr } = await asUser([process.execPath, "test", "--timeout", "60000", file], {
        env: { HOME: "/nonexistent", TMPDIR: "/tmp" },
      });
      if (code !== 0) throw new Error(stderr);
      expect(stderr).toMatch(/\b[1-9]\d* pass\b/);
    },
    120_000,
  );
}

/** A directory for the tests of one process, which others may look into. Removed at the end. */
export function scratchDir(): string {
  const dir = mkdtempSync(join(tmpdir(), "bunshare-test-"));
  chmodSync(dir, 0o755);
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A small root directory: these programs of the host with their libraries, and the directories that every box has. */
export function makeRoot(dir: string, programs: readonly string[]): string {
  for (const name of ["proc", "sys", "dev", "tmp", "run", "etc"]) mkdirSync(join(dir, name), { recursive: true });
  for (const name of programs) {
    const path = Bun.which(name, { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" });
    if (path === null) throw new Error(`the host has no ${name}`);
    copy(path, join(dir, "bin", name));
    const libraries = Bun.spawnSync([path], { env: { LD_TRACE_LOADED_OBJECTS: "1" } }) // As ldd(1), which not every system has.
      .stdout.toString()
      .matchAll(/(?:=> |^\s+)(\/\S+) \(/gm);
    for (const [, library = ""] of libraries) copy(library, join(dir, library));
  }
  return dir;
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  if (!existsSync(to)) cpSync(from, to, { dereference: true });
}

/** From here on, orphans of this process' children are its children, and so can be counted. */
export function adoptOrphans(): void {
  sys.prctl(PR.SET_CHILD_SUBREAPER, 1);
}

/** Processes below this one that have not ended. */
export function livingDescendants(pid: number | "self" = "self"): { pid: number; comm: string }[] {
  return childrenOf(pid).flatMap(({ state, ...child }) => [
    ...(state === "Z" || state === "X" ? [] : [child]),
    ...livingDescendants(child.pid),
  ]);
}

/** Children of this process that have ended and that nobody has waited for. */
export const zombies = (): number => childrenOf("self").filter(({ state }) => state === "Z").length;

function childrenOf(pid: number | "self"): { pid: number; comm: string; state: string }[] {
  const children = new Set<number>();
  try {
    for (const task of readdirSync(`/proc/${pid}/task`))
      for (const child of readFileSync(`/proc/${pid}/task/${task}/children`, "utf8").split(" "))
        if (child !== "") children.add(Number(child));
  } catch {
    // It has ended.
  }
  return [...children].flatMap((child) => {
    const [, comm, state] = /\((.*)\) (.)/s.exec(readIfThere(`/proc/${child}/stat`) ?? "") ?? [];
    return comm === undefined || state === undefined ? [] : [{ pid: child, comm, state }];
  });
}

export function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Groups that boxes of this plan have made and not removed. */
export function groupsOf(plan: Pick<Plan, "cgroup">): string[] {
  return (plan.cgroup?.directories ?? []).flatMap((path) => {
    const prefix = basename(path).replace("{monitor}", "");
    return readdirSync(dirname(path))
      .filter((name) => name.startsWith(prefix))
      .map((name) => join(dirname(path), name));
  });
}

export interface Belongings {
  readonly processes: { pid: number; comm: string }[];
  readonly mounts: string[];
  readonly fds: string[];
  readonly groups: string[];
}

/** What is there that a box could have left: to be equal before and after. */
export function belongings(plan: Pick<Plan, "cgroup"> = {}): Belongings {
  return {
    processes: livingDescendants(),
    mounts: mountinfo().map(({ mountPoint, fsType, root }) => `${mountPoint} ${fsType} ${root}`),
    fds: readdirSync("/proc/self/fd").flatMap((fd) => {
      const target = linkTarget(`/proc/self/fd/${fd}`);
      // The descriptor of the listing itself.
      return target === undefined || target.startsWith(`/proc/${process.pid}/fd`) ? [] : [`${fd} ${target}`];
    }),
    groups: groupsOf(plan),
  };
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/**
 * Nothing is left: everything is as it was. Streams close a moment after what they belong to; and what Bun had open for something
 * earlier may be gone by now.
 */
export async function expectUnchanged(before: Belongings, plan: Pick<Plan, "cgroup"> = {}): Promise<void> {
  const now = (): Belongings => {
    const found = belongings(plan);
    return { ...found, fds: found.fds.filter((fd) => !before.fds.includes(fd)) };
  };
  const expected = { ...before, fds: [] };
  await until(() => Bun.deepEquals(now(), expected), 1000);
  expect(now()).toEqual(expected);
}

/** Waits until a condition holds; for at most that long. */
export async function until(condition: () => boolean, ms: number): Promise<boolean> {
  const end = performance.now() + ms;
  while (!condition()) {
    if (performance.now() > end) return false;
    await Bun.sleep(2);
  }
  return true;
}

export { isRoot, projectDir };
