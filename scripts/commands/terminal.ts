/** A terminal for the program, connected to this process's own: keys go in as they are, the size follows. */
import { sys } from "../../src/sys/vocabulary.ts";
import type { SpawnOptions } from "../../src/spawn/mod.ts";

const endOfFile = "\x04";

/** How long to wait for the last output once the program has ended, in ms: somebody else may hold the terminal open. */
const lastOutputMs = 1000;

/**
 * For `launch`, and then `connect`. Without a terminal of our own the streams are connected as they are, as script(1) does, and
 * the end of standard input is the key for it.
 */
export class OwnTerminal implements Disposable {
  readonly options: NonNullable<SpawnOptions["terminal"]>;
  readonly #end = Promise.withResolvers<void>();
  readonly #undo = new DisposableStack();

  constructor() {
    const [cols = 80, rows = 24] = size() ?? [];
    this.options = {
      cols,
      rows,
      name: process.env["TERM"] ?? "xterm",
      data: (_, bytes) => void process.stdout.write(bytes),
      exit: () => this.#end.resolve(),
    };
  }

  connect(terminal: Bun.Terminal): void {
    const { stdin } = process;
    const resize = () => terminal.resize(...(size() ?? ([80, 24] as const)));
    process.on("SIGWINCH", resize);
    this.#undo.defer(() => process.off("SIGWINCH", resize));
    // It may have changed before anybody listened.
    resize();
    if (stdin.isTTY) {
      stdin.setRawMode(true);
      this.#undo.defer(() => stdin.setRawMode(false));
      keepOutput(stdin.fd);
    }
    const write = (bytes: Uint8Array) => void (terminal.closed || terminal.write(bytes));
    const end = () => void (stdin.isTTY || terminal.closed || terminal.write(endOfFile));
    stdin.on("data", write).on("end", end);
    this.#undo.defer(() => stdin.off("data", write).off("end", end).pause());
  }

  /** Resolves when all that the program wrote has been passed on. */
  async drained(): Promise<void> {
    const timer = setTimeout(() => this.#end.resolve(), lastOutputMs);
    await this.#end.promise;
    clearTimeout(timer);
  }

  [Symbol.dispose](): void {
    this.#undo.dispose();
  }
}

function size(): [cols: number, rows: number] | undefined {
  const [cols = 0, rows = 0] = [process.stdout, process.stderr].find((stream) => stream.isTTY)?.getWindowSize() ?? [];
  return cols > 0 && rows > 0 ? [cols, rows] : undefined;
}

const TCGETS = 0x5401;
const TCSETSW = 0x5403;
const OPOST = 1;

/** Raw mode still writes "\r\n" for "\n", which the program's own terminal has done already. termios(3) */
function keepOutput(fd: number): void {
  const termios = new Uint8Array(64);
  sys.ioctl(fd, TCGETS, { into: termios });
  const view = new DataView(termios.buffer);
  view.setUint32(4, view.getUint32(4, true) & ~OPOST, true);
  sys.ioctl(fd, TCSETSW, termios);
}
