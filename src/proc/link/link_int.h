/* link_int.h - inside the link process. */
#pragma once
#include "base/fault.h"
#include "base/map.h"
#include "flow/codec/p1/p1.h"
#include "flow/engine/x400/x400.h"
#include "flow/message/pack.h"
#include "proc/link/link.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"

enum {
	HANDOVERS_MAX = 2,          /* transfers an association holds: one under way, one ready to follow at once */
	ARENA_SLACK = 8,            /* decoded envelope per encoded octet, for the arena's quota */
	LINK_ALONE_MS = 1000,       /* without a switch: longer than its restart takes, then this process ends too */
	UNSENT_HIGH = 256 * 1024,   /* octets waiting in the socket's buffer before we stop producing */
};

/* A message on its way in. */
enum inbound_state {
	IN_IDLE,      /* no transfer */
	IN_ENVELOPE,  /* collecting the envelope (in the splitter) */
	IN_CONTENT,   /* envelope decoded, content collected in `small` */
	IN_STREAMING, /* OFFER_BEGIN sent, content goes to the switch in pieces */
	IN_WHOLE,     /* the APDU is complete, RTSE's end of transfer has not come */
	IN_OFFERED,   /* waiting for the switch's answer */
	IN_BROKEN,    /* undecodable: octets are dropped until the transfer ends, then refused */
};

struct inbound {
	enum inbound_state state;
	struct arena *arena;      /* the decoded envelope */
	struct p1_split *split;
	struct out packed, small; /* packed envelope; content while it is short */
	uint64_t offer, size;     /* offer id; content octets so far */
	int64_t credit;           /* content octets the switch will take; below 0: overdrawn by one part */
	struct err err;           /* IN_BROKEN: why */
	bool apdu_ended;
};

/* A message on its way out. */
struct handover {
	struct handover *next;
	uint64_t transfer;
	struct out head;          /* encoded octets before the content, then inline content */
	struct view tail;
	uint64_t left;            /* content octets not yet given to the machine, beyond what is in head */
	uint64_t to_pull;         /* content octets not yet asked of the switch */
	struct out content;       /* pulled, not yet given to the machine */
	uint64_t total;           /* RTTR octets in all */
	int64_t timeout_ms;       /* longest time for it, by priority and size */
	bool begun;
};

struct assoc {
	unsigned magic;
#define ASSOC_MAGIC 0xa550c1a7u
	struct link *link;
	uint64_t id;
	const struct set_link *peer; /* NULL: inbound, not yet bound */
	struct stream *stream;
	struct x400 *x;
	struct timer timer, idle;
	bool initiator, bound, stalled, releasing, dead, pumping;
	bool unbinding;              /* the release has been asked for */
	bool told;                   /* the event that says how the bind ended is out */
	bool lost;                   /* the connection is gone: nobody's fault here */
	uint8_t references[64];      /* session connection identifier, see bind_references */
	int64_t opened_ms;
	struct inbound in;
	struct handover *first, **last; /* outbound */
	int64_t transfer_until_ms;   /* of the one under way; INT64_MAX: none */
	struct err why;              /* how it ended */
	struct assoc *next, **prev;
};

struct link {
	unsigned magic;
#define LINK_MAGIC 0x117c117cu
	struct actor_host host;
	const struct settings *settings;
	uint32_t instance;
	struct view *own_tsels;      /* called selectors we answer to; none: any (a link has no selector of its own) */
	size_t n_own_tsels;
	struct chan *control, *bulk;
	struct timer alone;          /* set while the switch is gone */
	struct env_hook reap;        /* frees dead associations at the end of a turn */
	struct assoc *assocs;
	struct assoc *graves;        /* dead, freed by the hook */
	struct map by_id;            /* association id -> struct assoc */
	struct map by_offer;         /* offer id -> struct assoc */
	struct map by_transfer;      /* transfer id -> struct assoc */
	uint64_t next_inbound, next_offer;
	size_t n_inbound;
	bool stopping;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

/* assoc.c: life and the pump between socket and machine. */
struct assoc *assoc_open(struct link *l, uint64_t id, const struct set_link *peer);
struct assoc *assoc_accept(struct link *l, struct stream *s);
void assoc_pump(struct assoc *a);               /* events out of the machine, octets to the socket */
void assoc_stall(struct assoc *a);              /* take no more events until assoc_unstall */
void assoc_unstall(struct assoc *a);
void assoc_abort(struct assoc *a, const struct err *why);
void assoc_release_when_idle(struct assoc *a);
void assoc_bury(struct assoc *a);               /* tells the switch, closes the socket; memory goes at the end of the turn */
void assoc_free_graves(struct link *l);

/* bind.c: who calls, and may they. */
void bind_indication(struct assoc *a, const struct x400_event *ev);
void bind_confirmed(struct assoc *a, const struct x400_event *ev);
void bind_references(struct assoc *a, struct session_config *c);
void bind_list_selectors(struct link *l);
void bind_config(const struct link *l, const struct set_link *peer, bool initiator, struct x400_config *c_r);

/* inbound.c */
void inbound_init(struct assoc *a);
void inbound_fini(struct assoc *a);
void inbound_begin(struct assoc *a);
void inbound_octets(struct assoc *a, struct view octets);
void inbound_end(struct assoc *a);
void inbound_cancel(struct assoc *a);
void inbound_credit(struct assoc *a, uint64_t octets);
void inbound_answer(struct assoc *a, const struct msg_answer *answer);

/* outbound.c */
void outbound_take(struct assoc *a, const struct msg_transfer *t);
void outbound_start(struct assoc *a);           /* the next handover, if the machine is free */
void outbound_produce(struct assoc *a);         /* octets of the one under way, as much as is wanted */
MUST_CHECK bool outbound_content(struct assoc *a, const struct msg_piece *piece, struct err *e);
void outbound_confirmed(struct assoc *a);
void outbound_refused(struct assoc *a, const struct err *why); /* by the peer; the association goes on */
void outbound_fail_all(struct assoc *a, const struct err *why);
bool outbound_is_empty(const struct assoc *a);

/* link.c */
void link_tell_assoc(struct link *l, enum msg m, const struct assoc *a, const struct err *why, bool was_open);
const struct set_link *link_find(const struct link *l, struct view name);
