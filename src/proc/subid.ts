/** Ranges of IDs that a user may map into user namespaces: /etc/subuid and /etc/subgid, subuid(5). */
import { ParseError } from "./parse-error.ts";
import { readIfThere } from "./read.ts";

/** `count` IDs from `start` on, for one user. */
export interface SubidRange {
  /** A user name, or a user ID in decimal (in /etc/subgid too). */
  readonly owner: string;
  readonly start: number;
  readonly count: number;
}

/** `/etc/subuid`, undefined when there is no such file. */
export function subuid(): SubidRange[] | undefined {
  const text = readIfThere("/etc/subuid");
  return text === undefined ? undefined : parseSubid(text, "/etc/subuid");
}

/** `/etc/subgid`, undefined when there is no such file. */
export function subgid(): SubidRange[] | undefined {
  const text = readIfThere("/etc/subgid");
  return text === undefined ? undefined : parseSubid(text, "/etc/subgid");
}

/** Those ranges that belong to a user, by name or by number. */
export function rangesOf(ranges: readonly SubidRange[], user: { name?: string; uid: number }): SubidRange[] {
  return ranges.filter((range) => range.owner === String(user.uid) || range.owner === user.name);
}

/**
 * The text of `/etc/subuid` or `/etc/subgid`, without comments and empty lines. subuid(5)
 * @param file Named in the error.
 * @throws {ParseError} with the line that cannot be read
 */
export function parseSubid(text: string, file = "/etc/subuid"): SubidRange[] {
  const ranges: SubidRange[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    // People write this file by hand.
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [, owner, start, count] = /^([^:\s]+):(\d{1,10}):(\d{1,10})\s*$/.exec(line) ?? [];
    if (owner === undefined) throw new ParseError(file, index + 1, line, "user:start:count");
    ranges.push({ owner, start: Number(start), count: Number(count) });
  }
  return ranges;
}
