/** `npm start`, the first thing anybody sees. */
import { expect } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { namespaceKinds } from "../../src/ns/kinds.ts";
import { callers, projectDir, root, run, testAs, user } from "../helpers.ts";

const tour = (uid: number | undefined) => run([process.execPath, join(projectDir, "scripts/tour.ts")], { uid });

for (const caller of callers)
  testAs(caller, "the tour shows ids, files, namespaces, a limit and the time, in less than 2 s", async (uid) => {
    const start = performance.now();
    const { code, stdout, stderr } = await tour(uid);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(performance.now() - start).toBeLessThan(2000);

    expect(stdout).toMatch(new RegExp(`^user id +${uid ?? process.getuid?.()} +0$`, "m"));
    expect(stdout).toMatch(/^host name +\S+ +tour$/m);
    expect(stdout).toMatch(/^processes +\d+ of them +1 sh$/m);
    expect(stdout).toMatch(/^inside +cat \/etc\/canary: written inside$/m);
    expect(stdout).toMatch(/^outside +cat \/etc\/canary: No such file or directory$/m);
    expect(existsSync("/etc/canary")).toBe(false);
    for (const kind of namespaceKinds) {
      const [, outside, inside] = new RegExp(`^${kind} +(\\d+) +(\\d+)$`, "m").exec(stdout) ?? [];
      expect(outside).not.toBe(inside);
    }
    expect(stdout).toMatch(/^sh: .*fork/m);
    expect(stdout.match(/^ +\d+ +[\d.]+ [um]s +(host|box|undo) /gm)).toHaveLength(10);
    expect(stdout).toMatch(/^set up after [\d.]+ ms, everything undone after [\d.]+ ms$/m);
    expect(stdout).toMatch(/^The whole tour took [\d.]+ ms/m);
    expect(stdout).not.toContain("\x1b");
  });

testAs(root, "the limit of the tour is the kernel's pids.max", async () => {
  expect((await tour(undefined)).stdout).toMatch(/^pids\.events: max [1-9]/m);
});

testAs(user, "the tour says in words what no right is there for", async (uid) => {
  const { stdout } = await tour(uid);
  expect(stdout).toMatch(/^(pids\.events: max [1-9]|A cgroup would count .*this user may write none here:)/m);
});
