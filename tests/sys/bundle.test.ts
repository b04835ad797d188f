/** What a bundler makes of an import: one call costs one call. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectDir, run } from "../helpers.ts";

const dir = mkdtempSync(join(tmpdir(), "bunshare-bundle-"));
afterAll(() => rmSync(dir, { recursive: true }));

async function bundle(name: string, source: string): Promise<{ text: string; path: string }> {
  const [input, path] = [join(dir, `${name}.ts`), join(dir, `${name}.js`)];
  writeFileSync(input, source);
  const { success } = await Bun.build({ entrypoints: [input], target: "bun", outdir: dir });
  expect(success).toBe(true);
  return { text: await Bun.file(path).text(), path };
}

const at = (file: string): string => JSON.stringify(join(projectDir, "src/sys", file));

test("a call that is imported by itself brings no other into a bundle, and runs there", async () => {
  const source = `
    import { run } from ${at("invoke.ts")};
    import { getpid } from ${at("calls/process.ts")};
    console.log(run(getpid) === process.pid);`;
  const { text, path } = await bundle("one", source);
  expect(text.match(/\bdefine\("/g)).toEqual(['define("']);
  expect((await run([process.execPath, path])).stdout).toBe("true\n");
});

test("what the door loads when it is used is in a bundle too", async () => {
  const source = `
    import { call, formatCall, supports, sys, SyscallError } from ${at("mod.ts")};
    console.log(sys.getpid() === process.pid, formatCall(call.umask(0o22)), supports("statx"));
    try {
      sys.openat(-100, "/nowhere", 0);
    } catch (error) {
      console.log(error instanceof SyscallError, error.message);
    }`;
  const { path } = await bundle("all", source);
  expect((await run([process.execPath, path])).stdout).toBe(
    'true umask(022) true\ntrue openat(AT_FDCWD, "/nowhere", O_RDONLY|O_CLOEXEC): ENOENT (No such file or directory)\n',
  );
});

test("importing the door loads no call, and importing one primitive no other family", async () => {
  const script = `
    const before = new Set(Object.keys(require.cache));
    await import(${at("mod.ts")});
    console.log(Object.keys(require.cache).filter((path) => path.includes("/src/sys/") || path.includes("/ffi/")).map((path) => path.replace(/.*\\/(src\\/sys|ffi)\\//, "")).sort().join(" "));`;
  const { stdout } = await run([process.execPath, "-e", script]);
  expect(stdout.trim().split(" ")).toEqual([
    "error.ts",
    "families.ts",
    "fd.ts",
    "flags.ts",
    "lazy.ts",
    "mod.ts",
    "options-error.ts",
    "step.ts",
    "vocabulary.ts",
  ]);
});
