/* ffapi.h - the basic message file of the File Format API (facts B1): text tokens, one a line, and the texts and attachments that follow.
 * The way in and out that is fully public. */
#pragma once
#include "flow/codec/msmail/mai.h"

enum ffapi_line_end { FFAPI_CR, FFAPI_LF, FFAPI_CRLF }; /* -f0, -f1, -f2; a reader takes all, also mixed */

struct ffapi_body { struct view name; struct view octets; bool in_file; }; /* in_file: `name` is a file beside the message file (XATTACH, XTEXT): octets are not here */

/* *m_r as from a MAI, with attachments bound by index to bodies_r (same count); text_file_r: name of an XTEXT file, else empty.
 * Unknown tokens are kept in m_r->extra (whole lines). Fails (ERR_PERM, message, 1/12) with line number, found and wanted. */
MUST_CHECK bool ffapi_parse(struct view file, struct mai *m_r, struct ffapi_body **bodies_r, struct view *text_file_r, struct arena *a,
			    const struct mai_limits *l, struct err *e);
/* Bodies inline unless in_file (then XATTACH). */
MUST_CHECK bool ffapi_print(const struct mai *m, const struct ffapi_body *bodies, enum ffapi_line_end end, struct out *o, struct err *e);
