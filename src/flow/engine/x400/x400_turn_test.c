/* x400_turn_test.c - two-way alternate dialogue: X.228 8.4, 8.5, X.225 7.17 to 7.19, in every mode. */
#include "flow/engine/x400/wire_test.h"

enum { TURN_MS = 700 };

static void twa_config(struct pair *p, enum x400_mode mode)
{
	pair_config(p);
	p->ci.mode = mode;
	p->ci.two_way_alternate = p->cr.two_way_alternate = true;
	p->ci.turn_timeout_ms = p->cr.turn_timeout_ms = TURN_MS;
}

static void twa_open(struct pair *p, enum x400_mode mode)
{
	twa_config(p, mode);
	pair_bind(p, NULL);
	assert_true(p->i.last[X400_BOUND].peer_two_way_alternate);
}

/* --- on the wire --- */

/* PLEASE TOKENS asks for all three, with RTTP in its context, or bare; the turn goes with GTC and GTA. */
static void test_ss_25_please_give_and_its_answer(void **state)
{
	(void)state;
	static const char *const please[X400_MODE_COUNT] = { "02(100115 c1(61(30(020103 a0(020102)))))", "02(100115 c1(020102))",
							     "02(100115 c1(020102))" };
	for (unsigned mode = 0; mode < X400_MODE_COUNT; mode++) {
		struct pair p;
		struct err e;
		twa_open(&p, (enum x400_mode)mode);
		drain(&p.i);
		drain(&p.r);
		assert_true(x400_turn_please(p.r.x, 2, p.r.now, &e));
		const struct view v = out_view(x400_out(p.r.x));
		const struct view want = octets_of(a, please[mode]);
		assert_true(v.n > 7 && view_eq(view_from(v, 7), want));
		pump(&p.i, &p.r, NULL);
		assert_int_equal(p.i.count[X400_TURN_PLEASE], 1);
		assert_int_equal(p.i.priority, 2);
		assert_true(x400_turn_give(p.i.x, &e));
		assert_octets(view_from(out_view(x400_out(p.i.x)), 7), "1500");
		assert_false(x400_has_turn(p.i.x));
		pump(&p.i, &p.r, NULL);
		assert_int_equal(p.r.count[X400_TURN_GIVEN], 1);
		assert_true(x400_has_turn(p.r.x));
		assert_int_equal(tsdus_that_begin(&p.r.sent, "1600"), 1);
		assert_int_equal(x400_deadline(p.i.x), INT64_MAX);
		pair_close(&p);
	}
}

static void test_ss_25_in_monologue_it_is_an_error(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode < X400_MODE_COUNT; mode++) {
		struct pair p;
		struct err e;
		pair_config(&p);
		p.ci.mode = (enum x400_mode)mode;
		pair_bind(&p, NULL);
		assert_false(x400_turn_give(p.i.x, &e));
		assert_false(x400_turn_please(p.r.x, 0, p.r.now, &e));
		say(&p.r, "1500");
		assert_ended(&p.r, "monologue");
		drain(&p.r);
		assert_int_equal(tsdus_that_begin(&p.r.sent, "19"), 1);
		pair_close(&p);
	}
}

static void test_please_in_monologue_is_let_pass(void **state)
{
	(void)state;
	struct pair p;
	pair_config(&p);
	pair_bind(&p, NULL);
	say(&p.i, "02(100115)");
	assert_int_equal(p.i.count[X400_TURN_PLEASE] + p.i.count[X400_ENDED], 0);
	pair_close(&p);
}

static void test_please_without_priority_is_urgent_and_damaged_is_an_error(void **state)
{
	(void)state;
	static const struct { const char *please; bool good; } rows[] = {
		{ "02(100115)", true }, { "02(100115 c1(0500))", false }, { "02(100115 c1(0201))", false }, { "02(100115 c1(0201ff))", false },
	};
	for (unsigned mode = 0; mode < X400_MODE_COUNT; mode++) {
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct pair p;
			twa_open(&p, (enum x400_mode)mode);
			p.i.priority = 9;
			say(&p.i, rows[i].please);
			assert_int_equal(p.i.count[X400_TURN_PLEASE], rows[i].good);
			assert_int_equal(p.i.count[X400_ENDED], !rows[i].good);
			assert_int_equal(p.i.priority, rows[i].good ? 0 : 9);
			pair_close(&p);
		}
	}
}

/* --- crossings --- */

/* The turn is given while it is asked for: the request is served, and not heard again. */
static void test_please_crosses_give(void **state)
{
	(void)state;
	struct pair p;
	struct err e;
	twa_open(&p, X400_NORMAL);
	assert_true(x400_turn_please(p.r.x, 1, p.r.now, &e));
	assert_true(x400_turn_give(p.i.x, &e));
	pump(&p.i, &p.r, NULL);
	assert_int_equal(p.r.count[X400_TURN_GIVEN], 1);
	assert_int_equal(p.i.count[X400_TURN_PLEASE], 0);
	assert_int_equal(x400_deadline(p.r.x), p.r.now + p.cr.idle_timeout_ms);
	pair_close(&p);
}

/* Asked for again at once: session says it when the turn has been acknowledged, and the time runs all the same. */
static void test_a_wish_before_the_turn_is_acknowledged(void **state)
{
	(void)state;
	struct pair p;
	struct err e;
	twa_open(&p, X400_X410_84);
	assert_true(x400_turn_give(p.i.x, &e));
	assert_true(x400_turn_please(p.i.x, 1, p.i.now, &e));
	assert_int_equal(x400_deadline(p.i.x), p.i.now + TURN_MS);
	pump(&p.i, &p.r, NULL);
	assert_int_equal(p.r.count[X400_TURN_GIVEN], 1);
	assert_int_equal(p.r.count[X400_TURN_PLEASE], 1);
	assert_true(x400_turn_give(p.r.x, &e));
	pump(&p.i, &p.r, NULL);
	assert_int_equal(p.i.count[X400_TURN_GIVEN], 1);
	assert_int_equal(x400_deadline(p.i.x), INT64_MAX);
	pair_close(&p);
}

/* In the middle of the peer's transfer it may be asked for; its time does not run while octets come. */
static void test_a_wish_in_a_transfer(void **state)
{
	(void)state;
	struct pair p;
	struct err e;
	uint64_t done = 0;
	twa_open(&p, X400_NORMAL);
	p.r.hold_end = true;
	assert_true(x400_transfer_begin(p.i.x, 3000, p.i.now, &e));
	give(&p.i, 1000, &done);
	pump(&p.i, &p.r, NULL);
	assert_true(x400_turn_please(p.r.x, 0, p.r.now, &e));
	pump(&p.i, &p.r, NULL);
	assert_int_equal(p.i.count[X400_TURN_PLEASE], 1);
	p.r.now += TURN_MS;
	x400_tick(p.r.x, p.r.now);
	while (done < 3000) {
		give(&p.i, 3000, &done);
		pump(&p.i, &p.r, NULL);
	}
	assert_int_equal(p.r.count[X400_TRANSFER_END], 1);
	assert_true(x400_turn_please(p.r.x, 0, p.r.now, &e)); /* ... and before it is answered */
	assert_true(x400_transfer_accept(p.r.x, &e));
	p.r.now += 10;
	pump(&p.i, &p.r, NULL);
	assert_int_equal(x400_deadline(p.r.x), p.r.now + TURN_MS); /* anew: the peer has shown that it has the turn */
	assert_true(x400_turn_give(p.i.x, &e));
	pump(&p.i, &p.r, NULL);
	assert_int_equal(p.r.count[X400_TURN_GIVEN], 1);
	pair_close(&p);
}

/* --- nobody has it --- */

/* The turn is lost on the way: what acknowledged it was not the peer. */
static void lose_the_turn(struct pair *p, enum x400_mode mode)
{
	struct err e;
	twa_open(p, mode);
	assert_true(x400_turn_give(p->i.x, &e));
	drain(&p->i);
	say(&p->i, "1600");
	assert_false(x400_has_turn(p->i.x));
	assert_false(x400_has_turn(p->r.x));
}

static void pass_time(struct user *u, int64_t ms)
{
	u->now += ms;
	x400_tick(u->x, u->now);
	(void)user_run(u);
}

static void test_k166594_both_believe_the_other_has_the_turn(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode < X400_MODE_COUNT; mode++) {
		struct pair p;
		struct err e;
		lose_the_turn(&p, (enum x400_mode)mode);
		assert_true(x400_turn_please(p.r.x, 0, p.r.now, &e));
		assert_true(x400_turn_please(p.i.x, 0, p.i.now, &e));
		pump(&p.i, &p.r, NULL);
		assert_int_equal(p.i.count[X400_TURN_PLEASE] + p.r.count[X400_TURN_PLEASE], 0);
		assert_int_equal(x400_deadline(p.i.x), p.i.now + TURN_MS);
		pass_time(&p.i, TURN_MS - 1);
		assert_int_equal(p.i.count[X400_ENDED], 0);
		pass_time(&p.i, 1);
		assert_ended(&p.i, "no turn for 700 ms");
		assert_int_equal(p.i.last[X400_ENDED].err.kind, ERR_TEMP);
		pump(&p.i, &p.r, NULL);
		assert_ended(&p.r, "temporaryProblem"); /* the peer hears why, and opens afresh */
		pair_close(&p);
	}
}

/* Only the peer wishes, and it has no timer of its own: this side sees that something is wrong. */
static void test_k166594_the_peer_alone_asks(void **state)
{
	(void)state;
	struct pair p;
	struct err e;
	lose_the_turn(&p, X400_NORMAL);
	assert_int_equal(x400_deadline(p.i.x), INT64_MAX);
	assert_true(x400_turn_please(p.r.x, 0, p.r.now, &e));
	pump(&p.i, &p.r, NULL);
	assert_int_equal(x400_deadline(p.i.x), p.i.now + TURN_MS);
	pass_time(&p.i, TURN_MS);
	assert_ended(&p.i, "no turn");
	pair_close(&p);
}

/* A peer that asks for what it has, and then sends: no harm. */
static void test_a_peer_that_asks_with_the_turn(void **state)
{
	(void)state;
	struct pair p;
	twa_open(&p, X400_NORMAL);
	say(&p.r, "02(100115)");
	assert_int_equal(x400_deadline(p.r.x), p.r.now + TURN_MS);
	transfer(&p.i, &p.r, 100, NULL);
	assert_int_equal(x400_deadline(p.r.x), p.r.now + p.cr.idle_timeout_ms);
	pair_close(&p);
}

static void test_both_believe_they_have_the_turn(void **state)
{
	(void)state;
	struct pair p;
	twa_open(&p, X400_NORMAL);
	say(&p.i, "0100 2d(29(020101))");
	assert_ended(&p.i, "ACTIVITY START");
	drain(&p.i);
	assert_int_equal(tsdus_that_begin(&p.i.sent, "19"), 1);
	pair_close(&p);
}

/* --- random wishes --- */

struct side {
	struct user *u;
	unsigned waiting;           /* transfers that are wished for and have not begun */
	uint64_t done, total;       /* of the one going on */
	unsigned heard;             /* requests of the peer that were served */
	unsigned since_asked;       /* transfers begun while one was not */
	bool asked;
};

static unsigned draw(uint32_t *rng, unsigned n)
{
	*rng = *rng * 1664525u + 1013904223u;
	return (*rng >> 16) % n;
}

/* What a link does: it asks when it has something, and gives at latest after one more transfer when it was asked. */
static void do_what_a_link_does(struct side *s, uint32_t *rng)
{
	struct err e;
	struct x400 *x = s->u->x;
	const bool wanted = s->u->count[X400_TURN_PLEASE] > s->heard;
	if (x400_has_turn(x))
		s->asked = false;
	if (x400_can_transfer(x) && wanted && (s->since_asked > 0 || s->waiting == 0 || draw(rng, 2) == 0)) {
		s->heard = s->u->count[X400_TURN_PLEASE];
		s->since_asked = 0;
		assert_true(x400_turn_give(x, &e));
	} else if (x400_can_transfer(x) && s->waiting > 0) {
		s->total = 1 + draw(rng, 4000);
		s->done = 0;
		s->waiting--;
		s->since_asked += wanted;
		assert_true(x400_transfer_begin(x, s->total, s->u->now, &e));
	} else if (!x400_has_turn(x) && s->waiting > 0 && !s->asked) {
		s->asked = true;
		assert_true(x400_turn_please(x, draw(rng, 3), s->u->now, &e));
	}
	give(s->u, s->total, &s->done);
}

static void random_wishes(uint32_t seed, enum x400_mode mode)
{
	struct pair p;
	struct side sides[2];
	uint32_t rng = seed;
	unsigned wished[2] = { 0, 0 };
	twa_config(&p, mode);
	pair_bind(&p, NULL);
	sides[0] = (struct side){ .u = &p.i };
	sides[1] = (struct side){ .u = &p.r };
	for (unsigned step = 0; step < 20000; step++) {
		for (unsigned i = 0; i < 2; i++) {
			if (step < 600 && draw(&rng, 20) == 0) {
				sides[i].waiting++;
				wished[i]++;
			}
			if (draw(&rng, 2) == 0)
				do_what_a_link_does(&sides[i], &rng);
		}
		if (draw(&rng, 2) == 0)
			(void)wire_move(&p.i, &p.r, 1 + draw(&rng, 2000));
		if (draw(&rng, 2) == 0)
			(void)wire_move(&p.r, &p.i, 1 + draw(&rng, 2000));
		(void)user_run(&p.i);
		(void)user_run(&p.r);
		assert_int_equal(p.i.count[X400_ENDED] + p.r.count[X400_ENDED], 0);
		assert_false(x400_has_turn(p.i.x) && x400_has_turn(p.r.x));
		assert_true(sides[0].since_asked <= 1 && sides[1].since_asked <= 1); /* one transfer after being asked, not two */
		if (step > 600 && p.i.count[X400_TRANSFER_CONFIRMED] == wished[0] && p.r.count[X400_TRANSFER_CONFIRMED] == wished[1])
			break;
	}
	assert_int_equal(p.i.count[X400_TRANSFER_CONFIRMED], wished[0]);
	assert_int_equal(p.r.count[X400_TRANSFER_CONFIRMED], wished[1]);
	assert_true(wished[0] > 0 && wished[1] > 0);
	pair_close(&p);
}

static void test_random_wishes_are_all_served(void **state)
{
	(void)state;
	for (uint32_t seed = 1; seed <= 60; seed++)
		random_wishes(seed, (enum x400_mode)(seed % X400_MODE_COUNT));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_ss_25_please_give_and_its_answer),
		CASE(test_ss_25_in_monologue_it_is_an_error),
		CASE(test_please_in_monologue_is_let_pass),
		CASE(test_please_without_priority_is_urgent_and_damaged_is_an_error),
		CASE(test_please_crosses_give),
		CASE(test_a_wish_before_the_turn_is_acknowledged),
		CASE(test_a_wish_in_a_transfer),
		CASE(test_k166594_both_believe_the_other_has_the_turn),
		CASE(test_k166594_the_peer_alone_asks),
		CASE(test_a_peer_that_asks_with_the_turn),
		CASE(test_both_believe_they_have_the_turn),
		CASE(test_random_wishes_are_all_served),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
