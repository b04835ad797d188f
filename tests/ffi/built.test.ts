import { expect, test } from "bun:test";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { built, builtStage, builtSyscall, compilers, stageAddress } from "../../ffi/built.ts";
import * as native from "../../scripts/build-native.ts";

const ffi = join(import.meta.dir, "../../ffi");
const script = join(import.meta.dir, "../../scripts/build-native.ts");
const { arches, blobNames } = native;

for (const name of blobNames) {
  test(`${name}: the committed bytes are of these sources`, () => {
    expect(native.hashSources(name, ffi)).toBe(built[name].sha256);
  });
}

test("the address that the stage is linked at is the committed one", () => {
  expect(stageAddress).toBe(native.stageAddress);
});

test("the system call is these instructions, nothing else", () => {
  expect(builtSyscall("x64").toHex()).toBe("4889f84889f74889d64889ca4d89c24d89c84c8b4c24080f05c3");
  const words = [...new Uint32Array(builtSyscall("arm64").buffer)].map((word) => word.toString(16).padStart(8, "0"));
  expect(words.join(" ")).toBe("aa0003e8 aa0103e0 aa0203e1 aa0303e2 aa0403e3 aa0503e4 aa0603e5 d4000001 d65f03c0");
});

for (const arch of arches) {
  test(`the stage for ${arch} fits into one page`, () => {
    expect(builtStage(arch).length).toBeGreaterThan(0);
    expect(builtStage(arch).length).toBeLessThanOrEqual(4096);
  });
}

const missing = arches.filter((arch) => native.compilerOf(arch) === undefined);
const other = arches.filter((arch) => native.compilerOf(arch) !== compilers[arch]);
const noCompiler = missing.length > 0 && `needs ${missing.map((arch) => native.toolFor(arch, "gcc")).join(", ")}`;
const noSameCompiler =
  noCompiler || (other.length > 0 && `needs gcc ${other.map((arch) => compilers[arch]).join(", ")}`);

/** A test that says in its name why it was skipped. */
const testUnless = (reason: string | false, name: string, body: () => void) =>
  test.skipIf(reason !== false)(reason === false ? name : `${name} (${reason})`, body);

testUnless(noSameCompiler, "build-native --check: the sources give the committed bytes", () => {
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, script, "--check"]);
  expect(stderr.toString()).toBe("");
  expect(exitCode).toBe(0);
});

test("build-native --check without compilers says which, and exits with 2", () => {
  const env = { ...process.env, PATH: "/nowhere" };
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, script, "--check"], { env });
  expect(stderr.toString()).toContain("no compiler for arm64");
  expect(exitCode).toBe(2);
});

test("compare() names the blob and the first byte that differs", () => {
  const committed: native.Built = {
    syscall: { sha256: "aa", x64: "AAEC", arm64: "AAEC" },
    clone: { sha256: "cc", x64: "AAEC", arm64: "AAEC" },
    stage: { sha256: "bb", x64: "AAEC", arm64: "AAEC" },
  };
  expect(native.compare(committed, committed)).toEqual([]);
  const fresh: native.Built = {
    syscall: { sha256: "aa", x64: "AAED", arm64: "AAECAw==" },
    clone: committed.clone,
    stage: { sha256: "cc", x64: "AAEC", arm64: "AAE=" },
  };
  expect(native.compare(committed, fresh)).toEqual([
    "syscall x64: 3 bytes committed, 3 built, first difference at 2",
    "syscall arm64: 3 bytes committed, 4 built, first difference at 3",
    "stage: sources or flags have changed",
    "stage arm64: 3 bytes committed, 2 built, first difference at 2",
  ]);
});

/** Builds another stage in place of ours. */
function buildStage(arch: native.Arch, source: string): Uint8Array {
  const directory = mkdtempSync(join(tmpdir(), "bunshare-test-"));
  try {
    cpSync(join(ffi, "stage.ld"), join(directory, "stage.ld"));
    writeFileSync(join(directory, "stage.c"), source);
    return native.build("stage", arch, directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const start = `__asm__(".section .text.start\\n.globl _start\\n_start: nop\\n.text");`;
/** A function that does this with an `i` that the compiler cannot see through. */
const use = (what: string) => `__attribute__((used)) int use(volatile int *i) { return ${what}; }`;

const refused: [string, string, string][] = [
  ["a variable", `${start} static int count = 1; ${use("count += *i")}`, "no writable or relocated data"],
  ["a zeroed variable", `${start} static int count; ${use("count += *i")}`, "no writable or relocated data"],
  [
    "a table of addresses",
    `${start} static const char *const names[] = { "a", "b" }; ${use("*names[*i]")}`,
    "no writable",
  ],
  [
    "a function of a library",
    `${start} extern int puts(const char *); ${use('puts("x") + *i')}`,
    "undefined reference",
  ],
  ["code before the entry", `__asm__(".globl _start\\n nop\\n_start: nop"); ${use("*i")}`, "_start must be the first"],
  ["a section nobody placed", `${start} __attribute__((section("elsewhere"))) ${use("*i")}`, "elsewhere"],
  ["a warning", `${start} static int unused;`, "unused"],
];
for (const [what, source, message] of refused) {
  testUnless(noCompiler, `the stage may not have ${what}`, () => {
    for (const arch of arches) expect(() => buildStage(arch, source)).toThrow(message);
  });
}

testUnless(noCompiler, "the stage's constants follow its code in one run of bytes, entry first", () => {
  for (const arch of arches) {
    const bytes = buildStage(arch, `${use('"a constant"[*i]')} ${start}`);
    const nop = arch === "x64" ? "90" : "1f2003d5";
    expect(bytes.toHex()).toStartWith(nop);
    expect(new TextDecoder("latin1").decode(bytes)).toEndWith("a constant\0");
  }
});

testUnless(noCompiler, "two builds give the same bytes", () => {
  for (const name of blobNames)
    for (const arch of arches) expect(native.build(name, arch, ffi)).toEqual(native.build(name, arch, ffi));
});

/** Calls the committed bytes with one to six arguments, and ends with the errno of the last call. */
const driver = (nr: Record<string, number>) => `
  extern long f(long, long, long, long, long, long, long);
  __asm__(".globl f\\nf: .incbin \\"syscall.bin\\"\\n.balign 4");
  void _start(void) {
    long fd = f(${nr.memfd_create}, (long)"six", 0, 0, 0, 0, 0);
    f(${nr.ftruncate}, fd, 8192, 0, 0, 0, 0);
    f(${nr.pwrite64}, fd, (long)"first", 5, 0, 0, 0);
    f(${nr.pwrite64}, fd, (long)"right", 5, 4096, 0, 0);
    long at = f(${nr.mmap}, 0x20000000, 4096, 1, 0x11, fd, 4096);
    f(${nr.write}, 1, at, 5, 0, 0, 0);
    f(${nr.exit_group}, at == 0x20000000 ? -f(${nr.close}, -1, 0, 0, 0, 0, 0) : 1, 0, 0, 0, 0, 0);
  }`;
const numbers = {
  x64: { write: 1, close: 3, mmap: 9, pwrite64: 18, ftruncate: 77, exit_group: 231, memfd_create: 319 },
  arm64: { ftruncate: 46, close: 57, write: 64, pwrite64: 68, exit_group: 94, mmap: 222, memfd_create: 279 },
};
const emulators = { x64: "qemu-x86_64", arm64: "qemu-aarch64" };

for (const arch of arches) {
  const runner = arch === process.arch ? [] : [emulators[arch]];
  const noRunner =
    noCompiler || (runner.some((command) => !Bun.which(command)) && `needs ${runner} (Debian: qemu-user)`);
  testUnless(noRunner, `the system call for ${arch} takes six arguments and returns -errno`, () => {
    const cwd = mkdtempSync(join(tmpdir(), "bunshare-test-"));
    try {
      writeFileSync(join(cwd, "syscall.bin"), builtSyscall(arch));
      writeFileSync(join(cwd, "driver.c"), driver(numbers[arch]));
      const flags = "-O1 -ffreestanding -fno-stack-protector -nostdlib -static driver.c -o driver".split(" ");
      const compiled = Bun.spawnSync([native.toolFor(arch, "gcc"), ...flags], { cwd });
      expect(compiled.stderr.toString()).toBe("");
      const { stdout, exitCode } = Bun.spawnSync([...runner, "./driver"], { cwd });
      expect({ stdout: stdout.toString(), exitCode }).toEqual({ stdout: "right", exitCode: 9 });
    } finally {
      rmSync(cwd, { recursive: true });
    }
  });
}
