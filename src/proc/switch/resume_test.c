/* resume_test.c - transfers of ours that broke off: what a link says of them is said again where it is of use, and delays nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/switch/switch_testing.h"

enum { MINUTE = 60 * 1000 };

static void say_resume(struct player *p, uint64_t transfer)
{
	const struct msg_resume m = { .transfer = transfer, .reference = VIEW("old association"), .activity = 5, .offset = 7000, .serial = 3 };
	put_msg_resume(chan_begin(p->control, MSG_TRANSFER_RESUME), &m);
	chan_end(p->control);
}

static void say_how(struct player *p, uint64_t assoc, bool recovered)
{
	const struct msg_assoc_how m = { .assoc = assoc, .recovered = recovered };
	put_msg_assoc_how(chan_begin(p->control, MSG_ASSOC_HOW), &m);
	chan_end(p->control);
}

/* Two messages wait; the first is being handed over when the association breaks. */
static struct bench *broken_off(void)
{
	struct bench *b = bench_new();
	struct player *p = &b->link[0];
	struct err why;
	bench_join(b, p, PROCESS_LINK, 1);
	assert_true(offer_of(p, "to-a", LETTER(b, "1", TO_C), VIEW("x"))->accepted);
	assert_true(offer_of(p, "to-a", LETTER(b, "2", TO_C), VIEW("x"))->accepted);
	open_up(p);
	assert_int_equal(p->n_transfers, 2);
	assert_int_equal(p->n_hows + p->n_resumes, 0);
	const uint64_t assoc = last_open(p);
	p->n_opens = 0;
	say_resume(p, p->transfers[0].transfer);
	say_result(p, p->transfers[0].transfer, ERR_TEMP, ERR_OF_ASSOCIATION);
	say_result(p, p->transfers[1].transfer, ERR_TEMP, ERR_OF_ASSOCIATION);
	err_set(&why, ERR_TEMP, ERR_OF_ASSOCIATION, "the connection was reset");
	say_assoc(p, MSG_ASSOC_DOWN, assoc, "to-c", &why);
	p->n_transfers = 0;
	return b;
}

static void opened_again(struct bench *b)
{
	fake_env_pass(b->env, 12 * 1000); /* open-interval is 10 s */
	assert_int_equal(b->link[0].n_opens, 1);
}

static void test_it_goes_on_first_where_the_association_is_recovered(void **state)
{
	(void)state;
	struct bench *b = broken_off();
	struct player *p = &b->link[0];
	opened_again(b);
	assert_int_equal(p->n_hows, 1);
	assert_int_equal(p->how.assoc, last_open(p));
	assert_true(view_eq(p->how.reference, VIEW("old association")));
	say_how(p, last_open(p), true);
	open_up(p);
	assert_int_equal(p->n_transfers, 2);
	assert_true(is_local_id(&p->transfers[0].m, "1"));
	assert_int_equal(p->n_resumes, 1);
	assert_int_equal(p->resume.transfer, p->transfers[0].transfer);
	assert_true(view_eq(p->resume.reference, VIEW("old association")));
	assert_int_equal(p->resume.activity, 5);
	assert_int_equal(p->resume.offset, 7000);
	assert_int_equal(p->resume.serial, 3);
	say_result(p, p->transfers[0].transfer, ERR_NONE, 0);
	say_result(p, p->transfers[1].transfer, ERR_NONE, 0);
	fake_env_pass(b->env, 100);
	assert_int_equal(counts_of(b).transfers, 0);
	struct blocks blocks;
	switch_blocks(b->sw, &blocks);
	assert_int_equal(blocks.n[BLOCK_RESUMES], 0);
	bench_free(b);
}

static void test_it_begins_anew_where_the_peer_does_not_know_it(void **state)
{
	(void)state;
	struct bench *b = broken_off();
	struct player *p = &b->link[0];
	opened_again(b);
	assert_int_equal(p->n_hows, 1);
	open_up(p); /* without ASSOC_HOW: not recovered */
	assert_int_equal(p->n_transfers, 2);
	assert_int_equal(p->n_resumes, 0);
	bench_free(b);
}

static void test_an_attempt_that_fails_is_made_again(void **state)
{
	(void)state;
	struct bench *b = broken_off();
	struct player *p = &b->link[0];
	struct err why;
	opened_again(b);
	const uint64_t assoc = last_open(p);
	p->n_opens = 0;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "connection refused");
	say_assoc(p, MSG_ASSOC_DOWN, assoc, "to-c", &why);
	opened_again(b);
	assert_int_equal(p->n_hows, 2);
	assert_int_equal(p->how.assoc, last_open(p));
	bench_free(b);
}

static void test_it_is_forgotten_after_the_recovery_timeout(void **state)
{
	(void)state;
	struct bench *b = broken_off();
	struct player *p = &b->link[0];
	struct blocks blocks;
	struct err why;
	opened_again(b);
	fake_env_pass(b->env, MINUTE);
	switch_blocks(b->sw, &blocks);
	assert_int_equal(blocks.n[BLOCK_RESUMES], 0);
	const uint64_t assoc = last_open(p);
	p->n_opens = 0;
	err_set(&why, ERR_TEMP, ERR_OF_LINK, "no answer");
	say_assoc(p, MSG_ASSOC_DOWN, assoc, "to-c", &why);
	opened_again(b);
	assert_int_equal(p->n_hows, 1); /* the first one */
	open_up(p);
	assert_int_equal(p->n_transfers, 2);
	assert_int_equal(p->n_resumes, 0);
	bench_free(b);
}

/* Expired meanwhile: nothing of it is left to go on with. */
static void test_what_leaves_its_queue_is_forgotten(void **state)
{
	(void)state;
	struct bench *b = broken_off();
	struct player *p = &b->link[0];
	struct blocks blocks;
	opened_again(b);
	open_up(p);
	say_resume(p, p->transfers[0].transfer);
	fake_env_settle(b->env);
	switch_blocks(b->sw, &blocks);
	assert_int_equal(blocks.n[BLOCK_RESUMES], 1);
	say_result(p, p->transfers[0].transfer, ERR_PERM, ERR_OF_MESSAGE);
	switch_blocks(b->sw, &blocks);
	assert_int_equal(blocks.n[BLOCK_RESUMES], 0);
	say_resume(p, 12345); /* of nothing */
	say_resume(p, p->transfers[1].transfer);
	say_result(p, p->transfers[1].transfer, ERR_NONE, 0);
	switch_blocks(b->sw, &blocks);
	assert_int_equal(blocks.n[BLOCK_RESUMES], 0);
	assert_int_equal(p->closed, 0);
	bench_free(b);
}

/* An activity that was interrupted; the association stands. */
static void test_on_the_same_association_it_is_said_too(void **state)
{
	(void)state;
	struct bench *b = broken_off();
	struct player *p = &b->link[0];
	opened_again(b);
	open_up(p);
	say_resume(p, p->transfers[0].transfer);
	say_result(p, p->transfers[0].transfer, ERR_TEMP, ERR_OF_MESSAGE);
	fake_env_pass(b->env, 30 * 1000); /* transfer-interval of to-c is 120 s: not yet */
	assert_int_equal(p->n_resumes, 0);
	fake_env_pass(b->env, 5 * MINUTE); /* and then it is too late */
	assert_int_equal(p->n_resumes, 0);
	assert_int_equal(p->n_transfers, 3);
	bench_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_goes_on_first_where_the_association_is_recovered),
		cmocka_unit_test(test_it_begins_anew_where_the_peer_does_not_know_it),
		cmocka_unit_test(test_an_attempt_that_fails_is_made_again),
		cmocka_unit_test(test_it_is_forgotten_after_the_recovery_timeout),
		cmocka_unit_test(test_what_leaves_its_queue_is_forgotten),
		cmocka_unit_test(test_on_the_same_association_it_is_said_too),
	};
	return cmocka_run_group_tests_name("transfers that go on", tests, NULL, NULL);
}
