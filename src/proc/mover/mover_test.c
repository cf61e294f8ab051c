/* Movers on real postoffices: what is asked of them in the facts A9, A10 and the failure catalogue, whose rows' ids stand in the names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flow/wire/postoffice/no_file_testing.h"
#include "proc/mover/mover_testing.h"

/* The newest notice in a user's bag; codes and names as the reader of codec/msmail finds them. */
static struct mm_notice read_notice(struct world *w, const char *who)
{
	struct mm_header h;
	struct mm_notice n;
	const int office = strncmp(who, "NET/ALPHA", 9) == 0 ? ALPHA : strncmp(who, "NET/HUB", 7) == 0 ? HUB : BETA;
	assert_int_equal(testing_got(w, who, NOTICE_SUBJECT, &h), 1);
	assert_string_equal(h.from, NOTICE_FROM);
	const struct mai m = testing_read(w, office, &h.mai);
	if (!notice_parse(m.text, &n, w->a))
		fail_msg("this is no notice: %.*s", (int)m.text.n, (const char *)m.text.p);
	return n;
}

static void assert_view(struct view v, const char *want)
{
	if (!view_eq(v, view_str(want)))
		fail_msg("found \"%.*s\", want \"%s\"", (int)v.n, (const char *)v.p, want);
}

/* One name was not reached, for that cause. */
static struct mm_notice assert_notice(struct world *w, const char *who, int code, const char *unreached)
{
	const struct mm_notice n = read_notice(w, who);
	assert_int_equal(n.code, code);
	assert_int_equal(n.n_unreached, 1);
	assert_view(n.unreached[0], unreached);
	return n;
}

static void assert_quiet(struct world *w)
{
	for (int i = 0; i < OFFICES; i++)
		assert_int_equal(testing_records(w, i, "INQUEUE3", NULL, NULL), 0);
}

static void a_message_goes_to_a_neighbour(void **state)
{
	(void)state;
	struct world *w = testing_world();
	static const size_t sizes[] = { 5, 0, 3 * 1024 * 1024 + 17, SIZE_MAX };
	const struct letter l = { .office = ALPHA, .from = "NET/ALPHA/ANN", .to = "NET/HUB/HAL", .subject = "one", .text = "first line\rsecond", .attachments = sizes };
	struct mm_header h;
	testing_send(w, &l);
	testing_start_all(w);
	testing_run(w);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", NULL, &h), 1);
	assert_string_equal(h.subject, "one");
	assert_string_equal(h.from, "ANN");
	const struct mai m = testing_read(w, HUB, &h.mai);
	assert_view(m.text, "first line\rsecond");
	assert_view(m.from.text, "NET/ALPHA/ANN");
	assert_int_equal(m.date.year, 1999);
	assert_int_equal(m.bags, 1);
	assert_int_equal(m.n_attachments, 3);
	for (size_t k = 0; k < 3; k++)
		testing_check_attachment(w, HUB, &m, k, sizes[k]);
	assert_int_equal(testing_files(w, HUB), 4);
	assert_int_equal(testing_files(w, ALPHA), 0);
	assert_quiet(w);
	testing_end(&w);
}

static void k111558_d_the_record_says_when_it_arrived(void **state)
{
	(void)state;
	struct world *w = testing_world();
	struct mm_header h;
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "when"); /* composed in 1999 */
	testing_start_all(w);
	testing_run(w);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "when", &h), 1);
	assert_int_equal(h.date.year, 2026);
	assert_int_equal(testing_read(w, HUB, &h.mai).date.year, 1999);
	testing_end(&w);
}

static void a_message_goes_through_a_hub(void **state)
{
	(void)state;
	struct world *w = testing_world();
	struct mm_header h;
	testing_write(w, "NET/ALPHA/ANN", "NET/BETA/BOB NET/HUB/HAL NET/ALPHA/AMY NET/BETA/BEA", "all");
	testing_start_all(w);
	testing_run(w);
	assert_int_equal(testing_got(w, "NET/BETA/BOB", "all", &h), 1);
	assert_int_equal(testing_got(w, "NET/BETA/BEA", "all", NULL), 1);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "all", NULL), 1);
	assert_int_equal(testing_got(w, "NET/ALPHA/AMY", "all", NULL), 1);
	const struct mai m = testing_read(w, BETA, &h.mai);
	assert_int_equal(m.bags, 2);
	assert_int_equal(m.n_to, 4);
	assert_int_equal(testing_files(w, ALPHA), 1); /* AMY's */
	assert_int_equal(testing_files(w, HUB), 1);   /* HAL's: no P1 is left */
	assert_int_equal(testing_files(w, BETA), 1);
	assert_quiet(w);
	testing_end(&w);
}

static void k127919_unknown_addresses_are_named(void **state)
{
	(void)state;
	struct world *w = testing_world();
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/NOBODY NET/HUB/HAL NET/HUB/NONE", "who");
	testing_start_all(w);
	testing_run(w);
	const struct mm_notice n = read_notice(w, "NET/ALPHA/ANN");
	assert_int_equal(n.code, 2);
	assert_int_equal(n.n_unreached, 2);
	assert_view(n.unreached[0], "NET/HUB/NOBODY");
	assert_view(n.unreached[1], "NET/HUB/NONE");
	assert_view(n.subject, "who");
	assert_view(n.from, "NET/ALPHA/ANN");
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "who", NULL), 1);
	assert_int_equal(testing_events(w, "mover.notice", "[002]"), 1);
	testing_end(&w);
}

/* More than three at one postoffice, any one failing. */
static void k121734_each_failure_of_many_with_its_cause(void **state)
{
	(void)state;
	struct world *w = testing_world();
	testing_external(w, ALPHA, "NET/LOST", "NET/HUB"); /* the hub does not know it */
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL NET/HUB/X1 NET/LOST/Y1 NET/HUB/HEN NET/BETA/BOB", "many");
	testing_start_all(w);
	testing_run(w);
	const struct mm_notice n = read_notice(w, "NET/ALPHA/ANN");
	assert_int_equal(n.n_unreached, 2);
	for (size_t i = 0; i < 2; i++) {
		const bool lost = view_eq(n.unreached[i], VIEW("NET/LOST/Y1"));
		assert_view(n.unreached[i], lost ? "NET/LOST/Y1" : "NET/HUB/X1");
		assert_int_equal(n.codes == NULL ? n.code : n.codes[i], lost ? 1 : 2);
	}
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "many", NULL), 1);
	assert_int_equal(testing_got(w, "NET/HUB/HEN", "many", NULL), 1);
	assert_int_equal(testing_got(w, "NET/BETA/BOB", "many", NULL), 1);
	testing_end(&w);
}

static void k98067_nobody_is_told_of_a_notice(void **state)
{
	(void)state;
	struct world *w = testing_world();
	testing_write(w, "NET/ALPHA/POSTMASTER", "NET/HUB/NOBODY", "Mail failure");
	testing_start_all(w);
	testing_run(w);
	for (int i = 0; i < OFFICES; i++)
		assert_int_equal(testing_files(w, i), 0);
	assert_int_equal(testing_events(w, "mover.untold", NULL), 1);
	assert_int_equal(testing_events(w, "mover.notice", NULL), 0);
	testing_end(&w);
}

static void k117895_groups_are_expanded_where_they_are(void **state)
{
	(void)state;
	struct world *w = testing_world();
	const char *const members[] = { "HAL", "HEN" };
	OK(postoffice_add_group(w->po[HUB], "TEAM", members, 2, &w->e));
	OK(postoffice_add_group(w->po[HUB], "EMPTY", members, 0, &w->e));
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/TEAM NET/HUB/EMPTY NET/HUB/HAL", "group");
	testing_start_all(w);
	testing_run(w);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "group", NULL), 1);
	assert_int_equal(testing_got(w, "NET/HUB/HEN", "group", NULL), 1);
	assert_int_equal(testing_got(w, "NET/ALPHA/ANN", NULL, NULL), 0);
	assert_quiet(w);
	testing_end(&w);
}

/* A bag with 4096 live records, all of one MAI that is not there. */
static void fill_bag(struct world *w, int office, const char *bag)
{
	char path[200];
	struct mm_key key = { { 0 } };
	const struct mm_header h = { .from = "X", .subject = "old", .mai = mm_id_of(0xfffffff0) };
	uint8_t record[MM_RECORD_SIZE];
	mm_header_print(&h, record);
	snprintf(path, sizeof path, "%s/MBG/%s.MBG", w->paths[office], bag);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	for (unsigned i = 0; i < MM_BAG_RECORDS; i++) {
		assert_int_equal(fwrite(record, 1, sizeof record, f), sizeof record);
		mm_key_add(&key, i, false);
	}
	fclose(f);
	snprintf(path, sizeof path, "%s/KEY/%s.KEY", w->paths[office], bag);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(key.octets, 1, sizeof key.octets, f), sizeof key.octets);
	fclose(f);
}

static void k138054_a_full_bag_is_017_and_others_are_served(void **state)
{
	(void)state;
	struct world *w = testing_world();
	char bag[9];
	testing_bag_of(w, HUB, "NET/HUB/HAL", bag);
	fill_bag(w, HUB, bag);
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL NET/HUB/HEN NET/BETA/BOB", "full");
	testing_start_all(w);
	testing_run(w);
	assert_notice(w, "NET/ALPHA/ANN", 17, "NET/HUB/HAL");
	assert_int_equal(testing_got(w, "NET/HUB/HAL", NULL, NULL), MM_BAG_RECORDS);
	assert_int_equal(testing_got(w, "NET/HUB/HEN", "full", NULL), 1);
	assert_int_equal(testing_got(w, "NET/BETA/BOB", "full", NULL), 1);
	assert_quiet(w);
	testing_end(&w);
}

static void remove_file(struct world *w, int office, const char *dir, const struct mm_id *id, const char *suffix)
{
	char path[200];
	if (strcmp(dir, "P1") == 0)
		snprintf(path, sizeof path, "%s/P1/%s.P1", w->paths[office], id->s);
	else
		snprintf(path, sizeof path, "%s/%s/%c%c%c/%s.%s", w->paths[office], dir, dir[0], dir[1], id->s[7], id->s, suffix);
	assert_int_equal(unlink(path), 0);
}

static void a_missing_message_file_is_016(void **state)
{
	(void)state;
	struct world *w = testing_world();
	struct mm_header h;
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "lost");
	testing_start(w, ALPHA_HUB);
	testing_run(w);
	assert_int_equal(testing_records(w, HUB, "INQUEUE3", "lost", &h), 1);
	remove_file(w, HUB, "MAI", &h.mai, "MAI");
	testing_start(w, HUB_MAILER);
	testing_start(w, HUB_ALPHA);
	testing_start(w, ALPHA_MAILER);
	testing_run(w);
	assert_notice(w, "NET/ALPHA/ANN", 16, "NET/HUB/HAL");
	assert_int_equal(testing_files(w, HUB), 0);
	assert_quiet(w);
	testing_end(&w);
}

/* A client's message at ALPHA for HAL, from Ann: she has it back, and nothing of it is left. */
static void assert_comes_back(struct world *w, int code, const char *subject)
{
	char bag[9];
	testing_start_all(w);
	testing_run(w);
	testing_bag_of(w, ALPHA, "NET/HUB/HAL", bag);
	assert_int_equal(testing_records(w, ALPHA, bag, NULL, NULL), 0);
	const struct mm_notice n = read_notice(w, "NET/ALPHA/ANN");
	assert_int_equal(n.code, code);
	assert_view(n.subject, subject);
	assert_int_equal(testing_events(w, "mover.left", NULL), 0);
}

static FILE *open_mai(const struct world *w, const struct mm_id *id, const char *mode)
{
	char path[200];
	snprintf(path, sizeof path, "%s/MAI/MA%c/%s.MAI", w->paths[ALPHA], id->s[7], id->s);
	FILE *f = fopen(path, mode);
	assert_non_null(f);
	return f;
}

/* Nothing says who has written it but the header. */
static void a_missing_message_file_of_a_client_is_016(void **state)
{
	(void)state;
	struct world *w = testing_world();
	const struct mm_id id = testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "lost");
	remove_file(w, ALPHA, "MAI", &id, "MAI");
	assert_comes_back(w, 16, "lost");
	assert_int_equal(testing_events(w, "mover.message-missing", NULL), 1);
	testing_end(&w);
}

/* facts A10, [012]: nobody can say for whom it was. */
static void a_corrupt_message_file_of_a_client_is_012(void **state)
{
	(void)state;
	struct world *w = testing_world();
	const struct mm_id id = testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "torn");
	FILE *f = open_mai(w, &id, "w");
	fputs("M", f);
	fclose(f);
	assert_comes_back(w, 12, "torn");
	testing_end(&w);
}

/* A client's MAI without `7F 05 31 20 02` (facts A6): no copy of it could say how many mailbags hold it, now or later. */
static void a_message_file_without_a_counter_is_012(void **state)
{
	(void)state;
	struct world *w = testing_world();
	const struct mm_id id = testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "uncounted");
	FILE *f = open_mai(w, &id, "r+");
	assert_int_equal(fseek(f, 8, SEEK_SET), 0);
	assert_int_equal(fputc('9', f), '9');
	assert_int_equal(fclose(f), 0);
	assert_comes_back(w, 12, "uncounted");
	testing_end(&w);
}

static void k118675_a_missing_attachment_is_018_and_does_not_hinder_the_notice(void **state)
{
	(void)state;
	struct world *w = testing_world();
	static const size_t sizes[] = { 10, 20, SIZE_MAX };
	const struct letter l = { .office = ALPHA, .from = "NET/ALPHA/ANN", .to = "NET/HUB/HAL NET/ALPHA/AMY", .subject = "cut", .text = "body", .attachments = sizes };
	const struct mm_id id = testing_send(w, &l);
	const struct mai m = testing_read(w, ALPHA, &id);
	remove_file(w, ALPHA, "ATT", &m.attachments[1].file, "ATT");
	testing_start_all(w);
	testing_run(w);
	const struct mm_notice n = assert_notice(w, "NET/ALPHA/ANN", 18, "NET/HUB/HAL");
	assert_view(n.original, "body");
	assert_int_equal(testing_got(w, "NET/HUB/HAL", NULL, NULL), 0);
	assert_int_equal(testing_files(w, HUB), 0);
	testing_end(&w);
}

static void a_corrupt_envelope_is_024(void **state)
{
	(void)state;
	struct world *w = testing_world();
	struct mm_header h;
	char path[200];
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "torn");
	testing_start(w, ALPHA_HUB);
	testing_run(w);
	assert_int_equal(testing_records(w, HUB, "INQUEUE3", "torn", &h), 1);
	snprintf(path, sizeof path, "%s/P1/%s.P1", w->paths[HUB], h.mai.s);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("this is no envelope", f);
	fclose(f);
	testing_start(w, HUB_MAILER);
	testing_start(w, HUB_ALPHA);
	testing_start(w, ALPHA_MAILER);
	testing_run(w);
	assert_notice(w, "NET/ALPHA/ANN", 24, "NET/HUB/HAL");
	assert_int_equal(testing_files(w, HUB), 0);
	assert_int_equal(testing_events(w, "mover.envelope-corrupt", NULL), 1);
	testing_end(&w);
}

/* The message is in the mailbox already, and so is its copy in another one's: another mover was here. */
static void k103960_a_finished_message_is_forgotten_silently(void **state)
{
	(void)state;
	struct world *w = testing_world();
	struct mm_header h;
	char bag[9];
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "done");
	testing_start(w, ALPHA_HUB);
	testing_run(w);
	assert_int_equal(testing_records(w, HUB, "INQUEUE3", "done", &h), 1);
	testing_bag_of(w, HUB, "NET/HUB/HAL", bag);
	OK(postoffice_deliver(w->po[HUB], bag, &h, &w->e));
	remove_file(w, HUB, "P1", &h.mai, "P1"); /* as a mover of another discipline leaves it between its two steps */
	testing_start(w, HUB_MAILER);
	testing_start(w, HUB_ALPHA);
	testing_start(w, ALPHA_MAILER);
	testing_run(w);
	assert_quiet(w);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "done", NULL), 1);
	assert_int_equal(testing_got(w, "NET/ALPHA/ANN", NULL, NULL), 0);
	assert_int_equal(testing_events(w, "mover.notice", NULL) + testing_events(w, "mover.envelope-lost", NULL), 0);
	assert_int_equal(testing_files(w, HUB), 1);
	testing_end(&w);
}

/* Likewise, and it has been read and deleted since: his mailbag still shows that it was there. */
static void k104485_a_record_of_nothing_is_forgotten(void **state)
{
	(void)state;
	struct world *w = testing_world();
	struct mm_header h = { .from = "ANN", .subject = "old", .mai = mm_id_of(0xFFF1) };
	char bag[9];
	testing_bag_of(w, HUB, "NET/HUB/HAL", bag);
	OK(postoffice_deliver(w->po[HUB], bag, &h, &w->e));
	OK(postoffice_bag_forget(w->po[HUB], bag, 0, &h.mai, &w->e));
	OK(postoffice_deliver(w->po[HUB], "INQUEUE3", &h, &w->e));
	testing_start(w, HUB_MAILER);
	testing_start(w, HUB_ALPHA);
	testing_start(w, ALPHA_MAILER);
	testing_run(w);
	assert_quiet(w);
	assert_int_equal(testing_got(w, "NET/ALPHA/ANN", NULL, NULL), 0);
	assert_int_equal(testing_got(w, "NET/HUB/ADMIN", NULL, NULL), 0);
	assert_int_equal(testing_events(w, "mover.notice", NULL), 0);
	testing_end(&w);
}

/* Envelope and file are gone, and nobody had it. The record's ten characters are no address: here is another ANN. The administrator hears all that is known, once. */
static void what_has_left_only_a_record_the_administrator_hears(void **state)
{
	static const char *const plans[] = { NULL, "MAIL_NOTICE:1:fail" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
		struct world *w = testing_world();
		struct mm_header h = { .from = "ANN", .subject = "gone", .date = { 1999, 12, 31, 23, 59, 0 }, .size = 4711, .mai = mm_id_of(0xFFF1) };
		OK(postoffice_add_user(w->po[HUB], "ANN", NULL, &w->e));
		OK(postoffice_deliver(w->po[HUB], "INQUEUE3", &h, &w->e));
		OK(fault_plan(plans[i], &w->e));
		testing_start(w, HUB_MAILER);
		testing_run(w);
		fake_env_pass(w->env, 2 * 300000);
		testing_run(w);
		assert_quiet(w);
		const struct mm_notice n = assert_notice(w, "NET/HUB/ADMIN", 21, "?");
		assert_view(n.from, "ANN");
		assert_view(n.subject, "gone");
		assert_int_equal(n.date.year, 1999);
		assert_non_null(strstr(arena_str(w->a, n.text), "0000FFF1 of mailbag INQUEUE3, 4711 octets"));
		assert_int_equal(testing_got(w, "NET/HUB/ANN", NULL, NULL), 0);
		testing_end(&w);
	}
}

/* A notice that is lost in this way is told of to nobody: it would be one about it, again and again. */
static void a_notice_that_has_left_only_a_record_is_no_notice(void **state)
{
	(void)state;
	struct world *w = testing_world();
	struct mm_header h = { .from = NOTICE_FROM, .subject = NOTICE_SUBJECT, .mai = mm_id_of(0xFFF1) };
	OK(postoffice_deliver(w->po[HUB], "INQUEUE3", &h, &w->e));
	testing_start(w, HUB_MAILER);
	testing_run(w);
	assert_quiet(w);
	assert_int_equal(testing_got(w, "NET/HUB/ADMIN", NULL, NULL), 0);
	assert_int_equal(testing_events(w, "mover.untold", NULL), 1);
	testing_end(&w);
}

/* In an outbound bag, too: of what had an envelope the sender is at any postoffice, and here is another BOB. */
static void what_was_on_its_way_through_is_not_of_a_namesake(void **state)
{
	(void)state;
	struct world *w = testing_world();
	struct mm_header h;
	char bag[9];
	OK(postoffice_add_user(w->po[HUB], "BOB", NULL, &w->e));
	testing_write(w, "NET/BETA/BOB", "NET/ALPHA/ANN", "passing");
	testing_start(w, BETA_HUB);
	testing_start(w, HUB_MAILER);
	testing_run(w);
	testing_bag_of(w, HUB, "NET/ALPHA/ANN", bag);
	assert_int_equal(testing_records(w, HUB, bag, "passing", &h), 1);
	remove_file(w, HUB, "P1", &h.mai, "P1");
	remove_file(w, HUB, "MAI", &h.mai, "MAI");
	testing_start(w, HUB_ALPHA);
	testing_run(w);
	assert_quiet(w);
	assert_int_equal(testing_records(w, HUB, bag, NULL, NULL), 0);
	assert_int_equal(testing_got(w, "NET/HUB/BOB", NULL, NULL), 0);
	const struct mm_notice n = read_notice(w, "NET/HUB/ADMIN");
	assert_int_equal(n.code, 16);
	assert_view(n.from, "BOB");
	assert_view(n.subject, "passing");
	testing_end(&w);
}

/* P1 was lost, and made anew empty: who has not got his message by then is told of, once, whoever dies over it. */
static void a_lost_envelope_is_021_for_those_who_lack_it(void **state)
{
	static const char *const plans[] = { NULL, "MAIL_PLACING:1:fail", "MAIL_NOTICE:1:fail", "MAIL_FINISH:1:fail" };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(plans); i++) {
		struct world *w = testing_world();
		struct mm_header h;
		char bag[9];
		testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL NET/HUB/HEN", "lost");
		testing_start(w, ALPHA_HUB);
		testing_run(w);
		assert_int_equal(testing_records(w, HUB, "INQUEUE3", "lost", &h), 1);
		testing_bag_of(w, HUB, "NET/HUB/HEN", bag);
		OK(postoffice_deliver(w->po[HUB], bag, &h, &w->e)); /* half of it was done */
		remove_file(w, HUB, "P1", &h.mai, "P1");
		OK(fault_plan(plans[i], &w->e));
		testing_start(w, HUB_MAILER);
		testing_start(w, HUB_ALPHA);
		testing_start(w, ALPHA_MAILER);
		testing_run(w);
		fake_env_pass(w->env, 2 * 300000);
		testing_run(w);
		assert_quiet(w);
		const struct mm_notice n = assert_notice(w, "NET/ALPHA/ANN", 21, "NET/HUB/HAL");
		assert_view(n.original, "the text\r\n");
		assert_int_equal(testing_got(w, "NET/HUB/HEN", NULL, NULL), 1);
		assert_int_equal(testing_got(w, "NET/HUB/HAL", NULL, NULL), 0);
		assert_in_range(testing_events(w, "mover.envelope-lost", NULL), 1, 1);
		assert_int_equal(testing_files(w, HUB), 1);
		testing_end(&w);
	}
}

/* An older version removed P1 before the record, and ended between the two: all had the message, and HAL has deleted his. With a crash before his record counted, he had not. */
static void what_was_had_and_deleted_is_no_021(void **state)
{
	(void)state;
	for (int crashed = 0; crashed < 2; crashed++) {
		struct world *w = testing_world();
		struct mm_header h;
		char bag[9];
		testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL NET/HUB/HEN", "had");
		testing_start(w, ALPHA_HUB);
		testing_run(w);
		assert_int_equal(testing_records(w, HUB, "INQUEUE3", "had", &h), 1);
		testing_start(w, HUB_MAILER);
		testing_run(w);
		testing_bag_of(w, HUB, "NET/HUB/HAL", bag);
		OK(crashed ? postoffice_bag_forget(w->po[HUB], bag, 0, &h.mai, &w->e) : postoffice_bag_drop(w->po[HUB], bag, 0, &h.mai, false, &w->e));
		OK(postoffice_deliver(w->po[HUB], "INQUEUE3", &h, &w->e));
		testing_start(w, HUB_ALPHA);
		testing_start(w, ALPHA_MAILER);
		testing_run(w);
		assert_quiet(w);
		if (crashed)
			assert_notice(w, "NET/ALPHA/ANN", 21, "NET/HUB/HAL");
		assert_int_equal(testing_got(w, "NET/ALPHA/ANN", NULL, NULL), crashed);
		assert_int_equal(testing_events(w, "mover.envelope-lost", NULL), crashed);
		assert_int_equal(testing_got(w, "NET/HUB/HEN", "had", NULL), 1);
		assert_int_equal(testing_files(w, HUB), 1);
		testing_end(&w);
	}
}

/* An envelope that is damaged when some have the message already: they keep it, with its file. */
static void a_corrupt_envelope_takes_nothing_away(void **state)
{
	(void)state;
	struct world *w = testing_world();
	struct mm_header h;
	char path[200], bag[9];
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL NET/HUB/HEN", "torn");
	testing_start(w, ALPHA_HUB);
	testing_run(w);
	assert_int_equal(testing_records(w, HUB, "INQUEUE3", "torn", &h), 1);
	testing_bag_of(w, HUB, "NET/HUB/HEN", bag);
	OK(postoffice_deliver(w->po[HUB], bag, &h, &w->e));
	snprintf(path, sizeof path, "%s/P1/%s.P1", w->paths[HUB], h.mai.s);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("this is no envelope", f);
	fclose(f);
	testing_start(w, HUB_MAILER);
	testing_start(w, HUB_ALPHA);
	testing_start(w, ALPHA_MAILER);
	testing_run(w);
	assert_notice(w, "NET/ALPHA/ANN", 24, "NET/HUB/HAL");
	assert_int_equal(testing_got(w, "NET/HUB/HEN", "torn", &h), 1);
	assert_view(testing_read(w, HUB, &h.mai).text, "the text\r\n");
	testing_end(&w);
}

/* --- what is no file --- */

static void put_in_place(struct world *w, int office, const char *dir, const struct mm_id *id, const char *suffix, enum testing_no_file how)
{
	char path[200];
	if (strcmp(dir, "P1") == 0)
		snprintf(path, sizeof path, "%s/P1/%s.P1", w->paths[office], id->s);
	else
		snprintf(path, sizeof path, "%s/%s/%.2s%c/%s.%s", w->paths[office], dir, dir, id->s[7], id->s, suffix);
	testing_no_file(path, how);
}

/* A directory, a FIFO, a link out of the postoffice, a huge file in the place of one file of a message: its sender is told (or has it delivered, when only its end is gone here), nobody waits for
 * anything, and nothing of the other file is read or removed. */
static void what_is_no_file_hinders_its_message_only(void **state)
{
	static const size_t sizes[] = { 9, SIZE_MAX };
	static const char *const dirs[] = { "P1", "MAI", "ATT" };
	(void)state;
	for (int i = 0; i < 3 * NO_FILES * 2; i++) {
		struct world *w = testing_world();
		const char *dir = dirs[i % 3];
		const enum testing_no_file how = (enum testing_no_file)(i / 3 % NO_FILES);
		const bool at_hub = i < 3 * NO_FILES;
		const struct letter l = { .office = ALPHA, .from = "NET/ALPHA/ANN", .to = "NET/HUB/HAL", .subject = "bad", .text = "text", .attachments = sizes };
		struct mm_header h = { .mai = testing_send(w, &l) };
		if (at_hub) {
			testing_start(w, ALPHA_HUB);
			testing_run(w);
			assert_int_equal(testing_records(w, HUB, "INQUEUE3", "bad", &h), 1);
		}
		uint32_t number;
		OK(mm_id_parse(view_str(h.mai.s), NULL, &number, &w->e));
		const struct mm_id att = mm_id_of(number + 1);
		put_in_place(w, at_hub ? HUB : ALPHA, dir, strcmp(dir, "ATT") == 0 ? &att : &h.mai, dir, how);
		testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HEN", "good");
		if (!at_hub)
			testing_start(w, ALPHA_HUB);
		testing_start(w, HUB_MAILER);
		testing_start(w, HUB_ALPHA);
		testing_start(w, ALPHA_MAILER);
		testing_run(w);
		fake_env_pass(w->env, 2 * 300000);
		testing_run(w);
		if (testing_got(w, "NET/HUB/HEN", "good", NULL) != 1)
			fail_msg("%s, kind %d, at %d: the other message waits", dir, how, at_hub);
		const unsigned waits = testing_events(w, "mover.no-room", NULL) > 0; /* 1 TB: until there is */
		if (testing_got(w, "NET/ALPHA/ANN", NOTICE_SUBJECT, NULL) + testing_got(w, "NET/HUB/HAL", "bad", NULL) + waits != 1)
			fail_msg("%s, kind %d, at %d: nobody hears of it, or twice", dir, how, at_hub);
		assert_int_equal(testing_events(w, "mover.detached", NULL), 0);
		testing_end(&w);
	}
}

/* In the place of an envelope: the file is named with what was found, its sender told whom the message did not reach; who has it already keeps it, and is
 * no failure; nothing is left to be tried again. The other's envelope is none of ours, and stays. */
static void a_directory_in_the_place_of_an_envelope_is_024(void **state)
{
	(void)state;
	for (int at_hub = 0; at_hub < 2; at_hub++) {
		struct world *w = testing_world();
		char bag[9], found[80];
		struct mm_header h = { .mai = testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL NET/HUB/HEN", "bad") };
		if (at_hub) {
			testing_start(w, ALPHA_HUB);
			testing_run(w);
			assert_int_equal(testing_records(w, HUB, "INQUEUE3", "bad", &h), 1);
			testing_bag_of(w, HUB, "NET/HUB/HEN", bag);
			OK(postoffice_deliver(w->po[HUB], bag, &h, &w->e));
		}
		put_in_place(w, at_hub ? HUB : ALPHA, "P1", &h.mai, "P1", NO_FILE_DIRECTORY);
		if (!at_hub)
			testing_start(w, ALPHA_HUB);
		testing_start(w, HUB_MAILER);
		testing_start(w, HUB_ALPHA);
		testing_start(w, ALPHA_MAILER);
		testing_run(w);
		fake_env_pass(w->env, 2 * 300000);
		testing_run(w);
		const struct mm_notice n = read_notice(w, "NET/ALPHA/ANN");
		assert_int_equal(n.code, 24);
		assert_int_equal(n.n_unreached, at_hub ? 1 : 2);
		assert_view(n.unreached[0], "NET/HUB/HAL");
		snprintf(found, sizeof found, "P1/%s.P1: is a directory", h.mai.s);
		assert_int_equal(testing_events(w, "mover.envelope-corrupt", found), 1);
		assert_int_equal(testing_events(w, "mover.message-missing", NULL), 0);
		assert_int_equal(testing_events(w, "mover.left", NULL), 0);
		assert_int_equal(testing_got(w, "NET/HUB/HEN", "bad", NULL), (unsigned)at_hub);
		assert_quiet(w);
		testing_end(&w);
	}
}

/* --- trace --- */

static void k147471_hop_limit_with_the_route(void **state)
{
	(void)state;
	struct world *w = testing_world();
	w->set[HUB].hops = 1;
	testing_write(w, "NET/ALPHA/ANN", "NET/BETA/BOB NET/HUB/HAL", "far");
	testing_start_all(w);
	testing_run(w);
	const struct mm_notice n = assert_notice(w, "NET/ALPHA/ANN", 3, "NET/BETA/BOB");
	assert_int_equal(n.n_hops, 1);
	assert_string_equal(n.hops[0].postoffice, "ALPHA");
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "far", NULL), 1);
	testing_end(&w);
}

static void a_circular_route_is_004(void **state)
{
	(void)state;
	struct world *w = testing_world();
	testing_external(w, ALPHA, "NET/MOON", "NET/HUB");
	testing_external(w, HUB, "NET/MOON", "NET/ALPHA");
	testing_write(w, "NET/ALPHA/ANN", "NET/MOON/MAN", "round");
	testing_start_all(w);
	testing_run(w);
	const struct mm_notice n = assert_notice(w, "NET/ALPHA/ANN", 4, "NET/MOON/MAN");
	assert_int_equal(n.n_hops, 2);
	assert_string_equal(n.hops[1].postoffice, "HUB");
	assert_quiet(w);
	testing_end(&w);
}

/* --- sizes and room --- */

static void the_size_limit_is_009(void **state)
{
	(void)state;
	struct world *w = testing_world();
	static const size_t sizes[] = { 20000, SIZE_MAX };
	const struct letter l = { .office = ALPHA, .from = "NET/ALPHA/ANN", .to = "NET/HUB/HAL NET/HUB/$SYSTEM", .subject = "big", .text = "x", .attachments = sizes };
	w->set[ALPHA].size_limit = 20000;
	testing_send(w, &l);
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HEN", "small");
	testing_start_all(w);
	testing_run(w);
	assert_notice(w, "NET/ALPHA/ANN", 9, "NET/HUB/HAL");
	assert_int_equal(testing_records(w, HUB, "SYSTEM", "big", NULL), 1);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", NULL, NULL), 0);
	assert_int_equal(testing_got(w, "NET/HUB/HEN", "small", NULL), 1);
	testing_end(&w);
}

static void set_interval(struct world *w, uint64_t ms)
{
	for (int i = 0; i < OFFICES; i++)
		w->set[i].interval_ms = ms;
}

static void k93080_a_full_peer_waits_and_others_flow(void **state)
{
	(void)state;
	struct world *w = testing_world();
	set_interval(w, 3600 * 1000);
	w->set[ALPHA].min_free = UINT64_C(1) << 40; /* k196537: beyond 32 bits */
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "waits");
	testing_write(w, "NET/HUB/HEN", "NET/BETA/BOB", "flows");
	testing_start_all(w);
	for (int i = 0; i < 5; i++) {
		testing_run(w);
		fake_env_pass(w->env, 25 * 3600 * 1000);
	}
	assert_int_equal(mover_peer_state(w->mover[ALPHA_HUB]), PEER_FULL);
	assert_int_equal(testing_events(w, "mover.no-room", NULL), 1);
	assert_int_equal(testing_events(w, "mover.gave-up", NULL), 0); /* no room is no attempt */
	assert_int_equal(testing_got(w, "NET/BETA/BOB", "flows", NULL), 1);
	w->set[ALPHA].min_free = 0;
	testing_run(w);
	assert_int_equal(mover_peer_state(w->mover[ALPHA_HUB]), PEER_OK);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "waits", NULL), 1);
	testing_end(&w);
}

/* The MAI as somebody else writes it over. */
static void rewrite(struct world *w, int office, const struct mm_id *id, const struct mai *m)
{
	char path[200];
	struct out o;
	out_init(&o, 1 << 20);
	OK(mai_print(m, &mm_scramble_none, &o, &w->e));
	snprintf(path, sizeof path, "%s/MAI/MA%c/%s.MAI", w->paths[office], id->s[MM_ID_LENGTH - 1], id->s);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(out_view(&o).p, 1, out_len(&o), f), out_len(&o));
	assert_int_equal(fclose(f), 0);
	out_fini(&o);
}

/* The file is long, and has no octets: what the disks here would hold, with nothing else on them, and one more. */
static void make_longer_than_the_disk(struct world *w, int office, const struct mm_id *id)
{
	const struct mai m = testing_read(w, office, id);
	const char *name = m.attachments[0].file.s;
	char path[200];
	uint64_t room;
	OK(postoffice_space(w->po[office], &room, &m.attachments[0].size, &w->e));
	snprintf(path, sizeof path, "%s/ATT/AT%c/%s.ATT", w->paths[office], name[MM_ID_LENGTH - 1], name);
	assert_int_equal(truncate(path, (off_t)++m.attachments[0].size), 0);
	rewrite(w, office, id, &m);
}

static void larger_than_the_disk_is_told_and_others_flow(void **state)
{
	static const size_t files[] = { 10, SIZE_MAX };
	(void)state;
	struct world *w = testing_world();
	const struct letter l = { .office = ALPHA, .from = "NET/ALPHA/ANN", .to = "NET/HUB/HAL NET/HUB/HEN", .subject = "huge", .text = "text", .attachments = files };
	const struct mm_id id = testing_send(w, &l);
	make_longer_than_the_disk(w, ALPHA, &id);
	testing_write(w, "NET/ALPHA/AMY", "NET/HUB/HAL", "flows");
	testing_start_all(w);
	testing_run(w);
	const struct mm_notice n = read_notice(w, "NET/ALPHA/ANN");
	assert_int_equal(n.n_unreached, 2);
	assert_int_equal(n.codes[0], 9);
	assert_int_equal(n.codes[1], 9);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "huge", NULL), 0);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "flows", NULL), 1);
	assert_int_equal(mover_peer_state(w->mover[ALPHA_HUB]), PEER_OK);
	assert_int_equal(testing_events(w, "mover.no-room", NULL), 0);
	testing_end(&w);
}

/* --- attachments that are not its own (Q87379: exactly one message names a file) --- */

/* ANN's message names the attachment that lies in AMY's mailbox, with its right size: it does not go along, ANN is told, and AMY keeps it. */
static void an_attachment_of_another_message_stays_there(void **state)
{
	static const size_t files[] = { 1000, SIZE_MAX };
	(void)state;
	struct world *w = testing_world();
	const struct letter amys = { .office = ALPHA, .from = "NET/ALPHA/ANN", .to = "NET/ALPHA/AMY", .subject = "hers", .text = "text", .attachments = files };
	const struct letter anns = { .office = ALPHA, .from = "NET/ALPHA/ANN", .to = "NET/HUB/HAL NET/BETA/BOB", .subject = "not hers", .text = "text", .attachments = files };
	const struct mm_id hers = testing_send(w, &amys), other = testing_send(w, &anns);
	const struct mai m = testing_read(w, ALPHA, &hers), thief = testing_read(w, ALPHA, &other);
	thief.attachments[0].file = m.attachments[0].file;
	rewrite(w, ALPHA, &other, &thief);
	testing_start_all(w);
	testing_run(w);
	const struct mm_notice n = read_notice(w, "NET/ALPHA/ANN");
	assert_int_equal(n.n_unreached, 2);
	assert_int_equal(n.codes[0], 18);
	assert_int_equal(n.codes[1], 18);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", NULL, NULL), 0);
	testing_check_attachment(w, ALPHA, &m, 0, 1000);
	testing_end(&w);
}

/* As clients do: the attachment first, and the message when it is sent. Others' numbers come between. */
static void an_attachment_older_than_its_message_goes_along(void **state)
{
	static const size_t files[] = { 1000, SIZE_MAX };
	(void)state;
	struct world *w = testing_world();
	const struct letter l = { .office = ALPHA, .from = "NET/ALPHA/ANN", .to = "NET/HUB/HAL", .subject = "early", .text = "text", .attachments = files };
	const struct mm_id draft = testing_send(w, &l);
	struct mm_header h;
	char bag[9];
	const struct mai m = testing_read(w, ALPHA, &draft);
	testing_write(w, "NET/ALPHA/ANN", "NET/ALPHA/AMY", "between");
	const struct mm_id sent = testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "early");
	testing_bag_of(w, ALPHA, "NET/HUB/HAL", bag);
	assert_int_equal(testing_records(w, ALPHA, bag, NULL, NULL), 2);
	OK(postoffice_bag_forget(w->po[ALPHA], bag, 0, &draft, &w->e)); /* it was never sent under that number */
	remove_file(w, ALPHA, "MAI", &draft, "MAI");
	rewrite(w, ALPHA, &sent, &m);
	testing_start_all(w);
	testing_run(w);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "early", &h), 1);
	const struct mai got = testing_read(w, HUB, &h.mai);
	testing_check_attachment(w, HUB, &got, 0, 1000);
	testing_end(&w);
}

/* A damaged name, or a file that was cut. */
static void an_attachment_of_another_size_is_018(void **state)
{
	static const size_t files[] = { 1000, SIZE_MAX };
	(void)state;
	struct world *w = testing_world();
	const struct letter l = { .office = ALPHA, .from = "NET/ALPHA/ANN", .to = "NET/HUB/HAL", .subject = "cut", .text = "text", .attachments = files };
	const struct mm_id id = testing_send(w, &l);
	const struct mai m = testing_read(w, ALPHA, &id);
	m.attachments[0].size = 1001;
	rewrite(w, ALPHA, &id, &m);
	testing_start_all(w);
	testing_run(w);
	assert_notice(w, "NET/ALPHA/ANN", 18, "NET/HUB/HAL");
	assert_int_equal(testing_got(w, "NET/HUB/HAL", NULL, NULL), 0);
	testing_end(&w);
}

/* --- peers that are not there --- */

static void move_away(struct world *w, int office, bool back)
{
	char away[120];
	snprintf(away, sizeof away, "%s.away", w->paths[office]);
	assert_int_equal(rename(back ? away : w->paths[office], back ? w->paths[office] : away), 0);
}

static void k118619_a_peer_that_comes_back_is_used_again(void **state)
{
	(void)state;
	struct world *w = testing_world();
	testing_start_all(w);
	testing_run(w);
	move_away(w, HUB, false);
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "later");
	testing_run(w);
	assert_int_equal(mover_peer_state(w->mover[ALPHA_HUB]), PEER_ERROR);
	fake_env_pass(w->env, 3600 * 1000);
	move_away(w, HUB, true);
	fake_env_pass(w->env, 300 * 1000);
	testing_run(w);
	testing_attach(w, HUB);
	assert_int_equal(mover_peer_state(w->mover[ALPHA_HUB]), PEER_OK);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "later", NULL), 1);
	assert_int_equal(testing_got(w, "NET/ALPHA/ANN", NULL, NULL), 0);
	assert_int_equal(testing_events(w, "mover.peer", "\"ERROR\""), 4); /* there and back, of two lanes */
	testing_end(&w);
}

static void k277831_a_peer_that_stays_away_is_005_once(void **state)
{
	(void)state;
	struct world *w = testing_world();
	set_interval(w, 3600 * 1000);
	testing_start_all(w);
	testing_run(w);
	move_away(w, HUB, false);
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "never");
	testing_run(w);
	fake_env_pass(w->env, 23 * 3600 * 1000);
	assert_int_equal(testing_got(w, "NET/ALPHA/ANN", NULL, NULL), 0); /* k113119: three attempts are over long since */
	fake_env_pass(w->env, 2 * 3600 * 1000);
	testing_run(w);
	assert_notice(w, "NET/ALPHA/ANN", 5, "NET/HUB/HAL");
	assert_int_equal(testing_events(w, "mover.gave-up", NULL), 1);
	fake_env_pass(w->env, 50 * 3600 * 1000);
	assert_int_equal(testing_got(w, "NET/ALPHA/ANN", NULL, NULL), 1);
	move_away(w, HUB, true);
	fake_env_pass(w->env, 7200 * 1000);
	testing_run(w);
	testing_attach(w, HUB);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", NULL, NULL), 0);
	testing_end(&w);
}

/* The peer has been away for longer than give-up when the message comes, whose date is of 1999: it has attempts of its own. */
static void k118619_what_comes_late_waits_its_own_time(void **state)
{
	(void)state;
	struct world *w = testing_world();
	set_interval(w, 3600 * 1000);
	testing_start_all(w);
	testing_run(w);
	move_away(w, HUB, false);
	fake_env_pass(w->env, 30 * 3600 * 1000);
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "late");
	fake_env_pass(w->env, 20 * 3600 * 1000);
	mover_free(&w->mover[ALPHA_HUB]); /* it remembers that, too */
	testing_start(w, ALPHA_HUB);
	testing_run(w);
	move_away(w, HUB, true);
	fake_env_pass(w->env, 2 * 3600 * 1000);
	testing_run(w);
	testing_attach(w, HUB);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "late", NULL), 1);
	assert_int_equal(testing_got(w, "NET/ALPHA/ANN", NULL, NULL), 0);
	testing_end(&w);
}

/* What a mover has counted outlives it. */
static void attempts_are_remembered(void **state)
{
	(void)state;
	struct world *w = testing_world();
	set_interval(w, 3600 * 1000);
	testing_start_all(w);
	testing_run(w);
	move_away(w, HUB, false);
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "never");
	for (int i = 0; i < 3; i++) {
		fake_env_pass(w->env, 9 * 3600 * 1000);
		mover_free(&w->mover[ALPHA_HUB]);
		testing_start(w, ALPHA_HUB);
		fake_env_settle(w->env);
	}
	testing_run(w);
	assert_notice(w, "NET/ALPHA/ANN", 5, "NET/HUB/HAL");
	testing_end(&w);
}

static void k151228_a_twin_is_refused(void **state)
{
	(void)state;
	struct world *w = testing_world();
	const struct mm_name own = testing_name("NET/HUB");
	postoffice_close(&w->po[HUB]);
	nftw(w->paths[HUB], testing_remove, 16, FTW_DEPTH | FTW_PHYS);
	OK(postoffice_create(w->paths[HUB], &own, "10-00001", &w->files, &w->e));
	testing_attach(w, HUB);
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "twin");
	testing_start(w, ALPHA_HUB);
	testing_run(w);
	fake_env_pass(w->env, 3600 * 1000);
	assert_int_equal(mover_peer_state(w->mover[ALPHA_HUB]), PEER_FAILED);
	assert_int_equal(testing_events(w, "mover.duplicate-serial", "10-00001"), 1);
	assert_int_equal(testing_records(w, HUB, "INQUEUE3", NULL, NULL), 0);
	testing_end(&w);
}

static void a_peer_without_a_mailbag_is_no_ref(void **state)
{
	(void)state;
	struct world *w = testing_world();
	w->mover[0] = mover_new(&w->host, &w->set[ALPHA], w->paths[BETA], w->store, 3); /* ALPHA reaches BETA through HUB only */
	testing_run(w);
	assert_int_equal(mover_peer_state(w->mover[0]), PEER_NO_REF);
	assert_int_equal(testing_events(w, "mover.peer", "NO-REF"), 1);
	testing_end(&w);
}

static int give_to_nobody(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return chown(path, 65534, 65534);
}

static void a_peer_that_can_only_be_read_waits(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("only root can become somebody who may not write: skipped\n");
		skip();
	}
	struct world *w = testing_world();
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "sealed");
	nftw(w->paths[ALPHA], give_to_nobody, 16, FTW_PHYS);
	assert_int_equal(chown(w->dir, 65534, 65534) | chown(w->store, 65534, 65534), 0);
	assert_int_equal(seteuid(65534), 0);
	testing_start(w, ALPHA_HUB);
	testing_run(w);
	const enum mover_peer found = mover_peer_state(w->mover[ALPHA_HUB]);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(found, PEER_ERROR);
	assert_int_equal(testing_files(w, HUB), 0);
	fake_env_pass(w->env, 600 * 1000); /* it may be written now */
	testing_start(w, HUB_MAILER);
	testing_run(w);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "sealed", NULL), 1);
	testing_end(&w);
}

/* Our own postoffice goes, and comes back. */
static void a_mover_recovers_with_its_own_postoffice(void **state)
{
	(void)state;
	struct world *w = testing_world();
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "home");
	move_away(w, ALPHA, false);
	testing_start(w, ALPHA_HUB);
	testing_start(w, HUB_MAILER);
	fake_env_pass(w->env, 3600 * 1000);
	assert_int_equal(mover_peer_state(w->mover[ALPHA_HUB]), PEER_UNINIT);
	assert_int_equal(testing_events(w, "mover.detached", NULL), 1);
	move_away(w, ALPHA, true);
	fake_env_pass(w->env, 600 * 1000);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "home", NULL), 1);
	testing_end(&w);
}

/* --- locks --- */

static void k113165_a_locked_bag_is_no_attempt(void **state)
{
	(void)state;
	struct world *w = testing_world();
	struct po_lock *lock = NULL;
	char bag[9];
	set_interval(w, 3600 * 1000);
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "locked");
	testing_bag_of(w, ALPHA, "NET/HUB/HAL", bag);
	OK(postoffice_lock(w->po[ALPHA], bag, &lock, &w->e));
	assert_non_null(lock);
	testing_start_all(w);
	fake_env_pass(w->env, 48 * 3600 * 1000);
	assert_int_equal(testing_events(w, "mover.locked", bag), 1); /* k168857: once, with who */
	assert_int_equal(testing_got(w, "NET/ALPHA/ANN", NULL, NULL), 0);
	postoffice_unlock(&lock);
	fake_env_pass(w->env, 7200 * 1000);
	testing_run(w);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "locked", NULL), 1);
	testing_end(&w);
}

static void k237695_two_movers_move_each_message_once(void **state)
{
	(void)state;
	struct world *w = testing_world();
	struct mover *second[2];
	char subject[20];
	for (int i = 0; i < 20; i++) {
		snprintf(subject, sizeof subject, "m%d", i);
		testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", subject);
	}
	testing_start_all(w);
	second[0] = mover_new(&w->host, &w->set[ALPHA], w->paths[HUB], w->store, 3);
	second[1] = mover_new(&w->host, &w->set[HUB], NULL, w->store, 3);
	fake_env_pass(w->env, 600 * 1000);
	testing_run(w);
	fake_env_pass(w->env, 600 * 1000);
	for (int i = 0; i < 20; i++) {
		snprintf(subject, sizeof subject, "m%d", i);
		assert_int_equal(testing_got(w, "NET/HUB/HAL", subject, NULL), 1);
	}
	assert_int_equal(testing_got(w, "NET/ALPHA/ANN", NULL, NULL), 0);
	assert_int_equal(testing_files(w, HUB), 20);
	mover_free(&second[0]);
	mover_free(&second[1]);
	testing_end(&w);
}

/* --- poison --- */

static void k194600_a_message_that_kills_is_set_aside(void **state)
{
	(void)state;
	struct world *w = testing_world();
	static const size_t sizes[] = { 7, SIZE_MAX };
	const struct letter l = { .office = ALPHA, .from = "NET/ALPHA/ANN", .to = "NET/HUB/HAL", .subject = "*SPECIAL", .text = "x", .attachments = sizes };
	char note[40], path[300];
	struct mm_header h;
	testing_send(w, &l);
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HEN", "good");
	testing_start(w, ALPHA_HUB);
	testing_run(w);
	assert_int_equal(testing_records(w, HUB, "INQUEUE3", "*SPECIAL", &h), 1);
	snprintf(note, sizeof note, "INQUEUE3 %s", h.mai.s);
	for (int i = 0; i < 3; i++) { /* three lives that it ends; what the file server does in between is not its fault */
		testing_start(w, HUB_MAILER);
		mover_predecessor_died(w->mover[HUB_MAILER], true, "postoffice read MAI/MA1/00000001.MAI");
		mover_predecessor_died(w->mover[HUB_MAILER], false, note);
		mover_predecessor_died(w->mover[HUB_MAILER], true, note);
		if (i < 2)
			mover_free(&w->mover[HUB_MAILER]);
	}
	testing_start(w, HUB_ALPHA);
	testing_start(w, ALPHA_MAILER);
	testing_run(w);
	assert_notice(w, "NET/ALPHA/ANN", 12, "NET/HUB/HAL");
	assert_int_equal(testing_got(w, "NET/HUB/HEN", "good", NULL), 1);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", NULL, NULL), 0);
	assert_int_equal(testing_events(w, "mover.strike", NULL), 3);
	assert_int_equal(testing_events(w, "mover.set-aside", NULL), 1);
	const char *const files[] = { "P1", "MAI" };
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/mover-HUB/INQUEUE3-%s/%s.%s", w->store, h.mai.s, h.mai.s, files[i]);
		assert_int_equal(access(path, R_OK), 0);
	}
	assert_quiet(w);
	testing_end(&w);
}

/* While a message is worked on the note names it, also after the file server was asked. */
static void the_note_names_the_message(void **state)
{
	(void)state;
	struct world *w = testing_world();
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "noted");
	OK(fault_plan("MOVER_TAKE:@noted:fail", &w->e));
	testing_start(w, ALPHA_HUB);
	testing_run(w);
	assert_string_equal(w->note, "");
	assert_true(testing_events(w, "mover.left", "00000000") + testing_events(w, "mover.left", "00000001") > 0);
	testing_end(&w);
}

/* --- logs --- */

static unsigned lines_of(struct world *w, int office, const char *name, char first_r[2000])
{
	char path[200], line[2000];
	unsigned n = 0;
	snprintf(path, sizeof path, "%s/LOG/%s", w->paths[office], name);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return 0;
	while (fgets(line, sizeof line, f) != NULL)
		if (n++ == 0)
			memcpy(first_r, line, sizeof line);
	fclose(f);
	return n;
}

static void k123397_one_line_for_one_transfer(void **state)
{
	(void)state;
	struct world *w = testing_world();
	char line[2000], want[200];
	struct mm_header h;
	w->set[ALPHA].log_sent = w->set[HUB].log_received = w->set[HUB].four_digit_year = true;
	const struct mm_id id = testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL NET/HUB/HEN", "logged");
	testing_start_all(w);
	testing_run(w);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "logged", &h), 1);
	assert_int_equal(lines_of(w, ALPHA, "SENT.LOG", line), 1);
	snprintf(want, sizeof want, " NET/ALPHA/ANN NET/HUB/HAL, NET/HUB/HEN %s %s\r\n", id.s, h.mai.s);
	assert_non_null(strstr(line, want));
	assert_memory_equal(line, "26-01-01 00:0", 13); /* k259219: two digits, modulo 100 */
	assert_int_equal(lines_of(w, HUB, "RECV.LOG", line), 1);
	assert_memory_equal(line, "2026-01-01 00:0", 15);
	assert_int_equal(lines_of(w, HUB, "SENT.LOG", line), 0);
	testing_end(&w);
}

/* From, to, number here, number there (Q151215), and nothing that is cut unsaid: addresses of X.400 are long, and so are lists. */
static void a_line_says_who_has_written_and_to_how_many(void **state)
{
	(void)state;
	struct world *w = testing_world();
	char to[40 * 18] = "", line[2000], want[200];
	struct mm_header h;
	const char *const from = "/c=gb/a=posthorn/p=london/o=Office/ou1=Accounts/s=Archer/g=Alice";
	w->set[ALPHA].log_sent = true;
	for (size_t i = 0; i < 39; i++)
		snprintf(to + 17 * i, sizeof to - 17 * i, "NET/HUB/HAL678%02zu ", i);
	snprintf(to + 17 * 39, sizeof to - 17 * 39, "NET/HUB/HAL");
	const struct mm_id id = testing_write(w, "NET/ALPHA/ANN", to, "long");
	struct mai m = testing_read(w, ALPHA, &id);
	m.from = (struct mm_address){ .type = MM_ADDRESS_X400, .text = view_str(from) };
	rewrite(w, ALPHA, &id, &m);
	testing_start_all(w);
	testing_run(w);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "long", &h), 1);
	assert_int_equal(lines_of(w, ALPHA, "SENT.LOG", line), 1);
	snprintf(want, sizeof want, " %s NET/HUB/HAL67800, ", from);
	assert_non_null(strstr(line, want));
	snprintf(want, sizeof want, "NET/HUB/HAL67833, ...(6 more) %s %s\r\n", id.s, h.mai.s); /* 34 of 18 octets are 612 */
	assert_non_null(strstr(line, want));
	testing_end(&w);
}

/* --- bags of users that cannot be written --- */

static void k127002_a_broken_bag_hinders_nobody_else(void **state)
{
	(void)state;
	struct world *w = testing_world();
	char bag[9], path[200];
	struct mm_header h;
	testing_bag_of(w, HUB, "NET/HUB/HAL", bag);
	snprintf(path, sizeof path, "%s/KEY/%s.KEY", w->paths[HUB], bag);
	assert_int_equal(truncate(path, 100), 0);
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL NET/HUB/HEN NET/BETA/BOB", "some");
	testing_start_all(w);
	testing_run(w);
	assert_int_equal(testing_got(w, "NET/HUB/HEN", "some", &h), 1);
	assert_int_equal(testing_got(w, "NET/ALPHA/ANN", NULL, NULL), 0); /* no notice while it may be mended */
	assert_true(testing_events(w, "mover.pending", NULL) > 0);
	assert_int_equal(truncate(path, 0) | truncate(path, MM_KEY_SIZE), 0);
	fake_env_pass(w->env, 3600 * 1000);
	testing_run(w);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "some", NULL), 1);
	assert_int_equal(testing_got(w, "NET/HUB/HEN", "some", NULL), 1); /* not twice */
	assert_int_equal(testing_got(w, "NET/BETA/BOB", "some", NULL), 1);
	assert_quiet(w);
	testing_end(&w);
}

/* Q260962: the mailbag of a peer is damaged: nothing is moved there, its operator hears once, all others go on. */
static void k260962_a_broken_outbound_bag_hinders_nobody_else(void **state)
{
	(void)state;
	struct world *w = testing_world();
	char bag[9], path[200];
	testing_bag_of(w, HUB, "NET/ALPHA/ANN", bag);
	testing_write(w, "NET/HUB/HAL", "NET/ALPHA/ANN NET/BETA/BOB", "both");
	snprintf(path, sizeof path, "%s/KEY/%s.KEY", w->paths[HUB], bag);
	char key[MM_KEY_SIZE];
	FILE *f = fopen(path, "r+");
	assert_non_null(f);
	assert_int_equal(fread(key, 1, sizeof key, f), sizeof key);
	assert_int_equal(ftruncate(fileno(f), 100), 0);
	testing_start_all(w);
	testing_run(w);
	fake_env_pass(w->env, 3600 * 1000);
	assert_int_equal(testing_got(w, "NET/BETA/BOB", "both", NULL), 1);
	assert_int_equal(testing_events(w, "mover.left", bag), 1);
	rewind(f);
	assert_int_equal(fwrite(key, 1, sizeof key, f), sizeof key);
	fclose(f);
	fake_env_pass(w->env, 3600 * 1000);
	testing_run(w);
	assert_int_equal(testing_got(w, "NET/ALPHA/ANN", "both", NULL), 1);
	assert_int_equal(testing_got(w, "NET/BETA/BOB", "both", NULL), 1);
	testing_end(&w);
}

/* The kernel tells of a change: no interval is waited for. Our own writing is none. */
static void a_change_of_the_mailbag_begins_a_round(void **state)
{
	(void)state;
	struct world *w = testing_world();
	char folder[200];
	testing_start(w, ALPHA_HUB);
	fake_env_settle(w->env);
	assert_true(mover_is_idle(w->mover[ALPHA_HUB]));
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "now");
	snprintf(folder, sizeof folder, "%s/MBG", w->paths[ALPHA]);
	fake_env_change_folder(w->env, folder);
	fake_env_pass(w->env, 1000);
	assert_int_equal(testing_records(w, HUB, "INQUEUE3", "now", NULL), 1);
	assert_true(mover_is_idle(w->mover[ALPHA_HUB]));
	fake_env_change_folder(w->env, folder); /* that was ours */
	fake_env_pass(w->env, 1000);
	assert_true(mover_is_idle(w->mover[ALPHA_HUB]));
	testing_end(&w);
}

/* The second time nothing is looked into, and nobody is told. */
static void what_kills_while_it_is_set_aside_goes_unseen(void **state)
{
	(void)state;
	struct world *w = testing_world();
	char note[40], path[300];
	struct mm_header h;
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "worse");
	testing_start(w, ALPHA_HUB);
	testing_run(w);
	assert_int_equal(testing_records(w, HUB, "INQUEUE3", "worse", &h), 1);
	snprintf(note, sizeof note, "INQUEUE3 %s", h.mai.s);
	testing_start(w, HUB_MAILER);
	for (int i = 0; i < 4; i++)
		mover_predecessor_died(w->mover[HUB_MAILER], true, note);
	testing_run(w);
	assert_int_equal(testing_events(w, "mover.set-aside", NULL), 1);
	assert_int_equal(testing_events(w, "mover.notice", NULL), 0);
	snprintf(path, sizeof path, "%s/mover-HUB/INQUEUE3-%s/%s.MAI", w->store, h.mai.s, h.mai.s);
	assert_int_equal(access(path, R_OK), 0);
	assert_quiet(w);
	testing_end(&w);
}

/* Copied, but not made ready when the peer went: whatever the clock says by then, it is the peer that knows. */
static void what_was_copied_is_not_given_up(void **state)
{
	(void)state;
	struct world *w = testing_world();
	set_interval(w, 3600 * 1000);
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "half");
	OK(fault_plan("MOVER_READY:1:fail", &w->e));
	testing_start(w, ALPHA_HUB);
	testing_start(w, ALPHA_MAILER);
	fake_env_settle(w->env);
	OK(fault_plan(NULL, &w->e));
	assert_int_equal(mover_peer_state(w->mover[ALPHA_HUB]), PEER_ERROR);
	move_away(w, HUB, false);
	fake_env_pass(w->env, 72 * 3600 * 1000);
	assert_int_equal(testing_got(w, "NET/ALPHA/ANN", NULL, NULL), 0);
	move_away(w, HUB, true);
	testing_attach(w, HUB);
	testing_start(w, HUB_MAILER);
	fake_env_pass(w->env, 2 * 3600 * 1000);
	testing_run(w);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "half", NULL), 1);
	assert_int_equal(testing_files(w, HUB), 1);
	testing_end(&w);
}

/* The mailer was killed between a message's record in INQUEUE3 and its envelope: the lane does not wait for who will not come. */
static void what_a_crash_has_left_half_done_goes_on(void **state)
{
	(void)state;
	struct world *w = testing_world();
	const struct mm_id id = testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "left");
	struct mm_recipient r = { .address = { .type = MM_ADDRESS_MS, .text = VIEW("NET/HUB/HAL") }, .responsible = true, .reason = -1, .diagnostic = -1 };
	const struct mm_envelope v = { .mai = id, .state = MM_PLACING, .from = { .type = MM_ADDRESS_MS, .text = VIEW("NET/ALPHA/ANN") }, .recipients = &r, .n = 1 };
	char bag[9];
	testing_bag_of(w, ALPHA, "NET/HUB/HAL", bag);
	memcpy(r.bag, bag, sizeof r.bag);
	OK(postoffice_write_envelope(w->po[ALPHA], &v, &w->e));
	testing_start_all(w);
	testing_run(w);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "left", NULL), 1);
	assert_int_equal(testing_records(w, ALPHA, bag, NULL, NULL), 0);
	assert_int_equal(testing_files(w, ALPHA), 0);
	assert_quiet(w);
	testing_end(&w);
}

static void k131116_a_user_added_since_is_known(void **state)
{
	(void)state;
	struct world *w = testing_world();
	testing_start_all(w);
	testing_run(w);
	OK(postoffice_add_user(w->po[HUB], "NEW", NULL, &w->e));
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/NEW", "welcome");
	testing_run(w);
	assert_int_equal(testing_got(w, "NET/HUB/NEW", "welcome", NULL), 1);
	testing_end(&w);
}

/* The quota bounds a round, not the day. */
static void more_than_a_quota(void **state)
{
	(void)state;
	struct world *w = testing_world();
	w->set[ALPHA].quota = w->set[HUB].quota = 3;
	for (int i = 0; i < 10; i++)
		testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "many");
	testing_start(w, ALPHA_HUB);
	testing_start(w, HUB_MAILER);
	fake_env_settle(w->env);
	mover_wake(w->mover[HUB_MAILER]);
	fake_env_settle(w->env);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "many", NULL), 10);
	testing_end(&w);
}

/* --- lower case --- */

static void lower(char *s)
{
	for (; *s != 0; s++)
		*s = *s >= 'A' && *s <= 'Z' ? (char)(*s + 32) : *s;
}

static int make_lower(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	char to[300];
	(void)st, (void)flag;
	if (f->level == 0)
		return 0;
	snprintf(to, sizeof to, "%s", path);
	lower(to + f->base);
	return strcmp(to, path) == 0 ? 0 : rename(path, to);
}

static void k152903_names_in_lower_case(void **state)
{
	(void)state;
	struct world *w = testing_world();
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL NET/BETA/BOB", "small letters");
	for (int i = 0; i < OFFICES; i++) {
		postoffice_close(&w->po[i]);
		nftw(w->paths[i], make_lower, 16, FTW_DEPTH | FTW_PHYS);
		testing_attach(w, i);
	}
	testing_start_all(w);
	testing_run(w);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "small letters", NULL), 1);
	assert_int_equal(testing_got(w, "NET/BETA/BOB", "small letters", NULL), 1);
	assert_quiet(w);
	testing_end(&w);
}

/* What fails at a peer that is there is one message's failure: the others go on, and it is given up for itself. */
static void one_that_fails_at_the_peer_keeps_nobody(void **state)
{
	(void)state;
	struct world *w = testing_world();
	static const size_t sizes[] = { 7, SIZE_MAX };
	const struct letter l = { .office = ALPHA, .from = "NET/ALPHA/ANN", .to = "NET/HUB/HAL", .subject = "big", .text = "x", .attachments = sizes };
	w->set[ALPHA].interval_ms = w->set[HUB].interval_ms = w->set[ALPHA].give_up_ms = 1000;
	testing_send(w, &l);
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HEN", "small");
	OK(fault_plan("PO_SYNC:@ATT/:stick", &w->e));
	testing_start(w, ALPHA_HUB);
	testing_start(w, ALPHA_MAILER);
	testing_start(w, HUB_MAILER);
	fake_env_pass(w->env, 60 * 1000);
	assert_int_equal(testing_got(w, "NET/HUB/HEN", "small", NULL), 1);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", NULL, NULL), 0);
	assert_notice(w, "NET/ALPHA/ANN", 5, "NET/HUB/HAL");
	testing_end(&w);
}

/* It kills when its notice is made: who has it by then keeps it. */
static void what_is_set_aside_stays_with_those_who_have_it(void **state)
{
	(void)state;
	struct world *w = testing_world();
	char note[40];
	struct mm_header h;
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL NET/HUB/NOBODY", "half");
	testing_start(w, ALPHA_HUB);
	testing_run(w);
	assert_int_equal(testing_records(w, HUB, "INQUEUE3", "half", &h), 1);
	OK(fault_plan("MAIL_JOURNAL:1:stick", &w->e)); /* no notice */
	testing_start(w, HUB_MAILER);
	fake_env_settle(w->env);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "half", NULL), 1);
	mover_free(&w->mover[HUB_MAILER]);
	OK(fault_plan(NULL, &w->e));
	snprintf(note, sizeof note, "INQUEUE3 %s", h.mai.s);
	testing_start(w, HUB_MAILER);
	for (int i = 0; i < 3; i++)
		mover_predecessor_died(w->mover[HUB_MAILER], true, note);
	testing_start(w, HUB_ALPHA);
	testing_start(w, ALPHA_MAILER);
	testing_run(w);
	assert_int_equal(testing_events(w, "mover.set-aside", NULL), 1);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "half", &h), 1);
	assert_view(testing_read(w, HUB, &h.mai).text, "the text\r\n");
	assert_notice(w, "NET/ALPHA/ANN", 2, "NET/HUB/NOBODY");
	assert_quiet(w);
	testing_end(&w);
}

static struct world *of_note;
static void one_more_comes(void *ctx, const char *text)
{
	struct world *w = of_note;
	(void)ctx;
	if (w == NULL || strchr(text, ' ') == NULL || strncmp(text, "postoffice", 10) == 0)
		return;
	of_note = NULL;
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "second");
}

/* What comes while a round is under way need not wait for the interval. */
static void a_change_during_a_round_is_not_missed(void **state)
{
	(void)state;
	struct world *w = testing_world();
	char folder[200];
	w->host.note = one_more_comes;
	testing_start(w, ALPHA_HUB);
	fake_env_settle(w->env);
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL", "first");
	of_note = w;
	snprintf(folder, sizeof folder, "%s/MBG", w->paths[ALPHA]);
	fake_env_change_folder(w->env, folder);
	fake_env_pass(w->env, 1000);
	assert_null(of_note);
	assert_int_equal(testing_records(w, HUB, "INQUEUE3", "first", NULL), 1);
	assert_int_equal(testing_records(w, HUB, "INQUEUE3", "second", NULL), 1);
	assert_true(mover_is_idle(w->mover[ALPHA_HUB]));
	testing_end(&w);
}

/* A damaged record of the address files: whom it was about cannot be said. After retries and give-up he is told of, and the others have it. */
static void a_damaged_user_keeps_nobody_for_ever(void **state)
{
	(void)state;
	struct world *w = testing_world();
	char path[200];
	w->set[HUB].interval_ms = w->set[HUB].give_up_ms = w->set[ALPHA].interval_ms = 1000;
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL NET/HUB/HEN", "two");
	snprintf(path, sizeof path, "%s/GLB/ACCESS2.GLB", w->paths[HUB]);
	const int fd = open(path, O_RDWR);
	assert_int_equal(pwrite(fd, "\0\0\0\0", 4, 2 * 69 + 65), 4); /* HEN's mark: docs/postoffice-format.md, "Users" */
	close(fd);
	testing_start_all(w);
	fake_env_pass(w->env, 60 * 1000);
	assert_int_equal(testing_got(w, "NET/HUB/HAL", "two", NULL), 1);
	assert_notice(w, "NET/ALPHA/ANN", 1, "NET/HUB/HEN");
	assert_quiet(w);
	testing_end(&w);
}

int main(int argc, char **argv)
{
	if (argc > 1) /* one of them, by its name or a pattern with * */
		cmocka_set_test_filter(argv[1]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_goes_to_a_neighbour), cmocka_unit_test(k111558_d_the_record_says_when_it_arrived),
		cmocka_unit_test(a_message_goes_through_a_hub), cmocka_unit_test(k127919_unknown_addresses_are_named),
		cmocka_unit_test(k121734_each_failure_of_many_with_its_cause), cmocka_unit_test(k98067_nobody_is_told_of_a_notice),
		cmocka_unit_test(k117895_groups_are_expanded_where_they_are), cmocka_unit_test(k138054_a_full_bag_is_017_and_others_are_served),
		cmocka_unit_test(a_missing_message_file_is_016), cmocka_unit_test(a_missing_message_file_of_a_client_is_016),
		cmocka_unit_test(a_corrupt_message_file_of_a_client_is_012),
		cmocka_unit_test(a_message_file_without_a_counter_is_012),
		cmocka_unit_test(k118675_a_missing_attachment_is_018_and_does_not_hinder_the_notice), cmocka_unit_test(a_corrupt_envelope_is_024),
		cmocka_unit_test(a_directory_in_the_place_of_an_envelope_is_024),
		cmocka_unit_test(what_has_left_only_a_record_the_administrator_hears),
		cmocka_unit_test(a_notice_that_has_left_only_a_record_is_no_notice), cmocka_unit_test(what_was_on_its_way_through_is_not_of_a_namesake),
		cmocka_unit_test(k104485_a_record_of_nothing_is_forgotten), cmocka_unit_test(a_lost_envelope_is_021_for_those_who_lack_it),
		cmocka_unit_test(what_was_had_and_deleted_is_no_021),
		cmocka_unit_test(a_corrupt_envelope_takes_nothing_away), cmocka_unit_test(what_is_no_file_hinders_its_message_only), cmocka_unit_test(k103960_a_finished_message_is_forgotten_silently), cmocka_unit_test(k147471_hop_limit_with_the_route),
		cmocka_unit_test(a_circular_route_is_004), cmocka_unit_test(the_size_limit_is_009), cmocka_unit_test(larger_than_the_disk_is_told_and_others_flow),
		cmocka_unit_test(an_attachment_of_another_message_stays_there), cmocka_unit_test(an_attachment_older_than_its_message_goes_along),
		cmocka_unit_test(an_attachment_of_another_size_is_018),
		cmocka_unit_test(k93080_a_full_peer_waits_and_others_flow),
		cmocka_unit_test(k118619_a_peer_that_comes_back_is_used_again), cmocka_unit_test(k277831_a_peer_that_stays_away_is_005_once),
		cmocka_unit_test(k118619_what_comes_late_waits_its_own_time),
		cmocka_unit_test(attempts_are_remembered), cmocka_unit_test(k151228_a_twin_is_refused), cmocka_unit_test(a_peer_without_a_mailbag_is_no_ref),
		cmocka_unit_test(a_peer_that_can_only_be_read_waits), cmocka_unit_test(a_mover_recovers_with_its_own_postoffice),
		cmocka_unit_test(k152903_names_in_lower_case), cmocka_unit_test(k113165_a_locked_bag_is_no_attempt),
		cmocka_unit_test(k237695_two_movers_move_each_message_once), cmocka_unit_test(k194600_a_message_that_kills_is_set_aside),
		cmocka_unit_test(the_note_names_the_message), cmocka_unit_test(a_line_says_who_has_written_and_to_how_many),
		cmocka_unit_test(k123397_one_line_for_one_transfer),
		cmocka_unit_test(k127002_a_broken_bag_hinders_nobody_else), cmocka_unit_test(k131116_a_user_added_since_is_known),
		cmocka_unit_test(more_than_a_quota), cmocka_unit_test(k260962_a_broken_outbound_bag_hinders_nobody_else),
		cmocka_unit_test(a_change_of_the_mailbag_begins_a_round), cmocka_unit_test(what_kills_while_it_is_set_aside_goes_unseen),
		cmocka_unit_test(what_was_copied_is_not_given_up), cmocka_unit_test(what_a_crash_has_left_half_done_goes_on),
		cmocka_unit_test(one_that_fails_at_the_peer_keeps_nobody),
		cmocka_unit_test(what_is_set_aside_stays_with_those_who_have_it),
		cmocka_unit_test(a_change_during_a_round_is_not_missed),
		cmocka_unit_test(a_damaged_user_keeps_nobody_for_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
