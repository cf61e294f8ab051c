/* p1_print.c - an APDU for people, by the full tables. A message's content is shown as its length: what is in it
 * is another protocol's, and printed by that. */
#include "flow/codec/p1/p1.h"
#include "flow/codec/p1/p1_84.h"

struct shown_content {
	struct ber_seq seq;
	int64_t octets;
};
struct shown_message {
	struct ber_seq seq;
	struct p1_envelope envelope;
	struct shown_content content;
};
static const struct ber_field shown_content_rows[] = {
	{ .name = "octets", P1_FIELD(shown_content, octets), .type = &p1_integer },
};
static const struct ber_type shown_content = { .name = "Content", .kind = BER_SEQ, .tag = BER_U(16),
					       .size = sizeof(struct shown_content), P1_ROWS(shown_content_rows) };
static const struct ber_field shown_rows[] = {
	{ .name = "envelope", P1_FIELD(shown_message, envelope), .type = &p1_message_envelope_type },
	{ .name = "content", P1_FIELD(shown_message, content), .type = &shown_content },
};
static const struct ber_type shown_message = { .name = "Message", .kind = BER_SEQ, .tag = BER_C(0),
					       .size = sizeof(struct shown_message), P1_ROWS(shown_rows) };

struct shown_choice {
	struct ber_choice choice;
	struct shown_message message;
};
static const struct ber_field choice_rows[] = {
	{ .name = "message", P1_FIELD(shown_choice, message), .type = &shown_message, .tag = BER_C(0) },
};
static const struct ber_type shown_apdu = { .name = "MTS-APDU", .kind = BER_CHOICE, .tag = BER_NO_TAG,
					    .size = sizeof(struct shown_choice), P1_ROWS(choice_rows) };

/* The same of 1984. */
static const struct ber_field shown_84_rows[] = {
	{ .name = "envelope", P1_FIELD(shown_message, envelope), .type = &p1_84_envelope },
	{ .name = "content", P1_FIELD(shown_message, content), .type = &shown_content },
};
static const struct ber_type shown_84_message = { .name = "UserMPDU", .kind = BER_SEQ, .tag = BER_C(0),
						  .size = sizeof(struct shown_message), P1_ROWS(shown_84_rows) };
static const struct ber_field choice_84_rows[] = {
	{ .name = "userMPDU", P1_FIELD(shown_choice, message), .type = &shown_84_message, .tag = BER_C(0) },
};
static const struct ber_type shown_mpdu = { .name = "MPDU", .kind = BER_CHOICE, .tag = BER_NO_TAG,
					    .size = sizeof(struct shown_choice), P1_ROWS(choice_84_rows) };

static void print_message(const struct ber_type *t, struct p1_message *m, enum ber_form form, unsigned indent, struct out *o)
{
	struct shown_choice shown = { .choice.which = 1 };
	shown.message.seq = m->seq;
	shown.message.envelope = m->envelope;
	shown.message.content.octets = (int64_t)m->content.n;
	ber_print(t, &shown, form, indent, o);
}

/* The element inside the EXTERNAL, or `apdu` itself. */
static struct view inner(struct view apdu, const struct ber_limits *limits)
{
	struct ber_tlv tlv, child;
	if (!ber_tlv(apdu, &tlv, limits, NULL) || tlv.tag != BER_U(8))
		return apdu;
	for (struct view rest = tlv.content; rest.n > 0; rest = view_from(rest, child.whole.n)) {
		if (!ber_tlv(rest, &child, limits, NULL))
			return apdu;
		if (child.tag == BER_C(0) && child.constructed)
			return child.content;
	}
	return apdu;
}

void p1_print(enum p1_tables tables, struct view apdu, enum ber_form form, unsigned indent, struct arena *a,
	      const struct ber_limits *limits, struct out *o)
{
	const struct ber_type *t = p1_table_set(tables)->apdu;
	struct p1_apdu p;
	struct err e = { 0 };
	apdu = inner(apdu, limits);
	if (ber_decode(t, apdu, &p, a, limits, &e)) {
		if (p.choice.which == P1_APDU_MESSAGE)
			print_message(tables == P1_1984 ? &shown_mpdu : &shown_apdu, &p.message, form, indent, o);
		else
			ber_print(t, &p, form, indent, o);
		return;
	}
	if (form == BER_ASN1) {
		out_fmt(o, "-- not an MTS-APDU: %s --\n%*s", e.text, (int)indent, "");
		ber_print_raw(apdu, indent, o);
		return;
	}
	ber_print(&p1_any, &apdu, form, indent, o);
}
