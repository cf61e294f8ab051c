/* names.c - see po_int.h: directories and names, whatever case the file server gives them. */
#include "flow/wire/postoffice/po_int.h"

#include "base/fault.h"
#include "base/hash.h"
#include "base/mem.h"
#include "sys/moment.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SPELLINGS_MAX = 80, LISTINGS_MAX = 24, LISTED_NAMES_MAX = 8192, SETTLED_S = 3, TRUSTED_MS = 10 * 1000, BENEATH_TRIES = 16 };

/* What a directory held when it was looked through. Good while its times are the same, and those are not of the moment of looking. */
struct listing {
	struct po_rel dir;
	struct timespec changed;
	uint64_t inode;
	bool settled;
	bool mixed;       /* some name is in neither case as a whole */
	wall_ms_t at;
	struct map names; /* hash in upper case -> the name, as it is spelt */
};

struct po_names {
	struct { struct po_rel rel, spelt; } dirs[SPELLINGS_MAX];
	size_t n_dirs;
	struct listing listings[LISTINGS_MAX];
	size_t n_listings, next;
};

/* Where openat2 is not to be had, part by part. */
static int open_in_steps(int dir, const char *path, int flags)
{
	int at = dir;
	for (;;) {
		const char *end = strchr(path, '/');
		char part[PO_REL_MAX + 1];
		const size_t n = end == NULL ? strlen(path) : (size_t)(end - path);
		if (n >= sizeof part) {
			if (at != dir)
				close(at);
			errno = ENAMETOOLONG;
			return -1;
		}
		memcpy(part, path, n);
		part[n] = 0;
		const int fd = openat(at, part, (end == NULL ? flags : O_RDONLY | O_DIRECTORY | O_CLOEXEC) | O_NOFOLLOW, 0660);
		const int code = errno;
		if (at != dir)
			close(at);
		errno = code;
		if (fd < 0 || end == NULL)
			return fd;
		at = fd;
		path = end + 1;
	}
}

int po_open_beneath(int dir, const char *path, int flags)
{
	const bool makes = (flags & O_CREAT) != 0;
	struct open_how how = { .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC | O_NOCTTY), .mode = makes ? 0660 : 0,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	for (unsigned tries = 0; tries < BENEATH_TRIES; tries++) {
		const long fd = syscall(SYS_openat2, dir, path, &how, sizeof how);
		if (fd >= 0)
			return (int)fd;
		if (errno == ENOSYS || errno == EPERM)
			return open_in_steps(dir, path, flags | O_CLOEXEC | O_NOCTTY);
		if (errno != EINTR && errno != EAGAIN) /* EAGAIN: something above was renamed meanwhile */
			return -1;
	}
	return open_in_steps(dir, path, flags | O_CLOEXEC | O_NOCTTY);
}

static struct po_names *names_of(struct postoffice *po)
{
	if (po->names == NULL)
		po->names = mem_zero(sizeof *po->names);
	return po->names;
}

static void listing_fini(struct listing *l)
{
	struct map_slot *slots = l->names.slots;
	for (size_t i = 0; i < l->names.cap; i++)
		if (slots[i].value != NULL)
			mem_free_(slots[i].value);
	map_fini(&l->names);
	*l = (struct listing){ 0 };
}

void po_names_free(struct po_names **n)
{
	if (*n == NULL)
		return;
	for (size_t i = 0; i < (*n)->n_listings; i++)
		listing_fini(&(*n)->listings[i]);
	MEM_FREE(*n);
}

/* The directory's part of rel, "" when it has none; *name_r: the rest. */
static struct po_rel split(const char *rel, const char **name_r)
{
	struct po_rel dir = { "" };
	const char *slash = strrchr(rel, '/');
	*name_r = slash == NULL ? rel : slash + 1;
	if (slash != NULL)
		snprintf(dir.s, sizeof dir.s, "%.*s", (int)(slash - rel), rel);
	return dir;
}

static const char *spelt_dir(const struct postoffice *po, const char *dir)
{
	const struct po_names *n = po->names;
	for (size_t i = 0; n != NULL && i < n->n_dirs; i++)
		if (strcmp(n->dirs[i].rel.s, dir) == 0)
			return n->dirs[i].spelt.s;
	return dir;
}

static bool add_part(struct po_rel *rel, const char *part)
{
	const size_t n = strlen(rel->s), room = sizeof rel->s - n;
	const int wrote = snprintf(rel->s + n, room, "%s%s", n == 0 ? "" : "/", part);
	return wrote >= 0 && (size_t)wrote < room;
}

struct po_rel po_spelt_rel(const struct postoffice *po, const char *rel)
{
	const char *name;
	const struct po_rel dir = split(rel, &name);
	struct po_rel spelt = { "" };
	if (!add_part(&spelt, spelt_dir(po, dir.s)) || !add_part(&spelt, name))
		return (struct po_rel){ "?" }; /* no name of ours is so long */
	return spelt;
}

static void keep_spelling(struct postoffice *po, const char *dir, const char *spelt)
{
	struct po_names *n = names_of(po);
	size_t i = 0;
	while (i < n->n_dirs && strcmp(n->dirs[i].rel.s, dir) != 0)
		i++;
	if (i == n->n_dirs && (strcmp(dir, spelt) == 0 || n->n_dirs == SPELLINGS_MAX))
		return;
	if (i == n->n_dirs)
		n->n_dirs++;
	snprintf(n->dirs[i].rel.s, sizeof n->dirs[i].rel.s, "%s", dir);
	snprintf(n->dirs[i].spelt.s, sizeof n->dirs[i].spelt.s, "%s", spelt);
}

/* --- listings --- */

static uint64_t folded(const char *name)
{
	uint64_t h = HASH_START;
	for (; *name != 0; name++) {
		const uint8_t c = (uint8_t)toupper((uint8_t)*name);
		h = hash_octets(h, view_of(&c, 1));
	}
	return h;
}

static struct listing *listing_of(struct postoffice *po, const char *dir_rel)
{
	struct po_names *n = names_of(po);
	for (size_t i = 0; i < n->n_listings; i++)
		if (strcmp(n->listings[i].dir.s, dir_rel) == 0)
			return &n->listings[i];
	return NULL;
}

static struct listing *listing_new(struct postoffice *po, const char *dir_rel)
{
	struct po_names *n = names_of(po);
	struct listing *l = listing_of(po, dir_rel);
	if (l == NULL && n->n_listings < LISTINGS_MAX)
		l = &n->listings[n->n_listings++];
	else if (l == NULL)
		l = &n->listings[n->next++ % LISTINGS_MAX];
	listing_fini(l);
	snprintf(l->dir.s, sizeof l->dir.s, "%s", dir_rel);
	return l;
}

struct look {
	const char *name;
	char *spelt; /* PO_REL_MAX + 1 */
	struct map *keep;
	bool mixed;
};

static bool is_mixed(const char *name)
{
	bool upper = false, lower = false;
	for (; *name != 0; name++) {
		upper |= isupper((uint8_t)*name) != 0;
		lower |= islower((uint8_t)*name) != 0;
	}
	return upper && lower;
}

static void look_at(struct look *x, const char *name)
{
	x->mixed |= is_mixed(name);
	if (x->spelt[0] == 0 && strcasecmp(name, x->name) == 0 && strlen(name) <= PO_REL_MAX)
		snprintf(x->spelt, PO_REL_MAX + 1, "%s", name);
	if (x->keep->n < LISTED_NAMES_MAX && map_get(x->keep, folded(name)) == NULL)
		map_put(x->keep, folded(name), mem_strdup(name));
}

/* Reads the directory once through, for look_at, or for `each`. */
static bool walk(struct postoffice *po, int dir, const char *dir_rel, bool (*each)(void *ctx, const char *name), void *ctx, struct err *e)
{
	po_note(po, "list", dir_rel);
	if (FAULT(PO_LIST))
		return po_error(po, e, "list", dir_rel, EIO);
	const int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (d == NULL) {
		const int code = errno;
		if (fd >= 0)
			close(fd);
		return po_error(po, e, "list", dir_rel, code);
	}
	bool go_on = true;
	errno = 0;
	for (struct dirent *x; go_on && (x = readdir(d)) != NULL; errno = 0)
		if (strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0)
			go_on = each(ctx, x->d_name);
	const int code = go_on ? errno : 0;
	closedir(d);
	po_note(po, NULL, NULL);
	return code == 0 || po_error(po, e, "list", dir_rel, code);
}

static bool look_each(void *ctx, const char *name)
{
	look_at(ctx, name);
	return true;
}

static bool still_good(const struct listing *l, const struct stat *st)
{
	return l->inode == st->st_ino && l->changed.tv_sec == st->st_mtim.tv_sec && l->changed.tv_nsec == st->st_mtim.tv_nsec;
}

/* Envelopes, locks and journals are written by programs of ours only, in upper case, and a server keeps that or makes it lower case. Both have been looked
 * for. So P1 is not looked through at each name that is not there, as of every message that a client wrote: only for one that somebody has copied. */
static bool says_enough(const struct listing *l, const struct stat *st)
{
	const wall_ms_t age = moment_wall_ms() - l->at;
	return strcmp(l->dir.s, "P1") == 0 && l->inode == st->st_ino && !l->mixed && age >= 0 && age < TRUSTED_MS;
}

/* Looks `name` up in a listing that is as new as the directory. */
static bool list_for(struct postoffice *po, int dir, const char *dir_rel, const char *name, char *spelt_r, struct err *e)
{
	struct stat st;
	if (fstat(dir, &st) != 0)
		return po_error(po, e, "look at", dir_rel, errno);
	struct listing *l = listing_of(po, dir_rel);
	if (l != NULL && l->settled && still_good(l, &st)) {
		const char *kept = map_get(&l->names, folded(name));
		if (kept != NULL && strcasecmp(kept, name) == 0)
			snprintf(spelt_r, PO_REL_MAX + 1, "%s", kept);
		return true;
	}
	if (l != NULL && says_enough(l, &st))
		return true;
	l = listing_new(po, dir_rel);
	struct look look = { .name = name, .spelt = spelt_r, .keep = &l->names };
	if (!walk(po, dir, dir_rel, look_each, &look, e)) {
		listing_fini(l);
		return false;
	}
	l->changed = st.st_mtim;
	l->inode = st.st_ino;
	l->mixed = look.mixed;
	l->at = moment_wall_ms();
	/* A change within the same tick of the server's clock would not show; nor is a part of a long directory an answer. */
	l->settled = moment_wall_ms() / 1000 - st.st_mtim.tv_sec >= SETTLED_S && l->names.n < LISTED_NAMES_MAX;
	return true;
}

bool po_spelling(struct postoffice *po, int dir, const char *dir_rel, const char *name, enum po_effort effort,
		 char spelt_r[PO_REL_MAX + 1], struct err *e)
{
	char lower[PO_REL_MAX + 1];
	size_t n = 0;
	for (; name[n] != 0 && n < PO_REL_MAX; n++)
		lower[n] = (char)tolower((uint8_t)name[n]);
	lower[n] = 0;
	spelt_r[0] = 0;
	struct stat st;
	if (po->folds)
		return true;
	if (fstatat(dir, lower, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		snprintf(spelt_r, PO_REL_MAX + 1, "%s", lower);
		return true;
	}
	if (errno != ENOENT)
		return po_error(po, e, "look for", name, errno);
	if (effort == PO_LIST_TOO)
		return list_for(po, dir, dir_rel, name, spelt_r, e);
	const struct listing *l = listing_of(po, dir_rel);
	const char *kept = l == NULL ? NULL : map_get(&l->names, folded(name));
	if (kept != NULL && strcasecmp(kept, name) == 0 && fstatat(dir, kept, &st, AT_SYMLINK_NOFOLLOW) == 0)
		snprintf(spelt_r, PO_REL_MAX + 1, "%s", kept);
	return true;
}

/* --- directories --- */

enum { OPEN_DIR = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW };

/* Part by part, each as the server spells it. *dir_r -1: one of them is not there. */
static bool respell(struct postoffice *po, const char *rel, int *dir_r, struct err *e)
{
	struct po_rel so_far = { "" }, spelt = { "" };
	int at = dup(po->root);
	*dir_r = -1;
	for (const char *p = rel; at >= 0 && *p != 0;) {
		const size_t n = strcspn(p, "/");
		char part[PO_REL_MAX + 1], found[PO_REL_MAX + 1];
		snprintf(part, sizeof part, "%.*s", (int)n, p);
		snprintf(found, sizeof found, "%s", part);
		int next = openat(at, part, OPEN_DIR);
		if (next < 0 && errno == ENOENT) {
			const bool ok = po_spelling(po, at, so_far.s, part, PO_LIST_TOO, found, e);
			if (!ok || found[0] == 0) {
				close(at);
				return ok;
			}
			next = openat(at, found, OPEN_DIR);
		}
		const int code = errno;
		close(at);
		if (next < 0)
			return code == ENOENT || err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: is no directory that can be used: %s", rel, strerror(code));
		at = next;
		p += n + (p[n] == '/');
		if (!add_part(&so_far, part) || !add_part(&spelt, found)) {
			close(at);
			return po_error(po, e, "open", rel, ENAMETOOLONG);
		}
	}
	if (at < 0)
		return po_error(po, e, "open", rel, errno);
	keep_spelling(po, rel, spelt.s);
	*dir_r = at;
	return true;
}

static bool open_dir(struct postoffice *po, const char *rel, int *dir_r, struct err *e)
{
	*dir_r = -1;
	if (rel[0] == 0)
		return (*dir_r = dup(po->root)) >= 0 || po_error(po, e, "open", po->path, errno);
	po_note(po, "open", rel);
	if (FAULT(PO_OPEN))
		return po_error(po, e, "open", rel, EIO);
	*dir_r = po_open_beneath(po->root, spelt_dir(po, rel), OPEN_DIR);
	const bool ok = *dir_r >= 0 || respell(po, rel, dir_r, e);
	if (ok)
		po_note(po, NULL, NULL);
	return ok;
}

bool po_open_parent(struct postoffice *po, const char *rel, int *dir_r, const char **name_r, struct err *e)
{
	const struct po_rel dir = split(rel, name_r);
	return open_dir(po, dir.s, dir_r, e);
}

bool po_dir_there(struct postoffice *po, const char *rel, bool *there_r, struct err *e)
{
	int dir;
	if (!open_dir(po, rel, &dir, e))
		return false;
	*there_r = dir >= 0;
	if (dir >= 0)
		close(dir);
	return true;
}

bool po_make_dir(struct postoffice *po, const char *rel, struct err *e)
{
	bool there;
	if (!po_may_write(po, rel, e) || !po_dir_there(po, rel, &there, e))
		return false;
	if (there)
		return true;
	const char *name;
	int dir;
	if (!po_open_parent(po, rel, &dir, &name, e))
		return false;
	if (dir < 0)
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: cannot make this directory: the one above it is missing", rel);
	po_note(po, "make", rel);
	const int code = FAULT(PO_WRITE) ? ENOSPC : mkdirat(dir, name, 0770) == 0 || errno == EEXIST ? 0 : errno;
	if (code == 0)
		(void)fsync(dir);
	close(dir);
	po_note(po, NULL, NULL);
	return code == 0 || po_error(po, e, "make", rel, code);
}

bool po_sync_dir(struct postoffice *po, const char *rel, struct err *e)
{
	int dir;
	if (!open_dir(po, rel, &dir, e))
		return false;
	if (dir < 0)
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: the directory is missing", rel);
	po_note(po, "sync", rel);
	/* Some servers cannot sync a directory: what they name is theirs to keep. */
	const int code = FAULT(PO_SYNC) ? EIO : fsync(dir) == 0 || errno == EINVAL || errno == ENOTSUP || errno == EBADF ? 0 : errno;
	close(dir);
	po_note(po, NULL, NULL);
	return code == 0 || po_error(po, e, "sync", rel, code);
}

bool po_list(struct postoffice *po, const char *rel, bool (*each)(void *ctx, const char *name), void *ctx, struct err *e)
{
	int dir;
	if (!open_dir(po, rel, &dir, e))
		return false;
	if (dir < 0)
		return true;
	const bool ok = walk(po, dir, rel, each, ctx, e);
	close(dir);
	return ok;
}
