/** What goes wrong half-way: no descriptor, directory or process stays where it should not be. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { Cgroup, type Limits } from "../../src/cgroup/cgroup.ts";
import type { CgroupEvent } from "../../src/cgroup/events.ts";
import { openDirectory } from "../../src/cgroup/directory.ts";
import { killAll } from "../../src/cgroup/ending.ts";
import { Freezer } from "../../src/cgroup/freezing.ts";
import { Place } from "../../src/cgroup/place.ts";
import { watcherClosed } from "../../src/cgroup/watcher.ts";
import { ifThere } from "../../src/proc/read.ts";
import { projectDir } from "../helpers.ts";
import { freshName, isRoot, layout, leftOver, make, noGroups, runIn, startIn, until } from "./groups.ts";

/** A disk whose I/O can be limited: `254:0`. */
const disk = layout.hierarchies.some(({ controllers }) => controllers.some((name) => name === "io" || name === "blkio"))
  ? ["vda", "sda", "nvme0n1"].flatMap(
      (name) => ifThere(() => readFileSync(`/sys/block/${name}/dev`, "utf8").trim()) ?? [],
    )[0]
  : undefined;
const hasV1 = layout.hierarchies.some(({ version, controllers }) => version === 1 && controllers.length > 0);
const onV2 = layout.hierarchies.some(({ version }) => version === 2);

/** Each is tried with 0, 1, 2, ... free descriptors until it succeeds. In `top` is a process, below it are groups a, b and a/c. */
const operations = {
  "open by directory": "Cgroup.open(top.places[0].path, layout).close()",
  "open by path": 'Cgroup.open("/" + top.name, layout).close()',
  of: "Cgroup.of(process.pid, layout).close()",
  parent: "top.parent()?.close()",
  children: "for (const child of top.children()) child.close()",
  walk: "for (const group of top.walk()) group.close()",
  write: 'top.write({ "pids.max": 6, "memory.max": "64M" })',
  add: "top.add(child.pid)",
  leaf: 'top.leaf("new").close()',
  events: "await top.events().return()",
  kill: "top.kill(18)",
  // Last: pids stays enabled on v2, which makes what is below a group with a process invalid for processes.
  create: 'Cgroup.create("new", { "pids.max": 5 }, { parent: top, layout }).close()',
};

const script = `
  import { closeSync, existsSync, openSync, readdirSync, rmdirSync } from "node:fs";
  import { Cgroup } from ${JSON.stringify(join(projectDir, "src/cgroup/cgroup.ts"))};
  import { readCgroupLayout } from ${JSON.stringify(join(projectDir, "src/cgroup/layout.ts"))};
  const [paths, pid] = JSON.parse(process.argv.at(-1));
  const layout = readCgroupLayout();
  const top = Cgroup.open(paths.name, layout);
  const child = { pid };
  const fds = () => readdirSync("/proc/self/fd").length;
  const made = () => paths.all.map((path) => path + "/new").filter((path) => existsSync(path));
  const clean = () => {
    top.add(pid);
    for (const path of made()) rmdirSync(path);
  };
  const tryWith = async (work, free) => {
    const fillers = [];
    if (free !== undefined) try { for (;;) fillers.push(openSync("/dev/null")); } catch {}
    for (const fd of fillers.splice(0, free)) closeSync(fd);
    const code = await work().then(() => "done", (error) => error.code ?? String(error));
    for (const fd of fillers) closeSync(fd);
    return code;
  };
  const operations = { ${Object.entries(operations)
    .map(([name, text]) => `${JSON.stringify(name)}: async () => { ${text} }`)
    .join(",\n")} };
  const findings = {};
  // The hints of errors are loaded with the first error, which takes a descriptor.
  try { Cgroup.open("/bunshare-test-none", layout); } catch {}
  for (const [name, work] of Object.entries(operations)) {
    // What the first call opens stays open: the engine's own.
    const first = await tryWith(work);
    clean();
    await Bun.sleep(20);
    const before = fds();
    const codes = new Set([first]);
    const left = [];
    for (let free = 0; free < 40; free++) {
      const code = await tryWith(work, free);
      codes.add(code);
      if (code !== "done") left.push(...made());
      if (!top.procs().includes(pid) && code !== "done") left.push("the process is elsewhere");
      clean();
      if (code === "done") break;
    }
    await Bun.sleep(20);
    findings[name] = { codes: [...codes].sort(), left, leaked: Math.max(0, fds() - before) };
  }
  console.log(JSON.stringify(findings));
`;

test("kill() refuses the top of a hierarchy, where a process of a hybrid host mostly is", () => {
  // A folder in the place of a hierarchy: nothing is there to be killed, should it try.
  using dir = openDirectory(import.meta.dir);
  const hierarchy = {
    version: 1,
    mountPoint: import.meta.dir,
    mountRoot: "/",
    controllers: ["cpu"],
    ancestors: [],
  } as const;
  const parts = {
    layout: { version: "v1", hierarchies: [hierarchy] } as const,
    places: [new Place(hierarchy, import.meta.dir, dir)],
  };
  expect(() => killAll(parts, new Freezer(parts), 9)).toThrow("the top of a hierarchy cannot be killed");
});

describe.skipIf(noGroups !== undefined)(noGroups === undefined ? "faults" : `faults (skipped: ${noGroups})`, () => {
  afterAll(() => expect(leftOver()).toEqual([]));

  test.skipIf(!isRoot)(
    "what runs out of descriptors fails with EMFILE, and gives back all that it had (needs root)",
    async () => {
      await using top = make({ "pids.max": 50, "memory.max": "max" });
      for (const { path } of top.places) for (const name of ["a", "a/c", "b"]) mkdirSync(`${path}/${name}`);
      const sleeper = await startIn(top, "exec sleep 100");
      const facts = JSON.stringify([{ name: `/${top.name}`, all: Object.values(top.paths) }, sleeper.pid]);
      const command = ["sh", "-c", 'ulimit -n 96; exec "$0" "$@"', process.execPath, "-e", script, facts];
      await using child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
      const [out, error] = await Promise.all([child.stdout.text(), child.stderr.text()]);
      expect(error).toBe("");
      const nothing = { codes: ["EMFILE", "done"], left: [], leaked: 0 };
      expect(JSON.parse(out)).toEqual(Object.fromEntries(Object.keys(operations).map((name) => [name, nothing])));
    },
    30_000,
  );

  test("of a group that somebody else has removed, nothing is below, and its disposal is quiet", async () => {
    await using group = make({}, { controllers: ["pids"] });
    for (const path of Object.values(group.paths)) rmdirSync(path);
    expect([group.children(), [...group.walk()], group.procs()]).toEqual([[], [], []]);
    const above = group.parent();
    expect(above?.places.map(({ path }) => path)).toEqual(group.places.map(({ path }) => path.replace(/\/[^/]+$/, "")));
    above?.close();
  });

  test("remove({ recursive }) of groups with a process below says which, closes what it opened, and works later", async () => {
    await using group = make();
    for (const { path } of group.places) for (const name of ["a", "b"]) mkdirSync(`${path}/${name}`);
    const a = Cgroup.open(`${Object.values(group.paths)[0]}/a`);
    const shell = await startIn(a, "sleep 100");
    a.close();
    await expect(group.remove({ recursive: true, timeoutMs: 20 })).rejects.toThrow(`the processes ${shell.pid}`);
    const open = readdirSync("/proc/self/fd").map((fd) => ifThere(() => readlinkSync(`/proc/self/fd/${fd}`)) ?? "");
    expect(open.filter((path) => path.includes(`/${group.name}/`))).toEqual([]);
    group.kill();
    await group.remove({ recursive: true });
  });

  test.skipIf(!hasV1)(
    "remove() finds its group below a parent that has been renamed meanwhile (needs v1)",
    async () => {
      const v1 = layout.hierarchies.find(({ controllers }) => controllers.includes("pids"))?.mountPoint ?? "";
      const [before, after] = [`${v1}/${freshName()}`, `${v1}/${freshName()}`];
      mkdirSync(`${before}/below`, { recursive: true });
      const group = Cgroup.open(`${before}/below`);
      renameSync(before, after);
      // Of the same name as it had: not ours.
      mkdirSync(`${before}/below`, { recursive: true });
      await group.remove();
      expect([readdirSync(after).includes("below"), readdirSync(before).includes("below")]).toEqual([false, true]);
      for (const path of [`${before}/below`, before, after]) rmdirSync(path);
    },
  );

  test("a scope of freeze() that outlives the group does nothing", async () => {
    const group = make({}, hasV1 && !onV2 ? { controllers: ["freezer"] } : {});
    const scope = group.freeze();
    await group.remove();
    scope[Symbol.dispose]();
    expect(() => group.freeze()).toThrow("is removed");
  });

  test.skipIf(disk === undefined || !isRoot)(
    "write() takes the limit of a device away again when the next is refused",
    async () => {
      await using group = make({}, { controllers: ["io"] });
      const before = group.text("io.max");
      const limits = { [disk ?? ""]: { rbps: 1 << 20 }, "4095:1048575": { rbps: 1 << 20 } };
      expect(() => group.write({ "io.max": limits })).toThrow("4095:1048575");
      expect(group.text("io.max")).toBe(before as string);
    },
  );

  test("write() takes a file that cannot be read among others", async () => {
    await using group = make({ "pids.max": 5, "memory.max": "64M" });
    const writeOnly = group.locate("memory.force_empty") ? { "memory.force_empty": 0 } : { "cgroup.kill": true };
    group.write({ "pids.max": 6, ...writeOnly } as Limits);
    expect(group.read("pids.max")).toBe(6);
  });

  test("events() of a group tell of its last kill, though it is removed at once", async () => {
    const group = make({ "memory.max": "24M", "pids.max": 3 });
    const seen: CgroupEvent[] = [];
    const told = (async () => {
      for await (const event of group.events()) seen.push(event);
    })();
    await runIn(group, "for i in 1 2 3 4 5; do sleep 0.01 & done; wait");
    await until(() => group.procs().length === 0);
    const max = group.read("pids.events")?.max;
    expect(max).toBeGreaterThan(0);
    await group.remove();
    await told;
    await watcherClosed();
    const last = seen.filter(({ file }) => file === "pids.events").at(-1);
    expect(last).toMatchObject({ gone: true, counters: { max: max as number } });
  });
});
