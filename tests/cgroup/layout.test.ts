import { expect, test } from "bun:test";
import { type CgroupDirectory, cgroupLayout, chooseParent, readCgroupLayout } from "../../src/cgroup/layout.ts";
import { parseCgroup } from "../../src/proc/cgroup.ts";
import { parseMountinfo } from "../../src/proc/mountinfo.ts";
import { fixture } from "../proc/fixture.ts";

const V2 = "/sys/fs/cgroup";
const USER = `${V2}/user.slice/user-1000.slice/user@1000.service`;

/** A v2 group that may be written and has everything, unless said otherwise. */
function group(path: string, facts: Partial<CgroupDirectory> = {}): CgroupDirectory {
  return {
    path,
    writable: true,
    procsWritable: true,
    subtreeControlWritable: true,
    files: ["cgroup.events"],
    type: "domain",
    controllers: ["cpu", "memory", "pids"],
    subtreeControl: [],
    hasProcesses: false,
    isRoot: false,
    ...facts,
  };
}

const noRights = { writable: false, procsWritable: false, subtreeControlWritable: false };
const root = group(V2, { isRoot: true, hasProcesses: true, controllers: ["cpu", "cpuset", "io", "memory", "pids"] });

function v2(own: string, ...groups: CgroupDirectory[]) {
  const layout = cgroupLayout(
    parseMountinfo(fixture("linux-6.1-v2-systemd/mountinfo")),
    parseCgroup(own),
    Object.fromEntries(groups.map((each) => [each.path, each])),
  );
  const [hierarchy] = layout.hierarchies;
  if (!hierarchy) throw new Error("no hierarchy");
  return { layout, hierarchy };
}

/** A login on a systemd host: the user owns what is below user@1000.service. */
function userLogin(...own: CgroupDirectory[]) {
  return v2(
    fixture("linux-6.1-v2-systemd/cgroup"),
    group(V2, { ...root, ...noRights }),
    group(`${V2}/user.slice`, noRights),
    group(`${V2}/user.slice/user-1000.slice`, noRights),
    group(USER, { subtreeControl: ["cpu", "memory", "pids"] }),
    ...own,
  );
}

test("cgroupLayout() of a hybrid host: v1 controllers and a v2 tree", () => {
  const layout = cgroupLayout(
    parseMountinfo(fixture("linux-6.18-hybrid/mountinfo")),
    parseCgroup(fixture("linux-6.18-hybrid/cgroup")),
    {},
  );
  expect(layout.version).toBe("hybrid");
  expect(layout.hierarchies.map(({ version, mountPoint }) => `${version} ${mountPoint}`)).toEqual([
    "1 /sys/fs/cgroup/systemd",
    "1 /sys/fs/cgroup/pids",
    "1 /sys/fs/cgroup/blkio",
    "1 /sys/fs/cgroup/freezer",
    "1 /sys/fs/cgroup/devices",
    "1 /sys/fs/cgroup/memory",
    "1 /sys/fs/cgroup/cpuset",
    "1 /sys/fs/cgroup/cpuacct",
    "1 /sys/fs/cgroup/cpu",
    "2 /sys/fs/cgroup/unified",
  ]);
  expect(layout.hierarchies[5]?.ownPath).toBe("/sys/fs/cgroup/memory/jobs/build");
});

test("cgroupLayout() of a systemd host is v2, with the controllers of the top", () => {
  const { layout, hierarchy } = userLogin();
  expect(layout.version).toBe("v2");
  expect(hierarchy.controllers).toEqual(["cpu", "cpuset", "io", "memory", "pids"]);
  expect(hierarchy.ownPath).toBe(`${USER}/app.slice/x.scope`);
});

test("cgroupLayout() of a v1 container takes the mount's root off its own path", () => {
  const layout = cgroupLayout(
    parseMountinfo(fixture("docker-v1/mountinfo")),
    parseCgroup(fixture("docker-v1/cgroup")),
    {},
  );
  expect(layout.version).toBe("v1");
  // hugetlb is in /proc/PID/cgroup, but not mounted.
  expect(layout.hierarchies.map(({ mountPoint, ownPath }) => [mountPoint, ownPath])).toEqual([
    ["/sys/fs/cgroup/pids", "/sys/fs/cgroup/pids"],
    ["/sys/fs/cgroup/memory", "/sys/fs/cgroup/memory"],
    ["/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct"],
    ["/sys/fs/cgroup/systemd", "/sys/fs/cgroup/systemd"],
  ]);
});

test("cgroupLayout() without cgroups is none", () => {
  expect(cgroupLayout([], parseCgroup("0::/\n"), {})).toEqual({ version: "none", hierarchies: [] });
});

test("cgroupLayout() leaves out what is mounted over", () => {
  const text = `1 0 0:1 / / rw - ext4 x rw
2 1 0:2 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
3 2 0:3 / /sys/fs/cgroup rw - tmpfs x rw
4 3 0:4 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
`;
  const layout = cgroupLayout(parseMountinfo(text), parseCgroup("4:pids:/\n0::/\n"), {});
  expect(layout.hierarchies.map(({ mountPoint }) => mountPoint)).toEqual(["/sys/fs/cgroup/pids"]);
});

test("cgroupLayout() of several mounts takes the one that shows most", () => {
  const text = `2 1 0:2 /a/b /first rw - cgroup2 x rw
3 1 0:2 /other /second rw - cgroup2 x rw
4 1 0:2 /a /third rw - cgroup2 x rw
`;
  const [hierarchy] = cgroupLayout(parseMountinfo(text), parseCgroup("0::/a/b/c\n"), {}).hierarchies;
  expect(hierarchy?.ownPath).toBe("/third/b/c");
});

test("a group outside the cgroup namespace has no own path, unless the mount shows it", () => {
  expect(v2("0::/../x\n", root).hierarchy.ownPath).toBeUndefined();
  const seen = parseMountinfo("56 46 0:37 /.. /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n");
  expect(cgroupLayout(seen, parseCgroup("0::/../bshB\n"), {}).hierarchies[0]?.ownPath).toBe(
    "/sys/fs/cgroup/unified/bshB",
  );
});

test("v2: a user's box goes below the slice that passes the controllers on", () => {
  const { hierarchy } = userLogin(
    group(`${USER}/app.slice`, { subtreeControl: ["memory", "pids"] }),
    group(`${USER}/app.slice/x.scope`, { hasProcesses: true }),
  );
  expect(chooseParent(hierarchy, ["memory", "pids"])).toMatchObject({ path: `${USER}/app.slice`, enable: [] });
  // cpu is not passed on yet, but app.slice is empty and may.
  expect(chooseParent(hierarchy, ["cpu", "memory"])).toMatchObject({ path: `${USER}/app.slice`, enable: ["cpu"] });
  expect(chooseParent(hierarchy, [])).toMatchObject({ path: `${USER}/app.slice/x.scope` });
});

test("v2: a controller that the slice lacks leads further up", () => {
  const { hierarchy } = userLogin(
    group(`${USER}/app.slice`, { controllers: ["memory", "pids"] }),
    group(`${USER}/app.slice/x.scope`, { hasProcesses: true, controllers: [] }),
  );
  expect(chooseParent(hierarchy, ["cpu"])).toMatchObject({ path: USER, enable: [] });
});

test("v2: the root may enable controllers although it has processes, another group may not", () => {
  expect(chooseParent(v2("0::/\n", root).hierarchy, ["memory"])).toMatchObject({ path: V2, enable: ["memory"] });
  const inner = group(V2, { hasProcesses: true });
  expect(chooseParent(v2("0::/\n", inner).hierarchy, ["memory"])).toEqual({
    blockedBy: V2,
    reason: `${V2} holds processes itself, so it cannot enable memory for its children: move them into a child first`,
  });
});

test("v2: the reason names the group that could be put right", () => {
  const blocked: [facts: Partial<CgroupDirectory>, why: string][] = [
    [{ procsWritable: false }, `${V2}/a has a cgroup.procs that may not be written: no process can be moved below it`],
    [{ type: "threaded" }, `${V2}/a is of type "threaded"`],
    [{ controllers: [] }, `${V2}/a has no memory in its cgroup.controllers`],
    [{ subtreeControlWritable: false }, `${V2}/a may not enable memory: its cgroup.subtree_control is not writable`],
    [noRights, `${V2}/a may not be written: no group can be made in it`],
  ];
  for (const [facts, why] of blocked) {
    const { hierarchy } = v2("0::/a\n", group(V2, { ...root, ...noRights }), group(`${V2}/a`, facts));
    expect(chooseParent(hierarchy, ["memory"])).toEqual({ blockedBy: `${V2}/a`, reason: why });
  }
});

test("v2: a removed own group is passed over", () => {
  const { hierarchy } = v2("0::/a/b (deleted)\n", root);
  expect(hierarchy.ancestors.map(({ path }) => path)).toEqual([V2]);
  expect(chooseParent(hierarchy)).toMatchObject({ path: V2 });
});

test("v1: the top where it may be written, else the nearest group that may", () => {
  const mounts = parseMountinfo(fixture("linux-6.18-hybrid/mountinfo"));
  const own = parseCgroup("4:memory:/jobs/build\n");
  const top = "/sys/fs/cgroup/memory";
  const v1 = (path: string, may: boolean) => ({ path, writable: may, procsWritable: may, files: [] });
  const choose = (...may: boolean[]) => {
    const paths = [top, `${top}/jobs`, `${top}/jobs/build`];
    const directories = Object.fromEntries(paths.map((path, index) => [path, v1(path, may[index] ?? false)]));
    const [hierarchy] = cgroupLayout(mounts, own, directories).hierarchies;
    return hierarchy && chooseParent(hierarchy);
  };
  expect(choose(true, true, true)?.path).toBe(top);
  expect(choose(false, true, true)?.path).toBe(`${top}/jobs/build`);
  expect(choose(false, true, false)?.path).toBe(`${top}/jobs`);
  expect(choose()).toEqual({ blockedBy: top, reason: `no group from ${top}/jobs/build up to ${top} may be written` });
});

test("readCgroupLayout() finds the groups of this process", async () => {
  const layout = readCgroupLayout();
  expect(JSON.parse(JSON.stringify(layout))).toEqual(layout);
  const grep = await Bun.$`grep -c cgroup /proc/self/mountinfo`.nothrow().text();
  if (Number(grep) > 0) expect(layout.hierarchies.length).toBeGreaterThan(0);
  for (const { ancestors, ownPath } of layout.hierarchies) {
    if (ownPath !== undefined) expect(ancestors[0]?.path).toBe(ownPath);
  }
});
