/** What tests of whole programs share: running them as this user, and as one without privileges. */
import { join } from "node:path";

export const projectDir = join(import.meta.dir, "..");
export const isRoot = process.getuid?.() === 0;

/** Without privileges, and without a name or a line in /etc/subuid: kernel and bunshare know nothing special of it. */
export const unprivilegedId = 65534;

/** How a program ended and what it wrote. */
export interface Ended {
  /** 128 + n where signal n ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** To run as; takes root. Default: the user of the tests. */
  readonly uid?: number | undefined;
  readonly cwd?: string;
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
  return Bun.spawn(uid === undefined ? [...command] : [...dropTo(uid), ...command], {
    cwd,
    env: { ...process.env, ...env },
    stdin: new Blob([input]),
    stdout: "pipe",
    stderr: "pipe",
  });
}

/** setpriv(1), because it also drops the groups. */
const dropTo = (uid: number): string[] => [
  "setpriv",
  `--reuid=${uid}`,
  `--regid=${uid}`,
  "--clear-groups",
  "--inh-caps=-all",
];

/** Runs a program as an ordinary user. */
export const asUser = (command: readonly string[], options: RunOptions = {}): Promise<Ended> =>
  run(command, { uid: isRoot ? unprivilegedId : undefined, ...options });

/** The command line of this project, as a command for `run` and `start`. */
export const bunshareCommand = (args: readonly string[]): string[] => [
  process.execPath,
  join(projectDir, "scripts/bunshare.ts"),
  ...args,
];

/** `bunshare ARGS...` to its end. */
export const bunshare = (args: readonly string[], options?: RunOptions): Promise<Ended> =>
  run(bunshareCommand(args), options);

/** Why an unprivileged user cannot run this project here, or undefined. */
function whyNotAsUser(): string | undefined {
  if (!isRoot) return undefined;
  const { success } = Bun.spawnSync([...dropTo(unprivilegedId), process.execPath, "-e", ""], { cwd: projectDir });
  return success ? undefined : "other users may not read the project or run Bun";
}

/**
 * Whom tests run as: one loop over these covers both. Where somebody cannot be had, `skip` says why: it belongs into the test's name.
 *
 * ```ts
 * for (const { who, uid, skip } of callers) test.skipIf(skip !== undefined)(`${who}: ...${skip ?? ""}`, ...)
 * ```
 */
export const callers: readonly { readonly who: string; readonly uid: number | undefined; readonly skip?: string }[] = [
  { who: "as root", uid: undefined, ...(isRoot ? {} : { skip: " (skipped: the tests do not run as root)" }) },
  { who: "as a user", uid: isRoot ? unprivilegedId : undefined, ...skipped(whyNotAsUser()) },
];

function skipped(reason: string | undefined): { skip?: string } {
  return reason === undefined ? {} : { skip: ` (skipped: ${reason})` };
}
