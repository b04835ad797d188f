/** cloneProgram(): clone3 and execveat out of this process. */
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { kinds, namespaceKinds } from "../../src/ns/kinds.ts";
import { cloneProgram } from "../../src/sys/clone.ts";
import { SyscallError } from "../../src/sys/error.ts";
import type { Fd } from "../../src/sys/fd.ts";
import { AT_FDCWD, CLD, CLONE, MFD, O, SIG } from "../../src/sys/flags.ts";
import { sys } from "../../src/sys/vocabulary.ts";
import { isRoot, projectDir } from "../helpers.ts";

const fds = () => readdirSync("/proc/self/fd").length;
const children = () => childrenOf("self");
const childrenOf = (pid: string | number): string[] => {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "latin1").split(" ").filter(Boolean),
    );
  } catch {
    // A process or a thread ends meanwhile.
    return [];
  }
};

/** A file in memory that the programs inherit. */
function inheritable(name: string): Fd {
  const file = sys.memfdCreate(name, 0);
  sys.setFd(file, 0);
  return file;
}

test("a program ends with its exit code, or by its signal", () => {
  using exits = cloneProgram("/bin/sh", ["sh", "-c", "exit 3"]);
  expect(exits.wait()).toMatchObject({ si_code: CLD.EXITED, si_status: 3 });
  expect(exits.wait()).toMatchObject({ si_code: CLD.EXITED, si_status: 3 });
  using dies = cloneProgram("/bin/sh", ["sh", "-c", "kill -TERM $$"]);
  expect(dies.wait()).toMatchObject({ si_code: CLD.KILLED, si_status: SIG.TERM });
});

test("it gets its arguments and its environment, and nothing is blocked in it", () => {
  using file = inheritable("output");
  const script = `exec >/proc/self/fd/${file.number}; printf '%s|' "$0" "$1" "$A"; grep SigBlk /proc/self/status`;
  using child = cloneProgram("/bin/sh", ["sh", "-c", script, "zero", "two words"], { env: ["A=1 ü", "PATH=/bin"] });
  child.wait();
  const bytes = new Uint8Array(200);
  const text = new TextDecoder().decode(bytes.subarray(0, sys.pread64(file, bytes, 0)));
  expect(text).toBe("zero|two words|1 ü|SigBlk:\t0000000000000000\n");
});

test("without an environment of its own it gets this one", () => {
  using file = inheritable("output");
  using child = cloneProgram("/bin/sh", ["sh", "-c", `printf %s "$PATH" >/proc/self/fd/${file.number}`]);
  child.wait();
  const bytes = new Uint8Array(8192);
  expect(new TextDecoder().decode(bytes.subarray(0, sys.pread64(file, bytes, 0)))).toBe(process.env["PATH"] ?? "");
});

test("an image in a memfd is executed by its descriptor", () => {
  using image = sys.memfdCreate("image", MFD.CLOEXEC);
  writeSync(image.number, readFileSync("/bin/true"));
  using child = cloneProgram(image, ["true"]);
  expect(child.wait()).toMatchObject({ si_code: CLD.EXITED, si_status: 0 });
});

const mayMake = (kind: (typeof namespaceKinds)[number]) => isRoot || kind === "user";
for (const kind of namespaceKinds) {
  // The time namespace is the one for children: it is entered by the execve.
  const skip = mayMake(kind) ? "" : " (skipped: takes root)";
  test.skipIf(skip !== "")(
    `CLONE_NEW* of ${kind} puts it into another ${kind} namespace, and into no other${skip}`,
    () => {
      using file = inheritable("output");
      const script = namespaceKinds.map((name) => `readlink /proc/self/ns/${name}`).join("; ");
      using child = cloneProgram("/bin/sh", ["sh", "-c", `(${script}) >/proc/self/fd/${file.number}`], {
        flags: kinds[kind].flag,
        env: ["PATH=/usr/bin:/bin"],
      });
      child.wait();
      const bytes = new Uint8Array(4096);
      const lines = new TextDecoder().decode(bytes.subarray(0, sys.pread64(file, bytes, 0))).split("\n");
      const differing = namespaceKinds.filter((name, i) => lines[i] !== readlinkSync(`/proc/self/ns/${name}`));
      expect(differing).toEqual([kind]);
    },
  );
}

test("with a new user namespace an ordinary user may make all others", () => {
  const flags = namespaceKinds.reduce((all, kind) => all + kinds[kind].flag, 0);
  using child = cloneProgram("/bin/sh", ["sh", "-c", "test $$ = 1"], { flags });
  expect(child.wait()).toMatchObject({ si_code: CLD.EXITED, si_status: 0 });
});

const unified = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].find((dir) => {
  try {
    readFileSync(join(dir, "cgroup.procs"));
    readFileSync(join(dir, "cgroup.controllers"));
    return isRoot;
  } catch {
    return false;
  }
});
const noGroup = unified === undefined ? " (skipped: takes root and a cgroup v2 tree)" : "";
test.skipIf(noGroup !== "")(`CLONE_INTO_CGROUP starts it in a group${noGroup}`, () => {
  const group = join(unified ?? "", `bunshare-clone-${process.pid}`);
  mkdirSync(group);
  try {
    using dir = sys.openat(AT_FDCWD, group, O.DIRECTORY | O.CLOEXEC);
    using child = cloneProgram("/bin/sleep", ["sleep", "100"], { flags: CLONE.INTO_CGROUP, cgroup: dir });
    expect(readFileSync(join(group, "cgroup.procs"), "latin1")).toBe(`${child.pid}\n`);
  } finally {
    rmdirSync(group);
  }
});

test("a program that cannot be executed is an error of execveat, and nothing is left", () => {
  const [before, others] = [fds(), children()];
  for (const [path, code] of [
    ["/nowhere/program", "ENOENT"],
    ["/etc/passwd", "EACCES"],
    ["/", "EACCES"],
  ] as const) {
    const error = caught(() => cloneProgram(path, ["program"]));
    expect(error).toBeInstanceOf(SyscallError);
    expect(error).toMatchObject({ code, syscall: "execveat", path });
    // What is in the environment may be secret.
    expect((error as Error).message).toContain(" vars */]");
  }
  expect(fds()).toBe(before);
  expect(newSince(others)).toEqual([]);
});

test("a clone that is refused is an error of clone3, and nothing is left", () => {
  const [before, others] = [fds(), children()];
  expect(
    caught(() => cloneProgram("/bin/true", ["true"], { flags: CLONE.INTO_CGROUP, cgroup: 0x7ffffff0 })),
  ).toMatchObject({ code: "EBADF", syscall: "clone3" });
  expect(fds()).toBe(before);
  expect(newSince(others)).toEqual([]);
});

for (const [name, flags] of Object.entries({
  THREAD: CLONE.THREAD,
  SIGHAND: CLONE.SIGHAND,
  SETTLS: CLONE.SETTLS,
  FS: CLONE.FS,
  FILES: CLONE.NEWNET + CLONE.FILES,
  CHILD_SETTID: CLONE.CHILD_SETTID,
  "no integer": 0.5,
  NaN: Number.NaN,
  text: "0" as never,
}))
  test(`flags that cannot be are refused before anything happens: ${name}`, () => {
    expect(() => cloneProgram("/bin/true", ["true"], { flags })).toThrow(TypeError);
  });

test("sys.clone3() is refused: it would copy the engine", () => {
  expect(() => (sys as unknown as { clone3(...args: unknown[]): unknown }).clone3(0, SIG.CHLD)).toThrow(
    "cloneProgram()",
  );
});

test("disposal kills and reaps what still runs", () => {
  const before = fds();
  let pid = 0;
  {
    using child = cloneProgram("/bin/sleep", ["sleep", "100"]);
    pid = child.pid;
  }
  expect(() => readlinkSync(`/proc/${pid}/exe`)).toThrow("ENOENT");
  expect(fds()).toBe(before);
});

/** Under emulation each takes fifty times as long. */
const many = process.env["BUNSHARE_VM"] === undefined ? 1000 : 50;

test(`${many} in a row, with signals at 1 kHz and garbage all the while: each ends as it should, every signal arrives here`, async () => {
  const [before, others] = [fds(), children()];
  let seen = 0;
  const count = () => void seen++;
  process.on("SIGUSR2", count);
  const sender = Bun.spawn(
    ["sh", "-c", `for i in $(seq 300); do kill -USR2 ${process.pid} || exit 1; sleep 0.001; done`],
    { stdout: "ignore" },
  );
  let garbage: unknown[] = [];
  for (let i = 0; i < many; i++) {
    using child = cloneProgram("/bin/true", ["true"], { env: [] });
    expect(child.wait()).toMatchObject({ si_code: CLD.EXITED, si_status: 0 });
    garbage.push(new Uint8Array(1000), { i });
    if (i % 100 === 0) garbage = [];
    if (i % 50 === 0) await Bun.sleep(0);
  }
  expect(await sender.exited).toBe(0);
  await Bun.sleep(20);
  process.off("SIGUSR2", count);
  expect(seen).toBeGreaterThan(0);
  expect(fds()).toBeLessThanOrEqual(before + 1);
  expect(newSince(others)).toEqual([]);
}, 60_000);

const strace = process.env["BUNSHARE_VM"] === undefined ? Bun.which("strace") : null;
const noStrace = strace === null ? " (skipped: no strace, or too slow a machine for it)" : "";

test.skipIf(strace === null)(
  `a signal that comes before the execve ends the child, and runs no handler of the engine's${noStrace}`,
  async () => {
    const script = `
    import { cloneProgram } from ${JSON.stringify(join(projectDir, "src/sys/mod.ts"))};
    let seen = 0;
    process.on("SIGUSR2", () => void seen++);
    await Bun.sleep(10);
    const child = cloneProgram("/bin/true", ["true"]);
    const { si_status } = child.wait();
    await Bun.sleep(50);
    console.log(si_status, seen);
    process.exit(0);`;
    // The child is held up where it takes its mask back, which is the last call before its execve.
    const slow = ["-e", "trace=rt_sigprocmask", "-e", "inject=rt_sigprocmask:delay_enter=300000"];
    const traced = Bun.spawn([strace ?? "", "-f", "-o", "/dev/null", ...slow, process.execPath, "-e", script], {
      stdout: "pipe",
      stderr: "ignore",
    });
    const timer = setInterval(() => {
      for (const engine of childrenOf(traced.pid))
        for (const child of childrenOf(engine)) process.kill(Number(child), "SIGUSR2");
    }, 5);
    const output = await traced.stdout.text();
    clearInterval(timer);
    expect(output).toBe(`${SIG.USR2} 0\n`);
  },
  60_000,
);

test.skipIf(strace === null)(
  `strace sees clone3 and execveat with the arguments that were asked for, and no fork${noStrace}`,
  async () => {
    const script = `
    import { cloneProgram, CLONE } from ${JSON.stringify(join(projectDir, "src/sys/mod.ts"))};
    using child = cloneProgram("/bin/true", ["true", "x"], { flags: CLONE.NEWUSER + CLONE.NEWUTS, env: ["A=1"] });
    process.exitCode = child.wait().si_status;`;
    const traced = Bun.spawn(
      [strace ?? "", "-f", "-v", "-e", "trace=clone3,execveat", process.execPath, "-e", script],
      {
        stdout: "ignore",
        stderr: "pipe",
      },
    );
    const log = await traced.stderr.text();
    expect(await traced.exited).toBe(0);
    expect(log).toMatch(
      /clone3\(\{flags=CLONE_VM\|CLONE_PIDFD\|CLONE_VFORK\|CLONE_NEWUTS\|CLONE_NEWUSER\|CLONE_CLEAR_SIGHAND, pidfd=0x[0-9a-f]+, exit_signal=SIGCHLD, stack=NULL, stack_size=0\}/,
    );
    expect(log).toMatch(/execveat\(AT_FDCWD, "\/bin\/true", \["true", "x"\], \["A=1"\], 0(\) = 0| <unfinished)/);
  },
);

/** Children that were not there then: those of other tests may be there, and end meanwhile. */
const newSince = (others: readonly string[]): string[] => children().filter((pid) => !others.includes(pid));

function caught(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
