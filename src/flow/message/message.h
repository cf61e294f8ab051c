/* message.h - the one canonical form of what is transferred: message, probe or report (X.411 12.2),
 * whatever protocol it came by. Codecs map their own structs to it and back without loss: what has no
 * field here is carried as an extension or raw octets.
 *
 * The content is never in here: it travels beside it, by reference or in pieces. */
#pragma once
#include "flow/message/oraddr.h"

/* X.411 8.5.5; the values of the protocol are not in this order (normal 0, non-urgent 1, urgent 2). */
enum priority { PRIORITY_NON_URGENT, PRIORITY_NORMAL, PRIORITY_URGENT, PRIORITY_COUNT };

enum message_kind { MESSAGE_MESSAGE = 0, MESSAGE_REPORT = 1, MESSAGE_PROBE = 2 }; /* the tags of MTS-APDU */

/* Points in time are milliseconds since 1970 UTC; 0 = absent. */
typedef int64_t wall_ms_t;

/* X.411 GlobalDomainIdentifier. Form tells Printable from Numeric; an absent ADMD or PRMD has n = 0 and no pointer
 * (an ADMD that is there and empty has a pointer: it goes out as it came). */
struct gdi_part {
	enum oraddr_form form; /* ORA_PRINTABLE or ORA_NUMERIC */
	struct view value;
};

struct gdi {
	struct gdi_part country, admd, prmd;
	bool has_prmd;
};

/* X.411 MTSIdentifier. Equal when domain (folded) and local identifier (exact) are. */
struct mts_id {
	struct gdi domain;
	struct view local;
};

enum routing_action { ROUTING_RELAYED = 0, ROUTING_REROUTED = 1 };

/* X.411 AdditionalActions: bits of other_actions, as octet bits of the BIT STRING (bit 0 = 1). */
enum { TRACE_REDIRECTED = 1, TRACE_DL_OPERATION = 2 };

/* One element of TraceInformation (domain) or InternalTraceInformation (MTA). */
struct trace_element {
	struct gdi domain;
	struct view mta;             /* internal trace: MTA name; empty in the domain trace */
	wall_ms_t arrival;
	struct view arrival_raw;     /* the UTCTime as it came; printed again bit-exact */
	enum routing_action action;
	bool has_attempted;
	struct gdi attempted_domain; /* domain trace; internal: choice of MTA or domain */
	struct view attempted_mta;
	wall_ms_t deferred;
	struct view deferred_raw;
	struct view converted;       /* raw TLV of converted-encoded-information-types, or empty */
	unsigned other_actions;
	struct view *extra;          /* unknown elements of the supplied information, raw TLVs */
	size_t n_extra;
};

struct trace {
	struct trace_element *v;
	size_t n;
};

/* X.411 ExtensionField. Known or not, the value stays as BER octets. */
struct extension {
	bool is_private;      /* type is an OID, in `oid` */
	uint32_t number;      /* standard extension */
	struct view oid;      /* content octets */
	unsigned criticality; /* EXT_FOR_... bits */
	struct view criticality_raw; /* BIT STRING content as it came, when not the minimal form; else empty */
	struct view value;    /* the TLV inside [2] */
	bool explicit_type;   /* the peer wrote [0] around INTEGER (ISODE form) */
};
enum { EXT_FOR_SUBMISSION = 1, EXT_FOR_TRANSFER = 2, EXT_FOR_DELIVERY = 4 };

struct extensions {
	struct extension *v;
	size_t n;
};

/* X.411 RedirectionReason. */
enum redirection_reason {
	REDIRECTED_BY_RECIPIENT = 0, REDIRECTED_BY_ORIGINATOR = 1, REDIRECTED_BY_DOMAIN = 2,
};

/* One element of RedirectionHistory: for whom it was, until then. */
struct redirection {
	struct oraddr intended;
	wall_ms_t at;
	struct view at_raw; /* the UTCTime as it came */
	int reason;         /* enum redirection_reason, or what a later standard says */
};

/* One element of DLExpansionHistory, or of OriginatorAndDLExpansionHistory. */
struct name_at {
	struct oraddr name;
	wall_ms_t at;
	struct view at_raw;
};

struct history {
	struct name_at *v;
	size_t n;
};

/* Numbers of standard extensions that the switch itself reads (X.411 annex, StandardExtension). */
enum {
	EXT_REASSIGNMENT_PROHIBITED = 1, EXT_ALTERNATE_RECIPIENT = 2, EXT_DL_PROHIBITED = 3,
	EXT_LOSS_PROHIBITED = 4, EXT_LATEST_DELIVERY = 5, EXT_CONTENT_CORRELATOR = 23,
	EXT_REDIRECTION_HISTORY = 25, EXT_DL_EXPANSION_HISTORY = 26, EXT_ORIGINATOR_AND_DL_HISTORY = 30,
	EXT_REPORTING_DL_NAME = 31, EXT_TRACE = 37, EXT_INTERNAL_TRACE = 38, EXT_REPORTING_MTA_NAME = 39,
	EXT_EXEMPTED_RECIPIENTS = 42,
};

/* X.411 PerRecipientIndicators, bit 0 first: responsibility, originating-MTA-report (2 bits),
 * originator-report (2 bits), then reserved ones. */
enum { REPORT_NONE = 0, REPORT_NON_DELIVERY = 1, REPORT_ALL = 2, REPORT_ALL_AUDITED = 3 };

enum recipient_outcome { OUTCOME_DELIVERED, OUTCOME_NOT_DELIVERED };

struct recipient {
	struct oraddr addr;
	uint32_t number;          /* originally-specified-recipient-number, 1.. */
	bool responsible;
	unsigned mta_report;      /* REPORT_... asked by the originating MTA: 1 non-delivery, 2 report, 3 audited report */
	unsigned originator_report; /* REPORT_NONE, REPORT_NON_DELIVERY or REPORT_ALL */
	struct view indicators_raw; /* BIT STRING content octets when a bit beyond bit 4 is set, else empty; only those
				     * bits of it count, the fields above say the first five */
	uint32_t explicit_conversion; /* X.411 ExplicitConversion + 1; 0 absent */
	struct extensions ext;
	struct view *extra;       /* unknown elements, raw */
	size_t n_extra;
	/* What these extensions of `ext` say; see extensions_without. */
	const struct oraddr *alternate;         /* originator-requested-alternate-recipient; NULL: none */
	struct redirection *redirections;       /* redirection-history, the first one first */
	size_t n_redirections;

	/* Reports only (PerRecipientReportTransferFields): addr is the actual recipient name. */
	enum recipient_outcome outcome;
	wall_ms_t delivered_at;
	struct view delivered_raw; /* the UTCTime as it came */
	uint32_t type_of_user;    /* TypeOfMTSUser; UINT32_MAX absent */
	int reason, diagnostic;   /* X.411; -1 absent */
	struct view converted;    /* raw TLV */
	bool has_intended;
	struct oraddr intended;   /* originally-intended-recipient-name */
	struct view supplementary; /* PrintableString content, or empty */
	struct trace arrival;     /* last-trace-information: one element (arrival and extra are used) */
	struct view *report_extra; /* unknown elements of the report-type, raw TLVs */
	size_t n_report_extra;
};

/* Bits of PerMessageIndicators (X.411 8.2.1.1.1.x): bit 0 of the BIT STRING is 1, bit 1 is 2, up to bit 15. */
enum { IND_DISCLOSURE = 1, IND_CONVERSION_PROHIBITED = 2, IND_ALTERNATE_ALLOWED = 4, IND_CONTENT_RETURN = 8 };

struct message {
	enum message_kind kind;
	struct mts_id id;
	struct oraddr originator;     /* reports: report-destination-name */
	struct view original_eits;    /* raw TLV of EncodedInformationTypes, or empty */
	int64_t content_type;         /* built-in number; -1: content_type_oid; -2: absent (reports) */
	struct view content_type_oid; /* OID content octets */
	bool content_type_oid_relative; /* never written; kept for the decoder's note of a wrong tag */
	struct view content_id;       /* PrintableString; empty = absent (X.411 allows 1..16; zero length occurs) */
	enum priority priority;
	unsigned indicators;
	bool has_indicators;
	wall_ms_t deferred;
	struct view deferred_raw;
	int64_t content_length;       /* probes; -1 absent */
	struct view *bilateral;       /* PerDomainBilateralInformation, raw TLVs */
	size_t n_bilateral;
	struct trace trace;           /* domain trace */
	struct trace internal_trace;  /* extension 38; kept out of `ext`, criticality in internal_trace_crit */
	unsigned internal_trace_crit;
	wall_ms_t latest_delivery;    /* extension 5; kept out of `ext`, criticality in latest_crit */
	struct view latest_raw;       /* its UTCTime as it came */
	unsigned latest_crit;
	bool explicit_type;           /* of those two extensions: the peer wrote [0] around INTEGER */
	struct extensions ext;        /* all the others, in order */
	/* What these extensions of `ext` say; see extensions_without. */
	bool reassignment_prohibited, dl_prohibited;
	struct history dl_history;    /* dl-expansion-history (messages) */
	struct history origin_history;/* originator-and-DL-expansion-history (reports): the originator, then the lists */
	const struct oraddr *reporting_dl;      /* reporting-DL-name (reports); NULL: none */
	struct oraddr *exempted;      /* dl-exempted-recipients */
	size_t n_exempted;
	struct view *extra;           /* unknown envelope elements, raw TLVs */
	size_t n_extra;
	struct recipient *rcpt;
	size_t n_rcpt;

	/* Reports only (ReportTransferContent). */
	struct mts_id subject_id;
	struct trace subject_trace;   /* subject-intermediate-trace-information */
	struct extensions content_ext;
	struct view returned_content; /* OCTET STRING content; small ones only, else beside as content */
	bool has_returned_content;
	struct view content_extra_raw; /* additional-information: raw TLV, or empty */
	struct view *content_extra;   /* unknown elements of the report content */
	size_t n_content_extra;
};

/* A deep copy of everything into the arena. NULL when the quota is passed (or m breaks the contracts above). */
struct message *message_copy(const struct message *m, struct arena *a);

/* The first extension that is critical for transfer and that this MTA does not know (any private one, and numbers X.411
 * of 1999 does not have), or NULL. With one, non-delivery 1/18 (X.411 9.2): of the envelope for all recipients that we
 * are responsible for, of a recipient for that one. */
const struct extension *extensions_unsupported(const struct extensions *x);
/* The same for what is critical for delivery, to be asked where it is delivered: 1/18 for that recipient. */
const struct extension *extensions_undeliverable(const struct extensions *x);

/* The extensions that are fields too (redirections, dl_history ...) stay in `ext` as octets, to go out as they came. Whoever changes such a
 * field drops the extension: an encoder writes a field that has no extension of its number in `ext`. */
struct extensions extensions_without(const struct extensions *x, uint32_t number, struct arena *a); /* a list of its own; the quota is not passed by it */
bool extensions_has(const struct extensions *x, uint32_t number);

/* Domains compare with case and space folding, Printable = Numeric, ADMD absent = single space. */
bool gdi_eq(const struct gdi *a, const struct gdi *b);
bool mts_id_eq(const struct mts_id *a, const struct mts_id *b);

/* `C=GB;A= ;P=ORG;L=local-id` (the form Exchange logged), and back. Octets that are not printable ASCII, `;` and `\`
 * are written `\xNN`. A part that is absent is left out. Parse: views in the arena; a domain of digits only is Numeric;
 * fails with ERR_PERM, message, 1/11. */
void mts_id_print(const struct mts_id *id, struct out *o);
MUST_CHECK bool mts_id_parse(struct view text, struct mts_id *id_r, struct arena *a, struct err *e);
void gdi_print(const struct gdi *d, struct out *o);

/* A global domain identifier as a setting says it, "C=GB; A=EXAMPLE; P=SITE": country and ADMD are wanted. Views in the arena. Fails with
 * ERR_PERM, recipient, 1/11. */
MUST_CHECK bool gdi_parse(struct view text, struct gdi *domain_r, struct arena *a, struct err *e);

/* A UTCTime (X.680: YYMMDDhhmm[ss](Z|+hhmm|-hhmm)) with the year within 10 back and 90 on of the century window
 * used by MIXER: 80..99 = 19xx, 00..79 = 20xx. False: not a time. */
MUST_CHECK bool utctime_parse(struct view text, wall_ms_t *at_r);
/* `YYMMDDhhmmssZ`, 13 octets in the arena. */
struct view utctime_print(wall_ms_t at, struct arena *a);

const char *priority_name(enum priority p);          /* "urgent" ... */
const char *message_kind_name(enum message_kind k);  /* "message" ... */

/* X.411 reason and diagnostic as words ("unable-to-transfer", "unrecognised-OR-name"); "none" for -1, "unknown" beyond. */
const char *reason_name(int reason);
const char *diagnostic_name(int diagnostic);

/* "internal-trace-information" for 38; NULL for a number that X.411 (1999) does not have. */
const char *extension_name(uint32_t number);
