/* check_testing.h - for tests of check and repair: a store made from a seed, damaged from a seed; its rows as text. Tests only. */
#pragma once
#include "base/hash.h"
#include "base/text.h"
#include "flow/store/store_play.h"
#include "sys/folder.h"

#include <fcntl.h>
#include <jansson.h>

enum { DAMAGE_PATH = 160, DAMAGE_IDS = 700 };

/* --- rows as text: table, then each value; sorted --- */
struct rows {
	char **v;
	size_t n, cap;
};

static inline void rows_add(struct rows *r, const char *text)
{
	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 256 : r->cap * 2;
		r->v = mem_grow(r->v, mem_mul(r->cap, sizeof *r->v));
	}
	r->v[r->n++] = mem_strdup(text);
}

static inline int rows_cmp(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static inline void rows_sort(struct rows *r)
{
	size_t n = 0;
	if (r->n > 0)
		qsort(r->v, r->n, sizeof *r->v, rows_cmp);
	for (size_t i = 0; i < r->n; i++) {
		if (n > 0 && strcmp(r->v[n - 1], r->v[i]) == 0)
			free(r->v[i]);
		else
			r->v[n++] = r->v[i];
	}
	r->n = n;
}

static inline void rows_free(struct rows *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i]);
	free(r->v);
	*r = (struct rows){0};
}

static inline bool rows_has(const struct rows *r, const char *text)
{
	return r->n > 0 && bsearch(&text, r->v, r->n, sizeof *r->v, rows_cmp) != NULL;
}

static inline void rows_value(struct out *o, int type, int64_t i, struct view v)
{
	static const char letters[] = "?irtbn"; /* by SQLite's types */
	out_fmt(o, "|%c", letters[type]);
	if (type == SQLITE_INTEGER || type == SQLITE_FLOAT)
		out_fmt(o, "%lld", (long long)i);
	else if (type != SQLITE_NULL)
		text_hex(o, v);
}

static inline void rows_of_statement(struct rows *r, const char *table, sqlite3_stmt *st)
{
	struct out o;
	out_init(&o, 1 << 26);
	while (sqlite3_step(st) == SQLITE_ROW) {
		out_clear(&o);
		out_str(&o, table);
		for (int i = 0; i < sqlite3_column_count(st); i++) {
			const int type = sqlite3_column_type(st, i);
			int64_t x = sqlite3_column_int64(st, i);
			const double real = sqlite3_column_double(st, i);
			if (type == SQLITE_FLOAT)
				memcpy(&x, &real, sizeof x);
			const bool octets = type == SQLITE_TEXT || type == SQLITE_BLOB;
			const uint8_t *p = octets ? sqlite3_column_blob(st, i) : NULL;
			rows_value(&o, type, x, view_of(p, octets ? (size_t)sqlite3_column_bytes(st, i) : 0));
		}
		rows_add(r, out_cstr(&o));
	}
	out_fini(&o);
}

/* Those whose rows must not get lost. The index of steps and the counters are made anew. */
static const struct {
	const char *name, *key;
} kept_tables[] = {
	{"queue", "no"}, {"message", "id"}, {"transfer", "id"}, {"delivery", "id"}, {"share", "message"},
	{"outcome", NULL}, {"step", "seq"}, {"suspect", NULL}, {"quarantine", "id"},
};
static const char *const made_tables[] = {"counter", "step_key", "step_filter"};

/* All that SQLite can read: table by table, and past what it cannot, id by id. */
static inline struct rows rows_of(const char *path, bool all)
{
	struct rows r = {0};
	sqlite3 *db;
	sqlite3_stmt *st;
	char sql[120];
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	for (size_t t = 0; t < ARRAY_LEN(kept_tables); t++) {
		snprintf(sql, sizeof sql, "select * from %s", kept_tables[t].name);
		if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK)
			rows_of_statement(&r, kept_tables[t].name, st);
		sqlite3_finalize(st);
		if (kept_tables[t].key == NULL || all)
			continue;
		snprintf(sql, sizeof sql, "select * from %s where %s = ?", kept_tables[t].name, kept_tables[t].key);
		const bool ok = sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK;
		for (int64_t id = 0; ok && id < DAMAGE_IDS; id++) {
			sqlite3_bind_int64(st, 1, id);
			rows_of_statement(&r, kept_tables[t].name, st);
			sqlite3_reset(st);
		}
		sqlite3_finalize(st);
	}
	for (size_t t = 0; all && t < ARRAY_LEN(made_tables); t++) {
		snprintf(sql, sizeof sql, "select * from %s", made_tables[t]);
		assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
		rows_of_statement(&r, made_tables[t], st);
		sqlite3_finalize(st);
	}
	sqlite3_close(db);
	rows_sort(&r);
	return r;
}

/* --- what is in removed/ --- */
static inline void removed_value(struct out *o, const char *folder, json_t *v)
{
	const char *hex = json_string_value(json_object_get(v, "hex")), *file = json_string_value(json_object_get(v, "file")),
		   *real = json_string_value(json_object_get(v, "real"));
	struct out octets;
	out_init(&octets, 1 << 26);
	if (json_is_integer(v)) {
		rows_value(o, SQLITE_INTEGER, json_integer_value(v), (struct view){NULL, 0});
	} else if (json_is_string(v)) {
		const unsigned char *s = (const unsigned char *)json_string_value(v);
		for (size_t i = 0; i < json_string_length(v); i++) { /* U+0080 to U+00FF are one octet each */
			const bool two = s[i] >= 0xc0;
			out_u8(&octets, two ? (uint8_t)((s[i] & 3) << 6 | (s[i + 1] & 0x3f)) : s[i]);
			i += two;
		}
		rows_value(o, SQLITE_TEXT, 0, out_view(&octets));
	} else if (real != NULL) {
		rows_value(o, SQLITE_FLOAT, (int64_t)strtoull(real, NULL, 16), (struct view){NULL, 0});
	} else if (hex != NULL) {
		assert_true(text_unhex(&octets, view_str(hex)));
		rows_value(o, SQLITE_BLOB, 0, out_view(&octets));
	} else if (file != NULL) {
		char path[300];
		snprintf(path, sizeof path, "%s/%s", folder, file);
		FILE *f = fopen(path, "rb");
		assert_non_null(f);
		for (int c; (c = fgetc(f)) != EOF;)
			out_u8(&octets, (uint8_t)c);
		fclose(f);
		rows_value(o, SQLITE_BLOB, 0, out_view(&octets));
	} else {
		assert_true(json_is_null(v));
		rows_value(o, SQLITE_NULL, 0, (struct view){NULL, 0});
	}
	out_fini(&octets);
}

/* The columns of a table in today's schema. */
static inline size_t columns_of_table(const char *table)
{
	extern const char store_schema[];
	sqlite3 *db;
	sqlite3_stmt *st;
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, store_schema, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "select count(*) from pragma_table_info(?)", -1, &st, NULL), SQLITE_OK);
	sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	const size_t n = (size_t)sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

/* A row that does not fit its table is kept as it lies on its page: its id beside it, missing columns missing. */
static inline void removed_row_of(struct rows *r, const char *folder, json_t *thing)
{
	struct out o;
	char table[64];
	const char *name;
	json_t *value;
	long long id = 0;
	size_t i = 0;
	if (sscanf(json_string_value(json_object_get(thing, "what")), "%63s %lld", table, &id) != 2)
		return;
	const size_t n = columns_of_table(table);
	const bool has_id = strcmp(table, "outcome") != 0 && strcmp(table, "suspect") != 0;
	out_init(&o, 1 << 26);
	out_str(&o, table);
	json_object_foreach(json_object_get(thing, "row"), name, value) {
		if (i < n && i == 0 && strcmp(name, "column 0") == 0 && has_id)
			rows_value(&o, SQLITE_INTEGER, id, (struct view){NULL, 0});
		else if (i < n)
			removed_value(&o, folder, value);
		i++;
	}
	for (; i < n; i++)
		rows_value(&o, i == 0 && has_id ? SQLITE_INTEGER : SQLITE_NULL, id, (struct view){NULL, 0});
	rows_add(r, out_cstr(&o));
	out_fini(&o);
}

static inline struct rows rows_removed(const char *copy)
{
	struct rows r = {0};
	char folder[DAMAGE_PATH + 20], path[500];
	snprintf(folder, sizeof folder, "%s/removed", copy);
	DIR *d = opendir(folder);
	for (struct dirent *entry; d != NULL && (entry = readdir(d)) != NULL;) {
		const size_t n = strlen(entry->d_name);
		json_error_t e;
		if (n < 5 || strcmp(entry->d_name + n - 5, ".json") != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		json_t *thing = json_load_file(path, JSON_ALLOW_NUL, &e);
		if (thing == NULL)
			fail_msg("%s: %s", path, e.text);
		removed_row_of(&r, folder, thing);
		json_decref(thing);
	}
	if (d != NULL)
		closedir(d);
	rows_sort(&r);
	return r;
}

/* --- folders --- */
/* Names and octets of all files: the order of a folder does not count. */
static inline uint64_t hash_folder(const char *path)
{
	uint64_t sum = 0;
	DIR *d = opendir(path);
	for (struct dirent *entry; d != NULL && (entry = readdir(d)) != NULL;) {
		char name[600];
		struct stat st;
		if (entry->d_name[0] == '.')
			continue;
		assert_true(snprintf(name, sizeof name, "%s/%s", path, entry->d_name) < (int)sizeof name);
		uint64_t h = hash_octets(HASH_START, view_str(entry->d_name));
		assert_int_equal(lstat(name, &st), 0);
		if (S_ISDIR(st.st_mode)) {
			sum += h + 31 * hash_folder(name);
			continue;
		}
		FILE *f = fopen(name, "rb");
		assert_non_null(f);
		uint8_t piece[4096];
		for (size_t n; (n = fread(piece, 1, sizeof piece, f)) > 0;)
			h = hash_octets(h, view_of(piece, n));
		fclose(f);
		sum += h;
	}
	if (d != NULL)
		closedir(d);
	return sum;
}

/* The store of one folder in another, as a kill would leave it. */
static inline void copy_store(const char *from, const char *to)
{
	struct err e;
	char a[400], b[400];
	static const char *const names[] = {"store.db", "store.db-wal"};
	assert_true(folder_make(to, &e));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(a, sizeof a, "%s/%s", from, names[i]);
		snprintf(b, sizeof b, "%s/%s", to, names[i]);
		if (access(a, F_OK) == 0 && !folder_copy_file(a, b, UINT64_MAX, &e))
			fail_msg("%s", e.text);
	}
	snprintf(a, sizeof a, "%s/content", from);
	snprintf(b, sizeof b, "%s/content", to);
	DIR *d = opendir(a);
	if (d == NULL)
		return;
	assert_true(folder_make(b, &e));
	for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
		char file_a[700], file_b[700];
		snprintf(file_a, sizeof file_a, "%s/%s", a, entry->d_name);
		snprintf(file_b, sizeof file_b, "%s/%s", b, entry->d_name);
		if (entry->d_name[0] != '.' && !folder_copy_file(file_a, file_b, UINT64_MAX, &e))
			fail_msg("%s", e.text);
	}
	closedir(d);
}

/* --- damage --- */
/* The k-th content file, by name; false: there are not so many. */
static inline bool content_name(const char *folder, size_t k, char path_r[700])
{
	char content[400];
	snprintf(content, sizeof content, "%s/content", folder);
	struct dirent **entries;
	const int n = scandir(content, &entries, NULL, alphasort);
	bool found = false;
	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.' && k-- == 0) {
			snprintf(path_r, 700, "%s/%s", content, entries[i]->d_name);
			found = true;
		}
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return found;
}

static inline void damage_octets(struct dice *d, const char *path, bool page)
{
	struct stat st;
	const int fd = open(path, O_RDWR);
	if (fd < 0 || fstat(fd, &st) != 0 || st.st_size == 0) {
		if (fd >= 0)
			close(fd);
		return;
	}
	const size_t times = 1 + dice_below(d, 6);
	for (size_t i = 0; i < times; i++) {
		uint8_t octets[8192];
		const size_t n = page ? sizeof octets : 1 + dice_below(d, 4);
		off_t at = (off_t)dice_below(d, (size_t)st.st_size);
		if (page)
			at -= at % 8192;
		const bool zero = dice_coin(d);
		for (size_t k = 0; k < n; k++)
			octets[k] = zero ? 0 : (uint8_t)dice_next(d);
		assert_true(pwrite(fd, octets, n, at) == (ssize_t)n);
		if (page && dice_coin(d))
			break;
	}
	close(fd);
}

static inline void damage_cut(struct dice *d, const char *path)
{
	struct stat st;
	if (stat(path, &st) == 0 && st.st_size > 0)
		assert_int_equal(truncate(path, (off_t)dice_below(d, (size_t)st.st_size)), 0);
}

static inline void damage_content(struct dice *d, const char *folder)
{
	char path[700];
	if (dice_below(d, 4) == 0) {
		snprintf(path, sizeof path, "%s/content", folder);
		(void)!mkdir(path, 0700);
		snprintf(path, sizeof path, "%s/content/%s", folder, dice_coin(d) ? "00000000000000ee" : "stray..file");
	} else if (!content_name(folder, dice_below(d, 5), path)) {
		return;
	}
	switch (dice_below(d, 3)) {
	case 0: (void)unlink(path); break;
	case 1: damage_cut(d, path); break;
	default: {
		FILE *f = fopen(path, "ab");
		assert_non_null(f);
		fputs("more than there was", f);
		fclose(f);
	}
	}
}

/* Columns that hold something worth a change, of any table. */
static inline void damage_sql(struct dice *d, const char *path)
{
	static const char *const columns[] = {
		"message.id", "message.parts", "message.kind", "message.priority", "message.arrived", "message.expires",
		"message.size", "message.file", "message.mts_id", "message.envelope", "message.recipients", "message.content",
		"transfer.id", "transfer.message", "transfer.queue", "transfer.priority", "transfer.next", "transfer.attempts",
		"transfer.alone", "transfer.recipients", "transfer.arrived", "transfer.expires", "transfer.size", "delivery.id",
		"delivery.message", "delivery.recipient", "delivery.alone", "delivery.size", "share.message", "share.remaining",
		"share.size", "outcome.message", "outcome.transfer", "outcome.state", "queue.no", "counter.value", "step.seq",
		"step.mts_id", "step.digest", "step.key", "step_key.key", "step_key.seq", "step_filter.bits", "quarantine.id",
		"quarantine.message", "quarantine.state", "quarantine.octets", "quarantine.recipients", "quarantine.alone",
		"quarantine.size", "suspect.strikes",
	};
	static const char *const values[] = {"0", "-1", "7", "32768", "4294967297", "9223372036854775807", "'text'", "x'0102'", "1.5",
					     "NAME + 1", "NAME - 1", "substr(NAME, 1, length(NAME) / 2)", "NAME || x'00'"};
	char table[32], column[32], value[100], sql[400];
	const char *both = columns[dice_below(d, ARRAY_LEN(columns))], *template = values[dice_below(d, ARRAY_LEN(values))];
	const char *dot = strchr(both, '.'), *name = strstr(template, "NAME");
	snprintf(table, sizeof table, "%.*s", (int)(dot - both), both);
	snprintf(column, sizeof column, "%s", dot + 1);
	if (strncmp(template, "substr", 6) == 0)
		snprintf(value, sizeof value, "substr(%s, 1, length(%s) / 2)", column, column);
	else if (name != NULL)
		snprintf(value, sizeof value, "%s%s", column, name + 4);
	else
		snprintf(value, sizeof value, "%s", template);
	const unsigned every = 1 + (unsigned)dice_below(d, 5);
	if (dice_below(d, 3) == 0)
		snprintf(sql, sizeof sql, "delete from %s where abs(%s) %% %u = 0", table, column, every);
	else
		snprintf(sql, sizeof sql, "update or ignore %s set %s = %s where abs(%s) %% %u = 0", table, column, value, column, every);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_exec(db, sql, NULL, NULL, NULL); /* may be refused: then it is whole */
	sqlite3_close(db);
}

static inline void damage_store(struct dice *d, const char *folder)
{
	char db[400], log[400];
	snprintf(db, sizeof db, "%s/store.db", folder);
	snprintf(log, sizeof log, "%s/store.db-wal", folder);
	switch (dice_below(d, 12)) {
	case 0: damage_octets(d, db, true); break;
	case 1:
	case 2: damage_octets(d, db, false); break;
	case 3: damage_cut(d, db); break;
	case 4: damage_octets(d, log, false); break;
	case 5: damage_cut(d, log); break;
	case 6: damage_content(d, folder); break;
	default: damage_sql(d, db); break;
	}
}
