/* lines.h - event lines of all processes on their way: to our standard error, and copied into the pipe that the recorder reads. Never
 * waits: what the pipe has no room for is counted, and told when there is room again. Parses nothing: what a line is, its first octet says, and whose it is, a fixed
 * place in it (event_is_of). */
#pragma once
#include "base/view.h"

struct lines {
	int in, out;      /* the pipe's end to write, -1: closed; the end to read, kept so that what is in it outlives a recorder. Both -1: no recorder */
	bool quiet;       /* events do not go to standard error */
	uint64_t lost;    /* copies that had no room, not yet told */
};

/* Both are fine without the other; open fails silently: then there are no copies. */
void lines_open(struct lines *l);
void lines_close(struct lines *l);
/* No more copies: who reads the pipe comes to its end. */
void lines_end(struct lines *l);

/* One line with its end. EVENT_RECORD before it: for the recorder alone; else to standard error, and when it begins as JSON does,
 * to the recorder too. Not recorded: no event of who said it, or from a process whose lines the recorder has by itself. */
void lines_pass(struct lines *l, struct view line, bool recorded);
/* A line of JSON of our own. False: no room. */
bool lines_copy(struct lines *l, struct view line);
/* How many were lost, once there is room again; then it begins at 0. */
uint64_t lines_take_lost(struct lines *l);
