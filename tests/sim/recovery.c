/* recovery.c - the line breaks at each place where it can. For each (state, event) pair of the tables of COTP, session and
 * association that is reached, in each variant of a link: a run in which every connection is cut just when that row has acted for the
 * first time (and one for a later time), stays down for several open intervals, and is restored. Then everything must drain by itself:
 * nothing lost, nothing twice, the first attempt within one open interval, and at rest nothing is held any more.
 * Pairs that no variant reaches are named. */
#include "sim_int.h"

#include "base/fault.h"
#include "base/mem.h"

#include <unistd.h>

enum { INTERVAL_MS = 2000, DOWN_INTERVALS = 7, REST_MS = 75 * 1000 /* what broke off is kept for 60 s */, ROWS_MAX = 400, GRACE_MS = 50 };

/* A way in which two MTAs are joined. */
static const struct variant {
	const char *name;
	const char *settings;  /* of each link */
	const char *fault;     /* what goes wrong besides, so that rows of trouble are reached */
	const char *caller;    /* of MTA b's links: it never calls; those of the others are permanent */
} variants[] = {
	{ "plain", "checkpoint-size: 0", NULL, NULL },
	{ "checkpoints", "checkpoint-size: 1\n    window-size: 2", NULL, NULL },
	{ "no resume", "checkpoint-size: 1\n    recovery-timeout: 0 s", NULL, NULL },
	{ "exceptions", "checkpoint-size: 1", "LINK_EXCEPTION:2:fail,LINK_EXCEPTION:9:fail", NULL },
	{ "exceptions, no resume", "checkpoint-size: 1\n    recovery-timeout: 0 s", "LINK_EXCEPTION:2:fail,LINK_EXCEPTION:9:fail", NULL },
	{ "exceptions at the end", "checkpoint-size: 1\n    two-way-alternate: true", "LINK_REFUSE:2:fail,LINK_REFUSE:5:fail", NULL },
	{ "interruptions", "checkpoint-size: 1\n    two-way-alternate: true", "LINK_INTERRUPT:3:fail,LINK_INTERRUPT:9:fail", NULL },
	{ "discards", "checkpoint-size: 1\n    two-way-alternate: true", "LINK_DISCARD:3:fail,LINK_DISCARD:9:fail", NULL },
	{ "at odds", "checkpoint-size: 1", "LINK_INTERRUPT:3:fail,LINK_EXCEPTION:4:fail,LINK_DISCARD:5:fail,LINK_EXCEPTION:6:fail,LINK_EXCEPTION:7:fail,LINK_REFUSE:3:fail", NULL },
	{ "x.410, exceptions", "checkpoint-size: 1\n    conformance: 1988-x410", "LINK_EXCEPTION:2:fail,LINK_REFUSE:5:fail,LINK_INTERRUPT:3:fail,LINK_DISCARD:7:fail", NULL },
	{ "refused transfers", "checkpoint-size: 1", "LINK_OFFER:2:fail", NULL },
	{ "refused, whole", "checkpoint-size: 0", "LINK_OFFER:1:fail", NULL },
	{ "both ways", "checkpoint-size: 1\n    two-way-alternate: true", NULL, NULL },
	{ "x.410", "checkpoint-size: 1\n    conformance: 1988-x410", NULL, NULL },
	{ "1984", "checkpoint-size: 1\n    conformance: \"1984\"", NULL, NULL },
	{ "x.410, both ways", "checkpoint-size: 1\n    conformance: 1988-x410\n    two-way-alternate: true", NULL, NULL },
	{ "one side calls", "checkpoint-size: 1\n    two-way-alternate: true", NULL, "schedule: remote-initiated" },
};

static const char *const all_rows[] = {
#define COTP_ROW(state, tpdu, action, next, clause) "cotp " #state " " #tpdu,
#include "flow/engine/x400/cotp_table.h"
#define SESSION_IN(state, spdu, needs, action, next, clause) "session-in " #state " " #spdu,
#include "flow/engine/x400/session_table.h"
#define SESSION_OUT(state, request, needs, next, clause) "session-out " #state " " #request,
#include "flow/engine/x400/session_table.h"
#define X400_ROW(state, event, action, clause) "x400 " #state " " #event,
#include "flow/engine/x400/x400_table.h"
};

struct recovery {
	struct sim *m;                   /* the run under way */
	const struct variant *variant;
	const char *row;                 /* cut when it has acted ... NULL: only look which are reached */
	uint64_t nth;                    /* ... for the nth time */
	uint64_t seen;
	struct {
		char name[64];
		uint64_t times;
	} reached[ROWS_MAX];             /* rows of this run */
	size_t n_reached;
	int64_t down_at, up_at, calm_at; /* 0: not yet */
	bool waits[MTAS];                /* it had mail when the line was restored */
	struct timer restore;
};

static struct recovery *watched; /* fault_watcher knows no argument */

/* --- one run --- */

void recovery_settings(const struct recovery *r, unsigned mta, struct out *o)
{
	out_fmt(o, "    %s\n", r->variant->settings);
	if (mta == 1 && r->variant->caller != NULL)
		out_fmt(o, "    %s\n", r->variant->caller);
	else if (r->variant->caller != NULL)
		out_fmt(o, "    permanent: true\n");
}

static void on_restore(void *ctx)
{
	struct recovery *r = ctx;
	r->up_at = world_now_ms(r->m->w);
	world_up(r->m->w);
	for (unsigned i = 0; i < MTAS; i++) {
		struct store_counts c = { 0 };
		if (r->m->mta[i].s != NULL)
			switch_count(r->m->mta[i].s, &c);
		r->waits[i] = c.transfers > 0 && !(i == 1 && r->variant->caller != NULL);
	}
}

static void on_row(const char *name)
{
	struct recovery *r = watched;
	size_t i = 0;
	while (i < r->n_reached && strcmp(r->reached[i].name, name) != 0)
		i++;
	if (i == r->n_reached) {
		assert(i < ROWS_MAX);
		snprintf(r->reached[r->n_reached++].name, sizeof r->reached[0].name, "%s", name);
	}
	r->reached[i].times++;
	if (r->row == NULL || strcmp(r->row, name) != 0 || ++r->seen != r->nth)
		return;
	r->down_at = world_now_ms(r->m->w);
	if (r->m->run.verbose)
		printf("%8lld  the line is cut: %s\n", (long long)r->down_at, name);
	world_down(r->m->w);
	timer_after(&r->restore, DOWN_INTERVALS * INTERVAL_MS);
}

void recovery_begin(struct sim *m)
{
	struct recovery *r = m->run.recovery;
	struct err e;
	r->m = m;
	if (r->variant->fault != NULL && !fault_plan(r->variant->fault, &e))
		CANT_HAPPEN("the fault plan of a variant is wrong");
	timer_init(&r->restore, sim_env(m->god), on_restore, r);
	watched = r;
	fault_watcher = on_row;
}

/* Quiet: then idle associations are released, and nothing may be left. */
bool recovery_is_over(struct sim *m)
{
	struct recovery *r = m->run.recovery;
	const int64_t now = world_now_ms(m->w);
	if (r->down_at != 0 && r->up_at == 0)
		return false;
	if (r->calm_at == 0)
		r->calm_at = now;
	return now - r->calm_at > REST_MS;
}

/* Its own; where both may send on one association, its neighbours' serve as well. -1: none. */
static int64_t first_attempt(const struct recovery *r, unsigned i)
{
	int64_t first = world_first_connect(r->m->w, r->m->mta[i].name, r->up_at);
	if (strstr(r->variant->settings, "two-way-alternate: true") == NULL)
		return first;
	for (unsigned k = i == 0 ? 1 : i - 1; k <= i + 1 && k < MTAS; k += 2) {
		const int64_t theirs = world_first_connect(r->m->w, r->m->mta[k].name, r->up_at);
		first = first < 0 || (theirs >= 0 && theirs < first) ? theirs : first;
	}
	return first;
}

static void check_attempts(struct recovery *r)
{
	for (unsigned i = 0; i < MTAS; i++) {
		if (!r->waits[i])
			continue;
		const int64_t first = first_attempt(r, i);
		if (first < 0 || first - r->up_at > INTERVAL_MS + GRACE_MS)
			sim_fail(r->m, "%c has mail and tries %lld ms after the line is back, want at most an open interval, %d ms", r->m->mta[i].name,
				 (long long)(first < 0 ? -1 : first - r->up_at), INTERVAL_MS);
	}
}

/* Nothing is under way: no control block of anything may be left (Q193894, Q229643). */
static void check_blocks(struct mta *t, const char *process, const struct blocks *b)
{
	static const enum block none[] = { BLOCK_ASSOCIATIONS, BLOCK_HANDOVERS, BLOCK_OFFERS, BLOCK_PARTIALS, BLOCK_RESUMES, BLOCK_ORDERS,
					   BLOCK_TICKETS, BLOCK_LIMBOS, BLOCK_SHOWS, BLOCK_FILES };
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		if (b->n[none[i]] != 0)
			sim_fail(t->sim, "%s of %c: %llu %s are left at rest", process, t->name, (unsigned long long)b->n[none[i]],
				 block_name(none[i]));
}

static void check_rest(struct mta *t)
{
	struct blocks b;
	if (t->s != NULL) {
		switch_blocks(t->s, &b);
		check_blocks(t, "the switch", &b);
	}
	for (unsigned i = 0; i < POSTS; i++)
		if (t->posts[i].link != NULL) {
			link_blocks(t->posts[i].link, &b);
			check_blocks(t, "a link", &b);
		}
}

void recovery_end(struct sim *m)
{
	struct recovery *r = m->run.recovery;
	fault_watcher = NULL;
	if (m->failure[0] != 0)
		return;
	if (r->row != NULL && r->down_at == 0) {
		sim_fail(m, "the row was not reached for the %llu. time: two runs differ", (unsigned long long)r->nth);
		return;
	}
	if (r->up_at != 0)
		check_attempts(r);
	const size_t permanent = r->variant->caller == NULL ? 0 : LINKS;
	if (world_connections(m->w) != permanent)
		sim_fail(m, "%zu connections are left at rest, want %zu", world_connections(m->w), permanent);
	for (unsigned i = 0; i < MTAS && permanent == 0; i++)
		check_rest(&m->mta[i]);
}

/* --- the loop --- */

struct tally {
	uint64_t runs, failed, pairs;
	bool reached[ARRAY_LEN(all_rows)];
};

static void mark(struct tally *t, const struct recovery *r)
{
	for (size_t i = 0; i < r->n_reached; i++)
		for (size_t k = 0; k < ARRAY_LEN(all_rows); k++) {
			char any[64];
			snprintf(any, sizeof any, "session-in ANY %s", strrchr(r->reached[i].name, ' ') + 1);
			if (strcmp(all_rows[k], r->reached[i].name) == 0 || strcmp(all_rows[k], any) == 0)
				t->reached[k] = true;
		}
}

static bool run_it(struct tally *t, struct recovery *r, bool verbose)
{
	char failure[300];
	uint64_t fingerprint;
	const struct run run = { .seed = 7, .verbose = verbose, .events = verbose ? STDERR_FILENO : 0, .recovery = r };
	t->runs++;
	const bool good = sim_run_one(&run, &fingerprint, failure, sizeof failure);
	if (good)
		return true;
	t->failed++;
	printf("%s, %s, time %llu: %s\n", r->variant->name, r->row == NULL ? "no cut" : r->row, (unsigned long long)r->nth, failure);
	return false;
}

static void run_cut(struct tally *t, const struct variant *v, const char *row, uint64_t nth, bool verbose)
{
	struct recovery *r = mem_zero(sizeof *r);
	r->variant = v;
	r->row = row;
	r->nth = nth;
	run_it(t, r, verbose);
	mark(t, r);
	free(r);
}

/* only: "VARIANT/ROW" or "VARIANT/ROW/N", to replay one; NULL: all. */
static bool wanted(const char *only, const struct variant *v, const char *row, uint64_t nth)
{
	char one[200], all[220];
	snprintf(one, sizeof one, "%s/%s", v->name, row);
	snprintf(all, sizeof all, "%s/%llu", one, (unsigned long long)nth);
	return only == NULL || strcmp(only, v->name) == 0 || strcmp(only, one) == 0 || strcmp(only, all) == 0;
}

static void run_variant(struct tally *t, const struct variant *v, const char *only, bool verbose)
{
	struct recovery *look = mem_zero(sizeof *look);
	look->variant = v;
	run_it(t, look, false);
	mark(t, look);
	for (size_t i = 0; i < look->n_reached; i++) {
		const uint64_t times = look->reached[i].times, later = (times + 1) / 2;
		t->pairs++;
		if (wanted(only, v, look->reached[i].name, 1))
			run_cut(t, v, look->reached[i].name, 1, verbose);
		if (later > 1 && wanted(only, v, look->reached[i].name, later))
			run_cut(t, v, look->reached[i].name, later, verbose);
	}
	free(look);
}

int recovery_main(const char *only, bool verbose)
{
	struct tally t = { 0 };
	size_t reached = 0;
	for (size_t i = 0; i < ARRAY_LEN(variants); i++)
		if (only == NULL || strncmp(only, variants[i].name, strcspn(only, "/")) == 0)
			run_variant(&t, &variants[i], only, verbose);
	for (size_t i = 0; i < ARRAY_LEN(all_rows); i++) {
		reached += t.reached[i];
		if (!t.reached[i] && only == NULL)
			printf("not reached: %s\n", all_rows[i]);
	}
	printf("the line was cut at %llu pairs of a variant and a row; %zu of %zu rows reached\n", (unsigned long long)t.pairs, reached,
	       ARRAY_LEN(all_rows));
	printf("%llu passed, %llu failed\n", (unsigned long long)(t.runs - t.failed), (unsigned long long)t.failed);
	return t.failed > 0;
}
