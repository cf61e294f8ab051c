/* descriptors.h - how many descriptors this process may have open. */
#pragma once
#include <stddef.h>

/* Raises the soft limit (RLIMIT_NOFILE) towards `want`, as far as the hard one allows, never lowers it. Returns the limit in
 * force then. Never fails: a limit that cannot be raised or read stays as it is. */
size_t descriptors_allow(size_t want);
