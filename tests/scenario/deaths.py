#!/usr/bin/env python3
"""Rows of the failure catalogue about what dies, hangs or fails inside an MTA, its settings, its store, its clock, against running
MTAs. The names bear the numbers of the articles."""
import datetime
import os
import signal
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
from posthorn import PATIENCE_S, WATCHDOG, expect, main, same, wait_for  # noqa: E402
from submitter import Submitter, record  # noqa: E402

REFUSED = 1
FOREVER = {"max_open_retries": 100000, "max_transfer_retries": 100000}


def armed(m, plan, always=True):
    """Starts it with a fault plan, which its children inherit; in each life of theirs, or in the first."""
    name = "POSTHORN_FAULT_ALWAYS" if always else "POSTHORN_FAULT"
    os.environ[name] = plan
    try:
        return m.start()
    finally:
        del os.environ[name]


def linked(lab, plan="", **link):
    """London (alice, bob) and Paris (claude), up; the plan is London's."""
    london, paris = lab.pair()
    london.bob = london.mailbox("bob", "Baker")
    london.link(paris, **link)
    paris.link(london)
    paris.start(wait=False)
    if plan:
        armed(london, plan)
    else:
        london.start()
    paris.event("supervisor.up")
    return london, paris


def submit(m, total, *template):
    """Many, over one connection; gives their MTS-identifiers."""
    s = Submitter(m.directory, [record(m.lab.program, os.path.join(m.lab.root, "record"), *template)], total)
    s.run()
    return sorted(s.accepted.values())


def deaths(m, mark=0, kind="process.fault"):
    return [e["fields"]["name"] for e in m.events[mark:] if e["event"] == kind]


def wait_report(m, mailbox, n=1):
    """The fields of the n-th entry there, a report."""
    entry = sorted(m.wait_mail(mailbox, n), key=lambda e: int(e["delivery"]))[-1]
    shown = m.show(mailbox, entry["delivery"])
    same(shown["kind"], "report", "what lies there")
    return [(f["label"], f["value"]) for f in shown["fields"]]


# --- section 0, and what died at random ---

def k151669_k149387_k198393_k254943_whoever_dies(lab):
    """One message kills the link's process each time, one the renderer's, one the switch: each process comes back alone, every other
    message flows, nothing is lost, and what killed is in quarantine, reported, or refused."""
    london, paris = linked(lab, "LINK_ENCODE:@KILLSLINK:abort,content:CONTENT_RENDER:@KILLSCONTENT:abort,switch:SWITCH_PLACE:@KILLSSWITCH:abort",
                           **FOREVER)
    before, mark = london.pids(), london.mark()
    poison = london.send("alice", paris.address("Claude", "KILLSLINK"), "--subject", "bad", "t")
    good = submit(london, 100, "--from", london.alice, "--to", paris.claude, "t")
    same(sorted(e["id"] for e in paris.wait_mail("claude", 100)), good, "each good one, once")
    fields = wait_report(london, "alice")
    same([v for label, v in fields if label == "subject-message"], [poison], "the report is about")
    wait_for(lambda: len(deaths(london, mark)) >= 3, "all deaths are told")
    same(sorted(deaths(london, mark)), ["alone.0", "alone.0", "link.0"], "deaths: one in the crowd, two alone")
    london.event("message.quarantined", mark)
    rows = london.rows("quarantine", "list")
    same([(r["id"], int(r["strikes"])) for r in rows], [(poison, 3)], "in quarantine, with its strikes")
    expect("fault point" in rows[0]["words"] or "signal" in rows[0]["words"], "the last words of the process are kept", rows[0])
    others = {k: v for k, v in london.pids().items() if not k.startswith(("link", "alone"))}
    same(others, {k: v for k, v in before.items() if k in others}, "the other processes are the same")

    mark = london.mark()
    london.send("bob", london.bob, "--subject", "KILLSCONTENT", "t")
    london.send("bob", london.bob, "--subject", "harmless", "t")
    bad, fine = [e["delivery"] for e in sorted(london.wait_mail("bob", 2), key=lambda e: int(e["delivery"]))]
    london.command("read", "-c", london.path, "bob", "--show", str(bad), status=REFUSED)
    same(london.show("bob", fine)["kind"], "message", "the next one is shown")
    london.event("process.fault", mark)
    expect(set(d.split(".")[0] for d in deaths(london, mark)) == {"content"}, "only content processes have died", deaths(london, mark))

    mark = london.mark()
    london.command("send", "-c", london.path, "--from", "bob", "--to", paris.address("Claude", "KILLSSWITCH"), "t", status=None)
    london.event("process.fault", mark, name="switch.0")
    wait_for(lambda: london.lab.command("status", "-c", london.path, status=None), "the switch is back")
    more = london.send("alice", paris.claude, "after it")
    expect(more in [e["id"] for e in paris.wait_mail("claude", 101)], "mail flows")
    same([d for d in deaths(london, mark) if not d.startswith("content")], ["switch.0"], "deaths, but for one of before that is told now")
    same(london.status()[1]["quarantined"], 1, "still in quarantine")
    return "three kinds of process, 101 delivered"


def k151669_a_process_that_makes_no_progress(lab):
    """A worker that hangs with a message in hand: the watchdog ends it and no other; it is seen in the events and in the status; the
    other messages are delivered, that one is quarantined."""
    london, paris = lab.pair()
    london.link(paris, **FOREVER)
    paris.link(london)
    london.settings["processes"].update({"links": 2, "watchdog": WATCHDOG})
    london.settings["limits"] = {"strikes": 2}
    paris.start(wait=False)
    armed(london, "LINK_ENCODE:@HANGS:hang")
    paris.event("supervisor.up")
    before, mark = london.pids(), london.mark()
    london.send("alice", paris.address("Claude", "HANGS"), "t")
    good = submit(london, 50, "--from", london.alice, "--to", paris.claude, "t")
    hung = london.event("process.hung", mark)["fields"]
    wait_for(lambda: london.status()[1]["suspects"] + london.status()[1]["quarantined"] > 0, "the status shows a suspect")
    same(sorted(e["id"] for e in paris.wait_mail("claude", 50)), good, "each good one, once")
    london.event("message.quarantined", mark)
    after = london.pids()
    changed = {k for k in before if before[k] != after.get(k)}
    expect(hung["name"] in changed and changed <= {hung["name"], "alone.0"}, "only the one that hung was started again", changed)
    wait_report(london, "alice")
    return "%s was ended, 50 delivered" % hung["name"]


def k237182_k262865_a_failure_that_cannot_change(lab):
    """A conversion that fails the same way each time: bounded, reported, quarantined; the others pass it. Released when the cause is gone:
    delivered once. A second release of it is refused."""
    london, paris = linked(lab, "CONTENT_CONVERT:@CANNOTBE:fail", wrap=60, transfer_interval="50 ms", max_associations=1)
    mark = london.mark()
    poison = london.send("alice", paris.claude, "--subject", "CANNOTBE", "x" * 200)
    good = [london.send("bob", paris.claude, "--subject", "fine", "y" * 200) for _ in range(5)]
    same(sorted(e["id"] for e in paris.wait_mail("claude", 5)), sorted(good), "the others")
    fields = wait_report(london, "alice")
    same([v for label, v in fields if label == "subject-message"], [poison], "the report is about")
    row = london.rows("quarantine", "list")[0]
    london.wait_empty()
    same(london.stop(), 0, "exit status")
    failures = [e for e in london.events[mark:] if e["event"] == "content.not-converted"]
    same((len(failures), deaths(london, mark)), (3, []), "attempts, and deaths")
    london.start(wait=False)
    london.event("supervisor.up", mark + len(failures))
    wait_for(lambda: london.lab.command("status", "-c", london.path, status=None), "it is up")
    london.command("quarantine", "release", "-c", london.path, str(row["quarantine"]), "--why", "the converter was mended")
    expect(poison in [e["id"] for e in paris.wait_mail("claude", 6)], "delivered after its release")
    london.command("quarantine", "release", "-c", london.path, str(row["quarantine"]), status=REFUSED)
    london.wait_empty()
    same(len(paris.mail("claude")), 6, "entries")
    return "3 attempts, quarantine, released, delivered"


def k151431_no_end_without_a_reason(lab):
    """Each kind of process is killed or aborts: an event says which and how. The whole ends with a status that is not 0, and a line,
    when it cannot go on."""
    london, paris = linked(lab)
    for name, pid in sorted(london.pids().items()):
        mark = london.mark()
        os.kill(pid, signal.SIGKILL if name.startswith("link") else signal.SIGABRT)
        event = london.event("process.ended" if name.startswith("link") else "process.fault", mark, name=name)
        fields = event["fields"]
        expect("signal" in fields.get("how", fields.get("last_words", "")) or "SIG" in str(fields), "how %s ended" % name, fields)
        london.event("process.started", mark, name=name)
    wait_for(lambda: london.lab.command("status", "-c", london.path, status=None), "it is back")
    mts_id = london.send("alice", paris.claude, "after all of that")
    same([e["id"] for e in paris.wait_mail("claude", 1)], [mts_id], "mail")
    same(london.stop(), 0, "the status of an end that was asked for")
    expect(london.find("supervisor.stopping") and london.find("supervisor.down"), "and its events")
    broken = os.path.join(london.directory, "store.db")
    with open(broken, "r+b") as f:
        f.write(b"this is no store" * 8)
    mark = london.mark()
    london.start(wait=False)
    found = london.process.wait(PATIENCE_S)
    london.reader.join(10)
    london.process.stderr.close()
    london.process = None
    said = [str(e["fields"]) for e in london.events[mark:] if e["severity"] in ("error", "alarm")] + london.other_lines
    expect(found not in (0, None) and any("store.db" in line for line in said), "a status and a line that names the store", found, *said)
    return "each end has its reason"


def k151473_k164841_workers_are_replaced(lab):
    """Three link processes are killed, again and again, while the queue drains: each is there again, all take part, each message arrives
    once; what they had in hand is offered again."""
    london, paris = lab.pair()
    london.link(paris, threshold=1, max_associations=4, **FOREVER)
    paris.link(london)
    london.settings["processes"].update({"links": 3, "restart-min": "10 ms", "restart-max": "50 ms"})
    paris.start(wait=False)
    london.start()
    paris.event("supervisor.up")
    ids = submit(london, 1500, "--from", london.alice, "--to", paris.claude, "t")
    killed = 0
    while killed < 9 and london.rows("queue"):
        name = "link.%d" % (killed % 3)
        pid = london.pids().get(name)
        if pid is None:
            time.sleep(0.01)
            continue
        mark = london.mark()
        os.kill(pid, signal.SIGKILL)
        london.event("process.ended", mark, name=name)
        killed += 1
    london.wait_empty()
    same(sorted(e["id"] for e in paris.wait_mail("claude", 1500)), ids, "each once")
    wait_for(lambda: {"link.0", "link.1", "link.2"} <= set(london.pids()), "three link processes")
    same(london.status()[1]["suspects"], 0, "suspects: a kill from outside is charged to nobody")
    return "%d kills, 1500 arrived" % killed


# --- retries and limits ---

def k277831_retries_have_a_bound(lab):
    """A peer that is never there: after the attempts that the settings allow, and not before, the sender has a report."""
    london, paris = lab.pair()
    london.link(paris, open_interval="20 ms", max_open_retries=4)
    london.start()
    mts_id = london.send("alice", paris.claude, "t")
    fields = wait_report(london, "alice")
    same([v for label, v in fields if label == "subject-message"], [mts_id], "the report is about")
    why = [v for label, v in fields if label == "not-delivered"]
    expect(len(why) == 1 and "could not be opened 5 times" in why[0], "it says why: the first attempt and four more", fields)
    same(london.rows("queue"), [], "queue")
    return why[0]


def k155302_k247782_exhaustion_is_busy(lab):
    """More associations than the peer allows: it says busy, nobody dies, all of it arrives, with what is allowed."""
    london, paris = lab.pair()
    london.link(paris, threshold=1, max_associations=8, open_interval="30 ms", transfer_interval="30 ms", **FOREVER)
    paris.link(london)
    paris.settings["limits"] = {"associations": 2}
    london.start()
    path = lab.file("big", os.urandom(3000000))
    ids = [london.send("alice", paris.claude, "--file", path) for _ in range(12)]
    paris.start()
    same(sorted(e["id"] for e in paris.wait_mail("claude", 12)), sorted(ids), "each once")
    paris.event("link.association-limit")
    same((deaths(london), deaths(paris)), ([], []), "deaths")
    london.wait_empty()
    return "12 of 3 MB through two associations"


# --- settings ---

def k166609_settings_are_one_snapshot(lab):
    """The file of settings is changed, and then made nonsense, while processes read, die and come back: they go on with what was read at
    the start, all of them with the same."""
    london, paris = linked(lab, open_interval="50 ms", **FOREVER)
    ids = [london.send("alice", paris.claude, "before")]
    text = open(london.path, encoding="utf-8").read()
    for n, (changed, name) in enumerate(((text.replace("secret-london", "other"), "link.0"), ("mta: [nonsense", "switch.0"),
                                         ("", "content.0"), ("x: " * 1000, "link.0"))):
        with open(london.path, "w", encoding="utf-8") as f:
            f.write(changed)
        mark = london.mark()
        os.kill(london.pids()[name], signal.SIGKILL)
        london.event("process.started", mark, name=name)
        wait_for(lambda: london.lab.command("status", "-d", london.directory, status=None), "the switch answers")
        sent = lab.command("send", "-d", london.directory, "--from", london.alice, "--to", paris.claude, "text %d" % n).strip()
        ids.append(sent)
        same(sorted(e["id"] for e in paris.wait_mail("claude", n + 2)), sorted(ids), "delivered with the settings of the start")
    london.write()
    return "four changes, four deaths"


def k324026_k155027_a_wrong_path_is_named(lab):
    """A path, an address or a name that cannot be right: one line names the setting or the path, check-config and run alike."""
    m = lab.mta("london")
    m.mailbox("alice")
    good = {k: dict(v) if isinstance(v, dict) else list(v) for k, v in m.settings.items() if isinstance(v, (dict, list))}
    blocked = os.path.join(lab.file("file", b""), "store")
    for section, key, value, status, says in (("store", "directory", blocked, 73, blocked), ("listen", None, ["127.0.0.1:no"], 78, "127.0.0.1:no"),
                                              ("mta", "domain", "C=GB; A=X; ZZ=Y", 78, "ZZ"), ("mta", "name", "", 78, "name")):
        m.settings[section] = value if key is None else dict(good[section], **{key: value})
        if status == 78:
            lab.command("check-config", m.write(), status=status)
            expect(says in lab.last_error, "check-config names it", lab.last_error)
        m.start(wait=False)
        found = m.process.wait(PATIENCE_S)
        m.reader.join(10)
        m.process.stderr.close()
        m.process = None
        said = [str(e["fields"]) for e in m.events if e["severity"] in ("error", "alarm")] + m.other_lines
        same(found, status, "exit status with a wrong %s" % (key or section))
        expect(any(says in line for line in said), "a line that names %s" % says, *said)
        m.settings[section] = good[section]
        m.events, m.other_lines = [], []
    return "four"


# --- the store, the clock ---

def k174600_k187989_store_of_another_version(lab):
    """A store that a later program has written is refused with both versions, and left as it is."""
    m = lab.mta("london")
    alice = m.mailbox("alice")
    m.start()
    mts_id = m.send("alice", alice, "t")
    m.wait_mail("alice", 1)
    same(m.stop(), 0, "exit status")
    path = os.path.join(m.directory, "store.db")
    with sqlite3.connect(path) as db:
        version = db.execute("pragma user_version").fetchone()[0]
        db.execute("pragma user_version = 4711")
    db.close()
    m.events, m.other_lines = [], []
    m.start(wait=False)
    found = m.process.wait(PATIENCE_S)
    m.reader.join(10)
    m.process.stderr.close()
    m.process = None
    said = [str(e["fields"]) for e in m.events if e["severity"] in ("error", "alarm")] + m.other_lines
    expect(found != 0 and any("4711" in line and str(version) in line for line in said), "refused, with both versions", found, *said)
    with sqlite3.connect(path) as db:
        db.execute("pragma user_version = %d" % version)
    db.close()
    m.events = []
    m.start()
    same([e["id"] for e in m.mail("alice")], [mts_id], "what lies in it")
    return "4711 is refused, %d is read" % version


def k183604_k186048_k163297_stopped_and_started_at_once(lab):
    """Stopped and started again and again with a long queue, once in the middle of its start: each stop ends with 0, each start is
    ready with all of the queue, and all of it arrives, once."""
    london, paris = lab.pair()
    london.link(paris, open_interval="50 ms", **FOREVER)
    paris.link(london)
    london.start()
    ids = submit(london, 3000, "--from", london.alice, "--to", paris.claude, "t")
    for n in range(6):
        same(london.stop(), 0, "exit status of stop %d" % n)
        mark = london.mark()
        london.start(wait=False)
        if n == 3:
            london.event("process.started", mark)
            continue
        london.event("supervisor.up", mark)
        same(london.status()[1]["queued"], 3000, "queued after start %d" % n)
    same(deaths(london), [], "deaths")
    paris.start()
    same(sorted(e["id"] for e in paris.wait_mail("claude", 3000)), ids, "each once")
    london.wait_empty()
    return "six times with 3000 queued"


def k192125_k225345_k254818_odd_zones(lab):
    """In zones with half an hour, with summer time, beyond the date line: times that are told are UTC, retries come at their interval."""
    for zone in ("Asia/Tehran", "AAA-3:30BBB-4:30,J1,J364", "Pacific/Kiritimati", "America/St_Johns"):
        before = os.environ.get("TZ")
        os.environ["TZ"] = zone
        try:
            london, paris = lab.mta("l" + str(len(lab.mtas))), lab.mta("p" + str(len(lab.mtas)), "FR")
            alice, claude = london.mailbox("alice"), paris.mailbox("claude")
            london.link(paris, open_interval="100 ms", **FOREVER)
            paris.link(london)
            london.start()
            london.send("alice", [claude, alice], "t")
            london.event("link.open-failed")
            paris.start()
            entry = paris.wait_mail("claude", 1)[0]
            shown = {f["label"]: f["value"] for f in paris.show("claude", entry["delivery"])["fields"]}
            now = datetime.datetime.now(datetime.timezone.utc)
            for text in (entry["delivered"], shown["submitted"].replace(" UTC", "Z").replace(" ", "T"), london.events[-1]["time"]):
                at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
                expect(abs((now - at).total_seconds()) < PATIENCE_S, "a time of now, in UTC, with TZ=%s" % zone, text, now)
            london.stop()
            paris.stop()
        finally:
            if before is None:
                del os.environ["TZ"]
            else:
                os.environ["TZ"] = before
    return "four zones"


main(k151669_k149387_k198393_k254943_whoever_dies, k151669_a_process_that_makes_no_progress, k237182_k262865_a_failure_that_cannot_change,
     k151431_no_end_without_a_reason, k151473_k164841_workers_are_replaced, k277831_retries_have_a_bound,
     k155302_k247782_exhaustion_is_busy, k166609_settings_are_one_snapshot, k324026_k155027_a_wrong_path_is_named,
     k174600_k187989_store_of_another_version, k183604_k186048_k163297_stopped_and_started_at_once, k192125_k225345_k254818_odd_zones)
