/*
 * What bunshare's calls are measured against: the same calls in a loop in C.
 *
 *     syscall FILE
 *
 * Reads from stdin 16 bytes each: which loop (1 getpid, 2 pwrite on the kept descriptor of FILE, 3 openat and close) and how often;
 * answers with 16 bytes: nanoseconds, and the sum of what the calls returned, for the caller to compare with its own.
 */
#include <fcntl.h>
#include <linux/time.h>
#include "call.h"

static u64 now(void)
{
	struct { u64 s, ns; } t;
	call(SYS_clock_gettime, CLOCK_MONOTONIC, (u64)&t, 0, 0, 0, 0);
	return t.s * 1000000000 + t.ns;
}

__attribute__((used)) void start(u64 *stack)
{
	const char *file = (const char *)stack[2];
	i64 kept = call(SYS_openat, AT_FDCWD, (u64)file, O_WRONLY, 0, 0, 0);
	u64 asked[2], answer[2];

	if (stack[0] != 2 || kept < 0)
		leave(1);
	while (call(SYS_read, 0, (u64)asked, sizeof asked, 0, 0, 0) == sizeof asked) {
		i64 sum = 0;
		u64 begin = now();
		for (u64 i = 0; i < asked[1]; i++) {
			if (asked[0] == 1)
				sum += call(SYS_getpid, 0, 0, 0, 0, 0, 0);
			else if (asked[0] == 2)
				sum += call(SYS_pwrite64, kept, (u64)"64\n", 3, 0, 0, 0);
			else {
				i64 fd = call(SYS_openat, AT_FDCWD, (u64)file, O_RDONLY | O_CLOEXEC, 0, 0, 0);
				sum += call(SYS_close, fd, 0, 0, 0, 0, 0) == 0 && fd >= 0;
			}
		}
		answer[0] = now() - begin;
		answer[1] = sum;
		call(SYS_write, 1, (u64)answer, sizeof answer, 0, 0, 0);
	}
	leave(0);
}
