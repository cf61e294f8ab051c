/* ffapi_dirs_test.c - the directories of an FFAPI gateway in place of a postoffice. The files are those of facts B1 (Q118785). */
#include "proc/interchange/interchange_testing.h"

#include <dirent.h>
#include <unistd.h>

#include "base/fault.h"

#define LETTER "VERSION:3.00\rTO:TEST/GATE/CAROL\rFROM:TEST/NEAR/ANN\rDATE:2026-01-01\rTIME:09:15\rSUBJECT:Lunch\rPRIORITY:3\rTEXT:7\rAt one?"

static void put_file(const char *dir, const char *name, const char *octets)
{
	char path[1400];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(octets, f);
	fclose(f);
}

static bool is_there(const char *dir, const char *name)
{
	char path[1400];
	snprintf(path, sizeof path, "%s/%s", dir, name);
	return access(path, F_OK) == 0;
}

/* The only file with that suffix, and its octets. */
static struct view read_only_file(struct world *w, const char *dir, const char *suffix)
{
	char path[600], octets[20000];
	struct view v = { NULL, 0 };
	unsigned n = 0;
	DIR *d = opendir(dir);
	assert_non_null(d);
	for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
		const size_t k = strlen(entry->d_name);
		if (k < strlen(suffix) || strcmp(entry->d_name + k - strlen(suffix), suffix) != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
		FILE *f = fopen(path, "r");
		assert_non_null(f);
		v = arena_copy(w->a, view_of(octets, fread(octets, 1, sizeof octets, f)));
		fclose(f);
		n++;
	}
	closedir(d);
	assert_int_equal(n, 1);
	return v;
}

static bool has(struct view v, const char *text)
{
	return memmem(v.p, v.n, text, strlen(text)) != NULL;
}

static void test_a_file_is_taken_when_it_is_whole(void **state)
{
	(void)state;
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	assert_string_equal(interchange_state(w->x), "attached");
	put_file(w->import, "A.MSG", "VERSION:3.00\rTO:");
	world_pass(w, 3000);          /* the first look */
	put_file(w->import, "A.MSG", LETTER);
	put_file(w->import, "B.TMP", LETTER);
	world_pass(w, 900);           /* it has changed since */
	assert_int_equal(w->n_offers, 0);
	assert_true(is_there(w->import, "A.MSG"));
	world_pass(w, 10 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_true(has(w->offers[0].content, "At one?"));
	assert_int_equal(w->offers[0].message.n_rcpt, 1);
	assert_false(is_there(w->import, "A.MSG"));
	assert_true(is_there(w->import, "B.TMP"));
	assert_true(was_told(w, "msmail.taken"));
	world_free(w);
}

static void test_what_it_names_goes_with_it(void **state)
{
	(void)state;
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	put_file(w->import, "A.MSG", "VERSION:3.00\rTO:TEST/GATE/CAROL\rFROM:TEST/NEAR/ANN\rSUBJECT:Files\rXATTACH:data.bin report.doc\rTEXT:4\rLook");
	world_pass(w, 20 * 1000);
	assert_int_equal(w->n_offers, 0); /* what it names is not there yet */
	assert_true(is_there(w->import, "A.MSG"));
	put_file(w->import, "DATA.BIN", "the attachment");
	world_pass(w, 20 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_true(has(w->offers[0].content, "Lookthe attachment"));
	assert_false(is_there(w->import, "A.MSG"));
	assert_false(is_there(w->import, "DATA.BIN"));
	world_free(w);
}

/* What is attached may look like a message: it is an attachment, whatever its place in the order of names, and nobody's mail. */
static void test_what_it_names_is_no_message(void **state)
{
	(void)state;
	static const char *const attached[] = { "A.MSG", "M.MSG" };
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	for (unsigned i = 0; i < 2; i++) {
		char message[300];
		put_file(w->import, attached[i], "VERSION:3.00\rTO:TEST/GATE/CAROL\rFROM:TEST/NEAR/BOSS\rTEXT:6\rforged");
		snprintf(message, sizeof message, "VERSION:3.00\rTO:TEST/GATE/CAROL\rFROM:TEST/NEAR/ANN\rSUBJECT:%u\r%s:%s\r%s", i, i == 0 ? "XATTACH" : "XTEXT",
			 i == 0 ? "a.msg" : attached[i], i == 0 ? "TEXT:4\rLook" : "");
		put_file(w->import, i == 0 ? "B.MSG" : "L.MSG", message);
	}
	world_pass(w, 20 * 1000);
	assert_int_equal(w->n_offers, 2);
	for (unsigned i = 0; i < 2; i++)
		assert_true(has(w->offers[i].content, "ANN") && has(w->offers[i].content, "forged"));
	assert_false(is_there(w->import, attached[0]) || is_there(w->import, attached[1]));
	world_free(w);
}

/* Its message is no message: what that names is judged by itself then. */
static void test_what_a_bad_file_names_is_for_itself(void **state)
{
	(void)state;
	for (unsigned read_only = 0; read_only < 2; read_only++) {
		struct world *w = world_new_ffapi(read_only ? "      poll: 3 s\n      read-only: true\n" : "      poll: 3 s\n");
		put_file(w->import, "A.MSG", LETTER);
		put_file(w->import, "B.MSG", "VERSION:3.00\rXATTACH:A.MSG\rTEXT:1\rtoo much");
		world_pass(w, 20 * 1000);
		assert_int_equal(w->n_offers, 1);
		assert_true(has(w->offers[0].content, "At one?"));
		world_free(w);
	}
}

/* Neither is taken as the other's, with its recipients left out; a third that both name, and one more, are no reason to leave a good one. */
static void test_message_files_in_a_circle(void **state)
{
	(void)state;
	char bad[100];
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	snprintf(bad, sizeof bad, "%s/BAD", w->import);
#define NAMING(name) "VERSION:3.00\rTO:TEST/GATE/CAROL\rFROM:TEST/NEAR/ANN\rXATTACH:" name "\rTEXT:4\rLook"
	put_file(w->import, "A.MSG", NAMING("B.MSG"));
	put_file(w->import, "B.MSG", NAMING("a.msg"));
	put_file(w->import, "C.MSG", NAMING("C.MSG"));
	put_file(w->import, "D.MSG", NAMING("E.MSG"));
	put_file(w->import, "E.MSG", NAMING("F.MSG"));
	put_file(w->import, "F.MSG", NAMING("E.MSG"));
	put_file(w->import, "G.MSG", LETTER);
	world_pass(w, 20 * 1000);
	assert_true(is_there(bad, "A.MSG") && is_there(bad, "B.MSG") && is_there(bad, "A.MSG.why"));
	assert_false(is_there(bad, "D.MSG") || is_there(bad, "E.MSG") || is_there(bad, "F.MSG") || is_there(bad, "G.MSG"));
	assert_false(is_there(w->import, "D.MSG") || is_there(w->import, "E.MSG"));
	unsigned letters = 0;
	for (size_t i = 0; i < w->n_offers; i++)
		letters += has(w->offers[i].content, "At one?");
	assert_int_equal(letters, 1);
	world_free(w);
}

/* The message file is whole long before the file that it names: nothing is taken until that is the same at two looks, too. */
static void test_what_it_names_is_still_being_written(void **state)
{
	(void)state;
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	static const char all[] = "part-more-more-more-more-more-more-more-more";
	char octets[sizeof all];
	put_file(w->import, "A.MSG", "VERSION:3.00\rTO:TEST/GATE/CAROL\rFROM:TEST/NEAR/ANN\rXATTACH:data.bin x\rXTEXT:text.txt\r");
	put_file(w->import, "TEXT.TXT", "Look");
	for (unsigned i = 0; i < 8; i++) {
		snprintf(octets, 5 + 5 * i + 5, "%s", all);
		put_file(w->import, i % 2 == 0 ? "DATA.BIN" : "TEXT.TXT", octets);
		world_pass(w, 900);
		assert_int_equal(w->n_offers, 0);
	}
	put_file(w->import, "B.MSG", LETTER);
	world_pass(w, 20 * 1000);
	assert_int_equal(w->n_offers, 2);
	assert_int_equal(has(w->offers[0].content, all + 4 + 5) + has(w->offers[1].content, all + 4 + 5), 1);
	assert_false(is_there(w->import, "DATA.BIN") || is_there(w->import, "A.MSG"));
	world_free(w);
}

static void test_a_bad_file_is_put_away_with_the_reason(void **state)
{
	(void)state;
	char bad[100];
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	snprintf(bad, sizeof bad, "%s/BAD", w->import);
	put_file(w->import, "A.MSG", "VERSION:3.00\rTEXT:99999\rshort");
	put_file(w->import, "B.MSG", LETTER);
	world_pass(w, 20 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_false(is_there(w->import, "A.MSG"));
	assert_true(is_there(bad, "A.MSG"));
	assert_true(read_only_file(w, bad, ".why").n > 10);
	assert_true(was_told(w, "ffapi.bad-file"));
	world_free(w);
}

/* What is written into the directory would come in again, round and round: by whatever path, it is not begun. */
static void test_import_and_export_are_two(void **state)
{
	(void)state;
	char away[100];
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	snprintf(away, sizeof away, "%s/away", w->dir);
	assert_int_equal(rename(w->export, away), 0);
	assert_int_equal(symlink(w->import, w->export), 0);
	world_restart(w);
	put_file(w->import, "A.MSG", LETTER);
	world_pass(w, 20 * 1000);
	assert_string_not_equal(interchange_state(w->x), "attached");
	assert_int_equal(w->n_offers, 0);
	assert_int_equal(unlink(w->export), 0);
	assert_int_equal(rename(away, w->export), 0);
	world_pass(w, 600 * 1000);
	assert_int_equal(w->n_offers, 1);
	world_free(w);
}

/* A plain file is called BAD: what is no message stays, is told of, and hinders nobody; when the place is free it goes there. */
static void test_there_is_no_place_for_bad_files(void **state)
{
	(void)state;
	char bad[100];
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	snprintf(bad, sizeof bad, "%s/BAD", w->import);
	put_file(w->import, "BAD", "in the way");
	put_file(w->import, "A.MSG", "VERSION:3.00\rTEXT:5\rhello");
	put_file(w->import, "C.MSG", LETTER);
	world_pass(w, 20 * 1000);
	assert_true(was_told(w, "ffapi.bad-file"));
	assert_string_equal(interchange_state(w->x), "attached");
	assert_int_equal(w->n_offers, 1);
	assert_true(is_there(w->import, "A.MSG"));
	assert_int_equal(unlink(bad), 0);
	world_pass(w, 600 * 1000);
	assert_false(is_there(w->import, "A.MSG"));
	assert_true(is_there(bad, "A.MSG"));
	world_free(w);
}

/* DOS has eight and three, other systems 255: none is passed over in silence. */
static void test_a_name_may_be_long(void **state)
{
	(void)state;
	enum { LONG = 255, NAMES = 4 };
	char name[NAMES][LONG + 1], bad[300];
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	snprintf(bad, sizeof bad, "%s/BAD", w->import);
	for (unsigned i = 0; i < NAMES; i++) { /* two of 204, two of 255 octets: a message and what is none of each */
		memset(name[i], 'x', LONG);
		snprintf(name[i] + (i < 2 ? 200 : LONG - 5), 6, "%u.MSG", i);
		put_file(w->import, name[i], i % 2 == 0 ? LETTER : "VERSION:3.00\rTEXT:5\rhello");
	}
	assert_int_equal(strlen(name[3]), LONG);
	world_pass(w, 20 * 1000);
	assert_int_equal(w->n_offers, 2);
	for (unsigned i = 0; i < NAMES; i++)
		assert_false(is_there(w->import, name[i]));
	assert_true(is_there(bad, name[1]));
	/* In BAD it is cut, so that the reason has room behind it; the next one of that name is another. */
	put_file(w->import, name[3], "VERSION:3.00\rTEXT:5\rother");
	world_pass(w, 20 * 1000);
	assert_false(is_there(w->import, name[3]));
	unsigned cut = 0, reasons = 0;
	DIR *d = opendir(bad);
	assert_non_null(d);
	for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
		const bool is_reason = strlen(entry->d_name) > 4 && strcmp(entry->d_name + strlen(entry->d_name) - 4, ".why") == 0;
		reasons += is_reason;
		cut += !is_reason && strchr(entry->d_name, '~') != NULL && strlen(entry->d_name) >= 240;
	}
	closedir(d);
	assert_int_equal(cut, 2);
	assert_int_equal(reasons, 3);
	world_free(w);
}

/* A writer over a slow line stops in the middle, longer than it takes to look twice: what it had written so far is no bad file. */
static void test_a_writer_may_pause(void **state)
{
	(void)state;
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	for (size_t n = 1; n < strlen(LETTER); n += 20) {
		char part[300];
		snprintf(part, sizeof part, "%.*s", (int)n, LETTER);
		put_file(w->import, "A.MSG", part);
		world_pass(w, 40 * 1000);
		assert_true(is_there(w->import, "A.MSG"));
	}
	put_file(w->import, "A.MSG", LETTER);
	world_pass(w, 20 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_false(was_told(w, "ffapi.bad-file"));
	put_file(w->import, "B.MSG", "VERSION:3.00\rTO:TEST/GATE/CAROL\rFROM:TEST/NEAR/ANN\rTEXT:9\rnever");
	world_pass(w, 40 * 1000);
	assert_true(is_there(w->import, "B.MSG"));
	world_pass(w, 40 * 1000);
	assert_false(is_there(w->import, "B.MSG"));
	assert_true(was_told(w, "ffapi.bad-file"));
	world_free(w);
}

/* Two names that differ by case only are two files. */
static void test_upper_and_lower_case_are_two(void **state)
{
	(void)state;
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	put_file(w->import, "A.MSG", LETTER);
	put_file(w->import, "a.msg", LETTER "\r");
	put_file(w->import, "b.msg", "VERSION:3.00\rTO:TEST/GATE/CAROL\rFROM:TEST/NEAR/ANN\rXATTACH:data.bin x\rTEXT:4\rLook");
	put_file(w->import, "DATA.BIN", "upper");
	put_file(w->import, "data.bin", "lower");
	world_pass(w, 60 * 1000);
	assert_int_equal(w->n_offers, 3);
	assert_true(has(w->offers[2].content, "Looklower"));
	assert_false(has_file(w, w->import, ".msg") || has_file(w, w->import, ".MSG"));
	assert_true(is_there(w->import, "DATA.BIN"));
	assert_false(is_there(w->import, "data.bin"));
	world_free(w);
}

/* A file may not reach out of its directory. */
static void test_a_path_is_no_name(void **state)
{
	(void)state;
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	put_file(w->import, "A.MSG", "VERSION:3.00\rTO:TEST/GATE/CAROL\rFROM:TEST/NEAR/ANN\rXATTACH:../secret x\rTEXT:4\rLook");
	put_file(w->dir, "secret", "a secret");
	world_pass(w, 20 * 1000);
	assert_int_equal(w->n_offers, 0);
	assert_true(is_there(w->dir, "secret"));
	assert_false(is_there(w->import, "A.MSG"));
	world_free(w);
}

static void test_at_most_fifty_in_a_run_and_all_in_the_end(void **state)
{
	(void)state;
	struct world *w = world_new_ffapi("      poll: 3 s\n      quota: 2\n");
	for (unsigned i = 0; i < 7; i++) {
		char name[20];
		snprintf(name, sizeof name, "M%u.MSG", i);
		put_file(w->import, name, LETTER);
	}
	world_pass(w, 60 * 1000);
	assert_int_equal(w->n_offers, 7);
	assert_false(has_file(w, w->import, ".MSG"));
	world_free(w);
}

/* The same octets in another file are another message; the same file offered again is the same. */
static void test_a_file_is_known_again(void **state)
{
	(void)state;
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	struct err e;
	put_file(w->import, "A.MSG", LETTER);
	put_file(w->import, "B.MSG", LETTER);
	w->hold_answers = true;
	world_pass(w, 20 * 1000);
	assert_int_equal(w->n_offers, 1);
	w->hold_answers = false;
	world_restart(w);
	world_pass(w, 20 * 1000);
	assert_int_equal(w->n_offers, 3);
	assert_true(sent_key(&w->offers[0].message) == sent_key(&w->offers[1].message));
	assert_false(mts_id_eq(&w->offers[1].message.id, &w->offers[2].message.id));
	assert_true(fault_plan(NULL, &e));
	world_free(w);
}

static void test_a_recipient_without_form_is_told_of(void **state)
{
	(void)state;
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	w->unmapped = "CAROL";
	put_file(w->import, "A.MSG", LETTER);
	world_pass(w, 20 * 1000);
	assert_int_equal(w->n_offers, 0);
	assert_false(is_there(w->import, "A.MSG"));
	const struct view notice = read_only_file(w, w->export, ".FFA");
	assert_true(has(notice, "TO:TEST/NEAR/ANN"));
	assert_true(has(notice, "[002]"));
	assert_true(has(notice, "TEST/GATE/CAROL"));
	world_free(w);
}

/* What is written appears when it is whole; the same transfer again is one file. */
static void test_a_letter_goes_out_once(void **state)
{
	(void)state;
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	const struct message *m = letter(w, MESSAGE_MESSAGE, "one", "TEST/NEAR/BOB");
	say_open(w, 1);
	assert_int_equal(w->ups, 1);
	say_transfer(w, 1, 1, m, VIEW("Hello."));
	assert_int_equal(w->n_results, 1);
	if (!w->results[0].delivered)
		fail_msg("%s", w->results[0].err.text);
	assert_true(has(read_only_file(w, w->export, ".FFA"), "Hello."));
	assert_false(has_file(w, w->export, ".TMP"));
	world_restart(w);
	say_open(w, 2);
	say_transfer(w, 2, 2, m, VIEW("Hello."));
	assert_int_equal(w->n_results, 2);
	assert_true(w->results[1].delivered);
	assert_true(has(read_only_file(w, w->export, ".FFA"), "Hello."));
	world_free(w);
}

static void test_a_directory_that_is_gone_is_the_links_failure(void **state)
{
	(void)state;
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	char away[100];
	say_open(w, 1);
	snprintf(away, sizeof away, "%s/away", w->dir);
	assert_int_equal(rename(w->export, away), 0);
	say_transfer(w, 1, 1, letter(w, MESSAGE_MESSAGE, "one", "TEST/NEAR/BOB"), VIEW("Hello."));
	assert_int_equal(w->n_results, 0);
	assert_int_equal(w->downs, 1);
	assert_int_equal(w->down.err.culprit, ERR_OF_LINK);
	assert_string_equal(interchange_state(w->x), "degraded");
	assert_int_equal(rename(away, w->export), 0);
	world_pass(w, 600 * 1000);
	assert_string_equal(interchange_state(w->x), "attached");
	world_free(w);
}

static void test_an_archive_of_files_is_never_written(void **state)
{
	(void)state;
	struct world *w = world_new_ffapi("      poll: 3 s\n      read-only: true\n");
	put_file(w->import, "A.MSG", LETTER);
	put_file(w->import, "B.MSG", "nonsense");
	world_pass(w, 20 * 1000);
	world_restart(w);
	world_pass(w, 20 * 1000);
	assert_int_equal(w->n_offers, 1);
	assert_true(is_there(w->import, "A.MSG"));
	assert_true(is_there(w->import, "B.MSG"));
	world_free(w);
}

/* What an archive has given, and what is no message yet, leaves the round to the others. */
static void test_what_is_left_does_not_fill_the_quota(void **state)
{
	(void)state;
	struct world *w = world_new_ffapi("      poll: 3 s\n      quota: 2\n      read-only: true\n");
	for (unsigned i = 0; i < 4; i++) {
		char name[20];
		snprintf(name, sizeof name, "M%u.MSG", i);
		put_file(w->import, name, LETTER);
	}
	world_pass(w, 20 * 1000);
	assert_int_equal(w->n_offers, 4);
	put_file(w->import, "N.MSG", LETTER);
	world_restart(w);
	world_pass(w, 20 * 1000);
	assert_int_equal(w->n_offers, 5);
	world_free(w);
	w = world_new_ffapi("      poll: 3 s\n      quota: 2\n");
	put_file(w->import, "A.BIN", "nobody's");
	put_file(w->import, "B.BIN", "nobody's");
	put_file(w->import, "C.MSG", LETTER);
	world_pass(w, 20 * 1000);
	assert_int_equal(w->n_offers, 1);
	world_free(w);
}

/* Gateways count their files from 1 again: a name may come back before anybody has looked. */
static void test_a_name_may_be_used_again(void **state)
{
	(void)state;
	char bad[100];
	struct world *w = world_new_ffapi("      poll: 3 s\n");
	put_file(w->import, "A.MSG", LETTER);
	for (unsigned i = 0; i < 20 && w->n_offers == 0; i++)
		world_pass(w, 1000);
	assert_int_equal(w->n_offers, 1);
	assert_false(is_there(w->import, "A.MSG"));
	put_file(w->import, "A.MSG", LETTER " again");
	world_pass(w, 20 * 1000);
	assert_false(is_there(w->import, "A.MSG"));
	snprintf(bad, sizeof bad, "%s/BAD", w->import);
	assert_true(is_there(bad, "A.MSG")); /* more than its TEXT says */
	put_file(w->import, "A.MSG", "VERSION:3.00\rTEXT:99999\rshort");
	world_pass(w, 20 * 1000);
	assert_true(is_there(bad, "A.MSG"));
	assert_true(is_there(bad, "A.MSG.1"));
	put_file(w->import, "A.MSG", LETTER);
	world_pass(w, 20 * 1000);
	assert_int_equal(w->n_offers, 2);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_is_taken_when_it_is_whole),
		cmocka_unit_test(test_what_it_names_goes_with_it),
		cmocka_unit_test(test_what_it_names_is_no_message),
		cmocka_unit_test(test_what_a_bad_file_names_is_for_itself),
		cmocka_unit_test(test_message_files_in_a_circle),
		cmocka_unit_test(test_what_it_names_is_still_being_written),
		cmocka_unit_test(test_a_bad_file_is_put_away_with_the_reason),
		cmocka_unit_test(test_import_and_export_are_two),
		cmocka_unit_test(test_there_is_no_place_for_bad_files),
		cmocka_unit_test(test_a_name_may_be_long),
		cmocka_unit_test(test_a_writer_may_pause),
		cmocka_unit_test(test_upper_and_lower_case_are_two),
		cmocka_unit_test(test_a_path_is_no_name),
		cmocka_unit_test(test_at_most_fifty_in_a_run_and_all_in_the_end),
		cmocka_unit_test(test_a_file_is_known_again),
		cmocka_unit_test(test_a_recipient_without_form_is_told_of),
		cmocka_unit_test(test_a_letter_goes_out_once),
		cmocka_unit_test(test_a_directory_that_is_gone_is_the_links_failure),
		cmocka_unit_test(test_an_archive_of_files_is_never_written),
		cmocka_unit_test(test_what_is_left_does_not_fill_the_quota),
		cmocka_unit_test(test_a_name_may_be_used_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
