/** Measuring side by side: every row once a round, in an order that changes, and its result checked. */
import { rmSync } from "node:fs";

/** One thing to measure. */
export interface Row {
  readonly name: string;
  /** Does it once and returns how many microseconds it took. Throws where it did not do what it should: failing is fast. */
  measure(): Promise<number>;
}

export interface Summary {
  readonly name: string;
  readonly rounds: number;
  readonly minUs: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Runs all rows `warmUp` + `rounds` times and keeps the latter. */
export async function interleave(
  rows: readonly Row[],
  { rounds, warmUp }: { rounds: number; warmUp: number },
): Promise<Map<string, Summary>> {
  const samples = new Map<string, number[]>(rows.map(({ name }) => [name, []]));
  for (let round = -warmUp; round < rounds; round++) {
    // Shuffled: what one leaves to the kernel to clean up is not always on the account of the same next one.
    for (const row of shuffle(rows)) {
      const us = await row.measure();
      if (round >= 0) samples.get(row.name)?.push(us);
    }
    Bun.gc(true);
  }
  return new Map([...samples].map(([name, all]) => [name, summary(name, all)]));
}

function summary(name: string, samples: readonly number[]): Summary {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (part: number): number => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
  return { name, rounds: sorted.length, minUs: at(0), p50Us: at(0.5), p99Us: at(0.99) };
}

function shuffle<T>(items: readonly T[]): T[] {
  const left = [...items];
  return items.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0] as T);
}

/** Times what `work` does until the program it starts has ended with 0. */
export async function timed(name: string, work: () => Promise<number | null>): Promise<number> {
  const start = Bun.nanoseconds();
  const code = await work();
  const us = (Bun.nanoseconds() - start) / 1000;
  if (code !== 0) throw new Error(`${name}: exit code ${code}`);
  return us;
}

/** A program started by Bun.spawn with nothing attached. */
export function command(name: string, cmd: readonly string[]): Row {
  const options = { stdin: "ignore", stdout: "ignore", stderr: "ignore", env: { PATH: process.env["PATH"] } } as const;
  return { name, measure: () => timed(name, () => Bun.spawn([...cmd], options).exited) };
}

/** Undefined where the command works; else what it said. */
export function reasonAgainst(cmd: readonly string[]): string | undefined {
  const [program = ""] = cmd;
  if (!program.includes("/") && Bun.which(program) === null) return "not installed";
  const { exitCode, stderr } = Bun.spawnSync([...cmd], { stdout: "ignore", stderr: "pipe" });
  return exitCode === 0 ? undefined : stderr.toString().trim().split("\n")[0] || `exit code ${exitCode}`;
}

/** Compiles C or assembler into a static executable without libc. @throws {Error} with the compiler's own words. */
export function compile(source: string, output: string, flags: readonly string[] = []): void {
  const own = ["-static", "-no-pie", "-nostdlib", "-ffreestanding", "-fno-stack-protector"];
  const cmd = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", ...own, ...flags, source, "-o", output];
  const { exitCode, stderr } = Bun.spawnSync(cmd, { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${cmd.join(" ")}: exit code ${exitCode}\n${stderr}`);
}

/** A table with right-aligned columns, but for the first. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return [head, ...rows].map(line).join("\n");
}

/** A program that measures by itself: bytes in, as many answers with numbers of 64 bits out. */
export function helper(cmd: readonly string[]): Disposable & { ask(question: Uint8Array | string): Promise<DataView> } {
  const child = Bun.spawn([...cmd], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  const reader = child.stdout.getReader();
  return {
    async ask(question) {
      child.stdin.write(question);
      await child.stdin.flush();
      const { done, value } = await reader.read();
      if (done) throw new Error(`${cmd[0]}: exit code ${await child.exited}`);
      return new DataView(value.buffer, value.byteOffset, value.byteLength);
    },
    [Symbol.dispose]: () => child.kill("SIGKILL"),
  };
}

/** What is printed as one table. */
export interface Group {
  readonly title: string;
  readonly rows: readonly Summary[];
  /** Of medians. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
}

/** Medians divided, where both rows are there. */
export function ratios(rows: readonly Summary[], pairs: readonly (readonly [over: string, under: string])[]) {
  const p50 = (name: string): number | undefined => rows.find((row) => row.name === name)?.p50Us;
  return Object.fromEntries(
    pairs.flatMap(([over, under]) => {
      const [a, b] = [p50(over), p50(under)];
      return a === undefined || b === undefined ? [] : [[`${over} / ${under}`, a / b]];
    }),
  );
}

/** A table of min, p50 and p99, the ratios, the notes. */
export function print({ title, rows, ratios, notes }: Group, unit: "us" | "ns" = "us"): void {
  const cell = (us: number): string => (unit === "us" ? us : 1000 * us).toFixed(0);
  const lines = rows.map(({ name, minUs, p50Us, p99Us }) => [name, cell(minUs), cell(p50Us), cell(p99Us)]);
  console.log(`\n${title}`);
  console.log(table(["", `min ${unit}`, `p50 ${unit}`, `p99 ${unit}`], lines));
  for (const [name, value] of Object.entries(ratios)) console.log(`${value.toFixed(2).padStart(6)} x  ${name}`);
  for (const note of notes) console.log(`  - ${note}`);
}

/** Removes a directory when the block is left. */
export function removed(dir: string): Disposable {
  return { [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }) };
}
