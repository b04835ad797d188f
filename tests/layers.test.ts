import { Glob } from "bun";
import { expect, test } from "bun:test";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dir, "..");

/** Folders by rank: an import goes to the same folder or to one of a lower rank. */
const ranks: Record<string, number> = {
  ffi: 0,
  "src/sys": 1,
  "src/proc": 2,
  "src/cgroup": 3,
  "src/ns": 3,
  "src/mount": 3,
  "src/net": 3,
  "src/security": 3,
  "src/spawn": 4,
  "": 5,
};

/** Files that neither read nor write anything: they run anywhere, and their tests need no privilege. */
const pure = [
  "src/sys/{address,bpf,call,calls,capabilities,check,cloexec,decode,device,encode,errno,error,families,flags,flag-sets,format*,hints,inotify,lazy,message,numbers,options-error,primitive,rights,since,statmount,step,structs}.ts",
  "src/sys/calls/*.ts",
  "src/cgroup/{devices,files,limits,location,steps,systemd-unit,values}.ts",
  "src/mount/*.ts",
  "src/net/*.ts",
  "src/ns/{idmap,kinds,time}.ts",
  "src/spawn/{diagnose,explain,failure,floors,hints,options,plan-data,spec,status}.ts",
];

/** What a pure file may not name, and Node and Deno do not have or would do something with. */
const effects = /from "(node:(?!path)|bun:)|\bBun\.(?!BunFile|Terminal|TerminalOptions|Subprocess|ErrorLike)/;

const files = [
  "mod.ts",
  ...["ffi/**/*.ts", "src/**/*.ts"].flatMap((pattern) => [...new Glob(pattern).scanSync(root)]),
].toSorted();
const imports = (text: string): string[] =>
  [...text.matchAll(/^(?:import|export)[^"';]*?from "([^"]+)"|\brequire\("([^"]+)"\)/gms)].map(
    (match) => match[1] ?? match[2] ?? "",
  );
const folder = (file: string): string =>
  Object.keys(ranks).find((name) => name !== "" && file.startsWith(`${name}/`)) ?? "";

test("there are files to look at", () => {
  expect(files.length).toBeGreaterThan(50);
});

test("every import goes down: to the same folder or one of a lower rank", async () => {
  const wrong: string[] = [];
  for (const file of files) {
    const text = await Bun.file(join(root, file)).text();
    for (const source of imports(text).filter((name) => name.startsWith("."))) {
      const target = relative(root, join(root, dirname(file), source));
      const [from, to] = [folder(file), folder(target)];
      if (from !== to && (ranks[to] ?? 9) >= (ranks[from] ?? 0)) wrong.push(`${file} imports ${target}`);
    }
  }
  expect(wrong).toEqual([]);
});

test("only ffi/syscall.ts imports bun:ffi", async () => {
  const importers: string[] = [];
  for (const file of files) if (/from "bun:ffi";/.test(await Bun.file(join(root, file)).text())) importers.push(file);
  expect(importers).toEqual(["ffi/syscall.ts"]);
});

test("pure files touch nothing", async () => {
  const wrong: string[] = [];
  for (const pattern of pure)
    for (const file of new Glob(pattern).scanSync(root)) {
      const text = (await Bun.file(join(root, file)).text()).replaceAll(/^\s*(\*|\/\/|\/\*\*).*$/gm, "");
      const found = effects.exec(text.replaceAll(/^import type .*$/gm, ""));
      if (found) wrong.push(`${file}: ${found[0]}`);
    }
  expect(wrong).toEqual([]);
});

test("every source file says in its first lines what it is", async () => {
  const silent: string[] = [];
  for (const file of files) {
    const text = await Bun.file(join(root, file)).text();
    if (!/^(\/\/ Generated.*\n)?\/\*\*/.test(text)) silent.push(file);
  }
  expect(silent).toEqual([]);
});
