/*
 * What cloneProgram() is measured against: clone3 in the manner of vfork(2), execve and waitid in C.
 *
 *     clone PROGRAM
 *
 * Reads from stdin 8 bytes each: CLONE_NEW* flags; answers with 16 bytes: nanoseconds from before the clone to after the wait, and
 * the program's exit code.
 */
#include <linux/sched.h>
#include <linux/time.h>
#include <linux/wait.h>
#include <signal.h>
#include "call.h"

static u64 now(void)
{
	struct { u64 s, ns; } t;
	call(SYS_clock_gettime, CLOCK_MONOTONIC, (u64)&t, 0, 0, 0, 0);
	return t.s * 1000000000 + t.ns;
}

__attribute__((used)) void start(u64 *stack)
{
	char *argv[] = { (char *)stack[2], 0 }, *envp[] = { 0 };
	u64 flags, answer[2];

	if (stack[0] != 2)
		leave(1);
	while (call(SYS_read, 0, (u64)&flags, sizeof flags, 0, 0, 0) == sizeof flags) {
		int status = 0;
		struct clone_args args = { .flags = flags | CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD };
		u64 begin = now();
		i64 pid = call(SYS_clone3, (u64)&args, sizeof args, 0, 0, 0, 0);
		if (pid == 0) {
			call(SYS_execve, (u64)argv[0], (u64)argv, (u64)envp, 0, 0, 0);
			leave(127);
		}
		if (pid < 0 || call(SYS_wait4, pid, (u64)&status, 0, 0, 0, 0) != pid)
			leave(1);
		answer[0] = now() - begin;
		answer[1] = status;
		call(SYS_write, 1, (u64)answer, sizeof answer, 0, 0, 0);
	}
	leave(0);
}
