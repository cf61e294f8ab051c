/* monitor_test.c - the link monitor by a clock that stands still until told: probes at their intervals (exchange.md C6: 15 minutes, 5 when
 * critical; warning after 30, alert after 60), answers, and what must not become of a probe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proc/switch/switch_int.h"
#include "proc/switch/switch_testing.h"

#include "flow/report/report.h"

#define MINUTES(n) ((int64_t)(n) * 60 * 1000)
#define MONITORED "    max-open-retries: 3\n    max-transfer-retries: 2\n    max-associations: 1\n"

/* The bench's settings, with a monitor on link to-a. */
static struct bench *with_monitor(void)
{
	char text[8000];
	const char *at = strstr(BENCH_SETTINGS, MONITORED);
	assert_non_null(at);
	at += strlen(MONITORED);
	snprintf(text, sizeof text, "%.*s    monitor: { to: \"S=no-such-box; P=a; A=SIM; C=GB\" }\n%s", (int)(at - BENCH_SETTINGS), BENCH_SETTINGS, at);
	struct bench *b = bench_with(text);
	bench_join(b, &b->link[0], PROCESS_LINK, 0);
	return b;
}

static enum monitor_state state_of(struct bench *b)
{
	struct monitor_shown m;
	monitor_show(switch_link(b->sw, VIEW("to-a")), &m);
	assert_true(m.is_on);
	return m.state;
}

/* The peer's answer to a probe, as X.411 has it: delivery, or non-delivery since nobody is called so. */
static void answer(struct bench *b, const struct message *probe, bool delivered)
{
	struct err e;
	struct report_maker maker = { .domain = domain_of("GB", "a"), .mta = VIEW("mta-a"), .now = FAKE_WALL_MS,
				      .id = { domain_of("GB", "a"), VIEW("report") } };
	char id[24];
	snprintf(id, sizeof id, "report-%llu", (unsigned long long)b->next_offer);
	maker.id.local = view_of(mem_dup(id, strlen(id)), strlen(id));
	const struct report_result result = { .rcpt = &probe->rcpt[0], .delivered = delivered, .at = FAKE_WALL_MS, .reason = delivered ? -1 : 1,
					      .diagnostic = delivered ? -1 : 0 };
	struct message *report = report_build(probe, &result, 1, &maker, b->a, &e);
	assert_non_null(report);
	const struct msg_answer *taken = offer_of(&b->link[0], "to-a", report, (struct view){ NULL, 0 });
	assert_non_null(taken);
	assert_true(taken->accepted);
	free((void *)(uintptr_t)maker.id.local.p);
}

/* The probe that was handed over last; confirmed. */
static const struct message *take_probe(struct bench *b)
{
	struct player *p = &b->link[0];
	const struct seen_transfer *t = last_transfer(p);
	assert_int_equal(t->m.kind, MESSAGE_PROBE);
	say_result(p, t->transfer, ERR_NONE, 0);
	return &t->m;
}

static void test_op_probes_are_sent_at_the_interval_and_any_report_answers(void **state)
{
	(void)state;
	struct bench *b = with_monitor();
	struct player *p = &b->link[0];
	fake_env_settle(b->env);
	open_up(p);
	assert_int_equal(p->n_transfers, 1);
	const struct message *probe = take_probe(b);
	/* X.411 8.2.1.1.2: both kinds of report are asked for, or a delivery would be no answer. */
	assert_int_equal(probe->n_rcpt, 1);
	assert_int_equal(probe->rcpt[0].originator_report, REPORT_ALL);
	assert_true(probe->rcpt[0].responsible);
	assert_int_equal(probe->trace.n, 1);
	fake_env_pass(b->env, 300);
	answer(b, probe, false); /* non-delivery: from a mailbox that does not exist */
	struct monitor_shown m;
	monitor_show(switch_link(b->sw, VIEW("to-a")), &m);
	assert_int_equal(m.trip_ms, 300);
	assert_int_equal(m.waits_ms, 0);
	fake_env_pass(b->env, MINUTES(15) - 301);
	assert_int_equal(p->n_transfers, 1);
	fake_env_pass(b->env, 1000);
	assert_int_equal(p->n_transfers, 2);
	answer(b, take_probe(b), true);
	assert_int_equal(state_of(b), MONITOR_OK);
	assert_int_equal(counts_of(b).deliveries, 0); /* its reports end here */
	assert_int_equal(counts_of(b).messages, 0);
	bench_free(b);
}

/* The peer confirms and never answers: what is behind the link is ill, though the link is not. */
static void test_no_answer_is_a_warning_then_an_alert(void **state)
{
	(void)state;
	struct bench *b = with_monitor();
	struct player *p = &b->link[0];
	open_up(p);
	const struct message *first = take_probe(b);
	fake_env_pass(b->env, MINUTES(15));
	assert_int_equal(p->n_transfers, 2);
	take_probe(b);
	fake_env_pass(b->env, MINUTES(15) - 1000);
	assert_int_equal(state_of(b), MONITOR_OK);
	fake_env_pass(b->env, 2000); /* 30 minutes since the first */
	assert_int_equal(state_of(b), MONITOR_WARNING);
	assert_int_equal(p->n_transfers, 3);
	take_probe(b);
	const size_t before = p->n_transfers;
	size_t seen = before;
	for (int i = 0; i < 5; i++) { /* every five minutes now */
		fake_env_pass(b->env, MINUTES(5));
		for (; seen < p->n_transfers; seen++)
			take_probe(b);
	}
	assert_in_range(p->n_transfers - before, 5, 6);
	assert_int_equal(state_of(b), MONITOR_WARNING);
	fake_env_pass(b->env, MINUTES(5));
	assert_int_equal(state_of(b), MONITOR_ALERT);
	struct monitor_shown m;
	monitor_show(switch_link(b->sw, VIEW("to-a")), &m);
	assert_true(m.waits_ms >= MINUTES(60));
	answer(b, first, false); /* late, and about the oldest: those after it still wait */
	assert_int_not_equal(state_of(b), MONITOR_OK);
	answer(b, &last_transfer(p)->m, false);
	assert_int_equal(state_of(b), MONITOR_OK);
	bench_free(b);
}

/* The link is down: one probe waits, however long that lasts, and the last one is the youngest. */
static void test_at_most_one_waits_while_the_link_is_down(void **state)
{
	(void)state;
	struct bench *b = with_monitor();
	struct player *p = &b->link[0];
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "as the test says");
	for (int i = 0; i < 8; i++) {
		fake_env_pass(b->env, MINUTES(10));
		assert_true(counts_of(b).transfers <= 1);
		assert_true(counts_of(b).messages <= 1);
		if (p->n_opens > 0 && p->n_opens < SEEN_MAX)
			say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-a", &why);
	}
	assert_int_equal(state_of(b), MONITOR_ALERT);
	assert_int_equal(p->n_transfers, 0);
	bench_free(b);
}

#define LINK(name, more)                                                                                              \
	"  - name: " name "\n    address: \"127.0.0.1:2\"\n    remote-mta-name: mta-" name "\n    open-interval: 10 s\n"  \
	"    transfer-interval: 10 s\n    max-open-retries: 2\n    max-transfer-retries: 2\n    max-associations: 1\n" more
#define TWO_WAYS                                                                                                      \
	"mta:\n  name: mta-p\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlisten: [\"127.0.0.1:1\"]\nlinks:\n" \
	LINK("to-a", "") LINK("east", "    monitor: { to: \"S=x; P=c; A=SIM; C=JP\" }\n") LINK("west", "")                 \
	"routes:\n  - { match: \"C=GB\", to: to-a, cost: 1 }\n  - { match: \"C=JP\", to: east, cost: 1 }\n"               \
	"  - { match: \"C=JP\", to: west, cost: 5 }\n  - { match: \"C=FR; A=SIM; P=p\", to: local }\n"                    \
	"mailboxes:\n  - name: user\n    addresses: [\"S=user; P=p; A=SIM; C=FR\"]\n"

/* Another link leads to the same address: when the monitored one fails, mail takes it, and the probe does not. */
static void test_a_probe_never_takes_another_link(void **state)
{
	(void)state;
	struct bench *b = bench_with(TWO_WAYS);
	bench_join(b, &b->link[0], PROCESS_LINK, 0);
	struct player *p = &b->link[0];
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "as the test says");
	assert_true(offer_of(p, "to-a", LETTER(b, "1", TO_C), VIEW("x"))->accepted);
	assert_int_equal(counts_of(b).transfers, 2); /* the letter and the probe */
	for (size_t seen = 0, i = 0; i < 60; i++) {
		for (; seen < p->n_opens; seen++) {
			char link[65];
			snprintf(link, sizeof link, "%.*s", (int)p->opens[seen].link.n, (const char *)p->opens[seen].link.p);
			const bool east = strcmp(link, "east") == 0;
			say_assoc(p, east ? MSG_ASSOC_DOWN : MSG_ASSOC_UP, p->opens[seen].assoc, link, east ? &why : NULL);
		}
		fake_env_pass(b->env, 1000);
	}
	assert_int_equal(p->n_transfers, 1);
	assert_int_equal(p->transfers[0].m.kind, MESSAGE_MESSAGE);
	say_result(p, p->transfers[0].transfer, ERR_NONE, 0);
	fake_env_pass(b->env, MINUTES(20));
	assert_int_equal(p->n_transfers, 1);
	assert_true(counts_of(b).transfers <= 1);
	assert_int_equal(counts_of(b).deliveries, 0); /* nobody is told */
	bench_free(b);
}

/* What an earlier life of the switch has sent: its answer ends here, and says nothing. */
static void test_an_answer_to_an_earlier_life_goes_no_further(void **state)
{
	(void)state;
	struct bench *b = with_monitor();
	open_up(&b->link[0]);
	const struct message probe = *take_probe(b);
	bench_leave(b, &b->link[0]);
	bench_switch_dies(b, "");
	bench_join(b, &b->link[0], PROCESS_LINK, 0);
	answer(b, &probe, true);
	assert_int_equal(counts_of(b).deliveries, 0);
	struct monitor_shown m;
	monitor_show(switch_link(b->sw, VIEW("to-a")), &m);
	assert_int_equal(m.trip_ms, -1);
	bench_free(b);
}

#define OFTEN(to) "    monitor: { to: \"S=" to "; P=a; A=SIM; C=GB\", interval: 60 s, critical-interval: 60 s }\n"
#define ONE(more)                                                                                                     \
	"mta:\n  name: mta-p\n  domain: \"C=FR; A=SIM; P=p\"\nstore:\n  directory: x\nlisten: [\"127.0.0.1:1\"]\nlinks:\n" \
	LINK("to-a", more) "routes:\n  - { match: \"C=GB\", to: to-a }\n"

/* In hand when the next one is due, on a link that then breaks: what that gets when it comes back is a new one. */
static void test_one_that_comes_back_makes_way_for_the_next(void **state)
{
	(void)state;
	struct bench *b = bench_with(ONE(OFTEN("x")));
	struct player *p = &b->link[0];
	struct err why;
	err_set(&why, ERR_TEMP, ERR_OF_ASSOCIATION, "as the test says");
	bench_join(b, p, PROCESS_LINK, 0);
	open_up(p);
	assert_int_equal(p->n_transfers, 1);
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-a", &why);
	fake_env_pass(b->env, 10 * 1000);
	open_up(p);
	assert_int_equal(p->n_transfers, 2); /* before its time is over, the same */
	assert_true(view_eq(p->transfers[1].m.id.local, p->transfers[0].m.id.local));
	fake_env_pass(b->env, 70 * 1000);
	assert_int_equal(counts_of(b).transfers, 1);
	say_assoc(p, MSG_ASSOC_DOWN, last_open(p), "to-a", &why);
	fake_env_pass(b->env, 10 * 1000);
	assert_int_equal(counts_of(b).transfers, 1);
	open_up(p);
	assert_int_equal(p->n_transfers, 3);
	assert_false(view_eq(p->transfers[2].m.id.local, p->transfers[0].m.id.local));
	answer(b, take_probe(b), false);
	assert_int_equal(counts_of(b).transfers, 0);
	struct monitor_shown m;
	monitor_show(switch_link(b->sw, VIEW("to-a")), &m);
	assert_in_range(m.trip_ms, 0, 10 * 1000);
	bench_free(b);
}

/* The one that a switch before this one has left is not sent beside the new one. */
static void test_one_of_an_earlier_life_is_not_sent(void **state)
{
	(void)state;
	struct bench *b = with_monitor();
	bench_leave(b, &b->link[0]);
	assert_int_equal(counts_of(b).transfers, 1);
	fake_env_pass(b->env, 1000);
	bench_switch_dies(b, "");
	bench_join(b, &b->link[0], PROCESS_LINK, 0);
	open_up(&b->link[0]);
	assert_int_equal(b->link[0].n_transfers, 1);
	answer(b, take_probe(b), true); /* it is of this life */
	struct monitor_shown m;
	monitor_show(switch_link(b->sw, VIEW("to-a")), &m);
	assert_true(m.trip_ms >= 0);
	assert_int_equal(b->link[0].n_transfers, 1);
	assert_int_equal(counts_of(b).transfers, 0);
	bench_free(b);
}

/* Another address by a reload: what waits is for that one; and nothing waits when there is no monitor any more. */
static void test_other_settings_take_the_one_that_waits_with_them(void **state)
{
	(void)state;
	static const char *const other[] = { ONE(OFTEN("y")), ONE("") };
	for (size_t i = 0; i < ARRAY_LEN(other); i++) {
		struct bench *b = bench_with(ONE(OFTEN("x")));
		struct settings now;
		struct err e;
		fake_env_pass(b->env, 1);
		assert_int_equal(counts_of(b).transfers, 1);
		assert_true(settings_load(view_str(other[i]), "test", &now, b->a, &e) && switch_settings(b->sw, &now, &e));
		fake_env_pass(b->env, 1000);
		assert_int_equal(counts_of(b).transfers, i == 0);
		bench_free(b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_op_probes_are_sent_at_the_interval_and_any_report_answers),
		cmocka_unit_test(test_no_answer_is_a_warning_then_an_alert),
		cmocka_unit_test(test_at_most_one_waits_while_the_link_is_down),
		cmocka_unit_test(test_a_probe_never_takes_another_link),
		cmocka_unit_test(test_an_answer_to_an_earlier_life_goes_no_further),
		cmocka_unit_test(test_one_that_comes_back_makes_way_for_the_next),
		cmocka_unit_test(test_one_of_an_earlier_life_is_not_sent),
		cmocka_unit_test(test_other_settings_take_the_one_that_waits_with_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
