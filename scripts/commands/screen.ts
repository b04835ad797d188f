/** The whole terminal, for as long as it is needed: alternate screen, no cursor, keys one by one. Given back whatever happens. */

const enter = "\x1b[?1049h\x1b[?25l";
const leave = "\x1b[?25h\x1b[?1049l";
const home = "\x1b[H";
const toEndOfLine = "\x1b[K";
const toEnd = "\x1b[J";

/** Takes the terminal of standard output; keys come from standard input where that is one too. */
export class Screen implements Disposable {
  readonly #onKey: (key: string) => void;
  readonly #undo = new DisposableStack();

  constructor(on: { readonly key: (key: string) => void; readonly resize: () => void }) {
    this.#onKey = on.key;
    process.on("SIGWINCH", on.resize);
    this.#undo.defer(() => process.off("SIGWINCH", on.resize));
    this.#enter();
    // Also for process.exit() and for an error that nobody catches.
    const atExit = () => this[Symbol.dispose]();
    process.on("exit", atExit);
    this.#undo.defer(() => process.off("exit", atExit));
  }

  #enter(): void {
    process.stdout.write(enter);
    this.#undo.defer(() => void process.stdout.write(leave));
    const { stdin } = process;
    if (!stdin.isTTY) return;
    stdin.setRawMode(true);
    const take = (bytes: Uint8Array) => keysOf(bytes.toString()).forEach(this.#onKey);
    stdin.on("data", take);
    this.#undo.defer(() => {
      stdin.off("data", take).pause();
      stdin.setRawMode(false);
    });
  }

  /** Cells and lines, 80 x 24 where the terminal does not tell. */
  get size(): { readonly columns: number; readonly lines: number } {
    const [columns = 0, lines = 0] = process.stdout.getWindowSize?.() ?? [];
    return { columns: columns || 80, lines: lines || 24 };
  }

  /** Shows these lines and nothing else: in one write, over what is there, so that nothing flickers. */
  draw(lines: readonly string[]): void {
    process.stdout.write(home + lines.map((line) => line + toEndOfLine).join("\r\n") + toEnd);
  }

  [Symbol.dispose](): void {
    this.#undo.dispose();
  }
}

/** Pure. Keys in what was typed; those that send a sequence, such as arrows, are no keys here. */
export function keysOf(text: string): string[] {
  return [...text.replaceAll(/\x1b(\[[0-9;]*[ -/]*[@-~]|O.|.)?/g, "")];
}
