/* link_testing.h - a link process between a switch that is played over channels and peers that are x400 machines. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/engine/x400/x400.h"
#include "flow/message/message.h"
#include "proc/link/link.h"
#include "proc/table/msgs.h"
#include "sys/chan.h"
#include "sys/fake_env.h"

enum { PEERS = 40, PARTS = 8, PART_SYNCS = 64 };

enum answer { ACCEPT, REFUSE, ABORT, VANISH, SILENT };

struct peer {
	struct world *w;
	struct x400 *x;
	struct stream *stream;
	unsigned seen[X400_ENDED + 1];
	enum x400_bind_error bind_error;
	unsigned window, checkpoint_size; /* proposed to it, or agreed */
	struct x400_credentials credentials; /* that the link gave; in the world's arena */
	enum answer answer;              /* to a transfer that has come */
	struct out to_send, received;
	uint64_t total;                  /* a transfer that waits to begin */
	unsigned priority;               /* of the turn that it was asked for */
	bool resumes;                    /* ... or to go on: */
	struct x400_resume at;
	bool keeps;                      /* takes a recovery and what is resumed; `received` is all that came, cut where it goes on */
	uint64_t activity, point[PART_SYNCS];
	struct err why;                  /* of ENDED */
};

/* What the switch keeps of a transfer on its way in. */
struct part {
	uint64_t id;                     /* 0: free */
	bool kept;                       /* nobody has it in hand */
	char link[32], host[64];
	struct out key, octets;
	uint64_t activity, point[PART_SYNCS], given;
	uint32_t synced;
};

struct world {
	struct env *env;
	struct arena *a, *heard;         /* heard: what `offer`, `down` ... point into */
	struct event_log *log;
	int log_fd;
	struct arena *set_in;            /* what `settings` points into, and nothing else */
	struct settings settings;
	uint64_t settled;                /* SETTLED, the last one */
	unsigned n_settled;
	struct link *link;
	struct listener *listener;
	struct chan *control, *bulk;     /* the switch's ends */
	unsigned closed, ups, downs, cancels, n_offers, n_begins, n_ends, n_spoiled, n_results, n_pulls, n_examined;
	struct msg_assoc up, down;
	unsigned n_hows;
	struct msg_assoc_how how;
	struct msg_offer offer;          /* the last one, whole or begun */
	struct msg_spoiled spoiled;
	struct msg_examined examined;
	struct msg_count pull;           /* the last one */
	uint64_t end_total, pulled, data;
	struct out streamed;             /* OFFER_DATA since the last OFFER_BEGIN */
	struct msg_result results[8];
	struct peer peer[PEERS];
	struct out notes;                /* each with a line end */
	struct part part[PARTS];
	bool cannot_keep, hold_syncs, other_host, peers_keep;
	unsigned n_partials, n_syncs, n_kept, n_dropped, n_finds, n_resumes;
	struct msg_sync sync;            /* the last one */
	struct msg_resume resume;
	bool stopped;
	enum x400_bind_error refusal;    /* of called peers; X400_NO_BIND_ERROR: they accept */
	const char *password;            /* remote-password; NULL: "secret" */
	const char *answer_password;     /* that called peers answer with; NULL: none, "": no credentials */
};

/* Its streams are there, and it has said nothing yet. */
void switch_connects(struct world *w);
void switch_joins(struct world *w);
void switch_leaves(struct world *w);
void say_count(struct world *w, enum msg kind, uint64_t id, uint64_t n);
void say_answer(struct world *w, bool accepted);
void say_suspect(struct world *w, uint64_t hash, uint32_t strikes);
void say_busy(struct world *w, bool busy);
void say_examine(struct world *w, uint64_t id, uint64_t hash, uint64_t size, struct view content);
/* TRANSFER_DATA */
void say_piece(struct world *w, uint64_t id, struct view octets);
void say_open(struct world *w, uint64_t id);
/* ASSOC_HOW before it. */
void say_open_how(struct world *w, uint64_t id, uint32_t which, bool permanent);
/* The link calls a peer: it is the next of w->peer. For env_listen. */
void called(void *ctx, struct stream *s);
/* ASSOC_HOW with a reference that the link gave, and TRANSFER_RESUME as it gave it. */
void say_how(struct world *w, uint64_t id, struct view reference);
void say_resume(struct world *w, uint64_t transfer, const struct msg_resume *m);
void say_synced(struct world *w, uint64_t id, uint32_t serial, bool good);
/* A peer with names for its associations that calls, maybe to recover one. */
struct peer *call_named(struct world *w, unsigned i, const char *name, const struct x400_reference *recovers);
void peer_answer(struct peer *p);
void peer_pump(struct peer *p);
void peer_free(struct peer *p);
struct x400_config peer_config(enum session_side side);
/* On a connection that the link has accepted. */
struct peer *call_on(struct world *w, unsigned i, const struct x400_config *c, struct stream *ours);
struct peer *call_with(struct world *w, unsigned i, const struct x400_config *c);
/* A peer calls the link. */
struct peer *call(struct world *w, unsigned i);
struct message *letter(struct world *w);
/* Content: zeros. */
void encode_apdu(const struct message *m, size_t size, struct out *o);
/* total: octets of the transfer; those that are missing in `octets` do not come. */
void peer_begins(struct peer *p, uint64_t total, struct view octets);
void peer_sends_octets(struct peer *p, struct view octets);
/* A letter with so much content, the last `cut` octets left out. */
void peer_sends(struct peer *p, size_t size, size_t cut);
void say_transfer(struct world *w, uint64_t transfer, uint64_t assoc, size_t size);
void say_transfer_of(struct world *w, uint64_t transfer, uint64_t assoc, size_t size, enum priority priority);
void say_content(struct world *w, uint64_t transfer, size_t n);
/* limits: the settings of that section, as "associations: 2, memory: 16 M". */
struct world *world_new_with(const char *limits);
/* link: lines of the link's settings, each indented by four and with its end. */
struct world *world_new_as(const char *limits, const char *link);
struct world *world_new(void);
/* Other settings for it, with w->password; those of before are freed at once. links: more of them, each with its own name, as lines. */
void world_settings(struct world *w, const char *limits, const char *link, const char *links);
bool was_told(struct world *w, const char *event);
void world_free(struct world *w);
