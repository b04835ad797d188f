import { expect, test } from "bun:test";
import { statSync } from "node:fs";
import { gidMap, parseIdMap, uidMap } from "../../src/proc/idmap.ts";
import { namespaces, parseNamespaceLink } from "../../src/proc/namespaces.ts";
import { parseSubid, rangesOf } from "../../src/proc/subid.ts";
import { readSysctl } from "../../src/proc/sysctl.ts";
import { fixture } from "./fixture.ts";

test("parseIdMap() reads the map of the initial user namespace, and none", () => {
  expect(parseIdMap(fixture("linux-6.18-hybrid/uid_map"))).toEqual([{ inside: 0, outside: 0, count: 4294967295 }]);
  expect(parseIdMap("")).toEqual([]);
  expect(() => parseIdMap("0 0\n")).toThrow("expected three numbers: inside, outside, count");
});

test("uidMap() and gidMap() of a process that does not exist are undefined", () => {
  expect(uidMap().length).toBeGreaterThan(0);
  expect(uidMap(4_194_304)).toBeUndefined();
  expect(gidMap(4_194_304)).toBeUndefined();
});

test("parseNamespaceLink() reads kind and inode", () => {
  expect(parseNamespaceLink("net:[4026531840]")).toEqual({ kind: "net", inode: 4026531840 });
  expect(() => parseNamespaceLink("/dev/null")).toThrow("expected a namespace such as net:[4026531840]");
});

test("namespaces() agrees with stat, and calls pid_for_children a pid namespace", () => {
  const own = namespaces();
  expect(own.net?.inode).toBe(statSync("/proc/self/ns/net").ino);
  expect(own.pid_for_children?.kind).toBe("pid");
  expect(namespaces(process.pid)).toEqual(own);
  expect(namespaces(4_194_304)).toBeUndefined();
});

test("parseSubid() reads names and numbers, and skips comments", () => {
  const ranges = parseSubid(`# by hand\n\n${fixture("linux-6.18-hybrid/subuid")}`);
  expect(ranges).toHaveLength(3);
  expect(rangesOf(ranges, { name: "build", uid: 1000 })).toEqual([
    { owner: "build", start: 165536, count: 65536 },
    { owner: "1000", start: 231072, count: 1 },
  ]);
  expect(() => parseSubid("root:0", "/etc/subgid")).toThrow('/etc/subgid line 1: expected user:start:count: "root:0"');
});

test("readSysctl() reads dots and slashes, and knows what is not there", () => {
  expect(readSysctl("kernel.ostype")).toBe("Linux");
  expect(readSysctl("kernel/ostype")).toBe("Linux");
  for (const name of ["kernel.none", "kernel", "kernel.ostype.x", "", "../self/comm", "kernel/../../version", "a\0b"]) {
    expect(readSysctl(name)).toBeUndefined();
  }
});
