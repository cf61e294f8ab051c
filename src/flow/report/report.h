/* report.h - delivery and non-delivery reports (X.411 8.3.1.2, 12.2.1.3, 14.3.4), and the trace (X.411 12.3.1).
 * Pure. (Contract fixed by the switch, which is written against it.) */
#pragma once
#include "flow/message/message.h"

struct report_result {
	const struct recipient *rcpt; /* of the subject message */
	bool delivered;
	wall_ms_t at;                 /* delivered: when */
	int reason, diagnostic;       /* not delivered; diagnostic -1: none */
	struct view supplementary;    /* for a person; made PrintableString-safe and cut at 256 */
	uint32_t type_of_user;        /* delivered: X.411 TypeOfMTSUser; 0: a user of our domain, public or private */
};

struct report_maker {
	struct gdi domain;            /* ours */
	struct view mta;              /* our name */
	struct mts_id id;             /* of the report */
	wall_ms_t now;
};

/* What is asked for this recipient and outcome: is a report due to the originator (or by the originating MTA's request)? */
bool report_is_due(const struct message *subject, const struct recipient *r, bool delivered);

/* Whether a non-delivery report of this message carries its content back (RP-08): asked for, and of a known content type.
 * report_build does not have the content: who has it sets returned_content of the report, or sends it beside. */
bool report_returns_content(const struct message *subject);

/* A report about those results that are due. To the originator, or to the last list that the subject came by, then with the history of
 * both (X.411 14.3.4); who was redirected is named as who he is and who he was. In our domain's name, urgent (RP-07); with one element of
 * domain and internal trace, so that trace_add is not called for it; content type, identifier, correlator and encoded
 * information types as in the subject; its trace only where an audited report is asked (RP-10). `at` 0 of a delivered
 * result stands for now. NULL without error (e->kind ERR_NONE) when none is, or when the subject is itself a
 * report (RP-05, RP-06). Everything lives in the arena; views of the subject are copied. NULL with e set when the quota is passed. */
struct message *report_build(const struct message *subject, const struct report_result *results, size_t n,
			     const struct report_maker *maker, struct arena *a, struct err *e);

/* --- trace.c --- */

/* Appends one domain element when the last one is not already ours from this entry (entered = true: it has just come in
 * from outside or was submitted) and one internal element for this MTA. False: the arena's quota is passed. */
MUST_CHECK bool trace_add(struct message *m, const struct gdi *domain, struct view mta, bool entered, wall_ms_t now, struct arena *a);

/* The next hop failed and another is tried (TR-07): an element `rerouted` that names what was attempted, in the internal
 * trace, and in the domain trace when that was another domain. False: the arena's quota is passed. */
MUST_CHECK bool trace_add_rerouted(struct message *m, const struct gdi *domain, struct view mta, const struct gdi *attempted,
				   struct view attempted_mta, wall_ms_t now, struct arena *a);
/* Sets TRACE_REDIRECTED or TRACE_DL_OPERATION in the last element of both. */
void trace_mark(struct message *m, unsigned actions);

enum trace_verdict { TRACE_FINE, TRACE_LOOP };
/* RFC 1615 4.1 and 4.3: our own domain (left and entered again) or MTA since the last redirect or DL expansion. To be asked before trace_add.
 * Not a loop: elements of our domain at the end with none of another after them, elements `rerouted` of our MTA at the end
 * (with the visit they belong to). `max` elements (X.411 ub-transfers: 512) are a loop
 * whoever wrote them. */
enum trace_verdict trace_check(const struct message *m, const struct gdi *domain, struct view mta, size_t max);

/* Words for the diagnostics table: X.411 <-> SMTP enhanced status code <-> MS Mail notice. diagnostics.h has the table. */
