/* lock.c - see postoffice.h: P1\<bag>.0LK. The file says that somebody works on the bag, and who; that he lives is said by his lock of
 * the system on it. Both have to be there for it to be held: a file without is left over from a crash, and taken over. */
#include "flow/wire/postoffice/po_int.h"

#include "base/mem.h"
#include "base/text.h"

#include <time.h>
#include <unistd.h>

enum { REOPENS = 8, WHO_MAX = 120 };

struct po_lock {
	unsigned magic;
#define PO_LOCK_MAGIC 0x10c40001u
	struct postoffice *po;
	struct po_rel rel;
	int fd;
};

static void who_are_we(const struct postoffice *po, char who[WHO_MAX])
{
	char host[64] = "?", since[32] = "?";
	struct tm tm;
	const time_t now = (time_t)(po_now(po) / 1000);
	if (gethostname(host, sizeof host - 1) != 0)
		snprintf(host, sizeof host, "?");
	if (gmtime_r(&now, &tm) != NULL)
		strftime(since, sizeof since, "%Y-%m-%dT%H:%M:%SZ", &tm);
	snprintf(who, WHO_MAX, "%.60s %ld %s\r\n", host, (long)getpid(), since);
}

/* Somebody has it: who, as far as his file says it. */
static bool is_held(struct postoffice *po, const char *rel, int fd, struct err *e)
{
	char who[WHO_MAX], shown[WHO_MAX + 20];
	size_t got = 0;
	if (fd < 0 || !po_read_at(po, fd, rel, who, sizeof who, 0, &got, NULL))
		got = 0;
	while (got > 0 && (uint8_t)who[got - 1] <= ' ')
		got--;
	if (got == 0)
		(void)err_set(e, ERR_TEMP, ERR_OF_LINK, "%s: is held by a program that does not say who it is", rel);
	else
		(void)err_set(e, ERR_TEMP, ERR_OF_LINK, "%s: is held by %s (host, process, since)", rel, text_escaped(shown, sizeof shown, view_of(who, got)));
	return true;
}

enum try { FAILED, HELD, AGAIN, OURS };

/* One attempt: opens what is there, or makes it, and locks it. */
static enum try try_once(struct postoffice *po, const char *rel, int *fd, struct err *e)
{
	struct err why;
	struct po_stamp s;
	bool got, named;
	if (!po_open(po, rel, O_RDWR, fd, &why)) {
		if (why.kind == ERR_TEMP && why.culprit == ERR_OF_MESSAGE) { /* deny-all: as the other movers hold theirs */
			*fd = -1;
			return is_held(po, rel, -1, e) ? HELD : FAILED;
		}
		if (e != NULL)
			*e = why;
		if (e != NULL && why.kind == ERR_PERM)
			e->kind = ERR_LOCAL, e->culprit = ERR_OF_LINK;
		return FAILED;
	}
	if (*fd < 0 && !po_open(po, rel, O_RDWR | O_CREAT | O_EXCL, fd, e))
		return FAILED;
	if (*fd < 0)
		return AGAIN; /* somebody was quicker */
	if (!po_try_hold(po, *fd, rel, PO_EXCLUSIVE, &got, e))
		return FAILED;
	if (!got)
		return is_held(po, rel, *fd, e) ? HELD : FAILED;
	if (!po_fstat(po, *fd, rel, &s, &named, e))
		return FAILED;
	return named ? OURS : AGAIN; /* its holder went, and took the file with him */
}

bool postoffice_lock(struct postoffice *po, const char *bag, struct po_lock **lock_r, struct err *e)
{
	const struct po_rel rel = po_rel_of("P1", bag, ".0LK");
	enum try t = AGAIN;
	int fd = -1;
	if (!po_may_write(po_check(po), rel.s, e) || !po_may_share(po, e) || !po_alive(po, e))
		return false;
	for (unsigned i = 0; i < REOPENS && t == AGAIN; i++) {
		po_close(po, &fd);
		t = try_once(po, rel.s, &fd, e);
	}
	if (t == AGAIN)
		t = is_held(po, rel.s, -1, e) ? HELD : FAILED;
	if (t == OURS) {
		char who[WHO_MAX];
		who_are_we(po, who);
		if (!po_truncate(po, fd, rel.s, 0, e) || !po_write_at(po, fd, rel.s, who, strlen(who), 0, e))
			t = FAILED; /* the file stays, and is taken over the next time */
	}
	if (t != OURS) {
		po_close(po, &fd);
		*lock_r = NULL;
		return t == HELD;
	}
	struct po_lock l = { .magic = PO_LOCK_MAGIC, .po = po, .rel = rel, .fd = fd };
	*lock_r = mem_dup(&l, sizeof l);
	return true;
}

void postoffice_unlock(struct po_lock **lock)
{
	struct po_lock *l = *lock;
	if (l == NULL)
		return;
	CHECK(l, PO_LOCK_MAGIC);
	/* The file first, while it is still held: a file without a lock is taken over in any case. */
	const bool gone = po_remove(l->po, l->rel.s, NULL);
	(void)gone;
	po_close(l->po, &l->fd);
	l->magic = 0;
	MEM_FREE(*lock);
}
