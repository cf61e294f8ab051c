/* journal.h - what an interchange has to remember beyond its life: lines of text, appended to FOLDER/NAME.N in the store's directory.
 * Each line has its checksum, so that one that a crash has cut, or that is damaged, is passed over and nothing else is. Opening reads all
 * generations, writes what is to be kept into the next one, and removes the old ones when that is on disk; so every start compacts.
 * A backup copies generations while this goes on (flow/store/beside.h): what goes from one must be on disk in the next before. */
#pragma once
#include "sys/env.h"

struct journal;

/* A line that was read, without its checksum; `at` is where it will stand in the new generation. True: keep it there. */
typedef bool journal_line_f(void *ctx, struct view line, uint64_t at);

enum { JOURNAL_LINE_MAX = 64 * 1024 * 1024 };

/* damaged_r: lines that were passed over (the torn last one too). Fails ERR_LOCAL, process, or ERR_TEMP without room. */
MUST_CHECK bool journal_open(struct env *env, const char *folder, const char *name, journal_line_f *each, void *ctx, struct journal **j_r,
			     unsigned *damaged_r, struct err *e);
/* With a sync under way it is closed when that has ended; done is not called any more. */
void journal_close(struct journal **j);

/* No line end in it. Not durable before journal_sync has said so. *at_r may be NULL. */
MUST_CHECK bool journal_append(struct journal *j, struct view line, uint64_t *at_r, struct err *e);
/* done(ctx, NULL): all that was appended before is on disk; the first one that succeeds removes older generations. */
void journal_sync(struct journal *j, file_done_f *done, void *ctx);
/* The line that stands at `at`, appended to *line. */
MUST_CHECK bool journal_read(struct journal *j, uint64_t at, struct out *line, struct err *e);
/* A write or sync has failed: nothing can be appended any more; open it anew. */
bool journal_is_broken(const struct journal *j);
uint64_t journal_size(const struct journal *j);
