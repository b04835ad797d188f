/** A control group: one directory in each hierarchy that it needs, behind one vocabulary for v1, v2 and hybrid. cgroups(7) */
import type { Fd } from "../sys/fd.ts";
import { O } from "../sys/flags.ts";
import { lazy } from "../sys/lazy.ts";
import { OptionsError } from "../sys/options-error.ts";
import { controllersFor, makePlaces } from "./creation.ts";
import { type Delegated, delegateGroup } from "./delegation.ts";
import { filterDevices } from "./device-filter.ts";
import type { DeviceRule } from "./devices.ts";
import { checkName, isErrno, openIn, quietly, removeBelow } from "./directory.ts";
import { killAll, removePlaces, type RemoveOptions, SIGKILL } from "./ending.ts";
import { enableAlong } from "./enabling.ts";
import type { CgroupEvents, EventOptions } from "./events.ts";
import { type Controller, type FileName, type FileValues, type FileWrites, withoutEnabling } from "./files.ts";
import { Freezer } from "./freezing.ts";
import { type CgroupLayout, readCgroupLayout } from "./layout.ts";
import { checkFileName, hierarchyWith, locate, mainPlace, placeOf, v2Place, whyNoPlace } from "./location.ts";
import { holdsSelf, idsIn, moveAll, moveBack, moveInto, type Origin, placesOf, type ProcessLike } from "./members.ts";
import {
  type CgroupPlace,
  childNames,
  closePlaces,
  openChild,
  openParents,
  openPlaces,
  type Parts,
  type Place,
  placesAt,
} from "./place.ts";
import { allValues, textOf, valueOf } from "./reading.ts";
import { askedFor, writeFiles } from "./writing.ts";

// Most groups are not watched.
const events = lazy(() => require("./events.ts") as typeof import("./events.ts"), "events");

/** Limits of a new group: whatever can be written to its files. */
export type Limits = FileWrites;

/** How a group is made. */
export interface CreateOptions {
  /**
   * The group to make it in: a handle, a path as in /proc/PID/cgroup (`/a/b`), or a directory below a mount point. Default: where
   * a box's group would be: on v1 at the top, on v2 the nearest group, from the own one upwards, that can pass the controllers on.
   */
  readonly parent?: Cgroup | string;
  /** To have beside those of the limits: `["cpu", "memory"]`. */
  readonly controllers?: readonly Controller[];
  /** The host's layout, read before; reading it costs a dozen files. */
  readonly layout?: CgroupLayout;
}

/**
 * A group that was created (disposal kills and removes it) or opened (disposal closes it).
 *
 * ```ts
 * await using group = Cgroup.create("build", { "memory.max": "2G", "pids.max": 512 });
 * group.add(child.pid);
 * const { oom_kill } = group.read("memory.events") ?? {};
 * ```
 *
 * Every file of the group is reached from the directory that was opened first, never by a path from the top, so that a group that
 * is removed, and another one made under its name, are not taken for one another. Paths are for groups above it: `enable()`.
 */
export class Cgroup implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #freezer: Freezer;
  readonly #created: boolean;
  #state: "open" | "closed" | "removed" = "open";
  #deviceProgram: Fd | undefined;
  /** Where this process was before it was added. */
  #origin: Origin | undefined;

  private constructor(parts: Parts, created: boolean) {
    this.#parts = parts;
    this.#freezer = new Freezer(parts);
    this.#created = created;
  }

  /**
   * Makes a group and sets its limits, all or nothing: a failure leaves no directory and no controller enabled that was not before.
   * There is a directory in the v2 hierarchy and in those v1 ones whose controllers are named by limits and options (below a
   * parent: in all in which the parent has one, save at the top); where that is none, in every v1 hierarchy with controllers.
   * @throws {OptionsError} for a name or value that makes no sense, and for a limit that this layout lacks
   * @throws {SyscallError} EEXIST, EACCES, EBUSY, ... with the path of the file, and in the message the value
   */
  static create(name: string, limits: Limits = {}, options: CreateOptions = {}): Cgroup {
    checkName(name);
    // All values are looked at before anything is made.
    const asked = askedFor(limits);
    const given = options.parent;
    const layout = options.layout ?? (given instanceof Cgroup ? given.#parts.layout : readCgroupLayout());
    using parents = new DisposableStack();
    using undo = new DisposableStack();
    const parent =
      typeof given === "string" ? parents.adopt(Cgroup.open(given, layout), (opened) => opened.close()) : given;
    const wanted = controllersFor(asked, options.controllers);
    const places = makePlaces(name, wanted, layout, parent && parent.#open.places, parents, undo);
    writeFiles({ layout, places }, asked);
    // From here on they are the group's.
    undo.move();
    return new Cgroup({ layout, places }, true);
  }

  /**
   * Opens a group that is there: by a path as in /proc/PID/cgroup (`/docker/1f2e`), in every hierarchy that has it, or by a
   * directory below a mount point, in that hierarchy.
   * @throws {SyscallError} ENOENT when no hierarchy has it
   * @throws {OptionsError} for what is no absolute path, and where no hierarchy is mounted
   */
  static open(path: string, layout: CgroupLayout = readCgroupLayout()): Cgroup {
    return new Cgroup({ layout, places: openPlaces(placesAt(path, layout), path) }, false);
  }

  /**
   * The group of a process (default: of this one): its directory in each hierarchy, named v1 hierarchies left out.
   * @throws {SyscallError} ESRCH when there is no such process, ENOENT when its group is not in sight
   */
  static of(pid?: number, layout: CgroupLayout = readCgroupLayout()): Cgroup {
    const what = `group of process ${pid ?? process.pid}`;
    return new Cgroup({ layout, places: openPlaces(placesOf(pid, layout), what) }, false);
  }

  /** Last part of its path; `/` for the top of everything. */
  get name(): string {
    const { name, isTop } = this.#main;
    return isTop ? "/" : name;
  }

  /** Its directory by mount point of the hierarchy. */
  get paths(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.places.map(({ mountPoint, path }) => [mountPoint, path]));
  }

  /** Of the hierarchies in which it has a directory. */
  get version(): 1 | 2 | "hybrid" {
    const { version } = this.#main;
    return this.places.some((place) => place.version !== version) ? "hybrid" : version;
  }

  /** Its directories: v1 first, in the kernel's order, v2 last. */
  get places(): readonly CgroupPlace[] {
    return this.#parts.places;
  }

  get #main(): Place {
    return mainPlace(this.#parts.places);
  }

  /** For all that needs the directories. */
  get #open(): Parts {
    if (this.#state !== "open") throw new TypeError(`the group ${this.#main.path} is ${this.#state}`);
    return this.#parts;
  }

  /**
   * The kept directory that has a controller; without one the v2 directory, and where there is none the first. It stays the group's.
   * @throws {OptionsError} when the group has no directory in that hierarchy
   */
  dir(controller?: string): Fd {
    const group = this.#open;
    const place = controller === undefined ? this.#main : placeOf(group, controller);
    if (!place) throw new OptionsError("controller", controller, whyNoPlace(group, controller ?? ""));
    return place.fd;
  }

  /**
   * Where a file is in this group and what it is called there, its first v1 file where it has several. Undefined where this layout
   * has nothing for it; whether the kernel has the file is not asked.
   */
  locate(file: string): { readonly place: CgroupPlace; readonly file: string } | undefined {
    const found = locate(this.#parts, file);
    if (typeof found === "string") return undefined;
    const { place, entry, translated } = found;
    return { place, file: translated ? (entry?.v1?.files[0] ?? file) : file };
  }

  /**
   * A descriptor of a file, for those who read it often or watch it; the caller's to close. On v1 of the first file that stands for it.
   * @returns undefined where the file is not there
   */
  openFile(file: string, flags: number = O.RDONLY): Fd | undefined {
    void this.#open;
    const found = this.locate(checkFileName(file));
    if (!found) return undefined;
    try {
      return openIn(found.place, found.file, flags);
    } catch (error) {
      if (isErrno(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  /**
   * Writes files in the order that the kernel takes them in. When one is refused, those written before are put back, as far as the
   * kernel lets them, and the error is that of the one refused.
   * @throws {OptionsError} for a value that the kernel would refuse, an unknown file, and one that this layout lacks: nothing is written
   * @throws {SyscallError} with the path of the file, and in its message the value
   */
  write(values: FileWrites): void {
    writeFiles(this.#open, askedFor(values));
  }

  /**
   * A file as its value, in the words of v2: on v1 it is put together from what v1 has. Files of v1 are taken by their own names.
   * @returns undefined where this kernel or layout has no such file
   * @throws {OptionsError} for a name that no kernel has; {ParseError} for what cannot be read
   */
  read<F extends FileName>(file: F): FileValues[F] | undefined {
    return valueOf(this.#open, file);
  }

  /** The text of a file as the kernel gives it; on v1, of a v2 file, what the kernel of v2 would have said. Undefined where it is not there. */
  text(file: string): string | undefined {
    return textOf(this.#open, file);
  }

  /** Every file that can be read, in the words of v2, and what is v1's alone; of one controller, or of all. */
  readAll(controller?: Controller): Partial<FileValues> {
    return allValues(this.#open, controller);
  }

  /**
   * What happens to the group, as it happens, for `for await`: counters of its `*.events` files, pressure, v1 notifications; until it
   * is removed. It goes on when this handle is closed.
   * @throws {OptionsError} when there is nothing to watch
   * @throws {SyscallError} for a trigger that the kernel refuses
   */
  events(options: EventOptions = {}): CgroupEvents {
    return events(this.#open, options);
  }

  /**
   * Sets which devices the group may use, in place of what was set before: on v1 by devices.allow and devices.deny, on v2 by a BPF
   * program that stays with the group until it is removed. The groups above have to allow a device as well.
   * @throws {OptionsError} for rules that v1 cannot express
   * @throws {SyscallError} EPERM without CAP_BPF and CAP_NET_ADMIN (v2), or for what the group above does not allow (v1)
   */
  setDevices(rules: readonly DeviceRule[]): void {
    this.#deviceProgram = filterDevices(this.#open, rules, this.#deviceProgram);
  }

  /**
   * Moves a process into the group, in every hierarchy in which the group has a directory, or one of its threads alone (v2: into a
   * threaded group). Either everywhere or nowhere.
   * @throws {SyscallError} ESRCH when it has ended, EACCES, EBUSY (controllers are enabled below), ENOSPC (a v1 cpuset without CPUs)
   */
  add(target: ProcessLike, { thread = false }: { readonly thread?: boolean } = {}): void {
    const { pid, origin } = moveInto(this.#open.places, target, thread);
    if (pid === process.pid) this.#origin ??= origin;
  }

  /** The processes in it, not in groups below: cgroup.procs, of all its directories, each once. Empty in a threaded group (v2). */
  procs(): number[] {
    return idsIn(this.#open.places);
  }

  /** The threads in it: cgroup.threads, v1 tasks. */
  threads(): number[] {
    return idsIn(this.#open.places, true);
  }

  /** The group above, opened; undefined at the top of what is mounted. */
  parent(): Cgroup | undefined {
    const { layout, places: below } = this.#open;
    const places = openParents(below);
    return places.length === 0 ? undefined : new Cgroup({ layout, places }, false);
  }

  /** The groups right below, opened, by name: each in all hierarchies that have it. Close them. */
  children(): Cgroup[] {
    using owned = new DisposableStack();
    const children: Cgroup[] = [];
    for (const name of childNames(this.#open.places)) {
      const child = this.#child(name);
      if (child) children.push(owned.adopt(child, () => child.close()));
    }
    owned.move();
    return children;
  }

  /** Undefined when it is gone by now. */
  #child(name: string): Cgroup | undefined {
    const { layout, places: above } = this.#open;
    const places = openChild(above, name);
    return places && new Cgroup({ layout, places }, false);
  }

  /** This group's descendants, parents before children, each opened when its turn comes. Close them: `for (await using group of top.walk())`. */
  *walk(): Generator<Cgroup, void, undefined> {
    for (const name of childNames(this.#open.places)) {
      // Once more for those below: the consumer may close its own before they are asked for.
      const again = this.#child(name);
      if (!again) continue;
      try {
        const child = this.#child(name);
        if (!child) continue;
        yield child;
        yield* again.walk();
      } finally {
        again.close();
      }
    }
  }

  /**
   * Passes controllers on to the groups below: writes `cgroup.subtree_control` from the top of what may be written down to this group.
   * Controllers that are on v1 are there already. All or nothing.
   * @throws {SyscallError} with the path of the ancestor that blocks, and in the hint why: EBUSY, it holds processes itself (see
   * `leaf`); EACCES; ENOENT, it has no such controller
   */
  enable(...controllers: readonly string[]): void {
    const { layout, places } = this.#open;
    const wanted = controllers.filter(
      (controller) => !withoutEnabling.includes(controller) && hierarchyWith(controller, layout)?.version !== 1,
    );
    if (wanted.length === 0) return;
    const v2 = v2Place(places);
    if (!v2) throw new OptionsError("controllers", wanted, "the group has no directory in a v2 hierarchy");
    enableAlong(v2.hierarchy, v2.path, wanted);
  }

  /**
   * v2: makes a group below and moves all processes of this one into it, so that controllers can be enabled here: a group that passes
   * controllers on may hold no processes itself. Repeated until none is left, for they may fork meanwhile.
   * @throws {SyscallError} as `create` and `add`
   */
  leaf(name = "leaf"): Cgroup {
    const leaf = Cgroup.create(name, {}, { parent: this });
    try {
      moveAll(this.#open.places, leaf.#open.places);
      return leaf;
    } catch (error) {
      leaf.close();
      for (const place of this.#open.places) quietly(() => removeBelow(place, name));
      throw error;
    }
  }

  /**
   * Stops all processes of the group and of those below, until the scope that is returned is disposed of: then they go on. A second
   * scope within the first does nothing. Waits, at most a tenth of a second, until they stand still: see `isFrozen`.
   * @throws {OptionsError} when this process is among them: it could not thaw itself
   */
  freeze(): Disposable {
    void this.#open;
    return this.#freezer.freeze();
  }

  /** Whether all its processes stand still: `frozen` of cgroup.events, v1 freezer.state. */
  isFrozen(): boolean {
    void this.#open;
    return this.#freezer.isFrozen;
  }

  /**
   * A signal to every process of the group and of those below. SIGKILL goes by cgroup.kill (v2, Linux 5.14), which forks cannot outrun;
   * else the group is stopped, unless it is already, signalled by pidfd and thawed. This process itself is left out.
   * @throws {OptionsError} where one of its directories is the top of a hierarchy, in which everything is
   * @throws {SyscallError} EPERM for another user's process
   */
  kill(signal: number = SIGKILL): void {
    killAll(this.#open, this.#freezer, signal);
  }

  /**
   * Removes the group, once it is empty: waits for processes that have been killed to be gone. Used afterwards, the handle throws.
   * @throws {SyscallError} EBUSY when there are processes, or groups, in it after that time; the hint names them
   */
  async remove(options: RemoveOptions = {}): Promise<void> {
    await removePlaces(this.#open.places, options);
    this.#letGo("removed");
  }

  /**
   * Gives the group to a user: its directory, and the files that the kernel names for that (/sys/kernel/cgroup/delegate: cgroup.procs,
   * cgroup.threads, cgroup.subtree_control, ...; v1: cgroup.procs and tasks). The limits of the group itself stay the caller's.
   * @param controllers To have in it; default: all that can be had. Those that are missing are enabled above, where that is allowed.
   * @param options.tunables The limits too, as `cgcreate -a` does.
   * @returns which controllers the user can pass on, and which not and why
   * @throws {SyscallError} EPERM without the right to give files away
   */
  delegate(
    uid: number,
    gid: number = uid,
    controllers?: readonly string[],
    { tunables = false }: { readonly tunables?: boolean } = {},
  ): Delegated {
    return delegateGroup(this.#open, { uid, gid, controllers, tunables });
  }

  /** Lets go of the directories and leaves the group as it is; a frozen scope that is open thaws first. */
  close(): void {
    if (this.#state !== "open") return;
    this.#letGo("closed");
  }

  #letGo(state: "closed" | "removed"): void {
    this.#state = state;
    this.#freezer.thaw();
    closePlaces(this.#parts.places);
    this.#deviceProgram?.close();
    this.#deviceProgram = undefined;
  }

  /**
   * A created group: kills what is in it and below, and removes it; this process, if it is in it, goes back to where it was. An opened
   * group is only closed.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#state !== "open") return;
    if (!this.#created) return this.close();
    try {
      // It may have been moved on since, and is somebody else's then.
      for (const place of this.#origin ? this.#parts.places : [])
        if (this.#origin && holdsSelf([place])) moveBack(place, this.#origin, process.pid);
      this.kill();
      await this.remove({ recursive: true });
    } finally {
      this.close();
    }
  }

  /** `Cgroup /sys/fs/cgroup/build`. */
  toString(): string {
    return `Cgroup ${this.#main.path}${this.#state === "open" ? "" : ` (${this.#state})`}`;
  }

  /** What console.log() shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}
