/* world.h - the simulated world: many processes in one, a clock that jumps, a network that delays, cuts and stalls,
 * processes that are killed before any call of their env. All from one seed: the same seed, the same run. */
#pragma once
#include "sys/env.h"

#include <setjmp.h>

struct world;
struct sim_process;

struct world *world_new(uint64_t seed);
void world_free(struct world **w);

int64_t world_now_ms(const struct world *w);
/* Numbers for the scenario, apart from those that processes draw. */
uint64_t world_random(struct world *w, uint64_t below);

/* A process: its env, and what is told when it is killed. Its memory is abandoned then, as the kernel would take it. */
struct sim_process *world_process(struct world *w, const char *name, void (*killed)(void *ctx), void *ctx);
struct env *sim_env(struct sim_process *p);
/* The same time, but its calls are none of the process's: nothing is killed before one, no timer of it fires. For what must not change the run. */
struct env *sim_observer(struct sim_process *p);
bool sim_was_fault(const struct sim_process *p); /* it was killed by a fault point, not by sim_kill_in or sim_die */
bool sim_is_alive(const struct sim_process *p);
/* Runs f(ctx) as the process, so that it can be killed on the way. */
void sim_run(struct sim_process *p, void (*f)(void *ctx), void *ctx);
/* Before the n-th call of its env from now. */
void sim_kill_in(struct sim_process *p, uint64_t n);
/* At the end of what it does now: the process cannot go on. */
void sim_die(struct sim_process *p);

/* Two ends of a channel between processes. */
void world_pair(struct world *w, struct sim_process *a, struct sim_process *b, struct stream **a_r, struct stream **b_r);
/* Connections to addr wait until some process takes them: owner_of gives the one that is there now (NULL: none), accepted is run as it. */
void world_listen(struct world *w, const char *addr, struct sim_process *(*owner_of)(void *ctx), accept_f *accepted, void *ctx);

/* Trouble. Each picks a network connection at random; false when there is none. */
bool world_cut(struct world *w);
bool world_stall(struct world *w, int64_t ms);   /* nothing moves on it for so long */
void world_slow(struct world *w, int64_t ms);    /* latency of the network from now on */
/* Every connection is cut, and none can be made (the caller hears at once) until world_up. May be called by a process in its turn. */
void world_down(struct world *w);
void world_up(struct world *w);
/* When a process whose name begins with that letter first connected to somewhere, at `since` or later; -1: not yet. */
int64_t world_first_connect(const struct world *w, char initial, int64_t since_ms);
void world_change_network(struct world *w);      /* every process that watches it is told */
size_t world_connections(const struct world *w);

/* One step: the clock jumps to the next thing that is due, at most to `until`; all that is due is done. False: nothing is due before. */
bool world_step(struct world *w, int64_t until_ms);
/* Steps, calls and octets so far, for the record of a run: two runs of a seed agree in it. */
uint64_t world_fingerprint(const struct world *w);
