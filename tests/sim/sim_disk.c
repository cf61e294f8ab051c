/* sim_disk.c - see sim_disk.h. */
#include "sim_disk.h"

#include "base/mem.h"
#include "flow/store/check.h"
#include "flow/store/disk_testing.h"

#include <sqlite3.h>

struct sim_disk {
	char directory[32];
	struct disk *d;
	struct store *store; /* NULL: closed */
	uint64_t deaths, cuts, faults_seen;
};

struct sim_disk *sim_disk_new(char name, uint64_t seed)
{
	struct sim_disk *sd = mem_zero(sizeof *sd);
	snprintf(sd->directory, sizeof sd->directory, "/sim-%c", name);
	sd->d = disk_new(sd->directory, seed * 3 + (uint64_t)(unsigned char)name);
	return sd;
}

void sim_disk_free(struct sim_disk **sd)
{
	if (*sd == NULL)
		return;
	store_close(&(*sd)->store);
	disk_free(&(*sd)->d);
	MEM_FREE(*sd);
}

void sim_disk_mount(struct sim_disk *sd, struct env *env)
{
	env->directory = sd->directory;
}

struct store *sim_disk_open(struct sim_disk *sd, struct env *env, const struct store_events *ev, void *ctx, bool *disturbed_r,
			    struct err *e)
{
	const struct store_config c = { .path = "store.db", .inline_max = 64 * 1024, .cache_octets = 1 << 20 };
	sim_disk_mount(sd, env);
	sd->store = store_open_sqlite(env, &c, ev, ctx, e);
	*disturbed_r = disk_is_dead(sd->d) || disk_faults(sd->d) > sd->faults_seen;
	return sd->store;
}

void sim_disk_closed(struct sim_disk *sd)
{
	sd->store = NULL;
}

bool sim_disk_crashed(struct sim_disk *sd, bool cut)
{
	const bool had_power = !disk_is_dead(sd->d);
	if (had_power)
		disk_die(sd->d, cut ? DISK_CUT_BEFORE : DISK_KILLED);
	const bool lost = disk_death_of(sd->d) != DISK_KILLED;
	store_close(&sd->store); /* its memory; the disk hears nothing of it */
	disk_restart(sd->d);
	sd->faults_seen = disk_faults(sd->d);
	sd->deaths++;
	sd->cuts += lost;
	return lost;
}

void sim_disk_trouble(struct sim_disk *sd, struct world *w)
{
	static const enum disk_death ways[] = { DISK_CUT_BEFORE, DISK_CUT_AFTER, DISK_KILLED };
	disk_set_room(sd->d, UINT64_MAX);
	disk_set_slow(sd->d, 0);
	if (disk_is_dead(sd->d))
		return;
	const enum disk_death how = ways[world_random(w, ARRAY_LEN(ways))];
	switch (world_random(w, 6)) {
	case 0: disk_die_at(sd->d, DISK_CALL_KINDS, 1 + world_random(w, 200), how); break;
	case 1: disk_die_at(sd->d, DISK_SYNC, 1 + world_random(w, 6), how); break;
	case 2: disk_fail_at(sd->d, DISK_SYNC, 1 + world_random(w, 6), DISK_EIO); break;
	case 3: disk_fail_at(sd->d, DISK_WRITE, 1 + world_random(w, 60), DISK_SHORT); break;
	case 4: disk_set_room(sd->d, world_random(w, 200000)); break;
	default: disk_set_slow(sd->d, 1 + (int64_t)world_random(w, 3000)); break;
	}
}

void sim_disk_heal(struct sim_disk *sd)
{
	disk_set_room(sd->d, UINT64_MAX);
	disk_set_slow(sd->d, 0);
	disk_die_at(sd->d, DISK_CALL_KINDS, 0, DISK_KILLED);
	for (int kind = 0; kind < DISK_CALL_KINDS; kind++)
		disk_fail_at(sd->d, (enum disk_call)kind, 0, DISK_EIO);
}

void sim_disk_drop_syncs(struct sim_disk *sd, uint64_t every)
{
	disk_drop_syncs(sd->d, every);
}

void sim_disk_end(struct sim_disk *sd)
{
	sim_disk_heal(sd);
	if (disk_is_dead(sd->d))
		disk_restart(sd->d);
}

uint64_t sim_disk_deliveries(const struct sim_disk *sd, void (*each)(void *ctx, uint64_t id), void *ctx)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	char path[64];
	uint64_t n = 0;
	snprintf(path, sizeof path, "%s/store.db", sd->directory);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, "select id from delivery", -1, &st, NULL) != SQLITE_OK)
		CANT_HAPPEN("a store that has just been opened cannot be read");
	for (; sqlite3_step(st) == SQLITE_ROW; n++)
		each(ctx, (uint64_t)sqlite3_column_int64(st, 0));
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

struct findings {
	char *why;
	size_t size;
};

static void on_found(void *ctx, const char *sentence)
{
	const struct findings *f = ctx;
	snprintf(f->why, f->size, "%s", sentence);
}

bool sim_disk_check(struct sim_disk *sd, struct env *env, char *why, size_t size)
{
	struct findings f = { why, size };
	struct store_check_result result;
	struct err e;
	sim_disk_mount(sd, env);
	if (!store_check(env, "store.db", on_found, &f, &result, &e)) {
		snprintf(why, size, "%s", e.text);
		return false;
	}
	return result.found == 0;
}

struct sim_disk_figures sim_disk_figures(const struct sim_disk *sd)
{
	return (struct sim_disk_figures){ disk_calls_all(sd->d), sd->deaths, sd->cuts, disk_faults(sd->d) };
}
