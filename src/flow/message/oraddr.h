/* oraddr.h - an O/R address (X.411 ORName, X.402 18) in the one form all of Posthorn uses:
 * a flat list of attributes. Two notations of text: F.401 (`G=john; S=smith; C=aq`) and
 * RFC 2156 std-or (`/G=john/S=smith/C=aq/`). */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/out.h"

/* Attribute types; the row order is also the order of comparison and packing. Labels, keys, extension numbers
 * and upper bounds of each are in oraddr_table.h. */
enum oraddr_type {
	ORA_COUNTRY = 1, ORA_ADMD, ORA_PRMD, ORA_ORGANIZATION,
	ORA_OU1, ORA_OU2, ORA_OU3, ORA_OU4,
	ORA_COMMON_NAME, ORA_SURNAME, ORA_GIVEN, ORA_INITIALS, ORA_GENERATION,
	ORA_X121, ORA_TERMINAL_ID, ORA_NUMERIC_USER_ID, ORA_TERMINAL_TYPE,
	ORA_EXTENDED_NETWORK,  /* ext 22: E.163/4 number + sub-address, or presentation address: raw BER value */
	ORA_PDS_NAME, ORA_PD_COUNTRY, ORA_POSTAL_CODE, ORA_PD_OFFICE_NAME, ORA_PD_OFFICE_NUMBER,
	ORA_PD_EXTENSION, ORA_PD_PERSON, ORA_PD_ORGANIZATION, ORA_PD_COMPONENTS, ORA_PD_ADDRESS,
	ORA_STREET, ORA_PO_BOX, ORA_POSTE_RESTANTE, ORA_UNIQUE_POSTAL, ORA_LOCAL_POSTAL,
	ORA_DDA,               /* type_name says which; order among DDAs is kept */
	ORA_EXTENSION_RAW,     /* an extension attribute we have no row for: number in `number`, value raw BER */
	ORA_UNKNOWN_RAW,       /* an unknown element of the ORAddress: whole TLV, bit-exact */
};

/* How the value came, so that it goes out the same way. */
enum oraddr_form {
	ORA_PRINTABLE, ORA_NUMERIC, ORA_TELETEX, ORA_UNIVERSAL, /* value: content octets of that string */
	ORA_RAW,                                                /* value: BER octets */
};

/* Values that are not one plain string:
 *   ORA_TERMINAL_TYPE     ORA_NUMERIC, the integer in decimal digits
 *   ORA_PD_ADDRESS        ORA_PRINTABLE, the lines of printable-address joined by LF; ORA_TELETEX, the teletex string
 *   ORA_EXTENDED_NETWORK  ORA_RAW, the TLV of ExtendedNetworkAddress (X.411: SEQUENCE { [0] number, [1] sub-address }
 *                         or [0] PresentationAddress), without the tags of the extension attribute around it
 *   ORA_EXTENSION_RAW     ORA_RAW, the TLV inside extension-attribute-value
 *   ORA_UNIVERSAL         content octets of the BMPString or UniversalString
 * X.121, numeric user identifier: ORA_NUMERIC. PDS name, terminal identifier: ORA_PRINTABLE. */
struct oraddr_attr {
	enum oraddr_type type;
	enum oraddr_form form;
	uint32_t number;       /* ORA_EXTENSION_RAW: extension attribute type; ORA_UNKNOWN_RAW: where it stood (the codec's) */
	struct view type_name; /* ORA_DDA: in the same form as value */
	struct view value;     /* a type may stand twice in different forms (printable and teletex) */
};

/* The attributes of one address and, apart from it, the directory name of the ORName (raw BER Name,
 * empty when absent). Views live as long as what they were made from: an arena or the input. */
struct oraddr {
	struct oraddr_attr *v;
	size_t n;
	struct view directory_name;
};

enum oraddr_notation { ORADDR_F401, ORADDR_RFC2156 };

/* GENERATE: the standard's upper bounds are errors. PATTERN: as CARRY, but no ADMD is put where none is written (flow/route/route.h). */
enum oraddr_bounds { ORADDR_CARRY, ORADDR_GENERATE, ORADDR_PATTERN };

/* Reads either notation (told apart by a leading `/`), labels of both in any case. Country without ADMD gets the single
 * space. Everything returned lives in the arena; attributes come sorted by type, DDAs in their order.
 * Fails with ERR_PERM, recipient, 1/11 naming found and wanted.
 *   F.401 (RFC 1685): `;` separates, `;;` and `==` are literal; a `/` before a label and `=` separates too, but not in a DDA.
 *   RFC 2156 4.1: `/` and `;` separate, `$x` is a literal x, `//` a literal `/`; OU and DD least significant first.
 * In both: `printable*teletex`, `{ddd}` an octet in decimal, `PD-ADDRESS=line|line`, and for what neither standard can write:
 * `EXT-n=hex` (extension attribute), `RAW=hex` (unknown element), `U-label=hex` (universal form), `X-DN=hex` (directory name
 * of an ORName without address). A value that is one `*` is kept as that, for the patterns of routes, and
 * beside `C=*` no ADMD is put. */
MUST_CHECK bool oraddr_parse(struct view text, struct oraddr *addr_r, struct arena *a,
			     enum oraddr_bounds bounds, struct err *e);

/* Appends the address; parsing it again gives an equal address. */
void oraddr_print(const struct oraddr *addr, enum oraddr_notation notation, struct out *o);

/* A NUL-terminated F.401 print in the arena ("" when the quota is passed). */
const char *oraddr_text(const struct oraddr *addr, struct arena *a);

/* Equal as X.402 18.4 compares: case and repeated, leading, trailing spaces folded; printable, numeric and teletex
 * of the same letters are equal, and where an attribute has several forms the printable one decides; ADMD absent = empty =
 * single space (but not `0`); order of DDAs ignored; C numeric ("840") is not alpha ("US"). The directory name decides only
 * between two that have no attribute at all. */
bool oraddr_eq(const struct oraddr *a, const struct oraddr *b);

/* Two values as oraddr_eq compares them, and a hash that is equal for equal ones (FNV-1a over the folded octets). */
bool oraddr_value_eq(struct view a, struct view b);
uint64_t oraddr_value_hash(struct view v, uint64_t seed);

/* A canonical key: equal addresses give equal keys, one line of text, usable in an index. */
void oraddr_key(const struct oraddr *addr, struct out *o);

/* A hash that is equal for equal addresses (FNV-1a over what oraddr_key would write); before itself for one without attribute and name. */
uint64_t oraddr_hash(const struct oraddr *addr, uint64_t before);

/* Checks the bounds of the standard and the mandatory attributes of one of the address forms (X.402 18.5). */
MUST_CHECK bool oraddr_check(const struct oraddr *addr, struct err *e);

/* The first attribute of that type, printable or numeric form preferred; NULL if absent. */
const struct oraddr_attr *oraddr_find(const struct oraddr *addr, enum oraddr_type type);

/* A deep copy into the arena; empty (and arena_full) when the quota is passed. */
struct oraddr oraddr_copy(const struct oraddr *addr, struct arena *a);

const char *oraddr_type_label(enum oraddr_type type); /* "S", "OU1", "PRMD-like" labels of F.401 */
