/* stream.h - live updates: what has happened is rendered once, as a frame, and every viewer reads the same octets from a ring. A viewer
 * that falls behind the ring is cut off; nobody waits for him. */
#pragma once
#include "proc/console/server.h"

enum {
	STREAM_FRAMES = 8192,
	STREAM_OCTETS = 4 * 1024 * 1024, /* all frames in the ring */
};

struct stream_hub;
struct stream_hub_events {
	/* The number of viewers has changed. */
	void (*viewers)(void *ctx, size_t n);
	/* One was cut off. */
	void (*cut)(void *ctx, const char *address);
};

struct stream_hub *stream_hub_new(const struct stream_hub_events *events, void *ctx);
void stream_hub_free(struct stream_hub **h); /* no viewer is left: after server_free */
/* Answers r with the stream; first: what this viewer alone gets at once (frames); token: of his session. */
void stream_hub_join(struct stream_hub *h, struct request *r, struct view first, struct view token);
/* One frame to everybody. id: 0: none. data: one line. */
void stream_hub_send(struct stream_hub *h, const char *event, uint64_t id, struct view data);
/* Frame as octets, for `first`. */
void stream_frame(struct out *o, const char *event, uint64_t id, struct view data);
/* Ends with a bye those of whom still() says no. */
void stream_hub_review(struct stream_hub *h, bool (*still)(void *ctx, struct view token), void *ctx, const char *why);
size_t stream_hub_viewers(const struct stream_hub *h);
