/** bunshare: container primitives of the Linux kernel for Bun. The tour: run, look, handles, primitives, errors. */
export {
  type BoxStatus,
  type Check,
  doctor,
  type DoctorReport,
  explain,
  type IsolatedProcess,
  type IsolatedResult,
  launch,
  type LaunchOptions,
  plan,
  type Plan,
  type SpawnOptions,
  spawnIsolated,
  spawnIsolatedSync,
  type TimelineEntry,
} from "./src/spawn/mod.ts";
// Not by the folder: what talks to systemd, and the rest of it, is not loaded with these two.
export { Cgroup } from "./src/cgroup/cgroup.ts";
export { sampler } from "./src/cgroup/sampler.ts";
export { Namespace } from "./src/ns/mod.ts";
export { overlay } from "./src/mount/mod.ts";
export {
  call,
  cloneProgram,
  errnoName,
  Fd,
  formatCall,
  invoke,
  OptionsError,
  run,
  supports,
  sys,
  SyscallError,
} from "./src/sys/mod.ts";
export * as flags from "./src/sys/flags.ts";
export { mountinfo, ParseError, parseMountinfo, parseStatus, status } from "./src/proc/mod.ts";
