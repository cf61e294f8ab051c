/* manifest.c - see manifest.h. */
#include "flow/store/manifest.h"

#include "base/mem.h"
#include "base/text.h"
#include "flow/store/beside.h"

#include <time.h>

#define FIRST "# posthorn backup 2\n"
#define FIRST_1 "# posthorn backup 1\n"
enum { SUM = DIGEST_HEX - 1, FILE_LINE_MIN = SUM + 2 + 8 + 1 }; /* the shortest name: store.db */

void manifest_begin(struct out *o, wall_ms_t taken, const char *owner, const struct store_check_result *has)
{
	const time_t seconds = (time_t)(taken / 1000);
	struct tm tm;
	char when[40] = "";
	if (gmtime_r(&seconds, &tm) != NULL)
		strftime(when, sizeof when, "%a %b %e %H:%M:%S %Y UTC", &tm);
	out_fmt(o, FIRST "# taken %lld %s\n# owner %s\n", (long long)taken, when, owner);
	out_fmt(o, "# content messages %llu, transfers %llu, deliveries %llu, quarantined %llu\n", (unsigned long long)has->messages,
		(unsigned long long)has->transfers, (unsigned long long)has->deliveries, (unsigned long long)has->quarantined);
}

void manifest_add(struct out *o, const char *name, const char *sum)
{
	out_fmt(o, "%s  %s\n", sum, name);
}

static void sum_of(struct view v, char hex[DIGEST_HEX])
{
	struct digest *d = digest_new();
	digest_add(d, v);
	digest_end(d, hex);
	digest_free(&d);
}

void manifest_end(struct out *o, size_t n)
{
	char hex[DIGEST_HEX];
	sum_of(out_view(o), hex);
	out_fmt(o, "# end %zu %s\n", n, hex);
}

static bool is_hex(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (!(v.p[i] >= '0' && v.p[i] <= '9') && !(v.p[i] >= 'a' && v.p[i] <= 'f'))
			return false;
	return true;
}

bool manifest_name_ok(struct view name)
{
	const struct view folder = VIEW("content/");
	if (view_eq(name, VIEW("store.db")) || view_eq(name, VIEW("settings.yaml")))
		return true;
	if (beside_name_ok(name))
		return true;
	return name.n == folder.n + 16 && view_eq(view_first(name, folder.n), folder) && is_hex(view_from(name, folder.n));
}

static bool not_one(struct err *e, const char *what)
{
	return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "manifest: %s", what);
}

/* Takes a line with its end away from the front. */
static bool next_line(struct view *rest, struct view *line_r)
{
	const uint8_t *end = rest->n == 0 ? NULL : memchr(rest->p, '\n', rest->n);
	if (end == NULL)
		return false;
	const size_t n = (size_t)(end - rest->p);
	*line_r = view_first(*rest, n);
	*rest = view_from(*rest, n + 1);
	return true;
}

static bool starts(struct view line, struct view with, struct view *rest_r)
{
	if (line.n < with.n || !view_eq(view_first(line, with.n), with))
		return false;
	*rest_r = view_from(line, with.n);
	return true;
}

static struct view first_word(struct view v)
{
	const uint8_t *blank = v.n == 0 ? NULL : memchr(v.p, ' ', v.n);
	return blank == NULL ? v : view_first(v, (size_t)(blank - v.p));
}

/* It is shown to people as it is. */
static bool is_printable(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] <= ' ' || v.p[i] == 0x7f)
			return false;
	return true;
}

static bool read_comment(struct view line, struct manifest *m, struct err *e)
{
	struct view rest;
	uint64_t x;
	if (starts(line, VIEW("# taken "), &rest)) {
		if (!text_uint(first_word(rest), INT64_MAX, &x))
			return not_one(e, "it does not say when it was taken");
		m->taken = (wall_ms_t)x;
	}
	if (starts(line, VIEW("# owner "), &rest)) {
		if (rest.n == 0 || rest.n >= sizeof m->owner || !is_printable(rest))
			return not_one(e, "its owner has no name");
		memcpy(m->owner, rest.p, rest.n);
		m->owner[rest.n] = 0;
	}
	return true; /* others are for people */
}

static bool read_file(struct view line, struct manifest_file *f, struct arena *a, struct err *e)
{
	const struct view name = line.n > SUM + 2 ? view_from(line, SUM + 2) : (struct view){ NULL, 0 };
	if (!manifest_name_ok(name) || !is_hex(view_first(line, SUM)) || line.p[SUM] != ' ' || line.p[SUM + 1] != ' ')
		return not_one(e, "it has a line that is neither a comment nor a file of a backup");
	memset(f, 0, sizeof *f);
	memcpy(f->sum, line.p, SUM);
	f->name = arena_str(a, name);
	return true;
}

/* The last line says how many files there are, and the sum of all before it. */
static bool read_end(struct view line, struct view before, size_t n, struct err *e)
{
	char hex[DIGEST_HEX];
	struct view rest;
	uint64_t said;
	if (!starts(line, VIEW("# end "), &rest))
		return not_one(e, "its end is missing");
	const struct view count = first_word(rest);
	sum_of(before, hex);
	if (!text_uint(count, SIZE_MAX / 2, &said) || said != n)
		return not_one(e, "it is to have another number of files");
	if (rest.n != count.n + 1 + SUM || !view_eq(view_from(rest, count.n + 1), view_str(hex)))
		return not_one(e, "it was changed, or damaged");
	return true;
}

bool manifest_read(struct view text, struct manifest *m_r, struct arena *a, struct err *e)
{
	struct view rest = text, line;
	struct manifest m = { .owner = "" };
	if (!starts(text, VIEW(FIRST), &rest) && !starts(text, VIEW(FIRST_1), &rest))
		return not_one(e, "this is not the manifest of a backup, or of a version that this program does not know");
	m.files = arena_get(a, mem_mul(rest.n / FILE_LINE_MIN + 2, sizeof *m.files)); /* one more than are right */
	while (next_line(&rest, &line)) {
		if (rest.n == 0) {
			if (!read_end(line, view_first(text, (size_t)(line.p - text.p)), m.n, e))
				return false;
			if (m.n == 0 || strcmp(m.files[0].name, "store.db") != 0 || m.taken == 0 || *m.owner == 0)
				return not_one(e, "it does not begin as one of ours");
			*m_r = m;
			return true;
		}
		if (line.n > 0 && line.p[0] == '#' ? !read_comment(line, &m, e) : !read_file(line, &m.files[m.n++], a, e))
			return false;
	}
	return not_one(e, "its last line is cut");
}
