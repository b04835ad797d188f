/** A log of `strace -f -o`, read: which calls were made between two marks. */

/** The calls between the marks `begin NAME` and `end NAME` of one thread, by name; as strace prints them, without their results. */
export function tracedCalls(log: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const open = new Map<string, string[]>();
  const unfinished = new Map<string, string>();
  for (const line of log.split("\n")) {
    const [, thread = "", rest = ""] = /^(\d+) +(.*)$/s.exec(line) ?? [];
    const resumed = /^<\.\.\. \w+ resumed>/.exec(rest)?.[0];
    const text = resumed === undefined ? rest : (unfinished.get(thread) ?? "") + rest.slice(resumed.length);
    if (text.endsWith(" <unfinished ...>")) {
      unfinished.set(thread, text.slice(0, -" <unfinished ...>".length));
      continue;
    }
    const [, what, mark = ""] = /^write\(-1, "(begin|end) (.*)", \d+\) /.exec(text) ?? [];
    if (what === "begin") {
      const calls: string[] = [];
      open.set(thread, calls);
      found.set(mark, calls);
    } else if (what === "end") open.delete(thread);
    else {
      const call = /^([a-z_0-9]+\(.*\)) += /s.exec(text)?.[1];
      if (call !== undefined) open.get(thread)?.push(call);
    }
  }
  return found;
}

/** `name(a, {b, c}, "d, e")` as its name and `a`, `{b, c}`, `"d, e"`. */
export function splitArguments(text: string): { readonly name: string; readonly args: readonly string[] } {
  const start = text.indexOf("(");
  const args: string[] = [];
  let [depth, from, isQuoted] = [0, start + 1, false];
  for (let i = start + 1; i < text.length; i++) {
    const c = text[i];
    if (isQuoted) {
      if (c === "\\") i++;
      else if (c === '"') isQuoted = false;
    } else if (c === '"') isQuoted = true;
    else if (c === "{" || c === "[" || c === "(") depth++;
    else if ((c === "," && depth === 0) || (c === ")" && depth === 0)) {
      if (i > from) args.push(text.slice(from, i).trim());
      from = i + 1;
    } else if (c === "}" || c === "]" || c === ")") depth--;
  }
  // What strace adds in comments.
  return { name: text.slice(0, start), args: args.map((arg) => arg.replaceAll(/ \/\* .*? \*\//g, "")) };
}
