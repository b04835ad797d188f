/** Rights: ids, capabilities, filters, keys. */
import type { BpfInsn, SockFilter } from "../bpf.ts";
import type { Arg } from "../call.ts";
import type { CapabilitySets } from "../capabilities.ts";
import {
  BPF,
  IOCTL,
  KEYCTL,
  LANDLOCK_CREATE_RULESET,
  LANDLOCK_RULE,
  LINUX_CAPABILITY_VERSION,
  SECCOMP,
  SECCOMP_FILTER_FLAG,
} from "../flags.ts";
import {
  bits,
  data,
  define,
  fd,
  type FdArg,
  int,
  lengthOf,
  long,
  type LongArg,
  named,
  one,
  type Out,
  out,
  type PidArg,
  room,
  text,
  textOrNull,
} from "../primitive.ts";

// Ids

/**
 * `setresuid(ruid, euid, suid)`; -1 leaves one as it is. Clears PR_SET_PDEATHSIG and the dumpable flag. setresuid(2)
 * @throws {SyscallError} EPERM without CAP_SETUID for an id that is none of the three, EINVAL for one that the user namespace has not.
 */
export const setresuid = /* @__PURE__ */ define("setresuid", "none", (ruid: number, euid: number, suid: number) => [
  int(ruid),
  int(euid),
  int(suid),
]);
/** `getresuid(ruid, euid, suid)`: the real, the effective and the saved one. getresuid(2) */
export const getresuid = /* @__PURE__ */ define("getresuid", "u32s", (ruid: Out = 4, euid: Out = 4, suid: Out = 4) => [
  out(ruid, 4),
  out(euid, 4),
  out(suid, 4),
]);
/**
 * `setresgid(rgid, egid, sgid)`; -1 leaves one as it is. setresgid(2)
 * @throws {SyscallError} EPERM without CAP_SETGID for an id that is none of the three, EINVAL for one that the user namespace has not.
 */
export const setresgid = /* @__PURE__ */ define("setresgid", "none", (rgid: number, egid: number, sgid: number) => [
  int(rgid),
  int(egid),
  int(sgid),
]);
/** `getresgid(rgid, egid, sgid)`: each is written to four bytes. getresgid(2) */
export const getresgid = /* @__PURE__ */ define("getresgid", "u32s", (rgid: Out = 4, egid: Out = 4, sgid: Out = 4) => [
  out(rgid, 4),
  out(egid, 4),
  out(sgid, 4),
]);
/** `setgroups(size, list)`: the supplementary groups. EPERM where a user namespace denies it. setgroups(2) */
export const setgroups = /* @__PURE__ */ define("setgroups", "none", (groups: readonly number[]) => [
  groups.length,
  Array.isArray(groups) && groups.length === 0 ? null : { words: groups },
]);
/** `getgroups(size, list)`: the supplementary groups. getgroups(2) */
export const getgroups = /* @__PURE__ */ define("getgroups", "words", (list: Uint8Array | number = 4 * groupsMax) => [
  int(list instanceof Uint8Array ? list.length >> 2 : list >> 2),
  out(list),
]);

/** NGROUPS_MAX. */
const groupsMax = 65_536;

// Capabilities

const capHeader = (pid: PidArg): Arg => ({
  struct: "cap_user_header",
  fields: { version: one("LINUX_CAPABILITY_VERSION", LINUX_CAPABILITY_VERSION[3]), pid: int(pid) },
});

/** Capabilities 0 to 31 of a mask, or 32 to 63. A mask that is no integer stays as it is, to be refused. */
function halfOf(mask: LongArg, shift: 0n | 32n): Arg {
  if (typeof mask !== "bigint" ? !Number.isSafeInteger(mask) : mask >= 2n ** 64n || mask < -(2n ** 63n))
    return long(mask);
  return Number((BigInt.asUintN(64, BigInt(mask)) >> shift) & 0xffffffffn);
}

/**
 * `capget(hdrp, datap)`: the capabilities of a thread, 0 for the caller's; `capabilitySets` makes masks of them. capget(2)
 * @throws {SyscallError} ESRCH when there is no such thread.
 */
export const capget = /* @__PURE__ */ define(
  "capget",
  "cap_user_data",
  (pid: PidArg, result: Out = "cap_user_data") => [capHeader(pid), out(result, "cap_user_data")],
);
/**
 * `capset(hdrp, datap)`: the capabilities of the calling thread, as masks in which bit N stands for capability N. capget(2)
 * @throws {SyscallError} EPERM for what is gained, for an effective one that is not permitted, and for another's pid.
 */
export const capset = /* @__PURE__ */ define("capset", "none", (pid: PidArg, sets: CapabilitySets) => [
  capHeader(pid),
  {
    struct: "cap_user_data",
    fields: {
      "data[0].effective": halfOf(sets.effective, 0n),
      "data[0].permitted": halfOf(sets.permitted, 0n),
      "data[0].inheritable": halfOf(sets.inheritable, 0n),
      "data[1].effective": halfOf(sets.effective, 32n),
      "data[1].permitted": halfOf(sets.permitted, 32n),
      "data[1].inheritable": halfOf(sets.inheritable, 32n),
    },
  },
]);

// Seccomp

const filterProgram = (filter: readonly SockFilter[]): Arg => ({
  struct: "sock_fprog",
  fields: { len: filter.length, filter: { structs: "sock_filter", list: filter } },
});

// By addition, which keeps what is no flag from becoming one.
const withListener = (flags: number): number =>
  typeof flags !== "number" || flags & SECCOMP_FILTER_FLAG.NEW_LISTENER
    ? flags
    : flags + SECCOMP_FILTER_FLAG.NEW_LISTENER;

/** `seccomp(SECCOMP_SET_MODE_STRICT, 0, NULL)`: from now on only read, write, _exit and sigreturn. As a step only: it kills Bun. seccomp(2) */
export const seccompSetModeStrict = /* @__PURE__ */ define("seccomp", "none", () => [
  one("SECCOMP", SECCOMP.SET_MODE_STRICT),
  0,
  null,
]);
/**
 * `seccomp(SECCOMP_SET_MODE_FILTER, flags, prog)`: a filter on the calling thread's syscalls, on top of those that it has; see `bpfStmt`,
 * `bpfJump`. Returns 0, and with TSYNC the id of a thread that cannot be brought in line. seccomp(2)
 * @throws {SyscallError} EACCES without no_new_privs and CAP_SYS_ADMIN, EINVAL when the program is not valid.
 */
export const seccompSetModeFilter = /* @__PURE__ */ define(
  "seccomp",
  "number",
  (flags: number, filter: readonly SockFilter[]) => [
    one("SECCOMP", SECCOMP.SET_MODE_FILTER),
    bits("SECCOMP_FILTER_FLAG", flags),
    filterProgram(filter),
  ],
);
/**
 * `seccomp(SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, prog)`: the same, with a listener for what the filter answers
 * SECCOMP_RET_USER_NOTIF; the flag is added. seccomp_unotify(2)
 * @throws {SyscallError} as `seccompSetModeFilter`, and EBUSY when the thread has a listener already.
 */
export const seccompNewListener = /* @__PURE__ */ define(
  "seccomp",
  "fd",
  (flags: number, filter: readonly SockFilter[]) => [
    one("SECCOMP", SECCOMP.SET_MODE_FILTER),
    bits("SECCOMP_FILTER_FLAG", withListener(flags)),
    filterProgram(filter),
  ],
);
/**
 * `seccomp(SECCOMP_GET_ACTION_AVAIL, 0, action)`: returns when the kernel knows the action, SECCOMP_RET_*. seccomp(2)
 * @throws {SyscallError} EOPNOTSUPP when it does not.
 */
export const seccompGetActionAvail = /* @__PURE__ */ define("seccomp", "none", (action: number) => [
  one("SECCOMP", SECCOMP.GET_ACTION_AVAIL),
  0,
  { struct: "seccomp_action", fields: { action: one("SECCOMP_RET", action) } },
]);
/** `seccomp(SECCOMP_GET_NOTIF_SIZES, 0, sizes)`: bytes of the structs of a listener, in this kernel. seccomp(2) */
export const seccompGetNotifSizes = /* @__PURE__ */ define(
  "seccomp",
  "seccomp_notif_sizes",
  (result: Out = "seccomp_notif_sizes") => [
    one("SECCOMP", SECCOMP.GET_NOTIF_SIZES),
    0,
    out(result, "seccomp_notif_sizes"),
  ],
);
/**
 * `ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, req)`: waits for a call that the filter caught; a buffer has to hold zeros. seccomp_unotify(2)
 * @throws {SyscallError} ENOENT when the caller was killed or left the call meanwhile.
 */
export const seccompNotifRecv = /* @__PURE__ */ define(
  "ioctl",
  "seccomp_notif",
  (listener: FdArg, result: Out = "seccomp_notif") => [
    fd(listener),
    one("IOCTL", IOCTL.SECCOMP_IOCTL_NOTIF_RECV),
    out(result, "seccomp_notif"),
  ],
);
/**
 * `ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, resp)`: the answer to the notification `id`: what the call returns, `val`, or a negative errno,
 * `error`; or neither and SECCOMP_USER_NOTIF_FLAG_CONTINUE, which runs the call (and is no security boundary). seccomp_unotify(2)
 * @throws {SyscallError} ENOENT when there is no such notification any more, EINPROGRESS when it was answered.
 */
export const seccompNotifSend = /* @__PURE__ */ define(
  "ioctl",
  "none",
  (listener: FdArg, id: LongArg, val: LongArg, error: number = 0, flags: number = 0) => [
    fd(listener),
    one("IOCTL", IOCTL.SECCOMP_IOCTL_NOTIF_SEND),
    {
      struct: "seccomp_notif_resp",
      fields: { id: long(id), val: long(val), error: int(error), flags: bits("SECCOMP_USER_NOTIF_FLAG", flags) },
    },
  ],
);
/**
 * `ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, id)`: returns when the caller still waits for the answer. seccomp_unotify(2)
 * @throws {SyscallError} ENOENT when it does not.
 */
export const seccompNotifIdValid = /* @__PURE__ */ define("ioctl", "none", (listener: FdArg, id: LongArg) => [
  fd(listener),
  one("IOCTL", IOCTL.SECCOMP_IOCTL_NOTIF_ID_VALID),
  { struct: "seccomp_notif_id", fields: { id: long(id) } },
]);
/**
 * `ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, addfd)`: gives the caller of notification `id` a descriptor: with SECCOMP_ADDFD_FLAG_SETFD the
 * number `newfd`, with SECCOMP_ADDFD_FLAG_SEND (Linux 5.14) also as the answer. Returns its number there. seccomp_unotify(2), Linux 5.9
 */
export const seccompNotifAddfd = /* @__PURE__ */ define(
  "ioctl",
  "number",
  (listener: FdArg, id: LongArg, flags: number, srcfd: FdArg, newfd: number = 0, newfdFlags: number = 0) => [
    fd(listener),
    one("IOCTL", IOCTL.SECCOMP_IOCTL_NOTIF_ADDFD),
    {
      struct: "seccomp_notif_addfd",
      fields: {
        id: long(id),
        flags: bits("SECCOMP_ADDFD_FLAG", flags),
        srcfd: fd(srcfd),
        newfd: int(newfd),
        newfd_flags: bits("O_FD", newfdFlags),
      },
    },
  ],
);
/** `ioctl(fd, SECCOMP_IOCTL_NOTIF_SET_FLAGS, flags)`: how the two sides wake each other: SECCOMP_USER_NOTIF_*. seccomp_unotify(2), Linux 6.6 */
export const seccompNotifSetFlags = /* @__PURE__ */ define("ioctl", "none", (listener: FdArg, flags: number) => [
  fd(listener),
  one("IOCTL", IOCTL.SECCOMP_IOCTL_NOTIF_SET_FLAGS),
  bits("SECCOMP_USER_NOTIF", flags),
]);

// Landlock

/** Bytes of the ruleset that older kernels know: 8 from Linux 5.13, 16 from 6.7, 24 from 6.12. */
const rulesetBytes = (net: number, scoped: number): number => (scoped !== 0 ? 24 : net !== 0 ? 16 : 8);

/**
 * `landlock_create_ruleset(attr, size, 0)`: a ruleset that forbids the accesses named here but for what rules allow: LANDLOCK_ACCESS_FS_*,
 * LANDLOCK_ACCESS_NET_* (Linux 6.7), LANDLOCK_SCOPE_* (Linux 6.12). landlock_create_ruleset(2), Linux 5.13
 * @throws {SyscallError} EINVAL or E2BIG for what this kernel does not know, ENOMSG when nothing is named, EOPNOTSUPP when it is off.
 */
export const landlockCreateRuleset = /* @__PURE__ */ define(
  "landlock_create_ruleset",
  "fd",
  (accessFs: number, accessNet: number = 0, scoped: number = 0) => {
    const bytes = rulesetBytes(accessNet, scoped);
    return [
      {
        struct: "landlock_ruleset_attr",
        fields: {
          handled_access_fs: bits("LANDLOCK_ACCESS_FS", accessFs),
          ...(bytes > 8 ? { handled_access_net: bits("LANDLOCK_ACCESS_NET", accessNet) } : {}),
          ...(bytes > 16 ? { scoped: bits("LANDLOCK_SCOPE", scoped) } : {}),
        },
      },
      bytes,
      0,
    ];
  },
);
/**
 * `landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)`: the version of Landlock's interface, from 1 on.
 * landlock_create_ruleset(2), Linux 5.13
 * @throws {SyscallError} EOPNOTSUPP when it is off, ENOSYS when it was not built.
 */
export const landlockVersion = /* @__PURE__ */ define("landlock_create_ruleset", "number", () => [
  null,
  0,
  bits("LANDLOCK_CREATE_RULESET", LANDLOCK_CREATE_RULESET.VERSION),
]);
/**
 * `landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_ERRATA)`: the faults that were mended in this version, a bit each, from bit 0 for
 * number 1 on. landlock_create_ruleset(2), Linux 5.13; the flag 6.15
 */
export const landlockErrata = /* @__PURE__ */ define("landlock_create_ruleset", "number", () => [
  null,
  0,
  bits("LANDLOCK_CREATE_RULESET", LANDLOCK_CREATE_RULESET.ERRATA),
]);
/**
 * `landlock_add_rule(ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, attr, 0)`: allow accesses to a file, or to all below a directory, that was opened
 * with O_PATH. landlock_add_rule(2), Linux 5.13
 * @throws {SyscallError} EINVAL for an access that the ruleset does not handle, or one to directories for a file; ENOMSG for none.
 */
export const landlockAddRulePathBeneath = /* @__PURE__ */ define(
  "landlock_add_rule",
  "none",
  (ruleset: FdArg, access: number, parent: FdArg) => [
    fd(ruleset),
    one("LANDLOCK_RULE", LANDLOCK_RULE.PATH_BENEATH),
    {
      struct: "landlock_path_beneath_attr",
      fields: { allowed_access: bits("LANDLOCK_ACCESS_FS", access), parent_fd: fd(parent) },
    },
    0,
  ],
);
/**
 * `landlock_add_rule(ruleset_fd, LANDLOCK_RULE_NET_PORT, attr, 0)`: allow a TCP port to bind or to connect to; port 0 is any of
 * ip_local_port_range. landlock_add_rule(2), Linux 5.13; ports 6.7
 * @throws {SyscallError} EINVAL for an access that the ruleset does not handle, or a port beyond 65535.
 */
export const landlockAddRuleNetPort = /* @__PURE__ */ define(
  "landlock_add_rule",
  "none",
  (ruleset: FdArg, access: number, port: number) => [
    fd(ruleset),
    one("LANDLOCK_RULE", LANDLOCK_RULE.NET_PORT),
    {
      struct: "landlock_net_port_attr",
      fields: { allowed_access: bits("LANDLOCK_ACCESS_NET", access), port: long(port) },
    },
    0,
  ],
);
/**
 * `landlock_restrict_self(ruleset_fd, flags)`: puts the calling thread under the ruleset, for good; the flags are of Linux 6.15.
 * landlock_restrict_self(2), Linux 5.13
 * @throws {SyscallError} EPERM without no_new_privs and CAP_SYS_ADMIN, E2BIG for the 17th.
 */
export const landlockRestrictSelf = /* @__PURE__ */ define(
  "landlock_restrict_self",
  "none",
  (ruleset: FdArg, flags: number = 0) => [fd(ruleset), bits("LANDLOCK_RESTRICT_SELF", flags)],
);

// Keys

/** A key: its serial number, KEY_SPEC_*, or what an earlier step returned. */
export type KeyArg = PidArg;

const key = (value: KeyArg): Arg => (typeof value === "number" && value < 0 ? one("KEY_SPEC", value) : int(value));

/**
 * `add_key(type, description, payload, plen, keyring)`: a key, or another payload for the one with that name; returns its number. add_key(2)
 * @throws {SyscallError} ENODEV for a type that the kernel does not know, EDQUOT when the user has too many.
 */
export const addKey = /* @__PURE__ */ define(
  "add_key",
  "number",
  (type: string, description: string, payload: string | Uint8Array | null, keyring: KeyArg) => [
    text(type),
    text(description),
    payload === null ? null : data(payload),
    payload === null ? 0 : lengthOf(payload),
    key(keyring),
  ],
);
/**
 * `request_key(type, description, callout_info, dest_keyring)`: finds a key in the caller's keyrings, or with callout information has
 * request-key(8) make it, and links it to `keyring` unless that is 0; returns its number. request_key(2)
 * @throws {SyscallError} ENOKEY when there is none.
 */
export const requestKey = /* @__PURE__ */ define(
  "request_key",
  "number",
  (type: string, description: string, callout: string | null, keyring: KeyArg) => [
    text(type),
    text(description),
    textOrNull(callout),
    key(keyring),
  ],
);
/**
 * `keyctl(KEYCTL_JOIN_SESSION_KEYRING, name)`: an empty session keyring instead of the caller's, or the one of that name; returns its number.
 * keyctl_join_session_keyring(3)
 */
export const joinSessionKeyring = /* @__PURE__ */ define("keyctl", "number", (name: string | null = null) => [
  one("KEYCTL", KEYCTL.JOIN_SESSION_KEYRING),
  textOrNull(name),
]);
/**
 * `keyctl(KEYCTL_GET_KEYRING_ID, key, create)`: the number of a keyring, KEY_SPEC_*, which is made when it is missing and `create` says so.
 * keyctl_get_keyring_ID(3)
 * @throws {SyscallError} ENOKEY when there is none.
 */
export const keyctlGetKeyringId = /* @__PURE__ */ define(
  "keyctl",
  "number",
  (keyring: KeyArg, create: boolean = false) => [one("KEYCTL", KEYCTL.GET_KEYRING_ID), key(keyring), create ? 1 : 0],
);
/** `keyctl(KEYCTL_REVOKE, key)`: nobody can use the key any more: EKEYREVOKED. keyctl_revoke(3) */
export const keyctlRevoke = /* @__PURE__ */ define("keyctl", "none", (of: KeyArg) => [
  one("KEYCTL", KEYCTL.REVOKE),
  key(of),
]);
/** `keyctl(KEYCTL_SETPERM, key, perm)`: who may do what with the key: KEY_*. keyctl_setperm(3) */
export const keyctlSetperm = /* @__PURE__ */ define("keyctl", "none", (of: KeyArg, permissions: number) => [
  one("KEYCTL", KEYCTL.SETPERM),
  key(of),
  bits("KEY", permissions),
]);
/** `keyctl(KEYCTL_DESCRIBE, key, buffer, buflen)`: `keyring;0;0;3f030000;_ses`: type, uid, gid, permissions and name. keyctl_describe(3) */
export const keyctlDescribe = /* @__PURE__ */ define("keyctl", "text", (of: KeyArg, result: Out = 4096) => [
  one("KEYCTL", KEYCTL.DESCRIBE),
  key(of),
  out(result),
  room(result),
]);
/** `keyctl(KEYCTL_CLEAR, keyring)`: unlinks all keys of a keyring. keyctl_clear(3) */
export const keyctlClear = /* @__PURE__ */ define("keyctl", "none", (keyring: KeyArg) => [
  one("KEYCTL", KEYCTL.CLEAR),
  key(keyring),
]);
/**
 * `keyctl(KEYCTL_LINK, key, keyring)`: puts a key into a keyring. keyctl_link(3)
 * @throws {SyscallError} EDEADLK when a keyring would come to lie in itself.
 */
export const keyctlLink = /* @__PURE__ */ define("keyctl", "none", (what: KeyArg, keyring: KeyArg) => [
  one("KEYCTL", KEYCTL.LINK),
  key(what),
  key(keyring),
]);
/**
 * `keyctl(KEYCTL_UNLINK, key, keyring)`: takes a key out of a keyring; without its last link it goes away. keyctl_unlink(3)
 * @throws {SyscallError} ENOENT when it is not in there.
 */
export const keyctlUnlink = /* @__PURE__ */ define("keyctl", "none", (what: KeyArg, keyring: KeyArg) => [
  one("KEYCTL", KEYCTL.UNLINK),
  key(what),
  key(keyring),
]);
/**
 * `keyctl(KEYCTL_READ, key, buffer, buflen)`: the payload of a key, of a keyring the numbers of its keys. The room is enough for all but
 * big_key, of which nothing is written when it does not fit. keyctl_read(3)
 * @throws {SyscallError} EOPNOTSUPP for a type that cannot be read, as `logon`; EACCES without the permission.
 */
export const keyctlRead = /* @__PURE__ */ define("keyctl", "bytes", (of: KeyArg, result: Out = 32767) => [
  one("KEYCTL", KEYCTL.READ),
  key(of),
  out(result),
  room(result),
]);
/** `keyctl(KEYCTL_SET_TIMEOUT, key, timeout)`: seconds until the key expires: EKEYEXPIRED; 0 for never. keyctl_set_timeout(3) */
export const keyctlSetTimeout = /* @__PURE__ */ define("keyctl", "none", (of: KeyArg, seconds: number) => [
  one("KEYCTL", KEYCTL.SET_TIMEOUT),
  key(of),
  int(seconds),
]);
/** `keyctl(KEYCTL_INVALIDATE, key)`: as revoked, and gone at once: ENOKEY. keyctl_invalidate(3) */
export const keyctlInvalidate = /* @__PURE__ */ define("keyctl", "none", (of: KeyArg) => [
  one("KEYCTL", KEYCTL.INVALIDATE),
  key(of),
]);
/** `keyctl(KEYCTL_CAPABILITIES, buffer, buflen)`: bytes of flags, KEYCTL_CAPS0_* and KEYCTL_CAPS1_*. keyctl_capabilities(3), Linux 5.3 */
export const keyctlCapabilities = /* @__PURE__ */ define("keyctl", "bytes", (result: Out = 16) => [
  one("KEYCTL", KEYCTL.CAPABILITIES),
  out(result),
  room(result),
]);

// BPF programs on cgroups

const insnOf = ({ code, dst_reg = 0, src_reg = 0, off = 0, imm = 0 }: BpfInsn) => ({
  code,
  regs: isRegister(dst_reg) && isRegister(src_reg) ? dst_reg | (src_reg << 4) : 256,
  off,
  imm,
});

const isRegister = (value: number): boolean => Number.isInteger(value) && value >= 0 && value < 16;

/**
 * `bpf(BPF_PROG_LOAD, attr, size)`: a program for the kernel, once its verifier has accepted it. bpf(2)
 * @param license "GPL", or only what the kernel gives to all.
 * @param more.name What bpftool(8) shows, up to 15 letters, digits, _ and dots; Linux 4.15.
 * @param more.expectedAttachType What the types that are attached in several places have to name; Linux 4.17.
 * @param more.log Where the verifier writes why it refuses, as text up to a NUL; `logLevel` 1 to 7.
 * @throws {SyscallError} EACCES when the verifier refuses, EINVAL for an instruction that it does not know, EPERM without CAP_BPF.
 */
export const bpfProgLoad = /* @__PURE__ */ define(
  "bpf",
  "fd",
  (
    type: number,
    instructions: readonly BpfInsn[],
    license: string = "GPL",
    more: { name?: string; expectedAttachType?: number; log?: Uint8Array; logLevel?: number } = {},
  ) => {
    const { name, expectedAttachType, log, logLevel = log === undefined ? 0 : 1 } = named(more);
    const isLong = name !== undefined || expectedAttachType !== undefined;
    return [
      one("BPF", BPF.PROG_LOAD),
      {
        struct: "bpf_prog_load_attr",
        fields: {
          prog_type: one("BPF_PROG_TYPE", type),
          insn_cnt: instructions.length,
          insns: { structs: "bpf_insn", list: Array.isArray(instructions) ? instructions.map(insnOf) : instructions },
          license: text(license),
          log_level: logLevel,
          log_size: log?.length ?? 0,
          log_buf: log === undefined ? null : out(log),
          ...(isLong
            ? {
                kern_version: 0,
                prog_flags: 0,
                prog_name: text(name ?? ""),
                prog_ifindex: 0,
                expected_attach_type: one("BPF_ATTACH_TYPE", expectedAttachType ?? 0),
              }
            : {}),
        },
      },
      isLong ? 72 : 40,
    ];
  },
);
/**
 * `bpf(BPF_PROG_ATTACH, attr, size)`: runs a program for all processes of a cgroup v2, given by its directory. bpf(2), Linux 4.10
 * With BPF_F_ALLOW_MULTI beside others and those of groups above: for a device all of them have to say yes; with BPF_F_REPLACE instead of
 * `replaced` (Linux 5.6).
 * @throws {SyscallError} EPERM without CAP_NET_ADMIN or where a group above allows no other, EBADF when the directory is not of cgroup v2.
 */
export const bpfProgAttach = /* @__PURE__ */ define(
  "bpf",
  "none",
  (group: FdArg, program: FdArg, type: number, flags: number = 0, replaced?: FdArg) => [
    one("BPF", BPF.PROG_ATTACH),
    {
      struct: "bpf_prog_attach_attr",
      fields: {
        target_fd: fd(group),
        attach_bpf_fd: fd(program),
        attach_type: one("BPF_ATTACH_TYPE", type),
        attach_flags: bits("BPF_F", flags),
        ...(replaced === undefined ? {} : { replace_bpf_fd: fd(replaced) }),
      },
    },
    replaced === undefined ? 16 : 20,
  ],
);
/**
 * `bpf(BPF_PROG_DETACH, attr, size)`: takes a program off a cgroup. bpf(2), Linux 4.10
 * @throws {SyscallError} ENOENT when it is not attached there.
 */
export const bpfProgDetach = /* @__PURE__ */ define("bpf", "none", (group: FdArg, program: FdArg, type: number) => [
  one("BPF", BPF.PROG_DETACH),
  {
    struct: "bpf_prog_attach_attr",
    fields: { target_fd: fd(group), attach_bpf_fd: fd(program), attach_type: one("BPF_ATTACH_TYPE", type) },
  },
  16,
]);
/**
 * `bpf(BPF_PROG_QUERY, attr, size)`: which programs are attached to a cgroup, or with BPF_F_QUERY_EFFECTIVE run for it: how many in
 * `prog_cnt`, and their ids as words of four bytes in `ids`. bpf(2), Linux 4.15
 * @throws {SyscallError} ENOSPC when there are more than there is room for; `ids` holds the first ones.
 */
export const bpfProgQuery = /* @__PURE__ */ define(
  "bpf",
  "bpf_prog_query_attr",
  (group: FdArg, type: number, flags: number = 0, ids?: Uint8Array) => [
    one("BPF", BPF.PROG_QUERY),
    {
      struct: "bpf_prog_query_attr",
      fields: {
        target_fd: fd(group),
        attach_type: one("BPF_ATTACH_TYPE", type),
        query_flags: bits("BPF_F_QUERY", flags),
        attach_flags: bits("BPF_F", 0),
        prog_ids: ids === undefined ? null : out(ids),
        prog_cnt: ids === undefined ? 0 : Math.floor(ids.length / 4),
      },
      out: true,
    },
    28,
  ],
);
/**
 * `bpf(BPF_LINK_CREATE, attr, size)`: attaches a program to a cgroup for as long as the link's descriptor is open. bpf(2), Linux 5.7
 * @throws {SyscallError} as `bpfProgAttach`.
 */
export const bpfLinkCreate = /* @__PURE__ */ define(
  "bpf",
  "fd",
  (program: FdArg, group: FdArg, type: number, flags: number = 0) => [
    one("BPF", BPF.LINK_CREATE),
    {
      struct: "bpf_link_create_attr",
      fields: {
        prog_fd: fd(program),
        target_fd: fd(group),
        attach_type: one("BPF_ATTACH_TYPE", type),
        flags: bits("BPF_F", flags),
      },
    },
    16,
  ],
);
