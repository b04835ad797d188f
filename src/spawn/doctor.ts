/** What can this host do for this caller, which setting says no, and how to change that. */
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { readCgroupLayout } from "../cgroup/mod.ts";
import { namespaceKinds } from "../ns/kinds.ts";
import {
  gidMap,
  type IdMapping,
  type MountInfo,
  mountinfo,
  namespaces,
  readSysctl,
  status,
  uidMap,
} from "../proc/mod.ts";
import { invoke } from "../sys/invoke.ts";
import { sys } from "../sys/vocabulary.ts";
import { SyscallError } from "../sys/error.ts";
import { MFD } from "../sys/flags.ts";
import {
  type Check,
  diagnose,
  type Facts,
  limitedControllers,
  type MapperProgram,
  type Probe,
  type ProbeName,
  sysctlNames,
} from "./diagnose.ts";
import { type Host, readHost } from "./host.ts";
import { spawnIsolatedSync } from "./launch.ts";
import type { SpawnOptions } from "./options.ts";

/** What a host allows its caller. Plain data. */
export interface DoctorReport {
  /** The default box works. */
  readonly ok: boolean;
  /** As uname(2) says. */
  readonly kernel: string;
  readonly arch: string;
  readonly uid: number;
  readonly checks: readonly Check[];
}

/**
 * Looks at this host with this caller's rights. Most of it is tried and not only read: a dozen boxes are launched, each of
 * which ends at once, and nothing is left or changed. Blocks for some tens of milliseconds.
 *
 * ```ts
 * for (const { title, why, cure } of doctor().checks.filter(({ ok }) => !ok)) console.log(title, why, cure);
 * ```
 */
export function doctor(): DoctorReport {
  const facts = readFacts();
  const checks = diagnose(facts);
  const { release: kernel, arch, uid } = facts;
  return { ok: checks.some(({ id, ok }) => id === "box.default" && ok === true), kernel, arch, uid, checks };
}

/** Everything that is known of a host, and how the boxes ended that were tried on it. */
export function readFacts(): Facts {
  const own = status();
  const host = readCaller();
  const mounts = mountinfo();
  const mappers = host.mappers ?? { newuidmap: undefined, newgidmap: undefined, uids: [], gids: [] };
  const [newuidmap, newgidmap] = [readProgram(mappers.newuidmap), readProgram(mappers.newgidmap)];
  return {
    release: readFileSync("/proc/sys/kernel/osrelease", "utf8").trim(),
    kernel: host.kernel,
    arch: host.arch,
    uid: host.uid,
    user: nameOf(host.uid),
    program: attempt(() => readlinkSync("/proc/self/exe")) ?? process.execPath,
    isAdmin: host.isAdmin,
    canMapIds: host.canMapIds,
    seccomp: own.Seccomp ?? 0,
    noNewPrivileges: own.NoNewPrivs ?? false,
    root: rootOf(mounts),
    container: containerName(),
    hasSystemd: existsSync("/run/systemd/system"),
    lsms: readText("/sys/kernel/security/lsm")?.split(","),
    sysctls: Object.fromEntries(
      sysctlNames.flatMap((name) => {
        const value = attempt(() => readSysctl(name));
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    machineCode: whyNot(() => sys.getpid()),
    procMounts: mounts.map(({ mountPoint }) => mountPoint).filter((path) => path.startsWith("/proc/")),
    overlay: readOverlay(),
    hasTmpfsXattr: tryTmpfsXattr(),
    newuidmap,
    newgidmap,
    uids: mappers.uids,
    gids: mappers.gids,
    cgroups: readCgroupLayout(),
    probes: launchProbes(host),
  };
}

/** What a plan would know of the caller, programs and ranges for id maps included. */
function readCaller(): Host {
  const none = { unshare: "none" } as const;
  return attempt(() => readHost({ ...none, map: { uid: [], gid: [] } })) ?? readHost(none);
}

/** Every probe is a launch: nothing is unshared in this process. */
function launchProbes(host: Host): Facts["probes"] {
  const probes: Partial<Record<ProbeName, Probe>> = {};
  for (const kind of namespaceKinds)
    probes[kind] = launch({ unshare: host.isAdmin || kind === "user" ? [kind] : ["user", kind] });
  probes.box = launch({});
  const limits = { memory: { "memory.max": "1G" }, pids: { "pids.max": 1000 }, cpu: { "cpu.max": "max" } };
  for (const controller of limitedControllers)
    probes[controller] = launch({ unshare: "none", cgroup: limits[controller] });
  const map = rangesToTry(host);
  if (map) probes.map = launch({ unshare: ["user"], map });
  return probes;
}

/** The own id, and one more that may be mapped. */
function rangesToTry({ canMapIds, uid, gid, mappers }: Host): SpawnOptions["map"] {
  const otherIn = (ranges: readonly IdMapping[], own: number): number | undefined =>
    ranges.flatMap(({ inside, count }) => [inside, ...(count > 1 ? [inside + 1] : [])]).find((id) => id !== own);
  const otherUid = canMapIds ? otherIn(uidMap(), uid) : mappers?.uids[0]?.start;
  const otherGid = canMapIds ? otherIn(gidMap(), gid) : mappers?.gids[0]?.start;
  const canRun = canMapIds || (mappers?.newuidmap !== undefined && mappers.newgidmap !== undefined);
  if (!canRun || otherUid === undefined || otherGid === undefined) return undefined;
  const lines = (own: number, other: number) => [
    { inside: 0, outside: own, count: 1 },
    { inside: 1, outside: other, count: 1 },
  ];
  return { uid: lines(uid, otherUid), gid: lines(gid, otherGid) };
}

function launch(options: SpawnOptions): Probe {
  try {
    const quiet = { stdout: "ignore", stderr: "ignore", env: { PATH: "/usr/bin:/bin" }, deadlineMs: 5000 } as const;
    const { status: end } = spawnIsolatedSync(["true"], { ...quiet, ...options });
    return { ok: true, ms: end.durationMs };
  } catch (error) {
    if (!(error instanceof SyscallError)) return { ok: false, code: nameOfError(error), reason: messageOf(error) };
    // Everything else was done: only the program is not there.
    if (error.syscall === "execve") return { ok: true, ms: Number.NaN };
    const { code, step, syscall, hint } = error;
    return {
      ok: false,
      code,
      syscall,
      ...(step ? { step: step.label } : {}),
      ...(hint === undefined ? {} : { reason: hint }),
    };
  }
}

/** No mount at /: the root is a directory below one that cannot be seen from here. */
function rootOf(mounts: readonly MountInfo[]): Facts["root"] {
  const top = mounts.filter(({ mountPoint }) => mountPoint === "/").at(-1);
  return top === undefined ? "chroot" : top.fsType === "rootfs" ? "rootfs" : "mount";
}

/** Inodes that the kernel gives to the first namespaces (include/uapi/linux/nsfs.h). */
const firstNamespaces = { pid: 4026531836, uts: 4026531838 };

function containerName(): string | undefined {
  // The marks of a container may also lie in a virtual machine whose disk was made from an image.
  const own = namespaces();
  if (own.pid?.inode === firstNamespaces.pid || own.uts?.inode === firstNamespaces.uts) return undefined;
  if (process.env.KUBERNETES_SERVICE_HOST !== undefined) return "kubernetes";
  if (existsSync("/run/.containerenv")) return "podman";
  if (existsSync("/.dockerenv")) return "docker";
  return readText("/run/systemd/container") || process.env.container || undefined;
}

function readOverlay(): Facts["overlay"] {
  const dir = "/sys/module/overlay/parameters";
  const names = attempt(() => readdirSync(dir)) ?? [];
  return {
    isKnown: /\toverlay$/m.test(readText("/proc/filesystems") ?? ""),
    parameters: Object.fromEntries(names.toSorted().map((name) => [name, readText(`${dir}/${name}`) ?? ""])),
  };
}

/** `fsetxattr(fd, "user.bunshare", "", 0, 0)` on a memfd, which lies on a tmpfs. fsetxattr(2) */
function tryTmpfsXattr(): boolean | undefined {
  return attempt(() => {
    using file = sys.memfdCreate("bunshare-doctor", MFD.CLOEXEC);
    try {
      invoke({ name: "fsetxattr", args: [{ fd: file.number }, "user.bunshare", "1", 1, 0] });
      return true;
    } catch (error) {
      return error instanceof SyscallError && error.code === "EOPNOTSUPP" ? false : undefined;
    }
  });
}

function readProgram(path: string | undefined): MapperProgram | undefined {
  if (path === undefined) return undefined;
  const { mode, uid } = statSync(path);
  const hasCapabilities =
    whyNot(() => invoke({ name: "getxattr", args: [path, "security.capability", null, 0] })) === undefined;
  return { path, isPrivileged: ((mode & 0o4000) !== 0 && uid === 0) || hasCapabilities };
}

const nameOf = (uid: number): string | undefined =>
  readText("/etc/passwd")
    ?.split("\n")
    .map((line) => line.split(":"))
    .find(([, , id]) => id === String(uid))?.[0];

const readText = (path: string): string | undefined => attempt(() => readFileSync(path, "utf8").trim());

/** A fact that cannot be had is no reason to give the others up. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function whyNot(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
const nameOfError = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : error instanceof Error ? error.name : "Error";
