/** Runs the cases of one family in this process, which is traced: `bun run.ts LOG FAMILY [CASE]`. */
import { type Case, type Family, Traced } from "./case.ts";

const [log = "", familyName = "", only] = process.argv.slice(2);
const { family } = (await import(`./${familyName}.ts`)) as { family: Family };
const isRoot = process.getuid?.() === 0;
const failed: string[] = [];

for (const one of family.cases) {
  if (one.as !== undefined && (one.as === "root") !== isRoot) continue;
  if (only === undefined && one.alone) runAlone(one);
  else if (only === undefined || only === one.name) await runHere(one);
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

function runAlone({ name }: Case): void {
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, import.meta.path, log, familyName, name], {
    stdout: "inherit",
    stderr: "pipe",
  });
  if (exitCode !== 0) failed.push(stderr.toString() || `${familyName}/${name}: ended with ${exitCode}`);
}
