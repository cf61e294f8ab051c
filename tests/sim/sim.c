/* sim.c - three MTAs in the simulated world: A - B - C, B relays. Users at A and C submit; connections are cut and stalled,
 * processes are killed. Then the world heals, and every message that was acknowledged must lie in its mailbox exactly once,
 * every one that was not at most once, and every unknown recipient must have brought one report.
 * In two of three seeds some letters are poison: they kill whatever decodes, encodes, converts or places them, or fail the same way each
 * time, and some of the random deaths count as faults. Poison must end in quarantine (or be refused to its user), be reported
 * where somebody can be told, and cost a bounded number of deaths; the others must arrive as ever.
 *
 *   sim --seeds N [--from SEED]     many seeds; each failing one prints the command that replays it
 *   sim --seed SEED [-v]            one
 *   sim --reload                    and the settings of each MTA change at random (reload.c)
 *   sim --disk                      every seed with SQLite on simulated disks (else each fifth; the others with the memory store)
 *   sim --recovery [VARIANT[/ROW[/N]]]  the line breaks at each row of the protocol tables (recovery.c)
 *   sim --plant                     with an acknowledgement before the commit: must be found
 *   sim --plant-disk                with disks whose syncs now and then do nothing: must be found */
#include "sim_int.h"

#include "base/fault.h"
#include "base/mem.h"

#include <fcntl.h>
#include <getopt.h>
#include <unistd.h>

const char *const sim_countries[MTAS] = { "GB", "FR", "JP" };

void sim_fail(struct sim *m, const char *fmt, ...)
{
	va_list args;
	if (m->failure[0] != 0)
		return;
	va_start(args, fmt);
	vsnprintf(m->failure, sizeof m->failure, fmt, args);
	va_end(args);
}

/* --- the scenario --- */

/* Whoever was not answered because the switch died of it tries again. */
static bool submit_again(struct sim *m)
{
	bool waits = false;
	for (unsigned i = 0; i < MTAS; i++) {
		struct user *u = &m->mta[i].user;
		waits = waits || u->again != NULL || (u->now != NULL && u->now->poison == POISON_PLACE);
		if (u->again == NULL || u->now != NULL || !user_connect(u))
			continue;
		struct letter *l = u->again;
		u->again = NULL;
		user_submit(u, l);
	}
	return waits;
}

static void on_submit(void *ctx)
{
	struct sim *m = ctx;
	if (submit_again(m) && m->next_letter == m->n_letters)
		timer_after(&m->submit, 1000);
	if (m->next_letter == m->n_letters)
		return;
	struct letter *l = &m->letters[m->next_letter];
	struct user *u = &m->mta[l->origin].user;
	timer_after(&m->submit, 1 + (int64_t)world_random(m->w, m->run.recovery != NULL ? 200 : TROUBLE_MS / LETTERS * 2));
	if (u->now != NULL || u->again != NULL || !user_connect(u))
		return;
	m->next_letter++;
	user_submit(u, l);
}

static struct process *any_process(struct sim *m)
{
	struct mta *t = &m->mta[world_random(m->w, MTAS)];
	uint64_t i = world_random(m->w, POSTS + 1);
	return i == POSTS ? &t->sw : &t->posts[i];
}

static void on_trouble(void *ctx)
{
	struct sim *m = ctx;
	if (world_now_ms(m->w) > TROUBLE_MS) {
		world_slow(m->w, 5);
		for (int i = 0; i < MTAS && m->run.on_disk; i++)
			sim_disk_heal(m->mta[i].sqlite);
		return;
	}
	if (m->run.on_disk)
		sim_disk_trouble(m->mta[world_random(m->w, MTAS)].sqlite, m->w);
	timer_after(&m->trouble, 100 + (int64_t)world_random(m->w, 4000));
	struct process *p = any_process(m);
	switch (world_random(m->w, 6)) {
	case 0:
	case 1:
		m->cuts += world_cut(m->w);
		break;
	case 2: world_stall(m->w, (int64_t)world_random(m->w, 60000)); break;
	case 3: world_slow(m->w, 1 + (int64_t)world_random(m->w, 300)); break;
	default:
		if (sim_is_alive(p->sim))
			sim_kill_in(p->sim, 1 + world_random(m->w, 200));
	}
}

static void make_letters(struct sim *m)
{
	m->n_letters = m->run.recovery != NULL ? 12 : LETTERS;
	for (unsigned i = 0; i < m->n_letters; i++) {
		struct letter *l = &m->letters[i];
		*l = (struct letter){ .number = i + 1, .origin = world_random(m->w, 2) == 0 ? 0 : 2 };
		l->to_c = world_random(m->w, 8) != 0;
		l->to_b = !l->to_c || world_random(m->w, 3) == 0;
		l->to_nobody = world_random(m->w, 4) == 0;
		if (m->poisoned && world_random(m->w, 8) == 0)
			l->poison = (enum poison)(1 + world_random(m->w, POISON_KINDS - 1));
		l->size = world_random(m->w, 8) == 0 ? LONG_CONTENT : 20 + (size_t)world_random(m->w, 3000);
		if (m->run.recovery != NULL) /* every fourth one is long, of each user */
			l->size = i % 4 == 0 ? 9000 + i : 20 + i;
		if (m->run.recovery != NULL)
			l->origin = i / 4 % 2 == 0 ? 0 : 2;
	}
}

static bool is_quiet(struct sim *m)
{
	for (unsigned i = 0; i < MTAS; i++)
		if (m->mta[i].user.now != NULL || m->mta[i].user.again != NULL)
			return false;
	if (m->next_letter < m->n_letters || (m->run.reloads && !reload_is_over(m)))
		return false;
	for (unsigned i = 0; i < MTAS; i++) {
		struct store_counts c;
		if (m->mta[i].s == NULL)
			return false;
		switch_count(m->mta[i].s, &c);
		if (c.transfers > 0)
			return false;
	}
	return true;
}

/* --- one run --- */

static void on_god_killed(void *ctx)
{
	(void)ctx;
}

static struct sim_disk_figures figures; /* of all runs */

static void add_figures(const struct sim_disk *sd)
{
	const struct sim_disk_figures f = sim_disk_figures(sd);
	figures.calls += f.calls;
	figures.deaths += f.deaths;
	figures.cuts += f.cuts;
	figures.faults += f.faults;
}

bool sim_run_one(const struct run *run, uint64_t *fingerprint_r, char *failure, size_t size)
{
	struct sim *m = mem_zero(sizeof *m);
	struct err e;
	m->run = *run;
	m->poisoned = run->plant == PLANT_NOTHING && run->recovery == NULL && !run->reloads && run->seed % 3 != 0;
	m->w = world_new(run->seed);
	m->god = world_process(m->w, "god", on_god_killed, m);
	const char *poison = "LINK_DECODE:@PoisonD:kill,LINK_ENCODE:@PoisonE:kill,CONTENT_CONVERT:@PoisonC:kill,SWITCH_PLACE:@PoisonP:kill";
	if (!fault_plan(run->plant == PLANT_EARLY ? "SWITCH_ANSWER_EARLY:1:stick" : m->poisoned ? poison : NULL, &e))
		CANT_HAPPEN("the fault plan of the simulation is wrong");
	for (unsigned i = 0; i < MTAS; i++)
		mta_begin(m, i);
	make_letters(m);
	timer_init(&m->trouble, sim_env(m->god), on_trouble, m);
	timer_init(&m->submit, sim_env(m->god), on_submit, m);
	timer_after(&m->submit, 500);
	if (run->recovery != NULL)
		recovery_begin(m);
	else
		timer_after(&m->trouble, 3000);
	if (run->reloads)
		reload_begin(m);
	for (int64_t until = 1000, quiet = 0; m->failure[0] == 0; until += 1000) {
		while (m->failure[0] == 0 && world_step(m->w, until))
			;
		quiet = (until > TROUBLE_MS || run->recovery != NULL) && is_quiet(m) ? quiet + 1 : 0;
		if (run->recovery != NULL ? quiet > 0 && recovery_is_over(m) : quiet > (m->poisoned ? 60 : 0)) /* octets may wait to be examined, and become messages */
			break;
		if (until > LIMIT_MS)
			sim_fail(m, "not over after %d s", LIMIT_MS / 1000);
	}
	if (run->recovery != NULL)
		recovery_end(m);
	*fingerprint_r = world_fingerprint(m->w);
	for (unsigned i = 0; i < MTAS && run->on_disk; i++)
		*fingerprint_r = *fingerprint_r * 31 + sim_disk_figures(m->mta[i].sqlite).calls;
	for (unsigned i = 0; i < MTAS; i++)
		mta_end(&m->mta[i]);
	for (unsigned i = 0; i < MTAS && run->on_disk; i++) {
		sim_disk_end(m->mta[i].sqlite);
		add_figures(m->mta[i].sqlite);
	}
	if (m->failure[0] == 0)
		sim_judge(m);
	if (run->verbose)
		printf("%u kills, %u deaths of poison, %u cuts, over at %lld ms\n", m->kills, m->poison_deaths, m->cuts, (long long)world_now_ms(m->w));
	for (unsigned i = 0; i < MTAS; i++) {
		store_disk_free(&m->mta[i].disk);
		sim_disk_free(&m->mta[i].sqlite);
		arena_free(&m->mta[i].arena);
		free(m->mta[i].user.content);
	}
	world_free(&m->w);
	bool good = m->failure[0] == 0;
	snprintf(failure, size, "%s", m->failure);
	free(m);
	return good;
}

/* With a planted fault some seed must lose a message: else the simulation sees nothing. */
static int find_plant(const char *self, enum plant plant)
{
	char failure[300];
	uint64_t fingerprint;
	for (uint64_t seed = 1; seed <= 200; seed++)
		if (!sim_run_one(&(struct run){ .seed = seed, .on_disk = plant == PLANT_SYNCS, .plant = plant }, &fingerprint, failure, sizeof failure)) {
			printf("planted fault found with seed %llu: %s\nreplay: %s %s --seed %llu\n", (unsigned long long)seed, failure, self,
			       plant == PLANT_SYNCS ? "--plant-disk" : "--plant", (unsigned long long)seed);
			return 0;
		}
	printf("the planted fault was not found in 200 seeds\n");
	return 1;
}

enum { DISK_EVERY = 5, TWICE_EVERY = 40 };

/* The same run with all that it has to say, as its replay will be. */
static bool is_replayed(const struct run *run, uint64_t fingerprint, char *failure, size_t size)
{
	struct run loud = *run;
	uint64_t two;
	loud.events = open("/dev/null", O_WRONLY | O_CLOEXEC);
	const bool good = sim_run_one(&loud, &two, failure, size);
	close(loud.events);
	return good && fingerprint == two;
}

static int run_many(const char *self, uint64_t from, uint64_t n, bool all_on_disk, bool reloads)
{
	uint64_t failed = 0;
	char failure[300];
	for (uint64_t seed = from; seed < from + n; seed++) {
		uint64_t one;
		const bool on_disk = all_on_disk || seed % DISK_EVERY == 0;
		const struct run run = { .seed = seed, .on_disk = on_disk, .reloads = reloads };
		bool good = sim_run_one(&run, &one, failure, sizeof failure);
		if (good && seed % TWICE_EVERY == 0 && !is_replayed(&run, one, failure, sizeof failure)) {
			good = false;
			snprintf(failure, sizeof failure, "two runs of the seed differ");
		}
		if (!good) {
			failed++;
			printf("seed %llu: %s\nreplay: %s --seed %llu%s%s -v\n", (unsigned long long)seed, failure, self, (unsigned long long)seed,
			       on_disk ? " --disk" : "", reloads ? " --reload" : "");
		}
	}
	printf("on disks: %llu switches died, %llu of them with the power, %llu failures of a disk, %llu calls of one\n",
	       (unsigned long long)figures.deaths, (unsigned long long)figures.cuts, (unsigned long long)figures.faults,
	       (unsigned long long)figures.calls);
	printf("%llu passed, %llu failed\n", (unsigned long long)(n - failed), (unsigned long long)failed);
	return failed > 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "seeds", 1, NULL, 'n' }, { "from", 1, NULL, 'f' }, { "seed", 1, NULL, 's' }, { "disk", 0, NULL, 'd' }, { "reload", 0, NULL, 'l' },
						 { "plant", 0, NULL, 'p' }, { "plant-disk", 0, NULL, 'q' }, { "recovery", 2, NULL, 'r' }, { 0 } };
	uint64_t n = 20, from = 1, seed = 0, fingerprint;
	bool verbose = false, on_disk = false, recovery = false, reloads = false;
	const char *only = NULL;
	enum plant plant = PLANT_NOTHING;
	char failure[300];
	for (int o; (o = getopt_long(argc, argv, "v", options, NULL)) != -1;)
		switch (o) {
		case 'n': n = strtoull(optarg, NULL, 10); break;
		case 'f': from = strtoull(optarg, NULL, 10); break;
		case 's': seed = strtoull(optarg, NULL, 10); break;
		case 'd': on_disk = true; break;
		case 'l': reloads = true; break;
		case 'p': plant = PLANT_EARLY; break;
		case 'q': plant = PLANT_SYNCS; break;
		case 'r': recovery = true, only = optarg; break;
		case 'v': verbose = true; break;
		default: return 64;
		}
	if (verbose)
		setvbuf(stdout, NULL, _IOLBF, 0); /* in order with the events */
	if (recovery)
		return recovery_main(only, verbose);
	if (seed == 0)
		return plant != PLANT_NOTHING ? find_plant(argv[0], plant) : run_many(argv[0], from, n, on_disk, reloads);
	const struct run run = { .seed = seed, .verbose = verbose, .events = verbose ? STDERR_FILENO : 0, .on_disk = on_disk || plant == PLANT_SYNCS, .reloads = reloads, .plant = plant };
	bool good = sim_run_one(&run, &fingerprint, failure, sizeof failure);
	printf("seed %llu: %s (fingerprint %016llx)\n", (unsigned long long)seed, good ? "good" : failure, (unsigned long long)fingerprint);
	return !good;
}
