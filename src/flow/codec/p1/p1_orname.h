/* p1_orname.h - ORName (X.411 8.5.5, ORAddressAndOrDirectoryName) as ASN.1 and as struct oraddr;
 * also for the contents that carry names (X.420). */
#pragma once
#include "flow/codec/ber/ber.h"
#include "flow/message/oraddr.h"

/* CHOICE of NumericString and PrintableString. */
struct p1_words {
	struct ber_choice choice;
	struct view value;
};
enum { P1_WORDS_NUMERIC = 1, P1_WORDS_PRINTABLE = 2 };

struct p1_personal_name {
	struct ber_seq seq;
	struct view part[4]; /* surname, given-name, initials, generation-qualifier */
};

struct p1_standard_attributes {
	struct ber_seq seq;
	struct p1_words country, admd;
	struct view network, terminal;
	struct p1_words prmd;
	struct view organization, numeric_user;
	struct p1_personal_name personal;
	struct ber_list units; /* struct view */
};
enum {
	P1_BSA_COUNTRY,
	P1_BSA_ADMD,
	P1_BSA_NETWORK,
	P1_BSA_TERMINAL,
	P1_BSA_PRMD,
	P1_BSA_ORGANIZATION,
	P1_BSA_NUMERIC_USER,
	P1_BSA_PERSONAL,
	P1_BSA_UNITS
};

struct p1_domain_defined {
	struct ber_seq seq;
	struct view type, value;
};

struct p1_extension_attribute {
	struct ber_seq seq;
	int64_t type;
	struct view value; /* the TLV inside [1] */
};

struct p1_orname {
	struct ber_seq seq;
	struct p1_standard_attributes standard;
	struct ber_list domain_defined; /* struct p1_domain_defined */
	struct ber_list extensions;	/* struct p1_extension_attribute */
	struct view directory_name;	/* the TLV of a Name */
};
enum {
	P1_ORNAME_STANDARD,
	P1_ORNAME_DOMAIN_DEFINED,
	P1_ORNAME_EXTENSIONS,
	P1_ORNAME_DIRECTORY_NAME
};

/* [APPLICATION 0]; SEQUENCE without the directory name (ORAddress); the X.501 Name. */
extern const struct ber_type p1_orname_type, p1_oraddress_type, p1_name_type;

/* The address of the name, in *addr_r; arrays in the arena, values where those of `name` are. What
 * cannot be told apart into attributes is in it as raw octets. False only when the arena is full.
 */
MUST_CHECK bool p1_orname_to_addr(const struct p1_orname *name, struct oraddr *addr_r,
				  struct arena *a);

/* The other way; *name_r is good as long as addr and the arena are. Fails with ERR_PERM, recipient,
 * 1/11 on an attribute that X.411 has no encoding for (a teletex country), or when the arena is
 * full. */
MUST_CHECK bool p1_orname_of_addr(const struct oraddr *addr, struct p1_orname *name_r,
				  struct arena *a, struct err *e);
