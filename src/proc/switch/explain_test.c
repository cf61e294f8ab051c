/* explain_test.c - where an address would go: the same as what place.c does with a message (redirect_test, lists_test), told in rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/mts_testing.h"
#include "proc/table/rows.h"

#define SETTINGS                                                                                                          \
	MTS_HEAD("  alternate-recipient: \"S=moved" HERE "\"\n") MTS_LINKS MTS_BOXES BOX("moved", TO("abroad"))          \
	BOX("abroad", "S=eve; P=c; A=SIM; C=JP") BOX("round", TO("about")) BOX("about", TO("round")) BOX("listed", TO("all")) \
	"lists:\n"                                                                                                       \
	LIST("all", ONE("user") ", " ONE("moved") ", " AT_C("eve"), "    submitters: [\"C=GB\"]\n")                      \
	LIST("outer", ONE("all") ", " ONE("closed") ", " ONE("empty") ", " ONE("nobody") ", " ONE("outer"), "")                                    \
	LIST("closed", ONE("user"), "    submitters: [\"C=DE\"]\n") LIST("empty", "", "") LIST("open", ONE("outer") ", " ONE("inner"), "") \
	LIST("inner", ONE("other") ", " AT_C("eve"), "    owner: " ONE("owner") "\n    reports: both\n")

enum { PAIRS_MAX = 20 };

struct told {
	struct bench *b;
	struct view v[40];               /* rows */
	size_t n;
};

static struct told explain(const char *address, const char *from)
{
	struct told t = { .b = mts_bench(SETTINGS) };
	struct player *p = &t.b->tool;
	bench_join(t.b, p, PROCESS_TOOL, 0);
	const struct msg_explain m = { .id = 7, .address = view_str(address), .link = view_str(from) };
	put_msg_explain(chan_begin(p->control, MSG_EXPLAIN), &m);
	chan_end(p->control);
	fake_env_settle(t.b->env);
	assert_int_equal(p->n_explained, 1);
	assert_int_equal(p->explained.id, 7);
	assert_int_equal(p->explained.err.kind, ERR_NONE);
	for (struct cur c = cur_of(p->explained.rows); cur_left(&c) > 0;) {
		assert_true(t.n < ARRAY_LEN(t.v));
		t.v[t.n++] = get_string(&c);
		assert_false(c.bad);
	}
	return t;
}

/* "" when the row has no such pair. */
static const char *value(const struct told *t, size_t row, const char *name)
{
	assert_true(row < t->n);
	const char *v = arena_str(t->b->a, rows_value(t->v[row], name));
	return v == NULL ? "" : v;
}

#define assert_row(t, row, name, what) assert_string_equal(value(t, row, name), what)

static void assert_says(const struct told *t, size_t row, const char *name, const char *what)
{
	const char *v = value(t, row, name);
	if (strstr(v, what) == NULL)
		fail_msg("row %zu: %s is \"%s\", want \"%s\" in it", row, name, v, what);
}

static void assert_goes(const struct told *t, size_t row, const char *kind, const char *address, const char *goes)
{
	struct err e;
	struct oraddr a;
	assert_row(t, row, "kind", kind);
	assert_row(t, row, "goes", goes);
	assert_true(oraddr_parse(view_str(address), &a, t->b->a, ORADDR_CARRY, &e));
	assert_row(t, row, "address", oraddr_text(&a, t->b->a));
}

static void test_a_mailbox_and_a_link(void **state)
{
	(void)state;
	struct told t = explain(TO_US, "");
	assert_goes(&t, 0, "answer", TO_US, "mailbox user");
	assert_row(&t, 1, "kind", "mailbox");
	bench_free(t.b);
	t = explain(TO_C, "to-a");
	assert_goes(&t, 0, "answer", TO_C, "link to-c");
	assert_row(&t, 0, "as", "");
	assert_row(&t, 1, "kind", "route");
	assert_row(&t, 1, "won", "1");
	bench_free(t.b);
}

/* moved -> abroad -> eve in Japan: what the message would be, and the routes of that. */
static void test_redirections_of_mailboxes(void **state)
{
	(void)state;
	struct told t = explain(TO("moved"), "");
	assert_goes(&t, 0, "answer", TO("moved"), "link to-c");
	assert_says(&t, 0, "as", "S=eve");
	assert_row(&t, 1, "kind", "redirect");
	assert_says(&t, 1, "address", "S=moved");
	assert_says(&t, 1, "to", "S=abroad");
	assert_row(&t, 2, "kind", "redirect");
	assert_says(&t, 2, "address", "S=abroad");
	assert_says(&t, 2, "to", "S=eve");
	assert_row(&t, 3, "kind", "route");
	assert_row(&t, 3, "to", "to-c");
	bench_free(t.b);
}

/* X.411: redirection-loop-detected, 27. */
static void test_redirections_that_go_round(void **state)
{
	(void)state;
	struct told t = explain(TO("round"), "");
	assert_goes(&t, 0, "answer", TO("round"), "nowhere");
	assert_row(&t, 0, "diagnostic", diagnostic_name(27));
	assert_row(&t, 1, "kind", "redirect");
	assert_says(&t, 1, "to", "S=about");
	assert_row(&t, 2, "kind", "mailbox");
	bench_free(t.b);
}

/* mta.alternate-recipient, which has an alternate itself; it is nobody's way round a link or another domain. */
static void test_the_alternate_of_this_domain(void **state)
{
	(void)state;
	struct told t = explain(TO_NOBODY, "");
	assert_goes(&t, 0, "answer", TO_NOBODY, "nowhere");
	assert_row(&t, 0, "diagnostic", diagnostic_name(0));
	assert_goes(&t, 1, "alternate", TO_NOBODY, "link to-c");
	assert_says(&t, 1, "to", "S=moved");
	assert_says(&t, 1, "as", "S=eve");
	bench_free(t.b);
	t = explain("S=x; P=x; A=SIM; C=IT", "");
	assert_row(&t, 0, "goes", "nowhere");
	assert_int_equal(t.n, 1);
	bench_free(t.b);
}

static void test_a_list_and_its_members(void **state)
{
	(void)state;
	struct told t = explain(TO("all"), "");
	assert_goes(&t, 0, "answer", TO("all"), "list all");
	assert_row(&t, 1, "kind", "list");
	assert_row(&t, 1, "list", "all");
	assert_row(&t, 1, "members", "3");
	assert_row(&t, 1, "open-to", "its submitters");
	assert_row(&t, 1, "reports-to", "originator");
	assert_goes(&t, 2, "member", TO_US, "mailbox user");
	assert_goes(&t, 3, "member", TO("moved"), "link to-c");
	assert_says(&t, 3, "as", "S=eve");
	assert_goes(&t, 4, "member", TO_C, "link to-c");
	assert_int_equal(t.n, 5);
	bench_free(t.b);
	t = explain(TO("listed"), ""); /* by way of a mailbox that has it as its alternate */
	assert_goes(&t, 0, "answer", TO("listed"), "list all");
	assert_says(&t, 0, "as", "S=all");
	assert_row(&t, 1, "kind", "redirect");
	assert_row(&t, 2, "kind", "list");
	assert_int_equal(t.n, 6);
	bench_free(t.b);
}

/* Lists in lists, each address once; those with other submitters, without members, and with an owner. */
static void test_lists_in_a_list(void **state)
{
	(void)state;
	struct told t = explain(TO("open"), "");
	assert_goes(&t, 0, "answer", TO("open"), "list open");
	assert_row(&t, 1, "members", "6");
	assert_row(&t, 1, "open-to", "anybody");
	static const struct { const char *list, *address, *goes, *why; } want[] = {
		{ "outer", TO("all"), "list all", "its submitters" }, { "outer", TO("closed"), "list closed", "its submitters" },
		{ "outer", TO("empty"), "nowhere", "no members" }, { "outer", TO("nobody"), "nowhere", "" },
		{ "inner", TO("other"), "mailbox other", "" }, { "inner", TO_C, "link to-c", "" },
	};
	assert_int_equal(t.n, 2 + ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_goes(&t, 2 + i, "member", want[i].address, want[i].goes);
		assert_row(&t, 2 + i, "list", want[i].list);
		assert_says(&t, 2 + i, "why", want[i].why);
	}
	bench_free(t.b);
	t = explain(TO("empty"), "");
	assert_row(&t, 1, "members", "0");
	assert_says(&t, 1, "why", "no members");
	bench_free(t.b);
	t = explain(TO("inner"), "");
	assert_row(&t, 1, "reports-to", "both");
	bench_free(t.b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_mailbox_and_a_link),
		cmocka_unit_test(test_redirections_of_mailboxes),
		cmocka_unit_test(test_redirections_that_go_round),
		cmocka_unit_test(test_the_alternate_of_this_domain),
		cmocka_unit_test(test_a_list_and_its_members),
		cmocka_unit_test(test_lists_in_a_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
