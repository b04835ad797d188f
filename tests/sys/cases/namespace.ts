/** Namespaces, for real. */
import { existsSync, fstatSync, readFileSync, statSync } from "node:fs";
import { hostname, release } from "node:os";
import { decodeStruct } from "../../../src/sys/decode.ts";
import { Fd } from "../../../src/sys/fd.ts";
import {
  AT_HANDLE,
  CLONE,
  FD_NSFS_ROOT,
  FD_PIDFS_ROOT,
  LISTNS_CURRENT_USER,
  O,
  PIDFD_INFO,
  SOCK,
  AF,
} from "../../../src/sys/flags.ts";
import { run } from "../../../src/sys/invoke.ts";
import { sys } from "../../../src/sys/vocabulary.ts";
import { AT_FDCWD } from "../../../src/sys/mod.ts";
import { define, int } from "../../../src/sys/primitive.ts";
import { isSince, parseVersion } from "../../../src/sys/since.ts";
import type { Case, Family, Traced } from "./case.ts";

/** Whether this kernel is as new as that version. */
export const kernel = (version: string): boolean => isSince(parseVersion(release()), version);

const kinds = {
  cgroup: CLONE.NEWCGROUP,
  ipc: CLONE.NEWIPC,
  mnt: CLONE.NEWNS,
  net: CLONE.NEWNET,
  pid: CLONE.NEWPID,
  time: CLONE.NEWTIME,
  user: CLONE.NEWUSER,
  uts: CLONE.NEWUTS,
} as const;
type NsKind = keyof typeof kinds;
const kindNames = Object.keys(kinds) as NsKind[];

const inode = (kind: string, pid: number | "self" = "self"): number => statSync(`/proc/${pid}/ns/${kind}`).ino;
const inodeOf = ({ number }: Fd): number => fstatSync(number).ino;
const open = (path: string): Fd => sys.openat(AT_FDCWD, path, O.RDONLY | O.CLOEXEC);
const openNs = (kind: string, pid: number | "self" = "self"): Fd => open(`/proc/${pid}/ns/${kind}`);
const pidfdOpen = define("pidfd_open", "fd", (pid: number) => [int(pid), 0]);

/** A process in namespaces of its own, ready when it has said so. */
async function inNamespaces(...options: string[]) {
  const child = Bun.spawn(["unshare", ...options, "sh", "-c", "echo ready; exec sleep 60"], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const { value } = await child.stdout.getReader().read();
  if (value === undefined) throw new Error(`unshare ${options.join(" ")} said nothing`);
  return {
    child,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      // With --fork it passes SIGKILL on to its child: --kill-child.
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** A process that has ended and was waited for, by its pidfd. */
async function ended(exitCode: number): Promise<Fd> {
  const child = Bun.spawn(["sh", "-c", `read x; exit ${exitCode}`], { stdin: "pipe" });
  const pidfd = run(pidfdOpen, child.pid);
  child.stdin.end();
  await child.exited;
  return pidfd;
}

const children = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);

const making: Case[] = [
  {
    name: "unshare moves this thread into new namespaces",
    as: "root",
    alone: true,
    run(traced) {
      const before = Object.fromEntries(kindNames.map((kind) => [kind, inode(kind)]));
      traced.call("unshare", CLONE.NEWUTS | CLONE.NEWIPC | CLONE.NEWNET | CLONE.NEWCGROUP);
      const changed = kindNames.filter((kind) => inode(kind) !== before[kind]);
      traced.expect("these four are new", changed.join() === "cgroup,ipc,net,uts");
      traced.expect("lo is all there is", readFileSync("/proc/net/dev", "utf8").trim().split("\n").length === 3);
      traced.call("unshare", CLONE.FS | CLONE.NEWNS);
      traced.expect("the mounts are new", inode("mnt") !== before["mnt"]);
      using pid = openNs("pid");
      traced.call("unshare", CLONE.NEWPID);
      // The kernel shows it when there has been a child.
      const isShown = existsSync("/proc/self/ns/pid_for_children");
      // Back at once: a process whose children go elsewhere can make no threads, and the engine aborts when it needs one.
      traced.call("setns", pid, CLONE.NEWPID);
      traced.expect("this process stays", inode("pid") === before["pid"]);
      traced.expect("its children would not", !isShown && existsSync("/proc/self/ns/pid_for_children"));
      traced.fails("EINVAL", "unshare", CLONE.NEWUSER);
      traced.fails("EINVAL", "unshare", CLONE.PTRACE);
      traced.call("unshare", 0);
    },
  },
  {
    name: "a uts namespace has names of its own",
    as: "root",
    alone: true,
    run(traced) {
      traced.call("unshare", CLONE.NEWUTS);
      names(traced);
    },
  },
  { name: "a user has names of its own too, in a user namespace", as: "user", in: ["unshare", "-ru"], run: names },
  {
    name: "a user makes no namespaces but user namespaces",
    as: "user",
    alone: true,
    run(traced) {
      for (const kind of kindNames.filter((name) => name !== "user"))
        traced.expect("a hint", traced.fails("EPERM", "unshare", kinds[kind])?.hint !== undefined);
      traced.fails("EINVAL", "unshare", CLONE.NEWUSER);
      traced.expect("a hint", traced.fails("EPERM", "sethostname", "box")?.hint !== undefined);
      traced.fails("EPERM", "setdomainname", "box");
    },
  },
];

function names(traced: Traced): void {
  traced.call("sethostname", "blue");
  traced.expect("Node says so", hostname() === "blue");
  traced.call("setdomainname", "example");
  traced.expect("/proc says so", readFileSync("/proc/sys/kernel/domainname", "utf8") === "example\n");
  traced.call("sethostname", "x".repeat(64));
  traced.expect("64 bytes", hostname() === "x".repeat(64));
  traced.fails("EINVAL", "sethostname", "x".repeat(65));
  traced.fails("EINVAL", "setdomainname", "x".repeat(65));
  traced.call("sethostname", "");
  traced.expect("no name", readFileSync("/proc/sys/kernel/hostname", "utf8") === "\n");
}

const entering: Case[] = [
  {
    name: "setns enters the namespace of a descriptor, and goes back",
    as: "root",
    alone: true,
    async run(traced) {
      await using other = await inNamespaces("-un");
      using own = openNs("net");
      using its = openNs("net", other.pid);
      traced.call("setns", its, CLONE.NEWNET);
      traced.expect("this is the other's", inode("net") === inode("net", other.pid));
      traced.call("setns", own, 0);
      traced.expect("and this the own", inode("net") === inodeOf(own));
      traced.fails("EINVAL", "setns", its, CLONE.NEWUTS);
      traced.fails("EINVAL", "setns", its, CLONE.NEWNET | CLONE.NEWUTS);
      // One's own user namespace cannot be entered again.
      using user = openNs("user");
      traced.fails("EINVAL", "setns", user, CLONE.NEWUSER);
      using mnt = openNs("mnt");
      traced.fails("EINVAL", "setns", mnt, CLONE.NEWNS);
      traced.call("unshare", CLONE.FS);
      traced.call("setns", mnt, CLONE.NEWNS);
    },
  },
  {
    name: "setns takes several namespaces of a pidfd at once, or none",
    as: "root",
    alone: true,
    async run(traced) {
      if (!kernel("5.8")) return;
      await using other = await inNamespaces("-unipC");
      using pidfd = run(pidfdOpen, other.pid);
      const own = inode("ipc");
      traced.call("setns", pidfd, CLONE.NEWUTS | CLONE.NEWNET);
      for (const kind of ["uts", "net"])
        traced.expect(`${kind} is the other's`, inode(kind) === inode(kind, other.pid));
      traced.expect("what was not asked for stays", inode("ipc") === own);
      // Alone in threads, it may not change its user namespace: so nothing happens at all.
      traced.fails("EINVAL", "setns", pidfd, CLONE.NEWIPC | CLONE.NEWUSER);
      traced.expect("it stays", inode("ipc") === own);
      traced.fails("EUSERS", "setns", pidfd, CLONE.NEWIPC | CLONE.NEWTIME);
      using pid = openNs("pid");
      traced.call("setns", pidfd, CLONE.NEWIPC | CLONE.NEWCGROUP | CLONE.NEWPID);
      sys.setns(pid, CLONE.NEWPID);
      traced.expect("ipc is the other's", inode("ipc") === inode("ipc", other.pid));
      // As pidfd_setns_test has it.
      for (const garbage of [0, CLONE.VM, CLONE.NEWUSER | CLONE.VM]) traced.fails("EINVAL", "setns", pidfd, garbage);
    },
  },
  {
    name: "setns of what is gone, or is no namespace",
    alone: true,
    async run(traced) {
      using pidfd = await ended(0);
      traced.fails("ESRCH", "setns", pidfd, CLONE.NEWUSER | CLONE.NEWNET);
      using memory = sys.memfdCreate("rostock", 0);
      traced.fails("EINVAL", "setns", memory, 0);
      traced.fails("EBADF", "setns", -1, 0);
      traced.fails("EBADF", "setns", 12345, CLONE.NEWNET);
    },
  },
  {
    name: "a user enters no namespace of the host",
    as: "user",
    alone: true,
    run(traced) {
      for (const kind of ["net", "uts", "ipc", "cgroup"] as const) {
        using own = openNs(kind);
        traced.fails("EPERM", "setns", own, kinds[kind]);
      }
    },
  },
];

const asking: Case[] = [
  {
    name: "a descriptor of a namespace says its kind and its owner",
    run(traced) {
      for (const kind of kindNames) {
        using ns = openNs(kind);
        traced.expect(`the kind of ${kind}`, traced.call("nsGetNstype", ns) === kinds[kind]);
        if (kind === "user") continue;
        using owner = traced.call("nsGetUserns", ns);
        traced.expect(`the owner of ${kind}`, inodeOf(owner) === inode("user"));
        if (kind !== "pid") traced.fails("EINVAL", "nsGetParent", ns);
        traced.fails("EINVAL", "nsGetOwnerUid", ns);
      }
      using user = openNs("user");
      traced.expect("0 made the first one", traced.call("nsGetOwnerUid", user) === 0);
      traced.expect("a hint", traced.fails("EPERM", "nsGetUserns", user)?.hint !== undefined);
      traced.fails("EPERM", "nsGetParent", user);
      using pid = openNs("pid");
      traced.fails("EPERM", "nsGetParent", pid);
      using file = open("/proc/self/status");
      for (const name of ["nsGetNstype", "nsGetUserns", "nsGetParent", "nsGetOwnerUid"] as const)
        traced.fails("ENOTTY", name, file);
      traced.fails("EBADF", "nsGetNstype", -1);
    },
  },
  {
    name: "namespaces of a child have parents, owners, and pids of their own",
    async run(traced) {
      await using other = await inNamespaces("-r", "--pid", "--fork", "--kill-child");
      const [child = 0] = children(other.pid);
      using user = openNs("user", child);
      using parent = traced.call("nsGetParent", user);
      traced.expect("the parent is ours", inodeOf(parent) === inode("user"));
      traced.expect("we own it", traced.call("nsGetOwnerUid", user) === process.getuid?.());
      using pidns = openNs("pid", child);
      using owner = traced.call("nsGetUserns", pidns);
      traced.expect("it owns its pids", inodeOf(owner) === inodeOf(user));
      using above = traced.call("nsGetParent", pidns);
      traced.expect("ours are above", inodeOf(above) === inode("pid"));
      const calls = [
        ["nsGetPidFromPidns", 1, child],
        ["nsGetTgidFromPidns", 1, child],
        ["nsGetPidInPidns", child, 1],
        ["nsGetTgidInPidns", child, 1],
      ] as const;
      using net = openNs("net");
      for (const [name, given, expected] of calls) {
        if (!kernel("6.11")) {
          traced.fails("ENOTTY", name, pidns, given);
          continue;
        }
        traced.expect(`${name} is ${expected}`, traced.call(name, pidns, given) === expected);
        traced.fails("ESRCH", name, pidns, 4_000_000);
        traced.fails("EINVAL", name, net, given);
      }
      if (kernel("6.11")) traced.fails("ESRCH", "nsGetPidInPidns", pidns, process.pid);
    },
  },
  {
    name: "mount namespaces have ids and a number of mounts",
    run(traced) {
      using mnt = openNs("mnt");
      using net = openNs("net");
      if (!kernel("6.12")) {
        traced.callOr("ENOTTY", "nsGetMntnsId", mnt);
        traced.fails("ENOTTY", "nsMntGetInfo", mnt);
        traced.fails("ENOTTY", "nsMntGetNext", mnt);
        traced.fails("ENOTTY", "nsMntGetPrev", mnt);
        return;
      }
      const id = traced.call("nsGetMntnsId", mnt);
      const info = traced.call("nsMntGetInfo", mnt);
      const mounts = readFileSync("/proc/self/mountinfo", "utf8").trim().split("\n").length;
      traced.expect("one id", info.mnt_ns_id === id && id > 0n);
      traced.expect("16 bytes, and what mountinfo counts", info.size === 16 && info.nr_mounts >= mounts);
      for (const name of ["nsGetMntnsId", "nsMntGetInfo"] as const) traced.fails("EINVAL", name, net);
      // For a user, newer kernels look at rights first.
      for (const name of ["nsMntGetNext", "nsMntGetPrev"] as const)
        if (process.getuid?.() === 0) traced.fails("EINVAL", name, net);
        else traced.callOr(["EINVAL", "EPERM"], name, net);
    },
  },
  {
    name: "namespaces of every kind have ids",
    run(traced) {
      const ids = kindNames.map((kind) => {
        using ns = openNs(kind);
        return kernel("6.18") ? traced.call("nsGetId", ns) : traced.fails("ENOTTY", "nsGetId", ns) && 0n;
      });
      if (kernel("6.18")) traced.expect("no two alike", new Set(ids).size === ids.length && !ids.includes(0n));
      using file = open("/proc/self/status");
      traced.fails("ENOTTY", "nsGetId", file);
    },
  },
  {
    name: "all mount namespaces follow each other by id",
    as: "root",
    async run(traced) {
      if (!kernel("6.12")) return;
      await using first = await inNamespaces("-m");
      await using second = await inNamespaces("-m");
      const seen: [ino: number, id: bigint][] = [];
      const buffer = new Uint8Array(16);
      let at: Fd | undefined = openNs("mnt", first.pid);
      const start = inodeOf(at);
      // The walk ends with ENOENT; other tests make mount namespaces meanwhile.
      while (at !== undefined) {
        const next: Fd | undefined = traced.callOr("ENOENT", "nsMntGetNext", at, buffer);
        if (next !== undefined) seen.push([inodeOf(next), decodeStruct("mnt_ns_info", buffer).mnt_ns_id]);
        at.close();
        at = next;
      }
      traced.expect(
        "the second comes after the first",
        seen.some(([ino]) => ino === inode("mnt", second.pid)),
      );
      traced.expect(
        "ids go up",
        seen.every(([, id], i) => i === 0 || id > (seen[i - 1]?.[1] ?? id)),
      );
      using last = openNs("mnt", second.pid);
      let [back, steps]: [Fd, number] = [traced.call("nsMntGetPrev", last), 0];
      while (inodeOf(back) !== start && steps++ < 1000) {
        using before = back;
        back = traced.call("nsMntGetPrev", before);
      }
      traced.expect("and back", inodeOf(back) === start);
      back.close();
    },
  },
  {
    name: "a user sees no other mount namespace",
    as: "user",
    run(traced) {
      if (!kernel("6.12")) return;
      using mnt = openNs("mnt");
      const errnos = ["EPERM", "ENOENT"] as const;
      traced.expect("none follows", traced.callOr(errnos, "nsMntGetNext", mnt) === undefined);
      traced.expect("none precedes", traced.callOr(errnos, "nsMntGetPrev", mnt, new Uint8Array(16)) === undefined);
    },
  },
  {
    name: "a socket says which network namespace it is of, even from another one",
    as: "root",
    alone: true,
    run(traced) {
      const before = inode("net");
      for (const [domain, type] of [
        [AF.INET, SOCK.STREAM],
        [AF.UNIX, SOCK.DGRAM],
        [AF.NETLINK, SOCK.RAW],
      ] as const) {
        using socket = sys.socket(domain, type | SOCK.CLOEXEC, 0);
        using ns = traced.call("siocgskns", socket);
        traced.expect("ours", inodeOf(ns) === before);
      }
      using old = sys.socket(AF.INET, SOCK.DGRAM | SOCK.CLOEXEC, 0);
      traced.call("unshare", CLONE.NEWNET);
      using ns = traced.call("siocgskns", old);
      traced.expect("that of before", inodeOf(ns) === before && inode("net") !== before);
      using file = open("/dev/null");
      traced.fails("ENOTTY", "siocgskns", file);
    },
  },
  {
    name: "a user may not ask a socket of the host for its namespace",
    as: "user",
    run(traced) {
      using socket = sys.socket(AF.INET, SOCK.DGRAM | SOCK.CLOEXEC, 0);
      traced.fails("EPERM", "siocgskns", socket);
    },
  },
];

/** The calls by the file in /proc/PID/ns. */
const pidfdCalls = {
  cgroup: "pidfdGetCgroupNamespace",
  ipc: "pidfdGetIpcNamespace",
  mnt: "pidfdGetMntNamespace",
  net: "pidfdGetNetNamespace",
  pid: "pidfdGetPidNamespace",
  pid_for_children: "pidfdGetPidForChildrenNamespace",
  time: "pidfdGetTimeNamespace",
  time_for_children: "pidfdGetTimeForChildrenNamespace",
  user: "pidfdGetUserNamespace",
  uts: "pidfdGetUtsNamespace",
} as const;

const processes: Case[] = [
  {
    name: "a pidfd leads to all namespaces of a process",
    async run(traced) {
      const options = process.getuid?.() === 0 ? ["-unimC"] : ["-runimC"];
      await using other = await inNamespaces(...options);
      using pidfd = run(pidfdOpen, other.pid);
      using gone = await ended(0);
      using file = open("/proc/self/status");
      for (const [kind, name] of Object.entries(pidfdCalls)) {
        if (!kernel("6.11")) {
          traced.fails("ENOTTY", name, pidfd);
          continue;
        }
        using ns = traced.call(name, pidfd);
        traced.expect(`${kind} is the process's`, inodeOf(ns) === inode(kind, other.pid));
        traced.fails("ESRCH", name, gone);
        traced.fails("ENOTTY", name, file);
      }
    },
  },
  {
    name: "the namespaces of somebody else's process are not for a user",
    as: "user",
    run(traced) {
      if (!kernel("6.11")) return;
      using pidfd = run(pidfdOpen, 1);
      traced.expect("a hint", traced.fails("EACCES", "pidfdGetNetNamespace", pidfd)?.hint !== undefined);
    },
  },
  {
    name: "PIDFD_GET_INFO tells pids, ids, and how a process ended",
    async run(traced) {
      using self = run(pidfdOpen, process.pid);
      if (!kernel("6.13")) {
        traced.fails("ENOTTY", "pidfdGetInfo", self);
        return;
      }
      const info = traced.call("pidfdGetInfo", self);
      traced.expect("pids", info.pid === process.pid && info.tgid === process.pid && info.ppid === process.ppid);
      const [uid, gid] = [process.getuid?.(), process.getgid?.()];
      traced.expect("ids", info.ruid === uid && info.euid === uid && info.fsuid === uid && info.rgid === gid);
      traced.expect("a cgroup", info.cgroupid > 0n && (info.mask & PIDFD_INFO.CGROUPID) !== 0);
      const few = traced.call("pidfdGetInfo", self, PIDFD_INFO.PID);
      traced.expect("no end", (few.mask & PIDFD_INFO.EXIT) === 0 && few.exit_code === 0);
      using gone = await ended(7);
      if (kernel("6.15")) {
        const end = traced.call("pidfdGetInfo", gone, PIDFD_INFO.EXIT);
        traced.expect("exit code 7", (end.mask & PIDFD_INFO.EXIT) !== 0 && end.exit_code === 7 << 8);
      }
      traced.fails("ESRCH", "pidfdGetInfo", gone, PIDFD_INFO.PID);
      using file = open("/proc/self/status");
      traced.fails("ENOTTY", "pidfdGetInfo", file);
      traced.fails("EBADF", "pidfdGetInfo", -1);
    },
  },
];

const handles: Case[] = [
  {
    name: "a file is found again by its handle",
    as: "root",
    run(traced) {
      const dir = traced.dir();
      const mountId = new Uint8Array(4);
      const handle = traced.call("nameToHandleAt", AT_FDCWD, dir, 0, mountId);
      traced.expect("it has bytes", handle.handle_bytes > 0 && handle.handle_bytes <= 128);
      const id = new DataView(mountId.buffer).getInt32(0, true);
      traced.expect("its mount is in mountinfo", readFileSync("/proc/self/mountinfo", "utf8").includes(`${id} `));
      using there = open(dir);
      using again = traced.call("openByHandleAt", there, handle, O.RDONLY | O.DIRECTORY | O.CLOEXEC);
      traced.expect("the same directory", inodeOf(again) === statSync(dir).ino);
      const wrong = { ...handle, f_handle: handle.f_handle.map((byte) => byte ^ 0x55) };
      traced.fails("ESTALE", "openByHandleAt", there, wrong, O.RDONLY);
      traced.fails("EINVAL", "openByHandleAt", there, { ...handle, handle_bytes: 0 }, O.RDONLY);
    },
  },
  {
    name: "handles without files, and files without handles",
    run(traced) {
      traced.fails("ENOENT", "nameToHandleAt", AT_FDCWD, "/does/not/exist", 0);
      traced.fails("EINVAL", "nameToHandleAt", AT_FDCWD, "/", 0x10);
      traced.fails("EOPNOTSUPP", "nameToHandleAt", AT_FDCWD, "/proc/self/status", 0);
      traced.fails(
        // Rights come before descriptors where users have none at all (before Linux 6.12).
        ["EBADF", "EPERM"],
        "openByHandleAt",
        12345,
        { handle_bytes: 8, handle_type: 1, f_handle: new Uint8Array(8) },
        0,
      );
      if (kernel("6.12")) {
        const [unique, plain] = [new Uint8Array(8), new Uint8Array(8)];
        const flags = AT_HANDLE.MNT_ID_UNIQUE | AT_HANDLE.FID | AT_HANDLE.AT_SYMLINK_FOLLOW;
        traced.call("nameToHandleAt", AT_FDCWD, "/tmp", flags, unique);
        traced.call("nameToHandleAt", AT_FDCWD, "/tmp", AT_HANDLE.FID, plain);
        const idOf = (bytes: Uint8Array) => new DataView(bytes.buffer).getBigUint64(0, true);
        traced.expect("unique ids are large", idOf(unique) > 0x7fffffffn && idOf(plain) < 0x7fffffffn);
      }
    },
  },
  {
    name: "opening by handle is not for a user",
    as: "user",
    run(traced) {
      const handle = traced.callOr("EOPNOTSUPP", "nameToHandleAt", AT_FDCWD, "/tmp", 0);
      if (handle === undefined) return;
      using mount = open("/tmp");
      const error = traced.fails("EPERM", "openByHandleAt", mount, handle, O.RDONLY);
      traced.expect("the hint names the capability", error?.hint?.includes("CAP_DAC_READ_SEARCH") ?? false);
    },
  },
  {
    name: "a namespace that one is in is opened by its handle, without a privilege",
    run(traced) {
      for (const kind of kindNames) {
        using ns = openNs(kind);
        if (!kernel("6.18")) {
          traced.fails("EOPNOTSUPP", "nameToHandleAt", ns, "", AT_HANDLE.AT_EMPTY_PATH);
          continue;
        }
        const handle = traced.call("nameToHandleAt", ns, "", AT_HANDLE.AT_EMPTY_PATH);
        const { ns_id, ns_type, ns_inum } = decodeStruct("nsfs_file_handle", handle.f_handle);
        traced.expect("it is about the namespace", ns_type === kinds[kind] && ns_inum === inode(kind));
        traced.expect("with its id", ns_id === traced.call("nsGetId", ns));
        using again = traced.call("openByHandleAt", FD_NSFS_ROOT, handle, O.RDONLY);
        traced.expect("the same", inodeOf(again) === inode(kind));
        using made = traced.call("openByHandleAt", FD_NSFS_ROOT, { ns_id, ns_type, ns_inum }, O.RDONLY | O.CLOEXEC);
        traced.expect("the same, from its id", inodeOf(made) === inode(kind));
        traced.fails("ESTALE", "openByHandleAt", FD_NSFS_ROOT, { ns_id: ns_id + 1n, ns_type, ns_inum }, O.RDONLY);
      }
      if (kernel("6.18")) traced.fails("ESTALE", "openByHandleAt", FD_NSFS_ROOT, { ns_id: 0n }, O.RDONLY);
    },
  },
  {
    name: "a namespace that one is not in is out of reach by its handle, but for who rules over it",
    async run(traced) {
      if (!kernel("6.18")) return;
      await using other = await inNamespaces("-rn");
      using its = openNs("net", other.pid);
      const handle = traced.call("nameToHandleAt", its, "", AT_HANDLE.AT_EMPTY_PATH);
      using again = traced.call("openByHandleAt", FD_NSFS_ROOT, handle, O.RDONLY);
      traced.expect("who made it reaches it", inodeOf(again) === inodeOf(its));
    },
  },
  {
    // As nsfs_user_net_namespace_isolation has it.
    name: "the network namespace outside is out of reach from within a user namespace",
    in: ["unshare", "-rn", "env", `OUTSIDE=${JSON.stringify(ownNet())}`],
    run(traced) {
      const outside = JSON.parse(process.env["OUTSIDE"] ?? "null") as ReturnType<typeof ownNet>;
      if (outside === null) return;
      const handle = { ns_id: BigInt(outside.id), ns_type: CLONE.NEWNET, ns_inum: outside.inode };
      traced.fails("ESTALE", "openByHandleAt", FD_NSFS_ROOT, handle, O.RDONLY);
    },
  },
  {
    name: "a pidfd is opened by its handle",
    run(traced) {
      using self = run(pidfdOpen, process.pid);
      if (!kernel("6.14")) {
        traced.fails("EOPNOTSUPP", "nameToHandleAt", self, "", AT_HANDLE.AT_EMPTY_PATH);
        return;
      }
      const handle = traced.call("nameToHandleAt", self, "", AT_HANDLE.AT_EMPTY_PATH);
      using again = traced.call("openByHandleAt", self, handle, O.RDWR);
      const status = readFileSync(`/proc/self/fdinfo/${again.number}`, "utf8");
      traced.expect("of this process", status.includes(`Pid:\t${process.pid}\n`));
      if (!kernel("6.17")) return;
      using rooted = traced.call("openByHandleAt", FD_PIDFS_ROOT, handle, O.RDWR);
      traced.expect("the same", inodeOf(rooted) === inodeOf(self));
    },
  },
  {
    name: "listns lists namespaces by id",
    run(traced) {
      if (!kernel("6.19")) {
        const error = traced.fails("ENOSYS", "listns");
        traced.expect("a hint with the version", error?.hint?.includes("6.19") ?? false);
        traced.fails("ENOSYS", "listns", { types: CLONE.NEWNET, owner: LISTNS_CURRENT_USER, after: 5 }, 80);
        return;
      }
      const ids = traced.call("listns");
      using net = openNs("net");
      traced.expect("ours is in it", ids.includes(sys.nsGetId(net)));
      traced.expect("two at most", traced.call("listns", { after: 1 }, 16).length <= 2);
      traced.fails("EINVAL", "listns", { types: 0x1 });
    },
  },
];

/** What a handle of this process's network namespace is made of; null where the kernel tells no id. */
function ownNet(): { readonly id: string; readonly inode: number } | null {
  if (!kernel("6.18")) return null;
  using net = openNs("net");
  return { id: String(sys.nsGetId(net)), inode: inode("net") };
}

export const family: Family = { cases: [...making, ...entering, ...asking, ...processes, ...handles] };
