/* diagnostics.h - X.411 reason and diagnostic <-> SMTP enhanced status code (RFC
 * 2156 5.1.8.4, 5.3.8.2; RFC 3463)
 * <-> number of a Microsoft Mail notice (`[nnn]`). The rows are in diagnostics_table.h. */
#pragma once
#include "base/view.h"

/* Three numbers with dots, "5.1.1"; static. Diagnostic -1: none. An unknown pair gets what its
 * reason gets, an unknown reason 5.0.0. */
const char *diagnostic_status(int reason, int diagnostic);

/* The pair for an enhanced status code of class 4 or 5 (which of the two does not matter). An
 * unknown detail counts as x.n.0, an unknown subject as 1/none (RFC 2156 5.1.8.4). False: not such
 * a code. */
MUST_CHECK bool diagnostic_from_status(struct view status, int *reason_r, int *diagnostic_r);

/* The number of the notice, 1..30. */
int diagnostic_notice(int reason, int diagnostic);

/* The pair for a notice; 1/none for a number we do not know. */
void diagnostic_from_notice(int notice, int *reason_r, int *diagnostic_r);
