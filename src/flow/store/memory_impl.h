/* memory_impl.h - what the parts of the store in memory share. Private to this folder.
 *
 * All rows lie in the disk, which outlives the store; each says in which group it was born and
 * died, so that opening can take back what was never committed. Lookups scan: it is small. */
#pragma once
#include "flow/store/impl.h"

/* The first member of every row. A row is there when it has not died; it is on disk when its birth
 * is committed and its death not. */
struct life {
	uint64_t id, born, died; /* died 0: lives */
};

struct row_message {
	struct life life;
	struct view envelope, recipients, content, peer;
	uint64_t file, size;
	enum priority priority;
	wall_ms_t arrived, expires;
};

/* What of a transfer may change, kept twice: as it is, and as it is on disk. */
struct schedule {
	struct view queue;
	wall_ms_t next_ms;
	uint32_t attempts;
	struct view tried;
	bool quarantined;
	enum store_quarantine_state state; /* from here on: of a quarantined one */
	uint32_t strikes;
	wall_ms_t at;
	struct view cause, words;
};

/* Waits in a queue, or is in quarantine; octets always are. */
struct row_transfer {
	struct life life;
	uint64_t message, n_recipients;
	bool octets;
	struct view key;
	struct schedule now, committed;
};

/* In order of key; strikes 0: none. */
struct suspect {
	struct view key;
	struct strikes {
		uint32_t n;
		wall_ms_t at;
		struct view words;
	} now, committed;
};

/* In order of name. */
struct total {
	struct view name, now, committed; /* owned, each apart */
};

struct row_delivery {
	struct life life;
	uint64_t message;
	struct view mailbox;
	uint32_t recipient;
};

struct row_step {
	struct life life;
	wall_ms_t at;
	enum store_step_kind kind;
	struct view id, other, peer, text;
	uint64_t digest[2], size;
	uint64_t octets; /* that it would take on disk, about */
};

struct row_file {
	struct life life;
	struct out octets;
};

/* A partial transfer, and one checkpoint of one. */
struct row_partial {
	struct life life;
	wall_ms_t started;
	struct store_partial_name name; /* views: names of the disk */
};

struct row_sync {
	struct life life;
	uint64_t partial;
	struct store_sync sync;
};

/* Pointers to rows of one kind, in ascending order of id. */
struct table {
	struct life **v;
	size_t n, cap;
};

struct store_disk {
	unsigned magic;
#define STORE_DISK_MAGIC 0x570e0003u
	uint64_t committed; /* groups up to this one count */
	uint64_t next_id, next_number;
	uint64_t step_octets; /* an estimate: what a lost group had is not taken back */
	struct table messages, transfers, deliveries, steps, files, partials, syncs;
	struct suspect *suspects;
	size_t n_suspects;
	struct total *totals;
	size_t n_totals;
	struct view *names; /* queue names and sentences, each once, as long as the disk */
	size_t n_names;
	bool full, open;
};

struct memory {
	struct store s;
	struct store_disk *disk;
	uint64_t group; /* the open one, in the disk's count */
	bool has_group;
};

static inline struct memory *memory_of(const struct store *s)
{
	return CONTAINER(s, struct memory, s);
}

static inline bool memory_waits(const struct row_transfer *t)
{
	return t->life.died == 0 && !t->now.quarantined;
}

/* --- memory.c --- */
void *memory_add(struct table *t, size_t size, uint64_t id, uint64_t born);
void *memory_find(const struct table *t, uint64_t id); /* NULL: no such, or dead */
struct view memory_own(struct view v);
struct view memory_name(struct store_disk *d, struct view name); /* each text once, as long as the disk */
struct memory *memory_group(struct store *s); /* joins the open group */
struct row_transfer *memory_part(const struct store *s, uint64_t id, bool quarantined);
/* Goes when nothing of it is left. */
void memory_release(struct memory *m, uint64_t message);
struct view memory_id_text(const struct mts_id *id); /* owned by the caller */
void memory_drop(struct view *v);
/* Frees what is dead for good (revive false), or takes back what was never committed (revive true). */
void memory_settle(struct table *t, uint64_t committed, bool revive, void (*fini)(struct life *row));
void memory_free_table(struct table *t, void (*fini)(struct life *row));

/* --- memory_total.c --- */
void memory_total_settle(struct store_disk *d, bool revive);
void memory_total_free(struct store_disk *d);
void memory_total_put(struct store *s, struct view name, struct view text);
void memory_totals(struct store *s, void (*each)(void *ctx, struct view name, struct view text), void *ctx);

/* --- memory_partial.c --- */
void memory_partial_settle(struct store_disk *d, bool revive);
void memory_partial_free(struct store_disk *d);
bool memory_partial_wants(const struct store_disk *d, uint64_t file);
void memory_partial_put(struct store *s, uint64_t id, const struct store_partial_name *name);
void memory_partial_put_sync(struct store *s, uint64_t id, const struct store_sync *y);
void memory_partial_cut(struct store *s, uint64_t id, uint32_t after);
void memory_partial_trim(struct store *s, uint64_t id, uint32_t before, uint64_t file);
void memory_partial_end(struct store *s, uint64_t id);
void memory_partials(struct store *s, store_partial_f *each, void *ctx);
void memory_partial_syncs(struct store *s, uint64_t id, struct store_syncs *syncs);
bool memory_partial_read(struct store *s, uint64_t file, uint64_t offset, void *buf, size_t n, size_t *got_r, struct err *e);
void memory_partial_file_goes(struct store *s, uint64_t file);

/* --- memory_quarantine.c --- */
void memory_suspect_put(struct store *s, struct view key, uint32_t strikes, struct view words);
void memory_suspects(struct store *s, store_suspect_f *each, void *ctx);
void memory_quarantine(struct store *s, uint64_t transfer, uint32_t strikes,
	struct view cause, struct view words);
uint64_t memory_put_octets(struct store *s, const struct store_octets *o);
void memory_quarantine_set(struct store *s, uint64_t id, enum store_quarantine_state state,
	uint32_t strikes, struct view cause, struct view words);
void memory_quarantine_release(struct store *s, uint64_t id, struct view queue,
	wall_ms_t next_ms);
void memory_quarantine_remove(struct store *s, uint64_t id);
bool memory_load_quarantine(struct store *s, uint64_t id, struct store_quarantine *z,
	struct arena *a, struct err *e);
size_t memory_quarantine_next(struct store *s, enum store_quarantine_state state,
	uint64_t after, uint64_t *ids, size_t max);

/* --- memory_read.c --- */
size_t memory_queue_next(struct store *s, struct view queue, enum priority p,
	wall_ms_t until, struct store_place *place, struct store_queued *rows, size_t max);
wall_ms_t memory_queue_wakes(struct store *s, struct view queue, wall_ms_t after);
size_t memory_expired(struct store *s, wall_ms_t now, uint64_t *after, size_t scan,
	struct store_expired *rows, size_t max);
uint64_t memory_held(struct store *s);
bool memory_find_transfer(struct store *s, uint64_t transfer, struct store_queued *row_r,
	struct view *queue_r);
void memory_queues(struct store *s, void (*each)(void *ctx, const struct store_queue *q), void *ctx);
enum store_thing memory_what_is(struct store *s, uint64_t id);
bool memory_load(struct store *s, enum store_thing what, uint64_t id,
	struct store_loaded *l, struct arena *a, struct err *e);
bool memory_read_content(struct store *s, uint64_t message, uint64_t offset, void *buf,
	size_t n, size_t *got_r, struct err *e);
bool memory_seen(struct store *s, const struct mts_id *id, const uint64_t digest[2]);
void memory_count(struct store *s, struct store_counts *c_r);
