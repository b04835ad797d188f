/** Values into the files of a group: checked, translated, in the kernel's order, and put back when one is refused. */
import type { SyscallError } from "../sys/error.ts";
import { OptionsError } from "../sys/options-error.ts";
import { isErrno, quietly, readIn, writeIn } from "./directory.ts";
import { fileEntry, type FileEntry, fileOrder, type FileWrites } from "./files.ts";
import { v1Writes } from "./limits.ts";
import { locate, noSuchFile, v1Place } from "./location.ts";
import type { Parts, Place } from "./place.ts";
import { textOf } from "./reading.ts";
import { formatValue } from "./values.ts";

/** One file that is to be written, its value as text. */
export interface Asked {
  /** In the words of the user. */
  readonly file: string;
  /** As it was given. */
  readonly value: unknown;
  /** As the kernel takes it. */
  readonly text: string;
  /** Of the table. */
  readonly entry: FileEntry;
}

/** A file to be written in one of the directories. */
interface Target {
  readonly place: Place;
  readonly file: string;
  readonly text: string;
  /** The text that was there, for putting it back. */
  before?: string | undefined;
}

/** Values as texts, in the order in which the kernel takes them. @throws {OptionsError} for an unknown file or a value out of range */
export function askedFor(values: unknown): Asked[] {
  if (typeof values !== "object" || values === null || Array.isArray(values))
    throw new OptionsError("cgroup", values, 'expected values by file: { "memory.max": "100M" }');
  const asked: Asked[] = [];
  for (const [file, value] of Object.entries(values)) {
    if (value === undefined) continue;
    const where = whereOf(file);
    const entry = fileEntry(file);
    if (!entry) throw new OptionsError(where, value, noSuchFile(file));
    asked.push({ file, value, text: formatValue(file as keyof FileWrites, value as never, where), entry });
  }
  return asked.sort((a, b) => fileOrder(a.file) - fileOrder(b.file));
}

const whereOf = (file: string): string => `cgroup[${JSON.stringify(file)}]`;

/** Writes all or, as far as the kernel lets it, nothing. @throws {SyscallError} with the path of the file, and in its message the value */
export function writeFiles(group: Parts, asked: readonly Asked[]): void {
  const texts = new Map(asked.map(({ file, text }) => [file, text]));
  let targets = asked.flatMap((one) => targetsOf(group, one, texts));
  const written: Target[] = [];
  const keep = targets.length > 1;
  let first: SyscallError | undefined;
  try {
    // Some pairs of v1 files can be written in one order only, which depends on what is there: what is refused is tried again
    // after the others, as long as that helps.
    while (targets.length > 0) {
      const refused: Target[] = [];
      for (const target of targets) {
        if (keep) target.before ??= readable(target);
        try {
          writeIn(target.place, target.file, target.text);
          written.push(target);
        } catch (error) {
          if (!isErrno(error, "EINVAL", "EBUSY") || targets.length === 1) throw error;
          first ??= error;
          refused.push(target);
        }
      }
      if (refused.length === targets.length) throw first;
      targets = refused;
      first = undefined;
    }
  } catch (error) {
    for (const target of written.toReversed()) quietly(() => putBack(target));
    throw error;
  }
}

function targetsOf(group: Parts, { file, text, value, entry }: Asked, values: ReadonlyMap<string, string>): Target[] {
  const reject = (sentence: string): never => {
    throw new OptionsError(whereOf(file), value, sentence);
  };
  const found = locate(group, file);
  if (typeof found === "string") return reject(found);
  const { place, translated } = found;
  const context = {
    /** Which of the files that a translation may write are there. */
    get present(): string[] {
      return (entry.v1?.files ?? []).filter((name) => readIn(place, name) !== undefined);
    },
    values: withCurrent(group, file, values),
    reject,
  };
  const writes = translated ? v1Writes(file, text, entry, context) : [{ file, value: text }];
  return writes.flatMap((write) => {
    const target = translated ? (v1Place(group.places, write.file) ?? place) : place;
    const lines = entry.perLine ? write.value.split("\n") : [write.value];
    return lines.map((line) => ({ place: target, file: write.file, text: line }));
  });
}

/** memory.swap.max on v1 asks for memory.max: what is set counts as given. */
function withCurrent(group: Parts, file: string, values: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  if (file !== "memory.swap.max" || values.has("memory.max")) return values;
  const current = textOf(group, "memory.max")?.trim();
  return current === undefined ? values : new Map([...values, ["memory.max", current]]);
}

/** What is there now; undefined for a file that is for writing only, as memory.reclaim is, and may answer anything. */
function readable({ place, file }: Target): string | undefined {
  let text: string | undefined;
  quietly(() => (text = readIn(place, file)));
  return text;
}

/** As it was read, in the form in which it is written. */
function putBack({ place, file, text, before }: Target): void {
  if (before === undefined) return;
  const lines = before.split("\n").filter(Boolean);
  const [key = ""] = text.split(" ");
  const none = noLine(file);
  if (none !== undefined) {
    // A line a write: the one of this device as it was, or none.
    writeIn(place, file, lines.find((line) => line.startsWith(`${key} `)) ?? `${key} ${none}`);
    return;
  }
  for (const line of lines.length > 0 ? lines : ["\n"]) writeIn(place, file, line);
}

/** What takes the line of a device away, in files that list only those devices that have one. */
function noLine(file: string): string | undefined {
  if (file === "io.max") return "rbps=max wbps=max riops=max wiops=max";
  if (file === "io.latency") return "target=0";
  return /^blkio\.throttle\.\w+_device$/.test(file) ? "0" : undefined;
}
