/** What statmount(2) wrote: its struct, and in place of offsets the strings that follow it. Pure. */
import { type DecodedStruct, decodeStruct, decodeText } from "./decode.ts";
import { STATMOUNT } from "./flags.ts";
import { structs } from "./structs.ts";

/** Fields that hold the offset of a string, and what asks for them. */
const strings = {
  mnt_root: STATMOUNT.MNT_ROOT,
  mnt_point: STATMOUNT.MNT_POINT,
  fs_type: STATMOUNT.FS_TYPE,
  fs_subtype: STATMOUNT.FS_SUBTYPE,
  sb_source: STATMOUNT.SB_SOURCE,
  mnt_opts: STATMOUNT.MNT_OPTS,
} as const;

/** Fields that hold the offset of strings one after the other, the field that counts them, and what asks for them. */
const lists = {
  opt_array: ["opt_num", STATMOUNT.OPT_ARRAY],
  opt_sec_array: ["opt_sec_num", STATMOUNT.OPT_SEC_ARRAY],
  mnt_uidmap: ["mnt_uidmap_num", STATMOUNT.MNT_UIDMAP],
  mnt_gidmap: ["mnt_gidmap_num", STATMOUNT.MNT_GIDMAP],
} as const;

type StringField = keyof typeof strings;
type ListField = keyof typeof lists;

/** struct statmount with its strings; those that `mask` does not name are absent. statmount(2) */
export type Statmount = Omit<DecodedStruct<"statmount">, StringField | ListField> & {
  readonly [F in StringField]?: string;
} & { readonly [F in ListField]?: readonly string[] };

/** Reads a buffer that statmount has filled: `mnt_point` as "/proc", `mnt_uidmap` as ["0 100000 65536"]. */
export function parseStatmount(bytes: Uint8Array): Statmount {
  const struct = decodeStruct("statmount", bytes);
  const values: Record<string, unknown> = { ...struct };
  for (const key in strings) {
    const field = key as StringField;
    if (struct.mask & strings[field]) values[field] = stringsAt(bytes, struct[field], 1)[0];
    else delete values[field];
  }
  for (const key in lists) {
    const field = key as ListField;
    const [count, flag] = lists[field];
    if (struct.mask & flag) values[field] = stringsAt(bytes, struct[field], struct[count]);
    else delete values[field];
  }
  return values as unknown as Statmount;
}

/** That many strings, each up to its NUL, from an offset behind the struct. */
function stringsAt(bytes: Uint8Array, offset: number, count: number): string[] {
  const found: string[] = [];
  let at = structs.statmount.size + offset;
  while (found.length < count && at < bytes.length) {
    found.push(decodeText(bytes, at));
    const nul = bytes.indexOf(0, at);
    at = nul < 0 ? bytes.length : nul + 1;
  }
  return found;
}
