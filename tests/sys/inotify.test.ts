import { expect, test } from "bun:test";
import { IN } from "../../src/sys/flags.ts";
import { parseInotifyEvents } from "../../src/sys/inotify.ts";

/** An event as the kernel lays it out: the name is padded with NUL. */
function event(wd: number, mask: number, cookie: number, name: string, padded: number): Uint8Array {
  const bytes = new Uint8Array(16 + padded);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, wd, true);
  view.setUint32(4, mask, true);
  view.setUint32(8, cookie, true);
  view.setUint32(12, padded, true);
  new TextEncoder().encodeInto(name, bytes.subarray(16));
  return bytes;
}

test("parseInotifyEvents() reads events with and without a name", () => {
  const bytes = Buffer.concat([
    event(1, IN.CREATE | IN.ISDIR, 0, "größe", 16),
    event(2, IN.DELETE_SELF, 0, "", 0),
    event(-1, IN.Q_OVERFLOW, 7, "", 0),
  ]);
  expect(parseInotifyEvents(bytes)).toEqual([
    { wd: 1, mask: IN.CREATE | IN.ISDIR, cookie: 0, name: "größe" },
    { wd: 2, mask: IN.DELETE_SELF, cookie: 0, name: "" },
    { wd: -1, mask: IN.Q_OVERFLOW, cookie: 7, name: "" },
  ]);
  expect(parseInotifyEvents(new Uint8Array(0))).toEqual([]);
});

test("parseInotifyEvents() refuses bytes that end inside of an event", () => {
  const bytes = event(1, IN.CREATE, 0, "name", 16);
  for (const end of [1, 15, 16, 31])
    expect(() => parseInotifyEvents(bytes.subarray(0, end)), String(end)).toThrow(RangeError);
  expect(() => parseInotifyEvents(bytes.subarray(0, 20))).toThrow(
    "inotify event at byte 0: it ends at byte 32, the buffer at 20",
  );
});
