/** The kernel itself is the witness of what arrives: lseek() returns its offset, /proc/self/maps shows all six words of mmap(). */
import { afterAll, expect, test } from "bun:test";
import { closeSync, openSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { builtSyscall } from "../../ffi/built.ts";
import { addressOf, pin, syscall, type Word } from "../../ffi/syscall.ts";

const arch = process.arch as "x64" | "arm64";
const nr = {
  x64: {
    read: 0,
    write: 1,
    close: 3,
    lseek: 8,
    mmap: 9,
    munmap: 11,
    writev: 20,
    getpid: 39,
    ftruncate: 77,
    memfdCreate: 319,
  },
  arm64: {
    ftruncate: 46,
    close: 57,
    lseek: 62,
    read: 63,
    write: 64,
    writev: 66,
    getpid: 172,
    munmap: 215,
    mmap: 222,
    memfdCreate: 279,
  },
}[arch];
const EBADF = 9;
const EFAULT = 14;
const SEEK_SET = 0;
const SEEK_CUR = 1;

const cString = (text: string) => new TextEncoder().encode(`${text}\0`);
const memfd = (name: string) => syscall(nr.memfdCreate, cString(name), 0);
const fd = memfd("syscall-test");
afterAll(() => closeSync(fd));

/** The whole of what is in the file. */
const content = () => readFileSync(`/proc/self/fd/${fd}`, "utf8");
const empty = () => {
  syscall(nr.ftruncate, fd, 0);
  syscall(nr.lseek, fd, 0, SEEK_SET);
};

test("getpid() is process.pid", () => {
  expect(syscall(nr.getpid)).toBe(process.pid);
});

test("a failed call returns -errno", () => {
  expect(syscall(nr.close, -1)).toBe(-EBADF);
  expect(syscall(nr.close, 0x7fffffff)).toBe(-EBADF);
  expect(syscall(nr.write, fd, null, 1)).toBe(-EFAULT);
});

test("errno cannot get lost between the call and its reader", () => {
  for (let i = 0; i < 1000; i++) {
    const result = syscall(nr.close, -1);
    expect(() => openSync("/does/not/exist", "r")).toThrow("ENOENT");
    expect(result).toBe(-EBADF);
  }
});

// Added to a file position of 2^40, so that a word cut to 32 bits, or without its sign, shows.
const START = 2 ** 40;
const words: [Word, number][] = [
  [0, START],
  [1, START + 1],
  [-1, START - 1],
  [-0, START],
  [2 ** 31 - 1, START + 2 ** 31 - 1],
  [2 ** 31, START + 2 ** 31],
  [-(2 ** 31), START - 2 ** 31],
  [-(2 ** 31) - 1, START - 2 ** 31 - 1],
  [2 ** 32 - 1, START + 2 ** 32 - 1],
  [2 ** 32 + 5, START + 2 ** 32 + 5],
  [2 ** 53 - 1 - START, 2 ** 53 - 1],
  [2n ** 53n - 1n - 2n ** 40n, 2 ** 53 - 1],
  [5n, START + 5],
  [-1n, START - 1],
  [2n ** 64n - 1n, START - 1],
  [2n ** 64n - 2n ** 31n, START - 2 ** 31],
  [null, START],
];
for (const [word, expected] of words) {
  test(`the word ${word}${typeof word === "bigint" ? "n" : ""} arrives whole`, () => {
    syscall(nr.lseek, fd, START, SEEK_SET);
    expect(syscall(nr.lseek, fd, word, SEEK_CUR)).toBe(expected);
  });
}

test("words arrive whole from compiled code too", () => {
  const seek = (word: Word) => syscall(nr.lseek, fd, word, SEEK_CUR);
  for (let i = 0; i < 20_000; i++) {
    const [word, expected] = words[i % words.length]!;
    syscall(nr.lseek, fd, START, SEEK_SET);
    if (seek(word) !== expected) throw new Error(`round ${i}: ${word}`);
  }
});

test("2^53 - 1 comes back as it went", () => {
  expect(syscall(nr.lseek, fd, Number.MAX_SAFE_INTEGER, SEEK_SET)).toBe(Number.MAX_SAFE_INTEGER);
});

test("a result beyond 2^53 is a rounded number, not a bigint", () => {
  expect(syscall(nr.lseek, fd, 2n ** 63n - 1n, SEEK_SET)).toBe(2 ** 63);
});

test("six arguments arrive in order", () => {
  const file = memfd("six");
  expect(syscall(nr.ftruncate, file, 1 << 20)).toBe(0);
  const PROT_READ = 1;
  const MAP_SHARED = 1;
  const MAP_FIXED = 0x10;
  // A size of 64 KiB, the largest page of both architectures.
  const size = 0x10000;
  const room = syscall(nr.mmap, 0, 8 * size, PROT_READ, MAP_SHARED, file, 0);
  expect(room).toBeGreaterThan(0);
  const at = room + 4 * size;
  expect(syscall(nr.mmap, at, 2 * size, PROT_READ, MAP_SHARED | MAP_FIXED, file, 7 * size)).toBe(at);
  const line = readFileSync("/proc/self/maps", "utf8")
    .split("\n")
    .find((text) => text.startsWith(at.toString(16)));
  expect(line).toStartWith(`${at.toString(16)}-${(at + 2 * size).toString(16)} r--s 00070000 `);
  expect(line).toEndWith(`${readlinkSync(`/proc/self/fd/${file}`)}`);
  expect(syscall(nr.munmap, room, 8 * size)).toBe(0);
  closeSync(file);
});

const bytes = new TextEncoder().encode("0123456789");
const buffers: [string, ArrayBuffer | ArrayBufferView, string][] = [
  ["an ArrayBuffer", bytes.slice().buffer, "0123456789"],
  ["a Uint8Array", bytes.slice(), "0123456789"],
  ["a part of a Uint8Array", bytes.subarray(3, 5), "34"],
  ["a DataView", new DataView(bytes.slice().buffer, 8), "89"],
  ["a BigUint64Array", new BigUint64Array([0x4847464544434241n]), "ABCDEFGH"],
  ["a Buffer", Buffer.from("from a pool"), "from a pool"],
];
for (const [what, buffer, expected] of buffers) {
  test(`${what} is passed as the address of its first byte`, () => {
    empty();
    expect(syscall(nr.write, fd, buffer, buffer.byteLength)).toBe(buffer.byteLength);
    expect(content()).toBe(expected);
  });
}

test("the kernel writes into a buffer", () => {
  empty();
  syscall(nr.write, fd, bytes, bytes.length);
  syscall(nr.lseek, fd, 0, SEEK_SET);
  const answer = pin(4);
  expect(syscall(nr.read, fd, answer, answer.length)).toBe(4);
  expect(new TextDecoder().decode(answer)).toBe("0123");
});

test("a small view is passed right from compiled code, before and after its bytes move", () => {
  const small = new Uint8Array(8);
  const answer = new Uint8Array(8);
  const round = (i: number) => {
    small[7] = i & 255;
    syscall(nr.lseek, fd, 0, SEEK_SET);
    syscall(nr.write, fd, small, 8);
    syscall(nr.lseek, fd, 0, SEEK_SET);
    syscall(nr.read, fd, answer, 8);
    if (answer[7] !== (i & 255)) throw new Error(`round ${i}`);
  };
  empty();
  for (let i = 0; i < 10_000; i++) round(i);
  expect(small.buffer.byteLength).toBe(8);
  for (let i = 0; i < 10_000; i++) round(i);
});

test("what is not a word throws and does not call", () => {
  empty();
  for (const word of ["text", true, {}, Symbol()] as unknown as Word[]) {
    expect(() => syscall(nr.write, fd, word, 1)).toThrow(TypeError);
  }
  expect(content()).toBe("");
});

test("addressOf() gives an address that can be stored: an iovec", () => {
  empty();
  const parts = [bytes.subarray(0, 4), pin(3).fill(0x78)];
  const iovecs = new BigUint64Array(parts.flatMap((part) => [BigInt(addressOf(part)), BigInt(part.length)]));
  expect(syscall(nr.writev, fd, iovecs, parts.length)).toBe(7);
  expect(content()).toBe("0123xxx");
  expect(parts.length).toBe(2);
});

test("addressOf() is the same before and after .buffer is touched and the code around it is compiled", () => {
  const small = new Uint8Array(100);
  const first = addressOf(small);
  expect(addressOf(new Uint8Array(small.buffer))).toBe(first);
  for (let i = 0; i < 50_000; i++) if (addressOf(small) !== first) throw new Error(`moved in round ${i}`);
  expect(addressOf(small.subarray(7))).toBe(first + 7);
});

test("addressOf() of nothing throws and says what to do", () => {
  expect(() => addressOf(new Uint8Array(0))).toThrow("pass null");
  expect(() => addressOf(bytes.subarray(3, 3))).toThrow(TypeError);
});

test("pin() makes zeroed bytes over an ArrayBuffer of their own", () => {
  const buffer = pin(16);
  expect(buffer).toEqual(new Uint8Array(16));
  expect(buffer.buffer.byteLength).toBe(16);
});

test("the code's page is made by the first call, not by the import, and is never writable and executable", () => {
  const script = `
    import { readFileSync, openSync, readSync } from "node:fs";
    import { builtSyscall } from ${JSON.stringify(join(import.meta.dir, "../../ffi/built.ts"))};
    import { syscall } from ${JSON.stringify(join(import.meta.dir, "../../ffi/syscall.ts"))};
    const code = Buffer.from(builtSyscall(process.arch));
    const memory = openSync("/proc/self/mem", "r");
    const pages = () => readFileSync("/proc/self/maps", "utf8").split("\\n").flatMap((line) => {
      const [, start, rights] = /^(\\w+)-\\w+ (..x.) 00000000 00:00 0 *$/.exec(line) ?? [];
      if (start === undefined) return [];
      const head = Buffer.alloc(code.length);
      readSync(memory, head, 0, head.length, Number("0x" + start));
      return head.equals(code) ? [rights] : [];
    });
    const before = pages();
    syscall(${nr.getpid});
    syscall(${nr.getpid});
    console.log(JSON.stringify([before, pages()]));`;
  const { stdout, stderr } = Bun.spawnSync([process.execPath, "-e", script]);
  expect(stderr.toString()).toBe("");
  expect(JSON.parse(stdout.toString())).toEqual([[], ["r-xp"]]);
  expect(builtSyscall(arch).length).toBeLessThan(64);
});
