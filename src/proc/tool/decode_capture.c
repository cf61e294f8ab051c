/* decode_capture.c - see decode_capture.h. pcap: the format of libpcap's savefiles; pcapng: its IETF draft; link headers
 * as the registry of link types describes them. */
#include "proc/tool/decode_capture.h"

enum {
	PCAP_MICRO = (int)0xa1b2c3d4, PCAP_NANO = (int)0xa1b23c4d,
	PCAP_HEADER = 24,
	NG_SECTION = 0x0a0d0d0a, NG_ORDER = 0x1a2b3c4d,
	NG_INTERFACE = 1, NG_OLD_PACKET = 2, NG_SIMPLE = 3, NG_PACKET = 6,
	NG_OPTION_TSRESOL = 9,
	NG_BLOCK_MIN = 12,
};

enum { /* link types */
	LINK_NULL = 0, LINK_ETHERNET = 1, LINK_RAW_OLD = 12, LINK_RAW_OPENBSD = 14, LINK_RAW = 101, LINK_LOOP = 108,
	LINK_SLL = 113, LINK_IPV4 = 228, LINK_IPV6 = 229, LINK_SLL2 = 276,
};

enum { TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd, TYPE_VLAN = 0x8100, TYPE_QINQ = 0x88a8, TYPE_QINQ_OLD = 0x9100 };

enum { NS = 1000000000 };

static uint32_t u32(struct capture_file *f)
{
	const uint32_t x = cur_u32(&f->cur);
	return f->little ? __builtin_bswap32(x) : x;
}

static uint16_t order16(const struct capture_file *f, uint16_t x)
{
	return f->little ? __builtin_bswap16(x) : x;
}

bool capture_is(struct view file)
{
	struct cur c = cur_of(file);
	const uint32_t magic = cur_u32(&c), swapped = __builtin_bswap32(magic);
	return !c.bad && (magic == (uint32_t)PCAP_MICRO || magic == (uint32_t)PCAP_NANO || magic == NG_SECTION ||
			  swapped == (uint32_t)PCAP_MICRO || swapped == (uint32_t)PCAP_NANO);
}

static bool bad_file(struct err *e, const char *what, size_t left)
{
	return err_set(e, ERR_PERM, ERR_OF_MESSAGE, "capture: %s, with %zu octets of the file left", what, left);
}

bool capture_open(struct view file, struct capture_file *f_r, struct err *e)
{
	*f_r = (struct capture_file){ .cur = cur_of(file) };
	struct cur ahead = f_r->cur;
	const uint32_t magic = cur_u32(&ahead);
	if (magic == NG_SECTION) {
		f_r->format = CAPTURE_PCAPNG; /* the first block is read by capture_next */
		return true;
	}
	f_r->little = magic != (uint32_t)PCAP_MICRO && magic != (uint32_t)PCAP_NANO;
	f_r->nano = u32(f_r) == (uint32_t)PCAP_NANO;
	if (file.n < PCAP_HEADER)
		return bad_file(e, "the header of 24 octets is cut short", file.n);
	(void)cur_bytes(&f_r->cur, 16);
	f_r->interfaces[0].link = u32(f_r) & 0xffffu; /* the upper half may hold the length of a frame check sequence */
	f_r->interfaces[0].per_second = f_r->nano ? NS : 1000000;
	f_r->n_interfaces = 1;
	return true;
}

static enum step next_pcap(struct capture_file *f, struct capture_packet *p, struct err *e)
{
	const size_t left = cur_left(&f->cur);
	if (left == 0)
		return STEP_WAIT;
	const uint64_t seconds = u32(f), fraction = u32(f);
	const size_t n = u32(f);
	(void)u32(f);
	const struct view octets = cur_bytes(&f->cur, n);
	if (f->cur.bad) {
		bad_file(e, "a packet is cut short", left);
		return STEP_FAIL;
	}
	*p = (struct capture_packet){ seconds * NS + fraction * (NS / f->interfaces[0].per_second), f->interfaces[0].link,
				      octets };
	return STEP_DONE;
}

/* --- pcapng --- */

static uint64_t to_ns(uint64_t ticks, uint64_t per_second)
{
	const uint64_t seconds = ticks / per_second, rest = ticks % per_second;
	return seconds * NS + (uint64_t)((unsigned __int128)rest * NS / per_second);
}

/* if_tsresol: a power of ten, or of two with the top bit set. */
static uint64_t resolution(unsigned octet)
{
	const unsigned power = octet & 0x7f;
	uint64_t x = 1;
	if ((octet & 0x80) != 0)
		return power < 63 ? (uint64_t)1 << power : (uint64_t)1 << 63;
	for (unsigned i = 0; i < power && i < 18; i++)
		x *= 10;
	return x;
}

static void on_interface(struct capture_file *f, struct cur body)
{
	struct capture_interface it = { .per_second = 1000000 };
	it.link = order16(f, cur_u16(&body));
	(void)cur_bytes(&body, 6);
	while (cur_left(&body) >= 4) {
		const unsigned code = order16(f, cur_u16(&body)), n = order16(f, cur_u16(&body));
		const struct view v = cur_bytes(&body, n);
		(void)cur_bytes(&body, (4 - n % 4) % 4);
		if (code == 0)
			break;
		if (code == NG_OPTION_TSRESOL && v.n == 1)
			it.per_second = resolution(v.p[0]);
	}
	if (it.per_second > 1000000)
		f->nano = true;
	if (f->n_interfaces < CAPTURE_INTERFACES_MAX)
		f->interfaces[f->n_interfaces] = it;
	f->n_interfaces++;
}

static uint32_t body_u32(const struct capture_file *f, struct cur *body)
{
	const uint32_t x = cur_u32(body);
	return f->little ? __builtin_bswap32(x) : x;
}

/* False: the block names an interface that the file does not describe, or is too short for its packet. */
static bool on_packet(struct capture_file *f, uint32_t type, struct cur body, struct capture_packet *p)
{
	uint32_t interface = 0;
	uint64_t ticks = 0;
	size_t n;
	if (type == NG_SIMPLE) {
		n = body_u32(f, &body);
		n = n < cur_left(&body) ? n : cur_left(&body);
	} else {
		interface = body_u32(f, &body);
		if (type == NG_OLD_PACKET) /* two octets of interface, two of drops */
			interface = f->little ? interface & 0xffffu : interface >> 16;
		ticks = (uint64_t)body_u32(f, &body) << 32;
		ticks |= body_u32(f, &body);
		n = body_u32(f, &body);
		(void)body_u32(f, &body);
	}
	const struct view octets = cur_bytes(&body, n);
	if (body.bad || interface >= f->n_interfaces || interface >= CAPTURE_INTERFACES_MAX)
		return false;
	const struct capture_interface *it = &f->interfaces[interface];
	*p = (struct capture_packet){ to_ns(ticks, it->per_second), it->link, octets };
	return true;
}

/* The byte order of a section stands behind its length. */
static bool section_order(struct capture_file *f)
{
	struct cur ahead = f->cur;
	(void)cur_bytes(&ahead, 8);
	const uint32_t magic = cur_u32(&ahead);
	f->little = magic == __builtin_bswap32(NG_ORDER);
	f->n_interfaces = 0;
	return f->little || magic == NG_ORDER;
}

static enum step next_pcapng(struct capture_file *f, struct capture_packet *p, struct err *e)
{
	for (;;) {
		const size_t left = cur_left(&f->cur);
		if (left == 0)
			return STEP_WAIT;
		struct cur ahead = f->cur;
		if (cur_u32(&ahead) == NG_SECTION && !section_order(f)) {
			bad_file(e, "a section header without its byte-order magic", left);
			return STEP_FAIL;
		}
		const uint32_t type = u32(f), n = u32(f);
		const struct view whole = cur_bytes(&f->cur, n < NG_BLOCK_MIN ? SIZE_MAX : (size_t)n - 8);
		if (f->cur.bad) {
			bad_file(e, "a block is cut short", left);
			return STEP_FAIL;
		}
		const struct cur body = cur_of(view_first(whole, whole.n - 4));
		if (type == NG_INTERFACE)
			on_interface(f, body);
		if (type != NG_PACKET && type != NG_SIMPLE && type != NG_OLD_PACKET)
			continue;
		if (on_packet(f, type, body, p))
			return STEP_DONE;
		bad_file(e, "a packet block that names no interface or is cut short", left);
		return STEP_FAIL;
	}
}

enum step capture_next(struct capture_file *f, struct capture_packet *p_r, struct err *e)
{
	return f->format == CAPTURE_PCAP ? next_pcap(f, p_r, e) : next_pcapng(f, p_r, e);
}

/* --- from the link to TCP --- */

const char *capture_link_name(uint32_t link)
{
	switch (link) {
	case LINK_NULL: return "BSD null";
	case LINK_ETHERNET: return "Ethernet";
	case LINK_RAW_OLD:
	case LINK_RAW_OPENBSD:
	case LINK_RAW: return "raw IP";
	case LINK_LOOP: return "BSD loopback";
	case LINK_SLL: return "Linux cooked v1";
	case LINK_SLL2: return "Linux cooked v2";
	case LINK_IPV4: return "raw IPv4";
	case LINK_IPV6: return "raw IPv6";
	default: return "unknown";
	}
}

/* Takes the link header; the protocol's Ethernet type, 0 for none of ours. */
static unsigned link_header(uint32_t link, struct cur *c)
{
	unsigned type = 0;
	switch (link) {
	case LINK_ETHERNET:
		(void)cur_bytes(c, 12);
		type = cur_u16(c);
		break;
	case LINK_SLL:
		(void)cur_bytes(c, 14);
		type = cur_u16(c);
		break;
	case LINK_SLL2:
		type = cur_u16(c);
		(void)cur_bytes(c, 18);
		break;
	case LINK_NULL: /* an address family, in whichever byte order: what follows tells */
	case LINK_LOOP:
		(void)cur_bytes(c, 4);
		/* fall through */
	case LINK_RAW_OLD:
	case LINK_RAW_OPENBSD:
	case LINK_RAW:
	case LINK_IPV4:
	case LINK_IPV6:
		return cur_peek(c) >> 4 == 4 ? TYPE_IPV4 : cur_peek(c) >> 4 == 6 ? TYPE_IPV6 : 0;
	default:
		return 0;
	}
	while (type == TYPE_VLAN || type == TYPE_QINQ || type == TYPE_QINQ_OLD) {
		(void)cur_u16(c);
		type = cur_u16(c);
	}
	return c->bad ? 0 : type;
}

enum { IP_TCP = 6, IP6_HOP = 0, IP6_ROUTING = 43, IP6_FRAGMENT = 44, IP6_DESTINATION = 60 };

/* What IP says is inside; `length` is that of the whole, though the file may hold less. */
struct ip_inside {
	struct cur cur;
	size_t length;
};

static enum capture_what read_ipv4(struct cur c, struct capture_segment *s, struct ip_inside *in)
{
	const size_t here = cur_left(&c);
	const size_t header = (cur_u8(&c) & 15u) * 4u;
	(void)cur_u8(&c);
	size_t total = cur_u16(&c);
	(void)cur_u16(&c);
	const unsigned fragment = cur_u16(&c) & 0x3fffu; /* offset and "more" */
	(void)cur_u8(&c);
	const unsigned protocol = cur_u8(&c);
	(void)cur_u16(&c);
	const struct view from = cur_bytes(&c, 4), to = cur_bytes(&c, 4);
	(void)cur_bytes(&c, header < 20 ? SIZE_MAX : header - 20);
	if (total == 0) /* the network card was to divide it: what was captured is all */
		total = here;
	if (c.bad || total < header)
		return CAPTURE_SHORT;
	if (protocol != IP_TCP)
		return CAPTURE_OTHER;
	if (fragment != 0)
		return CAPTURE_FRAGMENT;
	s->from.family = s->to.family = 4;
	memcpy(s->from.octets, from.p, 4);
	memcpy(s->to.octets, to.p, 4);
	*in = (struct ip_inside){ c, total - header };
	return CAPTURE_TCP;
}

static enum capture_what read_ipv6(struct cur c, struct capture_segment *s, struct ip_inside *in)
{
	(void)cur_u32(&c);
	size_t length = cur_u16(&c);
	unsigned next = cur_u8(&c);
	(void)cur_u8(&c);
	const struct view from = cur_bytes(&c, 16), to = cur_bytes(&c, 16);
	if (length == 0)
		length = cur_left(&c);
	while (!c.bad && (next == IP6_HOP || next == IP6_ROUTING || next == IP6_DESTINATION || next == IP6_FRAGMENT)) {
		const bool fragment = next == IP6_FRAGMENT;
		next = cur_u8(&c);
		const size_t n = cur_u8(&c) * 8u + 6u;
		if (fragment && (cur_u16(&c) & 0xfff9u) != 0) /* offset and "more": of a whole packet both are 0 */
			return CAPTURE_FRAGMENT;
		(void)cur_bytes(&c, fragment ? 4 : n);
		const size_t header = fragment ? 8 : n + 2;
		if (length < header)
			return CAPTURE_SHORT;
		length -= header;
	}
	if (c.bad)
		return CAPTURE_SHORT;
	if (next != IP_TCP)
		return CAPTURE_OTHER;
	s->from.family = s->to.family = 6;
	memcpy(s->from.octets, from.p, 16);
	memcpy(s->to.octets, to.p, 16);
	*in = (struct ip_inside){ c, length };
	return CAPTURE_TCP;
}

static enum capture_what read_tcp(struct ip_inside *in, struct capture_segment *s)
{
	struct cur c = cur_of(view_first(cur_rest(&in->cur), in->length)); /* Ethernet pads short frames */
	s->from.port = cur_u16(&c);
	s->to.port = cur_u16(&c);
	s->seq = cur_u32(&c);
	s->ack = cur_u32(&c);
	const size_t header = (cur_u8(&c) >> 4) * 4u;
	s->flags = cur_u8(&c);
	(void)cur_bytes(&c, header < 20 ? SIZE_MAX : header - 14);
	if (c.bad || in->length < header)
		return CAPTURE_SHORT;
	s->length = in->length - header;
	s->payload = cur_rest(&c);
	return CAPTURE_TCP;
}

enum capture_what capture_segment(const struct capture_packet *p, struct capture_segment *s_r)
{
	struct cur c = cur_of(p->octets);
	struct ip_inside in;
	*s_r = (struct capture_segment){ 0 };
	const unsigned type = link_header(p->link, &c);
	if (type != TYPE_IPV4 && type != TYPE_IPV6)
		return CAPTURE_OTHER;
	const enum capture_what what = type == TYPE_IPV4 ? read_ipv4(c, s_r, &in) : read_ipv6(c, s_r, &in);
	return what == CAPTURE_TCP ? read_tcp(&in, s_r) : what;
}

/* RFC 5952: the longest run of two or more zero groups is left out. */
static void print_ipv6(const uint8_t *p, struct out *o)
{
	int best = -1, best_n = 1;
	for (int i = 0; i < 8; i++) {
		int n = 0;
		while (i + n < 8 && p[2 * (i + n)] == 0 && p[2 * (i + n) + 1] == 0)
			n++;
		if (n > best_n) {
			best = i;
			best_n = n;
		}
	}
	for (int i = 0; i < 8; i++) {
		if (i == best) {
			out_str(o, "::");
			i += best_n - 1;
			continue;
		}
		out_fmt(o, "%s%x", i == 0 || i == best + best_n ? "" : ":", (unsigned)p[2 * i] << 8 | p[2 * i + 1]);
	}
}

void capture_address_print(const struct capture_address *a, struct out *o)
{
	if (a->family == 4) {
		out_fmt(o, "%u.%u.%u.%u:%u", a->octets[0], a->octets[1], a->octets[2], a->octets[3], a->port);
		return;
	}
	out_str(o, "[");
	print_ipv6(a->octets, o);
	out_fmt(o, "]:%u", a->port);
}
