import { expect, test } from "bun:test";
import { AT_FDCWD, mknodat, utimensat } from "../../src/sys/calls.ts";
import { major, makedev, minor } from "../../src/sys/device.ts";
import { S, UTIME } from "../../src/sys/flags.ts";
import { formatCall } from "../../src/sys/format.ts";

test.each([
  [1, 3, 0x103],
  [0, 0, 0],
  [8, 256, 0x100800],
  [0xfff, 0xfffff, 0xffffffff],
])("makedev(%d, %d) is 0x%x, and read again", (high, low, word) => {
  expect(makedev(high, low)).toBe(word);
  expect([major(word), minor(word)]).toEqual([high, low]);
});

test("makedev() refuses numbers that the kernel has no bits for", () => {
  expect(() => makedev(4096, 0)).toThrow("makedev(), major: expected a number from 0 to 4095, got 4096");
  expect(() => makedev(0, -1)).toThrow("minor");
  expect(() => makedev(0, 1.5)).toThrow("minor");
});

test("a device node is printed with its numbers, another file without", () => {
  const made = [S.IFCHR | 0o666, S.IFREG | 0o644].map((mode) =>
    formatCall(mknodat(AT_FDCWD, "x", mode, makedev(1, 3))),
  );
  expect(made).toEqual([
    'mknodat(AT_FDCWD, "x", S_IFCHR|0666, makedev(0x1, 0x3))',
    'mknodat(AT_FDCWD, "x", S_IFREG|0644)',
  ]);
});

test("times that are none are printed by name", () => {
  const times = [
    { tv_sec: 0, tv_nsec: UTIME.OMIT },
    { tv_sec: 1, tv_nsec: 2 },
  ] as const;
  expect(formatCall(utimensat(AT_FDCWD, "x", times))).toBe(
    'utimensat(AT_FDCWD, "x", [UTIME_OMIT, {tv_sec=1, tv_nsec=2}], 0)',
  );
});
