/* mover.h - the mail of one Microsoft Mail postoffice, without any other software (facts A9). A process is either its mailer, which brings
 * what has come into INQUEUE3 to the mailbags of users and of other postoffices, or its lane to one peer, which puts what
 * lies in that peer's outbound mailbag into the peer:
 *
 *   client -> MBG/peer's bag --lane--> peer: ATT MAI P1, INQUEUE3 --its mailer--> users' bags, next outbound bags
 *
 * Order of the steps, and what counts: mail.h for the mailer; of a lane: files with P1 UNREADY at the peer, a line in P1\<bag>.0JN here, the record
 * in the peer's INQUEUE3, P1 READY there (this counts), the record here dropped, the line gone. A crash at any point is gone on
 * from by whoever holds the bag's lock next, in this process or another.
 *
 * An actor with timers, no streams: rounds at the interval, at once when the kernel tells of a change, one message a turn of the loop, so that
 * the watchdog and a stop are answered in between. What hangs is the file server, and this process alone with it.
 *
 * What it remembers beside the postoffice is in the directory mover-NAME of the store's: one file for each of its processes (attempts, strikes,
 * the peer's bag), and what was set aside. Backups have it, but for *.status and *.new (flow/store/beside.h). */
#pragma once
#include "proc/table/actor.h"
#include "proc/table/settings_table.h"

struct mover;

/* A lane's view of its peer, as the original shows it. */
enum mover_peer { PEER_START, PEER_UNINIT, PEER_OK, PEER_ERROR, PEER_FULL, PEER_FAILED, PEER_NO_REF };
const char *mover_peer_name(enum mover_peer state);

/* set and peer (NULL: the mailer) live as long as the mover. directory: of the store. strikes: limits.strikes. Begins in this turn. */
struct mover *mover_new(const struct actor_host *host, const struct set_mover *set, const char *peer, const char *directory, unsigned strikes);
void mover_free(struct mover **m);
/* How the process before this one ended, before the first turn: by a fault, with a note that names a message of a mailbag, strikes that one.
 * A note "postoffice ..." strikes nothing: it was the file server. */
void mover_predecessor_died(struct mover *m, bool by_fault, const char *note);
/* A round as soon as possible. */
void mover_wake(struct mover *m);
enum mover_peer mover_peer_state(const struct mover *m);
/* Nothing is left to be done before the next interval: for tests. */
bool mover_is_idle(const struct mover *m);

/* The process: instance as settings_mover_at counts. */
int mover_main(uint32_t instance);
