/* network.c - see network.h. */
#include "sys/network.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 32 * 1024 };

int network_open(struct err *e)
{
	const struct sockaddr_nl own = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd >= 0 && bind(fd, (const struct sockaddr *)(const void *)&own, sizeof own) == 0)
		return fd;
	err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "rtnetlink: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* What the kernel also tells and what brings no peer back: counters, an address that is only tried, a cached route. */
static bool is_change(const struct nlmsghdr *h)
{
	const void *body = NLMSG_DATA(h);
	const struct ifinfomsg *link = body;
	const struct ifaddrmsg *addr = body;
	const struct rtmsg *route = body;
	switch (h->nlmsg_type) {
	case RTM_NEWLINK:
		return h->nlmsg_len >= NLMSG_LENGTH(sizeof *link) && (link->ifi_change & (IFF_UP | IFF_RUNNING)) != 0;
	case RTM_NEWADDR:
		return h->nlmsg_len >= NLMSG_LENGTH(sizeof *addr) && (addr->ifa_flags & IFA_F_TENTATIVE) == 0;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return h->nlmsg_len >= NLMSG_LENGTH(sizeof *route) && (route->rtm_flags & RTM_F_CLONED) == 0 &&
		       route->rtm_type == RTN_UNICAST;
	case RTM_DELLINK:
	case RTM_DELADDR:
		return true;
	default:
		return false;
	}
}

bool network_read(int fd)
{
	_Alignas(struct nlmsghdr) char buf[BUFFER];
	bool changed = false;
	ssize_t n;
	while ((n = recv(fd, buf, sizeof buf, 0)) > 0 || (n < 0 && (errno == ENOBUFS || errno == EINTR))) {
		changed = changed || n < 0; /* more was told than there was room for */
		const size_t got = n < 0 ? 0 : (size_t)n;
		for (size_t at = 0; got > at && got - at >= sizeof(struct nlmsghdr);) {
			const struct nlmsghdr *h = (const void *)(buf + at);
			if (h->nlmsg_len < sizeof *h || h->nlmsg_len > got - at)
				break;
			changed = changed || is_change(h);
			at += (h->nlmsg_len + (size_t)3) & ~(size_t)3; /* NLMSG_ALIGN */
		}
	}
	return changed;
}
