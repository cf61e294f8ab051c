/* check_int.h - inside of postoffice_check: check.c (what is where, and in which order), check_tables.c (users, networks), check_bags.c (mailbags and
 * messages). Each part says what it finds through check_found. */
#pragma once
#include "base/map.h"
#include "flow/wire/postoffice/po_make.h"

enum { CHECK_FILE_MAX = 64 * 1024 * 1024, CHECK_TEXT = 200 };

struct check {
	struct postoffice *po;
	bool repair;
	void (*each)(void *ctx, const char *file, const char *what, bool mended);
	void *ctx;
	struct postoffice_findings n;
	struct arena *arena;
	bool ours;               /* every user bears our mark: who is nobody's is known */
	bool unsure;             /* what a mailbag holds could not be read */
	struct map bags;         /* mailbag number + 1 -> const char *: whose it is */
	struct map messages;     /* number of a MAI that is there + 1 -> struct check_message * */
	struct map envelopes;    /* numbers of P1 files + 1 */
	struct map attachments;  /* number of an ATT that is there + 1 -> bool *: some message names it */
	struct map found_bags;   /* numbers of MBG and KEY files + 1 */
	uint64_t next_bag, next_letter; /* at least; one more than the highest seen */
	uint32_t next_tid;
};
struct check_message { unsigned held; bool in_inqueue3; };

/* mended: it was, or nothing is left to do. */
void check_found(struct check *c, const char *file, bool mended, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* A copy of the file beside it, under a name that is free: .BAK, .B01, ... Nothing to do when it is not there. */
MUST_CHECK bool check_backup(struct check *c, const char *rel, struct err *e);
/* With repair: a copy, then these octets; *mended_r says whether. Fails only for the file server. */
MUST_CHECK bool check_put(struct check *c, const char *rel, struct view octets, bool *mended_r, struct err *e);
/* The octets of a file that is there; *there_r false when it is not, or is too large to be one. */
MUST_CHECK bool check_read(struct check *c, const char *rel, struct out *o, bool *there_r, struct err *e);
/* Also of one that is gone: a number is a number. */
void check_saw_bag(struct check *c, uint32_t number);
void check_saw_tid(struct check *c, uint32_t tid);
/* Eight digits and that suffix, in any case. */
bool check_id_name(const char *name, const char *suffix, uint32_t *number_r);

/* Parts, in this order. CONTROL.GLB is mended between scan and bags: without it there are no locks. */
MUST_CHECK bool check_users(struct check *c, struct err *e);
MUST_CHECK bool check_networks(struct check *c, struct err *e);
MUST_CHECK bool check_scan(struct check *c, struct err *e); /* which bags, messages, envelopes and attachments there are */
MUST_CHECK bool check_bags(struct check *c, struct err *e);
MUST_CHECK bool check_messages(struct check *c, struct err *e);

/* check_tables.c: two owners of one mailbag are told. */
void check_own_bag(struct check *c, const char *file, const char *mailbag, const char *owner_fmt, ...) PRINTF_LIKE(4, 5);
