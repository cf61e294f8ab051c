/* ipm_track_fuzz.c - any octets as the head of a content: keys are few, each once, and of no other roles. */
#include "base/check.h"
#include "flow/codec/ipm/ipm_track.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct track_keys keys = {.n = 0}, again = {.n = 0};
	ipm_track_keys(view_of(data, size), &keys);
	ipm_track_keys(view_of(data, size), &again);
	assert(keys.n <= TRACK_KEYS_MAX && keys.n == again.n);
	for (size_t i = 0; i < keys.n; i++) {
		const enum track_role role = track_key_role(keys.v[i]);
		assert(keys.v[i] == again.v[i]);
		assert(role == TRACK_SUBJECT || role == TRACK_IPM_ID);
		for (size_t k = 0; k < i; k++)
			assert(keys.v[k] != keys.v[i]);
	}
	return 0;
}
