/* net.c - see net.h. */
#include "sys/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1024 };

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	struct sockaddr_un local;
};

/* Text that net_addr_parse has passed; anything else gives false. */
static bool to_kernel(const struct net_addr *addr, union address *to_r, socklen_t *n_r)
{
	memset(to_r, 0, sizeof *to_r);
	if (strncmp(addr->text, "unix:", 5) == 0) {
		to_r->local.sun_family = AF_UNIX;
		int n = snprintf(to_r->local.sun_path, sizeof to_r->local.sun_path, "%s", addr->text + 5);
		*n_r = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n + 1);
		return n > 0 && (size_t)n < sizeof to_r->local.sun_path;
	}
	char host[64];
	const char *colon = strrchr(addr->text, ':');
	bool six = addr->text[0] == '[';
	if (colon == NULL || (size_t)(colon - addr->text) >= sizeof host)
		return false;
	size_t n = (size_t)(colon - addr->text) - (six ? 2 : 0);
	memcpy(host, addr->text + six, n);
	host[n] = 0;
	in_port_t port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (six) {
		to_r->six.sin6_family = AF_INET6;
		to_r->six.sin6_port = port;
		*n_r = sizeof to_r->six;
		return inet_pton(AF_INET6, host, &to_r->six.sin6_addr) == 1;
	}
	to_r->four.sin_family = AF_INET;
	to_r->four.sin_port = port;
	*n_r = sizeof to_r->four;
	return inet_pton(AF_INET, host, &to_r->four.sin_addr) == 1;
}

static void from_kernel(const union address *from, struct net_addr *addr_r)
{
	char host[64] = "";
	switch (from->any.sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &from->four.sin_addr, host, sizeof host);
		snprintf(addr_r->text, sizeof addr_r->text, "%s:%u", host, ntohs(from->four.sin_port));
		break;
	case AF_INET6:
		inet_ntop(AF_INET6, &from->six.sin6_addr, host, sizeof host);
		snprintf(addr_r->text, sizeof addr_r->text, "[%s]:%u", host, ntohs(from->six.sin6_port));
		break;
	case AF_UNIX:
		snprintf(addr_r->text, sizeof addr_r->text, "unix:%.100s", from->local.sun_path);
		break;
	default:
		addr_r->text[0] = 0;
	}
}

static void no_delay(int fd)
{
	int on = 1; /* refused on Unix sockets, where there is nothing to delay */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static int new_socket(const struct net_addr *addr, union address *to_r, socklen_t *n_r, struct err *e)
{
	if (!to_kernel(addr, to_r, n_r)) {
		err_set(e, ERR_LOCAL, ERR_OF_LINK, "address \"%s\" is none", addr->text);
		return -1;
	}
	int fd = socket(to_r->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		err_set(e, ERR_TEMP, ERR_OF_PROCESS, "socket for %s: %s", addr->text, strerror(errno));
	return fd;
}

static bool bind_from(int fd, const struct net_addr *from, struct err *e)
{
	union address own;
	socklen_t n;
	int on = 1; /* the port is chosen with the connection, so that as many are there as for one without a source address */
	(void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on); /* a port that is named is used again and again */
	if (to_kernel(from, &own, &n) && bind(fd, &own.any, n) == 0)
		return true;
	return err_set(e, ERR_TEMP, ERR_OF_LINK, "connect from %s: %s", from->text, strerror(errno));
}

int net_connect(const struct net_addr *to, const struct net_addr *from, bool *waits_r, struct err *e)
{
	union address peer;
	socklen_t n;
	int fd = new_socket(to, &peer, &n, e);
	if (fd < 0 || (from != NULL && !bind_from(fd, from, e)))
		goto bad;
	if (peer.any.sa_family != AF_UNIX)
		no_delay(fd);
	*waits_r = false;
	if (connect(fd, &peer.any, n) == 0)
		return fd;
	*waits_r = errno == EINPROGRESS;
	if (*waits_r)
		return fd;
	err_set(e, ERR_TEMP, ERR_OF_LINK, "connect to %s: %s", to->text, strerror(errno));
bad:
	if (fd >= 0)
		close(fd);
	return -1;
}

/* A socket file outlives its process. Nobody listening on it: it may be replaced. */
static bool is_stale(const union address *own, socklen_t n)
{
	if (own->any.sa_family != AF_UNIX)
		return false;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool stale = fd >= 0 && connect(fd, &own->any, n) != 0 && errno == ECONNREFUSED;
	if (fd >= 0)
		close(fd);
	return stale;
}

static bool bind_own(int fd, const union address *own, socklen_t n)
{
	mode_t before = umask(S_IXUSR | S_IRWXG | S_IRWXO);
	bool bound = bind(fd, &own->any, n) == 0;
	if (!bound && errno == EADDRINUSE && is_stale(own, n)) {
		unlink(own->local.sun_path);
		bound = bind(fd, &own->any, n) == 0;
	}
	int code = errno;
	umask(before);
	errno = code;
	return bound;
}

static void share(int fd, bool on)
{
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){ on }, sizeof(int));
}

static int try_to_listen(const struct net_addr *addr, bool shared, struct err *e)
{
	union address own;
	socklen_t n;
	int on = 1;
	int fd = new_socket(addr, &own, &n, e);
	if (fd < 0)
		return -1;
	if (own.any.sa_family != AF_UNIX) {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		no_delay(fd); /* inherited by what is accepted */
		if (shared)
			share(fd, true);
	}
	if (own.any.sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind_own(fd, &own, n) && listen(fd, BACKLOG) == 0)
		return fd;
	if (errno == EADDRINUSE)
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "listen on %s: the address is in use by another process",
			addr->text);
	else
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "listen on %s: %s", addr->text, strerror(errno));
	close(fd);
	return -1;
}

int net_listen(const struct net_addr *addr, struct err *e)
{
	return try_to_listen(addr, false, e);
}

/* The kernel lets sockets of one user overlap that are all marked so, while they are. Marked from the start, one of another start of this
 * program would not be refused. */
int net_listen_beside(const struct net_addr *addr, const int *going, size_t n, struct err *e)
{
	int fd = try_to_listen(addr, false, e);
	if (fd >= 0 || n == 0)
		return fd;
	for (size_t i = 0; i < n; i++)
		share(going[i], true);
	fd = try_to_listen(addr, true, e);
	for (size_t i = 0; i < n; i++)
		share(going[i], false);
	if (fd >= 0)
		share(fd, false);
	return fd;
}

enum net_accept net_accept(int listener, const char *own, int *fd_r, struct net_addr *peer_r)
{
	union address peer;
	memset(&peer, 0, sizeof peer);
	socklen_t n = sizeof peer;
	int fd = accept4(listener, &peer.any, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM ?
			NET_ACCEPT_FULL : NET_ACCEPT_NONE;
	if (peer.any.sa_family == AF_UNIX)
		snprintf(peer_r->text, sizeof peer_r->text, "%s", own);
	else
		from_kernel(&peer, peer_r);
	*fd_r = fd;
	return NET_ACCEPT_OK;
}

/* The kernel counts in seconds. Asked three times after the silence; with TCP_USER_TIMEOUT set it is that which decides. */
void net_keepalive(int fd, int64_t silence_ms)
{
	enum { QUESTIONS = 3, SILENCE_MAX_S = 32767 };
	const int64_t begun = (silence_ms + 999) / 1000;
	const int on = silence_ms > 0, silence_s = begun > SILENCE_MAX_S ? SILENCE_MAX_S : (int)begun;
	const int between_s = silence_s / QUESTIONS < 1 ? 1 : silence_s / QUESTIONS, questions = QUESTIONS;
	const unsigned gone_ms = on ? 2000u * (unsigned)silence_s : 0;
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_ms, sizeof gone_ms);
	if (!on)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &silence_s, sizeof silence_s);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &between_s, sizeof between_s);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &questions, sizeof questions);
}

int64_t net_peer_user(int fd)
{
	struct ucred who;
	socklen_t n = sizeof who;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0 || who.pid == 0)
		return -1; /* a TCP socket answers with nobody */
	return (int64_t)who.uid;
}

void net_own_addr(int fd, struct net_addr *addr_r)
{
	union address own;
	memset(&own, 0, sizeof own);
	socklen_t n = sizeof own;
	if (getsockname(fd, &own.any, &n) != 0)
		own.any.sa_family = AF_UNSPEC;
	from_kernel(&own, addr_r);
}
