/* demo_int.h - inside `posthorn demo`: the sites, and what its two files share. */
#pragma once
#include "proc/ctl/ctl_int.h"

#include <sys/types.h>

enum { DEMO_SITES = 3, DEMO_PATIENCE_S = 60, DEMO_USERS = 2 };

struct demo_site {
	const char *name, *city, *country, *mailbox, *address;
	const char *neighbours[3]; /* names, NULL-terminated */
	char config[300], directory[300];
	unsigned port, console; /* of its listener; of its page */
	pid_t pid;
	uint64_t seen;             /* last step shown */
};

/* Who may log in to the consoles: the same two at every site. */
struct demo_user {
	const char *name;
	char password[20], lines[400]; /* lines: of the settings */
};

struct demo {
	char root[200];
	struct demo_user users[DEMO_USERS];
	struct demo_site sites[DEMO_SITES]; /* London, Paris, Tokyo */
	bool delivered;            /* the good message, in Tokyo */
	unsigned in_tokyo;         /* messages delivered there */
	unsigned reports;          /* in London: the delivery of the one, the non-delivery of the other */
	unsigned to_depot;         /* handed over by London to the postoffice */
	char good_id[200], bad_id[200];
	char gate[240], depot[240]; /* directories of the postoffices: London's own, and the fourth site */
};

/* A command of ours with its output shown, or (line) its first line kept. Its exit status. */
int demo_command(const char *const *argv, char *line, size_t size);
/* The same with all that it says kept; `typed` is its standard input, NULL: ours. */
int demo_command_typed(const char *const *argv, const char *typed, char *said, size_t size);
bool demo_is_interrupted(void);
void demo_pause_ms(long ms);
/* Shows the steps of all three MTAs as they come, until is_over(d) or patience ends. False: not over. */
bool demo_watch(struct demo *d, bool (*is_over)(const struct demo *d));

/* --- demo_depot.c: the fourth site, a Microsoft Mail postoffice behind London --- */
bool demo_depot_make(struct demo *d);                          /* both postoffices; shows how */
/* What London's settings have of it: a link, a route, the movers. */
void demo_depot_link(FILE *f, const struct demo *d);
void demo_depot_route(FILE *f);
void demo_depot_movers(FILE *f, const struct demo *d);
bool demo_depot_play(struct demo *d);                          /* a message each way; false: not seen in time */

/* --- demo_console.c: each site's page --- */
bool demo_console_users(struct demo *d);                       /* makes up passwords; false: that cannot be done */
void demo_console_settings(FILE *f, const struct demo *d, const struct demo_site *s);
void demo_console_show(const struct demo *d);                  /* addresses, names and passwords */
