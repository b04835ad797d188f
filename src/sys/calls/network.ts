/** Sockets. */
import { bits, define, int, one } from "../primitive.ts";

/** `socket(domain, type, protocol)`. socket(2) */
export const socket = define("socket", "fd", (domain: number, type: number, protocol: number) => [
  one("AF", domain),
  bits("SOCK", type),
  int(protocol),
]);
