/** Whether options and a command are what they should be in shape; if not, the innermost place that is wrong. */
import { OptionsError } from "../sys/options-error.ts";
import { isSpawnOptions, type SpawnOptions } from "./options.ts";

/**
 * Checks the shape of options, not whether they make sense on this host.
 * @throws {OptionsError} with the innermost place that is wrong: `options.mounts[1].tmpfs`
 */
export function checkOptions(options: unknown): asserts options is SpawnOptions {
  try {
    if (isSpawnOptions(options)) return;
  } catch {
    // A getter or a proxy threw: the explanation finds out which.
  }
  throw explain(options);
}

/**
 * Checks the program and its arguments.
 * @throws {OptionsError} with the place: `cmd[1]`
 */
export function checkCommand(cmd: unknown): asserts cmd is [string, ...string[]] {
  if (!Array.isArray(cmd) || cmd.length === 0) {
    throw error("cmd", cmd, "expected a list of strings, the program first");
  }
  for (let index = 0; index < cmd.length; index++) {
    const word: unknown = cmd[index];
    const isText = typeof word === "string" && word.isWellFormed() && !word.includes("\0");
    if (isText && (index > 0 || word !== "")) continue;
    const what = index > 0 ? "a string without NUL" : "a program: a string that is not empty, without NUL";
    throw error(`cmd[${index}]`, word, `expected ${what}`);
  }
}

/** A node of the schema, as JSON schema, with the keywords that schema.ts adds. */
interface Node {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly const?: string;
  readonly anyOf?: readonly Node[];
  readonly items?: Node;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly patternProperties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly name?: string;
  readonly expected?: string;
  readonly expectedKey?: string;
}

type CheckLeaf = (schema: object, value: unknown) => boolean;

// Loading typebox takes many times as long as a launch, and a bundle with it starts 12 ms later: so not above, and not
// in a way that a bundler follows. The path by way of `spawn` leads nowhere from a bundle.
const explainers = ["../spawn/schema.ts", "typebox/schema"];
const load = (file: string): unknown => import.meta.require(file);

function explain(options: unknown): OptionsError {
  try {
    const [{ SpawnOptions }, { Check }] = explainers.map(load) as [{ SpawnOptions: Node }, { Check: CheckLeaf }];
    const found = problem(SpawnOptions, options, "options", Check);
    if (found) return found;
  } catch {
    // A bundled program has neither, and a value may answer differently the second time.
  }
  return error("options", options, "expected options as the type SpawnOptions describes them");
}

/** The innermost problem of a value, or undefined when there is none. */
function problem(schema: Node, value: unknown, where: string, check: CheckLeaf): OptionsError | undefined {
  if (schema.anyOf) return problemOfUnion(schema, schema.anyOf, value, where, check);
  if (schema.properties) return problemOfObject(schema, schema.properties, value, where, check);
  if (schema.patternProperties) return problemOfRecord(schema, schema.patternProperties, value, where, check);
  if (schema.items) return problemOfList(schema, schema.items, value, where, check);
  return check(schema, value) ? undefined : unexpected(schema, value, where);
}

function problemOfUnion(
  schema: Node,
  all: readonly Node[],
  value: unknown,
  where: string,
  check: CheckLeaf,
): OptionsError | undefined {
  const problems = all.map((branch) => problem(branch, value, where, check));
  if (problems.includes(undefined)) return undefined;
  const branches = all.filter((branch) => branch.type !== "undefined");
  if (branches.length === 1) return problems[all.indexOf(branches[0]!)];
  const best = closest(branches, value);
  return best ? problems[all.indexOf(best)] : unexpected(schema, value, where);
}

/** The branch that the value was meant to be, where that is plain: the only one, or the one with most of its fields. */
function closest(branches: readonly Node[], value: unknown): Node | undefined {
  const objects = branches.filter((branch) => branch.properties);
  if (isObject(value) && objects.length === 1) return objects[0];
  const ranked = branches
    .map((branch) => ({ branch, score: fits(branch, value) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score);
  return ranked[0]?.score === ranked[1]?.score ? undefined : ranked[0]?.branch;
}

function fits(schema: Node, value: unknown): number {
  if (schema.anyOf) return Math.max(...schema.anyOf.map((branch) => fits(branch, value)));
  if (schema.items) return Array.isArray(value) ? 1 : 0;
  if (schema.patternProperties) return isObject(value) ? 1 : 0;
  if (!schema.properties || !isObject(value)) return 0;
  return Object.keys(schema.properties).filter((key) => key in value).length;
}

function problemOfObject(
  schema: Node,
  properties: Readonly<Record<string, Node>>,
  value: unknown,
  where: string,
  check: CheckLeaf,
): OptionsError | undefined {
  if (!isObject(value)) return unexpected(schema, value, where);
  // Unknown names before missing ones: a misspelt name is both.
  for (const key of schema.additionalProperties === false ? Object.getOwnPropertyNames(value) : []) {
    if (Object.hasOwn(properties, key)) continue;
    return error(at(where, key), read(value, key), unknownName(key, Object.keys(properties), where));
  }
  for (const [key, field] of Object.entries(properties)) {
    if (!(key in value) && !schema.required?.includes(key)) continue;
    const found = problemOfField(field, value, key, where, check);
    if (found) return found;
  }
  return undefined;
}

function unknownName(key: string, known: readonly string[], where: string): string {
  const near = nearest(key, known);
  const what = where === "options" ? "unknown option" : "unknown name";
  if (near !== undefined) return `${what}, did you mean ${near}?`;
  // The options themselves are too many for a sentence.
  return where === "options" ? what : `${what}, known here: ${known.join(", ")}`;
}

function problemOfRecord(
  schema: Node,
  patterns: Readonly<Record<string, Node>>,
  value: unknown,
  where: string,
  check: CheckLeaf,
): OptionsError | undefined {
  if (!isObject(value)) return unexpected(schema, value, where);
  const [pattern, field] = Object.entries(patterns)[0]!;
  for (const key of Object.getOwnPropertyNames(value)) {
    if (!new RegExp(pattern, "u").test(key)) return error(where, key, `expected ${schema.expectedKey}`);
    const found = problemOfField(field, value, key, where, check);
    if (found) return found;
  }
  return undefined;
}

function problemOfList(
  schema: Node,
  items: Node,
  value: unknown,
  where: string,
  check: CheckLeaf,
): OptionsError | undefined {
  if (!Array.isArray(value)) return unexpected(schema, value, where);
  if (value.length < (schema.minItems ?? 0)) return unexpected(schema, value, where);
  if (value.length > (schema.maxItems ?? Infinity)) {
    return error(where, value, `has ${value.length} entries, at most ${schema.maxItems} are possible`);
  }
  for (let index = 0; index < value.length; index++) {
    const found = problemOfField(items, value, index, where, check);
    if (found) return found;
  }
  const twice = schema.uniqueItems ? value.findIndex((item, index) => value.indexOf(item) < index) : -1;
  return twice < 0
    ? undefined
    : error(`${where}[${twice}]`, value[twice], `${JSON.stringify(value[twice])} is there twice`);
}

function problemOfField(schema: Node, parent: object, key: string | number, where: string, check: CheckLeaf) {
  const place = at(where, key);
  try {
    return problem(schema, (parent as Record<string | number, unknown>)[key], place, check);
  } catch (cause) {
    return error(place, undefined, `cannot be read: ${cause instanceof Error ? cause.message : "its getter threw"}`);
  }
}

function unexpected(schema: Node, value: unknown, where: string): OptionsError {
  const names = namesOf(schema);
  const near = typeof value === "string" ? nearest(value, names) : undefined;
  const list = schema.enum && names.length <= 8 ? `: ${names.join(", ")}` : "";
  const fields = schema.properties && `an object with ${Object.keys(schema.properties).join(", ")}`;
  const hint = near === undefined ? "" : ` (did you mean ${JSON.stringify(near)}?)`;
  return error(where, value, `expected ${schema.expected ?? fields ?? schema.type}${list}${hint}`);
}

/** The words that a schema knows: an enumeration, or the constants of a union. */
function namesOf(schema: Node): string[] {
  return [...(schema.enum ?? []), ...(schema.const ? [schema.const] : []), ...(schema.anyOf ?? []).flatMap(namesOf)];
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function read(parent: object, key: string): unknown {
  try {
    return (parent as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}

/** `where.key`, `where["a key"]` or `where[0]`, as one would write it. */
function at(where: string, key: string | number): string {
  if (typeof key === "number") return `${where}[${key}]`;
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${where}.${key}` : `${where}[${JSON.stringify(key)}]`;
}

function error(where: string, value: unknown, sentence: string): OptionsError {
  try {
    return new OptionsError(where, value, sentence);
  } catch {
    // A value can be hostile to whoever looks at it, such as a revoked proxy.
    return new OptionsError(where, undefined, "cannot be read");
  }
}

/** The known name that was probably meant: at most two slips away, or the same but for case. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const ranked = names
    .map((known) => ({ known, slips: distance(name.toLowerCase(), known.toLowerCase()) }))
    .filter(({ known, slips }) => slips <= Math.min(2, Math.floor(known.length / 2)))
    .sort((a, b) => a.slips - b.slips);
  return ranked[0]?.known;
}

/** Levenshtein distance; what is far too long to be a slip is not compared. */
function distance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return 3;
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
