import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type IsolatedProcess, launch, type SpawnOptions } from "../../mod.ts";
import type { Plan } from "../../src/spawn/plan-data.ts";
import { plan } from "../../src/spawn/plan.ts";
import { groupsOf, makeRoot, readIfThere, scratchDir } from "./kernel.ts";

const root = makeRoot(join(scratchDir(), "root"), ["sh", "cat", "head", "tail", "sleep", "true", "grep"]);
const env = { PATH: "/bin" };

/** Whether this user may make groups: root may, others in what was delegated to them. */
const refusal = ((): string => {
  try {
    plan(["true"], { cgroup: { "memory.max": "max", "pids.max": "max", "cpu.weight": 100 } });
    return "";
  } catch (error) {
    return ` (skipped: ${(error as Error).message})`;
  }
})();
const limitTest = (fact: string, body: () => Promise<unknown>): void =>
  test.skipIf(refusal !== "")(fact + refusal, body);

function planOf(script: string, cgroup: SpawnOptions["cgroup"], options: SpawnOptions = {}): Plan {
  return plan(["sh", "-c", script], { root, env, cgroup, ...options });
}

/** The text of a file in the box's groups: the first of these names that one of them has. */
function inGroups(boxPlan: Plan, box: IsolatedProcess, files: readonly string[]): string | undefined {
  const directories = (boxPlan.cgroup?.directories ?? []).map((path) =>
    path.replace("{monitor}", String(box.monitorPid).padStart(10, "0")),
  );
  for (const directory of directories)
    for (const file of files) {
      const text = readIfThere(join(directory, file));
      if (text !== undefined) return text.trim();
    }
  return undefined;
}

describe("limits", () => {
  const values: [limits: SpawnOptions["cgroup"], files: string[], text: string][] = [
    [{ "memory.max": "100M" }, ["memory.max", "memory.limit_in_bytes"], "104857600"],
    [{ "memory.max": 50_000_000 }, ["memory.max", "memory.limit_in_bytes"], "49999872"],
    [{ "pids.max": 42 }, ["pids.max"], "42"],
    [{ "pids.max": "max" }, ["pids.max"], "max"],
    [{ "cpu.max": { quota: 50_000 } }, ["cpu.max", "cpu.cfs_quota_us"], "50000"],
    [{ "cpu.max": { quota: 20_000, period: 40_000 } }, ["cpu.max", "cpu.cfs_period_us"], "40000"],
    [{ "cpu.weight": 100 }, ["cpu.weight", "cpu.shares"], "100"],
  ];
  for (const [limits, files, text] of values)
    limitTest(
      `${JSON.stringify(limits)} is in ${files.join(" or ")} while the box runs, and its group gone afterwards`,
      async () => {
        const boxPlan = planOf("echo up; sleep 60", limits);
        {
          await using box = await launch(boxPlan);
          const seen = inGroups(boxPlan, box, files);
          // v2 has quota and period in one file, and shares of 1024 are the weight of 100.
          expect(seen?.split(" ").concat(seen === "1024" ? "100" : [])).toContain(text);
          expect(groupsOf(boxPlan)).toHaveLength(boxPlan.cgroup?.directories.length ?? -1);
        }
        expect(groupsOf(boxPlan)).toEqual([]);
      },
    );

  limitTest("the program is in its groups before its first instruction, and the monitor is not", async () => {
    const boxPlan = planOf("cat /proc/self/cgroup; sleep 60", { "memory.max": "100M", "pids.max": 42 });
    await using box = await launch(boxPlan);
    const of = (pid: number): string => readFileSync(`/proc/${pid}/cgroup`, "utf8");
    for (const directory of boxPlan.cgroup?.directories ?? []) {
      const name = basename(directory).replace("{monitor}", String(box.monitorPid).padStart(10, "0"));
      expect(of(box.pid)).toContain(`/${name}\n`);
      expect(of(box.monitorPid)).not.toContain(name);
      expect(dirname(directory)).not.toBe("/");
    }
  });

  for (const [name, options] of Object.entries({ "": {}, " with an init": { init: true } }))
    limitTest(`memory.max ends a box${name}, and the status says so`, async () => {
      const boxPlan = planOf("head -c 200M /dev/zero | tail", { "memory.max": "50M" }, options);
      await using box = await launch(boxPlan, { stdout: "ignore", stderr: "ignore" });
      const { oomKilled, cgroup, leftBehind } = await box.status();
      expect(oomKilled).toBe(true);
      expect(cgroup?.["memory.events"]?.oom_kill).toBeGreaterThan(0);
      expect(cgroup?.memoryPeakBytes ?? 50 * 2 ** 20).toBeGreaterThan(40 * 2 ** 20);
      expect(leftBehind).toBeUndefined();
      expect(groupsOf(boxPlan)).toEqual([]);
    });

  limitTest("a program that stays below memory.max is not called killed", async () => {
    await using box = await launch(planOf("head -c 1M /dev/zero | tail > /dev/null", { "memory.max": "100M" }));
    expect(await box.status()).toMatchObject({ oomKilled: false, exitCode: 0 });
  });

  limitTest("pids.max=2 refuses a third process, and counts", async () => {
    const boxPlan = planOf("(sleep 0.1 & sleep 0.1 & sleep 0.1 & wait)", { "pids.max": 2 });
    await using box = await launch(boxPlan, { stdout: "ignore", stderr: "pipe" });
    expect(await box.stderr.text()).toMatch(/fork/i);
    const { cgroup, exitCode } = await box.status();
    expect(cgroup?.["pids.events"]?.max).toBeGreaterThan(0);
    expect(exitCode).not.toBe(0);
  });

  limitTest("pids.max counts the box only: with 1 the program runs", async () => {
    await using box = await launch(planOf("echo here", { "pids.max": 1 }));
    expect(await box.stdout.text()).toBe("here\n");
  });

  limitTest("cpu.max slows", async () => {
    const work = "i=0; while [ $i -lt 150000 ]; do i=$((i + 1)); done";
    const cpuTime = async (cgroup: SpawnOptions["cgroup"]): Promise<[wallMs: number, cpuUs: number | undefined]> => {
      await using box = await launch(planOf(work, cgroup));
      const { durationMs, cgroup: used } = await box.status();
      return [durationMs, used?.cpuUsageUs];
    };
    const [free] = await cpuTime({ "cpu.max": "max" });
    const [slow] = await cpuTime({ "cpu.max": { quota: 10_000, period: 100_000 } });
    // A tenth of a processor; the first period's share is given at once.
    expect(slow).toBeGreaterThan(3 * free);
  });

  limitTest("the box sees no path of its group, nor of others", async () => {
    await using box = await launch(
      planOf("cat /proc/self/cgroup; cat /proc/self/mountinfo | grep -c /bunshare-[0-9a-f]*-0", { "pids.max": 42 }),
    );
    const said = await box.stdout.text();
    expect(said).not.toContain("bunshare");
    expect(said).toMatch(/^\d+:pids:\/$|^0::\/$/m);
    expect(said.trim().split("\n").at(-1)).toBe("0");
  });

  limitTest("without namespaces too, a group holds what the program leaves, and is removed", async () => {
    const boxPlan = plan(["sh", "-c", "(sleep 60 &); (sleep 60 &); exit 5"], {
      unshare: "none",
      cgroup: { "pids.max": 20 },
    });
    await using box = await launch(boxPlan, { stdout: "ignore" });
    expect(await box.exited).toBe(5);
    expect(groupsOf(boxPlan)).toEqual([]);
  });
});
