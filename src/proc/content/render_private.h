/* render_private.h - what the files of content rendering share. */
#pragma once
#include "flow/codec/ipm/ipm.h"
#include "flow/message/message.h"
#include "proc/content/render.h"

/* Fields under construction, in an arena. */
struct field_list {
	struct render_field *v;
	size_t n, cap;
};

struct renderer {
	const struct render_limits *limits;
	const struct charset_kit *kit;
	struct arena *a;
	struct ber_limits ber;
};

/* render_fields.c. Each appends; a full arena shows in arena_full. */
void fields_add(struct renderer *r, struct field_list *list, const char *label, struct view value);
void fields_add_str(struct renderer *r, struct field_list *list, const char *label, const char *value);
void fields_add_fmt(struct renderer *r, struct field_list *list, const char *label, const char *fmt, ...) PRINTF_LIKE(4, 5);
void fields_add_oid(struct renderer *r, struct field_list *list, const char *label, struct view oid);
/* What was built in `o` (which ends here), made UTF-8 without control characters. */
void fields_add_built(struct renderer *r, struct field_list *list, const char *label, struct out *o);
void fields_add_time(struct renderer *r, struct field_list *list, const char *label, wall_ms_t at);
void fields_add_utctime(struct renderer *r, struct field_list *list, const char *label, struct view time);
void fields_heading(struct renderer *r, struct field_list *list, const struct ipm_heading *h);
void fields_notification(struct renderer *r, struct field_list *list, const struct ipm_ipn *n);
void fields_part(struct renderer *r, struct field_list *list, const struct ipm_part *p);

/* render_report.c */
void fields_report(struct renderer *r, struct field_list *list, const struct message *m);

/* UTF-8 of a string in the arena. */
struct view field_text(struct renderer *r, enum charset from, struct view octets);

/* render_pack.c */
void render_pack(const struct render *r, struct out *o);
