/* digest.c - see digest.h. */
#include "sys/digest.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

enum { PIECE = 1 << 16 };

struct digest {
	unsigned magic;
#define DIGEST_MAGIC 0xd16e57a1u
	EVP_MD_CTX *ctx;
};

/* OpenSSL fails here only without memory, or without the algorithm: neither is anything to go on with. */
static void begin(struct digest *d)
{
	const int ok = EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL);
	assert(ok == 1);
}

struct digest *digest_new(void)
{
	struct digest *d = mem_zero(sizeof *d);
	d->magic = DIGEST_MAGIC;
	d->ctx = EVP_MD_CTX_new();
	assert(d->ctx != NULL);
	begin(d);
	return d;
}

void digest_add(struct digest *d, struct view octets)
{
	CHECK(d, DIGEST_MAGIC);
	const int ok = octets.n == 0 ? 1 : EVP_DigestUpdate(d->ctx, octets.p, octets.n);
	assert(ok == 1);
}

void digest_end(struct digest *d, char hex_r[DIGEST_HEX])
{
	CHECK(d, DIGEST_MAGIC);
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	const int ok = EVP_DigestFinal_ex(d->ctx, sum, &n);
	assert(ok == 1 && n == (DIGEST_HEX - 1) / 2);
	for (unsigned i = 0; i < n; i++)
		snprintf(hex_r + (size_t)2 * i, 3, "%02x", sum[i]);
	begin(d);
}

void digest_free(struct digest **d)
{
	if (*d == NULL)
		return;
	CHECK(*d, DIGEST_MAGIC);
	EVP_MD_CTX_free((*d)->ctx);
	(*d)->magic = 0;
	MEM_FREE(*d);
}

static bool add_file(struct digest *d, int fd, const char *path, uint64_t *size_r, struct err *e)
{
	uint8_t piece[PIECE];
	*size_r = 0;
	for (;;) {
		const ssize_t n = read(fd, piece, sizeof piece);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%.120s: cannot be read: %s", path, strerror(errno));
		if (n == 0)
			return true;
		digest_add(d, view_of(piece, (size_t)n));
		*size_r += (uint64_t)n;
	}
}

bool digest_file(const char *path, char hex_r[DIGEST_HEX], uint64_t *size_r, struct err *e)
{
	const int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "%.120s: cannot be opened: %s", path, strerror(errno));
	struct digest *d = digest_new();
	uint64_t size = 0;
	const bool ok = add_file(d, fd, path, &size, e);
	if (ok) {
		digest_end(d, hex_r);
		*size_r = size;
	}
	digest_free(&d);
	close(fd);
	return ok;
}
