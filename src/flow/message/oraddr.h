/* oraddr.h - an O/R address (X.411 ORName, X.402 18) in the one form all of Posthorn uses:
 * a flat list of attributes. Two notations of text: F.401 (`G=john; S=smith; C=aq`) and
 * RFC 2156 std-or (`/G=john/S=smith/C=aq/`). */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/out.h"

/* Attribute types; the row order is also the order of comparison and packing.
 * X(name, F.401 label, RFC 2156 key, X.411 extension attribute number or 0, upper bound in characters) */
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

enum oraddr_bounds { ORADDR_CARRY, ORADDR_GENERATE }; /* GENERATE: the standard's upper bounds are errors */

/* Reads either notation (told apart by a leading `/`). Labels in any case, `;` and `/` mixed. Country without ADMD gets
 * the single space. Everything returned lives in the arena. Fails with ERR_PERM, recipient, 1/11 naming found and wanted. */
MUST_CHECK bool oraddr_parse(struct view text, struct oraddr *addr_r, struct arena *a,
			     enum oraddr_bounds bounds, struct err *e);

/* Appends the address; parsing it again gives an equal address. */
void oraddr_print(const struct oraddr *addr, enum oraddr_notation notation, struct out *o);

/* A NUL-terminated F.401 print in the arena ("" when the quota is passed). */
const char *oraddr_text(const struct oraddr *addr, struct arena *a);

/* Equal as X.402 18.4 compares: case and repeated, leading, trailing spaces folded; printable, numeric and teletex
 * of the same letters are equal; ADMD absent = single space; order of DDAs ignored; C numeric ("840") is not alpha ("US"). */
bool oraddr_eq(const struct oraddr *a, const struct oraddr *b);

/* A canonical key: equal addresses give equal keys, one line of text, usable in an index. */
void oraddr_key(const struct oraddr *addr, struct out *o);

/* Checks the bounds of the standard and the mandatory attributes of one of the address forms (X.402 18.5). */
MUST_CHECK bool oraddr_check(const struct oraddr *addr, struct err *e);

/* The first attribute of that type, printable or numeric form preferred; NULL if absent. */
const struct oraddr_attr *oraddr_find(const struct oraddr *addr, enum oraddr_type type);

/* A deep copy into the arena. */
struct oraddr oraddr_copy(const struct oraddr *addr, struct arena *a);

const char *oraddr_type_label(enum oraddr_type type); /* "S", "OU1", "PRMD-like" labels of F.401 */
