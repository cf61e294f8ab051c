#include "flow/engine/x400/layer.h"

#include <stdio.h>

static const struct ber_limits limits = {
	.depth = LAYER_DEPTH_MAX, .elements = LAYER_ELEMENTS_MAX, .bytes = LAYER_BYTES_MAX,
};

bool layer_error(struct err *e, const char *layer, const char *fmt, ...)
{
	char text[sizeof e->text];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return err_set(e, ERR_PEER, ERR_OF_ASSOCIATION, "%s: %s", layer, text);
}

bool layer_decode(const char *layer, const struct ber_type *t, struct view in, void *value_r, struct arena *a,
		  struct err *e)
{
	struct err cause;
	if (ber_decode(t, in, value_r, a, &limits, &cause))
		return true;
	return layer_error(e, layer, "%s", cause.text);
}

bool layer_decode_first(const char *layer, const struct ber_type *t, struct view in, void *value_r,
			struct arena *a, struct err *e)
{
	struct err cause;
	size_t used;
	if (ber_decode_first(t, in, value_r, &used, a, &limits, &cause))
		return true;
	return layer_error(e, layer, "%s", cause.text);
}

bool layer_encode(const char *layer, const struct ber_type *t, const void *value, struct out *o, struct err *e)
{
	struct err cause;
	if (ber_encode(t, value, o, &cause))
		return true;
	return err_set(e, ERR_LOCAL, ERR_OF_ASSOCIATION, "%s: cannot encode: %s", layer, cause.text);
}
