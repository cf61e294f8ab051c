/* reader_track_test.c - the search of tracking: by each thing and all of them together, paged, in the time that there is; in the index and
 * not yet in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/store/check.h"
#include "flow/store/read.h"
#include "flow/store/store_testing.h"
#include "flow/store/track.h"

static int64_t now_ms = 1000; /* of the wall clock of these tests */

static int64_t wall(struct env *e)
{
	(void)e;
	return now_ms;
}

struct bed {
	struct world *w;
	struct env_ops ops;
	const struct env_ops *was;
	struct store_reader *r;
	struct read_step_row rows[500];
	size_t n;
	bool more;
	uint64_t looked;
};

static int setup(void **state)
{
	struct bed *b = mem_zero(sizeof *b);
	b->w = world_new(true);
	world_open(b->w);
	b->was = b->w->env->ops;
	b->ops = *b->was;
	b->ops.wall_ms = wall;
	b->w->env->ops = &b->ops;
	b->r = store_reader_open(b->w->env, "store.db", &b->w->why);
	assert_non_null(b->r);
	now_ms = 1000;
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;
	store_reader_close(&b->r);
	b->w->env->ops = b->was;
	world_free(&b->w);
	free(b);
	return 0;
}

static uint64_t key(const char *text, enum track_role role)
{
	struct arena *a = arena_new(1 << 16);
	struct oraddr addr;
	uint64_t x = 0;
	if (role > TRACK_RECIPIENT)
		x = track_key_text(view_str(text), role);
	else if (oraddr_parse(view_str(text), &addr, a, ORADDR_CARRY, NULL))
		x = track_key_address(&addr, role);
	arena_free(&a);
	assert_true(x != 0);
	return x;
}

static uint64_t from(const char *surname)
{
	char text[80];
	snprintf(text, sizeof text, "C=AQ; A=ICE; S=%s", surname);
	return key(text, TRACK_ORIGINATOR);
}

static uint64_t to(const char *surname)
{
	char text[80];
	snprintf(text, sizeof text, "C=AQ; A=ICE; S=%s", surname);
	return key(text, TRACK_RECIPIENT);
}

/* One second after the one before. */
static void step_keyed(struct bed *b, enum store_step_kind kind, const char *local, struct view keys)
{
	const struct mts_id id = {.domain = {.country = {ORA_PRINTABLE, VIEW("AQ")}, .admd = {ORA_PRINTABLE, VIEW("ICE")}}, .local = view_str(local)};
	const struct store_step s = {.kind = kind, .id = &id, .peer = VIEW("PARIS"), .text = view_str(local), .digest = {1, 2}, .keys = keys};
	now_ms += 1000;
	store_put_step(b->w->store, &s);
}

static void step(struct bed *b, enum store_step_kind kind, const char *local, const struct track_keys *keys)
{
	struct out octets;
	out_init(&octets, 1000);
	if (keys != NULL)
		track_keys_print(keys, &octets);
	step_keyed(b, kind, local, out_view(&octets));
	out_fini(&octets);
}

static void arrival(struct bed *b, const char *local, uint64_t originator, uint64_t recipient, const char *subject)
{
	struct track_keys keys = {.n = 0};
	track_keys_add(&keys, originator);
	track_keys_add(&keys, recipient);
	if (subject != NULL)
		track_keys_add(&keys, key(subject, TRACK_SUBJECT));
	step(b, STEP_TRANSFER_IN, local, &keys);
}

static void also(struct bed *b, enum store_step_kind kind, const char *local, uint64_t recipient)
{
	const struct track_keys keys = {.v = {recipient}, .n = 1};
	step(b, kind, local, recipient == 0 ? NULL : &keys);
}

static void ask(struct bed *b, const struct read_track *f, uint64_t before, size_t max)
{
	assert_true(max <= ARRAY_LEN(b->rows));
	arena_reset(b->w->arena);
	if (!store_read_track(b->r, f, before, b->rows, max, &b->n, &b->looked, &b->more, b->w->arena, &b->w->why))
		fail_msg("%s", b->w->why.text);
}

/* What is found, newest first, on one page and on pages of two rows. want: "LOCAL STEP" each, "" at the end. */
static void finds(struct bed *b, const struct read_track *f, const char *const *want)
{
	char got[100];
	size_t i = 0;
	ask(b, f, 0, 500);
	assert_false(b->more);
	for (; i < b->n; i++) {
		snprintf(got, sizeof got, "%s %s", b->rows[i].text, b->rows[i].step);
		if (want[i] == NULL || strcmp(got, want[i]) != 0)
			fail_msg("row %zu is \"%s\", want \"%s\"", i, got, want[i] == NULL ? "none" : want[i]);
	}
	if (want[i] != NULL)
		fail_msg("\"%s\" is not found", want[i]);
	size_t seen = 0;
	uint64_t before = 0;
	do {
		ask(b, f, before, 2);
		assert_true(before == 0 || !b->more || b->looked < before);
		before = b->looked;
		for (size_t k = 0; k < b->n; k++, seen++) {
			snprintf(got, sizeof got, "%s %s", b->rows[k].text, b->rows[k].step);
			assert_string_equal(got, want[seen]);
		}
	} while (b->more);
	assert_int_equal(seen, i);
}
#define FINDS(b, f, ...) finds(b, &(f), (const char *const[]){__VA_ARGS__, NULL})
#define FINDS_NONE(b, f) finds(b, &(f), (const char *const[]){NULL})

static void fill(struct bed *b)
{
	arrival(b, "one", from("SKUA"), to("GULL"), "The plan");	   /* at 2000 */
	arrival(b, "two", from("SKUA"), to("TERN"), "Re: the PLAN");	   /* 3000 */
	arrival(b, "three", from("GULL"), to("SKUA"), "Other");		   /* 4000 */
	also(b, STEP_EXPANDED, "one", to("PETREL"));			   /* 5000 */
	also(b, STEP_TRANSFER_OUT, "one", 0);				   /* 6000 */
	also(b, STEP_REDIRECTED, "two", to("PETREL"));			   /* 7000 */
	also(b, STEP_DELIVERED, "two", 0);				   /* 8000 */
	arrival(b, "four", from("TERN"), to("TERN"), NULL);		   /* 9000: to herself */
}

/* So many others that the batch of the index is written, and this is in it. */
static void bury(struct bed *b)
{
	for (unsigned i = 0; i < 7000; i++) {
		char local[20];
		snprintf(local, sizeof local, "other-%u", i);
		also(b, STEP_RETRY, local, 0);
		also(b, STEP_RETRY, local, to("FULMAR"));
		if (i % 500 == 499)
			world_commit(b->w);
	}
}

static void both(struct bed *b, void (*check)(struct bed *b))
{
	fill(b);
	world_commit(b->w);
	check(b);
	bury(b);
	check(b);
	store_reader_close(&b->r);
	world_reopen(b->w);
	b->r = store_reader_open(b->w->env, "store.db", &b->w->why);
	assert_non_null(b->r);
	check(b);
}

static void each_alone(struct bed *b)
{
	FINDS(b, ((struct read_track){.keys = {from("SKUA")}, .n_keys = 1}), "two transfer-in", "one transfer-in");
	FINDS(b, ((struct read_track){.keys = {to("GULL")}, .n_keys = 1}), "one transfer-in");
	FINDS(b, ((struct read_track){.keys = {to("PETREL")}, .n_keys = 1}), "two redirected", "one expanded");
	FINDS(b, ((struct read_track){.address = to("GULL")}), "three transfer-in", "one transfer-in");
	FINDS(b, ((struct read_track){.address = to("TERN")}), "four transfer-in", "two transfer-in");
	FINDS(b, ((struct read_track){.keys = {key("fw: the plan", TRACK_SUBJECT)}, .n_keys = 1}), "two transfer-in", "one transfer-in");
	FINDS_NONE(b, ((struct read_track){.keys = {to("HERON")}, .n_keys = 1}));
	FINDS_NONE(b, ((struct read_track){.keys = {key("no plan", TRACK_SUBJECT)}, .n_keys = 1}));
	FINDS(b, ((struct read_track){.id = VIEW("two")}), "two redirected", "two transfer-in");
	FINDS(b, ((struct read_track){.id = VIEW("C=AQ;A=ICE;L=three")}), "three transfer-in");
	FINDS_NONE(b, ((struct read_track){.id = VIEW("C=AQ;A=SUN;L=three")}));
}

static void test_by_each_thing_alone(void **state)
{
	both(*state, each_alone);
}

/* A member of the list, and the originator, stand in two steps of the same message. */
static void together(struct bed *b)
{
	FINDS(b, ((struct read_track){.keys = {from("SKUA"), to("TERN")}, .n_keys = 2}), "two transfer-in");
	FINDS(b, ((struct read_track){.keys = {from("SKUA"), to("PETREL")}, .n_keys = 2}), "two redirected", "one expanded");
	FINDS(b, ((struct read_track){.keys = {key("the plan", TRACK_SUBJECT), to("PETREL"), to("GULL")}, .n_keys = 3}), "one transfer-in");
	FINDS(b, ((struct read_track){.keys = {key("the plan", TRACK_SUBJECT)}, .n_keys = 1, .address = to("PETREL")}), "two transfer-in",
	      "one transfer-in");
	FINDS_NONE(b, ((struct read_track){.keys = {from("GULL"), to("PETREL")}, .n_keys = 2}));
	FINDS(b, ((struct read_track){.id = VIEW("one"), .keys = {from("SKUA")}, .n_keys = 1}), "one expanded", "one transfer-in");
	FINDS_NONE(b, ((struct read_track){.id = VIEW("one"), .keys = {from("GULL")}, .n_keys = 1}));
}

static void test_all_that_is_asked_for_must_fit(void **state)
{
	both(*state, together);
}

static void times(struct bed *b)
{
	FINDS(b, ((struct read_track){.keys = {from("SKUA")}, .n_keys = 1, .from = 2001}), "two transfer-in");
	FINDS(b, ((struct read_track){.keys = {from("SKUA")}, .n_keys = 1, .to = 3000}), "one transfer-in");
	FINDS(b, ((struct read_track){.keys = {from("SKUA")}, .n_keys = 1, .from = 3000, .to = 3001}), "two transfer-in");
	FINDS(b, ((struct read_track){.from = 3000, .to = 9000}), "three transfer-in", "two transfer-in");
	FINDS(b, ((struct read_track){.to = 2001}), "one transfer-in");
	FINDS_NONE(b, ((struct read_track){.from = 3001, .to = 3999}));
	FINDS_NONE(b, ((struct read_track){.from = 5000000000}));
}

static void test_by_time(void **state)
{
	both(*state, times);
}

/* Numbers of Exchange's tracking log (Q173364): 0 message transfer in, 7 out, 9 delivered, 26 expanded, 28 redirected. */
static void events(struct bed *b)
{
	FINDS(b, ((struct read_track){.events = {7, 9}, .n_events = 2}), "two delivered", "one transfer-out");
	FINDS(b, ((struct read_track){.events = {9}, .n_events = 1, .keys = {from("SKUA")}, .n_keys = 1}), "two delivered");
	FINDS(b, ((struct read_track){.events = {7, 26}, .n_events = 2, .keys = {to("PETREL")}, .n_keys = 1}), "one transfer-out", "one expanded");
	FINDS(b, ((struct read_track){.events = {0, 28}, .n_events = 2, .address = to("TERN")}), "four transfer-in", "two redirected",
	      "two transfer-in");
	FINDS(b, ((struct read_track){.events = {9}, .n_events = 1, .keys = {from("SKUA")}, .n_keys = 1, .from = 8000, .to = 8001}), "two delivered");
	FINDS_NONE(b, ((struct read_track){.events = {9}, .n_events = 1, .keys = {from("SKUA")}, .n_keys = 1, .from = 8001}));
	FINDS(b, ((struct read_track){.id = VIEW("one"), .events = {26}, .n_events = 1}), "one expanded");
	FINDS_NONE(b, ((struct read_track){.events = {50}, .n_events = 1}));
}

static void test_by_event(void **state)
{
	both(*state, events);
}

/* Another address with the same half of a hash stands under the same entry of the index, and is not found. */
static void test_the_whole_hash_decides(void **state)
{
	struct bed *b = *state;
	const uint64_t one = UINT64_C(0x1234567800000010) | TRACK_RECIPIENT, other = UINT64_C(0x1234567800000020) | TRACK_RECIPIENT;
	also(b, STEP_TRANSFER_IN, "mine", one);
	also(b, STEP_TRANSFER_IN, "not-mine", other);
	world_commit(b->w);
	FINDS(b, ((struct read_track){.keys = {one}, .n_keys = 1}), "mine transfer-in");
	FINDS(b, ((struct read_track){.address = other}), "not-mine transfer-in");
}

/* Over more than two periods of the index, with a clock that jumps at each look: each question ends early, comes further, and all together
 * find what one does. */
static int64_t clock_us;

static int64_t jump(struct env *e)
{
	(void)e;
	return clock_us += 1000000;
}

static void test_each_question_ends_in_its_time(void **state)
{
	struct bed *b = *state;
	enum { STEPS = 150000, EVERY = 15000 };
	const struct track_keys wanted = {.v = {to("GULL"), from("SKUA")}, .n = 2}, other = {.v = {to("TERN"), from("SKUA")}, .n = 2};
	char local[24];
	for (unsigned i = 0; i < STEPS; i++) {
		snprintf(local, sizeof local, "m%u", i);
		step(b, STEP_TRANSFER_IN, local, i % EVERY == 0 ? &wanted : &other);
		if (i % 5000 == 4999) {
			world_commit(b->w);
			arena_reset(b->w->arena);
		}
	}
	const struct read_track by[] = {{.keys = {to("GULL")}, .n_keys = 1}, {.keys = {to("GULL"), from("SKUA")}, .n_keys = 2},
					{.id = VIEW("m15000")}, {.keys = {to("HERON")}, .n_keys = 1}};
	const size_t want[] = {STEPS / EVERY, STEPS / EVERY, 1, 0};
	for (size_t i = 0; i < ARRAY_LEN(by); i++)
		for (unsigned late = 0; late < 2; late++) {
			size_t seen = 0, calls = 0;
			uint64_t before = 0;
			b->ops.precise_us = late ? jump : b->was->precise_us;
			store_reader_set_budget(b->r, late ? 1 : 60000);
			do {
				ask(b, &by[i], before, 500);
				assert_true(calls == 0 || !b->more || b->looked < before);
				before = b->looked;
				seen += b->n;
				calls++;
			} while (b->more);
			assert_int_equal(seen, want[i]);
			assert_true(late ? calls > 2 : calls == 1);
		}
	const struct read_track walk = {.events = {34}, .n_events = 1};
	ask(b, &walk, 0, 500); /* no index helps: it ends early too */
	assert_true(b->more && b->n == 0 && b->looked > 0);
	b->ops.precise_us = b->was->precise_us;
}

/* More events of one message than a page holds come on the next; none is lost or told twice. */
static void test_events_of_one_message_are_not_torn(void **state)
{
	struct bed *b = *state;
	for (unsigned i = 0; i < 3; i++) {
		char local[20];
		snprintf(local, sizeof local, "m%u", i);
		arrival(b, local, from("SKUA"), to("GULL"), NULL);
		for (unsigned k = 0; k < 4; k++)
			also(b, STEP_DELIVERED, local, 0);
	}
	world_commit(b->w);
	const struct read_track f = {.keys = {to("GULL")}, .n_keys = 1, .events = {9}, .n_events = 1};
	size_t seen = 0;
	uint64_t before = 0;
	do {
		ask(b, &f, before, 6);
		assert_true(b->n == 4);
		before = b->looked;
		seen += b->n;
	} while (b->more);
	assert_int_equal(seen, 12);
}

static uint64_t to_nth(unsigned i)
{
	return ((uint64_t)i + 1) * UINT64_C(0x9e3779b97f4a7c15) << 3 | TRACK_RECIPIENT;
}

/* Each recipient of a message finds it, in a search for him alone and with others, also when he is the last of very many. */
static void put_many(struct bed *b, const char *local, unsigned first, unsigned n)
{
	struct out keys;
	out_init(&keys, 1 << 20);
	track_key_put(from("SKUA"), &keys);
	for (unsigned i = first; i < first + n; i++)
		track_key_put(to_nth(i), &keys);
	step_keyed(b, STEP_TRANSFER_IN, local, out_view(&keys));
	out_fini(&keys);
}

static void very_many(struct bed *b)
{
	FINDS(b, ((struct read_track){.keys = {to_nth(32766)}, .n_keys = 1}), "most transfer-in");
	FINDS(b, ((struct read_track){.keys = {to_nth(499)}, .n_keys = 1}), "most transfer-in", "many transfer-in");
	FINDS(b, ((struct read_track){.keys = {to_nth(0), from("SKUA"), to_nth(64), to_nth(32000)}, .n_keys = 4}), "most transfer-in");
	FINDS(b, ((struct read_track){.address = to_nth(20000), .keys = {to("TERN")}, .n_keys = 1}), "most redirected");
	FINDS_NONE(b, ((struct read_track){.keys = {to_nth(32767)}, .n_keys = 1}));
	FINDS_NONE(b, ((struct read_track){.address = to_nth(20000), .keys = {to("GULL")}, .n_keys = 1}));
}

static void test_every_recipient_finds_the_message(void **state)
{
	struct bed *b = *state;
	put_many(b, "many", 0, 500);
	put_many(b, "most", 0, 32767); /* X.411 ub-recipients */
	also(b, STEP_REDIRECTED, "most", to("TERN"));
	world_commit(b->w);
	both(b, very_many);
}

static void told(void *ctx, const char *sentence)
{
	(void)ctx;
	print_error("%s\n", sentence);
}

/* Keys are forgotten with the last step of their period, so a period of large messages has fewer steps; what is searched, known as a
 * duplicate and found right by a check is the same over its ends and a start in between. */
static void test_periods_of_many_keys_are_short(void **state)
{
	struct bed *b = *state;
	enum { MESSAGES = 20, EACH = 32767 };
	char local[24];
	struct store_counts c;
	for (unsigned i = 0; i < MESSAGES; i++) {
		snprintf(local, sizeof local, "m%u", i);
		put_many(b, local, i * EACH, EACH);
		if (i == MESSAGES / 2) {
			world_commit(b->w);
			store_reader_close(&b->r);
			world_reopen(b->w);
			b->r = store_reader_open(b->w->env, "store.db", &b->w->why);
			assert_non_null(b->r);
		}
	}
	world_commit(b->w);
	FINDS(b, ((struct read_track){.keys = {to_nth(0)}, .n_keys = 1}), "m0 transfer-in");
	FINDS(b, ((struct read_track){.keys = {to_nth(655339)}, .n_keys = 1}), "m19 transfer-in");
	ask(b, &(struct read_track){.keys = {from("SKUA")}, .n_keys = 1}, 0, 500);
	assert_int_equal(b->n, MESSAGES);
	assert_true(b->rows[0].seq - b->rows[MESSAGES - 1].seq > 65536); /* a period, where the steps are few */
	store_count(b->w->store, &c);
	const uint64_t all = c.tracking_octets;
	assert_true(all > MESSAGES * EACH * 8u);
	wall_ms_t until;
	for (bool more = true; more;) {
		more = store_forget_steps(b->w->store, 0, all / 2, &until);
		if (store_has_group(b->w->store))
			world_commit(b->w);
	}
	store_count(b->w->store, &c);
	assert_true(c.tracking_octets <= all / 2 && c.tracking_octets > all / 2 - all / MESSAGES); /* not one step more than must */
	FINDS_NONE(b, ((struct read_track){.keys = {to_nth(0)}, .n_keys = 1}));
	ask(b, &(struct read_track){.keys = {from("SKUA")}, .n_keys = 1}, 0, 500);
	assert_in_range(b->n, MESSAGES / 2 - 1, MESSAGES / 2);
	const uint64_t left = c.tracking_octets;
	store_reader_close(&b->r);
	world_reopen(b->w);
	store_count(b->w->store, &c);
	assert_int_equal(c.tracking_octets, left); /* known, not estimated */
	store_close(&b->w->store);
	struct store_check_result result;
	if (!store_check(b->w->env, "store.db", told, NULL, &result, &b->w->why) || result.found != 0)
		fail_msg("%s", b->w->why.text);
	world_open(b->w);
	b->r = store_reader_open(b->w->env, "store.db", &b->w->why);
	assert_non_null(b->r);
}

/* Names and numbers: those of Q173364 and Q173280. */
static void test_events_have_the_numbers_of_the_tracking_log(void **state)
{
	(void)state;
	static const struct {
		enum store_step_kind kind;
		enum message_kind of;
		bool gateway;
		int event;
	} rows[] = {
		{STEP_TRANSFER_IN, MESSAGE_MESSAGE, false, 0}, {STEP_TRANSFER_IN, MESSAGE_PROBE, false, 1}, {STEP_REPORT_IN, MESSAGE_REPORT, false, 2},
		{STEP_SUBMITTED, MESSAGE_MESSAGE, false, 4}, {STEP_SUBMITTED, MESSAGE_PROBE, false, 5}, {STEP_TRANSFER_OUT, MESSAGE_PROBE, false, 6},
		{STEP_TRANSFER_OUT, MESSAGE_MESSAGE, false, 7}, {STEP_TRANSFER_OUT, MESSAGE_REPORT, false, 8},
		{STEP_DELIVERED, MESSAGE_MESSAGE, false, 9}, {STEP_DELIVERED, MESSAGE_REPORT, false, 10}, {STEP_EXPANDED, MESSAGE_MESSAGE, false, 26},
		{STEP_REDIRECTED, MESSAGE_MESSAGE, false, 28}, {STEP_REROUTED, MESSAGE_MESSAGE, false, 29}, {STEP_DOWNGRADED, MESSAGE_MESSAGE, false, 31},
		{STEP_ABSORBED, MESSAGE_REPORT, false, 33}, {STEP_REPORT_MADE, MESSAGE_MESSAGE, false, 34}, {STEP_DISCARDED, MESSAGE_REPORT, false, 43},
		{STEP_DELETED, MESSAGE_MESSAGE, false, 50}, {STEP_DELETED, MESSAGE_PROBE, false, 51}, {STEP_DELETED, MESSAGE_REPORT, false, 52},
		{STEP_TRANSFER_OUT, MESSAGE_MESSAGE, true, 1003}, {STEP_TRANSFER_IN, MESSAGE_MESSAGE, true, 1004},
		{STEP_REPORT_IN, MESSAGE_REPORT, true, 1005}, {STEP_TRANSFER_OUT, MESSAGE_REPORT, true, 1006}, {STEP_REPORT_MADE, MESSAGE_MESSAGE, true, 1007},
		{STEP_RETRY, MESSAGE_MESSAGE, false, TRACK_NO_EVENT}, {STEP_REPORT_IN, MESSAGE_MESSAGE, false, TRACK_NO_EVENT},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const int event = track_event(rows[i].kind, rows[i].of, rows[i].gateway);
		if (event != rows[i].event)
			fail_msg("%s is event %d, want %d", store_step_name(rows[i].kind), event, rows[i].event);
		assert_int_equal(*track_event_name(event) == 0, event == TRACK_NO_EVENT);
	}
	for (int kind = 0; kind <= STEP_KINDS; kind++)
		for (int of = 0; of < 3; of++)
			for (int gateway = 0; gateway < 2; gateway++) {
				const int event = track_event((enum store_step_kind)kind, (enum message_kind)of, gateway);
				assert_int_equal(*track_event_name(event) == 0, event == TRACK_NO_EVENT);
			}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_by_each_thing_alone),
		TEST(test_all_that_is_asked_for_must_fit),
		TEST(test_by_time),
		TEST(test_by_event),
		TEST(test_the_whole_hash_decides),
		TEST(test_each_question_ends_in_its_time),
		TEST(test_events_of_one_message_are_not_torn),
		TEST(test_every_recipient_finds_the_message),
		TEST(test_periods_of_many_keys_are_short),
		cmocka_unit_test(test_events_have_the_numbers_of_the_tracking_log),
	};
	return cmocka_run_group_tests_name("tracking search", tests, NULL, NULL);
}
