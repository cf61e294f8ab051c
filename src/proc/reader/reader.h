/* reader.h - the reader process: answers lists and traces from the store on a read-only connection, each bounded in
 * time, so that no question, however large, costs the switch a moment. It may die at any time. */
#pragma once
#include "proc/table/actor.h"
#include "proc/table/settings_table.h"

struct reader;

/* store: path of the database, which need not exist yet. It and the settings must outlive it. */
struct reader *reader_new(const struct actor_host *host, const struct settings *settings, const char *store);
void reader_free(struct reader **r);
/* Others instead of those: for the answers that come next. They must outlive it, too. */
void reader_settings(struct reader *r, const struct settings *settings);
/* What the supervisor knows of the processes, for PROCESSES; NULL (at first): nothing. */
struct board;
void reader_set_board(struct reader *r, const struct board *board);
/* A connection of the command line. */
void reader_accepted(struct reader *r, struct stream *s);

/* main of the process. */
int reader_main(uint32_t instance);
