/* ffapi.h - the basic message file of the File Format API (facts B1): text tokens, one a line, and the texts and attachments that follow.
 * The way in and out that is fully public. */
#pragma once
#include "flow/codec/msmail/address.h"

enum ffapi_line_end { FFAPI_CR, FFAPI_LF, FFAPI_CRLF }; /* -f0, -f1, -f2; a reader takes all, also mixed */

struct ffapi_body { struct view name; struct view octets; bool in_file; }; /* in_file: `name` is a file beside the message file (XATTACH, XTEXT): octets are not here */

/* *m_r as from a MAI, with attachments bound by index to bodies_r (same count); text_file_r: name of an XTEXT file, else empty.
 * Unknown tokens are kept in m_r->extra (whole lines), and so is what cannot be read of DATE, TIME and PRIORITY and a second one of what
 * comes once. Addresses: with type CSI, MS, PCM or none MM_ADDRESS_MS, with X400 MM_ADDRESS_X400, else MM_ADDRESS_TYPED with the type in the
 * text, and of `Name [TYPE:address]` what stands in the brackets, the name as the friendly one; `^0D` in them is the carriage return that it stands for (Q94410). A file that is referred to is one beside the message file: a name
 * with a path in it is refused, and from what is a label only the last part of a path is kept.
 * Fails (ERR_PERM, message, 1/12) with line number, found and wanted: no colon in a line, a VERSION other than 2 or 3, no FROM, TO or TEXT,
 * sizes that are none, go beyond the file or leave octets of it over (but for blanks, line ends and the ^Z of DOS editors). */
MUST_CHECK bool ffapi_parse(struct view file, struct mai *m_r, struct ffapi_body **bodies_r, struct view *text_file_r, struct arena *a,
			    const struct mai_limits *l, struct err *e);
/* Of a file that has failed: it is the beginning of one, for it ends before its TEXT or XTEXT line does, or before what its sizes promise. Its writer may not have
 * ended yet. */
bool ffapi_is_cut(struct view file, struct arena *a, const struct mai_limits *l);
/* The files that the lines of `head`, the beginning of a message file, name (XATTACH, XTEXT), one at a time: *name_r within head; *at is 0 first. False: no
 * more. Whether they can be names, and the file a message, it does not ask. */
bool ffapi_next_name(struct view head, size_t *at, struct view *name_r);
/* Bodies inline unless in_file (then XATTACH). The lines of the text get `end`, too. The format has no Cc: who is in cc becomes a TO; friendly
 * names, hops, class, receipts and positions of attachments have no token either. Of m->extra what is a line with a token is written.
 * Fails (ERR_PERM, message) for an address with a control character in it or a file's name with a path, (ERR_LOCAL, message) when *o is full;
 * then *o is as it was or bad. */
MUST_CHECK bool ffapi_print(const struct mai *m, const struct ffapi_body *bodies, enum ffapi_line_end end, struct out *o, struct err *e);
