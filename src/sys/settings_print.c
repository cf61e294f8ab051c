/* settings_print.c - settings to text: canonical YAML, and the manual's section. See settings.h. */
#include "sys/settings_unit.h"

#include "base/text.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* Largest first, as settings_show tries them. */
static const struct unit times[] = {
	{ "w", 604800000 }, { "d", 86400000 }, { "h", 3600000 }, { "min", 60000 }, { "s", 1000 }, { "ms", 1 }, { NULL, 0 },
};
static const struct unit sizes[] = {
	{ "T", UINT64_C(1) << 40 }, { "G", 1 << 30 }, { "M", 1 << 20 }, { "K", 1 << 10 }, { NULL, 0 },
};

static struct view digits_at(struct view text, size_t from)
{
	size_t n = 0;
	while (from + n < text.n && text.p[from + n] >= '0' && text.p[from + n] <= '9')
		n++;
	return view_first(view_from(text, from), n);
}

static bool read_unit(struct view text, const struct unit *units, uint64_t plain, uint64_t *x_r)
{
	struct view whole = digits_at(text, 0), part = { NULL, 0 };
	size_t n = whole.n;
	uint64_t x, below = 0, scale = 1, factor = 0;
	if (n < text.n && text.p[n] == '.') {
		part = digits_at(text, n + 1);
		n += 1 + part.n;
		if (!text_uint(part, 999999, &below))
			return false;
	}
	for (size_t i = 0; i < part.n; i++)
		scale *= 10;
	if (!text_uint(whole, UINT64_MAX, &x))
		return false;
	while (n < text.n && text.p[n] == ' ')
		n++;
	struct view unit = view_from(text, n);
	if (unit.n == 0)
		factor = plain;
	for (const struct unit *u = units; u->name != NULL && factor == 0; u++)
		if (view_eq(unit, view_str(u->name)))
			factor = u->factor;
	/* 0.2 s is 200 ms; 0.2 ms is nothing we can keep. */
	return factor != 0 && below * factor % scale == 0 && !__builtin_mul_overflow(x, factor, &x) &&
	       !__builtin_add_overflow(x, below * factor / scale, x_r);
}

bool settings_duration(struct view text, uint64_t *ms_r)
{
	return read_unit(text, times, 1000, ms_r);
}

bool settings_size(struct view text, uint64_t *octets_r)
{
	return read_unit(text, sizes, 1, octets_r);
}

void settings_show(struct out *o, enum setting_type type, uint64_t x)
{
	const struct unit *u = type == SETTING_DURATION_MS ? times : type == SETTING_SIZE ? sizes : NULL;
	if (u != NULL && x == 0)
		u = type == SETTING_DURATION_MS ? &times[4] : NULL; /* "0 s" */
	while (u != NULL && u->name != NULL && x % u->factor != 0)
		u++;
	if (u == NULL || u->name == NULL)
		out_fmt(o, "%llu", (unsigned long long)x);
	else
		out_fmt(o, "%llu %s", (unsigned long long)(x / u->factor), u->name);
}

static void show_range(struct out *o, const struct setting *row, enum setting_type as)
{
	if (row->min != 0 || row->max == 0) {
		out_str(o, row->max == 0 ? " of at least " : " from ");
		settings_show(o, as, row->min);
	}
	if (row->max != 0) {
		out_str(o, row->min != 0 ? " to " : " up to ");
		settings_show(o, as, row->max);
	}
}

static void show_words(struct out *o, const struct setting *row)
{
	out_str(o, "one of ");
	for (size_t i = 0; row->words[i] != NULL; i++)
		out_fmt(o, "%s%s", i == 0 ? "" : ", ", row->words[i]);
}

static void show_length(struct out *o, const struct setting *row)
{
	if (row->max != 0)
		out_fmt(o, " of %llu to %llu octets", (unsigned long long)row->min, (unsigned long long)row->max);
	else if (row->min != 0)
		out_fmt(o, " of at least %llu octets", (unsigned long long)row->min);
}

void settings_show_wanted(struct out *o, const struct setting *row)
{
	switch (row->type) {
	case SETTING_STRING:
		out_str(o, "text");
		show_length(o, row);
		return;
	case SETTING_UINT:
		out_str(o, "a number");
		show_range(o, row, SETTING_UINT);
		return;
	case SETTING_BOOL:
		out_str(o, "true or false");
		return;
	case SETTING_DURATION_MS:
		out_str(o, "a time (30 s, 10 min)");
		show_range(o, row, SETTING_DURATION_MS);
		return;
	case SETTING_SIZE:
		out_str(o, "a size (4096, 64 K)");
		show_range(o, row, SETTING_SIZE);
		return;
	case SETTING_ENUM:
		show_words(o, row);
		return;
	case SETTING_SELECTOR:
		out_str(o, "a selector as text or 0x and hex digits");
		show_length(o, row);
		return;
	case SETTING_STRINGS:
		out_str(o, "a list of texts");
		show_length(o, row);
		return;
	case SETTING_MAP:
		out_str(o, "a mapping");
		return;
	case SETTING_LIST:
		out_str(o, "a list of mappings");
		return;
	}
	CANT_HAPPEN("setting type out of range");
}

/* --- canonical YAML --- */

static void print_text(struct out *o, struct view v)
{
	out_u8(o, '"');
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '"' || v.p[i] == '\\')
			out_u8(o, '\\');
		out_u8(o, v.p[i]); /* control characters do not get in: settings.c */
	}
	out_u8(o, '"');
}

/* Text when it reads back as itself, hexadecimal otherwise. */
static void print_selector(struct out *o, struct view v)
{
	bool plain = true;
	for (size_t i = 0; i < v.n; i++)
		plain = plain && v.p[i] >= 0x20 && v.p[i] < 0x7f;
	if (plain) {
		print_text(o, v);
	} else {
		out_str(o, "0x");
		text_hex(o, v);
	}
}

static void print_section(const struct settings_section *s, const void *from, struct out *o, unsigned indent,
			  bool first_in_place);

static void print_indent(struct out *o, unsigned n)
{
	while (n-- > 0)
		out_str(o, "  ");
}

static void print_strings(const struct setting_list *list, struct out *o, unsigned indent)
{
	const char *const *v = list->v;
	out_str(o, list->n == 0 ? " []\n" : "\n");
	for (size_t i = 0; i < list->n; i++) {
		print_indent(o, indent);
		out_str(o, "- ");
		print_text(o, view_str(v[i]));
		out_u8(o, '\n');
	}
}

static void print_list(const struct setting *row, const struct setting_list *list, struct out *o, unsigned indent)
{
	out_str(o, list->n == 0 ? " []\n" : "\n");
	for (size_t i = 0; i < list->n; i++) {
		print_indent(o, indent);
		out_str(o, "- ");
		print_section(row->of, (const char *)list->v + i * row->of->size, o, indent + 1, true);
	}
}

void settings_show_value(struct out *o, const struct setting *row, const void *at)
{
	switch (row->type) {
	case SETTING_STRING:
		print_text(o, view_str(*(const char *const *)at));
		return;
	case SETTING_SELECTOR:
		print_selector(o, *(const struct view *)at);
		return;
	case SETTING_BOOL:
		out_str(o, *(const bool *)at ? "true" : "false");
		return;
	case SETTING_ENUM:
		out_str(o, row->words[*(const unsigned *)at]);
		return;
	case SETTING_UINT:
	case SETTING_DURATION_MS:
	case SETTING_SIZE:
		settings_show(o, row->type, *(const uint64_t *)at);
		return;
	case SETTING_MAP:
	case SETTING_LIST:
	case SETTING_STRINGS:
		break;
	}
	CANT_HAPPEN("a setting that is no scalar");
}

static void print_value(const struct setting *row, const void *at, struct out *o, unsigned indent)
{
	if (row->type == SETTING_MAP) {
		out_str(o, row->of->n_rows == 0 ? " {}\n" : "\n");
		print_section(row->of, at, o, indent + 1, false);
	} else if (row->type == SETTING_LIST) {
		print_list(row, at, o, indent + 1);
	} else if (row->type == SETTING_STRINGS) {
		print_strings(at, o, indent + 1);
	} else {
		out_u8(o, ' ');
		settings_show_value(o, row, at);
		out_u8(o, '\n');
	}
}

/* first_in_place: the first key stands behind the "- " of its list. */
static void print_section(const struct settings_section *s, const void *from, struct out *o, unsigned indent,
			  bool first_in_place)
{
	for (size_t i = 0; i < s->n_rows; i++) {
		const struct setting *row = &s->rows[i];
		print_indent(o, i == 0 && first_in_place ? 0 : indent);
		out_fmt(o, "%s:", row->key);
		print_value(row, (const char *)from + row->offset, o, indent);
	}
	if (s->n_rows == 0 && first_in_place)
		out_str(o, "{}\n");
}

void settings_print(const struct settings_section *s, const void *from, struct out *o)
{
	print_section(s, from, o, 0, false);
}

/* --- the manual, in mdoc --- */

static void mdoc_text(struct out *o, const char *s)
{
	if (*s == '.' || *s == '\'')
		out_str(o, "\\&");
	for (; *s != 0; s++) {
		out_u8(o, (uint8_t)*s);
		if (*s == '\\')
			out_u8(o, 'e');
	}
}

static void manual_note(const char *path, settings_note_f *note, struct out *o)
{
	struct out text;
	out_init(&text, 4096);
	note(path, &text);
	if (out_len(&text) > 0) {
		mdoc_text(o, out_cstr(&text));
		out_u8(o, '\n');
	}
	out_fini(&text);
}

static void manual_row(const struct setting *row, const char *path, settings_note_f *note, struct out *o)
{
	struct out wanted;
	out_init(&wanted, 4096);
	settings_show_wanted(&wanted, row);
	out_fmt(o, ".It Ic %s\n", row->key);
	mdoc_text(o, row->manual);
	size_t n = strlen(row->manual);
	out_str(o, n > 0 && row->manual[n - 1] == '.' ? "\nTakes " : ".\nTakes ");
	mdoc_text(o, out_cstr(&wanted));
	if (row->def == NULL)
		out_str(o, "; must be given.\n");
	else if (row->of != NULL || row->type == SETTING_STRINGS)
		out_str(o, "; may be left out.\n");
	else if (*row->def == 0)
		out_str(o, "; empty when left out.\n");
	else {
		out_str(o, "; ");
		mdoc_text(o, row->def);
		out_str(o, " when left out.\n");
	}
	if (row->of == NULL && note != NULL)
		manual_note(path, note, o);
	out_fini(&wanted);
}

static void manual_section(const struct settings_section *s, const char *path, settings_note_f *note, struct out *o, unsigned depth)
{
	char below[256];
	assert(depth < 8); /* a table that contains itself */
	out_fmt(o, ".Ss %s\n.Bl -tag -width Ds\n", *path == 0 ? s->name : path);
	for (size_t i = 0; i < s->n_rows; i++) {
		snprintf(below, sizeof below, "%.120s%s%.120s", path, *path == 0 ? "" : ".", s->rows[i].key);
		manual_row(&s->rows[i], below, note, o);
	}
	out_str(o, ".El\n");
	for (size_t i = 0; i < s->n_rows; i++) {
		if (s->rows[i].of == NULL)
			continue;
		snprintf(below, sizeof below, "%.120s%s%.120s", path, *path == 0 ? "" : ".", s->rows[i].key);
		manual_section(s->rows[i].of, below, note, o, depth + 1);
	}
}

void settings_manual(const struct settings_section *s, settings_note_f *note, struct out *o)
{
	manual_section(s, "", note, o, 0);
}
