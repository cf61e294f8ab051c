/* notice_fuzz.c - any octets as the text of a mail: a notice that was read is written and read as the same. */
#include "flow/codec/msmail/notice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool again(struct view in, struct out *o, struct arena *a, bool must_read, int *code)
{
	struct mm_notice n;
	arena_reset(a);
	bool read = notice_parse(in, &n, a);
	assert(read || !must_read || arena_full(a));
	if (!read)
		return false;
	assert(n.code > 0 && (!must_read || n.code == *code));
	assert(n.n_unreached == 0 || n.codes != NULL);
	*code = n.code;
	notice_print(&n, o);
	return !o->bad;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(1 << 22);
	struct out one, two, three;
	int code = 0;
	out_init(&one, 1 << 22);
	out_init(&two, 1 << 22);
	out_init(&three, 1 << 22);
	if (again(view_of(data, size), &one, a, false, &code) && again(out_view(&one), &two, a, true, &code)) {
		bool ok = again(out_view(&two), &three, a, true, &code);
		assert((ok && view_eq(out_view(&two), out_view(&three))) || arena_full(a));
	}
	out_fini(&one);
	out_fini(&two);
	out_fini(&three);
	arena_free(&a);
	return 0;
}
