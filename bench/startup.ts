/**
 * How long a box takes, from the call until its program has ended, beside what else makes one; and the first box of a fresh process.
 *
 *     bun bench/startup.ts [--rounds N] [--only boxes|first] [--json]
 *
 * The program ends at once, and must end with 0. In every round each row runs once, in an order that changes.
 */
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { launch, plan, type Plan, spawnIsolated, type SpawnOptions } from "../mod.ts";
import {
  command,
  compile,
  type Group,
  helper,
  interleave,
  print,
  ratios,
  reasonAgainst,
  removed,
  type Row,
  timed,
} from "./harness.ts";
import { bwrap, type Peer, removeCgroups, runtime, unshare } from "./peers.ts";
import { stepsInC } from "./steps-in-c.ts";

const help = `usage: bun bench/startup.ts [--rounds N] [--only boxes|first] [--json]

  --rounds N   how often each row is measured (default 100), after a tenth as many rounds to warm up
  --only PART  boxes: a box beside Bun.spawn, unshare, bwrap, runc, crun and C; first: the first box of a fresh process
  --json       one JSON document instead of tables
`;

/** A small root directory, and the path of its one program as the host sees it. */
interface Place {
  readonly dir: string;
  readonly root: string;
  readonly program: string;
}

function makePlace(): Place {
  // Not in /tmp, of which a box has its own.
  const dir = mkdtempSync("/var/tmp/bunshare-bench-");
  chmodSync(dir, 0o755);
  const root = join(dir, "root");
  for (const name of ["proc", "dev", "sys", "tmp", "run", "bin"]) mkdirSync(join(root, name), { recursive: true });
  const program = join(root, "bin/true");
  compile(join(import.meta.dir, "true.S"), program);
  return { dir, root, program };
}

/** One kind of box, and others that make one like it. */
interface Setting {
  /** A C identifier: the steps in C have this name. */
  readonly id: string;
  readonly title: string;
  readonly options: SpawnOptions;
  readonly program: string;
  readonly plan: Plan;
  readonly peers: readonly Peer[];
}

const withoutNet = ["user", "mnt", "pid", "ipc", "uts", "cgroup", "time"] as const;

function settings({ dir, root, program: onHost }: Place): Setting[] {
  const io = { env: {}, stdin: "ignore", stdout: "ignore", stderr: "ignore" } as const;
  const small = (id: string, title: string, hasNet: boolean): Setting => {
    const options = { ...io, root, ...(hasNet ? {} : { unshare: withoutNet }) };
    const program = "/bin/true";
    const wanted = { plan: plan([program], options), root, hasNet, program };
    const peers = [unshare(wanted), bwrap(wanted), runtime("runc", dir, wanted), runtime("crun", dir, wanted)];
    return { id, title, options, program, plan: wanted.plan, peers };
  };
  const options = { ...io, cwd: "/" };
  const host = { plan: plan([onHost], options), root: undefined, hasNet: true, program: onHost };
  return [
    small("with_net", "all eight namespaces, a small root directory", true),
    small("without_net", "all namespaces but net, a small root directory", false),
    {
      id: "host_root",
      title: "the default: all eight namespaces, the host's root below overlays",
      options,
      program: onHost,
      plan: host.plan,
      peers: [bwrap(host)],
    },
  ];
}

const noBox = "Bun.spawn, no box";

async function measureBoxes(rounds: number): Promise<Group[]> {
  const place = makePlace();
  using _ = removed(place.dir);
  using services = new DisposableStack();
  services.defer(removeCgroups);

  const all = settings(place);
  const binary = compileSteps(place, all);
  const rows: Row[] = [command(noBox, [place.program])];
  const notes = new Map<string, string[]>();
  for (const { id, options, program, plan, peers } of all) {
    rows.push(
      box(`${id} launch(plan)`, () => launch(plan)),
      box(`${id} spawnIsolated()`, () => spawnIsolated([program], options)),
      command(`${id} C, from Bun.spawn`, [binary, id, "once"]),
      services.use(service(`${id} C, within`, [binary, id, "loop"])),
    );
    const reasons = peers.map(({ cmd }) => reasonAgainst(cmd));
    peers.forEach(({ name, cmd }, i) => {
      if (reasons[i] === undefined) rows.push(command(`${id} ${name}`, cmd));
    });
    notes.set(
      id,
      peers.map(({ name, differs }, i) => `${name}: ${reasons[i] === undefined ? differs : `left out: ${reasons[i]}`}`),
    );
  }
  const summaries = [...(await interleave(rows, { rounds, warmUp: Math.ceil(rounds / 10) })).values()];
  return all.map(({ id, title }) => {
    const own = summaries
      .filter(({ name }) => name === noBox || name.startsWith(`${id} `))
      .map((row) => ({ ...row, name: row.name.replace(`${id} `, "") }));
    return { title, rows: own, ratios: ratios(own, compared), notes: notes.get(id) ?? [] };
  });
}

const box = (name: string, start: () => ReturnType<typeof launch>): Row => ({
  name,
  measure: () => timed(name, async () => (await start()).exited),
});

/** bench/startup.c with the steps of all plans. */
function compileSteps({ dir }: Place, all: readonly Setting[]): string {
  const { header, linkerFlags } = stepsInC(Object.fromEntries(all.map(({ id, plan }) => [id, plan])));
  writeFileSync(join(dir, "steps.h"), header);
  const binary = join(dir, "startup");
  compile(join(import.meta.dir, "startup.c"), binary, [`-I${dir}`, ...linkerFlags]);
  return binary;
}

/** A box for each byte that the program is sent. */
function service(name: string, cmd: readonly string[]): Row & Disposable {
  const program = helper(cmd);
  return {
    name,
    measure: async () => Number((await program.ask("\n")).getBigUint64(0, true)) / 1000,
    [Symbol.dispose]: () => program[Symbol.dispose](),
  };
}

/** What the aims are about. */
const compared: readonly [over: string, under: string][] = [
  ["launch(plan)", "C, from Bun.spawn"],
  ["launch(plan)", "C, within"],
  ["launch(plan)", noBox],
  ["spawnIsolated()", "launch(plan)"],
  ...["unshare", "bwrap", "runc", "crun"].map((peer): [string, string] => [peer, "launch(plan)"]),
];

/** Whole lives of fresh Bun processes. */
async function measureFirst(rounds: number): Promise<Group> {
  const place = makePlace();
  using _ = removed(place.dir);
  const bun = (name: string, script: string): Row => command(name, [process.execPath, "-e", script]);
  const path = (file: string): string => JSON.stringify(join(import.meta.dir, "..", file));
  const mod = path("mod.ts");
  writeFileSync(join(place.dir, "empty.ts"), "export const nothing = 0;\n");
  const options = JSON.stringify({ root: place.root, env: {}, stdout: "ignore", stderr: "ignore" });
  const spawn = `Bun.spawn([${JSON.stringify(place.program)}])`;
  const spawnBox = `(await import(${mod})).spawnIsolated(["/bin/true"], ${options})`;
  const least = bun("bun -e 0", "0");
  const rows = [
    bun("bun -e ''", ""),
    least,
    bun("bun: Bun.spawn", `process.exitCode = await ${spawn}.exited`),
    bun("bun: import of a file of one line", `await import(${JSON.stringify(join(place.dir, "empty.ts"))})`),
    bun("bun: import of bunshare/sys", `await import(${path("src/sys/mod.ts")})`),
    bun("bun: import of bunshare/sys, one call", `(await import(${path("src/sys/mod.ts")})).sys.getpid()`),
    bun("bun: import of mod.ts", `await import(${mod})`),
    bun("bun: import, one box", `process.exitCode = await (await ${spawnBox}).exited`),
  ];
  const summaries = await interleave(rows, { rounds, warmUp: Math.ceil(rounds / 10) });
  const p50Ms = ({ name }: Row): number => (summaries.get(name)?.p50Us ?? Number.NaN) / 1000;
  return {
    title: "a fresh process, from start to end",
    rows: [...summaries.values()],
    ratios: {},
    notes: [
      "bun -e '' prints the help and starts no engine: what is added is counted from bun -e 0",
      ...rows.slice(2).map((row) => `${row.name}: ${(p50Ms(row) - p50Ms(least)).toFixed(1)} ms more (p50)`),
    ],
  };
}

const legend = `each row once a round, in changing order; from the call until the program has ended.
  launch(plan)       one plan for all boxes
  spawnIsolated()    a plan for each
  C, from Bun.spawn  the same steps in C without a monitor, a process started for each box
  C, within          the same C, the boxes started and timed by itself: no Bun.spawn
Ratios are of medians.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "100" },
      only: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const rounds = Number(values.rounds);
  const isBad = !Number.isInteger(rounds) || rounds < 1 || ![undefined, "boxes", "first"].includes(values.only);
  if (values.help || isBad) {
    (isBad ? console.error : console.log)(help);
    return isBad ? 2 : 0;
  }
  const groups = [
    ...(values.only === "first" ? [] : await measureBoxes(rounds)),
    ...(values.only === "boxes" ? [] : [await measureFirst(rounds)]),
  ];
  if (values.json) {
    console.log(JSON.stringify({ rounds, bun: Bun.version, groups }, null, 2));
    return 0;
  }
  console.log(`${rounds} rounds, ${legend}`);
  for (const group of groups) print(group);
  return 0;
}

process.exitCode = await main();
