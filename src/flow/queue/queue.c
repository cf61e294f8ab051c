/* queue.c - see queue.h: the policy of a link over time. The window of its queue is in window.c. */
#include "flow/queue/queue.h"

enum { FIRST_HALVINGS = 2, JITTER_PERCENT = 10, KEPT_FOR_URGENT = 1, SOON_PART = 10, SOON_MAX_MS = 5000 };

struct queue_policy queue_policy_default(void)
{
	const uint64_t day_ms = 24 * 3600 * 1000ull;
	return (struct queue_policy){
		.max_open_retries = 144,
		.max_transfer_retries = 2,
		.open_interval_ms = 600 * 1000,
		.transfer_interval_ms = 120 * 1000,
		.threshold = 50,
		.max_associations = 10,
		.timeout_s_per_k = {[PRIORITY_URGENT] = 1000,
				    [PRIORITY_NORMAL] = 2000,
				    [PRIORITY_NON_URGENT] = 3000},
		.expiry_ms = {[PRIORITY_URGENT] = 2 * day_ms,
			      [PRIORITY_NORMAL] = 7 * day_ms,
			      [PRIORITY_NON_URGENT] = 10 * day_ms},
	};
}

static uint64_t saturating_mul(uint64_t a, uint64_t b)
{
	uint64_t x;
	return __builtin_mul_overflow(a, b, &x) ? UINT64_MAX : x;
}

static uint64_t part(uint64_t x, unsigned percent)
{
	return x / 100 * percent + x % 100 * percent / 100;
}

/* A quarter, a half, the whole. */
static uint64_t grown(uint64_t interval, uint32_t failures)
{
	const unsigned doubled = failures == 0 ? 0 : failures - 1;
	return doubled >= FIRST_HALVINGS ? interval : interval >> (FIRST_HALVINGS - doubled);
}

uint64_t queue_open_delay(const struct queue_policy *p, uint32_t failures, uint64_t random)
{
	const uint64_t delay = grown(p->open_interval_ms, failures);
	return delay - random % (part(delay, JITTER_PERCENT) + 1);
}

uint64_t queue_transfer_delay(const struct queue_policy *p, uint32_t failures, uint64_t random)
{
	(void)failures;
	const uint64_t delay = p->transfer_interval_ms > UINT64_MAX / 2 ? UINT64_MAX / 2 : p->transfer_interval_ms;
	const uint64_t tenth = part(delay, JITTER_PERCENT);
	return delay - tenth + random % (2 * tenth + 1);
}

/* As soon as it makes sense to try again. */
static uint64_t soon(const struct queue_policy *p)
{
	return p->open_interval_ms / SOON_PART < SOON_MAX_MS ? p->open_interval_ms / SOON_PART : SOON_MAX_MS;
}

uint64_t queue_reopen_delay(const struct queue_policy *p, uint32_t in_vain, uint64_t random)
{
	return in_vain == 0 ? soon(p) - random % (part(soon(p), JITTER_PERCENT) + 1) : queue_open_delay(p, in_vain, random);
}

uint64_t queue_kick_delay(const struct queue_policy *p, uint64_t since_last_ms, uint64_t random)
{
	const uint64_t least = soon(p);
	return (since_last_ms < least ? least - since_last_ms : 0) + random % (least + 1);
}

bool queue_open_counts(const struct queue_policy *p, uint32_t failures, uint64_t since_counted_ms)
{
	return since_counted_ms >= part(grown(p->open_interval_ms, failures), 100 - JITTER_PERCENT);
}

bool queue_gives_up(const struct queue_policy *p, uint32_t transfer_failures)
{
	return transfer_failures > p->max_transfer_retries; /* the first attempt is no retry */
}

bool queue_gives_up_open(const struct queue_policy *p, uint32_t open_failures)
{
	return open_failures > p->max_open_retries;
}

wall_ms_t queue_expires(const struct queue_policy *p, enum priority prio, wall_ms_t arrived,
			wall_ms_t latest_delivery)
{
	uint64_t room = arrived < 0 ? INT64_MAX : (uint64_t)(INT64_MAX - arrived);
	uint64_t life = p->expiry_ms[prio] < room ? p->expiry_ms[prio] : room;
	wall_ms_t expires = arrived + (wall_ms_t)life;
	return latest_delivery != 0 && latest_delivery < expires ? latest_delivery : expires;
}

unsigned queue_associations(const struct queue_policy *p, uint64_t queued, bool urgent_waiting)
{
	if (queued == 0 || p->max_associations == 0)
		return 0;
	bool keeps_one = p->max_associations >= 2 && !urgent_waiting;
	unsigned max = p->max_associations - (keeps_one ? KEPT_FOR_URGENT : 0);
	uint64_t wanted = p->threshold == 0 ? queued : 1 + (queued - 1) / p->threshold;
	if (urgent_waiting)
		wanted++; /* the one kept for urgent mail comes on top of what the backlog has */
	if (wanted > queued)
		wanted = queued;
	return wanted > max ? max : (unsigned)wanted;
}

bool queue_is_kept(const struct queue_policy *p, unsigned associations)
{
	return p->max_associations >= 2 && associations + KEPT_FOR_URGENT >= p->max_associations;
}

uint64_t queue_transfer_timeout_ms(const struct queue_policy *p, enum priority prio,
				   uint64_t octets)
{
	uint64_t k = octets / 1024 + (octets % 1024 != 0 || octets == 0);
	return saturating_mul(saturating_mul(k, p->timeout_s_per_k[prio]), 1000);
}
