/** What happens to a group, as it happens: counters of its `*.events` files, pressure, v1 notifications. cgroups(7) */
import { readdirSync } from "node:fs";
import { ifThere } from "../proc/read.ts";
import type { Fd } from "../sys/fd.ts";
import { EFD, EPOLL, O, RESOLVE } from "../sys/flags.ts";
import { OptionsError } from "../sys/options-error.ts";
import { type Reader, reader } from "../sys/reader.ts";
import { sys } from "../sys/vocabulary.ts";
import { observers } from "./observers.ts";
import { watcher, watcherClosed } from "./watcher.ts";

/** What is watched: a `Cgroup`, or its directories. */
export interface EventGroup {
  /** A directory in each hierarchy; `path` tells where, and `fd` is what is used. */
  readonly places: readonly EventPlace[];
}

/** One directory of a group. */
export interface EventPlace {
  readonly version: 1 | 2;
  readonly path: string;
  readonly fd: Fd;
}

/** Something happened. What happens while nobody waits is added up: one event for each file, however often it has changed. */
export interface CgroupEvent {
  /** The kernel's name: `memory.events`, `cgroup.events`, `memory.pressure`; v1: `memory.oom_control`. */
  readonly file: string;
  /** The trigger that fired, as it was asked for: `some 150000 1000000`. Absent for files that tell of every change. */
  readonly trigger?: string;
  /**
   * The file now: `{ oom_kill: 1, ... }`, `{ populated: 0, frozen: 0 }`, `{ "some total": 12345, ... }`, a single number under the
   * file's own name. Empty for a file that cannot be read, as v1's `memory.pressure_level`.
   */
  readonly counters: Readonly<Record<string, number>>;
  /** By how much each counter has changed since the last event of this file, or since `events()`. Those that have not are left out. */
  readonly deltas: Readonly<Record<string, number>>;
  /** The group has been removed: this is the last reading of the file, and its last event. */
  readonly gone: boolean;
}

/** What to wait for. */
export interface EventOptions {
  /**
   * Files that tell of their changes. Default: all of the group's `*.events` and `*.events.local`, and of v1 `memory.oom_control`,
   * which `memory.events` stands for there. Of v1's `pids.events` the kernel does not tell since Linux 6.11: it is read whenever
   * another file of the group tells, `cgroup.events` of a hybrid host for one.
   */
  readonly files?: readonly string[];
  /**
   * By file, what the kernel is to tell of: `{ "memory.pressure": "some 150000 1000000" }` (150 of 1000 ms lost; those without rights
   * need a multiple of 2 s, Linux 6.5), v1: `{ "memory.usage_in_bytes": "104857600", "memory.pressure_level": "low" }`.
   */
  readonly triggers?: Readonly<Record<string, string | readonly string[]>>;
  /** Ends the events. */
  readonly signal?: AbortSignal;
}

/**
 * Events of one group, for `for await`. All that happens from this call on is told; while nobody waits for the next event the
 * process may end. The events end when the group has been removed, after one for each file that is `gone`.
 *
 * ```ts
 * for await (const { file, counters, deltas, gone } of events(group)) ...
 * ```
 * A reading comes from a file that is there: who removes a group at once after its end may take the last count away from those who
 * read, but for {@link lastReading}.
 * @throws {OptionsError} when there is nothing to watch.
 * @throws {SyscallError} ENOENT for a file of a trigger that the group lacks, EINVAL for a trigger that the kernel refuses, EOPNOTSUPP
 * where pressure is not counted (psi=0), EMFILE.
 */
export function events(group: EventGroup, options: EventOptions = {}): CgroupEvents {
  return new CgroupEvents(group, options);
}

/** A file, or a trigger on it. */
interface Source {
  readonly place: EventPlace;
  readonly file: string;
  readonly trigger?: string;
  readonly fd: Fd;
  /** That it tells is an event by itself, whether or not the counters have changed. */
  readonly fires: boolean;
  counters: Record<string, number>;
  told: Record<string, number>;
  isGone: boolean;
}

/** See {@link events}. */
export class CgroupEvents implements AsyncIterableIterator<CgroupEvent>, AsyncDisposable, Disposable {
  readonly #owned = new DisposableStack();
  readonly #sources: Source[] = [];
  readonly #due = new Set<Source>();
  readonly #waiting: ((result: IteratorResult<CgroupEvent, undefined>) => void)[] = [];
  #hold: Disposable | undefined;

  /** Use {@link events}. */
  constructor(group: EventGroup, { files, triggers = {}, signal }: EventOptions) {
    using undo = new DisposableStack();
    undo.use(this.#owned);
    for (const place of group.places) for (const file of watchable(place, files)) this.#watchFile(place, file);
    for (const [file, texts] of Object.entries(triggers))
      for (const trigger of Array.isArray(texts) ? texts : [texts]) this.#watchTrigger(group, file, trigger);
    if (this.#sources.length === 0)
      throw new OptionsError("files", files, "expected a file that tells of its changes and is in the group");
    for (const place of new Set(this.#sources.map((source) => source.place)))
      this.#owned.use(watcher().watchRemoval(place.fd, place.path, () => this.#look()));
    // Only now: a group that has been removed before its watch is found out here.
    for (const source of this.#sources) source.told = source.counters = this.#read(source);
    if (signal?.aborted) return;
    const abort = (): void => this[Symbol.dispose]();
    signal?.addEventListener("abort", abort);
    this.#owned.defer(() => signal?.removeEventListener("abort", abort));
    observers.add(this);
    this.#owned.defer(() => observers.delete(this));
    undo.move();
  }

  /** The next event; `done` when the group is gone, or after {@link return}. */
  next(): Promise<IteratorResult<CgroupEvent, undefined>> {
    const { promise, resolve } = Promise.withResolvers<IteratorResult<CgroupEvent, undefined>>();
    this.#waiting.push(resolve);
    this.#deliver();
    return promise;
  }

  /** Ends the events, and resolves when all that they needed is closed. */
  async return(): Promise<IteratorResult<CgroupEvent, undefined>> {
    this[Symbol.dispose]();
    await watcherClosed();
    return { done: true, value: undefined };
  }

  /** Itself: there is one stream of events, however many ask. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Ends the events; who waits for one gets `done`. */
  [Symbol.dispose](): void {
    if (this.#owned.disposed) return;
    this.#owned.dispose();
    this.#due.clear();
    this.#deliver();
  }

  /** As {@link return}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** Reads again where one of these directories is among those watched: {@link lastReading}. */
  look(directories: ReadonlySet<string>): void {
    if (this.#sources.some(({ place }) => directories.has(place.path))) this.#look();
  }

  #watchFile(place: EventPlace, file: string): void {
    if (place.version === 1 && file === "memory.oom_control") {
      this.#notify(place, file, undefined, () => this.#lookLater(1));
      return;
    }
    const fd = this.#owned.use(openIn(place, file, O.RDONLY));
    const source = this.#add({ place, file, fd, fires: false });
    this.#owned.use(watcher().watch(fd, EPOLL.PRI, () => this.#look(source)));
  }

  #watchTrigger({ places }: EventGroup, file: string, trigger: string): void {
    if (typeof trigger !== "string" || !/^[ -~]+$/.test(trigger))
      throw new OptionsError(
        `triggers[${JSON.stringify(file)}]`,
        trigger,
        'expected text such as "some 150000 1000000"',
      );
    const there = places.filter((place) => has(place, file));
    // v2 where both have it; where none has, the kernel says so.
    const place = there.find(({ version }) => version === 2) ?? there[0] ?? places.at(-1);
    if (place === undefined) return;
    if (place.version === 1) {
      this.#notify(place, file, trigger);
      return;
    }
    const fd = this.#owned.use(openIn(place, file, O.RDWR));
    sys.write(fd, `${trigger}\n`);
    const source = this.#add({ place, file, trigger, fd, fires: true });
    this.#owned.use(watcher().watch(fd, EPOLL.PRI, () => this.#look(source)));
  }

  /** A v1 notification: the file, and the eventfd that it is told to. The kernel forgets it when the eventfd is closed. */
  #notify(place: EventPlace, file: string, trigger: string | undefined, then?: () => void): Source {
    const fd = this.#owned.use(openIn(place, file, O.RDONLY));
    const event = this.#owned.use(sys.eventfd2(0, EFD.CLOEXEC | EFD.NONBLOCK));
    {
      using control = openIn(place, "cgroup.event_control", O.WRONLY);
      sys.write(control, [event.number, fd.number, trigger ?? ""].join(" ").trimEnd());
    }
    const source = this.#add({ place, file, fd, fires: true, ...(trigger === undefined ? {} : { trigger }) });
    const notice = (): void => {
      sys.read(event, new Uint8Array(new ArrayBuffer(8)));
      this.#look(source);
      then?.();
    };
    this.#owned.use(watcher().watch(event, EPOLL.IN, notice));
    return source;
  }

  #add(source: Pick<Source, "place" | "file" | "trigger" | "fd" | "fires">): Source {
    const whole = { ...source, counters: {}, told: {}, isGone: false };
    this.#sources.push(whole);
    return whole;
  }

  /** v1 tells of the lack of memory before it kills, and counts that a moment later without a word: five more looks, in 0.3 s. */
  #lookLater(ms: number): void {
    const look = (): void => {
      this.#look();
      if (ms < 256) this.#lookLater(4 * ms);
    };
    setTimeout(look, ms).unref();
  }

  /** Reads what is there of the group: a change of one file comes with changes of others, and a removal is seen by all. */
  #look(fired?: Source): void {
    if (this.#owned.disposed) return;
    for (const source of this.#sources) {
      if (source.isGone) continue;
      source.counters = this.#read(source);
      // Of what has a trigger only that counts: pressure changes all the time.
      const hasFired = source === fired && source.fires;
      if (hasFired || (source.trigger === undefined && isChanged(source))) this.#due.add(source);
    }
    this.#deliver();
  }

  /** The counters now; the last ones where the group is gone. */
  #read(source: Source): Record<string, number> {
    const { bytes, read } = (buffer ??= reader(65536));
    const length = read(source.fd.number);
    if (length === -ENODEV) {
      source.isGone = true;
      this.#due.add(source);
      return source.counters;
    }
    return length < 0 ? {} : parseCounters(utf8.decode(bytes.subarray(0, length)), source.file);
  }

  #deliver(): void {
    while (this.#waiting.length > 0) {
      const [source] = this.#due;
      const isOver = source === undefined && (this.#owned.disposed || this.#sources.every(({ isGone }) => isGone));
      if (source === undefined && !isOver) break;
      this.#waiting.shift()?.(source ? { done: false, value: this.#take(source) } : { done: true, value: undefined });
    }
    if (this.#due.size === 0 && this.#sources.every(({ isGone }) => isGone)) this.#owned.dispose();
    const isAsked = this.#waiting.length > 0;
    if (isAsked) this.#hold ??= watcher().hold();
    else {
      this.#hold?.[Symbol.dispose]();
      this.#hold = undefined;
    }
  }

  #take(source: Source): CgroupEvent {
    this.#due.delete(source);
    const { file, trigger, counters, told, isGone } = source;
    const deltas: Record<string, number> = {};
    for (const [key, value] of Object.entries(counters))
      if (value !== (told[key] ?? 0)) deltas[key] = value - (told[key] ?? 0);
    source.told = counters;
    return { file, ...(trigger === undefined ? {} : { trigger }), counters, deltas, gone: isGone };
  }
}

const ENODEV = 19;
const utf8 = new TextDecoder();
let buffer: Reader | undefined;

function openIn(place: EventPlace, file: string, access: number): Fd {
  return sys.openat2(place.fd, file, access | O.CLOEXEC, RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS);
}

function has(place: EventPlace, file: string): boolean {
  return (
    ifThere(() => {
      using _ = sys.openat2(place.fd, file, O.PATH | O.CLOEXEC, RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS);
      return true;
    }) ?? false
  );
}

/** Names of the files in a directory that tell of changes. */
function watchable({ fd, version }: EventPlace, files: readonly string[] | undefined): string[] {
  const wanted = files?.map((file) => (version === 1 && file === "memory.events" ? "memory.oom_control" : file));
  const all = ifThere(() => readdirSync(`/proc/self/fd/${fd.number}`)) ?? [];
  const tells = (file: string): boolean =>
    /\.events(?:\.local)?$/.test(file) || (version === 1 && file === "memory.oom_control");
  return all.filter((file) => tells(file) && (wanted === undefined || wanted.includes(file))).toSorted();
}

const isChanged = ({ counters, told }: Source): boolean =>
  Object.entries(counters).some(([key, value]) => value !== (told[key] ?? 0));

/** Lines of `key value` or `key name=value ...`, or one number. What is no number is left out. */
function parseCounters(text: string, file: string): Record<string, number> {
  const found: Record<string, number> = {};
  const put = (key: string, value: string | undefined): void => {
    if (value !== undefined && /^\d+(?:\.\d+)?$/.test(value)) found[key] = Number(value);
  };
  for (const line of text.split("\n")) {
    const [first = "", ...rest] = line.split(" ");
    if (rest.length === 0) put(file, first);
    for (const word of rest) {
      const [name, value] = word.split("=");
      if (value === undefined) put(first, word);
      else put(`${first} ${name}`, value);
    }
  }
  return found;
}
