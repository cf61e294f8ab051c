/* decode_live_fuzz.c - a trace in pieces; its first octet is the length of the pieces. */
#include "proc/tool/decode_live.h"

static void write_nowhere(void *ctx, struct view text)
{
	(void)ctx;
	(void)text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct decode_options options = { .json = size > 1 && (data[1] & 1) != 0, .event_max = 1 << 20, .arena = 16 << 20 };
	size_t connections = 0;
	struct err e;
	if (size == 0)
		return 0;
	const size_t piece = data[0] == 0 ? size : data[0];
	struct decode_live *d = decode_live_new(&options, write_nowhere, NULL, &connections);
	for (struct view v = view_of(data + 1, size - 1); v.n > 0; v = view_from(v, piece))
		if (!decode_live_octets(d, view_first(v, piece), &e))
			break;
	decode_live_free(&d);
	return 0;
}
