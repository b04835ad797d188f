import { expect, test } from "bun:test";
import { numbers } from "../../src/sys/numbers.ts";
import { callsSince, featuresSince, isSince, type KernelVersion, parseVersion, since } from "../../src/sys/since.ts";
import { floors } from "../../src/spawn/floors.ts";

const comparisons: [kernel: KernelVersion, version: string, answer: boolean][] = [
  [[5, 12], "5.12", true],
  [[5, 11], "5.12", false],
  [[5, 2], "5.12", false],
  [[6, 1], "5.12", true],
  [[6, 18], "6.2", true],
  [[4, 19], "5.2", false],
  [[3, 10], "2.6.39", true],
];

const releases: [release: string, version: KernelVersion][] = [
  ["6.18.44-fc-v782", [6, 18]],
  ["6.1.0-18-cloud-amd64", [6, 1]],
  ["5.15", [5, 15]],
  ["2.6.39", [2, 6]],
  ["none", [0, 0]],
];

for (const [kernel, version, answer] of comparisons) {
  test(`Linux ${kernel.join(".")} is ${answer ? "" : "not "}as new as ${version}`, () => {
    expect(isSince(kernel, version)).toBe(answer);
  });
}

for (const [release, version] of releases) {
  test(`parseVersion() reads "${release}" as ${version.join(" and ")}`, () => {
    expect(parseVersion(release)).toEqual(version);
  });
}

test("every version is one", () => {
  for (const [name, version] of Object.entries(since)) expect(version, name).toMatch(/^[2-7]\.\d+(\.\d+)?$/);
});

test("no name is both a call and a feature", () => {
  expect(Object.keys(since).length).toBe(Object.keys(callsSince).length + Object.keys(featuresSince).length);
});

test("the newer a call, the higher its number: since 5.1 all architectures share them", () => {
  const calls = (Object.keys(callsSince) as (keyof typeof callsSince)[])
    .filter((name) => numbers[name][0] >= 424)
    .toSorted((a, b) => numbers[a][0] - numbers[b][0]);
  expect(calls.length).toBeGreaterThan(30);
  // Their numbers were given before they were ready.
  const early = ["clone3", "close_range", "quotactl_fd"];
  const inOrder = calls.filter((name) => !early.includes(name));
  for (const [i, name] of inOrder.entries()) {
    const next = inOrder[i + 1];
    if (next !== undefined)
      expect(isSince(parseVersion(since[next]), since[name]), `${name} ${since[name]}, ${next} ${since[next]}`).toBe(
        true,
      );
  }
});

test("a floor speaks of one version, whatever it is made of", () => {
  for (const { what, since: version, features } of floors)
    expect([...new Set(features.map((name) => since[name] as string))], what).toEqual([version]);
});
