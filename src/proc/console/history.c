/* history.c - see history.h. */
#include "proc/console/history.h"

#include "base/mem.h"

enum { FINE = 600, COARSE = 1440, COARSE_MS = 15 * 1000 };

struct ring {
	size_t n, next, cap;
	struct history_sample *v;
};

struct history {
	struct ring fine, coarse;
	/* Of the coarse sample under way. */
	struct history_sample sum;
	unsigned n, n_latency;
};

struct history *history_new(void)
{
	struct history *h = mem_zero(sizeof *h);
	h->fine = (struct ring){ .cap = FINE, .v = mem_zero(FINE * sizeof *h->fine.v) };
	h->coarse = (struct ring){ .cap = COARSE, .v = mem_zero(COARSE * sizeof *h->coarse.v) };
	return h;
}

void history_free(struct history **hp)
{
	if (*hp == NULL)
		return;
	free((*hp)->fine.v);
	free((*hp)->coarse.v);
	MEM_FREE(*hp);
}

static void add(struct ring *r, const struct history_sample *s)
{
	r->v[r->next] = *s;
	r->next = (r->next + 1) % r->cap;
	r->n += r->n < r->cap;
}

static const struct history_sample *at(const struct ring *r, size_t i)
{
	return &r->v[(r->next + r->cap - r->n + i) % r->cap];
}

/* What is of this time or later. */
static void drop_from(struct ring *r, int64_t at_ms)
{
	while (r->n > 0 && at(r, r->n - 1)->at_ms >= at_ms) {
		r->next = (r->next + r->cap - 1) % r->cap;
		r->n--;
	}
}

/* The queue as it was last, the rates and the latency as they were on average. */
static void end_coarse(struct history *h)
{
	struct history_sample s = h->sum;
	s.received_per_s /= (float)h->n;
	s.sent_per_s /= (float)h->n;
	s.latency_ms = h->n_latency == 0 ? -1 : s.latency_ms / (float)h->n_latency;
	add(&h->coarse, &s);
	h->n = h->n_latency = 0;
}

void history_add(struct history *h, const struct history_sample *s)
{
	const struct history_sample *last = history_last(h);
	if (last != NULL && s->at_ms == last->at_ms)
		return;
	if (last != NULL && s->at_ms < last->at_ms) {
		drop_from(&h->fine, s->at_ms);
		drop_from(&h->coarse, s->at_ms / COARSE_MS * COARSE_MS);
		h->n = h->n_latency = 0;
	}
	add(&h->fine, s);
	if (h->n > 0 && s->at_ms / COARSE_MS != h->sum.at_ms / COARSE_MS)
		end_coarse(h);
	if (h->n++ == 0)
		h->sum = (struct history_sample){ .at_ms = s->at_ms };
	h->sum.queued = s->queued;
	h->sum.received_per_s += s->received_per_s;
	h->sum.sent_per_s += s->sent_per_s;
	h->sum.latency_ms += s->latency_ms < 0 ? 0 : s->latency_ms;
	h->n_latency += s->latency_ms >= 0;
}

const struct history_sample *history_last(const struct history *h)
{
	return h->fine.n == 0 ? NULL : at(&h->fine, h->fine.n - 1);
}

void history_put_sample(const struct history_sample *s, const char *name, struct jout *j)
{
	jout_open(j, name, '{');
	jout_int(j, "at_ms", s->at_ms);
	jout_int(j, "queued", s->queued);
	jout_real(j, "received_per_s", (double)s->received_per_s);
	jout_real(j, "sent_per_s", (double)s->sent_per_s);
	if (s->latency_ms < 0)
		jout_null(j, "latency_ms");
	else
		jout_real(j, "latency_ms", (double)s->latency_ms);
	jout_close(j, '}');
}

void history_put(const struct history *h, int64_t since_ms, const char *name, struct jout *j)
{
	const int64_t fine_from = h->fine.n == 0 ? INT64_MAX : at(&h->fine, 0)->at_ms;
	jout_open(j, name, '[');
	for (size_t i = 0; i < h->coarse.n; i++)
		if (at(&h->coarse, i)->at_ms >= since_ms && at(&h->coarse, i)->at_ms < fine_from)
			history_put_sample(at(&h->coarse, i), NULL, j);
	for (size_t i = 0; i < h->fine.n; i++)
		if (at(&h->fine, i)->at_ms >= since_ms)
			history_put_sample(at(&h->fine, i), NULL, j);
	jout_close(j, ']');
}
