/** The vocabulary, loaded family by family, each when one of its calls is first used: importing it costs next to nothing. */
import { families } from "./families.ts";
import type { Kind, Primitive, ResultOf } from "./primitive.ts";

type Calls = typeof import("./calls.ts");
type Calling<T> = { readonly [K in keyof T as T[K] extends Primitive<never, Kind> ? K : never]: T[K] };

/** Every call as a function that returns it as data. */
export type CallVocabulary = Calling<Calls>;
/** Every call as a function that runs it now. */
export type Sys = {
  readonly [K in Exclude<keyof CallVocabulary, "clone3">]: CallVocabulary[K] extends Primitive<infer A, infer R>
    ? (...args: A) => ResultOf<R>
    : never;
};

/** Every call as data: `call.mount(...)`. The same functions as in src/sys/calls. */
export const call: CallVocabulary = lazily((primitive) => primitive) as CallVocabulary;

/**
 * Every call, run now: `sys.sethostname("box")`. Same arguments as `call.*`; results by kind, see {@link Results}.
 * Descriptors that are made are close-on-exec, asked for or not: `sys.setFd(fd, 0)` makes one that a program inherits.
 * `clone3` is left out: see {@link cloneProgram}.
 */
export const sys: Sys = lazily((primitive, name) => {
  if (name === "clone3") return refuseClone;
  return (require("./invoke.ts") as typeof import("./invoke.ts")).runner(primitive);
}) as unknown as Sys;

/** A copy of the engine, with one thread of many, would go on from here. */
function refuseClone(): never {
  throw new TypeError(
    "clone3 cannot be run in this process: it is a step of a box; for a program there is cloneProgram()",
  );
}

type Family = keyof typeof families;

/** Each path stands as it is, for bundlers. */
function load(family: Family): Record<string, Primitive<never, Kind>> {
  switch (family) {
    case "file":
      return require("./calls/file.ts");
    case "mount":
      return require("./calls/mount.ts");
    case "namespace":
      return require("./calls/namespace.ts");
    case "network":
      return require("./calls/network.ts");
    case "process":
      return require("./calls/process.ts");
    case "security":
      return require("./calls/security.ts");
    case "signal":
      return require("./calls/signal.ts");
    case "time":
      return require("./calls/time.ts");
  }
}

/** An object with all calls, each made when it is first asked for. Properties that load would take as long to define as all to load. */
function lazily(make: (primitive: Primitive<never, Kind>, name: string) => unknown): object {
  const made: Record<string | symbol, unknown> = Object.create(null);
  const familyOf = (name: string | symbol): Family | undefined =>
    (Object.keys(families) as Family[]).find((family) => families[family].split(" ").includes(name as string));
  const get = (name: string | symbol): unknown => {
    const family = familyOf(name);
    return family && (made[name] = make(load(family)[name as string] as Primitive<never, Kind>, name as string));
  };
  return new Proxy(made, {
    get: (_, name) => made[name] ?? get(name),
    has: (_, name) => familyOf(name) !== undefined,
    ownKeys: () => Object.values(families).flatMap((names) => names.split(" ")),
    getOwnPropertyDescriptor: (_, name) =>
      familyOf(name) && { enumerable: true, configurable: true, writable: true, value: made[name] ?? get(name) },
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
  });
}
