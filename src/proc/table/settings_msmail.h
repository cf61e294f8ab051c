/* settings_msmail.h - what is checked, and what is doubted, of links of kind msmail and of movers. */
#pragma once
#include "proc/table/settings_doubt.h"

/* Every line of an address map, scramble, administrator, names that no postoffice and no folder can have; a mover that is its own peer, or has one twice: the
 * link or mover and the line are named. ERR_LOCAL. */
MUST_CHECK bool settings_check_msmail(const struct settings *s, const char *file, struct arena *a, struct err *e);

/* Lines of an address map that earlier ones shadow; routes to such a link for addresses that no line and no DDA:MS covers (Q169117);
 * two that deliver the INQUEUE3 of one postoffice; names that programs of Microsoft Mail do not make. Of settings that settings_load has taken. */
void settings_doubt_msmail(const struct settings *s, struct arena *a, settings_doubt_f *tell, void *ctx);
