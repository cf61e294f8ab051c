/* mta_bind.h - MTABind (X.411 12.1.1) as the octets that RTSE carries: argument [16], result [17], error [18]. */
#pragma once
#include "flow/engine/x400/layer.h"
#include "flow/engine/x400/x400.h"

/* Appends the value; absent credentials give NULL. Fails (ERR_LOCAL) on a name over 32 or a password over 62 octets. */
MUST_CHECK bool mta_bind_argument(const struct x400_credentials *c, struct out *o, struct err *e);
MUST_CHECK bool mta_bind_result(const struct x400_credentials *c, struct out *o, struct err *e);
MUST_CHECK bool mta_bind_error(enum x400_bind_error why, struct out *o, struct err *e);

/* Views into `in` or the arena. Credentials other than a password are an error: *why_r says which bind error
 * answers it. An empty `in` is an unauthenticated bind. */
MUST_CHECK bool mta_bind_read_argument(struct view in, struct arena *a, struct x400_credentials *c_r,
				       enum x400_bind_error *why_r, struct err *e);
MUST_CHECK bool mta_bind_read_result(struct view in, struct arena *a, struct x400_credentials *c_r, struct err *e);
/* Takes the error inside [18] and bare. */
MUST_CHECK bool mta_bind_read_error(struct view in, struct arena *a, enum x400_bind_error *why_r, struct err *e);
