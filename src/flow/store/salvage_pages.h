/* salvage_pages.h - the pages of a damaged database as the disk has them: from the log (WAL) what was committed there, else from the
 * file. Trusts nothing, writes nothing, and needs no SQLite: formats as in "Database File Format" of its documentation. Private to
 * this folder. */
#pragma once
#include "sys/env.h"

enum { PAGE_OCTETS = 8192 }; /* of all our stores, whatever a damaged header says */

struct pages_log {
	bool present;           /* there is a log with something in it */
	bool header_bad;        /* nothing of it could be used */
	uint64_t frames, used;  /* in the file; up to the last commit that can be believed */
	uint64_t lost;          /* frames of the same log behind a damaged one: as SQLite, we do not use them */
};

struct pages;
/* name: relative to the env's directory; the log beside it is name-wal. NULL with *e: the file cannot be opened. */
struct pages *pages_open(struct env *env, const char *name, struct err *e);
/* From memory, for tests; both views live as long. An empty log is none. */
struct pages *pages_of(struct view file, struct view log);
void pages_close(struct pages **p);

/* How many there are, by what was read and not by what the header says; the last may be cut. */
uint64_t pages_count(const struct pages *p);
uint64_t pages_octets(const struct pages *p); /* of the file */
/* Page no (1..) into buf; what is missing of a cut page is zero. False: not there, or the disk cannot read it. */
MUST_CHECK bool pages_get(const struct pages *p, uint64_t no, uint8_t buf[PAGE_OCTETS]);
const struct pages_log *pages_log(const struct pages *p);
