/* retry.h - when an outbound mailbag gives up a message: [005] when as many attempts have really failed as `retries` and the first of them is `give_up_ms` ago,
 * both (Q113119, Q113165, Q277831). Each route has its own (Q119884). What was not attempted - a mailbag that somebody holds,
 * no room at the peer, a wait for the next probe of a peer that is away - never counts.
 *
 * A peer that cannot be reached is one failed attempt of everything that waits for it: these are kept as times, not as counts
 * of each message. Failures of one message are kept by its id. Which of the peer's are a message's own is a matter of our clock only: mail dates
 * are the clients' (often wrong, and of whole minutes), and what an envelope says is the clock of whoever wrote it. */
#pragma once
#include "base/out.h"
#include "flow/codec/msmail/names.h"

enum { RETRY_PROBES_MAX = 256 };
struct retry_probe { wall_ms_t at; uint64_t n; }; /* n failures, the first of them at `at` */
struct retry_message { struct mm_id id; uint64_t n; wall_ms_t first, seen; }; /* n failures, the first at `first`; seen: RETRY_NEVER or retry_seen */
#define RETRY_NEVER INT64_MAX

struct retry {
	struct retry_probe probes[RETRY_PROBES_MAX];
	size_t n_probes;
	struct retry_message *messages;
	size_t n_messages, cap_messages;
};
struct retry_policy { uint64_t retries; int64_t give_up_ms; };

void retry_init(struct retry *r);
void retry_fini(struct retry *r);
/* The peer could not be reached, for all that waits. Neighbours are joined when there are too many, which never counts too much. */
void retry_probe_failed(struct retry *r, wall_ms_t now);
void retry_probe_good(struct retry *r); /* it is there: all that is forgotten */
void retry_failed(struct retry *r, const struct mm_id *id, wall_ms_t now);
void retry_done(struct retry *r, const struct mm_id *id);
/* Found in the bag by a round that began then. Gives when that was so for the first time; remembered while the peer is away only, as nothing
 * counts before that. *changed_r becomes true when something new is remembered. */
wall_ms_t retry_seen(struct retry *r, const struct mm_id *id, wall_ms_t round, bool *changed_r);
/* Forgets the messages that are not there any more, whoever took them. True: there were some. */
bool retry_keep(struct retry *r, bool (*is_there)(const void *ctx, const struct mm_id *id), const void *ctx);
/* since: of retry_seen; the peer's failures before that are not this message's. RETRY_NEVER: only its own count. */
bool retry_is_over(const struct retry *r, const struct retry_policy *p, const struct mm_id *id, wall_ms_t since, wall_ms_t now);
uint64_t retry_count(const struct retry *r, const struct mm_id *id, wall_ms_t since);

/* As lines of text, and back; lines that are none are passed over. */
void retry_print(const struct retry *r, struct out *o);
void retry_parse(struct retry *r, struct view text);
