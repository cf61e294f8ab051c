/* descriptors.h - which descriptors this process has, and how many it may have open. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* Raises the soft limit (RLIMIT_NOFILE) towards `want`, as far as the hard one allows, never lowers it. Returns the limit in
 * force then. Never fails: a limit that cannot be raised or read stays as it is. */
size_t descriptors_allow(size_t want);

/* To be called before anything else is opened. A process that was started with standard input, output or error closed (`>&-`) gets the null
 * device in their place, so that no file or socket of its own is taken for one of them: what would be printed went into it. Nothing comes
 * from the input then, what is written to the output fails (EBADF), as it does while it is closed, and what is written to the error is
 * gone. Those that are open stay as they are. False: the null device cannot be opened. */
bool descriptors_take_standard(void);
