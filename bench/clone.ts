/**
 * How long a process takes, from the clone until it has ended: by cloneProgram(), the same in C, and what Bun and unshare(1) take.
 *
 *     bun bench/clone.ts [--rounds N] [--json]
 *
 * The program ends at once, and must end with 0. In every round each row runs once, in an order that changes.
 */
import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { kinds, namespaceKinds } from "../src/ns/kinds.ts";
import { cloneProgram } from "../src/sys/clone.ts";
import { CLONE } from "../src/sys/flags.ts";
import { compile, type Group, helper, interleave, print, ratios, reasonAgainst, removed, type Row } from "./harness.ts";

const help = `usage: bun bench/clone.ts [--rounds N] [--json]

  --rounds N   how often each row is measured (default 200), after a tenth as many rounds to warm up
  --json       one JSON document instead of a table
`;

/** What is cloned into. With a user namespace, so that it takes no rights. */
const settings: readonly [name: string, flags: number][] = [
  ["no namespace", 0],
  ["user", CLONE.NEWUSER],
  ...namespaceKinds
    .filter((kind) => kind !== "user")
    .map((kind): [string, number] => [`user, ${kind}`, CLONE.NEWUSER + kinds[kind].flag]),
  ["all eight", namespaceKinds.reduce((all, kind) => all + kinds[kind].flag, 0)],
];

async function measure(rounds: number): Promise<Group> {
  using owned = new DisposableStack();
  const dir = mkdtempSync("/var/tmp/bunshare-bench-");
  owned.use(removed(dir));
  const [program, binary] = [join(dir, "true"), join(dir, "clone")];
  compile(join(import.meta.dir, "true.S"), program);
  compile(join(import.meta.dir, "clone.c"), binary);
  const c = owned.use(helper([binary, program]));

  const check = (name: string, status: number): void => {
    if (status !== 0) throw new Error(`${name}: ended with ${status}`);
  };
  const own = (name: string, flags: number): Row => ({
    name,
    async measure() {
      const start = Bun.nanoseconds();
      using child = cloneProgram(program, [program], { flags, env: [] });
      const end = child.wait();
      const us = (Bun.nanoseconds() - start) / 1000;
      check(name, end.si_status);
      return us;
    },
  });
  const inC = (name: string, flags: number): Row => ({
    name,
    async measure() {
      const answer = await c.ask(new Uint8Array(new BigUint64Array([BigInt(flags)]).buffer));
      check(name, Number(answer.getBigUint64(8, true)));
      return Number(answer.getBigUint64(0, true)) / 1000;
    },
  });
  const sync = (name: string, cmd: readonly string[]): Row => ({
    name,
    async measure() {
      const start = Bun.nanoseconds();
      const { exitCode } = Bun.spawnSync([...cmd], { stdin: "ignore", stdout: "ignore", stderr: "ignore", env: {} });
      const us = (Bun.nanoseconds() - start) / 1000;
      check(name, exitCode);
      return us;
    },
  });

  const unshare = [
    "/usr/bin/unshare",
    "--user",
    "--mount",
    "--pid",
    "--fork",
    "--net",
    "--ipc",
    "--uts",
    "--cgroup",
    program,
  ];
  const against = reasonAgainst(unshare);
  const rows = [
    ...settings.flatMap(([name, flags]) => [inC(`${name}: C`, flags), own(`${name}: cloneProgram()`, flags)]),
    sync("no namespace: Bun.spawnSync", [program]),
    ...(against === undefined ? [sync("all but time: unshare(1)", unshare)] : []),
  ];
  const summaries = [...(await interleave(rows, { rounds, warmUp: Math.ceil(rounds / 10) })).values()];
  return {
    title: "a process, from the clone until it has ended",
    rows: summaries,
    ratios: ratios(summaries, [
      ...settings.map(([name]): [string, string] => [`${name}: cloneProgram()`, `${name}: C`]),
      ["no namespace: Bun.spawnSync", "no namespace: cloneProgram()"],
      ["all but time: unshare(1)", "all eight: cloneProgram()"],
    ]),
    notes: [`${rounds} rounds`, ...(against === undefined ? [] : [`unshare(1) is left out: ${against}`])],
  };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "200" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const rounds = Number(values.rounds);
  const isBad = !Number.isInteger(rounds) || rounds < 1;
  if (values.help || isBad) {
    (isBad ? console.error : console.log)(help);
    return isBad ? 2 : 0;
  }
  const group = await measure(rounds);
  if (values.json) console.log(JSON.stringify({ bun: Bun.version, group }, null, 2));
  else print(group);
  return 0;
}

process.exitCode = await main();
