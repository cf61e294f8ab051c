/* interchange_test.c - both ways through a real postoffice, and what may go wrong with it. */
#include "proc/interchange/interchange_testing.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "flow/message/pack.h"
#include "flow/wire/postoffice/no_file_testing.h"

static void test_a_letter_goes_out(void **state)
{
	(void)state;
	struct world *w = world_new("");
	struct po_bag_entry entries[HEARD];
	assert_string_equal(interchange_state(w->x), "attached");
	say_open(w, 1);
	assert_int_equal(w->ups, 1);
	say_transfer(w, 1, 1, letter(w, MESSAGE_MESSAGE, "one", "TEST/NEAR/BOB"), VIEW("Hello."));
	assert_int_equal(w->n_results, 1);
	if (!w->results[0].delivered)
		fail_msg("%s", w->results[0].err.text);
	assert_int_equal(count_records(w, "TEST/NEAR", entries), 1);
	assert_string_equal(entries[0].header.subject, "A subject");
	const struct mai m = read_message(w, "TEST/NEAR", 0);
	assert_true(view_eq(m.text, VIEW("Hello.")));
	struct mm_envelope v;
	struct err e;
	assert_true(postoffice_read_envelope(w->po, &entries[0].header.mai, w->a, &v, &e));
	assert_int_equal(v.state, MM_READY);
	assert_int_equal(v.n_hops, 1);
	assert_int_equal(w->n_offers, 0);
	assert_true(was_told(w, "msmail.passed"));
	world_free(w);
}

static void test_a_letter_comes_in(void **state)
{
	(void)state;
	struct world *w = world_new("");
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/CAROL", "Lunch", "At one?", NULL);
	world_pass(w, 60 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_int_equal(w->offers[0].message.n_rcpt, 1);
	assert_true(memmem(w->offers[0].content.p, w->offers[0].content.n, "At one?", 7) != NULL);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	assert_false(has_file(w, "P1", ".P1"));
	assert_true(was_told(w, "msmail.taken"));
	world_free(w);
}


/* As another program puts it there. */
static void put_record(struct world *w, const char *name, const struct mm_header *h)
{
	char bag[9];
	struct err e;
	if (!postoffice_deliver(w->po, bag_of(w, name, bag), h, &e))
		fail_msg("%s", e.text);
}

/* 4096 records, of messages that are not there. */
static void fill_bag(struct world *w, const char *name, uint32_t first)
{
	char bag[9], path[200];
	struct mm_key key = { 0 };
	uint8_t *records = mem_alloc((size_t)MM_BAG_RECORDS * MM_RECORD_SIZE);
	bag_of(w, name, bag);
	for (uint32_t i = 0; i < MM_BAG_RECORDS; i++) {
		const struct mm_header h = { .mai = mm_id_of(first + i), .word_88 = 0x18 };
		mm_header_print(&h, records + (size_t)i * MM_RECORD_SIZE);
		mm_key_add(&key, i, true);
	}
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, i == 0 ? "%s/MBG/%s.MBG" : "%s/KEY/%s.KEY", w->path, bag);
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(i == 0 ? fwrite(records, MM_RECORD_SIZE, MM_BAG_RECORDS, f) : fwrite(key.octets, MM_KEY_SIZE, 1, f), i == 0 ? MM_BAG_RECORDS : 1);
		assert_int_equal(fclose(f), 0);
	}
	free(records);
}

/* They have gone since. */
static void clear_key(struct world *w, const char *name)
{
	static const struct mm_key none;
	char bag[9], path[200];
	snprintf(path, sizeof path, "%s/KEY/%s.KEY", w->path, bag_of(w, name, bag));
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(none.octets, MM_KEY_SIZE, 1, f), 1);
	assert_int_equal(fclose(f), 0);
}

static void plan_fault(const char *text)
{
	struct err e;
	if (!fault_plan(text, &e))
		fail_msg("%s", e.text);
}

static const struct recipient *recipient_of(const struct heard_offer *o, const char *text)
{
	static struct arena *a;
	arena_free(&a);
	a = arena_new(1 << 20);
	for (size_t i = 0; i < o->message.n_rcpt; i++)
		if (strstr(oraddr_text(&o->message.rcpt[i].addr, a), text) != NULL)
			return &o->message.rcpt[i];
	return NULL;
}

static bool has(struct view v, const char *text)
{
	return memmem(v.p, v.n, text, strlen(text)) != NULL;
}

/* Content over the inline size comes in pieces, one attachment after the other goes in pieces, under credit both ways. */
static void test_long_messages_go_in_pieces(void **state)
{
	(void)state;
	struct world *w = world_new("");
	const size_t n = 1000 * 1000;
	char *text = mem_alloc(n + 1);
	for (size_t i = 0; i < n; i++)
		text[i] = (char)('a' + i % 23);
	text[n] = 0;
	say_open(w, 1);
	say_transfer(w, 1, 1, letter(w, MESSAGE_MESSAGE, "long", "TEST/NEAR/BOB"), view_of(text, n));
	assert_int_equal(w->n_results, 1);
	assert_true(w->results[0].delivered);
	assert_true(view_eq(read_message(w, "TEST/NEAR", 0).text, view_of(text, n)));
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/CAROL", "Long", "see files", text);
	world_pass(w, 60 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_true(has(w->offers[0].content, text));
	free(text);
	world_free(w);
}

/* Q166609 and the like: a local user, another postoffice, an X.400 user in one message: each has it once. */
static void test_one_message_goes_three_ways(void **state)
{
	(void)state;
	struct world *w = world_new("");
	struct mm_envelope v;
	struct err e;
	const struct mm_id id = put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/LOCAL FAR/BEYOND/EVE TEST/SHADOW/CAROL /c=gb/a=x/s=dave", "All", "To you all", NULL);
	world_pass(w, 60 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_int_equal(w->offers[0].message.n_rcpt, 2);
	assert_non_null(recipient_of(&w->offers[0], "CAROL"));
	assert_non_null(recipient_of(&w->offers[0], "dave"));
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 1);
	assert_int_equal(count_records(w, "TEST/NEAR", NULL), 1);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	assert_true(postoffice_read_envelope(w->po, &id, w->a, &v, &e));
	assert_int_equal(v.state, MM_READY);
	world_free(w);
}

/* Q151791: an address that the switch refuses costs that recipient only; the message leaves INQUEUE3 and the sender is told. */
static void k151791_a_refused_recipient_does_not_stop_the_others(void **state)
{
	(void)state;
	struct world *w = world_new("");
	w->refuse = "BAD";
	put_message(w, "TEST/SHADOW/LOCAL", "TEST/SHADOW/A1 TEST/SHADOW/BAD TEST/SHADOW/A2 TEST/SHADOW/A3", "Refused", "text", NULL);
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/CAROL", "Behind it", "text", NULL);
	world_pass(w, 120 * 1000);
	unsigned a1 = 0, a2 = 0, a3 = 0, carol = 0;
	for (unsigned i = 0; i < w->n_offers; i++) {
		if (recipient_of(&w->offers[i], "BAD") != NULL)
			continue;
		a1 += recipient_of(&w->offers[i], "A1") != NULL;
		a2 += recipient_of(&w->offers[i], "A2") != NULL;
		a3 += recipient_of(&w->offers[i], "A3") != NULL;
		carol += recipient_of(&w->offers[i], "CAROL") != NULL;
	}
	assert_int_equal(a1, 1);
	assert_int_equal(a2, 1);
	assert_int_equal(a3, 1);
	assert_int_equal(carol, 1);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 1);
	const struct mai notice = read_message(w, "TEST/SHADOW/LOCAL", 0);
	assert_true(has(notice.text, "TEST/SHADOW/BAD"));
	assert_false(has(notice.text, "TEST/SHADOW/A1\r"));
	assert_true(was_told(w, "msmail.refused"));
	assert_true(was_told(w, "msmail.returned"));
	world_free(w);
}

/* Q243701, Q173344: a recipient that the converter cannot map is told of, the others go on. */
static void k243701_an_unmappable_recipient_is_told_of(void **state)
{
	(void)state;
	struct world *w = world_new("");
	w->unmapped = "NOBODY";
	put_message(w, "TEST/SHADOW/LOCAL", "TEST/SHADOW/A1 TEST/SHADOW/NOBODY", "Two", "text", NULL);
	world_pass(w, 120 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_true(recipient_of(&w->offers[0], "A1")->responsible);
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 1);
	assert_true(has(read_message(w, "TEST/SHADOW/LOCAL", 0).text, "[002]"));
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	world_free(w);
}

static void test_what_nobody_can_be_offered_is_only_returned(void **state)
{
	(void)state;
	struct world *w = world_new("");
	w->unmapped = "NOBODY";
	put_message(w, "TEST/SHADOW/LOCAL", "TEST/SHADOW/NOBODY", "None", "text", NULL);
	world_pass(w, 120 * 1000);
	assert_int_equal(w->n_offers, 0);
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 1);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	world_free(w);
}

/* Notices are never about notices (Q98067): a postmaster hears nothing. */
static void k98067_a_postmaster_hears_of_nothing(void **state)
{
	(void)state;
	struct world *w = world_new("");
	w->unmapped = "NOBODY";
	put_message(w, "TEST/NEAR/POSTMASTER", "TEST/SHADOW/NOBODY", "Mail failure", "text", NULL);
	world_pass(w, 120 * 1000);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	assert_int_equal(count_records(w, "TEST/NEAR", NULL), 0);
	assert_true(was_told(w, "msmail.notice-failed"));
	world_free(w);
}

/* Q237182: what fails each time is a matter of that message after limits.strikes, and of no other before. */
static void k237182_a_message_that_kills_the_converter_ends_in_quarantine(void **state)
{
	(void)state;
	struct world *w = world_new("");
	w->poison = "deadly";
	put_message(w, "TEST/SHADOW/LOCAL", "TEST/SHADOW/CAROL", "Poison", "deadly octets", "one|two");
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/CAROL", "Fine", "text", NULL);
	for (unsigned i = 0; i < 12; i++) {
		world_pass(w, 60 * 1000);
		if (w->xbulk == NULL)
			converter_joins(w);
	}
	assert_int_equal(w->n_offers, 2);
	assert_false(w->offers[0].m.octets);                    /* the other one was not kept waiting */
	assert_true(w->offers[1].m.octets);
	assert_int_equal(w->offers[1].m.err.kind, ERR_PERM);
	assert_true(w->offers[1].m.hash != 0);                  /* what it does when it is examined is counted for it alone */
	assert_true(has(w->offers[1].content, "deadly octets"));
	assert_true(has(w->offers[1].content, "twodeadly") || has(w->offers[1].content, "two"));
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 1);
	assert_true(has(read_message(w, "TEST/SHADOW/LOCAL", 0).text, "[012]"));
	assert_true(was_told(w, "msmail.quarantined"));
	/* Released: it is what it was. */
	w->poison = NULL;
	say_examine(w, 77, w->offers[1].content);
	assert_int_equal(w->n_examined, 1);
	assert_true(w->examined.offered);
	assert_int_equal(w->n_offers, 3);
	assert_int_equal(w->offers[2].m.examined, 77);
	assert_true(has(w->offers[2].content, "deadly octets"));
	world_free(w);
}

/* Q169671: strikes are durable, and what has struck is not first in line after a restart. */
static void k169671_poison_is_not_first_after_a_restart(void **state)
{
	(void)state;
	struct world *w = world_new("      poll: 1000 s\n");
	world_settle(w);
	say_busy(w, true);
	const struct mm_id bad = put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/ONE", "Bad", "text", NULL);
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/TWO", "Good", "text", NULL);
	char note[80];
	snprintf(note, sizeof note, "INQUEUE3 %s", bad.s);
	interchange_peer_died(w->x, PROCESS_INTERCHANGE, true, "signal 11 (SIGSEGV)", note);
	world_restart(w); /* and it is remembered */
	world_pass(w, 2000 * 1000);
	assert_int_equal(w->n_offers, 2);
	assert_non_null(recipient_of(&w->offers[0], "TWO"));
	assert_non_null(recipient_of(&w->offers[1], "ONE"));
	assert_true(was_told(w, "msmail.struck"));
	world_free(w);
}

/* A process that was ended while it waited for the file server strikes no message. */
static void k151669_a_hung_file_server_strikes_nothing(void **state)
{
	(void)state;
	struct world *w = world_new("");
	interchange_peer_died(w->x, PROCESS_INTERCHANGE, true, "ended: it makes no progress", "postoffice read MAI/MA1/00000001.MAI");
	assert_true(was_told(w, "msmail.file-server"));
	assert_false(was_told(w, "msmail.struck"));
	world_free(w);
}

/* Q165396 and [016]: a record whose message file is gone: the sender is told, the record goes. */
static void test_a_missing_message_file_is_told_of(void **state)
{
	(void)state;
	struct world *w = world_new("");
	char path[200];
	const struct mm_id id = put_message(w, "TEST/SHADOW/LOCAL", "TEST/SHADOW/CAROL", "Gone", "text", NULL);
	snprintf(path, sizeof path, "%s/MAI/MA%c/%s.MAI", w->path, id.s[7], id.s);
	assert_int_equal(remove(path), 0);
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/DAN", "There", "text", NULL);
	world_pass(w, 120 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 1);
	assert_true(has(read_message(w, "TEST/SHADOW/LOCAL", 0).text, "[016]"));
	world_free(w);
}

static void remove_envelope(struct world *w, const struct mm_id *id)
{
	char path[200];
	snprintf(path, sizeof path, "%s/P1/%s.P1", w->path, id->s);
	assert_int_equal(remove(path), 0);
}

/* Q103960: another mover has finished the message, and only its record is left: it is forgotten without a word. */
static void k103960_a_record_without_envelope_is_forgotten(void **state)
{
	(void)state;
	struct world *w = world_new("      administrator: TEST/SHADOW/LOCAL\n");
	struct po_bag_entry entries[HEARD];
	struct mm_header h = { .subject = "Read and deleted", .mai = mm_id_of(0xFFF1) };
	const struct mm_id id = put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/LOCAL", "Done", "text", NULL);
	char bag[9];
	struct err e;
	put_record(w, "TEST/NEAR", &h);
	assert_true(postoffice_bag_forget(w->po, bag_of(w, "TEST/NEAR", bag), 0, &h.mai, &e));
	count_records(w, "INQUEUE3", entries);
	put_record(w, "TEST/SHADOW/LOCAL", &entries[0].header);
	put_record(w, "INQUEUE3", &h);
	remove_envelope(w, &id);
	world_pass(w, 120 * 1000);
	assert_int_equal(w->n_offers, 0);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	assert_int_equal(count_records(w, "TEST/NEAR", NULL), 0);
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 1);
	world_free(w);
}

/* Only its record is left, and no mailbag had it: the administrator of the settings hears what is known, else the one of the postoffice. */
static void what_has_left_only_a_record_the_administrator_hears(void **state)
{
	static const char *const who[] = { "      administrator: TEST/SHADOW/LOCAL\n", "" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(who); i++) {
		struct world *w = world_new(who[i]);
		struct mm_header h = { .from = "LOCAL", .subject = "Gone", .mai = mm_id_of(0xFFF1), .size = 4711 };
		put_record(w, "INQUEUE3", &h);
		world_pass(w, 120 * 1000);
		assert_int_equal(w->n_offers, 0);
		assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
		assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), i == 0);
		assert_int_equal(count_records(w, "TEST/SHADOW/ADMIN", NULL), i == 1);
		const struct mai m = read_message(w, i == 0 ? "TEST/SHADOW/LOCAL" : "TEST/SHADOW/ADMIN", 0);
		assert_true(has(m.text, "[021]"));
		assert_true(has(m.text, "FROM: LOCAL\r\n"));
		assert_true(has(m.text, "SUBJECT: Gone\r\n"));
		assert_true(has(m.text, "Message 0000FFF1 of mailbag INQUEUE3, 4711 octets"));
		world_free(w);
	}
}

/* What came from X.400 by way of us has its sender in our journal: the notice to him is one that becomes a report. Not when the number is somebody else's. */
static void what_has_left_only_a_record_its_x400_sender_hears(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct world *w = world_new("");
		struct po_bag_entry entries[HEARD];
		char path[200], bag[9];
		struct err e;
		struct po_lock *lock;
		say_open(w, 1);
		assert_true(postoffice_lock(w->po, "INQUEUE3", &lock, &e) && lock != NULL);
		say_transfer(w, 1, 1, letter(w, MESSAGE_MESSAGE, "one", "TEST/SHADOW/LOCAL TEST/NEAR/BOB"), VIEW("Hello."));
		assert_true(w->results[0].delivered);
		assert_int_equal(count_records(w, "INQUEUE3", entries), 1);
		const struct mm_header *h = &entries[0].header;
		remove_envelope(w, &h->mai);
		snprintf(path, sizeof path, "%s/MAI/MA%c/%s.MAI", w->path, h->mai.s[7], h->mai.s);
		assert_int_equal(remove(path), 0);
		if (i == 1) { /* as after a copy of the postoffice was put back: another message */
			struct mm_header other = *h;
			snprintf(other.subject, sizeof other.subject, "Another one");
			assert_true(postoffice_bag_forget(w->po, bag_of(w, "INQUEUE3", bag), entries[0].slot, &h->mai, &e));
			put_record(w, "INQUEUE3", &other);
		}
		postoffice_unlock(&lock);
		world_pass(w, 200 * 1000);
		assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
		assert_int_equal(count_records(w, "TEST/SHADOW/ADMIN", NULL), i);
		assert_int_equal(w->n_offers, 1 - i);
		if (i == 0) { /* the converter here is none: as it came from the mover's side */
			assert_true(has(w->offers[0].content, "[021]"));
			assert_true(has(w->offers[0].content, "/S=sender"));
			assert_true(has(w->offers[0].content, "SUBJECT: A subject"));
			assert_true(has(w->offers[0].content, "DATE: 2026-01-01"));
			assert_true(has(w->offers[0].content, "not delivered to:\r\n    TEST/SHADOW/LOCAL\r\n    TEST/NEAR/BOB\r\n"));
		}
		world_free(w);
	}
}

/* P1 was lost and made anew: the sender is told, and with none to tell the administrator. What the switch had taken is no matter of it. */
static void test_a_lost_envelope_is_told_of(void **state)
{
	(void)state;
	struct world *w = world_new("      administrator: TEST/SHADOW/LOCAL\n");
	const struct mm_id id = put_message(w, "TEST/SHADOW/LOCAL", "TEST/SHADOW/CAROL TEST/NEAR/ANN", "Lost", "its text", NULL);
	const struct mm_id other = put_message(w, "", "TEST/SHADOW/CAROL", "Nobody's", "its text", NULL);
	remove_envelope(w, &id);
	remove_envelope(w, &other);
	world_pass(w, 120 * 1000);
	assert_int_equal(w->n_offers, 0);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	assert_int_equal(count_records(w, "TEST/NEAR", NULL), 0);
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 2);
	for (unsigned i = 0; i < 2; i++) {
		const struct mai m = read_message(w, "TEST/SHADOW/LOCAL", i);
		assert_true(has(m.text, "[021]"));
		assert_true(has(m.text, "its text"));
		assert_true(has(m.text, "TEST/SHADOW/CAROL"));
		assert_int_equal(has(m.text, "Mail item was not delivered to:\r\n    TEST/NEAR/ANN"), false); /* a mover's */
	}
	assert_true(was_told(w, "msmail.envelope-lost"));
	assert_false(has_file(w, "P1", ".P1"));
	world_free(w);
}

/* The same with a crash between the steps: one notice. */
static void test_a_lost_envelope_is_told_of_once(void **state)
{
	static const char *const plans[] = { "MAIL_PLACING:1:fail", "MAIL_NOTICE:1:fail", "MAIL_FINISH:1:fail" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
		struct world *w = world_new("");
		const struct mm_id id = put_message(w, "TEST/SHADOW/LOCAL", "TEST/SHADOW/CAROL", "Lost", "text", NULL);
		remove_envelope(w, &id);
		plan_fault(plans[i]);
		world_pass(w, 1000);
		world_restart(w);
		world_pass(w, 700 * 1000);
		assert_int_equal(w->n_offers, 0);
		assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
		assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 1);
		assert_true(has(read_message(w, "TEST/SHADOW/LOCAL", 0).text, "[021]"));
		plan_fault(NULL);
		world_free(w);
	}
}

/* Its only attachment gets another's name, in place. */
static void rename_attachment(struct world *w, const struct mm_id *mai, const struct mm_id *name)
{
	char path[200];
	struct out o;
	struct err e;
	snprintf(path, sizeof path, "%s/MAI/MA%c/%s.MAI", w->path, mai->s[7], mai->s);
	out_init(&o, 1 << 20);
	assert_true(postoffice_read_mai(w->po, mai, 1 << 20, &o, &e));
	uint8_t *file = mem_dup(out_view(&o).p, out_len(&o));
	assert_true(mai_rename_attachments(file, out_len(&o), &mm_scramble_none, name, 1, &e));
	FILE *f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fwrite(file, 1, out_len(&o), f), out_len(&o));
	assert_int_equal(fclose(f), 0);
	free(file);
	out_fini(&o);
}

/* [018]: the message goes on without an attachment that is missing, and says so; the others keep their places (Q151249). */
static void test_a_missing_attachment_is_said_in_the_text(void **state)
{
	(void)state;
	struct world *w = world_new("");
	char path[200];
	const struct mm_id id = put_message(w, "TEST/SHADOW/LOCAL", "TEST/SHADOW/CAROL", "Files", "text", "first|second|third");
	struct out o;
	struct mai m;
	struct err e;
	const struct mai_limits limits = mai_limits_default();
	out_init(&o, 1 << 20);
	assert_true(postoffice_read_mai(w->po, &id, 1 << 20, &o, &e));
	assert_true(mai_parse(out_view(&o), &mm_scramble_none, &m, w->a, &limits, &e));
	snprintf(path, sizeof path, "%s/ATT/AT%c/%s.ATT", w->path, m.attachments[1].file.s[7], m.attachments[1].file.s);
	out_fini(&o);
	assert_int_equal(remove(path), 0);
	world_pass(w, 120 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_true(has(w->offers[0].content, "[018]"));
	assert_true(has(w->offers[0].content, "file2.txt"));
	assert_true(has(w->offers[0].content, "firstthird"));
	assert_true(was_told(w, "msmail.no-attachment"));
	world_free(w);
}

/* Q87379: exactly one message names a file. What names another's goes on without it, as if it were missing, and its owner keeps it. */
static void test_an_attachment_of_another_message_stays_there(void **state)
{
	(void)state;
	struct world *w = world_new("");
	const struct mm_id owner = put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/LOCAL", "Hers", "text", "secret words");
	world_pass(w, 120 * 1000);
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 1);
	const struct mai hers = read_message(w, "TEST/SHADOW/LOCAL", 0);
	const struct mm_id thief = put_message(w, "TEST/SHADOW/LOCAL", "TEST/SHADOW/CAROL", "Not hers", "text", "other octets");
	rename_attachment(w, &thief, &hers.attachments[0].file);
	world_pass(w, 120 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_true(has(w->offers[0].content, "[018]"));
	assert_false(has(w->offers[0].content, "secret words"));
	struct po_file *f;
	struct err e;
	uint64_t size;
	struct po_owner *o = postoffice_owner_new(&owner, hers.attachments, hers.n_attachments);
	assert_true(postoffice_open_own(w->po, o, &hers.attachments[0], &f, &size, &e));
	po_file_close(&f);
	postoffice_owner_free(&o);
	world_free(w);
}

/* Q156728, Q149021: good news has no form in Microsoft Mail: it ends here, and is no bad news. */
static void k156728_a_delivery_report_is_no_notice(void **state)
{
	(void)state;
	struct world *w = world_new("");
	say_open(w, 1);
	struct message *m = letter(w, MESSAGE_REPORT, "report", "TEST/NEAR/BOB");
	m->content_type = -2;
	m->rcpt[0].outcome = OUTCOME_DELIVERED;
	m->rcpt[0].delivered_at = FAKE_WALL_MS;
	say_transfer(w, 1, 1, m, VIEW(""));
	assert_int_equal(w->n_results, 1);
	assert_true(w->results[0].delivered);
	assert_int_equal(count_records(w, "TEST/NEAR", NULL), 0);
	world_free(w);
}

/* "You are the gateway": who asked hears, who is unknown is reported, the others have it. */
static void test_reports_of_the_gateway(void **state)
{
	(void)state;
	struct world *w = world_new("");
	say_open(w, 1);
	struct message *m = letter(w, MESSAGE_MESSAGE, "two", "TEST/NEAR/BOB NOWHERE/AT/ALL TEST/NEAR/EVE");
	m->rcpt[2].originator_report = m->rcpt[2].mta_report = REPORT_ALL;
	say_transfer(w, 1, 1, m, VIEW("Hello."));
	assert_int_equal(w->n_results, 1);
	assert_true(w->results[0].delivered);
	assert_int_equal(w->n_offers, 1);
	const struct message *r = &w->offers[0].message;
	assert_int_equal(r->kind, MESSAGE_REPORT);
	assert_true(mts_id_eq(&r->subject_id, &m->id));
	assert_int_equal(r->n_rcpt, 2);
	const struct recipient *bad = recipient_of(&w->offers[0], "NOWHERE");
	assert_int_equal(bad->outcome, OUTCOME_NOT_DELIVERED);
	assert_int_equal(bad->reason, 1);
	assert_int_equal(bad->diagnostic, 0);
	assert_int_equal(recipient_of(&w->offers[0], "EVE")->outcome, OUTCOME_DELIVERED);
	assert_int_equal(count_records(w, "TEST/NEAR", NULL), 1);
	assert_true(was_told(w, "msmail.no-route")); /* Q169117 */
	/* The same transfer after its result was lost: the same report, and nothing twice in the bag. */
	world_restart(w);
	say_open(w, 2);
	say_transfer(w, 2, 2, m, VIEW("Hello."));
	assert_int_equal(w->n_results, 2);
	assert_true(w->results[1].delivered);
	assert_int_equal(count_records(w, "TEST/NEAR", NULL), 1);
	assert_int_equal(w->n_offers, 2);
	assert_true(view_eq(w->offers[0].m.packed, w->offers[1].m.packed));
	world_free(w);
}

static void test_a_transfer_to_nobody_is_refused(void **state)
{
	(void)state;
	struct world *w = world_new("");
	say_open(w, 1);
	say_transfer(w, 1, 1, letter(w, MESSAGE_MESSAGE, "none", "NOWHERE/AT/ALL"), VIEW("Hello."));
	assert_int_equal(w->n_results, 1);
	assert_false(w->results[0].delivered);
	assert_int_equal(w->results[0].err.kind, ERR_PERM);
	assert_int_equal(w->results[0].err.reason, 1);
	assert_int_equal(w->results[0].err.diagnostic, 0);
	assert_int_equal(w->n_offers, 0);
	assert_false(has_file(w, "P1", ".P1"));
	world_free(w);
}

static void test_a_probe_is_answered(void **state)
{
	(void)state;
	struct world *w = world_new("");
	say_open(w, 1);
	struct message *m = letter(w, MESSAGE_PROBE, "probe", "TEST/NEAR/BOB");
	m->rcpt[0].originator_report = m->rcpt[0].mta_report = REPORT_ALL;
	say_transfer(w, 1, 1, m, VIEW(""));
	assert_int_equal(w->n_results, 1);
	assert_true(w->results[0].delivered);
	assert_int_equal(w->n_offers, 1);
	assert_int_equal(w->offers[0].message.kind, MESSAGE_REPORT);
	assert_int_equal(count_records(w, "TEST/NEAR", NULL), 0);
	world_free(w);
}

static void test_a_local_user_is_served_by_the_mailer(void **state)
{
	(void)state;
	struct world *w = world_new("");
	say_open(w, 1);
	say_transfer(w, 1, 1, letter(w, MESSAGE_MESSAGE, "local", "TEST/SHADOW/LOCAL TEST/NEAR/BOB"), VIEW("Hello."));
	assert_int_equal(w->n_results, 1);
	assert_true(w->results[0].delivered);
	world_pass(w, 120 * 1000);
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 1);
	assert_int_equal(count_records(w, "TEST/NEAR", NULL), 1);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	assert_int_equal(w->n_offers, 0);
	world_free(w);
}

/* A mover's notice about a message of ours becomes a report about the recipient that it names; another is mail. */
static void test_a_movers_notice_becomes_a_report(void **state)
{
	(void)state;
	struct world *w = world_new("");
	struct view names[] = { VIEW("TEST/NEAR/BOB") };
	struct mm_notice n = { .code = 17, .from = VIEW("sender"), .subject = VIEW("A subject"), .unreached = names, .n_unreached = 1 };
	say_open(w, 1);
	struct message *m = letter(w, MESSAGE_MESSAGE, "one", "TEST/NEAR/BOB TEST/NEAR/EVE");
	say_transfer(w, 1, 1, m, VIEW("Hello."));
	assert_int_equal(w->n_results, 1);
	w->notice = &n;
	w->notice_date = VIEW("20260101123000");
	world_restart(w);
	put_message(w, "TEST/NEAR/POSTMASTER", "/c=gb/a=x/p=y/s=sender", "Mail failure", "...", NULL);
	world_pass(w, 120 * 1000);
	assert_int_equal(w->n_offers, 1);
	const struct message *r = &w->offers[0].message;
	assert_int_equal(r->kind, MESSAGE_REPORT);
	assert_true(mts_id_eq(&r->subject_id, &m->id));
	assert_int_equal(r->n_rcpt, 1);
	assert_int_equal(r->rcpt[0].number, 1);
	assert_int_equal(r->rcpt[0].reason, 1);
	assert_int_equal(r->rcpt[0].diagnostic, 4); /* [017]: recipient-unavailable */
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	/* Another date: it is about something else, and mail. */
	w->notice_date = VIEW("20250101123000");
	put_message(w, "TEST/NEAR/POSTMASTER", "/c=gb/a=x/p=y/s=sender", "Mail failure", "...", NULL);
	world_pass(w, 120 * 1000);
	assert_int_equal(w->n_offers, 2);
	assert_int_equal(w->offers[1].message.kind, MESSAGE_MESSAGE);
	world_free(w);
}

/* Each name of a long list is found, in any order and case, and no other. */
static void test_a_notice_about_many(void **state)
{
	enum { ALL = 1600, UNREACHED = 1300 };
	(void)state;
	struct world *w = world_new("");
	struct view *names = arena_array(w->a, UNREACHED, sizeof *names);
	struct out to;
	char name[24];
	out_init(&to, 100000);
	for (unsigned i = 0; i < ALL; i++)
		out_fmt(&to, "%sTEST/NEAR/U%u", i == 0 ? "" : " ", i + 1);
	for (unsigned i = 0; i < UNREACHED; i++) {
		snprintf(name, sizeof name, "test/NEAR/u%u", UNREACHED - i);
		names[i] = arena_copy(w->a, view_str(name));
	}
	struct mm_notice n = { .code = 2, .from = VIEW("sender"), .subject = VIEW("A subject"), .unreached = names, .n_unreached = UNREACHED };
	say_open(w, 1);
	say_transfer(w, 1, 1, letter(w, MESSAGE_MESSAGE, "one", out_cstr(&to)), VIEW("Hello."));
	w->notice = &n;
	w->notice_date = VIEW("20260101123000");
	put_message(w, "TEST/NEAR/POSTMASTER", "/c=gb/a=x/p=y/s=sender", "Mail failure", "...", NULL);
	world_pass(w, 120 * 1000);
	assert_int_equal(w->n_offers, 1);
	const struct message *r = &w->offers[0].message;
	assert_int_equal(r->kind, MESSAGE_REPORT);
	assert_int_equal(r->n_rcpt, UNREACHED);
	for (uint32_t i = 0; i < UNREACHED; i++)
		assert_int_equal(r->rcpt[i].number, i + 1);
	out_fini(&to);
	world_free(w);
}

/* The file server goes away and comes back: associations end with a reason, nothing is charged to a message, and mail goes on. */
static void k118619_a_server_that_comes_back_is_found_again(void **state)
{
	(void)state;
	struct world *w = world_new("");
	say_open(w, 1);
	plan_fault("PO_OPEN:1:stick");
	say_transfer(w, 1, 1, letter(w, MESSAGE_MESSAGE, "one", "TEST/NEAR/BOB"), VIEW("Hello."));
	assert_int_equal(w->n_results, 0);
	assert_int_equal(w->downs, 1);
	assert_true(w->down.was_open);
	assert_int_equal(w->down.err.culprit, ERR_OF_LINK);
	assert_string_equal(interchange_state(w->x), "degraded");
	say_open(w, 2);
	assert_int_equal(w->downs, 2);
	assert_false(w->down.was_open);
	assert_true(was_told(w, "interchange.detached"));
	world_pass(w, 10 * 60 * 1000);
	plan_fault(NULL);
	world_pass(w, 10 * 60 * 1000);
	assert_string_equal(interchange_state(w->x), "attached");
	say_open(w, 3);
	assert_int_equal(w->ups, 2);
	say_transfer(w, 2, 3, letter(w, MESSAGE_MESSAGE, "one", "TEST/NEAR/BOB"), VIEW("Hello."));
	assert_int_equal(w->n_results, 1);
	assert_true(w->results[0].delivered);
	assert_int_equal(count_records(w, "TEST/NEAR", NULL), 1);
	world_free(w);
}

/* Q168857: somebody holds INQUEUE3: after a while the operator hears who; when it is let go mail is taken. */
static void k168857_who_holds_the_lock_is_named(void **state)
{
	(void)state;
	struct world *w = world_new("      lock-patience: 60 s\n");
	struct po_lock *lock;
	struct err e;
	assert_true(postoffice_lock(w->po, "INQUEUE3", &lock, &e));
	assert_non_null(lock);
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/CAROL", "Waits", "text", NULL);
	world_pass(w, 30 * 1000);
	assert_false(was_told(w, "interchange.locked"));
	world_pass(w, 300 * 1000);
	assert_true(was_told(w, "interchange.locked"));
	assert_int_equal(w->n_offers, 0);
	postoffice_unlock(&lock);
	world_pass(w, 300 * 1000);
	assert_int_equal(w->n_offers, 1);
	world_free(w);
}

/* BUSY holds what comes in back, and nothing else. */
static void test_busy_holds_mail_back(void **state)
{
	(void)state;
	struct world *w = world_new("");
	say_open(w, 1);
	say_busy(w, true);
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/CAROL", "Waits", "text", NULL);
	world_pass(w, 300 * 1000);
	assert_int_equal(w->n_offers, 0);
	say_transfer(w, 1, 1, letter(w, MESSAGE_MESSAGE, "one", "TEST/NEAR/BOB"), VIEW("Hello."));
	assert_int_equal(w->n_results, 1);
	say_busy(w, false);
	world_pass(w, 300 * 1000);
	assert_int_equal(w->n_offers, 1);
	world_free(w);
}

static void test_a_temporary_refusal_is_tried_again(void **state)
{
	(void)state;
	struct world *w = world_new("      poll: 5 s\n");
	w->refuse_temporarily = true;
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/CAROL", "Waits", "text", NULL);
	world_pass(w, 10 * 1000);
	const unsigned n = w->n_offers;
	assert_in_range(n, 1, 5);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 1);
	w->refuse_temporarily = false;
	world_pass(w, 120 * 1000);
	assert_int_equal(w->n_offers, n + 1);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	assert_true(view_eq(w->offers[0].m.packed, w->offers[n].m.packed)); /* the switch would know it again */
	world_free(w);
}

/* While the switch takes nothing, a message comes up in each round: who has read and deleted his copy meanwhile does not get another one, nor does he take
 * the X.400 users' along. */
static void test_who_was_served_is_served_once(void **state)
{
	(void)state;
	struct world *w = world_new("      poll: 5 s\n");
	struct po_bag_entry entries[HEARD];
	char folder[10], bag[9];
	struct err e;
	w->refuse_temporarily = true;
	const struct mm_id id = put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/CAROL TEST/SHADOW/LOCAL", "Waits", "text", NULL);
	world_pass(w, 10 * 1000);
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", entries), 1);
	assert_true(postoffice_bag_drop(w->po, bag_of(w, "TEST/SHADOW/LOCAL", bag), entries[0].slot, &id, false, &e));
	const unsigned n = w->n_offers;
	world_pass(w, 600 * 1000);
	assert_true(w->n_offers > n);
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 0);
	w->refuse_temporarily = false;
	world_pass(w, 600 * 1000);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 0);
	assert_false(was_told(w, "msmail.no-file"));
	assert_false(has_file(w, "P1", ".P1"));
	snprintf(folder, sizeof folder, "MAI/MA%c", id.s[7]);
	assert_false(has_file(w, folder, ".MAI"));
	world_free(w);
}

/* ALIVE is answered while a converter takes its time; one that never ends is accused. */
static void test_a_hung_converter_is_accused(void **state)
{
	(void)state;
	struct world *w = world_new("");
	w->deaf = true;
	say_open(w, 1);
	say_transfer(w, 1, 1, letter(w, MESSAGE_MESSAGE, "one", "TEST/NEAR/BOB"), VIEW("Hello."));
	say_alive(w, 5);
	assert_int_equal(w->alives, 1);
	assert_int_equal(w->accused, 0);
	world_pass(w, 10 * 60 * 1000);
	assert_true(w->accused > 0);
	chan_free(&w->xcontrol, false);
	chan_free(&w->xbulk, false);
	world_settle(w);
	interchange_peer_died(w->x, PROCESS_CONVERTER, true, "ended", "transfer 101");
	world_settle(w);
	assert_int_equal(w->n_results, 1);
	assert_int_equal(w->results[0].err.kind, ERR_LOCAL);
	assert_int_equal(w->results[0].err.culprit, ERR_OF_MESSAGE); /* a strike: the switch counts */
	world_free(w);
}

/* Q277831: neither direction starves while the other has no end of work. */
static void k277831_neither_direction_starves(void **state)
{
	(void)state;
	struct world *w = world_new("");
	say_open(w, 1);
	say_busy(w, true);
	for (unsigned i = 0; i < 8; i++)
		put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/CAROL", "In", "text", NULL);
	chan_free(&w->xcontrol, false);
	chan_free(&w->xbulk, false);
	world_settle(w);
	say_busy(w, false);
	for (unsigned i = 0; i < 8; i++) {
		char local[10];
		snprintf(local, sizeof local, "m%u", i);
		say_transfer(w, i + 1, 1, letter(w, MESSAGE_MESSAGE, local, "TEST/NEAR/BOB"), VIEW("Hello."));
	}
	unsigned outward = 0, most = 0;
	converter_connects(w);
	for (unsigned turns = 0; turns < 100000 && w->n_results + w->n_offers < 12; turns++) {
		(void)fake_env_turn(w->env);
		const unsigned ahead = w->n_results > w->n_offers ? w->n_results - w->n_offers : w->n_offers - w->n_results;
		most = ahead > most ? ahead : most;
		outward = w->n_results;
	}
	assert_in_range(outward, 4, 8);
	assert_in_range(most, 0, 3);
	world_free(w);
}

static void stopped(void *ctx)
{
	++*(unsigned *)ctx;
}

static void test_a_stop_finishes_what_is_in_hand(void **state)
{
	(void)state;
	struct world *w = world_new("");
	unsigned n = 0;
	say_open(w, 1);
	w->deaf = true;
	say_transfer(w, 1, 1, letter(w, MESSAGE_MESSAGE, "one", "TEST/NEAR/BOB"), VIEW("Hello."));
	interchange_stop(w->x, stopped, &n);
	world_settle(w);
	assert_int_equal(n, 0);
	converter_wakes(w);
	assert_int_equal(w->n_results, 1);
	assert_true(w->results[0].delivered);
	assert_int_equal(w->downs, 1);
	assert_int_equal(n, 1);
	world_free(w);
}

/* An archive gives all that it has, once, and nothing in it is changed. */
static void test_an_archive_is_read_and_never_written(void **state)
{
	(void)state;
	struct world *w = world_new("      read-only: true\n");
	assert_string_equal(interchange_state(w->x), "attached");
	assert_false(was_told(w, "interchange.health")); /* its locks were not tried */
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/CAROL TEST/NEAR/BOB", "Old", "text", NULL);
	world_pass(w, 300 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_int_equal(w->offers[0].message.n_rcpt, 1);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 1);
	assert_int_equal(count_records(w, "TEST/NEAR", NULL), 0);
	world_restart(w);
	world_pass(w, 300 * 1000);
	assert_int_equal(w->n_offers, 1);
	say_open(w, 1);
	assert_int_equal(w->ups, 0);
	assert_int_equal(w->downs, 1);
	world_free(w);
}

/* Q151228: two postoffices with one serial number at one MTA. */
static void k151228_two_with_one_serial_are_told(void **state)
{
	(void)state;
	struct world *w = world_new("  - name: other\n    kind: msmail\n    msmail:\n      postoffice: /elsewhere\n");
	struct err e;
	assert_false(was_told(w, "msmail.serial"));
	struct file *f = env_file_create(w->env, "interchange-serials/22-28798.other", &e);
	assert_non_null(f);
	file_close(&f);
	world_restart(w);
	assert_true(was_told(w, "msmail.serial"));
	world_free(w);
}

static void overwrite(struct world *w, const char *rel, const char *octets)
{
	char path[300];
	snprintf(path, sizeof path, "%s/%s", w->path, rel);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(octets, f);
	fclose(f);
}

/* Q247618, Q159305: what cannot be read at the head of the queue is put aside at once, whole, and the others go on. */
static void k247618_a_corrupt_message_is_put_aside(void **state)
{
	(void)state;
	struct world *w = world_new("");
	char rel[40];
	const struct mm_id id = put_message(w, "TEST/SHADOW/LOCAL", "TEST/SHADOW/CAROL", "Corrupt", "text", NULL);
	snprintf(rel, sizeof rel, "MAI/MA%c/%s.MAI", id.s[7], id.s);
	overwrite(w, rel, "M\x7f\x7f no message at all");
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/DAN", "Fine", "text", NULL);
	world_pass(w, 200 * 1000);
	assert_int_equal(w->n_offers, 2);
	assert_true(w->offers[0].m.octets);
	assert_true(has(w->offers[0].content, "no message at all"));
	assert_non_null(recipient_of(&w->offers[1], "DAN"));
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 1);
	world_free(w);
}

/* The store takes limits.message: what is over it goes into quarantine without attachments, or without its files, rather than again and again. */
static void test_poison_over_the_limit_is_put_aside(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct world *w = world_new("");
		char text[3000];
		memset(text, 'a', sizeof text);
		text[sizeof text - 1] = 0;
		w->settings.limits.message = 2000;
		w->poison = "POISON";
		put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/CAROL", "POISON", i == 0 ? "its text" : text, i == 0 ? text : NULL);
		for (int k = 0; k < 8 && w->n_offers == 0; k++) {
			world_pass(w, 100 * 1000);
			converter_joins(w);
		}
		world_pass(w, 100 * 1000);
		assert_int_equal(w->n_offers, 1);
		assert_true(w->offers[0].m.octets);
		assert_true(w->offers[0].content.n <= 2000);
		assert_int_equal(has(w->offers[0].content, "its text"), i == 0);
		assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
		assert_int_equal(count_records(w, "TEST/NEAR", NULL), 1);
		world_free(w);
	}
}

/* A directory, a FIFO, a link out of the postoffice, a huge file in the place of one file of a message: its sender is told, or it goes on without its
 * attachment; the others go on. */
static void test_what_is_no_file_hinders_its_message_only(void **state)
{
	static const char *const forms[] = { "%s/P1/%s.P1", "%s/MAI/MA1/%s.MAI", "%s/ATT/AT2/%s.ATT" };
	(void)state;
	for (int i = 0; i < 3 * NO_FILES - 1; i++) { /* the last one, a huge attachment, is the converter's to refuse */
		struct world *w = world_new("");
		char path[200];
		say_busy(w, true);
		const struct mm_id id = put_message(w, "TEST/SHADOW/LOCAL", "TEST/SHADOW/CAROL", "Bad", "text", "an attachment");
		assert_string_equal(id.s, "00000001");
		snprintf(path, sizeof path, forms[i % 3], w->path, i % 3 == 2 ? "00000002" : "00000001");
		assert_int_equal(access(path, F_OK), 0);
		testing_no_file(path, (enum testing_no_file)(i / 3));
		put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/DAN", "Good", "text", NULL);
		say_busy(w, false);
		world_pass(w, 400 * 1000);
		unsigned good = 0, bad = 0;
		for (unsigned k = 0; k < w->n_offers; k++) {
			good += !w->offers[k].m.octets && recipient_of(&w->offers[k], "DAN") != NULL;
			bad += !w->offers[k].m.octets && recipient_of(&w->offers[k], "CAROL") != NULL;
		}
		if (good != 1 || bad + count_records(w, "TEST/SHADOW/LOCAL", NULL) != 1 || count_records(w, "INQUEUE3", NULL) != 0)
			fail_msg("%s, kind %d: good %u, bad %u, told %u, left %u", forms[i % 3], i / 3, good, bad, count_records(w, "TEST/SHADOW/LOCAL", NULL),
				 count_records(w, "INQUEUE3", NULL));
		assert_false(was_told(w, "interchange.detached"));
		if (i % 3 == 0) { /* its file says whose it was, and for whom */
			const struct view told = read_message(w, "TEST/SHADOW/LOCAL", 0).text;
			assert_true(has(told, "[024]") && has(told, "TEST/SHADOW/CAROL"));
		}
		world_free(w);
	}
}

/* Its file still says who sent it, and is put aside. Who has the message keeps it. */
static void test_a_corrupt_envelope_is_put_aside(void **state)
{
	(void)state;
	struct world *w = world_new("      administrator: TEST/SHADOW/ADMIN\n");
	struct po_bag_entry entries[HEARD];
	char rel[40];
	const struct mm_id id = put_message(w, "TEST/SHADOW/LOCAL", "TEST/SHADOW/CAROL TEST/SHADOW/ADMIN", "Corrupt", "its text", NULL);
	count_records(w, "INQUEUE3", entries);
	put_record(w, "TEST/SHADOW/ADMIN", &entries[0].header);
	snprintf(rel, sizeof rel, "P1/%s.P1", id.s);
	overwrite(w, rel, "no envelope");
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/DAN", "Fine", "text", NULL);
	world_pass(w, 200 * 1000);
	assert_int_equal(w->n_offers, 2);
	assert_true(w->offers[0].m.octets);
	assert_true(has(w->offers[0].content, "its text"));
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 1);
	assert_true(has(read_message(w, "TEST/SHADOW/LOCAL", 0).text, "[024]"));
	assert_int_equal(count_records(w, "TEST/SHADOW/ADMIN", NULL), 1);
	assert_true(view_eq(read_message(w, "TEST/SHADOW/ADMIN", 0).text, VIEW("its text")));
	world_free(w);
}

/* Nor does its file: the administrator hears of it. */
static void test_of_what_nobody_can_read_the_administrator_hears(void **state)
{
	(void)state;
	struct world *w = world_new("      administrator: TEST/SHADOW/LOCAL\n");
	char rel[40];
	const struct mm_id id = put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/CAROL", "Corrupt", "its text", NULL);
	snprintf(rel, sizeof rel, "P1/%s.P1", id.s);
	overwrite(w, rel, "no envelope");
	snprintf(rel, sizeof rel, "MAI/MA%c/%s.MAI", id.s[7], id.s);
	overwrite(w, rel, "no message");
	world_pass(w, 200 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_true(has(w->offers[0].content, "no message"));
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 1);
	assert_true(has(read_message(w, "TEST/SHADOW/LOCAL", 0).text, "[024]"));
	world_free(w);
}

/* Q175965: neither the sender nor a recipient is anybody: it is logged, nobody is told, and nothing stops. */
static void k175965_logging_tolerates_what_is_missing(void **state)
{
	(void)state;
	struct world *w = world_new("");
	w->unmapped = "?";
	put_message(w, "", "??? ?/?/?/?", "", "", NULL);
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/DAN", "Fine", "text", NULL);
	world_pass(w, 200 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	world_free(w);
}

/* Q169117: what has no mailbag here, and no mailbox, is a matter of X.400; with the setting, transit is too. */
static void test_transit_can_be_forbidden(void **state)
{
	(void)state;
	struct world *w = world_new("      transit: false\n");
	put_message(w, "TEST/SHADOW/LOCAL", "FAR/BEYOND/EVE OTHER/SITE/BOB", "No", "text", NULL);
	world_pass(w, 200 * 1000);
	assert_int_equal(count_records(w, "TEST/NEAR", NULL), 0);
	assert_int_equal(w->n_offers, 1);
	assert_non_null(recipient_of(&w->offers[0], "OTHER"));
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 1);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	world_free(w);
}

/* A record whose writer has not ended is passed over, and taken when he has. */
static void test_what_is_not_ready_is_left(void **state)
{
	(void)state;
	struct world *w = world_new("");
	struct mm_envelope v;
	struct err e;
	const struct mm_id id = put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/DAN", "Soon", "text", NULL);
	assert_true(postoffice_read_envelope(w->po, &id, w->a, &v, &e));
	v.state = MM_UNREADY;
	assert_true(postoffice_write_envelope(w->po, &v, &e));
	world_pass(w, 200 * 1000);
	assert_int_equal(w->n_offers, 0);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 1);
	v.state = MM_READY;
	assert_true(postoffice_write_envelope(w->po, &v, &e));
	world_pass(w, 200 * 1000);
	assert_int_equal(w->n_offers, 1);
	world_free(w);
}

/* Q138054: a full mailbag is that recipient's [017], and stops nobody else. */
static void k138054_a_full_mailbag_is_its_recipients(void **state)
{
	(void)state;
	struct world *w = world_new("");
	fill_bag(w, "TEST/NEAR", 0x1000);
	say_open(w, 1);
	say_transfer(w, 1, 1, letter(w, MESSAGE_MESSAGE, "one", "TEST/NEAR/BOB"), VIEW("Hello."));
	assert_int_equal(w->n_results, 1);
	assert_false(w->results[0].delivered);
	assert_int_equal(w->results[0].err.kind, ERR_PERM);
	assert_int_equal(w->results[0].err.diagnostic, 4);
	say_transfer(w, 2, 1, letter(w, MESSAGE_MESSAGE, "two", "TEST/NEAR/BOB TEST/SHADOW/LOCAL"), VIEW("Hello."));
	assert_int_equal(w->n_results, 2);
	assert_true(w->results[1].delivered);
	assert_int_equal(w->n_offers, 1);
	assert_int_equal(w->offers[0].message.n_rcpt, 1);
	assert_int_equal(w->offers[0].message.rcpt[0].diagnostic, 4);
	world_free(w);
}

/* What is larger than the whole disk would wait for ever: each is told, with his own cause, and the link stays for the others. */
static void refuse_huge(struct world *w, const char *to)
{
	w->huge = UINT64_C(1) << 62;
	say_open(w, 1);
	say_transfer(w, 1, 1, letter(w, MESSAGE_MESSAGE, "one", to), VIEW("Hello."));
	w->huge = 0;
	assert_int_equal(w->n_results, 1);
	chan_free(&w->xcontrol, false); /* this converter owes what it has announced: another one comes */
	chan_free(&w->xbulk, false);
	converter_joins(w);
	say_transfer(w, 2, 1, letter(w, MESSAGE_MESSAGE, "two", "TEST/NEAR/BOB"), VIEW("Hello."));
	assert_int_equal(w->n_results, 2);
	assert_true(w->results[1].delivered);
	assert_int_equal(w->downs, 0);
}

static void test_larger_than_the_disk_is_told(void **state)
{
	(void)state;
	struct world *w = world_new("");
	refuse_huge(w, "TEST/NEAR/BOB TEST/SHADOW/LOCAL");
	assert_false(w->results[0].delivered);
	assert_int_equal(w->results[0].err.kind, ERR_PERM);
	assert_int_equal(w->results[0].err.reason, 1);
	assert_int_equal(w->results[0].err.diagnostic, 7); /* X.411: content-too-long */
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	assert_int_equal(count_records(w, "TEST/NEAR", NULL), 1);
	world_free(w);
}

static void test_larger_than_the_disk_spares_other_causes(void **state)
{
	(void)state;
	struct world *w = world_new("");
	refuse_huge(w, "TEST/NEAR/BOB TEST/SHADOW/NOBODY");
	assert_true(w->results[0].delivered); /* and a report, for the two have not failed alike */
	assert_int_equal(w->n_offers, 1);
	const struct message *report = &w->offers[0].message;
	assert_int_equal(report->n_rcpt, 2);
	assert_int_equal(report->rcpt[0].diagnostic, 7);
	assert_int_equal(report->rcpt[1].diagnostic, 0);
	world_free(w);
}

static void test_larger_than_the_disk_of_a_directory_is_told(void **state)
{
	(void)state;
	struct world *w = world_new_ffapi("");
	refuse_huge(w, "TEST/NEAR/BOB");
	assert_false(w->results[0].delivered);
	assert_int_equal(w->results[0].err.kind, ERR_PERM);
	assert_int_equal(w->results[0].err.diagnostic, 7);
	world_free(w);
}

/* Journals are written anew each day; what they say stays, what is too old goes. */
static void test_the_journal_is_renewed(void **state)
{
	(void)state;
	struct world *w = world_new("      poll: 1 h\n");
	const struct message *m = letter(w, MESSAGE_MESSAGE, "one", "TEST/NEAR/BOB");
	bool synced;
	say_open(w, 1);
	say_transfer(w, 1, 1, m, VIEW("Hello."));
	world_pass(w, INT64_C(25) * 3600 * 1000);
	assert_non_null(sent_find(w->x->sent, sent_key(m)));
	assert_true(fake_env_file(w->env, "interchange-ms/sent.2", &synced).n > 0);
	assert_int_equal(fake_env_file(w->env, "interchange-ms/sent.1", &synced).n, 0);
	world_pass(w, INT64_C(20) * 24 * 3600 * 1000);
	assert_null(sent_find(w->x->sent, sent_key(m)));
	world_free(w);
}

/* Rounds are short, and all is taken in the end. */
static void test_a_round_has_its_quota(void **state)
{
	(void)state;
	struct world *w = world_new("      quota: 2\n");
	for (unsigned i = 0; i < 7; i++)
		put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/DAN", "One of many", "text", NULL);
	world_pass(w, 61 * 1000);
	assert_int_equal(w->n_offers, 7);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	world_free(w);
}

/* The switch goes while the converter is at a message: it is offered to the next one, and nothing has died of it. */
static void test_a_switch_that_goes_meanwhile(void **state)
{
	(void)state;
	struct world *w = world_new("");
	w->deaf = true;
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/CAROL", "Lunch", "At one?", NULL);
	world_pass(w, 60 * 1000);
	chan_free(&w->control, false);
	chan_free(&w->bulk, false);
	world_settle(w);
	converter_wakes(w);
	assert_int_equal(w->n_offers, 0);
	switch_joins(w);
	world_pass(w, 60 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	world_free(w);
}

/* What is examined comes from a switch that is gone: the mailbag's turn comes again. */
static void test_a_switch_that_goes_while_it_is_asked(void **state)
{
	(void)state;
	struct world *w = world_new("");
	char *octets = mem_zero(2 * MSG_INLINE_MAX);
	w->content = view_of(octets, 0);
	const struct msg_examine m = { .examine = 7, .link = VIEW("ms"), .size = 2 * MSG_INLINE_MAX };
	put_msg_examine(chan_begin(w->control, MSG_EXAMINE), &m);
	chan_end(w->control);
	chan_free(&w->control, true);
	chan_free(&w->bulk, false);
	world_settle(w);
	free(octets);
	switch_joins(w);
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/CAROL", "Lunch", "At one?", NULL);
	world_pass(w, 120 * 1000);
	assert_int_equal(w->n_offers, 1);
	world_free(w);
}

/* A round ends at its quota, so that what has come meanwhile is not behind what has struck. */
static void test_a_round_ends_at_its_quota(void **state)
{
	(void)state;
	struct world *w = world_new("      poll: 1000 s\n      quota: 1\n");
	char note[80];
	say_busy(w, true);
	const struct mm_id bad = put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/BAD", "Bad", "text", NULL);
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/ONE", "One", "text", NULL);
	snprintf(note, sizeof note, "INQUEUE3 %s", bad.s);
	interchange_peer_died(w->x, PROCESS_INTERCHANGE, true, "signal 11 (SIGSEGV)", note);
	w->deaf = true;
	say_busy(w, false);
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/TWO", "Two", "text", NULL);
	converter_wakes(w);
	world_pass(w, 10 * 1000);
	assert_int_equal(w->n_offers, 3);
	assert_non_null(recipient_of(&w->offers[0], "ONE"));
	assert_non_null(recipient_of(&w->offers[1], "TWO"));
	assert_non_null(recipient_of(&w->offers[2], "BAD"));
	world_free(w);
}

/* A crash may leave a line about a record that has gone; numbers come again when CONTROL.GLB is mended. */
static void test_a_line_that_is_left_over_loses_nobody(void **state)
{
	(void)state;
	struct world *w = world_new("");
	char path[200];
	uint32_t number;
	struct mm_id id = put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/ONE", "One", "text", NULL);
	world_pass(w, 60 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_true(mm_id_parse(view_str(id.s), &id, &number, NULL));
	id = mm_id_of(number + 1);
	snprintf(path, sizeof path, "%s/P1/INQUEUE3.0JN", w->path);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "T %s %s\r\n", id.s, id.s);
	fclose(f);
	world_pass(w, 120 * 1000);
	assert_string_equal(put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/TWO", "Two", "text", NULL).s, id.s);
	world_pass(w, 120 * 1000);
	assert_int_equal(w->n_offers, 2);
	world_free(w);
}

/* One file that the server cannot give hinders nobody else, takes nothing down, and strikes nobody. */
static void test_a_file_that_cannot_be_read_is_one_messages(void **state)
{
	(void)state;
	struct world *w = world_new("");
	char plan[80];
	say_busy(w, true);
	const struct mm_id bad = put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/BAD", "Bad", "text", NULL);
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/ONE", "One", "text", NULL);
	snprintf(plan, sizeof plan, "PO_READ:@%s.MAI:stick", bad.s);
	plan_fault(plan);
	say_busy(w, false);
	world_pass(w, 600 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_non_null(recipient_of(&w->offers[0], "ONE"));
	assert_string_equal(interchange_state(w->x), "attached");
	assert_false(was_told(w, "msmail.struck"));
	assert_false(was_told(w, "interchange.detached"));
	assert_true(was_told(w, "msmail.left"));
	plan_fault(NULL);
	world_pass(w, 120 * 1000);
	assert_int_equal(w->n_offers, 2);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	world_free(w);
}

/* A postoffice that can be attached, and fails each time that something is done there, is tried at growing distance. */
static void test_what_fails_each_time_is_tried_less_often(void **state)
{
	(void)state;
	struct world *w = world_new("");
	put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/ONE", "One", "text", NULL);
	plan_fault("MAIL_FINISH:1:stick");
	const uint64_t before = fault_passes(FAULT_MAIL_FINISH);
	world_pass(w, 600 * 1000);
	assert_in_range(fault_passes(FAULT_MAIL_FINISH) - before, 3, 20);
	plan_fault(NULL);
	world_pass(w, 600 * 1000);
	assert_int_equal(count_records(w, "INQUEUE3", NULL), 0);
	world_free(w);
}

/* INQUEUE3 is full: who lives here waits, and is not refused; nor is the transfer doubled when it comes again. */
static void test_a_full_inqueue3_refuses_nobody(void **state)
{
	(void)state;
	struct world *w = world_new("      poll: 1000 s\n");
	world_settle(w);
	say_busy(w, true);
	fill_bag(w, "INQUEUE3", 0x10000);
	fill_bag(w, "TEST/NEAR", 0x10000);
	clear_key(w, "TEST/NEAR");
	const struct message *m = letter(w, MESSAGE_MESSAGE, "one", "TEST/SHADOW/LOCAL");
	say_open(w, 1);
	say_transfer(w, 1, 1, m, VIEW("Hello."));
	assert_int_equal(w->n_results, 1);
	assert_false(w->results[0].delivered);
	assert_int_equal(w->results[0].err.kind, ERR_TEMP);
	say_busy(w, false); /* they have no envelopes, and were in a mailbag: they are forgotten */
	world_pass(w, 10 * 1000);
	say_transfer(w, 2, 1, m, VIEW("Hello."));
	world_pass(w, 1000 * 1000);
	assert_int_equal(w->n_results, 2);
	assert_true(w->results[1].delivered);
	assert_int_equal(count_records(w, "TEST/SHADOW/LOCAL", NULL), 1);
	world_free(w);
}

/* What the kernel tells is a round only when INQUEUE3 has changed: our own lock would begin the next one for ever. */
static void test_a_change_begins_a_round_and_ours_does_not(void **state)
{
	(void)state;
	struct world *w = world_new("      poll: 1000 s\n");
	struct mm_envelope v;
	struct err e;
	char folder[200];
	snprintf(folder, sizeof folder, "%s/MBG", w->path);
	world_pass(w, 1000);
	plan_fault("PO_LOCK:1000000:fail");
	fake_env_change_folder(w->env, folder);
	world_pass(w, 1000);
	assert_int_equal(fault_passes(FAULT_PO_LOCK), 0);
	snprintf(folder, sizeof folder, "%s/P1", w->path);
	fake_env_change_folder(w->env, folder);
	world_pass(w, 1000);
	assert_int_equal(fault_passes(FAULT_PO_LOCK), 0);
	snprintf(folder, sizeof folder, "%s/MBG", w->path);
	const struct mm_id id = put_message(w, "TEST/NEAR/ANN", "TEST/SHADOW/DAN", "Soon", "text", NULL);
	assert_true(postoffice_read_envelope(w->po, &id, w->a, &v, &e));
	v.state = MM_UNREADY;
	assert_true(postoffice_write_envelope(w->po, &v, &e));
	fake_env_change_folder(w->env, folder);
	world_pass(w, 1000);
	assert_int_equal(w->n_offers, 0);
	v.state = MM_READY; /* of which nobody tells */
	assert_true(postoffice_write_envelope(w->po, &v, &e));
	world_pass(w, 5000);
	assert_int_equal(w->n_offers, 1);
	world_free(w);
}

/* Q151228: a link whose name is no file's, and one that is no more, are no second postoffice. */
static void k151228_a_link_is_not_its_own_twin(void **state)
{
	(void)state;
	struct world *w = world_new("");
	struct err e;
	((struct set_link *)w->settings.links.v)[0].name = "ms mail";
	world_restart(w);
	world_restart(w);
	struct file *f = env_file_create(w->env, "interchange-serials/22-28798.gone", &e);
	assert_non_null(f);
	file_close(&f);
	world_restart(w);
	assert_false(was_told(w, "msmail.serial"));
	world_free(w);
}

/* The folder of that name is of the serial numbers of all links. */
static void test_a_link_that_is_called_serials(void **state)
{
	(void)state;
	struct world *w = world_new("");
	((struct set_link *)w->settings.links.v)[0].name = "serials";
	world_restart(w);
	world_restart(w);
	assert_string_not_equal(w->x->folder, "interchange-serials");
	assert_memory_equal(w->x->folder, "interchange-serials-", 20);
	assert_false(was_told(w, "msmail.serial"));
	world_free(w);
}

/* Each try to attach reads all generations that the ones before have left: lines are kept once. */
static void test_journals_that_cannot_be_synced_do_not_grow(void **state)
{
	(void)state;
	struct world *w = world_new("");
	bool synced;
	char name[60];
	size_t most = 0;
	say_open(w, 1);
	say_transfer(w, 1, 1, letter(w, MESSAGE_MESSAGE, "one", "TEST/NEAR/BOB"), VIEW("Hello."));
	const size_t one = fake_env_file(w->env, "interchange-ms/sent.1", &synced).n;
	assert_true(one > 0);
	fake_env_fail_syncs(w->env, true);
	for (unsigned i = 0; i < 8; i++)
		world_restart(w);
	for (unsigned i = 1; i < 12; i++) {
		snprintf(name, sizeof name, "interchange-ms/sent.%u", i);
		const size_t n = fake_env_file(w->env, name, &synced).n;
		most = n > most ? n : most;
	}
	assert_int_equal(most, one);
	fake_env_fail_syncs(w->env, false);
	world_free(w);
}

/* The same transfer again, and its envelope cannot be read now: nobody is struck or told, it is asked again. */
static void test_what_cannot_be_looked_at_is_no_failure_of_the_message(void **state)
{
	(void)state;
	struct world *w = world_new("");
	const struct message *m = letter(w, MESSAGE_MESSAGE, "one", "TEST/NEAR/BOB");
	say_open(w, 1);
	say_transfer(w, 1, 1, m, VIEW("Hello."));
	assert_true(w->results[0].delivered);
	plan_fault("PO_READ:@.P1:stick");
	say_transfer(w, 2, 1, m, VIEW("Hello."));
	assert_int_equal(w->n_results, 2);
	assert_false(w->results[1].delivered);
	assert_int_equal(w->results[1].err.kind, ERR_TEMP);
	assert_int_equal(w->results[1].err.culprit, ERR_OF_ASSOCIATION);
	plan_fault(NULL);
	say_transfer(w, 3, 1, m, VIEW("Hello."));
	assert_true(w->results[2].delivered);
	assert_int_equal(count_records(w, "TEST/NEAR", NULL), 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_letter_goes_out),
		cmocka_unit_test(test_a_letter_comes_in),
		cmocka_unit_test(test_long_messages_go_in_pieces),
		cmocka_unit_test(test_one_message_goes_three_ways),
		cmocka_unit_test(k151791_a_refused_recipient_does_not_stop_the_others),
		cmocka_unit_test(k243701_an_unmappable_recipient_is_told_of),
		cmocka_unit_test(test_what_nobody_can_be_offered_is_only_returned),
		cmocka_unit_test(k98067_a_postmaster_hears_of_nothing),
		cmocka_unit_test(k237182_a_message_that_kills_the_converter_ends_in_quarantine),
		cmocka_unit_test(k169671_poison_is_not_first_after_a_restart),
		cmocka_unit_test(k151669_a_hung_file_server_strikes_nothing),
		cmocka_unit_test(test_a_missing_message_file_is_told_of),
		cmocka_unit_test(k103960_a_record_without_envelope_is_forgotten),
		cmocka_unit_test(what_has_left_only_a_record_the_administrator_hears),
		cmocka_unit_test(what_has_left_only_a_record_its_x400_sender_hears),
		cmocka_unit_test(test_a_lost_envelope_is_told_of),
		cmocka_unit_test(test_a_lost_envelope_is_told_of_once),
		cmocka_unit_test(test_an_attachment_of_another_message_stays_there),
		cmocka_unit_test(test_a_missing_attachment_is_said_in_the_text),
		cmocka_unit_test(k156728_a_delivery_report_is_no_notice),
		cmocka_unit_test(test_reports_of_the_gateway),
		cmocka_unit_test(test_a_transfer_to_nobody_is_refused),
		cmocka_unit_test(test_a_probe_is_answered),
		cmocka_unit_test(test_a_local_user_is_served_by_the_mailer),
		cmocka_unit_test(test_a_movers_notice_becomes_a_report),
		cmocka_unit_test(test_a_notice_about_many),
		cmocka_unit_test(k118619_a_server_that_comes_back_is_found_again),
		cmocka_unit_test(k168857_who_holds_the_lock_is_named),
		cmocka_unit_test(test_busy_holds_mail_back),
		cmocka_unit_test(test_a_temporary_refusal_is_tried_again),
		cmocka_unit_test(test_who_was_served_is_served_once),
		cmocka_unit_test(test_a_hung_converter_is_accused),
		cmocka_unit_test(k277831_neither_direction_starves),
		cmocka_unit_test(test_a_stop_finishes_what_is_in_hand),
		cmocka_unit_test(test_an_archive_is_read_and_never_written),
		cmocka_unit_test(k151228_two_with_one_serial_are_told),
		cmocka_unit_test(k247618_a_corrupt_message_is_put_aside),
		cmocka_unit_test(test_a_corrupt_envelope_is_put_aside),
		cmocka_unit_test(test_what_is_no_file_hinders_its_message_only),
		cmocka_unit_test(test_poison_over_the_limit_is_put_aside),
		cmocka_unit_test(test_of_what_nobody_can_read_the_administrator_hears),
		cmocka_unit_test(k175965_logging_tolerates_what_is_missing),
		cmocka_unit_test(test_transit_can_be_forbidden),
		cmocka_unit_test(test_what_is_not_ready_is_left),
		cmocka_unit_test(k138054_a_full_mailbag_is_its_recipients),
		cmocka_unit_test(test_larger_than_the_disk_is_told),
		cmocka_unit_test(test_larger_than_the_disk_spares_other_causes),
		cmocka_unit_test(test_larger_than_the_disk_of_a_directory_is_told),
		cmocka_unit_test(test_the_journal_is_renewed),
		cmocka_unit_test(test_a_link_that_is_called_serials), cmocka_unit_test(test_journals_that_cannot_be_synced_do_not_grow),
		cmocka_unit_test(test_a_round_has_its_quota),
		cmocka_unit_test(test_a_switch_that_goes_meanwhile),
		cmocka_unit_test(test_what_cannot_be_looked_at_is_no_failure_of_the_message),
		cmocka_unit_test(test_a_change_begins_a_round_and_ours_does_not),
		cmocka_unit_test(k151228_a_link_is_not_its_own_twin),
		cmocka_unit_test(test_a_switch_that_goes_while_it_is_asked),
		cmocka_unit_test(test_a_round_ends_at_its_quota),
		cmocka_unit_test(test_a_line_that_is_left_over_loses_nobody),
		cmocka_unit_test(test_a_file_that_cannot_be_read_is_one_messages),
		cmocka_unit_test(test_what_fails_each_time_is_tried_less_often),
		cmocka_unit_test(test_a_full_inqueue3_refuses_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
