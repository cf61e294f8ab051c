/* interchange_int.h - the parts of an interchange; for the files of this folder only.
 *
 *     interchange.c  the actor: streams, associations, attaching and trying again, slices of work by turns
 *     offers.c       messages on their way to the switch
 *     outward.c     one transfer after the other into the postoffice (out_post.c) or an FFAPI directory
 *     inward.c      one message after the other to the switch; whence they come is struct source: queue.c (INQUEUE3), ffapi.c
 *     notices.c      reports of the gateway; movers' notices that become reports
 *     returned.c     notices to senders and administrator
 *     sent.c, strikes.c, journal.c   what is remembered
 *     xlate.c        the converter */
#pragma once
#include "base/arena.h"
#include "base/map.h"
#include "flow/codec/msmail/address.h"
#include "flow/codec/msmail/envelope.h"
#include "flow/codec/msmail/mai.h"
#include "flow/codec/msmail/notice.h"
#include "flow/message/message.h"
#include "flow/wire/postoffice/mail.h"
#include "flow/wire/postoffice/postoffice.h"
#include "proc/interchange/interchange.h"
#include "proc/interchange/journal.h"
#include "proc/interchange/xlate.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"

enum {
	ROOM = 256 * 1024,               /* octets of disk that a postoffice has to have left beyond a message */
	ITEM_ARENA = 256 * 1024 * 1024,  /* quota of what is decoded of one message, its envelope with 32,000 recipients among it */
	RANGES = 64,
};

/* --- offers.c --- */
struct offer_user {
	void (*room)(void *ctx);                                  /* more content may be fed */
	void (*answered)(void *ctx, const struct msg_answer *m);
	void (*lost)(void *ctx);                                  /* the switch has gone: nobody knows */
};
struct offer {
	uint64_t id;             /* 0: none is under way */
	const struct offer_user *user;
	void *ctx;
	bool inline_;
	uint64_t size, fed, credit;
	struct out kept;         /* of a short one */
};
struct interchange;
/* m: packed, octets, err, peer are the caller's. size: octets of content, to be fed. */
void offer_start(struct interchange *x, struct offer *o, struct msg_offer *m, uint64_t size, const struct offer_user *user, void *ctx);
size_t offer_feed(struct interchange *x, struct offer *o, struct view content);
/* Nothing more is heard of it. */
void offer_drop(struct interchange *x, struct offer *o);
bool offers_on_credit(struct interchange *x, const struct msg_count *m);
bool offers_on_answer(struct interchange *x, const struct msg_answer *m);
void offers_lost(struct interchange *x);

/* --- sent.c: what became of transfers --- */
struct sent_entry {
	uint64_t key;            /* of the transfer: MTS-identifier, responsible numbers, trace */
	struct mm_id id;         /* of the message in the postoffice; "" when it went elsewhere */
	wall_ms_t at;            /* when it was written: the report's time, so that it is the same each time */
	char date[15];           /* composed, yyyymmddhhmmss by the postoffice's clocks */
	uint64_t subject;        /* hash of its first 40 octets, folded */
	uint64_t line;           /* where it stands in the journal */
	struct sent_entry *next; /* of the same key: none; of the same subject */
};
struct sent;
MUST_CHECK bool sent_open(struct interchange *x, struct sent **s_r, struct err *e);
void sent_close(struct sent **s);
const struct sent_entry *sent_find(const struct sent *s, uint64_t key);
/* What became that message of the postoffice, the last one of that number; NULL: nothing. */
const struct sent_entry *sent_find_message(const struct sent *s, const struct mm_id *id);
struct view sent_name(struct view names, uint32_t number); /* of sent_read; empty: there is none */
/* Until each returns false. */
void sent_each_about(const struct sent *s, uint64_t subject, bool (*each)(void *ctx, const struct sent_entry *t), void *ctx);
/* entry: without line. packed: the message with the recipients that were ours, each with its outcome; names: lines "NUMBER NAME". A second line of the same key
 * takes the place of the first. */
MUST_CHECK bool sent_add(struct sent *s, const struct sent_entry *entry, struct view packed, struct view names, struct err *e);
void sent_sync(struct sent *s, file_done_f *done, void *ctx);
MUST_CHECK bool sent_read(struct sent *s, const struct sent_entry *t, struct arena *a, struct view *packed_r, struct view *names_r, struct err *e);
bool sent_is_broken(const struct sent *s);
uint64_t sent_key(const struct message *m);
uint64_t sent_subject(struct view subject);

/* --- strikes.c: durable counts by name, for strikes and for what an archive has given --- */
struct tally;
MUST_CHECK bool tally_open(struct interchange *x, const char *name, struct tally **t_r, struct err *e);
void tally_close(struct tally **t);
unsigned tally_of(const struct tally *t, const char *name);
/* 0 forgets it. On disk at the next sync; done may be NULL. */
MUST_CHECK bool tally_set(struct tally *t, const char *name, unsigned count, struct err *e);
void tally_sync(struct tally *t, file_done_f *done, void *ctx);
bool tally_is_broken(const struct tally *t);

/* --- outward.c --- */
struct transfer {
	struct transfer *next;
	uint64_t id, assoc, stored, size;
	struct view packed;      /* its own copy */
	struct out got;          /* content that has come and is not put away */
	uint64_t asked, came;
	bool spoiled;            /* the switch cannot read the rest */
};
enum out_state {
	OUT_NONE, OUT_WAIT /* for the converter */, OUT_XLATE, OUT_RESULT_FILES, OUT_PUT, OUT_SYNC, OUT_RECORDS, OUT_READY, OUT_REPORT, OUT_ANSWER,
};
struct outward {
	enum out_state state;
	struct transfer *t;      /* the first one of those that wait */
	struct arena *a;
	struct message message;
	uint64_t key;
	wall_ms_t at;
	struct mm_envelope v;    /* the converter's, with our bags and outcomes */
	struct out mai;
	struct xlate_file *files;
	size_t n_files, at_file; /* 0: the MAI */
	uint64_t left;           /* octets of that one to come */
	struct po_put *put;
	struct mm_id id;
	struct mm_header header;
	size_t at_bag;
	bool via_queue;          /* somebody lives here: its mailer places it */
	struct out packed;       /* for the journal, and of the report */
	struct offer offer;
	char item[40];           /* for notes: "transfer 17" */
};
void outward_init(struct interchange *x);
void outward_fini(struct interchange *x);
/* One step of work; false: there is none now. */
bool outward_step(struct interchange *x);
MUST_CHECK bool outward_transfer(struct interchange *x, const struct msg_transfer *m, struct err *e);
MUST_CHECK bool outward_data(struct interchange *x, const struct msg_piece *m, struct err *e);
/* Everything of this association goes back; 0: of all. */
void outward_drop(struct interchange *x, uint64_t assoc);
bool outward_has(const struct interchange *x, uint64_t assoc);
bool outward_wants_converter(const struct interchange *x);
/* The result is here, as far as *e says (NULL: delivered). */
void outward_done(struct interchange *x, const struct err *e);

/* --- out_post.c: into a postoffice --- */
MUST_CHECK bool post_known(struct interchange *x, const struct sent_entry *t, struct err *e); /* goes on where it stood */
uint64_t post_size(const struct interchange *x); /* of the converted files */
/* Larger than the disk there would be with nothing else on it: everybody who is left is told so, 1/7; as post_begin. */
MUST_CHECK bool post_refuse_size(struct interchange *x, struct err *e);
MUST_CHECK bool post_begin(struct interchange *x, struct err *e);                             /* the converter has answered */
MUST_CHECK bool post_octets(struct interchange *x, struct view octets, struct err *e);
MUST_CHECK bool post_put(struct interchange *x, struct err *e);
MUST_CHECK bool post_record(struct interchange *x, struct err *e);                            /* one; then at_bag == v.n */
MUST_CHECK bool post_ready(struct interchange *x, struct err *e);

/* --- inward.c --- */
struct in_file {
	struct view name;
	uint64_t size;
	struct view octets;      /* in memory; or */
	struct mm_id id;         /* an attachment of the postoffice; or */
	const char *path;        /* a file beside an FFAPI file */
	bool in_memory;
};
enum in_state {
	IN_NONE, IN_ROUND /* the source has more */, IN_WAIT /* for the converter */, IN_XLATE, IN_OFFER, IN_COMMIT, IN_QUARANTINE,
	IN_EXAMINE, /* octets of it have yet to come */
};
struct range { size_t from, to; };
struct inward {
	enum in_state state;
	struct arena *a;
	char item[80];           /* for notes and strikes: "INQUEUE3 00000062" */
	char told_left[80];      /* the last one that was told of as left for later */
	char local_id[33];
	wall_ms_t at;            /* the same each time: it stands in the trace */
	struct mm_envelope v;
	size_t *ours, n_ours;    /* of v's recipients: those that go to the switch */
	struct in_file *files;
	size_t n_files;
	bool is_ffapi;
	struct range ranges[RANGES];
	size_t n_ranges;         /* yet to be offered; the last one is next, or under way */
	size_t at_file;
	uint64_t at_octet;
	struct out piece;        /* of the files, read and not fed */
	void *reading;           /* the file that is open; the source's */
	struct out held;         /* of the result, or the bundle, not taken by the switch */
	struct out report;       /* packed: instead of a notice */
	struct offer offer;
	struct err why;          /* quarantine: the cause */
	uint64_t examine;        /* this comes from EXAMINE, not from the source; 0: from there */
	struct out examined;     /* its octets */
	uint64_t examine_size, examine_asked;
	bool warned_code_page, told_damage; /* once in a life */
	int64_t not_before_ms;   /* a pause after a failure that passes */
	int64_t pause_ms;
	int64_t soon_ms;         /* until the next look at those whose writer had not ended; 0: there were none */
	bool wanted;             /* a round is due */
	struct timer again;
};
enum in_found { IN_FOUND_NONE, IN_FOUND_SOMETHING /* dealt with, or to be left */, IN_FOUND_MESSAGE, IN_FOUND_POISON /* into quarantine, x->in.why */ };
/* Whence messages come. All block. Failures of culprit link are the postoffice's; others leave the message for the next round. */
struct source {
	/* A round begins. *ready_r false: somebody holds the lock, later again. */
	bool (*begin)(struct interchange *x, bool *ready_r, struct err *e);
	/* The next message into x->in, with files and recipients. */
	bool (*next)(struct interchange *x, enum in_found *found_r, struct err *e);
	/* Octets of a file that is not in memory, at most n, in order; none: it is shorter than it was. */
	bool (*read)(struct interchange *x, const struct in_file *f, uint64_t at, size_t n, struct out *o, struct err *e);
	void (*close)(struct interchange *x); /* what read has opened */
	/* The switch has what is its; the others' outcomes are in x->in.v. */
	bool (*commit)(struct interchange *x, struct err *e);
	void (*end)(struct interchange *x);
};
extern const struct source source_queue, source_ffapi;
void inward_init(struct interchange *x);
void inward_fini(struct interchange *x);
bool inward_step(struct interchange *x);
void inward_look(struct interchange *x); /* a round is due */
bool inward_wants_converter(const struct interchange *x);
bool inward_is_idle(const struct interchange *x);
/* What is in hand is left as it is; the round is over. */
void inward_drop(struct interchange *x);
void inward_switch_gone(struct interchange *x);
/* Told of a recipient: [notice], in v. */
void inward_refuse(struct interchange *x, struct mm_recipient *r, int notice, int reason, int diagnostic, const char *why);
void inward_strike(struct interchange *x, const struct err *why);
MUST_CHECK bool inward_examine(struct interchange *x, const struct msg_examine *m, struct err *e);
MUST_CHECK bool inward_examine_data(struct interchange *x, const struct msg_piece *m, struct err *e);

/* --- bundle.c: a message as it lies in quarantine: envelope and files in one --- */
void bundle_begin(struct interchange *x, struct out *o, uint64_t *size_r); /* what stands before the files' octets; octets of it all */
MUST_CHECK bool bundle_parse(struct interchange *x, struct view octets, struct err *e);

/* --- returned.c --- */
/* One notice of those in x->in.v who have one, from the record h; mai: the file, read when it is empty. */
MUST_CHECK bool returned_notice(struct interchange *x, const struct mm_header *h, struct mail_journal *journal, struct out *mai, struct err *e);
/* Likewise when neither file nor envelope is left, and in.v stands for those that nobody knows. */
MUST_CHECK bool returned_lost(struct interchange *x, const struct mm_header *h, struct mail_journal *journal, struct err *e);

/* --- notices.c --- */
/* A report of the gateway about x->out's transfer is due: its octets are in x->out.packed. */
bool notices_gateway_report(struct interchange *x, struct err *e);
/* XLATED says that what came is a mover's notice. True: it is about mail of ours, and the report is in *packed. */
bool notices_report(struct interchange *x, struct view notice, struct out *packed); /* empty: nobody asked for one */

/* --- ffapi.c --- */
MUST_CHECK bool ffapi_attach(struct interchange *x, struct err *e);
MUST_CHECK bool ffapi_export_begin(struct interchange *x, struct err *e); /* as post_begin */
MUST_CHECK bool ffapi_export_octets(struct interchange *x, struct view octets, struct err *e);
MUST_CHECK bool ffapi_export_done(struct interchange *x, struct err *e);  /* on disk, not yet under its name */
MUST_CHECK bool ffapi_export_ready(struct interchange *x, struct err *e);
void ffapi_detach(struct interchange *x);
void ffapi_export_drop(struct interchange *x);

/* --- interchange.c --- */
struct assoc {
	struct assoc *next;
	uint64_t id;
	bool closing;
};
enum interchange_state { INTERCHANGE_DETACHED, INTERCHANGE_ATTACHED, INTERCHANGE_DEGRADED };

struct interchange {
	unsigned magic;
#define INTERCHANGE_MAGIC 0x1e4c4a63u
	struct actor_host host;
	const struct settings *settings;
	const struct set_link *link;
	const struct set_msmail *set;
	uint32_t instance;
	struct arena *config_arena;
	struct gdi domain;
	int zone_minutes;
	const struct mm_scramble *scramble;
	const struct source *source;
	bool is_ffapi;
	char folder[64];         /* in the store's directory */
	struct mm_name own;
	char own_text[2 * MM_NAME_MAX + 2];
	struct postoffice_host po_host;
	char item[80];           /* what the note says between calls to the postoffice */

	struct chan *control, *bulk;
	struct timer alone;
	bool busy;               /* the switch takes nothing in now */
	bool stopping;
	void (*stopped)(void *ctx);
	void *stopped_ctx;

	enum interchange_state state;
	struct err why;          /* not attached: why not; attached, but nothing has gone well since: why it was not */
	bool proven;             /* since it was attached something has gone well */
	struct postoffice *po;
	int64_t retry_ms;
	struct timer retry, poll, work;
	struct folder_watch *watch;
	uint64_t stamp;          /* of INQUEUE3 when it was last read */
	bool slice_running;
	unsigned turn;

	struct assoc *assocs;
	struct transfer *transfers;
	struct map offers;
	uint64_t next_offer;
	struct xlate *xlate;
	bool xlate_was_inbound;  /* who had the converter last */
	struct sent *sent;
	unsigned syncs;          /* of it, under way for messages outward */
	struct tally *strikes, *taken;
	int64_t renewed_ms;
	struct outward out;
	struct inward in;
	int64_t locked_since_ms, locked_told_ms; /* INQUEUE3; 0: it is not */
	struct po_lock *lock;
	struct queue_round *round; /* queue.c */
	struct ffapi *ffapi;     /* ffapi.c */
	bool told_up;            /* the switch knows that the postoffice is there */
};

/* Empties it; what one long message has needed is not kept for good. */
void interchange_clear(struct out *o);
/* There is work: in slices from the next turn on. */
void interchange_work(struct interchange *x);
/* Says what is at hand, for last words; "" nothing. */
void interchange_note(struct interchange *x, const char *item);
/* The postoffice has failed: associations go down, what is in hand is left, it is tried again. */
void interchange_degrade(struct interchange *x, const struct err *why);
/* A round or a transfer has come to its end: the postoffice is well, which is told where it was in doubt; the next failure is a new one. */
void interchange_proven(struct interchange *x);
/* Whether it is the postoffice's fault, or ours, and not the message's. */
bool interchange_is_link_failure(const struct err *e);
/* The journals are open, those anew whose writing has failed. */
MUST_CHECK bool interchange_memory(struct interchange *x, struct err *e);
void interchange_result(struct interchange *x, const struct transfer *t, const struct err *e);
wall_ms_t interchange_wall(const struct interchange *x);
