/* decode.c - what kind of file it is, and the connections of a capture; see decode.h. */
#include "proc/tool/decode.h"

#include "base/mem.h"
#include "base/text.h"
#include "proc/tool/decode_stack.h"
#include "proc/tool/decode_tcp.h"

const char decode_help[] =
	"usage: posthorn decode FILE [--json] [--secrets] [--port N]... [--help]\n"
	"       posthorn decode --follow PREFIX [--json] [--secrets]\n"
	"\n"
	"Shows every layer of what is in FILE (`-`: standard input):\n"
	"  a capture     pcap or pcapng: TCP connections put in order, then TPKT, COTP, session, presentation, ACSE, RTSE,\n"
	"                the MTA bind, P1 and the content, connection by connection. A transfer is shown as a whole, over\n"
	"                all its pieces and checkpoints.\n"
	"  octets        TPKT packets of one side, a session TSDU, or BER values: an MTS-APDU, a P2 or P22 content, an APDU\n"
	"                of a layer between. Anything else that is BER is shown without names.\n"
	"  hex           the same as hexadecimal digits; blanks, colons and lines that begin with # are skipped. Lines of\n"
	"                one > or < say which side the TPKT packets after them are from.\n"
	"\n"
	"  --json        one JSON object a line\n"
	"  --secrets     show passwords, and damaged octets that may hold one\n"
	"  --port N      take connections of this port for ISO transport even if they do not look like it (up to 16 times)\n"
	"  --follow      the traces of a link (posthorn link trace) whose files begin with PREFIX, as they grow, until interrupted\n"
	"  --help        this text\n"
	"\n"
	"Each block begins with the seconds since the first packet, `>` for the side that opened the connection or `<` for\n"
	"the other, and what it is. Octets that are damaged, and packets that are not in the file, are named in a line\n"
	"`damaged:`; what follows is shown as far as it goes.\n"
	"\n"
	"Exit status: 0 all of it was read, 1 something was damaged or missing, 64 wrong usage, 66 the file cannot be read,\n"
	"74 the text cannot be written.\n";

static bool usage(struct err *e, const char *fmt, const char *what)
{
	char shown[64];
	return err_set(e, ERR_PERM, ERR_OF_PROCESS, fmt, text_escaped(shown, sizeof shown, view_str(what)));
}

static bool read_port(struct decode_options *o, const char *text, struct err *e)
{
	uint64_t port;
	if (text == NULL)
		return usage(e, "decode: --port without a number%s", "");
	if (!text_uint(view_str(text), UINT16_MAX, &port) || port == 0)
		return usage(e, "decode: port \"%s\", want 1 to 65535", text);
	if (o->n_ports == DECODE_PORTS_MAX)
		return usage(e, "decode: port \"%s\" is one too many, want at most 16", text);
	o->ports[o->n_ports++] = (uint16_t)port;
	return true;
}

bool decode_arguments(int argc, char **argv, struct decode_options *options_r, const char **path_r, struct err *e)
{
	struct decode_options o = { 0 };
	const char *path = NULL;
	bool help = false, only_files = false;
	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];
		if (only_files || arg[0] != '-' || arg[1] == 0) {
			if (path != NULL)
				return usage(e, "decode: a second file \"%s\", want one", arg);
			path = arg;
		} else if (strcmp(arg, "--") == 0) {
			only_files = true;
		} else if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
			help = true;
		} else if (strcmp(arg, "--json") == 0) {
			o.json = true;
		} else if (strcmp(arg, "--follow") == 0) {
			o.follow = true;
		} else if (strcmp(arg, "--secrets") == 0) {
			o.secrets = true;
		} else if (strncmp(arg, "--port=", 7) == 0) {
			if (!read_port(&o, arg + 7, e))
				return false;
		} else if (strcmp(arg, "--port") == 0) {
			if (!read_port(&o, i + 1 < argc ? argv[++i] : NULL, e))
				return false;
		} else {
			return usage(e, "decode: unknown option \"%s\"; --help lists them", arg);
		}
	}
	if (path == NULL && !help)
		return usage(e, "decode: no file named; `-` is standard input%s", "");
	*options_r = o;
	*path_r = help ? NULL : path;
	return true;
}

/* --- a capture --- */

struct playing {
	struct decode_stack stack;
	uint64_t first_ns;
};

static void at_time(struct playing *p, uint64_t time_ns, bool responder)
{
	p->stack.at.time_ns = time_ns - p->first_ns;
	p->stack.at.responder = responder;
}

static void on_octets(void *ctx, bool responder, struct view v, uint64_t time_ns)
{
	struct playing *p = ctx;
	at_time(p, time_ns, responder);
	decode_octets(&p->stack, responder, v);
}

static void on_note(void *ctx, bool responder, uint64_t time_ns, enum tcp_note note, uint64_t offset, uint64_t n)
{
	static const char *const names[] = {
		[TCP_OPENS] = "TCP SYN",
		[TCP_ACCEPTS] = "TCP SYN ACK",
		[TCP_ENDS] = "TCP FIN",
		[TCP_RESETS] = "TCP RST",
		[TCP_MIDDLE] = "TCP: the beginning is not in the capture",
		[TCP_AGAIN] = "TCP: sent again",
		[TCP_OVERLAP] = "TCP: overlap, the earlier octets count",
		[TCP_EARLY] = "TCP: out of order",
		[TCP_LOST] = "TCP: lost",
	};
	struct playing *p = ctx;
	struct show *s = p->stack.show;
	at_time(p, time_ns, responder);
	show_event(s, &p->stack.at, names[note]);
	if (note == TCP_LOST)
		show_damaged(s, "tcp: %llu octets from offset %llu on are not in the capture", (unsigned long long)n,
			     (unsigned long long)offset);
	if (note == TCP_AGAIN || note == TCP_OVERLAP || note == TCP_EARLY) {
		show_uint(s, note == TCP_EARLY ? "octets before it" : "octets", n);
		show_uint(s, "offset", offset);
	}
	show_event_end(s);
	if (note == TCP_LOST)
		decode_gap(&p->stack, responder);
}

static void show_address(struct show *s, const char *key, const struct capture_address *a)
{
	struct out o;
	out_init(&o, 128);
	capture_address_print(a, &o);
	show_fmt(s, key, "%s", out_cstr(&o));
	out_fini(&o);
}

static bool is_port(const struct decode_options *options, const struct tcp_connection *c)
{
	for (size_t i = 0; i < options->n_ports; i++)
		if (options->ports[i] == c->initiator.port || options->ports[i] == c->responder.port)
			return true;
	return false;
}

static void play(const struct tcp_index *x, size_t i, struct show *s, const struct decode_options *options, bool nano,
		 struct decode_stash *stash)
{
	const struct tcp_connection *c = &x->connections[i];
	struct show_at at = { .has_time = true, .nano = nano, .connection = i + 1, .time_ns = c->first_ns - x->first_ns };
	const bool ours = is_port(options, c) || tcp_any(x, i, decode_is_tpkt);
	show_event(s, &at, "CONNECTION");
	if (!s->json)
		show_uint(s, "number", i + 1);
	show_address(s, "initiator", &c->initiator);
	show_address(s, "responder", &c->responder);
	show_uint(s, "packets", c->n);
	if (!ours)
		show_fmt(s, "not decoded", "does not look like ISO transport (RFC 1006)");
	show_event_end(s);
	if (!ours) {
		s->totals->other_connections++;
		return;
	}
	at.has_side = true;
	struct playing *p = mem_zero(sizeof *p);
	p->first_ns = x->first_ns;
	decode_stack_init(&p->stack, s, options, &at, stash);
	const struct tcp_player player = { p, on_octets, on_note };
	tcp_play(x, i, &player);
	decode_end(&p->stack);
	decode_stack_fini(&p->stack);
	MEM_FREE(p);
}

static void show_head(struct show *s, const struct capture_file *f, const struct tcp_index *x)
{
	const struct show_at none = { 0 };
	show_event(s, &none, "CAPTURE");
	show_fmt(s, "format", "%s", f->format == CAPTURE_PCAPNG ? "pcapng" : f->nano ? "pcap, nanoseconds" : "pcap");
	show_fmt(s, "byte order", "%s", f->little ? "little-endian" : "big-endian");
	show_int(s, "link type", x->link, capture_link_name(x->link));
	show_uint(s, "packets", x->seen);
	show_fmt(s, "first packet", "%llu.%09llu seconds since 1970 UTC", (unsigned long long)(x->first_ns / 1000000000u),
		 (unsigned long long)(x->first_ns % 1000000000u));
	if (x->other > 0)
		show_uint(s, "packets without TCP", x->other);
	if (x->fragments > 0)
		show_damaged(s, "capture: %zu IP fragments, which are not joined", x->fragments);
	else if (x->cut > 0)
		show_damaged(s, "capture: %zu packets with headers cut short", x->cut);
	show_event_end(s);
}

static void decode_capture(struct view file, const struct decode_options *options, struct show *s)
{
	const struct show_at none = { 0 };
	struct decode_stash stash = { .n = 0 };
	struct capture_file f;
	struct tcp_index x;
	struct err e;
	if (!capture_open(file, &f, &e)) {
		show_event(s, &none, "CAPTURE");
		show_damaged(s, "%s", e.text);
		show_event_end(s);
		return;
	}
	const bool whole = tcp_index_init(&x, &f, options->ports, options->n_ports, &e);
	s->totals->packets = x.seen;
	s->totals->skipped = x.other + x.fragments + x.cut;
	s->totals->connections = x.n_connections;
	show_head(s, &f, &x);
	for (size_t i = 0; i < x.n_connections; i++)
		play(&x, i, s, options, f.nano, &stash);
	if (!whole) {
		show_event(s, &none, "CAPTURE");
		show_damaged(s, "%s", e.text);
		show_event_end(s);
	}
	tcp_index_fini(&x);
	decode_stash_fini(&stash);
}

/* --- octets --- */

static void decode_plain(struct view v, const struct decode_options *options, struct show *s)
{
	const struct show_at none = { 0 };
	struct decode_stack *d = mem_zero(sizeof *d);
	struct decode_stash stash = { .n = 0 };
	decode_stack_init(d, s, options, &none, &stash);
	if (decode_is_tpkt(v))
		decode_octets(d, false, v);
	else if (decode_is_tsdu(v))
		decode_tsdu(d, false, v, false);
	else
		decode_values(d, v);
	decode_end(d);
	decode_stack_fini(d);
	decode_stash_fini(&stash);
	MEM_FREE(d);
}

/* Digits of one line, blanks and colons skipped; false: an odd number, or something else. */
static bool unhex_line(struct view line, struct out *o)
{
	struct out plain;
	out_init(&plain, line.n + 1);
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] != ':')
			out_u8(&plain, line.p[i]);
	const bool ok = text_unhex(o, out_view(&plain));
	out_fini(&plain);
	return ok;
}

static struct view take_line(struct view *text)
{
	size_t n = 0;
	while (n < text->n && text->p[n] != '\n')
		n++;
	const struct view line = view_first(*text, n);
	*text = view_from(*text, n + 1);
	return line.n > 0 && line.p[line.n - 1] == '\r' ? view_first(line, line.n - 1) : line;
}

/* A line of its own that says whose octets follow. */
static bool is_side(struct view line)
{
	return line.n == 1 && (line.p[0] == '>' || line.p[0] == '<');
}

static bool is_remark(struct view line)
{
	return line.n > 0 && line.p[0] == '#';
}

/* Is all of it lines of digits, remarks and sides? *sides_r: some line names a side. The octets go to *o, without regard to
 * sides; without any, digits may go on over line ends. */
static bool read_hex(struct view text, struct out *o, bool *sides_r)
{
	struct out digits;
	bool ok = true;
	out_init(&digits, text.n + 1);
	*sides_r = false;
	while (text.n > 0 && ok) {
		const struct view line = take_line(&text);
		if (is_side(line))
			*sides_r = true;
		else if (!is_remark(line))
			out_bytes(&digits, line);
		for (size_t i = 0; i < line.n && ok && !is_remark(line) && !is_side(line); i++)
			ok = strchr("0123456789abcdefABCDEF: \t", line.p[i]) != NULL && line.p[i] != 0;
	}
	ok = ok && unhex_line(out_view(&digits), o) && out_len(o) > 0;
	out_fini(&digits);
	return ok;
}

/* TPKT packets of both sides; what stands before the first line that names one is the initiator's. */
static void decode_sides(struct view text, const struct decode_options *options, struct show *s)
{
	const struct show_at at = { .has_side = true };
	struct decode_stack *d = mem_zero(sizeof *d);
	struct out octets;
	bool responder = false;
	struct decode_stash stash = { .n = 0 };
	decode_stack_init(d, s, options, &at, &stash);
	out_init(&octets, text.n + 1);
	while (text.n > 0) {
		const struct view line = take_line(&text);
		if (is_side(line))
			responder = line.p[0] == '<';
		if (is_side(line) || is_remark(line))
			continue;
		out_clear(&octets);
		if (unhex_line(line, &octets)) {
			decode_octets(d, responder, out_view(&octets));
			continue;
		}
		show_event(s, &at, "OCTETS");
		show_damaged(s, "hex: a line of %zu characters, want pairs of digits", line.n);
		show_event_end(s);
		decode_gap(d, responder);
	}
	decode_end(d);
	decode_stack_fini(d);
	decode_stash_fini(&stash);
	out_fini(&octets);
	MEM_FREE(d);
}

static void decode_any(struct view v, const struct decode_options *options, struct show *s)
{
	if (capture_is(v))
		decode_capture(v, options, s);
	else
		decode_plain(v, options, s);
}

static void show_totals(struct show *s)
{
	const struct show_at none = { 0 };
	const struct decode_totals *t = s->totals;
	show_event(s, &none, "SUMMARY");
	if (t->packets > 0) {
		show_uint(s, "packets", t->packets);
		show_uint(s, "connections", t->connections);
	}
	if (t->other_connections > 0)
		show_uint(s, "connections of other protocols", t->other_connections);
	show_uint(s, "messages", t->messages);
	show_uint(s, "reports", t->reports);
	show_uint(s, "probes", t->probes);
	show_uint(s, "sentences about damage", t->damaged);
	show_event_end(s);
}

bool decode_file(struct view file, const struct decode_options *options, decode_write_f *write, void *ctx,
		 struct decode_totals *totals_r)
{
	struct show s;
	struct out binary;
	bool sides;
	*totals_r = (struct decode_totals){ 0 };
	show_init(&s, options, write, ctx, totals_r);
	out_init(&binary, file.n);
	if (file.n == 0) {
		const struct show_at none = { 0 };
		show_event(&s, &none, "OCTETS");
		show_damaged(&s, "decode: the file is empty");
		show_event_end(&s);
	} else if (read_hex(file, &binary, &sides)) {
		if (sides)
			decode_sides(file, options, &s);
		else
			decode_any(out_view(&binary), options, &s);
	} else {
		decode_any(file, options, &s);
	}
	show_totals(&s);
	show_fini(&s);
	out_fini(&binary);
	return totals_r->damaged == 0;
}
