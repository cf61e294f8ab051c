/* link_test.c - a link process between a switch that is played over channels and peers that are x400 machines. Bind errors are
 * X.411's MTABindError (authentication-error 2, busy 0). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "flow/codec/p1/p1.h"
#include "flow/engine/x400/x400.h"
#include "flow/message/pack.h"
#include "flow/report/report.h"
#include "proc/link/link.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"
#include "sys/fake_env.h"
#include "sys/process.h"

enum answer { ACCEPT, REFUSE, ABORT, VANISH, SILENT };

struct peer {
	struct world *w;
	struct x400 *x;
	struct stream *stream;
	unsigned seen[X400_ENDED + 1];
	enum x400_bind_error bind_error;
	enum answer answer;              /* to a transfer that has come */
	struct out to_send, received;
	uint64_t total;                  /* a transfer that waits to begin */
};

struct world {
	struct env *env;
	struct arena *a;
	struct event_log *log;
	int log_fd;
	struct settings settings;
	struct link *link;
	struct listener *listener;
	struct chan *control, *bulk;     /* the switch's ends */
	unsigned closed, ups, downs, cancels, n_offers, n_begins, n_ends, n_results, n_pulls;
	struct msg_assoc up, down;
	struct msg_offer offer;          /* the last one, whole or begun */
	uint64_t end_total, pulled, data;
	struct msg_result results[8];
	struct peer peer[4];
	bool stopped;
};

/* --- the switch --- */

#define HEAR(name, type, field, count)                                                                                  \
	static bool hear_##name(void *ctx, struct view payload, struct err *e)                                          \
	{                                                                                                               \
		struct world *w = ctx;                                                                                  \
		w->count++;                                                                                             \
		return get_msg_##type(arena_copy(w->a, payload), &w->field, e);                                         \
	}
HEAR(offer, offer, offer, n_offers)
HEAR(begin, offer, offer, n_begins)
HEAR(up, assoc, up, ups)
HEAR(down, assoc, down, downs)

static bool hear_data(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_piece m;
	if (!get_msg_piece(payload, &m, e))
		return false;
	w->data += m.octets.n;
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
	return true;
}

static bool hear_result(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	assert_true(w->n_results < ARRAY_LEN(w->results));
	return get_msg_result(arena_copy(w->a, payload), &w->results[w->n_results++], e);
}

static void hear_closed(void *ctx, const struct err *why)
{
	struct world *w = ctx;
	(void)why;
	w->closed++;
}

#define HEARD(m, f) { .type = MSG_##m, .name = #m, .handle = f, .max = CHAN_FRAME_MAX }
static const struct chan_type heard[] = {
	HEARD(OFFER, hear_offer), HEARD(OFFER_BEGIN, hear_begin), HEARD(OFFER_DATA, hear_data), HEARD(OFFER_END, hear_end),
	HEARD(OFFER_CANCEL, hear_cancel), HEARD(ASSOC_UP, hear_up), HEARD(ASSOC_DOWN, hear_down), HEARD(TRANSFER_PULL, hear_pull),
	HEARD(TRANSFER_RESULT, hear_result),
};
static const struct chan_events switch_events = { heard, ARRAY_LEN(heard), NULL, NULL, hear_closed };

static void switch_joins(struct world *w)
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

static void switch_leaves(struct world *w)
{
	chan_free(&w->control, false);
	chan_free(&w->bulk, false);
	fake_env_settle(w->env);
}

static void say_count(struct world *w, enum msg kind, uint64_t id, uint64_t n)
{
	const struct msg_count m = { id, n };
	put_msg_count(chan_begin(w->control, (uint16_t)kind), &m);
	chan_end(w->control);
	fake_env_settle(w->env);
}

static void say_answer(struct world *w, bool accepted)
{
	struct msg_answer m = { .id = w->offer.offer, .accepted = accepted, .err = { .reason = -1, .diagnostic = -1 } };
	if (!accepted)
		err_set(&m.err, ERR_TEMP, ERR_OF_PROCESS, "the disk is full");
	put_msg_answer(chan_begin(w->control, MSG_OFFER_ANSWER), &m);
	chan_end(w->control);
	fake_env_settle(w->env);
}

static void say_open(struct world *w, uint64_t id)
{
	const struct msg_assoc m = { .assoc = id, .link = VIEW("to-a"), .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_assoc(chan_begin(w->control, MSG_ASSOC_OPEN), &m);
	chan_end(w->control);
	fake_env_settle(w->env);
}

/* --- peers --- */

static void peer_pump(struct peer *p);

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

static void peer_answer(struct peer *p)
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

static void peer_event(struct peer *p, const struct x400_event *ev)
{
	const struct x400_credentials own = { .present = true, .mta_name = VIEW("mta-a"), .has_password = true,
					      .password = VIEW("secret") };
	struct err e;
	p->seen[ev->kind]++;
	switch (ev->kind) {
	case X400_BIND: assert_true(x400_bind_accept(p->x, &own, &e)); break;
	case X400_BIND_REFUSED: p->bind_error = ev->bind_error; break;
	case X400_TRANSFER_DATA: out_bytes(&p->received, ev->bytes); break;
	case X400_TRANSFER_CHECKPOINT: x400_checkpoint_confirm(p->x, ev->serial); break;
	case X400_TRANSFER_END: peer_answer(p); break;
	default: break;
	}
}

static void peer_pump(struct peer *p)
{
	struct x400_event ev;
	struct err e;
	int64_t now = env_now_ms(p->w->env);
	while (x400_next(p->x, &ev, now) == STEP_DONE)
		peer_event(p, &ev);
	if (p->total > 0 && x400_can_transfer(p->x)) {
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

static struct x400_config peer_config(enum session_side side)
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

/* A peer calls the link. */
static struct peer *call_with(struct world *w, unsigned i, const struct x400_config *c)
{
	struct stream *ours, *theirs;
	fake_env_pair(w->env, &ours, &theirs);
	link_accepted(w->link, theirs);
	peer_begin(w, &w->peer[i], c, ours);
	peer_pump(&w->peer[i]);
	fake_env_settle(w->env);
	return &w->peer[i];
}

static struct peer *call(struct world *w, unsigned i)
{
	struct x400_config c = peer_config(SESSION_INITIATOR);
	c.session.called_tsel = VIEW("OURS");
	c.session.send_tsel = true;
	return call_with(w, i, &c);
}

/* The link calls a peer. */
static void on_called(void *ctx, struct stream *s)
{
	struct world *w = ctx;
	const struct x400_config c = peer_config(SESSION_RESPONDER);
	unsigned i = 0;
	while (w->peer[i].x != NULL)
		i++;
	peer_begin(w, &w->peer[i], &c, s);
}

/* --- messages --- */

static struct message *letter(struct world *w)
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

static void peer_sends(struct peer *p, size_t size, size_t cut)
{
	const struct p1_encode_options o = { .context_id = x400_transfer_context(p->x) };
	struct err e;
	uint8_t *content = mem_zero(size);
	assert_true(p1_encode_head(letter(p->w), size, &o, &p->to_send, &e));
	size_t keep = size - cut;
	out_bytes(&p->to_send, view_of(content, keep));
	free(content);
	p->total = out_len(&p->to_send);
	peer_pump(p);
	fake_env_settle(p->w->env);
}

static void say_transfer(struct world *w, uint64_t transfer, uint64_t assoc, size_t size)
{
	struct out packed;
	uint8_t content[MSG_INLINE_MAX] = { 0 };
	out_init(&packed, MSG_ENVELOPE_MAX);
	const struct message *m = letter(w);
	pack_message(&packed, m, 0, 1);
	const struct msg_transfer t = { .transfer = transfer, .assoc = assoc, .packed = out_view(&packed), .content_size = size,
					.content = size <= MSG_INLINE_MAX ? view_of(content, size) : (struct view){ NULL, 0 } };
	put_msg_transfer(chan_begin(w->control, MSG_TRANSFER), &t);
	chan_end(w->control);
	out_fini(&packed);
	fake_env_settle(w->env);
}

static void say_content(struct world *w, uint64_t transfer, size_t n)
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
	"limits:\n  associations: 2\nlinks:\n"                                                                            \
	"  - name: to-a\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-a\n    remote-password: secret\n"            \
	"    calling-tsel: OURS\n    association-lifetime: 20 s\n"                                                        \
	"routes:\n  - match: \"C=GB; A=SIM\"\n    to: to-a\n"

static void no_note(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static void no_death(void *ctx, const struct err *why)
{
	(void)ctx;
	fail_msg("%s", why->text);
}

static struct world *world_new(void)
{
	struct world *w = mem_zero(sizeof *w);
	struct err e;
	struct net_addr at;
	w->env = fake_env_new();
	w->a = arena_new((size_t)64 << 20);
	w->log_fd = memfd_create("events", 0);
	w->log = event_log_new(w->env, event_kinds, EVENT_KINDS, "link", w->log_fd, false);
	if (!settings_load(VIEW(SETTINGS), "test", &w->settings, w->a, &e))
		fail_msg("%s", e.text);
	const struct actor_host host = { .env = w->env, .log = w->log, .note = no_note, .die = no_death, .ctx = w };
	w->link = link_new(&host, &w->settings, 1);
	assert_true(net_addr_parse("127.0.0.1:2", &at, &e));
	w->listener = env_listen(w->env, &at, on_called, w, &e);
	assert_non_null(w->listener);
	switch_joins(w);
	return w;
}

static bool was_told(struct world *w, const char *event)
{
	char text[16384];
	ssize_t n = pread(w->log_fd, text, sizeof text - 1, 0);
	text[n < 0 ? 0 : n] = 0;
	return strstr(text, event) != NULL;
}

static void world_free(struct world *w)
{
	link_free(&w->link);
	for (size_t i = 0; i < ARRAY_LEN(w->peer); i++)
		if (w->peer[i].x != NULL) {
			if (w->peer[i].stream != NULL)
				stream_close(&w->peer[i].stream, false);
			x400_free(&w->peer[i].x);
			out_fini(&w->peer[i].to_send);
			out_fini(&w->peer[i].received);
		}
	if (w->control != NULL)
		switch_leaves(w);
	fake_env_settle(w->env);
	listener_close(&w->listener);
	event_log_free(&w->log);
	close(w->log_fd);
	fake_env_free(&w->env);
	arena_free(&w->a);
	free(w);
}

/* --- who calls --- */

static void test_a_wrong_password_is_bind_error_2(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct x400_config c = peer_config(SESSION_INITIATOR);
	c.session.called_tsel = VIEW("OURS");
	c.session.send_tsel = true;
	c.own.password = VIEW("secres");
	struct peer *p = call_with(w, 0, &c);
	assert_int_equal(p->seen[X400_BIND_REFUSED], 1);
	assert_int_equal(p->bind_error, X400_AUTHENTICATION);
	assert_true(was_told(w, "link.bad-credentials"));
	assert_int_equal(w->ups, 0);
	c.own.has_password = false;
	assert_int_equal(call_with(w, 1, &c)->bind_error, X400_AUTHENTICATION);
	world_free(w);
}

static void test_an_unknown_mta_is_bind_error_2(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct x400_config c = peer_config(SESSION_INITIATOR);
	c.session.called_tsel = VIEW("OURS");
	c.session.send_tsel = true;
	c.own.mta_name = VIEW("mta-b");
	assert_int_equal(call_with(w, 0, &c)->bind_error, X400_AUTHENTICATION);
	assert_true(was_told(w, "link.unknown-peer"));
	world_free(w);
}

static void test_tp_10_an_unknown_selector_is_refused_by_transport(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct x400_config c = peer_config(SESSION_INITIATOR);
	c.session.called_tsel = VIEW("THEIRS");
	c.session.send_tsel = true;
	struct peer *p = call_with(w, 0, &c);
	assert_int_equal(p->seen[X400_BOUND], 0);
	assert_int_equal(p->seen[X400_ENDED] + p->seen[X400_BIND_REFUSED], 1);
	assert_int_equal(w->ups, 0);
	world_free(w);
}

static void test_rt_26_over_the_limit_is_busy(void **state)
{
	(void)state;
	struct world *w = world_new();
	assert_int_equal(call(w, 0)->seen[X400_BOUND], 1);
	assert_int_equal(call(w, 1)->seen[X400_BOUND], 1);
	struct peer *third = call(w, 2); /* limits.associations is 2 */
	assert_int_equal(third->seen[X400_BIND_REFUSED], 1);
	assert_int_equal(third->bind_error, X400_BUSY);
	assert_true(was_told(w, "link.association-limit"));
	assert_int_equal(w->ups, 2);
	world_free(w);
}

static void test_without_a_switch_callers_are_told_busy(void **state)
{
	(void)state;
	struct world *w = world_new();
	switch_leaves(w);
	assert_int_equal(call(w, 0)->bind_error, X400_BUSY);
	switch_joins(w);
	assert_int_equal(call(w, 1)->seen[X400_BOUND], 1);
	world_free(w);
}

/* --- inbound --- */

static void test_a_small_message_is_confirmed_after_the_answer(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	peer_sends(p, 2000, 0);
	assert_int_equal(w->n_offers, 1);
	assert_int_equal(w->offer.content.n, 2000);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 0);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 1);
	peer_sends(p, 10, 0); /* and another one */
	assert_int_equal(w->n_offers, 2);
	say_answer(w, false);
	assert_int_equal(p->seen[X400_TRANSFER_FAILED], 1);
	assert_int_equal(p->seen[X400_ENDED], 0);
	world_free(w);
}

static void test_rt_30_a_stalled_stream_holds_up_nobody(void **state)
{
	(void)state;
	enum { SIZE = 4 << 20 };
	struct world *w = world_new();
	fake_env_set_window(w->env, 1 << 18); /* what the network holds for one that does not read */
	struct peer *p = call(w, 0), *q = call(w, 1);
	peer_sends(p, SIZE, 0);
	assert_int_equal(w->n_begins, 1);
	assert_true(w->data >= MSG_CREDIT && w->data <= MSG_CREDIT + 65536);
	const uint64_t stream = w->offer.offer, before = w->data;
	fake_env_settle(w->env);
	assert_int_equal(w->data, before); /* no credit, no octets */
	peer_sends(q, 100, 0);
	assert_int_equal(w->n_offers, 1);
	say_answer(w, true);
	assert_int_equal(q->seen[X400_TRANSFER_CONFIRMED], 1);
	uint64_t credited = 0;
	while (w->n_ends == 0) { /* at no time is more under way than the credit and one part */
		assert_true(w->data - credited <= MSG_CREDIT + 65536);
		const uint64_t now = w->data;
		say_count(w, MSG_OFFER_CREDIT, stream, now - credited);
		assert_true(w->n_ends > 0 || w->data > now);
		credited = now;
	}
	assert_int_equal(w->data, SIZE);
	assert_int_equal(w->end_total, SIZE);
	w->offer.offer = stream;
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 1);
	world_free(w);
}

static void test_a_truncated_message_is_refused_and_the_association_goes_on(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	peer_sends(p, 2000, 700);
	assert_int_equal(w->n_offers, 0);
	assert_int_equal(p->seen[X400_TRANSFER_FAILED], 1);
	assert_true(was_told(w, "message.undecodable"));
	peer_sends(p, 100000, 1); /* in the middle of a stream */
	assert_int_equal(w->n_begins, 1);
	assert_int_equal(w->cancels, 1);
	assert_int_equal(p->seen[X400_TRANSFER_FAILED], 2);
	peer_sends(p, 100, 0);
	say_answer(w, true);
	assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 1);
	world_free(w);
}

static void test_an_early_refusal_of_a_stream(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	peer_sends(p, 2 << 20, 0);
	assert_int_equal(w->n_ends, 0);
	say_answer(w, false);
	assert_int_equal(p->seen[X400_TRANSFER_FAILED], 1);
	assert_int_equal(p->seen[X400_ENDED], 0);
	world_free(w);
}

static void test_a_peer_that_goes_cancels_its_stream(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0);
	peer_sends(p, 2 << 20, 0);
	stream_close(&p->stream, false);
	fake_env_settle(w->env);
	for (unsigned i = 0; i < 20 && w->cancels == 0; i++) /* it is not read while it has no credit; then its end is seen */
		say_count(w, MSG_OFFER_CREDIT, w->offer.offer, MSG_CREDIT);
	assert_int_equal(w->cancels, 1);
	assert_int_equal(w->n_ends, 0);
	assert_int_equal(w->downs, 1);
	world_free(w);
}

static void test_the_switch_goes_in_the_middle(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *p = call(w, 0), *q = call(w, 1);
	peer_sends(p, 2 << 20, 0);
	peer_sends(q, 100, 0);
	switch_leaves(w);
	assert_int_equal(p->seen[X400_ENDED], 1);
	assert_int_equal(q->seen[X400_ENDED], 1);
	switch_joins(w);
	peer_sends(call(w, 2), 100, 0);
	say_answer(w, true);
	assert_int_equal(w->peer[2].seen[X400_TRANSFER_CONFIRMED], 1);
	world_free(w);
}

/* --- outbound --- */

static void test_an_order_with_pulled_content(void **state)
{
	(void)state;
	enum { SIZE = 1 << 20 };
	struct world *w = world_new();
	say_open(w, 5);
	assert_int_equal(w->ups, 1);
	assert_int_equal(w->up.assoc, 5);
	say_transfer(w, 70, 5, SIZE);
	uint64_t given = 0;
	while (given < w->pulled) {
		assert_true(w->pulled - given <= MSG_CREDIT);
		size_t n = (size_t)(w->pulled - given);
		given += n;
		say_content(w, 70, n);
	}
	assert_int_equal(given, SIZE);
	assert_int_equal(w->n_results, 1);
	assert_true(w->results[0].delivered);
	assert_true(out_len(&w->peer[0].received) > SIZE);
	world_free(w);
}

static void test_content_that_cannot_be_read_costs_that_message_only(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_open(w, 5);
	say_transfer(w, 70, 5, 1 << 20);
	say_transfer(w, 71, 5, 100);
	const struct msg_piece none = { 70, { NULL, 0 } };
	put_msg_piece(chan_begin(w->bulk, MSG_TRANSFER_DATA), &none);
	chan_end(w->bulk);
	fake_env_settle(w->env);
	assert_int_equal(w->n_results, 2);
	assert_int_equal(w->results[0].transfer, 70);
	assert_false(w->results[0].delivered);
	assert_int_equal(w->results[0].err.culprit, ERR_OF_MESSAGE);
	assert_true(w->results[1].delivered);
	world_free(w);
}

static void test_content_nobody_asked_for_is_nonsense(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_open(w, 5);
	say_transfer(w, 70, 5, 1 << 20);
	say_transfer(w, 71, 5, 1 << 20); /* its turn has not come, so it has pulled nothing */
	say_content(w, 71, 1);
	assert_true(w->closed > 0);
	world_free(w);
}

static void test_two_orders_back_to_back(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_open(w, 5);
	w->peer[0].answer = SILENT;
	say_transfer(w, 70, 5, 100);
	say_transfer(w, 71, 5, 100);
	assert_int_equal(w->peer[0].seen[X400_TRANSFER_END], 1);
	assert_int_equal(w->n_results, 0);
	w->peer[0].answer = ACCEPT;
	peer_answer(&w->peer[0]);
	peer_pump(&w->peer[0]);
	fake_env_settle(w->env);
	assert_int_equal(w->n_results, 2);
	assert_true(w->results[0].delivered && w->results[1].delivered);
	world_free(w);
}

/* How a transfer ends at the peer, and whom it is charged to. */
static void charge(enum answer answer, bool counted)
{
	struct world *w = world_new();
	say_open(w, 5);
	w->peer[0].answer = answer;
	say_transfer(w, 70, 5, 100);
	assert_int_equal(w->n_results, 1);
	assert_false(w->results[0].delivered);
	assert_int_equal(w->results[0].err.culprit == ERR_OF_MESSAGE, counted);
	assert_int_equal(w->downs, answer == REFUSE ? 0 : 1);
	world_free(w);
}

static void test_a_refusal_is_counted(void **state)
{
	(void)state;
	charge(REFUSE, true);
}

static void test_an_abort_inside_a_transfer_is_counted(void **state)
{
	(void)state;
	charge(ABORT, true);
}

static void test_a_lost_connection_is_not_counted(void **state)
{
	(void)state;
	charge(VANISH, false);
}

static void test_an_order_that_cannot_be_encoded_is_charged_to_it(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_open(w, 5);
	const struct msg_transfer t = { .transfer = 70, .assoc = 5, .packed = VIEW("\xff\xff"), .content_size = 0 };
	put_msg_transfer(chan_begin(w->control, MSG_TRANSFER), &t);
	chan_end(w->control);
	fake_env_settle(w->env);
	assert_int_equal(w->n_results, 1);
	assert_int_equal(w->results[0].err.culprit, ERR_OF_MESSAGE);
	say_transfer(w, 71, 5, 100); /* the association is as good as before */
	assert_true(w->results[1].delivered);
	world_free(w);
}

static void test_an_order_for_an_association_that_has_gone(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_transfer(w, 70, 99, 100);
	assert_int_equal(w->n_results, 1);
	assert_int_equal(w->results[0].err.culprit, ERR_OF_ASSOCIATION);
	world_free(w);
}

static void test_an_idle_association_is_released(void **state)
{
	(void)state;
	struct world *w = world_new();
	say_open(w, 5);
	fake_env_pass(w->env, 15 * 1000);
	say_transfer(w, 70, 5, 100); /* work sets the clock back */
	fake_env_pass(w->env, 15 * 1000);
	assert_int_equal(w->downs, 0);
	fake_env_pass(w->env, 10 * 1000);
	assert_int_equal(w->downs, 1);
	assert_int_equal(w->down.err.kind, ERR_NONE);
	assert_int_equal(w->peer[0].seen[X400_UNBOUND], 1);
	world_free(w);
}

static void on_stopped(void *ctx)
{
	((struct world *)ctx)->stopped = true;
}

static void test_stop_finishes_what_is_under_way(void **state)
{
	(void)state;
	struct world *w = world_new();
	struct peer *busy = call(w, 0);
	(void)call(w, 1); /* idle */
	peer_sends(busy, 100, 0);
	say_open(w, 5);
	link_stop(w->link, on_stopped, w);
	fake_env_settle(w->env);
	assert_false(w->stopped);
	assert_int_equal(w->peer[1].seen[X400_ENDED], 1);
	say_answer(w, true);
	fake_env_pass(w->env, 5000);
	assert_int_equal(busy->seen[X400_TRANSFER_CONFIRMED], 1);
	assert_true(w->stopped);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_wrong_password_is_bind_error_2),
		cmocka_unit_test(test_an_unknown_mta_is_bind_error_2),
		cmocka_unit_test(test_tp_10_an_unknown_selector_is_refused_by_transport),
		cmocka_unit_test(test_rt_26_over_the_limit_is_busy),
		cmocka_unit_test(test_without_a_switch_callers_are_told_busy),
		cmocka_unit_test(test_a_small_message_is_confirmed_after_the_answer),
		cmocka_unit_test(test_rt_30_a_stalled_stream_holds_up_nobody),
		cmocka_unit_test(test_a_truncated_message_is_refused_and_the_association_goes_on),
		cmocka_unit_test(test_an_early_refusal_of_a_stream),
		cmocka_unit_test(test_a_peer_that_goes_cancels_its_stream),
		cmocka_unit_test(test_the_switch_goes_in_the_middle),
		cmocka_unit_test(test_an_order_with_pulled_content),
		cmocka_unit_test(test_content_that_cannot_be_read_costs_that_message_only),
		cmocka_unit_test(test_content_nobody_asked_for_is_nonsense),
		cmocka_unit_test(test_two_orders_back_to_back),
		cmocka_unit_test(test_a_refusal_is_counted),
		cmocka_unit_test(test_an_abort_inside_a_transfer_is_counted),
		cmocka_unit_test(test_a_lost_connection_is_not_counted),
		cmocka_unit_test(test_an_order_that_cannot_be_encoded_is_charged_to_it),
		cmocka_unit_test(test_an_order_for_an_association_that_has_gone),
		cmocka_unit_test(test_an_idle_association_is_released),
		cmocka_unit_test(test_stop_finishes_what_is_under_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
