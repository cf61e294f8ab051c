/* postoffice_ffapi.c - `posthorn postoffice import` and `export`: message files of the File Format API (facts B1), to and from mailbags. */
#include "proc/tool/postoffice.h"

#include "base/mem.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SAME_NAMES = 10000 };

/* --- import --- */
struct found {
	char *name;
	enum { UNDECIDED, IS_POSTED, GOES_ALONG } fate; /* GOES_ALONG: the attachment or text of one that is posted */
	size_t *names, n_names; /* the files that it names: indices, each once */
	size_t named_by;        /* files that are UNDECIDED yet */
	size_t needed_by;       /* files that are posted, or to be posted yet */
	struct err why;         /* it is no message file; kind ERR_NONE: it is */
};

struct folder {
	const char *path;
	struct found *files;
	size_t n;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

static bool list_files(struct folder *f, struct err *e)
{
	DIR *d = opendir(f->path);
	if (d == NULL)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "cannot read the directory %.100s: %s", f->path, strerror(errno));
	struct stat st;
	for (const struct dirent *x; (x = readdir(d)) != NULL;) {
		if (x->d_name[0] == '.' || fstatat(dirfd(d), x->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
			continue;
		f->files = mem_grow(f->files, mem_mul(f->n + 1, sizeof *f->files));
		f->files[f->n++] = (struct found){ .name = mem_strdup(x->d_name) };
	}
	closedir(d);
	qsort(f->files, f->n, sizeof *f->files, by_name);
	return true;
}

static void folder_fini(struct folder *f)
{
	for (size_t i = 0; i < f->n; i++)
		MEM_FREE(f->files[i].name), MEM_FREE(f->files[i].names);
	MEM_FREE(f->files);
}

/* The file of that name, without case: a gateway of DOS wrote it. NULL: there is none, or the name leads elsewhere. */
static struct found *file_called(const struct folder *f, struct view name)
{
	for (size_t i = 0; i < f->n; i++)
		if (view_eq_nocase(view_str(f->files[i].name), name))
			return &f->files[i];
	return NULL;
}

static char *path_of(struct po_tool *t, const struct folder *f, const char *name)
{
	struct out o;
	out_init(&o, 8192);
	out_fmt(&o, "%s/%s", f->path, name);
	char *path = arena_str(t->arena, out_view(&o));
	out_fini(&o);
	return path;
}

struct parsed {
	struct out octets, text;
	struct mai m;
	struct ffapi_body *bodies;
	struct view text_file;
};

static void parsed_init(struct parsed *p)
{
	*p = (struct parsed){ 0 };
	out_init(&p->octets, PO_FILE_MAX);
	out_init(&p->text, PO_FILE_MAX);
}

static void parsed_fini(struct parsed *p)
{
	out_fini(&p->octets);
	out_fini(&p->text);
}

static bool parse(struct po_tool *t, const struct folder *f, const char *name, struct parsed *p, struct err *e)
{
	const struct mai_limits limits = mai_limits_default();
	const char *path = path_of(t, f, name);
	if (path == NULL)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "%.60s: its name is too long", name);
	return po_tool_read_file(path, &p->octets, e) && ffapi_parse(out_view(&p->octets), &p->m, &p->bodies, &p->text_file, t->arena, &limits, e);
}

static void mark(const struct folder *f, struct view name, struct found *by)
{
	struct found *x = name.n == 0 ? NULL : file_called(f, name);
	if (x == NULL || x == by)
		return;
	for (size_t i = 0; i < by->n_names; i++)
		if (by->names[i] == (size_t)(x - f->files))
			return;
	by->names = mem_grow(by->names, mem_mul(by->n_names + 1, sizeof *by->names));
	by->names[by->n_names++] = (size_t)(x - f->files);
	x->named_by++;
}

/* Which files are messages, and what they name. */
static void look(struct po_tool *t, struct folder *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct parsed p;
		parsed_init(&p);
		if (parse(t, f, f->files[i].name, &p, &f->files[i].why)) {
			f->files[i].why.kind = ERR_NONE;
			mark(f, p.text_file, &f->files[i]);
			for (size_t k = 0; k < p.m.n_attachments; k++)
				if (p.bodies[k].in_file)
					mark(f, p.bodies[k].name, &f->files[i]);
		}
		parsed_fini(&p);
		arena_reset(t->arena);
	}
}

/* A file that one which is posted names goes along with it; one that nobody names, or only such as go along themselves, is posted. What name each other, and
 * what only those name, stays UNDECIDED. */
static void decide(struct folder *f)
{
	size_t *next = mem_alloc(mem_mul(f->n + 1, sizeof *next)), n = 0;
	for (size_t i = 0; i < f->n; i++)
		if (f->files[i].named_by == 0) {
			f->files[i].fate = IS_POSTED;
			next[n++] = i;
		}
	for (size_t at = 0; at < n; at++) {
		const struct found *x = &f->files[next[at]];
		for (size_t k = 0; k < x->n_names; k++) {
			struct found *y = &f->files[x->names[k]];
			y->named_by--;
			y->needed_by += x->fate == IS_POSTED;
			if (y->fate != UNDECIDED || (x->fate == GOES_ALONG && y->named_by > 0))
				continue;
			y->fate = x->fate == IS_POSTED ? GOES_ALONG : IS_POSTED;
			next[n++] = x->names[k];
		}
	}
	mem_free_(next);
}

/* Neither posted nor passed over in silence. */
static void refuse_undecided(const struct folder *f, struct found *x)
{
	char shown[80];
	for (size_t i = 0; x->why.kind == ERR_NONE && i < f->n; i++)
		for (size_t k = 0; f->files[i].fate == UNDECIDED && k < f->files[i].n_names; k++)
			if (f->files[i].names[k] == (size_t)(x - f->files)) {
				err_set(&x->why, ERR_PERM, ERR_OF_MESSAGE, "\"%s\" names it as its own, and message files name each other in a circle: which is the message cannot be told, so it stays",
					text_escaped(shown, sizeof shown, view_str(f->files[i].name)));
				return;
			}
}

/* What lies in files beside it. */
static bool find_bodies(struct po_tool *t, const struct folder *f, struct parsed *p, struct po_source **sources_r, struct err *e)
{
	char shown[100];
	struct po_source *s = arena_array(t->arena, p->m.n_attachments + 1, sizeof *s);
	for (size_t i = 0; i < p->m.n_attachments; i++) {
		s[i].octets = p->bodies[i].octets;
		if (!p->bodies[i].in_file)
			continue;
		const struct found *x = file_called(f, p->bodies[i].name);
		if (x == NULL || (s[i].path = path_of(t, f, x->name)) == NULL)
			return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "attachment \"%s\" is not beside it", text_escaped(shown, sizeof shown, p->bodies[i].name));
	}
	*sources_r = s;
	if (p->text_file.n == 0)
		return true;
	const struct found *x = file_called(f, p->text_file);
	const char *path = x == NULL ? NULL : path_of(t, f, x->name);
	if (path == NULL)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "text \"%s\" is not beside it", text_escaped(shown, sizeof shown, p->text_file));
	if (!po_tool_read_file(path, &p->text, e))
		return false;
	p->m.text = out_view(&p->text);
	return true;
}

/* The message file goes first: what lies beside it without it is nothing. A file that another message has, too, goes with the last of them. */
static bool remove_all(struct po_tool *t, const struct folder *f, const struct found *x, struct err *e)
{
	const char *path = path_of(t, f, x->name);
	if (path == NULL || unlink(path) != 0)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "posted, but it cannot be removed: %s", strerror(errno));
	for (size_t i = 0; i < x->n_names; i++) {
		struct found *beside = &f->files[x->names[i]];
		if (--beside->needed_by > 0)
			continue;
		path = path_of(t, f, beside->name);
		if (path != NULL && unlink(path) != 0 && errno != ENOENT)
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%.60s cannot be removed: %s", beside->name, strerror(errno));
	}
	return true;
}

/* A bare name is a mailbox here, as in docs/msmail.md. */
static bool complete(struct po_tool *t, struct mm_address *a, struct err *e)
{
	struct mm_name name = postoffice_master(t->po)->own;
	char shown[80];
	struct out o;
	if (a->type != MM_ADDRESS_MS || a->text.n == 0 || memchr(a->text.p, '/', a->text.n) != NULL)
		return true;
	if (a->text.n > MM_NAME_MAX || name.network[0] == 0)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "\"%s\" is no address: want %sNETWORK/POSTOFFICE/MAILBOX or TYPE:ADDRESS",
			       text_escaped(shown, sizeof shown, a->text), name.network[0] == 0 ? "" : "a mailbox of at most 10 characters, ");
	memcpy(name.mailbox, a->text.p, a->text.n);
	name.mailbox[a->text.n] = 0;
	out_init(&o, 64);
	mm_name_print(&name, &o);
	a->text = arena_copy(t->arena, out_view(&o));
	out_fini(&o);
	return true;
}

static bool complete_all(struct po_tool *t, struct mai *m, struct err *e)
{
	bool ok = complete(t, &m->from, e);
	for (size_t i = 0; ok && i < m->n_to; i++)
		ok = complete(t, &m->to[i], e);
	for (size_t i = 0; ok && i < m->n_cc; i++)
		ok = complete(t, &m->cc[i], e);
	return ok;
}

static bool import_one(struct po_tool *t, const struct folder *f, const struct found *x, struct err *e)
{
	struct parsed p;
	struct po_source *sources;
	struct mm_id id;
	unsigned bags;
	parsed_init(&p);
	bool ok = parse(t, f, x->name, &p, e) && complete_all(t, &p.m, e) && find_bodies(t, f, &p, &sources, e);
	p.m.hops = MM_HOPS_DEFAULT;
	p.m.n_extra = 0; /* lines of text, and no elements of a MAI */
	if (ok && p.m.code_page == 0)
		p.m.code_page = t->code_page;
	ok = ok && po_tool_post(t, &p.m, sources, &id, &bags, e);
	if (ok)
		printf("%s: %s is in %u mailbags\n", x->name, id.s, bags);
	ok = ok && (!t->delete || remove_all(t, f, x, e));
	parsed_fini(&p);
	arena_reset(t->arena);
	return ok;
}

int po_tool_import(struct po_tool *t, struct err *e)
{
	struct folder f = { .path = t->args[1] };
	struct err why;
	int status = 0;
	if (!list_files(&f, e))
		return PO_EXIT_NONE;
	look(t, &f);
	decide(&f);
	for (size_t i = 0; i < f.n; i++) {
		if (f.files[i].fate == GOES_ALONG)
			continue;
		if (f.files[i].fate == UNDECIDED)
			refuse_undecided(&f, &f.files[i]);
		why = f.files[i].why;
		if (why.kind == ERR_NONE && import_one(t, &f, &f.files[i], &why))
			continue;
		po_tool_say(t, f.files[i].name, &why);
		status = po_tool_status(&why) > status ? po_tool_status(&why) : status; /* the worst of them */
	}
	folder_fini(&f);
	return status;
}

/* --- export --- */
static bool read_body(struct po_tool *t, const struct mm_attachment *a, struct ffapi_body *b, struct err *e)
{
	struct po_file *file;
	uint64_t size;
	if (!postoffice_open_attachment(t->po, &a->file, &file, &size, e))
		return false;
	uint8_t *octets = size > PO_ARENA ? NULL : arena_get(t->arena, size + 1);
	size_t n = 0, got = 0;
	bool ok = octets != NULL || err_set(e, ERR_PERM, ERR_OF_MESSAGE, "attachment %s has %llu octets: more than is exported", a->file.s, (unsigned long long)size);
	while (ok && n < size && (ok = po_file_read(file, octets + n, size - n, &got, e)) && got > 0)
		n += got;
	po_file_close(&file);
	*b = (struct ffapi_body){ .name = a->name, .octets = view_of(octets, n) };
	return ok;
}

bool po_tool_sync_directory(const char *path, struct err *e)
{
	const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const bool ok = (fd >= 0 && (fsync(fd) == 0 || errno == EINVAL /* some file servers cannot */)) ||
			err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "cannot write %.100s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool has_octets(const char *path, struct view octets)
{
	struct out o;
	out_init(&o, octets.n);
	const bool same = po_tool_read_file(path, &o, NULL) && view_eq(out_view(&o), octets);
	out_fini(&o);
	return same;
}

/* Never over a file that is there: errno EEXIST. Some file servers cannot do both at once. */
static bool rename_beside(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	if (faccessat(AT_FDCWD, to, F_OK, AT_SYMLINK_NOFOLLOW) != 0)
		return rename(from, to) == 0;
	errno = EEXIST;
	return false;
}

/* Ids are of one postoffice: another one's message of the same id stays where it is. errno says why not. */
static bool name_it(const char *directory, const char *id, const char *from, struct view octets)
{
	for (unsigned i = 0; i < SAME_NAMES; i++) {
		struct out to;
		out_init(&to, 8192);
		out_fmt(&to, "%s/%s", directory, id);
		if (i > 0)
			out_fmt(&to, "-%u", i);
		out_str(&to, ".TXT");
		const bool named = rename_beside(from, out_cstr(&to));
		const bool taken = !named && errno == EEXIST, same = taken && has_octets(out_cstr(&to), octets);
		out_fini(&to);
		if (named || (same && unlink(from) == 0))
			return true;
		if (!taken)
			return false;
		errno = EEXIST;
	}
	return false;
}

/* Beside it first, so that nobody takes half of one. */
static bool write_whole(const char *directory, const char *id, struct view octets, struct err *e)
{
	struct out part;
	out_init(&part, 8192);
	out_fmt(&part, "%s/.%s.%ld.part", directory, id, (long)getpid());
	const char *from = out_cstr(&part);
	FILE *f = fopen(from, "wbe");
	bool ok = f != NULL && fwrite(octets.p, 1, octets.n, f) == octets.n && fflush(f) == 0 && fsync(fileno(f)) == 0;
	if (f != NULL && fclose(f) != 0)
		ok = false;
	ok = (ok && name_it(directory, id, from, octets)) ||
	     err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "cannot write %.100s/%s.TXT: %s", directory, id, strerror(errno));
	if (!ok)
		(void)unlink(from);
	out_fini(&part);
	return ok;
}

static bool export_one(struct po_tool *t, const struct po_bag_entry *x, struct err *e)
{
	struct out file, ffapi;
	struct mai m;
	if (!x->readable) {
		*e = x->why;
		return false;
	}
	out_init(&file, PO_FILE_MAX);
	out_init(&ffapi, PO_FILE_MAX);
	struct ffapi_body *bodies = NULL;
	bool ok = po_tool_mai(t, &x->header.mai, &file, &m, e);
	if (ok)
		bodies = arena_array(t->arena, m.n_attachments + 1, sizeof *bodies);
	for (size_t i = 0; ok && i < m.n_attachments; i++)
		ok = read_body(t, &m.attachments[i], &bodies[i], e);
	ok = ok && ffapi_print(&m, bodies, t->line_end, &ffapi, e) && write_whole(t->args[2], x->header.mai.s, out_view(&ffapi), e);
	out_fini(&file);
	out_fini(&ffapi);
	arena_reset(t->arena);
	return ok;
}

int po_tool_export(struct po_tool *t, struct err *e)
{
	char bag[9], about[64];
	struct po_entries x;
	struct err why;
	int status = 0;
	unsigned n = 0;
	if (mkdir(t->args[2], 0777) != 0 && errno != EEXIST) {
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "cannot make %.100s: %s", t->args[2], strerror(errno));
		return PO_EXIT_IO;
	}
	if (!po_tool_bag(t, t->args[1], bag, e) || !po_tool_entries(t, bag, &x, e))
		return po_tool_status(e);
	for (unsigned i = 0; i < x.n; i++) {
		if (export_one(t, &x.entries[i], &why) &&
		    (!t->delete || (po_tool_sync_directory(t->args[2], &why) && po_tool_drop(t, bag, &x.entries[i], &why)))) {
			n++;
			continue;
		}
		snprintf(about, sizeof about, "slot %u of %s", x.entries[i].slot, bag);
		po_tool_say(t, about, &why);
		status = po_tool_status(&why) > status ? po_tool_status(&why) : status; /* the worst of them */
	}
	po_tool_entries_free(&x);
	printf("%u messages are in %s\n", n, t->args[2]);
	return status;
}
