/* board.h - what the supervisor knows of its processes, in memory that it alone writes and others read: who shows it (the console) needs
 * to ask nobody, and a process that answers nothing is shown like any other. It is sealed: nobody but the supervisor can ever write. */
#pragma once
#include "base/err.h"
#include "sys/process.h"

enum { BOARD_PROCESSES = 256, BOARD_WORDS = 200 };

struct board_process {
	uint32_t kind, instance; /* enum process_kind */
	uint32_t pid;            /* 0: it does not run */
	uint32_t lives;          /* times it was started */
	uint32_t faults;         /* times it died by a fault of its own */
	uint32_t ready;          /* 1: it has said that it is */
	uint32_t busy;           /* 1: its note says what it has in hand */
	uint32_t hung;           /* 1: it is being ended, since it makes no progress */
	/* Wall clock, ms since 1970; 0: never. */
	int64_t started_ms, ready_ms;
	int64_t answered_ms;     /* the watchdog's last question */
	int64_t silent_ms;       /* the watchdog has asked, and it has not answered yet; 0: it has */
	int64_t restart_ms;      /* it will be started again then; 0: it runs */
	uint64_t progress;       /* notes it has passed (process_note), in this life and those before */
	char last_words[BOARD_WORDS]; /* of its last death, printable; empty: it has not died */
};

struct board {
	uint32_t magic;
#define BOARD_MAGIC 0x424f5244u
	uint32_t n;              /* processes, in the order of the plan */
	uint64_t changes;        /* odd: it is being written */
	int64_t written_ms;      /* wall clock */
	int64_t started_ms;      /* the supervisor was */
	uint32_t pid;            /* the supervisor's */
	uint32_t stopping;       /* 1: asked to end */
	uint64_t watchdog_ms;    /* so long it waits for an answer before it ends a process; 0: for ever */
	struct board_process processes[BOARD_PROCESSES];
};

/* --- the supervisor's side --- */
/* A board of its own; *fd_r can be read and mapped for reading by whoever gets it, and not written by anybody. NULL with ERR_LOCAL: the
 * system has no room. */
struct board *board_new(int *fd_r, struct err *e);
void board_free(struct board **b);
/* What is written between the two is seen as a whole or not at all. */
void board_begin(struct board *b);
void board_end(struct board *b);

/* --- who reads it --- */
/* Maps it; the descriptor stays the caller's. NULL: it is none. */
const struct board *board_map(int fd);
void board_unmap(const struct board **b);
/* As it is now, as a whole. False: the supervisor died while it wrote. */
MUST_CHECK bool board_read(const struct board *b, struct board *copy_r);
