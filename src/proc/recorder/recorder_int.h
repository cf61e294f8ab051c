/* recorder_int.h - inside the recorder: what it is, and those who follow. */
#pragma once
#include "proc/recorder/recorder.h"
#include "proc/recorder/ring.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"
#include "sys/journal.h"
#include "sys/logfile.h"

struct follower {
	unsigned magic;
#define FOLLOWER_MAGIC 0xf0110e4au
	struct recorder *recorder;
	struct chan *chan;
	int64_t user;
	bool dead, asked;          /* asked: a FOLLOW is being answered */
	uint64_t ask_id;           /* of the question that is answered now */
	uint64_t id, cursor;       /* cursor: the number it looks at next */
	uint64_t memory_end;       /* the first that is not of memory */
	uint64_t dropped;          /* not told yet */
	uint64_t max, sent;        /* of memory; max 0: all */
	bool in_memory, live, anew;
	bool is_slow;              /* has missed some, and is not where the others are */
	struct filter filter;
	struct follower *next;
};

struct recorder {
	unsigned magic;
#define RECORDER_MAGIC 0x4ec04de4u
	struct actor_host host;
	const struct board *board;
	recorder_level_f *level;
	void *level_ctx;
	uint8_t configured[EVENT_KINDS]; /* enum event_level: what the settings say of a kind's category */
	struct ring *ring;
	struct out in;             /* of the pipe: a line that has not ended */
	bool in_long_line;         /* and was too long to be one: dropped up to its end */
	struct logfile *file;      /* NULL: none */
	bool as_json;
	struct journal *journal;   /* NULL: none */
	struct out batch;          /* for the file, at the end of the turn */
	uint64_t in_batch;         /* lines of it */
	uint64_t file_lost, journal_lost; /* since they fail; told when they do not any more */
	int64_t file_again_ms;     /* while it fails: not before */
	bool file_failing, journal_failing;
	struct follower *followers;
	struct env_hook hook;
	struct timer more;         /* somebody has a long memory to go through */
};

/* Sends what fits to everybody, as far as they read; those that have gone are forgotten. */
void followers_serve(struct recorder *r);
void followers_free(struct recorder *r);
