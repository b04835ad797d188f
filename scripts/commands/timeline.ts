/** A timeline as a table. */
import { errnoName } from "../../src/sys/errno.ts";
import type { TimelineEntry } from "../../src/spawn/mod.ts";

/** A line a step: number, when it began, how long it took, section, label, and what the kernel answered where it refused. */
export function timelineTable(entries: readonly TimelineEntry[]): string {
  const lines = entries.map(({ step, startUs, durationUs, section, label, result }) => [
    String(step),
    duration(startUs),
    durationUs === undefined ? "" : duration(durationUs),
    section,
    `${label}${result < 0 ? `  # ${errnoName(-result) ?? result}` : ""}`,
  ]);
  return table([["step", "at", "took", "section", "what"], ...lines], [0, 1, 2]);
}

/** Columns side by side; those in `right` are numbers. */
export function table(lines: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths = (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  const cell = (text: string, i: number): string =>
    right.includes(i) ? text.padStart(widths[i] ?? 0) : text.padEnd(widths[i] ?? 0);
  return lines.map((line) => `${line.map(cell).join("  ").trimEnd()}\n`).join("");
}

/** `12.3 us`, `1.23 ms`, `12.3 ms`, `1.23 s`. */
export function duration(us: number): string {
  if (!Number.isFinite(us)) return "?";
  if (us < 1000) return `${us.toFixed(1)} us`;
  if (us < 1e6) return `${(us / 1000).toFixed(us < 1e4 ? 2 : 1)} ms`;
  return `${(us / 1e6).toFixed(2)} s`;
}
