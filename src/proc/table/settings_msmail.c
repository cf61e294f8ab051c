/* settings_msmail.c - see settings_msmail.h. */
#include "proc/table/settings_msmail.h"

#include "flow/codec/msmail/address.h"

#include <stdarg.h>

enum { SHADOWED_TOLD = 10 };

struct doubting {
	const struct settings *s;
	struct arena *a;
	settings_doubt_f *tell;
	void *ctx;
};

static void PRINTF_LIKE(2, 3) doubt(const struct doubting *d, const char *fmt, ...)
{
	char text[600];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	d->tell(d->ctx, text);
}

static bool map_of(const struct settings *s, const struct set_link *k, struct mm_map **map_r, struct err *e)
{
	return mm_map_new((const char *const *)k->msmail.addresses.v, k->msmail.addresses.n, s->mta.domain, NULL, map_r, e);
}

/* A mailbox, or an O/R address. */
static bool is_somebody(const struct mm_map *map, const char *text, struct arena *a, struct err *e)
{
	const struct mm_address who = { .type = MM_ADDRESS_MS, .text = view_str(text) };
	struct oraddr x;
	return mm_to_oraddr(map, &who, &x, a, e);
}

static bool check(const struct settings *s, const struct set_link *k, const char *file, struct arena *a, struct err *e)
{
	struct mm_map *map = NULL;
	struct err why;
	bool good = map_of(s, k, &map, &why);
	if (!good)
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\": %s", file, k->name, why.text);
	else if (mm_scramble_by_name(k->msmail.scramble) == NULL)
		good = err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\": found scramble \"%s\", want none or chain", file, k->name, k->msmail.scramble);
	else if (*k->msmail.administrator != 0 && !is_somebody(map, k->msmail.administrator, a, &why))
		good = err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\": administrator: %s", file, k->name, why.text);
	mm_map_free(&map);
	return good;
}

/* Without what is between the parts: "b/", "./b" and ".//b" are "b". Links and `..` are not looked into. */
static bool next_part(struct view *rest, struct view *part_r)
{
	do {
		while (rest->n > 0 && rest->p[0] == '/')
			*rest = view_from(*rest, 1);
		size_t n = 0;
		while (n < rest->n && rest->p[n] != '/')
			n++;
		*part_r = view_first(*rest, n);
		*rest = view_from(*rest, n);
	} while (view_eq(*part_r, VIEW(".")));
	return part_r->n > 0;
}

static bool same_directory(const char *a, const char *b)
{
	struct view x = view_str(a), y = view_str(b), i, k;
	bool more = x.n > 0 && y.n > 0 && (*a == '/') == (*b == '/'), same = more;
	while (more) {
		more = next_part(&x, &i);
		same = next_part(&y, &k) == more && (!more || view_eq(i, k));
		more = more && same;
	}
	return same;
}

/* NULL: a part of NETWORK/POSTOFFICE/MAILBOX may be called so. Characters that are not seen are in no setting. */
static const char *wrong_with(const char *name)
{
	const size_t n = strlen(name);
	if (n > 0 && (name[0] == ' ' || name[n - 1] == ' '))
		return "has a blank at an end";
	return strchr(name, '/') != NULL ? "has a `/` in it, which stands between the parts of an address" : NULL;
}

static bool check_names(const struct set_link *k, const char *file, struct err *e)
{
	const struct set_msmail *m = &k->msmail;
	const bool is_network = wrong_with(m->network) != NULL;
	const char *name = is_network ? m->network : m->name, *wrong = wrong_with(name);
	return wrong == NULL || err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: link \"%s\": %s \"%s\" %s", file, k->name, is_network ? "network" : "postoffice-name",
					name, wrong);
}

/* What it remembers lies in a folder of its name; and a process that puts a postoffice's mail into itself, or two that do the same, nobody means. */
static bool check_mover(const struct set_mover *m, const char *at_mover, const char *file, struct err *e)
{
	char at[SETTINGS_PLACE_MAX];
	const char *const *peers = m->peers.v;
	if (strchr(m->name, '/') != NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: mover \"%s\": its name is a folder's, too, and cannot have a `/` in it", at_mover, m->name);
	for (size_t i = 0; i < m->peers.n; i++) {
		const char *place = settings_place(&m->peers, i, file, at);
		if (same_directory(peers[i], m->postoffice))
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: mover \"%.64s\": its peer \"%.60s\" is its own postoffice", place, m->name, peers[i]);
		for (size_t k = 0; k < i; k++)
			if (same_directory(peers[i], peers[k]))
				return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: mover \"%.64s\": peer \"%.60s\" is given twice", place, m->name, peers[i]);
	}
	return true;
}

bool settings_check_msmail(const struct settings *s, const char *file, struct arena *a, struct err *e)
{
	const struct set_link *links = s->links.v;
	const struct set_mover *movers = s->movers.v;
	char at[SETTINGS_PLACE_MAX];
	for (size_t i = 0; i < s->links.n; i++)
		if (links[i].kind == LINK_MSMAIL && (!check_names(&links[i], settings_place(&s->links, i, file, at), e) || !check(s, &links[i], settings_place(&s->links, i, file, at), a, e)))
			return false;
	for (size_t i = 0; i < s->movers.n; i++) {
		if (mm_scramble_by_name(movers[i].scramble) == NULL)
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: mover \"%s\": found scramble \"%s\", want none or chain",
				       settings_place(&s->movers, i, file, at), movers[i].name, movers[i].scramble);
		for (size_t k = 0; k < i; k++)
			if (same_directory(movers[i].postoffice, movers[k].postoffice))
				return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%s: movers \"%.50s\" and \"%.50s\" have the same postoffice",
					       settings_place(&s->movers, i, file, at), movers[k].name, movers[i].name);
		if (!check_mover(&movers[i], settings_place(&s->movers, i, file, at), file, e))
			return false;
	}
	return true;
}

/* ---- doubts ---- */

static void doubt_lines(const struct doubting *d, const struct set_link *k, const struct mm_map *map)
{
	const char *const *lines = k->msmail.addresses.v;
	size_t told = 0, by;
	for (size_t i = 0; i < k->msmail.addresses.n; i++)
		if (mm_map_is_shadowed(map, i + 1, &by) && told++ < SHADOWED_TOLD)
			doubt(d, "link \"%s\": line %zu of its addresses, \"%.200s\", is never used: line %zu stands before it", k->name, i + 1, lines[i], by);
	if (told > SHADOWED_TOLD)
		doubt(d, "link \"%s\": %zu more lines of its addresses are never used", k->name, told - SHADOWED_TOLD);
}

/* What nobody at the postoffice has an address for comes back as undeliverable (Q169117). */
static void doubt_routes(const struct doubting *d, const struct set_link *k, const struct mm_map *map)
{
	const struct set_route *routes = d->s->routes.v;
	for (size_t i = 0; i < d->s->routes.n; i++) {
		struct oraddr pattern;
		if (strcmp(routes[i].to, k->name) != 0 || !oraddr_parse(view_str(routes[i].match), &pattern, d->a, ORADDR_PATTERN, NULL))
			continue;
		if (!mm_map_covers(map, &pattern))
			doubt(d, "route %zu, \"%.200s\", goes to link \"%s\", but neither a line of its addresses nor DDA:MS in mta.domain makes a mailbox of them: "
			      "they will be undeliverable", i + 1, routes[i].match, k->name);
	}
}

/* A11: who makes a postoffice is given letters and digits only, and so are those who write to it. */
static void doubt_name(const struct doubting *d, const struct set_link *k, const char *row, const char *name)
{
	for (const char *c = name; *c != 0; c++)
		if ((*c < '0' || *c > '9') && ((*c | 0x20) < 'a' || (*c | 0x20) > 'z') && *c != '-' && *c != '_') {
			doubt(d, "link \"%s\": %s \"%s\" has other characters than letters and digits: programs of Microsoft Mail cannot make such a name, or write to it", k->name, row, name);
			return;
		}
}

/* They wait for each other's locks, and each does what the other is told to do. A reader that writes nothing is no second. */
static void doubt_mailers(const struct doubting *d, size_t link)
{
	const struct set_link *links = d->s->links.v, *k = &links[link];
	const struct set_mover *movers = d->s->movers.v;
	if (k->msmail.read_only)
		return;
	for (size_t i = 0; i < d->s->movers.n; i++)
		if (movers[i].mailer && same_directory(movers[i].postoffice, k->msmail.postoffice))
			doubt(d, "link \"%s\" and mover \"%s\" both deliver INQUEUE3 of %.200s: set mailer of the mover to false", k->name, movers[i].name,
			      k->msmail.postoffice);
	for (size_t i = 0; i < link; i++)
		if (links[i].kind == LINK_MSMAIL && !links[i].msmail.read_only && same_directory(links[i].msmail.postoffice, k->msmail.postoffice))
			doubt(d, "links \"%s\" and \"%s\" both deliver INQUEUE3 of %.200s: which gets a message is left to chance", links[i].name, k->name,
			      k->msmail.postoffice);
}

void settings_doubt_msmail(const struct settings *s, struct arena *a, settings_doubt_f *tell, void *ctx)
{
	const struct doubting d = { s, a, tell, ctx };
	const struct set_link *links = s->links.v;
	for (size_t i = 0; i < s->links.n; i++) {
		struct mm_map *map;
		if (links[i].kind != LINK_MSMAIL || !map_of(s, &links[i], &map, NULL))
			continue;
		doubt_lines(&d, &links[i], map);
		doubt_routes(&d, &links[i], map);
		doubt_mailers(&d, i);
		doubt_name(&d, &links[i], "network", links[i].msmail.network);
		doubt_name(&d, &links[i], "postoffice-name", links[i].msmail.name);
		mm_map_free(&map);
	}
}
