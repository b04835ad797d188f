/** Close-on-exec: a descriptor that a call makes in this process is for this process, unless its owner says otherwise. */
import type { Arg } from "./call.ts";
import { EFD, FSMOUNT, FSOPEN, FSPICK, IN_INIT, MFD, O, OPEN_TREE, SFD, SOCK, TFD } from "./flags.ts";
import type { SyscallName } from "./numbers.ts";

/** Calls that take it as a flag: in which argument, and by which name. All others that make descriptors set it, or cannot. */
const flags: { readonly [N in SyscallName]?: readonly [argument: number, flag: number] } = {
  openat: [2, O.CLOEXEC],
  openat2: [2, O.CLOEXEC],
  open_by_handle_at: [2, O.CLOEXEC],
  pipe2: [1, O.CLOEXEC],
  memfd_create: [1, MFD.CLOEXEC],
  eventfd2: [1, EFD.CLOEXEC],
  signalfd4: [3, SFD.CLOEXEC],
  timerfd_create: [1, TFD.CLOEXEC],
  inotify_init1: [0, IN_INIT.CLOEXEC],
  socket: [1, SOCK.CLOEXEC],
  socketpair: [1, SOCK.CLOEXEC],
  accept4: [3, SOCK.CLOEXEC],
  open_tree: [2, OPEN_TREE.CLOEXEC],
  open_tree_attr: [2, OPEN_TREE.CLOEXEC],
  fsopen: [1, FSOPEN.CLOEXEC],
  fsmount: [1, FSMOUNT.CLOEXEC],
  fspick: [2, FSPICK.CLOEXEC],
  // TIOCGPTPEER.
  ioctl: [2, O.CLOEXEC],
};

/** The arguments with the flag. What is no word of flags stays as it is, to be refused. */
export function closeOnExec(name: SyscallName, args: readonly Arg[]): readonly Arg[] {
  const [index, flag] = flags[name] ?? [-1, 0];
  const arg = args[index];
  if (typeof arg !== "object" || arg === null) return args;
  if ("flags" in arg) return has(arg, flag) ? args : args.with(index, add(arg, flag));
  // openat2 has its flags in a struct.
  if (!("struct" in arg)) return args;
  const { flags: word } = arg.fields;
  if (typeof word !== "object" || word === null || !("flags" in word) || has(word, flag)) return args;
  return args.with(index, { ...arg, fields: { ...arg.fields, flags: add(word, flag) } });
}

type Flags = Extract<Arg, { flags: unknown }>;

const has = ({ value }: Flags, flag: number): boolean => typeof value !== "number" || (value & flag) !== 0;
// By addition, which keeps what is no word from becoming one.
const add = ({ flags, value }: Flags, flag: number): Flags => ({ flags, value: value + flag });
