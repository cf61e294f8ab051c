/* ipm_track.c - see ipm_track.h. The octets of the heading stream past: 1 InformationObject [0], 2 Heading, 3 its elements; what is not
 * asked for is passed over whole where its length says how long it is. */
#include "flow/codec/ipm/ipm_track.h"

#include "flow/codec/ber/ber.h"
#include "flow/codec/charset/charset.h"

enum { DEPTH_MAX = 32, U_OID = 6, U_PRINTABLE = 19, U_TELETEX = 20, U_UNIVERSAL = 28, U_BMP = 30 };
enum { OBJECT = 1, HEADING, ELEMENT, INSIDE, EXTENSION_FIELD, EXTENSION_VALUE };

struct walk {
	struct track_keys *keys;
	uint32_t element;   /* tag of the element of the heading at hand */
	bool extended;	    /* inside an extension whose type is extended-subject */
	bool in_type;	    /* inside an extension's type */
	unsigned taking;    /* depth of the string that is being taken; 0: none */
	uint32_t string;    /* its tag */
	size_t n;
	uint8_t text[TRACK_TEXT_MAX];
	size_t n_type;
	uint8_t type[8];
};

static bool is_extended_subject(const struct walk *w)
{
	static const uint8_t oid[] = {0x56, 0x01, 0x05, 0x08}; /* id-hex 8: 2.6.1.5.8 */
	return w->n_type == sizeof oid && memcmp(w->type, oid, sizeof oid) == 0;
}

/* Is this the string that one of the keys is made from? */
static bool is_wanted(const struct walk *w, const struct ber_stream_event *ev)
{
	if (ev->depth == INSIDE)
		return (w->element == BER_A(11) && ev->tag == BER_U(U_PRINTABLE)) || (w->element == BER_C(8) && ev->tag == BER_U(U_TELETEX));
	return w->element == BER_C(15) && ev->depth == EXTENSION_VALUE && w->extended &&
	       (ev->tag == BER_U(U_BMP) || ev->tag == BER_U(U_UNIVERSAL));
}

/* False: this is no interpersonal message. */
static bool opened(struct walk *w, struct ber_stream *s, const struct ber_stream_event *ev)
{
	switch (ev->depth) {
	case OBJECT: return ev->tag == BER_C(0) && ev->constructed;
	case HEADING: return ev->tag == BER_U(17) && ev->constructed;
	case ELEMENT:
		w->element = ev->tag;
		if (ev->tag != BER_A(11) && ev->tag != BER_C(8) && ev->tag != BER_C(15))
			(void)ber_stream_opaque(s);
		return true;
	default: break;
	}
	if (ev->depth == INSIDE && w->element == BER_C(15))
		w->extended = false;
	w->in_type = w->element == BER_C(15) && ev->depth == EXTENSION_FIELD && ev->tag == BER_U(U_OID);
	if (w->in_type)
		w->n_type = 0;
	if (w->taking == 0 && is_wanted(w, ev)) {
		w->taking = ev->depth;
		w->string = ev->tag;
		w->n = 0;
	}
	return true;
}

static void came(struct walk *w, struct view octets)
{
	uint8_t *to = w->taking > 0 ? w->text : w->in_type ? w->type : NULL;
	size_t *n = w->taking > 0 ? &w->n : &w->n_type;
	const size_t max = w->taking > 0 ? sizeof w->text : sizeof w->type;
	if (to == NULL)
		return;
	octets = view_first(octets, max - *n);
	if (octets.n > 0)
		memcpy(to + *n, octets.p, octets.n);
	*n += octets.n;
}

static enum charset charset_of(uint32_t string)
{
	return string == BER_U(U_PRINTABLE) ? CHARSET_IA5
	       : string == BER_U(U_TELETEX) ? CHARSET_T61
	       : string == BER_U(U_BMP)	    ? CHARSET_BMP
					    : CHARSET_UNIVERSAL;
}

static void take(struct walk *w)
{
	struct out utf8;
	out_init(&utf8, 8 * TRACK_TEXT_MAX);
	charset_to_utf8(NULL, charset_of(w->string), CHARSET_REG_NONE, view_of(w->text, w->n), &utf8);
	track_keys_add(w->keys, track_key_text(out_view(&utf8), w->element == BER_A(11) ? TRACK_IPM_ID : TRACK_SUBJECT));
	out_fini(&utf8);
}

static void closed(struct walk *w, unsigned depth)
{
	if (depth == w->taking) {
		take(w);
		w->taking = 0;
	}
	if (w->in_type && depth == EXTENSION_FIELD) {
		w->in_type = false;
		w->extended = is_extended_subject(w);
	}
}

void ipm_track_keys(struct view head, struct track_keys *keys)
{
	struct walk w = {.keys = keys};
	struct ber_stream *s = ber_stream_new(DEPTH_MAX);
	struct ber_stream_event ev;
	struct err e;
	bool more = true;
	head = view_first(head, IPM_TRACK_OCTETS);
	while (more && ber_stream_next(s, &head, &ev, &e) == STEP_DONE)
		switch (ev.what) {
		case BER_S_OPEN: more = opened(&w, s, &ev); break;
		case BER_S_BYTES: came(&w, ev.bytes); break;
		case BER_S_CLOSE:
			closed(&w, ev.depth);
			more = ev.depth > HEADING;
			break;
		}
	ber_stream_free(&s);
}
