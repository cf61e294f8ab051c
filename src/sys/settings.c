/* settings.c - YAML to structs by the schema's table. See settings.h.
 * libyaml gives events; what the schema does not ask for is refused where it stands, so nothing is kept unread. */
#include "sys/settings_unit.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdarg.h>
#include <yaml.h>

enum {
	FILE_MAX = 4 << 20,  /* of text: processes get all settings printed, and a thousand links are 1.6 M then */
	LIST_MAX = 65536,
	NEAR_MAX = 3,        /* of distance: more is another word */
};

struct reader {
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
	bool has_event;
	struct view text;
	const char *name;
	struct arena *arena;
	struct err *e;
};

/* One sentence with where it is. */
static bool fail_at(struct reader *r, yaml_mark_t at, const char *fmt, ...) PRINTF_LIKE(3, 4);

static bool fail_at(struct reader *r, yaml_mark_t at, const char *fmt, ...)
{
	char text[200];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return err_set(r->e, ERR_LOCAL, ERR_OF_PROCESS, "%.100s:%zu:%zu: %s", r->name, at.line + 1, at.column + 1, text);
}

static bool fail_memory(struct reader *r)
{
	return fail_at(r, r->event.start_mark, "the settings need more memory than they may have");
}

/* libyaml's words for what a person gets wrong most are about tokens; say it as it looks in the file. */
static bool fail_syntax(struct reader *r)
{
	const yaml_parser_t *p = &r->parser;
	yaml_mark_t at = p->problem_mark;
	const char *line = (const char *)r->text.p;
	for (size_t n = 0; n < at.line && line != NULL; n++) {
		line = memchr(line, '\n', r->text.n - (size_t)(line - (const char *)r->text.p));
		line = line == NULL ? NULL : line + 1;
	}
	size_t rest = line == NULL ? 0 : r->text.n - (size_t)(line - (const char *)r->text.p);
	for (size_t i = 0; i < rest && (line[i] == ' ' || line[i] == '\t'); i++)
		if (line[i] == '\t') {
			at.column = i;
			return fail_at(r, at, "a tab: indent with spaces");
		}
	if (p->problem == NULL)
		return fail_at(r, at, "not YAML");
	return fail_at(r, at, "not YAML: %s%s%s", p->context == NULL ? "" : p->context,
		       p->context == NULL ? "" : ", ", p->problem);
}

/* The next event, with what no settings file needs refused: aliases, anchors, tags. */
static bool next(struct reader *r)
{
	if (r->has_event)
		yaml_event_delete(&r->event);
	r->has_event = false;
	if (!yaml_parser_parse(&r->parser, &r->event))
		return fail_syntax(r);
	r->has_event = true;
	const yaml_event_t *v = &r->event;
	const yaml_char_t *anchor = NULL, *tag = NULL;
	if (v->type == YAML_SCALAR_EVENT)
		anchor = v->data.scalar.anchor, tag = v->data.scalar.tag;
	else if (v->type == YAML_SEQUENCE_START_EVENT)
		anchor = v->data.sequence_start.anchor, tag = v->data.sequence_start.tag;
	else if (v->type == YAML_MAPPING_START_EVENT)
		anchor = v->data.mapping_start.anchor, tag = v->data.mapping_start.tag;
	if (v->type == YAML_ALIAS_EVENT || anchor != NULL)
		return fail_at(r, v->start_mark, "anchors and aliases (& and *) are not used here: write the value out");
	if (tag != NULL)
		return fail_at(r, v->start_mark, "tags (!) are not used here");
	return true;
}

static bool reader_open(struct reader *r, struct view text, const char *name, struct arena *a, struct err *e)
{
	*r = (struct reader){ .text = text, .name = name, .arena = a, .e = e };
	if (!yaml_parser_initialize(&r->parser))
		CANT_HAPPEN("no memory for the YAML parser");
	yaml_parser_set_input_string(&r->parser, text.p == NULL ? (const uint8_t *)"" : text.p, text.n);
	return true;
}

static void reader_close(struct reader *r)
{
	if (r->has_event)
		yaml_event_delete(&r->event);
	yaml_parser_delete(&r->parser);
}

/* --- scalars --- */

struct scalar {
	struct view text;
	bool plain; /* without quotes */
	yaml_mark_t at;
};

static const char *event_word(const yaml_event_t *v)
{
	return v->type == YAML_MAPPING_START_EVENT ? "a mapping" :
	       v->type == YAML_SEQUENCE_START_EVENT ? "a list" : "nothing";
}

static bool fail_wanted(struct reader *r, const struct setting *row, yaml_mark_t at, const char *found)
{
	struct out wanted;
	out_init(&wanted, 4096);
	settings_show_wanted(&wanted, row);
	fail_at(r, at, "%s: found %s, want %s", row->key, found, out_cstr(&wanted));
	out_fini(&wanted);
	return false;
}

static bool fail_scalar(struct reader *r, const struct setting *row, const struct scalar *s)
{
	char found[200], quoted[208];
	text_escaped(found, sizeof found, s->text);
	snprintf(quoted, sizeof quoted, "\"%s\"", found);
	return fail_wanted(r, row, s->at, s->text.n == 0 && s->plain ? "nothing" : quoted);
}

/* Names and all other texts come to terminals: what is not seen there is in none of them. */
static bool has_hidden(struct view v)
{
	while (v.n > 0) {
		uint32_t c = 0;
		const size_t n = text_utf8(v, &c);
		if (n == 0 || text_is_hidden(c))
			return true;
		v = view_from(v, n);
	}
	return false;
}

static bool fail_hidden(struct reader *r, const struct setting *row, const struct scalar *s)
{
	char found[200], quoted[260];
	text_escaped(found, sizeof found, s->text);
	snprintf(quoted, sizeof quoted, "\"%s\", which has a character that is not seen", found);
	return fail_wanted(r, row, s->at, quoted);
}

static bool length_ok(const struct setting *row, size_t n)
{
	return n >= row->min && (row->max == 0 || n <= row->max);
}

static bool is_null(const struct scalar *s)
{
	return s->plain && (s->text.n == 0 || view_eq(s->text, VIEW("~")) || view_eq(s->text, VIEW("null")));
}

static bool read_string(struct reader *r, const struct setting *row, const struct scalar *s, const char **into)
{
	if (has_hidden(s->text))
		return fail_hidden(r, row, s);
	if (is_null(s) || !length_ok(row, s->text.n))
		return fail_scalar(r, row, s);
	*into = arena_str(r->arena, s->text);
	return *into != NULL || fail_memory(r);
}

static bool read_selector(struct reader *r, const struct setting *row, const struct scalar *s, struct view *into)
{
	struct out octets;
	out_init(&octets, FILE_MAX);
	bool ok = !is_null(s);
	if (ok && s->plain && s->text.n >= 2 && s->text.p[0] == '0' && (s->text.p[1] | 0x20) == 'x')
		ok = text_unhex(&octets, view_from(s->text, 2));
	else
		out_bytes(&octets, s->text);
	ok = ok && length_ok(row, out_len(&octets));
	if (ok)
		*into = arena_copy(r->arena, out_view(&octets));
	out_fini(&octets);
	if (!ok)
		return fail_scalar(r, row, s);
	return !arena_full(r->arena) || fail_memory(r);
}

static bool read_number(struct reader *r, const struct setting *row, const struct scalar *s, uint64_t *into)
{
	uint64_t x;
	bool ok = row->type == SETTING_UINT ? text_uint(s->text, UINT64_MAX, &x) :
		  row->type == SETTING_SIZE ? settings_size(s->text, &x) : settings_duration(s->text, &x);
	if (!ok || x < row->min || (row->max != 0 && x > row->max))
		return fail_scalar(r, row, s);
	*into = x;
	return true;
}

static bool read_bool(struct reader *r, const struct setting *row, const struct scalar *s, bool *into)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on" };
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (view_eq_nocase(s->text, view_str(words[i]))) {
			*into = i % 2 == 1;
			return true;
		}
	return fail_scalar(r, row, s);
}

/* The word nearest to text, NULL when none is near. */
static const char *nearest(struct view text, const char *const *words, size_t n)
{
	char own[65];
	snprintf(own, sizeof own, "%.*s", (int)(text.n < 64 ? text.n : 64), (const char *)text.p);
	const char *best = NULL;
	size_t best_distance = NEAR_MAX + 1;
	for (size_t i = 0; i < n; i++) {
		size_t d = text_distance(own, words[i]);
		if (d < best_distance && d < strlen(words[i])) {
			best = words[i];
			best_distance = d;
		}
	}
	return best;
}

static bool read_enum(struct reader *r, const struct setting *row, const struct scalar *s, unsigned *into)
{
	unsigned n = 0;
	for (; row->words[n] != NULL; n++)
		if (view_eq(s->text, view_str(row->words[n]))) {
			*into = n;
			return true;
		}
	char found[64];
	const char *near = nearest(s->text, row->words, n);
	if (near == NULL)
		return fail_scalar(r, row, s);
	return fail_at(r, s->at, "%s: found \"%s\"; did you mean \"%s\"?", row->key,
		       text_escaped(found, sizeof found, s->text), near);
}

static bool read_scalar(struct reader *r, const struct setting *row, const struct scalar *s, void *into)
{
	switch (row->type) {
	case SETTING_STRING:
		return read_string(r, row, s, into);
	case SETTING_UINT:
	case SETTING_DURATION_MS:
	case SETTING_SIZE:
		return read_number(r, row, s, into);
	case SETTING_BOOL:
		return read_bool(r, row, s, into);
	case SETTING_ENUM:
		return read_enum(r, row, s, into);
	case SETTING_SELECTOR:
		return read_selector(r, row, s, into);
	case SETTING_STRINGS:
	case SETTING_MAP:
	case SETTING_LIST:
		return fail_scalar(r, row, s);
	}
	CANT_HAPPEN("setting type out of range");
}

static struct scalar scalar_of(const yaml_event_t *v)
{
	return (struct scalar){ view_of(v->data.scalar.value, v->data.scalar.length),
				v->data.scalar.style == YAML_PLAIN_SCALAR_STYLE, v->start_mark };
}

/* --- lists and mappings --- */

static bool read_mapping(struct reader *r, const struct settings_section *s, void *into);

const char *settings_place_of(const struct setting_place *place, const char *file, char at_r[SETTINGS_PLACE_MAX])
{
	if (place->line > 0)
		snprintf(at_r, SETTINGS_PLACE_MAX, "%.100s:%u:%u", file, place->line, place->column);
	else
		snprintf(at_r, SETTINGS_PLACE_MAX, "%.100s", file);
	return at_r;
}

const char *settings_place(const struct setting_list *list, size_t i, const char *file, char at_r[SETTINGS_PLACE_MAX])
{
	static const struct setting_place none = { 0 };
	return settings_place_of(list->places != NULL ? &list->places[i] : &none, file, at_r);
}

static struct setting_place place_at(yaml_mark_t at)
{
	return (struct setting_place){ (unsigned)at.line + 1, (unsigned)at.column + 1 };
}

/* Room for one more of `size` behind n; the arena keeps the smaller ones, which is half at most. */
static const void *grown(struct reader *r, const void *old, size_t n, size_t size)
{
	if ((n & (n - 1)) != 0)
		return old;
	void *more = arena_array(r->arena, n == 0 ? 1 : n * 2, size);
	if (more != NULL && n > 0)
		memcpy(more, old, n * size);
	return more;
}

static void *list_add(struct reader *r, struct setting_list *list, size_t size)
{
	void *v = (void *)(uintptr_t)grown(r, list->v, list->n, size);
	struct setting_place *places = (void *)(uintptr_t)grown(r, list->places, list->n, sizeof *places);
	if (v == NULL || places == NULL)
		return NULL;
	places[list->n] = place_at(r->event.start_mark);
	list->v = v;
	list->places = places;
	return (char *)v + list->n++ * size;
}

static bool read_item(struct reader *r, const struct setting *row, struct setting_list *list)
{
	bool strings = row->type == SETTING_STRINGS;
	enum yaml_event_type_e want = strings ? YAML_SCALAR_EVENT : YAML_MAPPING_START_EVENT;
	if (r->event.type != want) {
		char found[64] = "a list";
		if (r->event.type == YAML_SCALAR_EVENT)
			snprintf(found, sizeof found, "\"%.40s\"", (const char *)r->event.data.scalar.value);
		return fail_at(r, r->event.start_mark, "%s: found %s in the list, want %s", row->key,
			       r->event.type == YAML_MAPPING_START_EVENT ? "a mapping" : found,
			       strings ? "text" : "a mapping");
	}
	if (list->n == LIST_MAX)
		return fail_at(r, r->event.start_mark, "%s: the list has more than %d elements", row->key, LIST_MAX);
	void *into = list_add(r, list, strings ? sizeof(char *) : row->of->size);
	if (into == NULL)
		return fail_memory(r);
	struct scalar s = strings ? scalar_of(&r->event) : (struct scalar){ 0 };
	return strings ? read_string(r, row, &s, into) : read_mapping(r, row->of, into);
}

/* The current event begins the value. */
static bool read_value(struct reader *r, const struct setting *row, void *into)
{
	const yaml_event_t *v = &r->event;
	if (v->type == YAML_SCALAR_EVENT) {
		struct scalar s = scalar_of(v);
		return read_scalar(r, row, &s, into);
	}
	bool lists = row->type == SETTING_LIST || row->type == SETTING_STRINGS;
	if (lists && v->type == YAML_SEQUENCE_START_EVENT) {
		struct setting_list *list = into;
		*list = (struct setting_list){ 0 };
		for (;;) {
			if (!next(r))
				return false;
			if (v->type == YAML_SEQUENCE_END_EVENT)
				return true;
			if (!read_item(r, row, list))
				return false;
		}
	}
	if (row->type == SETTING_MAP && v->type == YAML_MAPPING_START_EVENT)
		return read_mapping(r, row->of, into);
	return fail_wanted(r, row, v->start_mark, event_word(v));
}

/* The default as if it stood in the file where its section begins. */
static bool read_default(struct reader *r, const struct setting *row, yaml_mark_t at, void *into)
{
	char first = *row->def;
	bool is_scalar = row->type != SETTING_MAP && row->type != SETTING_LIST && row->type != SETTING_STRINGS;
	if (is_scalar && first != '"' && first != '\'') {
		struct scalar s = { view_str(row->def), *row->def != 0, at };
		return read_scalar(r, row, &s, into);
	}
	char name[128];
	snprintf(name, sizeof name, "%.60s:%zu (default of %.30s)", r->name, at.line + 1, row->key);
	struct reader sub;
	bool ok = reader_open(&sub, view_str(row->def), name, r->arena, r->e) && next(&sub) && next(&sub) &&
		  next(&sub) && read_value(&sub, row, into);
	reader_close(&sub);
	return ok;
}

static bool fail_key(struct reader *r, const struct settings_section *s, struct view key)
{
	char found[64];
	const char *keys[128];
	size_t n = s->n_rows < ARRAY_LEN(keys) ? s->n_rows : ARRAY_LEN(keys);
	for (size_t i = 0; i < n; i++)
		keys[i] = s->rows[i].key;
	const char *near = nearest(key, keys, n);
	text_escaped(found, sizeof found, key);
	if (near == NULL)
		return fail_at(r, r->event.start_mark, "unknown key \"%s\" in %s", found, s->name);
	return fail_at(r, r->event.start_mark, "unknown key \"%s\" in %s; did you mean \"%s\"?", found, s->name, near);
}

/* lines[i]: 1 + the line where row i was given, 0: not yet. */
static bool read_pair(struct reader *r, const struct settings_section *s, size_t *lines, void *into)
{
	if (r->event.type != YAML_SCALAR_EVENT)
		return fail_at(r, r->event.start_mark, "found %s as a key in %s, want a word", event_word(&r->event),
			       s->name);
	struct view key = scalar_of(&r->event).text;
	size_t i = 0;
	while (i < s->n_rows && !view_eq(key, view_str(s->rows[i].key)))
		i++;
	if (i == s->n_rows)
		return fail_key(r, s, key);
	if (lines[i] != 0)
		return fail_at(r, r->event.start_mark, "key \"%s\" is given twice, first in line %zu", s->rows[i].key,
			       lines[i]);
	lines[i] = r->event.start_mark.line + 1;
	if (!next(r))
		return false;
	if (s->rows[i].place > 0)
		*(struct setting_place *)(void *)((char *)into + s->rows[i].place) = place_at(r->event.start_mark);
	return read_value(r, &s->rows[i], (char *)into + s->rows[i].offset);
}

static bool fill_defaults(struct reader *r, const struct settings_section *s, const size_t *lines, yaml_mark_t at,
			  void *into)
{
	for (size_t i = 0; i < s->n_rows; i++) {
		const struct setting *row = &s->rows[i];
		if (lines[i] != 0)
			continue;
		if (row->def == NULL)
			return fail_at(r, at, "key \"%s\" is missing in %s", row->key, s->name);
		if (!read_default(r, row, at, (char *)into + row->offset))
			return false;
	}
	return true;
}

/* The current event is the mapping's start; ends on its end. */
static bool read_mapping(struct reader *r, const struct settings_section *s, void *into)
{
	yaml_mark_t at = r->event.start_mark;
	size_t *lines = arena_array(r->arena, s->n_rows, sizeof *lines);
	if (lines == NULL)
		return fail_memory(r);
	for (;;) {
		if (!next(r))
			return false;
		if (r->event.type == YAML_MAPPING_END_EVENT)
			return fill_defaults(r, s, lines, at, into);
		if (!read_pair(r, s, lines, into))
			return false;
	}
}

static bool read_empty(struct reader *r, const struct settings_section *s, void *into)
{
	size_t *lines = arena_array(r->arena, s->n_rows, sizeof *lines);
	if (lines == NULL)
		return fail_memory(r);
	return fill_defaults(r, s, lines, (yaml_mark_t){ 0, 0, 0 }, into);
}

static bool read_document(struct reader *r, const struct settings_section *s, void *into)
{
	if (!next(r) || !next(r)) /* the stream's and the document's start */
		return false;
	if (r->event.type == YAML_STREAM_END_EVENT)
		return read_empty(r, s, into);
	if (!next(r))
		return false;
	if (r->event.type != YAML_MAPPING_START_EVENT)
		return fail_at(r, r->event.start_mark, "the file is no list of \"key: value\"");
	if (!read_mapping(r, s, into) || !next(r) || !next(r)) /* the document's end */
		return false;
	if (r->event.type != YAML_STREAM_END_EVENT)
		return fail_at(r, r->event.start_mark, "a second document (---): one file is one set of settings");
	return true;
}

bool settings_read(const struct settings_section *s, struct view yaml, const char *name, void *into, struct arena *a,
		   struct err *e)
{
	if (yaml.n > FILE_MAX)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%.100s: the file has %zu octets, at most %d are read", name,
			       yaml.n, FILE_MAX);
	struct reader r;
	bool ok = reader_open(&r, yaml, name, a, e) && read_document(&r, s, into);
	reader_close(&r);
	return ok;
}
