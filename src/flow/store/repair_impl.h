/* repair_impl.h - what the parts of the repair share. Private to this folder. */
#pragma once
#include "flow/store/check_impl.h"
#include "flow/store/removed.h"

/* Names of queues that are made for transfers whose own is lost: they wait there, are seen, can be moved, and expire. */
#define REPAIR_LOST "repair:lost"
#define REPAIR_QUEUE "repair:queue-" /* and the number */

struct repair {
	struct env *env, *copy;
	const char *from, *to; /* their directories */
	sqlite3 *db;	       /* the new one */
	struct shapes *shapes;
	struct removed *kept;
	const struct store_check_watch *w;
	struct store_repair_result result;
	struct check_files files; /* of the original */
	uint8_t *used;		  /* for each of them: linked into the copy */
	int64_t next_id;
	int64_t *queues; /* numbers, ascending */
	size_t n_queues;
	int64_t queue;	 /* for transfers made anew, 0: not known yet */
	struct arena *arena;
	struct out envelope, recipients, text; /* of the message in hand */
	bool orphans;			       /* parts without a message were seen */
	bool failed;
	struct err *e;
};

/* Says what was done. */
void PRINTF_LIKE(2, 3) repair_did(struct repair *r, const char *fmt, ...);

/* The new database cannot be written: the end. */
void repair_broken(struct repair *r);

/* Runs a statement with these integers as ?1, ?2, ... Nothing after a failure. */
void repair_run(struct repair *r, const char *sql, size_t n, const int64_t *v);
#define REPAIR_RUN(r, sql, ...)                                                                                                    \
	repair_run(r, sql, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__})
/* The first column of its first row; otherwise when there is none. */
int64_t repair_ask(struct repair *r, const char *sql, int64_t otherwise, size_t n, const int64_t *v);
#define REPAIR_ASK(r, sql, otherwise, ...)                                                                                         \
	repair_ask(r, sql, otherwise, sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), (int64_t[]){__VA_ARGS__})

/* Keeps the rows of a table as they are now: where is SQL over ?1 and ?2. Before they are changed or removed. */
void repair_keep(struct repair *r, const char *table, const char *where, int64_t a, int64_t b, const char *why);

/* The number of a queue that is there; made when it is not. */
int64_t repair_queue_named(struct repair *r, const char *name);
bool repair_has_queue(const struct repair *r, int64_t no);

/* --- repair_message.c: message by message, then what is of no message --- */
void repair_messages(struct repair *r);

/* --- repair_content.c: the content of a message --- */
enum repair_content { CONTENT_WHOLE, CONTENT_DAMAGED };
/* What becomes of it in the copy: size, file and the row's content. DAMAGED: less is left than there was; *why_r says what. */
enum repair_content repair_content_of(struct repair *r, struct group *g, char why_r[CHECK_SENTENCE]);
/* Files of the original that belong to no message of the copy. */
void repair_content_rest(struct repair *r);
