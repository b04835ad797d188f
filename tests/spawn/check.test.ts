import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { Static } from "typebox";
import { checkCommand, checkOptions } from "../../src/spawn/check.ts";
import { isSpawnOptions, type SpawnOptions } from "../../src/spawn/options.ts";
import type { SpawnOptions as Schema } from "../../src/spawn/schema.ts";
import { OptionsError } from "../../src/sys/options-error.ts";

const root = join(import.meta.dir, "../..");

// The types are equal, and not only assignable: a field more or a mark less on either side fails `bun check`.
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type Flat<T> = { [K in keyof T]: T[K] };
const isSameType: Equal<Flat<Static<typeof Schema>>, Flat<SpawnOptions>> = true;

const notAnId = "expected an id: an integer from 0 to 4294967294, got ";
const notAPath = "expected a path: a string that is not empty, without NUL, got ";
const notAMap = 'expected "root", "self" or { uid, gid }';
const closedHandle = {
  kind: "net",
  get fd() {
    throw new Error("the namespace is closed");
  },
};
const revoked = (() => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
})();

// The options, where the error is, how its sentence begins.
const bad: [options: unknown, where: string, sentence: string][] = [
  [undefined, "options", "expected an object with options, got undefined"],
  [null, "options", "expected an object with options, got null"],
  [[], "options", "expected an object with options, got []"],
  ["host", "options", 'expected an object with options, got "host"'],
  [revoked, "options", "cannot be read"],

  [{ hostName: "box" }, "options.hostName", "unknown option, did you mean hostname?"],
  [{ mount: [] }, "options.mount", "unknown option, did you mean mounts?"],
  [{ stdio: [] }, "options.stdio", "unknown option, did you mean stdin?"],
  [{ "no such": 1 }, 'options["no such"]', "unknown option"],
  [JSON.parse('{ "__proto__": {} }'), "options.__proto__", "unknown option"],

  // CVE-2026-30892: an id that is not one must never become 0, which is root.
  ...["uid", "gid"].flatMap((name) =>
    [NaN, undefined, null, -1, 1.5, "0x0", " 0", "1e3", "0", "", true, [], 0n, 4294967295, 2 ** 53, Infinity].map(
      (value): [unknown, string, string] => [{ [name]: value }, `options.${name}`, notAnId],
    ),
  ),
  [{ groups: undefined }, "options.groups", "expected a list of at most 65536 ids, got undefined"],
  [{ groups: 0 }, "options.groups", "expected a list of at most 65536 ids, got 0"],
  [{ groups: [0, NaN] }, "options.groups[1]", notAnId],
  [{ groups: ["0"] }, "options.groups[0]", notAnId],
  [{ groups: new Array(2) }, "options.groups[0]", `${notAnId}undefined`],
  [{ groups: new Array(65537).fill(0) }, "options.groups", "has 65537 entries, at most 65536 are possible"],
  [{ map: undefined }, "options.map", `${notAMap}, got undefined`],
  [{ map: null }, "options.map", `${notAMap}, got null`],
  [{ map: "rot" }, "options.map", `${notAMap} (did you mean "root"?), got "rot"`],
  [{ map: {} }, "options.map.uid", "expected a list of 1 to 340 id ranges, got undefined"],
  [{ map: { uid: [], gid: [] } }, "options.map.uid", "expected a list of 1 to 340 id ranges, got []"],
  [{ map: { uid: [{ inside: 0, outside: -1, count: 1 }], gid: [] } }, "options.map.uid[0].outside", notAnId],
  [
    { map: { uid: [{ inside: 0, outside: 0, count: 0 }], gid: [] } },
    "options.map.uid[0].count",
    "expected a count: an integer from 1 to 4294967295, got 0",
  ],
  [
    { map: { uid: new Array(341).fill({ inside: 0, outside: 0, count: 1 }), gid: [] } },
    "options.map.uid",
    "has 341 entries, at most 340 are possible",
  ],

  [
    { unshare: "al" },
    "options.unshare",
    'expected "all", "none" or a list of kinds of namespaces (did you mean "all"?)',
  ],
  [{ unshare: ["network"] }, "options.unshare[0]", "expected a kind of namespace: user, mnt, pid, net"],
  [{ unshare: ["user", "user"] }, "options.unshare[1]", '"user" is there twice'],
  [{ join: ["/run/netns/a"] }, "options.join[0]", "expected a Namespace, or { kind, path }"],
  [{ join: [{ kind: "net" }] }, "options.join[0]", "expected a Namespace, or { kind, path }"],
  [{ join: [{ kind: "net", path: "" }] }, "options.join[0].path", notAPath],
  [{ join: [{ kind: "net", fd: -1 }] }, "options.join[0].fd", "expected a file descriptor"],
  [{ join: [closedHandle] }, "options.join[0].fd", "cannot be read: the namespace is closed"],

  [{ root: "" }, "options.root", 'expected "host", the path of a directory'],
  [{ root: "/a\0b" }, "options.root", 'expected "host", the path of a directory'],
  [{ root: { dir: "/", writeable: true } }, "options.root.writeable", "unknown name, did you mean writable?"],
  [{ root: { layers: [] } }, "options.root.layers", "expected a list of at least one directory, got []"],
  [{ root: { layers: ["/a", "/b\0"] } }, "options.root.layers[1]", notAPath],
  [{ mounts: {} }, "options.mounts", "expected a list of mounts"],
  [{ mounts: [{ tmpfs: "/tmp" }, { tmpfs: "" }] }, "options.mounts[1].tmpfs", notAPath],
  [{ mounts: [{ bind: "/a" }] }, "options.mounts[0].at", `${notAPath}undefined`],
  [
    { mounts: [{ bind: "/a", at: "/b", readOnly: true }] },
    "options.mounts[0].readOnly",
    "unknown name, did you mean readonly?",
  ],
  [{ mounts: [{}] }, "options.mounts[0]", "expected { tmpfs, size, mode } or { bind, at, readonly }, got {}"],
  [{ mounts: new Array(1) }, "options.mounts[0]", "expected { tmpfs, size, mode } or { bind, at, readonly }"],
  [{ mounts: revoked }, "options.mounts", "cannot be read"],
  // 0 would lift the limit. tmpfs(5)
  [{ mounts: [{ tmpfs: "/a", size: 0 }] }, "options.mounts[0].size", "expected bytes above 0"],
  [{ mounts: [{ tmpfs: "/a", size: "64MB" }] }, "options.mounts[0].size", "expected bytes above 0"],
  [{ mounts: [{ tmpfs: "/a", mode: 0o10000 }] }, "options.mounts[0].mode", "expected a mode"],

  [{ cgroup: "/sys/fs/cgroup" }, "options.cgroup", "expected an object with values by file name"],
  [{ cgroup: { "../pids.max": 1 } }, "options.cgroup", 'expected the name of a file of a cgroup, like "memory.max"'],
  [{ cgroup: { "memory.max": NaN } }, 'options.cgroup["memory.max"]', "expected what the file takes"],
  [{ cgroup: { "memory.max": undefined } }, 'options.cgroup["memory.max"]', "expected what the file takes"],
  [
    { cgroup: { "cpu.max": { quota: "all" } } },
    'options.cgroup["cpu.max"].quota',
    'expected microseconds above 0, or "max"',
  ],

  [{ hostname: "" }, "options.hostname", "expected a name of 1 to 64 bytes, without NUL"],
  [{ hostname: "\u00e9".repeat(33) }, "options.hostname", "expected a name of 1 to 64 bytes, without NUL"],
  [{ domainname: "a\0b" }, "options.domainname", "expected a name of 1 to 64 bytes, without NUL"],
  [{ timeOffsets: { monotonic: "1" } }, "options.timeOffsets.monotonic", "expected seconds: a finite number"],
  [{ timeOffsets: { realtime: 1 } }, "options.timeOffsets.realtime", "unknown name, known here: monotonic, boottime"],
  [{ cwd: "" }, "options.cwd", notAPath],
  [{ cwd: "/\ud800" }, "options.cwd", notAPath],
  [{ env: { "A=B": "" } }, "options.env", 'expected a name: not empty, without "=" and NUL, got "A=B"'],
  [{ env: { "": "" } }, "options.env", 'expected a name: not empty, without "=" and NUL, got ""'],
  [{ env: { PATH: 1 } }, "options.env.PATH", "expected a string without NUL, got 1"],
  [{ env: { PATH: "/bin\0" } }, "options.env.PATH", "expected a string without NUL"],
  [{ umask: 0o1000 }, "options.umask", "expected a mask: an integer from 0 to 0o777"],
  [{ rlimits: { nofiles: 1 } }, "options.rlimits.nofiles", "unknown name, did you mean nofile?"],
  [{ rlimits: { core: -1 } }, "options.rlimits.core", 'expected an integer from 0, "unlimited" or { soft, hard }'],
  [{ rlimits: { core: { soft: 1 } } }, "options.rlimits.core.hard", 'expected an integer from 0, or "unlimited"'],
  [{ newPrivileges: 1 }, "options.newPrivileges", "expected true or false, got 1"],
  [{ init: "yes" }, "options.init", "expected true or false"],
  [{ deadlineMs: 0 }, "options.deadlineMs", "expected milliseconds: an integer from 1 to 3600000"],
  [{ argv0: "\0" }, "options.argv0", "expected a string without NUL"],

  [{ stdin: "pip" }, "options.stdin", 'expected "pipe", "inherit", "ignore", null'],
  [{ stdout: new Uint8Array(1) }, "options.stdout", 'expected "pipe", "inherit", "ignore", null'],
  [{ stderr: -1 }, "options.stderr", 'expected "pipe", "inherit", "ignore", null'],
  [{ terminal: { columns: 80 } }, "options.terminal.columns", "unknown name, known here: cols, rows"],
  [{ terminal: { cols: 0 } }, "options.terminal.cols", "expected an integer from 1 to 65535"],
  [{ timeout: Infinity }, "options.timeout", "expected milliseconds: an integer from 0"],
  [
    { killSignal: "SIGKIL" },
    "options.killSignal",
    'expected the name of a signal like "SIGTERM", or an integer from 1 to 31 (did you mean "SIGKILL"?)',
  ],
  [{ killSignal: 0 }, "options.killSignal", "expected the name of a signal"],
  [{ signal: {} }, "options.signal", "expected an AbortSignal"],
  [{ onExit: "exit" }, "options.onExit", "expected a function"],
  [{ maxBuffer: 1.5 }, "options.maxBuffer", "expected bytes: an integer from 0"],
];

const good: SpawnOptions[] = [
  {},
  { unshare: "none", hostname: undefined, env: undefined, stdout: undefined, onExit: undefined },
  { unshare: ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"], join: [] },
  {
    join: [
      { kind: "net", fd: 3 },
      { kind: "uts", path: "/proc/1/ns/uts" },
    ],
  },
  { root: "host" },
  {
    root: "/images/base",
    mounts: [
      { tmpfs: "/tmp", size: "64M" },
      { bind: "/etc/hosts", at: "/etc/hosts", readonly: true },
    ],
  },
  { root: { dir: "/images/base", writable: true }, mounts: [{ tmpfs: "/run", size: 4096, mode: 0o755 }] },
  { cgroup: { "memory.max": "100M", "pids.max": 64, "cpu.max": { quota: 50_000, period: 100_000 } } },
  { cgroup: { "hugetlb.2MB.rsvd.max": "max", "cpu.max": { quota: "max" }, notify_on_release: 1 } },
  { hostname: "\u00e9".repeat(32), domainname: "a b" },
  { map: "self", uid: 0, gid: 4294967294, groups: [] },
  { map: { uid: [{ inside: 0, outside: 100000, count: 65536 }], gid: [{ inside: 0, outside: 0, count: 4294967295 }] } },
  { timeOffsets: { monotonic: -1.5, boottime: 86400 }, loopback: false },
  { cwd: "/", env: { PATH: "/bin", EMPTY: "", GONE: undefined }, umask: 0o022, argv0: "" },
  { env: process.env },
  { rlimits: { nofile: 1024, core: "unlimited", stack: { soft: 8388608, hard: "unlimited" } } },
  { newPrivileges: true, init: true, deadlineMs: 3600000 },
  { stdin: null, stdout: 5, stderr: Bun.file("/dev/null") },
  { stdin: new Blob(["a"]), stdout: "ignore", stderr: "pipe" },
  { stdin: new Uint8Array(1) },
  { stdin: new Response("a").body! },
  { terminal: { cols: 80, rows: 24, name: "xterm", data() {} } },
  { timeout: 0, killSignal: "SIGKILL", signal: new AbortController().signal, onExit() {}, maxBuffer: 1024 },
  { killSignal: 9 },
];

bad.forEach(([options, where, sentence], index) => {
  test(`checkOptions() refuses ${where}, case ${index}: ${sentence}`, () => {
    const error = thrown(() => checkOptions(options));
    expect(error.where).toBe(where);
    expect(error.message).toStartWith(`${where}: ${sentence}`);
    expect(error).toBeInstanceOf(TypeError);
  });
});

good.forEach((options, index) => {
  test(`checkOptions() takes ${Object.keys(options).join(", ") || "{}"}, case ${index}`, () => {
    checkOptions(options);
  });
});

test("checkOptions() takes handles and builders, whose other fields are their own", () => {
  class Handle {
    readonly kind = "net";
    readonly other = 1;
    get fd() {
      return 3;
    }
  }
  checkOptions({ join: [new Handle()], root: { layers: ["/a", "/b"], upper: "/c", redirectDir: "on" } });
});

test("checkOptions() takes a Bun.Terminal", () => {
  const terminal = new Bun.Terminal({ cols: 80 });
  checkOptions({ terminal });
  terminal.close();
});

test("checkCommand() takes a program and its arguments, and nothing else", () => {
  checkCommand(["sh", "-c", ""]);
  for (const [cmd, message] of [
    [undefined, "cmd: expected a list of strings, the program first, got undefined"],
    ["sh", 'cmd: expected a list of strings, the program first, got "sh"'],
    [[], "cmd: expected a list of strings, the program first, got []"],
    [[""], 'cmd[0]: expected a program: a string that is not empty, without NUL, got ""'],
    [["sh", 1], "cmd[1]: expected a string without NUL, got 1"],
    [["sh", , "a"], "cmd[1]: expected a string without NUL, got undefined"],
    [["sh", "a\0"], 'cmd[1]: expected a string without NUL, got "a\\u0000"'],
    [["sh", "\ud800"], 'cmd[1]: expected a string without NUL, got "\\ud800"'],
  ] as const) {
    expect(thrown(() => checkCommand(cmd)).message).toBe(message);
  }
});

test("checkOptions() throws nothing but OptionsError, and finds the place whenever the check fails", () => {
  const names = ["unshare", "join", "root", "mounts", "cgroup", "map", "uid", "groups", "env", "rlimits", "terminal"];
  const fields = ["kind", "fd", "path", "dir", "layers", "tmpfs", "bind", "at", "size", "uid", "gid", "nofile", "cols"];
  const value = fc.oneof(
    fc.anything({ withBigInt: true, withMap: true, withNullPrototype: true, withSparseArray: true }),
    fc.dictionary(fc.constantFrom(...fields), fc.anything(), { maxKeys: 3 }),
    fc.array(fc.dictionary(fc.constantFrom(...fields), fc.anything(), { maxKeys: 3 }), { maxLength: 2 }),
  );
  const options = fc.oneof(value, fc.dictionary(fc.constantFrom(...names, "other"), value, { maxKeys: 3 }));
  fc.assert(
    fc.property(options, (options) => {
      if (isSpawnOptions(options)) return checkOptions(options);
      const error = thrown(() => checkOptions(options));
      expect(error.message).not.toContain("SpawnOptions");
    }),
    { numRuns: 2000 },
  );
});

test("src/spawn/options.ts is current, formatted and of the same type as the schema", () => {
  expect(isSameType).toBe(true);
  expect(run(["scripts/generate-check.ts", "--check"])).toEqual({ exitCode: 0, output: "" });
});

test("typebox is loaded to explain a failure, and for nothing else", () => {
  const script = `
    import { checkOptions } from "./src/spawn/check.ts";
    const isLoaded = () => Object.keys(require.cache).some((path) => path.includes("typebox"));
    checkOptions({ uid: 0, mounts: [{ tmpfs: "/tmp" }] });
    console.log(isLoaded());
    try { checkOptions({ uid: -1 }); } catch {}
    console.log(isLoaded());`;
  expect(run(["--eval", script])).toEqual({ exitCode: 0, output: "false\ntrue\n" });
});

test("a bundled program comes without typebox and gets a plain sentence", () => {
  const dir = mkdtempSync(join(tmpdir(), "bunshare-check-"));
  try {
    const file = join(dir, "check.js");
    const build = run(["build", "src/spawn/check.ts", "--target=bun", `--outfile=${file}`]);
    expect(build.exitCode).toBe(0);
    expect(readFileSync(file, "utf8")).not.toInclude("~kind"); // As every type of typebox has.
    const script = `
      import { checkOptions } from ${JSON.stringify(file)};
      checkOptions({ uid: 0 });
      try { checkOptions({ uid: -1 }); } catch (error) { console.log(String(error)); }`;
    expect(run(["--no-install", "--eval", script], dir).output).toBe(
      'OptionsError: options: expected options as the type SpawnOptions describes them, got {"uid":-1}\n',
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
});

function thrown(run: () => void): OptionsError {
  try {
    run();
  } catch (error) {
    if (error instanceof OptionsError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

function run(args: string[], cwd = root): { exitCode: number; output: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync([process.execPath, ...args], { cwd });
  return { exitCode, output: `${stdout}${stderr}` };
}
