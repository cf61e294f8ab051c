/* ber_test_help.h - what the tests of this folder share. Include after cmocka.h. */
#pragma once
#include "base/mem.h"
#include "base/text.h"
#include "flow/codec/ber/ber_test_tables.h"

#include <stdlib.h>

static const struct ber_limits roomy = { 64, 100000, 1u << 24 };

/* X.690 A.3, as printed there. */
#define ANNEX_A                                                                                     \
	"608185"                                                                                    \
	"6110 1A044A6F686E 1A0150 1A05536D697468"                                                   \
	"A00A 1A084469726563746F72"                                                                 \
	"420133"                                                                                    \
	"A10A 43083139373130393137"                                                                 \
	"A212 6110 1A044D617279 1A0154 1A05536D697468"                                              \
	"A342"                                                                                      \
	" 311F 6111 1A0552616C7068 1A0154 1A05536D697468 A00A 43083139353731313131"                 \
	" 311F 6111 1A05537573616E 1A0142 1A054A6F6E6573 A00A 43083139353930373137"

/* Every row of all_fields once, put together by hand: identifiers by X.690 8.1.2, contents by the clause named. */
#define ALL_CONTENT                                                                                 \
	"0101FF"                    /* flag TRUE, 8.2 */                                            \
	"020102"                    /* count 2, 8.3 */                                              \
	"0A0100"                    /* colour red, 8.4 */                                           \
	"9E09010000000000000000"    /* big [30] 2^64 */                                             \
	"030205A0"                  /* bits '101'B, 8.6 */                                          \
	"040200FF"                  /* octets, 8.7 */                                               \
	"0603813403"                /* oid {2 100 3}, 8.19.5 */                                     \
	"0D04C27B0302"              /* relative {8571 3 2}, 8.20.5 */                               \
	"090380FB05"                /* real 5 * 2^-5, 8.5.7 */                                      \
	"140452656EE9"              /* text: e acute in Latin-1 */                                  \
	"170D3936303730313133333135355A" /* time */                                                 \
	"BF1F048002ABCD"            /* pick [31], bytes [0] */                                      \
	"BF814810 A003020105 020107 1A026869 A5028600" /* picks [200] */                            \
	"BF819C200C 0603813403 A1053003020109"         /* open [20000], weight default */           \
	"3106 1A0161 1A0162"        /* set_of */                                                    \
	"6703020101"                /* tagged */                                                    \
	"E100"                      /* empty [PRIVATE 1] */                                         \
	"A20424800000"              /* any [2], an indefinite length inside */
#define ALL "308182" ALL_CONTENT

static inline struct view unhex(struct arena *a, const char *hex)
{
	struct out o;
	out_init(&o, 1u << 24);
	assert_true(text_unhex(&o, view_str(hex)));
	struct view v = arena_copy(a, out_view(&o));
	out_fini(&o);
	return v;
}

static inline void assert_octets(struct view found, struct view want)
{
	struct out o;
	out_init(&o, 1u << 24);
	text_hex(&o, found);
	out_str(&o, "\n");
	text_hex(&o, want);
	if (!view_eq(found, want))
		fail_msg("found and wanted:\n%s", out_cstr(&o));
	out_fini(&o);
}

/* Decodes `in` as t and encodes that: the result is good as long as *o. */
static inline struct view recode(const struct ber_type *t, struct view in, struct arena *a, struct out *o)
{
	struct err e = { 0 };
	void *value = mem_alloc(t->size);
	if (!ber_decode(t, in, value, a, &roomy, &e))
		fail_msg("decode: %s", e.text);
	out_clear(o);
	if (!ber_encode(t, value, o, &e))
		fail_msg("encode: %s", e.text);
	assert_int_equal(ber_size(t, value), out_len(o));
	free(value);
	return out_view(o);
}

/* hex decodes as t, and encodes as `want`. */
static inline void check_recode(const struct ber_type *t, const char *hex, const char *want)
{
	struct arena *a = arena_new(1u << 22);
	struct out o;
	out_init(&o, 1u << 22);
	assert_octets(recode(t, unhex(a, hex), a, &o), unhex(a, want));
	out_fini(&o);
	arena_free(&a);
}

/* hex does not decode as t, and the error's text has `want` in it. */
static inline void check_refused(const struct ber_type *t, const char *hex, const struct ber_limits *limits,
				 const char *want)
{
	struct arena *a = arena_new(1u << 22);
	struct err e = { 0 };
	void *value = mem_alloc(t->size);
	if (ber_decode(t, unhex(a, hex), value, a, limits, &e))
		fail_msg("decoded, want: %s", want);
	if (strstr(e.text, want) == NULL)
		fail_msg("found: %s\nwanted: %s", e.text, want);
	assert_int_equal(e.kind, ERR_PERM);
	assert_int_equal(e.culprit, ERR_OF_MESSAGE);
	free(value);
	arena_free(&a);
}
