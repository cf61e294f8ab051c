/* p1_attribute.h - C forms of the extension attributes of an O/R address; private to this folder.
 */
#pragma once
#include "flow/codec/p1/p1_asn1.h"

/* TeletexPersonalName, UniversalPersonalName: as octets or, in the tables of p1_addr.c, opaque
 * sets. */
struct p1_pds_parameter {
	struct ber_seq seq;
	struct view printable, teletex;
};
enum { P1_PDS_PRINTABLE, P1_PDS_TELETEX };

/* UnformattedPostalAddress */
struct p1_postal_lines {
	struct ber_seq seq;
	struct ber_list printable; /* struct view */
	struct view teletex;
};

/* UniversalOrBMPString */
struct p1_universal {
	struct ber_seq seq;
	struct {
		struct ber_choice choice;
		struct view value; /* two-octets: BMPString, four-octets: UniversalString */
	} encoding;
	struct view language;
};

struct p1_universal_name {
	struct ber_seq seq;
	struct p1_universal part[4];
};

struct p1_universal_defined {
	struct ber_seq seq;
	struct p1_universal type, value;
};

struct p1_presentation_address {
	struct ber_seq seq;
	struct view selector[3];
	struct ber_list addresses; /* struct view */
};

struct p1_e163_4 {
	struct ber_seq seq;
	struct view number, sub_address;
};

struct p1_network_address {
	struct ber_choice choice;
	struct p1_e163_4 e163_4;
	struct p1_presentation_address psap;
};

/* Of use beyond printing: p1_addr.c decodes and encodes with them. */
extern const struct ber_type p1_teletex_name_type, p1_teletex_units_type, p1_teletex_defined_type,
	p1_pds_parameter_type, p1_postal_lines_type, p1_postal_country_type, p1_postal_code_type,
	p1_terminal_type;

/* --- O/R addresses as lists (p1_addr.c, p1_addr_name.c) --- */

/* oraddr_attr.number of ORA_UNKNOWN_RAW; P1_IN_UNITS: a fifth organizational unit, as a
 * PrintableString's TLV. */
enum { P1_IN_ADDRESS, P1_IN_STANDARD, P1_IN_PERSONAL, P1_IN_UNITS };

enum { P1_UNITS_MAX = 4, P1_ATTR_MAX = 40 };

/* The extension attributes that hold one value of one type. `universal` has the number of the
 * UniversalOrBMPString. */
struct p1_single {
	enum oraddr_type type;
	unsigned printable, teletex, universal;
};
/* COMMON_NAME, ORGANIZATION (printable: built-in), PDS_NAME; and PDSParameters, printable and
 * teletex side by side. */
enum { P1_SINGLES = 3, P1_PARAMETERS = 12 };
extern const struct p1_single p1_singles[P1_SINGLES], p1_parameters[P1_PARAMETERS];

enum {
	P1_ATTR_TELETEX_NAME = 4,
	P1_ATTR_TELETEX_UNITS = 5,
	P1_ATTR_TELETEX_DEFINED = 6,
	P1_ATTR_PD_COUNTRY = 8,
	P1_ATTR_POSTAL_CODE = 9,
	P1_ATTR_LINES = 16,
	P1_ATTR_NETWORK = 22,
	P1_ATTR_TERMINAL = 23,
	P1_ATTR_UNIVERSAL_NAME = 26,
	P1_ATTR_UNIVERSAL_UNITS = 27,
	P1_ATTR_UNIVERSAL_DEFINED = 28,
};

/* A UniversalOrBMPString is kept as the content octets of its SET, alphabet and language with it.
 */
struct p1_opaque_name {
	struct ber_seq seq;
	struct ber_seq part[4];
};
struct p1_opaque_defined {
	struct ber_seq seq;
	struct ber_seq type, value;
};
extern const struct ber_type p1_opaque_name_type, p1_opaque_units_type, p1_opaque_defined_type;

/* For the values of extension attributes: they are small. */
extern const struct ber_limits p1_inner_limits;
