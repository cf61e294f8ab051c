/* stack_test.h - what the tests of TPKT, COTP and session share: octets from hex, a feeder in
 * chunks. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/out.h"
#include "base/text.h"

/* Octets of `hex` (spaces ignored, | too) at the end of *o. */
static inline void add_hex(struct out *o, const char *hex)
{
	struct out clean;
	out_init(&clean, 1 << 20);
	for (const char *p = hex; *p != 0; p++)
		if (*p != '|')
			out_u8(&clean, (uint8_t)*p);
	assert_true(text_unhex(o, out_view(&clean)));
	out_fini(&clean);
}

static inline struct out from_hex(const char *hex)
{
	struct out o;
	out_init(&o, 1 << 24);
	add_hex(&o, hex);
	return o;
}

/* Fails with both in hex when they differ. */
static inline void assert_octets(struct view got, const char *want_hex)
{
	struct out want = from_hex(want_hex);
	if (!view_eq(got, out_view(&want))) {
		struct out a, b;
		out_init(&a, 1 << 24);
		out_init(&b, 1 << 24);
		text_hex(&a, got);
		text_hex(&b, out_view(&want));
		fail_msg("octets differ\n got %s\nwant %s", out_cstr(&a), out_cstr(&b));
	}
	out_fini(&want);
}

/* A TPDU as a TPKT. */
static inline void add_tpkt(struct out *o, struct view tpdu)
{
	out_u8(o, 3);
	out_u8(o, 0);
	out_u16(o, (uint16_t)(tpdu.n + 4));
	out_bytes(o, tpdu);
}

static inline void add_tpkt_hex(struct out *o, const char *hex)
{
	struct out t = from_hex(hex);
	add_tpkt(o, out_view(&t));
	out_fini(&t);
}

/* Octets as one TSDU in one DT. */
static inline void add_tsdu_hex(struct out *o, const char *hex)
{
	struct out t = from_hex("02f080");
	add_hex(&t, hex);
	add_tpkt(o, out_view(&t));
	out_fini(&t);
}
