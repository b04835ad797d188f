import { describe, expect, test } from "bun:test";
import { cgroupLayout } from "../../src/cgroup/mod.ts";
import { overlay } from "../../src/mount/mod.ts";
import { parseMountinfo } from "../../src/proc/mod.ts";
import { explain } from "../../src/spawn/explain.ts";
import type { Host } from "../../src/spawn/host.ts";
import { encode } from "../../src/spawn/image.ts";
import type { SpawnOptions } from "../../src/spawn/options.ts";
import { plan } from "../../src/spawn/plan.ts";
import { allSteps } from "../../src/spawn/plan-data.ts";
import { host, rootHost } from "./host.ts";

const v2 = cgroupLayout(
  parseMountinfo("30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
  [{ hierarchyId: 0, controllers: [], path: "/" }],
  {
    "/sys/fs/cgroup": {
      path: "/sys/fs/cgroup",
      writable: true,
      procsWritable: true,
      subtreeControlWritable: true,
      files: ["cgroup.procs"],
      controllers: ["cpu", "memory", "pids"],
      subtreeControl: ["memory"],
      hasProcesses: true,
      isRoot: true,
    },
  },
);

/** Plans whose whole text is kept: a change in what a box does shows as a change here. */
const golden: [name: string, options: SpawnOptions, host: Host][] = [
  ["the default, as a user", {}, host],
  ["the default, as root", {}, rootHost],
  [
    "a directory as the root, with a bind and a tmpfs",
    {
      root: "/images/base",
      mounts: [
        { bind: "/etc/resolv.conf", at: "/etc/resolv.conf", readonly: true },
        { tmpfs: "/var/tmp", size: "1M" },
      ],
    },
    host,
  ],
  [
    "layers with a persistent upper",
    { root: overlay("/images/base").layer("/images/top").writable("/srv/up") },
    rootHost,
  ],
  [
    "limits on v2, as root",
    { unshare: ["pid"], cgroup: { "memory.max": "100M", "pids.max": 64 } },
    { ...rootHost, cgroups: v2 },
  ],
  [
    "ranges of ids, written by the monitor",
    {
      unshare: ["user", "uts"],
      hostname: "box",
      map: { uid: [{ inside: 0, outside: 0, count: 65536 }], gid: [{ inside: 0, outside: 0, count: 65536 }] },
      uid: 33,
      gid: 33,
    },
    rootHost,
  ],
  [
    "ranges of ids, through newuidmap",
    {
      unshare: ["user"],
      map: { uid: [{ inside: 0, outside: 100000, count: 65536 }], gid: [{ inside: 0, outside: 100000, count: 65536 }] },
    },
    {
      ...host,
      mappers: {
        newuidmap: "/usr/bin/newuidmap",
        newgidmap: "/usr/bin/newgidmap",
        uids: [{ owner: "user", start: 100000, count: 65536 }],
        gids: [{ owner: "user", start: 100000, count: 65536 }],
      },
    },
  ],
  ["a clock that is ahead, on 6.18", { unshare: ["user", "time", "pid"], timeOffsets: { boottime: 3600 } }, host],
  [
    "a time namespace before 6.3 takes one more process",
    { unshare: ["user", "time", "pid"] },
    { ...host, kernel: [6, 1] },
  ],
  ["an init", { unshare: ["user", "pid"], init: true }, host],
  [
    "joined namespaces",
    {
      unshare: ["uts"],
      join: [
        { kind: "net", path: "/run/netns/blue" },
        { kind: "pid", fd: 42 },
      ],
    },
    rootHost,
  ],
  [
    "a joined user namespace comes first",
    {
      unshare: ["mnt"],
      join: [
        { kind: "user", path: "/proc/7/ns/user" },
        { kind: "net", path: "/proc/7/ns/net" },
      ],
    },
    host,
  ],
  ["nothing at all", { unshare: "none" }, host],
];

describe("explain() prints", () => {
  for (const [name, options, facts] of golden)
    test(name, () => {
      expect(explain(plan(["true"], options, facts))).toMatchSnapshot();
    });
});

test("a plan survives JSON, to the byte of its image", () => {
  for (const [, options, facts] of golden) {
    const made = plan(["true"], options, facts);
    expect(encode(JSON.parse(JSON.stringify(made)))).toEqual(encode(made));
  }
});

test("a plan for arm64 has its syscall numbers and flags, not this machine's", () => {
  const arm = encode(plan(["true"], {}, { ...host, arch: "arm64" }));
  const x64 = encode(plan(["true"], {}, host));
  expect(new DataView(arm.buffer).getUint16(18, true)).toBe(183);
  expect(new DataView(x64.buffer).getUint16(18, true)).toBe(62);
  expect(arm).not.toEqual(x64);
});

test("an image of the default plan is a few KB", () => {
  expect(encode(plan(["true"], {}, host)).length).toBeLessThan(20 * 1024);
});

test("every id that a step refers to is given by an earlier step", () => {
  for (const [name, options, facts] of golden) {
    const seen = new Set<string>();
    for (const { step } of allSteps(plan(["true"], options, facts))) {
      const named = [...JSON.stringify(step).matchAll(/"(?:result|needs|pid)":"([^"]+)"/g)].map(
        (match) => match[1] ?? "",
      );
      // The box is cloned at the end of the host section, and the mappers are named in between.
      for (const id of named) expect([name, id, seen.has(id)]).toEqual([name, id, true]);
      if ("id" in step && step.id !== undefined) seen.add(step.id);
    }
  }
});

test("no two steps have the same id", () => {
  for (const [, options, facts] of golden) {
    const ids = allSteps(plan(["true"], options, facts)).flatMap(({ step }) =>
      "id" in step && step.id !== undefined ? [step.id] : [],
    );
    expect(ids).toEqual([...new Set(ids)]);
  }
});
