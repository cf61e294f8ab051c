/* postoffice.h - a Microsoft Mail postoffice on a file server: its directories, counters, mailbags, message files and locks (facts A).
 * Every call blocks; whoever uses it is a process that may hang alone (DESIGN 2). Before each system call the host's note says what
 * is touched, so that a hang is charged to the file server. Names are matched without case and created in upper case (Q152903).
 *
 * Order of writing, so that a crash at any point leaves orphans or a message, never half of one: ATT, MAI, P1, then the bag's MBG record,
 * then its KEY bit; and of removing: KEY bit, MAI count (or MAI, ATT), P1; a lock goes last. Files of a message are synced before the record that names
 * them. A bag holds a MAI at most once (Q77926): putting it in again changes nothing, so every step may be done again after a crash. */
#pragma once
#include "base/arena.h"
#include "flow/codec/msmail/envelope.h"
#include "flow/codec/msmail/glb.h"
#include "flow/codec/msmail/mai.h"

struct postoffice;

struct postoffice_host {
	void (*note)(void *ctx, const char *text); /* "postoffice open MBG/INQUEUE3.MBG"; "" when it has returned. NULL: nobody */
	wall_ms_t (*now)(void *ctx);
	uint64_t (*random)(void *ctx);
	void *ctx;
};

enum postoffice_bits {
	POSTOFFICE_READ_ONLY = 1,
	POSTOFFICE_CREATE_DIRS = 2, /* directories that are missing are made (Q266442), also later */
	POSTOFFICE_UNCHECKED = 4,   /* damaged files do not hinder: for check and repair. health says the first of them */
};

struct postoffice_health { bool read_only, case_sensitive, locks_work; unsigned dirs_missing, dirs_made; struct err first; };

/* Attaches: the directory, CONTROL.GLB, MASTER.GLB, NETWORK.GLB and the system bags are there and of their size (Q124042), each failure naming the file;
 * the self-test of locking (Q126750). Fails ERR_LOCAL, link (or ERR_TEMP, link when the server does not answer or is full). */
MUST_CHECK bool postoffice_open(const char *path, unsigned bits, const struct mm_scramble *s, const struct postoffice_host *host,
				struct postoffice **po_r, struct err *e);
void postoffice_close(struct postoffice **po);
const struct mm_master *postoffice_master(const struct postoffice *po);
const struct postoffice_health *postoffice_health(const struct postoffice *po);
const char *postoffice_path(const struct postoffice *po);

/* --- who lives where: read again when the files have changed (Q131116: and on a miss) --- */
struct mm_route {
	enum mm_where { MM_LOCAL_USER, MM_SYSTEM, MM_OUTBOUND, MM_NO_USER, MM_NO_ROUTE, MM_GROUP } where;
	char mailbag[9];              /* LOCAL_USER, OUTBOUND */
	struct mm_name next;          /* OUTBOUND: whose bag it is (the hop) */
	uint8_t network_type;         /* OUTBOUND: of the network's record */
};
MUST_CHECK bool postoffice_route(struct postoffice *po, const struct mm_name *to, struct mm_route *r_r, struct err *e);
/* Who this postoffice is, where its MASTER.GLB does not say it in a way that is known (then own is "" and nobody is local). */
void postoffice_set_own(struct postoffice *po, const struct mm_name *own);
/* Calls each for every postoffice that has an outbound bag here, until it returns false. */
MUST_CHECK bool postoffice_each_outbound(struct postoffice *po, bool (*each)(void *ctx, const struct mm_name *next, const char *mailbag), void *ctx, struct err *e);
/* That mailbag is one of those. True as well while the tables cannot be read: an envelope that stays costs nothing, one that goes is mail lost. */
bool postoffice_is_outbound(struct postoffice *po, const char *bag);
MUST_CHECK bool postoffice_each_user(struct postoffice *po, bool (*each)(void *ctx, const struct mm_user *u), void *ctx, struct err *e);
/* Members of a group here; a missing .MEM is an empty local part (Q117895). An external member (which only other programs put into a group, and whose address
 * lies where it is not known) is given as one of this postoffice with the mailbox `*` and his alias, which nobody has: so he is reported as unknown (Q117804). */
MUST_CHECK bool postoffice_group(struct postoffice *po, const char *group, bool (*each)(void *ctx, const struct mm_name *member), void *ctx, struct err *e);

/* --- locks --- */
struct po_lock;
/* P1\<bag>.0LK, held with a lock of the system: one whose holder is gone is taken over. bag: "INQUEUE3" or a mailbag. *lock_r NULL with
 * true: somebody else holds it, who: in *e's text (Q168857): try again later. */
MUST_CHECK bool postoffice_lock(struct postoffice *po, const char *bag, struct po_lock **lock_r, struct err *e);
void postoffice_unlock(struct po_lock **lock);

/* --- messages --- */
/* A message being put in: files with new ids from CONTROL.GLB; nothing names them until it is delivered to a bag. A begun one that is dropped removes its files. */
struct po_put;
MUST_CHECK bool postoffice_put_begin(struct postoffice *po, struct po_put **put_r, struct err *e);
MUST_CHECK bool po_put_attachment(struct po_put *p, uint64_t size, struct mm_id *id_r, struct err *e); /* then po_put_octets, in order of index */
MUST_CHECK bool po_put_octets(struct po_put *p, struct view octets, struct err *e);  /* plain; scrambled on the way */
MUST_CHECK bool po_put_mai(struct po_put *p, struct view mai, unsigned bags, struct err *e); /* attachments' ids are renamed here; written and synced */
MUST_CHECK bool po_put_envelope(struct po_put *p, const struct mm_envelope *v, struct err *e); /* P1\<id>.P1; the mai id is filled in */
struct mm_id po_put_id(const struct po_put *p);
/* Appends the record h (whose `mai` is this one's) to that bag under its byte-range lock; does nothing when a live record names that MAI already.
 * [017] (ERR_PERM, recipient 1/4) when it holds 4096. For a message being put and for one that is there. */
MUST_CHECK bool postoffice_deliver(struct postoffice *po, const char *bag, const struct mm_header *h, struct err *e);
MUST_CHECK bool postoffice_set_bags(struct postoffice *po, const struct mm_id *mai, unsigned bags, struct err *e); /* the counter in the MAI */
MUST_CHECK bool postoffice_count(struct postoffice *po, const struct mm_id *mai, unsigned *bags_r, struct err *e); /* what it says; 0: nothing that can be read */
void po_put_end(struct po_put **put, bool keep);

/* Whether a live record there names that MAI. No such bag: it does not. */
MUST_CHECK bool postoffice_holds(struct postoffice *po, const char *bag, const struct mm_id *mai, bool *holds_r, struct err *e);

/* Whether a record there, live (*holds_r) or not any more, is that message's: of its MAI, sender and subject. */
MUST_CHECK bool postoffice_had(struct postoffice *po, const char *bag, const struct mm_header *h, bool *had_r, bool *holds_r, struct err *e);

/* Reading a bag: live records, by slot: not in the order of coming. Who leaves some where they are asks for all (4096), or the later ones
 * never have their turn. The caller holds the bag's lock when it takes. */
struct po_bag_entry { unsigned slot; struct mm_header header; bool readable; struct err why; };
MUST_CHECK bool postoffice_bag(struct postoffice *po, const char *bag, unsigned max, struct po_bag_entry *entries_r, unsigned *n_r, unsigned *live_r, struct err *e);
/* The record goes; the MAI's count goes down, at zero MAI and ATT files are removed. with_envelope: the P1 goes, too, when no other outbound bag
 * of its recipients holds the message. A slot that does not name mai (any more) is left alone. mai NULL: an unreadable record goes, nothing else. */
MUST_CHECK bool postoffice_bag_drop(struct postoffice *po, const char *bag, unsigned slot, const struct mm_id *mai, bool with_envelope, struct err *e);
/* The record goes, nothing else: its message is in other bags now, whose number the counter says. */
MUST_CHECK bool postoffice_bag_forget(struct postoffice *po, const char *bag, unsigned slot, const struct mm_id *mai, struct err *e);

MUST_CHECK bool postoffice_read_mai(struct postoffice *po, const struct mm_id *id, uint64_t max, struct out *o, struct err *e);      /* [016] when missing */
MUST_CHECK bool postoffice_read_envelope(struct postoffice *po, const struct mm_id *id, struct arena *a, struct mm_envelope *v_r, struct err *e); /* [021], [024] */
MUST_CHECK bool postoffice_write_envelope(struct postoffice *po, const struct mm_envelope *v, struct err *e);      /* replaced at once; [024]: what is there is no file */
MUST_CHECK bool postoffice_remove_envelope(struct postoffice *po, const struct mm_id *id, struct err *e);          /* not there: fine */
struct po_file;                                                                                                        /* an ATT, read in pieces, plain */
MUST_CHECK bool postoffice_open_attachment(struct postoffice *po, const struct mm_id *id, struct po_file **f_r, uint64_t *size_r, struct err *e); /* [018] */
/* Whose the attachments of one message are: found out for all of the list when it is first asked, for which a few dozen neighbours are looked at (owner.c). */
struct po_owner;
struct po_owner *postoffice_owner_new(const struct mm_id *mai, const struct mm_attachment *list, size_t n);
void postoffice_owner_free(struct po_owner **o);
/* As postoffice_open_attachment, when a (one of that list) has the size that its message says, and is that message's own as far as can be told; else [018] as well. */
MUST_CHECK bool postoffice_open_own(struct postoffice *po, struct po_owner *o, const struct mm_attachment *a, struct po_file **f_r, uint64_t *size_r, struct err *e);
MUST_CHECK bool po_file_read(struct po_file *f, void *buf, size_t n, size_t *got_r, struct err *e);
void po_file_close(struct po_file **f);
/* Octets that are free, in 64 bits (Q196537). most_r (NULL: not asked): how many there would be with nothing else on the disk; UINT64_MAX when its server does not say. */
MUST_CHECK bool postoffice_space(struct postoffice *po, uint64_t *free_r, uint64_t *most_r, struct err *e);
/* A few steps of the sweep of files that nobody names (Q256187): at most `steps` names looked at; goes on where it stood. Files younger than an hour stay. */
MUST_CHECK bool postoffice_sweep(struct postoffice *po, unsigned steps, unsigned *removed_r, struct err *e);

/* --- making and mending: tools. Names that are made are letters and digits only (A11). Fail ERR_PERM, link for what was asked, ERR_LOCAL or ERR_TEMP,
 * link for the file server. Nothing is synced twice: what has returned true is on disk. --- */
/* path: a directory that is empty, or not there yet. The serial number of the Exchange connector's postoffices (22-28798) is never a random one.
 * When it fails, what it had made in there is removed again. */
MUST_CHECK bool postoffice_create(const char *path, const struct mm_name *own, const char *serial /* NULL: a random one (Q151228) */, const struct postoffice_host *host, struct err *e);
MUST_CHECK bool postoffice_add_user(struct postoffice *po, const char *mailbox, const char *friendly /* NULL: as the mailbox */, struct err *e);
/* A group of this postoffice's address list with local members (mailboxes); external ones have no place in a .MEM (Q117804). */
MUST_CHECK bool postoffice_add_group(struct postoffice *po, const char *group, const char *const *members, size_t n, struct err *e);
/* An external postoffice: network, XTN record, outbound bag; via: its next hop, which is there and direct, or NULL when this one is. A network's name that is
 * a gateway's is refused (Q175978). */
MUST_CHECK bool postoffice_add_external(struct postoffice *po, const struct mm_name *other, const struct mm_name *via, struct err *e);
/* A network that has a queue itself; type: of its record, MM_NETWORK_FFAPI or another. */
/* A gateway's network, with a mailbag of its own; via: the postoffice that has the gateway, a direct one: its mailbag then. */
MUST_CHECK bool postoffice_add_gateway(struct postoffice *po, const char *network, uint8_t type, const struct mm_name *via, struct err *e);
/* All external postoffices and gateways, also those reached by way of another, until each returns false. */
struct postoffice_external { struct mm_name name; struct mm_name via; char mailbag[9]; uint8_t type; bool is_gateway; };
MUST_CHECK bool postoffice_each_external(struct postoffice *po, bool (*each)(void *ctx, const struct postoffice_external *x), void *ctx, struct err *e);
MUST_CHECK bool postoffice_each_group(struct postoffice *po, bool (*each)(void *ctx, const char *group), void *ctx, struct err *e);

/* Is it whole? Each finding once: file, what is wrong, whether it was mended. Attached with POSTOFFICE_UNCHECKED, for what is damaged cannot be attached
 * otherwise. While others work on it, findings about messages may be of a moment. repair: mends what can be, with the lock of every mailbag that is changed,
 * after a copy of the file beside it (but of a MAI, of which two octets change: the finding says them). Files that nobody names are counted, and left to
 * postoffice_sweep. One whose MASTER.GLB bears no mark of ours is looked at as far as its files are published, and never mended
 * (ERR_PERM, link). Fails ERR_LOCAL or ERR_TEMP, link when the file server does, or when somebody holds a lock (repair). */
struct postoffice_findings { unsigned found, mended, messages, orphans; };
MUST_CHECK bool postoffice_check(struct postoffice *po, bool repair, void (*each)(void *ctx, const char *file, const char *what, bool mended), void *ctx,
				 struct postoffice_findings *n_r, struct err *e);
