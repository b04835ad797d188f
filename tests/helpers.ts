/** What tests of whole programs share: running them as this user, and as one without privileges. */
import { test } from "bun:test";
import { join } from "node:path";

export const projectDir = join(import.meta.dir, "..");
export const isRoot = process.getuid?.() === 0;

/** Without privileges, and without a line in /etc/subuid: neither kernel nor bunshare knows anything special of it. */
export const unprivilegedId = 65534;

/** How a program ended and what it wrote. */
export interface Ended {
  /** 128 + n where signal n ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** User and group to run as, without other groups; takes root. Default: those of the tests. */
  readonly uid?: number | undefined;
  readonly cwd?: string;
  /** Added to the environment of the tests; `undefined` takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Standard input. Default: empty. */
  readonly input?: string;
}

/** Runs a program to its end. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<Ended> {
  const child = start(command, options);
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { code, stdout, stderr };
}

/** Starts a program and does not wait for it. */
export function start(command: readonly string[], { uid, cwd = projectDir, env, input = "" }: RunOptions = {}) {
  return Bun.spawn([...command], {
    cwd,
    env: { ...process.env, ...env },
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
}

/** Runs a program as an ordinary user: this one, or when the tests run as root, one without privileges. */
export const asUser = (command: readonly string[], options: RunOptions = {}): Promise<Ended> =>
  run(command, { uid: isRoot ? unprivilegedId : undefined, ...options });

/** The command line of this project, for `run` and `start`. */
export const bunshareCommand = (args: readonly string[]): string[] => [
  process.execPath,
  join(projectDir, "scripts/bunshare.ts"),
  ...args,
];

/** `bunshare ARGS...`, to its end. */
export const bunshare = (args: readonly string[], options?: RunOptions): Promise<Ended> =>
  run(bunshareCommand(args), options);

/** Why an unprivileged user cannot run this project here, or undefined. */
function whyNotAsUser(): string | undefined {
  if (!isRoot) return undefined;
  const command = [process.execPath, "-e", 'await import("./mod.ts")'];
  const { success } = Bun.spawnSync(command, { cwd: projectDir, uid: unprivilegedId, gid: unprivilegedId });
  return success ? undefined : "other users may not read the project or run Bun";
}

interface Caller {
  readonly who: string;
  readonly uid: number | undefined;
  /** Why not here. */
  readonly skip: string | undefined;
}

/**
 * Whom a test runs as; one loop covers both.
 *
 * ```ts
 * for (const caller of callers) testAs(caller, "run ends with the program's code", async (uid) => { ... });
 * ```
 */
export const callers: readonly Caller[] = [
  { who: "root", uid: undefined, skip: isRoot ? undefined : "the tests do not run as root" },
  { who: "an ordinary user", uid: isRoot ? unprivilegedId : undefined, skip: whyNotAsUser() },
];

/** For a test of one of them only. */
export const [root, user] = callers as readonly [Caller, Caller];

/** A test as somebody; where that cannot be, it is skipped, and its name says why. */
export function testAs({ who, uid, skip }: Caller, fact: string, body: (uid: number | undefined) => Promise<void>) {
  test.skipIf(skip !== undefined)(`as ${who}: ${fact}${skip === undefined ? "" : ` (skipped: ${skip})`}`, () =>
    body(uid),
  );
}
