/* tls.c - see tls.h. OpenSSL works on memory: what the network brings goes into one BIO, what is to be sent comes out of the other. */
#include "flow/wire/tls.h"

#include "base/mem.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct tls {
	unsigned magic;
#define TLS_MAGIC 0x71570001u
	SSL_CTX *ctx;
};

struct tls_stream {
	unsigned magic;
#define TLS_STREAM_MAGIC 0x71570002u
	SSL *ssl;
	BIO *in, *out; /* owned by ssl */
	bool ready;
	bool renegotiates; /* the caller wants to */
};

/* The first thing that OpenSSL has to say, or what was wrong with the certificate. */
static bool explain(const SSL *ssl, enum err_kind kind, enum err_culprit culprit, const char *what, struct err *e)
{
	char text[160] = "unknown cause";
	const long verdict = ssl == NULL ? X509_V_OK : SSL_get_verify_result(ssl);
	const unsigned long code = ERR_peek_error();
	if (verdict != X509_V_OK)
		snprintf(text, sizeof text, "certificate of the peer: %s", X509_verify_cert_error_string(verdict));
	else if (code != 0 && ERR_reason_error_string(code) != NULL)
		snprintf(text, sizeof text, "%s", ERR_reason_error_string(code));
	ERR_clear_error();
	return err_set(e, kind, culprit, "TLS: %s: %s", what, text);
}

/* --- what an MTA has --- */

static bool read_revoked(SSL_CTX *ctx, const char *path)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
	if (lookup == NULL || X509_load_crl_file(lookup, path, X509_FILETYPE_PEM) <= 0)
		return false;
	return X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) == 1;
}

static bool fill(SSL_CTX *ctx, const struct tls_files *f, struct err *e)
{
	const struct { const char *what, *path; } wanted[] = { { "certificate", f->certificate }, { "key", f->key }, { "authorities", f->authorities } };
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		if (wanted[i].path == NULL || *wanted[i].path == 0)
			return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "TLS: no file of the %s is set", wanted[i].what);
	if (SSL_CTX_use_certificate_chain_file(ctx, f->certificate) != 1)
		return explain(NULL, ERR_LOCAL, ERR_OF_PROCESS, f->certificate, e);
	if (SSL_CTX_use_PrivateKey_file(ctx, f->key, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(ctx) != 1)
		return explain(NULL, ERR_LOCAL, ERR_OF_PROCESS, f->key, e);
	if (SSL_CTX_load_verify_file(ctx, f->authorities) != 1)
		return explain(NULL, ERR_LOCAL, ERR_OF_PROCESS, f->authorities, e);
	if (f->revoked != NULL && *f->revoked != 0 && !read_revoked(ctx, f->revoked))
		return explain(NULL, ERR_LOCAL, ERR_OF_PROCESS, f->revoked, e);
	return true;
}

struct tls *tls_new(const struct tls_files *files, struct err *e)
{
	struct tls *t = mem_zero(sizeof *t);
	t->magic = TLS_MAGIC;
	ERR_clear_error();
	t->ctx = SSL_CTX_new(TLS_method());
	if (t->ctx == NULL)
		CANT_HAPPEN("OpenSSL gives no context");
	SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_session_cache_mode(t->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(t->ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	if (!fill(t->ctx, files, e))
		tls_free(&t);
	return t;
}

void tls_free(struct tls **tp)
{
	struct tls *t = *tp;
	if (t == NULL)
		return;
	CHECK(t, TLS_MAGIC);
	SSL_CTX_free(t->ctx);
	t->magic = 0;
	MEM_FREE(*tp);
}

/* --- the filter --- */

static void give_out(struct tls_stream *t, struct out *to_network)
{
	char *p;
	const long n = BIO_get_mem_data(t->out, &p);
	if (n > 0)
		out_bytes(to_network, view_of(p, (size_t)n));
	(void)BIO_reset(t->out);
}

static bool shake_hands(struct tls_stream *t, struct out *to_network, struct err *e)
{
	ERR_clear_error();
	const int done = SSL_do_handshake(t->ssl);
	const int why = done == 1 ? SSL_ERROR_NONE : SSL_get_error(t->ssl, done);
	give_out(t, to_network); /* an alert too */
	t->ready = done == 1;
	if (done == 1 || why == SSL_ERROR_WANT_READ)
		return true;
	return explain(t->ssl, ERR_PEER, ERR_OF_LINK, "no agreement with the peer", e);
}

static bool tls_begin(void *ctx, struct out *to_network, struct err *e)
{
	struct tls_stream *t = ctx;
	CHECK(t, TLS_STREAM_MAGIC);
	return shake_hands(t, to_network, e);
}

static bool tls_receive(void *ctx, struct view octets, struct out *to_user, struct out *to_network, struct err *e)
{
	struct tls_stream *t = ctx;
	CHECK(t, TLS_STREAM_MAGIC);
	size_t n;
	if (octets.n > 0 && BIO_write_ex(t->in, octets.p, octets.n, &n) != 1)
		return err_set(e, ERR_LOCAL, ERR_OF_PROCESS, "TLS: no memory for %zu octets", octets.n);
	if (!t->ready && !shake_hands(t, to_network, e))
		return false;
	while (t->ready) {
		uint8_t buf[16 * 1024];
		ERR_clear_error();
		const int got = SSL_read_ex(t->ssl, buf, sizeof buf, &n);
		if (got == 1) {
			out_bytes(to_user, view_of(buf, n));
			continue;
		}
		const int why = SSL_get_error(t->ssl, got);
		give_out(t, to_network);
		if (t->renegotiates)
			return err_set(e, ERR_PEER, ERR_OF_ASSOCIATION, "TLS: the caller wants to renegotiate");
		if (why == SSL_ERROR_WANT_READ)
			return true;
		if (why == SSL_ERROR_ZERO_RETURN) /* it says no more; the end of the connection follows */
			return true;
		return explain(t->ssl, ERR_PEER, ERR_OF_ASSOCIATION, "octets of the peer", e);
	}
	return true;
}

static bool tls_ready(const void *ctx)
{
	return ((const struct tls_stream *)ctx)->ready;
}

static bool tls_send(void *ctx, struct view octets, struct out *to_network, struct err *e)
{
	struct tls_stream *t = ctx;
	CHECK(t, TLS_STREAM_MAGIC);
	size_t n;
	ERR_clear_error();
	while (octets.n > 0) {
		if (SSL_write_ex(t->ssl, octets.p, octets.n, &n) != 1)
			return explain(t->ssl, ERR_PEER, ERR_OF_ASSOCIATION, "octets for the peer", e);
		octets = view_from(octets, n);
	}
	give_out(t, to_network);
	return true;
}

static void tls_end(void *ctx, struct out *to_network)
{
	struct tls_stream *t = ctx;
	CHECK(t, TLS_STREAM_MAGIC);
	ERR_clear_error();
	if (t->ready)
		(void)SSL_shutdown(t->ssl);
	give_out(t, to_network);
}

static void tls_stream_free(void *ctx)
{
	struct tls_stream *t = ctx;
	CHECK(t, TLS_STREAM_MAGIC);
	SSL_free(t->ssl);
	t->magic = 0;
	free(t);
}

static const struct stream_filter tls_filter = { tls_begin, tls_receive, tls_ready, tls_send, tls_end, tls_stream_free };

/* OpenSSL says no to each request and goes on. Who asks without end and reads no answer would fill our memory. */
static void on_state(const SSL *ssl, int where, int what)
{
	struct tls_stream *t = SSL_get_app_data(ssl);
	CHECK(t, TLS_STREAM_MAGIC);
	if ((where & SSL_CB_WRITE_ALERT) == SSL_CB_WRITE_ALERT && (what & 0xff) == SSL_AD_NO_RENEGOTIATION && SSL_is_server(ssl))
		t->renegotiates = true;
}

static struct tls_stream *tls_stream_new(struct tls *t)
{
	CHECK(t, TLS_MAGIC);
	struct tls_stream *x = mem_zero(sizeof *x);
	x->magic = TLS_STREAM_MAGIC;
	x->ssl = SSL_new(t->ctx);
	x->in = BIO_new(BIO_s_mem());
	x->out = BIO_new(BIO_s_mem());
	if (x->ssl == NULL || x->in == NULL || x->out == NULL)
		CANT_HAPPEN("OpenSSL has no memory");
	BIO_set_mem_eof_return(x->in, -1);
	SSL_set_bio(x->ssl, x->in, x->out);
	SSL_set_app_data(x->ssl, x);
	SSL_set_info_callback(x->ssl, on_state);
	return x;
}

static bool is_numeric(const char *name)
{
	uint8_t addr[16];
	return inet_pton(AF_INET, name, addr) == 1 || inet_pton(AF_INET6, name, addr) == 1;
}

void tls_connect(struct tls *t, struct stream *s, const char *name)
{
	struct tls_stream *x = tls_stream_new(t);
	X509_VERIFY_PARAM *param = SSL_get0_param(x->ssl);
	if (is_numeric(name))
		X509_VERIFY_PARAM_set1_ip_asc(param, name);
	else if (*name != 0) {
		SSL_set_tlsext_host_name(x->ssl, name);
		X509_VERIFY_PARAM_set1_host(param, name, 0);
	}
	SSL_set_connect_state(x->ssl);
	stream_set_filter(s, &tls_filter, x, false);
}

void tls_accept(struct tls *t, struct stream *s)
{
	struct tls_stream *x = tls_stream_new(t);
	SSL_set_accept_state(x->ssl);
	stream_set_filter(s, &tls_filter, x, true);
}

/* --- questions --- */

bool tls_is_on(const struct stream *s)
{
	return stream_filter_ctx(s, &tls_filter) != NULL;
}

static X509 *peer_certificate(const struct stream *s)
{
	struct tls_stream *t = stream_filter_ctx(s, &tls_filter);
	return t == NULL || !t->ready ? NULL : SSL_get0_peer_certificate(t->ssl);
}

bool tls_peer_is(const struct stream *s, const char *name)
{
	X509 *x = peer_certificate(s);
	if (x == NULL)
		return false;
	return is_numeric(name) ? X509_check_ip_asc(x, name, 0) == 1 : X509_check_host(x, name, 0, 0, NULL) == 1;
}

const char *tls_peer_subject(const struct stream *s, char *text, size_t size)
{
	X509 *x = peer_certificate(s);
	text[0] = 0;
	if (x != NULL)
		X509_NAME_oneline(X509_get_subject_name(x), text, (int)size);
	return text;
}
