import { expect, test } from "bun:test";
import { formatReport } from "../../scripts/commands/doctor.ts";
import { diagnose } from "../../src/spawn/diagnose.ts";
import { bunshare, bunshareCommand, callers, run, testAs } from "../helpers.ts";
import { hosts } from "../spawn/facts.ts";

test("doctor prints a headline for each group, and a reason and a cure below each no", () => {
  const { kernel: _, release, arch, uid } = hosts.noRanges;
  const checks = diagnose(hosts.noRanges).filter(({ group }) => group === "kernel" || group === "id maps");
  expect(formatReport({ ok: true, kernel: release, arch, uid, checks })).toBe(
    `Linux 6.12.41+deb13-amd64, x64, uid 1000

kernel
  ok      version: 6.12.41+deb13-amd64
  ok      machine code: a page of it can be made, for calls to the kernel
  ok      programs in memory: vm.memfd_noexec=0

id maps
  ok      newuidmap: /usr/bin/newuidmap
  ok      newgidmap: /usr/bin/newgidmap
  no      /etc/subuid: nothing for ada
          why:  without a range, a user can map only the own id
          cure: usermod --add-subuids 100000-165535 ada (a range that nobody else has)
  no      /etc/subgid: nothing for ada
          why:  without a range, a user can map only the own id
          cure: usermod --add-subgids 100000-165535 ada (a range that nobody else has)
  ok      ranges of ids: can be mapped

The default box works here.
`,
  );
});

for (const caller of callers)
  testAs(caller, "doctor ends with 0 where the default box works, and --json says the same", async (uid) => {
    const [text, json] = await Promise.all([bunshare(["doctor"], { uid }), bunshare(["doctor", "--json"], { uid })]);
    const report = JSON.parse(json.stdout);
    expect(report.ok).toBe(json.code === 0);
    expect(json.code).toBe(text.code);
    expect(text.stdout).toEndWith(`The default box ${report.ok ? "works" : "does not work"} here.\n`);
    // No terminal, no colours.
    expect(text.stdout).not.toContain("\x1b");
    expect([text.stderr, json.stderr]).toEqual(["", ""]);
  });

test("doctor ends with 1 where the default box does not work", async () => {
  const line = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"';
  const words = ["unshare", "--user", "--map-root-user", "sh", "-c", line, "sh", ...bunshareCommand(["doctor"])];
  const { code, stdout } = await run(words);
  expect(code).toBe(1);
  expect(stdout).toContain("cure: sysctl -w user.max_user_namespaces=15000");
  expect(stdout).toEndWith("The default box does not work here.\n");
});

test("doctor is coloured on a terminal, and not where NO_COLOR is set", async () => {
  const shown = await Promise.all(
    [undefined, "1"].map(async (NO_COLOR) => {
      const chunks: string[] = [];
      const child = Bun.spawn(bunshareCommand(["doctor"]), {
        env: { PATH: process.env.PATH, TERM: "xterm", NO_COLOR },
        terminal: { data: (_, data) => void chunks.push(new TextDecoder().decode(data)) },
      });
      await child.exited;
      return chunks.join("");
    }),
  );
  expect(shown[0]).toContain("\x1b[32mok\x1b[39m");
  expect(shown[1]).toContain("  ok      machine code: ");
  expect(shown[1]).not.toContain("\x1b[3");
});

test("doctor --help prints the help, and a word that it does not know ends with 2", async () => {
  const [help, option, word] = await Promise.all([
    bunshare(["doctor", "--help"]),
    bunshare(["doctor", "--jsno"]),
    bunshare(["doctor", "me"]),
  ]);
  expect(help.stdout).toStartWith("bunshare doctor [options]\n");
  expect(help.code).toBe(0);
  expect([option.code, word.code]).toEqual([2, 2]);
  expect(option.stderr).toContain("--jsno");
});
