/* config.h - a settings file as the supervisor's plan and the canonical text that every process reads. */
#pragma once
#include "sys/process.h"

/* Name in the plan of the listeners of `listen-tls`; those of `listen` are "p1". */
#define CONFIG_LISTENER_TLS "p1-tls"

/* For supervisor_run, and for `posthorn check-config`. canonical may be NULL. */
MUST_CHECK bool config_read(const char *path, struct plan *plan_r, struct out *canonical, struct err *e);
/* settings_compare of two canonical texts. For supervisor_run. */
MUST_CHECK bool config_compare(struct view old, struct view now, struct out *lines, size_t *n_r, struct err *e);
