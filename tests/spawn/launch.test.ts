/** What a review found in launching: each fact was not so once. */
import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  launch,
  OptionsError,
  plan,
  type Plan,
  spawnIsolated,
  spawnIsolatedSync,
  type SpawnOptions,
} from "../../mod.ts";
import { MFD, POLL } from "../../src/sys/flags.ts";
import { type Step, step } from "../../src/sys/step.ts";
import { call } from "../../src/sys/vocabulary.ts";
import { projectDir } from "../helpers.ts";
import { makeRoot, scratchDir } from "./kernel.ts";

const root = makeRoot(join(scratchDir(), "root"), ["sh", "cat", "sleep", "true"]);
const small: SpawnOptions = { root, env: { PATH: "/bin" } };
const openFiles = (): number => readdirSync("/proc/self/fd").length;

/** Options that launch() refuses, and where. */
const refused: [options: object, where: string][] = [
  [{ hostname: "late" }, "options.hostname"],
  [{ cgroup: { "pids.max": 1 } }, "options.cgroup"],
  [{ terminal: {} }, "options.terminal"],
  [{ timeout: -5 }, "options.timeout"],
  [{ stdout: "bogus" }, "options.stdout"],
];

for (const [options, where] of refused)
  test(`launch() refuses ${JSON.stringify(options)}, which would come too late or makes no sense`, async () => {
    const error = await launch(plan(["true"], small), options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OptionsError);
    expect((error as OptionsError).where).toBe(where);
  });

test("launch() refuses what is no plan", async () => {
  const error = await launch({} as never).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OptionsError);
});

test("the same place can be mounted on twice, the later mount on top", () => {
  const mounts = [
    { tmpfs: "/run/x", size: "1M" },
    { bind: root, at: "/run/x", readonly: true },
    { bind: root, at: "/run/x" },
  ];
  const { stdout, exitCode } = spawnIsolatedSync(["sh", "-c", "ls /run/x"], { mounts });
  expect([exitCode, stdout?.toString().includes("bin")]).toEqual([0, true]);
});

test("an onExit that throws is an uncaught error of the caller's, and the box ends as it did", () => {
  const code = `
    import { spawnIsolated } from ${JSON.stringify(join(projectDir, "mod.ts"))};
    process.on("uncaughtException", (error) => console.log("uncaught", error.message));
    const onExit = () => { throw new Error("mine"); };
    await using box = await spawnIsolated(["/bin/true"], { ...${JSON.stringify(small)}, onExit });
    console.log(await box.exited, (await box.status()).exitCode);`;
  const { stdout } = Bun.spawnSync([process.execPath, "-e", code]);
  expect(stdout.toString().trim().split("\n").toSorted()).toEqual(["0 0", "uncaught mine"]);
});

test("a box has a session keyring of its own", async () => {
  await using box = await spawnIsolated(["true"], { ...small, stdout: "ignore" });
  const { timeline, downgrades } = await box.status();
  // The kernel returns the serial number of the new keyring.
  expect(timeline.find(({ label }) => label === "leave the caller's session keyring")?.result).toBeGreaterThan(0);
  expect(downgrades).toEqual([]);
});

test("a stdin that nobody ended is closed with the program", async () => {
  const before = openFiles();
  for (let i = 0; i < 10; i++) {
    const box = await spawnIsolated(["true"], { ...small, stdin: "pipe", stdout: "ignore" });
    await box.exited;
  }
  await Bun.sleep(20);
  expect(openFiles()).toBe(before);
});

test("a stopped box can still be ended", async () => {
  const box = await spawnIsolated(["sleep", "60"], { ...small, stdout: "ignore" });
  box.kill("SIGSTOP");
  await Bun.sleep(20);
  box.kill("SIGKILL");
  await box.exited;
  expect(box.signalCode).toBe("SIGKILL");
});

test("a step's result may stand in a field of 32 bits, and leaves the next field alone", async () => {
  const whole = plan(["true"], small);
  const [first, ...rest] = whole.sections.box ?? [];
  const made: Plan = {
    ...whole,
    sections: {
      ...whole.sections,
      box: [
        first as Step,
        step("make a file", call.memfdCreate("file", MFD.CLOEXEC), { id: "file" }),
        step("see that it can be read", call.ppoll([{ fd: { result: "file" }, events: POLL.IN }], 0), {
          expect: { arg: 0, offset: 4, mask: 0xffffffff, equals: POLL.IN + (POLL.IN << 16), errno: "EPROTO" },
        }),
        ...rest,
      ],
    },
  };
  await using box = await launch(made);
  expect(await box.exited).toBe(0);
});
