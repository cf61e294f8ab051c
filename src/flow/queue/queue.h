/* queue.h - the policy of one link over time: when to try, when to give up, how many associations. Pure: no store,
 * no clock, no random numbers but those passed in. (Contract fixed by the switch, which is written against it.) */
#pragma once
#include "flow/message/message.h"

struct queue_policy {
	uint32_t max_open_retries, max_transfer_retries;
	uint64_t open_interval_ms, transfer_interval_ms;
	unsigned threshold, max_associations; /* one of max_associations is kept for urgent when there are two or more */
	uint32_t timeout_s_per_k[PRIORITY_COUNT];
	uint64_t expiry_ms[PRIORITY_COUNT];
};

/* The X.400 Connector's defaults. */
struct queue_policy queue_policy_default(void);

/* Wait before the next attempt to open after `failures` consecutive ones (1 = the first): a quarter of the open interval, twice as
 * long with each, never longer than the interval: however long a peer was away, it is tried within one interval of its return.
 * By random up to a tenth less, so that links which failed together do not come back together. */
uint64_t queue_open_delay(const struct queue_policy *p, uint32_t failures, uint64_t random);
/* The transfer interval, +-10 % by random, however often it has failed. */
uint64_t queue_transfer_delay(const struct queue_policy *p, uint32_t failures, uint64_t random);
/* Wait before an association is opened in the place of one that was lost. `in_vain`: so many in a row were lost before anything
 * got through on them. None: a tenth of the open interval, at most 5 s, so that a transfer can go on where it stood; else as after
 * so many failures to open: a link that opens and breaks must not do that all day. */
uint64_t queue_reopen_delay(const struct queue_policy *p, uint32_t in_vain, uint64_t random);
/* Wait before an attempt that something has brought forward (the peer has called, the network has changed) when the last one
 * was so long ago: never two within a tenth of the open interval (at most 5 s), and by random as much later, so that not all
 * links start together; random 0: no later. */
uint64_t queue_kick_delay(const struct queue_policy *p, uint64_t since_last_ms, uint64_t random);
/* Whether one more failure to open counts, so long after the last one that did, which was the `failures`-th: not when it has come
 * sooner than the waits make it. Attempts that are brought forward use up no retries. */
bool queue_open_counts(const struct queue_policy *p, uint32_t failures, uint64_t since_counted_ms);
/* After so many failed transfers of one message it is reported: when there was one more failure than retries allowed. */
bool queue_gives_up(const struct queue_policy *p, uint32_t transfer_failures);
/* The same for attempts to open: the message looks for another route, or is reported. */
bool queue_gives_up_open(const struct queue_policy *p, uint32_t open_failures);
/* Point in time when a message that arrived then expires; the earlier of that and latest_delivery (0: none). */
wall_ms_t queue_expires(const struct queue_policy *p, enum priority prio, wall_ms_t arrived, wall_ms_t latest_delivery);
/* Associations wanted for so many queued messages (0 for none): one, and one more for each `threshold` messages beyond the
 * first `threshold`; never more than there are messages. urgent_waiting asks for one more and allows the one kept for urgent. */
unsigned queue_associations(const struct queue_policy *p, uint64_t queued, bool urgent_waiting);
/* Of so many associations that there are already, the next one is the one kept for urgent. */
bool queue_is_kept(const struct queue_policy *p, unsigned associations);
/* Longest time for one transfer: begun kilobytes times the setting. */
uint64_t queue_transfer_timeout_ms(const struct queue_policy *p, enum priority prio, uint64_t octets);

/* --- the window: what of the queue is in memory, in order of priority, then (next_ms, id). --- */

struct queue_entry {
	uint64_t transfer;
	enum priority priority;
	void *user;
};

struct queue_window;
struct queue_window *queue_window_new(size_t max); /* entries per priority */
void queue_window_free(struct queue_window **w);   /* users are the caller's */
/* At the end of its priority; false when that priority is full. */
bool queue_window_push(struct queue_window *w, struct queue_entry e);
/* Back to the front: it was taken and not used. Always succeeds. */
void queue_window_unget(struct queue_window *w, struct queue_entry e);
/* The first of the highest priority (at least `least`); false: none. */
bool queue_window_take(struct queue_window *w, enum priority least, struct queue_entry *e_r);
/* Out of the middle, in time that grows with the window; false: it is not in there. */
bool queue_window_remove(struct queue_window *w, enum priority p, uint64_t transfer);
size_t queue_window_count(const struct queue_window *w, enum priority p);
size_t queue_window_total(const struct queue_window *w);
/* Room for a refill worth asking the store: under a quarter full. */
bool queue_window_wants_refill(const struct queue_window *w, enum priority p);
size_t queue_window_room(const struct queue_window *w, enum priority p);
