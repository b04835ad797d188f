/** src/sys/structs.ts against the kernel's headers, as the C compilers of both architectures lay them out. */
import { expect, test } from "bun:test";
import { structs, type Struct, type StructName } from "../../src/sys/structs.ts";

const compilers = ["x86_64-linux-gnu-gcc", "aarch64-linux-gnu-gcc"];

// The kernel's headers only: those of libc have other structs by the same names.
const headers = [
  ..."types sched mount openat2 time_types time resource uio if un filter stat capability landlock".split(" "),
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
  // Linux 6.12
  landlock_ruleset_attr: "struct { __u64 handled_access_fs, handled_access_net, scoped; }",
  // Linux 6.18
  mnt_id_req: "struct { __u32 size, mnt_ns_fd; __u64 mnt_id, param, mnt_ns_id; }",
  // Linux 6.15
  statmount: `struct {
    __u32 size, mnt_opts; __u64 mask; __u32 sb_dev_major, sb_dev_minor; __u64 sb_magic; __u32 sb_flags, fs_type;
    __u64 mnt_id, mnt_parent_id; __u32 mnt_id_old, mnt_parent_id_old; __u64 mnt_attr, mnt_propagation, mnt_peer_group;
    __u64 mnt_master, propagate_from; __u32 mnt_root, mnt_point; __u64 mnt_ns_id; __u32 fs_subtype, sb_source, opt_num;
    __u32 opt_array, opt_sec_num, opt_sec_array; __u64 supported_mask; __u32 mnt_uidmap_num, mnt_uidmap;
    __u32 mnt_gidmap_num, mnt_gidmap; __u64 spare[43];
  }`,
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
  const equal = (c: string, value: number) => `_Static_assert(${c} == ${value}, "${name}: ${c} is not ${value}");`;
  return [
    equal(`sizeof(${type})`, size),
    ...Object.entries(fields).flatMap(([field, { at, bytes, signed }]) => [
      equal(`offsetof(${type}, ${field})`, at),
      equal(`sizeof(((${type} *)0)->${field})`, bytes),
      ...(signed
        ? [`_Static_assert((__typeof__(((${type} *)0)->${field}))-1 < 0, "${name}.${field} is unsigned");`]
        : []),
    ]),
  ];
}
