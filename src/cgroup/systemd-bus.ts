/** Calls to systemd over D-Bus, by busctl(1), and what can come of them: org.freedesktop.systemd1(5). */
import { lstatSync, statSync } from "node:fs";
import { ifThere } from "../proc/read.ts";

/**
 * systemd said no, did not answer, or is not there. Neither a syscall that failed nor a wrong option, so neither of their classes:
 * `StartTransientUnit build.scope: Unit build.scope already exists. (org.freedesktop.systemd1.UnitExists)`
 */
export class SystemdError extends Error {
  override readonly name = "SystemdError";
  /** The D-Bus method, or undefined where nothing was called. */
  readonly method: string | undefined;
  /** The unit that it was about. */
  readonly unit: string | undefined;
  /** The D-Bus error's name: `org.freedesktop.systemd1.NoSuchUnit`, `org.freedesktop.DBus.Error.AccessDenied`; undefined where no answer came. */
  readonly code: string | undefined;

  /** The message is made of these. */
  constructor(
    sentence: string,
    { method, unit, code }: { method?: string | undefined; unit?: string | undefined; code?: string | undefined } = {},
  ) {
    const what = [method, unit].filter((word) => word !== undefined).join(" ");
    super(`${what === "" ? "" : `${what}: `}${sentence}${code === undefined ? "" : ` (${code})`}`);
    this.method = method;
    this.unit = unit;
    this.code = code;
  }
}

const service = "org.freedesktop.systemd1";
/** How long one call, and one job, may take. systemd's own clients wait for 25 s. */
export const callMs = 25_000;

/** Whether systemd is this machine's service manager: the folder /run/systemd/system. sd_booted(3) */
export function isRunning(): boolean {
  return ifThere(() => lstatSync("/run/systemd/system").isDirectory(), ["ENOENT", "ENOTDIR"]) ?? false;
}

/**
 * A method of the manager: `org.freedesktop.systemd1.Manager`.
 * @throws {SystemdError} as `call`.
 */
export function manager(
  user: boolean,
  method: string,
  unit: string | undefined,
  signature: string,
  args: readonly string[],
): Promise<unknown> {
  const rest = signature === "" ? [] : [signature, ...args];
  return call(user, unit, ["/org/freedesktop/systemd1", `${service}.Manager`, method, ...rest]);
}

/**
 * `busctl call`, which comes with systemd: a method of one of its objects, and what it returned. busctl(1)
 * @param unit Named in the error.
 * @throws {SystemdError} where systemd does not run, its bus cannot be reached, or it says no.
 */
export async function call(user: boolean, unit: string | undefined, words: readonly string[]): Promise<unknown> {
  mustRun(unit);
  const method = words[2];
  const options = [
    user ? "--user" : "--system",
    ...["--json=short", `--timeout=${callMs / 1000}`, "--allow-interactive-authorization=no", "--no-pager"],
  ];
  const child = (() => {
    try {
      return Bun.spawn(["busctl", ...options, "call", "--", service, ...words], {
        env: { ...process.env, ...runtimeFolder(user), ...forMessages },
        stdin: "ignore",
        stdout: "pipe",
        stderr: "pipe",
      });
    } catch (error) {
      throw new SystemdError(`busctl, which comes with systemd, cannot be run: ${(error as Error).message}`, {
        method,
        unit,
      });
    }
  })();
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  if (exitCode !== 0) throw busError(stderr, { method, unit, exitCode });
  const text = stdout.trim();
  return text === "" ? undefined : (JSON.parse(text) as { data: unknown }).data;
}

/** The name of a D-Bus error is among the messages for debugging, and only there. */
const forMessages = {
  SYSTEMD_LOG_LEVEL: "debug",
  SYSTEMD_LOG_TARGET: "console",
  SYSTEMD_COLORS: "0",
  SYSTEMD_LOG_TIME: "0",
  SYSTEMD_LOG_LOCATION: "0",
  LC_ALL: "C",
};

/** Under su(1), sudo(8) and cron(8) nobody has set XDG_RUNTIME_DIR, in which the user's bus is. */
function runtimeFolder(user: boolean): Record<string, string> {
  const folder = `/run/user/${process.getuid?.()}`;
  const isNeeded = user && !process.env.XDG_RUNTIME_DIR && !process.env.DBUS_SESSION_BUS_ADDRESS;
  return isNeeded && ifThere(() => statSync(folder)) ? { XDG_RUNTIME_DIR: folder } : {};
}

/** Pure. What busctl wrote, as an error: the name and text of the D-Bus error, or where none came busctl's own last words. */
export function busError(
  stderr: string,
  { method, unit, exitCode = 1 }: { method?: string | undefined; unit?: string | undefined; exitCode?: number } = {},
): SystemdError {
  const answers = [...stderr.matchAll(/^Got message type=error .*? error-name=(\S+) error-message=(.*)$/gm)];
  const [, code, message] = answers.at(-1) ?? [];
  const lines = stderr.split("\n").filter((line) => line !== "" && !/^(?:Bus|sd-bus|Sent|Got)\b/.test(line));
  const said = message ?? lines.at(-1)?.replace("Call failed: ", "") ?? `busctl ended with ${exitCode}`;
  const hint = /^Failed to (?:connect|set).* bus/.test(said)
    ? ". Is there a bus? A user's own manager needs the package dbus-user-session, and a login or loginctl enable-linger"
    : "";
  return new SystemdError(said + hint, { method, unit, code });
}

/**
 * Where systemd does not run, its clients fail in ways that are hard to read.
 * @throws {SystemdError} there.
 */
export function mustRun(unit: string | undefined): void {
  if (isRunning()) return;
  throw new SystemdError(
    "systemd does not run here: there is no /run/systemd/system. Where nothing else manages the groups, make them directly, with Cgroup.create",
    { unit },
  );
}
