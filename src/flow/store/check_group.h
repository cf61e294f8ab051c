/* check_group.h - a store's rows message by message: the message with all that names it, from one ordered walk over each table, so that
 * a store of millions costs one pass and the memory of its largest message. For check and repair. Private to this folder. */
#pragma once
#include "flow/store/check.h"
#include "flow/store/impl.h"
#include "flow/store/record.h"
#include "flow/store/shape.h"

enum group_kind { GROUP_TRANSFER, GROUP_DELIVERY, GROUP_QUARANTINE };

struct group_part {
	enum group_kind kind;
	bool typed;	    /* every column has the type it is to have */
	bool alone;
	int64_t id;
	int64_t queue;	    /* transfer */
	int64_t recipients; /* transfer, quarantine: how many it is to have */
	int64_t recipient;  /* delivery: which one */
	int64_t priority, arrived, expires, size;
	bool octets;	    /* quarantine: not a message */
	bool is_valid;	    /* what has few values has one of them */
	bool made;	    /* by the repair */
	/* by group_recipients: */
	uint64_t named;	    /* how many recipients name it */
};

struct group_outcome {
	int64_t transfer, state;
	bool waits; /* by group_recipients: a part of that id is there, too */
};

struct group_recipient {
	enum store_rcpt_state state;
	uint64_t transfer;
	struct view packed;
	struct group_part *part;       /* QUEUED: where it waits, or NULL */
	struct group_outcome *outcome; /* QUEUED: how that ended, or NULL */
};

struct group {
	int64_t id;
	bool has_message, typed; /* typed: as in a part; the rest is the message's */
	int64_t parts_said, kind, priority, arrived, expires, size, file, content_octets;
	bool has_file, has_content;
	struct view mts_id, envelope, recipients; /* good until the next group */
	struct group_part *parts; /* by kind, then id; none when there is no message: those come one by one */
	size_t n_parts;
	struct group_outcome *outcomes; /* by transfer */
	size_t n_outcomes;
	bool has_share, share_typed;
	int64_t remaining, share_size;
	/* by group_recipients: */
	struct group_recipient *rcpt;
	size_t n_rcpt;
	bool rcpt_cut; /* after them come octets that are no recipient */
};

struct groups;
/* NULL with *e: the tables cannot be asked. */
struct groups *groups_new(sqlite3 *db, const char *path, const struct shapes *shapes, struct err *e);
void groups_free(struct groups **gs);

/* The next message, or (has_message false) what names one that is not there: then with one part, outcome or share at a time.
 * STEP_WAIT: that was all. STEP_FAIL: the database is damaged or cannot be read. */
MUST_CHECK enum step groups_next(struct groups *gs, struct group **g_r, struct err *e);

/* Reads the recipients of a group that has a message, and finds their places. */
void group_recipients(struct groups *gs, struct group *g);

/* One more of the group that was given last; its array may move. */
void group_add_part(struct groups *gs, struct group_part p);

const char *group_kind_name(enum group_kind kind); /* also the table */
/* Parts of the kind. */
size_t group_count(const struct group *g, enum group_kind kind);
