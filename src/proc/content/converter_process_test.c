/* converter_process_test.c - the converter as it runs: born of the supervisor, on the real loop, in the real jail (builds without sanitizers).
 * This program plays all roles: the test, the supervisor (--supervise FILE) and its children (--process KIND INSTANCE): an interchange that
 * asks one message after the other, and the converter itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "flow/codec/msmail/convert_testing.h"
#include "proc/content/converter.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"
#include "sys/jail.h"
#include "sys/process.h"

/* The file's one line is the directory. */
static bool read_config(const char *path, struct plan *plan_r, struct out *canonical, struct err *e)
{
	char directory[200] = "";
	FILE *f = fopen(path, "r");
	if (f == NULL || fgets(directory, sizeof directory, f) == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "the test's settings cannot be read");
	fclose(f);
	*plan_r = (struct plan){ .magic = PLAN_MAGIC, .n_processes = 2, .restart_min_ms = 50, .restart_max_ms = 100, .stop_ms = 20000 };
	plan_r->processes[0] = (struct plan_process){ PROCESS_INTERCHANGE, 0 };
	plan_r->processes[1] = (struct plan_process){ PROCESS_CONVERTER, 0 };
	snprintf(plan_r->directory, sizeof plan_r->directory, "%s", directory);
	out_fmt(canonical, "mta:\n  name: TEST\n  domain: \"C=GB; A=EXAMPLE; P=SITE\"\nstore:\n  directory: %s\nlimits:\n  message: 1 M\n"
		"processes:\n  restart-min: 1 s\n  content-memory: 128 M\n"
		"links:\n  - name: po1\n    kind: msmail\n    msmail:\n      postoffice: %s/po1\n      network: NET1\n      postoffice-name: PO1\n"
		"      addresses:\n        - \"NET1/PO1/BOB = G=Bob; S=Builder; O=Works; P=SITE; A=EXAMPLE; C=GB\"\n", directory, directory);
	return true;
}

/* --- the interchange of this test --- */

static const struct item {
	bool to_mai;
	const char *text; /* UTF-8 (of an IPM), or in 850 (of a MAI) */
} items[] = {
	{ true, "Grüße" }, { false, "Gr\x81\xe1" "e" }, { true, "an ABORT, please" }, { true, "still alive" }, { false, "one ABORT more" },
	{ false, "EAT it all" }, { false, "and now too" }, { true, "HANG around" }, { true, "the last" },
};
#define FAULTS "converter:CONVERTER_XLATE:@ABORT:abort,converter:CONVERTER_XLATE:@EAT:eat,converter:CONVERTER_XLATE:@HANG:hang"
enum { PATIENCE_MS = 1500 };

struct asker {
	struct process *process;
	struct chan *control, *bulk;
	struct testing_world t;
	size_t at;
	struct timer patience;
};

static struct view message_of(struct asker *k, const struct item *x, struct out *packed)
{
	if (!x->to_mai) {
		struct mai m = testing_letter(&k->t, VIEW("s"), view_str(x->text));
		const struct mm_envelope v = testing_envelope(&k->t, &m);
		struct out file;
		out_init(&file, 1 << 20);
		assert(mai_print(&m, &mm_scramble_none, &file, NULL) && mm_envelope_print(&v, packed, NULL));
		const struct view octets = arena_copy(k->t.a, out_view(&file));
		out_fini(&file);
		return octets;
	}
	const struct message m = testing_message(&k->t);
	const struct ipm_compose_part p[] = { { .kind = IPM_COMPOSE_TEXT, .data = view_str(x->text) },
					      { .kind = IPM_COMPOSE_FILE, .data = VIEW("f"), .name = VIEW("F.TXT"), .modified_ms = TESTING_NOW } };
	const struct ipm_compose c = { .subject = VIEW("s"), .parts = p, .n_parts = 2 };
	pack_message(packed, &m, 0, 1);
	return testing_content_of(&k->t, &c);
}

static void ask_item(struct asker *k)
{
	if (k->at == ARRAY_LEN(items)) {
		fprintf(stderr, "all were asked\n");
		return;
	}
	const struct item *x = &items[k->at];
	struct out packed, files;
	char item[32];
	out_init(&packed, 1 << 20);
	out_init(&files, 1000);
	const struct view octets = message_of(k, x, &packed);
	put_string(&files, VIEW("file"));
	out_u64(&files, octets.n);
	snprintf(item, sizeof item, "%s %zu", x->to_mai ? "transfer" : "INQUEUE3", 1000 + k->at);
	const struct msg_xlate m = { .id = k->at, .to_mai = x->to_mai, .item = view_str(item), .packed = x->to_mai ? out_view(&packed) : (struct view){ NULL, 0 },
				     .envelope = x->to_mai ? (struct view){ NULL, 0 } : out_view(&packed), .local_id = VIEW("l"), .files = out_view(&files),
				     .now_ms = TESTING_NOW };
	put_msg_xlate(chan_begin(k->bulk, MSG_XLATE), &m);
	chan_end(k->bulk);
	const struct msg_piece piece = { k->at, octets };
	put_msg_piece(chan_begin(k->bulk, MSG_XLATE_DATA), &piece);
	chan_end(k->bulk);
	out_fini(&packed);
	out_fini(&files);
	timer_after(&k->patience, PATIENCE_MS);
}

static bool on_xlated(void *ctx, struct view payload, struct err *e)
{
	struct asker *k = ctx;
	struct msg_xlated m;
	if (!get_msg_xlated(payload, &m, e) || m.id != k->at)
		return false;
	if (m.err.kind != ERR_NONE)
		fprintf(stderr, "item %zu: %s\n", k->at, m.err.text);
	return true;
}

/* The first piece is the MAI, or the content. */
static bool on_data(void *ctx, struct view payload, struct err *e)
{
	struct asker *k = ctx;
	struct msg_piece m;
	if (!get_msg_piece(payload, &m, e))
		return false;
	if (m.octets.n < 8) /* the attachment */
		return true;
	assert(m.octets.p != NULL);
	const bool page = memmem(m.octets.p, m.octets.n, "Gr\x81\xe1" "e", 5) != NULL, latin1 = memmem(m.octets.p, m.octets.n, "Gr\xfc\xdf" "e", 5) != NULL;
	fprintf(stderr, "item %zu: %s\n", k->at, page ? "in code page 850" : latin1 ? "in Latin-1" : "converted");
	timer_stop(&k->patience);
	k->at++;
	ask_item(k);
	return true;
}

static bool on_credit(void *ctx, struct view payload, struct err *e)
{
	struct msg_count m;
	(void)ctx;
	return get_msg_count(payload, &m, e);
}

static void on_closed(void *ctx, const struct err *why)
{
	(void)ctx;
	(void)why;
}

static const struct chan_type types[] = {
	{ .type = MSG_XLATE_DATA, .name = "XLATE_DATA", .handle = on_data, .max = MSG_MAX_XLATE_DATA },
	{ .type = MSG_XLATE_CREDIT, .name = "XLATE_CREDIT", .handle = on_credit, .max = MSG_MAX_XLATE_CREDIT },
	{ .type = MSG_XLATED, .name = "XLATED", .handle = on_xlated, .max = MSG_MAX_XLATED },
};
static const struct chan_events bulk_events = { types, ARRAY_LEN(types), NULL, NULL, on_closed, NULL };
static const struct chan_events control_events = { NULL, 0, NULL, NULL, on_closed, NULL };

static void on_peer(void *ctx, enum process_kind kind, uint32_t instance, bool bulk, struct stream *s)
{
	struct asker *k = ctx;
	(void)kind;
	(void)instance;
	struct chan **which = bulk ? &k->bulk : &k->control;
	if (*which != NULL)
		chan_free(which, false);
	*which = chan_new(&s, bulk ? &bulk_events : &control_events, k, PROCESS_INTERCHANGE, 0);
	if (bulk)
		ask_item(k);
}

static void on_peer_died(void *ctx, enum process_kind kind, uint32_t instance, bool by_fault, const char *words, const char *note)
{
	struct asker *k = ctx;
	fprintf(stderr, "item %zu: died %s.%u fault=%d words=%s note=%s\n", k->at, process_kind_name(kind), (unsigned)instance, by_fault, words, note);
	timer_stop(&k->patience);
	if (note[0] != 0) /* else it had not begun with it: it is asked again */
		k->at++;
}

static void on_impatient(void *ctx)
{
	struct asker *k = ctx;
	if (strstr(items[k->at].text, "HANG") != NULL)
		process_accuse(k->process, PROCESS_CONVERTER, 0, "it makes no progress");
	else
		timer_after(&k->patience, PATIENCE_MS); /* a slow machine */
}

static void on_stop(void *ctx)
{
	struct asker *k = ctx;
	process_finished(k->process, 0);
}

static int run_interchange(void)
{
	struct asker k = { .process = process_begin(PROCESS_INTERCHANGE, 0), .t = testing_world_new() };
	const struct process_events events = { .peer = on_peer, .peer_died = on_peer_died, .stop = on_stop };
	timer_init(&k.patience, process_env(k.process), on_impatient, &k);
	const int status = process_run(k.process, &events, &k);
	timer_stop(&k.patience);
	if (k.control != NULL)
		chan_free(&k.control, false);
	if (k.bulk != NULL)
		chan_free(&k.bulk, false);
	testing_world_free(&k.t);
	process_free(&k.process);
	return status;
}

/* --- the test --- */

struct run {
	pid_t pid;
	int fd;
	char directory[40], lock[100], config[100];
	char log[1 << 16];
	size_t n;
};

static void begin(struct run *r)
{
	int fds[2];
	*r = (struct run){ .directory = "/tmp/posthorn-convert-XXXXXX" };
	assert_non_null(mkdtemp(r->directory));
	snprintf(r->lock, sizeof r->lock, "%s/posthorn.lock", r->directory);
	snprintf(r->config, sizeof r->config, "%s/settings", r->directory);
	FILE *f = fopen(r->config, "w");
	assert_non_null(f);
	fputs(r->directory, f);
	fclose(f);
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	alarm(100); /* a test that waits for what never comes */
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(fds[1], 2);
		setenv("POSTHORN_FAULT_ALWAYS", FAULTS, 1);
		execl("/proc/self/exe", "converter_process_test", "--supervise", r->config, NULL);
		_exit(127);
	}
	close(fds[1]);
	r->fd = fds[0];
}

/* Reads until the text has come; false at the end of the log. */
static bool expect(struct run *r, const char *text)
{
	while (strstr(r->log, text) == NULL) {
		assert_true(r->n < sizeof r->log - 1);
		const ssize_t n = read(r->fd, r->log + r->n, sizeof r->log - 1 - r->n);
		if (n <= 0)
			return false;
		r->log[r->n += (size_t)n] = 0;
	}
	return true;
}

static void finish(struct run *r, bool ok)
{
	int how = 0;
	kill(r->pid, SIGTERM);
	(void)expect(r, "nothing that is ever written");
	assert_int_equal(waitpid(r->pid, &how, 0), r->pid);
	close(r->fd);
	alarm(0);
	unlink(r->lock);
	unlink(r->config);
	rmdir(r->directory);
	if (!ok)
		fail_msg("%s", r->log);
	assert_true(WIFEXITED(how));
	assert_int_equal(WEXITSTATUS(how), 0);
}

static void assert_said(const struct run *r, const char *text)
{
	if (strstr(r->log, text) == NULL)
		fail_msg("\"%s\" is not in:\n%s", text, r->log);
}

/* Code pages, the table of addresses and the zone are there behind the jail's door; a death costs the item at hand, whose name is kept, and
 * nothing after it. */
static void test_k151669_deaths_are_charged_to_the_item_at_hand(void **state)
{
	(void)state;
	static struct run r;
	begin(&r);
	finish(&r, expect(&r, "all were asked"));
	assert_said(&r, "item 0: in code page 850\n");
	assert_said(&r, "item 1: in Latin-1\n");
	assert_said(&r, "item 2: died converter.0 fault=1 words=signal 6 (SIGABRT)");
	assert_said(&r, "note=transfer 1002\n");
	assert_said(&r, "item 3: converted\n");
	assert_said(&r, "item 4: died converter.0 fault=1 words=signal 6 (SIGABRT)");
	assert_said(&r, "note=INQUEUE3 1004\n");
	assert_said(&r, "item 5: died converter.0 fault=1 words=signal 6 (SIGABRT)");
	if (!(jail_build_flags() & JAIL_SANITIZED))
		assert_said(&r, "out of memory");
	assert_said(&r, "item 6: converted\n");
	assert_said(&r, "item 7: died converter.0 fault=1 words=");
	assert_said(&r, "it makes no progress");
	assert_said(&r, "note=transfer 1007\n");
	assert_said(&r, "item 8: converted\n");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_k151669_deaths_are_charged_to_the_item_at_hand) };
	if (argc == 3 && strcmp(argv[1], "--supervise") == 0)
		return supervisor_run(&(const struct config_reader){ .read = read_config }, argv[2]);
	if (argc == 4 && strcmp(argv[1], "--process") == 0)
		return strcmp(argv[2], process_kind_name(PROCESS_CONVERTER)) == 0 ? converter_main(0) : run_interchange();
	return cmocka_run_group_tests_name("converter_process", tests, NULL, NULL);
}
