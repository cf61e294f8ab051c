/* metrics_test.c - the table, the way of the values, and the text format of Prometheus 0.0.4 (prometheus.io, "Exposition formats": HELP and
 * TYPE once and first, label values with \\, \" and \n escaped, buckets summed up to +Inf). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "proc/table/metrics.h"
#include "proc/table/msgs.h"

/* Names and help that break no line and no reader; totals end so, and nothing else does; each name once. */
static void test_the_table_is_what_prometheus_takes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		const struct metric_kind *k = &metric_kinds[i];
		const bool counter = k->type == METRIC_TOTAL || k->type == METRIC_COUNTER;
		const size_t n = strlen(k->name);
		assert_int_equal(strncmp(k->name, "posthorn_", 9), 0);
		assert_int_equal(strspn(k->name, "abcdefghijklmnopqrstuvwxyz_"), n);
		assert_int_equal(n > 6 && strcmp(k->name + n - 6, "_total") == 0, counter);
		assert_true(k->unit != METRIC_OCTETS || strstr(k->name, "_bytes") != NULL);
		assert_true((k->unit != METRIC_MS && k->unit != METRIC_US) || strstr(k->name, "_seconds") != NULL);
		assert_null(strpbrk(k->help, "\\\n|"));
		assert_true(strlen(k->help) > 10);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(k->name, metric_kinds[j].name);
	}
}

/* RFC 2789: every object of mtaTable that counts, and of mtaGroupTable what this MTA has. */
static void test_the_objects_of_rfc_2789_are_there(void **state)
{
	static const char *const objects[] = {
		"mtaReceivedMessages", "mtaStoredMessages", "mtaTransmittedMessages", "mtaReceivedVolume", "mtaStoredVolume", "mtaTransmittedVolume",
		"mtaReceivedRecipients", "mtaStoredRecipients", "mtaTransmittedRecipients", "mtaSuccessfulConvertedMessages",
		"mtaFailedConvertedMessages", "mtaLoopsDetected",
		"mtaGroupReceivedMessages", "mtaGroupRejectedMessages", "mtaGroupStoredMessages", "mtaGroupTransmittedMessages",
		"mtaGroupReceivedVolume", "mtaGroupStoredVolume", "mtaGroupTransmittedVolume", "mtaGroupReceivedRecipients",
		"mtaGroupStoredRecipients", "mtaGroupTransmittedRecipients", "mtaGroupOldestMessageStored", "mtaGroupInboundAssociations",
		"mtaGroupOutboundAssociations", "mtaGroupAccumulatedInboundAssociations", "mtaGroupAccumulatedOutboundAssociations",
		"mtaGroupLastInboundActivity", "mtaGroupLastOutboundActivity", "mtaGroupLastOutboundAssociationAttempt",
		"mtaGroupRejectedInboundAssociations", "mtaGroupFailedOutboundAssociations", "mtaGroupInboundRejectionReason",
		"mtaGroupOutboundConnectFailureReason", "mtaGroupScheduledRetry", "mtaGroupSuccessfulConvertedMessages",
		"mtaGroupFailedConvertedMessages", "mtaGroupLoopsDetected", "mtaGroupMailProtocol",
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(objects); i++) {
		unsigned n = 0;
		for (unsigned k = 0; k < METRIC_COUNT; k++)
			n += strcmp(metric_kinds[k].rfc, objects[i]) == 0;
		if (n != 1)
			fail_msg("%s stands %u times", objects[i], n);
	}
}

/* --- a sample --- */

static const struct metric_histogram commits = { .n = { 3, 0, 1, [METRIC_BUCKETS] = 1 }, .sum = 12345678 };

static void fill(struct metric_set *m, const char *link)
{
	*m = (struct metric_set){ .link = view_str(link) };
	for (unsigned i = 0; i < METRIC_COUNT; i++)
		m->v[i].n = METRIC_ABSENT;
	m->v[METRIC_INFO].words = VIEW("mta-p");
	m->v[METRIC_MTA_RECEIVED_MESSAGES].n = 17;
	m->v[METRIC_SWITCH_STARTED].n = 1767225600001;
	m->v[METRIC_SWITCH_COMMIT].h = &commits;
	m->v[METRIC_LINK_STORED_MESSAGES].n = 5;
	m->v[METRIC_LINK_PROTOCOL].words = VIEW("msmail");
	m->v[METRIC_LINK_OLDEST].n = 1500;
	m->v[METRIC_LINK_LAST_INBOUND].n = 0; /* never */
	m->v[METRIC_LINK_LAST_OUTBOUND].n = 1767225600250;
	m->v[METRIC_LINK_FAILURE_REASON].words = VIEW("said \"no\\way\"\nand\x01 hung up");
}

static struct metrics *sample(void)
{
	struct metrics *m = metrics_new();
	const char *const links[] = { "", "to-a", "to-c" };
	struct metric_set set;
	struct err e;
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		struct out o;
		out_init(&o, MSG_MAX_METRIC);
		fill(&set, links[i]);
		put_metric_set(&o, &set);
		assert_false(o.bad);
		assert_true(metrics_add(m, out_view(&o), &e));
		out_fini(&o);
	}
	return m;
}

static void has(const char *text, const char *want)
{
	if (strstr(text, want) == NULL)
		fail_msg("not there:\n%s\nin:\n%.3000s", want, text);
}

static void test_the_text_of_prometheus(void **state)
{
	(void)state;
	struct metrics *m = sample();
	static struct board board = { .n = 1, .processes = { { .kind = PROCESS_LINK, .instance = 2, .pid = 1, .ready = 1, .lives = 3, .answered_ms = 0 } } };
	struct out o;
	out_init(&o, METRICS_OUT_MAX);
	metrics_print(&o, "of the console", m, &board);
	const char *text = out_cstr(&o);
	has(text, "posthorn_up 1\n");
	has(text, "posthorn_info{mta=\"mta-p\",version=\"");
	has(text, "# HELP posthorn_mta_received_messages_total messages, probes and reports taken in, from links and submitted here (RFC 2789 mtaReceivedMessages; "
		  "MSExchangeMTA: Inbound Messages Total)\n# TYPE posthorn_mta_received_messages_total counter\nposthorn_mta_received_messages_total 17\n");
	has(text, "# TYPE posthorn_link_stored_messages gauge\nposthorn_link_stored_messages{link=\"to-a\"} 5\nposthorn_link_stored_messages{link=\"to-c\"} 5\n");
	has(text, "posthorn_link_oldest_message_age_seconds{link=\"to-a\"} 1.5\n");
	has(text, "posthorn_link_last_outbound_activity_timestamp_seconds{link=\"to-a\"} 1767225600.25\n");
	has(text, "posthorn_switch_start_time_seconds 1767225600.001\n");
	assert_null(strstr(text, "posthorn_link_last_inbound_activity"));
	has(text, "posthorn_link_info{link=\"to-a\",kind=\"msmail\"} 1\n");
	has(text, "posthorn_link_outbound_failure_info{link=\"to-a\",reason=\"said \\\"no\\\\way\\\"\\nand? hung up\"} 1\n");
	has(text, "# TYPE posthorn_switch_commit_seconds histogram\nposthorn_switch_commit_seconds_bucket{le=\"0.0005\"} 3\n"
		  "posthorn_switch_commit_seconds_bucket{le=\"0.001\"} 3\nposthorn_switch_commit_seconds_bucket{le=\"0.002\"} 4\n");
	has(text, "posthorn_switch_commit_seconds_bucket{le=\"10\"} 4\nposthorn_switch_commit_seconds_bucket{le=\"+Inf\"} 5\n"
		  "posthorn_switch_commit_seconds_sum 12.345678\nposthorn_switch_commit_seconds_count 5\n");
	has(text, "posthorn_process_up{process=\"link\",number=\"2\"} 1\n");
	has(text, "posthorn_process_starts_total{process=\"link\",number=\"2\"} 3\n");
	assert_null(strstr(text, "posthorn_process_last_answer"));
	out_fini(&o);
	metrics_free(&m);
}

/* The switch does not answer: that is said, and the processes are there all the same. */
static void test_without_the_switch(void **state)
{
	(void)state;
	static struct board board = { .n = 1, .processes = { { .kind = PROCESS_SWITCH, .pid = 0, .faults = 2 } } };
	struct metrics *m = metrics_new();
	const struct metrics *none[] = { NULL, m };
	for (size_t i = 0; i < 2; i++) {
		struct out o;
		out_init(&o, METRICS_OUT_MAX);
		metrics_print(&o, "mta-p", none[i], &board);
		const char *text = out_cstr(&o);
		has(text, "posthorn_up 0\n");
		has(text, "posthorn_info{mta=\"mta-p\"");
		has(text, "posthorn_process_up{process=\"switch\",number=\"0\"} 0\n");
		has(text, "posthorn_process_faults_total{process=\"switch\",number=\"0\"} 2\n");
		assert_null(strstr(text, "posthorn_mta_"));
		out_fini(&o);
	}
	metrics_free(&m);
}

static void test_one_object_a_line(void **state)
{
	(void)state;
	struct metrics *m = sample();
	struct out o;
	out_init(&o, METRICS_OUT_MAX);
	metrics_print_json(&o, NULL, m, NULL);
	const char *text = out_cstr(&o);
	has(text, "{\"metric\":\"posthorn_mta_received_messages_total\",\"value\":17}\n");
	has(text, "{\"metric\":\"posthorn_link_oldest_message_age_seconds\",\"link\":\"to-c\",\"value\":1.5}\n");
	has(text, "\"buckets\":{\"0.0005\":3,");
	has(text, "\"+Inf\":5},\"count\":5,\"sum\":12.345678}\n");
	out_fini(&o);
	metrics_free(&m);
}

static void test_bounds_are_included_and_ascend(void **state)
{
	(void)state;
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		if (metric_kinds[i].type != METRIC_HISTOGRAM)
			continue;
		const uint64_t *bounds = metric_bounds((enum metric)i);
		struct metric_histogram h = { .sum = 0 };
		for (size_t k = 0; k < METRIC_BUCKETS; k++) {
			assert_true(k == 0 || bounds[k] > bounds[k - 1]);
			metric_observe(&h, (enum metric)i, bounds[k]);
			metric_observe(&h, (enum metric)i, bounds[k] + 1);
		}
		assert_int_equal(h.n[0], 1);
		assert_int_equal(h.n[1], 2);
		assert_int_equal(h.n[METRIC_BUCKETS], 1);
	}
}

/* What is not whole is not taken, wherever it is cut, and what was there stays. */
static void test_a_cut_metric_is_refused(void **state)
{
	(void)state;
	static const char *const links[] = { "", "to-a" };
	struct metric_set set;
	struct err e;
	for (size_t i = 0; i < 2; i++) {
		struct out o;
		out_init(&o, MSG_MAX_METRIC);
		fill(&set, links[i]);
		put_metric_set(&o, &set);
		struct metrics *m = metrics_new();
		for (size_t n = 0; n < out_len(&o); n++)
			assert_false(metrics_add(m, view_first(out_view(&o), n), &e));
		assert_null(metrics_mta(m));
		assert_int_equal(metrics_links(m), 0);
		assert_true(metrics_add(m, out_view(&o), &e));
		assert_int_equal(metrics_links(m), i);
		metrics_free(&m);
		out_fini(&o);
	}
}

/* All at its longest fits into METRIC. */
static void test_the_longest_fits(void **state)
{
	(void)state;
	static char words[1000];
	memset(words, 'x', sizeof words);
	struct metric_set set;
	struct err e;
	for (size_t l = 0; l < 2; l++) {
		fill(&set, l == 0 ? "" : "a-link-with-a-name-of-sixty-four-octets-which-is-the-most-of-all");
		for (unsigned i = 0; i < METRIC_COUNT; i++) {
			set.v[i].words = view_of(words, sizeof words);
			set.v[i].h = &commits;
		}
		struct out o;
		struct metrics *m = metrics_new();
		out_init(&o, MSG_MAX_METRIC);
		put_metric_set(&o, &set);
		assert_false(o.bad);
		assert_true(metrics_add(m, out_view(&o), &e));
		metrics_free(&m);
		out_fini(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table_is_what_prometheus_takes),
		cmocka_unit_test(test_the_objects_of_rfc_2789_are_there),
		cmocka_unit_test(test_the_text_of_prometheus),
		cmocka_unit_test(test_without_the_switch),
		cmocka_unit_test(test_one_object_a_line),
		cmocka_unit_test(test_bounds_are_included_and_ascend),
		cmocka_unit_test(test_a_cut_metric_is_refused),
		cmocka_unit_test(test_the_longest_fits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
