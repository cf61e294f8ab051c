/* err.c - see err.h. */
#include "base/err.h"

#include <stdio.h>

static bool fill(struct err *e, enum err_kind kind, enum err_culprit culprit, int reason,
		 int diagnostic, const char *fmt, va_list args) PRINTF_LIKE(6, 0);

static bool fill(struct err *e, enum err_kind kind, enum err_culprit culprit, int reason,
		 int diagnostic, const char *fmt, va_list args)
{
	if (e == NULL)
		return false;
	*e = (struct err){ .kind = kind, .culprit = culprit, .reason = reason,
			   .diagnostic = diagnostic };
	vsnprintf(e->text, sizeof e->text, fmt, args);
	return false;
}

bool (err_set)(struct err *e, enum err_kind kind, enum err_culprit culprit, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	fill(e, kind, culprit, -1, -1, fmt, args);
	va_end(args);
	return false;
}

bool (err_report)(struct err *e, enum err_kind kind, enum err_culprit culprit, int reason,
		int diagnostic, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	fill(e, kind, culprit, reason, diagnostic, fmt, args);
	va_end(args);
	return false;
}

const char *err_kind_name(enum err_kind kind)
{
	switch (kind) {
	case ERR_NONE: return "none";
	case ERR_TEMP: return "temporary";
	case ERR_PERM: return "permanent";
	case ERR_PEER: return "peer";
	case ERR_LOCAL: return "local";
	}
	return "unknown";
}

const char *err_culprit_name(enum err_culprit culprit)
{
	switch (culprit) {
	case ERR_OF_RECIPIENT: return "recipient";
	case ERR_OF_MESSAGE: return "message";
	case ERR_OF_PROCESS: return "process";
	case ERR_OF_ASSOCIATION: return "association";
	case ERR_OF_LINK: return "link";
	}
	return "unknown";
}
