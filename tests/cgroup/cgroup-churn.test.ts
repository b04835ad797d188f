import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { Cgroup } from "../../src/cgroup/cgroup.ts";
import { freshName, isRoot, layout, leftOver, noGroups, until } from "./groups.ts";

// The machine without hardware support takes twenty times as long.
const cycles = process.env.BUNSHARE_VM ? Number(process.env.BUNSHARE_CHURN ?? 100) : 1000;

test.skipIf(noGroups !== undefined)(
  `${cycles} cycles of create, set four limits, spawn, kill, remove leave no group, process or descriptor (needs groups: ${noGroups ?? "they are there"})`,
  async () => {
    const limits = {
      "memory.max": "64M",
      "pids.max": 10,
      "cpu.max": 50_000,
      ...(isRoot ? { "cpuset.cpus": 0 } : { "cpu.weight": 50 }),
    } as const;
    const fds = () => readdirSync("/proc/self/fd").length;
    const cycle = async (): Promise<number> => {
      const group = Cgroup.create(freshName(), limits, { layout });
      const child = Bun.spawn(["sleep", "100"]);
      group.add(child.pid);
      group.kill();
      await child.exited;
      await group.remove();
      return child.pid;
    };
    // What the first ones open stays open: the engine's own.
    for (let i = 0; i < 5; i++) await cycle();
    const before = fds();
    const failed: unknown[] = [];
    // Eight at a time: the kernel is never at rest.
    let left = cycles;
    const worker = async (): Promise<void> => {
      while (left-- > 0) await cycle().catch((error: unknown) => failed.push(error));
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    expect(failed).toEqual([]);
    expect(leftOver()).toEqual([]);
    expect(await until(() => fds() <= before)).toBe(true);
  },
  600_000,
);
