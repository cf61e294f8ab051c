/* failures_test.c - rows of the failure catalogue about what a person is shown. Contents by hand from X.420 7 and 8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/codec/ber/ber.h"
#include "proc/content/render.h"

struct shown {
	struct arena *a;
	struct out packed, text;
	struct render r;
};

static void put(struct out *o, uint8_t tag, struct view content)
{
	ber_put_header(o, (uint32_t)(tag >> 6) << 30 | (tag & 0x1f), (tag & 0x20) != 0, content.n);
	out_bytes(o, content);
}

static void wrap(struct out *o, uint8_t tag)
{
	struct out all;
	out_init(&all, 1 << 20);
	put(&all, tag, out_view(o));
	out_clear(o);
	out_bytes(o, out_view(&all));
	out_fini(&all);
}

/* IPM [0] { SET { this-IPM [APPLICATION 11], subject [8] }, SEQUENCE { parts } } */
static void ipm(struct out *o, struct view subject, struct view parts)
{
	struct out set, t61;
	out_init(&set, 1 << 20);
	out_init(&t61, 1 << 20);
	put(&t61, 0x14, subject);
	put(&set, 0x6b, VIEW("\x13\x01" "1"));
	put(&set, 0xa8, out_view(&t61));
	out_init(o, 1 << 20);
	put(o, 0x31, out_view(&set));
	put(o, 0x30, parts);
	wrap(o, 0xa0);
	out_fini(&set);
	out_fini(&t61);
}

/* A general text (X.420 7.4.11) that announces one character set; without registration 6 none of ASCII stands in it. */
static void general_text(struct out *o, uint16_t registration, struct view text)
{
	struct out sets, data, external;
	out_init(&sets, 1024);
	out_init(&data, 1 << 20);
	out_init(&external, 1 << 20);
	const uint8_t number[3] = { 0, (uint8_t)(registration >> 8), (uint8_t)registration };
	put(&sets, 0x02, view_of(number, 3));
	wrap(&sets, 0x31);
	out_init(o, 1 << 20);
	put(&external, 0x06, VIEW("\x56\x01\x0b\x0b"));
	put(&external, 0xa0, out_view(&sets));
	put(o, 0xa0, out_view(&external));
	out_clear(&external);
	put(&data, 0x1b, text);
	put(&external, 0x06, VIEW("\x56\x01\x04\x0b"));
	put(&external, 0xa0, out_view(&data));
	put(o, 0x28, out_view(&external));
	wrap(o, 0xaf);
	out_fini(&sets);
	out_fini(&data);
	out_fini(&external);
}

static struct shown show(struct view content)
{
	struct shown s = { .a = arena_new(4 << 20) };
	const struct render_limits limits = render_limits_default();
	struct err e;
	out_init(&s.packed, 1 << 20);
	out_init(&s.text, 1 << 20);
	if (!content_render(22, (struct view){ NULL, 0 }, content, &limits, NULL, &s.packed, &e) ||
	    !render_unpack(out_view(&s.packed), &s.r, s.a, &e))
		fail_msg("%s", e.text);
	render_print(&s.r, &s.text);
	return s;
}

static void hide(struct shown *s)
{
	out_fini(&s->packed);
	out_fini(&s->text);
	arena_free(&s->a);
}

static unsigned lines(const struct out *o)
{
	unsigned n = 0;
	for (size_t i = 0; i < out_len(o); i++)
		n += out_view(o).p[i] == '\n';
	return n;
}

/* A carriage return inside a subject took all of a processor. It is shown as one line, whatever is in it: nothing of a peer's begins a
 * line that looks like another field, or moves the cursor. */
static void test_k141970_line_ends_in_a_heading(void **state)
{
	(void)state;
	static const char *const subjects[] = { "plain", "a\rb", "a\r\nFrom: the boss", "a\nTo: nobody\n\nbody", "\r\r\r\r", "a\tb\fc", "a\x1b[2Jb\x07" };
	for (size_t i = 0; i < ARRAY_LEN(subjects); i++) {
		struct out content;
		ipm(&content, view_str(subjects[i]), VIEW("\xa0\x09\x31\x00\x16\x05" "x\ry\r\n"));
		struct shown s = show(out_view(&content));
		const char *text = out_cstr(&s.text);
		assert_int_equal(s.r.kind, RENDER_IPM);
		assert_int_equal(lines(&s.text), 7); /* Message-id, Subject, Importance, an empty one, the part's head, x, y */
		assert_null(strstr(text, "\nFrom:"));
		assert_null(strstr(text, "\nTo:"));
		for (const char *c = text; *c != 0; c++)
			assert_true(*c == '\n' || (uint8_t)*c >= ' ');
		hide(&s);
		out_fini(&content);
	}
}

/* A character set that nobody here has: the text is shown as far as it can be read, and it is said that some of it cannot. */
static void test_k167139_k167639_a_character_set_we_do_not_have(void **state)
{
	(void)state;
	static const uint16_t registrations[] = { 111, 153, 9999, 32767 }; /* 111: KOI8-E; the last ones are nobody's */
	for (size_t i = 0; i < ARRAY_LEN(registrations); i++) {
		struct out part, content;
		general_text(&part, registrations[i], VIEW("price: 10 \xf0\xd2\xc9\xd7\xc5\xd4.\n"));
		ipm(&content, VIEW("sets"), out_view(&part));
		struct shown s = show(out_view(&content));
		assert_int_equal(s.r.kind, RENDER_IPM);
		assert_int_equal(s.r.n_parts, 1);
		assert_int_equal(s.r.parts[0].flags, RENDER_TEXT | RENDER_REPLACED);
		assert_non_null(strstr(out_cstr(&s.text), "price: 10 "));
		assert_non_null(strstr(out_cstr(&s.text), ".\n"));
		assert_non_null(strstr(out_cstr(&s.text), "some characters could not be read"));
		hide(&s);
		out_fini(&part);
		out_fini(&content);
	}
}

/* A receipt was thrown away for the form of its date: it is shown, with the date as it came. */
static void test_k214565_a_receipt_whose_time_is_none(void **state)
{
	(void)state;
	static const struct {
		const char *time, *shown;
	} row[] = { { "261122003902Z", "2026-11-22 00:39:02 UTC" }, { "26/11/22 0:39", "26/11/22 0:39" }, { "2611220039", "2611220039" }, { "x", "x" } };
	for (size_t i = 0; i < ARRAY_LEN(row); i++) {
		struct out receipt, content;
		char want[64];
		out_init(&receipt, 1024);
		out_init(&content, 1024);
		put(&receipt, 0x80, view_str(row[i].time));
		wrap(&receipt, 0xa1);
		wrap(&receipt, 0xa0);
		put(&content, 0x6b, VIEW("\x13\x01" "1"));
		out_bytes(&content, out_view(&receipt));
		wrap(&content, 0xa1);
		struct shown s = show(out_view(&content));
		snprintf(want, sizeof want, "Received: %s\n", row[i].shown);
		assert_int_equal(s.r.kind, RENDER_NOTIFICATION);
		assert_non_null(strstr(out_cstr(&s.text), want));
		hide(&s);
		out_fini(&receipt);
		out_fini(&content);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_k141970_line_ends_in_a_heading),
		cmocka_unit_test(test_k167139_k167639_a_character_set_we_do_not_have),
		cmocka_unit_test(test_k214565_a_receipt_whose_time_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
