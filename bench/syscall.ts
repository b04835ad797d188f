/**
 * What a call costs: getpid, a write to a descriptor that is kept, opening and closing a file, beside the same in C and by Bun's fs.
 *
 *     bun bench/syscall.ts [--calls N] [--json]
 *
 * In every round each row makes ten thousand calls, in an order that changes; what the calls returned has to add up as in C.
 * The second table is the same while another thread makes garbage and collects it.
 */
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { addressOf, pin, syscall } from "../ffi/syscall.ts";
import { AT_FDCWD, O } from "../src/sys/flags.ts";
import { sys } from "../src/sys/vocabulary.ts";
import { type Arch, numberOf } from "../src/sys/numbers.ts";
import { compile, type Group, helper, interleave, print, ratios, removed, type Row } from "./harness.ts";

const help = `usage: bun bench/syscall.ts [--calls N] [--json]

  --calls N    how many calls each row makes (default 1000000), after a tenth as many to warm up
  --json       one JSON document instead of tables
`;

/** Calls in a row before the next one has its turn. */
const batch = 10_000;
const loops = { getpid: 1, pwrite: 2, open: 3 } as const;
const limit = "64\n";

/** The file that is written to: a limit of a cgroup where we may make one, else a file in memory. */
function makeTarget(owned: DisposableStack): { path: string; kind: string } {
  for (const parent of ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"]) {
    const group = join(parent, `bunshare-bench-${process.pid}`);
    try {
      mkdirSync(group);
    } catch {
      continue;
    }
    owned.defer(() => rmdirSync(group));
    const path = join(group, "pids.max");
    try {
      writeFileSync(path, limit);
      return { path, kind: "pids.max of a cgroup" };
    } catch {
      // A v2 group without the controller.
    }
  }
  const dir = mkdtempSync("/dev/shm/bunshare-bench-");
  owned.use(removed(dir));
  writeFileSync(join(dir, "file"), limit);
  return { path: join(dir, "file"), kind: "a file on a tmpfs" };
}

/** One row: `once` is called a batch of times, and what it returns has to add up to `sum`. */
function loop(name: string, sum: number, once: () => number): Row {
  return {
    name,
    measure: async () => {
      let found = 0;
      const start = Bun.nanoseconds();
      for (let i = 0; i < batch; i++) found += once();
      const us = (Bun.nanoseconds() - start) / 1000;
      if (found !== sum) throw new Error(`${name}: the calls returned ${found} in all, and should ${sum}`);
      return us / batch;
    },
  };
}

async function makeRows(path: string, owned: DisposableStack): Promise<Row[]> {
  const dir = mkdtempSync("/var/tmp/bunshare-bench-");
  owned.use(removed(dir));
  const binary = join(dir, "syscall");
  compile(join(import.meta.dir, "syscall.c"), binary);
  const c = owned.use(helper([binary, path]));
  const inC = (name: string, which: number, sum: number | undefined): Row => ({
    name,
    async measure() {
      const answer = await c.ask(new Uint8Array(new BigUint64Array([BigInt(which), BigInt(batch)]).buffer));
      const found = Number(answer.getBigInt64(8, true));
      if (sum !== undefined && found !== sum)
        throw new Error(`${name}: the calls returned ${found} in all, and should ${sum}`);
      return Number(answer.getBigUint64(0, true)) / 1000 / batch;
    },
  });

  const kept = owned.use(sys.openat(AT_FDCWD, path, O.WRONLY | O.CLOEXEC));
  const bytes = new TextEncoder().encode(limit);
  const pathBytes = pin(path.length + 1);
  pathBytes.set(new TextEncoder().encode(path));
  const pathAddress = addressOf(pathBytes);
  owned.defer(() => pathBytes.fill(0));
  const nr = (name: Parameters<typeof numberOf>[0]): number => numberOf(name, process.arch as Arch);
  const [nrGetpid, nrPwrite, nrOpenat, nrClose] = [nr("getpid"), nr("pwrite64"), nr("openat"), nr("close")];
  const fdNumber = kept.number;

  return [
    inC("getpid: C", loops.getpid, undefined),
    loop("getpid: sys.getpid()", process.pid * batch, () => sys.getpid()),
    loop("getpid: the raw call", process.pid * batch, () => syscall(nrGetpid)),
    inC("pwrite: C", loops.pwrite, limit.length * batch),
    loop("pwrite: sys.pwrite64(fd, bytes, 0)", limit.length * batch, () => sys.pwrite64(kept, bytes, 0)),
    loop("pwrite: sys.pwrite64(fd, text, 0)", limit.length * batch, () => sys.pwrite64(kept, limit, 0)),
    loop("pwrite: the raw call", limit.length * batch, () => syscall(nrPwrite, fdNumber, bytes, bytes.length, 0)),
    loop("pwrite: fs.writeSync(fd, bytes)", limit.length * batch, () => writeSync(fdNumber, bytes, 0, bytes.length, 0)),
    loop("pwrite: fs.writeFileSync(path, text)", batch, () => (writeFileSync(path, limit), 1)),
    inC("open and close: C", loops.open, batch),
    loop("open and close: sys.openat(), Fd.close()", batch, () => {
      const file = sys.openat(AT_FDCWD, path, O.RDONLY | O.CLOEXEC);
      file.close();
      return 1;
    }),
    loop("open and close: the raw calls", batch, () => {
      const fd = syscall(nrOpenat, AT_FDCWD, pathAddress, O.RDONLY | O.CLOEXEC);
      return syscall(nrClose, fd) === 0 ? 1 : 0;
    }),
    loop("open and close: fs.openSync, fs.closeSync", batch, () => (closeSync(openSync(path, "r")), 1)),
  ];
}

const compared: readonly [over: string, under: string][] = [
  ["getpid: sys.getpid()", "getpid: C"],
  ["pwrite: sys.pwrite64(fd, bytes, 0)", "pwrite: C"],
  ["pwrite: fs.writeSync(fd, bytes)", "pwrite: sys.pwrite64(fd, bytes, 0)"],
  ["pwrite: fs.writeFileSync(path, text)", "pwrite: sys.pwrite64(fd, bytes, 0)"],
  ["open and close: sys.openat(), Fd.close()", "open and close: C"],
  ["open and close: fs.openSync, fs.closeSync", "open and close: sys.openat(), Fd.close()"],
];

/** Makes garbage and collects it until it is ended. */
const garbage = `
let kept = [];
for (let i = 0; ; i++) {
  kept.push(new Uint8Array(1000), { i }, "text " + i);
  if (kept.length > 30000) { kept = []; if (i % 10 === 0) Bun.gc(true); }
}`;

async function measure(calls: number): Promise<Group[]> {
  using owned = new DisposableStack();
  const { path, kind } = makeTarget(owned);
  const rows = await makeRows(path, owned);
  const rounds = Math.ceil(calls / batch);
  const group = async (title: string): Promise<Group> => {
    const summaries = [...(await interleave(rows, { rounds, warmUp: Math.ceil(rounds / 10) })).values()];
    if (readFileSync(path, "utf8") !== limit) throw new Error(`${path} does not hold what was written last`);
    const notes = [`written to: ${kind}`, `${rounds * batch} calls a row; the results added up in every batch`];
    return { title, rows: summaries, ratios: ratios(summaries, compared), notes };
  };
  const quiet = await group("time of one call");
  const worker = new Worker(URL.createObjectURL(new Blob([garbage])));
  try {
    return [quiet, await group("the same, while another thread makes garbage and collects it")];
  } finally {
    worker.terminate();
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      calls: { type: "string", default: "1000000" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const calls = Number(values.calls);
  const isBad = !Number.isInteger(calls) || calls < 1;
  if (values.help || isBad) {
    (isBad ? console.error : console.log)(help);
    return isBad ? 2 : 0;
  }
  const groups = await measure(calls);
  if (values.json) console.log(JSON.stringify({ calls, bun: Bun.version, groups }, null, 2));
  else for (const group of groups) print(group, "ns");
  return 0;
}

process.exitCode = await main();
