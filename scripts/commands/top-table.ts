/** The table of `top`: from two readings to lines of text. Pure. */
import { printable } from "./print.ts";
import type { Counters, Reading } from "./top-counters.ts";

/** One group: what it uses. What is not known, or not yet, is absent. */
export interface Row {
  readonly group: string;
  readonly tasks?: number;
  /** 100 is one CPU. */
  readonly cpuPercent?: number;
  /** Since the group was made, microseconds. */
  readonly cpuUsec?: number;
  readonly memoryBytes?: number;
  readonly inputBytesPerSecond?: number;
  readonly outputBytesPerSecond?: number;
}

/** What rows can be sorted by, and the key on the keyboard for it: those of systemd-cgtop. */
export const sortKeys = { path: "p", tasks: "t", cpu: "c", memory: "m", io: "i" } as const;
export type SortKey = keyof typeof sortKeys;

/** Rows of the later reading. Rates take an earlier one; a group that is new has none yet. */
export function rowsOf(now: Reading, before?: Reading): Row[] {
  const seconds = before === undefined ? 0 : (now.atMs - before.atMs) / 1000;
  return [...now.groups].map(([group, counters]) => {
    const earlier = before?.groups.get(group);
    const rate = (name: "cpuUsec" | "inputBytes" | "outputBytes"): number | undefined => {
      const [to, from] = [counters[name], earlier?.[name]];
      // A counter that went back belongs to another group of the same name.
      return to === undefined || from === undefined || to < from || seconds <= 0 ? undefined : (to - from) / seconds;
    };
    return compact({
      group,
      tasks: counters.tasks,
      cpuPercent: percent(rate("cpuUsec")),
      cpuUsec: counters.cpuUsec,
      memoryBytes: counters.memoryBytes,
      inputBytesPerSecond: rounded(rate("inputBytes")),
      outputBytesPerSecond: rounded(rate("outputBytes")),
    });
  });
}

const percent = (usecPerSecond: number | undefined): number | undefined =>
  usecPerSecond === undefined ? undefined : Math.round(usecPerSecond / 1000) / 10;
const rounded = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : Math.round(value);

function compact(row: { [name in keyof Row]: Row[name] | undefined }): Row {
  return Object.fromEntries(Object.entries(row).filter(([, value]) => value !== undefined)) as unknown as Row;
}

/** Most first, unknown last, and equals by path. Groups of which nothing is known are left out, as systemd-cgtop does. */
export function sorted(rows: readonly Row[], key: SortKey): Row[] {
  const value = (row: Row): number => {
    if (key === "path") return 0;
    if (key === "io") return (row.inputBytesPerSecond ?? -1) + (row.outputBytesPerSecond ?? -1);
    return (
      (key === "cpu"
        ? (row.cpuPercent ?? (row.cpuUsec === undefined ? undefined : 0))
        : key === "tasks"
          ? row.tasks
          : row.memoryBytes) ?? -1
    );
  };
  return rows
    .filter((row) => Object.keys(row).length > 1)
    .toSorted((a, b) => value(b) - value(a) || (a.group < b.group ? -1 : a.group > b.group ? 1 : 0));
}

/** How the table looks. */
export interface Look {
  readonly sort: SortKey;
  /** CPU as time since the group was made, or as percent of one CPU. */
  readonly cpu: "percent" | "time";
  /** Cells of the terminal: lines are cut to it. Default: as long as they are. */
  readonly columns?: number;
  /** Lines of the terminal, the head included. */
  readonly lines?: number;
  readonly paint?: (style: "bold" | "inverse" | "dim", text: string) => string;
}

const columns: readonly {
  readonly title: (look: Look) => string;
  readonly sort: SortKey;
  readonly width: number;
  readonly text: (row: Row, look: Look) => string;
}[] = [
  { title: () => "Tasks", sort: "tasks", width: 7, text: ({ tasks }) => shown(tasks, String) },
  {
    title: ({ cpu }) => (cpu === "time" ? "CPU Time" : "%CPU"),
    sort: "cpu",
    width: 9,
    text: ({ cpuPercent, cpuUsec }, { cpu }) =>
      cpu === "time" ? shown(cpuUsec, formatUsec) : shown(cpuPercent, (value) => value.toFixed(1)),
  },
  { title: () => "Memory", sort: "memory", width: 8, text: ({ memoryBytes }) => shown(memoryBytes, formatBytes) },
  {
    title: () => "Input/s",
    sort: "io",
    width: 8,
    text: ({ inputBytesPerSecond }) => shown(inputBytesPerSecond, formatBytes),
  },
  {
    title: () => "Output/s",
    sort: "io",
    width: 8,
    text: ({ outputBytesPerSecond }) => shown(outputBytesPerSecond, formatBytes),
  },
];

const shown = (value: number | undefined, format: (value: number) => string): string =>
  value === undefined ? "-" : format(value);

/** Rows in the order given, below a head in which what they are sorted by stands out. Lines, without newlines. */
export function formatTable(rows: readonly Row[], look: Look): string[] {
  const { paint = (_, text) => text, sort } = look;
  const shownRows = rows.slice(0, look.lines === undefined ? rows.length : Math.max(0, look.lines - 1));
  const names = shownRows.map(({ group }) => printable(group));
  const numbers = columns.reduce((total, { width }) => total + 1 + width, 0);
  const title = "Control Group";
  const widest = Math.max(title.length, ...names.map((name) => Bun.stringWidth(name)));
  // A name is worth more than the last columns of a terminal that is too small for both.
  const nameWidth =
    look.columns === undefined ? widest : Math.max(title.length, Math.min(look.columns - numbers, look.columns));
  const head = [
    paint(sort === "path" ? "inverse" : "bold", title.padEnd(nameWidth)),
    ...columns.map((column) =>
      paint(sort === column.sort ? "inverse" : "bold", column.title(look).padStart(column.width)),
    ),
  ];
  const cut = (cells: readonly string[], plain: readonly string[]): string => {
    if (look.columns === undefined) return cells.join(" ");
    let room = look.columns;
    const fitting = plain.findIndex((text, i) => (room -= Bun.stringWidth(text) + (i > 0 ? 1 : 0)) < 0);
    return cells.slice(0, fitting < 0 ? cells.length : fitting).join(" ");
  };
  const plainHead = [title.padEnd(nameWidth), ...columns.map(({ width }) => " ".repeat(width))];
  const body = shownRows.map((row, i) => {
    const cells = [
      fit(names[i] ?? "", nameWidth),
      ...columns.map((column) => column.text(row, look).padStart(column.width)),
    ];
    return cut(cells, cells);
  });
  return [cut(head, plainHead), ...body];
}

/** Text of exactly so many cells: filled up, or cut in its middle, for the end of a path says most. */
export function fit(text: string, width: number): string {
  const excess = Bun.stringWidth(text) - width;
  if (excess <= 0) return text + " ".repeat(-excess);
  const characters = [...text];
  const start = characters.splice(0, Math.floor((width - 1) / 3));
  const room = width - 1 - Bun.stringWidth(start.join(""));
  while (Bun.stringWidth(characters.join("")) > room) characters.shift();
  const end = characters.join("");
  return `${start.join("")}…${end}${" ".repeat(room - Bun.stringWidth(end))}`;
}

/** `512B`, `1.0K`, `296.3M`: binary units, as systemd-cgtop. */
export function formatBytes(bytes: number): string {
  const units = ["B", "K", "M", "G", "T", "P", "E"];
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  // 1023.97K would be shown as 1024.0K.
  if (unit > 0 && value >= 1023.95 && unit < units.length - 1) [value, unit] = [1, unit + 1];
  return unit === 0 ? `${Math.round(value)}B` : `${value.toFixed(1)}${units[unit]}`;
}

/** `12.3ms`, `4.56s`, `3min 20s`, `2h 5min`. */
export function formatUsec(usec: number): string {
  if (usec < 1e6) return `${(usec / 1000).toFixed(1)}ms`;
  const seconds = usec / 1e6;
  if (seconds < 60) return `${seconds.toFixed(2)}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes}min ${Math.floor(seconds % 60)}s`
    : `${Math.floor(minutes / 60)}h ${minutes % 60}min`;
}

/** One tick as data. */
export interface Tick {
  /** When it was read: ISO 8601. */
  readonly time: string;
  /** What rates are over; absent: there are none yet. */
  readonly intervalMs?: number;
  readonly groups: readonly Row[];
}
export type { Counters };
