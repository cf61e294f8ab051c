/* session_capture_test.c - real associations (Nexor 2005, ISODE/PP) replayed through both sides of
 * the session machine. What we send is compared with what the recorded side sent, TSDU by TSDU; in
 * chunks of any size the events are the same. Fixtures: tests/corpus/x400_capture (from the
 * captures named in them); the whole pp-checkpoints.pcap where it is at hand. */
#include "flow/engine/x400/session.h"
#include "flow/engine/x400/stack_test.h"

#include <stdio.h>
#include <stdlib.h>

struct capture {
	struct out from_initiator, from_responder;
};

static void capture_fini(struct capture *c)
{
	out_fini(&c->from_initiator);
	out_fini(&c->from_responder);
}

static struct capture load(const char *name)
{
	struct capture c;
	out_init(&c.from_initiator, 1 << 20);
	out_init(&c.from_responder, 1 << 20);
	const char *root = getenv("POSTHORN_SOURCE");
	char path[1024], line[1024];
	snprintf(path, sizeof path, "%s/tests/corpus/x400_capture/%s.hex",
		 root == NULL ? "." : root, name);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		fail_msg("cannot read %s", path);
	struct out *to = NULL;
	while (fgets(line, sizeof line, f) != NULL) {
		if (line[0] == '>')
			to = &c.from_initiator;
		else if (line[0] == '<')
			to = &c.from_responder;
		else if (line[0] != '#')
			assert_true(text_unhex(to, view_str(line)));
	}
	fclose(f);
	assert_true(out_len(&c.from_initiator) > 0 && out_len(&c.from_responder) > 0);
	return c;
}

/* ---- an independent splitter: TPKTs, TSDUs ---- */

static struct view next_tpdu(struct view *stream)
{
	size_t n = (size_t)stream->p[2] << 8 | stream->p[3];
	struct view t = view_from(view_first(*stream, n), 4);
	*stream = view_from(*stream, n);
	return t;
}

/* The k-th TSDU (0: the first after CR or CC), whole, in *o; false when there is none. */
static bool tsdu_at(struct view stream, size_t k, struct out *o)
{
	out_clear(o);
	while (stream.n > 0) {
		struct view t = next_tpdu(&stream);
		if (t.p[1] != 0xf0)
			continue;
		if (k == 0)
			out_bytes(o, view_from(t, 3));
		if (t.p[2] == 0x80 && k-- == 0)
			return true;
	}
	return false;
}

static size_t count_tsdus(struct view stream)
{
	size_t n = 0;
	while (stream.n > 0) {
		struct view t = next_tpdu(&stream);
		n += t.p[1] == 0xf0 && t.p[2] == 0x80;
	}
	return n;
}

/* The user data of an SPDU: after c1 (or, in RF, in PI 32 after the reason). Good enough for what
 * was captured. */
static struct view user_data_of(struct view tsdu)
{
	bool refuse = tsdu.p[0] == 0x0c;
	for (size_t at = 2; at + 1 < tsdu.n;) {
		struct view v = view_first(view_from(tsdu, at + 2), tsdu.p[at + 1]);
		if (tsdu.p[at] == 0xc1)
			return v;
		if (refuse && tsdu.p[at] == 0x32)
			return view_from(v, 1);
		at += 2 + v.n;
	}
	return (struct view){NULL, 0};
}

static uint16_t own_ref(struct view stream, size_t at)
{
	struct view t = next_tpdu(&stream);
	return (uint16_t)(t.p[at] << 8 | t.p[at + 1]);
}

/* ---- the two sides ---- */

struct side {
	struct session *s;
	struct capture *c;
	struct out log;
	struct out scratch;
	bool initiator, nexor_accept;
	size_t request; /* initiator: which TSDU comes next */
	bool blocked, over;
};

static struct session_config config_for(const char *name, const struct capture *c, bool initiator)
{
	bool pp = strncmp(name, "pp", 2) == 0;
	struct session_config config = {
		.side = initiator ? SESSION_INITIATOR : SESSION_RESPONDER,
		.calling_tsel = pp ? VIEW("ppa") : VIEW("X400-88"),
		.called_tsel = pp ? VIEW("591") : VIEW("X400-88"),
		.send_tsel = initiator,
		.tpdu_size = pp ? 2048 : 65531,
		.send_ssel = !initiator,
		.versions = pp && initiator ? 3 : 2,
		.collect_max = 10000,
		.out_max = 100000,
	};
	config.local_ref =
		own_ref(out_view(initiator ? &c->from_initiator : &c->from_responder), 4);
	if (initiator && pp)
		config.tsdu_max_in = config.tsdu_max_out = 2041;
	return config;
}

static void side_init(struct side *x, const char *name, struct capture *c, bool initiator)
{
	*x = (struct side){.c = c, .initiator = initiator};
	struct session_config config = config_for(name, c, initiator);
	out_init(&x->log, 1 << 22);
	out_init(&x->scratch, 1 << 20);
	struct out cn;
	out_init(&cn, 1 << 16);
	assert_true(tsdu_at(out_view(&c->from_initiator), 0, &cn));
	if (initiator) { /* its references, as in the recorded CONNECT: 01 LL 0a LL ... 0b LL ... */
		size_t n = cn.p[5];
		config.user_ref = view_of(cn.p + 6, n);
		config.common_ref = view_of(cn.p + 6 + n + 2, cn.p[6 + n + 1]);
	}
	x->s = session_new(&config);
	if (initiator)
		assert_true(session_connect(x->s, user_data_of(out_view(&cn)), NULL));
	out_fini(&cn);
}

static void side_fini(struct side *x)
{
	session_free(&x->s);
	out_fini(&x->log);
	out_fini(&x->scratch);
}

static struct view recorded_answer(struct side *x, unsigned si)
{
	for (size_t k = 0; tsdu_at(out_view(&x->c->from_responder), k, &x->scratch); k++)
		if (x->scratch.p[x->scratch.head] == si)
			return user_data_of(out_view(&x->scratch));
	return (struct view){NULL, 0};
}

static bool recorded_refusal(struct side *x)
{
	assert_true(tsdu_at(out_view(&x->c->from_responder), 0, &x->scratch));
	return x->scratch.p[x->scratch.head] == 0x0c;
}

/* The responder answers as the recorded one did. */
static void answer(struct side *x, const struct session_event *ev)
{
	switch ((int)ev->kind) {
	case SESSION_T_CONNECT: session_t_accept(x->s); break;
	case SESSION_CONNECT:
		if (recorded_refusal(x))
			assert_true(session_refuse(x->s, 2, recorded_answer(x, 0x0c), NULL));
		else
			assert_true(session_accept(x->s, recorded_answer(x, 0x0e), NULL));
		break;
	case SESSION_MINOR_SYNC:
		assert_true(ev->explicit_ack);
		assert_true(session_minor_sync_response(x->s, ev->serial, NULL));
		break;
	case SESSION_ACTIVITY_END: assert_true(session_activity_end_response(x->s, NULL)); break;
	case SESSION_RELEASE:
		assert_true(session_release_response(x->s, recorded_answer(x, 0x0a), NULL));
		break;
	}
}

/* The initiator asks what the recorded one asked, until an answer is due. */
static void ask(struct side *x)
{
	while (!x->blocked && tsdu_at(out_view(&x->c->from_initiator), x->request, &x->scratch)) {
		struct view t = out_view(&x->scratch);
		uint32_t serial;
		struct err e = {0};
		bool ok = false;
		x->request++;
		if (t.p[0] == 0x09) {
			ok = session_release(x->s, user_data_of(t), &e);
			x->blocked = true;
		} else if (t.p[2] == 0x2d) {
			ok = session_activity_start(x->s, view_first(view_from(t, 6), t.p[5]), &e);
		} else if (t.p[2] == 0x31) {
			ok = session_minor_sync(x->s, &serial, &e);
		} else if (t.p[2] == 0x29) {
			ok = session_activity_end(x->s, &e);
			x->blocked = true;
		} else if (t.p[2] == 0x01) {
			ok = session_data_begin(x->s, &e);
			session_data_bytes(x->s, view_from(t, 4));
			session_data_end(x->s);
		}
		if (!ok)
			fail_msg("request %zu: %s", x->request, e.text);
		session_check_state(x->s);
	}
}

static void note(struct side *x, const struct session_event *ev)
{
	if (ev->kind ==
	    SESSION_DATA) { /* parts run together: where they are cut is not part of the meaning */
		text_hex(&x->log, ev->bytes);
		if (ev->last)
			out_str(&x->log, " DATA\n");
		return;
	}
	out_fmt(&x->log, "%s serial %u reason %u version %u ", session_event_name(ev->kind),
		ev->serial, ev->reason, ev->versions);
	text_hex(&x->log, ev->bytes);
	const struct view views[] = {ev->activity,     ev->user_ref,	ev->common_ref,
				     ev->calling_tsel, ev->called_tsel, ev->calling_ssel,
				     ev->called_ssel};
	for (size_t i = 0; i < ARRAY_LEN(views); i++) {
		out_str(&x->log, " ");
		text_hex(&x->log, views[i]);
	}
	out_str(&x->log, "\n");
}

static void pull(struct side *x)
{
	struct session_event ev;
	struct err e = {0};
	enum step step;
	while ((step = session_next(x->s, &ev, &e)) == STEP_DONE) {
		session_check_state(x->s);
		note(x, &ev);
		if (!x->initiator)
			answer(x, &ev);
		else if (ev.kind == SESSION_ACCEPTED)
			x->request = 1;
		if (ev.kind == SESSION_ACTIVITY_END_CONFIRM)
			x->blocked = false;
		if (x->initiator && x->request > 0)
			ask(x);
		x->over = x->over || ev.kind == SESSION_RELEASED || ev.kind == SESSION_REFUSED;
	}
	if (step == STEP_FAIL)
		fail_msg("%s", e.text);
}

static void feed(struct side *x, struct view in, size_t chunk)
{
	while (in.n > 0) {
		size_t n = session_feed(x->s, view_first(in, chunk));
		assert_true(n > 0);
		in = view_from(in, n);
		pull(x);
	}
}

static struct view incoming(struct side *x)
{
	return out_view(x->initiator ? &x->c->from_responder : &x->c->from_initiator);
}

static void assert_same_tsdus(struct view got, struct view want)
{
	struct out a, b;
	out_init(&a, 1 << 20);
	out_init(&b, 1 << 20);
	size_t n = count_tsdus(want);
	assert_int_equal(count_tsdus(got), n);
	for (size_t k = 0; k < n; k++) {
		assert_true(tsdu_at(got, k, &a) && tsdu_at(want, k, &b));
		if (!view_eq(out_view(&a), out_view(&b)))
			fail_msg("TSDU %zu differs", k);
	}
	out_fini(&a);
	out_fini(&b);
}

static const char *const names[] = {"p772-recover-refused", "p772-message", "ping",
				    "pp-message",	    "pp-message-3", "pp-checkpoints"};

/* The recorded PP responders close CC with a TPDU size; their AC says what ours says. */
static void test_responder_answers_as_recorded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct capture c = load(names[i]);
		struct side x;
		side_init(&x, names[i], &c, false);
		feed(&x, incoming(&x), 100000);
		struct view got = out_view(session_out(x.s)), want = out_view(&c.from_responder);
		assert_true(view_eq(next_tpdu(&(struct view){got.p, got.n}),
				    next_tpdu(&(struct view){want.p, want.n})));
		if (i == ARRAY_LEN(names) - 1) /* a prefix of the capture: some confirmations were
						  still under way */
			got.n = got.n < want.n ? got.n : want.n;
		assert_true(view_eq(got, view_first(want, got.n)));
		assert_true(got.n + 100 >= want.n);
		side_fini(&x);
		capture_fini(&c);
	}
}

static void test_initiator_asks_as_recorded(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names) - 1; i++) {
		struct capture c = load(names[i]);
		struct side x;
		side_init(&x, names[i], &c, true);
		feed(&x, incoming(&x), 100000);
		assert_true(x.over && session_wants_close(x.s));
		struct view got = out_view(session_out(x.s)), want = out_view(&c.from_initiator);
		assert_true(view_eq(next_tpdu(&(struct view){got.p, got.n}),
				    next_tpdu(&(struct view){want.p, want.n})));
		assert_same_tsdus(got, want);
		side_fini(&x);
		capture_fini(&c);
	}
}

static void log_of(const char *name, bool initiator, size_t chunk, size_t cut, struct out *log)
{
	struct capture c = load(name);
	struct side x;
	side_init(&x, name, &c, initiator);
	feed(&x, view_first(incoming(&x), cut), chunk);
	*log = x.log;
	out_init(&x.log, 0);
	side_fini(&x);
	capture_fini(&c);
}

static void test_same_events_in_any_chunks(void **state)
{
	(void)state;
	static const size_t chunks[] = {1, 2, 3, 5, 7, 64, 1000, 1400};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		for (unsigned side = 0; side < 2; side++) {
			if (side == 1 && i == ARRAY_LEN(names) - 1)
				continue; /* the prefix of a capture has no end for an initiator to
					     ask for */
			struct out whole, parts;
			log_of(names[i], side == 1, SIZE_MAX, SIZE_MAX, &whole);
			assert_true(out_len(&whole) > 100);
			for (size_t k = 0; k < ARRAY_LEN(chunks); k++) {
				log_of(names[i], side == 1, chunks[k], SIZE_MAX, &parts);
				assert_string_equal(out_cstr(&parts), out_cstr(&whole));
				out_fini(&parts);
			}
			out_fini(&whole);
		}
}

static void test_cut_at_every_offset(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names) - 1; i++)
		for (unsigned side = 0; side < 2; side++) {
			struct capture c = load(names[i]);
			size_t n = out_len(side == 1 ? &c.from_responder : &c.from_initiator);
			capture_fini(&c);
			struct out whole, part;
			log_of(names[i], side == 1, SIZE_MAX, SIZE_MAX, &whole);
			for (size_t cut = 0; cut < n; cut++) {
				log_of(names[i], side == 1, 1 + cut % 13, cut, &part);
				assert_true(view_eq(out_view(&part),
						    view_first(out_view(&whole), out_len(&part))));
				out_fini(&part);
			}
			out_fini(&whole);
		}
}

/* ---- the whole checkpoint capture ---- */

static void load_pcap(const char *path, unsigned responder_port, struct capture *c)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("cannot read %s", path);
	uint8_t head[24], record[16];
	static uint8_t packet[70000];
	assert_int_equal(fread(head, 1, sizeof head, f), sizeof head);
	while (fread(record, 1, sizeof record, f) == sizeof record) {
		uint32_t n =
			(uint32_t)record[8] | (uint32_t)record[9] << 8 | (uint32_t)record[10] << 16;
		assert_true(n <= sizeof packet && fread(packet, 1, n, f) == n);
		const uint8_t *ip = packet + 14, *tcp = ip + 4 * (ip[0] & 15);
		size_t total = (size_t)ip[2] << 8 | ip[3];
		size_t heads = 4u * (ip[0] & 15u) + 4u * (tcp[12] >> 4);
		bool to_responder = (unsigned)(tcp[2] << 8 | tcp[3]) == responder_port;
		out_bytes(to_responder ? &c->from_initiator : &c->from_responder,
			  view_of(ip + heads, total - heads));
	}
	fclose(f);
}

static void test_pp_checkpoints_whole(void **state)
{
	(void)state;
	const char *shared = getenv("POSTHORN_SHARED");
	if (shared == NULL || shared[0] == 0) {
		print_message("skipped: POSTHORN_SHARED does not name the captures\n");
		skip();
	}
	char path[1024];
	snprintf(path, sizeof path, "%s/pcap/pp-checkpoints.pcap", shared);
	struct capture c;
	out_init(&c.from_initiator, 1 << 20);
	out_init(&c.from_responder, 1 << 20);
	load_pcap(path, 20102, &c);
	assert_int_equal(out_len(&c.from_initiator), 209363);
	assert_int_equal(out_len(&c.from_responder), 3235);
	for (unsigned side = 0; side < 2; side++) {
		struct side x;
		side_init(&x, "pp-checkpoints", &c, side == 1);
		feed(&x, incoming(&x), 1460);
		struct view got = out_view(session_out(x.s));
		if (side == 0) {
			assert_true(view_eq(got, out_view(&c.from_responder)));
		} else {
			assert_same_tsdus(got, out_view(&c.from_initiator));
			assert_true(x.over);
		}
		side_fini(&x);
	}
	capture_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_responder_answers_as_recorded),
		cmocka_unit_test(test_initiator_asks_as_recorded),
		cmocka_unit_test(test_same_events_in_any_chunks),
		cmocka_unit_test(test_cut_at_every_offset),
		cmocka_unit_test(test_pp_checkpoints_whole),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
