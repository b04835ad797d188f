/** How others are asked for the box of a plan: as near to it as they come, and what stays different. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "../mod.ts";
import { mountinfo } from "../src/proc/mod.ts";

export interface Peer {
  readonly name: string;
  readonly cmd: readonly string[];
  /** What it does less than the plan, or more. */
  readonly differs: string;
}

/** What is to be made: the box of `plan`, on a root directory or, without one, on the host's. */
export interface Wanted {
  readonly plan: Plan;
  readonly root: string | undefined;
  readonly hasNet: boolean;
  readonly program: string;
}

/** unshare(1) */
export function unshare({ root, hasNet, program }: Wanted): Peer {
  const namespaces = "--map-root-user --mount --pid --fork --ipc --uts --cgroup --time".split(" ");
  const more = [...(hasNet ? ["--net"] : []), `--root=${root}`, "--mount-proc"];
  return {
    name: "unshare",
    cmd: ["unshare", ...namespaces, ...more, program],
    differs: "chroot, and of all mounts only /proc",
  };
}

/** bwrap(1) */
export function bwrap({ plan, root, hasNet, program }: Wanted): Peer {
  const process = "--unshare-user --unshare-all --uid 0 --gid 0 --as-pid-1 --die-with-parent --new-session --clearenv";
  const mounts = "--proc /proc --dev /dev --mqueue /dev/mqueue --tmpfs /tmp --tmpfs /run";
  // It has no option for a sysfs.
  const sys = root === undefined ? [] : ["--ro-bind", "/sys", "/sys"];
  const rest = [...(hasNet ? [] : ["--share-net"]), "--ro-bind", root ?? "/", "/", ...mounts.split(" "), ...sys];
  return {
    name: "bwrap",
    cmd: ["bwrap", ...process.split(" "), ...rest, ...masks(plan), program],
    differs:
      root === undefined
        ? "no time namespace; 0.8 has no overlay: the host's root is bound read-only, with all that is mounted there"
        : "no time namespace; the host's /sys bound",
  };
}

/** The paths that the plan hides, where the host has them. What of /proc is read-only, bwrap knows itself. */
function masks({ sections }: Plan): string[] {
  return (sections.box ?? []).flatMap((step) => {
    const path = /^mask (.*)/.exec(step.label)?.[1];
    if (path === undefined || !("call" in step) || !existsSync(path)) return [];
    const isFile = step.call.args[0] === "/dev/null";
    return isFile ? ["--dev-bind", "/dev/null", path] : ["--tmpfs", path, "--remount-ro", path];
  });
}

/** The group above those that runc and crun make, and leave. */
const cgroupParent = `/bunshare-bench-${process.pid}`;

/** runc(8), crun(1): a bundle with what `runc spec` writes, with the plan's root, ids, namespaces and mounts. */
export function runtime(name: "runc" | "crun", dir: string, { root, hasNet, program }: Wanted): Peer {
  const bundle = join(dir, `${name}-${hasNet ? "with" : "without"}-net`);
  mkdirSync(bundle);
  if (Bun.which("runc") !== null) {
    Bun.spawnSync(["runc", "spec"], { cwd: bundle });
    const file = join(bundle, "config.json");
    const config = JSON.parse(readFileSync(file, "utf8"));
    Object.assign(config.process, { terminal: false, args: [program], env: [] });
    config.root = { path: root, readonly: true };
    config.mounts = runtimeMounts(config.mounts, hasNet);
    const namespaces = ["user", "mount", "pid", "ipc", "uts", "cgroup", ...(hasNet ? ["network"] : [])];
    const own = [{ containerID: 0, hostID: 0, size: 1 }];
    Object.assign(config.linux, {
      cgroupsPath: `${cgroupParent}/${name}`,
      namespaces: namespaces.map((type) => ({ type })),
      uidMappings: own,
      gidMappings: own,
    });
    writeFileSync(file, JSON.stringify(config));
  }
  const state = join(dir, name);
  return {
    name,
    cmd: [name, "--root", state, "run", "--bundle", bundle, `bunshare-bench-${process.pid}`],
    differs: "no time namespace; a cgroup of its own",
  };
}

interface RuntimeMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options?: readonly string[];
}

function runtimeMounts(usual: readonly RuntimeMount[], hasNet: boolean): RuntimeMount[] {
  const restricted = ["nosuid", "noexec", "nodev"];
  const hostSys = { destination: "/sys", type: "none", source: "/sys", options: ["rbind", "ro", ...restricted] };
  const tmpfs = { type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev"] };
  return [
    ...usual
      .filter(({ destination }) => destination !== "/sys/fs/cgroup")
      .map((mount) => (mount.destination === "/sys" && !hasNet ? hostSys : mount))
      // Group 5 is not mapped.
      .map((mount) => ({ ...mount, options: (mount.options ?? []).filter((option) => option !== "gid=5") })),
    { ...tmpfs, destination: "/tmp" },
    { ...tmpfs, destination: "/run" },
  ];
}

/** What runc and crun have left: they remove their group, and not the one above. */
export function removeCgroups(): void {
  for (const { fsType, mountPoint } of mountinfo()) {
    if (fsType !== "cgroup" && fsType !== "cgroup2") continue;
    try {
      rmdirSync(mountPoint + cgroupParent);
    } catch {
      // None was made there.
    }
  }
}
