/* mailer.h - what is to become of each recipient of a message that has come to a postoffice, and of one that lies in an outbound bag: policy
 * only, no file is touched (facts A9, A10). The answer is written into the envelope: a mailbag, or the [nnn] of a notice. */
#pragma once
#include "base/arena.h"
#include "flow/codec/msmail/envelope.h"

enum mailer_where {
	MAILER_USER,      /* a mailbag of this postoffice */
	MAILER_SYSTEM,    /* $SYSTEM: directory synchronisation */
	MAILER_OUTBOUND,  /* the bag of another postoffice or a gateway */
	MAILER_GROUP,     /* of this postoffice: its members take its place */
	MAILER_ELSEWHERE, /* whoever asks serves it himself: left as it is */
	MAILER_NO_USER,   /* [002] */
	MAILER_NO_ROUTE,  /* [001] */
	MAILER_AMBIGUOUS, /* two entries have this address: [030] (Q165396) */
};
struct mailer_route {
	enum mailer_where where;
	char mailbag[MM_ID_LENGTH + 1]; /* USER, SYSTEM, OUTBOUND */
	struct mm_name next;            /* OUTBOUND: the hop, no mailbox */
	struct mm_name name;            /* what the address says, GROUP: its mailbox is the group */
};

struct mailer_world {
	struct mm_name own;  /* this postoffice */
	unsigned hop_limit;  /* postoffices that a message may pass; what a message says of it itself is not asked (Q147471). 0: none */
	size_t members_max;  /* recipients after groups are expanded; more: the group's [007] */
	bool (*route)(void *ctx, const struct mm_address *to, struct mailer_route *r_r, struct err *e);
	/* Calls each for every member, until it returns false. Fails ERR_PERM: there is no such group. */
	bool (*members)(void *ctx, const char *group, bool (*each)(void *each_ctx, const struct mm_name *member), void *each_ctx, struct err *e);
	void *ctx;
};

/* Fills in `bag` or `notice` (with `why`, reason and diagnostic) of each responsible recipient of *v. An address that comes twice is served once.
 * A group's members are appended, in the arena, each address once, groups in groups too, and the group itself is nobody's
 * any more: external members are served like all others (Q117804), one that cannot be has its own notice. Hop limit ([003]) and circular route ([004]) concern what has to go on: a step
 * from here to the same next postoffice that the trace shows already, all ten characters compared (Q128627); a
 * member of a group expanded here may go the same way once more, the hop limit ends that. Fails only as the callbacks do, with
 * ERR_TEMP or ERR_LOCAL: then nothing is planned. */
MUST_CHECK bool mailer_plan(const struct mailer_world *w, struct mm_envelope *v, struct arena *a, struct err *e);

/* Recipients of *v that still have neither: what the caller serves himself. */
size_t mailer_left(const struct mm_envelope *v);

/* The envelope of what a client has put into an outbound bag, made of its MAI: everyone in To and Cc, those responsible whose route leads to `bag`. */
MUST_CHECK bool mailer_from_mai(const struct mailer_world *w, const struct mai *m, const struct mm_id *id, const char *bag, struct mm_envelope *v_r,
				struct arena *a, struct err *e);

/* The envelope of a message that came to this postoffice, when its own is lost or cannot be read, made of its MAI (NULL, or without a recipient: one of no name stands
 * for them all) and planned. Nobody knows any more who was to be served here: those who live here; if nobody does, everybody. Nothing in it is
 * the MAI's: all is in the arena. Fails as mailer_plan. */
MUST_CHECK bool mailer_rebuild(const struct mailer_world *w, const struct mai *m, const struct mm_id *id, struct mm_envelope *v_r, struct arena *a,
			       struct err *e);

/* Those of `bag` that may not go on for the message's size: [009], but not $SYSTEM. 0: no limit. How many are left. */
size_t mailer_limit_size(struct mm_envelope *v, const char *bag, uint64_t size, uint64_t limit);

/* The envelope as the next postoffice gets it: only recipients of `bag` without a notice are its, nobody has a bag yet, own is the last hop. */
MUST_CHECK bool mailer_hand_over(const struct mm_envelope *v, const char *bag, const struct mm_name *own, wall_ms_t now, struct mm_envelope *to_r,
				 struct arena *a, struct err *e);
size_t mailer_of_bag(const struct mm_envelope *v, const char *bag); /* recipients there without a notice */
