import { expect, test } from "bun:test";
import { OptionsError } from "../../src/sys/options-error.ts";
import type { Host } from "../../src/spawn/host.ts";
import type { SpawnOptions } from "../../src/spawn/options.ts";
import { spec } from "../../src/spawn/spec.ts";
import { host, rootHost } from "./host.ts";

const range = (inside: number, outside: number, count: number) => ({ inside, outside, count });
const mappers = {
  newuidmap: "/usr/bin/newuidmap",
  newgidmap: "/usr/bin/newgidmap",
  uids: [{ owner: "user", start: 100000, count: 65536 }],
  gids: [{ owner: "user", start: 100000, count: 65536 }],
};

/** Options that have the right shape and make no sense on that host: where, and a part of the sentence. */
const senseless: [options: SpawnOptions, facts: Host, where: string, part: string][] = [
  [{ unshare: ["net"] }, host, "options.unshare", "CAP_SYS_ADMIN"],
  [{ unshare: "none", join: [{ kind: "net", path: "/run/netns/x" }] }, host, "options.join", "CAP_SYS_ADMIN"],
  [{ join: [{ kind: "net", path: "/run/netns/x" }] }, host, "options.join", "join that one too"],
  [{ join: [{ kind: "mnt", path: "/proc/7/ns/mnt" }], unshare: ["user"] }, rootHost, "options.join", "does not own"],
  [
    {
      join: [
        { kind: "net", path: "/a" },
        { kind: "net", path: "/b" },
      ],
    },
    rootHost,
    "options.join[1]",
    "only one net namespace",
  ],
  [{ unshare: ["net"], join: [{ kind: "net", path: "/a" }] }, rootHost, "options.unshare", "both made and joined"],
  [{ unshare: ["user"], hostname: "box" }, host, "options.hostname", "new uts namespace"],
  [{ unshare: ["user"], domainname: "box" }, host, "options.domainname", "new uts namespace"],
  [{ unshare: ["user"], timeOffsets: { boottime: 1 } }, host, "options.timeOffsets", "new time namespace"],
  [{ unshare: ["user"], root: "/images/base" }, host, "options.root", "new mnt namespace"],
  [{ unshare: ["user"], mounts: [{ tmpfs: "/x" }] }, host, "options.mounts", "new mnt namespace"],
  [{ unshare: ["user"], loopback: false }, host, "options.loopback", "new net namespace"],
  [{ unshare: ["mnt"], map: "self" }, rootHost, "options.map", "new user namespace"],
  [{ unshare: ["uts"], join: [{ kind: "user", path: "/x" }], map: "self" }, host, "options.map", "joins one"],
  [{ root: "/images/gone" }, host, "options.root", "no such directory"],
  [{ root: "/etc/resolv.conf" }, host, "options.root", "not a directory"],
  [{ root: { dir: "/images/gone" } }, host, "options.root.dir", "no such directory"],
  [{ root: { layers: ["/images/base", "/images/gone"] } }, host, "options.root.layers[1]", "no such directory"],
  [{ root: { layers: ["/images/base", "/images/base/"] } }, host, "options.root.layers[1]", "twice"],
  [{ root: { layers: ["/images/base"], work: "/w" } }, host, "options.root.work", "takes an upper"],
  [{ root: { layers: ["/images/base"], upper: "/images/base" } }, host, "options.root.upper", "is a layer too"],
  [
    { root: { layers: ["/images/base"], upper: "/srv/up", work: "/srv/up/w" } },
    host,
    "options.root.work",
    "must not be the upper or in it",
  ],
  [
    { root: { layers: Array.from({ length: 151 }, () => "/images/base") } },
    host,
    "options.root.layers",
    "at most 150 layers",
  ],
  [{ mounts: [{ bind: "/gone", at: "/x" }] }, host, "options.mounts[0].bind", "no such file"],
  [{ mounts: [{ tmpfs: "x" }] }, host, "options.mounts[0].tmpfs", "absolute path"],
  [{ mounts: [{ tmpfs: "/a/../b" }] }, host, "options.mounts[0].tmpfs", '".."'],
  [{ mounts: [{ tmpfs: "//" }] }, host, "options.mounts[0].tmpfs", "the option root"],
  [{ unshare: "none", uid: 33 }, host, "options.uid", "CAP_SETUID"],
  [{ unshare: "none", groups: [1] }, host, "options.groups", "CAP_SETUID"],
  [{ groups: [1] }, host, "options.groups", "no other groups"],
  [{ map: { uid: [range(0, 100000, 10)], gid: [range(0, 100000, 10)] } }, host, "options.map", "newuidmap"],
  [
    { map: { uid: [range(0, 5, 10)], gid: [range(0, 100000, 10)] } },
    { ...host, mappers },
    "options.map.uid[0]",
    "100000-165535",
  ],
  [
    { map: { uid: [range(0, 100000, 10)], gid: [range(0, 165530, 10)] } },
    { ...host, mappers },
    "options.map.gid[0]",
    "/etc/subgid grants",
  ],
  [
    { map: { uid: [range(0, 0, 10), range(5, 100, 10)], gid: [range(0, 0, 10)] } },
    rootHost,
    "options.map.uid[1]",
    "overlaps another line inside",
  ],
  [
    { map: { uid: [range(0, 0, 10), range(10, 5, 10)], gid: [range(0, 0, 10)] } },
    rootHost,
    "options.map.uid[1]",
    "overlaps another line outside",
  ],
  [
    { map: { uid: [range(4294967290, 0, 10)], gid: [range(0, 0, 10)] } },
    rootHost,
    "options.map.uid[0]",
    "beyond the last id",
  ],
  [{ map: { uid: [range(0, 0, 10)], gid: [range(0, 0, 10)] }, uid: 10 }, rootHost, "options.uid", "not in the map"],
  [{ map: { uid: [range(0, 0, 10)], gid: [range(0, 0, 10)] }, gid: 10 }, rootHost, "options.gid", "not in the map"],
  [
    { map: { uid: [range(0, 0, 10)], gid: [range(0, 0, 10)] }, groups: [3, 11] },
    rootHost,
    "options.groups",
    "not in the map",
  ],
  [{ rlimits: { nofile: { soft: 10, hard: 5 } } }, host, "options.rlimits.nofile", "above the hard one"],
  [{ rlimits: { core: { soft: "unlimited", hard: 5 } } }, host, "options.rlimits.core", "above the hard one"],
];

for (const [options, facts, where, part] of senseless)
  test(`${JSON.stringify(options).slice(0, 90)} is refused at ${where}: ${part}`, () => {
    let error: unknown;
    try {
      spec(["true"], options, facts);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(OptionsError);
    expect((error as OptionsError).where).toBe(where);
    expect((error as OptionsError).message).toContain(part);
  });

test("by default all eight namespaces are new", () => {
  expect(Object.values(spec(["true"], {}, host).isNew)).toEqual(Array(8).fill(true));
});

test('"all" leaves out what is joined', () => {
  const { isNew } = spec(["true"], { join: [{ kind: "net", fd: 3 }], unshare: "all" }, rootHost);
  expect(isNew.net).toBe(false);
  expect(isNew.user).toBe(true);
});

/** Options, and the first line of the map that follows. */
const maps: [options: SpawnOptions, facts: Host, inside: number, outside: number, by: string][] = [
  [{}, host, 0, 1000, "box"],
  [{ map: "root" }, rootHost, 0, 0, "box"],
  [{ map: "self" }, host, 1000, 1000, "box"],
  [{ uid: 33 }, host, 33, 1000, "box"],
  [{ map: { uid: [range(7, 1000, 1)], gid: [range(7, 1000, 1)] } }, host, 7, 1000, "box"],
  [{ map: { uid: [range(0, 5, 100)], gid: [range(0, 5, 100)] } }, rootHost, 0, 5, "monitor"],
];

for (const [options, facts, inside, outside, by] of maps)
  test(`${JSON.stringify(options)} of uid ${facts.uid} maps ${inside} to ${outside}, written by the ${by}`, () => {
    const { map } = spec(["true"], options, facts).ids;
    expect(map?.uid[0]).toMatchObject({ inside, outside });
    expect(map?.by).toBe(by as "box");
  });

test("the soft limit of files is 1024, or the hard one where that is lower", () => {
  expect(spec(["true"], {}, host).rlimits).toEqual([{ name: "nofile", resource: 7, soft: 1024, hard: 524288 }]);
  expect(spec(["true"], {}, { ...host, maxFiles: 100 }).rlimits[0]).toMatchObject({ soft: 100, hard: 100 });
});

test("variables with the value undefined are not in the environment", () => {
  expect(spec(["true"], { env: { A: "1", B: undefined } }, host).env).toEqual(["A=1"]);
});

test("a directory as the root starts in /, the host's root where the caller is", () => {
  expect(spec(["true"], { root: "/images/base" }, host).cwd).toEqual({ path: "/", isRequired: false });
  expect(spec(["true"], {}, host).cwd).toEqual({ path: "/home/user", isRequired: false });
  expect(spec(["true"], { cwd: "/x" }, host).cwd).toEqual({ path: "/x", isRequired: true });
});
