/* sim_int.h - inside the simulation: the three MTAs, their users, what is expected of them. */
#pragma once
#include "flow/message/pack.h"
#include "flow/store/store.h"
#include "proc/content/content.h"
#include "proc/link/link.h"
#include "proc/switch/switch.h"
#include "proc/table/msgs.h"
#include "sim_disk.h"
#include "sys/chan.h"
#include "world.h"

enum { MTAS = 3, LINKS = 2, POSTS = LINKS + 2 /* and alone, and content */, STRIKES = 4, LETTERS = 40, TROUBLE_MS = 40 * 1000, LIMIT_MS = 4 * 3600 * 1000, LONG_CONTENT = 150 * 1024 };

struct mta;

/* One version of an MTA's settings; freed when the last process that uses it has taken another, so that the sanitizer sees who does not. */
struct version {
	struct arena *arena;
	struct settings settings;
	unsigned refs, number;
};

struct process {
	struct mta *mta;
	struct version *has;    /* link, alone, switch */
	enum process_kind kind;
	int index;              /* -1: switch */
	struct sim_process *sim;
	struct actor_host host;
	struct timer restart;   /* in the supervisor's env */
	struct link *link;      /* link, alone */
	struct content *content;
	char note[200];         /* its last words */
	bool by_fault;          /* how its last life ended */
};

/* What a letter does to whoever handles it. */
enum poison {
	POISON_NONE,
	POISON_DECODE,  /* kills the link of B that decodes it */
	POISON_ENCODE,  /* kills the link of its first MTA that encodes it */
	POISON_CONVERT, /* kills the content process of its first MTA */
	POISON_FAILS,   /* kills nobody: its conversion fails the same way each time */
	POISON_PLACE,   /* kills the switch that it is submitted to */
	POISON_KINDS,
};

struct letter {
	unsigned number, origin; /* MTA */
	bool to_b, to_c, to_nobody; /* recipients; c: the far end */
	size_t size;
	enum poison poison;
	bool sent, answered, accepted;
	char id[200];            /* local identifier */
	unsigned copies_b, copies_c, reports, tries;
};

struct user {
	struct sim *sim;
	struct mta *mta;
	struct chan *chan;
	struct letter *now;      /* waiting for its answer */
	struct letter *again;    /* poison for the switch: submitted until it is answered */
	size_t given;
	uint64_t credit;
	uint8_t *content;
};

struct mta {
	struct sim *sim;
	char name;
	unsigned index;
	struct arena *arena;
	struct version *version; /* what its processes are born with */
	unsigned names, interval; /* reload.c: how its settings are written */
	bool odd_password;
	struct store_disk *disk; /* one of them is NULL */
	struct sim_disk *sqlite;
	struct process sw, posts[POSTS];
	unsigned lives;          /* of its switch */
	unsigned faults;         /* deaths at random that count as faults: fewer than strikes */
	bool lost_report;        /* the switch was killed while it made one: it may have been given up */
	struct sw *s;
	bool disturbed; /* the disk, while the store was opened */
	unsigned next_link;
	struct user user;
};

/* What one run is. */
struct run {
	uint64_t seed;
	bool verbose, on_disk;
	int events;                /* descriptor to which all events go; 0: none do */
	enum plant { PLANT_NOTHING, PLANT_EARLY, PLANT_SYNCS } plant;
	bool reloads;              /* settings change at random, too */
	struct recovery *recovery; /* NULL: trouble at random */
};

struct sim {
	struct run run;
	struct world *w;
	struct sim_process *god; /* supervisor and users: never killed */
	struct mta mta[MTAS];
	struct letter letters[LETTERS];
	struct timer trouble, submit, reload;
	unsigned reloads;
	size_t n_letters, next_letter;
	bool poisoned;
	unsigned kills, cuts, poison_deaths;
	size_t quarantined, octets; /* at the end */
	char failure[300];
};

/* sim.c */
void sim_fail(struct sim *m, const char *fmt, ...) PRINTF_LIKE(2, 3);
extern const char *const sim_countries[MTAS];

/* mta.c: its processes, how they are born, joined, and die. */
void mta_begin(struct sim *m, unsigned index);
void mta_end(struct mta *t);

void mta_new_version(struct mta *t);            /* by its names, interval and password of now */
void mta_take_version(struct process *p, struct version *v); /* takes a reference, lets the old one go; in the process when it lives */
bool mta_uses_settings(const struct process *p); /* alive, of a kind that takes settings */

/* reload.c: other settings at random times, each process hears of them when it does. */
void reload_begin(struct sim *m);
bool reload_is_over(const struct sim *m);

/* sim.c: true when all went well. */
bool sim_run_one(const struct run *run, uint64_t *fingerprint_r, char *failure, size_t size);

/* recovery.c: the line breaks when a row of a protocol table has acted. */
void recovery_settings(const struct recovery *r, unsigned mta, struct out *o); /* of each of its links */
void recovery_begin(struct sim *m);
bool recovery_is_over(struct sim *m); /* with quiet for a while */
void recovery_end(struct sim *m);
int recovery_main(const char *only, bool verbose);

/* user.c */
bool user_connect(struct user *u);
void user_submit(struct user *u, struct letter *l);

/* judge.c: what lies in the stores at the end. */
void sim_judge(struct sim *m);
