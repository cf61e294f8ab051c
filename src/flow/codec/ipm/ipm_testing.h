/* ipm_testing.h - contents of other hands for tests: the P22 contents in the captures, and small ones from the clauses. */
#pragma once
#include "flow/codec/ipm/ipm.h"

#include <stdio.h>
#include <stdlib.h>

/* The whole file POSTHORN_SHARED/pcap/name; NULL when there is none. Free with free(). */
static inline uint8_t *testing_capture(const char *name, size_t *n_r)
{
	const char *shared = getenv("POSTHORN_SHARED");
	char path[512];
	if (shared == NULL || shared[0] == '\0')
		return NULL;
	snprintf(path, sizeof path, "%s/pcap/%s", shared, name);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return NULL;
	enum { MAX = 1 << 20 };
	uint8_t *p = malloc(MAX);
	*n_r = p == NULL ? 0 : fread(p, 1, MAX, f);
	fclose(f);
	return p;
}

/* The i-th P22 content that lies whole in one packet. PP frames it as one primitive piece of a constructed OCTET STRING
 * with a length of two octets (24 80 04 81 n) or one (24 80 04 n), and begins it with [0] indefinite, SET indefinite. */
static inline struct view testing_content(const uint8_t *file, size_t n, unsigned i)
{
	for (size_t at = 0; at + 8 < n; at++) {
		if (file[at] != 0x24 || file[at + 1] != 0x80 || file[at + 2] != 0x04)
			continue;
		const bool longer = file[at + 3] == 0x81;
		const size_t start = at + (longer ? 5 : 4), length = file[longer ? at + 4 : at + 3];
		if (file[start] != 0xa0 || file[start + 1] != 0x80 || start + length > n)
			continue;
		if (i-- == 0)
			return view_of(file + start, length);
	}
	return (struct view){ NULL, 0 };
}

/* Addresses of the captures, as DER by hand from X.411 8.5.5: C=GB; A=PEERNET; P=PPA; S=pp and P=PPB; S=bob. */
#define TESTING_PP "\x60\x20\x30\x1e\x61\x04\x13\x02GB\x62\x09\x13\x07PEERNET\xa2\x05\x13\x03PPA\xa5\x04\x80\x02pp"
#define TESTING_BOB "\x60\x21\x30\x1f\x61\x04\x13\x02GB\x62\x09\x13\x07PEERNET\xa2\x05\x13\x03PPB\xa5\x05\x80\x03" "bob"

/* X.420 8: a receipt notification. subject-ipm "1", choice receipt-fields, originator bob. */
#define TESTING_RECEIPT                                                                                               \
	"\xa1\x49"                                                                                                    \
	"\x6b\x03\x13\x01" "1"                                                                                        \
	"\xa0\x1b\xa1\x19\x80\x0d" "261122003902Z" "\x81\x01\x01\x82\x05hello"                                         \
	"\xa1\x25\x60\x23" "\x30\x21\x61\x04\x13\x02GB\x62\x09\x13\x07PEERNET\xa2\x05\x13\x03PPB\xa5\x07\x80\x05" "bobby"
