/** The generated tables: src/sys/{errno,numbers,flags,flag-sets}.ts. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { errnoName, type ErrnoName, errnos, errnoText } from "../../src/sys/errno.ts";
import { type FlagSet, type FlagSetName, flagSets, flagWord } from "../../src/sys/flag-sets.ts";
import {
  AT_FDCWD,
  BPF_CLASS,
  BPF_JMP_OP,
  BPF_MODE,
  BPF_RVAL,
  BPF_SIZE,
  BPF_SRC,
  CLONE,
  FD_NSFS_ROOT,
  FD_PIDFS_ROOT,
  LISTNS_CURRENT_USER,
  LSMT_ROOT,
  O,
  PIDFD_SELF_THREAD,
  PIDFD_SELF_THREAD_GROUP,
} from "../../src/sys/flags.ts";
import { formatFlags } from "../../src/sys/format.ts";
import { type Arch, numberOf, numbers, type SyscallName } from "../../src/sys/numbers.ts";

const calls: [name: SyscallName, x64: number, arm64: number][] = [
  ["read", 0, 63],
  ["open", 2, -1],
  ["mount", 165, 40],
  ["umount2", 166, 39],
  ["pivot_root", 155, 41],
  ["unshare", 272, 97],
  ["newfstatat", 262, 79],
  ["clone3", 435, 435],
  ["statmount", 457, 457],
  ["listns", 470, 470],
];

const errors: [errno: number, name: ErrnoName, text: string][] = [
  [1, "EPERM", "Operation not permitted"],
  [11, "EAGAIN", "Resource temporarily unavailable"],
  [35, "EDEADLK", "Resource deadlock avoided"],
  [38, "ENOSYS", "Function not implemented"],
  [95, "EOPNOTSUPP", "Operation not supported"],
  [133, "EHWPOISON", "Memory page has hardware error"],
];

const flags: [name: string, value: number][] = [
  ["CLONE.NEWTIME", 0x80],
  ["CLONE.INTO_CGROUP", 0x200000000],
  ["MS.PRIVATE", 1 << 18],
  ["MNT.UMOUNT_NOFOLLOW", 8],
  ["O.CLOEXEC", 0o2000000],
  ["OPEN_TREE.CLOEXEC", 0o2000000],
  ["FSCONFIG.CMD_CREATE", 6],
  ["MOVE_MOUNT.BENEATH", 0x200],
  ["P.PIDFD", 3],
  ["W.__WALL", 0x40000000],
  ["SIG.CHLD", 17],
  ["PR.SET_NO_NEW_PRIVS", 38],
  ["CAP.SYS_ADMIN", 21],
  ["CAP.CHECKPOINT_RESTORE", 40],
  ["RLIMIT.NOFILE", 7],
  ["AF.VSOCK", 40],
  ["IOCTL.TIOCSCTTY", 0x540e],
  ["IOCTL.NS_GET_USERNS", 0xb701],
  ["IOCTL.NS_GET_MNTNS_ID", 0x8008b705],
  ["MAGIC.OVERLAYFS_SUPER_MAGIC", 0x794c7630],
  ["IOCTL.NS_MNT_GET_INFO", 0x8010b70a],
  ["IOCTL.NS_GET_ID", 0x8008b70d],
  ["IOCTL.PIDFD_GET_INFO", 0xc050ff0b],
  ["IOCTL.SECCOMP_IOCTL_NOTIF_RECV", 0xc0502100],
  ["IOCTL.SIOCBRADDIF", 0x89a2],
  ["IOCTL.TCSETS", 0x5402],
  ["IOCTL.FICLONE", 0x40049409],
  ["SECCOMP_RET.KILL_PROCESS", 0x80000000],
  ["AUDIT_ARCH.X86_64", 0xc000003e],
  ["AUDIT_ARCH.AARCH64", 0xc00000b7],
  ["MOUNT_ATTR._ATIME", 0x70],
  ["INIT_NS_INO.PID_NS_INIT_INO", 0xeffffffc],
  ["KEY_SPEC.SESSION_KEYRING", -3],
  ["PER.ADDR_NO_RANDOMIZE", 0x40000],
  ["IN.ONESHOT", 0x80000000],
  ["EPOLL.ET", 0x80000000],
  ["MSG.CMSG_CLOEXEC", 0x40000000],
  ["SO.PEERPIDFD", 77],
  ["BPF_ATTACH_TYPE.CGROUP_DEVICE", 6],
  ["BPF_ATTACH_TYPE.CGROUP_UNIX_GETSOCKNAME", 53],
  ["BPF_PROG_TYPE.CGROUP_DEVICE", 15],
  ["BPF.LINK_CREATE", 28],
];

// From strace 6.1; the bits of newer kernels from strace 7.2.
const printed: [set: FlagSetName, word: number, text: string][] = [
  ["AT_ACCESS", 0x1300, "AT_SYMLINK_NOFOLLOW|AT_EACCESS|AT_EMPTY_PATH"],
  ["AT_HANDLE", 0x1603, "AT_HANDLE_MNT_ID_UNIQUE|AT_HANDLE_CONNECTABLE|AT_HANDLE_FID|AT_SYMLINK_FOLLOW|AT_EMPTY_PATH"],
  ["ACCESS", 7, "R_OK|W_OK|X_OK"],
  ["ACCESS", 0, "F_OK"],
  ["MOUNT_ATTR", 0x71, "MOUNT_ATTR_RDONLY|MOUNT_ATTR__ATIME"],
  ["IN", 0x81000800, "IN_MOVE_SELF|IN_ONLYDIR|IN_ONESHOT"],
  ["IN_INIT", 0x80800, "IN_NONBLOCK|IN_CLOEXEC"],
  ["EFD", 0x80801, "EFD_SEMAPHORE|EFD_CLOEXEC|EFD_NONBLOCK"],
  ["TFD", 0x80800, "TFD_CLOEXEC|TFD_NONBLOCK"],
  ["LOCK", 6, "LOCK_EX|LOCK_NB"],
  ["PER", 0, "PER_LINUX"],
  ["PER", 0x40000, "PER_LINUX|ADDR_NO_RANDOMIZE"],
  ["PER", 0x40008, "PER_LINUX32|ADDR_NO_RANDOMIZE"],
  ["KEY_SPEC", -3, "KEY_SPEC_SESSION_KEYRING"],
  ["BPF_ATTACH_TYPE", 6, "BPF_CGROUP_DEVICE"],
  ["BPF_F", 2, "BPF_F_ALLOW_MULTI"],
  [
    "SECBIT",
    0xf0,
    "SECBIT_KEEP_CAPS|SECBIT_KEEP_CAPS_LOCKED|SECBIT_NO_CAP_AMBIENT_RAISE|SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED",
  ],
];

// From fcntl.h of each architecture.
const openFlags: { x64: number; arm64: number }[] = [
  { x64: 0o200000, arm64: 0o40000 }, // O_DIRECTORY
  { x64: 0o400000, arm64: 0o100000 }, // O_NOFOLLOW
  { x64: 0o40000, arm64: 0o200000 }, // O_DIRECT
  { x64: 0o100000, arm64: 0o400000 }, // O_LARGEFILE
  { x64: 0o20200000, arm64: 0o20040000 }, // O_TMPFILE
  { x64: 0o2600001, arm64: 0o2140001 }, // O_WRONLY|O_CLOEXEC|O_DIRECTORY|O_NOFOLLOW
  { x64: 0o740000, arm64: 0o740000 }, // All four that change places.
  { x64: 0o2000101, arm64: 0o2000101 }, // O_WRONLY|O_CREAT|O_CLOEXEC
];

const sets: [string, FlagSet][] = Object.entries(flagSets);

for (const [name, x64, arm64] of calls) {
  test(`${name} is syscall ${x64} on x86-64 and ${arm64} on aarch64`, () => {
    expect(numbers[name]).toEqual([x64, arm64] as never);
  });
}

test("numberOf() throws a RangeError that names the architecture and the call it lacks", () => {
  expect(numberOf("openat", "arm64")).toBe(56);
  expect(() => numberOf("open", "arm64")).toThrow(new RangeError("arm64 has no syscall open"));
});

test("no two syscalls of an architecture have one number", () => {
  for (const i of [0, 1]) {
    const known = Object.values(numbers).flatMap((pair) => (pair[i] === -1 ? [] : [pair[i]]));
    expect(new Set(known).size).toBe(known.length);
  }
});

for (const [errno, name, text] of errors) {
  test(`errno ${errno} is ${name}, "${text}"`, () => {
    expect(errnoName(errno)).toBe(name);
    expect(errnos[name][0]).toBe(errno as never);
    expect(errnoText(name)).toBe(text);
  });
}

test("errnoName() of no errno is undefined", () => {
  expect([0, -1, 41, 134].map(errnoName)).toEqual([undefined, undefined, undefined, undefined]);
});

for (const [path, value] of flags) {
  test(`${path} is 0x${value.toString(16)}`, () => {
    const [set = "", name = ""] = path.split(".");
    expect(sets.find(([key]) => key === set)?.[1].values[name]).toBe(value);
  });
}

test("AT_FDCWD is -100, and what newer kernels take for a descriptor is from -10000 down", () => {
  expect(AT_FDCWD).toBe(-100);
  expect([PIDFD_SELF_THREAD, PIDFD_SELF_THREAD_GROUP, FD_PIDFS_ROOT, FD_NSFS_ROOT]).toEqual([
    -10000, -10001, -10002, -10003,
  ]);
});

test("ids that mean the caller's own have all 64 bits set", () => {
  expect([LSMT_ROOT, LISTNS_CURRENT_USER]).toEqual([2n ** 64n - 1n, 2n ** 64n - 1n]);
});

for (const [set, word, text] of printed) {
  test(`0x${word.toString(16)} in ${set} is ${text}, as strace prints it`, () => {
    expect(formatFlags(set, word)).toBe(text);
  });
}

test("a seccomp filter's instruction is the sum of its words", () => {
  expect(BPF_CLASS.LD + BPF_SIZE.W + BPF_MODE.ABS).toBe(0x20);
  expect(BPF_CLASS.JMP + BPF_JMP_OP.JEQ + BPF_SRC.K).toBe(0x15);
  expect(BPF_CLASS.RET + BPF_RVAL.K).toBe(0x06);
});

for (const { x64, arm64 } of openFlags) {
  test(`flagWord() takes open flags 0${x64.toString(8)} of x86-64 to 0${arm64.toString(8)} of aarch64, and back`, () => {
    expect(flagWord("O", x64, "arm64", "x64")).toBe(arm64);
    expect(flagWord("O", arm64, "x64", "arm64")).toBe(x64);
    expect(flagWord("O", x64, "x64", "x64")).toBe(x64);
  });
}

test("flagWord() leaves words of other sets alone, those above 32 bits too", () => {
  const word = CLONE.INTO_CGROUP + CLONE.NEWNS;
  for (const arch of ["x64", "arm64"] as const) expect(flagWord("CLONE", word, arch)).toBe(word);
});

test("open flags are those of the machine that runs", () => {
  expect(flagWord("O", O.DIRECTORY, "arm64", process.arch as Arch)).toBe(0o40000);
});

test("in sets of bits a name of several bits stands before names of its parts, so that it can be printed", () => {
  for (const [set, { kind, values, choice = 0 }] of sets) {
    if (kind !== "bits") continue;
    const seen: bigint[] = [];
    for (const [name, value] of Object.entries(values)) {
      const bits = BigInt(value) & ~BigInt(choice);
      const parts = seen.filter((earlier) => earlier !== 0n && earlier !== bits && (bits & earlier) === earlier);
      expect(parts, `${set}.${name}`).toEqual([]);
      seen.push(bits);
    }
  }
});

const generator = join(import.meta.dir, "../../scripts/generate-sys.ts");
const check = Bun.spawnSync([process.execPath, generator, "--check"]);
// 2 says that the headers or a compiler are not there.
const absent = check.exitCode === 2 ? ` (skipped: ${check.stderr.toString().trim()})` : "";
test.skipIf(absent !== "")(`the committed tables are what the kernel's headers say${absent}`, () => {
  expect(check.stderr.toString()).toBe("");
  expect(check.exitCode).toBe(0);
});
