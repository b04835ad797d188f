/** Descriptors that sys.* makes are close-on-exec. */
import { expect, test } from "bun:test";
import { AF, AT_FDCWD, CLOCK, FD, FSOPEN, O, OPEN_TREE, SOCK } from "../../src/sys/flags.ts";
import type { Fd } from "../../src/sys/fd.ts";
import { formatCall } from "../../src/sys/format.ts";
import { families } from "../../src/sys/families.ts";
import { call, type CallVocabulary, sys } from "../../src/sys/vocabulary.ts";
import { isRoot } from "../helpers.ts";

/** By call: how it makes one without being told. */
const makers: { readonly [N in keyof CallVocabulary]?: () => Fd | readonly Fd[] } = {
  openat: () => sys.openat(AT_FDCWD, "/", O.RDONLY),
  openat2: () => sys.openat2(AT_FDCWD, "/", O.RDONLY, 0),
  pipe2: () => sys.pipe2(0),
  memfdCreate: () => sys.memfdCreate("file", 0),
  eventfd2: () => sys.eventfd2(0, 0),
  signalfd4: () => sys.signalfd4([10], 0),
  timerfdCreate: () => sys.timerfdCreate(CLOCK.MONOTONIC, 0),
  inotifyInit1: () => sys.inotifyInit1(0),
  socket: () => sys.socket(AF.UNIX, SOCK.STREAM, 0),
  socketpair: () => sys.socketpair(AF.UNIX, SOCK.STREAM, 0),
  openTree: () => sys.openTree(AT_FDCWD, "/", 0),
  pidfdOpen: () => sys.pidfdOpen(process.pid, 0),
  ...(isRoot ? { fsopen: () => sys.fsopen("tmpfs", 0), openTreeAttr: undefined } : {}),
} as never;

for (const [name, make] of Object.entries(makers))
  if (make !== undefined)
    test(`sys.${name}() makes it close-on-exec`, () => {
      const made = (make as () => Fd | readonly Fd[])();
      for (const file of [made].flat() as Fd[]) {
        using _ = file;
        expect(sys.getFd(file)).toBe(FD.CLOEXEC);
      }
    });

test("call.*() is what was asked for", () => {
  expect(formatCall(call.openat(AT_FDCWD, "/", O.RDONLY))).toBe('openat(AT_FDCWD, "/", O_RDONLY)');
  expect(formatCall(call.openTree(AT_FDCWD, "/", OPEN_TREE.CLONE))).toBe('open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE)');
  expect(formatCall(call.fsopen("tmpfs", FSOPEN.CLOEXEC))).toBe('fsopen("tmpfs", FSOPEN_CLOEXEC)');
});

test("setFd(fd, 0) makes one that a program inherits", () => {
  using file = sys.memfdCreate("file", 0);
  sys.setFd(file, 0);
  expect(sys.getFd(file)).toBe(0);
});

test("of all calls that make descriptors none is forgotten: the rest sets it by itself, or takes no flag for it", () => {
  const names = Object.values(families).flatMap((list) => list.split(" ")) as (keyof CallVocabulary)[];
  const making = names.filter((name) => /^fds?$/.test((call[name] as { readonly returns: string }).returns));
  // pidfd_open(2), pidfd_getfd(2), seccomp_unotify(2), ioctl_nsfs(2), bpf(2), landlock_create_ruleset(2): always close-on-exec.
  const always = /^(pidfd|ns(Get|Mnt)|seccompNewListener|bpf|landlockCreateRuleset|siocgskns|dupfdCloexec)/;
  const flagged = [
    ...Object.keys(makers),
    "fsopen",
    "fsmount",
    "fspick",
    "openTreeAttr",
    "openByHandleAt",
    "accept4",
    "tiocgptpeer",
  ];
  expect(making.filter((name) => !always.test(name) && !flagged.includes(name))).toEqual([]);
});
