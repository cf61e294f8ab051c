/* processes.h - what the supervisor has on its board (board.h) as rows: the answer to ASK_PROCESSES, of the reader, and of the recorder when it is
 * the reader that does not answer. */
#pragma once
#include "base/err.h"
#include "sys/board.h"

/* each(ctx, row) for every process, or for those of one kind ("switch"; empty: all). board NULL: we were given none. False: nothing is known. */
MUST_CHECK bool processes_rows(const struct board *board, struct view kind, void (*each)(void *ctx, struct view row), void *ctx, struct err *e);
