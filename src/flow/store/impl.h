/* impl.h - what the implementations of store.h share: dispatch, and the end of a store. Private to
 * this folder. */
#pragma once
#include "flow/store/store.h"

typedef void store_suspect_f(void *ctx, const char *key, uint32_t strikes, wall_ms_t at,
			     const char *words);

/* A checkpoint of a partial transfer. */
struct store_sync {
	uint32_t serial;
	uint64_t octets, file, start;
};
struct store_syncs {
	struct store_sync *v;
	size_t n, cap;
};
void store_syncs_add(struct store_syncs *y, struct store_sync x);

/* What an id is of. TRANSFER: also one in quarantine. */
enum store_thing { STORE_NOTHING, STORE_MESSAGE, STORE_TRANSFER, STORE_DELIVERY };
#define STORE_NO_RECIPIENT UINT32_MAX /* record_load: nobody's */

struct store_ops {
	void (*close)(struct store *s);
	struct store_content *(*content_new)(struct store *s, struct err *e);
	bool (*content_append)(struct store_content *c, struct view octets, struct err *e);
	void (*content_sync)(struct store_content *c);
	void (*content_free)(struct store_content *c);
	void (*put_message)(struct store *s, struct store_message *m);
	void (*put_step)(struct store *s, const struct store_step *step);
	uint64_t (*transfer_end)(struct store *s, uint64_t transfer, enum store_rcpt_state outcome);
	void (*transfer_retry)(struct store *s, uint64_t transfer, wall_ms_t next_ms,
			       uint32_t attempts, struct view why);
	void (*transfer_move)(struct store *s, uint64_t transfer, struct view queue,
			      wall_ms_t next_ms, struct view tried);
	void (*delivery_remove)(struct store *s, uint64_t delivery);
	bool (*forget_steps)(struct store *s, wall_ms_t before, uint64_t octets_max, wall_ms_t *short_r);
	void (*suspect_put)(struct store *s, struct view key, uint32_t strikes, struct view words);
	void (*suspects)(struct store *s, store_suspect_f *each, void *ctx);
	void (*quarantine)(struct store *s, uint64_t transfer, uint32_t strikes, struct view cause,
			   struct view words);
	uint64_t (*put_octets)(struct store *s, const struct store_octets *o);
	void (*quarantine_set)(struct store *s, uint64_t id, enum store_quarantine_state state,
			       uint32_t strikes, struct view cause, struct view words);
	void (*quarantine_release)(struct store *s, uint64_t id, struct view queue,
				   wall_ms_t next_ms);
	void (*quarantine_remove)(struct store *s, uint64_t id);
	bool (*load_quarantine)(struct store *s, uint64_t id, struct store_quarantine *q,
				struct arena *a, struct err *e);
	size_t (*quarantine_next)(struct store *s, enum store_quarantine_state state,
				  uint64_t after, uint64_t *ids, size_t max);
	/* Partial transfers: rows only, their octets are contents that are put when their first row is. */
	void (*partial_put)(struct store *s, uint64_t id, const struct store_partial_name *name);
	void (*partial_put_sync)(struct store *s, uint64_t id, const struct store_sync *y);
	void (*partial_cut)(struct store *s, uint64_t id, uint32_t after);
	/* Those with a lower serial that are in that file. */
	void (*partial_trim)(struct store *s, uint64_t id, uint32_t before, uint64_t file);
	void (*partial_end)(struct store *s, uint64_t id);
	void (*partials)(struct store *s, store_partial_f *each, void *ctx);
	void (*partial_syncs)(struct store *s, uint64_t id, struct store_syncs *syncs); /* by serial */
	bool (*partial_read)(struct store *s, uint64_t file, uint64_t offset, void *buf, size_t n,
			     size_t *got_r, struct err *e);
	void (*partial_file_goes)(struct store *s, uint64_t file);
	bool (*has_group)(const struct store *s);
	void (*commit)(struct store *s); /* there is a group */
	size_t (*queue_next)(struct store *s, struct view queue, enum priority p, wall_ms_t until,
			     struct store_place *place, struct store_queued *rows, size_t max);
	wall_ms_t (*queue_wakes)(struct store *s, struct view queue, wall_ms_t after);
	size_t (*expired)(struct store *s, wall_ms_t now, uint64_t *after, size_t scan,
			  struct store_expired *rows, size_t max);
	bool (*find_transfer)(struct store *s, uint64_t transfer, struct store_queued *row_r,
			      struct view *queue_r);
	uint64_t (*held)(struct store *s);
	void (*queues)(struct store *s,
		       void (*each)(void *ctx, const struct store_queue *q),
		       void *ctx);
	void (*total_put)(struct store *s, struct view name, struct view text);
	void (*totals)(struct store *s,
		       void (*each)(void *ctx, struct view name, struct view text),
		       void *ctx);
	enum store_thing (*what_is)(struct store *s, uint64_t id);
	bool (*load)(struct store *s, enum store_thing what, uint64_t id, struct store_loaded *l,
		     struct arena *a, struct err *e);
	bool (*read_content)(struct store *s, uint64_t message, uint64_t offset, void *buf,
			     size_t n, size_t *got_r, struct err *e);
	bool (*seen)(struct store *s, const struct mts_id *id, const uint64_t digest[2]);
	uint64_t (*reserve_numbers)(struct store *s, uint64_t n);
	void (*count)(struct store *s, struct store_counts *c_r);
};

/* First member of each implementation's store. */
struct store {
	unsigned magic;
#define STORE_MAGIC 0x570e0001u
	const struct store_ops *ops;
	struct env *env;
	const struct store_events *ev;
	void *ctx;
	size_t inline_max;
	uint64_t ticket; /* of the open group */
	bool over, full;
	uint64_t lost, lost_untold; /* steps */
	int64_t lost_told_ms;
};

/* First member of each implementation's content. */
struct store_content {
	unsigned magic;
#define STORE_CONTENT_MAGIC 0x570e0002u
	struct store *store;
	uint64_t file, size; /* file: its number, 1.. */
	bool broken, syncing, synced, put;
	file_done_f *done;
	void *done_ctx;
};

void store_init(struct store *s, const struct store_ops *ops, struct env *env,
		const struct store_config *c, const struct store_events *ev, void *ctx);
/* A path as SQLite opens it: a relative one is in the env's directory. The caller frees it. */
char *store_path(const struct env *env, const char *path);
/* The group is lost and the store over; told once. */
void store_failed(struct store *s, const struct err *why);
/* The group is kept. why: NULL when it is over. */
void store_full(struct store *s, const struct err *why);
/* The open group is on disk: told, and the next group is open (before it is told). */
void store_durable(struct store *s);

/* A step could not be written: counted, and told once a minute. */
void store_step_lost(struct store *s, const struct err *why);

enum { STORE_KIND_OCTETS = MESSAGE_PROBE + 1 }; /* of a message's row */

/* Steps by which something came to us: duplicates are known by them. */
static inline bool store_step_is_arrival(enum store_step_kind kind)
{
	return kind == STEP_SUBMITTED || kind == STEP_TRANSFER_IN || kind == STEP_REPORT_IN;
}

/* What a step takes on disk with its entries of the index, about: texts, numbers, and 24 octets an entry. */
static inline uint64_t store_step_octets(uint64_t texts, uint64_t keys)
{
	return texts + 96 + keys * (8 + 24);
}

enum { STORE_STEP_TEXT_MAX = 1024, STORE_WHY_MAX = 1024, STORE_KEY_MAX = 128, STORE_TOTAL_NAME_MAX = 100, STORE_TOTAL_MAX = 4000 };
/* Before the name of a total among the counters. */
#define STORE_TOTAL "total:"
