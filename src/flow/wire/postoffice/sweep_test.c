/* sweep_test.c - files that nobody names go, all others stay; and how little a message costs among 100,000 of them (Q256187). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/wire/postoffice/postoffice_testing.h"

#include <dirent.h>

/* Whole rounds of it; each call a few steps only. */
static unsigned sweep(struct testing_po *t)
{
	unsigned all = 0, removed;
	for (unsigned i = 0; i < 400; i++) {
		GOOD(postoffice_sweep(t->po, 7, &removed, &t->e));
		all += removed;
	}
	testing_pass(t, 11 * 60 * 1000); /* another round may begin */
	for (unsigned i = 0; i < 400; i++) {
		GOOD(postoffice_sweep(t->po, 7, &removed, &t->e));
		all += removed;
	}
	return all;
}

static void old_file(struct testing_po *t, const char *rel)
{
	testing_write(t, rel, "x", 1);
	testing_make_old(t, rel, 3);
}

static void message_is_old(struct testing_po *t, const struct mm_id *id)
{
	uint32_t number;
	struct mm_id part;
	GOOD(mm_id_parse(view_str(id->s), &part, &number, &t->e));
	testing_make_old(t, po_rel_mai(id).s, 3);
	for (uint32_t i = 1; i <= 2; i++) {
		part = mm_id_of(number + i);
		if (testing_is_there(t, po_rel_att(&part).s))
			testing_make_old(t, po_rel_att(&part).s, 3);
	}
	if (testing_is_there(t, po_rel_p1(id).s))
		testing_make_old(t, po_rel_p1(id).s, 3);
}

static bool is_whole(struct testing_po *t, const struct mm_id *id)
{
	uint32_t number;
	struct mm_id first;
	GOOD(mm_id_parse(view_str(id->s), &first, &number, &t->e));
	const struct mm_id a = mm_id_of(number + 1), b = mm_id_of(number + 2);
	return testing_is_there(t, po_rel_mai(id).s) && testing_is_there(t, po_rel_att(&a).s) && testing_is_there(t, po_rel_att(&b).s);
}

static struct mm_id message(struct testing_po *t, const char *bag, bool with_p1)
{
	struct mm_id id;
	GOOD(testing_put(t, "TEST/HOME/BOB", 2, 1, with_p1, bag, &id));
	const struct mm_header h = testing_header(&id);
	if (bag != NULL)
		GOOD(postoffice_deliver(t->po, bag, &h, &t->e));
	message_is_old(t, &id);
	return id;
}

static void test_k256187_orphans_go_others_stay(void **state)
{
	struct testing_po *t = *state;
	char bob[9];
	testing_bag(t, "TEST/HOME/BOB", bob);
	const struct mm_id in_bag = message(t, bob, false), orphan = message(t, NULL, false), half = message(t, NULL, true);
	struct mm_id young;
	GOOD(testing_put(t, "TEST/HOME/BOB", 2, 1, false, NULL, &young));
	struct mm_id over; /* READY, and in no bag: its drop was cut */
	struct mm_envelope v;
	GOOD(testing_put(t, "TEST/HOME/BOB", 2, 1, true, bob, &over));
	GOOD(postoffice_read_envelope(t->po, &over, t->a, &v, &t->e));
	v.state = MM_READY;
	GOOD(postoffice_write_envelope(t->po, &v, &t->e));
	message_is_old(t, &over);
	old_file(t, "P1/00000ABC.NEW");
	old_file(t, "P1/12345678.TST");
	old_file(t, "P1/INQUEUE3.0JN"); /* somebody's journal */
	old_file(t, "MAI/MA0/README.TXT");
	testing_write(t, "ATT/AT9/0F000009.ATT", "x", 1);
	old_file(t, "ATT/ATA/0F00000A.ATT");
	old_file(t, "ATT/ATB/0f00000b.att");
	assert_true(sweep(t) > 0);
	sweep(t); /* the message of an envelope that has gone goes in the next round */
	assert_true(is_whole(t, &in_bag));
	assert_true(is_whole(t, &half)); /* an envelope in any state that is not over names it */
	assert_true(is_whole(t, &young));
	assert_false(testing_is_there(t, po_rel_mai(&orphan).s));
	assert_false(testing_is_there(t, po_rel_p1(&over).s));
	assert_false(testing_is_there(t, po_rel_mai(&over).s));
	assert_false(testing_is_there(t, "P1/00000ABC.NEW"));
	assert_false(testing_is_there(t, "P1/12345678.TST"));
	assert_true(testing_is_there(t, "P1/INQUEUE3.0JN"));
	assert_true(testing_is_there(t, "MAI/MA0/README.TXT"));
	assert_true(testing_is_there(t, "ATT/AT9/0F000009.ATT"));
	assert_false(testing_is_there(t, "ATT/ATA/0F00000A.ATT"));
	assert_false(testing_is_there(t, "ATT/ATB/0f00000b.att"));
	assert_int_equal(sweep(t), 0);
}

/* An envelope is for INQUEUE3 and outbound bags: one whose message is in mailboxes only is over, however long they keep it. */
static void test_an_envelope_of_a_delivered_message_goes(void **state)
{
	struct testing_po *t = *state;
	char bob[9], away[9];
	struct mm_envelope v;
	testing_bag(t, "TEST/HOME/BOB", bob);
	testing_bag(t, "TEST/AWAY/X", away);
	const struct { const char *bag; bool stays; } rows[] = { { bob, false }, { away, true }, { "INQUEUE3", true } };
	struct mm_id ids[ARRAY_LEN(rows)];
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		ids[i] = message(t, rows[i].bag, true);
		GOOD(postoffice_read_envelope(t->po, &ids[i], t->a, &v, &t->e));
		v.state = i == 0 ? MM_PLACING : MM_READY;
		GOOD(postoffice_write_envelope(t->po, &v, &t->e));
		message_is_old(t, &ids[i]);
	}
	assert_int_equal(sweep(t), 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(testing_is_there(t, po_rel_p1(&ids[i]).s), rows[i].stays);
		assert_true(is_whole(t, &ids[i]));
	}
}

/* The server's clock is set back two hours: what a client has written since looks old, and its record is still to come. */
static void test_a_clock_that_was_set_ages_nothing(void **state)
{
	struct testing_po *t = *state;
	struct mm_id fresh;
	const struct mm_id orphan = message(t, NULL, false);
	t->now += 2 * 3600 * 1000; /* it is where it was, and ours goes on */
	GOOD(testing_put(t, "TEST/HOME/BOB", 2, 1, false, NULL, &fresh));
	assert_int_equal(sweep(t), 0);
	testing_pass(t, 1800 * 1000);
	assert_int_equal(sweep(t), 0);
	testing_pass(t, 1800 * 1000); /* the two have gone together for an hour: ages count again */
	assert_true(sweep(t) > 0);
	assert_true(is_whole(t, &fresh));
	assert_false(testing_is_there(t, po_rel_mai(&orphan).s));
	t->now -= 5 * 3600 * 1000; /* and ours is set back */
	message(t, NULL, false);
	assert_int_equal(sweep(t), 0);
}

/* What a bag names cannot be said when its KEY is damaged: then whatever is in its records stays. */
static void test_damaged_bag_keeps_its_messages(void **state)
{
	struct testing_po *t = *state;
	char bob[9];
	testing_bag(t, "TEST/HOME/BOB", bob);
	const struct mm_id id = message(t, bob, false), orphan = message(t, NULL, false);
	testing_write(t, po_rel_of("KEY", bob, ".KEY").s, "broken", 6);
	sweep(t);
	assert_true(is_whole(t, &id));
	assert_false(testing_is_there(t, po_rel_mai(&orphan).s));
}

/* Attachments are named by messages only: while one of them cannot be read, none goes. */
static void test_unreadable_message_keeps_attachments(void **state)
{
	struct testing_po *t = *state;
	char bob[9];
	struct mm_id att = mm_id_of(0xA);
	testing_bag(t, "TEST/HOME/BOB", bob);
	const struct mm_id id = message(t, bob, false);
	testing_write(t, po_rel_mai(&id).s, "garbage", 7);
	testing_make_old(t, po_rel_mai(&id).s, 3);
	old_file(t, po_rel_att(&att).s);
	assert_int_equal(sweep(t), 0);
	assert_true(testing_is_there(t, po_rel_att(&att).s));
}

/* Nor while one has elements of another program's, which may name them. */
static void test_foreign_message_keeps_attachments(void **state)
{
	struct testing_po *t = *state;
	struct view field_8 = VIEW("\x4c\x05\x08\x02\x02??"); /* FIPS 98 Attachments, with a string in it */
	struct mai m = { .bags = 1, .hops = 10, .from = { .type = MM_ADDRESS_MS, .text = VIEW("TEST/HOME/ANN") }, .extra = &field_8, .n_extra = 1 };
	struct mm_id att = mm_id_of(0xA);
	struct out o;
	char bob[9];
	testing_bag(t, "TEST/HOME/BOB", bob);
	const struct mm_id id = message(t, bob, false);
	out_init(&o, 10000);
	GOOD(mai_print(&m, &mm_scramble_none, &o, &t->e));
	testing_write(t, po_rel_mai(&id).s, (const char *)out_view(&o).p, out_len(&o));
	out_fini(&o);
	testing_make_old(t, po_rel_mai(&id).s, 3);
	old_file(t, po_rel_att(&att).s);
	assert_int_equal(sweep(t), 0);
	assert_true(testing_is_there(t, po_rel_att(&att).s));
}

/* However long it takes to put one in. */
static void test_message_being_put_stays(void **state)
{
	struct testing_po *t = *state;
	struct po_put *p;
	struct mm_id att;
	GOOD(postoffice_put_begin(t->po, &p, &t->e));
	const struct mm_id id = po_put_id(p);
	GOOD(po_put_attachment(p, 3, &att, &t->e));
	GOOD(po_put_octets(p, VIEW("abc"), &t->e));
	testing_make_old(t, po_rel_mai(&id).s, 5);
	testing_make_old(t, po_rel_att(&att).s, 5);
	assert_int_equal(sweep(t), 0);
	assert_true(testing_is_there(t, po_rel_mai(&id).s));
	assert_true(testing_is_there(t, po_rel_att(&att).s));
	po_put_end(&p, false);
}

/* A message goes from a bag that comes late to one that was looked at before: the second look finds it. */
static void test_moving_message_stays(void **state)
{
	struct testing_po *t = *state;
	char bob[9];
	unsigned removed;
	testing_bag(t, "TEST/HOME/BOB", bob);
	for (unsigned steps = 1; steps < 60; steps++) {
		const struct mm_id id = message(t, "INQUEUE3", false);
		const struct mm_header h = testing_header(&id);
		testing_pass(t, 3600 * 1000);
		GOOD(postoffice_sweep(t->po, steps, &removed, &t->e));
		GOOD(postoffice_deliver(t->po, bob, &h, &t->e));
		GOOD(postoffice_bag_forget(t->po, "INQUEUE3", 0, &id, &t->e));
		message_is_old(t, &id);
		GOOD(postoffice_sweep(t->po, 10000, &removed, &t->e));
		assert_true(is_whole(t, &id));
	}
}

static void test_failure_ends_the_round_only(void **state)
{
	struct testing_po *t = *state;
	unsigned removed;
	const struct mm_id orphan = message(t, NULL, false);
	for (unsigned at = 1; at < 2000; at++) {
		char plan[40];
		testing_pass(t, 3600 * 1000);
		snprintf(plan, sizeof plan, "*:%u:fail", at);
		GOOD(fault_plan(plan, &t->e));
		const bool ok = postoffice_sweep(t->po, 10000, &removed, &t->e);
		const bool fired = fault_passes_all() >= at;
		GOOD(fault_plan(NULL, &t->e));
		if (ok && !fired)
			break;
		assert_true(at < 1999);
	}
	testing_pass(t, 3600 * 1000);
	GOOD(postoffice_sweep(t->po, 10000, &removed, &t->e));
	assert_false(testing_is_there(t, po_rel_mai(&orphan).s));
}

static unsigned cost_of_a_message(struct testing_po *t, const char *bob)
{
	struct mm_id id;
	struct po_bag_entry x;
	struct out o;
	unsigned n, live;
	t->calls = t->lists = 0;
	GOOD(testing_put(t, "TEST/HOME/BOB", 2, 1, true, bob, &id));
	const struct mm_header h = testing_header(&id);
	GOOD(postoffice_deliver(t->po, bob, &h, &t->e));
	GOOD(postoffice_bag(t->po, bob, 1, &x, &n, &live, &t->e));
	out_init(&o, 100000);
	GOOD(postoffice_read_mai(t->po, &id, 100000, &o, &t->e));
	out_fini(&o);
	GOOD(postoffice_remove_envelope(t->po, &id, &t->e));
	GOOD(postoffice_bag_drop(t->po, bob, x.slot, &id, false, &t->e));
	assert_int_equal(t->lists, 0);
	return t->calls;
}

/* Counted in system calls, not in time: the same among 100,000 orphans as among none, and no directory is looked through. */
static void test_k256187_a_message_among_100000_orphans(void **state)
{
	struct testing_po *t = *state;
	char bob[9];
	unsigned removed, n = 0;
	testing_bag(t, "TEST/HOME/BOB", bob);
	unsigned none = 0;
	cost_of_a_message(t, bob); /* the mailbag's first record */
	for (unsigned i = 0; i < 16; i++) /* through all of MA0 to MAF */
		none += cost_of_a_message(t, bob);
	for (uint32_t i = 0; i < 100000; i++) {
		const struct mm_id id = mm_id_of(0x10000000 + i);
		const int fd = open(testing_path(t, po_rel_mai(&id).s), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		close(fd);
	}
	testing_make_old(t, "MAI/MA0/10000000.MAI", 3);
	unsigned many = 0;
	for (unsigned i = 0; i < 16; i++)
		many += cost_of_a_message(t, bob);
	assert_int_equal(many, none);
	/* And the sweep takes no more than it is given: a call for some names is some calls of the system. */
	t->calls = 0;
	GOOD(postoffice_sweep(t->po, 10, &removed, &t->e));
	assert_true(t->calls < 300);
	while (testing_is_there(t, "MAI/MA0/10000000.MAI") && n++ < 200)
		GOOD(postoffice_sweep(t->po, 5000, &removed, &t->e));
	assert_false(testing_is_there(t, "MAI/MA0/10000000.MAI"));
	assert_true(testing_is_there(t, "MAI/MA1/10000001.MAI")); /* young */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, testing_setup, testing_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_k256187_orphans_go_others_stay),
		TEST(test_a_clock_that_was_set_ages_nothing),
		TEST(test_damaged_bag_keeps_its_messages),
		TEST(test_an_envelope_of_a_delivered_message_goes),
		TEST(test_unreadable_message_keeps_attachments),
		TEST(test_foreign_message_keeps_attachments),
		TEST(test_message_being_put_stays),
		TEST(test_moving_message_stays),
		TEST(test_failure_ends_the_round_only),
		TEST(test_k256187_a_message_among_100000_orphans),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
