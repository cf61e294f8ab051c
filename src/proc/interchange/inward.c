/* inward.c - messages on their way to the switch, one after the other: files to the converter, what it makes of them to the switch, its
 * answer back to where they came from. An offer that the switch refuses for good is offered again in halves, so that what it refused is found
 * and only that is returned (Q151791). */
#include "proc/interchange/interchange_int.h"

#include "base/fault.h"
#include "base/hash.h"
#include "base/mem.h"
#include "flow/report/diagnostics.h"

enum {
	PAUSE_MIN_MS = 1000, PAUSE_MAX_MS = 60 * 1000,
	PIECE = 64 * 1024, HELD_MAX = 4 * MSG_CREDIT,
	CORRUPT = 12, UNPARSED = 29,
};

static void next_range(struct interchange *x);

void inward_look(struct interchange *x)
{
	x->in.wanted = true;
	interchange_work(x);
}

static void on_again(void *ctx)
{
	inward_look(ctx);
}

bool inward_wants_converter(const struct interchange *x)
{
	return x->in.state == IN_WAIT;
}

bool inward_is_idle(const struct interchange *x)
{
	return x->in.state == IN_NONE;
}

void inward_refuse(struct interchange *x, struct mm_recipient *r, int notice, int reason, int diagnostic, const char *why)
{
	r->notice = notice;
	r->reason = reason;
	r->diagnostic = diagnostic;
	r->why = arena_copy(x->in.a, view_str(why));
}

/* --- one message's life --- */

static void let_go(struct interchange *x)
{
	struct inward *in = &x->in;
	if (in->state == IN_XLATE || in->state == IN_OFFER)
		xlate_end(x->xlate);
	offer_drop(x, &in->offer);
	if (in->reading != NULL)
		x->source->close(x);
	out_clear(&in->piece);
	out_clear(&in->held);
	interchange_clear(&in->report);
	interchange_clear(&in->examined);
	in->n_ranges = 0;
	in->n_files = 0;
	in->files = NULL;
	in->n_ours = 0;
	in->ours = NULL;
	in->examine = 0;
	in->v = (struct mm_envelope){ 0 };
	in->item[0] = 0;
	arena_reset(in->a);
	interchange_note(x, "");
}

static void end_round(struct interchange *x)
{
	struct inward *in = &x->in;
	let_go(x);
	if (in->state != IN_NONE)
		x->source->end(x);
	in->state = IN_NONE;
}

void inward_drop(struct interchange *x)
{
	end_round(x);
}

/* Nobody is there to be offered to, or to go on with what is examined. What it has answered is committed. */
void inward_switch_gone(struct interchange *x)
{
	if (x->in.state == IN_NONE || x->in.state == IN_COMMIT)
		return;
	end_round(x);
	inward_look(x);
}

/* Something passes, and then all goes on. */
static void pause_round(struct interchange *x)
{
	struct inward *in = &x->in;
	end_round(x);
	in->pause_ms = in->pause_ms == 0 ? PAUSE_MIN_MS : in->pause_ms * 2 < PAUSE_MAX_MS ? in->pause_ms * 2 : PAUSE_MAX_MS;
	in->not_before_ms = env_now_ms(x->host.env) + in->pause_ms;
	timer_after(&in->again, in->pause_ms);
}

static void say_examined(struct interchange *x, const struct err *why)
{
	const struct msg_examined m = { .examine = x->in.examine, .offered = why == NULL,
					.err = why == NULL ? (struct err){ .reason = -1, .diagnostic = -1 } : *why };
	if (x->control == NULL)
		return;
	put_msg_examined(chan_begin(x->control, MSG_EXAMINED), &m);
	chan_end(x->control);
}

/* This message is done with for now: the round goes on with the next one. */
static void leave(struct interchange *x)
{
	const bool examined = x->in.examine != 0;
	let_go(x);
	x->in.state = examined ? IN_NONE : IN_ROUND;
	interchange_work(x);
}

/* What has failed, by whose fault. */
static void fail(struct interchange *x, const struct err *e)
{
	if (x->in.examine != 0) {
		say_examined(x, e);
		leave(x);
	} else if (interchange_is_link_failure(e)) {
		interchange_degrade(x, e);
	} else {
		if (strcmp(x->in.told_left, x->in.item) != 0)
			EMIT(&x->host, MSMAIL_LEFT, "link", x->link->name, "item", x->in.item, "why", e->text);
		snprintf(x->in.told_left, sizeof x->in.told_left, "%s", x->in.item);
		leave(x);
	}
}

void inward_strike(struct interchange *x, const struct err *why)
{
	struct err e;
	char count[12];
	const unsigned n = tally_of(x->strikes, x->in.item) + 1;
	snprintf(count, sizeof count, "%u", n);
	EMIT(&x->host, MSMAIL_STRUCK, "link", x->link->name, "record", x->in.item, "strikes", count, "words", why->text);
	if (!tally_set(x->strikes, x->in.item, n, &e))
		EMIT(&x->host, INTERCHANGE_JOURNAL, "link", x->link->name, "why", e.text);
	tally_sync(x->strikes, NULL, NULL);
}

/* --- files, one after the other --- */

static bool fill_piece(struct interchange *x, size_t want, struct err *e)
{
	struct inward *in = &x->in;
	while (out_len(&in->piece) < want && in->at_file < in->n_files) {
		const struct in_file *f = &in->files[in->at_file];
		const uint64_t left = f->size - in->at_octet;
		const size_t before = out_len(&in->piece), n = left < PIECE ? (size_t)left : PIECE;
		if (left == 0) {
			if (in->reading != NULL)
				x->source->close(x);
			in->at_file++;
			in->at_octet = 0;
			continue;
		}
		if (f->in_memory)
			out_bytes(&in->piece, view_first(view_from(f->octets, (size_t)in->at_octet), n));
		else if (!x->source->read(x, f, in->at_octet, n, &in->piece, e))
			return false;
		const size_t got = out_len(&in->piece) - before;
		if (got == 0)
			return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "a file of the message is %llu octets shorter than it was", (unsigned long long)left);
		in->at_octet += got;
	}
	return true;
}

static uint64_t sum_of_files(const struct inward *in)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < in->n_files; i++)
		sum += in->files[i].size;
	return sum;
}

/* To the converter, or into quarantine: as much as is taken. */
static void feed(void *ctx)
{
	struct interchange *x = ctx;
	struct inward *in = &x->in;
	const bool to_switch = in->state == IN_QUARANTINE;
	struct err e;
	interchange_note(x, in->item);
	while (in->state == IN_XLATE || in->state == IN_QUARANTINE) {
		if (out_len(&in->piece) == 0 && !fill_piece(x, 1, &e)) {
			/* That a file cannot be read is the server's matter, unless it hinders even its quarantine. */
			if (!interchange_is_link_failure(&e) && in->examine == 0 && (e.kind != ERR_LOCAL || to_switch))
				inward_strike(x, &e);
			fail(x, &e);
			return;
		}
		const size_t n = to_switch ? offer_feed(x, &in->offer, out_view(&in->piece)) : xlate_feed(x->xlate, out_view(&in->piece));
		out_drop(&in->piece, n);
		if (n == 0)
			return;
	}
}

/* --- the switch's answer --- */

static void refuse_range(struct interchange *x, const struct err *why, int notice)
{
	struct inward *in = &x->in;
	const struct range r = in->ranges[in->n_ranges - 1];
	for (size_t i = r.from; i < r.to; i++)
		inward_refuse(x, &in->v.recipients[in->ours[i]], notice, why->reason < 0 ? 1 : why->reason, why->diagnostic, why->text);
}

/* In halves, until who is refused is known. */
static void split_range(struct interchange *x, const struct err *why)
{
	struct inward *in = &x->in;
	const struct range r = in->ranges[in->n_ranges - 1];
	if (r.to - r.from < 2 || in->n_ranges == RANGES) {
		EMIT(&x->host, MSMAIL_REFUSED, "link", x->link->name, "item", in->item, "why", why->text);
		refuse_range(x, why, diagnostic_notice(why->reason, why->diagnostic));
		in->n_ranges--;
		return;
	}
	const size_t middle = r.from + (r.to - r.from) / 2;
	in->ranges[in->n_ranges - 1] = (struct range){ middle, r.to };
	in->ranges[in->n_ranges++] = (struct range){ r.from, middle };
}

static void on_answered(void *ctx, const struct msg_answer *m)
{
	struct interchange *x = ctx;
	struct inward *in = &x->in;
	interchange_note(x, in->item);
	if (in->state == IN_OFFER)
		xlate_end(x->xlate); /* a refusal may come before all of the content has gone */
	if (!m->accepted && m->err.kind != ERR_PERM) {
		if (in->examine != 0)
			fail(x, &m->err);
		else
			pause_round(x);
		return;
	}
	in->pause_ms = 0;
	if (in->examine != 0) {
		say_examined(x, m->accepted ? NULL : &m->err);
		in->state = IN_COMMIT;
		leave(x);
		return;
	}
	if (m->accepted)
		in->n_ranges--;
	else
		split_range(x, &m->err);
	next_range(x);
}

static void on_lost(void *ctx)
{
	struct interchange *x = ctx;
	end_round(x);
	inward_look(x);
}

static void pump_result(void *ctx)
{
	struct interchange *x = ctx;
	struct inward *in = &x->in;
	const size_t n = offer_feed(x, &in->offer, out_view(&in->held));
	out_drop(&in->held, n);
	if (n > 0)
		xlate_taken(x->xlate, n);
}

static const struct offer_user offer_user = { pump_result, on_answered, on_lost };

/* --- from the converter --- */

static void on_data(void *ctx, struct view octets)
{
	struct interchange *x = ctx;
	interchange_note(x, x->in.item);
	out_bytes(&x->in.held, octets);
	if (x->in.held.bad) { /* far beyond what it was allowed */
		struct err e;
		err_set(&e, ERR_TEMP, ERR_OF_MESSAGE, "the converter has sent more than it may");
		if (x->in.examine == 0)
			inward_strike(x, &e);
		fail(x, &e);
		return;
	}
	pump_result(x);
}

static const char *text_of(struct interchange *x, struct view v)
{
	const char *s = arena_str(x->in.a, view_first(v, 200));
	return s == NULL ? "?" : s;
}

/* Recipients that have no form in X.400 are told of. How many of the range are left? */
static size_t take_outcomes(struct interchange *x, const struct mm_envelope *v)
{
	struct inward *in = &x->in;
	const struct range r = in->ranges[in->n_ranges - 1];
	size_t left = r.to - r.from;
	for (size_t i = 0; i < v->n; i++) {
		const struct mm_recipient *from = &v->recipients[i];
		if (from->notice == 0 || from->number == 0 || from->number > in->v.n)
			continue;
		struct mm_recipient *to = &in->v.recipients[from->number - 1];
		left -= to->notice == 0;
		to->notice = from->notice;
		to->reason = from->reason;
		to->diagnostic = from->diagnostic;
		to->why = arena_copy(in->a, from->why);
		EMIT(&x->host, MSMAIL_NO_USER, "link", x->link->name, "item", in->item, "recipient", text_of(x, to->address.text), "why",
		     text_of(x, to->why));
	}
	return left;
}

static void offer_packed(struct interchange *x, struct view packed, uint64_t size, struct view track)
{
	struct inward *in = &x->in;
	struct msg_offer m = { .packed = packed, .peer = view_str(in->item), .examined = in->examine, .track = track };
	in->state = IN_OFFER;
	offer_start(x, &in->offer, &m, size, &offer_user, x);
}

static void converted(struct interchange *x, const struct msg_xlated *m)
{
	struct inward *in = &x->in;
	struct err e;
	struct mm_envelope v;
	struct xlate_file *files;
	size_t n;
	uint64_t size;
	if (m->notice.n > 0 && notices_report(x, m->notice, &in->report)) {
		xlate_end(x->xlate);
		if (out_len(&in->report) > 0) {
			offer_packed(x, out_view(&in->report), 0, (struct view){ NULL, 0 });
		} else {
			in->n_ranges = 0;
			next_range(x);
		}
		return;
	}
	if (!mm_envelope_parse(arena_copy(in->a, m->envelope), &v, in->a, &e) || !get_xlate_files(m->files, &files, &n, &size, in->a, &e)) {
		inward_strike(x, &e);
		e.culprit = ERR_OF_MESSAGE;
		fail(x, &e);
		return;
	}
	if (take_outcomes(x, &v) == 0 || m->packed.n == 0) {
		xlate_end(x->xlate);
		in->n_ranges--;
		next_range(x);
		return;
	}
	offer_packed(x, m->packed, size, m->track);
}

/* A failure that is the message's is one for good, or a strike: it never stands in the way of others for ever (Q237182). */
static void on_xlated(void *ctx, const struct msg_xlated *m)
{
	struct interchange *x = ctx;
	struct inward *in = &x->in;
	struct err e = m->err;
	interchange_note(x, in->item);
	if (m->warned && !in->warned_code_page) {
		in->warned_code_page = true;
		EMIT(&x->host, MSMAIL_CODE_PAGE, "link", x->link->name, "item", in->item);
	}
	if (m->err.kind == ERR_NONE) {
		converted(x, m);
	} else if (in->examine != 0) {
		fail(x, &e);
	} else if (m->err.kind == ERR_PERM) {
		const int notice = mail_notice_of(&e);
		refuse_range(x, &e, notice != 0 ? notice : UNPARSED);
		in->n_ranges--;
		next_range(x);
	} else {
		inward_strike(x, &e);
		e.culprit = ERR_OF_MESSAGE;
		fail(x, &e);
	}
}

static void on_failed(void *ctx, const struct err *why, bool struck)
{
	struct interchange *x = ctx;
	struct err e = *why;
	e.culprit = ERR_OF_MESSAGE;
	if (struck && x->in.examine == 0)
		inward_strike(x, why);
	if (struck || x->in.examine != 0)
		fail(x, &e);
	else
		pause_round(x);
}

static const struct xlate_user xlate_user = { feed, on_xlated, on_data, on_failed };

/* --- to the converter --- */

/* The envelope as the converter gets it: only those of this range. Their numbers are their places among all recipients,
 * which stay, so that the switch knows the message again. */
static bool print_range(struct interchange *x, struct out *o, struct err *e)
{
	struct inward *in = &x->in;
	const struct range r = in->ranges[in->n_ranges - 1];
	struct mm_envelope v = in->v;
	v.recipients = arena_array(in->a, r.to - r.from, sizeof *v.recipients);
	if (v.recipients == NULL)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "[024] the envelope is too long");
	v.n = 0;
	for (size_t i = r.from; i < r.to; i++) {
		v.recipients[v.n] = in->v.recipients[in->ours[i]];
		v.recipients[v.n].number = (uint32_t)in->ours[i] + 1;
		v.recipients[v.n++].responsible = true;
	}
	return mm_envelope_print(&v, o, e);
}

static bool give_to_converter(struct interchange *x)
{
	struct inward *in = &x->in;
	struct out files, envelope;
	struct err e;
	if (!xlate_is_free(x->xlate) || x->bulk == NULL || x->control == NULL || (x->xlate_was_inbound && outward_wants_converter(x)))
		return false;
	x->xlate_was_inbound = true;
	out_init(&files, MSG_ENVELOPE_MAX);
	out_init(&envelope, MSG_ENVELOPE_MAX);
	for (size_t i = 0; i < in->n_files; i++)
		put_xlate_file(&files, in->files[i].name, in->files[i].size);
	bool ok = print_range(x, &envelope, &e);
	if (ok && (files.bad || envelope.bad || out_len(&files) + out_len(&envelope) > MSG_ENVELOPE_MAX))
		ok = err_set(&e, ERR_PERM, ERR_OF_MESSAGE, "[024] the envelope is too long");
	if (ok && FAULT_ON(INTERCHANGE_XLATE, in->n_files > 0 ? in->files[0].octets : in->files[0].name))
		ok = err_set(&e, ERR_PERM, ERR_OF_MESSAGE, "[029] the converter does not take it (fault point)");
	if (ok) {
		struct msg_xlate m = { .to_mai = in->is_ffapi ? 2 : 0, .item = view_str(in->item), .envelope = out_view(&envelope), .local_id = view_str(in->local_id),
				       .files = out_view(&files), .now_ms = in->at, .own = view_str(x->own_text) };
		in->state = IN_XLATE;
		in->at_file = 0;
		in->at_octet = 0;
		out_clear(&in->piece);
		out_clear(&in->held);
		xlate_begin(x->xlate, &m, sum_of_files(in), &xlate_user, x);
	}
	out_fini(&files);
	out_fini(&envelope);
	if (ok) {
		feed(x);
	} else if (in->examine != 0) {
		fail(x, &e);
	} else {
		refuse_range(x, &e, mail_notice_of(&e));
		in->n_ranges--;
		next_range(x);
	}
	return true;
}

static void next_range(struct interchange *x)
{
	struct inward *in = &x->in;
	in->state = in->n_ranges > 0 ? IN_WAIT : IN_COMMIT;
	if (in->reading != NULL)
		x->source->close(x);
	(void)(in->n_ranges == 0 && FAULT(INTERCHANGE_ANSWERED));
	interchange_work(x);
}

/* --- quarantine --- */

static void on_kept(void *ctx, const struct msg_answer *m)
{
	struct interchange *x = ctx;
	struct inward *in = &x->in;
	interchange_note(x, in->item);
	if (!m->accepted) {
		EMIT(&x->host, MSMAIL_REFUSED, "link", x->link->name, "item", in->item, "why", m->err.text);
		pause_round(x);
		return;
	}
	EMIT(&x->host, MSMAIL_QUARANTINED, "link", x->link->name, "item", in->item, "from", text_of(x, in->v.from.text), "why",
	     in->why.text);
	for (size_t i = 0; i < in->v.n; i++)
		if (in->v.recipients[i].responsible && in->v.recipients[i].notice == 0 && in->v.recipients[i].bag[0] == 0)
			inward_refuse(x, &in->v.recipients[i], CORRUPT, 1, 12, in->why.text);
	in->state = IN_COMMIT;
	interchange_work(x);
}

static const struct offer_user quarantine_user = { feed, on_kept, on_lost };

static void begin_quarantine(struct interchange *x)
{
	struct inward *in = &x->in;
	uint64_t size;
	if (x->bulk == NULL || x->control == NULL)
		return;
	in->state = IN_QUARANTINE;
	in->at_file = 0;
	in->at_octet = 0;
	out_clear(&in->piece);
	bundle_begin(x, &in->piece, &size);
	while (size > x->settings->limits.message && in->n_files > 0) { /* what is refused there would come again for ever: rather without its files */
		in->n_files = in->n_files > 1 ? 1 : 0;
		out_clear(&in->piece);
		bundle_begin(x, &in->piece, &size);
	}
	struct msg_offer m = { .peer = view_str(in->item), .octets = true, .err = in->why, .hash = hash_octets(HASH_START, view_str(in->local_id)) };
	m.err.kind = ERR_PERM;
	m.err.culprit = ERR_OF_MESSAGE;
	offer_start(x, &in->offer, &m, size, &quarantine_user, x);
	feed(x);
}

/* --- steps --- */

static bool begin_round(struct interchange *x)
{
	struct inward *in = &x->in;
	struct err e;
	bool ready = false;
	if (!in->wanted || x->busy || x->stopping || x->state != INTERCHANGE_ATTACHED || x->control == NULL || x->bulk == NULL ||
	    env_now_ms(x->host.env) < in->not_before_ms)
		return false;
	in->wanted = false;
	if (!interchange_memory(x, &e) || !x->source->begin(x, &ready, &e)) {
		interchange_degrade(x, &e);
		return true;
	}
	if (!ready) {
		in->state = IN_ROUND;
		pause_round(x);
		return false;
	}
	in->state = IN_ROUND;
	return true;
}

static void take_next(struct interchange *x)
{
	struct inward *in = &x->in;
	struct err e;
	enum in_found found = IN_FOUND_NONE;
	if (x->busy || x->stopping || x->control == NULL || x->bulk == NULL) {
		in->wanted = true;
		end_round(x);
		return;
	}
	if (!x->source->next(x, &found, &e)) {
		fail(x, &e);
		return;
	}
	switch (found) {
	case IN_FOUND_NONE:
		interchange_proven(x);
		end_round(x);
		break;
	case IN_FOUND_SOMETHING:
		leave(x);
		break;
	case IN_FOUND_MESSAGE:
		in->n_ranges = in->n_ours > 0;
		in->ranges[0] = (struct range){ 0, in->n_ours };
		next_range(x);
		break;
	case IN_FOUND_POISON:
		begin_quarantine(x);
		break;
	}
}

bool inward_step(struct interchange *x)
{
	struct inward *in = &x->in;
	struct err e;
	switch (in->state) {
	case IN_NONE:
		return begin_round(x);
	case IN_ROUND:
		take_next(x);
		return true;
	case IN_WAIT:
		interchange_note(x, in->item);
		return give_to_converter(x);
	case IN_COMMIT:
		interchange_note(x, in->item);
		if (x->source->commit(x, &e))
			leave(x);
		else
			fail(x, &e);
		return true;
	case IN_XLATE:
	case IN_OFFER:
	case IN_QUARANTINE:
	case IN_EXAMINE:
		return false;
	}
	CANT_HAPPEN("inbound in no state");
}

/* --- what an operator releases from quarantine --- */

static void examine_whole(struct interchange *x)
{
	struct inward *in = &x->in;
	struct err e;
	if (!bundle_parse(x, out_view(&in->examined), &e)) {
		fail(x, &e);
		return;
	}
	in->n_ranges = 1;
	in->ranges[0] = (struct range){ 0, in->n_ours };
	next_range(x);
}

static void pull_examined(struct interchange *x)
{
	struct inward *in = &x->in;
	const uint64_t left = in->examine_size - in->examine_asked;
	if (left == 0 || in->examine_asked > out_len(&in->examined))
		return;
	const struct msg_count m = { in->examine, left < MSG_CREDIT ? left : MSG_CREDIT };
	in->examine_asked += m.n;
	put_msg_count(chan_begin(x->control, MSG_TRANSFER_PULL), &m);
	chan_end(x->control);
}

bool inward_examine(struct interchange *x, const struct msg_examine *m, struct err *e)
{
	struct inward *in = &x->in;
	if (m->content.n > m->size || m->size > INT64_MAX)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "EXAMINE: %zu octets of %llu", m->content.n, (unsigned long long)m->size);
	struct err why = { .kind = ERR_NONE, .reason = -1, .diagnostic = -1 };
	end_round(x);
	inward_look(x);
	in->examine = m->examine;
	in->state = IN_COMMIT;
	snprintf(in->item, sizeof in->item, "EXAMINE %llu", (unsigned long long)m->examine);
	if (x->state != INTERCHANGE_ATTACHED)
		err_set(&why, ERR_TEMP, ERR_OF_LINK, "the postoffice is not attached");
	else if (m->size > in->examined.max)
		err_set(&why, ERR_PERM, ERR_OF_MESSAGE, "%llu octets are more than limits.message", (unsigned long long)m->size);
	if (why.kind != ERR_NONE) {
		fail(x, &why);
		return true;
	}
	in->state = IN_EXAMINE;
	in->examine_size = m->size;
	in->examine_asked = m->content.n;
	out_bytes(&in->examined, m->content);
	if (m->content.n == m->size)
		examine_whole(x);
	else
		pull_examined(x);
	return true;
}

bool inward_examine_data(struct interchange *x, const struct msg_piece *m, struct err *e)
{
	struct inward *in = &x->in;
	struct err why;
	if (m->octets.n > in->examine_asked - out_len(&in->examined))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "TRANSFER_DATA: %zu octets that were not asked for", m->octets.n);
	out_bytes(&in->examined, m->octets);
	if (m->octets.n == 0) {
		err_set(&why, ERR_LOCAL, ERR_OF_MESSAGE, "the switch cannot read the octets");
		fail(x, &why);
	} else if (out_len(&in->examined) == in->examine_size) {
		examine_whole(x);
	} else {
		pull_examined(x);
	}
	return true;
}

void inward_init(struct interchange *x)
{
	struct inward *in = &x->in;
	in->a = arena_new(ITEM_ARENA);
	out_init(&in->piece, MSG_ENVELOPE_MAX + PIECE);
	out_init(&in->held, HELD_MAX);
	out_init(&in->report, MSG_ENVELOPE_MAX);
	out_init(&in->examined, (size_t)x->settings->limits.message + (64 << 20));
	timer_init(&in->again, x->host.env, on_again, x);
	in->wanted = true;
}

void inward_fini(struct interchange *x)
{
	struct inward *in = &x->in;
	timer_stop(&in->again);
	out_fini(&in->piece);
	out_fini(&in->held);
	out_fini(&in->report);
	out_fini(&in->examined);
	arena_free(&in->a);
}
