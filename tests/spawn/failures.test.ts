import { afterAll, expect, test } from "bun:test";
import { chmodSync, closeSync, mkdtempSync, rmdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errorOf, failureOf } from "../../src/spawn/failure.ts";
import { encode } from "../../src/spawn/image.ts";
import { launch } from "../../src/spawn/launch.ts";
import type { SpawnOptions } from "../../src/spawn/options.ts";
import { allSteps, type PlacedStep, type Plan, type SectionName } from "../../src/spawn/plan-data.ts";
import { plan } from "../../src/spawn/plan.ts";
import { readReport, type Report, reportLayout } from "../../src/spawn/report.ts";
import { makePipe } from "../../src/spawn/stdio.ts";
import * as call from "../../src/sys/calls.ts";
import type { ErrnoName } from "../../src/sys/errno.ts";
import { SyscallError } from "../../src/sys/error.ts";
import { MFD } from "../../src/sys/flags.ts";
import { sys } from "../../src/sys/vocabulary.ts";
import type { Step } from "../../src/sys/step.ts";
import {
  adoptOrphans,
  againAsUser,
  belongings,
  expectUnchanged,
  groupsOf,
  isRoot,
  livingDescendants,
  until,
  who,
} from "./kernel.ts";

adoptOrphans();

const cases: [name: string, options: SpawnOptions, takesRoot?: "root"][] = [
  ["the default plan", {}],
  ["a plan with an init and without a pid namespace", { init: true, unshare: ["user", "mnt"] }],
  ["a plan with limits", { cgroup: { "memory.max": "100M", "pids.max": 60, "cpu.max": { quota: 50_000 } } }, "root"],
];

for (const [name, options, takesRoot] of cases) {
  const skip = takesRoot !== undefined && !isRoot ? " (skipped: takes root)" : "";
  test.skipIf(skip !== "")(
    `as ${who}, each step of ${name}, broken, is the one that the error names${skip}`,
    async () => {
      const whole = plan(["/bin/true"], options);
      const before = belongings();
      const made = await stepsMade(whole);
      for (const place of allSteps(whole)) {
        if (!("call" in place.step)) continue;
        const started = performance.now();
        const said = await outcome(withStep(whole, place, { ...place.step, call: call.close(-1) }));
        expect(said, `${place.section} ${place.number}`).toEqual(
          made.has(place.number) ? expected(place) : { exitCode: 0, leftBehind: undefined },
        );
        expect(performance.now() - started, `${place.number} took too long`).toBeLessThan(5000);
        expect(livingDescendants(), `${place.number}: ${place.step.label}`).toEqual([]);
        // A group whose removal was broken is there, as it was said to be.
        for (const group of groupsOf(whole)) {
          expect(place.section).toBe("undo");
          rmdirSync(group);
        }
      }
      expect(made.size).toBeGreaterThan(30);
      await expectUnchanged(before, whole);
    },
    60_000,
  );
}

/** The kernel's answer to a step, injected by strace, and what is then said. */
const injections: [label: string, errno: ErrnoName][] = [
  ["watch the status pipe", "EMFILE"],
  ["close inherited descriptors", "ENOSYS"],
  ["clone the box with new", "EPERM"],
  ["clone the box with new", "ENOMEM"],
  ["clone the box with new", "ENOSPC"],
  ["clone the box with new", "ENOSYS"],
  ["clone the box with new", "EINTR"],
  ["map the user id", "EPERM"],
  ["bring lo up", "EPERM"],
  ["make all mounts private", "EACCES"],
  ["mount overlay on /etc", "EINVAL"],
  ["mount overlay on /usr", "ENOMEM"],
  ["make the new root a mount point", "EBUSY"],
  ["open /dev in the new root", "EINTR"],
  ["mount the proc", "EPERM"],
  ["mount proc on /proc", "EBUSY"],
  ["bind /dev/null", "ENOSPC"],
  ["enter the new root", "EINVAL"],
  ["detach the old root", "EBUSY"],
  ["start a session", "EPERM"],
  ["run /bin/true", "ENOMEM"],
];

const dir = mkdtempSync(join(tmpdir(), "bunshare-failures-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const noStrace = Bun.which("strace") === null ? " (skipped: strace is not installed)" : "";
const host = plan(["/bin/true"]);

test(`as ${who}, an option that a file system refuses fails with the kernel's own words`, async () => {
  const whole = plan(["/bin/true"], { root: "/", mounts: [] });
  for (const [from, to, words] of [
    ['"mode","0755"', '"mode","9z"', "tmpfs: Bad value for 'mode'"],
    ['"mode","0755"', '"nonsense","0755"', "tmpfs: Unknown parameter 'nonsense'"],
  ] as const) {
    const broken = JSON.parse(JSON.stringify(whole).replace(from, to)) as Plan;
    const error = await launch(broken).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(SyscallError);
    const { kernelLog, message } = error as SyscallError;
    expect(kernelLog).toBe(`e ${words}`);
    expect(message).toMatch(/^step \d+: set (mode|nonsense|\w+) of the tmpfs: EINVAL \(Invalid argument\): /);
    expect(message).toEndWith(words);
  }
});

for (const [label, errno] of injections) {
  test.skipIf(noStrace !== "")(`as ${who}, ${errno} at "${label}" is reported as such${noStrace}`, async () => {
    const place = allSteps(host).find(({ step }) => step.label.startsWith(label)) as PlacedStep;
    const before = belongings();
    const started = performance.now();
    const { failure } = await runInjected(host, [await injection(place, `error=${errno}`)]);
    expect(failure?.message).toContain(`step ${place.number}: ${place.step.label}: ${errno} (`);
    expect(failure?.step).toEqual({ index: place.number, label: place.step.label, section: place.section });
    expect(performance.now() - started).toBeLessThan(5000);
    await expectUnchanged(before);
  });
}

const interruptions: [label: string, options: SpawnOptions, fault: string][] = [
  ["wait for the box", {}, "rt_sigtimedwait:error=EINTR:when=1"],
  ["wait for the box", {}, "wait4:error=EINTR:when=1"],
];
for (const [label, options, fault] of interruptions) {
  test.skipIf(noStrace !== "")(`as ${who}, ${fault} at "${label}" does no harm${noStrace}`, async () => {
    const { failure, exitCode } = await runInjected(plan(["/bin/true"], options), [fault]);
    expect(failure).toBeUndefined();
    expect(exitCode).toBe(0);
  });
}

const noBusy = isRoot ? noStrace : " (skipped: takes root)";
test.skipIf(noBusy !== "")(`a group that is busy for a while is removed all the same${noBusy}`, async () => {
  const boxPlan = plan(["/bin/true"], { cgroup: { "pids.max": 20 } });
  const { failure, end } = await runInjected(boxPlan, ["unlinkat:error=EBUSY:when=1..4"]);
  expect(failure).toBeUndefined();
  expect(end.undoFailed).toBeUndefined();
  expect(groupsOf(boxPlan)).toEqual([]);
});

againAsUser(import.meta.path);

/** strace counts the calls of each process by itself, and only some steps are made on this kernel. */
async function injection({ section, number, step }: PlacedStep, fault: string): Promise<string> {
  const made = await (stepsOfHost ??= stepsMade(host));
  const name = "call" in step ? step.call.name : "";
  const countIn = (which: SectionName, last: number): number =>
    allSteps(host).filter(
      (one) =>
        one.section === which &&
        one.number <= last &&
        made.has(one.number) &&
        "call" in one.step &&
        one.step.call.name === name,
    ).length;
  const k = countIn(section, number);
  // Otherwise the monitor would be hit first.
  if (section !== "host") expect(countIn("host", number)).toBeLessThan(k);
  return `${name}:${fault}:when=${k}`;
}
let stepsOfHost: Promise<Set<number>> | undefined;

/** What launch() does, with strace between it and the stage. */
async function runInjected(
  boxPlan: Plan,
  faults: readonly string[],
): Promise<{ failure: SyscallError | undefined; exitCode: number; end: Report }> {
  const image = join(dir, `image-${++imageCount}`);
  writeFileSync(image, encode(boxPlan));
  chmodSync(image, 0o755);
  const [statusRead, statusWrite] = makePipe();
  const reportFd = sys.memfdCreate("bunshare-report", MFD.CLOEXEC).release();
  sys.ftruncate(reportFd, reportLayout(boxPlan).size);
  const child = Bun.spawn(
    // A hang is ended, and then shows in the time that it took.
    [
      "timeout",
      "-s",
      "KILL",
      "8",
      "strace",
      "-f",
      "-q",
      "-o",
      "/dev/null",
      ...faults.flatMap((fault) => ["-e", `inject=${fault}`]),
      image,
    ],
    { stdio: ["ignore", "ignore", "inherit", statusWrite, reportFd] },
  );
  closeSync(statusWrite);
  const exitCode = await child.exited;
  closeSync(statusRead);
  const end = readReport(reportFd, boxPlan);
  closeSync(reportFd);
  await until(() => livingDescendants().length === 0, 2000);
  const failure = failureOf(boxPlan, end);
  return { failure: failure && errorOf(failure, boxPlan, end), exitCode, end };
}
let imageCount = 0;

/** Numbers of the steps that a launch makes: not all kernels have everything that is hidden. */
async function stepsMade(boxPlan: Plan): Promise<Set<number>> {
  const box = await launch(boxPlan, { stdout: "ignore" });
  const { timeline, exitCode } = await box.status();
  expect(exitCode).toBe(0);
  // The first is what maps the report, and cannot write itself down in it.
  return new Set([1, ...timeline.map(({ step }) => step)]);
}

/** What is said of a plan that cannot succeed: where, and with which errno; or what its status says. */
async function outcome(boxPlan: Plan): Promise<object> {
  try {
    const box = await launch(boxPlan, { stdout: "ignore", stderr: "ignore" });
    const { leftBehind, exitCode } = await box.status();
    return { leftBehind: leftBehind && { label: leftBehind.label, code: leftBehind.code }, exitCode };
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    return { section: error.step?.section, label: error.step?.label, index: error.step?.index, code: error.code };
  }
}

function expected({ section, number, step: { label } }: PlacedStep): object {
  // The program has run by then: nothing is wrong but what could not be undone.
  if (section === "undo") return { leftBehind: { label, code: "EBADF" }, exitCode: 0 };
  // Without a report nobody can say more than that there is none.
  if (number === 1) return { section, label, index: 1, code: "ECHILD" };
  return { section, label, index: number, code: "EBADF" };
}

function withStep(whole: Plan, { section, number }: PlacedStep, step: Step): Plan {
  const first = allSteps(whole).find((place) => place.section === section)?.number ?? 0;
  const steps = whole.sections[section] ?? [];
  const sections = { ...whole.sections, [section]: steps.with(number - first, step) };
  return { ...whole, sections };
}
