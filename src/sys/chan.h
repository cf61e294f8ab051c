/* chan.h - a framed, typed, versioned channel between two processes of Posthorn over a stream.
 * Frame: length (4 octets, of what follows), type (2), then the payload. The first frame each way is HELLO
 * with the protocol version and the kind of process; another version, an unknown type, a frame over the limit
 * or a payload its handler refuses ends the channel, and with it the sender, not us. */
#pragma once
#include "base/cur.h"
#include "sys/env.h"

enum { CHAN_VERSION = 1, CHAN_FRAME_MAX = 16 * 1024 * 1024 };

struct chan;

/* One handler per message type. false: the payload makes no sense (*e says why); the channel is closed. */
typedef bool chan_f(void *ctx, struct view payload, struct err *e);

struct chan_type {
	uint16_t type;
	const char *name;
	chan_f *handle;  /* NULL: never received by this side */
	size_t max;      /* longest payload */
};

struct chan_events {
	const struct chan_type *types; /* sorted by type */
	size_t n_types;
	/* The peer's HELLO has come: what it is and its own number. */
	void (*hello)(void *ctx, unsigned process_kind, uint32_t instance);
	void (*drained)(void *ctx);
	/* Ended, by the peer or by nonsense; last call. The user still calls chan_free. */
	void (*closed)(void *ctx, const struct err *why);
	/* The peer's HELLO names another version: the channel ends after this, which may still send. May be NULL. */
	void (*other_version)(void *ctx, unsigned version);
};

/* Takes the stream over. HELLO is queued at once. */
struct chan *chan_new(struct stream **s, const struct chan_events *events, void *ctx, unsigned process_kind, uint32_t instance);
void chan_free(struct chan **c, bool flush);
/* Another user, who takes other messages, from the next frame on. Not from inside a handler of this channel. */
void chan_set_events(struct chan *c, const struct chan_events *events, void *ctx);

/* Queues one frame; leaves at the end of the turn. */
void chan_send(struct chan *c, uint16_t type, struct view payload);
/* The same built in place: begin gives the builder (append only), end closes the frame. */
struct out *chan_begin(struct chan *c, uint16_t type);
void chan_end(struct chan *c);
size_t chan_unsent(const struct chan *c);
/* Back-pressure on the sender: no handler is called until resumed. */
void chan_pause(struct chan *c, bool paused);
