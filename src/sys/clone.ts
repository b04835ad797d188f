/** A program started by clone3(2) itself: the least that makes a process in new namespaces. */
import { cloneExec } from "../../ffi/syscall.ts";
import type { Arg, Call } from "./call.ts";
import { pidfdSendSignal, waitid } from "./calls/process.ts";
import { checkCall } from "./check.ts";
import type { DecodedStruct } from "./decode.ts";
import { encodeArg } from "./encode.ts";
import { SyscallError } from "./error.ts";
import { failure } from "./failure.ts";
import { Fd } from "./fd.ts";
import { AT, AT_FDCWD, CLONE, P, SIG, W } from "./flags.ts";
import { run } from "./invoke.ts";
import { OptionsError } from "./options-error.ts";
import { bits, fd, type FdArg, one } from "./primitive.ts";
import { Scratch } from "./scratch.ts";

/** How the child differs from its parent. */
export interface CloneOptions {
  /** CLONE_NEW* and CLONE_INTO_CGROUP, added up. Default: none, a process like any other. */
  readonly flags?: number;
  /** Directory descriptor of a v2 group, with CLONE_INTO_CGROUP. Linux 5.7 */
  readonly cgroup?: FdArg;
  /** `NAME=value` each. Default: this process' own environment. */
  readonly env?: readonly string[];
}

/** What makes a process of its own, and no thread of this one. */
const allowed = [
  CLONE.NEWNS,
  CLONE.NEWCGROUP,
  CLONE.NEWUTS,
  CLONE.NEWIPC,
  CLONE.NEWUSER,
  CLONE.NEWPID,
  CLONE.NEWNET,
  CLONE.NEWTIME,
  CLONE.INTO_CGROUP,
].reduce((all, flag) => all | BigInt(flag), 0n);

/**
 * `clone3(args, size)`, and in the child `execveat(dirfd, path, argv, envp, flags)`: starts a program, as posix_spawn(3) does, in
 * the namespaces and the group that the flags name. Nothing is forked: the child shares this process' memory, while this thread
 * waits, until its execve. That makes it the fastest way to a new process, and the one to measure; it knows nothing of mounts, id
 * maps and limits: a box is made with `spawnIsolated`. clone(2), Linux 5.5
 *
 * The program gets standard input, output and error of this process, and what else is not close-on-exec; SIGPIPE and SIGXFSZ
 * stay ignored, as Bun has them.
 * @param program A path, or the descriptor of an executable: a memfd that holds an image.
 * @throws {SyscallError} of clone3 or of execveat; in both cases nothing is left.
 * @throws {OptionsError} for flags that only threads can have.
 */
export function cloneProgram(
  program: string | FdArg,
  argv: readonly string[],
  options: CloneOptions = {},
): ClonedProcess {
  const { flags = 0, env = environment() } = options;
  if (!Number.isSafeInteger(flags) || (BigInt(flags) & ~allowed) !== 0n)
    throw new OptionsError("flags", flags, "expected CLONE_NEW* and CLONE_INTO_CGROUP, and nothing else");
  const memory = new Scratch();
  const pidfd = memory.reserve(4);
  // Without the engine's handlers, which would run in the child, on the engine's memory, when a signal comes before its execve.
  const ours = BigInt(CLONE.VM | CLONE.VFORK | CLONE.PIDFD) | BigInt(CLONE.CLEAR_SIGHAND);
  const all = Number(BigInt(flags) | ours);
  const clone: Call = checkCall({
    name: "clone3",
    args: [
      {
        struct: "clone_args",
        fields: {
          flags: bits("CLONE", all),
          pidfd,
          exit_signal: one("SIG", SIG.CHLD),
          ...(options.cgroup === undefined ? {} : { cgroup: fd(options.cgroup) }),
        },
      },
      88,
    ],
  });
  const isPath = typeof program === "string";
  const exec: Call = checkCall({
    name: "execveat",
    args: [
      fd(isPath ? AT_FDCWD : program),
      isPath ? program : "",
      { strings: argv },
      { strings: env },
      bits("AT", isPath ? 0 : AT.EMPTY_PATH),
    ],
  });
  const start = memory.allocate(64);
  exec.args.forEach((arg, i) => memory.putNumber(start + 8 * i, 8, encodeArg(arg, memory)));
  memory.putNumber(start + 56, 8, -1);

  const pid = cloneExec(Number(encodeArg(clone.args[0] as Arg, memory)), 88, start);
  if (pid < 0) throw failure(clone, -pid);
  const child = new ClonedProcess(pid, new Fd(new DataView(memory.at(pidfd, 4).slice().buffer).getInt32(0, true)));
  const error = new DataView(memory.at(start + 40, 8).slice().buffer).getBigInt64(0, true);
  if (error === 0n) return child;
  try {
    child.wait();
  } catch {
    // Where SIGCHLD is ignored the kernel has reaped it. What counts is why there is no program.
  }
  child.pidfd.close();
  throw failure(exec, -Number(error));
}

const environment = (): string[] =>
  Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`]));

/** A child that `cloneProgram` made. Disposal kills it, waits for its end, and closes its descriptor. */
export class ClonedProcess implements Disposable {
  /** As this process' pid namespace counts. */
  readonly pid: number;
  /** What names it for sure, even when its pid has become another's. pidfd_open(2) */
  readonly pidfd: Fd;
  #end: DecodedStruct<"siginfo"> | undefined;

  /** Use {@link cloneProgram}. */
  constructor(pid: number, pidfd: Fd) {
    this.pid = pid;
    this.pidfd = pidfd;
  }

  /**
   * `waitid(P_PIDFD, pidfd, info, WEXITED)`: blocks this thread until the child has ended, and reaps it. `si_code` is CLD.EXITED with
   * the exit code in `si_status`, or CLD.KILLED or CLD.DUMPED with the signal. The second time the same answer.
   */
  wait(): DecodedStruct<"siginfo"> {
    this.#end ??= run(waitid, P.PIDFD, this.pidfd, W.EXITED);
    return this.#end;
  }

  /** Kills it unless it has been waited for. */
  [Symbol.dispose](): void {
    if (this.pidfd.closed) return;
    try {
      if (this.#end !== undefined) return;
      run(pidfdSendSignal, this.pidfd, SIG.KILL);
      this.wait();
    } catch (error) {
      // Somebody else has waited for it, or the kernel itself where SIGCHLD is ignored.
      if (!(error instanceof SyscallError && (error.code === "ESRCH" || error.code === "ECHILD"))) throw error;
    } finally {
      this.pidfd.close();
    }
  }
}
