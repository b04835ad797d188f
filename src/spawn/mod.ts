/** Boxes: plan, look, launch. */
export type { Check, CheckGroup } from "./diagnose.ts";
export { doctor, type DoctorReport } from "./doctor.ts";
export { explain, explainJson } from "./explain.ts";
export { type Host, readHost } from "./host.ts";
export { type IsolatedResult, launch, type LaunchOptions, spawnIsolated, spawnIsolatedSync } from "./launch.ts";
export { encode } from "./image.ts";
export type * from "./options.ts";
export { plan } from "./plan.ts";
export type { Plan } from "./plan-data.ts";
export { IsolatedProcess } from "./process.ts";
export type { BoxStatus, TimelineEntry } from "./status.ts";
