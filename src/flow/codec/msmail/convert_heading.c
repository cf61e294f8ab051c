/* convert_heading.c - who, when and what about, of an IPM, for MS Mail. */
#include "flow/codec/msmail/convert_private.h"

#include <stdio.h>

#include "base/mem.h"

enum { ADDRESS_MAX = 4096, SUBJECT_SHOWN = 1000, FRIENDLY_OCTETS = MM_FRIENDLY_MAX };

bool mmc_has(const struct ipm_heading *h, unsigned bit)
{
	return (h->seq.has & UINT64_C(1) << bit) != 0;
}

/* The extended one where there is one (Q156844): it has all of it. */
struct view mmc_subject(struct mmc *c, const struct ipm_heading *h)
{
	const struct view extended = ipm_heading_extension(h, IPM_X_EXTENDED_SUBJECT);
	struct view text = { NULL, 0 };
	if (extended.n > 0) {
		struct out o;
		out_init(&o, mem_add(mem_mul(extended.n, 3), 16));
		ipm_universal_text(extended, &o);
		text = mmc_keep(c, &o);
	}
	if (text.n == 0 && mmc_has(h, IPM_H_SUBJECT))
		text = mmc_string(c, CHARSET_T61, 0, h->subject);
	return mmc_one_line(c, text, SUBJECT_SHOWN);
}

struct view mmc_date_text(struct mmc *c, wall_ms_t at)
{
	const struct mm_date d = mm_date_of_wall(at, c->how->zone_minutes);
	return mmc_fmt(c, "%04u-%02u-%02u %02u:%02u", d.year, d.month, d.day, d.hour, d.minute);
}

/* At most so many octets of the code page, no character cut in two: characters go until it fits. */
static struct view fitting(struct mmc *c, struct view utf8, size_t max)
{
	utf8 = mmc_one_line(c, utf8, max);
	struct view octets = mmc_octets(c, utf8);
	while (octets.n > max) {
		do
			utf8.n--;
		while (utf8.n > 0 && (utf8.p[utf8.n] & 0xc0) == 0x80);
		octets = mmc_octets(c, utf8);
	}
	return octets;
}

struct mm_address mmc_address(struct mmc *c, const struct oraddr *addr, struct view free_form)
{
	struct mm_address x = { 0 };
	struct err why;
	if (!mm_from_oraddr(c->how->map, addr, &x, c->a, &why)) {
		struct out o;
		out_init(&o, ADDRESS_MAX);
		x = (struct mm_address){ .type = MM_ADDRESS_X400 };
		oraddr_print(addr, ORADDR_RFC2156, &o);
		x.text = mmc_keep(c, &o);
	}
	x.friendly = fitting(c, free_form, FRIENDLY_OCTETS);
	return x;
}

static struct view free_form(struct mmc *c, const struct ipm_or_descriptor *d)
{
	if (!(d->seq.has & 1u << IPM_DESCRIPTOR_FREE_FORM))
		return (struct view){ NULL, 0 };
	return mmc_one_line(c, mmc_string(c, CHARSET_T61, 0, d->free_form_name), SIZE_MAX);
}

struct mm_address mmc_descriptor(struct mmc *c, const struct ipm_or_descriptor *d)
{
	const struct view name = free_form(c, d);
	const struct oraddr addr = ipm_oraddr(d->formal_name, c->a);
	if (addr.n > 0)
		return mmc_address(c, &addr, name);
	const struct view shown = fitting(c, name, FRIENDLY_OCTETS); /* a name only: shown, and nobody can be answered by it */
	return (struct mm_address){ .type = MM_ADDRESS_X400, .text = shown, .friendly = shown };
}

struct view mmc_person(struct mmc *c, const struct ipm_or_descriptor *d)
{
	struct out o;
	const struct view name = free_form(c, d);
	const struct oraddr addr = ipm_oraddr(d->formal_name, c->a);
	struct mm_address ms;
	out_init(&o, ADDRESS_MAX);
	out_bytes(&o, name);
	if (addr.n > 0) {
		out_str(&o, name.n > 0 ? " (" : "");
		if (mm_from_oraddr(c->how->map, &addr, &ms, c->a, NULL) && ms.type == MM_ADDRESS_MS)
			out_bytes(&o, ms.text);
		else
			oraddr_print(&addr, ORADDR_F401, &o);
		out_str(&o, name.n > 0 ? ")" : "");
	}
	return mmc_keep(c, &o);
}
