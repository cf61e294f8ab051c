/* decode_x410_test.c - associations of X.410 mode as `decode` shows them: octets by hand, after X.225 8.3, X.226 8.5, X.228
 * clause 9, X.419 13.2. */
#include "proc/tool/decode_testing.h"

/* One TSDU in one DT in one TPKT; hex with spaces. */
static void say(struct out *o, bool responder, const char *hex)
{
	size_t n = 0;
	for (const char *p = hex; *p != 0; p++)
		n += *p != ' ';
	char head[32];
	snprintf(head, sizeof head, "%s\n0300%04zx02f080", responder ? "<" : ">", n / 2 + 7);
	out_str(o, head);
	for (const char *p = hex; *p != 0; p++)
		if (*p != ' ')
			out_u8(o, (uint8_t)*p);
	out_str(o, "\n");
}

static struct out association(const char *cn, const char *ac)
{
	struct out o;
	out_init(&o, 1 << 16);
	out_str(&o, ">\n030000140fe00000123400c0010dc10161c20162\n<\n0300000e09d01234471100c0010c\n");
	say(&o, false, cn);
	say(&o, true, ac);
	return o;
}

#define CN(protocol) \
	"0d33 0509 130100 160101 1a0100 1402 0249 c122 3120 a003 800100 a119 80013f a311 a00f a10d 8005 4d54412d49 a104 1602 7069 8401" protocol
#define AC "0e2d 0506 130100 160101 1402 0249 c11f 311d a003 800100 a116 80013f a211 a00f a10d 8005 4d54412d52 a104 1602 7072"

static const struct decode_options open_options = { .secrets = true };

static void test_binds(void **state)
{
	(void)state;
	static const struct { const char *cn, *says; } rows[] = {
		{ CN("01"), "application protocol: 1 (P1 of 1984)" },
		{ CN("0c"), "application protocol: 12 (P1 of 1988)" },
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct out o = association(rows[i].cn, AC);
		struct decoded d = run_decode(out_view(&o), &open_options);
		assert_has(&d, "mode: X.410-1984");
		assert_has(&d, rows[i].says);
		assert_has(&d, "mta-name: \"MTA-I\"");
		assert_has(&d, "password: \"pi\"");
		assert_has(&d, "mta-name: \"MTA-R\"");
		assert_has(&d, "password: \"pr\"");
		assert_int_equal(count_text(&d, "damaged"), 0);
		decoded_fini(&d);
		out_fini(&o);
	}
}

static void test_transfer_turns_and_release(void **state)
{
	(void)state;
	struct out o = association(CN("0c"), AC);
	say(&o, false, "0100 2d05 2903 020101");
	say(&o, false, "0100 0100 a0023100");
	say(&o, false, "0100 3103 2a0131");
	say(&o, false, "0100 0100 0000");
	say(&o, false, "0100 2903 2a0132");
	say(&o, true, "0200 2a03 2a0132");
	say(&o, true, "0208 100115 c103 020102"); /* PLEASE TOKENS, priority 2: normal */
	say(&o, false, "1500");
	say(&o, true, "1600");
	say(&o, true, "190a 110103 c105 3103 800103");
	struct decoded d = run_decode(out_view(&o), &open_options);
	assert_int_equal(count_text(&d, "rtse: octets of X.410 mode"), 2);
	assert_has(&d, "pieces: 2");
	assert_has(&d, "octets: 6");
	assert_has(&d, "checkpoints: 1");
	assert_has(&d, "priority: 2");
	assert_has(&d, "GIVE TOKENS CONFIRM (GTC)");
	assert_has(&d, "reason: 3 (temporaryProblem)");
	decoded_fini(&d);
	out_fini(&o);
}

static void test_refusal(void **state)
{
	(void)state;
	struct out o = association(CN("01"), "0c14 110101 1402 0249 160101 3206 02 3103 800103");
	struct decoded d = run_decode(out_view(&o), &open_options);
	assert_has(&d, "refuse reason: 3 (unacceptableDialogueMode)");
	decoded_fini(&d);
	out_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_binds),
		cmocka_unit_test(test_transfer_turns_and_release),
		cmocka_unit_test(test_refusal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
