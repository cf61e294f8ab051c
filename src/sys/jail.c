/* jail.c - no_new_privs, limits and a system call filter (libseccomp), each read back after it is set. */
#include "sys/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define JAIL_BUILD_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define JAIL_BUILD_SANITIZED 1
#endif
#ifndef JAIL_BUILD_SANITIZED
#define JAIL_BUILD_SANITIZED 0
#endif

/* What a process may still do that works on what it was given: no path, address or program is named by any of these.
 * recvmsg stays because the supervisor hands over streams as descriptors. */
static const int content_calls[] = {
	/* memory */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	/* descriptors that are open */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(pwrite64),
	SCMP_SYS(lseek), SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(shutdown),
	SCMP_SYS(close), SCMP_SYS(fstat), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt),
	/* waiting */
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(futex),
	SCMP_SYS(restart_syscall), SCMP_SYS(nanosleep), SCMP_SYS(clock_nanosleep), SCMP_SYS(sched_yield),
	SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_gettime),
	/* time, randomness, who we are */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(getrusage),
	/* signals, for abort() and the handler that keeps the last words */
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack),
	/* the end */
	SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/* Besides, for who serves connections and is a client of others on this host. */
static const int console_calls[] = {
	SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(connect), SCMP_SYS(epoll_create1), SCMP_SYS(eventfd2), SCMP_SYS(listen),
};

static const int files_calls[] = {
	SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
	SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(ftruncate), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(connect),
};

struct argument_rule {
	int call;
	struct scmp_arg_cmp arg;
};

static bool add_files_rules(scmp_filter_ctx ctx)
{
	for (size_t i = 0; i < ARRAY_LEN(files_calls); i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, files_calls[i], 0) != 0)
			return false;
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX)) == 0;
}

static bool add_rules(scmp_filter_ctx ctx)
{
	uint64_t self = (uint64_t)getpid();
	const struct argument_rule rules[] = {
		/* never memory that is run */
		{ SCMP_SYS(mmap), SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
		{ SCMP_SYS(mprotect), SCMP_A2_64(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
		/* flags of descriptors, no duplicates and no locks */
		{ SCMP_SYS(fcntl), SCMP_A1_32(SCMP_CMP_EQ, F_GETFD) },
		{ SCMP_SYS(fcntl), SCMP_A1_32(SCMP_CMP_EQ, F_SETFD) },
		{ SCMP_SYS(fcntl), SCMP_A1_32(SCMP_CMP_EQ, F_GETFL) },
		{ SCMP_SYS(fcntl), SCMP_A1_32(SCMP_CMP_EQ, F_SETFL) },
		{ SCMP_SYS(ioctl), SCMP_A1_32(SCMP_CMP_EQ, FIONBIO) },
		{ SCMP_SYS(ioctl), SCMP_A1_32(SCMP_CMP_EQ, FIOCLEX) },
		{ SCMP_SYS(ioctl), SCMP_A1_32(SCMP_CMP_EQ, FIONREAD) },
		/* a signal only to ourselves */
		{ SCMP_SYS(tgkill), SCMP_A0_64(SCMP_CMP_EQ, self) },
		{ SCMP_SYS(kill), SCMP_A0_64(SCMP_CMP_EQ, self) },
		/* so that the jail can be asked whether it stands */
		{ SCMP_SYS(prctl), SCMP_A0_64(SCMP_CMP_EQ, PR_GET_SECCOMP) },
		{ SCMP_SYS(prctl), SCMP_A0_64(SCMP_CMP_EQ, PR_GET_NO_NEW_PRIVS) },
	};
	for (size_t i = 0; i < ARRAY_LEN(content_calls); i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, content_calls[i], 0) != 0)
			return false;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, rules[i].call, 1, &rules[i].arg) != 0)
			return false;
	/* glibc's fstat() is newfstatat with AT_EMPTY_PATH. The path cannot be looked at from here; it opens nothing. */
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
				SCMP_A3_32(SCMP_CMP_EQ, AT_EMPTY_PATH)) == 0;
}

static bool add_console_rules(scmp_filter_ctx ctx)
{
	for (size_t i = 0; i < ARRAY_LEN(console_calls); i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, console_calls[i], 0) != 0)
			return false;
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0_64(SCMP_CMP_EQ, AF_UNIX)) == 0;
}

static bool failed(struct err *e, const char *what)
{
	return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "jail: %s: %s", what, strerror(errno));
}

static bool enter_filter(enum jail_level level, struct err *e)
{
	tzset(); /* the first conversion of a time, even to UTC, opens the zone's file: now, not when an event is written */
	scmp_filter_ctx ctx = seccomp_init(level == JAIL_CONSOLE ? SCMP_ACT_ERRNO(EPERM) : SCMP_ACT_KILL_PROCESS);
	if (ctx == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "jail: seccomp_init failed");
	bool ok = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 && add_rules(ctx) &&
		  (level != JAIL_CONSOLE || add_console_rules(ctx));
	ok = ok && (level != JAIL_FILES || add_files_rules(ctx));
	int loaded = ok ? seccomp_load(ctx) : -1;
	seccomp_release(ctx);
	if (!ok)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "jail: a filter rule was refused by libseccomp");
	if (loaded != 0)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "jail: the filter cannot be loaded: %s", strerror(-loaded));
	if (prctl(PR_GET_SECCOMP) != 2)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "jail: the kernel reports no system call filter");
	return true;
}

/* Sets a limit, hard and soft, and reads it back. `hard`: what the hard one is to be, at least `soft`. */
static bool limit(__rlimit_resource_t what, const char *name, rlim_t soft, rlim_t hard, struct err *e)
{
	struct rlimit now;
	if (getrlimit(what, &now) != 0)
		return failed(e, name);
	struct rlimit want = { soft, hard };
	if (now.rlim_max != RLIM_INFINITY && want.rlim_max > now.rlim_max)
		want.rlim_max = now.rlim_max;
	if (want.rlim_cur > want.rlim_max)
		want.rlim_cur = want.rlim_max;
	if (setrlimit(what, &want) != 0 || getrlimit(what, &now) != 0)
		return failed(e, name);
	if (now.rlim_cur != want.rlim_cur || now.rlim_max != want.rlim_max)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "jail: %s did not stay at %llu", name, (unsigned long long)soft);
	return true;
}

unsigned jail_build_flags(void)
{
	return JAIL_BUILD_SANITIZED ? JAIL_SANITIZED : 0;
}

bool jail_enter(enum jail_level level, const struct jail_limits *limits, unsigned flags, struct err *e)
{
	static const struct jail_limits none;
	if (limits == NULL)
		limits = &none;
	if (FAULT(JAIL_ENTER))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "jail: cannot be entered (fault point)");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return failed(e, "no_new_privs");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "jail: the kernel reports no no_new_privs");
	if (!limit(RLIMIT_CORE, "RLIMIT_CORE", 0, 0, e))
		return false;
	if (limits->memory != 0 && !(flags & JAIL_SANITIZED) &&
	    !limit(RLIMIT_AS, "RLIMIT_AS", limits->memory, limits->memory, e))
		return false;
	if (limits->cpu_s != 0 && !limit(RLIMIT_CPU, "RLIMIT_CPU", limits->cpu_s, limits->cpu_s + 1, e))
		return false;
	if (limits->files != 0 && !limit(RLIMIT_NOFILE, "RLIMIT_NOFILE", limits->files, limits->files, e))
		return false;
	switch (level) {
	case JAIL_NONE:
		return true;
	case JAIL_CONSOLE:
	case JAIL_CONTENT:
	case JAIL_FILES:
		return (flags & JAIL_SANITIZED) || enter_filter(level, e);
	}
	CANT_HAPPEN("jail level");
}

/* All ids are the wanted ones, and root cannot be had again. */
static bool verify_ids(uid_t uid, gid_t gid, struct err *e)
{
	uid_t ru, eu, su;
	gid_t rg, eg, sg;
	if (getresuid(&ru, &eu, &su) != 0 || getresgid(&rg, &eg, &sg) != 0)
		return failed(e, "reading the ids back");
	if (ru != uid || eu != uid || su != uid || rg != gid || eg != gid || sg != gid)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "jail: ids are %u %u %u, %u %u %u, want %u and %u", ru, eu, su, rg,
			       eg, sg, uid, gid);
	if (setresuid((uid_t)-1, 0, (uid_t)-1) == 0 || setuid(0) == 0 || setresgid((gid_t)-1, 0, (gid_t)-1) == 0 ||
	    setgid(0) == 0)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "jail: root could be had again after it was given up");
	return true;
}

bool jail_become(uid_t uid, gid_t gid, struct err *e)
{
	if (uid == 0 || gid == 0 || uid == (uid_t)-1 || gid == (gid_t)-1)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "jail: user %u, group %u cannot be run as, want neither to be root",
			       uid, gid);
	if (geteuid() != 0)
		return verify_ids(uid, gid, e);
	if (setgroups(0, NULL) != 0)
		return failed(e, "setgroups");
	if (setresgid(gid, gid, gid) != 0)
		return failed(e, "setresgid");
	if (setresuid(uid, uid, uid) != 0)
		return failed(e, "setresuid");
	if (getgroups(0, NULL) != 0)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "jail: other groups are still there");
	return verify_ids(uid, gid, e);
}

bool jail_become_user(const char *name, struct err *e)
{
	struct passwd entry, *found = NULL;
	char text[4096];
	int code = getpwnam_r(name, &entry, text, sizeof text, &found);
	if (found == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "jail: there is no user \"%s\"%s%s", name, code == 0 ? "" : ": ",
			       code == 0 ? "" : strerror(code));
	return jail_become(found->pw_uid, found->pw_gid, e);
}

const char *jail_level_name(enum jail_level level)
{
	switch (level) {
	case JAIL_NONE:
		return "none";
	case JAIL_CONSOLE:
		return "console";
	case JAIL_CONTENT:
		return "content";
	case JAIL_FILES:
		return "files";
	}
	return "?";
}
