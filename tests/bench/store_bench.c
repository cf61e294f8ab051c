/* store_bench.c - what a relayed message costs in the store: put (1 recipient, 1 transfer, 2 KB) with its step, then done with
 * its step, a commit for each group; and what the same disk does in plain SQLite inserts of 2 KB in the same groups.
 *
 * usage: store_bench [DIRECTORY [SECONDS]]: works in a new folder there. Figures are per message.
 *        store_bench DIRECTORY SECONDS GROUP OCTETS: plain inserts alone, of so many octets; prints inserts a second. */
#include "base/check.h"
#include "base/mem.h"
#include "flow/message/message.h"
#include "flow/store/store.h"
#include "sys/loop.h"
#include "store_must.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { OCTETS = 2048, GROUP_MAX = 100, ROUNDS = 6, ARENA = 1 << 20 };

struct meter {
	double wall, cpu, wall_us, cpu_us;
	double commit_ms, checkpoint_ms; /* the longest */
	uint64_t n;
};

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_seconds(void)
{
	struct rusage r;
	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static void meter_start(struct meter *m)
{
	*m = (struct meter){ .wall = seconds(), .cpu = cpu_seconds() };
}

static void meter_stop(struct meter *m, uint64_t n)
{
	m->n = n;
	m->wall_us = (seconds() - m->wall) * 1e6 / (double)n;
	m->cpu_us = (cpu_seconds() - m->cpu) * 1e6 / (double)n;
}

static void longest(double *ms, double since)
{
	const double took_ms = (seconds() - since) * 1e3;
	if (took_ms > *ms)
		*ms = took_ms;
}

/* One more round of the same. */
static void meter_add(struct meter *m, struct meter round)
{
	const double n = (double)m->n, more = (double)round.n;
	m->wall_us = (m->wall_us * n + round.wall_us * more) / (n + more);
	m->cpu_us = (m->cpu_us * n + round.cpu_us * more) / (n + more);
	m->n += round.n;
	if (round.commit_ms > m->commit_ms)
		m->commit_ms = round.commit_ms;
	if (round.checkpoint_ms > m->checkpoint_ms)
		m->checkpoint_ms = round.checkpoint_ms;
}

/* --- our store --- */
struct bench {
	struct env *env;
	struct store *store;
	struct arena *arena, *load;
	struct message m;
	struct recipient rcpt;
	char local[32];
	uint64_t n, waiting[GROUP_MAX], durable;
	size_t n_waiting;
	uint8_t content[OCTETS];
};

static void durable(void *ctx, uint64_t ticket)
{
	((struct bench *)ctx)->durable = ticket;
}

static const struct store_events events = { durable, must_not_fail, must_not_be_full };

/* An envelope as they are: an address of six attributes each, one trace element. */
static void make_message(struct bench *b)
{
	static const char address[] = "C=GB; A=GOLD; P=LONDON; O=Example; OU1=Operations; S=Sender; G=Some";
	struct message *m = &b->m;
	m->kind = MESSAGE_MESSAGE;
	m->id.domain = (struct gdi){ { ORA_PRINTABLE, VIEW("GB") }, { ORA_PRINTABLE, VIEW("GOLD") }, { ORA_PRINTABLE, VIEW("LONDON") },
				     true };
	must(oraddr_parse(VIEW(address), &m->originator, b->arena, ORADDR_CARRY, NULL), "address");
	must(oraddr_parse(VIEW(address), &b->rcpt.addr, b->arena, ORADDR_CARRY, NULL), "address");
	b->rcpt.number = 1;
	b->rcpt.responsible = true;
	m->content_type = 22;
	m->priority = PRIORITY_NORMAL;
	m->content_length = -1;
	m->trace.n = 1;
	m->trace.v = arena_array(b->arena, 1, sizeof *m->trace.v);
	m->trace.v[0] = (struct trace_element){ .domain = m->id.domain, .arrival = 1767225600000, .arrival_raw = VIEW("260101000000Z") };
	m->rcpt = &b->rcpt;
	m->n_rcpt = 1;
}

static void put_one(struct bench *b, uint64_t *transfer_r)
{
	snprintf(b->local, sizeof b->local, "LONDON-%016llx", (unsigned long long)(b->n++ * UINT64_C(0x9e3779b97f4a7c15)));
	b->m.id.local = view_str(b->local);
	struct store_recipient r = { &b->rcpt, STORE_RCPT_QUEUED, 0 };
	struct store_transfer t = { VIEW("TOKYO"), 0, 0 };
	struct store_message put = { .m = &b->m, .peer = VIEW("LONDON"), .content = view_of(b->content, OCTETS), .arrived = 1767225600000,
				     .expires = 1767398400000, .recipients = &r, .n_recipients = 1, .transfers = &t, .n_transfers = 1 };
	const struct store_step step = { .kind = STEP_TRANSFER_IN, .id = &b->m.id, .peer = VIEW("LONDON"), .size = OCTETS,
					 .text = VIEW("C=JP; A=GOLD; P=TOKYO; S=Recipient"), .digest = { b->n, b->n + 1 } };
	must(!store_seen(b->store, &b->m.id, step.digest), "a new message is taken for a duplicate");
	store_put_message(b->store, &put);
	store_put_step(b->store, &step);
	*transfer_r = t.id_r;
}

static void finish_one(struct bench *b, uint64_t transfer, bool load)
{
	struct store_loaded l = { .m = &b->m };
	arena_reset(b->load);
	if (load)
		must(store_load_transfer(b->store, transfer, &l, b->load, NULL), "a transfer cannot be loaded");
	const struct store_step step = { .kind = STEP_TRANSFER_OUT, .id = &l.m->id, .peer = VIEW("TOKYO"), .size = OCTETS,
					 .text = VIEW("C=JP; A=GOLD; P=TOKYO; S=Recipient") };
	store_put_step(b->store, &step);
	store_transfer_done(b->store, transfer);
}

/* In each group: the results of the transfers of the group before, and as many new messages. */
static struct meter run_store(const char *dir, size_t group, double duration, bool load, unsigned round)
{
	char path[300];
	struct err e;
	struct bench b = { .env = loop_new(dir), .arena = arena_new(ARENA), .load = arena_new(ARENA) };
	snprintf(path, sizeof path, "%s/store-%zu-%u-%d.db", dir, group, round, load);
	const struct store_config c = { path, 65536, 32 << 20 };
	b.store = store_open_sqlite(b.env, &c, &events, &b, &e);
	must(b.store != NULL, e.text);
	make_message(&b);
	struct meter m;
	meter_start(&m);
	uint64_t n = 0;
	while (seconds() - m.wall < duration) {
		uint64_t fresh[GROUP_MAX];
		for (size_t i = 0; i < b.n_waiting; i++)
			finish_one(&b, b.waiting[i], load);
		for (size_t i = 0; i < group; i++)
			put_one(&b, &fresh[i]);
		const uint64_t ticket = store_ticket(b.store);
		const double at = seconds();
		store_commit(b.store);
		longest(&m.commit_ms, at);
		must(b.durable == ticket, "a commit was not told");
		memcpy(b.waiting, fresh, group * sizeof *fresh);
		b.n_waiting = group;
		n += group;
		const double then = seconds();
		env_run_timers(b.env); /* checkpoints */
		longest(&m.checkpoint_ms, then);
	}
	meter_stop(&m, n);
	store_close(&b.store);
	arena_free(&b.arena);
	arena_free(&b.load);
	loop_free(&b.env);
	return m;
}

/* --- SQLite alone: one table, one blob --- */
static void execute(sqlite3 *db, const char *sql)
{
	must(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(db));
}

static struct meter run_raw(const char *dir, size_t group, size_t octets, double duration)
{
	char path[300];
	uint8_t *content = mem_zero(octets);
	sqlite3 *db;
	sqlite3_stmt *put;
	snprintf(path, sizeof path, "%s/raw-%zu.db", dir, group);
	must(sqlite3_open(path, &db) == SQLITE_OK, "raw database");
	execute(db, "pragma journal_mode = wal; pragma synchronous = full; create table if not exists raw (id integer primary key, content blob)");
	must(sqlite3_prepare_v2(db, "insert into raw values (null, ?)", -1, &put, NULL) == SQLITE_OK, "raw statement");
	struct meter m;
	meter_start(&m);
	uint64_t n = 0;
	for (; seconds() - m.wall < duration; n += group) {
		execute(db, "begin immediate");
		for (size_t i = 0; i < group; i++) {
			sqlite3_bind_blob(put, 1, content, (int)octets, SQLITE_STATIC);
			must(sqlite3_step(put) == SQLITE_DONE, sqlite3_errmsg(db));
			sqlite3_reset(put);
		}
		execute(db, "commit");
	}
	meter_stop(&m, n);
	sqlite3_finalize(put);
	sqlite3_close(db);
	free(content);
	return m;
}

static int remove_file(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* In turns, so that the good and the bad minutes of a disk meet all three. */
static void compare_group(const char *dir, size_t group, double duration)
{
	struct meter store = { 0 }, load = { 0 }, raw = { 0 };
	for (unsigned round = 0; round < ROUNDS; round++) {
		meter_add(&store, run_store(dir, group, duration / ROUNDS, false, round));
		meter_add(&raw, run_raw(dir, group, OCTETS, duration / ROUNDS));
		meter_add(&load, run_store(dir, group, duration / ROUNDS, true, round));
	}
	printf("%-6zu %9.0f %9.1f %9.1f %9.0f %9.1f %9.1f %9.0f %9.1f %9.1f %7.0f%% %10.1f %10.1f\n", group, 1e6 / store.wall_us,
	       store.cpu_us, store.wall_us, 1e6 / load.wall_us, load.cpu_us, load.wall_us, 1e6 / raw.wall_us, raw.cpu_us, raw.wall_us,
	       100 * raw.wall_us / store.wall_us, store.commit_ms, store.checkpoint_ms);
	fflush(stdout);
}

static void compare(const char *dir, double duration)
{
	static const size_t groups[] = { 1, 10, 20, 100 };
	printf("%-6s %29s %29s %29s %8s %10s %10s\n", "", "put + done", "put + load + done", "SQLite insert", "", "longest", "longest");
	printf("%-6s %9s %9s %9s %9s %9s %9s %9s %9s %9s %8s %10s %10s\n", "group", "msgs/s", "cpu us", "wall us", "msgs/s", "cpu us",
	       "wall us", "msgs/s", "cpu us", "wall us", "ratio", "commit ms", "check. ms");
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		compare_group(dir, groups[i], duration);
}

int main(int argc, char **argv)
{
	const double duration = argc > 2 ? strtod(argv[2], NULL) : 2;
	char dir[200];
	snprintf(dir, sizeof dir, "%s/store-bench-XXXXXX", argc > 1 ? argv[1] : ".");
	must(mkdtemp(dir) != NULL, "the folder cannot be made");
	if (argc > 4)
		printf("%.1f\n", 1e6 / run_raw(dir, strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10), duration).wall_us);
	else
		compare(dir, duration);
	nftw(dir, remove_file, 4, FTW_DEPTH | FTW_PHYS);
	return 0;
}
