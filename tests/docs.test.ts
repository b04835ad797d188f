import { Glob } from "bun";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { since } from "../src/sys/since.ts";

const root = join(import.meta.dir, "..");
const files = [
  "mod.ts",
  ...["ffi/**/*.ts", "src/**/*.ts"].flatMap((pattern) => [...new Glob(pattern).scanSync(root)]),
].toSorted();

/** An exported declaration, or a public member of one. */
interface Found {
  readonly name: string;
  readonly kind: "const" | "function" | "class" | "interface" | "type" | "enum" | "default" | "member" | "property";
  /** Counted from 1. */
  readonly line: number;
  /** The docstring's lines without their stars. */
  readonly doc: readonly string[] | undefined;
  /** The declaration from its first line to its last one. */
  readonly text: string;
}

/**
 * What a source file exports. It reads lines: declarations begin at column 0, members at two spaces, as `bun fmt` leaves them.
 * @throws where a line of a class or an interface is neither a member nor part of one
 */
function scan(text: string): Found[] {
  const lines = text.split("\n");
  const found: Found[] = [];
  for (const [at, line] of lines.entries()) {
    const [, keyword, rest = ""] = declaration.exec(line) ?? [];
    if (keyword === undefined || (keyword === "type" && /^[{*]/.test(rest))) continue;
    const kind = keyword.replace(/const enum/, "enum").replace(/let|var/, "const") as Found["kind"];
    const end = endOf(lines, at);
    const whole = lines.slice(at, end + 1).join("\n");
    for (const name of namesOf(kind, whole, rest))
      add(found, { name, kind, line: at + 1, doc: docAbove(lines, at), text: whole });
    if (kind === "class" || kind === "interface")
      for (const member of membersOf(lines, at, end, rest)) add(found, member);
  }
  return found;
}

const declaration =
  /^export (?:declare |abstract |async )*(?:(const enum|const|let|var|function|class|interface|type|enum|default)\b\*? ?)(.*)$/;

/** Overloads, and the two halves of an accessor, share the docstring of the first. */
function add(found: Found[], next: Found): void {
  const last = found.at(-1);
  if (last?.name === next.name && last.kind === next.kind && next.doc === undefined)
    found[found.length - 1] = { ...last, text: `${last.text}\n${next.text}` };
  else found.push(next);
}

/** A declaration ends before the next line at column 0 that is more than a closing bracket. */
function endOf(lines: readonly string[], start: number): number {
  const next = lines.findIndex((line, at) => at > start && /^[^\s)}\]`|&:?]/.test(line) && !/^\{$/.test(line));
  return next < 0 ? lines.length - 1 : next - 1;
}

function namesOf(kind: Found["kind"], whole: string, rest: string): string[] {
  if (kind === "default") return ["default"];
  const pattern = /^export (?:declare )?const \{([^}]*)\}/.exec(whole)?.[1];
  if (pattern !== undefined) return [...pattern.matchAll(/(?:\w+: *)?(\w+)/g)].map((match) => match[1] ?? "");
  return [/^[\w$]+/.exec(rest)?.[0] ?? `? ${rest}`];
}

const member =
  /^  (?:(?:public|static|readonly|override|abstract|declare|async|get|set|accessor) )*\*?("[^"]+"|\[[^\]]+\]|[\w$]+)[?!]?([(<]|:|;| =)/;
const isHidden = /^  (?:private |protected |(?:static |readonly |async |get |set |\*)*#|static \{$|override )/;
/** Comments, what closes a member, and the signature of an interface that is called itself. */
const isNoMember = /^  (?:\/\*\*|\/\/| \*|[()}\]]|@)/;

function membersOf(lines: readonly string[], start: number, end: number, rest: string): Found[] {
  const open = lines.findIndex((line, at) => at >= start && line.endsWith("{"));
  const [owner = ""] = /^[\w$]+/.exec(rest) ?? [];
  const found: Found[] = [];
  if (open < 0 || open > end) return found;
  const isInterface = /^export (?:declare )?interface/.test(lines[start] ?? "");
  for (let at = open + 1; at <= end; at++) {
    const line = lines[at] ?? "";
    if (line.startsWith("}")) break;
    if (!/^  \S/.test(line) || isNoMember.test(line) || isHidden.test(line)) continue;
    const [, name, mark = ""] = member.exec(line) ?? [];
    if (name === undefined) throw new Error(`line ${at + 1} of ${owner} cannot be read: ${line}`);
    const isProperty = isInterface && mark !== "(" && mark !== "<";
    const full = name.startsWith("[") ? `${owner}${name}` : `${owner}.${name.replaceAll('"', "")}`;
    const doc = docAbove(lines, at);
    // What is further in belongs to it: the branches of a long type, the body of a method.
    const next = lines.findIndex((other, i) => i > at && !/^ {3}/.test(other));
    const text = lines.slice(at, next).join("\n").trim();
    found.push({ name: full, kind: isProperty ? "property" : "member", line: at + 1, doc, text });
  }
  return found;
}

/** The lines of the docstring that ends on the line above. */
function docAbove(lines: readonly string[], at: number): string[] | undefined {
  if (!/\*\/$/.test(lines[at - 1] ?? "")) return undefined;
  let start = at - 1;
  while (start >= 0 && !/^\s*\/\*/.test(lines[start] ?? "")) start--;
  if (!/^\s*\/\*\*/.test(lines[start] ?? "")) return undefined;
  return lines
    .slice(start, at)
    .join("\n")
    .replace(/^\s*\/\*\*/, "")
    .replace(/\*\/$/, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trim())
    .filter((line, index, all) => line !== "" || (index > 0 && index < all.length - 1));
}

/**
 * A first line that says something: no tag, and more than the name in other letters. A manual page counts as a word, and a property
 * may do with one: its unit.
 */
function saysSomething({ name, kind, doc }: Pick<Found, "name" | "kind" | "doc">): boolean {
  const first = doc?.[0] ?? "";
  const letters = (text: string): string => text.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  const words = first.split(/\s+/).filter((word) => letters(word) !== "" && !/^(?:an?|the)$/i.test(word));
  const least = kind === "property" ? 1 : 2;
  return !first.startsWith("@") && words.length >= least && letters(words.join("")) !== letters(lastName(name));
}

const lastName = (name: string): string => /[^.[]*$/.exec(name)?.[0] ?? name;

/**
 * Which properties of an interface need a line: those that are a bare number or text, for that says neither unit nor meaning. Not
 * those whose name says it (a unit at its end, a word of `selfEvident`), the kernel's own names (they are in the manual page that the
 * interface names), index signatures, and what the interface's own docstring speaks of in backticks. Any other type has a docstring
 * where it is declared, and a boolean is a question that its name asks.
 */
function needsLine({ name, text }: Found, owner: Found | undefined): boolean {
  const key = name.slice((owner?.name.length ?? 0) + 1);
  const type = text.slice(text.indexOf(":", text.startsWith("[") ? text.indexOf("]") : text.lastIndexOf('"')) + 1);
  const isBare = /\b(?:number|bigint|string)\b/.test(type) && !/^ *\{/.test(type);
  const isOfKernel = /^[A-Z]|[._]/.test(key);
  const isIndex = /^(?:readonly )?\[\w+: /.test(text);
  const isSpokenOf = owner?.doc?.some((line) => line.includes(`\`${key}\``)) ?? false;
  return isBare && !isOfKernel && !isIndex && !isSpokenOf && !/(?:Ms|Us|Ns|Bytes)$/.test(key) && !selfEvident.has(key);
}

const selfEvident = new Set(["path", "file", "name", "label", "arch", "uid", "gid", "pid", "errno"]);

/** The exported symbols that should have a docstring and have none, or one that says nothing. `all` is what other files declare. */
function missing(found: readonly Found[], all: readonly Found[] = found): Found[] {
  return found.filter((one) => {
    if (one.doc !== undefined) return !saysSomething(one);
    const owner = found.find(({ name, kind }) => /class|interface/.test(kind) && isMemberOf(one, name));
    if (one.kind === "property") return needsLine(one, owner);
    // What a class has from an interface of ours is explained there.
    const others = [...(/ implements ([\w, ]+)/.exec(owner?.text ?? "")?.[1] ?? "").matchAll(/\w+/g)];
    const theirs = others.map(([other]) => all.find(({ name }) => name === one.name.replace(owner?.name ?? "", other)));
    return one.kind !== "member" || theirs.every((their) => their === undefined || missing([their], all).length > 0);
  });
}

const isMemberOf = ({ name, kind }: Found, owner: string): boolean =>
  (kind === "member" || kind === "property") && /^[.[]/.test(name.slice(owner.length)) && name.startsWith(owner);

const texts = await Promise.all(files.map(async (file) => [file, await Bun.file(join(root, file)).text()] as const));
const sources = texts.map(([file, text]) => ({ file, text, found: scan(text) }));
const symbols = sources.flatMap(({ found }) => found);

// The scanner

const documented = "/** It says what it is. */\n";

test.each([
  ["export const answer = 42;\n", "answer"],
  ["export const { a, b: other } = both;\n", "a other"],
  ["export function f(\n  a: number,\n): void {\n  g();\n}\n", "f"],
  ["export async function* f(): void {}\n", "f"],
  ["export abstract class A {}\n", "A"],
  ["export interface A {}\n", "A"],
  ["export type A =\n  | 1\n  | 2;\n", "A"],
  ["export enum A {}\nexport const enum B {}\n", "A B"],
  ["export default 1;\n", "default"],
  ["/** One. */\nconst a = 1;\nexport const b = 2;\n", "b"],
  [`${documented}\nexport const apart = 1;\n`, "apart"],
  ["/* No docstring. */\nexport const plain = 1;\n", "plain"],
  ["// Nor this.\nexport const line = 1;\n", "line"],
  ["/**\n * @throws {Error} always\n */\nexport function tag(): void {}\n", "tag"],
  ["/** Mount info. */\nexport interface MountInfo {}\n", "MountInfo"],
  ["/** The plan. */\nexport const plan = 1;\n", "plan"],
  ["/**\n *\n */\nexport const empty = 1;\n", "empty"],
])("the scanner finds what has no docstring: %j", (text, names) => {
  expect(missing(scan(text)).map(({ name }) => name)).toEqual(names.split(" "));
});

test.each([
  `${documented}export const answer = 42;\n`,
  `/**\n * It says what it is,\n * and more.\n */\nexport function f(): void {}\n`,
  "/** `getpid()`. getpid(2) */\nexport const getpid = define();\n",
  `${documented}export function f(): void;\nexport function f(a?: number): void {\n}\n`,
  'export { a } from "./a.ts";\nexport type { B } from "./b.ts";\nexport * from "./c.ts";\nexport type * from "./d.ts";\n',
  'export {\n  a,\n  type B,\n} from "./a.ts";\n',
  "const hidden = 1;\nfunction f(): void {}\n",
])("the scanner accepts %j", (text) => {
  expect(missing(scan(text))).toEqual([]);
});

const members = `${documented}export class A<T>
  extends B
  implements C, Disposable
{
  readonly bare: string;
  /** It says what it is. */
  readonly told: string;
  readonly #hidden = new Map<string, number>();
  private alsoHidden(): void {}
  protected andThis = 1;
  override readonly name = "A";
  static {
    start();
  }
  constructor(
    private readonly a: number,
    b: string,
  ) {
    this.bare = b;
  }
  get half(): number {
    return 1;
  }
  static async make<T>(a: T): Promise<void> {
    const inner = 1;
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<number> {}
  other(): void {}
}
`;

test("the scanner sees the public members of a class, and what an interface of ours says of them", () => {
  const names = "A.bare A.constructor A.half A.make A[Symbol.asyncIterator] A.other".split(" ");
  expect(missing(scan(members)).map(({ name }) => name)).toEqual(names);
  const contract = scan(`${documented}export interface C {\n  /** It says what it is. */\n  other(): void;\n}\n`);
  expect(missing(scan(members), contract).map(({ name }) => name)).toEqual(names.slice(0, -1));
});

test("the scanner sees methods of an interface, and properties by the rule of needsLine", () => {
  const text = `/** Ids from \`first\` on. */
export interface Range {
  (a: number): void;
  method(): void;
  readonly size?: number;
  readonly long:
    | number
    | undefined;
  readonly "memory.max"?: number | string;
  readonly [huge: \`hugetlb.\${string}\`]: number;
  readonly VmSize: number;
  readonly first: number;
  readonly durationMs: number;
  readonly pid: number;
  readonly isOpen: boolean;
  readonly other: Range;
  readonly names: readonly string[];
  /** Seconds. */
  readonly age: number;
}
`;
  expect(missing(scan(text)).map(({ name }) => name)).toEqual([
    "Range.method",
    "Range.size",
    "Range.long",
    "Range.names",
  ]);
});

test("the scanner refuses a member that it cannot read", () => {
  expect(() => scan("export class A {\n  ?what is this\n}\n")).toThrow("line 2 of A cannot be read");
});

// The sources

test("the scanner sees every value that Bun's own parser sees exported", () => {
  const transpiler = new Bun.Transpiler({ loader: "ts" });
  const unseen = sources.flatMap(({ file, text, found }) => {
    const again = text.match(/^export (?:type )?(?:\{[^}]*\}|\*.*)/gm)?.join() ?? "";
    const names = transpiler.scan(text).exports.filter((name) => !new RegExp(`\\b${name}\\b`).test(again));
    return names.filter((name) => !found.some((one) => one.name === name)).map((name) => `${file}: ${name}`);
  });
  expect(unseen).toEqual([]);
  expect(symbols.filter(({ kind }) => !/member|property/.test(kind)).length).toBeGreaterThan(200);
  expect(symbols.filter(({ kind }) => /member|property/.test(kind)).length).toBeGreaterThan(200);
});

test("every exported symbol has a docstring", () => {
  const silent = sources.flatMap(({ file, found }) =>
    missing(found, symbols).map(({ line, kind, name }) => `${file}:${line} ${kind} ${name}`),
  );
  expect(silent).toEqual([]);
});

test("nothing is exported by a list at the end of a file, where no docstring stands above it", () => {
  const lists = sources.filter(({ text }) => /^export (?:type )?\{[^}]*\}(?! from)/m.test(text));
  // A type that options.ts takes from elsewhere and hands on.
  expect(lists.map(({ file }) => file)).toEqual(["src/spawn/options.ts"]);
});

test("every mod.ts begins with a docstring of its own", () => {
  const tours = sources.filter(({ file }) => file.endsWith("mod.ts"));
  expect(tours.length).toBeGreaterThan(6);
  expect(tours.filter(({ text }) => !/^\/\*\*\s[^@]*\w+ \w+[^@]*?\*\/\n(?=import|export)/.test(text))).toEqual([]);
});

// The calls

const calls = sources
  .filter(({ file }) => /^src\/sys\/calls[^/]*\.ts$|^src\/sys\/calls\//.test(file))
  .flatMap(({ file, found }) => found.map((one) => ({ ...one, file })))
  .filter(
    ({ kind, text }) => /const|function/.test(kind) && /\b(?:define|make)(?:<[^(]*>)?\(\s*"|\): Call\b/.test(text),
  );
const place = ({ file, line, name }: (typeof calls)[number]): string => `${file}:${line} ${name}`;

test("there are calls to look at", () => {
  expect(calls.length).toBeGreaterThan(50);
});

test("the docstring of a call begins with the C call", () => {
  expect(calls.filter(({ doc }) => !/^`\w+\([^`]*\)`/.test(doc?.[0] ?? "")).map(place)).toEqual([]);
});

test("the docstring of a call names a manual page", () => {
  const page = /(?<![\w`])[a-zA-Z_]\w*\([1-9](?:const|type|head)?\)/;
  expect(calls.filter(({ doc }) => !page.test((doc ?? []).join(" ").replaceAll(/`[^`]*`/g, ""))).map(place)).toEqual(
    [],
  );
});

test("the docstring of a call that Linux 5.0 lacks says since when there is one: Linux x.y", () => {
  const versionOf: Readonly<Record<string, string>> = since;
  const versions = calls.flatMap((one) => {
    const syscall = /"(\w+)"/.exec(one.text)?.[1] ?? "";
    const version = /\d+\.\d+/.exec(versionOf[one.name] ?? versionOf[syscall] ?? "")?.[0];
    return version !== undefined && Number.parseInt(version, 10) >= 5 && version !== "5.0" ? [{ one, version }] : [];
  });
  expect(versions.length).toBeGreaterThan(8);
  const silent = versions.filter(({ one, version }) => !one.doc?.some((line) => line.includes(`Linux ${version}`)));
  expect(silent.map(({ one, version }) => `${place(one)}: Linux ${version}`)).toEqual([]);
});
