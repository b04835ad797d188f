/** `bunshare cgroup` as its users see it: what it does is what is then in the file system, in the kernel's words. */
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseWords } from "../../scripts/commands/arguments.ts";
import { formatDelegated, formatFiles, formatList } from "../../scripts/commands/cgroup.ts";
import { UsageError } from "../../scripts/commands/command.ts";
import { enterPlan } from "../../scripts/commands/enter.ts";
import { directoryOf, pathsOf, procPath } from "../../scripts/commands/group-paths.ts";
import { parseOwner } from "../../scripts/commands/owner.ts";
import { json, printable } from "../../scripts/commands/print.ts";
import { chooseParent } from "../../src/cgroup/layout.ts";
import { formatCall } from "../../src/sys/format.ts";
import { bunshare, bunshareCommand, root, type RunOptions, start, testAs, unprivilegedId } from "../helpers.ts";
import { cat, directory, enter, isV2, later, layout, mountOf, prefix, setUpFile } from "./cgroups.ts";

setUpFile();

// Text

const databases = {
  passwd: "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1001::/home/ada:/bin/sh\n1234:x:77:78::/:/bin/sh\n",
  group: "root:x:0:\nstaff:x:50:ada\n",
};

const owners: [text: string, uid: number, gid: number, loginGid?: number][] = [
  ["ada", 1000, -1, 1001],
  ["ada:staff", 1000, 50, 1001],
  ["ada:", 1000, 1001, 1001],
  ["1000:50", 1000, 50, 1001],
  ["4000", 4000, -1],
  ["4000:4001", 4000, 4001],
  ["0", 0, -1, 0],
  // A name that looks like a number is a name, as chown(1) takes it.
  ["1234", 77, -1, 78],
];
for (const [text, uid, gid, loginGid] of owners)
  test(`the owner ${JSON.stringify(text)} is uid ${uid}, gid ${gid}`, () => {
    expect(parseOwner(text, "--owner", databases)).toEqual({
      uid,
      gid,
      ...(loginGid === undefined ? {} : { loginGid }),
    });
  });

for (const text of [
  "",
  ":",
  ":staff",
  "nobody-knows",
  "ada:nobody-knows",
  "-1",
  "4294967295",
  "1.5",
  "0x0",
  " 0",
  "1e3",
  "007",
  "4000:",
  "a:b:c",
])
  test(`no owner is read from ${JSON.stringify(text)}, and least of all root`, () => {
    expect(() => parseOwner(text, "--owner", databases)).toThrow(UsageError);
  });

test("a name that the files do not hold is asked for", () => {
  const lookUp = (database: string, key: string) =>
    database === "passwd" && key === "ldap" ? "ldap:*:5000:5001::/:/bin/sh\n" : undefined;
  expect(parseOwner("ldap:", "--owner", { ...databases, lookUp })).toEqual({ uid: 5000, gid: 5001, loginGid: 5001 });
});

const table = {
  owner: { short: "a", value: "USER", help: "" },
  set: { value: "F=V", isList: true, help: "" },
  json: { help: "" },
} as const;

test("options may stand anywhere before --, with = or without", () => {
  const { options, operands } = parseWords(
    ["x", "-a", "me", "--set=a=1", "--set", "b=2", "--json", "y", "--", "--json", "-z"],
    table,
  );
  expect(Object.fromEntries(options)).toEqual({ owner: ["me"], set: ["a=1", "b=2"], json: [""] });
  expect(operands).toEqual(["x", "y", "--json", "-z"]);
});

test("after the group, the words of a command are its own", () => {
  for (const words of [
    ["--json", "g", "ls", "--json", "--", "-a"],
    ["--json", "g", "--", "ls", "--json", "--", "-a"],
    ["--json", "--", "g", "ls", "--json", "--", "-a"],
  ])
    expect(parseWords(words, table, 1).operands).toEqual(["g", "ls", "--json", "--", "-a"]);
});

test("several files are printed as cgget(1) prints them", () => {
  expect(
    formatFiles([
      ["memory.max", "max\n"],
      ["memory.events", "low 0\noom 1\n"],
      ["cgroup.procs", ""],
    ]),
  ).toBe("memory.max: max\nmemory.events: low 0\n\toom 1\ncgroup.procs:\n");
});

test("ls -l is a table", () => {
  expect(
    formatList([
      { group: "/a", paths: {}, procs: 12, frozen: false, controllers: ["cpu", "memory"] },
      { group: "/a/\x1b[2J", paths: {}, procs: 0, frozen: true, controllers: [] },
    ]),
  ).toBe(
    "PROCS  STATE   CONTROLLERS  GROUP\n   12  -       cpu,memory   /a\n    0  frozen  -            /a/\\x1b[2J\n",
  );
});

test("a delegation tells what came along, and why others did not", () => {
  expect(
    formatDelegated({ delegated: ["cpu", "pids"], notDelegated: [{ controller: "io", why: "it is not enabled" }] }),
  ).toBe("delegated: cpu pids\nnot delegated: io: it is not enabled\n");
});

test("JSON has all digits of a counter of 64 bits", () => {
  expect(json({ total: 18446744073709551615n, "memory.max": "max" })).toBe(
    '{"total":18446744073709551615,"memory.max":"max"}',
  );
});

test("a name is shown without what would move a cursor", () => {
  expect(printable("/a\x1b[2J\u009bm é")).toBe("/a\\x1b[2J\\x9bm é");
});

test("paths as in /proc/PID/cgroup and directories lead to each other, below a mount of a part too", () => {
  const whole = { mountPoint: "/sys/fs/cgroup", mountRoot: "/" };
  const part = { mountPoint: "/sys/fs/cgroup", mountRoot: "/docker/1f" };
  for (const [path, directory, mount] of [
    ["/", "/sys/fs/cgroup", whole],
    ["/a/b", "/sys/fs/cgroup/a/b", whole],
    ["/docker/1f", "/sys/fs/cgroup", part],
    ["/docker/1f/a", "/sys/fs/cgroup/a", part],
  ] as const) {
    expect(procPath(directory, mount)).toBe(path);
    expect(directoryOf(path, mount)).toBe(directory);
  }
  expect(directoryOf("/docker/2a", part)).toBeUndefined();
});

test("a name is looked for below the own group first, and then further up", () => {
  const ancestors = ["/cg/user/session", "/cg/user", "/cg"].map((path) => ({
    path,
    writable: true,
    procsWritable: true,
    files: [],
  }));
  const hierarchy = { version: 2, mountPoint: "/cg", mountRoot: "/", controllers: [], ancestors } as const;
  expect(pathsOf("job", { version: "v2", hierarchies: [hierarchy] })).toEqual([
    "/user/session/job",
    "/user/job",
    "/job",
  ]);
});

test("a program enters v1 groups before its execve, by itself, and keeps nothing open", () => {
  const { sections } = enterPlan(
    ["/bin/true"],
    [
      { what: "/cg/memory/a", fd: 20 },
      { what: "/cg/pids/a", fd: 21 },
    ],
  );
  expect(Object.keys(sections)).toEqual(["host", "undo"]);
  const calls = (sections.host ?? []).map((step) => ("call" in step ? formatCall(step.call) : step.act));
  expect(calls.slice(1, 3)).toEqual(['write(5, "0", 1)', 'write(6, "0", 1)']);
  expect(calls.at(-1)).toStartWith('execve("/bin/true", ["/bin/true"], ');
  expect(calls).toContain("close_range(4, 4294967295, 0)");
  expect(calls.filter((text) => text.startsWith("clone"))).toEqual([]);
});

// The kernel

const scratch = mkdtempSync(join(tmpdir(), "bunshare-cgroup-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const children: { kill(signal: "SIGKILL"): void }[] = [];
afterAll(() => children.forEach((child) => child.kill("SIGKILL")));

/** `bunshare cgroup ...`, to its end. */
const cgroup = (args: readonly string[], options?: RunOptions) => bunshare(["cgroup", ...args], options);

/** It has to go well, and without a word on standard error. */
async function done(args: readonly string[], options?: RunOptions): Promise<string> {
  const { code, stdout, stderr } = await cgroup(args, options);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  return stdout;
}

const used = ["cpu", "memory", "pids"];
/** Why this caller cannot make groups here, or undefined. */
const blocked = layout.hierarchies
  .filter(({ version, controllers }) => version === 2 || controllers.some((name) => used.includes(name)))
  .map((hierarchy) =>
    chooseParent(hierarchy, hierarchy.version === 2 ? used.filter((name) => hierarchy.controllers.includes(name)) : []),
  )
  .find(({ path }) => path === undefined)?.reason;
/** A test of whoever runs the tests: root, or a user in a delegated group. */
const testMaker = (fact: string, body: () => Promise<void>) =>
  test.skipIf(blocked !== undefined)(`${fact}${blocked === undefined ? "" : ` (skipped: ${blocked})`}`, body);

let count = 0;
const newName = (): string => `${prefix}${process.pid}-${++count}`;

/** A new group: its path. */
async function create(...args: string[]): Promise<string> {
  const created = await done(["create", "--controllers", used.join(), ...args, newName()]);
  return later(created.trim());
}

/** A program in the group, by hand. */
function sleepIn(path: string): number {
  const child = Bun.spawn(["sleep", "1000"]);
  children.push(child);
  enter(path, child.pid);
  return child.pid;
}

/** `sleep` by `exec`: where nobody else may move processes. */
async function started(path: string, ...command: string[]) {
  const child = start(bunshareCommand(["cgroup", "exec", path, "--", ...command]));
  children.push(child);
  await until(() => cat("memory", path, "cgroup.procs") !== "");
  return child;
}

async function until(condition: () => boolean): Promise<void> {
  for (
    const deadline = performance.now() + (process.env.BUNSHARE_VM ? 60_000 : 10_000);
    !condition();
    await Bun.sleep(5)
  )
    if (performance.now() > deadline) throw new Error(`never: ${condition}`);
}

const procsOf = (path: string): number[] => cat("memory", path, "cgroup.procs").split("\n").filter(Boolean).map(Number);

/** What the limits of the next test are in the files of this layout. */
const kernelFiles: [controller: string, file: string, text: string][] = isV2
  ? [
      ["memory", "memory.max", "104857600\n"],
      ["pids", "pids.max", "7\n"],
      ["cpu", "cpu.max", "50000 100000\n"],
      ["cpu", "cpu.weight", "200\n"],
    ]
  : [
      ["memory", "memory.limit_in_bytes", "104857600\n"],
      ["pids", "pids.max", "7\n"],
      ["cpu", "cpu.cfs_quota_us", "50000\n"],
      ["cpu", "cpu.cfs_period_us", "100000\n"],
      ["cpu", "cpu.shares", "2048\n"],
    ];

testMaker("create and set write what cat shows, and get reads it, in the words of v2 on v1 too", async () => {
  const path = await create("--set", "memory.max=100M", "--set=pids.max=7");
  expect(await done(["set", path, "cpu.max=50000 100000"])).toBe("");
  await cgroup(["set", path, "cpu.weight=200"]);
  for (const [controller, file, text] of kernelFiles) {
    expect(cat(controller, path, file)).toBe(text);
    // Files of v1 go by their own names too.
    expect(await done(["get", path, file])).toBe(text);
  }
  expect(await done(["get", path, "memory.max", "pids.max", "cpu.max", "cpu.weight"])).toBe(
    "memory.max: 104857600\npids.max: 7\ncpu.max: 50000 100000\ncpu.weight: 200\n",
  );
  expect(
    JSON.parse(await done(["get", "--json", path, "memory.max", "cpu.max", "memory.events", "pids.current"])).values,
  ).toEqual({
    "memory.max": 104857600,
    "cpu.max": { quota: 50000, period: 100000 },
    "memory.events": expect.objectContaining({ max: 0, oom_kill: 0 }),
    "pids.current": 0,
  });
  const all = await done(["get", path]);
  for (const file of ["memory.max: 104857600\n", "pids.max: 7\n", "memory.current: ", "cpu.stat: "])
    expect(all).toContain(file);
  expect(await done(["get", "--controller=pids", path])).toMatch(/^pids\.max: 7\n(pids\.\S+: .*\n(\t.*\n)*)*$/);
});

const cgget = Bun.which("cgget");
test.skipIf(cgget === null || isV2 || blocked !== undefined)(
  "what get prints of v1 files is what cgget prints",
  async () => {
    const path = await create("--set", "memory.max=64M");
    const files = [
      "memory.limit_in_bytes",
      "memory.soft_limit_in_bytes",
      "memory.swappiness",
      "pids.max",
      "cpu.shares",
      "memory.oom_control",
    ];
    const theirs = Bun.spawnSync([cgget ?? "", "-n", ...files.flatMap((file) => ["-r", file]), path]).stdout.toString();
    const ours = await done(["get", path, ...files]);
    expect(ours.split("\n").filter(Boolean).toSorted()).toEqual(theirs.split("\n").filter(Boolean).toSorted());
  },
);

testMaker("set --json has the values as the kernel took them", async () => {
  const path = await create();
  const { group, paths, values } = JSON.parse(
    await done(["set", "--json", path, "memory.max=1000001", "pids.max=max"]),
  );
  expect({ group, values }).toEqual({ group: path, values: { "memory.max": 999424, "pids.max": "max" } });
  expect(Object.values(paths)).toContain(directory("memory", path));
});

test.skipIf(isV2 || blocked !== undefined)("what v1 does not have exactly is said on standard error", async () => {
  const path = await create();
  const { code, stdout, stderr } = await cgroup(["set", path, "cpu.weight=50"]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  expect(stderr).toMatch(/^bunshare: note: cpu\.weight is cpu\.shares here: .+\n$/);
});

testMaker("set writes all values or none", async () => {
  const path = await create("--set=memory.max=100M", "--set=pids.max=5");
  const refused: [words: string[], code: number, stderr: RegExp][] = [
    [["pids.max=9", "memory.max=lots"], 1, /^bunshare: memory\.max: expected bytes .*, got "lots"\n/],
    [
      ["pids.max=9", "memory.mxa=1"],
      6,
      /^bunshare: memory\.mxa of \S+: there is no such file, did you mean memory\.\w+\?\n$/,
    ],
    [["pids.max=9", "cgroup.freeze=2"], 1, /^bunshare: cgroup\.freeze: expected .*, got "2"\n/],
    [["pids.max=9", "pids.max=8"], 2, /^bunshare: set: pids\.max is there twice\n/],
    [["pids.max"], 2, /^bunshare: set: expected FILE=VALUE, got "pids\.max"\n/],
    [[], 2, /^bunshare: FILE=VALUE is missing\n/],
  ];
  for (const [words, code, stderr] of refused) {
    const ended = await cgroup(["set", path, ...words]);
    expect({ words, code: ended.code, stdout: ended.stdout }).toEqual({ words, code, stdout: "" });
    expect(ended.stderr).toMatch(stderr);
    expect(await done(["get", path, "pids.max"])).toBe("5\n");
  }
});

testAs(root, "a value that the kernel refuses is named with its file, and the others are put back", async () => {
  const created = await done(["create", "--controllers=cpuset,pids", "--set=pids.max=5", newName()]);
  const path = later(created.trim());
  const { code, stderr } = await cgroup(["set", path, "pids.max=9", "cpuset.cpus=4000"]);
  expect(code).toBe(1);
  expect(stderr).toMatch(/^bunshare: \S+cpuset\.cpus: write "4000": (EINVAL|ERANGE) \(.*\)\n/);
  expect(await done(["get", path, "pids.max"])).toBe("5\n");
});

testMaker("create makes all of it or nothing, and the groups above that are missing", async () => {
  const top = newName();
  for (const [words, code] of [
    [["--set=memory.max=lots"], 1],
    [["--set=nothing.max=1"], 1],
    [["--controllers=cpu,nothing"], 6],
    [["--owner=nobody-knows-this-user"], 2],
  ] as const) {
    const refused = await cgroup(["create", ...words, top]);
    expect([words, refused.code, refused.stdout]).toEqual([words, code, ""]);
    for (const { mountPoint } of layout.hierarchies) expect(existsSync(`${mountPoint}/${top}`)).toBe(false);
  }
  const inner = JSON.parse(await done(["create", "--json", "--set=pids.max=3", `${top}/a/b`]));
  later(inner.group.replace(/\/a\/b$/, ""));
  expect(inner.group).toEndWith(`/${top}/a/b`);
  expect(cat("pids", inner.group, "pids.max")).toBe("3\n");
  expect(Object.values(inner.paths)).toContain(directory("pids", inner.group));
  const again = await cgroup(["create", inner.group]);
  expect([again.code, again.stderr]).toEqual([
    1,
    expect.stringMatching(/^bunshare: \S+: mkdirat: EEXIST \(File exists\)\n/),
  ]);
  // What was there before is there still.
  expect(existsSync(directory("pids", inner.group))).toBe(true);
});

for (const name of ["..", ".", "a/../b", "cgroup.procs", "a\nb", "x".repeat(256), ""])
  testMaker(`no group is called ${JSON.stringify(name.slice(0, 20))}`, async () => {
    const { code, stdout, stderr } = await cgroup(["create", "--", name]);
    expect({ isRefused: code === 1 || code === 2, stdout }).toEqual({ isRefused: true, stdout: "" });
    expect(stderr).toStartWith("bunshare: ");
  });

testMaker("ls lists a tree: paths, depths, processes, JSON", async () => {
  const path = await create();
  for (const child of ["a", "a/deep", "b"]) await done(["create", "--controllers=pids,memory", `${path}/${child}`]);
  expect(await done(["ls", path])).toBe(`${path}\n${path}/a\n${path}/a/deep\n${path}/b\n`);
  expect(await done(["ls", "--depth=1", path])).toBe(`${path}\n${path}/a\n${path}/b\n`);
  expect(await done(["ls", "--depth=0", path])).toBe(`${path}\n`);
  const child = await started(`${path}/b`, "sleep", "1000");
  const listed = JSON.parse(await done(["ls", "--json", path]));
  expect(listed.map(({ group, procs, frozen }: Record<string, unknown>) => [group, procs, frozen])).toEqual([
    [path, 0, false],
    [`${path}/a`, 0, false],
    [`${path}/a/deep`, 0, false],
    [`${path}/b`, 1, false],
  ]);
  expect(listed[3].controllers).toEqual(expect.arrayContaining(["memory", "pids"]));
  expect(await done(["ls", "-l", `${path}/b`])).toMatch(
    /^PROCS {2}STATE {2}CONTROLLERS +GROUP\n {4}1 {2}- .*\bpids\b.* \/\S+\/b\n$/,
  );
  // All groups of the machine, this one among them.
  expect((await done(["ls"])).split("\n")).toContain(`${path}/a/deep`);
  child.kill("SIGKILL");
});

const lscgroup = Bun.which("lscgroup");
test.skipIf(lscgroup === null || isV2 || blocked !== undefined)("ls lists the groups that lscgroup lists", async () => {
  const path = await create();
  await done(["create", "--controllers=pids", `${path}/a/b`]);
  const theirs = Bun.spawnSync([lscgroup ?? "", `pids:${path}`]).stdout.toString();
  const names = theirs
    .split("\n")
    .filter(Boolean)
    .map((line) => line.slice(line.indexOf(":") + 1).replace(/\/$/, ""));
  expect((await done(["ls", directory("pids", path)])).split("\n").filter(Boolean)).toEqual(names.toSorted());
});

testMaker("rm removes what is empty, and says what is in the way", async () => {
  const path = await create();
  await done(["create", "--controllers=pids,memory", `${path}/a`]);
  const full = await cgroup(["rm", path]);
  expect(full.code).toBe(5);
  expect(full.stderr).toMatch(/^bunshare: \S+: unlinkat: EBUSY \(.*\)\n.*\bgroups a\b.*\n$/);
  const child = await started(`${path}/a`, "sleep", "1000");
  const [pid] = procsOf(`${path}/a`);
  const busy = await cgroup(["rm", "--timeout=100ms", `${path}/a`]);
  expect([busy.code, busy.stdout]).toEqual([5, ""]);
  expect(busy.stderr).toContain(`the processes ${pid}`);
  expect(await done(["rm", "--kill", `${path}/a`])).toBe("");
  expect(await child.exited).toBe(137);
  await done(["create", "--controllers=pids,memory", `${path}/b/c`]);
  const [one] = (await done(["rm", "-r", "--json", path])).trim().split("\n");
  expect(JSON.parse(one ?? "").group).toBe(path);
  for (const { mountPoint } of layout.hierarchies) expect(existsSync(`${mountPoint}${path}`)).toBe(false);
  expect(await cgroup(["rm", path])).toEqual({
    code: 3,
    stdout: "",
    stderr: `bunshare: there is no group "${path}"\n`,
  });
});

testMaker(
  "with several groups each that fails is told, the others are done, and the exit code is the first failure's",
  async () => {
    const [first, last] = [await create(), await create()];
    const { code, stderr } = await cgroup(["rm", first, "/bunshare-test-nowhere", last]);
    expect({ code, stderr }).toEqual({ code: 3, stderr: 'bunshare: there is no group "/bunshare-test-nowhere"\n' });
    expect([first, last].map((path) => existsSync(directory("memory", path)))).toEqual([false, false]);
  },
);

/** Hierarchies that the groups of `create` above are in. */
const inHierarchies = (path: string, text: string): string[] =>
  text
    .split("\n")
    .filter((line) => line.endsWith(`:${path}`))
    .flatMap((line) => line.split(":")[1]?.split(",") ?? []);

testMaker(
  "exec runs a program that is in the group from its first instruction, with all as its caller has it",
  async () => {
    const path = await create();
    const text = await done(["exec", path, "--", "cat", "/proc/self/cgroup"]);
    expect(inHierarchies(path, text)).toEqual(isV2 ? [""] : expect.arrayContaining(["memory", "pids", "cpu"]));
    expect(await done(["exec", path, "cat"], { input: "given" })).toBe("given");
    const status = await done(["exec", path, "--", "cat", "/proc/self/status"]);
    // Bun ignores SIGPIPE; nothing may inherit that.
    expect(status).toMatch(/^SigIgn:\t0+$/m);
    expect(status).toMatch(/^SigBlk:\t0+$/m);
    expect((await done(["exec", path, "--", "ls", "/proc/self/fd"])).trim().split("\n")).toEqual(["0", "1", "2", "3"]);
    expect(await done(["exec", path, "--", "sh", "-c", 'echo "$PWD $A"'], { cwd: "/usr", env: { A: "1" } })).toBe(
      "/usr 1\n",
    );
    expect(procsOf(path)).toEqual([]);
  },
);

const codes: [fact: string, command: string[], code: number, stderr: RegExp][] = [
  ["3, as the program", ["sh", "-c", "exit 3"], 3, /^$/],
  ["126 that the program chose", ["sh", "-c", "exit 126"], 126, /^$/],
  ["137 when SIGKILL ended it", ["sh", "-c", "kill -9 $$"], 137, /^$/],
  [
    "127 without such a program",
    ["no-such-program"],
    127,
    /^bunshare: run no-such-program: ENOENT \(.*\)\n {2}There is no such program, .*\n$/,
  ],
  ["126 for a file without x", ["/etc/passwd"], 126, /^bunshare: run \/etc\/passwd: EACCES \(.*\)\n/],
  ["2 without a command", [], 2, /^bunshare: a command is missing/],
];
for (const [fact, command, code, stderr] of codes)
  testMaker(`exec ends with ${fact}`, async () => {
    const path = await create();
    const ended = await cgroup(["exec", path, ...command]);
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code, stdout: "" });
    expect(ended.stderr).toMatch(stderr);
  });

testMaker("exec ends with 125 when there is no such group, and runs nothing", async () => {
  const file = join(scratch, "ran");
  const ended = await cgroup(["exec", "/bunshare-test-nowhere", "--", "touch", file]);
  expect(ended).toEqual({ code: 125, stdout: "", stderr: 'bunshare: there is no group "/bunshare-test-nowhere"\n' });
  expect(existsSync(file)).toBe(false);
});

testMaker("exec passes signals on, and its program ends it", async () => {
  const path = await create();
  const child = await started(path, "sh", "-c", "trap 'exit 9' TERM; while :; do sleep 0.05; done");
  // The shell has to have come to its trap.
  await Bun.sleep(300);
  child.kill("SIGTERM");
  expect(await child.exited).toBe(9);
});

const strace = Bun.which("strace");
testAs(
  { ...root, skip: root.skip ?? (strace ? undefined : "strace is not here") },
  "no pid is written anywhere: the program is cloned into the v2 group, and enters those of v1 itself",
  async () => {
    const path = await create();
    const trace = join(scratch, "trace");
    const child = start([
      strace ?? "",
      "-f",
      "-o",
      trace,
      "-e",
      "trace=clone3,write,execve",
      ...bunshareCommand(["cgroup", "exec", path, "--", "/bin/true"]),
    ]);
    expect(await child.exited).toBe(0);
    const lines = readFileSync(trace, "utf8").split("\n");
    const intoGroup = lines.findIndex((line) => /clone3\(.*CLONE_INTO_CGROUP/.test(line));
    const program = lines.findIndex((line) => line.includes('execve("/bin/true"'));
    const entries = lines.flatMap((line, i) => (/ write\(\d+, "0", 1/.test(line) ? [i] : []));
    expect(intoGroup).toBeGreaterThan(-1);
    expect(program).toBeGreaterThan(intoGroup);
    expect(entries.length).toBe(isV2 ? 0 : 3);
    for (const entry of entries) expect(entry > intoGroup && entry < program).toBe(true);
    // Who enters is who executes.
    for (const entry of entries) expect(lines[entry]?.split(" ")[0]).toBe(lines[program]?.split(" ")[0]);
    expect(lines.filter((line) => / write\(\d+, "[1-9]\d*\\?n?", /.test(line))).toEqual([]);
  },
);

testMaker("exec on a terminal leaves it to the program: Ctrl-C ends both", async () => {
  const path = await create();
  let shown = "";
  const child = Bun.spawn(bunshareCommand(["cgroup", "exec", path, "--", "sh", "-c", "tty; exec sleep 1000"]), {
    terminal: { data: (_, data) => void (shown += new TextDecoder().decode(data)) },
  });
  await until(() => shown.includes("/dev/pts/"));
  (child.terminal as Bun.Terminal).write("\x03");
  expect(await child.exited).toBe(130);
});

testMaker("a shell in a group of pids.max=2 cannot fork twice, and that is counted", async () => {
  const path = await create("--set=pids.max=2");
  const { stderr } = await cgroup(["exec", path, "--", "bash", "-c", "sleep 0.3 & sleep 0.3 & wait"], {
    env: { LC_ALL: "C" },
  });
  expect(stderr).toContain("fork: ");
  expect(Number(/^max (\d+)$/m.exec(await done(["get", path, "pids.events"]))?.[1])).toBeGreaterThan(0);
});

test.skipIf(!isV2 || blocked !== undefined)(
  "a group that is full takes in no program: 125, and why (needs v2)",
  async () => {
    const path = await create("--set=pids.max=0");
    const { code, stdout, stderr } = await cgroup(["exec", path, "--", "echo", "ran"]);
    expect({ code, stdout }).toEqual({ code: 125, stdout: "" });
    expect(stderr).toMatch(/^bunshare: \S+: clone3: EAGAIN \(.*\)\n .*pids\.max/);
  },
);

testMaker("a program over memory.max is killed, and that is counted", async () => {
  const path = await create("--set=memory.max=20M");
  if (isV2) await done(["set", path, "memory.swap.max=0"]);
  const { code } = await cgroup(["exec", path, "--", "sh", "-c", "tail /dev/zero"]);
  expect(code).toBe(137);
  expect(Number(/^oom_kill (\d+)$/m.exec(await done(["get", path, "memory.events"]))?.[1])).toBeGreaterThan(0);
});

/** User time of a process in ticks: it grows while it runs. */
const ticksOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ")[11]);

testMaker("freeze stops a group, thaw lets it go on", async () => {
  const path = await create();
  const child = await started(path, "sh", "-c", "while :; do :; done");
  await until(() => procsOf(path).length === 1);
  const [pid = 0] = procsOf(path);
  expect(await done(["freeze", path])).toBe("");
  // The command has ended, and the group stays as it is.
  const before = ticksOf(pid);
  await Bun.sleep(300);
  expect(ticksOf(pid)).toBe(before);
  expect(await done(["ls", "-l", path])).toMatch(/\n +1 {2}frozen /);
  expect(await done(["get", path, "cgroup.freeze"])).toBe("1\n");
  expect(await done(["thaw", path])).toBe("");
  await until(() => ticksOf(pid) > before);
  expect(JSON.parse(await done(["ls", "--json", path]))[0].frozen).toBe(false);
  child.kill("SIGKILL");
});

testMaker("a group that holds the command itself is not frozen", async () => {
  const { code, stderr } = await cgroup(["freeze", "/"]);
  expect({ code, stderr }).toEqual({
    code: 5,
    stderr: "bunshare: this process is in / itself, and would stop before it could say so\n",
  });
});

testMaker("kill ends all of a group and below, also what is frozen, or sends another signal", async () => {
  const path = await create();
  const tree = await started(path, "sh", "-c", "sleep 1000 & sleep 1000 & sleep 1000 & wait");
  await until(() => procsOf(path).length === 4);
  expect(await done(["kill", path])).toBe("");
  expect(await tree.exited).toBe(137);
  await until(() => procsOf(path).length === 0);

  const polite = await started(path, "sh", "-c", "trap 'exit 9' USR1; while :; do sleep 0.05; done");
  await Bun.sleep(300);
  const told = JSON.parse(await done(["kill", "--json", "-s", "usr1", path]));
  expect([told.group, told.signal]).toEqual([path, "SIGUSR1"]);
  expect(await polite.exited).toBe(9);

  const frozen = await started(path, "sleep", "1000");
  await done(["freeze", path]);
  await done(["kill", path]);
  expect(await frozen.exited).toBe(137);
});

testMaker(
  "exec goes on to work in a group that has been killed: newer kernels kill whatever is cloned into it",
  async () => {
    const path = await create();
    const child = await started(path, "sleep", "1000");
    await done(["kill", path]);
    await child.exited;
    expect(inHierarchies(path, await done(["exec", path, "--", "cat", "/proc/self/cgroup"]))).toEqual(
      isV2 ? [""] : expect.arrayContaining(["memory", "pids", "cpu", ""]),
    );
  },
);

testMaker("move takes processes into a group, in all hierarchies", async () => {
  const [from, to] = [await create(), await create()];
  const child = await started(from, "sh", "-c", "sleep 1000 & wait");
  await until(() => procsOf(from).length === 2);
  const pids = procsOf(from);
  expect(await done(["move", to, ...pids.map(String)])).toBe("");
  expect([procsOf(from), procsOf(to)]).toEqual([[], pids]);
  for (const pid of pids)
    expect(inHierarchies(to, readFileSync(`/proc/${pid}/cgroup`, "utf8"))).toEqual(
      isV2 ? [""] : expect.arrayContaining(["memory", "pids", "cpu"]),
    );
  const gone = await cgroup(["move", to, "4194304", "0x1"]);
  expect([gone.code, gone.stderr]).toEqual([2, expect.stringMatching(/^bunshare: expected a process id, got "0x1"\n/)]);
  const absent = await cgroup(["move", to, "4194304"]);
  expect([absent.code, absent.stderr]).toEqual([
    3,
    expect.stringMatching(/^bunshare: \S+cgroup\.procs: write "4194304": ESRCH \(No such process\)\n/),
  ]);
  await done(["kill", to]);
  await child.exited;
});

test.skipIf(isV2 || blocked !== undefined)("move --thread takes one thread alone", async () => {
  // Without a directory in the v2 tree, where only threaded groups take single threads.
  const path = later(`/${newName()}`);
  await done(["create", "-g", `memory,pids:${path}`]);
  const child = Bun.spawn([process.execPath, "-e", "setInterval(() => {}, 1000)"]);
  children.push(child);
  await until(() => readdirSync(`/proc/${child.pid}/task`).length > 1);
  const [, thread = ""] = readdirSync(`/proc/${child.pid}/task`);
  await done(["move", "--thread", path, thread]);
  expect(cat("memory", path, "tasks")).toBe(`${thread}\n`);
  child.kill("SIGKILL");
});

// Owners

const asOther: RunOptions = { uid: unprivilegedId };
const other = `${unprivilegedId}:${unprivilegedId}`;
/** Owner of each file of a directory, and of itself as ".". */
const ownersIn = (at: string): Record<string, string> =>
  Object.fromEntries(
    [".", ...readdirSync(at, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []))].map(
      (file) => {
        const { uid, gid } = statSync(`${at}/${file}`);
        return [file, `${uid}:${gid}`];
      },
    ),
  );

const cgcreate = Bun.which("cgcreate");
for (const [fact, options] of [
  ["-a and -t the same", ["-a", "nobody:nogroup", "-t", "nobody:nogroup"]],
  ["-a alone", ["-a", "nobody"]],
  ["-g alone", []],
] as const)
  test.skipIf(cgcreate === null || isV2 || root.skip !== undefined)(
    `create with ${fact} gives the files to whom cgcreate gives them`,
    async () => {
      const [theirs, ours] = [later(`/${newName()}`), later(`/${newName()}`)];
      expect(Bun.spawnSync([cgcreate ?? "", ...options, "-g", `memory,cpu:${theirs.slice(1)}`]).exitCode).toBe(0);
      expect(await done(["create", ...options, "-g", `memory,cpu:${ours.slice(1)}`])).toBe(`${ours}\n`);
      for (const controller of ["memory", "cpu"])
        expect(ownersIn(directory(controller, ours))).toEqual(ownersIn(directory(controller, theirs)));
      // And in no other hierarchy.
      for (const { mountPoint } of layout.hierarchies)
        expect([mountPoint, existsSync(mountPoint + ours)]).toEqual([mountPoint, existsSync(mountPoint + theirs)]);
    },
  );

testAs(
  root,
  "create -a user -t user -g memory,pids:name makes a group whose limits and processes are that user's, in one call",
  async () => {
    const path = later(`/${newName()}`);
    expect(await done(["create", "-a", other, "-t", other, "-g", `memory,pids:${path.slice(1)}`])).toBe(`${path}\n`);
    const written = isV2 ? "memory.max" : "memory.limit_in_bytes";
    expect(await done(["set", path, "memory.max=50M", "pids.max=9"], asOther)).toBe("");
    expect(cat("memory", path, written)).toBe("52428800\n");
    expect(ownersIn(directory("memory", path))).toMatchObject({ ".": other, [written]: other, "cgroup.procs": other });
    if (!isV2)
      expect(inHierarchies(path, await done(["exec", path, "--", "cat", "/proc/self/cgroup"], asOther))).toEqual([
        "pids",
        "memory",
      ]);
    expect(await done(["create", `${path}/below`], asOther)).toBe(`${path}/below\n`);
    expect(await done(["rm", `${path}/below`], asOther)).toBe("");
  },
);

testAs(root, "--owner and --tasks-owner are two people", async () => {
  const path = await create("--owner", "1:1", "--tasks-owner", "2");
  const at = ownersIn(directory("memory", path));
  expect(at["."]).toBe("1:1");
  expect(at["cgroup.procs"]).toBe("2:0");
  expect(at[isV2 ? "memory.max" : "memory.limit_in_bytes"]).toBe("1:1");
  expect(at[isV2 ? "cgroup.threads" : "tasks"]).toBe("2:0");
});

testAs(root, "delegate lets a user make groups below, and not change the limits of the group itself", async () => {
  const path = await create("--set=memory.max=100M");
  expect(await done(["delegate", "--owner", other, "--controllers=memory,pids", path])).toBe(
    "delegated: memory pids\n",
  );
  expect(await done(["create", "--set=pids.max=3", `${path}/below`], asOther)).toBe(`${path}/below\n`);
  const above = await cgroup(["set", path, "memory.max=max"], asOther);
  expect([above.code, above.stdout]).toEqual([4, ""]);
  expect(above.stderr).toMatch(/^bunshare: \S+memory\.\w+: \S.*: EACCES \(Permission denied\)/);
  const all = JSON.parse(await done(["delegate", "--json", "--owner", other, path]));
  expect(all.delegated).toEqual(expect.arrayContaining(["memory", "pids"]));
  for (const { controller, why } of all.notDelegated)
    expect([typeof controller, why.length > 10]).toEqual(["string", true]);
  const unowned = await cgroup(["delegate", path]);
  expect([unowned.code, unowned.stderr]).toEqual([
    2,
    expect.stringMatching(/^bunshare: --owner USER\[:GROUP\] is missing\n/),
  ]);
});

testAs(root, "without rights nothing is made, changed or killed: 4, and which file", async () => {
  const path = await create();
  const pid = sleepIn(path);
  for (const args of [
    ["create", `/${newName()}`],
    ["create", newName()],
    ["set", path, "pids.max=1"],
    ["freeze", path],
    ["kill", path],
    ["rm", path],
    ["move", path, String(process.pid)],
    ["delegate", "--owner", other, path],
  ]) {
    const { code, stdout, stderr } = await cgroup(args, asOther);
    expect([args, code, stdout]).toEqual([args, 4, ""]);
    expect(stderr).toMatch(/^bunshare: .*(EACCES|EPERM|may not be written)/);
  }
  expect(procsOf(path)).toEqual([pid]);
  expect(await done(["get", path, "pids.max"], asOther)).toBe("max\n");
  const entering = await cgroup(["exec", path, "--", "true"], asOther);
  expect([entering.code, entering.stdout]).toEqual([125, ""]);
  expect(entering.stderr).toMatch(/^bunshare: .*EACCES/);
});

// The command line

const refusals: [args: string[], code: number, stderr: RegExp][] = [
  [[], 2, /^bunshare: a verb is missing: create, set, get, /],
  [["crate"], 2, /^bunshare: cgroup: unknown verb "crate", did you mean create\?\n/],
  [["create"], 2, /^bunshare: GROUP is missing/],
  [["create", "-g", "memory"], 2, /^bunshare: --group: expected LIST:PATH, got "memory"\n/],
  [["create", "--jsno", "a"], 2, /^bunshare: unknown option --jsno, did you mean --json\?\n/],
  [["create", "--controllers=cpu,,memory", "a"], 2, /^bunshare: --controllers: expected names with commas/],
  [["get", "/bunshare-test-nowhere", "pids.max"], 3, /^bunshare: there is no group "\/bunshare-test-nowhere"\n$/],
  [["get", "bunshare-test-nowhere"], 3, /^bunshare: there is no group "bunshare-test-nowhere"\n$/],
  [["get", "/", "memory.mxa"], 6, /^bunshare: memory\.mxa of \/: there is no such file/],
  [["get", "--controller=nothing", "/"], 6, /^bunshare: --controller: no controller "nothing" here: /],
  [["ls", "--depth=-1"], 2, /^bunshare: --depth: expected a number/],
  [["ls", "/..", "--json"], 1, /^bunshare: path of the group: expected an absolute path/],
  [["kill", "-s", "NOSIG", "/"], 2, /^bunshare: --signal: expected a signal/],
  [["rm", "--timeout=0", "/"], 2, /^bunshare: --timeout: expected a time/],
  [["move", "/"], 2, /^bunshare: PID\.\.\. is missing\n/],
];
for (const [args, code, stderr] of refusals)
  test(`cgroup ${args.join(" ")} is one sentence, and ends with ${code}`, async () => {
    const ended = await cgroup(args);
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code, stdout: "" });
    expect(ended.stderr).toMatch(stderr);
  });

test("with --json a failure is an object too", async () => {
  const { code, stderr } = await cgroup(["get", "--json", "/bunshare-test-nowhere"]);
  expect(code).toBe(3);
  expect(JSON.parse(stderr.trim().split("\n").at(-1) ?? "").error).toEqual({
    name: "Refusal",
    message: 'there is no group "/bunshare-test-nowhere"',
  });
});

for (const verb of ["create", "set", "get", "ls", "rm", "exec", "freeze", "thaw", "kill", "move", "delegate"])
  test(`cgroup ${verb} --help says how it is used`, async () => {
    const { code, stdout, stderr } = await cgroup([verb, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toStartWith(`bunshare cgroup ${verb} [options] `);
    for (const words of ["--json", "-h, --help", "Examples:\n  bunshare cgroup "]) expect(stdout).toContain(words);
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(134);
  });

test("cgroup --help lists the verbs and the exit codes", async () => {
  const { code, stdout } = await cgroup(["--help"]);
  expect(code).toBe(0);
  for (const words of ["create", "delegate", "GROUP is a path", "Ends with 0"]) expect(stdout).toContain(words);
  expect(mountOf("memory")).not.toBe("");
});
