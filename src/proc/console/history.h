/* history.h - samples of one link, or of all: the last ones as they came, and one in 15 s for six hours, in fixed memory. */
#pragma once
#include "proc/console/jout.h"

struct history_sample {
	int64_t at_ms;            /* since 1970 */
	uint32_t queued;
	float received_per_s, sent_per_s;
	float latency_ms;         /* below 0: none */
};

struct history;
struct history *history_new(void);
void history_free(struct history **h);
/* Samples of its time and later, of a clock that was set back since, go. */
void history_add(struct history *h, const struct history_sample *s);
/* All since then in order, as an array of that name. */
void history_put(const struct history *h, int64_t since_ms, const char *name, struct jout *j);
/* NULL: none. */
const struct history_sample *history_last(const struct history *h);
void history_put_sample(const struct history_sample *s, const char *name, struct jout *j);
