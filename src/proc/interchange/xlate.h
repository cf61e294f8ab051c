/* xlate.h - the interchange's side of its talk with the converter: one message at a time, octets both ways under credit. */
#pragma once
#include "base/arena.h"
#include "proc/table/actor.h"
#include "proc/table/msgs.h"

struct xlate;

/* Whose message it is. Nothing is called from inside a call to xlate; after failed, nothing more. */
struct xlate_user {
	void (*room)(void *ctx);                                  /* octets of the files may be fed, again */
	void (*answered)(void *ctx, const struct msg_xlated *m);  /* views are good during the call; with an error it is over */
	void (*data)(void *ctx, struct view octets);              /* of the result, in order; xlate_taken says when they are put away */
	/* The converter has gone. struck: this message has killed it. */
	void (*failed)(void *ctx, const struct err *why, bool struck);
};

struct xlate *xlate_new(const struct actor_host *host, uint32_t instance, int64_t patience_ms);
void xlate_free(struct xlate **x);
void xlate_adopt(struct xlate *x, bool bulk, struct stream *s);
void xlate_died(struct xlate *x, bool by_fault, const char *words, const char *note);

/* There is a converter, and it has nothing in hand. */
bool xlate_is_free(const struct xlate *x);
/* m->id is set here. size: octets of all files in it. */
void xlate_begin(struct xlate *x, struct msg_xlate *m, uint64_t size, const struct xlate_user *user, void *ctx);
size_t xlate_feed(struct xlate *x, struct view octets); /* how many were taken */
void xlate_taken(struct xlate *x, size_t n);
/* The user is done: with all of the result, or with none of it. What is missing then is made up and thrown away. */
void xlate_end(struct xlate *x);
/* When it becomes free: for whoever waits. */
void xlate_on_free(struct xlate *x, void (*is_free)(void *ctx), void *ctx);

/* `files` of XLATE and XLATED. */
void put_xlate_file(struct out *o, struct view name, uint64_t size);
struct xlate_file { struct view name; uint64_t size; };
/* Fails ERR_LOCAL, process. */
MUST_CHECK bool get_xlate_files(struct view files, struct xlate_file **v_r, size_t *n_r, uint64_t *sum_r, struct arena *a, struct err *e);
