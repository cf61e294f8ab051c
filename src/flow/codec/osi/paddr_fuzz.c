/* paddr_fuzz.c - any text: an error, or an address whose text is read as the same address; any octets: the text of a network address
 * says them. */
#include "flow/codec/osi/paddr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_selector(bool has_x, struct view x, bool has_y, struct view y)
{
	return (has_x == has_y && view_eq(x, y)) || (!has_x && has_y && y.n == 0);
}

static void check_text(const struct paddr *x)
{
	struct arena *a = arena_new(1 << 20);
	struct paddr y;
	struct err e;
	struct out o;
	out_init(&o, 1 << 20);
	paddr_print(x, &o);
	if (!paddr_parse(out_view(&o), &y, a, &e))
		check_failed(__FILE__, __LINE__, e.text);
	assert(same_selector(x->has_psel, x->psel, y.has_psel, y.psel) && same_selector(x->has_ssel, x->ssel, y.has_ssel, y.ssel) &&
	       same_selector(x->has_tsel, x->tsel, y.has_tsel, y.tsel));
	assert(x->n_nsap == y.n_nsap);
	for (size_t i = 0; i < x->n_nsap; i++)
		assert(view_eq(x->nsap[i], y.nsap[i]));
	out_fini(&o);
	arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(1 << 20);
	struct paddr p;
	struct err e;
	struct paddr_ip ip;
	if (paddr_parse(view_of(data, size), &p, a, &e))
		check_text(&p);
	else
		assert(e.kind == ERR_PERM && e.text[0] != '\0');
	if (size > 0 && size <= PADDR_NSAP_MAX) {
		struct view nsap = view_of(data, size);
		(void)!paddr_ip(nsap, &ip);
		check_text(&(struct paddr){ .nsap = &nsap, .n_nsap = 1 });
	}
	arena_free(&a);
	return 0;
}
