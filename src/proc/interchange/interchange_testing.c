/* interchange_testing.c - see interchange_testing.h. */
#include "proc/interchange/interchange_testing.h"

#include <dirent.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/mem.h"
#include "flow/message/pack.h"

#define SETTINGS                                                                                                                \
	"mta:\n  name: test\n  domain: \"C=GB; A=POSTHORN; P=TEST\"\nstore:\n  directory: /nowhere\n"                            \
	"limits:\n  message: 4 M\n  strikes: 3\nlinks:\n  - name: ms\n    kind: msmail\n    msmail:\n%s%s"

static void settle_postoffice(struct world *w);

/* --- the switch --- */

static bool hear_up(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_assoc m;
	if (!get_msg_assoc(arena_copy(w->a, payload), &m, e))
		return false;
	if ((m.assoc & MSG_INBOUND_BIT) != 0) {
		w->inbound_ups++;
		return true;
	}
	w->up = m;
	w->ups++;
	return true;
}

static bool hear_down(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_assoc m;
	if (!get_msg_assoc(arena_copy(w->a, payload), &m, e))
		return false;
	if ((m.assoc & MSG_INBOUND_BIT) != 0)
		return true;
	w->down = m;
	w->downs++;
	return true;
}

static bool hear_result(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	assert_true(w->n_results < HEARD);
	return get_msg_result(arena_copy(w->a, payload), &w->results[w->n_results++], e);
}

static bool hear_alive(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_count m;
	w->alives++;
	return get_msg_count(payload, &m, e);
}

static bool hear_examined(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	w->n_examined++;
	return get_msg_examined(arena_copy(w->a, payload), &w->examined, e);
}

static bool holds(struct view v, const char *text)
{
	return text != NULL && memmem(v.p, v.n, text, strlen(text)) != NULL;
}

static bool is_refused(struct world *w, const struct message *m)
{
	for (size_t i = 0; i < m->n_rcpt; i++)
		if (holds(view_str(oraddr_text(&m->rcpt[i].addr, w->a)), w->refuse))
			return true;
	return false;
}

static void answer(struct world *w, struct heard_offer *o)
{
	struct msg_answer a = { .id = o->m.offer, .accepted = true, .err = { .reason = -1, .diagnostic = -1 } };
	o->whole = true;
	if (w->hold_answers)
		return;
	if (w->refuse_temporarily) {
		a.accepted = false;
		err_set(&a.err, ERR_TEMP, ERR_OF_PROCESS, "not now");
	} else if (!o->m.octets && is_refused(w, &o->message)) {
		a.accepted = false;
		err_report(&a.err, ERR_PERM, ERR_OF_MESSAGE, 1, 11, "an address makes no sense");
	}
	put_msg_answer(chan_begin(w->control, MSG_OFFER_ANSWER), &a);
	chan_end(w->control);
}

static struct heard_offer *new_offer(struct world *w, struct view payload, struct err *e)
{
	assert_true(w->n_offers < HEARD);
	struct heard_offer *o = &w->offers[w->n_offers++];
	*o = (struct heard_offer){ 0 };
	assert_true(get_msg_offer(arena_copy(w->a, payload), &o->m, e));
	assert_true(view_eq(o->m.link, VIEW("ms")));
	if (!o->m.octets && !unpack_message(o->m.packed, &o->message, w->a, e))
		fail_msg("%s", e->text);
	return o;
}

static bool hear_offer(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct heard_offer *o = new_offer(w, payload, e);
	o->content = o->m.content;
	answer(w, o);
	return true;
}

static bool hear_begin(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	out_clear(&w->streamed);
	(void)new_offer(w, payload, e);
	return true;
}

static bool hear_data(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_piece m;
	if (!get_msg_piece(payload, &m, e))
		return false;
	out_bytes(&w->streamed, m.octets);
	const struct msg_count credit = { m.id, m.octets.n };
	if (!w->hold_credit) {
		put_msg_count(chan_begin(w->control, MSG_OFFER_CREDIT), &credit);
		chan_end(w->control);
	}
	return true;
}

static bool hear_end(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	struct heard_offer *o = &w->offers[w->n_offers - 1];
	assert_int_equal(m.n, out_len(&w->streamed));
	assert_int_equal(m.id, o->m.offer);
	o->content = arena_copy(w->a, out_view(&w->streamed));
	answer(w, o);
	return true;
}

static bool hear_cancel(void *ctx, struct view payload, struct err *e)
{
	struct msg_count m;
	(void)ctx;
	return get_msg_count(payload, &m, e);
}

static bool hear_pull(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_count m;
	if (!get_msg_count(payload, &m, e))
		return false;
	assert_true(m.n <= MSG_CREDIT);
	if (m.id != w->pulled_of) {
		w->pulled_of = m.id;
		w->pulled_at = 0;
	}
	while (m.n > 0) {
		const struct msg_piece piece = { m.id, view_first(view_from(w->content, w->pulled_at), m.n < MSG_PIECE_MAX ? m.n : MSG_PIECE_MAX) };
		assert_true(piece.octets.n > 0);
		put_msg_piece(chan_begin(w->bulk, MSG_TRANSFER_DATA), &piece);
		chan_end(w->bulk);
		m.n -= piece.octets.n;
		w->pulled_at += piece.octets.n;
	}
	return true;
}

static void hear_closed(void *ctx, const struct err *why)
{
	struct world *w = ctx;
	(void)why;
	w->closed++;
}

#define TYPE(m, handler) { .type = MSG_##m, .name = #m, .handle = handler, .max = MSG_MAX_##m }
static const struct chan_type control_types[] = {
	TYPE(OFFER, hear_offer), TYPE(ASSOC_UP, hear_up), TYPE(ASSOC_DOWN, hear_down), TYPE(TRANSFER_PULL, hear_pull), TYPE(TRANSFER_RESULT, hear_result),
	TYPE(EXAMINED, hear_examined), TYPE(ALIVE, hear_alive),
};
static const struct chan_type bulk_types[] = {
	TYPE(OFFER_BEGIN, hear_begin), TYPE(OFFER_DATA, hear_data), TYPE(OFFER_END, hear_end), TYPE(OFFER_CANCEL, hear_cancel),
};
static const struct chan_events control_events = { control_types, ARRAY_LEN(control_types), NULL, NULL, hear_closed, NULL };
static const struct chan_events bulk_events = { bulk_types, ARRAY_LEN(bulk_types), NULL, NULL, hear_closed, NULL };

void switch_joins(struct world *w)
{
	struct stream *ours, *theirs;
	fake_env_pair(w->env, &ours, &theirs);
	w->control = chan_new(&ours, &control_events, w, PROCESS_SWITCH, 0);
	interchange_adopt_switch(w->x, false, theirs);
	fake_env_pair(w->env, &ours, &theirs);
	w->bulk = chan_new(&ours, &bulk_events, w, PROCESS_SWITCH, 0);
	interchange_adopt_switch(w->x, true, theirs);
	world_settle(w);
}

void say_open(struct world *w, uint64_t id)
{
	const struct msg_assoc m = { .assoc = id, .link = VIEW("ms"), .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_assoc(chan_begin(w->control, MSG_ASSOC_OPEN), &m);
	chan_end(w->control);
	world_settle(w);
}

static void say_count(struct world *w, enum msg kind, uint64_t id)
{
	const struct msg_count m = { id, 0 };
	put_msg_count(chan_begin(w->control, (uint16_t)kind), &m);
	chan_end(w->control);
	world_settle(w);
}

void say_close(struct world *w, uint64_t id) { say_count(w, MSG_ASSOC_CLOSE, id); }
void say_alive(struct world *w, uint64_t n) { say_count(w, MSG_ALIVE, n); }

void say_busy(struct world *w, bool busy)
{
	struct msg_busy m = { .busy = busy, .err = { .reason = -1, .diagnostic = -1 } };
	put_msg_busy(chan_begin(w->control, MSG_BUSY), &m);
	chan_end(w->control);
	world_settle(w);
}

void say_examine(struct world *w, uint64_t id, struct view octets)
{
	const struct msg_examine m = { .examine = id, .link = VIEW("ms"), .size = octets.n,
				       .content = octets.n <= MSG_INLINE_MAX ? octets : (struct view){ NULL, 0 } };
	w->content = octets;
	put_msg_examine(chan_begin(w->control, MSG_EXAMINE), &m);
	chan_end(w->control);
	world_settle(w);
}

struct message *letter(struct world *w, enum message_kind kind, const char *local, const char *to)
{
	struct message *m = arena_get(w->a, sizeof *m);
	struct err e;
	char text[200];
	*m = (struct message){ .kind = kind, .content_type = 22, .priority = PRIORITY_NORMAL, .content_length = -1 };
	snprintf(text, sizeof text, "C=GB;A=X;P=Y;L=%s", local);
	assert_true(mts_id_parse(arena_copy(w->a, view_str(text)), &m->id, w->a, &e));
	if (kind == MESSAGE_REPORT)
		m->subject_id = m->id;
	assert_true(oraddr_parse(VIEW("C=GB; A=X; P=Y; S=sender"), &m->originator, w->a, ORADDR_GENERATE, &e));
	m->trace.v = arena_array(w->a, 1, sizeof *m->trace.v);
	m->trace.n = 1;
	m->trace.v[0] = (struct trace_element){ .domain = m->id.domain, .arrival = FAKE_WALL_MS - 1000 };
	size_t names = 20; /* the converter adds its own */
	for (const char *c = to; *c != 0; c++)
		names += *c == ' ';
	m->rcpt = arena_array(w->a, names, sizeof *m->rcpt);
	for (char *name = arena_str(w->a, view_str(to)), *save = NULL; (name = strtok_r(name, " ", &save)) != NULL; name = NULL) {
		struct recipient *r = &m->rcpt[m->n_rcpt++];
		*r = (struct recipient){ .number = (uint32_t)m->n_rcpt, .responsible = true, .mta_report = REPORT_NON_DELIVERY, .originator_report = REPORT_NON_DELIVERY,
					 .reason = -1, .diagnostic = -1, .type_of_user = UINT32_MAX };
		snprintf(text, sizeof text, "C=GB; A=POSTHORN; P=TEST; DDA:MS=%s", name);
		for (char *c = text; *c != 0; c++)
			*c = *c == '/' ? '.' : *c;
		assert_true(oraddr_parse(view_str(arena_str(w->a, view_str(text))), &r->addr, w->a, ORADDR_GENERATE, &e));
	}
	return m;
}

void say_transfer(struct world *w, uint64_t transfer, uint64_t assoc, const struct message *m, struct view content)
{
	struct out packed;
	out_init(&packed, 1 << 20);
	pack_message(&packed, m, 0, m->n_rcpt);
	const struct msg_transfer t = { .transfer = transfer, .assoc = assoc, .packed = out_view(&packed), .content_size = content.n,
					.content = content.n <= MSG_INLINE_MAX ? content : (struct view){ NULL, 0 }, .stored = transfer + 100 };
	w->content = content;
	put_msg_transfer(chan_begin(w->control, MSG_TRANSFER), &t);
	chan_end(w->control);
	out_fini(&packed);
	world_settle(w);
}

/* --- the converter: towards MS Mail the content becomes the text, `TEST.NEAR.BOB` the name; back the MAI file is the content --- */

static bool dda_name(struct world *w, const struct oraddr *addr, struct mm_address *to_r)
{
	const struct oraddr_attr *dda = oraddr_find(addr, ORA_DDA);
	if (dda == NULL)
		return false;
	char *text = arena_str(w->a, dda->value);
	for (char *c = text; *c != 0; c++)
		*c = *c == '.' ? '/' : *c;
	*to_r = (struct mm_address){ .type = MM_ADDRESS_MS, .text = view_str(text) };
	return true;
}

static void answer_xlate(struct world *w, const struct msg_xlated *m)
{
	put_msg_xlated(chan_begin(w->xbulk, MSG_XLATED), m);
	chan_end(w->xbulk);
	for (struct view left = m->err.kind != ERR_NONE ? (struct view){ NULL, 0 } : out_view(&w->result); left.n > 0;) {
		const struct msg_piece piece = { m->id, view_first(left, 1000) };
		put_msg_piece(chan_begin(w->xbulk, MSG_XLATE_DATA), &piece);
		chan_end(w->xbulk);
		left = view_from(left, piece.octets.n);
	}
}

static void to_mai(struct world *w, struct out *envelope, struct out *files)
{
	struct message m;
	struct err e;
	struct mm_envelope v = { .from = { .type = MM_ADDRESS_X400, .text = VIEW("/c=gb/a=x/p=y/s=sender") }, .date = { 2026, 1, 1, 12, 30, 0 }, .priority = '3' };
	assert_true(unpack_message(w->xlate.packed, &m, w->a, &e));
	v.recipients = arena_array(w->a, m.n_rcpt, sizeof *v.recipients);
	for (size_t i = 0; i < m.n_rcpt; i++) {
		struct mm_recipient *r = &v.recipients[v.n++];
		*r = (struct mm_recipient){ .number = m.rcpt[i].number, .responsible = m.rcpt[i].responsible, .reason = -1, .diagnostic = -1 };
		assert_true(dda_name(w, &m.rcpt[i].addr, &r->address));
	}
	struct mm_address *to = arena_array(w->a, v.n, sizeof *to);
	for (size_t i = 0; i < v.n; i++)
		to[i] = v.recipients[i].address;
	const struct mai mai = { .bags = 1, .hops = 10, .from = v.from, .to = to, .n_to = v.n, .date = v.date,
				 .priority = '3', .subject = VIEW("A subject"), .text = out_view(&w->fed) };
	assert_true(mai_print(&mai, &mm_scramble_none, &w->result, &e));
	assert_true(mm_envelope_print(&v, envelope, &e));
	put_xlate_file(files, VIEW("MAI"), out_len(&w->result));
	if (w->huge > 0)
		put_xlate_file(files, VIEW("HUGE.DAT"), w->huge);
}

static struct message *message_of(struct world *w, const struct mm_envelope *v)
{
	char local[64];
	snprintf(local, sizeof local, "%.*s", (int)w->xlate.local_id.n, (const char *)w->xlate.local_id.p);
	struct message *m = letter(w, MESSAGE_MESSAGE, local, "");
	m->trace.v[0].arrival = w->xlate.now_ms;
	for (size_t i = 0; i < v->n; i++) {
		struct recipient *r = &m->rcpt[m->n_rcpt++];
		struct err e;
		char text[200];
		*r = (struct recipient){ .number = v->recipients[i].number,
					 .responsible = v->recipients[i].responsible && v->recipients[i].notice == 0, .mta_report = 1, .reason = -1,
					 .diagnostic = -1, .type_of_user = UINT32_MAX };
		snprintf(text, sizeof text, "C=GB; A=X; P=Y; DDA:MS=%.*s", (int)v->recipients[i].address.text.n, (const char *)v->recipients[i].address.text.p);
		for (char *c = text; *c != 0; c++)
			*c = *c == '/' ? '.' : *c;
		assert_true(oraddr_parse(view_str(arena_str(w->a, view_str(text))), &r->addr, w->a, ORADDR_GENERATE, &e));
	}
	return m;
}

static void put_notice(struct world *w, struct out *o)
{
	const struct mm_notice *n = w->notice;
	char code[12];
	snprintf(code, sizeof code, "%d", n->code);
	put_string(o, view_str(code));
	put_string(o, n->from);
	put_string(o, n->to);
	put_string(o, n->subject);
	put_string(o, w->notice_date);
	for (size_t i = 0; i < n->n_unreached; i++) {
		put_string(o, n->unreached[i]);
		put_string(o, view_str(code));
	}
}

static void to_ipm(struct world *w, struct out *packed, struct out *envelope, struct out *files)
{
	struct mm_envelope v;
	struct err e;
	if (!mm_envelope_parse(w->xlate.envelope, &v, w->a, &e))
		fail_msg("%s", e.text);
	for (size_t i = 0; i < v.n; i++)
		if (holds(v.recipients[i].address.text, w->unmapped)) {
			v.recipients[i].notice = 2;
			v.recipients[i].reason = 1;
			v.recipients[i].diagnostic = 0;
			v.recipients[i].why = VIEW("it has no form in X.400");
		}
	const struct message *m = message_of(w, &v);
	pack_message(packed, m, 0, m->n_rcpt);
	assert_true(mm_envelope_print(&v, envelope, &e));
	out_bytes(&w->result, out_view(&w->fed));
	put_xlate_file(files, VIEW("content"), out_len(&w->result));
}

static void convert(struct world *w)
{
	struct msg_xlated done = { .id = w->xlate.id, .err = { .reason = -1, .diagnostic = -1 } };
	struct out packed, envelope, files, notice;
	w->n_xlates++;
	out_clear(&w->result);
	if (holds(out_view(&w->fed), w->poison)) {
		chan_free(&w->xcontrol, false);
		chan_free(&w->xbulk, false);
		interchange_peer_died(w->x, PROCESS_CONVERTER, true, "signal 11 (SIGSEGV)", "it was at something");
		return;
	}
	out_init(&packed, 1 << 20);
	out_init(&envelope, 1 << 20);
	out_init(&files, 1 << 20);
	out_init(&notice, 1 << 20);
	if (holds(out_view(&w->fed), w->cannot))
		err_report(&done.err, ERR_PERM, ERR_OF_MESSAGE, 1, 12, "[029] it cannot be parsed");
	else if (w->xlate.to_mai == 1)
		to_mai(w, &envelope, &files);
	else
		to_ipm(w, &packed, &envelope, &files);
	if (w->notice != NULL && w->xlate.to_mai != 1)
		put_notice(w, &notice);
	done.packed = out_view(&packed);
	done.envelope = out_view(&envelope);
	done.files = out_view(&files);
	done.notice = out_view(&notice);
	answer_xlate(w, &done);
	out_fini(&packed);
	out_fini(&envelope);
	out_fini(&files);
	out_fini(&notice);
}

static uint64_t to_come(struct world *w)
{
	struct xlate_file *files;
	struct err e;
	uint64_t sum;
	size_t n;
	assert_true(get_xlate_files(w->xlate.files, &files, &n, &sum, w->a, &e));
	return sum;
}

static bool hear_xlate(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	assert_true(get_msg_xlate(arena_copy(w->a, payload), &w->xlate, e));
	out_clear(&w->fed);
	if (!w->deaf && to_come(w) == 0)
		convert(w);
	return true;
}

static bool hear_xlate_data(void *ctx, struct view payload, struct err *e)
{
	struct world *w = ctx;
	struct msg_piece m;
	assert_true(get_msg_piece(payload, &m, e));
	assert_int_equal(m.id, w->xlate.id);
	out_bytes(&w->fed, m.octets);
	assert_true(out_len(&w->fed) <= to_come(w));
	const struct msg_count credit = { m.id, m.octets.n };
	put_msg_count(chan_begin(w->xbulk, MSG_XLATE_CREDIT), &credit);
	chan_end(w->xbulk);
	if (!w->deaf && out_len(&w->fed) == to_come(w))
		convert(w);
	return true;
}

static bool hear_xlate_credit(void *ctx, struct view payload, struct err *e)
{
	struct msg_count m;
	(void)ctx;
	return get_msg_count(payload, &m, e);
}

static void hear_xclosed(void *ctx, const struct err *why)
{
	struct world *w = ctx;
	(void)why;
	w->xclosed++;
}

static const struct chan_type xtypes[] = { TYPE(XLATE, hear_xlate), TYPE(XLATE_DATA, hear_xlate_data), TYPE(XLATE_CREDIT, hear_xlate_credit) };
static const struct chan_events xbulk_events = { xtypes, ARRAY_LEN(xtypes), NULL, NULL, hear_xclosed, NULL };
static const struct chan_events xcontrol_events = { NULL, 0, NULL, NULL, hear_xclosed, NULL };

void converter_connects(struct world *w)
{
	struct stream *ours, *theirs;
	fake_env_pair(w->env, &ours, &theirs);
	w->xcontrol = chan_new(&ours, &xcontrol_events, w, PROCESS_CONVERTER, 0);
	interchange_adopt_converter(w->x, false, theirs);
	fake_env_pair(w->env, &ours, &theirs);
	w->xbulk = chan_new(&ours, &xbulk_events, w, PROCESS_CONVERTER, 0);
	interchange_adopt_converter(w->x, true, theirs);
}

void converter_joins(struct world *w)
{
	converter_connects(w);
	world_settle(w);
}

void converter_wakes(struct world *w)
{
	w->deaf = false;
	convert(w);
	world_settle(w);
}

/* --- the postoffice --- */

static struct mm_name name_of(const char *text)
{
	struct mm_name n;
	struct err e;
	if (!mm_name_parse(view_str(text), &n, &e))
		fail_msg("%s", e.text);
	return n;
}

static wall_ms_t host_now(void *ctx)
{
	struct world *w = ctx;
	return env_wall_ms(w->env);
}

static uint64_t host_random(void *ctx)
{
	struct world *w = ctx;
	return env_random(w->env);
}

#define GOOD(x)                                                   \
	do {                                                      \
		struct err e_ = { 0 };                            \
		struct err *e = &e_;                              \
		if (!(x))                                         \
			fail_msg("%s: %s", #x, e_.text);          \
	} while (0)

static void settle_postoffice(struct world *w)
{
	const struct mm_name own = name_of("TEST/SHADOW"), near = name_of("TEST/NEAR"), beyond = name_of("FAR/BEYOND");
	GOOD(postoffice_create(w->path, &own, "22-28798", &w->host, e));
	GOOD(postoffice_open(w->path, 0, NULL, &w->host, &w->po, e));
	GOOD(postoffice_add_user(w->po, "LOCAL", "Local user", e));
	GOOD(postoffice_add_external(w->po, &near, NULL, e));
	GOOD(postoffice_add_external(w->po, &beyond, &near, e));
}

const char *bag_of(struct world *w, const char *who, char bag[9])
{
	struct mm_route r;
	if (strcmp(who, "INQUEUE3") == 0) {
		snprintf(bag, 9, "%s", who);
		return bag;
	}
	const struct mm_name name = name_of(who);
	GOOD(postoffice_route(w->po, &name, &r, e));
	snprintf(bag, 9, "%s", r.mailbag);
	return bag;
}

unsigned count_records(struct world *w, const char *name, struct po_bag_entry *entries)
{
	struct po_bag_entry spare[HEARD];
	char bag[9];
	unsigned n, live;
	GOOD(postoffice_bag(w->po, bag_of(w, name, bag), HEARD, entries != NULL ? entries : spare, &n, &live, e));
	assert_true(n <= HEARD);
	return live;
}

struct mai read_message(struct world *w, const char *name, unsigned i)
{
	struct po_bag_entry entries[HEARD];
	const struct mai_limits limits = mai_limits_default();
	struct mai m;
	struct out o;
	assert_true(i < count_records(w, name, entries));
	out_init(&o, 16 << 20);
	GOOD(postoffice_read_mai(w->po, &entries[i].header.mai, 16 << 20, &o, e));
	const struct view file = arena_copy(w->a, out_view(&o));
	out_fini(&o);
	GOOD(mai_parse(file, &mm_scramble_none, &m, w->a, &limits, e));
	return m;
}

static void put_attachments(struct world *w, struct po_put *p, struct mai *m, const char *texts)
{
	m->attachments = arena_array(w->a, 20, sizeof *m->attachments);
	for (char *text = arena_str(w->a, view_str(texts)), *save = NULL; (text = strtok_r(text, "|", &save)) != NULL; text = NULL) {
		struct mm_attachment *a = &m->attachments[m->n_attachments++];
		char name[20];
		snprintf(name, sizeof name, "file%zu.txt", m->n_attachments);
		*a = (struct mm_attachment){ .name = arena_copy(w->a, view_str(name)), .size = strlen(text), .position = UINT32_MAX };
		GOOD(po_put_attachment(p, strlen(text), &a->file, e));
		GOOD(po_put_octets(p, view_str(text), e));
	}
}

struct mm_id put_message(struct world *w, const char *from, const char *to, const char *subject, const char *text, const char *attachments)
{
	struct po_put *p;
	struct out file;
	struct mm_header h;
	struct mai m = { .bags = 1, .hops = 10, .from = { .type = MM_ADDRESS_MS, .text = view_str(from) }, .date = { 2026, 1, 1, 9, 15, 0 },
			 .priority = '3', .subject = view_str(subject),
			 .text = view_str(text) };
	struct mm_envelope v = { .state = MM_READY, .from = m.from, .date = m.date, .arrived = env_wall_ms(w->env), .priority = '3' };
	v.recipients = arena_array(w->a, 20, sizeof *v.recipients);
	m.to = arena_array(w->a, 20, sizeof *m.to);
	for (char *name = arena_str(w->a, view_str(to)), *save = NULL; (name = strtok_r(name, " ", &save)) != NULL; name = NULL) {
		m.to[m.n_to] = (struct mm_address){ .type = strncmp(name, "/c", 2) == 0 ? MM_ADDRESS_X400 : MM_ADDRESS_MS, .text = view_str(name) };
		v.recipients[v.n++] = (struct mm_recipient){ .address = m.to[m.n_to++], .responsible = true, .reason = -1, .diagnostic = -1 };
	}
	GOOD(postoffice_put_begin(w->po, &p, e));
	if (attachments != NULL)
		put_attachments(w, p, &m, attachments);
	out_init(&file, 16 << 20);
	GOOD(mai_print(&m, &mm_scramble_none, &file, e));
	v.size = (uint32_t)out_len(&file);
	GOOD(po_put_mai(p, out_view(&file), 1, e));
	GOOD(po_put_envelope(p, &v, e));
	v.mai = po_put_id(p);
	po_put_end(&p, true);
	out_fini(&file);
	mail_header_of(&v, m.subject, 0, &h);
	GOOD(postoffice_deliver(w->po, "INQUEUE3", &h, e));
	return v.mai;
}

bool has_file(struct world *w, const char *dir, const char *suffix)
{
	char path[200];
	bool found = false;
	snprintf(path, sizeof path, "%s/%s", dir[0] == '/' ? dir : w->path, dir[0] == '/' ? "" : dir);
	DIR *d = opendir(path);
	for (struct dirent *entry; d != NULL && (entry = readdir(d)) != NULL;) {
		const size_t n = strlen(entry->d_name), k = strlen(suffix);
		found = found || (entry->d_name[0] != '.' && n >= k && strcmp(entry->d_name + n - k, suffix) == 0);
	}
	if (d != NULL)
		closedir(d);
	return found;
}

/* --- the world --- */

static void take_note(void *ctx, const char *text)
{
	struct world *w = ctx;
	snprintf(w->note, sizeof w->note, "%s", text);
}

static void take_death(void *ctx, const struct err *why)
{
	struct world *w = ctx;
	(void)why;
	w->deaths++;
}

static void take_accusation(void *ctx, enum process_kind kind, uint32_t instance, const char *why)
{
	struct world *w = ctx;
	(void)instance;
	(void)why;
	assert_int_equal(kind, PROCESS_CONVERTER);
	w->accused++;
}

void world_settle(struct world *w)
{
	fake_env_settle(w->env);
}

void world_pass(struct world *w, int64_t ms)
{
	fake_env_pass(w->env, ms);
}

static void start(struct world *w)
{
	const struct actor_host host = { .env = w->env, .log = w->log, .note = take_note, .die = take_death, .accuse = take_accusation, .ctx = w };
	w->x = interchange_new(&host, &w->settings, 0);
}

static struct world *new_world(const char *form, bool ffapi, const char *more)
{
	struct world *w = mem_zero(sizeof *w);
	struct err e;
	char yaml[3000], first[300];
	const char *tmp = getenv("TMPDIR");
	if (tmp == NULL) /* thousands of syncs */
		tmp = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	snprintf(w->dir, sizeof w->dir, "%.40s/msmi.XXXXXX", tmp);
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof w->path, "%s/MAILDATA", w->dir);
	snprintf(w->import, sizeof w->import, "%s/in", w->dir);
	snprintf(w->export, sizeof w->export, "%s/out", w->dir);
	w->env = fake_env_new();
	w->a = arena_new((size_t)512 << 20);
	out_init(&w->streamed, 64 << 20);
	out_init(&w->fed, 64 << 20);
	out_init(&w->result, 64 << 20);
	w->log_fd = memfd_create("events", 0);
	w->log = event_log_new(w->env, event_kinds, EVENT_KINDS, "interchange", w->log_fd, false);
	w->host = (struct postoffice_host){ .now = host_now, .random = host_random, .ctx = w };
	if (ffapi)
		snprintf(first, sizeof first, form, w->import, w->export);
	else
		snprintf(first, sizeof first, form, w->path);
	snprintf(yaml, sizeof yaml, SETTINGS, first, more);
	if (!settings_load(view_str(arena_str(w->a, view_str(yaml))), "test", &w->settings, w->a, &e))
		fail_msg("%s", e.text);
	if (!fault_plan(NULL, &e))
		fail_msg("%s", e.text);
	return w;
}

struct world *world_new(const char *more)
{
	struct world *w = new_world("      postoffice: %s\n", false, more);
	settle_postoffice(w);
	start(w);
	converter_joins(w);
	switch_joins(w);
	return w;
}

struct world *world_new_ffapi(const char *more)
{
	struct world *w = new_world("      ffapi-import: %s\n      ffapi-export: %s\n      network: TEST\n      postoffice-name: GATE\n", true, more);
	assert_int_equal(mkdir(w->import, 0700), 0);
	assert_int_equal(mkdir(w->export, 0700), 0);
	start(w);
	converter_joins(w);
	switch_joins(w);
	return w;
}

static void stop(struct world *w)
{
	interchange_free(&w->x);
	struct chan **chans[] = { &w->control, &w->bulk, &w->xcontrol, &w->xbulk };
	for (size_t i = 0; i < ARRAY_LEN(chans); i++)
		if (*chans[i] != NULL)
			chan_free(chans[i], false);
	world_settle(w);
}

void world_restart(struct world *w)
{
	stop(w);
	start(w);
	converter_joins(w);
	switch_joins(w);
}

bool was_told(struct world *w, const char *event)
{
	static char text[1 << 18];
	const ssize_t n = pread(w->log_fd, text, sizeof text - 1, 0);
	text[n < 0 ? 0 : n] = 0;
	return strstr(text, event) != NULL;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

void world_free(struct world *w)
{
	stop(w);
	if (w->po != NULL)
		postoffice_close(&w->po);
	event_log_free(&w->log);
	fake_env_free(&w->env);
	close(w->log_fd);
	nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	out_fini(&w->streamed);
	out_fini(&w->fed);
	out_fini(&w->result);
	arena_free(&w->a);
	free(w);
}
