/** A thread whose getppid(2) and getsid(2) a listener answers: a Worker of a case, that installs the filter itself. */
import { parentPort } from "node:worker_threads";
import { SyscallError } from "../../../src/sys/error.ts";
import {
  AUDIT_ARCH,
  BPF_CLASS,
  BPF_JMP_OP,
  BPF_MODE,
  BPF_RVAL,
  BPF_SIZE,
  BPF_SRC,
  PR,
  SECCOMP_RET,
} from "../../../src/sys/flags.ts";
import { bpfJump, bpfStmt, type SockFilter } from "../../../src/sys/bpf.ts";
import { invoke } from "../../../src/sys/invoke.ts";
import { sys } from "../../../src/sys/vocabulary.ts";
import { type Arch, numberOf, type SyscallName } from "../../../src/sys/numbers.ts";
import { Traced } from "./case.ts";

const arch = process.arch as Arch;

/** A filter that answers these calls so, and lets all others pass. */
export function filterOf(answers: Partial<Record<SyscallName, number>>): readonly SockFilter[] {
  const load = (offset: number) => bpfStmt(BPF_CLASS.LD | BPF_SIZE.W | BPF_MODE.ABS, offset);
  const answer = (value: number) => bpfStmt(BPF_CLASS.RET | BPF_RVAL.K, value);
  const equals = (value: number, jt: number, jf: number) =>
    bpfJump(BPF_CLASS.JMP | BPF_JMP_OP.JEQ | BPF_SRC.K, value, jt, jf);
  const native = arch === "x64" ? AUDIT_ARCH.X86_64 : AUDIT_ARCH.AARCH64;
  return [
    load(4), // arch
    equals(native, 1, 0),
    answer(SECCOMP_RET.KILL_PROCESS),
    load(0), // nr
    ...Object.entries(answers).flatMap(([name, value]) => [
      equals(numberOf(name as SyscallName, arch), 0, 1),
      answer(value),
    ]),
    answer(SECCOMP_RET.ALLOW),
  ];
}

/** What a case asks of the thread. */
export type Request =
  { readonly filter: number; readonly log: string; readonly name: string } | { readonly call: SyscallName };
/** What it says: the number of its listener, or what a call returned. */
export type Answer = { readonly listener: number } | { readonly result: number } | { readonly code: string };

// Null in the case itself, which takes the filter from here.
parentPort?.on("message", (request: Request) => {
  const say = (answer: Answer): void => parentPort?.postMessage(answer);
  if ("filter" in request) {
    sys.prctl(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const filter = filterOf({ getppid: SECCOMP_RET.USER_NOTIF, getsid: SECCOMP_RET.USER_NOTIF });
    const traced = new Traced(request.log, request.name);
    const listener = traced.call("seccompNewListener", request.filter, filter).release();
    // The thread has one.
    traced.fails("EBUSY", "seccompNewListener", 0, filter);
    say({ listener });
    return;
  }
  try {
    say({ result: invoke({ name: request.call, args: request.call === "getsid" ? [0] : [] }) });
  } catch (error) {
    say({ code: error instanceof SyscallError ? error.code : String(error) });
  }
});
