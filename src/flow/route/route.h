/* route.h - whom to hand a recipient to, and why. Pure; a table is immutable once built, a reload swaps tables.
 * (Contract fixed by the switch, which is written against it.) */
#pragma once
#include "flow/message/message.h"

enum route_target { ROUTE_LINK, ROUTE_LOCAL, ROUTE_REJECT };

struct route_table;

struct route_table *route_table_new(void);
void route_table_free(struct route_table **t);

/* pattern: attributes that must match, `*` values are wildcards; copied. link: name of the link (ROUTE_LINK), copied; not looked
 * at for the other targets. An attribute that is not in the pattern may be anything. A wildcard wants the attribute to be there, but for C and A, which
 * it matches also where there is none; a blank A matches a blank or absent one only. A pattern of no attributes is the default.
 * ROUTE_REJECT answers 1/17 (no-bilateral-agreement). */
void route_add(struct route_table *t, const struct oraddr *pattern, enum route_target target, const char *link, unsigned cost);
/* ROUTE_REJECT with another X.411 reason and diagnostic (-1: none). */
void route_add_reject(struct route_table *t, const struct oraddr *pattern, int reason, int diagnostic, unsigned cost);
/* An address of a local mailbox; call again for aliases. It is found before any route. False: another mailbox has an equal address (named in *e). */
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

/* A mailbox of that address; else the most specific match, then cost, then order of adding. Specific is, first, the deeper
 * attribute: personal name, common name, DDAs and the like together, then OU4 .. OU1, O, PRMD, ADMD, country; and at each an
 * exact value before a wildcard before none. exclude: link it came by, never chosen (NULL: none); what is less specific
 * than it is not chosen in its place.
 * False: *e is ERR_PERM, recipient, with X.411 reason and diagnostic: no such mailbox in a local domain and no route 1/0
 * (X.411: the MTS does not recognise the O/R name; unable-to-transfer alone would hide that the address is at fault);
 * only the excluded link 1/3 (loop-detected: we and the peer each think the other is nearer); rejected as the route says.
 * Allocates nothing. */
MUST_CHECK bool route_find(const struct route_table *t, const struct oraddr *addr, const char *exclude,
			   struct route_answer *answer_r, struct err *e);

/* Every candidate and why it won or lost, one line each. */
void route_explain(const struct route_table *t, const struct oraddr *addr, const char *exclude, struct out *o);
