/** What the files of a group say, in the words of v2: on v1 it is put together from what v1 has. */
import { readdirSync } from "node:fs";
import { ifThere } from "../proc/read.ts";
import { OptionsError } from "../sys/options-error.ts";
import { readIn } from "./directory.ts";
import {
  type Controller,
  fileEntry,
  type FileEntry,
  type FileName,
  fileNames,
  files,
  type FileValues,
} from "./files.ts";
import { checkFileName, locate, noSuchFile, v1Place, v2Place } from "./location.ts";
import type { Parts, Place } from "./place.ts";
import { parseKind, parseValue } from "./values.ts";

/** The text of a file; on v1, of a v2 file, what the kernel of v2 would have said. Undefined where it is not there. */
export function textOf(group: Parts, file: string): string | undefined {
  const found = locate(group, checkFileName(file));
  if (typeof found === "string") return undefined;
  const { place, entry, translated } = found;
  const own = translated && entry ? translate(group.places, entry) : readIn(place, file);
  // Between v1 and v2: usage is counted in the v2 group too, without a controller.
  const v2 = v2Place(group.places);
  if (!entry?.everywhere || entry.kind !== "flatKeyed" || place.version === 2 || !v2) return own;
  return merge(own, readIn(v2, file));
}

/** A file as its value. @throws {OptionsError} for a name that no kernel has */
export function valueOf<F extends FileName>(group: Parts, file: F): FileValues[F] | undefined {
  const text = textOf(group, file);
  const isKnown = fileEntry(file) !== undefined;
  if (text !== undefined) return isKnown ? parseValue(file, text) : (parseKind("text", text, file) as FileValues[F]);
  if (!isKnown) throw new OptionsError("file", file, noSuchFile(file));
  return undefined;
}

/** Every file that can be read, in the words of v2, and what is v1's alone; of one controller, or of all. */
export function allValues(group: Parts, controller?: Controller): Partial<FileValues> {
  const wanted = fileNames.filter((name) => {
    const { access, v1Only, controller: owner } = files[name];
    return access !== "w" && !v1Only && (controller === undefined || owner === controller);
  });
  const values: Record<string, unknown> = {};
  for (const file of withSizes(wanted)) {
    const value = valueOf(group, file as FileName);
    if (value !== undefined) values[file] = value;
  }
  return values as Partial<FileValues>;
}

/** `hugetlb.<size>.max` as `hugetlb.2MB.max` and so on. */
function withSizes(names: readonly string[]): string[] {
  if (!names.some((name) => name.includes("<size>"))) return [...names];
  const folders = ifThere(() => readdirSync("/sys/kernel/mm/hugepages")) ?? [];
  const sizes = folders.map((name) => hugePageSize(Number(/\d+/.exec(name)?.[0] ?? 0)));
  return names.flatMap((name) => (name.includes("<size>") ? sizes.map((size) => name.replace("<size>", size)) : name));
}

/** `2MB` for 2048 KiB, as the names of files have it. */
function hugePageSize(kib: number): string {
  if (kib >= 1 << 20) return `${kib >> 20}GB`;
  return kib >= 1 << 10 ? `${kib >> 10}MB` : `${kib}KB`;
}

function translate(places: readonly Place[], { v1 }: FileEntry): string | undefined {
  const texts: Record<string, string | undefined> = {};
  for (const file of v1?.files ?? []) {
    const place = v1Place(places, file);
    texts[file] = place && readIn(place, file);
  }
  return v1?.read ? v1.read(texts) : texts[v1?.files[0] ?? ""];
}

/** Lines of both; of keys in both, those of the first. */
function merge(first: string | undefined, second: string | undefined): string | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  const keys = new Set(first.split("\n").map((line) => line.split(" ")[0]));
  const more = second.split("\n").filter((line) => line !== "" && !keys.has(line.split(" ")[0]));
  return [...first.split("\n").filter(Boolean), ...more, ""].join("\n");
}
