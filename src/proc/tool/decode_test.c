/* decode_test.c - captures, octets and hex through decode. Expected values come from the captures (the two of the Wireshark
 * wiki, two of ISODE/PP; read with tshark) and from the formats' descriptions, by which decode_testing.h makes files. */
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
		"private-extension : {1 3 26 0 4406 0 8 0}", "arrival-time \"051001113050Z\"", "subject \"P772 Message\"", "data \"hello\\x0d\\x0a\"",
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
