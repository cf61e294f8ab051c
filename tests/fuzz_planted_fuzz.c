/* fuzz_planted_fuzz.c - a fuzzer with a planted bug: proves that `make fuzz` can find one. Behind a magic word and a length
 * that lies, one octet is read beyond what is there. Built only in the fuzz build, so that nobody else trips over it. */
#include "base/cur.h"
#include "base/mem.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not inlined, so that the report names it. */
static __attribute__((noinline)) unsigned planted(const uint8_t *p, size_t n)
{
	unsigned sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += p[i];
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char magic[] = "HORN";
	struct cur c = cur_of(view_of(data, size));
	for (size_t i = 0; i < sizeof magic - 1; i++)
		if (cur_u8(&c) != (uint8_t)magic[i])
			return 0;
	size_t said = cur_u8(&c);
	struct view rest = cur_bytes(&c, cur_left(&c));
	if (c.bad || rest.n == 0)
		return 0;
	uint8_t *copy = mem_alloc(rest.n);
	memcpy(copy, rest.p, rest.n);
	volatile unsigned sum = planted(copy, said); /* the bug: `said` is not compared with rest.n */
	(void)sum;
	free(copy);
	return 0;
}
