/** Syscalls, three ways: as data (`call.*`), now (`sys.*`), printed (`formatCall`). */
export type { Arg, Call, Fields, Text } from "./call.ts";
export * as call from "./calls.ts";
export { ClonedProcess, type CloneOptions, cloneProgram } from "./clone.ts";
export type { DecodedStruct } from "./decode.ts";
export { major, makedev, minor } from "./device.ts";
export { errnoName, type ErrnoName, errnos, errnoText } from "./errno.ts";
export { type FailedStep, SyscallError } from "./error.ts";
export { Fd } from "./fd.ts";
export * from "./flags.ts";
export { formatArg, formatCall, formatCallBriefly, formatFlags } from "./format.ts";
export { type InotifyEvent, parseInotifyEvents } from "./inotify.ts";
export { invoke, run, type Sys, sys } from "./invoke.ts";
export { type Arch, numberOf, numbers, type SyscallName } from "./numbers.ts";
export { OptionsError } from "./options-error.ts";
export { type PollFd, pollFds, revents } from "./poll.ts";
export {
  define,
  type FdArg,
  type Kind,
  type Out,
  type PidArg,
  type Primitive,
  type ResultOf,
  type Results,
} from "./primitive.ts";
export { type Feature, isSince, type KernelVersion, since } from "./since.ts";
export { type ActStep, type CallStep, type Step, step } from "./step.ts";
export { type StructName, structs } from "./structs.ts";
export { type AskableFeature, askableFeatures, kernelVersion, landlockAbi, supports } from "./supports.ts";
