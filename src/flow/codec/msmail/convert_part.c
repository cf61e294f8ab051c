/* convert_part.c - body parts as text and attachments. Nothing is refused: a part that nobody here knows is a file of its octets. */
#include "flow/codec/msmail/convert_private.h"

#include "base/mem.h"

enum { NAME_PART_MAX = 64, LIST_SHOWN = 20 };

/* --- text --- */

static bool at_line_start(const struct mmc_body *b)
{
	const struct view t = out_view(&b->text);
	return t.n == 0 || t.p[t.n - 1] == '\r';
}

/* Characters up to here. Each is one of the code page too, whatever octets it has there (Q157941): what is not in the page is one `?`. */
static uint32_t position(struct mmc_body *b)
{
	b->characters += charset_utf8_length(view_from(out_view(&b->text), b->counted));
	b->counted = out_len(&b->text);
	return b->characters < UINT32_MAX ? (uint32_t)b->characters : UINT32_MAX;
}

/* What stands behind the last line moves behind its new end, too. */
static void end_line(struct mmc_body *b)
{
	const uint32_t at = position(b);
	out_u8(&b->text, '\r');
	for (size_t i = b->n; i > 0 && b->attachments[i - 1].position == at; i--)
		b->attachments[i - 1].position = position(b);
}

void mmc_text(struct mmc *c, struct mmc_body *b, struct view utf8)
{
	if (utf8.n == 0)
		return;
	if (!at_line_start(b))
		end_line(b);
	out_bytes(&b->text, mmc_cr(c, utf8));
}

/* --- attachments --- */

static bool make_room(struct mmc *c, struct mmc_body *b)
{
	if (b->n < b->room)
		return true;
	const size_t room = b->room == 0 ? 16 : b->room * 2;
	struct mm_attachment *attachments = arena_array(c->a, room, sizeof *attachments);
	struct view *octets = arena_array(c->a, room, sizeof *octets);
	if (attachments == NULL || octets == NULL)
		return mmc_full(c);
	if (b->n > 0) {
		memcpy(attachments, b->attachments, b->n * sizeof *attachments);
		memcpy(octets, b->octets, b->n * sizeof *octets);
	}
	b->attachments = attachments;
	b->octets = octets;
	b->room = room;
	return true;
}

/* In the code page; what the page has not is `_` here, which a file may be called. No second octet of a character is `?`. */
static struct view name_octets(struct mmc *c, struct view utf8)
{
	const struct view octets = mmc_octets(c, utf8);
	uint8_t *p = arena_get(c->a, octets.n);
	for (size_t i = 0; p != NULL && i < octets.n; i++)
		p[i] = octets.p[i] == '?' ? '_' : octets.p[i];
	return view_of(p, p == NULL ? 0 : octets.n);
}

bool mmc_attach(struct mmc *c, struct mmc_body *b, struct view name, const char *suffix, struct view octets, int64_t modified_ms)
{
	if (!make_room(c, b))
		return false;
	name = mmc_file_name(c, name);
	if (name.n == 0)
		name = mmc_fmt(c, "ATT%05zu.%s", b->n + 1, suffix);
	b->attachments[b->n] = (struct mm_attachment){
		.file = mm_id_of((uint32_t)b->n + 1), .name = name_octets(c, name), .size = octets.n, .position = position(b),
	};
	if (modified_ms != 0)
		b->attachments[b->n].date = mm_date_of_wall(modified_ms, c->how->zone_minutes);
	b->octets[b->n++] = octets;
	return true;
}

/* GeneralizedTime in its first 14 digits, UTC; 0: none. */
static wall_ms_t modified(const struct ipm_part *p)
{
	if (p->file == NULL || !(p->file->seq.has & 1u << IPM_FTBP_ATTRIBUTES))
		return 0;
	const struct ipm_file_attributes *x = &p->file->attributes;
	const struct view v = x->modified.value;
	uint16_t d[6] = { 0 };
	if (!(x->seq.has & 1u << IPM_FILE_MODIFIED) || x->modified.choice.which != 2 || v.n < 12)
		return 0;
	for (size_t i = 0; i < 14; i++) {
		const uint8_t digit = i < v.n && v.p[i] >= '0' && v.p[i] <= '9' ? (uint8_t)(v.p[i] - '0') : 0;
		uint16_t *to = &d[i < 4 ? 0 : 1 + (i - 4) / 2];
		*to = (uint16_t)(*to * 10 + digit);
	}
	const struct mm_date date = { d[0], (uint8_t)d[1], (uint8_t)d[2], (uint8_t)d[3], (uint8_t)d[4], (uint8_t)d[5] };
	return mm_date_to_wall(&date, 0, 0);
}

static bool attach_file(struct mmc *c, struct mmc_body *b, const struct ipm_part *p)
{
	return mmc_attach(c, b, mmc_string(c, CHARSET_GENERAL, 0, p->name), "DAT", p->octets, modified(p));
}

/* --- embedded messages: a block of header lines, then the text; the files of it are attachments of the whole --- */

static void header_line(struct mmc *c, struct mmc_body *b, const char *label, struct view value)
{
	if (value.n > 0)
		mmc_text(c, b, mmc_fmt(c, "%s%.*s\r", label, (int)(value.n < 3000 ? value.n : 3000), (const char *)value.p));
}

static struct view people(struct mmc *c, const struct ber_list *list)
{
	const struct ipm_recipient_specifier *v = list->v;
	struct out o;
	out_init(&o, 64 * 1024);
	for (size_t i = 0; i < list->n && i < LIST_SHOWN; i++) {
		out_str(&o, i > 0 ? "; " : "");
		out_bytes(&o, mmc_person(c, &v[i].recipient));
	}
	if (list->n > LIST_SHOWN)
		out_fmt(&o, "; and %zu more", list->n - LIST_SHOWN);
	return mmc_keep(c, &o);
}

static void header_block(struct mmc *c, struct mmc_body *b, const struct ipm_message *m, const struct ipm_message_parameters *delivery)
{
	const struct ipm_heading *h = &m->heading;
	wall_ms_t at;
	mmc_text(c, b, VIEW("--- Message ---\r"));
	if (mmc_has(h, IPM_H_ORIGINATOR))
		header_line(c, b, "From: ", mmc_person(c, &h->originator));
	header_line(c, b, "To: ", people(c, &h->primary_recipients));
	header_line(c, b, "Cc: ", people(c, &h->copy_recipients));
	if (delivery != NULL && delivery->delivery_envelope != NULL &&
	    (delivery->delivery_envelope->seq.has & 1u << IPM_ENV_SUBMISSION) && utctime_parse(delivery->delivery_envelope->submission_time, &at))
		header_line(c, b, "Date: ", mmc_date_text(c, at));
	else if (delivery != NULL && (delivery->seq.has & 1u << IPM_MESSAGE_DELIVERY_TIME) && utctime_parse(delivery->delivery_time, &at))
		header_line(c, b, "Date: ", mmc_date_text(c, at));
	header_line(c, b, "Subject: ", mmc_subject(c, h));
	mmc_text(c, b, VIEW("\r"));
}

static bool embedded(struct mmc *c, struct mmc_body *b, const struct ipm_part *p, unsigned depth)
{
	if (depth >= MMC_DEPTH)
		return mmc_attach(c, b, (struct view){ NULL, 0 }, "P22", p->tlv, 0);
	header_block(c, b, p->message, p->delivery);
	if (!mmc_body_parts(c, p->message, b, depth + 1))
		return false;
	mmc_text(c, b, VIEW("--- End of message ---\r"));
	return true;
}

/* {id-et 17 type}: a whole content as octets. */
static bool content_part(struct mmc *c, struct mmc_body *b, const struct ipm_part *p, unsigned depth)
{
	struct ipm inner;
	struct ber_limits limits = c->limits;
	limits.bytes = p->octets.n;
	if (depth >= MMC_DEPTH || !ipm_parse(p->octets, &inner, c->a, &limits, NULL))
		return mmc_attach(c, b, (struct view){ NULL, 0 }, "P22", p->octets, 0);
	if (inner.notification != NULL) {
		mmc_notification_text(c, inner.notification, (struct view){ NULL, 0 }, b);
		return true;
	}
	struct ipm_part like = *p;
	like.message = inner.message;
	return embedded(c, b, &like, depth);
}

/* --- one part --- */

/* The DOS gateway sends the name of an attachment as a small text part before it (Q114582): one line without blanks and with a dot. */
static bool is_name_of_next(const struct ipm_part *p, const struct ipm_message *m, size_t i)
{
	struct view t = p->octets;
	while (t.n > 0 && (t.p[t.n - 1] == '\r' || t.p[t.n - 1] == '\n'))
		t.n--;
	if (i == 0 || i + 1 >= m->body.n || t.n < 3 || t.n > NAME_PART_MAX || p->charset != CHARSET_IA5 || memchr(t.p, '.', t.n) == NULL)
		return false;
	for (size_t k = 0; k < t.n; k++)
		if (t.p[k] <= ' ' || t.p[k] >= 0x7f)
			return false;
	const struct view next = ((const struct view *)m->body.v)[i + 1];
	return next.n > 0 && (next.p[0] & 0xdf) == 0x8e; /* [14], primitive or constructed */
}

static bool is_text_part(const struct ipm_part *p)
{
	return p->is_text && p->kind != IPM_PART_FILE_TRANSFER;
}

static bool one_part(struct mmc *c, struct mmc_body *b, const struct ipm_part *p, struct view name, unsigned depth)
{
	if (is_text_part(p)) {
		mmc_text(c, b, mmc_string(c, p->charset, p->registration, p->octets));
		return true;
	}
	if (p->message != NULL)
		return embedded(c, b, p, depth);
	if (p->notification != NULL) {
		mmc_notification_text(c, p->notification, (struct view){ NULL, 0 }, b);
		return true;
	}
	if (p->kind == IPM_PART_CONTENT)
		return content_part(c, b, p, depth);
	if (p->kind == IPM_PART_FILE_TRANSFER)
		return attach_file(c, b, p);
	if (p->kind == IPM_PART_BILATERALLY_DEFINED)
		return mmc_attach(c, b, name, "DAT", p->octets, 0);
	if (name.n == 0) /* a fax, a voice, what nobody knows: a file whose name says what it is */
		name = mmc_fmt(c, "%s.BER", ipm_part_kind_name(p->kind));
	return mmc_attach(c, b, name, "BER", p->octets.n > 0 || p->kind == IPM_PART_ENCRYPTED ? p->octets : p->tlv, 0);
}

bool mmc_body_parts(struct mmc *c, const struct ipm_message *m, struct mmc_body *b, unsigned depth)
{
	struct view name = { NULL, 0 };
	const size_t n = ipm_part_count(m);
	for (size_t i = 0; i < n; i++) {
		struct ipm_part p;
		if (!mmc_may_go_on(c))
			return false;
		if (!ipm_part_at(m, i, &p, c->a, &c->limits, c->e))
			return mmc_full(c);
		if (is_text_part(&p) && is_name_of_next(&p, m, i)) {
			name = mmc_one_line(c, mmc_string(c, p.charset, p.registration, p.octets), NAME_PART_MAX);
			continue;
		}
		if (!one_part(c, b, &p, name, depth))
			return false;
		name = (struct view){ NULL, 0 };
		if (b->text.bad)
			return mmc_fail(c, 1, 7, "its text is longer than a message may be");
	}
	return !arena_full(c->a) || mmc_full(c);
}

void mmc_body_end(struct mmc_body *b)
{
	const uint32_t end = position(b);
	for (size_t i = b->n; i > 0 && b->attachments[i - 1].position == end; i--)
		b->attachments[i - 1].position = UINT32_MAX;
}
