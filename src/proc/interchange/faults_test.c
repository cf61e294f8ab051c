/* faults_test.c - the n-th call of each kind on the postoffice and the journals fails: nothing is lost, nothing is there twice. */
#include "proc/interchange/interchange_testing.h"

#include <unistd.h>

#include "base/fault.h"

enum { STRIDE = 3 }; /* of the passes looked at, beyond the first ones */

static void plan_fault(const char *text)
{
	struct err e;
	if (!fault_plan(text, &e))
		fail_msg("%s", e.text);
}

/* As the switch knows a message again (docs/connector.md, "Duplicates"). */
static bool is_same(const struct message *a, const struct message *b)
{
	return sent_key(a) == sent_key(b);
}

static void test_each_failure_of_the_postoffice_is_survived(void **state)
{
	(void)state;
	static const char *const points[] = { "PO_OPEN", "PO_READ", "PO_WRITE", "PO_SYNC", "PO_RENAME", "PO_REMOVE", "PO_LOCK", "MAIL_PLACE", "MAIL_PLACING", "MAIL_FINISH",
					      "MAIL_NOTICE", "MAIL_JOURNAL", "INTERCHANGE_JOURNAL" };
	for (size_t p = 0; p < ARRAY_LEN(points); p++) {
		for (unsigned pass = 1; pass < 2000; pass += pass < 10 ? 1 : STRIDE) {
			struct world *w = world_new("      poll: 20 s\n");
			char text[64];
			say_open(w, 1);
			w->unmapped = "NOBODY";
			snprintf(text, sizeof text, "%s:%u:fail", points[p], pass);
			put_message(w, "TEST/SHADOW/LOCAL", "TEST/SHADOW/CAROL TEST/NEAR/BOB TEST/SHADOW/NOBODY", "In", "text", "att");
			plan_fault(text);
			say_transfer(w, 1, 1, letter(w, MESSAGE_MESSAGE, "out", "TEST/NEAR/EVE"), VIEW("Hello."));
			for (unsigned i = 2; i < 20 && (w->n_results == 0 || !w->results[w->n_results - 1].delivered); i++) {
				world_pass(w, 100 * 1000);
				say_open(w, i);
				say_transfer(w, i, i, letter(w, MESSAGE_MESSAGE, "out", "TEST/NEAR/EVE"), VIEW("Hello."));
			}
			world_pass(w, 200 * 1000);
			bool fired = false;
			for (enum fault_point k = 0; k < FAULT_COUNT; k++)
				fired = fired || (strcmp(fault_name(k), points[p]) == 0 && fault_passes(k) >= pass);
			plan_fault(NULL);
			const bool good = w->n_results > 0 && w->results[w->n_results - 1].delivered && count_records(w, "TEST/NEAR", NULL) == 2 &&
					  count_records(w, "INQUEUE3", NULL) == 0 && count_records(w, "TEST/SHADOW/LOCAL", NULL) == 1 && w->n_offers >= 1;
			if (!good) {
				static char log[1 << 16];
				const ssize_t n = pread(w->log_fd, log, sizeof log - 1, 0);
				log[n < 0 ? 0 : n] = 0;
				fail_msg("%s: results %u, near %u, queue %u, local %u, offers %u\n%s", text, w->n_results, count_records(w, "TEST/NEAR", NULL),
					 count_records(w, "INQUEUE3", NULL), count_records(w, "TEST/SHADOW/LOCAL", NULL), w->n_offers, log);
			}
			for (unsigned i = 1; i < w->n_offers; i++) /* again: the switch knows it */
				if (!is_same(&w->offers[i].message, &w->offers[0].message))
					fail_msg("%s: the switch would not know it again", text);
			world_free(w);
			if (!fired)
				break;
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_failure_of_the_postoffice_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
