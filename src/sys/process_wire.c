/* process_wire.c - see process_wire.h. */
#include "sys/process_wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(WIRE_FDS_MAX * sizeof(int))];
};

enum wire_result wire_send(int fd, struct wire_msg *m, const int *fds, size_t n_fds)
{
	assert(n_fds <= WIRE_FDS_MAX);
	m->magic = WIRE_MAGIC;
	union control control;
	memset(&control, 0, sizeof control);
	struct iovec iov = { m, sizeof *m };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (n_fds > 0) {
		h.msg_control = control.room;
		h.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	ssize_t n;
	do
		n = sendmsg(fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof *m)
		return WIRE_OK;
	return n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) ? WIRE_LATER : WIRE_GONE;
}

static void take_fds(struct msghdr *h, int fds_r[WIRE_FDS_MAX])
{
	struct cmsghdr *c = CMSG_FIRSTHDR(h);
	if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return;
	size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (n <= WIRE_FDS_MAX)
		memcpy(fds_r, CMSG_DATA(c), n * sizeof(int));
}

enum wire_result wire_recv(int fd, struct wire_msg *m_r, int fds_r[WIRE_FDS_MAX])
{
	union control control;
	struct iovec iov = { m_r, sizeof *m_r };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.room,
			    .msg_controllen = sizeof control.room };
	for (size_t i = 0; i < WIRE_FDS_MAX; i++)
		fds_r[i] = -1;
	ssize_t n;
	do
		n = recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return WIRE_LATER;
	if (n > 0)
		take_fds(&h, fds_r);
	/* MSG_CTRUNC: no room in our table of descriptors, and what was sent is lost for good. */
	if (n == (ssize_t)sizeof *m_r && m_r->magic == WIRE_MAGIC && (h.msg_flags & MSG_CTRUNC) == 0) {
		m_r->name[sizeof m_r->name - 1] = 0;
		m_r->text[sizeof m_r->text - 1] = 0;
		m_r->note[sizeof m_r->note - 1] = 0;
		return WIRE_OK;
	}
	for (size_t i = 0; i < WIRE_FDS_MAX; i++)
		if (fds_r[i] >= 0)
			close(fds_r[i]);
	return WIRE_GONE;
}
