#!/usr/bin/env python3
"""What is counted is what has happened: totals against the steps in the store, over restarts and kills at every commit; and its form,
read by promtool and by a real Prometheus."""
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from posthorn import PATIENCE_S, Skip, expect, free_port, main, same, source, wait_for  # noqa: E402

SUBMITTED, TRANSFER_IN, TRANSFER_OUT, DELIVERED, REPORT_IN, DUPLICATE = 1, 2, 3, 4, 11, 7  # enum store_step_kind
FOREVER = {"open_interval": "200 ms", "max_open_retries": 100000, "max_transfer_retries": 100000}


def metrics(m):
    """{name: {link or "": value}}"""
    out = {}
    for row in m.rows("metrics"):
        if "value" in row:
            out.setdefault(row["metric"], {})[row.get("link", "")] = row["value"]
    return out


def store(m):
    """Totals as they lie in the store, and what the steps say that they must be."""
    db = sqlite3.connect("file:%s?mode=ro" % os.path.join(m.directory, "store.db"), uri=True)
    totals = {}
    for name, text in db.execute("select name, value from counter where name glob 'total:*' and name <> 'total:now'"):
        words = text.split()
        totals[name[6:]] = dict(zip(words[::2], map(int, words[1::2])))
    steps = {(kind, peer or ""): (n, octets) for kind, peer, n, octets in db.execute("select kind, peer, count(*), sum(size) from step group by 1, 2")}
    db.close()
    return totals, steps


def of(steps, *kinds, peer=None):
    rows = [v for (kind, by), v in steps.items() if kind in kinds and (peer is None or by == peer)]
    return sum(n for n, _ in rows), sum(octets for _, octets in rows)


def same_as_steps(m, link):
    """A step and the count of it lie in the same group: they never differ, whenever it was killed."""
    totals, steps = store(m)
    mta, by_link = totals.get("mta", {}), totals.get("link " + link, {})
    pairs = lambda t, what: (t.get(what + "_messages", 0), t.get(what + "_bytes", 0))  # noqa: E731
    submitted, received = of(steps, SUBMITTED), of(steps, TRANSFER_IN, REPORT_IN, peer=link)  # of no link: what a report says of its subject
    same(pairs(mta, "received"), (submitted[0] + received[0], submitted[1] + received[1]), "%s: received" % m.name)
    same(mta.get("submitted_messages", 0), submitted[0], "%s: submitted" % m.name)
    same(pairs(by_link, "received"), received, "%s: received over %s" % (m.name, link))
    same(pairs(by_link, "transmitted"), of(steps, TRANSFER_OUT, peer=link), "%s: transmitted over %s" % (m.name, link))
    same(mta.get("delivered_messages", 0), of(steps, DELIVERED)[0], "%s: delivered" % m.name)
    same(mta.get("duplicates", 0), of(steps, DUPLICATE)[0], "%s: duplicates" % m.name)
    return totals


def pair(lab, n=""):
    london, paris = lab.mta("london" + n), lab.mta("paris" + n, "FR")
    london.link(paris, **FOREVER)
    paris.link(london, **FOREVER)
    return london, paris


def totals_are_those_of_the_journeys(lab):
    london, paris = pair(lab)
    alice, claude = london.mailbox("alice"), paris.mailbox("claude")
    nobody = paris.address("No", "Body")
    london.start()
    paris.start()
    for i in range(5):
        london.send("alice", claude, "x" * (100 + i))
    london.send("alice", nobody, "t")
    paris.send("claude", alice, "t")
    paris.wait_mail("claude", 5)
    london.wait_mail("alice", 2)  # the letter, and the report about nobody
    wait_for(lambda: metrics(london)["posthorn_link_stored_messages"]["paris"] == 0, "london: an empty queue")
    seen = metrics(london)
    same(seen["posthorn_mta_received_messages_total"][""], 8, "six of alice, the letter and the report")
    same(seen["posthorn_link_transmitted_messages_total"]["paris"], 6, "transmitted")
    same(seen["posthorn_link_transmitted_recipients_total"]["paris"], 6, "recipients of them")
    same(seen["posthorn_mta_mailbox_entries"][""], 2, "entries")
    expect(seen["posthorn_link_last_outbound_activity_timestamp_seconds"]["paris"] > 1e9, "a moment", seen)
    same(metrics(paris)["posthorn_mta_non_delivery_reports_total"][""], 1, "nobody was reported")
    for m in (london, paris):
        m.stop()
    same_as_steps(london, "paris")
    same_as_steps(paris, "london")
    london.start()
    again = metrics(london)
    for name in seen:
        if name.endswith("_total") and "associations" not in name and "tracking" not in name:
            same(again[name], seen[name], "%s after a restart" % name)
    same(again["posthorn_mta_mailbox_entries"][""], 2, "entries after a restart")
    return "%d metrics" % len(seen)


def killed(lab, n, plan):
    """Its switch dies at that pass of that point; what was not confirmed comes again or is submitted again."""
    london, paris = pair(lab, str(n))
    london.mailbox("alice")
    claude = paris.mailbox("claude")
    paris.start()
    os.environ["POSTHORN_FAULT"] = plan
    try:
        london.start(wait=False)
    finally:
        del os.environ["POSTHORN_FAULT"]

    def is_taken():
        p = subprocess.run([lab.program, "send", "-c", london.path, "--from", "alice", "--to", claude, "t"], capture_output=True, timeout=2 * PATIENCE_S)
        return p.returncode == 0
    for _ in range(12):
        wait_for(is_taken, "%s: a message is accepted" % plan)
    wait_for(lambda: len(paris.mail("claude")) >= 12, "paris has all")
    london.event("process.ended", name="switch.0")
    london.wait_empty()
    london.stop()
    paris.stop()
    same_as_steps(london, paris.name)
    same_as_steps(paris, london.name)
    lab.command("check", london.directory)


def killed_at_every_commit(lab):
    n = 0
    for at in (2, 3, 5, 8, 13, 17):
        for point in ("STORE_COMMIT", "STORE_COMMITTED"):
            killed(lab, n, "switch:%s:%d:kill" % (point, at))
            n += 1
    return "%d kills" % n


def a_store_made_whole_keeps_them(lab):
    """A damaged store is copied row by row: totals are among what is copied, the short row of a switch that was killed too."""
    london, paris = pair(lab)
    london.mailbox("alice")
    claude = paris.mailbox("claude")
    paris.start()
    london.start()
    for _ in range(3):
        london.send("alice", claude, "t")
    paris.wait_mail("claude", 3)
    london.wait_empty()
    seen = metrics(london)["posthorn_mta_received_messages_total"]
    same(seen, {"": 3}, "received")
    london.killed()
    copy = os.path.join(lab.root, "copy")
    lab.command("check", "--repair", "--output", copy, london.directory)
    london.settings["store"]["directory"] = london.directory = copy
    london.start()
    same(metrics(london)["posthorn_mta_received_messages_total"], seen, "received, in the copy")
    same(metrics(london)["posthorn_link_transmitted_messages_total"], {"paris": 3}, "transmitted, in the copy")
    return "fine"


def form(lab):
    """One HELP and TYPE for each name, before its samples, and no sample twice."""
    m = lab.mta("london")
    m.link(lab.mta("paris", "FR"), **FOREVER)
    m.start()
    text = lab.command("metrics", "-c", m.path)
    helped, samples, name = [], [], None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split()[2]
            helped.append(name)
        elif line.startswith("# TYPE "):
            same(line.split()[2], name, "TYPE follows its HELP")
        else:
            found = re.fullmatch(r'([a-z_]+)(\{[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*\})? (-?[0-9.]+)', line)
            expect(found, "a sample", line)
            expect(found.group(1) in (name, name + "_bucket", name + "_sum", name + "_count"), "a sample of %s" % name, line)
            samples.append(line.rsplit(" ", 1)[0])
    same(len(set(helped)), len(helped), "each is helped once")
    same(len(set(samples)), len(samples), "each sample is there once")
    expect("posthorn_info{mta=" in text, "the MTA's name", text[:300])
    return "%d names, %d samples" % (len(helped), len(samples))


def promtool(*args, data=None):
    tool = shutil.which("promtool")
    if tool is None:
        raise Skip("no promtool (Debian's prometheus): tools/install-deps test")
    p = subprocess.run([tool, *args], input=data, capture_output=True, text=True, timeout=100)
    expect(p.returncode == 0, "promtool %s" % " ".join(args), p.stdout + p.stderr)
    return p.stdout + p.stderr


def promtool_reads_them(lab):
    m = lab.mta("london")
    m.link(lab.mta("paris", "FR"), **FOREVER)
    m.start()
    promtool("check", "metrics", data=lab.command("metrics", "-c", m.path))
    return "fine"


def ask(port, path, **more):
    with urllib.request.urlopen("http://127.0.0.1:%d%s?%s" % (port, path, urllib.parse.urlencode(more)), timeout=PATIENCE_S) as r:
        return r.read().decode()


def with_console(lab):
    """London with a console, a link that nobody answers, and its port."""
    m, port = lab.mta("london"), free_port()
    m.link(lab.mta("paris", "FR"), **FOREVER)
    m.settings["console"] = {"listen": ["127.0.0.1:%d" % port]}
    m.start()
    return m, port


def processes_are_in_the_console(lab):
    """What the supervisor knows of them: up, started, faults; a killed one is counted."""
    m, port = with_console(lab)
    lines = lambda: ask(port, "/metrics").splitlines()  # noqa: E731
    for kind in ("switch", "link", "reader", "content", "console"):
        wait_for(lambda k=kind: 'posthorn_process_up{process="%s",number="0"} 1' % k in lines(), "%s is up" % kind)
    wait_for(lambda: "posthorn_up 1" in lines(), "the switch has answered")
    mark = m.mark()
    os.kill(wait_for(lambda: m.pids().get("link.0"), "link.0 runs"), signal.SIGABRT)
    m.event("process.fault", after=mark, name="link.0")
    wait_for(lambda: 'posthorn_process_faults_total{process="link",number="0"} 1' in lines(), "the fault is counted")
    wait_for(lambda: 'posthorn_process_starts_total{process="link",number="0"} 2' in lines(), "and the start")
    promtool("check", "metrics", data=ask(port, "/metrics"))
    return "%d lines" % len(lines())


def a_real_prometheus_scrapes_it(lab):
    """With the rules and the scrape configuration of conf/prometheus, but for ports and times."""
    if shutil.which("prometheus") is None:
        raise Skip("no prometheus: tools/install-deps test")
    m, port = with_console(lab)
    own = free_port()
    for name in ("prometheus.yml", "posthorn.rules.yml"):
        with open(source("conf", "prometheus", name), encoding="utf-8") as f:
            lab.file(name, f.read().replace("127.0.0.1:8025", "127.0.0.1:%d" % port).replace("interval: 15s", "interval: 1s").encode())
    log = open(os.path.join(lab.root, "prometheus.log"), "wb")
    p = subprocess.Popen(["prometheus", "--config.file=" + os.path.join(lab.root, "prometheus.yml"), "--storage.tsdb.path=" + os.path.join(lab.root, "tsdb"),
                          "--web.listen-address=127.0.0.1:%d" % own, "--storage.tsdb.retention.time=1d"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def value(query):
        try:
            found = json.loads(ask(own, "/api/v1/query", query=query))["data"]["result"]
        except OSError:
            return None  # it is not up yet
        return found[0]["value"][1] if found else None
    try:
        wait_for(lambda: value('up{job="posthorn"}') == "1", "it scrapes the console", step=0.3)
        wait_for(lambda: value("posthorn_up") == "1", "posthorn_up", step=0.3)
        same(value('posthorn_link_stored_messages{link="paris"}'), "0", "a gauge of a link")
        wait_for(lambda: (value("posthorn:mta_received_messages:rate5m") or "") != "", "a recording rule", step=0.3)
        rules = json.loads(ask(own, "/api/v1/rules"))["data"]["groups"]
        bad = [r["name"] for g in rules for r in g["rules"] if r["health"] == "err"]
        same(bad, [], "rules that fail")
        names = json.loads(ask(own, "/api/v1/label/__name__/values"))["data"]
        found = [n for n in names if n.startswith("posthorn_")]
        expect(len(found) > 60, "metrics of Posthorn", len(found))
    finally:
        p.terminate()
        try:
            p.wait(20)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
        log.close()
    return "%d series names" % len(found)


if __name__ == "__main__":
    main(totals_are_those_of_the_journeys, form, a_store_made_whole_keeps_them, promtool_reads_them, processes_are_in_the_console, a_real_prometheus_scrapes_it, killed_at_every_commit)
