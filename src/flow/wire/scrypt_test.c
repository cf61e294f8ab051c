/* scrypt_test.c - kept passwords. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/wire/scrypt.h"

/* This line was made with Python's hashlib.scrypt: password "correct horse", salt
 * octets 0 to 15, n 1024, r 8, p 1, dklen 32. */
static const char known[] = "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$nfkj3u1fRTHCea+fVr03sWV770kp5wLOLoEakziKhqE";

static void test_a_line_of_another_program_is_read(void **state)
{
	(void)state;
	assert_true(scrypt_is_line(known));
	assert_true(scrypt_check(known, VIEW("correct horse")));
	assert_false(scrypt_check(known, VIEW("correct horsf")));
	assert_false(scrypt_check(known, VIEW("correct hors")));
	assert_false(scrypt_check(known, VIEW("")));
}

static void test_what_is_made_is_known_again(void **state)
{
	(void)state;
	uint8_t salt[SCRYPT_SALT] = { 1, 2, 3, 255 };
	struct out line, other;
	struct err e;
	out_init(&line, 300);
	out_init(&other, 300);
	assert_true(scrypt_make(VIEW("pass\0word"), salt, &line, &e));
	assert_true(scrypt_check(out_cstr(&line), VIEW("pass\0word")));
	assert_false(scrypt_check(out_cstr(&line), VIEW("pass\0worD")));
	salt[0]++;
	assert_true(scrypt_make(VIEW("pass\0word"), salt, &other, &e));
	assert_string_not_equal(out_cstr(&line), out_cstr(&other));
	out_fini(&line);
	out_fini(&other);
}

static void test_what_is_no_line_is_nobodys(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "secret", "$scrypt$", "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw", "$scrypt$ln=9,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$nfkj3u1fRTHCea+fVr03sWV770kp5wLOLoEakziKhqE",
		"$scrypt$ln=21,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$nfkj3u1fRTHCea+fVr03sWV770kp5wLOLoEakziKhqE", "$scrypt$ln=20,r=16,p=1$AAECAwQFBgcICQoLDA0ODw$nfkj3u1fRTHCea+fVr03sWV770kp5wLOLoEakziKhqE",
		"$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$nfkj3u1fRTHCea+fVr03sWV770kp5wLOLoEakziKhqE$", "$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0OD$nfkj3u1fRTHCea+fVr03sWV770kp5wLOLoEakziKhqE",
		"$scrypt$ln=10,r=8,p=1$AAECAwQFBgcICQoLDA0OD=$nfkj3u1fRTHCea+fVr03sWV770kp5wLOLoEakziKhqE", "$scrypt$ln=10,r=0,p=1$AAECAwQFBgcICQoLDA0ODw$nfkj3u1fRTHCea+fVr03sWV770kp5wLOLoEakziKhqE",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_false(scrypt_is_line(bad[i]));
		assert_false(scrypt_check(bad[i], VIEW("correct horse")));
	}
	assert_false(scrypt_is_line(NULL));
	assert_false(scrypt_check(NULL, VIEW("correct horse")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_of_another_program_is_read),
		cmocka_unit_test(test_what_is_made_is_known_again),
		cmocka_unit_test(test_what_is_no_line_is_nobodys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
