import { describe, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { launch, OptionsError, spawnIsolated, spawnIsolatedSync, type SpawnOptions, SyscallError } from "../../mod.ts";
import { plan } from "../../src/spawn/plan.ts";
import { againAsUser, belongings, expectUnchanged, makeRoot, projectDir, scratchDir, who } from "./kernel.ts";

const dir = scratchDir();
const root = makeRoot(join(dir, "root"), ["sh", "cat", "head", "true"]);
const env = { PATH: "/bin" };
const small: SpawnOptions = { root, env };
const shell = (script: string): string[] => ["/bin/sh", "-c", script];
let files = 0;
const newFile = (text = ""): string => {
  const path = join(dir, `file-${++files}`);
  writeFileSync(path, text);
  return path;
};

describe(`as ${who}`, () => {
  const streams = ["stdout", "stderr"] as const;
  for (const [i, stream] of streams.entries()) {
    const write = shell(`echo text >&${i + 1}`);
    test(`${stream}: "pipe" is a stream`, async () => {
      await using box = await spawnIsolated(write, { ...small, [stream]: "pipe" });
      expect(await box[stream].text()).toBe("text\n");
    });
    test(`${stream}: "ignore" and null are nowhere`, async () => {
      for (const kind of ["ignore", null] as const) {
        await using box = await spawnIsolated(shell(`ls -l /proc/$$/fd/${i + 1} >&2; echo text >&${i + 1}`), {
          ...small,
          stderr: "ignore",
          [stream]: kind,
        });
        expect(box[stream]).toBeUndefined();
        expect(await box.exited).toBe(0);
      }
    });
    test(`${stream}: a descriptor and Bun.file() are written to`, async () => {
      const [first, second] = [newFile(), newFile()];
      const fd = openSync(first, "w");
      {
        await using box = await spawnIsolated(write, { ...small, [stream]: fd });
        expect(await box.exited).toBe(0);
      }
      closeSync(fd);
      await using box = await spawnIsolated(write, { ...small, [stream]: Bun.file(second) });
      expect(await box.exited).toBe(0);
      expect([first, second].map((path) => readFileSync(path, "utf8"))).toEqual(["text\n", "text\n"]);
    });
    test(`${stream}: "inherit" is the caller's`, () => {
      const script = `
        const { spawnIsolated } = await import(${JSON.stringify(join(projectDir, "mod.ts"))});
        const box = await spawnIsolated(${JSON.stringify(write)}, { ${stream}: "inherit", root: ${JSON.stringify(root)} });
        await box.exited;`;
      const child = Bun.spawnSync([process.execPath, "-e", script]);
      expect({ out: child.stdout.toString(), err: child.stderr.toString() }).toEqual({
        out: stream === "stdout" ? "text\n" : "",
        err: stream === "stderr" ? "text\n" : "",
      });
    });
    test(`${stream} can be opened by name`, async () => {
      await using box = await spawnIsolated(shell(`echo named > /dev/${stream}`), { ...small, [stream]: "pipe" });
      expect(await box[stream].text()).toBe("named\n");
    });
  }

  const inputs: [name: string, stdin: SpawnOptions["stdin"], reads: string][] = [
    ["nothing by default", undefined, ""],
    ['"ignore"', "ignore", ""],
    ["bytes", new TextEncoder().encode("bytes"), "bytes"],
    ["a Blob", new Blob(["blob"]), "blob"],
    ["Bun.file()", Bun.file(newFile("file")), "file"],
    ["a Response", new Response("response"), "response"],
  ];
  for (const [name, stdin, reads] of inputs)
    test(`stdin: ${name}`, async () => {
      await using box = await spawnIsolated(["/bin/cat"], { ...small, stdin });
      expect(await box.stdout.text()).toBe(reads);
    });
  test("stdin: a descriptor", async () => {
    const fd = openSync(newFile("by descriptor"), "r");
    await using box = await spawnIsolated(["/bin/cat"], { ...small, stdin: fd });
    expect(await box.stdout.text()).toBe("by descriptor");
    closeSync(fd);
  });
  test('stdin: "pipe" is a writer, and the program sees its end', async () => {
    await using box = await spawnIsolated(["/bin/cat"], { ...small, stdin: "pipe" });
    for (const text of ["one ", "two ", "three"]) {
      box.stdin?.write(text);
      await box.stdin?.flush();
    }
    await box.stdin?.end();
    expect(await box.stdout.text()).toBe("one two three");
  });
  test("stdin: 10 MB come back", async () => {
    await using box = await spawnIsolated(["/bin/cat"], { ...small, stdin: "pipe" });
    const bytes = new Uint8Array(10_000_000).map((_, i) => i % 251);
    const wrote = (async () => {
      await box.stdin?.write(bytes);
      await box.stdin?.end();
    })();
    expect(Bun.hash(await box.stdout.bytes())).toBe(Bun.hash(bytes));
    await wrote;
  });

  test("stdout: 100 MB pass through", async () => {
    await using box = await spawnIsolated(["/bin/head", "-c", "100000000", "/dev/zero"], small);
    let bytes = 0;
    for await (const chunk of box.stdout) bytes += chunk.length;
    expect(bytes).toBe(100_000_000);
    expect(await box.exited).toBe(0);
  }, 30_000);

  test("both outputs can be read at once", async () => {
    await using box = await spawnIsolated(shell("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2"), {
      ...small,
      stderr: "pipe",
    });
    const [out, err] = await Promise.all([box.stdout.bytes(), box.stderr.bytes()]);
    expect([out.length, err.length]).toEqual([300_000, 300_000]);
  });

  test("a program that writes to a closed pipe ends by SIGPIPE, or as PID 1 by its own decision", async () => {
    for (const init of [true, false]) {
      await using box = await spawnIsolated(["/bin/cat", "/dev/zero"], { ...small, stderr: "ignore", init });
      await box.stdout.cancel();
      await box.exited;
      // The kernel drops what a PID 1 does not handle, and cat then sees EPIPE.
      expect([box.signalCode, box.exitCode]).toEqual(init ? ["SIGPIPE", null] : [null, 1]);
    }
  });

  test("pipes that nobody reads leak nothing", async () => {
    const boxPlan = plan(shell("echo text; echo text >&2"), small);
    const before = belongings();
    for (let i = 0; i < 20; i++) {
      await using box = await launch(boxPlan, { stdin: "pipe", stderr: "pipe" });
      await box.exited;
    }
    await expectUnchanged(before);
  });

  test("maxBuffer ends what writes more", async () => {
    await using box = await spawnIsolated(["/bin/cat", "/dev/zero"], { ...small, maxBuffer: 100_000 });
    const bytes = await box.stdout.bytes();
    expect(bytes.length).toBeGreaterThanOrEqual(100_000);
    expect(await box.exited).toBe(143);
    expect(box.signalCode).toBe("SIGTERM");
  });

  test("onExit is called with the end", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown[]>();
    await using box = await spawnIsolated(shell("exit 3"), { ...small, onExit: (...args) => resolve(args) });
    expect(await promise).toEqual([box, 3, null]);
    expect(box.exitCode).toBe(3);
    expect(box.resourceUsage()?.maxRSS).toBeGreaterThan(0);
  });

  describe("a terminal", () => {
    /** A box in a terminal, and what it has written so far. */
    async function inTerminal(command: string[], options: SpawnOptions = {}) {
      const screen = { text: "" };
      const decoder = new TextDecoder();
      const box = await spawnIsolated(command, {
        ...options,
        terminal: { cols: 100, rows: 30, data: (_, bytes) => void (screen.text += decoder.decode(bytes)) },
      });
      const shows = async (text: string): Promise<void> => {
        const end = performance.now() + 5000;
        while (!screen.text.includes(text)) {
          if (performance.now() > end)
            throw new Error(`the terminal shows ${JSON.stringify(screen.text)}, not ${text}`);
          await Bun.sleep(5);
        }
      };
      return { box, screen, shows };
    }

    test("has the size that was asked for, and is one", async () => {
      const { box, screen, shows } = await inTerminal([
        "sh",
        "-c",
        "stty size; test -t 0 && test -t 1 && test -t 2 && echo yes; echo end",
      ]);
      await shows("end");
      expect(await box.exited).toBe(0);
      expect(screen.text).toBe("30 100\r\nyes\r\nend\r\n");
    });
    test("is the controlling one of the box: Ctrl-C interrupts the program", async () => {
      const { box, shows } = await inTerminal([
        "sh",
        "-c",
        "trap 'echo interrupted; exit 9' INT; echo up; while :; do sleep 0.05; done",
      ]);
      await shows("up");
      box.terminal?.write("\x03");
      await shows("interrupted");
      expect(await box.exited).toBe(9);
    });
    test("may be one that is there already", async () => {
      let text = "";
      const terminal = new Bun.Terminal({
        cols: 70,
        rows: 20,
        data: (_, bytes) => void (text += new TextDecoder().decode(bytes)),
      });
      const script = "stty size; trap 'exit 9' INT; echo up; while :; do sleep 0.05; done";
      const box = await spawnIsolated(["sh", "-c", script], { terminal });
      const deadline = performance.now() + 5000;
      while (!text.includes("up\r\n") && performance.now() < deadline) await Bun.sleep(5);
      terminal.write("\x03");
      expect(await box.exited).toBe(9);
      expect(text).toStartWith("20 70\r\nup\r\n");
      terminal.close();
    });
    test("takes input and resizes", async () => {
      const { box, shows } = await inTerminal([
        "sh",
        "-c",
        "trap 'stty size; exit 0' WINCH; read line; echo got $line; while :; do sleep 0.05; done",
      ]);
      box.terminal?.write("hello\n");
      await shows("got hello");
      box.terminal?.resize(80, 24);
      await shows("24 80");
      expect(await box.exited).toBe(0);
    });
    test("its hang-up ends a box with an init", async () => {
      const before = belongings().processes;
      const { box, shows } = await inTerminal(["sh", "-c", "echo up; sleep 60"], { init: true });
      await shows("up");
      box.terminal?.close();
      await box.exited;
      expect(belongings().processes).toEqual(before);
    });
  });

  describe("spawnIsolatedSync()", () => {
    test("returns what Bun.spawnSync() returns, and the status", () => {
      const result = spawnIsolatedSync(shell("echo out; echo err >&2; exit 3"), small);
      expect(result).toMatchObject({ exitCode: 3, signalCode: null, success: false, exitedDueToTimeout: false });
      expect([result.stdout?.toString(), result.stderr?.toString()]).toEqual(["out\n", "err\n"]);
      expect(result.status.durationMs).toBeGreaterThan(0);
      expect(result.status.leftBehind).toBeUndefined();
    });
    test("takes input, and says what signal ended the program", () => {
      const stdin = new TextEncoder().encode("input");
      expect(spawnIsolatedSync(["/bin/cat"], { ...small, stdin }).stdout?.toString()).toBe("input");
      const killed = spawnIsolatedSync(shell("kill -KILL $$"), { ...small, init: true });
      expect(killed).toMatchObject({ exitCode: null, signalCode: "SIGKILL", success: false });
    });
    test("ends at its timeout", () => {
      const result = spawnIsolatedSync(["sleep", "60"], { timeout: 2000 });
      expect(result).toMatchObject({ signalCode: "SIGTERM", exitedDueToTimeout: true });
    });
    test("throws what spawnIsolated() rejects with", () => {
      expect(() => spawnIsolatedSync(["/nonexistent"], small)).toThrow(SyscallError);
      expect(() => spawnIsolatedSync(["/bin/true"], { terminal: {} })).toThrow(OptionsError);
    });
    test("leaks nothing", async () => {
      spawnIsolatedSync(["/bin/true"], small);
      Bun.gc(true);
      const before = belongings();
      for (let i = 0; i < 20; i++) spawnIsolatedSync(["/bin/true"], small);
      Bun.gc(true);
      await expectUnchanged(before);
    });
  });
});

againAsUser(import.meta.path);
