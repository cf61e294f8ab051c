#!/usr/bin/env python3
"""pages_to_c.py OUT FILES...: the console's page as constant octets, each with its type and a tag that changes with it."""
import hashlib
import os
import sys

TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
target, *sources = sys.argv[1:]
rows = []
with open(target, "w", encoding="ascii") as f:
    f.write('#include "proc/console/pages.h"\n\n#include "base/check.h"\n\n')
    for i, path in enumerate(sources):
        with open(path, "rb") as source:
            octets = source.read()
        name = os.path.basename(path)
        f.write(f"static const uint8_t page_{i}[] = {{\n")
        for at in range(0, len(octets), 32):
            f.write("\t" + ",".join(str(x) for x in octets[at:at + 32]) + ",\n")
        f.write("};\n")
        tag = hashlib.sha256(octets).hexdigest()[:16]
        rows.append(f'\t{{ "{name}", "{TYPES[name.rsplit(".", 1)[1]]}", "\\"{tag}\\"", {{ page_{i}, sizeof page_{i} }} }},\n')
    f.write("\nconst struct page pages[] = {\n" + "".join(rows) + "};\nconst size_t n_pages = ARRAY_LEN(pages);\n")
