/* osi_fuzz.c - the tables of presentation, ACSE, RTSE and MTA bind: what decodes is encoded, and decodes again to the same
 * encoding. The first octet chooses the table. */
#include "base/mem.h"
#include "flow/codec/osi/acse_apdu.h"
#include "flow/codec/osi/mta_bind_apdu.h"
#include "flow/codec/osi/ppdu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ber_type *const types[] = {
	&ppdu_cp_type, &ppdu_cpa_type, &ppdu_cpr_type, &ppdu_abort_type, &ppdu_user_data_type, &acse_apdu_type,
	&rtse_apdu_type, &mta_bind_argument_type, &mta_bind_result_type, &mta_bind_error_type, &osi_external_type,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ber_limits limits = { .depth = 24, .elements = 4096, .bytes = 1 << 16 };
	struct err e;
	if (size == 0)
		return 0;
	const struct ber_type *t = types[data[0] % ARRAY_LEN(types)];
	struct arena *a = arena_new(1 << 22);
	void *value = arena_get(a, t->size), *again = arena_get(a, t->size);
	if (ber_decode(t, view_of(data + 1, size - 1), value, a, &limits, &e)) {
		struct out once, twice;
		out_init(&once, 1 << 20);
		out_init(&twice, 1 << 20);
		assert(ber_encode(t, value, &once, &e));
		assert(ber_size(t, value) == out_len(&once));
		assert(ber_decode(t, out_view(&once), again, a, &limits, &e));
		assert(ber_encode(t, again, &twice, &e));
		assert(view_eq(out_view(&once), out_view(&twice)));
		out_fini(&once);
		out_fini(&twice);
	}
	arena_free(&a);
	return 0;
}
