/* supervisor_testing.h - a program that plays all roles: the tests, the supervisor (--supervise FILE) and its children
 * (--process KIND INSTANCE). A child does what the settings say; the tests read what all of them print. Settings are lines of words:
 * dir D; user U; proc KIND INSTANCE [at-once|KEY]; listen NAME ADDR KIND; restart MIN MAX; stop MS; watchdog MS; do KIND.INSTANCE WHAT;
 * say WORD (by every child, when it is born or takes new settings); and what goes wrong when they are read: crash; hang; barred (a change of them
 * is). To listeners "reload" and "dry" a connection has the switch ask for that. "do X set-once": it takes no settings while it runs. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/mem.h"
#include "sys/process.h"

struct run {
	pid_t pid;
	int fd;
	char dir[64], config[80], log[1 << 17];
	size_t n;
};

/* For main: whether this is a role other than that of the tests; then *status_r is for exit. */
bool plays_a_role(int argc, char **argv, int *status_r);

/* How a line begins that the recorder may have. */
#define EVENT_OF(process) "{\"time\":\"2026-01-01T00:00:00.000Z\",\"process\":\"" process "\","

void begin_in(struct run *r, const char *dir, const char *text);
/* Each run has a directory of its own below /tmp; the supervisor makes it. */
void begin(struct run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool more(struct run *r);
/* Reads until the text has come, wherever it is in the log. */
const char *expect(struct run *r, const char *text);
const char *expect_after(struct run *r, const char *before, const char *text);
int finish(struct run *r);
int stop(struct run *r);
pid_t pid_of(struct run *r, const char *name);
/* To the listener of that name; it is accepted and closed. */
void connect_to(struct run *r, const char *name);
/* 0, or -1 when nobody listens there any more. */
int try_to_connect(struct run *r, const char *name);
/* The settings file has these lines from now on, after that of the directory. */
void rewrite(struct run *r, const char *text);
