/* ctl_int.h - what the commands share: options that find the MTA, and one conversation with it. */
#pragma once
#include "base/arena.h"
#include "flow/message/oraddr.h"
#include "proc/ctl/ctl.h"
#include "proc/table/msgs.h"
#include "proc/table/settings_table.h"
#include "sys/chan.h"

#include <unistd.h> /* optind */

enum { CTL_DONE = 0, CTL_REFUSED = 1, CTL_USAGE = 64, CTL_NO_MTA = 69, CTL_SILENT = 75, CTL_CONFIG = 78 };

/* What the help of most commands has. */
#define CTL_PATIENCE "  --patience SECONDS      how long a process of the MTA may give no sign of life; what takes long by right is waited for (5; 0: for ever)\n"
#define CTL_FIND "  -c FILE, -d DIRECTORY   the MTA: its settings, or its store's directory\n  --json                  one JSON object a line\n" CTL_PATIENCE
#define CTL_STATUSES "\nExit status: 0 done, 1 refused or not found, 64 wrong usage, 69 no MTA answers,\n74 standard output cannot be written, 75 a process of the MTA does not answer,\n78 the settings are wrong."

struct ctl {
	const char *command;       /* for messages */
	const char *config;        /* -c FILE */
	char directory[256];       /* of the store, where the sockets are */
	bool json;
	bool is_silent;            /* ctl_converse does not say that nobody answers */
	struct settings settings;  /* when config was given */
	struct err wrong;          /* and what is wrong with it */
	struct arena *arena;
	struct arena *row;         /* what ctl_value gives: good during the row's call */
	bool more;                 /* ctl_ask: the last page was not the end */
	struct env *env;
	struct chan *chan;
	int status;
	bool silent;               /* nothing is said when no MTA answers */
	uint64_t patience_ms;      /* 0: for ever */
	bool endless;              /* once it is greeted: there may be nothing to say for ever */
	struct patience *patience;
	const char *socket;        /* of this conversation */
	void (*start)(struct ctl *c);
	bool greeted;              /* somebody answered */
	unsigned other_version;    /* of the protocol, which he speaks; 0: ours */
	bool over;
	void (*begin)(struct ctl *c); /* NULL, or called before a conversation, when env is there */
	struct out message;        /* ctl_message */
	void (*end)(struct ctl *c); /* NULL, or called at the end of a conversation: env goes */
	void *user;
	void *row_user;            /* for who asks and his ctl_row_f */
	const char *rows_of;       /* socket of who is asked for rows; NULL: the reader */
	bool supervisor_stopped;   /* CTL_SILENT is because of that */
};

/* command: its name, or argv[0], which is "posthorn NAME". Starts with the environment (POSTHORN_CONFIG, POSTHORN_DIRECTORY); options -c and -d override. */
void ctl_begin(struct ctl *c, const char *command);
void ctl_end(struct ctl *c);
/* Reads the settings file if one was named. False: said why, c->status is set; CTL_CONFIG: c->wrong, too. */
bool ctl_find_mta(struct ctl *c);
/* "posthorn COMMAND: sentence" to standard error, as text_show has it; sets and returns the status. */
int ctl_say(struct ctl *c, int status, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* One conversation over DIRECTORY/socket: start(c) sends the request when the process there has greeted, the handlers (ctx is the ctl) take the
 * answers and call ctl_over. A process that gives no sign of life for patience_ms ends it, with CTL_SILENT, and what is known of it is said. */
int ctl_converse(struct ctl *c, const char *socket, const struct chan_type *types, size_t n_types, void (*start)(struct ctl *c));
void ctl_over(struct ctl *c, int status);
/* A message with words of the operator in it: put it into ctl_message, then ctl_message_send. One that is longer than who hears it takes is not sent:
 * the command says so, and is over (CTL_USAGE). */
struct out *ctl_message(struct ctl *c);
void ctl_message_send(struct ctl *c, enum msg type);
/* A number of the command line, digits alone. False: it has said so, as of `what`. */
bool ctl_number(struct ctl *c, const char *what, const char *text, uint64_t *number_r);

/* Says that the process of c->socket does not answer, and then, asking the reader or the recorder, which it is, since when, and what will be done. silence.c */
int ctl_say_silence(struct ctl *c);
/* Prints the processes that do not run, hang or are not ready, and those that were started again lately, with their last words; all is well: nothing. */
void ctl_processes(struct ctl *c);

/* The supervisor, who holds no conversation, is stopped: as the system shows it from outside. */
bool ctl_supervisor_is_stopped(struct ctl *c);
/* Says so in one line, and when it was heard of last. */
void ctl_say_supervisor(struct ctl *c);

/* --- lists: a question to the reader, rows one by one --- */
typedef void ctl_row_f(struct ctl *c, struct view pairs);
/* Asks page after page until all rows were given, or `pages` pages (c->more: there are others); *after_io: the last value of key,
 * or how far a page without rows has looked. */
int ctl_ask(struct ctl *c, enum msg_question what, const char *of, const char *key, uint64_t *after_io, unsigned pages, ctl_row_f *row);
/* A value as a terminal may have it (text_show); good until the row's call returns. */
const char *ctl_shown(struct ctl *c, struct view value);
/* The value of a name, as ctl_shown; "" when absent. What is compared with anything but our own words is taken as octets. */
const char *ctl_value(struct ctl *c, struct view pairs, const char *name);
/* The octets of a value; empty when absent. */
struct view ctl_octets(struct view pairs, const char *name);
/* A row (rows.h) as one JSON object a line: its numbers are numbers, its texts are texts, whatever they look like. */
void ctl_print_json(struct view pairs);
void ctl_print_texts(const char *const *pairs); /* name, text, name, text ... NULL: texts all of them */
/* Prints what SHOWN_MAIL brings, and ends the conversation. False: it is malformed. */
bool ctl_print_rendered(struct ctl *c, struct view payload, struct err *e);
/* An O/R address, or the name of a mailbox in the settings. */
bool ctl_address(struct ctl *c, const char *text, struct oraddr *addr_r);

/* --- an offer of a message: send.c, quarantine.c --- */
struct ctl_offer {
	struct view packed, content; /* pack_message; octets of content */
	struct view link;            /* it came by; empty: submitted */
	uint64_t hash;               /* what it is known by when the switch dies of it; 0: its octets */
	struct msg_answer answer;    /* mts_id is in the arena */
	size_t sent;
	uint64_t credit;
};
/* Offers and waits for the answer: durable and ours, or refused (said why). */
int ctl_offer(struct ctl *c, struct ctl_offer *offer);

/* What the movers' processes have last said of themselves: movers.c. */
void ctl_movers(const struct ctl *c);

/* --- an operator's act: act.c --- */
struct ctl_act {
	enum msg_act act;
	const char *arg, *why;
	uint64_t *ids;
	size_t n;                    /* at most CTL_ACT_IDS, at least 1 */
	size_t answered;             /* of this call */
	uint64_t counts[4];          /* enum msg_acted_what; summed up over the calls */
};
enum { CTL_ACT_IDS = 500 };
/* Has it done for every id, some at a time. Says why the first of them is refused, and goes on; JSON: one object an id. Any status but CTL_DONE: it was not
 * answered, and nobody knows how much was done. */
int ctl_act(struct ctl *c, struct ctl_act *a);
/* One line of totals; the command's status: CTL_REFUSED when some were refused. */
int ctl_act_total(struct ctl *c, const struct ctl_act *a, uint64_t found);

/* --- options: options.c --- */
/* One that a command has beside those of all (-c, -d, --json, --help): exactly one of the pointers is set, and says what it has. take: false
 * when it has said why the argument is wrong. */
struct ctl_option {
	const char *name;
	bool *flag;                  /* no argument */
	const char **text;
	uint64_t *octets, *ms;
	bool (*take)(struct ctl *c, const char *name, const char *text);
	char letter;                 /* it is called so too; 0: it is not */
};
/* Words that are no options are in argv from optind on. A directory that is given counts before settings that the environment names. False: the command
 * is over, with c->status. */
bool ctl_options(struct ctl *c, int argc, char **argv, const char *usage, const struct ctl_option *own, size_t n);
/* Nothing is after the options; else it is over. */
bool ctl_no_more(struct ctl *c, int argc, char **argv);
bool ctl_size(struct ctl *c, const char *option, const char *text, uint64_t *octets_r);
/* SECONDS, or a time as 10s, 2min. */
bool ctl_patience(const char *text, uint64_t *ms_r);
bool ctl_age(struct ctl *c, const char *option, const char *text, uint64_t *ms_r);

/* `posthorn link trace`: link_trace.c. */
int ctl_link_trace(int argc, char **argv);
