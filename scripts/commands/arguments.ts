/** Words of a command line: which are options and which are not, by a table of options. */
import { nearest } from "../../src/spawn/check.ts";
import { UsageError } from "./command.ts";

/** An option, as far as every command needs to know it. */
export interface OptionRow {
  /** What stands for the value in the help; absent: the option takes none. */
  readonly value?: string;
  /** A letter for it: `-h`. */
  readonly short?: string;
  /** It may be there more than once. */
  readonly isList?: true;
  readonly help: string;
}
export type OptionTable = Readonly<Record<string, OptionRow>>;

/** What a command line says. */
export interface Words {
  /** Values of each option that is there, in order; "" for one that takes none. */
  readonly options: ReadonlyMap<string, readonly string[]>;
  /** What is no option. */
  readonly operands: readonly string[];
}

/**
 * Pure. `--name VALUE`, `--name=VALUE`, `-n VALUE`; what follows `--` is no option.
 * @param before After so many operands everything is one: the command of `exec`. A `--` right after them is left out.
 * @throws {UsageError} for an option that is not in the table, a value forgotten or too much, and one that is there twice
 */
export function parseWords(args: readonly string[], table: OptionTable, before = Infinity): Words {
  const options = new Map<string, string[]>();
  const operands: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    if (word === "--") {
      operands.push(...args.slice(i + 1));
      break;
    }
    if (word === "-" || !word.startsWith("-")) {
      operands.push(word);
      if (operands.length < before) continue;
      operands.push(...args.slice(args[i + 1] === "--" ? i + 2 : i + 1));
      break;
    }
    const equals = word.startsWith("--") ? word.indexOf("=") : -1;
    const rawName = equals < 0 ? word : word.slice(0, equals);
    const [name, row] = find(rawName, table);
    const values = options.get(name) ?? [];
    if (values.length > 0 && !row.isList && row.value !== undefined) throw new UsageError(`${rawName} is there twice`);
    if (row.value === undefined) {
      if (equals >= 0) throw new UsageError(`${rawName} takes no value`);
      values.push("");
    } else {
      const value = equals < 0 ? args[++i] : word.slice(equals + 1);
      // "--owner --json" is a value forgotten.
      if (value === undefined || (equals < 0 && value.startsWith("--")))
        throw new UsageError(`${rawName} takes a value: ${row.value}`);
      values.push(value);
    }
    options.set(name, values);
  }
  return { options, operands };
}

function find(rawName: string, table: OptionTable): [string, OptionRow] {
  const isLong = rawName.startsWith("--");
  const found = Object.entries(table).find(([name, { short }]) =>
    isLong ? `--${name}` === rawName : short !== undefined && `-${short}` === rawName,
  );
  if (found) return found;
  const near = isLong ? nearest(rawName.slice(2), Object.keys(table)) : undefined;
  throw new UsageError(`unknown option ${rawName}${near === undefined ? "" : `, did you mean --${near}?`}`);
}

const column = 30;
const width = 100;

/** An option as lines of a help text. */
export function optionLines(name: string, { value, short, isList, help }: OptionRow): string[] {
  const left = `  ${short === undefined ? "" : `-${short}, `}--${name}${value === undefined ? "" : ` ${value}`}`;
  const right = wrap(`${help}${isList ? ". May be repeated" : ""}`, width - column);
  const indented = right.map((line) => " ".repeat(column) + line);
  return left.length <= column - 2 ? [left.padEnd(column) + right[0], ...indented.slice(1)] : [left, ...indented];
}

/** Text as lines of at most so many characters. */
export function wrap(text: string, columns: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines[lines.length - 1] ?? "";
    if (line !== "" && line.length + 1 + word.length > columns) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
