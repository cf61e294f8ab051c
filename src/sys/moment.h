/* moment.h - the system's clock, chance and patience, for programs that have no loop (tools, files on a file server). Whoever has a loop asks that (env.h). */
#pragma once
#include "base/check.h"

/* Milliseconds since 1970, UTC. */
int64_t moment_wall_ms(void);
uint64_t moment_random(void);
/* Stops the process so long; a signal ends it early. */
void moment_wait_ms(unsigned ms);
