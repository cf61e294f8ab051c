/* settings_change.h - what a reload does with each setting, and how two settings are compared. The table stands beside that of the
 * settings (settings_table.c); a test fails when a setting is in one of them only. Names are paths as "links.open-interval": the items
 * of a list have none of their own. */
#pragma once
#include "proc/table/settings_table.h"

enum settings_change {
	CHANGE_AT_ONCE,  /* for what comes next; nothing that is open ends */
	CHANGE_LINK,     /* the associations of its link end when what is in hand is done, and are opened with the new settings */
	CHANGE_PROCESS,  /* the processes that it is for are ended in order and started with the new settings */
	CHANGE_RESTART,  /* refused while Posthorn runs */
};

/* False: there is no such setting. */
MUST_CHECK bool settings_change_of(const char *path, enum settings_change *change_r);
/* Of CHANGE_RESTART: why; else "". */
const char *settings_change_why(const char *path);
/* A password: its value is never shown. */
bool settings_is_secret(const char *path);
/* One sentence for the manual, of the setting of that path. */
void settings_change_note(const char *path, struct out *o);

/* Every value of them is equal; lists also in their order. */
bool settings_same(const struct settings_section *section, const void *a, const void *b);
/* Two settings of one link: something is different that is CHANGE_LINK. */
bool settings_link_differs(const struct set_link *a, const struct set_link *b);
/* All of it in the arena; nothing in it points into `from`. */
void settings_copy(const struct settings_section *section, const void *from, void *to, struct arena *a);
/* Every string empty, every number 0, every list without items. */
void settings_blank(const struct settings_section *section, void *to);
/* Equal for equal settings, in every process; never 0. */
uint64_t settings_hash(const struct settings *s);
/* The section of one link, "links" of settings_root. */
const struct settings_section *settings_link_section(void);
/* Of one list, "lists". */
const struct settings_section *settings_list_section(void);
