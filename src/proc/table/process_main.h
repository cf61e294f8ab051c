/* process_main.h - what the main functions of all child processes have in common. */
#pragma once
#include "proc/table/actor.h"
#include "proc/table/settings_table.h"
#include "sys/process.h"

struct process_main {
	struct process *process;
	struct arena *arena;       /* of the settings */
	const struct settings *settings; /* another one after each reload: process_main_settings */
	struct actor_host host;
};

/* Connects to the supervisor, reads the settings, opens the event log; ends the process when that cannot be done. */
void process_main_begin(struct process_main *m, enum process_kind kind, uint32_t instance);
/* Tells that it is ready, runs, returns the status for exit. */
int process_main_run(struct process_main *m, const struct process_events *events, void *ctx);
/* For process_events.settings: reads the new settings into an arena of their own, sets m->settings, form and levels of the event log, and
 * calls take, which has to let go of everything that points into the old ones (all pieces: the struct, its strings and lists); both are good
 * during the call, the old ones are freed after it. take NULL: nobody has kept any. */
void process_main_settings(struct process_main *m, void (*take)(void *ctx, const struct settings *old, const struct settings *now), void *ctx);
/* The same for a process that is started anew when what it reads of the settings changes (its key in the plan): only the event log's. */
void process_main_levels(struct process_main *m);
void process_main_end(struct process_main *m);
