import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { busError } from "../../src/cgroup/systemd-bus.ts";
import { busProperties, unitName, unitObject, type UnitProperties } from "../../src/cgroup/systemd-unit.ts";
import * as systemd from "../../src/cgroup/systemd.ts";
import { OptionsError } from "../../src/sys/options-error.ts";
import { isRoot, projectDir, run } from "../helpers.ts";

// busctl(1): name, signature, and of an array its length first.
const properties: [given: UnitProperties, onTheBus: string][] = [
  [{}, ""],
  [{ "memory.max": "100M" }, "MemoryMax t 104857600"],
  [{ MemoryMax: "max" }, "MemoryMax t 18446744073709551615"],
  [{ "memory.swap.max": 0, "memory.high": 4096 }, "MemoryHigh t 4096 MemorySwapMax t 0"],
  [{ "pids.max": 42 }, "TasksMax t 42"],
  [{ TasksMax: "max" }, "TasksMax t 18446744073709551615"],
  [{ "cpu.weight": 50 }, "CPUWeight t 50"],
  [{ CPUWeight: "idle" }, "CPUWeight t 0"],
  [{ "cpu.max": { quota: 50_000 } }, "CPUQuotaPerSecUSec t 500000"],
  [{ "cpu.max": "20000 40000" }, "CPUQuotaPerSecUSec t 500000 CPUQuotaPeriodUSec t 40000"],
  [{ "cpu.max": { quota: 30_000, period: 70_000 } }, "CPUQuotaPerSecUSec t 428572 CPUQuotaPeriodUSec t 70000"],
  [{ "cpu.max": "max" }, "CPUQuotaPerSecUSec t 18446744073709551615"],
  [{ "cpuset.cpus": "0-3,8" }, "AllowedCPUs ay 2 15 1"],
  [{ AllowedMemoryNodes: "" }, "AllowedMemoryNodes ay 0"],
  [{ "io.weight": 200 }, "IOWeight t 200"],
  [{ Delegate: true }, "Delegate b true"],
  [{ Delegate: ["cpu", "memory"] }, "DelegateControllers as 2 cpu memory"],
  [{ TimeoutStopUSec: 1_000_000, Description: "a box" }, "Description s a box TimeoutStopUSec t 1000000"],
];

describe("properties", () => {
  for (const [given, text] of properties)
    test(`${JSON.stringify(given)} is ${text || "nothing"} on the bus`, () => {
      const words = busProperties("scope", given).flatMap((each) => [each.name, each.signature, ...each.words]);
      expect(words.join(" ")).toBe(text);
    });

  const wrong: [given: object, message: string][] = [
    [{ "memory.max": "lots" }, 'properties["memory.max"]: expected bytes'],
    [{ "memory.oom.group": 1 }, 'properties["memory.oom.group"]: no unit has that'],
    [{ MemoryMaximum: 1 }, "properties.MemoryMaximum: no unit has that"],
    [{ constructor: 1 }, "properties.constructor: no unit has that"],
    [{ MemoryMax: 1, "memory.max": 1 }, 'properties["memory.max"]: is the same as properties.MemoryMax: give one'],
    [{ CPUQuotaPerSecUSec: 1, "cpu.max": "max" }, "is the same as properties.CPUQuotaPerSecUSec"],
    [{ TasksMax: 0 }, 'properties.TasksMax: expected a whole number from 1 to 4194304 or "max", got 0'],
    [{ CPUWeight: 10_001 }, "properties.CPUWeight: expected"],
    [{ AllowedCPUs: "3-1" }, 'properties.AllowedCPUs: expected a list such as "0-3,8", got "3-1"'],
    [{ AllowedCPUs: "0,,1" }, "properties.AllowedCPUs"],
    [{ AllowedCPUs: 0 }, "properties.AllowedCPUs"],
    [{ Delegate: [] }, "properties.Delegate: expected controllers"],
    [{ Delegate: ["memory\nExecStart=/bin/sh"] }, "properties.Delegate: expected controllers"],
    [{ Description: "a\nb" }, "properties.Description: expected a line of text"],
  ];
  for (const [given, message] of wrong)
    test(`${JSON.stringify(given)} is refused`, () => {
      expect(() => busProperties("scope", given)).toThrow(OptionsError);
      expect(() => busProperties("scope", given)).toThrow(message);
    });

  test("a slice cannot delegate", () => {
    expect(() => busProperties("slice", { Delegate: true })).toThrow("properties.Delegate: a slice has no Delegate");
  });
});

describe("names", () => {
  test("unitName() adds the ending", () => {
    expect(unitName("scope", "build")).toBe("build.scope");
    expect(unitName("scope", "build.scope")).toBe("build.scope");
    expect(unitName("slice", "a-b")).toBe("a-b.slice");
  });
  for (const name of ["", ".scope", "..", "a/b", "a b", "a\n", "ü", "%n", "x".repeat(250), undefined, 5])
    test(`unitName() refuses ${String(JSON.stringify(name)).slice(0, 20)}`, () => {
      expect(() => unitName("scope", name)).toThrow(OptionsError);
    });
  for (const name of ["-a", "a--b", "a-", "a@b", "-"])
    test(`unitName() refuses the slice ${name}`, () => expect(() => unitName("slice", name)).toThrow(OptionsError));
  test("unitObject() escapes as systemd does", () => {
    expect(unitObject("app.slice")).toBe("/org/freedesktop/systemd1/unit/app_2eslice");
    expect(unitObject("1a-b_c@d.scope")).toBe("/org/freedesktop/systemd1/unit/_31a_2db_5fc_40d_2escope");
  });
});

describe("unit files", () => {
  test("sliceFile() is the unit file of a slice", () => {
    const file = systemd.sliceFile("build", {
      Description: "100% of the build",
      "memory.max": "2G",
      "memory.high": "max",
      "pids.max": 512,
      "cpu.weight": 50,
      "cpu.max": { quota: 25_000, period: 50_000 },
      "cpuset.cpus": "0-1",
    });
    expect(file.path).toBe("build.slice");
    expect(file.text).toBe(`[Unit]
Description=100%% of the build

[Slice]
MemoryHigh=infinity
MemoryMax=2147483648
TasksMax=512
CPUWeight=50
CPUQuota=50%
CPUQuotaPeriodSec=50000us
AllowedCPUs=0-1
`);
  });
  test("without limits and a description it is named after itself", () => {
    expect(systemd.sliceFile("a-b.slice").text).toBe("[Unit]\nDescription=a-b.slice\n\n[Slice]\n");
  });
  test("a quota that a unit file cannot hold is refused", () => {
    expect(() => systemd.sliceFile("a", { "cpu.max": { quota: 30_000, period: 70_000 } })).toThrow(
      "hundredths of a percent",
    );
    expect(systemd.sliceFile("a", { "cpu.max": "12340" }).text).toContain("CPUQuota=12.34%\n");
    expect(systemd.sliceFile("a", { "cpu.max": "max" }).text).toContain("CPUQuota=\n");
  });
  test("delegateDropIn() passes on all that a container can need", () => {
    expect(systemd.delegateDropIn()).toEqual({
      path: "user@.service.d/delegate.conf",
      text: "[Service]\nDelegate=cpu cpuset io memory pids\n",
    });
    expect(systemd.delegateDropIn(["memory"]).text).toBe("[Service]\nDelegate=memory\n");
    expect(() => systemd.delegateDropIn(["memory\n[Install]"])).toThrow(OptionsError);
  });
});

describe("errors", () => {
  test("busError() finds the D-Bus error among what busctl writes", () => {
    // busctl of systemd 252.
    const stderr = `Bus busctl: changing state HELLO → RUNNING
Sent message type=method_call sender=n/a destination=org.freedesktop.systemd1 path=/org/freedesktop/systemd1 interface=org.freedesktop.systemd1.Manager member=StopUnit cookie=2 reply_cookie=0 signature=ss error-name=n/a error-message=n/a
Got message type=error sender=:1.1 destination=:1.3 path=n/a interface=n/a member=n/a cookie=30 reply_cookie=2 signature=s error-name=org.freedesktop.systemd1.NoSuchUnit error-message=Unit nix.scope not loaded.
Call failed: Unit nix.scope not loaded.
Bus busctl: changing state RUNNING → CLOSED
`;
    const error = busError(stderr, { method: "StopUnit", unit: "nix.scope" });
    expect(error.code).toBe("org.freedesktop.systemd1.NoSuchUnit");
    expect(error.message).toBe("StopUnit nix.scope: Unit nix.scope not loaded. (org.freedesktop.systemd1.NoSuchUnit)");
  });
  test("busError() falls back to busctl's own words", () => {
    const error = busError("sd-bus: starting bus\nFailed to connect to bus: No such file or directory\n");
    expect(error.code).toBeUndefined();
    expect(error.message).toStartWith("Failed to connect to bus: No such file or directory. Is there a bus?");
    expect(busError("", { exitCode: 3 }).message).toBe("busctl ended with 3");
  });
  test("a scope without processes is refused", async () => {
    await expect(systemd.scope({ pids: [] })).rejects.toThrow("systemd makes no empty scope");
    await expect(systemd.scope({ pids: [1.5] })).rejects.toThrow(OptionsError);
  });
});

/** What systemctl says, as this user. */
const user = !isRoot;
const flags = user ? ["--user"] : [];
const show = async (unit: string, ...names: string[]): Promise<string> =>
  (await run(["systemctl", ...flags, "show", unit, ...names.map((name) => `--property=${name}`)])).stdout.trim();

/** A program that is there until it is ended. */
function sleeper(...command: string[]) {
  const child = Bun.spawn(command.length > 0 ? command : ["sleep", "300"], { stdio: ["ignore", "ignore", "ignore"] });
  return Object.assign(child, {
    [Symbol.dispose]: () => child.kill("SIGKILL"),
  });
}

const file = (unit: systemd.SystemdUnit, name: string): string =>
  readFileSync(join(unit.path ?? "", name), "utf8").trim();

if (!systemd.isRunning())
  describe("where systemd does not run", () => {
    const tried: [what: string, how: () => Promise<unknown>][] = [
      ["scope", () => systemd.scope({ pids: [process.pid] })],
      ["slice", () => systemd.slice({ name: "bunshare-test", user: true })],
      ["open", () => systemd.open("init.scope")],
      ["install", () => systemd.install(systemd.sliceFile("bunshare-test"))],
      ["uninstall", () => systemd.uninstall(systemd.sliceFile("bunshare-test"))],
    ];
    for (const [what, how] of tried)
      test(`${what}() says so`, async () => {
        const error = await how().catch((error: unknown) => error);
        expect(error).toBeInstanceOf(systemd.SystemdError);
        expect(String(error)).toContain("systemd does not run here: there is no /run/systemd/system");
        expect(existsSync("/etc/systemd/system/bunshare-test.slice")).toBe(false);
      });
    test("delegated() needs no systemd", () => {
      // What this user owns has its controllers; a user who owns nothing has nothing.
      expect(systemd.delegated(4_000_000)).toBeUndefined();
      const mine = systemd.delegated();
      if (mine) expect(statSync(mine.path).uid).toBe(process.getuid?.() ?? -1);
    });
  });
else
  describe(`with systemd, as ${user ? "a user" : "root"}`, () => {
    const limits: UnitProperties = {
      "memory.max": "100M",
      "pids.max": 32,
      "cpu.weight": 50,
      "cpu.max": { quota: 20_000, period: 40_000 },
      // A user's manager has no cpuset to pass on.
      ...(user ? {} : { "cpuset.cpus": "0" }),
    };

    test("a scope has its limits in the group, and systemctl and systemd-cgls say the same", async () => {
      using child = sleeper();
      await using scope = await systemd.scope({ user, pids: [child.pid], properties: limits });
      expect(readFileSync(`/proc/${child.pid}/cgroup`, "utf8").trim()).toBe(`0::${scope.controlGroup}`);
      expect(file(scope, "cgroup.procs")).toBe(String(child.pid));
      expect(file(scope, "memory.max")).toBe("104857600");
      expect(file(scope, "pids.max")).toBe("32");
      expect(file(scope, "cpu.weight")).toBe("50");
      expect(file(scope, "cpu.max")).toBe("20000 40000");
      if (!user) expect(file(scope, "cpuset.cpus.effective")).toBe("0");
      expect(await show(scope.name, "MemoryMax", "TasksMax", "CPUWeight", "ControlGroup", "ActiveState")).toBe(
        `ControlGroup=${scope.controlGroup}\nCPUWeight=50\nMemoryMax=104857600\nTasksMax=32\nActiveState=active`,
      );
      expect(await scope.properties()).toMatchObject({
        MemoryMax: 104_857_600,
        TasksMax: 32,
        CPUQuotaPerSecUSec: 500_000,
        CPUQuotaPeriodUSec: 40_000,
        MemoryHigh: "max",
        Transient: true,
      });
      const listed = await run(["systemd-cgls", "--full", "--no-pager", scope.controlGroup]);
      expect(listed.stdout).toMatch(new RegExp(`${child.pid} sleep 300`));
    });

    test("systemd-cgtop counts as many tasks and as much memory as the group's files", async () => {
      // What a process used before it came is not counted here, so it takes its memory afterwards.
      const script = "read _; x=$(head -c 3M /dev/zero | tr '\\0' x); echo ready; read _";
      await using child = Bun.spawn(["sh", "-c", script], { stdio: ["pipe", "pipe", "inherit"] });
      await using scope = await systemd.scope({ user, pids: [child.pid], properties: limits });
      child.stdin.write("go\n");
      await child.stdin.flush();
      await child.stdout.getReader().read();
      const table = await run(["systemd-cgtop", "--batch", "--raw", "--iterations=1", "--depth=9", "--order=path"]);
      const row = table.stdout.split("\n").find((line) => line.startsWith(`${scope.controlGroup.slice(1)} `));
      const [tasks, , memory] = (row ?? "").trim().split(/\s+/).slice(1);
      expect(tasks).toBe(file(scope, "pids.current"));
      const current = Number(file(scope, "memory.current"));
      expect(current).toBeGreaterThan(3 * 2 ** 20);
      expect(Math.abs(Number(memory) - current)).toBeLessThan(2 ** 18);
    });

    test("set() changes the limits of a unit that runs", async () => {
      using child = sleeper();
      await using scope = await systemd.scope({ user, pids: [child.pid], properties: limits });
      await scope.set({ "memory.max": "200M", "pids.max": "max" });
      expect(file(scope, "memory.max")).toBe("209715200");
      expect(file(scope, "pids.max")).toBe("max");
      expect(await show(scope.name, "MemoryMax")).toBe("MemoryMax=209715200");
      await expect(scope.set({ Delegate: true })).rejects.toThrow(systemd.SystemdError);
    });

    test("stop() ends the processes, and leaves neither unit nor group", async () => {
      using child = sleeper();
      const scope = await systemd.scope({ user, pids: [child.pid] });
      await scope.stop();
      expect(await child.exited).toBe(143);
      expect(existsSync(scope.path ?? "/")).toBe(false);
      expect(await show(scope.name, "LoadState", "ActiveState")).toBe("LoadState=not-found\nActiveState=inactive");
      await scope.stop();
    });

    test("stop() kills what does not care about SIGTERM, and leaves nothing", async () => {
      using child = sleeper("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done");
      await Bun.sleep(500);
      const scope = await systemd.scope({ user, pids: [child.pid] });
      await scope.stop({ timeoutMs: 300 });
      expect(await child.exited).toBe(137);
      expect(existsSync(scope.path ?? "/")).toBe(false);
      expect(await show(scope.name, "LoadState")).toBe("LoadState=not-found");
    });

    test("disposal stops what was made, and leaves alone what was opened", async () => {
      using child = sleeper();
      let path: string | undefined;
      {
        await using scope = await systemd.scope({ user, pids: [child.pid] });
        path = scope.path;
        {
          await using same = await systemd.open(scope.name, { user });
          expect(same.path).toBe(path);
        }
        expect(existsSync(path ?? "")).toBe(true);
        expect(child.exitCode).toBe(null);
      }
      expect(existsSync(path ?? "/")).toBe(false);
      await child.exited;
    });

    test("a scope ends by itself with its last process", async () => {
      using child = sleeper();
      const scope = await systemd.scope({ user, pids: [child.pid] });
      child.kill();
      await child.exited;
      for (let i = 0; i < 100 && existsSync(scope.path ?? ""); i++) await Bun.sleep(50);
      expect(existsSync(scope.path ?? "/")).toBe(false);
      await scope.stop();
    });

    test("with Delegate, the subtree is the user's, and a box with limits runs in it", async () => {
      const script = `
        import { readFileSync } from "node:fs";
        import { launch, plan } from "./mod.ts";
        for await (const _ of process.stdin) break;
        const boxPlan = plan(["sleep", "60"], { root: "host", cgroup: { "memory.max": "50M", "pids.max": 10 } });
        await using box = await launch(boxPlan);
        const group = readFileSync("/proc/" + box.pid + "/cgroup", "utf8").trim().slice("0::".length);
        const read = (name) => readFileSync("/sys/fs/cgroup" + group + "/" + name, "utf8").trim();
        console.log(JSON.stringify({ group, memory: read("memory.max"), pids: read("pids.max") }));
      `;
      await using starter = Bun.spawn([process.execPath, "-e", script], {
        cwd: projectDir,
        stdio: ["pipe", "pipe", "inherit"],
      });
      await using scope = await systemd.scope({
        user,
        pids: [starter.pid],
        properties: { "memory.max": "500M", Delegate: ["cpu", "memory", "pids"] },
      });
      const path = scope.path ?? "";
      expect(statSync(path).uid).toBe(process.getuid?.() ?? -1);
      expect(file(scope, "cgroup.controllers").split(" ")).toEqual(expect.arrayContaining(["cpu", "memory", "pids"]));
      expect(file(scope, "memory.max")).toBe("524288000");
      // A group that passes controllers on holds no processes.
      await Bun.$`mkdir ${path}/main && echo ${starter.pid} > ${path}/main/cgroup.procs`;
      starter.stdin.write("go\n");
      await starter.stdin.end();
      const said = JSON.parse(await starter.stdout.text()) as Record<string, string>;
      expect(said.group).toStartWith(`${scope.controlGroup}/bunshare-`);
      expect(said).toMatchObject({ memory: "52428800", pids: "10" });
      expect(existsSync(`/sys/fs/cgroup${said.group}`)).toBe(false);
      await scope.stop();
      expect(existsSync(path)).toBe(false);
    });

    test("a slice limits its scopes together, and stops them", async () => {
      using first = sleeper();
      await using slice = await systemd.slice({ user, name: "bunsharetest", properties: { "memory.max": "300M" } });
      const scope = await systemd.scope({ user, slice: slice.name, pids: [first.pid] });
      expect(scope.controlGroup).toBe(`${slice.controlGroup}/${scope.name}`);
      expect(file(slice, "memory.max")).toBe("314572800");
      await slice.stop();
      expect(await first.exited).toBe(143);
      expect(existsSync(scope.path ?? "/")).toBe(false);
      expect(existsSync(slice.path ?? "/")).toBe(false);
    });

    test("another's scope is found and read", async () => {
      const name = `bunshare-test-${process.pid}.scope`;
      const command = ["systemd-run", ...flags, "--scope", "--quiet", `--unit=${name}`, "--property=CPUWeight=256"];
      using other = sleeper(...command, "sleep", "300");
      let scope: systemd.SystemdUnit | undefined;
      for (let i = 0; i < 100 && !scope; i++) {
        await Bun.sleep(100);
        scope = await systemd.open(name, { user }).catch(() => undefined);
      }
      if (!scope) throw new Error(`${name} did not show up`);
      expect(file(scope, "cpu.weight")).toBe("256");
      expect(await scope.properties()).toMatchObject({ CPUWeight: 256, Id: name });
      await scope.stop();
      await other.exited;
    });

    test("errors carry the name of the D-Bus error", async () => {
      using child = sleeper();
      await using scope = await systemd.scope({ user, pids: [child.pid] });
      const refused = async (promise: Promise<unknown>): Promise<systemd.SystemdError> => {
        const error = await promise.then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(error).toBeInstanceOf(systemd.SystemdError);
        return error as systemd.SystemdError;
      };
      const taken = await refused(systemd.scope({ user, name: scope.name, pids: [child.pid] }));
      expect(taken.code).toBe("org.freedesktop.systemd1.UnitExists");
      expect(taken.message).toContain(`StartTransientUnit ${scope.name}: `);
      const gone = await refused(systemd.open("bunshare-no.scope", { user }));
      expect(gone.code).toBe("org.freedesktop.systemd1.NoSuchUnit");
      const ended = sleeper("true");
      await ended.exited;
      const late = await refused(systemd.scope({ user, name: "bunshare-late", pids: [ended.pid] }));
      expect(late.unit).toBe("bunshare-late.scope");
      expect(await show("bunshare-late.scope", "LoadState")).toBe("LoadState=not-found");
      if (user) {
        const denied = await refused(systemd.scope({ pids: [child.pid] }));
        expect(denied.code).toMatch(
          /^org\.freedesktop\.DBus\.Error\.(?:AccessDenied|InteractiveAuthorizationRequired)$/,
        );
      }
    });

    test("an installed slice has the limits of its file", async () => {
      const unit = systemd.sliceFile("bunsharefile", { "memory.max": "300M", "cpu.max": "12340", "pids.max": 64 });
      const path = await systemd.install(unit, { user });
      try {
        expect(readFileSync(path, "utf8")).toBe(unit.text);
        using child = sleeper();
        await using scope = await systemd.scope({ user, slice: "bunsharefile", pids: [child.pid] });
        await using slice = await systemd.open("bunsharefile.slice", { user });
        expect(file(slice, "memory.max")).toBe("314572800");
        expect(file(slice, "pids.max")).toBe("64");
        expect(file(slice, "cpu.max")).toBe("12340 100000");
        await scope.stop();
        await slice.stop();
      } finally {
        await systemd.uninstall(unit, { user });
      }
      expect(existsSync(path)).toBe(false);
      expect(await show("bunsharefile.slice", "FragmentPath")).toBe("FragmentPath=");
    });

    if (user)
      test("delegated() is the own manager's subtree, and says what did not come along", () => {
        const mine = systemd.delegated();
        expect(mine).toMatchObject({
          unit: "user@1000.service",
          path: "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service",
          containsCaller: true,
        });
        expect(mine?.controllers).toEqual(expect.arrayContaining(["cpu", "memory", "pids"]));
        expect(mine?.notDelegated.find(({ controller }) => controller === "cpuset")?.why).toMatch(
          /^\/sys\/fs\/cgroup\S* does not pass it on: .* delegateDropIn/,
        );
      });
    else {
      test("delegated() is the own unit with Delegate=yes, and another user's manager", () => {
        expect(systemd.delegated()).toMatchObject({
          unit: "command.service",
          path: "/sys/fs/cgroup/system.slice/command.service",
          containsCaller: true,
        });
        expect(systemd.delegated(1000)).toMatchObject({ unit: "user@1000.service", containsCaller: false });
        expect(systemd.delegated(1001)).toBeUndefined();
      });

      test("the drop-in delegates cpuset and io to users", async () => {
        expect(systemd.delegated(1000)?.controllers).not.toContain("cpuset");
        const dropIn = systemd.delegateDropIn();
        const path = await systemd.install(dropIn);
        try {
          expect(path).toBe("/etc/systemd/system/user@.service.d/delegate.conf");
          expect(await show("user@1000.service", "DelegateControllers")).toBe(
            "DelegateControllers=cpu cpuset io memory pids",
          );
          expect(systemd.delegated(1000)?.controllers).toEqual(
            expect.arrayContaining(["cpu", "cpuset", "io", "memory", "pids"]),
          );
        } finally {
          await systemd.uninstall(dropIn);
        }
        expect(existsSync(path)).toBe(false);
      });
    }
  });
