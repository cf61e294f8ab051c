/* bench.c - `posthorn bench`: load for an MTA and a sink for what it relays. */
#include "proc/tool/bench.h"

#include "base/mem.h"
#include "proc/tool/tool.h"
#include "sys/loop.h"

#include <getopt.h>
#include <stdlib.h>

enum { EXIT_USAGE = 64, MICRO = 1000, RUN_MAX = 10, RECIPIENTS_MAX = 32767 };

static const char usage_text[] =
	"usage: posthorn bench [--to ADDRESS] [--listen ADDRESS] [OPTIONS]\n\n"
	"Sends messages to the MTA at --to over X.400 P1, the next as soon as the last is confirmed, on each association, and takes\n"
	"what is relayed to --listen, confirming it at once. With both, the time from the beginning of a message to its arrival is\n"
	"measured. With --listen alone it is a sink until it is ended, or, with --run, until those --messages have arrived.\n\n"
	"  --to ADDRESS           where the MTA listens, \"127.0.0.1:102\"\n"
	"  --listen ADDRESS       where the relayed messages come\n"
	"  --mta NAME             our MTA name in binds (bench)\n"
	"  --password TEXT        our password in binds\n"
	"  --recipient ADDRESS    O/R address of the recipient (C=SE; A=BENCH; P=SINK; O=Example; S=Recipient)\n"
	"  --recipients N         of each message (1); # in the address is the recipient's number, 0.., % that modulo 1000\n"
	"  --report               ask for reports of non-delivery\n"
	"  --associations N       to open (1)\n"
	"  --messages N           to send at most (1000)\n"
	"  --warm N               to send before, uncounted; \"warm\" is printed when they have arrived (0)\n"
	"  --seconds S            no message begins later (no limit)\n"
	"  --size OCTETS          of content (2048)\n"
	"  --priority P           non-urgent, normal (the default) or urgent\n"
	"  --pause MS             from the beginning of a message to that of the next on the same association, at least (0)\n"
	"  --run NAME             in each MTS-identifier, at most 10 letters and digits (random)\n"
	"  --first N              number of the first message (0)\n"
	"  --every N              print \"arrived N\" at the first arrival and at each N\n"
	"  --checkpoint-size K    in units of 1024 octets, 0: none (30)\n"
	"  --window-size N        checkpoints without confirmation (5)\n"
	"  --json                 the result as one JSON object\n\n"
	"Exit status: 0 all arrived once and whole, 1 not, 64 wrong usage.";

bool bench_may_begin(const struct bench *b)
{
	if (b->ended)
		return false;
	if (!b->warmed)
		return b->n_items < b->o.warm;
	if (b->n_items - b->o.warm >= b->o.messages)
		return false;
	return b->o.duration_ms == 0 || env_now_ms((struct env *)b->env) - b->start_us / MICRO < b->o.duration_ms;
}

void bench_fail(struct bench *b, const struct err *why)
{
	if (b->ended)
		return;
	b->why = *why;
	b->ended = true;
	loop_stop(b->env);
}

/* A sink alone that knows what is to come. */
static bool waits(const struct bench *b)
{
	return b->o.to == NULL && b->o.run != NULL;
}

static bool all_done(const struct bench *b)
{
	return b->confirmed == b->n_items && (b->o.listen == NULL || b->arrived == b->n_items);
}

static void begin_measured(struct bench *b)
{
	b->warmed = true;
	b->arrivals_before = b->n_items;
	b->start_us = b->last_us = env_precise_us(b->env);
	if (b->o.warm > 0) {
		puts("warm");
		fflush(stdout);
	}
	for (struct bench_peer *p = b->peers; p != NULL; p = p->next)
		if (p->initiator)
			bench_pump(p);
}

static void deferred_begin(void *ctx)
{
	begin_measured(ctx);
}

static void deferred_end(void *ctx)
{
	loop_stop(((struct bench *)ctx)->env);
}

/* With a pause the time may run out while nothing moves. */
static void end_when_done(struct bench *b)
{
	if (b->o.to == NULL || b->ended || bench_may_begin(b) || !all_done(b))
		return;
	if (!b->warmed) {
		b->warmed = true; /* once */
		env_defer(b->env, deferred_begin, b);
	} else if (b->n_items > b->o.warm || b->o.messages == 0) {
		b->ended = true;
		loop_stop(b->env);
	}
}

void bench_moved(struct bench *b)
{
	b->moved_ms = env_now_ms(b->env);
	if (waits(b) && b->arrived == b->n_items && !b->ended) {
		b->ended = true;
		env_defer(b->env, deferred_end, b); /* what it has confirmed leaves first */
	}
	end_when_done(b);
}

static void on_patience(void *ctx)
{
	struct bench *b = ctx;
	struct err e;
	CHECK(b, BENCH_MAGIC);
	if (env_now_ms(b->env) - b->moved_ms >= BENCH_PATIENCE_MS) {
		err_set(&e, ERR_TEMP, ERR_OF_LINK, "nothing has moved for %d s: %llu begun, %llu confirmed, %llu arrived",
			BENCH_PATIENCE_MS / 1000, (unsigned long long)b->n_items, (unsigned long long)b->confirmed,
			(unsigned long long)b->arrived);
		bench_fail(b, &e);
		return;
	}
	timer_after(&b->patience, 1000);
}

static void on_pace(void *ctx)
{
	struct bench *b = ctx;
	CHECK(b, BENCH_MAGIC);
	timer_after(&b->pace, b->o.pause_ms);
	for (struct bench_peer *p = b->peers; p != NULL; p = p->next)
		if (p->initiator)
			bench_pump(p);
	end_when_done(b);
}

/* --- the result --- */

static int by_size(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

struct quantiles {
	double p50_ms, p99_ms;
};

static struct quantiles quantiles_of(const struct bench *b, bool arrival)
{
	struct quantiles q = { 0, 0 };
	const size_t first = (size_t)b->arrivals_before, n = (size_t)b->n_items - first;
	if (n == 0)
		return q;
	uint32_t *v = mem_alloc(mem_mul(n, sizeof *v));
	for (size_t i = 0; i < n; i++)
		v[i] = arrival ? b->items[first + i].arrived_us : b->items[first + i].confirmed_us;
	qsort(v, n, sizeof *v, by_size);
	q.p50_ms = v[n / 2] / 1000.0;
	q.p99_ms = v[n - 1 - n / 100] / 1000.0;
	free(v);
	return q;
}

static void show(const struct bench *b)
{
	const uint64_t n = b->n_items - b->arrivals_before;
	const double seconds = (double)(b->last_us - b->start_us) / 1e6, rate = seconds > 0 ? (double)n / seconds : 0;
	const struct quantiles confirmed = quantiles_of(b, false), arrived = quantiles_of(b, b->o.listen != NULL);
	printf(b->o.json ? "{\"messages\": %llu, \"seconds\": %.6f, \"msgs_per_s\": %.1f, \"confirmed_p50_ms\": %.3f, "
			   "\"confirmed_p99_ms\": %.3f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"duplicates\": %llu, \"foreign\": %llu}\n"
			 : "%llu messages in %.3f s: %.1f/s\nto the confirmation: p50 %.3f ms, p99 %.3f ms\n"
			   "to the arrival:      p50 %.3f ms, p99 %.3f ms\nduplicates: %llu, of other runs: %llu\n",
	       (unsigned long long)n, seconds, rate, confirmed.p50_ms, confirmed.p99_ms, arrived.p50_ms, arrived.p99_ms,
	       (unsigned long long)b->duplicates, (unsigned long long)b->foreign);
}

/* --- the command --- */

static uint64_t number_of(const char *text)
{
	return strtoull(text, NULL, 10);
}

static enum priority priority_of(const char *text)
{
	for (int p = 0; p < PRIORITY_COUNT; p++)
		if (strcmp(text, priority_name((enum priority)p)) == 0)
			return (enum priority)p;
	return PRIORITY_COUNT;
}

static bool read_options(int argc, char **argv, struct bench_options *o)
{
	enum { TO = 1, LISTEN, MTA, PASSWORD, RECIPIENT, ASSOCIATIONS, MESSAGES, WARM, SECONDS, SIZE, CHECKPOINT, WINDOW, JSON,
	       RUN, FIRST, EVERY, PRIORITY, PAUSE, RECIPIENTS, REPORT };
	static const struct option options[] = {
		{ "to", 1, NULL, TO }, { "listen", 1, NULL, LISTEN }, { "mta", 1, NULL, MTA }, { "password", 1, NULL, PASSWORD },
		{ "recipient", 1, NULL, RECIPIENT }, { "associations", 1, NULL, ASSOCIATIONS }, { "messages", 1, NULL, MESSAGES },
		{ "warm", 1, NULL, WARM }, { "seconds", 1, NULL, SECONDS }, { "size", 1, NULL, SIZE },
		{ "checkpoint-size", 1, NULL, CHECKPOINT }, { "window-size", 1, NULL, WINDOW }, { "json", 0, NULL, JSON },
		{ "run", 1, NULL, RUN }, { "first", 1, NULL, FIRST }, { "every", 1, NULL, EVERY }, { "priority", 1, NULL, PRIORITY },
		{ "pause", 1, NULL, PAUSE }, { "recipients", 1, NULL, RECIPIENTS },
		{ "report", 0, NULL, REPORT }, { 0 },
	};
	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
		switch (c) {
		case TO: o->to = optarg; break;
		case LISTEN: o->listen = optarg; break;
		case MTA: o->mta = optarg; break;
		case PASSWORD: o->password = optarg; break;
		case RECIPIENT: o->recipient = optarg; break;
		case ASSOCIATIONS: o->associations = (unsigned)number_of(optarg); break;
		case MESSAGES: o->messages = number_of(optarg); break;
		case WARM: o->warm = number_of(optarg); break;
		case SECONDS: o->duration_ms = (int64_t)(strtod(optarg, NULL) * 1000); break;
		case SIZE: o->size = number_of(optarg); break;
		case CHECKPOINT: o->checkpoint_k = (unsigned)number_of(optarg); break;
		case WINDOW: o->window = (unsigned)number_of(optarg); break;
		case JSON: o->json = true; break;
		case RECIPIENTS: o->recipients = (unsigned)number_of(optarg); break;
		case REPORT: o->report = true; break;
		case RUN: o->run = optarg; break;
		case FIRST: o->first = number_of(optarg); break;
		case EVERY: o->every = number_of(optarg); break;
		case PRIORITY: o->priority = priority_of(optarg); break;
		case PAUSE: o->pause_ms = (int64_t)number_of(optarg); break;
		default: return false;
		}
	return optind == argc && (o->to != NULL || o->listen != NULL) && o->associations > 0 && o->window > 0 && o->size > 0 &&
	       o->priority < PRIORITY_COUNT && o->recipients >= 1 && o->recipients <= RECIPIENTS_MAX && (o->run == NULL || strlen(o->run) <= RUN_MAX);
}

static bool begin(struct bench *b, struct err *e)
{
	struct net_addr at;
	if (b->o.listen != NULL) {
		if (!net_addr_parse(b->o.listen, &at, e) || (b->listener = env_listen(b->env, &at, bench_accepted, b, e)) == NULL)
			return false;
		if (b->o.to == NULL)
			printf("sink at %s\n", at.text);
		fflush(stdout);
	}
	if (waits(b)) {
		b->items = mem_zero(mem_mul((size_t)b->o.messages, sizeof *b->items));
		b->n_items = b->o.messages;
		b->warmed = true;
		b->start_us = b->last_us = env_precise_us(b->env);
		for (uint64_t i = 0; i < b->n_items; i++)
			b->items[i].began_us = b->start_us;
	}
	if (b->o.to == NULL)
		return true;
	if (b->o.pause_ms > 0)
		timer_after(&b->pace, b->o.pause_ms);
	b->moved_ms = env_now_ms(b->env);
	timer_after(&b->patience, 1000);
	if (!bench_load_init(b, e))
		return false;
	if (b->o.warm == 0)
		begin_measured(b);
	return true;
}

static int run(struct bench *b)
{
	struct err e;
	b->env = loop_new(NULL);
	timer_init(&b->patience, b->env, on_patience, b);
	timer_init(&b->pace, b->env, on_pace, b);
	if (b->o.run != NULL)
		snprintf(b->run, sizeof b->run, "%s.", b->o.run);
	else
		snprintf(b->run, sizeof b->run, "B%08X.", (unsigned)env_random(b->env));
	if (begin(b, &e))
		loop_run(b->env);
	else
		bench_fail(b, &e);
	b->ended = true;
	timer_stop(&b->patience);
	timer_stop(&b->pace);
	if (b->listener != NULL)
		listener_close(&b->listener);
	bench_peers_free(b);
	out_fini(&b->head);
	free(b->block);
	loop_free(&b->env);
	if (b->why.kind != ERR_NONE)
		fprintf(stderr, "posthorn bench: %s\n", b->why.text);
	else
		show(b);
	if (b->short_ones > 0)
		fprintf(stderr, "posthorn bench: %llu messages arrived without all their content\n", (unsigned long long)b->short_ones);
	free(b->items);
	return b->why.kind == ERR_NONE && b->duplicates == 0 && b->short_ones == 0 ? 0 : 1;
}

int tool_bench(int argc, char **argv)
{
	struct bench b = { .magic = BENCH_MAGIC, .o = { .mta = "bench", .password = "", .associations = 1, .messages = 1000, .size = 2048,
			   .checkpoint_k = 30, .window = 5, .priority = PRIORITY_NORMAL, .recipients = 1, .recipient = "C=SE; A=BENCH; P=SINK; O=Example; S=Recipient" } };
	if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
		puts(usage_text);
		return 0;
	}
	if (!read_options(argc, argv, &b.o)) {
		fprintf(stderr, "posthorn bench: want --to or --listen; see --help\n");
		return EXIT_USAGE;
	}
	return run(&b);
}
