/* settings_who.h - what settings_load checks of users, lists and patterns of addresses. */
#pragma once
#include "proc/table/settings_table.h"

/* Addresses that parse, none of two mailboxes or lists; a list whose reports go to its owner has one. ERR_LOCAL. */
MUST_CHECK bool settings_check_who(const struct settings *s, const char *file, struct arena *a, struct err *e);
