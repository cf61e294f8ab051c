/* charset_fuzz.c - any octets as any string type: the result is UTF-8, and writing it again never fails. */
#include "base/check.h"
#include "flow/codec/charset/charset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned registrations[] = { 0, 1, 6, 58, 100, 101, 103, 144, 192 };
	if (size < 2)
		return 0;
	struct out text, back;
	out_init(&text, 1 << 22);
	out_init(&back, 1 << 22);
	struct view in = view_of(data + 2, size - 2);
	enum charset from = (enum charset)(data[0] % (CHARSET_UNIVERSAL + 1));
	unsigned registration = registrations[data[1] % ARRAY_LEN(registrations)];
	(void)charset_to_utf8(NULL, from, registration, in, &text);
	assert(text.bad || charset_is_utf8(out_view(&text)));
	(void)charset_from_utf8(from, out_view(&text), &back);
	(void)charset_general_from_utf8(NULL, charset_choose(NULL, in), in, &back);
	out_fini(&text);
	out_fini(&back);
	return 0;
}
