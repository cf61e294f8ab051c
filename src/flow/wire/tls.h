/* tls.h - TLS around a transport connection (OpenSSL; TLS 1.2 and later), as a filter of a stream. Both sides show
 * certificates, and each is checked: signed by the authorities, in its time, not revoked, of the right name (RFC 6125). */
#pragma once
#include "sys/env.h"

struct tls; /* what one MTA, or one link of it, has: certificate, key, authorities. Outlives the streams it is used for */

struct tls_files {
	const char *certificate, *key; /* PEM; the certificate first, then what leads to its authority */
	const char *authorities;       /* PEM: who may sign the peers' */
	const char *revoked;           /* PEM: revocation lists; NULL or empty: none are looked at */
};

/* Reads the files now, once. NULL with ERR_LOCAL, process: the file and what is wrong with it are named. */
struct tls *tls_new(const struct tls_files *files, struct err *e);
void tls_free(struct tls **t);

/* Right after env_connect: nothing is sent in clear, opened() comes when the peer's certificate was checked. name: host name or
 * numeric address (without port) that it must bear; empty: any of these authorities. An error of the peer's comes through closed(). */
void tls_connect(struct tls *t, struct stream *s, const char *name);
/* Right after a stream was accepted. The caller must show a certificate of the authorities; whose it is, is asked later.
 * One that asks to renegotiate is closed with an error of the peer's. */
void tls_accept(struct tls *t, struct stream *s);

bool tls_is_on(const struct stream *s);
/* Once octets have come: does the peer's certificate bear that host name or numeric address? False, too, for a stream without TLS. */
bool tls_peer_is(const struct stream *s, const char *name);
/* Subject of the peer's certificate as text, for events; cut at size. Empty without one. */
const char *tls_peer_subject(const struct stream *s, char *text, size_t size);
