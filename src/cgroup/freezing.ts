/** A group stopped and set going again: cgroup.freeze, v1 freezer.state. */
import { OptionsError } from "../sys/options-error.ts";
import { quietly, readIn } from "./directory.ts";
import { mainPlace, placeOf, v2Place, whyNoPlace } from "./location.ts";
import { holdsSelf } from "./members.ts";
import type { Parts } from "./place.ts";
import { textOf } from "./reading.ts";
import { parseValue } from "./values.ts";
import { askedFor, writeFiles } from "./writing.ts";

/** Counts the scopes in which a group is stopped: with the end of the last one it goes on. */
export class Freezer {
  readonly #group: Parts;
  #scopes = 0;

  /** Of that group, which is not stopped yet. */
  constructor(group: Parts) {
    this.#group = group;
  }

  /** Whether the kernel can stop this group. */
  get isThere(): boolean {
    return textOf(this.#group, "cgroup.freeze") !== undefined;
  }

  /** Whether all processes stand still. */
  get isFrozen(): boolean {
    const v2 = v2Place(this.#group.places);
    const events = v2 && readIn(v2, "cgroup.events");
    if (events !== undefined) return parseValue("cgroup.events", events).frozen === 1;
    const freezer = placeOf(this.#group, "freezer");
    return freezer?.version === 1 && readIn(freezer, "freezer.state")?.trim() === "FROZEN";
  }

  /** Stops it until the scope is disposed of. @throws {OptionsError} when this process is in it, and where nothing can stop it */
  freeze(): Disposable {
    const { places } = this.#group;
    const { path, name } = mainPlace(places);
    if (holdsSelf(places)) throw new OptionsError("freeze", process.pid, `this process is in ${path} itself`);
    if (!this.isThere) throw new OptionsError("freeze", name, whyNoPlace(this.#group, "freezer"));
    if (this.#scopes === 0) this.#write(true);
    this.#scopes++;
    waitFor(() => this.isFrozen, 100);
    let isOver = false;
    return {
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        // Whoever closed the group has thawed it.
        if (this.#scopes > 0 && --this.#scopes === 0) this.#write(false);
      },
    };
  }

  /** Ends all scopes, as far as the kernel lets it. */
  thaw(): void {
    if (this.#scopes > 0) quietly(() => this.#write(false));
    this.#scopes = 0;
  }

  #write(value: boolean): void {
    writeFiles(this.#group, askedFor({ "cgroup.freeze": value }));
  }
}

/** Blocks: what is waited for comes in a few milliseconds, or not at all. */
function waitFor(condition: () => boolean, ms: number): void {
  const until = performance.now() + ms;
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  while (!condition() && performance.now() < until) Atomics.wait(nothing, 0, 0, 1);
}
