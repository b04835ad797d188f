/** Which devices a group may use, in force: v1 devices.allow and devices.deny, v2 a BPF program on the group. bpf(2) */
import { SyscallError } from "../sys/error.ts";
import type { Fd } from "../sys/fd.ts";
import { BPF_ATTACH_TYPE, BPF_F, BPF_PROG_TYPE } from "../sys/flags.ts";
import { OptionsError } from "../sys/options-error.ts";
import { sys } from "../sys/vocabulary.ts";
import { deviceProgram, type DeviceRule, deviceWritesV1 } from "./devices.ts";
import { explained, isErrno, writeIn } from "./directory.ts";
import { hierarchyWith, placeOf, v2Place, whyNoPlace } from "./location.ts";
import type { Parts, Place } from "./place.ts";

/**
 * Puts the rules into force, in place of what `old` does.
 * @returns the program that is attached now (v2); `old` is closed then
 */
export function filterDevices(group: Parts, rules: readonly DeviceRule[], old: Fd | undefined): Fd | undefined {
  const v1 = placeOf(group, "devices");
  if (v1?.version === 1) return writeV1(v1, rules);
  const v2 = v2Place(group.places);
  if (!v2 || hierarchyWith("devices", group.layout))
    throw new OptionsError("devices", rules, whyNoPlace(group, "devices"));
  return attach(v2, rules, old);
}

function writeV1(place: Place, rules: readonly DeviceRule[]): undefined {
  for (const [index, { file, value }] of deviceWritesV1(rules).entries()) {
    try {
      writeIn(place, file, value);
    } catch (error) {
      // The group above does not allow everything, and neither does this one then: what it has is what it begins with.
      if (index > 0 || file === "devices.deny" || !isErrno(error, "EPERM")) throw error;
    }
  }
}

const needsBpf = "A device program asks for CAP_BPF and CAP_NET_ADMIN, or CAP_SYS_ADMIN, in the first user namespace";

function attach(place: Place, rules: readonly DeviceRule[], old: Fd | undefined): Fd {
  const instructions = deviceProgram(rules);
  using undo = new DisposableStack();
  try {
    const program = undo.use(
      sys.bpfProgLoad(BPF_PROG_TYPE.CGROUP_DEVICE, instructions, "GPL", { name: "bunshare_dev" }),
    );
    const flags = BPF_F.ALLOW_MULTI | (old ? BPF_F.REPLACE : 0);
    sys.bpfProgAttach(place.fd, program, BPF_ATTACH_TYPE.CGROUP_DEVICE, flags, old);
    undo.move();
    old?.close();
    return program;
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    throw explained(error, place.path, undefined, error.code === "EPERM" ? needsBpf : error.hint);
  }
}
