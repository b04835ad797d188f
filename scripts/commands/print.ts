/** How commands print values: JSON with all digits, names without what would move a cursor. */

/** JSON in which a bigint is a number with all of its digits. */
export function json(value: unknown): string {
  return JSON.stringify(value, (_, one: unknown) => (typeof one === "bigint" ? rawJson(String(one)) : one));
}

/** In the engine, and not yet in its types. */
const { rawJSON: rawJson } = JSON as unknown as { rawJSON: (text: string) => unknown };

/** A name of a file may hold anything, escape sequences of terminals too. */
export function printable(name: string): string {
  return name.replaceAll(/\p{Cc}/gu, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
