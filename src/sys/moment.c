/* moment.c - see moment.h. */
#include "sys/moment.h"

#include <sys/random.h>
#include <time.h>

int64_t moment_wall_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

uint64_t moment_random(void)
{
	uint64_t x;
	if (getrandom(&x, sizeof x, 0) != (ssize_t)sizeof x)
		CANT_HAPPEN("getrandom of 8 octets fell short");
	return x;
}

void moment_wait_ms(unsigned ms)
{
	(void)nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 }, NULL);
}
