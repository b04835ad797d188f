/** The options of `run` and `explain`: one table, from which they are parsed, explained and put together. */
import { parseArgs } from "node:util";
import type { IdMap, Limit, Mount, NamespacePath, Root, SpawnOptions } from "../../src/spawn/mod.ts";
import { namespaceKinds, type NamespaceKind } from "../../src/ns/kinds.ts";
import { nearest } from "../../src/spawn/check.ts";
import { SIG } from "../../src/sys/flags.ts";
import { type OptionRow, optionLines } from "./arguments.ts";
import { UsageError } from "./command.ts";

/** What a command line says. */
export interface BoxArguments {
  readonly command: readonly string[];
  readonly options: SpawnOptions;
  /** The options as they were written: `--hostname`. */
  readonly given: readonly string[];
  readonly isJson: boolean;
  readonly hasTimeline: boolean;
  readonly hasHelp: boolean;
}

interface Row extends OptionRow {
  /** The option of `spawnIsolated` behind it, for its error messages. */
  readonly sets?: keyof SpawnOptions;
  readonly read: (draft: Draft, text: string, name: string) => void;
}

/** What has been read so far: SpawnOptions while they can be written, and what only together makes one. */
interface Draft {
  readonly options: { -readonly [name in keyof SpawnOptions]: SpawnOptions[name] };
  readonly join: NamespacePath[];
  readonly layers: string[];
  readonly mounts: Mount[];
  readonly cgroup: Record<string, string>;
  readonly uidMap: IdMap[];
  readonly gidMap: IdMap[];
  readonly env: Record<string, string>;
  readonly rlimits: Record<string, Limit | { soft: Limit; hard: Limit }>;
  readonly timeOffsets: Record<string, number>;
  root?: string;
  upper?: string;
  isWritable?: boolean;
  clearsEnv?: boolean;
  isJson?: boolean;
  hasTimeline?: boolean;
  hasHelp?: boolean;
}

const sections: Readonly<Record<string, Readonly<Record<string, Row>>>> = {
  Namespaces: {
    unshare: {
      value: "LIST|all|none",
      sets: "unshare",
      help: `Kinds to make new, of ${namespaceKinds.join(",")}. Default: all but those joined`,
      read: ({ options }, text) => {
        options.unshare = text === "all" || text === "none" ? text : (text.split(",") as NamespaceKind[]);
      },
    },
    join: {
      value: "KIND=PATH",
      isList: true,
      sets: "join",
      help: "Enter a namespace that exists: net=/run/netns/blue, net=/proc/42/ns/net",
      read: ({ join }, text, name) => {
        const [kind, path] = pair(text, name, "KIND=PATH");
        join.push({ kind: kind as NamespaceKind, path });
      },
    },
    hostname: {
      value: "NAME",
      sets: "hostname",
      help: "Host name. Default: that of the host",
      read: ({ options }, text) => void (options.hostname = text),
    },
    domainname: {
      value: "NAME",
      sets: "domainname",
      help: "NIS domain name",
      read: ({ options }, text) => void (options.domainname = text),
    },
    "time-offset": {
      value: "CLOCK=SECONDS",
      isList: true,
      sets: "timeOffsets",
      help: "How far the clock monotonic or boottime is ahead",
      read: ({ timeOffsets }, text, name) => {
        const [clock, seconds] = pair(text, name, "CLOCK=SECONDS");
        if (!/^[+-]?\d+(\.\d+)?$/.test(seconds)) throw expected(name, "seconds such as 3600 or -1.5", seconds);
        addOnce(timeOffsets, clock, Number(seconds), name);
      },
    },
  },
  Ids: {
    "map-root": {
      sets: "map",
      help: "The caller is root in the box. The default",
      read: ({ options }, _, name) => setMap(options, "root", name),
    },
    "map-self": {
      sets: "map",
      help: "The caller has its own ids in the box",
      read: ({ options }, _, name) => setMap(options, "self", name),
    },
    "map-uid": {
      value: "INSIDE:OUTSIDE:COUNT",
      isList: true,
      sets: "map",
      help: "Map a range of user ids; takes --map-gid too",
      read: ({ uidMap }, text, name) => void uidMap.push(idMap(text, name)),
    },
    "map-gid": {
      value: "INSIDE:OUTSIDE:COUNT",
      isList: true,
      sets: "map",
      help: "Map a range of group ids; takes --map-uid too",
      read: ({ gidMap }, text, name) => void gidMap.push(idMap(text, name)),
    },
    uid: {
      value: "ID",
      sets: "uid",
      help: "User id of the program, as counted in the box",
      read: ({ options }, text, name) => void (options.uid = whole(text, name, "an id")),
    },
    gid: {
      value: "ID",
      sets: "gid",
      help: "Group id of the program, as counted in the box",
      read: ({ options }, text, name) => void (options.gid = whole(text, name, "an id")),
    },
    groups: {
      value: "ID,ID,...",
      sets: "groups",
      help: "Its other groups; empty for none",
      read: ({ options }, text, name) => {
        options.groups = text === "" ? [] : text.split(",").map((id) => whole(id, name, "an id"));
      },
    },
  },
  "Root and mounts": {
    root: {
      value: "host|DIR",
      sets: "root",
      help: "What becomes /: the host's own below an overlay that is thrown away (the default), or a directory, read-only",
      read: (draft, text) => void (draft.root = text),
    },
    writable: {
      help: "Let the program write to the directory of --root",
      read: (draft) => void (draft.isWritable = true),
    },
    layer: {
      value: "DIR",
      isList: true,
      sets: "root",
      help: "Make / an overlay of directories, the lowest first; what is written is thrown away, unless there is --upper",
      read: ({ layers }, text) => void layers.push(text),
    },
    upper: {
      value: "DIR",
      sets: "root",
      help: "The directory that keeps what is written over the layers",
      read: (draft, text) => void (draft.upper = text),
    },
    bind: {
      value: "SRC:DST[:ro]",
      isList: true,
      sets: "mounts",
      help: "Show a file or directory of the host in the box",
      read: ({ mounts }, text, name) => {
        const [bind = "", at = "", mode = "rw", ...rest] = text.split(":");
        if (bind === "" || at === "" || rest.length > 0 || !["ro", "rw"].includes(mode))
          throw expected(name, "SRC:DST or SRC:DST:ro", text);
        mounts.push({ bind, at, readonly: mode === "ro" });
      },
    },
    tmpfs: {
      value: "PATH[:SIZE]",
      isList: true,
      sets: "mounts",
      help: "An empty file system in memory: /cache:64M, /cache:10%",
      read: ({ mounts }, text, name) => {
        const [tmpfs = "", size, ...rest] = text.split(":");
        if (tmpfs === "" || rest.length > 0) throw expected(name, "PATH or PATH:SIZE", text);
        mounts.push({ tmpfs, ...(size === undefined ? {} : { size }) });
      },
    },
  },
  Limits: {
    cgroup: {
      value: "FILE=VALUE",
      isList: true,
      sets: "cgroup",
      help: "A limit, in the kernel's words: memory.max=100M, pids.max=64, cpu.max='50000 100000'",
      read: ({ cgroup }, text, name) => {
        const [file, value] = pair(text, name, "FILE=VALUE");
        addOnce(cgroup, file, value, name);
      },
    },
    rlimit: {
      value: "NAME=SOFT[:HARD]",
      isList: true,
      sets: "rlimits",
      help: "A resource limit of getrlimit(2): nofile=256, core=0, stack=8388608:unlimited",
      read: ({ rlimits }, text, name) => {
        const [resource, limit] = pair(text, name, "NAME=SOFT or NAME=SOFT:HARD");
        const [soft, hard, ...rest] = limit
          .split(":")
          .map((word): Limit => (word === "unlimited" ? word : whole(word, name, 'a limit, a number or "unlimited"')));
        if (soft === undefined || rest.length > 0) throw expected(name, "NAME=SOFT or NAME=SOFT:HARD", text);
        addOnce(rlimits, resource, hard === undefined ? soft : { soft, hard }, name);
      },
    },
    timeout: {
      value: "DURATION",
      sets: "timeout",
      help: "Send the kill signal after this time: 10 (seconds), 500ms, 2m, 1h",
      read: ({ options }, text, name) => void (options.timeout = milliseconds(text, name)),
    },
    "kill-signal": {
      value: "SIGNAL",
      sets: "killSignal",
      help: "What --timeout sends: TERM (the default), SIGKILL, 9",
      read: ({ options }, text, name) => void (options.killSignal = signal(text, name)),
    },
    deadline: {
      value: "DURATION",
      sets: "deadlineMs",
      help: "How long the set-up may take. Default: 10s",
      read: ({ options }, text, name) => void (options.deadlineMs = milliseconds(text, name)),
    },
  },
  Program: {
    env: {
      value: "NAME=VALUE",
      isList: true,
      sets: "env",
      help: "Add a variable to the environment",
      read: ({ env }, text, name) => {
        const [variable, value] = pair(text, name, "NAME=VALUE");
        env[variable] = value;
      },
    },
    "clear-env": {
      help: "Start with an empty environment",
      read: (draft) => void (draft.clearsEnv = true),
    },
    cwd: {
      value: "DIR",
      sets: "cwd",
      help: "Working directory in the box. Default: the caller's, else /",
      read: ({ options }, text) => void (options.cwd = text),
    },
    umask: {
      value: "MASK",
      sets: "umask",
      help: "File mode creation mask, in octal: 022",
      read: ({ options }, text, name) => {
        if (!/^[0-7]{1,4}$/.test(text)) throw expected(name, "an octal mask such as 022", text);
        options.umask = Number.parseInt(text, 8);
      },
    },
    init: {
      sets: "init",
      help: "Have a small init as PID 1, which reaps orphans and passes signals on",
      read: ({ options }) => void (options.init = true),
    },
    "new-privileges": {
      sets: "newPrivileges",
      help: "Let set-user-ID programs work",
      read: ({ options }) => void (options.newPrivileges = true),
    },
    tty: {
      sets: "terminal",
      help: "Give the program a terminal of its own, connected to this one (or to plain streams, with 80 x 24 cells)",
      read: ({ options }) => void (options.terminal = {}),
    },
  },
  Output: {
    json: {
      help: "run: the status as a line of JSON on standard error at the end. explain: the steps as JSON",
      read: (draft) => void (draft.isJson = true),
    },
    timeline: {
      help: "run: how long each step took, on standard error at the end",
      read: (draft) => void (draft.hasTimeline = true),
    },
    help: {
      short: "h",
      help: "This",
      read: (draft) => void (draft.hasHelp = true),
    },
  },
};

const rows: Readonly<Record<string, Row>> = Object.assign(Object.create(null), ...Object.values(sections));

/**
 * Pure. The command begins at `--`, or at the first word that is neither an option nor an option's value.
 * @throws {UsageError} for words that cannot be understood; whether the options make sense is for `plan` to say.
 */
export function parseBox(args: readonly string[], environment: SpawnOptions["env"] = process.env): BoxArguments {
  const { own, command } = split(args);
  const draft: Draft = {
    options: {},
    join: [],
    layers: [],
    mounts: [],
    cgroup: Object.create(null),
    uidMap: [],
    gidMap: [],
    env: Object.create(null),
    rlimits: Object.create(null),
    timeOffsets: {},
  };
  const given: string[] = [];
  for (const { name, rawName, value } of optionTokens(own)) {
    const row = rows[name];
    if (row === undefined) throw unknown(rawName);
    if (row.value === undefined && value !== undefined) throw new UsageError(`${rawName} takes no value`);
    if (row.value !== undefined && value === undefined) throw new UsageError(`${rawName} takes a value: ${row.value}`);
    if (row.value !== undefined && !row.isList && given.includes(rawName))
      throw new UsageError(`${rawName} is there twice`);
    given.push(rawName);
    row.read(draft, value ?? "", rawName);
  }
  const { isJson = false, hasTimeline = false, hasHelp = false } = draft;
  if (!hasHelp && command.length === 0) throw new UsageError("a command is missing: -- CMD ARGS...");
  return { command, options: hasHelp ? {} : finish(draft, environment), given, isJson, hasTimeline, hasHelp };
}

function split(args: readonly string[]): { own: string[]; command: string[] } {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") return { own: args.slice(0, i), command: args.slice(i + 1) };
    if (!arg.startsWith("-")) return { own: args.slice(0, i), command: args.slice(i) };
    if (rows[arg.slice(2)]?.value !== undefined) i++;
  }
  return { own: [...args], command: [] };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value: string | undefined;
}

function optionTokens(args: string[]): OptionToken[] {
  const options = Object.fromEntries(
    Object.entries(rows).map(([name, { value }]) => [
      name,
      { type: value === undefined ? ("boolean" as const) : ("string" as const), multiple: true },
    ]),
  );
  const { tokens } = parseArgs({
    args,
    options: { ...options, help: { type: "boolean", short: "h" } },
    // Its own errors do not say what was probably meant.
    strict: false,
    tokens: true,
  });
  return tokens.flatMap((token) => {
    if (token.kind !== "option") return [];
    const { name, rawName, value, inlineValue } = token;
    // "--hostname --init" is a value forgotten.
    return [{ name, rawName, value: inlineValue === false && value.startsWith("--") ? undefined : value }];
  });
}

function finish(draft: Draft, environment: SpawnOptions["env"]): SpawnOptions {
  const { options, join, mounts, cgroup, uidMap, gidMap, env, rlimits, timeOffsets } = draft;
  const root = readRoot(draft);
  if (root !== undefined) options.root = root;
  if (uidMap.length + gidMap.length > 0) {
    if (uidMap.length === 0 || gidMap.length === 0) throw new UsageError("--map-uid and --map-gid go together");
    setMap(options, { uid: uidMap, gid: gidMap }, "--map-uid");
  }
  if (draft.clearsEnv || size(env) > 0) options.env = { ...(draft.clearsEnv ? {} : environment), ...env };
  return {
    ...options,
    ...(join.length > 0 ? { join } : {}),
    ...(mounts.length > 0 ? { mounts } : {}),
    ...(size(cgroup) > 0 ? { cgroup } : {}),
    ...(size(rlimits) > 0 ? { rlimits } : {}),
    ...(size(timeOffsets) > 0 ? { timeOffsets } : {}),
  };
}

function readRoot({ root, layers, upper, isWritable }: Draft): Root | undefined {
  if (upper !== undefined && layers.length === 0) throw new UsageError("--upper takes at least one --layer");
  if (root !== undefined && layers.length > 0) throw new UsageError("--root and --layer exclude each other");
  if (isWritable && (root === undefined || root === "host"))
    throw new UsageError("--writable takes --root DIR: the host's own root and layers can be written to anyway");
  if (layers.length > 0) return { layers, ...(upper === undefined ? {} : { upper }) };
  return root !== undefined && isWritable ? { dir: root, writable: true } : root;
}

function setMap(options: Draft["options"], map: NonNullable<SpawnOptions["map"]>, name: string): void {
  if (options.map !== undefined && options.map !== map)
    throw new UsageError(`${name}: --map-root, --map-self and --map-uid with --map-gid exclude each other`);
  options.map = map;
}

const size = (object: object): number => Object.keys(object).length;

function addOnce<T>(to: Record<string, T>, key: string, value: T, name: string): void {
  if (Object.hasOwn(to, key)) throw new UsageError(`${name}: ${key} is there twice`);
  to[key] = value;
}

// Values

/** `NAME=VALUE` as both; the value may hold more of `=`. */
export function pair(text: string, name: string, form: string): [string, string] {
  const at = text.indexOf("=");
  if (at <= 0) throw expected(name, form, text);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Digits and nothing else: no sign, no "0x10", no "1e3". */
export function whole(text: string, name: string, what: string): number {
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(Number(text)))
    throw expected(name, `${what} (a whole number)`, text);
  return Number(text);
}

function idMap(text: string, name: string): IdMap {
  const [inside, outside, count, ...rest] = text.split(":").map((id) => whole(id, name, "INSIDE:OUTSIDE:COUNT"));
  if (inside === undefined || outside === undefined || count === undefined || rest.length > 0)
    throw expected(name, "INSIDE:OUTSIDE:COUNT", text);
  return { inside, outside, count };
}

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `10` and `10s` are 10000, `500ms`, `2m`, `1h`. */
export function milliseconds(text: string, name: string): number {
  const [, amount, unit = "s"] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const ms = Math.round(Number(amount) * units[unit as keyof typeof units]);
  // 0 would mean "never" to Bun.spawn.
  if (!(ms >= 1)) throw expected(name, "a time of at least 1ms, such as 10, 500ms or 2m", text);
  return ms;
}

/** `TERM`, `SIGTERM` or `15` as `SIGTERM`. */
export function signal(text: string, name: string): NodeJS.Signals {
  const known = text.toUpperCase().replace(/^SIG/, "");
  const found = Object.entries(SIG).find(([short, number]) => short === known || String(number) === text);
  if (found === undefined) throw expected(name, "a signal such as TERM, SIGKILL or 9", text);
  return `SIG${found[0]}` as NodeJS.Signals;
}

/** The error of a value. */
export function expected(name: string, what: string, text: string): UsageError {
  return new UsageError(`${name}: expected ${what}, got ${JSON.stringify(text)}`);
}

function unknown(rawName: string): UsageError {
  const near = rawName.startsWith("--") ? nearest(rawName.slice(2), Object.keys(rows)) : undefined;
  return new UsageError(`unknown option ${rawName}${near === undefined ? "" : `, did you mean --${near}?`}`);
}

// Words about it

/** The options of the command line that set one of `spawnIsolated`'s: `["--root", "--layer", "--upper"]`. */
export function optionsThatSet(name: string): string[] {
  return Object.entries(rows).flatMap(([option, { sets }]) => (sets === name ? [`--${option}`] : []));
}

/** The table, for `--help`. */
export function optionHelp(): string {
  return Object.entries(sections)
    .map(([title, some]) =>
      [`${title}:`, ...Object.entries(some).flatMap(([name, row]) => optionLines(name, row))].join("\n"),
    )
    .join("\n\n");
}
