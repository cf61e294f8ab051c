#!/usr/bin/env python3
"""The commands an operator types: help, exit statuses, JSON; what `send` sends is what lies in the mailbox; the shipped settings."""
import contextlib
import glob
import hashlib
import json
import os
import re
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from posthorn import PATIENCE_S, expect, main, same, source, typed, wait_for  # noqa: E402

USAGE, REFUSED, NO_MTA, NO_ROOM, SILENT, WRONG_SETTINGS = 64, 1, 69, 74, 75, 78


def names(lab):
    return re.findall(r"^  ([a-z][a-z-]+) ", lab.command("--help"), re.M)


def help_of_every_command(lab):
    found = names(lab)
    expect({"run", "demo", "send", "read", "status", "queue", "trace", "check-config"} <= set(found), "the commands of the help", found)
    for name in found:
        text = lab.command(name, "--help")
        expect(text.startswith("usage: posthorn " + name), "%s --help begins with its usage" % name, text[:80])
        expect("xit status" in text, "%s --help tells its exit statuses" % name, text)
        same(lab.command(name, "-h"), text, "%s -h" % name)
        lab.command(name, "--no-such-option", status=USAGE)
        expect(lab.last_error.startswith("posthorn %s: " % name), "who speaks", lab.last_error)
    lab.command("no-such-command", status=USAGE)
    expect("did you mean" not in lab.last_error, "nothing is near", lab.last_error)
    lab.command("statsu", status=USAGE)
    expect("did you mean \"status\"?" in lab.last_error, "what is near", lab.last_error)
    lab.command(status=USAGE)
    lab.command("demo", "London", status=USAGE)
    return "%d commands" % len(found)


def exit_statuses(lab):
    m = lab.mta("london")
    alice = m.mailbox("alice")
    m.write()
    for name, *more in (("status",), ("queue",), ("read", "alice"), ("trace", "x"), ("send", "--from", "alice", "--to", alice, "t")):
        lab.command(name, "-c", m.path, *more, status=NO_MTA)
        lab.command(name, "-c", lab.file("bad.yaml", b"mta: 3\n"), *more, status=WRONG_SETTINGS)
    os.unlink(os.path.join(lab.root, "bad.yaml"))
    m.start()
    lab.command("send", "-c", m.path, "--from", "alice", status=USAGE)
    lab.command("send", "-c", m.path, "--from", "alice", "--to", alice, "--priority", "high", status=USAGE)
    lab.command("send", "-c", m.path, "--from", "alice", "--to", "nonsense", "t", status=REFUSED)
    lab.command("send", "-c", m.path, "--from", "alice", "--to", alice, "--file", "/none", status=REFUSED)
    lab.command("trace", "-c", m.path, "none", status=REFUSED)
    lab.command("read", "-c", m.path, "alice", "--show", "99", status=REFUSED)
    lab.command("read", "-c", m.path, "nobody", status=REFUSED)
    expect("\"nobody\"" in lab.last_error, "which mailbox there is none of", lab.last_error)
    lab.command("link", "list", "-c", m.path, "nowhere", status=REFUSED)
    expect("\"nowhere\"" in lab.last_error, "which link there is none of", lab.last_error)
    for name in ("status", "metrics"):
        lab.command(name, "-c", m.path, "paris", status=USAGE)
    lab.command("check-config", m.path, "paris", status=USAGE)
    lab.command("run", "-c", m.path, "paris", status=USAGE)
    same(m.command("queue", "list", "-c", m.path), "nothing waits\n", "no queue")
    same((m.command("read", "-c", m.path, "alice"), m.rows("read", "alice")), ("nothing lies in it\n", []), "no mail")
    os.environ["POSTHORN_CONFIG"] = "/no-such-file"
    try:
        lab.command("status", "-d", m.directory)
        lab.command("status", "-c", m.path)
        lab.command("status", status=WRONG_SETTINGS)
    finally:
        del os.environ["POSTHORN_CONFIG"]
    lab.command("status", "-c", m.path, "--show", "all", status=USAGE)
    lab.command("check", "/no-such-store", status=66)
    expect("is not there" in lab.last_error, "no store there", lab.last_error)
    with open("/dev/full", "wb") as full:
        for args in (("status", "-c", m.path), ("events", "list"), ("check-config", m.path), ("events", "-c", m.path, "--follow")):
            done = subprocess.run([lab.program, *args], stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
            same((done.returncode, b"standard output" in done.stderr), (NO_ROOM, True), "%s without room for it" % args[0])
    return "64, 1, 69, 74, 78"


def processes_in_trouble(lab):
    """Which process has ended, and why, is told by the first command that anybody gives; of those that are well, nothing."""
    m = lab.mta("london")
    m.start()
    shown = lambda: [x for x in lab.command("status", "-c", m.path).splitlines() if x.startswith("process content.0")]
    same(shown(), [], "of a process that is well")
    same([r for r in m.rows("status") if r.get("name") == "content.0"], [], "as JSON")
    before = m.pids()["content.0"]
    os.kill(before, signal.SIGKILL)
    line = wait_for(lambda: [x for x in shown() if "was started again at" in x], "the one that was started again")[0]
    expect(": it had ended by signal 9" in line and "process %d)" % before not in line, "why, and that it is another", line)
    row, = wait_for(lambda: [r for r in m.rows("status") if r.get("name") == "content.0"], "as JSON")
    expect("signal 9" in row["words"] and row["pid"] > 0 and row["pid"] != before, "as JSON", row)
    return line.split(" at ")[0]


def an_mta_of_another_release(lab):
    """Told apart from none: by its version of the protocol, and by a question that it does not know."""
    for version, word in ((7, "of another release"), (1, "does not know what was asked")):
        folder = os.path.join(lab.root, "release-%d" % version)
        os.mkdir(folder)
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(os.path.join(folder, "control"))
            s.listen(1)

            def serve(s=s, version=version):
                with s.accept()[0] as c:
                    c.recv(4096)
                    c.sendall(struct.pack(">IHHHI", 10, 0, version, 2, 0)) # length, HELLO, version, kind, instance
            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            lab.command("status", "-d", folder, status=NO_MTA)
            thread.join()
        expect(word in lab.last_error, "what is wrong with it", lab.last_error)


def a_process_that_does_not_answer(lab):
    """A switch that is stopped: a command says which process it is, since when, and what the supervisor will do; nothing was asked of it, so nothing
    is done of that when it goes on. The same of the reader."""
    m = lab.mta("london")
    alice = m.mailbox("alice")
    m.start()
    m.send("alice", alice, "one")
    m.wait_mail("alice", 1)
    pids = m.pids()
    with lab.held(pids["switch.0"]):
        for name, *more in (("status",), ("send", "--from", "alice", "--to", alice, "two")):
            lab.command(name, "-c", m.path, "--patience", "1", *more, status=SILENT)
            for part in ("the switch does not answer (for 1 s now); nothing was asked of it", "switch.0 (process %d) is stopped by a signal" % pids["switch.0"],
                         "kill -CONT %d" % pids["switch.0"], "it answered the supervisor last at 20", "(processes.watchdog), at about 20"):
                expect(part in lab.last_error, "it is said: %s" % part, lab.last_error)
        same(len(m.mail("alice")), 1, "lists are read meanwhile")
    with lab.held(pids["reader.0"]):
        lab.command("queue", "-c", m.path, "--patience", "1s", status=SILENT)
        for part in ("the reader does not answer (for 1 s now); nothing was asked of it", "reader.0 (process %d) is stopped by a signal" % pids["reader.0"],
                     "kill -CONT %d" % pids["reader.0"], "it answered the supervisor last at 20", "(processes.watchdog), at about 20"):
            expect(part in lab.last_error, "it is said: %s" % part, lab.last_error)
        expect("process reader does not answer\n" in lab.command("status", "-c", m.path, "--patience", "1s"), "status goes on without it")
    with lab.held(pids["reader.0"], pids["recorder.0"]):
        lab.command("events", "-c", m.path, "--patience", "1s", "--max", "1", status=SILENT)
        expect("the recorder does not answer" in lab.last_error and "more is not known" in lab.last_error, "who it is", lab.last_error)
        expect("process recorder does not answer: more" in lab.command("status", "-c", m.path, "--patience", "1s"), "nor without both")
    lab.command("status", "-c", m.path, "--patience", "soon", status=USAGE)
    m.send("alice", alice, "three")
    m.wait_mail("alice", 2)
    return "75"


def a_supervisor_that_is_stopped(lab):
    """Nobody can ask it anything, and others go on without it: that it is so is told by what the system and its board show."""
    m = lab.mta("london")
    m.mailbox("alice")
    m.start()
    pid = m.process.pid
    wait_for(lambda: m.command("status", "-c", m.path) and lab.last_error == "", "nothing is said while it runs")
    with lab.held(pid):
        for name, status in (("status", 0), ("reload", SILENT)):
            lab.command(name, "-c", m.path, "--patience", "1", status=status)
            for part in ("the supervisor (process %d) is stopped by a signal (kill -CONT %d lets it go on)" % (pid, pid), "it was heard of last at 20", "no settings are taken"):
                expect(part in lab.last_error, "posthorn %s says: %s" % (name, part), lab.last_error)
            same(len(lab.last_error.splitlines()), 1, "lines")
    m.command("reload", "-c", m.path)
    same(lab.last_error, "", "nothing is said when it goes on")
    return "0, 75"


def json_of_every_listing(lab):
    m = lab.mta("london")
    alice = m.mailbox("alice")
    nowhere = lab.mta("nowhere", "FR")
    m.link(nowhere)
    m.start()
    mts_id = json.loads(m.send("alice", alice, "--json", "--subject", "quotes \"and\" \u00fcmlauts", "t"))["id"]
    m.send("alice", nowhere.address("No", "Body"), "t")
    entry = m.wait_mail("alice", 1)[0]
    same(entry["id"], mts_id, "id")
    shown = m.show("alice", entry["delivery"])
    same([f["value"] for f in shown["fields"] if f["label"] == "subject"], ["quotes \"and\" \u00fcmlauts"], "subject")
    expect(m.rows("trace", mts_id) and m.rows("queue") and m.rows("status"), "rows of trace, queue and status")
    m.command("read", "-c", m.path, "alice", "--remove", str(entry["delivery"]))
    same(m.mail("alice"), [], "mailbox after --remove")
    return "send, read, trace, queue, status"


def names_that_look_like_numbers(lab):
    """A link, a mailbox, a list, a subject and a file are words in JSON, whatever they are called; what is counted is a number."""
    m, paris, nowhere = lab.mta("london"), lab.mta("paris", "FR"), lab.mta("nowhere", "FR")
    box, claude = m.mailbox("007"), paris.mailbox("claude")
    for peer, name, interval in ((nowhere, "42", "1 h"), (paris, "1e5", "300 ms")):
        m.link(peer, open_interval=interval)["name"] = m.settings["routes"][-1]["to"] = name
    paris.link(m)
    m.settings["lists"] = [{"name": "12", "addresses": [m.address("All", "List")], "members": [box]}]
    shadow = os.path.join(lab.root, "12")
    lab.command("postoffice", "create", shadow, "--name", "EXCH/LONDON")
    m.settings["movers"] = [{"name": "9", "postoffice": shadow, "peers": [os.path.join(lab.root, "13")], "interval": "100 ms"}]
    paris.start(wait=False)
    m.start()
    paris.event("supervisor.up")
    mts_id = typed([json.loads(m.send("007", box, "--json", "--subject", "2026", "t"))], "send")[0]["id"]
    m.send("007", nowhere.address("No", "Body"), "--subject", "0", "t")
    m.send("007", claude, "--subject", "3", "t")
    m.wait_mail("007", 1)
    paris.wait_mail("claude", 1)
    same(typed(m.rows("read", "007"), "read")[0]["mailbox"], "007", "the mailbox")
    same([row["queue"] for row in typed(m.rows("queue"), "queue")], ["42"], "the link in the queue")
    typed(m.rows("queue", "list", "--link", "42"), "queue")
    wait_for(lambda: "mover" in str(m.rows("status")), "the mover has told of itself")
    status = typed(m.rows("status"), "status")
    same([row["link"] for row in status if "link" in row], ["42", "1e5"], "the links")
    same({row["mover"] for row in status if "mover" in row}, {"9"}, "the mover")
    typed(m.rows("trace", mts_id), "trace")
    found = typed(m.rows("track", "--recipient", claude, "--event", "7"), "track")
    same([row["peer"] for row in found], ["1e5"], "by which link")
    typed(m.rows("link", "list", "1e5"), "link")
    same(typed(m.rows("link", "retry", "42"), "events")[0]["link"], "42", "the link that was tried")
    same(typed(m.rows("route", "explain", claude), "route")[1]["link"], "1e5", "the link of a route")
    same(typed(m.rows("route", "explain", m.address("All", "List")), "route")[-1]["list"], "12", "the list of a member")
    same([row["mailbox"] for row in typed(m.rows("route", "explain", box), "route") if "mailbox" in row], ["007"], "the mailbox of an address")
    same({r.get("link") for r in m.rows("metrics")} - {None, ""}, {"42", "1e5"}, "the link of a metric")
    typed(m.rows("events", "level"), "events")
    typed(m.rows("events", "level", "process", "medium"), "events")
    target = os.path.join(lab.root, 'copy "\u00fc"')
    same(typed([json.loads(m.command("backup", "-c", m.path, "--json", target))], "backup")[0]["target"], target, "what was made")
    same(typed(rows_in(lab, "backup", "-c", m.path, "--json", "77"), "backup")[0]["target"], "77", "a copy whose name is digits")
    return "status, queue, read, trace, track, link, route, metrics, events, backup, send"


def rows_in(lab, *args):
    """Of a command that is given in the lab's folder, with names as they are there."""
    done = subprocess.run([lab.program, *args], cwd=lab.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=PATIENCE_S)
    same(done.returncode, 0, "posthorn %s: %r" % (" ".join(args), done.stderr))
    return [json.loads(line) for line in done.stdout.splitlines()]


def a_terminal_gets_what_is_seen(lab):
    """Texts of others may have anything in them: what a terminal would obey, or turn around, is printed as its number; JSON has it as it is. In
    settings no text has such a character."""
    m, nowhere = lab.mta("london"), lab.mta("nowhere", "FR")
    box = m.mailbox("alice")
    m.link(nowhere, open_interval="1 h")
    m.start()
    mts_id = m.send("alice", nowhere.address("No", "Body"), "t")
    assert box and len(m.rows("queue")) == 1
    m.stop()
    hostile, shown = "a\u202eb\u2066c\u200fd\u009b1m\x1b[31m\n2026 all is well\u00fc", "a\\u202eb\\u2066c\\u200fd\\u009b1m\\x1b[31m\\x0a2026 all is well\u00fc"
    with contextlib.closing(sqlite3.connect(os.path.join(m.directory, "store.db"))) as db:
        db.execute("update transfer set error = ?", (hostile,))
        db.execute("update step set peer = ?, text = ?", (hostile, hostile))
        db.commit()
    m.start()
    for args in (("queue",), ("queue", "list", "--all"), ("trace", mts_id), ("track", "--id", mts_id)):
        text = m.command(args[0], *args[1:2] if args[0] == "queue" else (), "-c", m.path, *(args[2:] if args[0] == "queue" else args[1:]))
        expect(shown in text, "posthorn %s shows them" % args[0], text)
        same(sorted({c for c in text if c in hostile and not c.isprintable()} - {"\n"}), [], "posthorn %s prints none of them" % args[0])
        expect(hostile in m.rows(*args)[0].values(), "posthorn %s --json has it" % args[0])
    m.stop()
    for key, value in (("name", "par\u202eis"), ("remote-mta-name", "a\u2066"), ("name", "a\u200b")):
        before, m.settings["links"][0][key] = m.settings["links"][0][key], value
        lab.command("check-config", m.write(), status=WRONG_SETTINGS)
        expect(re.search(r"london.yaml:\d+:\d+: %s: .* a character that is not seen" % key, lab.last_error), "where it is wrong", lab.last_error)
        expect(lab.last_error.strip().isprintable(), "and that can be seen", lab.last_error)
        m.settings["links"][0][key] = before


def entries_of_one_mailbox(lab):
    """What is shown or removed is an entry of the mailbox that is named, by its whole number; all of them are more than are asked for at once."""
    m, n = lab.mta("london"), 103
    alice, bob = m.mailbox("alice"), m.mailbox("bob")
    several = [m.address("A%d" % i, "User") for i in range(n)]
    m.settings["mailboxes"][0]["addresses"] += several
    m.start()
    m.send("alice", bob, "--subject", "of Bob", "t")
    m.send("alice", several, "t")
    entry = str(m.wait_mail("bob", 1)[0]["delivery"])
    for what, number, status in (("--show", entry, REFUSED), ("--remove", entry, REFUSED), ("--remove", "999", REFUSED), ("--remove", str(1 << 63), REFUSED)):
        lab.command("read", "-c", m.path, "alice", what, number, status=status)
    for what, number in (("--show", entry + "x"), ("--remove", entry + "x"), ("--remove", "-1"), ("--remove", "")):
        lab.command("read", "-c", m.path, "bob", what, number, status=USAGE)
    same([f["value"] for f in m.show("bob", entry)["fields"] if f["label"] == "subject"], ["of Bob"], "what is still there")
    m.wait_mail("alice", n)
    shown = m.command("read", "-c", m.path, "--json", "alice", "--show", "all")
    same(len([line for line in shown.splitlines() if line.strip()]), n, "all entries of Alice")
    m.command("read", "-c", m.path, "bob", "--remove", entry)
    same(m.mail("bob"), [], "Bob's mailbox")


def more_than_is_taken(lab):
    """An argument that no MTA takes is told as that, and the MTA that was asked is not said to have broken off."""
    m = lab.mta("london")
    m.mailbox("alice")
    m.link(lab.mta("paris", "FR"), open_interval="1 h")
    m.start()
    long = "x" * 70000
    for words in (("trace", long), ("read", long), ("track", "--subject", long), ("events", "--text", long), ("events", "level", "process", "medium", "--why", long),
                  ("link", "stop", "paris", "--why", long), ("link", "trace", "paris", "on", "--why", long), ("track", "--max", "-1", "--from", "1 h"), ("show", "-1"), ("show", "1x"),
                  ("route", "explain", "C=FR; A=POSTHORN; P=PARIS", "--from", long), ("quarantine", "delete", "1", "--why", long)):
        verbs = 2 if words[0] in ("link", "route", "quarantine") or words[1] == "level" else 1
        lab.command(*words[:verbs], "-c", m.path, *words[verbs:], status=None)
        expect(lab.last_status in (USAGE, REFUSED), "posthorn %s ..." % " ".join(words)[:40], lab.last_status, lab.last_error[:200])
    same(m.find("process.channel-closed"), None, "what the MTA says of it")
    same(m.status()[0]["paris"]["state"] == "stopped", False, "the link is stopped")


def closed_descriptors(lab):
    """`>&-`: what would be printed goes nowhere, above all not into a file or socket that the program has opened; and it says so."""
    m = lab.mta("london")
    alice = m.mailbox("alice")
    m.write()
    m.process = subprocess.Popen(["/bin/sh", "-c", 'exec "$0" run -c "$1" <&- >&- 2>&-', lab.program, m.path], start_new_session=True)
    try:
        wait_for(lambda: lab.command("status", "-c", m.path, status=None) and lab.last_status == 0, "it runs, without any of the three")
        m.send("alice", alice, "--subject", "s", "t")
        m.wait_mail("alice", 1)
        for args in (("status",), ("metrics",), ("queue",), ("read", "alice"), ("events",), ("trace", "x"), ("reload",), ("backup", os.path.join(lab.root, "copy"))):
            done = subprocess.run(["/bin/sh", "-c", 'exec "$0" "$@" >&-', lab.program, args[0], "-c", m.path, *args[1:]], stderr=subprocess.PIPE, check=False)
            silent = args[0] in ("queue", "trace")  # nothing is there to be printed
            expect(done.returncode in ((0, 1, NO_ROOM) if silent else (NO_ROOM,)), "posthorn %s >&-" % args[0], done)
            expect(silent or b"standard output cannot be written" in done.stderr, "posthorn %s says why" % args[0], done)
        for args in (("--help",), ("--version",), ("events", "list"), ("decode", "-h")):
            done = subprocess.run(["/bin/sh", "-c", 'exec "$0" "$@" >/dev/full', lab.program, *args], stderr=subprocess.PIPE, check=False)
            same(done.returncode, NO_ROOM, "posthorn %s >/dev/full" % " ".join(args))
            expect(done.stderr != b"", "it says so", done)
        same(len(m.mail("alice")), 1, "all is as it was")
    finally:
        m.process.terminate()
        same(m.process.wait(PATIENCE_S), 0, "the end of it")
        m.process = None
    lab.command("check", m.directory)


def one_of_two_unknown(lab):
    m = lab.mta("london")
    alice, bob = m.mailbox("alice"), m.mailbox("bob")
    m.start()
    m.send("alice", [bob, m.address("No", "Body")], "--subject", "To two", "t")
    m.wait_mail("bob", 1)
    shown = m.show("alice", m.wait_mail("alice", 1)[0]["delivery"])
    same((shown["kind"], len([f for f in shown["fields"] if f["label"] == "not-delivered"])), ("report", 1), "report")
    assert alice
    return "one delivered, one report"


def urgent_before_normal(lab):
    london, paris = lab.pair()
    london.link(paris, max_associations=1, max_open_retries=1000)
    paris.link(london)
    london.start()
    ids = [london.send("alice", paris.claude, "--priority", p, "t") for p in ("non-urgent", "normal", "normal", "urgent")]
    paris.start()
    got = [e["id"] for e in sorted(paris.wait_mail("claude", 4), key=lambda e: e["delivery"])]
    same(got, [ids[3], ids[1], ids[2], ids[0]], "order of arrival")
    return "urgent, normal, normal, non-urgent"


def twenty_files(lab):
    m = lab.mta("london")
    alice = m.mailbox("alice")
    m.start()
    args = [x for i in range(20) for x in ("--file", lab.file("file%02d.bin" % i, os.urandom(100 * i + 1)))]
    m.send("alice", alice, *args)
    parts = m.show("alice", m.wait_mail("alice", 1)[0]["delivery"])["parts"]
    same([(x["name"], x["size"]) for x in parts], [("file%02d.bin" % i, 100 * i + 1) for i in range(20)], "names and sizes")
    return "names and sizes"


def five_megabytes(lab):
    """Over a link; the octets in the receiver's content file are the file's."""
    london, paris = lab.pair()
    london.link(paris)
    paris.link(london)
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    octets = os.urandom(5 * 1024 * 1024)
    london.send("alice", paris.claude, "--file", lab.file("big.bin", octets))
    entry = paris.wait_mail("claude", 1)[0]
    expect(entry["size"] > len(octets), "size of the content", entry["size"])
    wanted, found = hashlib.sha256(octets).digest(), []
    for path in glob.glob(os.path.join(paris.directory, "**"), recursive=True):
        if os.path.isfile(path) and os.path.getsize(path) == entry["size"]:
            data = open(path, "rb").read()
            at = data.find(octets[:64])
            found.append(hashlib.sha256(data[at:at + len(octets)]).digest() == wanted)
    same(found, [True], "content files with the octets that were sent")
    return "sha256 equal"


def three_hundred_recipients(lab):
    london, paris = lab.pair()
    everybody = [paris.address("User%d" % i, "Many") for i in range(300)]
    paris.settings["mailboxes"].append({"name": "many", "addresses": everybody})
    london.link(paris)
    paris.link(london)
    london.start(wait=False)
    paris.start()
    london.event("supervisor.up")
    mts_id = london.send("alice", everybody, "--subject", "To all", "t")
    entries = paris.wait_mail("many", 300)
    same({e["id"] for e in entries}, {mts_id}, "one message")
    same(len({e["recipient"] for e in entries}), 300, "recipients")
    return "one transfer, 300 deliveries"


def shipped_settings(lab):
    """Each loads; its canonical print reads back as the same."""
    files = sorted(glob.glob(source("conf", "*.yaml")) + glob.glob(source("conf", "demo", "*.yaml")))
    expect(len(files) >= 4, "the sample and the three demo sites", files)
    for path in files:
        printed = lab.command("check-config", path)
        again = lab.command("check-config", lab.file("again.yaml", printed.encode()))
        same(again, printed, "canonical print of %s, read back" % os.path.basename(path))
    return ", ".join(os.path.basename(f) for f in files)


main(help_of_every_command, exit_statuses, a_process_that_does_not_answer, a_supervisor_that_is_stopped, processes_in_trouble, an_mta_of_another_release, json_of_every_listing, names_that_look_like_numbers, a_terminal_gets_what_is_seen, entries_of_one_mailbox, more_than_is_taken, closed_descriptors, one_of_two_unknown, urgent_before_normal, twenty_files, five_megabytes,
     three_hundred_recipients, shipped_settings)
