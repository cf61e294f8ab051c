/* network.h - whether the host's network has changed, as the kernel tells it (rtnetlink). For loop.c. */
#pragma once
#include "base/err.h"

/* A descriptor, readable when the kernel has something to say; -1 with *e set when it does not tell (a jail, another kernel). */
MUST_CHECK int network_open(struct err *e);

/* Reads all that is there. True: an interface has gone up or down, an address or a route has come or gone. */
MUST_CHECK bool network_read(int fd);
