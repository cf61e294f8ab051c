/* address_int.h - what the files of address.h share among themselves; nobody else includes it. */
#pragma once
#include "base/map.h"
#include "flow/codec/msmail/address.h"

enum {
	ADDRESS_TEXT_MAX = 1024, /* octets of an address on the MS Mail side (Q173344) */
	DDA_TYPE_MAX = 8, DDA_VALUE_MAX = 128, /* facts B3; X.411 MTSUpperBounds */
};

/* A line of the table. On the left `any` says which of network, postoffice and mailbox is `*`; on the right `loose` are the attributes
 * whose value is `*`, in the order in which the line names them. */
struct mm_map_line {
	size_t number;                 /* in the order of the table: the smaller one wins */
	struct mm_name ms;             /* upper case */
	bool any[3];
	size_t n_any;
	struct oraddr x400;            /* tidied */
	size_t n_loose, loose[3];      /* places in x400; more than three only where n_any is 0 */
	struct mm_map_line *next_ms, *next_x400; /* of the same hash, in order */
};

/* The exact lines of each side are found by hash; what has a `*` there is walked in order. */
struct mm_map {
	unsigned magic;
#define MM_MAP_MAGIC 0x3d9a41f7u
	struct arena *a;
	struct mm_map_line *lines;
	size_t n;
	struct map by_ms, by_x400;     /* hash -> struct mm_map_line */
	struct mm_map_line **wild_ms, **wild_x400;
	size_t n_wild_ms, n_wild_x400;
	struct oraddr domain;          /* n 0: none was given */
	struct mm_name own;
};

/* ERR_PERM, recipient, X.411 1/0 (notice [002]) and 1/11. */
bool mm_unknown_address(struct err *e, const char *what, struct view where);
bool mm_bad_address(struct err *e, const char *what, struct view where);

/* An address without what says nothing: empty attributes (Q176952, Q160947), all but the first of several of one type and form (Q146588;
 * not DDAs), and ADMD `0` as the blank that it stands for (Q168136). In the arena; the values are shared. */
struct oraddr mm_tidy(const struct oraddr *x, struct arena *a);
/* C, A and P of this MTA before what has no country. In the arena. */
struct oraddr mm_in_our_domain(const struct mm_map *m, const struct oraddr *x, struct arena *a);
uint64_t mm_oraddr_hash(const struct oraddr *x);
uint64_t mm_name_hash(const struct mm_name *n);
void mm_name_upper(struct mm_name *n);
char *mm_name_part(struct mm_name *n, unsigned i); /* 0 network, 1 postoffice, 2 mailbox */

/* The X.400 text that MS Mail users and gateways write <-> F.401 and attributes (address_x400.c). */
MUST_CHECK bool mm_x400_parse(const struct mm_map *map, struct view text, struct oraddr *x_r, struct arena *a, struct err *e);
MUST_CHECK bool mm_x400_print(const struct oraddr *x, struct view *text_r, struct arena *a, struct err *e);

/* The value of a DDA whose type is not MS (address_escape.c): RFC 2156 3.2, except that what reads as the area code of a telephone number
 * is none of its escapes (Q185592, Q310797). Encoding gives what decodes to the same again. */
void mm_escape_typed(struct view plain, struct out *o);
void mm_unescape_typed(struct view printable, struct out *o);
