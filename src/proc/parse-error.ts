/** A line that a parser cannot read: the file, the line, and what was expected there. */

/** Message: `/proc/self/mountinfo line 3: expected " - " and a file system type: "22 26 0:21 / /sys rw"`. */
export class ParseError extends Error {
  override readonly name = "ParseError";
  /** Path or name of the file that the text came from. */
  readonly file: string;
  /** Counted from 1. */
  readonly lineNumber: number;
  /** The line as it was read; the message shows no more than its first 200 characters. */
  readonly line: string;
  /** What the line should have held, to follow "expected". */
  readonly expected: string;

  /** The message is made of these. */
  constructor(file: string, lineNumber: number, line: string, expected: string) {
    const shown = line.length > 200 ? `${line.slice(0, 200)}...` : line;
    super(`${file} line ${lineNumber}: expected ${expected}: ${JSON.stringify(shown)}`);
    this.file = file;
    this.lineNumber = lineNumber;
    this.line = line;
    this.expected = expected;
  }
}
