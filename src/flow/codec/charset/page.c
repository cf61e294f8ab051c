/* page.c - code pages, read whole from iconv when the kit is told to: one table a page, and its way back. */
#include "flow/codec/charset/charset_private.h"

#include <iconv.h>
#include <stdlib.h>

#include "base/cur.h"
#include "base/mem.h"

enum { LEAD = 0xffff, HIGH = 128, FIRST_TRAIL = 0x40, PLANE = 0x10000 };

struct pair {
	uint16_t c;
	uint8_t octet;
};

struct page {
	bool known;
	uint16_t high[HIGH];        /* of octets from 128 on; 0: none, LEAD: a second octet follows */
	struct pair back[HIGH];     /* by character */
	size_t n_back;
	uint16_t *wide, *wide_back; /* [HIGH * 256] by both octets; [PLANE] by character; NULL: a page of one octet */
};

static const struct {
	unsigned number;
	const char *name;
	unsigned octets;
} rows[] = {
#define X(number, name, octets) { number, name, octets },
#include "flow/codec/charset/charset_page_table.h"
#undef X
};

static int by_character(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	return (x->c > y->c) - (x->c < y->c);
}

static void load_wide(struct page *p, iconv_t cd)
{
	p->wide = mem_zero(sizeof *p->wide * HIGH * 256);
	p->wide_back = mem_zero(sizeof *p->wide_back * PLANE);
	for (unsigned lead = HIGH + 1; lead < 0xff; lead++)
		for (unsigned trail = FIRST_TRAIL; p->high[lead - HIGH] == 0 && trail < 0xff; trail++) {
			uint8_t octets[2] = { (uint8_t)lead, (uint8_t)trail };
			const uint16_t c = kit_convert(cd, octets, 2);
			p->wide[(lead - HIGH) * 256 + trail] = c;
			if (c != 0 && p->wide_back[c] == 0)
				p->wide_back[c] = (uint16_t)(lead << 8 | trail);
		}
	for (unsigned lead = 0; lead < HIGH; lead++)
		for (unsigned trail = FIRST_TRAIL; p->high[lead] == 0 && trail < 0xff; trail++)
			if (p->wide[lead * 256 + trail] != 0)
				p->high[lead] = LEAD;
}

static void load(struct page *p, const char *name, unsigned octets)
{
	iconv_t cd = iconv_open("UTF-16BE", name);
	if (cd == (iconv_t)-1)
		return;
	p->known = true;
	for (unsigned i = 0; i < HIGH; i++) {
		uint8_t octet = (uint8_t)(HIGH + i);
		const uint16_t c = kit_convert(cd, &octet, 1);
		if (c < 0xa0) /* ASCII has one octet already, and C1 is no character */
			continue;
		p->high[i] = c;
		p->back[p->n_back++] = (struct pair){ c, octet };
	}
	qsort(p->back, p->n_back, sizeof *p->back, by_character);
	if (octets == 2)
		load_wide(p, cd);
	iconv_close(cd);
}

void charset_kit_load_pages(struct charset_kit *kit)
{
	CHECK(kit, CHARSET_KIT_MAGIC);
	if (kit->pages != NULL)
		return;
	kit->pages = mem_zero(sizeof *kit->pages * ARRAY_LEN(rows));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		load(&kit->pages[i], rows[i].name, rows[i].octets);
}

void kit_free_pages(struct charset_kit *kit)
{
	for (size_t i = 0; kit->pages != NULL && i < ARRAY_LEN(rows); i++) {
		MEM_FREE(kit->pages[i].wide);
		MEM_FREE(kit->pages[i].wide_back);
	}
	MEM_FREE(kit->pages);
}

/* NULL: not known here. */
static const struct page *page_of(const struct charset_kit *kit, unsigned number)
{
	if (kit == NULL)
		return NULL;
	CHECK(kit, CHARSET_KIT_MAGIC);
	for (size_t i = 0; kit->pages != NULL && i < ARRAY_LEN(rows); i++)
		if (rows[i].number == number)
			return kit->pages[i].known ? &kit->pages[i] : NULL;
	return NULL;
}

bool charset_page_known(const struct charset_kit *kit, unsigned page)
{
	return page == CHARSET_PAGE_UTF8 || page_of(kit, page) != NULL;
}

static bool is_text(uint32_t c)
{
	return (c >= 0x20 || c == '\t' || c == '\n' || c == '\r' || c == '\f') && (c < 0x7f || c >= 0xa0) && c != UINT32_MAX;
}

/* The next character of the page; UINT32_MAX: none. An octet that cannot be the second of its lead stands for itself. */
static uint32_t next_of_page(const struct page *p, struct cur *in)
{
	const uint8_t octet = cur_u8(in);
	if (octet < HIGH)
		return octet;
	const uint16_t c = p->high[octet - HIGH];
	if (c != LEAD)
		return c == 0 ? UINT32_MAX : c;
	const uint16_t pair = p->wide[(octet - HIGH) * 256u + cur_peek(in)];
	if (pair == 0)
		return UINT32_MAX;
	(void)cur_u8(in);
	return pair;
}

static uint32_t next_of_utf8(struct cur *in)
{
	struct view rest = cur_rest(in);
	const uint32_t c = charset_utf8_next(&rest);
	*in = cur_of(rest);
	return c;
}

size_t charset_page_to_utf8(const struct charset_kit *kit, unsigned page, struct view in, struct out *o)
{
	const struct page *p = page_of(kit, page);
	const bool utf8 = page == CHARSET_PAGE_UTF8 || (p == NULL && charset_is_utf8(in));
	struct cur c = cur_of(in);
	size_t replaced = 0;
	while (cur_left(&c) > 0 && !o->bad) {
		const uint32_t x = utf8 ? next_of_utf8(&c) : p != NULL ? next_of_page(p, &c) : cur_u8(&c);
		if (x == 0)
			continue;
		charset_utf8_put(o, is_text(x) ? x : '?');
		replaced += !is_text(x);
	}
	return replaced;
}

/* Characters that look like one that more pages have; T.61 has one octet for both letters with a stroke (E2). */
static const struct {
	uint16_t c, like;
} likes[] = {
	{ 0x00a0, ' ' }, { 0x00b5, 0x03bc }, { 0x00d0, 0x0110 }, { 0x0110, 0x00d0 }, { 0x03a9, 0x2126 }, { 0x03bc, 0x00b5 }, { 0x2010, '-' }, { 0x2011, '-' },
	{ 0x2012, '-' }, { 0x2013, '-' }, { 0x2014, '-' }, { 0x2018, '\'' }, { 0x2019, '\'' }, { 0x201c, '"' }, { 0x201d, '"' }, { 0x2126, 0x03a9 },
};

static uint16_t exact_octets_of(const struct page *p, uint32_t c)
{
	if (p == NULL || c >= PLANE)
		return 0;
	const struct pair want = { .c = (uint16_t)c };
	const struct pair *found = bsearch(&want, p->back, p->n_back, sizeof want, by_character);
	return found != NULL ? found->octet : p->wide_back == NULL ? 0 : p->wide_back[c];
}

/* 0: not in the page. Two octets when over 255. */
static uint16_t octets_of(const struct page *p, uint32_t c)
{
	const uint16_t octets = exact_octets_of(p, c);
	if (octets != 0)
		return octets;
	for (size_t i = 0; i < ARRAY_LEN(likes); i++)
		if (likes[i].c == c)
			return likes[i].like < HIGH ? likes[i].like : exact_octets_of(p, likes[i].like);
	return 0;
}

size_t charset_page_from_utf8(const struct charset_kit *kit, unsigned page, struct view utf8, struct out *o)
{
	const struct page *p = page_of(kit, page);
	size_t replaced = 0;
	while (utf8.n > 0 && !o->bad) {
		const uint32_t c = charset_utf8_next(&utf8);
		uint16_t octets;
		if (c == 0)
			continue;
		if (is_text(c) && (c < HIGH || page == CHARSET_PAGE_UTF8)) {
			charset_utf8_put(o, c);
		} else if (!is_text(c) || (octets = octets_of(p, c)) == 0) {
			out_u8(o, '?');
			replaced++;
		} else if (octets > 0xff) {
			out_u16(o, octets);
		} else {
			out_u8(o, (uint8_t)octets);
		}
	}
	return replaced;
}
