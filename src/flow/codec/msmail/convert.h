/* convert.h - MAI <-> IPM: the pure part of the interchange, run in a converter process. Losses are in the table of
 * docs/postoffice-format.md. Nothing here is refused for what a text or name looks like: unknown charsets and code pages are mapped as
 * far as they go (Q167139, Q167639), unknown properties are passed over (Q169682). */
#pragma once
#include "flow/codec/charset/charset.h"
#include "flow/codec/ipm/ipm.h"
#include "flow/codec/msmail/address.h"
#include "flow/codec/msmail/envelope.h"
#include "flow/codec/msmail/ffapi.h"
#include "flow/codec/msmail/notice.h"

struct mm_convert {
	const struct mm_map *map;
	const struct charset_kit *kit;   /* with code pages 437, 850, 852, 1250-1252, 866, KOI8-R where iconv has them */
	const struct mm_scramble *scramble;
	const struct gdi *domain;        /* of this MTA: MTS-identifiers, trace */
	const char *mta;
	struct mm_name own;              /* the connector's postoffice */
	unsigned code_page;              /* what is written, and assumed where a message does not say */
	int zone_minutes;
	size_t header_limit;             /* octets of To and Cc towards MS Mail: the lists are cut with a line that says so (Q193035); 0: none */
	enum ffapi_line_end line_end;    /* of an FFAPI file that is written */
	size_t out_max;                  /* octets of a result */
	size_t elements;                 /* TLVs of a content, at most; 0: ipm_limits_default's */
	bool (*out_of_time)(void *ctx);  /* NULL: never */
	void *ctx;
};

/* One file of a message in MS Mail's form: the MAI or FFAPI file first, then attachments in order of their index. */
struct mm_file { struct view name; struct view octets; };

struct mm_converted {
	struct out packed_or_mai;        /* to IPM: pack_message; to MAI: the MAI, attachments' ids "00000001".. by index, to be renamed */
	struct out content;              /* to IPM: the P22 content. to MAI: unused */
	struct mm_file *attachments;     /* to MAI: views into the content or the arena */
	size_t n_attachments;
	struct mm_envelope envelope;     /* as given, with outcomes; to MAI: recipients' addresses */
	struct mm_notice notice;         /* to IPM: when is_notice: it is a mover's notice about something that we sent */
	bool is_notice;
	size_t replaced;                 /* characters that became `?` */
	bool warned_code_page;           /* some code page was not known here */
	size_t not_listed;               /* to MAI: recipients' names over header_limit, which it does not show */
};

/* A MAI (or FFAPI file: is_ffapi) with its envelope and attachments -> envelope of ours and P22. mts_local: local part for the
 * MTS-identifier, made by the caller from what the message is (the same each time). Recipients keep their numbers (0: their place, from 1).
 * Those that cannot be mapped get their notice in envelope.recipients; when none is left that can, `packed` has none responsible and the
 * caller sends the notice only. */
MUST_CHECK bool mm_to_ipm(const struct mm_convert *how, struct view file, bool is_ffapi, const struct mm_envelope *envelope,
			  const struct mm_file *attachments, size_t n, const char *mts_local, wall_ms_t now, struct mm_converted *done_r,
			  struct arena *a, struct err *e);
/* A packed message of any kind and its content -> MAI. A report becomes a notice (NDR) or, when all were delivered, a MAI that says so,
 * never a failure (Q156728); unknown returned content is no error (Q141135). Fails ERR_PERM with reason and diagnostic for the whole message. */
MUST_CHECK bool mm_to_mai(const struct mm_convert *how, struct view packed, struct view content, bool to_ffapi, struct mm_converted *done_r,
			  struct arena *a, struct err *e);
void mm_converted_fini(struct mm_converted *c);
