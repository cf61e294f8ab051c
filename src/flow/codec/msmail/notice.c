/* notice.c - the notice's sentences, and its text as it is written. */
#include "flow/codec/msmail/notice.h"

enum { RULE = 64 };

/* The meanings of facts A10, in our words. */
static const char *const sentences[] = {
	[1] = "The message could not be delivered.",
	[2] = "The address is not known here.",
	[3] = "The message has passed more postoffices than it may.",
	[4] = "The message has come back to a postoffice that it had passed.",
	[5] = "The message was tried as often and as long as it may be.",
	[7] = "The group that it was sent to is no longer there.",
	[8] = "The mailbag was in use by somebody else for too long.",
	[9] = "The message is larger than it may be.",
	[12] = "The message is damaged and cannot be delivered.",
	[16] = "The file of the message is missing.",
	[17] = "The mailbag is full.",
	[18] = "The file of an attachment is missing.",
	[21] = "The file that says where the message goes is missing.",
	[24] = "The file that says where the message goes is damaged.",
	[29] = "The message could not be understood.",
	[30] = "The address belongs to more than one.",
};

const char *notice_sentence(int code)
{
	bool known = code > 0 && (size_t)code < ARRAY_LEN(sentences) && sentences[code] != NULL;
	return sentences[known ? code : 1];
}

static void put_text(struct out *o, struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		out_u8(o, v.p[i] < 0x20 || v.p[i] == 0x7f ? ' ' : v.p[i]);
}

static void put_field(struct out *o, const char *label, struct view v)
{
	out_str(o, label);
	put_text(o, v);
	out_str(o, "\r\n");
}

static void put_rule(struct out *o)
{
	for (unsigned i = 0; i < RULE; i++)
		out_u8(o, '-');
	out_str(o, "\r\n");
}

static int code_of(const struct mm_notice *n, size_t i)
{
	return n->codes == NULL ? n->code : n->codes[i];
}

static bool is_first_with(const struct mm_notice *n, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (code_of(n, k) == code_of(n, i))
			return false;
	return true;
}

static void put_names(const struct mm_notice *n, int code, struct out *o)
{
	bool begun = false;
	for (size_t i = 0; i < n->n_unreached; i++) {
		if (code_of(n, i) != code)
			continue;
		if (!begun)
			out_str(o, "Mail item was not delivered to:\r\n");
		begun = true;
		put_field(o, "    ", n->unreached[i].n == 0 ? VIEW("?") : n->unreached[i]);
	}
	if (begun)
		out_str(o, "\r\n");
}

static void put_route(const struct mm_notice *n, struct out *o)
{
	out_str(o, " Message followed the following route:\r\n");
	for (size_t i = 0; i < n->n_hops; i++)
		out_fmt(o, "    %s/%s\r\n", n->hops[i].network, n->hops[i].postoffice);
	out_str(o, "\r\n");
}

static void put_cause(const struct mm_notice *n, int code, struct out *o)
{
	bool own = code == n->code;
	out_fmt(o, "[%03d] ", code);
	put_text(o, own && n->text.n > 0 ? n->text : view_str(notice_sentence(code)));
	if (own && n->n_hops > 0)
		put_route(n, o);
	else
		out_str(o, "\r\n\r\n");
	put_names(n, code, o);
}

static void put_when(const struct mm_date *d, struct out *o)
{
	if (d->year == 0)
		return;
	out_fmt(o, "DATE: %04u-%02u-%02u\r\nTIME: %02u:%02u\r\n", d->year, d->month, d->day, d->hour, d->minute);
}

void notice_print(const struct mm_notice *n, struct out *o)
{
	put_field(o, "FROM: ", n->from);
	put_field(o, "TO: ", n->to);
	put_when(&n->date, o);
	put_field(o, "SUBJECT: ", n->subject);
	out_str(o, "\r\n");
	put_rule(o);
	out_str(o, "\r\n");
	put_cause(n, n->code, o);
	for (size_t i = 0; i < n->n_unreached; i++)
		if (code_of(n, i) != n->code && is_first_with(n, i))
			put_cause(n, code_of(n, i), o);
	if (n->original.n == 0)
		return;
	put_rule(o);
	out_bytes(o, n->original);
}
