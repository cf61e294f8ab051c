/* kit.c - the sets that come from iconv, read whole when the kit is made: afterwards no file is opened and
 * nothing is converted by anyone else. */
#include "flow/codec/charset/charset_private.h"

#include <iconv.h>

#include "base/mem.h"

static const struct {
	unsigned registration;
	uint8_t final;
	const char *name;
} rows96[] = {
#define X96(registration, final, name) { registration, final, name },
#define X94N(registration, final, name)
#include "flow/codec/charset/charset_table.h"
#undef X96
#undef X94N
}, rows94n[] = {
#define X96(registration, final, name)
#define X94N(registration, final, name) { registration, final, name },
#include "flow/codec/charset/charset_table.h"
#undef X96
#undef X94N
};

uint16_t kit_convert(void *cd, uint8_t *octets, size_t n)
{
	uint8_t result[8];
	char *in = (char *)octets, *out = (char *)result;
	size_t left = n, room = sizeof result;
	(void)iconv(cd, NULL, NULL, NULL, NULL);
	if (iconv(cd, &in, &left, &out, &room) == (size_t)-1 || left != 0 || sizeof result - room != 2)
		return 0;
	return (uint16_t)(result[0] << 8 | result[1]);
}

static void load96(struct charset_kit *kit, unsigned set)
{
	iconv_t cd = iconv_open("UTF-16BE", rows96[set].name);
	if (cd == (iconv_t)-1)
		return;
	for (unsigned i = 0; i < 96; i++) {
		uint8_t octet = (uint8_t)(0xa0 + i);
		const uint16_t c = kit->set96[set][i] = kit_convert(cd, &octet, 1);
		if (c != 0 && c < KIT_96_END && kit->octet96[set][c] == 0)
			kit->octet96[set][c] = (uint8_t)(0xa0 + i);
	}
	iconv_close(cd);
}

static void load94n(struct charset_kit *kit, unsigned set)
{
	iconv_t cd = iconv_open("UTF-16BE", rows94n[set].name);
	if (cd == (iconv_t)-1)
		return;
	for (unsigned i = 0; i < 94 * 94; i++) {
		uint8_t octets[2] = { (uint8_t)(0xa1 + i / 94), (uint8_t)(0xa1 + i % 94) };
		kit->set94n[set][i] = kit_convert(cd, octets, 2);
	}
	iconv_close(cd);
}

struct charset_kit *charset_kit_new(void)
{
	struct charset_kit *kit = mem_zero(sizeof *kit);
	kit->magic = CHARSET_KIT_MAGIC;
	for (unsigned i = 0; i < KIT_96_COUNT; i++)
		load96(kit, i);
	for (unsigned i = 0; i < KIT_94N_COUNT; i++)
		load94n(kit, i);
	return kit;
}

void charset_kit_free(struct charset_kit **kit)
{
	if (*kit == NULL)
		return;
	CHECK(*kit, CHARSET_KIT_MAGIC);
	kit_free_pages(*kit);
	(*kit)->magic = 0;
	MEM_FREE(*kit);
}

unsigned kit_96_by_registration(unsigned registration)
{
	unsigned i = 0;
	while (i < KIT_96_COUNT && rows96[i].registration != registration)
		i++;
	return i;
}

unsigned kit_96_by_final(uint8_t final)
{
	unsigned i = 0;
	while (i < KIT_96_COUNT && rows96[i].final != final)
		i++;
	return i;
}

unsigned kit_94n_by_final(uint8_t final)
{
	unsigned i = 0;
	while (i < KIT_94N_COUNT && rows94n[i].final != final)
		i++;
	return i;
}

unsigned kit_94n_by_registration(unsigned registration)
{
	unsigned i = 0;
	while (i < KIT_94N_COUNT && rows94n[i].registration != registration)
		i++;
	return i;
}

unsigned kit_96_registration(unsigned index)
{
	assert(index < KIT_96_COUNT);
	return rows96[index].registration;
}

uint8_t kit_96_final(unsigned index)
{
	assert(index < KIT_96_COUNT);
	return rows96[index].final;
}

uint8_t kit_96_octet(const struct charset_kit *kit, unsigned index, uint32_t c)
{
	return c < KIT_96_END ? kit->octet96[index][c] : 0;
}
