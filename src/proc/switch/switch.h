/* switch.h - the switch: the only owner of the store. Intake, routing, queues, reports. It never sees an
 * unparsed peer byte: messages come in canonical form, content is octets it does not look into.
 *
 *   OFFER -> intake.c: known? loop? route each recipient -> one operation on the store
 *         -> hook at the end of the turn: one commit for all that came
 *         -> durable: answers leave, transfers enter their link's window
 *   window -> dispatch.c: associations, credits, TRANSFER -> TRANSFER_RESULT -> store
 *   a process dies -> suspect.c: what it had in hand is struck -> alone.c: handled by a process of its own
 *         -> cleared, or at limits.strikes quarantine.c
 *   connector.c: a program of its own, or an interchange, is the link process of one link
 *
 * One link's trouble stays in its own struct: window, timers, associations, counters. */
#pragma once
#include "flow/store/store.h"
#include "proc/table/actor.h"
#include "proc/table/blocks.h"
#include "proc/table/settings_table.h"
#include "sys/process.h"

struct sw;

/* How the store is opened: SQLite in the real world, memory in the simulated one. NULL: *e says why. */
typedef struct store *switch_open_f(void *ctx, const struct store_events *ev, void *ev_ctx, struct err *e);

/* settings must outlive it. NULL with *e set when the store cannot be opened. */
struct sw *switch_new(const struct actor_host *host, const struct settings *settings, switch_open_f *open, void *open_ctx,
		      struct err *e);
void switch_free(struct sw **s);

/* Other settings, which settings_load has taken, and which differ from those of now only in what may change while mail runs
 * (settings_change.h). Taken as a whole before it returns, after which nothing refers to those of before. False: *e says why they cannot be
 * taken, and nothing has changed; then the process has to be started anew. What it does to mail:
 * - What is in hand goes on; nothing is lost or sent twice.
 * - A link of the same name goes on with its queue. When something is different that its peer sees (CHANGE_LINK), its associations end,
 *   each after what it has in hand; others are opened at once by the new settings, whatever failures it has had. Of another kind, it is
 *   served by another process from then on.
 * - A new link is there at once. One that is gone is "removed" in lists of links while anything waits for it. What has a way by the routes
 *   of now takes it; what has none stays listed there: an operator reroutes or returns it, or a later reload gives it a way, or it expires
 *   and is reported. What an operator holds there stays held. A link with another name is another link.
 * - When routes, mailboxes or lists are others, or links came or went, what waits is looked at once more, in slices: it goes where a new
 *   message would go; what has no way now stays with its link.
 * - Intervals count from the last attempt. What expires when was said when it came.
 * Link processes are asked for nothing before they have said (SETTLED) that they use the same settings. */
MUST_CHECK bool switch_settings(struct sw *s, const struct settings *settings, struct err *e);

/* A stream to another process; control and bulk of one instance make a pair. An interchange's instance is the index of its link in
 * settings.links; the stream of one that names no link of kind msmail is closed. */
void switch_adopt_peer(struct sw *s, enum process_kind kind, uint32_t instance, bool bulk, struct stream *stream);
/* The process of that kind and number died, before or after its streams have ended: by a fault, then what it had in hand (and the
 * input it had noted) gets a strike; else everything goes back to where it was. Words: for the operator. Note: the last item it
 * had noted, trusted as far as it names something of ours. An interchange's may say "postoffice ...": then it is the file server that hangs
 * or is gone: nothing is struck, its link waits as after a failure to open. Our own kind: how this switch's predecessor died; to be told before
 * any stream is adopted. Without a word for PEER_WORD_MS what it had in hand goes back, unstruck. */
void switch_peer_died(struct sw *s, enum process_kind kind, uint32_t instance, bool by_fault, const char *words, const char *note);
enum { PEER_WORD_MS = 5000 };
/* A connection of the command line. */
void switch_adopt_control(struct sw *s, struct stream *stream);
/* A connection of a program that wants to serve a link (docs/connector.md). */
void switch_adopt_connector(struct sw *s, struct stream *stream);
/* The answer to host.reload. Nobody asks any more: nothing. */
void switch_reloaded(struct sw *s, uint64_t id, enum process_reloaded how, struct view text);
/* Takes nothing new; done(ctx) when what is in hand is durable. */
void switch_stop(struct sw *s, void (*done)(void *ctx), void *ctx);

/* What is in the store, the open group included. */
void switch_count(const struct sw *s, struct store_counts *c_r);
/* What is alive in this process; at rest the same before and after any traffic. */
void switch_blocks(const struct sw *s, struct blocks *b_r);

/* main of the process. */
int switch_main(uint32_t instance);
