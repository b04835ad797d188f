/** From what the user said to what it means on this host: defaults filled in, contradictions refused. Pure. */
import { resolve } from "node:path";
import type { CgroupLayout } from "../cgroup/layout.ts";
import { type CgroupLimits, type LimitWrites, limitWrites } from "../cgroup/limits.ts";
import type { UserMount } from "../mount/bind.ts";
import type { RootSpec } from "../mount/root.ts";
import { formatIdMap, type IdMap } from "../ns/idmap.ts";
import { kinds, type NamespaceKind, namespaceKinds } from "../ns/kinds.ts";
import { RLIMIT } from "../sys/flags.ts";
import { OptionsError } from "../sys/options-error.ts";
import type { Host } from "./host.ts";
import type { Limit, ResourceLimit, Rlimits, Root, SpawnOptions } from "./options.ts";

/** Everything that a plan is made of. */
export interface Spec {
  /** As it was given: the program first. */
  readonly command: readonly string[];
  /** What is executed: a path, or a name to look for in each directory of the box's PATH. */
  readonly argv: readonly string[];
  /** `NAME=value`. */
  readonly env: readonly string[];
  /** Which namespaces are made. */
  readonly isNew: Readonly<Record<NamespaceKind, boolean>>;
  readonly joins: readonly Join[];
  readonly ids: IdsSpec;
  /** Undefined: the mount namespace, and with it the root, is the caller's or a joined one. */
  readonly root: RootSpec | undefined;
  readonly mounts: readonly UserMount[];
  readonly cgroup: { readonly limits: LimitWrites; readonly layout: CgroupLayout } | undefined;
  /** Undefined, like `domainname`: stays as it is. */
  readonly hostname: string | undefined;
  /** NIS domain name. */
  readonly domainname: string | undefined;
  readonly timeOffsets: SpawnOptions["timeOffsets"];
  readonly isLoopbackUp: boolean;
  /** `isRequired`: the user named it. */
  readonly cwd: { readonly path: string; readonly isRequired: boolean };
  /** File mode creation mask of the program. */
  readonly umask: number;
  readonly rlimits: readonly RlimitSpec[];
  readonly noNewPrivileges: boolean;
  readonly hasInit: boolean;
  /** For the set-up, until the program is executed. */
  readonly deadlineMs: number;
  readonly hasTerminal: boolean;
}

/** A namespace that is entered, and where it is found. */
export interface Join {
  readonly kind: NamespaceKind;
  readonly from: { readonly path: string } | { readonly fd: number };
}

/** Which ids the box has, and which ones its program. */
export interface IdsSpec {
  /** The map of a new user namespace, and who may write it. */
  readonly map?: {
    readonly uid: readonly IdMap[];
    readonly gid: readonly IdMap[];
    readonly by: "box" | "monitor" | { readonly newuidmap: string; readonly newgidmap: string };
  };
  /** To become before anything is made, where the map was written from outside: files need an owner that is mapped. */
  readonly setup?: { readonly uid: number; readonly gid: number };
  /** To become last. */
  readonly final?: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] | undefined };
}

/** One limit as prlimit(2) takes it; `soft` and `hard` are -1 for RLIM_INFINITY. */
export interface RlimitSpec {
  /** As the option is called: `nofile`. */
  readonly name: string;
  /** RLIMIT_*. */
  readonly resource: number;
  readonly soft: number;
  readonly hard: number;
}

/**
 * What a command and its options mean on a host. Pure.
 * @throws {OptionsError} for options that contradict each other or ask for what this host or caller does not have
 */
export function spec(command: readonly string[], options: SpawnOptions, host: Host): Spec {
  const joins = readJoins(options);
  const isNew = readUnshare(options, joins);
  checkRights(options, isNew, joins, host);
  requireNew(options, isNew, joins);
  return {
    command,
    argv: [options.argv0 ?? command[0] ?? "", ...command.slice(1)],
    env: readEnv(options.env ?? host.env),
    isNew,
    joins,
    ids: readIds(options, isNew, joins, host),
    root: isNew.mnt ? readRootSpec(options, host) : undefined,
    mounts: readMounts(options, host),
    cgroup: readCgroup(options, host),
    hostname: options.hostname,
    domainname: options.domainname,
    timeOffsets: options.timeOffsets,
    isLoopbackUp: isNew.net && options.loopback !== false,
    cwd: readCwd(options, isNew, host),
    umask: options.umask ?? host.umask,
    rlimits: readRlimits(options.rlimits ?? {}, host),
    noNewPrivileges: options.newPrivileges !== true,
    hasInit: options.init === true,
    deadlineMs: options.deadlineMs ?? 10_000,
    hasTerminal: options.terminal !== undefined,
  };
}

function readJoins({ join = [] }: SpawnOptions): Join[] {
  return join.map((one, i) => {
    if (join.findIndex(({ kind }) => kind === one.kind) !== i)
      throw new OptionsError(`options.join[${i}]`, one.kind, `a box can join only one ${one.kind} namespace`);
    return { kind: one.kind, from: "path" in one ? { path: resolve(one.path) } : { fd: one.fd } };
  });
}

function readUnshare({ unshare = "all" }: SpawnOptions, joins: readonly Join[]): Record<NamespaceKind, boolean> {
  const isJoined = (kind: NamespaceKind): boolean => joins.some((join) => join.kind === kind);
  if (typeof unshare !== "string") {
    const both = unshare.find(isJoined);
    if (both)
      throw new OptionsError("options.unshare", unshare, `the ${both} namespace cannot be both made and joined`);
  }
  const wants = (kind: NamespaceKind): boolean =>
    unshare === "all" ? !isJoined(kind) : unshare !== "none" && unshare.includes(kind);
  return Object.fromEntries(namespaceKinds.map((kind) => [kind, wants(kind)])) as Record<NamespaceKind, boolean>;
}

function checkRights(options: SpawnOptions, isNew: Spec["isNew"], joins: readonly Join[], host: Host): void {
  const isUserJoined = joins.some(({ kind }) => kind === "user");
  if (!host.isAdmin && !isNew.user && !isUserJoined) {
    const kind = namespaceKinds.find((kind) => isNew[kind]) ?? joins[0]?.kind;
    if (kind)
      throw new OptionsError(
        isNew[kind] ? "options.unshare" : "options.join",
        isNew[kind] ? options.unshare : options.join,
        `a ${kind} namespace takes CAP_SYS_ADMIN, which this user has only in a new user namespace: add "user" to unshare`,
      );
  }
  if (isNew.user && joins.some(({ kind }) => kind === "mnt"))
    throw new OptionsError(
      "options.join",
      options.join,
      'a new user namespace has no rights in a mnt namespace that it does not own: join its user namespace too, or leave "user" out of unshare',
    );
  if (isNew.user && !host.isAdmin && joins.length > 0)
    throw new OptionsError(
      "options.join",
      options.join,
      `entering a ${joins[0]?.kind} namespace takes CAP_SYS_ADMIN in the user namespace that owns it: join that one too`,
    );
}

/** Options that need a new namespace of their kind. */
const needed = [
  ["hostname", "uts"],
  ["domainname", "uts"],
  ["timeOffsets", "time"],
  ["loopback", "net"],
  ["root", "mnt"],
  ["mounts", "mnt"],
  ["map", "user"],
] as const satisfies readonly (readonly [keyof SpawnOptions, NamespaceKind])[];

function requireNew(options: SpawnOptions, isNew: Spec["isNew"], joins: readonly Join[]): void {
  for (const [option, kind] of needed) {
    if (options[option] === undefined || isNew[kind]) continue;
    // The host's root and no mounts are what there is without a new mount namespace anyway.
    if (kind === "mnt" && (options.root ?? "host") === "host" && (options.mounts ?? []).length === 0) continue;
    // What the caller has is not ours to change.
    const isJoined = joins.some((join) => join.kind === kind);
    throw new OptionsError(
      `options.${option}`,
      options[option],
      `takes a new ${kind} namespace (${kinds[kind].manual}), and this box ${isJoined ? "joins one" : "shares the caller's"}`,
    );
  }
}

function readIds(options: SpawnOptions, isNew: Spec["isNew"], joins: readonly Join[], host: Host): IdsSpec {
  const { uid, gid, groups, map = "root" } = options;
  const wantsIds = uid !== undefined || gid !== undefined || groups !== undefined;
  if (!isNew.user) {
    if (!wantsIds) return {};
    if (!host.canMapIds && !joins.some(({ kind }) => kind === "user"))
      throw new OptionsError(
        `options.${uid === undefined ? (gid === undefined ? "groups" : "gid") : "uid"}`,
        uid ?? gid ?? groups,
        "becoming another user takes CAP_SETUID and CAP_SETGID, or a new user namespace",
      );
    return { final: { uid: uid ?? host.uid, gid: gid ?? host.gid, groups: groups ?? [] } };
  }
  if (typeof map === "string") {
    const [own, ownGroup] = map === "root" ? [0, 0] : [host.uid, host.gid];
    if (groups !== undefined)
      throw new OptionsError(
        "options.groups",
        groups,
        "a user namespace with one id has no other groups: give `map` ranges",
      );
    const line = (inside: number, outside: number): IdMap[] => [{ inside, outside, count: 1 }];
    return { map: { uid: line(uid ?? own, host.uid), gid: line(gid ?? ownGroup, host.gid), by: "box" } };
  }
  checkRanges("uid", map.uid);
  checkRanges("gid", map.gid);
  requireMapped("options.uid", uid, map.uid);
  requireMapped("options.gid", gid, map.gid);
  for (const group of groups ?? []) requireMapped("options.groups", group, map.gid);
  const first = (lines: readonly IdMap[]): number => (isMapped(0, lines) ? 0 : (lines[0]?.inside ?? 0));
  const setup = { uid: first(map.uid), gid: first(map.gid) };
  const isOwn = (lines: readonly IdMap[], id: number): boolean =>
    lines.length === 1 && lines[0]?.outside === id && lines[0].count === 1;
  if (isOwn(map.uid, host.uid) && isOwn(map.gid, host.gid)) return { map: { ...map, by: "box" } };
  return {
    map: { ...map, by: host.canMapIds ? "monitor" : readMapperPrograms(map, host) },
    setup,
    ...(wantsIds ? { final: { uid: uid ?? setup.uid, gid: gid ?? setup.gid, groups: groups ?? [] } } : {}),
  };
}

const isMapped = (id: number, lines: readonly IdMap[]): boolean =>
  lines.some(({ inside, count }) => id >= inside && id < inside + count);

function requireMapped(where: string, id: number | undefined, lines: readonly IdMap[]): void {
  if (id !== undefined && !isMapped(id, lines))
    throw new OptionsError(where, id, `id ${id} is not in the map of the user namespace`);
}

function checkRanges(kind: "uid" | "gid", lines: readonly IdMap[]): void {
  // The kernel takes a map in one write of less than a page.
  if (formatIdMap(lines).length >= 4096)
    throw new OptionsError(`options.map.${kind}`, lines.length, "has more lines than fit into 4095 bytes");
  lines.forEach((line, i) => {
    const where = `options.map.${kind}[${i}]`;
    if (line.inside + line.count > 2 ** 32 - 1 || line.outside + line.count > 2 ** 32 - 1)
      throw new OptionsError(where, line, "reaches beyond the last id, 4294967294");
    for (const side of ["inside", "outside"] as const)
      if (
        lines
          .slice(0, i)
          .some((other) => line[side] < other[side] + other.count && other[side] < line[side] + line.count)
      )
        throw new OptionsError(where, line, `overlaps another line ${side} the box`);
  });
}

function readMapperPrograms(
  map: { uid: readonly IdMap[]; gid: readonly IdMap[] },
  { mappers, uid, gid }: Host,
): { newuidmap: string; newgidmap: string } {
  if (mappers?.newuidmap === undefined || mappers.newgidmap === undefined)
    throw new OptionsError(
      "options.map",
      map,
      "mapping more than the own id takes CAP_SETUID, or newuidmap and newgidmap (Debian: package uidmap)",
    );
  for (const [kind, granted, own] of [
    ["uid", mappers.uids, uid],
    ["gid", mappers.gids, gid],
  ] as const)
    map[kind].forEach((line, i) => {
      const isOwn = line.outside === own && line.count === 1;
      const isGranted = granted.some(
        ({ start, count }) => line.outside >= start && line.outside + line.count <= start + count,
      );
      if (!isOwn && !isGranted) {
        const ranges = granted.map(({ start, count }) => `${start}-${start + count - 1}`).join(", ") || "nothing";
        throw new OptionsError(`options.map.${kind}[${i}]`, line, `/etc/sub${kind} grants this user ${ranges}`);
      }
    });
  return { newuidmap: mappers.newuidmap, newgidmap: mappers.newgidmap };
}

/** @throws {OptionsError} also for a host that was read for other options: a limit must not get lost. */
function readCgroup({ cgroup }: SpawnOptions, host: Host): Spec["cgroup"] {
  if (cgroup === undefined) return undefined;
  if (host.cgroups === undefined)
    throw new OptionsError("host", "cgroups", "was read for other options: readHost(options)");
  return { limits: limitWrites(cgroup as CgroupLimits, host.cgroups), layout: host.cgroups };
}

function readRootSpec({ root = "host" }: SpawnOptions, host: Host): RootSpec {
  if (root === "host") {
    if (host.root === undefined)
      throw new OptionsError("host", "root", "was read for other options: readHost(options)");
    return { kind: "host", entries: host.root };
  }
  const directory = (where: string, path: string): string => {
    const full = resolve(path);
    if (host.paths[full] !== "directory")
      throw new OptionsError(
        where,
        path,
        host.paths[full] ? "is not a directory" : "there is no such directory, or no right to see it",
      );
    return full;
  };
  if (typeof root === "string") return { kind: "directory", dir: directory("options.root", root), isWritable: false };
  if ("dir" in root)
    return { kind: "directory", dir: directory("options.root.dir", root.dir), isWritable: root.writable === true };
  return readLayers(root, directory);
}

/** mount(2) takes 4095 bytes of data; a layer takes 25. */
const maxLayers = 150;

function readLayers(
  root: Extract<Root, { layers: readonly string[] }>,
  directory: (where: string, path: string) => string,
): RootSpec {
  const layers = root.layers.map((layer, i) => directory(`options.root.layers[${i}]`, layer));
  if (layers.length > maxLayers)
    throw new OptionsError("options.root.layers", layers.length, `at most ${maxLayers} layers`);
  const twice = layers.findIndex((layer, i) => layers.indexOf(layer) !== i);
  if (twice >= 0)
    throw new OptionsError(`options.root.layers[${twice}]`, layers[twice], "the layer stands there twice");
  if (root.work !== undefined && root.upper === undefined)
    throw new OptionsError(
      "options.root.work",
      root.work,
      "takes an upper: without one, all that is written is thrown away",
    );
  if (root.upper === undefined) return { kind: "layers", layers, upper: undefined, work: undefined };
  const upper = resolve(root.upper);
  const work = resolve(root.work ?? `${upper}.work`);
  if (layers.includes(upper)) throw new OptionsError("options.root.upper", upper, "is a layer too");
  if (work === upper || work.startsWith(`${upper}/`))
    throw new OptionsError("options.root.work", work, "must not be the upper or in it");
  return { kind: "layers", layers, upper, work };
}

function readMounts({ mounts = [] }: SpawnOptions, host: Host): UserMount[] {
  return mounts.map((mount, i): UserMount => {
    const where = `options.mounts[${i}]`;
    if ("tmpfs" in mount) {
      return {
        tmpfs: inBox(`${where}.tmpfs`, mount.tmpfs),
        size: mount.size === undefined ? undefined : String(mount.size),
        mode: mount.mode ?? 0o1777,
      };
    }
    const source = resolve(mount.bind);
    const kind = host.paths[source];
    if (kind === undefined)
      throw new OptionsError(`${where}.bind`, mount.bind, "there is no such file, or no right to see it");
    return { bind: source, at: inBox(`${where}.at`, mount.at), isReadonly: mount.readonly === true, kind };
  });
}

function inBox(where: string, path: string): string {
  const names = path.split("/");
  if (!path.startsWith("/") || names.includes(".."))
    throw new OptionsError(where, path, 'expected an absolute path in the box without ".."');
  if (names.every((name) => name === "" || name === "."))
    throw new OptionsError(where, path, "the root is what the option root is for");
  return path;
}

function readCwd({ cwd, root }: SpawnOptions, isNew: Spec["isNew"], host: Host): Spec["cwd"] {
  if (cwd !== undefined) return { path: resolve(cwd), isRequired: true };
  const isOwnTree = isNew.mnt && root !== undefined && root !== "host";
  return { path: isOwnTree ? "/" : host.cwd, isRequired: false };
}

function readEnv(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));
}

/** What programs are built for: select(2) ends at 1024. Bun has raised it, and the program must not inherit that. */
const ordinaryFiles = 1024;

function readRlimits(rlimits: Rlimits, host: Host): RlimitSpec[] {
  const files = host.maxFiles === -1 ? ordinaryFiles : Math.min(ordinaryFiles, host.maxFiles);
  const wanted: Record<string, ResourceLimit | undefined> = {
    nofile: { soft: files, hard: host.maxFiles === -1 ? "unlimited" : host.maxFiles },
    ...rlimits,
  };
  return Object.entries(wanted).flatMap(([name, limit]) => {
    if (limit === undefined) return [];
    const { soft, hard } = typeof limit === "object" ? limit : { soft: limit, hard: limit };
    const word = (value: Limit): number => (value === "unlimited" ? -1 : value);
    if (word(hard) !== -1 && (word(soft) === -1 || word(soft) > word(hard)))
      throw new OptionsError(`options.rlimits.${name}`, limit, "the soft limit is above the hard one");
    return [{ name, resource: RLIMIT[name.toUpperCase() as keyof typeof RLIMIT], soft: word(soft), hard: word(hard) }];
  });
}
