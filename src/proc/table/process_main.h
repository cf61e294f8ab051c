/* process_main.h - what the main functions of all child processes have in common. */
#pragma once
#include "proc/table/actor.h"
#include "proc/table/settings_table.h"
#include "sys/process.h"

struct process_main {
	struct process *process;
	struct arena *arena;       /* of the settings */
	struct settings settings;
	struct actor_host host;
};

/* Connects to the supervisor, reads the settings, opens the event log; ends the process when that cannot be done. */
void process_main_begin(struct process_main *m, enum process_kind kind, uint32_t instance);
/* Tells that it is ready, runs, returns the status for exit. */
int process_main_run(struct process_main *m, const struct process_events *events, void *ctx);
void process_main_end(struct process_main *m);
