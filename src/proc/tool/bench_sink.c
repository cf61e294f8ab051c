/* bench_sink.c - what arrives: counted, matched with what was sent by its MTS-identifier, confirmed at once, not kept. */
#include "proc/tool/bench.h"

#include <stdio.h>

void bench_sink_begin(struct bench_peer *p)
{
	p->n_start = 0;
	p->got = 0;
}

void bench_sink_octets(struct bench_peer *p, struct view octets)
{
	p->got += octets.n;
	struct view part = view_first(octets, BENCH_START - p->n_start);
	if (part.n > 0)
		memcpy(p->start + p->n_start, part.p, part.n);
	p->n_start += part.n;
}

/* The number behind the run's name in the identifier. */
static bool find_number(const struct bench_peer *p, uint64_t *number_r)
{
	const struct bench *b = p->b;
	const size_t n = strlen(b->run);
	const uint8_t *end = p->start + p->n_start, *at = memmem(p->start, p->n_start, b->run, n);
	if (at == NULL)
		return false;
	uint64_t number = 0;
	for (at += n; at < end && *at >= '0' && *at <= '9'; at++)
		number = 10 * number + (uint64_t)(*at - '0');
	*number_r = number - b->o.first;
	return number >= b->o.first && *number_r < b->n_items;
}

void bench_sink_end(struct bench_peer *p)
{
	struct bench *b = p->b;
	struct err e;
	uint64_t number;
	const int64_t now = env_precise_us(b->env);
	if (!x400_transfer_accept(p->x, &e))
		bench_fail(b, &e);
	if (!find_number(p, &number)) {
		b->foreign++;
	} else if (b->items[number].arrived_us != 0) {
		b->duplicates++;
	} else {
		b->items[number].arrived_us = (uint32_t)(now - b->items[number].began_us) + 1;
		b->short_ones += p->got <= b->o.size;
		b->arrived++;
		b->last_us = now;
	}
	const uint64_t all = b->arrived + b->foreign;
	if (b->o.every > 0 && (all == 1 || all % b->o.every == 0)) {
		printf("arrived %llu\n", (unsigned long long)all);
		fflush(stdout);
	}
	bench_moved(b);
}
