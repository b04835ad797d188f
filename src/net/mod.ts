/** Networks of boxes. network_namespaces(7) */
export { bringLoopbackUp } from "./loopback.ts";
