/* settings_compare.c - see settings_compare.h. */
#include "proc/table/settings_compare.h"

#include "sys/settings_diff.h"

struct comparing {
	struct out *lines;
	struct err *e;
	size_t n_barred;
};

static const char *effect_of(enum settings_change change)
{
	switch (change) {
	case CHANGE_AT_ONCE: return "";
	case CHANGE_LINK: return " (the associations of the link are released in order)";
	case CHANGE_PROCESS: return " (its process is started anew)";
	case CHANGE_RESTART: return " (not while it runs)";
	}
	CANT_HAPPEN("no such change");
}

/* A whole item that comes or goes is not changed: what its section says is of changes within it. */
static bool is_item(const struct settings_diff_line *x)
{
	return x->where[strlen(x->where) - 1] == ']';
}

static void add_line(void *ctx, const struct settings_diff_line *x)
{
	struct comparing *c = ctx;
	enum settings_change change;
	if (!settings_change_of(x->path, &change))
		CANT_HAPPEN("a setting of which nobody knows whether it may change");
	if (is_item(x) && change == CHANGE_PROCESS)
		change = CHANGE_AT_ONCE;
	out_fmt(c->lines, "%s%s\n", x->line, effect_of(change));
	if (change == CHANGE_RESTART && c->n_barred++ == 0)
		err_set(c->e, ERR_LOCAL, ERR_OF_PROCESS, "%.80s cannot change while it runs (%.80s): restart", x->where, settings_change_why(x->path));
}

bool settings_compare(const struct settings *old, const struct settings *now, struct out *lines, size_t *n_r, struct err *e)
{
	struct comparing c = { .lines = lines, .e = e };
	*n_r = settings_diff(&settings_root, old, now, settings_is_secret, add_line, &c);
	return c.n_barred == 0;
}
