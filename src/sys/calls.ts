/** The vocabulary: every syscall as a function that returns it as data. Import as `call`: `call.mount(...)`. */
export * from "./calls/file.ts";
export * from "./calls/mount.ts";
export * from "./calls/namespace.ts";
export * from "./calls/network.ts";
export * from "./calls/process.ts";
export * from "./calls/security.ts";
export * from "./calls/signal.ts";
export * from "./calls/time.ts";
export { AT_FDCWD } from "./flags.ts";
