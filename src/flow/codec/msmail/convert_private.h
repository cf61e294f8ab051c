/* convert_private.h - what the files of the conversion share. Between MAI and IPM all text is UTF-8; lines end with CR LF towards X.400
 * and with CR towards MS Mail. */
#pragma once
#include "flow/codec/msmail/convert.h"

enum { MMC_DEPTH = 8, MMC_SUBJECT_MAX = 256 /* X.420 ub-extended-subject, in characters */ };

struct mmc {
	const struct mm_convert *how;
	struct arena *a;
	struct err *e;
	struct ber_limits limits;
	unsigned page;       /* of the MAI at hand */
	size_t replaced;
	bool warned;
};

/* --- convert_text.c: octets of the page at hand <-> UTF-8; results live in the arena (or are the argument) --- */
struct view mmc_utf8(struct mmc *c, struct view octets);
struct view mmc_octets(struct mmc *c, struct view utf8);
/* A string of X.400 as UTF-8. */
struct view mmc_string(struct mmc *c, enum charset from, unsigned registration, struct view octets);
struct view mmc_crlf(struct mmc *c, struct view utf8);
struct view mmc_cr(struct mmc *c, struct view utf8);
/* On one line, without blanks at the ends, at most `max` characters. */
struct view mmc_one_line(struct mmc *c, struct view utf8, size_t max);
/* A file name: what follows the last separator, without what file systems do not take. Empty when nothing is left. */
struct view mmc_file_name(struct mmc *c, struct view utf8);
struct view mmc_printable(struct mmc *c, struct view utf8, size_t max); /* PrintableString; other characters escaped (RFC 2156 3.2) */
struct view mmc_keep(struct mmc *c, struct out *o); /* what was built, which ends */
struct view mmc_fmt(struct mmc *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct view mmc_tail(struct view v, size_t n);       /* the last n octets */

bool mmc_full(struct mmc *c); /* fails: the arena's quota is passed */
bool mmc_may_go_on(struct mmc *c); /* false with the error when time is over or the arena is full */
bool mmc_fail(struct mmc *c, int reason, int diagnostic, const char *what); /* ERR_PERM, message */

/* --- what a MAI cannot say in a field of its own: a comments field of FIPS 98 that its readers pass over --- */
struct mmc_marks {
	int64_t sensitivity; /* enum ipm_sensitivity; 0: none */
	bool auto_forwarded;
	struct view ipm_id;  /* "local*O/R address" of the IPM; may be empty */
};
struct view mmc_put_marks(struct mmc *c, const struct mmc_marks *m); /* the element; empty when there is nothing to say */
void mmc_get_marks(const struct mai *m, struct mmc_marks *m_r);

/* "IPM.Note" and its like: the class that every client's mail has is not said. */
bool mmc_is_plain_class(struct view class);
#define MMC_CLASS_NRN "Report.IPM.Note.IPNNRN"

/* --- convert_part.c: an IPM's body as text and attachments --- */
struct mmc_body {
	struct out text;                 /* UTF-8, lines ended by CR */
	size_t characters;               /* of text so far: counted when an attachment stands there */
	size_t counted;                  /* octets of text that `characters` counts */
	struct mm_attachment *attachments;
	struct view *octets;
	size_t n, room;
};
MUST_CHECK bool mmc_body_parts(struct mmc *c, const struct ipm_message *m, struct mmc_body *b, unsigned depth);
/* An attachment at the end of the text so far. name: UTF-8; empty: one is made, "ATT00001" and `suffix`. */
MUST_CHECK bool mmc_attach(struct mmc *c, struct mmc_body *b, struct view name, const char *suffix, struct view octets, int64_t modified_ms);
void mmc_text(struct mmc *c, struct mmc_body *b, struct view utf8); /* begins a line of its own */
void mmc_body_end(struct mmc_body *b); /* what stands behind all text stands "at the end" */

/* --- convert_heading.c: what a heading says --- */
struct view mmc_subject(struct mmc *c, const struct ipm_heading *h);      /* UTF-8, one line */
struct view mmc_person(struct mmc *c, const struct ipm_or_descriptor *d); /* UTF-8: name and address, for people */
struct view mmc_date_text(struct mmc *c, wall_ms_t at);                   /* "1993-10-08 16:25", by the zone */
/* An address as MS Mail has it; never fails: what cannot be mapped is an X.400 address as text. */
struct mm_address mmc_address(struct mmc *c, const struct oraddr *addr, struct view free_form);
struct mm_address mmc_descriptor(struct mmc *c, const struct ipm_or_descriptor *d);
bool mmc_has(const struct ipm_heading *h, unsigned bit);

/* --- convert_report.c: what is no message becomes one --- */
MUST_CHECK bool mmc_report(struct mmc *c, const struct message *m, struct view content, struct mai *mai, struct mmc_body *b);
MUST_CHECK bool mmc_notification(struct mmc *c, const struct message *m, const struct ipm_ipn *n, struct mai *mai, struct mmc_body *b);
/* The sentence of a notification, for a body part too. */
void mmc_notification_text(struct mmc *c, const struct ipm_ipn *n, struct view subject, struct mmc_body *b);
