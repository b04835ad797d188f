/**
 * `bun run test:vm`: the tests that are about kernels, on a pure cgroup v2 host with Linux 6.1, as root, as a user, and on arm64;
 * and those that are about systemd where it is PID 1.
 */
import { join } from "node:path";

const kernelTests = ["limits", "isolation", "escape", "stdio", "doctor"].map((name) => `tests/spawn/${name}.test.ts`);

const bunTest = ["bun", "test", "--timeout", "120000"];
const systemdTest = `${bunTest.join(" ")} tests/cgroup/systemd.test.ts`;

interface Run {
  readonly name: string;
  readonly options: readonly string[];
  readonly command: readonly string[];
}

/** Machines, and what is run on each. Under emulation a test takes ten times as long: what does not depend on the kernel stays out. */
const runs: readonly Run[] = [
  { name: "as root", options: [], command: [...bunTest, "tests/cgroup", "tests/proc", ...kernelTests] },
  { name: "every syscall, as root", options: [], command: [...bunTest, "tests/sys"] },
  {
    name: "as a user, in a delegated cgroup",
    options: ["--user"],
    command: [...bunTest, "tests/spawn/limits.test.ts"],
  },
  {
    name: "with systemd, as root and as a user",
    options: ["--systemd", "--timeout", "300"],
    command: ["sh", "-c", `${systemdTest} && as-tester ${systemdTest} -t "with systemd"`],
  },
  {
    name: "on arm64, as root",
    options: ["--arch", "arm64"],
    command: [...bunTest, "tests/sys", ...kernelTests.slice(0, 3)],
  },
];

const results = runs.map(({ name, options, command }) => {
  console.error(`\ntest:vm: ${name}`);
  const started = performance.now();
  const { exitCode } = Bun.spawnSync([process.execPath, join(import.meta.dir, "vm.ts"), ...options, "--", ...command], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  return { name, exitCode, seconds: (performance.now() - started) / 1000 };
});
for (const { name, exitCode, seconds } of results)
  console.error(
    `test:vm: ${name}: ${exitCode === 0 ? "passed" : `failed (${exitCode})`} after ${seconds.toFixed(0)} s`,
  );
process.exit(results.every(({ exitCode }) => exitCode === 0) ? 0 : 1);
