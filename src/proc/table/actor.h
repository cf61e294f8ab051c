/* actor.h - what every process gets from its world, real or simulated. */
#pragma once
#include "proc/table/events_table.h"
#include "sys/env.h"

struct actor_host {
	struct env *env;
	struct event_log *log;
	/* The item being worked on, kept outside the process (last words); NULL in tests that do not look. */
	void (*note)(void *ctx, const char *text);
	/* This process cannot go on: end it, so that it is started anew from what is durable. */
	void (*die)(void *ctx, const struct err *why);
	void *ctx;
};

#define EMIT(host, kind, ...) event_emit((host)->log, EV_##kind, __VA_ARGS__, (const char *)NULL)
