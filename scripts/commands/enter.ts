/**
 * A program that is in a control group from its first instruction.
 *
 * It is started as the stage of a box is, without a box: Bun.spawn clones the stage's image right into the v2 group
 * (CLONE_INTO_CGROUP), the stage writes "0", itself, to `tasks` in each v1 group, and executes the program in its own place. Nobody's
 * pid is written anywhere while it runs already, and the program is the child of this process, with its terminal and its session.
 */
import { closeSync, writeSync } from "node:fs";
import type { Cgroup } from "../../src/cgroup/cgroup.ts";
import { explained } from "../../src/cgroup/directory.ts";
import { errorOf, failureOf } from "../../src/spawn/failure.ts";
import { encode } from "../../src/spawn/image.ts";
import { plan, type Plan } from "../../src/spawn/mod.ts";
import { stageFds } from "../../src/spawn/plan.ts";
import { readReport, reportLayout } from "../../src/spawn/report.ts";
import { makePipe } from "../../src/spawn/stdio.ts";
import * as call from "../../src/sys/calls.ts";
import { type ErrnoName, errnoNumber, errnoText } from "../../src/sys/errno.ts";
import { SyscallError } from "../../src/sys/error.ts";
import { syscallError } from "../../src/sys/message.ts";
import { CLONE, F_SEAL, MAP, MFD, O, PROT, RESOLVE, SIG } from "../../src/sys/flags.ts";
import type { Fd } from "../../src/sys/fd.ts";
import { type CallStep, type Step, step } from "../../src/sys/step.ts";
import { sys } from "../../src/sys/vocabulary.ts";

/** What a program inherits, taken from the plan of a box: signals as ever, RLIMIT_NOFILE, no descriptors, and the execve itself. */
const inherited = ["rt_sigaction", "prlimit64", "close_range", "execve"];

/**
 * Pure but for what `plan` asks the host: the steps that enter v1 groups and run the command. `explain` prints it.
 * @param tasks What is passed to the stage as descriptor 5, 6, ...: `tasks` of each group, open for writing
 */
export function enterPlan(command: readonly string[], tasks: readonly { what: string; fd: number }[]): Plan {
  const usual = plan(command, { unshare: "none", newPrivileges: true });
  const enter = tasks.map(({ what }, i) => step(`enter ${what}`, call.write(stageFds.firstPassed + i, "0")));
  const run = (usual.sections.box ?? []).filter(
    (one): one is CallStep => "call" in one && inherited.includes(one.call.name) && !isOfMonitor(one),
  );
  const undo: Step[] = [{ label: "end", act: "finish" }];
  const sections = (size: number): Plan["sections"] => ({
    host: [
      step(
        "map the report",
        call.mmap({ reportPage: 0 }, size, PROT.READ | PROT.WRITE, MAP.SHARED | MAP.FIXED, stageFds.report),
      ),
      ...enter,
      ...run,
    ],
    undo,
  });
  const { size } = reportLayout({ sections: sections(0) });
  return { ...usual, sections: sections(size), passed: [...tasks], io: {} };
}

/** Steps of a box that make up for what its monitor did. */
const isOfMonitor = ({ label }: CallStep): boolean => /SIGCHLD|hang-up/.test(label);

/**
 * Starts a program in a group with this process' standard input, output and error.
 * @throws {SyscallError} with the step that failed: nothing runs then.
 */
async function spawnInGroup(
  command: readonly string[],
  group: Cgroup,
  v2Entry: "clone" | "enter" = "clone",
): Promise<Bun.Subprocess> {
  using owned = new DisposableStack();
  const v2 = v2Entry === "clone" ? group.places.find(({ version }) => version === 2) : undefined;
  const tasks = group.places
    .filter((place) => place !== v2)
    .map(({ fd, path, version }) => {
      const name = version === 1 ? "tasks" : "cgroup.procs";
      const flags = O.WRONLY | O.CLOEXEC;
      const file = owned.use(sys.openat2(fd, name, flags, RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS) as Fd);
      return { what: path, fd: file.number };
    });
  const entering = enterPlan(command, tasks);

  const image = owned.use(makeExecutable());
  writeSync(image.number, encode(entering));
  sys.addSeals(image, F_SEAL.SEAL | F_SEAL.SHRINK | F_SEAL.GROW | F_SEAL.WRITE);
  const report = owned.use(sys.memfdCreate("bunshare-report", MFD.CLOEXEC | MFD.ALLOW_SEALING));
  sys.ftruncate(report, reportLayout(entering).size);
  const [statusRead, statusWrite] = makePipe();
  owned.defer(() => closeSync(statusRead));
  let child: Bun.Subprocess;
  try {
    child = Bun.spawn([`/proc/self/fd/${image.number}`], {
      argv0: "bunshare",
      env: {},
      stdio: ["inherit", "inherit", "inherit", statusWrite, report.number, ...tasks.map(({ fd }) => fd)] as never,
      ...(v2 === undefined ? {} : { cgroup: v2.fd.number }),
    });
  } catch (error) {
    throw ofClone(error, v2?.path ?? "");
  } finally {
    closeSync(statusWrite);
  }
  // The pipe hangs up at the execve of the program, or at the end of the stage.
  const reader = Bun.file(statusRead).stream().getReader();
  while (!(await reader.read()).done);
  const written = readReport(report.number, entering);
  const failure = failureOf(entering, written);
  if (failure === undefined) return child;
  await child.exited;
  // Killed at its birth. Kernels with kill_seq (6.14, and stable ones) compare the group's with that of the caller's group instead, so
  // that CLONE_INTO_CGROUP into a group whose cgroup.kill has ever been written ends so. Who moves there lives.
  if (v2 && written.failed === undefined && written.ticks(0) === 0n) return spawnInGroup(command, group, "enter");
  throw ofStep(errorOf(failure, entering, written), command[0] ?? "");
}

const cloneHints: Readonly<Record<string, string>> = {
  EACCES:
    "Its cgroup.procs may not be written, or that of the nearest group above both it and the one that this process is in",
  EAGAIN: "The group has as many tasks as its pids.max, or that of a group above, allows",
  EBUSY: "Controllers are enabled for groups below it: only they can hold processes",
  EOPNOTSUPP: "The group is threaded, or has become invalid: see its cgroup.type",
  ENODEV: "The group has been removed",
};

/** Bun's error of its clone3, as one of ours. */
function ofClone(error: unknown, path: string): unknown {
  if (path === "" || !(error instanceof Error && "code" in error && typeof error.code === "string")) return error;
  const errno = errnoNumber(error.code as ErrnoName);
  if (errno === undefined) return error;
  const what = call.clone3(CLONE.INTO_CGROUP, SIG.CHLD);
  return explained(syscallError(what, errno), path, undefined, cloneHints[error.code]);
}

/** Without the number of the step, and without words about a box: there is none. */
function ofStep(error: SyscallError, command: string): SyscallError {
  const { code, errno, path, step: failed, call: what } = error;
  const hint = error.hint?.replace(" in the box", "");
  const label = error.syscall === "execve" ? `run ${command}` : failed?.label;
  const message = `${label}: ${code} (${errnoText(code as ErrnoName)})${hint === undefined ? "" : `. ${hint}`}`;
  return new SyscallError(message, { code, errno, path, call: what, ...(hint === undefined ? {} : { hint }) });
}

function makeExecutable(): Fd {
  const flags = MFD.CLOEXEC | MFD.ALLOW_SEALING;
  try {
    return sys.memfdCreate("bunshare", flags | MFD.EXEC);
  } catch (error) {
    // Before Linux 6.3 there is no such flag, and every memfd can be executed.
    if (error instanceof SyscallError && error.code === "EINVAL") return sys.memfdCreate("bunshare", flags);
    throw error;
  }
}

/** Signals for the program. Those of the keyboard reach it from the terminal, which sends them to both. */
const passed = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGQUIT"] as const;

/**
 * `spawnInGroup`, and signals passed on until the program has ended.
 * @returns its exit code, or 128 + n where signal n ended it
 */
export async function runInGroup(command: readonly string[], group: Cgroup): Promise<number> {
  const hasKeyboard = isControlled();
  const held: NodeJS.Signals[] = [];
  let child: Bun.Subprocess | undefined;
  using handlers = new DisposableStack();
  for (const signal of passed) {
    const isOfKeyboard = hasKeyboard && (signal === "SIGINT" || signal === "SIGQUIT");
    const handler = () => void (isOfKeyboard || (child ? child.kill(signal) : held.push(signal)));
    process.on(signal, handler);
    handlers.defer(() => process.off(signal, handler));
  }
  child = await spawnInGroup(command, group);
  for (const signal of held) child.kill(signal);
  return await child.exited;
}

/** Whether this process has a controlling terminal: only then can it be opened by this name. tty(4) */
function isControlled(): boolean {
  try {
    using _ = sys.openat(call.AT_FDCWD, "/dev/tty", O.RDONLY | O.CLOEXEC | O.NOCTTY) as Fd;
    return true;
  } catch {
    return false;
  }
}
