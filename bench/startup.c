/*
 * What bunshare is measured against: a program that makes a box by the same steps, without a monitor, written straight in C.
 *
 *     startup NAME once     one box; ends with its exit code
 *     startup NAME loop     for each byte on stdin one box; answers with 8 bytes: nanoseconds from before the clone to after the wait
 *
 * steps.h comes from bench/steps-in-c.ts, which writes it from the plan itself: so both make the same syscalls.
 * Without libc, whose start alone can take longer than a spawn: this is to be the fastest there is.
 */
#include <linux/sched.h>
#include <linux/time.h>
#include <signal.h>
#include "call.h"

/* Right-aligned in a field that is there already, as in ffi/stage.c. */
static inline char *decimal(char *end, u64 n)
{
	do
		*--end = '0' + n % 10;
	while (n /= 10);
	return end;
}

__attribute__((noreturn, cold)) static void fail(int step, i64 r)
{
	char text[] = "step           : errno           \n";
	decimal(text + 15, step);
	decimal(text + 33, -r);
	call(SYS_write, 2, (u64)text, sizeof text - 1, 0, 0, 0);
	leave(125);
}

struct box {
	const char *name;
	u64 clone_args;
	int clone_step;
	void (*steps)(void);
};

#include "steps.h"

static int run(const struct box *box)
{
	int status;
	i64 pid = call(SYS_clone3, box->clone_args, CLONE_ARGS_SIZE_VER2, 0, 0, 0, 0);

	if (pid < 0)
		fail(box->clone_step, pid);
	if (pid == 0)
		box->steps();
	if (call(SYS_wait4, pid, (u64)&status, 0, 0, 0, 0) != pid)
		return 125;
	return status & 127 ? 128 + (status & 127) : status >> 8 & 255;
}

static u64 nanoseconds(void)
{
	u64 time[2];
	call(SYS_clock_gettime, CLOCK_MONOTONIC, (u64)time, 0, 0, 0, 0);
	return time[0] * 1000000000 + time[1];
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

__attribute__((noreturn, used)) void start(u64 *stack)
{
	const char **argv = (const char **)stack + 1;
	const struct box *box = boxes;
	char byte;

	if (stack[0] != 3)
		leave(2);
	while (box->name && !same(box->name, argv[1]))
		box++;
	if (!box->name)
		leave(2);
	/* The steps expect it so. */
	call(SYS_umask, 0, 0, 0, 0, 0, 0);
	if (same(argv[2], "once"))
		leave(run(box));
	while (call(SYS_read, 0, (u64)&byte, 1, 0, 0, 0) == 1) {
		u64 began = nanoseconds();
		int code = run(box);
		u64 took = nanoseconds() - began;
		if (code)
			leave(code);
		call(SYS_write, 1, (u64)&took, sizeof took, 0, 0, 0);
	}
	leave(0);
}
