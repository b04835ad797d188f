/** Syscalls, three ways: as data (`call.*`), now (`sys.*`), printed (`formatCall`). What is named here is loaded when it is used. */
import { lazy } from "./lazy.ts";

export type { Address } from "./address.ts";
export type { BpfInsn, SockFilter } from "./bpf.ts";
export type { Arg, Call, Fields, Text } from "./call.ts";
export type { CapabilitySets } from "./capabilities.ts";
export type { ClonedProcess, CloneOptions } from "./clone.ts";
export type { DecodedStruct } from "./decode.ts";
export type { ErrnoName } from "./errno.ts";
export { type FailedStep, SyscallError } from "./error.ts";
export { Fd } from "./fd.ts";
export * from "./flags.ts";
export type { InotifyEvent } from "./inotify.ts";
export type { Arch, SyscallName } from "./numbers.ts";
export { OptionsError } from "./options-error.ts";
export type { PollFd } from "./calls/file.ts";
export type { FdArg, Kind, Out, PidArg, Primitive, ResultOf, Results } from "./primitive.ts";
export type { Feature, KernelVersion } from "./since.ts";
export type { Statmount } from "./statmount.ts";
export { type ActStep, type CallStep, type Step, step } from "./step.ts";
export type { StructName } from "./structs.ts";
export type { AskableFeature } from "./supports.ts";
export { call, type CallVocabulary, type Sys, sys } from "./vocabulary.ts";

// Each path stands as it is, for bundlers.
const modules = {
  address: () => require("./address.ts") as typeof import("./address.ts"),
  bpf: () => require("./bpf.ts") as typeof import("./bpf.ts"),
  capabilities: () => require("./capabilities.ts") as typeof import("./capabilities.ts"),
  clone: () => require("./clone.ts") as typeof import("./clone.ts"),
  decode: () => require("./decode.ts") as typeof import("./decode.ts"),
  device: () => require("./device.ts") as typeof import("./device.ts"),
  errno: () => require("./errno.ts") as typeof import("./errno.ts"),
  format: () => require("./format.ts") as typeof import("./format.ts"),
  inotify: () => require("./inotify.ts") as typeof import("./inotify.ts"),
  invoke: () => require("./invoke.ts") as typeof import("./invoke.ts"),
  numbers: () => require("./numbers.ts") as typeof import("./numbers.ts"),
  primitive: () => require("./primitive.ts") as typeof import("./primitive.ts"),
  rights: () => require("./rights.ts") as typeof import("./rights.ts"),
  since: () => require("./since.ts") as typeof import("./since.ts"),
  statmount: () => require("./statmount.ts") as typeof import("./statmount.ts"),
  supports: () => require("./supports.ts") as typeof import("./supports.ts"),
};

/** The address in a buffer of getsockname, accept4, recvfrom: see src/sys/address.ts. */
export const parseAddress = lazy(modules.address, "parseAddress");
/** An instruction of a classic BPF filter: BPF_STMT. seccomp(2) */
export const bpfStmt = lazy(modules.bpf, "bpfStmt");
/** A jump of a classic BPF filter: BPF_JUMP. seccomp(2) */
export const bpfJump = lazy(modules.bpf, "bpfJump");
/** Capabilities by number as one mask. capabilities(7) */
export const capabilityMask = lazy(modules.capabilities, "capabilityMask");
/** The capabilities of a mask by name. capabilities(7) */
export const capabilityNames = lazy(modules.capabilities, "capabilityNames");
/** What capget returned, as three masks. capget(2) */
export const capabilitySets = lazy(modules.capabilities, "capabilitySets");
/** A program started by clone3(2) itself: see src/sys/clone.ts. */
export const cloneProgram = lazy(modules.clone, "cloneProgram");
/** A struct that the kernel wrote, its fields by name: see src/sys/decode.ts. */
export const decodeStruct = lazy(modules.decode, "decodeStruct");
/** The number of a device, as mknod(2) takes it: see src/sys/device.ts. */
export const makedev = lazy(modules.device, "makedev");
/** The major number of a device. makedev(3) */
export const major = lazy(modules.device, "major");
/** The minor number of a device. makedev(3) */
export const minor = lazy(modules.device, "minor");
/** The name of an errno: `EPERM` for 1. errno(3) */
export const errnoName = lazy(modules.errno, "errnoName");
/** The text of an errno: "Operation not permitted" for EPERM. strerror(3) */
export const errnoText = lazy(modules.errno, "errnoText");
/** One argument of a call as text. strace(1) */
export const formatArg = lazy(modules.format, "formatArg");
/** A call as text: `mount(NULL, "/dst", NULL, MS_RDONLY|MS_REMOUNT|MS_BIND, NULL)`. strace(1) */
export const formatCall = lazy(modules.format, "formatCall");
/** The same with an environment only counted. */
export const formatCallBriefly = lazy(modules.format, "formatCallBriefly");
/** A word by the names of a set of flags: `O_WRONLY|O_CLOEXEC`. */
export const formatFlags = lazy(modules.format, "formatFlags");
/** The events in bytes that were read from an inotify descriptor. inotify(7) */
export const parseInotifyEvents = lazy(modules.inotify, "parseInotifyEvents");
/** Runs any call and returns what the kernel returned: see src/sys/invoke.ts. */
export const invoke = lazy(modules.invoke, "invoke");
/** Runs a primitive and returns its result by kind: see src/sys/invoke.ts. */
export const run = lazy(modules.invoke, "run");
/** The number of a syscall on an architecture. syscalls(2) */
export const numberOf = lazy(modules.numbers, "numberOf");
/** Makes a primitive of a call that the vocabulary lacks: see src/sys/primitive.ts. */
export const define = lazy(modules.primitive, "define");
/** The descriptors that a control message of recvmsg brought: SCM_RIGHTS. unix(7) */
export const parseRights = lazy(modules.rights, "parseRights");
/** Bytes of a control buffer for so many descriptors. cmsg(3) */
export const rightsSpace = lazy(modules.rights, "rightsSpace");
/** Whether a kernel is as new as a version: `isSince([6, 1], "5.12")`. */
export const isSince = lazy(modules.since, "isSince");
/** What statmount(2) wrote, its strings read out. */
export const parseStatmount = lazy(modules.statmount, "parseStatmount");
/** Whether this kernel has a call, flag or request: `supports("mount_setattr")`. See src/sys/supports.ts. */
export const supports = lazy(modules.supports, "supports");
/** Everything that `supports` can be asked. */
export const askableFeatures = lazy(modules.supports, "askableFeatures");
/** Major and minor number of the running kernel. uname(2) */
export const kernelVersion = lazy(modules.supports, "kernelVersion");
/** The version of Landlock's interface, 0 where there is none. landlock(7) */
export const landlockAbi = lazy(modules.supports, "landlockAbi");
