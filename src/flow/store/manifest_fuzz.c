/* manifest_fuzz.c - any octets as the manifest of a backup: what is taken leads to no file but a backup's. */
#include "flow/store/manifest.h"

#include "base/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(SIZE_MAX);
	struct manifest m;
	struct err e;
	if (manifest_read(view_of(data, size), &m, a, &e))
		for (size_t i = 0; i < m.n; i++)
			assert(manifest_name_ok(view_str(m.files[i].name)));
	arena_free(&a);
	return 0;
}
