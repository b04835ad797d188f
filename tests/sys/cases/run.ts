/** Runs the cases of one family in this process, which is traced: `bun run.ts LOG FAMILY [CASE]`. */
import { type Case, type Family, Traced } from "./case.ts";

const [log = "", familyName = "", only] = process.argv.slice(2);
const { family } = (await import(`./${familyName}.ts`)) as { family: Family };
const isRoot = process.getuid?.() === 0;
const failed: string[] = [];

for (const one of family.cases) {
  if (only === one.name) await runHere(one);
  if (only !== undefined || (one.as !== undefined && (one.as === "root") !== isRoot)) continue;
  if (one.alone || one.in || one.exitCode !== undefined) runAlone(one);
  else await runHere(one);
}
if (failed.length > 0) {
  console.error(failed.join("\n"));
  process.exitCode = 1;
}

async function runHere(one: Case): Promise<void> {
  const traced = new Traced(log, `${familyName}/${one.name}`);
  try {
    await one.run(traced);
  } catch (error) {
    failed.push(`${familyName}/${one.name}: ${error instanceof Error ? error.stack : error}`);
  } finally {
    traced.cleanUp();
  }
}

function runAlone({ name, in: within = [], exitCode: expected = 0 }: Case): void {
  const { exitCode, stderr } = Bun.spawnSync([...within, process.execPath, import.meta.path, log, familyName, name], {
    stdout: "inherit",
    stderr: "pipe",
  });
  if (exitCode !== expected) failed.push(stderr.toString() || `${familyName}/${name}: ended with ${exitCode}`);
}
