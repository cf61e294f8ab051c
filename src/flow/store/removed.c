/* removed.c - see removed.h. */
#include "flow/store/removed.h"

#include "base/mem.h"
#include "base/text.h"
#include "sys/folder.h"

enum { NAME = 100, HEX_MAX = 64 };

struct removed {
	struct env *env;
	struct file *index;
	uint64_t n;
	struct out json, line;
};

struct removed *removed_new(struct env *env)
{
	struct removed *r = mem_zero(sizeof *r);
	r->env = env;
	out_init(&r->json, SIZE_MAX / 2);
	out_init(&r->line, SIZE_MAX / 2);
	return r;
}

void removed_free(struct removed **r)
{
	if (*r == NULL)
		return;
	file_close(&(*r)->index);
	out_fini(&(*r)->json);
	out_fini(&(*r)->line);
	MEM_FREE(*r);
}

uint64_t removed_count(const struct removed *r)
{
	return r->n;
}

/* --- JSON: octets that are not printable ASCII as \u00XX --- */
static void json_text(struct out *o, struct view v)
{
	out_u8(o, '"');
	for (size_t i = 0; i < v.n; i++) {
		const uint8_t c = v.p[i];
		if (c == '"' || c == '\\')
			out_fmt(o, "\\%c", c);
		else if (c < 0x20 || c > 0x7e)
			out_fmt(o, "\\u%04x", c);
		else
			out_u8(o, c);
	}
	out_u8(o, '"');
}

static bool write_file(struct removed *r, const char *name, struct view octets, struct err *e)
{
	char path[NAME + 20];
	snprintf(path, sizeof path, "removed/%s", name);
	struct file *f = env_file_create(r->env, path, e);
	const bool ok = f != NULL && file_append(f, octets, e);
	file_close(&f);
	return ok;
}

/* The line of the index. */
static bool note(struct removed *r, const char *name, const char *what, const char *why, struct err *e)
{
	if (r->index == NULL && (r->index = env_file_create(r->env, "removed/index.jsonl", e)) == NULL)
		return false;
	out_clear(&r->line);
	out_str(&r->line, "{\"file\":");
	json_text(&r->line, view_str(name));
	out_str(&r->line, ",\"what\":");
	json_text(&r->line, view_str(what));
	out_str(&r->line, ",\"why\":");
	json_text(&r->line, view_str(why));
	out_str(&r->line, "}\n");
	return file_append(r->index, out_view(&r->line), e);
}

static bool put_value(struct removed *r, const char *base, const char *column, const struct tree_value *v, struct err *e)
{
	char name[NAME];
	struct out *o = &r->json;
	switch (v->type) {
	case TREE_NULL: out_str(o, "null"); return true;
	case TREE_INT: out_fmt(o, "%lld", (long long)v->i); return true;
	case TREE_REAL: out_fmt(o, "{\"real\":\"%016llx\"}", (unsigned long long)v->i); return true;
	case TREE_TEXT: json_text(o, v->v); return true;
	case TREE_BLOB: break;
	}
	if (v->v.n <= HEX_MAX) {
		out_str(o, "{\"hex\":\"");
		text_hex(o, v->v);
		out_str(o, v->cut ? "\",\"cut\":true}" : "\"}");
		return true;
	}
	snprintf(name, sizeof name, "%s.%.30s", base, column);
	out_fmt(o, "{\"octets\":%zu,\"file\":\"%s\"%s}", v->v.n, name, v->cut ? ",\"cut\":true" : "");
	return write_file(r, name, v->v, e);
}

static void begin(struct removed *r, const char *what, const char *why)
{
	r->n++;
	out_clear(&r->json);
	out_str(&r->json, "{\"what\":");
	json_text(&r->json, view_str(what));
	out_str(&r->json, ",\"why\":");
	json_text(&r->json, view_str(why));
}

bool removed_row(struct removed *r, const char *table, int64_t id, const struct shape *names, const struct tree_value *v, size_t n,
		 const char *why, struct err *e)
{
	char what[64], base[64], name[NAME], column[32];
	snprintf(what, sizeof what, "%.30s %lld", table, (long long)id);
	begin(r, what, why);
	snprintf(base, sizeof base, "%06llu-%.30s-%lld", (unsigned long long)r->n, table, (long long)id);
	out_str(&r->json, ",\"row\":{");
	for (size_t i = 0; i < n; i++) {
		snprintf(column, sizeof column, "column %zu", i);
		const char *called = names != NULL && i < names->n ? names->columns[i].name : column;
		out_fmt(&r->json, "%s\"%s\":", i == 0 ? "" : ",", called);
		if (!put_value(r, base, called, &v[i], e))
			return false;
	}
	out_str(&r->json, "}}\n");
	snprintf(name, sizeof name, "%s.json", base);
	return write_file(r, name, out_view(&r->json), e) && note(r, name, what, why, e);
}

bool removed_octets(struct removed *r, const char *what, struct view octets, const char *why, struct err *e)
{
	char name[NAME];
	snprintf(name, sizeof name, "%06llu-%.60s", (unsigned long long)++r->n, what);
	for (char *c = name; *c != 0; c++)
		if (*c == ' ' || *c == '/')
			*c = '-';
	return write_file(r, name, octets, e) && note(r, name, what, why, e);
}

bool removed_file(struct removed *r, const char *what, const char *path, const char *why, struct err *e)
{
	char name[NAME];
	struct out to;
	snprintf(name, sizeof name, "%06llu-%.60s", (unsigned long long)++r->n, what);
	for (char *c = name; *c != 0; c++)
		if (*c == ' ' || *c == '/')
			*c = '-';
	if (!note(r, name, what, why, e)) /* makes the folder, too */
		return false;
	out_init(&to, 1 << 16);
	out_fmt(&to, "%s/removed/%s", env_directory(r->env), name);
	const bool ok = folder_share_file(path, out_cstr(&to), e);
	out_fini(&to);
	return ok;
}
