/** Runs the tests, or any command, on a Debian kernel with a pure cgroup v2 tree, booted in QEMU. */
import { createHash } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const help = `Usage: bun scripts/vm.ts [OPTION]... [-- COMMAND [ARG]...]

Boots Debian's cloud kernel in QEMU, in a system where /sys/fs/cgroup is cgroup v2 and nothing else, copies the project to
/project there, and runs COMMAND in that folder as root, with BUNSHARE_VM=1 and CI passed on. The default COMMAND is
"bun test --timeout 60000". Its output is printed as it comes, and its exit code is this command's; 124 is a timeout and 125 a
machine that could not be made or ended without a result.

  --user               run COMMAND as the ordinary user "tester", in a delegated cgroup
  --systemd            boot systemd as PID 1, with a manager for tester too, and run COMMAND as a service of the one or the other
  --init-exe FILE      boot nothing but busybox and this static executable, and run it; COMMAND is then its arguments
  --arch ARCH          amd64 or arm64 (default: this machine's)
  --accel ACCEL        tcg or kvm (default: tcg, which works everywhere)
  --memory MIB         memory of the machine (default: 2048)
  --timeout SECONDS    give up after so long (default: 1200)
  --clean              make the cached kernel and root image anew
  --help               print this

Files that the command leaves in $BUNSHARE_VM_OUT come back to .cache/vm/out. The first run takes a minute: kernel and
root image are made from Debian packages and kept in .cache/vm. What the guest offers is told in scripts/vm/guest.sh and, with
--systemd, in scripts/vm/systemd/command.sh.`;

const architectures = {
  amd64: {
    qemu: ["qemu-system-x86_64", "-machine", "q35", "-cpu", "max,la57=off"],
    package: "qemu-system-x86",
    console: "ttyS0",
    bunPackage: "@oven/bun-linux-x64",
    bunCpu: "x64",
  },
  // Of all that QEMU 7.2 can do, pointer authentication is slow to emulate, and with it or SVE bun crashes in compiled code.
  arm64: {
    qemu: ["qemu-system-aarch64", "-machine", "virt", "-cpu", "max,pauth=off,sve=off"],
    package: "qemu-system-arm",
    console: "ttyAMA0",
    bunPackage: "@oven/bun-linux-aarch64",
    bunCpu: "arm64",
  },
} as const;
type Architecture = keyof typeof architectures;
const hostArchitecture: Architecture = process.arch === "arm64" ? "arm64" : "amd64";

/** The guest's user land. Debian's essential packages come by themselves. */
const guestPackages = `base-files base-passwd bash coreutils dash diffutils findutils grep gzip hostname iproute2 kmod
  libcap2-bin login mawk mount procps sed strace tar uidmap util-linux`.split(/\s+/);

/** Beside those, with --systemd. dbus-user-session is the bus of a user's own manager. */
const systemdPackages = ["dbus", "dbus-user-session", "systemd"];

/** Loaded by init.sh, after those they depend on; everything else loads itself once the real root is there. */
const bootModules = ["virtio_pci", "virtio_blk", "virtio_console", "overlay"];

/** To its messages, the console; of its units, those below our own target. kernel-command-line(7), systemd(1) */
const systemdParameters =
  "systemd.unit=vm.target systemd.log_target=console systemd.show_status=0 systemd.getty_auto=0";

const project = join(import.meta.dir, "..");
const cache = join(project, ".cache/vm");

const optionTypes = {
  user: { type: "boolean", default: false },
  systemd: { type: "boolean", default: false },
  "init-exe": { type: "string" },
  arch: { type: "string", default: hostArchitecture },
  accel: { type: "string", default: "tcg" },
  memory: { type: "string", default: "2048" },
  timeout: { type: "string", default: "1200" },
  clean: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

async function main(): Promise<number> {
  const { options, command } = splitCommand(process.argv.slice(2));
  const { values } = parseArgs({ args: options, options: optionTypes });
  if (values.help) {
    console.log(help);
    return 0;
  }
  const arch = values.arch as Architecture;
  if (!Object.hasOwn(architectures, arch)) throw new Error(`--arch ${arch}: amd64 or arm64 was expected`);
  const timeoutSeconds = Number(values.timeout);
  if (!(timeoutSeconds > 0)) throw new Error(`--timeout ${values.timeout}: a number of seconds was expected`);
  const executable = values["init-exe"];
  if (executable !== undefined && values.user) throw new Error("--user and --init-exe: no ordinary user lives there");
  if (executable !== undefined && values.systemd) throw new Error("--systemd and --init-exe: one or the other");

  if (values.clean) rmSync(join(cache, arch), { recursive: true, force: true });
  mkdirSync(join(cache, arch), { recursive: true });
  removeLeftovers();
  installHostPackages(arch);
  const kernel = makeKernel(arch);
  const root = executable === undefined ? makeRoot(arch, kernel, values.systemd) : undefined;

  const run = temporaryFolder("run");
  try {
    const words = executable === undefined ? command : ["/bin/executable", ...command];
    const initramfs = makeInitramfs(kernel, commandScript(words, values.user), executable, values.systemd);
    writeFileSync(join(run, "initramfs"), initramfs);
    const disks = root === undefined ? [] : [root, makeProject(run)];
    const { accel, memory, systemd: isSystemd } = values;
    return await boot({ arch, accel, memory, timeoutSeconds, kernel, isSystemd, disks, run });
  } finally {
    rmSync(run, { recursive: true, force: true });
  }
}

/** Options end at the first word that is none: bun takes the "--" before a command for its own and does not pass it on. */
function splitCommand(args: string[]): { options: string[]; command: string[] } {
  const { tokens } = parseArgs({ args, options: optionTypes, strict: false, allowPositionals: true, tokens: true });
  const end = tokens.find(({ kind }) => kind !== "option");
  if (end === undefined) return { options: args, command: [] };
  return {
    options: args.slice(0, end.index),
    command: args.slice(end.kind === "positional" ? end.index : end.index + 1),
  };
}

interface Machine {
  readonly arch: Architecture;
  readonly accel: string;
  readonly memory: string;
  readonly timeoutSeconds: number;
  readonly kernel: Kernel;
  readonly isSystemd: boolean;
  readonly disks: readonly string[];
  /** A folder for this run alone; holds the initramfs. */
  readonly run: string;
}

/** Starts the machine, passes its output on, and resolves to the command's exit code. */
async function boot({ arch, accel, memory, timeoutSeconds, kernel, isSystemd, disks, run }: Machine): Promise<number> {
  const { qemu, console: tty } = architectures[arch];
  const runLog = join(run, "console.log");
  const consoleLog = join(cache, `console-${arch}.log`);
  const argv = [
    // QEMU must not survive a kill -9 of this script, with two busy cores.
    ...["setpriv", "--pdeathsig", "KILL", ...qemu],
    ...["-accel", accel === "tcg" ? "tcg,thread=multi" : accel],
    ...["-smp", String(Math.min(cpus().length, 4)), "-m", memory],
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-kernel", kernel.image, "-initrd", join(run, "initramfs")],
    ...["-append", `console=${tty} panic=-1 mitigations=off loglevel=5${isSystemd ? ` ${systemdParameters}` : ""}`],
    ...["-serial", `file:${runLog}`],
    // The guest's /dev/vport0p1 is the command's output, /dev/vport0p2 a tar archive of the results.
    ...["-device", "virtio-serial-pci"],
    ...["-chardev", "stdio,id=output,signal=off", "-device", "virtserialport,chardev=output,nr=1"],
    ...["-chardev", `file,id=result,path=${join(run, "result.tar")}`, "-device", "virtserialport,chardev=result,nr=2"],
    // What the guest writes goes to a file without a name: images stay as they were made.
    ...disks.flatMap((file) => ["-drive", `if=virtio,format=raw,snapshot=on,cache=unsafe,file=${file}`]),
  ];
  const started = performance.now();
  say(`boot ${kernel.release} (${accel})`);
  let isTimedOut = false;
  const machine = Bun.spawn(argv, {
    // Never written, but at its end QEMU would count the output as disconnected, and the guest would wait for ever.
    stdin: "pipe",
    stdout: "inherit",
    stderr: "inherit",
    env: { ...process.env, TMPDIR: run },
  });
  const timer = setTimeout(() => {
    isTimedOut = true;
    machine.kill("SIGKILL");
  }, timeoutSeconds * 1000);
  for (const [signal, code] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const) {
    process.once(signal, () => {
      machine.kill("SIGKILL");
      rmSync(run, { recursive: true, force: true });
      process.exit(code);
    });
  }
  await machine.exited;
  clearTimeout(timer);
  if (existsSync(runLog)) renameSync(runLog, consoleLog);

  const out = join(cache, "out");
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out);
  if (isTimedOut) {
    say(
      `timed out: the machine was still running after ${timeoutSeconds} s (--timeout); its console is in ${consoleLog}`,
    );
    return 124;
  }
  const result = (name: string): number => {
    const file = join(out, name);
    return existsSync(file) ? Number(readFileSync(file, "utf8")) : Number.NaN;
  };
  const archive = join(run, "result.tar");
  if (existsSync(archive) && Bun.file(archive).size > 0) execute(["tar", "-xf", archive, "-C", out]);
  const exitCode = result("exit-code");
  if (Number.isNaN(exitCode)) {
    const lines = existsSync(consoleLog) ? readFileSync(consoleLog, "utf8").trimEnd().split(/\r?\n/) : [];
    say(`the machine ended without a result. The end of its console, ${consoleLog}:\n${lines.slice(-40).join("\n")}`);
    return 125;
  }
  const bootSeconds = result("started");
  const commandSeconds = result("ended") - bootSeconds;
  say(
    `exit code ${exitCode}: boot ${bootSeconds.toFixed(1)} s, command ${commandSeconds.toFixed(1)} s, ${seconds(started)} in all`,
  );
  return exitCode;
}

/** The shell script that the guest runs. */
function commandScript(command: readonly string[], isUser: boolean): string {
  // An emulated processor is about ten times slower, and the time limits of tests are made for a real one.
  const words = command.length > 0 ? command : ["bun", "test", "--timeout", "60000"];
  const environment: Record<string, string | undefined> = {
    BUNSHARE_VM: "1",
    BUNSHARE_VM_OUT: "/run/out",
    CI: process.env.CI,
    HOME: "/root",
    // The guest's pipe is this terminal, if there is one.
    FORCE_COLOR: process.stdout.isTTY ? "1" : undefined,
  };
  const exports = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : [`export ${name}=${quote(value)}\n`],
  );
  return `${exports.join("")}exec ${isUser ? "as-tester " : ""}${words.map(quote).join(" ")}\n`;
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

// What is made once and kept

interface Kernel {
  readonly release: string;
  readonly image: string;
  /** Holds lib/modules/RELEASE. */
  readonly folder: string;
  readonly busybox: string;
}

/** Kernel, modules and a static busybox, unpacked from Debian's packages. */
function makeKernel(arch: Architecture): Kernel {
  const folder = join(cache, arch, "kernel");
  make(`kernel for ${arch}`, folder, (folder) => {
    using apt = new Apt(arch);
    const meta = `linux-image-cloud-${arch}`;
    // The package proper has the version in its name; the one without depends on it.
    const depends = apt.run("apt-cache", "depends", meta);
    const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
    if (name === undefined) throw new Error(`apt-get knows no ${meta}: Debian's package sources are needed`);
    for (const file of apt.download(name, "busybox-static")) execute(["dpkg-deb", "-x", file, folder]);
    const release = readdirSync(join(folder, "lib/modules"))[0] as string;
    execute(["depmod", "--basedir", folder, release]);
  });
  const release = readdirSync(join(folder, "lib/modules"))[0] as string;
  return { release, folder, image: join(folder, `boot/vmlinuz-${release}`), busybox: join(folder, "bin/busybox") };
}

/** An ext4 image of a small Debian system with bun. */
function makeRoot(arch: Architecture, kernel: Kernel, isSystemd: boolean): string {
  const packages = isSystemd ? [...guestPackages, ...systemdPackages] : guestPackages;
  const writeFiles = isSystemd ? [writeSystemFiles, writeSystemdFiles] : [writeSystemFiles];
  // What ends up in the image: a change makes a new one.
  const ingredients = [packages, kernel.release, Bun.version, mergeUsr.toString(), ...writeFiles.map(String)];
  const key = createHash("sha256").update(JSON.stringify(ingredients)).digest("hex").slice(0, 12);
  const name = isSystemd ? "systemd" : "root";
  const image = join(cache, arch, `${name}-${key}.ext4`);
  make(`${name} image for ${arch} with bun ${Bun.version}`, image, (image) => {
    for (const old of readdirSync(join(cache, arch))) if (old.startsWith(`${name}-`)) rmSync(join(cache, arch, old));
    using apt = new Apt(arch);
    const tree = join(apt.folder, "tree");
    for (const file of apt.downloadAll(packages)) execute(["dpkg-deb", "-x", file, tree]);
    mergeUsr(tree);
    execute(["cp", "-a", join(kernel.folder, "lib/modules"), join(tree, "usr/lib/")]);
    for (const write of writeFiles) write(tree);
    execute(["install", "-D", bunBinary(arch, apt.folder), join(tree, "usr/local/bin/bun")]);
    // Without a journal: the image is written once, and the guest's writes are thrown away. Inside a user namespace the files of
    // an ordinary user look like root's.
    const asRoot = process.getuid?.() === 0 ? [] : ["unshare", "--map-root-user"];
    execute([...asRoot, "mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-d", tree, image, "4G"]);
  });
  return image;
}

/** /bin, /lib and their like become links into /usr, as on every Debian since 2021; its packages still come with folders. */
function mergeUsr(tree: string): void {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    const folder = join(tree, name);
    if (!existsSync(folder)) continue;
    execute(["cp", "-a", `${folder}/.`, join(tree, "usr", name)]);
    rmSync(folder, { recursive: true });
    symlinkSync(`usr/${name}`, folder);
  }
}

/** What the packages' maintainer scripts would have done, as far as it matters here: they were not run. */
function writeSystemFiles(tree: string): void {
  const write = (path: string, text: string, mode = 0o644) => {
    mkdirSync(join(tree, path, ".."), { recursive: true });
    writeFileSync(join(tree, path), text, { mode });
  };
  const master = (name: string) => readFileSync(join(tree, `usr/share/base-passwd/${name}.master`), "utf8");
  write("etc/passwd", `${master("passwd").replaceAll(":*:", ":x:")}tester:x:1000:1000::/home/tester:/bin/bash\n`);
  write("etc/group", `${master("group")}tester:x:1000:\n`);
  write("etc/subuid", "tester:100000:65536\n");
  write("etc/subgid", "tester:100000:65536\n");
  write("etc/hostname", "vm\n");
  write("etc/hosts", "127.0.0.1 localhost vm\n::1 localhost\n");
  write("etc/resolv.conf", "");
  write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n");
  const asTester = `#!/bin/sh
# Runs a program as the ordinary user tester, in the leaf of its delegated cgroup.
echo $$ >/sys/fs/cgroup/delegated/session/cgroup.procs
# Who starts a program may reopen its output; a pipe made by root would refuse.
chown 1000 /proc/self/fd/1 /proc/self/fd/2
export HOME=/home/tester USER=tester XDG_RUNTIME_DIR=/run/user/1000
exec setpriv --reuid=1000 --regid=1000 --init-groups "$@"
`;
  write("usr/local/bin/as-tester", asTester, 0o755);
  for (const folder of ["home/tester", "project"]) mkdirSync(join(tree, folder), { recursive: true });
  for (const [target, link] of [
    ["../proc/self/mounts", "etc/mtab"],
    ["dash", "usr/bin/sh"],
    ["mawk", "usr/bin/awk"],
    ["bun", "usr/local/bin/bunx"],
  ] as const) {
    if (!existsSync(join(tree, link))) symlinkSync(target, join(tree, link));
  }
}

/** What makes systemd start quickly: under emulation each program that it would start costs a tenth of a second or more. */
function writeSystemdFiles(tree: string): void {
  const system = join(tree, "usr/lib/systemd/system");
  for (const name of readdirSync(system)) {
    // Journal, udev, logind, mounts, timers: nothing here needs them.
    if (/^(?!dbus).*\.(?:wants|requires)$/.test(name)) rmSync(join(system, name), { recursive: true });
  }
  for (const kind of ["system", "user"]) {
    rmSync(join(tree, `usr/lib/systemd/${kind}-generators`), { recursive: true, force: true });
    rmSync(join(tree, `usr/lib/systemd/${kind}-environment-generators`), { recursive: true, force: true });
  }
  writeFileSync(join(tree, "etc/machine-id"), "0123456789abcdef0123456789abcdef\n");
  appendFileSync(join(tree, "etc/passwd"), "messagebus:x:100:100::/nonexistent:/usr/sbin/nologin\n");
  appendFileSync(join(tree, "etc/group"), "messagebus:x:100:\n");
  const asTester = `#!/bin/sh
# Runs a program as a service of tester's own manager, in a delegated cgroup.
# Who starts a program may reopen its output; a pipe made by root would refuse.
chown 1000 /proc/self/fd/1 /proc/self/fd/2
exec setpriv --reuid=1000 --regid=1000 --init-groups env HOME=/home/tester USER=tester XDG_RUNTIME_DIR=/run/user/1000 \\
  systemd-run --user --quiet --pipe --wait --collect --same-dir --property=Delegate=yes --setenv=PATH \\
  \${CI+--setenv=CI} \${FORCE_COLOR+--setenv=FORCE_COLOR} \${BUNSHARE_VM+--setenv=BUNSHARE_VM} \\
  \${BUNSHARE_VM_OUT+--setenv=BUNSHARE_VM_OUT} "$@"
`;
  writeFileSync(join(tree, "usr/local/bin/as-tester"), asTester);
}

/** This bun, or the same version for another architecture. */
function bunBinary(arch: Architecture, folder: string): string {
  if (arch === hostArchitecture) return process.execPath;
  const { bunPackage, bunCpu } = architectures[arch];
  writeFileSync(join(folder, "package.json"), "{}");
  execute([process.execPath, "add", "--ignore-scripts", `--cpu=${bunCpu}`, `${bunPackage}@${Bun.version}`], folder);
  return join(folder, "node_modules", bunPackage, "bin/bun");
}

/**
 * apt-get with its state in a folder of its own: another architecture can be looked up and nothing counts as installed, while the
 * machine's own lists and packages stay as they are. Sources and keys are the machine's.
 */
class Apt implements Disposable {
  readonly folder = temporaryFolder("apt");
  readonly #options: readonly string[];

  constructor(arch: Architecture) {
    mkdirSync(join(this.folder, "lists/partial"), { recursive: true });
    mkdirSync(join(this.folder, "archives/partial"), { recursive: true });
    writeFileSync(join(this.folder, "status"), "");
    this.#options = [
      `Dir::State=${this.folder}`,
      `Dir::State::status=${this.folder}/status`,
      `Dir::Cache=${this.folder}`,
      `APT::Architecture=${arch}`,
      `APT::Architectures=${arch}`,
      "APT::Install-Recommends=false",
      "APT::Sandbox::User=root",
    ].flatMap((option) => ["-o", option]);
    this.run("apt-get", "update", "-qq");
  }

  run(program: "apt-get" | "apt-cache", ...args: string[]): string {
    return execute([program, ...this.#options, ...args], this.folder);
  }

  /** The files of these packages. */
  download(...names: string[]): string[] {
    this.run("apt-get", "download", "-qq", ...names);
    return this.#debs(this.folder);
  }

  /** The files of these packages and of all that they need. */
  downloadAll(names: readonly string[]): string[] {
    this.run("apt-get", "install", "--download-only", "-qq", "-y", ...names);
    return this.#debs(join(this.folder, "archives"));
  }

  #debs(folder: string): string[] {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".deb"))
      .map((name) => join(folder, name));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

// What is made for each run

/** The work tree as a tar archive, which the guest reads from its second disk. */
function makeProject(run: string): string {
  const file = join(run, "project.tar");
  const left = [".git", ".cache", "node_modules/bun/bin/*.exe", "*.log"].map((pattern) => `--exclude=./${pattern}`);
  const started = performance.now();
  // 1 is "a file changed as we read it": an editor at work is no reason to stop.
  execute(["tar", "-cf", file, ...left, "--owner=1000", "--group=1000", "-C", project, "."], project, [0, 1]);
  say(`project: made in ${seconds(started)}`);
  return file;
}

/** The initramfs: busybox, the modules without which there are no disks, and the guest's scripts. */
function makeInitramfs(kernel: Kernel, command: string, executable: string | undefined, isSystemd: boolean): Buffer {
  const folder = join(kernel.folder, "lib/modules", kernel.release);
  const files = withDependencies(bootModules, readFileSync(join(folder, "modules.dep"), "utf8"));
  const modules = files.map((path) => ({ name: path.slice(path.lastIndexOf("/") + 1), path }));
  const entries: CpioEntry[] = [
    { name: "init", mode: 0o100755, data: readFileSync(join(import.meta.dir, "vm/init.sh")) },
    { name: "guest.sh", mode: 0o100644, data: readFileSync(join(import.meta.dir, "vm/guest.sh")) },
    { name: "run.sh", mode: 0o100644, data: readFileSync(join(import.meta.dir, "vm/run.sh")) },
    { name: "command.sh", mode: 0o100644, data: Buffer.from(command) },
    { name: "busybox", mode: 0o100755, data: readFileSync(kernel.busybox) },
    // The kernel runs a script's interpreter before busybox has had a chance to install itself.
    { name: "bin", mode: 0o040755, data: Buffer.alloc(0) },
    { name: "bin/sh", mode: 0o120777, data: Buffer.from("/busybox") },
    { name: "modules", mode: 0o040755, data: Buffer.alloc(0) },
    { name: "modules/order", mode: 0o100644, data: Buffer.from(modules.map(({ name }) => name).join("\n")) },
  ];
  for (const { name, path } of modules) {
    entries.push({ name: `modules/${name}`, mode: 0o100644, data: readFileSync(join(folder, path)) });
  }
  const units = join(import.meta.dir, "vm/systemd");
  // Sorted, a folder comes before what it holds.
  for (const name of isSystemd ? ["", ...readdirSync(units, { recursive: true })].toSorted().map(String) : []) {
    const path = join(units, name);
    const isFolder = statSync(path).isDirectory();
    const data = isFolder ? Buffer.alloc(0) : readFileSync(path);
    entries.push({ name: join("systemd", name).replace(/\/$/, ""), mode: isFolder ? 0o040755 : 0o100644, data });
  }
  if (executable !== undefined) entries.push({ name: "executable", mode: 0o100755, data: readFileSync(executable) });
  return cpio(entries);
}

/** Files of these modules and of those they need, in the order in which they can be loaded. modules.dep(5) */
function withDependencies(names: readonly string[], modulesDep: string): string[] {
  const files = names.flatMap((name) => {
    const line = modulesDep.split("\n").find((line) => line.split(":")[0]?.endsWith(`/${name}.ko`));
    if (line === undefined) throw new Error(`this kernel has no module ${name}`);
    // The one to load first is named last.
    return line.replace(":", "").trim().split(" ").reverse();
  });
  return [...new Set(files)];
}

interface CpioEntry {
  readonly name: string;
  readonly mode: number;
  readonly data: Uint8Array;
}

/** An archive in cpio's newc format. The kernel's Documentation/driver-api/early-userspace/buffer-format.rst */
function cpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Uint8Array[] = [];
  const padding = (length: number) => new Uint8Array(-length & 3);
  const trailer: CpioEntry = { name: "TRAILER!!!", mode: 0, data: new Uint8Array(0) };
  for (const [index, { name, mode, data }] of [...entries, trailer].entries()) {
    // ino mode uid gid nlink mtime filesize devmajor devminor rdevmajor rdevminor namesize check
    const fields = [index + 1, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, name.length + 1, 0];
    const hex = fields.map((field) => field.toString(16).padStart(8, "0")).join("");
    const head = Buffer.from(`070701${hex}${name}\0`);
    parts.push(head, padding(head.length), data, padding(data.length));
  }
  return Buffer.concat(parts);
}

// The host

/** Installs what is missing here, or says what to install. */
function installHostPackages(arch: Architecture): void {
  const needed = {
    [architectures[arch].qemu[0]]: architectures[arch].package,
    mke2fs: "e2fsprogs",
    depmod: "kmod",
    "dpkg-deb": "dpkg",
    setpriv: "util-linux",
    tar: "tar",
  };
  const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
  process.env.PATH = PATH;
  const missing = Object.entries(needed).flatMap(([program, name]) => (Bun.which(program, { PATH }) ? [] : [name]));
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) throw new Error(`missing here: apt-get install ${missing.join(" ")}`);
  const started = performance.now();
  const install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", ...missing];
  execute(["apt-get", "update", "-qq"]);
  execute(install);
  say(`host packages ${missing.join(" ")}: installed in ${seconds(started)}`);
}

/** Makes a file or folder unless it is there. It gets its name when it is whole, so that a run cut short leaves no half of one. */
function make(what: string, path: string, how: (path: string) => void): void {
  if (existsSync(path)) return say(`${what}: cached`);
  say(`${what}: making`);
  const started = performance.now();
  const partial = join(cache, `partial-${process.pid}`);
  try {
    how(partial);
    renameSync(partial, path);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  say(`${what}: made in ${seconds(started)}`);
}

/** A folder that this process removes, or the next run if this one is killed. */
function temporaryFolder(name: string): string {
  const folder = join(cache, `${name}-${process.pid}`);
  mkdirSync(folder);
  return folder;
}

function removeLeftovers(): void {
  for (const name of readdirSync(cache)) {
    const pid = /^(?:run|apt|partial)-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(cache, name), { recursive: true, force: true });
  }
}

function execute(argv: string[], cwd: string = tmpdir(), allowed: readonly number[] = [0]): string {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" };
  const { stdout, stderr, exitCode } = Bun.spawnSync(argv, {
    cwd,
    env,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  if (!allowed.includes(exitCode)) throw new Error(`${argv.join(" ")}: exit code ${exitCode}\n${stderr}${stdout}`);
  return stdout.toString();
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

function say(text: string): void {
  console.error(`vm: ${text}`);
}

try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof Error ? error.message : String(error));
  process.exitCode = 125;
}
