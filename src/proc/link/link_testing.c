/* link_testing.c - see link_testing.h. */
#include "proc/link/link_testing.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "flow/codec/p1/p1.h"
#include "flow/message/pack.h"
#include "flow/report/report.h"
#include "sys/process.h"

/* --- the switch --- */

#define HEAR(name, type, field, count)                                                                                  \
	static bool hear_##name(void *ctx, struct view payload, struct err *e)                                          \
	{                                                                                                               \
		struct world *w = ctx;                                                                                  \
		w->count++;                                                                                             \
		return get_msg_##type(arena_copy(w->heard, payload), &w->field, e);                                         \
	}
HEAR(offer, offer, offer, n_offers)
HEAR(spoiled, spoiled, spoiled, n_spoiled)
HEAR(examined, examined, examined, n_examined)
HEAR(up, assoc, up, ups)
HEAR(how, assoc_how, how, n_hows)
HEAR(down, assoc, down, downs)

static bool hear_begin(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	w->n_begins++;
	out_clear(&w->streamed);
	return get_msg_offer(arena_copy(w->heard, payload), &w->offer, e);
}

static bool hear_data(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_piece m;
	if (!get_msg_piece(payload, &m, e))
		return false;
	w->data += m.octets.n;
	out_bytes(&w->streamed, m.octets);
	return true;
}

static bool hear_end(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_count m;
	w->n_ends++;
	if (!get_msg_count(payload, &m, e))
		return false;
	w->end_total = m.n;
	return true;
}

static bool hear_cancel(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_count m;
	w->cancels++;
	return get_msg_count(payload, &m, e);
}

static bool hear_pull(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_count m;
	w->n_pulls++;
	if (!get_msg_count(payload, &m, e))
		return false;
	w->pulled += m.n;
	w->pull = m;
	return true;
}

static bool hear_result(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	assert_true(w->n_results < ARRAY_LEN(w->results));
	return get_msg_result(arena_copy(w->heard, payload), &w->results[w->n_results++], e);
}

static void hear_closed(void *ctx, const struct err *why)
{
	struct world *w = ctx;
	(void)why;
	w->closed++;
}

/* --- what it keeps of transfers that may break off --- */

static bool hear_resume(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	w->n_resumes++;
	return get_msg_resume(arena_copy(w->heard, payload), &w->resume, e);
}

static struct part *part_of(struct world *w, uint64_t id)
{
	for (size_t i = 0; i < PARTS; i++)
		if (w->part[i].id == id)
			return &w->part[i];
	return NULL;
}

static void part_free(struct part *p)
{
	out_fini(&p->key);
	out_fini(&p->octets);
	*p = (struct part){ 0 };
}

static bool hear_partial(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_partial m;
	if (!get_msg_partial(payload, &m, e))
		return false;
	w->n_partials++;
	assert_null(part_of(w, m.id));
	struct part *p = part_of(w, 0);
	assert_non_null(p);
	p->id = m.id;
	p->activity = m.activity;
	snprintf(p->link, sizeof p->link, "%.*s", (int)m.link.n, (const char *)m.link.p);
	snprintf(p->host, sizeof p->host, "%.*s", (int)m.host.n, (const char *)m.host.p);
	out_init(&p->key, 1024);
	out_bytes(&p->key, m.reference);
	out_init(&p->octets, (size_t)64 << 20);
	return true;
}

static bool hear_partial_data(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_piece m;
	if (!get_msg_piece(payload, &m, e))
		return false;
	struct part *p = part_of(w, m.id);
	assert_non_null(p);
	assert_true(m.octets.n > 0);
	out_bytes(&p->octets, m.octets);
	return true;
}

void say_synced(struct world *w, uint64_t id, uint32_t serial, bool good)
{
	const struct msg_sync m = { .id = id, .serial = serial, .good = good };
	put_msg_sync(chan_begin(w->control, MSG_PARTIAL_SYNCED), &m);
	chan_end(w->control);
}

static bool hear_sync(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	if (!get_msg_sync(payload, &w->sync, e))
		return false;
	struct part *p = part_of(w, w->sync.id);
	w->n_syncs++;
	assert_non_null(p);
	assert_true(w->sync.serial < PART_SYNCS);
	assert_int_equal(w->sync.n, out_len(&p->octets));
	p->point[w->sync.serial] = w->sync.n;
	p->synced = w->sync.serial;
	if (!w->hold_syncs)
		say_synced(w, w->sync.id, w->sync.serial, !w->cannot_keep);
	return true;
}

static bool hear_partial_end(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_sync m;
	if (!get_msg_sync(payload, &m, e))
		return false;
	struct part *p = part_of(w, m.id);
	assert_non_null(p);
	p->kept = m.good;
	if (m.good) {
		w->n_kept++;
		assert_true(p->synced > 0);
		p->octets.n = p->octets.head + (size_t)p->point[p->synced];
	} else {
		w->n_dropped++;
		part_free(p);
	}
	return true;
}

static bool hear_find(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_partial m;
	if (!get_msg_partial(payload, &m, e))
		return false;
	w->n_finds++;
	struct msg_partial found = { .id = m.id, .activity = m.activity, .serial = m.serial };
	for (size_t i = 0; i < PARTS; i++) {
		struct part *p = &w->part[i];
		if (p->id == 0 || !p->kept || !view_eq(out_view(&p->key), m.reference) ||
		    (m.activity != 0 && (p->activity != m.activity || m.serial > p->synced || p->point[m.serial] == 0)))
			continue;
		found.found = true;
		found.link = view_str(p->link);
		found.host = view_str(w->other_host ? "192.0.2.1" : p->host);
		if (m.activity == 0)
			break;
		found.octets = p->point[m.serial];
		p->octets.n = p->octets.head + (size_t)found.octets;
		p->synced = m.serial;
		p->given = 0;
		p->kept = false;
		p->id = m.id;
		break;
	}
	put_msg_partial(chan_begin(w->control, MSG_PARTIAL_FOUND), &found);
	chan_end(w->control);
	return true;
}

static bool hear_partial_pull(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_sync m;
	if (!get_msg_sync(payload, &m, e))
		return false;
	struct part *p = part_of(w, m.id);
	assert_non_null(p);
	assert_true(p->given + m.n <= out_len(&p->octets));
	for (uint64_t left = m.n; left > 0;) {
		const struct msg_piece piece = { m.id, view_first(view_from(out_view(&p->octets), (size_t)p->given), left < 7000 ? (size_t)left : 7000) };
		put_msg_piece(chan_begin(w->bulk, MSG_PARTIAL_DATA), &piece);
		chan_end(w->bulk);
		p->given += piece.octets.n;
		left -= piece.octets.n;
	}
	return true;
}

#define HEARD(m, f) { .type = MSG_##m, .name = #m, .handle = f, .max = CHAN_FRAME_MAX }
static bool hear_settled(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	w->settled = m.id;
	w->n_settled++;
	return true;
}

static const struct chan_type heard[] = {
	HEARD(OFFER, hear_offer), HEARD(OFFER_BEGIN, hear_begin), HEARD(OFFER_DATA, hear_data), HEARD(OFFER_END, hear_end),
	HEARD(OFFER_CANCEL, hear_cancel), HEARD(OFFER_SPOILED, hear_spoiled), HEARD(ASSOC_UP, hear_up), HEARD(ASSOC_DOWN, hear_down), HEARD(TRANSFER_PULL, hear_pull),
	HEARD(TRANSFER_RESULT, hear_result), HEARD(EXAMINED, hear_examined), HEARD(ASSOC_HOW, hear_how), HEARD(TRANSFER_RESUME, hear_resume),
	HEARD(PARTIAL_BEGIN, hear_partial), HEARD(PARTIAL_DATA, hear_partial_data), HEARD(PARTIAL_SYNC, hear_sync),
	HEARD(PARTIAL_END, hear_partial_end), HEARD(PARTIAL_FIND, hear_find), HEARD(PARTIAL_PULL, hear_partial_pull),
	HEARD(SETTLED, hear_settled),
};
static const struct chan_events switch_events = { heard, ARRAY_LEN(heard), NULL, NULL, hear_closed };

void switch_connects(struct world *w)
{
	struct stream *ours, *theirs;
	fake_env_pair(w->env, &ours, &theirs);
	w->control = chan_new(&ours, &switch_events, w, PROCESS_SWITCH, 0);
	link_adopt_switch(w->link, false, theirs);
	fake_env_pair(w->env, &ours, &theirs);
	w->bulk = chan_new(&ours, &switch_events, w, PROCESS_SWITCH, 0);
	link_adopt_switch(w->link, true, theirs);
	fake_env_settle(w->env);
}

void switch_joins(struct world *w)
{
	switch_connects(w);
	say_busy(w, false);
}

void switch_leaves(struct world *w)
{
	chan_free(&w->control, false);
	chan_free(&w->bulk, false);
	fake_env_settle(w->env);
}

void say_count(struct world *w, enum msg kind, uint64_t id, uint64_t n)
{
	const struct msg_count m = { id, n };
	put_msg_count(chan_begin(w->control, (uint16_t)kind), &m);
	chan_end(w->control);
	fake_env_settle(w->env);
}

void say_answer(struct world *w, bool accepted)
{
	struct msg_answer m = { .id = w->offer.offer, .accepted = accepted, .err = { .reason = -1, .diagnostic = -1 } };
	if (!accepted)
		err_set(&m.err, ERR_TEMP, ERR_OF_PROCESS, "the disk is full");
	put_msg_answer(chan_begin(w->control, MSG_OFFER_ANSWER), &m);
	chan_end(w->control);
	fake_env_settle(w->env);
}

void say_suspect(struct world *w, uint64_t hash, uint32_t strikes)
{
	const struct msg_suspect m = { .link = VIEW("to-a"), .hash = hash, .strikes = strikes };
	put_msg_suspect(chan_begin(w->control, MSG_SUSPECT), &m);
	chan_end(w->control);
	fake_env_settle(w->env);
}

void say_busy(struct world *w, bool busy)
{
	struct msg_busy m = { .busy = busy, .err = { .reason = -1, .diagnostic = -1 } };
	if (busy)
		err_set(&m.err, ERR_TEMP, ERR_OF_PROCESS, "the disk is nearly full");
	put_msg_busy(chan_begin(w->control, MSG_BUSY), &m);
	chan_end(w->control);
	fake_env_settle(w->env);
}

void say_examine(struct world *w, uint64_t id, uint64_t hash, uint64_t size, struct view content)
{
	const struct msg_examine m = { .examine = id, .link = VIEW("to-a"), .peer = VIEW("127.0.0.1:4711"), .hash = hash, .size = size,
				       .content = content };
	put_msg_examine(chan_begin(w->control, MSG_EXAMINE), &m);
	chan_end(w->control);
	fake_env_settle(w->env);
}

void say_piece(struct world *w, uint64_t id, struct view octets)
{
	const struct msg_piece m = { id, octets };
	put_msg_piece(chan_begin(w->bulk, MSG_TRANSFER_DATA), &m);
	chan_end(w->bulk);
	fake_env_settle(w->env);
}

void say_open(struct world *w, uint64_t id)
{
	const struct msg_assoc m = { .assoc = id, .link = VIEW("to-a"), .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_assoc(chan_begin(w->control, MSG_ASSOC_OPEN), &m);
	chan_end(w->control);
	fake_env_settle(w->env);
}

void say_open_how(struct world *w, uint64_t id, uint32_t which, bool permanent)
{
	const struct msg_assoc_how m = { .assoc = id, .which = which, .permanent = permanent };
	put_msg_assoc_how(chan_begin(w->control, MSG_ASSOC_HOW), &m);
	chan_end(w->control);
	say_open(w, id);
}

void say_how(struct world *w, uint64_t id, struct view reference)
{
	const struct msg_assoc_how m = { .assoc = id, .reference = reference };
	put_msg_assoc_how(chan_begin(w->control, MSG_ASSOC_HOW), &m);
	chan_end(w->control);
}

void say_resume(struct world *w, uint64_t transfer, const struct msg_resume *m)
{
	struct msg_resume r = *m;
	r.transfer = transfer;
	put_msg_resume(chan_begin(w->control, MSG_TRANSFER_RESUME), &r);
	chan_end(w->control);
}

/* --- peers --- */

static size_t peer_data(void *ctx, struct view data)
{
	struct peer *p = ctx;
	size_t taken = 0, n;
	do {
		n = x400_feed(p->x, view_from(data, taken), env_now_ms(p->w->env));
		taken += n;
		peer_pump(p);
	} while (n > 0 && taken < data.n && p->stream != NULL);
	return data.n;
}

static void peer_drained(void *ctx)
{
	peer_pump(ctx);
}

static void peer_closed(void *ctx, const struct err *why)
{
	struct peer *p = ctx;
	x400_transport_closed(p->x, why);
	peer_pump(p);
	if (p->stream != NULL)
		stream_close(&p->stream, false);
}

static const struct stream_events peer_events = { .opened = peer_drained, .data = peer_data, .drained = peer_drained, .closed = peer_closed };

void peer_answer(struct peer *p)
{
	struct err e;
	err_set(&e, ERR_PEER, ERR_OF_ASSOCIATION, "as the test says");
	switch (p->answer) {
	case ACCEPT: assert_true(x400_transfer_accept(p->x, &e)); break;
	case REFUSE: assert_true(x400_transfer_refuse(p->x, &e)); break;
	case ABORT: x400_abort(p->x, &e, env_now_ms(p->w->env)); break;
	case VANISH: stream_close(&p->stream, false); break;
	case SILENT: break;
	}
}

static void keep_credentials(struct peer *p, const struct x400_event *ev)
{
	p->window = ev->window;
	p->checkpoint_size = ev->checkpoint_size;
	p->credentials = ev->peer;
	p->credentials.password = arena_copy(p->w->a, ev->peer.password);
}

static void take_bind(struct peer *p, const struct x400_event *ev)
{
	const char *password = p->w->answer_password;
	const struct x400_credentials own = { .present = password == NULL || *password != 0, .mta_name = VIEW("mta-a"), .has_password = true,
					      .password = view_str(password == NULL ? "secret" : password) };
	struct err e;
	keep_credentials(p, ev);
	if (ev->recover && p->keeps)
		assert_true(x400_bind_recover(p->x, &e));
	else if (ev->recover)
		assert_true(x400_bind_refuse(p->x, X400_BUSY, &e));
	else if (p->w->refusal != X400_NO_BIND_ERROR)
		assert_true(x400_bind_refuse(p->x, p->w->refusal, &e));
	else
		assert_true(x400_bind_accept(p->x, &own, &e));
}

static void peer_event(struct peer *p, const struct x400_event *ev)
{
	struct err e;
	p->seen[ev->kind]++;
	switch (ev->kind) {
	case X400_BIND: take_bind(p, ev); break;
	case X400_BOUND: keep_credentials(p, ev); break;
	case X400_TRANSFER_BEGIN:
		out_clear(&p->received);
		p->activity = ev->activity;
		break;
	case X400_TRANSFER_RESUME:
		if (p->keeps && ev->resume.activity == p->activity && ev->resume.serial < PART_SYNCS && p->point[ev->resume.serial] > 0) {
			p->received.n = p->received.head + (size_t)p->point[ev->resume.serial];
			assert_true(x400_resume_accept(p->x, &e));
		} else {
			assert_true(x400_resume_refuse(p->x, env_now_ms(p->w->env), &e));
		}
		break;
	case X400_ENDED: p->why = ev->err; break;
	case X400_BIND_REFUSED: p->bind_error = ev->bind_error; break;
	case X400_TRANSFER_DATA: out_bytes(&p->received, ev->bytes); break;
	case X400_TRANSFER_CHECKPOINT:
		if (ev->serial < PART_SYNCS)
			p->point[ev->serial] = out_len(&p->received);
		x400_checkpoint_confirm(p->x, ev->serial);
		break;
	case X400_TRANSFER_END: peer_answer(p); break;
	case X400_TURN_PLEASE: p->priority = ev->priority; break;
	default: break;
	}
}

void peer_pump(struct peer *p)
{
	struct x400_event ev;
	struct err e;
	int64_t now = env_now_ms(p->w->env);
	while (x400_next(p->x, &ev, now) == STEP_DONE)
		peer_event(p, &ev);
	if (p->total > 0 && x400_can_transfer(p->x)) {
		if (p->resumes)
			assert_true(x400_transfer_resume(p->x, &p->at, p->total, now, &e));
		else
			assert_true(x400_transfer_begin(p->x, p->total, now, &e));
		p->total = 0;
	}
	while (p->total == 0 && p->stream != NULL && out_len(&p->to_send) > 0 && x400_transfer_room(p->x) > 0) {
		struct view part = view_first(out_view(&p->to_send), x400_transfer_room(p->x));
		x400_transfer_data(p->x, part, now);
		out_drop(&p->to_send, part.n);
		stream_write(p->stream, out_view(x400_out(p->x)));
		out_clear(x400_out(p->x));
	}
	if (p->stream == NULL)
		return;
	stream_write(p->stream, out_view(x400_out(p->x)));
	out_clear(x400_out(p->x));
	if (x400_wants_close(p->x))
		stream_close(&p->stream, true);
}

struct x400_config peer_config(enum session_side side)
{
	return (struct x400_config){
		.session = { .side = side, .versions = 2, .tpdu_size = 65531, .collect_max = 1 << 16, .out_max = 1 << 18 },
		.own = { .present = true, .mta_name = VIEW("mta-a"), .has_password = true, .password = VIEW("secret") },
		.checkpoint_size = 30, .window = 5, .connect_timeout_ms = 30000, .response_timeout_ms = 120000,
		.receive_timeout_ms = 120000, .abort_timeout_ms = 1000,
	};
}

static void peer_begin(struct world *w, struct peer *p, const struct x400_config *c, struct stream *s)
{
	*p = (struct peer){ .w = w, .x = x400_new(c, env_now_ms(w->env)), .stream = s, .bind_error = X400_NO_BIND_ERROR };
	out_init(&p->to_send, (size_t)64 << 20);
	out_init(&p->received, (size_t)64 << 20);
	stream_set_events(s, &peer_events, p);
}

struct peer *call_on(struct world *w, unsigned i, const struct x400_config *c, struct stream *ours)
{
	peer_begin(w, &w->peer[i], c, ours);
	peer_pump(&w->peer[i]);
	fake_env_settle(w->env);
	return &w->peer[i];
}

/* A peer calls the link. */
struct peer *call_with(struct world *w, unsigned i, const struct x400_config *c)
{
	struct stream *ours, *theirs;
	fake_env_pair(w->env, &ours, &theirs);
	link_accepted(w->link, theirs, false);
	return call_on(w, i, c, ours);
}

struct peer *call(struct world *w, unsigned i)
{
	struct x400_config c = peer_config(SESSION_INITIATOR);
	c.session.called_tsel = VIEW("OURS");
	c.session.send_tsel = true;
	return call_with(w, i, &c);
}

struct peer *call_named(struct world *w, unsigned i, const char *name, const struct x400_reference *recovers)
{
	struct x400_config c = peer_config(SESSION_INITIATOR);
	uint8_t user[64] = { 4, (uint8_t)strlen(name) };
	memcpy(user + 2, name, strlen(name));
	c.session.called_tsel = VIEW("OURS");
	c.session.send_tsel = true;
	c.session.user_ref = view_of(user, strlen(name) + 2);
	c.session.common_ref = VIEW("\x17\x0d" "261122003922Z");
	c.resumes = true;
	if (recovers != NULL) {
		c.recover = true;
		c.recovers = *recovers;
	}
	return call_with(w, i, &c);
}

void called(void *ctx, struct stream *s)
{
	struct world *w = ctx;
	struct x400_config c = peer_config(SESSION_RESPONDER);
	c.two_way_alternate = true;
	unsigned i = 0;
	while (w->peer[i].x != NULL)
		i++;
	peer_begin(w, &w->peer[i], &c, s);
	w->peer[i].keeps = w->peers_keep;
	if (w->peers_keep && i > 0) { /* the same MTA as before */
		struct peer *p = &w->peer[i], *last = &w->peer[i - 1];
		p->activity = last->activity;
		memcpy(p->point, last->point, sizeof p->point);
		out_bytes(&p->received, out_view(&last->received));
	}
}

/* --- messages --- */

struct message *letter(struct world *w)
{
	struct message *m = arena_get(w->a, sizeof *m);
	const struct gdi domain = { .country = { ORA_PRINTABLE, VIEW("GB") }, .admd = { ORA_PRINTABLE, VIEW("SIM") } };
	struct err e;
	*m = (struct message){ .kind = MESSAGE_MESSAGE, .content_type = 22, .content_length = -1, .priority = PRIORITY_NORMAL,
			       .id = { domain, VIEW("letter-1") } };
	assert_true(oraddr_parse(VIEW("S=bob; A=SIM; C=GB"), &m->originator, w->a, ORADDR_GENERATE, &e));
	m->rcpt = arena_array(w->a, 1, sizeof *m->rcpt);
	m->n_rcpt = 1;
	m->rcpt[0] = (struct recipient){ .number = 1, .responsible = true, .reason = -1, .diagnostic = -1, .type_of_user = UINT32_MAX };
	assert_true(oraddr_parse(VIEW("S=eve; A=SIM; C=FR"), &m->rcpt[0].addr, w->a, ORADDR_GENERATE, &e));
	assert_true(trace_add(m, &domain, VIEW("mta-a"), true, FAKE_WALL_MS, w->a));
	return m;
}

void encode_apdu(const struct message *m, size_t size, struct out *o)
{
	const struct p1_encode_options options = { .context_id = 5 };
	struct err e;
	assert_true(p1_encode_head(m, size, &options, o, &e));
	uint8_t *content = mem_zero(size + 1);
	out_bytes(o, view_of(content, size));
	free(content);
}

void peer_begins(struct peer *p, uint64_t total, struct view octets)
{
	out_bytes(&p->to_send, octets);
	p->total = total;
	peer_pump(p);
	fake_env_settle(p->w->env);
}

void peer_sends_octets(struct peer *p, struct view octets)
{
	peer_begins(p, octets.n, octets);
}

void peer_sends(struct peer *p, size_t size, size_t cut)
{
	struct out o;
	out_init(&o, SIZE_MAX / 2);
	encode_apdu(letter(p->w), size, &o);
	peer_sends_octets(p, view_first(out_view(&o), out_len(&o) - cut));
	out_fini(&o);
}

void say_transfer(struct world *w, uint64_t transfer, uint64_t assoc, size_t size)
{
	say_transfer_of(w, transfer, assoc, size, PRIORITY_NORMAL);
}

void say_transfer_of(struct world *w, uint64_t transfer, uint64_t assoc, size_t size, enum priority priority)
{
	struct out packed;
	uint8_t content[MSG_INLINE_MAX] = { 0 };
	out_init(&packed, MSG_ENVELOPE_MAX);
	struct message *m = letter(w);
	m->priority = priority;
	pack_message(&packed, m, 0, 1);
	const struct msg_transfer t = { .transfer = transfer, .assoc = assoc, .packed = out_view(&packed), .content_size = size,
					.stored = 1000 + transfer,
					.content = size <= MSG_INLINE_MAX ? view_of(content, size) : (struct view){ NULL, 0 } };
	put_msg_transfer(chan_begin(w->control, MSG_TRANSFER), &t);
	chan_end(w->control);
	out_fini(&packed);
	fake_env_settle(w->env);
}

void say_content(struct world *w, uint64_t transfer, size_t n)
{
	uint8_t *octets = mem_zero(MSG_PIECE_MAX);
	while (n > 0) {
		const struct msg_piece m = { transfer, view_of(octets, n < MSG_PIECE_MAX ? n : MSG_PIECE_MAX) };
		put_msg_piece(chan_begin(w->bulk, MSG_TRANSFER_DATA), &m);
		chan_end(w->bulk);
		n -= m.octets.n;
	}
	free(octets);
	fake_env_settle(w->env);
}

/* --- the world --- */

#define SETTINGS                                                                                                          \
	"mta:\n  name: mta-p\n  domain: \"C=FR; A=SIM\"\nstore:\n  directory: x\nlisten: [\"127.0.0.1:1\"]\n"               \
	"limits: {%s}\nlinks:\n"                                                                                           \
	"  - name: to-a\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-a\n    remote-password: %s\n"                \
	"    calling-tsel: OURS\n    association-lifetime: 20 s\n%s%s"                                                    \
	"routes:\n  - match: \"C=GB; A=SIM\"\n    to: to-a\n"

static void take_note(void *ctx, const char *text)
{
	struct world *w = ctx;
	out_str(&w->notes, text);
	out_str(&w->notes, "\n");
}

static void no_death(void *ctx, const struct err *why)
{
	(void)ctx;
	fail_msg("%s", why->text);
}

struct world *world_new_with(const char *limits)
{
	return world_new_as(limits, "");
}

static void load_settings(struct world *w, const char *limits, const char *link, const char *links)
{
	char yaml[4096];
	struct err e;
	snprintf(yaml, sizeof yaml, SETTINGS, limits, w->password == NULL ? "secret" : w->password, link, links);
	w->set_in = arena_new((size_t)1 << 20);
	if (!settings_load(view_str(yaml), "test", &w->settings, w->set_in, &e))
		fail_msg("%s", e.text);
}

void world_settings(struct world *w, const char *limits, const char *link, const char *links)
{
	struct arena *before = w->set_in;
	load_settings(w, limits, link, links);
	struct settings *now = arena_get(w->set_in, sizeof *now);
	*now = w->settings;
	link_settings(w->link, now);
	arena_free(&before);
	fake_env_settle(w->env);
}

struct world *world_new_as(const char *limits, const char *link)
{
	struct world *w = mem_zero(sizeof *w);
	struct err e;
	struct net_addr at;
	out_init(&w->streamed, SIZE_MAX / 2);
	out_init(&w->notes, SIZE_MAX / 2);
	w->refusal = X400_NO_BIND_ERROR;
	w->env = fake_env_new();
	w->a = arena_new((size_t)64 << 20);
	w->heard = arena_new((size_t)256 << 20);
	w->log_fd = memfd_create("events", 0);
	w->log = event_log_new(w->env, event_kinds, EVENT_KINDS, "link", w->log_fd, false);
	load_settings(w, limits, link, "");
	const struct actor_host host = { .env = w->env, .log = w->log, .note = take_note, .die = no_death, .ctx = w };
	w->link = link_new(&host, &w->settings, 1);
	assert_true(net_addr_parse("127.0.0.1:2", &at, &e));
	w->listener = env_listen(w->env, &at, called, w, &e);
	assert_non_null(w->listener);
	switch_joins(w);
	return w;
}

struct world *world_new(void)
{
	return world_new_with("associations: 2");
}

bool was_told(struct world *w, const char *event)
{
	char text[16384];
	ssize_t n = pread(w->log_fd, text, sizeof text - 1, 0);
	text[n < 0 ? 0 : n] = 0;
	return strstr(text, event) != NULL;
}

void peer_free(struct peer *p)
{
	if (p->x == NULL)
		return;
	if (p->stream != NULL)
		stream_close(&p->stream, false);
	x400_free(&p->x);
	out_fini(&p->to_send);
	out_fini(&p->received);
}

void world_free(struct world *w)
{
	link_free(&w->link);
	for (size_t i = 0; i < ARRAY_LEN(w->peer); i++)
		peer_free(&w->peer[i]);
	if (w->control != NULL)
		switch_leaves(w);
	fake_env_settle(w->env);
	if (w->listener != NULL)
		listener_close(&w->listener);
	for (size_t i = 0; i < PARTS; i++)
		part_free(&w->part[i]);
	event_log_free(&w->log);
	close(w->log_fd);
	out_fini(&w->streamed);
	out_fini(&w->notes);
	fake_env_free(&w->env);
	arena_free(&w->a);
	arena_free(&w->set_in);
	arena_free(&w->heard);
	free(w);
}
