/* movers.c - the movers' part of `posthorn status`: what each of their processes has left in the store's directory,
 * mover-NAME/FILE.status, lines "name value". They are read as they lie there: a mover has no socket. */
#include "proc/ctl/ctl_int.h"

#include "base/text.h"
#include "proc/table/rows.h"

#include <dirent.h>
#include <time.h>

enum { STATUS_MAX = 4096, FIELDS = 16 };

struct field {
	char name[24], value[1200];
};

struct status {
	struct field fields[FIELDS];
	size_t n;
};

static const char *value_of(const struct status *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->fields[i].name, name) == 0)
			return s->fields[i].value;
	return "";
}

static bool read_status(const char *path, struct status *s)
{
	char line[1300];
	FILE *f = fopen(path, "rb");
	s->n = 0;
	if (f == NULL)
		return false;
	while (s->n < FIELDS && fgets(line, sizeof line, f) != NULL) {
		char *blank = strchr(line, ' ');
		line[strcspn(line, "\n")] = 0;
		if (blank == NULL)
			continue;
		*blank = 0;
		snprintf(s->fields[s->n].name, sizeof s->fields->name, "%.23s", line);
		snprintf(s->fields[s->n].value, sizeof s->fields->value, "%.1199s", blank + 1);
		s->n++;
	}
	fclose(f);
	return s->n > 0;
}

/* Its next round should have been told of by now: it hangs, or does not run. */
static bool is_late(const struct status *s)
{
	uint64_t due;
	return text_uint(view_str(value_of(s, "due")), UINT64_MAX, &due) && (uint64_t)time(NULL) > due;
}

/* The file has texts alone: these are its numbers. */
static void put_field(struct out *o, const char *name, const char *value)
{
	static const char *const numbers[] = { "waiting", "moved", "due" };
	uint64_t x = 0;
	bool is_number = false;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		is_number = is_number || strcmp(numbers[i], name) == 0;
	if (is_number && text_uint(view_str(value), INT64_MAX, &x))
		rows_number(o, name, x);
	else
		rows_text(o, name, view_str(value));
}

static void print_one(const struct ctl *c, const struct status *s)
{
	const char *state = is_late(s) ? "silent" : value_of(s, "state");
	const bool is_mailer = *value_of(s, "peer") == 0;
	char shown[1300], peer[1300];
	if (c->json) {
		struct out o;
		out_init(&o, 64 * 1024);
		for (size_t i = 0; i < s->n; i++)
			put_field(&o, s->fields[i].name, strcmp(s->fields[i].name, "state") == 0 ? state : s->fields[i].value);
		ctl_print_json(out_view(&o));
		out_fini(&o);
		return;
	}
	printf("mover %-10s %-16s waiting %-6s moved %-8s %s%s\n", text_escaped(shown, 300, view_str(value_of(s, "mover"))), state,
	       value_of(s, "waiting"), value_of(s, "moved"), is_mailer ? "mailer of " : "to ",
	       text_escaped(peer, sizeof peer, view_str(value_of(s, is_mailer ? "postoffice" : "peer"))));
	if (is_late(s))
		printf("                 it was last heard of at %s\n", value_of(s, "at"));
	if (*value_of(s, "why") != 0)
		printf("                 %s\n", text_escaped(shown, sizeof shown, view_str(value_of(s, "why"))));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_mover(const struct dirent *d)
{
	return strncmp(d->d_name, "mover-", 6) == 0;
}

static int is_status(const struct dirent *d)
{
	const size_t n = strlen(d->d_name);
	return n > 7 && strcmp(d->d_name + n - 7, ".status") == 0;
}

/* One that is in the settings no more has left its files. */
static bool is_configured(const struct ctl *c, const char *name)
{
	const struct set_mover *m = c->settings.movers.v;
	for (size_t i = 0; i < c->settings.movers.n; i++)
		if (strcmp(m[i].name, name) == 0)
			return true;
	return c->config == NULL;
}

static void print_mover(const struct ctl *c, const char *directory)
{
	struct dirent **names;
	struct status s;
	char path[1024];
	const int n = scandir(directory, &names, is_status, by_name);
	for (int i = n - 1; i >= 0; i--) { /* the mailer first */
		snprintf(path, sizeof path, "%s/%s", directory, names[i]->d_name);
		if (read_status(path, &s) && is_configured(c, value_of(&s, "mover")))
			print_one(c, &s);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

void ctl_movers(const struct ctl *c)
{
	struct dirent **names;
	char path[600];
	const int n = scandir(c->directory, &names, is_mover, by_name);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/%s", c->directory, names[i]->d_name);
		print_mover(c, path);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}
