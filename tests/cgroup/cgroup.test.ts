import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { Cgroup } from "../../src/cgroup/cgroup.ts";
import { cgroup as groupsOf } from "../../src/proc/cgroup.ts";
import { OptionsError } from "../../src/sys/options-error.ts";
import { SyscallError } from "../../src/sys/error.ts";
import { sys } from "../../src/sys/vocabulary.ts";
import { testAs, user } from "../helpers.ts";
import { freshName, isRoot, layout, leftOver, make, noGroups, runIn, startIn, ticks, until } from "./groups.ts";

const isV2 = layout.version === "v2";
const onV2 = layout.hierarchies.find(({ version }) => version === 2);
const hasV1 = layout.hierarchies.some(({ version, controllers }) => version === 1 && controllers.length > 0);

/** What may be saved up is at most the quota: refused by the kernel alone, and as the last of these. */
const tooMuchBurst = { "cpu.max": 20_000, "cpu.max.burst": 90_000 } as const;

/** Fails with an error of that class; returns it. */
function failing<T extends Error>(kind: abstract new (...args: never[]) => T, work: () => unknown): T {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(kind);
    return error as T;
  }
  throw new Error("it did not fail");
}

const badNames = ["", ".", "..", "a/b", "/", "a\nb", "a\0b", "cgroup.procs", "x".repeat(256), "ü".repeat(128), 5, null];
for (const name of badNames) {
  test(`create() refuses the name ${JSON.stringify(name).slice(0, 30)}`, () => {
    expect(() => Cgroup.create(name as string)).toThrow(OptionsError);
  });
}

for (const path of ["a", "/../x", "/a/../b", "", "/a\0", 5]) {
  test(`open() refuses the path ${JSON.stringify(path)}`, () => {
    expect(() => Cgroup.open(path as string)).toThrow(OptionsError);
  });
}

test("open() of what is not there is ENOENT with the path", () => {
  const error = failing(SyscallError, () => Cgroup.open("/bunshare-test-none"));
  expect(error.code).toBe("ENOENT");
  expect(error.path).toEndWith("/bunshare-test-none");
});

test("of() is the groups of /proc/self/cgroup, and of a process that is gone ESRCH", () => {
  const own = Cgroup.of();
  const entries = groupsOf();
  for (const { mountPoint, version, path } of own.places) {
    const hierarchy = layout.hierarchies.find((each) => each.mountPoint === mountPoint);
    const entry = entries.find((each) =>
      version === 2 ? each.hierarchyId === 0 : each.controllers.join() === hierarchy?.controllers.join(),
    );
    expect(path).toBe((mountPoint + entry?.path).replace(/\/$/, ""));
    expect(readFileSync(`${path}/cgroup.procs`, "utf8")).toContain(`${process.pid}\n`);
  }
  expect(own.procs()).toContain(process.pid);
  own.close();
  expect(failing(SyscallError, () => Cgroup.of(4_194_304)).code).toBe("ESRCH");
});

test("an opened group that is closed throws when it is used", () => {
  const own = Cgroup.of();
  own.close();
  own.close();
  expect(() => own.procs()).toThrow("is closed");
});

describe.skipIf(noGroups !== undefined)(noGroups === undefined ? "groups" : `groups (skipped: ${noGroups})`, () => {
  afterAll(() => expect(leftOver()).toEqual([]));

  test("what create() makes is a directory in each hierarchy that its limits need, and the v2 one", async () => {
    await using group = make({ "memory.max": "64M", "pids.max": 20 });
    const paths = Object.values(group.paths);
    expect(paths.every((path) => existsSync(path))).toBe(true);
    expect(paths.length).toBe(isV2 ? 1 : Number(onV2 !== undefined) + 2);
    expect(group.version).toBe(isV2 ? 2 : onV2 ? "hybrid" : 1);
    expect(group.name).toMatch(/^bunshare-test-/);
  });

  test("values read as they were set, and as cat shows them", async () => {
    await using group = make({ "memory.max": "64M", "pids.max": 20, "cpu.max": { quota: 20_000 }, "cpu.weight": 25 });
    expect(group.read("memory.max")).toBe(67108864);
    expect(group.read("pids.max")).toBe(20);
    expect(group.read("cpu.max")).toEqual({ quota: 20_000, period: 100_000 });
    expect(group.read("cpu.weight")).toBe(25);
    const cat = (controller: string, file: string) =>
      readFileSync(`/proc/self/fd/${group.dir(controller).number}/${file}`, "utf8").trim();
    const v1 = group.places.some(({ version, controllers }) => version === 1 && controllers.includes("memory"));
    expect(cat("memory", v1 ? "memory.limit_in_bytes" : "memory.max")).toBe("67108864");
    expect(cat("cpu", v1 ? "cpu.shares" : "cpu.weight")).toBe(v1 ? "256" : "25");
    expect(cat("pids", "pids.max")).toBe("20");
  });

  test.skipIf(!existsSync("/usr/bin/cgget") || !isRoot)(
    "values read as cgget shows them (needs cgroup-tools)",
    async () => {
      await using group = make({ "pids.max": 33, "cpuset.cpus": 0, "memory.max": "32M" });
      const cgget = (file: string) => Bun.spawnSync(["cgget", "-nvr", file, group.name]).stdout.toString().trim();
      expect(cgget("pids.max")).toBe("33");
      expect(String(group.read("cpuset.cpus"))).toBe(cgget("cpuset.cpus"));
      expect(String(group.read(hasV1 ? "memory.limit_in_bytes" : "memory.max"))).toBe(
        cgget(hasV1 ? "memory.limit_in_bytes" : "memory.max"),
      );
    },
  );

  test("what is done by hand in the file system is what it reads", async () => {
    await using group = make({}, { controllers: ["pids"] });
    const dir = Object.entries(group.paths).find(([mount]) => isV2 || mount.endsWith("pids"))?.[1] as string;
    writeFileSync(`${dir}/pids.max`, "7");
    expect(group.read("pids.max")).toBe(7);
    group.write({ "pids.max": "max" });
    expect(readFileSync(`${dir}/pids.max`, "utf8")).toBe("max\n");
    mkdirSync(`${dir}/by-hand`);
    const children = group.children();
    expect(children.map(({ name }) => name)).toEqual(["by-hand"]);
    for (const child of children) child.close();
    await using sleeper = Bun.spawn(["sleep", "100"]);
    writeFileSync(`${dir}/by-hand/cgroup.procs`, String(sleeper.pid));
    using opened = {
      group: Cgroup.open(`${dir}/by-hand`),
      [Symbol.dispose]() {
        this.group.close();
      },
    };
    expect(opened.group.procs()).toEqual([sleeper.pid]);
    sleeper.kill("SIGKILL");
    await sleeper.exited;
  });

  test("a file that this layout or kernel lacks reads as undefined, one that no kernel has is refused", async () => {
    await using group = make({}, { controllers: ["memory"] });
    const memoryOnV1 = group.places.some(({ version, controllers }) => version === 1 && controllers.includes("memory"));
    if (memoryOnV1) expect(group.read("memory.high")).toBeUndefined();
    else expect(group.read("memory.limit_in_bytes")).toBeUndefined();
    expect(() => group.read("memory.nonsense" as "memory.max")).toThrow("no such file; there are memory.");
    expect(() => group.text("../cgroup.procs")).toThrow(OptionsError);
    expect(() => group.write({ "memory.nonsense": 1 } as object)).toThrow(OptionsError);
    expect(() => group.openFile("a/b")).toThrow(OptionsError);
  });

  test("a limit that this layout lacks is refused by name, before anything is made", () => {
    const limits = isV2 ? { "memory.limit_in_bytes": 1 } : hasV1 ? { "memory.high": 1 } : {};
    const error = failing(OptionsError, () => make({ ...limits, "pids.max": 5 }));
    expect(error.message).toContain(Object.keys(limits)[0] as string);
    expect(leftOver()).toEqual([]);
  });

  test("create() with a value that the kernel refuses leaves nothing, and the error has file and value", () => {
    const error = failing(SyscallError, () => make({ "pids.max": 5, ...tooMuchBurst }));
    expect(error.path).toMatch(/\/(cpu.max.burst|cpu.cfs_burst_us)$/);
    expect(error.message).toContain(': write "90000": EINVAL');
    expect(leftOver()).toEqual([]);
  });

  test("create() twice is EEXIST with the path, and the first one stays", async () => {
    const name = freshName();
    await using first = Cgroup.create(name);
    const error = failing(SyscallError, () => Cgroup.create(name));
    expect(error.code).toBe("EEXIST");
    expect(error.path).toEndWith(name);
    expect(first.procs()).toEqual([]);
  });

  test("write() of several files puts back what was written when one is refused", async () => {
    await using group = make({ "pids.max": 5, "cpu.max": 50_000 });
    const error = failing(SyscallError, () => group.write({ "pids.max": 9, ...tooMuchBurst }));
    expect(error.code).toBe("EINVAL");
    expect(group.read("pids.max")).toBe(5);
    expect(group.read("cpu.max")).toEqual({ quota: 50_000, period: 100_000 });
  });

  test("write() raises and lowers memory and swap together, whichever order the kernel needs", async () => {
    await using group = make({ "memory.max": "16M" });
    if (group.read("memory.swap.max") === undefined) return;
    for (const size of ["64M", "8M", "max", "32M"]) {
      group.write({ "memory.max": size, "memory.swap.max": size });
      expect(group.read("memory.max")).toBe(size === "max" ? size : Number.parseInt(size, 10) << 20);
      expect(group.read("memory.swap.max")).toBe(size === "max" ? size : Number.parseInt(size, 10) << 20);
    }
  });

  test("children are made, listed, walked and removed; they inherit the hierarchies", async () => {
    await using top = make({}, { controllers: ["pids"] });
    await using a = Cgroup.create("a", {}, { parent: top });
    const b = Cgroup.create("b", {}, { parent: a });
    expect(Object.keys(b.paths)).toEqual(Object.keys(top.paths));
    expect([...top.walk()].map((group) => (group.close(), group.name))).toEqual(["a", "b"]);
    const parent = b.parent();
    expect(parent?.paths).toEqual(a.paths);
    parent?.close();
    await expect(a.remove({ timeoutMs: 50 })).rejects.toThrow("In it are the groups b");
    await b.remove();
    expect(() => b.procs()).toThrow("is removed");
    expect(Object.values(b.paths).some((path) => existsSync(path))).toBe(false);
  });

  test("a process is in each hierarchy once, and its own /proc/PID/cgroup says so", async () => {
    await using one = make({}, { controllers: ["pids"] });
    await using two = make({}, { controllers: ["pids"] });
    await using sleeper = Bun.spawn(["sleep", "100"]);
    one.add(sleeper.pid);
    two.add(sleeper);
    expect([one.procs(), two.procs()]).toEqual([[], [sleeper.pid]]);
    const own = Cgroup.of(sleeper.pid);
    expect(own.paths).toMatchObject(two.paths);
    own.close();
    sleeper.kill("SIGKILL");
    await sleeper.exited;
  });

  test.skipIf(!hasV1)("v1: one process is in different groups of different hierarchies (needs v1)", async () => {
    const [first, second] = layout.hierarchies.filter(
      ({ version, controllers }) => version === 1 && controllers.length > 0,
    );
    const names = [freshName(), freshName()];
    const paths = [first, second].map((hierarchy, i) => `${hierarchy?.mountPoint}/${names[i]}`);
    for (const path of paths) mkdirSync(path);
    await using sleeper = Bun.spawn(["sleep", "100"]);
    try {
      const groups = paths.map((path) => Cgroup.open(path));
      if (first?.controllers.includes("cpuset") || second?.controllers.includes("cpuset")) return;
      for (const group of groups) group.add(sleeper.pid);
      const own = Cgroup.of(sleeper.pid);
      expect(Object.values(own.paths)).toEqual(expect.arrayContaining(paths));
      for (const group of [...groups, own]) group.close();
    } finally {
      sleeper.kill("SIGKILL");
      await sleeper.exited;
      for (const path of paths) await until(() => (rmdirQuietly(path), !existsSync(path)));
    }
  });

  test("a pidfd is a process too; of one that has ended it is ESRCH", async () => {
    await using group = make();
    await using sleeper = Bun.spawn(["sleep", "100"]);
    using pidfd = sys.pidfdOpen(sleeper.pid);
    group.add(pidfd);
    expect(group.procs()).toEqual([sleeper.pid]);
    sleeper.kill("SIGKILL");
    await sleeper.exited;
    expect(failing(SyscallError, () => group.add(pidfd)).code).toBe("ESRCH");
    expect(failing(SyscallError, () => group.add(sleeper.pid)).code).toBe("ESRCH");
    for (const wrong of [0, -1, 1.5, "1", undefined, {}, group.dir()])
      expect(() => group.add(wrong as number)).toThrow(OptionsError);
  });

  test("cgroup.procs has a process once, cgroup.threads each of its threads; a thread moves alone", async () => {
    await using group = make();
    const script = 'new Worker("data:text/javascript,setInterval(() => {}, 1000)"); setInterval(() => {}, 1000)';
    await using child = Bun.spawn([process.execPath, "-e", script]);
    const threads = (): number[] =>
      readdirSync(`/proc/${child.pid}/task`)
        .map(Number)
        .sort((a, b) => a - b);
    expect(await until(() => threads().length > 1)).toBe(true);
    group.add(child.pid);
    expect(group.procs()).toEqual([child.pid]);
    // Threads come and go while it starts.
    expect(await until(() => group.threads().join() === threads().join())).toBe(true);
    // v2 moves a thread only within a threaded subtree; v1 anywhere.
    const thread = threads().at(-1) as number;
    if (onV2) {
      const inner = Cgroup.create("threaded", {}, { parent: group });
      inner.write({ "cgroup.type": "threaded" });
      inner.add(thread, { thread: true });
      expect(inner.threads()).toEqual([thread]);
      expect(group.threads()).not.toContain(thread);
      group.add(thread, { thread: true });
      inner.close();
    }
    child.kill("SIGKILL");
    await child.exited;
  });

  test("freeze() stops what runs, and the end of the scope lets it go on; twice is once", async () => {
    await using group = make({}, hasV1 ? { controllers: ["freezer"] } : {});
    const busy = await startIn(group, "while :; do :; done");
    await until(() => ticks(busy.pid) > 0);
    {
      using _outer = group.freeze();
      using inner = group.freeze();
      expect(group.isFrozen()).toBe(true);
      expect(group.read("cgroup.freeze")).toBe(true);
      const before = ticks(busy.pid);
      await Bun.sleep(100);
      expect(ticks(busy.pid)).toBe(before);
      inner[Symbol.dispose]();
      inner[Symbol.dispose]();
      expect(group.read("cgroup.freeze")).toBe(true);
    }
    expect(group.read("cgroup.freeze")).toBe(false);
    const before = ticks(busy.pid);
    expect(await until(() => ticks(busy.pid) > before)).toBe(true);
    expect(group.isFrozen()).toBe(false);
  });

  test("kill() ends a whole tree of groups, frozen or not; another signal reaches it too", async () => {
    await using group = make();
    await using below = Cgroup.create("below", {}, { parent: group });
    const shells = [await startIn(group, "sleep 100"), await startIn(below, "sleep 100 & sleep 100 & wait")];
    using _frozen = group.freeze();
    group.kill();
    for (const shell of shells) expect((await shell.exited, shell.signalCode)).toBe("SIGKILL");
    expect(await until(() => group.procs().length + below.procs().length === 0)).toBe(true);
    _frozen[Symbol.dispose]();
    const polite = await startIn(group, 'trap "echo term; exit 3" TERM; echo up; while :; do sleep 0.01; done');
    const reader = polite.stdout.getReader();
    await reader.read();
    group.kill(15);
    expect(await polite.exited).toBe(3);
    expect(() => group.kill(0)).toThrow(OptionsError);
    expect(() => group.kill(65)).toThrow(OptionsError);
  });

  test.skipIf(!hasV1)(
    "kill() without a freezer and without cgroup.kill reaches all of a v1 group (needs v1)",
    async () => {
      await using group = make({}, { controllers: ["pids"] });
      const v1 = group.places.find(({ version }) => version === 1);
      const opened = Cgroup.open(v1?.path as string);
      const shell = await startIn(opened, "sleep 100 & sleep 100 & sleep 100 & wait");
      await until(() => opened.procs().length === 4);
      expect(opened.version).toBe(1);
      opened.kill();
      await shell.exited;
      expect(await until(() => opened.procs().length === 0)).toBe(true);
      opened.close();
    },
  );

  test("disposal kills and removes what was created, groups below too, and puts this process back", async () => {
    const before = groupsOf();
    let shell: Awaited<ReturnType<typeof startIn>>;
    let paths: string[];
    {
      await using group = make({}, { controllers: ["pids"] });
      Cgroup.create("below", {}, { parent: group }).close();
      shell = await startIn(group, "sleep 100");
      group.add(process.pid);
      expect(group.procs()).toContain(process.pid);
      expect(() => group.freeze()).toThrow(OptionsError);
      paths = Object.values(group.paths);
    }
    expect((await shell.exited, shell.signalCode)).toBe("SIGKILL");
    expect(paths.filter((path) => existsSync(path))).toEqual([]);
    expect(groupsOf()).toEqual(before);
  });

  test("disposal leaves this process alone when it has moved on meanwhile", async () => {
    const first = make({ "pids.max": 100 });
    const second = make({ "pids.max": 100 });
    first.add(process.pid);
    second.add(process.pid);
    await first[Symbol.asyncDispose]();
    expect(second.procs()).toContain(process.pid);
    // It came from the first, which is gone: back to where it was before is all that is left.
    for (const { mountPoint } of second.places) {
      const from = layout.hierarchies.find((each) => each.mountPoint === mountPoint)?.ownPath;
      writeFileSync(`${from}/cgroup.procs`, String(process.pid));
    }
    await second[Symbol.asyncDispose]();
  });

  test("a signal leaves a frozen group frozen", async () => {
    await using group = make({ "pids.max": 100 }, { controllers: ["freezer"] });
    await startIn(group, "sleep 60");
    group.write({ "cgroup.freeze": true });
    expect(await until(() => group.isFrozen())).toBe(true);
    group.kill(28);
    expect(group.isFrozen()).toBe(true);
  });

  test("a group that somebody else has removed is as good as removed, and one made anew is left alone", async () => {
    const group = make();
    for (const path of Object.values(group.paths)) {
      rmdirSync(path);
      mkdirSync(path);
    }
    const paths = Object.values(group.paths);
    await group.remove();
    expect(paths.every((path) => existsSync(path))).toBe(true);
    for (const path of paths) rmdirSync(path);
  });

  test("remove() waits, and then says which processes are in the group", async () => {
    await using group = make();
    const shell = await startIn(group, "sleep 100");
    const error = await group.remove({ timeoutMs: 60 }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SyscallError);
    expect((error as SyscallError).code).toBe("EBUSY");
    expect((error as SyscallError).hint).toContain(`the processes ${shell.pid}`);
    setTimeout(() => group.kill(), 50);
    await group.remove();
  });

  test("readAll() has what can be read, of a controller or of all", async () => {
    await using group = make({ "memory.max": "64M", "pids.max": 20 });
    const memory = group.readAll("memory");
    expect(Object.keys(memory).every((file) => file.startsWith("memory."))).toBe(true);
    expect(memory["memory.max"]).toBe(67108864);
    expect(group.readAll()).toMatchObject({ "memory.max": 67108864, "pids.max": 20, "cgroup.procs": [] });
  });

  test("memory over memory.max is killed and counted", async () => {
    await using group = make({ "memory.max": "24M", ...noSwap() });
    const { signalCode, exitCode } = await runIn(group, "head -c 200m /dev/zero | tail > /dev/null");
    expect(group.read("memory.events")?.oom_kill).toBeGreaterThan(0);
    expect(signalCode !== null || exitCode !== 0).toBe(true);
  });

  test.skipIf(!isV2)(
    "v2: enable() names the ancestor that blocks and why; leaf() clears the way (needs v2)",
    async () => {
      await using group = make({}, { controllers: ["memory", "pids"] });
      const shell = await startIn(group, "sleep 100");
      const error = failing(SyscallError, () => group.enable("memory"));
      expect(error.path).toBe(`${Object.values(group.paths)[0]}/cgroup.subtree_control`);
      expect(error.hint).toContain("holds processes itself");
      const leaf = group.leaf();
      expect([group.procs(), leaf.procs().includes(shell.pid)]).toEqual([[], true]);
      group.enable("memory", "pids");
      expect(group.read("cgroup.subtree_control")).toEqual(expect.arrayContaining(["memory", "pids"]));
      expect(failing(SyscallError, () => group.enable("nonsense")).hint).toContain(
        "has no nonsense in its cgroup.controllers",
      );
      leaf.close();
    },
  );

  test.skipIf(!isRoot)(
    "delegate() gives the directory and the files to move processes with to a user (needs root)",
    async () => {
      await using group = make({ "pids.max": 50 });
      const { delegated, notDelegated } = group.delegate(1234, 4321, ["pids", "net_cls"]);
      expect(delegated).toEqual(["pids"]);
      expect(notDelegated.map(({ controller }) => controller)).toEqual(["net_cls"]);
      expect(notDelegated[0]?.why).toContain("net_cls");
      for (const { path, version } of group.places) {
        for (const file of [".", "cgroup.procs", version === 2 ? "cgroup.subtree_control" : "tasks"]) {
          const { uid, gid } = statSync(`${path}/${file}`);
          expect([file, uid, gid]).toEqual([file, 1234, 4321]);
        }
      }
      const pids = (): number => statSync(`/proc/self/fd/${group.dir("pids").number}/pids.max`).uid;
      expect(pids()).toBe(0);
      group.delegate(1234, 4321, ["pids"], { tunables: true });
      expect(pids()).toBe(1234);
      for (const wrong of [-1, 1.5, NaN, 2 ** 32 - 1]) expect(() => group.delegate(wrong)).toThrow(OptionsError);
    },
  );
});

const asMod = (script: string): string[] => [
  process.execPath,
  "-e",
  `const { Cgroup, SyscallError, OptionsError } = await import("./mod.ts");
   try { ${script}; console.log("done"); } catch (error) { console.log(error.constructor.name, error.code ?? "", error.path ?? "", error.message); }`,
];

if (isRoot) {
  testAs(user, "create() without the right to is refused with the reason, and nothing is made", async () => {
    const child = Bun.spawn(asMod(`await using group = Cgroup.create("bunshare-test-user", { "pids.max": 5 })`), {
      uid: 65534,
      gid: 65534,
      stdout: "pipe",
    });
    expect(await child.stdout.text()).toMatch(
      /^(OptionsError|SyscallError) .*(may be written|may not be written|EACCES)/,
    );
    expect(leftOver()).toEqual([]);
  });

  testAs(user, "what a user may not write is EACCES with the path, and what was delegated can be used", async () => {
    await using group = make({ "pids.max": 50 });
    const path = group.places.find(({ controllers }) => controllers.includes("pids"))?.path ?? "";
    const run = async (script: string): Promise<string> => {
      const child = Bun.spawn(asMod(script), { uid: 65534, gid: 65534, stdout: "pipe" });
      return child.stdout.text();
    };
    const open = `const group = Cgroup.open(${JSON.stringify(path)});`;
    expect(await run(`${open} group.write({ "pids.max": 7 })`)).toContain(`SyscallError EACCES ${path}/pids.max`);
    expect(await run(`${open} group.add(process.pid)`)).toContain(`SyscallError EACCES ${path}/cgroup.procs`);
    expect(await run(`${open} Cgroup.create("own", {}, { parent: group })`)).toContain(
      `SyscallError EACCES ${path}/own`,
    );
    expect(await run(`${open} group.delegate(65534)`)).toMatch(/SyscallError EPERM/);
    group.delegate(65534);
    // The limit of the group itself stays root's: only groups below are the user's to limit.
    expect(await run(`${open} group.write({ "pids.max": 7 })`)).toContain(`SyscallError EACCES`);
    const below = `${open} group.enable("pids"); await using own = Cgroup.create("own", { "pids.max": 3 }, { parent: group }); if (own.read("pids.max") !== 3) throw new Error("not set")`;
    expect(await run(below)).toBe("done\n");
  });
}

function noSwap() {
  return existsSync("/sys/fs/cgroup/cgroup.controllers") && readFileSync("/proc/swaps", "utf8").includes("\n/")
    ? ({ "memory.swap.max": 0 } as const)
    : {};
}

function rmdirQuietly(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // Tried again until it is gone.
  }
}
