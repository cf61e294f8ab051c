/* console.c - see console.h: its parts, and how they hear of each other. */
#include "proc/console/console_int.h"

#include "base/mem.h"

enum { REVIEW_MS = 2000, CONNECTIONS_SPARE = 64, DESCRIPTORS_KEPT = 100 };

/* --- what upstream tells --- */

static void on_turned(void *ctx, enum upstream_socket s, bool here)
{
	struct console *c = ctx;
	static const char *const names[] = { [UPSTREAM_SWITCH] = "switch", [UPSTREAM_READER] = "reader", [UPSTREAM_RECORDER] = "recorder" };
	EMIT(&c->host, CONSOLE_UPSTREAM, "process", names[s], "state", here ? "there" : "away");
	if (s == UPSTREAM_RECORDER && here) {
		const struct msg_follow m = { .id = 1, .after = feed_last(c->feed), .max = FEED_EVENTS, .last = true, .live = true };
		feed_begins(c->feed);
		upstream_follow(c->up, &m);
	}
	if (s == UPSTREAM_SWITCH)
		sampler_turned(c->sampler);
	else if (c->sampler != NULL)
		sampler_changed(c->sampler);
}

static void on_status_link(void *ctx, const struct msg_status_link *m)
{
	sampler_link(((struct console *)ctx)->sampler, m);
}

static void on_status_end(void *ctx, const struct msg_status_end *m)
{
	sampler_end(((struct console *)ctx)->sampler, m);
}

static void on_metric(void *ctx, struct view payload)
{
	sampler_metric(((struct console *)ctx)->sampler, payload);
}

static void on_metrics_end(void *ctx)
{
	sampler_metrics_end(((struct console *)ctx)->sampler);
}

static void on_event(void *ctx, const struct msg_event *m)
{
	struct console *c = ctx;
	const struct view json = feed_add(c->feed, m);
	if (json.n > 0)
		stream_hub_send(c->hub, "event", m->number, json);
}

static void on_followed(void *ctx, const struct msg_followed *m)
{
	(void)ctx;
	(void)m; /* what was dropped was too old for us as well */
}

static const struct upstream_events upstream_events = {
	.turned = on_turned, .status_link = on_status_link, .status_end = on_status_end, .metric = on_metric, .metrics_end = on_metrics_end,
	.event = on_event, .followed = on_followed,
};

/* --- what the sampler tells: one frame for all --- */

static void on_sampled(void *ctx, bool changed)
{
	struct console *c = ctx;
	if (stream_hub_viewers(c->hub) == 0)
		return;
	const int64_t now = env_now_ms(c->host.env);
	if (changed || c->told_series != sampler_series(c->sampler) || now - c->told_ms >= SAMPLE_IDLE_MS) {
		c->told_ms = now;
		out_clear(&c->scratch);
		const bool anew = c->told_series != sampler_series(c->sampler);
		c->told_series = sampler_series(c->sampler);
		if (anew ? sampler_first(c->sampler, &c->scratch) : sampler_changes(c->sampler, &c->scratch))
			stream_hub_send(c->hub, anew ? "overview" : "change", 0, out_view(&c->scratch));
	}
	out_clear(&c->scratch);
	if (upstream_is_here(c->up, UPSTREAM_SWITCH) && sampler_last(c->sampler, &c->scratch))
		stream_hub_send(c->hub, "history", 0, out_view(&c->scratch));
}

static const struct sampler_events sampler_events = { .sampled = on_sampled };

/* --- viewers --- */

static void on_viewers(void *ctx, size_t n)
{
	struct console *c = ctx;
	sampler_live(c->sampler, n);
	if (n > 0 && !timer_is_set(&c->review))
		timer_after(&c->review, REVIEW_MS);
}

static void on_cut(void *ctx, const char *address)
{
	struct console *c = ctx;
	EMIT(&c->host, CONSOLE_CUT, "peer", address);
}

static bool on_missed(void *ctx, uint64_t *after_io, uint64_t until, struct out *frame)
{
	struct console *c = ctx;
	uint64_t number = 0;
	bool gap;
	const struct view json = feed_after(c->feed, *after_io, &number, &gap);
	const bool is_there = json.n > 0 && number <= until;
	if (gap) {
		struct out text;
		struct jout j = { &text, false };
		out_init(&text, 200);
		jout_open(&j, NULL, '{');
		jout_int(&j, "after", (int64_t)*after_io);
		jout_int(&j, "before", (int64_t)(is_there ? number : until + 1));
		jout_close(&j, '}');
		stream_frame(frame, "gap", 0, out_view(&text));
		out_fini(&text);
	}
	if (is_there)
		stream_frame(frame, "event", number, json);
	*after_io = is_there ? number : until;
	return is_there;
}

static bool on_page(void *ctx, struct sampler_place *place_io, struct out *frame)
{
	struct console *c = ctx;
	struct out text;
	out_init(&text, STREAM_OCTETS / 2);
	const bool is_there = sampler_page(c->sampler, place_io, &text);
	if (is_there && !text.bad)
		stream_frame(frame, "links", 0, out_view(&text));
	out_fini(&text);
	return is_there;
}

static const struct stream_hub_events hub_events = { .viewers = on_viewers, .cut = on_cut, .missed = on_missed, .page = on_page };

static bool is_logged_in(void *ctx, struct view token)
{
	struct console *c = ctx;
	return sessions_find(c->sessions, token, false, env_now_ms(c->host.env)) != NULL;
}

static void on_review(void *ctx)
{
	struct console *c = ctx;
	stream_hub_review(c->hub, is_logged_in, c, "the session is over");
	if (stream_hub_viewers(c->hub) > 0)
		timer_after(&c->review, REVIEW_MS);
}

/* --- birth --- */

static void put_random(void *ctx, uint8_t *octets, size_t n)
{
	struct console *c = ctx;
	for (size_t at = 0; at < n;) {
		const uint64_t x = env_random(c->host.env);
		const size_t piece = n - at < sizeof x ? n - at : sizeof x;
		memcpy(octets + at, &x, piece);
		at += piece;
	}
}

struct console *console_new(const struct actor_host *host, const struct settings *settings, const struct board *board, size_t descriptors)
{
	struct console *c = mem_zero(sizeof *c);
	const unsigned viewers = (unsigned)settings->console.viewers;
	const size_t most = descriptors > 2 * DESCRIPTORS_KEPT ? descriptors - DESCRIPTORS_KEPT : DESCRIPTORS_KEPT;
	const struct server_limits limits = { .connections = (unsigned)most, .of_address = viewers + CONNECTIONS_SPARE, .held = HELD, .held_of_one = HELD_OF_ONE };
	c->magic = CONSOLE_MAGIC;
	c->host = *host;
	c->settings = settings;
	out_init(&c->scratch, TASK_ANSWER);
	timer_init(&c->review, host->env, on_review, c);
	c->sessions = sessions_new(put_random, c);
	sessions_settings(c->sessions, &settings->console);
	c->feed = feed_new();
	c->hub = stream_hub_new(&hub_events, c);
	c->sampler = sampler_new(host->env, settings, &sampler_events, c);
	c->up = upstream_new(host->env, settings->store.directory, &upstream_events, c);
	sampler_set_upstream(c->sampler, c->up);
	sampler_set_board(c->sampler, board);
	c->server = server_new(host->env, &limits, &http_events, c);
	return c;
}

void console_free(struct console **cp)
{
	struct console *c = *cp;
	if (c == NULL)
		return;
	CHECK(c, CONSOLE_MAGIC);
	server_free(&c->server);
	upstream_free(&c->up);
	sampler_free(&c->sampler);
	stream_hub_free(&c->hub);
	feed_free(&c->feed);
	sessions_free(&c->sessions);
	timer_stop(&c->review);
	out_fini(&c->scratch);
	c->magic = 0;
	MEM_FREE(*cp);
}

void console_listening(struct console *c, uint64_t number, int fd)
{
	struct err e;
	CHECK(c, CONSOLE_MAGIC);
	if (fd < 0)
		server_unlisten(c->server, number);
	else if (!server_listen(c->server, number, fd, &e))
		c->host.die(c->host.ctx, &e);
}

void console_settings(struct console *c, const struct settings *settings)
{
	CHECK(c, CONSOLE_MAGIC);
	c->settings = settings;
	sessions_settings(c->sessions, &settings->console);
	sampler_settings(c->sampler, settings);
	timer_after(&c->review, 0);
}
