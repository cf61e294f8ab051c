/* chan_fuzz.c - any octets to a channel, in pieces whose size the first octet says. A frame handed out must lie within what
 * came in, and once refused nothing more is handed out. */
#include "base/mem.h"
#include "sys/chan.h"
#include "sys/fake_env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	size_t in, out;
	bool closed;
};

static bool handle(void *ctx, struct view payload, struct err *e)
{
	struct seen *s = ctx;
	s->out += payload.n + 6;
	assert(!s->closed && s->out <= s->in);
	uint8_t sum = 0;
	for (size_t i = 0; i < payload.n; i++)
		sum ^= payload.p[i]; /* touches every octet, for the sanitizer */
	return sum != 0x7f || err_set(e, ERR_PEER, ERR_OF_PROCESS, "refused by the handler");
}

static void closed(void *ctx, const struct err *why)
{
	struct seen *s = ctx;
	assert(!s->closed && why->text[0] != 0);
	s->closed = true;
}

static const struct chan_type types[] = {
	{ 1, "one", handle, 16 }, { 2, "two", handle, 4096 }, { 3, "three", NULL, 16 }, { 700, "far", handle, CHAN_FRAME_MAX },
};
static const struct chan_events events = { types, ARRAY_LEN(types), NULL, NULL, closed };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct seen s = { .in = size };
	struct env *env = fake_env_new();
	struct stream *a, *b;
	fake_env_pair(env, &a, &b);
	fake_env_set_chunk(env, data[0]);
	struct chan *c = chan_new(&b, &events, &s, 1, 1);
	stream_write(a, view_of(data + 1, size - 1));
	stream_close(&a, true);
	fake_env_settle(env);
	assert(s.closed); /* by nonsense or by the end: never left hanging */
	chan_free(&c, false);
	fake_env_free(&env);
	return 0;
}
