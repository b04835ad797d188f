/** Steps for the mounts that the user names: binds and tmpfs. mount(2) */
import * as call from "../sys/calls.ts";
import { AT_FDCWD } from "../sys/calls.ts";
import { AT, MOUNT_ATTR, OPEN_TREE } from "../sys/flags.ts";
import { type CallStep, step } from "../sys/step.ts";
import { attach, mountPoint, restricted, tmpfsAt } from "./place.ts";

/** An empty file system in memory, or something of the host. */
export type UserMount =
  | { readonly tmpfs: string; readonly size: string | undefined; readonly mode: number }
  | { readonly bind: string; readonly at: string; readonly isReadonly: boolean; readonly kind: "directory" | "file" };

/**
 * Takes hold of the sources, while the host's root is still in place and nothing hides them. From here on a source is a descriptor,
 * and no swapped link can make it another one (CVE-2024-42472).
 */
export function openSources(mounts: readonly UserMount[]): CallStep[] {
  return mounts.flatMap((mount, i) =>
    "bind" in mount ? openTree(mount.bind, `source ${i + 1}`, mount.isReadonly) : [],
  );
}

/** A detached copy of a directory or file with all that is mounted below, restricted and perhaps read-only. */
export function openTree(
  source: string,
  id: string,
  isReadonly: boolean,
  more: Pick<CallStep, "tolerate" | "downgrade"> = {},
): CallStep[] {
  const flags = restricted + (isReadonly ? MOUNT_ATTR.RDONLY : 0);
  return [
    step(`open ${source}`, call.openTree(AT_FDCWD, source, OPEN_TREE.CLONE | OPEN_TREE.CLOEXEC | AT.RECURSIVE), {
      id,
      ...more,
    }),
    // Recursive: a bind that is read-only must not be writable one mount further down.
    step(
      `restrict ${source}${isReadonly ? " to reading" : ""}`,
      call.mountSetattr({ result: id }, "", AT.EMPTY_PATH | AT.RECURSIVE, flags),
      { needs: id },
    ),
  ];
}

/** Puts them where they belong, in the order given. */
export function placeMounts(mounts: readonly UserMount[]): CallStep[] {
  return mounts.flatMap((mount, i) => {
    const place = `place ${i + 1}`;
    if ("tmpfs" in mount) {
      const size = mount.size === undefined ? "" : `,size=${mount.size}`;
      const data = `mode=${mount.mode.toString(8).padStart(4, "0")}${size}`;
      return [...mountPoint(mount.tmpfs, "directory", place), ...tmpfsAt(place, mount.tmpfs, data)];
    }
    const { bind, at, kind } = mount;
    return [...mountPoint(at, kind, place), attach(`source ${i + 1}`, place, `bind ${bind} to ${at}`)];
  });
}
