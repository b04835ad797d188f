/** The host: the facts that a plan depends on, read once and passed in, so that planning itself touches nothing. */
import { lstatSync, readdirSync, readFileSync, readlinkSync, type Stats, statSync } from "node:fs";
import { resolve } from "node:path";
import { type CgroupLayout, readCgroupLayout } from "../cgroup/layout.ts";
import type { HostEntry } from "../mount/root.ts";
import { mountinfo } from "../proc/mountinfo.ts";
import { rangesOf, subgid, type SubidRange, subuid } from "../proc/subid.ts";
import { readIfThere } from "../proc/read.ts";
import { CAP } from "../sys/flags.ts";
import type { Arch } from "../sys/numbers.ts";
import type { SpawnOptions } from "./options.ts";

/** What a plan has to know of the machine and the caller. */
export interface Host {
  readonly arch: Arch;
  /** `[6, 18]`. */
  readonly kernel: readonly [major: number, minor: number];
  readonly uid: number;
  readonly gid: number;
  /** CAP_SYS_ADMIN in the caller's user namespace, which making any but a user namespace takes. */
  readonly isAdmin: boolean;
  /** CAP_SETUID and CAP_SETGID: any id may be mapped. */
  readonly canMapIds: boolean;
  /** File mode creation mask of this process. umask(2) */
  readonly umask: number;
  /** Working directory of this process. */
  readonly cwd: string;
  /** Environment of this process: the box's, unless the options have one. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Hard RLIMIT_NOFILE. */
  readonly maxFiles: number;
  /** Six hexadecimal digits that tell the groups of different processes apart. */
  readonly token: string;
  /** A directory to put the new root together on. */
  readonly base: string;
  /** Each of these is there when the options need it. */
  readonly root?: readonly HostEntry[];
  readonly cgroups?: CgroupLayout;
  readonly mappers?: Mappers;
  /** By path: what the options name as roots, layers and sources of binds. */
  readonly paths: Readonly<Record<string, "directory" | "file" | undefined>>;
}

/** What an unprivileged caller may map. newuidmap(1), subuid(5) */
export interface Mappers {
  /** Path of the program, like that of `newgidmap`; undefined where /usr/bin, /bin and /usr/local/bin lack it. */
  readonly newuidmap: string | undefined;
  /** Likewise. */
  readonly newgidmap: string | undefined;
  /** The caller's ranges in /etc/subuid. */
  readonly uids: readonly SubidRange[];
  /** The caller's ranges in /etc/subgid. */
  readonly gids: readonly SubidRange[];
}

/** Reads what a plan with these options needs to know. */
export function readHost(options: SpawnOptions = {}): Host {
  // A set-user-ID program that starts boxes would lend its rights to whoever calls it.
  if (process.getuid?.() !== process.geteuid?.() || process.getgid?.() !== process.getegid?.())
    throw new Error("bunshare does not run set-user-ID or set-group-ID: the real and the effective ids differ");
  // Two fields of some sixty: parsing all would take longer than all else here.
  const status = readFileSync("/proc/self/status", "utf8");
  const capabilities = BigInt(`0x${/^CapEff:\t([0-9a-f]+)/m.exec(status)?.[1] ?? "0"}`);
  const umask = /^Umask:\t([0-7]+)/m.exec(status)?.[1] ?? "022";
  const can = (bit: number): boolean => ((capabilities >> BigInt(bit)) & 1n) === 1n;
  const [major = 0, minor = 0] = readFileSync("/proc/sys/kernel/osrelease", "utf8").split(/[.-]/).map(Number);
  const { uid, gid } = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  return {
    arch: process.arch as Arch,
    kernel: [major, minor],
    uid,
    gid,
    isAdmin: can(CAP.SYS_ADMIN),
    canMapIds: can(CAP.SETUID) && can(CAP.SETGID),
    umask: Number.parseInt(umask, 8),
    cwd: process.cwd(),
    env: process.env,
    maxFiles: maxFiles(),
    token: crypto.getRandomValues(new Uint8Array(3)).toHex(),
    base: ["/tmp", "/mnt", "/run"].find((path) => kindOf(path) === "directory") ?? "/",
    paths: Object.fromEntries(pathsOf(options).map((path) => [path, kindOf(path)])),
    ...(showsHostRoot(options) ? { root: readRoot() } : {}),
    ...(options.cgroup ? { cgroups: readCgroupLayout() } : {}),
    ...(typeof options.map === "object" ? { mappers: readMappers(uid) } : {}),
  };
}

/** Whether the root of the box is made of the host's. */
export function showsHostRoot({ root, unshare, join }: SpawnOptions): boolean {
  const hasNewMounts =
    unshare === undefined || unshare === "all" ? !join?.some(({ kind }) => kind === "mnt") : unshare.includes("mnt");
  return hasNewMounts && (root === undefined || root === "host");
}

function pathsOf({ root, mounts }: SpawnOptions): string[] {
  const ofRoot =
    root === undefined || root === "host"
      ? []
      : typeof root === "string"
        ? [root]
        : "dir" in root
          ? [root.dir]
          : [...root.layers, root.upper ?? ""];
  return [...ofRoot, ...(mounts ?? []).flatMap((mount) => ("bind" in mount ? [mount.bind] : []))].map((path) =>
    resolve(path),
  );
}

function kindOf(path: string): "directory" | "file" | undefined {
  try {
    return statSync(path).isDirectory() ? "directory" : "file";
  } catch {
    return undefined;
  }
}

/** Bun has raised the soft limit to this one; the program gets an ordinary soft limit back. */
function maxFiles(): number {
  const line = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return line === undefined || line === "unlimited" ? -1 : Number(line);
}

function readMappers(uid: number): Mappers {
  const name = /^([^:]*):[^:]*:(\d+):/gm;
  const user = [...(readIfThere("/etc/passwd") ?? "").matchAll(name)].find(([, , id]) => Number(id) === uid)?.[1];
  const owner = { uid, ...(user === undefined ? {} : { name: user }) };
  return {
    newuidmap: findProgram("newuidmap"),
    newgidmap: findProgram("newgidmap"),
    uids: rangesOf(subuid() ?? [], owner),
    gids: rangesOf(subgid() ?? [], owner),
  };
}

const findProgram = (name: string): string | undefined =>
  ["/usr/bin", "/bin", "/usr/local/bin"].map((dir) => `${dir}/${name}`).find((path) => kindOf(path) === "file");

/** Directories that every box has of its own. */
const ownDirectories = new Set(["/proc", "/sys", "/dev", "/tmp", "/run"]);

function readRoot(): HostEntry[] {
  const points = new Set(mountinfo().map(({ mountPoint }) => mountPoint));
  return readEntries("/", points).filter(({ path }) => !ownDirectories.has(path));
}

function readEntries(dir: string, points: ReadonlySet<string>): HostEntry[] {
  return readdirSync(dir)
    .toSorted()
    .flatMap((name) => {
      const path = dir === "/" ? `/${name}` : `${dir}/${name}`;
      const entry = ownDirectories.has(path) ? undefined : readEntry(path, points);
      return entry ? [entry] : [];
    });
}

function readEntry(path: string, points: ReadonlySet<string>): HostEntry | undefined {
  let stat;
  try {
    stat = lstatSync(path);
  } catch {
    return undefined; // Gone meanwhile, or nothing that the caller may know of.
  }
  const mode = stat.mode & 0o7777;
  if (points.has(path)) return { kind: "mount", path, mode, isDirectory: stat.isDirectory() };
  if (stat.isSymbolicLink()) return { kind: "link", path, target: readlinkSync(path) };
  if (stat.isFile()) return { kind: "file", path };
  if (!stat.isDirectory()) return undefined;
  const hasMountsBelow = [...points].some((point) => point.startsWith(`${path}/`));
  if (!hasMountsBelow) return { kind: "directory", path, mode, isEmpty: isEmpty(path, stat) };
  const names = list(path);
  // An overlay over mounts is not to be had in a user namespace. What cannot be shown piece by piece is shown whole, read-only.
  if (names === undefined || names.length > maxPieces) return { kind: "mount", path, mode, isDirectory: true };
  return { kind: "branch", path, mode, entries: readEntries(path, points) };
}

/** A mount a piece: more would be felt at every start. */
const maxPieces = 100;

/** By path, as of a change time: an unchanged directory is not listed again for every box. */
const emptiness = new Map<string, { readonly changed: number; readonly isEmpty: boolean }>();

/** What may not be listed counts as not empty. */
function isEmpty(path: string, { ctimeMs }: Stats): boolean {
  const known = emptiness.get(path);
  if (known?.changed === ctimeMs) return known.isEmpty;
  const found = list(path)?.length === 0;
  // Clocks of file systems tick slowly: a change just now might leave the same time as the next one.
  if (Date.now() - ctimeMs > 1000) emptiness.set(path, { changed: ctimeMs, isEmpty: found });
  return found;
}

/** Undefined for what may not be listed: the kernel decides who may look. */
function list(path: string): string[] | undefined {
  try {
    return readdirSync(path);
  } catch {
    return undefined;
  }
}
