/* tls_test.c - TLS streams over the small world, with certificates made here. OpenSSL on both sides: that the octets are TLS is not
 * in question here, but what is accepted, what is refused and how it is said (RFC 6125, RFC 5280). */
#include "flow/wire/tls.h"

#include "base/mem.h"
#include "sys/fake_env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

/* --- certificates --- */

struct authority {
	X509 *x;
	EVP_PKEY *key;
	char path[200];
};

static char folder[64];

static X509 *certificate(const struct authority *by, EVP_PKEY *key, const char *name, const char *alternative, long from_s, long until_s, bool is_ca)
{
	static long serial = 1;
	X509 *x = X509_new();
	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), ++serial);
	X509_gmtime_adj(X509_getm_notBefore(x), from_s);
	X509_gmtime_adj(X509_getm_notAfter(x), until_s);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(x, by == NULL ? X509_get_subject_name(x) : X509_get_subject_name(by->x));
	X509_set_pubkey(x, key);
	X509_EXTENSION *basic = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, is_ca ? "critical,CA:TRUE" : "CA:FALSE");
	X509_add_ext(x, basic, -1);
	X509_EXTENSION_free(basic);
	if (alternative != NULL) {
		X509_EXTENSION *names = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alternative);
		X509_add_ext(x, names, -1);
		X509_EXTENSION_free(names);
	}
	X509_sign(x, by == NULL ? key : by->key, EVP_sha256());
	return x;
}

static void write_pem(const char *path, X509 *x, EVP_PKEY *key)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	if (x != NULL)
		PEM_write_X509(f, x);
	if (key != NULL)
		PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
}

static void authority_new(struct authority *a, const char *name)
{
	a->key = EVP_EC_gen("P-256");
	a->x = certificate(NULL, a->key, name, NULL, -3600, 86400, true);
	snprintf(a->path, sizeof a->path, "%s/%s", folder, name);
	write_pem(a->path, a->x, NULL);
}

static void authority_free(struct authority *a)
{
	unlink(a->path);
	X509_free(a->x);
	EVP_PKEY_free(a->key);
}

/* What one side shows and whom it believes. */
struct side {
	const char *name;
	const struct authority *signed_by, *believes;
	const char *alternative;
	long from_s, until_s;
	bool revoked; /* its certificate stands in the list that the other side looks at */
};

struct held {
	struct tls *tls;
	X509 *x;
	EVP_PKEY *key;
	char certificate[200], key_path[200];
};

static void hold(struct held *h, const struct side *s, const char *revoked)
{
	struct err e;
	h->key = EVP_EC_gen("P-256");
	h->x = certificate(s->signed_by, h->key, s->name, s->alternative, s->from_s, s->until_s, false);
	snprintf(h->certificate, sizeof h->certificate, "%s/%s.pem", folder, s->name);
	snprintf(h->key_path, sizeof h->key_path, "%s/%s.key", folder, s->name);
	write_pem(h->certificate, h->x, NULL);
	write_pem(h->key_path, NULL, h->key);
	const struct tls_files files = { h->certificate, h->key_path, s->believes->path, revoked };
	h->tls = tls_new(&files, &e);
	if (h->tls == NULL)
		fail_msg("%s", e.text);
}

static void release(struct held *h)
{
	tls_free(&h->tls);
	X509_free(h->x);
	EVP_PKEY_free(h->key);
	unlink(h->certificate);
	unlink(h->key_path);
}

/* --- two ends --- */

struct end {
	struct stream *s;
	struct out got;
	unsigned opened, closed;
	struct err why;
};

struct world {
	struct env *env;
	struct listener *l;
	struct held caller, listener;
	struct end client, server;
};

static void on_opened(void *ctx)
{
	((struct end *)ctx)->opened++;
}

static size_t on_data(void *ctx, struct view data)
{
	out_bytes(&((struct end *)ctx)->got, data);
	return data.n;
}

static void on_closed(void *ctx, const struct err *why)
{
	struct end *e = ctx;
	e->closed++;
	e->why = *why;
	stream_close(&e->s, true);
}

static const struct stream_events events = { .opened = on_opened, .data = on_data, .closed = on_closed };

static void on_accepted(void *ctx, struct stream *s)
{
	struct world *w = ctx;
	w->server.s = s;
	stream_set_events(s, &events, &w->server);
	tls_accept(w->listener.tls, s);
}

static void begin(struct world *w, const struct side *caller, const struct side *listener, const char *revoked, const char *name)
{
	struct net_addr addr;
	struct err e;
	*w = (struct world){ .env = fake_env_new() };
	out_init(&w->client.got, 1 << 24);
	out_init(&w->server.got, 1 << 24);
	hold(&w->caller, caller, revoked);
	hold(&w->listener, listener, NULL);
	assert_true(net_addr_parse("127.0.0.1:102", &addr, &e));
	w->l = env_listen(w->env, &addr, on_accepted, w, &e);
	assert_non_null(w->l);
	w->client.s = env_connect(w->env, &addr, NULL, &events, &w->client);
	tls_connect(w->caller.tls, w->client.s, name);
	stream_write(w->client.s, VIEW("said before anybody agreed"));
	assert_int_equal(w->client.opened, 0);
}

static void finish(struct world *w)
{
	stream_close(&w->client.s, false);
	stream_close(&w->server.s, false);
	listener_close(&w->l);
	fake_env_settle(w->env);
	fake_env_free(&w->env);
	out_fini(&w->client.got);
	out_fini(&w->server.got);
	release(&w->caller);
	release(&w->listener);
}

static struct authority ours, theirs;

#define GOOD(who) { .name = who, .signed_by = &ours, .believes = &ours, .alternative = "DNS:" who ".example,IP:192.0.2.7", .from_s = -60, .until_s = 3600 }

static void test_both_sides_agree(void **state)
{
	(void)state;
	const struct side a = GOOD("a"), b = GOOD("b");
	struct world w;
	for (size_t chunk = 0; chunk < 4; chunk++) { /* whatever pieces the network makes of it */
		char subject[80];
		begin(&w, &a, &b, NULL, "b.example");
		fake_env_set_chunk(w.env, chunk);
		fake_env_settle(w.env);
		assert_int_equal(w.client.opened, 1);
		assert_true(view_eq(out_view(&w.server.got), VIEW("said before anybody agreed")));
		stream_write(w.server.s, VIEW("heard"));
		fake_env_settle(w.env);
		assert_true(view_eq(out_view(&w.client.got), VIEW("heard")));
		assert_true(tls_is_on(w.client.s) && tls_peer_is(w.client.s, "b.example") && !tls_peer_is(w.client.s, "a.example"));
		assert_true(tls_peer_is(w.server.s, "a.example") && tls_peer_is(w.server.s, "192.0.2.7") && !tls_peer_is(w.server.s, "192.0.2.8"));
		assert_string_equal(tls_peer_subject(w.server.s, subject, sizeof subject), "/CN=a");
		stream_close(&w.client.s, true);
		fake_env_settle(w.env);
		assert_int_equal(w.server.closed, 1);
		finish(&w);
	}
}

static void test_much_goes_over_and_a_reader_that_waits_holds_it_up(void **state)
{
	(void)state;
	const struct side a = GOOD("a"), b = GOOD("b");
	struct world w;
	enum { MUCH = 3000000 };
	uint8_t *octets = mem_alloc(MUCH);
	for (size_t i = 0; i < MUCH; i++)
		octets[i] = (uint8_t)(i * 7 + i / 251);
	begin(&w, &a, &b, NULL, "192.0.2.7");
	fake_env_settle(w.env);
	out_clear(&w.server.got);
	stream_pause(w.server.s);
	stream_write(w.client.s, view_of(octets, MUCH));
	fake_env_settle(w.env);
	assert_int_equal(out_len(&w.server.got), 0);
	stream_resume(w.server.s);
	fake_env_settle(w.env);
	assert_true(view_eq(out_view(&w.server.got), view_of(octets, MUCH)));
	free(octets);
	finish(&w);
}

/* Neither side gives its user an octet of the other's; both are told why. */
static void refused(const struct side *a, const struct side *b, const char *name, bool by_caller, const char *says)
{
	struct world w;
	begin(&w, a, b, NULL, name);
	fake_env_settle(w.env);
	assert_int_equal(out_len(&w.server.got), 0);
	assert_int_equal(w.client.closed + w.server.closed, 2);
	const struct err *why = by_caller ? &w.client.why : &w.server.why;
	if (strstr(why->text, says) == NULL)
		fail_msg("want \"%s\", found \"%s\"", says, why->text);
	assert_int_equal(why->kind, ERR_PEER);
	finish(&w);
}

static void test_refusals_name_the_reason(void **state)
{
	(void)state;
	const struct side a = GOOD("a"), b = GOOD("b");
	struct side other = b, late = b, early = b, stranger = a;
	other.signed_by = &theirs;
	late.from_s = -7200, late.until_s = -3600;
	early.from_s = 3600, early.until_s = 7200;
	stranger.signed_by = &theirs;
	refused(&a, &b, "c.example", true, "hostname mismatch");
	refused(&a, &b, "192.0.2.99", true, "IP address mismatch");
	refused(&a, &other, "b.example", true, "unable to get local issuer certificate");
	refused(&a, &late, "b.example", true, "certificate has expired");
	refused(&a, &early, "b.example", true, "certificate is not yet valid");
	refused(&stranger, &b, "b.example", false, "unable to get local issuer certificate");
}

static void test_revoked(void **state)
{
	(void)state;
	const struct side a = GOOD("a"), b = GOOD("b");
	struct world w;
	char path[200];
	snprintf(path, sizeof path, "%s/revoked", folder);
	for (int revoked = 0; revoked < 2; revoked++) {
		/* The list must stand before the side that reads it: the serial number is the next but one. */
		X509_CRL *list = X509_CRL_new();
		ASN1_TIME *t = ASN1_TIME_new();
		X509_CRL_set_version(list, 1);
		X509_CRL_set_issuer_name(list, X509_get_subject_name(ours.x));
		X509_CRL_set1_lastUpdate(list, X509_gmtime_adj(t, -60));
		X509_CRL_set1_nextUpdate(list, X509_gmtime_adj(t, 3600));
		if (revoked) {
			X509_REVOKED *one = X509_REVOKED_new();
			X509 *probe = certificate(&ours, ours.key, "probe", NULL, 0, 1, false);
			ASN1_INTEGER *serial = ASN1_INTEGER_new();
			ASN1_INTEGER_set(serial, ASN1_INTEGER_get(X509_get0_serialNumber(probe)) + 2);
			X509_REVOKED_set_serialNumber(one, serial);
			X509_REVOKED_set_revocationDate(one, X509_gmtime_adj(t, -60));
			X509_CRL_add0_revoked(list, one);
			ASN1_INTEGER_free(serial);
			X509_free(probe);
		}
		X509_CRL_sign(list, ours.key, EVP_sha256());
		FILE *f = fopen(path, "w");
		PEM_write_X509_CRL(f, list);
		fclose(f);
		begin(&w, &a, &b, path, "b.example");
		fake_env_settle(w.env);
		assert_int_equal(w.client.opened, !revoked);
		if (revoked)
			assert_non_null(strstr(w.client.why.text, "certificate revoked"));
		finish(&w);
		X509_CRL_free(list);
		ASN1_TIME_free(t);
	}
	unlink(path);
}

/* Someone who speaks no TLS on the port, and one who is cut in the middle of it, at every octet. */
static void test_nonsense_and_cuts(void **state)
{
	(void)state;
	const struct side b = GOOD("b");
	struct held h;
	struct err e;
	hold(&h, &b, NULL);
	struct env *env = fake_env_new();
	struct end end = { 0 };
	struct stream *other;
	out_init(&end.got, 1000);
	fake_env_pair(env, &other, &end.s);
	stream_set_events(end.s, &events, &end);
	tls_accept(h.tls, end.s);
	fake_env_inject(end.s, VIEW("\x03\x00\x00\x16\x11\xe0\x00\x00\x00\x01\x00\xc0\x01\x0d\xc2\x02\x00\x01\x00\x00\x00\x00")); /* TPKT with CR */
	fake_env_settle(env);
	assert_int_equal(end.closed, 1);
	assert_non_null(strstr(end.why.text, "TLS: no agreement with the peer"));
	assert_int_equal(out_len(&end.got), 0);
	stream_close(&other, false);
	fake_env_settle(env);
	out_fini(&end.got);
	fake_env_free(&env);
	release(&h);
	err_set(&e, ERR_PEER, ERR_OF_ASSOCIATION, "cut");
	const struct side a = GOOD("a");
	for (unsigned turns = 1; turns < 12; turns++) {
		struct world w;
		begin(&w, &a, &b, NULL, "b.example");
		for (unsigned i = 0; i < turns; i++)
			(void)fake_env_turn(w.env);
		stream_close(&w.client.s, false);
		fake_env_settle(w.env);
		assert_true(w.server.s == NULL);
		finish(&w);
	}
}

/* TLS 1.2: each request is answered, and a caller that asked again and again and read nothing would have us hold the answers. */
static void test_a_caller_that_renegotiates_is_given_up(void **state)
{
	(void)state;
	const struct side b = GOOD("b"), a = GOOD("a");
	struct held h, own;
	hold(&h, &b, NULL);
	hold(&own, &a, NULL);
	struct env *env = fake_env_new();
	struct end end = { 0 };
	struct stream *other;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
	assert_int_equal(SSL_CTX_use_certificate_chain_file(ctx, own.certificate), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey_file(ctx, own.key_path, SSL_FILETYPE_PEM), 1);
	SSL *ssl = SSL_new(ctx);
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	char *p;
	SSL_set_bio(ssl, in, out);
	SSL_set_connect_state(ssl);
	out_init(&end.got, 1000);
	fake_env_pair(env, &other, &end.s);
	stream_set_events(end.s, &events, &end);
	tls_accept(h.tls, end.s);
	for (unsigned i = 0; i < 10 && !SSL_is_init_finished(ssl); i++) {
		(void)SSL_do_handshake(ssl);
		long n = BIO_get_mem_data(out, &p);
		stream_deliver(end.s, view_of(p, (size_t)n));
		(void)BIO_reset(out);
		BIO_write(in, stream_builder(end.s)->p + stream_builder(end.s)->head, (int)stream_unsent(end.s));
		out_clear(stream_builder(end.s));
	}
	assert_true(SSL_is_init_finished(ssl));
	(void)SSL_renegotiate(ssl);
	(void)SSL_do_handshake(ssl);
	const long n = BIO_get_mem_data(out, &p);
	assert_true(n > 0);
	stream_deliver(end.s, view_of(p, (size_t)n));
	fake_env_settle(env);
	assert_int_equal(end.closed, 1);
	assert_non_null(strstr(end.why.text, "renegotiat"));
	assert_int_equal(end.why.kind, ERR_PEER);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	stream_close(&other, false);
	stream_close(&end.s, false);
	fake_env_settle(env);
	out_fini(&end.got);
	fake_env_free(&env);
	release(&h);
	release(&own);
}

static void test_files_that_are_wrong_are_named(void **state)
{
	(void)state;
	const struct side b = GOOD("b"), a = GOOD("a");
	struct held h, other;
	struct err e;
	hold(&h, &b, NULL);
	hold(&other, &a, NULL);
	const struct { struct tls_files files; const char *says; } cases[] = {
		{ { "/nowhere", h.key_path, ours.path, NULL }, "/nowhere: " },
		{ { h.certificate, "", ours.path, NULL }, "no file of the key is set" },
		{ { h.certificate, other.key_path, ours.path, NULL }, "key values mismatch" },
		{ { h.certificate, h.key_path, "/nowhere", NULL }, "/nowhere: " },
		{ { h.certificate, h.key_path, ours.path, h.key_path }, "b.key: " },
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_null(tls_new(&cases[i].files, &e));
		if (strstr(e.text, cases[i].says) == NULL)
			fail_msg("want \"%s\", found \"%s\"", cases[i].says, e.text);
		assert_int_equal(e.kind, ERR_LOCAL);
	}
	release(&h);
	release(&other);
}

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/posthorn-tls-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	authority_new(&ours, "ours");
	authority_new(&theirs, "theirs");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	authority_free(&ours);
	authority_free(&theirs);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_sides_agree),
		cmocka_unit_test(test_much_goes_over_and_a_reader_that_waits_holds_it_up),
		cmocka_unit_test(test_refusals_name_the_reason),
		cmocka_unit_test(test_revoked),
		cmocka_unit_test(test_nonsense_and_cuts),
		cmocka_unit_test(test_a_caller_that_renegotiates_is_given_up),
		cmocka_unit_test(test_files_that_are_wrong_are_named),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
