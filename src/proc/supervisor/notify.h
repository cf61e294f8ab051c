/* notify.h - the service manager hears how we are: the protocol of sd_notify(3), which is a datagram of lines to the socket that
 * NOTIFY_SOCKET names, and stays as it is by promise. */
#pragma once
#include "base/check.h"

/* "READY=1", "STOPPING=1" ...; nothing happens where nobody asked for it, and nobody is waited for. True: it was sent. */
bool notify_manager(const char *state);
