/** What strace(1) saw, as calls by process: to be compared with what a plan says. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Plan } from "../../src/spawn/plan-data.ts";

/** One syscall as strace prints it, without what it returned. */
export interface TracedCall {
  readonly text: string;
  readonly result: number;
  /** The result as a pid of this process' namespace. */
  readonly hostPid: number;
  readonly errno: string | undefined;
}

/** The processes of one launch; each ends with its execve of a program, or with its exit. */
export interface TracedBox {
  readonly monitor: number;
  readonly calls: ReadonlyMap<number, readonly TracedCall[]>;
}

const launcher = `
import { launch } from ${JSON.stringify(join(import.meta.dir, "../../mod.ts"))};
for (const plan of await Bun.stdin.json()) {
  try {
    const box = await launch(plan, { stdout: "ignore", stderr: "ignore" });
    await box.exited;
  } catch (error) {
    console.error(error.message);
  }
}`;

/** Launches the plans, one after the other, in a bun process under strace. */
export async function traceLaunches(
  plans: readonly Plan[],
  straceOptions: readonly string[] = [],
): Promise<TracedBox[]> {
  const dir = mkdtempSync(join(tmpdir(), "bunshare-strace-"));
  const log = join(dir, "log");
  try {
    const child = Bun.spawn(
      // Everything in full, and pids as this process counts them, also for calls in a pid namespace.
      [
        "strace",
        "-f",
        "-v",
        "-s",
        "65536",
        "--pidns-translation",
        "-o",
        log,
        ...straceOptions,
        process.execPath,
        "-e",
        launcher,
      ],
      { stdin: new Blob([JSON.stringify(plans)]), stdout: "ignore", stderr: "pipe" },
    );
    const errors = await child.stderr.text();
    if ((await child.exited) !== 0 || errors !== "") throw new Error(`the traced process says: ${errors}`);
    return parseTrace(readFileSync(log, "latin1"));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** The boxes in a log of `strace -f --pidns-translation -o`, in the order in which they were started. */
export function parseTrace(log: string): TracedBox[] {
  const byPid = new Map<number, TracedCall[]>();
  const unfinished = new Map<number, string>();
  const monitors: number[] = [];
  for (const line of log.split("\n")) {
    const [, digits, rest = ""] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const pid = Number(digits);
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest)?.[0];
    const text = resumed === undefined ? rest : (unfinished.get(pid) ?? "") + rest.slice(resumed.length);
    if (text.endsWith(" <unfinished ...>")) unfinished.set(pid, text.slice(0, -" <unfinished ...>".length));
    const call = parseCall(text);
    if (call === undefined) continue;
    const isStage = call.text.startsWith('execve("/proc/self/fd/') && call.text.includes('["bunshare"]');
    // What Bun did between its fork and the execve is not the stage's.
    if (isStage) byPid.set(pid, []);
    else byPid.set(pid, [...(byPid.get(pid) ?? []), call]);
    if (isStage) monitors.push(pid);
  }
  return monitors.map((monitor) => ({ monitor, calls: descendants(monitor, byPid) }));
}

/** A process and, by what its clones returned, all below it, each up to the execve of a program. */
function descendants(
  pid: number,
  byPid: ReadonlyMap<number, readonly TracedCall[]>,
): Map<number, readonly TracedCall[]> {
  const all = byPid.get(pid) ?? [];
  const end = all.findIndex(({ text, result }) => text.startsWith("execve(") && result === 0);
  const calls = end < 0 ? all : all.slice(0, end + 1);
  const children = calls.filter(({ text, result }) => text.startsWith("clone3(") && result > 0);
  return new Map([[pid, calls], ...children.flatMap(({ hostPid }) => [...descendants(hostPid, byPid)])]);
}

/** `close(3) = 0`, `mkdirat(...) = -1 EEXIST (File exists)`, `clone3(...) = 2` and the pid outside as a comment. */
function parseCall(line: string): TracedCall | undefined {
  const [, text, digits, rest = ""] = /^([a-z_0-9]+\(.*\))\s+= (-?\d+|0x[0-9a-f]+|\?)(.*)$/s.exec(line) ?? [];
  if (text === undefined || digits === undefined) return undefined;
  const outside = /\/\* (\d+) in strace's PID NS \*\//.exec(rest)?.[1];
  const result = digits === "?" ? 0 : Number(digits);
  return {
    // And what strace 6.1 says of a mount_setattr that changes no propagation.
    text: text.replaceAll(/ \/\* (\d+ in strace's PID NS|MS_\?\?\?) \*\//g, ""),
    result,
    hostPid: outside === undefined ? result : Number(outside),
    errno: /^ (E[A-Z0-9]+) /.exec(rest)?.[1],
  };
}
