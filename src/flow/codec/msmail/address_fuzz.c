/* address_fuzz.c - the first octet says what the others are: an address of MS Mail, an O/R address, lines of the table, a text to escape.
 * What was mapped one way and back does not change any more. */
#include "flow/codec/msmail/address_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LINES_MAX = 64 };

static struct mm_map *some_map(void)
{
	static const char *const lines[] = {
		"A/B/C = G=Ann; S=Bee; P=Acme; A=MCI; C=US", "A/B/D = S=Dee; P=Acme; A=MCI; C=US", "NET/*/* = O=*; S=*; P=Wild; A=MCI; C=US",
		"*/PO/* = CN=*; OU1=*; O=Way; P=Wild; A=MCI; C=US", "MSM:M/N/O X400:o=Gate;ou1=*;s=Way",
	};
	static const struct mm_name own = {.network = "HUB", .postoffice = "PO1"};
	struct mm_map *m;
	if (!mm_map_new(lines, ARRAY_LEN(lines), "C=US; A=MCI; P=Acme", &own, &m, NULL))
		CANT_HAPPEN("they are good lines");
	return m;
}

static void stays(const struct mm_map *m, const struct oraddr *x, struct arena *a)
{
	struct mm_address one, two;
	struct oraddr again;
	if (!mm_from_oraddr(m, x, &one, a, NULL) || !mm_to_oraddr(m, &one, &again, a, NULL))
		return;
	assert(oraddr_check(&again, NULL));
	if (!mm_from_oraddr(m, &again, &two, a, NULL)) { /* too long by its escapes, or without C, so in our domain now, with a DDA:MS that is none */
		assert(one.type == MM_ADDRESS_X400 || arena_full(a));
		return;
	}
	struct oraddr last;
	if (!mm_to_oraddr(m, &two, &last, a, NULL))
		assert(arena_full(a));
	else if (one.type == two.type) /* else it had no C, and is in our domain now */
		assert(oraddr_eq(&again, &last));
	assert(one.type != MM_ADDRESS_MS || (two.type == MM_ADDRESS_MS && view_eq(one.text, two.text)));
	assert(one.type != MM_ADDRESS_TYPED || (two.type == MM_ADDRESS_TYPED && view_eq(one.text, two.text)));
}

static void ms(struct view in, unsigned type, struct arena *a)
{
	struct mm_map *m = some_map();
	struct mm_address from = {.type = type, .text = in};
	struct oraddr x;
	if (mm_to_oraddr(m, &from, &x, a, NULL)) {
		assert(oraddr_check(&x, NULL));
		stays(m, &x, a);
	}
	mm_map_free(&m);
}

static void x400(struct view in, struct arena *a)
{
	struct mm_map *m = some_map();
	struct oraddr x;
	if (oraddr_parse(in, &x, a, ORADDR_CARRY, NULL))
		stays(m, &x, a);
	mm_map_free(&m);
}

static void lines(struct view in, struct arena *a)
{
	const char *v[LINES_MAX];
	struct mm_map *m;
	size_t n = 0;
	for (size_t from = 0, i = 0; n < LINES_MAX && i <= in.n; i++)
		if (i == in.n || in.p[i] == '\n') {
			v[n] = arena_str(a, view_first(view_from(in, from), i - from));
			if (v[n++] == NULL)
				return;
			from = i + 1;
		}
	if (mm_map_new(v, n, "C=US; A=MCI; P=Acme", NULL, &m, NULL))
		mm_map_free(&m);
}

static void escapes(struct view in)
{
	struct out o, back;
	out_init(&o, 1 << 22);
	out_init(&back, 1 << 22);
	mm_escape_printable(in, &o);
	mm_unescape_printable(out_view(&o), &back);
	assert(o.bad || view_eq(out_view(&back), in));
	out_clear(&o);
	out_clear(&back);
	mm_escape_typed(in, &o);
	mm_unescape_typed(out_view(&o), &back);
	assert(o.bad || view_eq(out_view(&back), in));
	out_fini(&o);
	out_fini(&back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct view in = view_of(data + 1, size - 1);
	struct arena *a = arena_new(1 << 22);
	switch (data[0] % 8) {
	case 0: ms(in, MM_ADDRESS_MS, a); break;
	case 1: ms(in, MM_ADDRESS_X400, a); break;
	case 2: ms(in, MM_ADDRESS_TYPED, a); break;
	case 3: x400(in, a); break;
	case 4: lines(in, a); break;
	case 5: escapes(in); break;
	default: ms(in, data[0], a); break;
	}
	arena_free(&a);
	return 0;
}
