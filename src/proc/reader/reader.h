/* reader.h - the reader process: answers lists and traces from the store on a read-only connection, each bounded in
 * time, so that no question, however large, costs the switch a moment. It may die at any time. */
#pragma once
#include "proc/table/actor.h"

struct reader;

/* store: path of the database, which need not exist yet. */
struct reader *reader_new(const struct actor_host *host, const char *store);
void reader_free(struct reader **r);
/* A connection of the command line. */
void reader_accepted(struct reader *r, struct stream *s);

/* main of the process. */
int reader_main(uint32_t instance);
