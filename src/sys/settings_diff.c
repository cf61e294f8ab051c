/* settings_diff.c - see settings_diff.h. */
#include "sys/settings_diff.h"

#include "base/mem.h"
#include "sys/settings_unit.h"

enum { SHOWN_MAX = 200, PATH_MAX_OCTETS = 1024, LINE_MAX_OCTETS = 4096, KEY_MAX = 1 << 20 };
#define NOWHERE SIZE_MAX

/* Where we are: a key, and in a list which item. */
struct place {
	const struct place *above;
	const char *key;
	struct view item; /* p NULL: none */
};

struct differ {
	settings_secret_f *is_secret;
	settings_diff_f *tell;
	void *ctx;
	size_t n;
};

/* --- words --- */

/* No half of a character at its end. */
static struct view shorten(struct view v)
{
	size_t n = v.n < SHOWN_MAX ? v.n : SHOWN_MAX;
	while (n < v.n && n > 0 && (v.p[n] & 0xc0) == 0x80)
		n--;
	return view_first(v, n);
}

static void show_path(struct out *o, const struct place *p, bool items)
{
	if (p->above != NULL) {
		show_path(o, p->above, items);
		if (out_len(o) > 0 && *p->key != 0)
			out_u8(o, '.');
	}
	out_str(o, p->key);
	if (items && p->item.p != NULL) {
		out_u8(o, '[');
		out_bytes(o, shorten(p->item));
		out_u8(o, ']');
	}
}

static bool is_secret_at(const struct differ *d, const struct place *p)
{
	struct out path;
	out_init(&path, PATH_MAX_OCTETS);
	show_path(&path, p, false);
	const bool secret = d->is_secret(out_cstr(&path));
	out_fini(&path);
	return secret;
}

static void tell(struct differ *d, const struct place *p, const char *what)
{
	struct out path, where, line;
	d->n++;
	if (d->tell == NULL)
		return;
	out_init(&path, PATH_MAX_OCTETS);
	out_init(&where, PATH_MAX_OCTETS);
	out_init(&line, LINE_MAX_OCTETS);
	show_path(&path, p, false);
	show_path(&where, p, true);
	out_fmt(&line, "%s: %s", out_cstr(&where), what);
	const struct settings_diff_line x = { out_cstr(&path), out_cstr(&where), out_cstr(&line) };
	d->tell(d->ctx, &x);
	out_fini(&path);
	out_fini(&where);
	out_fini(&line);
}

static void tell_text(struct differ *d, const struct place *p, const char *before, struct view text)
{
	struct out what;
	out_init(&what, 2 * SHOWN_MAX);
	out_str(&what, before);
	if (!is_secret_at(d, p)) {
		out_str(&what, " \"");
		out_bytes(&what, shorten(text));
		out_str(&what, shorten(text).n < text.n ? "...\"" : "\"");
	}
	tell(d, p, out_cstr(&what));
	out_fini(&what);
}

static void show_short(struct out *o, const struct setting *row, const void *at)
{
	struct out value;
	out_init(&value, KEY_MAX);
	settings_show_value(&value, row, at);
	const struct view all = out_view(&value), part = shorten(all);
	out_bytes(o, part);
	if (part.n < all.n)
		out_str(o, "...");
	out_fini(&value);
}

static void tell_value(struct differ *d, const struct place *p, const struct setting *row, const void *old, const void *now)
{
	struct out what;
	out_init(&what, LINE_MAX_OCTETS);
	if (is_secret_at(d, p)) {
		out_str(&what, "another one");
	} else {
		show_short(&what, row, old);
		out_str(&what, " -> ");
		show_short(&what, row, now);
	}
	tell(d, p, out_cstr(&what));
	out_fini(&what);
}

/* --- lists: which is which --- */

struct entry {
	struct view key; /* by which it is known */
	size_t index, twin; /* in the other list, NOWHERE: none */
};

struct entries {
	struct entry *v;
	size_t n;
};

static void entries_fini(struct entries *x)
{
	for (size_t i = 0; i < x->n; i++)
		free((void *)(uintptr_t)x->v[i].key.p);
	free(x->v);
}

/* Its `name`; else all texts of it. */
static struct view key_of(const struct settings_section *s, const void *item)
{
	struct out key;
	out_init(&key, KEY_MAX);
	for (size_t i = 0; i < s->n_rows; i++)
		if (s->rows[i].type == SETTING_STRING && strcmp(s->rows[i].key, "name") == 0) {
			out_clear(&key);
			out_str(&key, *(const char *const *)((const char *)item + s->rows[i].offset));
			break;
		} else if (s->rows[i].type == SETTING_STRING) {
			out_str(&key, out_len(&key) == 0 ? "" : " -> ");
			out_str(&key, *(const char *const *)((const char *)item + s->rows[i].offset));
		}
	const struct view v = view_of(mem_dup(out_cstr(&key), out_len(&key) + 1), out_len(&key));
	out_fini(&key);
	return v;
}

/* of NULL: a list of texts. */
static struct entries entries_of(const struct setting_list *l, const struct settings_section *of)
{
	struct entries x = { mem_zero(mem_mul(l->n + 1, sizeof *x.v)), l->n };
	for (size_t i = 0; i < l->n; i++) {
		const char *text = of == NULL ? ((const char *const *)l->v)[i] : NULL;
		x.v[i] = (struct entry){ of != NULL ? key_of(of, (const char *)l->v + i * of->size) : view_of(mem_strdup(text), strlen(text)), i, NOWHERE };
	}
	return x;
}

static int by_key(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	const size_t n = x->key.n < y->key.n ? x->key.n : y->key.n;
	const int first = n == 0 ? 0 : memcmp(x->key.p, y->key.p, n);
	if (first != 0)
		return first;
	if (x->key.n != y->key.n)
		return x->key.n < y->key.n ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static int by_index(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Of several with the same key the first is the first, and so on. */
static void pair_up(struct entries *old, struct entries *now)
{
	qsort(old->v, old->n, sizeof *old->v, by_key);
	qsort(now->v, now->n, sizeof *now->v, by_key);
	for (size_t i = 0, k = 0; i < old->n && k < now->n;) {
		struct entry x = old->v[i], y = now->v[k];
		x.index = y.index = 0;
		const int order = by_key(&x, &y);
		if (order == 0) {
			old->v[i].twin = now->v[k].index;
			now->v[k].twin = old->v[i].index;
		}
		i += order <= 0;
		k += order >= 0;
	}
	qsort(old->v, old->n, sizeof *old->v, by_index);
	qsort(now->v, now->n, sizeof *now->v, by_index);
}

static bool is_in_order(const struct entries *now)
{
	size_t last = 0;
	for (size_t i = 0; i < now->n; i++) {
		if (now->v[i].twin == NOWHERE)
			continue;
		if (now->v[i].twin < last)
			return false;
		last = now->v[i].twin;
	}
	return true;
}

static void diff_section(struct differ *d, const struct place *p, const struct settings_section *s, const void *old, const void *now);

static void diff_item(struct differ *d, const struct place *list, const struct setting *row, const struct entry *x, const struct setting_list *old,
		      const struct setting_list *now)
{
	const struct place p = { list->above, list->key, x->key };
	if (row->type == SETTING_STRINGS) {
		if (x->twin == NOWHERE)
			tell_text(d, list, "+", x->key);
	} else if (x->twin == NOWHERE) {
		tell(d, &p, "new");
	} else {
		diff_section(d, &p, row->of, (const char *)old->v + x->twin * row->of->size, (const char *)now->v + x->index * row->of->size);
	}
}

static void diff_list(struct differ *d, const struct place *p, const struct setting *row, const struct setting_list *old, const struct setting_list *now)
{
	const struct settings_section *of = row->type == SETTING_LIST ? row->of : NULL;
	struct entries was = entries_of(old, of), is = entries_of(now, of);
	pair_up(&was, &is);
	for (size_t i = 0; i < is.n; i++)
		diff_item(d, p, row, &is.v[i], old, now);
	for (size_t i = 0; i < was.n; i++) {
		const struct place at = { p->above, p->key, was.v[i].key };
		if (was.v[i].twin == NOWHERE && of != NULL)
			tell(d, &at, "gone");
		else if (was.v[i].twin == NOWHERE)
			tell_text(d, p, "-", was.v[i].key);
	}
	if (!is_in_order(&is))
		tell(d, p, "in another order");
	entries_fini(&was);
	entries_fini(&is);
}

/* --- everything --- */

static bool is_same(const struct setting *row, const void *old, const void *now)
{
	switch (row->type) {
	case SETTING_STRING:
		return strcmp(*(const char *const *)old, *(const char *const *)now) == 0;
	case SETTING_SELECTOR:
		return view_eq(*(const struct view *)old, *(const struct view *)now);
	case SETTING_UINT:
	case SETTING_DURATION_MS:
	case SETTING_SIZE:
		return *(const uint64_t *)old == *(const uint64_t *)now;
	case SETTING_BOOL:
		return *(const bool *)old == *(const bool *)now;
	case SETTING_ENUM:
		return *(const unsigned *)old == *(const unsigned *)now;
	case SETTING_MAP:
	case SETTING_LIST:
	case SETTING_STRINGS:
		break;
	}
	CANT_HAPPEN("a setting that is no scalar");
}

static void diff_section(struct differ *d, const struct place *above, const struct settings_section *s, const void *old, const void *now)
{
	for (size_t i = 0; i < s->n_rows; i++) {
		const struct setting *row = &s->rows[i];
		const void *x = (const char *)old + row->offset, *y = (const char *)now + row->offset;
		const struct place p = { above, row->key, { NULL, 0 } };
		if (row->type == SETTING_MAP)
			diff_section(d, &p, row->of, x, y);
		else if (row->type == SETTING_LIST || row->type == SETTING_STRINGS)
			diff_list(d, &p, row, x, y);
		else if (!is_same(row, x, y))
			tell_value(d, &p, row, x, y);
	}
}

size_t settings_diff(const struct settings_section *s, const void *old, const void *now, settings_secret_f *is_secret, settings_diff_f *tell_one, void *ctx)
{
	struct differ d = { .is_secret = is_secret, .tell = tell_one, .ctx = ctx };
	const struct place root = { NULL, "", { NULL, 0 } };
	diff_section(&d, &root, s, old, now);
	return d.n;
}
