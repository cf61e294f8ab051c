/* check.c - how the process ends itself when one of our own promises is broken. */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

/* The one piece of state outside a process's struct: an assertion has no argument to carry it in. */
static check_hook_f *the_hook;

void check_set_hook(check_hook_f *hook)
{
	the_hook = hook;
}

void check_failed(const char *file, int line, const char *what)
{
	char text[256];
	snprintf(text, sizeof text, "%s:%d: %s", file, line, what);
	fprintf(stderr, "posthorn: %s\n", text);
	if (the_hook != NULL)
		the_hook(text);
	abort();
}
