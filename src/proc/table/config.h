/* config.h - a settings file as the supervisor's plan and the canonical text that every process reads. */
#pragma once
#include "sys/process.h"

/* For supervisor_run, and for `posthorn check-config`. canonical may be NULL. */
MUST_CHECK bool config_read(const char *path, struct plan *plan_r, struct out *canonical, struct err *e);
