/* doors.h - the listeners of the plan, bound by the supervisor, given to every process of their kind; and what a reload makes of them. */
#pragma once
#include "proc/supervisor/child.h"
#include "proc/supervisor/start.h"

enum { DOORS_MAX = 64 }; /* as the plan has listeners */

struct door {
	struct plan_listener l; /* addr: with the port that was chosen in place of 0 */
	char asked[sizeof((struct plan_listener *)0)->addr]; /* as the settings say */
	int fd;
	uint64_t number;        /* a process knows it by */
};

struct doors {
	struct door v[DOORS_MAX];
	size_t n;
	uint64_t last; /* number given */
};

/* Binds all of the plan; says why and returns the exit status when one cannot be. */
MUST_CHECK int doors_open(struct doors *d, const struct plan *plan, const struct start_user *user);
/* Closes them; sockets of the file system are removed. */
void doors_close(struct doors *d);

/* What the plan makes of them: those of the same address are the same, the others are bound, also beside one that goes and whose address overlaps
 * (127.0.0.1:102, 0.0.0.0:102). False with *e: nothing is bound then, and nothing was closed. next_r is either
 * taken (doors_take) or given up (doors_drop). */
MUST_CHECK bool doors_plan(const struct doors *d, const struct plan *plan, const struct start_user *user, struct doors *next_r, struct err *e);
void doors_take(struct doors *d, struct doors *next);
void doors_drop(const struct doors *d, struct doors *next);

/* Those of its kind. False: no descriptors for it. */
MUST_CHECK bool doors_give(const struct doors *d, struct child *c);
/* To a process that has those of `old`: that those which are not in `next` are no more; those that are new in it. */
void doors_shut(const struct doors *old, const struct doors *next, struct child *c);
MUST_CHECK bool doors_bring(const struct doors *old, const struct doors *next, struct child *c);
