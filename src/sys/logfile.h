/* logfile.h - a file of lines that somebody else may move away and that is put aside when it is long enough: FILE becomes FILE.1, FILE.1 becomes
 * FILE.2, and so on. Calls block as a disk does: not for who switches mail. Each line is in exactly one of the files, whenever the process or the
 * system dies in between: a name is given only when the one before it has gone. */
#pragma once
#include "base/err.h"
#include "base/view.h"

struct logfile;

/* Nothing is opened yet. size: no file grows over it, but by one write that is longer than it alone. keep: how many are kept beside it. */
struct logfile *logfile_new(const char *path, uint64_t size, unsigned keep);
void logfile_free(struct logfile **f);

/* Appends whole lines: all of them, or none (ERR_LOCAL, ERR_TEMP: no room). What is not there is made; what is not the file of that name any more is
 * let go. A last line without an end, as a system that went down leaves it, is ended first. */
MUST_CHECK bool logfile_write(struct logfile *f, struct view lines, int64_t now_ms, struct err *e);

/* Since the last call of it: was the file put aside; or why could it not (tried again a minute later; it grows meanwhile). */
bool logfile_take_rotated(struct logfile *f);
bool logfile_take_not_rotated(struct logfile *f, struct err *why_r);
