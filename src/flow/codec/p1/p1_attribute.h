/* p1_attribute.h - C forms of the extension attributes of an O/R address; private to this folder. */
#pragma once
#include "flow/codec/p1/p1_asn1.h"

/* TeletexPersonalName, UniversalPersonalName: as octets or, in the tables of p1_addr.c, opaque sets. */
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
	p1_pds_parameter_type, p1_postal_lines_type, p1_postal_country_type, p1_postal_code_type, p1_terminal_type;
