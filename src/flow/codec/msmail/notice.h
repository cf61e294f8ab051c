/* notice.h - the mover's non-delivery notice (facts A10): written and read. Numbers <-> X.411: flow/report/diagnostics.h.
 *
 *	FROM: NET/PO/MBX            of the original, as are the next four
 *	TO: Smith, John
 *	DATE: 1994-05-21            movers write it as their country does: 05-21-94, 21-05-94
 *	TIME: 11:26
 *	SUBJECT: ...
 *
 *	----------------
 *
 *	[003] sentence, and when it has a route: Message followed the following route:
 *	    NET/PO
 *
 *	Mail item was not delivered to:
 *	    NET/PO/MBX
 *
 *	[002] ... the next cause, when there are several; then a rule and the text of the original. */
#pragma once
#include "base/arena.h"
#include "flow/codec/msmail/envelope.h"

#define NOTICE_FROM "POSTMASTER"
#define NOTICE_SUBJECT "Mail failure"

struct mm_notice {
	int code;                        /* [nnn] */
	struct view text;                /* behind it; empty: the code's own sentence */
	struct view from, to, subject;   /* of the original, as shown */
	struct mm_date date;
	bool date_may_be_swapped;        /* read: month and day could as well be the other way round (05-06-94) */
	struct mm_hop *hops;             /* route list; may be none */
	size_t n_hops;
	struct view *unreached;          /* names not reached: each its line */
	int *codes;                      /* per unreached name, as each may have another cause; NULL: code */
	size_t n_unreached;
	struct view original;            /* text that follows */
};
/* "The address is not known." ...; never NULL: for a number that is none, that of 001. */
const char *notice_sentence(int code);

/* The body text, lines ended by CR LF. The causes stand in the order of `code`, then as codes has them, each with its names. Control
 * characters in what is given become blanks. */
void notice_print(const struct mm_notice *n, struct out *o);

/* False: the text is no such notice (then it is mail like any other): it begins with FROM, TO, DATE or SUBJECT (or with the mover's
 * "Message data:"), has FROM and SUBJECT, and behind them a line that begins with [nnn]. Tolerant of other programs' wording, of the order
 * of those lines, of any line ends, wrapped lines and indentation. `code` and `text` are the first ones; codes is there when there are
 * names. Everything lives in the arena or points into text. */
MUST_CHECK bool notice_parse(struct view text, struct mm_notice *n_r, struct arena *a);
