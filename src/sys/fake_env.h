/* fake_env.h - a small world for unit tests (and fuzzers): a clock that stands still until told, streams and files in
 * memory. Same calls, same results, always. The whole-program simulator with its disasters is tests/sim.
 *
 * In a folder's meson.build:  unit_tests += {'x_test': files('x_test.c') + fake_env} */
#pragma once
#include "sys/env.h"

/* env_now_ms begins at FAKE_START_MS, env_wall_ms at 2026-01-01 00:00 UTC. env_random counts through a fixed sequence. */
enum { FAKE_START_MS = 1000 };
#define FAKE_WALL_MS INT64_C(1767225600000)
struct env *fake_env_new(void);

/* Frees the streams and listeners the user left open, without callbacks. Files are to be closed before. */
void fake_env_free(struct env **env);

/* One turn: connections, octets and syncs that are ready, due timers, end of turn. False: nothing was there to do. */
bool fake_env_turn(struct env *env);

/* Turns until nothing moves, at the same time. Fails the process when that takes a million turns. */
void fake_env_settle(struct env *env);

/* Lets ms pass, each timer at its time, settling before and after each. */
void fake_env_pass(struct env *env, int64_t ms);

/* Somebody sets the host's clock: env_wall_ms goes on by_ms later, or earlier; env_now_ms as before. */
void fake_env_set_clock(struct env *env, int64_t by_ms);

/* Two ends of one connection. env_listen and env_connect work too, with any address text that parses; whoever accepts sees the
 * address that was bound, or 127.0.0.1:50000. */
void fake_env_pair(struct env *env, struct stream **a_r, struct stream **b_r);

/* From now on data() gets at most n octets a turn (0: all there is), and a stream keeps at most n octets on the way to a peer
 * that does not read (0: any number). */
void fake_env_set_chunk(struct env *env, size_t n);
void fake_env_set_window(struct env *env, size_t n);

/* What stream_set_keepalive was told last; -1: nothing. */
int64_t fake_env_keepalive(const struct stream *s);

/* The network has changed. From now on env_watch_network fails. */
void fake_env_change_network(struct env *env);
void fake_env_hide_network(struct env *env);

/* Something in the folder of that path has changed; the folder is gone (its watchers are told, env_watch_folder of it fails until
 * fake_env_change_folder brings it back). At first every path is a folder. */
void fake_env_change_folder(struct env *env, const char *path);
void fake_env_remove_folder(struct env *env, const char *path);

/* That descriptor can be read: who watches it is called in the next turn. Nothing is asked of the kernel. */
void fake_env_ready(struct env *env, int fd);

/* Octets to s from nobody; the end of s from nobody, with this text. */
void fake_env_inject(struct stream *s, struct view data);
void fake_env_break(struct stream *s, const char *text);

/* From now on file_sync fails. Content of a file by name, an empty view when there is none. Files not synced are those a crash
 * would lose. */
void fake_env_fail_syncs(struct env *env, bool fail);
/* env_disk_free says so many from now on; at first it says a terabyte. */
void fake_env_set_disk_free(struct env *env, uint64_t octets);
struct view fake_env_file(struct env *env, const char *name, bool *synced_r);
