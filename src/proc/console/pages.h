/* pages.h - the files of web/ as they are in the program: made by tools/pages_to_c.py when it is built. "/" is index.html. */
#pragma once
#include "base/view.h"

struct page {
	const char *name; /* "style.css": the path without its '/' */
	const char *type; /* for Content-Type */
	const char *tag;  /* for ETag, with its quotes */
	struct view octets;
};

extern const struct page pages[];
extern const size_t n_pages;
