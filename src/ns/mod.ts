/** Namespaces: kinds, handles, and steps that make and enter them. namespaces(7) */
export { formatIdMap, type IdMap } from "./idmap.ts";
export { kinds, type NamespaceKind, namespaceKinds } from "./kinds.ts";
export { Namespace } from "./namespace.ts";
export { formatTimeOffsets, type TimeOffsets } from "./time.ts";
