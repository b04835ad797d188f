/** From what the kernel wrote to values. */
import { type Field, type Struct, type StructName, structs } from "./structs.ts";

type FieldsOf<N extends StructName> = (typeof structs)[N]["fields"];

/** What `decodeStruct` makes of a struct: its fields by name. */
export type DecodedStruct<N extends StructName> = {
  readonly [F in keyof FieldsOf<N>]: FieldsOf<N>[F] extends { readonly text: true }
    ? string
    : FieldsOf<N>[F] extends { readonly raw: true }
      ? Uint8Array
      : FieldsOf<N>[F] extends { readonly wide: true }
        ? bigint
        : number;
};

/**
 * A struct's fields by name: numbers, bigints where all 64 bits are used, text up to its NUL, raw bytes as they are.
 * A field behind the end of `bytes`, as older kernels leave it out, is zero.
 */
export function decodeStruct<N extends StructName>(name: N, bytes: Uint8Array): DecodedStruct<N> {
  const { fields }: Struct = structs[name];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: Record<string, unknown> = {};
  for (const key in fields) {
    const field = fields[key] as Field;
    values[key] = field.at + field.bytes <= bytes.length ? decodeField(field, view, bytes) : zeroOf(field);
  }
  return values as DecodedStruct<N>;
}

/** The structs that lie in `bytes` one after the other. */
export function decodeStructs<N extends StructName>(name: N, bytes: Uint8Array): readonly DecodedStruct<N>[] {
  const { size } = structs[name];
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) =>
    decodeStruct(name, bytes.subarray(size * i, size * (i + 1))),
  );
}

function decodeField(field: Field, view: DataView, bytes: Uint8Array): unknown {
  const { at } = field;
  if (field.text) return decodeText(bytes, at, at + field.bytes);
  if (field.raw) return bytes.slice(at, at + field.bytes);
  if (field.bytes === 8) {
    if (field.wide) return view.getBigUint64(at, true);
    if (field.as === "limit" && view.getBigUint64(at, true) === 0xffffffffffffffffn) return Infinity;
    return Number(field.signed ? view.getBigInt64(at, true) : view.getBigUint64(at, true));
  }
  if (field.bytes === 4) return field.signed ? view.getInt32(at, true) : view.getUint32(at, true);
  if (field.bytes === 2) return field.signed ? view.getInt16(at, true) : view.getUint16(at, true);
  return field.signed ? view.getInt8(at) : view.getUint8(at);
}

function zeroOf(field: Field): unknown {
  if (field.text) return "";
  if (field.raw) return new Uint8Array(field.bytes);
  return field.wide ? 0n : 0;
}

const utf8 = new TextDecoder();

/** The text from `start` up to a NUL, or to `end`. */
export function decodeText(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const nul = bytes.indexOf(0, start);
  return utf8.decode(bytes.subarray(start, nul < 0 || nul > end ? end : nul));
}
