/* downgrade.h - what of an envelope a system of 1984 can take, and addresses there and back (X.419 annex B, RFC 1328,
 * RFC 1615). Pure. The encoder (flow/codec/p1) leaves out what 1984 does not have; here is what may not be left out, and
 * how an address of 1988 is written so that it comes back whole.
 *
 * An address of 1984 has country, domains, O, OU, the personal name, X.121, terminal and numeric identifiers, and
 * domain-defined attributes, all printable or numeric. A common name (printable, alone) becomes the domain-defined
 * attribute "Common" (RFC 1328 3.2); anything else of 1988 makes the whole address the value of "X400-88", which stands
 * in the domain of a relay (RFC 1328 3.1): std-or of RFC 2156, as printable string (RFC 2156 3.4), its octets from 129 on
 * in X400-C1 to X400-C3. A directory name beside attributes is dropped: the attributes say the same. */
#pragma once
#include "flow/message/message.h"

/* Can m go to a system of 1984? A report always can. Else false, ERR_PERM, message, 2/47 (unable-to-downgrade): an
 * extension of the envelope is critical for transfer, or the originator has no form there; the text names it. relay: as
 * below. The arena is for what is tried. */
MUST_CHECK bool downgrade_check(const struct message *m, const struct gdi *relay, struct arena *a, struct err *e);

/* The same for one recipient of it, whose culprit is the recipient. */
MUST_CHECK bool downgrade_check_recipient(const struct message *m, const struct recipient *r, const struct gdi *relay,
					  struct arena *a, struct err *e);

/* *addr_r: the address as 1984 has it, in the arena or as long as addr. relay: the domain of who undoes X400-88 (ours);
 * NULL: the address keeps its own. Fails with ERR_PERM, recipient, 2/47: longer than X400-C3, or nothing to stand in. */
MUST_CHECK bool downgrade_address(const struct oraddr *addr, const struct gdi *relay, struct oraddr *addr_r, struct arena *a,
				  struct err *e);

/* For where nobody can be told, a report above all: what 1984 has of the address; of one that has nothing there, the
 * relay's domain; so never empty with a relay. False only when the arena is full. */
MUST_CHECK bool downgrade_address_rest(const struct oraddr *addr, const struct gdi *relay, struct oraddr *addr_r,
				       struct arena *a);

/* The way back: "Common" (also spelled "common-name") is a common name again, if the address has none and it is no longer than
 * one may be; X400-88 in the domain of `relay` (NULL: in any) is the address it says. What cannot be read stays as it is.
 * False only when the arena is full. */
MUST_CHECK bool upgrade_address(const struct oraddr *addr, const struct gdi *relay, struct oraddr *addr_r, struct arena *a);

/* upgrade_address on all addresses of m; their arrays are in the arena. */
MUST_CHECK bool upgrade_message(struct message *m, const struct gdi *relay, struct arena *a);

/* Non-delivery reason and diagnostic as 1984 has them: reasons 0 to 2, diagnostics 0 to 11; else unable-to-transfer (1)
 * and none (-1). */
int downgrade_reason(int reason);
int downgrade_diagnostic(int diagnostic);
