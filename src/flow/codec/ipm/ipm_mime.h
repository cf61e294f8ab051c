/* ipm_mime.h - what IA5 text of 1984 cannot say, said in it as MIME: RFC 1496 (HARPOON) 3.2.
 *
 * The text of such an IA5 body part begins with the line `MIME-Version: 1.0`; further header fields of MIME, an empty line and
 * the encoded octets follow. Written are text in another character set (text/plain) and whole body parts
 * (application/x400-bp, RFC 1494: the part's BER from its tag on, bp-type the object identifier of its type). Lines end with CR LF. */
#pragma once
#include "base/arena.h"
#include "base/out.h"

/* Does IA5 text begin that way, in any case? */
bool ipm_mime_is(struct view ia5);

enum ipm_mime_kind {
	IPM_MIME_TEXT,  /* text/plain in a set that is known here */
	IPM_MIME_PART,  /* application/x400-bp: octets are a body part's, perhaps */
	IPM_MIME_OTHER, /* anything else in quoted-printable or base64: a file */
};

struct ipm_mime {
	enum ipm_mime_kind kind;
	struct view type;      /* "text/plain", as it came */
	unsigned registration; /* TEXT: its set, one of charset_of_mime_name */
	struct view name;      /* of a file: parameter `name`, or `filename` of Content-Disposition; else empty */
	struct view octets;    /* decoded, in the arena or (7bit, 8bit) in the text */
};

/* Takes such a text apart. False, and the text is just text: it does not begin that way, has no end of its header or a field that is
 * none, an encoding or character set that is not known here, a multipart, encoded octets that are not what the encoding allows; or
 * the arena is full. */
bool ipm_mime_open(struct view ia5, struct ipm_mime *m_r, struct arena *a);

/* Appends text/plain. octets: in the set of that registration (one that charset_mime_name knows). Quoted-printable, or base64 where that
 * is shorter; line ends become CR LF. */
void ipm_mime_put_text(unsigned registration, struct view octets, struct out *o);

/* Appends application/x400-bp in base64. oid: content octets; empty: no bp-type. */
void ipm_mime_put_part(struct view oid, struct view tlv, struct out *o);
