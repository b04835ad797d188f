import { describe, expect, test } from "bun:test";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { invoke, mountinfo, overlay, type SpawnOptions, spawnIsolated, SyscallError } from "../../mod.ts";
import { namespaceKinds } from "../../src/ns/kinds.ts";
import { F, F_SEAL } from "../../src/sys/flags.ts";
import { againAsUser, belongings, expectUnchanged, isRoot, makeRoot, rootTest, scratchDir, who } from "./kernel.ts";

const dir = scratchDir();
const root = makeRoot(join(dir, "root"), ["sh", "cat", "ls", "ln"]);
const uid = process.getuid?.() ?? 0;
const gid = process.getgid?.() ?? 0;
const line = (inside: number, outside: number, count = 1) => ({ inside, outside, count });

/** What a command says in a box, on both streams, and how it ended. */
async function say(command: readonly string[], options: SpawnOptions = {}): Promise<string> {
  await using box = await spawnIsolated(command, { stderr: "pipe", ...options });
  const [out, err, code] = await Promise.all([box.stdout.text(), box.stderr.text(), box.exited]);
  return `${out}${err}${code === 0 ? "" : `[${code}]`}`;
}
const sh = (script: string, options?: SpawnOptions): Promise<string> => say(["sh", "-c", script], options);

/** By kind: what shows inside that it is another namespace, and what it prints. */
const shows: Record<(typeof namespaceKinds)[number], [script: string, says: RegExp, options?: SpawnOptions]> = {
  user: ["cat /proc/self/uid_map; id -u", new RegExp(`^\\s+0\\s+${uid}\\s+1\n0\n$`)],
  mnt: ["echo x > /etc/canary-bunshare && cat /etc/canary-bunshare", /^x\n$/],
  pid: ["echo $$; ls -d /proc/[0-9]* | wc -l", /^1\n[1-4]\n$/],
  net: [
    "cat /proc/net/dev | tail -n +3 | cut -d: -f1; cat /sys/class/net/lo/flags; ls /sys/class/net",
    /^\s*lo\n0x9\nlo\n$/,
  ],
  ipc: ["tail -n +2 /proc/sysvipc/shm | wc -l; ls /dev/mqueue | wc -l", /^0\n0\n$/],
  uts: [
    "cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname",
    /^box\nexample\n$/,
    { hostname: "box", domainname: "example" },
  ],
  cgroup: ["grep -v ':/$' /proc/self/cgroup | wc -l", /^0\n$/],
  time: ["cat /proc/self/timens_offsets", /boottime\s+1000000\s+500000000/, { timeOffsets: { boottime: 1_000_000.5 } }],
};

describe(`as ${who}`, () => {
  test("all eight namespaces differ inside from outside", async () => {
    const inside = await sh(`for kind in ${namespaceKinds.join(" ")}; do readlink /proc/self/ns/$kind; done`);
    const outside = namespaceKinds.map((kind) => readlinkSync(`/proc/self/ns/${kind}`));
    const lines = inside.trim().split("\n");
    expect(lines).toHaveLength(8);
    lines.forEach((text, i) => {
      expect(text).toMatch(new RegExp(`^${namespaceKinds[i]}:\\[\\d+\\]$`));
      expect(text).not.toBe(outside[i] as string);
    });
  });

  for (const kind of namespaceKinds) {
    const [script, says, options] = shows[kind];
    test(`a new ${kind} namespace shows: ${script}`, async () => expect(await sh(script, options)).toMatch(says));
  }

  test("SysV shared memory of the host is not seen", async () => {
    const id = /\d+/.exec(Bun.spawnSync(["ipcmk", "-M", "4096"]).stdout.toString())?.[0];
    expect(id).toBeDefined();
    try {
      const list = "tail -n +2 /proc/sysvipc/shm | wc -l";
      expect(Bun.spawnSync(["sh", "-c", list]).stdout.toString()).not.toBe("0\n");
      expect(await sh(list)).toBe("0\n");
    } finally {
      Bun.spawnSync(["ipcrm", "-m", id ?? ""]);
    }
  });

  test("lo answers", async () => {
    const server = "const s = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('here') });";
    const script = `${server} console.log(await (await fetch(s.url)).text()); s.stop();`;
    // Bound, for the project may lie in /tmp, of which the box has its own.
    const mounts = [{ bind: process.execPath, at: "/run/bun", readonly: true }];
    expect(await say(["/run/bun", "-e", script], { mounts })).toBe("here\n");
  });

  test("clocks are ahead by the offset", async () => {
    const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
    const inside = Number((await sh("cat /proc/uptime", { timeOffsets: { boottime: 5000 } })).split(" ")[0]);
    expect(inside - uptime).toBeGreaterThanOrEqual(5000);
    expect(inside - uptime).toBeLessThan(5010);
  });

  test("what is written in the host's directories is gone afterwards, and the mounts are as before", async () => {
    const before = belongings();
    const script =
      "echo x > /etc/canary-bunshare && rm /etc/hostname && mkdir /usr/new && unshare -Urm mount -t tmpfs none /usr/new && echo done";
    expect(await sh(script)).toBe("done\n");
    expect(existsSync("/etc/canary-bunshare")).toBe(false);
    expect(existsSync("/usr/new")).toBe(false);
    expect(existsSync("/etc/hostname")).toBe(true);
    await expectUnchanged(before);
  });

  describe("what a program starts with", () => {
    const starts: [fact: string, script: string, says: string, options?: SpawnOptions][] = [
      ["cwd", "pwd", "/etc\n", { cwd: "/etc" }],
      [
        "env, and nothing else",
        "cat /proc/1/environ | tr '\\0' '\\n'",
        "A=1\nPATH=/bin:/usr/bin\n",
        { env: { A: "1", PATH: "/bin:/usr/bin", NO: undefined } },
      ],
      ["argv0", "cat /proc/$$/cmdline | tr '\\0' ' ' | cut -d' ' -f1", "shell\n", { argv0: "shell" }],
      ["root's ids", "id -u; id -g; id -G", isRoot ? "0\n0\n0\n" : "0\n0\n0\n"],
      ["its own ids", "id -u; id -g", `${uid}\n${gid}\n`, { map: "self" }],
      [
        "another id, mapped to the caller's",
        "id -u; id -g; touch /tmp/x; ls -ln /tmp/x | cut -d' ' -f3,4",
        "1234\n77\n1234 77\n",
        { uid: 1234, gid: 77 },
      ],
      ["umask", "umask", "0027\n", { umask: 0o27 }],
      [
        "rlimits",
        "ulimit -Sc; ulimit -Hc; ulimit -Sn; ulimit -Hn",
        "0\n0\n64\n128\n",
        { rlimits: { core: 0, nofile: { soft: 64, hard: 128 } } },
      ],
      ["a soft limit of 1024 files", "ulimit -Sn", "1024\n"],
      ["no new privileges", "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1\n"],
      [
        "new privileges, when asked for",
        "grep NoNewPrivs /proc/self/status",
        "NoNewPrivs:\t0\n",
        { newPrivileges: true },
      ],
      [
        "no signal ignored or blocked",
        "grep -E 'Sig(Blk|Ign)' /proc/self/status",
        "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n",
      ],
      [
        "no inheritable or ambient capability",
        "grep -E 'Cap(Inh|Amb)' /proc/self/status",
        "CapInh:\t0000000000000000\nCapAmb:\t0000000000000000\n",
      ],
      ["setgroups denied", "cat /proc/self/setgroups", "deny\n"],
      [
        "an ordinary /dev",
        "ls /dev",
        "fd\nfull\nmqueue\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n",
      ],
      ["empty /tmp and /run", "ls -A /tmp /run; stat -c %a /tmp /run", "/run:\n\n/tmp:\n1777\n755\n"],
    ];
    for (const [fact, script, says, options] of starts)
      test(`${fact}: ${script}`, async () => expect(await sh(script, options)).toBe(says));

    test("a session of its own", async () => {
      const [pid, session] = (await sh("cut -d' ' -f1,6 /proc/self/stat; echo $$")).trim().split(/\s+/);
      expect(Number(session)).toBe(1);
      expect(Number(pid)).toBeGreaterThan(1);
    });

    test("none of the caller's descriptors, whatever their flags", async () => {
      // As a library in C would open them: without close-on-exec, and reaching up to 40.
      const script = `
        const { dlopen } = require("bun:ffi");
        const libc = dlopen("libc.so.6", { open: { args: ["cstring", "i32"], returns: "i32" } });
        for (let fd = 0; fd < 40; ) fd = libc.symbols.open(Buffer.from("/\\0"), 0);
        const { spawnIsolated } = await import(${JSON.stringify(join(import.meta.dir, "../../mod.ts"))});
        const box = await spawnIsolated(["sh", "-c", "ls -l /proc/$$/fd"], { env: { PATH: "/bin:/usr/bin" } });
        process.stdout.write(await box.stdout.text());`;
      const child = Bun.spawnSync([process.execPath, "-e", script]);
      const fds = [...child.stdout.toString().matchAll(/ (\d+) -> (\S+)/g)].map(([, fd]) => Number(fd));
      expect(fds.sort()).toEqual([0, 1, 2]);
    });
  });

  rootTest("a box of root with ranges has the groups it was given", async () => {
    const map = { uid: [line(0, 0), line(1, 100_000, 100)], gid: [line(0, 0), line(1, 100_000, 100)] };
    expect(await sh("id -u; id -g; id -G", { map, uid: 5, gid: 6, groups: [7, 8] })).toBe("5\n6\n6 7 8\n");
    expect(await sh("id -G; cat /proc/self/setgroups", { map })).toMatch(/^0( .*)?\nallow\n$/);
  });

  rootTest("a set-user-ID program has no effect", async () => {
    const suid = makeRoot(join(dir, "suid"), ["sh", "id"]);
    Bun.spawnSync(["chown", "0:0", join(suid, "bin/id")]);
    Bun.spawnSync(["chmod", "4755", join(suid, "bin/id")]);
    const map = { uid: [line(0, 0), line(1, 100_000, 10)], gid: [line(0, 0), line(1, 100_000, 10)] };
    const options: SpawnOptions = { root: suid, map, uid: 1, gid: 1, env: { PATH: "/bin" } };
    expect(await sh("id -u", options)).toBe("1\n");
    // Where the directory itself lies on a file system that has it at all.
    const isPossible = !mountinfo().some(
      ({ mountPoint, options }) => mountPoint === tmpdir() && options.includes("nosuid"),
    );
    if (isPossible) expect(await sh("id -u", { ...options, newPrivileges: true })).toBe("0\n");
    // In a bind there is no set-user-ID at all.
    const bound: SpawnOptions = { map, uid: 1, gid: 1, newPrivileges: true, mounts: [{ bind: suid, at: "/suid" }] };
    expect(await sh("/suid/bin/id -u", bound)).toBe("1\n");
  });

  test("kernel settings cannot be changed", async () => {
    const script =
      "echo x > /proc/sys/kernel/core_pattern; echo b > /proc/sysrq-trigger; echo 1 > /proc/sys/vm/drop_caches; id -u";
    const said = await sh(script);
    expect(said).toMatch(/\n?0\n|^0\n/);
    expect(said.match(/cannot create|Permission denied|Read-only/g)?.length ?? 0).toBeGreaterThanOrEqual(2);
    expect(readFileSync("/proc/sys/kernel/core_pattern", "utf8")).not.toBe("x\n");
  });

  describe("a directory as root", () => {
    test("refuses writes", async () => {
      expect(await sh("echo x > /etc/x", { root, env: { PATH: "/bin" } })).toMatch(/Read-only file system/);
      expect(readdirSync(join(root, "etc"))).toEqual([]);
    });
    test("takes writes when it is writable", async () => {
      const own = makeRoot(join(dir, "writable"), ["sh"]);
      expect(await sh("echo x > /etc/x", { root: { dir: own, writable: true } })).toBe("");
      expect(readFileSync(join(own, "etc/x"), "utf8")).toBe("x\n");
    });
    test("shows nothing of the host's root", async () => {
      const said = await sh("ls /; ls /.. | wc -l; ls /proc/1/root/; cat /proc/self/mountinfo", {
        root,
        env: { PATH: "/bin" },
      });
      expect(said).not.toContain("work\n");
      for (const name of readdirSync("/").filter((one) => !readdirSync(root).includes(one)))
        expect(said).not.toContain(`\n${name}\n`);
    });
    for (const name of ["proc", "dev", "sys", "tmp", "run"]) {
      test(`with a link at /${name} is refused`, async () => {
        const bad = makeRoot(join(dir, `link-${name}`), ["sh"]);
        Bun.spawnSync(["rm", "-r", join(bad, name)]);
        symlinkSync("/etc", join(bad, name));
        const error = await say(["/bin/sh", "-c", "true"], { root: bad }).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(SyscallError);
        expect(error).toMatchObject({
          code: "ELOOP",
          step: { label: `open /${name} in the new root` },
        });
      });
    }
    test("with a hostile link on the way of a bind keeps the mount inside", async () => {
      // Not below /tmp, which is the box's own.
      const victim = mkdtempSync("/var/tmp/bunshare-victim-");
      using _ = { [Symbol.dispose]: () => rmSync(victim, { recursive: true }) };
      writeFileSync(join(victim, "file"), "untouched");
      const bad = makeRoot(join(dir, "hostile"), ["sh", "ls"]);
      symlinkSync(victim, join(bad, "out"));
      symlinkSync("../../../../../../../../etc", join(bad, "up"));
      mkdirSync(join(bad, victim), { recursive: true });
      const before = belongings();
      const options: SpawnOptions = { root: { dir: bad, writable: true }, env: { PATH: "/bin" } };
      const at = (path: string): SpawnOptions => ({ ...options, mounts: [{ bind: root, at: path }] });
      expect(await sh(`ls ${victim}/in`, at("/out/in"))).toBe(await sh("ls /", { root, env: { PATH: "/bin" } }));
      expect(await sh("ls /etc/in/bin", at("/up/in"))).toBe(await sh("ls /bin", { root, env: { PATH: "/bin" } }));
      expect(readdirSync(victim)).toEqual(["file"]);
      expect(existsSync("/etc/in")).toBe(false);
      await expectUnchanged(before);
    });
    test("with a magic link on the way of a bind is refused", async () => {
      const bad = makeRoot(join(dir, "magic"), ["sh"]);
      symlinkSync("/proc/self/root", join(bad, "magic"));
      const options: SpawnOptions = { root: { dir: bad, writable: true }, mounts: [{ bind: root, at: "/magic/x" }] };
      const error = await say(["/bin/sh", "-c", "true"], options).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: "ELOOP" });
    });
  });

  describe("layers", () => {
    const [backend, frontend] = [join(dir, "backend"), join(dir, "frontend")];
    mkdirSync(backend);
    mkdirSync(frontend);
    writeFileSync(join(backend, "server"), "backend");
    writeFileSync(join(backend, "both"), "backend");
    writeFileSync(join(frontend, "page"), "frontend");
    writeFileSync(join(frontend, "both"), "frontend");
    const env = { PATH: "/bin" };
    const base = overlay(root);
    const stacks: [name: string, root: SpawnOptions["root"], says: string][] = [
      ["backend", base.layer(backend), "backend backend - \n"],
      ["frontend", base.layer(frontend), "frontend - frontend \n"],
      ["fullstack", base.layer(backend).layer(frontend), "frontend backend frontend \n"],
    ];
    for (const [name, stack, says] of stacks)
      test(`${name}: a later layer hides an earlier one`, async () => {
        const script =
          "for f in both server page; do if [ -e /$f ]; then cat /$f; else echo -n -; fi; echo -n ' '; done; echo";
        expect(await sh(script, { root: stack, env })).toBe(says);
      });

    test("written files go to a tmpfs, or to the upper, and never to a layer", async () => {
      const script = "echo changed > /both; echo new > /new; cat /both /new";
      expect(await sh(script, { root: base.layer(backend), env })).toBe("changed\nnew\n");
      const upper = join(dir, "upper");
      expect(await sh(script, { root: base.layer(backend).writable(upper), env })).toBe("changed\nnew\n");
      expect(await sh("cat /both /new /server", { root: base.layer(backend).writable(upper), env })).toBe(
        "changed\nnew\nbackend",
      );
      expect(readFileSync(join(upper, "new"), "utf8")).toBe("new\n");
      expect(existsSync(`${upper}.work`)).toBe(false);
      expect(readFileSync(join(backend, "both"), "utf8")).toBe("backend");
      expect(readdirSync(root).includes("new")).toBe(false);
    });
  });

  describe("binds", () => {
    const names = ["a:b", "a,b", "a\\b", "a b", "a\nb", 'a"b', "a'b", "ä€", "%s{x}"];
    for (const name of names)
      test(`of and to ${JSON.stringify(name)}`, async () => {
        const source = join(dir, `bind-${name}`);
        mkdirSync(source);
        writeFileSync(join(source, "file"), "here");
        const mounts = [{ bind: source, at: `/run/${name}/x` }];
        expect(await say(["cat", `/run/${name}/x/file`], { mounts })).toBe("here");
        // And as a layer of an overlay.
        expect(await say(["/bin/cat", "/file"], { root: { layers: [root, source] } })).toBe("here");
      });

    test("are writable, or not; files too; and what is below", async () => {
      const source = join(dir, "bound");
      mkdirSync(source);
      writeFileSync(join(source, "file"), "host");
      const mounts: SpawnOptions["mounts"] = [
        { bind: source, at: "/rw" },
        { bind: source, at: "/ro", readonly: true },
        { bind: join(source, "file"), at: "/etc/one-file", readonly: true },
        { tmpfs: "/small", size: "64K" },
      ];
      const script = `cat /etc/one-file; echo box > /rw/file; echo x > /ro/file; echo x > /etc/one-file; cat /ro/file
        head -c 100000 /dev/zero > /small/x || stat -c %s /small/x`;
      const said = await sh(script, { mounts });
      expect(said).toMatch(/^hostbox\n65536\n/);
      expect(said.match(/Read-only file system/g)).toHaveLength(2);
      expect(readFileSync(join(source, "file"), "utf8")).toBe("box\n");
    });

    test("have no device nodes", async () => {
      expect(
        await sh("cat /host-dev/zero | head -c 1 | wc -c", { mounts: [{ bind: "/dev", at: "/host-dev" }] }),
      ).toMatch(/Permission denied/);
    });
  });

  test("what runs as the monitor is a sealed memory file, whatever the box does to it (CVE-2019-5736)", async () => {
    const evil = makeRoot(join(dir, "evil"), ["sh", "ls", "cat"]);
    writeFileSync(join(evil, "bin/evil"), "#!/proc/self/exe\n", { mode: 0o755 });
    const bun = statSync(process.execPath);
    const outcome = await say(["/bin/evil"], { root: evil, env: { PATH: "/bin" } }).catch(
      (reason: SyscallError) => reason.code,
    );
    // The kernel resolves it to the program that runs the script: the stage itself, which then has no descriptors to work with.
    expect(outcome).toMatch(/^(ELOOP|ENOEXEC|EACCES|ENOENT|\[\d+\])$/);
    expect(statSync(process.execPath)).toMatchObject({ size: bun.size, mtimeMs: bun.mtimeMs, ino: bun.ino });

    await using box = await spawnIsolated(["sleep", "5"], { stdout: "ignore" });
    expect(readlinkSync(`/proc/${box.monitorPid}/exe`)).toMatch(/^\/memfd:bunshare/);
    const fd = openSync(`/proc/${box.monitorPid}/exe`, "r");
    try {
      expect(() => openSync(`/proc/${box.monitorPid}/exe`, "r+")).toThrow(/ETXTBSY|EPERM|EACCES/);
      const seals = invoke({ name: "fcntl", args: [{ fd }, F.GET_SEALS, 0] });
      const all = F_SEAL.SEAL | F_SEAL.SHRINK | F_SEAL.GROW | F_SEAL.WRITE;
      expect(seals & all).toBe(all);
    } finally {
      closeSync(fd);
    }
  });
});

againAsUser(import.meta.path);
