/** src/sys/statmount.ts: buffers as statmount(2) fills them. */
import { expect, test } from "bun:test";
import { MS, STATMOUNT } from "../../src/sys/flags.ts";
import { parseStatmount } from "../../src/sys/statmount.ts";
import { structs } from "../../src/sys/structs.ts";

/** A struct with these words at its start, and strings behind it. */
function filled(words: Partial<Record<keyof typeof structs.statmount.fields, number>>, list: string[]): Uint8Array {
  const { size, fields } = structs.statmount;
  const strings = list.join("\0");
  const bytes = new Uint8Array(size + strings.length);
  const view = new DataView(bytes.buffer);
  for (const [name, value] of Object.entries(words))
    view.setUint32(fields[name as keyof typeof fields].at, value, true);
  bytes.set(new TextEncoder().encode(strings), size);
  return bytes;
}

test("strings stand in place of their offsets", () => {
  const { MNT_BASIC, MNT_ROOT, MNT_POINT, FS_TYPE, SB_SOURCE } = STATMOUNT;
  const mask = MNT_BASIC | MNT_ROOT | MNT_POINT | FS_TYPE | SB_SOURCE;
  const words = { mask, mnt_propagation: MS.PRIVATE, mnt_root: 1, mnt_point: 6, fs_type: 13, sb_source: 19 };
  const found = parseStatmount(filled(words, ["", "/etc", "/mnt/a", "tmpfs", "", ""]));
  expect(found).toMatchObject({ mnt_root: "/etc", mnt_point: "/mnt/a", fs_type: "tmpfs", sb_source: "", mask });
  expect(found.mnt_propagation).toBe(MS.PRIVATE);
});

test("what the mask does not name is absent, and not the string at offset 0", () => {
  // Linux 6.8 puts the first string there.
  const found = parseStatmount(filled({ mask: STATMOUNT.FS_TYPE, fs_type: 0 }, ["proc", ""]));
  expect(found.fs_type).toBe("proc");
  for (const name of ["mnt_point", "mnt_root", "mnt_opts", "sb_source", "fs_subtype", "opt_array", "mnt_uidmap"])
    expect(found).not.toHaveProperty(name);
});

test("lists are as long as the kernel says", () => {
  const mask = STATMOUNT.OPT_ARRAY | STATMOUNT.MNT_UIDMAP;
  const words = { mask, opt_num: 2, opt_array: 1, mnt_uidmap_num: 2, mnt_uidmap: 17 };
  const found = parseStatmount(filled(words, ["", "size=64k", "mode=7", "0 1000 1", "1 100000 65536", ""]));
  expect(found.opt_array).toEqual(["size=64k", "mode=7"]);
  expect(found.mnt_uidmap).toEqual(["0 1000 1", "1 100000 65536"]);
});

test("a buffer that ends too soon reads as far as it goes", () => {
  const words = { mask: STATMOUNT.OPT_ARRAY | STATMOUNT.FS_TYPE, opt_num: 1000, opt_array: 0, fs_type: 999 };
  const found = parseStatmount(filled(words, ["size=64k", "mo"]));
  expect(found.opt_array).toEqual(["size=64k", "mo"]);
  expect(found.fs_type).toBeUndefined();
  expect(parseStatmount(new Uint8Array(0)).mask).toBe(0);
});
