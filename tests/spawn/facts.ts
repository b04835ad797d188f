/** Facts of hosts, for what is judged by them: an ordinary user on Debian 13 where all is well, and what differs elsewhere. */
import type { CgroupDirectory, CgroupLayout } from "../../src/cgroup/mod.ts";
import type { Facts, Probe, ProbeName } from "../../src/spawn/diagnose.ts";

const top = "/sys/fs/cgroup";
const slice = `${top}/user.slice/user-1000.slice/user@1000.service`;

export const group = (path: string, more: Partial<CgroupDirectory> = {}): CgroupDirectory => ({
  path,
  writable: true,
  procsWritable: true,
  files: ["cgroup.events"],
  subtreeControlWritable: true,
  type: "domain",
  controllers: ["cpu", "memory", "pids"],
  subtreeControl: [],
  hasProcesses: false,
  isRoot: false,
  ...more,
});

export const notMine = { writable: false, procsWritable: false, subtreeControlWritable: false } as const;

/** Pure v2, the own group first. */
export const v2 = (...ancestors: readonly CgroupDirectory[]): CgroupLayout => ({
  version: "v2",
  hierarchies: [
    {
      version: 2,
      mountPoint: top,
      mountRoot: "/",
      controllers: ancestors.at(-1)?.controllers ?? [],
      ancestors,
    },
  ],
});

export const v1 = (controllers: readonly string[], ...ancestors: readonly CgroupDirectory[]): CgroupLayout => ({
  version: "v1",
  hierarchies: [{ version: 1, mountPoint: `${top}/${controllers[0]}`, mountRoot: "/", controllers, ancestors }],
});

export const failed = (step: string, syscall: string, code: string): Probe => ({ ok: false, step, syscall, code });
const worked: Probe = { ok: true, ms: 5 };

const names: ProbeName[] = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup", "time"];
export const namespaceProbes = (probe: Probe): Facts["probes"] =>
  Object.fromEntries([...names, "box", "map"].map((name) => [name, probe]));

export const wellUser: Facts = {
  release: "6.12.41+deb13-amd64",
  kernel: [6, 12],
  arch: "x64",
  uid: 1000,
  user: "ada",
  program: "/home/ada/.bun/bin/bun",
  isAdmin: false,
  canMapIds: false,
  seccomp: 0,
  noNewPrivileges: false,
  root: "mount",
  container: undefined,
  hasSystemd: true,
  lsms: ["lockdown", "capability", "yama", "apparmor"],
  sysctls: {
    "user.max_user_namespaces": "63432",
    "user.max_net_namespaces": "63432",
    "kernel.unprivileged_userns_clone": "1",
    "vm.memfd_noexec": "0",
    "dev.tty.legacy_tiocsti": "0",
  },
  machineCode: undefined,
  procMounts: ["/proc/sys/fs/binfmt_misc"],
  overlay: { isKnown: true, parameters: { metacopy: "N" } },
  hasTmpfsXattr: true,
  newuidmap: { path: "/usr/bin/newuidmap", isPrivileged: true },
  newgidmap: { path: "/usr/bin/newgidmap", isPrivileged: true },
  uids: [{ owner: "ada", start: 100000, count: 65536 }],
  gids: [{ owner: "ada", start: 100000, count: 65536 }],
  cgroups: v2(
    group(`${slice}/app.slice/x.scope`),
    group(slice, { subtreeControl: ["memory", "pids", "cpu"] }),
    group(top, { ...notMine, isRoot: true }),
  ),
  probes: { ...namespaceProbes(worked), memory: worked, pids: worked, cpu: worked },
};

export const wellRoot: Facts = { ...wellUser, uid: 0, user: "root", isAdmin: true, canMapIds: true };

const clone = (flags: string, code: string): Probe =>
  failed(`clone the box with new ${flags} namespaces`, "clone3", code);

/** In Docker, as root without CAP_SYS_ADMIN, with the default filter and masks. */
export const docker: Facts = {
  ...wellRoot,
  isAdmin: false,
  container: "docker",
  hasSystemd: false,
  seccomp: 2,
  procMounts: ["/proc/bus", "/proc/kcore", "/proc/sys"],
  cgroups: v2(group(top, { ...notMine, hasProcesses: true })),
  probes: namespaceProbes(clone("user, mnt, pid", "ENOSYS")),
};

export const hosts = {
  ubuntu: {
    ...wellUser,
    release: "6.8.0-60-generic",
    kernel: [6, 8],
    sysctls: { ...wellUser.sysctls, "kernel.apparmor_restrict_unprivileged_userns": "1" },
    probes: { ...wellUser.probes, ...namespaceProbes(failed("map the user id", "write", "EPERM")) },
  },
  debian: {
    ...wellUser,
    sysctls: { ...wellUser.sysctls, "kernel.unprivileged_userns_clone": "0" },
    probes: { ...wellUser.probes, ...namespaceProbes(clone("user", "EPERM")) },
  },
  noUserNamespaces: {
    ...wellUser,
    sysctls: { ...wellUser.sysctls, "user.max_user_namespaces": "0" },
    probes: { ...wellUser.probes, ...namespaceProbes(clone("user", "ENOSPC")) },
  },
  noNetNamespaces: {
    ...wellUser,
    sysctls: { ...wellUser.sysctls, "user.max_net_namespaces": "0" },
    probes: {
      ...wellUser.probes,
      net: clone("user, net", "ENOSPC"),
      box: clone("user, mnt, pid, net, ipc, uts, cgroup, time", "ENOSPC"),
    },
  },
  selinux: {
    ...wellUser,
    lsms: ["capability", "selinux"],
    probes: { ...wellUser.probes, ...namespaceProbes(clone("user", "EACCES")) },
  },
  chroot: {
    ...wellUser,
    // It looks like any root, and nothing else explains the answer.
    root: "mount",
    probes: { ...wellUser.probes, ...namespaceProbes(clone("user", "EPERM")) },
  },
  initramfs: {
    ...wellRoot,
    root: "rootfs",
    probes: { ...wellRoot.probes, box: failed("enter the new root", "pivot_root", "EINVAL") },
  },
  docker,
  dockerUnfiltered: {
    ...docker,
    seccomp: 0,
    probes: { ...wellUser.probes, box: failed("mount the proc", "fsmount", "EPERM") },
  },
  kubernetes: { ...docker, container: "kubernetes" },
  dockerHolding: {
    ...docker,
    seccomp: 0,
    cgroups: v2(group(top, { hasProcesses: true })),
    probes: { ...wellRoot.probes },
  },
  noexec: {
    ...wellUser,
    sysctls: { ...wellUser.sysctls, "vm.memfd_noexec": "2" },
    probes: {
      ...namespaceProbes({ ok: false, code: "EACCES", reason: 'spawn "/tmp/stage": EACCES' }),
    },
  },
  noexecFile: { ...wellUser, sysctls: { ...wellUser.sysctls, "vm.memfd_noexec": "2" } },
  noMachineCode: {
    ...wellUser,
    machineCode: "this process may not make memory executable",
    probes: namespaceProbes({ ok: false, code: "Error", reason: "this process may not make memory executable" }),
  },
  linux54: {
    ...wellUser,
    release: "5.4.0-216-generic",
    kernel: [5, 4],
    hasTmpfsXattr: false,
    probes: { ...wellUser.probes, box: failed("close inherited descriptors", "close_range", "ENOSYS") },
  },
  linux61: { ...wellUser, release: "6.1.0-37-amd64", kernel: [6, 1], hasTmpfsXattr: false },
  noOverlay: {
    ...wellUser,
    overlay: { isKnown: false, parameters: {} },
    probes: { ...wellUser.probes, box: failed("mount overlay on /etc", "mount", "ENODEV") },
  },
  noMappers: {
    ...wellUser,
    newuidmap: undefined,
    newgidmap: undefined,
    probes: { ...wellUser.probes, map: undefined },
  },
  plainMapper: { ...wellUser, newuidmap: { path: "/usr/bin/newuidmap", isPrivileged: false } },
  noNewPrivileges: { ...wellUser, noNewPrivileges: true },
  noRanges: { ...wellUser, uids: [], gids: [] },
  notDelegated: {
    ...wellUser,
    cgroups: v2(group(`${slice}/x.scope`, notMine), group(top, { ...notMine, isRoot: true })),
  },
  notDelegatedByHand: {
    ...wellUser,
    hasSystemd: false,
    cgroups: v2(group(top, { ...notMine, isRoot: true, hasProcesses: true })),
  },
  v1NotMine: { ...wellUser, cgroups: v1(["pids"], group(`${top}/pids`, notMine)) },
  noCpu: {
    ...wellUser,
    cgroups: v2(group(slice, { controllers: ["memory", "pids"] }), group(top, { ...notMine, isRoot: true })),
  },
  noMemory: { ...wellRoot, cgroups: v2(group(top, { isRoot: true, controllers: ["pids", "cpu"] })) },
  noCgroups: { ...wellRoot, cgroups: { version: "none", hierarchies: [] } },
  legacyTerminal: { ...wellUser, sysctls: { ...wellUser.sysctls, "dev.tty.legacy_tiocsti": "1" } },
} satisfies Record<string, Facts | (Omit<Facts, "probes"> & { probes: object })>;

export type HostName = keyof typeof hosts;
