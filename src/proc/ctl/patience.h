/* patience.h - does the process at the other end of a conversation still make progress? Not "how long does its answer take": what takes long by right
 * must not be ended. A process that goes on greets whoever connects, in its next turn; so the conversation's own greeting is waited for, and
 * from then on, once in each such time, that of another connection, which asks nothing and is closed again. */
#pragma once
#include "sys/env.h"

struct patience;

/* where: the process's socket. ms: how long a greeting may take; 0: for ever. over(ctx) is called once, when one has not come. */
struct patience *patience_new(struct env *env, const struct net_addr *where, int64_t ms, void (*over)(void *ctx), void *ctx);
/* A NULL *p is fine; not from inside over(). */
void patience_free(struct patience **p);
/* It has greeted in the conversation itself. endless: nothing is due any more, there may be nothing to say; it is not asked again. */
void patience_greeted(struct patience *p, bool endless);
