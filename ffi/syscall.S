/*
 * long f(long nr, long a, long b, long c, long d, long e, long f): the raw system call, -errno where it fails.
 * libc's syscall() puts the error into errno, which the engine overwrites before JavaScript can read it.
 * Seven arguments in the C calling convention go to where syscall(2) wants them, each register read before it is overwritten.
 */
    .section .text
    .globl raw_syscall
raw_syscall:
#if defined(__x86_64__)
    mov %rdi, %rax
    mov %rsi, %rdi
    mov %rdx, %rsi
    mov %rcx, %rdx
    mov %r8, %r10
    mov %r9, %r8
    mov 8(%rsp), %r9
    syscall
    ret
#elif defined(__aarch64__)
    mov x8, x0
    mov x0, x1
    mov x1, x2
    mov x2, x3
    mov x3, x4
    mov x4, x5
    mov x5, x6
    svc #0
    ret
#else
#error "no syscall for this architecture"
#endif
