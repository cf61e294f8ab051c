/* mover_int.h - inside of a mover, for the files of this folder only. */
#pragma once
#include "flow/codec/msmail/address.h"
#include "flow/engine/msmail/mailer.h"
#include "flow/engine/msmail/retry.h"
#include "flow/wire/postoffice/mail.h"
#include "proc/mover/mover.h"

/* What a process of a mover remembers: one file, written anew as a whole (state.c). */
struct mover_strike { struct mm_id id; unsigned n; };
struct mover_state {
	char path[600];
	struct retry retry;
	struct mover_strike *strikes;
	size_t n_strikes, cap_strikes;
	char bag[MM_ID_LENGTH + 1]; /* of the peer, when it was known; for what waits while it is away */
	bool dirty;
};
void state_load(struct mover_state *s, const char *path);
MUST_CHECK bool state_save(struct mover_state *s, struct err *e); /* nothing to do when nothing has changed */
void state_fini(struct mover_state *s);
unsigned state_strike(struct mover_state *s, const struct mm_id *id);   /* one more; how many it has now */
unsigned state_strikes(const struct mover_state *s, const struct mm_id *id);
void state_done(struct mover_state *s, const struct mm_id *id);         /* the message has gone: no strikes, no attempts */
/* Writes octets to a new file of that path, durable. */
MUST_CHECK bool state_write(const char *path, struct view octets, struct err *e);
MUST_CHECK bool state_make_directory(const char *path, struct err *e);

/* Buffers for text_escaped: 128 octets of an address, all of a header's subject. */
enum { ADDRESS_SHOWN = 4 * 128, SUBJECT_SHOWN = 4 * (MM_SUBJECT_MAX + 1) };

/* What became of one record in a round. */
enum did {
	DID_DONE,      /* it is gone */
	DID_LEAVE,     /* it waits, and nothing has been tried */
	DID_SOON,      /* it waits for somebody who is about to end */
	DID_MORE,      /* a piece of it is done: lane_go_on in the next turn */
	DID_FAIL,      /* it was tried and failed: this message's matter */
	DID_FAIL_HERE, /* our own file server's matter: the round is over */
	DID_FAIL_PEER, /* the peer's: likewise, and a failed attempt of all that waits */
};

struct mover {
	unsigned magic;
#define MOVER_MAGIC 0x30fe4a11u
	const struct actor_host *host;
	const struct set_mover *set;
	const char *peer;           /* NULL: the mailer */
	char directory[500];        /* mover-NAME of the store's */
	char item[40];              /* "INQUEUE3 00000062", the note; "": none */
	unsigned strikes_max;
	int zone;
	const struct mm_scramble *scramble;
	struct postoffice_host files;
	struct postoffice *here, *there;
	enum mover_peer state;
	bool full_told, locked_told, detached_told, log_told, state_told, unwatched_told, bag_told;
	unsigned unreadable, unreadable_told; /* records: in this round; when it was told */
	struct err failure;         /* the last one that mover_did was asked about */
	int64_t probe_at;           /* the peer is not tried before */
	int64_t locked_since;       /* 0: not */
	struct mover_state memory;
	char bag[MM_ID_LENGTH + 1]; /* "INQUEUE3", or the peer's outbound mailbag; "": not known */
	/* a round */
	struct po_lock *lock;
	struct mail_journal *journal;
	struct po_bag_entry *entries; /* MM_BAG_RECORDS */
	unsigned n, at, moved;
	bool soon, again;           /* another round soon, because of somebody else; at once, because of the quota or a change */
	struct arena *arena;        /* of one message */
	wall_ms_t round_at;         /* when it began, before the peer was looked for */
	struct lane_job *job;       /* the message that a lane is at; NULL: none */
	struct timer turn;
	struct folder_watch *watch; /* of MBG; NULL: not told, rounds begin at the interval */
	uint64_t stamp;             /* of the bag when the last round ended */
	uint64_t stamp_begun;       /* and when it was read */
	struct mm_id troubled;      /* at which a round had to be given up: the next one takes it last. "": none */
	bool last_try;              /* of the message in hand: who cannot be looked up is refused, so that the others have it */
	bool trouble_is_peers;      /* and it has yet to be seen whether the peer was away */
	int64_t soon_ms;
	/* for status.c */
	char why[200];              /* of the last trouble, while it lasts */
	unsigned waiting;           /* records that the last round has left */
	uint64_t total;             /* moved, since the process began */
	uint64_t status_hash;       /* of what the file says; 0: it is not written yet */
	int64_t status_ms;
};

static inline struct mover *mover_check(void *ctx)
{
	struct mover *m = ctx;
	CHECK(m, MOVER_MAGIC);
	return m;
}
static inline bool is_mailer(const struct mover *m) { return m->peer == NULL; }
static inline wall_ms_t mover_now(const struct mover *m) { return env_wall_ms(m->host->env); }

/* round.c: what the rounds of both kinds have in common */
void mover_tell_peer(struct mover *m, enum mover_peer state, const char *why);
void mover_note(struct mover *m, const struct mm_id *id); /* NULL: nothing in hand */
bool mover_is_in_bag(const void *mover, const struct mm_id *id); /* as this round has read it */
/* The world of engine/msmail at our own postoffice; is_outbound for mail_place. */
struct mailer_world mover_world(struct mover *m);
bool mover_is_outbound(void *ctx, const char *bag);
/* Where a failed call leaves a message: by whom *e charges. there: it was a call on the peer. */
enum did mover_did(struct mover *m, const struct err *e, bool there);

/* status.c: says how it is, when that has changed or has not been said for a while. next_ms: until the next round; -1: one is under way */
void status_tell(struct mover *m, int64_t next_ms);

/* mailer.c, lane.c: one record */
enum did mailer_take(struct mover *m, const struct po_bag_entry *entry);
enum did lane_take(struct mover *m, const struct po_bag_entry *entry);
enum did lane_go_on(struct mover *m);
void lane_drop_job(struct mover *m); /* what is not in the journal is removed again */
/* What a crash has left in the journal and not in the bag. */
MUST_CHECK bool lane_settle(struct mover *m, struct err *e);

/* aside.c: the message is copied into a directory of its own, its sender told, its record dropped. */
enum did aside_take(struct mover *m, const struct po_bag_entry *entry);

/* tell.c: notices and logs */
/* All recipients of the envelope with that bag ("": all responsible ones) are refused. */
void tell_refuse(struct mm_envelope *v, const char *bag, int notice, int reason, int diagnostic);
/* Reads the MAI when it can, sends the notice, tells the operator. mai: the file, or empty. */
MUST_CHECK bool tell_sender(struct mover *m, const struct mm_envelope *v, const struct mm_header *h, struct view mai, const char *text, struct err *e);
/* An envelope for a message whose own cannot be read, or is not there, made of its MAI: in an outbound bag of everybody in To and Cc whose route leads there;
 * in INQUEUE3 as mailer_rebuild says, planned. */
MUST_CHECK bool tell_rebuild(struct mover *m, const struct po_bag_entry *entry, struct view mai, struct mm_envelope *v_r, struct err *e);
/* A line of SENT.LOG (sent) or RECV.LOG, when the settings want it. */
void tell_log(struct mover *m, bool sent, const struct mm_envelope *v, const struct mm_header *h, const struct mm_id *target);
