#!/usr/bin/env python3
"""What an operator hears: events in memory, in a file that is put aside, in the journal, followed live; levels set while all runs; nothing of it
delays mail, and a recorder that dies loses nothing but its memory."""
import collections
import glob
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
from console import rest  # noqa: E402
from posthorn import PATIENCE_S, Skip, expect, main, same, wait_for  # noqa: E402
from submitter import HELLO, frames_of  # noqa: E402

REFUSED, USAGE, NO_MTA = 1, 64, 69


class Follower:
    """`posthorn events --follow --json` as an operator leaves it running."""

    def __init__(self, m, *args):
        self.process = subprocess.Popen([m.lab.program, "events", "-c", m.path, "--follow", "--json", *args], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.events, self.said = [], []
        for stream, into in ((self.process.stdout, self.events), (self.process.stderr, self.said)):
            threading.Thread(target=self._read, args=(stream, into), daemon=True).start()
        m.lab.closers.append(self.end)

    @staticmethod
    def _read(stream, into):
        for line in stream:
            into.append(line.decode())

    def rows(self):
        return [json.loads(line) for line in list(self.events)]

    def wait(self, text, n=1):
        return wait_for(lambda: len([x for x in list(self.events) if text in x]) >= n and self.rows(), "%d times \"%s\" for who follows" % (n, text))

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def events_of(m, *args, status=0):
    return m.rows("events", *args, status=status)


def lines_of(*paths):
    lines = []
    for path in paths:
        with open(path, encoding="utf-8") as f:
            lines += f.read().splitlines()
    return lines


def key(e):
    return (e["time"], e["process"], e["event"], json.dumps(e.get("fields", {}), sort_keys=True))


def test_memory_filters_and_catalogue(lab):
    london, paris = lab.pair()
    london.link(paris)
    paris.link(london)
    london.settings["events"] = "text"
    paris.start()
    london.start(wait=False)
    wait_for(lambda: any("supervisor.up" in x for x in london.other_lines), "London is up")
    london.send(london.alice, paris.claude)
    paris.wait_mail("claude", 1)
    wait_for(lambda: events_of(london, "--link", "paris"), "events about the link")
    everything = events_of(london)
    expect(all(e["category"] == "x400" for e in events_of(london, "--category", "x400")), "a category")
    same([e["event"] for e in events_of(london, "--category", "process,operator", "--severity", "notice")], ["supervisor.up"], "two categories, notices")
    expect(all(e["fields"]["link"] == "paris" for e in events_of(london, "--link", "paris")), "a link")
    same([e["event"] for e in events_of(london, "--text", "SUPERVISOR.UP")], ["supervisor.up"], "text, whatever the case")
    same(len(events_of(london, "--max", "3")), 3, "the last three")
    same(events_of(london, "--since", "1 h")[:5], everything[:5], "of the last hour")
    same(events_of(london, "--since", "2099-01-01T00:00Z"), [], "of the future")
    text = london.command("events", "-c", london.path, "--text", "supervisor.up")
    line = next(x for x in london.other_lines if "supervisor.up" in x)
    same(text.strip(), line, "text form is the line of standard error")
    expect(not any("\x1e" in x or x.startswith("{") for x in london.other_lines), "nothing but text on standard error")
    seen = [x for x in london.other_lines if re.match(r"\d{4}-", x)]
    wait_for(lambda: set(seen) <= set(london.command("events", "-c", london.path).splitlines()), "each line of standard error is in memory")

    catalogue = [json.loads(x) for x in lab.command("events", "list", "--json").splitlines()]
    same(len({k["id"] for k in catalogue}), len(catalogue), "numbers of kinds")
    expect({e["id"] for e in everything} <= {k["id"] for k in catalogue}, "what happens is in the catalogue")
    expect({"id": 289, "source": "MSExchangeMTA 289"}["source"] in [k["source"] for k in catalogue], "numbers of Exchange")
    lab.command("events", "list", "--category", "nothing", status=REFUSED)
    london.command("events", "-c", london.path, "--category", "nothing", status=REFUSED)
    expect("posthorn events list" in lab.last_error, "where categories are named", lab.last_error)
    for wrong in (("--severity", "dire"), ("--since", "yesterday"), ("--max", "x"), ("something",), ("level", "x400"), ("level", "x400", "loud")):
        london.command("events", "-c", london.path, *wrong, status=USAGE)
    london.stop()
    london.command("events", "-c", london.path, status=NO_MTA)
    return "%d events, %d kinds" % (len(everything), len(catalogue))


def test_followed_across_a_killed_recorder(lab):
    """What happens while there is no recorder waits in the pipe: who follows sees every event once, in order; mail is not delayed."""
    london, paris = lab.pair()
    london.link(paris)
    paris.link(london)
    paris.start()
    london.start()
    london.command("events", "level", "-c", london.path, "message", "maximum")
    follower = Follower(london)
    def of_others(events):
        return collections.Counter(key(e) for e in events if e["process"] != "recorder-0" and not e["event"].startswith("supervisor."))

    def followed():
        return of_others(london.events) <= of_others(follower.rows())
    n = 0
    for _ in range(4):
        wait_for(followed, "nothing is on its way to who follows, which a recorder would take along")
        pid = wait_for(lambda: london.pids().get("recorder.0"), "the recorder runs")
        os.kill(pid, signal.SIGKILL)
        for _ in range(3):
            london.send(london.alice, paris.claude)
            n += 1
        wait_for(lambda: london.pids().get("recorder.0") not in (None, pid), "the recorder is back") # pylint: disable=cell-var-from-loop
        follower.wait("message.in", n)
    paris.wait_mail("claude", n)
    wait_for(lambda: [e for e in london.events if e["event"] == "message.out"][n - 1:], "all handed over")
    follower.wait("message.out", n)
    wait_for(followed, "every event of standard error was followed")
    rows = follower.rows()
    same(len([e for e in rows if e["event"] == "message.out"]), n, "each message once")
    wait_for(lambda: of_others(rows) <= of_others(london.events), "each event as often as on standard error")
    expect(not any(e["event"] == "link.association-ended" for e in london.events), "no association was lost by it")
    return "%d events, 4 recorders killed" % len(rows)


def test_levels_reach_every_process_and_stay(lab):
    london, paris = lab.pair()
    london.link(paris)
    paris.link(london)
    paris.start()
    london.start()

    def debug_of(process, after):
        return [e for e in london.events[after:] if e["severity"] == "debug" and e["process"].startswith(process)]

    def one_more():
        mark = london.mark()
        london.send(london.alice, paris.claude)
        london.wait_empty()
        return mark
    def levels():
        return {x["category"]: (x["level"], x["settings"]) for x in london.rows("events", "level")}
    same((levels()["message"], levels()["operator"]), (("medium", "medium"), ("always", "always")), "levels at first")
    same(debug_of("", one_more()), [], "debug at first")
    london.command("events", "level", "-c", london.path, "message", "maximum", "--why", "a test")
    act = london.event("operator.act", what="events-level")
    same((act["fields"]["category"], act["fields"]["level"], act["fields"]["why"], act["severity"]), ("message", "maximum", "a test", "notice"), "audit")
    expect("uid %d" % os.getuid() in act["fields"]["who"], "who", act)
    same((levels()["message"], levels()["x400"]), (("maximum", "medium"), ("medium", "medium")), "levels, set")
    same(re.findall(r"^message +(\S+) +(\S+)$", london.command("events", "level", "-c", london.path), re.M), [("maximum", "medium")], "as text")
    mark = one_more()
    wait_for(lambda: debug_of("switch", mark), "debug of the switch")
    for name in ("switch.0", "link.0", "recorder.0"):
        london.kill(name)
    wait_for(lambda: debug_of("switch", one_more()), "debug after a restart")
    wait_for(lambda: london.command("events", "level", "-c", london.path, status=None) != "", "the recorder answers")
    wait_for(lambda: levels()["message"] == ("maximum", "medium"), "levels after a restart")
    london.command("events", "level", "-c", london.path, "all", "none")
    same({x for c, x in levels().items() if c != "operator"}, {("none", "medium")}, "levels, all set")

    def loud(after):
        return {e["severity"] for e in london.events[after:] if e["category"] not in ("operator", "process")} - {"error", "alarm"}

    def is_quiet():
        """Up to an act of ours that is told after it."""
        mark = one_more()
        london.command("events", "level", "-c", london.path, "all", "none")
        london.event("operator.act", after=mark, what="events-level")
        return not loud(mark)
    wait_for(is_quiet, "at none: errors and alarms, when every process has heard of it")
    mark = london.mark()
    os.kill(london.pids()["reader.0"], signal.SIGKILL)
    london.command("events", "level", "-c", london.path, "process", "medium")
    london.event("operator.act", after=mark, what="events-level")   # an audit at level none too
    same(loud(mark), set(), "at none: errors and alarms")
    london.command("events", "level", "-c", london.path, "nonsense", "none", status=REFUSED)
    london.stop()
    mark = london.mark()
    london.start()
    same(debug_of("", one_more()), [], "debug after a start")
    same(levels()["message"], ("medium", "medium"), "levels after a start")
    return "message maximum, all none, back by a start"


def test_levels_of_the_settings(lab):
    london, paris = lab.pair()
    london.link(paris)
    london.settings["event-log"] = {"level": "minimum", "levels": ["message maximum", "process none"]}
    paris.link(london)
    paris.start()
    london.start(wait=False)
    wait_for(lambda: os.path.exists(os.path.join(london.directory, "control")) and london.command("status", "-c", london.path, status=None) != "", "London answers")
    london.send(london.alice, paris.claude)
    london.event("message.out")
    wrong = [e for e in london.events if e["category"] == "process" and e["severity"] not in ("error", "alarm")]
    same(wrong, [], "of category process")
    wrong = [e for e in london.events if e["category"] == "x400" and e["severity"] in ("debug", "info", "notice")]
    same(wrong, [], "of category x400")


def string(text):
    return struct.pack(">I", len(text)) + text.encode()


LEVEL = struct.pack(">Q", 1) + string("operator") + struct.pack(">I", 2) + string("somebody") + string("x" * 250)
LEVEL = struct.pack(">IH", len(LEVEL) + 2, 103) + LEVEL
DONE = 46


def storm(m, n, dies=False):
    """n audit lines, as fast as they come: no storm joins them. They are asked for on the socket of `posthorn events level`, whose start would take
    most of the time, some at a time: a burst that standard error has no room for is lost there. dies: one may be asked of a recorder that ends."""
    def told():
        return sum(e["event"] == "operator.act" for e in m.events)
    def connected():
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(PATIENCE_S)
        try:
            s.connect(os.path.join(m.directory, "events"))
            return s
        except OSError:
            s.close()
            return None
    answered, told_before = 0, told()
    while n > 0:
        with wait_for(connected, "who hears of levels") as s:
            try:
                buffer = b""
                s.sendall(HELLO)
                while n > 0:
                    n -= 1
                    s.sendall(LEVEL)
                    kinds = []
                    while DONE not in kinds:
                        more = s.recv(65536)
                        if not more:
                            raise ConnectionResetError("the recorder has ended")
                        frames, buffer = frames_of(buffer + more)
                        kinds = [kind for kind, _ in frames]
                    answered += 1
                    if answered % 25 == 0:
                        wait_for(lambda: told() >= told_before + answered, "audit lines on standard error", step=0.01)  # pylint: disable=cell-var-from-loop
            except ConnectionError:
                expect(dies, "the recorder lives")


def test_file_is_put_aside_and_no_line_lost(lab):
    london, paris = lab.pair()
    london.link(paris)
    paris.link(london)
    path = os.path.join(lab.root, "events.log")
    london.settings["event-log"] = {"file": "events.log", "file-size": "64 K", "file-keep": 50, "levels": ["message maximum"]}
    paris.start()
    london.start()
    sending = threading.Thread(target=lambda: [london.send(london.alice, paris.claude) for _ in range(20)])
    sending.start()
    workers = [threading.Thread(target=storm, args=(london, 60)) for _ in range(3)]
    for w in workers:
        w.start()
    for w in workers + [sending]:
        w.join()
    paris.wait_mail("claude", 20)
    storm(london, 60)
    wait_for(lambda: os.path.exists(path + ".1"), "a file that was put aside")
    aside = path + "-away"
    os.rename(path, aside)                                   # as logrotate does it
    storm(london, 1)
    wait_for(lambda: os.path.exists(path), "a new file in its place")
    london.stop()
    files = glob.glob(path + "*")
    lines = [json.loads(x) for x in lines_of(*files)]
    same(len([e for e in lines if e["event"] == "operator.act"]), 241, "audit lines")
    written = collections.Counter(key(e) for e in lines)
    wanted = collections.Counter(key(e) for e in london.events)
    last = [e["event"] + e.get("fields", {}).get("name", "") for e in london.events if key(e) in wanted - written]
    expect(set(last) <= {"supervisor.down", "process.stoppedrecorder.0"}, "every line of standard error, but for those after the recorder's end", last)
    same(written - wanted, collections.Counter(), "each as often")
    same([e["event"] for e in lines if e["event"] == "recorder.ended"], ["recorder.ended"], "the end is written")
    expect(all(os.path.getsize(f) <= 65536 for f in files), "sizes", [os.path.getsize(f) for f in files])
    expect(all(os.stat(f).st_mode & 0o077 == 0 for f in files), "for its owner alone")
    return "%d lines in %d files" % (len(lines), len(files))


def test_a_burst_while_the_supervisor_does_not_run(lab):
    """As on a busy machine: what a process says meanwhile waits in its pipe."""
    london = lab.mta("london")
    london.start()
    with lab.held(london.process.pid):
        for _ in range(9):
            storm(london, 24)
    london.stop()
    same((len([e for e in london.events if e["event"] == "operator.act"]), [e["lost"] for e in london.events if "lost" in e]), (216, []), "audit lines, lost ones")


def test_file_that_fails_delays_nobody(lab):
    london, paris = lab.pair()
    london.link(paris)
    paris.link(london)
    folder = os.path.join(lab.root, "away")
    london.settings["event-log"] = {"file": os.path.join(folder, "events.log"), "standard-error": True}
    paris.start()
    london.start()
    why = london.event("recorder.file-failed")["fields"]["why"]
    expect("away/events.log" in why and "No such file" in why, "why", why)
    london.send(london.alice, paris.claude)
    paris.wait_mail("claude", 1)
    os.mkdir(folder)
    wait_for(lambda: storm(london, 1) or london.find("recorder.file-again"), "it is written again", step=0.3)
    expect(int(london.find("recorder.file-again")["fields"]["missing"]) > 5, "how many are missing")
    same(len([e for e in london.events if e["event"] == "recorder.file-failed"]), 1, "said once")


def test_killed_at_each_of_its_points(lab):
    """The recorder dies or fails where it opens, writes, puts aside, speaks to the journal: mail goes on, its successor too, and the files have whole lines,
    each once."""
    n = 0
    for plan in ("LOGFILE_OPEN:1:kill", "LOGFILE_WRITE:1:kill", "LOGFILE_WRITE:7:kill", "LOGFILE_WRITE:5:fail", "LOGFILE_RENAME:1:kill", "LOGFILE_RENAME:1:fail",
                 "JOURNAL_CONNECT:1:kill", "JOURNAL_SEND:1:stick", "LOGFILE_OPEN:1:stick"):
        n += 1
        london = lab.mta("london%d" % n)
        alice = london.mailbox("alice")
        path = os.path.join(lab.root, "events%d.log" % n)
        london.settings["event-log"] = {"file": path, "file-size": "64 K", "file-keep": 50, "journal": "JOURNAL" in plan}
        os.environ["POSTHORN_FAULT"] = "recorder:" + plan
        try:
            london.start()
        finally:
            del os.environ["POSTHORN_FAULT"]
        london.send(alice, alice, "--subject", plan)
        london.wait_mail("alice", 1)
        storm(london, 200 if "RENAME" in plan else 10, dies=True)
        if plan.endswith("kill"):
            london.event("process.ended", name="recorder.0")
        died = [e for e in london.events if e["event"] == "process.ended" and e["fields"]["name"] == "recorder.0"]
        same(len(died), int(plan.endswith("kill")), "deaths of the recorder by %s" % plan)
        same([e["event"] for e in london.events if e["event"] == "process.fault"], [], "faults by %s" % plan)
        london.stop()
        lines = [json.loads(x) for x in lines_of(*glob.glob(path + "*"))]
        written = collections.Counter(key(e) for e in lines)
        heard = collections.Counter(key(e) for e in london.events)
        expect(written <= heard, "lines that were written twice by %s" % plan, list((written - heard).elements())[:3])
        expect("OPEN:1:stick" in plan or len(lines) > 5, "lines in the files with %s" % plan, len(lines))
        failed = {"LOGFILE_OPEN:1:stick": "recorder.file-failed", "LOGFILE_WRITE:5:fail": "recorder.file-failed", "LOGFILE_RENAME:1:fail": "recorder.not-rotated",
                  "JOURNAL_SEND:1:stick": "recorder.journal-failed"}.get(plan)
        expect(failed is None or london.find(failed), "%s by %s" % (failed, plan))
    return "%d plans" % n


def test_quiet_standard_error(lab):
    london = lab.mta("london")
    london.settings["events"] = "text"
    london.settings["event-log"] = {"standard-error": False, "file": "quiet.log", "file-form": "text"}
    london.start(wait=False)
    path = os.path.join(lab.root, "quiet.log")
    wait_for(lambda: os.path.exists(path) and "supervisor.up" in "\n".join(lines_of(path)), "London is up")
    london.stop()
    same((london.events, london.other_lines), ([], []), "lines on standard error")
    expect(all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ \S+ \S+", x) for x in lines_of(path)), "lines of text", lines_of(path)[:3])


def test_other_settings_while_it_runs(lab):
    """A reload: another file in another form, another memory, other levels; levels that an operator has set are over."""
    london = lab.mta("london")
    london.settings["event-log"] = {"file": "one.log"}
    london.start()
    one, two = os.path.join(lab.root, "one.log"), os.path.join(lab.root, "two.log")
    wait_for(lambda: os.path.exists(one) and "supervisor.up" in "".join(lines_of(one)), "the first file")
    london.command("events", "level", "-c", london.path, "all", "none")
    pid = london.pids()["recorder.0"]
    london.settings["event-log"] = {"file": "two.log", "file-form": "text", "memory": 100}
    london.write()
    london.command("reload", "-c", london.path)
    storm(london, 150)
    wait_for(lambda: os.path.exists(two) and len([x for x in lines_of(two) if "operator.act" in x]) >= 150, "the second file")
    same(len(events_of(london)), 100, "events in memory")
    same(len([x for x in lines_of(one) if '"why":"%s"' % ("x" * 250) in x]), 0, "of these in the first file")
    same(london.pids()["recorder.0"], pid, "the recorder is the same")
    mark = london.mark()
    os.kill(london.pids()["reader.0"], signal.SIGKILL)
    london.event("process.started", after=mark) # of level info


JOURNAL = r"""
import os, socket, subprocess, sys
os.makedirs("/run/systemd/journal", exist_ok=True)
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/run/systemd/journal/socket")
s.settimeout(60)
p = subprocess.Popen(sys.argv[1:], stderr=subprocess.DEVNULL)
text = b""
try:
    while b"POSTHORN_EVENT=supervisor.up" not in text:
        text += s.recv(65536) + b"\n\n"
finally:
    p.terminate()
    p.wait()
sys.stdout.buffer.write(text)
"""


def test_journal(lab):
    """The native protocol of the journal, by a socket in its place in a mount namespace of its own."""
    try_it = subprocess.run(["unshare", "-m", "sh", "-c", "mount -t tmpfs none /run"], capture_output=True, check=False)
    if try_it.returncode != 0:
        raise Skip("no mount namespace of our own: %s" % try_it.stderr.decode().strip()[:60])
    london = lab.mta("london")
    london.settings["event-log"] = {"journal": True}
    london.write()
    done = subprocess.run(["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /run && exec "$0" "$@"', sys.executable, "-c", JOURNAL,
                           lab.program, "run", "-c", london.path], capture_output=True, timeout=90, check=False)
    expect(done.returncode == 0, "the journal was told", done.stderr.decode()[-500:])
    entries = [dict(line.split("=", 1) for line in e.splitlines() if "=" in line) for e in done.stdout.decode().split("\n\n") if e.strip()]
    up = [e for e in entries if e.get("POSTHORN_EVENT") == "supervisor.up"][0]
    same({k: up.get(k) for k in ("PRIORITY", "SYSLOG_IDENTIFIER", "POSTHORN_ID", "POSTHORN_CATEGORY", "POSTHORN_PROCESS", "POSTHORN_SOURCE",
                                 "POSTHORN_FIELD_DIRECTORY")},
         {"PRIORITY": "5", "SYSLOG_IDENTIFIER": "posthorn", "POSTHORN_ID": "110", "POSTHORN_CATEGORY": "process", "POSTHORN_PROCESS": "supervisor",
          "POSTHORN_SOURCE": "MSExchangeMTA 9298", "POSTHORN_FIELD_DIRECTORY": london.directory}, "fields of supervisor.up")
    expect(up["MESSAGE"].startswith('supervisor.up pid="'), "its message", up["MESSAGE"])
    return "%d entries" % len(entries)


def test_many_followers_and_bad_ones(lab):
    """Who sends nonsense is cut off, who does not read is left behind; the others hear all."""
    london = lab.mta("london")
    london.start()
    good = [Follower(london, "--category", "operator") for _ in range(5)]
    bad = []
    for octets in (b"", b"\xff" * 100, b"\0\0\0\x0a\0\0\0\1\0\6\0\0\0\0\0\0\0\6\0\x64\0\0\0\0", b"\0\0\0\x0a\0\0\0\1\0\6\0\0\0\0\0\0\x20\0\0\x64" + b"\xff" * 8190):
        s = socket.socket(socket.AF_UNIX)
        s.connect(os.path.join(london.directory, "events"))
        s.sendall(octets)
        bad.append(s)
    storm(london, 10)
    for f in good:
        f.wait("operator.act", 10)
    for s in bad[1:]:
        s.settimeout(PATIENCE_S)
        rest(s)
    same("recorder.0" in london.pids() and london.find("process.fault"), None, "a recorder that died of it")
    for s in bad:
        s.close()


main(test_memory_filters_and_catalogue, test_followed_across_a_killed_recorder, test_levels_reach_every_process_and_stay, test_levels_of_the_settings,
     test_file_is_put_aside_and_no_line_lost,
     test_a_burst_while_the_supervisor_does_not_run, test_file_that_fails_delays_nobody, test_killed_at_each_of_its_points, test_quiet_standard_error,
     test_other_settings_while_it_runs, test_journal, test_many_followers_and_bad_ones)
