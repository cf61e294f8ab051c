/* settings_unit.h - times and sizes as the settings file writes them. Shared by settings.c and settings_print.c. */
#pragma once
#include "sys/settings.h"

/* "30 s", "10min", "0.5 h", "90" (seconds). Units: ms, s, min, h, d, w. Up to six decimals, exact in ms. */
MUST_CHECK bool settings_duration(struct view text, uint64_t *ms_r);

/* "64 K", "10M", "4096". Units: K, M, G, T, each 1024 of the one before. */
MUST_CHECK bool settings_size(struct view text, uint64_t *octets_r);

/* The shortest exact form, which reads back to the same number. */
void settings_show(struct out *o, enum setting_type type, uint64_t x);

/* A scalar as it stands in the canonical print. */
void settings_show_value(struct out *o, const struct setting *row, const void *at);

/* "a time from 1 s to 1 d", for messages and the manual. */
void settings_show_wanted(struct out *o, const struct setting *row);
