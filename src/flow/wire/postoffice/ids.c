/* ids.c - see po_int.h: names of new files from the counters of CONTROL.GLB (facts A3, Q87388). */
#include "flow/wire/postoffice/po_int.h"

enum { TAKEN_MAX = 1 << 20 }; /* files in the way of a counter that was set back */

static bool read_control(struct postoffice *po, int fd, const char *rel, struct mm_control *c_r, struct err *e)
{
	uint8_t octets[MM_CONTROL_SIZE + 1];
	size_t got;
	if (!po_read_at(po, fd, rel, octets, sizeof octets, 0, &got, e))
		return false;
	if (got != MM_CONTROL_SIZE || !mm_control_parse(view_of(octets, MM_CONTROL_SIZE), c_r, e))
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: has %zu octets, want %d: no file of a message can be named", rel, got, MM_CONTROL_SIZE);
	return true;
}

/* Finds the first free id from *next on; *next goes behind it. */
static bool take(uint32_t *next, po_create_f *create, void *ctx, struct mm_id *id_r, struct err *e)
{
	for (unsigned i = 0; i < TAKEN_MAX; i++) {
		const uint32_t number = *next == 0 ? 1 : *next; /* 00000000 is the administrator's */
		const struct mm_id id = mm_id_of(number);
		bool taken = false;
		if (!create(ctx, &id, &taken, e))
			return false;
		*next = number + 1;
		if (!taken) {
			*id_r = id;
			return true;
		}
	}
	return err_set(e, ERR_LOCAL, ERR_OF_LINK, "GLB/CONTROL.GLB: the next %d names are taken: its counters are wrong", TAKEN_MAX);
}

bool po_new_id(struct postoffice *po, enum po_counter which, po_create_f *create, void *ctx, struct mm_id *id_r, struct err *e)
{
	const char *rel = "GLB/CONTROL.GLB";
	struct mm_control c;
	struct mm_id id;
	int fd;
	if (!po_open(po, rel, O_RDWR, &fd, e))
		return po_of_link(e);
	if (fd < 0)
		return err_set(e, ERR_LOCAL, ERR_OF_LINK, "%s: is missing: no file of a message can be named", rel);
	bool ok = po_hold(po, fd, rel, PO_EXCLUSIVE, e) && read_control(po, fd, rel, &c, e) &&
		  take(which == PO_NMAILBAG ? &c.nmailbag : &c.nletter, create, ctx, &id, e);
	if (ok) {
		uint8_t octets[MM_CONTROL_SIZE];
		mm_control_print(&c, octets);
		ok = po_write_at(po, fd, rel, octets, sizeof octets, 0, e);
		*id_r = id;
	}
	po_close(po, &fd);
	return ok;
}
