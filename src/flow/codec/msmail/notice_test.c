/* notice_test.c - the mover's notices. What other programs wrote is as the Knowledge Base shows it (the layouts of Q127919, Q147471,
 * Q154783, Q165396, Q99204, Q118675, Q136004), with other names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/codec/msmail/notice.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_new(4 << 20);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static struct mm_notice parsed_n(struct view text)
{
	struct mm_notice n = {0};
	if (!notice_parse(text, &n, arena))
		fail_msg("no notice: %.*s", (int)text.n, (const char *)text.p);
	return n;
}

static struct mm_notice parsed(const char *text)
{
	return parsed_n(view_str(text));
}

#define IS(v, want) assert_true(view_eq((v), VIEW(want)))

/* ---- written ---- */

static void the_form_of_a_notice(void **state)
{
	(void)state;
	struct view names[] = {VIEW("NET/PO/ONE"), VIEW("NET/PO/TWO"), VIEW("NET/PO/THREE")};
	int codes[] = {3, 17, 3};
	struct mm_hop hops[] = {{"NETCAD", "HBPO01"}, {"NETGRI1", "RH02"}};
	struct mm_notice n = {
		.code = 3, .text = VIEW("Message hop count exceeded."), .from = VIEW("NET/PO/ALICE"), .to = VIEW("Bob"), .subject = VIEW("Test"),
		.date = {1996, 5, 23, 15, 22, 0}, .hops = hops, .n_hops = 2, .unreached = names, .codes = codes, .n_unreached = 3,
		.original = VIEW("Hello\r\n"),
	};
	struct out o;
	out_init(&o, 10000);
	notice_print(&n, &o);
	assert_string_equal(out_cstr(&o), "FROM: NET/PO/ALICE\r\n"
					  "TO: Bob\r\n"
					  "DATE: 1996-05-23\r\n"
					  "TIME: 15:22\r\n"
					  "SUBJECT: Test\r\n"
					  "\r\n"
					  "----------------------------------------------------------------\r\n"
					  "\r\n"
					  "[003] Message hop count exceeded. Message followed the following route:\r\n"
					  "    NETCAD/HBPO01\r\n"
					  "    NETGRI1/RH02\r\n"
					  "\r\n"
					  "Mail item was not delivered to:\r\n"
					  "    NET/PO/ONE\r\n"
					  "    NET/PO/THREE\r\n"
					  "\r\n"
					  "[017] The mailbag is full.\r\n"
					  "\r\n"
					  "Mail item was not delivered to:\r\n"
					  "    NET/PO/TWO\r\n"
					  "\r\n"
					  "----------------------------------------------------------------\r\n"
					  "Hello\r\n");
	out_fini(&o);
}

static bool same_view(struct view a, struct view b)
{
	return view_eq(a, b);
}

/* Every code, with and without names, route and text of the original. */
static void what_is_written_is_read(void **state)
{
	(void)state;
	static const char *const originals[] = {"", "plain text", "[002] Mail item was not delivered to:\r\n  nobody\r\n", "\r\n\r\n-----------\r\nx",
						"FROM: x\r\nSUBJECT: y\r\n\r\n[005] nested\r\n"};
	for (unsigned round = 0; round < 31 * 4 * ARRAY_LEN(originals); round++) {
		struct view names[] = {VIEW("NET/PO/ONE"), VIEW("Smith, John"), VIEW("[SMTP:joe@acme.com]")};
		int codes[] = {(int)(round % 31) + 1, 2, 2};
		struct mm_hop hops[] = {{"NETWORK901", "POSTOFF901"}, {"NETWORK902", "POSTOFF901"}, {"A", "B"}};
		struct mm_notice n = {
			.code = codes[0], .from = VIEW("A/B/C"), .to = VIEW("X"), .subject = VIEW("RE: a: b"), .date = {2026, 3, 4, 5, 6, 0},
			.hops = hops, .n_hops = round % 2 == 0 ? 0 : 3, .unreached = names, .codes = codes, .n_unreached = round / 2 % 2 == 0 ? 0 : 3,
			.original = view_str(originals[round % ARRAY_LEN(originals)]),
		};
		struct out o;
		out_init(&o, 10000);
		notice_print(&n, &o);
		arena_reset(arena);
		struct mm_notice r = parsed_n(out_view(&o));
		assert_int_equal(r.code, n.code);
		assert_true(same_view(r.text, view_str(notice_sentence(n.code))));
		assert_true(same_view(r.from, n.from) && same_view(r.to, n.to) && same_view(r.subject, n.subject));
		assert_memory_equal(&r.date, &n.date, sizeof n.date);
		assert_false(r.date_may_be_swapped);
		assert_int_equal(r.n_hops, n.n_hops);
		for (size_t i = 0; i < n.n_hops; i++)
			assert_true(strcmp(r.hops[i].network, hops[i].network) == 0 && strcmp(r.hops[i].postoffice, hops[i].postoffice) == 0);
		assert_int_equal(r.n_unreached, n.n_unreached);
		for (size_t i = 0; i < n.n_unreached; i++) {
			assert_true(same_view(r.unreached[i], names[i]));
			assert_int_equal(r.codes[i], codes[i]);
		}
		assert_true(same_view(r.original, n.original));
		out_fini(&o);
	}
}

/* Q141970: a line end inside a subject or a name is not one in the notice. */
static void k141970_control_characters_become_blanks(void **state)
{
	(void)state;
	struct view names[] = {VIEW("a\r\n[017] b"), VIEW("")};
	struct mm_notice n = {.code = 2, .from = VIEW("A/B/C"), .subject = VIEW("one\rtwo\n[009] x"), .unreached = names, .n_unreached = 2};
	struct out o;
	out_init(&o, 10000);
	notice_print(&n, &o);
	struct mm_notice r = parsed_n(out_view(&o));
	assert_int_equal(r.code, 2);
	IS(r.subject, "one two [009] x");
	assert_int_equal(r.n_unreached, 2);
	IS(r.unreached[0], "a  [017] b");
	IS(r.unreached[1], "?");
	out_fini(&o);
}

static void every_number_has_a_sentence(void **state)
{
	(void)state;
	static const int known[] = {1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 18, 21, 24, 29, 30};
	for (int code = -1; code < 100; code++) {
		bool is_known = false;
		for (size_t i = 0; i < ARRAY_LEN(known); i++)
			is_known = is_known || known[i] == code;
		assert_true(strlen(notice_sentence(code)) > 10);
		assert_int_equal(is_known && code != 1, strcmp(notice_sentence(code), notice_sentence(1)) != 0);
	}
}

/* ---- read ---- */

static void k147471_a_route_and_who_was_tried(void **state)
{
	(void)state;
	struct mm_notice n = parsed("  FROM: Alice\r\n  TO: Bob\r\n  DATE: 23-05-96\r\n  TIME: 15:22\r\n\r\n  SUBJECT: Budget\r\n\r\n"
				    "  ----------------------------------------------------------------\r\n\r\n"
				    "  [003] Message hop count exceeded. Message followed the following route:\r\n"
				    "  NETCAD/HBPO01\r\n  NETCAD/BUPO01\r\n  NETUDI/UDIPO1\r\n\r\n"
				    "  while attempting to send to the following addresses:\r\n  NET/PO/BOB\r\n\r\nThe text\r\n");
	assert_int_equal(n.code, 3);
	IS(n.text, "Message hop count exceeded.");
	IS(n.from, "Alice");
	IS(n.to, "Bob");
	IS(n.subject, "Budget");
	assert_int_equal(n.date.year, 1996);
	assert_int_equal(n.date.month, 5);
	assert_int_equal(n.date.day, 23);
	assert_int_equal(n.date.hour, 15);
	assert_int_equal(n.date.minute, 22);
	assert_false(n.date_may_be_swapped);
	assert_int_equal(n.n_hops, 3);
	assert_string_equal(n.hops[2].network, "NETUDI");
	assert_string_equal(n.hops[2].postoffice, "UDIPO1");
	assert_int_equal(n.n_unreached, 1);
	IS(n.unreached[0], "NET/PO/BOB");
	assert_int_equal(n.codes[0], 3);
	IS(n.original, "The text\r\n");
}

static void k154783_the_date_on_the_line_of_to(void **state)
{
	(void)state;
	struct mm_notice n = parsed("FROM: Alice\rTO: Bob B.                      DATE: 23-05-96\r"
				    "                                            TIME: 03:22PM\r\rSUBJECT: Budget\r\r"
				    "----------------------------------------------------------------\r\r"
				    "[003] Message hop count exceeded.  Message followed the following route:\r\r"
				    "     NETCAD/HBPO01\r     NETUDI  /UDIPO1\r");
	IS(n.to, "Bob B.");
	assert_int_equal(n.date.day, 23);
	assert_int_equal(n.date.hour, 15);
	assert_int_equal(n.n_hops, 2);
	assert_string_equal(n.hops[1].network, "NETUDI");
	assert_int_equal(n.n_unreached, 0);
	assert_int_equal(n.original.n, 0);
}

static void k127919_unknown_addresses_are_listed(void **state)
{
	(void)state;
	struct mm_notice n = parsed("Message data:\r\n  From: Administrator\r\n  Date: 05-21-94\r\n  Time: 11:26\r\n  Subject: test message\r\n"
				    "  [002] Mail was received that was addressed to unknown addresses. Mail item\r\n"
				    "  was not delivered to:\r\n  Allen, Angelia\r\n  Bell, Bob\r\n");
	assert_int_equal(n.code, 2);
	IS(n.text, "Mail was received that was addressed to unknown addresses.");
	assert_int_equal(n.date.year, 1994);
	assert_int_equal(n.date.month, 5);
	assert_int_equal(n.date.day, 21);
	assert_int_equal(n.n_unreached, 2);
	IS(n.unreached[0], "Allen, Angelia");
	IS(n.unreached[1], "Bell, Bob");
}

/* Facts A10: the names not reached follow the cause and the route, with or without words that lead to them; other lines of a memo's head say nothing. */
static void k127919_names_without_a_word_before_them(void **state)
{
	(void)state;
	struct mm_notice n = parsed("FROM: NET/PO/ANN\r\nTO: NET/PO/BOB\r\nDATE: 05-23-96\r\nTIME: 15:22\r\n\r\nSUBJECT: Budget\r\nPRIORITY:\r\nATTACHMENTS: a.txt\r\n"
				    "----------------------------------------------------------------\r\n"
				    "[002] Unknown address\r\nNET/PO/BOB\r\nNET/PO/EVE\r\n\r\n"
				    "[003] Hop count exceeded. Message followed the following route:\r\nNET1/HUB\r\nNET2/HUB\r\nFAR/PO/ZOE\r\n"
				    "----------------------------------------------------------------\r\nA/B/C\r\n");
	IS(n.subject, "Budget");
	assert_int_equal(n.n_unreached, 3);
	IS(n.unreached[0], "NET/PO/BOB");
	IS(n.unreached[1], "NET/PO/EVE");
	IS(n.unreached[2], "FAR/PO/ZOE");
	assert_int_equal(n.codes[1], 2);
	assert_int_equal(n.codes[2], 3);
	assert_int_equal(n.n_hops, 2);
	IS(n.original, "A/B/C\r\n");
	n = parsed("FROM: NET/PO/ANN\rTO: NET/PO/BOB\rSUBJECT: Budget\r\r[017] The mailbag is full.\r\rNET/PO/BOB\r\rA/B/C\r");
	assert_int_equal(n.n_unreached, 1);
	IS(n.unreached[0], "NET/PO/BOB");
	IS(n.text, "The mailbag is full.");
	IS(n.original, "A/B/C\r");
}

static void k165396_duplicate_address(void **state)
{
	(void)state;
	struct mm_notice n = parsed("From: NET/PO/USER\nSubject: Some Subject\n[030] Message contains duplicated Email address. Mail item\n"
				    "was not delivered to:\nNET/PO/OTHER\n");
	assert_int_equal(n.code, 30);
	IS(n.text, "Message contains duplicated Email address.");
	assert_int_equal(n.n_unreached, 1);
	assert_int_equal(n.codes[0], 30);
	assert_int_equal(n.date.year, 0);
}

static void k136004_several_causes_and_a_missing_file(void **state)
{
	(void)state;
	struct mm_notice n = parsed("External program has detected a mail problem.\r\n   Message data:\r\n     From: /USERONE\r\n     Date: 07-06-95\r\n"
				    "     Time: 09:01\r\n     Subject: RE: Testing\r\n     [005] Mail retry count exceeded sending to:  MAILNET  /MAILPO\r\n"
				    "     [016] Message was not sent due to missing message file.\r\n     Missing file is O:MAI\\MA4\\0006A044.MAI.\r\n");
	assert_int_equal(n.code, 5);
	IS(n.text, "Mail retry count exceeded sending to:  MAILNET  /MAILPO");
	assert_true(n.date_may_be_swapped);
	assert_int_equal(n.n_unreached, 0);
	n = parsed("From: N/P/*SPECIAL\r\nDate: 04-21-94\r\nTime: 17:09\r\nSubject: Names file\r\n\r\n[005] Mail retry count exceeded sending to:\r\n\r\n"
		   "NETWORK /USERNAME\r\n\r\n[018] Message was not sent due to missing attachment.\r\n\r\nMail item was not delivered to:\r\n x\r\n");
	IS(n.text, "Mail retry count exceeded sending to: NETWORK /USERNAME");
	assert_int_equal(n.n_unreached, 1);
	assert_int_equal(n.codes[0], 18);
}

/* Q121732: each name with its own cause. */
static void k121732_only_those_that_failed_each_with_its_cause(void **state)
{
	(void)state;
	struct mm_notice n = parsed("FROM: a\r\nSUBJECT: s\r\n\r\n-------------\r\n[008] Contention.\r\n\r\nMail item was not delivered to:\r\n one\r\n two\r\n\r\n"
				    "[017] Full.\r\n\r\nMail item was not delivered to:\r\n three\r\n\r\nthe text\r\n[005] of it\r\n");
	assert_int_equal(n.code, 8);
	assert_int_equal(n.n_unreached, 3);
	assert_int_equal(n.codes[0], 8);
	assert_int_equal(n.codes[1], 8);
	assert_int_equal(n.codes[2], 17);
	IS(n.unreached[2], "three");
	IS(n.original, "the text\r\n[005] of it\r\n");
}

static void a_long_subject_and_wrapped_lines(void **state)
{
	(void)state;
	struct mm_notice n = parsed("SUBJECT: a subject that some\r\n  program wrapped\r\nFROM: Alice\r\n\r\n"
				    "-----------------\r\n[012] This corrupt message cannot be delivered.\r\nContact your\r\nadministrator.\r\n\r\nRest\r\n");
	IS(n.subject, "a subject that some program wrapped");
	IS(n.text, "This corrupt message cannot be delivered. Contact your administrator.");
	IS(n.original, "Rest\r\n");
}

static void what_only_resembles_one_is_none(void **state)
{
	(void)state;
	static const char *const none[] = {
		"", "\r\n", "Hello", "[005] Mail retry count exceeded",
		"FROM: Alice\r\nSUBJECT: x\r\n\r\nI saw [005] today\r\n",
		"FROM: Alice\r\nTO: Bob\r\n\r\n-----------\r\n[005] no subject\r\n",
		"SUBJECT: x\r\n\r\n-----------\r\n[005] no sender\r\n",
		"Hi Bob, what is this?\r\n\r\nFROM: Alice\r\nSUBJECT: x\r\n-----------\r\n[005] quoted\r\n",
		"> FROM: Alice\r\n> SUBJECT: x\r\n> -----------\r\n> [005] quoted\r\n",
		"FROM: Alice\r\nSUBJECT: x\r\n\r\n-----------\r\nText that says\r\n[005] something\r\n",
		"FROM: Alice\r\nSUBJECT: x\r\n\r\n[5] x\r\n", "FROM: Alice\r\nSUBJECT: x\r\n\r\n[000] x\r\n",
		"FROM: Alice\r\nSUBJECT: x\r\n\r\n[1234] x\r\n", "-----------\r\nFROM: Alice\r\nSUBJECT: x\r\n\r\n[005] x\r\n",
		("FROM: Administrator\r\nTO: John Doe\r\nDATE: 05-14-96\r\nTIME: 18:34\r\nSUBJECT: Mail failure\r\n\r\n" /* Q140949: a fax gateway's */
		 "Fax addressed to the following unknown FAX NUMBER:\r\n FAX NUMBER: John\r\n"),
	};
	for (size_t i = 0; i < ARRAY_LEN(none); i++) {
		struct mm_notice n;
		if (notice_parse(view_str(none[i]), &n, arena))
			fail_msg("taken for a notice: %s", none[i]);
	}
}

/* Cut anywhere it is read or not, and never past its end; a copy of exact size lets a sanitizer see that. */
static void cut_at_every_offset(void **state)
{
	(void)state;
	static const char text[] = "FROM: Alice\r\nTO: Bob DATE: 05-21-94\r\nTIME: 11:26 PM\r\nSUBJECT: s\r\n\r\n-----------\r\n"
				   "[003] Over. Message followed the following route:\r\n A/B\r\n C/D\r\n\r\nMail item was not delivered to:\r\n x\r\n\r\n"
				   "[017] Full.\r\n\r\n-----------\r\nthe text";
	size_t first = 0;
	for (size_t n = 0; n < sizeof text; n++) {
		uint8_t *copy = malloc(n + 1);
		struct mm_notice r;
		memcpy(copy, text, n);
		arena_reset(arena);
		bool is = notice_parse(view_of(copy, n), &r, arena);
		if (is && first == 0)
			first = n;
		assert_int_equal(is, first != 0);
		free(copy);
	}
	assert_true(view_eq(view_of(text + first - 5, 5), VIEW("[003]")));
}

/* Without bound, lists would cost what a peer likes. */
static void lists_have_an_end(void **state)
{
	(void)state;
	struct out o;
	out_init(&o, 1 << 20);
	out_str(&o, "FROM: a\r\nSUBJECT: s\r\n[002] x\r\n\r\nMail item was not delivered to:\r\n");
	for (unsigned i = 0; i < 10000; i++)
		out_fmt(&o, " name %u\r\n", i);
	struct mm_notice n = parsed_n(out_view(&o));
	assert_int_equal(n.n_unreached, 4096);
	IS(n.unreached[4095], "name 4095");
	out_fini(&o);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_form_of_a_notice), T(what_is_written_is_read), T(k141970_control_characters_become_blanks), T(every_number_has_a_sentence),
		T(k147471_a_route_and_who_was_tried), T(k154783_the_date_on_the_line_of_to), T(k127919_unknown_addresses_are_listed), T(k127919_names_without_a_word_before_them),
		T(k165396_duplicate_address), T(k136004_several_causes_and_a_missing_file),
		T(k121732_only_those_that_failed_each_with_its_cause), T(a_long_subject_and_wrapped_lines), T(what_only_resembles_one_is_none),
		T(cut_at_every_offset), T(lists_have_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
