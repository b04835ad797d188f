/** `bunshare explain`: the same arguments as `run`, and nothing done. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { explain, plan } from "../../mod.ts";
import { bunshare, callers, testAs, user } from "../helpers.ts";

for (const caller of callers) {
  testAs(caller, "explain prints numbered steps and their syscalls, from mmap to the undo section", async (uid) => {
    const { code, stdout, stderr } = await bunshare(["explain", "--hostname=inside", "--", "/usr/bin/id"], { uid });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toStartWith("host: ");
    expect(stdout).toContain("set the host name to inside\n");
    expect(stdout).toContain('sethostname("inside", 6)');
    expect(stdout).toContain('execve("/usr/bin/id", ["/usr/bin/id"], ');
    expect(stdout).toContain("\nundo: ");
  });

  testAs(
    caller,
    "explain --json has the command, and each step with its number, section, label and call",
    async (uid) => {
      const { code, stdout } = await bunshare(["explain", "--json", "--", "/usr/bin/id", "-u"], { uid });
      expect(code).toBe(0);
      const { command, steps } = JSON.parse(stdout);
      expect(command).toEqual(["/usr/bin/id", "-u"]);
      expect(steps.map(({ step }: { step: number }) => step)).toEqual(steps.map((_: unknown, i: number) => i + 1));
      expect(steps.find(({ label }: { label: string }) => label.startsWith("clone the box"))).toEqual({
        step: expect.any(Number),
        section: "host",
        label: "clone the box with new user, mnt, pid, net, ipc, uts, cgroup, time namespaces",
        call: expect.stringContaining("CLONE_NEWUSER"),
      });
    },
  );

  testAs(caller, "explain does nothing: no file is written, no program run", async (uid) => {
    await bunshare(["explain", "--", "sh", "-c", "echo x > /tmp/bunshare-explained"], { uid });
    expect(existsSync("/tmp/bunshare-explained")).toBe(false);
  });
}

test("explain prints what explain() of the library says", async () => {
  const { stdout } = await bunshare(["explain", "--root=/", "--env=A=1", "--clear-env", "--cwd=/", "/usr/bin/id"]);
  const text = explain(plan(["/usr/bin/id"], { root: "/", env: { A: "1" }, cwd: "/" }));
  expect(withoutNames(stdout)).toBe(withoutNames(text));
});

testAs(user, "what only root could run is an error with a reason, before anything is done", async (uid) => {
  const { code, stdout, stderr } = await bunshare(["explain", "--unshare=net", "--", "true"], { uid });
  expect({ code, stdout }).toEqual({ code: 125, stdout: "" });
  expect(stderr).toContain("takes CAP_SYS_ADMIN");
});

test("explain takes run's options and complains alike", async () => {
  expect(await bunshare(["explain"])).toEqual({
    code: 2,
    stdout: "",
    stderr: "bunshare: a command is missing: -- CMD ARGS...\nSee `bunshare explain --help`\n",
  });
  expect((await bunshare(["explain", "--uid=x", "true"])).code).toBe(2);
  const { code, stderr } = await bunshare(["explain", "--json", "--root=/nowhere", "true"]);
  expect(code).toBe(125);
  expect(JSON.parse(stderr.trim().split("\n").at(-1) ?? "").error).toMatchObject({ name: "OptionsError" });
});

test("explain --help says what it does and lists the options", async () => {
  const { code, stdout } = await bunshare(["explain", "--help"]);
  expect(code).toBe(0);
  expect(stdout).toContain("bunshare explain [options]");
  expect(stdout).toContain("--unshare LIST|all|none");
});

/** Names that differ from one plan to the next. */
const withoutNames = (text: string): string => text.replace(/bunshare-[0-9a-f]{6}/g, "bunshare-TOKEN");
