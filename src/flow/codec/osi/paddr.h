/* paddr.h - presentation addresses as text (RFC 1278) <-> selectors and network addresses (X.213 annex A, RFC 1277). Pure.
 *
 *   [[[ psel "/" ] ssel "/" ] tsel "/" ] address { "_" address }
 *   psel ...  "IA5"  #65534 (two octets)  '0a0b'H  or nothing: there, and empty
 *   address   NS+hex  |  AFI+IDI[+dsp]  |  digits of AFI and IDI+hex
 *   AFI       X121 DCC TELEX PSTN ISDN ICD LOCAL (LOCAL++dsp)
 *   dsp       d123  x0a0b or x10.0.0.6  ltext (LOCAL)  RFC-1006+03+10.0.0.6[+port[+tset]]  X.25(80)+02+dte[+CUDF|PID+hex]
 *             ECMA-117-Binary+hex+hex+hex  ECMA-117-Decimal+digits+digits+digits
 * The macros of RFC 1278 6 are known (Internet-RFC-1006=10.0.0.6). A domain name instead of an IP address is refused: nothing is looked
 * up here. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/out.h"

enum { PADDR_NSAP_MAX = 20 /* octets, X.213 A.5.4 */ };

struct paddr {
	bool has_psel, has_ssel, has_tsel; /* an empty selector is there, and not the same as none */
	struct view psel, ssel, tsel;
	struct view *nsap;                 /* at least one; each 1 to 20 octets */
	size_t n_nsap;
};

/* Everything returned lives in the arena. Fails with ERR_PERM, process (what a person wrote), naming found and wanted. */
MUST_CHECK bool paddr_parse(struct view text, struct paddr *p_r, struct arena *a, struct err *e);

/* Appends the text; parsing it again gives the same octets, but that selectors below one that is there are there too, if empty. */
void paddr_print(const struct paddr *p, struct out *o);

/* RFC 1277: the IP address, port (0: none said) and transport set of a network address for RFC 1006; false: it is another. */
struct paddr_ip {
	uint8_t ip[4];
	uint16_t port, tset;
};
MUST_CHECK bool paddr_ip(struct view nsap, struct paddr_ip *ip_r);
