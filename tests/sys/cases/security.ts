/** Rights: ids, capabilities, filters, keys, programs on cgroups. */
import { chownSync, mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BpfInsn, bpfStmt } from "../../../src/sys/bpf.ts";
import { capabilityMask, capabilityNames, capabilitySets } from "../../../src/sys/capabilities.ts";
import {
  AT_FDCWD,
  BPF_ALU_OP,
  BPF_ATTACH_TYPE,
  BPF_CLASS,
  BPF_F,
  BPF_F_QUERY,
  BPF_JMP_OP,
  BPF_MODE,
  BPF_PROG_TYPE,
  BPF_RVAL,
  BPF_SIZE,
  CAP,
  KEY,
  KEY_SPEC,
  KEYCTL,
  LANDLOCK_ACCESS_FS,
  LANDLOCK_ACCESS_NET,
  LANDLOCK_RESTRICT_SELF,
  LANDLOCK_SCOPE,
  O,
  POLL,
  PR,
  SECCOMP_ADDFD_FLAG,
  SECCOMP_FILTER_FLAG,
  SECCOMP,
  SECCOMP_RET,
  SECCOMP_USER_NOTIF,
  SECCOMP_USER_NOTIF_FLAG,
} from "../../../src/sys/flags.ts";
import { sys } from "../../../src/sys/vocabulary.ts";
import { type Arch, numberOf } from "../../../src/sys/numbers.ts";
import { isSince } from "../../../src/sys/since.ts";
import { kernelVersion } from "../../../src/sys/supports.ts";
import type { Case, Family, Traced } from "./case.ts";
import { type Answer, filterOf, type Request } from "./security-thread.ts";

const isRoot = process.getuid?.() === 0;
const kernel = kernelVersion();
const noFd = 999_999;

/** A field of the calling thread's status: other threads may have other rights. */
const status = (field: string): string =>
  new RegExp(`^${field}:\\s*(.*)$`, "m").exec(readFileSync("/proc/thread-self/status", "utf8"))?.[1] ?? "";
const ids = (field: "Uid" | "Gid"): string => status(field).split(/\s+/).slice(0, 3).join(" ");
const word = (bytes: Uint8Array, index = 0): number => new DataView(bytes.buffer).getUint32(4 * index, true);
const words = (bytes: Uint8Array, count: number): number[] => Array.from({ length: count }, (_, i) => word(bytes, i));

/** The errno of what node:fs and Bun do, or "". */
function codeOf(action: () => unknown): string {
  try {
    action();
    return "";
  } catch (error) {
    return String((error as { code?: unknown }).code);
  }
}

const idCases: readonly Case[] = [
  {
    name: "a thread knows its ids",
    run: (traced) => {
      traced.expect("uids are those of /proc", traced.call("getresuid").join(" ") === ids("Uid"));
      traced.expect("gids are those of /proc", traced.call("getresgid").join(" ") === ids("Gid"));
      traced.failsAs("EFAULT", "getresuid", { name: "getresuid", args: [null, { out: 4 }, { out: 4 }] });
      traced.failsAs("EFAULT", "getresgid", { name: "getresgid", args: [{ out: 4 }, { out: 4 }, null] });
    },
  },
  {
    name: "root becomes another, and cannot go back",
    as: "root",
    alone: true,
    run: (traced) => {
      traced.call("setgroups", [1, 70_000, 3]);
      traced.expect("they are sorted", traced.call("getgroups").join() === "1,3,70000");
      traced.expect("room for four is enough", traced.call("getgroups", 16).length === 3);
      traced.expect("/proc says the same", status("Groups").trim() === "1 3 70000");
      traced.fails("EINVAL", "getgroups", 8);
      traced.call("setgroups", []);
      traced.expect("there are none", traced.call("getgroups").length === 0);
      traced.call("setresgid", 5, 6, 7);
      traced.expect("gids are set", ids("Gid") === "5 6 7");
      traced.call("setresgid", -1, 7, -1);
      traced.expect("-1 leaves one", ids("Gid") === "5 7 7");
      traced.call("setresuid", 65534, 65534, 0);
      traced.expect("uids are set", ids("Uid") === "65534 65534 0");
      traced.call("setresuid", -1, 0, -1);
      traced.call("setresuid", 65534, 65534, 65534);
      const error = traced.fails("EPERM", "setresuid", 0, 0, 0);
      traced.expect("the hint says why", error?.hint?.includes("CAP_SETUID") === true);
      traced.fails("EPERM", "setresgid", 0, -1, -1);
      traced.fails("EPERM", "setgroups", []);
    },
  },
  {
    name: "a user may take only the ids that it has",
    as: "user",
    run: (traced) => {
      const before = [ids("Uid"), ids("Gid")].join();
      traced.call("setresuid", -1, -1, -1);
      traced.call("setresgid", -1, process.getgid?.() ?? -1, -1);
      traced.expect("nothing has changed", [ids("Uid"), ids("Gid")].join() === before);
      traced.fails("EPERM", "setresuid", 0, 0, 0);
      traced.fails("EPERM", "setresgid", -1, -1, 0);
      traced.fails("EPERM", "setgroups", [0]);
    },
  },
  {
    name: "an id that a user namespace has not is no id",
    in: ["unshare", "-Ur"],
    run: (traced) => {
      const error = traced.fails("EINVAL", "setresuid", 5, 5, 5);
      traced.expect("the hint says why", error?.hint?.includes("map of the user namespace") === true);
      traced.fails("EINVAL", "setresgid", 5, -1, -1);
      // unshare(1) wrote "deny" to setgroups.
      traced.fails("EPERM", "setgroups", [0]);
    },
  },
];

const capabilityCases: readonly Case[] = [
  {
    name: "capset drops capabilities, and nobody gets them back",
    alone: true,
    run: (traced) => {
      const before = capabilitySets(traced.call("capget", 0));
      traced.expect("effective ones are those of /proc", before.effective === BigInt(`0x${status("CapEff")}`));
      traced.expect("permitted ones are", before.permitted === BigInt(`0x${status("CapPrm")}`));
      traced.expect("inheritable ones are", before.inheritable === BigInt(`0x${status("CapInh")}`));
      traced.expect("root can all", before.effective === 0n || capabilityNames(before.effective).includes("CAP_BPF"));
      const file = join(traced.dir(), "file");
      writeFileSync(file, "");
      if (isRoot) {
        const [few, fewer] = [capabilityMask(CAP.CHOWN, CAP.SETPCAP, CAP.BPF, CAP.SYS_ADMIN), capabilityMask(CAP.BPF)];
        traced.call("capset", 0, { effective: few, permitted: few, inheritable: few });
        traced.expect("the thread has these", BigInt(`0x${status("CapEff")}`) === few);
        traced.expect("a file changes hands", codeOf(() => chownSync(file, 1, 1)) === "");
        // A number holds every capability that there is.
        traced.call("capset", 0, { effective: Number(fewer), permitted: few, inheritable: 0 });
        traced.expect("only CAP_BPF is effective", status("CapEff") === "0000008000000000");
        traced.expect("it does not any more", codeOf(() => chownSync(file, 0, 0)) === "EPERM");
        traced.call("capset", 0, { effective: few, permitted: few, inheritable: 0 });
      }
      traced.call("capset", 0, { effective: 0n, permitted: 0n, inheritable: 0n });
      traced.expect("nothing is left", /^0+$/.test(status("CapEff")) && /^0+$/.test(status("CapPrm")));
      traced.expect(
        "its names are none",
        capabilityNames(capabilitySets(traced.call("capget", 0)).permitted).length === 0,
      );
      const some = capabilityMask(CAP.NET_RAW);
      const error = traced.fails("EPERM", "capset", 0, { effective: some, permitted: some, inheritable: 0n });
      traced.expect("the hint says why", error?.hint?.includes("given up but not gained") === true);
      traced.fails("EPERM", "capset", 0, { effective: some, permitted: 0n, inheritable: 0n });
      traced.fails("EPERM", "capset", 0, { effective: 0n, permitted: 0n, inheritable: some });
    },
  },
  {
    name: "capabilities are one's own to change, and everyone's to see",
    run: (traced) => {
      const init = capabilitySets(traced.call("capget", 1));
      const its = /^CapEff:\s*(\w+)$/m.exec(readFileSync("/proc/1/status", "utf8"))?.[1];
      traced.expect("init has what /proc says", init.effective === BigInt(`0x${its}`));
      traced.fails("EPERM", "capset", 1, { effective: 0, permitted: 0, inheritable: 0 });
      traced.fails("ESRCH", "capget", 0x7fffffff);
      traced.fails("EINVAL", "capget", -1);
    },
  },
];

const deny = (errno: number): number => SECCOMP_RET.ERRNO | errno;
const allowAll = [bpfStmt(BPF_CLASS.RET | BPF_RVAL.K, SECCOMP_RET.ALLOW)];

const seccompCases: readonly Case[] = [
  {
    name: "a filter forbids what it names, to this thread and its children",
    alone: true,
    run: (traced) => {
      if (!isRoot) {
        const error = traced.fails("EACCES", "seccompSetModeFilter", 0, allowAll);
        traced.expect("the hint says why", error?.hint?.includes("no_new_privs") === true);
      }
      sys.prctl(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      traced.expect("uname works before", Bun.spawnSync(["uname"]).exitCode === 0);
      const answers = { uname: deny(1), landlock_create_ruleset: deny(38), getresuid: deny(11) };
      traced.expect("it is in place", traced.call("seccompSetModeFilter", 0, filterOf(answers)) === 0);
      traced.expect("/proc sees it", status("Seccomp") === "2" && status("Seccomp_filters") === "1");
      const { exitCode, stderr } = Bun.spawnSync(["uname"], { env: { LC_ALL: "C" } });
      traced.expect("uname fails", exitCode !== 0 && stderr.toString().includes("Operation not permitted"));
      traced.fails("ENOSYS", "landlockVersion");
      traced.fails("ENOSYS", "landlockErrata");
      traced.fails("EAGAIN", "getresuid");
      // Another on top, which the kernel is to log.
      traced.call("seccompSetModeFilter", SECCOMP_FILTER_FLAG.LOG, allowAll);
      traced.expect("there are two", status("Seccomp_filters") === "2");
      const others = readdirSync("/proc/self/task").filter((task) => task !== String(process.pid));
      const isFiltered = (task: string) =>
        /^Seccomp:\s*2$/m.test(readFileSync(`/proc/self/task/${task}/status`, "utf8"));
      traced.expect("other threads have none", others.length > 0 && !others.some(isFiltered));
      const flags = SECCOMP_FILTER_FLAG.TSYNC | SECCOMP_FILTER_FLAG.SPEC_ALLOW;
      traced.expect("all threads are in line", traced.call("seccompSetModeFilter", flags, allowAll) === 0);
      traced.expect("all threads have it", readdirSync("/proc/self/task").every(isFiltered));
      // One mode is on for good.
      traced.fails("EINVAL", "seccompSetModeStrict");
    },
  },
  {
    name: "a filter has to be a program",
    alone: true,
    run: (traced) => {
      sys.prctl(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      const ret = BPF_CLASS.RET | BPF_RVAL.K;
      traced.fails("EINVAL", "seccompSetModeFilter", 0, []);
      traced.fails(
        "EINVAL",
        "seccompSetModeFilter",
        0,
        Array.from({ length: 4097 }, () => bpfStmt(ret, 0)),
      );
      // Without an end, a load that is not aligned, a jump beyond the end, registers, stores, what no filter has.
      const load = BPF_CLASS.LD | BPF_SIZE.W | BPF_MODE.ABS;
      traced.fails("EINVAL", "seccompSetModeFilter", 0, [bpfStmt(load, 0)]);
      traced.fails("EINVAL", "seccompSetModeFilter", 0, [bpfStmt(load, 2), ...allowAll]);
      traced.fails("EINVAL", "seccompSetModeFilter", 0, [bpfStmt(load, 64), ...allowAll]);
      traced.fails("EINVAL", "seccompSetModeFilter", 0, [
        { code: BPF_CLASS.JMP | BPF_JMP_OP.JSET | 8, jt: 9, jf: 1, k: 0xffffffff },
        ...allowAll,
      ]);
      const odd = [0x34, 0x61, 0xa0, 0x87, 0x07, 0x03, 0x1c, 0x16, 0x05, 0x4f02, 0x8f06, 0x48, 0xff];
      const error = traced.fails(
        "EINVAL",
        "seccompSetModeFilter",
        SECCOMP_FILTER_FLAG.LOG,
        odd.map((code, i) => bpfStmt(code, i === 3 ? 0x7ff0000a : i)),
      );
      traced.expect("the hint says what a program is", error?.hint?.includes("return at the end") === true);
      traced.fails("EINVAL", "seccompSetModeFilter", 0x100, allowAll);
      traced.fails("EINVAL", "seccompSetModeFilter", SECCOMP_FILTER_FLAG.WAIT_KILLABLE_RECV, allowAll);
      traced.fails("EINVAL", "seccompNewListener", SECCOMP_FILTER_FLAG.TSYNC, allowAll);
      traced.expect("none was taken", status("Seccomp") === "0");
    },
  },
  {
    name: "the kernel says which actions it knows",
    run: (traced) => {
      const known = readFileSync("/proc/sys/kernel/seccomp/actions_avail", "utf8").trim().split(" ");
      for (const action of ["KILL_PROCESS", "ERRNO", "USER_NOTIF", "LOG", "ALLOW"] as const) {
        traced.call("seccompGetActionAvail", SECCOMP_RET[action]);
        traced.expect(`${action} is in the sysctl`, known.includes(action.toLowerCase()));
      }
      traced.fails("EOPNOTSUPP", "seccompGetActionAvail", 0x12340000);
      const sizes = traced.call("seccompGetNotifSizes");
      traced.expect("a notification has 80 bytes", sizes.seccomp_notif === 80 && sizes.seccomp_data === 64);
      traced.expect("an answer has 24", sizes.seccomp_notif_resp === 24);
      traced.failsAs("EFAULT", "seccompGetNotifSizes", {
        name: "seccomp",
        args: [{ flags: "SECCOMP", value: SECCOMP.GET_NOTIF_SIZES }, 0, null],
      });
    },
  },
  { name: "a listener answers the calls of another thread", alone: true, run: listen },
];

/** A Worker has the filter, this thread the listener. */
async function listen(traced: Traced): Promise<void> {
  const thread = new Worker(new URL("./security-thread.ts", import.meta.url));
  const answers: Answer[] = [];
  thread.onmessage = ({ data }: MessageEvent<Answer>) => answers.push(data);
  const ask = (request: Request): void => thread.postMessage(request);
  const answer = async (): Promise<Answer | undefined> => {
    for (let i = 0; i < 500 && answers.length === 0; i++) await Bun.sleep(10);
    return answers.shift();
  };
  const isCalled = async (): Promise<boolean> => {
    for (let i = 0; i < 500; i++) {
      if (sys.pollNow(listener, POLL.IN) === 1) return true;
      await Bun.sleep(10);
    }
    return false;
  };
  const flags = isSince(kernel, "5.19") ? SECCOMP_FILTER_FLAG.WAIT_KILLABLE_RECV : 0;
  ask({ filter: flags, log: process.argv[2] ?? "", name: "security/the thread of a listener" });
  const first = await answer();
  const listener = first !== undefined && "listener" in first ? first.listener : -1;
  try {
    if (!isSince(kernel, "6.6")) traced.fails("EINVAL", "seccompNotifSetFlags", listener, 0);
    else {
      traced.call("seccompNotifSetFlags", listener, SECCOMP_USER_NOTIF.FD_SYNC_WAKE_UP);
      traced.call("seccompNotifSetFlags", listener, 0);
      traced.fails("EINVAL", "seccompNotifSetFlags", listener, 0x100);
    }
    traced.fails("ENOENT", "seccompNotifIdValid", listener, 1n);
    traced.fails("ENOENT", "seccompNotifSend", listener, 0x123n, 1);
    traced.fails("ENOENT", "seccompNotifAddfd", listener, 0x123n, 0, 0);

    // A value.
    ask({ call: "getppid" });
    traced.expect("the listener is told", await isCalled());
    traced.fails("EINVAL", "seccompNotifRecv", listener, new Uint8Array(80).fill(1));
    const { id, ...notification } = traced.call("seccompNotifRecv", listener);
    traced.expect("it is about this call", notification["data.nr"] === numberOf("getppid", process.arch as Arch));
    traced.expect("it is of a thread of ours", readdirSync("/proc/self/task").includes(String(notification.pid)));
    traced.call("seccompNotifIdValid", listener, id);
    traced.fails("EINVAL", "seccompNotifSend", listener, id, 1, 0, SECCOMP_USER_NOTIF_FLAG.CONTINUE);
    traced.fails("EINVAL", "seccompNotifSend", listener, id, 0, 0, 0x80);
    traced.call("seccompNotifSend", listener, id, 77);
    traced.expect("the call returns it", Bun.deepEquals(await answer(), { result: 77 }));
    const gone = traced.fails("ENOENT", "seccompNotifIdValid", listener, id);
    traced.expect("the message names the request", gone?.message.includes("SECCOMP_IOCTL_NOTIF_ID_VALID") === true);

    // An error.
    ask({ call: "getsid" });
    traced.expect("the listener is told again", await isCalled());
    const second = traced.call("seccompNotifRecv", listener);
    traced.call("seccompNotifSend", listener, second.id, 0, -13);
    traced.expect("the call fails with it", Bun.deepEquals(await answer(), { code: "EACCES" }));

    // The call itself.
    ask({ call: "getppid" });
    traced.expect("and again", await isCalled());
    const third = traced.call("seccompNotifRecv", listener);
    traced.call("seccompNotifSend", listener, third.id, 0, 0, SECCOMP_USER_NOTIF_FLAG.CONTINUE);
    traced.expect("the call was made", Bun.deepEquals(await answer(), { result: process.ppid }));

    // A descriptor.
    ask({ call: "getppid" });
    traced.expect("once more", await isCalled());
    const fourth = traced.call("seccompNotifRecv", listener);
    using source = sys.openat(AT_FDCWD, "/dev/null", O.RDONLY | O.CLOEXEC);
    const number = traced.call("seccompNotifAddfd", listener, fourth.id, 0, source, 0, O.CLOEXEC);
    const isNull = (fd: number) => statSync(`/proc/self/fd/${fd}`).rdev === statSync("/dev/null").rdev;
    traced.expect("the thread has it", number !== source.number && isNull(number));
    sys.close(number);
    traced.call("seccompNotifAddfd", listener, fourth.id, SECCOMP_ADDFD_FLAG.SETFD, source, 500);
    traced.expect("at the number that was asked for", isNull(500));
    sys.close(500);
    traced.fails("EINVAL", "seccompNotifAddfd", listener, fourth.id, 0, source, 501);
    traced.fails("EINVAL", "seccompNotifAddfd", listener, fourth.id, 0x80, source);
    traced.fails("EBADF", "seccompNotifAddfd", listener, fourth.id, 0, noFd);
    if (isSince(kernel, "5.14")) {
      const sent = traced.call("seccompNotifAddfd", listener, fourth.id, SECCOMP_ADDFD_FLAG.SEND, source);
      traced.expect("it is the answer", Bun.deepEquals(await answer(), { result: sent }) && isNull(sent));
      sys.close(sent);
    } else sys.seccompNotifSend(listener, fourth.id, 0);

    // What the thread has, this one has not.
    if (!isRoot) sys.prctl(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const other = traced.call("seccompSetModeFilter", SECCOMP_FILTER_FLAG.TSYNC, allowAll);
    traced.expect("TSYNC names it", other === fourth.pid);
    traced.fails(
      "ESRCH",
      "seccompSetModeFilter",
      SECCOMP_FILTER_FLAG.TSYNC | SECCOMP_FILTER_FLAG.TSYNC_ESRCH,
      allowAll,
    );
    traced.fails("ENOTTY", "seccompNotifRecv", source);
  } finally {
    // The thread's calls fail from now on with ENOSYS, and do not wait.
    sys.close(listener);
    thread.terminate();
  }
}

/** Landlock's version, 0 where it is not there. */
const landlock = ((): number => {
  try {
    return sys.landlockVersion();
  } catch {
    return 0;
  }
})();
const absent = ["EOPNOTSUPP", "ENOSYS"] as const;

/** Cases for kernels without Landlock have nothing to show but that. */
const withLandlock = (run: (traced: Traced) => void | Promise<void>) => (traced: Traced) =>
  landlock > 0 ? run(traced) : void traced.callOr(absent, "landlockVersion");

const landlockCases: readonly Case[] = [
  {
    name: "Landlock says which version it has",
    run: (traced) => {
      const version = traced.callOr(absent, "landlockVersion") ?? 0;
      traced.expect("it is that of the kernel", version <= 1 || isSince(kernel, "5.19"));
      traced.expect("networks are of 6.7", version < 4 || isSince(kernel, "6.7"));
      const errata = traced.callOr([...absent, "EINVAL"], "landlockErrata");
      traced.expect("errata are of version 7", errata === undefined || errata >= 0);
    },
  },
  {
    name: "Landlock forbids a file",
    alone: true,
    run: withLandlock((traced) => {
      const [allowed, forbidden] = [traced.dir(), traced.dir()];
      const FS = LANDLOCK_ACCESS_FS;
      for (const dir of [allowed, forbidden]) writeFileSync(join(dir, "file"), "text");
      using ruleset = traced.call("landlockCreateRuleset", FS.READ_FILE | FS.READ_DIR | FS.EXECUTE | FS.MAKE_DIR);
      using below = sys.openat(AT_FDCWD, allowed, O.PATH | O.CLOEXEC);
      using beside = sys.openat(AT_FDCWD, forbidden, O.PATH | O.CLOEXEC);
      using file = sys.openat(AT_FDCWD, join(allowed, "file"), O.PATH | O.CLOEXEC);
      traced.call("landlockAddRulePathBeneath", ruleset, FS.READ_FILE | FS.READ_DIR, below);
      traced.call("landlockAddRulePathBeneath", ruleset, FS.READ_DIR, beside);
      traced.call("landlockAddRulePathBeneath", ruleset, FS.READ_FILE, file);
      if (!isRoot) {
        const error = traced.fails("EPERM", "landlockRestrictSelf", ruleset);
        traced.expect("the hint says why", error?.hint?.includes("no_new_privs") === true);
      }
      sys.prctl(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      traced.call("landlockRestrictSelf", ruleset);
      traced.expect("a file below can be read", readFileSync(join(allowed, "file"), "utf8") === "text");
      traced.expect("another cannot", codeOf(() => readFileSync(join(forbidden, "file"))) === "EACCES");
      traced.expect("its directory can", codeOf(() => readdirSync(forbidden)) === "");
      traced.expect("no other can", codeOf(() => readdirSync("/etc")) === "EACCES");
      traced.expect("none can be made", codeOf(() => mkdirSync(join(allowed, "new"))) === "EACCES");
      traced.expect("what is not handled can", codeOf(() => writeFileSync(join(forbidden, "new"), "")) === "");
      traced.expect("a program cannot", codeOf(() => Bun.spawnSync(["/bin/true"])) !== "");
    }),
  },
  {
    name: "Landlock forbids ports, and what other domains may get",
    alone: true,
    run: withLandlock(async (traced) => {
      const NET = LANDLOCK_ACCESS_NET;
      if (landlock < 4) {
        traced.fails("E2BIG", "landlockCreateRuleset", 0, NET.BIND_TCP);
        return;
      }
      const empty = { open() {}, data() {} };
      const listenOn = (port: number) => Bun.listen({ hostname: "127.0.0.1", port, socket: empty });
      const [one, two] = [listenOn(0), listenOn(0)];
      const [good, bad] = [one.port, two.port];
      for (const server of [one, two]) server.stop(true);
      // It ends with its input: this thread will not be able to kill it.
      const child = Bun.spawn(["cat"], { stdin: "pipe" });
      try {
        forbidPorts(traced, good, bad, listenOn);
        traced.expect("the child hears a signal", codeOf(() => process.kill(child.pid, 0)) === "");
        if (landlock < 6) {
          traced.fails("E2BIG", "landlockCreateRuleset", 0, 0, LANDLOCK_SCOPE.SIGNAL);
          return;
        }
        const scoped = LANDLOCK_SCOPE.SIGNAL | LANDLOCK_SCOPE.ABSTRACT_UNIX_SOCKET;
        using ruleset = traced.call("landlockCreateRuleset", 0, 0, scoped);
        const { LOG_SAME_EXEC_OFF, LOG_SUBDOMAINS_OFF } = LANDLOCK_RESTRICT_SELF;
        traced.call("landlockRestrictSelf", ruleset, landlock < 7 ? 0 : LOG_SAME_EXEC_OFF | LOG_SUBDOMAINS_OFF);
        traced.expect("it does not any more", codeOf(() => process.kill(child.pid, 0)) === "EPERM");
      } finally {
        await child.stdin.end();
        await child.exited;
      }
    }),
  },
  {
    name: "a ruleset has to make sense",
    alone: true,
    run: withLandlock((traced) => {
      const FS = LANDLOCK_ACCESS_FS;
      const none = traced.fails("ENOMSG", "landlockCreateRuleset", 0);
      traced.expect("the hint says why", none?.hint?.includes("No right") === true);
      traced.fails("EINVAL", "landlockCreateRuleset", 0x40000000);
      using ruleset = traced.call("landlockCreateRuleset", FS.EXECUTE | FS.WRITE_FILE | FS.READ_DIR);
      using root = sys.openat(AT_FDCWD, "/", O.PATH | O.CLOEXEC);
      using file = sys.openat(AT_FDCWD, "/etc/passwd", O.PATH | O.CLOEXEC);
      const ends = sys.pipe2(O.CLOEXEC);
      using reader = ends[0];
      using writer = ends[1];
      traced.fails("EINVAL", "landlockAddRulePathBeneath", ruleset, FS.READ_FILE, root);
      traced.fails("EINVAL", "landlockAddRulePathBeneath", ruleset, FS.READ_DIR, file);
      traced.fails("ENOMSG", "landlockAddRulePathBeneath", ruleset, 0, root);
      traced.fails("EBADF", "landlockAddRulePathBeneath", noFd, FS.EXECUTE, root);
      traced.fails("EBADF", "landlockAddRulePathBeneath", ruleset, FS.EXECUTE, noFd);
      traced.fails("EBADFD", "landlockAddRulePathBeneath", reader, FS.EXECUTE, root);
      traced.fails("EBADFD", "landlockAddRulePathBeneath", ruleset, FS.EXECUTE, ruleset);
      traced.fails("EBADFD", "landlockAddRulePathBeneath", ruleset, FS.EXECUTE, writer);
      sys.prctl(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      traced.fails("EBADF", "landlockRestrictSelf", noFd);
      traced.fails("EBADFD", "landlockRestrictSelf", reader);
      traced.fails("EINVAL", "landlockRestrictSelf", ruleset, 0x100);
      using weak = sys.landlockCreateRuleset(FS.MAKE_BLOCK);
      for (let i = 0; i < 16; i++) sys.landlockRestrictSelf(weak);
      const many = traced.fails("E2BIG", "landlockRestrictSelf", weak);
      traced.expect("the hint says how many", many?.hint?.includes("16") === true);
    }),
  },
];

function forbidPorts(traced: Traced, good: number, bad: number, listenOn: (port: number) => { stop(all: true): void }) {
  const NET = LANDLOCK_ACCESS_NET;
  using ruleset = traced.call("landlockCreateRuleset", LANDLOCK_ACCESS_FS.MAKE_SOCK, NET.BIND_TCP | NET.CONNECT_TCP);
  traced.call("landlockAddRuleNetPort", ruleset, NET.BIND_TCP, good);
  traced.fails("EINVAL", "landlockAddRuleNetPort", ruleset, NET.BIND_TCP, 65536);
  traced.fails("EINVAL", "landlockAddRuleNetPort", ruleset, 4, good);
  traced.fails("ENOMSG", "landlockAddRuleNetPort", ruleset, 0, good);
  sys.prctl(PR.SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  traced.call("landlockRestrictSelf", ruleset);
  traced.expect("the port of the rule can be bound", codeOf(() => listenOn(good).stop(true)) === "");
  traced.expect("no other can", codeOf(() => listenOn(bad)) !== "");
}

/** The line of a key in /proc/keys: flags, usage, timeout, permissions, uid, gid, type, description. */
const keyLine = (id: number): readonly string[] | undefined =>
  readFileSync("/proc/keys", "utf8")
    .split("\n")
    .find((line) => line.startsWith(id.toString(16).padStart(8, "0")))
    ?.trim()
    .split(/\s+/);

const keyCases: readonly Case[] = [
  {
    name: "a session keyring of one's own holds keys",
    alone: true,
    run: async (traced) => {
      const before = sys.keyctlGetKeyringId(KEY_SPEC.SESSION_KEYRING, true);
      const ring = traced.call("joinSessionKeyring");
      traced.expect("it is another", ring !== before);
      traced.expect("/proc/keys has it", keyLine(ring)?.slice(7, 9).join(" ") === "keyring _ses:");
      traced.expect("it has a number", traced.call("keyctlGetKeyringId", KEY_SPEC.SESSION_KEYRING) === ring);
      traced.expect("the thread's is made", traced.call("keyctlGetKeyringId", KEY_SPEC.THREAD_KEYRING, true) > 0);
      const uid = process.getuid?.();
      const text = traced.call("keyctlDescribe", KEY_SPEC.SESSION_KEYRING);
      traced.expect("it says whose it is", new RegExp(`^keyring;${uid};${uid};[0-9a-f]{8};_ses$`).test(text));

      const secret = traced.call("addKey", "user", "bunshare:one", "secret", KEY_SPEC.SESSION_KEYRING);
      traced.expect("/proc/keys has the key", keyLine(secret)?.slice(7).join(" ") === "user bunshare:one: 6");
      traced.expect("it is read", new TextDecoder().decode(traced.call("keyctlRead", secret)) === "secret");
      traced.expect("it is in the keyring", words(traced.call("keyctlRead", ring), 1)[0] === secret);
      const bytes = Uint8Array.of(0, 255, 10);
      traced.expect("it is replaced", traced.call("addKey", "user", "bunshare:one", bytes, ring) === secret);
      traced.expect("all bytes are", Bun.deepEquals(traced.call("keyctlRead", secret), bytes));
      traced.expect("it is found", traced.call("requestKey", "user", "bunshare:one", null, 0) === secret);

      const inner = traced.call("addKey", "keyring", "bunshare:ring", null, ring);
      traced.call("keyctlLink", secret, inner);
      traced.call("keyctlUnlink", secret, ring);
      traced.expect("it has moved", words(traced.call("keyctlRead", inner), 1)[0] === secret);
      traced.fails("ENOENT", "keyctlUnlink", secret, ring);
      traced.fails("EDEADLK", "keyctlLink", ring, inner);
      traced.fails("ENOTDIR", "keyctlLink", inner, secret);

      traced.call("keyctlSetperm", secret, KEY.POS_VIEW | KEY.USR_VIEW | KEY.USR_SETATTR | KEY.GRP_READ | KEY.OTH_LINK);
      traced.expect("/proc/keys has its permissions", keyLine(secret)?.[4] === "01210210");
      traced.fails("EACCES", "keyctlRead", secret);
      traced.fails("EINVAL", "keyctlSetperm", secret, 0x40000000);
      traced.call("keyctlSetperm", secret, 0x3f3f0000);
      traced.call("keyctlSetTimeout", secret, 1);
      traced.expect("/proc/keys has its end", /^\ds$/.test(keyLine(secret)?.[3] ?? ""));
      await Bun.sleep(2100);
      traced.fails("EKEYEXPIRED", "keyctlRead", secret);

      const other = traced.call("addKey", "user", "bunshare:two", "x", inner);
      traced.call("keyctlRevoke", other);
      traced.fails("EKEYREVOKED", "keyctlRead", other);
      const third = traced.call("addKey", "user", "bunshare:three", "x", inner);
      traced.call("keyctlInvalidate", third);
      traced.fails("ENOKEY", "keyctlDescribe", third);
      const hidden = traced.call("addKey", "logon", "bunshare:four", "x", inner);
      traced.fails("EOPNOTSUPP", "keyctlRead", hidden);
      traced.call("keyctlClear", inner);
      traced.expect("it is empty", traced.call("keyctlRead", inner).length === 0);
      traced.fails("ENOTDIR", "keyctlClear", hidden === -1 ? ring : sys.addKey("user", "bunshare:five", "x", ring));

      const named = traced.call("joinSessionKeyring", "bunshare-case");
      traced.expect("/proc/keys has its name", keyLine(named)?.slice(7, 9).join(" ") === "keyring bunshare-case:");
      const [first = 0] = traced.call("keyctlCapabilities");
      traced.expect("it can say what it can", (first & 1) === 1);
    },
  },
  {
    name: "what is no key is told so",
    alone: true,
    run: (traced) => {
      sys.joinSessionKeyring();
      const no = 0x7fffffff;
      traced.fails("ENOKEY", "keyctlRevoke", no);
      traced.fails("ENOKEY", "keyctlSetperm", no, KEY.POS_VIEW);
      traced.fails("ENOKEY", "keyctlDescribe", no);
      traced.fails("ENOKEY", "keyctlClear", no);
      traced.fails("ENOKEY", "keyctlRead", no);
      traced.fails("ENOKEY", "keyctlSetTimeout", no, 1);
      traced.fails("ENOKEY", "keyctlInvalidate", no);
      traced.fails("ENOKEY", "keyctlGetKeyringId", KEY_SPEC.PROCESS_KEYRING);
      traced.fails("EINVAL", "keyctlGetKeyringId", -99);
      traced.fails("ENOKEY", "requestKey", "user", "bunshare:none", null, 0);
      traced.fails("ENODEV", "addKey", "no type", "name", "", KEY_SPEC.SESSION_KEYRING);
      traced.fails("EINVAL", "addKey", "user", "", "payload", KEY_SPEC.SESSION_KEYRING);
      traced.fails("EINVAL", "addKey", "user", "name", "", KEY_SPEC.SESSION_KEYRING);
      // Names with a dot are the kernel's.
      const error = traced.fails("EPERM", "addKey", "keyring", ".mine", null, KEY_SPEC.SESSION_KEYRING);
      traced.expect("a name is no path", error?.path === undefined);
      traced.fails("EINVAL", "joinSessionKeyring", "");
      const capabilities = { flags: "KEYCTL", value: KEYCTL.CAPABILITIES } as const;
      traced.failsAs("EFAULT", "keyctlCapabilities", { name: "keyctl", args: [capabilities, null, 16] });
    },
  },
];

const { LDX, JMP, ALU64, LD } = BPF_CLASS;
const load = (register: number, offset: number): BpfInsn => ({
  code: LDX | BPF_SIZE.W | BPF_MODE.MEM,
  dst_reg: register,
  src_reg: 1,
  off: offset,
});
const unless = (register: number, value: number, skip: number): BpfInsn => ({
  code: JMP | BPF_JMP_OP.JNE,
  dst_reg: register,
  off: skip,
  imm: value,
});
const set = (value: number): BpfInsn => ({ code: ALU64 | BPF_ALU_OP.MOV, imm: value });
const exit: BpfInsn = { code: JMP | BPF_JMP_OP.EXIT };
/** Forbids the device 1:3 and allows all others; major and minor number are at 4 and 8. */
const noNull = [load(2, 4), unless(2, 1, 4), load(2, 8), unless(2, 3, 2), set(0), exit, set(1), exit];

/** Where the v2 tree is: alone, or beside v1. */
const unified = /^(?:\S+ ){4}(\S+) .* - cgroup2 /m.exec(readFileSync("/proc/self/mountinfo", "utf8"))?.[1];
const DEVICE = BPF_ATTACH_TYPE.CGROUP_DEVICE;

const bpfCases: readonly Case[] = [
  {
    name: "a device program forbids /dev/null to a cgroup",
    as: "root",
    alone: true,
    run: async (traced) => {
      const dir = join(unified ?? "/sys/fs/cgroup", `bunshare-case-${process.pid}`);
      mkdirSync(dir);
      try {
        using group = sys.openat(AT_FDCWD, dir, O.RDONLY | O.DIRECTORY | O.CLOEXEC);
        using program = traced.call("bpfProgLoad", BPF_PROG_TYPE.CGROUP_DEVICE, noNull);
        using named = traced.call("bpfProgLoad", BPF_PROG_TYPE.CGROUP_DEVICE, [set(1), exit], "GPL", {
          name: "bunshare_case",
          expectedAttachType: DEVICE,
        });
        const idOf = (fd: number) =>
          Number(/^prog_id:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1]);
        traced.expect("a device opens before", (await openIn(dir, "/dev/null")) === "");
        traced.call("bpfProgAttach", group, program, DEVICE, BPF_F.ALLOW_MULTI);
        traced.expect("it is forbidden", (await openIn(dir, "/dev/null")).includes("Operation not permitted"));
        traced.expect("another is not", (await openIn(dir, "/dev/zero")) === "");
        traced.expect("outside nothing is", codeOf(() => readFileSync("/dev/null")) === "");

        traced.call("bpfProgAttach", group, named, DEVICE, BPF_F.ALLOW_MULTI);
        const list = new Uint8Array(64);
        const query = traced.call("bpfProgQuery", group, DEVICE, 0, list);
        traced.expect("two are attached", query.prog_cnt === 2 && query.attach_flags === BPF_F.ALLOW_MULTI);
        traced.expect("it is these", words(list, 2).join() === [program, named].map((fd) => idOf(fd.number)).join());
        traced.expect("they can be counted", traced.call("bpfProgQuery", group, DEVICE).prog_cnt === 2);
        traced.fails("ENOSPC", "bpfProgQuery", group, DEVICE, BPF_F_QUERY.EFFECTIVE, new Uint8Array(4));
        traced.call("bpfProgDetach", group, named, DEVICE);
        traced.fails("ENOENT", "bpfProgDetach", group, named, DEVICE);

        // By another that allows all.
        const { ALLOW_MULTI, REPLACE } = BPF_F;
        traced.call("bpfProgAttach", group, named, DEVICE, ALLOW_MULTI | REPLACE, program);
        traced.expect("it is allowed again", (await openIn(dir, "/dev/null")) === "");
        traced.fails("EINVAL", "bpfProgAttach", group, named, DEVICE, ALLOW_MULTI | REPLACE, program);
        using third = sys.bpfProgLoad(BPF_PROG_TYPE.CGROUP_DEVICE, [set(1), exit]);
        traced.fails("ENOENT", "bpfProgAttach", group, program, DEVICE, ALLOW_MULTI | REPLACE, third);
        traced.fails("EPERM", "bpfProgAttach", group, program, DEVICE, 0);
        traced.call("bpfProgDetach", group, named, DEVICE);

        {
          using _ = traced.call("bpfLinkCreate", program, group, DEVICE);
          traced.expect("a link forbids", (await openIn(dir, "/dev/null")).includes("Operation not permitted"));
          traced.fails("EINVAL", "bpfLinkCreate", program, group, BPF_ATTACH_TYPE.CGROUP_INET_INGRESS);
          traced.fails("EINVAL", "bpfLinkCreate", program, group, DEVICE, 0x80);
        }
        traced.expect("until it is closed", (await openIn(dir, "/dev/null")) === "");

        // What is no cgroup, no program, no type.
        using root = sys.openat(AT_FDCWD, "/", O.RDONLY | O.CLOEXEC);
        traced.fails("EBADF", "bpfProgAttach", root, program, DEVICE);
        traced.fails("EINVAL", "bpfProgAttach", group, root, DEVICE);
        traced.fails("EBADF", "bpfProgAttach", group, noFd, DEVICE);
        traced.fails("EINVAL", "bpfProgAttach", group, program, DEVICE, 0x100);
        traced.fails("EBADF", "bpfProgDetach", noFd, program, DEVICE);
        traced.fails("EINVAL", "bpfProgDetach", group, program, 9999);
        traced.fails("EBADF", "bpfProgQuery", root, DEVICE);
        traced.fails("EBADF", "bpfLinkCreate", program, noFd, DEVICE);
      } finally {
        rmdirSync(dir);
      }
    },
  },
  {
    name: "the verifier says why it refuses a program",
    as: "root",
    run: (traced) => {
      const type = BPF_PROG_TYPE.CGROUP_DEVICE;
      const log = new Uint8Array(65536);
      const reason = (): string => new TextDecoder().decode(log.subarray(0, log.indexOf(0)));
      // No such byte in what it is given.
      traced.fails("EACCES", "bpfProgLoad", type, [load(0, 64), exit], "GPL", { log });
      traced.expect("the log says where", reason().includes("invalid bpf_context access off=64"));
      const hint = traced.fails("EACCES", "bpfProgLoad", type, [load(0, 64), exit])?.hint;
      traced.expect("the hint says how to ask", hint?.includes("log_buf") === true);
      // A register that nobody has set, as a result.
      traced.fails("EACCES", "bpfProgLoad", type, [exit], "GPL", { log, logLevel: 2 });
      traced.expect("the log says which", reason().includes("R0 !read_ok"));
      traced.fails("EINVAL", "bpfProgLoad", type, [set(0)], "GPL", { log });
      traced.fails("EINVAL", "bpfProgLoad", type, [{ code: LD | BPF_SIZE.B | BPF_MODE.XADD, imm: -1, off: -2 }, exit]);
      traced.fails("E2BIG", "bpfProgLoad", type, []);
      traced.fails("EINVAL", "bpfProgLoad", 9999, [set(1), exit]);
      traced.fails("EINVAL", "bpfProgLoad", type, [set(1), exit], "GPL", { name: "no name" });
    },
  },
  {
    name: "a user may not use bpf",
    as: "user",
    run: (traced) => {
      const error = traced.fails("EPERM", "bpfProgLoad", BPF_PROG_TYPE.CGROUP_DEVICE, noNull);
      traced.expect("the hint says why", error?.hint?.includes("CAP_BPF") === true);
      // Later kernels look at the descriptors first.
      const errnos = ["EPERM", "EBADF"] as const;
      traced.callOr(errnos, "bpfProgAttach", noFd, noFd, DEVICE);
      traced.callOr(errnos, "bpfProgDetach", noFd, noFd, DEVICE);
      traced.callOr(errnos, "bpfLinkCreate", noFd, noFd, DEVICE);
      traced.fails("EPERM", "bpfProgQuery", noFd, DEVICE);
    },
  },
];

/** What sh(1) says when it opens a file from within a cgroup: nothing when it can. */
async function openIn(dir: string, file: string): Promise<string> {
  const child = Bun.spawn(["sh", "-c", 'read go && : < "$0"', file], {
    stdin: "pipe",
    stderr: "pipe",
    env: { LC_ALL: "C" },
  });
  writeFileSync(join(dir, "cgroup.procs"), String(child.pid));
  child.stdin.write("go\n");
  await child.stdin.end();
  const text = await child.stderr.text();
  await child.exited;
  return text;
}

export const family: Family = {
  cases: [...idCases, ...capabilityCases, ...seccompCases, ...landlockCases, ...keyCases, ...bpfCases],
};
