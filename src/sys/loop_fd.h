/* loop_fd.h - descriptors of others in the real world (env_watch_fd), on loop_watch_new. */
#pragma once
#include "sys/env.h"

struct fd_watch *loop_fd_watch(struct env *env, int fd, void (*ready)(void *ctx), void *ctx);
void loop_fd_unwatch(struct fd_watch *w);
