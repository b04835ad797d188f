import { expect, test } from "bun:test";
import { parseStatus, status } from "../../src/proc/status.ts";
import { fixture } from "./fixture.ts";

const minimal = "Name:\tx\nState:\tS (sleeping)\nTgid:\t7\nPid:\t7\nPPid:\t1\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n";

test("parseStatus() reads the status of a 6.18 process", () => {
  const read = parseStatus(fixture("linux-6.18-hybrid/status"));
  expect(read).toMatchObject({
    Name: "cat",
    Umask: 0o022,
    State: "R",
    Uid: { real: 0, effective: 0, saved: 0, fs: 0 },
    Groups: [],
    CapEff: 0x1fffeffffffn,
    CapAmb: 0n,
    NoNewPrivs: false,
    Seccomp: 0,
    Threads: 1,
    Cpus_allowed_list: "0-1",
  });
  expect((read.VmRSS ?? 0) % 1024).toBe(0);
  expect(read.NSpid).toEqual([read.Pid]);
  expect(read.SigQ?.limit).toBeGreaterThan(0);
});

test("parseStatus() gives a name back as the process chose it", () => {
  expect(parseStatus(fixture("linux-6.18-hybrid/status-odd")).Name).toBe("a) R 1\n(b\\n");
});

test("parseStatus() leaves out what an older kernel lacks", () => {
  expect(Object.keys(parseStatus(minimal))).toEqual(["Name", "State", "Tgid", "Pid", "PPid", "Uid", "Gid"]);
});

test("parseStatus() reads an unlimited queue as Infinity", () => {
  expect(parseStatus(`${minimal}SigQ:\t3/18446744073709551615\n`).SigQ).toEqual({ queued: 3, limit: Infinity });
});

test("parseStatus() keeps blanks around a name", () => {
  expect(parseStatus(minimal.replace("\tx", "\t x ")).Name).toBe(" x ");
});

test("parseStatus() complains with the line about a value, and by name about what is missing", () => {
  expect(() => parseStatus(`${minimal}CapEff:\tzz\n`, "/proc/7/status")).toThrow(
    '/proc/7/status line 8: expected CapEff: a hexadecimal mask: "CapEff:\\tzz"',
  );
  expect(() => parseStatus("Name:\tx\n")).toThrow("expected a line State: a letter");
});

test("status() of this process knows its pid; that of a process that does not exist is undefined", () => {
  expect(status().Pid).toBe(process.pid);
  expect(status(4_194_304)).toBeUndefined();
});
