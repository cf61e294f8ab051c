/* net.h - sockets as the kernel has them, with addresses as env.h writes them. Everything is non-blocking and
 * close-on-exec. For sys/ and the supervisor, which has no loop. */
#pragma once
#include "sys/env.h"

/* A descriptor, *waits_r true when the connection is still being made (writable when decided); -1 with *e set. */
MUST_CHECK int net_connect(const struct net_addr *to, const struct net_addr *from, bool *waits_r, struct err *e);

/* Bound and listening; -1 with one sentence in *e ("... is in use"). A socket file nobody listens on is replaced; a new
 * one can be used by its owner only. */
MUST_CHECK int net_listen(const struct net_addr *addr, struct err *e);
/* The same beside listeners of ours on overlapping addresses (0.0.0.0:102 and 127.0.0.1:102), which will be closed soon: they go on meanwhile,
 * and anybody else's is in the way as ever. */
MUST_CHECK int net_listen_beside(const struct net_addr *addr, const int *going, size_t n, struct err *e);

enum net_accept {
	NET_ACCEPT_OK,
	NET_ACCEPT_NONE, /* another process was quicker, or the peer has gone */
	NET_ACCEPT_FULL, /* no descriptors or memory: try later */
};
/* own: how a Unix peer, which has no address, is called. */
enum net_accept net_accept(int listener, const char *own, int *fd_r, struct net_addr *peer_r);

/* SO_KEEPALIVE and how long a peer may be silent, in the terms of stream_set_keepalive; nothing on a Unix socket. */
void net_keepalive(int fd, int64_t silence_ms);

/* The uid of the process that connected a Unix socket, -1 for any other socket. */
int64_t net_peer_user(int fd);

/* The address a socket is bound to, the port chosen for 0 in it. */
void net_own_addr(int fd, struct net_addr *addr_r);
