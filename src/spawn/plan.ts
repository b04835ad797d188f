/** The recipe: from what a box is to be, to the syscalls that make it. Pure, and the whole of it is here in order. */
import { cgroupSteps } from "../cgroup/steps.ts";
import { openSources, placeMounts } from "../mount/bind.ts";
import { returnToRoot } from "../mount/place.ts";
import { buildRoot, enterRoot, makePrivate, openLayers, prepareUpper, type RootSpec } from "../mount/root.ts";
import { mountSpecial, openHostTrees, type SpecialMounts } from "../mount/special.ts";
import { bringLoopbackUp } from "../net/loopback.ts";
import { mapperArguments, writeMapsOf, writeOwnMaps } from "../ns/idmap.ts";
import { kinds, namespaceKinds, type NamespaceKind } from "../ns/kinds.ts";
import { makeTimeNamespace } from "../ns/time.ts";
import type { Call } from "../sys/call.ts";
import * as call from "../sys/calls.ts";
import { AT_FDCWD } from "../sys/calls.ts";
import {
  CAP,
  CLOCK,
  CLONE,
  CLOSE_RANGE,
  IOCTL,
  MAP,
  O,
  POLL,
  PR,
  PROT,
  SIG,
  SIG_HOW,
  SUID_DUMP,
  W,
} from "../sys/flags.ts";
import { type ActStep, type CallStep, type Step, step } from "../sys/step.ts";
import { checkCommand, checkOptions } from "./check.ts";
import { type Host, readHost } from "./host.ts";
import type { SpawnOptions } from "./options.ts";
import type { Plan, PlannedIo, SectionName } from "./plan-data.ts";
import { reportLayout } from "./report.ts";
import { type Spec, spec } from "./spec.ts";

/** Descriptors that the launcher gives the stage, after the program's own three. */
export const stageFds = { status: 3, report: 4, firstPassed: 5 } as const;
const last = 0xffffffff;

/**
 * The program of syscalls that runs a command in a box: plain data, to be printed, kept and launched many times.
 * @throws {OptionsError} for bad options, and for ones that this host cannot fulfil
 */
export function plan(command: readonly string[], options: SpawnOptions = {}, host?: Host): Plan {
  checkCommand(command);
  checkOptions(options);
  const facts = host ?? readHost(options);
  return compile(spec(command, options, facts), facts, plannedIo(options));
}

/** What of Bun.spawn's options is data, and so belongs to the plan. */
function plannedIo(options: SpawnOptions): PlannedIo {
  const names = ["stdin", "stdout", "stderr", "timeout", "killSignal", "maxBuffer"] as const;
  const isData = (value: unknown): boolean => value === null || typeof value === "string" || typeof value === "number";
  return Object.fromEntries(names.flatMap((name) => (isData(options[name]) ? [[name, options[name]]] : [])));
}

function compile(box: Spec, host: Host, io: PlannedIo): Plan {
  const passed = box.joins.flatMap(({ kind, from }) =>
    "fd" in from ? [{ what: `${kind} namespace`, fd: from.fd }] : [],
  );
  const hangUp = stageFds.firstPassed + passed.length;
  const cgroup =
    box.cgroup &&
    cgroupSteps(box.cgroup.limits, box.cgroup.layout, {
      monitor: "monitor",
      token: host.token,
      killsRest: !box.isNew.pid,
    });
  const upper = box.root && prepareUpper(box.root);
  const stages = processes(box, host);

  const monitor = [
    ...startMonitor(box, hangUp),
    ...(cgroup ? [step("get the monitor's pid", call.getpid(), { id: "monitor" }), ...cgroup.make] : []),
    ...(upper?.host ?? []),
    ...(stages.isUserJoined ? [] : enter(box, (kind) => kind !== "mnt")),
    ...cloneBox(box, stages, stages.innerFlags === undefined ? cgroup?.cloneInto : undefined),
    step("leave the status pipe to the box", call.close(stageFds.status)),
    ...mapFromOutside(box),
    watch("wait for the box", "box", { deadlineMs: box.deadlineMs, hangUp, isPid1: stages.isBoxPid1 }),
  ];
  const undo = [
    ...(box.isNew.pid ? [] : [{ label: "kill and reap what is left", act: "reap" } as const]),
    ...(cgroup?.undo ?? []),
    ...(upper?.undo ?? []),
    step("note the time of the end", call.clockGettime(CLOCK.MONOTONIC, { report: "end", size: 16 })),
    finish,
  ];

  // The group is the program's: a process that only stands between counts as little as the monitor.
  const hasInner = stages.innerFlags !== undefined;
  const enterGroup = cgroup?.enter ?? [];
  const own = [
    ...dieWith("the monitor"),
    ...(hasInner ? [] : enterGroup),
    ...becomeMapped(box),
    // Another user namespace's credentials clear what was armed above.
    ...(stages.isUserJoined
      ? [...enter(box, () => true), ...dieWith("the monitor")]
      : enter(box, (kind) => kind === "mnt")),
  ];
  const setUp = [...(hasInner ? enterGroup : []), ...setUpBox(box, host, stages, cgroup !== undefined)];
  const run = runProgram(box);
  const sections: Partial<Record<SectionName, readonly Step[]>> = {
    host: [],
    ...mapperSections(box),
    ...processSections({ own, setUp, run, processes: stages, box, hangUp, cgroup: cgroup?.cloneInto }),
    undo,
  };
  // The report holds an entry for each step, the one that maps it included.
  const mapReport = (size: number) =>
    step(
      "map the report",
      call.mmap({ reportPage: 0 }, size, PROT.READ | PROT.WRITE, MAP.SHARED | MAP.FIXED, stageFds.report),
    );
  const { size } = reportLayout({ sections: { ...sections, host: [mapReport(0), ...monitor] } });
  return {
    version: 1,
    arch: host.arch,
    command: box.command,
    sections: { ...sections, host: [mapReport(size), ...monitor] },
    passed,
    ...(cgroup ? { cgroup: { directories: cgroup.directories, reads: cgroup.reads } } : {}),
    deadlineMs: box.deadlineMs,
    hasTerminal: box.hasTerminal,
    io,
  };
}

interface Processes {
  /** The box process enters another user namespace first, and what it makes belongs there. */
  readonly isUserJoined: boolean;
  /** Flags of the clone that makes the box, and of a second one, where a namespace is only for children. */
  readonly outerFlags: number;
  readonly innerFlags: number | undefined;
  /** Time is made by unshare: clocks are set before anybody is in. */
  readonly unsharesTime: boolean;
  readonly isBoxPid1: boolean;
}

/** Which processes there are between the monitor and the program. */
function processes(box: Spec, { kernel: [major, minor] }: Host): Processes {
  const isUserJoined = box.joins.some(({ kind }) => kind === "user");
  const isPidJoined = box.joins.some(({ kind }) => kind === "pid");
  // clone3 takes CLONE_NEWTIME, and execve enters the namespace, since 6.3; before, only a child of the one who made it is in it.
  const isOld = major < 6 || (major === 6 && minor < 3);
  const unsharesTime = box.isNew.time && (isOld || box.timeOffsets !== undefined);
  const needsInner =
    (isUserJoined && (isPidJoined || namespaceKinds.some((kind) => box.isNew[kind]))) || (box.isNew.time && isOld);
  // Without limits the box is in the monitor's group, whose cgroup namespace can be made at once; otherwise it enters its own first.
  const unsharesCgroup = box.cgroup !== undefined;
  const flags = (wanted: (kind: NamespaceKind) => boolean): number =>
    namespaceKinds
      .filter(
        (kind) =>
          box.isNew[kind] &&
          wanted(kind) &&
          !(kind === "time" && unsharesTime) &&
          !(kind === "cgroup" && unsharesCgroup),
      )
      .reduce((sum, kind) => sum + kinds[kind].flag, 0);
  // All but the rights: the process that stays must see the host's /proc, in which it looks after the one that goes on.
  const toInner = (kind: NamespaceKind): boolean => needsInner && kind !== "user";
  return {
    isUserJoined,
    outerFlags: flags((kind) => !toInner(kind)),
    innerFlags: needsInner ? flags(toInner) : undefined,
    unsharesTime,
    isBoxPid1: box.isNew.pid && !box.hasInit && !needsInner,
  };
}

// Host

function startMonitor(box: Spec, hangUp: number): CallStep[] {
  return [
    step("note the time of the start", call.clockGettime(CLOCK.MONOTONIC, { report: "start", size: 16 })),
    // Its file is a descriptor's number, and ps would show that.
    step("name the process", call.prctl(PR.SET_NAME, "bunshare")),
    // SIGSTKFLT, which Linux never sends, is the order to take the box down; see ffi/stage.c.
    step("take the box down when the launcher ends", call.prctl(PR.SET_PDEATHSIG, { flags: "SIG", value: SIG.STKFLT })),
    // It may have ended before the line above: then nobody has the pipe open for reading.
    step("see that the launcher lives", call.pollNow(stageFds.status, 0), {
      expect: { arg: 0, offset: 4, mask: POLL.ERR << 16, equals: 0, errno: "EPIPE" },
    }),
    step(
      "watch the status pipe",
      call.openat(AT_FDCWD, `/proc/self/fd/${stageFds.status}`, O.RDONLY | O.NONBLOCK | O.CLOEXEC),
    ),
    // What the launcher's process had open without close-on-exec is nobody's business from here on (CVE-2024-21626).
    step("close inherited descriptors", call.closeRange(hangUp + 1, last, 0)),
    step("take SIGCHLD", call.rtSigaction(SIG.CHLD, 0)),
    ...(box.hasTerminal
      ? [
          step("ignore the hang-up of the terminal", call.rtSigaction(SIG.HUP, 1)),
          // Bun makes a terminal that it opens for this spawn the controlling one, but not a Bun.Terminal that is there already.
          step("leave the terminal to the box", call.ioctl(0, IOCTL.TIOCNOTTY, null), { tolerate: ["ENOTTY"] }),
        ]
      : []),
    step("block all signals", call.rtSigprocmask(SIG_HOW.SETMASK, "all")),
    ...(box.hasTerminal ? [step("heed hang-ups again", call.rtSigaction(SIG.HUP, 0))] : []),
    // A process that enters other namespaces is in sight of those who are there: none may look into it (CVE-2016-9962).
    ...(box.joins.length > 0
      ? [
          step(
            "close to other processes",
            call.prctl(PR.SET_DUMPABLE, { flags: "SUID_DUMP", value: SUID_DUMP.DISABLE }),
          ),
        ]
      : []),
    ...(box.isNew.pid ? [] : [step("inherit orphans", call.prctl(PR.SET_CHILD_SUBREAPER, 1))]),
    step("clear the umask", call.umask(0)),
  ];
}

function enter(box: Spec, wanted: (kind: NamespaceKind) => boolean): CallStep[] {
  let next: number = stageFds.firstPassed;
  // Numbers of passed descriptors follow the order of the joins, wherever they are entered.
  const joins = box.joins.map((join) => ({ ...join, passed: "fd" in join.from ? next++ : undefined }));
  return namespaceKinds.flatMap((kind): CallStep[] => {
    const join = joins.find((one) => one.kind === kind && wanted(kind));
    if (join === undefined) return [];
    const { flag } = kinds[kind];
    if ("fd" in join.from) return [step(`join the ${kind} namespace`, call.setns(join.passed ?? -1, flag))];
    const id = `${kind} namespace`;
    return [
      // O_NONBLOCK: a FIFO at that path must not stop the monitor.
      step(`open ${join.from.path}`, call.openat(AT_FDCWD, join.from.path, O.RDONLY | O.NONBLOCK | O.CLOEXEC), { id }),
      step(`join the ${kind} namespace`, call.setns({ result: id }, flag)),
    ];
  });
}

/** More than the stage needs; what is not touched costs nothing. */
const stackBytes = 16384;

/**
 * Until its execve the box may live in the monitor's memory, which saves copying it and touching each page again. Not where that memory
 * could be reached or lost through the box: by those in a namespace that it joins (CVE-2016-9962), by a limit on memory, as another user;
 * nor where the process stays.
 */
function sharesMemory(box: Spec, { innerFlags }: Processes): boolean {
  const { ids, cgroup, joins, hasInit } = box;
  return cgroup === undefined && joins.length === 0 && !hasInit && innerFlags === undefined && !ids.setup && !ids.final;
}

function cloneBox(box: Spec, stages: Processes, cgroup: string | undefined): CallStep[] {
  const made = namespaceKinds.filter((kind) => stages.outerFlags & kinds[kind].flag);
  const label = made.length === 0 ? "clone the box" : `clone the box with new ${made.join(", ")} namespaces`;
  const isShared = sharesMemory(box, stages);
  const more = isShared ? { stackBytes } : {};
  const flags = stages.outerFlags + (isShared ? CLONE.VM : 0);
  return [step(label, cloneCall(flags, cgroup, more), { id: "box", fork: "box" })];
}

/** Into the group from the first instruction, where there is a v2 one. */
function cloneCall(flags: number, cgroup: string | undefined, more: { stackBytes?: number } = {}): Call {
  return cgroup === undefined
    ? call.clone3(flags, SIG.CHLD, more)
    : call.clone3(flags + CLONE.INTO_CGROUP, SIG.CHLD, { ...more, cgroup: { result: cgroup } });
}

function watch(label: string, pid: string, more: Partial<ActStep> = {}): ActStep {
  return { label, act: "watch", pid, ...more };
}

const finish: ActStep = { label: "end as the program ended", act: "finish" };

// Maps from outside. The box waits for a signal until they are written.

function mapFromOutside(box: Spec): Step[] {
  const { map } = box.ids;
  if (map === undefined || map.by === "box") return [];
  const write =
    map.by === "monitor"
      ? writeMapsOf("box", map.uid, map.gid)
      : [...runMapper("newuidmap", "mapUids"), ...runMapper("newgidmap", "mapGids")];
  return [...write, step("release the box", call.kill({ result: "box" }, SIG.CONT))];
}

function runMapper(name: string, section: SectionName): CallStep[] {
  return [
    step(`start ${name}`, call.clone3(0, SIG.CHLD), { id: name, fork: section }),
    step(`run ${name}`, call.wait4({ result: name }, { out: 4 }, W.__WALL), {
      expect: { arg: 1, offset: 0, mask: 0xffffffff, equals: 0, errno: "EPERM" },
    }),
  ];
}

function mapperSections({ ids: { map } }: Spec): Partial<Record<SectionName, Step[]>> {
  if (map === undefined || typeof map.by === "string") return {};
  const run = (path: string, lines: typeof map.uid): Step[] => [
    step("unblock signals", call.rtSigprocmask(SIG_HOW.SETMASK, [])),
    step(`run ${path}`, call.execve(path, mapperArguments(path, "box", lines), [])),
  ];
  return { mapUids: run(map.by.newuidmap, map.uid), mapGids: run(map.by.newgidmap, map.gid) };
}

// Box

function dieWith(whom: string): CallStep[] {
  return [step(`die with ${whom}`, call.prctl(PR.SET_PDEATHSIG, { flags: "SIG", value: SIG.KILL }))];
}

/** Gives the box its ids in its new user namespace. */
function becomeMapped(box: Spec): CallStep[] {
  const { map, setup } = box.ids;
  const [uid, gid] = [map?.uid[0], map?.gid[0]];
  if (map === undefined || uid === undefined || gid === undefined) return [];
  // What has become another user is closed to itself too, and the clocks are set through /proc/self.
  const open = box.timeOffsets
    ? [step("stay readable in /proc", call.prctl(PR.SET_DUMPABLE, { flags: "SUID_DUMP", value: SUID_DUMP.USER }))]
    : [];
  const become = setup ? [...becomeIds("the first user of the box", setup.uid, setup.gid, undefined), ...open] : [];
  if (map.by === "box") return [...writeOwnMaps(uid, gid), ...become];
  return [step("wait for the maps", call.rtSigtimedwait([SIG.CONT])), ...become];
}

function becomeIds(who: string, uid: number, gid: number, groups: readonly number[] | undefined): CallStep[] {
  return [
    step(`become ${who}: group`, call.setresgid(gid, gid, gid)),
    ...(groups === undefined ? [] : [step(`become ${who}: groups`, call.setgroups(groups))]),
    step(`become ${who}: user`, call.setresuid(uid, uid, uid)),
    // setresuid has cleared it.
    ...dieWith("its parent"),
  ];
}

function setUpBox(box: Spec, host: Host, processes: Processes, hasCgroup: boolean): CallStep[] {
  const { isNew } = box;
  return [
    // Only now: the root of a cgroup namespace is the group of the process that makes it.
    ...(isNew.cgroup && hasCgroup ? [step("make a cgroup namespace", call.unshare(CLONE.NEWCGROUP))] : []),
    ...(isNew.user && (hasCgroup || isRootMapped(box, host)) ? ruleOutCgroupNamespaces() : []),
    ...(box.hostname === undefined
      ? []
      : [step(`set the host name to ${box.hostname}`, call.sethostname(box.hostname))]),
    ...(box.domainname === undefined
      ? []
      : [step(`set the domain name to ${box.domainname}`, call.setdomainname(box.domainname))]),
    ...(isNew.time && processes.unsharesTime && processes.innerFlags === undefined
      ? makeTimeNamespace(box.timeOffsets)
      : []),
    ...(box.isLoopbackUp ? bringLoopbackUp() : []),
    ...(box.root ? setUpMounts(box, box.root, host) : []),
  ];
}

/** Root of the host is among the ids of the box. */
function isRootMapped({ isNew, ids }: Spec, host: Host): boolean {
  return isNew.user ? (ids.map?.uid ?? []).some(({ outside }) => outside === 0) : host.uid === 0;
}

/** In a cgroup namespace of its own, a nested user namespace could mount the group's hierarchy and lift the limits (CVE-2022-0492). */
function ruleOutCgroupNamespaces(): CallStep[] {
  const id = "max_cgroup_namespaces";
  const path = `/proc/sys/user/${id}`;
  return [
    step("rule out cgroup namespaces: open", call.openat(AT_FDCWD, path, O.WRONLY | O.CLOEXEC), { id }),
    step("rule out cgroup namespaces", call.write({ result: id }, "0")),
  ];
}

function setUpMounts(box: Spec, root: RootSpec, host: Host): CallStep[] {
  const { mounts, isNew } = box;
  const isOwn = (kind: NamespaceKind): boolean => isNew[kind] || box.joins.some((join) => join.kind === kind);
  const special: SpecialMounts = {
    isMade: root.kind === "host" || root.kind === "layers" || root.isWritable,
    hasOwnPids: isOwn("pid"),
    hasOwnNet: isOwn("net"),
    hasOwnIpc: isOwn("ipc"),
    showsCgroups: isNew.cgroup && box.cgroup?.layout.version === "v2",
    isMasked: isRootMapped(box, host),
  };
  return [
    makePrivate(),
    ...openLayers(root),
    ...openHostTrees(special),
    ...openSources(mounts),
    ...buildRoot(root, { base: host.base, isUserxattr: isNew.user, isSuid: !box.noNewPrivileges }),
    ...mountSpecial(special),
    ...placeMounts(mounts),
    ...(mounts.length > 0 ? [returnToRoot()] : []),
    ...enterRoot(),
  ];
}

/** What is inherited by the program, and the program. */
function runProgram(box: Spec): { session: CallStep[]; before: CallStep[]; program: CallStep[] } {
  const { final } = box.ids;
  const [path = "", ...rest] = box.command;
  const argv = [box.argv[0] ?? path, ...rest];
  const { cwd } = box;
  // A session of its own has no controlling terminal into which characters could be pushed (CVE-2017-5226). With an init it is the
  // program's alone: what the terminal sends, such as Ctrl-C, must not reach it twice.
  const session = [
    step("start a session", call.setsid()),
    ...(box.hasTerminal ? [step("take the terminal", call.ioctl(0, IOCTL.TIOCSCTTY, 0))] : []),
  ];
  return {
    session,
    before: [
      // Bun ignores these two, and an ignored signal would stay so in the program.
      step("heed SIGPIPE", call.rtSigaction(SIG.PIPE, 0)),
      step("heed SIGXFSZ", call.rtSigaction(SIG.XFSZ, 0)),
      ...box.rlimits.map(({ name, resource, soft, hard }) =>
        step(`limit ${name}`, call.prlimit64(0, resource, soft, hard)),
      ),
      // Before the working directory is looked up: no path in /proc/self/fd may lead to the host from here on.
      step("close all descriptors", call.closeRange(stageFds.report, last, 0)),
      step(
        "close the status pipe at the execve",
        call.closeRange(stageFds.status, stageFds.status, CLOSE_RANGE.CLOEXEC),
      ),
      // Mounts made here are the box's own to unmake: only without this capability do read-only and masked stay so. A further user
      // namespace gets copies of them that are locked.
      ...(box.isNew.user && box.isNew.mnt
        ? [
            step(
              "give up CAP_SYS_ADMIN at the execve",
              call.prctl(PR.CAPBSET_DROP, { flags: "CAP", value: CAP.SYS_ADMIN }),
            ),
          ]
        : []),
      step("leave the caller's session keyring", call.joinSessionKeyring(), {
        tolerate: ["ENOSYS", "EPERM", "EACCES", "EDQUOT"],
        downgrade: "the keys of the caller's session keyring are in reach",
      }),
      ...(final ? becomeIds(`user ${final.uid}`, final.uid, final.gid, final.groups) : []),
      ...(box.noNewPrivileges ? [step("rule out new privileges", call.prctl(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0))] : []),
      step(
        `go to ${cwd.path}`,
        call.chdir(cwd.path),
        cwd.isRequired ? {} : { tolerate: ["ENOENT", "EACCES", "ENOTDIR"] },
      ),
      step("set the umask", call.umask(box.umask)),
    ],
    program: [
      step("unblock signals", call.rtSigprocmask(SIG_HOW.SETMASK, [])),
      ...candidates(path, box.env).map((file, i, all) =>
        step(
          `run ${file}`,
          call.execve(file, argv, box.env),
          i < all.length - 1 ? { tolerate: ["ENOENT", "EACCES", "ENOTDIR"] } : {},
        ),
      ),
    ],
  };
}

/** As execvp(3): a name without a slash is looked for in the PATH, which is that of the box. */
function candidates(name: string, env: readonly string[]): string[] {
  if (name.includes("/")) return [name];
  const path = env.find((entry) => entry.startsWith("PATH="))?.slice(5) ?? "/usr/local/bin:/usr/bin:/bin";
  return [...new Set(path.split(":"))].map((dir) => (dir === "" ? `./${name}` : `${dir}/${name}`));
}

/** Puts the steps of the box into one, two or three processes. */
function processSections({
  own,
  setUp,
  run,
  processes,
  box,
  hangUp,
  cgroup,
}: {
  own: readonly CallStep[];
  setUp: readonly CallStep[];
  run: ReturnType<typeof runProgram>;
  processes: Processes;
  box: Spec;
  hangUp: number;
  cgroup: string | undefined;
}): Partial<Record<SectionName, readonly Step[]>> {
  // A process that stays must not hold the status pipe, nor be looked into by what it waits for.
  const close = step(
    "close to other processes",
    call.prctl(PR.SET_DUMPABLE, { flags: "SUID_DUMP", value: SUID_DUMP.DISABLE }),
  );
  const stay = (pid: string, isPid1: boolean): Step[] => [
    step("leave the status pipe to the program", call.close(stageFds.status)),
    watch("wait for the program", pid, { hangUp, isPid1 }),
    finish,
  ];
  const before = [...setUp, ...run.before];
  const program = [...run.session, ...run.program];
  const whole: Partial<Record<SectionName, readonly Step[]>> & { inner: readonly Step[] } = box.hasInit
    ? {
        inner: [
          ...before,
          // Before there is anybody in the box who could look; the execve opens the program again.
          close,
          step("clone the program", call.clone3(0, SIG.CHLD), { id: "program", fork: "program" }),
          ...stay("program", false),
        ],
        program: [...dieWith("the init"), ...program],
      }
    : { inner: [...before, ...program] };
  const { inner, ...more } = whole;
  if (processes.innerFlags === undefined) return { box: [...own, ...inner], ...more };
  return {
    box: [
      ...own,
      ...(processes.unsharesTime ? makeTimeNamespace(box.timeOffsets) : []),
      step("clone the box's first process", cloneCall(processes.innerFlags, cgroup), { id: "inner", fork: "inner" }),
      close,
      ...stay("inner", box.isNew.pid && !box.hasInit),
    ],
    inner: [...dieWith("the box"), ...inner],
    ...more,
  };
}
