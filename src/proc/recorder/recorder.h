/* recorder.h - the recorder process: gets every event line of all processes and keeps it in memory, in a file, in the journal, and passes
 * it to who follows. It may die at any time: what is lost is its memory, and what it had read and not yet written. */
#pragma once
#include "proc/table/actor.h"
#include "proc/table/settings_table.h"

struct recorder;

/* The host's log is the recorder's own: its lines are recorded as those of the others. level: has every process hear a category so. */
typedef void recorder_level_f(void *ctx, const char *category, unsigned level);
struct recorder *recorder_new(const struct actor_host *host, const struct set_event_log *set, recorder_level_f *level, void *ctx);
void recorder_free(struct recorder **r);
/* Others from now on; nothing points into the old ones after it. */
void recorder_set(struct recorder *r, const struct set_event_log *set);

/* It answers ASK_PROCESSES from there on: the reader, who is asked first, may be the one that hangs. As long as r; NULL: there is none. */
struct board;
void recorder_set_board(struct recorder *r, const struct board *board);

/* Octets out of the supervisor's pipe, cut anywhere. */
void recorder_lines(struct recorder *r, struct view octets);
/* A connection of who follows. */
void recorder_accepted(struct recorder *r, struct stream *s);
/* What was recorded is in the file now, as far as that is possible. */
void recorder_flush(struct recorder *r);

/* main of the process. */
int recorder_main(uint32_t instance);
