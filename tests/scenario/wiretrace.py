#!/usr/bin/env python3
"""What goes over a link's connections, for an operator who looks for what a peer says: a capture that tshark and posthorn decode read, live decoding,
its bounds, and that it costs nobody anything."""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from posthorn import PATIENCE_S, Skip, expect, main, same, state, wait_for  # noqa: E402
from stutter import descendants  # noqa: E402

REFUSED, USAGE = 1, 64


def captures(m):
    return sorted(glob.glob(os.path.join(m.directory, "trace", "*.pcap")))


def decoded(lab, path, *args):
    done = subprocess.run([lab.program, "decode", path, "--json", *args], capture_output=True, check=False)
    return [json.loads(x) for x in done.stdout.decode().splitlines()], done.returncode


def tshark(path, *args):
    if shutil.which("tshark") is None:
        raise Skip("no tshark")
    done = subprocess.run(["tshark", "-r", path, *args], capture_output=True, text=True, check=False, timeout=120)
    expect(done.returncode == 0, "tshark reads it", done.stderr[-500:])
    return done.stdout


def names(events):
    return [e["event"] for e in events]


def traced(lab, **link):
    """London traces its link to Paris, a message goes each way; gives both and London's captures, closed."""
    london, paris = lab.pair()
    london.link(paris, **link)
    paris.link(london)
    paris.start()
    london.start()
    said = london.command("link", "trace", "-c", london.path, "paris", "on", "--why", "a test").strip()
    expect(said.startswith(os.path.join(london.directory, "trace", "paris-")), "where the files are", said)
    london.send(london.alice, paris.claude, "--subject", "there and known by its text", "--text", "what the capture holds")
    paris.wait_mail("claude", 1)
    paris.send(paris.claude, london.alice, "--subject", "and back")
    london.wait_mail("alice", 1)
    london.command("link", "trace", "-c", london.path, "paris", "off")
    london.event("link.trace-ended", why="operator")
    return london, paris, captures(london)


def test_tshark_and_decode_read_it(lab):
    london, _, files = traced(lab)
    expect(files, "a capture")
    london.event("operator.act", what="trace-off")
    act = [e["fields"] for e in london.events if e["event"] == "operator.act"]
    same([(a["what"], a["link"], a["outcome"]) for a in act], [("trace-on", "paris", "done"), ("trace-off", "paris", "done")], "audit")
    expect(all(os.stat(f).st_mode & 0o077 == 0 for f in files + [os.path.dirname(files[0])]), "for its owner alone")
    text = "".join(tshark(f, "-V") for f in files)
    for word in ("MTA-BIND", "Malformed", "[Checksum Status: Bad]", "TCP Previous segment", "Out-Of-Order", "Retransmission"):
        if word != "MTA-BIND":
            expect(word not in text, "not in tshark's view: %s" % word, text[max(0, text.find(word) - 500):text.find(word) + 100])
    fields = "".join(tshark(f, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-T", "fields", "-e", "_ws.col.Protocol", "-e", "ip.checksum.status",
                            "-e", "tcp.checksum.status") for f in files)
    rows = [x.split("\t") for x in fields.splitlines()]
    expect({r[0] for r in rows} >= {"P1", "TCP", "COTP"}, "protocols that tshark sees", {r[0] for r in rows})
    same({(r[1], r[2]) for r in rows}, {("1", "1")}, "checksums by tshark")
    both = [e for f in files for e in decoded(lab, f)[0]]
    same([decoded(lab, f)[1] for f in files], [0] * len(files), "posthorn decode finds no damage")
    expect(names(both).count("CONNECTION") >= 2, "a connection each way", names(both))
    whole = json.dumps(both)
    expect("there and known by its text" in whole and "what the capture holds" in whole and "and back" in whole, "both messages", names(both))
    expect("secret-london" not in whole, "a password that nobody has asked for")
    expect("secret-london" in json.dumps([e for f in files for e in decoded(lab, f, "--secrets")[0]]), "the password, asked for")
    london.send(london.alice, "G=X; S=Nobody; P=PARIS; A=POSTHORN; C=FR")
    london.wait_empty()
    same(captures(london), files, "files after the end")
    return "%d files, %d packets" % (len(files), len(rows))


def viewer(m, *args):
    """`posthorn link trace --follow` as an operator leaves it running, and what it shows."""
    process = subprocess.Popen([m.lab.program, "link", "trace", "-c", m.path, "paris", "--follow", "--json", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    rows = []
    threading.Thread(target=lambda: [rows.append(json.loads(x)) for x in process.stdout], daemon=True).start()
    m.lab.closers.append(process.kill)
    return process, rows


def test_who_follows_is_told_of_the_end(lab):
    """It ends when others have ended what it shows, and ends nothing of theirs."""
    london, paris = lab.pair()
    london.link(paris)
    paris.link(london)
    paris.start()
    london.start()

    def ended(process, why):
        same(process.wait(PATIENCE_S), 0, "status")
        said = process.stderr.read().decode()
        process.stdout.close()
        process.stderr.close()
        expect(why in said, "why it has ended: %s" % why, said)
    first, _ = viewer(london)
    london.event("operator.act", what="trace-on")
    mark = london.mark()
    london.command("link", "trace", "-c", london.path, "paris", "on")
    ended(first, "another one")
    london.event("operator.act", after=mark)
    same([e["fields"]["what"] for e in london.events[mark:] if e["event"] == "operator.act"], ["trace-on"], "acts: it has not ended the other one")
    mark = london.mark()
    second, rows = viewer(london)
    london.event("operator.act", after=mark, what="trace-on") # an association that is open before is not seen from its beginning
    london.send(london.alice, paris.claude, "--subject", "shown before it ends")
    wait_for(lambda: "shown before it ends" in json.dumps(rows), "the message")
    london.command("link", "trace", "-c", london.path, "paris", "off")
    ended(second, "an operator has ended it")
    third, _ = viewer(london, "--time", "1ms")
    ended(third, "its time is over")


def test_followed_live(lab):
    london, paris = lab.pair()
    london.link(paris)
    paris.link(london)
    paris.start()
    london.start()
    process, rows = viewer(london)
    try:
        london.event("operator.act", what="trace-on")
        london.send(london.alice, paris.claude, "--subject", "seen at once")
        wait_for(lambda: "seen at once" in json.dumps(rows), "the message, while the association is open")
        for name in ("CONNECTION", "CR", "CC", "CONNECT", "ACCEPT", "MESSAGE"):
            expect(any(name in e["event"] for e in rows), "%s was shown" % name, names(rows))
        expect(not london.find("link.trace-ended"), "it goes on")
        expect("secret-london" not in json.dumps(rows), "a password that nobody has asked for")
        mark = len(rows)
        decoder = descendants(process.pid)[1]
        with lab.held(decoder): # as Ctrl-Z and fg do
            wait_for(lambda: state(decoder) == "T", "the decoder stands still")
        paris.send(paris.claude, london.alice, "--subject", "and the other way")
        wait_for(lambda: "and the other way" in json.dumps(rows[mark:]), "the answer, in another file or the same")
        for name in ("recorder.0", "link.0"):
            killed(london, name)
        london.send(london.alice, paris.claude, "--subject", "after they were killed")
        wait_for(lambda: "after they were killed" in json.dumps(rows[mark:]), "a message in another file")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_S)
        process.stdout.close()
        said = process.stderr.read().decode()
        process.stderr.close()
    same((process.returncode, said), (0, ""), "its end")
    london.event("link.trace-ended", why="operator")
    return "%d events" % len(rows)


def killed(m, name):
    """It is dead, and its successor is ready."""
    pid, mark = m.pids()[name], m.mark()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: [e for e in m.events[mark:] if e["event"] == "process.ready" and e["process"] == name.replace(".", "-")], "%s is ready" % name)
    wait_for(lambda: m.pids().get(name) not in (None, pid), "%s runs" % name)


def test_goes_on_over_killed_processes(lab):
    """The link's process dies, then the switch that knew of the trace and the link's again: each goes on in a file of its own, until an operator ends it."""
    london, paris = lab.pair()
    london.link(paris)
    paris.link(london)
    paris.start()
    london.start()

    def one_more(subject):
        n = len(paris.mail("claude"))
        london.send(london.alice, paris.claude, "--subject", subject)
        paris.wait_mail("claude", n + 1)
    london.command("link", "trace", "-c", london.path, "paris", "on", "--octets", "40K", "--time", "1h")
    subjects = ["of the first life", "of the second life", "with another switch", "of the third life"]
    one_more(subjects[0])
    killed(london, "link.0")
    one_more(subjects[1])
    killed(london, "switch.0")
    one_more(subjects[2]) # so the link has met the new switch
    killed(london, "link.0")
    one_more(subjects[3])
    files = captures(london)
    same([os.path.basename(f).split("-", 2)[2] for f in sorted(files, key=len)[:2] + [f for f in files if "-3.pcap" in f]],
         ["link.0.pcap", "link.0-2.pcap", "link.0-3.pcap"], "files")
    whole = {f: json.dumps(decoded(lab, f)[0]) for f in files}
    for subject in subjects:
        same(len([f for f, text in whole.items() if subject in text]), 1, "files that have the message %s" % subject)
    same([decoded(lab, f)[1] for f in files], [0] * 3, "posthorn decode finds no damage")
    # They have one limit together.
    mark = london.mark()
    big = lab.file("big.txt", b"a line of text, and another one\r\n" * 2000)
    london.send(london.alice, paris.claude, "--text-file", big)
    end = london.event("link.trace-ended", after=mark)["fields"]
    expect("as many octets" in end["why"] and sum(os.path.getsize(f) for f in files) >= 40 << 10 and int(end["octets"]) < 150 << 10, "it ends by its octets", end)
    mark = london.mark()
    london.command("link", "trace", "-c", london.path, "paris", "off")
    act = london.event("operator.act", after=mark)["fields"]
    expect(act["trace"] in files[0], "the switch knows which it was", act)
    killed(london, "link.0")
    one_more("after the end")
    same(captures(london), files, "files after the end")
    for f in files:
        expect("Malformed" not in tshark(f, "-V"), "tshark reads it")
    return "%d files" % len(files)


def test_in_clear_where_there_is_tls_and_bounds(lab):
    london, paris = lab.pair()
    london.link(paris)
    paris.link(london)
    paris.start()
    london.start()
    big = lab.file("big.txt", b"a line of text, and another one\r\n" * 10000)
    london.command("link", "trace", "-c", london.path, "paris", "on", "--octets", "100K")
    mts_id = london.send(london.alice, paris.claude, "--text-file", big)
    end = london.event("link.trace-ended")["fields"]
    expect("as many octets" in end["why"] and int(end["octets"]) < 500000, "it ends by its octets", end)
    paris.wait_mail("claude", 1)
    expect(mts_id, "mail goes on")
    same(os.path.getsize(os.path.join(london.directory, end["file"])) - 24, int(end["octets"]), "its length")
    mark = london.mark()
    london.command("link", "trace", "-c", london.path, "paris", "on", "--time", "1s")
    london.send(london.alice, paris.claude, "--subject", "short")
    expect("time" in london.event("link.trace-ended", after=mark)["fields"]["why"], "it ends by its time")
    # An association that was open before shows from the middle on; what cannot be known of it is named, nothing breaks.
    events, _ = decoded(lab, captures(london)[-1])
    expect(names(events), "it can be read")
    for wrong, status in ((("nobody", "on"), REFUSED), (("paris",), USAGE), (("paris", "maybe"), USAGE), (("paris", "on", "--octets", "2 G"), REFUSED),
                          (("paris", "on", "--time", "2 d"), REFUSED)):
        london.command("link", "trace", "-c", london.path, *wrong, status=status)


def test_a_disk_that_fails_ends_the_trace_alone(lab):
    london, paris = lab.pair()
    london.link(paris)
    paris.link(london)
    paris.start()
    london.start()
    with open(os.path.join(london.directory, "trace"), "wb"): # no folder can be made there
        pass
    london.command("link", "trace", "-c", london.path, "paris", "on")
    london.send(london.alice, paris.claude)
    paris.wait_mail("claude", 1)
    london.event("link.trace-ended", why="cannot")
    expect(not london.find("process.fault"), "nobody died of it")
    expect(not london.find("link.trace-begun"), "no file")


main(test_tshark_and_decode_read_it, test_followed_live, test_who_follows_is_told_of_the_end, test_goes_on_over_killed_processes, test_in_clear_where_there_is_tls_and_bounds, test_a_disk_that_fails_ends_the_trace_alone)
