/* interchange_testing.h - an interchange between a switch and a converter that are played over channels, and a real postoffice in a directory of
 * its own: TEST/SHADOW with user LOCAL, and external postoffices TEST/NEAR and FAR/BEYOND (by way of TEST/NEAR). The postoffice has a second handle
 * here, as a client or a mover would have. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proc/interchange/interchange_int.h"
#include "sys/fake_env.h"

enum { HEARD = 32 };

struct heard_offer {
	struct msg_offer m;      /* in the world's arena */
	struct view content;
	bool whole;
	struct message message;  /* unpacked, unless octets */
};

struct world {
	struct env *env;
	struct arena *a;
	struct event_log *log;
	int log_fd;
	struct settings settings;
	struct interchange *x;
	char dir[64], path[80], import[80], export[80];
	struct postoffice_host host;
	struct postoffice *po;   /* the second handle */
	char note[200];          /* the last one */
	unsigned deaths, accused;

	struct chan *control, *bulk; /* the switch's ends */
	unsigned closed, ups, downs, alives, n_results, n_offers, n_examined, inbound_ups;
	struct msg_assoc up, down;
	struct msg_result results[HEARD];
	struct heard_offer offers[HEARD];
	struct msg_examined examined;
	struct out streamed;
	struct view content;     /* of the transfer that is pulled */
	uint64_t pulled_of, pulled_at;
	bool hold_answers, hold_credit;  /* the switch does not answer */
	const char *refuse;      /* a recipient whose address holds this is refused for good; NULL: nobody */
	bool refuse_temporarily;
	uint64_t next;

	struct chan *xcontrol, *xbulk; /* the converter's ends */
	struct msg_xlate xlate;  /* the last one */
	struct out fed;
	struct out result;
	unsigned n_xlates, xclosed;
	bool deaf;               /* it takes nothing */
	const char *cannot;      /* a file or content that holds this cannot be converted */
	const char *poison;      /* ... kills it */
	uint64_t huge;           /* a result has a second file, as large as this, of which nothing comes; 0: it has not */
	const char *unmapped;    /* a recipient towards X.400 that holds this has no form there */
	struct mm_notice *notice;/* what comes is this notice */
	struct view notice_date; /* yyyymmddhhmmss */
};

/* more: lines of the link's msmail section, each indented by six and with its end. */
struct world *world_new(const char *more);
struct world *world_new_ffapi(const char *more);
void world_free(struct world *w);
/* The process ends as a crash would end it, and its successor starts; what the store's directory and the postoffice hold stays. */
void world_restart(struct world *w);
void world_settle(struct world *w);
void world_pass(struct world *w, int64_t ms);
bool was_told(struct world *w, const char *event);

void switch_joins(struct world *w);
void converter_joins(struct world *w);
void converter_connects(struct world *w); /* without a turn */
void converter_wakes(struct world *w); /* deaf no more: it answers what it has */
void say_open(struct world *w, uint64_t id);
void say_close(struct world *w, uint64_t id);
void say_busy(struct world *w, bool busy);
void say_alive(struct world *w, uint64_t n);
void say_examine(struct world *w, uint64_t id, struct view octets);
/* A message from X.400 to `to` (MS names with blanks between), on that association; its MTS-identifier's local part is `local`. */
struct message *letter(struct world *w, enum message_kind kind, const char *local, const char *to);
void say_transfer(struct world *w, uint64_t transfer, uint64_t assoc, const struct message *m, struct view content);

/* What a mover or client does: a message from `from` to `to` (blanks between) with its record in INQUEUE3. attachments: texts with `|` between, or NULL. */
struct mm_id put_message(struct world *w, const char *from, const char *to, const char *subject, const char *text, const char *attachments);
/* Live records of a bag: of a postoffice or mailbox by its name, or "INQUEUE3". */
unsigned count_records(struct world *w, const char *name, struct po_bag_entry *entries_r /* HEARD of them, or NULL */);
/* The mailbag of a postoffice or mailbox; "INQUEUE3" is itself. */
const char *bag_of(struct world *w, const char *who, char bag[9]);
/* The MAI of the i-th record there. */
struct mai read_message(struct world *w, const char *name, unsigned i);
bool has_file(struct world *w, const char *dir, const char *suffix);
