/* presentation.h - presentation (X.226), normal mode, kernel: contexts agreed by object identifier, PPDUs read and
 * written around ACSE's APDUs. No context management, no default context.
 * Transferred octets do not come by here whole: see rtse_reader. */
#pragma once
#include "flow/codec/osi/ppdu.h"
#include "flow/engine/x400/layer.h"

enum presentation_syntax { PRESENTATION_UNKNOWN, PRESENTATION_ACSE, PRESENTATION_RTSE, PRESENTATION_MTSE };

enum { PRESENTATION_CONTEXTS_MAX = 16 };

/* The defined context set, in the order proposed; rejected ones are in it with their result. */
struct presentation {
	struct presentation_context {
		int64_t id;
		enum presentation_syntax syntax;
		int64_t result, reason; /* PPDU_ACCEPTANCE ..., PPDU_ABSTRACT_NOT_SUPPORTED ... */
	} v[PRESENTATION_CONTEXTS_MAX];
	size_t n;
};

/* What an accepted identifier stands for; UNKNOWN: not in the set. */
enum presentation_syntax presentation_find(const struct presentation *p, int64_t id);
/* The first accepted context of a syntax; 0: none. */
int64_t presentation_id(const struct presentation *p, enum presentation_syntax syntax);

/* Fills *p with what an initiator proposes: 1 ACSE, 3 RTSE for MTAs, 5 message transfer (facts of every known peer). */
void presentation_propose(struct presentation *p);

struct presentation_selectors {
	struct view calling, called;
	bool send;
};

/* Each appends one PPDU around an ACSE APDU. False: ERR_LOCAL. */
MUST_CHECK bool presentation_cp(const struct presentation *p, const struct presentation_selectors *s,
				struct view apdu, struct out *o, struct err *e);
MUST_CHECK bool presentation_cpa(const struct presentation *p, struct view apdu, struct out *o, struct err *e);
/* By the user, around an AARE; or by us as provider, with a Provider-reason (-1: none) and no APDU. */
MUST_CHECK bool presentation_cpr(const struct presentation *p, struct view apdu, int64_t provider_reason,
				 struct out *o, struct err *e);
/* P-U-ABORT. */
MUST_CHECK bool presentation_aru(const struct presentation *p, struct view apdu, struct out *o, struct err *e);
/* P-P-ABORT: eight octets, so that it fits session version 1. */
MUST_CHECK bool presentation_arp(int64_t reason, int64_t event, struct out *o, struct err *e);
/* User-data with one value in the accepted context of a syntax. */
MUST_CHECK bool presentation_user_data(const struct presentation *p, enum presentation_syntax syntax,
				       struct view value, struct out *o, struct err *e);

/* Responder: agrees on contexts. False: *reason_r is the Provider-reason for a CPR. */
MUST_CHECK bool presentation_read_cp(struct presentation *p, struct view in, struct arena *a, struct view *apdu_r,
				     int64_t *reason_r, struct err *e);
/* Initiator: takes the results into *p; fails when a context that we need was rejected. */
MUST_CHECK bool presentation_read_cpa(struct presentation *p, struct view in, struct arena *a, struct view *apdu_r,
				      struct err *e);
/* `apdu` is empty when the refusal is the provider's. X.410 form: RTORJ without AARE. */
struct presentation_refusal {
	struct view apdu;
	int64_t provider_reason; /* -1: none */
	bool x410;
	int64_t refuse_reason;   /* X.410: RTORJ's; -1: none */
};
MUST_CHECK bool presentation_read_cpr(const struct presentation *p, struct view in, struct arena *a,
				      struct presentation_refusal *r, struct err *e);
/* One value of User-data; which syntax it is in. */
MUST_CHECK bool presentation_read_user_data(const struct presentation *p, struct view in, struct arena *a,
					    struct view *value_r, enum presentation_syntax *syntax_r, struct err *e);

/* User data of an abort: ARU (user, with an ACSE APDU if any), ARP (provider), X.410's RTAB, or unreadable. */
struct presentation_abort {
	enum { PRESENTATION_ABORT_NO_DATA, PRESENTATION_ABORT_USER, PRESENTATION_ABORT_PROVIDER,
	       PRESENTATION_ABORT_X410, PRESENTATION_ABORT_UNREADABLE } what;
	struct view apdu;        /* USER */
	int64_t reason, event;   /* PROVIDER; -1: absent. X410: reason is RTSE's */
};
void presentation_read_abort(const struct presentation *p, struct view in, struct arena *a,
			     struct presentation_abort *r);
