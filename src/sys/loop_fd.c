/* loop_fd.c - see loop_fd.h. */
#include "sys/loop_fd.h"

#include "base/mem.h"
#include "sys/loop.h"

struct loop_fd {
	struct fd_watch w; /* first: a watch is one */
	struct loop_watch *watch;
};

struct fd_watch *loop_fd_watch(struct env *env, int fd, void (*ready)(void *ctx), void *ctx)
{
	struct loop_fd *f = mem_zero(sizeof *f);
	f->watch = loop_watch_new(env, fd, ready, ctx);
	return &f->w;
}

void loop_fd_unwatch(struct fd_watch *w)
{
	struct loop_fd *f = (struct loop_fd *)(void *)w;
	loop_watch_free(&f->watch);
	free(f);
}
