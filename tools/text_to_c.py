#!/usr/bin/env python3
"""text_to_c.py NAME IN OUT: a text file as a NUL-terminated C string."""
import sys

name, source, target = sys.argv[1:]
with open(source, encoding="utf-8") as f:
    lines = f.read().splitlines()
with open(target, "w", encoding="utf-8") as f:
    f.write(f"extern const char {name}[];\nconst char {name}[] =\n")
    for line in lines:
        escaped = line.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t").replace("?", "\\?")
        f.write(f'\t"{escaped}\\n"\n')
    f.write("\t;\n")
