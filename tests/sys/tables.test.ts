/** The generated tables: src/sys/{errno,numbers,flags}.ts. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { errnoName, type ErrnoName, errnos, errnoText } from "../../src/sys/errno.ts";
import { AT_FDCWD, CLONE, type FlagSet, flagSets, flagWord, O } from "../../src/sys/flags.ts";
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
  ["SECCOMP_RET.KILL_PROCESS", 0x80000000],
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

test("AT_FDCWD is -100", () => {
  expect(AT_FDCWD).toBe(-100);
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
