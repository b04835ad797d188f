/** What this kernel can do. */
import { uname } from "./calls/process.ts";
import { run } from "./invoke.ts";
import { OptionsError } from "./options-error.ts";
import type { AskableFeature } from "./probes.ts";
import { isSince, parseVersion, since } from "./since.ts";

export type { AskableFeature } from "./probes.ts";

const answers = new Map<AskableFeature, boolean>();

/**
 * Asks the kernel, once for each feature, whether a call, flag or request is there: `supports("mount_setattr")`.
 * Nothing is changed, made or left: the call that asks cannot succeed, or has nothing to do.
 *
 * True says that the kernel knows it, not that this caller may use it. ENOSYS always means no: of an older kernel, of one that was
 * built without it, or of a seccomp filter that hides the call. Where the kernel does not tell this caller (it looks at rights
 * before flags), its version decides.
 *
 * ```ts
 * if (supports("overlay lowerdir+")) ...
 * ```
 */
export function supports(feature: AskableFeature): boolean {
  const known = answers.get(feature);
  if (known !== undefined) return known;
  const { ask, probes } = table();
  if (!Object.hasOwn(probes, feature)) throw new OptionsError("feature", feature, "expected one of askableFeatures()");
  const answer = ask(probes[feature]) ?? isSince(kernelVersion(), since[feature]);
  answers.set(feature, answer);
  return answer;
}

/** Everything that `supports` can be asked. */
export const askableFeatures = (): readonly AskableFeature[] => Object.keys(table().probes) as AskableFeature[];

/**
 * `landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)`: the version of Landlock's interface, 0 where there is
 * none or it is switched off. landlock(7)
 */
export function landlockAbi(): number {
  const { askAbi, attempt } = table();
  const answer = attempt(askAbi);
  return typeof answer === "number" ? answer : 0;
}

/** `uname(buf)`: major and minor number of the running kernel. uname(2) */
export function kernelVersion(): readonly [major: number, minor: number] {
  return parseVersion(run(uname).release);
}

/** Loaded when something is asked: most programs never do. */
const table = (): typeof import("./probes.ts") => require("./probes.ts") as typeof import("./probes.ts");
