#include "flow/codec/osi/mta_bind_apdu.h"

#define AT(form, member) .offset = offsetof(struct form, member)

static const struct ber_type opaque_type = {
	.name = "Credentials", .kind = BER_SET, .tag = BER_U(17), .size = sizeof(struct mta_bind_opaque),
};

static const struct ber_field credentials_fields[] = {
	{ .name = "ia5-string", AT(mta_bind_credentials, password), .type = &osi_ia5_string, .tag = BER_NO_TAG },
	{ .name = "octet-string", AT(mta_bind_credentials, password), .type = &osi_octets, .tag = BER_NO_TAG },
	{ .name = "strong", AT(mta_bind_credentials, strong), .type = &opaque_type, .tag = BER_C(0) },
	{ .name = "protected", AT(mta_bind_credentials, protected_password), .type = &opaque_type, .tag = BER_C(1) },
};
static const struct ber_type credentials_type = {
	.name = "Credentials", .kind = BER_CHOICE, .tag = BER_NO_TAG, .size = sizeof(struct mta_bind_credentials),
	.fields = credentials_fields, .n_fields = ARRAY_LEN(credentials_fields),
};

static const struct ber_type security_context_type = {
	.name = "SecurityContext", .kind = BER_SET_OF, .tag = BER_U(17), .size = sizeof(struct ber_list), .of = &osi_any,
};

/* ub-mta-name-length 32: carried longer on receipt, checked when we generate. */
static const struct ber_type mta_name_type = {
	.name = "MTAName", .kind = BER_STRING, .tag = BER_U(22), .size = sizeof(struct view), .min = 1, .max = 32,
};

static const struct ber_field authenticated_fields[] = {
	{ .name = "name", AT(mta_bind_authenticated, name), .type = &mta_name_type, .tag = BER_C(0) },
	{ .name = "credentials", AT(mta_bind_authenticated, credentials), .type = &credentials_type, .tag = BER_C(1),
	  .flags = BER_EXPLICIT },
	{ .name = "security-context", AT(mta_bind_authenticated, security_context), .type = &security_context_type,
	  .tag = BER_C(2), .flags = BER_OPTIONAL },
};
static const struct ber_type authenticated_type = {
	.name = "authenticated", .kind = BER_SET, .tag = BER_U(17), .size = sizeof(struct mta_bind_authenticated),
	.fields = authenticated_fields, .n_fields = ARRAY_LEN(authenticated_fields),
};

static const struct ber_field value_fields[] = {
	{ .name = "unauthenticated", AT(mta_bind_value, authenticated), .type = &osi_null, .tag = BER_NO_TAG },
	{ .name = "authenticated", AT(mta_bind_value, authenticated), .type = &authenticated_type, .tag = BER_C(1) },
};
const struct ber_type mta_bind_bare_argument_type = {
	.name = "MTABindArgument", .kind = BER_CHOICE, .tag = BER_NO_TAG, .size = sizeof(struct mta_bind_value),
	.fields = value_fields, .n_fields = ARRAY_LEN(value_fields),
};
const struct ber_type mta_bind_bare_result_type = {
	.name = "MTABindResult", .kind = BER_CHOICE, .tag = BER_NO_TAG, .size = sizeof(struct mta_bind_value),
	.fields = value_fields, .n_fields = ARRAY_LEN(value_fields),
};

const struct ber_type mta_bind_argument_type = {
	.name = "bind-argument", .kind = BER_TAGGED, .tag = BER_C(16), .size = sizeof(struct mta_bind_value),
	.of = &mta_bind_bare_argument_type,
};
const struct ber_type mta_bind_result_type = {
	.name = "bind-result", .kind = BER_TAGGED, .tag = BER_C(17), .size = sizeof(struct mta_bind_value),
	.of = &mta_bind_bare_result_type,
};

static const struct ber_name error_names[] = {
	{ 0, "busy" }, { 2, "authentication-error" }, { 3, "unacceptable-dialogue-mode" },
	{ 4, "unacceptable-security-context" }, { 5, "inadequate-association-confidentiality" },
};
static const struct ber_type error_type = {
	.name = "MTABindError", .kind = BER_INT, .tag = BER_U(2), .size = sizeof(int64_t), .names = error_names,
	.n_names = ARRAY_LEN(error_names),
};
static const struct ber_field error_fields[] = {
	{ .name = "bind-error", AT(mta_bind_error_value, error), .type = &error_type, .tag = BER_C(18),
	  .flags = BER_EXPLICIT },
	{ .name = "bare-error", AT(mta_bind_error_value, error), .type = &error_type, .tag = BER_NO_TAG },
};
const struct ber_type mta_bind_error_type = {
	.name = "bind-error", .kind = BER_CHOICE, .tag = BER_NO_TAG, .size = sizeof(struct mta_bind_error_value),
	.fields = error_fields, .n_fields = ARRAY_LEN(error_fields),
};

const char *mta_bind_error_name(int64_t error)
{
	for (size_t i = 0; i < ARRAY_LEN(error_names); i++) {
		if (error_names[i].value == error)
			return error_names[i].name;
	}
	return "unknown bind error";
}
