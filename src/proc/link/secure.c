/* secure.c - TLS of links: what each one shows and whom it believes, read once; and whether a caller is who its link says. */
#include "proc/link/link_int.h"

#include "base/mem.h"
#include "sys/net_prefix.h"

static const char *first_set(const char *own, const char *common)
{
	return *own != 0 ? own : common;
}

static struct tls_files files_of(const struct settings *s, const struct set_tls *own)
{
	return (struct tls_files){
		.certificate = first_set(own->certificate, s->tls.certificate),
		.key = first_set(own->key, s->tls.key),
		.authorities = first_set(own->authorities, s->tls.authorities),
		.revoked = first_set(own->revoked, s->tls.revoked),
	};
}

static struct tls *read_files(struct link *l, const char *name, const struct set_tls *own, struct err *why)
{
	const struct tls_files files = files_of(l->settings, own);
	struct tls *t = tls_new(&files, why);
	if (t == NULL)
		EMIT(&l->host, TLS_FAILED, "link", name, "why", why->text);
	return t;
}

/* A certificate that is being written just now is none: then the one from before serves on. What is open has its own. */
static void read_again(struct link *l, bool wanted, const char *name, const struct set_tls *own, struct tls **t, struct err *why)
{
	struct err e = { 0 };
	struct tls *now = wanted ? read_files(l, name, own, &e) : NULL;
	if (wanted && now == NULL && *t != NULL)
		return;
	tls_free(t);
	*t = now;
	*why = e;
}

/* What cannot be read is told now, and again to each who needs it: the other links go on. */
void secure_read(struct link *l)
{
	const struct set_tls none = { "", "", "", "" };
	for (size_t i = 0; i < l->n_partners; i++) {
		struct partner *p = l->partners[i];
		read_again(l, p->set.tls == LINK_TLS_REQUIRED, p->set.name, &p->set.tls_own, &p->tls, &p->tls_why);
	}
	read_again(l, l->settings->listen_tls.n > 0, "", &none, &l->listen_tls, &l->listen_tls_why);
}

void secure_end(struct link *l)
{
	tls_free(&l->listen_tls);
}

static void name_of(const struct set_link *k, const char *address, char *name, size_t size)
{
	const struct view host = *k->tls_name != 0 ? view_str(k->tls_name) : net_host(address);
	snprintf(name, size, "%.*s", (int)host.n, (const char *)host.p);
}

bool secure_connect(struct link *l, const struct set_link *k, const char *address, struct stream *s, struct err *e)
{
	char name[256];
	const struct partner *p = partner_of(k);
	(void)l;
	if (k->tls != LINK_TLS_REQUIRED)
		return true;
	if (p->tls == NULL) {
		*e = p->tls_why;
		e->kind = ERR_TEMP;
		e->culprit = ERR_OF_LINK;
		return false;
	}
	name_of(k, address, name, sizeof name);
	tls_connect(p->tls, s, name);
	return true;
}

bool secure_accept(struct link *l, struct stream *s)
{
	if (l->listen_tls == NULL) {
		EMIT(&l->host, TLS_FAILED, "peer", stream_peer(s), "why", l->listen_tls_why.text);
		return false;
	}
	tls_accept(l->listen_tls, s);
	return true;
}

/* By tls-name; without one by the host of one of its addresses. */
static bool bears_a_name(const struct assoc *a, const struct set_link *k, char *name, size_t size)
{
	const char *const *more = k->more_addresses.v;
	name_of(k, k->address, name, size);
	if (*name == 0 || tls_peer_is(a->stream, name))
		return true;
	for (size_t i = 0; *k->tls_name == 0 && i < k->more_addresses.n; i++) {
		char other[256];
		name_of(k, more[i], other, sizeof other);
		if (tls_peer_is(a->stream, other))
			return true;
	}
	return false;
}

bool secure_fits(const struct assoc *a, const struct set_link *k, struct err *e)
{
	char name[256], subject[100];
	if (k->tls != LINK_TLS_REQUIRED)
		return true;
	if (!tls_is_on(a->stream))
		return err_set(e, ERR_PEER, ERR_OF_ASSOCIATION, "link %s wants TLS, and the caller has come without", k->name);
	if (bears_a_name(a, k, name, sizeof name))
		return true;
	return err_set(e, ERR_PEER, ERR_OF_ASSOCIATION, "the certificate of the caller, %s, does not bear the name \"%s\" that link %s wants",
		       tls_peer_subject(a->stream, subject, sizeof subject), name, k->name);
}
