import { expect, test } from "bun:test";
import { mountinfo, parseMountinfo } from "../../src/proc/mountinfo.ts";
import { ParseError } from "../../src/proc/parse-error.ts";
import { decode } from "../../src/proc/read.ts";
import { fixture, fixtureBytes } from "./fixture.ts";

const bad: [line: string, expected: string][] = [
  ["22 26 0:21 / /sys rw", '" - " and a file system type'],
  ["22 26 0:21 / /sys rw -", '" - " and a file system type'],
  ["22 26 0:21 / /sys rw - sysfs", "a source and options after the file system type"],
  ["22 26 21 / /sys rw - sysfs sysfs rw", "a device as major:minor"],
  ["x 26 0:21 / /sys rw - sysfs sysfs rw", "a mount ID"],
  ["22 - 0:21 / /sys rw - sysfs sysfs rw", "the ID of the parent mount"],
  ["22 26 0:21 / /sys rw shared:x - sysfs sysfs rw", "a peer group as shared:N"],
];

test("parseMountinfo() reads every field", () => {
  const line =
    "36 35 98:0 /mnt1 /mnt2 rw,noatime shared:1 master:2 propagate_from:3 - fuse.sshfs /dev/root rw,errors=continue\n";
  expect(parseMountinfo(line)).toEqual([
    {
      mountId: 36,
      parentId: 35,
      device: { major: 98, minor: 0 },
      root: "/mnt1",
      mountPoint: "/mnt2",
      options: ["rw", "noatime"],
      propagation: { shared: 1, master: 2, propagateFrom: 3 },
      fsType: "fuse.sshfs",
      source: "/dev/root",
      superOptions: ["rw", "errors=continue"],
    },
  ]);
});

test("parseMountinfo() reads the table of a 6.18 host", () => {
  const mounts = parseMountinfo(fixture("linux-6.18-hybrid/mountinfo"));
  expect(mounts).toHaveLength(19);
  expect(mounts.filter((mount) => mount.fsType === "cgroup2").map((mount) => mount.mountPoint)).toEqual([
    "/sys/fs/cgroup/unified",
  ]);
});

test("parseMountinfo() decodes escapes, empty sources and names that are not UTF-8", () => {
  const mounts = parseMountinfo(decode(fixtureBytes("linux-6.18-hybrid/mountinfo-odd")));
  expect(mounts.map((mount) => mount.mountPoint)).toEqual([
    "/srv",
    "/srv/a b\tc\nd\\e#f,gé",
    "/srv/badé",
    "/srv/badé",
    "/srv/m",
    "/srv/b",
    "/srv/s",
    "/srv/s2",
  ]);
  expect(mounts.map((mount) => mount.source)).toEqual([
    "fix",
    "odd source #1",
    "",
    "x",
    "overlay",
    "fix",
    "slave",
    "slave",
  ]);
  expect(mounts[1]?.propagation).toEqual({ unbindable: true });
  expect(mounts[4]?.superOptions[1]).toBe("lowerdir=lower:lo\\,w er");
  expect(mounts[5]?.root).toBe("/gone//deleted");
  expect(mounts[7]?.propagation).toEqual({ shared: 3, master: 2 });
});

test("parseMountinfo() keeps options with blanks, as 9p prints them in WSL", () => {
  const line =
    "560 77 0:138 / /Docker/host rw,noatime - 9p drvfs rw,dirsync,aname=drvfs;path=C:\\Program Files\\Docker;symlinkroot=/mnt/";
  expect(parseMountinfo(line)[0]?.superOptions[2]).toBe("aname=drvfs;path=C:\\Program Files\\Docker;symlinkroot=/mnt/");
});

test("parseMountinfo() skips optional fields that it does not know", () => {
  expect(parseMountinfo("1 0 0:1 / / rw new:7 shared:1 - tmpfs x rw")[0]?.propagation).toEqual({ shared: 1 });
});

for (const [line, expected] of bad) {
  test(`parseMountinfo() expects ${expected} in "${line}"`, () => {
    const text = `1 0 0:1 / / rw - tmpfs x rw\n${line}\n`;
    expect(() => parseMountinfo(text)).toThrow(new ParseError("/proc/self/mountinfo", 2, line, expected));
  });
}

test("a ParseError says where and what", () => {
  expect(() => parseMountinfo("22 26 0:21 / /sys rw")).toThrow(
    '/proc/self/mountinfo line 1: expected " - " and a file system type: "22 26 0:21 / /sys rw"',
  );
});

test("mountinfo() of this process has a root; that of a process that does not exist is undefined", () => {
  expect(mountinfo().some((mount) => mount.mountPoint === "/")).toBe(true);
  expect(mountinfo(4_194_304)).toBeUndefined();
});

test("mountinfo() of a zombie is undefined", async () => {
  await using parent = Bun.spawn(["sh", "-c", "sleep 0.2 & echo $!; exec sleep 10"], { stdout: "pipe" });
  const { value } = await parent.stdout.getReader().read();
  const zombie = Number(new TextDecoder().decode(value));
  // exec takes away the shell that would have waited for it, well before it ends.
  while (!/^State:\tZ/m.test(await Bun.file(`/proc/${zombie}/status`).text())) await Bun.sleep(5);
  expect(mountinfo(zombie)).toBeUndefined();
});
