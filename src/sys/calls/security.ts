/** Rights: ids, capabilities, filters, keys. */
import { KEYCTL } from "../flags.ts";
import { define, int, one } from "../primitive.ts";

/** `setresuid(ruid, euid, suid)`; -1 leaves one as it is. Clears PR_SET_PDEATHSIG and the dumpable flag. setresuid(2) */
export const setresuid = define("setresuid", "none", (ruid: number, euid: number, suid: number) => [
  int(ruid),
  int(euid),
  int(suid),
]);
/** `setresgid(rgid, egid, sgid)`; -1 leaves one as it is. setresgid(2) */
export const setresgid = define("setresgid", "none", (rgid: number, egid: number, sgid: number) => [
  int(rgid),
  int(egid),
  int(sgid),
]);
/** `setgroups(size, list)`: the supplementary groups. EPERM where a user namespace denies it. setgroups(2) */
export const setgroups = define("setgroups", "none", (groups: readonly number[]) => [
  groups.length,
  groups.length === 0 ? null : { words: groups },
]);
/** `keyctl(KEYCTL_JOIN_SESSION_KEYRING, NULL)`: an empty session keyring instead of the caller's. keyctl_join_session_keyring(3) */
export const joinSessionKeyring = define("keyctl", "number", () => [one("KEYCTL", KEYCTL.JOIN_SESSION_KEYRING), null]);
