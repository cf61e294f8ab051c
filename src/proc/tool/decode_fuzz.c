/* decode_fuzz.c - whole files: no crash, memory within the limits, every JSON line an object without a key twice, and the
 * verdict the same in both forms. The text holds nothing that a terminal would obey. */
#include "base/mem.h"
#include "proc/tool/decode.h"

#include <jansson.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(void *ctx, struct view text)
{
	size_t *n = ctx;
	*n += text.n;
	for (size_t i = 0; i < text.n; i++)
		assert(text.p[i] >= 0x20 || text.p[i] == '\n');
}

static void check_json(void *ctx, struct view text)
{
	size_t *n = ctx;
	json_error_t e;
	*n += text.n;
	json_t *line = json_loadb((const char *)text.p, text.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);
	if (line == NULL)
		fprintf(stderr, "%s at %d in %.*s\n", e.text, e.position, (int)text.n, (const char *)text.p);
	assert(json_is_object(line) && json_is_string(json_object_get(line, "event")));
	assert(text.p[text.n - 1] == '\n' && memchr(text.p, '\n', text.n - 1) == NULL);
	json_decref(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decode_options options = {
		.tsdu_max = 1 << 16, .transfer_max = 1 << 17, .event_max = 1 << 20, .arena = 1 << 20,
		.secrets = size % 2 == 1, .ports = { 102, 10102 }, .n_ports = 2,
	};
	struct decode_totals text, json;
	size_t n = 0;
	const bool whole = decode_file(view_of(data, size), &options, check_text, &n, &text);
	assert(n > 0 && whole == (text.damaged == 0));
	options.json = true;
	(void)decode_file(view_of(data, size), &options, check_json, &n, &json);
	assert(json.messages == text.messages && json.connections == text.connections);
	return 0;
}
