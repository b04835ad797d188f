import { describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { launch, type SpawnOptions, spawnIsolated, SyscallError } from "../../mod.ts";
import type { Plan } from "../../src/spawn/plan-data.ts";
import { plan } from "../../src/spawn/plan.ts";
import * as call from "../../src/sys/calls.ts";
import { O } from "../../src/sys/flags.ts";
import { step } from "../../src/sys/step.ts";
import {
  adoptOrphans,
  againAsUser,
  belongings,
  groupsOf,
  isRoot,
  livingDescendants,
  expectUnchanged,
  makeRoot,
  projectDir,
  rootTest,
  scratchDir,
  until,
  who,
  zombies,
} from "./kernel.ts";

adoptOrphans();
const dir = scratchDir();
const root = makeRoot(join(dir, "root"), ["true", "sleep", "sh"]);
const limits = isRoot ? { cgroup: { "pids.max": 64, "memory.max": "200M" } } : {};
const env = { PATH: "/bin:/usr/bin" };

describe(`as ${who}`, () => {
  describe("kill -9 of the process that launched", () => {
    /** Launches boxes one after the other, for ever. */
    const launcher = `
      import { launch } from ${JSON.stringify(join(projectDir, "mod.ts"))};
      const plan = await Bun.file(process.argv.at(-1)).json();
      process.stdout.write("ready");
      for (;;) {
        const box = await launch(plan, { stdout: "ignore" });
        await Bun.sleep(15 * Math.random());
        box.kill("SIGKILL");
        await box.exited;
      }`;

    /** Kills it some time after it is ready, and returns the plan. */
    async function killAfter(ms: number): Promise<Plan> {
      const boxPlan = plan(["/bin/sleep", "60"], { root, env, ...limits });
      const file = join(dir, `${crypto.randomUUID()}.json`);
      writeFileSync(file, JSON.stringify(boxPlan));
      const child = Bun.spawn([process.execPath, "-e", launcher, file], {
        stdin: "ignore",
        stdout: "pipe",
        stderr: "inherit",
      });
      await child.stdout.getReader().read();
      const end = performance.now() + ms;
      // A timer is too coarse.
      while (performance.now() < end) await new Promise(setImmediate);
      child.kill("SIGKILL");
      await child.exited;
      return boxPlan;
    }

    const moments = {
      "while it launches and ends boxes": () => 100 * Math.random(),
      "in the first 15 ms of a launch": (part: number) => 15 * part,
    };
    for (const [when, moment] of Object.entries(moments)) {
      // Each takes the start of a Bun.
      const count = isRoot ? 50 : 12;
      test(`${when}, ${count} times, leaves nothing for 2 s`, async () => {
        const before = belongings();
        const runs = Array.from({ length: count }, (_, i) => i);
        // Two at a time, as there are processors.
        await Promise.all(
          [0, 1].map(async (half) => {
            for (const i of runs.filter((one) => one % 2 === half)) {
              const boxPlan = await killAfter(moment(i / count));
              expect(await until(() => groupsOf(boxPlan).length === 0, 2000), `groups of run ${i}`).toBe(true);
            }
          }),
        );
        await until(() => livingDescendants().length === 0, 2000);
        await expectUnchanged(before);
      }, 60_000);
    }
  });

  test("a Worker that ends takes its boxes down in order", async () => {
    const boxPlan = plan(["/bin/sleep", "60"], { root, env, ...limits });
    const code = `
      import { launch } from ${JSON.stringify(join(projectDir, "mod.ts"))};
      self.onmessage = async ({ data }) => {
        const boxes = await Promise.all([1, 2, 3].map(() => launch(JSON.parse(data), { stdout: "ignore" })));
        postMessage(boxes.map(({ pid }) => pid));
      };`;
    const worker = new Worker(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    const pids = await new Promise<number[]>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data as number[]);
      worker.onerror = (event) => reject(new Error(event.message));
      worker.postMessage(JSON.stringify(boxPlan));
    });
    expect(pids).toHaveLength(3);
    for (const pid of pids) expect(livingDescendants().map((one) => one.pid)).toContain(pid);
    expect(groupsOf(boxPlan).length > 0).toBe(isRoot);
    worker.terminate();
    // While a thread's children become those of another thread, for a moment nobody has them: the boxes themselves must be gone.
    const areGone = () => pids.every((pid) => !existsSync(`/proc/${pid}`));
    await until(() => areGone() && livingDescendants().length === 0 && groupsOf(boxPlan).length === 0, 2000);
    expect(livingDescendants()).toEqual([]);
    expect(groupsOf(boxPlan)).toEqual([]);
  });

  test("a plan launched 8 times at once makes 8 boxes", async () => {
    const boxPlan = plan(["/bin/sh", "-c", "read line; echo $line $$"], { root, env, ...limits });
    const before = belongings(boxPlan);
    const boxes = await Promise.all(Array.from({ length: 8 }, () => launch(boxPlan, { stdin: "pipe" })));
    expect(new Set(boxes.map(({ pid }) => pid)).size).toBe(8);
    expect(groupsOf(boxPlan)).toHaveLength(8 * (boxPlan.cgroup?.directories.length ?? 0));
    const said = await Promise.all(
      boxes.map(async (box, i) => {
        box.stdin?.write(`box ${i}\n`);
        await box.stdin?.end();
        const text = await box.stdout.text();
        expect(await box.exited).toBe(0);
        return text;
      }),
    );
    expect(said).toEqual(Array.from({ length: 8 }, (_, i) => `box ${i} 1\n`));
    await expectUnchanged(before, boxPlan);
  });

  const many = isRoot ? 1000 : 200;
  test(`${many} launches of a plan in sequence leave descriptors, processes, mounts and groups as they were`, async () => {
    const boxPlan = plan(["/bin/true"], { root, env, ...limits });
    const before = belongings(boxPlan);
    const zombiesBefore = zombies();
    for (let i = 0; i < many; i++) {
      await using box = await launch(boxPlan);
      expect(await box.exited).toBe(0);
    }
    await expectUnchanged(before, boxPlan);
    expect(zombies()).toBe(zombiesBefore);
  }, 60_000);

  test("await using ends the program and undoes everything", async () => {
    const boxPlan = plan(["/bin/sleep", "60"], { root, env, ...limits });
    const before = belongings(boxPlan);
    let monitor = 0;
    {
      await using box = await launch(boxPlan);
      monitor = box.monitorPid;
      expect(livingDescendants().map(({ pid }) => pid)).toContain(box.pid);
    }
    expect(monitor).toBeGreaterThan(0);
    await expectUnchanged(before, boxPlan);
  });

  const shell = (script: string): string[] => ["/bin/sh", "-c", script];
  const ends: [
    fact: string,
    command: string[],
    options: SpawnOptions,
    signal: NodeJS.Signals | undefined,
    code: number | null,
    by: NodeJS.Signals | null,
  ][] = [
    ["kill() ends a PID 1 without a handler", ["/bin/sleep", "60"], {}, "SIGTERM", null, "SIGTERM"],
    ["SIGINT ends a PID 1 without a handler", ["/bin/sleep", "60"], {}, "SIGINT", null, "SIGINT"],
    [
      "a PID 1 with a handler handles",
      shell("trap 'exit 7' TERM; echo up; while :; do sleep 0.02; done"),
      {},
      "SIGTERM",
      7,
      null,
    ],
    ["a PID 1 that ignores a signal lives on", shell("trap '' HUP; echo up; sleep 0.2; exit 4"), {}, "SIGHUP", 4, null],
    ["a harmless signal does not end a PID 1", shell("echo up; sleep 0.2; exit 4"), {}, "SIGWINCH", 4, null],
    ["SIGKILL ends a box", ["/bin/sleep", "60"], {}, "SIGKILL", null, "SIGKILL"],
    [
      "an init passes signals on",
      shell("trap 'exit 7' TERM; echo up; while :; do sleep 0.02; done"),
      { init: true },
      "SIGTERM",
      7,
      null,
    ],
    ["an init ends as its program", ["/bin/sleep", "60"], { init: true }, "SIGTERM", null, "SIGTERM"],
    ["an exit code passes through", shell("exit 126"), {}, undefined, 126, null],
    ["an exit code passes through an init", shell("exit 125"), { init: true }, undefined, 125, null],
    [
      "a program that kills itself",
      shell("ulimit -c 0; kill -SEGV $$; sleep 1"),
      { init: true },
      undefined,
      null,
      "SIGSEGV",
    ],
    [
      "without namespaces, a signal reaches the program",
      ["/bin/sleep", "60"],
      { unshare: "none" },
      "SIGTERM",
      null,
      "SIGTERM",
    ],
    ["timeout sends SIGTERM", ["/bin/sleep", "60"], { timeout: 50 }, undefined, null, "SIGTERM"],
    [
      "timeout sends killSignal",
      ["/bin/sleep", "60"],
      { timeout: 50, killSignal: "SIGKILL" },
      undefined,
      null,
      "SIGKILL",
    ],
    [
      "timeout sends killSignal to what would not hear another",
      shell("trap '' TERM; sleep 60; sleep 60"),
      { timeout: 50, killSignal: "SIGKILL" },
      undefined,
      null,
      "SIGKILL",
    ],
  ];
  for (const [fact, command, options, signal, code, by] of ends) {
    test(`${fact}`, async () => {
      const where = options.unshare === "none" ? {} : { root };
      const boxPlan = plan(command, { env, ...where, ...limits, ...options });
      const before = belongings(boxPlan);
      const box = await launch(boxPlan);
      // The shell says when its handlers are there.
      const reader = box.stdout.getReader();
      if (command.at(-1)?.includes("echo up")) await reader.read();
      const started = performance.now();
      if (signal !== undefined) box.kill(signal);
      const status = await box.status();
      expect({ code: status.exitCode, by: status.signalCode }).toEqual({ code, by });
      expect(performance.now() - started).toBeLessThan(2000);
      expect(status.leftBehind).toBeUndefined();
      await reader.cancel();
      await expectUnchanged(before, boxPlan);
    });
  }

  test("an init reaps orphans", async () => {
    // Each orphan's own entry in /proc is gone once it has been reaped.
    const script =
      "for i in 1 2 3 4 5; do (sh -c true &); done; sleep 0.2; cat /proc/[0-9]*/status | grep -c 'State:.Z'";
    const box = await spawnIsolated(["sh", "-c", script], { init: true });
    expect(await box.stdout.text()).toBe("0\n");
  });

  test("without a pid namespace, nothing outlives the program", async () => {
    const script = "(setsid sleep 61 &); (setsid sh -c 'trap \"\" TERM HUP; sleep 61' &); exit 3";
    const before = belongings();
    for (const unshare of ["none", ["user"], ["user", "mnt", "net"]] as const) {
      const box = await spawnIsolated(["sh", "-c", script], { unshare, stdout: "ignore", ...limits });
      expect(await box.exited).toBe(3);
      expect(livingDescendants()).toEqual([]);
    }
    await expectUnchanged(before);
  });

  describe("an AbortSignal", () => {
    test("that has aborted before makes nothing", async () => {
      const reason = new Error("not now");
      const before = belongings();
      expect(launch(plan(["/bin/true"], { root, env }), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
      await expectUnchanged(before);
    });
    test("that aborts during the set-up rejects with its reason, and nothing is left", async () => {
      const boxPlan = plan(["/bin/sleep", "60"], { env, ...limits });
      const before = belongings(boxPlan);
      const seen = { rejected: 0, ended: 0 };
      for (let i = 0; i < 40; i++) {
        const abort = new AbortController();
        const reason = new Error(`run ${i}`);
        setTimeout(() => abort.abort(reason), i / 2);
        try {
          const box = await launch(boxPlan, { signal: abort.signal, stdout: "ignore" });
          await box.exited;
          expect(box.signalCode).toBe("SIGTERM");
          seen.ended += 1;
        } catch (error) {
          expect(error).toBe(reason);
          seen.rejected += 1;
        }
        expect(livingDescendants()).toEqual([]);
      }
      expect(seen.rejected).toBeGreaterThan(0);
      await expectUnchanged(before, boxPlan);
    }, 30_000);
    test("that aborts later sends killSignal", async () => {
      const abort = new AbortController();
      const boxPlan = plan(["/bin/sleep", "60"], { root, env, killSignal: "SIGKILL", ...limits });
      const box = await launch(boxPlan, { signal: abort.signal, stdout: "ignore" });
      abort.abort();
      await box.exited;
      expect(box.signalCode).toBe("SIGKILL");
      expect(groupsOf(boxPlan)).toEqual([]);
    });
  });

  for (const section of ["host", "box"] as const) {
    test(`a step of the ${section} that hangs is ended by the deadline`, async () => {
      const fifo = join(dir, `fifo-${section}`);
      Bun.spawnSync(["mkfifo", fifo]);
      // A monitor that hangs cannot undo: only one that has made nothing yet leaves nothing.
      const whole = plan(["/bin/true"], { deadlineMs: 300, ...(section === "box" ? limits : {}) });
      const steps = [...(whole.sections[section] ?? [])];
      const at = section === "host" ? steps.findIndex(({ label }) => label.startsWith("clone the box")) : 10;
      const hang = step("open a FIFO", call.openat(call.AT_FDCWD, fifo, O.RDONLY));
      const boxPlan = { ...whole, sections: { ...whole.sections, [section]: steps.toSpliced(at, 0, hang) } };
      const before = belongings(boxPlan);
      const started = performance.now();
      const error = await launch(boxPlan, { stdout: "ignore" }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(SyscallError);
      expect(error).toMatchObject({ code: "ETIMEDOUT", step: { label: "open a FIFO", section } });
      expect(performance.now() - started).toBeLessThan(5000);
      await expectUnchanged(before, boxPlan);
    });
  }

  rootTest("a fork bomb under pids.max is gone within a second of kill()", async () => {
    const boxPlan = plan(["sh", "-c", "f() { f | f & }; f; sleep 60"], { cgroup: { "pids.max": 64 } });
    const box = await launch(boxPlan, { stdout: "ignore", stderr: "ignore" });
    await Bun.sleep(500);
    const started = performance.now();
    await using other = await spawnIsolated(["/bin/true"], { root, env });
    expect(await other.exited).toBe(0);
    box.kill("SIGKILL");
    const { cgroup, leftBehind } = await box.status();
    expect(performance.now() - started).toBeLessThan(1000);
    expect(Number(cgroup?.["pids.events"]?.max)).toBeGreaterThan(0);
    expect(leftBehind).toBeUndefined();
    expect(livingDescendants()).toEqual([]);
    expect(groupsOf(boxPlan)).toEqual([]);
  });

  rootTest("memory.max so small that the set-up dies is an error that says so, and nothing is left", async () => {
    const seen: string[] = [];
    for (const max of ["0", "4K", "64K", "256K", "512K", "1M", "2M"]) {
      const boxPlan = plan(["/bin/true"], { cgroup: { "memory.max": max } });
      const before = belongings(boxPlan);
      const end = await launch(boxPlan, { stdout: "ignore" }).then(
        async (box) => ((await box.status()).oomKilled ? "killed" : "ran"),
        (error: SyscallError) => `${error.code} ${error.hint?.includes("memory.max") === true}`,
      );
      seen.push(`${max} ${end}`);
      await expectUnchanged(before, boxPlan);
    }
    expect(seen[0]).toBe("0 ENOMEM true");
    expect(seen.at(-1)).toBe("2M ran");
  });
});

againAsUser(import.meta.path);
