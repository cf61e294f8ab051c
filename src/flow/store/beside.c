/* beside.c - see beside.h. */
#include "flow/store/beside.h"

#include "base/fault.h"
#include "base/mem.h"
#include "base/out.h"
#include "base/text.h"
#include "sys/folder.h"

#include <stdio.h>
#include <unistd.h>

enum { TRIES = 50 }; /* a generation is replaced at a start, and once a day */

static const struct kind {
	const char *folder, *file; /* how their names begin */
	enum beside_when when;
	bool generations;          /* file.N, of lines; else any file, in folders too */
} kinds[] = {
	{ "interchange-", "taken.", BESIDE_BEFORE, true },
	{ "interchange-", "sent.", BESIDE_AFTER, true },
	{ "interchange-", "strikes.", BESIDE_AFTER, true },
	{ "mover-", "", BESIDE_AFTER, false },
};

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool ends(const char *text, const char *with)
{
	const size_t n = strlen(text), m = strlen(with);
	return n >= m && strcmp(text + n - m, with) == 0;
}

/* One step of a path: nothing hidden, nothing that a line or a terminal would take for something else. */
static bool step_ok(const char *step)
{
	for (const char *c = step; *c != 0; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f || *c == '/')
			return false;
	return step[0] != 0 && step[0] != '.';
}

static bool file_ok(const struct kind *k, const char *file)
{
	uint64_t number;
	if (!step_ok(file))
		return false;
	if (k->generations)
		return begins(file, k->file) && text_uint(view_str(file + strlen(k->file)), 999999999, &number);
	return !ends(file, ".status") && !ends(file, ".new");
}

static bool path_ok(const struct kind *k, char *name)
{
	char *file = strchr(name, '/'), *below = file == NULL ? NULL : strchr(file + 1, '/');
	if (file == NULL || !begins(name, k->folder) || (below != NULL && k->generations))
		return false;
	*file++ = 0;
	if (below != NULL)
		*below++ = 0;
	return step_ok(name) && (below == NULL ? file_ok(k, file) : step_ok(file) && file_ok(k, below));
}

bool beside_name_ok(struct view name)
{
	char text[BESIDE_NAME_MAX];
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (name.n == 0 || name.n >= sizeof text || memchr(name.p, 0, name.n) != NULL)
			return false;
		memcpy(text, name.p, name.n);
		text[name.n] = 0;
		if (path_ok(&kinds[i], text))
			return true;
	}
	return false;
}

bool beside_make_folders(const char *to, const char *name, struct err *e)
{
	struct out path;
	bool ok = true;
	out_init(&path, 1 << 16);
	for (const char *slash = strchr(name, '/'); ok && slash != NULL; slash = strchr(slash + 1, '/')) {
		out_clear(&path);
		out_fmt(&path, "%s/%.*s", to, (int)(slash - name), name);
		ok = folder_has(out_cstr(&path)) || folder_make(out_cstr(&path), e);
	}
	out_fini(&path);
	return ok;
}

static void add(struct beside *b, const char *folder, const char *name)
{
	char text[BESIDE_NAME_MAX];
	if (b->n == b->cap) {
		b->cap = b->cap == 0 ? 16 : mem_mul(b->cap, 2);
		b->names = mem_grow(b->names, mem_mul(b->cap, sizeof *b->names));
	}
	const int n = snprintf(text, sizeof text, "%s%s%s", folder, *folder == 0 ? "" : "/", name);
	if (n > 0 && (size_t)n < sizeof text) /* a name has 255 octets at most, and there are three */
		b->names[b->n++] = mem_dup(text, (size_t)n + 1);
}

static void forget(struct beside *b, size_t from)
{
	while (b->n > from)
		free(b->names[--b->n]);
}

void beside_fini(struct beside *b)
{
	forget(b, 0);
	MEM_FREE(b->names);
	b->cap = 0;
}

/* --- looking --- */
struct look {
	const struct kind *kind;
	const char *folder;        /* that it is in, below the store's; "" */
	struct beside *files, *folders;
};

static void on_entry(void *ctx, const char *name, bool is_folder)
{
	const struct look *l = ctx;
	if (is_folder && *l->folder == 0) {
		if (begins(name, l->kind->folder) && step_ok(name))
			add(l->folders, "", name);
	} else if (is_folder) {
		if (!l->kind->generations && l->folders != NULL && step_ok(name))
			add(l->folders, l->folder, name);
	} else if (*l->folder != 0 && file_ok(l->kind, name)) {
		add(l->files, l->folder, name);
	}
}

/* What is in one folder of theirs, with what is in folders below it. */
static bool look_into(const struct kind *k, const char *from, const char *folder, bool below, struct beside *files, struct err *e)
{
	struct beside folders = { .n = 0 };
	struct look l = { k, folder, files, below ? &folders : NULL };
	struct out path;
	out_init(&path, 1 << 16);
	out_fmt(&path, "%s/%s", from, folder);
	bool ok = !folder_has(out_cstr(&path)) || folder_list(out_cstr(&path), on_entry, &l, e);
	for (size_t i = 0; ok && i < folders.n; i++)
		ok = look_into(k, from, folders.names[i], false, files, e);
	out_fini(&path);
	beside_fini(&folders);
	return ok;
}

/* --- copying --- */
static bool copy_one(const struct kind *k, const char *from, const char *to, const char *name, bool *there_r, struct err *e)
{
	struct out a, b;
	out_init(&a, 1 << 16);
	out_init(&b, 1 << 16);
	out_fmt(&a, "%s/%s", from, name);
	out_fmt(&b, "%s/%s", to, name);
	const bool ok = beside_make_folders(to, name, e) && folder_take_file(out_cstr(&a), out_cstr(&b), k->generations, there_r, e);
	out_fini(&a);
	out_fini(&b);
	return ok;
}

static void take_back(const char *to, const struct beside *files, size_t n)
{
	struct out path;
	out_init(&path, 1 << 16);
	for (size_t i = 0; i < n; i++) {
		out_clear(&path);
		out_fmt(&path, "%s/%s", to, files->names[i]);
		(void)!unlink(out_cstr(&path)); /* else it cannot be made again, and that is told */
	}
	out_fini(&path);
}

/* All that was there when it was looked for, or nothing (*whole_r): what has gone since may be in a file that was not there then. */
static bool copy_all(const struct kind *k, const char *from, const char *to, const struct beside *files, bool *whole_r, struct err *e)
{
	*whole_r = true;
	for (size_t i = 0; i < files->n; i++) {
		if (!copy_one(k, from, to, files->names[i], whole_r, e))
			return false;
		*whole_r = *whole_r && !FAULT(BACKUP_BESIDE);
		if (!*whole_r) {
			take_back(to, files, i + 1);
			return true;
		}
	}
	return true;
}

static bool copy_folder(const struct kind *k, const char *from, const char *to, const char *folder, struct beside *b, struct err *e)
{
	bool ok = true, whole = false;
	for (unsigned i = 0; ok && !whole && i < TRIES; i++) {
		struct beside files = { .n = 0 };
		ok = look_into(k, from, folder, true, &files, e) && copy_all(k, from, to, &files, &whole, e);
		for (size_t f = 0; ok && whole && f < files.n; f++)
			add(b, "", files.names[f]);
		beside_fini(&files);
	}
	return ok && (whole || err_set(e, ERR_TEMP, ERR_OF_PROCESS, "%.120s: its files are replaced again and again", folder));
}

bool beside_copy(const char *from, const char *to, enum beside_when when, struct beside *b, struct err *e)
{
	bool ok = true;
	for (size_t i = 0; ok && i < ARRAY_LEN(kinds); i++) {
		struct beside folders = { .n = 0 };
		struct look l = { &kinds[i], "", NULL, &folders };
		if (kinds[i].when != when)
			continue;
		ok = folder_list(from, on_entry, &l, e);
		for (size_t f = 0; ok && f < folders.n; f++)
			ok = copy_folder(&kinds[i], from, to, folders.names[f], b, e);
		beside_fini(&folders);
	}
	return ok;
}
