/* ipm_convert_testing.h - contents of both ages for tests, built element by element: tags and structure by hand from X.420 clause 7
 * and annex B, X.411 8.5.5; lengths by X.690 8.1.3, here and not by the codec. Everything returned is the arena's. */
#pragma once
#include <stdarg.h>

#include "flow/codec/ipm/ipm_convert.h"

#define NOTHING ((struct view){ NULL, 0 })

/* The element with that identifier octet, of the n views that follow. */
static inline struct view tlv(struct arena *a, uint8_t identifier, unsigned n, ...)
{
	struct out o;
	size_t length = 0;
	va_list v;
	va_start(v, n);
	for (unsigned i = 0; i < n; i++)
		length += va_arg(v, struct view).n;
	va_end(v);
	out_init(&o, 1 << 24);
	out_u8(&o, identifier);
	if (length < 0x80) {
		out_u8(&o, (uint8_t)length);
	} else if (length < 0x100) {
		out_u8(&o, 0x81);
		out_u8(&o, (uint8_t)length);
	} else if (length < 0x10000) {
		out_u8(&o, 0x82);
		out_u16(&o, (uint16_t)length);
	} else {
		out_u8(&o, 0x84);
		out_u32(&o, (uint32_t)length);
	}
	va_start(v, n);
	for (unsigned i = 0; i < n; i++)
		out_bytes(&o, va_arg(v, struct view));
	va_end(v);
	const struct view r = arena_copy(a, out_view(&o));
	out_fini(&o);
	return r;
}

/* [0] IPM { heading SET, body } */
static inline struct view ipm_of(struct arena *a, struct view heading, struct view parts)
{
	return tlv(a, 0xa0, 2, tlv(a, 0x31, 1, heading), tlv(a, 0x30, 1, parts));
}

/* this-IPM, [APPLICATION 11] { user-relative-identifier "1" } */
#define THIS_IPM VIEW("\x6b\x03\x13\x01" "1")

/* [0] ia5-text { parameters {}, IA5String } */
static inline struct view ia5_of(struct arena *a, struct view text)
{
	return tlv(a, 0xa0, 2, VIEW("\x31\x00"), tlv(a, 0x16, 1, text));
}

/* [15] { [0] EXTERNAL { id-ep n, [0] params }, EXTERNAL { id-et n, [0] data } }; params empty: no [0] */
static inline struct view extended_of(struct arena *a, uint8_t n, struct view params, struct view data)
{
	const struct view et = arena_copy(a, view_of((uint8_t[]){ 0x06, 4, 0x56, 1, 4, n }, 6));
	const struct view ep = arena_copy(a, view_of((uint8_t[]){ 0x06, 4, 0x56, 1, 11, n }, 6));
	const struct view first = params.n == 0 ? NOTHING : tlv(a, 0xa0, 2, ep, tlv(a, 0xa0, 1, params));
	return tlv(a, 0xaf, 2, first, tlv(a, 0x28, 2, et, tlv(a, 0xa0, 1, data)));
}

/* General text of registrations 1, 6 and 100. */
static inline struct view general_of(struct arena *a, struct view text)
{
	return extended_of(a, 11, VIEW("\x31\x09\x02\x01\x01\x02\x01\x06\x02\x01\x64"), tlv(a, 0x1b, 1, text));
}
