/** Mount table of a process: /proc/PID/mountinfo, proc_pid_mountinfo(5). */
import { ParseError } from "./parse-error.ts";
import { decode, ifThere, readProcess } from "./read.ts";

/** One mount. Octal escapes are decoded in every field. */
export interface MountInfo {
  /** Unique while the mount exists, then used again. */
  readonly mountId: number;
  /** The mount it is mounted on; for the top of the tree one that is not in the table. */
  readonly parentId: number;
  readonly device: { readonly major: number; readonly minor: number };
  /** The directory of the file system that is the top of this mount; ends in `//deleted` when that is gone. */
  readonly root: string;
  /** As seen from the root directory of the process. */
  readonly mountPoint: string;
  /** Of this mount: `rw`, `nosuid`, `relatime`, ... */
  readonly options: readonly string[];
  readonly propagation: MountPropagation;
  /** With its subtype, as in `fuse.sshfs`. */
  readonly fsType: string;
  /** A device, a path, or any word; may be empty. */
  readonly source: string;
  /** Of the file system, shared by all of its mounts. */
  readonly superOptions: readonly string[];
}

/** Peer groups by number, mount_namespaces(7). A mount with none of these is private. */
export interface MountPropagation {
  /** The group that it sends mounts to and receives them from. */
  readonly shared?: number;
  /** The group that it receives mounts from: it is a slave of that one. */
  readonly master?: number;
  /** Nearest dominant peer group that is visible from the root of the process. */
  readonly propagateFrom?: number;
  /** No MS_BIND can copy it. */
  readonly unbindable?: true;
}

/**
 * `/proc/PID/mountinfo`, in the kernel's order. Without a pid: of this process.
 * @returns undefined when that process has ended (a zombie has no mount table either)
 */
export function mountinfo(): MountInfo[];
export function mountinfo(pid: number | undefined): MountInfo[] | undefined;
export function mountinfo(pid?: number): MountInfo[] | undefined {
  // The kernel answers EINVAL for a process that has already given its namespaces back.
  const text = ifThere(() => readProcess(pid, "mountinfo"), pid === undefined ? [] : ["EINVAL"]);
  return text === undefined ? undefined : parseMountinfo(text, `/proc/${pid ?? "self"}/mountinfo`);
}

/**
 * The text of `/proc/PID/mountinfo`, in the order of the file. proc_pid_mountinfo(5)
 * @param file Named in the error.
 * @throws {ParseError} with the line that cannot be read
 */
export function parseMountinfo(text: string, file = "/proc/self/mountinfo"): MountInfo[] {
  const mounts: MountInfo[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "") continue;
    const expect = (expected: string): never => {
      throw new ParseError(file, index + 1, line, expected);
    };
    mounts.push(parseLine(line, expect));
  }
  return mounts;
}

// 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue
function parseLine(line: string, expect: (expected: string) => never): MountInfo {
  const fields = line.split(" ");
  const [mountId = "", parentId = "", device = "", root = "", mountPoint = "", options = ""] = fields;
  const dash = fields.indexOf("-", 6);
  if (!/^\d+$/.test(mountId)) expect("a mount ID");
  if (!/^\d+$/.test(parentId)) expect("the ID of the parent mount");
  const [, major, minor] = /^(\d+):(\d+)$/.exec(device) ?? expect("a device as major:minor");
  if (root === "" || mountPoint === "") expect("a root and a mount point");
  const fsType = fields[dash + 1];
  if (dash < 0 || fsType === undefined || fsType === "") return expect('" - " and a file system type');
  const source = fields[dash + 2];
  if (source === undefined || fields.length < dash + 4)
    return expect("a source and options after the file system type");
  return {
    mountId: Number(mountId),
    parentId: Number(parentId),
    device: { major: Number(major), minor: Number(minor) },
    root: unescapeOctal(root),
    mountPoint: unescapeOctal(mountPoint),
    options: parseOptions(options),
    propagation: parsePropagation(fields.slice(6, dash), expect),
    fsType: unescapeOctal(fsType),
    source: unescapeOctal(source),
    // Some file systems print their options unescaped (9p in WSL: "path=C:\Program Files"), so the last field is the rest.
    superOptions: parseOptions(fields.slice(dash + 3).join(" ")),
  };
}

function parsePropagation(fields: readonly string[], expect: (expected: string) => never): MountPropagation {
  const found: { shared?: number; master?: number; propagateFrom?: number; unbindable?: true } = {};
  for (const field of fields) {
    const [tag, group = ""] = field.split(":");
    if (tag === "unbindable") {
      found.unbindable = true;
    } else if (tag === "shared" || tag === "master" || tag === "propagate_from") {
      if (!/^\d+$/.test(group)) expect(`a peer group as ${tag}:N`);
      found[tag === "propagate_from" ? "propagateFrom" : tag] = Number(group);
    }
  }
  return found;
}

// Decoded after the split: a comma inside an option is printed as \054.
function parseOptions(text: string): string[] {
  return text === "" ? [] : text.split(",").map(unescapeOctal);
}

/** `a\040b` to `a b`. A run of escapes is taken as bytes of UTF-8; a backslash that begins no escape stays. */
export function unescapeOctal(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/(?:\\[0-3][0-7]{2})+/g, (run) =>
    decode(Uint8Array.from(run.slice(1).split("\\"), (octal) => Number.parseInt(octal, 8))),
  );
}
