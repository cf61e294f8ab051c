/* convert_fuzz.c - any octets as a MAI, an FFAPI file, or a content: what comes out is read again by who reads such things, or it is refused as
 * that message's error. The first octet says which, the second which code page. */
#include "base/check.h"
#include "flow/codec/msmail/convert.h"
#include "flow/message/pack.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUT_MAX = 1 << 22 };

static const unsigned pages[] = { 0, 437, 850, 932, 20866, 4711, 65001 };

struct world {
	struct arena *a, *fixed;
	struct charset_kit *kit;
	struct mm_map *map;
	struct gdi domain;
	struct mm_convert how;
	struct oraddr ann, bob;
};

static struct world *world(void)
{
	static struct world w; /* made once: the kit is large */
	static const char *const lines[] = { "NET1/PO1/BOB = G=Bob; S=Builder; O=Works; P=SITE; A=EXAMPLE; C=GB" };
	static const struct mm_name own = { "NET1", "PO1", "" };
	struct err e;
	if (w.kit != NULL)
		return &w;
	w.fixed = arena_new(1 << 20);
	w.kit = charset_kit_new();
	charset_kit_load_pages(w.kit);
	assert(mm_map_new(lines, 1, "C=GB; A=EXAMPLE; P=SITE", &own, &w.map, &e));
	assert(gdi_parse(VIEW("C=GB; A=EXAMPLE; P=SITE"), &w.domain, w.fixed, &e));
	assert(oraddr_parse(VIEW("S=ann; P=AWAY; A=EXAMPLE; C=FR"), &w.ann, w.fixed, ORADDR_CARRY, &e));
	assert(oraddr_parse(VIEW("G=Bob; S=Builder; O=Works; P=SITE; A=EXAMPLE; C=GB"), &w.bob, w.fixed, ORADDR_CARRY, &e));
	w.how = (struct mm_convert){ .map = w.map, .kit = w.kit, .scramble = &mm_scramble_none, .domain = &w.domain, .mta = "M", .own = own, .zone_minutes = 90,
				     .header_limit = 200, .out_max = OUT_MAX };
	return &w;
}

static void check_ipm(struct world *w, const struct mm_converted *done)
{
	const struct ber_limits limits = ipm_limits_default();
	struct message m;
	struct ipm ipm;
	struct err e;
	assert(unpack_message(out_view(&done->packed_or_mai), &m, w->a, &e));
	assert(ipm_parse(out_view(&done->content), &ipm, w->a, &limits, &e) || arena_full(w->a));
}

static void from_mai(struct world *w, struct view octets, bool is_ffapi)
{
	struct mm_recipient to = { .address = { .type = MM_ADDRESS_MS, .text = VIEW("FAR/PO9/ANN") }, .responsible = true };
	const struct mm_envelope v = { .mai = mm_id_of(1), .from = { .type = MM_ADDRESS_MS, .text = VIEW("NET1/PO1/BOB") }, .recipients = &to, .n = 1 };
	const struct mm_file files[] = { { VIEW("a"), VIEW("one") }, { VIEW("b"), octets } };
	struct mm_converted done;
	struct err e;
	if (!mm_to_ipm(&w->how, octets, is_ffapi, &v, files, 2, "local=1", INT64_C(1767225600000), &done, w->a, &e)) {
		assert(e.kind == ERR_PERM || e.kind == ERR_LOCAL);
		return;
	}
	check_ipm(w, &done);
	mm_converted_fini(&done);
}

static void from_content(struct world *w, struct view content, bool to_ffapi, bool report)
{
	struct recipient to = { .addr = w->bob, .number = 1, .responsible = true, .reason = 1, .diagnostic = 0, .type_of_user = UINT32_MAX,
				.outcome = OUTCOME_NOT_DELIVERED };
	struct trace_element at = { .domain = w->domain, .arrival = INT64_C(1128166250000), .arrival_raw = VIEW("051001113050Z") };
	struct message m = { .kind = report ? MESSAGE_REPORT : MESSAGE_MESSAGE, .id = { w->domain, VIEW("x") }, .content_type = report ? -2 : 22,
			     .content_length = -1, .originator = w->ann, .rcpt = &to, .n_rcpt = 1, .trace = { &at, 1 }, .subject_id = { w->domain, VIEW("y") },
			     .has_returned_content = report, .returned_content = content };
	const struct mai_limits limits = mai_limits_default();
	struct mm_converted done;
	struct out packed;
	struct mai mai;
	struct err e;
	out_init(&packed, OUT_MAX);
	pack_message(&packed, &m, 0, 1);
	const bool ok = mm_to_mai(&w->how, out_view(&packed), report ? (struct view){ NULL, 0 } : content, to_ffapi, &done, w->a, &e);
	if (ok && !to_ffapi)
		assert(mai_parse(out_view(&done.packed_or_mai), &mm_scramble_none, &mai, w->a, &limits, &e) || arena_full(w->a));
	if (ok && !to_ffapi)
		for (size_t i = 0; i < mai.n_attachments && !arena_full(w->a); i++)
			assert(mai.attachments[i].size == done.attachments[i].octets.n);
	assert(ok || e.kind == ERR_PERM || e.kind == ERR_LOCAL);
	if (ok)
		mm_converted_fini(&done);
	out_fini(&packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct world *w = world();
	const struct view octets = view_of(data + 2, size - 2);
	w->a = arena_new(1 << 24);
	w->how.code_page = pages[data[1] % ARRAY_LEN(pages)];
	switch (data[0] % 5) {
	case 0: from_mai(w, octets, false); break;
	case 1: from_mai(w, octets, true); break;
	case 2: from_content(w, octets, false, false); break;
	case 3: from_content(w, octets, true, false); break;
	case 4: from_content(w, octets, false, true); break;
	}
	arena_free(&w->a);
	return 0;
}
