/* journal.c - see journal.h. */
#include "sys/journal.h"

#include "base/fault.h"
#include "base/mem.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct journal {
	unsigned magic;
#define JOURNAL_MAGIC 0x104a4a10u
	struct sockaddr_un where;
	int fd; /* -1: not connected */
};

struct journal *journal_new(const char *path)
{
	struct journal *j = mem_zero(sizeof *j);
	j->magic = JOURNAL_MAGIC;
	j->fd = -1;
	j->where.sun_family = AF_UNIX;
	snprintf(j->where.sun_path, sizeof j->where.sun_path, "%s", path);
	return j;
}

static void let_go(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

void journal_free(struct journal **jp)
{
	struct journal *j = *jp;
	if (j == NULL)
		return;
	CHECK(j, JOURNAL_MAGIC);
	let_go(j);
	j->magic = 0;
	MEM_FREE(*jp);
}

/* NAME=value, an end of line; one with ends of line in it: NAME, an end of line, its length as 8 octets little-endian, the value. */
void journal_field(struct out *entry, const char *name, const char *value)
{
	size_t n = strlen(value);
	out_str(entry, name);
	if (memchr(value, '\n', n) == NULL) {
		out_u8(entry, '=');
	} else {
		out_u8(entry, '\n');
		for (unsigned i = 0; i < 8; i++)
			out_u8(entry, (uint8_t)((uint64_t)n >> (8 * i)));
	}
	out_bytes(entry, view_of(value, n));
	out_u8(entry, '\n');
}

static bool be_connected(struct journal *j)
{
	if (j->fd >= 0)
		return true;
	errno = ECONNREFUSED;
	if (FAULT(JOURNAL_CONNECT))
		return false;
	j->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return j->fd >= 0 && connect(j->fd, (const struct sockaddr *)(const void *)&j->where, sizeof j->where) == 0;
}

bool journal_send(struct journal *j, struct view entry, struct err *e)
{
	CHECK(j, JOURNAL_MAGIC);
	ssize_t n = -1;
	if (be_connected(j)) {
		errno = EAGAIN;
		if (!FAULT(JOURNAL_SEND))
			n = send(j->fd, entry.p, entry.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	if (n == (ssize_t)entry.n)
		return true;
	if (errno == EAGAIN)
		return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "journal %s: it has no room now", j->where.sun_path);
	int code = errno;
	let_go(j);
	return err_set(e, ERR_TEMP, ERR_OF_PROCESS, "journal %s: %s", j->where.sun_path, strerror(code));
}
