/* err.h - what went wrong, as a fact of mail: what to do, whom to charge, what to report.
 * Filled once, where the cause is known; callers pass it on untouched. */
#pragma once
#include "base/view.h"

#include <stdarg.h>

enum err_kind {
	ERR_NONE = 0,
	ERR_TEMP,  /* try again later */
	ERR_PERM,  /* report to the originator */
	ERR_PEER,  /* end the association */
	ERR_LOCAL, /* raise an alarm */
};

/* The smallest thing that could have caused it; nothing larger is charged. */
enum err_culprit {
	ERR_OF_RECIPIENT,
	ERR_OF_MESSAGE,
	ERR_OF_PROCESS,
	ERR_OF_ASSOCIATION,
	ERR_OF_LINK,
};

struct err {
	enum err_kind kind;
	enum err_culprit culprit;
	int reason;     /* X.411 8.2.1.4 non-delivery reason, -1 if none */
	int diagnostic; /* X.411 non-delivery diagnostic, -1 if none */
	char text[200]; /* one sentence: found, wanted, where; peer bytes escaped */
};

/* Fills *e (if not NULL) without reason and diagnostic; returns false, for `return err_set(...)`. */
bool err_set(struct err *e, enum err_kind kind, enum err_culprit culprit, const char *fmt, ...)
	PRINTF_LIKE(4, 5);

/* The same with an X.411 reason and diagnostic (-1: none). */
bool err_report(struct err *e, enum err_kind kind, enum err_culprit culprit, int reason,
		int diagnostic, const char *fmt, ...) PRINTF_LIKE(6, 7);

/* So that the compiler, too, knows that they return false, and no optimiser warns of a result that was not written. */
static inline bool err_is_false(bool x)
{
	(void)x;
	return false;
}
#define err_set(...) err_is_false(err_set(__VA_ARGS__))
#define err_report(...) err_is_false(err_report(__VA_ARGS__))

/* Words for the two enums; never NULL. */
const char *err_kind_name(enum err_kind kind);
const char *err_culprit_name(enum err_culprit culprit);

/* How a machine that may need more input answers. Zero is failure on purpose. */
enum step { STEP_FAIL = 0, STEP_WAIT, STEP_DONE };
