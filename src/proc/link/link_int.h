/* link_int.h - inside the link process. */
#pragma once
#include "base/fault.h"
#include "base/map.h"
#include "flow/codec/p1/p1.h"
#include "flow/engine/x400/x400.h"
#include "flow/message/pack.h"
#include "flow/message/track_key.h"
#include "flow/wire/tls.h"
#include "proc/link/link.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"

enum {
	HANDOVERS_MAX = 2,          /* transfers an association holds: one under way, one ready to follow at once */
	ARENA_SLACK = 8,            /* decoded envelope per encoded octet, for the arena's quota */
	SUSPECTS_MAX = 1024,        /* beyond it the oldest is forgotten, and struck anew if it was no accident */
	WRAPPER_MAX = 4096,         /* octets that stand before an envelope */
	DESCRIPTORS_KEPT = 64,      /* for what is no inbound association */
	LINK_ALONE_MS = 1000,       /* without a switch: longer than its restart takes, then this process ends too */
	UNSENT_HIGH = 256 * 1024,   /* octets waiting in the socket's buffer before we stop producing */
	REFERENCE_MAX = 512,        /* name of an association with what else is in the string: recover.c */
};

/* A message on its way in: inbound.c */
enum inbound_state {
	IN_IDLE,      /* no transfer */
	IN_HEAD,      /* the first octets are held back: nothing is decoded before it has a name (suspects.c) */
	IN_ENVELOPE,  /* collecting the envelope: in the splitter, and in `kept` as it came */
	IN_CONTENT,   /* what is offered is collected in `kept` while it is short */
	IN_STREAMING, /* OFFER_BEGIN is sent, the rest goes to the switch in pieces */
	IN_SPOILED,   /* its content broke: dropped until the transfer ends, then OFFER_SPOILED */
	IN_REFUSED,   /* it cannot be taken now: dropped until the transfer ends, then refused */
	IN_OFFERED,   /* all of it is with the switch: waiting for its answer */
};

struct inbound;

/* Whose octets they are: an association's (receive.c), or the switch's that has them examined (exam.c). */
struct inbound_sender {
	/* Give no octets and no end until told otherwise. True only from inside inbound_octets, inbound_end. */
	void (*stall)(struct inbound *in, bool stalled);
	/* NULL: durable. Else not taken, and why. `in` is idle again. May be called from inside inbound_end. */
	void (*answered)(struct inbound *in, const struct err *refused);
};

struct inbound {
	struct link *link;
	const struct inbound_sender *sender;
	const char *name, *peer;  /* link and address, while there is a transfer */
	uint64_t examined;        /* EXAMINE's; 0: octets of an association */
	enum inbound_state state;
	uint8_t head[MSG_HEAD];   /* the first octets */
	size_t n_head;
	uint64_t hash;            /* of them, once they are all there */
	enum p1_tables tables;    /* of what the peer sends */
	struct p1_split *split;
	struct out kept;          /* IN_ENVELOPE: octets as they came. Later: what is to be offered and has no credit yet */
	struct out packed;        /* envelope, until it is offered */
	bool is_ipm;              /* its content is an interpersonal message, by its type */
	struct track_keys keys;   /* of its heading, for the offer */
	bool octets;              /* they are offered as they came: suspect, or undecodable (err) */
	struct err err;           /* octets, IN_SPOILED, IN_REFUSED: why */
	uint64_t offer, size;     /* offer id; octets to be offered that have come so far */
	size_t credit;            /* octets the switch will take now */
	bool apdu_ended;
	size_t held;              /* memory, as counted in link->held */
	size_t *held_of;          /* and for its link; NULL: of none */
};

/* An inbound transfer as the switch keeps it for the case that it breaks off: keep.c */
struct keep {
	enum { KEEP_OFF, KEEP_HELD, KEEP_KEPT, KEEP_ASKED, KEEP_PULLED } state;
	uint64_t id;              /* on the channel; 0: none yet */
	uint64_t activity;
	uint64_t octets;          /* RTTR octets so far */
	struct out held;          /* HELD: all of them */
	size_t counted;           /* memory, as counted in link->held */
	uint32_t asked, synced;   /* checkpoints: the last one given to the switch, the last one it has made durable */
	unsigned waiting;         /* between the two */
	uint64_t left, pulled;    /* PULLED: octets to be asked for; asked for and not yet here */
};

/* Where a transfer of ours can go on: recover.c */
struct go_on {
	bool set;
	struct x400_resume at;    /* its reference lies in `packed` */
	uint64_t total, hash;     /* of what was being sent: elsewhere than in these octets it cannot go on */
	struct out packed;
};

/* A message on its way out. */
struct handover {
	struct handover *next;
	uint64_t transfer;
	uint64_t stored;          /* the store's id, for the note */
	struct out head;          /* encoded octets before the content, then inline content */
	struct view tail;
	uint64_t left;            /* content octets not yet given to the machine, beyond what is in head */
	uint64_t to_pull;         /* content octets not yet asked of the switch */
	struct out content;       /* pulled, not yet given to the machine */
	uint64_t total;           /* RTTR octets in all */
	uint64_t hash;            /* of the octets before the content */
	uint64_t skip;            /* octets that the peer has from before, not to be given to the machine */
	struct go_on from;        /* by the switch's word */
	int64_t timeout_ms;       /* longest time for it, by priority and size */
	enum priority priority;
	bool begun;
};

/* Why an association takes no more of its peer's octets. */
enum stall { STALL_OFFER = 1, STALL_PARTIAL = 2 };

struct crowd;

struct assoc {
	unsigned magic;
#define ASSOC_MAGIC 0xa550c1a7u
	struct link *link;
	uint64_t id;
	const struct set_link *peer; /* NULL: inbound, not yet bound */
	struct stream *stream;
	struct x400 *x;
	struct timer timer, idle;
	bool initiator, bound, releasing, dead, pumping;
	unsigned stalled;            /* bits of enum stall */
	bool recovering;             /* initiator: the bind under way asks to recover `recovers` */
	bool tried_recovery, recovered, connected, reopen, buried, asks_two_way;
	unsigned generation;         /* of the connection: a refused recovery is followed by another one */
	struct out recovers;         /* initiator: which association, as the switch said it */
	bool unbinding;              /* the release has been asked for */
	char *address;               /* initiator: which of the peer's; ours */
	bool permanent;              /* initiator: not released for being idle */
	bool leaving;                /* inbound: to end between two transfers */
	bool is_outdated;            /* and that for its link has other settings now */
	struct crowd *crowd;         /* inbound and not bound: of its address */
	int64_t release_until_ms;    /* unbinding: then the peer has had its time to answer */
	bool told;                   /* the event that says how the bind ended is out */
	struct {                     /* two-way alternate: turn.c */
		bool two_way;        /* agreed */
		bool asked;          /* we have, with this priority */
		unsigned priority;
		bool peer_asks;      /* it has, with this one */
		unsigned peer_priority;
		bool one_more;       /* has begun since it asked, being of higher priority */
	} turn;
	bool lost;                   /* the connection is gone: nobody's fault here */
	uint8_t references[64];      /* session connection identifier, see bind_references */
	int64_t opened_ms;
	struct inbound in;
	struct keep keep;
	struct handover *first, **last; /* outbound */
	int64_t transfer_until_ms;   /* of the one under way; INT64_MAX: none */
	struct err why;              /* how it ended */
	bool has_talked;             /* octets have gone or come on this connection */
	struct wire *wire;           /* of a trace; NULL: none */
	struct assoc *next, **prev;
};

/* An input that was in the hands of a process that died, by the switch's word. hash 0: all inputs of that link. */
struct suspect {
	const struct set_link *link;
	uint64_t hash;
};

/* What is being decoded or encoded now, as it stands outside this process. */
struct note {
	enum { NOTE_NOTHING, NOTE_INPUT, NOTE_TRANSFER } kind;
	const char *name;
	uint64_t id;
};

/* What ASSOC_HOW has said about an association that ASSOC_OPEN comes for next. */
struct how {
	uint64_t assoc;
	uint32_t which;
	bool permanent;
};

/* One link as this process knows it. Its place stays the same while anything refers to it, whatever becomes of the settings: `set` is
 * what assoc.peer points to. */
struct partner {
	unsigned magic;
#define PARTNER_MAGIC 0x9ee30117u
	struct set_link set;         /* a copy; its texts are those of link.settings, or lie in `own` */
	struct arena *own;           /* in the settings no more */
	struct tls *tls;             /* of a link that wants it; NULL: why not */
	struct err tls_why;
	size_t n_bound;              /* inbound associations that are bound */
	size_t held;                 /* memory of all its struct inbound */
	struct partner *next;           /* in link.gone */
};

/* A link that an operator has stopped. */
struct stop {
	struct stop *next;
	char name[65];
};

struct link {
	unsigned magic;
#define LINK_MAGIC 0x117c117cu
	struct actor_host host;
	const struct settings *settings;
	struct arena *config_arena;
	struct gdi domain;           /* mta.domain */
	uint32_t instance;
	struct partner **partners;         /* the links of the settings, in their order */
	size_t n_partners;
	struct partner *gone;           /* in the settings no more, while anything refers to them */
	struct view *own_tsels;      /* called selectors we answer to; none: any (a link has no selector of its own) */
	size_t n_own_tsels;
	struct tls *listen_tls;      /* of callers: whose they are is known later */
	struct err listen_tls_why;
	struct chan *control, *bulk;
	struct timer alone;          /* set while the switch is gone */
	struct arena *arena;         /* of the message being decoded or encoded now, within one call */
	struct env_hook reap;        /* end of a turn: frees dead associations, and nothing is being worked on */
	struct assoc *assocs;
	struct assoc *graves;        /* dead, freed by the hook */
	struct map by_id;            /* association id -> struct assoc */
	struct map by_offer;         /* offer id -> struct inbound */
	struct map by_transfer;      /* transfer id -> struct assoc */
	struct map crowds;           /* hash of an address -> struct crowd */
	struct how how;
	struct map by_partial;       /* partial id -> struct assoc */
	uint64_t next_inbound, next_offer, next_partial;
	struct { uint64_t assoc; struct out reference; } lost; /* what that association is to recover, by the same ASSOC_HOW */
	struct { uint64_t transfer, activity, offset; uint32_t serial; struct out reference; } resume; /* of the TRANSFER that follows */
	size_t n_inbound, inbound_max; /* associations that peers have opened; max is limits.associations, or what the system allows */
	struct suspect suspects[SUSPECTS_MAX];
	size_t n_suspects, oldest_suspect;
	struct note note;
	struct examination *examination;
	size_t held;                 /* memory of all struct inbound */
	bool is_short;               /* of memory: from limits.memory on until under three quarters of it */
	bool told;                   /* the switch has said what comes before all else: suspects, busy or not */
	bool busy;                   /* the switch can take nothing now */
	struct err busy_why;
	struct stop *stops;          /* stops.c */
	struct wiretrace *traces;
	bool is_alone;               /* with suspects */
	bool stopping;
	void (*stopped)(void *ctx);
	void *stopped_ctx;
};

/* apply.c: the links, and other settings for them. */
void partners_begin(struct link *l);
void partners_end(struct link *l);
void link_tell_settled(struct link *l);             /* the switch: which settings are used here; when it comes, and when they change */
void partners_reap(struct link *l);                /* those that are gone and that nothing refers to any more */
struct partner *partner_of(const struct set_link *k);

/* stops.c: links that an operator has stopped. */
bool link_is_stopped(struct link *l, const char *name);
bool link_stop_told(void *ctx, struct view payload, struct err *e);
void link_stops_forget(struct link *l);

/* assoc.c: life and the pump between socket and machine. */
struct assoc *assoc_open(struct link *l, uint64_t id, const struct set_link *peer, const struct how *how);
struct assoc *assoc_accept(struct link *l, struct stream *s, struct crowd *c);
void assoc_pump(struct assoc *a);               /* events out of the machine, octets to the socket */
void assoc_stall(struct assoc *a, enum stall why);   /* take no more events until assoc_unstall */
void assoc_unstall(struct assoc *a, enum stall why);
void assoc_abort(struct assoc *a, const struct err *why);
void assoc_release_when_idle(struct assoc *a);
void assoc_settings(struct assoc *a);           /* its link has other settings, or may have */
void assoc_leave(struct assoc *a);              /* inbound: it ends between two transfers */
void assoc_bury(struct assoc *a);               /* tells the switch, closes the socket; memory goes at the end of the turn */
void assoc_free_graves(struct link *l);

/* wiretrace.c: octets in clear, for an operator. */
void wiretrace_take(struct link *l, const struct msg_wiretrace *m);
void wiretrace_octets(struct assoc *a, bool ours, struct view v); /* the next ones that go, or that were taken of those that came */
void wiretrace_closed(struct assoc *a);         /* the connection */
void wiretrace_report(struct link *l);       /* to a switch that has come */
void wiretrace_end_all(struct link *l);

/* bind.c: who calls, and may they. */
void bind_indication(struct assoc *a, const struct x400_event *ev);
void bind_confirmed(struct assoc *a, const struct x400_event *ev);
void bind_refuse_recovery(struct assoc *a);     /* busy: the peer opens afresh */
void bind_recovered(struct assoc *a, const struct set_link *k);
void bind_references(struct assoc *a, struct session_config *c);
void bind_list_selectors(struct link *l);       /* also again */
void bind_is_over(const struct assoc *a);       /* inbound, and was bound */
void bind_config(const struct link *l, const struct set_link *peer, bool initiator, struct x400_config *c_r);

/* turn.c: whose turn it is on a two-way alternate association. settle: between transfers, gives it or asks for it. */
void turn_bound(struct assoc *a, bool two_way);
void turn_asked_for(struct assoc *a, unsigned priority);
void turn_given(struct assoc *a);
void turn_settle(struct assoc *a);
void turn_lost(struct assoc *a, const struct err *why);
bool turn_is_here(struct assoc *a);             /* else asks for it, in order to leave */

/* crowd.c: connections that have not bound. NULL: its address has too many of them. leave: fine with NULL, nulls. */
struct crowd *crowd_enter(struct link *l, const char *peer);
void crowd_leave(struct link *l, struct crowd **c);

/* secure.c: TLS. False: why not; the stream is still the caller's. */
void secure_read(struct link *l);               /* the files of all of them, now; also again: what cannot be read then stays as it was */
void secure_end(struct link *l);
MUST_CHECK bool secure_connect(struct link *l, const struct set_link *k, const char *address, struct stream *s, struct err *e);
MUST_CHECK bool secure_accept(struct link *l, struct stream *s);
/* Has it come as its link wants it: with TLS, and a certificate of the right name? */
MUST_CHECK bool secure_fits(const struct assoc *a, const struct set_link *k, struct err *e);

/* receive.c: an association's transfers in. */
void receive_init(struct assoc *a);
void receive_begin(struct assoc *a, uint64_t activity);
void receive_again(struct assoc *a);            /* all its octets come once more */

/* keep.c. octets: before they are given to inbound. checkpoint: confirms it, now or when it is durable. end: good when it
 * may be resumed. */
void keep_init(struct assoc *a);
void keep_fini(struct assoc *a);
void keep_begin(struct assoc *a, uint64_t activity);
void keep_octets(struct assoc *a, struct view octets);
void keep_checkpoint(struct assoc *a, uint32_t serial);
void keep_end(struct assoc *a, bool good);
void keep_resume(struct assoc *a, const struct x400_resume *r); /* answers it, at once or when the switch has */
/* Asks whether a transfer of that association, or anything of it, is kept. False: it cannot be. */
bool keep_find(struct assoc *a, const struct x400_resume *r, bool transfer);
void keep_offer_goes_on(struct assoc *a);    /* the offer that is fed from the switch has credit again */
void keep_synced(struct assoc *a, const struct msg_sync *m);
void keep_found(struct link *l, const struct msg_partial *m);
MUST_CHECK bool keep_data(struct assoc *a, const struct msg_piece *m, struct err *e);

/* recover.c */
void recover_key(struct out *o, const struct x400_reference *r); /* whatever string types it comes in */
bool recover_has_name(const struct x400_reference *r);
struct view recover_host(const struct assoc *a);   /* address of the peer without its port */
void recover_how(struct link *l, const struct msg_assoc_how *m);
void recover_resume(struct link *l, const struct msg_resume *m);
void recover_open(struct assoc *a, struct x400_config *c); /* what the configuration says of references and recovery */
void recover_asked(struct assoc *a, const struct x400_event *ev); /* a caller wants an old association recovered */
void recover_tell_how(const struct assoc *a);      /* before ASSOC_UP */
uint64_t recover_hash(struct view head);
void recover_take(struct assoc *a, struct handover *h);
bool recover_fits(const struct assoc *a, const struct handover *h);
void recover_tell(struct assoc *a, const struct handover *h); /* before a TRANSFER_RESULT that is none */

/* inbound.c. end: nothing more comes, and it is offered. cancel: the sender has given up. refuse: the rest is let pass, and the
 * end answered with `why`. */
void inbound_init(struct inbound *in, struct link *l, const struct inbound_sender *sender);
void inbound_fini(struct inbound *in);
void inbound_begin(struct inbound *in, const char *link, const char *peer, enum p1_tables tables);
void inbound_octets(struct inbound *in, struct view octets);
void inbound_refuse(struct inbound *in, const struct err *why);
void inbound_end(struct inbound *in);
void inbound_cancel(struct inbound *in);
void inbound_credit(struct inbound *in, uint64_t octets);
void inbound_answer(struct inbound *in, const struct msg_answer *answer);

/* offer.c: what the switch is told of a struct inbound. */
void offer_whole(struct inbound *in);
void offer_begin(struct inbound *in);
size_t offer_pieces(struct inbound *in, struct view octets); /* under the credit; how many octets went */
void offer_end(struct inbound *in);
void offer_spoiled(struct inbound *in);
void offer_cancel(struct inbound *in);

/* suspects.c: what may be decoded, and what is being worked on. */
uint64_t suspects_hash(struct view head);        /* FNV-1a, 64 bits; never 0 */
void suspects_forget(struct link *l, const struct set_link *k); /* it is in the settings no more */
void suspects_set(struct link *l, const struct msg_suspect *m);
bool suspects_has(const struct link *l, const char *name, uint64_t hash);
void note_input(struct link *l, const char *name, uint64_t hash);
void note_transfer(struct link *l, uint64_t stored);
void note_nothing(struct link *l);

/* quota.c: memory that messages on their way in hold. */
void quota_begin(struct inbound *in);           /* in->name is known */
void quota_count(struct inbound *in);           /* after it holds more or less than before */
void quota_forget(struct inbound *in);          /* it is no more */
/* False: it holds more than one may (ERR_PERM: it never fits), or all together hold more than limits.memory (ERR_TEMP). */
MUST_CHECK bool quota_allows(struct inbound *in, struct err *e);

/* exam.c: one at a time. */
struct examination *exam_new(struct link *l);
void exam_free(struct examination **x);
MUST_CHECK bool exam_take(struct examination *x, const struct msg_examine *m, struct err *e);
MUST_CHECK bool exam_content(struct examination *x, const struct msg_piece *piece, struct err *e);
bool exam_is(const struct examination *x, uint64_t id); /* under way */
bool exam_is_idle(const struct examination *x);
bool exam_is_of(const struct examination *x, const struct partner *p); /* what it holds is counted for that link */
void exam_stop(struct examination *x);       /* the switch has gone */

/* outbound.c */
void outbound_take(struct assoc *a, const struct msg_transfer *t);
void outbound_start(struct assoc *a);           /* the next handover, if the machine is free */
void outbound_produce(struct assoc *a);         /* octets of the one under way, as much as is wanted */
MUST_CHECK bool outbound_content(struct assoc *a, const struct msg_piece *piece, struct err *e);
void outbound_confirmed(struct assoc *a);
void outbound_refused(struct assoc *a, const struct err *why); /* by the peer; the association goes on */
void outbound_fail_all(struct assoc *a, const struct err *why);
bool outbound_is_empty(const struct assoc *a);
bool outbound_is_begun(const struct assoc *a);  /* a transfer is under way */

/* link.c */
size_t link_arena_quota(const struct set_limits *limits);
/* Before ASSOC_UP: what the association can do. Nothing is said of one that can do no more than others. */
void link_tell_refused(struct link *l, const struct assoc *a, const struct set_link *k, const struct err *why); /* a bind of that link */
void link_tell_how(struct link *l, const struct assoc *a, bool recovered);
void link_tell_assoc(struct link *l, enum msg m, const struct assoc *a, const struct err *why, bool was_open);
const struct set_link *link_find(const struct link *l, struct view name);
/* Nothing can be taken in now, and why: no switch, it is busy, no memory, the end. */
bool link_is_busy(const struct link *l, struct err *e);
