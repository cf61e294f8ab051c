/* address.h - MS:NETWORK/POSTOFFICE/MAILBOX <-> O/R addresses: first the table of the settings, then DDA:MS in our domain (facts C2, B3;
 * RFC 987 and 2156 escapes for what PrintableString lacks). Also the foreign forms a gateway's recipient has: [X400:c=;a=;...],
 * /c=../admd=.., [MS:N/P/U], SMTP and others as DDA of their type, always with our C, A and P before it (Q192052). */
#pragma once
#include "base/arena.h"
#include "flow/codec/msmail/mai.h"

/* One line of the table: "NET/PO/MBX = G=..; S=..; O=..; P=..; A=..; C=.." ; `*` for a whole part of the left side, and the same number
 * of attribute values `*` on the right, which take them in order. First entry wins both ways (Q107098). */
struct mm_map;
MUST_CHECK bool mm_map_new(const char *const *lines, size_t n, const char *own_domain /* "C=..; A=..; P=.." */,
			   const struct mm_name *own_postoffice, struct mm_map **map_r, struct err *e); /* the line is named */
void mm_map_free(struct mm_map **map);

/* Never a false malformed: `$` escapes `/` and `$` (Q176425, Q177869), control characters are refused, over 1024 octets is [002] (Q173344).
 * Fails ERR_PERM, recipient with reason and diagnostic. */
MUST_CHECK bool mm_to_oraddr(const struct mm_map *map, const struct mm_address *from, struct oraddr *to_r, struct arena *a, struct err *e);
MUST_CHECK bool mm_from_oraddr(const struct mm_map *map, const struct oraddr *from, struct mm_address *to_r, struct arena *a, struct err *e);

/* RFC 2156 3.2: text into PrintableString with (a) (p) (b) (q) (u) (l) (r) and (nnn), once and only once (Q241365); and back. */
void mm_escape_printable(struct view ascii, struct out *o);
void mm_unescape_printable(struct view printable, struct out *o);
