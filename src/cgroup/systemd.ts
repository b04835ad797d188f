/** Groups where systemd rules: transient scopes and slices over D-Bus, delegated subtrees, unit files. systemd.scope(5), org.freedesktop.systemd1(5) */
import { mkdirSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ifThere, readIfThere } from "../proc/read.ts";
import { SyscallError } from "../sys/error.ts";
import { OptionsError } from "../sys/options-error.ts";
import { sys } from "../sys/vocabulary.ts";
import { type CgroupLayout, readCgroupLayout } from "./layout.ts";
import { call, callMs, manager, mustRun, SystemdError } from "./systemd-bus.ts";
import {
  type BusProperty,
  busProperties,
  type UnitFile,
  type UnitKind,
  unitName,
  unitObject,
  type UnitProperties,
} from "./systemd-unit.ts";

export { isRunning, SystemdError } from "./systemd-bus.ts";
export { delegatedControllers, delegateDropIn, sliceFile, type UnitFile, type UnitProperties } from "./systemd-unit.ts";

/** Which of the two kinds of manager. */
export interface ManagerOptions {
  /** The caller's own manager (`systemd --user`) instead of the system's. */
  readonly user?: boolean;
}

/** What `slice` takes. */
export interface SliceOptions extends ManagerOptions {
  /** `build.slice`; `a-b.slice` lies in `a.slice`. */
  readonly name: string;
  readonly properties?: UnitProperties;
}

/** What `scope` takes. */
export interface ScopeOptions extends ManagerOptions {
  /** Default: one that nobody else has. */
  readonly name?: string;
  /** The slice to make it in. Default: the manager's, `system.slice` or `app.slice`. */
  readonly slice?: string;
  /** Processes that move into it; at least one. A pid that ended meanwhile and was given anew cannot be told apart. */
  readonly pids: readonly number[];
  readonly properties?: UnitProperties;
}

const noSuchUnit = "org.freedesktop.systemd1.NoSuchUnit";

/**
 * `StartTransientUnit(NAME.scope)`: a scope, around processes that run already. It ends by itself when the last of them does.
 * ```ts
 * await using scope = await systemd.scope({ pids: [child.pid], properties: { "memory.max": "100M", Delegate: true } });
 * ```
 * With `Delegate`, the groups below `scope.path` are the caller's; processes have to be moved from the scope's own group into
 * one below before controllers can be enabled there.
 * @throws {OptionsError} for a wrong name, pid or property.
 * @throws {SystemdError} where systemd does not run or refuses: `org.freedesktop.systemd1.UnitExists`,
 * `org.freedesktop.DBus.Error.InteractiveAuthorizationRequired` or `.AccessDenied` without `user`, and when all processes have ended.
 */
export async function scope(options: ScopeOptions): Promise<SystemdUnit> {
  const { pids, slice: parent, properties = {} } = options;
  const name = unitName("scope", options.name ?? `bunshare-${process.pid}-${crypto.randomUUID().slice(0, 8)}`);
  const isPid = (pid: unknown): boolean => Number.isInteger(pid) && Number(pid) > 0 && Number(pid) < 2 ** 31;
  if (!Array.isArray(pids) || pids.length === 0 || !pids.every(isPid))
    throw new OptionsError("pids", pids, "expected at least one pid: systemd makes no empty scope");
  const words = [
    { name: "PIDs", signature: "au", words: [String(pids.length), ...pids.map(String)] },
    ...(parent === undefined ? [] : [{ name: "Slice", signature: "s", words: [unitName("slice", parent, "slice")] }]),
    ...busProperties("scope", properties),
  ];
  return startTransient(name, words, options);
}

/**
 * `StartTransientUnit(NAME.slice)`: a group for other units, with limits for all of them together. It lasts until it is stopped,
 * which stops what is in it.
 * @throws {OptionsError} for a wrong name or property.
 * @throws {SystemdError} where systemd does not run or refuses.
 */
export async function slice(options: SliceOptions): Promise<SystemdUnit> {
  const name = unitName("slice", options.name);
  return startTransient(name, busProperties("slice", options.properties ?? {}), options);
}

/**
 * A scope, slice or service that is there already, such as `docker-<id>.scope`. Disposal leaves it alone.
 * @throws {OptionsError} for something that is no name of a unit.
 * @throws {SystemdError} `org.freedesktop.systemd1.NoSuchUnit` when none of that name is active.
 */
export async function open(name: string, { user = false }: ManagerOptions = {}): Promise<SystemdUnit> {
  if (!/^[\w:.\\@-]{1,247}\.(?:scope|slice|service)$/.test(name))
    throw new OptionsError("name", name, 'expected a scope, slice or service, such as "build.scope"');
  const state = await read(name, user);
  if (state.ActiveState !== "active" || typeof state.ControlGroup !== "string" || state.ControlGroup === "")
    throw new SystemdError("no such unit is active, or it has no group", {
      method: "GetUnit",
      unit: name,
      code: noSuchUnit,
    });
  return new SystemdUnit(name, user, state.ControlGroup, false);
}

/** A unit that has a group. Disposal kills and stops what `scope` or `slice` made. */
export class SystemdUnit implements AsyncDisposable {
  /** With its ending: `build.scope`. */
  readonly name: string;
  /** Of the caller's own manager. */
  readonly user: boolean;
  /** From the top of the hierarchy: `/system.slice/build.scope`. */
  readonly controlGroup: string;
  /** The group's directory: on v2, and undefined where that is not in sight. */
  readonly path: string | undefined;
  readonly #isOurs: boolean;

  /** Made by `scope`, `slice` and `open`. */
  constructor(name: string, user: boolean, controlGroup: string, isOurs: boolean) {
    this.name = name;
    this.user = user;
    this.controlGroup = controlGroup;
    this.path = directoryOf(controlGroup);
    this.#isOurs = isOurs;
  }

  /**
   * `Properties.GetAll`: all that `systemctl show` knows. "No limit" reads as `"max"`.
   * @throws {SystemdError} when the manager does not answer.
   */
  async properties(): Promise<Readonly<Record<string, unknown>>> {
    return read(this.name, this.user);
  }

  /**
   * `SetUnitProperties`, until the unit stops: limits of a unit that runs.
   * @throws {OptionsError} for a wrong property. @throws {SystemdError} when it is refused.
   */
  async set(properties: UnitProperties): Promise<void> {
    const kind: UnitKind = this.name.endsWith(".slice") ? "slice" : "scope";
    const words = arrayOf(busProperties(kind, properties));
    await manager(this.user, "SetUnitProperties", this.name, "sba(sv)", [this.name, "true", ...words]);
  }

  /**
   * `StopUnit`: SIGTERM for all processes, and after `timeoutMs` SIGKILL. A unit that is gone already is no error.
   * Resolves when the unit has stopped and its group is removed.
   * @throws {SystemdError} when it is refused, or not done 25 s after that.
   */
  async stop({ timeoutMs = 5000 }: { timeoutMs?: number } = {}): Promise<void> {
    await this.#unlessGone("StopUnit", "ss", "replace");
    let state = await this.#stopped(timeoutMs);
    if (state === undefined) {
      await this.#unlessGone("KillUnit", "ssi", "all", "9");
      state = await this.#stopped(callMs);
    }
    if (state === undefined)
      throw new SystemdError(`still there ${callMs / 1000} s after SIGKILL`, { method: "StopUnit", unit: this.name });
    // A failed unit, and one that had to be killed may count as such, stays known and its name taken.
    if (state === "failed") await this.#unlessGone("ResetFailedUnit", "s");
  }

  async #unlessGone(method: string, signature: string, ...args: string[]): Promise<void> {
    try {
      await manager(this.user, method, this.name, signature, [this.name, ...args]);
    } catch (error) {
      if (!(error instanceof SystemdError && error.code === noSuchUnit)) throw error;
    }
  }

  /** "inactive" or "failed", when it is that and its group is removed. */
  async #stopped(timeoutMs: number): Promise<string | undefined> {
    const { path } = this;
    return poll(timeoutMs, async () => {
      const { ActiveState: state } = await read(this.name, this.user);
      const isOver = state === "inactive" || state === "failed";
      return isOver && (path === undefined || ifThere(() => statSync(path)) === undefined) ? state : undefined;
    });
  }

  /** Kills what is in the unit and stops it, when `scope` or `slice` made it. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isOurs) await this.stop({ timeoutMs: 0 });
  }
}

/** A subtree that systemd, or whoever is in charge, has left to a user. */
export interface DelegatedSubtree {
  /** Its directory. */
  readonly path: string;
  /** Its last name: `user@1000.service`, with systemd a unit. */
  readonly unit: string;
  /** What came along: `cgroup.controllers`. */
  readonly controllers: readonly string[];
  /** What the host has beside them, and where it got lost. */
  readonly notDelegated: readonly { readonly controller: string; readonly why: string }[];
  /** The caller is in it. Otherwise nothing the caller starts can be moved there but by systemd: `scope({ user: true })`. */
  readonly containsCaller: boolean;
}

/**
 * The subtree of the v2 hierarchy that was delegated to a user: around the caller, or else of the user's own manager. A group of
 * the user's by owner, for root by the mark that systemd leaves (`user.delegate`, systemd 251, or `trusted.delegate`). It needs
 * no systemd that runs.
 * @returns undefined when there is none.
 */
export function delegated(
  uid: number = process.getuid?.() ?? 0,
  layout: CgroupLayout = readCgroupLayout(),
): DelegatedSubtree | undefined {
  const v2 = layout.hierarchies.find(({ version }) => version === 2);
  if (!v2) return undefined;
  const { mountPoint, ownPath, ancestors } = v2;
  // The topmost: below it, everything is the user's.
  const own = ancestors.filter(({ path, isRoot }) => !isRoot && isDelegated(path, uid)).at(-1)?.path;
  const theirs = `${mountPoint}/user.slice/user-${uid}.slice/user@${uid}.service`;
  const path = own ?? (isDelegated(theirs, uid) ? theirs : undefined);
  if (path === undefined) return undefined;
  const controllers = words(`${path}/cgroup.controllers`);
  const notDelegated = v2.controllers
    .filter((controller) => !controllers.includes(controller))
    .map((controller) => ({ controller, why: whereLost(controller, mountPoint, path) }));
  const containsCaller = ownPath !== undefined && `${ownPath}/`.startsWith(`${path}/`);
  return { path, unit: basename(path), controllers, notDelegated, containsCaller };
}

/**
 * Writes a unit file or drop-in, and has the manager read it (`Reload`). The folder is /etc/systemd/system, with `user`
 * $XDG_CONFIG_HOME/systemd/user. What runs is changed where systemd can do so; a new `Delegate=` of user@.service may need a new login.
 * @returns the path of the file.
 * @throws {SystemdError} where systemd does not run: nothing is written then.
 */
export async function install(file: UnitFile, { user = false }: ManagerOptions = {}): Promise<string> {
  mustRun(file.path);
  const path = join(unitFolder(user), file.path);
  mkdirSync(dirname(path), { recursive: true });
  // By another name first: systemd may read at any time.
  const partial = join(dirname(path), `.${basename(path)}.${process.pid}`);
  try {
    writeFileSync(partial, file.text, { mode: 0o644 });
    renameSync(partial, path);
  } finally {
    rmSync(partial, { force: true });
  }
  await manager(user, "Reload", undefined, "", []);
  return path;
}

/**
 * Removes what `install` wrote. A file that is not there is no error.
 * @throws {SystemdError} where systemd does not run: nothing is removed then.
 */
export async function uninstall(file: UnitFile, { user = false }: ManagerOptions = {}): Promise<void> {
  mustRun(file.path);
  const path = join(unitFolder(user), file.path);
  rmSync(path, { force: true });
  // The folder of a drop-in, unless others use it.
  if (file.path.includes("/")) ifThere(() => rmdirSync(dirname(path)), ["ENOENT", "ENOTEMPTY", "EEXIST"]);
  await manager(user, "Reload", undefined, "", []);
}

function unitFolder(user: boolean): string {
  if (!user) return "/etc/systemd/system";
  return join(process.env.XDG_CONFIG_HOME || join(homedir(), ".config"), "systemd/user");
}

// Units

async function startTransient(
  name: string,
  properties: readonly BusProperty[],
  { user = false }: ManagerOptions,
): Promise<SystemdUnit> {
  const method = "StartTransientUnit";
  await manager(user, method, name, "ssa(sv)a(sa(sv))", [name, "fail", ...arrayOf(properties), "0"]);
  // The call returns when the job is queued. That it is done is seen in the unit: a job's end is a signal, and busctl waits for none.
  const state = await poll(callMs, async () => {
    const state = await read(name, user);
    return isQueued(state) || state.ActiveState === "activating" ? undefined : state;
  });
  if (state?.ActiveState === "active" && typeof state.ControlGroup === "string" && state.ControlGroup !== "")
    return new SystemdUnit(name, user, state.ControlGroup, true);
  // What is left of it keeps the name.
  await new SystemdUnit(name, user, "", true).stop({ timeoutMs: 0 });
  throw new SystemdError(
    state === undefined
      ? `not started after ${callMs / 1000} s`
      : `did not start or ended at once: ${state.ActiveState}, Result=${state.Result}. Have its processes ended?`,
    { method, unit: name },
  );
}

function isQueued({ Job }: Readonly<Record<string, unknown>>): boolean {
  return Array.isArray(Job) && Job[0] !== 0;
}

/** `a(sv)` in the notation of busctl: how many, and of each the name, the signature and the value. */
function arrayOf(properties: readonly BusProperty[]): string[] {
  return [
    String(properties.length),
    ...properties.flatMap(({ name, signature, words }) => [name, signature, ...words]),
  ];
}

async function read(name: string, user: boolean): Promise<Readonly<Record<string, unknown>>> {
  const interfaces = "org.freedesktop.DBus.Properties";
  // The empty name stands for all interfaces of the object, so that ActiveState and ControlGroup are of one moment.
  const answer = await call(user, name, [unitObject(name), interfaces, "GetAll", "s", ""]);
  const all = (answer as readonly [Record<string, { data: unknown }>] | undefined)?.[0] ?? {};
  return Object.fromEntries(Object.entries(all).map(([key, { data }]) => [key, isInfinity(data) ? "max" : data]));
}

/** 2^64 - 1 after JSON has made a double of it. */
function isInfinity(data: unknown): boolean {
  return data === 2 ** 64;
}

/** What `look` finds, or undefined after so long. At least one look is taken. */
async function poll<T>(timeoutMs: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
  const end = performance.now() + timeoutMs;
  for (let waitMs = 5; ; waitMs = Math.min(waitMs * 2, 100)) {
    const found = await look();
    if (found !== undefined || performance.now() >= end) return found;
    await Bun.sleep(waitMs);
  }
}

// The tree

function directoryOf(controlGroup: string): string | undefined {
  const v2 = readCgroupLayout().hierarchies.find(({ version }) => version === 2);
  // What the manager calls a group by begins at the top of the hierarchy, which in a container is not what is mounted.
  const isInSight = v2 !== undefined && v2.mountRoot === "/" && controlGroup !== "";
  return isInSight ? join(v2.mountPoint, controlGroup) : undefined;
}

function isDelegated(path: string, uid: number): boolean {
  const owner = (of: string): number | undefined => ifThere(() => statSync(of).uid, ["ENOENT", "ENOTDIR", "EACCES"]);
  if (uid !== 0) return owner(path) === uid && owner(`${path}/cgroup.procs`) === uid;
  return ["user.delegate", "trusted.delegate"].some((name) => mark(path, name) === "1");
}

function mark(path: string, name: string): string | undefined {
  try {
    return new TextDecoder().decode(sys.getxattr(path, name));
  } catch (error) {
    // Not marked, no such group, or a kernel without such attributes.
    if (error instanceof SyscallError) return undefined;
    throw error;
  }
}

function words(file: string): string[] {
  return (readIfThere(file) ?? "").split(/\s+/).filter(Boolean);
}

/** The topmost group on the way down that keeps the controller for itself. */
function whereLost(controller: string, mountPoint: string, path: string): string {
  const names = path.slice(mountPoint.length + 1).split("/");
  for (let depth = 0; depth < names.length; depth++) {
    const above = join(mountPoint, ...names.slice(0, depth));
    if (!words(`${above}/cgroup.subtree_control`).includes(controller))
      return `${above} does not pass it on: it is not in its cgroup.subtree_control${
        /\/user@\d+\.service$/.test(path) ? ". The drop-in of delegateDropIn() has systemd pass it on" : ""
      }`;
  }
  return `${path} has no ${controller} in its cgroup.controllers`;
}
