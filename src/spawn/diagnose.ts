/** From what was found on a host to what it allows: one check a fact, a reason and a cure for each no. Pure. */
import { type CgroupHierarchy, type CgroupLayout, chooseParent, hierarchyOf } from "../cgroup/mod.ts";
import { type NamespaceKind, namespaceKinds } from "../ns/kinds.ts";
import type { SubidRange } from "../proc/subid.ts";
import { isSince, since } from "../sys/since.ts";
import { floors } from "./floors.ts";

/** What can be asked of this host, in the order in which it is told. */
export type CheckGroup =
  "kernel" | "user namespaces" | "namespaces" | "id maps" | "cgroups" | "overlay" | "terminal" | "box";

/** One thing that a host allows or not. */
export interface Check {
  /** Stays the same from version to version: `namespace.net`, `cgroup.memory`. */
  readonly id: string;
  readonly group: CheckGroup;
  /** What is asked: short, as a line of doctor's output begins. */
  readonly title: string;
  /** "partly": it works, and something is missing or less safe; or it does not, and boxes do without. */
  readonly ok: boolean | "partly";
  /** What is there. */
  readonly found: string;
  /** Why it is not quite as it should be. */
  readonly why?: string;
  /** What to do about it: a command as root, unless it says something else. */
  readonly cure?: string;
}

/** What became of a launch. */
export type Probe =
  | { readonly ok: true; readonly ms: number }
  | {
      readonly ok: false;
      /** An errno, or the class of the error. */
      readonly code: string;
      readonly step?: string;
      readonly syscall?: string;
      /** The hint of a SyscallError, the sentence of another. */
      readonly reason?: string;
    };

/** A box for each kind of namespace, one with ranges of ids, one with each limit, and the default box. */
export type ProbeName = NamespaceKind | "map" | LimitedController | "box";
/** A controller that doctor tries a limit of. */
export type LimitedController = (typeof limitedControllers)[number];
/** Controllers that a box with a limit is launched for, one each. cgroups(7) */
export const limitedControllers = ["memory", "pids", "cpu"] as const;

/** newuidmap or newgidmap. */
export interface MapperProgram {
  readonly path: string;
  /** Set-user-ID root, or with file capabilities. */
  readonly isPrivileged: boolean;
}

/** All that the judgement depends on. */
export interface Facts {
  /** As uname(2) says. */
  readonly release: string;
  /** `[6, 18]`. */
  readonly kernel: readonly [major: number, minor: number];
  readonly arch: string;
  readonly uid: number;
  /** Of the uid in /etc/passwd; undefined where it has no line. passwd(5) */
  readonly user: string | undefined;
  /** The executable of this process: what an AppArmor profile is attached to. */
  readonly program: string;
  readonly isAdmin: boolean;
  readonly canMapIds: boolean;
  /** 0 off, 1 strict, 2 filter. */
  readonly seccomp: number;
  readonly noNewPrivileges: boolean;
  /** What the root of this process is: the top of a mount, the initial ramfs, or a directory further down. */
  readonly root: "mount" | "rootfs" | "chroot";
  /** Docker and the like, by name. */
  readonly container: string | undefined;
  readonly hasSystemd: boolean;
  /** /sys/kernel/security/lsm, undefined where it is not in sight. */
  readonly lsms: readonly string[] | undefined;
  /** Values by name; undefined where this kernel has none. */
  readonly sysctls: Readonly<Partial<Record<string, string>>>;
  /** Why no machine code can be run. */
  readonly machineCode: string | undefined;
  /** Mount points below /proc. */
  readonly procMounts: readonly string[];
  readonly overlay: { readonly isKnown: boolean; readonly parameters: Readonly<Record<string, string>> };
  /** user.* attributes on tmpfs; undefined: could not be tried. */
  readonly hasTmpfsXattr: boolean | undefined;
  readonly newuidmap: MapperProgram | undefined;
  readonly newgidmap: MapperProgram | undefined;
  readonly uids: readonly SubidRange[];
  readonly gids: readonly SubidRange[];
  readonly cgroups: CgroupLayout;
  /** Those that were tried. */
  readonly probes: Readonly<Partial<Record<ProbeName, Probe>>>;
}

/** Sysctls that the judgement looks at. */
export const sysctlNames = [
  ...namespaceKinds.map((kind) => `user.max_${kind}_namespaces`),
  "kernel.unprivileged_userns_clone",
  "kernel.apparmor_restrict_unprivileged_userns",
  "vm.memfd_noexec",
  "dev.tty.legacy_tiocsti",
] as const;

/** The judgement: a check for each thing that boxes need, in the order of {@link CheckGroup}. Pure. */
export function diagnose(facts: Facts): Check[] {
  return [
    ...kernelChecks(facts),
    ...userNamespaceChecks(facts),
    ...namespaceKinds.map((kind) => namespaceCheck(kind, facts)),
    ...idMapChecks(facts),
    ...cgroupChecks(facts),
    ...overlayChecks(facts),
    tiocstiCheck(facts),
    procCheck(facts),
    boxCheck(facts),
  ];
}

// Kernel

function kernelChecks(facts: Facts): Check[] {
  return [versionCheck(facts), machineCodeCheck(facts), memfdCheck(facts)];
}

function versionCheck({ release, kernel, probes }: Facts): Check {
  const missing = floors.filter(({ since }) => !isSince(kernel, since));
  const needed = missing.filter(({ without }) => without === undefined);
  const check = { id: "kernel.version", group: "kernel", title: "version", found: release } as const;
  if (missing.length === 0) return { ...check, ok: true };
  const list = missing.map(
    ({ what, since, without }) => `${what} (${since}${without === undefined ? "" : `: ${without}`})`,
  );
  return {
    ...check,
    // Distributions bring calls to older kernels: what was tried is what counts.
    ok: needed.length > 0 && probes.box?.ok !== true ? false : "partly",
    why: `this version comes without ${list.join(", ")}`,
    cure: `boot a newer kernel: ${needed.length > 0 ? "5.12 at least, " : ""}6.6 has all of it`,
  };
}

function machineCodeCheck({ machineCode, hasSystemd }: Facts): Check {
  const check = { id: "kernel.machine-code", group: "kernel", title: "machine code" } as const;
  if (machineCode === undefined)
    return { ...check, ok: true, found: "a page of it can be made, for calls to the kernel" };
  return {
    ...check,
    ok: false,
    found: "none can be made in this process",
    why: machineCode,
    cure: hasSystemd
      ? "in the unit of the service: MemoryDenyWriteExecute=no; with SELinux: setsebool -P deny_execmem 0"
      : "setsebool -P deny_execmem 0",
  };
}

function memfdCheck(facts: Facts): Check {
  const value = facts.sysctls["vm.memfd_noexec"];
  const check = { id: "kernel.memfd", group: "kernel", title: "programs in memory" } as const;
  if (value !== "2")
    return { ...check, ok: true, found: value === undefined ? "no sysctl forbids them" : `vm.memfd_noexec=${value}` };
  const isDoneWithout = Object.values(facts.probes).some((probe) => probe?.ok);
  return {
    ...check,
    ok: isDoneWithout ? "partly" : false,
    found: "vm.memfd_noexec=2",
    why: `no memfd can be executed in this pid namespace: a box is started from a file in the directory for temporary files${isDoneWithout ? "" : ", and that one may not be executed either"}`,
    cure: setSysctl(facts, "vm.memfd_noexec", 1),
  };
}

// User namespaces: what can forbid them, one check a cause.

interface Cause {
  readonly why: string;
  readonly cure: string;
}

function userNamespaceChecks(facts: Facts): Check[] {
  const { isAdmin, sysctls, lsms, probes } = facts;
  const check = (id: string, title: string, found: string, no?: Cause | false): Check => ({
    id: `userns.${id}`,
    group: "user namespaces",
    title,
    ok: !no,
    found,
    ...(no || {}),
  });
  const value = (name: string): string => (sysctls[name] === undefined ? "no such sysctl" : `${name}=${sysctls[name]}`);
  const zeros = namespaceKinds.filter((kind) => sysctls[`user.max_${kind}_namespaces`] === "0");
  const limits = namespaceKinds.flatMap((kind) => {
    const limit = sysctls[`user.max_${kind}_namespaces`];
    return limit === undefined ? [] : [`${kind} ${limit}`];
  });
  const privileged = isAdmin ? " (not for this caller, who has CAP_SYS_ADMIN)" : "";
  const seccomp = bySeccomp(facts);
  const root = rootOf(facts);
  return [
    check("max", "user.max_*_namespaces", limits.join(", ") || "no such sysctls", zeros[0] && byLimit(facts, zeros)),
    check(
      "clone",
      "kernel.unprivileged_userns_clone",
      `${value("kernel.unprivileged_userns_clone")}${sysctls["kernel.unprivileged_userns_clone"] === "0" ? privileged : ""}`,
      byDebian(facts),
    ),
    check(
      "apparmor",
      "kernel.apparmor_restrict_unprivileged_userns",
      `${value("kernel.apparmor_restrict_unprivileged_userns")}${sysctls["kernel.apparmor_restrict_unprivileged_userns"] === "1" ? privileged : ""}`,
      // A profile of its own may allow it: what was tried is what counts.
      probes.user?.ok !== true && byAppArmor(facts),
    ),
    check("lsm", "security modules", lsms?.join(", ") ?? "not in sight", byModule(facts)),
    {
      ...check("seccomp", "seccomp", ["off", "strict", "a filter"][facts.seccomp] ?? String(facts.seccomp)),
      // A filter may be there for something else.
      ...(seccomp && probes.user?.ok !== true ? { ok: false, ...seccomp } : {}),
    },
    check("root", "root directory", rootNames[root], byRoot({ ...facts, root })),
  ];
}

/**
 * A chroot into the top of a mount looks like any root. But with no filter and no setting in the way, only it is left to make the
 * kernel say EPERM.
 */
function rootOf(facts: Facts): Facts["root"] {
  const { user } = facts.probes;
  const isRefused = user?.ok === false && user.syscall === "clone3" && user.code === "EPERM";
  const isUnexplained = facts.seccomp === 0 && !byDebian(facts) && !byAppArmor(facts);
  return facts.root === "mount" && isRefused && isUnexplained ? "chroot" : facts.root;
}

const rootNames = { mount: "the top of a mount", rootfs: "the initial ramfs", chroot: "a chroot" } as const;

function byLimit(facts: Facts, kinds: readonly NamespaceKind[]): Cause {
  const names = kinds.map((kind) => `user.max_${kind}_namespaces`);
  return {
    why: `${names.map((name) => `${name}=0`).join(", ")}: none of this kind may be made`,
    cure: names.map((name) => setSysctl(facts, name, 15000)).join("; "),
  };
}

function byDebian(facts: Facts): Cause | undefined {
  if (facts.sysctls["kernel.unprivileged_userns_clone"] !== "0" || facts.isAdmin) return undefined;
  return {
    why: "kernel.unprivileged_userns_clone=0 (Debian and Arch kernels): user namespaces are for root only",
    cure: setSysctl(facts, "kernel.unprivileged_userns_clone", 1),
  };
}

function byAppArmor(facts: Facts): Cause | undefined {
  const name = "kernel.apparmor_restrict_unprivileged_userns";
  if (facts.sysctls[name] !== "1" || facts.isAdmin) return undefined;
  // The path in quotes: it may hold spaces.
  const profile = `abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bunshare "${facts.program}" flags=(unconfined) {\\n  userns,\\n}\\n`;
  return {
    why: `${name}=1 (Ubuntu): a program without a profile that allows it gets user namespaces without capabilities, or none`,
    cure: `${where(facts)}printf '${profile}' > /etc/apparmor.d/bunshare && apparmor_parser -r /etc/apparmor.d/bunshare; or for all programs: sysctl -w ${name}=0`,
  };
}

function byModule(facts: Facts): Cause | undefined {
  const { probes, lsms } = facts;
  if (probes.user?.ok !== false || probes.user.code !== "EACCES" || byAppArmor(facts)) return undefined;
  if (lsms?.includes("selinux"))
    return {
      why: "SELinux forbids user namespaces to this domain (class user_namespace)",
      cure: `${where(facts)}ausearch -m avc -ts recent | audit2allow -M bunshare && semodule -i bunshare.pp`,
    };
  return {
    why: "a security module of the kernel forbids user namespaces",
    cure: `${where(facts)}dmesg | grep -i denied (it names the profile)`,
  };
}

function byRoot({ root, isAdmin }: Facts): Cause | undefined {
  if (root === "chroot")
    return {
      why: "no user namespace can be made in a chroot: the root is not that of the mount namespace",
      cure: `enter the directory with ${isAdmin ? "unshare --mount and pivot_root, " : ""}bwrap --bind DIR / or systemd-nspawn -D DIR instead of chroot`,
    };
  if (root === "rootfs")
    return {
      why: "pivot_root(2) cannot leave the initial ramfs",
      cure: "switch_root to another root first, such as a tmpfs with a copy",
    };
  return undefined;
}

/** Docker, Podman and Kubernetes let only CAP_SYS_ADMIN make namespaces. */
function bySeccomp({ seccomp, container }: Facts): Cause | undefined {
  if (seccomp !== 2) return undefined;
  return {
    why: `the seccomp filter of ${container ?? "whatever has started this process"} is in force${container ? ": by default it allows namespaces only with CAP_SYS_ADMIN" : ""}`,
    cure:
      container === "kubernetes"
        ? "in the pod: securityContext: { seccompProfile: { type: Unconfined }, appArmorProfile: { type: Unconfined }, procMount: Unmasked }, hostUsers: false"
        : container
          ? `${container === "podman" ? "podman" : "docker"} run --security-opt seccomp=unconfined --security-opt apparmor=unconfined${unmask(container)} ...`
          : "start it without the filter (in a systemd unit: RestrictNamespaces=no, and a SystemCallFilter= that allows @mount clone3 unshare setns)",
  };
}

const unmask = (container: string | undefined): string =>
  container === "podman" ? " --security-opt unmask=ALL" : " --security-opt systempaths=unconfined";

// Namespaces

/** Calls that make a namespace, and steps that make a new user namespace usable. */
const makesNamespace = ({ syscall, step = "" }: Extract<Probe, { ok: false }>): boolean =>
  step === "" || syscall === "clone3" || syscall === "unshare" || /^(map the|deny setgroups)/.test(step);

function namespaceCheck(kind: NamespaceKind, facts: Facts): Check {
  const check = { id: `namespace.${kind}`, group: "namespaces", title: kind } as const;
  const probe = facts.probes[kind];
  const found = facts.isAdmin || kind === "user" ? "can be made" : "can be made, in a new user namespace";
  if (probe === undefined) return { ...check, ok: "partly", found: "not tried" };
  if (probe.ok) return { ...check, ok: true, found };
  const no = { found: sayFailure(probe), ...causeOf(probe, kind, facts) };
  return { ...check, ok: makesNamespace(probe) ? false : "partly", ...no };
}

/** `clone the box with new user namespaces: EPERM` */
function sayFailure({ step, code, reason }: Extract<Probe, { ok: false }>): string {
  return step === undefined ? (reason ?? code) : `${step}: ${code}`;
}

/** The first of the causes on this host that fits, or what is known of the call. */
function causeOf(
  probe: Extract<Probe, { ok: false }>,
  kind: NamespaceKind | undefined,
  facts: Facts,
): Partial<Cause> | undefined {
  const { code, syscall, reason } = probe;
  const { kernel, sysctls, machineCode } = facts;
  if (machineCode !== undefined || (sysctls["vm.memfd_noexec"] === "2" && probe.step === undefined)) {
    const { why, cure } = machineCode === undefined ? memfdCheck(facts) : machineCodeCheck(facts);
    return { ...(why ? { why } : {}), ...(cure ? { cure } : {}) };
  }
  const floor = floors.find(
    ({ features, since }) => features.some((name) => name === syscall) && !isSince(kernel, since),
  );
  if (floor) return { why: `${syscall} takes Linux ${floor.since}`, cure: "boot a newer kernel: 5.12 at least" };
  const zeros = namespaceKinds.filter(
    (one) => (kind === undefined || one === kind || one === "user") && sysctls[`user.max_${one}_namespaces`] === "0",
  );
  if (code === "ENOSPC" && zeros.length > 0) return byLimit(facts, zeros);
  const root = rootOf(facts);
  const makes = syscall === "clone3" || syscall === "unshare";
  const cause =
    code === "EPERM" || code === "EACCES"
      ? (byDebian(facts) ??
        byAppArmor(facts) ??
        (root === "chroot" ? byRoot({ ...facts, root }) : undefined) ??
        (makes ? bySeccomp(facts) : undefined) ??
        byModule(facts))
      : code === "ENOSYS"
        ? bySeccomp(facts)
        : root !== "mount" && syscall === "pivot_root"
          ? byRoot(facts)
          : undefined;
  if (cause) return cause;
  const known = reason?.replace(/\. `bunshare doctor` tells which$/, "");
  return known === undefined ? undefined : { why: known };
}

// Id maps

function idMapChecks(facts: Facts): Check[] {
  const { canMapIds, user, uid } = facts;
  const group = "id maps";
  const owner = user ?? String(uid);
  const programs = (["newuidmap", "newgidmap"] as const).map((name): Check => {
    const check = { id: `map.${name}`, group, title: name } as const;
    const program = facts[name];
    if (canMapIds)
      return { ...check, ok: true, found: `${program?.path ?? "not here"} (not needed: the caller has CAP_SETUID)` };
    if (program === undefined)
      return {
        ...check,
        ok: false,
        found: "not here",
        why: "without it, a user can map only the own id",
        cure: "apt install uidmap (Fedora: dnf install shadow-utils; Alpine: apk add shadow-uidmap)",
      };
    if (!program.isPrivileged)
      return {
        ...check,
        ok: false,
        found: program.path,
        why: "it is neither set-user-ID root nor has file capabilities",
        cure: `chmod u+s ${program.path}`,
      };
    if (facts.noNewPrivileges)
      return {
        ...check,
        ok: false,
        found: program.path,
        why: "this process runs with no_new_privs, which turns set-user-ID off",
        cure:
          facts.container === undefined
            ? "start it without no_new_privs: in a systemd unit, NoNewPrivileges=no"
            : "start the container without --security-opt no-new-privileges",
      };
    return { ...check, ok: true, found: program.path };
  });
  const ranges = (
    [
      ["subuid", facts.uids, "--add-subuids"],
      ["subgid", facts.gids, "--add-subgids"],
    ] as const
  ).map(([name, granted, option]): Check => {
    const check = { id: `map.${name}`, group, title: `/etc/${name}` } as const;
    const found =
      granted.map(({ start, count }) => `${start}-${start + count - 1}`).join(", ") || `nothing for ${owner}`;
    if (canMapIds) return { ...check, ok: true, found: `${found} (not needed: the caller has CAP_SETUID)` };
    if (granted.length > 0) return { ...check, ok: true, found };
    return {
      ...check,
      ok: false,
      found,
      why: "without a range, a user can map only the own id",
      cure:
        user === undefined
          ? `echo ${uid}:100000:65536 >> /etc/${name} (a range that nobody else has)`
          : `usermod ${option} 100000-165535 ${user} (a range that nobody else has)`,
    };
  });
  const probe = facts.probes.map;
  const tried: Check = {
    id: "map.ranges",
    group,
    title: "ranges of ids",
    ok: probe?.ok ?? false,
    found: probe === undefined ? "not tried" : probe.ok ? "can be mapped" : sayFailure(probe),
    ...(probe === undefined
      ? canMapIds
        ? {
            why: "the user namespace of the caller has only one id itself",
            cure: "map more ids where that one is made",
          }
        : { why: "it takes both programs, and a range in both files", cure: "those above" }
      : probe.ok
        ? {}
        : causeOf(probe, undefined, facts)),
  };
  return [...programs, ...ranges, tried];
}

// Groups

function cgroupChecks(facts: Facts): Check[] {
  const { cgroups } = facts;
  const ofV1 = cgroups.hierarchies.flatMap(({ version, controllers }) => (version === 1 ? controllers : []));
  const trees = [
    ...(ofV1.length > 0 ? [`${ofV1.join(" ")} on v1`] : []),
    ...cgroups.hierarchies.flatMap(({ version, controllers, mountPoint }) =>
      version === 2 ? [`${controllers.join(" ") || "no controllers"} on v2 (${mountPoint})`] : [],
    ),
  ];
  const isThere = cgroups.version !== "none";
  return [
    {
      id: "cgroup.layout",
      group: "cgroups",
      title: "layout",
      ok: isThere,
      found: isThere ? `${cgroups.version}: ${trees.join(", ")}` : "none",
      ...(isThere ? {} : { why: "no hierarchy is mounted in sight", cure: "mount -t cgroup2 cgroup2 /sys/fs/cgroup" }),
    },
    ...limitedControllers.map((controller) => limitCheck(controller, facts)),
  ];
}

function limitCheck(controller: LimitedController, facts: Facts): Check {
  const { cgroups, probes } = facts;
  const check = { id: `cgroup.${controller}`, group: "cgroups", title: `${controller} limits` } as const;
  const hierarchy = hierarchyOf(cgroups, controller);
  const probe = probes[controller];
  if (hierarchy === undefined) {
    const v2 = cgroups.hierarchies.find(({ version }) => version === 2);
    return {
      ...check,
      ok: false,
      found: "no such controller here",
      why: v2
        ? `${v2.mountPoint}/cgroup.controllers does not list it: it is turned off, or a group above does not pass it on`
        : "the kernel does not have it, or it is turned off",
      cure: cureOfMissing(controller, v2, facts),
    };
  }
  const choice = chooseParent(hierarchy, [controller]);
  if (choice.path === undefined)
    return {
      ...check,
      ok: false,
      found: `a group with this limit can be made nowhere in ${hierarchy.mountPoint}`,
      why: choice.reason,
      cure: cureOfCgroup(controller, hierarchy, choice.blockedBy ?? hierarchy.mountPoint, choice.reason, facts),
    };
  const found = `in a new group in ${choice.path} (v${hierarchy.version}: ${choice.reason})`;
  if (probe === undefined || probe.ok) return { ...check, ok: probe?.ok ?? "partly", found };
  const cause = causeOf(probe, undefined, facts);
  return { ...check, ok: false, found: sayFailure(probe), ...cause };
}

function cureOfMissing(
  controller: LimitedController,
  v2: CgroupHierarchy | undefined,
  { uid, hasSystemd, container }: Facts,
): string {
  const boot = `boot the kernel with cgroup_enable=${controller}`;
  if (v2 === undefined) return boot;
  if (container !== undefined)
    return `on the host: echo +${controller} > cgroup.subtree_control in the groups above the container's; if it is not there either, ${boot}`;
  if (hasSystemd && uid !== 0) return delegation;
  const isTop = v2.ancestors.some(({ path, isRoot }) => path === v2.mountPoint && isRoot);
  return isTop ? boot : `echo +${controller} > cgroup.subtree_control in the groups above ${v2.mountPoint}`;
}

/** What systemd passes on to users by default is memory and pids, since version 252 cpu too. */
const delegation =
  "mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' > /etc/systemd/system/user@.service.d/delegate.conf && systemctl daemon-reload, then log in again";

function cureOfCgroup(
  controller: LimitedController,
  { version, mountPoint }: CgroupHierarchy,
  blockedBy: string,
  reason: string,
  facts: Facts,
): string {
  const { uid, container, hasSystemd } = facts;
  if (container === "kubernetes") return "in the pod: securityContext: { privileged: true }";
  if (container !== undefined && uid === 0 && !reason.includes("holds processes"))
    return version === 2
      ? "docker run --security-opt writable-cgroups=true ... (Docker 28; before: --privileged --cgroupns=private)"
      : "docker run --privileged ...";
  if (version === 2 && hasSystemd && uid !== 0)
    return reason.includes("cgroup.controllers")
      ? delegation
      : "as this user: systemd-run --user --scope -p Delegate=yes COMMAND (of a service: Delegate=yes in its unit)";
  if (version === 2 && reason.includes("holds processes"))
    return `mkdir -p ${blockedBy}/init && xargs -rn1 < ${blockedBy}/cgroup.procs > ${blockedBy}/init/cgroup.procs`;
  if (version === 2 && reason.includes("cgroup.controllers"))
    return `echo +${controller} > ${parentOf(blockedBy, mountPoint)}/cgroup.subtree_control`;
  const group = `${mountPoint}/user-${uid}`;
  return version === 2
    ? `echo '+memory +pids +cpu' > ${mountPoint}/cgroup.subtree_control && mkdir -p ${group}/shell && chown -R ${uid} ${group} && echo PID > ${group}/shell/cgroup.procs (PID: of the shell to start from)`
    : `mkdir -p ${group} && chown -R ${uid} ${group} && echo PID > ${group}/cgroup.procs (PID: of the shell to start from)`;
}

const parentOf = (path: string, top: string): string =>
  path.length > top.length ? path.slice(0, path.lastIndexOf("/")) || "/" : path;

// Overlay

function overlayChecks(facts: Facts): Check[] {
  const { overlay, probes, isAdmin, hasTmpfsXattr } = facts;
  const group = "overlay";
  const inUser = overlayOutcome(probes.box) ?? (isAdmin ? undefined : overlayOutcome(probes.mnt));
  const asRoot = isAdmin ? overlayOutcome(probes.mnt) : undefined;
  const isKnown = overlay.isKnown || inUser?.ok === true || asRoot?.ok === true;
  const tried = (id: string, title: string, outcome: Probe | undefined): Check => ({
    id: `overlay.${id}`,
    group,
    title,
    ok: outcome?.ok ?? "partly",
    found: outcome === undefined ? "not tried: a box fails before it" : outcome.ok ? "works" : sayFailure(outcome),
    ...(outcome?.ok === false ? overlayCause(outcome, facts) : {}),
  });
  const parameters = Object.entries(overlay.parameters).map(([name, value]) => `${name}=${value}`);
  return [
    {
      id: "overlay.module",
      group,
      title: "overlayfs",
      ok: isKnown,
      found: isKnown
        ? ["in the kernel", ...(parameters.length > 0 ? [parameters.join(" ")] : [])].join(": ")
        : "not in /proc/filesystems",
      ...(isKnown ? {} : noOverlay(facts)),
    },
    ...(isAdmin ? [tried("root", "with this caller's rights", asRoot)] : []),
    tried("user", "in a user namespace", inUser),
    {
      id: "overlay.tmpfs",
      group,
      title: "user.* attributes on tmpfs",
      ok: hasTmpfsXattr === false ? "partly" : true,
      found: hasTmpfsXattr === undefined ? "not tried" : hasTmpfsXattr ? "can be set" : "cannot be set",
      ...(hasTmpfsXattr === false
        ? {
            why: "what a box in a user namespace writes is on a tmpfs, which cannot take the mark of a directory that was emptied or replaced: rm -r of one of the host's or a layer's fails with EIO",
            cure: "boot Linux 6.6 or later with CONFIG_TMPFS_XATTR, or give the root an upper on a disk",
          }
        : {}),
    },
  ];
}

const noOverlay = (facts: Facts): Cause => ({
  why: "the kernel has no overlayfs, or its module is not loaded (a user namespace cannot load it)",
  cure: `${where(facts)}modprobe overlay && echo overlay > /etc/modules-load.d/overlay.conf`,
});

const isOverlayStep = ({ step }: Extract<Probe, { ok: false }>): boolean => step?.startsWith("mount overlay") === true;

/** Undefined: the box did not come that far. One that failed later did. */
function overlayOutcome(probe: Probe | undefined): Probe | undefined {
  return probe === undefined || probe.ok || isOverlayStep(probe) ? probe : undefined;
}

function overlayCause(probe: Extract<Probe, { ok: false }>, facts: Facts): Partial<Cause> {
  if (probe.code === "ENODEV") return noOverlay(facts);
  const inUser = since["overlayfs in user namespaces"];
  if (!isSince(facts.kernel, inUser) && probe.code === "EPERM")
    return {
      why: `overlayfs in a user namespace takes Linux ${inUser}`,
      cure: "boot a newer kernel: 5.12 at least",
    };
  return causeOf(probe, "mnt", facts) ?? { why: "the kernel's log has the reason", cure: "dmesg | grep overlayfs" };
}

// Terminal, box

function tiocstiCheck(facts: Facts): Check {
  const name = "dev.tty.legacy_tiocsti";
  const value = facts.sysctls[name];
  const check = { id: "terminal.tiocsti", group: "terminal", title: "typing into the caller's terminal" } as const;
  if (value === "0") return { ...check, ok: true, found: `${name}=0: not possible` };
  return {
    ...check,
    ok: "partly",
    found: value === undefined ? "this kernel cannot forbid it" : `${name}=${value}: possible`,
    why: "a program that has the caller's terminal as its own could type commands there (TIOCSTI); a box is in a session of its own and cannot, other sandboxes may",
    cure: value === undefined ? "boot Linux 6.2 or later" : setSysctl(facts, name, 0),
  };
}

function procCheck(facts: Facts): Check {
  const { probes, procMounts, container } = facts;
  const { box } = probes;
  const check = { id: "box.proc", group: "box", title: "a /proc of its own" } as const;
  const failsHere = box?.ok === false && /\bproc\b/.test(box.step ?? "") && !/^(map|deny)/.test(box.step ?? "");
  if (box?.ok) return { ...check, ok: true, found: "can be mounted" };
  const masks = procMounts.filter((path) => !emptyInProc.includes(path));
  if (masks.length === 0 && !failsHere)
    return { ...check, ok: "partly", found: "not tried: the default box fails before it" };
  const found = failsHere ? sayFailure(box) : `masked: ${masks.join(", ")}`;
  return {
    ...check,
    ok: false,
    found,
    why:
      masks.length > 0
        ? `a new user namespace may mount proc only where one is in sight on which nothing is masked, and here ${masks.join(", ")} ${masks.length === 1 ? "is" : "are"} mounted over`
        : (box?.ok === false && box.reason) || "the kernel refuses it",
    cure:
      container === "kubernetes"
        ? "in the pod: securityContext: { procMount: Unmasked }, hostUsers: false"
        : container === undefined
          ? `umount ${masks.join(" ")}`.trim()
          : `${container === "podman" ? "podman" : "docker"} run${unmask(container)} ...`,
  };
}

/** The kernel mounts on directories that are always empty: they hide nothing. */
const emptyInProc: readonly string[] = ["/proc/sys/fs/binfmt_misc", "/proc/fs/nfsd", "/proc/xen"];

function boxCheck(facts: Facts): Check {
  const { box } = facts.probes;
  const check = { id: "box.default", group: "box", title: "the default box" } as const;
  if (box === undefined) return { ...check, ok: false, found: "not tried" };
  if (box.ok) return { ...check, ok: true, found: `works: ${box.ms.toFixed(1)} ms from its start to its end` };
  const proc = procCheck(facts);
  const cause =
    proc.ok === false && proc.found === sayFailure(box)
      ? { why: proc.why ?? "", cure: proc.cure ?? "" }
      : isOverlayStep(box)
        ? overlayCause(box, facts)
        : causeOf(box, undefined, facts);
  return { ...check, ok: false, found: sayFailure(box), ...cause };
}

// Cures

/** A container shares the kernel, and its settings, with the host. */
const where = ({ container }: Facts): string => (container === undefined ? "" : "on the host: ");

function setSysctl(facts: Facts, name: string, value: number): string {
  const set = `${name}=${value}`;
  return `${where(facts)}sysctl -w ${set} (to keep it: echo ${set} >> /etc/sysctl.d/60-bunshare.conf)`;
}
