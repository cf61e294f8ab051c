/* ffapi.c - the directories of a File Format API gateway in place of a postoffice (facts B1): message files are taken from ffapi-import and written
 * to ffapi-export.
 *
 * A file is complete when two looks, LOOK_MS apart, found it the same: no clock but ours is asked. One that begins with VERSION: is a
 * message; those that it names (XATTACH, XTEXT) are its own and go with it, whatever is in them. *.TMP is nobody's yet. What is no message goes into BAD, with
 * the reason beside it. What is written appears under its name when it is whole. */
#include "proc/interchange/ffapi_int.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/mem.h"
#include "flow/codec/msmail/ffapi.h"
#include "sys/folder.h"

enum {
	LINES_MAX = 1 << 20,                /* of a message file, to see what they name */
	LOOK_MS = 1000, ORPHAN_LOOKS = 600, /* of a file that nothing names yet */
	CUT_LOOKS = 60,                     /* of one that is the beginning of a message: its writer may pause */
	RUN_MAX = 50, FILES_MAX = 10000, HEAD = 8, ITEM_MAX = 70,
	BAD_MAX = 240,   /* so that ".9999.why" can stand behind it in BAD */
};

static bool file_error(struct err *e, const char *what, const char *dir, const char *name, int code)
{
	const bool passes = code == ENOSPC || code == EDQUOT || code == EMFILE || code == ENFILE;
	return err_set(e, passes ? ERR_TEMP : ERR_LOCAL, ERR_OF_LINK, "ffapi: %s/%s: cannot %s: %s", dir, name, what, strerror(code));
}

static void say(struct interchange *x, const char *what, const char *name)
{
	char text[FFAPI_NAME_MAX + 60];
	if (x->host.note == NULL)
		return;
	snprintf(text, sizeof text, "postoffice %s %s", what, name);
	x->host.note(x->host.ctx, text);
}

static void said(struct interchange *x)
{
	if (x->host.note != NULL)
		x->host.note(x->host.ctx, x->item);
}

static int open_dir(const char *path, struct err *e)
{
	const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		(void)!file_error(e, "open", path, "", errno);
	return fd;
}

/* By whatever paths. */
static bool is_one(int a, int b)
{
	struct stat x, y;
	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

bool ffapi_attach(struct interchange *x, struct err *e)
{
	if (FAULT(INTERCHANGE_ATTACH))
		return err_set(e, ERR_TEMP, ERR_OF_LINK, "ffapi: %s does not answer (fault point)", x->set->ffapi_import);
	say(x, "open", x->set->ffapi_import);
	const int in = open_dir(x->set->ffapi_import, e), out = in < 0 ? -1 : open_dir(x->set->ffapi_export, e);
	bool ok = in >= 0 && out >= 0;
	if (ok && is_one(in, out))
		ok = err_set(e, ERR_LOCAL, ERR_OF_LINK, "ffapi: %s is the directory of ffapi-export, too: what is written there would be taken again", x->set->ffapi_import);
	if (ok && !x->set->read_only && (faccessat(in, ".", W_OK, 0) != 0 || faccessat(out, ".", W_OK, 0) != 0))
		ok = file_error(e, "write to", x->set->ffapi_import, "", errno);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	said(x);
	snprintf(x->own.network, sizeof x->own.network, "%s", x->set->network);
	snprintf(x->own.postoffice, sizeof x->own.postoffice, "%s", x->set->name);
	if (ok && x->ffapi == NULL) {
		x->ffapi = mem_zero(sizeof *x->ffapi);
		x->ffapi->fd = -1;
		out_init(&x->ffapi->octets, (size_t)x->settings->limits.message + (64 << 20));
	}
	return ok;
}

void ffapi_detach(struct interchange *x)
{
	struct ffapi *f = x->ffapi;
	if (f == NULL)
		return;
	ffapi_export_drop(x);
	out_fini(&f->octets);
	for (size_t i = 0; i < f->n; i++)
		free(f->v[i].names);
	free(f->v);
	MEM_FREE(x->ffapi);
}

/* --- looks --- */

static bool is_temporary(const char *name)
{
	const size_t n = strlen(name);
	return name[0] == '.' || (n >= 4 && view_eq_nocase(view_str(name + n - 4), VIEW(".tmp"))) ||
	       (n >= 4 && view_eq_nocase(view_str(name + n - 4), VIEW(".why")));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct seen *)a)->name, ((const struct seen *)b)->name);
}

/* As it is spelt. */
struct seen *ffapi_find_exactly(struct ffapi *f, const char *name)
{
	struct seen want;
	if (strlen(name) > FFAPI_NAME_MAX || f->n_sorted == 0)
		return NULL;
	snprintf(want.name, sizeof want.name, "%s", name);
	return bsearch(&want, f->v, f->n_sorted, sizeof want, by_name);
}

/* As it is spelt, else in any case. */
struct seen *ffapi_find(struct ffapi *f, struct view name, const char *spelt)
{
	struct seen *s = ffapi_find_exactly(f, spelt);
	if (s != NULL)
		return s;
	for (size_t i = 0; i < f->n; i++)
		if (view_eq_nocase(view_str(f->v[i].name), name))
			return &f->v[i];
	return NULL;
}

static void see(struct ffapi *f, int dir, const char *name, bool counts)
{
	struct stat st;
	if (strlen(name) > FFAPI_NAME_MAX || is_temporary(name) || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
		return;
	const int64_t changed = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	struct seen *s = ffapi_find_exactly(f, name);
	if (s == NULL) {
		if (f->n == FILES_MAX)
			return;
		f->v = mem_grow(f->v, mem_mul(f->n + 1, sizeof *f->v));
		s = &f->v[f->n++];
		*s = (struct seen){ .size = UINT64_MAX };
		memcpy(s->name, name, strlen(name) + 1); /* it fits: looked at above */
	}
	const bool same = s->size == (uint64_t)st.st_size && s->changed_ns == changed;
	s->looks = !same ? 0 : s->looks + counts;
	s->again_at = same ? s->again_at : 0;
	s->is_done = s->is_done && same; /* else it is another file of that name: gateways use them again */
	s->is_read = s->is_read && same;
	s->size = (uint64_t)st.st_size;
	s->changed_ns = changed;
	s->here = true;
}

static bool look(struct interchange *x, struct err *e)
{
	struct ffapi *f = x->ffapi;
	const int64_t now = env_now_ms(x->host.env);
	const bool counts = f->looked_ms == 0 || now - f->looked_ms >= LOOK_MS;
	say(x, "list", x->set->ffapi_import);
	DIR *d = opendir(x->set->ffapi_import);
	if (d == NULL) {
		const int code = errno;
		said(x);
		return file_error(e, "list", x->set->ffapi_import, "", code);
	}
	for (size_t i = 0; i < f->n; i++)
		f->v[i].here = false;
	for (struct dirent *entry; (entry = readdir(d)) != NULL;)
		see(f, dirfd(d), entry->d_name, counts);
	closedir(d);
	said(x);
	f->looked_ms = counts ? now : f->looked_ms;
	size_t n = 0;
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].here)
			f->v[n++] = f->v[i];
		else
			free(f->v[i].names);
	f->n = f->n_sorted = n;
	if (n > 1)
		qsort(f->v, n, sizeof *f->v, by_name);
	return true;
}

static bool begins_message(struct view v)
{
	return v.n >= HEAD && view_eq_nocase(view_first(v, HEAD), VIEW("VERSION:"));
}

/* --- one file --- */

static int open_in(struct interchange *x, const char *name, struct err *e)
{
	const int dir = open_dir(x->set->ffapi_import, e);
	if (dir < 0)
		return -1;
	const int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	const int code = errno;
	close(dir);
	if (fd < 0)
		err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "ffapi: %s: cannot open: %s", name, strerror(code));
	return fd;
}

static bool read_whole(struct interchange *x, const char *name, size_t max, struct out *o, struct err *e)
{
	uint8_t *buf = mem_alloc(64 * 1024);
	bool ok = true;
	say(x, "read", name);
	const int fd = open_in(x, name, e);
	ok = fd >= 0;
	while (ok && out_len(o) < max) {
		const ssize_t n = read(fd, buf, 64 * 1024);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) /* the directory could be opened: it is this file's matter */
			ok = err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "ffapi: %s: cannot read: %s", name, strerror(errno));
		if (n <= 0)
			break;
		out_bytes(o, view_of(buf, (size_t)n));
		if (o->bad)
			ok = err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 7, "%s is longer than limits.message", name);
	}
	if (fd >= 0)
		close(fd);
	said(x);
	free(buf);
	return ok;
}

/* A name that nobody has in BAD: what lies there from before is kept. One that is too long for that is cut. */
static void name_bad(int bad, const char *name, char free_r[BAD_MAX + 10])
{
	char fits[BAD_MAX + 1];
	if (strlen(name) <= BAD_MAX)
		snprintf(fits, sizeof fits, "%.*s", BAD_MAX, name);
	else
		snprintf(fits, sizeof fits, "%.*s~%016" PRIX64, BAD_MAX - 17, name, hash_octets(HASH_START, view_str(name)));
	snprintf(free_r, BAD_MAX + 10, "%s", fits);
	for (unsigned i = 1; i < 10000 && faccessat(bad, free_r, F_OK, AT_SYMLINK_NOFOLLOW) == 0; i++)
		snprintf(free_r, BAD_MAX + 10, "%s.%u", fits, i);
}

/* BAD is a file, say, or somebody else's: the server is there, and what is no message is no reason to leave the others. */
static bool is_no_place(int code)
{
	return code == ENOTDIR || code == ELOOP || code == EACCES || code == EPERM || code == ENAMETOOLONG;
}

/* Out of the way, with the reason beside it; the others go on, also when BAD cannot be used: then it stays, and is told of again. */
static bool put_away(struct interchange *x, struct seen *s, const char *why, struct err *e)
{
	char target[BAD_MAX + 10] = "", reason[BAD_MAX + 20];
	const char *name = s->name;
	bool ok = true;
	EMIT(&x->host, FFAPI_BAD, "link", x->link->name, "file", name, "why", why);
	x->ffapi->again = x->ffapi->again || s->names_n > 0; /* what it names is for itself again */
	ffapi_named_set(s, (struct view){ NULL, 0 });
	s->is_done = x->set->read_only; /* told of once */
	if (s->is_done)
		return true;
	say(x, "rename", name);
	const int dir = open_dir(x->set->ffapi_import, e);
	if (dir < 0) {
		said(x);
		return false;
	}
	(void)mkdirat(dir, "BAD", 0777);
	const int bad = openat(dir, "BAD", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (bad >= 0)
		name_bad(bad, name, target);
	bool stays = false;
	if (bad < 0 || renameat(dir, name, bad, target) != 0) {
		stays = is_no_place(errno);
		ok = stays || file_error(e, "rename into BAD", x->set->ffapi_import, name, errno);
	}
	if (stays)
		s->again_at = s->looks + CUT_LOOKS;
	snprintf(reason, sizeof reason, "%s.why", target);
	const int fd = ok && !stays ? openat(bad, reason, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666) : -1;
	if (fd >= 0) {
		if (write(fd, why, strlen(why)) < 0 || write(fd, "\n", 1) < 0)
			ok = file_error(e, "write", x->set->ffapi_import, reason, errno);
		close(fd);
	}
	if (bad >= 0)
		close(bad);
	close(dir);
	said(x);
	return ok;
}

static bool plain_name(struct view name)
{
	if (name.n == 0 || name.n > FFAPI_NAME_MAX || name.p[0] == '.')
		return false;
	for (size_t i = 0; i < name.n; i++)
		if (name.p[i] < ' ' || name.p[i] == '/' || name.p[i] == '\\' || name.p[i] == ':')
			return false;
	return true;
}

/* Another file that the message names; case does not count. */
static bool add_beside(struct interchange *x, struct view name, struct err *e)
{
	struct inward *in = &x->in;
	struct ffapi *f = x->ffapi;
	if (!plain_name(name))
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "%s names a file that is not beside it", f->name);
	const char *spelt = arena_str(in->a, name);
	const struct seen *s = spelt == NULL ? NULL : ffapi_find(f, name, spelt);
	if (s == NULL)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 0, 48, "[018] %s names the file %.*s, which is not there",
				  f->name, (int)name.n, (const char *)name.p);
	f->is_growing = f->is_growing || s->looks == 0;
	f->beside[f->n_beside] = arena_str(in->a, view_str(s->name));
	in->files[in->n_files++] = (struct in_file){ .name = arena_copy(in->a, name), .size = s->size, .path = f->beside[f->n_beside] };
	f->n_beside++;
	return true;
}

static bool make_envelope(struct interchange *x, struct err *e)
{
	struct inward *in = &x->in;
	const struct mai *m = &x->ffapi->mai;
	struct mm_envelope *v = &in->v;
	*v = (struct mm_envelope){ .state = MM_READY, .from = m->from, .date = m->date, .priority = m->priority,
				   .size = (uint32_t)out_len(&x->ffapi->octets), .arrived = in->at };
	v->n = m->n_to + m->n_cc;
	v->recipients = arena_array(in->a, v->n, sizeof *v->recipients);
	in->ours = arena_array(in->a, v->n, sizeof *in->ours);
	if (v->recipients == NULL || in->ours == NULL)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 16, "too many recipients");
	for (size_t i = 0; i < v->n; i++) {
		const bool cc = i >= m->n_to;
		v->recipients[i] = (struct mm_recipient){ .address = cc ? m->cc[i - m->n_to] : m->to[i], .responsible = true, .is_cc = cc,
							   .reason = -1, .diagnostic = -1 };
		in->ours[i] = i;
	}
	in->n_ours = v->n;
	return v->n > 0 || err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "it is for nobody");
}

/* The same file is the same message, and another with the same octets is another. */
static void name_message(struct interchange *x, const struct seen *s)
{
	struct inward *in = &x->in;
	uint64_t h = hash_octets(HASH_START, view_str(s->name));
	h = hash_octets(h, view_of(&s->changed_ns, sizeof s->changed_ns));
	h = hash_octets(h, out_view(&x->ffapi->octets));
	char name[sizeof x->own.postoffice];
	size_t n = 0;
	for (; x->own.postoffice[n] != 0; n++) { /* an IA5String, and printable: names may be in any code page */
		const char c = x->own.postoffice[n];
		name[n] = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' ? c : '.';
	}
	name[n] = 0;
	snprintf(in->local_id, sizeof in->local_id, "FF-%s-%016" PRIx64, name, h);
	in->at = s->changed_ns / 1000000;
}

static bool read_message(struct interchange *x, struct seen *s, struct err *e)
{
	struct inward *in = &x->in;
	struct ffapi *f = x->ffapi;
	const struct mai_limits limits = mai_limits_default();
	struct ffapi_body *bodies;
	struct view text_file;
	f->n_beside = 0;
	f->is_growing = false;
	if (!ffapi_parse(out_view(&f->octets), &f->mai, &bodies, &text_file, in->a, &limits, e))
		return false;
	name_message(x, s);
	f->beside = arena_array(in->a, f->mai.n_attachments + 1, sizeof *f->beside);
	in->files = arena_array(in->a, f->mai.n_attachments + 2, sizeof *in->files);
	if (f->beside == NULL || in->files == NULL)
		return err_report(e, ERR_PERM, ERR_OF_MESSAGE, 1, 7, "too many attachments");
	in->files[0] = (struct in_file){ .name = VIEW("FFAPI"), .size = out_len(&f->octets), .octets = out_view(&f->octets), .in_memory = true };
	in->n_files = 1;
	if (text_file.n > 0 && !add_beside(x, text_file, e))
		return false;
	for (size_t i = 0; i < f->mai.n_attachments; i++)
		if (bodies[i].in_file && !add_beside(x, bodies[i].name, e))
			return false;
	return make_envelope(x, e);
}

/* What each message file names is known before any of them is taken: a file that somebody has attached may look like a message. One that cannot be read
 * names nothing, and its turn says why. */
static bool look_into(struct interchange *x, struct err *e)
{
	struct ffapi *f = x->ffapi;
	struct err why = { .reason = -1, .diagnostic = -1 };
	for (size_t i = 0; i < f->n; i++) {
		struct seen *s = &f->v[i];
		if (s->is_read)
			continue;
		out_clear(&f->octets);
		s->is_read = read_whole(x, s->name, HEAD, &f->octets, &why);
		if (s->is_read && begins_message(out_view(&f->octets))) {
			out_clear(&f->octets);
			s->is_read = read_whole(x, s->name, LINES_MAX, &f->octets, &why);
		}
		if (!s->is_read && interchange_is_link_failure(&why)) {
			*e = why;
			return false;
		}
		ffapi_named_set(s, begins_message(out_view(&f->octets)) ? out_view(&f->octets) : (struct view){ NULL, 0 });
	}
	ffapi_named_mark(f);
	return true;
}

static bool refuse_circle(struct interchange *x, struct seen *s, struct err *e)
{
	char why[FFAPI_NAME_MAX + 140];
	const struct seen *by = ffapi_named_by(x->ffapi, s);
	snprintf(why, sizeof why, "%s names it as its own, and message files name each other in a circle: which is the message cannot be told", by == NULL ? "?" : by->name);
	return put_away(x, s, why, e);
}

/* --- the source --- */

static bool round_begin(struct interchange *x, bool *ready_r, struct err *e)
{
	struct ffapi *f = x->ffapi;
	interchange_note(x, "FFAPI");
	*ready_r = look(x, e) && look_into(x, e);
	f->at = 0;
	f->taken = 0;
	f->again = false;
	return *ready_r;
}

static void round_end(struct interchange *x)
{
	if (x->ffapi != NULL && x->ffapi->again && !timer_is_set(&x->in.again))
		timer_after(&x->in.again, LOOK_MS);
}

/* False with found NOTHING: the file at hand is none of the messages. */
static bool open_message(struct interchange *x, struct seen *s, enum in_found *found_r, struct err *e)
{
	struct inward *in = &x->in;
	struct ffapi *f = x->ffapi;
	struct err why;
	out_clear(&f->octets);
	if (!read_whole(x, s->name, HEAD, &f->octets, e))
		return false;
	if (!begins_message(out_view(&f->octets))) {
		f->again = true;
		return s->looks < ORPHAN_LOOKS || put_away(x, s, "it does not begin with VERSION:, and no message names it", e);
	}
	if (s->is_named)
		return refuse_circle(x, s, e);
	out_clear(&f->octets);
	if (read_whole(x, s->name, SIZE_MAX, &f->octets, &why) && read_message(x, s, &why)) {
		f->again = f->again || f->is_growing;
		if (f->is_growing)
			return true; /* its writer has not ended */
		in->is_ffapi = true;
		*found_r = IN_FOUND_MESSAGE;
		if (tally_of(x->strikes, in->item) >= x->settings->limits.strikes) {
			in->why = (struct err){ .reason = -1, .diagnostic = -1 };
			err_set(&in->why, ERR_PERM, ERR_OF_MESSAGE, "[012] handling it has failed %u times", tally_of(x->strikes, in->item));
			*found_r = IN_FOUND_POISON;
		}
		return true;
	}
	if (interchange_is_link_failure(&why) || why.kind != ERR_PERM) {
		*e = why;
		return false;
	}
	if (mail_notice_of(&why) == 18 && s->looks < ORPHAN_LOOKS) { /* what it names may be on its way */
		f->again = true;
		return true;
	}
	const struct mai_limits limits = mai_limits_default();
	if (s->looks < CUT_LOOKS && ffapi_is_cut(out_view(&f->octets), in->a, &limits)) {
		s->again_at = CUT_LOOKS;
		f->again = true;
		return true;
	}
	return put_away(x, s, why.text, e);
}

/* Strikes are counted by it: two long names must not be one. */
static void name_item(struct interchange *x, const char *name)
{
	if (strlen(name) <= ITEM_MAX)
		snprintf(x->in.item, sizeof x->in.item, "FFAPI %.*s", ITEM_MAX, name);
	else
		snprintf(x->in.item, sizeof x->in.item, "FFAPI %.*s~%016" PRIX64, ITEM_MAX - 17, name, hash_octets(HASH_START, view_str(name)));
}

static bool next(struct interchange *x, enum in_found *found_r, struct err *e)
{
	struct ffapi *f = x->ffapi;
	const unsigned most = x->set->quota < RUN_MAX ? (unsigned)x->set->quota : RUN_MAX;
	*found_r = IN_FOUND_NONE;
	if (f == NULL)
		return true;
	while (f->at < f->n) {
		struct seen *s = &f->v[f->at];
		if (f->taken >= most) {
			x->in.wanted = true;
			return true;
		}
		f->at++;
		if (s->is_done || (x->set->read_only && tally_of(x->taken, s->name) > 0))
			continue;
		if (s->is_named && s->is_reached)
			continue; /* it goes along */
		if (s->looks == 0 || s->looks < s->again_at) {
			f->again = true;
			continue;
		}
		*found_r = IN_FOUND_SOMETHING;
		snprintf(f->name, sizeof f->name, "%s", s->name);
		name_item(x, s->name);
		interchange_note(x, x->in.item);
		const bool ok = open_message(x, s, found_r, e);
		f->taken += *found_r != IN_FOUND_SOMETHING; /* what is left where it is must not keep others from their turn */
		return ok;
	}
	return true;
}

static bool read_beside(struct interchange *x, const struct in_file *file, uint64_t at, size_t n, struct out *o, struct err *e)
{
	uint8_t *buf = mem_alloc(n);
	say(x, "read", file->path);
	const int fd = open_in(x, file->path, e);
	const ssize_t got = fd < 0 ? -1 : pread(fd, buf, n, (off_t)at);
	bool ok = got >= 0 || (fd >= 0 && err_set(e, ERR_LOCAL, ERR_OF_MESSAGE, "ffapi: %s: cannot read: %s", file->path, strerror(errno)));
	if (fd >= 0)
		close(fd);
	said(x);
	if (ok)
		out_bytes(o, view_of(buf, (size_t)got));
	free(buf);
	return ok;
}

static void close_beside(struct interchange *x)
{
	x->in.reading = NULL;
}

/* --- what is written --- */

/* 16 digits that are the same for the same transfer. */
static void names_of(uint64_t key, char tmp[32], char name[32])
{
	snprintf(tmp, 32, "%016" PRIX64 ".TMP", key);
	snprintf(name, 32, "%016" PRIX64 ".FFA", key);
}

static int create_out(struct interchange *x, const char *name, struct err *e)
{
	const int dir = open_dir(x->set->ffapi_export, e);
	if (dir < 0)
		return -1;
	const int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		(void)!file_error(e, "create", x->set->ffapi_export, name, errno);
	close(dir);
	return fd;
}

static bool write_all(struct interchange *x, int fd, struct view v, const char *name, struct err *e)
{
	while (v.n > 0) {
		const ssize_t n = write(fd, v.p, v.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return file_error(e, "write", x->set->ffapi_export, name, n == 0 ? ENOSPC : errno);
		v = view_from(v, (size_t)n);
	}
	return true;
}

/* One that is gone has been renamed before. */
static bool publish(struct interchange *x, const char *tmp, const char *name, struct err *e)
{
	say(x, "rename", name);
	const int dir = open_dir(x->set->ffapi_export, e);
	bool ok = dir >= 0;
	(void)FAULT(INTERCHANGE_EXPORT);
	if (ok && renameat(dir, tmp, dir, name) != 0 && errno != ENOENT)
		ok = file_error(e, "rename", x->set->ffapi_export, name, errno);
	if (ok && fsync(dir) != 0)
		ok = file_error(e, "sync", x->set->ffapi_export, name, errno);
	if (dir >= 0)
		close(dir);
	said(x);
	return ok;
}

bool ffapi_export_begin(struct interchange *x, struct err *e)
{
	struct statvfs st;
	say(x, "look at", "export");
	const int dir = open_dir(x->set->ffapi_export, e);
	const bool ok = dir >= 0 && (fstatvfs(dir, &st) == 0 || file_error(e, "look at", x->set->ffapi_export, "", errno));
	if (dir >= 0)
		close(dir);
	said(x);
	return ok && (post_size(x) <= folder_most(&st) || post_refuse_size(x, e));
}

bool ffapi_export_octets(struct interchange *x, struct view octets, struct err *e)
{
	struct ffapi *f = x->ffapi;
	char tmp[32], name[32];
	if (x->out.at_file > 0) /* all of it is in the first one */
		return true;
	names_of(x->out.key, tmp, name);
	say(x, "write", tmp);
	if (f->fd < 0)
		f->fd = create_out(x, tmp, e);
	const bool ok = f->fd >= 0 && write_all(x, f->fd, octets, tmp, e);
	said(x);
	return ok;
}

/* Whole and on disk, under a name that nobody takes: the name, too, for the journal says next that it is there. */
bool ffapi_export_done(struct interchange *x, struct err *e)
{
	struct ffapi *f = x->ffapi;
	if (f->fd < 0)
		return true;
	say(x, "sync", "export");
	bool ok = fsync(f->fd) == 0 || file_error(e, "sync", x->set->ffapi_export, "", errno);
	close(f->fd);
	f->fd = -1;
	const int dir = ok ? open_dir(x->set->ffapi_export, e) : -1;
	ok = ok && dir >= 0 && (fsync(dir) == 0 || file_error(e, "sync", x->set->ffapi_export, "", errno));
	if (dir >= 0)
		close(dir);
	said(x);
	return ok;
}

bool ffapi_export_ready(struct interchange *x, struct err *e)
{
	char tmp[32], name[32], size[24];
	names_of(x->out.key, tmp, name);
	if (!publish(x, tmp, name, e))
		return false;
	snprintf(size, sizeof size, "%llu", (unsigned long long)(x->out.n_files > 0 ? x->out.files[0].size : 0));
	EMIT(&x->host, MSMAIL_PASSED, "link", x->link->name, "item", x->out.item, "file", name, "size", size);
	return true;
}

void ffapi_export_drop(struct interchange *x)
{
	if (x->ffapi != NULL && x->ffapi->fd >= 0) {
		close(x->ffapi->fd);
		x->ffapi->fd = -1;
	}
}

/* --- the end of a file --- */

/* The text of it: who was not reached, and why. */
static bool print_notice(struct interchange *x, struct out *o, struct err *e)
{
	struct inward *in = &x->in;
	const struct ffapi *f = x->ffapi;
	struct mm_notice n = { .from = in->v.from.text, .subject = f->mai.subject, .date = in->v.date, .original = view_first(f->mai.text, 1 << 20) };
	struct out text;
	char from[64];
	n.unreached = arena_array(in->a, in->v.n, sizeof *n.unreached);
	n.codes = arena_array(in->a, in->v.n, sizeof *n.codes);
	struct mm_address *to = arena_array(in->a, 1, sizeof *to);
	if (n.unreached == NULL || n.codes == NULL || to == NULL)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "the notice is too long");
	for (size_t i = 0; i < in->v.n; i++) {
		const struct mm_recipient *r = &in->v.recipients[i];
		n.to = n.to.n == 0 ? r->address.text : n.to;
		if (r->notice == 0)
			continue;
		n.code = n.code == 0 ? r->notice : n.code;
		n.unreached[n.n_unreached] = r->address.text;
		n.codes[n.n_unreached++] = r->notice;
	}
	out_init(&text, 4 << 20);
	notice_print(&n, &text);
	*to = in->v.from;
	snprintf(from, sizeof from, "%s/%s/" NOTICE_FROM, x->own.network, x->own.postoffice);
	const struct mai m = { .from = { .type = MM_ADDRESS_MS, .text = view_str(from) }, .to = to, .n_to = 1, .subject = VIEW(NOTICE_SUBJECT),
			       .text = out_view(&text),
			       .date = mm_date_of_wall(interchange_wall(x), x->zone_minutes), .priority = '3' };
	const bool ok = ffapi_print(&m, NULL, (enum ffapi_line_end)x->set->lines, o, e);
	out_fini(&text);
	return ok;
}

/* The same name each time: written twice after a crash it is still one, unless it was fetched in between. */
static bool give_notice(struct interchange *x, struct err *e)
{
	struct inward *in = &x->in;
	struct out o;
	char tmp[32], name[32];
	if (!mm_envelope_has_notices(&in->v) || x->set->read_only || !mail_may_notice(&in->v, NULL))
		return true;
	names_of(hash_octets(HASH_START, view_str(in->local_id)), tmp, name);
	(void)FAULT(INTERCHANGE_NOTICE);
	out_init(&o, 8 << 20);
	bool ok = print_notice(x, &o, e);
	say(x, "write", tmp);
	const int fd = ok ? create_out(x, tmp, e) : -1;
	ok = ok && fd >= 0 && write_all(x, fd, out_view(&o), tmp, e) && (fsync(fd) == 0 || file_error(e, "sync", x->set->ffapi_export, tmp, errno));
	if (fd >= 0)
		close(fd);
	said(x);
	out_fini(&o);
	ok = ok && publish(x, tmp, name, e);
	if (ok)
		EMIT(&x->host, MSMAIL_RETURNED, "link", x->link->name, "item", in->item, "notice", name);
	return ok;
}

static bool remove_files(struct interchange *x, struct err *e)
{
	struct ffapi *f = x->ffapi;
	(void)FAULT(INTERCHANGE_IMPORT);
	say(x, "remove", f->name);
	const int dir = open_dir(x->set->ffapi_import, e);
	bool ok = dir >= 0;
	if (ok && unlinkat(dir, f->name, 0) != 0 && errno != ENOENT)
		ok = file_error(e, "remove", x->set->ffapi_import, f->name, errno);
	for (size_t i = 0; ok && i < f->n_beside; i++)
		(void)unlinkat(dir, f->beside[i], 0);
	if (ok && fsync(dir) != 0)
		ok = file_error(e, "sync", x->set->ffapi_import, f->name, errno);
	if (dir >= 0)
		close(dir);
	said(x);
	return ok;
}

static bool commit(struct interchange *x, struct err *e)
{
	struct ffapi *f = x->ffapi;
	struct inward *in = &x->in;
	char size[24];
	if (!give_notice(x, e))
		return false;
	if (x->set->read_only) {
		if (!tally_set(x->taken, f->name, 1, e))
			return false;
		tally_sync(x->taken, NULL, NULL);
	} else if (!remove_files(x, e)) {
		return false;
	}
	struct seen *s = ffapi_find_exactly(f, f->name);
	for (size_t i = 0; i <= f->n_beside; i++) {
		if (s != NULL)
			s->is_done = true;
		s = i < f->n_beside ? ffapi_find_exactly(f, f->beside[i]) : NULL;
	}
	snprintf(size, sizeof size, "%zu", out_len(&f->octets));
	EMIT(&x->host, MSMAIL_TAKEN, "link", x->link->name, "item", in->item, "id", in->local_id, "size", size);
	if (tally_of(x->strikes, in->item) > 0 && !tally_set(x->strikes, in->item, 0, e))
		EMIT(&x->host, INTERCHANGE_JOURNAL, "link", x->link->name, "why", e->text);
	return true;
}

const struct source source_ffapi = { round_begin, next, read_beside, close_beside, commit, round_end };
