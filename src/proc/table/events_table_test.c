/* events_table_test.c - the Exchange event that a kind carries is one for the same fact: the short meanings of facts/exchange.md, C8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "proc/table/events_table.h"

static const struct event_kind *named(const char *name)
{
	for (unsigned i = 0; i < EVENT_KINDS; i++)
		if (strcmp(event_kinds[i].name, name) == 0)
			return &event_kinds[i];
	fail_msg("no kind %s", name);
	return NULL;
}

static void test_a_runbook_of_exchange_finds_the_same_fact(void **state)
{
	static const struct {
		const char *name, *source, *meaning;
	} facts[] = {
		{ "supervisor.up", "MSExchangeMTA 9298", "start-up complete" },
		{ "supervisor.down", "MSExchangeMTA 9299", "closed down" },
		{ "link.bad-credentials", "MSExchangeMTA 48", "bad credentials from peer" },
		{ "link.unknown-peer", "MSExchangeMTA 51", "unknown MTA tried to bind" },
		{ "link.wrong-mode", "MSExchangeMTA 55", "wrong link option (two-way alternate); Q171113, Q169701" },
		{ "link.association-limit", "MSExchangeMTA 57", "association limit to entity reached" },
		{ "link.open-failed", "MSExchangeMTA 289", "connection could not be opened" },
		{ "link.inbound-refused", "MSExchangeMTA 1293", "inbound refused" },
		{ "link.association-ended", "MSExchangeMTA 1294", "ended abnormally" },
		{ "link.unknown-selector", "MSExchangeMTA 4293", "wrong T-selector on inbound" },
		{ "link.wrong-host", "MSExchangeMTA 9301", "inbound address matches no connector" },
		{ "message.report-discarded", "MSExchangeMTA 141", "cannot route report; 43 is the tracking log's number, C6" },
		{ "message.list-refused", "MSExchangeMTA 150", "list expansion error" },
		{ "message.loop", "MSExchangeMTA 201", "loop detected inbound" },
		{ "message.undecodable", "MSExchangeMTA 200", "ASN.1 decode error" },
		{ "message.rerouted", "MSExchangeMTA 287", "rerouted to new connector" },
		{ "message.not-delivered", "MSExchangeMTA 290", "NDR generated" },
		{ "content.not-converted", "MSExchangeMTA 210", "content conversion failed" },
		{ "store.tracking-lost", "MSExchangeMTA 2026", "tracking write failed" },
		{ "store.failed", "MSExchangeMTA 2143", "fatal store error, about to end" },
		{ "store.full", "MSExchangeMTA 9411", "< 10 MB disk" },
		{ "msmail.taken", "MSExchangeMSMI 2444", "message taken from INQUEUE3" },
		{ "msmail.passed", "MSExchangeMSMI 2448", "message passed to MS Mail" },
		{ "msmail.no-user", "MSExchangeMSMI 2371", "invalid recipients, NDR" },
		{ "msmail.no-route", "MSExchangeMSMI 2375", "no mailbag/route for recipient" },
		{ "msmail.header", "MSExchangeMSMI 2604", "header too large" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(facts); i++)
		assert_string_equal(named(facts[i].name)->source, facts[i].source);
}

/* 9298 and 9299 are said once, of the MTA and not of each process: else a monitor of that time takes each restart of one for a stop of
 * all. 2219 is a recovery of the store at the start, 210 a conversion. */
static void test_no_number_stands_for_another_fact(void **state)
{
	static const char *const none[] = { "process.ready", "process.stopped", "message.quarantined", "content.failed" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_string_equal(named(none[i])->source, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_runbook_of_exchange_finds_the_same_fact),
		cmocka_unit_test(test_no_number_stands_for_another_fact),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
