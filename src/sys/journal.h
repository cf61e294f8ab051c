/* journal.h - the journal of systemd, where this program was built with it. */
#pragma once
#include "base/err.h"
#include "base/view.h"

/* Whether this program can. A system without a journal takes what is sent and keeps nothing. */
bool journal_is_built_in(void);

/* One entry: fields are NAME=VALUE, names as the journal wants them (capitals, digits, _). At most 32. Waits while the journal has no room. */
enum { JOURNAL_FIELDS_MAX = 32 };
MUST_CHECK bool journal_send(const struct view *fields, size_t n, struct err *e);
