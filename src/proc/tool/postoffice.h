/* postoffice.h - inside of `posthorn postoffice`: its verbs, their options, and what they share. For proc/tool/postoffice*.c only. */
#pragma once
#include "base/arena.h"
#include "flow/codec/charset/charset.h"
#include "flow/codec/msmail/ffapi.h"
#include "flow/wire/postoffice/postoffice.h"

enum { PO_EXIT_FOUND = 1, PO_EXIT_USAGE = 64, PO_EXIT_DATA = 65, PO_EXIT_NONE = 66, PO_EXIT_CREATE = 73, PO_EXIT_IO = 74, PO_EXIT_BUSY = 75 };
enum { PO_LIST_MAX = 512, PO_FILE_MAX = 1 << 30, PO_ARENA = 512 * 1024 * 1024 };

struct po_strings { const char *s[PO_LIST_MAX]; size_t n; };

struct po_tool {
	const char *verb;          /* "user add" */
	const char *args[PO_LIST_MAX]; /* behind the verb; args[0] is PATH */
	size_t n_args;
	/* options */
	const char *name, *serial, *friendly, *via, *from, *subject, *text, *text_file, *save;
	struct po_strings to, cc, attach;
	uint8_t type;
	char priority;
	bool json, repair, receipt, delete;
	enum ffapi_line_end line_end;
	unsigned code_page;
	const struct mm_scramble *scramble;
	/* while it runs */
	struct postoffice *po;
	struct charset_kit *kit;
	struct arena *arena;
	bool refused;              /* something was said on standard error: the exit status is not 0 */
};

/* Verbs: 0 or an exit status; what failed is in *e. */
typedef int po_verb_f(struct po_tool *t, struct err *e);
po_verb_f po_tool_list, po_tool_show, po_tool_read, po_tool_send, po_tool_import, po_tool_export;

/* The exit status for a failure. */
int po_tool_status(const struct err *e);
void po_tool_say(struct po_tool *t, const char *about, const struct err *e);
/* Minutes east of UTC of this machine's clock at that time. */
int po_tool_zone(wall_ms_t at);
wall_ms_t po_tool_now(void);

/* --- printing. Octets of the postoffice are in the code page, what is printed is UTF-8 --- */
struct out *po_utf8(const struct po_tool *t, unsigned code_page, struct view octets, struct out *o); /* cleared first; returns o */
void po_json_string(const struct po_tool *t, unsigned code_page, struct view value); /* in quotes */
/* `"key":"value"` with a comma before it unless *first. */
void po_json_text(const struct po_tool *t, bool *first, const char *key, unsigned code_page, struct view value);
void po_json_number(bool *first, const char *key, uint64_t value);
void po_print_text(const struct po_tool *t, unsigned code_page, struct view value); /* without control characters but line ends and tab */
void po_print_line(const struct po_tool *t, unsigned code_page, struct view value); /* without any */
void po_print_date(const struct mm_date *d, char text_r[24]);

/* --- names --- */
/* "INQUEUE3", an id of 8 digits, a mailbox, NETWORK/POSTOFFICE or a gateway's network: the bag's file name. Fails ERR_PERM, link. */
MUST_CHECK bool po_tool_bag(struct po_tool *t, const char *text, char bag_r[9], struct err *e);
MUST_CHECK bool po_tool_user(struct po_tool *t, const char *mailbox, struct mm_user *u_r, struct err *e);

/* --- messages --- */
struct po_entries { struct po_bag_entry *entries; unsigned n, live; };
MUST_CHECK bool po_tool_entries(struct po_tool *t, const char *bag, struct po_entries *x_r, struct err *e);
void po_tool_entries_free(struct po_entries *x);
MUST_CHECK bool po_tool_entry(struct po_tool *t, const char *bag, const char *slot, struct po_bag_entry *entry_r, struct err *e);
/* Takes the record out, under the bag's lock. */
MUST_CHECK bool po_tool_drop(struct po_tool *t, const char *bag, const struct po_bag_entry *x, struct err *e);
/* The MAI, parsed; its octets are in *file, which the caller inits and ends. */
MUST_CHECK bool po_tool_mai(struct po_tool *t, const struct mm_id *id, struct out *file, struct mai *m_r, struct err *e);
unsigned po_tool_page(const struct po_tool *t, const struct mai *m);

/* An attachment of a message that is to be posted: octets, or a file of this machine. */
struct po_source { const char *path; struct view octets; };
/* Puts m into the bags of its recipients, as a client does (facts A9, 1): every local one's, and one for each postoffice or gateway on the way. Nothing is
 * written when a recipient cannot be served; all of these are named. *id_r: the MAI's; *bags_r: how many hold it. */
MUST_CHECK bool po_tool_post(struct po_tool *t, struct mai *m, const struct po_source *sources, struct mm_id *id_r, unsigned *bags_r, struct err *e);
/* "NET/PO/MBX", "MBX" of this postoffice, "TYPE:text". */
MUST_CHECK bool po_tool_address(struct po_tool *t, const char *text, struct mm_address *a_r, struct err *e);
/* Names that were made in a directory of this machine are on disk. */
MUST_CHECK bool po_tool_sync_directory(const char *path, struct err *e);
/* A whole file of this machine. */
MUST_CHECK bool po_tool_read_file(const char *path, struct out *o, struct err *e);
