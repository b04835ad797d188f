/**
 * What may be said to `spawnIsolated`: the one source of the types, the check and the documentation of its options.
 *
 * `scripts/generate-check.ts` makes `options.ts` from it. Importing typebox costs far more than a launch, so nothing
 * but that script, and the sentence about a value that failed, loads this file.
 *
 * Keywords beside JSON schema's: `name` exports the type under that name, `from` takes it from a file instead, `tsType`
 * is the type where JSON schema has no word for it, `expected` completes "expected ..., got ...".
 */
import Type, { type TArrayOptions, type TSchema } from "typebox";
import { namespaceKinds } from "../ns/kinds.ts";
import { type RLIMIT, SIG } from "../sys/flags.ts";
import type { IsolatedProcess } from "./process.ts";

const signals = Object.keys(SIG).map((name) => `SIG${name}` as NodeJS.Signals);

// The kernel ends a string at NUL, and a lone surrogate has no UTF-8: both would be something else on arrival.
// These go into options.ts as they are written: each stands alone, and is cheap the first time too.
const isText = (value: any) => value.isWellFormed() && !value.includes("\0");
const isPath = (value: any) => value !== "" && value.isWellFormed() && !value.includes("\0");
const isHostName = (value: any) =>
  value !== "" &&
  value.isWellFormed() &&
  !value.includes("\0") &&
  (value.length <= 21 || Buffer.byteLength(value) <= 64);
const isBlobOrStream = (value: any) =>
  ArrayBuffer.isView(value) ||
  value instanceof Blob ||
  value instanceof ReadableStream ||
  value instanceof Response ||
  value instanceof Request;
const isBlob = (value: any) => value instanceof Blob;
const isTerminal = (value: any) => "Bun" in globalThis && value instanceof Bun.Terminal;
const isAbortSignal = (value: any) => value instanceof AbortSignal;
const isFunction = (value: any) => typeof value === "function";

/** An option for which `undefined` means the same as leaving it out, as with Bun.spawn. */
const optional = <T extends TSchema>(schema: T, description: string) =>
  Type.Optional(Type.Union([schema, Type.Undefined()], { description }));

/** An option that decides who the program is: given as `undefined` it is an error, never id 0. */
const strict = <T extends TSchema>(schema: T, description: string) =>
  Type.Optional(Type.Union([schema], { description }));

/** A field that has to be there. */
const needed = <T extends TSchema>(schema: T, description: string) => Type.Union([schema], { description });

const list = <T extends TSchema>(items: T, options: TArrayOptions) => Type.Immutable(Type.Array(items, options));

const closed = { additionalProperties: false };

const Text = Type.Refine(Type.String({ expected: "a string without NUL" }), isText);
const Path = Type.Refine(Type.String({ expected: "a path: a string that is not empty, without NUL" }), isPath);
const HostName = Type.Refine(Type.String({ expected: "a name of 1 to 64 bytes, without NUL" }), isHostName);
const Flag = Type.Boolean({ expected: "true or false" });
const Id = Type.Integer({ minimum: 0, maximum: 4294967294, expected: "an id: an integer from 0 to 4294967294" });
const Descriptor = Type.Integer({
  minimum: 0,
  maximum: 2147483647,
  expected: "a file descriptor: an integer from 0 to 2147483647",
});

const NamespaceKind = Type.Enum(namespaceKinds, {
  name: "NamespaceKind",
  from: "../ns/kinds.ts",
  description: "A kind of namespace, called as in /proc/PID/ns. namespaces(7)",
  expected: "a kind of namespace",
});

const NamespaceHandle = Type.Object(
  {
    kind: needed(NamespaceKind, "What it is a namespace of."),
    fd: needed(Descriptor, "An open /proc/PID/ns/KIND, or a bind mount of one."),
  },
  {
    name: "NamespaceHandle",
    description: "An open namespace: a `Namespace`, or anything that has its kind and its descriptor. setns(2)",
  },
);

const NamespacePath = Type.Object(
  {
    kind: needed(NamespaceKind, "What it is a namespace of."),
    path: needed(Path, "Where it is: /proc/PID/ns/KIND, /run/netns/NAME."),
  },
  { ...closed, name: "NamespacePath", description: "A namespace that has a path." },
);

const RootDirectory = Type.Object(
  {
    dir: needed(Path, "The directory that becomes `/`."),
    writable: optional(Flag, "Whether the program may write there. Default: false, the mount is MS_RDONLY."),
  },
  { ...closed, name: "RootDirectory", description: "A directory as the root." },
);

// Open on purpose: the overlay builder carries these as its own fields, beside others.
const RootLayers = Type.Object(
  {
    layers: needed(
      list(Path, { minItems: 1, expected: "a list of at least one directory" }),
      "Read-only directories, lowest first, as stacked: a file of a later one hides that of an earlier one.",
    ),
    upper: optional(Path, "The directory that takes the changes and keeps them. Default: a tmpfs that is thrown away."),
    work: optional(Path, "An empty directory on the file system of `upper`. Default: one beside `upper`."),
  },
  { name: "RootLayers", description: "Directories stacked into one: the plain data of an overlay. overlayfs" },
);

const Root = Type.Union([Path, RootDirectory, RootLayers], {
  name: "Root",
  description:
    'What the program sees as `/`: `"host"` is the root of the host below a copy-on-write overlay that is thrown ' +
    "away, another string a directory, read-only. pivot_root(2)",
  expected: '"host", the path of a directory, { dir, writable } or { layers, upper, work }',
});

const TmpfsMount = Type.Object(
  {
    tmpfs: needed(Path, "Where in the box, made if it is missing."),
    size: optional(
      Type.Union(
        [
          Type.String({ pattern: "^0*[1-9][0-9]*[kKmMgGtTpPeE%]?$" }),
          Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }),
        ],
        { expected: 'bytes above 0: an integer, or a string like "64M" or "10%"' },
      ),
      'The limit, in bytes or as the kernel writes it: "64M" (binary), "10%" of the memory. Default: half of the memory.',
    ),
    mode: optional(
      Type.Integer({ minimum: 0, maximum: 0o7777, expected: "a mode: an integer from 0 to 0o7777" }),
      "Permissions of its root directory. Default: 0o1777.",
    ),
  },
  { ...closed, name: "TmpfsMount", description: "An empty file system in memory. tmpfs(5)" },
);

const BindMount = Type.Object(
  {
    bind: needed(Path, "The file or directory, as the host names it."),
    at: needed(Path, "Where in the box, made if it is missing."),
    readonly: optional(Flag, "MS_RDONLY for it and what is mounted below it. Default: false."),
  },
  {
    ...closed,
    name: "BindMount",
    description: "A file or directory of the host, seen in the box too. mount(2), MS_BIND",
  },
);

const Mount = Type.Union([TmpfsMount, BindMount], {
  name: "Mount",
  description: "One more mount in the box.",
  expected: "{ tmpfs, size, mode } or { bind, at, readonly }",
});

const CpuMax = Type.Object(
  {
    quota: needed(
      Type.Union([Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }), Type.Literal("max")], {
        expected: 'microseconds above 0, or "max"',
      }),
      'Microseconds of CPU time in each period, over all CPUs; "max": no limit.',
    ),
    period: optional(
      Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, expected: "microseconds above 0" }),
      "Length of a period in microseconds. Default: 100000.",
    ),
  },
  { ...closed, name: "CpuMax", description: "The value of cpu.max as fields." },
);

const CgroupLimits = Type.Record(
  Type.String({ pattern: "^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*$" }),
  Type.Union([Text, Type.Number(), CpuMax], {
    expected: "what the file takes: a string, a number or { quota, period }",
  }),
  {
    ...closed,
    name: "CgroupLimits",
    description: 'Values by the kernel\'s file name: `{ "memory.max": "100M", "pids.max": 64 }`. cgroups(7)',
    expected: 'an object with values by file name, like { "memory.max": "100M" }',
    expectedKey: 'the name of a file of a cgroup, like "memory.max"',
  },
);

const IdMap = Type.Object(
  {
    inside: needed(Id, "First id in the box."),
    outside: needed(Id, "First id outside, in the user namespace of the caller."),
    count: needed(
      Type.Integer({ minimum: 1, maximum: 4294967295, expected: "a count: an integer from 1 to 4294967295" }),
      "How many ids follow each other.",
    ),
  },
  { ...closed, name: "IdMap", description: "One line of /proc/PID/uid_map. user_namespaces(7)" },
);

const idMapLines = { minItems: 1, maxItems: 340, expected: "a list of 1 to 340 id ranges" };

const IdMaps = Type.Object(
  {
    uid: needed(list(IdMap, idMapLines), "/proc/PID/uid_map, at most 340 lines."),
    gid: needed(list(IdMap, idMapLines), "/proc/PID/gid_map, at most 340 lines."),
  },
  { ...closed, name: "IdMaps", description: "Which ids the box has, and what they are outside." },
);

const TimeOffsets = Type.Object(
  {
    monotonic: optional(
      Type.Number({ expected: "seconds: a finite number" }),
      "Seconds added to CLOCK_MONOTONIC; may be negative or fractional. Default: 0.",
    ),
    boottime: optional(
      Type.Number({ expected: "seconds: a finite number" }),
      "Seconds added to CLOCK_BOOTTIME; may be negative or fractional. Default: 0.",
    ),
  },
  { ...closed, name: "TimeOffsets", description: "/proc/PID/timens_offsets. time_namespaces(7)" },
);

const Limit = Type.Union([Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), Type.Literal("unlimited")], {
  name: "Limit",
  description: "A resource limit; `unlimited` is RLIM_INFINITY.",
  expected: 'an integer from 0, or "unlimited"',
});

const SoftAndHard = Type.Object(
  {
    soft: needed(Limit, "What the kernel enforces; the program may raise it up to `hard`."),
    hard: needed(Limit, "The ceiling of `soft`."),
  },
  { ...closed, name: "SoftAndHard", description: "Both halves of a resource limit." },
);

/** RLIMIT names in lower case, without the prefix, and their units. */
const resources = {
  as: "RLIMIT_AS: bytes of address space.",
  core: "RLIMIT_CORE: bytes of a core dump.",
  cpu: "RLIMIT_CPU: seconds of CPU time.",
  data: "RLIMIT_DATA: bytes of data segment.",
  fsize: "RLIMIT_FSIZE: bytes of a file.",
  locks: "RLIMIT_LOCKS: file locks; without effect since Linux 2.4.25.",
  memlock: "RLIMIT_MEMLOCK: bytes of locked memory.",
  msgqueue: "RLIMIT_MSGQUEUE: bytes in POSIX message queues, of the user.",
  nice: "RLIMIT_NICE: 20 minus the lowest nice value.",
  nofile: "RLIMIT_NOFILE: the highest file descriptor, and one.",
  nproc: "RLIMIT_NPROC: threads of the user.",
  rss: "RLIMIT_RSS: bytes resident; without effect since Linux 2.4.30.",
  rtprio: "RLIMIT_RTPRIO: the highest real-time priority.",
  rttime: "RLIMIT_RTTIME: microseconds of real-time CPU time without a blocking call.",
  sigpending: "RLIMIT_SIGPENDING: queued signals, of the user.",
  stack: "RLIMIT_STACK: bytes of the main stack.",
} satisfies Record<Lowercase<keyof typeof RLIMIT>, string>;

const ResourceLimit = Type.Union([Limit, SoftAndHard], {
  name: "ResourceLimit",
  description: "One value for both halves, or each.",
  expected: 'an integer from 0, "unlimited" or { soft, hard }',
});

type Resource = keyof typeof resources;
const resource = (name: Resource) => optional(ResourceLimit, resources[name]);

const Rlimits = Type.Object(
  Object.fromEntries(Object.keys(resources).map((name) => [name, resource(name as Resource)])) as {
    [name in Resource]: ReturnType<typeof resource>;
  },
  { ...closed, name: "Rlimits", description: "Resource limits, named as in getrlimit(2), lower case without RLIMIT_." },
);

const Environment = Type.Record(
  Type.String({ pattern: "^[^\\0\\ud800-\\udfff=]+$" }),
  Type.Union([Text, Type.Undefined()], { expected: "a string without NUL" }),
  {
    ...closed,
    name: "Environment",
    description: "Variables by name. environ(7)",
    expected: "an object with a string for every name",
    expectedKey: 'a name: not empty, without "=" and NUL',
  },
);

const stdioNames = { expected: '"pipe", "inherit" or "ignore"' };

const Stdin = Type.Union(
  [
    Type.Enum(["pipe", "inherit", "ignore"], stdioNames),
    Type.Null(),
    Descriptor,
    Type.Refine(
      Type.Unsafe<Bun.BunFile | ArrayBufferView | Blob | ReadableStream | Response | Request>({
        tsType: "Bun.BunFile | ArrayBufferView | Blob | ReadableStream | Response | Request",
      }),
      isBlobOrStream,
    ),
  ],
  {
    name: "Stdin",
    description: "Where standard input comes from, as with Bun.spawn.",
    expected:
      '"pipe", "inherit", "ignore", null, a file descriptor, a Bun.file(), Blob, ArrayBufferView, ReadableStream, Response or Request',
  },
);

const Stdout = Type.Union(
  [
    Type.Enum(["pipe", "inherit", "ignore"], stdioNames),
    Type.Null(),
    Descriptor,
    Type.Refine(Type.Unsafe<Bun.BunFile>({ tsType: "Bun.BunFile" }), isBlob),
  ],
  {
    name: "Stdout",
    description: "Where standard output or standard error goes, as with Bun.spawn.",
    expected: '"pipe", "inherit", "ignore", null, a file descriptor or a Bun.file()',
  },
);

const callback = Type.Refine(Type.Unsafe<(...args: any[]) => void>({ expected: "a function" }), isFunction);
const cells = Type.Integer({ minimum: 1, maximum: 65535, expected: "an integer from 1 to 65535" });

const Terminal = Type.Union(
  [
    Type.Refine(Type.Unsafe<Bun.Terminal>({ tsType: "Bun.Terminal" }), isTerminal),
    Type.Unsafe<Bun.TerminalOptions>({
      ...Type.Object(
        {
          cols: optional(cells, "Columns."),
          rows: optional(cells, "Rows."),
          name: optional(Text, "Name of the terminal, for TERM."),
          data: optional(callback, "Called with what the program writes."),
          exit: optional(callback, "Called when the terminal is closed."),
          drain: optional(callback, "Called when the terminal takes more."),
        },
        closed,
      ),
      tsType: "Bun.TerminalOptions",
    }),
  ],
  { expected: "a Bun.Terminal or its options { cols, rows, name, data, exit, drain }" },
);

/** All options of `spawnIsolated`. */
export const SpawnOptions = Type.Object(
  {
    unshare: optional(
      Type.Union(
        [
          Type.Literal("all"),
          Type.Literal("none"),
          list(NamespaceKind, { uniqueItems: true, expected: "a list of different kinds of namespaces" }),
        ],
        { expected: '"all", "none" or a list of kinds of namespaces' },
      ),
      'Which namespaces are made new. Default: "all" eight, but for those that `join` names. clone3(2), CLONE_NEW*',
    ),
    join: optional(
      list(
        Type.Union([NamespaceHandle, NamespacePath], {
          expected: "a Namespace, or { kind, path }",
        }),
        { expected: "a list of namespaces" },
      ),
      "Namespaces that exist and are entered. Default: none. setns(2)",
    ),
    root: optional(
      Root,
      'What the program sees as `/`. Default: "host" in a new mnt namespace, else the root of the caller. pivot_root(2)',
    ),
    mounts: optional(
      list(Mount, { expected: "a list of mounts" }),
      "Further mounts, in this order. Default: none. mount(2)",
    ),
    cgroup: optional(
      CgroupLimits,
      'A cgroup of its own with these limits, removed afterwards. Default: none. The names and values are those of the kernel ("memory.max", "pids.max"), version 2\'s on every host. cgroups(7)',
    ),
    hostname: optional(
      HostName,
      "Host name in a new uts namespace, 1 to 64 bytes. Default: that of the caller. sethostname(2)",
    ),
    domainname: optional(
      HostName,
      "NIS domain name in a new uts namespace, 1 to 64 bytes. Default: that of the caller. setdomainname(2)",
    ),
    map: strict(
      Type.Union([Type.Literal("root"), Type.Literal("self"), IdMaps], {
        expected: '"root", "self" or { uid, gid }',
      }),
      'Ids of a new user namespace. Default: "root", the caller is uid and gid 0 in the box; "self" keeps the caller\'s ids. /proc/PID/uid_map, user_namespaces(7)',
    ),
    uid: strict(Id, "User id of the program, as counted in the box. Default: not changed. setresuid(2)"),
    gid: strict(Id, "Group id of the program, as counted in the box. Default: not changed. setresgid(2)"),
    groups: strict(
      list(Id, { maxItems: 65536, expected: "a list of at most 65536 ids" }),
      "Supplementary groups of the program, as counted in the box. Default: not changed, none with `uid` or `gid`. setgroups(2)",
    ),
    timeOffsets: optional(
      TimeOffsets,
      "How far the clocks of a new time namespace are ahead, in seconds. Default: 0. /proc/PID/timens_offsets, time_namespaces(7)",
    ),
    loopback: optional(
      Flag,
      "Whether the device lo of a new net namespace is up. Default: true. SIOCSIFFLAGS, netdevice(7)",
    ),
    cwd: optional(
      Path,
      "Working directory, looked up in the box. Default: that of the caller where the box has it, else `/`. chdir(2)",
    ),
    env: optional(
      Environment,
      "The whole environment; names with the value `undefined` are left out. Default: the caller's. execve(2)",
    ),
    umask: optional(
      Type.Integer({ minimum: 0, maximum: 0o777, expected: "a mask: an integer from 0 to 0o777" }),
      "File mode creation mask. Default: that of the caller. umask(2)",
    ),
    rlimits: optional(
      Rlimits,
      "Resource limits. Default: those of the caller, but for the soft RLIMIT_NOFILE that Bun has raised. prlimit(2)",
    ),
    newPrivileges: optional(
      Flag,
      "Whether set-user-ID programs and file capabilities work. Default: false, PR_SET_NO_NEW_PRIVS is set. prctl(2)",
    ),
    init: optional(
      Flag,
      "Whether PID 1 is a small init that reaps orphans and passes signals on. Default: false, the program itself is PID 1. pid_namespaces(7)",
    ),
    deadlineMs: optional(
      Type.Integer({ minimum: 1, maximum: 3600000, expected: "milliseconds: an integer from 1 to 3600000" }),
      "How long the set-up may take, in milliseconds, until the program is executed. Default: 10000.",
    ),
    argv0: optional(Text, "`argv[0]` of the program. Default: the command's own. execve(2)"),
    stdin: optional(Stdin, 'Standard input, as with Bun.spawn. Default: "ignore", /dev/null.'),
    stdout: optional(Stdout, 'Standard output, as with Bun.spawn. Default: "pipe".'),
    stderr: optional(Stdout, 'Standard error, as with Bun.spawn. Default: "inherit".'),
    terminal: optional(
      Terminal,
      "A pseudo-terminal instead of stdin, stdout and stderr, as with Bun.spawn. Default: none. pty(7)",
    ),
    timeout: optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        expected: "milliseconds: an integer from 0",
      }),
      "Milliseconds until `killSignal` is sent, as with Bun.spawn. Default: 0, never.",
    ),
    killSignal: optional(
      Type.Union(
        [
          Type.Unsafe<NodeJS.Signals>({ enum: signals, tsType: "NodeJS.Signals" }),
          Type.Integer({ minimum: 1, maximum: 31 }),
        ],
        { expected: 'the name of a signal like "SIGTERM", or an integer from 1 to 31' },
      ),
      'What `timeout`, `signal` and `maxBuffer` send, as with Bun.spawn. Default: "SIGTERM". signal(7)',
    ),
    signal: optional(
      Type.Refine(Type.Unsafe<AbortSignal>({ tsType: "AbortSignal", expected: "an AbortSignal" }), isAbortSignal),
      "Sends `killSignal` when it aborts, as with Bun.spawn. Default: none.",
    ),
    onExit: optional(
      Type.Refine(
        Type.Unsafe<(box: IsolatedProcess, exitCode: number | null, signalCode: NodeJS.Signals | null) => unknown>({
          tsType: "(box: IsolatedProcess, exitCode: number | null, signalCode: NodeJS.Signals | null) => unknown",
          expected: "a function",
        }),
        isFunction,
      ),
      "Called when the program has ended, as with Bun.spawn.",
    ),
    detached: optional(
      Type.Boolean(),
      "Whether the process that watches over the box has a session of its own, where no key of the caller's terminal sends signals. Default: false; the box itself always has one. setsid(2)",
    ),
    maxBuffer: optional(
      Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, expected: "bytes: an integer from 0" }),
      "Bytes of output after which `killSignal` is sent, as with Bun.spawn. Default: no limit.",
    ),
  },
  {
    ...closed,
    name: "SpawnOptions",
    description: "What `spawnIsolated`, `plan` and `explain` take. Every option may be left out.",
    expected: "an object with options",
  },
);
