#include "flow/engine/x400/x410.h"

static const char LAYER[] = "x410";

enum { PROTOCOL_1984 = 1, PROTOCOL_88 = 12, PROTOCOL_88_SWAPPED = 3072 }; /* X.419 13.2.1.1.1 */

int64_t x410_protocol(enum x400_mode mode)
{
	return mode == X400_X410_84 ? PROTOCOL_1984 : PROTOCOL_88;
}

bool x410_cp(const struct rtse_open *v, struct out *o, struct err *e)
{
	struct ppdu_cp cp = {
		.seq.has = 1u << PPDU_CP_MODE | 1u << PPDU_CP_X410,
		.mode = { .seq.has = 1, .value = PPDU_MODE_X410 },
	};
	rtse_fill_rtorq(v, &cp.x410);
	return layer_encode(LAYER, &ppdu_cp_type, &cp, o, e);
}

bool x410_cpa(const struct rtse_open *v, struct out *o, struct err *e)
{
	struct ppdu_cpa cpa = {
		.seq.has = 1u << PPDU_CP_MODE | 1u << PPDU_CP_X410,
		.mode = { .seq.has = 1, .value = PPDU_MODE_X410 },
	};
	rtse_fill_rtoac(v, &cpa.x410);
	return layer_encode(LAYER, &ppdu_cpa_type, &cpa, o, e);
}

bool x410_cpr(enum rtse_refuse_reason why, struct out *o, struct err *e)
{
	const struct ppdu_cpr cpr = {
		.choice.which = PPDU_CPR_IS_X410,
		.x410 = { .seq.has = 1u << RTSE_APDU_RTORJ_REASON, .refuse_reason = why },
	};
	return layer_encode(LAYER, &ppdu_cpr_type, &cpr, o, e);
}

bool x410_rtab(enum rtse_abort_reason reason, struct out *o, struct err *e)
{
	const bool known = reason != RTSE_ABORT_PERMANENT && reason != RTSE_ABORT_USER;
	const struct ppdu_abort v = {
		.choice.which = PPDU_ABORT_X410,
		.x410 = { .seq.has = 1u << RTSE_APDU_RTAB_REASON, .reason = known ? reason : RTSE_ABORT_LOCAL_SYSTEM },
	};
	return layer_encode(LAYER, &ppdu_abort_type, &v, o, e);
}

bool x410_is(struct view ppdu, struct arena *a, bool *x410_r)
{
	struct ppdu_mode_only v;
	struct err e;
	/* CPC-type values may follow a CP of normal mode. */
	if (!layer_decode_first(LAYER, &ppdu_mode_only_type, ppdu, &v, a, &e))
		return false;
	*x410_r = v.mode.value == PPDU_MODE_X410;
	return *x410_r || v.mode.value == PPDU_MODE_NORMAL;
}

static bool read_protocol(int64_t protocol, enum x400_mode *mode_r, struct err *e)
{
	if (protocol == PROTOCOL_88 || protocol == PROTOCOL_88_SWAPPED)
		*mode_r = X400_X410_88;
	else if (protocol == PROTOCOL_1984 || protocol == 0) /* absent: DEFAULT p1 (X.410 figure 4.3) */
		*mode_r = X400_X410_84;
	else
		return layer_error(e, LAYER, "application protocol %lld, wanted %d (P1 of 1988) or %d (P1 of 1984)",
				   (long long)protocol, PROTOCOL_88, PROTOCOL_1984);
	return true;
}

bool x410_read_cp(struct view in, struct arena *a, struct rtse_open *v_r, enum x400_mode *mode_r, struct err *e)
{
	struct ppdu_cp cp;
	if (!layer_decode(LAYER, &ppdu_cp_type, in, &cp, a, e))
		return false;
	if ((cp.seq.has & 1u << PPDU_CP_X410) == 0)
		return layer_error(e, LAYER, "the caller selects X.410 mode and has no parameters for it");
	return rtse_take_rtorq(&cp.x410, v_r, e) && read_protocol(v_r->application_protocol, mode_r, e);
}

bool x410_read_cpa(struct view in, struct arena *a, struct rtse_open *v_r, struct err *e)
{
	struct ppdu_cpa cpa;
	if (!layer_decode(LAYER, &ppdu_cpa_type, in, &cpa, a, e))
		return false;
	if (cpa.mode.value != PPDU_MODE_X410 || (cpa.seq.has & 1u << PPDU_CP_X410) == 0)
		return layer_error(e, LAYER, "mode %lld answered, wanted X.410 mode (0)", (long long)cpa.mode.value);
	return rtse_take_rtoac(&cpa.x410, v_r, e);
}

enum rtse_refuse_reason x410_refuse_reason(enum x400_bind_error why)
{
	switch (why) {
	case X400_BUSY: return RTSE_REFUSE_BUSY;
	case X400_DIALOGUE_MODE: return RTSE_REFUSE_DIALOGUE_MODE;
	case X400_AUTHENTICATION:
	case X400_SECURITY_CONTEXT:
	case X400_CONFIDENTIALITY:
	case X400_NO_BIND_ERROR: break; /* the nearest it has: what the caller says of itself is not taken */
	}
	return RTSE_REFUSE_VALIDATION;
}

enum x400_bind_error x410_bind_error(int64_t reason)
{
	switch (reason) {
	case RTSE_REFUSE_BUSY: return X400_BUSY;
	case RTSE_REFUSE_VALIDATION: return X400_AUTHENTICATION;
	case RTSE_REFUSE_DIALOGUE_MODE: return X400_DIALOGUE_MODE;
	default: return X400_NO_BIND_ERROR;
	}
}
