/* recorder_fuzz.c - what a child that has gone mad writes to the recorder, cut anywhere; its first octet is the length of the pieces. */
#include "proc/recorder/recorder.h"
#include "sys/fake_env.h"

static void no_level(void *ctx, const char *category, unsigned level)
{
	(void)ctx;
	(void)category;
	(void)level;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct set_event_log set = { .file = "", .memory = 100 };
	if (size == 0)
		return 0;
	struct actor_host host = { .env = fake_env_new() };
	host.log = event_log_new(host.env, event_kinds, EVENT_KINDS, "recorder-0", -1, true);
	struct recorder *r = recorder_new(&host, &set, no_level, NULL);
	const size_t piece = data[0] == 0 ? size : data[0];
	for (struct view v = view_of(data + 1, size - 1); v.n > 0; v = view_from(v, piece))
		recorder_lines(r, view_first(v, piece));
	fake_env_settle(host.env);
	recorder_free(&r);
	event_log_free(&host.log);
	fake_env_free(&host.env);
	return 0;
}
