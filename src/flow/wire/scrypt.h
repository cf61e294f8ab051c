/* scrypt.h - passwords of people as they are kept: scrypt (RFC 7914) with a salt, as one line of text,
 *     $scrypt$ln=15,r=8,p=1$SALT$KEY      base64 without padding, of 16 and 32 octets
 * so that the parameters may grow and old lines stay good. About 32 MB and a tenth of a second for each look. */
#pragma once
#include "base/err.h"
#include "base/out.h"

enum { SCRYPT_SALT = 16, SCRYPT_KEY = 32 };

/* Appends the line for this password. Fails (ERR_LOCAL) when the library does. */
MUST_CHECK bool scrypt_make(struct view password, const uint8_t salt[SCRYPT_SALT], struct out *line, struct err *e);

/* Whether text is such a line, with parameters within bounds (ln 10..20, r 1..16, p 1..4, at most 256 MB). */
MUST_CHECK bool scrypt_is_line(const char *text);

/* Whether it is the password of that line; takes the same time whatever differs. NULL, or what is no line: false, at the cost of a line
 * that scrypt_make makes, so that nobody can tell whether there is one. */
MUST_CHECK bool scrypt_check(const char *line, struct view password);
