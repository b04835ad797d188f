import { expect, test } from "bun:test";
import { mkdtempSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSysctl } from "../../src/proc/sysctl.ts";
import { type Check, diagnose, type Facts } from "../../src/spawn/diagnose.ts";
import type { DoctorReport } from "../../src/spawn/doctor.ts";
import { type NamespaceKind, namespaceKinds } from "../../src/ns/kinds.ts";
import { callers, projectDir, root, run, testAs, unprivilegedId } from "../helpers.ts";
import { type HostName, hosts, wellRoot, wellUser } from "./facts.ts";

const find = (checks: readonly Check[], id: string): Check => {
  const check = checks.find((one) => one.id === id);
  if (check === undefined) throw new Error(`no check ${id}`);
  return check;
};

// The host, what is asked, the answer, a part of the reason, and of the cure.
const table: [host: HostName, id: string, ok: Check["ok"], why?: string, cure?: string][] = [
  ["ubuntu", "userns.apparmor", false, "Ubuntu", 'profile bunshare "/home/ada/.bun/bin/bun" flags=(unconfined)'],
  ["ubuntu", "namespace.net", false, "apparmor_restrict_unprivileged_userns=1", "apparmor_parser -r"],
  ["ubuntu", "box.default", false, "apparmor_restrict_unprivileged_userns=1", "apparmor_parser -r"],
  ["debian", "userns.clone", false, "root only", "sysctl -w kernel.unprivileged_userns_clone=1"],
  ["debian", "namespace.user", false, "kernel.unprivileged_userns_clone=0", "/etc/sysctl.d/60-bunshare.conf"],
  ["debian", "box.default", false, "kernel.unprivileged_userns_clone=0", "kernel.unprivileged_userns_clone=1"],
  ["noUserNamespaces", "userns.max", false, "user.max_user_namespaces=0", "sysctl -w user.max_user_namespaces=15000"],
  ["noUserNamespaces", "namespace.uts", false, "user.max_user_namespaces=0", "user.max_user_namespaces=15000"],
  ["noNetNamespaces", "namespace.user", true],
  ["noNetNamespaces", "namespace.net", false, "user.max_net_namespaces=0", "sysctl -w user.max_net_namespaces=15000"],
  ["noNetNamespaces", "box.default", false, "user.max_net_namespaces=0", "sysctl -w user.max_net_namespaces=15000"],
  ["selinux", "userns.lsm", false, "SELinux", "audit2allow"],
  ["selinux", "namespace.user", false, "SELinux", "audit2allow"],
  ["chroot", "userns.root", false, "chroot", "bwrap --bind DIR /"],
  ["chroot", "namespace.user", false, "chroot", "systemd-nspawn"],
  ["initramfs", "box.default", false, "initial ramfs", "switch_root"],
  ["docker", "userns.seccomp", false, "filter of docker", "--security-opt seccomp=unconfined"],
  ["docker", "namespace.pid", false, "CAP_SYS_ADMIN", "docker run --security-opt seccomp=unconfined"],
  ["docker", "box.proc", false, "/proc/kcore", "docker run --security-opt systempaths=unconfined"],
  ["docker", "cgroup.pids", false, "may not be written", "--security-opt writable-cgroups=true"],
  ["docker", "box.default", false, "seccomp", "--security-opt apparmor=unconfined"],
  ["dockerUnfiltered", "box.default", false, "nothing is masked", "systempaths=unconfined"],
  ["dockerHolding", "cgroup.memory", false, "holds processes", "xargs -rn1 < /sys/fs/cgroup/cgroup.procs"],
  ["kubernetes", "box.proc", false, "nothing is masked", "procMount: Unmasked"],
  ["kubernetes", "namespace.user", false, "seccomp", "seccompProfile: { type: Unconfined }"],
  ["noexec", "kernel.memfd", false, "no memfd can be executed", "sysctl -w vm.memfd_noexec=1"],
  ["noexec", "box.default", false, "no memfd can be executed", "sysctl -w vm.memfd_noexec=1"],
  ["noexecFile", "kernel.memfd", "partly", "a file in the directory for temporary files", "vm.memfd_noexec=1"],
  ["noexecFile", "box.default", true],
  ["noMachineCode", "kernel.machine-code", false, "executable", "MemoryDenyWriteExecute=no"],
  ["noMachineCode", "box.default", false, "executable", "MemoryDenyWriteExecute=no"],
  ["linux54", "kernel.version", false, "openat2 (5.6), ", "5.12 at least"],
  ["linux54", "box.default", false, "close_range takes Linux 5.9", "5.12 at least"],
  ["linux61", "kernel.version", "partly", "CLONE_NEWTIME in clone3 (6.3: ", "6.6 has all of it"],
  ["linux61", "overlay.tmpfs", "partly", "EIO", "Linux 6.6"],
  ["noOverlay", "overlay.module", false, "no overlayfs", "modprobe overlay"],
  ["noOverlay", "overlay.user", false, "no overlayfs", "modprobe overlay"],
  ["noOverlay", "box.default", false, "no overlayfs", "modprobe overlay"],
  ["noMappers", "map.newuidmap", false, "only the own id", "apt install uidmap"],
  ["noMappers", "map.ranges", false, "both programs", "those above"],
  ["plainMapper", "map.newuidmap", false, "neither set-user-ID", "chmod u+s /usr/bin/newuidmap"],
  ["noNewPrivileges", "map.newgidmap", false, "no_new_privs", "NoNewPrivileges=no"],
  ["noRanges", "map.subuid", false, "only the own id", "usermod --add-subuids 100000-165535 ada"],
  ["noRanges", "map.subgid", false, "only the own id", "usermod --add-subgids 100000-165535 ada"],
  ["notDelegated", "cgroup.memory", false, "may not be written", "systemd-run --user --scope -p Delegate=yes"],
  ["notDelegatedByHand", "cgroup.cpu", false, "may not be written", "chown -R 1000 /sys/fs/cgroup/user-1000"],
  ["v1NotMine", "cgroup.pids", false, "may be written", "echo PID > /sys/fs/cgroup/pids/user-1000/cgroup.procs"],
  ["v1NotMine", "cgroup.memory", false, "turned off", "cgroup_enable=memory"],
  ["noCpu", "cgroup.pids", true],
  ["noCpu", "cgroup.cpu", false, "has no cpu in its cgroup.controllers", "Delegate=cpu cpuset io memory pids"],
  ["noMemory", "cgroup.memory", false, "turned off", "boot the kernel with cgroup_enable=memory"],
  ["noCgroups", "cgroup.layout", false, "no hierarchy", "mount -t cgroup2"],
  ["legacyTerminal", "terminal.tiocsti", "partly", "TIOCSTI", "sysctl -w dev.tty.legacy_tiocsti=0"],
];

for (const [host, id, ok, why, cure] of table)
  test(`${host}: ${id} is ${ok === true ? "ok" : ok === "partly" ? "partly ok" : "not ok, and what cures it is told"}`, () => {
    const check = find(diagnose(hosts[host] as Facts), id);
    expect(check.ok).toBe(ok);
    if (why !== undefined) expect(check.why).toContain(why);
    else expect(check.why).toBeUndefined();
    if (cure !== undefined) expect(check.cure).toContain(cure);
  });

test("where all is well every check is ok, for root and for a user", () => {
  for (const facts of [wellUser, wellRoot]) expect(diagnose(facts).filter(({ ok }) => ok !== true)).toEqual([]);
});

test("every no in the table of hosts has a reason and a cure", () => {
  const bare = Object.entries(hosts).flatMap(([host, facts]) =>
    diagnose(facts as Facts)
      .filter(({ ok, why, cure }) => ok === false && (!why || !cure))
      .map(({ id }) => `${host}: ${id}`),
  );
  expect(bare).toEqual([]);
});

test("every host is asked the same, under ids that are there once", () => {
  const ids = diagnose(wellUser).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const facts of Object.values(hosts))
    expect(
      diagnose(facts as Facts)
        .map(({ id }) => id)
        .filter((id) => id !== "overlay.root"),
    ).toEqual(ids);
});

test("settings for unprivileged users are no obstacle to root", () => {
  const sysctls = { ...hosts.ubuntu.sysctls, "kernel.unprivileged_userns_clone": "0" };
  const checks = diagnose({ ...wellRoot, sysctls });
  expect(find(checks, "userns.clone")).toMatchObject({ ok: true, found: expect.stringContaining("CAP_SYS_ADMIN") });
  expect(find(checks, "userns.apparmor").ok).toBe(true);
});

test("in a container, settings of the kernel are changed on the host", () => {
  const { cure } = find(diagnose({ ...(hosts.debian as Facts), container: "docker" }), "userns.clone");
  expect(cure).toStartWith("on the host: sysctl -w");
});

test("a namespace that is made, and a step after it that fails, is partly ok", () => {
  const net = { ok: false, step: "bring lo up", syscall: "ioctl", code: "EPERM" } as const;
  const check = find(diagnose({ ...wellUser, probes: { ...wellUser.probes, net } }), "namespace.net");
  expect(check).toMatchObject({ ok: "partly", found: "bring lo up: EPERM" });
});

// On the real kernel.

/** The machine of `bun run test:vm` is ten times slower. */
const isEmulated = process.env.BUNSHARE_VM !== undefined;

const script = `import { doctor } from "${join(projectDir, "src/spawn/mod.ts")}";
console.log(JSON.stringify(doctor()));`;
const command = [process.execPath, "-e", script];

/** Two reports, what was open and running after each, and what became of boxes with limits. */
const twice = `import { doctor, spawnIsolatedSync } from "${join(projectDir, "src/spawn/mod.ts")}";
import { readdirSync, readFileSync } from "node:fs";
const look = () => {
  const start = performance.now();
  const report = doctor();
  const elapsedMs = performance.now() - start;
  const children = readFileSync(\`/proc/self/task/\${process.pid}/children\`, "utf8");
  return { report, elapsedMs, left: { fds: readdirSync("/proc/self/fd").length, children } };
};
const works = (cgroup) => { try { return spawnIsolatedSync(["true"], { cgroup }).success } catch { return false } };
const limits = [{ "memory.max": "1G" }, { "pids.max": 100 }, { "cpu.max": "max" }].map(works);
console.log(JSON.stringify({ first: look(), second: look(), limits }));`;

/** In namespaces of unshare(1), where a line of shell has run first, and started through `words`. */
async function reportIn(namespaces: string, line: string, words: readonly string[] = []): Promise<DoctorReport> {
  const shell = ["sh", "-c", `${line} && exec "$@"`, "sh", ...words, ...command];
  const { stdout, stderr } = await run(["unshare", ...namespaces.split(" "), ...shell]);
  if (stdout === "") throw new Error(stderr);
  return JSON.parse(stdout);
}

const asNobody = ["setpriv", "--reuid", `${unprivilegedId}`, "--regid", `${unprivilegedId}`, "--clear-groups"];

for (const caller of callers)
  testAs(caller, "doctor() says what really happens, in less than 3 s, and leaves nothing behind", async (uid) => {
    const { stdout, stderr } = await run([process.execPath, "-e", twice], { uid });
    if (stdout === "") throw new Error(stderr);
    const { first, second, limits } = JSON.parse(stdout);
    const { checks } = second.report as DoctorReport;
    expect(["memory", "pids", "cpu"].map((name) => find(checks, `cgroup.${name}`).ok)).toEqual(limits);
    expect(second.left).toEqual(first.left);
    expect(second.elapsedMs).toBeLessThan(isEmulated ? 30_000 : 3000);

    const isPrivileged = find(checks, "namespace.mnt").found === "can be made";
    const unshare = (kind: NamespaceKind): readonly string[] => {
      const own = isPrivileged || kind === "user" ? [] : ["--user"];
      return ["unshare", ...own, `--${kind === "mnt" ? "mount" : kind}`, "--fork", "true"];
    };
    const made = await Promise.all(namespaceKinds.map(async (kind) => (await run(unshare(kind), { uid })).code === 0));
    expect(namespaceKinds.map((kind) => find(checks, `namespace.${kind}`).ok === true)).toEqual(made);
  });

test("where user.max_net_namespaces is 0, doctor() names it", async () => {
  const { ok, checks } = await reportIn("--user --map-root-user", "echo 0 > /proc/sys/user/max_net_namespaces");
  expect(ok).toBe(false);
  for (const id of ["userns.max", "namespace.net", "box.default"])
    expect(find(checks, id)).toMatchObject({ ok: false, why: expect.stringContaining("user.max_net_namespaces=0") });
  expect(find(checks, "namespace.uts").ok).toBe(true);
});

testAs(root, "where /proc is masked, doctor() names the mask", async () => {
  const { ok, checks } = await reportIn("--mount", "mount -t tmpfs none /proc/fs", asNobody);
  expect(ok).toBe(false);
  for (const id of ["box.proc", "box.default"])
    expect(find(checks, id)).toMatchObject({ ok: false, why: expect.stringContaining("/proc/fs is mounted over") });
});

testAs(root, "in a chroot that looks like any root, doctor() finds out", async () => {
  const dir = mkdtempSync(join(tmpdir(), "bunshare-doctor-"));
  const { ok, checks } = await reportIn("--mount", `mount --rbind / ${dir}`, ["chroot", dir, ...asNobody]).finally(() =>
    rmdirSync(dir),
  );
  expect(ok).toBe(false);
  for (const id of ["userns.root", "namespace.user", "box.default"])
    expect(find(checks, id)).toMatchObject({ ok: false, why: expect.stringContaining("in a chroot") });
});

const canForbid = readSysctl("vm.memfd_noexec") !== undefined;
const forbidder = canForbid ? root : { ...root, skip: root.skip ?? "this kernel has no vm.memfd_noexec" };
testAs(forbidder, "where no memfd can be executed, doctor() says what that changes", async () => {
  const { checks } = await reportIn("--pid --fork --mount-proc", "echo 2 > /proc/sys/vm/memfd_noexec");
  expect(find(checks, "kernel.memfd").ok).toBe(find(checks, "box.default").ok ? "partly" : false);
});
