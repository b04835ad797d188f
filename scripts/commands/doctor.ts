/** `bunshare doctor`: what this host allows this caller, and how to change what it does not. */
import { parseArgs, styleText } from "node:util";
import { type Check, doctor as examine, type DoctorReport } from "../../src/spawn/mod.ts";
import { type Command, UsageError } from "./command.ts";

const help = `bunshare doctor [options]

Tells what this host allows the user who asks: kernel, namespaces, user namespaces and what restricts
them, id maps, cgroup limits, overlayfs. Most of it is tried, with boxes that end at once; nothing is
changed. Each no comes with its reason and a cure: a command for root, unless it says otherwise.

  --json      The report as one JSON object
  -h, --help  Print this

Ends with 0 when the default box works for this user, with 1 when it does not, and with 2 when the
command line cannot be understood.

Examples:
  bunshare doctor
  bunshare doctor --json | jq -r '.checks[] | select(.ok == false) | .cure'`;

export const doctor: Command = {
  name: "doctor",
  summary: "Tell what this host allows, and how to change what it does not",
  help,
  async run(args) {
    const { json: isJson, help: hasHelp } = readOptions(args);
    if (hasHelp) {
      console.log(help);
      return 0;
    }
    const report = examine();
    process.stdout.write(isJson ? `${JSON.stringify(report)}\n` : formatReport(report, paint));
    return report.ok ? 0 : 1;
  },
};

function readOptions(args: readonly string[]) {
  const options = { json: { type: "boolean" }, help: { type: "boolean", short: "h" } } as const;
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

type Paint = (style: "green" | "yellow" | "red" | "bold" | "dim", text: string) => string;

/** Colours on a terminal only, and none where NO_COLOR is set. */
const paint: Paint = (style, text) => styleText(style, text, { stream: process.stdout });

const marks = {
  true: ["green", "ok"],
  partly: ["yellow", "partly"],
  false: ["red", "no"],
} as const;

/** A headline for each group, a line for each check, and below it the reason and the cure. */
export function formatReport(
  { ok, kernel, arch, uid, checks }: DoctorReport,
  paint: Paint = (_, text) => text,
): string {
  const lines = [`Linux ${kernel}, ${arch}, uid ${uid}`];
  let group: string | undefined;
  for (const check of checks) {
    if (check.group !== group) lines.push("", paint("bold", check.group));
    group = check.group;
    lines.push(...formatCheck(check, paint));
  }
  const boxes = ok
    ? paint("green", "The default box works here.")
    : paint("red", "The default box does not work here.");
  return `${[...lines, "", boxes].join("\n")}\n`;
}

function formatCheck({ ok, title, found, why, cure }: Check, paint: Paint): string[] {
  const [style, mark] = marks[`${ok}`];
  const indent = " ".repeat(10);
  return [
    `  ${paint(style, mark)}${" ".repeat(8 - mark.length)}${title}: ${found}`,
    ...(why === undefined ? [] : [`${indent}${paint("dim", "why: ")} ${why}`]),
    ...(cure === undefined ? [] : [`${indent}${paint("dim", "cure:")} ${cure}`]),
  ];
}
