/* The program that every row runs: it ends at once, with 0. libc would take longer to start than the box. */
	.globl _start
_start:
#if defined(__x86_64__)
	xor %edi, %edi
	mov $231, %eax
	syscall
#elif defined(__aarch64__)
	mov x0, 0
	mov x8, 94
	svc 0
#endif
	.section .note.GNU-stack, "", %progbits
