/** Parsers of /proc: `parseX(text)` is pure and runs anywhere, `x(pid)` reads and parses. */
export { cgroup, type CgroupEntry, parseCgroup } from "./cgroup.ts";
export { gidMap, type IdMapping, parseIdMap, uidMap } from "./idmap.ts";
export { type MountInfo, mountinfo, type MountPropagation, parseMountinfo } from "./mountinfo.ts";
export { type NamespaceId, namespaces, parseNamespaceLink } from "./namespaces.ts";
export { ParseError } from "./parse-error.ts";
export { type Ids, parseStatus, type Status, status } from "./status.ts";
export { parseSubid, rangesOf, subgid, type SubidRange, subuid } from "./subid.ts";
export { readSysctl } from "./sysctl.ts";
