/** Directories stacked into one root: an immutable builder of plain data. Documentation/filesystems/overlayfs.rst */

/** A stack of read-only layers, perhaps with a writable directory on top. It is itself what the option `root` takes. */
export class Overlay {
  /** Lowest first. */
  readonly layers: readonly string[];
  /** Takes the changes and keeps them; undefined: a tmpfs that is thrown away. */
  readonly upper: string | undefined;
  /** What overlayfs keeps its unfinished files in; undefined: a directory beside `upper`. */
  readonly work: string | undefined;

  /** Use `overlay(base)`. */
  constructor(layers: readonly string[], upper?: string, work?: string) {
    this.layers = layers;
    this.upper = upper;
    this.work = work;
  }
  /** One more layer on top: its files hide those below. */
  layer(dir: string): Overlay {
    return new Overlay([...this.layers, dir], this.upper, this.work);
  }
  /** Where changes go. `work` is an empty directory on the same file system, by default one beside it. */
  writable(upper: string, work?: string): Overlay {
    return new Overlay(this.layers, upper, work);
  }
}

/** Begins with one layer: `overlay("/images/base").layer("/images/python").writable("/run/box")`. */
export function overlay(base: string): Overlay {
  return new Overlay([base]);
}
