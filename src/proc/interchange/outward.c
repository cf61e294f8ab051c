/* outward.c - transfers of the switch, one after the other: content to the converter, what it makes of it to the postoffice. */
#include "proc/interchange/interchange_int.h"

#include "base/fault.h"
#include "base/mem.h"
#include "flow/message/pack.h"

static void begin_report(struct interchange *x);

/* --- the queue of transfers --- */

static void transfer_free(struct transfer *t)
{
	free((void *)(uintptr_t)t->packed.p);
	out_fini(&t->got);
	free(t);
}

static struct transfer *find_transfer(struct interchange *x, uint64_t id)
{
	for (struct transfer *t = x->transfers; t != NULL; t = t->next)
		if (t->id == id)
			return t;
	return NULL;
}

bool outward_transfer(struct interchange *x, const struct msg_transfer *m, struct err *e)
{
	if (m->content.n > m->content_size || m->content_size > INT64_MAX)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "TRANSFER: %zu octets of %llu", m->content.n, (unsigned long long)m->content_size);
	struct transfer *t = mem_zero(sizeof *t), **at = &x->transfers;
	*t = (struct transfer){ .id = m->transfer, .assoc = m->assoc, .stored = m->stored, .size = m->content_size };
	t->packed = view_of(mem_dup(m->packed.p, m->packed.n), m->packed.n);
	out_init(&t->got, 2 * MSG_CREDIT);
	out_bytes(&t->got, m->content);
	t->asked = t->came = m->content.n;
	while (*at != NULL)
		at = &(*at)->next;
	*at = t;
	interchange_work(x);
	return true;
}

bool outward_has(const struct interchange *x, uint64_t assoc)
{
	for (const struct transfer *t = x->transfers; t != NULL; t = t->next)
		if (t->assoc == assoc)
			return true;
	return false;
}

bool outward_wants_converter(const struct interchange *x)
{
	return x->out.state == OUT_WAIT;
}

/* --- the one in hand --- */

/* named: a journal may have a line that names the files already, so they stay, unready. */
static void let_go(struct interchange *x)
{
	struct outward *o = &x->out;
	if (o->state == OUT_XLATE || o->state == OUT_RESULT_FILES)
		xlate_end(x->xlate);
	offer_drop(x, &o->offer);
	if (o->put != NULL)
		po_put_end(&o->put, o->state >= OUT_SYNC);
	if (x->is_ffapi)
		ffapi_export_drop(x);
	interchange_clear(&o->mai);
	interchange_clear(&o->packed);
	o->state = OUT_NONE;
	o->t = NULL;
	o->n_files = 0;
	arena_reset(o->a);
	interchange_note(x, "");
}

static void unlink_transfer(struct interchange *x, struct transfer *t)
{
	for (struct transfer **at = &x->transfers; *at != NULL; at = &(*at)->next)
		if (*at == t) {
			*at = t->next;
			break;
		}
	transfer_free(t);
}

void outward_drop(struct interchange *x, uint64_t assoc)
{
	for (struct transfer *t = x->transfers, *next; t != NULL; t = next) {
		next = t->next;
		if (assoc != 0 && t->assoc != assoc)
			continue;
		if (x->out.t == t)
			let_go(x);
		unlink_transfer(x, t);
	}
}

static void tell_failed(struct interchange *x, const struct err *e)
{
	struct out id;
	char stored[24];
	out_init(&id, 400);
	mts_id_print(&x->out.message.id, &id);
	snprintf(stored, sizeof stored, "%llu", (unsigned long long)x->out.t->stored);
	EMIT(&x->host, MSMAIL_FAILED, "link", x->link->name, "transfer", stored, "id", out_cstr(&id), "why", e->text);
	out_fini(&id);
}

void outward_done(struct interchange *x, const struct err *e)
{
	struct transfer *t = x->out.t;
	if (e != NULL)
		tell_failed(x, e);
	if (e != NULL && interchange_is_link_failure(e)) {
		interchange_degrade(x, e);
		return;
	}
	interchange_proven(x);
	let_go(x);
	interchange_result(x, t, e);
	unlink_transfer(x, t);
	interchange_work(x);
}

/* --- to the converter --- */

static void pull(struct interchange *x, struct transfer *t)
{
	const uint64_t held = out_len(&t->got) + t->asked - t->came;
	if (t->asked == t->size || held > MSG_CREDIT / 2)
		return;
	const uint64_t room = MSG_CREDIT - held, left = t->size - t->asked;
	const struct msg_count m = { t->id, room < left ? room : left };
	t->asked += m.n;
	put_msg_count(chan_begin(x->control, MSG_TRANSFER_PULL), &m);
	chan_end(x->control);
}

static void feed(void *ctx)
{
	struct interchange *x = ctx;
	struct transfer *t = x->out.t;
	if (x->out.state != OUT_XLATE)
		return;
	out_drop(&t->got, xlate_feed(x->xlate, out_view(&t->got)));
	pull(x, t);
}

bool outward_data(struct interchange *x, const struct msg_piece *m, struct err *e)
{
	struct transfer *t = find_transfer(x, m->id);
	struct err why;
	if (t == NULL)
		return true;
	if (m->octets.n > t->asked - t->came)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "TRANSFER_DATA: %zu octets that were not asked for", m->octets.n);
	t->came += m->octets.n;
	out_bytes(&t->got, m->octets);
	if (m->octets.n > 0) {
		if (t == x->out.t)
			feed(x);
		return true;
	}
	t->spoiled = true;
	if (t != x->out.t || x->out.state != OUT_XLATE)
		return true;
	err_set(&why, ERR_LOCAL, ERR_OF_MESSAGE, "the switch cannot read the content");
	outward_done(x, &why);
	return true;
}

/* --- from the converter --- */

static void begin_file(struct interchange *x)
{
	struct outward *o = &x->out;
	o->left = o->at_file < o->n_files ? o->files[o->at_file].size : 0;
}

static bool put_octets(struct interchange *x, struct view octets, struct err *e)
{
	return x->is_ffapi ? ffapi_export_octets(x, octets, e) : post_octets(x, octets, e);
}

/* Files of no octets, and the end. */
static bool next_files(struct interchange *x, struct err *e)
{
	struct outward *o = &x->out;
	while (o->at_file < o->n_files && o->left == 0) {
		if (o->files[o->at_file].size == 0 && !put_octets(x, (struct view){ NULL, 0 }, e))
			return false;
		o->at_file++;
		begin_file(x);
	}
	if (o->at_file < o->n_files)
		return true;
	xlate_end(x->xlate);
	o->state = OUT_PUT;
	interchange_work(x);
	return true;
}

static void on_data(void *ctx, struct view octets)
{
	struct interchange *x = ctx;
	struct outward *o = &x->out;
	struct err e;
	const size_t all = octets.n;
	bool ok = true;
	interchange_note(x, o->item);
	while (ok && octets.n > 0 && o->at_file < o->n_files) {
		const struct view now = view_first(octets, octets.n < o->left ? octets.n : (size_t)o->left);
		ok = put_octets(x, now, &e);
		o->left -= now.n;
		octets = view_from(octets, now.n);
		ok = ok && next_files(x, &e);
	}
	if (!ok)
		outward_done(x, &e);
	else if (o->state == OUT_RESULT_FILES)
		xlate_taken(x->xlate, all);
}

/* The converter's outcomes become those of the message's recipients. */
static void take_outcomes(struct interchange *x)
{
	struct outward *o = &x->out;
	for (size_t i = 0; i < o->v.n; i++) {
		struct mm_recipient *r = &o->v.recipients[i];
		if (r->notice == 0)
			continue;
		for (size_t k = 0; k < o->message.n_rcpt; k++) {
			struct recipient *to = &o->message.rcpt[k];
			if (to->number != r->number || !to->responsible)
				continue;
			to->outcome = OUTCOME_NOT_DELIVERED;
			to->reason = r->reason >= 0 ? r->reason : 1;
			to->diagnostic = r->diagnostic;
			to->supplementary = r->why;
		}
		r->responsible = false;
	}
}

static void on_xlated(void *ctx, const struct msg_xlated *m)
{
	struct interchange *x = ctx;
	struct outward *o = &x->out;
	struct err e = m->err;
	uint64_t sum;
	if (m->err.kind != ERR_NONE) {
		outward_done(x, &e);
		return;
	}
	o->state = OUT_RESULT_FILES;
	if (m->warned && !x->in.warned_code_page) {
		x->in.warned_code_page = true;
		EMIT(&x->host, MSMAIL_CODE_PAGE, "link", x->link->name, "item", x->item);
	}
	if (m->not_listed > 0) {
		char n[24];
		snprintf(n, sizeof n, "%llu", (unsigned long long)m->not_listed);
		EMIT(&x->host, MSMAIL_HEADER_CUT, "link", x->link->name, "item", o->item, "not-listed", n);
	}
	bool ok = mm_envelope_parse(arena_copy(o->a, m->envelope), &o->v, o->a, &e) &&
		  get_xlate_files(arena_copy(o->a, m->files), &o->files, &o->n_files, &sum, o->a, &e);
	if (ok && (arena_full(o->a) || o->n_files == 0))
		ok = err_set(&e, ERR_LOCAL, ERR_OF_MESSAGE, "the converter's answer has %zu files, or is too long", o->n_files);
	if (ok)
		take_outcomes(x);
	if (ok)
		ok = x->is_ffapi ? ffapi_export_begin(x, &e) : post_begin(x, &e);
	o->at_file = 0;
	begin_file(x);
	if (!ok)
		outward_done(x, &e);
	else if (o->state == OUT_RESULT_FILES && !next_files(x, &e)) /* else nobody is left: its reports are under way */
		outward_done(x, &e);
}

/* Charged to the message when it has killed the converter: the switch counts that as a strike. */
static void on_failed(void *ctx, const struct err *why, bool struck)
{
	struct interchange *x = ctx;
	struct err e = *why;
	e.kind = struck ? ERR_LOCAL : ERR_TEMP;
	e.culprit = struck ? ERR_OF_MESSAGE : ERR_OF_ASSOCIATION;
	outward_done(x, &e);
}

static const struct xlate_user xlate_user = { feed, on_xlated, on_data, on_failed };

static bool give_to_converter(struct interchange *x)
{
	struct outward *o = &x->out;
	struct transfer *t = o->t;
	struct out files;
	if (!xlate_is_free(x->xlate) || (!x->xlate_was_inbound && inward_wants_converter(x)))
		return false;
	x->xlate_was_inbound = false;
	struct err e;
	if (FAULT_ON(INTERCHANGE_XLATE, t->packed)) {
		err_set(&e, ERR_TEMP, ERR_OF_MESSAGE, "the converter does not take it (fault point)");
		outward_done(x, &e);
		return true;
	}
	out_init(&files, 100);
	put_xlate_file(&files, VIEW("content"), t->size);
	struct msg_xlate m = { .to_mai = 1, .item = view_str(o->item), .packed = t->packed, .files = out_view(&files), .now_ms = o->at, .own = view_str(x->own_text) };
	o->state = OUT_XLATE;
	xlate_begin(x->xlate, &m, t->size, &xlate_user, x);
	out_fini(&files);
	if (t->spoiled) {
		err_set(&e, ERR_LOCAL, ERR_OF_MESSAGE, "the switch cannot read the content");
		outward_done(x, &e);
		return true;
	}
	feed(x);
	return true;
}

/* --- one transfer from its beginning --- */

/* A report that says only that mail was delivered has no form in Microsoft Mail (Q149021, Q156728). */
static bool is_good_news(const struct message *m)
{
	for (size_t i = 0; i < m->n_rcpt; i++)
		if (m->rcpt[i].outcome != OUTCOME_DELIVERED)
			return false;
	return m->kind == MESSAGE_REPORT;
}

static void begin(struct interchange *x, struct transfer *t)
{
	struct outward *o = &x->out;
	struct err e;
	o->t = t;
	o->state = OUT_WAIT;
	o->v = (struct mm_envelope){ 0 };
	o->id = (struct mm_id){ 0 };
	o->at_bag = 0;
	o->via_queue = false;
	o->message = (struct message){ 0 };
	snprintf(o->item, sizeof o->item, "transfer %llu", (unsigned long long)t->stored);
	interchange_note(x, o->item);
	if (!unpack_message(t->packed, &o->message, o->a, &e)) {
		e.kind = ERR_LOCAL;
		e.culprit = ERR_OF_MESSAGE;
		outward_done(x, &e);
		return;
	}
	o->key = sent_key(&o->message);
	o->at = interchange_wall(x);
	const struct sent_entry *known = sent_find(x->sent, o->key);
	if (known != NULL) {
		if (!post_known(x, known, &e)) {
			if (!interchange_is_link_failure(&e)) { /* what became of it cannot be read now: that is no matter of the message */
				e.kind = ERR_TEMP;
				e.culprit = ERR_OF_ASSOCIATION;
				e.reason = e.diagnostic = -1;
			}
			outward_done(x, &e);
		} else if (o->state == OUT_REPORT)
			begin_report(x);
	} else if (is_good_news(&o->message)) {
		EMIT(&x->host, MSMAIL_REPORT_DROPPED, "link", x->link->name, "transfer", o->item);
		outward_done(x, NULL);
	} else if (o->message.kind == MESSAGE_PROBE) {
		begin_report(x);
	}
}

/* --- what its originator hears from the gateway --- */

static void on_report_answered(void *ctx, const struct msg_answer *m)
{
	struct interchange *x = ctx;
	struct err e = m->err;
	if (!m->accepted && m->err.kind != ERR_PERM) { /* all is done but this: the next attempt finds it in the journal */
		e.kind = ERR_TEMP;
		e.culprit = ERR_OF_ASSOCIATION;
		e.reason = e.diagnostic = -1;
		outward_done(x, &e);
		return;
	}
	if (!m->accepted)
		EMIT(&x->host, MSMAIL_NOTICE_FAILED, "link", x->link->name, "why", m->err.text);
	outward_done(x, NULL);
}

static void on_report_lost(void *ctx)
{
	(void)ctx; /* the association goes with the switch */
}

static const struct offer_user report_user = { NULL, on_report_answered, on_report_lost };

static void begin_report(struct interchange *x)
{
	struct outward *o = &x->out;
	struct err e = { 0 };
	o->state = OUT_REPORT;
	if (!notices_gateway_report(x, &e)) {
		if (e.kind != ERR_NONE)
			EMIT(&x->host, MSMAIL_NOTICE_FAILED, "link", x->link->name, "why", e.text);
		outward_done(x, NULL);
		return;
	}
	if (x->control == NULL || x->bulk == NULL) /* its end is under way, and takes this transfer with it */
		return;
	struct msg_offer m = { .packed = out_view(&o->packed), .peer = view_str(o->item) };
	offer_start(x, &o->offer, &m, 0, &report_user, x);
}

/* --- into the postoffice --- */

static void on_synced(void *ctx, const struct err *failed)
{
	struct interchange *x = ctx;
	struct outward *o = &x->out;
	x->syncs--;
	if (o->state != OUT_SYNC || (x->syncs > 0 && failed == NULL))
		return; /* it was given up meanwhile; or this one began before our line was there */
	if (failed != NULL) {
		struct err e = *failed;
		e.kind = ERR_TEMP;
		e.culprit = ERR_OF_LINK;
		outward_done(x, &e);
		return;
	}
	if (o->put != NULL)
		po_put_end(&o->put, true);
	o->state = x->is_ffapi && o->n_files > 0 ? OUT_READY : *o->id.s == 0 ? OUT_ANSWER : o->at_bag < o->v.n ? OUT_RECORDS : OUT_READY;
	interchange_work(x);
}

static void put_names(struct interchange *x, struct out *names)
{
	struct outward *o = &x->out;
	for (size_t i = 0; i < o->v.n; i++) {
		const struct mm_recipient *r = &o->v.recipients[i];
		if (r->number == 0)
			continue;
		out_fmt(names, "%u ", r->number);
		out_bytes(names, r->address.text);
		out_u8(names, '\n');
	}
}

/* Before anything names the files to others: what this transfer has become. */
static bool write_journal(struct interchange *x, struct err *e)
{
	struct outward *o = &x->out;
	struct message m = o->message;
	struct recipient *ours = arena_array(o->a, m.n_rcpt, sizeof *ours);
	struct out names;
	struct sent_entry t = { .key = o->key, .id = o->id, .at = o->at, .subject = sent_subject(view_str(o->header.subject)) };
	const struct mm_date *d = &o->v.date;
	size_t n = 0;
	for (size_t i = 0; ours != NULL && i < m.n_rcpt; i++)
		if (m.rcpt[i].responsible)
			ours[n++] = m.rcpt[i];
	if (ours == NULL)
		return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "the envelope is too long");
	m.rcpt = ours;
	m.n_rcpt = n;
	snprintf(t.date, sizeof t.date, "%04u%02u%02u%02u%02u%02u", d->year % 10000u, d->month % 100u, d->day % 100u, d->hour % 100u, d->minute % 100u,
		 d->second % 100u);
	out_init(&names, 1 << 24);
	put_names(x, &names);
	out_clear(&o->packed);
	pack_message(&o->packed, &m, 0, n);
	const bool ok = sent_add(x->sent, &t, out_view(&o->packed), out_view(&names), e);
	out_fini(&names);
	if (ok || sent_is_broken(x->sent)) /* else no line names the files, and they go again */
		o->state = OUT_SYNC;
	if (ok) {
		x->syncs++;
		sent_sync(x->sent, on_synced, x);
	} else if (sent_is_broken(x->sent)) { /* the message is not to blame: all is opened anew */
		e->kind = ERR_TEMP;
		e->culprit = ERR_OF_LINK;
	}
	return ok;
}

bool outward_step(struct interchange *x)
{
	struct outward *o = &x->out;
	struct err e;
	bool ok = true;
	if (o->state != OUT_NONE)
		interchange_note(x, o->item);
	switch (o->state) {
	case OUT_NONE:
		if (x->transfers == NULL || x->state != INTERCHANGE_ATTACHED)
			return false;
		begin(x, x->transfers);
		return true;
	case OUT_WAIT:
		return give_to_converter(x);
	case OUT_PUT:
		ok = (x->is_ffapi ? ffapi_export_done(x, &e) : post_put(x, &e)) && write_journal(x, &e);
		break;
	case OUT_RECORDS:
		ok = post_record(x, &e);
		if (ok && o->state == OUT_SYNC) /* a bag is full now: that is written down first */
			ok = write_journal(x, &e);
		else if (ok && o->at_bag == o->v.n)
			o->state = OUT_READY;
		break;
	case OUT_READY:
		ok = x->is_ffapi ? ffapi_export_ready(x, &e) : post_ready(x, &e);
		if (ok)
			o->state = OUT_ANSWER;
		break;
	case OUT_ANSWER:
		(void)FAULT(INTERCHANGE_RESULT);
		begin_report(x);
		return true;
	case OUT_XLATE:
	case OUT_RESULT_FILES:
	case OUT_SYNC:
	case OUT_REPORT:
		return false;
	}
	if (!ok)
		outward_done(x, &e);
	return true;
}

void outward_init(struct interchange *x)
{
	x->out.a = arena_new(ITEM_ARENA);
	out_init(&x->out.mai, (size_t)x->settings->limits.message + (64 << 20));
	out_init(&x->out.packed, MSG_ENVELOPE_MAX);
}

void outward_fini(struct interchange *x)
{
	out_fini(&x->out.mai);
	out_fini(&x->out.packed);
	arena_free(&x->out.a);
}
