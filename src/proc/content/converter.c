/* converter.c - see converter.h. */
#include "proc/content/converter.h"

#include "base/fault.h"
#include "base/mem.h"
#include "flow/codec/ipm/ipm_track.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"

enum {
	BUDGET_OCTETS = 16 * 1024 * 1024, FILES_MAX = 100 * 1000, NOTE_MAX = 100,
	UNABLE_TO_TRANSFER = 1, CONTENT_TOO_LONG = 7, CONTENT_SYNTAX = 12,
};

enum state { IDLE, TAKING, GIVING };

struct converter {
	unsigned magic;
#define CONVERTER_MAGIC 0xc0472e5au
	struct actor_host host;
	struct converter_config config;
	uint32_t instance;
	struct mm_map *map;
	struct mm_name own;      /* that the map was made for */
	struct chan *control, *bulk;
	struct timer alone;
	int64_t deadline_us;     /* of the conversion under way, by env_precise_us */

	enum state state;
	uint64_t id;             /* of the last XLATE */
	struct arena *arena;     /* of the item at hand */
	struct msg_xlate ask;    /* in the arena */
	struct mm_file *files;   /* names in the arena, octets in `input` */
	size_t n_files;
	uint8_t *input;
	size_t total, taken;
	uint64_t credit_in;      /* octets that the interchange may send */
	struct mm_converted done;
	struct mm_file *results;
	size_t n_results, at, at_octet; /* the next octet to go out */
	uint64_t credit_out;
};

static void forget(struct converter *c)
{
	mm_converted_fini(&c->done);
	c->done = (struct mm_converted){ 0 };
	MEM_FREE(c->input);
	arena_free(&c->arena);
	c->files = c->results = NULL;
	c->n_files = c->n_results = c->at = c->at_octet = c->total = c->taken = 0;
	c->credit_in = c->credit_out = 0;
	c->state = IDLE;
	if (c->host.note != NULL)
		c->host.note(c->host.ctx, "");
}

/* --- answers --- */

static void give(struct converter *c)
{
	while (c->state == GIVING && c->at < c->n_results) {
		struct view left = view_from(c->results[c->at].octets, c->at_octet);
		if (left.n == 0) {
			c->at++;
			c->at_octet = 0;
			continue;
		}
		left = view_first(left, MSG_PIECE_MAX);
		left = view_first(left, c->credit_out < left.n ? (size_t)c->credit_out : left.n);
		if (left.n == 0)
			return;
		const struct msg_piece m = { c->id, left };
		put_msg_piece(chan_begin(c->bulk, MSG_XLATE_DATA), &m);
		chan_end(c->bulk);
		c->credit_out -= left.n;
		c->at_octet += left.n;
	}
	if (c->state == GIVING)
		forget(c);
}

static void answer_error(struct converter *c, const struct err *why)
{
	const struct msg_xlated m = { .id = c->id, .err = *why };
	put_msg_xlated(chan_begin(c->bulk, MSG_XLATED), &m);
	chan_end(c->bulk);
	forget(c);
}

/* code, from, to, subject, date, then each name that was not reached and its code. */
static void put_notice(struct out *o, const struct mm_notice *n)
{
	char text[32];
	snprintf(text, sizeof text, "%d", n->code);
	put_string(o, view_str(text));
	put_string(o, n->from);
	put_string(o, n->to);
	put_string(o, n->subject);
	snprintf(text, sizeof text, "%04u%02u%02u%02u%02u%02u", n->date.year, n->date.month, n->date.day, n->date.hour, n->date.minute, n->date.second);
	put_string(o, view_str(text));
	for (size_t i = 0; i < n->n_unreached; i++) {
		snprintf(text, sizeof text, "%d", n->codes == NULL ? n->code : n->codes[i]);
		put_string(o, n->unreached[i]);
		put_string(o, view_str(text));
	}
}

static bool list_results(struct converter *c)
{
	const struct mm_converted *d = &c->done;
	c->results = arena_array(c->arena, 1 + d->n_attachments, sizeof *c->results);
	if (c->results == NULL)
		return false;
	c->results[0] = c->ask.to_mai == 1 ? (struct mm_file){ VIEW("MAI"), out_view(&d->packed_or_mai) }
					   : (struct mm_file){ VIEW("content"), out_view(&d->content) };
	for (size_t i = 0; i < d->n_attachments; i++)
		c->results[1 + i] = d->attachments[i];
	c->n_results = 1 + d->n_attachments;
	return true;
}

static bool build_answer(struct converter *c, struct out *envelope, struct out *files, struct out *notice, struct err *e)
{
	if (!mm_envelope_print(&c->done.envelope, envelope, e))
		return false;
	if (!list_results(c))
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, UNABLE_TO_TRANSFER, CONTENT_TOO_LONG, "converter: no room for the names of its files");
	for (size_t i = 0; i < c->n_results; i++) {
		put_string(files, c->results[i].name);
		out_u64(files, c->results[i].octets.n);
	}
	if (c->done.is_notice)
		put_notice(notice, &c->done.notice);
	const size_t all = mem_add(mem_add(out_len(envelope), out_len(files)),
				   mem_add(out_len(notice), c->ask.to_mai == 1 ? 0 : out_len(&c->done.packed_or_mai)));
	if (envelope->bad || files->bad || notice->bad || all > MSG_ENVELOPE_MAX)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, UNABLE_TO_TRANSFER, CONTENT_TOO_LONG, "converter: its envelope is longer than %d octets",
				  MSG_ENVELOPE_MAX);
	return true;
}

static void answer(struct converter *c)
{
	struct out envelope, files, notice, track;
	struct err why = { .reason = -1, .diagnostic = -1 };
	out_init(&envelope, MSG_ENVELOPE_MAX);
	out_init(&files, MSG_ENVELOPE_MAX);
	out_init(&notice, MSG_ENVELOPE_MAX);
	out_init(&track, sizeof(struct track_keys));
	const bool ok = build_answer(c, &envelope, &files, &notice, &why);
	if (ok) {
		struct track_keys keys = { .n = 0 };
		if (c->ask.to_mai != 1 && c->n_results > 0)
			ipm_track_keys(c->results[0].octets, &keys);
		track_keys_print(&keys, &track);
		const struct msg_xlated m = {
			.id = c->id, .packed = c->ask.to_mai == 1 ? (struct view){ NULL, 0 } : out_view(&c->done.packed_or_mai),
			.envelope = out_view(&envelope), .files = out_view(&files), .notice = out_view(&notice), .replaced = c->done.replaced,
			.warned = c->done.warned_code_page, .not_listed = c->done.not_listed, .track = out_view(&track), .err = { .reason = -1, .diagnostic = -1 },
		};
		put_msg_xlated(chan_begin(c->bulk, MSG_XLATED), &m);
		chan_end(c->bulk);
		c->state = GIVING;
		c->credit_out = MSG_CREDIT;
	}
	out_fini(&envelope);
	out_fini(&files);
	out_fini(&notice);
	out_fini(&track);
	if (ok)
		give(c);
	else
		answer_error(c, &why);
}

/* --- the conversion --- */

static bool out_of_time(void *ctx)
{
	struct converter *c = ctx;
	return env_precise_us(c->host.env) > c->deadline_us;
}

static struct mm_convert how(struct converter *c)
{
	const struct converter_config *x = &c->config;
	return (struct mm_convert){
		.map = c->map, .kit = x->kit, .scramble = x->scramble, .domain = x->domain, .mta = x->mta, .own = c->own, .code_page = x->code_page,
		.zone_minutes = x->zone_minutes, .header_limit = x->header_limit, .line_end = x->line_end, .out_max = x->message_max, .elements = x->elements,
		.out_of_time = out_of_time, .ctx = c,
	};
}

/* The map knows of which postoffice it is: another makes another one. */
static bool make_map(struct converter *c, const struct mm_name *own, struct err *e)
{
	if (c->map != NULL && mm_same_postoffice(&c->own, own))
		return true;
	struct mm_map *map;
	if (!mm_map_new(c->config.addresses, c->config.n_addresses, c->config.own_domain, own, &map, e))
		return false;
	mm_map_free(&c->map);
	c->map = map;
	c->own = *own;
	return true;
}

static bool convert(struct converter *c, struct err *e)
{
	const struct view first = c->n_files > 0 ? c->files[0].octets : c->ask.packed;
	if (FAULT_ON(CONVERTER_XLATE, first))
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, UNABLE_TO_TRANSFER, CONTENT_SYNTAX, "converter: cannot be converted (fault point)");
	struct mm_name own = c->config.own;
	if (c->ask.own.n > 0 && !mm_name_parse(c->ask.own, &own, e))
		return false;
	if (!make_map(c, &own, e))
		return false;
	const struct mm_convert with = how(c);
	if (c->ask.to_mai == 1)
		return mm_to_mai(&with, c->ask.packed, c->n_files > 0 ? c->files[0].octets : (struct view){ NULL, 0 }, c->config.ffapi, &c->done,
				 c->arena, e);
	struct mm_envelope envelope;
	const char *local = arena_str(c->arena, c->ask.local_id);
	if (c->n_files == 0 || local == NULL)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, UNABLE_TO_TRANSFER, CONTENT_SYNTAX, "converter: found no file of a message");
	return mm_envelope_parse(c->ask.envelope, &envelope, c->arena, e) &&
	       mm_to_ipm(&with, c->files[0].octets, c->ask.to_mai == 2, &envelope, c->files + 1, c->n_files - 1, local, c->ask.now_ms, &c->done,
			 c->arena, e);
}

static void run(struct converter *c)
{
	struct err why = { .reason = -1, .diagnostic = -1 };
	c->deadline_us = env_precise_us(c->host.env) + c->config.budget_ms * 1000 * (int64_t)(1 + c->total / BUDGET_OCTETS);
	if (convert(c, &why))
		answer(c);
	else
		answer_error(c, &why);
}

/* --- what comes --- */

/* How many files, and their octets together; *fits_r false: more than a message may have. */
static bool count_files(const struct converter *c, struct view list, size_t *n_r, size_t *total_r, bool *fits_r, struct err *e)
{
	struct cur x = cur_of(list);
	size_t n = 0, total = 0;
	bool fits = true;
	for (; cur_left(&x) > 0; n++) {
		(void)get_string(&x);
		const uint64_t size = cur_u64(&x);
		if (x.bad)
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "XLATE: its list of files is cut short");
		fits = fits && n < FILES_MAX && size <= c->config.message_max - total;
		total += fits ? (size_t)size : 0;
	}
	*n_r = n;
	*total_r = total;
	*fits_r = fits;
	return true;
}

static bool list_files(struct converter *c, size_t n)
{
	struct cur x = cur_of(c->ask.files);
	c->files = arena_array(c->arena, n, sizeof *c->files);
	for (size_t i = 0; c->files != NULL && i < n; i++) {
		c->files[i].name = get_string(&x);
		c->files[i].octets.n = (size_t)cur_u64(&x);
	}
	c->n_files = c->files == NULL ? 0 : n;
	return !arena_full(c->arena);
}

static void place_files(struct converter *c)
{
	c->input = mem_alloc(c->total + 1);
	const uint8_t *p = c->input;
	for (size_t i = 0; i < c->n_files; i++) {
		c->files[i].octets.p = p;
		p += c->files[i].octets.n;
	}
}

static void copy_ask(struct converter *c)
{
	struct view *const views[] = { &c->ask.item, &c->ask.packed, &c->ask.envelope, &c->ask.local_id, &c->ask.files, &c->ask.own };
	for (size_t i = 0; i < ARRAY_LEN(views); i++)
		*views[i] = arena_copy(c->arena, *views[i]);
}

static void say_note(struct converter *c)
{
	char note[NOTE_MAX];
	snprintf(note, sizeof note, "%.*s", (int)(c->ask.item.n < NOTE_MAX ? c->ask.item.n : NOTE_MAX), (const char *)c->ask.item.p);
	if (c->host.note != NULL)
		c->host.note(c->host.ctx, note);
}

static bool on_xlate(void *ctx, struct view payload, struct err *e)
{
	struct converter *c = ctx;
	struct msg_xlate m;
	size_t n, total;
	bool fits;
	CHECK(c, CONVERTER_MAGIC);
	if (!get_msg_xlate(payload, &m, e) || !count_files(c, m.files, &n, &total, &fits, e))
		return false;
	if (c->state != IDLE)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "XLATE: another message is at hand");
	c->id = m.id;
	c->ask = m;
	/* Beside the files: what was asked, and the text of a file twice, in its two character sets. */
	c->arena = arena_new(mem_add(c->config.arena, mem_add(mem_mul(payload.n, 8), mem_mul(total, 2))));
	copy_ask(c);
	say_note(c);
	if (!fits || !list_files(c, n)) {
		struct err why;
		err_report(&why, ERR_PERM, ERR_OF_MESSAGE, UNABLE_TO_TRANSFER, CONTENT_TOO_LONG, "converter: the message has more than %zu octets",
			   c->config.message_max);
		answer_error(c, &why);
		return true;
	}
	c->total = total;
	place_files(c);
	c->state = TAKING;
	c->credit_in = MSG_CREDIT;
	if (total == 0)
		run(c);
	return true;
}

static bool on_data(void *ctx, struct view payload, struct err *e)
{
	struct converter *c = ctx;
	struct msg_piece m;
	CHECK(c, CONVERTER_MAGIC);
	if (!get_msg_piece(payload, &m, e))
		return false;
	if (m.id == c->id && c->state == IDLE) /* refused before all of it was here */
		return true;
	if (m.id != c->id || c->state != TAKING || m.octets.n > c->total - c->taken || m.octets.n > c->credit_in)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "XLATE_DATA: %zu octets of message %llu that nobody expects", m.octets.n,
			       (unsigned long long)m.id);
	if (m.octets.n > 0)
		memcpy(c->input + c->taken, m.octets.p, m.octets.n);
	c->taken += m.octets.n;
	c->credit_in -= m.octets.n;
	if (c->taken == c->total) {
		run(c);
		return true;
	}
	const struct msg_count credit = { c->id, m.octets.n };
	c->credit_in += m.octets.n;
	put_msg_count(chan_begin(c->bulk, MSG_XLATE_CREDIT), &credit);
	chan_end(c->bulk);
	return true;
}

static bool on_credit(void *ctx, struct view payload, struct err *e)
{
	struct converter *c = ctx;
	struct msg_count m;
	CHECK(c, CONVERTER_MAGIC);
	if (!get_msg_count(payload, &m, e))
		return false;
	if (m.id != c->id || c->state != GIVING) /* for what has gone out already */
		return true;
	c->credit_out = m.n > UINT64_MAX - c->credit_out ? UINT64_MAX : c->credit_out + m.n;
	give(c);
	return true;
}

/* --- the interchange comes and goes --- */

static void on_alone(void *ctx)
{
	struct converter *c = ctx;
	struct err why;
	err_set(&why, ERR_LOCAL, ERR_OF_PROCESS, "converter: no interchange for %d ms", CONVERTER_ALONE_MS);
	c->host.die(c->host.ctx, &why);
}

static void lost(struct converter *c, struct chan **which, const struct err *why)
{
	EMIT(&c->host, CHANNEL_CLOSED, "to", "interchange", "why", why->text);
	chan_free(which, false);
	forget(c);
	timer_after(&c->alone, CONVERTER_ALONE_MS);
}

static void on_control_closed(void *ctx, const struct err *why)
{
	struct converter *c = ctx;
	lost(c, &c->control, why);
}

static void on_bulk_closed(void *ctx, const struct err *why)
{
	struct converter *c = ctx;
	lost(c, &c->bulk, why);
}

static const struct chan_type bulk_types[] = {
	{ .type = MSG_XLATE, .name = "XLATE", .handle = on_xlate, .max = MSG_MAX_XLATE },
	{ .type = MSG_XLATE_DATA, .name = "XLATE_DATA", .handle = on_data, .max = MSG_MAX_XLATE_DATA },
	{ .type = MSG_XLATE_CREDIT, .name = "XLATE_CREDIT", .handle = on_credit, .max = MSG_MAX_XLATE_CREDIT },
};
static const struct chan_events bulk_events = { bulk_types, ARRAY_LEN(bulk_types), NULL, NULL, on_bulk_closed, NULL };
static const struct chan_events control_events = { NULL, 0, NULL, NULL, on_control_closed, NULL };

bool converter_new(const struct actor_host *host, const struct converter_config *config, uint32_t instance, struct converter **c_r, struct err *e)
{
	struct converter *c = mem_zero(sizeof *c);
	c->magic = CONVERTER_MAGIC;
	c->host = *host;
	c->config = *config;
	c->instance = instance;
	timer_init(&c->alone, host->env, on_alone, c);
	if (!make_map(c, &config->own, e)) {
		converter_free(&c);
		return false;
	}
	*c_r = c;
	return true;
}

void converter_free(struct converter **c)
{
	if (*c == NULL)
		return;
	CHECK(*c, CONVERTER_MAGIC);
	if ((*c)->control != NULL)
		chan_free(&(*c)->control, false);
	if ((*c)->bulk != NULL)
		chan_free(&(*c)->bulk, false);
	forget(*c);
	timer_stop(&(*c)->alone);
	mm_map_free(&(*c)->map);
	(*c)->magic = 0;
	MEM_FREE(*c);
}

void converter_adopt_interchange(struct converter *c, bool bulk, struct stream *s)
{
	CHECK(c, CONVERTER_MAGIC);
	struct chan **which = bulk ? &c->bulk : &c->control;
	if (*which != NULL) {
		chan_free(which, false);
		forget(c);
	}
	*which = chan_new(&s, bulk ? &bulk_events : &control_events, c, PROCESS_CONVERTER, c->instance);
	if (c->control != NULL && c->bulk != NULL)
		timer_stop(&c->alone);
}
