/* lines.c - see lines.h. */
#include "proc/supervisor/lines.h"

#include "sys/event.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

enum { PIPE_OCTETS = 1024 * 1024 }; /* what the system lets anyone have */

void lines_open(struct lines *l)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
		return;
	l->out = fds[0];
	l->in = fds[1];
	(void)fcntl(l->in, F_SETPIPE_SZ, PIPE_OCTETS); /* with less, more is lost when the recorder is slow */
}

void lines_end(struct lines *l)
{
	if (l->in >= 0)
		close(l->in);
	l->in = -1;
}

void lines_close(struct lines *l)
{
	lines_end(l);
	if (l->out >= 0)
		close(l->out);
	l->out = -1;
}

static bool has_room(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	return poll(&p, 1, 0) == 1 && (p.revents & POLLOUT) != 0;
}

/* A terminal that is stopped must not stop the watcher. What has no room is lost. */
static void say(struct view v)
{
	if (v.n > 0 && has_room(STDERR_FILENO) && write(STDERR_FILENO, v.p, v.n) < 0)
		return;
}

bool lines_copy(struct lines *l, struct view line)
{
	if (l->in < 0)
		return true; /* there is no recorder to miss it */
	ssize_t n = -1;
	if (line.n <= PIPE_BUF) /* whole or not at all: pipe(7) */
		do
			n = write(l->in, line.p, line.n);
		while (n < 0 && errno == EINTR);
	l->lost += n < 0;
	return n >= 0;
}

void lines_pass(struct lines *l, struct view line, bool recorded)
{
	bool marked = line.n > 0 && line.p[0] == EVENT_RECORD, json = line.n > 0 && line.p[0] == '{';
	if (recorded && (marked || json))
		(void)lines_copy(l, marked ? view_from(line, 1) : line); /* counted */
	if (!marked && !(json && l->quiet))
		say(line);
}

uint64_t lines_take_lost(struct lines *l)
{
	if (l->lost == 0 || l->in < 0 || !has_room(l->in))
		return 0;
	uint64_t lost = l->lost;
	l->lost = 0;
	return lost;
}
