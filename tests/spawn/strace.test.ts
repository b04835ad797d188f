import { expect, test } from "bun:test";
import { explainJson } from "../../src/spawn/explain.ts";
import type { SpawnOptions } from "../../src/spawn/options.ts";
import { allSteps, type Plan, type SectionName } from "../../src/spawn/plan-data.ts";
import { plan } from "../../src/spawn/plan.ts";
import { decimalWidth } from "../../src/sys/encode.ts";
import { againAsUser, isRoot, makeRoot, scratchDir, who } from "./kernel.ts";
import { type TracedBox, traceLaunches } from "./trace.ts";

const dir = scratchDir();
const root = makeRoot(`${dir}/root`, ["true"]);
const one = { inside: 0, outside: process.getuid?.() ?? 0, count: 1 };
const ranges = [one, { inside: 1, outside: 100_000, count: 10 }];

const everything: SpawnOptions = {
  hostname: "box",
  domainname: "example",
  timeOffsets: { boottime: 10, monotonic: -1.5 },
  rlimits: { core: 0, nofile: { soft: 64, hard: 512 } },
  mounts: [
    { tmpfs: "/x y", size: "1M", mode: 0o700 },
    { bind: "/usr/lib", at: "/a/b", readonly: true },
    { bind: "/etc/passwd", at: "/a/file" },
  ],
  cwd: "/a",
  umask: 0o27,
  // What strace may write otherwise than we do.
  env: { A: 'quote " backslash \\ newline \n tab \t escape \x1b9 \x7f', PATH: "/nonexistent:/usr/bin" },
};

const cases: [name: string, options: SpawnOptions, takesRoot?: "root"][] = [
  ["the default plan", {}],
  ["everything at once", everything],
  [
    "limits, id ranges and another user",
    {
      cgroup: { "memory.max": "100M", "pids.max": 60, "cpu.max": { quota: 50_000 } },
      map: { uid: ranges, gid: ranges },
      uid: 1,
      gid: 2,
      groups: [3, 4],
    },
    "root",
  ],
  ["a directory as root", { root }],
  ["layers as root", { root: { layers: [root, "/usr/lib"], upper: `${dir}/upper` } }],
  ["nothing unshared", { unshare: "none" }],
  ["nothing unshared, with limits", { unshare: "none", cgroup: { "pids.max": 60 } }, "root"],
  ["one namespace", { unshare: ["user"] }],
  // An init closes itself to other processes of its user, strace included.
  ["an init", { init: true }, "root"],
  ["an init and clocks", { init: true, timeOffsets: { monotonic: 5 } }, "root"],
];

const skip = Bun.which("strace") === null ? " (skipped: strace is not installed)" : "";
const usable = cases.filter(([, , takesRoot]) => isRoot || takesRoot === undefined);
for (const [name] of cases.filter((one) => !usable.includes(one)))
  test.skip(`strace sees what explain() prints: ${name} (skipped: takes root)`, () => {});

const plans = usable.map(([, options]) => plan(["true"], { env: { PATH: "/nonexistent:/bin" }, ...options }));
const traced = skip === "" ? traceLaunches(plans) : Promise.resolve([]);

usable.forEach(([name], i) => {
  test.skipIf(skip !== "")(`as ${who}, strace sees what explain() prints: ${name}${skip}`, async () => {
    const boxPlan = plans[i] as Plan;
    const box = (await traced)[i] as TracedBox;
    const { printed, seen } = sideBySide(boxPlan, box);
    expect(seen).toEqual(printed);
    // Each process of the plan was there, and no other.
    expect(box.calls.size).toBe(
      1 + allSteps(boxPlan).filter(({ step }) => "call" in step && step.fork !== undefined).length,
    );
  });
});

againAsUser(import.meta.path);

/** What an act of the stage may call, where nobody sends signals. Of a process that hides its memory strace sees addresses. */
const acts = {
  watch:
    /^(rt_sigtimedwait\((~\[\]|0x[0-9a-f]+), NULL, (NULL|\{tv_sec=\d+, tv_nsec=\d+\}), 8\)|wait4\(-1, .*, WNOHANG, .*\))$/,
  reap: /^(getpid\(\)|openat\(AT_FDCWD, "\/proc\/self\/task\/\d+\/children", O_RDONLY\)|read\(\d+, .*, 4096\)|close\(\d+\)|wait4\(-1, .*\))$/,
  finish: /^exit_group\(0\)$/,
} as const;

interface SideBySide {
  readonly printed: string[];
  readonly seen: string[];
}

/** Both lists, process by process. What cannot be known beforehand is filled in from what strace saw. */
function sideBySide(boxPlan: Plan, box: TracedBox): SideBySide {
  const steps = allSteps(boxPlan);
  const texts = (explainJson(boxPlan) as { call?: string }[]).map(({ call }) => call ?? "");
  const both: SideBySide = { printed: [], seen: [] };
  const processes: [pid: number, section: SectionName, results: ReadonlyMap<string, number>][] = [
    [box.monitor, "host", new Map()],
  ];
  for (const [pid, section, inherited] of processes) {
    const results = new Map(inherited);
    const calls = [...(box.calls.get(pid) ?? [])];
    const put = (printed: string | undefined, seen: string | undefined): void => {
      if (printed !== undefined) both.printed.push(`${section}: ${printed}`);
      if (seen !== undefined) both.seen.push(`${section}: ${seen}`);
    };
    let hasEnded = false;
    for (const part of section === "host" ? (["host", "undo"] as const) : [section]) {
      steps.forEach(({ step, section: here }, i) => {
        if (here !== part || hasEnded || (step.needs !== undefined && !results.has(step.needs))) return;
        if (!("call" in step)) {
          while (calls[0] && acts[step.act].test(calls[0].text)) calls.shift();
          return;
        }
        let call = calls.shift();
        while (step.retry && call?.errno === step.retry.errno && calls[0]?.text.startsWith("nanosleep(")) {
          calls.shift();
          call = calls.shift();
        }
        put(fill(texts[i] ?? "", results, call?.text ?? ""), call?.text);
        if (call === undefined) return;
        if (step.id !== undefined && call.result >= 0) results.set(step.id, call.result);
        if (step.fork !== undefined) processes.push([call.hostPid, step.fork as SectionName, results]);
        hasEnded = step.call.name === "execve" && call.result === 0;
      });
    }
    for (const call of calls) put(undefined, call.text);
  }
  return both;
}

/**
 * A printed call with results of earlier steps instead of their names. What the kernel writes is taken over from strace's text, and
 * so compares as equal; the rest of the line does not.
 */
function fill(printed: string, results: ReadonlyMap<string, number>, seen: string): string {
  const filled = printed.replaceAll(/\{([^{}]*)\}/g, (whole, id: string, at: number) => {
    if (id === "report") return "0x420000";
    const result = results.get(id);
    if (result === undefined) return whole;
    const before = printed[at - 1] ?? "";
    // In a text the stage fills a field of a fixed width.
    const isInText = printed.slice(0, at).split('"').length % 2 === 0;
    return isInText ? String(result).padStart(decimalWidth, before === "/" ? "/" : "0") : String(result);
  });
  const [, head, tail] = /^(.*)\{(?:out|report [^}]*)\}(.*)$/s.exec(filled) ?? [];
  if (head === undefined || tail === undefined) return filled;
  const isSame = seen.startsWith(head) && seen.endsWith(tail) && seen.length >= head.length + tail.length;
  return isSame ? seen : filled;
}
