#include "flow/engine/x400/mta_bind.h"

#include "flow/codec/osi/mta_bind_apdu.h"

static const char LAYER[] = "mta bind";

enum { NAME_MAX_OCTETS = 32, PASSWORD_MAX_OCTETS = 62 }; /* X.411 upper bounds */

static bool write_value(const struct ber_type *t, const struct x400_credentials *c, struct out *o, struct err *e)
{
	struct mta_bind_value v = { .choice.which = MTA_BIND_UNAUTHENTICATED };
	if (!c->present)
		return layer_encode(LAYER, t, &v, o, e);
	if (c->mta_name.n > NAME_MAX_OCTETS || c->password.n > PASSWORD_MAX_OCTETS)
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: own name has %zu octets, password %zu, at most %d and "
			       "%d fit", LAYER, c->mta_name.n, c->password.n, NAME_MAX_OCTETS, PASSWORD_MAX_OCTETS);
	v.choice.which = MTA_BIND_AUTHENTICATED;
	v.authenticated.seq.has = 1u << MTA_BIND_NAME | 1u << MTA_BIND_CREDENTIALS;
	v.authenticated.name = c->mta_name;
	/* Credentials are not optional: having none is the empty password. */
	v.authenticated.credentials.choice.which = c->form == X400_PASSWORD_IA5 ? MTA_BIND_IA5 : MTA_BIND_OCTETS;
	v.authenticated.credentials.password = c->password;
	return layer_encode(LAYER, t, &v, o, e);
}

bool mta_bind_argument(const struct x400_credentials *c, bool bare, struct out *o, struct err *e)
{
	return write_value(bare ? &mta_bind_bare_argument_type : &mta_bind_argument_type, c, o, e);
}

bool mta_bind_result(const struct x400_credentials *c, bool bare, struct out *o, struct err *e)
{
	return write_value(bare ? &mta_bind_bare_result_type : &mta_bind_result_type, c, o, e);
}

bool mta_bind_error(enum x400_bind_error why, struct out *o, struct err *e)
{
	const struct mta_bind_error_value v = { .choice.which = MTA_BIND_ERROR_WRAPPED, .error = why };
	return layer_encode(LAYER, &mta_bind_error_type, &v, o, e);
}

static bool read_value(const struct ber_type *t, struct view in, struct arena *a, struct x400_credentials *c_r,
		       enum x400_bind_error *why_r, struct err *e)
{
	struct mta_bind_value v;
	*c_r = (struct x400_credentials){ .present = false };
	*why_r = X400_AUTHENTICATION;
	if (in.n == 0)
		return true;
	if (!layer_decode(LAYER, t, in, &v, a, e))
		return false;
	if (v.choice.which == MTA_BIND_UNAUTHENTICATED)
		return true;
	if (v.choice.which != MTA_BIND_AUTHENTICATED)
		return layer_error(e, LAYER, "%s is neither NULL nor [1]", t->name);
	const struct mta_bind_credentials *c = &v.authenticated.credentials;
	if (c->choice.which != MTA_BIND_IA5 && c->choice.which != MTA_BIND_OCTETS)
		return layer_error(e, LAYER, "%s has %s credentials, only a password is understood", t->name,
				   c->choice.which == MTA_BIND_STRONG ? "strong" : "protected or unknown");
	*c_r = (struct x400_credentials){
		.present = true,
		.mta_name = v.authenticated.name,
		.has_password = true,
		.password = c->password,
		.form = c->choice.which == MTA_BIND_IA5 ? X400_PASSWORD_IA5 : X400_PASSWORD_OCTETS,
	};
	return true;
}

bool mta_bind_is_wrapped(struct view in)
{
	enum { ARGUMENT = 0xb0, RESULT = 0xb1 }; /* [16] and [17], constructed */
	return in.n > 0 && (in.p[0] == ARGUMENT || in.p[0] == RESULT);
}

bool mta_bind_read_argument(struct view in, bool bare, struct arena *a, struct x400_credentials *c_r,
			    enum x400_bind_error *why_r, struct err *e)
{
	return read_value(bare ? &mta_bind_bare_argument_type : &mta_bind_argument_type, in, a, c_r, why_r, e);
}

bool mta_bind_read_result(struct view in, bool bare, struct arena *a, struct x400_credentials *c_r, struct err *e)
{
	enum x400_bind_error why;
	return read_value(bare ? &mta_bind_bare_result_type : &mta_bind_result_type, in, a, c_r, &why, e);
}

bool mta_bind_read_error(struct view in, struct arena *a, enum x400_bind_error *why_r, struct err *e)
{
	struct mta_bind_error_value v;
	if (!layer_decode(LAYER, &mta_bind_error_type, in, &v, a, e))
		return false;
	if (v.choice.which != MTA_BIND_ERROR_WRAPPED && v.choice.which != MTA_BIND_ERROR_BARE)
		return layer_error(e, LAYER, "the refusal holds no MTABindError");
	*why_r = v.error < 0 || v.error > INT32_MAX ? X400_NO_BIND_ERROR : (enum x400_bind_error)v.error;
	return true;
}
