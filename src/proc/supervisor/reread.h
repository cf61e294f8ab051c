/* reread.h - reading the settings once more while everything runs: a child does it, as at the start, and nobody waits for it. What it has found
 * is looked at when it is dead: a child that hangs or crashes is an answer like another. */
#pragma once
#include "proc/supervisor/start.h"

enum { REREAD_TEXT_MAX = 960 * 1024 /* RELOADED holds it */ };

struct reread {
	pid_t pid;                 /* 0: none */
	int answer, settings, text; /* memory files that it writes */
};

void reread_init(struct reread *r);
/* Ends the child, if there is one, and closes all. */
void reread_fini(struct reread *r);

/* Forks. in_force: the canonical text of the settings that are. False: the system has no room. */
MUST_CHECK bool reread_begin(struct reread *r, const struct config_reader *reader, const char *path, int in_force, struct err *e);

/* The child has ended in that way (waitpid). RELOADED: the plan is filled in, *settings_r is a sealed memory file, the text says what differs.
 * Else the text says why not (SAME: it is empty). Never DRY. text_r is the caller's to init and fini. */
enum process_reloaded reread_end(struct reread *r, int how, struct plan *plan_r, int *settings_r, struct out *text_r);
