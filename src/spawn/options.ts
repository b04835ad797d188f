// Generated from schema.ts by `bun scripts/generate-check.ts`: change that and run this.
/** Options of `spawnIsolated`: types, and the check that runs on every call. */
import type { IsolatedProcess } from "./process.ts";
import type { NamespaceKind } from "../ns/kinds.ts";
export type { NamespaceKind };

/** What `spawnIsolated`, `plan` and `explain` take. Every option may be left out. */
export interface SpawnOptions {
  /** Which namespaces are made new. Default: "all" eight, but for those that `join` names. clone3(2), CLONE_NEW* */
  unshare?: "all" | "none" | readonly NamespaceKind[] | undefined;

  /** Namespaces that exist and are entered. Default: none. setns(2) */
  join?: readonly (NamespaceHandle | NamespacePath)[] | undefined;

  /**
   * What the program sees as `/`. Default: "host" in a new mnt namespace, else the root of the caller.
   * pivot_root(2)
   */
  root?: Root | undefined;

  /** Further mounts, in this order. Default: none. mount(2) */
  mounts?: readonly Mount[] | undefined;

  /**
   * A cgroup of its own with these limits, removed afterwards. Default: none. The names and values are those of
   * the kernel ("memory.max", "pids.max"), version 2's on every host. cgroups(7)
   */
  cgroup?: CgroupLimits | undefined;

  /** Host name in a new uts namespace, 1 to 64 bytes. Default: that of the caller. sethostname(2) */
  hostname?: string | undefined;

  /** NIS domain name in a new uts namespace, 1 to 64 bytes. Default: that of the caller. setdomainname(2) */
  domainname?: string | undefined;

  /**
   * Ids of a new user namespace. Default: "root", the caller is uid and gid 0 in the box; "self" keeps the
   * caller's ids. /proc/PID/uid_map, user_namespaces(7)
   */
  map?: "root" | "self" | IdMaps;

  /** User id of the program, as counted in the box. Default: not changed. setresuid(2) */
  uid?: number;

  /** Group id of the program, as counted in the box. Default: not changed. setresgid(2) */
  gid?: number;

  /**
   * Supplementary groups of the program, as counted in the box. Default: not changed, none with `uid` or `gid`.
   * setgroups(2)
   */
  groups?: readonly number[];

  /**
   * How far the clocks of a new time namespace are ahead, in seconds. Default: 0. /proc/PID/timens_offsets,
   * time_namespaces(7)
   */
  timeOffsets?: TimeOffsets | undefined;

  /** Whether the device lo of a new net namespace is up. Default: true. SIOCSIFFLAGS, netdevice(7) */
  loopback?: boolean | undefined;

  /** Working directory, looked up in the box. Default: that of the caller where the box has it, else `/`. chdir(2) */
  cwd?: string | undefined;

  /** The whole environment; names with the value `undefined` are left out. Default: the caller's. execve(2) */
  env?: Environment | undefined;

  /** File mode creation mask. Default: that of the caller. umask(2) */
  umask?: number | undefined;

  /** Resource limits. Default: those of the caller, but for the soft RLIMIT_NOFILE that Bun has raised. prlimit(2) */
  rlimits?: Rlimits | undefined;

  /** Whether set-user-ID programs and file capabilities work. Default: false, PR_SET_NO_NEW_PRIVS is set. prctl(2) */
  newPrivileges?: boolean | undefined;

  /**
   * Whether PID 1 is a small init that reaps orphans and passes signals on. Default: false, the program itself is
   * PID 1. pid_namespaces(7)
   */
  init?: boolean | undefined;

  /** How long the set-up may take, in milliseconds, until the program is executed. Default: 10000. */
  deadlineMs?: number | undefined;

  /** `argv[0]` of the program. Default: the command's own. execve(2) */
  argv0?: string | undefined;

  /** Standard input, as with Bun.spawn. Default: "ignore", /dev/null. */
  stdin?: Stdin | undefined;

  /** Standard output, as with Bun.spawn. Default: "pipe". */
  stdout?: Stdout | undefined;

  /** Standard error, as with Bun.spawn. Default: "inherit". */
  stderr?: Stdout | undefined;

  /** A pseudo-terminal instead of stdin, stdout and stderr, as with Bun.spawn. Default: none. pty(7) */
  terminal?: Bun.Terminal | Bun.TerminalOptions | undefined;

  /** Milliseconds until `killSignal` is sent, as with Bun.spawn. Default: 0, never. */
  timeout?: number | undefined;

  /** What `timeout`, `signal` and `maxBuffer` send, as with Bun.spawn. Default: "SIGTERM". signal(7) */
  killSignal?: NodeJS.Signals | number | undefined;

  /** Sends `killSignal` when it aborts, as with Bun.spawn. Default: none. */
  signal?: AbortSignal | undefined;

  /** Called when the program has ended, as with Bun.spawn. */
  onExit?: ((box: IsolatedProcess, exitCode: number | null, signalCode: NodeJS.Signals | null) => unknown) | undefined;

  /**
   * Whether the process that watches over the box has a session of its own, where no key of the caller's terminal
   * sends signals. Default: false; the box itself always has one. setsid(2)
   */
  detached?: boolean | undefined;

  /** Bytes of output after which `killSignal` is sent, as with Bun.spawn. Default: no limit. */
  maxBuffer?: number | undefined;
}

/** An open namespace: a `Namespace`, or anything that has its kind and its descriptor. setns(2) */
export interface NamespaceHandle {
  /** What it is a namespace of. */
  kind: NamespaceKind;

  /** An open /proc/PID/ns/KIND, or a bind mount of one. */
  fd: number;
}

/** A namespace that has a path. */
export interface NamespacePath {
  /** What it is a namespace of. */
  kind: NamespaceKind;

  /** Where it is: /proc/PID/ns/KIND, /run/netns/NAME. */
  path: string;
}

/**
 * What the program sees as `/`: `"host"` is the root of the host below a copy-on-write overlay that is thrown
 * away, another string a directory, read-only. pivot_root(2)
 */
export type Root = string | RootDirectory | RootLayers;

/** A directory as the root. */
export interface RootDirectory {
  /** The directory that becomes `/`. */
  dir: string;

  /** Whether the program may write there. Default: false, the mount is MS_RDONLY. */
  writable?: boolean | undefined;
}

/** Directories stacked into one: the plain data of an overlay. overlayfs */
export interface RootLayers {
  /** Read-only directories, lowest first, as stacked: a file of a later one hides that of an earlier one. */
  layers: readonly string[];

  /** The directory that takes the changes and keeps them. Default: a tmpfs that is thrown away. */
  upper?: string | undefined;

  /** An empty directory on the file system of `upper`. Default: one beside `upper`. */
  work?: string | undefined;
}

/** One more mount in the box. */
export type Mount = TmpfsMount | BindMount;

/** An empty file system in memory. tmpfs(5) */
export interface TmpfsMount {
  /** Where in the box, made if it is missing. */
  tmpfs: string;

  /**
   * The limit, in bytes or as the kernel writes it: "64M" (binary), "10%" of the memory. Default: half of the
   * memory.
   */
  size?: string | number | undefined;

  /** Permissions of its root directory. Default: 0o1777. */
  mode?: number | undefined;
}

/** A file or directory of the host, seen in the box too. mount(2), MS_BIND */
export interface BindMount {
  /** The file or directory, as the host names it. */
  bind: string;

  /** Where in the box, made if it is missing. */
  at: string;

  /** MS_RDONLY for it and what is mounted below it. Default: false. */
  readonly?: boolean | undefined;
}

/** Values by the kernel's file name: `{ "memory.max": "100M", "pids.max": 64 }`. cgroups(7) */
export interface CgroupLimits {
  [name: string]: string | number | CpuMax;
}

/** The value of cpu.max as fields. */
export interface CpuMax {
  /** Microseconds of CPU time in each period, over all CPUs; "max": no limit. */
  quota: number | "max";

  /** Length of a period in microseconds. Default: 100000. */
  period?: number | undefined;
}

/** Which ids the box has, and what they are outside. */
export interface IdMaps {
  /** /proc/PID/uid_map, at most 340 lines. */
  uid: readonly IdMap[];

  /** /proc/PID/gid_map, at most 340 lines. */
  gid: readonly IdMap[];
}

/** One line of /proc/PID/uid_map. user_namespaces(7) */
export interface IdMap {
  /** First id in the box. */
  inside: number;

  /** First id outside, in the user namespace of the caller. */
  outside: number;

  /** How many ids follow each other. */
  count: number;
}

/** /proc/PID/timens_offsets. time_namespaces(7) */
export interface TimeOffsets {
  /** Seconds added to CLOCK_MONOTONIC; may be negative or fractional. Default: 0. */
  monotonic?: number | undefined;

  /** Seconds added to CLOCK_BOOTTIME; may be negative or fractional. Default: 0. */
  boottime?: number | undefined;
}

/** Variables by name. environ(7) */
export interface Environment {
  [name: string]: string | undefined;
}

/** Resource limits, named as in getrlimit(2), lower case without RLIMIT_. */
export interface Rlimits {
  /** RLIMIT_AS: bytes of address space. */
  as?: ResourceLimit | undefined;

  /** RLIMIT_CORE: bytes of a core dump. */
  core?: ResourceLimit | undefined;

  /** RLIMIT_CPU: seconds of CPU time. */
  cpu?: ResourceLimit | undefined;

  /** RLIMIT_DATA: bytes of data segment. */
  data?: ResourceLimit | undefined;

  /** RLIMIT_FSIZE: bytes of a file. */
  fsize?: ResourceLimit | undefined;

  /** RLIMIT_LOCKS: file locks; without effect since Linux 2.4.25. */
  locks?: ResourceLimit | undefined;

  /** RLIMIT_MEMLOCK: bytes of locked memory. */
  memlock?: ResourceLimit | undefined;

  /** RLIMIT_MSGQUEUE: bytes in POSIX message queues, of the user. */
  msgqueue?: ResourceLimit | undefined;

  /** RLIMIT_NICE: 20 minus the lowest nice value. */
  nice?: ResourceLimit | undefined;

  /** RLIMIT_NOFILE: the highest file descriptor, and one. */
  nofile?: ResourceLimit | undefined;

  /** RLIMIT_NPROC: threads of the user. */
  nproc?: ResourceLimit | undefined;

  /** RLIMIT_RSS: bytes resident; without effect since Linux 2.4.30. */
  rss?: ResourceLimit | undefined;

  /** RLIMIT_RTPRIO: the highest real-time priority. */
  rtprio?: ResourceLimit | undefined;

  /** RLIMIT_RTTIME: microseconds of real-time CPU time without a blocking call. */
  rttime?: ResourceLimit | undefined;

  /** RLIMIT_SIGPENDING: queued signals, of the user. */
  sigpending?: ResourceLimit | undefined;

  /** RLIMIT_STACK: bytes of the main stack. */
  stack?: ResourceLimit | undefined;
}

/** One value for both halves, or each. */
export type ResourceLimit = Limit | SoftAndHard;

/** A resource limit; `unlimited` is RLIM_INFINITY. */
export type Limit = number | "unlimited";

/** Both halves of a resource limit. */
export interface SoftAndHard {
  /** What the kernel enforces; the program may raise it up to `hard`. */
  soft: Limit;

  /** The ceiling of `soft`. */
  hard: Limit;
}

/** Where standard input comes from, as with Bun.spawn. */
export type Stdin =
  | "pipe"
  | "inherit"
  | "ignore"
  | null
  | number
  | Bun.BunFile
  | ArrayBufferView
  | Blob
  | ReadableStream
  | Response
  | Request;

/** Where standard output or standard error goes, as with Bun.spawn. */
export type Stdout = "pipe" | "inherit" | "ignore" | null | number | Bun.BunFile;

/** Whether a value has the shape of `SpawnOptions`. Whether it makes sense on this host is seen later. */
export function isSpawnOptions(options: unknown): options is SpawnOptions {
  const value: any = options;
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.getOwnPropertyNames(value).every((v0) => names7.has(v0)) &&
    (!("unshare" in value) ||
      (typeof value.unshare === "string" && value.unshare === "all") ||
      (typeof value.unshare === "string" && value.unshare === "none") ||
      (Array.isArray(value.unshare) &&
        [...value.unshare].every((v2: any) => isNamespaceKind(v2)) &&
        new Set(value.unshare).size === value.unshare.length) ||
      value.unshare === undefined) &&
    (!("join" in value) ||
      (Array.isArray(value.join) && [...value.join].every((v3: any) => isNamespaceHandle(v3) || isNamespacePath(v3))) ||
      value.join === undefined) &&
    (!("root" in value) || isRoot(value.root) || value.root === undefined) &&
    (!("mounts" in value) ||
      (Array.isArray(value.mounts) && [...value.mounts].every((v4: any) => isMount(v4))) ||
      value.mounts === undefined) &&
    (!("cgroup" in value) || isCgroupLimits(value.cgroup) || value.cgroup === undefined) &&
    (!("hostname" in value) ||
      (typeof value.hostname === "string" && isHostName(value.hostname)) ||
      value.hostname === undefined) &&
    (!("domainname" in value) ||
      (typeof value.domainname === "string" && isHostName(value.domainname)) ||
      value.domainname === undefined) &&
    (!("map" in value) ||
      (typeof value.map === "string" && value.map === "root") ||
      (typeof value.map === "string" && value.map === "self") ||
      isIdMaps(value.map)) &&
    (!("uid" in value) || (Number.isInteger(value.uid) && value.uid >= 0 && value.uid <= 4294967294)) &&
    (!("gid" in value) || (Number.isInteger(value.gid) && value.gid >= 0 && value.gid <= 4294967294)) &&
    (!("groups" in value) ||
      (Array.isArray(value.groups) &&
        [...value.groups].every((v5: any) => Number.isInteger(v5) && v5 >= 0 && v5 <= 4294967294) &&
        value.groups.length <= 65536)) &&
    (!("timeOffsets" in value) || isTimeOffsets(value.timeOffsets) || value.timeOffsets === undefined) &&
    (!("loopback" in value) || typeof value.loopback === "boolean" || value.loopback === undefined) &&
    (!("cwd" in value) || (typeof value.cwd === "string" && isPath(value.cwd)) || value.cwd === undefined) &&
    (!("env" in value) || isEnvironment(value.env) || value.env === undefined) &&
    (!("umask" in value) ||
      (Number.isInteger(value.umask) && value.umask >= 0 && value.umask <= 511) ||
      value.umask === undefined) &&
    (!("rlimits" in value) || isRlimits(value.rlimits) || value.rlimits === undefined) &&
    (!("newPrivileges" in value) || typeof value.newPrivileges === "boolean" || value.newPrivileges === undefined) &&
    (!("init" in value) || typeof value.init === "boolean" || value.init === undefined) &&
    (!("deadlineMs" in value) ||
      (Number.isInteger(value.deadlineMs) && value.deadlineMs >= 1 && value.deadlineMs <= 3600000) ||
      value.deadlineMs === undefined) &&
    (!("argv0" in value) || (typeof value.argv0 === "string" && isText(value.argv0)) || value.argv0 === undefined) &&
    (!("stdin" in value) || isStdin(value.stdin) || value.stdin === undefined) &&
    (!("stdout" in value) || isStdout(value.stdout) || value.stdout === undefined) &&
    (!("stderr" in value) || isStdout(value.stderr) || value.stderr === undefined) &&
    (!("terminal" in value) ||
      isTerminal(value.terminal) ||
      (typeof value.terminal === "object" &&
        value.terminal !== null &&
        !Array.isArray(value.terminal) &&
        Object.getOwnPropertyNames(value.terminal).every((v6) => names8.has(v6)) &&
        (!("cols" in value.terminal) ||
          (Number.isInteger(value.terminal.cols) && value.terminal.cols >= 1 && value.terminal.cols <= 65535) ||
          value.terminal.cols === undefined) &&
        (!("rows" in value.terminal) ||
          (Number.isInteger(value.terminal.rows) && value.terminal.rows >= 1 && value.terminal.rows <= 65535) ||
          value.terminal.rows === undefined) &&
        (!("name" in value.terminal) ||
          (typeof value.terminal.name === "string" && isText(value.terminal.name)) ||
          value.terminal.name === undefined) &&
        (!("data" in value.terminal) || isFunction(value.terminal.data) || value.terminal.data === undefined) &&
        (!("exit" in value.terminal) || isFunction(value.terminal.exit) || value.terminal.exit === undefined) &&
        (!("drain" in value.terminal) || isFunction(value.terminal.drain) || value.terminal.drain === undefined)) ||
      value.terminal === undefined) &&
    (!("timeout" in value) ||
      (Number.isInteger(value.timeout) && value.timeout >= 0 && value.timeout <= 9007199254740991) ||
      value.timeout === undefined) &&
    (!("killSignal" in value) ||
      value.killSignal === "SIGHUP" ||
      value.killSignal === "SIGINT" ||
      value.killSignal === "SIGQUIT" ||
      value.killSignal === "SIGILL" ||
      value.killSignal === "SIGTRAP" ||
      value.killSignal === "SIGABRT" ||
      value.killSignal === "SIGBUS" ||
      value.killSignal === "SIGFPE" ||
      value.killSignal === "SIGKILL" ||
      value.killSignal === "SIGUSR1" ||
      value.killSignal === "SIGSEGV" ||
      value.killSignal === "SIGUSR2" ||
      value.killSignal === "SIGPIPE" ||
      value.killSignal === "SIGALRM" ||
      value.killSignal === "SIGTERM" ||
      value.killSignal === "SIGSTKFLT" ||
      value.killSignal === "SIGCHLD" ||
      value.killSignal === "SIGCONT" ||
      value.killSignal === "SIGSTOP" ||
      value.killSignal === "SIGTSTP" ||
      value.killSignal === "SIGTTIN" ||
      value.killSignal === "SIGTTOU" ||
      value.killSignal === "SIGURG" ||
      value.killSignal === "SIGXCPU" ||
      value.killSignal === "SIGXFSZ" ||
      value.killSignal === "SIGVTALRM" ||
      value.killSignal === "SIGPROF" ||
      value.killSignal === "SIGWINCH" ||
      value.killSignal === "SIGIO" ||
      value.killSignal === "SIGPWR" ||
      value.killSignal === "SIGSYS" ||
      (Number.isInteger(value.killSignal) && value.killSignal >= 1 && value.killSignal <= 31) ||
      value.killSignal === undefined) &&
    (!("signal" in value) || isAbortSignal(value.signal) || value.signal === undefined) &&
    (!("onExit" in value) || isFunction(value.onExit) || value.onExit === undefined) &&
    (!("detached" in value) || typeof value.detached === "boolean" || value.detached === undefined) &&
    (!("maxBuffer" in value) ||
      (Number.isInteger(value.maxBuffer) && value.maxBuffer >= 0 && value.maxBuffer <= 9007199254740991) ||
      value.maxBuffer === undefined)
  );
}

function isNamespaceKind(value: any): boolean {
  return (
    value === "user" ||
    value === "mnt" ||
    value === "pid" ||
    value === "net" ||
    value === "ipc" ||
    value === "uts" ||
    value === "cgroup" ||
    value === "time"
  );
}

function isNamespaceHandle(value: any): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    "kind" in value &&
    "fd" in value &&
    isNamespaceKind(value.kind) &&
    Number.isInteger(value.fd) &&
    value.fd >= 0 &&
    value.fd <= 2147483647
  );
}

function isNamespacePath(value: any): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    "kind" in value &&
    "path" in value &&
    Object.getOwnPropertyNames(value).length === 2 &&
    isNamespaceKind(value.kind) &&
    typeof value.path === "string" &&
    isPath(value.path)
  );
}

function isRoot(value: any): boolean {
  return (typeof value === "string" && isPath(value)) || isRootDirectory(value) || isRootLayers(value);
}

function isRootDirectory(value: any): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    "dir" in value &&
    Object.getOwnPropertyNames(value).every((v0) => names1.has(v0)) &&
    typeof value.dir === "string" &&
    isPath(value.dir) &&
    (!("writable" in value) || typeof value.writable === "boolean" || value.writable === undefined)
  );
}

function isRootLayers(value: any): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    "layers" in value &&
    Array.isArray(value.layers) &&
    [...value.layers].every((v0: any) => typeof v0 === "string" && isPath(v0)) &&
    value.layers.length >= 1 &&
    (!("upper" in value) || (typeof value.upper === "string" && isPath(value.upper)) || value.upper === undefined) &&
    (!("work" in value) || (typeof value.work === "string" && isPath(value.work)) || value.work === undefined)
  );
}

function isMount(value: any): boolean {
  return isTmpfsMount(value) || isBindMount(value);
}

function isTmpfsMount(value: any): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    "tmpfs" in value &&
    Object.getOwnPropertyNames(value).every((v0) => names2.has(v0)) &&
    typeof value.tmpfs === "string" &&
    isPath(value.tmpfs) &&
    (!("size" in value) ||
      (typeof value.size === "string" && pattern1.test(value.size)) ||
      (Number.isInteger(value.size) && value.size >= 1 && value.size <= 9007199254740991) ||
      value.size === undefined) &&
    (!("mode" in value) ||
      (Number.isInteger(value.mode) && value.mode >= 0 && value.mode <= 4095) ||
      value.mode === undefined)
  );
}

function isBindMount(value: any): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    "bind" in value &&
    "at" in value &&
    Object.getOwnPropertyNames(value).every((v0) => names3.has(v0)) &&
    typeof value.bind === "string" &&
    isPath(value.bind) &&
    typeof value.at === "string" &&
    isPath(value.at) &&
    (!("readonly" in value) || typeof value.readonly === "boolean" || value.readonly === undefined)
  );
}

function isCgroupLimits(value: any): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.getOwnPropertyNames(value).every((v0) => pattern2.test(v0)) &&
    Object.entries(value).every(
      ([v2, v3]: [string, any]) =>
        !pattern2.test(v2) || (typeof v3 === "string" && isText(v3)) || Number.isFinite(v3) || isCpuMax(v3),
    )
  );
}

function isCpuMax(value: any): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    "quota" in value &&
    Object.getOwnPropertyNames(value).every((v0) => names4.has(v0)) &&
    ((Number.isInteger(value.quota) && value.quota >= 1 && value.quota <= 9007199254740991) ||
      (typeof value.quota === "string" && value.quota === "max")) &&
    (!("period" in value) ||
      (Number.isInteger(value.period) && value.period >= 1 && value.period <= 9007199254740991) ||
      value.period === undefined)
  );
}

function isIdMaps(value: any): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    "uid" in value &&
    "gid" in value &&
    Object.getOwnPropertyNames(value).length === 2 &&
    Array.isArray(value.uid) &&
    [...value.uid].every((v0: any) => isIdMap(v0)) &&
    value.uid.length >= 1 &&
    value.uid.length <= 340 &&
    Array.isArray(value.gid) &&
    [...value.gid].every((v1: any) => isIdMap(v1)) &&
    value.gid.length >= 1 &&
    value.gid.length <= 340
  );
}

function isIdMap(value: any): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    "inside" in value &&
    "outside" in value &&
    "count" in value &&
    Object.getOwnPropertyNames(value).length === 3 &&
    Number.isInteger(value.inside) &&
    value.inside >= 0 &&
    value.inside <= 4294967294 &&
    Number.isInteger(value.outside) &&
    value.outside >= 0 &&
    value.outside <= 4294967294 &&
    Number.isInteger(value.count) &&
    value.count >= 1 &&
    value.count <= 4294967295
  );
}

function isTimeOffsets(value: any): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.getOwnPropertyNames(value).every((v0) => names5.has(v0)) &&
    (!("monotonic" in value) || Number.isFinite(value.monotonic) || value.monotonic === undefined) &&
    (!("boottime" in value) || Number.isFinite(value.boottime) || value.boottime === undefined)
  );
}

function isEnvironment(value: any): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.getOwnPropertyNames(value).every((v0) => pattern3.test(v0)) &&
    Object.entries(value).every(
      ([v2, v3]: [string, any]) => !pattern3.test(v2) || (typeof v3 === "string" && isText(v3)) || v3 === undefined,
    )
  );
}

function isRlimits(value: any): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    Object.getOwnPropertyNames(value).every((v0) => names6.has(v0)) &&
    (!("as" in value) || isResourceLimit(value.as) || value.as === undefined) &&
    (!("core" in value) || isResourceLimit(value.core) || value.core === undefined) &&
    (!("cpu" in value) || isResourceLimit(value.cpu) || value.cpu === undefined) &&
    (!("data" in value) || isResourceLimit(value.data) || value.data === undefined) &&
    (!("fsize" in value) || isResourceLimit(value.fsize) || value.fsize === undefined) &&
    (!("locks" in value) || isResourceLimit(value.locks) || value.locks === undefined) &&
    (!("memlock" in value) || isResourceLimit(value.memlock) || value.memlock === undefined) &&
    (!("msgqueue" in value) || isResourceLimit(value.msgqueue) || value.msgqueue === undefined) &&
    (!("nice" in value) || isResourceLimit(value.nice) || value.nice === undefined) &&
    (!("nofile" in value) || isResourceLimit(value.nofile) || value.nofile === undefined) &&
    (!("nproc" in value) || isResourceLimit(value.nproc) || value.nproc === undefined) &&
    (!("rss" in value) || isResourceLimit(value.rss) || value.rss === undefined) &&
    (!("rtprio" in value) || isResourceLimit(value.rtprio) || value.rtprio === undefined) &&
    (!("rttime" in value) || isResourceLimit(value.rttime) || value.rttime === undefined) &&
    (!("sigpending" in value) || isResourceLimit(value.sigpending) || value.sigpending === undefined) &&
    (!("stack" in value) || isResourceLimit(value.stack) || value.stack === undefined)
  );
}

function isResourceLimit(value: any): boolean {
  return isLimit(value) || isSoftAndHard(value);
}

function isLimit(value: any): boolean {
  return (
    (Number.isInteger(value) && value >= 0 && value <= 9007199254740991) ||
    (typeof value === "string" && value === "unlimited")
  );
}

function isSoftAndHard(value: any): boolean {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    "soft" in value &&
    "hard" in value &&
    Object.getOwnPropertyNames(value).length === 2 &&
    isLimit(value.soft) &&
    isLimit(value.hard)
  );
}

function isStdin(value: any): boolean {
  return (
    value === "pipe" ||
    value === "inherit" ||
    value === "ignore" ||
    value === null ||
    (Number.isInteger(value) && value >= 0 && value <= 2147483647) ||
    isBlobOrStream(value)
  );
}

function isStdout(value: any): boolean {
  return (
    value === "pipe" ||
    value === "inherit" ||
    value === "ignore" ||
    value === null ||
    (Number.isInteger(value) && value >= 0 && value <= 2147483647) ||
    isBlob(value)
  );
}

const isPath = (value: any): boolean => value !== "" && value.isWellFormed() && !value.includes("\x00");
const names1 = new Set(["dir", "writable"]);
const names2 = new Set(["tmpfs", "size", "mode"]);
const pattern1 = /^0*[1-9][0-9]*[kKmMgGtTpPeE%]?$/u;
const names3 = new Set(["bind", "at", "readonly"]);
const names4 = new Set(["quota", "period"]);
const pattern2 = /^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*$/u;
const isText = (value: any): boolean => value.isWellFormed() && !value.includes("\x00");
const names5 = new Set(["monotonic", "boottime"]);
const pattern3 = /^[^\0\ud800-\udfff=]+$/u;
const names6 = new Set([
  "as",
  "core",
  "cpu",
  "data",
  "fsize",
  "locks",
  "memlock",
  "msgqueue",
  "nice",
  "nofile",
  "nproc",
  "rss",
  "rtprio",
  "rttime",
  "sigpending",
  "stack",
]);
const isBlobOrStream = (value: any): boolean =>
  ArrayBuffer.isView(value) ||
  value instanceof Blob ||
  value instanceof ReadableStream ||
  value instanceof Response ||
  value instanceof Request;
const isBlob = (value: any): boolean => value instanceof Blob;
const names7 = new Set([
  "unshare",
  "join",
  "root",
  "mounts",
  "cgroup",
  "hostname",
  "domainname",
  "map",
  "uid",
  "gid",
  "groups",
  "timeOffsets",
  "loopback",
  "cwd",
  "env",
  "umask",
  "rlimits",
  "newPrivileges",
  "init",
  "deadlineMs",
  "argv0",
  "stdin",
  "stdout",
  "stderr",
  "terminal",
  "timeout",
  "killSignal",
  "signal",
  "onExit",
  "detached",
  "maxBuffer",
]);
const isHostName = (value: any): boolean =>
  value !== "" &&
  value.isWellFormed() &&
  !value.includes("\x00") &&
  (value.length <= 21 || Buffer.byteLength(value) <= 64);
const isTerminal = (value: any): boolean => "Bun" in globalThis && value instanceof Bun.Terminal;
const names8 = new Set(["cols", "rows", "name", "data", "exit", "drain"]);
const isFunction = (value: any): boolean => typeof value === "function";
const isAbortSignal = (value: any): boolean => value instanceof AbortSignal;
