/* tool_follow.h - what `posthorn decode --follow` does. Private to decode. */
#pragma once
#include "proc/tool/decode.h"

/* Until interrupted. path: a folder and what names of files begin with. Returns when standard output is gone: the exit status. */
int tool_follow(const struct decode_options *options, const char *path);
