/** `npm start`: what a box is, shown on this machine in less than two seconds. */
import { existsSync, readdirSync, readlinkSync } from "node:fs";
import { hostname as osHostname } from "node:os";
import { styleText } from "node:util";
import { type BoxStatus, OptionsError, type SpawnOptions, spawnIsolated, SyscallError } from "../mod.ts";
import { type NamespaceKind, namespaceKinds } from "../src/ns/kinds.ts";
import { failureText } from "./commands/failure.ts";
import { duration, table } from "./commands/timeline.ts";

const canary = "/etc/canary";

/** Answers in one box what one asks first. Only what a shell has built in, but for id, hostname and readlink. */
const look = `
  id -u
  hostname
  for p in /proc/[0-9]*; do read -r name < $p/comm; echo "\${p#/proc/} $name"; done
  echo --
  for kind in ${namespaceKinds.join(" ")}; do readlink /proc/self/ns/$kind; done
  echo --
  echo "written inside" > ${canary} && cat ${canary}
`;

/** Three children, where two processes are allowed. */
const crowd = "for i in 1 2 3; do sleep 0.2 & done; wait";

try {
  await tour();
} catch (error) {
  process.stderr.write(failureText(error));
  process.stderr.write("What this machine allows, and what to change: bun scripts/bunshare.ts doctor\n");
  process.exitCode = 1;
}

async function tour(): Promise<void> {
  const start = performance.now();
  const { output, status } = await run(look, { hostname: "tour" });
  const [identity = "", namespaces = "", file = ""] = output.split("--\n");
  const [uid, hostname, ...processes] = identity.trim().split("\n");

  title("A program in a box", 'spawnIsolated(["sh", "-c", ...], { hostname: "tour" })');
  print(
    table([
      ["", "outside", "inside"],
      ["user id", String(process.getuid?.()), uid ?? ""],
      ["host name", osHostname(), hostname ?? ""],
      ["processes", `${countProcesses()} of them`, processes.join(", ")],
    ]),
  );

  title(`It writes ${canary}`, "the host's files are below an overlay, and what is written is thrown away");
  print(
    table([
      ["inside", `cat ${canary}: ${file.trim()}`],
      ["outside", `cat ${canary}: ${existsSync(canary) ? "there is such a file" : "No such file or directory"}`],
    ]),
  );

  title("Its namespaces are its own", "all eight, as in /proc/PID/ns");
  const inside = namespaces.trim().split("\n");
  print(table([["", "outside", "inside"], ...namespaceKinds.map((kind, i) => [kind, ofHost(kind), inode(inside[i])])]));

  await showLimit();
  showTimeline(status);
  const ms = performance.now() - start;
  print(`\nThe whole tour took ${duration(ms * 1000)}. Now you:\n`);
  print("  bun scripts/bunshare.ts run --tty -- sh\n  bun scripts/bunshare.ts explain -- id\n");
}

async function showLimit(): Promise<void> {
  try {
    const { output, status } = await run(crowd, { cgroup: { "pids.max": 2 } });
    title("Two processes at most", '{ cgroup: { "pids.max": 2 } }, and it wants four');
    print(`${output.trim()}\n`);
    const refused = status.cgroup?.["pids.events"]?.["max"];
    if (refused !== undefined) print(`pids.events: max ${refused}, so the kernel refused a fork\n`);
  } catch (error) {
    if (!(error instanceof OptionsError || error instanceof SyscallError)) throw error;
    const { output } = await run(crowd, { rlimits: { nproc: 2 } });
    title("Two processes at most", "{ rlimits: { nproc: 2 } }, and it wants four");
    print(`${output.trim()}\n`);
    print("A cgroup would count the box's own processes, but this user may write none here:\n");
    print(`  ${error.message.replace(/\s*\n\s*/g, " ")}\n`);
  }
}

function showTimeline({ timeline, durationMs }: BoxStatus): void {
  // While a process waits for another, that one's steps are what takes the time.
  const steps = timeline.filter(({ call, durationUs }) => call !== undefined && durationUs !== undefined);
  const longest = steps.toSorted((a, b) => (b.durationUs ?? 0) - (a.durationUs ?? 0)).slice(0, 10);
  const program = timeline.find(({ durationUs, call }) => call?.startsWith("execve(") && durationUs === undefined);
  title("Where the time went", `the ten longest of ${timeline.length} steps of the first box`);
  const lines = longest.map(({ step, durationUs, section, label }) => [
    String(step),
    duration(durationUs ?? 0),
    section,
    label,
  ]);
  print(table([["step", "took", "in", "what"], ...lines], [0, 1]));
  const total = duration(durationMs * 1000);
  print(`\n${program ? `set up after ${duration(program.startUs)}, ` : ""}everything undone after ${total}\n`);
}

async function run(script: string, options: SpawnOptions): Promise<{ output: string; status: BoxStatus }> {
  await using box = await spawnIsolated(["sh", "-c", `exec 2>&1\n${script}`], options);
  const output = await box.stdout.text();
  return { output, status: await box.status() };
}

function inode(link = ""): string {
  return /\[(\d+)\]/.exec(link)?.[1] ?? "?";
}

function ofHost(kind: NamespaceKind): string {
  return inode(readlinkSync(`/proc/self/ns/${kind}`));
}

function countProcesses(): number {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).length;
}

function title(text: string, how: string): void {
  print(`\n${styleText(["bold", "cyan"], text, { stream: process.stdout })}`);
  print(`\n${styleText("dim", how, { stream: process.stdout })}\n\n`);
}

function print(text: string): void {
  process.stdout.write(text);
}
