/* mail_notice.c - notices of mail.h. */
#include "flow/wire/postoffice/mail.h"

#include "base/fault.h"
#include "flow/wire/postoffice/po_int.h"

enum { TEXT_MAX = 1024 * 1024, NOTICE_MAX = 4 * 1024 * 1024, TO_SHOWN_MAX = 1000 };

/* "NET/PO/POSTMASTER" and the like of other networks: what a postmaster's mail comes to is told to nobody. */
static bool is_postmaster(struct view text)
{
	size_t from = 0;
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '/')
			from = i + 1;
	return view_eq_nocase(view_from(text, from), VIEW(NOTICE_FROM));
}

static bool is_notice(const struct mm_header *h)
{
	return h != NULL && mm_same(h->from, NOTICE_FROM) && view_eq_nocase(view_str(h->subject), VIEW(NOTICE_SUBJECT));
}

bool mail_may_notice(const struct mm_envelope *v, const struct mm_header *h)
{
	return v->from.text.n > 0 && !is_postmaster(v->from.text) && !is_notice(h);
}

static size_t count_told(const struct mm_envelope *v)
{
	size_t n = 0;
	for (size_t i = 0; i < v->n; i++)
		n += v->recipients[i].notice != 0;
	return n;
}

/* All To addresses as the original shows them, with `; ` between, cut. */
static struct view to_shown(const struct mm_envelope *v, struct arena *a)
{
	struct out o;
	out_init(&o, TO_SHOWN_MAX + 400);
	for (size_t i = 0; i < v->n && out_len(&o) < TO_SHOWN_MAX; i++)
		if (!v->recipients[i].is_cc) {
			out_str(&o, out_len(&o) == 0 ? "" : "; ");
			out_bytes(&o, view_first(v->recipients[i].address.text, 200));
		}
	const struct view shown = arena_copy(a, out_view(&o));
	out_fini(&o);
	return shown;
}

static bool list_unreached(const struct mm_envelope *v, struct mm_notice *n, struct arena *a, struct err *e)
{
	const size_t told = count_told(v);
	n->unreached = arena_array(a, told, sizeof *n->unreached);
	n->codes = arena_array(a, told, sizeof *n->codes);
	if (n->unreached == NULL || n->codes == NULL)
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "notice: no memory for %zu names", told);
	for (size_t i = 0; i < v->n; i++) {
		const struct mm_recipient *r = &v->recipients[i];
		if (r->notice == 0)
			continue;
		n->unreached[n->n_unreached] = r->address.text;
		n->codes[n->n_unreached++] = r->notice;
		if (n->code == 0)
			n->code = r->notice;
	}
	return true;
}

/* The notice's text into *o; class and id of its subject from the original, where it can be read. */
static bool write_text(const struct postoffice *po, const struct mail_about *about, struct mai *original, struct out *o, struct arena *a, struct err *e)
{
	const struct mm_envelope *v = about->v;
	const struct mai_limits limits = mai_limits_default();
	struct mm_notice n = { .from = v->from.text, .date = v->date };
	if (about->mai.n == 0 || !mai_parse(about->mai, po->scramble, original, a, &limits, NULL))
		*original = (struct mai){ .date = v->date };
	n.subject = original->subject.n > 0 || about->h == NULL ? original->subject : view_str(about->h->subject);
	if (n.date.year == 0)
		n.date = original->date;
	n.original = view_first(original->text, TEXT_MAX);
	if (n.from.n == 0 && about->to != NULL)
		n.from = about->h != NULL ? view_str(about->h->from) : about->to->text;
	n.text = view_str(about->text);
	n.to = to_shown(v, a);
	if (about->with_hops) {
		n.hops = v->hops;
		n.n_hops = v->n_hops;
	}
	if (!list_unreached(v, &n, a, e))
		return false;
	notice_print(&n, o);
	return !o->bad || err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "notice about %s: longer than %d octets", v->mai.s, NOTICE_MAX);
}

static bool compose(struct postoffice *po, const struct mail_about *about, struct out *mai_r, struct mm_envelope *v_r, struct arena *a, struct err *e)
{
	const struct mm_name *own = &postoffice_master(po)->own;
	const wall_ms_t now = po_now(po);
	struct mai original, m = { .bags = 1, .hops = MM_HOPS_DEFAULT, .n_to = 1, .subject = VIEW(NOTICE_SUBJECT) };
	struct out text;
	char from[64];
	struct mm_address *to = arena_array(a, 1, sizeof *to);
	struct mm_recipient *r = arena_array(a, 1, sizeof *r);
	if (to == NULL || r == NULL)
		return err_set(e, ERR_TEMP, ERR_OF_MESSAGE, "notice: no memory");
	snprintf(from, sizeof from, "%s/%s/" NOTICE_FROM, own->network, own->postoffice);
	out_init(&text, NOTICE_MAX);
	bool good = write_text(po, about, &original, &text, a, e);
	*to = about->to == NULL ? about->v->from : *about->to;
	m.from = (struct mm_address){ .type = MM_ADDRESS_MS, .text = arena_copy(a, view_str(from)) };
	m.to = to;
	m.date = mm_date_of_wall(now, about->zone_minutes);
	m.text = out_view(&text);
	m.code_page = original.code_page;
	m.message_id = original.message_id;
	good = good && mai_print(&m, po->scramble, mai_r, e);
	out_fini(&text);
	*r = (struct mm_recipient){ .address = *to, .responsible = true, .reason = -1, .diagnostic = -1 };
	*v_r = (struct mm_envelope){ .state = MM_UNREADY, .from = m.from, .recipients = r, .n = 1, .date = m.date, .arrived = now,
				     .size = (uint32_t)out_len(mai_r) };
	return good;
}

/* Y's files are there: the record, and then the state that counts. */
static bool send_off(struct postoffice *po, struct mm_envelope *v, int zone_minutes, struct err *e)
{
	struct mm_header h;
	mail_header_of(v, VIEW(NOTICE_SUBJECT), zone_minutes, &h);
	if (!postoffice_deliver(po, "INQUEUE3", &h, e)) {
		if (e != NULL && e->kind == ERR_PERM)
			e->kind = ERR_TEMP; /* INQUEUE3 is full: nothing is lost, it waits */
		return false;
	}
	if (FAULT(MAIL_NOTICE))
		return err_set(e, ERR_TEMP, ERR_OF_LINK, "%s: the notice is not ready (fault point)", v->mai.s);
	v->state = MM_READY;
	return postoffice_write_envelope(po, v, e);
}

static bool go_on(struct postoffice *po, const struct mm_id *id, int zone_minutes, struct arena *a, struct err *e)
{
	struct mm_envelope v;
	enum mail_found found;
	if (!mail_look(po, id, a, &v, &found, e))
		return false;
	return found != MAIL_NOT_YET || send_off(po, &v, zone_minutes, e);
}

static bool put(struct postoffice *po, struct mail_journal *j, const struct mail_about *about, struct mm_id *id_r, struct arena *a, struct err *e)
{
	struct po_put *p;
	struct mm_envelope v;
	struct out mai;
	out_init(&mai, NOTICE_MAX + 65536);
	bool good = compose(po, about, &mai, &v, a, e) && postoffice_put_begin(po, &p, e);
	if (!good) {
		out_fini(&mai);
		return false;
	}
	good = po_put_mai(p, out_view(&mai), 1, e) && po_put_envelope(p, &v, e);
	out_fini(&mai);
	*id_r = v.mai = po_put_id(p);
	good = good && mail_journal_add(j, MAIL_NOTICED, &about->v->mai, id_r, e);
	po_put_end(&p, good || mail_journal_is_broken(j));
	return good && send_off(po, &v, about->zone_minutes, e);
}

bool mail_notice(struct postoffice *po, struct mail_journal *j, const struct mail_about *about, struct mm_id *id_r, struct arena *a, struct err *e)
{
	id_r->s[0] = 0;
	if (count_told(about->v) == 0 || (about->to == NULL ? !mail_may_notice(about->v, about->h) : about->to->text.n == 0 || is_notice(about->h)))
		return true;
	if (mail_journal_find(j, MAIL_NOTICED, &about->v->mai, id_r))
		return go_on(po, id_r, about->zone_minutes, a, e);
	return put(po, j, about, id_r, a, e);
}
