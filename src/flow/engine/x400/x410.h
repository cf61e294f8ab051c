/* x410.h - X.410 mode (X.226 6.2.2, X.228 with its X.410-1984 mode): no ACSE, and presentation is but a mode selector around
 * RTSE's APDUs in S-CONNECT. All other user data of session are RTSE's values as they are: no context, no P-DATA, no tag
 * [16] ... [22]. What is transferred is cut into session's user data without RTTR's OCTET STRING. */
#pragma once
#include "flow/engine/x400/rtse.h"
#include "flow/engine/x400/x400.h"

/* Each appends the user data of S-CONNECT or S-U-ABORT. False: ERR_LOCAL. */
MUST_CHECK bool x410_cp(const struct rtse_open *v, struct out *o, struct err *e);
MUST_CHECK bool x410_cpa(const struct rtse_open *v, struct out *o, struct err *e);
MUST_CHECK bool x410_cpr(enum rtse_refuse_reason why, struct out *o, struct err *e);
/* Five octets, so that it fits session version 1. X.410 does not know permanentProblem and userError: they go as
 * localSystemProblem. */
MUST_CHECK bool x410_rtab(enum rtse_abort_reason reason, struct out *o, struct err *e);

/* The mode selector of a CP or CPA; false when it cannot be read, or is none of the two. */
bool x410_is(struct view ppdu, struct arena *a, bool *x410_r);

/* Responder: the parameters of a CP in X.410 mode, and which protocol it is for: 12 for P1 of 1988 (or 3072: the same with
 * its octets swapped, as a known peer writes it), 1 or nothing for that of 1984. */
MUST_CHECK bool x410_read_cp(struct view in, struct arena *a, struct rtse_open *v_r, enum x400_mode *mode_r, struct err *e);
MUST_CHECK bool x410_read_cpa(struct view in, struct arena *a, struct rtse_open *v_r, struct err *e);

/* applicationProtocol of a mode that is not X400_NORMAL. */
int64_t x410_protocol(enum x400_mode mode);

/* RefuseReason <-> MTABindError (X.419 13.2.1.1.3). */
enum rtse_refuse_reason x410_refuse_reason(enum x400_bind_error why);
enum x400_bind_error x410_bind_error(int64_t reason); /* X400_NO_BIND_ERROR: it has none for that */
