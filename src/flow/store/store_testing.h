/* store_testing.h - for tests of stores: a world with one store in it, messages to put, what was
 * told. Tests only. */
#pragma once
#include "base/fault.h"
#include "base/mem.h"
#include "flow/message/message_testing.h"
#include "flow/store/store.h"
#include "sys/loop.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEST_INLINE_MAX = 4096, TEST_ARENA = 16 << 20 };

struct world {
	bool sqlite;
	struct env *env;
	struct store_disk *disk; /* memory */
	char dir[64], path[96];	 /* SQLite */
	struct store *store;
	struct arena *arena;
	uint64_t durable; /* the last ticket told */
	unsigned n_durable, n_failed, n_full, n_lost;
	uint64_t lost; /* steps, as told */
	bool full;
	struct err why;
	void (*on_durable)(struct world *w); /* one more thing to do when told, once */
	bool synced, sync_failed;
	void (*turn)(struct env *env); /* of an env that is not the loop's; NULL: it is */
};

static inline void world_durable(void *ctx, uint64_t ticket)
{
	struct world *w = ctx;
	assert_true(ticket > w->durable);
	w->durable = ticket;
	w->n_durable++;
	void (*then)(struct world * w) = w->on_durable;
	w->on_durable = NULL;
	if (then != NULL)
		then(w);
}

static inline void world_failed(void *ctx, const struct err *why)
{
	struct world *w = ctx;
	w->n_failed++;
	w->why = *why;
}

static inline void world_full(void *ctx, bool full, const struct err *why)
{
	struct world *w = ctx;
	assert_true(full != w->full);
	assert_int_equal(full, why != NULL);
	w->n_full++;
	w->full = full;
	if (full)
		w->why = *why;
}

static inline void world_lost(void *ctx, uint64_t n, const struct err *why)
{
	struct world *w = ctx;
	assert_true(n > 0);
	w->n_lost++;
	w->lost += n;
	w->why = *why;
}

static const struct store_events world_events = {world_durable, world_failed, world_full,
						 world_lost};

/* NULL when it cannot be opened: w->why says so. */
static inline struct store *world_try_open(struct world *w)
{
	const struct store_config c = {"store.db", TEST_INLINE_MAX, 1 << 20};
	w->durable = 0;
	w->full = false;
	return w->sqlite ? store_open_sqlite(w->env, &c, &world_events, w, &w->why)
			 : store_open_memory(w->env, w->disk, &c, &world_events, w, &w->why);
}

static inline void world_open(struct world *w)
{
	w->store = world_try_open(w);
	if (w->store == NULL)
		fail_msg("%s", w->why.text);
}

/* What a kill leaves: the open group is lost. */
static inline void world_reopen(struct world *w)
{
	store_close(&w->store);
	world_open(w);
}

static inline struct world *world_new(bool sqlite)
{
	struct world *w = mem_zero(sizeof *w);
	w->sqlite = sqlite;
	/* In memory where there is such a place: a kill needs no disk, and thousands of syncs would
	 * take minutes on one. */
	snprintf(w->dir, sizeof w->dir, "/dev/shm/posthorn-store-XXXXXX");
	if (mkdtemp(w->dir) == NULL) {
		snprintf(w->dir, sizeof w->dir, "/tmp/posthorn-store-XXXXXX");
		assert_non_null(mkdtemp(w->dir));
	}
	snprintf(w->path, sizeof w->path, "%s/store.db", w->dir);
	w->env = loop_new(w->dir);
	w->disk = store_disk_new();
	w->arena = arena_new(TEST_ARENA);
	return w;
}

static inline int world_remove_file(const char *path, const struct stat *st, int type,
				    struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void world_free(struct world **w)
{
	assert_true(fault_plan(NULL, NULL));
	store_close(&(*w)->store);
	store_disk_free(&(*w)->disk);
	loop_free(&(*w)->env);
	arena_free(&(*w)->arena);
	nftw((*w)->dir, world_remove_file, 4, FTW_DEPTH | FTW_PHYS);
	MEM_FREE(*w);
}

static inline void world_commit(struct world *w)
{
	const uint64_t ticket = store_ticket(w->store);
	assert_true(store_has_group(w->store));
	store_commit(w->store);
	assert_int_equal(w->durable, ticket);
	assert_false(store_has_group(w->store));
	assert_true(store_ticket(w->store) > ticket);
}

static inline void world_sync_done(void *ctx, const struct err *failed)
{
	struct world *w = ctx;
	w->synced = failed == NULL;
	w->sync_failed = failed != NULL;
	if (failed != NULL)
		w->why = *failed;
	if (w->turn == NULL)
		loop_stop(w->env);
}

static inline uint8_t content_octet(uint64_t seed, uint64_t i)
{
	return (uint8_t)(seed * 31 + i * 7 + i / 251);
}

/* n octets that can be told from those of another seed; in the world's arena. */
static inline struct view content_of(struct world *w, uint64_t seed, size_t n)
{
	uint8_t *p = arena_get(w->arena, n);
	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = content_octet(seed, i);
	return view_of(p, n);
}

/* A content file of n octets. On disk when w->synced; NULL when it could not be written: w->why says why. */
static inline struct store_content *content_try_file(struct world *w, uint64_t seed, size_t n)
{
	struct store_content *c = store_content_new(w->store, &w->why);
	const struct view all = content_of(w, seed, n);
	bool ok = c != NULL;
	for (size_t at = 0; ok && at < n; at += 1000)
		ok = store_content_append(c, view_first(view_from(all, at), 1000), &w->why);
	w->synced = w->sync_failed = false;
	if (ok) {
		assert_int_equal(store_content_size(c), n);
		store_content_sync(c, world_sync_done, w);
		assert_false(w->synced || w->sync_failed); /* never from inside the call */
	}
	if (ok && w->turn == NULL)
		loop_run(w->env);
	while (ok && w->turn != NULL && !w->synced && !w->sync_failed)
		w->turn(w->env);
	if (!ok)
		store_content_free(&c);
	return c;
}

static inline struct store_content *content_file(struct world *w, uint64_t seed, size_t n)
{
	struct store_content *c = content_try_file(w, seed, n);
	if (c == NULL)
		fail_msg("%s", w->why.text);
	return c;
}

static inline unsigned content_files(struct world *w)
{
	unsigned n = 0;
	char path[128];
	snprintf(path, sizeof path, "%s/content", w->dir);
	DIR *d = opendir(path);
	for (struct dirent *entry; d != NULL && (entry = readdir(d)) != NULL;)
		n += entry->d_name[0] != '.';
	if (d != NULL)
		closedir(d);
	return n;
}

/* A message of n_rcpt recipients, recipient i in transfer i % n_transfers of queues "q0", "q1",
 * ...; all in the arena. */
static inline struct store_message *put_of(struct world *w, uint64_t seed, size_t n_rcpt,
					   size_t n_transfers, size_t n_octets)
{
	static const char *const names[] = {"q0", "q1", "q2", "q3"};
	struct message *m = dice_message(seed, w->arena);
	struct dice d = {seed + 1, w->arena};
	m->kind = MESSAGE_MESSAGE;
	m->n_rcpt = n_rcpt;
	m->rcpt = arena_array(w->arena, n_rcpt, sizeof *m->rcpt);
	struct store_message *put = arena_get(w->arena, sizeof *put);
	*put = (struct store_message){.m = m,
				      .peer = VIEW("PARIS"),
				      .content = content_of(w, seed, n_octets),
				      .arrived = 1000 + (wall_ms_t)seed,
				      .expires = 900000,
				      .n_recipients = n_rcpt,
				      .n_transfers = n_transfers};
	put->recipients = arena_array(w->arena, n_rcpt, sizeof *put->recipients);
	put->transfers = arena_array(w->arena, n_transfers, sizeof *put->transfers);
	assert_false(arena_full(w->arena));
	for (size_t i = 0; i < n_rcpt; i++) {
		m->rcpt[i] = dice_recipient(&d, false);
		m->rcpt[i].responsible = true;
		put->recipients[i] = (struct store_recipient){&m->rcpt[i], STORE_RCPT_QUEUED, 0};
		if (n_transfers == 0)
			put->recipients[i].state = STORE_RCPT_DELIVERED;
		else
			put->recipients[i].transfer = (uint32_t)(i % n_transfers);
	}
	for (size_t i = 0; i < n_transfers; i++)
		put->transfers[i].queue = view_str(names[i % ARRAY_LEN(names)]);
	return put;
}

/* The simplest: one recipient, one transfer in queue "q0", normal priority, 2 KB. */
static inline struct store_message *put_simple(struct world *w, uint64_t seed)
{
	struct store_message *put = put_of(w, seed, 1, 1, 2048);
	((struct message *)(uintptr_t)put->m)->priority = PRIORITY_NORMAL;
	store_put_message(w->store, put);
	return put;
}

static inline struct store_counts counts_of(struct world *w)
{
	struct store_counts c;
	store_count(w->store, &c);
	c.tracking_octets = 0; /* an estimate: two stores differ */
	return c;
}
