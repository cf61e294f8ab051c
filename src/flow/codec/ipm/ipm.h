/* ipm.h - interpersonal messages (X.420, P2 and P22): composed from text and files, taken apart for rendering.
 * The structs of the standard and their tables are in ipm_asn1.h; this is what most callers want. */
#pragma once
#include "flow/codec/charset/charset.h"
#include "flow/codec/ipm/ipm_asn1.h"
#include "flow/message/oraddr.h"

enum ipm_part_kind {
#define X(id, name, basic, et) IPM_PART_##id,
#include "flow/codec/ipm/ipm_part_table.h"
#undef X
	IPM_PART_KIND_COUNT
};
const char *ipm_part_kind_name(enum ipm_part_kind k); /* "ia5-text" ... */

/* Sane limits for one content: depth 64, 1,000,000 elements (a heading that names 32,767 recipients has half of them), 2 GiB. */
struct ber_limits ipm_limits_default(void);

/* --- taking apart --- */

struct ipm {
	const struct ipm_message *message; /* an IPM, its body as TLVs (outer tables) ... */
	const struct ipm_ipn *notification; /* ... or a notification; the other is NULL */
};

/* P2 and P22 differ in what may be in them, not in their octets. Views point into `content` or the arena.
 * Fails (ERR_PERM, message) when it is not an InformationObject or a limit or the arena's quota is passed. A body part that
 * does not decode is no failure: see ipm_part_at. */
MUST_CHECK bool ipm_parse(struct view content, struct ipm *ipm_r, struct arena *a, const struct ber_limits *limits,
			  struct err *e);

struct ipm_part {
	enum ipm_part_kind kind;
	bool extended;           /* came as [15], with an object identifier */
	struct view type;        /* that identifier (of the data), content octets */
	struct view tlv;         /* the whole body part */
	struct view octets;      /* the data: text as it came, a file's octets, else BER. Pages of teletex are joined. */
	bool is_text;            /* octets are text of: */
	enum charset charset;
	unsigned registration;   /* general text: what stands in G1 */
	bool ita2;               /* IA5 text whose repertoire is ITA2 */
	struct ipm_external parameters; /* of an extended part; has bit IPM_EXTENDED_PARAMETERS in has_parameters */
	bool has_parameters;
	struct view data;        /* of an extended part: the TLV of its single-ASN1-type; empty: it came in another form */

	/* File transfer. */
	const struct ipm_file_parameters *file; /* NULL when absent or not readable */
	struct view name;         /* last element of the pathname, GraphicString */
	int64_t size;             /* object-size; -1: not said */

	/* Message: the nested IPM (outer tables) and its delivery envelope. Notification: see `notification`. */
	const struct ipm_message *message;
	const struct ipm_ipn *notification;
	const struct ipm_message_parameters *delivery;
	int64_t pages;            /* g3 facsimile, teletex: number-of-pages; -1: not said */
	struct err why;           /* IPM_PART_UNKNOWN: why it was not decoded */
};

size_t ipm_part_count(const struct ipm_message *m);

/* The i-th body part (from 0; i < count). Never fails for what the peer sent: a part that does not decode is
 * IPM_PART_UNKNOWN with its TLV as octets. false only when the arena is full. */
MUST_CHECK bool ipm_part_at(const struct ipm_message *m, size_t i, struct ipm_part *part_r, struct arena *a,
			    const struct ber_limits *limits, struct err *e);

/* The address of an O/R name of these structs; empty (n = 0) for NULL. */
struct oraddr ipm_oraddr(const struct p1_orname *name, struct arena *a);

/* The value's octets of one heading extension, a TLV; empty when absent. */
struct view ipm_heading_extension(const struct ipm_heading *h, enum ipm_ext x);

/* Appends the text of a UniversalOrBMPString's TLV (extended-subject, originators-reference) as UTF-8; nothing when it
 * does not decode. */
void ipm_universal_text(struct view tlv, struct out *o);

/* Appends the whole content in ASN.1 value notation or JSON. What does not decode is shown as raw TLVs; never fails. */
void ipm_print(struct view content, enum ber_form form, unsigned indent, struct arena *a, const struct ber_limits *limits,
	       struct out *o);

/* --- composing --- */

enum { IPM_ASK_RN = 1, IPM_ASK_NRN = 2, IPM_ASK_RETURN = 4 }; /* X.420 7.1.3 NotificationRequests; RN implies NRN */

struct ipm_user {
	struct oraddr addr;
	struct view free_form;    /* UTF-8, may be empty: the name as a person writes it */
};

struct ipm_recipient {
	struct ipm_user user;
	unsigned ask;             /* IPM_ASK_... */
	bool reply_requested;
};

enum ipm_compose_kind {
	IPM_COMPOSE_TEXT,      /* data: UTF-8; IA5 text when ASCII, else general text of the smallest repertoire */
	IPM_COMPOSE_FILE,      /* file transfer body part */
	IPM_COMPOSE_BILATERAL, /* bilaterally defined (14): octets without a name */
	IPM_COMPOSE_FORWARD,   /* message body part: data is the content (BER) of a P2 or P22 IPM */
};

struct ipm_compose_part {
	enum ipm_compose_kind kind;
	struct view data;
	struct view name;         /* file: UTF-8; only what follows the last `/` or `\` is sent */
	int64_t modified_ms;      /* file: since 1970 UTC, 0: not sent */
};

struct ipm_compose {
	struct view local_id;     /* user-relative-identifier: 1..64 printable characters (X.420 7.1.4) */
	struct ipm_user originator;
	const struct ipm_recipient *to, *cc, *bcc; /* bcc: only in the copies that the bcc recipients get */
	size_t n_to, n_cc, n_bcc;
	struct view subject;      /* UTF-8; what T.61 cannot hold goes into extended-subject too */
	enum ipm_importance importance;
	int64_t sensitivity;      /* enum ipm_sensitivity, 0: not sent */
	int64_t expiry_ms, reply_by_ms; /* 0: not sent */
	const struct ipm_user *reply_to;
	size_t n_reply_to;
	bool auto_forwarded;
	int64_t auto_submitted;   /* 0 not sent, 1 auto-generated, 2 auto-replied */
	struct view category;     /* UTF-8, empty: not sent: one information-category, by its description */
	const struct ipm_compose_part *parts;
	size_t n_parts;
};

struct ipm_composed {
	size_t replaced;          /* characters of subject, names and texts that became `?` */
	int64_t content_type;     /* 2 when P2 of 1984 holds all of it, else 22 */
};

/* Appends the P22 (or P2) content, definite and minimal. kit: may be NULL (then text is IA5, Latin-1 or UTF-8).
 * Fails (ERR_PERM, message) naming the field when a bound of X.420 is passed or the identifier is not
 * printable; (ERR_LOCAL, message) when *o or the arena is full. */
MUST_CHECK bool ipm_compose(const struct ipm_compose *c, const struct charset_kit *kit, struct out *o,
			    struct ipm_composed *done_r, struct arena *a, struct err *e);
