/* ctl_int.h - what the commands share: options that find the MTA, and one conversation with it. */
#pragma once
#include "base/arena.h"
#include "flow/message/oraddr.h"
#include "proc/ctl/ctl.h"
#include "proc/table/msgs.h"
#include "proc/table/settings_table.h"
#include "sys/chan.h"

enum { CTL_DONE = 0, CTL_REFUSED = 1, CTL_USAGE = 64, CTL_NO_MTA = 69, CTL_CONFIG = 78 };

struct ctl {
	const char *command;       /* for messages */
	const char *config;        /* -c FILE */
	char directory[256];       /* of the store, where the sockets are */
	bool json;
	struct settings settings;  /* when config was given */
	struct arena *arena;
	struct env *env;
	struct chan *chan;
	int status;
	bool over;
	void *user;
};

/* Starts with the environment (POSTHORN_CONFIG, POSTHORN_DIRECTORY); options -c and -d override. */
void ctl_begin(struct ctl *c, const char *command);
void ctl_end(struct ctl *c);
/* Reads the settings file if one was named. False: said why, c->status is set. */
bool ctl_find_mta(struct ctl *c);
/* "posthorn COMMAND: sentence" to standard error; sets and returns the status. */
int ctl_say(struct ctl *c, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* One conversation over DIRECTORY/socket: start(c) sends the request, the handlers (ctx is the ctl) take the answers and call ctl_over. */
int ctl_converse(struct ctl *c, const char *socket, const struct chan_type *types, size_t n_types, void (*start)(struct ctl *c));
void ctl_over(struct ctl *c, int status);

/* --- lists: a question to the reader, rows one by one --- */
typedef void ctl_row_f(struct ctl *c, struct view pairs);
/* Asks page after page until all rows were given, or `pages` pages; *after_io: the last value of key. */
int ctl_ask(struct ctl *c, enum msg_question what, const char *of, const char *key, uint64_t *after_io, unsigned pages, ctl_row_f *row);
/* The value of a name; "" when absent. Good as long as the pairs; copied to the arena. */
const char *ctl_value(struct ctl *c, struct view pairs, const char *name);
/* One JSON object a line; values that are numbers stand as numbers. */
void ctl_print_json(struct view pairs);
/* An O/R address, or the name of a mailbox in the settings. */
bool ctl_address(struct ctl *c, const char *text, struct oraddr *addr_r);
