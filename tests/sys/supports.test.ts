/** What supports() says of this kernel, and that asking leaves nothing. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { isSince, since } from "../../src/sys/since.ts";
import { type AskableFeature, askableFeatures, kernelVersion, landlockAbi, supports } from "../../src/sys/supports.ts";
import { callers, projectDir, run, testAs } from "../helpers.ts";

/** What a kernel of any version may have been built without, or have switched off. */
const optional: readonly AskableFeature[] = [
  "kcmp", // CONFIG_KCMP
  "bpf", // CONFIG_BPF_SYSCALL
  "userfaultfd", // CONFIG_USERFAULTFD
  "memfd_secret", // CONFIG_SECRETMEM; before 6.5 off unless asked for at boot
  "io_uring_setup", // CONFIG_IO_URING
  "quotactl_fd", // CONFIG_QUOTACTL
  "membarrier", // CONFIG_MEMBARRIER
  "cachestat", // CONFIG_CACHESTAT_SYSCALL
  "name_to_handle_at", // CONFIG_FHANDLE
  "open_by_handle_at",
  "lsm_get_self_attr", // CONFIG_SECURITY
  "lsm_set_self_attr",
  "lsm_list_modules",
  "user.* attributes on tmpfs", // CONFIG_TMPFS_XATTR
  "CLONE_NEWTIME", // CONFIG_TIME_NS
  ...askableFeatures().filter((name) => /^landlock/i.test(name)), // CONFIG_SECURITY_LANDLOCK, lsm=
  ...askableFeatures().filter((name) => /^seccomp/i.test(name)), // CONFIG_SECCOMP_FILTER
];

/** Bugfix releases and distributions bring some to older kernels: CLONE_NEWTIME in clone3 is one that cannot be asked. */
test("what is newer than this kernel is not there, and all else is", () => {
  const kernel = kernelVersion();
  const wrong = askableFeatures()
    .filter((name) => !optional.includes(name))
    .filter((name) => supports(name) !== isSince(kernel, since[name]))
    .map((name) => `${name}: ${supports(name)}, Linux ${since[name]}`);
  expect(wrong).toEqual([]);
});

test("what may be left out is not there on an older kernel", () => {
  for (const name of optional) if (!isSince(kernelVersion(), since[name])) expect(supports(name), name).toBe(false);
});

const has619 = isSince(kernelVersion(), "6.19") ? " (skipped: this kernel has it)" : "";
test.skipIf(has619 !== "")(`listns is not there before Linux 6.19${has619}`, () => {
  expect(supports("listns")).toBe(false);
});

test("landlockAbi() agrees with what is said of each version", () => {
  const abi = landlockAbi();
  expect(abi > 0).toBe(supports("landlock_create_ruleset"));
  expect(abi >= 2).toBe(supports("LANDLOCK_ACCESS_FS_REFER"));
  expect(abi >= 7).toBe(supports("LANDLOCK_RESTRICT_SELF_LOG"));
});

test("kernelVersion() is what /proc says", () => {
  expect(readFileSync("/proc/sys/kernel/osrelease", "utf8")).toStartWith(`${kernelVersion().join(".")}`);
});

/** In a process of its own, as the answers of this one are remembered: what it has before and after, and all answers. */
const program = `
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { askableFeatures, supports } from ${JSON.stringify(join(projectDir, "src/sys/supports.ts"))};
const link = (path) => { try { return readlinkSync(path); } catch { return undefined; } };
const read = (path) => { try { return readFileSync(path, "utf8"); } catch { return undefined; } };
const belongings = () => ({
  fds: readdirSync("/proc/self/fd").map((fd) => fd + " " + link("/proc/self/fd/" + fd)).filter((text) => !/undefined|proc.*fd$/.test(text)),
  namespaces: readdirSync("/proc/self/ns").map((name) => name + " " + link("/proc/self/ns/" + name)),
  mounts: read("/proc/self/mountinfo"),
  children: read("/proc/self/task/" + process.pid + "/children"),
  rights: read("/proc/self/status").split("\\n").filter((line) => /^(Cap|Seccomp|NoNewPrivs|Uid|Gid|Groups)/.test(line)),
  limits: read("/proc/self/limits"),
  filesystems: read("/proc/filesystems"),
  modules: read("/proc/modules")?.split("\\n").map((line) => line.split(" ")[0]).sort(),
});
supports("setns");
const before = belongings();
const answers = Object.fromEntries(askableFeatures().map((name) => [name, supports(name)]));
const after = belongings();
console.log(JSON.stringify({ before, after, answers }));
`;

interface Asked {
  readonly before: unknown;
  readonly after: unknown;
  readonly answers: Readonly<Record<AskableFeature, boolean>>;
}

for (const caller of callers) {
  testAs(caller, "asking for everything changes nothing, and has the same answers", async (uid) => {
    const { code, stdout, stderr } = await run([process.execPath, "-e", program], { uid });
    expect(stderr).toBe("");
    expect(code).toBe(0);
    const { before, after, answers } = JSON.parse(stdout) as Asked;
    expect(after).toEqual(before);
    expect(answers).toEqual(Object.fromEntries(askableFeatures().map((name) => [name, supports(name)])) as never);
  });
}

const noStrace = Bun.which("strace") === null ? " (skipped: strace is not installed)" : "";

/** A call that is hidden, and what is not there without it; names that strace 6.1 knows, of calls that Bun does without. */
const hidden: [name: string, without: readonly AskableFeature[]][] = [
  ["mount_setattr", ["mount_setattr", "MOUNT_ATTR_IDMAP", "MOUNT_ATTR_NOSYMFOLLOW"]],
  ["landlock_create_ruleset", ["landlock_create_ruleset", "LANDLOCK_ACCESS_FS_REFER", "LANDLOCK_SCOPE"]],
  ["seccomp", ["seccomp", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_RET_USER_NOTIF"]],
  ["name_to_handle_at", ["name_to_handle_at", "AT_HANDLE_FID", "file handles of pidfds"]],
  ["move_mount", ["move_mount", "MOVE_MOUNT_BENEATH"]],
  ["fsconfig", ["fsconfig", "FSCONFIG_CMD_CREATE_EXCL"]],
  ["kcmp", ["kcmp"]],
  ["pidfd_getfd", ["pidfd_getfd"]],
];
for (const [name, without] of hidden) {
  test.skipIf(noStrace !== "")(`where ${name} is answered with ENOSYS, it is not there${noStrace}`, async () => {
    const inject = ["-e", `trace=${name}`, "-e", `inject=${name}:error=ENOSYS`];
    const { code, stdout } = await run(["strace", "-f", "-o", "/dev/null", ...inject, process.execPath, "-e", program]);
    expect(code).toBe(0);
    const { answers } = JSON.parse(stdout) as Asked;
    expect(without.filter((feature) => answers[feature])).toEqual([]);
  });
}

/** What would be seen if a probe did what it asks about. */
const effects =
  "clone,clone3,fork,vfork,unshare,setns,mount,move_mount,fsmount,open_tree,umount2,pivot_root,execve,execveat,seccomp";

if (noStrace === "")
  for (const caller of callers) {
    testAs(caller, "no probe makes a process, a namespace, a mount or a filter", async (uid) => {
      const strace = ["strace", "-f", "-qq", "-e", `trace=${effects}`];
      const { stderr } = await run([...strace, process.execPath, "-e", program], { uid });
      expect(stderr).toContain("execveat(-1");
      const done = stderr
        .split("\n")
        .filter((line) => / = \d+/.test(line))
        // Bun itself: its start and its threads; and the question for an action, which changes nothing.
        .filter((line) => !/execve\("|CLONE_THREAD|clone3 resumed|GET_ACTION_AVAIL/.test(line));
      expect(done).toEqual([]);
    });
  }

test("the descriptors of this process are none of those that were asked about", () => {
  const targets = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  });
  expect(
    targets.filter(
      (target) => /pidfd|fscontext|bunshare-supports|^\w+:\[\d+\]$/.test(target) && !/^(pipe|socket)/.test(target),
    ),
  ).toEqual([]);
});
