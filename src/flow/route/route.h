/* route.h - whom to hand a recipient to, and why. Pure; a table is immutable once built, a reload swaps tables.
 * (Contract fixed by the switch, which is written against it.) */
#pragma once
#include "flow/message/message.h"

enum route_target { ROUTE_LINK, ROUTE_LOCAL, ROUTE_REJECT };

struct route_table;

struct route_table *route_table_new(void);
void route_table_free(struct route_table **t);

/* --- patterns: of routes, and of whoever may send or get something --- */

/* A pattern is read with oraddr_parse and ORADDR_PATTERN, so that `C=DE` is all of the country; the blank ADMD alone is `C=DE; A= `.
 * An attribute that is not in the pattern may be anything. A wildcard wants the attribute to be there, but for C and A, which it matches
 * also where there is none; a blank A matches a blank or absent one only. A pattern of no attributes matches every address. */
bool route_pattern_matches(const struct oraddr *pattern, const struct oraddr *addr);
/* As oraddr_parse reads it back: F.401, but where a blank ADMD has to be seen. */
void route_pattern_print(const struct oraddr *pattern, struct out *o);

/* --- building --- */

/* pattern: as route_pattern_matches has it; copied. link: name of the link (ROUTE_LINK), copied; not looked at for the other targets.
 * ROUTE_REJECT answers 1/17 (no-bilateral-agreement). */
void route_add(struct route_table *t, const struct oraddr *pattern, enum route_target target, const char *link, unsigned cost);
/* ROUTE_REJECT with another X.411 reason and diagnostic (-1: none). */
void route_add_reject(struct route_table *t, const struct oraddr *pattern, int reason, int diagnostic, unsigned cost);
/* An address of a local mailbox; call again for aliases. It is found before any route. False: another mailbox has an equal address (named in *e). */
MUST_CHECK bool route_add_mailbox(struct route_table *t, const struct oraddr *addr, const char *mailbox, struct err *e);
/* Ends the building. */
void route_table_seal(struct route_table *t);

/* Is there, for anything that goes by this link, possibly a route of another one that is as specific? No: nothing of its queue can ever be
 * rerouted. Never a wrong no; a yes may be wrong where patterns have personal attributes. */
bool route_has_rival(const struct route_table *t, const char *link);

/* --- what is known of links, and of a message's way so far --- */

enum route_activation { ROUTE_ACTIVE, ROUTE_LATER, ROUTE_NEVER, ROUTE_REMOTE }; /* in this order; REMOTE: the peer calls */

struct route_link_state {
	enum route_activation activation; /* by its schedule */
	uint32_t tries;      /* of this message on it */
	bool is_waiting;     /* it could not be opened the last time */
	bool is_tried;       /* the message has been through: never again */
	bool is_exhausted;   /* max-open-retries are used up for this message */
	bool is_unfit;       /* it cannot take it: too long */
	bool is_barred;      /* it is no way round now (rerouting only): held, or failing itself */
};
typedef void route_state_f(void *ctx, const char *link, struct route_link_state *state_r); /* *state_r is all zero before */

struct route_question {
	const struct oraddr *addr;
	const char *arrival;      /* link it came by; NULL: none */
	route_state_f *state;     /* NULL: nothing is known, every link is as good as the others */
	void *ctx;
	uint64_t share;           /* hash of the message: links that are equal in all else share by it; 0: the one that was added first */
	bool lowest_cost_first;   /* routing.lowest-cost-first */
};

struct route_answer {
	enum route_target target;
	const char *link;     /* ROUTE_LINK; good as long as the table */
	uint32_t link_index;  /* order in which link names were first added, 0.. */
	const char *mailbox;  /* ROUTE_LOCAL */
	unsigned cost;
};

/* Whom to hand it to. A mailbox of that address; else the candidates are the routes of the most specific match. Specific is, first, the
 * deeper attribute: personal name, common name, DDAs and the like together, then OU4 .. OU1, O, PRMD, ADMD, country; and at each an
 * exact value before a wildcard before none. What is less specific is never taken in their stead: the specific route says where those
 * addresses live, and a default route in its place would send them out of the house, or back. A backup is a second route with the same match.
 *
 * Of the candidates these are left out, in this order: the link it came by; what it has been through (is_tried); those with
 * is_exhausted; is_unfit; is_barred. Then they are compared: active now before later before never before remote-initiated; fewer
 * tries; not waiting; lower cost; local before remote; then by share. With lowest_cost_first: active now before all others, lower
 * cost, and then as before.
 * What counts without the state of links (no candidate left out but the arrival link; lower cost, then fit, then local): when that is
 * local, reject, or a link that is unfit, it is the answer, for no failure of a link makes an address local, or refused, or a way round
 * a limit (the caller reports an unfit one). So local and reject are never a way round a link.
 *
 * False: *e is ERR_PERM, recipient, with X.411 reason and diagnostic: no such mailbox in a local domain and no route 1/0
 * (X.411: the MTS does not recognise the O/R name; unable-to-transfer alone would hide that the address is at fault);
 * only the arrival link 1/3 (loop-detected: we and the peer each think the other is nearer); rejected as the route says; every link that
 * is left has been tried 0/- . Allocates nothing. */
MUST_CHECK bool route_choose(const struct route_table *t, const struct route_question *q, struct route_answer *answer_r, struct err *e);
/* The same with nothing known of links. exclude: NULL, or the arrival link. */
MUST_CHECK bool route_find(const struct route_table *t, const struct oraddr *addr, const char *exclude,
			   struct route_answer *answer_r, struct err *e);

/* --- explaining: the same comparison, told --- */

struct route_candidate {
	unsigned number;              /* of the route, as added, 1..; 0: the mailbox */
	const struct oraddr *pattern; /* NULL: the mailbox */
	enum route_target target;
	const char *link;             /* NULL: not a link */
	const char *mailbox;
	unsigned cost;
	bool is_winner;
	const char *why;              /* "won", "lost: route 3 costs less"; good during the call */
	struct route_link_state state;
};
/* Every mailbox and route that matches, in the order of preference, the winner first unless what is more specific was all left out. */
void route_explain(const struct route_table *t, const struct route_question *q, void (*each)(void *ctx, const struct route_candidate *c),
		   void *ctx);
