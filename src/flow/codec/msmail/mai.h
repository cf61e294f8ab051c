/* mai.h - the message file xxxxxxxx.MAI (facts A6): FIPS 98 elements, some vendor defined. What the facts do not give is a choice of ours,
 * named in docs/postoffice-format.md; scrambling stands behind struct mm_scramble. A reader is tolerant: any order, unknown
 * elements are kept and written again. */
#pragma once
#include "base/arena.h"
#include "flow/codec/msmail/names.h"

/* A replaceable codec of octets: each string element, each ATT file is one run. Same length in and out.
 * apply works in place on n octets that stand at offset_in_run; *state is 0 where a run begins and is handed on when it comes in pieces.
 * hide: plain to file; else file to plain. Before it, mm_scramble_covers. */
struct mm_scramble {
	const char *name;
	void (*apply)(uint8_t *octets, size_t n, uint64_t offset_in_run, uint8_t *state, bool hide);
	uint64_t known_first, known_end; /* offsets in a run for which the rule is known */
};
extern const struct mm_scramble mm_scramble_none;  /* what our postoffices use by default */
/* The derivation of facts A6, known for some positions only: apply shows these and `?` elsewhere, and cannot hide. */
extern const struct mm_scramble mm_scramble_chain;
const struct mm_scramble *mm_scramble_by_name(const char *name); /* NULL: no such */
/* Is the rule known for all of a run of so many octets? Fails (ERR_PERM, message, 1/12) naming it: nothing is read or written by guess. */
MUST_CHECK bool mm_scramble_covers(const struct mm_scramble *s, uint64_t run, struct err *e);

enum mm_address_type { MM_ADDRESS_MS = 2, MM_ADDRESS_X400 = 16 }; /* Q118969 */

struct mm_address {
	unsigned type;           /* enum mm_address_type, or what a gateway made it */
	struct view text;        /* "NET/PO/MBX", or what the gateway's form is; in the message's code page */
	struct view friendly;    /* may be empty */
	struct view rest;        /* octets behind it that are not understood; written again */
};

struct mm_attachment {
	struct mm_id file;       /* of the .ATT; "" when only bound by index */
	struct view name;        /* as the user sees it, in the code page */
	uint64_t size;           /* octets of the .ATT */
	struct mm_date date;     /* of the file; year 0: not said */
	uint32_t position;       /* character in the text where it stands; UINT32_MAX: at the end */
	uint32_t kind;           /* 0 file, 1 embedded message (a MAI of its own), 2 OLE object or what else: carried as a file */
};

struct mai {
	uint16_t bags;           /* mailbags that still hold it: vendor element "1" */
	uint16_t hops;           /* vendor element "3" [I]; 10 */
	uint16_t word_2, word_7; /* vendor elements "2" and "7" [?]; 0: what the dump has, 2 and 10 */
	unsigned code_page;      /* 437, 850, 1252, ...; 0: not said, then the setting */
	struct mm_address from;
	struct mm_address *to, *cc;
	size_t n_to, n_cc;
	struct mm_date date;     /* composed */
	char priority;           /* '1'..'5', 'R', 'C' ... as facts A11; 0: not said */
	bool receipt;            /* return receipt asked for */
	bool is_receipt;         /* this is one: about subject and date below */
	struct view subject, text; /* in the code page; lines of the text end with CR (0D) alone, CR LF, or LF: kept as they are */
	struct view class;       /* custom message class; may be empty */
	struct view message_id;  /* ASCII: the MTS-identifier where it came from X.400, else empty; our own notices: of their subject */
	struct mm_attachment *attachments;
	size_t n_attachments;
	struct view *extra;      /* unknown elements, whole */
	size_t n_extra;
};

struct mai_limits { size_t elements /* in one constructor */, octets; };
struct mai_limits mai_limits_default(void); /* 200,000 elements, 1 GiB */
enum { MAI_STRING_MAX = 65535 }; /* octets of a string, but the text */

/* Views point into `file` or the arena (scrambled strings are copied there). Fails (ERR_PERM, message, 1/12) naming offset,
 * found and wanted. Q130382: no field is assumed to lie in one buffer, for the file is here whole.
 * A field whose contents are of another form than ours is kept as an unknown one; but From, To, Cc, Text and attachments, which a message
 * cannot do without, must be understood, or it fails. Of fields that come once the first counts, the others are kept. Octets behind the Message element are passed over. */
MUST_CHECK bool mai_parse(struct view file, const struct mm_scramble *s, struct mai *m_r, struct arena *a, const struct mai_limits *l,
			  struct err *e);
/* Appends the file. Fails (ERR_LOCAL, message) when *o is full, (ERR_PERM, message) for a field over its bound, an address with a NUL in its
 * text, or a string that the scrambling is not known for; then *o is as it was or bad. */
MUST_CHECK bool mai_print(const struct mai *m, const struct mm_scramble *s, struct out *o, struct err *e);

/* Small looks and patches of a file's octets, that need not parse the rest. */
MUST_CHECK bool mai_bags(struct view head, uint16_t *bags_r, size_t *offset_r, struct err *e); /* the counter, and where it lies: 2 octets LE */
/* The attachments' files get other ids (a copy at another postoffice, A9), in their order; the length stays. */
MUST_CHECK bool mai_rename_attachments(uint8_t *file, size_t n, const struct mm_scramble *s, const struct mm_id *ids, size_t n_ids,
				       struct err *e);

/* The ids of its attachments alone, of a file that is never here whole: one element's head a step, and what an element holds is passed over unread.
 * Elements are found wherever mai_parse finds them. */
struct mai_files {
	uint64_t at;        /* the offset that the next step looks at */
	uint64_t end[4];    /* of the file, the Message, its attachments, one of them; UINT64_MAX: an End-of-Constructor is its end */
	unsigned depth;     /* index of the innermost */
	unsigned strings;   /* of this attachment: the second is the id */
	unsigned passed;    /* indefinite elements of no interest, that are open */
	size_t elements_left;
};
enum { MAI_FILES_PIECE = 512 };
struct mai_files mai_files_of(uint64_t file_size);
/* piece: the file's octets from f->at on, MAI_FILES_PIECE of them or to the file's end; more is fine. STEP_DONE: *id_r is one more ("": the end of them all).
 * STEP_WAIT: nothing yet, go on with the octets at f->at, which is further now. Fails as fips_next does. */
MUST_CHECK enum step mai_files_next(struct mai_files *f, struct view piece, const struct mm_scramble *s, struct mm_id *id_r, struct err *e);
