/** src/sys/structs.ts against the kernel's headers, as the C compilers of both architectures lay them out. */
import { expect, test } from "bun:test";
import { structs, type Struct, type StructName } from "../../src/sys/structs.ts";

const compilers = ["x86_64-linux-gnu-gcc", "aarch64-linux-gnu-gcc"];

// The kernel's headers only: those of libc have other structs by the same names.
const headers = [
  ..."types sched sched/types mount openat2 fcntl time_types time resource utsname sysinfo uio inotify signalfd".split(
    " ",
  ),
  ..."if un in in6 netlink filter seccomp bpf stat capability landlock".split(" "),
].map((name) => `linux/${name}.h`);
headers.push("stddef.h", "asm/signal.h", "asm/siginfo.h", "asm/poll.h", "asm/termios.h", "asm/statfs.h");

// Types in C whose name is not "struct" and ours, and those that are newer than the headers.
const types: Partial<Record<StructName, string>> = {
  timespec: "struct __kernel_timespec",
  timeval: "struct __kernel_old_timeval",
  itimerspec: "struct __kernel_itimerspec",
  siginfo: "siginfo_t",
  sigevent: "sigevent_t",
  cap_user_header: "struct __user_cap_header_struct",
  cap_user_data: "struct { struct __user_cap_data_struct data[2]; }",
  utsname: "struct new_utsname",
  // No struct in C: TASK_COMM_LEN bytes.
  ifreq_ifindex: "struct ifreq",
  ifreq_mtu: "struct ifreq",
  ifreq_newname: "struct ifreq",
  ifreq_addr: `struct {
    union { char ifrn_name[16]; } ifr_ifrn; union { struct sockaddr_in ifru_addr; char ifru_all[24]; } ifr_ifru;
  }`,
  ifreq_netmask: `struct {
    union { char ifrn_name[16]; } ifr_ifrn; union { struct sockaddr_in ifru_netmask; char ifru_all[24]; } ifr_ifru;
  }`,
  ifreq_hwaddr: "struct ifreq",
  // A word that has no struct in C, as the next one.
  seccomp_notif_id: "struct { __u64 id; }",
  seccomp_action: "struct { __u32 action; }",
  // Two registers of 4 bits each, which have no offset in C.
  bpf_insn: "struct { __u8 code, regs; __s16 off; __s32 imm; }",
  // Words that have no struct in C.
  loff_t: "struct { __kernel_loff_t offset; }",
  fs_flags: "struct { __u32 flags; }",
  // The kernel's include/linux/fs.h, with MAX_HANDLE_SZ bytes.
  file_handle: "struct { __u32 handle_bytes; int handle_type; unsigned char f_handle[128]; }",
  // The kernel's include/linux/socket.h, as the next two; msghdr is its user_msghdr.
  msghdr: `struct {
    void *msg_name; int msg_namelen; struct iovec *msg_iov; __kernel_size_t msg_iovlen; void *msg_control;
    __kernel_size_t msg_controllen; unsigned int msg_flags;
  }`,
  cmsghdr: "struct { __kernel_size_t cmsg_len; int cmsg_level, cmsg_type; }",
  ucred: "struct { int pid; __u32 uid, gid; }",
  // struct sockaddr_storage by the names of struct sockaddr, and cmsghdr with one descriptor.
  sockaddr: "struct { unsigned short sa_family; char sa_data[126]; }",
  cmsg_rights: "struct { __kernel_size_t cmsg_len; int cmsg_level, cmsg_type, cmsg_data; }",
  // Linux 6.12, as the next one
  mnt_ns_info: "struct { __u32 size, nr_mounts; __u64 mnt_ns_id; }",
  landlock_ruleset_attr: "struct { __u64 handled_access_fs, handled_access_net, scoped; }",
  // Linux 6.7
  landlock_net_port_attr: "struct { __u64 allowed_access, port; }",
  // Linux 6.13
  xattr_args: "struct { __u64 value; __u32 size, flags; }",
  // Linux 6.16
  statx: `struct {
    __u32 stx_mask, stx_blksize; __u64 stx_attributes; __u32 stx_nlink, stx_uid, stx_gid; __u16 stx_mode, spare0;
    __u64 stx_ino, stx_size, stx_blocks, stx_attributes_mask;
    struct statx_timestamp stx_atime, stx_btime, stx_ctime, stx_mtime;
    __u32 stx_rdev_major, stx_rdev_minor, stx_dev_major, stx_dev_minor; __u64 stx_mnt_id;
    __u32 stx_dio_mem_align, stx_dio_offset_align; __u64 stx_subvol; __u32 stx_atomic_write_unit_min;
    __u32 stx_atomic_write_unit_max, stx_atomic_write_segments_max, stx_dio_read_offset_align;
    __u32 stx_atomic_write_unit_max_opt, spare2; __u64 spare3[8];
  }`,
  // Linux 6.18, as the next two
  nsfs_file_handle: "struct { __u64 ns_id; __u32 ns_type, ns_inum; }",
  mnt_id_req: "struct { __u32 size, mnt_ns_fd; __u64 mnt_id, param, mnt_ns_id; }",
  // Linux 6.18
  bpf_prog_load_attr: `struct {
    __u32 prog_type, insn_cnt; __u64 insns, license; __u32 log_level, log_size; __u64 log_buf; __u32 kern_version;
    __u32 prog_flags; char prog_name[16]; __u32 prog_ifindex, expected_attach_type, prog_btf_fd, func_info_rec_size;
    __u64 func_info; __u32 func_info_cnt, line_info_rec_size; __u64 line_info; __u32 line_info_cnt, attach_btf_id;
    __u32 attach_prog_fd, core_relo_cnt; __u64 fd_array, core_relos; __u32 core_relo_rec_size, log_true_size;
    __s32 prog_token_fd; __u32 fd_array_cnt; __u64 signature; __u32 signature_size; __s32 keyring_id;
  }`,
  // Linux 6.6, as the next one
  bpf_prog_attach_attr: `struct {
    __u32 target_fd, attach_bpf_fd, attach_type, attach_flags, replace_bpf_fd, relative_fd; __u64 expected_revision;
  }`,
  bpf_prog_query_attr: `struct {
    __u32 target_fd, attach_type, query_flags, attach_flags; __u64 prog_ids; __u32 prog_cnt, pad;
    __u64 prog_attach_flags, link_ids, link_attach_flags, revision;
  }`,
  bpf_link_create_attr: "struct { __u32 prog_fd, target_fd, attach_type, flags; }",
  // Linux 6.19, as the next one
  pidfd_info: `struct {
    __u64 mask, cgroupid; __u32 pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid; __s32 exit_code;
    __u32 coredump_mask, coredump_signal; __u64 supported_mask;
  }`,
  ns_id_req: "struct { __u32 size, spare; __u64 ns_id; __u32 ns_type, spare2; __u64 user_ns_id; }",
  // Linux 6.15
  statmount: `struct {
    __u32 size, mnt_opts; __u64 mask; __u32 sb_dev_major, sb_dev_minor; __u64 sb_magic; __u32 sb_flags, fs_type;
    __u64 mnt_id, mnt_parent_id; __u32 mnt_id_old, mnt_parent_id_old; __u64 mnt_attr, mnt_propagation, mnt_peer_group;
    __u64 mnt_master, propagate_from; __u32 mnt_root, mnt_point; __u64 mnt_ns_id; __u32 fs_subtype, sb_source, opt_num;
    __u32 opt_array, opt_sec_num, opt_sec_array; __u64 supported_mask; __u32 mnt_uidmap_num, mnt_uidmap;
    __u32 mnt_gidmap_num, mnt_gidmap; __u64 spare[43];
  }`,
};

// What the headers have of some that are written out above: their type, and the first of our fields that is newer.
const older: Partial<Record<StructName, { type: string; within?: string; newer?: string }>> = {
  statx: { type: "struct statx", newer: "stx_subvol" },
  bpf_prog_load_attr: { type: "union bpf_attr", newer: "log_true_size" },
  bpf_prog_attach_attr: { type: "union bpf_attr", newer: "relative_fd" },
  bpf_prog_query_attr: { type: "union bpf_attr", within: "query.", newer: "link_ids" },
  bpf_link_create_attr: { type: "union bpf_attr", within: "link_create." },
};

const names = Object.keys(structs) as StructName[];

const source = [
  // <linux/if.h> includes libc's <sys/socket.h>, for this struct only.
  "#define _SYS_SOCKET_H\nstruct sockaddr { unsigned short sa_family; char sa_data[14]; };",
  ...headers.map((header) => `#include <${header}>`),
  ...names.map((name) => `typedef ${types[name] ?? `struct ${name}`} our_${name};`),
  ...names.flatMap((name) => assertions(name, structs[name])),
].join("\n");

for (const compiler of compilers) {
  const absent = Bun.which(compiler) === null ? ` (skipped: ${compiler} is not installed)` : "";
  test.skipIf(absent !== "")(`sizes and offsets of structs are those of ${compiler}${absent}`, () => {
    const command = [compiler, "-std=gnu11", "-fsyntax-only", "-x", "c", "-"];
    const { exitCode, stderr } = Bun.spawnSync(command, { stdin: Buffer.from(source) });
    expect(stderr.toString()).toBe("");
    expect(exitCode).toBe(0);
  });
}

test("fields of structs do not overlap and end within the struct", () => {
  for (const name of names) {
    const struct: Struct = structs[name];
    let end = 0;
    for (const [field, { at, bytes }] of Object.entries(struct.fields)) {
      expect(at, `${name}.${field}`).toBeGreaterThanOrEqual(end);
      end = at + bytes;
    }
    expect(struct.size, name).toBeGreaterThanOrEqual(end);
  }
});

/** C that compiles only when the layout is this one. */
function assertions(name: StructName, { size, fields }: Struct): string[] {
  const type = `our_${name}`;
  const { type: before, within = "", newer } = older[name] ?? {};
  const keys = Object.keys(fields);
  const inHeaders = before === undefined ? [] : keys.slice(0, newer === undefined ? undefined : keys.indexOf(newer));
  const equal = (c: string, value: number) => `_Static_assert(${c} == ${value}, "${name}: ${c} is not ${value}");`;
  return [
    equal(`sizeof(${type})`, size),
    ...inHeaders.map((field) => equal(`offsetof(${before}, ${within}${field})`, fields[field]!.at)),
    ...Object.entries(fields).flatMap(([field, { at, bytes, signed }]) => [
      equal(`offsetof(${type}, ${field})`, at),
      equal(`sizeof(((${type} *)0)->${field})`, bytes),
      ...(signed
        ? [`_Static_assert((__typeof__(((${type} *)0)->${field}))-1 < 0, "${name}.${field} is unsigned");`]
        : []),
    ]),
  ];
}
