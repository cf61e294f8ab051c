/* decode_tshark_test.c - what an independent decoder shows of the real captures, we show too, as often. Skipped without
 * tshark or the captures. */
#include "proc/tool/decode_testing.h"

/* One field: how tshark -V begins its line, how ours looks; %s is the value. `end`: where tshark's value stops. */
struct field {
	const char *theirs, *ours, *end;
	enum { AS_IT_IS, TIME, OID } form;
};

static const struct field fields[] = {
	{ "surname: ", "surname \"%s\"", NULL, AS_IT_IS },
	{ "given-name: ", "given-name \"%s\"", NULL, AS_IT_IS },
	{ "organization-name: ", "organization-name \"%s\"", NULL, AS_IT_IS },
	{ "iso-3166-alpha2-code: ", "iso-3166-alpha2-code : \"%s\"", NULL, AS_IT_IS },
	{ "printable: ", "printable : \"%s\"", NULL, AS_IT_IS },
	{ "CommonName: ", "CommonName : \"%s\"", NULL, AS_IT_IS },
	{ "local-identifier: ", "local-identifier \"%s\"", NULL, AS_IT_IS },
	{ "user-relative-identifier: ", "user-relative-identifier \"%s\"", NULL, AS_IT_IS },
	{ "content-identifier: ", "content-identifier \"%s\"", NULL, AS_IT_IS },
	{ "subject: ", "subject \"%s\"", NULL, AS_IT_IS },
	{ "arrival-time: ", "arrival-time \"%s\"", NULL, TIME },
	{ "routing-action: ", "routing-action %s", " (", AS_IT_IS },
	{ "standard-extension: ", "standard-extension : %s", " (", AS_IT_IS },
	{ "private-extension: ", "private-extension : {%s}", " (", OID },
	{ "extended: ", "extended : {%s}", " (", OID },
	{ "originally-specified-recipient-number: ", "originally-specified-recipient-number %s", NULL, AS_IT_IS },
	{ "SPDU Type: CONNECT (CN)", "session: CONNECT (CN)", " ", AS_IT_IS },
	{ "SPDU Type: ACCEPT (AC)", "session: ACCEPT (AC)", " ", AS_IT_IS },
	{ "SPDU Type: REFUSE (RF)", "session: REFUSE (RF)", " ", AS_IT_IS },
	{ "SPDU Type: ACTIVITY START (AS)", "session: ACTIVITY START (AS)", " ", AS_IT_IS },
	{ "SPDU Type: DATA TRANSFER (DT)", "session: DATA TRANSFER (DT)", " ", AS_IT_IS },
	{ "SPDU Type: MINOR SYNC POINT (MIP)", "session: MINOR SYNC POINT (MIP)", " ", AS_IT_IS },
	{ "SPDU Type: MINOR SYNC ACK (MIA)", "session: MINOR SYNC ACK (MIA)", " ", AS_IT_IS },
	{ "SPDU Type: FINISH (FN)", "session: FINISH (FN)", " ", AS_IT_IS },
	{ "SPDU Type: DISCONNECT (DN)", "session: DISCONNECT (DN)", " ", AS_IT_IS },
};

/* The lines of tshark -V without their indentation, each between line ends; NULL: there is no tshark. */
static bool run_tshark(const char *name, struct out *o)
{
	char command[1500], line[4096];
	out_init(o, 1 << 26);
	snprintf(command, sizeof command,
		 "tshark -r '%s/pcap/%s' -d tcp.port==102,tpkt -d tcp.port==10102,tpkt -d tcp.port==20102,tpkt "
		 "-d tcp.port==30102,tpkt -V 2>/dev/null", getenv("POSTHORN_SHARED"), name);
	FILE *f = popen(command, "r");
	assert_non_null(f);
	out_u8(o, '\n');
	while (fgets(line, sizeof line, f) != NULL)
		out_str(o, line + strspn(line, " "));
	return pclose(f) == 0 && out_len(o) > 1;
}

static size_t count_in(const char *text, const char *what)
{
	size_t n = 0;
	for (const char *p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
		n++;
	return n;
}

/* "05-10-01 11:30:50 (UTC)" is 051001113050Z; dots of an object identifier are blanks. */
static void to_our_form(const struct field *f, char *value)
{
	char *end = f->end == NULL ? NULL : strstr(value, f->end), *to = value;
	if (end != NULL)
		*end = 0;
	if (f->form == OID) {
		for (char *p = value; *p != 0; p++)
			if (*p == '.')
				*p = ' ';
		return;
	}
	if (f->form != TIME)
		return;
	for (const char *p = value; *p != 0 && *p != '('; p++)
		if (*p >= '0' && *p <= '9')
			*to++ = *p;
	*to++ = 'Z';
	*to = 0;
}

/* ISODE/PP tags the number of an extension explicitly, and tshark takes the whole INTEGER 02 01 nn for the number. */
static bool is_misread(const char *line)
{
	unsigned number;
	return sscanf(line, "\nstandard-extension: Unknown (%u)", &number) == 1 && number >> 8 == 0x0201;
}

/* Every value that tshark shows of this field is in our text as often. Returns how many there are. */
static size_t compare_field(const struct field *f, const char *theirs, const char *ours)
{
	char begin[128], line[4096], value[4096], want[4300];
	size_t compared = 0;
	snprintf(begin, sizeof begin, "\n%s", f->theirs);
	for (const char *p = theirs; (p = strstr(p, begin)) != NULL; p++) {
		const char *end = strchr(p + 1, '\n');
		assert_non_null(end);
		snprintf(line, sizeof line, "%.*s\n", (int)(end - p), p);
		snprintf(value, sizeof value, "%.*s", (int)(end - p - (ptrdiff_t)strlen(begin)), p + strlen(begin));
		if (is_misread(line) || strstr(theirs, line) < p) /* the same line before it was compared with all others */
			continue;
		to_our_form(f, value);
		if (strstr(f->ours, "%s") != NULL) {
			const char *at = strstr(f->ours, "%s");
			snprintf(want, sizeof want, "%.*s%s%s", (int)(at - f->ours), f->ours, value, at + 2);
		} else {
			snprintf(want, sizeof want, "%s", f->ours);
		}
		const size_t n = count_in(theirs, line);
		if (count_in(ours, want) < n)
			fail_msg("tshark shows %zu times%s, and we show %zu times: %s", n, line, count_in(ours, want), want);
		compared += n;
	}
	return compared;
}

static void compare(const char *name, size_t at_least)
{
	struct out file = real_capture(name), theirs;
	if (!run_tshark(name, &theirs)) {
		out_fini(&theirs);
		out_fini(&file);
		print_message("tshark is not here, or does not read the capture\n");
		skip();
	}
	const struct decode_options plain = { 0 };
	struct decoded d = run_decode(out_view(&file), &plain);
	size_t compared = 0;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		compared += compare_field(&fields[i], out_cstr(&theirs), out_cstr(&d.text));
	if (compared < at_least)
		fail_msg("%zu fields of tshark compared, want %zu at least", compared, at_least);
	decoded_fini(&d);
	out_fini(&theirs);
	out_fini(&file);
}

/* Originator, recipient, trace, extensions, content type: what the capture is known for. */
static void test_p772_as_tshark(void **state)
{
	(void)state;
	compare("p772-transfer-success.pcap", 50);
}

static void test_normal_mode_as_tshark(void **state)
{
	(void)state;
	compare("pp-normal-mode.pcap", 150);
}

static void test_ping_as_tshark(void **state)
{
	(void)state;
	compare("x400-ping-success.pcap", 4);
}

static void test_checkpoints_as_tshark(void **state)
{
	(void)state;
	compare("pp-checkpoints.pcap", 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_p772_as_tshark),
		cmocka_unit_test(test_normal_mode_as_tshark),
		cmocka_unit_test(test_ping_as_tshark),
		cmocka_unit_test(test_checkpoints_as_tshark),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
