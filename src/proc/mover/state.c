/* state.c - what a process of a mover remembers, see mover_int.h. Lines of text: those of retry.h, "S id n" for strikes, "B bag". */
#include "proc/mover/mover_int.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "base/text.h"

enum { STATE_MAX = 4 * 1024 * 1024 };

static struct mover_strike *find(const struct mover_state *s, const struct mm_id *id)
{
	for (size_t i = 0; i < s->n_strikes; i++)
		if (mm_same(s->strikes[i].id.s, id->s))
			return &s->strikes[i];
	return NULL;
}

static struct mover_strike *add(struct mover_state *s, const struct mm_id *id)
{
	struct mover_strike *x = find(s, id);
	if (x != NULL)
		return x;
	if (s->n_strikes == s->cap_strikes) {
		s->cap_strikes = s->cap_strikes == 0 ? 16 : mem_mul(s->cap_strikes, 2);
		s->strikes = mem_grow(s->strikes, mem_mul(s->cap_strikes, sizeof *s->strikes));
	}
	x = &s->strikes[s->n_strikes++];
	*x = (struct mover_strike){ *id, 0 };
	return x;
}

static void parse_line(struct mover_state *s, struct view line)
{
	struct mm_id id;
	uint32_t number;
	uint64_t n;
	if (line.n > 11 && line.p[0] == 'S' && mm_id_parse(view_of(line.p + 2, 8), &id, &number, NULL) && text_uint(view_from(line, 11), 1000000, &n))
		add(s, &id)->n = (unsigned)n;
	if (line.n == 10 && line.p[0] == 'B' && mm_id_parse(view_of(line.p + 2, 8), &id, &number, NULL))
		memcpy(s->bag, id.s, sizeof s->bag);
}

static void parse(struct mover_state *s, struct view text)
{
	retry_parse(&s->retry, text);
	while (text.n > 0) {
		const uint8_t *end = memchr(text.p, '\n', text.n);
		const size_t n = end == NULL ? text.n : (size_t)(end - text.p);
		parse_line(s, view_first(text, n));
		text = view_from(text, n + 1);
	}
}

void state_load(struct mover_state *s, const char *path)
{
	*s = (struct mover_state){ .dirty = false };
	snprintf(s->path, sizeof s->path, "%s", path);
	retry_init(&s->retry);
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return; /* the first time, or lost: then counting begins anew */
	uint8_t *buf = mem_alloc(STATE_MAX);
	size_t n = 0;
	for (ssize_t got; n < STATE_MAX && (got = read(fd, buf + n, STATE_MAX - n)) > 0;)
		n += (size_t)got;
	close(fd);
	parse(s, view_of(buf, n));
	free(buf);
}

void state_fini(struct mover_state *s)
{
	retry_fini(&s->retry);
	MEM_FREE(s->strikes);
	s->n_strikes = s->cap_strikes = 0;
}

static bool fail(struct err *e, const char *doing, const char *path)
{
	const int code = errno;
	return err_set(e, code == ENOSPC || code == EDQUOT ? ERR_TEMP : ERR_LOCAL, ERR_OF_PROCESS, "%s: cannot %s: %s", path, doing, strerror(code));
}

static bool write_all(int fd, struct view octets)
{
	while (octets.n > 0) {
		const ssize_t n = write(fd, octets.p, octets.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		octets = view_from(octets, (size_t)n);
	}
	return true;
}

static bool sync_directory_of(const char *path)
{
	char dir[600];
	snprintf(dir, sizeof dir, "%s", path);
	char *slash = strrchr(dir, '/');
	if (slash != NULL)
		*slash = 0;
	const int fd = open(slash == NULL ? "." : dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const bool good = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

bool state_write(const char *path, struct view octets, struct err *e)
{
	char beside[610];
	snprintf(beside, sizeof beside, "%s.new", path);
	if (FAULT(MOVER_STATE))
		return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "%s: not written (fault point)", path);
	const int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail(e, "be made", beside);
	const bool good = write_all(fd, octets) && fsync(fd) == 0;
	const int code = errno;
	close(fd);
	errno = code;
	if (!good || rename(beside, path) != 0 || !sync_directory_of(path)) {
		const bool told = fail(e, "be written", path);
		unlink(beside);
		return told;
	}
	return true;
}

bool state_make_directory(const char *path, struct err *e)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST || fail(e, "be made", path);
}

bool state_save(struct mover_state *s, struct err *e)
{
	struct out o;
	if (!s->dirty)
		return true;
	out_init(&o, STATE_MAX);
	retry_print(&s->retry, &o);
	for (size_t i = 0; i < s->n_strikes; i++)
		out_fmt(&o, "S %s %u\n", s->strikes[i].id.s, s->strikes[i].n);
	if (s->bag[0] != 0)
		out_fmt(&o, "B %s\n", s->bag);
	const bool good = state_write(s->path, out_view(&o), e);
	s->dirty = !good;
	out_fini(&o);
	return good;
}

unsigned state_strike(struct mover_state *s, const struct mm_id *id)
{
	s->dirty = true;
	return ++add(s, id)->n;
}

unsigned state_strikes(const struct mover_state *s, const struct mm_id *id)
{
	const struct mover_strike *x = find(s, id);
	return x == NULL ? 0 : x->n;
}

void state_done(struct mover_state *s, const struct mm_id *id)
{
	struct mover_strike *x = find(s, id);
	const size_t before = s->retry.n_messages;
	retry_done(&s->retry, id);
	s->dirty |= x != NULL || before != s->retry.n_messages;
	if (x != NULL)
		*x = s->strikes[--s->n_strikes];
}
