import { expect, test } from "bun:test";
import { closeSync, existsSync, openSync } from "node:fs";
import { join } from "node:path";
import { Fd } from "../../src/sys/fd.ts";

const open = () => new Fd(openSync("/dev/null", "r"));
const isOpen = (number: number) => existsSync(`/proc/self/fd/${number}`);

test("an Fd has the number it was made of, until it is closed", () => {
  const fd = open();
  const { number } = fd;
  expect(isOpen(number)).toBe(true);
  expect(fd.closed).toBe(false);
  fd.close();
  expect(isOpen(number)).toBe(false);
  expect(fd.closed).toBe(true);
  expect(() => fd.number).toThrow(TypeError);
});

test("close() and dispose do nothing the second time", () => {
  const fd = open();
  const { number } = fd;
  fd.close();
  // The next file gets the number that became free: a second close would hit it.
  const other = openSync("/dev/null", "r");
  expect(other).toBe(number);
  fd.close();
  fd[Symbol.dispose]();
  expect(isOpen(other)).toBe(true);
  closeSync(other);
});

test("using closes at the end of the block, also when it is left by an error", () => {
  let number = -1;
  expect(() => {
    using fd = open();
    number = fd.number;
    throw new Error("on purpose");
  }).toThrow("on purpose");
  expect(isOpen(number)).toBe(false);
});

test("release() gives up the number and leaves it open", () => {
  const fd = open();
  const number = fd.release();
  fd.close();
  expect(isOpen(number)).toBe(true);
  expect(() => fd.number).toThrow("given up");
  expect(() => fd.release()).toThrow(TypeError);
  closeSync(number);
});

test("a number that was closed behind an Fd's back is EBADF, once", () => {
  const fd = open();
  closeSync(fd.number);
  expect(() => fd.close()).toThrow("EBADF");
  fd.close();
});

for (const number of [-1, -9, 1.5, NaN, 2 ** 31, Infinity]) {
  test(`${number} is not a file descriptor`, () => {
    expect(() => new Fd(number)).toThrow(TypeError);
  });
}

test("-errno in place of a number is called by its name", () => {
  expect(() => new Fd(-9)).toThrow("not a file descriptor: -9 (the -errno of a call that failed?)");
});

test("an Fd prints as what it is", () => {
  const fd = open();
  expect(`${fd}`).toBe(`fd ${fd.number}`);
  expect(Bun.inspect(fd)).toBe(`fd ${fd.number}`);
  fd.close();
  expect(`${fd}`).toBe("fd (closed)");
});

test("an Fd that is garbage-collected open is closed with a warning, one that was closed or released is not", () => {
  const script = `
    import { closeSync, openSync, readdirSync, readlinkSync } from "node:fs";
    import { Fd } from ${JSON.stringify(join(import.meta.dir, "../../src/sys/fd.ts"))};
    const warnings = [];
    process.on("warning", ({ name, message }) => warnings.push(name + ": " + message));
    const numbers = [];
    (function forget() {
      for (const _ of [1, 2, 3]) numbers.push(new Fd(openSync("/etc/passwd", "r")).number);
    })();
    (function remember() {
      new Fd(openSync("/dev/zero", "r")).close();
      closeSync(new Fd(openSync("/dev/zero", "r")).release());
    })();
    // More rounds than needed: the collector looks at stacks conservatively and may keep one for a while.
    for (let i = 0; i < 100 && warnings.length < 3; i++) {
      Bun.gc(true);
      await Bun.sleep(5);
    }
    // By file and not by number: a number that became free may be another file's by now.
    const files = readdirSync("/proc/self/fd").flatMap((n) => { try { return readlinkSync("/proc/self/fd/" + n); } catch { return []; } });
    console.log(JSON.stringify({ warnings: warnings.sort(), numbers, files }));`;
  const { stdout } = Bun.spawnSync([process.execPath, "-e", script], { stderr: "ignore" });
  const { warnings, numbers, files } = JSON.parse(stdout.toString());
  expect(warnings).toEqual(
    numbers.map(
      (number: number) =>
        `UnclosedFd: fd ${number} of /etc/passwd was garbage-collected open: use "using", or call close()`,
    ),
  );
  expect(files).not.toContain("/etc/passwd");
});
