/* blocks.h - how many control blocks of each kind are alive in a process: at rest each count is what it was before the traffic, else
 * one was leaked. Shown by `posthorn status --json`, compared by tests. */
#pragma once
#include "base/out.h"
#include "sys/env.h"

/* X(NAME, name) */
#define BLOCKS(X)                                                                                                             \
	X(ASSOCIATIONS, "associations") /* link: and connections that are none yet */                                         \
	X(HANDOVERS, "handovers")       /* transfers in the hands of an association */                                        \
	X(OFFERS, "offers")             /* messages on their way in */                                                        \
	X(PARTIALS, "partials")         /* switch: transfers that may break off, or did; link: those it has told of */        \
	X(RESUMES, "resumes")           /* switch: transfers of ours that broke off */                                        \
	X(ORDERS, "orders")             /* switch: transfers in memory */                                                     \
	X(TICKETS, "tickets")           /* switch: what waits for the disk */                                                 \
	X(LIMBOS, "limbos")             /* switch: ends of processes that are not understood yet */                           \
	X(SHOWS, "shows")               /* switch: mailbox entries that are being shown */                                    \
	X(PROCESSES, "processes")       /* switch: channels' other ends */                                                    \
	X(TIMERS, "timers")             /* set */                                                                             \
	X(STREAMS, "streams")           /* connections and channels */                                                        \
	X(FILES, "files")               /* content files that are open */

enum block {
#define X(upper, name) BLOCK_##upper,
	BLOCKS(X)
#undef X
	BLOCK_COUNT
};

struct blocks {
	uint64_t n[BLOCK_COUNT];
};

const char *block_name(enum block b);
/* Timers, streams, files. */
void blocks_of_env(const struct env *env, struct blocks *b);
/* Strings: "process" and its name, then name and number of each kind (of ROW's form). */
void put_blocks(struct out *pairs, const char *process, const struct blocks *b);
