/** `bunshare explain`: the steps that `bunshare run` with the same arguments would take, without taking any. */
import { explain as explainPlan, explainJson, plan } from "../../src/spawn/mod.ts";
import type { Command } from "./command.ts";
import { exitCodeOf, failureJson, failureText } from "./failure.ts";
import { optionHelp, parseBox } from "./options.ts";

const help = `bunshare explain [options] [--] CMD ARGS...

Prints every step that \`bunshare run\` with the same arguments takes, and its syscall as strace(1) shows
it. Nothing is done, and no privilege needed.

${optionHelp()}

Ends with 0, with 125 when the options make no sense here, and with 2 when the command line cannot be
understood.

Examples:
  bunshare explain -- id
  bunshare explain --root ./rootfs --json -- id | jq '.steps[].label'`;

export const explain: Command = {
  name: "explain",
  summary: "Print the syscalls that run would make, and make none",
  help,
  async run(args) {
    const { command, options, given, isJson, hasHelp } = parseBox(args);
    if (hasHelp) {
      console.log(help);
      return 0;
    }
    try {
      const boxPlan = plan(command, options);
      process.stdout.write(
        isJson ? `${JSON.stringify({ command, steps: explainJson(boxPlan) })}\n` : explainPlan(boxPlan),
      );
      return 0;
    } catch (error) {
      process.stderr.write(failureText(error, given));
      if (isJson) process.stderr.write(`${JSON.stringify(failureJson(error))}\n`);
      return exitCodeOf(error);
    }
  },
};
