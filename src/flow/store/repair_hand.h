/* repair_hand.h - a message in hand: what repair_message.c and repair_place.c share. Private to this folder. */
#pragma once
#include "flow/store/repair_impl.h"

/* What the message's row was, to see what of it has changed. */
struct hand_was {
	int64_t kind, priority, arrived, expires, size, file, parts;
	bool has_file, has_content;
	bool mts_id; /* it is the envelope's */
};

struct hand {
	struct repair *r;
	struct groups *gs;
	struct group *g;
	struct hand_was was;
	bool kept;    /* its row, as it was, is in removed/ */
	bool changed; /* the recipients are written anew */
	bool octets;  /* it cannot be handed over as a message any more */
	bool *gone;   /* by part: removed */
	char why[CHECK_SENTENCE];
};

/* The transfer or place in quarantine of that id, NULL: none. */
struct group_part *hand_part(struct hand *h, uint64_t id);
/* One more part; earlier pointers to parts end. */
struct group_part *hand_add(struct hand *h, struct group_part p);

/* A part with an id that was never given gets one; the recipients that name it follow. */
void hand_renumber(struct hand *h);
/* Every recipient that waits and has no place gets one: what was damaged is found again, or made anew. */
void hand_give_places(struct hand *h);
/* The queue of that number, or the one that stands for it. */
int64_t hand_queue(struct repair *r, int64_t no);

/* A row of quarantine for this message. queue: where it waited, 0: nowhere. */
void hand_quarantine(struct hand *h, int64_t id, bool octets, int64_t recipients, int64_t queue, const char *cause);
/* Its transfers are kept for the operator, under their ids: the content is not what was accepted. */
void hand_set_aside(struct hand *h);
/* It lay in a mailbox, and nobody knows in which: those recipients wait in quarantine. */
void hand_quarantine_delivered(struct hand *h);
