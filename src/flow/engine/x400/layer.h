/* layer.h - what the layers above session share: decoding and encoding with errors that name the layer and
 * charge the association. */
#pragma once
#include "flow/codec/ber/ber.h"

/* Limits of what is decoded whole: everything but transferred octets. */
enum { LAYER_DEPTH_MAX = 24, LAYER_ELEMENTS_MAX = 4096, LAYER_BYTES_MAX = 1 << 16 };

/* As ber_decode; an error is the peer's: "acse: AARQ-apdu...: ...". */
MUST_CHECK bool layer_decode(const char *layer, const struct ber_type *t, struct view in, void *value_r,
			     struct arena *a, struct err *e);

/* The same for one value that other octets may follow. */
MUST_CHECK bool layer_decode_first(const char *layer, const struct ber_type *t, struct view in, void *value_r,
				   struct arena *a, struct err *e);

/* Appends; an error is ours (ERR_LOCAL). */
MUST_CHECK bool layer_encode(const char *layer, const struct ber_type *t, const void *value, struct out *o,
			     struct err *e);

/* The peer broke a rule of this layer: fills *e, returns false. */
bool layer_error(struct err *e, const char *layer, const char *fmt, ...) PRINTF_LIKE(3, 4);
