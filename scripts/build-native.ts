/**
 * Builds the machine code of ffi/ for both architectures and writes it, as text, into ffi/built.ts.
 *
 *     bun scripts/build-native.ts [--check] [--size]
 *
 * Exit codes: 0 written, or --check found nothing; 1 ffi/built.ts is not what the sources give, or they do not compile;
 * 2 this machine cannot tell: a compiler is missing, or another version than the one that made ffi/built.ts.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

/**
 * Where the stage is linked. The page below is left to the ELF header, so that address and file offset agree modulo
 * every page size of both architectures (4 to 64 KiB).
 */
export const stageAddress = 0x400200;

/** One table. Architectures are named as in `process.arch`, compilers as in Debian. */
export const targets = {
  x64: { triple: "x86_64-linux-gnu", flags: [] },
  // Without the flag gcc calls helpers of libgcc for atomics.
  arm64: { triple: "aarch64-linux-gnu", flags: ["-mno-outline-atomics"] },
} as const;
export type Arch = keyof typeof targets;
export const arches = Object.keys(targets) as Arch[];

/** `gcc` here, `aarch64-linux-gnu-gcc` for elsewhere. */
export const toolFor = (arch: Arch, tool: "gcc" | "objcopy"): string =>
  process.arch === arch ? tool : `${targets[arch].triple}-${tool}`;

interface Blob {
  /** Sources beside each other in ffi/. The first is compiled, all are hashed. */
  readonly sources: readonly string[];
  readonly flags: readonly string[];
  readonly section: string;
}

export const blobs = {
  syscall: { sources: ["syscall.S"], flags: ["-c"], section: ".text" },
  clone: { sources: ["clone.S"], flags: ["-c"], section: ".text" },
  stage: {
    sources: ["stage.c", "stage.ld"],
    flags: [
      ..."-std=gnu11 -Os -Wall -Wextra -Werror -ffreestanding -fno-builtin -nostdlib -static -no-pie".split(" "),
      // fpie: the same bytes run at any page. cf-protection: no endbr64 where nothing calls indirectly.
      ..."-fpie -fcf-protection=none -fno-stack-protector -fno-asynchronous-unwind-tables".split(" "),
      // orphan-handling: a section that stage.ld does not name would silently be left out of the blob.
      ..."-T stage.ld -Wl,--orphan-handling=error -Wl,--fatal-warnings -Wl,-z,noexecstack".split(" "),
      ...["-Wl,--build-id=none", `-Wl,--defsym=STAGE_ADDRESS=${stageAddress}`],
    ],
    section: ".blob",
  },
} as const satisfies Record<string, Blob>;
export type BlobName = keyof typeof blobs;
export const blobNames = Object.keys(blobs) as BlobName[];

const flagsFor = (name: BlobName, arch: Arch) => [...blobs[name].flags, ...targets[arch].flags];

/** SHA-256 of what a blob is made from: its sources and the flags. */
export function hashSources(name: BlobName, directory: string): string {
  const hash = createHash("sha256");
  for (const file of blobs[name].sources) {
    const bytes = readFileSync(join(directory, file));
    hash.update(`${file} ${bytes.length}\n`).update(bytes);
  }
  for (const arch of arches) hash.update(`${arch} ${flagsFor(name, arch).join(" ")}\n`);
  return hash.digest("hex");
}

/** Compiles one blob. @throws {Error} with the compiler's own words. */
export function build(name: BlobName, arch: Arch, directory: string): Uint8Array {
  const work = mkdtempSync(join(tmpdir(), "bunshare-build-"));
  try {
    const elf = join(work, "blob.elf");
    const flat = join(work, "blob.bin");
    // In the directory of the sources and with relative names: no path of this machine gets into the bytes.
    run([toolFor(arch, "gcc"), ...flagsFor(name, arch), blobs[name].sources[0], "-o", elf], directory);
    run([toolFor(arch, "objcopy"), "-O", "binary", "-j", blobs[name].section, elf, flat], directory);
    return new Uint8Array(readFileSync(flat));
  } finally {
    rmSync(work, { recursive: true });
  }
}

function run(cmd: string[], cwd: string): string {
  // LC_ALL: the linker's messages are looked at by tests.
  const { exitCode, stdout, stderr } = Bun.spawnSync(cmd, { cwd, env: { ...process.env, LC_ALL: "C" } });
  if (exitCode !== 0) throw new Error(`${cmd[0]}: exit code ${exitCode}\n${stderr}`);
  return stdout.toString();
}

/** Version of the compiler for an architecture, as in "(Debian 12.2.0-14) 12.2.0"; undefined where there is none. */
export function compilerOf(arch: Arch): string | undefined {
  if (!Bun.which(toolFor(arch, "gcc")) || !Bun.which(toolFor(arch, "objcopy"))) return undefined;
  const [firstLine] = run([toolFor(arch, "gcc"), "--version"], ".").split("\n");
  return firstLine!.replace(/^\S+ /, "").trim();
}

/** What ffi/built.ts holds: bytes in base64 for each architecture, and what they come from. */
export type Built = Record<BlobName, { readonly sha256: string } & Readonly<Record<Arch, string>>>;

export function buildAll(directory: string): Built {
  const entries = blobNames.map((name) => {
    const bytes = arches.map((arch) => [arch, build(name, arch, directory).toBase64()]);
    return [name, { sha256: hashSources(name, directory), ...Object.fromEntries(bytes) }];
  });
  return Object.fromEntries(entries);
}

/** The text of ffi/built.ts. */
function render(built: Built, compilers: Record<Arch, string>): string {
  const object = (value: Record<string, string>) =>
    Object.entries(value)
      .map(([key, text]) => `    ${key}: "${text}",\n`)
      .join("");
  return `/** Machine code of ffi/syscall.S, ffi/clone.S and ffi/stage.c. Written by scripts/build-native.ts, and a test keeps it in step. */

/** Architectures there is code for, named as in \`process.arch\`. */
export type Arch = "x64" | "arm64";

/** Address that the stage is linked at, and its entry point. */
export const stageAddress = 0x${stageAddress.toString(16)};

/** What compiled the bytes below. Another version may make other bytes of the same sources. */
export const compilers = {
${arches.map((arch) => `  ${arch}: "${compilers[arch]}",\n`).join("")}} as const;

/** Bytes in base64, and the SHA-256 of the sources and flags that they come from. */
export const built = {
${blobNames.map((name) => `  ${name}: {\n${object(built[name])}  },\n`).join("")}} as const;

/** The raw system call, \`f(nr, a, b, c, d, e, f)\` returning -errno. Runs at any address. */
export function builtSyscall(arch: Arch): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(built.syscall[arch]);
}

/** clone3 and execveat in the child, \`f(args, size, start)\`: see clone.S. Runs at any address. */
export function builtClone(arch: Arch): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(built.clone[arch]);
}

/** The stage, entered at its first byte, to be mapped read-only and executable at {@link stageAddress}. */
export function builtStage(arch: Arch): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(built.stage[arch]);
}
`;
}

/** One line for each blob that differs: empty when all is as it was. */
export function compare(committed: Built, fresh: Built): string[] {
  return blobNames.flatMap((name) => [
    ...(committed[name].sha256 === fresh[name].sha256 ? [] : [`${name}: sources or flags have changed`]),
    ...arches.flatMap((arch) => {
      const [old, now] = [committed[name][arch], fresh[name][arch]].map((text) => Uint8Array.fromBase64(text));
      const at = old!.findIndex((byte, index) => byte !== now![index]);
      if (at < 0 && old!.length === now!.length) return [];
      return [
        `${name} ${arch}: ${old!.length} bytes committed, ${now!.length} built, first difference at ${at < 0 ? old!.length : at}`,
      ];
    }),
  ]);
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { check: { type: "boolean" }, size: { type: "boolean" } } });
  const ffi = join(import.meta.dir, "..", "ffi");
  const file = join(ffi, "built.ts");

  const missing = arches.filter((arch) => compilerOf(arch) === undefined);
  if (missing.length > 0) {
    for (const arch of missing)
      console.error(`no compiler for ${arch}: ${toolFor(arch, "gcc")} and ${toolFor(arch, "objcopy")}`);
    return 2;
  }
  const compilers = Object.fromEntries(arches.map((arch) => [arch, compilerOf(arch)!])) as Record<Arch, string>;

  const fresh = buildAll(ffi);
  if (values.size) {
    for (const name of blobNames) {
      for (const arch of arches)
        console.log(`${name} ${arch}: ${Uint8Array.fromBase64(fresh[name][arch]).length} bytes`);
    }
  }
  if (!values.check) {
    writeFileSync(file, render(fresh, compilers));
    run([process.execPath, "fmt", "--no-script", file], ffi);
    return 0;
  }

  const committed = (await import(file)) as { built: Built; compilers: Record<Arch, string> };
  const differences = compare(committed.built, fresh);
  for (const line of differences) console.error(`ffi/built.ts: ${line}`);
  if (differences.length === 0) return 0;
  const sameSources = blobNames.every((name) => committed.built[name].sha256 === fresh[name].sha256);
  const others = arches.filter((arch) => committed.compilers[arch] !== compilers[arch]);
  for (const arch of others)
    console.error(`${arch}: built with gcc ${committed.compilers[arch]}, here is ${compilers[arch]}`);
  // Other bytes of the same sources by another compiler prove nothing.
  return sameSources && others.length > 0 ? 2 : 1;
}

if (import.meta.main) process.exitCode = await main();
