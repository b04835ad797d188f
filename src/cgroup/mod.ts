/** Control groups: where they are; made, read, watched and removed, and limits in one vocabulary for v1 and v2. */
export { Cgroup, type CreateOptions, type Limits } from "./cgroup.ts";
export { type CgroupPlace } from "./place.ts";
export { type ProcessLike } from "./members.ts";
export { type RemoveOptions } from "./ending.ts";
export { type Delegated } from "./delegation.ts";
export {
  CgroupEvents,
  type CgroupEvent,
  type EventGroup,
  type EventOptions,
  type EventPlace,
  events,
} from "./events.ts";
export { lastReading } from "./observers.ts";
export { type SampleGroup, type Samples, sampler, Sampler, type SamplerOptions } from "./sampler.ts";
export * as systemd from "./systemd.ts";
export {
  type Controller,
  fileEntry,
  type FileEntry,
  type FileName,
  fileNames,
  files,
  type FileValues,
  type FileWrites,
  type KindValues,
  type PressureLine,
} from "./files.ts";
export { formatValue, parseList, parseValue } from "./values.ts";
export { type DeviceRule } from "./devices.ts";
export {
  type CgroupDirectory,
  type CgroupHierarchy,
  type CgroupLayout,
  cgroupLayout,
  chooseParent,
  hierarchyOf,
  type ParentChoice,
  readCgroupLayout,
} from "./layout.ts";
export {
  type Bytes,
  type CgroupLimits,
  cpuShares,
  type CpuMax,
  type GroupPlace,
  type LimitWrite,
  type LimitWrites,
  limitWrites,
  parseBytes,
  parseCpuMax,
  type RawV1Limits,
} from "./limits.ts";
export { type CgroupUsage, endReads, type EndRead, parseFlatKeyed, usage } from "./usage.ts";
export { type CgroupSteps, cgroupSteps } from "./steps.ts";
