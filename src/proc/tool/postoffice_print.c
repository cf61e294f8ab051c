/* postoffice_print.c - what `posthorn postoffice` says, as text and as JSON; how it finds bags, users and messages. */
#include "proc/tool/postoffice.h"

#include "base/mem.h"
#include "base/text.h"

enum { TEXT_MAX = PO_FILE_MAX };

/* --- texts --- */
struct out *po_utf8(const struct po_tool *t, unsigned code_page, struct view octets, struct out *o)
{
	out_clear(o);
	charset_page_to_utf8(t->kit, code_page, octets, o);
	return o;
}

void po_json_string(const struct po_tool *t, unsigned code_page, struct view value)
{
	struct out o;
	out_init(&o, TEXT_MAX);
	const struct view v = out_view(po_utf8(t, code_page, value, &o));
	putchar('"');
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] == '"' || v.p[i] == '\\')
			printf("\\%c", v.p[i]);
		else if (v.p[i] < 0x20 || v.p[i] == 0x7f)
			printf("\\u%04x", v.p[i]);
		else
			putchar(v.p[i]);
	putchar('"');
	out_fini(&o);
}

void po_json_text(const struct po_tool *t, bool *first, const char *key, unsigned code_page, struct view value)
{
	printf("%s\"%s\":", *first ? "" : ",", key);
	po_json_string(t, code_page, value);
	*first = false;
}

void po_json_number(bool *first, const char *key, uint64_t value)
{
	printf("%s\"%s\":%llu", *first ? "" : ",", key, (unsigned long long)value);
	*first = false;
}

/* A terminal gets what is seen there and nothing else; an end of a line is CR, LF or both. */
static void print_clean(const struct po_tool *t, unsigned code_page, struct view value, bool lines)
{
	struct out o, ended, shown;
	out_init(&o, TEXT_MAX);
	out_init(&ended, TEXT_MAX);
	out_init(&shown, (size_t)4 * TEXT_MAX); /* each octet escaped */
	const struct view v = out_view(po_utf8(t, code_page, value, &o));
	for (size_t i = 0; i < v.n; i++)
		if (lines && v.p[i] == '\r') {
			out_u8(&ended, '\n');
			i += i + 1 < v.n && v.p[i + 1] == '\n';
		} else {
			out_u8(&ended, v.p[i]);
		}
	text_show(&shown, out_view(&ended), lines);
	fwrite(out_view(&shown).p, 1, out_len(&shown), stdout);
	out_fini(&o);
	out_fini(&ended);
	out_fini(&shown);
}

void po_print_text(const struct po_tool *t, unsigned code_page, struct view value)
{
	print_clean(t, code_page, value, true);
}

void po_print_line(const struct po_tool *t, unsigned code_page, struct view value)
{
	print_clean(t, code_page, value, false);
}

void po_print_date(const struct mm_date *d, char text_r[24])
{
	if (d->year == 0)
		snprintf(text_r, 24, "-");
	else
		snprintf(text_r, 24, "%04u-%02u-%02u %02u:%02u", d->year, (unsigned)d->month, (unsigned)d->day, (unsigned)d->hour, (unsigned)d->minute);
}

/* --- users and bags --- */
struct find_user {
	const char *mailbox;
	struct mm_user user;
	bool found;
};

static bool on_user(void *ctx, const struct mm_user *u)
{
	struct find_user *f = ctx;
	if (mm_same(u->mailbox, f->mailbox)) {
		f->user = *u;
		f->found = true;
	}
	return !f->found;
}

static bool find_user(struct po_tool *t, const char *mailbox, struct mm_user *u_r, bool *found_r, struct err *e)
{
	struct find_user f = { .mailbox = mailbox };
	if (!postoffice_each_user(t->po, on_user, &f, e))
		return false;
	*found_r = f.found;
	*u_r = f.user;
	return true;
}

bool po_tool_user(struct po_tool *t, const char *mailbox, struct mm_user *u_r, struct err *e)
{
	bool found;
	char shown[64];
	if (!find_user(t, mailbox, u_r, &found, e))
		return false;
	return found || err_set(e, ERR_PERM, ERR_OF_LINK, "there is no mailbox \"%s\"", text_escaped(shown, sizeof shown, view_str(mailbox)));
}

struct find_other {
	const struct mm_name *name;
	char bag[9];
};

static bool on_other(void *ctx, const struct postoffice_external *x)
{
	struct find_other *f = ctx;
	if (mm_same(x->name.network, f->name->network) && mm_same(x->name.postoffice, f->name->postoffice))
		memcpy(f->bag, x->mailbag, sizeof f->bag);
	return f->bag[0] == 0;
}

/* A network alone is a gateway's. */
static bool find_other(struct po_tool *t, const char *text, char bag_r[9], struct err *e)
{
	struct mm_name name = { 0 };
	struct find_other f = { .name = &name };
	if (strchr(text, '/') != NULL) {
		if (!mm_name_parse(view_str(text), &name, e))
			return false;
	} else if (strlen(text) <= MM_NAME_MAX) {
		snprintf(name.network, sizeof name.network, "%.10s", text);
	}
	if (!postoffice_each_external(t->po, on_other, &f, e))
		return false;
	memcpy(bag_r, f.bag, sizeof f.bag);
	return true;
}

bool po_tool_bag(struct po_tool *t, const char *text, char bag_r[9], struct err *e)
{
	static const char *const system[] = { "INQUEUE3", "INQUEUE", "SYSTEM" };
	struct mm_user u;
	struct mm_id id;
	bool found;
	char shown[64];
	for (size_t i = 0; i < ARRAY_LEN(system); i++)
		if (mm_same(text, system[i])) {
			memcpy(bag_r, system[i], strlen(system[i]) + 1);
			return true;
		}
	if (!find_user(t, text, &u, &found, e))
		return false;
	if (found) {
		memcpy(bag_r, u.mailbag, sizeof u.mailbag);
		return true;
	}
	if (!find_other(t, text, bag_r, e))
		return false;
	if (bag_r[0] == 0 && mm_id_parse(view_str(text), &id, NULL, NULL))
		memcpy(bag_r, id.s, sizeof id.s);
	return bag_r[0] != 0 || err_set(e, ERR_PERM, ERR_OF_LINK, "\"%s\" has no mailbag here: want a mailbox, NETWORK/POSTOFFICE, a gateway's network, or INQUEUE3",
					text_escaped(shown, sizeof shown, view_str(text)));
}

/* --- records and messages --- */
bool po_tool_entries(struct po_tool *t, const char *bag, struct po_entries *x_r, struct err *e)
{
	*x_r = (struct po_entries){ .entries = mem_zero(mem_mul(MM_BAG_RECORDS, sizeof *x_r->entries)) };
	if (postoffice_bag(t->po, bag, MM_BAG_RECORDS, x_r->entries, &x_r->n, &x_r->live, e))
		return true;
	po_tool_entries_free(x_r);
	return false;
}

void po_tool_entries_free(struct po_entries *x)
{
	MEM_FREE(x->entries);
}

bool po_tool_entry(struct po_tool *t, const char *bag, const char *slot, struct po_bag_entry *entry_r, struct err *e)
{
	struct po_entries x;
	uint64_t number;
	bool found = false;
	char shown[32];
	if (!text_uint(view_str(slot), MM_BAG_RECORDS - 1, &number))
		return err_set(e, ERR_PERM, ERR_OF_LINK, "\"%s\" is no slot, want 0..%d", text_escaped(shown, sizeof shown, view_str(slot)), MM_BAG_RECORDS - 1);
	if (!po_tool_entries(t, bag, &x, e))
		return false;
	for (unsigned i = 0; i < x.n; i++)
		if (x.entries[i].slot == number) {
			*entry_r = x.entries[i];
			found = true;
		}
	po_tool_entries_free(&x);
	return found || err_set(e, ERR_PERM, ERR_OF_LINK, "slot %llu of %s is free", (unsigned long long)number, bag);
}

bool po_tool_drop(struct po_tool *t, const char *bag, const struct po_bag_entry *x, struct err *e)
{
	struct po_lock *lock;
	if (!postoffice_lock(t->po, bag, &lock, e))
		return false;
	if (lock == NULL) { /* e says who has it */
		e->kind = ERR_TEMP;
		return false;
	}
	const bool ok = postoffice_bag_drop(t->po, bag, x->slot, &x->header.mai, false, e);
	postoffice_unlock(&lock);
	return ok;
}

bool po_tool_mai(struct po_tool *t, const struct mm_id *id, struct out *file, struct mai *m_r, struct err *e)
{
	const struct mai_limits limits = mai_limits_default();
	out_clear(file);
	return postoffice_read_mai(t->po, id, PO_FILE_MAX, file, e) && mai_parse(out_view(file), t->scramble, m_r, t->arena, &limits, e);
}

unsigned po_tool_page(const struct po_tool *t, const struct mai *m)
{
	return m->code_page != 0 ? m->code_page : t->code_page;
}
