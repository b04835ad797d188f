import { expect, test } from "bun:test";
import { cgroup, parseCgroup } from "../../src/proc/cgroup.ts";
import { fixture } from "./fixture.ts";

const lines: [line: string, entry: ReturnType<typeof parseCgroup>[number]][] = [
  ["0::/a:b c (deleted)", { hierarchyId: 0, controllers: [], path: "/a:b c", deleted: true }],
  ["0::/../x", { hierarchyId: 0, controllers: [], path: "/../x" }],
  ["1:name=systemd:/init.scope", { hierarchyId: 1, controllers: [], name: "systemd", path: "/init.scope" }],
  ["4:cpu,cpuacct:/docker/4f2a", { hierarchyId: 4, controllers: ["cpu", "cpuacct"], path: "/docker/4f2a" }],
  ["5:memory:/x (deleted)", { hierarchyId: 5, controllers: ["memory"], path: "/x (deleted)" }],
  ["7::/", { hierarchyId: 7, controllers: [], path: "/" }],
];

for (const [line, entry] of lines) {
  test(`parseCgroup() reads "${line}"`, () => expect(parseCgroup(`${line}\n`)).toEqual([entry]));
}

for (const line of ["0::", "0:/", "x::/", "::/", "0::x", "nonsense"]) {
  test(`parseCgroup() refuses "${line}"`, () => {
    expect(() => parseCgroup(line)).toThrow(
      `/proc/self/cgroup line 1: expected hierarchy:controllers:/path: "${line}"`,
    );
  });
}

test("parseCgroup() reads a hybrid host, a v2 one and a v1 container", () => {
  const hybrid = parseCgroup(fixture("linux-6.18-hybrid/cgroup"));
  expect(hybrid).toHaveLength(10);
  expect(hybrid.at(-1)).toEqual({ hierarchyId: 0, controllers: [], path: "/" });
  expect(parseCgroup(fixture("linux-6.18-hybrid/cgroup-deleted")).at(-1)?.deleted).toBe(true);
  expect(parseCgroup(fixture("linux-6.1-v2-systemd/cgroup"))).toHaveLength(1);
  expect(parseCgroup(fixture("docker-v1/cgroup")).map((entry) => entry.path)).toEqual(Array(5).fill("/docker/4f2a"));
});

test("cgroup() of a process that does not exist is undefined", () => {
  expect(cgroup(process.pid)).toEqual(cgroup());
  expect(cgroup(4_194_304)).toBeUndefined();
});
