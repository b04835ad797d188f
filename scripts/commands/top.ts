/** `bunshare top`: a live table of control groups, as systemd-cgtop(1) shows it, on v1, v2 and hybrid hosts. */
import { constants } from "node:os";
import { styleText } from "node:util";
import { type CgroupLayout, readCgroupLayout } from "../../src/cgroup/layout.ts";
import { type OptionTable, optionLines, parseWords } from "./arguments.ts";
import { type Command, UsageError } from "./command.ts";
import { pathsOf, procPath } from "./group-paths.ts";
import { failureJson, failureText } from "./failure.ts";
import { milliseconds } from "./options.ts";
import { json } from "./print.ts";
import { codeOf, Refusal } from "./refusal.ts";
import { Screen } from "./screen.ts";
import { isGroup, type Range, readCounters, type Reading } from "./top-counters.ts";
import { formatTable, type Look, rowsOf, sorted, type SortKey, sortKeys, type Tick } from "./top-table.ts";

const options = {
  sort: { short: "s", value: "KEY", help: `What comes first: ${Object.keys(sortKeys).join(", ")}. Default: cpu` },
  cpu: { value: "percent|time", help: "CPU as percent of one CPU (the default), or as time since the group was made" },
  depth: { value: "N", help: "Levels of groups below the top, or below --paths: 3 by default" },
  paths: { short: "p", value: "GROUP,...", isList: true, help: "Only these groups and what is below them" },
  interval: { short: "d", value: "DURATION", help: "Time between two readings: 1s by default, 200ms, 5" },
  once: { short: "1", help: "One table, over one interval, and end. The default where standard output is no terminal" },
  json: { help: "A line of JSON for each tick; with --once exactly one" },
  help: { short: "h", help: "Print this" },
} as const satisfies OptionTable;

const help = `bunshare top [options]

Shows which control groups use most: tasks, CPU (100 is one CPU), memory, and what is read from and written to disks per second, each
group with all below it. What a hierarchy does not count is "-".

${Object.entries(options)
  .flatMap(([name, row]) => optionLines(name, row))
  .join("\n")}

Keys: ${Object.entries(sortKeys)
  .map(([name, key]) => `${key} ${name}`)
  .join(", ")}; % percent or time, + and - the interval, space reads now, q ends.

Ends with 0, also by q; with 128 + n when signal n ends it (130 for Ctrl-C), 2 when the command line cannot be understood, 3 when none
of --paths is there, and 6 when no control groups are mounted.

Examples:
  bunshare top --sort memory --depth 2
  bunshare top --once --json | jq -r '.groups[] | select(.memoryBytes > 1e9) | .group'`;

/** What the command line says. */
interface Settings {
  readonly range: Range;
  readonly sort: SortKey;
  readonly cpu: Look["cpu"];
  readonly intervalMs: number;
  readonly isOnce: boolean;
  readonly isJson: boolean;
}

export const top: Command = {
  name: "top",
  summary: "Show which control groups use most: CPU, memory, tasks, disks",
  help,
  async run(args) {
    const given = parseWords(args, options);
    if (given.options.has("help")) {
      console.log(help);
      return 0;
    }
    try {
      const layout = readCgroupLayout();
      const settings = readSettings(given, layout);
      const isLive = process.stdout.isTTY && !settings.isOnce && !settings.isJson;
      return await (isLive ? live(settings, layout) : batch(settings, layout));
    } catch (error) {
      if (error instanceof UsageError) throw error;
      process.stderr.write(failureText(error));
      if (given.options.has("json")) process.stderr.write(`${json(failureJson(error))}\n`);
      return codeOf(error);
    }
  },
};

function readSettings({ options: given, operands }: ReturnType<typeof parseWords>, layout: CgroupLayout): Settings {
  if (operands.length > 0)
    throw new UsageError(`unexpected ${JSON.stringify(operands[0])}: groups are given by --paths`);
  const last = (name: string): string | undefined => given.get(name)?.at(-1);
  const depth = last("depth") ?? "3";
  if (!/^\d{1,6}$/.test(depth))
    throw new UsageError(`--depth: expected a number of levels, got ${JSON.stringify(depth)}`);
  const sort = oneOf("--sort", last("sort") ?? "cpu", Object.keys(sortKeys) as SortKey[]);
  const cpu = oneOf("--cpu", last("cpu") ?? "percent", ["percent", "time"] as const);
  const intervalMs = milliseconds(last("interval") ?? "1s", "--interval");
  if (intervalMs > maxIntervalMs) throw new UsageError(`--interval: at most ${maxIntervalMs / 3_600_000}h`);
  if (layout.version === "none") throw new Refusal("unsupported", "no control groups are mounted");
  const names = (given.get("paths") ?? []).flatMap((text) => text.split(",")).filter((name) => name !== "");
  const paths = names.map((name) => find(name, layout));
  return {
    // One that lies below another is shown anyway, and once.
    range: { depth: Number(depth), paths: [...new Set(paths)] },
    sort,
    cpu,
    intervalMs,
    isOnce: given.has("once") || !(process.stdout.isTTY || given.has("json")),
    isJson: given.has("json"),
  };
}

function oneOf<T extends string>(option: string, text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found === undefined) throw new UsageError(`${option}: expected ${words.join(", ")}, got ${JSON.stringify(text)}`);
  return found;
}

/** A group's path as in /proc/PID/cgroup, by path, directory or name. */
function find(name: string, layout: CgroupLayout): string {
  const mounted = layout.hierarchies.find(({ mountPoint }) => name === mountPoint || name.startsWith(`${mountPoint}/`));
  const path = mounted ? procPath(name, mounted) : name;
  const paths = (path.startsWith("/") ? [path] : pathsOf(path, layout)).map((one) => one.replace(/(.)\/+$/, "$1"));
  // Not out of the tree of groups.
  const found = paths.find((one) => !one.split("/").includes("..") && isGroup(layout, one));
  if (found === undefined) throw new Refusal("absent", `there is no group ${JSON.stringify(name)}`);
  return found;
}

/** What ends it from outside. */
const ending = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
/** Whoever read the output has gone: what the kernel would have ended it by. */
const brokenPipe = 128 + constants.signals.SIGPIPE;
const minIntervalMs = 100;
const maxIntervalMs = 3_600_000;

/** Waits that can be cut short, and an end that can come at any time. */
class Pace implements Disposable {
  /** The exit code, once it is to end. */
  code: number | undefined;
  #wake: () => void = () => {};
  readonly #undo = new DisposableStack();

  constructor() {
    for (const signal of ending) {
      const handler = () => this.end(128 + constants.signals[signal]);
      process.on(signal, handler);
      this.#undo.defer(() => process.off(signal, handler));
    }
    const gone = (error: Error) => {
      if (!("code" in error) || error.code !== "EPIPE") throw error;
      this.end(brokenPipe);
    };
    process.stdout.on("error", gone);
    this.#undo.defer(() => process.stdout.off("error", gone));
  }

  end(code: number): void {
    this.code ??= code;
    this.#wake();
  }

  wake(): void {
    this.#wake();
  }

  /** Until then, or until somebody wakes it. */
  async wait(ms: number): Promise<void> {
    if (this.code !== undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const timer = setTimeout(resolve, ms);
    await promise;
    clearTimeout(timer);
  }

  [Symbol.dispose](): void {
    this.#undo.dispose();
  }
}

type Paint = NonNullable<Look["paint"]>;

/** Colours on a terminal only, and none where NO_COLOR is set. */
const paint: Paint = (style, text) => styleText(style, text, { stream: process.stdout });

function tickOf(now: Reading, before: Reading | undefined, sort: SortKey): Tick {
  return {
    time: new Date(performance.timeOrigin + now.atMs).toISOString(),
    ...(before === undefined ? {} : { intervalMs: Math.round(now.atMs - before.atMs) }),
    groups: sorted(rowsOf(now, before), sort),
  };
}

/** Tables or JSON one after the other, each over an interval. */
async function batch(
  { range, sort, cpu, intervalMs, isOnce, isJson }: Settings,
  layout: CgroupLayout,
): Promise<number> {
  using pace = new Pace();
  let before = readCounters(layout, range);
  for (;;) {
    await pace.wait(intervalMs);
    if (pace.code !== undefined) return pace.code;
    const now = readCounters(layout, range);
    const tick = tickOf(now, before, sort);
    const columns = process.stdout.isTTY ? process.stdout.getWindowSize()[0] : 0;
    const text = isJson
      ? json(tick)
      : formatTable(tick.groups, { sort, cpu, paint, ...(columns > 0 ? { columns } : {}) }).join("\n");
    try {
      process.stdout.write(`${text}\n`);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EPIPE")) throw error;
      return brokenPipe;
    }
    if (isOnce) return 0;
    before = now;
  }
}

/** The whole terminal, until somebody ends it. */
async function live(settings: Settings, layout: CgroupLayout): Promise<number> {
  let { sort, cpu, intervalMs } = settings;
  let isDue = false;
  using pace = new Pace();
  const sortOf = Object.fromEntries(Object.entries(sortKeys).map(([name, key]) => [key, name as SortKey]));
  using screen = new Screen({
    key(key) {
      if (key === "q") pace.end(0);
      // Raw mode passes these on as they are typed.
      else if (key === "\x03") pace.end(128 + constants.signals.SIGINT);
      else if (key === "\x1c") pace.end(128 + constants.signals.SIGQUIT);
      else if (key === " ") isDue = true;
      else if (key === "%") cpu = cpu === "time" ? "percent" : "time";
      else if (key === "+") intervalMs = Math.min(maxIntervalMs, intervalMs * 2);
      else if (key === "-") intervalMs = Math.max(minIntervalMs, Math.round(intervalMs / 2));
      else sort = sortOf[key] ?? sort;
      pace.wake();
    },
    resize: () => pace.wake(),
  });
  let before: Reading | undefined;
  let now = readCounters(layout, settings.range);
  while (pace.code === undefined) {
    const { groups } = tickOf(now, before, sort);
    screen.draw(formatTable(groups, { sort, cpu, ...screen.size, paint }));
    await pace.wait(Math.max(0, now.atMs + intervalMs - performance.now()));
    // Woken by a key or another size: the same readings, shown anew.
    if (!isDue && performance.now() < now.atMs + intervalMs) continue;
    // Over so short a time a rate says nothing.
    if (isDue && performance.now() < now.atMs + minIntervalMs) continue;
    isDue = false;
    before = now;
    now = readCounters(layout, settings.range);
  }
  return pace.code;
}
