/* loop.h - the real world behind env.h: libuv, sockets, files, the clock. The only file that includes uv.h is loop.c.
 *
 * A turn: octets and connections that are ready, then timers, then env_end_turn (hooks, one write a stream), then sleep.
 * Each stream is read at most eight times a turn, 64 KB each, into one shared buffer. Writes go straight to the kernel; writability is
 * only waited for when the kernel's buffer is full. */
#pragma once
#include "sys/env.h"

/* directory: files of env_file_* are relative to it (not opened before the first use); NULL: no files. Never fails but
 * when the kernel has no descriptors left, which ends the process. */
struct env *loop_new(const char *directory);

/* Turns until loop_stop, then one end of turn, then up to 5 s for octets of streams closed with flush. */
void loop_run(struct env *env);
void loop_stop(struct env *env);

/* Frees *env and every stream and listener its user left open, without callbacks. Waits for the syncs of files under way and tells of them: only then may
 * a file be closed, so whoever has given it up still waits for that (env.h). */
void loop_free(struct env **env);

/* Takes over a connected socket (close-on-exec and non-blocking are set). The caller sets events in the same turn. */
struct stream *loop_adopt_fd(struct env *env, int fd, const char *peer);

/* Takes over a listening socket. Several processes may wait on the same one: a turn accepts one connection. Out of
 * descriptors or memory, it stops for a moment instead of spinning; connections wait in the kernel. */
struct listener *loop_adopt_listener(struct env *env, int fd, accept_f *accepted, void *ctx);

/* Accepts that failed for want of descriptors or memory, since the beginning. */
uint64_t loop_accept_failures(const struct env *env);

/* Calls ready(ctx) each turn the descriptor is readable (or at its end). The descriptor stays the caller's. */
struct loop_watch;
struct loop_watch *loop_watch_new(struct env *env, int fd, void (*ready)(void *ctx), void *ctx);
void loop_watch_free(struct loop_watch **w);
