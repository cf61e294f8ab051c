/* descriptors.c - see descriptors.h. */
#include "sys/descriptors.h"

#include <stdint.h>
#include <sys/resource.h>

size_t descriptors_allow(size_t want)
{
	struct rlimit now;
	if (getrlimit(RLIMIT_NOFILE, &now) != 0)
		return SIZE_MAX;
	if (now.rlim_cur < want && now.rlim_cur < now.rlim_max) {
		const struct rlimit more = { .rlim_cur = want < now.rlim_max ? want : now.rlim_max, .rlim_max = now.rlim_max };
		if (setrlimit(RLIMIT_NOFILE, &more) == 0)
			now = more;
	}
	return now.rlim_cur;
}
