/* downgrade.c - what a link to a system of 1984 cannot take (X.419 annex B, RFC 1328 4): asked for each recipient before it is queued
 * there. A report goes always: there is nobody whom to tell. */
#include "proc/switch/switch_int.h"

#include "flow/message/downgrade.h"

enum { SCRATCH = 256 * 1024 }; /* an address that is tried */

bool downgrade_link_takes(const struct sw *s, const struct swlink *l, const struct message *m, const struct recipient *r, struct err *e)
{
	if (l->set->conformance != CONFORMANCE_1984 || m->kind == MESSAGE_REPORT)
		return true;
	struct arena *a = arena_new(SCRATCH);
	const bool good = downgrade_check(m, &s->domain, a, e) && downgrade_check_recipient(m, r, &s->domain, a, e);
	arena_free(&a);
	return good;
}
