/* followers.c - who follows: each goes through memory at its own pace, and then takes what comes. One that reads too slowly is left behind, and
 * told how much it has missed; it costs no memory but what is in its stream. */
#include "proc/recorder/recorder_int.h"

#include "base/mem.h"
#include "proc/table/processes.h"
#include "proc/table/rows.h"
#include "proc/table/settings_operate.h"

enum {
	UNSENT_MAX = 256 * 1024, /* of a follower that does not read */
	LOOK_MAX = 20000,        /* events looked at for one of them in a turn */
};

static void tell(struct follower *f, bool more)
{
	struct msg_followed m = { .id = f->id, .next = f->cursor - 1, .dropped = f->dropped, .more = more, .live = f->live, .anew = f->anew,
				  .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_followed(chan_begin(f->chan, MSG_FOLLOWED), &m);
	chan_end(f->chan);
	f->dropped = 0;
	f->anew = false;
}

static void send(struct follower *f, const struct record *x)
{
	struct msg_event m = { .id = f->id, .number = x->number, .line = x->line };
	put_msg_event(chan_begin(f->chan, MSG_EVENT), &m);
	chan_end(f->chan);
}

/* To everybody once, until it has caught up: the event is one more to read. */
static void tell_slow(struct follower *f)
{
	char n[24];
	snprintf(n, sizeof n, "%llu", (unsigned long long)f->dropped);
	tell(f, false);
	if (!f->is_slow)
		EMIT(&f->recorder->host, RECORDER_SLOW, "events", n);
	f->is_slow = true;
}

/* Memory is gone through, or as much of it as was asked for. */
static void end_memory(struct follower *f, bool more)
{
	f->in_memory = false;
	if (more && f->live)
		f->cursor = f->memory_end < ring_oldest(f->recorder->ring) ? ring_oldest(f->recorder->ring) : f->memory_end;
	tell(f, more);
	f->asked = f->live;
}

/* The oldest have gone before it looked at them. */
static void catch_up(struct follower *f)
{
	const uint64_t oldest = ring_oldest(f->recorder->ring);
	if (f->cursor >= oldest)
		return;
	f->dropped += oldest - f->cursor;
	f->cursor = oldest;
}

/* True: there is more to look at, in another turn. */
static bool serve(struct follower *f)
{
	const struct ring *ring = f->recorder->ring;
	for (unsigned looked = 0; f->asked && chan_unsent(f->chan) < UNSENT_MAX; looked++) {
		catch_up(f);
		if (!f->in_memory && f->dropped > 0) {
			tell_slow(f);
			catch_up(f); /* that was an event too */
		}
		if (f->in_memory && f->cursor >= f->memory_end)
			end_memory(f, false);
		f->is_slow = f->is_slow && f->cursor < ring_next(ring);
		if (!f->asked || f->cursor == ring_next(ring))
			return false;
		if (looked == LOOK_MAX)
			return true;
		const struct record *x = ring_at(ring, f->cursor);
		if (filter_fits(&f->filter, x)) {
			if (f->in_memory && f->max > 0 && f->sent == f->max) {
				end_memory(f, true);
				continue;
			}
			send(f, x);
			f->sent++;
		}
		f->cursor++;
	}
	return false;
}

void followers_serve(struct recorder *r)
{
	for (struct follower **at = &r->followers; *at != NULL;) {
		struct follower *f = *at;
		if (!f->dead) {
			if (serve(f))
				timer_after(&r->more, 0);
			at = &f->next;
			continue;
		}
		*at = f->next;
		chan_free(&f->chan, true);
		f->magic = 0;
		free(f);
	}
}

void followers_free(struct recorder *r)
{
	for (struct follower *f = r->followers; f != NULL; f = f->next)
		f->dead = true;
	followers_serve(r);
}

/* --- what they ask --- */

/* So far back that max of those that fit are after it. */
static void begin_at_last(struct follower *f)
{
	const struct ring *ring = f->recorder->ring;
	uint64_t found = 0, at = f->memory_end;
	for (; at > f->cursor && at > ring_oldest(ring) && found < f->max; at--)
		found += filter_fits(&f->filter, ring_at(ring, at - 1));
	f->cursor = at;
}

static bool on_follow(void *ctx, struct view payload, struct err *e)
{
	struct follower *f = ctx;
	CHECK(f, FOLLOWER_MAGIC);
	const struct ring *ring = f->recorder->ring;
	struct msg_follow m;
	if (!get_msg_follow(payload, &m, e))
		return false;
	struct msg_followed no = { .id = m.id };
	if (!filter_of(&m, &f->filter, &no.err)) {
		f->asked = false;
		put_msg_followed(chan_begin(f->chan, MSG_FOLLOWED), &no);
		chan_end(f->chan);
		return true;
	}
	const bool later = m.after >= ring_next(ring); /* the clock was set back: its numbers mean nothing here */
	f->id = m.id;
	f->asked = f->in_memory = true;
	f->live = m.live;
	f->max = m.max;
	f->sent = f->dropped = 0;
	f->is_slow = false;
	f->memory_end = ring_next(ring);
	f->anew = m.after > 0 && (later || m.after + 1 < ring_first(ring));
	f->cursor = m.after == 0 || later || m.after + 1 < ring_first(ring) ? ring_oldest(ring) : m.after + 1;
	if (m.last && m.max > 0)
		begin_at_last(f);
	return true;
}

static bool has_category(const char *name)
{
	for (size_t i = 0; i < EVENT_KINDS; i++)
		if (*name == 0 || strcmp(event_kinds[i].category, name) == 0)
			return true;
	return false;
}

static void tell_act(const struct follower *f, const struct msg_level *m, const char *category, const char *why_not)
{
	char who[160], why[300];
	int n = snprintf(who, sizeof who, "%.*s", (int)(m->who.n < 100 ? m->who.n : 100), (const char *)m->who.p);
	if (f->user >= 0)
		snprintf(who + n, sizeof who - (size_t)n, " (uid %lld)", (long long)f->user);
	snprintf(why, sizeof why, "%.*s", (int)(m->why.n < 250 ? m->why.n : 250), (const char *)m->why.p);
	EMIT(&f->recorder->host, OPERATOR_ACT, "who", who, "what", "events-level", "category", *category == 0 ? "all" : category, "level",
	     m->level < EVENT_LEVEL_COUNT ? settings_level_names[m->level] : "", "why", why, "outcome", *why_not == 0 ? "done" : "refused", "refused", why_not);
}

static bool on_level(void *ctx, struct view payload, struct err *e)
{
	struct follower *f = ctx;
	CHECK(f, FOLLOWER_MAGIC);
	struct msg_level m;
	char category[32];
	if (!get_msg_level(payload, &m, e))
		return false;
	struct msg_answer done = { .id = m.id, .err = { .reason = -1, .diagnostic = -1 } };
	snprintf(category, sizeof category, "%.*s", (int)(m.category.n < sizeof category ? m.category.n : sizeof category - 1), (const char *)m.category.p);
	if (m.category.n >= sizeof category || strlen(category) != m.category.n || !has_category(category))
		err_set(&done.err, ERR_PERM, ERR_OF_PROCESS, "no event is of category \"%s\"; posthorn events list names them", category);
	else if (m.level >= EVENT_LEVEL_COUNT)
		err_set(&done.err, ERR_PERM, ERR_OF_PROCESS, "level %u is none", m.level);
	else
		done.accepted = true;
	if (done.accepted)
		f->recorder->level(f->recorder->level_ctx, category, m.level);
	tell_act(f, &m, category, done.err.text);
	put_msg_answer(chan_begin(f->chan, MSG_DONE), &done);
	chan_end(f->chan);
	return true;
}

/* One category, of which `kind` is the first one. */
static void send_level(struct follower *f, unsigned kind)
{
	const struct recorder *r = f->recorder;
	const bool is_audit = strcmp(event_kinds[kind].category, EVENT_AUDIT) == 0;
	struct msg_row row = { 0 };
	struct out o;
	out_init(&o, 1024);
	rows_text(&o, "category", view_str(event_kinds[kind].category));
	rows_text(&o, "level", view_str(is_audit ? "always" : settings_level_names[event_level_of(event_log_least(r->host.log, kind))]));
	rows_text(&o, "settings", view_str(is_audit ? "always" : settings_level_names[r->configured[kind]]));
	row.pairs = out_view(&o);
	put_msg_row(chan_begin(f->chan, MSG_ROW), &row);
	chan_end(f->chan);
	out_fini(&o);
}

static bool is_first_of_category(unsigned kind)
{
	for (unsigned i = 0; i < kind; i++)
		if (strcmp(event_kinds[i].category, event_kinds[kind].category) == 0)
			return false;
	return true;
}

static bool on_levels(void *ctx, struct view payload, struct err *e)
{
	struct follower *f = ctx;
	CHECK(f, FOLLOWER_MAGIC);
	if (payload.n != 0)
		return err_set(e, ERR_PEER, ERR_OF_ASSOCIATION, "LEVELS: %zu octets, want none", payload.n);
	for (unsigned i = 0; i < EVENT_KINDS; i++)
		if (is_first_of_category(i))
			send_level(f, i);
	const struct msg_answer done = { .accepted = true, .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_answer(chan_begin(f->chan, MSG_DONE), &done);
	chan_end(f->chan);
	return true;
}

static void on_closed(void *ctx, const struct err *why)
{
	struct follower *f = ctx;
	(void)why;
	f->dead = true;
}

static void send_process(void *ctx, struct view pairs)
{
	struct follower *f = ctx;
	const struct msg_row row = { .id = f->ask_id, .pairs = pairs };
	put_msg_row(chan_begin(f->chan, MSG_ROW), &row);
	chan_end(f->chan);
}

/* The reader's question of what is on the board, and no other: that is in the store. */
static bool on_ask(void *ctx, struct view payload, struct err *e)
{
	struct follower *f = ctx;
	struct msg_ask q;
	CHECK(f, FOLLOWER_MAGIC);
	if (!get_msg_ask(payload, &q, e))
		return false;
	struct msg_answer end = { .id = q.id, .err = { .reason = -1, .diagnostic = -1 } };
	f->ask_id = q.id;
	if (q.what != ASK_PROCESSES)
		err_set(&end.err, ERR_PERM, ERR_OF_PROCESS, "the recorder knows of processes and events alone");
	else
		end.accepted = processes_rows(f->recorder->board, q.of, send_process, f, &end.err);
	put_msg_answer(chan_begin(f->chan, MSG_ROWS_END), &end);
	chan_end(f->chan);
	return true;
}

void recorder_set_board(struct recorder *r, const struct board *board)
{
	CHECK(r, RECORDER_MAGIC);
	r->board = board;
}

static const struct chan_type types[] = {
	{ .type = MSG_ASK, .name = "ASK", .handle = on_ask, .max = MSG_MAX_ASK },
	{ .type = MSG_FOLLOW, .name = "FOLLOW", .handle = on_follow, .max = MSG_MAX_FOLLOW },
	{ .type = MSG_LEVEL, .name = "LEVEL", .handle = on_level, .max = MSG_MAX_LEVEL },
	{ .type = MSG_LEVELS, .name = "LEVELS", .handle = on_levels, .max = MSG_MAX_LEVELS },
};
static const struct chan_events events = { .types = types, .n_types = ARRAY_LEN(types), .closed = on_closed };

void recorder_accepted(struct recorder *r, struct stream *s)
{
	CHECK(r, RECORDER_MAGIC);
	struct follower *f = mem_zero(sizeof *f);
	f->magic = FOLLOWER_MAGIC;
	f->recorder = r;
	f->user = stream_user(s);
	f->chan = chan_new(&s, &events, f, PROCESS_RECORDER, 0);
	f->next = r->followers;
	r->followers = f;
}
