/** Starts a plan: its image under Bun.spawn, the report beside it, and the end of the set-up awaited. */
import { closeSync, mkdtempSync, rmdirSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { F_SEAL, MFD } from "../sys/flags.ts";
import { SyscallError } from "../sys/error.ts";
import type { Fd } from "../sys/fd.ts";
import { sys } from "../sys/vocabulary.ts";
import { OptionsError } from "../sys/options-error.ts";
import { checkOptions } from "./check.ts";
import { errorOf, failureOf } from "./failure.ts";
import { encode } from "./image.ts";
import type { SpawnOptions } from "./options.ts";
import { plan } from "./plan.ts";
import type { Plan } from "./plan-data.ts";
import { IsolatedProcess, monitorSignal } from "./process.ts";
import { readReport, reportLayout } from "./report.ts";
import { type BoxStatus, boxStatus, groupDirectories } from "./status.ts";
import { makePipe, openStdio, type StdioOptions } from "./stdio.ts";

/** What a launch can be given beyond its plan: Bun.spawn's options, with Bun.spawn's meaning. */
export type LaunchOptions = StdioOptions &
  Pick<SpawnOptions, "timeout" | "killSignal" | "signal" | "onExit" | "detached">;

/**
 * Runs a command in a box: all namespaces new and the host's root below an overlay that is thrown away, unless told otherwise.
 * Resolves when the program has been executed.
 *
 * ```ts
 * await using box = await spawnIsolated(["sh", "-c", "id; hostname"], { hostname: "box", stdout: "pipe" });
 * console.log(await box.stdout.text(), await box.exited);
 * ```
 * @throws {OptionsError} for bad options, before anything has been made
 * @throws {SyscallError} with the step of the set-up that failed, after everything has been undone
 */
export async function spawnIsolated(command: readonly string[], options: SpawnOptions = {}): Promise<IsolatedProcess> {
  return launch(plan(command, options), pickLaunch(options));
}

/**
 * Runs a plan. The same plan can be launched any number of times, also at once.
 * @param options Streams and callbacks: what is not data, and so not in the plan. The plan's own come after them.
 */
export async function launch(boxPlan: Plan, options: LaunchOptions = {}): Promise<IsolatedProcess> {
  checkLaunch(boxPlan, options);
  options.signal?.throwIfAborted();
  const io = { ...boxPlan.io, ...options };
  let child: Bun.Subprocess;
  // What is ours until the box is handed over; a failure anywhere gives it back.
  using owned = new DisposableStack();
  // What only the child needs.
  using lent = new DisposableStack();
  const stdio = openStdio(io, { owned, lent }, () => child.kill(monitorSignal(io.killSignal)));
  const [statusRead, statusWrite] = makePipe();
  lent.defer(() => closeSync(statusWrite));
  owned.defer(() => closeSync(statusRead));
  const report = makeReport(boxPlan, owned);
  child = withImage(boxPlan, (path) =>
    Bun.spawn([path], {
      ...stageOptions(boxPlan, io, [...stdio.child, statusWrite, report.number]),
      ...(io.terminal === undefined ? {} : { terminal: io.terminal }),
      ...(io.signal === undefined ? {} : { signal: io.signal }),
      ...(io.detached === undefined ? {} : { detached: io.detached }),
    }),
  );
  lent.dispose();
  // The monitor bounds what the box does. What it does itself can hang too, on a file system that does not answer.
  let isStuck = false;
  const deadline = setTimeout(() => {
    isStuck = true;
    child.kill("SIGKILL");
  }, boxPlan.deadlineMs + monitorGraceMs);
  await hangUp(statusRead);
  clearTimeout(deadline);
  const begin = readReport(report.number, boxPlan);
  const failure = failureOf(boxPlan, isStuck ? { ...begin, isLate: true } : begin);
  if (failure === undefined) {
    closeSync(statusRead);
    owned.move();
    return new IsolatedProcess(boxPlan, child, report, stdio, io.onExit);
  }
  // The monitor's end is when everything has been undone, but for one that had to be killed.
  await child.exited;
  if (isStuck) removeGroups(boxPlan, child.pid);
  if (io.signal?.aborted) throw io.signal.reason;
  throw errorOf(failure, boxPlan, readReport(report.number, boxPlan));
}

/** Names of the options that a launch may be given. */
const launchNames = [
  "stdin",
  "stdout",
  "stderr",
  "terminal",
  "maxBuffer",
  "timeout",
  "killSignal",
  "signal",
  "onExit",
  "detached",
];

const pickLaunch = (options: SpawnOptions): LaunchOptions =>
  Object.fromEntries(Object.entries(options).filter(([name]) => launchNames.includes(name)));

function checkLaunch(boxPlan: Plan, options: LaunchOptions): void {
  if (boxPlan?.version !== 1) throw new OptionsError("plan", boxPlan, "expected what plan() returned, or its JSON");
  checkOptions(options);
  // Options of the box itself have been compiled into the plan: here they would come too late, in silence.
  const late = Object.keys(options).find((name) => !launchNames.includes(name));
  if (late !== undefined)
    throw new OptionsError(`options.${late}`, options[late as never], "belongs to plan(), not to launch()");
  if ((options.terminal !== undefined) !== boxPlan.hasTerminal)
    throw new OptionsError(
      "options.terminal",
      options.terminal,
      "must be given to plan() and to launch(), or to neither",
    );
}

/** Of a monitor that undid nothing. A group that is not empty or not there stays as it is. */
function removeGroups(boxPlan: Plan, monitor: number): void {
  for (const path of groupDirectories(boxPlan, monitor))
    try {
      rmdirSync(path);
    } catch {}
}

/** How much longer than its deadline a monitor may take to end a box and to undo what was made. */
const monitorGraceMs = 1000;

/** What `spawnIsolatedSync` returns: Bun.spawnSync's result and the box's status. */
export interface IsolatedResult {
  readonly stdout: Buffer | undefined;
  readonly stderr: Buffer | undefined;
  /** Null where a signal ended it. */
  readonly exitCode: number | null;
  readonly signalCode: NodeJS.Signals | null;
  /** Exit code 0. */
  readonly success: boolean;
  readonly resourceUsage: Bun.ResourceUsage;
  readonly exitedDueToTimeout: boolean;
  readonly status: BoxStatus;
}

/**
 * As `spawnIsolated`, and waits for the end; blocks this thread meanwhile. Defaults are those of Bun.spawnSync: stderr is "pipe".
 * Its pipes are sockets, so a program that opens /dev/stdout by name fails with ENXIO; the asynchronous form has no such limit.
 * @throws {OptionsError} {SyscallError} as `spawnIsolated` rejects.
 */
export function spawnIsolatedSync(command: readonly string[], options: SpawnOptions = {}): IsolatedResult {
  const boxPlan = plan(command, options);
  if (options.terminal !== undefined)
    throw new OptionsError(
      "options.terminal",
      options.terminal,
      "takes spawnIsolated: a terminal needs the event loop",
    );
  if (options.stdin === "pipe")
    throw new OptionsError("options.stdin", "pipe", "takes spawnIsolated: nobody could write while this thread waits");
  if (options.onExit !== undefined)
    throw new OptionsError("options.onExit", options.onExit, "takes spawnIsolated: here the result tells");
  options.signal?.throwIfAborted();
  using owned = new DisposableStack();
  const [statusRead, statusWrite] = makePipe();
  for (const fd of [statusRead, statusWrite]) owned.defer(() => closeSync(fd));
  const report = makeReport(boxPlan, owned);
  const result = withImage(boxPlan, (path) =>
    Bun.spawnSync([path], {
      ...stageOptions(boxPlan, options, [
        options.stdin ?? "ignore",
        options.stdout ?? "pipe",
        options.stderr ?? "pipe",
        statusWrite,
        report.number,
      ]),
      ...(options.maxBuffer === undefined ? {} : { maxBuffer: options.maxBuffer }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    }),
  );
  const end = readReport(report.number, boxPlan);
  const failure = failureOf(boxPlan, end);
  if (failure) throw errorOf(failure, boxPlan, end);
  const { stdout, stderr, success, resourceUsage, pid } = result;
  const exitCode = result.signalCode ? null : result.exitCode;
  const signalCode = (result.signalCode ?? null) as NodeJS.Signals | null;
  return {
    stdout,
    stderr,
    exitCode,
    signalCode,
    success,
    resourceUsage,
    exitedDueToTimeout: result.exitedDueToTimeout ?? false,
    status: boxStatus(boxPlan, end, { exitCode, signalCode, monitor: pid }),
  };
}

type ChildEnd = SpawnOptions["stdin"] | number;

/** How the stage is started: descriptors in the order that the plan knows them by, and an environment that is not the program's. */
function stageOptions({ passed }: Plan, io: Pick<SpawnOptions, "timeout" | "killSignal">, stdio: readonly ChildEnd[]) {
  const killSignal = monitorSignal(io.killSignal);
  return {
    argv0: "bunshare",
    env: {},
    stdio: [...stdio, ...passed.map(({ fd }) => fd)] as never,
    ...(io.timeout === undefined ? {} : { timeout: io.timeout }),
    ...(killSignal === undefined ? {} : { killSignal }),
  };
}

/** Images of plans that are launched again and again are encoded once. */
const images = new WeakMap<Plan, Uint8Array<ArrayBuffer>>();

/**
 * Gives `start` the path of the plan's image, which lives in a sealed memfd: nobody can write to it, in the box or outside
 * (CVE-2019-5736). The descriptor is closed again when the stage runs: no launch leaves one open.
 */
function withImage<T>(boxPlan: Plan, start: (path: string) => T): T {
  let image = images.get(boxPlan);
  if (image === undefined) images.set(boxPlan, (image = encode(boxPlan)));
  using file = makeExecutable();
  if (file === undefined) return withImageFile(image, start);
  writeSync(file.number, image);
  sys.addSeals(file, F_SEAL.SEAL | F_SEAL.SHRINK | F_SEAL.GROW | F_SEAL.WRITE);
  return start(`/proc/self/fd/${file.number}`);
}

/** An empty memfd, or undefined where the host does not let one be executed (vm.memfd_noexec=2). */
function makeExecutable(): Fd | undefined {
  const flags = MFD.CLOEXEC | MFD.ALLOW_SEALING;
  try {
    // Linux 6.3 wants to be told; older kernels do not know the flag.
    return sys.memfdCreate("bunshare", flags | MFD.EXEC);
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (error.code === "EINVAL") return sys.memfdCreate("bunshare", flags);
    if (error.code === "EACCES") return undefined;
    throw error;
  }
}

/** The image as a file that has no name any more when the stage runs: nobody will execute it again. */
function withImageFile<T>(image: Uint8Array, start: (path: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), "bunshare-"));
  try {
    const path = join(directory, "stage");
    writeFileSync(path, image, { mode: 0o500, flag: "wx" });
    return start(path);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** A page that stage and launcher share, of a size that nobody can change under the other. */
function makeReport(boxPlan: Plan, owned: DisposableStack): Fd {
  const file = owned.use(sys.memfdCreate("bunshare-report", MFD.CLOEXEC | MFD.ALLOW_SEALING));
  sys.ftruncate(file, reportLayout(boxPlan).size);
  sys.addSeals(file, F_SEAL.SEAL | F_SEAL.SHRINK | F_SEAL.GROW);
  return file;
}

/** Waits until nobody has the other end open any more: the box has reached its execve, or its end. */
async function hangUp(fd: number): Promise<void> {
  const reader = Bun.file(fd).stream().getReader();
  while (!(await reader.read()).done);
}
