/* jail.h - giving up what a process does not need: system calls, memory, files, the user it was started as.
 * Everything here is for good and for the whole process. Call it when all files, sockets and converters are open
 * and before the first octet from outside is read. */
#pragma once
#include "base/err.h"

#include <sys/types.h>

enum jail_level {
	JAIL_NONE,    /* no_new_privs and no core dumps only */
	JAIL_CONSOLE, /* as JAIL_CONTENT, and connections: accepted ones, and Unix sockets to others; a call outside is refused (EPERM), not the end */
	JAIL_CONTENT, /* memory, descriptors already open, clocks and the end: no file, socket, program or process is opened */
	JAIL_FILES,   /* that, and what is needed to keep files by name, to take connections, and to reach a Unix socket: no network, no program, no process */
};

struct jail_limits {
	size_t memory;  /* RLIMIT_AS: octets of address space, 0: not limited */
	unsigned cpu_s; /* RLIMIT_CPU: SIGXCPU after so many seconds of processor time, SIGKILL a second later; 0: not limited */
	unsigned files; /* RLIMIT_NOFILE, 0: not limited; descriptors that are open stay open */
};

enum jail_flags {
	/* For builds with sanitizers: their runtime maps terabytes and opens files in /proc, so the system call
	 * filter and the limit of memory are left out. Never set by a release build. */
	JAIL_SANITIZED = 1,
};

/* JAIL_SANITIZED when this program was compiled with a sanitizer, else 0. */
unsigned jail_build_flags(void);

/* Closes the jail: no_new_privs, limits, then the system call filter. A call outside the filter ends the process with SIGSYS
 * (the whole process, not a thread). Afterwards what can be asked of the kernel is asked: it fails (ERR_LOCAL, process)
 * when no_new_privs, a limit or the filter does not stand, and then the caller must end. */
MUST_CHECK bool jail_enter(enum jail_level level, const struct jail_limits *limits, unsigned flags, struct err *e);

/* Started by root: becomes `uid` and `gid` with no other group, for good, then reads all ids back and tries to become root
 * again, which must fail. Fails (ERR_LOCAL, process) for uid or gid 0 and when anything is not as wanted; then
 * the caller must end. The caller need not be root only if it is that user already. */
MUST_CHECK bool jail_become(uid_t uid, gid_t gid, struct err *e);

/* The same by name of a user (and that user's group), looked up in the system's user database. */
MUST_CHECK bool jail_become_user(const char *name, struct err *e);

const char *jail_level_name(enum jail_level level);
