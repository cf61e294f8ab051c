/* store_must.h - for the benches of the store: whatever fails ends them, with a word to standard error. */
#pragma once
#include "flow/store/store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static inline void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
	exit(1);
}

static inline void must_not_fail(void *ctx, const struct err *why)
{
	(void)ctx;
	must(false, why->text);
}

static inline void must_not_be_full(void *ctx, bool is_full, const struct err *why)
{
	(void)ctx, (void)is_full, (void)why;
	must(false, "the disk is full");
}
