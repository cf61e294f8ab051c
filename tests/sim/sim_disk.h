/* sim_disk.h - one MTA's disk in the simulated world, with SQLite on it: a switch that dies may take the power with it, and the disk
 * fails, fills and is slow. The memory store (sim.c's other choice) keeps exactly what was committed; this one keeps what SQLite
 * makes of what the disk kept. */
#pragma once
#include "flow/store/store.h"
#include "world.h"

struct sim_disk;
/* name: of the MTA, one letter. */
struct sim_disk *sim_disk_new(char name, uint64_t seed);
void sim_disk_free(struct sim_disk **sd);

/* The env's files are this disk's, while it runs. */
void sim_disk_mount(struct sim_disk *sd, struct env *env);
/* NULL with *e. *disturbed_r: by what was done to the disk; the process may try again. */
struct store *sim_disk_open(struct sim_disk *sd, struct env *env, const struct store_events *ev, void *ctx, bool *disturbed_r,
			    struct err *e);
/* The store was closed by its owner. */
void sim_disk_closed(struct sim_disk *sd);
/* The process that had it open is dead, and its store with it. True: the power of the whole machine is gone. */
bool sim_disk_crashed(struct sim_disk *sd, bool cut);

/* Something of what can happen to a disk, soon. */
void sim_disk_trouble(struct sim_disk *sd, struct world *w);
void sim_disk_heal(struct sim_disk *sd);
/* Planted: syncs that do nothing, every so many. */
void sim_disk_drop_syncs(struct sim_disk *sd, uint64_t every);

/* At the end, when no process runs: one may not have noticed that the disk had died. */
void sim_disk_end(struct sim_disk *sd);
/* The deliveries' ids; and what the checker finds (false, with a sentence). */
uint64_t sim_disk_deliveries(const struct sim_disk *sd, void (*each)(void *ctx, uint64_t id), void *ctx);
bool sim_disk_check(struct sim_disk *sd, struct env *env, char *why, size_t size);
struct sim_disk_figures {
	uint64_t calls, deaths, cuts, faults;
};
struct sim_disk_figures sim_disk_figures(const struct sim_disk *sd);
