/* stream.h - live updates: what has happened is rendered once, as a frame, and every viewer reads the same octets from a ring. A viewer
 * that falls behind the ring is cut off; nobody waits for him. When he comes again he says what he heard last, and gets what he has missed
 * out of the memory of events, as fast as he reads, before what happens then. */
#pragma once
#include "proc/console/sampler.h"
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
	/* Appends to *frame the frame of the first event with a number over *after_io that is not over until, and sets *after_io to its number; if some
	 * between the two are not known any more, a frame that says so is before it. False: there is none (though some may be said to be missing). */
	bool (*missed)(void *ctx, uint64_t *after_io, uint64_t until, struct out *frame);
	/* Appends the frame of the next page of links for who was told of them up to *place_io. False: there is none for him. */
	bool (*page)(void *ctx, struct sampler_place *place_io, struct out *frame);
};

struct stream_hub *stream_hub_new(const struct stream_hub_events *events, void *ctx);
void stream_hub_free(struct stream_hub **h); /* no viewer is left: after server_free */
struct stream_join {
	struct view first;     /* what this viewer alone gets at once: frames */
	struct view token;     /* of his session */
	bool again;            /* he was here before, and heard events up to `after`; those up to `until` have happened */
	uint64_t after, until;
};

/* Answers r with the stream. */
void stream_hub_join(struct stream_hub *h, struct request *r, const struct stream_join *j);
/* One frame to everybody. id: 0: none. data: one line. */
void stream_hub_send(struct stream_hub *h, const char *event, uint64_t id, struct view data);
/* Frame as octets, for `first`. */
void stream_frame(struct out *o, const char *event, uint64_t id, struct view data);
/* Ends with a bye those of whom still() says no. */
void stream_hub_review(struct stream_hub *h, bool (*still)(void *ctx, struct view token), void *ctx, const char *why);
size_t stream_hub_viewers(const struct stream_hub *h);
/* Those whose requests are charged to this one. */
size_t stream_hub_viewers_of(const struct stream_hub *h, const char *payer);
