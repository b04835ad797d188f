import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseFlatKeyed, usage } from "../../src/cgroup/usage.ts";
import { parseCgroup } from "../../src/proc/cgroup.ts";
import { parseIdMap } from "../../src/proc/idmap.ts";
import { parseMountinfo, unescapeOctal } from "../../src/proc/mountinfo.ts";
import { parseNamespaceLink } from "../../src/proc/namespaces.ts";
import { ParseError } from "../../src/proc/parse-error.ts";
import { decode } from "../../src/proc/read.ts";
import { parseStatus } from "../../src/proc/status.ts";
import { parseSubid } from "../../src/proc/subid.ts";
import { fixture } from "./fixture.ts";

const parsers: { [name: string]: { parse: (text: string) => unknown; seed: string } } = {
  parseMountinfo: { parse: parseMountinfo, seed: fixture("linux-6.18-hybrid/mountinfo-odd") },
  parseCgroup: { parse: parseCgroup, seed: fixture("linux-6.18-hybrid/cgroup-deleted") },
  parseStatus: { parse: parseStatus, seed: fixture("linux-6.18-hybrid/status-odd") },
  parseIdMap: { parse: parseIdMap, seed: fixture("linux-6.18-hybrid/uid_map") },
  parseSubid: { parse: parseSubid, seed: fixture("linux-6.18-hybrid/subuid") },
  parseNamespaceLink: { parse: parseNamespaceLink, seed: "net:[4026531840]" },
  parseFlatKeyed: { parse: parseFlatKeyed, seed: "low 0\nhigh 0\nmax 12\noom 1\noom_kill 1\n" },
  usage: { parse: (text) => usage({ "memory.peak": text, "cpu.stat": text }), seed: "1\n" },
};
const numRuns = Number(process.env.FUZZ_RUNS ?? 1000);

/** A text like the seed, with a piece cut out and another put in. */
const damaged = (seed: string) =>
  fc
    .tuple(
      fc.nat(seed.length),
      fc.nat(20),
      fc.oneof(fc.string({ unit: "binary", maxLength: 8 }), fc.constantFrom(" ", "\n", "\\", ":", "-", "\0", "\t")),
    )
    .map(([at, cut, put]) => seed.slice(0, at) + put + seed.slice(at + cut));

for (const [name, { parse, seed }] of Object.entries(parsers)) {
  test(`${name}() throws nothing but ParseError, and is quick about it`, () => {
    const property = fc.property(fc.oneof(damaged(seed), fc.string({ unit: "binary" }), fc.string()), (text) => {
      try {
        parse(text);
      } catch (error) {
        if (!(error instanceof ParseError)) throw error;
        expect(error.message.length).toBeLessThan(2000);
      }
    });
    fc.assert(property, { numRuns });
  }, 600_000);
}

test("decode() reads any bytes, UTF-8 as such", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.string({ unit: "grapheme" }), (bytes, text) => {
      expect(decode(bytes).split("\n")).toHaveLength(bytes.filter((byte) => byte === 0x0a).length + 1);
      expect(decode(new TextEncoder().encode(text))).toBe(text);
    }),
    { numRuns },
  );
});

test("unescapeOctal() undoes the kernel's escapes", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const escaped = text.replace(/[ \t\n\\#]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
      expect(unescapeOctal(escaped)).toBe(text);
    }),
    { numRuns },
  );
});
