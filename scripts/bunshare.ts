#!/usr/bin/env bun
/** The command line: finds the command and runs it. */
import { type Command, UsageError } from "./commands/command.ts";

/** Each is loaded when it is needed: `run` starts in milliseconds. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import("./commands/run.ts")).run,
  explain: async () => (await import("./commands/explain.ts")).explain,
  cgroup: async () => (await import("./commands/cgroup.ts")).cgroup,
  top: async () => (await import("./commands/top.ts")).top,
  doctor: async () => (await import("./commands/doctor.ts")).doctor,
};

process.exitCode = await main(process.argv.slice(2));

async function main([name = "", ...args]: readonly string[]): Promise<number> {
  if (["", "help", "--help", "-h"].includes(name) && args.length === 0) {
    (name === "" ? process.stderr : process.stdout).write(await overview());
    return name === "" ? 2 : 0;
  }
  if (name === "--version" || name === "-V") {
    console.log((await import("../package.json")).default.version);
    return 0;
  }
  try {
    const isHelp = name === "help";
    const command = await find(isHelp ? (args[0] ?? "") : name);
    if (!isHelp) return await command.run(args);
    console.log(command.help);
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const about = Object.hasOwn(commands, name) ? `bunshare ${name} --help` : "bunshare --help";
    process.stderr.write(`bunshare: ${error.message}\nSee \`${about}\`\n`);
    return 2;
  }
}

async function find(name: string): Promise<Command> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load) return load();
  const { nearest } = await import("../src/spawn/check.ts");
  const near = nearest(name, Object.keys(commands));
  throw new UsageError(`unknown command ${JSON.stringify(name)}${near === undefined ? "" : `, did you mean ${near}?`}`);
}

async function overview(): Promise<string> {
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  const lines = all.map(({ name, summary }) => `  ${name.padEnd(10)}${summary}`);
  return `bunshare: container primitives of the Linux kernel

Usage: bunshare COMMAND [options]

${lines.join("\n")}
  help      Print this, or the help of a command

  bunshare run -- sh -c 'id -u; hostname; echo $$'
  bunshare explain -- id
`;
}
