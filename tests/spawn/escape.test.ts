/** What a program in a box tries to get out of it, or to get rid of its limits. Each line is one that worked once. */
import { describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { plan, type SpawnOptions, spawnIsolated, spawnIsolatedSync } from "../../mod.ts";
import { readHost } from "../../src/spawn/host.ts";
import { againAsUser, rootTest, scratchDir, who } from "./kernel.ts";

const dir = scratchDir();
const shared = join(dir, "shared");
mkdirSync(shared);
writeFileSync(join(shared, "file"), "as it was");
chmodSync(shared, 0o777);
const bind: SpawnOptions = { mounts: [{ bind: shared, at: "/shared", readonly: true }] };

async function attempt(script: string, options: SpawnOptions = {}): Promise<string> {
  await using box = await spawnIsolated(["sh", "-c", `(${script}) 2>&1 && echo WORKED`], options);
  // Awaited here: leaving the block would end the box.
  return await box.stdout.text();
}

test("an attempt that works says so", async () => {
  expect(await attempt("mount --version && cat /shared/file", bind)).toContain("WORKED");
});

describe(`as ${who}, a box cannot`, () => {
  const attempts: [what: string, script: string, options?: SpawnOptions][] = [
    ["make a read-only bind writable", "mount -o remount,bind,rw /shared", bind],
    ["do so in a user namespace of its own", "unshare -Urm mount -o remount,bind,rw /shared", bind],
    ["unmount a bind", "umount /shared", bind],
    ["unmount its /proc", "umount -l /proc"],
    ["make /sys writable", "mount -o remount,bind,rw /sys"],
    ["mount another, writable /sys", "mkdir /tmp/s && mount -t sysfs s /tmp/s && touch /tmp/s/kernel/x"],
    ["mount the host's cgroups", "mkdir /tmp/c && mount -t cgroup -o pids c /tmp/c"],
    ["mount the unified cgroups", "mkdir /tmp/c && mount -t cgroup2 c /tmp/c && mkdir /tmp/c/escape"],
    ["see the old root", "test -e /proc/1/root/old_root_of_the_box || ls /proc/1/root/tmp/root"],
  ];
  for (const [what, script, options] of attempts)
    test(what, async () => {
      expect(await attempt(script, options)).not.toContain("WORKED");
    });

  test("have CAP_SYS_ADMIN, whatever it executes", async () => {
    const status = await attempt("grep Cap /proc/self/status");
    for (const set of ["CapPrm", "CapEff", "CapBnd"]) {
      const mask = BigInt(`0x${new RegExp(`${set}:\\t(\\w+)`).exec(status)?.[1]}`);
      expect([set, (mask >> 21n) & 1n]).toEqual([set, 0n]);
    }
  });
});

describe("as root, a box cannot", () => {
  const attempts: [what: string, script: string, options?: SpawnOptions][] = [
    ["change a kernel setting", "v=$(cat /proc/sys/kernel/panic_on_oops); echo $v > /proc/sys/kernel/panic_on_oops"],
    ["unmount what protects them", "umount /proc/sys"],
    ["make them writable", "mount -o remount,bind,rw /proc/sys"],
    [
      "make them writable in a user namespace of its own",
      "unshare -Urm sh -c 'mount -o remount,bind,rw /proc/sys || umount /proc/sys'",
    ],
    ["have a cgroup namespace to mount its group in", "unshare -UrmC true"],
    ["change a device of the host", "chmod 640 /dev/full"],
    ["change a device through a mask", "chmod 640 /proc/keys"],
    [
      "lift its limits",
      "mkdir /tmp/c && mount -t cgroup -o pids c /tmp/c && echo max > /tmp/c/pids.max",
      { cgroup: { "pids.max": 20 } },
    ],
  ];
  for (const [what, script, options] of attempts)
    rootTest(what, async () => {
      expect(await attempt(script, options)).not.toContain("WORKED");
    });

  rootTest("change the host's /dev/null through a descriptor that it was given", async () => {
    const before = statSync("/dev/null").mode;
    const program = "import os\nfor fd in 0, 1, 2:\n  try: os.fchmod(fd, 0o600)\n  except OSError: pass";
    const python = Bun.which("python3");
    const script = python === null ? ["sh", "-c", "chmod 600 /proc/self/fd/0"] : [python, "-c", program];
    await using box = await spawnIsolated(script, {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
      env: { PATH: "/usr/bin:/bin" },
    });
    await box.exited;
    expect(statSync("/dev/null").mode).toBe(before);
  });
});

test(`as ${who}, the host's files are as they were`, () => {
  expect(readFileSync(join(shared, "file"), "utf8")).toBe("as it was");
  expect(readdirSync(shared)).toEqual(["file"]);
});

rootTest("a joined pid namespace has a /proc of its own, not the host's", async () => {
  await using first = await spawnIsolated(["sleep", "60"], { unshare: ["pid"], stdout: "ignore" });
  const join = [{ kind: "pid", path: `/proc/${first.pid}/ns/pid` }] as const;
  const second = spawnIsolatedSync(["sh", "-c", "ls -d /proc/[0-9]* | wc -l"], { unshare: ["mnt"], join });
  // The sleeper, the shell, ls and wc.
  expect(Number(second.stdout)).toBeLessThanOrEqual(4);
});

test("a plan for a host that was read for other options is refused, not made without limits", () => {
  const host = readHost({ root: "/" });
  expect(() => plan(["true"], { root: "/", cgroup: { "pids.max": 1 } }, host)).toThrow("was read for other options");
  expect(() => plan(["true"], {}, host)).toThrow("was read for other options");
});

againAsUser(import.meta.path);
