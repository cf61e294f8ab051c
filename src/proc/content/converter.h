/* converter.h - the converter of one interchange: messages between their MS Mail form and X.400's, one at a time, in the jail of the content
 * process. XLATE says what comes, XLATE_DATA brings it under credit, XLATED answers, XLATE_DATA gives the result under the interchange's
 * credit; all of it on the bulk stream. MSG_CREDIT octets may be under way each way before the first XLATE_CREDIT, which then says what was
 * taken. Whatever a message does, it is that message's error: XLATED with the error, or the death of this process with its item in the note.
 *
 * A message that is refused before all of it is here (over the limits) is answered at once; octets of it that are still under way are let
 * pass and earn no credit. Anything out of step (octets over the credit or the sizes said, another XLATE before the end) ends the stream. */
#pragma once
#include "flow/codec/msmail/convert.h"
#include "proc/table/actor.h"

struct converter;

struct converter_config {
	const char *const *addresses; /* lines of the address map; all borrowed */
	size_t n_addresses;
	const char *own_domain;    /* "C=..; A=..; P=.." */
	struct mm_name own;        /* of the settings; an XLATE may say another */
	const struct charset_kit *kit;
	const struct mm_scramble *scramble;
	const struct gdi *domain;
	const char *mta;
	unsigned code_page;
	int zone_minutes;
	size_t header_limit;
	bool ffapi;                /* what is made is an FFAPI file */
	enum ffapi_line_end line_end;
	size_t elements;           /* TLVs of a content, at most; 0: ipm_limits_default's */
	size_t message_max;        /* octets of all files of a message, and of its result */
	size_t arena;              /* octets of working memory, beside twice its files */
	int64_t budget_ms;         /* of each 16 MB, or part of them */
};

/* Fails (ERR_LOCAL, process) when the address map is none. */
MUST_CHECK bool converter_new(const struct actor_host *host, const struct converter_config *config, uint32_t instance,
			      struct converter **c_r, struct err *e);
void converter_free(struct converter **c);

/* A stream to the interchange. Without one for CONVERTER_ALONE_MS the process ends itself, so that its successor is connected anew; what was
 * in hand when the stream ended is forgotten. */
enum { CONVERTER_ALONE_MS = 5000 };
void converter_adopt_interchange(struct converter *c, bool bulk, struct stream *s);

/* main of the process; instance: of its link in the settings. */
int converter_main(uint32_t instance);
