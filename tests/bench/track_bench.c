/* track_bench.c - tracking when there is much of it: what a search takes, what a step costs as it is put, and what forgetting the oldest takes,
 * each at several numbers of steps of the same mail, and how much more at the last than at the first.
 *
 * usage: track_bench DIRECTORY STEPS...: ascending, 1000 at least; works in a new folder there (about 0.5 GB for a million) and removes it.
 *
 * A message is three steps (in, out, delivered) with two recipients; 1,000 addresses write, 100,000 are written to, and there are a tenth
 * as many subjects as messages. The steps are spread evenly over a week. Puts and searches in time of the processor, with the system's for
 * them, so that what else the machine does makes little of a difference; commits and slices, which others wait for, by the clock. */
#include "base/check.h"
#include "base/mem.h"
#include "flow/store/read.h"
#include "sys/loop.h"
#include "store_must.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { GROUP = 999, ARENA = 64 << 20, PAGE = 100, BUDGET_MS = 200, WRITERS = 1000, READERS = 100000, RUNS = 3, SIZES_MAX = 8 };
#define WEEK_MS (7 * 86400 * INT64_C(1000))
#define BEGAN_MS INT64_C(1767225600000)

static int64_t wall_now = BEGAN_MS;

static int64_t wall(struct env *env)
{
	(void)env;
	return wall_now;
}

struct bench {
	struct env *env;
	struct env_ops ops;
	struct store *store;
	struct arena *arena;
	struct out keys;
	uint64_t messages;
};

static double time_of(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(void)
{
	return time_of(CLOCK_MONOTONIC);
}

static double cpu_seconds(void)
{
	return time_of(CLOCK_PROCESS_CPUTIME_ID);
}

static void on_durable(void *ctx, uint64_t ticket)
{
	(void)ctx, (void)ticket;
}

static const struct store_events events = { on_durable, must_not_fail, must_not_be_full };

static uint64_t dice(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

static uint64_t key(uint64_t which, enum track_role role)
{
	return dice((which + 1) * 16 + (role > TRACK_RECIPIENT ? role : 0)) << 3 | (uint64_t)role;
}

static uint64_t subject_of(uint64_t message)
{
	return key(message / 10, TRACK_SUBJECT);
}

/* --- putting --- */
static void put_step(struct bench *b, enum store_step_kind kind, const struct mts_id *id, struct view keys)
{
	const struct store_step step = { .kind = kind, .id = id, .peer = VIEW("LONDON"), .size = 2048, .digest = { b->messages, ~b->messages }, .keys = keys,
					 .text = VIEW("C=JP; A=GOLD; P=TOKYO; S=Recipient, to C=GB; A=GOLD; P=LONDON; O=Example; S=Sender; G=Some, and 1 more") };
	if (kind == STEP_TRANSFER_IN)
		must(!store_seen(b->store, id, step.digest), "a new message is taken for a duplicate");
	store_put_step(b->store, &step);
}

static void local_of(uint64_t message, char name[32])
{
	snprintf(name, 32, "LONDON-%016llx", (unsigned long long)dice(message));
}

static void put_message(struct bench *b)
{
	char local[32];
	local_of(b->messages, local);
	const struct mts_id id = { .domain = { { ORA_PRINTABLE, VIEW("GB") }, { ORA_PRINTABLE, VIEW("GOLD") }, { ORA_PRINTABLE, VIEW("LONDON") }, true },
				   .local = view_str(local) };
	out_clear(&b->keys);
	track_key_put(key(dice(b->messages) % WRITERS, TRACK_ORIGINATOR), &b->keys);
	track_key_put(subject_of(b->messages), &b->keys);
	track_key_put(key(WRITERS + dice(b->messages + 1) % READERS, TRACK_RECIPIENT), &b->keys);
	track_key_put(key(WRITERS + dice(b->messages + 2) % READERS, TRACK_RECIPIENT), &b->keys);
	put_step(b, STEP_TRANSFER_IN, &id, out_view(&b->keys));
	put_step(b, STEP_TRANSFER_OUT, &id, (struct view){ NULL, 0 });
	put_step(b, STEP_DELIVERED, &id, (struct view){ NULL, 0 });
	b->messages++;
}

struct figures {
	double put_us, commit_ms, forget_ms, forget_all_s; /* of the last tenth: each step; the longest commit; the longest slice */
	double search_ms[16];
	unsigned answers[16];
};

/* The steps since the size before are spread over their part of the week of the last size. */
static void fill(struct bench *b, uint64_t steps, uint64_t all, struct figures *f)
{
	const uint64_t last_tenth = steps - steps / 10;
	double put = 0, began = cpu_seconds();
	uint64_t n = 0;
	while (b->messages * 3 < steps) {
		wall_now = BEGAN_MS + (int64_t)((double)b->messages * 3 / (double)all * (double)WEEK_MS);
		for (unsigned i = 0; i < GROUP / 3; i++)
			put_message(b);
		const double at = seconds();
		store_commit(b->store);
		const double took = (seconds() - at) * 1e3;
		env_run_timers(b->env);
		if (b->messages * 3 < last_tenth) {
			began = cpu_seconds();
			continue;
		}
		n += GROUP;
		put = cpu_seconds() - began;
		f->commit_ms = took > f->commit_ms ? took : f->commit_ms;
	}
	f->put_us = n == 0 ? 0 : put * 1e6 / (double)n;
}

/* --- searching --- */
static int by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

/* Until a page of rows is there, or the end; the time of the middle one of some runs. */
static double search(struct bench *b, struct store_reader *r, const struct read_track *f, unsigned *answers_r, size_t *rows_r)
{
	double took[RUNS];
	struct read_step_row rows[PAGE];
	for (unsigned run = 0; run < RUNS; run++) {
		const double at = cpu_seconds();
		uint64_t before = 0;
		bool more = true;
		*rows_r = *answers_r = 0;
		while (more && *rows_r < PAGE) {
			size_t n;
			struct err e;
			arena_reset(b->arena);
			must(store_read_track(r, f, before, rows, PAGE - *rows_r, &n, &before, &more, b->arena, &e), "a search fails");
			*rows_r += n;
			++*answers_r;
		}
		took[run] = (cpu_seconds() - at) * 1e3;
	}
	qsort(took, RUNS, sizeof *took, by_size);
	return took[RUNS / 2];
}

struct question {
	const char *name;
	struct read_track f;
};

static size_t questions_of(const struct bench *b, char local[32], struct question *v)
{
	const uint64_t message = b->messages / 3; /* not a new one */
	const wall_ms_t span = wall_now - BEGAN_MS;
	const uint64_t writer = key(dice(message) % WRITERS, TRACK_ORIGINATOR), reader = key(WRITERS + dice(message + 1) % READERS, TRACK_RECIPIENT);
	size_t n = 0;
	local_of(message, local);
	v[n++] = (struct question){ "identifier", { .id = view_str(local) } };
	v[n++] = (struct question){ "identifier, nothing", { .id = VIEW("nobody's") } };
	v[n++] = (struct question){ "recipient", { .keys = { reader }, .n_keys = 1 } };
	v[n++] = (struct question){ "originator", { .keys = { writer }, .n_keys = 1 } };
	v[n++] = (struct question){ "either address", { .address = reader } };
	v[n++] = (struct question){ "address, nothing", { .address = key(1 << 30, TRACK_RECIPIENT) } };
	v[n++] = (struct question){ "subject", { .keys = { subject_of(message) }, .n_keys = 1 } };
	v[n++] = (struct question){ "both and subject", { .keys = { writer, reader, subject_of(message) }, .n_keys = 3 } };
	v[n++] = (struct question){ "recipient, an hour", { .keys = { reader }, .n_keys = 1, .from = BEGAN_MS + span / 2, .to = BEGAN_MS + span / 2 + 3600000 } };
	v[n++] = (struct question){ "recipient, events", { .keys = { reader }, .n_keys = 1, .events = { 7, 9 }, .n_events = 2 } };
	v[n++] = (struct question){ "a time", { .from = BEGAN_MS + span / 2, .to = BEGAN_MS + span / 2 + 60000 } };
	v[n++] = (struct question){ "events, frequent", { .events = { 9 }, .n_events = 1 } };
	v[n++] = (struct question){ "events, none at all", { .events = { 43 }, .n_events = 1 } };
	return n;
}

static void search_all(struct bench *b, struct figures *f, bool named)
{
	struct err e;
	char local[32];
	struct question v[16];
	struct store_reader *r = store_reader_open(b->env, "store.db", &e);
	must(r != NULL, "no reader");
	store_reader_set_budget(r, BUDGET_MS);
	const size_t n = questions_of(b, local, v);
	for (size_t i = 0; i < n; i++) {
		size_t rows;
		f->search_ms[i] = search(b, r, &v[i].f, &f->answers[i], &rows);
		if (named)
			printf("%-24s %5zu rows\n", v[i].name, rows);
	}
	store_reader_close(&r);
}

/* --- forgetting: a tenth of all, in slices as the switch does, each in a group of its own --- */
static void forget(struct bench *b, struct figures *f)
{
	const wall_ms_t before = BEGAN_MS + (wall_now - BEGAN_MS) / 10;
	const double began = seconds();
	wall_ms_t until;
	for (bool more = true; more;) {
		const double at = seconds();
		more = store_forget_steps(b->store, before, 0, &until);
		if (store_has_group(b->store))
			store_commit(b->store);
		const double took = (seconds() - at) * 1e3;
		f->forget_ms = took > f->forget_ms ? took : f->forget_ms;
		env_run_timers(b->env);
	}
	f->forget_all_s = seconds() - began;
}

static void measure(const char *dir, const uint64_t *sizes, size_t n_sizes)
{
	struct err e;
	struct figures f[SIZES_MAX] = { { 0 } };
	struct bench *b = mem_zero(sizeof *b);
	b->env = loop_new(dir);
	const struct env_ops *was = b->env->ops;
	b->ops = *was;
	b->ops.wall_ms = wall;
	b->env->ops = &b->ops;
	b->arena = arena_new(ARENA);
	out_init(&b->keys, 1000);
	const struct store_config c = { "store.db", 65536, 64 << 20 };
	b->store = store_open_sqlite(b->env, &c, &events, b, &e);
	must(b->store != NULL, "no store");
	printf("%12s %10s %12s\n", "steps", "CPU us each", "commit ms");
	for (size_t i = 0; i < n_sizes; i++) {
		fill(b, sizes[i], sizes[n_sizes - 1], &f[i]);
		printf("%12llu %10.1f %12.1f\n", (unsigned long long)sizes[i], f[i].put_us, f[i].commit_ms);
		fflush(stdout);
		search_all(b, &f[i], i == 0);
	}
	struct question v[16];
	char local[32];
	const size_t n = questions_of(b, local, v), last = n_sizes - 1;
	printf("%-24s %12s %12s %8s %10s\n", "searched by, ms of CPU", "first", "last", "ratio", "answers");
	for (size_t i = 0; i < n; i++)
		printf("%-24s %12.2f %12.2f %8.1f %10u\n", v[i].name, f[0].search_ms[i], f[last].search_ms[i], f[last].search_ms[i] / f[0].search_ms[i],
		       f[last].answers[i]);
	forget(b, &f[last]);
	printf("a tenth is forgotten in %.1f s, the longest slice %.1f ms\n", f[last].forget_all_s, f[last].forget_ms);
	store_close(&b->store);
	b->env->ops = was;
	loop_free(&b->env);
	arena_free(&b->arena);
	out_fini(&b->keys);
	free(b);
}

static int remove_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

int main(int argc, char **argv)
{
	uint64_t sizes[SIZES_MAX];
	char dir[200];
	must(argc >= 3 && argc - 2 <= SIZES_MAX, "usage: track_bench DIRECTORY STEPS...");
	for (int i = 2; i < argc; i++)
		sizes[i - 2] = strtoull(argv[i], NULL, 10);
	snprintf(dir, sizeof dir, "%s/track-bench-XXXXXX", argv[1]);
	must(mkdtemp(dir) != NULL, "the folder cannot be made");
	measure(dir, sizes, (size_t)argc - 2);
	nftw(dir, remove_file, 4, FTW_DEPTH | FTW_PHYS);
	return 0;
}
