/* salvage_tree.c - see salvage_tree.h. */
#include "flow/store/salvage_tree.h"

#include "base/cur.h"
#include "base/mem.h"

enum page_type { INDEX_INNER = 2, TABLE_INNER = 5, INDEX_LEAF = 10, TABLE_LEAF = 13 };
enum {
	FILE_HEADER = 100, /* on page 1, before the page's own */
	FREE_TRUNK_AT = 32,
	FREE_COUNT_AT = 36,
	CELL_MIN = 4, /* as a page has room for; a damaged one may have less */
	CELL_LEAST = 2,
	CHAIN_OCTETS = PAGE_OCTETS - 4, /* of a page of a long row */
	AGAIN_MAX = 1024, /* pages of long rows that may be read twice, beside one for each page there is */
};

struct tree {
	const struct pages *pages;
	const struct tree_events *ev;
	void *ctx;
	uint8_t *seen; /* a bit for each page */
	uint64_t count, looked_at, again;
	uint32_t *stack;
	size_t n_stack, cap_stack;
	struct out payload;
	uint8_t page[PAGE_OCTETS], chain[PAGE_OCTETS];
	/* of the walk */
	const char *name;
	bool quiet;
};

/* What is in one page's header. */
struct head {
	enum page_type type;
	size_t at, cells, first; /* first: of the array of cells */
	uint32_t right;
};

static bool is_seen(const struct tree *t, uint64_t no)
{
	return (t->seen[no / 8] >> (no % 8) & 1) != 0;
}

/* True: for the first time. */
static bool see(struct tree *t, uint64_t no)
{
	if (no == 0 || no > t->count || is_seen(t, no))
		return false;
	t->seen[no / 8] |= (uint8_t)(1u << (no % 8));
	t->looked_at++;
	if (t->ev->page != NULL)
		t->ev->page(t->ctx, t->looked_at);
	return true;
}

struct tree *tree_new(const struct pages *p, const struct tree_events *ev, void *ctx)
{
	struct tree *t = mem_zero(sizeof *t);
	t->pages = p;
	t->ev = ev;
	t->ctx = ctx;
	t->count = pages_count(p);
	t->seen = mem_zero((size_t)(t->count / 8 + 1));
	t->again = t->count + AGAIN_MAX;
	out_init(&t->payload, SIZE_MAX / 2);
	return t;
}

void tree_free(struct tree **t)
{
	if (*t == NULL)
		return;
	free((*t)->seen);
	free((*t)->stack);
	out_fini(&(*t)->payload);
	MEM_FREE(*t);
}

static void bad(struct tree *t, uint64_t page, const char *why, const uint8_t *octets)
{
	if (!t->quiet)
		t->ev->bad(t->ctx, t->name, page, why, octets);
}

/* --- numbers of the format --- */
static uint64_t varint(struct cur *c)
{
	uint64_t x = 0;
	for (unsigned i = 0; i < 8; i++) {
		const uint8_t octet = cur_u8(c);
		x = x << 7 | (octet & 0x7f);
		if ((octet & 0x80) == 0)
			return x;
	}
	return x << 8 | cur_u8(c);
}

static uint32_t u32_at(const uint8_t *p, size_t at)
{
	struct cur c = cur_of(view_of(p + at, 4));
	return cur_u32(&c);
}

static size_t u16_at(const uint8_t *p, size_t at)
{
	struct cur c = cur_of(view_of(p + at, 2));
	return cur_u16(&c);
}

static bool is_type(uint8_t octet)
{
	return octet == INDEX_INNER || octet == TABLE_INNER || octet == INDEX_LEAF || octet == TABLE_LEAF;
}

static bool is_inner(enum page_type type)
{
	return type == INDEX_INNER || type == TABLE_INNER;
}

static bool is_table(enum page_type type)
{
	return type == TABLE_INNER || type == TABLE_LEAF;
}

static struct head head_of(const uint8_t *page, uint64_t no, enum page_type type)
{
	struct head h = {.type = type, .at = no == 1 ? FILE_HEADER : 0};
	h.first = h.at + (is_inner(type) ? 12 : 8);
	h.cells = u16_at(page, h.at + 3);
	const size_t most = (PAGE_OCTETS - h.first) / (CELL_MIN + 2);
	if (h.cells > most)
		h.cells = most;
	h.right = is_inner(type) ? u32_at(page, h.at + 8) : 0;
	return h;
}

/* --- a row's octets --- */
/* How many octets of a payload of n lie in the page. */
static size_t local_octets(enum page_type type, uint64_t n)
{
	const uint64_t most = is_table(type) ? PAGE_OCTETS - 35 : (PAGE_OCTETS - 12) * 64 / 255 - 23,
		       least = (PAGE_OCTETS - 12) * 32 / 255 - 23;
	if (n <= most)
		return (size_t)n;
	const uint64_t some = least + (n - least) % CHAIN_OCTETS;
	return (size_t)(some <= most ? some : least);
}

/* Pages of long rows may be claimed by two rows, of which one is wrong: both are read, but not without end. */
static bool take_chain_page(struct tree *t, uint64_t no)
{
	if (no == 0 || no > t->count)
		return false;
	if (!see(t, no)) {
		if (t->again == 0)
			return false;
		t->again--;
	}
	return pages_get(t->pages, no, t->chain);
}

/* Into t->payload, as much as can be read. */
static void collect(struct tree *t, struct view local, uint64_t n, uint32_t next)
{
	out_clear(&t->payload);
	out_bytes(&t->payload, local);
	while (out_len(&t->payload) < n && take_chain_page(t, next)) {
		const uint64_t left = n - out_len(&t->payload);
		out_bytes(&t->payload, view_of(t->chain + 4, left < CHAIN_OCTETS ? (size_t)left : (size_t)CHAIN_OCTETS));
		next = u32_at(t->chain, 0);
	}
}

/* --- a record --- */
static uint64_t value_octets(uint64_t serial)
{
	static const uint8_t fixed[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};
	return serial < ARRAY_LEN(fixed) ? fixed[serial] : serial < 12 ? 0 : (serial - 12) / 2;
}

static struct tree_value value_of(uint64_t serial, struct view octets, bool cut)
{
	struct tree_value v = {.cut = cut};
	if (serial >= 12) {
		v.type = serial % 2 == 0 ? TREE_BLOB : TREE_TEXT;
		v.v = octets;
	} else if (serial == 8 || serial == 9) {
		v.type = TREE_INT;
		v.i = (int64_t)serial - 8;
	} else if (serial >= 1 && serial <= 7) {
		v.type = serial == 7 ? TREE_REAL : TREE_INT;
		uint64_t x = octets.n > 0 && (octets.p[0] & 0x80) != 0 && serial != 7 ? UINT64_MAX : 0;
		for (size_t i = 0; i < octets.n; i++)
			x = x << 8 | octets.p[i];
		v.i = cut ? 0 : (int64_t)x;
	}
	return v;
}

/* payload: as much as was read of n octets. */
static void decode(struct tree_row *row, struct view payload, uint64_t n)
{
	struct cur c = cur_of(payload);
	const uint64_t header = varint(&c);
	if (c.bad || header > n || header > payload.n || header < 1) {
		row->strange = true;
		return;
	}
	struct cur types = cur_of(view_from(view_first(payload, (size_t)header), payload.n - cur_left(&c)));
	uint64_t at = header;
	while (cur_left(&types) > 0) {
		const uint64_t serial = varint(&types), octets = value_octets(serial);
		if (types.bad || serial == 10 || serial == 11 || octets > n - at) {
			row->strange = true;
			return;
		}
		const struct view v = view_first(at > payload.n ? (struct view){NULL, 0} : view_from(payload, (size_t)at),
						 (size_t)octets);
		if (row->n < TREE_COLUMNS_MAX)
			row->v[row->n] = value_of(serial, v, v.n < octets);
		row->n++;
		row->cut |= v.n < octets;
		at += octets;
	}
}

/* --- cells and pages --- */
static void push(struct tree *t, uint32_t page)
{
	if (t->n_stack == t->cap_stack) {
		t->cap_stack = t->cap_stack == 0 ? 1024 : mem_mul(t->cap_stack, 2);
		t->stack = mem_grow(t->stack, mem_mul(t->cap_stack, sizeof *t->stack));
	}
	t->stack[t->n_stack++] = page;
}

/* The payload of a cell, and its row if anybody wants it. False: it is no cell. */
static bool read_cell(struct tree *t, uint64_t no, enum page_type type, size_t at)
{
	struct cur c = cur_of(view_of(t->page + at, PAGE_OCTETS - at));
	struct tree_row row = {.page = no, .has_rowid = type == TABLE_LEAF};
	if (is_inner(type))
		(void)cur_u32(&c);
	const uint64_t n = varint(&c);
	if (row.has_rowid)
		row.rowid = (int64_t)varint(&c);
	if (c.bad || n > t->count * PAGE_OCTETS)
		return false;
	const size_t local = local_octets(type, n);
	const struct view here = cur_bytes(&c, local);
	const uint32_t next = local < n ? cur_u32(&c) : 0;
	if (c.bad)
		return false;
	collect(t, here, n, next);
	if (t->quiet)
		return true;
	decode(&row, out_view(&t->payload), n);
	t->ev->row(t->ctx, t->name, &row);
	return true;
}

/* Children go onto the stack, the first on top. */
static void read_inner(struct tree *t, const struct head *h)
{
	push(t, h->right);
	for (size_t i = h->cells; i-- > 0;) {
		const size_t cell = u16_at(t->page, h->first + 2 * i);
		if (cell >= h->first && cell <= PAGE_OCTETS - CELL_MIN)
			push(t, u32_at(t->page, cell));
	}
}

static void read_cells(struct tree *t, uint64_t no, const struct head *h)
{
	size_t bad_cells = 0;
	for (size_t i = 0; i < h->cells; i++) {
		const size_t cell = u16_at(t->page, h->first + 2 * i);
		if (cell < h->first + 2 * h->cells || cell > PAGE_OCTETS - CELL_LEAST || !read_cell(t, no, h->type, cell))
			bad_cells++;
	}
	if (bad_cells > 0)
		bad(t, no, "some of its rows cannot be read", t->page);
}

/* A page of this tree. In a tree a page with a first octet that no page has is taken for a leaf: leaves are nearly all. */
static void read_page(struct tree *t, uint64_t no, bool of_table)
{
	if (!pages_get(t->pages, no, t->page)) {
		bad(t, no, "the disk cannot read it", NULL);
		return;
	}
	const uint8_t octet = t->page[no == 1 ? FILE_HEADER : 0];
	enum page_type type = (enum page_type)octet;
	if (!is_type(octet) || is_table(type) != of_table) {
		type = of_table ? TABLE_LEAF : INDEX_LEAF;
		bad(t, no, "it does not say what it is", t->page);
	}
	const struct head h = head_of(t->page, no, type);
	if (is_inner(type))
		read_inner(t, &h);
	if (type != TABLE_INNER)
		read_cells(t, no, &h);
}

static bool root_is_table(struct tree *t, uint64_t root)
{
	if (!pages_get(t->pages, root, t->page))
		return false;
	const uint8_t octet = t->page[root == 1 ? FILE_HEADER : 0];
	return is_type(octet) ? is_table((enum page_type)octet) : root == 1;
}

void tree_walk(struct tree *t, const char *tree, uint64_t root, bool quiet)
{
	const bool of_table = root_is_table(t, root);
	t->name = tree;
	t->quiet = quiet;
	if (root == 0 || root > t->count)
		bad(t, root, "it is beyond the end of the file", NULL);
	else
		push(t, (uint32_t)root);
	while (t->n_stack > 0) {
		const uint32_t no = t->stack[--t->n_stack];
		if (see(t, no))
			read_page(t, no, of_table);
		else if (!quiet)
			bad(t, no, no == 0 || no > t->count ? "it is beyond the end of the file" : "it belongs to two", NULL);
	}
}

bool tree_walk_free(struct tree *t)
{
	if (!pages_get(t->pages, 1, t->page))
		return false;
	uint32_t trunk = u32_at(t->page, FREE_TRUNK_AT);
	uint64_t left = u32_at(t->page, FREE_COUNT_AT);
	while (trunk != 0) {
		if (left == 0 || !see(t, trunk) || !pages_get(t->pages, trunk, t->chain))
			return false;
		left--;
		const uint32_t leaves = u32_at(t->chain, 4);
		if (leaves > (PAGE_OCTETS - 8) / 4 || leaves > left)
			return false;
		for (size_t i = 0; i < leaves; i++)
			if (!see(t, u32_at(t->chain, 8 + 4 * i)))
				return false;
		left -= leaves;
		trunk = u32_at(t->chain, 0);
	}
	return left == 0;
}

void tree_walk_rest(struct tree *t)
{
	t->name = NULL;
	t->quiet = false;
	for (uint64_t no = 1; no <= t->count; no++) {
		if (is_seen(t, no) || !pages_get(t->pages, no, t->page))
			continue;
		const uint8_t octet = t->page[no == 1 ? FILE_HEADER : 0];
		if (!is_type(octet) || octet == TABLE_INNER)
			continue;
		(void)!see(t, no);
		const struct head h = head_of(t->page, no, (enum page_type)octet);
		read_cells(t, no, &h);
	}
}
