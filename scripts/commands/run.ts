/** `bunshare run`: a program in a box, and its end as this command's end. */
import { launch, plan, type BoxStatus } from "../../src/spawn/mod.ts";
import type { Command } from "./command.ts";
import { exitCodeOf, failureJson, failureText } from "./failure.ts";
import { type BoxArguments, optionHelp, parseBox } from "./options.ts";
import { Interrupted, SignalForwarder } from "./signals.ts";
import { OwnTerminal } from "./terminal.ts";
import { timelineTable } from "./timeline.ts";

const help = `bunshare run [options] [--] CMD ARGS...

Runs a command in a box: all eight namespaces new, and the host's own files below an overlay that is
thrown away, unless told otherwise.

${optionHelp()}

Ends with the program's exit code, or 128 + n where signal n ended it; with 125 when the set-up failed
or the options make no sense here, 126 when the program cannot be executed, 127 when there is none, and
2 when the command line cannot be understood. SIGINT, SIGTERM, SIGQUIT and SIGHUP are passed on to the
program; a second SIGTERM, or a second SIGINT or SIGQUIT within two seconds, kills the box.

Examples:
  bunshare run -- sh -c 'id; hostname; ps aux'
  bunshare run --cgroup memory.max=100M --cgroup pids.max=64 --json -- python3 job.py
  bunshare run --root ./rootfs --bind ./src:/src:ro --unshare user,mnt,pid -- /bin/sh
  bunshare run --tty -- bash`;

export const run: Command = {
  name: "run",
  summary: "Run a program in a box",
  help,
  async run(args) {
    const box = parseBox(args);
    if (box.hasHelp) {
      console.log(help);
      return 0;
    }
    try {
      const { code, status } = await runBox(box);
      process.stderr.write(statusText(box, status));
      return code;
    } catch (error) {
      process.stderr.write(failureText(error, box.given));
      if (box.isJson) process.stderr.write(`${JSON.stringify(failureJson(error))}\n`);
      return error instanceof Interrupted ? error.exitCode : exitCodeOf(error);
    }
  },
};

async function runBox({ command, options }: BoxArguments): Promise<{ code: number; status: BoxStatus }> {
  using signals = new SignalForwarder();
  const boxPlan = plan(command, options);
  using terminal = options.terminal === undefined ? undefined : new OwnTerminal();
  const box = await launch(boxPlan, {
    ...(terminal ? { terminal: terminal.options } : { stdin: "inherit", stdout: "inherit", stderr: "inherit" }),
    signal: signals.setUp,
    // Else Ctrl-C would reach the program twice: from the terminal by way of the monitor, and from here.
    detached: true,
  });
  signals.to(box);
  if (box.terminal) terminal?.connect(box.terminal);
  const code = await box.exited;
  await terminal?.drained();
  return { code, status: await box.status() };
}

function statusText({ command, isJson, hasTimeline }: BoxArguments, status: BoxStatus): string {
  const { timeline, ...rest } = status;
  if (isJson) return `${JSON.stringify({ command, ...rest, ...(hasTimeline ? { timeline } : {}) })}\n`;
  return [
    ...(hasTimeline ? [timelineTable(timeline)] : []),
    ...(status.leftBehind
      ? [
          `bunshare: undoing failed at step ${status.leftBehind.step}: ${status.leftBehind.label}: ${status.leftBehind.code}\n`,
        ]
      : []),
  ].join("");
}
