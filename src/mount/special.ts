/** Steps for what every box mounts: /proc, /sys, /dev, /tmp, /run. */
import * as call from "../sys/calls.ts";
import { AT_FDCWD } from "../sys/calls.ts";
import { AT, MOUNT_ATTR, MS, S } from "../sys/flags.ts";
import { type CallStep, step } from "../sys/step.ts";
import { openTree } from "./bind.ts";
import { attach, newFileSystem, returnToRoot, tmpfsAt, topDirectory } from "./place.ts";

/** What decides how /proc, /sys, /dev, /tmp and /run come into a box. */
export interface SpecialMounts {
  /** The root is ours or may be written to, so directories can be made in it. */
  readonly isMade: boolean;
  /** A new pid namespace: a proc of its own. Otherwise the host's is bound. */
  readonly hasOwnPids: boolean;
  /** A new net namespace: a sysfs of its own shows its devices. */
  readonly hasOwnNet: boolean;
  /** A new ipc namespace: a POSIX message queue file system of its own. */
  readonly hasOwnIpc: boolean;
  /** A pure v2 host and a new cgroup namespace: the own group can be looked at. */
  readonly showsCgroups: boolean;
  /** Root of the host is within reach: kernel settings and secrets in /proc and /sys are put out of it. */
  readonly isMasked: boolean;
}

const { NOSUID, NODEV, NOEXEC, RDONLY } = MOUNT_ATTR;

/** Of the lists that container runtimes share: paths in /proc that tell or reach too much. */
const maskedFiles = ["kcore", "keys", "latency_stats", "sched_debug", "timer_list", "timer_stats", "interrupts"];
const maskedDirectories = ["acpi", "asound", "scsi"];
const readonlyInProc = ["bus", "fs", "irq", "sys", "sysrq-trigger"];
const maskedInSys = ["firmware", "devices/virtual/powercap"];

/** Sources that have to be taken while the host's root is in place. */
export function openHostTrees(special: SpecialMounts): CallStep[] {
  return [
    ...(special.hasOwnPids ? [] : openTree("/proc", "proc tree", false)),
    ...(special.hasOwnNet ? [] : openTree("/sys", "sys tree", true)),
  ];
}

/** All of them, relative to the new root, which is the working directory. */
export function mountSpecial(special: SpecialMounts): CallStep[] {
  return [
    ...proc(special),
    ...sys(special),
    ...dev(special),
    ...scratch("tmp", "1777", special),
    ...scratch("run", "0755", special),
  ];
}

function proc({ isMade, hasOwnPids, isMasked }: SpecialMounts): CallStep[] {
  // Before the old root goes: a new user namespace may mount proc only while an old, unmasked one is in sight.
  const make = hasOwnPids ? newFileSystem("proc", "proc tree", { attributes: NOSUID + NODEV + NOEXEC }) : [];
  const masks = [
    step("go to /proc", call.fchdir({ result: "proc tree" })),
    ...readonlyInProc.flatMap((path) => readOnly("/proc", path)),
    ...maskedFiles.flatMap((path) => mask("/proc", path, "file")),
    ...maskedDirectories.flatMap((path) => mask("/proc", path, "directory")),
    returnToRoot(),
  ];
  return [
    ...topDirectory("proc", { isMade, mode: 0o555 }),
    ...make,
    attach("proc tree", "proc", "mount proc on /proc"),
    ...(isMasked ? masks : []),
  ];
}

function sys({ isMade, hasOwnNet, showsCgroups, isMasked }: SpecialMounts): CallStep[] {
  const make = hasOwnNet ? newFileSystem("sysfs", "sys tree", { attributes: RDONLY + NOSUID + NODEV + NOEXEC }) : [];
  const flags = MS.RDONLY | MS.NOSUID | MS.NODEV | MS.NOEXEC;
  const inside = [
    ...(hasOwnNet && showsCgroups
      ? [step("mount cgroup2 on /sys/fs/cgroup", call.mount("cgroup2", "fs/cgroup", "cgroup2", flags, null))]
      : []),
    ...(isMasked ? maskedInSys.flatMap((path) => mask("/sys", path, "directory")) : []),
  ];
  return [
    ...optional(topDirectory("sys", { isMade, mode: 0o555 })),
    ...[
      ...make,
      attach("sys tree", "sys", "mount sysfs on /sys"),
      ...(inside.length > 0
        ? [step("go to /sys", call.fchdir({ result: "sys tree" })), ...inside, returnToRoot()]
        : []),
    ].map((sysStep) => ({ needs: "sys", ...sysStep })),
  ];
}

/** A path that a program may read and not write. Some kernels lack some of them. */
function readOnly(mountPoint: string, path: string): CallStep[] {
  const id = `${mountPoint}/${path}`;
  return [
    step(`bind ${id} to itself`, call.mount(path, path, null, MS.BIND | MS.REC, null), { id, tolerate: ["ENOENT"] }),
    step(`restrict ${id} to reading`, call.mountSetattr(AT_FDCWD, path, AT.RECURSIVE, RDONLY), { needs: id }),
  ];
}

/** Something that looks empty on top of a path. */
function mask(mountPoint: string, path: string, kind: "file" | "directory"): CallStep[] {
  const id = `${mountPoint}/${path}`;
  const more = { id, tolerate: ["ENOENT"] } as const;
  const flags = MS.RDONLY | MS.NOSUID | MS.NODEV | MS.NOEXEC;
  if (kind === "directory") return [step(`mask ${id}`, call.mount("tmpfs", path, "tmpfs", flags, "size=0k"), more)];
  return [
    // The host's /dev/null: that of the root may be anything (CVE-2025-31133).
    step(`mask ${id}`, call.mount("/dev/null", path, null, MS.BIND, null), more),
    step(`restrict ${id} to reading`, call.mountSetattr(AT_FDCWD, path, 0, RDONLY), { needs: id }),
  ];
}

const nodes = ["null", "zero", "full", "random", "urandom", "tty"];
const links = {
  fd: "/proc/self/fd",
  stdin: "/proc/self/fd/0",
  stdout: "/proc/self/fd/1",
  stderr: "/proc/self/fd/2",
  ptmx: "pts/ptmx",
};

function dev({ isMade, hasOwnIpc, isMasked }: SpecialMounts): CallStep[] {
  const directory = (name: string, mode: number) => step(`make /dev/${name}`, call.mkdirat(AT_FDCWD, name, mode));
  return [
    ...topDirectory("dev", { isMade }),
    ...newFileSystem("tmpfs", "dev tree", { options: { mode: "0755" }, attributes: NOSUID }),
    attach("dev tree", "dev", "mount tmpfs on /dev"),
    step("go to /dev", call.fchdir({ result: "dev tree" })),
    // Bound, not made: a user namespace may not make device nodes, and could not open them.
    ...nodes.flatMap((name) => [
      step(`make /dev/${name}`, call.mknodat(AT_FDCWD, name, S.IFREG | 0o666, 0)),
      step(`bind /dev/${name}`, call.mount(`/dev/${name}`, name, null, MS.BIND, null)),
      // The device takes writes all the same; its owner and mode, which are the host's too, do not change any more.
      ...(isMasked
        ? [step(`restrict /dev/${name}`, call.mountSetattr(AT_FDCWD, name, 0, RDONLY + NOSUID + NOEXEC))]
        : []),
    ]),
    ...Object.entries(links).map(([name, target]) =>
      step(`link /dev/${name} to ${target}`, call.symlinkat(target, AT_FDCWD, name)),
    ),
    directory("pts", 0o755),
    step(
      "mount devpts on /dev/pts",
      call.mount("devpts", "pts", "devpts", MS.NOSUID | MS.NOEXEC, "newinstance,ptmxmode=0666,mode=0620"),
    ),
    directory("shm", 0o1777),
    step("mount tmpfs on /dev/shm", call.mount("tmpfs", "shm", "tmpfs", MS.NOSUID | MS.NODEV, "mode=1777")),
    ...(hasOwnIpc
      ? [
          directory("mqueue", 0o1777),
          step(
            "mount mqueue on /dev/mqueue",
            call.mount("mqueue", "mqueue", "mqueue", MS.NOSUID | MS.NODEV | MS.NOEXEC, null),
          ),
        ]
      : []),
    returnToRoot(),
  ];
}

function scratch(name: string, mode: string, { isMade }: SpecialMounts): CallStep[] {
  return [
    ...optional(topDirectory(name, { isMade })),
    ...tmpfsAt(name, `/${name}`, `mode=${mode}`).map((s) => ({ ...s, needs: name })),
    returnToRoot(),
  ];
}

/** A small image may do without: then nothing is mounted there. */
const optional = (steps: CallStep[]): CallStep[] =>
  steps.map((s) => (s.id === undefined ? s : { ...s, tolerate: [...(s.tolerate ?? []), "ENOENT"] }));
