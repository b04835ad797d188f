/** A log of `strace -f -o`, read: which calls were made between two marks. */
import { type FlagSet, flagSets } from "../../../src/sys/flag-sets.ts";
import { formatArg } from "../../../src/sys/format.ts";

/** The calls between the marks `begin NAME` and `end NAME` of one thread, by name; as strace prints them, without their results. */
export function tracedCalls(log: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const open = new Map<string, string[]>();
  const unfinished = new Map<string, string>();
  for (const line of log.split("\n")) {
    const [, thread = "", rest = ""] = /^(\d+) +(.*)$/s.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest)?.[0];
    const text = resumed === undefined ? rest : (unfinished.get(thread) ?? "") + rest.slice(resumed.length);
    if (text.endsWith(" <unfinished ...>")) {
      unfinished.set(thread, text.slice(0, -" <unfinished ...>".length));
      continue;
    }
    const [, what, mark = ""] = /^write\(-1, "(begin|end) (.*)", \d+\) /.exec(text) ?? [];
    if (what === "begin") {
      const calls: string[] = [];
      open.set(thread, calls);
      found.set(mark, calls);
    } else if (what === "end") open.delete(thread);
    else {
      const call = /^([a-z_0-9]+\(.*\)) += /s.exec(text)?.[1];
      if (call !== undefined) open.get(thread)?.push(call);
    }
  }
  return found;
}

/** `name(a, {b, c}, "d, e")` as its name and `a`, `{b, c}`, `"d, e"`. */
export function splitArguments(text: string): { readonly name: string; readonly args: readonly string[] } {
  const start = text.indexOf("(");
  const args: string[] = [];
  let [depth, from, isQuoted] = [0, start + 1, false];
  for (let i = start + 1; i < text.length; i++) {
    const c = text[i];
    if (isQuoted) {
      if (c === "\\") i++;
      else if (c === '"') isQuoted = false;
    } else if (c === '"') isQuoted = true;
    else if (c === "{" || c === "[" || c === "(") depth++;
    else if ((c === "," && depth === 0) || (c === ")" && depth === 0)) {
      if (i > from) args.push(text.slice(from, i).trim());
      from = i + 1;
    } else if (c === "}" || c === "]" || c === ")") depth--;
  }
  const name = text.slice(0, start);
  // Of a bridge strace shows the index that is plugged in, and not the name of the bridge.
  const isBridge = /^SIOCBR(?:ADD|DEL)IF$/.test(args[1] ?? "");
  return { name, args: args.map((arg) => (isBridge ? plain(arg).replace(/ifr_name=".*?", /, "") : plain(arg))) };
}

/** An argument without what strace adds in comments, and without what became of a word that the kernel also writes: `[128 => 13]`. */
const plain = (arg: string): string =>
  arg
    .replaceAll(/ \/\* .*? \*\//g, "")
    .replaceAll(/ => (?:\w+|\[\d+\])/g, "")
    .replace(/^_IOC\((.*), (\w+), (\w+), (\w+)\)$/, ioctlRequest);

/** A request of ioctl that this strace does not know, as its number: the _IOC of include/uapi/asm-generic/ioctl.h. */
function ioctlRequest(_: string, direction: string, type: string, nr: string, size: string): string {
  const bits = (direction.includes("_IOC_WRITE") ? 1 : 0) + (direction.includes("_IOC_READ") ? 2 : 0);
  return `0x${(bits * 2 ** 30 + Number(size) * 2 ** 16 + Number(type) * 2 ** 8 + Number(nr)).toString(16)}`;
}

/**
 * Whether a struct that the kernel also writes to began as ours: strace shows it with what was written, by its address when the call
 * failed or the request is not known to it.
 */
export function startsSame(ours: string, its: string): boolean {
  const start = ours.slice(0, -1);
  return /^0x[0-9a-f]+$/.test(its) || its.startsWith(`${start}, `) || its.startsWith(`${start}}`);
}

/**
 * Whether two texts of an argument mean the same. An older strace knows fewer names: it adds up what it has none for, `A|0x4000` for our
 * `A|B`, alone and in structs.
 */
export function isSame(ours: string, its: string): boolean {
  // On a netlink socket strace reads the bytes, which we only know to be bytes.
  if (ours.startsWith('"') && its.startsWith("[{nlmsg_len=")) return true;
  // Bytes for fsconfig stand in hexadecimal, and its strings are cut where the kernel takes no more.
  if (/^"(?:\\x[0-9a-f]{2})+"$/.test(its)) return inHex(ours) === its;
  if (its.endsWith('"...')) return ours.startsWith(its.slice(0, -4));
  // Requests of several drivers have one number: `SNDCTL_TMR_START or TCSETS`. Of terminals it knows more than we have names for.
  if (its.includes(" or ")) return its.split(" or ").includes(ours);
  if (its.startsWith("{c_iflag=")) return ours === termios(its);
  // An interface by its name in strace's own network namespace, which may be none or another.
  const [head, tail] = its.split(/if_nametoindex\(".*?"\)/);
  if (tail !== undefined)
    return /^\d+$/.test(ours.slice(head?.length, -tail.length)) && ours.startsWith(head ?? "") && ours.endsWith(tail);
  // What is too long for a host's name, or too short for an option, it does not read.
  if (ours.startsWith('"') && /^0x[0-9a-f]{8,}$/.test(its)) return true;
  // Rules of Landlock for ports are of Linux 6.7: an older strace shows where they are. Fields that are newer it does not show, nor
  // more than 4096 instructions.
  if (ours.startsWith("{allowed_access=") && /^0x[0-9a-f]+$/.test(its)) return true;
  const [, shown] = /^(.*), \.\.\.[\]}]+$/.exec(its) ?? [];
  if (shown !== undefined) return ours.startsWith(`${shown}, `);
  // Of BPF_PROG_DETACH it leaves out the program, which the kernel asks for where a group has several.
  if (ours.includes(", attach_bpf_fd=") && /^\{target_fd=\d+, attach_type=\w+\}$/.test(its))
    return isSame(ours.replace(/, attach_bpf_fd=\d+/, ""), its);
  // Sizes have no sign.
  if (/^-\d+$/.test(ours) && /^\d+$/.test(its)) return BigInt.asUintN(64, BigInt(ours)) === BigInt(its);
  const [mine, theirs] = [ours.split(/([\w|]+)/), its.split(/([\w|]+)/)];
  return (
    mine.length === theirs.length && mine.every((word, i) => word === theirs[i] || isSameWord(word, theirs[i] ?? ""))
  );
}

function isSameWord(ours: string, its: string): boolean {
  const [mine, theirs] = [ours.split("|"), its.split("|")];
  const named = mine.filter((name) => !theirs.includes(name)).map((name) => wordOf(name));
  // Of MOUNT_ATTR__ATIME it knows the parts NOATIME and STRICTATIME, and not that 0x40 is the rest.
  const unnamed = theirs.filter((name) => !mine.includes(name)).map((name) => wordOf(name));
  // CLONE_NEWTIME comes first in unshare and setns, and last in clone3.
  if (named.length === 0 && unnamed.length === 0) return mine.length === theirs.length;
  if (!theirs.some((word) => /^(?:0x[0-9a-f]+|\d+)$/.test(word)) || named.includes(undefined)) return false;
  return (
    named.reduce<bigint>((sum, word) => sum + (word ?? 0n), 0n) ===
    unnamed.reduce<bigint>((sum, word) => sum + (word ?? 0n), 0n)
  );
}

/** Modes of a terminal as we print them: without delays that are none, and with the special characters as bytes. */
const termios = (its: string): string =>
  its
    .replaceAll(/(?:NL0|CR0|TAB0|BS0|VT0|FF0)\|/g, "")
    .replace("c_line=N_TTY", "c_line=0")
    .replace(/c_cc=\[(.*)\]\}$/, (_, list: string) => `c_cc=${formatArg(Uint8Array.from(bytesOf(list)))}}`);
const bytesOf = (list: string): number[] => [...list.matchAll(/\]=(\w+)/g)].map(([, byte]) => Number(byte));

/** `"\x01\x74"` for `"\1t"`. */
const inHex = (quoted: string): string =>
  `"${[...quoted.slice(1, -1).matchAll(/\\([0-7]{1,3})|\\(.)|[^\\]/g)].map(([all, octal, escaped]) => hexByte(octal === undefined ? (escapes[escaped ?? ""] ?? (escaped ?? all).charCodeAt(0)) : Number.parseInt(octal, 8))).join("")}"`;
const hexByte = (byte: number): string => `\\x${byte.toString(16).padStart(2, "0")}`;
const escapes: Record<string, number> = { n: 10, t: 9, r: 13, v: 11, f: 12 };

/** What a flag by its full name is worth, or a number. */
function wordOf(name: string): bigint | undefined {
  if (name === "NULL") return 0n;
  if (/^(?:0x[0-9a-f]+|\d+)$/.test(name)) return BigInt(name);
  for (const set of Object.values<FlagSet>(flagSets))
    for (const [flag, word] of Object.entries(set.values))
      if (name === (set.whole?.includes(flag) ? flag : set.prefix + flag)) return BigInt(word);
  return undefined;
}
