/** `bunshare run` as its users see it: output, exit code, what is left. */
import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { OptionsError, plan } from "../../mod.ts";
import { UsageError } from "../../scripts/commands/command.ts";
import { exitCodeOf, failureText } from "../../scripts/commands/failure.ts";
import { parseBox } from "../../scripts/commands/options.ts";
import { SignalForwarder } from "../../scripts/commands/signals.ts";
import { namespaceKinds } from "../../src/ns/kinds.ts";
import {
  bunshare,
  bunshareCommand,
  callers,
  root,
  type RunOptions,
  start,
  testAs,
  unprivilegedId,
} from "../helpers.ts";

/** Open to every user, removed at the end. */
const scratch = mkdtempSync(join(tmpdir(), "bunshare-run-"));
chmodSync(scratch, 0o777);
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A PATH without directories that only some may search. */
const env = { PATH: "/usr/local/bin:/usr/bin:/bin" };
const run = (args: string[], options: RunOptions = {}) => bunshare(["run", ...args], { env, ...options });
const lastJson = (text: string) => JSON.parse(text.trim().split("\n").at(-1) ?? "");

const codes: [fact: string, args: string[], code: number, stderr?: RegExp][] = [
  ["0, as the program", ["--", "true"], 0],
  ["3, as the program", ["--", "sh", "-c", "exit 3"], 3],
  ["126 that the program chose", ["--", "sh", "-c", "exit 126"], 126],
  ["128 + 9 when SIGKILL ended the program", ["--init", "--", "sh", "-c", "kill -9 $$"], 137],
  ["128 + 15 when SIGTERM ended the program", ["--init", "--", "sh", "-c", "kill -15 $$"], 143],
  ["128 + 15 when the time is up", ["--timeout", "0.2", "--", "sleep", "60"], 143],
  ["128 + 9 when the time is up", ["--timeout=200ms", "--kill-signal=kill", "--", "sleep", "60"], 137],
  [
    "127 without such a program",
    ["--", "no-such-program"],
    127,
    /^bunshare: step \d+: run .*no-such-program: ENOENT .*\n {2}\w/,
  ],
  ["126 for a program without x", ["--", "/etc/passwd"], 126, /^bunshare: step \d+: run \/etc\/passwd: EACCES /],
  ["126 for a directory", ["--", "/etc"], 126, /run \/etc: EACCES/],
  ["125 for a step that failed", ["--cwd", "/nowhere", "true"], 125, /^bunshare: step \d+: go to \/nowhere: ENOENT /],
  [
    "125 for options that make no sense",
    ["--unshare=user", "--hostname=x", "true"],
    125,
    /^bunshare: --hostname: .*uts/,
  ],
];

const outputs: [fact: string, args: string[], stdout: string | RegExp][] = [
  ["the command may stand without --", ["echo", "--hostname", "-x"], "--hostname -x\n"],
  ["words of the command are its own", ["--hostname", "a", "--", "--", "x"], ""],
  ["--hostname sets the host name", ["--hostname=inside", "--", "hostname"], "inside\n"],
  [
    "--env adds to the environment",
    ["--env=A=1=2", "--env", "B=", "sh", "-c", 'echo "$A $B $PATH"'],
    `1=2  ${env.PATH}\n`,
  ],
  ["--clear-env leaves what --env gives", ["--clear-env", "--env=A=1", "--", "env"], "A=1\n"],
  ["--cwd and --umask hold", ["--cwd=/usr", "--umask=027", "--", "sh", "-c", "pwd; umask"], "/usr\n0027\n"],
  ["--rlimit sets both halves", ["--rlimit=nofile=99", "sh", "-c", "ulimit -Sn; ulimit -Hn"], "99\n99\n"],
  ["--rlimit sets each half", ["--rlimit=nofile=99:100", "sh", "-c", "ulimit -Sn; ulimit -Hn"], "99\n100\n"],
  ["--uid and --gid are the ids inside", ["--uid=7", "--gid=8", "--", "sh", "-c", "id -u; id -g"], "7\n8\n"],
  ["--time-offset moves a clock", ["--time-offset=boottime=1000000000", "--", "cat", "/proc/uptime"], /^10\d{8}\./],
  ["--tmpfs mounts one", ["--tmpfs=/cache:1M", "sh", "-c", "df -k /cache | tail -1"], /^tmpfs +1024 /],
  ["--init is PID 1", ["--init", "--", "sh", "-c", "echo $$"], /^(?!1\n)\d+\n$/],
  [
    "--unshare makes no other kinds",
    ["--unshare=user,uts", "sh", "-c", "readlink /proc/self/ns/net"],
    `${readlinkSync("/proc/self/ns/net")}\n`,
  ],
];

for (const caller of callers) {
  testAs(caller, "a box has root's id, a host name, ten namespaces and PID 1", async (uid) => {
    const ended = await run(["--", "sh", "-c", "id -u; hostname; ls /proc/self/ns | wc -l; echo $$"], { uid });
    expect(ended).toEqual({ code: 0, stdout: `0\n${hostname()}\n10\n1\n`, stderr: "" });
  });

  testAs(caller, "all eight namespaces differ from those outside", async (uid) => {
    const links = namespaceKinds.map((kind) => `/proc/self/ns/${kind}`);
    const { stdout } = await run(["readlink", ...links], { uid });
    const inside = stdout.trim().split("\n");
    expect(inside).toHaveLength(8);
    links.forEach((link, i) => expect(inside[i]).not.toBe(readlinkSync(link)));
  });

  testAs(caller, "a file written to the host's /etc is not there outside", async (uid) => {
    const { code, stdout } = await run(["--", "sh", "-c", "echo x > /etc/canary && cat /etc/canary"], { uid });
    expect({ code, stdout }).toEqual({ code: 0, stdout: "x\n" });
    expect(existsSync("/etc/canary")).toBe(false);
  });

  for (const [fact, args, code, stderr] of codes)
    testAs(caller, `run ends with ${fact}`, async (uid) => {
      const ended = await run(args, { uid });
      expect(ended.code).toBe(code);
      expect(ended.stderr).toMatch(stderr ?? /^$/);
    });

  for (const [fact, args, stdout] of outputs)
    testAs(caller, fact, async (uid) => {
      const ended = await run(args, { uid });
      if (typeof stdout === "string") expect(ended.stdout).toBe(stdout);
      else expect(ended.stdout).toMatch(stdout);
    });

  testAs(caller, "standard input is the program's", async (uid) => {
    expect((await run(["--", "cat"], { uid, input: "given" })).stdout).toBe("given");
  });

  testAs(caller, "--root takes a directory, read-only or --writable, and --bind shows more", async (uid) => {
    const dir = makeRoot(uid);
    const script = "echo x > /new 2>/dev/null && echo written; touch /usr/x 2>/dev/null || echo read-only";
    const args = [`--root=${dir}`, "--bind=/usr:/usr:ro"];
    expect((await run([...args, "sh", "-c", script], { uid })).stdout).toBe("read-only\n");
    expect((await run([...args, "--writable", "sh", "-c", script], { uid })).stdout).toBe("written\nread-only\n");
    expect(readFileSync(join(dir, "new"), "utf8")).toBe("x\n");
  });

  testAs(caller, "--layer stacks directories, --upper keeps what is written", async (uid) => {
    const [low, high, upper] = [makeRoot(uid), makeDirectory(uid), makeDirectory(uid)];
    writeFileSync(join(low, "which"), "low");
    writeFileSync(join(high, "which"), "high");
    const args = [`--layer=${low}`, `--layer=${high}`, "--bind=/usr:/usr:ro"];
    const command = ["sh", "-c", "cat /which; echo x > /new"];
    const ended = await run([...args, ...command], { uid });
    expect(ended).toEqual({ code: 0, stdout: "high", stderr: "" });
    expect(existsSync(join(high, "new"))).toBe(false);
    expect((await run([...args, `--upper=${upper}`, ...command], { uid })).stdout).toBe("high");
    expect(readFileSync(join(upper, "new"), "utf8")).toBe("x\n");
  });

  testAs(caller, "--json tells the end in one line", async (uid) => {
    const { code, stderr } = await run(["--json", "--", "sh", "-c", "exit 3"], { uid });
    expect(code).toBe(3);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    const status = lastJson(stderr);
    expect(status).toMatchObject({ command: ["sh", "-c", "exit 3"], exitCode: 3, signalCode: null, oomKilled: false });
    expect(status.durationMs).toBeGreaterThan(0);
    expect(status).not.toHaveProperty("timeline");
  });

  testAs(caller, "--json tells the signal, and with --timeline the steps", async (uid) => {
    const { stderr } = await run(["--json", "--timeline", "--init", "--", "sh", "-c", "kill -9 $$"], { uid });
    const status = lastJson(stderr);
    expect(status).toMatchObject({ exitCode: null, signalCode: "SIGKILL" });
    expect(status.timeline.length).toBeGreaterThan(50);
    expect(status.timeline[0]).toMatchObject({ section: "host", startUs: 0 });
  });

  testAs(caller, "--json tells a failed set-up after the sentence about it", async (uid) => {
    const { stderr } = await run(["--json", "--cwd=/nowhere", "true"], { uid });
    const lines = stderr.trim().split("\n");
    expect(lines[0]).toStartWith("bunshare: step ");
    expect(JSON.parse(lines.at(-1) ?? "")).toEqual({
      error: {
        name: "SyscallError",
        message: lines[0]?.replace("bunshare: ", ""),
        code: "ENOENT",
        syscall: "chdir",
        call: 'chdir("/nowhere")',
        step: { index: expect.any(Number), label: "go to /nowhere", section: "box" },
      },
    });
  });

  testAs(caller, "an error in --json shows no environment", async (uid) => {
    const { stderr } = await run(["--json", "--env=SECRET=hidden", "/nowhere"], { uid });
    expect(lastJson(stderr).error.call).toMatch(/^execve\("\/nowhere", \["\/nowhere"\], \[\/\* \d+ vars \*\/\]\)$/);
    expect(stderr).not.toContain("hidden");
  });

  testAs(caller, "--timeline is a table of the steps and their times", async (uid) => {
    const { stderr } = await run(["--timeline", "--", "true"], { uid });
    const [head, ...lines] = stderr.trim().split("\n");
    expect(head).toMatch(/^step +at +took +section +what$/);
    expect(
      lines.some((line) => /^ *\d+ +[\d.]+ [um]s +[\d.]+ [um]s +host +clone the box with new user, /.test(line)),
    ).toBe(true);
  });

  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
    ["SIGQUIT", 131],
  ] as const)
    testAs(caller, `${signal} ends the program, and the command after it, with nothing left`, async (uid) => {
      const mark = `60.${process.pid}${code}${uid ?? 0}`;
      const child = start(bunshareCommand(["run", "--", "sleep", mark]), { uid, env });
      await until(() => programsWith(mark).includes("sleep"));
      child.kill(signal);
      expect(await child.exited).toBe(code);
      expect(programsWith(mark)).toEqual([]);
    });

  testAs(caller, "a signal at any moment of the set-up ends the program, with nothing left", async (uid) => {
    const mark = `62.${process.pid}${uid ?? 0}`;
    for (let ms = 5; ms < 200; ms += 15) {
      const child = start(bunshareCommand(["run", "--", "sleep", mark]), { uid, env });
      await Bun.sleep(ms);
      child.kill("SIGTERM");
      expect(await child.exited).toBe(143);
      expect(await child.stderr.text()).toBe("");
    }
    expect(programsWith(mark)).toEqual([]);
  });

  testAs(caller, "a program may handle SIGINT, and a second one at once kills the box", async (uid) => {
    const handle = "trap 'echo caught; exit 7' INT; echo ready; while :; do sleep 0.02; done";
    const once = start(bunshareCommand(["run", "--", "sh", "-c", handle]), { uid, env });
    const output = once.stdout.getReader();
    await output.read();
    once.kill("SIGINT");
    expect(await once.exited).toBe(7);

    const ignore = "trap '' INT; echo ready; while :; do sleep 0.02; done";
    const twice = start(bunshareCommand(["run", "--", "sh", "-c", ignore]), { uid, env });
    await twice.stdout.getReader().read();
    twice.kill("SIGINT");
    await Bun.sleep(100);
    expect(twice.exitCode).toBeNull();
    twice.kill("SIGINT");
    expect(await twice.exited).toBe(137);
  });

  testAs(caller, "kill -9 leaves no process of the box", async (uid) => {
    const mark = `61.${process.pid}${uid ?? 0}`;
    const child = start(bunshareCommand(["run", "--", "sleep", mark]), { uid, env });
    await until(() => programsWith(mark).includes("sleep"));
    child.kill("SIGKILL");
    await until(() => programsWith(mark).length === 0);
  });

  testAs(caller, "Ctrl-C on a terminal reaches the program once", async (uid) => {
    const script = "trap 'echo caught' INT; echo ready; for i in 1 2 3 4 5 6 7 8; do sleep 0.05; done; exit 5";
    const { code, text } = await inTerminal(bunshareCommand(["run", "--", "sh", "-c", script]), uid, "\x03");
    expect(text.match(/caught/g)).toHaveLength(1);
    expect(code).toBe(5);
  });

  testAs(caller, "--tty gives a terminal of the same size, hands keys on, and restores the caller's", async (uid) => {
    const script = 'stty size; echo ready; read -r line; echo "<$line>"';
    const shell = ["sh", "-c", 'stty -a | md5sum; "$@"; stty -a | md5sum', "sh"];
    const command = [...shell, ...bunshareCommand(["run", "--tty", "--", "sh", "-c", script])];
    const { text } = await inTerminal(command, uid, "typed\r");
    const lines = text.split("\r\n");
    expect(lines.slice(1, -2)).toEqual(["22 77", "ready", "typed", "<typed>"]);
    expect(lines[0]).toBe(lines.at(-2) as string);
  });

  testAs(caller, "--tty without a terminal has 80 columns, and ends with its input", async (uid) => {
    const { stdout } = await run(["--tty", "--", "sh", "-c", "stty -echo size; cat; echo end"], {
      uid,
      input: "given\n",
    });
    expect(stdout).toContain("given\r\n");
    // The terminal echoes what comes before the stty.
    expect(stdout.split("\r\n").filter((line) => line !== "given")).toEqual(["24 80", "end", ""]);
  });
}

testAs(root, "pids.max=2 makes a fork fail, and --json counts it", async () => {
  const script = "(sleep 1 & sleep 1 & sleep 1 & wait)";
  const { stderr } = await run(["--cgroup", "pids.max=2", "--json", "--", "sh", "-c", script]);
  expect(stderr).toContain("fork");
  const { cgroup } = lastJson(stderr);
  expect(cgroup["pids.events"].max).toBeGreaterThan(0);
  for (const directory of cgroup.directories) expect(existsSync(directory)).toBe(false);
});

testAs(root, "memory.max=50M kills what takes more, and --json says oomKilled", async () => {
  const script = "head -c 200M /dev/zero | tail";
  const { code, stderr } = await run(["--cgroup", "memory.max=50M", "--json", "--", "sh", "-c", script]);
  expect(code).toBe(137);
  expect(lastJson(stderr)).toMatchObject({ oomKilled: true, exitCode: 137 });
});

testAs(root, "--map-uid and --map-gid give ranges of ids", async () => {
  const maps = ["--map-uid=0:100000:1000", "--map-gid=0:100000:1000", "--uid=5", "--gid=6", "--groups=7,8"];
  expect((await run([...maps, "--", "sh", "-c", "id -u; id -G; cat /proc/self/uid_map"])).stdout).toMatch(
    /^5\n6 7 8\n +0 +100000 +1000\n$/,
  );
});

testAs(root, "--join enters a namespace by its path", async () => {
  const args = ["--unshare=none", `--join=uts=/proc/${process.pid}/ns/uts`, "readlink", "/proc/self/ns/uts"];
  expect((await run(args)).stdout).toBe(`${readlinkSync("/proc/self/ns/uts")}\n`);
});

test("two signals during the set-up end that", () => {
  using signals = new SignalForwarder();
  process.emit("SIGWINCH");
  process.emit("SIGINT");
  expect(signals.setUp.aborted).toBe(false);
  process.emit("SIGINT");
  expect(signals.setUp.reason).toMatchObject({ name: "Interrupted", exitCode: 130 });
});

const misuses: [args: string[], sentence: string | RegExp][] = [
  [[], "a command is missing: -- CMD ARGS..."],
  [["--"], "a command is missing: -- CMD ARGS..."],
  [["--hostnam=x", "true"], "unknown option --hostnam, did you mean --hostname?"],
  [["--timeot", "3", "true"], "unknown option --timeot, did you mean --timeout?"],
  [["-x", "true"], "unknown option -x"],
  [["--frobnicate", "true"], "unknown option --frobnicate"],
  [["--hostname"], "--hostname takes a value: NAME"],
  [["--hostname", "--init", "true"], "--hostname takes a value: NAME"],
  [["--hostname=a", "--hostname=b", "true"], "--hostname is there twice"],
  [["--init=yes", "true"], "--init takes no value"],
  ...["NaN", "-1", "0x10", "1e3", "1.5", "", " 1", "99999999999999999999"].map((id): [string[], RegExp] => [
    [`--uid=${id}`, "true"],
    /^--uid: expected an id \(a whole number\), got "/,
  ]),
  [["--groups=1,,2", "true"], /^--groups: expected an id/],
  [["--map-uid=0:0", "true"], '--map-uid: expected INSIDE:OUTSIDE:COUNT, got "0:0"'],
  [["--map-uid=0:0:1", "true"], "--map-uid and --map-gid go together"],
  [["--map-root", "--map-self", "true"], /^--map-self: .* exclude each other$/],
  [["--join=net", "true"], '--join: expected KIND=PATH, got "net"'],
  [["--cgroup=memory.max", "true"], '--cgroup: expected FILE=VALUE, got "memory.max"'],
  [["--cgroup=pids.max=1", "--cgroup=pids.max=2", "true"], "--cgroup: pids.max is there twice"],
  [["--env==x", "true"], '--env: expected NAME=VALUE, got "=x"'],
  [["--bind=/a", "true"], '--bind: expected SRC:DST or SRC:DST:ro, got "/a"'],
  [["--bind=/a:/b:rx", "true"], /^--bind: expected/],
  [["--tmpfs=:1M", "true"], /^--tmpfs: expected/],
  [["--rlimit=nofile=1:2:3", "true"], /^--rlimit: expected/],
  [["--rlimit=nofile=-1", "true"], /^--rlimit: expected a limit/],
  [["--umask=8", "true"], '--umask: expected an octal mask such as 022, got "8"'],
  [["--timeout=0", "true"], /^--timeout: expected a time of at least 1ms/],
  [["--timeout=5x", "true"], /^--timeout: expected a time/],
  [["--timeout=Infinity", "true"], /^--timeout: expected a time/],
  [["--kill-signal=FOO", "true"], /^--kill-signal: expected a signal/],
  [["--time-offset=monotonic=1h", "true"], /^--time-offset: expected seconds/],
  [["--upper=/tmp", "true"], "--upper takes at least one --layer"],
  [["--root=/", "--layer=/", "true"], "--root and --layer exclude each other"],
  [["--writable", "true"], /^--writable takes --root DIR/],
];

test.each(misuses)("run %j is a UsageError with a sentence", (args, sentence) => {
  const error = failureOf(() => parseBox(args));
  expect(error).toBeInstanceOf(UsageError);
  if (typeof sentence === "string") expect(error.message).toBe(sentence);
  else expect(error.message).toMatch(sentence);
});

test("a UsageError ends the command with 2, and says where the help is", async () => {
  expect(await run(["--hostnam=x", "true"])).toEqual({
    code: 2,
    stdout: "",
    stderr: "bunshare: unknown option --hostnam, did you mean --hostname?\nSee `bunshare run --help`\n",
  });
});

const nonsense: [args: string[], sentence: RegExp][] = [
  [["--unshare=nett", "true"], /^bunshare: --unshare: .*did you mean "net"\?/],
  [["--unshare=uts,uts", "true"], /^bunshare: --unshare: .*twice/],
  [["--unshare=none", "--root=/", "true"], /^bunshare: --root: .*mnt namespace/],
  [["--root=/nowhere", "true"], /^bunshare: --root: .*no such directory/],
  [["--layer=/nowhere", "true"], /^bunshare: --layer: .*no such directory/],
  [["--bind=/nowhere:/x", "true"], /^bunshare: --bind: .*no such file/],
  [["--uid=4294967295", "true"], /^bunshare: --uid: .*expected an id/],
  [["--rlimit=nofil=1", "true"], /^bunshare: --rlimit: .*did you mean nofile\?/],
  [["--rlimit=nofile=2:1", "true"], /^bunshare: --rlimit: .*above the hard one/],
  [["--time-offset=real=1", "true"], /^bunshare: --time-offset: .*unknown name/],
  [["--cgroup=memory.maxx=1", "true"], /^bunshare: --cgroup: .*memory\.maxx/],
  [["--cgroup=memory.max=lots", "true"], /^bunshare: --cgroup: .*memory\.max/],
  [["--deadline=2h", "true"], /^bunshare: --deadline: .*expected milliseconds/],
];

test.each(nonsense)("run %j is an OptionsError, and the message names the option", (args, sentence) => {
  const { command, options, given } = parseBox(args);
  const error = failureOf(() => plan(command, options));
  expect(error).toBeInstanceOf(OptionsError);
  expect(exitCodeOf(error)).toBe(125);
  expect(Bun.stripANSI(failureText(error, given))).toMatch(sentence);
});

test("run --help lists every option and the exit codes", async () => {
  const { code, stdout, stderr } = await run(["--help"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  for (const word of ["--unshare LIST|all|none", "--time-offset CLOCK=SECONDS", "--tty", "125", "127", "Examples:"])
    expect(stdout).toContain(word);
  expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(104);
});

test("the command line has a version, a help for each command, and a guess for a wrong one", async () => {
  const { version } = JSON.parse(readFileSync(join(import.meta.dir, "../../package.json"), "utf8"));
  expect((await bunshare(["--version"])).stdout).toBe(`${version}\n`);
  const help = await bunshare(["--help"]);
  expect(help.code).toBe(0);
  for (const name of ["run", "explain", "doctor"]) {
    expect(help.stdout).toContain(`\n  ${name} `);
    const own = await bunshare([name, "--help"]);
    expect(own.code).toBe(0);
    expect((await bunshare(["help", name])).stdout).toBe(own.stdout);
  }
  expect(await bunshare([])).toEqual({ code: 2, stdout: "", stderr: help.stdout });
  expect(await bunshare(["explan"])).toMatchObject({
    code: 2,
    stderr: 'bunshare: unknown command "explan", did you mean explain?\nSee `bunshare --help`\n',
  });
});

/** A directory that can be a root with /usr bound into it, made for a user. */
function makeRoot(uid: number | undefined): string {
  const dir = makeDirectory(uid);
  for (const name of ["usr", "proc", "dev", "sys", "tmp", "run"]) mkdirSync(join(dir, name));
  for (const name of ["bin", "sbin", "lib", "lib64"])
    if (existsSync(`/${name}`)) symlinkSync(`usr/${name}`, join(dir, name));
  return dir;
}

function makeDirectory(uid: number | undefined): string {
  const dir = mkdtempSync(join(scratch, "dir-"));
  chmodSync(dir, uid === unprivilegedId ? 0o777 : 0o755);
  return dir;
}

function failureOf(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

/** Names of the programs that run with this word in their command line. */
function programsWith(word: string): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return words.includes(word) ? [readFileSync(`/proc/${pid}/comm`, "utf8").trim()] : [];
    } catch {
      return [];
    }
  });
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let ms = 0; !isTrue(); ms += 10) {
    if (ms > 5000) throw new Error("waited for 5 s in vain");
    await Bun.sleep(10);
  }
}

/** Runs a command on a terminal of 77 x 22 cells, and types once it says "ready". */
async function inTerminal(command: string[], uid: number | undefined, keys: string) {
  let text = "";
  const end = Promise.withResolvers<void>();
  const child = Bun.spawn(command, {
    env: { ...process.env, ...env },
    ...(uid === undefined ? {} : { uid, gid: uid }),
    terminal: {
      cols: 77,
      rows: 22,
      data(_, bytes) {
        text += new TextDecoder().decode(bytes);
      },
      exit: () => end.resolve(),
    },
  });
  await until(() => text.includes("ready"));
  // The keys of a terminal that is not in raw mode yet would be seen twice.
  await Bun.sleep(100);
  child.terminal?.write(keys);
  const code = await child.exited;
  await Promise.race([end.promise, Bun.sleep(500)]);
  return { code, text };
}
