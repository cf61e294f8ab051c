/* digest.h - SHA-256 of octets and files, by OpenSSL. */
#pragma once
#include "base/err.h"

enum { DIGEST_HEX = 65 }; /* 64 digits, lower case, and NUL */

struct digest;
struct digest *digest_new(void);
void digest_add(struct digest *d, struct view octets);
/* What it is of all that was added; afterwards d begins anew. */
void digest_end(struct digest *d, char hex_r[DIGEST_HEX]);
void digest_free(struct digest **d);

/* Of a regular file, read to its end, and its length. ERR_LOCAL: it cannot be read. */
MUST_CHECK bool digest_file(const char *path, char hex_r[DIGEST_HEX], uint64_t *size_r, struct err *e);
