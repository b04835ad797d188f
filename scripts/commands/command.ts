/** A command of the command line: `scripts/bunshare.ts` finds it by name, shows its help and runs it. */

export interface Command {
  readonly name: string;
  /** One line, for the list of commands; no full stop. */
  readonly summary: string;
  /** What `--help` prints, without a newline at the end. */
  readonly help: string;
  /**
   * Runs it; `args` are the words after its name.
   * @returns the exit code
   * @throws {UsageError} for words that make no sense
   */
  run(args: readonly string[]): Promise<number>;
}

/** The command line cannot be understood: exit code 2, and nothing has been done. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
