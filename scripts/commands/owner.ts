/** Who is to own a file: `USER`, `USER:GROUP`, `USER:`, each by name or number, as chown(1) takes it. passwd(5), group(5) */
import { readIfThere } from "../../src/proc/read.ts";
import { UsageError } from "./command.ts";

/** Ids for chown(2). */
export interface Owner {
  readonly uid: number;
  /** -1: left as it is. */
  readonly gid: number;
  /** The user's own group, where that is known. */
  readonly loginGid?: number;
}

/** One of the two databases as text, and a line of it, whatever serves it: getent(1). */
export interface Databases {
  readonly passwd: string;
  readonly group: string;
  readonly lookUp?: (database: "passwd" | "group", key: string) => string | undefined;
}

/**
 * Pure but for `lookUp`, which is asked for names that the files do not hold.
 * @param option Named in the error
 * @throws {UsageError} for a name that nobody knows, and for a number that is no id (THREATS C4: never turned into root)
 */
export function parseOwner(text: string, option: string, databases: Databases = readDatabases()): Owner {
  const [user = "", group, ...rest] = text.split(":");
  if (user === "" || rest.length > 0)
    throw new UsageError(`${option}: expected USER or USER:GROUP, got ${JSON.stringify(text)}`);
  const entry = line("passwd", user, databases);
  const uid = idOf("user", user, entry, option);
  const loginGid = entry === undefined ? undefined : Number(entry[3]);
  const known = loginGid === undefined ? {} : { loginGid };
  if (group === undefined) return { uid, gid: -1, ...known };
  if (group !== "") return { uid, gid: idOf("group", group, line("group", group, databases), option), ...known };
  if (loginGid === undefined) throw new UsageError(`${option}: the group of user ${user} is not known: USER:GROUP`);
  return { uid, gid: loginGid, ...known };
}

/** A line of passwd(5) or group(5) in words: by name, or by number where no name is that number. */
function line(database: "passwd" | "group", key: string, databases: Databases): string[] | undefined {
  const lines = databases[database].split("\n").map((text) => text.split(":"));
  const isNumber = /^\d+$/.test(key);
  return (
    lines.find(([name]) => name === key) ??
    (isNumber ? lines.find(([, , id]) => id === key) : undefined) ??
    databases.lookUp?.(database, key)?.trim().split(":")
  );
}

function idOf(what: "user" | "group", word: string, entry: readonly string[] | undefined, option: string): number {
  const id = entry?.[2] ?? word;
  // 4294967295 is -1, which chown(2) takes for "as it is".
  if (/^(0|[1-9]\d*)$/.test(id) && Number(id) < 0xffffffff) return Number(id);
  throw new UsageError(`${option}: there is no ${what} ${JSON.stringify(word)}`);
}

function readDatabases(): Databases {
  return {
    passwd: readIfThere("/etc/passwd") ?? "",
    group: readIfThere("/etc/group") ?? "",
    lookUp(database, key) {
      if (!Bun.which("getent")) return undefined;
      const { success, stdout } = Bun.spawnSync(["getent", "--", database, key], { stderr: "ignore" });
      return success ? stdout.toString() : undefined;
    },
  };
}
