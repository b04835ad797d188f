import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CgroupEvent, type EventGroup, events } from "../../src/cgroup/events.ts";
import { lastReading } from "../../src/cgroup/observers.ts";
import { readCgroupLayout } from "../../src/cgroup/layout.ts";
import { watcherClosed } from "../../src/cgroup/watcher.ts";
import { AT_FDCWD, O } from "../../src/sys/flags.ts";
import { sys } from "../../src/sys/vocabulary.ts";
import { isRoot, projectDir } from "../helpers.ts";

const layout = readCgroupLayout();
const v2 = layout.hierarchies.find(({ version }) => version === 2);
const hierarchyOf = (controller: string) => layout.hierarchies.find((one) => one.controllers.includes(controller));
const memory = hierarchyOf("memory");
const pids = hierarchyOf("pids");
// The groups are made at the top of each mount, which takes root.
const canMake = isRoot && v2 !== undefined && memory !== undefined && pids !== undefined;
const isV1 = memory?.version === 1;
const kernelTest = test.skipIf(!canMake);
const onV1 = test.skipIf(!canMake || !isV1);
const onV2 = test.skipIf(!canMake || isV1);
const hasPressure = canMake && existsSync("/proc/pressure/cpu");
const withPressure = test.skipIf(!hasPressure);

let made = 0;

interface TestGroup extends EventGroup, Disposable {
  dir(controller?: "memory" | "pids"): string;
  remove(): void;
  /** Runs a shell command inside; its exit code. */
  run(command: string): Promise<number>;
}

/** A group in the hierarchies of memory and pids and in v2: one directory, or up to three. */
function makeGroup(): TestGroup {
  const name = `bunshare-test-events-${process.pid}-${++made}`;
  if (!isV1 && v2) writeFileSync(join(v2.mountPoint, "cgroup.subtree_control"), "+memory +pids");
  using owned = new DisposableStack();
  const places = [...new Set([v2, memory, pids])].flatMap((one) => {
    if (one === undefined) return [];
    const path = join(one.mountPoint, name);
    mkdirSync(path);
    owned.defer(() => existsSync(path) && rmdirSync(path));
    const fd = owned.use(sys.openat(AT_FDCWD, path, O.PATH | O.DIRECTORY | O.CLOEXEC));
    return { version: one.version, path, fd };
  });
  const all = owned.move();
  return {
    places,
    dir: (controller) => join((controller ? { memory, pids }[controller] : v2)?.mountPoint ?? "", name),
    remove: () => places.forEach(({ path }) => rmdirSync(path)),
    async run(command) {
      const enter = places.map(({ path }) => `echo 0 > ${path}/cgroup.procs`).join(" && ");
      const child = Bun.spawn(["sh", "-c", `${enter} && { ${command}; }`], { stdout: "ignore", stderr: "ignore" });
      return await child.exited;
    },
    [Symbol.dispose]: () => all.dispose(),
  };
}

/** Takes events until one is found; the test's timeout is the limit. */
async function until(
  all: AsyncIterator<CgroupEvent, undefined>,
  is: (event: CgroupEvent) => boolean,
): Promise<CgroupEvent> {
  for (;;) {
    const { value } = await all.next();
    if (value === undefined) throw new Error("the events have ended");
    if (is(value)) return value;
  }
}

const ofFile = (file: string) => (event: CgroupEvent) => event.file === file;
const openFiles = () => readdirSync("/proc/self/fd").length;
const sleepMs = (ms: number) => Bun.sleep(ms);
// v1 has no word for it since Linux 6.11: cgroup.events of the v2 directory says that somebody came or went.
const pidsFiles = isV1 ? ["pids.events", "cgroup.events"] : ["pids.events"];
const failToFork = "(true) ; (true)";

kernelTest("pids.events tells of a fork that was refused, and by how much its counter has changed", async () => {
  using group = makeGroup();
  await using all = events(group, { files: pidsFiles });
  writeFileSync(join(group.dir("pids"), "pids.max"), "1");
  await group.run(failToFork);
  const event = await until(all, ofFile("pids.events"));
  expect(event.counters.max).toBeGreaterThanOrEqual(1);
  expect(event.deltas).toEqual({ max: event.counters.max ?? 0 });
  const before = event.counters.max ?? 0;
  await group.run(failToFork);
  const next = await until(all, ofFile("pids.events"));
  expect(next.deltas.max).toBe((next.counters.max ?? 0) - before);
  expect(next.deltas.max).toBeGreaterThanOrEqual(1);
  expect(next.gone).toBe(false);
});

kernelTest("cgroup.events tells when a group is populated, frozen, thawed and empty", async () => {
  using group = makeGroup();
  await using all = events(group, { files: ["cgroup.events"] });
  const told = async () => (await until(all, ofFile("cgroup.events"))).deltas;
  const child = Bun.spawn(["sleep", "60"]);
  try {
    let change = told();
    writeFileSync(join(group.dir(), "cgroup.procs"), `${child.pid}`);
    expect(await change).toEqual({ populated: 1 });
    change = told();
    writeFileSync(join(group.dir(), "cgroup.freeze"), "1");
    expect(await change).toEqual({ frozen: 1 });
    change = told();
    writeFileSync(join(group.dir(), "cgroup.freeze"), "0");
    expect(await change).toEqual({ frozen: -1 });
    change = told();
    child.kill("SIGKILL");
    expect(await change).toEqual({ populated: -1 });
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
});

const eatMemory = "head -c 200m /dev/zero | tail";

onV2("memory.events and memory.events.local tell of a kill for want of memory (needs v2)", async () => {
  using group = makeGroup();
  await using all = events(group);
  writeFileSync(join(group.dir("memory"), "memory.max"), "20M");
  writeFileSync(join(group.dir("memory"), "memory.swap.max"), "0");
  const hasLocal = existsSync(join(group.dir("memory"), "memory.events.local"));
  const told = new Map<string, CgroupEvent>();
  const both = (async () => {
    for await (const event of all) {
      if ((event.deltas.oom_kill ?? 0) > 0) told.set(event.file, event);
      if (told.size === (hasLocal ? 2 : 1)) return;
    }
  })();
  await group.run(eatMemory);
  await both;
  for (const { counters, deltas } of told.values()) expect([counters.oom_kill, deltas.oom_kill]).toEqual([1, 1]);
  expect(told.get("memory.events")?.counters.max).toBeGreaterThan(0);
});

onV1("memory.oom_control tells of a kill for want of memory, and memory.events stands for it", async () => {
  using group = makeGroup();
  await using all = events(group, { files: ["memory.events"] });
  writeFileSync(join(group.dir("memory"), "memory.limit_in_bytes"), "20M");
  const [event] = await Promise.all([
    until(all, ({ file, counters }) => file === "memory.oom_control" && (counters.oom_kill ?? 0) > 0),
    group.run(eatMemory),
  ]);
  expect(event.counters.oom_kill).toBe(1);
  const text = readFileSync(join(group.dir("memory"), "memory.oom_control"), "utf8");
  expect(text).toContain("oom_kill 1");
});

onV1("a threshold of memory.usage_in_bytes is told when usage goes through it", async () => {
  using group = makeGroup();
  await using all = events(group, { files: [], triggers: { "memory.usage_in_bytes": "30000000" } });
  const [event] = await Promise.all([all.next(), group.run("head -c 60m /dev/zero | tail")]);
  const { file, trigger, counters } = event.value ?? {};
  expect(file).toBe("memory.usage_in_bytes");
  expect(trigger).toBe("30000000");
  expect(counters?.["memory.usage_in_bytes"]).toBeGreaterThan(1_000_000);
});

onV1("memory.pressure_level is told when memory is reclaimed", async () => {
  using group = makeGroup();
  writeFileSync(join(group.dir("memory"), "memory.limit_in_bytes"), "20M");
  await using all = events(group, { files: [], triggers: { "memory.pressure_level": "low" } });
  const file = `/var/tmp/bunshare-test-events-${process.pid}`;
  try {
    const [event] = await Promise.all([all.next(), group.run(`head -c 100m /dev/zero > ${file}; cat ${file}`)]);
    expect(event.value).toEqual({
      file: "memory.pressure_level",
      trigger: "low",
      counters: {},
      deltas: {},
      gone: false,
    });
  } finally {
    await Bun.file(file).delete();
  }
});

withPressure("a trigger of cpu.pressure fires when tasks wait for a CPU", async () => {
  using group = makeGroup();
  // A window of 2 s needs no rights.
  const trigger = "some 5000 2000000";
  await using all = events(group, { files: [], triggers: { "cpu.pressure": trigger } });
  // With a limit of CPU time, should this test not come to their end.
  const spin = "while :; do :; done &";
  const busy = group.run(`ulimit -t 10; ${spin} ${spin} ${spin} ${spin} wait`);
  const result = await Promise.race([all.next(), sleepMs(10_000)]);
  writeFileSync(join(group.dir(), "cgroup.kill"), "1");
  await busy;
  const value = result?.value;
  expect([value?.file, value?.trigger]).toEqual(["cpu.pressure", trigger]);
  expect(value?.deltas["some total"]).toBeGreaterThanOrEqual(5000);
  expect(Object.keys(value?.counters ?? {})).toContain("some avg10");
});

withPressure("a trigger that the kernel refuses is an error, and leaves no descriptor open", async () => {
  using group = makeGroup();
  await watcherClosed();
  const before = openFiles();
  const tryIt = (triggers: Record<string, string>) => () => events(group, { triggers });
  expect(tryIt({ "cpu.pressure": "all 1 2" })).toThrow("EINVAL");
  expect(tryIt({ "none.pressure": "some 150000 1000000" })).toThrow("ENOENT");
  expect(tryIt({ "cpu.pressure": "" })).toThrow('triggers["cpu.pressure"]: expected text such as');
  expect(tryIt({ "cpu.pressure": 5 as never })).toThrow("expected text such as");
  expect(() => events(group, { files: ["memory.max"] })).toThrow("expected a file that tells of its changes");
  await watcherClosed();
  expect(openFiles()).toBe(before);
});

kernelTest("what happens while nobody waits is added up to one event", async () => {
  using group = makeGroup();
  await using all = events(group, { files: pidsFiles });
  writeFileSync(join(group.dir("pids"), "pids.max"), "1");
  for (let i = 0; i < 3; i++) await group.run(failToFork);
  // Notifications come at most every 10 ms.
  await sleepMs(50);
  const { value } = await all.next();
  // Populated and empty again is no change.
  expect(value?.file).toBe("pids.events");
  expect(value?.deltas.max).toBeGreaterThanOrEqual(3);
  const none = await Promise.race([all.next(), sleepMs(100)]);
  expect(none).toBeUndefined();
});

kernelTest("the events end with a last reading of each file when the group is removed", async () => {
  using group = makeGroup();
  const all = events(group, { files: ["pids.events", "cgroup.events"] });
  writeFileSync(join(group.dir("pids"), "pids.max"), "1");
  await group.run(failToFork);
  const { counters } = await until(all, ofFile("pids.events"));
  const last = (async () => {
    const found: CgroupEvent[] = [];
    for await (const event of all) if (event.gone) found.push(event);
    return found;
  })();
  await sleepMs(20);
  group.remove();
  const found = await last;
  expect(found.map(({ file }) => file).toSorted()).toEqual(["cgroup.events", "pids.events"]);
  expect(found.find(ofFile("pids.events"))?.counters).toEqual(counters);
  expect(found.find(ofFile("cgroup.events"))?.counters.populated).toBe(0);
  expect(await all.next()).toEqual({ done: true, value: undefined });
});

kernelTest("lastReading() catches what happened right before the removal", async () => {
  using group = makeGroup();
  await using all = events(group, { files: ["pids.events"] });
  writeFileSync(join(group.dir("pids"), "pids.max"), "1");
  const { exitCode } = Bun.spawnSync(["sh", "-c", `echo 0 > ${group.dir("pids")}/cgroup.procs; (true)`]);
  expect(exitCode).not.toBe(0);
  lastReading(group.places.map(({ path }) => path));
  group.remove();
  const { value } = await all.next();
  expect(value?.counters.max).toBeGreaterThanOrEqual(1);
  const gone = value?.gone ? value : await until(all, (event) => event.gone);
  expect(gone.counters.max).toBe(value?.counters.max ?? 0);
});

kernelTest("a group that was removed before ends at once", async () => {
  using group = makeGroup();
  const all = events(group, { files: ["pids.events"] });
  group.remove();
  const told = [];
  for await (const { gone } of all) told.push(gone);
  expect(told).toEqual([true]);
});

kernelTest("an AbortSignal ends the events, and return() ends a next() that waits", async () => {
  using group = makeGroup();
  const abort = new AbortController();
  const all = events(group, { signal: abort.signal });
  const next = all.next();
  abort.abort();
  expect(await next).toEqual({ done: true, value: undefined });
  const other = events(group);
  const waits = other.next();
  await other.return();
  expect(await waits).toEqual({ done: true, value: undefined });
  expect(await events(group, { signal: AbortSignal.abort() }).next()).toEqual({ done: true, value: undefined });
});

kernelTest("fifty groups share one watcher, which costs four descriptors, and all are closed at the end", async () => {
  using owned = new DisposableStack();
  const groups = Array.from({ length: 50 }, () => owned.use(makeGroup()));
  await watcherClosed();
  const before = openFiles();
  const threads = readdirSync("/proc/self/task").length;
  const all = groups.map((group) => events(group, { files: ["cgroup.events"] }));
  const waiting = all.map((one) => one.next());
  await sleepMs(20);
  const kinds = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  expect(openFiles() - before).toBeLessThanOrEqual(50 + 4);
  expect(kinds.filter((kind) => kind === "anon_inode:inotify").length).toBe(1);
  expect(readdirSync("/proc/self/task").length).toBeLessThanOrEqual(threads + 1);
  const child = Bun.spawn(["sleep", "60"]);
  writeFileSync(join(groups[37]?.dir() ?? "", "cgroup.procs"), `${child.pid}`);
  expect((await waiting[37])?.value?.deltas).toEqual({ populated: 1 });
  child.kill();
  await child.exited;
  await Promise.all(all.map((one) => one.return()));
  await sleepMs(50);
  expect((await Promise.all(waiting)).filter(({ done }) => done).length).toBe(49);
  expect(openFiles()).toBe(before);
});

kernelTest("a hundred iterators one after the other leave no descriptor", async () => {
  using group = makeGroup();
  const once = async () => {
    await using all = events(group);
    void all.next();
    await sleepMs(0);
  };
  await once();
  const before = openFiles();
  for (let i = 0; i < 100; i++) await once();
  expect(openFiles()).toBe(before);
});

const program = (body: string, path: string) => `
  import { events } from ${JSON.stringify(join(projectDir, "src/cgroup/events.ts"))};
  import { sys } from ${JSON.stringify(join(projectDir, "src/sys/vocabulary.ts"))};
  const path = ${JSON.stringify(path)};
  const group = { places: [{ version: 2, path, fd: sys.openat(-100, path, ${O.PATH | O.CLOEXEC}) }] };
  const all = events(group, { files: ["cgroup.events"] });
  ${body}
`;
const runProgram = (body: string, path: string) =>
  Bun.spawn([process.execPath, "-e", program(body, path)], { stdout: "pipe", stderr: "inherit", cwd: projectDir });

kernelTest("a process ends when nobody waits for an event, and not while somebody does", async () => {
  using group = makeGroup();
  await using idle = runProgram("globalThis.all = all;", group.dir());
  expect(await idle.exited).toBe(0);
  await using returned = runProgram(
    "void all.next().then(() => console.log('ended')); setTimeout(() => all.return(), 50);",
    group.dir(),
  );
  expect(await returned.exited).toBe(0);
  expect(await returned.stdout.text()).toBe("ended\n");
  await using waits = runProgram(
    "void all.next().then(({ value }) => console.log(value.deltas.frozen)); setTimeout(() => console.log('waits'), 1);",
    group.dir(),
  );
  const reader = waits.stdout.getReader();
  expect(new TextDecoder().decode((await reader.read()).value)).toBe("waits\n");
  await sleepMs(400);
  expect(waits.exitCode).toBeNull();
  writeFileSync(join(group.dir(), "cgroup.freeze"), "1");
  expect(await waits.exited).toBe(0);
  expect(new TextDecoder().decode((await reader.read()).value)).toBe("1\n");
});

kernelTest("waiting takes no CPU: the thread sleeps until the kernel wakes it", async () => {
  using group = makeGroup();
  const switches = `Number(/^voluntary_ctxt_switches:\\s*(\\d+)/m.exec(require("fs").readFileSync("/proc/self/status", "utf8"))[1])`;
  const body = `void all.next();
    setTimeout(() => { const before = ${switches};
      setTimeout(() => { console.log(${switches} - before); all.return(); }, 1000); }, 300);`;
  await using child = runProgram(body, group.dir());
  expect(await child.exited).toBe(0);
  expect(Number(await child.stdout.text())).toBeLessThan(20);
});

kernelTest("a Worker has a watcher of its own, and ends while it waits", async () => {
  using group = makeGroup();
  const file = `/var/tmp/bunshare-test-events-worker-${process.pid}.ts`;
  await Bun.write(
    file,
    program(
      `void (async () => { postMessage("ready"); for await (const e of all) postMessage(e.deltas); })();`,
      group.dir(),
    ),
  );
  await using _ = { [Symbol.asyncDispose]: () => Bun.file(file).delete() };
  for (const state of ["1", "0"]) {
    const worker = new Worker(file);
    const message = () =>
      new Promise((resolve) => worker.addEventListener("message", ({ data }) => resolve(data), { once: true }));
    expect(await message()).toBe("ready");
    const next = message();
    writeFileSync(join(group.dir(), "cgroup.freeze"), state);
    expect(await next).toEqual({ frozen: state === "1" ? 1 : -1 });
    const ended = new Promise((resolve) => worker.addEventListener("close", resolve));
    await worker.terminate();
    await ended;
  }
});

kernelTest("the last event of a group that never changed has its counters", async () => {
  using group = makeGroup();
  await using all = events(group, { files: ["cgroup.events"] });
  group.remove();
  const { value } = await all.next();
  expect(value).toEqual({ file: "cgroup.events", counters: { populated: 0, frozen: 0 }, deltas: {}, gone: true });
});
