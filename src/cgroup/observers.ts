/** Who wants a last look at a group before it is removed: its files are gone with it. */

/** Reads what it watches in these directories. */
export interface Observer {
  /** Called before the directories are removed, or tried to. */
  look(directories: ReadonlySet<string>): void;
}

/** Those that watch something now. */
export const observers = new Set<Observer>();

/** Reads once more what is watched of groups with these directories, for who is about to remove them. */
export function lastReading(directories: Iterable<string>): void {
  if (observers.size === 0) return;
  const paths = new Set(directories);
  for (const one of observers) one.look(paths);
}
