/* journal.c - see journal.h. A line is TEXT, a blank, 16 hexadecimal digits of FNV-1a over TEXT, LF. */
#include "proc/interchange/journal.h"

#include <inttypes.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

enum { SUM = 17, PIECE = 64 * 1024, NAME_MAX_ = 127 };

struct journal {
	unsigned magic;
#define JOURNAL_MAGIC 0x10041a1eu
	struct env *env;
	struct file *file;
	char folder[64], name[32];
	uint64_t size;
	bool broken;               /* a write or sync has failed: what is behind is not known */
	unsigned *old;             /* generations, the oldest first */
	size_t n_old;
	unsigned syncing;
	bool closed;
};

struct sync {
	struct journal *j;
	file_done_f *done;
	void *ctx;
};

struct listing { const char *name; unsigned *v; size_t n; };

static void on_name(void *ctx, const char *name)
{
	struct listing *l = ctx;
	const size_t n = strlen(l->name);
	uint64_t number;
	if (strncmp(name, l->name, n) == 0 && name[n] == '.' && text_uint(view_str(name + n + 1), 999999999, &number)) {
		l->v = mem_grow(l->v, mem_mul(l->n + 1, sizeof *l->v));
		l->v[l->n++] = (unsigned)number;
	}
}

static void path_of(const struct journal *j, unsigned generation, char path[NAME_MAX_ + 1])
{
	snprintf(path, NAME_MAX_ + 1, "%s/%s.%u", j->folder, j->name, generation);
}

static void sort(unsigned *v, size_t n)
{
	for (size_t i = 1; i < n; i++)
		for (size_t k = i; k > 0 && v[k] < v[k - 1]; k--) {
			const unsigned t = v[k];
			v[k] = v[k - 1];
			v[k - 1] = t;
		}
}

/* The text of a line without its end, or nothing when its sum is not right. */
static bool check_line(struct view line, struct view *text_r)
{
	char sum[SUM + 1];
	if (line.n < SUM)
		return false;
	*text_r = view_first(line, line.n - SUM);
	snprintf(sum, sizeof sum, " %016" PRIx64, hash_octets(HASH_START, *text_r));
	return memcmp(line.p + text_r->n, sum, SUM) == 0;
}

static bool take_line(struct journal *j, struct view line, journal_line_f *each, void *ctx, unsigned *damaged, struct err *e)
{
	struct view text;
	if (line.n == 0)
		return true;
	if (!check_line(line, &text)) {
		++*damaged;
		return true;
	}
	return !each(ctx, text, j->size) || journal_append(j, text, NULL, e);
}

static bool read_old(struct journal *j, unsigned generation, journal_line_f *each, void *ctx, unsigned *damaged, struct err *e)
{
	char path[NAME_MAX_ + 1];
	struct out buf;
	path_of(j, generation, path);
	struct file *f = env_file_open(j->env, path, e);
	if (f == NULL)
		return false;
	out_init(&buf, JOURNAL_LINE_MAX);
	uint8_t *piece = mem_alloc(PIECE);
	bool ok = true;
	size_t got = 1, scanned = 0;
	for (uint64_t at = 0; ok && got > 0; at += got) {
		ok = file_read(f, at, piece, PIECE, &got, e);
		if (!ok)
			break;
		out_bytes(&buf, view_of(piece, got));
		if (buf.bad) /* no line of ours is so long: what is there is none */
			out_clear(&buf), scanned = 0, ++*damaged;
		for (const uint8_t *end; ok; scanned = 0) {
			const struct view rest = out_view(&buf);
			end = rest.n > scanned ? memchr(rest.p + scanned, '\n', rest.n - scanned) : NULL;
			if (end == NULL)
				break;
			const size_t n = (size_t)(end - rest.p);
			ok = take_line(j, view_first(rest, n), each, ctx, damaged, e);
			out_drop(&buf, n + 1);
		}
		scanned = out_len(&buf);
	}
	*damaged += out_len(&buf) > 0;
	free(piece);
	out_fini(&buf);
	file_close(&f);
	return ok;
}

bool journal_open(struct env *env, const char *folder, const char *name, journal_line_f *each, void *ctx, struct journal **j_r,
		  unsigned *damaged_r, struct err *e)
{
	char path[NAME_MAX_ + 1];
	struct journal *j = mem_zero(sizeof *j);
	j->magic = JOURNAL_MAGIC;
	j->env = env;
	snprintf(j->folder, sizeof j->folder, "%s", folder);
	snprintf(j->name, sizeof j->name, "%s", name);
	struct listing l = { j->name, NULL, 0 };
	bool ok = env_file_list(env, folder, on_name, &l, e);
	j->old = l.v;
	sort(j->old, l.n);
	j->n_old = l.n;
	if (ok) {
		path_of(j, l.n == 0 ? 1 : j->old[l.n - 1] + 1, path);
		j->file = env_file_create(env, path, e);
	}
	ok = ok && j->file != NULL;
	*damaged_r = 0;
	for (size_t i = 0; ok && i < j->n_old; i++)
		ok = read_old(j, j->old[i], each, ctx, damaged_r, e);
	if (ok) {
		*j_r = j;
		return true;
	}
	if (j->file != NULL) { /* half of a generation is none: all of it is in the old ones */
		file_close(&j->file);
		(void)!env_file_remove(env, path, NULL);
	}
	free(j->old);
	j->magic = 0;
	free(j);
	return false;
}

static void finish(struct journal *j)
{
	file_close(&j->file);
	free(j->old);
	j->magic = 0;
	free(j);
}

void journal_close(struct journal **jp)
{
	struct journal *j = *jp;
	if (j == NULL)
		return;
	CHECK(j, JOURNAL_MAGIC);
	*jp = NULL;
	j->closed = true;
	if (j->syncing == 0)
		finish(j);
}

bool journal_append(struct journal *j, struct view line, uint64_t *at_r, struct err *e)
{
	CHECK(j, JOURNAL_MAGIC);
	assert(line.n <= JOURNAL_LINE_MAX - SUM - 1 && (line.n == 0 || memchr(line.p, '\n', line.n) == NULL));
	struct out o;
	out_init(&o, JOURNAL_LINE_MAX + 1);
	out_bytes(&o, line);
	out_fmt(&o, " %016" PRIx64 "\n", hash_octets(HASH_START, line));
	assert(!o.bad);
	bool ok = !j->broken || err_set(e, ERR_TEMP, ERR_OF_PROCESS, "journal %s: an earlier write has failed", j->name);
	if (ok && FAULT(INTERCHANGE_JOURNAL))
		ok = err_set(e, ERR_TEMP, ERR_OF_PROCESS, "journal %s: cannot be written (fault point)", j->name);
	ok = ok && file_append(j->file, out_view(&o), e);
	if (ok && at_r != NULL)
		*at_r = j->size;
	j->size += ok ? out_len(&o) : 0;
	j->broken = j->broken || !ok;
	out_fini(&o);
	return ok;
}

static void on_synced(void *ctx, const struct err *failed)
{
	struct sync *s = ctx;
	struct journal *j = s->j;
	const struct sync told = *s;
	char path[NAME_MAX_ + 1];
	free(s);
	j->syncing--;
	j->broken = j->broken || failed != NULL;
	for (size_t i = 0; failed == NULL && i < j->n_old; i++) {
		path_of(j, j->old[i], path);
		(void)!env_file_remove(j->env, path, NULL); /* else it is read once more */
	}
	j->n_old = failed == NULL ? 0 : j->n_old;
	if (!j->closed) {
		if (told.done != NULL)
			told.done(told.ctx, failed);
	} else if (j->syncing == 0) {
		finish(j);
	}
}

void journal_sync(struct journal *j, file_done_f *done, void *ctx)
{
	CHECK(j, JOURNAL_MAGIC);
	struct sync *s = mem_alloc(sizeof *s);
	*s = (struct sync){ j, done, ctx };
	j->syncing++;
	file_sync(j->file, on_synced, s);
}

bool journal_read(struct journal *j, uint64_t at, struct out *line, struct err *e)
{
	CHECK(j, JOURNAL_MAGIC);
	struct out buf;
	uint8_t *piece = mem_alloc(PIECE);
	out_init(&buf, JOURNAL_LINE_MAX);
	const uint8_t *end = NULL;
	size_t got = PIECE;
	bool ok = true;
	for (; ok && end == NULL && got > 0 && !buf.bad; at += got) {
		ok = file_read(j->file, at, piece, PIECE, &got, e);
		end = ok ? memchr(piece, '\n', got) : NULL;
		out_bytes(&buf, view_of(piece, !ok ? 0 : end != NULL ? (size_t)(end - piece) : got));
	}
	struct view text = { NULL, 0 };
	if (ok && (end == NULL || !check_line(out_view(&buf), &text)))
		ok = err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "journal %s: a line that was written is not there", j->name);
	if (ok)
		out_bytes(line, text);
	free(piece);
	out_fini(&buf);
	return ok;
}

bool journal_is_broken(const struct journal *j)
{
	return j->broken;
}

uint64_t journal_size(const struct journal *j)
{
	return j->size;
}
