/* The movers are killed at every step that counts: SIGKILL at the n-th pass of each fault point of postoffice, mail and mover, during a run with
 * several messages; then others go on. Each message has to be exactly once in each bag it is for, and nothing may be left over but files
 * that nobody names: those of the messages that were in hand (docs/msmail.md, "Movers").
 *
 * The same for a failure that the system tells once, at the same passes: what is not told of as [nnn] is tried again.
 *
 * Without an argument a part of the passes of PO_* is looked at, spread over all of them; `all` looks at every one, `all I/N` at the I-th of N parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/wait.h>

#include "proc/mover/mover_testing.h"

#ifdef __SANITIZE_ADDRESS__
enum { FEW = 2, FEW_OF_ANY = 2 }; /* slow: the release build has more */
#else
enum { FEW = 6, FEW_OF_ANY = 1000 }; /* passes of a PO_ point, without `all`; of any other */
#endif
enum { ORPHANS_MAX = 2 * 4 + 2 /* two lanes that bring MAI, P1 and two attachments each, and a notice */ };

static const size_t two_files[] = { 3000, 0, SIZE_MAX };

/* Whose bag has what, how often. */
struct expected { const char *who, *subject; };
static const struct expected all[] = {
	{ "NET/HUB/HAL", "one" }, { "NET/BETA/BOB", "through" }, { "NET/HUB/HAL", "three" }, { "NET/BETA/BOB", "three" }, { "NET/ALPHA/AMY", "three" },
	{ "NET/ALPHA/ANN", NOTICE_SUBJECT }, { "NET/ALPHA/ANN", "back" }, { "NET/ALPHA/AMY", "both" }, { "NET/BETA/BEA", "both" },
	{ "NET/HUB/HAL", "team" }, { "NET/HUB/HEN", "team" }, { "NET/BETA/BEA", "shared" },
};

static char template[64];

static void send_all(struct world *w)
{
	const char *const members[] = { "HAL", "HEN" };
	const struct letter files[] = {
		{ .office = ALPHA, .from = "NET/ALPHA/ANN", .to = "NET/HUB/HAL", .subject = "one", .text = "1", .attachments = two_files },
		{ .office = BETA, .from = "NET/BETA/BOB", .to = "NET/ALPHA/ANN", .subject = "back", .text = "2", .attachments = two_files },
	};
	OK(postoffice_add_group(w->po[HUB], "TEAM", members, 2, &w->e));
	testing_external(w, HUB, "NET/GAMMA", NULL); /* has a bag, and nobody moves it */
	testing_external(w, ALPHA, "NET/GAMMA", "NET/HUB");
	for (size_t i = 0; i < 2; i++)
		testing_send(w, &files[i]);
	testing_write(w, "NET/ALPHA/ANN", "NET/BETA/BOB", "through");
	testing_write(w, "NET/ALPHA/ANN", "NET/HUB/HAL NET/BETA/BOB NET/ALPHA/AMY NET/HUB/NOBODY", "three");
	testing_write(w, "NET/HUB/HAL", "NET/ALPHA/AMY NET/BETA/BEA", "both");
	testing_write(w, "NET/BETA/BEA", "NET/HUB/TEAM", "team");
	testing_write(w, "NET/ALPHA/AMY", "NET/BETA/BEA NET/GAMMA/GUS", "shared");
}

static const char *copy_to;

static int copy_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	char to[300];
	static char octets[65536];
	snprintf(to, sizeof to, "%s%s", copy_to, path + strlen(template));
	if (flag == FTW_D)
		return f->level == 0 || mkdir(to, st->st_mode & 0777) == 0 ? 0 : -1;
	const int from = open(path, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_EXCL, st->st_mode & 0777);
	ssize_t n;
	while ((n = read(from, octets, sizeof octets)) > 0)
		if (write(out, octets, (size_t)n) != n)
			return -1;
	close(from);
	close(out);
	return 0;
}

static void copy_world(char dir_r[64])
{
	testing_directory(dir_r);
	copy_to = dir_r;
	assert_int_equal(nftw(template, copy_one, 16, FTW_PHYS), 0);
}

static void run(struct world *w)
{
	testing_start_all(w);
	testing_run(w);
}

/* --- the judge --- */

static void check_contents(struct world *w, const struct expected *x, const struct mm_header *h)
{
	const int office = strncmp(x->who, "NET/ALPHA", 9) == 0 ? ALPHA : strncmp(x->who, "NET/HUB", 7) == 0 ? HUB : BETA;
	const struct mai m = testing_read(w, office, &h->mai);
	const bool has_files = strcmp(x->subject, "one") == 0 || strcmp(x->subject, "back") == 0;
	assert_int_equal(m.n_attachments, has_files ? 2 : 0);
	for (size_t k = 0; k < m.n_attachments; k++)
		testing_check_attachment(w, office, &m, k, two_files[k]);
}

static unsigned left_in_journals(struct world *w, int office)
{
	char path[200];
	unsigned n = 0;
	static const char *const bags[] = { "INQUEUE3", "00000003", "00000004", "00000005", "00000006" };
	for (size_t i = 0; i < ARRAY_LEN(bags); i++) {
		struct stat st;
		snprintf(path, sizeof path, "%s/P1/%s.0JN", w->paths[office], bags[i]);
		n += stat(path, &st) == 0 && st.st_size > 0;
	}
	return n;
}

/* Files that the clean run leaves: what users have, and what waits for GAMMA. */
static unsigned clean_files[OFFICES];

static void judge(struct world *w, bool is_clean, const char *plan)
{
	char bag[9];
	struct mm_header h;
	unsigned total = 0;
	for (int i = 0; i < OFFICES; i++)
		testing_attach(w, i);
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		const unsigned n = testing_got(w, all[i].who, all[i].subject, &h);
		if (n != 1)
			fail_msg("%s: %s has \"%s\" %u times", plan, all[i].who, all[i].subject, n);
		check_contents(w, &all[i], &h);
	}
	static const char *const users[] = { "NET/ALPHA/ANN", "NET/ALPHA/AMY", "NET/HUB/HAL", "NET/HUB/HEN", "NET/BETA/BOB", "NET/BETA/BEA" };
	for (size_t i = 0; i < ARRAY_LEN(users); i++)
		total += testing_got(w, users[i], NULL, NULL);
	if (total != ARRAY_LEN(all))
		fail_msg("%s: %u records, want %zu", plan, total, ARRAY_LEN(all));
	testing_bag_of(w, HUB, "NET/GAMMA/GUS", bag);
	if (testing_records(w, HUB, bag, "shared", &h) != 1 || testing_records(w, HUB, bag, NULL, NULL) != 1)
		fail_msg("%s: what is for GAMMA is not there once", plan);
	struct mm_envelope v;
	OK(postoffice_read_envelope(w->po[HUB], &h.mai, w->a, &v, &w->e));
	assert_int_equal(v.state, MM_READY);
	for (int i = 0; i < OFFICES; i++) {
		if (testing_records(w, i, "INQUEUE3", NULL, NULL) != 0)
			fail_msg("%s: a record is left in INQUEUE3 of %s", plan, testing_offices[i]);
		if (left_in_journals(w, i) != 0)
			fail_msg("%s: a line is left in a journal of %s", plan, testing_offices[i]);
		const unsigned files = testing_files(w, i);
		if (is_clean)
			clean_files[i] = files;
		else if (files < clean_files[i] || files > clean_files[i] + ORPHANS_MAX)
			fail_msg("%s: %u files in %s, want %u and at most %d orphans", plan, files, testing_offices[i], clean_files[i], ORPHANS_MAX);
	}
}

/* True: the plan has fired. */
static bool kill_once(const char *plan)
{
	char dir[64];
	int status;
	copy_world(dir);
	const pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct world *w = testing_world_in(dir);
		struct err e;
		if (!fault_plan(plan, &e))
			_exit(3);
		run(w);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	const bool fired = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	if (!fired && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		fail_msg("%s: the movers ended with %d", plan, status);
	struct world *w = testing_world_in(dir);
	for (int i = ALPHA_HUB; i < MOVERS; i++) /* what lies in outbound bags has gone when the mailers look at what they had begun */
		testing_start(w, i);
	fake_env_settle(w->env);
	for (int i = 0; i < ALPHA_HUB; i++)
		testing_start(w, i);
	testing_run(w);
	fake_env_pass(w->env, 600 * 1000);
	judge(w, false, plan);
	testing_end(&w);
	return fired;
}

/* The system says no, once; the movers live on. */
static bool fail_once(const char *plan)
{
	char dir[64];
	copy_world(dir);
	struct world *w = testing_world_in(dir);
	OK(fault_plan(plan, &w->e));
	run(w);
	OK(fault_plan(NULL, &w->e));
	for (int i = 0; i < 3; i++) {
		fake_env_pass(w->env, 600 * 1000);
		testing_run(w);
	}
	judge(w, false, plan);
	testing_end(&w);
	return true;
}

/* --- passes --- */

static bool is_ours(const char *name)
{
	return strncmp(name, "PO_", 3) == 0 || strncmp(name, "MAIL_", 5) == 0 || strncmp(name, "MOVER_", 6) == 0;
}

static uint64_t passes[FAULT_COUNT];

static void count_passes(void **state)
{
	(void)state;
	char dir[64];
	struct err e;
	copy_world(dir);
	struct world *clean = testing_world_in(dir);
	assert_true(fault_plan("CHAN_WRITE:1000000000:fail", &e)); /* counts passes, never fires */
	run(clean);
	for (enum fault_point p = 0; p < FAULT_COUNT; p++)
		passes[p] = fault_passes(p);
	assert_true(fault_plan(NULL, &e));
	judge(clean, true, "without a kill");
	testing_end(&clean);
	static const char *const must[] = { "MAIL_FINISH", "MAIL_JOURNAL", "MAIL_NOTICE", "MAIL_PLACE", "MAIL_PLACING", "MOVER_COPIED", "MOVER_COPY",
					    "MOVER_DROP", "MOVER_READY", "MOVER_RECORD", "MOVER_TAKE", "PO_RENAME", "PO_SYNC", "PO_WRITE", "PO_REMOVE" };
	for (size_t i = 0; i < ARRAY_LEN(must); i++) {
		bool found = false;
		for (enum fault_point p = 0; p < FAULT_COUNT; p++)
			found |= strcmp(fault_name(p), must[i]) == 0 && passes[p] > 0;
		if (!found)
			fail_msg("the run does not pass %s", must[i]);
	}
}

static bool look_at_all;
static unsigned part, parts = 1;

static void try_all(bool (*once)(const char *plan), const char *action)
{
	unsigned tried = 0, fired = 0, at = 0;
	for (enum fault_point p = 0; p < FAULT_COUNT; p++) {
		if (!is_ours(fault_name(p)))
			continue;
		const uint64_t few = strncmp(fault_name(p), "PO_", 3) == 0 ? FEW : FEW_OF_ANY;
		const uint64_t step = look_at_all || passes[p] <= few ? 1 : (passes[p] + few - 1) / few;
		for (uint64_t n = 1; n <= passes[p]; n += step) {
			char plan[80];
			if (at++ % parts != part)
				continue;
			snprintf(plan, sizeof plan, "%s:%u:%s", fault_name(p), (unsigned)n, action);
			tried++;
			fired += once(plan);
		}
	}
	print_message("%u times %s at %u passes\n", fired, action, tried);
	assert_int_equal(fired, tried);
}

static void k111558_a_killed_movers_lose_nothing_and_double_nothing(void **state)
{
	(void)state;
	try_all(kill_once, "kill");
}

static void k118619_a_failure_loses_nothing_and_doubles_nothing(void **state)
{
	(void)state;
	try_all(fail_once, "fail");
}

static int make_template(void **state)
{
	struct world *w = testing_world();
	send_all(w);
	for (int i = 0; i < OFFICES; i++)
		postoffice_close(&w->po[i]);
	snprintf(template, sizeof template, "%s", w->dir);
	*state = w;
	return 0;
}

static int drop_template(void **state)
{
	struct world *w = *state;
	testing_end(&w);
	return 0;
}

int main(int argc, char **argv)
{
	look_at_all = argc > 1 && strcmp(argv[1], "all") == 0;
	if (argc > 2 && sscanf(argv[2], "%u/%u", &part, &parts) != 2)
		return 64;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(count_passes), cmocka_unit_test(k111558_a_killed_movers_lose_nothing_and_double_nothing),
		cmocka_unit_test(k118619_a_failure_loses_nothing_and_doubles_nothing),
	};
	return cmocka_run_group_tests(tests, make_template, drop_template);
}
