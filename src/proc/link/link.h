/* link.h - a link process: sockets and X.400 associations on one side, the switch on the other.
 *
 * Inbound:  octets -> x400 machine -> p1 splitter -> OFFER to the switch; its answer, given when the message is durable,
 *           becomes the confirmation to the peer.
 * Outbound: ASSOC_OPEN and TRANSFER from the switch -> p1 encoder -> x400 machine -> octets; the peer's confirmation
 *           becomes TRANSFER_RESULT.
 *
 * Suspects:  an input of which processes have died (SUSPECT) is not decoded but offered as octets; EXAMINE, in the process
 *            that handles suspects alone, decodes such octets as if a peer had sent them.
 *
 * It keeps nothing durable: when its channel to the switch ends, it aborts its associations; peers send again. */
#pragma once
#include "proc/table/actor.h"
#include "proc/table/blocks.h"
#include "proc/table/settings_table.h"

struct link;

/* settings must outlive the link. instance: number of this link process. */
struct link *link_new(const struct actor_host *host, const struct settings *settings, uint32_t instance);
void link_free(struct link **l);

/* Other settings, as switch_settings has them; taken before it returns, after which nothing refers to those of before, and the switch is told
 * (SETTLED). Associations of a link whose peer sees nothing else (settings_change.h: CHANGE_LINK) stay. Of the others, and of links that are gone,
 * the inbound ones end between two transfers, and the switch closes the outbound ones. Binds are judged by the new ones from now on; the
 * files of TLS are read again, for the connections that come next, and where one cannot be read that of before goes on. Limits hold for what is
 * accepted from now on. */
void link_settings(struct link *l, const struct settings *settings);

/* It handles suspects, each alone: where a transfer of theirs broke off is nobody's business. */
void link_alone(struct link *l);

/* So many descriptors may be open in this process: limits.associations is lowered to what that allows, with an event. */
void link_clamp(struct link *l, size_t descriptors);

/* A stream to the switch: control or bulk. A new pair replaces one that has ended. */
void link_adopt_switch(struct link *l, bool bulk, struct stream *s);
/* A connection of a peer; secure: TLS comes first. Refused at once while there is no switch. */
void link_accepted(struct link *l, struct stream *s, bool secure);
/* Takes no new work, ends associations as they become idle, then calls done(ctx). */
void link_stop(struct link *l, void (*done)(void *ctx), void *ctx);

/* What is alive in this process; at rest the same before and after any traffic. */
void link_blocks(const struct link *l, struct blocks *b_r);

/* main of the process. */
int link_main(uint32_t instance);
/* The same for suspects: no listener; what it is given it handles alone. */
int link_alone_main(uint32_t instance);
