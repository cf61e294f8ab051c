/* link_84_test.c - links to systems of 1984, and what a link's settings leave out of an envelope. The peer is an x400 machine; what it got
 * is read with the tables of the mode that was agreed. Addresses after RFC 1328 3. */
#include "proc/link/link_testing.h"

#include "base/mem.h"
#include "flow/codec/p1/p1.h"
#include "flow/message/downgrade.h"
#include "flow/message/pack.h"
#include "proc/link/link_int.h"

static const struct ber_limits limits = { .depth = 40, .elements = 100000, .bytes = 1 << 20 };

static struct set_link *the_link(struct world *w)
{
	return (struct set_link *)(uintptr_t)link_find(w->link, VIEW("to-a"));
}

static struct oraddr address(struct world *w, const char *text)
{
	struct oraddr addr;
	struct err e;
	if (!oraddr_parse(view_str(text), &addr, w->a, ORADDR_CARRY, &e))
		fail_msg("%s", e.text);
	return addr;
}

static void assert_addr(const struct oraddr *addr, const char *want)
{
	struct out o;
	out_init(&o, 1 << 16);
	oraddr_print(addr, ORADDR_F401, &o);
	assert_string_equal(out_cstr(&o), want);
	out_fini(&o);
}

/* A letter with a common name, bilateral information, a wish for its content, and internal trace. */
static struct message *rich_letter(struct world *w)
{
	static const uint8_t bilateral[] = { 0x30, 0x0d, 0x61, 4, 0x13, 2, 'g', 'b', 0x62, 3, 0x13, 1, 'x', 5, 0 };
	struct message *m = letter(w);
	m->originator = address(w, "CN=list; O=o; A=SIM; C=GB");
	m->rcpt[0].addr = address(w, "PD-A1=a street; A=SIM; C=FR");
	m->bilateral = arena_get(w->a, sizeof *m->bilateral);
	m->bilateral[0] = view_of(bilateral, sizeof bilateral);
	m->n_bilateral = 1;
	m->has_indicators = true;
	m->indicators = IND_DISCLOSURE | IND_CONTENT_RETURN;
	assert_true(m->internal_trace.n > 0);
	return m;
}

static void transfer(struct world *w, uint64_t id, uint64_t assoc, const struct message *m)
{
	struct out packed;
	out_init(&packed, MSG_ENVELOPE_MAX);
	pack_message(&packed, m, 0, m->n_rcpt);
	const struct msg_transfer t = { .transfer = id, .assoc = assoc, .packed = out_view(&packed), .content_size = 3,
					.stored = 1000 + id, .content = VIEW("abc") };
	put_msg_transfer(chan_begin(w->control, MSG_TRANSFER), &t);
	chan_end(w->control);
	out_fini(&packed);
	fake_env_settle(w->env);
}

/* What the first peer has got. */
static struct message *received(struct world *w, enum p1_tables tables)
{
	struct message *m = arena_get(w->a, sizeof *m);
	struct view content;
	struct err e;
	struct view apdu = arena_copy(w->a, out_view(&w->peer[0].received));
	if (!p1_decode_by(tables, apdu, m, &content, w->a, &limits, &e))
		fail_msg("%s", e.text);
	assert_true(view_eq(content, VIEW("abc")));
	return m;
}

static void test_dg_01_dg_06_a_link_of_1984_sends_envelopes_of_1984(void **state)
{
	(void)state;
	struct world *w = world_new();
	the_link(w)->conformance = CONFORMANCE_1984;
	say_open(w, 1);
	assert_int_equal(w->ups, 1);
	transfer(w, 7, 1, rich_letter(w));
	assert_int_equal(x400_mode(w->peer[0].x), X400_X410_84);
	assert_int_equal(w->n_results, 1);
	assert_true(w->results[0].delivered);
	const struct message *m = received(w, P1_1984);
	assert_addr(&m->originator, "DDA:Common=list; O=o; A=SIM; C=GB");
	/* X400-88 stands in our domain: it comes back to us */
	assert_addr(&m->rcpt[0].addr, "DDA:X400-88=/PD-ADDRESS=a street/ADMD=SIM/C=FR/; A=SIM; C=FR");
	assert_int_equal(m->internal_trace.n, 0);
	assert_int_equal(m->n_bilateral, 1);
	assert_int_equal(m->indicators, IND_DISCLOSURE | IND_CONTENT_RETURN);
	world_free(w);
}

/* To one of 1988 nothing changes. */
static void test_a_link_of_1988_sends_all_of_it(void **state)
{
	(void)state;
	for (unsigned mode = CONFORMANCE_1988; mode <= CONFORMANCE_X410; mode++) {
		struct world *w = world_new();
		the_link(w)->conformance = mode;
		say_open(w, 1);
		transfer(w, 7, 1, rich_letter(w));
		const struct message *m = received(w, P1_1988);
		assert_addr(&m->originator, "CN=list; O=o; A=SIM; C=GB");
		assert_addr(&m->rcpt[0].addr, "PD-A1=a street; A=SIM; C=FR");
		assert_int_equal(m->internal_trace.n, 1);
		assert_int_equal(m->n_bilateral, 1);
		world_free(w);
	}
}

/* Each of the settings in each mode. */
static void test_k157358_k177374_k168137_k151413_k260343_settings_of_a_link(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 48; i++) {
		const unsigned mode = i / 16;
		struct world *w = world_new();
		struct set_link *k = the_link(w);
		k->conformance = mode;
		k->strip_bilateral = i & 1;
		k->strip_internal_trace = i & 2;
		k->keep_internal_trace_84 = i & 4;
		k->ask_content_return = !(i & 8);
		say_open(w, 1);
		transfer(w, 7, 1, rich_letter(w));
		const struct message *m = received(w, mode == CONFORMANCE_1984 ? P1_1984 : P1_1988);
		const bool trace = !(i & 2) && (mode != CONFORMANCE_1984 || (i & 4) != 0);
		assert_int_equal(m->n_bilateral, (i & 1) == 0);
		assert_int_equal(m->internal_trace.n, trace);
		assert_int_equal(m->indicators, IND_DISCLOSURE | ((i & 8) == 0 ? IND_CONTENT_RETURN : 0));
		world_free(w);
	}
}

/* The switch has asked before; should it not have, the message fails and is reported, and the next one goes. */
static void test_dg_04_an_address_without_a_form_fails_its_message(void **state)
{
	(void)state;
	struct world *w = world_new();
	the_link(w)->conformance = CONFORMANCE_1984;
	say_open(w, 1);
	struct message *m = rich_letter(w);
	struct oraddr_attr long_one = { .type = ORA_EXTENSION_RAW, .form = ORA_RAW, .number = 77 };
	long_one.value = view_of(arena_get(w->a, 600), 600);
	m->rcpt[0].addr = (struct oraddr){ &long_one, 1, { NULL, 0 } };
	transfer(w, 7, 1, m);
	assert_int_equal(w->n_results, 1);
	assert_false(w->results[0].delivered);
	assert_int_equal(w->results[0].err.kind, ERR_PERM);
	assert_int_equal(w->results[0].err.reason, 2);
	assert_int_equal(w->results[0].err.diagnostic, 47);
	transfer(w, 8, 1, rich_letter(w));
	assert_int_equal(w->n_results, 2);
	assert_true(w->results[1].delivered);
	world_free(w);
}

/* A caller of 1984 is recognised, and its addresses are those of 1988 from here on. */
static void test_dg_02_what_comes_from_1984(void **state)
{
	(void)state;
	for (unsigned mode = X400_NORMAL; mode <= X400_X410_84; mode++) {
		struct world *w = world_new();
		struct x400_config c = peer_config(SESSION_INITIATOR);
		c.session.called_tsel = VIEW("OURS");
		c.session.send_tsel = true;
		c.mode = (enum x400_mode)mode;
		struct peer *p = call_with(w, 0, &c);
		assert_int_equal(p->seen[X400_BOUND], 1);
		struct message *m = letter(w), got;
		m->originator = address(w, "DDA:Common=list; A=SIM; C=GB");
		m->rcpt[0].addr = address(w, "DDA:X400-88=/CN==n/ADMD==b/C==it/; A=SIM; C=FR");
		const struct p1_encode_options options = { .context_id = mode == X400_NORMAL ? 5 : 0, .as_1984 = mode == X400_X410_84 };
		struct out o;
		struct err e;
		out_init(&o, 1 << 20);
		assert_true(p1_encode_head(m, 3, &options, &o, &e));
		out_str(&o, "abc");
		peer_sends_octets(p, out_view(&o));
		assert_int_equal(w->n_offers, 1);
		assert_true(unpack_message(w->offer.packed, &got, w->a, &e));
		if (mode == X400_X410_84) {
			assert_addr(&got.originator, "CN=list; A=SIM; C=GB");
			assert_addr(&got.rcpt[0].addr, "CN=n; A=b; C=it");
		} else {
			assert_addr(&got.originator, "DDA:Common=list; A=SIM; C=GB");
		}
		say_answer(w, true);
		assert_int_equal(p->seen[X400_TRANSFER_CONFIRMED], 1);
		out_fini(&o);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dg_01_dg_06_a_link_of_1984_sends_envelopes_of_1984),
		cmocka_unit_test(test_a_link_of_1988_sends_all_of_it),
		cmocka_unit_test(test_k157358_k177374_k168137_k151413_k260343_settings_of_a_link),
		cmocka_unit_test(test_dg_04_an_address_without_a_form_fails_its_message),
		cmocka_unit_test(test_dg_02_what_comes_from_1984),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
