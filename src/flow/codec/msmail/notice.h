/* notice.h - the mover's non-delivery notice (facts A10): written and read. Numbers <-> X.411: flow/report/diagnostics.h. */
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
	struct mm_hop *hops;             /* route list; may be none */
	size_t n_hops;
	struct view *unreached;          /* names not reached: each its line */
	int *codes;                      /* per unreached name, as each may have another cause; NULL: code */
	size_t n_unreached;
	struct view original;            /* text that follows */
};
const char *notice_sentence(int code); /* "unable to deliver" ...; never NULL */
/* The body text, lines ended by CR LF. */
void notice_print(const struct mm_notice *n, struct out *o);
/* False: the text is no such notice (then it is mail like any other). Tolerant of other programs' wording and order. */
MUST_CHECK bool notice_parse(struct view text, struct mm_notice *n_r, struct arena *a);
