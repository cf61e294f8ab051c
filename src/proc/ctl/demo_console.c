/* demo_console.c - the page of each site of the demo, on loopback, with passwords that are made up anew for each run. */
#include "proc/ctl/demo_int.h"

#include <errno.h>
#include <sys/random.h>

/* Easy to type: no letter that looks like another. 5 bits each. */
static const char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";

static bool make_up(char *password, size_t n)
{
	uint8_t octets[16];
	assert(n <= sizeof octets);
	if (getrandom(octets, n, 0) != (ssize_t)n)
		return false;
	for (size_t i = 0; i < n; i++)
		password[i] = letters[octets[i] % 32];
	password[n] = 0;
	return true;
}

bool demo_console_users(struct demo *d)
{
	static const char *const names[DEMO_USERS] = { "operator", "viewer" };
	for (int i = 0; i < DEMO_USERS; i++) {
		struct demo_user *u = &d->users[i];
		char typed[32];
		u->name = names[i];
		const char *const argv[] = { "posthorn", "console-password", "--name", u->name, "--role", u->name, NULL };
		if (!make_up(u->password, 10)) {
			fprintf(stderr, "posthorn demo: no random octets: %s\n", strerror(errno));
			return false;
		}
		snprintf(typed, sizeof typed, "%s\n", u->password);
		if (demo_command_typed(argv, typed, u->lines, sizeof u->lines) != 0)
			return false;
	}
	return true;
}

void demo_console_settings(FILE *f, const struct demo *d, const struct demo_site *s)
{
	fprintf(f, "console:\n  listen: [\"127.0.0.1:%u\"]\n  users:\n", s->console);
	for (int i = 0; i < DEMO_USERS; i++)
		fputs(d->users[i].lines, f);
}

void demo_console_show(const struct demo *d)
{
	puts("\nTheir consoles, for a browser on this machine:");
	for (int i = 0; i < DEMO_SITES; i++)
		printf("  %-7s http://127.0.0.1:%u/\n", d->sites[i].name, d->sites[i].console);
	for (int i = 0; i < DEMO_USERS; i++)
		printf("  name %-9s password %s\n", d->users[i].name, d->users[i].password);
}
