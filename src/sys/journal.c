/* journal.c - see journal.h. Compiled where libsystemd is; else journal_none.c. */
#include "sys/journal.h"

#include "base/fault.h"

#include <errno.h>
#define SD_JOURNAL_SUPPRESS_LOCATION /* of this file, which nobody wants to know */
#include <systemd/sd-journal.h>

bool journal_is_built_in(void)
{
	return true;
}

bool journal_send(const struct view *fields, size_t n, struct err *e)
{
	struct iovec v[JOURNAL_FIELDS_MAX];
	assert(n <= JOURNAL_FIELDS_MAX);
	for (size_t i = 0; i < n; i++)
		v[i] = (struct iovec){ (void *)(uintptr_t)fields[i].p, fields[i].n };
	int result = FAULT(JOURNAL_SEND) ? -ECONNREFUSED : sd_journal_sendv(v, (int)n);
	return result == 0 || err_set(e, ERR_TEMP, ERR_OF_PROCESS, "journal: %s", strerror(-result));
}
