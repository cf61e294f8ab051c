/* process.h - how processes are born, linked to each other and watched (DESIGN 2).
 *
 * The supervisor re-executes this binary once per process: `posthorn --process KIND INSTANCE`. A child finds
 * its supervisor channel at descriptor 3; over it come, with descriptors attached, the settings (canonical text in a
 * memory file), its listeners, its streams to other processes, a memory file for its last words, and word to end.
 * The supervisor watches children with poll(2), parses nothing from outside and never uses the loop. */
#pragma once
#include "sys/env.h"

enum process_kind {
	PROCESS_SUPERVISOR, PROCESS_SWITCH, PROCESS_LINK, PROCESS_CONTENT, PROCESS_READER, PROCESS_CONFIG, PROCESS_TOOL,
	PROCESS_ALONE,     /* a link process that handles suspects, one at a time: no listener, started again at once */
	PROCESS_CONNECTOR, /* a program of its own that serves a link; not our child */
	PROCESS_INTERCHANGE, /* serves a link of kind msmail: its instance is the link's index in the settings */
	PROCESS_CONVERTER, /* a content process of the interchange of its number */
	PROCESS_MOVER,     /* the mail of one postoffice: its mailer, or its dispatch to one other (settings_mover_at) */
	PROCESS_RECORDER,  /* gets every event line of all the others from the supervisor: files, journal, and who follows */
	PROCESS_CONSOLE,   /* the web page, its API and the metrics: a client of the switch, the reader and the recorder */
	PROCESS_KIND_COUNT,
};
const char *process_kind_name(enum process_kind k);
MUST_CHECK bool process_kind_of(const char *name, enum process_kind *k_r); /* the other way; for main */

/* What became of a request to read the settings again. */
enum process_reloaded {
	PROCESS_RELOADED,       /* the new ones are in force in every process that runs */
	PROCESS_RELOAD_SAME,    /* nothing has changed */
	PROCESS_RELOAD_DRY,     /* what would change; nothing was done */
	PROCESS_RELOAD_REFUSED, /* they are right, and yet nothing was changed: see why */
	PROCESS_RELOAD_WRONG,   /* they are wrong, or cannot be read: where and why; nothing was changed */
};

/* --- the child's side --- */
struct process; /* the running child: env, channel to the supervisor */

struct process_events {
	/* A stream to another process: control or bulk, both given once each per pair; again when that process is restarted. */
	void (*peer)(void *ctx, enum process_kind kind, uint32_t instance, bool bulk, struct stream *s);
	/* A connection on one of our listeners (name: "p1", "control", "read" as the plan calls it). */
	void (*accepted)(void *ctx, const char *listener, struct stream *s);
	/* The process of that kind and number died in the way said (signal or exit status); its streams have ended or will.
	 * note: what it had noted last, as it wrote it (bounded and ended, but its words: trust nothing). */
	void (*peer_died)(void *ctx, enum process_kind kind, uint32_t instance, bool by_fault, const char *last_words, const char *note);
	/* Finish what is in hand and call process_finished; the supervisor waits a bounded time. */
	void (*stop)(void *ctx);
	/* The settings have changed (they are right, and differ from ours only in what may change while we run: process_settings gives the
	 * new ones from now on; what it gave before is gone when this returns). To be taken before it returns: nothing may point into the
	 * old ones then (process_main_settings does the common part). Listeners that are new are given after it, as at birth; those that
	 * are no more are closed without a word, what came by them stays. NULL: the process is ended in order and started with them. */
	void (*settings)(void *ctx);
	/* The answer to process_reload. text, for a person, good during the call: one line a change, or the error. */
	void (*reloaded)(void *ctx, uint64_t id, enum process_reloaded how, struct view text);
	/* An operator wants to hear so much (enum event_level) of this category of events, "": of all; until the next start or reload. */
	void (*level)(void *ctx, const char *category, unsigned level);
	/* Instead of `accepted`, for who takes connections himself: one of our listeners has come, the descriptor is the callee's; or, fd -1,
	 * the one of that number is no more. NULL: accepted. */
	void (*listening)(void *ctx, const char *listener, uint64_t number, int fd);
	/* The recorder's: event lines of all the others come out of this pipe, which never blocks and outlives a recorder (so what comes
	 * first may be the rest of a line). At its end no more come. The descriptor is the callee's. */
	void (*lines)(void *ctx, int fd);
};

/* In main of a child (`posthorn --process KIND INSTANCE`): builds the env on libuv in the plan's directory, takes the settings
 * text, arms the last words and POSTHORN_FAULT (below). Never returns an unusable process: without a supervisor it exits with 64
 * (EX_USAGE) and a sentence on standard error. A jail is entered after it, by the caller. */
struct process *process_begin(enum process_kind kind, uint32_t instance);
struct env *process_env(struct process *p);
struct view process_settings(const struct process *p); /* canonical YAML text */
/* 1 for the first process of this kind and number under this supervisor, 2 after its first restart, ... */
unsigned process_life(const struct process *p);
/* Reports ready and runs until the end; returns the exit status for main. Peers and deaths known at birth are told before
 * anything else: first how this process's own predecessor died (peer_died with our own kind and number). The env is still good
 * after it, to take down what was built on it; then process_free. */
int process_run(struct process *p, const struct process_events *events, void *ctx);
/* Ends process_run at the end of this turn. Status 73 (EX_CANTCREAT) or 78 (EX_CONFIG) of a process of a kind and number that
 * was never ready yet ends the supervisor too, with that status: starting again would find the same. */
void process_finished(struct process *p, int status);
void process_free(struct process **p);
/* The listener by its name in the plan, to pause it; NULL: not ours. Only inside process_run. */
struct listener *process_listener(struct process *p, const char *name);
/* Another process makes no progress with what we gave it, though it may answer the watchdog: the supervisor ends it, as a fault,
 * with `why` in its last words. Nothing happens when it has ended meanwhile (life is not looked at: say it only while its
 * streams live). For the switch. */
void process_accuse(struct process *p, enum process_kind kind, uint32_t instance, const char *why);
/* Asks the supervisor to read the settings again, as SIGHUP does: as a whole or not at all. dry: only say what would change. id comes back
 * in reloaded(); who: for the events. For the switch. */
void process_reload(struct process *p, uint64_t id, bool dry, const char *who);
/* Has every process hear events of a category so: its process_log (ours at once), then level() of its events; ours too. For the recorder. */
void process_level(struct process *p, const char *category, unsigned level);
/* What goes to this log follows process_level. */
struct event_log;
void process_log(struct process *p, struct event_log *log);
/* What the supervisor knows of all processes (board.h), for the console, the reader and the recorder; NULL: we are not given it. As long as p. */
struct board;
const struct board *process_board(const struct process *p);
/* What we are doing, kept outside this process: cheap (a copy into shared memory), call per item. */
void process_note(struct process *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* POSTHORN_FAULT holds fault plans (fault.h) with `,` between them, each with the kind of process it is for before it, if not
 * all: "link:STORE_COMMIT:3:kill,ENV_READ:1:fail". It is armed in a process's first life only, or what it killed would be
 * killed again for ever. POSTHORN_FAULT_ALWAYS is armed in every life, beside it in the first. A plan that fires says so on standard error; an armed
 * process that ends as asked says how often each point was passed. *plan_r ends with out_fini by the caller. */
void process_fault_plan(const char *text, enum process_kind kind, struct out *plan_r);

/* --- the supervisor's side --- */
struct plan_process {
	enum process_kind kind;
	uint32_t instance;
	uint32_t at_once;        /* started again without a delay, once it has been ready: for suspects, which strike out */
	uint64_t key;            /* of what it reads of the settings at its start and never again: with another one it is started anew. 0: it takes
				  * new settings while it runs, or says that it cannot */
};
struct plan_listener {
	char name[16];
	char addr[108];          /* "127.0.0.1:102", "[::]:102", "unix:/run/x/control" */
	enum process_kind owner; /* every instance of that kind gets it */
};
/* What the config child tells the supervisor: fixed size, no parsing. */
struct plan {
	uint32_t magic, n_processes, n_listeners;
#define PLAN_MAGIC 0x504c4e31u
	struct plan_process processes[256];
	struct plan_listener listeners[64];
	char directory[256];     /* the store's; created if missing, locked so that a second instance is refused */
	char user[64];           /* run as, when started by root; empty: keep */
	/* Delay between restarts: the minimum a few times, then doubling, back at the minimum for a process that has run for the
	 * maximum; patience at stop. */
	uint64_t restart_min_ms, restart_max_ms, stop_ms;
	uint64_t watchdog_ms;    /* a process that answers nothing for so long is ended, as a fault; 0: no watchdog */
	uint32_t events_json;    /* the supervisor's own events: 1 JSON, 0 text */
	uint32_t events_quiet;   /* 1: lines of JSON go to the recorder only, not to standard error */
	uint32_t events_least;   /* enum event_severity: of the supervisor's own */
};
/* What the supervisor does not read itself. */
struct config_reader {
	/* Fills the plan (zeroed before) and prints the canonical settings. */
	bool (*read)(const char *path, struct plan *plan_r, struct out *canonical, struct err *e);
	/* Two canonical texts: one line a change into lines, their number into *n_r; false: one of them cannot be made while it runs, and why. */
	bool (*compare)(struct view old, struct view now, struct out *lines, size_t *n_r, struct err *e);
};
/* Runs until SIGTERM or SIGINT (another one half a second later ends without patience); returns the exit status:
 *  0  ended as asked
 * 64  a child process was started by hand (EX_USAGE)
 * 69  an address is in use or cannot be bound (EX_UNAVAILABLE)
 * 70  reading the settings has crashed (EX_SOFTWARE)
 * 71  the system has no processes, descriptors or memory for a start (EX_OSERR)
 * 73  the directory cannot be made or written (EX_CANTCREAT)
 * 75  another instance runs on the same directory (EX_TEMPFAIL)
 * 77  cannot become the user the settings name (EX_NOPERM)
 * 78  the settings are wrong, or a process says so before it is ready (EX_CONFIG; 73 likewise)
 * each but 0 with one sentence on standard error.
 *
 * The reader runs in a child, unprivileged when started by root. Started by root, path is "/proc/self/fd/N", a copy, and the working directory is the one of the file itself; what
 * *e says is corrected. Pairs that are connected: switch with every link, content, reader and interchange; interchange with the converter of
 * its number. Children are re-executed from /proc/self/exe as `--process KIND INSTANCE`; their standard error is passed
 * on line by line; of events (event.h: lines that begin with EVENT_RECORD or as JSON does) a recorder gets a copy.
 *
 * A death counts as a fault when it was by SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP or SIGXCPU, or by the
 * watchdog; an exit, SIGKILL from outside and a stop do not. Either way the process is started again. Stop order: links, interchanges
 * and movers, then content, converters and reader, then the switch, then the recorder when it has read all lines; each step has stop_ms, then SIGKILL. One that does not end of
 * that in 2 s is in a call of the system that does not return (a file server hangs): the others are ended without it.
 *
 * SIGHUP, and RELOAD of the switch, read the file anew, by its name, in such a child (one that hangs or crashes is an answer). Nothing changes
 * unless all of it is right, may change while it runs, and every new listener can be bound. Then: processes that are no more in the plan, or whose key
 * is another, end in order; when they have, the others are given the new settings, with their listeners; then the new ones are started, and those
 * whose key has changed. Until then everything runs, and what dies is started again, with the old ones. One reload after the other; a stop ends them. */
int supervisor_run(const struct config_reader *reader, const char *config_path);
