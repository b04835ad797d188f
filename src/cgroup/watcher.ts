/** The one place where this thread waits for the kernel, for all groups that are watched: inotify(7), epoll(7). */
import { dirname } from "node:path";
import { EPOLL, IN, IN_INIT, POLL } from "../sys/flags.ts";
import { ifThere } from "../proc/read.ts";
import type { Fd } from "../sys/fd.ts";
import { parseInotifyEvents } from "../sys/inotify.ts";
import { PollSet } from "../sys/poll-set.ts";
import { sys } from "../sys/vocabulary.ts";

/** What is called when there is news; it does not throw. */
export type Notice = () => void;

/** How long to go on waiting when nobody asks for the next event, so that a loop does not stop and start for each. */
const lingerMs = 100;

/**
 * Watches descriptors and directories, one for each thread however many groups there are: {@link watcher}. It is made with the
 * first watch and closes with the last.
 *
 * It keeps the process alive while somebody holds it, and 100 ms longer. What happens while nobody does is told at the next hold.
 */
export interface Watcher {
  /**
   * Calls `notice` whenever something happens with a descriptor, of `EPOLL.*`. Dispose before closing it.
   * @throws {SyscallError} EPERM for files that cannot be polled.
   */
  watch(target: Fd, events: number, notice: Notice): Disposable;
  /**
   * Calls `notice` when the directory has been removed, told by the name that `path` ends with; never for the top of a mount.
   * @throws {SyscallError} ENOSPC at fs.inotify.max_user_watches.
   */
  watchRemoval(directory: Fd, path: string, notice: Notice): Disposable;
  /** Waits in the event loop, and keeps the process alive, until all holds are disposed. */
  hold(): Disposable;
}

let shared: SharedWatcher | undefined;
let closing: Promise<void> = Promise.resolve();

/** When the event loop has let go of what the last watch needed: all descriptors are closed. */
export const watcherClosed = (): Promise<void> => closing;

/** The watcher of this thread. */
export function watcher(): Watcher {
  if (shared === undefined || shared.closed) shared = new SharedWatcher();
  return shared;
}

class SharedWatcher implements Watcher {
  readonly #set = new PollSet();
  readonly #notices = new Map<number, Notice>();
  readonly #removals = new Map<number, Map<string, Set<Notice>>>();
  #nextId = 1;
  #inotify: Fd | undefined;
  #holds = 0;
  #reader: ReturnType<typeof wakes> | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;

  get closed(): boolean {
    return this.#set.closed;
  }

  watch(target: Fd, events: number, notice: Notice): Disposable {
    const id = this.#nextId++;
    this.#set.add(target, events, id);
    this.#notices.set(id, notice);
    return once(() => {
      this.#notices.delete(id);
      this.#set.remove(target);
      this.#closeIfUnused();
    });
  }

  watchRemoval(directory: Fd, path: string, notice: Notice): Disposable {
    const inotify = this.#openInotify();
    // The parent tells: the kernel says nothing to who watches the removed directory itself.
    const wd = sys.inotifyAddWatch(inotify, `/proc/self/fd/${directory.number}/..`, IN.DELETE | IN.ONLYDIR);
    const name = path.slice(dirname(path).length).replace(/^\//, "");
    const names = getOrMake(this.#removals, wd, () => new Map<string, Set<Notice>>());
    const notices = getOrMake(names, name, () => new Set<Notice>());
    notices.add(notice);
    return once(() => {
      notices.delete(notice);
      if (notices.size === 0 && names.get(name) === notices) names.delete(name);
      if (names.size === 0 && this.#removals.get(wd) === names) {
        this.#removals.delete(wd);
        // The parent may have been removed too, and its watch with it.
        ifThere(() => sys.inotifyRmWatch(inotify, wd), ["EINVAL"]);
      }
      this.#closeIfUnused();
    });
  }

  hold(): Disposable {
    this.#holds++;
    clearTimeout(this.#linger);
    // What happened meanwhile; not at once, for who holds is not ready to be told yet.
    queueMicrotask(() => this.#tell());
    if (this.#reader === undefined) void this.#wait();
    return once(() => {
      if (--this.#holds > 0 || this.closed) return;
      this.#linger = setTimeout(() => this.#stop(), lingerMs);
    });
  }

  /** Until the reader is cancelled. What it reads is a count, and says only that there is something to look at. */
  async #wait(): Promise<void> {
    const reader = (this.#reader = wakes(this.#set));
    while (!(await reader.read()).done) this.#tell();
  }

  #stop(): void {
    clearTimeout(this.#linger);
    closing = this.#reader?.cancel() ?? closing;
    this.#reader = undefined;
  }

  #tell(): void {
    if (this.closed) return;
    // A notice may end watches, others' and the last.
    for (const id of this.#set.ready()) this.#notices.get(id)?.();
  }

  #openInotify(): Fd {
    if (this.#inotify) return this.#inotify;
    using undo = new DisposableStack();
    const inotify = undo.use(sys.inotifyInit1(IN_INIT.CLOEXEC | IN_INIT.NONBLOCK));
    this.#set.add(inotify, EPOLL.IN, 0);
    undo.move();
    this.#notices.set(0, () => this.#readRemovals(inotify));
    return (this.#inotify = inotify);
  }

  #readRemovals(inotify: Fd): void {
    const buffer = new Uint8Array(new ArrayBuffer(16384));
    while (!inotify.closed && sys.pollNow(inotify, POLL.IN) > 0) {
      for (const { wd, mask, name } of parseInotifyEvents(buffer.subarray(0, sys.read(inotify, buffer)))) {
        // Events were lost: everybody looks.
        const isLost = (mask & IN.Q_OVERFLOW) !== 0;
        const all = isLost ? [...this.#removals.values()].flatMap((names) => [...names.values()]) : [];
        const told = isLost ? all.flatMap((notices) => [...notices]) : [...(this.#removals.get(wd)?.get(name) ?? [])];
        for (const notice of told) notice();
      }
    }
  }

  #closeIfUnused(): void {
    const isUsed = this.#removals.size > 0 || this.#notices.size > (this.#inotify ? 1 : 0);
    if (isUsed || this.closed) return;
    this.#stop();
    this.#set[Symbol.dispose]();
    this.#inotify?.close();
    this.#notices.clear();
  }
}

const wakes = (set: PollSet) => Bun.file(set.wake.number).stream().getReader();

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}

/** Disposal that does something the first time only. */
function once(work: () => void): Disposable {
  let isDone = false;
  return {
    [Symbol.dispose]: () => {
      if (isDone) return;
      isDone = true;
      work();
    },
  };
}
