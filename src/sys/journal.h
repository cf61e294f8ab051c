/* journal.h - the journal of systemd, by its native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): an entry is one datagram of fields. Never
 * waits, which the journal's own library does when the journal is slow. */
#pragma once
#include "base/err.h"
#include "base/out.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

struct journal;

/* Connected at the first entry, and again when that has failed. */
struct journal *journal_new(const char *path);
void journal_free(struct journal **j);

/* Appends a field; name: as the journal wants them (capitals, digits and _, no digit or _ first). Pure. */
void journal_field(struct out *entry, const char *name, const char *value);
/* The entry is the journal's; or it was not taken (ERR_TEMP): there is no journal, or it has no room now. */
MUST_CHECK bool journal_send(struct journal *j, struct view entry, struct err *e);
