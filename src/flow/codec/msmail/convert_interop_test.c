/* convert_interop_test.c - what others say of it: tshark's dissector of X.420 reads what is made of a MAI and finds the same in it; contents of
 * ISODE/PP from the captures become MAIs. Skipped without tshark, and without the captures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "flow/codec/ipm/ipm_testing.h"
#include "flow/codec/msmail/convert_testing.h"

static struct testing_world w;

static int setup(void **state)
{
	(void)state;
	w = testing_world_new();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	testing_world_free(&w);
	return 0;
}

/* What tshark -V says of a P22: as content of a CMS ContentInfo (RFC 5652 3) of type {id-mct 1}, 2.6.1.10.1, in a file whose name says
 * that it is one. Lines without indentation, each between line ends; NULL: there is no tshark. */
static const char *tshark(struct view content)
{
	char path[] = "/tmp/posthorn-XXXXXX.p7m", command[100], line[4096];
	struct out file, text;
	out_init(&file, 1 << 24);
	out_init(&text, 1 << 24);
	ber_put_header(&file, BER_U(16), true, mem_add(6 + ber_header_size(BER_C(0), content.n), content.n));
	out_bytes(&file, VIEW("\x06\x04\x56\x01\x0a\x01"));
	ber_put_header(&file, BER_C(0), true, content.n);
	out_bytes(&file, content);
	const int fd = mkstemps(path, 4);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, out_view(&file).p, out_len(&file)), out_len(&file));
	close(fd);
	snprintf(command, sizeof command, "tshark -r %s -V 2>/dev/null", path);
	FILE *f = popen(command, "r");
	assert_non_null(f);
	out_u8(&text, '\n');
	while (fgets(line, sizeof line, f) != NULL)
		out_str(&text, line + strspn(line, " "));
	const bool ran = pclose(f) == 0 && out_len(&text) > 1;
	unlink(path);
	const char *said = ran ? testing_str(&w, out_view(&text)) : NULL;
	out_fini(&file);
	out_fini(&text);
	return said;
}

static size_t count_in(const char *text, const char *what)
{
	size_t n = 0;
	for (const char *p = text; (p = strstr(p, what)) != NULL; p += strlen(what))
		n++;
	return n;
}

static void assert_line(const char *said, size_t n, const char *fmt, ...)
{
	char line[500];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(line, sizeof line, fmt, ap);
	va_end(ap);
	if (count_in(said, line) != n)
		fail_msg("tshark says %zu times and not %zu: \"%s\" in:\n%s", count_in(said, line), n, line, said);
}

static void assert_well_formed(const char *said)
{
	static const char *const complaints[] = { "Malformed", "BER Error", "Unknown", "not implemented", "not supported", "Expert Info" };
	for (size_t i = 0; i < sizeof complaints / sizeof *complaints; i++)
		if (strstr(said, complaints[i]) != NULL)
			fail_msg("tshark says \"%s\" in:\n%s", complaints[i], said);
}

static struct testing_ipm convert(const struct mai *m, const struct mm_file *files, size_t n)
{
	const struct mm_envelope v = testing_envelope(&w, m);
	struct testing_ipm r = testing_to_ipm(&w, m, &v, files, n);
	if (!r.ok)
		fail_msg("%s", r.e.text);
	return r;
}

static void test_tshark_reads_letters(void **state)
{
	static const struct {
		const char *text; /* in 850 */
		size_t files;
		char priority;
		bool receipt;
	} rows[] = { { "plain text\r", 0, 0, false }, { "Gr\x81\xe1" "e\rzeile", 1, '5', true }, { "", 3, '1', false }, { "two\rlines\r", 20, '3', true } };
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct mai m = testing_letter(&w, VIEW("Budget for 1994"), view_str(rows[i].text));
		struct mm_file files[20];
		m.n_cc = 2;
		m.cc = arena_array(w.a, 2, sizeof *m.cc);
		m.cc[0] = testing_ms("FAR/PO9/BEN");
		m.cc[1] = testing_ms("SOME/WHERE/ELSE");
		m.cc[1].friendly = VIEW("Else W. Here");
		m.priority = rows[i].priority;
		m.receipt = rows[i].receipt;
		m.n_attachments = rows[i].files;
		m.attachments = arena_array(w.a, rows[i].files, sizeof *m.attachments);
		for (size_t k = 0; k < rows[i].files; k++) {
			m.attachments[k] = (struct mm_attachment){ .file = mm_id_of(1), .name = VIEW("BUDGET.XLS"), .position = UINT32_MAX, .date = m.date };
			files[k] = (struct mm_file){ VIEW("x"), VIEW("octets") };
		}
		struct testing_ipm r = convert(&m, files, rows[i].files);
		const char *said = tshark(out_view(&r.done.content));
		if (said == NULL) {
			mm_converted_fini(&r.done);
			print_message("tshark is not here\n");
			skip();
		}
		const size_t texts = rows[i].text[0] != 0, parts = texts + rows[i].files;
		assert_well_formed(said);
		assert_line(said, 1, "\nsubject: Budget for 1994\n");
		assert_line(said, 1, "\nuser-relative-identifier: 22-28798.00000062.A1B2=Budget for 1994\n");
		assert_line(said, 1, "\nprimary-recipients: 1 item\n");
		assert_line(said, 1, "\ncopy-recipients: 2 items\n");
		assert_line(said, rows[i].priority == '5', "\nimportance: high (2)\n");
		assert_line(said, rows[i].priority == '1', "\nimportance: low (0)\n"); /* normal is the default */
		assert_line(said, 1, "\nbody: %zu item%s\n", parts, parts == 1 ? "" : "s");
		assert_line(said, rows[i].files, "BUDGET.XLS\n");
		assert_line(said, rows[i].receipt ? 3 : 0, "\n1... .... = rn: True\n");
		assert_line(said, rows[i].receipt ? 3 : 0, "\n.1.. .... = nrn: True\n");
		assert_line(said, 1, "\nfree-form-name: Else W. Here\n");
		assert_line(said, 1, "\ntype: MS");
		assert_line(said, 1, "\nvalue: SOME/WHERE/ELSE\n");
		mm_converted_fini(&r.done);
	}
}

static void test_tshark_reads_notifications_and_nested_letters(void **state)
{
	(void)state;
	struct mai m = testing_letter(&w, VIEW("Registered: lunch"), VIEW("read"));
	m.is_receipt = true;
	m.message_id = VIEW("C=FR;A=EXAMPLE;P=AWAY;L=paris-1");
	struct testing_ipm r = convert(&m, NULL, 0);
	const char *said = tshark(out_view(&r.done.content));
	mm_converted_fini(&r.done);
	if (said == NULL) {
		print_message("tshark is not here\n");
		skip();
	}
	assert_well_formed(said);
	assert_line(said, 1, "\nipn\n");
	assert_line(said, 1, "\nuser-relative-identifier: paris-1\n");
	assert_line(said, 1, "\nreceipt-time: 93-10-08 15:25:00 (UTC)\n");
	assert_line(said, 1, "\nsuppl-receipt-info: Registered: lunch\n");
	m.class = VIEW("Report.IPM.Note.IPNNRN");
	r = convert(&m, NULL, 0);
	said = tshark(out_view(&r.done.content));
	mm_converted_fini(&r.done);
	assert_non_null(said);
	assert_well_formed(said);
	assert_line(said, 1, "\nnon-receipt-reason: ipm-discarded (0)\n");
	/* A letter in a letter, and a class. */
	struct out o;
	struct err e;
	out_init(&o, 1 << 20);
	m = testing_letter(&w, VIEW("inner"), VIEW("inner text"));
	assert_true(mai_print(&m, &mm_scramble_none, &o, &e));
	m.subject = VIEW("outer");
	m.class = VIEW("IPM.Form");
	struct mm_attachment x = { .file = mm_id_of(1), .kind = 1, .position = UINT32_MAX };
	const struct mm_file file = { VIEW("x"), out_view(&o) };
	m.attachments = &x;
	m.n_attachments = 1;
	r = convert(&m, &file, 1);
	said = tshark(out_view(&r.done.content));
	assert_non_null(said);
	assert_well_formed(said);
	assert_line(said, 1, "\nsubject: outer\n");
	assert_line(said, 1, "\nsubject: inner\n");
	mm_converted_fini(&r.done);
	out_fini(&o);
}

/* ISODE/PP's contents, indefinite lengths and all. What they say is known from the captures. */
static void test_letters_of_pp(void **state)
{
	(void)state;
	size_t size = 0;
	uint8_t *file = testing_capture("pp-normal-mode.pcap", &size);
	if (file == NULL) {
		print_message("no captures here\n");
		skip();
	}
	size_t n = 0;
	for (unsigned i = 0;; i++) {
		const struct view content = testing_content(file, size, i);
		if (content.n == 0)
			break;
		const struct message m = testing_message(&w);
		struct testing_mai r = testing_to_mai(&w, &m, content);
		if (!r.ok)
			fail_msg("content %u: %s", i, r.e.text);
		assert_true(r.m.text.n > 0);
		assert_null(memchr(r.m.text.p, '\n', r.m.text.n));
		assert_int_equal(r.done.replaced, 0);
		mm_converted_fini(&r.done);
		n++;
	}
	free(file);
	assert_true(n > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tshark_reads_letters),
		cmocka_unit_test(test_tshark_reads_notifications_and_nested_letters),
		cmocka_unit_test(test_letters_of_pp),
	};
	return cmocka_run_group_tests_name("convert_interop", tests, setup, teardown);
}
