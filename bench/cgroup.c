/*
 * What bunshare's control groups are measured against: writes of a limit, moves of a process and samples of many groups in C.
 *
 *     cgroup LIMIT PROCS1 PROCS2 TABLE PROGRAM DIRECTORY
 *
 * Reads from stdin 16 bytes each: which loop, and how often (move: the pid); answers with 16 bytes: nanoseconds, and the sum of what
 * was returned or read, for the caller to compare with its own.
 *
 *     1 pwrite "64\n" to the kept LIMIT       4 clone PROGRAM and wait
 *     2 openat, write and close of LIMIT      5 the same with CLONE_INTO_CGROUP, into DIRECTORY (v2)
 *     3 read and add up all of TABLE          6 write the pid to PROCS1, and to PROCS2 the next time
 *
 * TABLE holds, for each number, the path of a file, NUL, the first word of the line with the space behind it or nothing, NUL.
 * Numbers of the same file stand together.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <linux/time.h>
#include <linux/wait.h>
#include <signal.h>
#include "call.h"

#define MOST 20000

static char table[4 << 20], text[65536];
static struct { int fd; const char *line; } numbers[MOST];
static u64 values[MOST], count;

static u64 now(void)
{
	struct { u64 s, ns; } t;
	call(SYS_clock_gettime, CLOCK_MONOTONIC, (u64)&t, 0, 0, 0, 0);
	return t.s * 1000000000 + t.ns;
}

static i64 open_file(const char *path, int flags)
{
	return call(SYS_openat, AT_FDCWD, (u64)path, flags | O_CLOEXEC, 0, 0, 0);
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static char *end_of(char *s)
{
	while (*s)
		s++;
	return s;
}

static void read_table(const char *path)
{
	i64 fd = open_file(path, O_RDONLY), n, size = 0;
	const char *last = "";
	char *at = table;
	while ((n = call(SYS_read, fd, (u64)table + size, sizeof table - 1 - size, 0, 0, 0)) > 0)
		size += n;
	while (at < table + size && count < MOST) {
		char *line = end_of(at) + 1;
		numbers[count].fd = same(at, last) ? numbers[count - 1].fd : (int)open_file(at, O_RDONLY);
		if (numbers[count].fd < 0)
			leave(2);
		numbers[count++].line = line;
		last = at;
		at = end_of(line) + 1;
	}
}

static u64 sample(void)
{
	u64 sum = 0;
	for (u64 i = 0; i < count;) {
		int fd = numbers[i].fd;
		i64 n = call(SYS_pread64, fd, (u64)text, sizeof text - 1, 0, 0, 0);
		char *at = text, *end = text + (n > 0 ? n : 0);
		*end = 0;
		for (; i < count && numbers[i].fd == fd; i++) {
			char *found = at;
			for (; found < end; found++) {
				const char *want = numbers[i].line;
				char *here = found;
				while (*want && *want == *here)
					want++, here++;
				if (!*want) {
					found = here;
					break;
				}
				for (found = here; found < end && *found != '\n'; found++)
					;
			}
			u64 value = 0;
			for (; found < end && *found >= '0' && *found <= '9'; found++)
				value = value * 10 + (*found - '0');
			values[i] = value;
			at = found + 1;
		}
	}
	for (u64 i = 0; i < count; i++)
		sum += values[i];
	return sum;
}

static i64 clone_program(char *program, u64 flags, i64 cgroup)
{
	char *argv[] = { program, 0 }, *envp[] = { 0 };
	int status = 1;
	struct clone_args args = { .flags = flags | CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD, .cgroup = cgroup };
	i64 pid = call(SYS_clone3, (u64)&args, sizeof args, 0, 0, 0, 0);
	if (pid == 0) {
		call(SYS_execve, (u64)program, (u64)argv, (u64)envp, 0, 0, 0);
		leave(127);
	}
	if (pid < 0 || call(SYS_wait4, pid, (u64)&status, 0, 0, 0, 0) != pid)
		return -1;
	return status;
}

static i64 move(i64 procs, u64 pid)
{
	char digits[20], *at = digits + sizeof digits;
	do
		*--at = '0' + pid % 10;
	while (pid /= 10);
	return call(SYS_pwrite64, procs, (u64)at, digits + sizeof digits - at, 0, 0, 0) > 0;
}

__attribute__((used)) void start(u64 *stack)
{
	char **argv = (char **)(stack + 1);
	u64 asked[2], answer[2], turn = 0;

	if (stack[0] != 7)
		leave(1);
	i64 kept = open_file(argv[1], O_WRONLY), directory = open_file(argv[6], O_RDONLY);
	i64 procs[2] = { open_file(argv[2], O_WRONLY), open_file(argv[3], O_WRONLY) };
	read_table(argv[4]);
	while (call(SYS_read, 0, (u64)asked, sizeof asked, 0, 0, 0) == sizeof asked) {
		i64 sum = 0;
		u64 begin = now();
		if (asked[0] == 3)
			for (u64 i = 0; i < asked[1]; i++)
				sum = sample();
		else if (asked[0] == 6)
			sum = move(procs[turn++ & 1], asked[1]);
		else
			for (u64 i = 0; i < asked[1]; i++) {
				if (asked[0] == 1)
					sum += call(SYS_pwrite64, kept, (u64)"64\n", 3, 0, 0, 0);
				else if (asked[0] == 2) {
					i64 fd = open_file(argv[1], O_WRONLY);
					sum += call(SYS_write, fd, (u64)"64\n", 3, 0, 0, 0);
					call(SYS_close, fd, 0, 0, 0, 0, 0);
				} else
					sum += clone_program(argv[5], asked[0] == 5 ? CLONE_INTO_CGROUP : 0, asked[0] == 5 ? directory : 0);
			}
		answer[0] = now() - begin;
		answer[1] = sum;
		call(SYS_write, 1, (u64)answer, sizeof answer, 0, 0, 0);
	}
	leave(0);
}
