/* reload.h - new settings while everything runs: as a whole, or not at all. One wish after the other; each goes through
 *
 *   READING   a child reads the file and compares (reread.h); everything else goes on
 *   STOPPING  all is right and bound; who is to go, or to start anew, is asked to end; everything else goes on with the old settings
 *   TELLING   the new ones are in force: the others have been sent them and say so; who is new is started. When nothing has changed they are sent the
 *             same once more: files that they name (certificates) may have
 *
 * and is answered at its end. Up to STOPPING nothing has changed, and nothing can go wrong after it. */
#pragma once
#include "proc/supervisor/doors.h"
#include "proc/supervisor/reread.h"

struct supervisor;
struct post;

enum { RELOAD_WISHES_MAX = 16, RELOAD_WHO_MAX = 100 };

struct reload_wish {
	struct post *asker;  /* NULL: SIGHUP */
	unsigned life;       /* of the asker: a later one did not ask */
	uint64_t id;
	bool dry;
	char who[RELOAD_WHO_MAX];
};

enum reload_state { RELOAD_IDLE, RELOAD_READING, RELOAD_STOPPING, RELOAD_TELLING };

struct reload {
	const struct config_reader *reader;
	const char *path;
	enum reload_state state;
	struct reload_wish wishes[RELOAD_WISHES_MAX]; /* the first is under way */
	size_t n;
	struct reread reread; /* beyond READING: killed, and not gone yet */
	struct timer patience;
	uint64_t number;     /* of the settings that were sent last */
	enum process_reloaded found; /* in TELLING: the answer */
	/* From STOPPING on. */
	struct plan plan;
	int settings;        /* -1: not ours any more */
	struct doors doors;
	struct out text;     /* of the answer */
};

void reload_init(struct supervisor *s, const struct config_reader *reader, const char *path);
void reload_fini(struct supervisor *s);

/* WIRE_RELOAD of the switch; SIGHUP. */
void reload_ask(struct post *asker, const struct wire_msg *m);
void reload_hup(struct supervisor *s, uint32_t uid, uint32_t pid);
/* WIRE_TAKEN. */
void reload_taken(struct post *p, const struct wire_msg *m);
/* A child has ended, or a process with a fate. */
void reload_reap(struct supervisor *s);
void reload_post_ended(struct post *p);
/* Something has ended, been given up or said its word: on, if that was waited for. */
void reload_go_on(struct supervisor *s);
/* We are ending: every wish is answered so. */
void reload_cancel(struct supervisor *s);
