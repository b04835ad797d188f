/**
 * Every call of the vocabulary that can be made here is made, as root and as a user: it does what it should, and formatCall() says of
 * it what strace says, argument by argument. In an emulated machine strace would take an hour, so there only the first is tested.
 */
import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { call } from "../../src/sys/mod.ts";
import { isRoot, unprivilegedId } from "../helpers.ts";
import { type CallName, type Family, fromSample, type Made } from "./cases/case.ts";
import { isSame, splitArguments, startsSame, tracedCalls } from "./cases/log.ts";

const familyNames = ["file", "mount", "namespace", "network", "process", "security", "signal", "time"];
const families = new Map<string, Family>();
for (const name of familyNames) families.set(name, ((await import(`./cases/${name}.ts`)) as { family: Family }).family);

const strace = process.env["BUNSHARE_VM"] === undefined ? Bun.which("strace") : null;
const how = strace === null ? "(texts are not compared: no strace)" : "and print as strace prints them";
/** Emulation is slow, and what a user may do depends little on the kernel. */
const users = !isRoot ? ["user"] : strace === null ? ["root"] : ["root", "user"];
const made: Made[] = [];

for (const name of familyNames)
  for (const user of users)
    test(`${name} calls do what they should ${how}, as ${user}`, async () => {
      const { records, traced, errors } = await trace(name, user === "root" ? undefined : unprivilegedId);
      made.push(...records);
      expect(errors).toBe("");
      expect(records.filter(({ wrong }) => wrong !== undefined)).toEqual([]);
      const differing = records
        .filter(({ text }) => text !== "" && strace !== null)
        .flatMap((one) => difference(one, traced.get(one.mark)).map((what) => `${one.mark}: ${what}`));
      expect(differing).toEqual([]);
    }, 120_000);

// Elsewhere the kernel or the file system may lack what a case needs.
const isWhole = isRoot && strace !== null;
test.skipIf(!isWhole)(
  `every call of the vocabulary was made, or a reason is given why not${isWhole ? "" : " (skipped: some take root, or a newer kernel)"}`,
  () => {
    const vocabulary = Object.keys(call).filter((name) => typeof call[name as CallName] === "function") as CallName[];
    const reasons: Partial<Record<CallName, string>> = Object.assign(
      {},
      ...[...families.values()].map(({ notRun }) => notRun),
    );
    const wasMade = (name: CallName) => made.some((one) => one.call === name);
    expect(vocabulary.filter((name) => !wasMade(name) && reasons[name] === undefined)).toEqual([]);
    expect(vocabulary.filter((name) => wasMade(name) && reasons[name] !== undefined)).toEqual([]);
  },
);

/** What no argument can be. A text with NUL may be bytes; what stands for none, or for an object, depends on the call. */
const never: readonly unknown[] = [Number.NaN, 1.5, 2 ** 65, -(2 ** 65), Symbol("x"), () => 0, true];

test("what cannot be an argument is refused in every place of every call", () => {
  const taken: string[] = [];
  let tried = 0;
  for (const [name, { sample }] of new Map(
    made.filter((one) => one.sample !== undefined).map((one) => [one.call, one]),
  )) {
    const build = call[name] as (...args: unknown[]) => unknown;
    const args = fromSample(sample) as unknown[];
    for (const [i] of args.entries())
      for (const value of never) {
        // Milliseconds may have parts.
        if (name === "ppoll" && value === 1.5) continue;
        tried++;
        const error = caught(() => build(...args.with(i, value)));
        if (!(error instanceof TypeError))
          taken.push(`${name}, argument ${i + 1}: ${String(value)}: ${error ?? "taken"}`);
      }
  }
  expect(taken).toEqual([]);
  expect(tried).toBeGreaterThan(1000);
});

function caught(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}

afterAll(() => {
  const names = new Set(made.map((one) => one.call));
  const failures = made.filter(({ message }) => message !== undefined).length;
  console.log(
    `\n${names.size} calls of the vocabulary were made${strace === null ? "" : " under strace"}, ${made.length} times; ${failures} had to fail.`,
  );
  const notMade = [...families.values()].flatMap(({ notRun = {} }) => Object.entries(notRun));
  // What a kernel, a file system or this machine refuses whoever asks.
  const refused = [...names].filter((name) => made.every((one) => one.call !== name || one.message !== undefined));
  const rows = [
    ...notMade.map(([name, why]) => ({ call: name, "was not made": why })),
    ...refused.map((name) => ({
      call: name,
      "was not made": `succeeded never: ${made.find((one) => one.call === name)?.message?.replace(/^.*?\): /, "")}`,
    })),
  ];
  if (rows.length > 0) console.log(Bun.inspect.table(rows));
});

/** Runs a family of cases in a process, under strace where it is there. */
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
    // `timeout` in its place: a leader of a session could take a terminal.
    const tracer = strace === null ? ["timeout", "100"] : [strace, "-f", "-v", "-s", "65536", "-o", log];
    const child = Bun.spawn([...tracer, process.execPath, runner, records, family], {
      stdout: "inherit",
      stderr: "pipe",
      // A group of its own: strace alone would leave what it traces behind.
      detached: true,
      // A home that can be written to: bun keeps a cache there.
      env: { ...process.env, TMPDIR: tmpdir(), HOME: dir },
      ...(uid === undefined || !isRoot ? {} : { uid, gid: uid }),
    });
    const deadline = setTimeout(() => process.kill(-child.pid, "SIGKILL"), 100_000);
    const errors = await child.stderr.text();
    await child.exited;
    clearTimeout(deadline);
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
function difference({ text: ours, outputs = [] }: Made, seen: readonly string[] = []): string[] {
  const mine = splitArguments(ours);
  // The first of that name: the engine makes calls of its own in between, and after a failure we ask about its cause.
  const theirs = seen.find((text) => text.startsWith(`${mine.name}(`) || text.startsWith("syscall_0x"));
  if (theirs === undefined) return [`${ours}: strace has seen only ${seen.join("; ")}`];
  const its = splitArguments(theirs);
  // A call that is newer than this strace: it knows no more than the words.
  if (its.name.startsWith("syscall_0x")) return [];
  if (mine.args.length !== its.args.length) return [`${ours}, strace says ${theirs}`];
  return mine.args.flatMap((arg, i) =>
    arg.includes("{out}") ||
    isSame(arg, its.args[i] ?? "") ||
    (outputs.includes(i) && startsSame(arg, its.args[i] ?? ""))
      ? []
      : [`argument ${i + 1} is ${arg}, strace says ${its.args[i]}`],
  );
}
