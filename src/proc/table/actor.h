/* actor.h - what every process gets from its world, real or simulated. */
#pragma once
#include "proc/table/events_table.h"
#include "sys/env.h"
#include "sys/process.h"

struct actor_host {
	struct env *env;
	struct event_log *log;
	/* The item being worked on, kept outside the process (last words); NULL in tests that do not look. */
	void (*note)(void *ctx, const char *text);
	/* This process cannot go on: end it, so that it is started anew from what is durable. */
	void (*die)(void *ctx, const struct err *why);
	/* Another process makes no progress with what it was given: have it ended, as a fault (process_accuse). NULL: only its
	 * channel is ended. */
	void (*accuse)(void *ctx, enum process_kind kind, uint32_t instance, const char *why);
	/* The settings are to be read again (process_reload); for the switch. NULL: nobody does. */
	void (*reload)(void *ctx, uint64_t id, bool dry, const char *who);
	void *ctx;
};

#define EMIT(host, kind, ...) event_emit((host)->log, EV_##kind, __VA_ARGS__, (const char *)NULL)
