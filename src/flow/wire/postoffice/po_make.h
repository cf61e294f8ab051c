/* po_make.h - what the makers and menders of a postoffice share. For create.c, users.c, external.c and check*.c only. */
#pragma once
#include "flow/wire/postoffice/po_int.h"

/* A name that we make is letters and digits only (A11); ones that are there may have what they like. Fails ERR_PERM, link. */
MUST_CHECK bool po_name_may_be_made(const char *what, const char *name, struct err *e);

/* The directory and its POPULATE.MSM; the file must not be there. */
MUST_CHECK bool po_make_populated(struct postoffice *po, const char *dir, struct err *e);

/* A new mailbag, empty: MBG and KEY of a new id. */
MUST_CHECK bool po_new_bag(struct postoffice *po, struct mm_id *id_r, struct err *e);

/* The table `rel`, opened for writing and held, with its octets; what ends with po_table_close. ERR_LOCAL, link when it is not there or its size
 * does not fit its rule. */
struct po_table { struct postoffice *po; const struct mm_file_rule *rule; struct po_rel rel; int fd; struct out octets; };
MUST_CHECK bool po_table_open(struct postoffice *po, const char *dir, const char *name, struct po_table *t_r, struct err *e);
void po_table_close(struct po_table *t);
size_t po_table_n(const struct po_table *t);                       /* records */
struct view po_table_record(const struct po_table *t, size_t i);
/* Writes record i (i == n: a new one) and syncs; *t's octets follow. ERR_PERM, link when the rule allows no more. */
MUST_CHECK bool po_table_put(struct po_table *t, size_t i, const void *record, struct err *e);
