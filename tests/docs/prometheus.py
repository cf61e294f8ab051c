#!/usr/bin/env python3
"""prometheus.py DOC_TABLES: what conf/prometheus and conf/grafana ask for is there: every metric of every expression is in the table; promtool
takes the files, and the alerts come and go as their tests say."""
import json
import os
import re
import shutil
import subprocess
import sys

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
CONF, SKIPPED = os.path.join(SOURCE, "conf"), 77


def known():
    """All names with the endings that their types have."""
    names = set()
    table = subprocess.run([sys.argv[1], "metrics"], capture_output=True, text=True, check=True).stdout
    for name, kind in re.findall(r"^\| `(posthorn_\w+)` \| (\w+)", table, re.M):
        names |= {name + end for end in ("_bucket", "_sum", "_count")} if kind == "histogram" else {name}
    return names


def asked(text):
    return set(re.findall(r"\bposthorn_\w+", text))


def expressions(x):
    if isinstance(x, dict):
        for key, value in x.items():
            if key in ("expr", "query", "definition") and isinstance(value, str):
                yield value
            else:
                yield from expressions(value)
    elif isinstance(x, list):
        for value in x:
            yield from expressions(value)


def check_dashboard(names):
    with open(os.path.join(CONF, "grafana", "posthorn.json"), encoding="utf-8") as f:
        board = json.load(f)
    ids = [p["id"] for p in board["panels"]]
    assert len(set(ids)) == len(ids), "two panels have one id"
    for p in board["panels"]:
        assert p["type"] == "row" or p["targets"], "panel %s asks nothing" % p["title"]
        assert p["gridPos"]["x"] + p["gridPos"]["w"] <= 24, "panel %s is beside the page" % p["title"]
    found = set().union(*(asked(e) for e in expressions(board)))
    assert len(found) > 20 and found <= names, "the dashboard asks for what is not there: %s" % sorted(found - names)
    return len(board["panels"])


def check_rules(names):
    with open(os.path.join(CONF, "prometheus", "posthorn.rules.yml"), encoding="utf-8") as f:
        rules = f.read()
    found = asked(" ".join(re.findall(r"expr: (.*)", rules)))
    assert len(found) > 15 and found <= names, "the rules ask for what is not there: %s" % sorted(found - names)
    with open(os.path.join(CONF, "prometheus", "posthorn_test.yml"), encoding="utf-8") as f:
        found = asked(" ".join(re.findall(r"series: '(.*)'", f.read())))
    assert found <= names, "the tests of the rules feed what is not there: %s" % sorted(found - names)
    return len(re.findall(r"- alert:", rules))


def promtool(*args):
    p = subprocess.run(["promtool", *args], capture_output=True, text=True, cwd=os.path.join(CONF, "prometheus"), timeout=100)
    assert p.returncode == 0, "promtool %s: %s%s" % (" ".join(args), p.stdout, p.stderr)


def main():
    names = known()
    print("%d panels, %d alerts ask for metrics that are there" % (check_dashboard(names), check_rules(names)))
    if shutil.which("promtool") is None:
        print("skipped: no promtool (Debian's prometheus): tools/install-deps test")
        sys.exit(SKIPPED)
    promtool("check", "rules", "posthorn.rules.yml")
    promtool("check", "config", "prometheus.yml")
    promtool("test", "rules", "posthorn_test.yml")
    print("promtool takes the rules, and their tests pass")


main()
