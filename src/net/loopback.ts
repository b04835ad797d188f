/** The one device of a new network namespace. netdevice(7) */
import * as call from "../sys/calls.ts";
import { AF, IFF, SOCK } from "../sys/flags.ts";
import { type CallStep, step } from "../sys/step.ts";

/** Steps that bring `lo` up; the kernel then gives it 127.0.0.1 and ::1. */
export function bringLoopbackUp(): CallStep[] {
  return [
    step("bring lo up: open a socket", call.socket(AF.UNIX, SOCK.DGRAM | SOCK.CLOEXEC, 0), { id: "socket" }),
    step("bring lo up", call.siocsifflags({ result: "socket" }, "lo", IFF.UP)),
  ];
}
