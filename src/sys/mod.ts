/** Syscalls, three ways: as data (`call.*`), now (`sys.*`), printed (`formatCall`). */
export type { Arg, Call, Text } from "./call.ts";
export * as call from "./calls.ts";
export { errnoName, type ErrnoName, errnos, errnoText } from "./errno.ts";
export { type FailedStep, SyscallError } from "./error.ts";
export { Fd } from "./fd.ts";
export * from "./flags.ts";
export { formatArg, formatCall, formatCallBriefly, formatFlags } from "./format.ts";
export { invoke, sys } from "./invoke.ts";
export { type Arch, numberOf, numbers, type SyscallName } from "./numbers.ts";
export { OptionsError } from "./options-error.ts";
export { type ActStep, type CallStep, type Step, step } from "./step.ts";
export { structs } from "./structs.ts";
