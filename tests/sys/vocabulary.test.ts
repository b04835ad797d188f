/**
 * Every call of the vocabulary that can be made here is made, as root and as a user, under strace: it does what it should, and
 * formatCall() says of it what strace says, argument by argument.
 */
import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { call } from "../../src/sys/mod.ts";
import { isRoot, unprivilegedId } from "../helpers.ts";
import type { CallName, Family, Made } from "./cases/case.ts";
import { splitArguments, tracedCalls } from "./cases/log.ts";

const familyNames = ["file", "mount", "namespace", "network", "process", "security", "signal", "time"];
const families = new Map<string, Family>();
for (const name of familyNames) families.set(name, ((await import(`./cases/${name}.ts`)) as { family: Family }).family);

const strace = Bun.which("strace");
const why = strace === null ? " (no strace on this machine)" : "";
const made: Made[] = [];

for (const name of familyNames)
  for (const user of isRoot ? ["root", "user"] : ["user"])
    test.skipIf(strace === null)(
      `${name} calls do what they should and print as strace prints them, as ${user}${why}`,
      async () => {
        const { records, traced, errors } = await trace(name, user === "root" ? undefined : unprivilegedId);
        made.push(...records);
        expect(errors).toBe("");
        expect(records.filter(({ wrong }) => wrong !== undefined)).toEqual([]);
        const differing = records
          .filter(({ text }) => text !== "")
          .flatMap(({ mark, text }) => difference(text, traced.get(mark)).map((what) => `${mark}: ${what}`));
        expect(differing).toEqual([]);
      },
      120_000,
    );

test.skipIf(strace === null)(`every call of the vocabulary was made, or a reason is given why not${why}`, () => {
  const vocabulary = Object.keys(call).filter((name) => typeof call[name as CallName] === "function") as CallName[];
  const reasons: Partial<Record<CallName, string>> = Object.assign(
    {},
    ...[...families.values()].map(({ notRun }) => notRun),
  );
  const wasMade = (name: CallName) => made.some((one) => one.call === name);
  expect(vocabulary.filter((name) => !wasMade(name) && reasons[name] === undefined)).toEqual([]);
  expect(vocabulary.filter((name) => wasMade(name) && reasons[name] !== undefined)).toEqual([]);
});

afterAll(() => {
  const names = new Set(made.map((one) => one.call));
  const failures = made.filter(({ message }) => message !== undefined).length;
  console.log(
    `\n${names.size} calls of the vocabulary were made under strace, ${made.length} times; ${failures} had to fail.`,
  );
  const rows = [...families.values()].flatMap(({ notRun = {} }) => Object.entries(notRun));
  if (rows.length > 0)
    console.log(Bun.inspect.table(rows.map(([name, reason]) => ({ "not made": name, why: reason }))));
});

/** Runs a family of cases in a process under strace. */
async function trace(family: string, uid: number | undefined) {
  const dir = mkdtempSync(join(tmpdir(), "bunshare-vocabulary-"));
  try {
    const [log, records] = [join(dir, "strace"), join(dir, "records")];
    chmodSync(dir, 0o777);
    for (const file of [log, records]) {
      writeFileSync(file, "");
      chmodSync(file, 0o666);
    }
    const runner = join(import.meta.dir, "cases/run.ts");
    const child = Bun.spawn(
      ["strace", "-f", "-v", "-s", "65536", "-o", log, process.execPath, runner, records, family],
      {
        stdout: "inherit",
        stderr: "pipe",
        // A home that can be written to: bun keeps a cache there.
        env: { ...process.env, TMPDIR: tmpdir(), HOME: dir },
        ...(uid === undefined || !isRoot ? {} : { uid, gid: uid }),
      },
    );
    const errors = await child.stderr.text();
    await child.exited;
    const lines = readFileSync(records, "utf8").split("\n").filter(Boolean);
    return {
      errors,
      records: lines.map((line) => JSON.parse(line) as Made),
      traced: tracedCalls(readFileSync(log, "latin1")),
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** What differs between our text of a call and strace's; what the kernel writes is not known before the call, and matches all. */
function difference(ours: string, seen: readonly string[] = []): string[] {
  const mine = splitArguments(ours);
  // The first of that name: the engine makes calls of its own in between, and after a failure we ask about its cause.
  const theirs = seen.find((text) => text.startsWith(`${mine.name}(`) || text.startsWith("syscall_0x"));
  if (theirs === undefined) return [`${ours}: strace has seen only ${seen.join("; ")}`];
  const its = splitArguments(theirs);
  // A call that is newer than this strace: it knows no more than the words.
  if (its.name.startsWith("syscall_0x")) return [];
  if (mine.args.length !== its.args.length) return [`${ours}, strace says ${theirs}`];
  return mine.args.flatMap((arg, i) =>
    arg === its.args[i] || arg.includes("{out}") ? [] : [`argument ${i + 1} is ${arg}, strace says ${its.args[i]}`],
  );
}
