/* convert_private.h - what the files of the conversion share. Between MAI and IPM all text is UTF-8; lines end with CR LF towards X.400
 * and with CR towards MS Mail. */
#pragma once
#include "flow/codec/msmail/convert.h"

enum { CONV_DEPTH = 8, CONV_SUBJECT_MAX = 256 /* X.420 ub-extended-subject, in characters */ };

struct conv {
	const struct mm_convert *how;
	struct arena *a;
	struct err *e;
	struct ber_limits limits;
	unsigned page;       /* of the MAI at hand */
	size_t replaced;
	bool warned;
};

/* --- convert_text.c: octets of the page at hand <-> UTF-8; results live in the arena (or are the argument) --- */
struct view conv_utf8(struct conv *c, struct view octets);
struct view conv_octets(struct conv *c, struct view utf8);
/* A string of X.400 as UTF-8. */
struct view conv_string(struct conv *c, enum charset from, unsigned registration, struct view octets);
struct view conv_crlf(struct conv *c, struct view utf8);
struct view conv_cr(struct conv *c, struct view utf8);
/* On one line, without blanks at the ends, at most `max` characters. */
struct view conv_one_line(struct conv *c, struct view utf8, size_t max);
/* A file name: what follows the last separator, without what file systems do not take. Empty when nothing is left. */
struct view conv_file_name(struct conv *c, struct view utf8);
struct view conv_printable(struct conv *c, struct view utf8, size_t max); /* PrintableString; other characters escaped (RFC 2156 3.2) */
struct view conv_kept(struct conv *c, struct out *o); /* what was built, which ends */
struct view conv_fmt(struct conv *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct view conv_tail(struct view v, size_t n);       /* the last n octets */

bool conv_full(struct conv *c); /* fails: the arena's quota is passed */
bool conv_may_go_on(struct conv *c); /* false with the error when time is over or the arena is full */
bool conv_fail(struct conv *c, int reason, int diagnostic, const char *what); /* ERR_PERM, message */

/* --- what a MAI cannot say in a field of its own: a comments field of FIPS 98 that its readers pass over --- */
struct conv_marks {
	int64_t sensitivity; /* enum ipm_sensitivity; 0: none */
	bool auto_forwarded;
	struct view ipm_id;  /* "local*O/R address" of the IPM; may be empty */
};
struct view conv_put_marks(struct conv *c, const struct conv_marks *m); /* the element; empty when there is nothing to say */
void conv_get_marks(const struct mai *m, struct conv_marks *m_r);

/* "IPM.Note" and its like: the class that every client's mail has is not said. */
bool conv_is_plain_class(struct view class);
#define CONV_CLASS_NRN "Report.IPM.Note.IPNNRN"

/* --- convert_part.c: an IPM's body as text and attachments --- */
struct conv_body {
	struct out text;                 /* UTF-8, lines ended by CR */
	size_t characters;               /* of text so far: counted when an attachment stands there */
	size_t counted;                  /* octets of text that `characters` counts */
	struct mm_attachment *attachments;
	struct view *octets;
	size_t n, room;
};
MUST_CHECK bool conv_body_parts(struct conv *c, const struct ipm_message *m, struct conv_body *b, unsigned depth);
/* An attachment at the end of the text so far. name: UTF-8; empty: one is made, "ATT00001" and `suffix`. */
MUST_CHECK bool conv_attach(struct conv *c, struct conv_body *b, struct view name, const char *suffix, struct view octets, int64_t modified_ms);
void conv_put_text(struct conv *c, struct conv_body *b, struct view utf8); /* begins a line of its own */
void conv_body_end(struct conv_body *b); /* what stands behind all text stands "at the end" */

/* --- convert_heading.c: what a heading says --- */
struct view conv_subject(struct conv *c, const struct ipm_heading *h);      /* UTF-8, one line */
struct view conv_person(struct conv *c, const struct ipm_or_descriptor *d); /* UTF-8: name and address, for people */
struct view conv_date_text(struct conv *c, wall_ms_t at);                   /* "1993-10-08 16:25", by the zone */
/* An address as MS Mail has it; never fails: what cannot be mapped is an X.400 address as text. */
struct mm_address conv_address(struct conv *c, const struct oraddr *addr, struct view free_form);
struct mm_address conv_descriptor(struct conv *c, const struct ipm_or_descriptor *d);
bool conv_has(const struct ipm_heading *h, unsigned bit);

/* --- convert_report.c: what is no message becomes one --- */
MUST_CHECK bool conv_report(struct conv *c, const struct message *m, struct mai *mai, struct conv_body *b);
MUST_CHECK bool conv_put_notification(struct conv *c, const struct message *m, const struct ipm_ipn *n, struct mai *mai, struct conv_body *b);
/* The sentence of a notification, for a body part too. */
void conv_notification_text(struct conv *c, const struct ipm_ipn *n, struct view subject, struct conv_body *b);
