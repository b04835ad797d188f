/** Places below a root that is being built, and steps that mount something there without ever following a link out of it. */
import * as call from "../sys/calls.ts";
import { AT_FDCWD } from "../sys/calls.ts";
import { FSMOUNT, FSOPEN, MOUNT_ATTR, MOVE_MOUNT, MS, O, RESOLVE, S } from "../sys/flags.ts";
import { type CallStep, step } from "../sys/step.ts";

/** The id of the descriptor of the new root; also the working directory between any two groups of steps. */
export const rootId = "root";
const root = { result: rootId } as const;

/** Flags of every mount that is not the root: no device works there, no set-user-ID bit. */
export const restricted = MOUNT_ATTR.NOSUID + MOUNT_ATTR.NODEV;

/** Opens the working directory as the new root. */
export function openRoot(): CallStep {
  return step("open the new root", call.openat(AT_FDCWD, ".", O.PATH | O.DIRECTORY | O.CLOEXEC), { id: rootId });
}

/** `fchdir(root)`: back to where a group of steps begins. */
export function returnToRoot(): CallStep {
  return step("return to the new root", call.fchdir(root));
}

/**
 * A directory that the box must have at its top, such as /proc. In a root made by us it is made; in one made by others it has to be an
 * ordinary directory: behind a link, what is mounted there would land elsewhere (CVE-2019-19921, CVE-2023-27561).
 * @returns steps, and the id of the descriptor of the place
 */
export function topDirectory(name: string, { isMade, mode = 0o755 }: { isMade: boolean; mode?: number }): CallStep[] {
  const make = step(`make /${name}`, call.mkdirat(root, name, mode), { tolerate: ["EEXIST", "EROFS"] });
  const open = step(
    `open /${name} in the new root`,
    call.openat2(root, name, O.PATH | O.DIRECTORY | O.CLOEXEC, RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS),
    { id: name },
  );
  return isMade ? [make, open] : [open];
}

/**
 * Any path in the box, as a mount point: missing directories are made on the way, each in a parent held by descriptor, and links are
 * followed as the box would follow them (CVE-2021-30465, CVE-2024-45310). `place` is the id of the descriptor of the last one.
 */
export function mountPoint(path: string, kind: "directory" | "file", place: string): CallStep[] {
  const names = path.split("/").filter((name) => name !== "" && name !== ".");
  const steps: CallStep[] = [];
  let parent: { result: string } = root;
  names.forEach((name, i) => {
    const here = `/${names.slice(0, i + 1).join("/")}`;
    const isLast = i === names.length - 1;
    const isDirectory = !isLast || kind === "directory";
    // What cannot be made may be there: then it opens.
    const tolerate = ["EEXIST", "EROFS", "EACCES"] as const;
    steps.push(
      isDirectory
        ? step(`make ${here}`, call.mkdirat(parent, name, 0o755), { tolerate })
        : step(`make ${here}`, call.mknodat(parent, name, S.IFREG | 0o644, 0), { tolerate }),
    );
    const id = isLast ? place : `${place}, ${i + 1} deep`;
    const flags = O.PATH | O.CLOEXEC | (isDirectory ? O.DIRECTORY : 0);
    steps.push(
      step(
        `open ${here} in the new root`,
        call.openat2(root, here.slice(1), flags, RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS),
        {
          id,
        },
      ),
    );
    parent = { result: id };
  });
  return steps;
}

/** A new file system as a detached mount, with `id`. The id of its context is `${id} context`. */
export function newFileSystem(
  type: string,
  id: string,
  { options = {}, attributes }: { options?: Readonly<Record<string, string>>; attributes: number },
): CallStep[] {
  const context = { result: `${id} context` };
  return [
    step(`open a ${type}`, call.fsopen(type, FSOPEN.CLOEXEC), { id: context.result }),
    ...Object.entries(options).map(([key, value]) =>
      step(`set ${key} of the ${type}`, call.fsconfigString(context, key, value)),
    ),
    step(`make the ${type}`, call.fsconfigCreate(context)),
    step(`mount the ${type}`, call.fsmount(context, FSMOUNT.CLOEXEC, attributes), { id }),
  ];
}

/** Puts a detached mount where a descriptor points. From then on its own descriptor leads into the mounted tree. */
export function attach(tree: string, place: string, label: string, more: { needs?: string } = {}): CallStep {
  return step(
    label,
    call.moveMount({ result: tree }, "", { result: place }, "", MOVE_MOUNT.F_EMPTY_PATH | MOVE_MOUNT.T_EMPTY_PATH),
    more,
  );
}

/** A tmpfs on the place behind a descriptor. */
export function tmpfsAt(place: string, path: string, data: string): CallStep[] {
  return [
    step(`go to ${path}`, call.fchdir({ result: place })),
    step(`mount tmpfs on ${path}`, call.mount("tmpfs", ".", "tmpfs", MS.NOSUID | MS.NODEV, data)),
  ];
}
