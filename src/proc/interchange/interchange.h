/* interchange.h - the process of one link of kind msmail: a Microsoft Mail postoffice, or the directories of an FFAPI gateway, on one side,
 * the switch on the other. To the switch it is the connector of its link (docs/connector.md), over streams that the supervisor makes.
 *
 * Outbound: TRANSFER -> content -> converter (XLATE) -> files with an envelope MM_UNREADY -> line in the sent journal -> records in the
 *           bags -> MM_READY, which counts -> reports of the gateway -> TRANSFER_RESULT.
 * Inbound:  INQUEUE3 -> envelope, MAI, attachments -> transit into outbound bags -> converter -> OFFER -> the switch's durable
 *           answer -> MM_READY or removed, which counts -> notices -> the record goes.
 * Each step may be done again after a crash; the two that count are told apart by the envelope's state and the journal.
 *
 * Files of the postoffice are read and written with calls that block: a file server that hangs, hangs this process only, with the note
 * "postoffice OP PATH", and is what the watchdog's end of it is charged to. Everything else is done in slices of SLICE_MS between turns of the
 * loop, inbound and outbound by turns, so that ALIVE and a stop are answered and neither starves the other.
 *
 * It is detached (no postoffice: tries again, each time later), attached, or degraded (was attached, something failed: associations are
 * down, it tries again). What it has to remember lies in the folder interchange-LINK of the store's directory: `sent` (what became of
 * transfers, for duplicates and notices), `strikes`, `taken` (read-only archives). */
#pragma once
#include "proc/table/actor.h"
#include "proc/table/settings_table.h"

struct interchange;

enum { INTERCHANGE_SLICE_MS = 20, INTERCHANGE_ALONE_MS = 5000 };

/* settings must outlive it. instance: index of its link in settings->links; the link is of kind msmail. */
struct interchange *interchange_new(const struct actor_host *host, const struct settings *settings, uint32_t instance);
/* What is in hand is left as a crash would leave it. */
void interchange_free(struct interchange **x);

/* A stream to the switch or to its converter, control or bulk. A new pair replaces one that has ended. Without a switch for
 * INTERCHANGE_ALONE_MS it ends itself, so that its successor is connected anew. */
void interchange_adopt_switch(struct interchange *x, bool bulk, struct stream *s);
void interchange_adopt_converter(struct interchange *x, bool bulk, struct stream *s);

/* How its own predecessor (PROCESS_INTERCHANGE) or its converter died, as the supervisor tells. By a fault with the note "INQUEUE3 xxxxxxxx"
 * (or "FFAPI name") the record is struck, durably; with "postoffice ..." the file server is told of and nothing is struck. Transfers
 * are the switch's. */
void interchange_peer_died(struct interchange *x, enum process_kind kind, bool by_fault, const char *words, const char *note);

/* Finishes what is in hand, takes no more, then calls stopped(ctx). */
void interchange_stop(struct interchange *x, void (*stopped)(void *ctx), void *ctx);

/* "detached", "attached", "degraded", for events and tests. */
const char *interchange_state(const struct interchange *x);

/* main of the process. */
int interchange_main(uint32_t instance);
