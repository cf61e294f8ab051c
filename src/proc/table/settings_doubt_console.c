/* settings_doubt_console.c - see settings_doubt.h: who can hear a password of the console, and who can give one. */
#include "proc/table/settings_doubt.h"

#include <stdio.h>

static bool is_of_this_host(const char *listen)
{
	return strncmp(listen, "127.", 4) == 0 || strncmp(listen, "[::1]:", 6) == 0 || strncmp(listen, "unix:", 5) == 0;
}

void settings_doubt_console(const struct settings *s, settings_doubt_f *tell, void *ctx)
{
	const char *const *listen = s->console.listen.v;
	char sentence[400];
	for (size_t i = 0; i < s->console.listen.n; i++) {
		if (s->console.users.n == 0 || is_of_this_host(listen[i]))
			continue;
		snprintf(sentence, sizeof sentence, "the console listens at %.100s, and has no TLS: passwords and mail go over the network for everybody to read; "
			 "listen at 127.0.0.1, behind a proxy that has TLS", listen[i]);
		tell(ctx, sentence);
	}
	if (s->console.listen.n > 0 && s->console.users.n == 0 && !s->console.metrics) {
		tell(ctx, "nobody can log in to the console: there is nobody in console.users, and its metrics are off");
	} else if (s->console.listen.n == 0 && s->console.users.n > 0) {
		tell(ctx, "console.users are there, and console.listen has no address: there is no console");
	}
}
