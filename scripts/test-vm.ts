/** `bun run test:vm`: the tests that are about kernels, on a pure cgroup v2 host with Linux 6.1, as root, as a user, and on arm64. */
import { join } from "node:path";

const kernelTests = ["limits", "isolation", "escape", "stdio", "doctor"].map((name) => `tests/spawn/${name}.test.ts`);

/** Machines, and what is run on each. Under emulation a test takes ten times as long: what does not depend on the kernel stays out. */
const runs: readonly { readonly name: string; readonly options: string[]; readonly tests: string[] }[] = [
  { name: "as root", options: [], tests: ["tests/sys", "tests/cgroup", "tests/proc", ...kernelTests] },
  { name: "as a user, in a delegated cgroup", options: ["--user"], tests: ["tests/spawn/limits.test.ts"] },
  { name: "on arm64, as root", options: ["--arch", "arm64"], tests: ["tests/sys", ...kernelTests.slice(0, 3)] },
];

const results = runs.map(({ name, options, tests }) => {
  console.error(`\ntest:vm: ${name}`);
  const vm = [process.execPath, join(import.meta.dir, "vm.ts"), ...options];
  const { exitCode } = Bun.spawnSync([...vm, "--", "bun", "test", "--timeout", "120000", ...tests], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  return { name, exitCode };
});
for (const { name, exitCode } of results)
  console.error(`test:vm: ${name}: ${exitCode === 0 ? "passed" : `failed (${exitCode})`}`);
process.exit(results.every(({ exitCode }) => exitCode === 0) ? 0 : 1);
