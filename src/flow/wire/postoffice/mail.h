/* mail.h - what is done with a message in INQUEUE3, by a mover's mailer and by the interchange alike (facts A9): its recipients are put
 * into bags of this postoffice by a plan, those that cannot be served are told of, its record is forgotten. The plan is in
 * the envelope itself: who made it (engine/msmail, or the interchange) has filled in each responsible recipient's `bag` or `notice`;
 * one with neither is somebody else's (the switch's) and is left alone.
 *
 * Every step may be repeated after a crash. What counts is the state of the P1 (envelope.h): mail_place begins with PLACING, and the plan
 * that it holds then is the one that is carried out, whatever the routes say by then; mail_finish makes it READY, for the outbound bags
 * that its recipients say, and the envelope outlives the record in INQUEUE3. The caller holds the lock of the bag that the record is in
 * ("INQUEUE3"; of an outbound bag for the journal and notices of a lane), and nobody else touches those P1.
 *
 * The conversation for one record:
 *     mail_look        NOT_YET: leave it; FINISHED: mail_forget; NEW: make the plan; HALF: the plan is in *v_r
 *     mail_place       until it says that nothing is pending; else later again, from mail_look
 *     mail_notice      when a recipient has a notice
 *     mail_finish */
#pragma once
#include "flow/codec/msmail/notice.h"
#include "flow/wire/postoffice/postoffice.h"

/* --- the journal of a bag, P1\<bag>.0JN: what its lock's holder has begun with a message and must not do twice. Lines of
 * text, one a step, synced before the call returns; a line that a crash has cut is none. --- */
struct mail_journal;
enum mail_verb {
	MAIL_COPIED = 'C',  /* message X of this bag is Y at the peer: its files are there, its P1 says how far it is */
	MAIL_NOTICED = 'N', /* the notice about X is message Y of this postoffice, likewise */
	MAIL_TAKEN = 'T',   /* X was offered to the switch, which has it (interchange) */
};
/* bag: "INQUEUE3" or a mailbag. No file is an empty journal. Fails ERR_LOCAL or ERR_TEMP, link. */
MUST_CHECK bool mail_journal_open(struct postoffice *po, const char *bag, struct mail_journal **j_r, struct err *e);
void mail_journal_close(struct mail_journal **j);
bool mail_journal_find(const struct mail_journal *j, enum mail_verb verb, const struct mm_id *x, struct mm_id *y_r);
MUST_CHECK bool mail_journal_add(struct mail_journal *j, enum mail_verb verb, const struct mm_id *x, const struct mm_id *y, struct err *e);
bool mail_journal_is_broken(const struct mail_journal *j); /* an add has failed, and its line may be there all the same: what it names is kept; open it anew */
MUST_CHECK bool mail_journal_forget(struct mail_journal *j, const struct mm_id *x, struct err *e); /* X is done: its lines go, at once */
/* Each X that has a line, once, until each returns false: to finish what a crash has left. */
void mail_journal_each(const struct mail_journal *j, bool (*each)(void *ctx, const struct mm_id *x), void *ctx);

/* --- a record and its message --- */
enum mail_found {
	MAIL_NOT_YET,  /* its writer has not ended */
	MAIL_NEW,      /* nobody has planned it: *v_r is as it came */
	MAIL_HALF,     /* *v_r has the plan that was begun */
	MAIL_FINISHED, /* its recipients are in bags: only the record is left (Q103960, Q104485) */
	MAIL_LOST,     /* it has no envelope. In an outbound bag: a client wrote it. In INQUEUE3 no step here leaves a record without one: it is [021], for
	                * those who have not got the message already; *v_r has only its `mai` */
};
/* Fails ERR_PERM, message with [024] for a P1 that cannot be read; else ERR_TEMP or ERR_LOCAL, link. */
MUST_CHECK bool mail_look(struct postoffice *po, const struct mm_id *id, struct arena *a, struct mm_envelope *v_r, enum mail_found *found_r,
			  struct err *e);

struct mail_placed {
	unsigned bags;     /* that hold it now */
	unsigned outbound; /* of these, for other postoffices or gateways */
	unsigned pending;  /* recipients whose bag could not be written now: the message stays, and is looked at again */
	bool counted;      /* the record in INQUEUE3 counts in the MAI beside those bags: mail_finish takes it off */
	bool attempted;    /* some of them really failed; false: only locked, or no room (Q113119: that is no attempt) */
	struct err why;    /* of the first pending one */
};
/* v: as mail_look gave it, with its plan. Writes it as PLACING, sets the MAI's count, puts the record h into each bag once; its `mai`, `size`, and `date`
 * (the arrival: Q111558 d) are filled in from v. A bag that is full or gone is its recipients' [017] or [001] in v (and in the P1), others are served
 * (Q138054). Recipients of a bag here that are served lose `responsible`, in the P1 too when the message comes up again, so that nobody serves them twice: when
 * others are pending, are somebody else's, or are to be told of. Those of outbound bags keep it. For somebody else's the record counts in the MAI, so that no user
 * who deletes his copy takes their message away. is_outbound tells which bags these are. last: what cannot be written now is given up, its recipients' notice is [008]. Fails as postoffice calls do ([016]: ERR_PERM, message); then nothing is lost:
 * later again. */
MUST_CHECK bool mail_place(struct postoffice *po, const struct mm_header *h, struct mm_envelope *v, bool (*is_outbound)(void *ctx, const char *bag), void *ctx,
			   bool last, struct mail_placed *placed_r, struct err *e);

/* Bags in which v's outbound recipients are, as it says; and whether a live record of it is in any of them but `but`. */
MUST_CHECK bool mail_is_needed(struct postoffice *po, const struct mm_envelope *v, const char *but, bool *needed_r, struct err *e);

/* READY when placed->outbound > 0. Then the record in `bag` goes: this counts. Then the P1, when no outbound bag needs it; the message's files too when no
 * bag holds it. */
MUST_CHECK bool mail_finish(struct postoffice *po, const char *bag, unsigned slot, struct mm_envelope *v, const struct mail_placed *placed,
			    struct mail_journal *j, struct err *e);
/* Of a FINISHED one, likewise. */
MUST_CHECK bool mail_forget(struct postoffice *po, const char *bag, unsigned slot, const struct mm_envelope *v, struct mail_journal *j, struct err *e);

/* What left an outbound bag: its record goes, the message's files with the last bag that holds it, the P1 when neither an outbound bag of v nor INQUEUE3 needs it any
 * more, then the journal's lines. v->n == 0: it has no P1. May be repeated; slot UINT_MAX: the record has gone already. */
MUST_CHECK bool mail_drop(struct postoffice *po, const char *bag, unsigned slot, const struct mm_envelope *v, struct mail_journal *j, struct err *e);

/* v was made anew, because its own envelope is lost or damaged, and planned: of its responsible recipients, those whose bag holds the message have it (*held_r: how
 * many), and mail_place leaves them as they are; so it does those whose bag cannot be read now (Q127002), and waits for it. All others are refused with `notice`;
 * but who had it (his mailbag shows that; h: the record), when as many bags hold it as the MAI's counter says: he has deleted it, and the crash came behind the last step for him. */
MUST_CHECK bool mail_spare(struct postoffice *po, const struct mm_header *h, struct mm_envelope *v, int notice, unsigned *held_r, struct err *e);

/* Of a message of INQUEUE3 whose file is gone, and its envelope too: is somebody to be told? Not when it was in a mailbag here, and is in none any more: all have read it
 * (Q104485; a mailbag that cannot be read says nothing); nor when INQUEUE3 has no room for a notice, for it could not go before others are gone. */
MUST_CHECK bool mail_is_loss(struct postoffice *po, const struct mm_header *h, bool *loss_r, struct err *e);
/* Whose mailbag 00000000 is; in the arena. Text empty: nobody's. */
MUST_CHECK bool mail_administrator(struct postoffice *po, struct mm_address *who_r, struct arena *a, struct err *e);

/* It is where it was attached. Fails ERR_LOCAL or ERR_TEMP, link. */
MUST_CHECK bool mail_is_there(struct postoffice *po, struct err *e);

/* A number that is another one when the bag's files have changed; to see whether a look is worth while. */
MUST_CHECK bool mail_stamp(struct postoffice *po, const char *bag, uint64_t *stamp_r, struct err *e);

/* The file as it is, P1 or MAI, readable or not, to be set aside. *there_r false: none. */
MUST_CHECK bool mail_read_raw(struct postoffice *po, bool envelope, const struct mm_id *id, uint64_t max, struct out *o, bool *there_r, struct err *e);

/* --- notices --- */
/* False: nobody is told of what becomes of mail from there: a postmaster (any), nobody, or it is a notice itself (Q98067). */
bool mail_may_notice(const struct mm_envelope *v, const struct mm_header *h);

struct mail_about {
	const struct mm_envelope *v; /* recipients with `notice` are those told of, each with its code (Q121732, Q121734, Q127919) */
	const struct mm_header *h;   /* may be NULL */
	struct view mai;             /* the file, for subject and text; empty or unreadable: without (Q118675: attachments are never looked at) */
	bool with_hops;              /* [003], [004]: the route is shown */
	const struct mm_address *to; /* in the sender's place, who is shown as far as he is known; NULL: the sender */
	const char *text;            /* behind the code in place of its sentence, "" or NULL: the sentence */
	int zone_minutes;
};
/* One notice about message v->mai, whatever happens: from POSTMASTER of this postoffice to v->from, put into this postoffice's INQUEUE3, from
 * where the mailer (or interchange) brings it to a bag here, another postoffice or X.400. With `to` mail_may_notice is the caller's to ask, but for a notice's record. Done at once when the journal knows of it and it
 * has gone. true with *id_r.s "" when nobody is to be told or no recipient has a notice. */
MUST_CHECK bool mail_notice(struct postoffice *po, struct mail_journal *j, const struct mail_about *about, struct mm_id *id_r, struct arena *a,
			    struct err *e);

/* The [nnn] of a failure of the postoffice calls, by what they say: "[016] ..." -> 16; 0: none. */
int mail_notice_of(const struct err *e);

/* A record for a message: from's mailbox (or what there is of a foreign address), subject cut at 40. */
void mail_header_of(const struct mm_envelope *v, struct view subject, int zone_minutes, struct mm_header *h_r);

/* --- text files of a postoffice: logs and journals. Appends one line (CR LF is added) to DIR\NAME, made when missing, under a lock of the system. --- */
MUST_CHECK bool mail_log(struct postoffice *po, const char *dir, const char *name, const char *line, struct err *e);
