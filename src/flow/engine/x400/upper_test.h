/* upper_test.h - what the tests above session share: octets written as nested hexadecimal, expected octets. */
#pragma once
#include "flow/engine/x400/stack_test.h"

#include "base/arena.h"

#include <stdio.h>

/* Octets of `form`: hexadecimal with ( ... ) for a definite length of BER and what it counts, "30(020101)" is
 * 30 03 02 01 01, and [ ... ] for one of session (X.225 8.2). Lengths are minimal. Good as long as the arena. */
static inline struct view octets_of(struct arena *a, const char *form)
{
	enum { DEPTH_MAX = 32, OCTETS_MAX = 1 << 16 };
	uint8_t *buf = arena_get(a, OCTETS_MAX);
	size_t n = 0, open[DEPTH_MAX], depth = 0;
	assert_non_null(buf);
	for (const char *p = form; *p != 0; p++) {
		if (*p == ' ')
			continue;
		if (*p == '(' || *p == '[') {
			open[depth++] = n;
			continue;
		}
		if (*p == ')' || *p == ']') {
			const size_t at = open[--depth], length = n - at;
			uint8_t head[3] = { (uint8_t)length };
			size_t size = 1;
			if (*p == ']' && length > 254) {
				head[0] = 0xff;
				head[1] = (uint8_t)(length >> 8);
				head[2] = (uint8_t)length;
				size = 3;
			} else if (*p == ']') {
				size = 1;
			} else if (length > 255) {
				head[0] = 0x82;
				head[1] = (uint8_t)(length >> 8);
				head[2] = (uint8_t)length;
				size = 3;
			} else if (length > 127) {
				head[0] = 0x81;
				head[1] = (uint8_t)length;
				size = 2;
			}
			memmove(buf + at + size, buf + at, length);
			memcpy(buf + at, head, size);
			n += size;
			continue;
		}
		unsigned x;
		assert_int_equal(sscanf(p, "%2x", &x), 1);
		buf[n++] = (uint8_t)x;
		p++;
	}
	assert_int_equal(depth, 0);
	return view_of(buf, n);
}
