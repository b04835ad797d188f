/** Groups that other runtimes have made, found by the names that they are known by. */
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { Cgroup } from "../../src/cgroup/cgroup.ts";
import { fileEntry } from "../../src/cgroup/files.ts";
import { freshName, isRoot, layout, leftOver, noGroups, until } from "./groups.ts";

const id = "4f1d".repeat(16);
const cpu = layout.hierarchies.find(({ controllers }) => controllers.includes("cpu"));
// Real top-level names in the machine that is ours alone; elsewhere below a group of our own, as with `docker --cgroup-parent`.
const top = process.env.BUNSHARE_VM ? "" : `/${freshName()}`;

/** What made it, how its group is called, and the file and text of a weight of a quarter of the default. */
const runtimes =
  cpu?.version === 2
    ? [
        { name: "docker by systemd", path: `/system.slice/docker-${id}.scope`, file: "cpu.weight", text: "25" },
        { name: "docker by cgroupfs", path: `/docker/${id}`, file: "cpu.weight", text: "25" },
      ]
    : [
        { name: "docker", path: `/docker/${id}`, file: "cpu.shares", text: "256" },
        {
          name: "kubernetes",
          path: `/kubepods/burstable/pod${id.slice(0, 32)}/${id}`,
          file: "cpu.shares",
          text: "256",
        },
        { name: "lxc", path: "/lxc.payload.web", file: "cpu.shares", text: "256" },
      ];

describe.skipIf(!isRoot || noGroups !== undefined || !cpu)("groups of other runtimes (need root and cpu)", () => {
  afterAll(() => expect(leftOver()).toEqual([]));
  for (const { name, path, file, text } of runtimes) {
    test(`a group of ${name} is found by path, by process and from above, and its ${file} ${text} is cpu.weight 25`, async () => {
      const { mountPoint, version } = cpu as NonNullable<typeof cpu>;
      const parts = (top + path).split("/").filter(Boolean);
      const made: string[] = [];
      await using sleeper = Bun.spawn(["sleep", "100"]);
      try {
        for (let at = 1; at <= parts.length; at++) {
          const directory = `${mountPoint}/${parts.slice(0, at).join("/")}`;
          if (version === 2) writeFileSync(`${directory.replace(/\/[^/]+$/, "")}/cgroup.subtree_control`, "+cpu");
          if (existsSync(directory)) continue;
          mkdirSync(directory);
          made.push(directory);
        }
        const directory = `${mountPoint}${top}${path}`;
        writeFileSync(`${directory}/${file}`, text);
        writeFileSync(`${directory}/cgroup.procs`, String(sleeper.pid));

        const found = [Cgroup.open(top + path), Cgroup.open(directory), Cgroup.of(sleeper.pid)];
        const above = Cgroup.open(`${mountPoint}/${parts[0]}`);
        for (const group of parts.length === 1 ? [above] : above.walk()) {
          if (group.name === parts.at(-1)) found.push(group);
          else group.close();
        }
        expect(found.length).toBe(4);
        for (const group of found) {
          expect(group.paths[mountPoint]).toBe(directory);
          expect(group.procs()).toContain(sleeper.pid);
          expect(group.read("cpu.weight")).toBe(25);
          expect(group.locate("cpu.weight")?.file).toBe(file);
          group.close();
        }
        above.close();
      } finally {
        sleeper.kill("SIGKILL");
        await sleeper.exited;
        for (const directory of made.toReversed()) await until(() => isRemoved(directory));
      }
      expect(made.filter((directory) => existsSync(directory))).toEqual([]);
    });
  }

  test.skipIf(cpu?.version === 2)(
    "cpu.shares that stand for no whole cpu.weight read as the nearest one, and the table says so",
    async () => {
      await using group = Cgroup.create(freshName(), {}, { controllers: ["cpu"] });
      for (const [shares, weight] of [
        [2, 1],
        [256, 25],
        [1000, 98],
        [1024, 100],
        [262_144, 10_000],
      ] as const) {
        writeFileSync(`${group.locate("cpu.weight")?.place.path}/cpu.shares`, String(shares));
        expect([shares, group.read("cpu.weight")]).toEqual([shares, weight]);
      }
      expect(fileEntry("cpu.weight")?.v1).toMatchObject({ exact: false, note: expect.stringContaining("rounded") });
      expect(fileEntry("pids.max")?.v1?.exact).toBe(true);
    },
  );
});

function isRemoved(directory: string): boolean {
  try {
    rmdirSync(directory);
  } catch {
    // Busy until its last process is gone.
  }
  return !existsSync(directory);
}
