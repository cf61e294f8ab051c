/* acse.h - association control (X.227), normal mode: the APDUs around RTSE's, read and written. Titles, qualifiers
 * and authentication values of the peer are decoded and not looked at (PA-13). */
#pragma once
#include "flow/codec/osi/acse_apdu.h"
#include "flow/engine/x400/layer.h"

/* Result and diagnostic of an AARE: ACSE_ACCEPTED ..., ACSE_USER_... or ACSE_PROVIDER_.... */
struct acse_answer {
	int64_t result;
	bool provider; /* whose diagnostic */
	int64_t diagnostic;
};

/* Each appends one APDU; `apdu` is the RTSE APDU inside (empty: no user information), `context` the presentation
 * context identifier of RTSE. False: ERR_LOCAL. */
MUST_CHECK bool acse_aarq(struct view apdu, int64_t context, struct out *o, struct err *e);
MUST_CHECK bool acse_aare(const struct acse_answer *answer, struct view apdu, int64_t context, struct out *o,
			  struct err *e);
MUST_CHECK bool acse_rlrq(struct out *o, struct err *e);
MUST_CHECK bool acse_rlre(struct out *o, struct err *e);
MUST_CHECK bool acse_abrt(bool provider, struct view apdu, int64_t context, struct out *o, struct err *e);

/* False: *why_r is the AARE to answer with (X.227 7.1.3.2, 7.1.5), *e why. *apdu_r may be empty. */
MUST_CHECK bool acse_read_aarq(struct view in, struct arena *a, struct view *apdu_r, struct acse_answer *why_r,
			       struct err *e);
MUST_CHECK bool acse_read_aare(struct view in, struct arena *a, struct view *apdu_r, struct acse_answer *answer_r,
			       struct err *e);
MUST_CHECK bool acse_read_abrt(struct view in, struct arena *a, struct view *apdu_r, bool *provider_r, struct err *e);
