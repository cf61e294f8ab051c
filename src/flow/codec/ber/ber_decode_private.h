/* ber_decode_private.h - what the ber_decode*.c share: the walk over elements, and strings. */
#pragma once
#include "base/cur.h"
#include "flow/codec/ber/ber_private.h"

struct ber_decoder {
	struct arena *arena;
	unsigned depth_max;
	size_t elements_left;
	const uint8_t *base; /* of the input, for octet numbers in texts */
	struct err *e;
};

/* The content of one open element. Its octets are read through `c`: its own cursor when the length is
 * definite, else that of the nearest definite element around it. */
struct ber_body {
	struct cur own, *c;
	size_t bound; /* length of that definite element, or of the input */
	unsigned depth;
	bool indefinite;
};

/* An element whose header has been read; its content is next in the cursor. */
struct ber_elem {
	struct ber_head h;
	const uint8_t *start;
};

enum ber_next { BER_NEXT_BAD, BER_NEXT_END, BER_NEXT_ELEM };

/* Reads the next header in `b`, or takes its end (end-of-contents too). An element that is longer than
 * what is left of the nearest definite length is bad. */
enum ber_next ber_decode_next(struct ber_decoder *d, const struct ber_path *at, struct ber_body *b,
			      struct ber_elem *el_r);

/* Opens the content of el, which `b` has just given. Fails on a primitive and past the depth limit. */
MUST_CHECK bool ber_decode_enter(struct ber_decoder *d, const struct ber_path *at, struct ber_body *b,
				 const struct ber_elem *el, struct ber_body *inner_r);

/* Takes the whole of el, whatever it is. */
MUST_CHECK bool ber_decode_whole(struct ber_decoder *d, const struct ber_path *at, struct ber_body *b,
				 const struct ber_elem *el, struct view *tlv_r);

/* Content octets of a string type, constructed forms joined (X.690 8.7, 8.6.4, 8.23). */
MUST_CHECK bool ber_decode_octets(struct ber_decoder *d, const struct ber_path *at, struct ber_body *b,
				  const struct ber_elem *el, struct view *v_r);
MUST_CHECK bool ber_decode_bits(struct ber_decoder *d, const struct ber_path *at, struct ber_body *b,
				const struct ber_elem *el, struct ber_bits *bits_r);

/* Fills the error with path and octet. */
void ber_decode_error(struct ber_decoder *d, const struct ber_path *at, const uint8_t *where,
		      const char *fmt, ...) PRINTF_LIKE(4, 5);

/* The same, for `return`: in line, so that the compiler sees that what was not read is not used. */
#define ber_decode_fail(...) (ber_decode_error(__VA_ARGS__), false)
