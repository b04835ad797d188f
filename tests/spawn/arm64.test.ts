import { errnoNumber } from "../../src/sys/errno.ts";
import { expect, test } from "bun:test";
import { closeSync, ftruncateSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode } from "../../src/spawn/image.ts";
import { plan } from "../../src/spawn/plan.ts";
import { allSteps, type Plan } from "../../src/spawn/plan-data.ts";
import { readReport, reportLayout } from "../../src/spawn/report.ts";
import { makePipe } from "../../src/spawn/stdio.ts";

import { MFD } from "../../src/sys/flags.ts";
import { sys } from "../../src/sys/vocabulary.ts";
import { rootHost } from "./host.ts";

const emulator = Bun.which("qemu-aarch64");
const reason = emulator === null ? " (skipped: needs qemu-aarch64, Debian package qemu-user)" : "";

/** Runs the arm64 image of a plan under the emulator, with the descriptors that the launcher would give it. */
function emulate(made: Plan) {
  const directory = mkdtempSync(join(tmpdir(), "bunshare-arm64-"));
  const image = join(directory, "image");
  writeFileSync(image, encode(made), { mode: 0o755 });
  const [read, write] = makePipe();
  const report = sys.memfdCreate("report", MFD.CLOEXEC).release();
  ftruncateSync(report, reportLayout(made).size);
  try {
    const { exitCode } = Bun.spawnSync([emulator ?? "", image], {
      stdio: ["ignore", "inherit", "inherit", write, report] as never,
    });
    return { exitCode, report: readReport(report, made) };
  } finally {
    for (const fd of [read, write, report]) closeSync(fd);
    rmSync(directory, { recursive: true });
  }
}

test.skipIf(emulator === null)(`the arm64 stage runs all steps up to clone3, which the emulator lacks${reason}`, () => {
  const made = plan(["true"], { unshare: ["pid"] }, { ...rootHost, arch: "arm64" });
  const { exitCode, report } = emulate(made);
  const steps = allSteps(made);
  const clone = steps.findIndex(({ step }) => "call" in step && step.call.name === "clone3");
  expect(report.failed).toEqual({ index: clone, errno: errnoNumber("ENOSYS") });
  expect(exitCode).toBe(125);
  // The first step maps the report: when it began was written before there was one.
  for (let i = 1; i < clone; i++) {
    expect([steps[i]?.step.label, report.ticks(i) > 0n]).toEqual([steps[i]?.step.label, true]);
    expect([steps[i]?.step.label, report.result(i) >= 0]).toEqual([steps[i]?.step.label, true]);
  }
  // The undo section ran too: it notes the time last.
  expect(report.nanoseconds("end")).toBeGreaterThan(report.nanoseconds("start") ?? 0n);
});
