/** `bunshare cgroup`: control groups by hand, in the kernel's words, on v1, v2 and hybrid hosts. */
import { readdirSync } from "node:fs";
import { Cgroup } from "../../src/cgroup/cgroup.ts";
import { type Controller, fileEntry, fileNames } from "../../src/cgroup/files.ts";
import { type CgroupLayout, readCgroupLayout } from "../../src/cgroup/layout.ts";
import { explained } from "../../src/cgroup/directory.ts";
import { SyscallError } from "../../src/sys/error.ts";
import { OptionsError } from "../../src/sys/options-error.ts";
import { SIG } from "../../src/sys/flags.ts";
import { sys } from "../../src/sys/vocabulary.ts";
import { nearest } from "../../src/spawn/check.ts";
import { type OptionTable, optionLines, parseWords, type Words } from "./arguments.ts";
import { type Command, UsageError } from "./command.ts";
import { runInGroup } from "./enter.ts";
import { exitCodes, failureJson, failureText } from "./failure.ts";
import { milliseconds, pair, signal } from "./options.ts";
import { type Owner, parseOwner } from "./owner.ts";
import { json, printable } from "./print.ts";
import { codeOf, Refusal } from "./refusal.ts";
import { pathsOf, procPath } from "./group-paths.ts";
import { table } from "./timeline.ts";

interface Verb {
  /** What follows the verb. */
  readonly usage: string;
  readonly summary: string;
  /** Paragraphs. */
  readonly about: string;
  readonly options: OptionTable;
  readonly examples: readonly string[];
  /** `parseWords` with this. */
  readonly operandsBeforeCommand?: number;
  /** Ends with the exit code; undefined is 0. */
  readonly run: (given: Given) => Promise<number | void> | number | void;
}

/** A command line of a verb. */
interface Given extends Words {
  readonly isJson: boolean;
  readonly layout: CgroupLayout;
  /** The only value, or the last one. */
  readonly option: (name: string) => string | undefined;
  readonly list: (name: string) => readonly string[];
  readonly has: (name: string) => boolean;
}

const common = {
  json: { help: "What was done or found as JSON, and what went wrong too" },
  help: { short: "h", help: "Print this" },
} as const satisfies OptionTable;

const owner = {
  owner: {
    short: "a",
    value: "USER[:GROUP]",
    help: "Give the group to a user: its directory and its limits, who may change them and make groups below. As cgcreate -a",
  },
  "tasks-owner": {
    short: "t",
    value: "USER[:GROUP]",
    help: "Let a user move processes into it: the files tasks, cgroup.procs and cgroup.threads. As cgcreate -t",
  },
} as const satisfies OptionTable;

const verbs: Readonly<Record<string, Verb>> = {
  create: {
    usage: "[options] GROUP...",
    summary: "Make groups, limit them and give them to a user",
    about: `Makes a group in the hierarchies of its controllers, sets limits, and changes owners: all of it or nothing. Groups
above it that are missing are made too. Prints the path of the group.`,
    options: {
      controllers: {
        value: "LIST",
        help: 'Controllers that the group is to have: cpu,memory. "*": all. Default: those of its limits',
      },
      group: {
        short: "g",
        value: "LIST:PATH",
        isList: true,
        help: "A group in the hierarchies of these controllers only, by its path from the top: memory,cpu:name. As cgcreate -g",
      },
      set: { value: "FILE=VALUE", isList: true, help: "A limit: memory.max=100M, cpu.max='50000 100000'" },
      ...owner,
    },
    examples: [
      "bunshare cgroup create --set memory.max=2G --set pids.max=512 build",
      "bunshare cgroup create -a ada -t ada -g memory,cpu:ada",
    ],
    run: create,
  },
  set: {
    usage: "[options] GROUP FILE=VALUE...",
    summary: "Write values to files of a group",
    about: `Writes values: all of them, or where one is refused none. Files are those of cgroup v2; on v1 what means the same is
written, and a note says where that is not exact. Names of v1 files are taken too.`,
    options: {},
    examples: ["bunshare cgroup set build memory.max=3G cpu.max='50000 100000'"],
    run: set,
  },
  get: {
    usage: "[options] GROUP [FILE...]",
    summary: "Read files of a group",
    about: `Prints one file as the kernel has it, several with their names as cgget(1) does, and all that can be read where none is
named. On v1 the files of v2 are made of what v1 has.`,
    options: { controller: { value: "NAME", help: "Only files of this controller" } },
    examples: ["bunshare cgroup get build memory.current", "bunshare cgroup get --json build memory.events cpu.stat"],
    run: get,
  },
  ls: {
    usage: "[options] [GROUP]",
    summary: "List groups",
    about: "Lists a group and all below it, a path a line; the whole tree where none is named.",
    options: {
      long: { short: "l", help: "With the number of processes, whether it is frozen, and its controllers" },
      depth: { value: "N", help: "Only so many levels below it" },
    },
    examples: [
      "bunshare cgroup ls -l --depth 1",
      "bunshare cgroup ls --json | jq -r '.[] | select(.procs > 0) | .group'",
    ],
    run: ls,
  },
  rm: {
    usage: "[options] GROUP...",
    summary: "Remove groups",
    about: "Removes groups without processes and without groups below, as rmdir(1) does.",
    options: {
      recursive: { short: "r", help: "Those below it too" },
      kill: { short: "k", help: "Kill what is in it first" },
      timeout: { value: "DURATION", help: "How long to wait for processes that are ending: 1s by default" },
    },
    examples: ["bunshare cgroup rm -r build", "bunshare cgroup rm --kill build"],
    run: rm,
  },
  exec: {
    usage: "[options] GROUP [--] CMD ARGS...",
    summary: "Run a program in a group",
    about: `Runs a program that is in the group from its first instruction: on v2 it is cloned into it (CLONE_INTO_CGROUP), on v1 it
enters before its execve. It keeps terminal and session; signals are passed on.

Ends with the program's exit code, or 128 + n where signal n ended it; with 125 when it could not enter, 126 when it cannot be
executed and 127 when there is none.`,
    options: {},
    examples: ["bunshare cgroup exec build -- make -j8"],
    operandsBeforeCommand: 1,
    run: exec,
  },
  freeze: {
    usage: "[options] GROUP...",
    summary: "Stop all processes of a group",
    about: "Stops all processes of groups, and of those below, until thaw.",
    options: {},
    examples: ["bunshare cgroup freeze build"],
    run: (given) => each(given, (group) => freeze(group, given.layout)),
  },
  thaw: {
    usage: "[options] GROUP...",
    summary: "Let the processes of a frozen group go on",
    about: "Lets frozen processes go on.",
    options: {},
    examples: ["bunshare cgroup thaw build"],
    run: (given) => each(given, (group) => thaw(group, given.layout)),
  },
  kill: {
    usage: "[options] GROUP...",
    summary: "Kill all processes of a group",
    about: "Sends all processes of groups, and of those below, a signal: at once and so that none escapes by forking.",
    options: { signal: { short: "s", value: "SIGNAL", help: "KILL by default: TERM, SIGUSR1, 15" } },
    examples: ["bunshare cgroup kill build", "bunshare cgroup kill -s TERM build"],
    run(given) {
      const name = signal(given.option("signal") ?? "KILL", "--signal");
      return each(given, (group) => group.kill(SIG[name.slice(3) as keyof typeof SIG]), { signal: name });
    },
  },
  move: {
    usage: "[options] GROUP PID...",
    summary: "Move processes into a group",
    about: "Moves processes, with all of their threads, into a group.",
    options: { thread: { help: "The ids are of threads, which are moved alone (v1, and threaded groups of v2)" } },
    examples: ["bunshare cgroup move build $$"],
    run: move,
  },
  delegate: {
    usage: "[options] --owner USER[:GROUP] GROUP",
    summary: "Let a user manage a group and what is below it",
    about: `Gives a user the directory, cgroup.procs, cgroup.threads and cgroup.subtree_control: groups can be made below and
processes moved within, while the limits of the group itself stay its owner's. Prints which controllers came along, and why others
did not.`,
    options: {
      owner: { short: "a", value: "USER[:GROUP]", help: "Who is to manage it" },
      controllers: { value: "LIST", help: "Controllers to pass on: cpu,memory,pids. Default: all that can be" },
      tunables: { help: "The limits of the group itself too, as cgcreate -a gives them" },
    },
    examples: ["bunshare cgroup delegate --owner ada --controllers cpu,memory,pids ada"],
    run: delegate,
  },
};

const overview = `bunshare cgroup VERB [options] ...

Control groups by hand: what is done is what mkdir, cat and echo do in /sys/fs/cgroup, in the words of cgroup v2 on v1 and hybrid
hosts too.

${Object.entries(verbs)
  .map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  .join("\n")}

GROUP is a path as in /proc/PID/cgroup (/build/one), a directory (/sys/fs/cgroup/build), or a name, which is looked for below the
own group and those above it. \`bunshare cgroup VERB --help\` tells the rest.

Ends with 0; with 1 when the kernel refuses, 2 when the command line cannot be understood, 3 when there is no such group, process or
user's file, 4 without the rights, 5 when the group is busy, 6 when this host has no such file or controller.`;

export const cgroup: Command = {
  name: "cgroup",
  summary: "Make, limit, list, freeze, kill and delegate control groups",
  help: overview,
  async run([name = "", ...args]) {
    if (["help", "--help", "-h"].includes(name)) {
      console.log(args[0] !== undefined && Object.hasOwn(verbs, args[0]) ? helpOf(args[0]) : overview);
      return 0;
    }
    const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
    if (verb === undefined) throw new UsageError(unknownVerb(name));
    const words = parseWords(args, { ...verb.options, ...common }, verb.operandsBeforeCommand);
    if (words.options.has("help")) {
      console.log(helpOf(name));
      return 0;
    }
    const list = (option: string): readonly string[] => words.options.get(option) ?? [];
    const has = (option: string): boolean => words.options.has(option);
    const isJson = has("json");
    try {
      const given = {
        ...words,
        isJson,
        layout: readCgroupLayout(),
        list,
        has,
        option: (of: string) => list(of).at(-1),
      };
      return (await verb.run(given)) ?? 0;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      complain(error, isJson);
      return name === "exec" ? codeOfExec(error) : codeOf(error);
    }
  },
};

function unknownVerb(name: string): string {
  if (name === "") return `a verb is missing: ${Object.keys(verbs).join(", ")}`;
  const near = nearest(name, Object.keys(verbs));
  return `cgroup: unknown verb ${JSON.stringify(name)}${near === undefined ? "" : `, did you mean ${near}?`}`;
}

/** The help of a verb. */
export function helpOf(name: string): string {
  const { usage, about, options, examples } = verbs[name] as Verb;
  return `bunshare cgroup ${name} ${usage}

${about}

${Object.entries({ ...options, ...common })
  .flatMap(([option, row]) => optionLines(option, row))
  .join("\n")}

Examples:
${examples.map((line) => `  ${line}`).join("\n")}`;
}

// Failures

function complain(error: unknown, isJson: boolean): void {
  // The library names an option of its own; here it is a word of the command line.
  process.stderr.write(failureText(error).replace(/cgroup\["([^"\\]+)"\]: /, "$1: "));
  if (isJson) process.stderr.write(`${json(failureJson(error))}\n`);
}

function codeOfExec(error: unknown): number {
  if (!(error instanceof SyscallError) || error.syscall !== "execve") return exitCodes.setUp;
  return error.code === "ENOENT" ? exitCodes.notFound : exitCodes.notExecutable;
}

/** Does the same with several things: each that fails is told, and the first failure is the exit code. */
async function forEach<T>(things: readonly T[], isJson: boolean, act: (thing: T) => Promise<void> | void) {
  let code = 0;
  for (const thing of things)
    try {
      await act(thing);
    } catch (error) {
      complain(error, isJson);
      code ||= codeOf(error);
    }
  return code;
}

/** Does something with each group that is named. */
function each(given: Given, act: (group: Cgroup) => Promise<void> | void, more: object = {}): Promise<number> {
  const names = needed(given.operands, "GROUP...");
  return forEach(names, given.isJson, async (name) => {
    const group = openGroup(name, given.layout);
    try {
      const about = { ...describe(group, given.layout), ...more };
      await act(group);
      if (given.isJson) console.log(json(about));
    } finally {
      group.close();
    }
  });
}

function needed(operands: readonly string[], what: string): readonly string[] {
  if (operands.length === 0) throw new UsageError(`${what} is missing`);
  return operands;
}

// Groups and their names

/** Opens a group by what the command line calls it. @throws {Refusal} where there is none */
function openGroup(name: string, layout: CgroupLayout): Cgroup {
  if (name === "") throw new UsageError("GROUP is empty");
  for (const path of name.startsWith("/") ? [name] : pathsOf(name, layout)) {
    try {
      return Cgroup.open(path, layout);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    }
  }
  throw new Refusal("absent", `there is no group ${JSON.stringify(name)}`);
}

/** A group as it is shown: its path as in /proc/PID/cgroup, v2's where hierarchies differ, and its directories. */
function describe(group: Cgroup, layout: CgroupLayout): { group: string; paths: Readonly<Record<string, string>> } {
  const place = group.places.find(({ version }) => version === 2) ?? group.places[0];
  const root = layout.hierarchies.find(({ mountPoint }) => mountPoint === place?.mountPoint)?.mountRoot ?? "/";
  const path =
    place === undefined ? group.name : procPath(place.path, { mountPoint: place.mountPoint, mountRoot: root });
  return { group: path, paths: group.paths };
}

// Controllers and files

/** v2's name of a controller. */
const modern = (name: string): string => (name === "blkio" ? "io" : name);

/** `cpu,memory`, or all for `*`. @throws {Refusal} for what this host does not have */
function readControllers(text: string, layout: CgroupLayout, option: string): Controller[] {
  const known = [...new Set(layout.hierarchies.flatMap(({ controllers }) => controllers.map(modern)))];
  if (text === "*") return known as Controller[];
  const names = text.split(",").map(modern);
  for (const name of names) {
    if (name === "") throw new UsageError(`${option}: expected names with commas between, got ${JSON.stringify(text)}`);
    if (!known.includes(name))
      throw new Refusal("unsupported", `${option}: no controller ${JSON.stringify(name)} here: ${known.join(", ")}`);
  }
  return names as Controller[];
}

/** `FILE=VALUE` words as what is written. */
function readValues(words: readonly string[], what: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const word of words) {
    const [file, value] = pair(word, what, "FILE=VALUE");
    if (Object.hasOwn(values, file)) throw new UsageError(`${what}: ${file} is there twice`);
    values[file] = value;
  }
  return values;
}

/** @throws {Refusal} for a file that the group does not have */
function located(group: Cgroup, file: string, path: string): void {
  const entry = fileEntry(file);
  const isThere = group.locate(file) !== undefined && (entry?.access === "w" || group.text(file) !== undefined);
  if (!isThere) throw new Refusal("unsupported", `${file} of ${path}: ${whyAbsent(group, file)}`);
}

function whyAbsent(group: Cgroup, file: string): string {
  const entry = fileEntry(file);
  if (entry === undefined) {
    const near = nearest(file, fileNames);
    return `there is no such file${near === undefined ? "" : `, did you mean ${near}?`}`;
  }
  try {
    if (entry.v1Only === undefined && entry.controller !== "cgroup") group.dir(entry.controller);
  } catch (error) {
    if (error instanceof OptionsError) return error.message.replace(/^controller: /, "");
    throw error;
  }
  const since = entry.since === undefined ? "" : ` (there since Linux ${entry.since})`;
  if (entry.v1Only !== undefined)
    return `a file of v1, and the group has no directory there${entry.v1Only === "" ? "" : `: ${entry.v1Only}`}`;
  const none = `this kernel, this layout or the top of a hierarchy has no such file${since}`;
  return entry.controller === "cgroup" ? none : `${none}, or ${entry.controller} is not enabled for the group`;
}

/** What is not the same on v1 as what was asked for: a sentence for each file. */
function notes(group: Cgroup, names: readonly string[]): { file: string; v1: readonly string[]; note?: string }[] {
  return names.flatMap((file) => {
    const v1 = fileEntry(file)?.v1;
    if (v1 === undefined || v1.exact || group.locate(file)?.place.version !== 1) return [];
    return [{ file, v1: v1.files, ...(v1.note === undefined ? {} : { note: v1.note }) }];
  });
}

function tellNotes(found: ReturnType<typeof notes>): void {
  for (const { file, v1, note = "not exactly the same" } of found)
    process.stderr.write(`bunshare: note: ${file} is ${v1.join(", ")} here: ${note}\n`);
}

// Verbs

async function create(given: Given): Promise<void> {
  const { layout, isJson } = given;
  const listed = given.option("controllers");
  const controllers = listed === undefined ? undefined : readControllers(listed, layout, "--controllers");
  const wanted = [
    ...given.list("group").map((text) => {
      const at = text.indexOf(":");
      const path = text.slice(at + 1);
      if (at <= 0 || path === "") throw new UsageError(`--group: expected LIST:PATH, got ${JSON.stringify(text)}`);
      const own = readControllers(text.slice(0, at), layout, "--group");
      const all = [...own, ...(controllers ?? [])];
      return { name: path.startsWith("/") ? path : `/${path}`, controllers: all, layout: layoutOf(all, layout) };
    }),
    ...given.operands.map((name) => ({ name, controllers, layout })),
  ];
  if (wanted.length === 0) throw new UsageError("GROUP is missing, or --group LIST:PATH");
  const values = readValues(given.list("set"), "--set");
  const [owner, tasksOwner] = ["owner", "tasks-owner"].map((name) => {
    const text = given.option(name);
    return text === undefined ? undefined : parseOwner(text, `--${name}`);
  });
  const made: Cgroup[] = [];
  try {
    const groups = wanted.map(({ name, controllers: own, layout: where }) => {
      const group = make(name, values, own, where, made);
      changeOwners(group, owner, tasksOwner);
      return group;
    });
    for (const group of groups) {
      const about = describe(group, layout);
      const inexact = notes(group, Object.keys(values));
      if (isJson) console.log(json({ ...about, ...(inexact.length > 0 ? { notes: inexact } : {}) }));
      else {
        tellNotes(inexact);
        console.log(printable(about.group));
      }
    }
  } catch (error) {
    for (const group of made.toReversed()) await group[Symbol.asyncDispose]();
    // There is no group that the caller may make one in.
    if (error instanceof OptionsError && error.where === "cgroup")
      throw new Refusal("forbidden", error.message.replace(/^cgroup: /, ""));
    throw error;
  }
  for (const group of made) group.close();
}

/** Only the hierarchies with these controllers, as cgcreate -g takes it: on a hybrid host no directory in the v2 tree beside them. */
function layoutOf(controllers: readonly string[], layout: CgroupLayout): CgroupLayout {
  const hierarchies = layout.hierarchies.filter(({ controllers: some }) =>
    some.some((name) => controllers.includes(modern(name))),
  );
  return { ...layout, hierarchies };
}

/** Makes a group, and those above it that are missing; `made` grows by all of them. */
function make(
  name: string,
  values: Record<string, string>,
  controllers: readonly Controller[] | undefined,
  layout: CgroupLayout,
  made: Cgroup[],
): Cgroup {
  const words = name.replace(/\/+$/, "").split("/");
  const last = words.pop() ?? "";
  const above = words.join("/") || (name.startsWith("/") ? "/" : undefined);
  const options = { layout, ...(controllers === undefined ? {} : { controllers }) };
  let parent: Cgroup | undefined;
  let isOpened = false;
  if (above !== undefined) {
    try {
      parent = openGroup(above, layout);
      isOpened = true;
    } catch (error) {
      if (!(error instanceof Refusal) || above === "/") throw error;
      parent = make(above, {}, controllers ?? controllersOf(values), layout, made);
    }
  }
  try {
    const group = Cgroup.create(last, values as never, { ...options, ...(parent === undefined ? {} : { parent }) });
    made.push(group);
    return group;
  } finally {
    if (isOpened) parent?.close();
  }
}

/** Whose limits they are: the groups above need the same ones. */
function controllersOf(values: Readonly<Record<string, string>>): Controller[] {
  const all = Object.keys(values).flatMap((file) => fileEntry(file)?.controller ?? []);
  return [...new Set(all)].filter((name) => name !== "cgroup");
}

/** Files by which processes enter. */
const entries = ["tasks", "cgroup.procs", "cgroup.threads"];

/**
 * As cgcreate does: the directory and all files are `owner`'s but for `tasks` on v1 and `cgroup.procs` on v2, which are `tasksOwner`'s.
 * `cgroup.procs` of v1 and `cgroup.threads` follow `tasksOwner` where there is one.
 */
function changeOwners(group: Cgroup, owner: Owner | undefined, tasksOwner: Owner | undefined): void {
  for (const { fd, path, version } of group.places)
    for (const file of owner || tasksOwner ? [".", ...filesIn(path)] : []) {
      const isEntry = entries.includes(file);
      const isOwners = !isEntry || (version === 1 && file === "cgroup.procs");
      const to = (isEntry ? tasksOwner : undefined) ?? (isOwners ? owner : undefined);
      try {
        if (to) sys.fchownat(fd, file, to.uid, to.gid);
      } catch (error) {
        if (!(error instanceof SyscallError)) throw error;
        throw explained(error, file === "." ? path : `${path}/${file}`);
      }
    }
}

const filesIn = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : []));

function set(given: Given): void {
  const [name, ...words] = needed(given.operands, "GROUP");
  if (words.length === 0) throw new UsageError("FILE=VALUE is missing");
  const values = readValues(words, "set");
  const group = openGroup(name ?? "", given.layout);
  try {
    const about = describe(group, given.layout);
    for (const file of Object.keys(values)) located(group, file, about.group);
    group.write(values as never);
    const inexact = notes(group, Object.keys(values));
    if (!given.isJson) return tellNotes(inexact);
    // What the kernel made of it: it rounds to pages, for one.
    const now = Object.fromEntries(Object.keys(values).map((file) => [file, read(group, file)]));
    console.log(json({ ...about, values: now, ...(inexact.length > 0 ? { notes: inexact } : {}) }));
  } finally {
    group.close();
  }
}

/** Typed where the table knows it, text otherwise; undefined for files that only can be written. */
function read(group: Cgroup, file: string): unknown {
  const entry = fileEntry(file);
  if (entry?.access === "w") return undefined;
  return entry === undefined ? group.text(file) : group.read(file as never);
}

function get(given: Given): void {
  const [name, ...names] = needed(given.operands, "GROUP");
  const group = openGroup(name ?? "", given.layout);
  try {
    const about = describe(group, given.layout);
    const controller = given.option("controller");
    if (controller !== undefined && names.length > 0) throw new UsageError("--controller and FILE exclude each other");
    const [only] = controller === undefined ? [] : readControllers(controller, given.layout, "--controller");
    for (const file of names) located(group, file, about.group);
    if (given.isJson) {
      const values =
        names.length > 0
          ? names.map((file) => [file, read(group, file)] as const)
          : Object.entries(group.readAll(only));
      console.log(json({ ...about, values: Object.fromEntries(values) }));
      return;
    }
    const texts = (names.length > 0 ? names : Object.keys(group.readAll(only))).map((file) => {
      const text = group.text(file);
      // It was there a moment ago: the group has gone, or the file can only be written.
      if (text === undefined && names.length > 0)
        throw new Refusal("unsupported", `${file} of ${about.group} cannot be read`);
      return [file, text ?? ""] as const;
    });
    const [first] = texts;
    process.stdout.write(names.length === 1 && first ? withNewline(first[1]) : formatFiles(texts));
  } finally {
    group.close();
  }
}

const withNewline = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`);

/** Pure. As cgget(1): `memory.max: 104857600`, and further lines of a file behind a tab. */
export function formatFiles(texts: readonly (readonly [file: string, text: string])[]): string {
  return texts.map(([file, text]) => `${file}: ${text.trimEnd().replaceAll("\n", "\n\t")}`.trimEnd() + "\n").join("");
}

/** A line of `ls`. */
interface Listed {
  readonly group: string;
  readonly paths: Readonly<Record<string, string>>;
  readonly procs: number;
  readonly frozen: boolean;
  readonly controllers: readonly string[];
}

function ls(given: Given): void {
  if (given.operands.length > 1) throw new UsageError("ls takes one GROUP");
  const depthText = given.option("depth");
  const depth = depthText === undefined ? Infinity : /^\d+$/.test(depthText) ? Number(depthText) : Number.NaN;
  if (Number.isNaN(depth))
    throw new UsageError(`--depth: expected a number of levels, got ${JSON.stringify(depthText)}`);
  const isLong = given.isJson || given.has("long");
  const top = openGroup(given.operands[0] ?? "/", given.layout);
  const found: Listed[] = [];
  try {
    const base = levelsOf(top);
    found.push(listed(top, given.layout, isLong));
    for (const group of top.walk()) {
      try {
        if (levelsOf(group) - base <= depth) found.push(listed(group, given.layout, isLong));
      } catch (error) {
        // Groups come and go while they are looked at.
        if (!(error instanceof SyscallError && ["ENOENT", "ENODEV"].includes(error.code))) throw error;
      } finally {
        group.close();
      }
    }
  } finally {
    top.close();
  }
  if (given.isJson) console.log(json(found));
  else
    process.stdout.write(
      given.has("long") ? formatList(found) : found.map(({ group }) => `${printable(group)}\n`).join(""),
    );
}

/** How far down it is, counted from the mount point. */
const levelsOf = ({ places }: Cgroup): number => {
  const [{ path = "", mountPoint = "" } = {}] = places;
  return path.slice(mountPoint.length).split("/").length + (path === mountPoint ? -1 : 0);
};

function listed(group: Cgroup, layout: CgroupLayout, isLong: boolean): Listed {
  const about = describe(group, layout);
  if (!isLong) return { ...about, procs: 0, frozen: false, controllers: [] };
  const v1 = group.places.flatMap((place) => (place.version === 1 ? place.controllers : []));
  const v2 = group.text("cgroup.controllers")?.split(/\s+/).filter(Boolean) ?? [];
  const controllers = [...new Set([...v1, ...v2])].toSorted();
  return { ...about, procs: procsOf(group), frozen: group.isFrozen(), controllers };
}

/** A threaded group does not tell its processes: its threads are counted. */
function procsOf(group: Cgroup): number {
  try {
    return group.procs().length;
  } catch (error) {
    if (error instanceof SyscallError && error.code === "EOPNOTSUPP") return group.threads().length;
    throw error;
  }
}

/** Pure. A table for `ls -l`. */
export function formatList(groups: readonly Listed[]): string {
  const lines = groups.map(({ group, procs, frozen, controllers }) => [
    String(procs),
    frozen ? "frozen" : "-",
    controllers.join(",") || "-",
    printable(group),
  ]);
  return table([["PROCS", "STATE", "CONTROLLERS", "GROUP"], ...lines], [0]);
}

function rm(given: Given): Promise<number> {
  const timeoutMs = milliseconds(given.option("timeout") ?? "1s", "--timeout");
  return each(given, async (group) => {
    if (given.has("kill")) group.kill();
    await group.remove({ recursive: given.has("recursive"), timeoutMs });
  });
}

/** How long to wait for processes that are in the kernel just now. */
const freezeMs = 2000;

/** Stays frozen when this process has ended, unlike a scope of the library. */
async function freeze(group: Cgroup, layout: CgroupLayout): Promise<void> {
  const { group: path } = describe(group, layout);
  const isInside = group.places.some(({ mountPoint, path: directory }) => {
    const own = layout.hierarchies.find((hierarchy) => hierarchy.mountPoint === mountPoint)?.ownPath;
    return own === directory || own?.startsWith(`${directory}/`);
  });
  if (isInside) throw new Refusal("busy", `this process is in ${path} itself, and would stop before it could say so`);
  located(group, "cgroup.freeze", path);
  group.write({ "cgroup.freeze": true });
  for (const until = performance.now() + freezeMs; !group.isFrozen(); await Bun.sleep(2))
    if (performance.now() > until)
      throw new Refusal("busy", `${path} is told to freeze, and some process still runs after ${freezeMs / 1000} s`);
}

function thaw(group: Cgroup, layout: CgroupLayout): void {
  located(group, "cgroup.freeze", describe(group, layout).group);
  group.write({ "cgroup.freeze": false });
}

async function exec(given: Given): Promise<number> {
  const [name, ...command] = needed(given.operands, "GROUP");
  if (command.length === 0) throw new UsageError("a command is missing: GROUP -- CMD ARGS...");
  const group = openGroup(name ?? "", given.layout);
  try {
    return await runInGroup(command, group);
  } finally {
    group.close();
  }
}

function move(given: Given): Promise<number> {
  const [name, ...words] = needed(given.operands, "GROUP");
  const pids = needed(words, "PID...").map((word) => {
    if (!/^[1-9]\d{0,9}$/.test(word)) throw new UsageError(`expected a process id, got ${JSON.stringify(word)}`);
    return Number(word);
  });
  const group = openGroup(name ?? "", given.layout);
  const about = describe(group, given.layout);
  const isThread = given.has("thread");
  return forEach(pids, given.isJson, (pid) => {
    group.add(pid, { thread: isThread });
    if (given.isJson) console.log(json({ ...about, pid }));
  }).finally(() => group.close());
}

function delegate(given: Given): void {
  const [name, ...more] = needed(given.operands, "GROUP");
  if (more.length > 0) throw new UsageError("delegate takes one GROUP");
  const text = given.option("owner");
  if (text === undefined) throw new UsageError("--owner USER[:GROUP] is missing");
  const { uid, gid, loginGid } = parseOwner(text, "--owner");
  const listed = given.option("controllers");
  const controllers = listed === undefined ? undefined : readControllers(listed, given.layout, "--controllers");
  const group = openGroup(name ?? "", given.layout);
  try {
    const about = describe(group, given.layout);
    const came = group.delegate(uid, gid < 0 ? (loginGid ?? uid) : gid, controllers, {
      tunables: given.has("tunables"),
    });
    if (given.isJson) console.log(json({ ...about, ...came }));
    else process.stdout.write(formatDelegated(came));
  } finally {
    group.close();
  }
}

/** Pure. Which controllers came along, and why others did not. */
export function formatDelegated({ delegated, notDelegated }: ReturnType<Cgroup["delegate"]>): string {
  return [
    `delegated: ${delegated.join(" ") || "no controller"}`,
    ...notDelegated.map(({ controller, why }) => `not delegated: ${controller}: ${why}`),
  ]
    .map((line) => `${line}\n`)
    .join("");
}
