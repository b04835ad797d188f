/*
 * The stage: runs a table of syscalls, one after the other, and says which one failed.
 *
 * It is the only code that runs between Bun's execve and the program's. It decides nothing: every call, argument, tolerated error
 * and branch is in the table that src/spawn/image.ts wrote behind it. It runs as up to three processes of one image:
 *
 *   monitor   the process Bun started: host steps, the clone, then waits for the box, forwards signals, undoes, ends as the box did
 *   box       the cloned child: box steps, ending in execve
 *   init      with a PID 1 of our own: the box process stays, forwards and reaps, and its child goes on to the execve
 *
 * There is no libc, no errno, no global: below the syscall everything is -errno, and all writable memory belongs to the plan.
 * Freestanding C, built by scripts/build-native.ts for both architectures; src/spawn/image.ts has the same structs in TypeScript.
 */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int i32;
typedef unsigned long u64;
typedef long i64;

#define PLAN ((struct plan *)0x501000) /* where image.ts puts the tables; the data segment of the executable */

enum kind { CALL, DECIMAL, WORD, CHECK, WATCH, FINISH, REAP, HALF };
enum flag { FORK = 1, BOX = 2, LOG = 4 }; /* LOG: when it fails, the descriptor in its first argument has the reason to read */

struct op {
	u8 kind, refs;      /* refs: bit i says that a[i] is the number of a step, and means that step's result */
	u16 step;           /* its place in the report */
	u16 nr;             /* the syscall */
	u8 flags, retry;    /* retry: the errno that is worth another try, up to retry_ms */
	u8 tolerate[4];     /* errnos that are recorded and passed over */
	u16 retry_ms, needs; /* needs: undo only what was done: 1 + the step that must have succeeded */
	u64 a[6];           /* FORK: a[5] is the op the child goes on with */
};

struct plan {
	struct report *report;
	i64 *results;        /* by step, -1 until it has succeeded */
	const struct op *ops, *undo; /* the first one, and where the undo section starts */
};

struct entry {
	i64 result;
	u64 ticks;          /* when it began, in ticks of the CPU's clock; 0: never */
};

/* Shared with the launcher through a memfd, and between monitor, box and init. */
struct report {
	u32 failed, failed_errno;           /* 1 + the step that ended the set-up */
	u32 undo_failed, undo_failed_errno; /* 1 + the first undo step that failed */
	u32 ended;                          /* the program has ended, and status is its wait status */
	i32 status;
	u32 late, spare;                    /* the deadline passed before the execve */
	char log[256];                      /* what the kernel wrote about the failure, lines, NUL behind them */
	struct entry entries[];
};

#define EINTR 4
#define EAGAIN 11
#define SIGKILL 9
#define SIGSTKFLT 16 /* Linux never sends it: here it means "take the box down", from the launcher or, by PDEATHSIG, at its end */
#define SIGCHLD 17
#define POLLHUP 16
#define WNOHANG 1
#define SIG_UNBLOCK 1
#define RLIMIT_CORE 4
#define AT_FDCWD -100

#if defined(__x86_64__)
enum { SYS_read = 0, SYS_close = 3, SYS_rt_sigaction = 13, SYS_rt_sigprocmask = 14, SYS_nanosleep = 35, SYS_getpid = 39, SYS_wait4 = 61,
	SYS_kill = 62, SYS_rt_sigtimedwait = 128, SYS_exit_group = 231, SYS_openat = 257, SYS_ppoll = 271, SYS_prlimit64 = 302 };

static i64 syscall6(u64 nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	register u64 r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	i64 r;
	__asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
	return r;
}

static u64 ticks(void)
{
	u32 lo, hi;
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}

/* The kernel starts a program with an aligned stack and no return address: align it as after a call. */
__asm__(".section .text.start\n.globl _start\n_start: xor %ebp,%ebp\n and $-16,%rsp\n call stage\n hlt\n.text");
#elif defined(__aarch64__)
enum { SYS_openat = 56, SYS_close = 57, SYS_read = 63, SYS_ppoll = 73, SYS_exit_group = 94, SYS_nanosleep = 101, SYS_kill = 129,
	SYS_rt_sigaction = 134, SYS_rt_sigprocmask = 135, SYS_rt_sigtimedwait = 137, SYS_getpid = 172, SYS_wait4 = 260, SYS_prlimit64 = 261 };

static i64 syscall6(u64 nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	register u64 x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d,
		     x4 __asm__("x4") = e, x5 __asm__("x5") = f;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}

static u64 ticks(void)
{
	u64 t;
	__asm__ volatile("mrs %0, cntvct_el0" : "=r"(t));
	return t;
}

__asm__(".section .text.start\n.globl _start\n_start: mov x29, xzr\n mov x30, xzr\n bl stage\n brk 0\n.text");
#endif

#define sys(nr, a, b, c, d) syscall6(nr, (u64)(a), (u64)(b), (u64)(c), (u64)(d), 0, 0)

__attribute__((noreturn)) static void leave(u32 code)
{
	for (;;)
		sys(SYS_exit_group, code, 0, 0, 0);
}

/* Right-aligned, so that a field of slashes in a path ("/proc//////42/uid_map") or of zeros in a name needs no moving. */
static char *decimal(char *end, u64 n)
{
	do
		*--end = '0' + n % 10;
	while (n /= 10);
	return end;
}

static u64 word(const struct op *o, int i)
{
	return o->refs >> i & 1 ? (u64)PLAN->results[o->a[i]] : o->a[i];
}

static i64 run(const struct op *o)
{
	i64 r;
	u32 ms = 1, spent = 0;

	for (;;) {
		r = syscall6(o->nr, word(o, 0), word(o, 1), word(o, 2), word(o, 3), word(o, 4), word(o, 5));
		if (r >= 0 || -r != o->retry || spent >= o->retry_ms)
			return r;
		u64 pause[2] = { 0, ms * 1000000 };
		sys(SYS_nanosleep, pause, 0, 0, 0);
		spent += ms;
		ms += ms;
	}
}

static int tolerated(const struct op *o, i64 r)
{
	for (int i = 0; i < 4; i++)
		if (o->tolerate[i] && o->tolerate[i] == -r)
			return 1;
	return 0;
}

/* Each read gives one line. */
static void read_all(u32 fd, char *p, u64 room)
{
	for (i64 n; (n = sys(SYS_read, fd, p, room, 0)) > 0; room -= n)
		p += n;
}

/* Every holder of the pipe's write end has closed it: the box has reached its execve, or its end. */
static int hung_up(u32 fd)
{
	struct { i32 fd; u16 events, revents; } p = { fd, 0, 0 };
	u64 now[2] = { 0, 0 };

	return sys(SYS_ppoll, &p, 1, now, 0) == 1 && p.revents & POLLHUP;
}

/* All ones for what is not there. */
static u64 hex_after(const char *text, const char *end, const char *key)
{
	for (; text < end; text++) {
		int i = 0;
		while (key[i] && text + i < end && text[i] == key[i])
			i++;
		if (key[i])
			continue;
		u64 n = 0;
		for (text += i; text < end && *text > ' '; text++)
			n = n << 4 | (*text <= '9' ? *text - '0' : *text - 'a' + 10);
		return n;
	}
	return ~0ul;
}

/* The kernel drops a signal that the PID 1 of a namespace neither handles, blocks nor ignores: there is nobody else to take it. */
static int drops(i64 pid, u32 sig)
{
	char path[32] = "/proc/", text[16384];
	char digits[20], *d = decimal(digits + 20, pid), *p = path + 6;

	while (d < digits + 20)
		*p++ = *d++;
	for (const char *s = "/status"; (*p++ = *s++);)
		;
	i64 fd = sys(SYS_openat, AT_FDCWD, path, 0, 0);
	if (fd < 0)
		return 0;
	i64 n = sys(SYS_read, fd, text, sizeof text, 0);
	sys(SYS_close, fd, 0, 0, 0);
	if (n <= 0)
		return 0;
	u64 taken = hex_after(text, text + n, "SigBlk:\t") | hex_after(text, text + n, "SigIgn:\t") | hex_after(text, text + n, "SigCgt:\t");
	return !(taken >> (sig - 1) & 1);
}

/* Signals whose default action is not to terminate: CHLD CONT STOP TSTP TTIN TTOU URG WINCH. */
#define HARMLESS (1ul << 16 | 1ul << 17 | 1ul << 18 | 1ul << 19 | 1ul << 20 | 1ul << 21 | 1ul << 22 | 1ul << 27)

/*
 * a[0] the process, a[1] deadline in ms or 0, a[2] the pipe that hangs up at the execve, a[3] whether the process is a PID 1.
 * All signals are blocked, and taken here one by one.
 */
static void watch(const struct op *o)
{
	struct report *report = PLAN->report;
	i64 pid = word(o, 0);
	u64 wait[2] = { o->a[1] / 1000, o->a[1] % 1000 * 1000000 }, all = ~0ul, *timeout = o->a[1] ? wait : 0;
	u32 fatal = 0;

	for (;;) {
		i64 sig = sys(SYS_rt_sigtimedwait, &all, 0, timeout, sizeof all);
		if (sig == -EAGAIN) {
			timeout = 0;
			if (hung_up(o->a[2]))
				continue;
			report->late = 1;
			sig = SIGSTKFLT;
		}
		if (sig == -EINTR)
			continue;
		if (sig == SIGCHLD) {
			i32 status;
			for (i64 p; (p = sys(SYS_wait4, -1, &status, WNOHANG, 0)) > 0 || p == -EINTR;) {
				if (p != pid)
					continue;
				/* An init inside the box has told how the program ended; its own end says less. */
				if (!report->ended) {
					report->ended = 1;
					report->status = fatal && (status & 127) == SIGKILL ? (i32)fatal : status;
				}
				return;
			}
		} else if (sig == SIGSTKFLT) {
			sys(SYS_kill, pid, SIGKILL, 0, 0);
		} else if (o->a[3] && !(HARMLESS >> (sig - 1) & 1) && (!hung_up(o->a[2]) || drops(pid, sig))) {
			/* What the signal would have done to any other process. */
			fatal = sig;
			sys(SYS_kill, pid, SIGKILL, 0, 0);
		} else {
			sys(SYS_kill, pid, sig, 0, 0);
		}
	}
}

/* Kill and reap all descendants. As a subreaper this process inherits every orphan, so each round reaches the next generation. */
static void reap(void)
{
	char path[48] = "/proc/self/task/", text[4096];
	char digits[20], *d = decimal(digits + 20, sys(SYS_getpid, 0, 0, 0, 0)), *p = path + 16;

	while (d < digits + 20)
		*p++ = *d++;
	for (const char *s = "/children"; (*p++ = *s++);)
		;
	for (;;) {
		i64 fd = sys(SYS_openat, AT_FDCWD, path, 0, 0);
		i64 n = fd < 0 ? 0 : sys(SYS_read, fd, text, sizeof text, 0);
		if (fd >= 0)
			sys(SYS_close, fd, 0, 0, 0);
		u64 pid = 0;
		for (i64 i = 0; i < n; i++) {
			if (text[i] != ' ') {
				pid = pid * 10 + text[i] - '0';
			} else {
				sys(SYS_kill, pid, SIGKILL, 0, 0);
				pid = 0;
			}
		}
		/* One that has ended, then all that have. No child left is the only way out. */
		i64 ended = sys(SYS_wait4, -1, 0, 0, 0);
		if (ended < 0 && ended != -EINTR)
			return;
		while (sys(SYS_wait4, -1, 0, WNOHANG, 0) > 0)
			;
	}
}

/* End as the program ended, so that whoever waits for this process cannot tell the difference. */
__attribute__((noreturn)) static void finish(int monitor)
{
	struct report *report = PLAN->report;
	u32 sig = report->status & 127;

	if (report->failed || report->late || !report->ended)
		leave(125);
	if (!sig)
		leave(report->status >> 8 & 255);
	if (monitor) {
		u64 action[4] = { 0, 0, 0, 0 }, one = 1ul << (sig - 1), none[2] = { 0, 0 };
		/* The core, if any, was the program's to dump. */
		sys(SYS_prlimit64, 0, RLIMIT_CORE, none, 0);
		sys(SYS_rt_sigaction, sig, action, 0, 8);
		sys(SYS_kill, sys(SYS_getpid, 0, 0, 0, 0), sig, 0, 0);
		sys(SYS_rt_sigprocmask, SIG_UNBLOCK, &one, 0, 8);
	}
	leave(128 + sig);
}

__attribute__((noreturn)) static void interpret(const struct op *o, int monitor);

/* Where a new process begins: on the stack that clone3 was given, or on its copy of the old one. */
__attribute__((noreturn, used)) void begin(const struct op *o)
{
	interpret(o, 0);
}

/*
 * clone3, whose child never comes back from here: it may share this memory, and then it has a stack of its own and nothing on it.
 * The two write different words of it: each step belongs to one process.
 */
static i64 fork(const struct op *o)
{
	const struct op *first = PLAN->ops + o->a[5];
	/* Before the registers are taken: what computes them may use them. */
	u64 args = word(o, 0), size = word(o, 1);
#if defined(__x86_64__)
	register const struct op *child __asm__("r12") = first;
	i64 r;
	__asm__ volatile("syscall\n test %%rax,%%rax\n jnz 1f\n"
			 " xor %%ebp,%%ebp\n and $-16,%%rsp\n mov %%r12,%%rdi\n call begin\n hlt\n1:"
			 : "=a"(r) : "a"((u64)o->nr), "D"(args), "S"(size), "r"(child) : "rcx", "r11", "memory");
	return r;
#else
	register const struct op *child __asm__("x20") = first;
	register u64 x8 __asm__("x8") = o->nr, x0 __asm__("x0") = args, x1 __asm__("x1") = size;
	__asm__ volatile("svc 0\n cbnz x0, 1f\n mov x29, xzr\n mov x30, xzr\n mov x0, x20\n bl begin\n brk 0\n1:"
			 : "+r"(x0) : "r"(x8), "r"(x1), "r"(child) : "memory", "x30");
	return x0;
#endif
}

__attribute__((noreturn, used)) void stage(void)
{
	interpret(PLAN->ops, 1);
}

__attribute__((noreturn)) static void interpret(const struct op *o, int monitor)
{
	struct report *report = PLAN->report;
	i64 *results = PLAN->results, box = 0;
	int undoing = 0;

	for (;; o++) {
		i64 r = 0;

		if (o == PLAN->undo)
			undoing = 1;
		if (o->needs && results[o->needs - 1] < 0)
			continue;
		switch (o->kind) {
		case DECIMAL:
			decimal((char *)o->a[0], results[o->a[1]]);
			continue;
		case WORD:
			*(u64 *)o->a[0] = results[o->a[1]];
			continue;
		case HALF:
			*(u32 *)o->a[0] = results[o->a[1]];
			continue;
		case CHECK:
			r = (*(u32 *)o->a[0] & o->a[1]) == o->a[2] ? 0 : -(i64)o->a[3];
			break;
		case WATCH:
			report->entries[o->step].ticks = ticks();
			watch(o);
			continue;
		case REAP:
			report->entries[o->step].ticks = ticks();
			reap();
			continue;
		case FINISH:
			finish(monitor);
		case CALL:
			report->entries[o->step].ticks = ticks();
			r = o->flags & FORK ? fork(o) : run(o);
			if (o->flags & BOX && r > 0)
				box = r;
			/* Monitor and box write to one page: each step belongs to one of them. */
			report->entries[o->step].result = r;
			if (r >= 0)
				results[o->step] = r;
		}
		if (r >= 0 || tolerated(o, r))
			continue;
		if (undoing) {
			if (!report->undo_failed) {
				report->undo_failed_errno = -r;
				report->undo_failed = o->step + 1;
			}
			continue;
		}
		if (!report->failed) {
			if (o->flags & LOG)
				read_all(word(o, 0), report->log, sizeof report->log - 1);
			report->failed_errno = -r;
			report->failed = o->step + 1;
		}
		if (!monitor)
			leave(125);
		if (box) {
			sys(SYS_kill, box, SIGKILL, 0, 0);
			sys(SYS_wait4, box, 0, 0, 0);
		}
		o = PLAN->undo - 1;
	}
}
