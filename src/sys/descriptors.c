/* descriptors.c - see descriptors.h. */
#include "sys/descriptors.h"

#include <fcntl.h>
#include <stdint.h>
#include <sys/resource.h>
#include <unistd.h>

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

bool descriptors_take_standard(void)
{
	static const int mode[] = { [STDIN_FILENO] = O_RDONLY, [STDOUT_FILENO] = O_RDONLY, [STDERR_FILENO] = O_RDWR };
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", mode[fd]) != fd) /* the lowest that is free: this one */
			return false;
	return true;
}
