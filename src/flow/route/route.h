/* route.h - whom to hand a recipient to, and why. Pure; a table is immutable once built, a reload swaps tables.
 * (Contract fixed by the switch, which is written against it.) */
#pragma once
#include "flow/message/message.h"

enum route_target { ROUTE_LINK, ROUTE_LOCAL, ROUTE_REJECT };

struct route_table;

struct route_table *route_table_new(void);
void route_table_free(struct route_table **t);

/* pattern: attributes that must match, `*` values are wildcards; copied. link: name of the link (ROUTE_LINK), copied. */
void route_add(struct route_table *t, const struct oraddr *pattern, enum route_target target, const char *link, unsigned cost);
/* An address of a local mailbox. False: another mailbox has an equal address (named in *e). */
MUST_CHECK bool route_add_mailbox(struct route_table *t, const struct oraddr *addr, const char *mailbox, struct err *e);
/* Ends the building. */
void route_table_seal(struct route_table *t);

struct route_answer {
	enum route_target target;
	const char *link;     /* ROUTE_LINK; good as long as the table */
	uint32_t link_index;  /* order in which link names were first added, 0.. */
	const char *mailbox;  /* ROUTE_LOCAL */
	unsigned cost;
};

/* Most specific match, then cost, then order of adding. exclude: link it came by, never chosen (NULL: none).
 * False: *e is ERR_PERM, recipient, with X.411 reason and diagnostic (unknown mailbox 1/0, no route, rejected). */
MUST_CHECK bool route_find(const struct route_table *t, const struct oraddr *addr, const char *exclude,
			   struct route_answer *answer_r, struct err *e);

/* Every candidate and why it won or lost, one line each. */
void route_explain(const struct route_table *t, const struct oraddr *addr, const char *exclude, struct out *o);
