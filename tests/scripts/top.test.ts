/** `bunshare top` as its users see it: numbers as the kernel and systemd-cgtop have them, and a terminal that is given back. */
import { afterAll, expect, test } from "bun:test";
import { keysOf } from "../../scripts/commands/screen.ts";
import { type Reading, sourcesOf } from "../../scripts/commands/top-counters.ts";
import {
  fit,
  formatBytes,
  formatTable,
  formatUsec,
  type Row,
  rowsOf,
  sorted,
} from "../../scripts/commands/top-table.ts";
import { bunshare, bunshareCommand, callers, root, start, testAs } from "../helpers.ts";
import { cat, enter, isV2, layout, mkdirGroup, setUpFile } from "./cgroups.ts";

setUpFile();

// Text

const reading = (atMs: number, groups: Record<string, object>): Reading => ({
  atMs,
  groups: new Map(Object.entries(groups)),
});

test("rates are differences over the time between two readings", () => {
  const before = reading(1000, { "/a": { cpuUsec: 5_000_000, inputBytes: 100, outputBytes: 0 } });
  const now = reading(3000, {
    "/a": { cpuUsec: 6_000_000, memoryBytes: 7, tasks: 2, inputBytes: 4100, outputBytes: 50 },
  });
  expect(rowsOf(now, before)).toEqual([
    {
      group: "/a",
      tasks: 2,
      cpuPercent: 50,
      cpuUsec: 6_000_000,
      memoryBytes: 7,
      inputBytesPerSecond: 2000,
      outputBytesPerSecond: 25,
    },
  ]);
});

test("a group that is new, or was made anew, has no rates yet", () => {
  const before = reading(0, { "/again": { cpuUsec: 50 } });
  const now = reading(1000, { "/again": { cpuUsec: 20 }, "/new": { cpuUsec: 10 } });
  expect(rowsOf(now, before)).toEqual([
    { group: "/again", cpuUsec: 20 },
    { group: "/new", cpuUsec: 10 },
  ]);
});

const rows: Row[] = [
  {
    group: "/b",
    tasks: 3,
    cpuPercent: 0.4,
    cpuUsec: 12_345,
    memoryBytes: 104857600,
    inputBytesPerSecond: 0,
    outputBytesPerSecond: 2048,
  },
  { group: "/none" },
  { group: "/a", tasks: 30, cpuPercent: 199.9, cpuUsec: 4_560_000, memoryBytes: 512 },
  { group: "/c", memoryBytes: 5e9 },
];

const orders: [key: "path" | "tasks" | "cpu" | "memory" | "io", groups: string][] = [
  ["path", "/a /b /c"],
  ["tasks", "/a /b /c"],
  ["cpu", "/a /b /c"],
  ["memory", "/c /b /a"],
  ["io", "/b /a /c"],
];
for (const [key, groups] of orders)
  test(`sorted by ${key}, the most comes first, what is unknown last, and a group of which nothing is known is left out`, () => {
    expect(
      sorted(rows, key)
        .map(({ group }) => group)
        .join(" "),
    ).toBe(groups);
  });

test("the table has a head and a line a group, and a dash for what is not known", () => {
  expect(`\n${formatTable(sorted(rows, "cpu"), { sort: "cpu", cpu: "percent" }).join("\n")}\n`).toBe(`
Control Group   Tasks      %CPU   Memory  Input/s Output/s
/a                 30     199.9     512B        -        -
/b                  3       0.4   100.0M       0B     2.0K
/c                  -         -     4.7G        -        -
`);
});

test("CPU can be time, and what the rows are sorted by stands out in the head", () => {
  const paint = (style: string, text: string) => (style === "inverse" ? text.replace(/\S.*\S/, "[$&]") : text);
  const [head, first] = formatTable(sorted(rows, "cpu"), { sort: "cpu", cpu: "time", paint });
  expect(head).toBe("Control Group   Tasks  [CPU Time]   Memory  Input/s Output/s");
  expect(first).toBe("/a                 30     4.56s     512B        -        -");
});

test("on a terminal no line is longer than it, and there are no more lines than it has", () => {
  const long = [{ group: `/${"deep/".repeat(40)}end`, tasks: 1 }, { group: "/日本語".repeat(30), tasks: 1 }, ...rows];
  for (const columns of [1, 12, 13, 20, 40, 80, 133])
    for (const lines of [1, 2, 4, 24]) {
      const table = formatTable(long, { sort: "cpu", cpu: "percent", columns, lines });
      expect(table.length).toBe(Math.min(lines, 1 + long.length));
      for (const line of table) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns);
    }
});

test("a path that is too long loses its middle", () => {
  expect(fit("/system.slice/very-long-name.service", 20)).toBe("/syste…-name.service");
  expect(fit("/a", 4)).toBe("/a  ");
  // Cells and not characters: there are two in each of these.
  expect(fit("/日本語日本語", 8)).toBe("/日…本語");
});

test("a name cannot move the cursor", () => {
  const [, line] = formatTable([{ group: "/\x1b[2Jx", tasks: 1 }], { sort: "cpu", cpu: "percent" });
  expect(line).toStartWith("/\\x1b[2Jx ");
});

const sizes: [bytes: number, text: string][] = [
  [0, "0B"],
  [1023, "1023B"],
  [1024, "1.0K"],
  [1536, "1.5K"],
  [1024 * 1024 - 1, "1.0M"],
  [310_693_888, "296.3M"],
  [2 ** 62, "4.0E"],
];
for (const [bytes, text] of sizes) test(`${bytes} bytes are ${text}`, () => expect(formatBytes(bytes)).toBe(text));

const times: [usec: number, text: string][] = [
  [0, "0.0ms"],
  [12_345, "12.3ms"],
  [4_560_000, "4.56s"],
  [200_000_000, "3min 20s"],
  [7_500_000_000, "2h 5min"],
];
for (const [usec, text] of times) test(`${usec} microseconds are ${text}`, () => expect(formatUsec(usec)).toBe(text));

test("arrows are no keys", () => {
  expect(keysOf("\x1b[Aq\x1bOBm\x1b[1;5C%")).toEqual(["q", "m", "%"]);
});

test("files of v1 and v2 count the same", () => {
  const v2 = sourcesOf({ version: 2, controllers: [] });
  const v1 = sourcesOf({ version: 1, controllers: ["cpu", "cpuacct", "memory", "pids", "blkio", "devices"] });
  const texts: Record<string, string> = {
    "cpu.stat": "usage_usec 1234\nuser_usec 1000\nsystem_usec 234\n",
    "memory.current": "4096\n",
    "pids.current": "7\n",
    "io.stat":
      "8:0 rbytes=100 wbytes=200 rios=1 wios=2 dbytes=9 dios=1\n8:16 rbytes=1 wbytes=2 rios=1 wios=1 dbytes=0 dios=0\n",
    "cpuacct.usage": "1234567\n",
    "memory.usage_in_bytes": "4096\n",
    "blkio.throttle.io_service_bytes_recursive":
      "8:0 Read 100\n8:0 Write 200\n8:0 Sync 300\n8:0 Async 0\n8:0 Discard 0\n8:0 Total 300\n8:16 Read 1\n8:16 Write 2\nTotal 303\n",
  };
  const all = (sources: typeof v2) => Object.assign({}, ...sources.map(({ file, read }) => read(texts[file] ?? "")));
  const counted = { cpuUsec: 1234, memoryBytes: 4096, tasks: 7, inputBytes: 101, outputBytes: 202 };
  expect(all(v2)).toEqual(counted);
  expect(all(v1)).toEqual(counted);
});

// The kernel

const controllers = ["cpuacct", "cpu", "memory", "pids", "blkio"];
const children: ReturnType<typeof Bun.spawn>[] = [];
afterAll(() => children.forEach((child) => child.kill("SIGKILL")));

/** A program in a group, and its pid. */
function startIn(path: string, ...command: string[]): number {
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  children.push(child);
  enter(path, child.pid);
  return child.pid;
}

// Only root may make them; everybody may look.
const busy = root.skip === undefined ? mkdirGroup("top-busy", controllers) : "";
const idle = root.skip === undefined ? mkdirGroup("top-idle", controllers) : "";
if (root.skip === undefined) {
  startIn(busy, "sh", "-c", "while :; do :; done");
  startIn(idle, "sleep", "1000");
  startIn(idle, "sleep", "1000");
}
const memoryFile = isV2 ? "memory.current" : "memory.usage_in_bytes";

for (const caller of callers)
  testAs(caller, "top --once --json is one document, of the groups that --paths names", async (uid) => {
    const ended = await bunshare(["top", "--once", "--json", "--interval=500ms", `--paths=${busy},${idle}`], { uid });
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: "" });
    expect(ended.stdout.trim().split("\n")).toHaveLength(1);
    const { time, intervalMs, groups } = JSON.parse(ended.stdout);
    expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000);
    expect(intervalMs).toBeGreaterThanOrEqual(499);
    expect(groups.map(({ group }: Row) => group)).toEqual([busy, idle]);
    const [first, second] = groups as [Row, Row];
    expect(first.cpuPercent).toBeGreaterThan(5);
    expect(first.tasks).toBe(1);
    expect(second.cpuPercent).toBeLessThan(5);
    expect(second.tasks).toBe(2);
    expect(second.memoryBytes).toBe(Number(cat("memory", idle, memoryFile)));
  });

const cgtop = Bun.which("systemd-cgtop");
test.skipIf(cgtop === null || root.skip !== undefined)(
  `tasks and memory are those of systemd-cgtop${cgtop === null ? " (skipped: it is not here)" : ""}`,
  async () => {
    const theirs = Bun.spawnSync([cgtop ?? "", "--batch", "--raw", "--iterations=1", "--depth=1", "--order=path"]);
    const line = theirs.stdout
      .toString()
      .split("\n")
      .find((text) => text.startsWith(`${idle} `) || text.startsWith(`${idle.slice(1)} `));
    const [, tasks, , memory] = line?.trim().split(/\s+/) ?? [];
    const ours = JSON.parse((await bunshare(["top", "--once", "--json", "--interval=100ms", "--depth=1"])).stdout);
    const found = ours.groups.find(({ group }: Row) => group === idle);
    // cgtop of Debian 12 reads pids from one hierarchy only, and leaves out what it does not find there.
    expect([String(found.tasks), String(found.memoryBytes)]).toEqual([
      tasks === "-" ? String(found.tasks) : (tasks ?? ""),
      memory ?? "",
    ]);
  },
  // Two readings at two moments: the kernel may give back a page in between.
  { retry: 3 },
);

testAs(root, "without a terminal there is one plain table, the busiest first", async () => {
  const { code, stdout, stderr } = await bunshare(["top", "--interval=300ms", `--paths=${idle}`, `-p`, busy]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).not.toContain("\x1b");
  const lines = stdout.trim().split("\n");
  expect(lines[0]).toMatch(/^Control Group +Tasks +%CPU +Memory +Input\/s Output\/s$/);
  expect(lines.slice(1).map((line) => line.split(" ")[0])).toEqual([busy, idle]);
});

testAs(root, "--depth is how many levels are shown, and a directory names a group as well as a path does", async () => {
  const mount = layout.hierarchies.find(({ controllers: some, version }) => version === 2 || some.includes("memory"));
  const shown = async (...args: string[]): Promise<string[]> => {
    const { stdout } = await bunshare(["top", "--once", "--json", "--interval=10ms", ...args]);
    return JSON.parse(stdout).groups.map(({ group }: Row) => group);
  };
  expect(await shown("--depth=0")).toEqual(["/"]);
  expect(await shown("--depth=1", "--sort=path")).toEqual(expect.arrayContaining(["/", busy, idle]));
  expect((await shown("--depth=1")).filter((path) => path.split("/").length > 2)).toEqual([]);
  expect(await shown(`--paths=${mount?.mountPoint}${idle}/`)).toEqual([idle]);
  expect(await shown(`--paths=${idle.slice(1)}`)).toEqual([idle]);
});

testAs(root, "--json is a line a tick, until a signal ends it: 128 + n", async () => {
  for (const [signal, code] of [
    ["SIGTERM", 143],
    ["SIGINT", 130],
  ] as const) {
    const child = start(bunshareCommand(["top", "--json", "--interval=50ms", `--paths=${idle}`]));
    let text = "";
    for await (const chunk of child.stdout as unknown as AsyncIterable<Uint8Array>) {
      text += new TextDecoder().decode(chunk);
      if (text.split("\n").length > 3) child.kill(signal);
    }
    expect(await child.exited).toBe(code);
    const ticks = text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(ticks.length).toBeGreaterThanOrEqual(3);
    expect(ticks.every(({ groups }) => groups[0].group === idle)).toBe(true);
  }
});

testAs(root, "when nobody reads any more it ends, as SIGPIPE would end it", async () => {
  const [bun = "", script = ""] = bunshareCommand([]);
  const line = '"$0" "$1" top --json --interval 20ms | head -n 1 > /dev/null; echo "${PIPESTATUS[0]}"';
  const child = start(["bash", "-c", line, bun, script]);
  const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
  expect([await child.stdout.text(), await child.stderr.text()]).toEqual(["141\n", ""]);
  clearTimeout(timer);
});

const refusals: [fact: string, args: string[], code: number, stderr: RegExp][] = [
  [
    "a group that is not there",
    ["--paths=/bunshare-test-nowhere"],
    3,
    /^bunshare: there is no group "\/bunshare-test-nowhere"\n$/,
  ],
  ["a path that leads out of the groups", ["--paths=/.."], 3, /^bunshare: there is no group "\/\.\."\n$/],
  [
    "a key that it cannot sort by",
    ["--sort=size"],
    2,
    /^bunshare: --sort: expected path, tasks, cpu, memory, io, got "size"\n/,
  ],
  ["a depth that is no number", ["--depth=-1"], 2, /^bunshare: --depth: expected a number of levels, got "-1"\n/],
  ["an interval that is none", ["--interval=0"], 2, /^bunshare: --interval: expected a time/],
  ["an option that it does not know", ["--jsno"], 2, /^bunshare: unknown option --jsno, did you mean --json\?\n/],
  ["an option twice", ["--sort=io", "--sort=cpu"], 2, /^bunshare: --sort is there twice\n/],
  ["a value forgotten", ["--sort", "--json"], 2, /^bunshare: --sort takes a value: KEY\n/],
  ["a word too much", ["/a"], 2, /^bunshare: unexpected "\/a": groups are given by --paths\n/],
];
for (const [fact, args, code, stderr] of refusals)
  test(`${fact} is one sentence, and ends with ${code}`, async () => {
    const ended = await bunshare(["top", ...args]);
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code, stdout: "" });
    expect(ended.stderr).toMatch(stderr);
  });

testAs(root, "without control groups it says so, and ends with 6", async () => {
  const script = 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"';
  const child = start(["unshare", "--mount", "sh", "-c", script, "sh", ...bunshareCommand(["top", "--once"])]);
  expect(await child.stderr.text()).toBe("bunshare: no control groups are mounted\n");
  expect(await child.exited).toBe(6);
});

test("top --help tells options, keys and exit codes", async () => {
  const { code, stdout } = await bunshare(["top", "--help"]);
  expect(code).toBe(0);
  for (const words of ["bunshare top [options]", "--sort KEY", "--interval DURATION", "q ends", "Ends with 0"])
    expect(stdout).toContain(words);
});

// A terminal

/** `top` on a terminal of so many cells, and what it has written. */
function onTerminal(args: string[], { cols = 80, rows = 24, env = {}, before = "" } = {}) {
  let shown = "";
  const command = bunshareCommand(["top", "--interval=200ms", ...args]);
  const child = Bun.spawn(["sh", "-c", `"$@"; code=$?; ${before || ":"}; exit $code`, "sh", ...command], {
    env: { PATH: process.env.PATH, TERM: "xterm", ...env },
    terminal: { cols, rows, data: (_, data) => void (shown += new TextDecoder().decode(data)) },
  });
  const until = async (what: (text: string) => boolean): Promise<string> => {
    for (const deadline = performance.now() + 20_000; !what(shown); await Bun.sleep(10))
      if (performance.now() > deadline) throw new Error(`not shown: ${JSON.stringify(shown.slice(-2000))}`);
    return shown;
  };
  return { child, terminal: child.terminal as Bun.Terminal, until, text: () => shown };
}

const entered = "\x1b[?1049h";
const left = "\x1b[?1049l";
/** What the last whole picture shows. */
const lastPicture = (text: string): string[] =>
  (text.split("\x1b[H").at(-1) ?? "").replace(/\x1b\[J[^]*/, "").split(/\x1b\[K\r+\n/);
const plain = (text: string): string => text.replaceAll(/\x1b\[[0-9;]*[a-zA-Z]/g, "");

const ends: [fact: string, act: (child: Bun.Subprocess, terminal: Bun.Terminal) => void, code: number][] = [
  ["q ends it with 0", (_, terminal) => void terminal.write("q"), 0],
  ["Ctrl-C ends it with 130", (_, terminal) => void terminal.write("\x03"), 130],
];
for (const [fact, act, code] of ends)
  testAs(root, `${fact}, and the terminal is given back`, async () => {
    const { child, terminal, until, text } = onTerminal([`--paths=${idle}`], { before: "stty -a" });
    await until((shown) => shown.includes(idle));
    expect(text()).toStartWith(`${entered}\x1b[?25l`);
    act(child, terminal);
    expect(await child.exited).toBe(code);
    const after = (await until((shown) => shown.includes("icanon"))).split(left)[1] ?? "";
    expect(text()).toContain(`\x1b[?25h${left}`);
    // Lines, echo and signals are back.
    expect(after).toMatch(/(?<!-)\bicanon\b/);
    expect(after).toMatch(/(?<!-)\becho\b/);
    expect(after).toMatch(/(?<!-)\bisig\b/);
  });

testAs(root, "SIGTERM ends it with 143, and the terminal is given back", async () => {
  let shown = "";
  const child = Bun.spawn(bunshareCommand(["top", `--paths=${idle}`]), {
    env: { PATH: process.env.PATH, TERM: "xterm" },
    terminal: { data: (_, data) => void (shown += new TextDecoder().decode(data)) },
  });
  while (!shown.includes(idle)) await Bun.sleep(10);
  child.kill("SIGTERM");
  expect(await child.exited).toBe(143);
  await Bun.sleep(50);
  expect(shown).toEndWith(`\x1b[?25h${left}`);
});

testAs(root, "keys sort, and show CPU as time", async () => {
  const { child, terminal, until } = onTerminal([`--paths=${busy},${idle}`]);
  const first = (lines: string[]): string => plain(lines[1] ?? "").split(" ")[0] ?? "";
  await until((text) => first(lastPicture(text)) === busy && /\x1b\[7m +%CPU/.test(lastPicture(text)[0] ?? ""));
  terminal.write("t");
  await until((text) => first(lastPicture(text)) === idle && /\x1b\[7m +Tasks/.test(lastPicture(text)[0] ?? ""));
  terminal.write("p%");
  await until((text) => first(lastPicture(text)) === busy && /\x1b\[7mControl Group/.test(lastPicture(text)[0] ?? ""));
  await until((text) => (lastPicture(text)[0] ?? "").includes("CPU Time"));
  terminal.write("q");
  expect(await child.exited).toBe(0);
});

testAs(root, "the table follows the size of the terminal", async () => {
  const { child, terminal, until } = onTerminal(["--depth=2"], { cols: 100, rows: 30 });
  await until((text) => plain(lastPicture(text)[0] ?? "").length === 100);
  terminal.resize(44, 3);
  await until((text) => plain(lastPicture(text)[0] ?? "").length <= 44 && lastPicture(text).length <= 3);
  terminal.write("q");
  expect(await child.exited).toBe(0);
});

testAs(root, "NO_COLOR takes the colours away", async () => {
  const { child, terminal, until } = onTerminal([`--paths=${idle}`], { env: { NO_COLOR: "1" } });
  const text = await until((shown) => shown.includes(idle));
  expect(text).not.toMatch(/\x1b\[[0-9;]*m/);
  terminal.write("q");
  expect(await child.exited).toBe(0);
});

testAs(root, "--once on a terminal leaves the table there: no alternate screen", async () => {
  const { child, until, text } = onTerminal(["--once", `--paths=${idle}`]);
  expect(await child.exited).toBe(0);
  await until((shown) => shown.includes(idle));
  expect(text()).not.toContain(entered);
});
