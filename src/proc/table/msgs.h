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
	/* outbound: the switch hands messages to a connector */                                                      \
	X(ASSOC_OPEN, 20, 256, "switch", "open an association to this link")                                          \
	X(ASSOC_CLOSE, 21, 16, "switch", "release it when what is in hand is done")                                   \
	X(ASSOC_UP, 22, 256, "link", "an association is open")                                                        \
	X(ASSOC_DOWN, 23, 1024, "link", "it is gone, or could not be opened, and why")                                \
	X(TRANSFER, 24, MSG_ENVELOPE_MAX + MSG_INLINE_MAX + MSG_FIELDS_MAX, "switch", "hand this message over on that association")   \
	X(TRANSFER_PULL, 25, 16, "link", "so many more octets of content are wanted")                                 \
	X(TRANSFER_DATA, 26, MSG_PIECE_MAX + 16, "switch, bulk", "a piece of content")                                \
	X(TRANSFER_RESULT, 27, 1024, "link", "the peer has taken responsibility, or not and why")                     \
	/* content: rendering in the sandbox */                                                                       \
	X(RENDER, 30, 16 * 1024 * 1024 - 64, "switch", "show this message")                         \
	X(RENDERED, 31, 16 * 1024 * 1024 - 64, "content", "what it looks like")                                       \
	/* control: the command line asks the switch */                                                               \
	X(STATUS, 40, 8, "tool", "how are the links and queues")                                                      \
	X(STATUS_LINK, 41, 4096, "switch", "one link")                                                                \
	X(STATUS_END, 42, 256, "switch", "totals")                                                                    \
	X(SHOW_MAIL, 43, 64, "tool", "render one mailbox entry")                                                      \
	X(SHOWN_MAIL, 44, 16 * 1024 * 1024 - 64, "switch", "the rendered entry, or why not")                          \
	X(REMOVE_MAIL, 45, 64, "tool", "one mailbox entry may go")                                                    \
	X(DONE, 46, 1024, "switch", "done and durable, or why not")                                                   \
	/* questions to the reader */                                                                                 \
	X(ASK, 50, 1024, "tool", "list: what, of what, after which row, how many")                                    \
	X(ROW, 51, 1024 * 1024, "reader", "one row: name, value pairs")                                               \
	X(ROWS_END, 52, 1024, "reader", "the end of the answer: more to come or not, or why it failed")

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
	struct view packed;   /* pack_message */
	struct view content;  /* OFFER only */
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
};
struct msg_result {
	uint64_t transfer;
	bool delivered;
	struct err err;
};
struct msg_render { /* RENDER, RENDERED, SHOW_MAIL, SHOWN_MAIL, REMOVE_MAIL, STATUS */
	uint64_t id;          /* the asker's */
	uint64_t delivery;    /* SHOW_MAIL, REMOVE_MAIL */
	struct view packed, content; /* RENDER: message and content; RENDERED, SHOWN: result in `content` */
	struct err err;       /* RENDERED, SHOWN: kind ERR_NONE when it went well */
};
struct msg_status_link {
	struct view name, state, last_error, address;
	uint64_t queued, octets, inbound, outbound, in_flight, sent, received, attempts;
	int64_t next_attempt_ms; /* from now; -1: none */
};
struct msg_status_end {
	struct view mta, domain;
	uint64_t messages, queued, deliveries, links, content_processes, uptime_ms;
};
enum msg_question { ASK_QUEUE, ASK_QUEUES, ASK_TRACE, ASK_STEPS, ASK_MAILBOX, ASK_COUNT };
struct msg_ask {
	uint64_t id, after;
	enum msg_question what;
	uint32_t max;
	struct view of;       /* queue, mailbox, MTS-identifier */
};
struct msg_row {
	uint64_t id;
	struct view pairs;    /* strings: name, value, name, value ... */
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

/* Strings of ROW and of anyone's own lists. */
void put_string(struct out *o, struct view v);
struct view get_string(struct cur *c);
