/* settings.h - one YAML file, read by a schema (libyaml; the schema is one table, proc/table/settings_table.h).
 * Unknown keys, wrong types and values out of range are errors with line, column and "did you mean".
 * The canonical print reads back to the same settings. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/out.h"

enum setting_type {
	SETTING_STRING, SETTING_UINT, SETTING_BOOL, SETTING_DURATION_MS, /* "30 s", "10 min", "2 d"; plain numbers are seconds */
	SETTING_SIZE,   /* octets: "64 K", "10 M" */
	SETTING_ENUM,   /* into an unsigned: index in `words` */
	SETTING_SELECTOR, /* text, or hex as 0x..., into a struct view */
	SETTING_STRINGS,  /* a list of strings */
	SETTING_MAP,      /* a nested mapping: `of` */
	SETTING_LIST,     /* a list of mappings: `of` */
};

struct setting {
	const char *key;
	enum setting_type type;
	size_t offset;         /* in the C struct of the section: const char *, uint64_t, bool, uint64_t ms, uint64_t octets,
				* unsigned, struct view, struct setting_list (of const char * or of structs), the struct itself */
	const char *def;       /* default as text in YAML form; NULL: must be given */
	uint64_t min, max;     /* UINT, DURATION_MS, SIZE, length of STRING */
	const char *const *words; /* ENUM, NULL-terminated */
	const struct settings_section *of;
	const char *manual;    /* the sentence of the manual page */
	size_t place;          /* STRING: of a struct setting_place in the C struct, which is told where the value stands; 0: nobody asks */
};

struct settings_section {
	const char *name;
	size_t size; /* of the C struct */
	const struct setting *rows;
	size_t n_rows;
};

struct setting_place { unsigned line, column; }; /* line 0: it was not read from a file */

struct setting_list {
	void *v;
	size_t n;
	const struct setting_place *places; /* where in the file each element begins */
};

enum { SETTINGS_PLACE_MAX = 140 };
/* "FILE:LINE:COLUMN" of an element, into at_r; returns it. What was not read from a file has the file's name alone. */
const char *settings_place(const struct setting_list *list, size_t i, const char *file, char at_r[SETTINGS_PLACE_MAX]);
/* The same of a value that has a place. */
const char *settings_place_of(const struct setting_place *place, const char *file, char at_r[SETTINGS_PLACE_MAX]);

/* Text to the section's struct; everything lives in the arena. name: of the file, for messages. Fails with the first error as one
 * sentence "FILE:LINE:COLUMN: ...". */
MUST_CHECK bool settings_read(const struct settings_section *s, struct view yaml, const char *name, void *into,
			      struct arena *a, struct err *e);

/* Every key with its value, defaults too, in the order of the table. */
void settings_print(const struct settings_section *s, const void *from, struct out *o);

/* The manual's section in mdoc: key, sentence, type, range, default; then what note (NULL: nothing) says of the setting of that path ("links.name"),
 * a sentence, or nothing. Not of mappings and their lists. */
typedef void settings_note_f(const char *path, struct out *o);
void settings_manual(const struct settings_section *s, settings_note_f *note, struct out *o);
