/** Boxes: plan, look, launch. */
import type { DoctorReport } from "./doctor.ts";

export type { Check, CheckGroup } from "./diagnose.ts";
export type { DoctorReport } from "./doctor.ts";
export { explain, explainJson } from "./explain.ts";
export { type Host, readHost } from "./host.ts";
export { type IsolatedResult, launch, type LaunchOptions, spawnIsolated, spawnIsolatedSync } from "./launch.ts";
export { encode } from "./image.ts";
export type * from "./options.ts";
export { plan } from "./plan.ts";
export type { Plan } from "./plan-data.ts";
export { IsolatedProcess } from "./process.ts";
export type { BoxStatus, TimelineEntry } from "./status.ts";

/** What this host allows this caller, really tried, with a cure for each no. Loaded when called: few programs ask. */
export function doctor(): DoctorReport {
  return (require("./doctor.ts") as typeof import("./doctor.ts")).doctor();
}
