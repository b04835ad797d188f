/** What the user asked for makes no sense: where in the options, the value, and one sentence that says what would. */

/**
 * A wrong option. A sentence that begins with `expected` is completed by the value given:
 * `cgroup["memory.max"]: expected bytes such as 104857600, "100M" or "max", got "lots"`.
 */
export class OptionsError extends TypeError {
  override readonly name = "OptionsError";
  /** The option, written as one would in code: `cgroup["memory.max"]`, `mounts[2].tmpfs`. */
  readonly where: string;
  /** What was given there. */
  readonly value: unknown;

  /** A sentence that begins with "expected" is completed by the value. */
  constructor(where: string, value: unknown, sentence: string) {
    super(`${where}: ${sentence}${sentence.startsWith("expected ") ? `, got ${show(value)}` : ""}`);
    this.where = where;
    this.value = value;
  }
}

function show(value: unknown): string {
  const text = notation(value);
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

function notation(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "a function";
  try {
    // JSON would print NaN and Infinity as null; it has no word for undefined and symbols; cycles make it throw.
    return (typeof value === "number" ? undefined : JSON.stringify(value)) ?? String(value);
  } catch {
    return Object.prototype.toString.call(value);
  }
}
