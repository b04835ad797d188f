/*
 * long f(struct clone_args *args, long size, struct start *start): clone3, and in the child execveat; returns what clone3 did.
 *
 * For children that share the caller's memory while the caller waits (CLONE_VM and CLONE_VFORK), as in vfork(2). Until its execve the
 * child runs on the caller's stack and must leave it alone, so it works out of registers. A handler of the engine would run in the
 * child on the engine's own memory: CLONE_CLEAR_SIGHAND takes them away, and signals are blocked until the child is without them.
 *
 * struct start { long dirfd; const char *path; char **argv, **envp; long flags; long error; u64 mask, all; }
 * error: what execveat returned, which it does only when it fails. mask: the caller's, which the program gets. all: all ones.
 */
    .section .text
    .globl clone_exec
clone_exec:
#if defined(__x86_64__)
    mov %rdi, %r8
    mov %rsi, %r9
    mov %rdx, %rdi
    mov %rdi, -8(%rsp)      /* the red zone: the only word of the stack, and written before there is a child */
    lea 56(%rdi), %rsi
    lea 48(%rdi), %rdx
    mov $2, %edi            /* SIG_SETMASK */
    mov $8, %r10d
    mov $14, %eax           /* rt_sigprocmask */
    syscall
    mov %r8, %rdi
    mov %r9, %rsi
    mov $435, %eax          /* clone3 */
    syscall
    mov -8(%rsp), %r9
    mov %rax, %r8
    mov $2, %edi
    lea 48(%r9), %rsi
    xor %edx, %edx
    mov $14, %eax
    syscall                 /* both processes take back the mask */
    test %r8, %r8
    jnz 1f
    mov (%r9), %rdi
    mov 8(%r9), %rsi
    mov 16(%r9), %rdx
    mov 24(%r9), %r10
    mov 32(%r9), %r8
    mov $322, %eax          /* execveat */
    syscall
    mov %rax, 40(%r9)
    mov $127, %edi
    mov $231, %eax          /* exit_group */
    syscall
1:  mov %r8, %rax
    ret
#elif defined(__aarch64__)
    mov x9, x0
    mov x10, x1
    mov x11, x2
    mov x0, #2              /* SIG_SETMASK */
    add x1, x11, #56
    add x2, x11, #48
    mov x3, #8
    mov x8, #135            /* rt_sigprocmask */
    svc #0
    mov x0, x9
    mov x1, x10
    mov x8, #435            /* clone3 */
    svc #0
    mov x9, x0
    mov x0, #2
    add x1, x11, #48
    mov x2, #0
    mov x3, #8
    mov x8, #135
    svc #0                  /* both processes take back the mask */
    cbnz x9, 1f
    ldp x0, x1, [x11]
    ldp x2, x3, [x11, #16]
    ldr x4, [x11, #32]
    mov x8, #281            /* execveat */
    svc #0
    str x0, [x11, #40]
    mov x0, #127
    mov x8, #94             /* exit_group */
    svc #0
1:  mov x0, x9
    ret
#else
#error "no clone for this architecture"
#endif
