/* env_fd.c - the part of watching a descriptor that all worlds have: see env.h. */
#include "sys/env.h"

struct fd_watch *env_watch_fd(struct env *env, int fd, void (*ready)(void *ctx), void *ctx, struct err *e)
{
	CHECK(env, ENV_MAGIC);
	if (env->ops->watch_fd == NULL) {
		err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "this world has no descriptors to watch");
		return NULL;
	}
	struct fd_watch *w = env->ops->watch_fd(env, fd, ready, ctx);
	w->magic = FD_WATCH_MAGIC;
	w->env = env;
	return w;
}

void fd_unwatch(struct fd_watch **w)
{
	if (*w == NULL)
		return;
	CHECK(*w, FD_WATCH_MAGIC);
	(*w)->magic = 0;
	(*w)->env->ops->fd_unwatch(*w);
	*w = NULL;
}
