/** Writes src/spawn/options.ts, the types and the check of the options, from src/spawn/schema.ts; --check compares. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Build } from "typebox/schema";
import { Settings } from "typebox/system";
import { SpawnOptions } from "../src/spawn/schema.ts";

const target = join(import.meta.dir, "../src/spawn/options.ts");

interface Node {
  type?: string;
  enum?: string[];
  const?: string | number | boolean;
  anyOf?: Node[];
  items?: Node;
  properties?: Record<string, Node>;
  patternProperties?: Record<string, Node>;
  required?: string[];
  "~refine"?: Refinement[];
  name?: string;
  from?: string;
  tsType?: string;
  description?: string;
}

const schema = SpawnOptions as unknown as Node;

/** A doc comment, wrapped like the rest of the code. */
function comment(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + word.length < 110) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.length === 1 ? `/** ${lines[0]} */\n` : `/**\n${lines.map((line) => ` * ${line}\n`).join("")} */\n`;
}

const named = new Map<string, string>();
const imports = new Set<string>();

/** The TypeScript of a schema; what has a name is declared on the way. */
function typeOf(node: Node): string {
  if (node.name === undefined) return bodyOf(node);
  if (node.from !== undefined) {
    imports.add(`import type { ${node.name} } from "${node.from}";\nexport type { ${node.name} };\n`);
  } else if (!named.has(node.name)) {
    named.set(node.name, ""); // Keeps its place before those that it refers to.
    const keyword = node.properties || node.patternProperties ? `interface ${node.name}` : `type ${node.name} =`;
    const end = keyword.startsWith("type") ? ";" : "";
    named.set(node.name, `${comment(node.description ?? "")}export ${keyword} ${bodyOf(node)}${end}\n`);
  }
  return node.name;
}

function bodyOf(node: Node): string {
  if (node.tsType !== undefined) return node.tsType;
  if (node.anyOf) return unionOf(node.anyOf);
  if (node.enum) return node.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (node.const !== undefined) return JSON.stringify(node.const);
  if (node.items) return `readonly ${itemOf(node.items)}[]`;
  if (node.properties) return fieldsOf(node, node.properties);
  if (node.patternProperties) return `{ [name: string]: ${typeOf(Object.values(node.patternProperties)[0]!)} }`;
  if (node.type === "integer") return "number";
  if (node.type === undefined) throw new Error(`no TypeScript for ${JSON.stringify(node)}`);
  return node.type;
}

function unionOf(branches: Node[]): string {
  // A function type in a union needs parentheses.
  const types = branches.map((branch) => {
    const text = typeOf(branch);
    return text.includes("=>") && branches.length > 1 ? `(${text})` : text;
  });
  return [...new Set(types)].join(" | ");
}

function itemOf(node: Node): string {
  const text = typeOf(node);
  return text.includes("|") ? `(${text})` : text;
}

function fieldsOf(node: Node, properties: Record<string, Node>): string {
  const fields = Object.entries(properties).map(([key, field]) => {
    const mark = node.required?.includes(key) ? "" : "?";
    return `${comment(field.description ?? "")}${key}${mark}: ${typeOf(field)};\n`;
  });
  return `{\n${fields.join("\n")}}`;
}

/** A refinement as typebox has it. With `calls` it stands for the check of another type. */
interface Refinement {
  readonly check: (value: any) => boolean;
  readonly error: () => string;
  readonly calls?: string;
}

/** What the checks refer to, names by source: patterns, sets of names and refinements. */
const constants = new Map<string, string>();

/** A call of what typebox refers to. */
function callOf(external: RegExp | Refinement): string {
  if (!(external instanceof RegExp)) {
    if (external.calls !== undefined) return external.calls;
    const source = String(external.check).replace(/^\(?value\)? =>/, "(value: any): boolean =>");
    return constant(source, external.check.name);
  }
  // A list of names comes as `(^cols$|^rows$)`: a set says the same, and costs no compilation at the first launch.
  const names = external.source.match(/^\((\^\w+\$(?:\|\^\w+\$)*)\)$/)?.[1]?.match(/\w+/g);
  if (names) return `${constant(`new Set(${JSON.stringify(names)})`, "names")}.has`;
  // The names of a record come twice, once in parentheses.
  const source = external.source.replace(/^\((\^[^|]*\$)\)$/, "$1");
  return `${constant(`/${source}/${external.flags}`, "pattern")}.test`;
}

function constant(source: string, name: string): string {
  const isNumbered = name === "names" || name === "pattern";
  const count = [...constants.values()].filter((other) => other.startsWith(name)).length;
  if (!constants.has(source)) constants.set(source, isNumbered ? `${name}${count + 1}` : name);
  return constants.get(source)!;
}

const functions = new Map<string, string>();

/** The schema with every named type below it replaced by a call of that type's own check. */
function split(schema: Node, isTop = true): Node {
  if (schema.name !== undefined && !isTop) {
    const name = `is${schema.name}`;
    addFunction(name, schema);
    return { "~refine": [{ calls: name, check: () => true, error: () => "" }] };
  }
  const copy: any = { ...schema, ...("~refine" in schema ? { "~refine": schema["~refine"] } : {}) };
  if (schema.anyOf) copy.anyOf = schema.anyOf.map((branch) => split(branch, false));
  if (schema.items) copy.items = split(schema.items, false);
  for (const keyword of ["properties", "patternProperties"] as const) {
    const fields = schema[keyword];
    if (!fields) continue;
    copy[keyword] = Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, split(field, false)]));
  }
  return copy;
}

/** typebox's standalone check of one type, with its externals as constants and its parameters typed. */
function addFunction(name: string, schema: Node): void {
  if (functions.has(name)) return;
  functions.set(name, ""); // Keeps its place before those that it calls.
  const parts = split(schema);
  const build = Build(parts as {});
  const [code, ...others] = build.Functions() as string[];
  if (code === undefined || others.length > 0)
    throw new Error("the schema has become recursive: expected one function");
  const externals = build.External().variables as (RegExp | Refinement)[];
  const body = code
    .replace(/^const check_0 = \(\(value\) => /, "")
    .replace(/\)$/, "")
    .replace(/External\[(\d+)\]\.(check|test)/g, (_, index) => callOf(externals[Number(index)]!))
    // every() passes over the holes of a sparse array, and a hole reads as undefined: a spread fills them.
    .replace(/([\w.]+)\.every\(\((\w+), index\) =>/g, "[...$1].every(($2: any) =>")
    .replace(/\.every\(\((unique_\d+), unique_\d+\) =>/g, ".every(($1) =>")
    .replace(/\(\[(unique_\d+), (unique_\d+)\], _\) =>/g, "([$1, $2]: [string, any]) =>")
    // Only strings are listed as unique: they are their own hash.
    .replace(/([\w.]+)\.map\(Hashing\.Hash\)/g, "$1")
    // An integer is finite: typebox asks again before it compares.
    .replace(
      /(Number\.isInteger\((\S+)\)) && \(!\(\(Number\.isFinite\(\2\) \|\| typeof \2 === "bigint"\)\) \|\| (\([^()]*\))\)/g,
      "$1 && $3",
    )
    .replace(/ \|\| false\b/g, "")
    .replace(/unique_(\d+)/g, "v$1");
  const unknown = body.match(/External|Guard|Hashing|bigint|, index\b|, _\b/);
  if (unknown) throw new Error(`typebox writes something new: ${unknown[0]} in ${body}`);
  functions.set(name, `function ${name}(value: any): boolean {\nreturn ${body};\n}\n`);
}

function checks(): string {
  // Optional here says `| undefined` where undefined is as good as absent.
  const { exactOptionalPropertyTypes } = Settings.Get();
  Settings.Set({ exactOptionalPropertyTypes: true });
  addFunction("isSpawnOptions", schema);
  Settings.Set({ exactOptionalPropertyTypes });

  const [top, ...others] = functions.values();
  const doc = comment(
    "Whether a value has the shape of `SpawnOptions`. Whether it makes sense on this host is seen later.",
  );
  return [
    `${doc}export ${top!.replace("(value: any): boolean {", "(options: unknown): options is SpawnOptions {\nconst value: any = options;")}`,
    ...others,
    [...constants].map(([source, name]) => `const ${name} = ${source};\n`).join(""),
  ].join("\n");
}

function generate(): string {
  typeOf(schema);
  const types = [...named.values()].join("\n");
  return `// Generated from schema.ts by \`bun scripts/generate-check.ts\`: change that and run this.
/** Options of \`spawnIsolated\`: types, and the check that runs on every call. */
import type { IsolatedProcess } from "./process.ts";
${[...imports].join("")}
${types}
${checks()}`;
}

/** The text as `bun fmt` leaves it. */
function format(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), "bunshare-generate-"));
  try {
    const file = join(dir, "options.ts");
    writeFileSync(file, text);
    const { exitCode, stderr } = Bun.spawnSync([process.execPath, "fmt", "--no-script", "--print-width=120", file], {
      cwd: dir,
    });
    if (exitCode !== 0) throw new Error(`bun fmt: ${stderr}`);
    return readFileSync(file, "utf8");
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const text = format(generate());
if (!process.argv.includes("--check")) {
  writeFileSync(target, text);
} else if (readFileSync(target, "utf8") !== text) {
  console.error("src/spawn/options.ts is stale: run `bun scripts/generate-check.ts`");
  process.exitCode = 1;
}
