/* supervisor_int.h - what the files of the supervisor share: its state, and who does what of it. */
#pragma once
#include "proc/supervisor/child.h"
#include "proc/supervisor/doors.h"
#include "proc/supervisor/lines.h"
#include "proc/supervisor/reload.h"
#include "proc/supervisor/start.h"
#include "proc/table/events_table.h"
#include "sys/board.h"
#include "sys/event.h"

enum {
	POSTS_MAX = 512,  /* as many as a plan has, twice: those that go, and those that come */
	LEVELS_MAX = 64,  /* there are fewer categories */
};

/* The order in which kinds are ended; a stage begins when the one before it is empty. */
enum stage { STAGE_RUN, STAGE_LINKS, STAGE_HELPERS, STAGE_SWITCH, STAGE_RECORDER, STAGE_DONE };

struct supervisor;

/* What becomes of a post whose process has been asked to end by a reload. */
enum post_fate { POST_STAYS, POST_RENEWED, POST_GOES };

struct post {
	struct supervisor *s;
	struct child c;
	struct timer restart, kill; /* kill: after SIGABRT or in a stop stage */
	bool used;                  /* else the place is free */
	bool abandoned;             /* asked to stop, killed, and still there: the others do not wait for it */
	enum post_fate fate;        /* once it has ended */
	bool late;                  /* not of the plan of the start: that it cannot run ends nobody else */
	uint64_t key;               /* struct plan_process */
	uint64_t told;              /* number of the settings it has not taken yet; 0: none */
};

/* What an operator wants to hear of a category, for processes that are started later. */
struct level {
	char category[32];
	unsigned level;
};

struct supervisor {
	struct env env; /* first: time and timers; this world has no streams and no files */
	struct plan plan;
	struct start_user user;
	struct child_birth birth;
	struct event_log *log;
	struct lines lines;
	struct level levels[LEVELS_MAX];
	size_t n_levels;
	struct post posts[POSTS_MAX];
	size_t n_posts;             /* places that have been used */
	struct doors doors;
	int signals, settings, lock;
	struct timer ping;
	struct board *board;        /* NULL: the system had no room for it */
	int board_fd;
	struct timer show;
	struct reload reload;
	enum stage stage;
	bool told_up, hurry;
	int64_t asked_ms;
	int status;
};

/* --- supervisor.c --- */
/* A place for it; NULL: there is none. Not started. */
struct post *supervisor_add(struct supervisor *s, const struct plan_process *x);
/* Its process is started now, unless we are ending. */
void supervisor_start(struct post *p);
/* Asks it to end, with the plan's patience. */
void supervisor_stop(struct post *p);
/* It does not run: its place is free. */
void supervisor_remove(struct post *p);
/* What the plan leaves open. */
void supervisor_fill_in(struct plan *p);
/* Sets the watchdog by the plan. */
void supervisor_watch(struct supervisor *s);
const char *supervisor_number(char buf[24], uint64_t x); /* as text, for an event */

/* --- events.c: events of the others, and what is wanted of them --- */
void events_begin(struct supervisor *s);
/* Form and levels as the plan has them now; what an operator wanted is over. */
void events_anew(struct supervisor *s);
/* To a process that is started: the pipe if it is the recorder, levels. */
void events_give(struct supervisor *s, struct child *c);
void events_on_level(void *ctx, const struct wire_msg *m);
void events_tell_lost(struct supervisor *s);

/* --- showing.c: the board --- */
void showing_begin(struct supervisor *s);
void showing_end(struct supervisor *s);
/* Something has happened: before the supervisor sleeps. */
void showing_soon(struct supervisor *s);
void showing_give(struct supervisor *s, struct child *c);
