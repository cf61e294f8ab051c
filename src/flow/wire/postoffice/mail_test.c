/* Steps of mail.h on a real postoffice, each done again after every point where it may have stopped: journals, placing, notices, the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>

#include "flow/wire/postoffice/mail.h"
#include "flow/wire/postoffice/postoffice_testing.h"

static const struct mm_id one = { "00000062" }, two = { "0000007F" }, there = { "00000017" };

/* --- journals --- */

static void a_journal_keeps_its_lines(void **state)
{
	struct testing_po *t = *state;
	struct mail_journal *j;
	struct mm_id id;
	GOOD(mail_journal_open(t->po, "INQUEUE3", &j, &t->e));
	assert_false(mail_journal_find(j, MAIL_COPIED, &one, &id));
	GOOD(mail_journal_add(j, MAIL_COPIED, &one, &there, &t->e));
	GOOD(mail_journal_add(j, MAIL_NOTICED, &two, &one, &t->e));
	mail_journal_close(&j);
	GOOD(mail_journal_open(t->po, "INQUEUE3", &j, &t->e));
	assert_true(mail_journal_find(j, MAIL_COPIED, &one, &id));
	assert_string_equal(id.s, there.s);
	assert_false(mail_journal_find(j, MAIL_NOTICED, &one, &id));
	GOOD(mail_journal_forget(j, &one, &t->e));
	assert_false(mail_journal_find(j, MAIL_COPIED, &one, &id));
	mail_journal_close(&j);
	GOOD(mail_journal_open(t->po, "INQUEUE3", &j, &t->e));
	assert_false(mail_journal_find(j, MAIL_COPIED, &one, &id));
	assert_true(mail_journal_find(j, MAIL_NOTICED, &two, &id));
	GOOD(mail_journal_forget(j, &two, &t->e));
	mail_journal_close(&j);
	GOOD(mail_journal_open(t->po, "INQUEUE3", &j, &t->e));
	assert_false(mail_journal_find(j, MAIL_NOTICED, &two, &id));
	mail_journal_close(&j);
}

/* Cut at every octet: what is whole is known, what is behind is overwritten by the next line. */
static void a_cut_line_is_none(void **state)
{
	struct testing_po *t = *state;
	static const char text[] = "C 00000062 00000017\r\nN 0000007F 00000062\r\n";
	for (size_t n = 0; n < sizeof text; n++) {
		struct mail_journal *j;
		struct mm_id id;
		testing_write(t, "P1/00000001.0JN", text, n);
		GOOD(mail_journal_open(t->po, "00000001", &j, &t->e));
		assert_int_equal(mail_journal_find(j, MAIL_COPIED, &one, &id), n >= 21);
		assert_int_equal(mail_journal_find(j, MAIL_NOTICED, &two, &id), n >= 42);
		GOOD(mail_journal_add(j, MAIL_COPIED, &there, &two, &t->e));
		mail_journal_close(&j);
		GOOD(mail_journal_open(t->po, "00000001", &j, &t->e));
		assert_true(mail_journal_find(j, MAIL_COPIED, &there, &id));
		assert_int_equal(mail_journal_find(j, MAIL_COPIED, &one, &id), n >= 21);
		mail_journal_close(&j);
	}
}

static void nonsense_in_a_journal_is_passed_over(void **state)
{
	struct testing_po *t = *state;
	static const char text[] = "this is no line....\r\nC 0000006X 00000017\r\nC 00000062 00000017\r\n";
	struct mail_journal *j;
	struct mm_id id;
	testing_write(t, "P1/00000001.0JN", text, sizeof text - 1);
	GOOD(mail_journal_open(t->po, "00000001", &j, &t->e));
	assert_true(mail_journal_find(j, MAIL_COPIED, &one, &id));
	mail_journal_close(&j);
}

/* A line that could not be written is not there later either. */
static void a_failed_line_is_taken_back(void **state)
{
	struct testing_po *t = *state;
	static const char *const plans[] = { "PO_SYNC:1:fail", "PO_SYNC:2:fail", "PO_WRITE:1:fail", "PO_WRITE:2:fail", "PO_OPEN:1:fail", "MAIL_JOURNAL:1:fail" };
	for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
		struct mail_journal *j;
		struct mm_id id;
		GOOD(mail_journal_open(t->po, "00000001", &j, &t->e));
		GOOD(fault_plan(plans[i], &t->e));
		const bool added = mail_journal_add(j, MAIL_COPIED, &one, &there, &t->e);
		const bool broken = mail_journal_is_broken(j);
		GOOD(fault_plan(NULL, &t->e));
		mail_journal_close(&j);
		GOOD(mail_journal_open(t->po, "00000001", &j, &t->e));
		if (!broken)
			assert_int_equal(mail_journal_find(j, MAIL_COPIED, &one, &id), added);
		GOOD(mail_journal_forget(j, &one, &t->e));
		mail_journal_close(&j);
	}
}

/* --- placing --- */

struct job {
	struct testing_po *t;
	struct mm_id id;
	char ann[9], bob[9], away[9];
	struct mm_recipient recipients[4];
	struct mm_envelope v;
	struct mm_header h;
};

static bool is_away(void *ctx, const char *bag)
{
	const struct job *j = ctx;
	return mm_same(bag, j->away);
}

static void set_recipient(struct job *j, size_t i, const char *name, const char *bag, int notice)
{
	struct mm_recipient *r = &j->recipients[i];
	*r = (struct mm_recipient){ .address = { .type = MM_ADDRESS_MS, .text = view_str(name) }, .responsible = true, .notice = notice, .reason = -1, .diagnostic = -1 };
	snprintf(r->bag, sizeof r->bag, "%s", bag);
}

/* A message in INQUEUE3, READY, planned for ANN, BOB, TEST/AWAY/CAT and a NOBODY with [002]. */
static struct job begin_job(struct testing_po *t)
{
	struct job j = { .t = t };
	testing_bag(t, "TEST/HOME/ANN", j.ann);
	testing_bag(t, "TEST/HOME/BOB", j.bob);
	testing_bag(t, "TEST/AWAY/X", j.away);
	GOOD(testing_put(t, "TEST/HOME/ANN", 1, 1, true, NULL, &j.id));
	j.h = testing_header(&j.id);
	GOOD(postoffice_deliver(t->po, "INQUEUE3", &j.h, &t->e));
	set_recipient(&j, 0, "TEST/HOME/ANN", j.ann, 0);
	set_recipient(&j, 1, "TEST/HOME/BOB", j.bob, 0);
	set_recipient(&j, 2, "TEST/AWAY/CAT", j.away, 0);
	set_recipient(&j, 3, "TEST/HOME/NOBODY", "", 2);
	j.v = (struct mm_envelope){ .mai = j.id, .state = MM_READY, .from = { .type = MM_ADDRESS_MS, .text = VIEW("TEST/AWAY/DOG") }, .n = 4, .arrived = t->now, .size = 77 };
	return j;
}

static unsigned slot_of(struct testing_po *t, const char *bag, const struct mm_id *id, unsigned *times_r)
{
	struct po_bag_entry *entries = mem_alloc(MM_BAG_RECORDS * sizeof *entries);
	unsigned n, live, slot = UINT_MAX;
	*times_r = 0;
	GOOD(postoffice_bag(t->po, bag, MM_BAG_RECORDS, entries, &n, &live, &t->e));
	for (unsigned i = 0; i < n; i++)
		if (mm_same(entries[i].header.mai.s, id->s)) {
			slot = entries[i].slot;
			++*times_r;
		}
	free(entries);
	return slot;
}

static unsigned times_in(struct testing_po *t, const char *bag, const struct mm_id *id)
{
	unsigned times;
	slot_of(t, bag, id, &times);
	return times;
}

static uint16_t counted(struct testing_po *t, const struct mm_id *id)
{
	struct out o;
	uint16_t bags;
	size_t at;
	out_init(&o, 1 << 20);
	GOOD(postoffice_read_mai(t->po, id, 1 << 20, &o, &t->e));
	GOOD(mai_bags(out_view(&o), &bags, &at, &t->e));
	out_fini(&o);
	return bags;
}

static void placing_serves_each_bag_once_however_often(void **state)
{
	struct testing_po *t = *state;
	struct job j = begin_job(t);
	struct mail_placed placed;
	j.v.recipients = j.recipients;
	for (int i = 0; i < 3; i++) {
		enum mail_found found;
		struct mm_envelope v;
		GOOD(mail_place(t->po, &j.h, &j.v, is_away, &j, false, &placed, &t->e));
		assert_int_equal(placed.bags, 3);
		assert_int_equal(placed.outbound, 1);
		assert_int_equal(placed.pending, 0);
		assert_int_equal(times_in(t, j.ann, &j.id), 1);
		assert_int_equal(times_in(t, j.bob, &j.id), 1);
		assert_int_equal(times_in(t, j.away, &j.id), 1);
		assert_int_equal(counted(t, &j.id), 3);
		GOOD(mail_look(t->po, &j.id, t->a, &v, &found, &t->e)); /* as after a crash: from the file */
		assert_int_equal(found, MAIL_HALF);
		assert_int_equal(v.n, 4);
		assert_int_equal(v.recipients[3].notice, 2);
		j.v = v;
	}
}

static void the_end_forgets_the_record_and_keeps_the_envelope_for_outbound_bags(void **state)
{
	struct testing_po *t = *state;
	struct job j = begin_job(t);
	struct mail_placed placed;
	struct mm_envelope v;
	enum mail_found found;
	unsigned times;
	bool needed;
	j.v.recipients = j.recipients;
	GOOD(mail_place(t->po, &j.h, &j.v, is_away, &j, false, &placed, &t->e));
	GOOD(mail_finish(t->po, "INQUEUE3", slot_of(t, "INQUEUE3", &j.id, &times), &j.v, &placed, NULL, &t->e));
	assert_int_equal(times_in(t, "INQUEUE3", &j.id), 0);
	GOOD(mail_look(t->po, &j.id, t->a, &v, &found, &t->e));
	assert_int_equal(found, MAIL_FINISHED);
	assert_false(v.recipients[0].responsible);
	assert_true(v.recipients[2].responsible);
	GOOD(mail_is_needed(t->po, &v, "", &needed, &t->e));
	assert_true(needed);
	GOOD(mail_is_needed(t->po, &v, j.away, &needed, &t->e));
	assert_false(needed);
	GOOD(mail_drop(t->po, j.away, slot_of(t, j.away, &j.id, &times), &v, NULL, &t->e));
	GOOD(mail_look(t->po, &j.id, t->a, &v, &found, &t->e));
	assert_int_equal(v.n, 0); /* its P1 is gone */
	assert_int_equal(counted(t, &j.id), 2);
	GOOD(mail_drop(t->po, j.away, UINT_MAX, &v, NULL, &t->e)); /* again */
	assert_int_equal(counted(t, &j.id), 2);
}

/* A record in INQUEUE3 is never without an envelope, whoever dies between two steps: so one that is means a loss. */
static void an_envelope_outlives_the_record(void **state)
{
	struct testing_po *t = *state;
	struct job j = begin_job(t);
	struct mail_placed placed;
	struct mm_envelope v;
	enum mail_found found;
	unsigned times;
	j.v.recipients = j.recipients;
	GOOD(mail_place(t->po, &j.h, &j.v, is_away, &j, false, &placed, &t->e));
	GOOD(fault_plan("MAIL_FINISH:1:fail", &t->e));
	BAD(mail_finish(t->po, "INQUEUE3", slot_of(t, "INQUEUE3", &j.id, &times), &j.v, &placed, NULL, &t->e), ERR_TEMP, ERR_OF_LINK);
	GOOD(fault_plan(NULL, &t->e));
	/* The lane is done before the mailer is back. */
	GOOD(mail_look(t->po, &j.id, t->a, &v, &found, &t->e));
	assert_int_equal(found, MAIL_FINISHED);
	GOOD(mail_drop(t->po, j.away, slot_of(t, j.away, &j.id, &times), &v, NULL, &t->e));
	GOOD(mail_look(t->po, &j.id, t->a, &v, &found, &t->e));
	assert_int_equal(found, MAIL_FINISHED);
	GOOD(mail_forget(t->po, "INQUEUE3", slot_of(t, "INQUEUE3", &j.id, &times), &v, NULL, &t->e));
	assert_int_equal(times_in(t, "INQUEUE3", &j.id), 0);
	GOOD(mail_look(t->po, &j.id, t->a, &v, &found, &t->e));
	assert_int_equal(found, MAIL_LOST);
	assert_int_equal(counted(t, &j.id), 2);
}

/* Each system call of the end fails once: at no moment is there a record in INQUEUE3 and no envelope. */
static void no_step_of_the_end_leaves_a_record_alone(void **state)
{
	static const char *const points[] = { "PO_OPEN", "PO_WRITE", "PO_SYNC", "PO_REMOVE", "PO_RENAME", "PO_READ" };
	struct testing_po *t = *state;
	char rel[40], plan[40];
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		bool ended = false;
		for (unsigned n = 1; !ended; n++) {
			struct job j = begin_job(t);
			struct mail_placed placed;
			unsigned times;
			j.v.n = n % 2 == 0 ? 2 : 4; /* with an outbound bag, and without */
			j.v.recipients = j.recipients;
			GOOD(mail_place(t->po, &j.h, &j.v, is_away, &j, false, &placed, &t->e));
			const unsigned slot = slot_of(t, "INQUEUE3", &j.id, &times);
			snprintf(plan, sizeof plan, "%s:%u:fail", points[i], (n + 1) / 2);
			GOOD(fault_plan(plan, &t->e));
			ended = mail_finish(t->po, "INQUEUE3", slot, &j.v, &placed, NULL, &t->e) && n % 2 == 0;
			GOOD(fault_plan(NULL, &t->e));
			snprintf(rel, sizeof rel, "P1/%s.P1", j.id.s);
			assert_true(testing_is_there(t, rel) || times_in(t, "INQUEUE3", &j.id) == 0);
			GOOD(postoffice_bag_forget(t->po, "INQUEUE3", slot, &j.id, &t->e));
		}
	}
}

static void who_has_it_is_spared(void **state)
{
	struct testing_po *t = *state;
	struct job j = begin_job(t);
	unsigned held;
	j.v.recipients = j.recipients;
	j.v.recipients[1].responsible = false;
	GOOD(postoffice_deliver(t->po, j.ann, &j.h, &t->e));
	GOOD(mail_spare(t->po, &j.h, &j.v, 21, &held, &t->e));
	assert_int_equal(held, 1);
	assert_int_equal(j.v.recipients[0].notice, 0);
	assert_string_equal(j.v.recipients[0].bag, j.ann);
	assert_int_equal(j.v.recipients[1].notice, 0); /* nobody's here */
	assert_int_equal(j.v.recipients[2].notice, 21);
	assert_string_equal(j.v.recipients[2].bag, "");
	assert_int_equal(j.v.recipients[2].reason, 0);
	assert_int_equal(j.v.recipients[2].diagnostic, -1);
	assert_int_equal(j.v.recipients[3].notice, 21);
}

/* Of a mailbag that cannot be read nobody knows who has the message: no sender is told of it, and nobody else waits (Q127002). */
static void who_may_have_it_is_spared(void **state)
{
	struct testing_po *t = *state;
	struct job j = begin_job(t);
	struct mail_placed placed;
	unsigned held;
	char rel[20];
	snprintf(rel, sizeof rel, "KEY/%s.KEY", j.bob);
	testing_write(t, rel, "no KEY", 6);
	j.v.recipients = j.recipients;
	GOOD(mail_spare(t->po, &j.h, &j.v, 21, &held, &t->e));
	assert_int_equal(held, 1);
	assert_int_equal(j.v.recipients[0].notice, 21);
	assert_int_equal(j.v.recipients[1].notice, 0);
	GOOD(mail_place(t->po, &j.h, &j.v, is_away, &j, false, &placed, &t->e));
	assert_int_equal(placed.pending, 1);
	assert_int_equal(j.v.recipients[1].notice, 0);
}

/* For somebody else's recipient the record in INQUEUE3 counts: a user who deletes his copy does not take the files away, nor is he served again. */
static void what_others_need_is_counted(void **state)
{
	struct testing_po *t = *state;
	struct job j = begin_job(t);
	struct mail_placed placed;
	struct mm_envelope v;
	enum mail_found found;
	unsigned times;
	char rel[40];
	set_recipient(&j, 1, "TEST/ELSE/BOB", "", 0);
	j.v.recipients = j.recipients;
	j.v.n = 2;
	GOOD(mail_place(t->po, &j.h, &j.v, is_away, &j, false, &placed, &t->e));
	assert_int_equal(placed.bags, 1);
	assert_true(placed.counted);
	assert_int_equal(counted(t, &j.id), 2);
	GOOD(postoffice_bag_drop(t->po, j.ann, slot_of(t, j.ann, &j.id, &times), &j.id, false, &t->e)); /* ANN reads and deletes it */
	GOOD(mail_look(t->po, &j.id, t->a, &v, &found, &t->e));
	assert_int_equal(found, MAIL_HALF);
	GOOD(mail_place(t->po, &j.h, &v, is_away, &j, false, &placed, &t->e));
	assert_int_equal(times_in(t, j.ann, &j.id), 0);
	assert_int_equal(counted(t, &j.id), 1);
	GOOD(mail_finish(t->po, "INQUEUE3", slot_of(t, "INQUEUE3", &j.id, &times), &v, &placed, NULL, &t->e));
	snprintf(rel, sizeof rel, "MAI/MA%c/%s.MAI", j.id.s[7], j.id.s);
	assert_false(testing_is_there(t, rel));
	snprintf(rel, sizeof rel, "P1/%s.P1", j.id.s);
	assert_false(testing_is_there(t, rel));
}

/* The same with a copy that goes on: wherever the end stops, the mailboxes that hold it are what counts. */
static void what_others_needed_counts_no_more(void **state)
{
	struct testing_po *t = *state;
	struct job j = begin_job(t);
	struct mail_placed placed;
	struct mm_envelope v;
	enum mail_found found;
	unsigned times;
	set_recipient(&j, 1, "TEST/ELSE/BOB", "", 0);
	j.v.recipients = j.recipients;
	GOOD(mail_place(t->po, &j.h, &j.v, is_away, &j, false, &placed, &t->e));
	assert_true(placed.counted);
	assert_int_equal(counted(t, &j.id), 3);
	GOOD(fault_plan("MAIL_FINISH:1:fail", &t->e));
	assert_false(mail_finish(t->po, "INQUEUE3", slot_of(t, "INQUEUE3", &j.id, &times), &j.v, &placed, NULL, &t->e));
	GOOD(fault_plan(NULL, &t->e));
	GOOD(mail_look(t->po, &j.id, t->a, &v, &found, &t->e));
	assert_int_equal(found, MAIL_FINISHED);
	GOOD(mail_forget(t->po, "INQUEUE3", slot_of(t, "INQUEUE3", &j.id, &times), &v, NULL, &t->e));
	assert_int_equal(times_in(t, "INQUEUE3", &j.id), 0);
	assert_int_equal(counted(t, &j.id), 2);
}

static void nobody_left_takes_the_files_along(void **state)
{
	struct testing_po *t = *state;
	struct job j = begin_job(t);
	struct mail_placed placed;
	unsigned times;
	char rel[40];
	j.v.recipients = &j.recipients[3];
	j.v.n = 1;
	GOOD(mail_place(t->po, &j.h, &j.v, is_away, &j, false, &placed, &t->e));
	assert_int_equal(placed.bags, 0);
	GOOD(mail_finish(t->po, "INQUEUE3", slot_of(t, "INQUEUE3", &j.id, &times), &j.v, &placed, NULL, &t->e));
	snprintf(rel, sizeof rel, "MAI/MA%c/%s.MAI", j.id.s[7], j.id.s);
	assert_false(testing_is_there(t, rel));
	snprintf(rel, sizeof rel, "P1/%s.P1", j.id.s);
	assert_false(testing_is_there(t, rel));
	assert_int_equal(times_in(t, "INQUEUE3", &j.id), 0);
}

/* One bag cannot be written now: its recipient waits, the others are served, and not again. */
static void who_waits_hinders_nobody(void **state)
{
	struct testing_po *t = *state;
	struct job j = begin_job(t);
	struct mail_placed placed;
	struct mm_envelope v;
	enum mail_found found;
	j.v.recipients = j.recipients;
	GOOD(fault_plan("MAIL_PLACE:2:fail", &t->e));
	GOOD(mail_place(t->po, &j.h, &j.v, is_away, &j, false, &placed, &t->e));
	GOOD(fault_plan(NULL, &t->e));
	assert_int_equal(placed.pending, 1);
	assert_false(placed.attempted);
	assert_int_equal(times_in(t, j.ann, &j.id), 1);
	assert_int_equal(times_in(t, j.bob, &j.id), 0);
	assert_int_equal(times_in(t, j.away, &j.id), 1);
	unsigned times;
	GOOD(postoffice_bag_drop(t->po, j.ann, slot_of(t, j.ann, &j.id, &times), &j.id, false, &t->e)); /* ANN reads and deletes it */
	GOOD(mail_look(t->po, &j.id, t->a, &v, &found, &t->e));
	GOOD(mail_place(t->po, &j.h, &v, is_away, &j, false, &placed, &t->e));
	assert_int_equal(placed.pending, 0);
	assert_int_equal(times_in(t, j.ann, &j.id), 0);
	assert_int_equal(times_in(t, j.bob, &j.id), 1);
}

static void k237695_the_last_try_gives_up_with_008_only_who_is_not_served(void **state)
{
	struct testing_po *t = *state;
	struct job j = begin_job(t);
	struct mail_placed placed;
	j.v.recipients = j.recipients;
	GOOD(fault_plan("MAIL_PLACE:2:fail", &t->e));
	GOOD(mail_place(t->po, &j.h, &j.v, is_away, &j, true, &placed, &t->e));
	GOOD(fault_plan(NULL, &t->e));
	assert_int_equal(placed.pending, 0);
	assert_int_equal(placed.bags, 2);
	assert_int_equal(j.v.recipients[0].notice, 0);
	assert_int_equal(j.v.recipients[1].notice, 8);
	assert_int_equal(counted(t, &j.id), 2);
}

/* --- notices --- */

static void one_notice_however_often(void **state)
{
	struct testing_po *t = *state;
	struct job j = begin_job(t);
	struct mail_journal *journal;
	struct mm_id first = { "" }, id;
	j.v.recipients = j.recipients;
	static const char *const plans[] = { "MAIL_NOTICE:1:fail", "PO_RENAME:1:fail", NULL, NULL };
	for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
		const struct mail_about about = { .v = &j.v, .h = &j.h };
		GOOD(mail_journal_open(t->po, "INQUEUE3", &journal, &t->e));
		GOOD(fault_plan(plans[i], &t->e));
		const bool good = mail_notice(t->po, journal, &about, &id, t->a, &t->e);
		assert_int_equal(good, plans[i] == NULL);
		GOOD(fault_plan(NULL, &t->e));
		if (first.s[0] == 0)
			first = id;
		assert_string_equal(id.s, first.s);
		mail_journal_close(&journal);
	}
	struct mm_envelope v;
	enum mail_found found;
	GOOD(mail_look(t->po, &first, t->a, &v, &found, &t->e));
	assert_int_equal(found, MAIL_NEW);
	assert_int_equal(v.n, 1);
	assert_true(view_eq(v.recipients[0].address.text, VIEW("TEST/AWAY/DOG")));
	assert_true(view_eq(v.from.text, VIEW("TEST/HOME/POSTMASTER")));
	assert_int_equal(times_in(t, "INQUEUE3", &first), 1);
}

static void a_notice_lists_who_was_not_reached(void **state)
{
	struct testing_po *t = *state;
	struct job j = begin_job(t);
	struct mail_journal *journal;
	struct mm_id id;
	struct mm_notice n;
	struct mai m;
	struct out o, original;
	const struct mai_limits limits = mai_limits_default();
	j.v.recipients = j.recipients;
	j.recipients[1].notice = 17;
	j.recipients[1].bag[0] = 0;
	out_init(&o, 1 << 20);
	out_init(&original, 1 << 20);
	GOOD(postoffice_read_mai(t->po, &j.id, 1 << 20, &original, &t->e));
	const struct mail_about about = { .v = &j.v, .h = &j.h, .mai = out_view(&original) };
	GOOD(mail_journal_open(t->po, "INQUEUE3", &journal, &t->e));
	GOOD(mail_notice(t->po, journal, &about, &id, t->a, &t->e));
	GOOD(postoffice_read_mai(t->po, &id, 1 << 20, &o, &t->e));
	GOOD(mai_parse(out_view(&o), &mm_scramble_none, &m, t->a, &limits, &t->e));
	assert_true(view_eq(m.subject, VIEW(NOTICE_SUBJECT)));
	assert_int_equal(m.n_attachments, 0);
	assert_true(notice_parse(m.text, &n, t->a));
	assert_int_equal(n.n_unreached, 2);
	assert_true(view_eq(n.unreached[0], VIEW("TEST/HOME/BOB")));
	assert_true(view_eq(n.unreached[1], VIEW("TEST/HOME/NOBODY")));
	assert_int_equal(n.codes[0], 17);
	assert_int_equal(n.codes[1], 2);
	assert_true(view_eq(n.subject, VIEW("about it")));
	assert_true(view_eq(n.original, VIEW("the text\r\n")));
	mail_journal_close(&journal);
	out_fini(&o);
	out_fini(&original);
}

static void k98067_who_is_not_told(void **state)
{
	(void)state;
	static const struct { const char *from; bool told; } rows[] = {
		{ "NET/PO/ANN", true }, { "", false }, { "NET/PO/POSTMASTER", false }, { "net/po/Postmaster", false }, { "POSTMASTER", false },
		{ "NET/POSTMASTER/ANN", true }, { "NET/PO/POSTMASTER2", true },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct mm_envelope v = { .from = { .type = MM_ADDRESS_MS, .text = view_str(rows[i].from) } };
		if (mail_may_notice(&v, NULL) != rows[i].told)
			fail_msg("\"%s\"", rows[i].from);
	}
	const struct mm_header h = { .from = "PostMaster", .subject = "Mail failure" };
	const struct mm_envelope v = { .from = { .type = MM_ADDRESS_MS, .text = VIEW("NET/PO/X") } };
	assert_false(mail_may_notice(&v, &h));
}

/* --- small things --- */

static void numbers_of_notices_in_texts(void **state)
{
	(void)state;
	static const struct { const char *text; int notice; } rows[] = {
		{ "[016] MAI is missing", 16 }, { "x [y] [24] [024] z", 24 }, { "nothing", 0 }, { "[01", 0 }, { "", 0 }, { "[0a6]", 0 },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct err e;
		(void)err_set(&e, ERR_PERM, ERR_OF_MESSAGE, "%s", rows[i].text);
		assert_int_equal(mail_notice_of(&e), rows[i].notice);
	}
}

static void records_of_envelopes(void **state)
{
	(void)state;
	struct mm_header h;
	struct mm_envelope v = { .mai = one, .from = { .type = MM_ADDRESS_MS, .text = VIEW("NET/PO/ANN") }, .arrived = 1000000000000, .size = 5, .priority = '5' };
	mail_header_of(&v, VIEW("0123456789012345678901234567890123456789 is forty"), 60, &h);
	assert_string_equal(h.from, "ANN");
	assert_string_equal(h.subject, "0123456789012345678901234567890123456789");
	assert_int_equal(h.date.year, 2001); /* 9 September 2001, 01:46 UTC */
	assert_int_equal(h.date.hour, 2);
	assert_int_equal(h.priority, '5');
	v.from = (struct mm_address){ .type = MM_ADDRESS_X400, .text = VIEW("/c=de/a=/p=x/s=y") };
	mail_header_of(&v, VIEW(""), 0, &h);
	assert_string_equal(h.from, "/c=de/a=/p");
	v.from.friendly = VIEW("Mister Long Name");
	mail_header_of(&v, VIEW(""), 0, &h);
	assert_string_equal(h.from, "Mister Lon");
}

static void a_log_grows_by_lines(void **state)
{
	struct testing_po *t = *state;
	char text[100];
	GOOD(mail_log(t->po, "LOG", "SENT.LOG", "one", &t->e));
	GOOD(mail_log(t->po, "LOG", "SENT.LOG", "two", &t->e));
	FILE *f = fopen(testing_path(t, "LOG/SENT.LOG"), "r");
	assert_non_null(f);
	const size_t n = fread(text, 1, sizeof text, f);
	fclose(f);
	assert_int_equal(n, 10);
	assert_memory_equal(text, "one\r\ntwo\r\n", 10);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, testing_setup, testing_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_journal_keeps_its_lines), CASE(a_cut_line_is_none), CASE(nonsense_in_a_journal_is_passed_over), CASE(a_failed_line_is_taken_back),
		CASE(an_envelope_outlives_the_record), CASE(no_step_of_the_end_leaves_a_record_alone), CASE(who_has_it_is_spared),
		CASE(who_may_have_it_is_spared), CASE(what_others_need_is_counted), CASE(what_others_needed_counts_no_more),
		CASE(placing_serves_each_bag_once_however_often), CASE(the_end_forgets_the_record_and_keeps_the_envelope_for_outbound_bags),
		CASE(nobody_left_takes_the_files_along), CASE(who_waits_hinders_nobody), CASE(k237695_the_last_try_gives_up_with_008_only_who_is_not_served),
		CASE(one_notice_however_often), CASE(a_notice_lists_who_was_not_reached), cmocka_unit_test(k98067_who_is_not_told),
		cmocka_unit_test(numbers_of_notices_in_texts), cmocka_unit_test(records_of_envelopes), CASE(a_log_grows_by_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
