/* process.h - how processes are born, linked to each other and watched (DESIGN 2).
 *
 * The supervisor re-executes this binary once per process: `posthorn --process KIND INSTANCE`. A child finds
 * its supervisor channel at descriptor 3; over it come, with descriptors attached, the settings (canonical text in a
 * memory file), its listeners, its streams to other processes, a memory file for its last words, and word to end.
 * The supervisor watches children with poll(2), parses nothing from outside and never uses the loop. */
#pragma once
#include "sys/env.h"

enum process_kind {
	PROCESS_SUPERVISOR, PROCESS_SWITCH, PROCESS_LINK, PROCESS_CONTENT, PROCESS_READER, PROCESS_CONFIG, PROCESS_TOOL,
	PROCESS_KIND_COUNT,
};
const char *process_kind_name(enum process_kind k);

/* --- the child's side --- */
struct process; /* the running child: env, channel to the supervisor */

struct process_events {
	/* A stream to another process: control or bulk, both given once each per pair; again when that process is restarted. */
	void (*peer)(void *ctx, enum process_kind kind, uint32_t instance, bool bulk, struct stream *s);
	/* A connection on one of our listeners (name: "p1", "control", "read" as the plan calls it). */
	void (*accepted)(void *ctx, const char *listener, struct stream *s);
	/* The process of that kind and number died in the way said (signal or exit status); its streams have ended or will. */
	void (*peer_died)(void *ctx, enum process_kind kind, uint32_t instance, bool by_fault, const char *last_words);
	/* Finish what is in hand and call process_finished; the supervisor waits a bounded time. */
	void (*stop)(void *ctx);
};

/* In main of a child: builds the env on libuv, takes the settings text; never returns an unusable process (exits with a
 * sentence on standard error when there is no supervisor). */
struct process *process_begin(enum process_kind kind, uint32_t instance);
struct env *process_env(struct process *p);
struct view process_settings(const struct process *p); /* canonical YAML text */
/* Reports ready and runs until the end; returns the exit status for main. */
int process_run(struct process *p, const struct process_events *events, void *ctx);
void process_finished(struct process *p, int status);
/* What we are doing, kept outside this process: cheap (a copy into shared memory), call per item. */
void process_note(struct process *p, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* --- the supervisor's side --- */
struct plan_process {
	enum process_kind kind;
	uint32_t instance;
};
struct plan_listener {
	char name[16];
	char addr[108];          /* "127.0.0.1:102", "[::]:102", "unix:/run/x/control" */
	enum process_kind owner; /* every instance of that kind gets it */
};
/* What the config child tells the supervisor: fixed size, no parsing. */
struct plan {
	uint32_t magic, n_processes, n_listeners;
#define PLAN_MAGIC 0x504c4e31u
	struct plan_process processes[64];
	struct plan_listener listeners[64];
	char directory[256];     /* the store's; created if missing, locked so that a second instance is refused */
	char user[64];           /* run as, when started by root; empty: keep */
	uint64_t restart_min_ms, restart_max_ms, stop_ms; /* growing delay between restarts; patience at stop */
};
/* Runs until SIGTERM/SIGINT; returns the exit status. read_config runs in an unprivileged child and must fill the plan and print the
 * canonical settings; failing, it prints one sentence and the supervisor ends with status 78 (EX_CONFIG). Pairs that are
 * connected: switch with every link, content and reader. Started children are re-executed from /proc/self/exe. */
int supervisor_run(bool (*read_config)(const char *path, struct plan *plan_r, struct out *canonical, struct err *e),
		   const char *config_path);
