/* xlate.c - see xlate.h. */
#include "proc/interchange/xlate.h"

#include "base/arena.h"
#include "base/mem.h"
#include "sys/chan.h"

enum {
	DEATH_MS = 5000,      /* between the end of its streams and word of how it died */
	NOISE = 16 * 1024,    /* made up at once for a message that was given up */
	FILES_MAX = 100 * 1000,
};

struct xlate {
	unsigned magic;
#define XLATE_MAGIC 0x71a7e00cu
	struct actor_host host;
	uint32_t instance;
	int64_t patience_ms;
	struct chan *control, *bulk;
	struct timer patience; /* for its next octets; and after its end for word of its death */
	void (*is_free)(void *ctx);
	void *free_ctx;
	/* The message at hand. */
	bool busy, answered, lost;
	struct xlate_user user; /* all NULL: it was given up */
	void *ctx;
	uint64_t id, to_feed, to_come, credit;
};

static void is_over(struct xlate *x)
{
	x->busy = x->lost = false;
	timer_stop(&x->patience);
	if (x->is_free != NULL)
		x->is_free(x->free_ctx);
}

static void fail(struct xlate *x, const struct err *why, bool struck)
{
	const struct xlate_user user = x->user;
	void *ctx = x->ctx;
	x->user = (struct xlate_user){ 0 };
	is_over(x);
	if (user.failed != NULL)
		user.failed(ctx, why, struck);
}

static void feed_noise(struct xlate *x)
{
	static const uint8_t nothing[NOISE];
	while (x->busy && !x->lost && x->to_feed > 0 && x->credit > 0)
		(void)xlate_feed(x, view_of(nothing, x->to_feed < NOISE ? (size_t)x->to_feed : NOISE));
}

static void say_credit(struct xlate *x, uint64_t n)
{
	const struct msg_count m = { x->id, n };
	if (x->bulk == NULL || n == 0)
		return;
	put_msg_count(chan_begin(x->bulk, MSG_XLATE_CREDIT), &m);
	chan_end(x->bulk);
}

static void look_for_end(struct xlate *x)
{
	if (x->busy && x->user.answered == NULL && x->to_feed == 0 && x->answered && x->to_come == 0)
		is_over(x);
}

static bool on_credit(void *ctx, struct view payload, struct err *e)
{
	struct xlate *x = ctx;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	if (!x->busy || m.id != x->id)
		return true;
	x->credit += m.n;
	timer_after(&x->patience, x->patience_ms);
	if (x->user.room == NULL)
		feed_noise(x);
	else if (x->to_feed > 0)
		x->user.room(x->ctx);
	look_for_end(x);
	return true;
}

static bool on_xlated(void *ctx, struct view payload, struct err *e)
{
	struct xlate *x = ctx;
	struct msg_xlated m;
	if (!get_msg_xlated(payload, &m, e))
		return false;
	if (!x->busy || m.id != x->id || x->answered)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "XLATED: nobody has asked for it");
	struct arena *a = arena_new(64 << 20);
	struct xlate_file *files;
	size_t n;
	uint64_t sum = 0;
	const bool ok = m.err.kind != ERR_NONE || get_xlate_files(m.files, &files, &n, &sum, a, e);
	arena_free(&a);
	if (!ok)
		return false;
	x->answered = true;
	x->to_come = m.err.kind == ERR_NONE ? sum : 0;
	/* It may have answered before it had all: it wants no more then. */
	x->to_feed = 0;
	timer_after(&x->patience, x->patience_ms);
	if (x->user.answered == NULL) {
		say_credit(x, x->to_come);
		look_for_end(x);
		return true;
	}
	const struct xlate_user user = x->user;
	if (m.err.kind != ERR_NONE) {
		x->user = (struct xlate_user){ 0 };
		is_over(x);
	}
	user.answered(x->ctx, &m);
	return true;
}

static bool on_data(void *ctx, struct view payload, struct err *e)
{
	struct xlate *x = ctx;
	struct msg_piece m;
	if (!get_msg_piece(payload, &m, e))
		return false;
	if (!x->busy || m.id != x->id || !x->answered || m.octets.n > x->to_come)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "XLATE_DATA: %zu octets that nobody expects", m.octets.n);
	x->to_come -= m.octets.n;
	timer_after(&x->patience, x->patience_ms);
	if (x->user.data != NULL)
		x->user.data(x->ctx, m.octets);
	look_for_end(x);
	return true;
}

static void on_closed(void *ctx, const struct err *why)
{
	struct xlate *x = ctx;
	EMIT(&x->host, CHANNEL_CLOSED, "to", "converter", "why", why->text);
	if (x->control != NULL)
		chan_free(&x->control, false);
	if (x->bulk != NULL)
		chan_free(&x->bulk, false);
	if (x->busy) {
		x->lost = true;
		timer_after(&x->patience, DEATH_MS);
	}
}

/* It is either lost, and nobody has said how it died; or it works at this too long, though it may answer the watchdog. */
static void on_patience(void *ctx)
{
	struct xlate *x = ctx;
	struct err why;
	CHECK(x, XLATE_MAGIC);
	if (x->lost) {
		err_set(&why, ERR_TEMP, ERR_OF_PROCESS, "the converter has gone");
		fail(x, &why, false);
		return;
	}
	if (x->host.accuse != NULL)
		x->host.accuse(x->host.ctx, PROCESS_CONVERTER, x->instance, "the converter makes no progress with its message");
	timer_after(&x->patience, x->patience_ms);
}

#define TYPE(m, handler) { .type = MSG_##m, .name = #m, .handle = handler, .max = MSG_MAX_##m }
static const struct chan_type bulk_types[] = {
	TYPE(XLATE_DATA, on_data),
	TYPE(XLATE_CREDIT, on_credit),
	TYPE(XLATED, on_xlated),
};
static const struct chan_events bulk_events = { bulk_types, ARRAY_LEN(bulk_types), NULL, NULL, on_closed, NULL };
static const struct chan_events control_events = { NULL, 0, NULL, NULL, on_closed, NULL };

struct xlate *xlate_new(const struct actor_host *host, uint32_t instance, int64_t patience_ms)
{
	struct xlate *x = mem_zero(sizeof *x);
	x->magic = XLATE_MAGIC;
	x->host = *host;
	x->instance = instance;
	x->patience_ms = patience_ms;
	timer_init(&x->patience, host->env, on_patience, x);
	return x;
}

void xlate_free(struct xlate **xp)
{
	struct xlate *x = *xp;
	if (x == NULL)
		return;
	CHECK(x, XLATE_MAGIC);
	if (x->control != NULL)
		chan_free(&x->control, false);
	if (x->bulk != NULL)
		chan_free(&x->bulk, false);
	timer_stop(&x->patience);
	x->magic = 0;
	MEM_FREE(*xp);
}

void xlate_adopt(struct xlate *x, bool bulk, struct stream *s)
{
	CHECK(x, XLATE_MAGIC);
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_PROCESS, "another converter has come");
	if (x->busy) /* nobody has said that the other one died of it */
		fail(x, &why, false);
	struct chan **c = bulk ? &x->bulk : &x->control;
	if (*c != NULL)
		chan_free(c, false);
	*c = chan_new(&s, bulk ? &bulk_events : &control_events, x, PROCESS_INTERCHANGE, x->instance);
	if (xlate_is_free(x) && x->is_free != NULL)
		x->is_free(x->free_ctx);
}

void xlate_died(struct xlate *x, bool by_fault, const char *words, const char *note)
{
	struct err why;
	CHECK(x, XLATE_MAGIC);
	if (!x->busy)
		return;
	err_set(&why, ERR_TEMP, ERR_OF_PROCESS, "the converter has died: %s", words);
	fail(x, &why, by_fault && *note != 0);
}

bool xlate_is_free(const struct xlate *x)
{
	return !x->busy && x->bulk != NULL && x->control != NULL;
}

void xlate_begin(struct xlate *x, struct msg_xlate *m, uint64_t size, const struct xlate_user *user, void *ctx)
{
	CHECK(x, XLATE_MAGIC);
	assert(xlate_is_free(x));
	m->id = ++x->id;
	x->busy = true;
	x->answered = x->lost = false;
	x->user = *user;
	x->ctx = ctx;
	x->to_feed = size;
	x->to_come = 0;
	x->credit = MSG_CREDIT;
	put_msg_xlate(chan_begin(x->bulk, MSG_XLATE), m);
	chan_end(x->bulk);
	timer_after(&x->patience, x->patience_ms);
}

size_t xlate_feed(struct xlate *x, struct view octets)
{
	if (!x->busy || x->lost || x->bulk == NULL)
		return 0;
	size_t n = octets.n < x->credit ? octets.n : (size_t)x->credit;
	n = n < x->to_feed ? n : (size_t)x->to_feed;
	for (struct view left = view_first(octets, n); left.n > 0;) {
		const struct msg_piece piece = { x->id, view_first(left, MSG_PIECE_MAX) };
		put_msg_piece(chan_begin(x->bulk, MSG_XLATE_DATA), &piece);
		chan_end(x->bulk);
		left = view_from(left, piece.octets.n);
	}
	x->credit -= n;
	x->to_feed -= n;
	return n;
}

void xlate_taken(struct xlate *x, size_t n)
{
	if (x->busy && x->to_come > 0)
		say_credit(x, n);
}

void xlate_end(struct xlate *x)
{
	CHECK(x, XLATE_MAGIC);
	if (!x->busy)
		return;
	x->user = (struct xlate_user){ 0 };
	feed_noise(x);
	if (x->answered)
		say_credit(x, x->to_come);
	look_for_end(x);
}

void xlate_on_free(struct xlate *x, void (*is_free)(void *ctx), void *ctx)
{
	x->is_free = is_free;
	x->free_ctx = ctx;
}

void put_xlate_file(struct out *o, struct view name, uint64_t size)
{
	put_string(o, name);
	out_u64(o, size);
}

bool get_xlate_files(struct view files, struct xlate_file **v_r, size_t *n_r, uint64_t *sum_r, struct arena *a, struct err *e)
{
	size_t n = 0;
	for (struct cur c = cur_of(files); cur_left(&c) > 0 && !c.bad; n++) {
		(void)get_string(&c);
		(void)cur_u64(&c);
		if (c.bad || n > FILES_MAX)
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "files: cut short, or more than %d", FILES_MAX);
	}
	struct xlate_file *v = arena_array(a, n, sizeof *v);
	if (v == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "files: no room for %zu names", n);
	struct cur c = cur_of(files);
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++) {
		v[i].name = get_string(&c);
		v[i].size = cur_u64(&c);
		if (__builtin_add_overflow(sum, v[i].size, &sum) || sum > INT64_MAX)
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "files: their sizes overflow");
	}
	*v_r = v;
	*n_r = n;
	*sum_r = sum;
	return true;
}
