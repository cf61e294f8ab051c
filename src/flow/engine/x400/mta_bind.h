/* mta_bind.h - MTABind (X.411 12.1.1) as the octets that RTSE carries: argument [16], result [17], error [18]; in
 * X.410 mode the bare values (X.419 13.2.1.1.2), and no error. */
#pragma once
#include "flow/engine/x400/layer.h"
#include "flow/engine/x400/x400.h"

/* Appends the value; absent credentials give NULL. Fails (ERR_LOCAL) on a name over 32 or a password over 62 octets. */
MUST_CHECK bool mta_bind_argument(const struct x400_credentials *c, bool bare, struct out *o, struct err *e);
MUST_CHECK bool mta_bind_result(const struct x400_credentials *c, bool bare, struct out *o, struct err *e);
MUST_CHECK bool mta_bind_error(enum x400_bind_error why, struct out *o, struct err *e);

/* It is in [16] or [17]. Some peer may write X.410 mode so: what is bare there is a matter of the octets. */
bool mta_bind_is_wrapped(struct view in);
/* Views into `in` or the arena. Credentials other than a password are an error: *why_r says which bind error
 * answers it. An empty `in` is an unauthenticated bind. */
MUST_CHECK bool mta_bind_read_argument(struct view in, bool bare, struct arena *a, struct x400_credentials *c_r,
				       enum x400_bind_error *why_r, struct err *e);
MUST_CHECK bool mta_bind_read_result(struct view in, bool bare, struct arena *a, struct x400_credentials *c_r,
				     struct err *e);
/* Takes the error inside [18] and bare. */
MUST_CHECK bool mta_bind_read_error(struct view in, struct arena *a, enum x400_bind_error *why_r, struct err *e);
