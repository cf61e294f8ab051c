/* demo_depot.c - the fourth site of the demo: Depot, a Microsoft Mail postoffice. London has a postoffice of its own, Gate, which its link of
 * kind msmail serves; London's movers carry the mail between the two. To Depot's users everybody beyond is a user of GATE/LONDON. */
#include "proc/ctl/demo_int.h"

#include <time.h>

#define OTTO "S=OTTO; O=Depot; P=LONDON; A=POSTHORN; C=GB"
#define HANAKO "G=Hanako; S=Sato; O=Office; P=TOKYO; A=POSTHORN; C=JP"

static bool run(const char *const *argv)
{
	fputs("$", stdout);
	for (size_t i = 0; argv[i] != NULL; i++)
		printf(strpbrk(argv[i], " ;") == NULL ? " %s" : " \"%s\"", argv[i]);
	putchar('\n');
	return demo_command(argv, NULL, 0) == 0;
}
#define RUN(...) run((const char *const[]){ "posthorn", __VA_ARGS__, NULL })

bool demo_depot_make(struct demo *d)
{
	snprintf(d->gate, sizeof d->gate, "%s/gate", d->root);
	snprintf(d->depot, sizeof d->depot, "%s/depot", d->root);
	puts("A fourth site, Depot, is a Microsoft Mail postoffice. London has one too, and knows Depot by it:");
	return RUN("postoffice", "create", d->depot, "--name", "OFFICE/DEPOT") &&
	       RUN("postoffice", "user", "add", d->depot, "OTTO", "--friendly", "Otto Oster") &&
	       RUN("postoffice", "external", "add", d->depot, "GATE/LONDON") &&
	       RUN("postoffice", "create", d->gate, "--name", "GATE/LONDON") &&
	       RUN("postoffice", "external", "add", d->gate, "OFFICE/DEPOT");
}

void demo_depot_link(FILE *f, const struct demo *d)
{
	fprintf(f, "  - name: depot\n    kind: msmail\n    open-interval: 1 s\n    transfer-interval: 1 s\n    msmail:\n      postoffice: \"%s\"\n"
		"      poll: 1 s\n      addresses:\n        - \"GATE/LONDON/HANAKO = " HANAKO "\"\n"
		"        - \"OFFICE/DEPOT/* = S=*; O=Depot; P=LONDON; A=POSTHORN; C=GB\"\n", d->gate);
}

void demo_depot_route(FILE *f)
{
	fputs("  - match: \"C=GB; A=POSTHORN; P=LONDON; O=Depot\"\n    to: depot\n", f);
}

void demo_depot_movers(FILE *f, const struct demo *d)
{
	fprintf(f, "movers:\n  - name: gate\n    postoffice: \"%s\"\n    mailer: false\n    peers: [\"%s\"]\n    interval: 1 s\n"
		"  - name: depot\n    postoffice: \"%s\"\n    peers: [\"%s\"]\n    interval: 1 s\n", d->gate, d->depot, d->depot, d->gate);
}

static bool has_reached_tokyo(const struct demo *d)
{
	return d->in_tokyo >= 2;
}

static bool has_left_london(const struct demo *d)
{
	return d->to_depot >= 1;
}

/* The first record of Otto's mailbag: "   0  00000012  ..."; without one the line says how many there are. */
static bool wait_mailbag(const struct demo *d, char *slot, size_t size)
{
	const char *const argv[] = { "posthorn", "postoffice", "show", d->depot, "OTTO", NULL };
	const time_t until = time(NULL) + DEMO_PATIENCE_S;
	char line[400];
	while (!demo_is_interrupted() && time(NULL) <= until) {
		char *end;
		if (demo_command(argv, line, sizeof line) == 0 && (strtoul(line, &end, 10), end != line) && *end == ' ') {
			snprintf(slot, size, "%lu", strtoul(line, NULL, 10));
			return true;
		}
		demo_pause_ms(100);
	}
	return false;
}

bool demo_depot_play(struct demo *d)
{
	char slot[16], id[200];
	puts("\nOtto, at his Microsoft Mail client at Depot, writes to Hanako, whom he knows as a user of GATE/LONDON:");
	if (!RUN("postoffice", "send", d->depot, "--from", "OTTO", "--to", "GATE/LONDON/HANAKO", "--subject", "Greetings from Depot", "--text",
		 "From a postoffice of files, over three MTAs."))
		return false;
	puts("\nIts journey:");
	if (!demo_watch(d, has_reached_tokyo))
		return false;
	puts("\nAs Hanako reads it, and answers:");
	const char *const answer[] = { "posthorn", "send", "-c", d->sites[2].config, "--from", "hanako", "--to", OTTO, "--subject",
				       "Re: Greetings from Depot", "Thank you, Otto.", NULL };
	if (!RUN("read", "-c", d->sites[2].config, "hanako", "--show", "all"))
		return false;
	printf("$ posthorn send -c %s --from hanako --to \"%s\" ...\n", d->sites[2].config, OTTO);
	if (demo_command(answer, id, sizeof id) != 0)
		return false;
	printf("  %s\n\nIts journey back:\n", id);
	if (!demo_watch(d, has_left_london))
		return false;
	puts("\nIn Otto's mailbag:");
	if (!wait_mailbag(d, slot, sizeof slot) || !RUN("postoffice", "read", d->depot, "OTTO", slot))
		return false;
	puts("\nLondon's links, and the movers:");
	return RUN("status", "-c", d->sites[0].config);
}
