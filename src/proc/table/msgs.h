/* msgs.h - every message between processes: one row each, one struct each, one put and one get each.
 *
 * Numbers in the payload are big-endian; a "string" has a 4-octet length before it. A connector in another language can
 * speak this (docs/connector.md). Messages marked bulk travel on the pair's second stream, so that control never waits
 * behind content; all that concerns one streamed offer is bulk, so no order between the two streams matters.
 *
 * X(name, number, longest payload, who sends, what it says) */
#pragma once
#include "base/cur.h"
#include "base/err.h"
#include "base/out.h"

enum {
	MSG_PIECE_MAX = 64 * 1024,        /* content octets in one bulk message */
	MSG_INLINE_MAX = 16 * 1024,       /* content octets that may ride in OFFER and TRANSFER */
	MSG_ENVELOPE_MAX = 14 * 1024 * 1024, /* packed message: 32,000 recipients */
	MSG_FIELDS_MAX = 1024,            /* what else OFFER and TRANSFER have: ids, names, lengths */
	MSG_ACT_IDS = 4096,               /* ids in one ACT */
	MSG_HEAD = 512,                   /* octets of an APDU that are hashed before it is decoded */
	MSG_CREDIT = 256 * 1024,          /* content octets under way per offer or transfer */
};

#define MSGS(X)                                                                                                       \
	/* inbound: a connector offers what it has received */                                                        \
	X(OFFER, 10, MSG_ENVELOPE_MAX + MSG_INLINE_MAX + MSG_FIELDS_MAX, "link", "a whole message with its content inline")            \
	X(OFFER_BEGIN, 11, MSG_ENVELOPE_MAX + MSG_FIELDS_MAX, "link, bulk", "a message whose content follows in pieces")               \
	X(OFFER_DATA, 12, MSG_PIECE_MAX + 16, "link, bulk", "a piece of content")                                     \
	X(OFFER_END, 13, 16, "link, bulk", "the content is complete")                                                 \
	X(OFFER_CANCEL, 14, 16, "link, bulk", "the peer gave up: forget the offer")                                   \
	X(OFFER_CREDIT, 15, 16, "switch", "so many more octets of content may be sent")                               \
	X(OFFER_ANSWER, 16, 4096, "switch", "durable and ours now, or refused and why")                               \
	X(OFFER_SPOILED, 17, 2048, "link, bulk", "instead of OFFER_END: the rest will not come or cannot be read, and why; to be taken and reported") \
	X(SUSPECT, 18, 256, "switch", "an input of a link that has struck: do not decode it, offer its octets; 0 strikes: no more") \
	X(BUSY, 19, 1024, "switch", "nothing can be taken now, and why: answer binds and transfers busy; or it can again")  \
	/* inbound transfers that may be broken off: their octets as they come, kept until the offer or the recovery timeout */ \
	X(PARTIAL_BEGIN, 70, 4096, "link, bulk", "octets of a transfer follow, to be kept from checkpoint to checkpoint")      \
	X(PARTIAL_DATA, 71, MSG_PIECE_MAX + 16, "link, bulk; switch, bulk", "a piece of RTTR octets; from the switch what PARTIAL_PULL asked for")  \
	X(PARTIAL_SYNC, 72, 64, "link, bulk", "a checkpoint: say when all before it is durable")                      \
	X(PARTIAL_SYNCED, 73, 64, "switch", "it is: the checkpoint may be confirmed; or it cannot be kept, and why")                   \
	X(PARTIAL_END, 74, 64, "link, bulk", "forget it; or keep it for the recovery timeout")                        \
	X(PARTIAL_FIND, 75, 4096, "link, bulk", "is this association, or this activity of it, kept")                        \
	X(PARTIAL_FOUND, 76, 4096, "switch", "what is kept of it; it is the asker's from now on")                     \
	X(PARTIAL_PULL, 77, 64, "link", "so many octets more of what was found")                                      \
	/* outbound: the switch hands messages to a connector */                                                      \
	X(ASSOC_OPEN, 20, 256, "switch", "open an association to this link")                                          \
	X(ASSOC_CLOSE, 21, 16, "switch", "release it when what is in hand is done")                                   \
	X(ASSOC_UP, 22, 256, "link", "an association is open")                                                        \
	X(ASSOC_DOWN, 23, 1024, "link", "it is gone, or could not be opened, and why")                                \
	X(TRANSFER, 24, MSG_ENVELOPE_MAX + MSG_INLINE_MAX + MSG_FIELDS_MAX, "switch", "hand this message over on that association")   \
	X(TRANSFER_PULL, 25, 16, "link", "so many more octets of content are wanted")                                 \
	X(TRANSFER_DATA, 26, MSG_PIECE_MAX + 16, "switch, bulk", "a piece of content")                                \
	X(TRANSFER_RESULT, 27, 1024, "link", "the peer has taken responsibility, or not and why")                     \
	X(ASSOC_HOW, 65, 1024, "switch; link", "never to a connector: before ASSOC_OPEN, which address and what to recover; before ASSOC_UP, what the association can do") \
	X(TRANSFER_RESUME, 66, 1024, "switch; link", "never to a connector: before TRANSFER, where it goes on; before TRANSFER_RESULT, where it can go on") \
	X(BLOCKS, 67, 4096, "tool; switch; link", "never to a connector: which control blocks are alive; to the tool one for each process, then DONE") \
	X(SETTLED, 98, 16, "link", "never from a connector: these settings (a hash of them) are used now, and of what is opened from now on")    \
	X(EXAMINE, 28, MSG_INLINE_MAX + MSG_FIELDS_MAX, "switch", "alone only: decode these octets of a peer and offer what they are; content as in TRANSFER") \
	X(EXAMINED, 29, 2048, "alone", "they were offered and the answer came, or they cannot be read and why")            \
	/* content: rendering and conversion in the sandbox */                                                        \
	X(RENDER, 30, 16 * 1024 * 1024 - 64, "switch", "show this message")                         \
	X(RENDERED, 31, 16 * 1024 * 1024 - 64, "content", "what it looks like")                                       \
	X(CONVERT, 32, 16 * 1024 * 1024 - 64, "switch", "convert this content for a link")                            \
	X(CONVERTED, 33, 16 * 1024 * 1024 - 64, "content", "what became of it, or that it needs no change, or why not")  \
	/* interchange and converter: one message between its MS Mail form and X.400's, in pieces both ways; MSG_CREDIT octets before any XLATE_CREDIT, both ways */\
	X(XLATE, 80, MSG_ENVELOPE_MAX + MSG_FIELDS_MAX, "interchange, bulk", "convert this message: its files follow as XLATE_DATA, in order") \
	X(XLATE_DATA, 81, MSG_PIECE_MAX + 16, "interchange, bulk; converter, bulk", "a piece of its files; of the result") \
	X(XLATE_CREDIT, 82, 16, "converter, bulk; interchange, bulk", "so many more octets may be sent: of the files; of the result") \
	X(XLATED, 83, MSG_ENVELOPE_MAX + MSG_FIELDS_MAX, "converter, bulk", "what became of it: its files follow as XLATE_DATA under credit; or why not") \
	/* control: the command line asks the switch */                                                               \
	X(STATUS, 40, 8, "tool", "how are the links and queues")                                                      \
	X(STATUS_LINK, 41, 4096, "switch", "one link")                                                                \
	X(STATUS_END, 42, 256, "switch", "totals")                                                                    \
	X(SHOW_MAIL, 43, 64, "tool", "render one mailbox entry")                                                      \
	X(SHOWN_MAIL, 44, 16 * 1024 * 1024 - 64, "switch", "the rendered entry, or why not")                          \
	X(REMOVE_MAIL, 45, 64, "tool", "one mailbox entry may go")                                                    \
	X(SHOW, 97, 64, "tool", "render any stored message, by any id of it: SHOWN_MAIL answers")                     \
	X(EXPLAIN, 63, 4096, "tool", "which routes are there for an address, and which is taken")                     \
	X(EXPLAINED, 64, 1024 * 1024, "switch", "every candidate and why it won or lost")                             \
	X(DONE, 46, 1024, "switch", "done and durable, or why not")                                                   \
	X(ACT, 47, 64 * 1024, "tool", "an operator's act on transfers or quarantined things, by id: what, who, why")       \
	X(ACTED, 48, 64 * 1024, "switch", "durable: for each id what became of it")                                   \
	X(RELOAD, 90, 1024, "tool", "read the settings again: as a whole or not at all")                              \
	X(RELOADED, 91, 1024 * 1024, "switch", "what has changed; or why nothing was")                                \
	X(BACKED_UP, 89, 2048, "tool", "a backup of the store was made, or was not and why: it is told as an event; DONE answers") \
	X(LINK_ACT, 92, 1024, "tool", "an operator's act on a link: DONE answers; or which associations it has: a ROW each, then DONE") \
	X(METRICS, 93, 8, "tool", "how much of everything has there been")                                            \
	X(METRIC, 94, 16 * 1024, "switch", "metrics of the MTA (first), or of one link: metrics.h")                    \
	X(METRICS_END, 95, 8, "switch", "that was the last link")                                                     \
	/* questions to the reader */                                                                                 \
	X(ASK, 50, 1024, "tool", "list: what, of what, after which row, how many")                                    \
	X(ROW, 51, 1024 * 1024, "reader", "one row: its fields, in order")                                               \
	X(ROWS_END, 52, 1024, "reader", "the end of the answer: more to come or not, or why it failed")           \
	/* a connector in a program of its own */                                                                     \
	X(REGISTER, 60, 256, "connector", "first after HELLO: the link it serves, and which of its two streams this is")   \
	X(REGISTERED, 61, 1024, "switch", "it may begin, or why not")                                                \
	X(ALIVE, 62, 16, "switch, connector", "answer this number: sent when it has been silent while something is in its hands") \
	/* the octets of a link's connections in clear, to a file: asked for by an operator, passed on to the link processes */          \
	X(WIRETRACE, 96, 1024, "tool; switch; link", "begin or end a trace of a link: DONE answers the tool; a link process tells a new switch which it has") \
	/* events, on the socket `events` of the recorder; LEVEL is answered by DONE */                                               \
	X(FOLLOW, 100, 8192, "tool", "events that fit: those in memory, then, if so wanted, those to come")              \
	X(FOLLOWED, 101, 1024, "recorder", "memory has been gone through; or some events were dropped, because the follower was too slow or came too late") \
	X(EVENT, 102, 8192, "recorder", "one event: its number and its line of JSON")                                \
	X(LEVEL, 103, 1024, "tool", "hear so much of a category of events, in every process, until the next reload or start") \
	X(LEVELS, 104, 8, "tool", "which level has each category now, and which by the settings: a ROW each (category, level, settings), then DONE")

enum msg {
#define X(name, number, max, who, what) MSG_##name = number,
	MSGS(X)
#undef X
};

enum msg_longest {
#define X(name, number, max, who, what) MSG_MAX_##name = (max),
	MSGS(X)
#undef X
};

size_t msg_max(enum msg m);
const char *msg_name(enum msg m);

#define MSG_INBOUND_BIT (UINT64_C(1) << 63) /* set in the id of an association that the peer opened */

/* --- one struct a message; views point into the payload --- */

struct msg_offer { /* OFFER, OFFER_BEGIN */
	uint64_t offer;       /* chosen by the sender, unique on its channel */
	struct view link;     /* link it came by; empty: submitted here */
	struct view peer;     /* address, for events */
	struct view packed;   /* pack_message; empty for octets */
	struct view content;  /* OFFER only */
	bool octets;          /* not a message: octets of a peer that were not decoded (suspect), or cannot be (err) */
	uint64_t hash;        /* of the first 512 octets of the APDU (x400: RTTR's); 0: not known */
	uint64_t examined;    /* the EXAMINE that this comes from; 0: from a peer */
	struct err err;       /* octets: why they cannot be decoded; kind ERR_NONE: not tried */
	struct view track;    /* keys of subject and identifiers (track_key.h), 8 octets each; a connector may leave it out, to its length */
};
struct msg_spoiled { /* OFFER_SPOILED */
	uint64_t offer, n;    /* octets that came */
	struct err err;
};
struct msg_suspect { /* SUSPECT */
	struct view link;
	uint64_t hash;
	uint32_t strikes;
};
struct msg_busy { /* BUSY */
	bool busy;
	struct err err;
};
struct msg_explain { /* EXPLAIN */
	uint64_t id;          /* the asker's */
	struct view address;  /* an O/R address as text */
	struct view link;     /* as if it had come by it; empty: submitted here */
	uint64_t size;        /* octets of content */
};
struct msg_explained { /* EXPLAINED */
	uint64_t id;
	struct view rows;     /* a string for each row, in which names and values follow each other as strings, as in ROW */
	struct err err;
};
struct msg_examine { /* EXAMINE */
	uint64_t examine;     /* as `transfer` in TRANSFER: TRANSFER_PULL and TRANSFER_DATA name it */
	struct view link, peer;
	uint64_t hash, size;
	struct view content;  /* inline; empty when size > MSG_INLINE_MAX: pull it */
};
struct msg_examined { /* EXAMINED */
	uint64_t examine;
	bool offered;         /* the offer was answered: accepted */
	struct err err;
};
struct msg_convert { /* CONVERT */
	uint64_t id, transfer; /* transfer: the store's, for the note */
	uint64_t wrap;         /* columns */
	bool to_84;            /* P22 becomes P2 (RFC 1328 5) */
	bool from_84;          /* and the way back; at most one of the two */
	bool no_part_15;       /* externally defined body parts become the older ones (X.420 annex) */
	bool no_free_form;     /* free-form names go where there is a formal one */
	uint8_t text;          /* enum link_text */
	bool no_loss;          /* conversion-with-loss-prohibited: 2/19 rather than a loss */
	bool prohibited;       /* conversion-prohibited: 2/9 rather than a conversion */
	int64_t content_type;  /* 2, 22 */
	struct view content;
};
struct msg_converted { /* CONVERTED */
	uint64_t id;
	bool changed;          /* false with kind ERR_NONE: send it as it is */
	int64_t content_type;  /* changed: what it is now */
	bool wrapped;          /* changed: lines were */
	bool is_notification;  /* whether it is changed or not */
	struct view eits;      /* changed: encoded information types now (raw TLV), for the trace; empty: as before */
	struct view content;
	struct err err;
};
enum msg_act { ACT_HOLD, ACT_RELEASE, ACT_RETRY, ACT_REROUTE, ACT_RETURN, ACT_DELETE, ACT_QUARANTINE_RELEASE, ACT_QUARANTINE_DELETE, ACT_COUNT };
struct msg_act_on { /* ACT */
	uint64_t id;
	enum msg_act act;
	struct view arg;      /* REROUTE, QUARANTINE_RELEASE: link, may be empty for the latter */
	struct view who, why; /* for the audit event; the switch adds the caller's user from the socket */
	struct view ids;      /* 8 octets each: transfers or quarantine ids; at most MSG_ACT_IDS of them */
};
enum msg_link_act {
	LINK_ACT_RETRY,       /* the wait for the next attempt is over */
	LINK_ACT_CLOSE,       /* its associations are released when what is in hand is done; it opens others when mail wants it */
	LINK_ACT_STOP,        /* the same, and it opens none and takes no call until started; durable */
	LINK_ACT_START,
	LINK_ACT_LIST,        /* ROW: id, direction (in, out), state (opening, open, closing), process, in-flight, age-ms (empty: not known), two-way */
	LINK_ACT_COUNT,
};
struct msg_link_act_on { /* LINK_ACT */
	uint64_t id;
	enum msg_link_act act;
	struct view link;
	struct view who, why; /* for the audit event; the switch adds the caller's user from the socket */
};
enum msg_acted_what { ACTED_DONE, ACTED_GONE, ACTED_IN_FLIGHT, ACTED_REFUSED };
struct msg_acted { /* ACTED */
	uint64_t id;
	struct view what;     /* one octet an id, in order: enum msg_acted_what */
	struct err err;       /* why refused, or kind ERR_NONE */
};
struct msg_reload { /* RELOAD */
	uint64_t id;
	bool dry;             /* only say what would change */
	struct view who;      /* for the audit event; the switch adds the caller's user from the socket */
};
struct msg_reloaded { /* RELOADED */
	uint64_t id;
	uint32_t how;         /* enum process_reloaded (sys/process.h) */
	struct view text;     /* one line a change, or the error; for a person */
};
struct msg_backed_up { /* BACKED_UP */
	uint64_t id;
	struct view target, who;
	struct view why;      /* it failed; empty: it was made, and ... */
	uint64_t messages, octets, took_ms;
};
struct msg_register { /* REGISTER */
	struct view link;
	bool bulk;
	uint64_t token;       /* the same in both streams of one connector, chosen by it */
};
struct msg_piece { /* OFFER_DATA, TRANSFER_DATA */
	uint64_t id;
	struct view octets;   /* TRANSFER_DATA: empty when the content cannot be read; no more comes */
};
struct msg_count { /* OFFER_END (total), OFFER_CREDIT, OFFER_CANCEL (0), TRANSFER_PULL, ASSOC_CLOSE (0) */
	uint64_t id, n;
};
struct msg_answer { /* OFFER_ANSWER, DONE */
	uint64_t id;
	bool accepted, duplicate;
	struct view mts_id;   /* text; given to a submission */
	struct err err;
};
struct msg_assoc_how { /* ASSOC_HOW */
	uint64_t assoc;
	uint32_t which;       /* to a link: the peer's address: 0 for `address`, then more-addresses */
	bool permanent;       /* to a link: it is not released for being idle */
	struct view reference;/* to a link: recover this association, when the peer agrees; empty: none */
	bool recovered;       /* from a link: it did: transfers broken off there can be resumed */
	bool can_send;        /* from a link, of an inbound association: it is two-way alternate, transfers may be handed over on it */
};
struct msg_resume { /* TRANSFER_RESUME */
	uint64_t transfer;    /* of the TRANSFER or TRANSFER_RESULT that follows */
	struct view reference;/* of the association it began on; what is in it only a link process knows (three strings: x400_reference) */
	uint64_t activity, offset;
	uint32_t serial;
};
struct msg_partial { /* PARTIAL_BEGIN, PARTIAL_FIND, PARTIAL_FOUND */
	uint64_t id;          /* chosen by the link, unique on its channel: of the transfer, or of the question (then of what was found) */
	struct view link;     /* FIND: empty when only the reference is known (recover bind); FOUND: its link */
	struct view host;     /* numeric address of the peer, without the port */
	struct view reference;
	uint64_t activity;    /* FIND: 0 when only the association is asked for */
	uint32_t serial;      /* FIND: last checkpoint the peer knows to be confirmed; FOUND: the same, when kept */
	uint64_t octets;      /* FOUND: before that checkpoint; PARTIAL_PULL gives them */
	bool found;
};
struct msg_sync { /* PARTIAL_SYNC, PARTIAL_SYNCED, PARTIAL_END, PARTIAL_PULL */
	uint64_t id;
	uint32_t serial;      /* SYNC, SYNCED */
	uint64_t n;           /* SYNC: octets so far; PULL: octets wanted */
	bool good;            /* SYNCED: durable; END: keep */
};
struct msg_xlate { /* XLATE */
	uint64_t id;          /* chosen by the interchange, one at a time */
	uint8_t to_mai;       /* 1: a packed message and its content to a MAI; 0: a MAI, or with 2 an FFAPI file, to a packed message and P22 */
	struct view item;     /* for the note: "transfer 17", "INQUEUE3 00000062" */
	struct view packed;   /* to_mai */
	struct view envelope; /* to IPM: octets of mm_envelope_print */
	struct view local_id; /* to IPM: local part of the MTS-identifier */
	struct view files;    /* strings and sizes: name (string), octets (8 octets), repeated: what XLATE_DATA brings, in order: the content;
			       * or MAI (FFAPI file), then attachments by index */
	int64_t now_ms;
	struct view own;      /* "NET/PO" of the postoffice at hand, as its MASTER.GLB says; empty: as the settings say */
};
struct msg_xlated { /* XLATED */
	uint64_t id;
	struct view packed;   /* to IPM */
	struct view envelope; /* with outcomes (envelope.h) */
	struct view files;    /* as in XLATE: to IPM the content; to MAI: MAI, then attachments */
	struct view notice;   /* to IPM, when it is a mover's notice: strings: code, from, to, subject, date (yyyymmddhhmmss), then names not reached, each with its code */
	uint64_t replaced;
	bool warned;          /* a code page was not known here */
	uint64_t not_listed;  /* to MAI: names of recipients over header-limit, which it does not show */
	struct view track;    /* to IPM: for the offer's */
	struct err err;
};
struct msg_assoc { /* ASSOC_OPEN, ASSOC_UP, ASSOC_DOWN */
	uint64_t assoc;       /* outbound: given by the switch, below 2^63; inbound: by the link, with the top bit set */
	struct view link;
	bool was_open;        /* DOWN: it had been up */
	struct err err;       /* DOWN: kind ERR_NONE when released in order */
};
struct msg_transfer {
	uint64_t transfer;    /* this attempt: chosen by the switch, never used again on the channel; PULL, DATA and RESULT name it */
	uint64_t assoc;
	struct view packed;
	uint64_t content_size;
	struct view content;  /* inline; empty when content_size > MSG_INLINE_MAX: pull it */
	uint64_t stored;      /* the store's id of the transfer: for the note `transfer ID` */
};
struct msg_result {
	uint64_t transfer;
	bool delivered;
	struct err err;
};
struct msg_render { /* RENDER, RENDERED, SHOW_MAIL, SHOWN_MAIL, REMOVE_MAIL, SHOW, STATUS */
	uint64_t id;          /* the asker's */
	uint64_t delivery;    /* SHOW_MAIL, REMOVE_MAIL; SHOW: id of a message, transfer, delivery or quarantined thing */
	struct view packed, content; /* RENDER: message and content; RENDERED, SHOWN: result in `content` */
	struct err err;       /* RENDERED, SHOWN: kind ERR_NONE when it went well */
};
struct msg_status_link {
	struct view name, state, last_error, address; /* address: the one that is called first */
	struct view schedule; /* "always", "open until 2026-11-22T18:00Z", "urgent only until ...", "never" ... */
	uint64_t queued, octets, inbound, outbound, in_flight, sent, received, attempts;
	uint64_t two_way;     /* of the inbound ones: those on which mail goes out too */
	int64_t next_attempt_ms; /* from now; -1: none */
	struct view monitor;  /* ok, warning, alert; empty: it is not monitored */
	int64_t round_trip_ms;/* of the last probe that was answered; -1: none */
	uint64_t unanswered_ms; /* since the oldest probe that waits for an answer */
};
struct msg_status_end {
	struct view mta, domain;
	uint64_t messages, queued, deliveries, links, content_processes, uptime_ms;
	uint64_t held, quarantined, suspects;
};
enum msg_question { ASK_QUEUE, ASK_QUEUES, ASK_TRACE, ASK_STEPS, ASK_MAILBOX, ASK_QUARANTINE, ASK_OCTETS, ASK_SELECT, ASK_TRACK,
		    ASK_PROCESSES, ASK_COUNT };
/* QUARANTINE: of one id, or of all. OCTETS: `of` is "ID envelope" (packed) or "ID content", after: an offset. SELECT: `of` is lines
 * NAME=VALUE that must all fit: id (transfer or MTS-identifier), originator, recipient (a part of the address), link, priority, before
 * (arrived, ms since 1970), larger (octets), content-type (built-in number), held=1. The mts_id of its ROWS_END is the last transfer
 * that was looked at: to go on after it.
 * PROCESSES, which the recorder answers too: what the supervisor knows of each process, also of one that answers nobody; `of` empty, or a kind. Rows: name, pid (0: it does not
 * run), ready, hung (it is being ended), started, answered, silent, restart (ms since 1970, or 0; see board.h), words; and of the supervisor
 * supervisor (its pid), stopping, written, watchdog (ms).
 * TRACK: steps, newest first, of messages that fit all the lines NAME=VALUE in `of`: id (MTS-identifier, whole or its local part; or the
 * id that a gateway knows it by), ipm-id (local part of the IPM-identifier), address (its originator or a recipient), originator,
 * recipient (whole O/R addresses as text; equal as X.402 18.4 compares), subject (all of it; case, white space and "Re:" ignored), from, to (ms since 1970, of
 * the step: from <= at < to), event (numbers of Exchange's tracking log, separated by commas). At least one of them. With `event`
 * a row is a step that is such an event; without, the step by which the message is known under what was asked for (it came in, a list was
 * expanded, it was redirected), or with nothing but times every arrival. Rows: seq, at, event (number, or empty), event-name, step, id, other-id, peer, text, size. after: where to
 * go on (0: from the newest): the mts_id of ROWS_END, which tells how far was looked also when no row was found in the time of one question. The rows of TRACE and STEPS have event and event-name too. */
struct msg_ask {
	uint64_t id, after;
	enum msg_question what;
	uint32_t max;
	struct view of;       /* queue, mailbox, MTS-identifier */
};
struct msg_metric { /* METRIC */
	struct view link;     /* empty: of the MTA */
	struct view values;   /* metrics.h */
};
struct msg_row {
	uint64_t id;
	struct view pairs;    /* strings: name, value, name, value ...; rows.h */
};

/* What is not asked for fits everything: zeros and empty views. One FOLLOW at a time on a channel: another one takes the place of the one before. */
struct msg_follow { /* FOLLOW */
	uint64_t id;          /* the asker's, in every answer */
	uint64_t after;       /* only events with higher numbers. Numbers grow for ever, over restarts too, as long as the clock is not set back */
	uint64_t since;       /* only events of this time or later; ms since 1970 */
	struct view categories; /* "x400,store"; empty: all */
	uint8_t severity;     /* enum event_severity: this and what is worse */
	struct view link;     /* the event's field "link" is this */
	struct view text;     /* is found in its name, process or the value of a field; capitals do not count */
	uint32_t max;         /* of memory at most so many; 0: all. Not of those to come */
	bool last;            /* the last `max` of those that fit, in place of the first */
	bool live;            /* and then those to come, until the channel ends */
};
struct msg_followed { /* FOLLOWED: once when memory has been gone through, and when live each time that some were dropped */
	uint64_t id;
	uint64_t next;        /* the number that was looked at last: to go on, ask for those after it */
	uint64_t dropped;     /* so many (whether they fit or not) were not kept long enough for this follower since the last FOLLOWED */
	bool more;            /* `max` were sent and others fit: ask for those after `next` */
	bool live;            /* from here on it is live */
	bool anew;            /* `after` is of a recorder before this one: what went with that one's memory nobody has counted */
	struct err err;       /* why the question was refused; then nothing else comes. Else kind ERR_NONE */
};
struct msg_event { /* EVENT */
	uint64_t id;          /* of FOLLOW */
	uint64_t number;
	struct view line;     /* one JSON object: time, process, severity, event, id, category; maybe source, repeated, lost, fields {name: text} */
};
struct msg_wiretrace { /* WIRETRACE */
	uint64_t id;
	struct view link;
	bool on;
	uint64_t octets, time_ms; /* on: it ends by itself after so much of a file, after so long */
	struct view name;     /* files are DIRECTORY/trace/NAME-PROCESS.pcap. From a tool only to end: that one and no later one; empty: any */
	struct view who, why; /* for the audit event; the switch adds the caller's user from the socket */
};
struct msg_level { /* LEVEL */
	uint64_t id;
	struct view category; /* empty: all */
	uint32_t level;       /* enum event_level */
	struct view who, why; /* for the audit event; the recorder adds the caller's user from the socket */
};

#define MSG_CODEC(name, type)                                                                                         \
	void put_msg_##name(struct out *o, const struct type *m);                                                     \
	MUST_CHECK bool get_msg_##name(struct view payload, struct type *m_r, struct err *e)

MSG_CODEC(offer, msg_offer);
MSG_CODEC(piece, msg_piece);
MSG_CODEC(count, msg_count);
MSG_CODEC(answer, msg_answer);
MSG_CODEC(assoc, msg_assoc);
MSG_CODEC(transfer, msg_transfer);
MSG_CODEC(result, msg_result);
MSG_CODEC(render, msg_render);
MSG_CODEC(status_link, msg_status_link);
MSG_CODEC(status_end, msg_status_end);
MSG_CODEC(ask, msg_ask);
MSG_CODEC(row, msg_row);
MSG_CODEC(spoiled, msg_spoiled);
MSG_CODEC(suspect, msg_suspect);
MSG_CODEC(busy, msg_busy);
MSG_CODEC(examine, msg_examine);
MSG_CODEC(examined, msg_examined);
MSG_CODEC(convert, msg_convert);
MSG_CODEC(converted, msg_converted);
MSG_CODEC(act_on, msg_act_on);
MSG_CODEC(acted, msg_acted);
MSG_CODEC(backed_up, msg_backed_up);
MSG_CODEC(link_act_on, msg_link_act_on);
MSG_CODEC(register, msg_register);
MSG_CODEC(reload, msg_reload);
MSG_CODEC(reloaded, msg_reloaded);
MSG_CODEC(partial, msg_partial);
MSG_CODEC(sync, msg_sync);
MSG_CODEC(assoc_how, msg_assoc_how);
MSG_CODEC(resume, msg_resume);
MSG_CODEC(explain, msg_explain);
MSG_CODEC(explained, msg_explained);
MSG_CODEC(xlate, msg_xlate);
MSG_CODEC(xlated, msg_xlated);
MSG_CODEC(follow, msg_follow);
MSG_CODEC(followed, msg_followed);
MSG_CODEC(event, msg_event);
MSG_CODEC(level, msg_level);
MSG_CODEC(wiretrace, msg_wiretrace);
MSG_CODEC(metric, msg_metric);

/* Strings of ROW and of anyone's own lists. */
void put_string(struct out *o, struct view v);
struct view get_string(struct cur *c);
