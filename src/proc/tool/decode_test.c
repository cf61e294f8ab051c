/* decode_test.c - captures, octets and hex through decode. Expected values come from the captures (the two of the Wireshark
 * wiki, two of ISODE/PP; read with tshark) and from the formats' descriptions, by which decode_testing.h makes files. */
#include "flow/codec/ber/ber.h"
#include "proc/tool/decode_testing.h"

#include <jansson.h>

static const struct decode_options plain;

/* --- real captures --- */

static void check_capture(const char *name, size_t connections, size_t messages)
{
	struct out file = real_capture(name);
	struct decoded d = run_decode(out_view(&file), &plain);
	assert_true(d.whole);
	assert_has_not(&d, "damaged:");
	assert_int_equal(d.totals.connections, connections);
	assert_int_equal(d.totals.messages, messages);
	assert_int_equal(d.totals.other_connections, 0);
	decoded_fini(&d);
	out_fini(&file);
}

/* Counts as the captures' README says, and tshark -Y 'x411.message_element' (messages), tcp.stream (connections). */
static void test_captures_decode_completely(void **state)
{
	(void)state;
	check_capture("x400-ping-success.pcap", 1, 0);
	check_capture("p772-transfer-success.pcap", 2, 1);
	check_capture("pp-normal-mode.pcap", 4, 4);
	check_capture("pp-checkpoints.pcap", 1, 1);
}

/* tshark -V of the P772 capture. */
static void test_p772(void **state)
{
	(void)state;
	static const char *const wants[] = {
		"link type: 1 (Ethernet)", "packets: 29", "192.168.0.3:2288", "192.168.0.4:102",
		"calling TSEL: \"X400-88\"", "source reference: 0de0", "source reference: 047c",
		"REFUSE", "error: 0 (busy)", "recover", "common reference: \"051001145108Z\"",
		"functional units: half-duplex, minor synchronize, activity management, exceptions",
		"abstract syntax: 2.6.0.2.12 (id-as-mta-rtse)", "application context: 2.6.0.1.6 (mts-transfer)",
		"checkpoint size: 63", "mta-name: \"percival.smhs.co.uk\"", "mta-name: \"guinevere.smhs.co.uk\"",
		"password: (9 octets)", "password: (6 octets)",
		"mts-id: C=gb;A= ;P=smhs;L=percival.s:055680:20051001113050", "content type: 1.3.26.0.4406.0.4.1 (P772",
		"surname \"gal\"", "organization-name \"guinevere\"", "CommonName : \"ethereal\"", "standard-extension : internal-trace-information",
		"private-extension : {1 3 26 0 4406 0 8 0}", "arrival-time \"051001113050Z\"", "subject \"P772 Message\"", "MMHSPrecedence : immediate", "type exercise", "data \"hello\\x0d\\x0a\"",
		"cotp: DT, 3 of them", "acse: RLRE",
	};
	struct out file = real_capture("p772-transfer-success.pcap");
	struct decoded d = run_decode(out_view(&file), &plain);
	for (size_t i = 0; i < ARRAY_LEN(wants); i++)
		assert_has(&d, wants[i]);
	assert_has_not(&d, "excalibur"); /* the password */
	decoded_fini(&d);
	struct decode_options secrets = { .secrets = true };
	d = run_decode(out_view(&file), &secrets);
	assert_has(&d, "password: \"excalibur\"");
	decoded_fini(&d);
	out_fini(&file);
}

/* 200 KB in pieces of 1 KB: tshark counts 201 RTSE fragments and 200 MIP SPDUs there. */
static void test_checkpoints(void **state)
{
	(void)state;
	struct out file = real_capture("pp-checkpoints.pcap");
	struct decoded d = run_decode(out_view(&file), &plain);
	assert_int_equal(count_text(&d, "> MESSAGE\n"), 1);
	assert_has(&d, "transfer: ended");
	const char *transfer = strstr(out_cstr(&d.text), "transfer: ended");
	unsigned octets, pieces, checkpoints;
	assert_int_equal(sscanf(transfer, "transfer: ended octets: %u pieces: %u checkpoints: %u", &octets, &pieces, &checkpoints), 3);
	assert_true(octets > 200000 && octets < 210000);
	assert_int_equal(pieces, count_text(&d, "rtse: RTTR\n"));
	assert_int_equal(checkpoints, count_text(&d, "> MINOR SYNC POINT\n"));
	assert_true(pieces == checkpoints + 1);
	decoded_fini(&d);
	out_fini(&file);
}

/* --- every form of capture says the same --- */

/* What stands after the head of the capture. */
static char *body_of(struct decoded *d)
{
	const char *at = strstr(out_cstr(&d->text), "0.000000");
	assert_non_null(at);
	return mem_strdup(at);
}

static struct pcap capture_of(const struct flights *f, enum pcap_form form, enum pcap_link link, bool vlan, bool ipv6, size_t piece)
{
	struct pcap p;
	pcap_init(&p, form, link);
	p.vlan = vlan;
	p.ipv6 = ipv6;
	put_open(&p);
	put_flights(&p, f, piece);
	put_close(&p);
	return p;
}

static void test_every_form_of_capture(void **state)
{
	(void)state;
	static const struct {
		enum pcap_form form;
		enum pcap_link link;
		bool vlan;
		const char *says;
	} rows[] = {
		{ FORM_LITTLE, LINK_IS_ETHERNET, false, "link type: 1 (Ethernet)" },
		{ FORM_BIG, LINK_IS_ETHERNET, false, "byte order: big-endian" },
		{ FORM_LITTLE, LINK_IS_ETHERNET, true, "link type: 1 (Ethernet)" },
		{ FORM_LITTLE, LINK_IS_SLL, false, "link type: 113 (Linux cooked v1)" },
		{ FORM_BIG, LINK_IS_SLL2, false, "link type: 276 (Linux cooked v2)" },
		{ FORM_LITTLE, LINK_IS_RAW, false, "link type: 101 (raw IP)" },
		{ FORM_LITTLE, LINK_IS_NULL, false, "link type: 0 (BSD null)" },
		{ FORM_BIG, LINK_IS_LOOP, false, "link type: 108 (BSD loopback)" },
	};
	struct flights *f = load_flights("pp-message");
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		char *first = NULL;
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			struct pcap p = capture_of(f, rows[i].form, rows[i].link, rows[i].vlan, ipv6 == 1, 65000);
			struct decoded d = run_decode(out_view(&p.file), &plain);
			assert_true(d.whole && d.totals.messages == 1 && d.totals.connections == 1);
			assert_has(&d, rows[i].says);
			assert_has(&d, ipv6 == 1 ? "initiator: [2001:db8::1]:2288" : "initiator: 192.0.2.1:2288");
			char *body = body_of(&d);
			if (first == NULL)
				first = mem_strdup(body);
			assert_string_equal(body, first);
			free(body);
			decoded_fini(&d);
			out_fini(&p.file);
		}
		free(first);
	}
	free_flights(&f);
}

/* Times with nine digits: one millisecond a packet, the third is the handshake's last. */
static void test_nanoseconds(void **state)
{
	(void)state;
	static const enum pcap_form forms[] = { FORM_LITTLE_NANO, FORM_BIG_NANO, FORM_NG_LITTLE, FORM_NG_BIG };
	struct flights *f = load_flights("pp-message");
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct pcap p = capture_of(f, forms[i], LINK_IS_ETHERNET, false, false, 65000);
		struct decoded d = run_decode(out_view(&p.file), &plain);
		assert_true(d.whole && d.totals.messages == 1);
		assert_has(&d, "0.001000000 < TCP SYN ACK");
		assert_has(&d, "0.003000000 > CR\n");
		assert_has(&d, i < 2 ? "format: pcap, nanoseconds" : "format: pcapng");
		decoded_fini(&d);
		out_fini(&p.file);
	}
	free_flights(&f);
}

/* --- TCP --- */

/* What does not depend on how the octets were divided: without times, numbers of packets and what TCP says. */
static char *without_times(struct decoded *d)
{
	struct out o;
	bool skip_event = false;
	out_init(&o, 1 << 26);
	char *text = mem_strdup(out_cstr(&d->text)), *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] != ' ')
			skip_event = strstr(line, " TCP") != NULL;
		if (skip_event || strstr(line, "    packets:") == line)
			continue;
		out_str(&o, line[0] >= '0' && line[0] <= '9' ? strchr(line, ' ') : line);
		out_u8(&o, '\n');
	}
	free(text);
	char *kept = mem_strdup(out_cstr(&o));
	out_fini(&o);
	return kept;
}

static void test_segments_of_any_size(void **state)
{
	(void)state;
	static const size_t pieces[] = { 1, 2, 3, 7, 100, 1460 };
	struct flights *f = load_flights("p772-message");
	struct pcap p = capture_of(f, FORM_LITTLE, LINK_IS_RAW, false, false, 65000);
	struct decoded d = run_decode(out_view(&p.file), &plain);
	assert_int_equal(d.totals.messages, 1);
	char *want = without_times(&d);
	decoded_fini(&d);
	out_fini(&p.file);
	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		p = capture_of(f, FORM_LITTLE, LINK_IS_RAW, false, false, pieces[i]);
		d = run_decode(out_view(&p.file), &plain);
		assert_true(d.whole);
		char *got = without_times(&d);
		assert_string_equal(got, want);
		free(got);
		decoded_fini(&d);
		out_fini(&p.file);
	}
	free(want);
	free_flights(&f);
}

/* The initiator's octets, two segments at a time in the wrong order, every third sent again; sequence numbers wrap. */
static void put_disorder(struct pcap *p, bool responder, struct view v)
{
	enum { PIECE = 50 };
	while (v.n > 0) {
		const struct view one = view_first(v, PIECE), two = view_first(view_from(v, PIECE), PIECE);
		if (two.n > 0)
			put_segment(p, responder, p->seq[responder] + (uint32_t)one.n, ACK, two);
		put_segment(p, responder, p->seq[responder], ACK, one);
		if (two.n > 0) /* overlap: both again in one, two octets into `one` */
			put_segment(p, responder, p->seq[responder] + 2, ACK, view_first(view_from(v, 2), one.n + two.n - 2));
		p->seq[responder] += (uint32_t)(one.n + two.n);
		v = view_from(v, one.n + two.n);
	}
}

static void test_disorder(void **state)
{
	(void)state;
	struct flights *f = load_flights("p772-message");
	struct pcap p = capture_of(f, FORM_LITTLE, LINK_IS_RAW, false, false, 65000);
	struct decoded d = run_decode(out_view(&p.file), &plain);
	char *want = without_times(&d);
	decoded_fini(&d);
	out_fini(&p.file);
	pcap_init(&p, FORM_LITTLE, LINK_IS_RAW);
	put_open(&p);
	for (size_t i = 0; i < f->n; i++)
		put_disorder(&p, f->v[i].responder, out_view(&f->v[i].octets));
	put_close(&p);
	d = run_decode(out_view(&p.file), &plain);
	assert_true(d.whole && d.totals.messages == 1);
	assert_has(&d, "TCP: out of order");
	assert_has(&d, "TCP: sent again");
	assert_has(&d, "octets before it: 50");
	char *got = without_times(&d);
	assert_string_equal(got, want);
	free(got);
	free(want);
	decoded_fini(&d);
	out_fini(&p.file);
	free_flights(&f);
}

/* Overlap: the octets that came first count (the later ones are others). */
static void test_overlap_keeps_the_first(void **state)
{
	(void)state;
	struct flights *f = load_flights("ping");
	struct pcap p;
	pcap_init(&p, FORM_LITTLE, LINK_IS_RAW);
	put_open(&p);
	const struct view cr = out_view(&f->v[0].octets);
	put_segment(&p, false, p.seq[0], ACK, view_first(cr, 20));
	uint8_t *other = mem_dup(cr.p, cr.n);
	memset(other, 'Z', 20);
	put_segment(&p, false, p.seq[0], ACK, view_of(other, cr.n));
	free(other);
	p.seq[0] += (uint32_t)cr.n;
	for (size_t i = 1; i < f->n; i++)
		put_data(&p, f->v[i].responder, out_view(&f->v[i].octets), 65000);
	put_close(&p);
	struct decoded d = run_decode(out_view(&p.file), &plain);
	assert_true(d.whole);
	assert_has(&d, "TCP: overlap, the earlier octets count\n    octets: 20\n");
	assert_has(&d, "calling TSEL: \"X400-88\"");
	assert_has(&d, "acse: RLRE");
	decoded_fini(&d);
	out_fini(&p.file);
	free_flights(&f);
}

/* One segment is not there: it is named, the rest is decoded, the message is shown as far as it goes. */
static void test_lost_segment(void **state)
{
	(void)state;
	struct flights *f = load_flights("p772-message");
	struct pcap p;
	pcap_init(&p, FORM_LITTLE, LINK_IS_RAW);
	put_open(&p);
	for (size_t i = 0; i < f->n; i++) {
		const struct view v = out_view(&f->v[i].octets);
		const bool message = v.n > 800;
		put_data(&p, f->v[i].responder, message ? view_first(v, 600) : v, 65000);
		if (message) {
			p.seq[0] += 40;
			put_data(&p, false, view_from(v, 640), 65000);
		}
	}
	put_close(&p);
	struct decoded d = run_decode(out_view(&p.file), &plain);
	assert_false(d.whole);
	assert_has(&d, "damaged: tcp: 40 octets from offset");
	assert_has(&d, "octets of RTTR that could be read: "); /* of the first TPDU */
	assert_has(&d, "TRANSFER\n    transfer: ended");
	assert_has(&d, "surname \"gal\"");      /* the envelope is in it */
	assert_has(&d, "> ACTIVITY END");         /* behind the gap */
	assert_has(&d, "acse: RLRE");
	assert_int_equal(d.totals.messages, 0);
	decoded_fini(&d);
	out_fini(&p.file);
	free_flights(&f);
}

/* The same loss, found while packets still come: the peer has confirmed what stands behind the gap. */
static void test_gap_is_given_up_when_confirmed(void **state)
{
	(void)state;
	const struct view none = { NULL, 0 };
	struct flights *f = load_flights("ping");
	struct pcap p;
	pcap_init(&p, FORM_LITTLE, LINK_IS_RAW);
	put_open(&p);
	p.seq[0] += 10; /* lost */
	put_data(&p, false, out_view(&f->v[0].octets), 65000);
	for (int i = 0; i < 40; i++)
		put_segment(&p, true, p.seq[1], ACK, none);
	put_data(&p, true, out_view(&f->v[1].octets), 65000);
	struct decoded d = run_decode(out_view(&p.file), &plain);
	const char *cr = strstr(out_cstr(&d.text), " > CR"), *cc = strstr(out_cstr(&d.text), " < CC");
	assert_true(cr != NULL && cc != NULL && cr < cc);
	assert_has(&d, "damaged: tcp: 10 octets from offset 0");
	decoded_fini(&d);
	out_fini(&p.file);
	free_flights(&f);
}

/* The end of a side is missing, which only the other's confirmation tells. */
static void test_lost_at_the_end(void **state)
{
	(void)state;
	struct flights *f = load_flights("ping");
	struct pcap p;
	pcap_init(&p, FORM_LITTLE, LINK_IS_RAW);
	put_open(&p);
	put_data(&p, false, out_view(&f->v[0].octets), 65000);
	p.seq[0] += 77;
	put_data(&p, true, out_view(&f->v[1].octets), 65000);
	struct decoded d = run_decode(out_view(&p.file), &plain);
	assert_has(&d, "damaged: tcp: 77 octets from offset 29");
	decoded_fini(&d);
	out_fini(&p.file);
	free_flights(&f);
}

/* A capture that begins in the middle: who called is told by the port, transfers by what is in them. */
static void test_without_the_beginning(void **state)
{
	(void)state;
	struct flights *f = load_flights("pp-message");
	for (int with_port = 0; with_port < 2; with_port++) {
		struct pcap p;
		pcap_init(&p, FORM_LITTLE, LINK_IS_RAW);
		p.port[0] = 100;
		if (with_port == 0)
			p.port[1] = 102;
		for (size_t i = 4; i < f->n; i++) { /* from the message on, without the ACTIVITY START before it */
			const struct view v = out_view(&f->v[i].octets);
			put_data(&p, f->v[i].responder, i == 4 ? view_from(v, (size_t)v.p[2] << 8 | v.p[3]) : v, 65000);
		}
		const struct decode_options options = { .ports = { 10102 }, .n_ports = 1 };
		struct decoded d = run_decode(out_view(&p.file), &options);
		assert_has(&d, with_port == 1 ? "responder: 192.0.2.2:10102" : "responder: 192.0.2.2:102\n");
		assert_has(&d, "> TCP: the beginning is not in the capture");
		assert_has(&d, "note: its ACTIVITY START is not in these octets");
		assert_int_equal(d.totals.messages, 1);
		assert_true(d.whole);
		decoded_fini(&d);
		out_fini(&p.file);
	}
	free_flights(&f);
}

static void test_other_protocols(void **state)
{
	(void)state;
	struct pcap p;
	pcap_init(&p, FORM_LITTLE, LINK_IS_ETHERNET);
	put_open(&p);
	put_data(&p, true, VIEW("220 mail.example ESMTP\r\n"), 65000);
	put_close(&p);
	struct decoded d = run_decode(out_view(&p.file), &plain);
	assert_true(d.whole);
	assert_int_equal(d.totals.other_connections, 1);
	assert_has(&d, "not decoded: does not look like ISO transport");
	decoded_fini(&d);
	/* Asked for by its port it is taken at its word. */
	const struct decode_options options = { .ports = { 10102 }, .n_ports = 1 };
	d = run_decode(out_view(&p.file), &options);
	assert_false(d.whole);
	assert_has(&d, "damaged: tpkt: version 50");
	decoded_fini(&d);
	out_fini(&p.file);
}

/* The same ports again: two connections, as tshark counts streams. */
static void test_ports_used_again(void **state)
{
	(void)state;
	struct flights *f = load_flights("ping");
	struct pcap p;
	pcap_init(&p, FORM_LITTLE, LINK_IS_ETHERNET);
	for (int i = 0; i < 2; i++) {
		put_open(&p);
		put_flights(&p, f, 65000);
		put_close(&p);
		p.seq[0] += 5000;
		p.seq[1] += 5000;
	}
	struct decoded d = run_decode(out_view(&p.file), &plain);
	assert_true(d.whole);
	assert_int_equal(d.totals.connections, 2);
	assert_int_equal(count_text(&d, "acse: RLRE"), 2);
	decoded_fini(&d);
	out_fini(&p.file);
	free_flights(&f);
}

/* --- octets and hex --- */

static void test_hex_of_both_sides(void **state)
{
	(void)state;
	static const char *const names[] = { "ping", "p772-message", "p772-recover-refused", "pp-message", "pp-message-3",
					     "pp-checkpoints" };
	static const size_t messages[] = { 0, 1, 0, 1, 1, 0 };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct out text = fixture(names[i]);
		struct decoded d = run_decode(out_view(&text), &plain);
		assert_int_equal(d.whole, i < 5); /* the last ends inside its transfer */
		assert_int_equal(d.totals.messages, messages[i]);
		assert_has(&d, " > CR\n");
		assert_has(&d, " < CC\n");
		decoded_fini(&d);
		out_fini(&text);
	}
}

static void test_one_side_in_octets(void **state)
{
	(void)state;
	struct flights *f = load_flights("p772-message");
	struct out one;
	out_init(&one, 1 << 20);
	for (size_t i = 0; i < f->n; i++)
		if (!f->v[i].responder)
			out_bytes(&one, out_view(&f->v[i].octets));
	struct decoded d = run_decode(out_view(&one), &plain);
	assert_true(d.whole && d.totals.messages == 1);
	decoded_fini(&d);
	struct out hex;
	out_init(&hex, 1 << 20);
	text_hex(&hex, out_view(&one));
	d = run_decode(out_view(&hex), &plain);
	assert_true(d.whole && d.totals.messages == 1);
	decoded_fini(&d);
	out_fini(&hex);
	out_fini(&one);
	free_flights(&f);
}

/* --- values --- */

static struct out from_hex(const char *hex)
{
	struct out o;
	out_init(&o, 1 << 20);
	assert_true(text_unhex(&o, view_str(hex)));
	return o;
}

/* A probe written by X.411's ASN.1: [2] SET { MTS-identifier, originator, content-type 22, trace, one recipient }. */
static const char probe[] =
	"a28182"
	"   6416 630f 6104 13024742 6203 130120 13025031 16036c2d31"                                 /* MTS-identifier */
	"   6018 3016 6104 13024742 6203 130120 a203 130150 a504 80024849"                           /* originator */
	"   460116"                                                                                    /* content-type */
	"   6926 3024 630e 6104 13024742 6203 130120 130150 3112 800d3236303130323033303430355a 820100" /* trace */
	"   a223 3121 6018 3016 6104 13024742 6203 130120 a203 130150 a504 80024849 800101 81020098"; /* recipient 1 */

static void test_values(void **state)
{
	(void)state;
	static const struct {
		const char *hex, *event, *says;
	} rows[] = {
		{ "6203 800100", "APDU\n", "acse: RLRQ\n      reason: 0 (normal)" },                     /* X.227 9.4 */
		{ "6303 80011e", "APDU\n", "reason: 30 (user-defined)" },
		{ "b603 800103", "APDU\n", "reason: 3 (temporaryProblem)" },                              /* X.228: RTAB */
		{ "b215 a113 b211 020102 0c0c 000000000000000000000000", "APDU\n", "damaged: mta bind: " }, /* more than an error */
		{ "b207 a105 b203 020102", "APDU\n", "error: 2 (authentication-error)" },                 /* RTORJ, [18], X.411 annex */
		{ "b204 a102 0500", "APDU\n", "mta bind: " },
		{ "b10a a008 8006 313233343536", "APDU\n", "damaged: mta bind: neither" },                /* no alternative [0] */
		{ "0101ff", "APDU\n", "BOOLEAN" },                                                        /* any BER */
		{ "020105 020106", "APDU\n", "INTEGER" },
		{ "0d00", "CONNECT\n", "session: CONNECT (CN)" },
		{ "0100 2d05 2903 020101", "ACTIVITY START\n", "activity identifier: 1" },               /* capture p772 */
		{ "0200 2a03 2a0131", "ACTIVITY END ACK\n", "serial number: \"1\"" },
		{ "1903 110104", "ABORT\n", "transport disconnect: protocol error" },                     /* X.225 8.3.9 */
		{ "0c03 320181", "REFUSE\n", "reason: 129 (session selector unknown)" },                  /* X.225 8.3.5.10 */
		{ "0300 000b 06d0 0de0 047c 00", "CC\n", "source reference: 047c" },                      /* capture p772 */
		{ "0300 000b 0680 423e 423d 80", "DR\n", "reason: 128 (" },                                /* capture pp-normal-mode */
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct out o = from_hex(rows[i].hex);
		struct decoded d = run_decode(out_view(&o), &plain);
		assert_has(&d, rows[i].event);
		assert_has(&d, rows[i].says);
		decoded_fini(&d);
		d = run_decode(view_str(rows[i].hex), &plain); /* the same as text */
		assert_has(&d, rows[i].says);
		decoded_fini(&d);
		out_fini(&o);
	}
	struct decoded d = run_decode(view_str(probe), &plain);
	assert_has(&d, "PROBE\n");
	assert_has(&d, "mts-id: C=GB;A= ;P=P1;L=l-1");
	assert_int_equal(d.totals.probes, 1);
	decoded_fini(&d);
}

/* A content alone: X.420's [0] with an IPM identifier (APPLICATION 11), subject and one IA5 body part. */
static void test_content_alone(void **state)
{
	(void)state;
	struct decoded d = run_decode(VIEW("a01b 310c 6b04 1302 6d31 a804 1402 4869 300b a009 3100 1605 6865"), &plain);
	assert_false(d.whole); /* cut */
	decoded_fini(&d);
	d = run_decode(VIEW("a01b 310c 6b04 1302 6d31 a804 1402 4869 300b a009 3100 1605 68656c6c6f"), &plain);
	assert_true(d.whole);
	assert_has(&d, "CONTENT\n");
	assert_has(&d, "user-relative-identifier \"m1\"");
	assert_has(&d, "subject \"Hi\"");
	assert_has(&d, "data \"hello\"");
	decoded_fini(&d);
}

static void test_not_ber(void **state)
{
	(void)state;
	struct decoded d = run_decode(VIEW("GET / HTTP/1.0\r\n"), &plain);
	assert_false(d.whole);
	assert_has(&d, "OCTETS\n    damaged: ");
	decoded_fini(&d);
	d = run_decode((struct view){ (const uint8_t *)"", 0 }, &plain);
	assert_has(&d, "damaged: decode: the file is empty");
	decoded_fini(&d);
	/* A damaged line among lines that name sides. */
	d = run_decode(VIEW(">\n0300000b06d00de0047c00\n<\n030\n0\n"), &plain);
	assert_has(&d, "damaged: hex: a line of 3 characters");
	decoded_fini(&d);
}

/* --- JSON --- */

static void each_line(struct decoded *d, void (*check)(json_t *line, void *ctx), void *ctx)
{
	const char *p = out_cstr(&d->text);
	while (*p != 0) {
		json_error_t e;
		const char *end = strchr(p, '\n');
		assert_non_null(end);
		json_t *line = json_loadb(p, (size_t)(end - p), JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &e);
		if (line == NULL)
			fail_msg("%s at %d in %.500s", e.text, e.position, p);
		check(line, ctx);
		json_decref(line);
		p = end + 1;
	}
}

struct seen {
	size_t lines, messages;
	double last_time;
	bool bound;
};

static void check_line(json_t *line, void *ctx)
{
	struct seen *seen = ctx;
	json_t *p1 = json_object_get(line, "p1"), *time = json_object_get(line, "time");
	const char *event = json_string_value(json_object_get(line, "event"));
	assert_non_null(event);
	seen->lines++;
	if (time != NULL) {
		assert_true(json_number_value(time) >= seen->last_time || strcmp(event, "CONNECTION") == 0);
		seen->last_time = json_number_value(time);
		assert_true(json_is_integer(json_object_get(line, "connection")));
	}
	if (strcmp(event, "MESSAGE") == 0) {
		json_t *apdu = json_object_get(p1, "mts-apdu"), *content = json_object_get(line, "content");
		assert_true(json_is_object(json_object_get(apdu, "message")));
		assert_true(json_is_object(json_object_get(json_object_get(content, "information-object"), "ipm")));
		assert_true(json_array_size(json_object_get(p1, "recipients")) > 0);
		seen->messages++;
	}
	if (strcmp(event, "CONNECT") == 0) {
		json_t *spdu = json_array_get(json_object_get(line, "session"), 0);
		assert_string_equal(json_string_value(json_object_get(spdu, "name")), "CONNECT (CN)");
		assert_string_equal(json_string_value(json_object_get(line, "from")), "initiator");
		seen->bound = true;
	}
}

static void test_json_lines(void **state)
{
	(void)state;
	static const char *const names[] = { "pp-message", "p772-message", "p772-recover-refused" };
	const struct decode_options options = { .json = true };
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct flights *f = load_flights(names[i]);
		struct pcap p = capture_of(f, FORM_BIG, LINK_IS_ETHERNET, false, true, 33);
		struct decoded d = run_decode(out_view(&p.file), &options);
		struct seen seen = { 0 };
		assert_true(d.whole);
		each_line(&d, check_line, &seen);
		assert_true(seen.bound && seen.lines > 6);
		assert_int_equal(seen.messages, d.totals.messages);
		decoded_fini(&d);
		out_fini(&p.file);
		free_flights(&f);
	}
}

/* --- damage --- */

/* The octets of TPKT packets, each cut after n: nothing crashes, and no password is shown for any n. */
static void test_cut_at_every_offset(void **state)
{
	(void)state;
	struct flights *f = load_flights("ping"); /* the password is "excalibur" */
	struct out one;
	out_init(&one, 1 << 20);
	for (size_t i = 0; i < f->n; i++)
		if (!f->v[i].responder)
			out_bytes(&one, out_view(&f->v[i].octets));
	for (size_t n = 1; n < out_len(&one); n++) {
		struct decoded d = run_decode(view_first(out_view(&one), n), &plain);
		assert_has_not(&d, "excalibur");
		assert_has_not(&d, "657863616c69627572");
		assert_has_not(&d, "657863616C69627572");
		decoded_fini(&d);
	}
	out_fini(&one);
	free_flights(&f);
}

/* A bind whose inside is damaged at one octet: it is never shown octet by octet, unless asked for. */
static void test_damaged_bind_is_not_dumped(void **state)
{
	(void)state;
	struct flights *f = load_flights("ping");
	struct out *cn = &f->v[2].octets;
	const struct decode_options secrets = { .secrets = true };
	size_t damaged = 0, shown = 0;
	const size_t password = out_len(cn) - 4 - 9; /* it ends before two end-of-contents */
	assert_memory_equal(cn->p + password, "excalibur", 9);
	for (size_t i = 7; i < password - 2; i++) {
		const uint8_t was = cn->p[i];
		cn->p[i] = (uint8_t)(was + 0x41);
		struct decoded d = run_decode(out_view(cn), &plain);
		assert_has_not(&d, "657863616c69627572");
		assert_has_not(&d, "657863616C69627572");
		damaged += !d.whole;
		decoded_fini(&d);
		d = run_decode(out_view(cn), &secrets);
		shown += has_text(&d, "65 78 63 61 6c") || has_text(&d, "657863616c");
		decoded_fini(&d);
		cn->p[i] = was;
	}
	assert_true(damaged > 60 && shown > 60);
	free_flights(&f);
}

static void test_capture_cut_at_every_offset(void **state)
{
	(void)state;
	static const enum pcap_form forms[] = { FORM_LITTLE, FORM_NG_BIG };
	struct flights *f = load_flights("ping");
	for (size_t k = 0; k < ARRAY_LEN(forms); k++) {
		struct pcap p = capture_of(f, forms[k], LINK_IS_RAW, false, false, 65000);
		const struct view whole = out_view(&p.file);
		size_t fewer = 0;
		for (size_t n = 24; n < whole.n; n++) {
			struct decoded d = run_decode(view_first(whole, n), &plain);
			if (!d.whole) /* else it was cut between two packets */
				assert_has(&d, "damaged: ");
			fewer += !d.whole;
			decoded_fini(&d);
		}
		assert_true(fewer > whole.n / 2);
		out_fini(&p.file);
	}
	free_flights(&f);
}

/* One octet of the message turned: what stands around it still shows. */
static void test_damaged_message(void **state)
{
	(void)state;
	struct flights *f = load_flights("pp-message");
	struct out *o = &f->v[4].octets;
	uint8_t *id = memmem(o->p, o->n, "ppa.test.951", 12);
	assert_non_null(id);
	id[-2] = 0x1a; /* the tag of local-identifier: VisibleString, not IA5String */
	struct pcap p = capture_of(f, FORM_LITTLE, LINK_IS_RAW, false, false, 65000);
	struct decoded d = run_decode(out_view(&p.file), &plain);
	assert_false(d.whole);
	assert_has(&d, "TRANSFER\n");
	assert_has(&d, "damaged: p1: ");
	assert_has(&d, "ppa.test.951");
	assert_has(&d, "acse: RLRE");
	assert_int_equal(d.totals.messages, 0);
	decoded_fini(&d);
	out_fini(&p.file);
	free_flights(&f);
}

/* --- activities that do not end --- */

static void test_transfers_broken_off(void **state)
{
	(void)state;
	static const struct {
		const char *last, *says;
		bool whole;
	} rows[] = { /* TPKT, DT, GT and AI, AD, AS; AB alone */
		{ "0300000f02f0800100 1904 110102 00", "damaged", false },
		{ "0300000e02f080 0100 1903 320100", "transfer: interrupted", true },
		{ "0300000e02f080 0100 3903 320101", "transfer: discarded", true },
		{ "0300000c02f080 1903 110102", "transfer: cut off by an abort", true },
		{ "0300000f02f080 0100 2d04 2902 0202", "transfer: not ended when another activity begins", true },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct flights *f = load_flights("pp-message");
		struct out *o = &f->v[4].octets, last = from_hex(rows[i].last);
		/* Without the TPKT packet of ACTIVITY END, which is the last of that flight: 14 octets. */
		o->n -= 14;
		out_bytes(o, out_view(&last));
		f->n = 5;
		for (size_t k = 5; k < FLIGHTS_MAX; k++)
			out_fini(&f->v[k].octets);
		struct pcap p = capture_of(f, FORM_LITTLE, LINK_IS_RAW, false, false, 65000);
		struct decoded d = run_decode(out_view(&p.file), &plain);
		assert_has(&d, rows[i].says);
		assert_int_equal(d.whole, rows[i].whole);
		assert_int_equal(d.totals.messages, 0); /* responsibility did not move */
		assert_has(&d, "mts-id: C=GB;A=PEERNET;P=PPA;L=ppa.test.951");
		decoded_fini(&d);
		out_fini(&p.file);
		out_fini(&last);
		free_flights(&f);
	}
}

/* X.228 7.8.3 and X.225 8.3.30: the message of pp-message in pieces with MINOR SYNC POINTs; after the second the connection
 * is lost, and the next one resumes the activity after the first. */
static void put_rttr(struct out *o, struct view piece)
{
	enum { HEAD = 3 + 4 };
	assert_true(piece.n > 127 && piece.n < 200);
	const uint8_t n = (uint8_t)piece.n; /* 61 81 30 81 02 01 03 a0 81 04 81 */
	const uint8_t head[] = { 3, 0, 0, (uint8_t)(HEAD + 4 + 15 + n), 2, 0xf0, 0x80, 1, 0, 1, 0, 0x61, 0x81, (uint8_t)(n + 12),
				 0x30, 0x81, (uint8_t)(n + 9), 2, 1, 3, 0xa0, 0x81, (uint8_t)(n + 3), 4, 0x81, n };
	out_bytes(o, view_of(head, sizeof head));
	out_bytes(o, piece);
}

static void put_hex(struct out *o, const char *hex)
{
	assert_true(text_unhex(o, view_str(hex)));
}

/* The P1 octets of pp-message: what follows the head of its one RTTR, definite with 82 LL LL. */
static struct view p1_of(const struct flights *f)
{
	const struct view v = out_view(&f->v[4].octets);
	const uint8_t *external = memmem(v.p, v.n, "\x28\x80\x02\x01\x05", 5); /* EXTERNAL, context 5 */
	assert_non_null(external);
	return view_of(external, 641); /* as tshark counts */
}

static void test_resumed_transfer(void **state)
{
	(void)state;
	enum { PIECE = 161 };
	static const char *const resumes[] = {
		"0300001a02f0800100 1d0f 2108 2903020101 2a0131 2903020102", /* after serial number 1 */
		"0300001a02f0800100 1d0f 2108 2903020101 2a0139 2903020102", /* after 9, which never was */
	};
	struct flights *f = load_flights("pp-message");
	const struct view p1 = p1_of(f);
	for (size_t k = 0; k < ARRAY_LEN(resumes); k++) {
		struct pcap p;
		struct out o;
		out_init(&o, 1 << 16);
		pcap_init(&p, FORM_LITTLE, LINK_IS_RAW);
		put_open(&p);
		put_hex(&o, "0300001002f0800100 2d05 2903020101");           /* ACTIVITY START 1 */
		put_rttr(&o, view_first(p1, PIECE));
		put_hex(&o, "0300000e02f0800100 3103 2a0131");               /* MINOR SYNC POINT 1 */
		put_rttr(&o, view_first(view_from(p1, PIECE), PIECE));
		put_hex(&o, "0300000e02f0800100 3103 2a0132");               /* 2, not confirmed */
		put_data(&p, false, out_view(&o), 65000);
		put_segment(&p, true, p.seq[1], RST, (struct view){ NULL, 0 });
		p.port[0]++;
		p.seq[0] += 1000;
		put_open(&p);
		out_clear(&o);
		put_hex(&o, resumes[k]);
		put_rttr(&o, view_first(view_from(p1, PIECE), PIECE));
		put_hex(&o, "0300000e02f0800100 3103 2a0132");
		put_rttr(&o, view_first(view_from(p1, 2 * PIECE), PIECE));
		put_hex(&o, "0300000e02f0800100 3103 2a0133");
		put_rttr(&o, view_from(p1, 3 * PIECE));
		put_hex(&o, "0300000e02f0800100 2903 2a0134");               /* ACTIVITY END 4 */
		put_data(&p, false, out_view(&o), 65000);
		put_close(&p);
		struct decoded d = run_decode(out_view(&p.file), &plain);
		assert_has(&d, k == 0 ? "note: resumed: joined to the octets before its checkpoint" : "note: resumed: the octets before are not");
		assert_has(&d, "transfer: not ended in these octets\n      octets: 322\n      pieces: 2\n      checkpoints: 2\n");
		assert_int_equal(d.totals.messages, k == 0);
		if (k == 0) {
			assert_has(&d, "MESSAGE\n    transfer: ended\n      octets: 641\n      pieces: 4\n      checkpoints: 3\n");
			assert_has(&d, "subject \"A to B\"");
		}
		decoded_fini(&d);
		out_fini(&p.file);
		out_fini(&o);
	}
	free_flights(&f);
}

/* --- limits --- */

static void test_limits(void **state)
{
	(void)state;
	static const struct {
		struct decode_options options;
		const char *says;
	} rows[] = {
		{ { .tsdu_max = 300 }, "damaged: session: the TSDU is cut after 300 octets" },
		{ { .transfer_max = 400 }, "damaged: transfer: 641 octets, want at most 400" },
		{ { .event_max = 2000 }, "damaged: the text of this event is over the limit of 2000 octets" },
		{ { .arena = 3000 }, "damaged: " },
	};
	struct flights *f = load_flights("pp-message");
	struct pcap p = capture_of(f, FORM_LITTLE, LINK_IS_RAW, false, false, 65000);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct decoded d = run_decode(out_view(&p.file), &rows[i].options);
		assert_has(&d, rows[i].says);
		assert_false(d.whole);
		decoded_fini(&d);
	}
	out_fini(&p.file);
	free_flights(&f);
}

/* ACSE within ACSE within ...: deeper than is shown. */
static void test_nested_acse(void **state)
{
	(void)state;
	struct out inner = from_hex("6203800100"), outer;
	for (int i = 0; i < 20; i++) { /* ABRT { source, user-information { EXTERNAL { [0] inner } } } */
		struct out a0, external, info;
		out_init(&a0, 4096);
		out_init(&external, 4096);
		out_init(&info, 4096);
		out_init(&outer, 4096);
		ber_put_header(&a0, BER_C(0), true, out_len(&inner));
		out_bytes(&a0, out_view(&inner));
		ber_put_header(&external, BER_U(8), true, out_len(&a0));
		out_bytes(&external, out_view(&a0));
		ber_put_header(&info, BER_C(30), true, out_len(&external));
		out_bytes(&info, out_view(&external));
		ber_put_header(&outer, BER_A(4), true, out_len(&info) + 3);
		out_bytes(&outer, VIEW("\x80\1\0"));
		out_bytes(&outer, out_view(&info));
		out_fini(&a0);
		out_fini(&external);
		out_fini(&info);
		out_fini(&inner);
		inner = outer;
	}
	struct decoded d = run_decode(out_view(&inner), &plain);
	assert_has(&d, "acse: ABRT");
	assert_has(&d, "APDUs in one another");
	decoded_fini(&d);
	out_fini(&inner);
}

/* --- the command line --- */

static void test_arguments(void **state)
{
	(void)state;
	struct decode_options o;
	const char *path;
	struct err e;
	char *good[] = { "decode", "--json", "--port", "10102", "--port=4102", "f.pcap", "--secrets" };
	assert_true(decode_arguments(7, good, &o, &path, &e));
	assert_true(o.json && o.secrets && o.n_ports == 2 && o.ports[0] == 10102 && o.ports[1] == 4102);
	assert_string_equal(path, "f.pcap");
	char *input[] = { "decode", "-" };
	assert_true(decode_arguments(2, input, &o, &path, &e));
	assert_string_equal(path, "-");
	assert_false(o.json || o.secrets);
	char *dashes[] = { "decode", "--", "--json" };
	assert_true(decode_arguments(3, dashes, &o, &path, &e));
	assert_string_equal(path, "--json");
	char *help[] = { "decode", "--help" };
	assert_true(decode_arguments(2, help, &o, &path, &e));
	assert_null(path);
	static char *const bad[][3] = { { "decode" }, { "decode", "--port", "x" }, { "decode", "--port" }, { "decode", "a", "b" },
					{ "decode", "--port=0", "a" }, { "decode", "--port=65536", "a" }, { "decode", "--jason", "a" } };
	static const int n[] = { 1, 3, 2, 3, 3, 3, 3 };
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *argv[3] = { bad[i][0], bad[i][1], bad[i][2] };
		assert_false(decode_arguments(n[i], argv, &o, &path, &e));
		assert_true(strncmp(e.text, "decode: ", 8) == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_captures_decode_completely),
		cmocka_unit_test(test_p772),
		cmocka_unit_test(test_checkpoints),
		cmocka_unit_test(test_every_form_of_capture),
		cmocka_unit_test(test_nanoseconds),
		cmocka_unit_test(test_segments_of_any_size),
		cmocka_unit_test(test_disorder),
		cmocka_unit_test(test_overlap_keeps_the_first),
		cmocka_unit_test(test_lost_segment),
		cmocka_unit_test(test_gap_is_given_up_when_confirmed),
		cmocka_unit_test(test_lost_at_the_end),
		cmocka_unit_test(test_without_the_beginning),
		cmocka_unit_test(test_other_protocols),
		cmocka_unit_test(test_ports_used_again),
		cmocka_unit_test(test_hex_of_both_sides),
		cmocka_unit_test(test_one_side_in_octets),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_content_alone),
		cmocka_unit_test(test_not_ber),
		cmocka_unit_test(test_json_lines),
		cmocka_unit_test(test_cut_at_every_offset),
		cmocka_unit_test(test_damaged_bind_is_not_dumped),
		cmocka_unit_test(test_capture_cut_at_every_offset),
		cmocka_unit_test(test_damaged_message),
		cmocka_unit_test(test_transfers_broken_off),
		cmocka_unit_test(test_resumed_transfer),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_nested_acse),
		cmocka_unit_test(test_arguments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
