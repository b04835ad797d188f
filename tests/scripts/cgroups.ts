/** Groups that tests make by hand, as the text does it: mkdir and echo. Removed at the end of the file that asked for them. */
import { afterAll, setDefaultTimeout } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { hierarchyOf, readCgroupLayout } from "../../src/cgroup/layout.ts";

export const layout = readCgroupLayout();
export const isV2 = layout.version === "v2";

/** Mount point of the hierarchy that has a controller. */
export const mountOf = (controller: string): string => hierarchyOf(layout, controller)?.mountPoint ?? "";

/** Directory of a controller's group. */
export const directory = (controller: string, path: string): string => `${mountOf(controller)}${path}`;

/** A file of a group, as cat(1) shows it. */
export const cat = (controller: string, path: string, file: string): string =>
  readFileSync(`${directory(controller, path)}/${file}`, "utf8");

/** Names of groups of these tests. */
export const prefix = "bunshare-test-";

const made: string[] = [];

/** To be called by each file: this module is shared, and what it would ask for itself only the first one would get. */
export function setUpFile(): void {
  // Under emulation, a command takes seconds to start.
  setDefaultTimeout(process.env.BUNSHARE_VM ? 240_000 : 60_000);
  afterAll(() => made.splice(0).forEach(removeAll));
}

/** To be removed, wherever it is, with all that is below. */
export function later(path: string): string {
  made.push(path);
  return path;
}

/** In every hierarchy: kills what is in it, and removes it from its leaves. */
function removeAll(path: string): void {
  for (const { mountPoint } of layout.hierarchies) removeTree(`${mountPoint}${path}`);
}

function removeTree(at: string): void {
  let entries: string[];
  try {
    entries = readdirSync(at, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return;
  }
  for (const name of entries) removeTree(`${at}/${name}`);
  const deadline = performance.now() + 5000;
  for (;;) {
    try {
      for (const file of ["freezer.state", "cgroup.freeze"])
        try {
          writeFileSync(`${at}/${file}`, file === "freezer.state" ? "THAWED" : "0", { flag: "r+" });
        } catch {}
      for (const pid of pidsIn(at)) process.kill(pid, "SIGKILL");
      rmdirSync(at);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      Bun.sleepSync(5);
    }
  }
}

const pidsIn = (at: string): number[] =>
  readFileSync(`${at}/cgroup.procs`, "utf8").split("\n").filter(Boolean).map(Number);

/** mkdir in the hierarchies of these controllers, and in v2. @returns its path, as in /proc/PID/cgroup */
export function mkdirGroup(name: string, controllers: readonly string[]): string {
  const path = later(`/${prefix}${name}`);
  const places = new Set([
    ...controllers.map(mountOf),
    ...layout.hierarchies.filter((h) => h.version === 2).map((h) => h.mountPoint),
  ]);
  for (const mountPoint of places) if (mountPoint !== "") mkdirSync(`${mountPoint}${path}`);
  return path;
}

/** echo PID > cgroup.procs, in every hierarchy that has the group. */
export function enter(path: string, pid: number): void {
  for (const { mountPoint } of layout.hierarchies)
    try {
      writeFileSync(`${mountPoint}${path}/cgroup.procs`, String(pid), { flag: "r+" });
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
}
