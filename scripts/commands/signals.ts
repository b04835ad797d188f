/** Passes signals on to the program in the box, and lets whoever insists end the box. */
import { constants } from "node:os";
import type { IsolatedProcess } from "../../src/spawn/mod.ts";

/** How long after one signal the same again means "at once", in ms. The others may just be repeated. */
const insistenceMs = {
  SIGINT: 2000,
  SIGQUIT: 2000,
  SIGTERM: Infinity,
  SIGHUP: 0,
  SIGUSR1: 0,
  SIGUSR2: 0,
  SIGWINCH: 0,
} as const;
type Passed = keyof typeof insistenceMs;

/** The command was interrupted, and again, before the program ran. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
  /** As a shell tells it. */
  readonly exitCode: number;
  readonly code: Passed;

  constructor(signal: Passed) {
    super(`interrupted by ${signal} during the set-up`);
    this.code = signal;
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** From its making to its disposal, signals do not end this process. */
export class SignalForwarder implements Disposable {
  readonly #setUp = new AbortController();
  readonly #handlers: readonly [Passed, () => void][];
  #box: IsolatedProcess | undefined;
  #held: Passed | undefined;

  constructor() {
    const lastAt: Partial<Record<Passed, number>> = {};
    this.#handlers = (Object.keys(insistenceMs) as Passed[]).map((signal) => {
      const handler = () => {
        const now = performance.now();
        const isAgain = now - (lastAt[signal] ?? -Infinity) < insistenceMs[signal];
        lastAt[signal] = now;
        if (this.#box) this.#box.kill(isAgain ? "SIGKILL" : signal);
        else if (signal !== "SIGWINCH") this.#duringSetUp(signal);
      };
      return [signal, handler];
    });
    for (const [signal, handler] of this.#handlers) process.on(signal, handler);
  }

  /** For `launch`: whoever insists during the set-up ends that. */
  get setUp(): AbortSignal {
    return this.#setUp.signal;
  }

  to(box: IsolatedProcess): void {
    this.#box = box;
    if (this.#held) box.kill(this.#held);
  }

  // The program may run already, and not be known here yet: the signal is its, once.
  #duringSetUp(signal: Passed): void {
    if (this.#held) this.#setUp.abort(new Interrupted(signal));
    this.#held = signal;
  }

  [Symbol.dispose](): void {
    for (const [signal, handler] of this.#handlers) process.off(signal, handler);
  }
}
