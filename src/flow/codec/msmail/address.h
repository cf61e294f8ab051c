/* address.h - MS:NETWORK/POSTOFFICE/MAILBOX <-> O/R addresses: first the table of the settings, then DDA:MS in our domain (facts C2, B3;
 * RFC 987 and 2156 escapes for what PrintableString lacks). Also the foreign forms a gateway's recipient has: [X400:c=;a=;...],
 * /c=../admd=.., [MS:N/P/U], SMTP and others as DDA of their type, always with our C, A and P before it (Q192052). */
#pragma once
#include "base/arena.h"
#include "flow/codec/msmail/mai.h"

/* The type of an address whose text says it: "SMTP:joe@host", "FAX:..", "SNADS:..". A number of ours. */
enum { MM_ADDRESS_TYPED = 127 };

/* One line of the table: "NET/PO/MBX = G=..; S=..; O=..; P=..; A=..; C=.." ; `*` for a whole part of the left side, and the same number
 * of attribute values `*` on the right, which take them in the order in which the line names them. The lines of the X.400 gateway's own
 * table are read too ("MSM:NET/PO/MBX  X400:o=..;s=.."), and with them a `*` on the right only: no value outwards, any or none inwards.
 * `{129}` on the left is an octet in decimal, for names that are not ASCII. An address without C gets C, A and P of the domain. First entry wins both ways (Q107098); a line whose `*` would make an address over
 * its bounds is passed over. Fails (ERR_LOCAL, process) naming the line. own_domain NULL or "": nothing but the table is mapped.
 * own_postoffice (may be NULL): for a mailbox written without network and postoffice. Nothing given is kept. */
struct mm_map;
MUST_CHECK bool mm_map_new(const char *const *lines, size_t n, const char *own_domain /* "C=..; A=..; P=.." */,
			   const struct mm_name *own_postoffice, struct mm_map **map_r, struct err *e); /* the line is named */
void mm_map_free(struct mm_map **map);

/* For who looks a table over. Line (from 1) is never used: earlier ones take all of it, both ways; *by_r: the one that takes its names. */
bool mm_map_is_shadowed(const struct mm_map *map, size_t line, size_t *by_r);
/* May an address that fits the pattern of a route (oraddr.h, ORADDR_PATTERN) be one of a mailbox, by a line or as DDA:MS in the domain? */
bool mm_map_covers(const struct mm_map *map, const struct oraddr *pattern);

/* Never a false malformed: `$` escapes `/` and `$` (Q176425, Q177869), control characters are refused, over 1024 octets is [002] (Q173344).
 * The form is told by the text ("NET/PO/MBX", "[SMTP:..]", "X400:..", "/c=.."), else by the type. Names become upper case (Q183104).
 * Empty attributes are as if they were not there, of two of one kind the first counts. Fails ERR_PERM, recipient with reason 1 and
 * diagnostic 0 or 11. Everything in *to_r is in the arena.
 * mm_from_oraddr gives back what mm_to_oraddr made, names in upper case; what is neither in the table nor in our domain is type 16. */
MUST_CHECK bool mm_to_oraddr(const struct mm_map *map, const struct mm_address *from, struct oraddr *to_r, struct arena *a, struct err *e);
MUST_CHECK bool mm_from_oraddr(const struct mm_map *map, const struct oraddr *from, struct mm_address *to_r, struct arena *a, struct err *e);

/* The name that an address is routed by at a postoffice: NET/PO/MBX its own; of another form a network of its type's name ("X400", "SMTP", ...)
 * with nothing behind it. The form is told as above, so a client's text is understood whatever type it bears. False (ERR_PERM, recipient): it is none. */
MUST_CHECK bool mm_route_name(const struct mm_address *address, struct mm_name *name_r, struct err *e);

/* RFC 2156 3.2: text into PrintableString with (a) (p) (b) (q) (u) (l) (r) and (nnn), once and only once (Q241365); and back. */
void mm_escape_printable(struct view ascii, struct out *o);
void mm_unescape_printable(struct view printable, struct out *o);
