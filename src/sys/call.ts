/** A syscall as data: the one form from which it is run now, run later in a box, and printed. */
import type { FlagSetName } from "./flag-sets.ts";
import type { SyscallName } from "./numbers.ts";
import type { StructName } from "./structs.ts";

/** A string, or one that is completed in decimal with results of earlier steps. */
export type Text = string | { readonly text: readonly (string | { readonly result: string })[] };

/** Values of a struct's fields by name; absent ones are zero. */
export type Fields = Readonly<Record<string, Arg>>;

/**
 * One argument. Plain JSON, but for `Uint8Array` and `bigint`, which only a call that runs now can hold.
 *
 * | form | the kernel gets |
 * | --- | --- |
 * | number | a 32-bit word: from -2^31 to 2^32-1 |
 * | `{ long }` | a 64-bit word: a size, an offset |
 * | string, null | the address of a NUL-terminated string, NULL |
 * | `{ flags, value }` | the word, printed by name |
 * | `{ octal }`, `{ fd }` | the word, printed as a mode, as a descriptor |
 * | `{ result }` | what an earlier step, named by its id, returned |
 * | `{ text }` | the address of a string with results of earlier steps in decimal |
 * | `{ strings }` | the address of a NULL-terminated array of strings: argv, envp |
 * | `{ words }` | the address of an array of 32-bit words: groups |
 * | `{ signals }` | the address of a 64-bit signal set |
 * | `{ struct, fields }` | the address of a struct, absent fields zero; with `out` the kernel also writes to it |
 * | `{ structs, list }` | the address of an array of structs |
 * | `{ data }` | the address of the text's UTF-8 bytes, without a NUL |
 * | `Uint8Array` | the address of these bytes |
 * | `{ out }` | the address of that many writable bytes, or of room for that struct |
 * | `{ into }` | the address of a caller's buffer, for the kernel to write to |
 * | `{ report, size }` | the address of a named block of the report, which the launcher reads |
 * | `{ reportPage }` | the address of the report itself, plus that offset |
 */
export type Arg =
  | number
  | string
  | null
  | { readonly long: number | bigint }
  | { readonly flags: FlagSetName; readonly value: number }
  | { readonly octal: number }
  | { readonly fd: number }
  | { readonly result: string }
  | Exclude<Text, string>
  | { readonly strings: readonly Text[] }
  | { readonly words: readonly number[] }
  | { readonly signals: readonly number[] | "all" }
  | { readonly struct: StructName; readonly fields: Fields; readonly out?: true }
  | { readonly structs: StructName; readonly list: readonly Fields[]; readonly out?: true }
  | { readonly data: string }
  | { readonly out: number | StructName }
  | { readonly into: Uint8Array }
  | { readonly report: string; readonly size: number }
  | { readonly reportPage: number }
  | Uint8Array;

/** A syscall and its arguments, frozen. `formatCall` prints it, `invoke` runs it, a step holds it. */
export interface Call {
  readonly name: SyscallName;
  readonly args: readonly Arg[];
}
