/* scrypt.c - see scrypt.h. */
#include "flow/wire/scrypt.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { LN = 15, R = 8, P = 1, LN_LEAST = 10, LN_MOST = 20, R_MOST = 16, P_MOST = 4, MEMORY_MOST = 256 << 20, TEXT_MOST = 300 };

struct line {
	unsigned ln, r, p;
	uint8_t salt[SCRYPT_SALT + 3], key[SCRYPT_KEY + 3]; /* + what the decoder may write beyond */
};

static bool derive(struct view password, const struct line *l, uint8_t key[SCRYPT_KEY])
{
	return EVP_PBE_scrypt((const char *)password.p, password.n, l->salt, SCRYPT_SALT, UINT64_C(1) << l->ln, l->r, l->p,
			      MEMORY_MOST + (1 << 20), key, SCRYPT_KEY) == 1;
}

/* Base64 without the padding. */
static void put_base64(struct out *o, const uint8_t *p, size_t n)
{
	unsigned char text[64];
	int len = EVP_EncodeBlock(text, p, (int)n);
	while (len > 0 && text[len - 1] == '=')
		len--;
	out_bytes(o, view_of(text, (size_t)len));
}

/* want octets, or false. */
static bool get_base64(struct view v, uint8_t *p, size_t want)
{
	unsigned char text[64];
	const size_t whole = (want + 2) / 3 * 4;
	if (v.n != (want * 4 + 2) / 3 || whole > sizeof text)
		return false;
	memset(text, '=', whole);
	memcpy(text, v.p, v.n);
	for (size_t i = 0; i < v.n; i++)
		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", text[i]) == NULL || text[i] == 0)
			return false;
	return EVP_DecodeBlock(p, text, (int)whole) == (int)(whole / 4 * 3);
}

static bool read_line(const char *text, struct line *l)
{
	int n = 0;
	if (text == NULL || strlen(text) > TEXT_MOST || sscanf(text, "$scrypt$ln=%2u,r=%2u,p=%1u$%n", &l->ln, &l->r, &l->p, &n) != 3 || n == 0)
		return false;
	const char *salt = text + n, *dollar = strchr(salt, '$');
	if (dollar == NULL)
		return false;
	return l->ln >= LN_LEAST && l->ln <= LN_MOST && l->r >= 1 && l->r <= R_MOST && l->p >= 1 && l->p <= P_MOST &&
	       (UINT64_C(128) << l->ln) * l->r <= MEMORY_MOST && get_base64(view_of(salt, (size_t)(dollar - salt)), l->salt, SCRYPT_SALT) &&
	       get_base64(view_str(dollar + 1), l->key, SCRYPT_KEY);
}

bool scrypt_is_line(const char *text)
{
	struct line l;
	return read_line(text, &l);
}

bool scrypt_make(struct view password, const uint8_t salt[SCRYPT_SALT], struct out *line, struct err *e)
{
	struct line l = { .ln = LN, .r = R, .p = P };
	memcpy(l.salt, salt, SCRYPT_SALT);
	if (!derive(password, &l, l.key))
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "the password cannot be kept: scrypt fails");
	out_fmt(line, "$scrypt$ln=%u,r=%u,p=%u$", l.ln, l.r, l.p);
	put_base64(line, l.salt, SCRYPT_SALT);
	out_str(line, "$");
	put_base64(line, l.key, SCRYPT_KEY);
	return true;
}

bool scrypt_check(const char *line, struct view password)
{
	struct line l = { .ln = LN, .r = R, .p = P };
	uint8_t key[SCRYPT_KEY];
	const bool known = read_line(line, &l);
	if (!known)
		l = (struct line){ .ln = LN, .r = R, .p = P };
	const bool derived = derive(password, &l, key);
	const bool same = CRYPTO_memcmp(key, l.key, SCRYPT_KEY) == 0;
	OPENSSL_cleanse(key, sizeof key);
	return known && derived && same;
}
