/** Instructions of seccomp filters and BPF programs, as data. */

/** One instruction of a seccomp filter: `code` is made of BPF_*, `k` is its constant, `jt` and `jf` say how many instructions a jump leaves out. seccomp(2) */
export type SockFilter = {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
};

/**
 * One instruction of a BPF program; what is left out is 0. bpf(2)
 * `code` is made of BPF_*, `dst_reg` and `src_reg` are registers from 0 to 10, `off` and `imm` are signed.
 */
export type BpfInsn = {
  readonly code: number;
  readonly dst_reg?: number;
  readonly src_reg?: number;
  readonly off?: number;
  readonly imm?: number;
};

/** `BPF_STMT(code, k)`: an instruction that does not jump. seccomp(2) */
export const bpfStmt = (code: number, k: number): SockFilter => ({ code, jt: 0, jf: 0, k });

/** `BPF_JUMP(code, k, jt, jf)`: leaves out `jt` instructions when the comparison with `k` holds, and `jf` when not. seccomp(2) */
export const bpfJump = (code: number, k: number, jt: number, jf: number): SockFilter => ({ code, jt, jf, k });
