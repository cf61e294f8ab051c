/* child.h - one process under the supervisor: its birth, what is said to it, its standard error, its last words. Decides nothing:
 * supervisor.c does. */
#pragma once
#include "base/out.h"
#include "proc/supervisor/lines.h"
#include "sys/process.h"
#include "sys/process_wire.h"

#include <sys/types.h>

struct child_message;

struct child {
	enum process_kind kind;
	uint32_t instance;
	char name[32];           /* "link.1" */
	pid_t pid;               /* 0: not running; then chan and err are -1 */
	int chan, err;
	struct wire_words *words;
	struct child_message *queue, **queue_end; /* what had no room yet */
	struct out line;         /* of its standard error, not yet ended */
	bool in_long_line;       /* whose beginning was too long and is gone already */
	unsigned life;
	bool ready, ever_ready, asked_to_stop;
	uint64_t ping, pong;     /* last sent, last answered */
	int64_t started_ms, silent_since_ms;
	int64_t ready_ms, answered_ms; /* in this life; 0: not yet */
	unsigned faults;         /* deaths by one */
	uint64_t progress;       /* of earlier lives */
	char killed_why[128];    /* what the supervisor killed it for: counts as a fault */
	uint64_t delay_ms;       /* before the last restart */
	unsigned early_deaths;   /* in a row, each before it had run for the longest delay */
	bool at_once, killed;    /* killed: SIGKILL was sent at the end */
	void (*accuses)(void *ctx, const struct wire_msg *m); /* it says that another one makes no progress */
	void (*says)(struct child *c, const struct wire_msg *m); /* RELOAD of the switch; TAKEN */
	void (*levels)(void *ctx, const struct wire_msg *m);  /* the recorder has word of an operator: WIRE_LEVEL */
	void *ctx;
	char last_words[WIRE_TEXT]; /* of the last death; empty: none */
	char note[WIRE_NOTE];    /* what it was doing then, printable */
	bool by_fault;
	bool death_untold;       /* the switch was not there to be told */
};

void child_init(struct child *c, enum process_kind kind, uint32_t instance);
void child_fini(struct child *c);

struct child_birth {
	int settings;
	const char *directory;
	bool change_user;
	uid_t uid;
	gid_t gid;
	size_t event_pipe; /* octets of its standard error that wait while we do not run; 0: as the system has it */
};
/* Forks and executes; BIRTH is said, GO is not. False (with *e) when the system has no room. */
MUST_CHECK bool child_start(struct child *c, const struct child_birth *b, int64_t now_ms, struct err *e);

/* Says m, now or when there is room, in order. Takes the descriptors over: they are closed in any case. */
void child_say(struct child *c, const struct wire_msg *m, const int *fds, size_t n_fds);
bool child_has_queue(const struct child *c);
void child_flush(struct child *c);

/* Reads what it has said. At its end, or at a word that is none, the channel is closed: silence from then on. */
void child_hear(struct child *c, int64_t now_ms);

/* Passes on whole lines of its standard error. all: the rest too, because no more will come. */
void child_pass_lines(struct child *c, struct lines *to, bool all);

/* Fills in all but its times, as far as the child knows it. */
struct board_process;
void child_show(const struct child *c, struct board_process *p);

/* The process has ended that way (waitpid): closes all of it, fills last_words and by_fault. */
void child_ended(struct child *c, struct lines *to, int how);
