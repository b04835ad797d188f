/** Control groups: where they are, where a new one can be made, and limits in one vocabulary for v1 and v2. */
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
