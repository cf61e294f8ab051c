/* t61.c - T.61's supplementary set (ISO register 103) and its accents, with the additions of ISO 6937. */
#include "flow/codec/charset/charset_private.h"

/* 0xa0..0xff: the character, 0 where none stands or where an accent stands. */
static const uint16_t supplement[96] = {
	0x00a0, 0x00a1, 0x00a2, 0x00a3, 0x0024, 0x00a5, 0x0023, 0x00a7,
	0x00a4, 0x2018, 0x201c, 0x00ab, 0x2190, 0x2191, 0x2192, 0x2193,
	0x00b0, 0x00b1, 0x00b2, 0x00b3, 0x00d7, 0x00b5, 0x00b6, 0x00b7,
	0x00f7, 0x2019, 0x201d, 0x00bb, 0x00bc, 0x00bd, 0x00be, 0x00bf,
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	0x2015, 0x00b9, 0x00ae, 0x00a9, 0x2122, 0x266a, 0x00ac, 0x00a6,
	0, 0, 0, 0, 0x215b, 0x215c, 0x215d, 0x215e,
	0x2126, 0x00c6, 0x00d0, 0x00aa, 0x0126, 0, 0x0132, 0x013f,
	0x0141, 0x00d8, 0x0152, 0x00ba, 0x00de, 0x0166, 0x014a, 0x0149,
	0x0138, 0x00e6, 0x0111, 0x00f0, 0x0127, 0x0131, 0x0133, 0x0140,
	0x0142, 0x00f8, 0x0153, 0x00df, 0x00fe, 0x0167, 0x014b, 0x00ad,
};

/* One row an accent (0xc0 + index): its combining mark, then the letters it makes, base and result in pairs. The base
 * space gives the mark standing alone. Where two rows make the same letter, the first is written. */
static const struct {
	uint16_t mark;
	struct {
		uint8_t base;
		uint16_t c;
	} made[28];
} accents[16] = {
	[0x1] = { 0x0300, { { 'A', 0xc0 }, { 'E', 0xc8 }, { 'I', 0xcc }, { 'O', 0xd2 }, { 'U', 0xd9 }, { 'a', 0xe0 },
			    { 'e', 0xe8 }, { 'i', 0xec }, { 'o', 0xf2 }, { 'u', 0xf9 } } },
	[0x2] = { 0x0301, { { ' ', 0xb4 }, { 'A', 0xc1 }, { 'C', 0x106 }, { 'E', 0xc9 }, { 'I', 0xcd }, { 'L', 0x139 },
			    { 'N', 0x143 }, { 'O', 0xd3 }, { 'R', 0x154 }, { 'S', 0x15a }, { 'U', 0xda }, { 'Y', 0xdd },
			    { 'Z', 0x179 }, { 'a', 0xe1 }, { 'c', 0x107 }, { 'e', 0xe9 }, { 'g', 0x123 }, { 'i', 0xed },
			    { 'l', 0x13a }, { 'n', 0x144 }, { 'o', 0xf3 }, { 'r', 0x155 }, { 's', 0x15b }, { 'u', 0xfa },
			    { 'y', 0xfd }, { 'z', 0x17a } } },
	[0x3] = { 0x0302, { { 'A', 0xc2 }, { 'C', 0x108 }, { 'E', 0xca }, { 'G', 0x11c }, { 'H', 0x124 }, { 'I', 0xce },
			    { 'J', 0x134 }, { 'O', 0xd4 }, { 'S', 0x15c }, { 'U', 0xdb }, { 'W', 0x174 }, { 'Y', 0x176 },
			    { 'a', 0xe2 }, { 'c', 0x109 }, { 'e', 0xea }, { 'g', 0x11d }, { 'h', 0x125 }, { 'i', 0xee },
			    { 'j', 0x135 }, { 'o', 0xf4 }, { 's', 0x15d }, { 'u', 0xfb }, { 'w', 0x175 }, { 'y', 0x177 } } },
	[0x4] = { 0x0303, { { 'A', 0xc3 }, { 'I', 0x128 }, { 'N', 0xd1 }, { 'O', 0xd5 }, { 'U', 0x168 }, { 'a', 0xe3 },
			    { 'i', 0x129 }, { 'n', 0xf1 }, { 'o', 0xf5 }, { 'u', 0x169 } } },
	[0x5] = { 0x0304, { { ' ', 0xaf }, { 'A', 0x100 }, { 'E', 0x112 }, { 'I', 0x12a }, { 'O', 0x14c }, { 'U', 0x16a },
			    { 'a', 0x101 }, { 'e', 0x113 }, { 'i', 0x12b }, { 'o', 0x14d }, { 'u', 0x16b } } },
	[0x6] = { 0x0306, { { ' ', 0x2d8 }, { 'A', 0x102 }, { 'G', 0x11e }, { 'U', 0x16c }, { 'a', 0x103 }, { 'g', 0x11f },
			    { 'u', 0x16d } } },
	[0x7] = { 0x0307, { { ' ', 0x2d9 }, { 'C', 0x10a }, { 'E', 0x116 }, { 'G', 0x120 }, { 'I', 0x130 }, { 'Z', 0x17b },
			    { 'c', 0x10b }, { 'e', 0x117 }, { 'g', 0x121 }, { 'z', 0x17c } } },
	[0x8] = { 0x0308, { { ' ', 0xa8 }, { 'A', 0xc4 }, { 'E', 0xcb }, { 'I', 0xcf }, { 'O', 0xd6 }, { 'U', 0xdc },
			    { 'Y', 0x178 }, { 'a', 0xe4 }, { 'e', 0xeb }, { 'i', 0xef }, { 'o', 0xf6 }, { 'u', 0xfc },
			    { 'y', 0xff } } },
	/* T.61 of 1980: the umlaut apart from the diaeresis. Read, never written. */
	[0x9] = { 0x0308, { { 'A', 0xc4 }, { 'O', 0xd6 }, { 'U', 0xdc }, { 'a', 0xe4 }, { 'o', 0xf6 }, { 'u', 0xfc } } },
	[0xa] = { 0x030a, { { ' ', 0x2da }, { 'A', 0xc5 }, { 'U', 0x16e }, { 'a', 0xe5 }, { 'u', 0x16f } } },
	[0xb] = { 0x0327, { { ' ', 0xb8 }, { 'C', 0xc7 }, { 'G', 0x122 }, { 'K', 0x136 }, { 'L', 0x13b }, { 'N', 0x145 },
			    { 'R', 0x156 }, { 'S', 0x15e }, { 'T', 0x162 }, { 'c', 0xe7 }, { 'g', 0x123 }, { 'k', 0x137 },
			    { 'l', 0x13c }, { 'n', 0x146 }, { 'r', 0x157 }, { 's', 0x15f }, { 't', 0x163 } } },
	[0xc] = { 0x0332, { { 0, 0 } } },
	[0xd] = { 0x030b, { { ' ', 0x2dd }, { 'O', 0x150 }, { 'U', 0x170 }, { 'o', 0x151 }, { 'u', 0x171 } } },
	[0xe] = { 0x0328, { { ' ', 0x2db }, { 'A', 0x104 }, { 'E', 0x118 }, { 'I', 0x12e }, { 'U', 0x172 }, { 'a', 0x105 },
			    { 'e', 0x119 }, { 'i', 0x12f }, { 'u', 0x173 } } },
	[0xf] = { 0x030c, { { ' ', 0x2c7 }, { 'C', 0x10c }, { 'D', 0x10e }, { 'E', 0x11a }, { 'L', 0x13d }, { 'N', 0x147 },
			    { 'R', 0x158 }, { 'S', 0x160 }, { 'T', 0x164 }, { 'Z', 0x17d }, { 'c', 0x10d }, { 'd', 0x10f },
			    { 'e', 0x11b }, { 'l', 0x13e }, { 'n', 0x148 }, { 'r', 0x159 }, { 's', 0x161 }, { 't', 0x165 },
			    { 'z', 0x17e } } },
};

uint32_t t61_character(uint8_t octet)
{
	return octet < 0xa0 ? 0 : supplement[octet - 0xa0];
}

bool t61_is_accent(uint8_t octet)
{
	return octet > 0xc0 && octet <= 0xcf;
}

uint32_t t61_mark(uint8_t accent)
{
	return accents[accent & 0xf].mark;
}

uint32_t t61_compose(uint8_t accent, uint32_t base)
{
	for (size_t i = 0; i < ARRAY_LEN(accents[0].made); i++) {
		uint8_t b = accents[accent & 0xf].made[i].base;
		if (b != 0 && b == base)
			return accents[accent & 0xf].made[i].c;
	}
	return 0;
}

/* ISO 6937 put characters where T.61 has none: read, but not written to peers that may know T.61 only. */
static bool only_in_6937(uint8_t octet)
{
	return octet == 0xa0 || octet == 0xa9 || octet == 0xaa || (octet >= 0xac && octet <= 0xaf) || octet == 0xb9 ||
	       octet == 0xba || (octet >= 0xd0 && octet <= 0xdf) || octet == 0xff;
}

uint8_t t61_octet(uint32_t c)
{
	if (c == 0x110) /* D with stroke shares its place with eth */
		return 0xe2;
	for (size_t i = 0; c != 0 && i < ARRAY_LEN(supplement); i++)
		if (supplement[i] == c && !only_in_6937((uint8_t)(0xa0 + i)))
			return (uint8_t)(0xa0 + i);
	return 0;
}

bool t61_decompose(uint32_t c, uint8_t *accent_r, uint8_t *base_r)
{
	for (unsigned a = 1; c != 0 && a < ARRAY_LEN(accents); a++) {
		for (size_t i = 0; i < ARRAY_LEN(accents[a].made); i++) {
			if (accents[a].made[i].c != c || a == 0x9)
				continue;
			*accent_r = (uint8_t)(0xc0 + a);
			*base_r = accents[a].made[i].base;
			return true;
		}
	}
	return false;
}
