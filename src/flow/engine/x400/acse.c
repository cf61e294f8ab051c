#include "flow/engine/x400/acse.h"

#include "base/text.h"

static const char LAYER[] = "acse";

static bool write_apdu(const struct acse_apdu *apdu, struct out *o, struct err *e)
{
	return layer_encode(LAYER, &acse_apdu_type, apdu, o, e);
}

/* Both references, as every known peer writes them; X.227 9.1 leaves either out only when the context is plain. */
static struct osi_external external_of(struct view apdu, int64_t context)
{
	return (struct osi_external){
		.seq.has = 1u << OSI_EXTERNAL_DIRECT | 1u << OSI_EXTERNAL_INDIRECT | 1u << OSI_EXTERNAL_ENCODING,
		.direct = OSI_OID_BER,
		.indirect = context,
		.encoding = { .choice.which = OSI_ENCODING_SINGLE, .single = apdu },
	};
}

/* The peer's references are not compared: contexts have been wrong in the field and the value says what it is. */
static struct view value_of(const struct ber_list *information)
{
	const struct osi_external *v = information->v;
	return information->n == 0 ? (struct view){ NULL, 0 } : osi_encoding_value(&v[0].encoding);
}

bool acse_aarq(struct view apdu, int64_t context, struct out *o, struct err *e)
{
	struct osi_external external = external_of(apdu, context);
	struct acse_apdu v = { .choice.which = ACSE_APDU_AARQ };
	v.aarq.seq.has = 1u << 1 | 1u << ACSE_APDU_AARQ_USER_INFORMATION;
	v.aarq.context_name = OSI_OID_MTS_TRANSFER;
	v.aarq.user_information = (struct ber_list){ &external, 1 };
	return write_apdu(&v, o, e);
}

bool acse_aare(const struct acse_answer *answer, struct view apdu, int64_t context, struct out *o, struct err *e)
{
	struct osi_external external = external_of(apdu, context);
	struct acse_apdu v = { .choice.which = ACSE_APDU_AARE };
	v.aare.seq.has = 1u << 1 | 1u << 2 | 1u << 3;
	v.aare.context_name = OSI_OID_MTS_TRANSFER;
	v.aare.result = answer->result;
	v.aare.diagnostic.choice.which = answer->provider ? ACSE_APDU_PROVIDER : ACSE_APDU_USER;
	v.aare.diagnostic.value = answer->diagnostic;
	if (apdu.n > 0) {
		v.aare.seq.has |= 1u << ACSE_APDU_AARE_USER_INFORMATION;
		v.aare.user_information = (struct ber_list){ &external, 1 };
	}
	return write_apdu(&v, o, e);
}

bool acse_rlrq(struct out *o, struct err *e)
{
	struct acse_apdu v = { .choice.which = ACSE_APDU_RLRQ };
	v.rlrq.seq.has = 1u << ACSE_APDU_RELEASE_REASON; /* normal: 0 */
	return write_apdu(&v, o, e);
}

bool acse_rlre(struct out *o, struct err *e)
{
	struct acse_apdu v = { .choice.which = ACSE_APDU_RLRE };
	v.rlre.seq.has = 1u << ACSE_APDU_RELEASE_REASON;
	return write_apdu(&v, o, e);
}

bool acse_abrt(bool provider, struct view apdu, int64_t context, struct out *o, struct err *e)
{
	struct osi_external external = external_of(apdu, context);
	struct acse_apdu v = { .choice.which = ACSE_APDU_ABRT };
	v.abrt.seq.has = 1u << ACSE_APDU_ABRT_SOURCE;
	v.abrt.source = provider ? 1 : 0;
	if (apdu.n > 0) {
		v.abrt.seq.has |= 1u << ACSE_APDU_ABRT_USER_INFORMATION;
		v.abrt.user_information = (struct ber_list){ &external, 1 };
	}
	return write_apdu(&v, o, e);
}

static bool read_apdu(struct view in, struct arena *a, uint32_t which, const char *wanted, struct acse_apdu *v_r,
		      struct err *e)
{
	if (!layer_decode(LAYER, &acse_apdu_type, in, v_r, a, e))
		return false;
	if (v_r->choice.which != which)
		return layer_error(e, LAYER, "another APDU (first octet %02x) where %s is due", in.p[0], wanted);
	return true;
}

/* X.227 7.1.5.1: version 1 is the default, and more versions may be offered beside it. */
static bool has_version_1(const struct ber_bits *b)
{
	return b->bytes.n > 0 && (b->bytes.p[0] & 0x80) != 0;
}

bool acse_read_aarq(struct view in, struct arena *a, struct view *apdu_r, struct acse_answer *why_r, struct err *e)
{
	struct acse_apdu v;
	*why_r = (struct acse_answer){ ACSE_REJECTED_PERMANENT, false, ACSE_USER_NO_REASON };
	if (!read_apdu(in, a, ACSE_APDU_AARQ, "an AARQ", &v, e))
		return false;
	if ((v.aarq.seq.has & 1u << ACSE_APDU_AARQ_VERSION) != 0 && !has_version_1(&v.aarq.protocol_version)) {
		*why_r = (struct acse_answer){ ACSE_REJECTED_PERMANENT, true, ACSE_PROVIDER_NO_VERSION };
		return layer_error(e, LAYER, "AARQ does not offer protocol version 1");
	}
	if (!view_eq(v.aarq.context_name, OSI_OID_MTS_TRANSFER)) {
		struct out oid;
		out_init(&oid, 64);
		ber_oid_print(v.aarq.context_name, &oid);
		why_r->diagnostic = ACSE_USER_CONTEXT_NAME;
		layer_error(e, LAYER, "application context %s, wanted 2.6.0.1.6 (mts-transfer)", out_cstr(&oid));
		out_fini(&oid);
		return false;
	}
	*apdu_r = value_of(&v.aarq.user_information);
	return true;
}

bool acse_read_aare(struct view in, struct arena *a, struct view *apdu_r, struct acse_answer *answer_r, struct err *e)
{
	struct acse_apdu v;
	if (!read_apdu(in, a, ACSE_APDU_AARE, "an AARE", &v, e))
		return false;
	*answer_r = (struct acse_answer){ v.aare.result, v.aare.diagnostic.choice.which == ACSE_APDU_PROVIDER,
					  v.aare.diagnostic.value };
	*apdu_r = value_of(&v.aare.user_information);
	return true;
}

bool acse_read_abrt(struct view in, struct arena *a, struct view *apdu_r, bool *provider_r, struct err *e)
{
	struct acse_apdu v;
	if (!read_apdu(in, a, ACSE_APDU_ABRT, "an ABRT", &v, e))
		return false;
	*apdu_r = value_of(&v.abrt.user_information);
	*provider_r = v.abrt.source == 1;
	return true;
}
