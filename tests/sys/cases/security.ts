/** PLACEHOLDER */
import type { Family } from "./case.ts";

export const family: Family = { cases: [] };
