/* quarantine_int.h - inside `posthorn quarantine`: one thing in quarantine, fetched from the reader. */
#pragma once
#include "flow/message/message.h"
#include "proc/ctl/ctl_int.h"

enum { QUARANTINE_IDS = 500, QUARANTINE_DUMP = 512, QUARANTINE_OCTETS = 1 << 30 };

struct quarantined {
	uint64_t id;
	bool found, octets;
	bool msmail;                     /* octets: files of a postoffice's message, which only an interchange can read */
	struct view pairs;               /* the row; in the arena */
	struct view link;
};

/* The row of that id. False: there is none, or no answer (said). */
bool quarantine_find(struct ctl *c, const char *id, struct quarantined *q_r);
/* All of its `part`, "envelope" or "content", at most max octets. False: said why. */
bool quarantine_fetch(struct ctl *c, const struct quarantined *q, const char *part, size_t max, struct out *into);
/* The envelope unpacked; everything lies in the arena. False: said why. */
bool quarantine_envelope(struct ctl *c, const struct quarantined *q, struct message *m_r);

/* quarantine_show.c */
void quarantine_show(struct ctl *c, const struct quarantined *q, bool octets);
/* An envelope that has been fetched, as a page of text or one JSON object; one that cannot be read is said. */
void quarantine_show_envelope(struct ctl *c, struct view packed);
