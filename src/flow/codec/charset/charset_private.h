/* charset_private.h - what the files of this folder share. */
#pragma once
#include "flow/codec/charset/charset.h"

enum { CHARSET_REPLACEMENT = 0xfffd };

/* --- t61.c: the supplementary set of T.61 (registration 103) with what ISO 6937 adds. `octet`: 0xa0..0xff --- */
uint32_t t61_character(uint8_t octet);     /* 0: no character stands there */
bool t61_is_accent(uint8_t octet);
uint32_t t61_mark(uint8_t accent);         /* the combining mark of Unicode */
uint32_t t61_compose(uint8_t accent, uint32_t base); /* 0: no such letter */
uint8_t t61_octet(uint32_t c);             /* 0: none */
bool t61_decompose(uint32_t c, uint8_t *accent_r, uint8_t *base_r);

/* --- kit.c --- */
enum kit_96 {
#define X96(registration, final, name) KIT_96_##registration,
#define X94N(registration, final, name)
#include "flow/codec/charset/charset_table.h"
#undef X96
#undef X94N
	KIT_96_COUNT
};
enum kit_94n {
#define X96(registration, final, name)
#define X94N(registration, final, name) KIT_94N_##registration,
#include "flow/codec/charset/charset_table.h"
#undef X96
#undef X94N
	KIT_94N_COUNT
};

struct page; /* page.c */
enum { KIT_96_END = 0x2200 }; /* beyond all characters of these sets */
struct charset_kit {
	unsigned magic;
#define CHARSET_KIT_MAGIC 0xc4a25e70u
	uint16_t set96[KIT_96_COUNT][96];        /* 0: no character stands there */
	uint8_t octet96[KIT_96_COUNT][KIT_96_END]; /* the way back: 0xa0..0xff, 0: not in that set */
	uint16_t set94n[KIT_94N_COUNT][94 * 94];
	struct page *pages;                      /* of charset_kit_load_pages; NULL: not loaded */
};

/* One character of n octets by an iconv_t to UTF-16BE; 0 when the set has none there. */
uint16_t kit_convert(void *cd, uint8_t *octets, size_t n);
void kit_free_pages(struct charset_kit *kit);

/* Index of a 96-character set by registration or by final octet; KIT_96_COUNT: none. */
unsigned kit_96_by_registration(unsigned registration);
unsigned kit_96_by_final(uint8_t final);
unsigned kit_94n_by_final(uint8_t final);
unsigned kit_94n_by_registration(unsigned registration);
unsigned kit_96_registration(unsigned index);
uint8_t kit_96_final(unsigned index);
/* 0xa0..0xff of c in that set; 0: not in it. */
uint8_t kit_96_octet(const struct charset_kit *kit, unsigned index, uint32_t c);
