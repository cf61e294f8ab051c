/* config_test.c - a settings file as the supervisor's plan: which processes there are, and directories that are relative to the file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/table/config.h"

#include <stdlib.h>
#include <unistd.h>

static char folder[200], path[260];

static int make_folder(void **state)
{
	(void)state;
	const char *tmp = getenv("TMPDIR");
	snprintf(folder, sizeof folder, "%s/config-test-XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/site.yaml", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	return unlink(path) == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static void write_settings(struct out *text)
{
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(out_view(text).p, 1, out_len(text), f), out_len(text));
	assert_int_equal(fclose(f), 0);
	out_fini(text);
}

static void begin(struct out *o)
{
	out_init(o, 1 << 20);
	out_str(o, "mta:\n  name: m\n  domain: \"C=GB; A=X; P=m\"\nstore:\n  directory: store\nlinks:\n"
		   "  - name: to-a\n    address: \"127.0.0.1:2\"\n    remote-mta-name: a\n");
}

static void add_link(struct out *o, unsigned i)
{
	out_fmt(o, "  - name: mail%u\n    kind: msmail\n    msmail:\n      postoffice: po/%u\n", i, i);
}

static size_t count(const struct plan *p, enum process_kind kind, uint32_t *last_r)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n_processes; i++)
		if (p->processes[i].kind == kind) {
			n++;
			*last_r = p->processes[i].instance;
			assert_int_equal(p->processes[i].at_once != 0, kind == PROCESS_CONVERTER); /* of the kinds asked for here */
		}
	return n;
}

static bool has(const struct out *canonical, const char *text)
{
	return memmem(out_view(canonical).p, out_len(canonical), text, strlen(text)) != NULL;
}

static void test_postoffices_and_movers(void **state)
{
	(void)state;
	struct out o, canonical;
	struct plan p;
	struct err e;
	uint32_t last = 0;
	char want[400];
	begin(&o);
	add_link(&o, 1);
	out_str(&o, "  - name: gate\n    kind: msmail\n    msmail:\n      ffapi-import: in\n      ffapi-export: /out\n      network: N\n      postoffice-name: P\n"
		    "movers:\n  - name: one\n    postoffice: po/1\n    peers: [po/2, /po/3]\n  - name: two\n    postoffice: po/2\n    mailer: false\n"
		    "    peers: [po/1]\n");
	write_settings(&o);
	out_init(&canonical, 1 << 20);
	if (!config_read(path, &p, &canonical, &e))
		fail_msg("%s", e.text);
	assert_int_equal(count(&p, PROCESS_INTERCHANGE, &last), 2);
	assert_int_equal(last, 2); /* the index of its link */
	assert_int_equal(count(&p, PROCESS_CONVERTER, &last), 2);
	assert_int_equal(last, 2);
	assert_int_equal(count(&p, PROCESS_MOVER, &last), 4); /* a mailer and two peers; one peer */
	assert_int_equal(last, 3);
	const char *const resolved[] = { "store", "po/1", "po/2", "in" };
	for (size_t i = 0; i < sizeof resolved / sizeof *resolved; i++) {
		snprintf(want, sizeof want, "%s/%s", folder, resolved[i]);
		if (!has(&canonical, want))
			fail_msg("no %s in %s", want, out_cstr(&canonical));
	}
	assert_true(has(&canonical, "/po/3") && has(&canonical, "/out"));
	snprintf(want, sizeof want, "%s//", folder);
	assert_false(has(&canonical, want));
	out_fini(&canonical);
}

/* One of them relative: they are the same only in the folder of this file. */
static void test_a_mover_that_is_its_own_peer_is_refused(void **state)
{
	(void)state;
	struct out o;
	struct plan p;
	struct err e;
	begin(&o);
	out_fmt(&o, "movers:\n  - name: one\n    postoffice: po\n    peers: [\"%s/po\"]\n", folder);
	write_settings(&o);
	assert_false(config_read(path, &p, NULL, &e));
	assert_non_null(strstr(e.text, "is its own postoffice"));
}

static void test_a_directory_that_is_too_long_is_refused(void **state)
{
	(void)state;
	struct out o;
	struct plan p;
	struct err e;
	begin(&o);
	out_str(&o, "movers:\n  - name: one\n    postoffice: ");
	for (unsigned i = 0; i < 395; i++)
		out_str(&o, "x");
	out_str(&o, "\n");
	write_settings(&o);
	assert_false(config_read(path, &p, NULL, &e));
	assert_non_null(strstr(e.text, "more than 400 characters with the folder of this file before it"));
}

/* A file without an end is read as far as a settings file may be long. */
static void test_a_file_that_never_ends_is_refused(void **state)
{
	(void)state;
	struct plan p;
	struct err e;
	assert_false(config_read("/dev/zero", &p, NULL, &e));
	assert_non_null(strstr(e.text, "/dev/zero: longer than 8388608 octets"));
}

/* The supervisor has room for 256: two a link of kind msmail, and eight others here. */
static void test_256_processes_and_no_more(void **state)
{
	(void)state;
	struct out o;
	struct plan p;
	struct err e;
	for (unsigned n = 124; n <= 125; n++) {
		begin(&o);
		for (unsigned i = 0; i < n; i++)
			add_link(&o, i);
		write_settings(&o);
		assert_int_equal(config_read(path, &p, NULL, &e), n == 124);
		if (n == 124)
			assert_int_equal(p.n_processes, 256);
		else
			assert_non_null(strstr(e.text, "258 processes are needed, at most 256: fewer links of kind msmail"));
	}
}

static uint64_t key_of(const struct plan *p, enum process_kind kind, uint32_t instance)
{
	for (size_t i = 0; i < p->n_processes; i++)
		if (p->processes[i].kind == kind && p->processes[i].instance == instance)
			return p->processes[i].key;
	fail_msg("no %s.%u", process_kind_name(kind), (unsigned)instance);
	return 0;
}

static void plan_with(struct plan *p, const char *before, const char *more)
{
	struct out o;
	struct err e;
	begin(&o);
	out_str(&o, before);
	add_link(&o, 1);
	add_link(&o, 2);
	out_str(&o, more);
	write_settings(&o);
	if (!config_read(path, p, NULL, &e))
		fail_msg("%s", e.text);
}

/* Who reads its settings once has a key: the same for the same, another one for what it would have to read anew, whatever its number. */
static void test_keys_of_what_a_process_reads_once(void **state)
{
	(void)state;
#define MOVERS "movers:\n  - {name: one, postoffice: /a, peers: [/b, /c]}\n"
	struct plan p, same, link, poll, strikes, peers, time;
	plan_with(&p, "", MOVERS);
	static const enum process_kind taking[] = { PROCESS_SWITCH, PROCESS_LINK, PROCESS_READER, PROCESS_ALONE };
	for (size_t i = 0; i < sizeof taking / sizeof *taking; i++)
		assert_int_equal(key_of(&p, taking[i], 0), 0);
	plan_with(&same, "", "# the same\n" MOVERS "routes: [{match: C=FR, to: to-a}]\nexpiry: {urgent: 1 d}\n");
	for (size_t i = 0; i < p.n_processes; i++)
		assert_int_equal(key_of(&same, p.processes[i].kind, p.processes[i].instance), p.processes[i].key);
	/* A link before them: the numbers are of others, the keys go with the links. */
	plan_with(&link, "  - {name: to-b, address: \"127.0.0.1:3\", remote-mta-name: b}\n", MOVERS);
	assert_true(key_of(&p, PROCESS_INTERCHANGE, 1) == key_of(&link, PROCESS_INTERCHANGE, 2));
	assert_true(key_of(&p, PROCESS_INTERCHANGE, 2) != key_of(&link, PROCESS_INTERCHANGE, 2));
	assert_true(key_of(&p, PROCESS_CONVERTER, 2) == key_of(&link, PROCESS_CONVERTER, 3));
	assert_true(key_of(&p, PROCESS_MOVER, 1) == key_of(&link, PROCESS_MOVER, 1));
	plan_with(&poll, "", "movers:\n  - {name: one, postoffice: /a, peers: [/b, /c], interval: 7 s}\n");
	assert_true(key_of(&p, PROCESS_MOVER, 0) != key_of(&poll, PROCESS_MOVER, 0));
	plan_with(&strikes, "", MOVERS "limits: {strikes: 7}\n");
	assert_true(key_of(&p, PROCESS_MOVER, 0) != key_of(&strikes, PROCESS_MOVER, 0));
	assert_true(key_of(&p, PROCESS_INTERCHANGE, 1) != key_of(&strikes, PROCESS_INTERCHANGE, 1));
	assert_true(key_of(&p, PROCESS_CONTENT, 0) == key_of(&strikes, PROCESS_CONTENT, 0));
	plan_with(&peers, "", "movers:\n  - {name: one, postoffice: /a, peers: [/c, /b]}\n");
	assert_true(key_of(&p, PROCESS_MOVER, 1) != key_of(&peers, PROCESS_MOVER, 1));
	plan_with(&time, "", MOVERS "processes: {content-time: 7 s}\n");
	assert_true(key_of(&p, PROCESS_CONTENT, 0) != key_of(&time, PROCESS_CONTENT, 0));
	assert_true(key_of(&p, PROCESS_CONVERTER, 1) != key_of(&time, PROCESS_CONVERTER, 1));
	assert_true(key_of(&p, PROCESS_MOVER, 0) == key_of(&time, PROCESS_MOVER, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_postoffices_and_movers),
		cmocka_unit_test(test_a_mover_that_is_its_own_peer_is_refused),
		cmocka_unit_test(test_a_directory_that_is_too_long_is_refused),
		cmocka_unit_test(test_a_file_that_never_ends_is_refused),
		cmocka_unit_test(test_256_processes_and_no_more),
		cmocka_unit_test(test_keys_of_what_a_process_reads_once),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
