/* oraddr_int.h - what the files of oraddr share among themselves; nobody else includes it. */
#pragma once
#include "flow/message/oraddr.h"

enum oraddr_encoding {
	ORA_ENC_NONE,
	ORA_ENC_P,
	ORA_ENC_N,
	ORA_ENC_PN,
	ORA_ENC_PT,
	ORA_ENC_UPA,
	ORA_ENC_TTY,
	ORA_ENC_NET,
	ORA_ENC_DDA,
	ORA_ENC_RAW,
};

enum { ORA_TYPES = ORA_UNKNOWN_RAW + 1 };
enum { ORA_DDA_MAX = 4, ORA_DDA_TYPE_UB = 8, ORA_DDA_VALUE_UB = 128 }; /* X.411 MTSUpperBounds */
enum { ORA_SUBADDRESS_UB = 40, ORA_LINES_MAX = 6, ORA_LINE_UB = 30 };

struct oraddr_row {
	const char *label; /* F.401 */
	const char *key;   /* RFC 2156 */
	enum oraddr_encoding enc;
	unsigned ext, ext_teletex;
	size_t ub;
};

/* The row of a type; the empty row 0 for anything out of range. */
const struct oraddr_row *oraddr_row(enum oraddr_type type);

/* X.680 PrintableString; the ps-char of RFC 2156 3.3.3. */
bool oraddr_is_ps_char(uint8_t c);
bool oraddr_all_ps(struct view v);
bool oraddr_all_digits(struct view v); /* and not empty */

/* The names of F.401 F.3.2.2 for terminal types 3..8 (X.411 TerminalType); NULL for others. */
const char *oraddr_terminal_name(uint64_t type);

/* The E.163/4 number and sub-address inside an ExtendedNetworkAddress; false: another form of it,
 * or not well formed. */
bool oraddr_net_split(struct view raw, struct view *number_r, struct view *sub_r);

/* The bounds and alphabets of each attribute and the number of DDAs, without the mandatory ones. */
MUST_CHECK bool oraddr_check_bounds(const struct oraddr *addr, struct err *e);
